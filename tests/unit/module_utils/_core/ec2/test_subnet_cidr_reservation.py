# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a subnet that is reserved for prefixes."""

from __future__ import annotations

from functools import partial
from ipaddress import IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.addressing import AddressError, last_part, slot_block
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.ownership import Owner
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.subnet_cidr_reservation import Reservation
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Ref


@pytest.mark.parametrize(
    ("block", "length", "part"),
    [
        ("2001:db8::/64", 65, "2001:db8:0:0:8000::/65"),
        ("2001:DB8:0:0::/64", 66, "2001:db8:0:0:c000::/66"),
        ("2001:db8::/64", 80, "2001:db8:0:0:ffff::/80"),
        ("2001:db8::/60", 65, "2001:db8:0:f:8000::/65"),
        ("2001:db8::/64", 64, "2001:db8::/64"),
    ],
)
def test_the_last_part(block: str, length: int, part: str) -> None:
    assert last_part(block, length) == part


@given(st.integers(0, 2**64 - 1), st.integers(64, 80))
def test_it_ends_where_the_block_ends(start: int, length: int) -> None:
    block = IPv6Network((start << 64, 64))
    part = IPv6Network(last_part(str(block), length))
    assert part.subnet_of(block)
    assert part.broadcast_address == block.broadcast_address


def test_a_part_larger_than_the_block_is_an_error() -> None:
    with pytest.raises(AddressError):
        last_part("2001:db8::/64", 63)


def test_a_part_of_a_block_to_come_is_cut_when_it_is_known() -> None:
    block = Ref("vpc/n", "Vpcs[0].Block", partial(slot_block, slot=3), "vpc/n/ipv6#3")
    cidr = Reservation(Owner("n", {}), "o", "subnet/n-a", "subnet-1", block, 65).cidr
    assert str(cidr) == "pending:vpc/n/ipv6#3/65"
    assert cidr.via("2001:db8:0:ff00::/56") == "2001:db8:0:ff03:8000::/65"
