# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearer tokens as `aws eks get-token` makes them, checked as EKS's authenticator does.

A token is `k8s-aws-v1.` and, in unpadded base64url, a presigned STS GetCallerIdentity URL whose signature covers the
header x-k8s-aws-id with the cluster's name (aws-iam-authenticator, "API Authorization from Outside a Cluster"). The
authenticator sends the URL to STS; here the signature is computed again from the secret of the access key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
MAX_LENGTH = 4096
# A token is good for 15 minutes after its date, whatever X-Amz-Expires says; that may be 0 to 900 seconds.
LIFETIME = timedelta(minutes=15)
_STS_HOST = re.compile(
    r"^sts(?:-fips)?(?:\.[a-z0-9-]+)?\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$"
)
_PARAMETERS = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
}


class Rejected(Exception):
    """A token that doesn't authenticate; says why, for the journal (a client only sees 401)."""


@dataclass(frozen=True)
class Principal:
    """Who a token speaks for: the IAM ARN and the access key that signed."""

    arn: str
    access_key: str


@dataclass(frozen=True)
class Secret:
    """An access key's secret and owner; `session_token` is what requests with temporary credentials must carry."""

    key: str
    arn: str = ""
    session_token: str | None = None


Secrets = Callable[[str], Secret | None]


@dataclass
class Verifier:
    """Checks tokens for one cluster.

    Args:
        cluster_name: what the signed header must say.
        secrets: the secret of an access key, None for one that doesn't exist.
        hosts: hosts (with port) beside STS's own that a URL may name, with http: an emulated STS.
        clock: the time now.
    """

    cluster_name: str
    secrets: Secrets
    hosts: frozenset[str] = frozenset()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def principal(self, token: str) -> Principal:
        """Who the token speaks for; raises Rejected."""
        scheme, host, parameters = self._parse(token)
        given = {name.lower(): value for name, value in parameters.items()}
        self._check_form(scheme, host, given, len(parameters))
        self._check_age(given)
        access_key = given["x-amz-credential"].split("/")[0]
        secret = self.secrets(access_key)
        if secret is None:
            raise Rejected(f"access key {access_key} doesn't exist")
        if given.get("x-amz-security-token") != secret.session_token:
            raise Rejected("the security token doesn't belong to the access key")
        expected = _signature(secret.key, parameters, {"host": host, CLUSTER_HEADER: self.cluster_name})
        if not hmac.compare_digest(expected, given["x-amz-signature"]):
            raise Rejected(f"the signature doesn't cover {CLUSTER_HEADER}: {self.cluster_name} with this access key")
        return Principal(secret.arn or f"arn:aws:iam::123456789012:user/{access_key}", access_key)

    def _parse(self, token: str) -> tuple[str, str, dict[str, str]]:
        if len(token) > MAX_LENGTH:
            raise Rejected("token is too large")
        if not token.startswith(PREFIX):
            raise Rejected(f"token doesn't start with {PREFIX}")
        text = token.removeprefix(PREFIX)
        if "=" in text:
            raise Rejected("token is padded")
        try:
            url = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError) as problem:
            raise Rejected(f"token is no base64url: {problem}") from None
        parts = urlsplit(url)
        if parts.path != "/":
            raise Rejected("unexpected path in the URL")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if len({name.lower() for name, _unused in pairs}) != len(pairs):
            raise Rejected("a query parameter is there more than once")
        return parts.scheme, parts.netloc, dict(pairs)

    def _check_form(self, scheme: str, host: str, given: Mapping[str, str], count: int) -> None:
        if host not in self.hosts and (scheme != "https" or not _STS_HOST.match(host)):
            raise Rejected(f"unexpected host {scheme}://{host} in the URL")
        if set(given) - _PARAMETERS or count != len(given):
            raise Rejected("a query parameter is not allowed")
        if given.get("action") != "GetCallerIdentity":
            raise Rejected("the action is not GetCallerIdentity")
        missing = {name for name in _PARAMETERS if name not in given} - {"x-amz-security-token", "version"}
        if missing:
            raise Rejected(f"{', '.join(sorted(missing))} not in the URL")
        if given["x-amz-algorithm"] != "AWS4-HMAC-SHA256":
            raise Rejected("the algorithm is not AWS4-HMAC-SHA256")
        if CLUSTER_HEADER not in given["x-amz-signedheaders"].split(";"):
            raise Rejected(f"{CLUSTER_HEADER} is not signed")
        if len(given["x-amz-credential"].split("/")) != 5:
            raise Rejected("malformed credential scope")

    def _check_age(self, given: Mapping[str, str]) -> None:
        try:
            made = datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            expires = int(given["x-amz-expires"])
        except ValueError:
            raise Rejected("malformed date or expiry") from None
        if not 0 <= expires <= 900:
            raise Rejected(f"invalid X-Amz-Expires {expires}")
        if not made - timedelta(minutes=5) <= self.clock() < made + LIFETIME:
            raise Rejected("token is expired, or of the future")


def _signature(key: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Signature Version 4 of a presigned GET / (AWS General Reference, "Signing AWS requests")."""
    folded = {name.lower(): value for name, value in parameters.items()}
    date, region, service, _unused = folded["x-amz-credential"].split("/")[1:]
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parameters.items())
        if name.lower() != "x-amz-signature"
    )
    signed = folded["x-amz-signedheaders"].split(";")
    lines = [f"{name}:{headers.get(name, '')}" for name in signed]
    request = "\n".join(["GET", "/", query, *lines, "", ";".join(signed), hashlib.sha256(b"").hexdigest()])
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", folded["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()])
    signing = f"AWS4{key}".encode()
    for part in (date, region, service, "aws4_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()


def static_secrets(secrets: Mapping[str, str]) -> Secrets:
    """Secrets from a mapping of access key to secret."""
    return lambda access_key: Secret(secrets[access_key]) if access_key in secrets else None
