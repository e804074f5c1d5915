# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a network down: what it made, in the order AWS takes it, and a report of what stays and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..addressing import canonical, slots_of
from ..ec2 import egress_only_internet_gateway as egress
from ..ec2 import internet_gateway as internet
from ..ec2 import nat_gateway, route_table, subnet, vpc
from ..ec2 import subnet_cidr_reservation as reservation
from ..ec2.ownership import Owner
from ..plan import Outcome, Plan, Risk, Step
from ..session import Session

if TYPE_CHECKING:
    from .network_document import Document
    from .vpc_ipv6_network import Live


@dataclass(frozen=True)
class Others:
    """What else lives in the VPC, and keeps it from being deleted: resource ids by what they are."""

    interfaces: tuple[Mapping[str, Any], ...]
    named: Mapping[str, tuple[str, ...]]

    def of_subnet(self, subnet_id: str, own_nat_gateways: Iterable[str]) -> list[str]:
        """The network interfaces in a subnet that are not those of NAT gateways about to go."""
        going = set(own_nat_gateways)
        return [
            f"{item['NetworkInterfaceId']} ({item.get('Description') or item.get('InterfaceType', 'interface')})"
            for item in self.interfaces
            if item.get("SubnetId") == subnet_id
            and not any(gateway in item.get("Description", "") for gateway in going)
        ]


def build(session: Session, document: Document, live: Live) -> Outcome:
    """C(state=absent) of C(ec2_vpc_ipv6_network)."""
    owner, desired = document.owner, document.vpc
    if live.vpc is None:
        return _without_vpc(session, owner)
    vpc_id = live.vpc.id
    reserving = _reserving(document, live)
    read = session.together(
        addresses=lambda: nat_gateway.observe_addresses(session, owner),
        others=lambda: _observe_others(session, vpc_id),
        gateway=lambda: live.internet_gateway or internet.observe_unattached(session, owner),
        reservations=lambda: reservation.observe(session, reserving),
    )
    live = replace(live, internet_gateway=read["gateway"])
    others: Others = read["others"]
    own_nat = [item for item in live.nat_gateways if owner.owns(item.tags)]
    own_subnets = [item for item in live.subnets if owner.owns(item.tags)]
    in_use = {item.id: used for item in own_subnets if (used := others.of_subnet(item.id, [nat.id for nat in own_nat]))}
    left = [{"resource": subnet_id, "reason": f"in use by {', '.join(used)}"} for subnet_id, used in in_use.items()]
    free = [item for item in own_subnets if item.id not in in_use]
    if in_use:
        hosts = {item.subnet_id for item in own_nat}
        free = [item for item in free if item.id not in hosts]
        left.append({"resource": vpc_id, "reason": "subnets in use keep their gateways, routes and VPC"})
        return Outcome(Plan.of(_delete_subnets(owner, free)), {"network": None, "left": left})
    plan = Plan.of(
        _routes_to_our_gateway(owner, live),
        nat_gateway.plan_absent(owner, own_nat, read["addresses"]),
        reservation.plan_absent(owner, read["reservations"]),
        _delete_subnets(owner, free),
        route_table.plan_absent(owner, live.route_tables, {item.id for item in live.subnets} - {s.id for s in free}),
        egress.plan_absent(owner, live.egress_gateway),
        _internet_gateway(owner, live, left),
        _vpc_blocks(desired, live, {item.id for item in free}, left),
        _vpc(desired, live, others, left),
    )
    left += [*_addresses_left(own_nat, read["addresses"]), *_adopted_left(document, live)]
    return Outcome(plan, {"network": None, "left": left})


def _reserving(document: Document, live: Live) -> list[str]:
    """The subnets in which this network may have reserved a part: read only when the document says that it does."""
    if document.reservation_length is None:
        return []
    named = [item for item in document.subnets(document.zones or ()) if item.adopted and not item.public]
    adopted = [found.id for item in named if (found := subnet.match(item, live.subnets)[0]) is not None]
    return adopted + [item.id for item in live.subnets if document.owner.owns(item.tags)]


def _adopted_left(document: Document, live: Live) -> list[dict[str, Any]]:
    """What adopted subnets keep: whether this network added it, or found it there, cannot be told any more."""
    named = [item for item in document.subnets(document.zones or ()) if item.adopted]
    found = [item for item in (subnet.match(wanted, live.subnets)[0] for wanted in named) if item is not None]
    left = [
        {
            "resource": item.id,
            "reason": f"it was adopted, and keeps {item.ipv6_cidr_block}; ec2_subnet_ipv6 takes it off",
        }
        for item in found
        if item.ipv6_cidr_block
    ]
    going = _gateways_going(document.owner, live)
    tables = [route_table.serving(item.id, live.route_tables) for item in found]
    for table in {table.id: table for table in tables if table is not None}.values():
        route = table.routes.get(route_table.IPV6_DEFAULT)
        if route is not None and route.target.id not in going and not document.owner.owns(table.tags):
            reason = (
                f"its ::/0 leads to {route.target.id}, which this network did not make; ec2_route_ipv6 takes it away"
            )
            left.append({"resource": table.id, "reason": reason})
    return left


def _vpc_blocks(desired: vpc.Vpc, live: Live, going: set[str], left: list[dict[str, Any]]) -> Plan:
    """The IPv6 blocks of an adopted VPC, when they are to go and nothing lies in them any more."""
    if live.vpc is None or not desired.adopted or not desired.removes_ipv6:
        return Plan()
    used: dict[str, list[str]] = {}
    for block in live.vpc.associated:
        outer = canonical(block.cidr_block)
        for item in live.subnets:
            if item.id not in going and item.ipv6_cidr_block and slots_of(outer, item.ipv6_cidr_block):
                used.setdefault(outer, []).append(item.id)
    left += [
        {"resource": block, "reason": f"the IPv6 blocks of {', '.join(sorted(users))} lie in it"}
        for block, users in used.items()
    ]
    return vpc.plan_blocks_absent(desired, live.vpc, used)


def _without_vpc(session: Session, owner: Owner) -> Outcome:
    """A run that was stopped before its VPC, or after it, can leave an address or a gateway on its own."""
    read = session.together(
        addresses=lambda: nat_gateway.observe_addresses(session, owner),
        gateway=lambda: internet.observe_unattached(session, owner),
    )
    plan = Plan.of(nat_gateway.plan_absent(owner, (), read["addresses"]), internet.plan_absent(owner, read["gateway"]))
    return Outcome(plan, {"network": None, "left": _addresses_left((), read["addresses"])})


def _addresses_left(
    gone: Iterable[nat_gateway.Observed], addresses: Iterable[nat_gateway.ObservedAddress]
) -> list[dict[str, Any]]:
    return [
        {"resource": item.allocation_id, "reason": f"{item.public_ip} is in use by something else"}
        for item in nat_gateway.used_otherwise(gone, addresses)
    ]


def _observe_others(session: Session, vpc_id: str) -> Others:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]

    def listed(operation: str, key: str) -> list[Any]:
        return session.pages("ec2", operation, key, Filters=filters)

    read = session.together(
        interfaces=lambda: listed("DescribeNetworkInterfaces", "NetworkInterfaces"),
        groups=lambda: listed("DescribeSecurityGroups", "SecurityGroups"),
        acls=lambda: listed("DescribeNetworkAcls", "NetworkAcls"),
        endpoints=lambda: listed("DescribeVpcEndpoints", "VpcEndpoints"),
    )
    named = {
        "security group": tuple(item["GroupId"] for item in read["groups"] if item["GroupName"] != "default"),
        "network ACL": tuple(item["NetworkAclId"] for item in read["acls"] if not item["IsDefault"]),
        "VPC endpoint": tuple(
            item["VpcEndpointId"] for item in read["endpoints"] if str(item.get("State", "")).lower() != "deleted"
        ),
    }
    return Others(tuple(read["interfaces"]), named)


def _delete_subnets(owner: Owner, free: Iterable[subnet.Observed]) -> list[Step]:
    return [
        Step(
            "ec2",
            "DeleteSubnet",
            {"SubnetId": item.id},
            f"subnet/{item.tags.get('Name', owner.network)}",
            before={"id": item.id, "cidr_block": item.cidr_block, "ipv6_cidr_block": item.ipv6_cidr_block},
            risk=Risk.IRREVERSIBLE,
        )
        for item in free
    ]


def _gateways_going(owner: Owner, live: Live) -> set[str]:
    return {
        gateway.id
        for gateway, part in ((live.egress_gateway, egress.PART), (live.internet_gateway, internet.PART))
        if gateway is not None and owner.owns(gateway.tags, part)
    }


def _routes_to_our_gateway(owner: Owner, live: Live) -> list[Step]:
    """IPv6 routes that others' tables have to gateways about to go: this network added them for adopted subnets."""
    going = _gateways_going(owner, live)
    return [
        route_table.remove_route(table.address, table.id, destination, route.target)
        for table in live.route_tables
        if not owner.owns(table.tags)
        for destination, route in table.routes.items()
        if ":" in destination and route.target.id in going
    ]


def _internet_gateway(owner: Owner, live: Live, left: list[dict[str, Any]]) -> Plan:
    gateway = live.internet_gateway
    if gateway is None or not owner.owns(gateway.tags, internet.PART):
        return Plan()
    users = [
        table.id
        for table in live.route_tables
        if not owner.owns(table.tags)
        and any(":" not in destination and route.target.id == gateway.id for destination, route in table.routes.items())
    ]
    if users:
        left.append({"resource": gateway.id, "reason": f"IPv4 routes of {', '.join(users)} lead to it"})
        return Plan()
    return internet.plan_absent(owner, gateway)


def _vpc(desired: vpc.Vpc, live: Live, others: Others, left: list[dict[str, Any]]) -> Plan:
    observed, owner = live.vpc, desired.owner
    if observed is None:
        return Plan()
    if not owner.owns(observed.tags, vpc.PART):
        left.append({"resource": observed.id, "reason": "this network did not make it"})
        return Plan()
    holding = [f"{kind} {item}" for kind, items in others.named.items() for item in items]
    holding += [f"subnet {item.id}" for item in live.subnets if not owner.owns(item.tags)]
    holding += [f"route table {item.id}" for item in live.route_tables if not item.main and not owner.owns(item.tags)]
    holding += [f"NAT gateway {item.id}" for item in live.nat_gateways if not owner.owns(item.tags)]
    gateways = ((live.egress_gateway, "egress-only internet gateway"), (live.internet_gateway, "internet gateway"))
    holding += [f"{kind} {item.id}" for item, kind in gateways if item is not None and not owner.owns(item.tags)]
    holding += [entry["resource"] for entry in left]
    if holding:
        left.append({"resource": observed.id, "reason": f"it still holds {', '.join(holding)}"})
        return Plan()
    return vpc.plan_absent(desired, observed)
