# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Egress-only internet gateways: the IPv6 way out of private subnets.

DescribeEgressOnlyInternetGateways cannot be asked for a VPC: its only filters are tags. So all of the region's are read
and matched by attachment here; what is taken for a VPC's gateway is attached to it, and a second one is never made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Ref, Risk, Step
from ..session import Session
from .ownership import Owner

PART = "egress-only-internet-gateway"
LIVE = ("attached", "attaching")


@dataclass(frozen=True)
class Observed:
    """An egress-only internet gateway as it is."""

    id: str
    tags: Mapping[str, str]


def address(owner: Owner) -> str:
    """The readable address, for plans."""
    return owner.address(PART)


def observe(session: Session, vpc_id: str) -> Observed | None:
    """The gateway attached to a VPC, whoever made it."""
    return observe_all(session).get(vpc_id)


def observe_all(session: Session) -> dict[str, Observed]:
    """The region's gateways by the VPC each is attached to; of several the one with the lowest id."""
    listed = session.pages("ec2", "DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways")
    attached: dict[str, Observed] = {}
    for item in sorted(listed, key=lambda item: str(item["EgressOnlyInternetGatewayId"])):
        found = Observed(item["EgressOnlyInternetGatewayId"], tagging.to_dict(item.get("Tags")))
        for entry in item.get("Attachments", ()):
            if entry.get("State") in LIVE and entry.get("VpcId"):
                attached.setdefault(entry["VpcId"], found)
    return attached


def gateway_id(owner: Owner, observed: Observed | None) -> Any:
    """The gateway's id, for routes."""
    if observed is not None:
        return observed.id
    return Ref(address(owner), "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId")


def plan(owner: Owner, vpc_id: Any, observed: Observed | None) -> Plan:
    """Make the gateway; AWS attaches it in the same call."""
    if observed is not None:
        return Plan()
    tags = owner.wanted_tags(PART)
    request = {"VpcId": vpc_id, "TagSpecifications": tagging.specification("egress-only-internet-gateway", tags)}
    after = {"vpc_id": vpc_id, "tags": tags}
    return Plan.of(Step("ec2", "CreateEgressOnlyInternetGateway", request, address(owner), after=after))


def plan_absent(owner: Owner, observed: Observed | None) -> Plan:
    """Delete a gateway that this network made."""
    if observed is None or not owner.owns(observed.tags, PART):
        return Plan()
    request = {"EgressOnlyInternetGatewayId": observed.id}
    before = {"id": observed.id}
    return Plan.of(
        Step("ec2", "DeleteEgressOnlyInternetGateway", request, address(owner), before=before, risk=Risk.IRREVERSIBLE)
    )
