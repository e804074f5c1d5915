# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NAT gateways with their Elastic IP addresses: the IPv4 way out of private subnets. IPv6 never takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..plan import Await, Plan, Ref, Risk, Step, Wait
from ..session import Session
from .filters import tagged
from .ownership import NETWORK_TAG, PART_TAG, Owner

LIVE = ("pending", "available")
STATE = "NatGateways[0].State"


@dataclass(frozen=True)
class NatGateway:
    """A NAT gateway as it shall be: one in this zone, in this (public) subnet."""

    owner: Owner
    availability_zone: str
    subnet_id: Any

    @property
    def part(self) -> str:
        """What the gateway, and its address, are within their network."""
        return f"nat-gateway/{self.availability_zone}"

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return self.owner.address("nat-gateway", self.availability_zone)

    @property
    def ip_address(self) -> str:
        """The readable address of its Elastic IP."""
        return self.owner.address("elastic-ip", self.availability_zone)


@dataclass(frozen=True)
class Observed:
    """A NAT gateway as it is; C(public) tells one that reaches the internet."""

    id: str
    subnet_id: str
    state: str
    public: bool
    public_ip: str | None
    allocation_id: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class ObservedAddress:
    """An Elastic IP address as it is."""

    allocation_id: str
    public_ip: str
    in_use: bool
    tags: Mapping[str, str]


def observe(session: Session, vpc_id: str) -> list[Observed]:
    """Every NAT gateway of a VPC, but those that are gone."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    listed = session.pages("ec2", "DescribeNatGateways", "NatGateways", Filters=filters)
    return [_observed(item) for item in listed if item["State"] in (*LIVE, "deleting")]


def observe_addresses(session: Session, owner: Owner) -> list[ObservedAddress]:
    """The Elastic IP addresses that this network has allocated."""
    return [
        ObservedAddress(
            item["AllocationId"], item["PublicIp"], "AssociationId" in item, tagging.to_dict(item.get("Tags"))
        )
        for item in tagged(session, "DescribeAddresses", "Addresses", {NETWORK_TAG: owner.network})
    ]


def match(desired: NatGateway, live: Iterable[Observed], zone_of: Mapping[str, str]) -> Observed | None:
    """The gateway that serves a zone: this network's own, else any public one in the zone (C(zone_of) by subnet)."""
    serving = [item for item in live if item.state in LIVE]
    own = [item for item in serving if desired.owner.owns(item.tags, desired.part)]
    others = [item for item in serving if item.public and zone_of.get(item.subnet_id) == desired.availability_zone]
    return next(iter(own or sorted(others, key=lambda item: item.id)), None)


def plan(wanted: Sequence[tuple[NatGateway, Observed | None]], addresses: Sequence[ObservedAddress]) -> Plan:
    """Allocate addresses, make the gateways, then wait for all: they become available side by side."""
    steps: list[Step | Await] = []
    for desired, observed in wanted:
        if observed is None:
            steps.extend(_create(desired, addresses))
    waits = [
        Await(desired.address, _wait(nat_gateway_id(desired, observed)))
        for desired, observed in wanted
        if observed is None or observed.state == "pending"
    ]
    return Plan.of(steps, waits)


def nat_gateway_id(desired: NatGateway, observed: Observed | None) -> Any:
    """The gateway's id, for routes."""
    return observed.id if observed else Ref(desired.address, "NatGateway.NatGatewayId")


def facts(desired: NatGateway, observed: Observed | None) -> dict[str, Any]:
    """The gateway as it will be."""
    public_ip = (
        observed.public_ip if observed else Ref(desired.address, "NatGateways[0].NatGatewayAddresses[0].PublicIp")
    )
    return {
        "id": nat_gateway_id(desired, observed),
        "availability_zone": desired.availability_zone,
        "subnet_id": observed.subnet_id if observed else desired.subnet_id,
        "public_ip": public_ip,
    }


def plan_absent(owner: Owner, gone: Sequence[Observed], addresses: Sequence[ObservedAddress]) -> Plan:
    """Delete gateways, wait for all, release what they and interrupted runs held.

    An address that something else uses stays: a network of this name in another VPC has addresses of its own.
    """
    staying = {item.allocation_id for item in used_otherwise(gone, addresses)}
    deletes = [
        Step(
            "ec2",
            "DeleteNatGateway",
            {"NatGatewayId": item.id},
            _address_of(owner, item.tags, "nat-gateway"),
            before={"id": item.id, "public_ip": item.public_ip},
            risk=Risk.IRREVERSIBLE,
        )
        for item in gone
        if item.state in LIVE
    ]
    waits = [
        Await(
            _address_of(owner, item.tags, "nat-gateway"),
            Wait(
                "ec2", "DescribeNatGateways", {"NatGatewayIds": [item.id]}, STATE, ("deleted",), gone=True, interval=5
            ),
        )
        for item in gone
    ]
    releases = [
        Step(
            "ec2",
            "ReleaseAddress",
            {"AllocationId": item.allocation_id},
            _address_of(owner, item.tags, "elastic-ip"),
            before={"public_ip": item.public_ip},
            risk=Risk.IRREVERSIBLE,
        )
        for item in addresses
        if item.allocation_id not in staying
    ]
    return Plan.of(deletes, waits, releases)


def used_otherwise(gone: Iterable[Observed], addresses: Iterable[ObservedAddress]) -> list[ObservedAddress]:
    """The addresses that are in use, and not by gateways about to go."""
    freed = {item.allocation_id for item in gone}
    return [item for item in addresses if item.in_use and item.allocation_id not in freed]


def _create(desired: NatGateway, addresses: Iterable[ObservedAddress]) -> list[Step]:
    tags = desired.owner.wanted_tags(desired.part, f"nat-{desired.availability_zone}")
    spare = next((item for item in addresses if not item.in_use and desired.owner.owns(item.tags, desired.part)), None)
    allocate = Step(
        "ec2",
        "AllocateAddress",
        {"Domain": "vpc", "TagSpecifications": tagging.specification("elastic-ip", tags)},
        desired.ip_address,
        after={"tags": tags},
    )
    request = {
        "SubnetId": desired.subnet_id,
        "AllocationId": spare.allocation_id if spare else Ref(desired.ip_address, "AllocationId"),
        "TagSpecifications": tagging.specification("natgateway", tags),
    }
    after = {"subnet_id": desired.subnet_id, "allocation_id": request["AllocationId"], "tags": tags}
    create = Step("ec2", "CreateNatGateway", request, desired.address, after=after)
    return [create] if spare else [allocate, create]


def _wait(gateway_id: Any) -> Wait:
    return Wait(
        "ec2",
        "DescribeNatGateways",
        {"NatGatewayIds": [gateway_id]},
        STATE,
        ("available",),
        ("failed", "deleting", "deleted"),
        detail="NatGateways[0].FailureMessage",
        interval=5,
    )


def _address_of(owner: Owner, tags: Mapping[str, str], kind: str) -> str:
    zone = tags.get(PART_TAG, "").partition("/")[2]
    return owner.address(kind, zone)


def _observed(item: Mapping[str, Any]) -> Observed:
    first = (item.get("NatGatewayAddresses") or [{}])[0]
    return Observed(
        id=item["NatGatewayId"],
        subnet_id=item["SubnetId"],
        state=item["State"],
        public=item.get("ConnectivityType", "public") == "public",
        public_ip=first.get("PublicIp"),
        allocation_id=first.get("AllocationId"),
        tags=tagging.to_dict(item.get("Tags")),
    )
