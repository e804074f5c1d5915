# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: route tables, internet gateways, egress-only gateways, NAT gateways, addresses."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "EC2 API reference: "
QUOTAS = "VPC user guide: quotas"
NAT = API + "NatGateway (FailureCode)"


def _associate(world: World, times: int = 1, subnet: str | None = None) -> None:
    subnet = subnet or world.subnet(1)
    for _unused in range(times):
        world.ec2.associate_route_table(RouteTableId=world.table, SubnetId=subnet)


def _foreign_igw(world: World) -> None:
    gateway = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=world.other_vpc)
    world.route("::/0", GatewayId=gateway)


def _foreign_eigw(world: World) -> None:
    made = world.ec2.create_egress_only_internet_gateway(VpcId=world.other_vpc)["EgressOnlyInternetGateway"]
    world.route("::/0", EgressOnlyInternetGatewayId=made["EgressOnlyInternetGatewayId"])


def _twice(world: World) -> None:
    world.route("::/0", GatewayId=world.igw)
    world.route("::/0", EgressOnlyInternetGatewayId=world.eigw)


def _another_spelling(world: World) -> Any:
    world.route("2001:DB8:0:0::/64", GatewayId=world.igw)
    return "2001:db8::/64" in world.routes()


def _same_in_another_spelling(world: World) -> None:
    world.route("2001:DB8:0:0::/64", GatewayId=world.igw)
    world.route("2001:db8::/64", GatewayId=world.igw)


def _ipv4_as_ipv6(world: World) -> None:
    world.ec2.create_route(RouteTableId=world.table, DestinationIpv6CidrBlock="0.0.0.0/0", GatewayId=world.igw)


def _replaced(world: World) -> Any:
    world.route("::/0", GatewayId=world.igw)
    world.ec2.replace_route(
        RouteTableId=world.table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=world.eigw
    )
    return world.routes()["::/0"] == (world.eigw, "active")


def _black_hole(world: World) -> str:
    world.route("::/0", EgressOnlyInternetGatewayId=world.eigw)
    world.ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=world.eigw)
    return world.routes()["::/0"][1]


def _detached(world: World) -> str:
    world.route("::/0", GatewayId=world.igw)
    world.ec2.detach_internet_gateway(InternetGatewayId=world.igw, VpcId=world.vpc)
    return world.routes()["::/0"][1]


def _local_routes(world: World) -> list[bool]:
    """Whether the IPv6 block has its local route, before and after a second block came."""
    before = set(world.routes())
    world.ec2.associate_vpc_cidr_block(VpcId=world.vpc, AmazonProvidedIpv6CidrBlock=True)
    blocks = {block["Ipv6CidrBlock"] for block in world.blocks()}
    return [str(world.ipv6) in before, blocks <= set(world.routes())]


def _main_association(world: World) -> dict[str, Any]:
    filters = [{"Name": "vpc-id", "Values": [world.vpc]}, {"Name": "association.main", "Values": ["true"]}]
    found: dict[str, Any] = world.ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["Associations"][0]
    return found


def _pending_nat_route(world: World) -> None:
    world.emulator.transitions("ec2::nat_gateway", times=1000)
    assert world.igw
    made = world.ec2.create_nat_gateway(SubnetId=world.public, AllocationId=world.address)["NatGateway"]
    world.route("0.0.0.0/0", NatGatewayId=made["NatGatewayId"])


def _second_igw(world: World) -> None:
    assert world.igw
    gateway = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=world.vpc)


def _detach_with_nat(world: World) -> None:
    assert world.nat
    world.ec2.detach_internet_gateway(InternetGatewayId=world.igw, VpcId=world.vpc)


def _detach_after_nat(world: World) -> int:
    world.ec2.delete_nat_gateway(NatGatewayId=world.nat)
    world.nat_view(world.nat)
    world.ec2.detach_internet_gateway(InternetGatewayId=world.igw, VpcId=world.vpc)
    return len(
        world.ec2.describe_internet_gateways(InternetGatewayIds=[world.igw])["InternetGateways"][0]["Attachments"]
    )


def _eigw_token(world: World) -> bool:
    ids = {
        world.ec2.create_egress_only_internet_gateway(VpcId=world.vpc, ClientToken="a")["EgressOnlyInternetGateway"][
            "EgressOnlyInternetGatewayId"
        ]
        for _unused in range(2)
    }
    return len(ids) == 1


def _nat_token(world: World) -> int:
    assert world.igw
    for _unused in range(2):
        world.ec2.create_nat_gateway(SubnetId=world.public, AllocationId=world.address, ClientToken="a")
    return len(world.ec2.describe_nat_gateways()["NatGateways"])


def _nat_token_mismatch(world: World) -> None:
    assert world.igw
    world.ec2.create_nat_gateway(SubnetId=world.public, AllocationId=world.address, ClientToken="a")
    world.ec2.create_nat_gateway(SubnetId=world.subnet(3), AllocationId=world.address, ClientToken="a")


def _nat_life(world: World) -> list[str]:
    world.emulator.transitions("ec2::nat_gateway", times=2)
    assert world.igw
    made = world.ec2.create_nat_gateway(SubnetId=world.public, AllocationId=world.address)["NatGateway"]
    states = [made["State"]] + [world.nat_view(made["NatGatewayId"])["State"] for _unused in range(2)]
    world.ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    return states + [world.nat_view(made["NatGatewayId"])["State"] for _unused in range(2)]


def _failed_nat(world: World) -> tuple[str, str]:
    made = world.ec2.create_nat_gateway(SubnetId=world.public, AllocationId=world.address)["NatGateway"]
    view = world.nat_view(made["NatGatewayId"])
    return view["State"], view["FailureCode"]


def _second_nat(world: World) -> tuple[str, str]:
    assert world.nat
    return _failed_nat(world)


def _nat_address(world: World) -> bool:
    found = world.nat_view(world.nat)["NatGatewayAddresses"][0]
    address = world.ec2.describe_addresses(AllocationIds=[world.address])["Addresses"][0]
    return bool(found["PublicIp"] == address["PublicIp"] and found["AssociationId"] == address["AssociationId"])


def _release_in_use(world: World) -> None:
    assert world.nat
    world.ec2.release_address(AllocationId=world.address)


def _release_after(world: World) -> int:
    world.ec2.delete_nat_gateway(NatGatewayId=world.nat)
    world.nat_view(world.nat)
    world.ec2.release_address(AllocationId=world.address)
    return len(world.ec2.describe_addresses()["Addresses"])


def _endpoint(world: World) -> str:
    """A gateway endpoint of the table."""
    made = world.ec2.create_vpc_endpoint(
        VpcId=world.vpc, ServiceName="com.amazonaws.eu-west-1.s3", RouteTableIds=[world.table]
    )
    endpoint_id: str = made["VpcEndpoint"]["VpcEndpointId"]
    return endpoint_id


def _endpoint_routes(world: World, *tables: str) -> list[str]:
    """Where the prefix list routes of tables lead."""
    found = world.ec2.describe_route_tables(RouteTableIds=list(tables) or [world.table])["RouteTables"]
    return [route["GatewayId"] for table in found for route in table["Routes"] if route.get("DestinationPrefixListId")]


def _endpoint_moves(world: World) -> list[bool]:
    endpoint, other = _endpoint(world), world.ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    seen_ = [_endpoint_routes(world) == [endpoint]]
    world.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[other], RemoveRouteTableIds=[world.table])
    seen_ += [_endpoint_routes(world) == [], _endpoint_routes(world, other) == [endpoint]]
    world.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    return [*seen_, _endpoint_routes(world, other) == []]


def _endpoint_route_gone(world: World) -> None:
    _endpoint(world)
    routes = world.ec2.describe_route_tables(RouteTableIds=[world.table])["RouteTables"][0]["Routes"]
    prefix_list = next(route["DestinationPrefixListId"] for route in routes if "DestinationPrefixListId" in route)
    world.ec2.delete_route(RouteTableId=world.table, DestinationPrefixListId=prefix_list)


def _vgw(world: World, attached: bool = True) -> str:
    gateway: str = world.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    if attached:
        world.ec2.attach_vpn_gateway(VpcId=world.vpc, VpnGatewayId=gateway)
    return gateway


def _propagating(world: World) -> list[int]:
    gateway = _vgw(world)
    found = []
    for call in ("enable", "enable", "disable"):
        getattr(world.ec2, f"{call}_vgw_route_propagation")(RouteTableId=world.table, GatewayId=gateway)
        table = world.ec2.describe_route_tables(RouteTableIds=[world.table])["RouteTables"][0]
        found.append([item["GatewayId"] for item in table["PropagatingVgws"]].count(gateway))
    return found


def _detached_vgw(world: World) -> str:
    gateway = _vgw(world)
    world.route("2001:db8::/48", GatewayId=gateway)
    world.ec2.detach_vpn_gateway(VpcId=world.vpc, VpnGatewayId=gateway)
    return world.routes()["2001:db8::/48"][1]


RULES: list[Rule] = [
    seen(
        [True, True],
        "every IPv6 block of the VPC has a local route in every table",
        "VPC user guide: route tables",
        _local_routes,
    ),
    refused("RouteAlreadyExists", "a destination has one route", API + "CreateRoute, error codes", _twice),
    seen(True, "an IPv6 destination comes back canonical", "presumed", _another_spelling),
    refused("RouteAlreadyExists", "another spelling is the same destination", "presumed", _same_in_another_spelling),
    refused("InvalidParameterValue", "an IPv4 block as IPv6 destination", API + "CreateRoute", _ipv4_as_ipv6),
    refused(
        "InvalidParameterValue", "an internet gateway of another VPC", "error quoted in public issues", _foreign_igw
    ),
    refused("InvalidParameterValue", "an egress-only gateway of another VPC", "presumed", _foreign_eigw),
    refused(
        "InvalidGatewayID.NotFound",
        "an egress-only gateway given as GatewayId",
        "presumed",
        lambda w: w.route("::/0", GatewayId=w.eigw),
    ),
    refused(
        "InvalidParameterValue",
        "an egress-only gateway takes IPv6 only",
        API + "CreateRoute",
        lambda w: w.route("0.0.0.0/0", EgressOnlyInternetGatewayId=w.eigw),
    ),
    refused(
        "InvalidParameterValue",
        "a NAT gateway doesn't take ::/0",
        "error quoted in eksctl issue 4603",
        lambda w: w.route("::/0", NatGatewayId=w.nat),
    ),
    seen(
        True,
        "a NAT gateway takes 64:ff9b::/96",
        "VPC user guide: NAT64",
        lambda w: (w.route("64:ff9b::/96", NatGatewayId=w.nat), w.routes()["64:ff9b::/96"] == (w.nat, "active"))[1],
    ),
    refused("InvalidNatGatewayID.NotFound", "a NAT gateway that isn't available yet", "presumed", _pending_nat_route),
    refused(
        "InvalidParameterCombination",
        "one route has one target",
        API + "CreateRoute, code presumed",
        lambda w: w.route("::/0", GatewayId=w.igw, EgressOnlyInternetGatewayId=w.eigw),
    ),
    refused(
        "MissingParameter", "a route needs a target", API + "CreateRoute, code presumed", lambda w: w.route("::/0")
    ),
    refused(
        "InvalidParameterValue",
        "a gateway can't take part of the VPC's own block",
        "error quoted in public issues",
        lambda w: w.route(w.slot(3), GatewayId=w.igw),
    ),
    seen(True, "ReplaceRoute changes the target", API + "ReplaceRoute", _replaced),
    refused(
        "InvalidParameterValue",
        "ReplaceRoute of no route",
        "error recorded by moto from AWS",
        lambda w: w.ec2.replace_route(RouteTableId=w.table, DestinationIpv6CidrBlock="::/0", GatewayId=w.igw),
    ),
    refused(
        "InvalidRoute.NotFound",
        "DeleteRoute of no route",
        API + "error codes",
        lambda w: w.ec2.delete_route(RouteTableId=w.table, DestinationIpv6CidrBlock="::/0"),
    ),
    refused(
        "InvalidParameterValue",
        "the local route stays",
        API + "DeleteRoute",
        lambda w: w.ec2.delete_route(RouteTableId=w.table, DestinationIpv6CidrBlock=str(w.ipv6)),
    ),
    seen("blackhole", "a route to a deleted gateway is a black hole", API + "Route (State)", _black_hole),
    seen("blackhole", "a route to a detached gateway is a black hole", API + "Route (State)", _detached),
    seen(
        [True] * 4,
        "a gateway endpoint's routes follow its list of tables",
        "VPC user guide: gateway endpoints",
        _endpoint_moves,
    ),
    refused(
        "InvalidParameterValue",
        "and aren't deleted by themselves",
        "error quoted in public issues",
        _endpoint_route_gone,
    ),
    seen(
        [1, 1, 0], "a table tells its propagating gateways, each once", API + "EnableVgwRoutePropagation", _propagating
    ),
    refused(
        "Gateway.NotAttached",
        "a gateway of no VPC doesn't propagate",
        API + "error codes",
        lambda w: w.ec2.enable_vgw_route_propagation(RouteTableId=w.table, GatewayId=_vgw(w, attached=False)),
    ),
    seen("blackhole", "a route to a detached private gateway is a black hole", API + "Route (State)", _detached_vgw),
    refused(
        "Resource.AlreadyAssociated",
        "a subnet is associated with one table",
        "error quoted in public issues",
        lambda w: _associate(w, times=2),
    ),
    refused(
        "InvalidParameterValue",
        "a subnet of another VPC",
        "error quoted in public issues",
        lambda w: _associate(
            w, subnet=w.ec2.create_subnet(VpcId=w.other_vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
        ),
    ),
    refused(
        "DependencyViolation",
        "a table with an association isn't deleted",
        API + "DeleteRouteTable",
        lambda w: (_associate(w), w.ec2.delete_route_table(RouteTableId=w.table)),
    ),
    refused(
        "DependencyViolation",
        "the main table isn't deleted",
        API + "DeleteRouteTable, code presumed",
        lambda w: w.ec2.delete_route_table(RouteTableId=_main_association(w)["RouteTableId"]),
    ),
    refused(
        "InvalidParameterValue",
        "the main association isn't disassociated",
        API + "DisassociateRouteTable, code presumed",
        lambda w: w.ec2.disassociate_route_table(AssociationId=_main_association(w)["RouteTableAssociationId"]),
    ),
    refused(
        "InvalidParameterValue",
        "a VPC has one internet gateway",
        "error quoted in kubo-deployment issue 167",
        _second_igw,
    ),
    refused(
        "Resource.AlreadyAssociated",
        "an attached gateway isn't attached again",
        API + "error codes",
        lambda w: w.ec2.attach_internet_gateway(InternetGatewayId=w.igw, VpcId=w.other_vpc),
    ),
    refused(
        "DependencyViolation",
        "an attached gateway isn't deleted",
        API + "DeleteInternetGateway",
        lambda w: w.ec2.delete_internet_gateway(InternetGatewayId=w.igw),
    ),
    refused(
        "DependencyViolation",
        "a gateway isn't detached while public addresses are mapped",
        API + "DetachInternetGateway",
        _detach_with_nat,
    ),
    seen(0, "it is when they are gone", API + "DetachInternetGateway", _detach_after_nat),
    refused(
        "EgressOnlyInternetGatewayLimitExceeded",
        "a VPC has one egress-only gateway",
        QUOTAS + "; code presumed",
        lambda w: (w.eigw, w.ec2.create_egress_only_internet_gateway(VpcId=w.vpc)),
    ),
    seen(
        True,
        "an egress-only gateway's client token makes it once",
        API + "CreateEgressOnlyInternetGateway",
        _eigw_token,
    ),
    refused(
        "InvalidGatewayID.NotFound",
        "an unknown egress-only gateway",
        "terraform-provider-aws: internal/service/ec2/errors.go",
        lambda w: w.ec2.describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=["eigw-0123456789abcdef0"]),
    ),
    seen(
        ["pending", "pending", "available", "deleting", "deleted"],
        "a NAT gateway is pending, available, deleting, deleted",
        API + "NatGateway (State)",
        _nat_life,
    ),
    seen(("failed", "Gateway.NotAttached"), "a NAT gateway fails without an internet gateway", NAT, _failed_nat),
    seen(("failed", "Resource.AlreadyAssociated"), "a NAT gateway fails with an address in use", NAT, _second_nat),
    seen(True, "a NAT gateway holds its address", API + "NatGatewayAddress", _nat_address),
    seen(1, "a NAT gateway's client token makes it once", API + "CreateNatGateway", _nat_token),
    refused(
        "IdempotentParameterMismatch",
        "a client token with other parameters",
        API + "ensuring idempotency",
        _nat_token_mismatch,
    ),
    refused(
        "InvalidAllocationID.NotFound",
        "an unknown address",
        API + "error codes",
        lambda w: w.ec2.create_nat_gateway(SubnetId=w.public, AllocationId="eipalloc-0123456789abcdef0"),
    ),
    refused(
        "MissingParameter",
        "a public NAT gateway needs an address",
        API + "CreateNatGateway",
        lambda w: w.ec2.create_nat_gateway(SubnetId=w.public),
    ),
    refused(
        "NatGatewayNotFound",
        "an unknown NAT gateway",
        API + "error codes",
        lambda w: w.nat_view("nat-0123456789abcdef0"),
    ),
    refused("InvalidIPAddress.InUse", "an address in use isn't released", API + "ReleaseAddress", _release_in_use),
    seen(0, "it is when its NAT gateway is deleted", API + "ReleaseAddress", _release_after),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_route_rule(rule: Rule, world: World) -> None:
    rule.check(world)
