# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How subnets reach AWS and the rest of the world: default routes and, where one is missing, VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..plan import Problem
from ..session import AwsError, Session
from .placement import FAMILY_SOURCE, SubnetView

SKIP = "routes"
SOURCE = "EKS User Guide, private clusters with limited internet access"
# What nodes, and Fargate's hosts, call: without a way out each needs a VPC endpoint. The list for Fargate is presumed.
NODE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "s3")
FARGATE_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3")
# What hands out the credentials of a role that aws-node has of its own.
ROLE_ENDPOINTS = {"irsa": ("sts",), "pod_identity": ("eks-auth",)}
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
)


@dataclass(frozen=True)
class DefaultRoutes:
    """Where a subnet's active routes to everywhere lead, by family; empty where there is none. And its route table."""

    ipv4: str = ""
    ipv6: str = ""
    table: str = ""

    @property
    def public(self) -> bool:
        """Whether one of them leads to an internet gateway. That ::/0 alone counts is presumed."""
        return self.ipv4.startswith("igw-") or self.ipv6.startswith("igw-")


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint of an AWS service. C(tables) are the route tables that lead to one of a gateway."""

    id: str
    service_name: str
    gateway: bool
    state: str
    private_dns: bool
    tables: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Endpoint:
        """From DescribeVpcEndpoints."""
        return cls(
            item["VpcEndpointId"],
            item["ServiceName"],
            item.get("VpcEndpointType", "Gateway") == "Gateway",
            str(item.get("State", "")).lower(),
            bool(item.get("PrivateDnsEnabled")),
            tuple(item.get("RouteTableIds", ())),
        )

    def serves(self, service: str, region: str) -> bool:
        """Whether it is of this service, such as C(ecr.api)."""
        return self.service_name.endswith(f".{region}.{service}")

    def flaw(self, table: str) -> str:
        """Why a subnet with this route table does not reach the service through it; empty where it does."""
        if self.state != "available":
            return f"{self.id} is {self.state}"
        if self.gateway and table not in self.tables:
            return f"{self.id} is not in {table}"
        if not self.gateway and not self.private_dns:
            return f"{self.id} has no private DNS"
        return ""


@dataclass(frozen=True)
class Egress:
    """The default routes by subnet; and the VPC's endpoints, which are read only where such a route is missing.

    C(unread) says that the caller may not read them.
    """

    routes: Mapping[str, DefaultRoutes] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()
    region: str = ""
    unread: bool = False

    def lacking(self, services: Sequence[str], subnet: str) -> list[str]:
        """Of these services those that a subnet reaches through no endpoint, each with what is wrong with it."""
        table = self.routes[subnet].table
        found = []
        for service in services:
            flaws = [item.flaw(table) for item in self.endpoints if item.serves(service, self.region)]
            if all(flaws):
                found.append(f"{service} ({', '.join(flaws)})" if flaws else service)
        return found


def read(session: Session, subnets: Mapping[str, SubnetView], look_for_endpoints: bool = True) -> Egress:
    """The default routes by subnet, of its own route table or else of the VPC's main one; endpoints where needed."""
    vpcs = sorted({subnet.vpc_id for subnet in subnets.values()})
    if not vpcs:
        return Egress()
    filters = [{"Name": "vpc-id", "Values": vpcs}]
    own: dict[str, DefaultRoutes] = {}
    main: dict[str, DefaultRoutes] = {}
    for table in session.pages("ec2", "DescribeRouteTables", "RouteTables", Filters=filters):
        found = default_routes(table.get("Routes", ()), table["RouteTableId"])
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                own[association["SubnetId"]] = found
            if association.get("Main"):
                main[table["VpcId"]] = found
    routes = {name: own.get(name) or main.get(subnet.vpc_id) or DefaultRoutes() for name, subnet in subnets.items()}
    if not look_for_endpoints or all(item.ipv4 and item.ipv6 for item in routes.values()):
        return Egress(routes, region=session.region)
    try:
        endpoints = session.pages("ec2", "DescribeVpcEndpoints", "VpcEndpoints", Filters=filters)
    except AwsError as error:
        if not error.denied:
            raise
        return Egress(routes, region=session.region, unread=True)
    return Egress(routes, tuple(Endpoint.of(item) for item in endpoints), session.region)


def default_routes(routes: Iterable[Mapping[str, Any]], table: str = "") -> DefaultRoutes:
    """A route table's active routes to everywhere (pure)."""
    found = {"ipv4": "", "ipv6": ""}
    for route in routes:
        target = next((str(route[key]) for key in _TARGETS if route.get(key)), "")
        if route.get("State", "active") != "active" or not target:
            continue
        if route.get("DestinationCidrBlock") == "0.0.0.0/0":
            found["ipv4"] = target
        if route.get("DestinationIpv6CidrBlock") == "::/0":
            found["ipv6"] = target
    return DefaultRoutes(**found, table=table)


def refuse(
    egress: Egress, ipv6: bool, services: Sequence[str], cluster: str = "", private_access: bool = True
) -> Iterator[Problem]:
    """Subnets without a way out in one of the families, and without the endpoints of these services in its place.

    C(private_access) says whether C(cluster) has its Kubernetes API in the VPC too, which such subnets need.
    """
    closed = False
    for destination, subnets, target in _without(egress, ipv6):
        lacking = list(dict.fromkeys(text for name in subnets for text in egress.lacking(services, name)))
        closed = closed or (destination == "0.0.0.0/0" and not lacking)
        if lacking:
            seen = f"no VPC endpoint in its place for {', '.join(lacking)}"
            unseen = "without ec2:DescribeVpcEndpoints the caller cannot tell whether endpoints serve in its place"
            yield Problem(
                "subnet_ids",
                f"{', '.join(subnets)} has no active route to {destination}, and {unseen if egress.unread else seen}.",
                f"Lead it to {target}; or make these endpoints, interface ones with private DNS; or set"
                f" skip_checks: [{SKIP}].",
                f"{FAMILY_SOURCE}; {SOURCE}",
                elsewhere=True,
            )
    if closed and not private_access:
        yield Problem(
            "subnet_ids",
            f"nodes there have no way out, and {cluster} has its API endpoint outside the VPC only.",
            "Turn on endpoint_private_access with eks_cluster.",
            SOURCE,
            elsewhere=True,
        )


def warn(egress: Egress, ipv6: bool, services: Sequence[str]) -> Iterator[str]:
    """What is passed for its endpoints, and should be known."""
    for destination, subnets, _target in _without(egress, ipv6):
        served = [name for name in subnets if not egress.lacking(services, name)]
        if served:
            what = (
                "nodes reach AWS through VPC endpoints, whose security groups and policies were not looked at"
                if destination == "0.0.0.0/0"
                else "pods have no way out of the VPC over IPv6"
            )
            yield f"subnet_ids: {', '.join(served)} has no active route to {destination}: {what}."


def refuse_public(egress: Egress) -> Iterator[Problem]:
    """Subnets that Fargate does not take."""
    public = [name for name, found in egress.routes.items() if found.public]
    if public:
        yield Problem(
            "subnet_ids",
            f"{', '.join(public)} has a route to an internet gateway; Fargate takes private subnets only.",
            "Take subnets whose ::/0 leads to an egress-only internet gateway.",
            "EKS API reference, CreateFargateProfile",
            elsewhere=True,
        )


def _without(egress: Egress, ipv6: bool) -> Iterator[tuple[str, list[str], str]]:
    """(destination, the subnets without an active route to it, where it should lead)."""
    routes = egress.routes.items()
    lacking = [name for name, found in routes if not found.ipv4]
    if lacking:
        yield "0.0.0.0/0", lacking, "a NAT or internet gateway"
    lacking = [name for name, found in routes if ipv6 and not found.ipv6]
    if lacking:
        yield "::/0", lacking, "an egress-only or internet gateway"
