# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of C(ec2_route_ipv6): routes, and the tables that shall have them (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..addressing import AddressError, canonical, ipv6
from ..plan import Problem, is_pending

NAT64 = "64:ff9b::/96"
IGW, EIGW, NAT = "internet_gateway", "egress_only_internet_gateway", "nat_gateway"
MEMBERS = {
    "igw-": "GatewayId",
    "vgw-": "GatewayId",
    "eigw-": "EgressOnlyInternetGatewayId",
    "nat-": "NatGatewayId",
    "tgw-": "TransitGatewayId",
    "pcx-": "VpcPeeringConnectionId",
    "eni-": "NetworkInterfaceId",
}
NAT_SOURCE = "VPC user guide: a NAT gateway takes IPv6 traffic to 64:ff9b::/96 only (NAT64)"


@dataclass(frozen=True)
class Wanted:
    """A route as it shall be. C(target) is an id, one of the three words, or None where any target is meant."""

    option: str
    destination: str
    target: str | None


@dataclass(frozen=True)
class Document:
    """The routes, and the tables that shall have them."""

    vpc_id: str | None
    subnet_ids: tuple[str, ...]
    subnet_filter_tags: Mapping[str, str] | None
    route_table_ids: tuple[str, ...]
    route_table_filter_tags: Mapping[str, str] | None
    routes: tuple[Wanted, ...]
    shared_tables: str
    creates_gateway: bool
    tags: Mapping[str, str]
    present: bool
    planned: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any], check_mode: bool = False) -> Document:
        """From the module's parameters. What earlier tasks have planned counts in check mode only."""
        return cls(
            vpc_id=params["vpc_id"],
            subnet_ids=tuple(params["subnet_ids"] or ()),
            subnet_filter_tags=params["subnet_filter_tags"],
            route_table_ids=tuple(params["route_table_ids"] or ()),
            route_table_filter_tags=params["route_table_filter_tags"],
            routes=tuple(
                Wanted(f"routes[{position}]", _spelled(entry["destination"]), entry.get("target"))
                for position, entry in enumerate(params["routes"])
            ),
            shared_tables=params["shared_tables"],
            creates_gateway=params["create_egress_only_internet_gateway"],
            tags=params["tags"] or {},
            present=params["state"] == "present",
            planned=tuple(params["planned"] or ()) if check_mode else (),
        )

    @property
    def names_subnets(self) -> bool:
        """Whether tables are named by the subnets they serve."""
        return bool(self.subnet_ids) or self.subnet_filter_tags is not None

    def leads_to(self, word: str, prefix: str) -> bool:
        """Whether a route leads to a gateway of this kind, named by the word or by its id."""
        return any(item.target is not None and item.target.startswith((word, prefix)) for item in self.routes)


def refuse(document: Document) -> list[Problem]:
    """What the document itself gets wrong."""
    problems = []
    tables = bool(document.route_table_ids) or document.route_table_filter_tags is not None
    if not document.names_subnets and not tables:
        problems.append(Problem("subnet_ids", "neither subnets nor route tables are named.", "Name some."))
    for option in ("subnet_filter_tags", "route_table_filter_tags"):
        if getattr(document, option) is not None and document.vpc_id is None:
            problems.append(Problem(option, "tags are looked for in one VPC.", "Give vpc_id."))
    seen: dict[str, str] = {}
    for item in document.routes:
        problems.extend(_refuse_route(document, item))
        if item.destination in seen:
            problems.append(Problem(item.option, f"{item.destination} is the destination of {seen[item.destination]}."))
        seen.setdefault(item.destination, item.option)
    return problems


def _spelled(destination: str) -> str:
    """A destination in its one spelling; one that is no network as it was given, to be refused."""
    try:
        return canonical(destination)
    except AddressError:
        return destination


def _refuse_route(document: Document, item: Wanted) -> list[Problem]:
    problems = []
    try:
        ipv6(item.destination)
    except AddressError as error:
        remedy = "This module manages IPv6 routes only."
        problems.append(Problem(f"{item.option}.destination", f"{error}.", remedy))
    target = item.target
    if target is None:
        return [*problems, Problem(f"{item.option}.target", "is needed.")] if document.present else problems
    if target not in (IGW, EIGW, NAT) and not is_pending(target) and not target.startswith(tuple(MEMBERS)):
        known = ", ".join([IGW, EIGW, NAT, *(f"{prefix}..." for prefix in MEMBERS)])
        problems.append(Problem(f"{item.option}.target", f"{target} is none of {known}."))
    if target.startswith((NAT, "nat-")) and item.destination != NAT64:
        problems.append(
            Problem(f"{item.option}.target", f"cannot be a NAT gateway for {item.destination}.", "", NAT_SOURCE)
        )
    return problems
