# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security groups and their rules. All rules of one group and direction that are missing go in one call.

Which rules are this collection's own is told by a tag on each rule. Rules made in one call get the tags that all of
them share with it; the rest is tagged afterwards, and a run that was stopped between the two is known by C(MADE).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .. import tags as tagging
from ..plan import PENDING, Plan, Ref, Risk, Step
from ..session import Session
from ..twins import ALL, ANYWHERE4, ANYWHERE6, ICMPV6, NAMES, WITH_PORTS, Traffic
from .filters import described
from .ownership import PART_TAG, same_tags_together

ToTag = tuple[Any, str, Mapping[str, str], Mapping[str, str]]  # as same_tags_together takes it
TWIN, GIVEN, MADE = "twin", "rule", "rule-to-be-tagged"
INGRESS, EGRESS = "ingress", "egress"
EVERYTHING4, EVERYTHING6 = Traffic("-1", ALL, ALL, ANYWHERE4), Traffic("-1", ALL, ALL, ANYWHERE6)


@dataclass(frozen=True)
class Rule:
    """A rule as it is. C(traffic) is None for one that refers to a group or a prefix list."""

    id: str
    group_id: str
    direction: str
    traffic: Traffic | None
    prefix_list_id: str | None
    description: str | None
    tags: Mapping[str, str]

    @property
    def of_ipv6(self) -> bool:
        """Whether it is about an IPv6 block."""
        return self.traffic is not None and ":" in self.traffic.cidr

    @property
    def part(self) -> str | None:
        """What this collection made it as; None for a rule of somebody else."""
        return self.tags.get(PART_TAG)


@dataclass(frozen=True)
class Wanted:
    """An IPv6 rule as it shall be; C(part) is TWIN or GIVEN. None is not managed."""

    traffic: Traffic
    part: str
    description: str | None
    tags: Mapping[str, str] | None

    @property
    def all_tags(self) -> dict[str, str]:
        """With the tag that tells whose it is."""
        return {**(self.tags or {}), PART_TAG: self.part}


@dataclass(frozen=True)
class Observed:
    """A security group as it is."""

    id: str
    name: str
    vpc_id: str
    tags: Mapping[str, str]
    rules: tuple[Rule, ...] = field(default=())

    def address(self, direction: str) -> str:
        """The readable address of its rules in one direction."""
        return f"security-group/{self.id}/{direction}"

    def ipv6(self, direction: str) -> dict[Traffic, Rule]:
        """Its IPv6 rules in one direction."""
        return {
            rule.traffic: rule
            for rule in self.rules
            if rule.direction == direction and rule.traffic is not None and rule.of_ipv6
        }


def observe(session: Session, vpc_id: str | None, group_ids: Iterable[str]) -> list[Observed]:
    """A VPC's groups, or those with these ids, and their rules: one paged read for each."""
    ids = list(group_ids)
    if vpc_id is not None:
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
        groups = session.pages("ec2", "DescribeSecurityGroups", "SecurityGroups", Filters=filters)
        rules = _rules(session, [item["GroupId"] for item in groups])
    elif ids:
        read = session.together(
            groups=lambda: described(session, "DescribeSecurityGroups", "SecurityGroups", "group-id", ids),
            rules=lambda: _rules(session, ids),
        )
        groups, rules = read["groups"], read["rules"]
    else:
        return []
    by_group: dict[str, list[Rule]] = {}
    for item in rules:
        by_group.setdefault(item.group_id, []).append(item)
    return [
        Observed(
            item["GroupId"],
            item["GroupName"],
            item["VpcId"],
            tagging.to_dict(item.get("Tags")),
            tuple(by_group.get(item["GroupId"], ())),
        )
        for item in groups
    ]


def with_first_ipv6_block(group: Observed) -> Observed:
    """A group as it will be when its VPC has its first IPv6 block.

    EC2 adds all outbound IPv6 traffic, unless the group's original outbound rule was changed (VPC user guide: migrate).
    """
    outbound = [rule for rule in group.rules if rule.direction == EGRESS]
    if [rule.traffic for rule in outbound] != [EVERYTHING4]:
        return group
    added = Rule(f"{PENDING}{group.address(EGRESS)}", group.id, EGRESS, EVERYTHING6, None, None, {})
    return replace(group, rules=(*group.rules, added))


def plan(groups: Sequence[tuple[Observed, Mapping[str, Sequence[Wanted]], Sequence[Rule]]]) -> Plan:
    """Add what is missing, tag and describe what is there, and only then take away.

    Each item is a group, what it shall have by direction, and the rules that go.
    """
    adds: list[Step] = []
    tags: list[ToTag] = []
    descriptions: list[Step] = []
    revokes: list[Step] = []
    for group, wanted, gone in groups:
        for direction in (INGRESS, EGRESS):
            live = group.ipv6(direction)
            missing = [item for item in wanted.get(direction, ()) if item.traffic not in live]
            if missing:
                step, left_to_tag = _authorize(group, direction, missing)
                adds.append(step)
                tags += left_to_tag
            there = [(item, live[item.traffic]) for item in wanted.get(direction, ()) if item.traffic in live]
            tags += [entry for item, rule in there if (entry := _tags(group, item, rule)) is not None]
            described_anew = [(item, rule) for item, rule in there if redescribes(item, rule)]
            if described_anew:
                descriptions.append(_describe(group, direction, described_anew))
            going = [rule for rule in gone if rule.direction == direction]
            if going:
                revokes.append(_revoke(group, direction, going))
    return Plan.of(adds, same_tags_together(tags), descriptions, revokes)


def rule_id(group: Observed, direction: str, traffic: Traffic) -> Any:
    """A rule's id; out of the answer of the call that makes it, where there is none yet."""
    live = group.ipv6(direction).get(traffic)
    return live.id if live else Ref(group.address(direction), _path(traffic))


def _path(traffic: Traffic) -> str:
    tests = [f"CidrIpv6=='{traffic.cidr}'", f"IpProtocol=='{traffic.protocol_name}'"]
    if traffic.protocol in (*WITH_PORTS, ICMPV6):
        tests += [f"FromPort==`{traffic.from_port}`", f"ToPort==`{traffic.to_port}`"]
    return f"SecurityGroupRules[?{' && '.join(tests)}].SecurityGroupRuleId | [0]"


def _authorize(group: Observed, direction: str, missing: Sequence[Wanted]) -> tuple[Step, list[ToTag]]:
    """The one call, and the tags that single rules lack after it."""
    parts = {item.part for item in missing}
    common = dict(missing[0].tags or {})
    for item in missing[1:]:
        common = {key: value for key, value in common.items() if (item.tags or {}).get(key) == value}
    common[PART_TAG] = parts.pop() if len(parts) == 1 else MADE
    request = {
        "GroupId": group.id,
        "IpPermissions": _permissions(missing),
        "TagSpecifications": tagging.specification("security-group-rule", common),
    }
    address = group.address(direction)
    after = {"ipv6_rules": [_shown(item.traffic, item.description) for item in missing], "tags": common}
    step = Step("ec2", f"AuthorizeSecurityGroup{direction.capitalize()}", request, address, after=after)
    left_to_tag: list[ToTag] = [
        (Ref(address, _path(item.traffic)), f"{address}: {item.traffic}", common, item.all_tags)
        for item in missing
        if item.all_tags != common
    ]
    return step, left_to_tag


def _permissions(items: Sequence[Wanted]) -> list[dict[str, Any]]:
    """Rules as EC2 takes them: blocks that share a protocol and ports together."""
    grouped: dict[tuple[str, int, int], list[dict[str, str]]] = {}
    for item in sorted(items, key=lambda item: item.traffic):
        traffic = item.traffic
        entry = {"CidrIpv6": traffic.cidr, **({"Description": item.description} if item.description else {})}
        grouped.setdefault((traffic.protocol, traffic.from_port, traffic.to_port), []).append(entry)
    permissions = []
    for (protocol, from_port, to_port), entries in grouped.items():
        ports = {"FromPort": from_port, "ToPort": to_port} if protocol in (*WITH_PORTS, ICMPV6) else {}
        permissions.append({"IpProtocol": NAMES.get(protocol, protocol), **ports, "Ipv6Ranges": entries})
    return permissions


def _tags(group: Observed, item: Wanted, rule: Rule) -> ToTag | None:
    """The tags that a live rule lacks. A rule of somebody else gets none but those that the document gives it."""
    wanted = _wanted_tags(item, rule)
    address = f"{group.address(rule.direction)}: {item.traffic}"
    return (rule.id, address, rule.tags, wanted) if wanted else None


def _wanted_tags(item: Wanted, rule: Rule) -> dict[str, str]:
    if rule.part in (MADE, item.part):
        return item.all_tags
    return dict(item.tags or {}) if item.part == GIVEN else {}


def tags_after(item: Wanted | None, rule: Rule | None) -> dict[str, str]:
    """A rule's tags once the plan is done; a rule that is there, one that shall be, or both."""
    if rule is None:
        return item.all_tags if item is not None else {}
    return {**rule.tags, **(_wanted_tags(item, rule) if item is not None else {})}


def redescribes(item: Wanted, rule: Rule) -> bool:
    """Whether a description is to be changed: one that the document gives, or that of a twin of its own."""
    if item.description is None or item.description == rule.description:
        return False
    return item.part == GIVEN or rule.part in (TWIN, MADE)


def _describe(group: Observed, direction: str, items: Sequence[tuple[Wanted, Rule]]) -> Step:
    operation = f"UpdateSecurityGroupRuleDescriptions{direction.capitalize()}"
    request = {"GroupId": group.id, "IpPermissions": _permissions([item for item, _rule in items])}
    before = {str(item.traffic): rule.description for item, rule in items}
    after = {str(item.traffic): item.description for item, _rule in items}
    return Step("ec2", operation, request, group.address(direction), before, after)


def _revoke(group: Observed, direction: str, going: Sequence[Rule]) -> Step:
    request = {"GroupId": group.id, "SecurityGroupRuleIds": sorted(rule.id for rule in going)}
    before = {"ipv6_rules": [_shown(rule.traffic, rule.description) for rule in going if rule.traffic]}
    operation = f"RevokeSecurityGroup{direction.capitalize()}"
    return Step("ec2", operation, request, group.address(direction), before, {"ipv6_rules": []}, Risk.DISRUPTIVE)


def _shown(traffic: Traffic, description: str | None) -> str:
    return f"{traffic} ({description})" if description else str(traffic)


def _rules(session: Session, group_ids: Iterable[str]) -> list[Rule]:
    listed = described(session, "DescribeSecurityGroupRules", "SecurityGroupRules", "group-id", group_ids)
    return [_rule(item) for item in listed]


def _rule(item: Mapping[str, Any]) -> Rule:
    cidr = item.get("CidrIpv6") or item.get("CidrIpv4")
    traffic = Traffic.of(item["IpProtocol"], item.get("FromPort"), item.get("ToPort"), cidr) if cidr else None
    return Rule(
        id=item["SecurityGroupRuleId"],
        group_id=item["GroupId"],
        direction=EGRESS if item["IsEgress"] else INGRESS,
        traffic=traffic,
        prefix_list_id=item.get("PrefixListId"),
        description=item.get("Description") or None,
        tags=tagging.to_dict(item.get("Tags")),
    )
