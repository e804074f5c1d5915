# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a contract test: a rule of AWS's, where it is written, the calls, and what a client sees."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eksops_emulator import Emulator


@dataclass(frozen=True)
class Rule:
    """One rule. `source` is a document, or `presumed`. A client sees either the error code `refused`, or `sees`."""

    text: str
    source: str
    calls: Callable[[World], Any]
    refused: str | None = None
    sees: Any = None

    def __str__(self) -> str:
        return self.text

    def check(self, world: World) -> None:
        """Makes the calls and compares."""
        if self.refused is None:
            seen = self.calls(world)
            assert seen == self.sees, f"{self.text}: saw {seen!r}"
            return
        with pytest.raises(ClientError) as refusal:
            self.calls(world)
        assert refusal.value.response["Error"]["Code"] == self.refused
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404, 409, 412)


def refused(code: str, text: str, source: str, calls: Callable[[World], Any]) -> Rule:
    """A rule whose calls end in this error."""
    return Rule(text, source, calls, refused=code)


def seen(value: Any, text: str, source: str, calls: Callable[[World], Any]) -> Rule:
    """A rule whose calls give this value."""
    return Rule(text, source, calls, sees=value)


class World:
    """A dual-stack network of eu-west-1, each part made when it is first asked for."""

    def __init__(self, emulator: Emulator, aws: Callable[..., Any]) -> None:
        self.emulator = emulator
        self.aws = aws

    @cached_property
    def ec2(self) -> Any:
        return self.aws("ec2")

    @cached_property
    def vpc(self) -> str:
        """A VPC with 10.0.0.0/16 and an associated /56."""
        made = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
        return self.settled(made)

    @cached_property
    def other_vpc(self) -> str:
        made = self.ec2.create_vpc(CidrBlock="10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
        return self.settled(made)

    @cached_property
    def ipv4_vpc(self) -> str:
        vpc_id: str = self.ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
        return vpc_id

    def settled(self, vpc_id: str) -> str:
        self.vpc_view(vpc_id)
        return vpc_id

    def unseen_block(self, vpc_id: str) -> str:
        """The first /64 of a VPC's block that AWS doesn't tell yet."""
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.ec2.models import ec2_backends

        vpc: Any = ec2_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].vpcs[vpc_id]
        return str(next(vpc.ipv6_blocks[0].block.subnets(new_prefix=64)))

    def vpc_view(self, vpc_id: str | None = None) -> dict[str, Any]:
        view: dict[str, Any] = self.ec2.describe_vpcs(VpcIds=[vpc_id or self.vpc])["Vpcs"][0]
        return view

    def blocks(self, vpc_id: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.vpc_view(vpc_id)["Ipv6CidrBlockAssociationSet"]
        return found

    @cached_property
    def ipv6(self) -> ipaddress.IPv6Network:
        """The VPC's IPv6 block."""
        return ipaddress.IPv6Network(self.blocks()[0]["Ipv6CidrBlock"])

    def slot(self, number: int, prefix: int = 64) -> str:
        """The VPC's n-th /64."""
        return str(ipaddress.IPv6Network((int(self.ipv6.network_address) | number << 64, prefix)))

    def subnet(self, number: int, ipv6: bool = True, auto: bool = False, **more: Any) -> str:
        """Makes 10.0.n.0/24, with the n-th /64."""
        block = {"Ipv6CidrBlock": self.slot(number)} if ipv6 else {}
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", **block, **more)["Subnet"]
        if auto:
            self.modify(made["SubnetId"], AssignIpv6AddressOnCreation={"Value": True})
        subnet_id: str = made["SubnetId"]
        return subnet_id

    def subnet_view(self, subnet_id: str) -> dict[str, Any]:
        view: dict[str, Any] = self.ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
        return view

    def modify(self, subnet_id: str, **attribute: Any) -> None:
        self.ec2.modify_subnet_attribute(SubnetId=subnet_id, **attribute)

    @cached_property
    def table(self) -> str:
        table_id: str = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        return table_id

    def routes(self, table_id: str | None = None) -> dict[str, tuple[str, str]]:
        """Destination to (target, state) of a table."""
        view = self.ec2.describe_route_tables(RouteTableIds=[table_id or self.table])["RouteTables"][0]
        found = {}
        for route in view["Routes"]:
            destination = route.get("DestinationIpv6CidrBlock") or route["DestinationCidrBlock"]
            target = next(
                value for key, value in route.items() if key.endswith("Id") and key != "DestinationPrefixListId"
            )
            found[destination] = (target, route["State"])
        return found

    def route(self, destination: str, **target: str) -> None:
        kind = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        self.ec2.create_route(RouteTableId=self.table, **{kind: destination}, **target)

    @cached_property
    def igw(self) -> str:
        """An internet gateway, attached to the VPC."""
        gateway_id: str = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=self.vpc)
        return gateway_id

    @cached_property
    def eigw(self) -> str:
        made = self.ec2.create_egress_only_internet_gateway(VpcId=self.vpc)["EgressOnlyInternetGateway"]
        gateway_id: str = made["EgressOnlyInternetGatewayId"]
        return gateway_id

    @cached_property
    def public(self) -> str:
        """A subnet for NAT gateways."""
        return self.subnet(200)

    @cached_property
    def address(self) -> str:
        allocation_id: str = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        return allocation_id

    @cached_property
    def nat(self) -> str:
        """A NAT gateway that is available."""
        assert self.igw
        made = self.ec2.create_nat_gateway(SubnetId=self.public, AllocationId=self.address)["NatGateway"]
        assert self.nat_view(made["NatGatewayId"])["State"] == "available"
        gateway_id: str = made["NatGatewayId"]
        return gateway_id

    def nat_view(self, gateway_id: str) -> dict[str, Any]:
        view: dict[str, Any] = self.ec2.describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"][0]
        return view

    @cached_property
    def group(self) -> str:
        group_id: str = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.vpc)["GroupId"]
        return group_id

    def group_view(self, group_id: str | None = None) -> dict[str, Any]:
        view: dict[str, Any] = self.ec2.describe_security_groups(GroupIds=[group_id or self.group])["SecurityGroups"][0]
        return view

    def allow(self, cidr: str, port: int = 443, **more: Any) -> Any:
        """Authorizes ingress of a block to the group."""
        ranges = {"Ipv6Ranges": [{"CidrIpv6": cidr}]} if ":" in cidr else {"IpRanges": [{"CidrIp": cidr}]}
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges, **more}
        return self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[permission])

    def default_acl(self, vpc_id: str) -> dict[str, Any]:
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "default", "Values": ["true"]}]
        view: dict[str, Any] = self.ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]
        return view

    @cached_property
    def image(self) -> str:
        """The recommended AL2023 arm64 image."""
        name = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/arm64/standard/recommended/image_id"
        image_id: str = self.aws("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        return image_id

    def template(self, name: str = "lt1", **data: Any) -> str:
        made = self.ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": self.image, "InstanceType": "m6g.large", **data},
        )
        template_id: str = made["LaunchTemplate"]["LaunchTemplateId"]
        return template_id

    def run(self, subnet_id: str, **more: Any) -> dict[str, Any]:
        """Runs one instance and describes it."""
        given = {"ImageId": self.image, "InstanceType": "m6g.large", "SubnetId": subnet_id, **more}
        given = {key: value for key, value in given.items() if value is not None}
        made = self.ec2.run_instances(MinCount=1, MaxCount=1, **given)["Instances"][0]
        found = self.ec2.describe_instances(InstanceIds=[made["InstanceId"]])
        view: dict[str, Any] = found["Reservations"][0]["Instances"][0]
        return view
