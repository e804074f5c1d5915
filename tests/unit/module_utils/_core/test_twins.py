# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mapping from IPv4 rules to IPv6 ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core import twins
from ansible_collections.eksops.ipv6.plugins.module_utils._core.twins import Pairs, Traffic

PAIRS = Pairs.of(
    ["10.0.0.0/16", "10.1.0.0/16"],
    ["2001:db8:1:ff00::/56", "2001:DB8:2:FF00::/56"],
    {"198.51.100.0/24": ["2001:db8:8000::/48"], "203.0.113.0/24": []},
)
NO_TWIN = [
    (("tcp", 22, 22, "192.0.2.0/24"), "the mapping has no IPv6 block for 192.0.2.0/24"),
    (("2", None, None, "0.0.0.0/0"), "protocol 2 has no twin"),
    (("icmpv6", -1, -1, "0.0.0.0/0"), "protocol icmpv6 has no twin"),
    (("icmp", 5, -1, "0.0.0.0/0"), "ICMPv6 has nothing like ICMP type 5 code -1"),
    (("icmp", 3, 14, "0.0.0.0/0"), "ICMPv6 has nothing like ICMP type 3 code 14"),
]
TWINS = [
    (("tcp", 22, 22, "0.0.0.0/0"), [("6", 22, 22, "::/0")]),
    (
        ("-1", None, None, "10.1.0.0/16"),
        [("-1", -1, -1, "2001:db8:1:ff00::/56"), ("-1", -1, -1, "2001:db8:2:ff00::/56")],
    ),
    (("50", -1, -1, "198.51.100.0/24"), [("50", -1, -1, "2001:db8:8000::/48")]),
    (("17", 1, 9, "203.0.113.0/24"), []),
    (("icmp", 3, -1, "0.0.0.0/0"), [("58", 1, -1, "::/0"), ("58", 2, -1, "::/0")]),
    (("1", 3, 4, "0.0.0.0/0"), [("58", 2, 0, "::/0")]),
]


@pytest.mark.parametrize(("rule", "expected"), TWINS)
def test_twins(rule: tuple[Any, ...], expected: list[tuple[Any, ...]]) -> None:
    found, why_not = twins.twins_of(Traffic.of(*rule), PAIRS)
    assert found == [Traffic(*item) for item in expected]
    assert why_not == ""


@pytest.mark.parametrize(("rule", "reason"), NO_TWIN)
def test_no_twin(rule: tuple[Any, ...], reason: str) -> None:
    assert twins.twins_of(Traffic.of(*rule), PAIRS) == ([], reason)


def test_a_given_pair_goes_before_the_mapping() -> None:
    pairs = Pairs.of(["10.0.0.0/16"], ["2001:db8::/56"], {"0.0.0.0/0": [], "10.0.0.0/16": ["2001:db8::/64"]})
    assert pairs.twins("0.0.0.0/0") == ()
    assert pairs.twins("10.0.0.0/16") == ("2001:db8::/64",)


def test_a_vpc_without_ipv6_has_no_twins_of_its_own() -> None:
    pairs = Pairs.of(["10.0.0.0/16"], [], {})
    assert pairs.twins("10.0.0.0/16") is None
    assert pairs.why_not("10.0.0.0/16") == "the VPC has no IPv6 block"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("TCP", 1, 2, "2001:DB8:0::/48"), ("6", 1, 2, "2001:db8::/48")),
        (("all", None, None, "::/0"), ("-1", 0, 65535, "0::/0")),
        (("icmpv6", None, None, "::/0"), ("58", -1, -1, "::/0")),
    ],
)
def test_spellings_of_the_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert Traffic.of(*one) == Traffic.of(*other)


@given(st.integers(-1, 255), st.integers(-1, 255))
def test_icmp_is_translated_to_what_icmpv6_has(kind: int, code: int) -> None:
    for twin, twin_code in twins.icmp_twins(kind, code):
        assert (twin, twin_code) == (-1, -1) or twin in (1, 2, 3, 4, 128, 129)
        assert (twin_code == -1) is (code == -1 or kind == -1)
