#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_security_group_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_security_group_ipv6
version_added: 0.1.0
short_description: Give security groups the IPv6 twins of their IPv4 rules
description:
  - For any number of existing security groups, adds an IPv6 rule for each IPv4 rule that has a twin by a stated
    mapping, and IPv6 rules that are given outright.
  - The mapping is C(0.0.0.0/0) to C(::/0), each IPv4 range of the VPC to all of the VPC's IPv6 blocks, and the pairs
    in O(mapping). A rule for any other range has no twin. It is returned in RV(untwinned), and never guessed at.
  - ICMP becomes ICMPv6, type by type and code by code, as RFC 7915 translates it. Type 3 (destination unreachable)
    becomes types 1 and 2, since a packet that is too big has a type of its own in ICMPv6.
  - A twin has the description and the tags of its IPv4 rule.
  - Rules that refer to groups cover both families, and are left alone. So is every IPv4 rule, and every IPv6 rule
    that this module did not make and that is not named.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  vpc_id:
    description:
      - The VPC. Alone, it means all of its security groups.
    type: str
  vpc_filter_tags:
    description: The one VPC that carries all of these tags, in place of O(vpc_id).
    type: dict
  group_ids:
    description: Security groups by id.
    type: list
    elements: str
  group_names:
    description: Security groups of O(vpc_id) by name.
    type: list
    elements: str
  filter_tags:
    description: All security groups of O(vpc_id) that carry all of these tags.
    type: dict
  twins:
    description: The directions in which IPv4 rules get twins. An empty list makes none.
    type: list
    elements: str
    choices: [ingress, egress]
    default: [ingress, egress]
  mapping:
    description: Further pairs. They go before what the mapping says by itself.
    type: list
    elements: dict
    suboptions:
      ipv4_cidr:
        description: The IPv4 range of a rule.
        type: str
        required: true
      ipv6_cidrs:
        description:
          - The IPv6 blocks of its twins. An empty list says that it shall have none.
        type: list
        elements: str
        required: true
  vpc_ipv6_cidr_blocks:
    description:
      - The IPv6 blocks that the VPC's own IPv4 ranges have as twins. All blocks of the VPC when not given.
      - A block that another task of the same check mode is about to add can be named by its C(pending:...) value.
    type: list
    elements: str
  rules:
    description:
      - IPv6 rules as they shall be, for all groups that are meant or for some of them. Two of them that speak of the
        same traffic of the same group are refused.
    type: list
    elements: dict
    suboptions:
      direction:
        description: Which way.
        type: str
        choices: [ingress, egress]
        default: ingress
      ip_protocol:
        description: V(tcp), V(udp), V(icmpv6), the number of another protocol, or V(-1) for all.
        type: str
        required: true
      from_port:
        description: The first port, or the ICMPv6 type. Needed with TCP and UDP. All types when not given.
        type: int
      to_port:
        description: The last port, or the ICMPv6 code. The first port, or all codes, when not given.
        type: int
      cidr_ipv6:
        description: The IPv6 block, in any spelling.
        type: str
        required: true
      description:
        description: The rule's description. Not managed when not given.
        type: str
      tags:
        description: Tags of the rule. Added or changed, never removed.
        type: dict
      group_ids:
        description: The groups that the rule is for, out of those that are meant. All of them when not given.
        type: list
        elements: str
      state:
        description: V(absent) revokes the rule, whoever made it.
        type: str
        choices: [present, absent]
        default: present
  purge_twins:
    description:
      - Whether to revoke twins that this module made and whose IPv4 rule is gone. They are returned in
        RV(stale_twins) either way.
    type: bool
    default: false
  planned:
    description:
      - The RV(security_groups) that earlier tasks of the same play have returned. In check mode the groups are then
        taken to be so already. Without check mode it means nothing.
    type: list
    elements: dict
  state:
    description:
      - V(absent) revokes all twins that this module made in the groups, and the O(rules) that are named. What else the
        module made there is returned in RV(left).
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
notes:
  - All missing rules of one group and direction are made by one call, which makes all of them or none.
  - Rules made here carry the tag C(eksops.ipv6/part), with V(twin) for twins and V(rule) for those that were given.
    That tag is the proof without which nothing is revoked.
  - EC2 adds a rule for all outbound IPv6 traffic to a group when its VPC gets its first IPv6 block, unless the group's
    own outbound rule was changed
    (U(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-migrate-ipv6.html)). That rule is somebody else's here.
seealso:
  - module: eksops.ipv6.ec2_network_acl_ipv6
  - module: amazon.aws.ec2_security_group
"""

EXAMPLES = r"""
- name: Show what all groups of a VPC would get, and what has no twin
  eksops.ipv6.ec2_security_group_ipv6:
    vpc_id: vpc-0123456789abcdef0
  check_mode: true
  diff: true

- name: Twins for two groups, with the office's ranges
  eksops.ipv6.ec2_security_group_ipv6:
    group_ids: [sg-0123456789abcdef0, sg-0fedcba9876543210]
    mapping:
      - ipv4_cidr: 198.51.100.0/24
        ipv6_cidrs: [2001:db8:8000::/48]
      - ipv4_cidr: 203.0.113.7/32
        ipv6_cidrs: []

- name: One rule, outright
  eksops.ipv6.ec2_security_group_ipv6:
    group_ids: [sg-0123456789abcdef0]
    twins: []
    rules:
      - ip_protocol: tcp
        from_port: 443
        cidr_ipv6: ::/0
        description: from anywhere

- name: Revoke the twins again
  eksops.ipv6.ec2_security_group_ipv6:
    vpc_id: vpc-0123456789abcdef0
    state: absent
"""

RETURN = r"""
security_groups:
  description: The groups that were meant, with their IPv6 rules as they are now; in check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: sg-0123456789abcdef0
    name:
      description: Its name.
      type: str
    vpc_id:
      description: Its VPC.
      type: str
    ipv6_rules:
      description: All of its IPv6 rules.
      type: list
      elements: dict
      contains:
        id:
          description: The rule's id; in check mode C(pending:...) for one that is to be made.
          type: str
        direction:
          description: V(ingress) or V(egress).
          type: str
        ip_protocol:
          description: The protocol.
          type: str
        from_port:
          description: The first port, or the ICMPv6 type; null when all are meant.
          type: int
        to_port:
          description: The last port, or the ICMPv6 code; null when all are meant.
          type: int
        cidr_ipv6:
          description: The IPv6 block.
          type: str
        description:
          description: The description; null when there is none.
          type: str
        twin:
          description: Whether this module made it as a twin.
          type: bool
        tags:
          description: The rule's tags.
          type: dict
untwinned:
  description: IPv4 rules, and rules that refer to a prefix list, that have no twin.
  returned: success
  type: list
  elements: dict
  contains: &rule
    group_id:
      description: The group.
      type: str
    rule_id:
      description: The rule's id.
      type: str
    direction:
      description: V(ingress) or V(egress).
      type: str
    ip_protocol:
      description: The protocol.
      type: str
    from_port:
      description: The first port, or the ICMP type; null when all are meant.
      type: int
    to_port:
      description: The last port, or the ICMP code; null when all are meant.
      type: int
    cidr:
      description: The range, or the prefix list.
      type: str
    description:
      description: The description; null when there is none.
      type: str
    reason:
      description: Why it is told.
      type: str
stale_twins:
  description: Twins that this module made and whose IPv4 rule is gone. With O(purge_twins), those that were revoked.
  returned: success
  type: list
  elements: dict
  contains: *rule
left:
  description: What this module made in the groups and O(state=absent) left, and why.
  returned: with O(state=absent)
  type: list
  elements: dict
  contains:
    resource:
      description: The rule's id.
      type: str
    reason:
      description: What it is and why it stays.
      type: str
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import security_group_ipv6
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

MAPPING = {
    "type": "list",
    "elements": "dict",
    "options": {
        "ipv4_cidr": {"type": "str", "required": True},
        "ipv6_cidrs": {"type": "list", "elements": "str", "required": True},
    },
}

DOOR = Door(
    argument_spec={
        "vpc_id": {"type": "str"},
        "vpc_filter_tags": {"type": "dict"},
        "group_ids": {"type": "list", "elements": "str"},
        "group_names": {"type": "list", "elements": "str"},
        "filter_tags": {"type": "dict"},
        "twins": {
            "type": "list",
            "elements": "str",
            "choices": ["ingress", "egress"],
            "default": ["ingress", "egress"],
        },
        "mapping": MAPPING,
        "vpc_ipv6_cidr_blocks": {"type": "list", "elements": "str"},
        "rules": {
            "type": "list",
            "elements": "dict",
            "options": {
                "direction": {"type": "str", "choices": ["ingress", "egress"], "default": "ingress"},
                "ip_protocol": {"type": "str", "required": True},
                "from_port": {"type": "int"},
                "to_port": {"type": "int"},
                "cidr_ipv6": {"type": "str", "required": True},
                "description": {"type": "str"},
                "tags": {"type": "dict"},
                "group_ids": {"type": "list", "elements": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        },
        "purge_twins": {"type": "bool", "default": False},
        "planned": {"type": "list", "elements": "dict"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=security_group_ipv6.build,
    services=("ec2",),
    constraints={
        "required_one_of": [("vpc_id", "vpc_filter_tags", "group_ids")],
        "mutually_exclusive": [("vpc_id", "vpc_filter_tags")],
    },
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
