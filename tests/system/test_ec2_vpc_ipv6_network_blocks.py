# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_vpc_ipv6_network: several IPv6 blocks, parts reserved for prefixes, what shuts IPv6 out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player, operations

MODULE = "ec2_vpc_ipv6_network"
Aws = Callable[..., Any]
SMALL: dict[str, Any] = {
    "name": "small",
    "availability_zones": ["eu-west-1a", "eu-west-1b"],
    "public_subnets": [],
    "nat_gateways": "none",
}
ADD = ("ec2", "AssociateVpcCidrBlock")


def adopting(old: existing.Network, **vpc: Any) -> dict[str, Any]:
    return {
        "name": "old",
        "vpc": {"id": old.vpc_id, **vpc},
        "public_subnets": [],
        "private_subnets": [{"id": subnet_id} for subnet_id in old.subnets],
    }


def test_a_new_vpc_with_two_blocks(player: Player, aws: Aws) -> None:
    vpc = {"cidr_block": "10.0.0.0/16", "additional_ipv6": [{"provider": "amazon"}]}
    result = player.converge(MODULE, **SMALL, vpc=vpc)
    assert operations(result["plan"])[:2] == [("ec2", "CreateVpc"), ADD]
    network = result["network"]
    assert existing.blocks(aws("ec2"), network["vpc_id"]) == network["ipv6_cidr_blocks"]
    assert network["ipv6_cidr_block"] == network["ipv6_cidr_blocks"][0]
    predicted = player.check(MODULE, **{**SMALL, "name": "other"}, vpc={**vpc, "cidr_block": "10.1.0.0/16"})["network"]
    assert predicted["ipv6_cidr_blocks"][1] == "pending:vpc/other/additional-ipv6-0"


@pytest.mark.parametrize("there", [0, 1, 2, 3])
def test_a_vpc_is_adopted_with_any_number_of_blocks(player: Player, aws: Aws, there: int) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2, ipv6=False)
    has = [existing.add_block(ec2, old.vpc_id) for _unused in range(there)]
    result = player.converge(MODULE, **adopting(old, ipv6={"provider": "amazon"}))
    assert operations(result["plan"]).count(ADD) == (0 if there else 1)
    blocks = result["network"]["ipv6_cidr_blocks"]
    assert blocks == (has or existing.blocks(ec2, old.vpc_id))
    assert [item["ipv6_slot"] for item in result["network"]["subnets"]] == [0, 1, 2]


def test_a_block_is_added_once(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    pool = player.emulator.ipv6_pool("2001:db8:1234::/48")
    mine = {"provider": "byoip", "pool": pool, "cidr_block": "2001:DB8:1234:100::/56"}
    document = adopting(old, additional_ipv6=[{"provider": "amazon"}, mine])
    result = player.converge(MODULE, **document)
    assert operations(result["plan"]).count(ADD) == 2
    assert len(existing.blocks(ec2, old.vpc_id)) == 3
    assert result["network"]["ipv6_cidr_block"] == old.block
    assert result["network"]["ipv6_cidr_blocks"][2] == "2001:db8:1234:100::/56"


def test_subnets_are_cut_from_the_block_that_is_named(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    existing.give_block(ec2, old.subnets[0], old.slot(7))
    pool = player.emulator.ipv6_pool("2001:db8:1234::/48")
    mine = {"provider": "byoip", "pool": pool, "cidr_block": "2001:db8:1234:100::/56"}
    network = player.converge(MODULE, **adopting(old, ipv6=mine, additional_ipv6=[mine]))["network"]
    assert [item["ipv6_cidr_block"] for item in network["subnets"]] == [
        old.slot(7),
        "2001:db8:1234:100::/64",
        "2001:db8:1234:101::/64",
    ]
    assert [item["ipv6_slot"] for item in network["subnets"]] == [None, 0, 1]


def test_a_block_of_another_provider_is_refused_and_not_added(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_net adds a second block to a VPC whose block is IPAM's."""
    old = existing.make(aws("ec2"))
    pool = player.emulator.ipv6_pool("2001:db8:1234::/48")
    mine = {"provider": "byoip", "pool": pool, "cidr_block": "2001:db8:1234:100::/56"}
    msg = player.refuses(MODULE, **adopting(old, ipv6=mine))
    assert "vpc.ipv6.cidr_block" in msg and "additional_ipv6" in msg and str(old.block) in msg
    ipam = {"provider": "ipam", "ipam_pool_id": "ipam-pool-1"}
    assert "vpc.ipv6.provider" in player.refuses(MODULE, **adopting(old, ipv6=ipam))
    additional = player.refuses(MODULE, **adopting(old, additional_ipv6=[{"provider": "byoip", "pool": pool}]))
    assert "vpc.additional_ipv6[0].cidr_block" in additional


def test_blocks_added_by_an_interrupted_run_are_waited_for(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    player.emulator.transitions("ec2::vpc_cidr", progression="manual", times=4)
    ec2.associate_vpc_cidr_block(VpcId=old.vpc_id, AmazonProvidedIpv6CidrBlock=True)
    result = player(MODULE, **adopting(old, additional_ipv6=[{"provider": "amazon"}]))
    assert ADD not in operations(result["plan"])
    assert len(existing.blocks(ec2, old.vpc_id)) == 2


def test_a_part_is_reserved_for_prefixes(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    document = {**SMALL, "vpc": {"cidr_block": "10.0.0.0/16"}, "private_subnet_ipv6_reservation_length": 66}
    result = player.converge(MODULE, **document)
    for item in result["network"]["subnets"]:
        found = ec2.get_subnet_cidr_reservations(SubnetId=item["id"])["SubnetIpv6CidrReservations"]
        assert [(entry["Cidr"], entry["ReservationType"]) for entry in found] == [
            (item["ipv6_cidr_block"].replace("::/64", ":c000::/66"), "prefix")
        ]
    planned = player.check(MODULE, **{**document, "name": "other"})["plan"]
    reserved = [step for step in planned if step["operation"] == "CreateSubnetCidrReservation"]
    assert reserved[0]["request"]["Cidr"] == "pending:vpc/other/ipv6#0/66"
    removed = player.converge(MODULE, **{**document, "state": "absent"})
    assert operations(removed["plan"]).count(("ec2", "DeleteSubnetCidrReservation")) == 2
    assert removed["left"] == []


def test_reservations_in_adopted_subnets_go_with_teardown(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    document = {**adopting(old), "private_subnet_ipv6_reservation_length": 80}
    player.converge(MODULE, **document)
    block = existing.subnet_block(ec2, old.subnets[0])
    theirs = ec2.create_subnet_cidr_reservation(
        SubnetId=old.subnets[0], Cidr=block.replace("/64", "/80"), ReservationType="explicit"
    )
    player.converge(MODULE, **document, state="absent")
    left = ec2.get_subnet_cidr_reservations(SubnetId=old.subnets[0])["SubnetIpv6CidrReservations"]
    assert [item["SubnetCidrReservationId"] for item in left] == [
        theirs["SubnetCidrReservation"]["SubnetCidrReservationId"]
    ]


def test_a_reservation_in_the_way_is_refused(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    existing.give_block(ec2, old.subnets[0], old.slot(0))
    ec2.create_subnet_cidr_reservation(SubnetId=old.subnets[0], Cidr=old.slot(0), ReservationType="explicit")
    msg = player.refuses(MODULE, **adopting(old), private_subnet_ipv6_reservation_length=65)
    assert "private_subnet_ipv6_reservation_length" in msg and old.slot(0) in msg
    msg = player.refuses(MODULE, **adopting(old), private_subnet_ipv6_reservation_length=64)
    assert "/65 to /80" in msg


@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress", "off"])
def test_block_public_access_is_told(player: Player, aws: Aws, mode: str) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    document = {**adopting(old), "public_subnets": [{"id": old.subnets[0]}]}
    document["private_subnets"] = [{"id": subnet_id} for subnet_id in old.subnets[1:]]
    player(MODULE, **document)
    if mode != "off":
        ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)
    told = [text for text in player.unchanged(MODULE, **document)["warnings"] if "Block Public Access" in text]
    if mode == "block-bidirectional":
        assert "egress-only" in told[0] and old.subnets[2] in told[0]
    elif mode == "block-ingress":
        assert old.subnets[0] in told[0] and old.subnets[1] not in told[0]
    else:
        assert told == []


def test_node_subnets_that_the_cni_passes_over_are_told(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    for subnet_id, value in ((old.subnets[0], "0"), (old.subnets[1], "1")):
        ec2.create_tags(Resources=[subnet_id], Tags=[{"Key": "kubernetes.io/role/cni", "Value": value}])
    told = [text for text in player.check(MODULE, **adopting(old))["warnings"] if "kubernetes.io/role/cni" in text]
    assert len(told) == 1 and old.subnets[0] in told[0]


@pytest.mark.parametrize("scope", ["PublicDefaultScopeId", "PrivateDefaultScopeId"])
def test_a_private_block_is_told(player: Player, aws: Aws, scope: str) -> None:
    """A block out of an IPAM pool of the private scope is a ULA: nothing leaves the VPC by it."""
    ec2 = aws("ec2")
    old = existing.make(ec2, ipv6=False)
    ipam = ec2.create_ipam(OperatingRegions=[{"RegionName": "eu-west-1"}])["Ipam"]
    alike = {"AddressFamily": "ipv6", "Locale": "eu-west-1", "IpamScopeId": ipam[scope]}
    public = {"AwsService": "ec2", "PublicIpSource": "amazon"} if scope.startswith("Public") else {}
    pool = ec2.create_ipam_pool(**alike, **public)["IpamPool"]["IpamPoolId"]
    while ec2.describe_ipam_pools(IpamPoolIds=[pool])["IpamPools"][0]["State"] != "create-complete":
        pass
    provisioned = {"NetmaskLength": 52} if public else {"Cidr": "fd00:1234::/48"}
    ec2.provision_ipam_pool_cidr(IpamPoolId=pool, **provisioned)
    source = {"provider": "ipam", "ipam_pool_id": pool, "netmask_length": 56}
    player.converge(MODULE, **adopting(old, ipv6=source), egress_only_internet_gateway=False)
    warnings = player.check(MODULE, **adopting(old), egress_only_internet_gateway=False)["warnings"]
    assert [text for text in warnings if "private IPv6 block" in text] == (
        [] if public else [f"{old.vpc_id} has a private IPv6 block: there is no way from it to the internet."]
    )


def test_the_blocks_of_an_adopted_vpc_go_only_when_asked(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    second = existing.add_block(ec2, old.vpc_id)
    existing.give_block(ec2, old.subnets[0], old.slot(0))
    player.converge(MODULE, **adopting(old), state="absent")
    assert existing.blocks(ec2, old.vpc_id) == [old.block, second]
    result = player.converge(MODULE, **adopting(old, remove_ipv6=True), state="absent")
    assert existing.blocks(ec2, old.vpc_id) == [old.block]
    assert {"resource": old.block, "reason": f"the IPv6 blocks of {old.subnets[0]} lie in it"} in result["left"]
    player("ec2_subnet_ipv6", subnet_ids=[old.subnets[0]], state="absent")
    player.converge(MODULE, **adopting(old, remove_ipv6=True), state="absent")
    assert existing.blocks(ec2, old.vpc_id) == []


def test_others_that_share_a_table_are_told(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"), subnets=4)
    document = {**adopting(old), "private_subnets": [{"id": old.subnets[0]}, {"id": old.subnets[1]}]}
    result = player.converge(MODULE, **document)
    shared = [text for text in result["warnings"] if old.main_table in text]
    assert len(shared) == 1 and old.subnets[2] in shared[0] and old.subnets[3] in shared[0]
    assert not [text for text in result["warnings"] if old.table in text]
