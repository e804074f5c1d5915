# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internet gateways: the way of public subnets, in both families. A VPC has one at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Ref, Risk, Step
from ..session import Session
from .filters import described, tagged
from .ownership import Owner

PART = "internet-gateway"


@dataclass(frozen=True)
class Observed:
    """An internet gateway as it is."""

    id: str
    attached_to: str | None
    tags: Mapping[str, str]


def address(owner: Owner) -> str:
    """The readable address, for plans."""
    return owner.address(PART)


def observe(session: Session, vpc_id: str) -> Observed | None:
    """The gateway attached to a VPC, whoever made it."""
    return observe_all(session, [vpc_id]).get(vpc_id)


def observe_all(session: Session, vpc_ids: Iterable[str]) -> dict[str, Observed]:
    """The gateways attached to these VPCs, by VPC."""
    listed = described(session, "DescribeInternetGateways", "InternetGateways", "attachment.vpc-id", vpc_ids)
    found = [_observed(item) for item in listed]
    return {item.attached_to: item for item in found if item.attached_to is not None}


def observe_unattached(session: Session, owner: Owner) -> Observed | None:
    """A gateway that an interrupted run made and did not come to attach."""
    listed = tagged(session, "DescribeInternetGateways", "InternetGateways", owner.marks(PART))
    return next((found for found in map(_observed, listed) if found.attached_to is None), None)


def gateway_id(owner: Owner, observed: Observed | None) -> Any:
    """The gateway's id, for routes."""
    return observed.id if observed else Ref(address(owner), "InternetGateway.InternetGatewayId")


def plan(owner: Owner, vpc_id: Any, observed: Observed | None) -> Plan:
    """Make the gateway, attach it."""
    if observed is not None and observed.attached_to is not None:
        return Plan()
    request = {"InternetGatewayId": gateway_id(owner, observed), "VpcId": vpc_id}
    attach = Step("ec2", "AttachInternetGateway", request, address(owner), {"vpc_id": None}, {"vpc_id": vpc_id})
    return Plan.of(_create(owner) if observed is None else None, attach)


def plan_absent(owner: Owner, observed: Observed | None) -> Plan:
    """Detach and delete a gateway that this network made."""
    if observed is None or not owner.owns(observed.tags, PART):
        return Plan()
    key = {"InternetGatewayId": observed.id}
    detach = None
    if observed.attached_to:
        request = {**key, "VpcId": observed.attached_to}
        before = {"vpc_id": observed.attached_to}
        detach = Step(
            "ec2", "DetachInternetGateway", request, address(owner), before, {"vpc_id": None}, Risk.DISRUPTIVE
        )
    delete = Step(
        "ec2", "DeleteInternetGateway", key, address(owner), before={"id": observed.id}, risk=Risk.IRREVERSIBLE
    )
    return Plan.of(detach, delete)


def _create(owner: Owner) -> Step:
    tags = owner.wanted_tags(PART)
    request = {"TagSpecifications": tagging.specification("internet-gateway", tags)}
    return Step("ec2", "CreateInternetGateway", request, address(owner), after={"tags": tags})


def _observed(item: Mapping[str, Any]) -> Observed:
    attachments = item.get("Attachments", [])
    return Observed(
        id=item["InternetGatewayId"],
        attached_to=attachments[0]["VpcId"] if attachments else None,
        tags=tagging.to_dict(item.get("Tags")),
    )
