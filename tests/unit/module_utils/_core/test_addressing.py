# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address arithmetic: examples by hand, and what must hold for any numbers."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core import addressing

BLOCK = "2001:db8:1234:1a00::/56"
prefixes = st.sampled_from([44, 48, 52, 56, 60])


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """A VPC's IPv6 block, of any size AWS gives."""
    prefix = draw(prefixes)
    high = draw(st.integers(min_value=0, max_value=(1 << (prefix - 4)) - 1))
    return str(IPv6Network(((0x2 << 124) | (high << (128 - prefix)), prefix)))


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("2001:DB8:1234:1A00:0:0:0:0/56", BLOCK),
        ("2001:0db8:1234:1a00::/56", BLOCK),
        ("::/0", "::/0"),
        ("10.0.0.0/16", "10.0.0.0/16"),
    ],
)
def test_every_spelling_has_one_canonical_form(spelling: str, canonical: str) -> None:
    assert addressing.canonical(spelling) == canonical


@pytest.mark.parametrize("text", ["2001:db8::1/64", "10.0.0.1/16", "zz::/64", "10.0.0.0/33", ""])
def test_what_is_no_network_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(addressing.AddressError, match=re.escape(text) or "''"):
        addressing.canonical(text)


def test_families_are_told_apart() -> None:
    with pytest.raises(addressing.AddressError, match="no IPv4"):
        addressing.ipv4(BLOCK)
    with pytest.raises(addressing.AddressError, match="no IPv6"):
        addressing.ipv6("10.0.0.0/16")


@pytest.mark.parametrize(
    ("slot", "expected"),
    [(0, "2001:db8:1234:1a00::/64"), (3, "2001:db8:1234:1a03::/64"), (255, "2001:db8:1234:1aff::/64")],
)
def test_a_slot_is_the_number_of_a_64(slot: int, expected: str) -> None:
    assert addressing.slot_block(BLOCK, slot) == expected


@pytest.mark.parametrize("slot", [-1, 256])
def test_a_slot_out_of_bounds_is_an_error_with_the_bounds(slot: int) -> None:
    with pytest.raises(addressing.AddressError, match="0 to 255"):
        addressing.slot_block(BLOCK, slot)


@given(blocks(), st.data())
def test_a_slot_is_recovered_from_its_block(block: str, data: st.DataObject) -> None:
    slot = data.draw(st.integers(min_value=0, max_value=addressing.slot_count(ip_network(block).prefixlen) - 1))
    inner = addressing.slot_block(block, slot)
    assert IPv6Network(inner).subnet_of(IPv6Network(block))
    assert list(addressing.slots_of(block, inner)) == [slot]


@given(blocks(), blocks())
def test_slots_are_counted_only_inside_the_block(outer: str, inner: str) -> None:
    slots = addressing.slots_of(outer, inner)
    assert bool(slots) is IPv6Network(inner).subnet_of(IPv6Network(outer))


def test_a_60_covers_sixteen_slots() -> None:
    assert list(addressing.slots_of(BLOCK, "2001:db8:1234:1a10::/60")) == list(range(16, 32))


@given(st.sets(st.integers(min_value=0, max_value=15)))
def test_the_first_free_slot_is_the_lowest(taken: set[int]) -> None:
    if len(taken) == 16:
        with pytest.raises(addressing.AddressError, match="all 16"):
            addressing.first_free_slot(taken, 16)
        return
    slot = addressing.first_free_slot(taken, 16)
    assert slot not in taken
    assert all(lower in taken for lower in range(slot))


@given(
    st.lists(st.tuples(st.integers(min_value=0, max_value=255), st.integers(min_value=24, max_value=28)), max_size=20),
    st.integers(min_value=18, max_value=28),
)
def test_a_carved_range_overlaps_nothing(taken: list[tuple[int, int]], prefix: int) -> None:
    used = [str(IPv4Network((f"10.0.{third}.0", length))) for third, length in taken]
    carved = IPv4Network(addressing.carve_ipv4(["10.0.0.0/16", "10.1.0.0/16"], used, prefix))
    assert carved.prefixlen == prefix
    assert not any(carved.overlaps(IPv4Network(other)) for other in used)
    assert carved.subnet_of(IPv4Network("10.0.0.0/15"))


def test_carving_takes_the_first_gap_and_then_the_next_block() -> None:
    assert addressing.carve_ipv4(["10.0.0.0/16"], ["10.0.0.0/24", "10.0.2.0/24"], 24) == "10.0.1.0/24"
    assert addressing.carve_ipv4(["10.0.0.0/24", "10.7.0.0/16"], ["10.0.0.0/25"], 24) == "10.7.0.0/24"


def test_a_full_vpc_is_an_error_that_names_it() -> None:
    with pytest.raises(addressing.AddressError, match=r"no free /24 is left in 10\.0\.0\.0/24"):
        addressing.carve_ipv4(["10.0.0.0/24"], ["10.0.0.128/25"], 24)


def test_overlaps_are_found_within_a_family() -> None:
    networks = ["10.0.0.0/16", "10.0.4.0/24", "10.1.0.0/16", "::/0", "2001:db8::/32"]
    assert addressing.overlapping(networks) == [("10.0.0.0/16", "10.0.4.0/24"), ("::/0", "2001:db8::/32")]
