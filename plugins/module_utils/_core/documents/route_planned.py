# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route tables and gateways as they are once earlier tasks of the same check mode are done (pure).

What an earlier task has planned is what it returned: a network, or the tables and gateways of routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..ec2 import egress_only_internet_gateway as egress
from ..ec2 import internet_gateway as internet
from ..ec2 import subnet
from ..ec2.route_table import IPV4_DEFAULT, IPV6_DEFAULT, SPLIT_TAG, Observed, Route, Target
from ..plan import PENDING, is_pending
from .route_document import MEMBERS

Planned = Iterable[Mapping[str, Any]]


def target_of(text: str) -> Target:
    """What an id, or the text that stands for one to come, is the id of."""
    egress_only = is_pending(text) and egress.PART in text
    otherwise = "EgressOnlyInternetGatewayId" if egress_only else "GatewayId"
    return Target(next((name for prefix, name in MEMBERS.items() if text.startswith(prefix)), otherwise), text)


def tables(live: Iterable[Observed], planned: Planned) -> tuple[Observed, ...]:
    """All tables, those that are about to be split off among them."""
    found = {table.id: table for table in live}
    for result in planned:
        for entry in result.get("subnets") or ():
            _lead_out(found, entry, result)
        for entry in result.get("route_tables") or ():
            _change(found, entry)
    return tuple(found.values())


def internet_gateways(live: Mapping[str, internet.Observed], planned: Planned) -> dict[str, internet.Observed]:
    """The internet gateways by VPC."""
    coming = {
        result["vpc_id"]: internet.Observed(result["internet_gateway_id"], result["vpc_id"], {})
        for result in planned
        if result.get("internet_gateway_id")
    }
    return {**coming, **live}


def egress_gateways(live: Mapping[str, egress.Observed], planned: Planned) -> dict[str, egress.Observed]:
    """The egress-only internet gateways by VPC."""
    coming: dict[str, str | None] = {}
    for result in planned:
        coming.update(result.get("egress_only_internet_gateway_ids") or {})
        if result.get("egress_only_internet_gateway_id"):
            coming[result["vpc_id"]] = result["egress_only_internet_gateway_id"]
    staying = {vpc_id: gateway for vpc_id, gateway in live.items() if coming.get(vpc_id, gateway.id) is not None}
    made = {vpc_id: egress.Observed(gateway_id, {}) for vpc_id, gateway_id in coming.items() if gateway_id is not None}
    return {**made, **staying}


def subnets(live: Iterable[subnet.Observed], planned: Planned) -> tuple[subnet.Observed, ...]:
    """All subnets, those that are about to be made among them."""
    found = {item.id: item for item in live}
    for result in planned:
        for entry in result.get("subnets") or ():
            if is_pending(entry["id"]):
                found.setdefault(entry["id"], subnet.to_come(entry["id"], entry, result["vpc_id"]))
    return tuple(found.values())


def _lead_out(found: dict[str, Observed], entry: Mapping[str, Any], network: Mapping[str, Any]) -> None:
    """The table of a network's subnet: made with its routes, joined, or given the IPv6 default route that it lacks."""
    table_id = entry.get("route_table_id") or ""
    gateway = network.get("internet_gateway_id" if entry.get("public") else "egress_only_internet_gateway_id")
    table = found.get(table_id)
    if table is None:
        if not is_pending(table_id):
            return
        table = Observed(table_id, False, {}, _ipv4_way_out(entry, network), {}, vpc_id=network["vpc_id"])
    if gateway and IPV6_DEFAULT not in table.routes:
        table = replace(table, routes={**table.routes, IPV6_DEFAULT: Route(target_of(gateway), "active")})
    found[table_id] = table
    if is_pending(entry["id"]):
        _move(found, table_id, [entry["id"]])


def _ipv4_way_out(entry: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Route]:
    gateways = network.get("nat_gateways") or ()
    nat = next((item for item in gateways if item["availability_zone"] == entry["availability_zone"]), None)
    nat = nat or next(iter(gateways), None)
    if entry.get("public"):
        target = Target("GatewayId", network.get("internet_gateway_id"))
    else:
        target = Target("NatGatewayId", nat["id"] if nat else None)
    return {IPV4_DEFAULT: Route(target, "active")} if target.id else {}


def _change(found: dict[str, Observed], entry: Mapping[str, Any]) -> None:
    source = found.get(entry.get("split_from") or "")
    table = found.get(entry["id"])
    if table is None:
        if source is None:
            return
        marks = {SPLIT_TAG: source.id}
        table = replace(source, id=entry["id"], main=False, associations={}, tags=marks)
    of_ipv4 = {destination: route for destination, route in table.routes.items() if ":" not in destination}
    of_ipv6 = {
        destination: table.routes[destination]
        if destination in table.routes and table.routes[destination].target.id == target
        else Route(target_of(target), "active")
        for destination, target in entry["ipv6_routes"].items()
    }
    found[table.id] = replace(table, routes={**of_ipv4, **of_ipv6})
    if source is not None:
        _move(found, table.id, entry["subnet_ids"])


def _move(found: dict[str, Observed], table_id: str, subnet_ids: Iterable[str]) -> None:
    """Subnets use a table from now on, and no other."""
    moving = {subnet_id: f"{PENDING}association/{subnet_id}" for subnet_id in subnet_ids}
    for table in list(found.values()):
        kept = {subnet_id: entry for subnet_id, entry in table.associations.items() if subnet_id not in moving}
        if table.id == table_id:
            kept = {**moving, **{key: value for key, value in table.associations.items() if key in moving}, **kept}
        found[table.id] = replace(table, associations=kept)
