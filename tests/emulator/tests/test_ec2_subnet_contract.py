# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: subnets, their IPv6 block, launch attributes and reservations."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "EC2 API reference: "
GUIDE = "VPC user guide: subnet CIDR blocks"
TERRAFORM = "error quoted in terraform-provider-aws issue "


def _associate(world: World, block: str, number: int = 1) -> dict[str, Any]:
    subnet = world.subnet(number, ipv6=False)
    world.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=block)
    view: dict[str, Any] = world.subnet_view(subnet)["Ipv6CidrBlockAssociationSet"][0]
    return view


def _progress(world: World) -> list[str]:
    world.emulator.transitions("ec2::subnet_cidr", times=2)
    subnet = world.subnet(1, ipv6=False)
    answer = world.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=world.slot(1))
    states = [answer["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"]["State"]]
    for _unused in range(2):
        states.append(world.subnet_view(subnet)["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"])
    return states


def _overlap(world: World) -> None:
    world.subnet(1)
    _associate(world, world.slot(1), number=2)


def _overlap_wider(world: World) -> None:
    world.subnet(1)
    _associate(world, world.slot(0, 60), number=2)


def _second(world: World) -> None:
    world.ec2.associate_subnet_cidr_block(SubnetId=world.subnet(1), Ipv6CidrBlock=world.slot(2))


def _before_associated(world: World) -> None:
    world.emulator.transitions("ec2::vpc_cidr", times=1000)
    vpc = world.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    block = world.unseen_block(vpc)
    world.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=block)


def _all_attributes(world: World) -> dict[str, Any]:
    subnet = world.subnet(1)
    for name in ("AssignIpv6AddressOnCreation", "MapPublicIpOnLaunch", "EnableDns64"):
        world.modify(subnet, **{name: {"Value": True}})
    world.modify(subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    world.modify(subnet, EnableResourceNameDnsARecordOnLaunch={"Value": True})
    world.modify(subnet, EnableResourceNameDnsAAAARecordOnLaunch={"Value": True})
    view = world.subnet_view(subnet)
    names = ("AssignIpv6AddressOnCreation", "MapPublicIpOnLaunch", "EnableDns64", "PrivateDnsNameOptionsOnLaunch")
    return {name: view[name] for name in names}


def _two_attributes(world: World) -> None:
    world.modify(world.subnet(1), AssignIpv6AddressOnCreation={"Value": True}, MapPublicIpOnLaunch={"Value": True})


def _disassociate(world: World, subnet: str) -> list[str]:
    association = world.subnet_view(subnet)["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    world.ec2.disassociate_subnet_cidr_block(AssociationId=association)
    return [item["Ipv6CidrBlockState"]["State"] for item in world.subnet_view(subnet)["Ipv6CidrBlockAssociationSet"]]


def _disassociate_with_interface(world: World) -> None:
    subnet = world.subnet(1)
    world.ec2.create_network_interface(SubnetId=subnet, Ipv6AddressCount=1)
    _disassociate(world, subnet)


def _freed_block(world: World) -> Any:
    subnet = world.subnet(1)
    _disassociate(world, subnet)
    return _associate(world, world.slot(1), number=2)["Ipv6CidrBlockState"]["State"]


def _delete_with_interface(world: World) -> None:
    subnet = world.subnet(1)
    world.ec2.create_network_interface(SubnetId=subnet)
    world.ec2.delete_subnet(SubnetId=subnet)


def _delete_with_nat(world: World) -> None:
    assert world.nat
    world.ec2.delete_subnet(SubnetId=world.public)


def _delete_after_nat(world: World) -> int:
    world.ec2.delete_nat_gateway(NatGatewayId=world.nat)
    world.nat_view(world.nat)
    world.ec2.delete_subnet(SubnetId=world.public)
    return len(world.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [world.vpc]}])["Subnets"])


def _native_without_block(world: World) -> None:
    subnet = _native(world)
    world.ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], AssignIpv6AddressOnCreation={"Value": False})
    association = subnet["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    world.ec2.disassociate_subnet_cidr_block(AssociationId=association)


def _native(world: World, **more: Any) -> dict[str, Any]:
    subnet = world.ec2.create_subnet(VpcId=world.vpc, Ipv6CidrBlock=world.slot(7), Ipv6Native=True, **more)["Subnet"]
    return world.subnet_view(subnet["SubnetId"])


def _reserve(world: World, cidr: str | None = None) -> tuple[str, str]:
    subnet = world.subnet(1)
    block = cidr or world.slot(1).replace("/64", "/80")
    world.ec2.create_subnet_cidr_reservation(SubnetId=subnet, Cidr=block, ReservationType="prefix")
    found = world.ec2.get_subnet_cidr_reservations(SubnetId=subnet)["SubnetIpv6CidrReservations"][0]
    return found["Cidr"] == block, found["ReservationType"]


def _reserve_twice(world: World) -> None:
    subnet, block = world.subnet(1), world.slot(1).replace("/64", "/80")
    for _unused in range(2):
        world.ec2.create_subnet_cidr_reservation(SubnetId=subnet, Cidr=block, ReservationType="prefix")


RULES: list[Rule] = [
    seen(
        ["associating", "associating", "associated"],
        "a subnet's IPv6 block is associating, then associated",
        API + "SubnetCidrBlockState",
        _progress,
    ),
    seen(
        True,
        "a block in another spelling comes back canonical",
        "presumed",
        lambda w: _associate(w, w.slot(1).upper().replace("::", ":0:0:0:0"))["Ipv6CidrBlock"] == w.slot(1),
    ),
    *(
        refused(code, text, source, lambda w, block=block: _associate(w, block(w)))  # type: ignore[misc]
        for code, text, source, block in [
            ("InvalidParameterValue", "text that is no block", "presumed", lambda _unused: "zz::/64"),
            ("InvalidParameterValue", "an address without a length", "presumed", lambda w: str(w.ipv6.network_address)),
            ("InvalidParameterValue", "an IPv4 block as IPv6 block", "presumed", lambda _unused: "10.0.1.0/24"),
            ("InvalidParameterValue", "a /65", TERRAFORM + "28775", lambda w: w.slot(1, 65)),
            ("InvalidParameterValue", "a /62, which is no step of 4", GUIDE, lambda w: w.slot(0, 62)),
            ("InvalidParameterValue", "a block with host bits", "presumed", lambda w: w.slot(1).replace("::/", "::5/")),
            ("InvalidSubnet.Range", "a block outside the VPC's", GUIDE, lambda _unused: "2001:db8::/64"),
        ]
    ),
    seen(
        True,
        "a /60 is a subnet's block too",
        GUIDE,
        lambda w: _associate(w, w.slot(16, 60))["Ipv6CidrBlock"] == w.slot(16, 60),
    ),
    refused("InvalidSubnet.Conflict", "a block that another subnet has", GUIDE + ", code presumed", _overlap),
    refused("InvalidSubnet.Conflict", "a block around another subnet's", GUIDE + ", code presumed", _overlap_wider),
    refused("InvalidParameterValue", "a second IPv6 block of a subnet", "presumed", _second),
    refused(
        "InvalidSubnet.Range",
        "an IPv6 block in a VPC without one",
        "presumed",
        lambda w: w.ec2.create_subnet(VpcId=w.ipv4_vpc, CidrBlock="10.2.0.0/24", Ipv6CidrBlock="2001:db8::/64"),
    ),
    refused("InvalidSubnet.Range", "a block of a VPC block that is still associating", "presumed", _before_associated),
    refused(
        "InvalidSubnet.Conflict",
        "an IPv4 block that overlaps",
        API + "error codes",
        lambda w: (w.subnet(1), w.subnet(1, ipv6=False)),
    ),
    refused(
        "InvalidSubnet.Range",
        "an IPv4 block outside the VPC's",
        API + "error codes",
        lambda w: w.ec2.create_subnet(VpcId=w.vpc, CidrBlock="192.168.0.0/24"),
    ),
    refused(
        "InvalidParameterValue",
        "a zone of another region",
        API + "CreateSubnet",
        lambda w: w.subnet(1, AvailabilityZone="us-east-1a"),
    ),
    seen(
        {
            "AssignIpv6AddressOnCreation": True,
            "MapPublicIpOnLaunch": True,
            "EnableDns64": True,
            "PrivateDnsNameOptionsOnLaunch": {
                "HostnameType": "resource-name",
                "EnableResourceNameDnsARecord": True,
                "EnableResourceNameDnsAAAARecord": True,
            },
        },
        "all six launch attributes read back",
        API + "ModifySubnetAttribute",
        _all_attributes,
    ),
    refused(
        "InvalidParameterCombination",
        "one attribute is modified at a time",
        API + "ModifySubnetAttribute, code presumed",
        _two_attributes,
    ),
    refused(
        "InvalidParameterValue",
        "auto-assigned IPv6 without a block",
        "error quoted in terraform-aws-vpc issue 735",
        lambda w: w.modify(w.subnet(1, ipv6=False), AssignIpv6AddressOnCreation={"Value": True}),
    ),
    refused(
        "InvalidParameterValue",
        "DNS64 without a block",
        TERRAFORM + "32897",
        lambda w: w.modify(w.subnet(1, ipv6=False), EnableDns64={"Value": True}),
    ),
    seen(
        ["disassociated"],
        "a subnet's block can be disassociated",
        API + "DisassociateSubnetCidrBlock",
        lambda w: _disassociate(w, w.subnet(1)),
    ),
    refused(
        "InvalidCidrBlock.InUse",
        "a block isn't disassociated while the subnet auto-assigns IPv6",
        TERRAFORM + "1519",
        lambda w: _disassociate(w, w.subnet(1, auto=True)),
    ),
    refused(
        "InvalidCidrBlock.InUse",
        "nor while an interface has an address of it",
        API + "DisassociateSubnetCidrBlock, code presumed",
        _disassociate_with_interface,
    ),
    seen("associated", "a disassociated block can be had by another subnet", "presumed", _freed_block),
    refused(
        "DependencyViolation", "a subnet with an interface isn't deleted", API + "DeleteSubnet", _delete_with_interface
    ),
    refused("DependencyViolation", "nor with a NAT gateway", API + "DeleteSubnet", _delete_with_nat),
    seen(0, "but after its NAT gateway is deleted", API + "DeleteSubnet", _delete_after_nat),
    seen(
        (True, True, "resource-name", False),
        "an IPv6-native subnet auto-assigns, and has no IPv4 block",
        API + "CreateSubnet (Ipv6Native)",
        lambda w: (
            (v := _native(w))
            and (
                v["Ipv6Native"],
                v["AssignIpv6AddressOnCreation"],
                v["PrivateDnsNameOptionsOnLaunch"]["HostnameType"],
                "CidrBlock" in v,
            )
        ),
    ),
    refused(
        "InvalidParameterCombination",
        "an IPv6-native subnet with an IPv4 block",
        API + "CreateSubnet",
        lambda w: _native(w, CidrBlock="10.0.9.0/24"),
    ),
    refused(
        "InvalidParameterValue",
        "an IPv6-native subnet has no names of IPv4 addresses",
        API + "ModifySubnetAttribute (PrivateDnsHostnameTypeOnLaunch)",
        lambda w: w.ec2.modify_subnet_attribute(
            SubnetId=_native(w)["SubnetId"], PrivateDnsHostnameTypeOnLaunch="ip-name"
        ),
    ),
    refused(
        "InvalidParameterValue",
        "the block of an IPv6-native subnet stays",
        "presumed",
        _native_without_block,
    ),
    seen((True, "prefix"), "an IPv6 reservation for prefixes", API + "CreateSubnetCidrReservation", _reserve),
    refused("InvalidCidrReservation.Overlap", "overlapping reservations", "presumed", _reserve_twice),
    refused(
        "InvalidCidrReservation.NotWithinSubnetCidr",
        "a reservation outside the subnet",
        "presumed",
        lambda w: _reserve(w, "2001:db8::/80"),
    ),
    refused(
        "InvalidSubnetID.NotFound",
        "an unknown subnet",
        API + "error codes",
        lambda w: w.subnet_view("subnet-0123456789abcdef0"),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_subnet_rule(rule: Rule, world: World) -> None:
    rule.check(world)
