# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be in place before nodes are paid for: the rules by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import node_checks as checks
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.node_checks import Cni, DefaultRoutes, InstanceType
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.placement import SubnetView
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Problem

EVERYWHERE_4, EVERYWHERE_6 = {"DestinationCidrBlock": "0.0.0.0/0"}, {"DestinationIpv6CidrBlock": "::/0"}


def subnet(name: str = "subnet-1", **changes: Any) -> SubnetView:
    good: dict[str, Any] = {
        "id": name,
        "vpc_id": "vpc-1",
        "zone": "a",
        "zone_id": "euw1-az1",
        "has_ipv4": True,
        "has_ipv6": True,
        "assigns_ipv6": True,
        "assigns_public_ipv4": False,
        "on_outpost": False,
        "free_ipv4": 100,
    }
    return SubnetView(**{**good, **changes})


def texts(problems: Iterable[Problem]) -> list[str]:
    found = list(problems)
    assert all(problem.remedy for problem in found)
    return [problem.message for problem in found]


@pytest.mark.parametrize("name", sorted(INSTANCE_TYPES))
def test_the_verdict_on_a_type_never_comes_from_its_name(name: str) -> None:
    item = INSTANCE_TYPES[name]
    verdict = InstanceType.of({**item, "InstanceType": "t2.metal"})
    assert verdict.nitro is (item.get("Hypervisor") == "nitro" or item.get("BareMetal") is True)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], DefaultRoutes()),
        ([{**EVERYWHERE_4, "NatGatewayId": "nat-1"}], DefaultRoutes(ipv4="nat-1")),
        ([{**EVERYWHERE_6, "EgressOnlyInternetGatewayId": "eigw-1"}], DefaultRoutes(ipv6="eigw-1")),
        ([{**EVERYWHERE_4, "GatewayId": "igw-1", "State": "blackhole"}], DefaultRoutes()),
        ([{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}], DefaultRoutes()),
        ([{**EVERYWHERE_4, "TransitGatewayId": "tgw-1", "State": "active"}], DefaultRoutes(ipv4="tgw-1")),
    ],
)
def test_only_active_routes_to_everywhere_count(routes: list[dict[str, Any]], expected: DefaultRoutes) -> None:
    assert checks.default_routes(routes) == expected


@pytest.mark.parametrize(
    ("routes", "public"),
    [(DefaultRoutes("igw-1", ""), True), (DefaultRoutes("", "igw-1"), True), (DefaultRoutes("nat-1", "eigw-1"), False)],
)
def test_a_subnet_is_public_by_either_family(routes: DefaultRoutes, public: bool) -> None:
    assert routes.public is public
    assert bool(list(checks.refuse_public({"subnet-1": routes}))) is public


def test_addresses() -> None:
    subnets = {
        "good": subnet("good"),
        "unassigning": subnet("unassigning", assigns_ipv6=False),
        "public": subnet("public"),
        "full": subnet("full", free_ipv4=0),
    }
    routes = {name: DefaultRoutes("igw-1" if name == "public" else "nat-1", "eigw-1") for name in subnets}
    found = texts(checks.refuse_addresses(subnets, routes, ipv6=True))
    assert [text.split()[0] for text in found] == ["unassigning", "public", "full"]
    assert [text.split()[0] for text in texts(checks.refuse_addresses(subnets, routes, ipv6=False))] == [
        "public",
        "full",
    ]
    own = checks.refuse_addresses(subnets, routes, ipv6=True, own_ipv6=True, own_public=True)
    assert [text.split()[0] for text in texts(own)] == ["full"]
    assert len(texts(checks.refuse_addresses(subnets, routes, ipv6=True, public_ipv4=False))) == 2


def test_a_way_out_is_needed_in_both_families() -> None:
    routes = {"a": DefaultRoutes("nat-1", "eigw-1"), "b": DefaultRoutes("nat-1", ""), "c": DefaultRoutes("", "eigw-1")}
    found = texts(checks.refuse_routes(routes, ipv6=True))
    assert found == ["c has no active route to 0.0.0.0/0.", "b has no active route to ::/0."]
    assert texts(checks.refuse_routes(routes, ipv6=False)) == ["c has no active route to 0.0.0.0/0."]


@pytest.mark.parametrize(
    ("cni", "reason"),
    [
        (Cni(True, "ACTIVE", ("arn:role/cni",), judged="arn:role/cni"), None),
        (Cni(False, judged="arn:role/node"), None),
        (Cni(False, judged="arn:role/node", lacking=True), "has no add-on vpc-cni, and the nodes' role arn:role/node"),
        (Cni(True, "ACTIVE", ("arn:role/cni",), judged="arn:role/cni", lacking=True), "the role arn:role/cni"),
        (Cni(True, "ACTIVE", ("r",), agent_missing=True, judged="r"), "there is no eks-pod-identity-agent"),
        (Cni(True, "CREATE_FAILED", judged="r"), "is CREATE_FAILED"),
    ],
)
def test_the_cni_and_its_policy_are_in_place(cni: Cni, reason: str | None) -> None:
    found = texts(checks.refuse_cni(cni, "production"))
    assert len(found) == (reason is not None)
    assert reason is None or reason in found[0]


def test_types() -> None:
    types = {
        "xen": InstanceType("xen", False, ("x86_64",)),
        "arm": InstanceType("arm", True, ("arm64",)),
        "good": InstanceType("good", True, ("i386", "x86_64")),
    }
    found = checks.refuse_types("instance_types", ["xen", "arm", "good", "none"], types, "x86_64", "the image", True)
    assert [problem.message.split()[:3] for problem in found] == [
        ["EC2", "knows", "no"],
        ["xen", "is", "not"],
        ["arm", "has", "the"],
    ]
    assert not list(checks.refuse_types("instance_types", ["xen"], {"xen": types["xen"]}, "", "", False))


@pytest.mark.parametrize(("value", "refused"), [("enabled", True), ("disabled", False), (None, False)])
def test_the_metadata_s_ipv6_endpoint_stays_off(value: str | None, refused: bool) -> None:
    assert bool(list(checks.refuse_metadata("launch_template", {"HttpProtocolIpv6": value}))) is refused
