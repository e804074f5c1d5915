# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_subnet_ipv6 against the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player, operations

MODULE = "ec2_subnet_ipv6"
Aws = Callable[..., Any]


def by_id(result: dict[str, Any]) -> dict[str, Any]:
    return {item["id"]: item for item in result["subnets"]}


def test_every_subnet_of_a_vpc_gets_a_block_and_assigns_addresses(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    before = existing.ipv4(ec2)
    result = player.converge(MODULE, vpc_id=old.vpc_id, state="present", assign_ipv6_address_on_creation=True)
    assert Counter(operations(result["plan"])) == {
        ("ec2", "AssociateSubnetCidrBlock"): 3,
        ("ec2", "ModifySubnetAttribute"): 3,
    }
    for number, subnet_id in enumerate(old.subnets):
        assert existing.subnet_block(ec2, subnet_id) == old.slot(number)
        assert existing.subnet(ec2, subnet_id)["AssignIpv6AddressOnCreation"] is True
        assert by_id(result)[subnet_id]["ipv6_slot"] == number
    assert existing.ipv4(ec2) == before


def test_the_facts_of_check_mode_are_those_of_the_run(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    options = {"vpc_id": old.vpc_id, "state": "present", "enable_resource_name_dns_aaaa_record_on_launch": True}
    predicted = player.check(MODULE, **options)["subnets"]
    assert player(MODULE, **options)["subnets"] == predicted == player(MODULE, **options)["subnets"]


def test_slots_go_to_free_places_and_nobody_moves(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    existing.give_block(ec2, old.subnets[1], old.slot(0))
    result = player.converge(MODULE, subnet_ids=[old.subnets[2], old.subnets[0]], state="present")
    slots = {subnet_id: item["ipv6_slot"] for subnet_id, item in by_id(result).items()}
    assert slots == {old.subnets[2]: 1, old.subnets[0]: 2}
    assert existing.subnet_block(ec2, old.subnets[1]) == old.slot(0)


def test_subnets_one_by_one_in_their_slots(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    entries = [
        {"id": old.subnets[0], "ipv6_slot": 200},
        {"filter_tags": {"Name": "old-1"}, "ipv6_cidr_block": old.slot(17).upper(), "enable_dns64": False},
    ]
    player.converge(MODULE, vpc_id=old.vpc_id, subnets=entries)
    assert existing.subnet_block(ec2, old.subnets[0]) == old.slot(200)
    assert existing.subnet_block(ec2, old.subnets[1]) == old.slot(17)
    assert existing.subnet_block(ec2, old.subnets[2]) is None


def test_attributes_alone_leave_the_block_alone(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    existing.give_block(ec2, old.subnets[0], old.slot(5))
    wanted = {
        "private_dns_hostname_type_on_launch": "resource-name",
        "enable_resource_name_dns_a_record_on_launch": True,
        "map_public_ip_on_launch": True,
    }
    result = player.converge(MODULE, vpc_id=old.vpc_id, **wanted)
    assert Counter(operations(result["plan"])) == {("ec2", "ModifySubnetAttribute"): 9}
    assert existing.subnet_block(ec2, old.subnets[0]) == old.slot(5)
    assert existing.subnet_block(ec2, old.subnets[1]) is None
    options = existing.subnet(ec2, old.subnets[1])["PrivateDnsNameOptionsOnLaunch"]
    assert (options["HostnameType"], options["EnableResourceNameDnsARecord"]) == ("resource-name", True)


def test_an_entry_goes_before_what_is_said_of_all(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    player.converge(
        MODULE,
        vpc_id=old.vpc_id,
        subnet_ids=old.subnets,
        subnets=[{"id": old.subnets[1], "map_public_ip_on_launch": False}],
        map_public_ip_on_launch=True,
    )
    assert [existing.subnet(ec2, item)["MapPublicIpOnLaunch"] for item in old.subnets] == [True, False, True]


def test_subnets_of_two_vpcs_take_slots_of_their_own(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    one, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    player.converge(MODULE, subnet_ids=[one.subnets[0], other.subnets[0]], state="present")
    assert existing.subnet_block(ec2, one.subnets[0]) == one.slot(0)
    assert existing.subnet_block(ec2, other.subnets[0]) == other.slot(0)


def test_slots_are_counted_in_the_block_that_is_named(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    second = existing.add_block(ec2, old.vpc_id)
    result = player.converge(
        MODULE, subnets=[{"id": old.subnets[0], "ipv6_slot": 3}], vpc_ipv6_cidr_block=second.upper()
    )
    assert by_id(result)[old.subnets[0]]["vpc_ipv6_cidr_block"] == second
    assert by_id(result)[old.subnets[0]]["ipv6_slot"] == 3
    stated = old.slot(9)
    player.converge(MODULE, subnets=[{"id": old.subnets[1], "ipv6_cidr_block": stated}], vpc_ipv6_cidr_block=second)
    assert existing.subnet_block(ec2, old.subnets[1]) == stated


def test_absent_takes_off_the_block_and_what_needs_it(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    before = existing.ipv4(ec2)
    player(MODULE, vpc_id=old.vpc_id, state="present", assign_ipv6_address_on_creation=True, enable_dns64=True)
    named = old.subnets[:2]
    result = player.converge(MODULE, subnet_ids=named, state="absent")
    assert [item["risk"] for item in result["plan"]] == ["disruptive"] * 4 + ["irreversible"] * 2
    assert [existing.subnet_block(ec2, item) for item in old.subnets] == [None, None, old.slot(2)]
    player(MODULE, vpc_id=old.vpc_id, state="absent")
    assert existing.ipv4(ec2) == before


def test_the_document_of_the_setup_serves_for_the_removal(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    entries = [{"id": subnet_id, "ipv6_slot": 8 * number} for number, subnet_id in enumerate(old.subnets)]
    document = {"subnets": entries, "assign_ipv6_address_on_creation": True, "map_public_ip_on_launch": True}
    player(MODULE, **document, state="present")
    player.converge(MODULE, **document, state="absent")
    assert [existing.subnet_block(ec2, item) for item in old.subnets] == [None] * 3
    assert existing.subnet(ec2, old.subnets[0])["MapPublicIpOnLaunch"] is True


def test_a_block_in_use_is_refused_with_the_interfaces(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    player(MODULE, vpc_id=old.vpc_id, state="present")
    interface = ec2.create_network_interface(SubnetId=old.subnets[1], Ipv6AddressCount=1, Description="a database")
    prefixed = ec2.create_network_interface(SubnetId=old.subnets[1], Ipv6PrefixCount=1)
    plain = ec2.create_network_interface(SubnetId=old.subnets[1], Ipv6AddressCount=0)
    msg = player.refuses(MODULE, vpc_id=old.vpc_id, state="absent")
    assert interface["NetworkInterface"]["NetworkInterfaceId"] in msg and "a database" in msg
    assert interface["NetworkInterface"]["Ipv6Addresses"][0]["Ipv6Address"] in msg
    assert prefixed["NetworkInterface"]["NetworkInterfaceId"] in msg
    assert plain["NetworkInterface"]["NetworkInterfaceId"] not in msg


def test_omission_never_strips_ipv6(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_subnet takes the block and auto-assign off when its IPv6 options are not given."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    player(MODULE, vpc_id=old.vpc_id, state="present", assign_ipv6_address_on_creation=True)
    for options in ({}, {"enable_dns64": False}, {"subnets": [{"id": old.subnets[0]}]}):
        player.unchanged(MODULE, vpc_id=old.vpc_id, **options)
    assert existing.subnet_block(ec2, old.subnets[0]) == old.slot(0)
    assert existing.subnet(ec2, old.subnets[0])["AssignIpv6AddressOnCreation"] is True


@pytest.mark.parametrize("spell", [str.upper, lambda text: text.replace("::/", ":0:0:0:0/")])
def test_another_spelling_is_no_change(player: Player, aws: Aws, spell: Callable[[str], str]) -> None:
    """amazon.aws.ec2_vpc_subnet takes a block off and adds it again, on every run, for its spelling."""
    old = existing.make(aws("ec2"))
    player(MODULE, subnets=[{"id": old.subnets[0], "ipv6_cidr_block": old.slot(4)}])
    player.unchanged(MODULE, subnets=[{"id": old.subnets[0], "ipv6_cidr_block": spell(old.slot(4))}])


def test_an_ipv6_only_subnet_can_be_named(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_subnet knows a subnet by its IPv4 range only."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    native = ec2.create_subnet(VpcId=old.vpc_id, Ipv6CidrBlock=old.slot(30), Ipv6Native=True)["Subnet"]["SubnetId"]
    result = player.converge(
        MODULE, vpc_id=old.vpc_id, state="present", enable_resource_name_dns_aaaa_record_on_launch=True
    )
    assert by_id(result)[native]["ipv6_slot"] == 30
    assert by_id(result)[native]["cidr_block"] is None


def test_an_unchanged_vpc_is_read_with_one_call_a_type(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    for named in ({"vpc_id": old.vpc_id}, {"subnet_ids": old.subnets}):
        player(MODULE, **named, state="present")
        player.emulator.journal.clear()
        player.unchanged(MODULE, **named, state="present")
        calls = Counter(call.operation for call in player.emulator.journal.calls)
        assert calls == {"DescribeSubnets": 1, "DescribeVpcs": 1}


def test_subnets_of_a_network_to_come_are_planned(player: Player) -> None:
    network = player.check("ec2_vpc_ipv6_network", name="n", vpc={"cidr_block": "10.0.0.0/16"}, nat_gateways="none")[
        "network"
    ]
    ids = network["private_subnet_ids"]
    options = {"assign_ipv6_address_on_creation": True, "private_dns_hostname_type_on_launch": "resource-name"}
    result = player.check(MODULE, vpc_id=network["vpc_id"], subnet_ids=ids, state="present", **options)
    assert operations(result["plan"]) == [("ec2", "ModifySubnetAttribute")] * 3
    assert result["plan"][0]["request"]["SubnetId"] == ids[0]
    assert player.check(MODULE, vpc_id=network["vpc_id"], state="present")["plan"] == []
    tagged = {"vpc_id": network["vpc_id"], "filter_tags": {"kubernetes.io/role/internal-elb": "1"}}
    told = player.check(MODULE, **tagged, **options, planned=network["subnets"])
    assert told["plan"] == result["plan"]


def test_what_earlier_tasks_have_planned_is_taken_as_done(player: Player, aws: Aws) -> None:
    """Two tasks of one play, in check mode, plan what they then do: no slot twice, no call twice."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    first = {"subnet_ids": [old.subnets[1]], "state": "present", "assign_ipv6_address_on_creation": True}
    then = {"vpc_id": old.vpc_id, "state": "present", "assign_ipv6_address_on_creation": True}
    earlier = player.check(MODULE, **first)
    for named in ({"vpc_id": old.vpc_id}, {"subnet_ids": old.subnets}):
        predicted = player.check(MODULE, **{**then, "vpc_id": None, **named}, planned=earlier["subnets"])
        assert [item["ipv6_slot"] for item in by_id(predicted).values()].count(0) == 1
    player(MODULE, **first)
    assert player(MODULE, **then, planned=earlier["subnets"])["plan"] == predicted["plan"]
    gone = player.check(MODULE, subnet_ids=[old.subnets[1]], state="absent")["subnets"]
    assert len(player.check(MODULE, vpc_id=old.vpc_id, state="absent", planned=gone)["plan"]) == 4


def test_slots_in_a_block_to_come_are_given_out_once(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"), ipv6=False, subnets=4)
    network = {"name": "n", "vpc": {"id": old.vpc_id, "ipv6": {"provider": "amazon"}}, "public_subnets": []}
    adopted = [{"id": subnet_id} for subnet_id in old.subnets[2:]]
    coming = player.check("ec2_vpc_ipv6_network", **network, private_subnets=adopted)["network"]
    planned = coming["subnets"]
    options = {"vpc_id": old.vpc_id, "state": "present", "vpc_ipv6_cidr_block": coming["ipv6_cidr_block"]}
    for subnet_id, slot in ((old.subnets[2], None), (old.subnets[1], 2), (old.subnets[0], 3)):
        result = player.check(MODULE, **options, subnet_ids=[subnet_id], planned=planned)
        planned = planned + result["subnets"]
        asked = [step["request"]["Ipv6CidrBlock"] for step in result["plan"]]
        assert asked == ([f"{coming['ipv6_cidr_block']}#{slot}"] if slot else [])
    taken = [{"id": old.subnets[0], "ipv6_slot": 2}]
    told = player.fails(MODULE, check=True, **options, subnets=taken, planned=planned[:-1])
    assert f"slot 2 is taken by {old.subnets[1]}" in told["msg"]


def test_subnets_that_ipv6_will_not_reach_are_told(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ec2.create_tags(Resources=[old.subnets[0]], Tags=[{"Key": "kubernetes.io/role/cni", "Value": "0"}])
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    warnings = player.check(MODULE, subnet_ids=old.subnets[:2], state="present")["warnings"]
    assert [old.subnets[0] in text and "kubernetes.io/role/cni=0" in text for text in warnings] == [True, False]
    assert "Block Public Access" in warnings[1] and old.subnets[1] in warnings[1]


def test_a_block_that_an_interrupted_run_took_off_is_waited_for(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    player(MODULE, subnet_ids=old.subnets[:1], state="present")
    association = existing.subnet(ec2, old.subnets[0])["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    player.emulator.transitions("ec2::subnet_cidr", progression="manual", times=3)
    ec2.disassociate_subnet_cidr_block(AssociationId=association)
    player(MODULE, subnet_ids=old.subnets[:1], state="absent")
    assert existing.subnet_block(ec2, old.subnets[0]) is None


CHANGE = {"state": "present", "assign_ipv6_address_on_creation": True}


def test_a_run_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    total = len(player.check(MODULE, vpc_id=old.vpc_id, **CHANGE)["plan"])
    for stopped_after in range(total):
        player.emulator.reset()
        old = existing.make(aws("ec2"))
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(MODULE, vpc_id=old.vpc_id, **CHANGE)["plan"]) == stopped_after
        player.emulator.faults.clear()
        assert len(player.converge(MODULE, vpc_id=old.vpc_id, **CHANGE)["plan"]) == total - stopped_after
        assert [existing.subnet_block(aws("ec2"), item) for item in old.subnets] == [old.slot(n) for n in range(3)]


def test_throttling_and_lost_replies_are_survived(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    player.emulator.fault("ec2", "AssociateSubnetCidrBlock", "throttle", count=2)
    player.emulator.fault("ec2", "DescribeSubnets", "throttle", count=1)
    player.emulator.fault("ec2", "ModifySubnetAttribute", "lost_reply", count=1)
    player(MODULE, vpc_id=old.vpc_id, **CHANGE)
    player.unchanged(MODULE, vpc_id=old.vpc_id, **CHANGE)


def refusals(old: existing.Network) -> dict[str, tuple[dict[str, Any], list[str]]]:
    first = old.subnets[0]
    return {
        "tags without a VPC": ({"subnet_ids": [first], "filter_tags": {"Name": "x"}}, ["filter_tags", "vpc_id"]),
        "an entry that names nothing": ({"subnets": [{"ipv6_slot": 1}]}, ["subnets[0]", "id and filter_tags"]),
        "an entry that names twice": (
            {"vpc_id": old.vpc_id, "subnets": [{"id": first, "filter_tags": {}}]},
            ["one of"],
        ),
        "an unknown subnet": ({"subnet_ids": ["subnet-00000000"]}, ["subnet_ids[0]", "subnet-00000000"]),
        "an unknown VPC": ({"vpc_id": "vpc-00000000"}, ["vpc_id", "vpc-00000000"]),
        "a subnet of another VPC": (
            {"vpc_id": old.vpc_id, "subnet_ids": ["subnet-00000001"]},
            ["subnet-00000001", old.vpc_id],
        ),
        "a subnet twice": ({"subnets": [{"id": first}, {"id": first}]}, ["subnets[1]", "subnets[0]"]),
        "a slot for many": (
            {"vpc_id": old.vpc_id, "subnets": [{"filter_tags": {}, "ipv6_slot": 1}]},
            ["subnets[0]", "3 subnets match"],
        ),
        "a slot out of bounds": ({"subnets": [{"id": first, "ipv6_slot": 256}]}, ["ipv6_slot", "0 to 255"]),
        "a slot that is taken": ({"subnets": [{"id": first, "ipv6_slot": 40}]}, ["ipv6_slot", "taken"]),
        "a slot and a block": (
            {"subnets": [{"id": first, "ipv6_slot": 1, "ipv6_cidr_block": old.slot(1)}]},
            ["ipv6_slot", "exclude"],
        ),
        "a block outside": (
            {"subnets": [{"id": first, "ipv6_cidr_block": "2001:db8::/64"}]},
            ["outside", old.block or ""],
        ),
        "a block that is taken": ({"subnets": [{"id": first, "ipv6_cidr_block": old.slot(40)}]}, ["overlaps"]),
        "a block of no size": ({"subnets": [{"id": first, "ipv6_cidr_block": "2001:db8::/65"}]}, ["/44 to /64"]),
        "an IPv4 block": ({"subnets": [{"id": first, "ipv6_cidr_block": "10.9.0.0/24"}]}, ["no IPv6"]),
        "another block than it has": (
            {"subnets": [{"id": old.subnets[2], "ipv6_cidr_block": old.slot(7)}]},
            ["state: absent", old.slot(40)],
        ),
        "another slot than it has": ({"subnets": [{"id": old.subnets[2], "ipv6_slot": 7}]}, ["slot 40", "never moves"]),
        "a VPC block that it has not": (
            {"subnet_ids": [first], "state": "present", "vpc_ipv6_cidr_block": "2001:db8::/56"},
            ["vpc_ipv6_cidr_block", old.block or ""],
        ),
        "an attribute that needs a block": (
            {"subnet_ids": [first], "assign_ipv6_address_on_creation": True},
            ["assign_ipv6_address_on_creation", first, "state: present"],
        ),
    }


@pytest.mark.parametrize("name", list(refusals(existing.Network("", ["", "", ""], "", "", "", "2001:db8::/56"))))
def test_bad_documents_are_refused_before_any_write(player: Player, aws: Aws, name: str) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    existing.give_block(ec2, old.subnets[2], old.slot(40))
    options, says = refusals(old)[name]
    msg = player.refuses(MODULE, **options)
    assert [part for part in says if part not in msg] == [], msg


def test_a_vpc_without_ipv6_is_refused(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"), ipv6=False)
    msg = player.refuses(MODULE, vpc_id=old.vpc_id, state="present")
    assert old.vpc_id in msg and "no IPv6 block" in msg


def test_the_vpc_by_its_tags(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    one, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    ec2.create_tags(Resources=[one.vpc_id, other.vpc_id], Tags=[{"Key": "team", "Value": "net"}])
    ec2.create_tags(Resources=[one.vpc_id], Tags=[{"Key": "Name", "Value": "one"}])
    result = player.converge(MODULE, vpc_filter_tags={"Name": "one", "team": "net"}, state="present")
    assert {item["vpc_id"] for item in result["subnets"]} == {one.vpc_id}
    assert "2 VPCs carry" in player.refuses(MODULE, vpc_filter_tags={"team": "net"}, state="present")
    assert "no VPCs carry" in player.refuses(MODULE, vpc_filter_tags={"Name": "nobody"}, state="present")
    assert player.unchanged(MODULE, vpc_filter_tags={"Name": "nobody"}, state="absent")["subnets"] == []


def test_a_subnet_without_ipv4_keeps_its_block(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2, subnets=1)
    made = ec2.create_subnet(VpcId=old.vpc_id, Ipv6Native=True, Ipv6CidrBlock=old.slot(9))
    native = made["Subnet"]["SubnetId"]
    player.converge(MODULE, vpc_id=old.vpc_id, state="present")
    msg = player.refuses(MODULE, vpc_id=old.vpc_id, state="absent")
    assert msg.startswith(f"vpc_id ({native}): has no IPv4 range")
    named = {"subnet_ids": [native], "private_dns_hostname_type_on_launch": "ip-name"}
    assert player.refuses(MODULE, **named).startswith(
        f"private_dns_hostname_type_on_launch: {native} has no IPv4 range"
    )
    player.converge(MODULE, subnet_ids=old.subnets, state="absent")
