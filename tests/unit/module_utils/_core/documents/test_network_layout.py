# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of a network: nobody moves, nobody overlaps, and stopping halfway changes nothing."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.addressing import overlapping
from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents.network_layout import Pair, Space, place
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.ownership import Owner
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.subnet import Observed, Placed, Subnet
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Ref

OWNER = Owner("net", {})
IPV6 = "2001:db8:1234:1a00::/56"
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


def subnet(name: str, **given_: Any) -> Subnet:
    return Subnet(OWNER, name, False, "eu-west-1a", f"private_subnets[{name}]", **given_)


def space(ipv6_block: Any = IPV6) -> Space:
    return Space(("10.0.0.0/16",), ipv6_block, 56)


def lives(placed: Placed) -> Observed:
    """The live subnet that AWS makes of a placed one."""
    return Observed(
        id=f"subnet-{placed.subnet.name}",
        availability_zone="eu-west-1a",
        cidr_block=placed.cidr_block,
        ipv6_cidr_block=placed.ipv6_cidr_block,
        ipv6_state="associated",
        assign_ipv6_address_on_creation=True,
        map_public_ip_on_launch=False,
        enable_dns64=False,
        tags=placed.subnet.wanted_tags(),
    )


def laid_out(subnets: list[Subnet], live: list[Observed]) -> list[Placed]:
    by_tag = {item.tags["eksops.ipv6/part"]: item for item in live}
    pairs: list[Pair] = [(item, by_tag.get(item.part)) for item in subnets]
    placed, problems = place(pairs, live, space())
    assert problems == []
    return placed


documents = st.lists(
    st.tuples(st.integers(min_value=0, max_value=999), st.integers(min_value=20, max_value=26)),
    min_size=1,
    max_size=12,
    unique_by=lambda item: item[0],
).map(lambda items: [subnet(f"s{number}", prefix_length=length) for number, length in items])


@given(documents)
def test_places_are_inside_and_apart(subnets: list[Subnet]) -> None:
    placed = laid_out(subnets, [])
    assert overlapping(item.cidr_block for item in placed) == []
    assert overlapping(item.ipv6_cidr_block for item in placed) == []
    assert all(ip_network(item.cidr_block).subnet_of(ip_network("10.0.0.0/16")) for item in placed)
    assert sorted(item.slot for item in placed if item.slot is not None) == list(range(len(subnets)))


@given(documents, st.data())
def test_a_run_stopped_halfway_goes_on_as_if_it_had_not(subnets: list[Subnet], data: st.DataObject) -> None:
    whole = laid_out(subnets, [])
    made = data.draw(st.integers(min_value=0, max_value=len(subnets)))
    resumed = laid_out(subnets, [lives(item) for item in whole[:made]])
    assert [(item.cidr_block, item.slot) for item in resumed] == [(item.cidr_block, item.slot) for item in whole]


@given(documents, documents)
def test_adding_and_dropping_subnets_moves_nobody(first: list[Subnet], second: list[Subnet]) -> None:
    live = [lives(item) for item in laid_out(first, [])]
    before = {item.tags["eksops.ipv6/part"]: (item.cidr_block, item.ipv6_cidr_block) for item in live}
    for item in laid_out(second, live):
        if item.subnet.part in before:
            assert (item.cidr_block, item.ipv6_cidr_block) == before[item.subnet.part]
        else:
            assert not any(
                ip_network(item.cidr_block).overlaps(ip_network(other.cidr_block)) for other in live if other.cidr_block
            )


def test_a_given_slot_is_kept_free_for_its_subnet() -> None:
    placed = laid_out([subnet("a"), subnet("b", ipv6_slot=0)], [])
    assert [item.slot for item in placed] == [1, 0]


def test_slots_that_a_larger_foreign_block_covers_are_not_given_out() -> None:
    foreign = Observed(
        "subnet-f", "eu-west-1a", "10.0.0.0/20", "2001:db8:1234:1a00::/60", "associated", True, False, False, {}
    )
    placed, _problems = place([(subnet("a"), None)], [foreign], space())
    assert placed[0].slot == 16
    assert placed[0].cidr_block == "10.0.16.0/20"


def test_a_block_that_aws_has_yet_to_give_is_cut_later() -> None:
    source = Ref("vpc/net", "Vpcs[0].Ipv6CidrBlock", label="vpc/net/ipv6")
    placed, _problems = place([(subnet("a", ipv6_slot=3), None)], [], space(source))
    reference = placed[0].ipv6_cidr_block
    assert str(reference) == "pending:vpc/net/ipv6#3"
    assert reference.via(IPV6) == "2001:db8:1234:1a03::/64"


def test_a_live_subnet_never_moves_to_a_given_slot() -> None:
    live = lives(laid_out([subnet("a")], [])[0])
    placed, problems = place([(subnet("a", ipv6_slot=9), live)], [live], space())
    assert placed == []
    assert "lives in slot 0" in str(problems[0]) and "never moves" in str(problems[0])
