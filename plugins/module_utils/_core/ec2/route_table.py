# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route tables: those of a network with a default route for each family, single routes in others', and splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import tags as tagging
from ..addressing import canonical
from ..plan import Plan, Ref, Risk, Step
from ..session import Session
from .filters import described
from .ownership import Owner

SPLIT_TAG = tagging.OWN_PREFIX + "split-from"  # the id of the table that one was split from
LOCAL = "local"
IPV4_DEFAULT = "0.0.0.0/0"
IPV6_DEFAULT = "::/0"
TARGETS = (
    "EgressOnlyInternetGatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "GatewayId",
)


@dataclass(frozen=True)
class Target:
    """What a route points to: AWS's request member, and the id."""

    member: str
    id: Any


@dataclass(frozen=True)
class RouteTable:
    """A route table as it shall be. C(routes) by destination; C(subnets) are (address, id) of those it serves."""

    owner: Owner
    name: str
    routes: Mapping[str, Target]
    subnets: tuple[tuple[str, Any], ...]
    removed: tuple[str, ...] = field(default=())

    @property
    def part(self) -> str:
        """What the table is within its network."""
        return f"route-table/{self.name}"

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return self.owner.address("route-table", self.name)


@dataclass(frozen=True)
class Route:
    """A route as it is."""

    target: Target
    state: str


@dataclass(frozen=True)
class Observed:
    """A route table as it is; C(associations) by subnet id, C(entries) the routes as AWS tells them."""

    id: str
    main: bool
    associations: Mapping[str, str]
    routes: Mapping[str, Route]
    tags: Mapping[str, str]
    vpc_id: str = ""
    entries: tuple[Mapping[str, Any], ...] = ()
    propagating: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"route-table/{self.id}"


def observe(session: Session, vpc_id: str) -> list[Observed]:
    """Every route table of a VPC, in one paged read."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    return [_observed(item) for item in session.pages("ec2", "DescribeRouteTables", "RouteTables", Filters=filters)]


def observe_many(session: Session, name: str, values: Iterable[str]) -> list[Observed]:
    """The route tables that a filter (C(vpc-id), C(route-table-id)) finds by any of these values."""
    return [_observed(item) for item in described(session, "DescribeRouteTables", "RouteTables", name, values)]


def serving(subnet_id: Any, live: Iterable[Observed]) -> Observed | None:
    """The table that a subnet uses: its own association, else the VPC's main table."""
    tables = list(live)
    explicit = next((table for table in tables if subnet_id in table.associations), None)
    return explicit or next((table for table in tables if table.main), None)


def plan(vpc_id: Any, desired: RouteTable, live: Sequence[Observed]) -> Plan:
    """Make the table, bring its routes to their targets, and only then lead subnets to it."""
    observed = next((table for table in live if desired.owner.owns(table.tags, desired.part)), None)
    create = _create(vpc_id, desired) if observed is None else None
    return Plan.of(create, _routes(desired, observed), _associations(desired, observed, live))


def route_table_id(desired: RouteTable, live: Iterable[Observed]) -> Any:
    """The table's id."""
    observed = next((table for table in live if desired.owner.owns(table.tags, desired.part)), None)
    return observed.id if observed else Ref(desired.address, "RouteTable.RouteTableId")


def set_route(
    address: str, table_id: Any, routes: Mapping[str, Route], destination: str, target: Target
) -> Step | None:
    """Add a route, or lead it to another target; None where it is as wanted."""
    current = routes.get(destination)
    if current is None:
        return _create_route(address, table_id, destination, target)
    if current.target != target:
        return _replace_route(address, table_id, destination, current.target, target)
    return None


def remove_route(address: str, table_id: Any, destination: str, current: Target) -> Step:
    """Take a route away."""
    request = {"RouteTableId": table_id, **_destination(destination)}
    return Step("ec2", "DeleteRoute", request, address, {destination: current.id}, {destination: None}, Risk.DISRUPTIVE)


def not_to_copy(source: Observed, but: Iterable[str]) -> list[str]:
    """The routes of a table, without those named, that no call can give another table; each with the reason."""
    return [f"{_where(entry)} ({reason})" for entry in _own_entries(source, but) if (reason := _uncopyable(entry))]


def plan_split(
    source: Observed,
    part: Observed | None,
    tags: Mapping[str, str],
    routes: Sequence[tuple[str, Target | None]],
    subnet_ids: Sequence[str],
    but: Iterable[str],
) -> Plan:
    """Give subnets a table of their own that says what C(source) says, without the destinations C(but), with C(routes).

    C(part) is the table of an earlier, interrupted split. Subnets change over last, when the table is complete.
    """
    address = split_address(source)
    table_id = part.id if part else split_ref(source)
    has = {_where(entry) for entry in part.entries} if part else set()
    steps: list[Step | None] = []
    if part is None:
        marks = {"Name": f"{source.tags.get('Name', source.id)}-ipv6", **tags, SPLIT_TAG: source.id}
        request: dict[str, Any] = {
            "VpcId": source.vpc_id,
            "TagSpecifications": tagging.specification("route-table", marks),
        }
        after = {"vpc_id": source.vpc_id, "split_from": source.id, "tags": marks}
        steps.append(Step("ec2", "CreateRouteTable", request, address, after=after))
    for gateway in source.propagating:
        if part is None or gateway not in part.propagating:
            request = {"RouteTableId": table_id, "GatewayId": gateway}
            after = {"propagating": gateway}
            steps.append(Step("ec2", "EnableVgwRoutePropagation", request, address, after=after))
    for entry in _own_entries(source, but):
        if _where(entry) not in has:
            steps.append(_copy(address, table_id, entry))
    for destination, target in routes:
        if target is not None:
            steps.append(set_route(address, table_id, part.routes if part else {}, destination, target))
    steps += [_change_over(subnet_id, source, table_id) for subnet_id in subnet_ids]
    return Plan.of([step for step in steps if step is not None])


def split_address(source: Observed) -> str:
    """The readable address of the table split from another."""
    return f"route-table/split-of-{source.id}"


def split_ref(source: Observed) -> Ref:
    """The id of the table split from another, in the plan that makes it."""
    return Ref(split_address(source), "RouteTable.RouteTableId")


def plan_absent(owner: Owner, live: Iterable[Observed], subnets_staying: Iterable[str]) -> Plan:
    """Delete this network's tables; a subnet that stays is released first, and falls back to the main table."""
    staying = set(subnets_staying)
    steps = []
    for table in live:
        if not owner.owns(table.tags):
            continue
        address = f"route-table/{table.tags.get('Name', table.id)}"
        for subnet_id, association_id in sorted(table.associations.items()):
            if subnet_id in staying:
                before = {"subnet_id": subnet_id, "route_table_id": table.id}
                request = {"AssociationId": association_id}
                steps.append(Step("ec2", "DisassociateRouteTable", request, address, before, risk=Risk.DISRUPTIVE))
        request = {"RouteTableId": table.id}
        steps.append(Step("ec2", "DeleteRouteTable", request, address, before={"id": table.id}, risk=Risk.IRREVERSIBLE))
    return Plan.of(steps)


def _create(vpc_id: Any, desired: RouteTable) -> Step:
    tags = desired.owner.wanted_tags(desired.part, desired.name)
    request = {"VpcId": vpc_id, "TagSpecifications": tagging.specification("route-table", tags)}
    return Step("ec2", "CreateRouteTable", request, desired.address, after={"vpc_id": vpc_id, "tags": tags})


def _routes(desired: RouteTable, observed: Observed | None) -> list[Step]:
    table_id = observed.id if observed else Ref(desired.address, "RouteTable.RouteTableId")
    live = observed.routes if observed else {}
    steps = []
    for destination, target in desired.routes.items():
        step = set_route(desired.address, table_id, live, destination, target)
        if step is not None:
            steps.append(step)
    steps.extend(
        remove_route(desired.address, table_id, destination, live[destination].target)
        for destination in desired.removed
        if destination in live
    )
    return steps


def _associations(desired: RouteTable, observed: Observed | None, live: Sequence[Observed]) -> list[Step]:
    table_id = observed.id if observed else Ref(desired.address, "RouteTable.RouteTableId")
    steps = []
    for subnet_address, subnet_id in desired.subnets:
        current = next((table for table in live if subnet_id in table.associations), None)
        if current is not None and observed is not None and current.id == observed.id:
            continue
        after = {"route_table_id": table_id}
        before = {"route_table_id": current.id if current else None}
        if current is None:
            request = {"RouteTableId": table_id, "SubnetId": subnet_id}
            steps.append(Step("ec2", "AssociateRouteTable", request, subnet_address, before, after))
            continue
        request = {"AssociationId": current.associations[subnet_id], "RouteTableId": table_id}
        steps.append(
            Step("ec2", "ReplaceRouteTableAssociation", request, subnet_address, before, after, Risk.DISRUPTIVE)
        )
    return steps


def _destination(destination: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock": destination}


def _create_route(address: str, table_id: Any, destination: str, target: Target) -> Step:
    request = {"RouteTableId": table_id, **_destination(destination), target.member: target.id}
    return Step("ec2", "CreateRoute", request, address, {destination: None}, {destination: target.id})


def _replace_route(address: str, table_id: Any, destination: str, current: Target, target: Target) -> Step:
    request = {"RouteTableId": table_id, **_destination(destination), target.member: target.id}
    before, after = {destination: current.id}, {destination: target.id}
    return Step("ec2", "ReplaceRoute", request, address, before, after, Risk.DISRUPTIVE)


def _own_entries(source: Observed, but: Iterable[str]) -> list[Mapping[str, Any]]:
    """A table's routes that it does not have by itself: no local ones, none that a gateway propagates."""
    left_out = set(but)
    return [
        entry
        for entry in source.entries
        if entry.get("GatewayId") != LOCAL
        and entry.get("Origin") != "EnableVgwRoutePropagation"
        and _where(entry) not in left_out
    ]


def _where(entry: Mapping[str, Any]) -> str:
    """A route's destination in one spelling."""
    block = entry.get("DestinationIpv6CidrBlock") or entry.get("DestinationCidrBlock")
    return canonical(block) if block else str(entry.get("DestinationPrefixListId", ""))


def _uncopyable(entry: Mapping[str, Any]) -> str:
    """Why no call can make this route in another table; empty where one can."""
    if entry.get("State") == "blackhole":
        return "a blackhole"
    if entry.get("Origin") == "CreateRouteTable":
        return "a local route with a target of its own"
    endpoint = str(entry.get("GatewayId", "")).startswith("vpce-")
    if endpoint and not entry.get("DestinationPrefixListId"):
        return "to a Gateway Load Balancer endpoint"
    return "" if _target_of(entry).member else "to a target that is not known here"


def _copy(address: str, table_id: Any, entry: Mapping[str, Any]) -> Step:
    """The same route in another table. Those to gateway endpoints belong to the endpoint, not to the table."""
    target, destination = _target_of(entry), _where(entry)
    if str(target.id).startswith("vpce-"):
        request = {"VpcEndpointId": target.id, "AddRouteTableIds": [table_id]}
        return Step("ec2", "ModifyVpcEndpoint", request, address, {destination: None}, {destination: target.id})
    if entry.get("DestinationPrefixListId"):
        request = {"RouteTableId": table_id, "DestinationPrefixListId": destination, target.member: target.id}
        return Step("ec2", "CreateRoute", request, address, {destination: None}, {destination: target.id})
    return _create_route(address, table_id, destination, target)


def _change_over(subnet_id: str, source: Observed, table_id: Any) -> Step:
    before, after = {"route_table_id": source.id}, {"route_table_id": table_id}
    address = f"subnet/{subnet_id}"
    if subnet_id in source.associations:
        request = {"AssociationId": source.associations[subnet_id], "RouteTableId": table_id}
        return Step("ec2", "ReplaceRouteTableAssociation", request, address, before, after, Risk.DISRUPTIVE)
    request = {"RouteTableId": table_id, "SubnetId": subnet_id}
    return Step("ec2", "AssociateRouteTable", request, address, before, after, Risk.DISRUPTIVE)


def _observed(item: Mapping[str, Any]) -> Observed:
    associations = item.get("Associations", ())
    return Observed(
        id=item["RouteTableId"],
        main=any(entry.get("Main") for entry in associations),
        associations={
            entry["SubnetId"]: entry["RouteTableAssociationId"]
            for entry in associations
            if entry.get("SubnetId") and entry.get("AssociationState", {}).get("State", "associated") == "associated"
        },
        routes=dict(_route(entry) for entry in item.get("Routes", ()) if _has_block(entry)),
        tags=tagging.to_dict(item.get("Tags")),
        vpc_id=item["VpcId"],
        entries=tuple(item.get("Routes", ())),
        propagating=tuple(entry["GatewayId"] for entry in item.get("PropagatingVgws", ())),
    )


def _has_block(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("DestinationCidrBlock") or entry.get("DestinationIpv6CidrBlock"))


def _route(entry: Mapping[str, Any]) -> tuple[str, Route]:
    return _where(entry), Route(_target_of(entry), entry.get("State", "active"))


def _target_of(entry: Mapping[str, Any]) -> Target:
    member = next((name for name in TARGETS if entry.get(name)), "")
    return Target(member, entry.get(member))
