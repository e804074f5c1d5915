# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splitting a route table: what is taken along, by which call, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2 import route_table
from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2.route_table import Observed, Target

EIGW = Target("EgressOnlyInternetGatewayId", "eigw-1")


def table(*entries: dict[str, Any], table_id: str = "rtb-1", **more: Any) -> Observed:
    return Observed(table_id, False, {}, {}, {}, vpc_id="vpc-1", entries=entries, **more)


def route(destination: str, origin: str = "CreateRoute", state: str = "active", **target: str) -> dict[str, Any]:
    if destination.startswith("pl-"):
        member = "DestinationPrefixListId"
    else:
        member = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    return {member: destination, "Origin": origin, "State": state, **target}


LOCAL = route("10.0.0.0/16", "CreateRouteTable", GatewayId="local")
PROPAGATED = route("192.168.0.0/16", "EnableVgwRoutePropagation", GatewayId="vgw-1")
COPIES = [
    (
        route("0.0.0.0/0", NatGatewayId="nat-1"),
        "CreateRoute",
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
    ),
    (
        route("2001:DB8::/32", TransitGatewayId="tgw-1"),
        "CreateRoute",
        {"DestinationIpv6CidrBlock": "2001:db8::/32", "TransitGatewayId": "tgw-1"},
    ),
    (
        route("pl-1", VpcPeeringConnectionId="pcx-1"),
        "CreateRoute",
        {"DestinationPrefixListId": "pl-1", "VpcPeeringConnectionId": "pcx-1"},
    ),
    (route("pl-2", GatewayId="vpce-1"), "ModifyVpcEndpoint", {"VpcEndpointId": "vpce-1"}),
]


@pytest.mark.parametrize(("entry", "operation", "members"), COPIES)
def test_a_route_is_copied_by_the_call_that_can(entry: dict[str, Any], operation: str, members: dict[str, str]) -> None:
    plan = route_table.plan_split(table(LOCAL, entry), None, {}, [], [], [])
    create, copy = plan.steps
    assert create.operation == "CreateRouteTable"
    assert copy.operation == operation
    assert members.items() <= copy.request.items()
    assert route_table.not_to_copy(table(LOCAL, entry), []) == []


def test_a_complete_table_lacks_only_its_subnets() -> None:
    source = table(LOCAL, PROPAGATED, *(entry for entry, _operation, _members in COPIES), propagating=("vgw-1",))
    part = Observed(
        "rtb-2", False, {}, {"::/0": route_table.Route(EIGW, "active")}, {}, "vpc-1", source.entries, ("vgw-1",)
    )
    plan = route_table.plan_split(source, part, {}, [("::/0", EIGW)], ["subnet-1"], ["::/0"])
    assert [(step.operation, step.request) for step in plan.steps] == [
        ("AssociateRouteTable", {"RouteTableId": "rtb-2", "SubnetId": "subnet-1"})
    ]


def test_propagating_gateways_are_taken_along_and_their_routes_are_not() -> None:
    plan = route_table.plan_split(table(LOCAL, PROPAGATED, propagating=("vgw-1",)), None, {}, [], [], [])
    assert [step.operation for step in plan.steps] == ["CreateRouteTable", "EnableVgwRoutePropagation"]


def test_the_old_route_to_a_wanted_destination_is_not_copied() -> None:
    source = table(route("::/0", GatewayId="igw-1"))
    plan = route_table.plan_split(source, None, {}, [("::/0", EIGW)], [], ["::/0"])
    assert [step.request.get("EgressOnlyInternetGatewayId") for step in plan.steps] == [None, "eigw-1"]
    removed = route_table.plan_split(source, None, {}, [("::/0", None)], [], ["::/0"])
    assert [step.operation for step in removed.steps] == ["CreateRouteTable"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (route("192.0.2.0/24", state="blackhole", NetworkInterfaceId="eni-1"), "a blackhole"),
        (route("10.0.0.0/16", "CreateRouteTable", NetworkInterfaceId="eni-1"), "local route"),
        (route("0.0.0.0/0", GatewayId="vpce-1"), "Gateway Load Balancer"),
        (route("192.0.2.0/24", OdbNetworkArn="arn"), "not known"),
    ],
)
def test_what_cannot_be_copied_is_told(entry: dict[str, Any], reason: str) -> None:
    (told,) = route_table.not_to_copy(table(LOCAL, entry), [])
    assert reason in told
    assert route_table.not_to_copy(table(entry), [told.split(" ")[0]]) == []
