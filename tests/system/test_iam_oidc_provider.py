# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iam_oidc_provider against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

MODULE = "iam_oidc_provider"
URL = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


def test_a_new_provider_trusts_sts_and_carries_its_tags(player: Player, aws: Callable[..., Any]) -> None:
    created = player.converge(MODULE, url=URL, tags={"cluster": "production"})
    provider = created["oidc_provider"]
    live = aws("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=provider["arn"])
    assert live["ClientIDList"] == provider["client_ids"] == ["sts.amazonaws.com"]
    assert live["Tags"] == [{"Key": "cluster", "Value": "production"}]


def test_check_mode_stands_in_for_the_arn(player: Player) -> None:
    predicted = player.check(MODULE, url=URL)
    assert predicted["oidc_provider"]["arn"] == f"pending:oidc-provider/{URL.removeprefix('https://')}"


def test_an_issuer_that_does_not_exist_yet_is_planned(player: Player) -> None:
    predicted = player.check(MODULE, url="pending:cluster/production")
    assert operations(predicted["plan"]) == [("iam", "CreateOpenIDConnectProvider")]


def test_options_not_given_are_left_alone(player: Player) -> None:
    player(MODULE, url=URL, client_ids=["sts.amazonaws.com", "other"], tags={"a": "b"})
    result = player.unchanged(MODULE, url=URL)
    assert result["oidc_provider"]["client_ids"] == ["other", "sts.amazonaws.com"]
    assert result["oidc_provider"]["tags"] == {"a": "b"}


def test_audiences_and_tags_change_in_place(player: Player) -> None:
    player(MODULE, url=URL, tags={"a": "b", "c": "d"})
    result = player.converge(MODULE, url=URL, client_ids=["sts.amazonaws.com", "other"], tags={"a": "e"})
    assert operations(result["plan"]) == [
        ("iam", "AddClientIDToOpenIDConnectProvider"),
        ("iam", "TagOpenIDConnectProvider"),
        ("iam", "UntagOpenIDConnectProvider"),
    ]


def test_tags_not_named_stay_without_purge(player: Player) -> None:
    player(MODULE, url=URL, tags={"a": "b"})
    result = player.converge(MODULE, url=URL, tags={"c": "d"}, purge_tags=False)
    assert result["oidc_provider"]["tags"] == {"a": "b", "c": "d"}


def test_absent_removes_and_is_content_when_gone(player: Player) -> None:
    player(MODULE, url=URL)
    removed = player.converge(MODULE, url=URL, state="absent")
    assert removed["plan"][0]["risk"] == "irreversible"
    assert removed["oidc_provider"] is None


def test_the_dual_stack_host_is_refused(player: Player) -> None:
    msg = player.refuses(MODULE, url="https://oidc-eks.eu-west-1.api.aws/id/ABC")
    assert msg.startswith("url:") and "dual-stack" in msg


def test_a_plain_http_issuer_is_refused(player: Player) -> None:
    assert "no https URL" in player.refuses(MODULE, url="http://oidc.eks.eu-west-1.amazonaws.com/id/ABC")


def test_a_slash_at_the_end_is_no_part_of_the_issuer(player: Player) -> None:
    made = player.converge(MODULE, url=f"{URL}/")["oidc_provider"]
    assert made["url"] == URL and made["arn"].endswith("0123456789ABCDEF0123456789ABCDEF")
    player.unchanged(MODULE, url=URL)


def test_thumbprints_in_capitals_are_the_same(player: Player) -> None:
    made = player.converge(MODULE, url=URL, thumbprints=["AB" * 20, "ab" * 20])["oidc_provider"]
    assert made["thumbprints"] == ["ab" * 20]


def test_a_thumbprint_that_iam_keeps_in_capitals_is_the_same(player: Player, aws: Callable[..., Any]) -> None:
    aws("iam").create_open_id_connect_provider(Url=URL, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["AB" * 20])
    player.unchanged(MODULE, url=URL, thumbprints=["ab" * 20])


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"url": f" {URL}"}, "url", "no https URL"),
        ({"url": URL.replace("https", "HTTPS")}, "url", "no https URL"),
        ({"url": f"{URL}?x=1"}, "url", "from a ? or # on"),
        ({"url": f"https://example.com/{'a' * 300}"}, "url", "255 characters"),
        ({"client_ids": ["sts.amazonaws.com", ""]}, "client_ids", "1 to 255 characters"),
        ({"client_ids": ["a" * 256]}, "client_ids", "1 to 255 characters"),
        ({"client_ids": [f"client-{number}" for number in range(101)]}, "client_ids", "100 at most, and these are 101"),
        ({"thumbprints": ["abc"]}, "thumbprints", "40 hexadecimal digits"),
        ({"thumbprints": [":".join(["AB"] * 20)]}, "thumbprints", "without colons"),
        ({"thumbprints": [f"{number:040x}" for number in range(6)]}, "thumbprints", "5 at most, and these are 6"),
    ],
)
def test_what_iam_would_refuse_is_refused(player: Player, bad: dict[str, Any], option: str, reason: str) -> None:
    msg = player.refuses(MODULE, **{"url": URL, **bad})
    assert msg.startswith(f"{option}: ") and reason in msg


def test_the_longest_lists_that_iam_takes_are_made(player: Player) -> None:
    prints = [f"{number}" * 40 for number in range(5)]
    clients = [f"c{number:03}" for number in range(100)]
    player.converge(MODULE, url=URL, client_ids=clients, thumbprints=prints)
