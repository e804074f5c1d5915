# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_security_group_ipv6 against the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player, operations

MODULE = "ec2_security_group_ipv6"
Aws = Callable[..., Any]
Row = tuple[bool, str, int, int, str]


def group(ec2: Any, vpc_id: str, name: str = "web", **tags: str) -> str:
    """A group without any egress rule."""
    made = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc_id)["GroupId"]
    if tags:
        ec2.create_tags(Resources=[made], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    for rule in rules(ec2, made):
        ec2.revoke_security_group_egress(GroupId=made, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    return str(made)


def allow(ec2: Any, group_id: str, protocol: str, first: int, last: int, cidr: str, **more: Any) -> str:
    """Adds one rule; `egress`, `description` and `tags` as given."""
    key = ("Ipv6Ranges", "CidrIpv6") if ":" in cidr else ("IpRanges", "CidrIp")
    entry = {key[1]: cidr, **({"Description": more["description"]} if "description" in more else {})}
    permission = {"IpProtocol": protocol, "FromPort": first, "ToPort": last, key[0]: [entry]}
    tags = [{"Key": name, "Value": value} for name, value in more.get("tags", {}).items()]
    specification = [{"ResourceType": "security-group-rule", "Tags": tags}] if tags else []
    authorize = ec2.authorize_security_group_egress if more.get("egress") else ec2.authorize_security_group_ingress
    answer = authorize(GroupId=group_id, IpPermissions=[permission], TagSpecifications=specification)
    return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def rules(ec2: Any, group_id: str) -> list[dict[str, Any]]:
    filters = [{"Name": "group-id", "Values": [group_id]}]
    found: list[dict[str, Any]] = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return found


def ipv6_rules(ec2: Any, group_id: str) -> set[Row]:
    return {
        (rule["IsEgress"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["CidrIpv6"])
        for rule in rules(ec2, group_id)
        if rule.get("CidrIpv6")
    }


def tags(rule: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in rule["Tags"]}


def test_twins_by_the_stated_mapping(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0", description="from anywhere")
    allow(ec2, web, "tcp", 5432, 5432, "10.9.0.0/16")
    allow(ec2, web, "udp", 53, 53, "198.51.100.0/24")
    allow(ec2, web, "-1", -1, -1, "0.0.0.0/0", egress=True)
    before = existing.ipv4(ec2)
    mapping = [{"ipv4_cidr": "198.51.100.0/24", "ipv6_cidrs": ["2001:DB8:1:0::/64", "2001:db8:2::/64"]}]
    result = player.converge(MODULE, group_ids=[web], mapping=mapping)
    assert operations(result["plan"]) == [
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "AuthorizeSecurityGroupEgress"),
    ]
    assert ipv6_rules(ec2, web) == {
        (False, "tcp", 443, 443, "::/0"),
        (False, "tcp", 5432, 5432, old.block),
        (False, "udp", 53, 53, "2001:db8:1::/64"),
        (False, "udp", 53, 53, "2001:db8:2::/64"),
        (True, "-1", -1, -1, "::/0"),
    }
    assert existing.ipv4(ec2) == before
    assert result["untwinned"] == []


ICMP = [
    ((-1, -1), {(-1, -1)}),
    ((8, -1), {(128, -1)}),
    ((8, 0), {(128, 0)}),
    ((0, -1), {(129, -1)}),
    ((3, -1), {(1, -1), (2, -1)}),
    ((3, 4), {(2, 0)}),
    ((3, 3), {(1, 4)}),
    ((11, 0), {(3, 0)}),
    ((12, -1), {(4, -1)}),
]


def test_icmp_becomes_icmpv6(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2, subnets=1)
    groups = {}
    for (kind, code), twins in ICMP:
        groups[group(ec2, old.vpc_id, f"icmp {kind} {code}")] = ((kind, code), twins)
    for group_id, ((kind, code), _twins) in groups.items():
        allow(ec2, group_id, "icmp", kind, code, "0.0.0.0/0")
    player.converge(MODULE, group_ids=list(groups))
    for group_id, (_kind, twins) in groups.items():
        assert ipv6_rules(ec2, group_id) == {(False, "icmpv6", kind, code, "::/0") for kind, code in twins}


def test_rules_without_a_twin_are_shown_and_not_guessed_at(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    lone = allow(ec2, web, "tcp", 22, 22, "203.0.113.7/32", description="the office")
    allow(ec2, web, "tcp", 22, 22, "10.9.1.0/24")
    allow(ec2, web, "icmp", 13, -1, "0.0.0.0/0")
    allow(ec2, web, "2", -1, -1, "0.0.0.0/0")
    result = player.converge(MODULE, group_ids=[web])
    assert result["plan"] == []
    reasons = {entry["rule_id"]: entry for entry in result["untwinned"]}
    assert len(reasons) == 4
    assert reasons[lone]["reason"] == "the mapping has no IPv6 block for 203.0.113.7/32"
    assert reasons[lone]["description"] == "the office"
    assert "203.0.113.7/32" in result["warnings"][0]
    declined = [{"ipv4_cidr": "203.0.113.7/32", "ipv6_cidrs": []}]
    again = player.unchanged(MODULE, group_ids=[web], mapping=declined)
    assert lone not in {entry["rule_id"] for entry in again["untwinned"]}


def test_rules_that_refer_to_groups_are_left_alone(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web, other = group(ec2, old.vpc_id), group(ec2, old.vpc_id, "other")
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": other}]}
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[pair])
    result = player.unchanged(MODULE, group_ids=[web])
    assert (result["untwinned"], result["warnings"]) == ([], [])


def test_a_vpc_without_ipv6_has_no_twins_of_its_own_ranges(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2, ipv6=False)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 22, 22, "10.9.0.0/16")
    assert player.unchanged(MODULE, group_ids=[web])["untwinned"][0]["reason"] == "the VPC has no IPv6 block"


def test_descriptions_and_tags_are_those_of_the_ipv4_rule(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0", description="from anywhere", tags={"owner": "web", "team": "a"})
    first = allow(ec2, web, "tcp", 80, 80, "0.0.0.0/0", description="plain", tags={"owner": "web", "team": "b"})
    result = player.converge(MODULE, vpc_id=old.vpc_id, group_names=["web"])
    assert operations(result["plan"]) == [
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "CreateTags"),
        ("ec2", "CreateTags"),
    ]
    twins = {rule["FromPort"]: rule for rule in rules(ec2, web) if rule.get("CidrIpv6")}
    assert twins[443]["Description"] == "from anywhere"
    assert tags(twins[443]) == {"owner": "web", "team": "a", "eksops.ipv6/part": "twin"}
    assert tags(twins[80]) == {"owner": "web", "team": "b", "eksops.ipv6/part": "twin"}
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=web,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "redirects"}],
            }
        ],
    )
    ec2.create_tags(Resources=[first], Tags=[{"Key": "team", "Value": "c"}])
    changed = player.converge(MODULE, vpc_id=old.vpc_id, group_names=["web"])
    assert operations(changed["plan"]) == [
        ("ec2", "CreateTags"),
        ("ec2", "UpdateSecurityGroupRuleDescriptionsIngress"),
    ]
    twin = next(rule for rule in rules(ec2, web) if rule.get("CidrIpv6") and rule["FromPort"] == 80)
    assert (twin["Description"], tags(twin)["team"]) == ("redirects", "c")


def test_rules_of_others_are_used_and_never_marked(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0", description="mine")
    theirs = allow(ec2, web, "tcp", 443, 443, "::/0", description="theirs", tags={"by": "hand"})
    player.unchanged(MODULE, group_ids=[web])
    removed = player.converge(MODULE, group_ids=[web], state="absent", twins=["ingress"])
    assert (removed["plan"], removed["left"]) == ([], [])
    assert {rule["SecurityGroupRuleId"] for rule in rules(ec2, web) if rule.get("CidrIpv6")} == {theirs}


GIVEN = [
    {"ip_protocol": "TCP", "from_port": 8443, "cidr_ipv6": "2001:DB8:0::/48", "description": "d", "tags": {"a": "b"}},
    {"ip_protocol": "icmpv6", "from_port": 2, "to_port": 0, "cidr_ipv6": "::/0"},
    {"ip_protocol": "all", "cidr_ipv6": "::/0", "direction": "egress"},
]


def test_rules_given_outright(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    player.converge(MODULE, group_ids=[web], rules=GIVEN)
    assert ipv6_rules(ec2, web) == {
        (False, "tcp", 8443, 8443, "2001:db8::/48"),
        (False, "icmpv6", 2, 0, "::/0"),
        (True, "-1", -1, -1, "::/0"),
    }
    first = next(rule for rule in rules(ec2, web) if rule["FromPort"] == 8443)
    assert (first["Description"], tags(first)) == ("d", {"a": "b", "eksops.ipv6/part": "rule"})
    changed = [{**GIVEN[0], "description": "e", "tags": {"a": "c"}}, *GIVEN[1:]]
    result = player.converge(MODULE, group_ids=[web], rules=changed)
    assert operations(result["plan"]) == [
        ("ec2", "CreateTags"),
        ("ec2", "UpdateSecurityGroupRuleDescriptionsIngress"),
    ]
    player.unchanged(MODULE, group_ids=[web], rules=GIVEN[1:])
    named = [{**GIVEN[1], "state": "absent"}]
    assert operations(player.converge(MODULE, group_ids=[web], rules=named)["plan"]) == [
        ("ec2", "RevokeSecurityGroupIngress")
    ]
    assert (False, "icmpv6", 2, 0, "::/0") not in ipv6_rules(ec2, web)


def test_a_rule_for_some_of_the_groups(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web, db = group(ec2, old.vpc_id), group(ec2, old.vpc_id, "db")
    player.converge(MODULE, group_ids=[web, db], rules=[{**GIVEN[0], "group_ids": [db]}])
    assert ipv6_rules(ec2, web) == set()
    assert len(ipv6_rules(ec2, db)) == 1


def test_twins_and_given_rules_go_in_one_call(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    for port in (80, 443):
        allow(ec2, web, "tcp", port, port, "0.0.0.0/0")
    result = player.converge(MODULE, group_ids=[web], rules=GIVEN[:2])
    assert Counter(operations(result["plan"])) == {
        ("ec2", "AuthorizeSecurityGroupIngress"): 1,
        ("ec2", "CreateTags"): 3,
    }
    marks = {rule["FromPort"]: tags(rule)["eksops.ipv6/part"] for rule in rules(ec2, web) if rule.get("CidrIpv6")}
    assert marks == {80: "twin", 443: "twin", 8443: "rule", 2: "rule"}


def test_stale_twins_are_told_and_revoked_only_when_asked(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    kept = allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0")
    gone = allow(ec2, web, "tcp", 80, 80, "0.0.0.0/0")
    theirs = allow(ec2, web, "tcp", 8080, 8080, "::/0")
    player(MODULE, group_ids=[web], rules=GIVEN[:1])
    ec2.revoke_security_group_ingress(GroupId=web, SecurityGroupRuleIds=[gone])
    told = player.unchanged(MODULE, group_ids=[web])
    assert [entry["from_port"] for entry in told["stale_twins"]] == [80]
    assert "purge_twins" in told["warnings"][-1]
    result = player.converge(MODULE, group_ids=[web], purge_twins=True)
    assert operations(result["plan"]) == [("ec2", "RevokeSecurityGroupIngress")]
    left = {rule["FromPort"]: rule["SecurityGroupRuleId"] for rule in rules(ec2, web)}
    assert left[8080] == theirs and set(left) == {443, 8080, 8443}
    assert kept in {rule["SecurityGroupRuleId"] for rule in rules(ec2, web)}


def test_absent_revokes_own_twins_and_what_is_named(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0")
    allow(ec2, web, "-1", -1, -1, "0.0.0.0/0", egress=True)
    allow(ec2, web, "tcp", 8080, 8080, "::/0")
    before = ipv6_rules(ec2, web)
    player(MODULE, group_ids=[web], rules=GIVEN[:2])
    result = player.converge(MODULE, group_ids=[web], rules=GIVEN[:1], state="absent")
    assert operations(result["plan"]) == [
        ("ec2", "RevokeSecurityGroupIngress"),
        ("ec2", "RevokeSecurityGroupEgress"),
    ]
    assert "given outright" in result["left"][0]["reason"]
    assert player.converge(MODULE, group_ids=[web], rules=GIVEN[1:2], state="absent")["left"] == []
    assert ipv6_rules(ec2, web) == before


def test_facts_name_every_ipv6_rule(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web = group(ec2, old.vpc_id)
    allow(ec2, web, "tcp", 443, 443, "0.0.0.0/0", description="d")
    theirs = allow(ec2, web, "tcp", 22, 22, "2001:db8::/64")
    predicted = player.check(MODULE, group_ids=[web])["security_groups"][0]
    made = player(MODULE, group_ids=[web])["security_groups"][0]
    assert made == player(MODULE, group_ids=[web])["security_groups"][0]
    assert {rule["id"] for rule in made["ipv6_rules"]} == {
        rule["SecurityGroupRuleId"] for rule in rules(ec2, web) if rule.get("CidrIpv6")
    }
    assert [rule["twin"] for rule in made["ipv6_rules"]] == [rule["id"] != theirs for rule in made["ipv6_rules"]]
    for rule, later in zip(predicted["ipv6_rules"], made["ipv6_rules"], strict=True):
        assert {**rule, "id": ""} == {**later, "id": ""}


def test_what_earlier_tasks_have_planned_is_taken_as_done(player: Player, aws: Aws) -> None:
    """Tasks of one play that name a group predict together what they then do, one after the other."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    web, db = group(ec2, old.vpc_id), group(ec2, old.vpc_id, "db")
    for group_id in (web, db):
        allow(ec2, group_id, "tcp", 443, 443, "0.0.0.0/0", description="d", tags={"a": "b"})
        allow(ec2, group_id, "tcp", 80, 80, "10.9.0.0/16")
        allow(ec2, group_id, "-1", -1, -1, "0.0.0.0/0", egress=True)
    documents: list[dict[str, Any]] = [
        {"group_ids": [web]},
        {"group_ids": [web, db], "rules": [*GIVEN[:1], {**GIVEN[2], "description": "out", "tags": {"c": "d"}}]},
        {"vpc_id": old.vpc_id, "purge_twins": True},
        {"group_ids": [web], "state": "absent", "rules": GIVEN[:1]},
        {"group_ids": [web, db], "state": "absent"},
    ]
    planned: list[dict[str, Any]] = []
    predicted = []
    for document in documents:
        told = player.check(MODULE, **document, planned=planned)
        planned += told["security_groups"]
        predicted.append(operations(told["plan"]))
    made = [operations(player(MODULE, **document, planned=planned)["plan"]) for document in documents]
    assert made == predicted
    assert [bool(plan) for plan in made] == [True, True, False, True, True]


def test_groups_by_vpc_name_and_tags(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    web, db, foreign = group(ec2, old.vpc_id), group(ec2, old.vpc_id, "db", tier="data"), group(ec2, other.vpc_id)
    ids = {item["id"] for item in player.check(MODULE, vpc_id=old.vpc_id)["security_groups"]}
    assert {web, db} < ids and foreign not in ids
    assert [item["id"] for item in player.check(MODULE, vpc_id=old.vpc_id, group_names=["web"])["security_groups"]] == [
        web
    ]
    tagged = player.check(MODULE, vpc_id=old.vpc_id, filter_tags={"tier": "data"})["security_groups"]
    assert [item["id"] for item in tagged] == [db]


def test_unchanged_groups_are_read_with_one_call_a_type(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ids = [group(ec2, old.vpc_id, f"g{n}") for n in range(5)]
    for named in ({"vpc_id": old.vpc_id}, {"group_ids": ids}):
        player.emulator.journal.clear()
        player.unchanged(MODULE, **named)
        calls = Counter(call.operation for call in player.emulator.journal.calls)
        assert calls == {"DescribeSecurityGroups": 1, "DescribeSecurityGroupRules": 1, "DescribeVpcs": 1}


def test_a_group_to_come_gets_its_rules_planned(player: Player) -> None:
    result = player.check(MODULE, group_ids=["pending:cluster/production"], rules=GIVEN)
    assert operations(result["plan"]) == [
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "AuthorizeSecurityGroupEgress"),
        ("ec2", "CreateTags"),
    ]
    assert {step["request"].get("GroupId") for step in result["plan"]} == {"pending:cluster/production", None}


def arranged(ec2: Any) -> dict[str, Any]:
    old = existing.make(ec2, subnets=1)
    ids = [group(ec2, old.vpc_id, name) for name in ("one", "two")]
    for group_id in ids:
        allow(ec2, group_id, "tcp", 443, 443, "0.0.0.0/0", tags={"a": "b"})
        allow(ec2, group_id, "tcp", 80, 80, "10.9.0.0/16", description="d")
        allow(ec2, group_id, "-1", -1, -1, "0.0.0.0/0", egress=True)
    return {"group_ids": ids, "rules": GIVEN[:2]}


def marks(ec2: Any, options: dict[str, Any]) -> list[set[tuple[Any, ...]]]:
    return [
        {
            (rule["IpProtocol"], rule["FromPort"], rule.get("Description"), tuple(sorted(tags(rule).items())))
            for rule in rules(ec2, group_id)
            if rule.get("CidrIpv6")
        }
        for group_id in options["group_ids"]
    ]


def test_a_run_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    options = arranged(ec2)
    total = len(player(MODULE, **options)["plan"])
    whole = marks(ec2, options)
    for stopped_after in range(total):
        player.emulator.reset()
        options = arranged(ec2)
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(MODULE, **options)["plan"]) == stopped_after
        player.emulator.faults.clear()
        player.converge(MODULE, **options)
        assert marks(ec2, options) == whole


def test_throttling_and_late_visibility_are_survived(player: Player, aws: Aws) -> None:
    options = arranged(aws("ec2"))
    player.emulator.fault("ec2", "AuthorizeSecurityGroupIngress", "throttle", count=2)
    player.emulator.fault("ec2", "DescribeSecurityGroupRules", "throttle", count=1)
    player.emulator.fault("ec2", "CreateTags", "lost_reply", count=1)
    player(MODULE, **options)
    player.unchanged(MODULE, **options)


BAD = {
    "names without a VPC": ({"group_ids": ["<WEB>"], "group_names": ["web"]}, ["group_names", "vpc_id"]),
    "an unknown VPC": ({"vpc_id": "vpc-00000000"}, ["vpc_id", "vpc-00000000"]),
    "an unknown group": ({"group_ids": ["sg-00000000"]}, ["group_ids[0]", "sg-00000000"]),
    "an unknown name": ({"vpc_id": "<VPC>", "group_names": ["nobody"]}, ["group_names[0]", "nobody"]),
    "an IPv4 rule": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "-1", "cidr_ipv6": "0.0.0.0/0"}]},
        ["rules[0].cidr_ipv6", "no IPv6"],
    ),
    "ICMP": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "icmp", "cidr_ipv6": "::/0"}]},
        ["rules[0].ip_protocol", "icmpv6"],
    ),
    "no ports": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "tcp", "cidr_ipv6": "::/0"}]},
        ["rules[0].from_port", "needs ports"],
    ),
    "an unknown protocol": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "sctp ", "cidr_ipv6": "::/0"}]},
        ["rules[0].ip_protocol", "EC2 knows no 'sctp '", "Give tcp"],
    ),
    "a protocol without a number": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "256", "cidr_ipv6": "::/0"}]},
        ["rules[0].ip_protocol", "EC2 knows no '256'"],
    ),
    "an ICMPv6 type out of bounds": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "icmpv6", "from_port": 256, "cidr_ipv6": "::/0"}]},
        ["rules[0].from_port", "256 is no ICMPv6 type"],
    ),
    "an ICMPv6 code out of bounds": (
        {
            "group_ids": ["<WEB>"],
            "rules": [{"ip_protocol": "58", "from_port": 1, "to_port": -2, "cidr_ipv6": "::/0"}],
        },
        ["rules[0].to_port", "-2 is no ICMPv6 code"],
    ),
    "an ICMPv6 code without a type": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "icmpv6", "to_port": 1, "cidr_ipv6": "::/0"}]},
        ["rules[0].to_port", "without a type"],
    ),
    "a description that is too long": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "-1", "cidr_ipv6": "::/0", "description": "x" * 256}]},
        ["rules[0].description", "255 characters"],
    ),
    "a description in other letters": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "-1", "cidr_ipv6": "::/0", "description": "für"}]},
        ["rules[0].description", "für"],
    ),
    "a rule for all groups that is absent in one": (
        {
            "group_ids": ["<WEB>"],
            "rules": [
                {"ip_protocol": "-1", "cidr_ipv6": "::/0"},
                {"ip_protocol": "-1", "cidr_ipv6": "::/0", "group_ids": ["sg-1"], "state": "absent"},
            ],
        },
        ["rules[1]", "same traffic as rules[0]"],
    ),
    "ports the wrong way": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "6", "from_port": 9, "to_port": 2, "cidr_ipv6": "::/0"}]},
        ["rules[0].to_port", "9 to 2"],
    ),
    "a rule twice": (
        {
            "group_ids": ["<WEB>"],
            "rules": [{"ip_protocol": "-1", "cidr_ipv6": "::/0"}, {"ip_protocol": "all", "cidr_ipv6": "0::/0"}],
        },
        ["rules[1]", "rules[0]"],
    ),
    "a rule for a group that is not meant": (
        {"group_ids": ["<WEB>"], "rules": [{"ip_protocol": "-1", "cidr_ipv6": "::/0", "group_ids": ["sg-1"]}]},
        ["rules[0].group_ids", "sg-1"],
    ),
    "a mapping of no range": (
        {"group_ids": ["<WEB>"], "mapping": [{"ipv4_cidr": "10.0.0.1/8", "ipv6_cidrs": []}]},
        ["mapping[0].ipv4_cidr", "host bits"],
    ),
    "a mapping to IPv4": (
        {"group_ids": ["<WEB>"], "mapping": [{"ipv4_cidr": "10.0.0.0/8", "ipv6_cidrs": ["10.0.0.0/8"]}]},
        ["mapping[0].ipv6_cidrs", "no IPv6"],
    ),
    "a range mapped twice": (
        {
            "group_ids": ["<WEB>"],
            "mapping": [{"ipv4_cidr": "10.0.0.0/8", "ipv6_cidrs": []}, {"ipv4_cidr": "10.0.0.0/8", "ipv6_cidrs": []}],
        },
        ["mapping[1].ipv4_cidr", "mapping[0]"],
    ),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_documents_are_refused_before_any_write(player: Player, aws: Aws, name: str) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2, subnets=1)
    web = group(ec2, old.vpc_id)
    options, says = BAD[name]
    named = {"<WEB>": web, "<VPC>": old.vpc_id}
    filled = {
        key: [named.get(item, item) if isinstance(item, str) else item for item in value]
        if isinstance(value, list)
        else named.get(value, value)
        for key, value in options.items()
    }
    msg = player.refuses(MODULE, **filled)
    assert [part for part in says if part not in msg] == [], msg


def test_groups_of_a_vpc_to_come_are_told_to_be_left_out_of_the_plan(player: Player) -> None:
    coming = "pending:vpc/production"
    told = [f"{coming} is yet to be made: nothing is planned for its security groups."]
    assert player.check(MODULE, vpc_id=coming, group_names=["default"], rules=GIVEN)["warnings"] == told
    assert player.check(MODULE, vpc_id=coming)["warnings"] == told
    named = player.check(MODULE, vpc_id=coming, group_ids=["pending:cluster/production"], rules=GIVEN)
    assert (named["warnings"], bool(named["plan"])) == ([], True)
