# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 entries of network ACLs that are there: they mirror the IPv4 ones, in their order, by a stated mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ec2 import network_acl, vpc
from ..ec2.network_acl import ALLOW, DIRECTIONS, EGRESS, INGRESS, Entry, NoRoom, Observed
from ..plan import Outcome, Plan, Problem, is_pending, refuse_if_any
from ..session import Session
from ..twins import (
    ALL,
    ANYWHERE6,
    ICMP,
    ICMPV6,
    NAMES,
    PACKET_TOO_BIG,
    WITH_PORTS,
    Pairs,
    Traffic,
    given_pairs,
    refuse_blocks,
    refuse_pairs,
    twins_of,
)

QUOTA_SOURCE = (
    "VPC user guide: quotas (entries of both families and those that deny the rest counted, the stricter reading)"
)
BACK = {INGRESS: EGRESS, EGRESS: INGRESS}


@dataclass(frozen=True)
class Document:
    """The ACLs' IPv6 entries as they shall be. C(ephemeral_ports) None adds none."""

    vpc_id: str | None
    network_acl_ids: tuple[str, ...] | None
    subnet_ids: tuple[str, ...] | None
    twins: tuple[str, ...]
    mapping: Sequence[Mapping[str, Any]]
    vpc_blocks: tuple[str, ...] | None
    path_mtu_discovery: bool
    ephemeral_ports: tuple[int, int] | None
    max_entries: int
    purge_twins: bool
    present: bool
    planned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], check_mode: bool = False) -> Document:
        """From the module's parameters. What earlier tasks have planned counts in check mode only."""
        ports = params["ephemeral_ports"]
        planned = (params["planned"] or ()) if check_mode else ()
        return cls(
            vpc_id=params["vpc_id"],
            network_acl_ids=None if params["network_acl_ids"] is None else tuple(params["network_acl_ids"]),
            subnet_ids=None if params["subnet_ids"] is None else tuple(params["subnet_ids"]),
            twins=tuple(params["twins"]),
            mapping=params["mapping"] or (),
            vpc_blocks=None if params["vpc_ipv6_cidr_blocks"] is None else tuple(params["vpc_ipv6_cidr_blocks"]),
            path_mtu_discovery=params["path_mtu_discovery"],
            ephemeral_ports=(ports["from_port"], ports["to_port"]) if ports else None,
            max_entries=params["max_entries"],
            purge_twins=params["purge_twins"],
            present=params["state"] == "present",
            planned={entry["id"]: entry for entry in planned if "id" in entry},
        )

    def means(self, acl: Observed) -> bool:
        """Whether it speaks of an ACL: all of a VPC's when it names none."""
        if self.network_acl_ids is None and self.subnet_ids is None:
            return True
        return acl.id in (self.network_acl_ids or ()) or bool(set(acl.subnet_ids) & set(self.subnet_ids or ()))


@dataclass(frozen=True)
class Decided:
    """An ACL with the entries that it shall have of this collection's, and what has no twin."""

    acl: Observed
    wanted: Mapping[str, tuple[Entry, ...]]
    untwinned: tuple[tuple[str, Entry, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def stale(self, direction: str) -> list[Entry]:
        """Own entries that nothing calls for any more."""
        numbers = {item.number for item in self.wanted.get(direction, ())}
        return [item for number, item in sorted(self.acl.own(direction).items()) if number not in numbers]


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_network_acl_ipv6)."""
    document = Document.from_params(vpc.with_vpc_id(session, params), session.host.check_mode)
    refuse_if_any(refuse(document))
    acls, vpcs = _observe(session, document)
    refuse_if_any(_refuse_live(document, acls, vpcs))
    meant = [_as_planned(document, acl) for acl in sorted(acls, key=lambda acl: acl.id) if document.means(acl)]
    decided, problems = _decide_all(document, meant, vpcs)
    refuse_if_any(problems + _refuse_quota(document, decided))
    purge = document.purge_twins or not document.present
    plan = Plan.of(*(network_acl.plan(item.acl, item.wanted, purge, document.max_entries) for item in decided))
    return Outcome(plan, _facts(document, decided), tuple(_warnings(document, decided)))


def _as_planned(document: Document, acl: Observed) -> Observed:
    """An ACL as it is once earlier tasks of the same check mode are done."""
    planned = document.planned.get(acl.id)
    if planned is None:
        return acl
    entries: dict[str, list[Entry]] = {direction: acl.ipv4(direction) for direction in DIRECTIONS}
    own: dict[str, list[int]] = {direction: [] for direction in DIRECTIONS}
    for item in planned.get("ipv6_entries") or ():
        icmp = item["protocol"] in (ICMP, ICMPV6)
        ends = (item["icmp_type"], item["icmp_code"]) if icmp else (item["from_port"], item["to_port"])
        entry = Entry(item["rule_number"], item["rule_action"], Traffic.of(item["protocol"], *ends, item["cidr"]))
        entries[item["direction"]].append(entry)
        if item["own"]:
            own[item["direction"]].append(entry.number)
    return network_acl.with_entries(acl, entries, own)


def refuse(document: Document) -> list[Problem]:
    """What the document itself gets wrong."""
    problems = refuse_pairs(document.mapping) + refuse_blocks(document.vpc_blocks)
    if document.ephemeral_ports is not None:
        first, last = document.ephemeral_ports
        if not 0 <= first <= last <= 65535:
            problems.append(Problem("ephemeral_ports", f"{first} to {last} is no range of ports."))
    if document.max_entries < 1:
        problems.append(Problem("max_entries", f"{document.max_entries} leaves room for nothing."))
    return problems


def _observe(session: Session, document: Document) -> tuple[list[Observed], dict[str, vpc.Observed]]:
    """The ACLs, and the VPCs whose ranges the mapping needs; in one round where the VPC is named."""
    vpc_id = document.vpc_id
    if vpc_id is not None:
        if is_pending(vpc_id):
            return [], {}
        read = session.together(
            acls=lambda: network_acl.observe(session, "vpc-id", [vpc_id]),
            vpcs=lambda: vpc.observe_ids(session, [vpc_id]),
        )
        return read["acls"], read["vpcs"]
    ids = [item for item in document.network_acl_ids or () if not is_pending(item)]
    subnets = [item for item in document.subnet_ids or () if not is_pending(item)]
    read = session.together(
        by_id=lambda: network_acl.observe(session, "network-acl-id", ids) if ids else [],
        by_subnet=lambda: network_acl.observe(session, "association.subnet-id", subnets) if subnets else [],
    )
    acls = list({acl.id: acl for acl in [*read["by_id"], *read["by_subnet"]]}.values())
    homes = {acl.vpc_id for acl in acls}
    return acls, vpc.observe_ids(session, homes) if homes and document.present else {}


def _refuse_live(document: Document, acls: Sequence[Observed], vpcs: Mapping[str, vpc.Observed]) -> list[Problem]:
    if not document.present or is_pending(document.vpc_id):
        return []
    if document.vpc_id is not None and document.vpc_id not in vpcs:
        return [Problem("vpc_id", f"there is no VPC {document.vpc_id}.", "Check the region.")]
    where = document.vpc_id or "the region"
    ids, subnets = {acl.id for acl in acls}, {subnet_id for acl in acls for subnet_id in acl.subnet_ids}
    problems = [
        Problem(f"network_acl_ids[{position}]", f"there is no network ACL {acl_id} in {where}.")
        for position, acl_id in enumerate(document.network_acl_ids or ())
        if acl_id not in ids and not is_pending(acl_id)
    ]
    problems += [
        Problem(f"subnet_ids[{position}]", f"no network ACL in {where} is associated with {subnet_id}.")
        for position, subnet_id in enumerate(document.subnet_ids or ())
        if subnet_id not in subnets and not is_pending(subnet_id)
    ]
    return problems


def _decide_all(
    document: Document, acls: Iterable[Observed], vpcs: Mapping[str, vpc.Observed]
) -> tuple[list[Decided], list[Problem]]:
    decided, problems = [], []
    for found in acls:
        acl = found
        if not document.present:
            decided.append(Decided(acl, {}))
            continue
        home, own = vpcs[acl.vpc_id], document.vpc_blocks
        blocks = [block.cidr_block for block in home.associated] if own is None else list(own)
        if not home.associated and any(is_pending(block) for block in blocks):
            acl = network_acl.with_first_ipv6_block(acl)
        pairs = Pairs.of(home.cidr_blocks, blocks, given_pairs(document.mapping))
        try:
            decided.append(_decide(document, acl, pairs))
        except NoRoom as full:
            message = f"has no free rule number for {full}."
            problems.append(Problem(acl.id, message, "Renumber its IPv4 entries, with room between them."))
    return decided, problems


def _decide(document: Document, acl: Observed, pairs: Pairs) -> Decided:
    made: dict[str, list[Entry]] = {}
    whole: dict[str, list[Entry]] = {}
    untwinned: list[tuple[str, Entry, str]] = []
    for direction in DIRECTIONS:
        foreign = acl.foreign(direction)
        twins, without = _twins(acl, direction, pairs) if direction in document.twins else ([], [])
        untwinned += [(direction, item, why) for item, why in without]
        placed = network_acl.in_order(twins, foreign, _taken(acl, direction))
        made[direction] = [item for item, new in placed if new]
        whole[direction] = sorted([*foreign, *made[direction]])
    warnings: list[str] = []
    needed = {direction: _needed(document, acl, direction, whole, warnings) for direction in DIRECTIONS}
    for direction, items in needed.items():
        if items:
            first = min(item.number for item in whole[direction]) if whole[direction] else 100
            own = acl.own(direction).values()
            made[direction] += network_acl.before_all(items, first, _taken(acl, direction), own)
    wanted = {
        direction: tuple(sorted(made[direction] if direction in document.twins else acl.own(direction).values()))
        for direction in DIRECTIONS
    }
    return Decided(acl, wanted, tuple(untwinned), tuple(warnings))


def _taken(acl: Observed, direction: str) -> list[int]:
    """The numbers that are somebody else's; own entries may change theirs."""
    return [item.number for item in [*acl.ipv4(direction), *acl.foreign(direction)]]


def _twins(acl: Observed, direction: str, pairs: Pairs) -> tuple[list[Entry], list[tuple[Entry, str]]]:
    """The twins of the IPv4 entries in their order, each with the number of its IPv4 entry; the first of its kind."""
    twins: list[Entry] = []
    untwinned: list[tuple[Entry, str]] = []
    seen: set[Traffic] = set()
    for item in acl.ipv4(direction):
        found, why_not = twins_of(item.traffic, pairs)
        if why_not:
            untwinned.append((item, why_not))
        for traffic in found:
            if traffic not in seen:
                seen.add(traffic)
                twins.append(Entry(item.number, item.action, traffic))
    return twins, untwinned


def _needed(
    document: Document, acl: Observed, direction: str, whole: Mapping[str, Sequence[Entry]], warnings: list[str]
) -> list[Entry]:
    """What IPv6 needs besides: packet-too-big messages, and the ports that answers come back to."""
    needed = []
    passes = any(item.action == ALLOW for items in whole.values() for item in items)
    if document.path_mtu_discovery and direction in document.twins and passes:
        needed.append(Traffic(ICMPV6, *PACKET_TOO_BIG, ANYWHERE6))
    for protocol in WITH_PORTS:
        if direction not in document.twins or not _leaves(whole[BACK[direction]], protocol):
            continue
        if document.ephemeral_ports is not None:
            needed.append(Traffic(protocol, *document.ephemeral_ports, ANYWHERE6))
        elif direction == INGRESS and not _leaves(whole[direction], protocol):
            warnings.append(
                f"{acl.id} lets {NAMES[protocol]} out to ::/0 and none in from there: answers are dropped. "
                "Give ephemeral_ports."
            )
    entries = []
    for traffic in needed:
        decision = network_acl.deciding(whole[direction], traffic)
        if decision is None or (decision.action != ALLOW and decision not in acl.foreign(direction)):
            entries.append(Entry(0, ALLOW, traffic))
        elif decision.action != ALLOW:
            warnings.append(
                f"{acl.id} denies {traffic} ({direction}) by entry {decision.number}, which was left alone."
            )
    return entries


def _leaves(entries: Iterable[Entry], protocol: str) -> bool:
    """Whether any of a protocol's traffic passes between here and anywhere."""
    return any(
        item.action == ALLOW and item.traffic.cidr == ANYWHERE6 and item.traffic.protocol in ("-1", protocol)
        for item in entries
    )


def _refuse_quota(document: Document, decided: Iterable[Decided]) -> list[Problem]:
    problems = []
    for item in decided:
        for direction in DIRECTIONS:
            own = item.acl.own(direction)
            new = [entry for entry in item.wanted.get(direction, ()) if entry.number not in own]
            gone = len(item.stale(direction)) if document.purge_twins else 0
            total = item.acl.total[direction] + len(new) - gone
            if new and total > document.max_entries:
                message = f"{item.acl.id} would have {total} {direction} entries, more than {document.max_entries}."
                remedy = "Join IPv4 entries, or have the quota raised (to 40 at most) and give it here."
                problems.append(Problem("max_entries", message, remedy, QUOTA_SOURCE))
    return problems


def _facts(document: Document, decided: Sequence[Decided]) -> dict[str, Any]:
    return {
        "network_acls": [_acl_facts(document, item) for item in decided],
        "untwinned": [
            {"network_acl_id": item.acl.id, **_entry_facts(direction, entry), "reason": why}
            for item in decided
            for direction, entry, why in item.untwinned
        ],
        "stale_twins": [
            {"network_acl_id": item.acl.id, **_entry_facts(direction, entry)}
            for item in decided
            for direction in DIRECTIONS
            for entry in (item.stale(direction) if document.present else ())
        ],
    }


def _acl_facts(document: Document, item: Decided) -> dict[str, Any]:
    purge = document.purge_twins or not document.present
    entries = []
    for direction in DIRECTIONS:
        wanted = list(item.wanted.get(direction, ()))
        own = [*wanted, *([] if purge else item.stale(direction))]
        listed = [(entry, False) for entry in item.acl.foreign(direction)] + [(entry, True) for entry in own]
        entries += [{**_entry_facts(direction, entry), "own": mine} for entry, mine in sorted(listed)]
    return {
        "id": item.acl.id,
        "vpc_id": item.acl.vpc_id,
        "default": item.acl.default,
        "subnet_ids": list(item.acl.subnet_ids),
        "ipv6_entries": entries,
    }


def _entry_facts(direction: str, entry: Entry) -> dict[str, Any]:
    traffic = entry.traffic
    first = None if traffic.from_port == ALL else traffic.from_port
    last = None if traffic.to_port == ALL else traffic.to_port
    icmp = traffic.protocol in (ICMP, ICMPV6)
    return {
        "direction": direction,
        "rule_number": entry.number,
        "rule_action": entry.action,
        "protocol": traffic.protocol,
        "cidr": traffic.cidr,
        "from_port": None if icmp else first,
        "to_port": None if icmp else last,
        "icmp_type": first if icmp else None,
        "icmp_code": last if icmp else None,
    }


def _warnings(document: Document, decided: Iterable[Decided]) -> list[str]:
    warnings = []
    if document.present and is_pending(document.vpc_id):
        warnings.append(f"{document.vpc_id} is yet to be made: nothing is planned for its network ACLs.")
    for item in decided:
        lacking = [f"{direction} {entry}: {why}" for direction, entry, why in item.untwinned]
        if lacking:
            warnings.append(f"{item.acl.id} has IPv4 entries without a twin: {'; '.join(lacking)}.")
        stale = [f"{direction} {entry}" for direction in DIRECTIONS for entry in item.stale(direction)]
        if stale and document.present and not document.purge_twins:
            warnings.append(
                f"{item.acl.id} has twins whose IPv4 entry is gone: {'; '.join(stale)}. "
                "Give purge_twins to have them deleted."
            )
        others = set(item.acl.subnet_ids) - set(document.subnet_ids or item.acl.subnet_ids)
        if others and item.acl.id not in (document.network_acl_ids or ()):
            warnings.append(f"{item.acl.id} is also the ACL of {', '.join(sorted(others))}.")
        warnings.extend(item.warnings)
    return warnings
