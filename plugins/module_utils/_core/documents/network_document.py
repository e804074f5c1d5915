# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of C(ec2_vpc_ipv6_network): from parameters to what each resource shall be (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ec2.ownership import Owner
from ..ec2.subnet import Subnet
from ..ec2.subnet_cidr_reservation import LENGTHS
from ..ec2.vpc import Vpc
from ..plan import Problem

RESERVATION = "private_subnet_ipv6_reservation_length"
TIERS = (("public", True), ("private", False))
LONGEST_NAME = 200  # Name tags begin with it, and AWS takes 256 characters of a tag
PREFIX_LENGTHS = {"public": 24, "private": 20}
# Zones that EKS takes no cluster subnets in (EKS user guide: network requirements).
NO_EKS_ZONE_IDS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
ZONES_SOURCE = "EKS user guide: a cluster needs subnets in at least two Availability Zones"


@dataclass(frozen=True)
class Document:
    """A network as it shall be, before its zones are known."""

    owner: Owner
    vpc: Vpc
    zones: tuple[str, ...] | None
    zone_count: int
    nat_gateways: str | None
    egress_only_internet_gateway: bool
    params: Mapping[str, Any]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Document:
        """From the module's parameters."""
        owner = Owner(params["name"], params["tags"] or {})
        zones = params["availability_zones"]
        return cls(
            owner=owner,
            vpc=Vpc.from_params(params["vpc"] or {}, owner),
            zones=tuple(zones) if zones is not None else None,
            zone_count=params["availability_zone_count"],
            nat_gateways=params["nat_gateways"],
            egress_only_internet_gateway=params["egress_only_internet_gateway"],
            params=params,
        )

    @property
    def nat_mode(self) -> str:
        """A network made here has one NAT gateway unless told otherwise; in a VPC that was adopted nobody asked."""
        return self.nat_gateways or ("none" if self.vpc.adopted else "single")

    @property
    def reservation_length(self) -> int | None:
        """The size of the part of private subnets' IPv6 blocks that is reserved for prefixes; None reserves none."""
        length: int | None = self.params[RESERVATION]
        return length

    @property
    def needs_zones(self) -> bool:
        """Whether subnets are to be spread over zones, rather than all be listed."""
        return any(self.params[f"{tier}_subnets"] is None for tier, _public in TIERS)

    def subnets(self, zones: Sequence[str]) -> list[Subnet]:
        """All subnets: the public ones first, each tier in the document's order."""
        return [subnet for tier, public in TIERS for subnet in self._tier(tier, public, zones)]

    def _tier(self, tier: str, public: bool, zones: Sequence[str]) -> Iterable[Subnet]:
        listed = self.params[f"{tier}_subnets"]
        entries = [{"availability_zone": zone} for zone in zones] if listed is None else listed
        common = self.params[f"{tier}_subnet_tags"] or {}
        for position, entry in enumerate(entries):
            zone = entry.get("availability_zone")
            tags = {**common, **(entry.get("tags") or {})}
            yield Subnet(
                owner=self.owner,
                name=entry.get("name") or f"{tier}-{zone or entry.get('id') or position}",
                public=public,
                availability_zone=zone,
                option=f"{tier}_subnets" if listed is None else f"{tier}_subnets[{position}]",
                id=entry.get("id"),
                filter_tags=entry.get("filter_tags"),
                cidr_block=entry.get("cidr_block"),
                prefix_length=self.params[f"{tier}_subnet_prefix_length"],
                ipv6_cidr_block=entry.get("ipv6_cidr_block"),
                ipv6_slot=entry.get("ipv6_slot"),
                map_public_ip_on_launch=entry.get("map_public_ip_on_launch"),
                tags=tags or None,
            )


def refuse(document: Document, region: str) -> list[Problem]:
    """What the document gets wrong about its zones and gateways, seen without a call."""
    problems = []
    if not 1 <= len(document.owner.network) <= LONGEST_NAME:
        message = f"has {len(document.owner.network)} characters."
        problems.append(Problem("name", message, f"Give 1 to {LONGEST_NAME}: Name tags begin with it."))
    zones = document.zones or ()
    if document.zones is not None and len(set(zones)) != len(zones):
        problems.append(Problem("availability_zones", "names a zone twice."))
    problems += [
        Problem("availability_zones", f"{zone} is not in the region {region}.")
        for zone in zones
        if not zone.startswith(region)
    ]
    count = len(zones) if document.zones is not None else document.zone_count
    if document.needs_zones and count < 2:
        problems.append(Problem("availability_zones", f"{count} is too few.", source=ZONES_SOURCE))
    for tier, _public in TIERS:
        length = document.params[f"{tier}_subnet_prefix_length"]
        if not 16 <= length <= 28:
            problems.append(Problem(f"{tier}_subnet_prefix_length", f"/{length} is no /16 to /28."))
    if document.reservation_length is not None and document.reservation_length not in LENGTHS:
        message = f"/{document.reservation_length} is no /65 to /80, and prefixes of /80 are assigned out of it."
        problems.append(Problem(RESERVATION, message))
    if document.params["public_subnets"] == [] and document.nat_gateways in ("single", "per_zone"):
        problems.append(Problem("nat_gateways", "a NAT gateway needs a public subnet.", "Give nat_gateways: none."))
    return problems


def choose_zones(document: Document, living: Iterable[str], available: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The zones to spread over: as given; else those the network lives in, filled up in order of their names."""
    if document.zones is not None:
        return document.zones
    chosen = sorted(set(living))
    usable = [item["ZoneName"] for item in available if item.get("ZoneId") not in NO_EKS_ZONE_IDS]
    chosen += [zone for zone in sorted(usable) if zone not in chosen][: max(0, document.zone_count - len(chosen))]
    return tuple(chosen)


def refuse_zones(
    subnets: Sequence[Subnet], missing: Iterable[str], available: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    """Zones that new subnets would go to and that the region does not offer, or EKS does not take."""
    by_name = {item["ZoneName"]: item for item in available}
    problems = []
    for zone in sorted(set(missing)):
        item = by_name.get(zone)
        option = next(subnet.option for subnet in subnets if subnet.availability_zone == zone)
        if item is None:
            offered = ", ".join(sorted(by_name))
            problems.append(Problem(option, f"there is no Availability Zone {zone}.", f"The region has {offered}."))
        elif item.get("ZoneId") in NO_EKS_ZONE_IDS:
            problems.append(Problem(option, f"EKS takes no subnets in {zone} ({item['ZoneId']}).", "Choose another."))
    return problems
