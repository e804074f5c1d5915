# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 rules of security groups that are there: twins of their IPv4 rules by a stated mapping, and rules as given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import tags as tagging
from ..addressing import AddressError, ipv6
from ..ec2 import security_group, vpc
from ..ec2.ownership import PART_TAG
from ..ec2.security_group import EGRESS, GIVEN, INGRESS, MADE, TWIN, Observed, Rule, Wanted
from ..plan import Outcome, Problem, is_pending, refuse_if_any
from ..session import Session
from ..twins import (
    ALL,
    ICMP,
    ICMPV6,
    IGMP,
    WITH_PORTS,
    Pairs,
    Traffic,
    given_pairs,
    protocol_number,
    refuse_blocks,
    refuse_pairs,
    twins_of,
)

DIRECTIONS = (INGRESS, EGRESS)
LAST_PROTOCOL, LAST_ICMP = 255, 255
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
NOT_COPIED = (tagging.OWN_PREFIX, tagging.AWS_PREFIX)  # tags that say something of the IPv4 rule alone


@dataclass(frozen=True)
class Given:
    """A rule that the document states outright, for all groups that are meant or for some of them."""

    option: str
    direction: str
    wanted: Wanted
    group_ids: tuple[str, ...] | None
    present: bool

    def is_for(self, group_id: str) -> bool:
        """Whether a group shall have it."""
        return self.group_ids is None or group_id in self.group_ids

    def meets(self, other: Given) -> bool:
        """Whether a group may be meant by both."""
        if self.group_ids is None or other.group_ids is None:
            return True
        return not set(self.group_ids).isdisjoint(other.group_ids)


@dataclass(frozen=True)
class Document:
    """The groups' IPv6 rules as they shall be."""

    vpc_id: str | None
    group_ids: tuple[str, ...] | None
    group_names: tuple[str, ...] | None
    filter_tags: Mapping[str, str] | None
    twins: tuple[str, ...]
    mapping: Sequence[Mapping[str, Any]]
    vpc_blocks: tuple[str, ...] | None
    rules: tuple[Given, ...]
    purge_twins: bool
    present: bool
    planned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], check_mode: bool = False) -> Document:
        """From the module's parameters. What earlier tasks have planned counts in check mode only."""
        present = params["state"] == "present"
        planned = (params["planned"] or ()) if check_mode else ()
        return cls(
            vpc_id=params["vpc_id"],
            group_ids=None if params["group_ids"] is None else tuple(params["group_ids"]),
            group_names=None if params["group_names"] is None else tuple(params["group_names"]),
            filter_tags=params["filter_tags"],
            twins=tuple(params["twins"]),
            mapping=params["mapping"] or (),
            vpc_blocks=None if params["vpc_ipv6_cidr_blocks"] is None else tuple(params["vpc_ipv6_cidr_blocks"]),
            rules=tuple(_given(position, entry, present) for position, entry in enumerate(params["rules"] or ())),
            purge_twins=params["purge_twins"],
            present=present,
            planned={entry["id"]: entry for entry in planned if "id" in entry},
        )

    @property
    def narrows(self) -> bool:
        """Whether less than all groups of the VPC are meant."""
        return any(item is not None for item in (self.group_ids, self.group_names, self.filter_tags))


@dataclass(frozen=True)
class Decided:
    """A group with what it shall have by direction, what goes, and what has no twin."""

    group: Observed
    wanted: Mapping[str, tuple[Wanted, ...]]
    gone: tuple[Rule, ...]
    stale: tuple[Rule, ...]
    untwinned: tuple[tuple[Rule, str], ...]


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_security_group_ipv6)."""
    document = Document.from_params(vpc.with_vpc_id(session, params), session.host.check_mode)
    refuse_if_any(refuse(document))
    groups, vpcs = _observe(session, document)
    refuse_if_any(_refuse_live(document, groups, vpcs))
    meant = [group for group in sorted(groups, key=lambda group: group.id) if _means(document, group)]
    if session.host.check_mode:
        coming = [group_id for group_id in document.group_ids or () if is_pending(group_id)]
        meant += [Observed(group_id, group_id, "", {}) for group_id in coming]
    meant = [_as_planned(document, group) for group in meant]
    if _first_block_to_come(document, vpcs):
        meant = [security_group.with_first_ipv6_block(group) for group in meant]
    decided = [_decide(document, group, vpcs.get(group.vpc_id)) for group in meant]
    plan = security_group.plan([(item.group, item.wanted, item.gone) for item in decided])
    return Outcome(plan, _facts(document, decided), (*_unseen(document), *_warnings(decided)))


def _as_planned(document: Document, group: Observed) -> Observed:
    """A group as it is once earlier tasks of the same check mode are done."""
    planned = document.planned.get(group.id)
    if planned is None:
        return group
    others = [rule for rule in group.rules if not rule.of_ipv6]
    rules = [
        Rule(
            entry["id"],
            group.id,
            entry["direction"],
            Traffic.of(entry["ip_protocol"], entry["from_port"], entry["to_port"], entry["cidr_ipv6"]),
            None,
            entry["description"],
            entry["tags"],
        )
        for entry in planned.get("ipv6_rules") or ()
    ]
    return replace(group, rules=(*others, *rules))


def refuse(document: Document) -> list[Problem]:
    """What the document itself gets wrong."""
    problems = refuse_pairs(document.mapping) + refuse_blocks(document.vpc_blocks)
    for option in ("group_names", "filter_tags"):
        if getattr(document, option) is not None and document.vpc_id is None:
            problems.append(Problem(option, "names and tags are looked for in one VPC.", "Give vpc_id."))
    seen: dict[tuple[str, Traffic], list[Given]] = {}
    for item in document.rules:
        problems.extend(_refuse_rule(item))
        earlier = seen.setdefault((item.direction, item.wanted.traffic), [])
        problems += [
            Problem(item.option, f"speaks of the same traffic as {other.option}, for the same groups.")
            for other in earlier
            if item.meets(other)
        ]
        earlier.append(item)
    return problems


def _given(position: int, entry: Mapping[str, Any], present: bool) -> Given:
    number = protocol_number(entry["ip_protocol"])
    first, last = entry.get("from_port"), entry.get("to_port")
    if number in WITH_PORTS and last is None:
        last = first
    traffic = Traffic.of(number, first, last, entry["cidr_ipv6"])
    group_ids = entry.get("group_ids")
    return Given(
        option=f"rules[{position}]",
        direction=entry.get("direction") or INGRESS,
        wanted=Wanted(traffic, GIVEN, entry.get("description"), entry.get("tags")),
        group_ids=None if group_ids is None else tuple(group_ids),
        present=present and entry.get("state") != "absent",
    )


def _refuse_rule(item: Given) -> list[Problem]:
    problems = []
    traffic = item.wanted.traffic
    try:
        ipv6(traffic.cidr)
    except AddressError as error:
        problems.append(Problem(f"{item.option}.cidr_ipv6", f"{error}.", "This module manages IPv6 rules only."))
    if traffic.protocol in (ICMP, IGMP):
        problems.append(Problem(f"{item.option}.ip_protocol", "is a protocol of IPv4.", "IPv6 has icmpv6."))
    elif traffic.protocol != "-1" and not (traffic.protocol.isdecimal() and int(traffic.protocol) <= LAST_PROTOCOL):
        message = f"EC2 knows no {traffic.protocol!r}."
        problems.append(
            Problem(f"{item.option}.ip_protocol", message, f"Give tcp, udp, icmpv6, 0 to {LAST_PROTOCOL}, or -1.")
        )
    problems += _refuse_icmpv6(item) + _refuse_description(item)
    if traffic.protocol in WITH_PORTS:
        if traffic.from_port == ALL:
            problems.append(Problem(f"{item.option}.from_port", f"{traffic.protocol_name} needs ports."))
        elif not 0 <= traffic.from_port <= traffic.to_port <= 65535:
            problems.append(
                Problem(f"{item.option}.to_port", f"{traffic.from_port} to {traffic.to_port} is no range of ports.")
            )
    return problems


def _refuse_icmpv6(item: Given) -> list[Problem]:
    traffic = item.wanted.traffic
    if traffic.protocol != ICMPV6:
        return []
    problems = []
    for option, what, number in (("from_port", "type", traffic.from_port), ("to_port", "code", traffic.to_port)):
        if not ALL <= number <= LAST_ICMP:
            text = f"{number} is no ICMPv6 {what}, 0 to {LAST_ICMP}, nor -1 for all."
            problems.append(Problem(f"{item.option}.{option}", text))
    if traffic.from_port == ALL and traffic.to_port != ALL:
        problems.append(Problem(f"{item.option}.to_port", "is a code without a type.", "Give from_port."))
    return problems


def _refuse_description(item: Given) -> list[Problem]:
    text = item.wanted.description
    if not item.present or text is None or DESCRIPTION.fullmatch(text):
        return []
    taken = "EC2 takes 255 characters at most, of a-z, A-Z, 0-9, blanks and ._-:/()#,@[]+=&;{}!$*"
    return [Problem(f"{item.option}.description", f"{text!r} is none.", taken, "EC2 API reference: Ipv6Range")]


def _observe(session: Session, document: Document) -> tuple[list[Observed], dict[str, vpc.Observed]]:
    """Groups and their rules; the VPCs, whose ranges the mapping needs, side by side where they are known."""
    vpc_id = document.vpc_id
    needs_vpcs = bool(document.twins) and document.present
    if vpc_id is not None:
        if is_pending(vpc_id):
            return [], {}
        read = session.together(
            groups=lambda: security_group.observe(session, vpc_id, ()),
            vpcs=lambda: vpc.observe_ids(session, [vpc_id]),
        )
        return read["groups"], read["vpcs"]
    ids = [group_id for group_id in document.group_ids or () if not is_pending(group_id)]
    groups = security_group.observe(session, None, ids)
    homes = {group.vpc_id for group in groups}
    return groups, vpc.observe_ids(session, homes) if needs_vpcs and homes else {}


def _refuse_live(document: Document, groups: Sequence[Observed], vpcs: Mapping[str, vpc.Observed]) -> list[Problem]:
    if not document.present or is_pending(document.vpc_id):
        return []
    if document.vpc_id is not None and document.vpc_id not in vpcs:
        return [Problem("vpc_id", f"there is no VPC {document.vpc_id}.", "Check the region.")]
    where = document.vpc_id or "the region"
    by_id, names = {group.id for group in groups}, {group.name for group in groups}
    problems = [
        Problem(f"group_ids[{position}]", f"there is no security group {group_id} in {where}.")
        for position, group_id in enumerate(document.group_ids or ())
        if group_id not in by_id and not is_pending(group_id)
    ]
    problems += [
        Problem(f"group_names[{position}]", f"there is no security group called {name} in {where}.")
        for position, name in enumerate(document.group_names or ())
        if name not in names
    ]
    named = {group.id for group in groups if _means(document, group)}
    problems += [
        Problem(f"{item.option}.group_ids", f"{group_id} is not among the groups of this task.")
        for item in document.rules
        for group_id in item.group_ids or ()
        if group_id not in named and not is_pending(group_id)
    ]
    return problems


def _means(document: Document, group: Observed) -> bool:
    """Whether the document speaks of a group: all of a VPC's when it names none."""
    if not document.narrows:
        return True
    tags = document.filter_tags
    return (
        group.id in (document.group_ids or ())
        or group.name in (document.group_names or ())
        or (tags is not None and all(group.tags.get(key) == value for key, value in tags.items()))
    )


def _first_block_to_come(document: Document, vpcs: Mapping[str, vpc.Observed]) -> bool:
    """Whether a VPC without IPv6 is about to get some: EC2 then adds rules of its own, which cannot be read yet."""
    coming = any(is_pending(block) for block in document.vpc_blocks or ())
    return coming and not any(home.associated for home in vpcs.values())


def _decide(document: Document, group: Observed, home: vpc.Observed | None) -> Decided:
    given = [item for item in document.rules if item.is_for(group.id)]
    named = {(item.direction, item.wanted.traffic) for item in given if not item.present}
    gone = [
        rule
        for direction in DIRECTIONS
        for traffic, rule in group.ipv6(direction).items()
        if (direction, traffic) in named
    ]
    if not document.present:
        gone += [rule for rule in group.rules if rule.part == TWIN and rule not in gone]
        return Decided(group, {}, tuple(gone), (), ())
    wanted, untwinned = {}, []
    for direction in DIRECTIONS:
        outright = {item.wanted.traffic: item.wanted for item in given if item.present and item.direction == direction}
        twins, without = _twins(document, group, direction, home)
        kept = {item.traffic: item for item in twins if (direction, item.traffic) not in named}
        wanted[direction] = tuple({**kept, **outright}.values())
        untwinned += without
    meant = {(direction, item.traffic) for direction, items in wanted.items() for item in items}
    stale = tuple(
        rule
        for rule in group.rules
        if rule.part == TWIN
        and rule.direction in document.twins
        and (rule.direction, rule.traffic) not in meant
        and rule not in gone
    )
    return Decided(group, wanted, (*gone, *(stale if document.purge_twins else ())), stale, tuple(untwinned))


def _twins(
    document: Document, group: Observed, direction: str, home: vpc.Observed | None
) -> tuple[list[Wanted], list[tuple[Rule, str]]]:
    """The twins of a group's IPv4 rules, the first rule's description and tags where two have the same twin."""
    if direction not in document.twins or home is None:
        return [], []
    own = document.vpc_blocks
    blocks = [block.cidr_block for block in home.associated] if own is None else own
    pairs = Pairs.of(home.cidr_blocks, blocks, given_pairs(document.mapping))
    twins: dict[Traffic, Wanted] = {}
    untwinned: list[tuple[Rule, str]] = []
    of_ipv4 = [rule for rule in group.rules if rule.direction == direction and not rule.of_ipv6]
    for rule in sorted(of_ipv4, key=lambda rule: (rule.traffic is None, str(rule.traffic), rule.id)):
        if rule.prefix_list_id is not None:
            untwinned.append((rule, "it refers to a prefix list, which has one address family"))
        if rule.traffic is None:
            continue
        found, why_not = twins_of(rule.traffic, pairs)
        if why_not:
            untwinned.append((rule, why_not))
        for traffic in found:
            kept = {key: value for key, value in rule.tags.items() if not key.startswith(NOT_COPIED)}
            twins.setdefault(traffic, Wanted(traffic, TWIN, rule.description, kept))
    return list(twins.values()), untwinned


def _facts(document: Document, decided: Iterable[Decided]) -> dict[str, Any]:
    items = list(decided)
    facts = {
        "security_groups": [_group_facts(item) for item in items],
        "untwinned": [_rule_facts(item.group, rule, why) for item in items for rule, why in item.untwinned],
        "stale_twins": [
            _rule_facts(item.group, rule, "no IPv4 rule has it as its twin any more")
            for item in items
            for rule in item.stale
        ],
    }
    return facts if document.present else {**facts, "left": _left(items)}


def _group_facts(item: Decided) -> dict[str, Any]:
    gone = {rule.id for rule in item.gone}
    rules = []
    for direction in DIRECTIONS:
        live = item.group.ipv6(direction)
        wanted = {entry.traffic: entry for entry in item.wanted.get(direction, ())}
        staying = {traffic for traffic, rule in live.items() if rule.id not in gone}
        for traffic in sorted(staying | set(wanted)):
            rules.append(_ipv6_rule(item.group, direction, traffic, wanted.get(traffic), live.get(traffic)))
    return {"id": item.group.id, "name": item.group.name, "vpc_id": item.group.vpc_id or None, "ipv6_rules": rules}


def _ipv6_rule(
    group: Observed, direction: str, traffic: Traffic, wanted: Wanted | None, rule: Rule | None
) -> dict[str, Any]:
    description = rule.description if rule else wanted.description if wanted else None
    if rule is not None and wanted is not None and security_group.redescribes(wanted, rule):
        description = wanted.description
    tags = security_group.tags_after(wanted, rule)
    return {
        "id": security_group.rule_id(group, direction, traffic),
        "direction": direction,
        **_traffic_facts(traffic),
        "cidr_ipv6": traffic.cidr,
        "description": description,
        "twin": tags.get(PART_TAG) == TWIN,
        "tags": tags,
    }


def _traffic_facts(traffic: Traffic) -> dict[str, Any]:
    """Protocol and ports as EC2 tells them; null where there are none."""
    return {
        "ip_protocol": traffic.protocol_name,
        "from_port": None if traffic.from_port == ALL else traffic.from_port,
        "to_port": None if traffic.to_port == ALL else traffic.to_port,
    }


def _rule_facts(group: Observed, rule: Rule, reason: str) -> dict[str, Any]:
    traffic = rule.traffic
    return {
        "group_id": group.id,
        "rule_id": rule.id,
        "direction": rule.direction,
        **(_traffic_facts(traffic) if traffic else {"ip_protocol": None, "from_port": None, "to_port": None}),
        "cidr": traffic.cidr if traffic else rule.prefix_list_id,
        "description": rule.description,
        "reason": reason,
    }


def _left(items: Iterable[Decided]) -> list[dict[str, Any]]:
    """Rules that this module made and that nobody named: they are given ones, or it cannot tell."""
    left = []
    for item in items:
        gone = {rule.id for rule in item.gone}
        for rule in item.group.rules:
            if rule.part in (GIVEN, MADE) and rule.id not in gone:
                reason = "it was given outright" if rule.part == GIVEN else "an interrupted run did not say what it is"
                left.append({"resource": rule.id, "reason": f"{item.group.id} {rule.traffic}: {reason}"})
    return left


def _unseen(document: Document) -> list[str]:
    """Groups that cannot be planned for, since their VPC is yet to be made; those named by ids to come can."""
    named = document.group_names is None and document.filter_tags is None and document.group_ids is not None
    if (
        not document.present
        or not is_pending(document.vpc_id)
        or (named and all(map(is_pending, document.group_ids or ())))
    ):
        return []
    return [f"{document.vpc_id} is yet to be made: nothing is planned for its security groups."]


def _warnings(decided: Iterable[Decided]) -> list[str]:
    warnings = []
    for item in decided:
        lacking = [f"{rule.direction} {rule.traffic}: {why}" for rule, why in item.untwinned if rule.traffic]
        if lacking:
            warnings.append(f"{item.group.id} has IPv4 rules without a twin: {'; '.join(lacking)}.")
        staying = [rule for rule in item.stale if rule not in item.gone]
        if staying:
            listed = ", ".join(f"{rule.id} ({rule.direction} {rule.traffic})" for rule in staying)
            warnings.append(
                f"{item.group.id} has twins whose IPv4 rule is gone: {listed}. Give purge_twins to have them revoked."
            )
    return warnings
