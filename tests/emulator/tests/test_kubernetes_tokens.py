# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearer tokens: those that botocore signs as `aws eks get-token` does are good, everything else is 401."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from eksops_emulator.kubernetes import KubernetesAPI, tokens
from eksops_emulator.kubernetes.client import Client

SECRETS = {"AKIDEXAMPLE": "one-secret"}


def signed_url(
    cluster: str = "production",
    key: str = "AKIDEXAMPLE",
    secret: str = "one-secret",
    expires: int = 60,
    host: str = "https://sts.eu-west-1.amazonaws.com",
    session_token: str | None = None,
) -> str:
    events = boto3.Session().events  # the signer does not hold it
    signer = RequestSigner(ServiceId("STS"), "eu-west-1", "sts", "v4", Credentials(key, secret, session_token), events)
    request = {
        "method": "GET",
        "url": f"{host}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster} if cluster else {},
        "context": {},
    }
    url: str = signer.generate_presigned_url(request, region_name="eu-west-1", expires_in=expires, operation_name="")
    return url


def token(url: str) -> str:
    return tokens.PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def edited(url: str, **changes: str | None) -> str:
    """A URL with other query parameters; None takes one away."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **{name.replace("_", "-"): value for name, value in changes.items()}}
    kept = {name: value for name, value in query.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(kept)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesAPI]:
    with KubernetesAPI(cluster_name="production", secrets=SECRETS) as api:
        yield api


def status(cluster: KubernetesAPI, bearer: str) -> int:
    return Client(cluster.url, cluster.ca_pem, bearer).get("/api/v1/nodes").status


@pytest.mark.parametrize(
    "url",
    [
        signed_url,
        lambda: signed_url(expires=0),
        lambda: signed_url(expires=900),
        lambda: signed_url(host="https://sts.amazonaws.com"),
        lambda: signed_url(host="https://sts-fips.us-gov-west-1.amazonaws.com"),
        lambda: signed_url(host="https://sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_good_tokens(cluster: KubernetesAPI, url: Callable[[], str]) -> None:
    assert status(cluster, token(url())) == 200
    assert cluster.journal.requests[-1].user == "arn:aws:iam::123456789012:user/AKIDEXAMPLE"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: token(signed_url(cluster="staging")), "signature"),
        (lambda: token(signed_url(cluster="")), "x-k8s-aws-id is not signed"),
        (lambda: token(signed_url(secret="another")), "signature"),
        (lambda: token(signed_url(key="AKIDNOBODY")), "doesn't exist"),
        (lambda: token(signed_url(session_token="stolen")), "security token"),
        (lambda: token(signed_url(expires=901)), "X-Amz-Expires"),
        (lambda: token(signed_url(host="https://sts.example.com")), "host"),
        (lambda: token(signed_url(host="http://sts.eu-west-1.amazonaws.com")), "host"),
        (lambda: token(edited(signed_url(), Action="AssumeRole")), "GetCallerIdentity"),
        (lambda: token(edited(signed_url(), X_Amz_Expires="61")), "signature"),
        (lambda: token(edited(signed_url(), X_Amz_Date=None)), "x-amz-date"),
        (lambda: token(edited(signed_url(), X_Amz_Algorithm="none")), "algorithm"),
        (lambda: token(edited(signed_url(), Extra="1")), "not allowed"),
        (lambda: token(signed_url().replace("amazonaws.com/?", "amazonaws.com/path?")), "path"),
        (lambda: token(signed_url() + "&X-Amz-Date=20200101T000000Z"), "more than once"),
        (lambda: token(signed_url()) + "=", "padded"),
        (lambda: tokens.PREFIX + "****", "base64url"),
        (lambda: "k8s-aws-v2." + token(signed_url()).removeprefix(tokens.PREFIX), "start with"),
        (lambda: tokens.PREFIX + "A" * 5000, "too large"),
    ],
)
def test_bad_tokens(cluster: KubernetesAPI, make: Callable[[], str], why: str) -> None:
    bearer = make()
    reply = Client(cluster.url, cluster.ca_pem, bearer).get("/api/v1/nodes")
    assert (reply.status, reply.data["reason"], reply.data["message"]) == (401, "Unauthorized", "Unauthorized")
    entry = cluster.journal.requests[-1]
    assert entry.status == 401
    assert why in entry.message
    assert bearer not in str(cluster.journal.to_dicts())


@pytest.mark.parametrize(
    ("age", "good"),
    [
        (timedelta(0), True),
        (timedelta(minutes=14), True),
        (timedelta(minutes=15), False),
        (timedelta(hours=1), False),
        (timedelta(minutes=-6), False),
    ],
)
def test_tokens_age(age: timedelta, good: bool) -> None:
    made = datetime.now(UTC)
    verifier = tokens.Verifier("production", tokens.static_secrets(SECRETS), clock=lambda: made + age)
    if good:
        assert verifier.principal(token(signed_url())).access_key == "AKIDEXAMPLE"
    else:
        with pytest.raises(tokens.Rejected, match="expired"):
            verifier.principal(token(signed_url()))


def test_temporary_credentials_need_their_session_token() -> None:
    held = tokens.Secret("temporary", "arn:aws:sts::1:assumed-role/r/s", "session")
    verifier = tokens.Verifier("production", lambda _unused: held)
    url = signed_url(key="ASIA", secret="temporary", session_token="session")
    assert verifier.principal(token(url)).arn == held.arn
    with pytest.raises(tokens.Rejected):
        verifier.principal(token(signed_url(key="ASIA", secret="temporary")))


def test_an_emulated_sts_may_be_named() -> None:
    url = signed_url(host="http://127.0.0.1:4566")
    known = tokens.Verifier("production", tokens.static_secrets(SECRETS), frozenset({"127.0.0.1:4566"}))
    assert known.principal(token(url)).access_key == "AKIDEXAMPLE"
    with pytest.raises(tokens.Rejected):
        tokens.Verifier("production", tokens.static_secrets(SECRETS)).principal(token(url))


def test_each_server_is_its_own_authority(cluster: KubernetesAPI) -> None:
    import ssl

    with KubernetesAPI(cluster_name="other", secrets=SECRETS) as other:
        assert other.ca_pem != cluster.ca_pem
        assert status(other, token(signed_url("other"))) == 200
        assert status(other, token(signed_url("production"))) == 401
        stranger: Any = Client(other.url, cluster.ca_pem, other.admin_token)
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.get("/version")


def test_only_loopback_is_bound(cluster: KubernetesAPI) -> None:
    assert cluster._server is not None
    assert cluster._server.server_address[0] == "127.0.0.1"
