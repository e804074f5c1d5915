# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster's network as one document: VPC, subnets, gateways and routes, made or adopted.

Reads go out in two rounds: the VPC first, then one call per resource type, side by side, whatever the network's size.
A third round happens only where something is missing that an interrupted run may have left unattached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..addressing import canonical, ipv6
from ..ec2 import egress_only_internet_gateway as egress
from ..ec2 import internet_gateway as internet
from ..ec2 import nat_gateway, route_table, subnet, vpc
from ..ec2 import subnet_cidr_reservation as reservation
from ..ec2.ownership import PART_TAG, same_tags_together
from ..ec2.vpc_ipv6_source import AMAZON_PREFIX, Ipv6Source
from ..plan import Outcome, Plan, Problem, Ref, Step, refuse_if_any
from ..session import Session
from . import network_teardown
from .network_document import RESERVATION, ZONES_SOURCE, Document, choose_zones, refuse, refuse_zones
from .network_layout import Pair, Space, place


@dataclass(frozen=True)
class Live:
    """What there is of the network."""

    vpc: vpc.Observed | None
    subnets: tuple[subnet.Observed, ...] = ()
    internet_gateway: internet.Observed | None = None
    egress_gateway: egress.Observed | None = None
    nat_gateways: tuple[nat_gateway.Observed, ...] = ()
    route_tables: tuple[route_table.Observed, ...] = ()

    @property
    def zone_of(self) -> dict[str, str]:
        """Each subnet's zone."""
        return {item.id: item.availability_zone for item in self.subnets}


@dataclass(frozen=True)
class Network:
    """A network with every choice made: what the plan and the facts are built from."""

    document: Document
    live: Live
    placed: tuple[subnet.Placed, ...]
    addresses: tuple[nat_gateway.ObservedAddress, ...]
    internet_gateway: internet.Observed | None
    reservations: tuple[reservation.Observed, ...] = ()

    @property
    def vpc_id(self) -> Any:
        """The VPC's id, or the Ref to it."""
        return vpc.vpc_id(self.document.vpc, self.live.vpc)

    @property
    def public(self) -> list[subnet.Placed]:
        """The public subnets."""
        return [item for item in self.placed if item.subnet.public]

    @property
    def private(self) -> list[subnet.Placed]:
        """The private subnets."""
        return [item for item in self.placed if not item.subnet.public]

    @property
    def uses_egress_gateway(self) -> bool:
        """Whether private subnets shall have an IPv6 way out."""
        return self.document.egress_only_internet_gateway and bool(self.private)


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_vpc_ipv6_network)."""
    document = Document.from_params(params)
    refuse_if_any(refuse(document, session.region) + vpc.refuse(document.vpc))
    if document.zones is not None or not document.needs_zones:
        refuse_if_any(subnet.refuse(document.subnets(document.zones or ())))
    present = params["state"] == "present"
    live = observe(session, document, present)
    if not present:
        return network_teardown.build(session, document, live)
    network = _decide(session, document, live)
    return Outcome(plan(network), facts(network), tuple(_warnings(network)))


def observe(session: Session, document: Document, present: bool) -> Live:
    """The live network: one call for the VPC, then seven side by side."""
    found = vpc.observe(session, document.vpc, present)
    if found is None:
        return Live(None)
    vpc_id = found.id
    read = session.together(
        support=lambda: vpc.attribute(session, vpc_id, "enableDnsSupport"),
        hostnames=lambda: vpc.attribute(session, vpc_id, "enableDnsHostnames"),
        subnets=lambda: subnet.observe(session, vpc_id),
        internet=lambda: internet.observe(session, vpc_id),
        egress=lambda: egress.observe(session, vpc_id),
        nat=lambda: nat_gateway.observe(session, vpc_id),
        tables=lambda: route_table.observe(session, vpc_id),
    )
    return Live(
        vpc=replace(found, enable_dns_support=read["support"], enable_dns_hostnames=read["hostnames"]),
        subnets=tuple(read["subnets"]),
        internet_gateway=read["internet"],
        egress_gateway=read["egress"],
        nat_gateways=tuple(read["nat"]),
        route_tables=tuple(read["tables"]),
    )


def plan(network: Network) -> Plan:
    """Everything in the order in which AWS can take it; what live traffic uses is redirected before it is removed."""
    document, live = network.document, network.live
    owner, vpc_id = document.owner, network.vpc_id
    tables = _tables(network)
    return Plan.of(
        vpc.plan(document.vpc, live.vpc),
        internet.plan(owner, vpc_id, network.internet_gateway) if network.public else None,
        egress.plan(owner, vpc_id, live.egress_gateway) if network.uses_egress_gateway else None,
        subnet.plan_blocks(vpc_id, network.placed),
        subnet.plan_attributes(network.placed),
        reservation.plan(_reservations(document, network.placed), network.reservations),
        nat_gateway.plan(_nat_gateways(network), network.addresses),
        *(route_table.plan(vpc_id, table, live.route_tables) for table in tables),
        _routes_of_adopted(network),
        nat_gateway.plan_absent(owner, *_nat_gateways_gone(network)),
        _tags(network),
    )


def facts(network: Network) -> dict[str, Any]:
    """The network as it will be."""
    document, live = network.document, network.live
    tables = {table.name: route_table.route_table_id(table, live.route_tables) for table in _tables(network)}
    subnets = [{**subnet.facts(item), "route_table_id": _table_of(item, tables, live)} for item in network.placed]
    gateways = _nat_gateways(network)
    return {
        "network": {
            "name": document.owner.network,
            "vpc_id": network.vpc_id,
            "cidr_block": live.vpc.cidr_blocks[0] if live.vpc else document.vpc.cidr_block,
            "ipv6_cidr_block": vpc.ipv6_block(document.vpc, live.vpc),
            "ipv6_cidr_blocks": vpc.ipv6_blocks(document.vpc, live.vpc),
            "availability_zones": _zones(network.placed),
            "subnets": subnets,
            "public_subnet_ids": [item["id"] for item in subnets if item["public"]],
            "private_subnet_ids": [item["id"] for item in subnets if not item["public"]],
            "internet_gateway_id": internet.gateway_id(document.owner, network.internet_gateway)
            if network.public
            else None,
            "egress_only_internet_gateway_id": egress.gateway_id(document.owner, live.egress_gateway)
            if network.uses_egress_gateway
            else None,
            "nat_gateways": [nat_gateway.facts(desired, observed) for desired, observed in gateways],
            "route_table_ids": tables,
        }
    }


def _decide(session: Session, document: Document, live: Live) -> Network:
    """Zones, places and leftovers of interrupted runs; every problem that the live account shows."""
    refuse_if_any(vpc.refuse_live(document.vpc, live.vpc))
    living = [item.availability_zone for item in live.subnets if document.owner.owns(item.tags)]
    short = document.zones is None and document.needs_zones and len(set(living)) < document.zone_count
    desired = document.subnets(choose_zones(document, living, ())) if not short else []
    names = {item.tags.get(PART_TAG) for item in live.subnets if document.owner.owns(item.tags)}
    needs = short or any(not item.adopted and item.part not in names for item in desired)
    available = _available_zones(session) if needs else []
    zones = choose_zones(document, living, available) if document.needs_zones else ()
    subnets = document.subnets(zones)
    refuse_if_any(subnet.refuse(subnets))
    pairs, problems = _match(subnets, live)
    new = [item.availability_zone for item, observed in pairs if observed is None and item.availability_zone]
    refuse_if_any(problems + (refuse_zones(subnets, new, available) if new else []))
    placed, problems = place(pairs, live.subnets, _space(document, live))
    refuse_if_any(problems + _refuse_network(document, placed))
    addresses, gateway = _leftovers(session, document, live, placed)
    wanted = _reservations(document, placed)
    reserved = reservation.observe(session, reservation.live_ids(wanted))
    refuse_if_any(reservation.refuse(wanted, reserved))
    return Network(document, live, tuple(placed), tuple(addresses), gateway, tuple(reserved))


def _reservations(document: Document, placed: Sequence[subnet.Placed]) -> list[reservation.Reservation]:
    """What is reserved for prefixes: a part of each private subnet, when it is asked for."""
    length = document.reservation_length
    if length is None:
        return []
    return [
        reservation.Reservation(document.owner, RESERVATION, item.subnet.address, item.id, item.ipv6_cidr_block, length)
        for item in placed
        if not item.subnet.public
    ]


def _available_zones(session: Session) -> list[Mapping[str, Any]]:
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    return session.pages("ec2", "DescribeAvailabilityZones", "AvailabilityZones", Filters=filters)


def _match(subnets: Sequence[subnet.Subnet], live: Live) -> tuple[list[Pair], list[Problem]]:
    pairs: list[Pair] = []
    problems: list[Problem] = []
    for item in subnets:
        observed, found = subnet.match(item, live.subnets)
        problems += found
        if observed is not None:
            problems += subnet.refuse_live(item, observed)
        pairs.append((item, observed))
    return pairs, problems + _refuse_twice(pairs)


def _refuse_twice(pairs: Sequence[Pair]) -> list[Problem]:
    """A subnet that is named twice, as a public and as a private one perhaps."""
    problems: list[Problem] = []
    first: dict[str, str] = {}
    for item, observed in pairs:
        if observed is not None and first.setdefault(observed.id, item.option) != item.option:
            problems.append(
                Problem(item.option, f"{observed.id} is named by {first[observed.id]} too.", "Name it once.")
            )
    return problems


def _space(document: Document, live: Live) -> Space:
    block = vpc.ipv6_block(document.vpc, live.vpc)
    if isinstance(block, Ref):
        source = document.vpc.ipv6 or Ipv6Source("amazon")
        length = source.prefix_length or AMAZON_PREFIX
    else:
        length = ipv6(block).prefixlen
    if live.vpc is not None:
        blocks = tuple(item for item in vpc.ipv6_blocks(document.vpc, live.vpc) if isinstance(item, str))
        return Space(live.vpc.cidr_blocks, block, length, blocks)
    return Space((canonical(document.vpc.cidr_block),) if document.vpc.cidr_block else (), block, length)


def _refuse_network(document: Document, placed: Sequence[subnet.Placed]) -> list[Problem]:
    problems = []
    zones = _zones(placed)
    if len(zones) < 2 and not (document.vpc.adopted and not placed):
        message = f"all subnets are in {', '.join(zones) or 'no zone'}."
        problems.append(Problem("availability_zones", message, "Add a second zone.", ZONES_SOURCE))
    public_zones = {_zone(item) for item in placed if item.subnet.public}
    lacking = sorted({_zone(item) for item in placed if not item.subnet.public} - public_zones)
    if document.nat_mode == "per_zone" and lacking:
        message = f"per_zone needs a public subnet in {', '.join(lacking)}."
        problems.append(Problem("nat_gateways", message, "Add one, or give nat_gateways: single."))
    if document.nat_gateways == "single" and not public_zones:
        problems.append(Problem("nat_gateways", "a NAT gateway needs a public subnet.", "Give nat_gateways: none."))
    return problems


def _leftovers(
    session: Session, document: Document, live: Live, placed: Sequence[subnet.Placed]
) -> tuple[list[nat_gateway.ObservedAddress], internet.Observed | None]:
    """What an interrupted run made and did not come to use; asked for only where something is missing."""
    draft = Network(document, live, tuple(placed), (), live.internet_gateway)
    missing_nat = any(observed is None for _desired, observed in _nat_gateways(draft))
    going = bool(_nat_gateways_gone(draft)[0])
    addresses = nat_gateway.observe_addresses(session, document.owner) if missing_nat or going else []
    gateway = live.internet_gateway
    if gateway is None and draft.public:
        gateway = internet.observe_unattached(session, document.owner)
    return addresses, gateway


def _nat_gateways(network: Network) -> list[tuple[nat_gateway.NatGateway, nat_gateway.Observed | None]]:
    """The NAT gateways wanted, each with the live one that is it. A single one stays in the zone it lives in."""
    document, live = network.document, network.live
    if document.nat_mode == "none" or not network.private or not network.public:
        return []
    hosts: dict[str, subnet.Placed] = {}
    for item in network.public:
        hosts.setdefault(_zone(item), item)
    wanted = [nat_gateway.NatGateway(document.owner, zone, host.id) for zone, host in hosts.items()]
    if document.nat_mode == "per_zone":
        used = {_zone(item) for item in network.private}
        wanted = [item for item in wanted if item.availability_zone in used]
    pairs = [(item, nat_gateway.match(item, live.nat_gateways, live.zone_of)) for item in wanted]
    if document.nat_mode == "single":
        return [next((pair for pair in pairs if pair[1] is not None), pairs[0])]
    return pairs


def _nat_gateways_gone(
    network: Network,
) -> tuple[list[nat_gateway.Observed], list[nat_gateway.ObservedAddress]]:
    """This network's NAT gateways and addresses that an explicit nat_gateways no longer names."""
    owner = network.document.owner
    if network.document.nat_gateways is None:
        return [], []
    wanted = _nat_gateways(network)
    kept = {observed.id for _desired, observed in wanted if observed}
    parts = {desired.part for desired, _observed in wanted}
    gone = [item for item in network.live.nat_gateways if owner.owns(item.tags) and item.id not in kept]
    live_parts = {item.tags.get(PART_TAG) for item in network.live.nat_gateways if item.id in kept}
    stale = [item for item in network.addresses if item.tags.get(PART_TAG) not in parts | live_parts]
    return gone, stale


def _tables(network: Network) -> list[route_table.RouteTable]:
    """One table for the public subnets made here, one per zone for the private ones: a zone can then change its NAT."""
    owner = network.document.owner
    tables = []
    public = [item for item in network.public if not item.subnet.adopted]
    if public:
        gateway = route_table.Target("GatewayId", internet.gateway_id(owner, network.internet_gateway))
        routes = {route_table.IPV4_DEFAULT: gateway, route_table.IPV6_DEFAULT: gateway}
        tables.append(route_table.RouteTable(owner, "public", routes, _members(public)))
    private = [item for item in network.private if not item.subnet.adopted]
    for zone in _zones(private):
        members = _members([item for item in private if _zone(item) == zone])
        tables.append(
            route_table.RouteTable(owner, f"private-{zone}", _private_routes(network, zone), members, _removed(network))
        )
    return tables


def _private_routes(network: Network, zone: str) -> dict[str, route_table.Target]:
    owner = network.document.owner
    routes = {}
    gateways = _nat_gateways(network)
    serving = [pair for pair in gateways if pair[0].availability_zone == zone] or gateways
    if serving:
        target = route_table.Target("NatGatewayId", nat_gateway.nat_gateway_id(*serving[0]))
        routes[route_table.IPV4_DEFAULT] = target
    if network.uses_egress_gateway:
        gateway = egress.gateway_id(owner, network.live.egress_gateway)
        routes[route_table.IPV6_DEFAULT] = route_table.Target("EgressOnlyInternetGatewayId", gateway)
    return routes


def _removed(network: Network) -> tuple[str, ...]:
    return (route_table.IPV4_DEFAULT,) if network.document.nat_gateways == "none" else ()


def _members(items: Sequence[subnet.Placed]) -> tuple[tuple[str, Any], ...]:
    return tuple((item.subnet.address, item.id) for item in items)


def _routes_of_adopted(network: Network) -> list[Step]:
    """The IPv6 default route that the tables of adopted subnets lack. One that leads elsewhere is left alone."""
    steps = [
        route_table.set_route(table.address, table.id, table.routes, route_table.IPV6_DEFAULT, target)
        for table, target in _tables_without_way_out(network).values()
    ]
    return [step for step in steps if step is not None]


def _tables_without_way_out(network: Network) -> dict[str, tuple[route_table.Observed, route_table.Target]]:
    """Tables of adopted subnets without an IPv6 default route, each with where it shall lead."""
    owner = network.document.owner
    tables = {}
    for item in network.placed:
        if not item.subnet.adopted or item.observed is None:
            continue
        table = route_table.serving(item.observed.id, network.live.route_tables)
        if table is None or owner.owns(table.tags) or route_table.IPV6_DEFAULT in table.routes:
            continue
        target = _ipv6_way_out(network, item.subnet.public)
        if target is not None:
            tables[table.id] = (table, target)
    return tables


def _served_besides(network: Network, table: route_table.Observed) -> list[str]:
    """The subnets that use a table and that the document does not name."""
    named = {item.observed.id for item in network.placed if item.observed}
    return sorted(
        item.id
        for item in network.live.subnets
        if item.id not in named and route_table.serving(item.id, network.live.route_tables) == table
    )


def _ipv6_way_out(network: Network, public: bool) -> route_table.Target | None:
    owner = network.document.owner
    if public:
        return route_table.Target("GatewayId", internet.gateway_id(owner, network.internet_gateway))
    if not network.uses_egress_gateway:
        return None
    gateway = egress.gateway_id(owner, network.live.egress_gateway)
    return route_table.Target("EgressOnlyInternetGatewayId", gateway)


def _tags(network: Network) -> list[Step]:
    """Tags that live resources lack: all of them on what this network made, the given ones on adopted subnets."""
    owner, live = network.document.owner, network.live
    wanted: list[tuple[str, str, Mapping[str, str], Mapping[str, str]]] = []
    if live.vpc is not None and owner.owns(live.vpc.tags, vpc.PART):
        wanted.append((live.vpc.id, network.document.vpc.address, live.vpc.tags, owner.wanted_tags(vpc.PART)))
    for item in network.placed:
        if item.observed is not None:
            wanted.append((item.observed.id, item.subnet.address, item.observed.tags, item.subnet.wanted_tags()))
    for gateway, part in ((network.internet_gateway, internet.PART), (live.egress_gateway, egress.PART)):
        if gateway is not None and owner.owns(gateway.tags, part):
            wanted.append((gateway.id, owner.address(part), gateway.tags, owner.wanted_tags(part)))
    for desired, observed in _nat_gateways(network):
        if observed is not None and owner.owns(observed.tags, desired.part):
            tags = owner.wanted_tags(desired.part, f"nat-{desired.availability_zone}")
            wanted.append((observed.id, desired.address, observed.tags, tags))
    for table in _tables(network):
        for found in live.route_tables:
            if owner.owns(found.tags, table.part):
                wanted.append((found.id, table.address, found.tags, owner.wanted_tags(table.part, table.name)))
    return same_tags_together(wanted)


def _warnings(network: Network) -> list[str]:
    document, live = network.document, network.live
    warnings = []
    zones = _zones(network.placed)
    if document.zones is None and document.needs_zones and len(zones) < document.zone_count:
        warnings.append(
            f"availability_zone_count: the network is in {len(zones)} zones and not in {document.zone_count}: the "
            "region has no other that EKS takes subnets in."
        )
    if live.vpc is not None and document.vpc.adopted:
        if not (live.vpc.enable_dns_support and live.vpc.enable_dns_hostnames):
            warnings.append(
                f"{live.vpc.id} has DNS support or DNS hostnames off: nodes cannot register with the cluster. "
                "Give vpc.enable_dns_support and vpc.enable_dns_hostnames to have them turned on."
            )
        if any(block.private for block in live.vpc.associated):
            warnings.append(f"{live.vpc.id} has a private IPv6 block: there is no way from it to the internet.")
    named = {item.observed.id for item in network.placed if item.observed}
    orphans = [item for item in live.subnets if document.owner.owns(item.tags) and item.id not in named]
    if orphans:
        listed = ", ".join(sorted(f"{item.tags.get('Name', '')} ({item.id})" for item in orphans))
        warnings.append(f"Subnets made for this network that the document no longer names are left alone: {listed}.")
    for table, _target in _tables_without_way_out(network).values():
        others = _served_besides(network, table)
        if others:
            warnings.append(f"{table.id} gets an IPv6 default route, and is also the table of {', '.join(others)}.")
    warnings.extend(_block_public_access(network))
    for item in network.placed:
        warnings.extend(_subnet_warnings(network, item))
    return warnings


def _block_public_access(network: Network) -> list[str]:
    """What VPC Block Public Access does to the gateways (VPC user guide: block public access to VPCs and subnets)."""
    live = [item.observed for item in network.placed if item.observed is not None]
    warnings = subnet.blocked_warnings(live)
    public = {item.observed.id for item in network.public if item.observed is not None}
    shut = [item.id for item in live if item.internet_gateway_block_mode == "block-ingress" and item.id in public]
    if shut:
        warnings.append(
            f"VPC Block Public Access blocks ingress: public subnets are not reached from outside ({', '.join(shut)})."
        )
    return warnings


def _subnet_warnings(network: Network, item: subnet.Placed) -> list[str]:
    observed = item.observed
    if observed is None:
        return []
    warnings = subnet.cni_warnings([observed])
    if not item.subnet.adopted:
        return warnings
    if observed.enable_dns64:
        warnings.append(f"{observed.id} has DNS64 on: pods will prefer NAT64 addresses over IPv4.")
    if item.subnet.public and not observed.map_public_ip_on_launch and item.subnet.map_public_ip_on_launch is None:
        warnings.append(f"{observed.id} gives no public IPv4 address: a managed node group in it fails.")
    table = route_table.serving(observed.id, network.live.route_tables)
    route = table.routes.get(route_table.IPV6_DEFAULT) if table else None
    target = _ipv6_way_out(network, item.subnet.public)
    if table and route and target and route.target != target and not network.document.owner.owns(table.tags):
        warnings.append(f"{observed.id} uses {table.id}, whose ::/0 leads to {route.target.id}: it was left alone.")
    return warnings


def _table_of(item: subnet.Placed, tables: Mapping[str, Any], live: Live) -> Any:
    if not item.subnet.adopted:
        return tables["public" if item.subnet.public else f"private-{_zone(item)}"]
    found = route_table.serving(item.id, live.route_tables)
    return found.id if found else None


def _zone(item: subnet.Placed) -> str:
    return item.observed.availability_zone if item.observed else item.subnet.availability_zone or ""


def _zones(items: Sequence[subnet.Placed]) -> list[str]:
    return list(dict.fromkeys(_zone(item) for item in items))
