# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnets and security groups as EKS looks at them when something shall be placed there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plan import Problem, is_pending
from ..session import Session

NETWORK_SOURCE = "EKS User Guide, VPC and subnet requirements"
FAMILY_SOURCE = "EKS User Guide, IPv6 addresses for clusters, pods, and services"


@dataclass(frozen=True)
class SubnetView:
    """A subnet, reduced to what EKS's rules are about."""

    id: str
    vpc_id: str
    zone: str
    zone_id: str
    has_ipv4: bool
    has_ipv6: bool
    assigns_ipv6: bool
    assigns_public_ipv4: bool
    on_outpost: bool
    free_ipv4: int

    @classmethod
    def of(cls, subnet: Mapping[str, Any]) -> SubnetView:
        """From DescribeSubnets. An entry in the association set is not enough: it stays when the block is gone."""
        states = [item["Ipv6CidrBlockState"]["State"] for item in subnet.get("Ipv6CidrBlockAssociationSet", ())]
        return cls(
            id=subnet["SubnetId"],
            vpc_id=subnet["VpcId"],
            zone=subnet["AvailabilityZone"],
            zone_id=subnet.get("AvailabilityZoneId", ""),
            has_ipv4=bool(subnet.get("CidrBlock")) and not subnet.get("Ipv6Native", False),
            has_ipv6="associated" in states,
            assigns_ipv6=bool(subnet.get("AssignIpv6AddressOnCreation")),
            assigns_public_ipv4=bool(subnet.get("MapPublicIpOnLaunch")),
            on_outpost=bool(subnet.get("OutpostArn")),
            free_ipv4=int(subnet.get("AvailableIpAddressCount", 0)),
        )


def known(identities: Iterable[str] | None) -> list[str]:
    """The ids that AWS has given already, each once."""
    return list(dict.fromkeys(identity for identity in identities or () if not is_pending(identity)))


def read_subnets(session: Session, identities: Iterable[str] | None) -> dict[str, SubnetView]:
    """The subnets by id. One that is not there is missing; pending ids are not asked for."""
    wanted = known(identities)
    if not wanted:
        return {}
    filters = [{"Name": "subnet-id", "Values": wanted}]
    found = session.pages("ec2", "DescribeSubnets", "Subnets", Filters=filters)
    return {subnet["SubnetId"]: SubnetView.of(subnet) for subnet in found}


def read_group_vpcs(session: Session, identities: Iterable[str] | None) -> dict[str, str]:
    """Each security group's VPC by the group's id. One that is not there is missing."""
    wanted = known(identities)
    if not wanted:
        return {}
    filters = [{"Name": "group-id", "Values": wanted}]
    found = session.pages("ec2", "DescribeSecurityGroups", "SecurityGroups", Filters=filters)
    return {group["GroupId"]: group["VpcId"] for group in found}


def subnet_problems(subnets: Mapping[str, SubnetView], wanted: Sequence[str], vpc_id: str, ipv6: bool) -> list[Problem]:
    """What keeps subnets from a cluster or its nodes: unknown, of another VPC, on an Outpost, without a family.

    C(vpc_id) is the cluster's, empty while it has none.
    """
    problems = []
    missing = [identity for identity in known(wanted) if identity not in subnets]
    if missing:
        problems.append(Problem("subnet_ids", f"EC2 knows no subnet {', '.join(missing)} in this region and account."))
    vpcs = {subnet.vpc_id for subnet in subnets.values()}
    if vpc_id and vpcs - {vpc_id}:
        strangers = ", ".join(subnet.id for subnet in subnets.values() if subnet.vpc_id != vpc_id)
        problems.append(
            Problem("subnet_ids", f"{strangers} is outside the cluster's VPC {vpc_id}.", source=NETWORK_SOURCE)
        )
    elif len(vpcs) > 1:
        problems.append(
            Problem("subnet_ids", f"the subnets lie in several VPCs: {', '.join(sorted(vpcs))}.", source=NETWORK_SOURCE)
        )
    outposts = [subnet.id for subnet in subnets.values() if subnet.on_outpost]
    if outposts:
        problems.append(
            Problem(
                "subnet_ids", f"{', '.join(outposts)} is on an Outpost.", "Give subnets of the Region.", FAMILY_SOURCE
            )
        )
    return problems + (_family_problems(subnets.values()) if ipv6 else [])


def _family_problems(subnets: Iterable[SubnetView]) -> list[Problem]:
    problems = []
    everyone = list(subnets)
    for family, remedy, lacking in (
        ("IPv6", "Associate one with each.", [subnet.id for subnet in everyone if not subnet.has_ipv6]),
        ("IPv4", "Give dual-stack subnets.", [subnet.id for subnet in everyone if not subnet.has_ipv4]),
    ):
        if lacking:
            problems.append(
                Problem(
                    "subnet_ids",
                    f"{', '.join(lacking)} has no {family} CIDR block; an IPv6 cluster needs both families everywhere.",
                    remedy,
                    FAMILY_SOURCE,
                    elsewhere=family == "IPv6",
                )
            )
    return problems
