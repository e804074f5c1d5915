# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as others made them, for tests of what is added to them, and looks at what must not have changed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Any

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


@dataclass(frozen=True)
class Network:
    """A VPC with subnets on one route table and on the main one."""

    vpc_id: str
    subnets: list[str]
    gateway: str
    table: str
    main_table: str
    block: str | None = None

    def slot(self, number: int) -> str:
        """The /64 with this number in the VPC's block."""
        assert self.block is not None
        start = int(IPv6Network(self.block).network_address) + (number << 64)
        return str(IPv6Network((start, 64)))


def make(ec2: Any, ipv6: bool = True, subnets: int = 3, cidr: str = "10.9.0.0/16") -> Network:
    """Subnets of /24 in turn over three zones; the first is on a table with an IPv4 way out, the others on main."""
    vpc_id = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    block = add_block(ec2, vpc_id) if ipv6 else None
    begin = ".".join(cidr.split(".")[:2])
    ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"{begin}.{n}.0/24", AvailabilityZone=ZONES[n % 3])["Subnet"][
            "SubnetId"
        ]
        for n in range(subnets)
    ]
    for number, subnet_id in enumerate(ids):
        ec2.create_tags(Resources=[subnet_id], Tags=[{"Key": "Name", "Value": f"old-{number}"}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=ids[0])
    main = next(
        item["RouteTableId"]
        for item in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"]
        if any(entry.get("Main") for entry in item["Associations"])
    )
    return Network(vpc_id, ids, gateway, table, main, block)


def add_block(ec2: Any, vpc_id: str) -> str:
    """Amazon's /56, once it is associated."""
    before = blocks(ec2, vpc_id)
    ec2.associate_vpc_cidr_block(VpcId=vpc_id, AmazonProvidedIpv6CidrBlock=True)
    while len(after := blocks(ec2, vpc_id)) == len(before):
        pass
    return next(block for block in after if block not in before)


def blocks(ec2: Any, vpc_id: str) -> list[str]:
    """The VPC's associated IPv6 blocks."""
    found = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0].get("Ipv6CidrBlockAssociationSet", ())
    return [item["Ipv6CidrBlock"] for item in found if item["Ipv6CidrBlockState"]["State"] == "associated"]


def subnet(ec2: Any, subnet_id: str) -> dict[str, Any]:
    """A subnet as it is."""
    found: dict[str, Any] = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
    return found


def subnet_block(ec2: Any, subnet_id: str) -> str | None:
    """A subnet's IPv6 block."""
    for item in subnet(ec2, subnet_id).get("Ipv6CidrBlockAssociationSet", ()):
        if item["Ipv6CidrBlockState"]["State"] == "associated":
            return str(item["Ipv6CidrBlock"])
    return None


def give_block(ec2: Any, subnet_id: str, block: str) -> None:
    """Associates an IPv6 block with a subnet, and waits until it is."""
    ec2.associate_subnet_cidr_block(SubnetId=subnet_id, Ipv6CidrBlock=block)
    while subnet_block(ec2, subnet_id) is None:
        pass


def without_ipv6(value: Any) -> Any:
    """A description without anything that adding IPv6 may change."""
    if isinstance(value, dict):
        return {
            key: without_ipv6(item)
            for key, item in value.items()
            if "ipv6" not in key.lower() and key not in ("ResponseMetadata",)
        }
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and of_ipv6(item))]
        return [without_ipv6(item) for item in kept]
    return value


def of_ipv6(item: dict[str, Any]) -> bool:
    """Whether a route, an ACL entry or a security group rule is one of IPv6."""
    return any(item.get(key) for key in ("DestinationIpv6CidrBlock", "Ipv6CidrBlock", "CidrIpv6"))


def ipv4(ec2: Any) -> list[Any]:
    """Everything of IPv4 in the account's network."""
    looks = (
        ec2.describe_vpcs,
        ec2.describe_subnets,
        ec2.describe_route_tables,
        ec2.describe_internet_gateways,
        ec2.describe_network_acls,
        ec2.describe_security_group_rules,
    )
    return [without_ipv6(look()) for look in looks]
