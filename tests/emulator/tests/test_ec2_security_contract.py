# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: security groups and network ACLs."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "EC2 API reference: "
MIGRATE = "VPC user guide: migrate to IPv6"
DEFAULT_ACL = "VPC user guide: default network ACL"
DENY = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "192.0.2.0/24"}


def _egress(world: World, group_id: str) -> list[str]:
    """The blocks that a group lets out."""
    rules = world.group_view(group_id)["IpPermissionsEgress"]
    return sorted(
        [item["CidrIp"] for rule in rules for item in rule["IpRanges"]]
        + [item["CidrIpv6"] for rule in rules for item in rule["Ipv6Ranges"]]
    )


def _group_of(world: World, vpc_id: str, name: str = "n") -> str:
    made: str = world.ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc_id)["GroupId"]
    return made


def _migrated(world: World, modify: bool) -> list[str]:
    group = _group_of(world, world.ipv4_vpc)
    if modify:
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        world.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permission])
    world.ec2.associate_vpc_cidr_block(VpcId=world.ipv4_vpc, AmazonProvidedIpv6CidrBlock=True)
    return _egress(world, group)


def _acl_blocks(world: World, vpc_id: str) -> list[tuple[int, str, str]]:
    """Number, action and block of the default ACL's inbound entries."""
    return sorted(
        (entry["RuleNumber"], entry["RuleAction"], entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
        for entry in world.default_acl(vpc_id)["Entries"]
        if not entry["Egress"]
    )


def _migrated_acl(world: World, modify: bool) -> list[tuple[bool, int]]:
    """Direction and number of the default ACL's IPv6 entries after its VPC got a block; its inbound ones modified."""
    acl = world.default_acl(world.ipv4_vpc)["NetworkAclId"]
    if modify:
        world.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=200, Egress=False, **DENY)
    world.ec2.associate_vpc_cidr_block(VpcId=world.ipv4_vpc, AmazonProvidedIpv6CidrBlock=True)
    entries = world.default_acl(world.ipv4_vpc)["Entries"]
    return sorted((entry["Egress"], entry["RuleNumber"]) for entry in entries if "Ipv6CidrBlock" in entry)


def _custom_acl(world: World) -> list[tuple[bool, int]]:
    made = world.ec2.create_network_acl(VpcId=world.ipv4_vpc)["NetworkAcl"]["NetworkAclId"]
    world.ec2.associate_vpc_cidr_block(VpcId=world.ipv4_vpc, AmazonProvidedIpv6CidrBlock=True)
    entries = world.ec2.describe_network_acls(NetworkAclIds=[made])["NetworkAcls"][0]["Entries"]
    return sorted((entry["Egress"], entry["RuleNumber"]) for entry in entries if "Ipv6CidrBlock" in entry)


def _filled_acl(world: World, entries: int, quota: int | None = None, egress: bool = False) -> int:
    """The entries of one direction of an ACL of a VPC with IPv6, after so many were made beside those of EC2."""
    if quota is not None:
        world.emulator.network_acl_quota(quota)
    made = world.ec2.create_network_acl(VpcId=world.vpc)["NetworkAcl"]["NetworkAclId"]
    for number in range(100, 100 + entries):
        world.ec2.create_network_acl_entry(NetworkAclId=made, RuleNumber=number, Egress=egress, **DENY)
    found = world.ec2.describe_network_acls(NetworkAclIds=[made])["NetworkAcls"][0]["Entries"]
    return len([entry for entry in found if entry["Egress"] == egress])


def _ingress(world: World) -> list[str]:
    rules = world.group_view()["IpPermissions"]
    return [item["CidrIpv6"] for rule in rules for item in rule["Ipv6Ranges"]]


def _protocol(world: World, given: str) -> str:
    permission = {"IpProtocol": given, "FromPort": -1, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    world.ec2.authorize_security_group_ingress(GroupId=world.group, IpPermissions=[permission])
    name: str = world.group_view()["IpPermissions"][0]["IpProtocol"]
    return name


def _described(world: World, text: str) -> None:
    ranges = [{"CidrIpv6": "::/0", "Description": text}]
    permission = {"IpProtocol": "-1", "Ipv6Ranges": ranges}
    world.ec2.authorize_security_group_ingress(GroupId=world.group, IpPermissions=[permission])


def _modified(world: World, **rule: Any) -> list[str]:
    made = world.allow("2001:db8::/64")["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    wanted = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **rule}
    world.ec2.modify_security_group_rules(
        GroupId=world.group, SecurityGroupRules=[{"SecurityGroupRuleId": made, "SecurityGroupRule": wanted}]
    )
    return _ingress(world)


def _all_or_none(world: World) -> int:
    world.allow("2001:db8::/64")
    ranges = [{"CidrIpv6": "2001:db8:1::/64"}, {"CidrIpv6": "2001:db8::/64"}]
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": ranges}
    with pytest.raises(world.ec2.exceptions.ClientError):
        world.ec2.authorize_security_group_ingress(GroupId=world.group, IpPermissions=[permission])
    return len(_ingress(world))


def _delete_referenced(world: World) -> None:
    other = _group_of(world, world.vpc, "other")
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": world.group}]}
    world.ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[permission])
    world.ec2.delete_security_group(GroupId=world.group)


def _delete_used(world: World) -> None:
    world.ec2.create_network_interface(SubnetId=world.subnet(1), Groups=[world.group])
    world.ec2.delete_security_group(GroupId=world.group)


def _rules(world: World) -> list[tuple[str, str, int]]:
    world.allow("2001:db8::/64")
    found = world.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [world.group]}])
    return [
        (rule["IpProtocol"], rule["CidrIpv6"], rule["FromPort"])
        for rule in found["SecurityGroupRules"]
        if not rule["IsEgress"]
    ]


def _permitted(world: World, protocol: str, first: int, last: int) -> None:
    permission = {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    world.ec2.authorize_security_group_ingress(GroupId=_group_of(world, world.vpc), IpPermissions=[permission])


def _entry(world: World, shown: str = "Ipv6CidrBlock", **more: Any) -> Any:
    acl = world.ec2.create_network_acl(VpcId=world.vpc)["NetworkAcl"]["NetworkAclId"]
    given = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": False, **more}
    world.ec2.create_network_acl_entry(NetworkAclId=acl, **given)
    found = world.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    return [entry.get(shown) for entry in found if entry["RuleNumber"] == 100]


RULES: list[Rule] = [
    seen(
        ["0.0.0.0/0", "::/0"],
        "a new group of an IPv6 VPC lets both families out",
        MIGRATE,
        lambda w: _egress(w, w.group),
    ),
    seen(
        ["0.0.0.0/0"],
        "a new group of an IPv4 VPC lets IPv4 out",
        MIGRATE,
        lambda w: _egress(w, _group_of(w, w.ipv4_vpc)),
    ),
    seen(
        ["0.0.0.0/0", "::/0"],
        "the first IPv6 block adds ::/0 to an untouched group",
        MIGRATE,
        lambda w: _migrated(w, modify=False),
    ),
    seen(["0.0.0.0/0", "10.0.0.0/8"], "and not to a modified one", MIGRATE, lambda w: _migrated(w, modify=True)),
    seen(
        [(100, "allow", "0.0.0.0/0"), (101, "allow", "::/0"), (32767, "deny", "0.0.0.0/0"), (32768, "deny", "::/0")],
        "the default ACL of an IPv6 VPC has 101 ::/0",
        "VPC user guide: default network ACL",
        lambda w: _acl_blocks(w, w.vpc),
    ),
    seen(
        [(False, 101), (False, 32768), (True, 101), (True, 32768)],
        "the first IPv6 block adds entries to an untouched default ACL",
        MIGRATE,
        lambda w: _migrated_acl(w, modify=False),
    ),
    seen(
        [(False, 32768), (True, 101), (True, 32768)],
        "and none that allows to a direction that was modified",
        DEFAULT_ACL,
        lambda w: _migrated_acl(w, modify=True),
    ),
    seen([(False, 32768), (True, 32768)], "another ACL gets what denies the rest", "presumed", _custom_acl),
    seen(
        20, "an ACL takes 20 entries in one direction, EC2's own among them", "presumed", lambda w: _filled_acl(w, 18)
    ),
    refused(
        "NetworkAclEntryLimitExceeded",
        "and not one more",
        API + "error codes; VPC user guide: quotas",
        lambda w: _filled_acl(w, 19),
    ),
    refused(
        "NetworkAclEntryLimitExceeded",
        "nor in the other direction",
        API + "error codes; VPC user guide: quotas",
        lambda w: _filled_acl(w, 19, egress=True),
    ),
    seen(40, "unless the quota was raised", "VPC user guide: quotas", lambda w: _filled_acl(w, 38, quota=40)),
    seen(
        ["2001:db8::/64"],
        "a rule's block comes back canonical",
        "presumed",
        lambda w: (w.allow("2001:DB8:0:0::/64"), _ingress(w))[1],
    ),
    refused(
        "InvalidPermission.Duplicate",
        "another spelling is the same rule",
        "presumed",
        lambda w: (w.allow("2001:db8::/64"), w.allow("2001:DB8:0::/64")),
    ),
    refused(
        "InvalidParameterValue",
        "a block that is none",
        API + "AuthorizeSecurityGroupIngress",
        lambda w: w.allow("zz::/64"),
    ),
    refused(
        "InvalidPermission.NotFound",
        "a rule to revoke that isn't there",
        API + "error codes",
        lambda w: w.ec2.revoke_security_group_ingress(
            GroupId=w.group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
        ),
    ),
    seen("icmpv6", "protocol 58 is shown as icmpv6", API + "IpPermission (IpProtocol)", lambda w: _protocol(w, "58")),
    *[
        refused("InvalidParameterValue", text, source, calls)
        for text, source, calls in (
            ("ports end at 65535", "presumed", lambda w: _permitted(w, "tcp", 1, 65536)),
            ("ports go up", "presumed", lambda w: _permitted(w, "udp", 5, 4)),
            ("no port is below 0", "presumed", lambda w: _permitted(w, "tcp", -1, 80)),
            ("all ICMP types have all codes", API + "IpPermission", lambda w: _permitted(w, "icmpv6", -1, 3)),
            ("a group's name is ASCII", API + "CreateSecurityGroup", lambda w: _group_of(w, w.vpc, "n\u00e4")),
            ("of 255 characters", API + "CreateSecurityGroup", lambda w: _group_of(w, w.vpc, "n" * 256)),
            (
                "an ACL entry's ports go up",
                "presumed",
                lambda w: _entry(w, Ipv6CidrBlock="::/0", Protocol="6", PortRange={"From": 3, "To": 2}),
            ),
            (
                "and end at 65535",
                "presumed",
                lambda w: _entry(w, Ipv6CidrBlock="::/0", Protocol="17", PortRange={"From": 3, "To": 65536}),
            ),
            (
                "an ACL entry allows or denies",
                API + "RuleAction",
                lambda w: _entry(w, Ipv6CidrBlock="::/0", RuleAction="no"),
            ),
            (
                "ICMPv6 has an IPv6 block",
                API + "CreateNetworkAclEntry",
                lambda w: _entry(w, CidrBlock="10.0.0.0/8", Protocol="58", IcmpTypeCode={"Type": -1, "Code": -1}),
            ),
        )
    ],
    refused("InvalidParameterValue", "a protocol by a name that EC2 knows", "presumed", lambda w: _protocol(w, "foo")),
    refused("InvalidParameterValue", "or by a number up to 255", "presumed", lambda w: _protocol(w, "256")),
    refused(
        "InvalidParameterValue",
        "a description of 255 characters at most",
        API + "Ipv6Range (Description)",
        lambda w: _described(w, "x" * 256),
    ),
    refused(
        "InvalidParameterValue",
        "and of these letters",
        API + "Ipv6Range (Description)",
        lambda w: _described(w, "für"),
    ),
    refused(
        "InvalidParameterValue",
        "TCP needs ports",
        "error recorded by moto from AWS",
        lambda w: w.ec2.authorize_security_group_ingress(
            GroupId=w.group, IpPermissions=[{"IpProtocol": "tcp", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
        ),
    ),
    seen(
        ["2001:db8:2::/64"],
        "ModifySecurityGroupRules changes an IPv6 block",
        API + "ModifySecurityGroupRules",
        lambda w: _modified(w, CidrIpv6="2001:DB8:2::/64"),
    ),
    refused(
        "InvalidParameterValue",
        "and not a rule's kind",
        API + "ModifySecurityGroupRules",
        lambda w: _modified(w, CidrIpv4="10.0.0.0/8"),
    ),
    seen(1, "a request adds all its rules or none", "presumed", _all_or_none),
    seen(
        [("tcp", "2001:db8::/64", 443)],
        "DescribeSecurityGroupRules shows IPv6 rules",
        API + "SecurityGroupRule",
        _rules,
    ),
    refused(
        "DependencyViolation", "a group that an interface has isn't deleted", API + "DeleteSecurityGroup", _delete_used
    ),
    refused(
        "DependencyViolation",
        "nor one that another group's rule names",
        API + "DeleteSecurityGroup",
        _delete_referenced,
    ),
    refused(
        "CannotDelete",
        "nor the default one",
        API + "error codes",
        lambda w: w.ec2.delete_security_group(
            GroupId=next(
                g["GroupId"]
                for g in w.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [w.vpc]}])[
                    "SecurityGroups"
                ]
            )
        ),
    ),
    refused(
        "InvalidGroup.Duplicate",
        "a name is a VPC's once",
        API + "error codes",
        lambda w: (w.group, _group_of(w, w.vpc, "g")),
    ),
    refused(
        "InvalidGroup.NotFound", "an unknown group", API + "error codes", lambda w: w.group_view("sg-0123456789abcdef0")
    ),
    refused(
        "InvalidVpcID.NotFound",
        "a group of an unknown VPC",
        API + "error codes",
        lambda w: _group_of(w, "vpc-0123456789abcdef0"),
    ),
    seen(
        ["default", "g"],
        "GetSecurityGroupsForVpc",
        API + "GetSecurityGroupsForVpc",
        lambda w: (
            w.group,
            sorted(g["GroupName"] for g in w.ec2.get_security_groups_for_vpc(VpcId=w.vpc)["SecurityGroupForVpcs"]),
        )[1],
    ),
    seen(
        ["2001:db8::/64"],
        "an ACL entry's block comes back canonical",
        "presumed",
        lambda w: _entry(w, Ipv6CidrBlock="2001:DB8:0::/64"),
    ),
    seen(
        [{"Type": 2, "Code": 0}],
        "an ACL entry for ICMPv6 keeps its type and code",
        API + "CreateNetworkAclEntry",
        lambda w: _entry(w, "IcmpTypeCode", Ipv6CidrBlock="::/0", Protocol="58", IcmpTypeCode={"Type": 2, "Code": 0}),
    ),
    refused(
        "MissingParameter",
        "an ACL entry for ICMPv6 needs type and code",
        API + "CreateNetworkAclEntry",
        lambda w: _entry(w, Ipv6CidrBlock="::/0", Protocol="58"),
    ),
    refused("MissingParameter", "an ACL entry needs a block", API + "CreateNetworkAclEntry", _entry),
    refused(
        "InvalidNetworkAclEntry.NotFound",
        "an unknown ACL entry",
        API + "error codes",
        lambda w: w.ec2.delete_network_acl_entry(
            NetworkAclId=w.default_acl(w.vpc)["NetworkAclId"], RuleNumber=7, Egress=True
        ),
    ),
    refused(
        "InvalidNetworkAclID.NotFound",
        "an unknown ACL",
        API + "error codes",
        lambda w: w.ec2.describe_network_acls(NetworkAclIds=["acl-0123456789abcdef0"]),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_security_rule(rule: Rule, world: World) -> None:
    rule.check(world)
