# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_vpc_ipv6_network beside other networks, of the same name and of names that its own is a pattern for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player

MODULE = "ec2_vpc_ipv6_network"
Aws = Callable[..., Any]


def adopted(ec2: Any, name: str) -> dict[str, Any]:
    """The document of a network in a VPC that somebody else made."""
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    vpc = {"id": vpc_id, "ipv6": {"provider": "amazon"}}
    return {"name": name, "vpc": vpc, "availability_zone_count": 2, "nat_gateways": "single"}


def addresses(ec2: Any) -> dict[str, bool]:
    """Elastic IP addresses, and whether they are in use."""
    return {item["AllocationId"]: "AssociationId" in item for item in ec2.describe_addresses()["Addresses"]}


def spare_address(ec2: Any, network: str) -> str:
    """An address as an interrupted run leaves it."""
    tags = [{"Key": "eksops.ipv6/network", "Value": network}, {"Key": "eksops.ipv6/part", "Value": "nat/eu-west-1a"}]
    specification = [{"ResourceType": "elastic-ip", "Tags": tags}]
    return str(ec2.allocate_address(Domain="vpc", TagSpecifications=specification)["AllocationId"])


def test_two_vpcs_with_networks_of_one_name_keep_apart(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    one, other = adopted(ec2, "prod"), adopted(ec2, "prod")
    player(MODULE, **{**one, "nat_gateways": "per_zone"})
    kept = addresses(ec2)
    player(MODULE, **other)
    gone = player.converge(MODULE, **other, state="absent")
    assert addresses(ec2) == kept
    assert {item["resource"] for item in gone["left"]} == {other["vpc"]["id"], *kept}


def test_a_gateway_of_an_interrupted_run_is_found_beside_one_of_the_same_name(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    one, other = adopted(ec2, "prod"), adopted(ec2, "prod")
    player.converge(MODULE, **one)
    player.emulator.fault("ec2", "AttachInternetGateway", "halt")
    player.fails(MODULE, **other)
    player.emulator.faults.clear()
    made = player.converge(MODULE, **other)
    assert ("ec2", "CreateInternetGateway") not in [(step["service"], step["operation"]) for step in made["plan"]]
    assert all(item["Attachments"] for item in ec2.describe_internet_gateways()["InternetGateways"])


@pytest.mark.parametrize("pattern", ["prod-*", "prod-?", "*"])
def test_a_name_is_no_pattern(player: Player, aws: Aws, pattern: str) -> None:
    ec2 = aws("ec2")
    there = {"name": "prod-1", "vpc": {"cidr_block": "10.0.0.0/16"}, "availability_zone_count": 2}
    vpc_id = player(MODULE, **there)["network"]["vpc_id"]
    spare = spare_address(ec2, "prod-2")
    player.unchanged(MODULE, name=pattern, state="absent")
    assert spare in addresses(ec2)
    made = player.converge(MODULE, name=pattern, vpc={"cidr_block": "10.1.0.0/16"}, nat_gateways="none")
    assert made["network"]["vpc_id"] != vpc_id
    player.converge(MODULE, name=pattern, state="absent")
    player.unchanged(MODULE, **there)


def test_tags_to_adopt_by_are_no_patterns(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "team", "Value": "blue"}])
    assert "there is no VPC" in player.refuses(MODULE, name="n", vpc={"filter_tags": {"team": "b*"}})
    assert "no VPCs carry" in player.refuses("ec2_subnet_ipv6", vpc_filter_tags={"team": "b*"}, enable_dns64=False)
    player.unchanged("ec2_subnet_ipv6", vpc_filter_tags={"team": "blue"}, enable_dns64=False)


def test_public_subnets_are_added_in_the_zones_of_the_private_ones(player: Player) -> None:
    document = {"name": "p", "vpc": {"cidr_block": "10.0.0.0/16"}, "nat_gateways": "none"}
    private = player.converge(MODULE, **document, public_subnets=[])["network"]
    both = player.converge(MODULE, **document)["network"]
    assert private["public_subnet_ids"] == []
    assert both["private_subnet_ids"] == private["private_subnet_ids"]
    assert [item["availability_zone"] for item in both["subnets"] if item["public"]] == private["availability_zones"]


def test_a_subnet_is_adopted_once(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    document = adopted(ec2, "x")
    subnets = []
    for zone, block in (("eu-west-1a", "10.0.0.0/24"), ("eu-west-1b", "10.0.1.0/24")):
        made = ec2.create_subnet(VpcId=document["vpc"]["id"], CidrBlock=block, AvailabilityZone=zone)
        subnets.append({"id": made["Subnet"]["SubnetId"]})
    twice = player.refuses(MODULE, **document, public_subnets=subnets, private_subnets=subnets)
    assert f"private_subnets[0]: {subnets[0]['id']} is named by public_subnets[0] too." in twice
    assert f"private_subnets[1]: {subnets[1]['id']} is named by public_subnets[1] too." in twice


def test_teardown_says_what_adopted_subnets_keep(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    public, *private = [{"id": subnet_id} for subnet_id in old.subnets]
    document = {"name": "x", "vpc": {"id": old.vpc_id}, "public_subnets": [public], "private_subnets": private}
    network = player(MODULE, **document)["network"]
    gone = player.converge(MODULE, **document, state="absent")
    reasons = {item["resource"]: item["reason"] for item in gone["left"]}
    for item in network["subnets"]:
        assert f"keeps {item['ipv6_cidr_block']}" in reasons.pop(item["id"])
    assert f"its ::/0 leads to {old.gateway}" in reasons.pop(old.table)
    assert list(reasons) == [old.vpc_id]
    player.converge("ec2_route_ipv6", route_table_ids=[old.table], state="absent", routes=[{"destination": "::/0"}])
    player.converge("ec2_subnet_ipv6", vpc_id=old.vpc_id, state="absent")
    assert [item["resource"] for item in player.unchanged(MODULE, **document, state="absent")["left"]] == [old.vpc_id]


def test_dns_hostnames_wait_for_dns_support(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    document = adopted(ec2, "x")
    ec2.modify_vpc_attribute(VpcId=document["vpc"]["id"], EnableDnsSupport={"Value": False})
    vpc = {**document["vpc"], "enable_dns_hostnames": True}
    assert f"{vpc['id']} has DNS support off." in player.refuses(MODULE, **{**document, "vpc": vpc})
    player.converge(MODULE, **{**document, "vpc": {**vpc, "enable_dns_support": True}})
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc["id"], Attribute=name)
        assert answer[name[0].upper() + name[1:]] == {"Value": True}
