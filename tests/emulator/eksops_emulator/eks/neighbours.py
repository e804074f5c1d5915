# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EKS reads and makes in EC2: subnets, security groups, routes, control plane network interfaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.moto_api._internal import mock_random

CLUSTER_GROUP_DESCRIPTION = (
    "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
    "as well as any managed workloads."
)


@dataclass(frozen=True)
class SubnetFacts:
    """A subnet as EKS looks at it."""

    id: str
    vpc_id: str
    zone: str
    zone_id: str
    has_ipv4: bool
    has_ipv6: bool
    assigns_ipv6: bool
    assigns_public_ipv4: bool
    on_outpost: bool


class Network:
    """The EC2 of one account and region."""

    def __init__(self, account_id: str, region: str) -> None:
        self.ec2: Any = ec2_backends[account_id][region]

    def subnet(self, subnet_id: str) -> SubnetFacts | None:
        for by_zone in self.ec2.subnets.values():
            if subnet_id in by_zone:
                return _facts(by_zone[subnet_id])
        return None

    def vpc_has_ipv6(self, vpc_id: str) -> bool:
        """Whether the VPC has an IPv6 block in state `associated`: an entry alone is not enough."""
        blocks = self.ec2.vpcs[vpc_id].get_cidr_block_association_set(ipv6=True)
        return any(_state(block["cidr_block_state"]) == "associated" for block in blocks)

    def vpc_ipv4_blocks(self, vpc_id: str) -> list[IPv4Network]:
        blocks = self.ec2.vpcs[vpc_id].get_cidr_block_association_set()
        networks = [ip_network(block["cidr_block"]) for block in blocks]
        return [network for network in networks if isinstance(network, IPv4Network)]

    def group_vpc(self, group_id: str) -> str | None:
        """The VPC of a security group; None when there is no such group."""
        group = self.ec2.get_security_group_from_id(group_id)
        return None if group is None else str(group.vpc_id)

    def default_routes(self, subnet_id: str, vpc_id: str) -> set[str]:
        """Ids of the internet gateways that the subnet's own or main route table sends 0.0.0.0/0 or ::/0 to."""
        tables = [table for table in self.ec2.route_tables.values() if table.vpc_id == vpc_id]
        own = [table for table in tables if subnet_id in table._associations.values()]
        chosen = own or [table for table in tables if table.main_association_id]
        routes = [route for table in chosen for route in table.view()["Routes"] if route["State"] == "active"]
        return {str(route["GatewayId"]) for route in routes if str(route.get("GatewayId", "")).startswith("igw-")}

    def create_cluster_group(self, cluster: str, vpc_id: str, ipv6: bool) -> str:
        """The cluster security group: everything among its members, everything out, AWS's name and tags."""
        name = f"eks-cluster-sg-{cluster}-{mock_random.randint(10**8, 2**31 - 1)}"
        tags = {"Name": name, f"kubernetes.io/cluster/{cluster}": "owned", "aws:eks:cluster-name": cluster}
        group = self.ec2.create_security_group(name, CLUSTER_GROUP_DESCRIPTION, vpc_id, tags=tags, force=True)
        group_id = str(group.id)
        self.ec2.authorize_security_group_ingress(
            group_id, "-1", "-1", "-1", [], source_groups=[{"GroupId": group_id}], vpc_id=vpc_id
        )
        ranges = {str(value) for rule in group.egress_rules for value in (rule.ip_range or {}).values()}
        for cidr, key in (("0.0.0.0/0", "CidrIp"), ("::/0", "CidrIpv6")):
            if cidr not in ranges and (ipv6 or key == "CidrIp"):
                self.ec2.authorize_security_group_egress(group_id, "-1", "-1", "-1", [{key: cidr}], vpc_id=vpc_id)
        return group_id

    def delete_group(self, group_id: str) -> None:
        """Take a group away unless a network interface still uses it (presumed: EKS leaves it then)."""
        in_use = any(group_id in (group.id for group in eni.group_set) for eni in self.ec2.enis.values())
        group = self.ec2.get_security_group_from_id(group_id)
        if group is not None and not in_use:
            self.ec2.groups[group.vpc_id].pop(group_id)

    def create_control_plane_interfaces(
        self, cluster: str, subnets: Iterable[SubnetFacts], groups: list[str]
    ) -> list[str]:
        """One requester-managed interface in each of two subnets of different zones; they keep the subnets in use."""
        chosen: dict[str, SubnetFacts] = {}
        for subnet in subnets:
            chosen.setdefault(subnet.zone, subnet)
        made = []
        for subnet in list(chosen.values())[:2]:
            eni = self.ec2.create_network_interface(
                subnet.id,
                [],
                group_ids=groups,
                description=f"Amazon EKS {cluster}",
                tags={"cluster.k8s.amazonaws.com/name": cluster},
                **({"ipv6_address_count": 1} if subnet.has_ipv6 else {}),
            )
            eni.requester_managed = True
            eni.managed = "eks"
            eni.status = "in-use"
            made.append(str(eni.id))
        return made

    def delete_interfaces(self, ids: Iterable[str]) -> None:
        for eni_id in ids:
            self.ec2.enis.pop(eni_id, None)


def instance_type(name: str) -> dict[str, Any] | None:
    """An instance type as DescribeInstanceTypes has it, None when EC2 has no such type."""
    found: dict[str, Any] | None = INSTANCE_TYPES.get(name)
    return found


def is_nitro(facts: dict[str, Any]) -> bool:
    """Nitro is `Hypervisor: nitro` or bare metal; Ipv6Supported alone is true of Xen types too."""
    return facts.get("Hypervisor") == "nitro" or bool(facts.get("BareMetal"))


def _facts(subnet: Any) -> SubnetFacts:
    states = [_state(block["ipv6CidrBlockState"]) for block in subnet.ipv6_cidr_block_associations.values()]
    return SubnetFacts(
        id=subnet.id,
        vpc_id=subnet.vpc_id,
        zone=subnet.availability_zone,
        zone_id=subnet.availability_zone_id,
        has_ipv4=bool(subnet.cidr_block),
        has_ipv6="associated" in states,
        assigns_ipv6=_truth(subnet.assign_ipv6_address_on_creation),
        assigns_public_ipv4=_truth(subnet.map_public_ip_on_launch),
        on_outpost=bool(getattr(subnet, "outpost_arn", None)),
    )


def _state(value: Any) -> str:
    """A block's state, whether it is kept as text or as `{"State": text}`."""
    return str(value.get("State") or value.get("state") if isinstance(value, dict) else value)


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"
