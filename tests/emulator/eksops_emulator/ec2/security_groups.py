# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules.

Sources: AuthorizeSecurityGroupIngress, ModifySecurityGroupRules and DeleteSecurityGroup in the EC2 API reference; the
VPC user guide "Migrate to IPv6" on the rule that EC2 adds when a VPC gets its first IPv6 block.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from moto.ec2.utils import random_security_group_id

from . import cidr, errors
from .family import Responses, arn, tag_list
from .plain import Plain

_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_NAMES = tuple(_PROTOCOLS.values())
_SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def _protocol(text: str) -> str:
    name = str(text).lower()
    return _PROTOCOLS.get(name, name)


def _check_ports(protocol: str, first: int, last: int) -> None:
    """IpPermission in the EC2 API reference; the texts are presumed."""
    if protocol in ("tcp", "udp") and not 0 <= first <= last <= 65535:
        raise errors.invalid(f"Invalid value '{first}-{last}' for portRange.")
    if protocol in ("icmp", "icmpv6") and first == -1 and last != -1:
        raise errors.invalid("All ICMP types need all ICMP codes.")


class StrictSecurityGroup(SecurityGroup):
    """moto's group, with an ARN of its partition and EC2's rule for a VPC's first IPv6 block."""

    def __init__(self, ec2_backend: Any, name: str, description: str, vpc_id: str, is_default: bool) -> None:
        super().__init__(ec2_backend, random_security_group_id(), name, description, vpc_id, is_default=is_default)
        self.arn = arn(ec2_backend, f"security-group/{self.id}")
        if is_default:
            everything = SecurityGroupRule(
                ec2_backend,
                "-1",
                self.id,
                None,
                None,
                None,
                {"GroupId": self.id, "UserId": self.owner_id, "OwnerId": self.owner_id},
                is_egress=False,
            )
            self.ingress_rules.append(everything)

    def add_ipv6_default(self) -> None:
        """Adds ::/0 egress, unless the group's original egress rule was modified."""
        rules = [rule.ip_range for rule in self.egress_rules if rule.ip_protocol == "-1"]
        untouched = len(self.egress_rules) == 1 and rules == [{"CidrIp": "0.0.0.0/0"}]
        if untouched:
            self.egress_rules.append(
                SecurityGroupRule(self.ec2_backend, "-1", self.id, None, None, {"CidrIpv6": "::/0"})
            )


class SecurityGroupBackend:
    """Groups in front of moto's."""

    def create_security_group(
        self: Any,
        name: str,
        description: str,
        vpc_id: str | None = None,
        tags: dict[str, str] | None = None,
        force: bool = False,
        is_default: bool | None = None,
    ) -> StrictSecurityGroup:
        vpc_id = vpc_id or self.default_vpc.id
        self.get_vpc(vpc_id)
        if not description:
            raise errors.missing("GroupDescription")
        if not _DESCRIPTION.fullmatch(name):
            raise errors.invalid(f"Value ({name}) for parameter GroupName is invalid.")
        if not _DESCRIPTION.fullmatch(description):
            raise errors.invalid(f"Value ({description}) for parameter GroupDescription is invalid.")
        if name.startswith("sg-"):
            raise errors.invalid("Invalid value for parameter groupName: it must not start with sg-")
        if any(group.name == name for group in self.groups[vpc_id].values()):
            raise errors.refuse(
                "InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc_id}'"
            )
        group = StrictSecurityGroup(self, name, description, vpc_id, bool(is_default))  # type: ignore[abstract]
        self.groups[vpc_id][group.id] = group
        group.add_tags(tags or {})
        return group

    def delete_security_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
        group = self.get_security_group_by_name_or_id(group_id or name)
        if group is None:
            raise errors.refuse("InvalidGroup.NotFound", f"The security group '{group_id or name}' does not exist")
        if group.is_default:
            raise errors.refuse(
                "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            )
        interfaces = any(group in eni.group_set for eni in self.enis.values())
        rules = itertools.chain.from_iterable(
            other.ingress_rules + other.egress_rules
            for groups in self.groups.values()
            for other in groups.values()
            if other is not group
        )
        if interfaces or any(rule.source_group.get("GroupId") == group.id for rule in rules):
            raise errors.dependency(f"resource {group.id} has a dependent object")
        self.groups[group.vpc_id].pop(group.id)

    def _iterate_security_rules(
        self: Any,
        ip_protocol: str,
        group_id: str,
        from_port: Any,
        to_port: Any,
        ip_ranges: list[dict[str, Any]],
        source_groups: list[dict[str, Any]],
        prefix_list_ids: list[dict[str, str]],
        is_egress: bool = False,
        tags: dict[str, str] | None = None,
    ) -> Iterator[SecurityGroupRule]:
        """moto's rules, in EC2's spelling: canonical blocks, protocols by name, ports where the protocol has them."""
        if ip_protocol is None:
            raise errors.invalid(
                "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."
            )
        protocol = _protocol(ip_protocol)
        if protocol not in _NAMES and not (protocol.isdecimal() and int(protocol) <= 255):
            raise errors.invalid(f"Invalid value '{ip_protocol}' for IP protocol. Unknown protocol.")
        if protocol in ("tcp", "udp") and (from_port is None or to_port is None):
            raise errors.invalid("Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
        from_port = -1 if from_port is None else from_port
        to_port = -1 if to_port is None else to_port
        _check_ports(protocol, int(from_port), int(to_port))
        ranges = [
            {key: cidr.canonical(value) if key.startswith("Cidr") else value for key, value in item.items()}
            for item in ip_ranges or []
        ]
        for item in ranges:
            if not _DESCRIPTION.fullmatch(item.get("Description") or ""):
                raise errors.invalid("Invalid rule description.")
        if not (ranges or source_groups or prefix_list_ids):
            raise errors.missing("ipRanges, ipv6Ranges, groups or prefixListIds")
        yield from super()._iterate_security_rules(  # type: ignore[misc]
            protocol, group_id, from_port, to_port, ranges, source_groups, prefix_list_ids, is_egress, tags
        )

    def modify_security_group_rules(self: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        group = self.get_security_group_from_id(group_id)
        if group is None:
            raise errors.refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        for rule_id, wanted in rules.items():
            rule = group.get_rule(rule_id)
            if rule is None:
                raise errors.refuse(
                    "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist"
                )
            self._modify_rule(rule, wanted)

    def _modify_rule(self: Any, rule: SecurityGroupRule, wanted: dict[str, Any]) -> None:
        given = [name for name in _SOURCES if wanted.get(name)]
        if len(given) != 1:
            code = errors.combination if given else errors.missing
            raise code("Exactly one of cidrIpv4, cidrIpv6, prefixListId and referencedGroupId must be specified")
        kind = given[0]
        had = {
            "CidrIpv4": "CidrIp" in rule.ip_range,
            "CidrIpv6": "CidrIpv6" in rule.ip_range,
            "PrefixListId": rule.prefix_list_id is not None,
            "ReferencedGroupId": bool(rule.source_group),
        }
        if not had[kind]:
            raise errors.invalid(f"Invalid rule type for security group rule '{rule.id}'. You may not change its type.")
        if wanted.get("IpProtocol") is None:
            raise errors.invalid(
                "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."
            )
        rule.ip_protocol = _protocol(wanted["IpProtocol"])
        whole = rule.ip_protocol == "-1"
        rule.from_port = None if whole else wanted.get("FromPort", -1)
        rule.to_port = None if whole else wanted.get("ToPort", -1)
        if kind == "CidrIpv4":
            rule.ip_range = {"CidrIp": str(cidr.ipv4(wanted[kind], "cidrIpv4"))}
        elif kind == "CidrIpv6":
            rule.ip_range = {"CidrIpv6": str(cidr.ipv6(wanted[kind], "cidrIpv6", strict=False))}
        elif kind == "PrefixListId":
            rule.prefix_list_id = wanted[kind]
        else:
            rule.source_group = {**rule.source_group, "GroupId": wanted[kind]}
        if wanted.get("Description") is not None:
            holder = rule.source_group if kind == "ReferencedGroupId" else rule.ip_range
            holder["Description"] = wanted["Description"]


class SecurityGroupResponses(Responses):
    def create_security_group(self) -> Plain:
        tags = self.tags_for("security-group")
        group = self.backend.create_security_group(
            self.params["GroupName"], self.params.get("Description", ""), self.params.get("VpcId"), tags
        )
        return Plain({"GroupId": group.id, "SecurityGroupArn": group.arn, "Tags": tag_list(group.get_tags())})

    def _group(self) -> Any:
        name = self.params.get("GroupId") or self.params.get("GroupName")
        if name is None:
            raise errors.missing("groupId")
        group = self.backend.get_security_group_by_name_or_id(name)
        if group is None:
            raise errors.refuse("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
        return group

    def _authorize(self, authorize: Callable[..., Any]) -> Plain:
        """All rules or none, as EC2 does it."""
        group = self._group()
        before = (list(group.ingress_rules), list(group.egress_rules))
        made: list[SecurityGroupRule] = []
        try:
            for arguments in self._process_rules_from_querystring():  # type: ignore[attr-defined]
                rules, _unused = authorize(**arguments)
                made += rules
        except errors.EC2ClientError:
            group.ingress_rules, group.egress_rules = before
            raise
        return Plain({"Return": True, "SecurityGroupRules": [_rule(rule) for rule in made]})

    def authorize_security_group_ingress(self) -> Plain:
        return self._authorize(self.backend.authorize_security_group_ingress)

    def authorize_security_group_egress(self) -> Plain:
        return self._authorize(self.backend.authorize_security_group_egress)

    def describe_security_group_rules(self) -> Plain:
        wanted = self.params.get("SecurityGroupRuleIds", [])
        rules = [
            rule
            for groups in self.backend.groups.values()
            for group in groups.values()
            for rule in group.ingress_rules + group.egress_rules
        ]
        missing = set(wanted) - {rule.id for rule in rules}
        if missing:
            raise errors.refuse(
                "InvalidSecurityGroupRuleId.NotFound",
                f"The security group rule ID '{sorted(missing)[0]}' does not exist",
            )
        return Plain({"SecurityGroupRules": [_rule(rule) for rule in rules if not wanted or rule.id in wanted]})

    def get_security_groups_for_vpc(self) -> Plain:
        self.backend.get_vpc(self.params["VpcId"])
        groups = self.backend.groups[self.params["VpcId"]].values()
        return Plain(
            {
                "SecurityGroupForVpcs": [
                    {
                        "GroupId": group.id,
                        "GroupName": group.name,
                        "Description": group.description,
                        "OwnerId": group.owner_id,
                        "PrimaryVpcId": group.vpc_id,
                        "Tags": tag_list(group.get_tags()),
                    }
                    for group in groups
                ]
            }
        )


def _rule(rule: SecurityGroupRule) -> dict[str, Any]:
    """A rule as DescribeSecurityGroupRules shows it: -1 where it has no ports."""
    answer: dict[str, Any] = {
        "SecurityGroupRuleId": rule.id,
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.owner_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "SecurityGroupRuleArn": arn(rule.ec2_backend, f"security-group-rule/{rule.id}"),
        "Tags": tag_list(rule.get_tags()),
    }
    if rule.cidr_ipv4:
        answer["CidrIpv4"] = rule.cidr_ipv4
    if rule.cidr_ipv6:
        answer["CidrIpv6"] = rule.cidr_ipv6
    if rule.prefix_list_id:
        answer["PrefixListId"] = rule.prefix_list_id
    if rule.source_group:
        answer["ReferencedGroupInfo"] = {
            "GroupId": rule.source_group.get("GroupId"),
            "UserId": rule.source_group.get("UserId", rule.owner_id),
        }
    description = rule.ip_range.get("Description") or rule.source_group.get("Description")
    return {**answer, "Description": description} if description else answer
