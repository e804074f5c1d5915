# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 routes of route tables that are there, named themselves or by the subnets they serve.

A subnet is served by the table it is associated with, else by its VPC's main table. A table that also serves subnets
which nobody named is not changed unless the document says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..addressing import slots_of
from ..ec2 import egress_only_internet_gateway as egress
from ..ec2 import internet_gateway as internet
from ..ec2 import route_table, subnet, vpc
from ..ec2.ownership import Owner
from ..ec2.route_table import Target
from ..plan import PENDING, Outcome, Plan, Problem, Step, is_pending, refuse_if_any
from ..session import Session
from . import route_planned
from .route_document import EIGW, IGW, NAT, Document, Wanted, refuse

INSIDE_SOURCE = "VPC user guide: routes that are more specific than the local route"


@dataclass(frozen=True)
class Live:
    """What there is of the VPCs that are meant. C(subnets) are all of them where C(whole) says so."""

    tables: tuple[route_table.Observed, ...] = ()
    subnets: tuple[subnet.Observed, ...] = ()
    whole: bool = False
    internet_gateways: Mapping[str, internet.Observed] = field(default_factory=dict)
    egress_gateways: Mapping[str, egress.Observed] = field(default_factory=dict)

    def of_vpc(self, vpc_id: str) -> list[route_table.Observed]:
        """A VPC's tables."""
        return [table for table in self.tables if table.vpc_id == vpc_id]

    def served(self, table: route_table.Observed) -> list[str]:
        """The subnets that a table serves; by default a main table serves all that have no other."""
        explicit = {subnet_id for other in self.of_vpc(table.vpc_id) for subnet_id in other.associations}
        fallback = [item.id for item in self.subnets if item.vpc_id == table.vpc_id and item.id not in explicit]
        return sorted([*table.associations, *(fallback if table.main else ())])


@dataclass(frozen=True)
class Change:
    """A table, what of it is wanted (None: no such route), and the named subnets where only those are meant."""

    table: route_table.Observed
    routes: tuple[tuple[str, Target | None], ...]
    subnets: tuple[str, ...] = ()
    named: bool = False

    @property
    def needed(self) -> bool:
        """Whether anything of it differs."""
        return any(_differs(self.table, destination, target) for destination, target in self.routes)


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_route_ipv6)."""
    document = Document.from_params(vpc.with_vpc_id(session, params), session.host.check_mode)
    refuse_if_any(refuse(document))
    live = _observe(session, document)
    named, problems = _named_subnets(document, live)
    tables, found = _named_tables(document, live)
    refuse_if_any(problems + found)
    changes, problems = _changes(document, live, named, tables)
    refuse_if_any(problems)
    live = _with_all_subnets(session, live, changes)
    shared = {change.table.id: others for change in changes if (others := _others(live, change, named))}
    refuse_if_any(_refuse_shared(document, changes, shared) + _refuse_split(document, changes, shared))
    gateways = _gateways_to_make(document, live, changes)
    parts, changed = _parts(document, live, changes, shared, named), [change.table.id for change in changes]
    left: list[dict[str, Any]] = []
    plan = Plan.of(
        *(egress.plan(_owner(document, vpc_id), vpc_id, None) for vpc_id in gateways),
        *(_plan(document, change, parts, changed) for change in changes),
        *_gateways_gone(document, live, changes, left).values(),
    )
    if not document.present:
        left += _splits_left(changes)
    facts = {**_facts(document, live, changes, parts), **({} if document.present else {"left": left})}
    return Outcome(plan, facts, tuple(_warnings(document, changes)))


def _observe(session: Session, document: Document) -> Live:
    """In one round where the VPC is named; else subnets and tables first, which tell their VPCs."""
    if document.vpc_id is not None and is_pending(document.vpc_id):
        return _as_planned(document, Live())
    vpc_ids, first = [document.vpc_id] if document.vpc_id is not None else None, {}
    if vpc_ids is None:
        first = session.together(
            subnets=lambda: subnet.observe_ids(session, _real(document.subnet_ids)),
            tables=lambda: route_table.observe_many(session, "route-table-id", _real(document.route_table_ids)),
        )
        vpc_ids = sorted({item.vpc_id for item in [*first["subnets"], *first["tables"]]})
    if not vpc_ids:
        return _as_planned(document, Live())
    found = vpc_ids
    reads: dict[str, Callable[[], Any]] = {}
    cleans_up = document.creates_gateway and not document.present
    if document.vpc_id is not None and document.names_subnets:
        reads["subnets"] = lambda: subnet.observe(session, found[0])
    if document.vpc_id is not None or document.names_subnets or cleans_up:
        reads["tables"] = lambda: route_table.observe_many(session, "vpc-id", found)
    if document.leads_to(IGW, "igw-"):
        reads["internet"] = lambda: internet.observe_all(session, found)
    if document.leads_to(EIGW, "eigw-") or cleans_up:
        reads["egress"] = lambda: egress.observe_all(session)
    read = {**first, **session.together(**reads)}
    return _as_planned(
        document,
        Live(
            tuple(read.get("tables", ())),
            tuple(read.get("subnets", ())),
            "subnets" in reads,
            read.get("internet", {}),
            read.get("egress", {}),
        ),
    )


def _as_planned(document: Document, live: Live) -> Live:
    """What there is once earlier tasks of the same check mode are done."""
    planned = document.planned
    return Live(
        route_planned.tables(live.tables, planned),
        route_planned.subnets(live.subnets, planned),
        live.whole,
        route_planned.internet_gateways(live.internet_gateways, planned),
        route_planned.egress_gateways(live.egress_gateways, planned),
    )


def _real(ids: Iterable[str]) -> list[str]:
    return [item for item in ids if not is_pending(item)]


def _named_subnets(document: Document, live: Live) -> tuple[list[subnet.Observed], list[Problem]]:
    by_id = {item.id: item for item in live.subnets}
    problems = [
        Problem(f"subnet_ids[{position}]", f"there is no subnet {subnet_id} in {document.vpc_id or 'the region'}.")
        for position, subnet_id in enumerate(document.subnet_ids)
        if subnet_id not in by_id and not is_pending(subnet_id) and document.present
    ]
    tags = document.subnet_filter_tags
    named = [by_id[subnet_id] for subnet_id in document.subnet_ids if subnet_id in by_id]
    if tags is not None:
        named += [item for item in live.subnets if all(item.tags.get(key) == value for key, value in tags.items())]
        if not named and document.present and not is_pending(document.vpc_id):
            problems.append(Problem("subnet_filter_tags", f"no subnet of {document.vpc_id} carries {dict(tags)}."))
    return list({item.id: item for item in named}.values()), problems


def _named_tables(document: Document, live: Live) -> tuple[list[route_table.Observed], list[Problem]]:
    by_id = {item.id: item for item in live.tables}
    problems, named = [], []
    for position, table_id in enumerate(document.route_table_ids):
        if table_id in by_id:
            named.append(by_id[table_id])
        elif is_pending(table_id):
            named.append(_to_come(table_id, document))
        elif document.present:
            where = document.vpc_id or "the region"
            problems.append(Problem(f"route_table_ids[{position}]", f"there is no route table {table_id} in {where}."))
    tags = document.route_table_filter_tags
    if tags is not None:
        named += [item for item in live.tables if all(item.tags.get(key) == value for key, value in tags.items())]
        if not named and document.present and not is_pending(document.vpc_id):
            message = f"no route table of {document.vpc_id} carries {dict(tags)}."
            problems.append(Problem("route_table_filter_tags", message))
    return list({item.id: item for item in named}.values()), problems


def _to_come(table_id: str, document: Document) -> route_table.Observed:
    """A table that C(ec2_vpc_ipv6_network) is about to make: its default routes are that module's."""
    default = {
        item.destination: route_table.Route(Target("", item.target), "active")
        for item in document.routes
        if item.destination == route_table.IPV6_DEFAULT
    }
    return route_table.Observed(table_id, False, {}, default, {}, vpc_id=document.vpc_id or PENDING + "vpc")


def _changes(
    document: Document, live: Live, named: Sequence[subnet.Observed], tables: Sequence[route_table.Observed]
) -> tuple[list[Change], list[Problem]]:
    """The tables in the order of the document, those that were named themselves first."""
    problems: list[Problem] = []
    changes = {}
    for table in tables:
        routes, found = _resolve(document, live, table)
        problems += found
        changes[table.id] = Change(table, routes, named=True)
    members: dict[str, list[str]] = {}
    serving: dict[str, route_table.Observed] = {}
    for item in named:
        found_table = route_table.serving(item.id, live.of_vpc(item.vpc_id))
        if found_table is None:
            problems.append(Problem("subnet_ids", f"no route table serves {item.id}."))
        elif found_table.id not in changes:
            serving[found_table.id] = found_table
            members.setdefault(found_table.id, []).append(item.id)
    for table_id, table in serving.items():
        routes, found = _resolve(document, live, table)
        problems += found
        changes[table_id] = Change(table, routes, tuple(members[table_id]))
    return list(changes.values()), problems


def _resolve(
    document: Document, live: Live, table: route_table.Observed
) -> tuple[tuple[tuple[str, Target | None], ...], list[Problem]]:
    """The document's routes for one table: every word replaced by what it means in the table's VPC."""
    routes: list[tuple[str, Target | None]] = []
    problems: list[Problem] = []
    for item in document.routes:
        current = table.routes.get(item.destination)
        if current is not None and current.target.id == route_table.LOCAL:
            message = f"is the local route of {table.vpc_id} in {table.id}, which stays."
            problems.append(Problem(f"{item.option}.destination", message))
            continue
        target, found = _target(document, live, table, item)
        problems += found + (_refuse_inside(table, item, target) if document.present else [])
        if document.present:
            if target is not None:
                routes.append((item.destination, target))
        elif current is not None and (item.target is None or (target is not None and target == current.target)):
            routes.append((item.destination, None))
    return tuple(routes), problems


def _refuse_inside(table: route_table.Observed, item: Wanted, target: Target | None) -> list[Problem]:
    """A part of the VPC's own blocks can be led to an interface only; EC2 refuses anything else."""
    if target is None or target.member == "NetworkInterfaceId":
        return []
    inside = [
        block
        for block, route in table.routes.items()
        if route.target.id == route_table.LOCAL and ":" in block and slots_of(block, item.destination)
    ]
    message = f"{item.destination} lies in {', '.join(inside)} of {table.vpc_id}: it can be led to an interface only."
    return [Problem(f"{item.option}.target", message, "Give the id of one.", INSIDE_SOURCE)] if inside else []


def _target(
    document: Document, live: Live, table: route_table.Observed, item: Wanted
) -> tuple[Target | None, list[Problem]]:
    text, option = item.target or "", f"{item.option}.target"
    coming = is_pending(table.vpc_id) and not document.planned
    if coming and item.destination in table.routes:
        return table.routes[item.destination].target, []
    if text == NAT:
        way = table.routes.get(route_table.IPV4_DEFAULT)
        if way is not None and way.target.member == "NatGatewayId":
            return way.target, []
        message = f"0.0.0.0/0 of {table.id} does not lead to a NAT gateway."
        return None, [Problem(option, message, "Name one by its id.")] if document.present else []
    if text == IGW or text.startswith("igw-"):
        return _gateway(document, table, item, live.internet_gateways.get(table.vpc_id), "GatewayId")
    if text == EIGW or text.startswith("eigw-"):
        attached = live.egress_gateways.get(table.vpc_id)
        if attached is None and text == EIGW and document.creates_gateway and document.present:
            return Target("EgressOnlyInternetGatewayId", egress.gateway_id(_owner(document, table.vpc_id), None)), []
        return _gateway(document, table, item, attached, "EgressOnlyInternetGatewayId")
    return (route_planned.target_of(text) if text else None), []


def _gateway(
    document: Document,
    table: route_table.Observed,
    item: Wanted,
    attached: internet.Observed | egress.Observed | None,
    member: str,
) -> tuple[Target | None, list[Problem]]:
    """The gateway attached to the table's VPC; for an id that is another, a problem."""
    if is_pending(table.vpc_id) and not document.planned:
        return Target(member, item.target), []
    if attached is not None and item.target in (IGW, EIGW, attached.id):
        return Target(member, attached.id), []
    if not document.present:
        named = item.target if item.target not in (IGW, EIGW) else None
        return (Target(member, named) if named else None), []
    kind = "internet gateway" if member == "GatewayId" else "egress-only internet gateway"
    has = f"the {kind} of {table.vpc_id} is {attached.id}" if attached else f"{table.vpc_id} has no {kind}"
    what = "" if item.target in (IGW, EIGW) else f", not {item.target}"
    remedy = "Give create_egress_only_internet_gateway to have one made." if item.target == EIGW else ""
    return None, [Problem(f"{item.option}.target", f"{has}{what}.", remedy)]


def _differs(table: route_table.Observed, destination: str, target: Target | None) -> bool:
    current = table.routes.get(destination)
    return current is not None if target is None else current is None or current.target != target


def _with_all_subnets(session: Session, live: Live, changes: Sequence[Change]) -> Live:
    """All subnets of the VPCs where a main table is to change: only they tell whom it serves."""
    vpc_ids = {change.table.vpc_id for change in changes if change.needed and not change.named and change.table.main}
    if live.whole or not vpc_ids:
        return live
    reads = {vpc_id: lambda vpc_id=vpc_id: subnet.observe(session, vpc_id) for vpc_id in sorted(vpc_ids)}
    around = [item for items in session.together(**reads).values() for item in items]
    known = [item for item in live.subnets if item.vpc_id not in vpc_ids]
    return Live(live.tables, (*known, *around), True, live.internet_gateways, live.egress_gateways)


def _others(live: Live, change: Change, named: Iterable[subnet.Observed]) -> list[str]:
    """The subnets that a table serves beside those named; none for a table that was named itself."""
    if change.named or not change.needed:
        return []
    meant = {item.id for item in named}
    return [subnet_id for subnet_id in live.served(change.table) if subnet_id not in meant]


def _refuse_shared(document: Document, changes: Sequence[Change], shared: Mapping[str, list[str]]) -> list[Problem]:
    if document.shared_tables != "refuse":
        return []
    return [
        Problem(
            "shared_tables",
            f"{change.table.id}{' (the main table)' if change.table.main else ''} of {', '.join(change.subnets)} "
            f"also serves {', '.join(shared[change.table.id])}.",
            "Give shared_tables: split or change, or name those subnets too.",
        )
        for change in changes
        if change.table.id in shared
    ]


def _refuse_split(document: Document, changes: Sequence[Change], shared: Mapping[str, list[str]]) -> list[Problem]:
    problems = []
    for change in changes:
        if document.shared_tables != "split" or change.table.id not in shared:
            continue
        stuck = route_table.not_to_copy(change.table, [destination for destination, _target in change.routes])
        if stuck:
            message = (
                f"{change.table.id} cannot be split, since it has routes that cannot be copied: {', '.join(stuck)}."
            )
            problems.append(Problem("shared_tables", message, "Mend those, or give a table to these subnets yourself."))
    return problems


def _plan(document: Document, change: Change, parts: Mapping[str, Any], changed: Iterable[str]) -> Plan:
    table = change.table
    if table.id in parts:
        part = parts[table.id]
        but = [destination for destination, _target in change.routes]
        routes = () if part is not None and part.id in changed else change.routes
        return route_table.plan_split(table, part, document.tags, routes, change.subnets, but)
    steps: list[Step | None] = []
    for destination, target in change.routes:
        if target is not None:
            steps.append(route_table.set_route(table.address, table.id, table.routes, destination, target))
        else:
            current = table.routes[destination].target
            steps.append(route_table.remove_route(table.address, table.id, destination, current))
    return Plan.of([step for step in steps if step is not None])


def _parts(
    document: Document,
    live: Live,
    changes: Sequence[Change],
    shared: Mapping[str, list[str]],
    named: Sequence[subnet.Observed],
) -> dict[str, route_table.Observed | None]:
    """The tables to split, each with the table of an interrupted split: one that serves nobody but who is meant."""
    if document.shared_tables != "split":
        return {}
    meant = {item.id for item in named}
    parts = {}
    for change in changes:
        if change.table.id in shared:
            begun = [
                table
                for table in live.of_vpc(change.table.vpc_id)
                if table.tags.get(route_table.SPLIT_TAG) == change.table.id and meant.issuperset(table.associations)
            ]
            parts[change.table.id] = min(begun, key=lambda table: table.id, default=None)
    return parts


def _owner(document: Document, vpc_id: str) -> Owner:
    """Whose the gateway is that this module makes: the VPC's own, since no network document names it."""
    return Owner(vpc_id, document.tags)


def _gateways_to_make(document: Document, live: Live, changes: Sequence[Change]) -> list[str]:
    if not document.present or not document.creates_gateway:
        return []
    if not any(item.target == EIGW for item in document.routes):
        return []
    vpc_ids = {change.table.vpc_id for change in changes}
    known = [item for item in vpc_ids if document.planned or not is_pending(item)]
    return sorted(item for item in known if item not in live.egress_gateways)


def _gateways_gone(
    document: Document, live: Live, changes: Sequence[Change], left: list[dict[str, Any]]
) -> dict[str, Plan]:
    """Gateways that this module made, when no route leads to them any more, by VPC; in C(left) why the others stay."""
    if document.present or not document.creates_gateway:
        return {}
    going = {(change.table.id, destination) for change in changes for destination, _target in change.routes}
    plans = {}
    for vpc_id in sorted({change.table.vpc_id for change in changes}):
        gateway = live.egress_gateways.get(vpc_id)
        owner = _owner(document, vpc_id)
        if gateway is None or not owner.owns(gateway.tags, egress.PART):
            continue
        users = [
            f"{destination} of {table.id}"
            for table in live.of_vpc(vpc_id)
            for destination, route in table.routes.items()
            if route.target.id == gateway.id and (table.id, destination) not in going
        ]
        if users:
            left.append({"resource": gateway.id, "reason": f"{', '.join(users)} leads to it"})
        else:
            plans[vpc_id] = egress.plan_absent(owner, gateway)
    return plans


def _splits_left(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "resource": change.table.id,
            "reason": f"it was split from {change.table.tags[route_table.SPLIT_TAG]} and serves "
            f"{', '.join(sorted(change.table.associations))}",
        }
        for change in changes
        if route_table.SPLIT_TAG in change.table.tags and change.table.associations
    ]


def _facts(document: Document, live: Live, changes: Sequence[Change], parts: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {vpc_id: gateway.id for vpc_id, gateway in live.egress_gateways.items()}
    for vpc_id in _gateways_to_make(document, live, changes):
        made[vpc_id] = egress.gateway_id(_owner(document, vpc_id), None)
    made |= dict.fromkeys(_gateways_gone(document, live, changes, []))
    vpc_ids = sorted({change.table.vpc_id for change in changes})
    return {
        "route_tables": [_table_facts(change, parts) for change in changes],
        "egress_only_internet_gateway_ids": {vpc_id: made[vpc_id] for vpc_id in vpc_ids if vpc_id in made},
        "blackholes": [entry for change in changes for entry in _blackholes(change)],
    }


def _table_facts(change: Change, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The table that the named subnets use once the plan is done; of a split, the new one."""
    table = change.table
    split, part = table.id in parts, parts.get(table.id)
    routes: dict[str, Any] = {
        destination: route.target.id for destination, route in table.routes.items() if ":" in destination
    }
    for destination, target in change.routes:
        if target is None:
            routes.pop(destination, None)
        else:
            routes[destination] = target.id
    new_id = part.id if part else route_table.split_ref(table)
    return {
        "id": new_id if split else table.id,
        "vpc_id": table.vpc_id,
        "main": table.main and not split,
        "split_from": table.id if split else table.tags.get(route_table.SPLIT_TAG),
        "subnet_ids": list(change.subnets) if not change.named else sorted(table.associations),
        "ipv6_routes": dict(sorted(routes.items())),
    }


def _blackholes(change: Change) -> list[dict[str, Any]]:
    """Routes of a table whose target is gone, and that the plan does not mend."""
    mended = {destination for destination, target in change.routes if _differs(change.table, destination, target)}
    return [
        {"route_table_id": change.table.id, "destination": destination, "target": route.target.id}
        for destination, route in sorted(change.table.routes.items())
        if route.state == "blackhole" and destination not in mended
    ]


def _warnings(document: Document, changes: Sequence[Change]) -> list[str]:
    warnings = [
        f"{entry['destination']} of {entry['route_table_id']} is a blackhole: {entry['target']} is gone."
        for change in changes
        for entry in _blackholes(change)
    ]
    served = {subnet_id for change in changes for subnet_id in change.subnets}
    coming = [subnet_id for subnet_id in document.subnet_ids if is_pending(subnet_id) and subnet_id not in served]
    if coming:
        warnings.append(f"Which table will serve {', '.join(coming)} is not known yet: nothing is planned for them.")
    return warnings
