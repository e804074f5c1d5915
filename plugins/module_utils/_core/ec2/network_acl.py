# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network ACLs and their IPv6 entries: where each goes among the numbers, and whose it is.

An entry has no tags. Which entries are this collection's own is told by two tags on the ACL, one for each direction,
that list their numbers. A number is written there before its entry is made, and struck off after it was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Risk, Step
from ..session import Session
from ..twins import ALL, ANYWHERE4, ANYWHERE6, ICMP, ICMPV6, WITH_PORTS, Traffic
from .filters import described

INGRESS, EGRESS = "ingress", "egress"
DIRECTIONS = (INGRESS, EGRESS)
OWN_TAGS = {direction: f"{tagging.OWN_PREFIX}{direction}-entries" for direction in DIRECTIONS}
LAST = 32766  # 32767 and 32768 are the entries that deny the rest, which nobody can change
ALLOW = "allow"
ORIGINAL = (100, ALLOW)  # the entry of a default ACL as EC2 makes it, in both directions
EVERYTHING4 = Traffic("-1", ALL, ALL, ANYWHERE4)


@dataclass(frozen=True, order=True)
class Entry:
    """An entry, or one to be."""

    number: int
    action: str
    traffic: Traffic

    @property
    def of_ipv6(self) -> bool:
        """Whether it is about an IPv6 block."""
        return ":" in self.traffic.cidr

    def says(self, other: Entry) -> bool:
        """Whether another entry says the same, at whatever number."""
        return (self.action, self.traffic) == (other.action, other.traffic)

    def covers(self, traffic: Traffic) -> bool:
        """Whether it decides about all of this traffic; blocks other than the whole internet decide about a part."""
        mine = self.traffic
        if mine.cidr not in (ANYWHERE6, traffic.cidr) or mine.protocol not in ("-1", traffic.protocol):
            return False
        if mine.protocol in WITH_PORTS:
            return mine.from_port <= traffic.from_port and traffic.to_port <= mine.to_port
        if mine.protocol == ICMPV6:
            return mine.from_port in (ALL, traffic.from_port) and mine.to_port in (ALL, traffic.to_port)
        return True

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.traffic}"


@dataclass(frozen=True)
class Observed:
    """A network ACL as it is. C(entries) by direction, without those that deny the rest."""

    id: str
    vpc_id: str
    default: bool
    subnet_ids: tuple[str, ...]
    tags: Mapping[str, str]
    entries: Mapping[str, tuple[Entry, ...]]
    total: Mapping[str, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"network-acl/{self.id}"

    def claimed(self, direction: str) -> set[int]:
        """The numbers that its tag says are this collection's."""
        return {int(text) for text in self.tags.get(OWN_TAGS[direction], "").split() if text.isdigit()}

    def own(self, direction: str) -> dict[int, Entry]:
        """This collection's IPv6 entries in one direction."""
        claimed = self.claimed(direction)
        return {item.number: item for item in self.entries[direction] if item.of_ipv6 and item.number in claimed}

    def foreign(self, direction: str) -> list[Entry]:
        """Everybody else's IPv6 entries in one direction, in order of evaluation."""
        own = self.own(direction)
        return sorted(item for item in self.entries[direction] if item.of_ipv6 and item.number not in own)

    def ipv4(self, direction: str) -> list[Entry]:
        """The IPv4 entries in one direction, in order of evaluation."""
        return sorted(item for item in self.entries[direction] if not item.of_ipv6)


class NoRoom(Exception):
    """No rule number is free where an entry has to go."""


def observe(session: Session, name: str, values: Iterable[str]) -> list[Observed]:
    """The ACLs that a filter (C(vpc-id), C(network-acl-id), C(association.subnet-id)) finds by any of these values."""
    found = described(session, "DescribeNetworkAcls", "NetworkAcls", name, values)
    return list({item["NetworkAclId"]: _observed(item) for item in found}.values())


def with_first_ipv6_block(acl: Observed) -> Observed:
    """An ACL as it will be when its VPC has its first IPv6 block.

    EC2 adds what denies the rest of IPv6, and to a default ACL what lets all IPv6 through, in each direction that
    nobody changed (VPC user guide: default network ACL).
    """
    entries, total = dict(acl.entries), dict(acl.total)
    for direction in DIRECTIONS:
        total[direction] += 1
        there = [(item.number, item.action, item.traffic) for item in acl.entries[direction]]
        if acl.default and there == [(*ORIGINAL, EVERYTHING4)]:
            added = Entry(ORIGINAL[0] + 1, ALLOW, Traffic("-1", ALL, ALL, ANYWHERE6))
            entries[direction] = (*acl.entries[direction], added)
            total[direction] += 1
    return replace(acl, entries=entries, total=total)


def with_entries(acl: Observed, entries: Mapping[str, Sequence[Entry]], own: Mapping[str, Iterable[int]]) -> Observed:
    """An ACL with other entries, of which these numbers are this collection's."""
    tags = {key: value for key, value in acl.tags.items() if key not in OWN_TAGS.values()}
    tags |= {OWN_TAGS[direction]: _listed(own[direction]) for direction in DIRECTIONS if own[direction]}
    added = {direction: len(entries[direction]) - len(acl.entries[direction]) for direction in DIRECTIONS}
    total = {direction: acl.total[direction] + added[direction] for direction in DIRECTIONS}
    return replace(acl, tags=tags, entries={way: tuple(items) for way, items in entries.items()}, total=total)


def in_order(wanted: Sequence[Entry], foreign: Sequence[Entry], taken: Iterable[int]) -> list[tuple[Entry, bool]]:
    """Numbers for entries that are evaluated in this order; true with those that are to be made.

    An entry goes behind the IPv4 one whose number it comes with (as AWS itself puts 101 behind 100). Where somebody
    else's entry says the same and stands in order, that one serves.

    @raises NoRoom  when the numbers are used up.
    """
    used = set(taken)
    floor, placed = 0, []
    for item in wanted:
        serving = next((other for other in foreign if other.number > floor and other.says(item)), None)
        if serving is not None:
            placed.append((serving, False))
            floor = serving.number
            continue
        number = max(floor, item.number) + 1
        while number in used:
            number += 1
        if number > LAST:
            raise NoRoom(str(item))
        placed.append((Entry(number, item.action, item.traffic), True))
        floor = number
    return placed


def before_all(wanted: Sequence[Entry], first: int, taken: Iterable[int], own: Iterable[Entry]) -> list[Entry]:
    """Numbers below C(first), as near to it as can be. An entry of one's own that is there already keeps its number.

    @raises NoRoom  when fewer are free.
    """
    kept = [item for item in own if item.number < first and any(item.says(other) for other in wanted)]
    missing = [item for item in wanted if not any(other.says(item) for other in kept)]
    used = {*taken, *(item.number for item in kept)}
    free = [number for number in range(first - 1, 0, -1) if number not in used][: len(missing)]
    if len(free) < len(missing):
        raise NoRoom(", ".join(str(item.traffic) for item in missing))
    numbered = zip(sorted(free), missing, strict=True)
    return [*kept, *(Entry(number, item.action, item.traffic) for number, item in numbered)]


def deciding(entries: Iterable[Entry], traffic: Traffic) -> Entry | None:
    """The first entry that decides about all of some traffic; None where the rest is denied."""
    return next((item for item in sorted(entries) if item.covers(traffic)), None)


def plan(acl: Observed, wanted: Mapping[str, Sequence[Entry]], purge: bool, max_entries: int) -> Plan:
    """Claim numbers, make and replace entries, delete, strike numbers off.

    What allows comes before what denies, and deletions last, so that nothing is shut out half way. Only where the
    quota has no room for old and new entries side by side, as many as must are deleted first.
    """
    evicted: list[Step] = []
    makes: list[tuple[bool, str, Entry, Step]] = []
    deletes: list[Step] = []
    claims, finals = {}, {}
    for direction in DIRECTIONS:
        own, target = acl.own(direction), {item.number: item for item in wanted.get(direction, ())}
        for number, item in sorted(target.items()):
            if number not in own or not own[number].says(item):
                step = _put(acl, direction, item, own.get(number))
                makes.append((item.action != ALLOW, direction, item, step))
        stale = sorted(set(own) - set(target))
        gone = [_delete(acl, direction, own[number]) for number in stale if purge]
        over = max(0, acl.total[direction] + len(set(target) - set(own)) - max_entries)
        evicted += gone[:over]
        deletes += gone[over:]
        finals[direction] = set(target) | (set() if purge else set(stale))
        claims[direction] = set(target) | set(own)
    ordered = [step for *_key, step in sorted(makes, key=lambda item: item[:3])]
    before = {direction: acl.claimed(direction) for direction in DIRECTIONS}
    known = all(claims[direction] <= before[direction] for direction in DIRECTIONS)
    between = before if known or not ordered else claims
    return Plan.of(_claim(acl, before, between), evicted, ordered, deletes, _claim(acl, between, finals))


def _claim(acl: Observed, before: Mapping[str, set[int]], after: Mapping[str, set[int]]) -> list[Step]:
    """Write down which numbers are own; a tag that would list none is taken away."""
    changed = [direction for direction in DIRECTIONS if before[direction] != after[direction]]
    old = {OWN_TAGS[direction]: _listed(before[direction]) for direction in changed if before[direction]}
    new = {OWN_TAGS[direction]: _listed(after[direction]) for direction in changed if after[direction]}
    gone = sorted(OWN_TAGS[direction] for direction in changed if not after[direction])
    steps = []
    if new:
        request: dict[str, Any] = {"Resources": [acl.id], "Tags": tagging.to_list(new)}
        steps.append(Step("ec2", "CreateTags", request, acl.address, {"tags": old}, {"tags": new}))
    if gone:
        request = {"Resources": [acl.id], "Tags": [{"Key": key} for key in gone]}
        steps.append(Step("ec2", "DeleteTags", request, acl.address, {"tags": old}, {"tags": {}}))
    return steps


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(str(number) for number in sorted(numbers))


def _put(acl: Observed, direction: str, item: Entry, current: Entry | None) -> Step:
    request = {"NetworkAclId": acl.id, "RuleNumber": item.number, "Egress": direction == EGRESS}
    request |= {"RuleAction": item.action, **_match(item.traffic)}
    key = f"{direction} {item.number}"
    after = {key: f"{item.action} {item.traffic}"}
    if current is None:
        risk = Risk.SAFE if item.action == ALLOW else Risk.DISRUPTIVE
        return Step("ec2", "CreateNetworkAclEntry", request, acl.address, {key: None}, after, risk)
    before = {key: f"{current.action} {current.traffic}"}
    return Step("ec2", "ReplaceNetworkAclEntry", request, acl.address, before, after, Risk.DISRUPTIVE)


def _delete(acl: Observed, direction: str, item: Entry) -> Step:
    request = {"NetworkAclId": acl.id, "RuleNumber": item.number, "Egress": direction == EGRESS}
    key = f"{direction} {item.number}"
    before = {key: f"{item.action} {item.traffic}"}
    return Step("ec2", "DeleteNetworkAclEntry", request, acl.address, before, {key: None}, Risk.DISRUPTIVE)


def _match(traffic: Traffic) -> dict[str, Any]:
    match: dict[str, Any] = {"Protocol": traffic.protocol, "Ipv6CidrBlock": traffic.cidr}
    if traffic.protocol in WITH_PORTS:
        match["PortRange"] = {"From": traffic.from_port, "To": traffic.to_port}
    if traffic.protocol == ICMPV6:
        match["IcmpTypeCode"] = {"Type": traffic.from_port, "Code": traffic.to_port}
    return match


def _observed(item: Mapping[str, Any]) -> Observed:
    entries: dict[str, list[Entry]] = {direction: [] for direction in DIRECTIONS}
    total = dict.fromkeys(DIRECTIONS, 0)
    for raw in item.get("Entries", ()):
        direction = EGRESS if raw["Egress"] else INGRESS
        total[direction] += 1
        if raw["RuleNumber"] <= LAST:
            entries[direction].append(_entry(raw))
    return Observed(
        id=item["NetworkAclId"],
        vpc_id=item["VpcId"],
        default=item.get("IsDefault", False),
        subnet_ids=tuple(sorted(entry["SubnetId"] for entry in item.get("Associations", ()) if entry.get("SubnetId"))),
        tags=tagging.to_dict(item.get("Tags")),
        entries={direction: tuple(found) for direction, found in entries.items()},
        total=total,
    )


def _entry(raw: Mapping[str, Any]) -> Entry:
    protocol = str(raw["Protocol"])
    ends = raw.get("PortRange") or {}
    first, last = ends.get("From"), ends.get("To")
    if protocol in (ICMP, ICMPV6):
        icmp = raw.get("IcmpTypeCode") or {}
        first, last = icmp.get("Type"), icmp.get("Code")
    cidr = raw.get("Ipv6CidrBlock") or raw["CidrBlock"]
    return Entry(int(raw["RuleNumber"]), raw["RuleAction"], Traffic.of(protocol, first, last, cidr))
