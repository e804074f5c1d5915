# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnet CIDR reservations for IPv6 prefixes: a part of a subnet that only /80 prefixes are assigned from.

A node takes one /80 of its subnet for its pods. Single addresses are assigned at random over the whole subnet, and each
spoils a /80. With a part reserved for prefixes they stay out of it (VPC user guide: subnet CIDR reservations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import tags as tagging
from ..addressing import canonical, ipv6, last_part
from ..plan import Plan, Problem, Ref, Risk, Step, is_pending
from ..session import Session
from .ownership import Owner

PART = "prefix-reservation"
LENGTHS = range(65, 81)  # within a /64, and not smaller than the one prefix a node takes


@dataclass(frozen=True)
class Reservation:
    """A reservation as it shall be: the last part of this length of a subnet's IPv6 block."""

    owner: Owner
    option: str
    subnet_address: str
    subnet_id: Any
    ipv6_cidr_block: Any
    prefix_length: int

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"{self.subnet_address}/{PART}"

    @property
    def cidr(self) -> Any:
        """The part; a Ref while the subnet's block is one."""
        block, carve = self.ipv6_cidr_block, partial(last_part, prefix_length=self.prefix_length)
        if not isinstance(block, Ref):
            return carve(block)
        inner = block.via
        return Ref(block.resource, block.path, partial(_both, inner, carve), f"{block.label}/{self.prefix_length}")


@dataclass(frozen=True)
class Observed:
    """A reservation as it is."""

    id: str
    subnet_id: str
    cidr: str
    for_prefixes: bool
    tags: Mapping[str, str]


def observe(session: Session, subnet_ids: Sequence[str]) -> list[Observed]:
    """The IPv6 reservations in these subnets: EC2 tells them of one subnet a call."""
    reads = {
        subnet_id: lambda subnet_id=subnet_id: session.read("ec2", "GetSubnetCidrReservations", SubnetId=subnet_id)
        for subnet_id in subnet_ids
    }
    answers = session.together(**reads)
    return [_observed(item) for answer in answers.values() for item in answer.get("SubnetIpv6CidrReservations", ())]


def refuse(wanted: Sequence[Reservation], live: Sequence[Observed]) -> list[Problem]:
    """Reservations that are there and in the way: EC2 takes no two that overlap."""
    problems = []
    for item in wanted:
        cidr = item.cidr
        for other in live:
            mine = other.subnet_id == item.subnet_id and not isinstance(cidr, Ref)
            if mine and ipv6(other.cidr).overlaps(ipv6(cidr)) and not _is(other, cidr):
                message = f"{cidr} overlaps {other.id} ({other.cidr}) of {item.subnet_id}."
                problems.append(Problem(item.option, message, "Delete that reservation, or choose another length."))
    return problems


def plan(wanted: Sequence[Reservation], live: Sequence[Observed]) -> Plan:
    """Make the reservations that are missing."""
    steps = []
    for item in wanted:
        cidr = item.cidr
        if any(other.subnet_id == item.subnet_id and _is(other, cidr) for other in live):
            continue
        tags = item.owner.wanted_tags(PART)
        request = {
            "SubnetId": item.subnet_id,
            "Cidr": cidr,
            "ReservationType": "prefix",
            "TagSpecifications": tagging.specification("subnet-cidr-reservation", tags),
        }
        after = {"cidr": cidr, "reservation_type": "prefix", "tags": tags}
        steps.append(Step("ec2", "CreateSubnetCidrReservation", request, item.address, after=after))
    return Plan.of(steps)


def plan_absent(owner: Owner, live: Sequence[Observed]) -> Plan:
    """Delete the reservations that this network made. Prefixes that nodes have of them stay assigned."""
    return Plan.of(
        [
            Step(
                "ec2",
                "DeleteSubnetCidrReservation",
                {"SubnetCidrReservationId": item.id},
                f"subnet/{item.subnet_id}/{PART}",
                {"cidr": item.cidr},
                {"cidr": None},
                Risk.SAFE,
            )
            for item in live
            if owner.owns(item.tags, PART)
        ]
    )


def live_ids(wanted: Sequence[Reservation]) -> list[str]:
    """The subnets that are there already."""
    return [item.subnet_id for item in wanted if not is_pending(item.subnet_id)]


def _both(first: Any, second: Any, value: Any) -> Any:
    return second(first(value) if first else value)


def _is(observed: Observed, cidr: Any) -> bool:
    return observed.for_prefixes and not isinstance(cidr, Ref) and canonical(observed.cidr) == canonical(cidr)


def _observed(item: Mapping[str, Any]) -> Observed:
    return Observed(
        id=item["SubnetCidrReservationId"],
        subnet_id=item["SubnetId"],
        cidr=item["Cidr"],
        for_prefixes=item["ReservationType"] == "prefix",
        tags=tagging.to_dict(item.get("Tags")),
    )
