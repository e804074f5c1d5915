# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where IPv6 entries go among the numbers of a network ACL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2 import network_acl
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.network_acl import Entry, NoRoom
from ansible_collections.eksops.ipv6.plugins.module_utils._core.twins import Traffic

NUMBERS = st.lists(st.integers(1, 60), unique=True, max_size=20)
PORTS = st.integers(1, 5)


def entry(number: int, port: int, action: str = "allow") -> Entry:
    return Entry(number, action, Traffic("6", port, port, "::/0"))


@given(NUMBERS, NUMBERS, st.data())
def test_order_is_kept_and_nobody_is_in_the_way(ipv4: list[int], others: list[int], data: st.DataObject) -> None:
    wanted = [entry(number, 100 + position) for position, number in enumerate(sorted(ipv4))]
    foreign = sorted(entry(number, data.draw(PORTS)) for number in others if number not in ipv4)
    taken = [*ipv4, *(item.number for item in foreign)]
    placed = [item for item, _new in network_acl.in_order(wanted, foreign, taken)]
    assert [item.traffic for item in placed] == [item.traffic for item in wanted]
    numbers = [item.number for item in placed]
    assert numbers == sorted(set(numbers))
    assert not set(numbers) & set(taken)
    assert all(item.number > near for item, near in zip(placed, sorted(ipv4), strict=True))


@given(NUMBERS, st.data())
def test_what_is_numbered_once_serves_the_next_time(ipv4: list[int], data: st.DataObject) -> None:
    """Entries that somebody copied by hand are found equal and in order: nothing is made twice."""
    wanted = [entry(number, data.draw(PORTS)) for number in sorted(ipv4)]
    placed = [item for item, _new in network_acl.in_order(wanted, [], ipv4)]
    again = network_acl.in_order(wanted, placed, [*ipv4, *(item.number for item in placed)])
    assert again == [(item, False) for item in placed]


def test_an_equal_entry_out_of_order_does_not_serve() -> None:
    placed = network_acl.in_order([entry(10, 1, "deny"), entry(20, 2)], [entry(5, 2)], [5, 10, 20])
    assert [(item.number, new) for item, new in placed] == [(11, True), (21, True)]


def test_numbers_end() -> None:
    with pytest.raises(NoRoom):
        network_acl.in_order([entry(network_acl.LAST, 1)], [], [network_acl.LAST])


def test_before_all_keeps_what_is_there() -> None:
    wanted = [entry(0, 1), entry(0, 2)]
    assert [item.number for item in network_acl.before_all(wanted, 100, [99], [])] == [97, 98]
    kept = network_acl.before_all(wanted, 100, [99], [entry(50, 2), entry(120, 1)])
    assert sorted((item.number, item.traffic.from_port) for item in kept) == [(50, 2), (98, 1)]
    with pytest.raises(NoRoom):
        network_acl.before_all(wanted, 2, [], [])


@pytest.mark.parametrize(
    ("traffic", "number"),
    [
        (Traffic("6", 443, 443, "::/0"), 10),
        (Traffic("6", 1024, 65535, "::/0"), 30),
        (Traffic("17", 53, 53, "::/0"), 40),
        (Traffic("58", 2, 0, "::/0"), 20),
        (Traffic("58", 128, 0, "::/0"), 40),
    ],
)
def test_the_first_entry_that_covers_decides(traffic: Traffic, number: int) -> None:
    entries = [
        Entry(5, "deny", Traffic("6", 1, 65535, "2001:db8::/32")),
        Entry(10, "allow", Traffic("6", 0, 1024, "::/0")),
        Entry(20, "deny", Traffic("58", 2, -1, "::/0")),
        Entry(30, "deny", Traffic("6", 1024, 65535, "::/0")),
        Entry(40, "allow", Traffic("-1", -1, -1, "::/0")),
    ]
    found = network_acl.deciding(entries, traffic)
    assert found is not None and found.number == number
