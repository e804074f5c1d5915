# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be in place before nodes are paid for: the rules by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import egress
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import node_checks as checks
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.egress import DefaultRoutes, Egress, Endpoint
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.node_checks import Cni, InstanceType
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
    assert egress.default_routes(routes) == expected


@pytest.mark.parametrize(
    ("routes", "public"),
    [(DefaultRoutes("igw-1", ""), True), (DefaultRoutes("", "igw-1"), True), (DefaultRoutes("nat-1", "eigw-1"), False)],
)
def test_a_subnet_is_public_by_either_family(routes: DefaultRoutes, public: bool) -> None:
    assert routes.public is public
    assert bool(list(egress.refuse_public(Egress({"subnet-1": routes})))) is public


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


NOWHERE = "and no VPC endpoint in its place for ec2, s3"


def test_a_way_out_is_needed_in_both_families() -> None:
    ways = Egress(
        {"a": DefaultRoutes("nat-1", "eigw-1"), "b": DefaultRoutes("nat-1", ""), "c": DefaultRoutes("", "eigw-1")}
    )
    found = texts(egress.refuse(ways, True, ("ec2", "s3")))
    assert found == [
        f"c has no active route to 0.0.0.0/0, {NOWHERE}.",
        f"b has no active route to ::/0, {NOWHERE}.",
    ]
    assert texts(egress.refuse(ways, False, ("ec2", "s3"))) == found[:1]
    assert list(egress.warn(ways, True, ("ec2", "s3"))) == []


def endpoint(service: str, **changes: Any) -> Endpoint:
    given: dict[str, Any] = {
        "VpcEndpointId": f"vpce-{service}",
        "ServiceName": f"com.amazonaws.eu-west-1.{service}",
        "VpcEndpointType": "Interface",
        "State": "available",
        "PrivateDnsEnabled": True,
    }
    return Endpoint.of({**given, **changes})


def gateway(*tables: str) -> Endpoint:
    return endpoint("s3", VpcEndpointType="Gateway", PrivateDnsEnabled=False, RouteTableIds=list(tables))


@pytest.mark.parametrize(
    ("endpoints", "lacking"),
    [
        ([endpoint("ec2"), gateway("rtb-1")], ""),
        ([endpoint("ec2"), endpoint("s3")], ""),
        ([endpoint("ec2"), endpoint("ec2", State="pending"), endpoint("s3", State="Available")], ""),
        ([], "ec2, s3"),
        ([endpoint("ec2", ServiceName="com.amazonaws.eu-west-1.ec2messages"), gateway("rtb-1")], "ec2"),
        ([endpoint("ec2", ServiceName="com.amazonaws.us-east-1.ec2"), gateway("rtb-1")], "ec2"),
        ([endpoint("ec2", State="pendingAcceptance"), gateway("rtb-1")], "ec2 (vpce-ec2 is pendingacceptance)"),
        ([endpoint("ec2", PrivateDnsEnabled=False), gateway("rtb-1")], "ec2 (vpce-ec2 has no private DNS)"),
        ([endpoint("ec2"), gateway("rtb-2")], "s3 (vpce-s3 is not in rtb-1)"),
    ],
)
def test_vpc_endpoints_may_stand_in_for_routes(endpoints: list[Endpoint], lacking: str) -> None:
    ways = Egress({"a": DefaultRoutes("", "", "rtb-1")}, tuple(endpoints), "eu-west-1")
    found = texts(egress.refuse(ways, True, ("ec2", "s3")))
    warned = list(egress.warn(ways, True, ("ec2", "s3")))
    assert (len(found), len(warned)) == ((2, 0) if lacking else (0, 2))
    if lacking:
        assert found[0].endswith(f"no VPC endpoint in its place for {lacking}.")
    else:
        assert "security groups and policies were not looked at" in warned[0]
        assert "no way out of the VPC over IPv6" in warned[1]


def test_closed_subnets_need_the_api_inside_the_vpc() -> None:
    ways = Egress({"a": DefaultRoutes("", "eigw-1", "rtb-1")}, (endpoint("ec2"),), "eu-west-1")
    assert texts(egress.refuse(ways, True, ("ec2",), "production", private_access=True)) == []
    (text,) = texts(egress.refuse(ways, True, ("ec2",), "production", private_access=False))
    assert "production has its API endpoint outside the VPC only" in text


@pytest.mark.parametrize(
    ("cni", "reason"),
    [
        (Cni(True, "ACTIVE", identity="pod_identity", role="arn:role/cni"), None),
        (Cni(False, role="arn:role/node"), None),
        (
            Cni(False, role="arn:role/node", lacking=("ec2:X",)),
            "production has no add-on vpc-cni, and the nodes' role arn:role/node does not allow ec2:X.",
        ),
        (
            Cni(True, "ACTIVE", "v1.21.1", "irsa", "arn:role/cni", lacking=("ec2:X", "ec2:Y")),
            "the role arn:role/cni, which vpc-cni v1.21.1 of production takes, does not allow ec2:X, ec2:Y.",
        ),
        (
            Cni(True, "ACTIVE", identity="irsa", role="arn:role/cni", role_missing=True),
            "there is no role arn:role/cni, which vpc-cni of production takes.",
        ),
        (Cni(True, "ACTIVE", identity="pod_identity", agent_missing=True), "there is no eks-pod-identity-agent"),
        (Cni(True, "CREATE_FAILED"), "is CREATE_FAILED"),
        (Cni(True, "ACTIVE", node_role="arn:role/node", node_lacking=("ecr:X",)), "arn:role/node does not allow ecr:X"),
    ],
)
def test_the_cni_and_its_policy_are_in_place(cni: Cni, reason: str | None) -> None:
    found = texts(checks.refuse_cni(cni, "production"))
    assert len(found) == (reason is not None)
    assert reason is None or reason in found[0]


def test_what_was_not_judged_is_said() -> None:
    assert list(checks.warn_cni(Cni(True, "ACTIVE"), "production")) == []
    assert "cannot be seen from AWS" in next(checks.warn_cni(Cni(False), "production"))
    told = list(checks.warn_cni(Cni(True, "ACTIVE", unjudged=("the role r was not judged.",)), "production"))
    assert told == ["cluster_name: the role r was not judged."]


@pytest.mark.parametrize(
    ("cni", "more"), [(None, ()), (Cni(True, identity="irsa"), ("sts",)), (Cni(True, identity="node_role"), ())]
)
def test_what_hands_out_a_role_s_credentials_has_an_endpoint_too(cni: Cni | None, more: tuple[str, ...]) -> None:
    assert checks.endpoints_for(cni) == ("ec2", "ecr.api", "ecr.dkr", "s3", *more)


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
