# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens for clusters: they are those that EKS's authenticator takes, for the cluster and caller they are made for."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import token as tokens
from ansible_collections.eksops.ipv6.plugins.module_utils._core.host import PlainHost
from ansible_collections.eksops.ipv6.plugins.module_utils._core.session import ConnectionFailed, Session
from eksops_emulator.kubernetes.tokens import Rejected, Secret, Verifier

KEYS = {"access_key": "AKIAEXAMPLE", "secret_key": "a secret", "region": "eu-west-1"}


def look_up(*clusters: str, **options: str) -> list[str]:
    session = Session(PlainHost("eks_token", options))
    return [tokens.make(session, cluster) for cluster in clusters]


def verifier(cluster: str, session_token: str | None = None, **more: object) -> Verifier:
    secret = Secret("a secret", "arn:aws:iam::123456789012:user/me", session_token)
    return Verifier(cluster, lambda key: secret if key == "AKIAEXAMPLE" else None, **more)  # type: ignore[arg-type]


def test_each_token_is_good_for_its_cluster_and_no_other() -> None:
    one, two = look_up("one", "two", **KEYS)
    assert verifier("one").principal(one).arn == "arn:aws:iam::123456789012:user/me"
    assert verifier("two").principal(two).access_key == "AKIAEXAMPLE"
    with pytest.raises(Rejected, match="signature"):
        verifier("two").principal(one)


def test_temporary_credentials_are_signed_too() -> None:
    token = look_up("one", **KEYS, session_token="for a while")[0]
    assert verifier("one", "for a while").principal(token)
    with pytest.raises(Rejected, match="security token"):
        verifier("one", "another").principal(token)


def test_a_token_is_old_after_fifteen_minutes() -> None:
    token = look_up("one", **KEYS)[0]
    assert verifier("one", clock=lambda: datetime.now(UTC) + timedelta(minutes=14)).principal(token)
    with pytest.raises(Rejected, match="expired"):
        verifier("one", clock=lambda: datetime.now(UTC) + timedelta(minutes=16)).principal(token)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "sts.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_url_is_the_regions_own_sts(region: str, host: str) -> None:
    text = look_up("one", **{**KEYS, "region": region})[0].removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    assert (url.scheme, url.netloc) == ("https", host)
    assert f"/{region}/sts/aws4_request" in parse_qs(url.query)["X-Amz-Credential"][0]


def test_without_credentials_or_region_it_says_so() -> None:
    with pytest.raises(ConnectionFailed, match="credentials"):
        look_up("one", region="eu-west-1")
    with pytest.raises(ConnectionFailed, match="region"):
        look_up("one", access_key="a", secret_key="b")
