#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_network_acl_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_network_acl_ipv6
version_added: 0.1.0
short_description: Give network ACLs IPv6 entries that mirror their IPv4 ones
description:
  - For any number of existing network ACLs, adds an IPv6 entry for each IPv4 entry that has a twin by a stated
    mapping, with rule numbers that keep the order in which entries are evaluated.
  - The mapping is that of M(eksops.ipv6.ec2_security_group_ipv6). It is C(0.0.0.0/0) to C(::/0), each IPv4 range of
    the VPC to all of the VPC's IPv6 blocks, and the pairs in O(mapping). ICMP becomes ICMPv6 as RFC 7915 translates
    it.
  - A twin goes right behind the number of its IPv4 entry, as AWS itself puts 101 behind 100, or to the next number
    that is free. Where an IPv6 entry that somebody else made says the same and stands in order, that one serves.
  - An IPv4 entry without a twin is returned in RV(untwinned), and never guessed at.
  - IPv4 entries, and IPv6 entries that this module did not make, are left alone. ACLs are named by id, by VPC or by
    their subnets, never by name.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  vpc_id:
    description:
      - The VPC. Alone, it means all of its network ACLs.
    type: str
  vpc_filter_tags:
    description: The one VPC that carries all of these tags, in place of O(vpc_id).
    type: dict
  network_acl_ids:
    description: Network ACLs by id.
    type: list
    elements: str
  subnet_ids:
    description: The network ACLs of these subnets.
    type: list
    elements: str
  twins:
    description: The directions in which IPv4 entries get twins.
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
        description: The IPv4 range of an entry.
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
  path_mtu_discovery:
    description:
      - Whether ICMPv6 type 2 (packet too big) is let through from and to C(::/0), by an entry before all others where
        nothing else does. Without those messages connections hang wherever a link on their way takes smaller packets.
      - An ACL that lets no IPv6 through gets none.
    type: bool
    default: true
  ephemeral_ports:
    description:
      - The ports that answers come back to. Where a direction lets TCP or UDP pass to C(::/0), the other direction
        gets an entry that lets these ports through, unless something else does.
      - When not given, none are added, and a warning says where answers would be dropped.
    type: dict
    suboptions:
      from_port:
        description: The first port. C(1024) is what AWS's load balancers and NAT gateways may use, C(32768) Linux.
        type: int
        default: 1024
      to_port:
        description: The last port.
        type: int
        default: 65535
  max_entries:
    description:
      - The account's quota of entries in one direction of an ACL. What would pass it is refused before any change.
      - Entries of both families and the entries that deny the rest are counted. That is the stricter reading of the
        quota.
      - Where there is no room for old and new entries side by side, O(purge_twins) deletes as many old ones as must be
        before it makes the new ones, and else after.
    type: int
    default: 20
  purge_twins:
    description:
      - Whether to delete twins that this module made and whose IPv4 entry is gone. They are returned in
        RV(stale_twins) either way.
    type: bool
    default: false
  planned:
    description:
      - The RV(network_acls) that earlier tasks of the same play have returned. In check mode the ACLs are then taken to
        be so already. Without check mode it means nothing.
    type: list
    elements: dict
  state:
    description:
      - V(absent) deletes all IPv6 entries that this module made in the ACLs, and nothing else.
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
  - An entry has no tags. The module writes the numbers of its entries in the tags C(eksops.ipv6/ingress-entries) and
    C(eksops.ipv6/egress-entries) of the ACL, before it makes them. Without those tags its entries are somebody else's.
  - EC2 adds IPv6 entries to the default ACL of a VPC that gets its first IPv6 block, unless the ACL was changed. They
    are somebody else's here
    (U(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-migrate-ipv6.html)).
  - Whether AWS counts the quota over both families is [unverified].
seealso:
  - module: eksops.ipv6.ec2_security_group_ipv6
  - module: amazon.aws.ec2_vpc_nacl
"""

EXAMPLES = r"""
- name: Show what the ACLs of a VPC would get, and what has no twin
  eksops.ipv6.ec2_network_acl_ipv6:
    vpc_id: vpc-0123456789abcdef0
  check_mode: true
  diff: true

- name: The ACLs of two subnets, with the office's ranges
  eksops.ipv6.ec2_network_acl_ipv6:
    subnet_ids: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
    mapping:
      - ipv4_cidr: 198.51.100.0/24
        ipv6_cidrs: [2001:db8:8000::/48]
    ephemeral_ports:
      from_port: 1024

- name: Delete what was added
  eksops.ipv6.ec2_network_acl_ipv6:
    vpc_id: vpc-0123456789abcdef0
    state: absent
"""

RETURN = r"""
network_acls:
  description: The ACLs that were meant, with their IPv6 entries as they are now; in check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: acl-0123456789abcdef0
    vpc_id:
      description: Its VPC.
      type: str
    default:
      description: Whether it is the default ACL of the VPC.
      type: bool
    subnet_ids:
      description: The subnets associated with it.
      type: list
      elements: str
    ipv6_entries:
      description: Its IPv6 entries, but the one that denies the rest.
      type: list
      elements: dict
      contains: &entry
        direction:
          description: V(ingress) or V(egress).
          type: str
        rule_number:
          description: Where it stands in the order of evaluation.
          type: int
        rule_action:
          description: V(allow) or V(deny).
          type: str
        protocol:
          description: The number of the protocol; V(-1) for all.
          type: str
        cidr:
          description: The network.
          type: str
        from_port:
          description: The first port; null where all are meant.
          type: int
        to_port:
          description: The last port; null where all are meant.
          type: int
        icmp_type:
          description: The ICMP or ICMPv6 type; null where all are meant.
          type: int
        icmp_code:
          description: The ICMP or ICMPv6 code; null where all are meant.
          type: int
        own:
          description: Whether this module made it.
          type: bool
untwinned:
  description: IPv4 entries that have no twin. Each has C(network_acl_id) and C(reason) besides what an entry has.
  returned: success
  type: list
  elements: dict
stale_twins:
  description: >-
    Twins that this module made and whose IPv4 entry is gone, each with C(network_acl_id). With O(purge_twins), those
    that were deleted.
  returned: success
  type: list
  elements: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import network_acl_ipv6
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "vpc_id": {"type": "str"},
        "vpc_filter_tags": {"type": "dict"},
        "network_acl_ids": {"type": "list", "elements": "str"},
        "subnet_ids": {"type": "list", "elements": "str"},
        "twins": {
            "type": "list",
            "elements": "str",
            "choices": ["ingress", "egress"],
            "default": ["ingress", "egress"],
        },
        "mapping": {
            "type": "list",
            "elements": "dict",
            "options": {
                "ipv4_cidr": {"type": "str", "required": True},
                "ipv6_cidrs": {"type": "list", "elements": "str", "required": True},
            },
        },
        "vpc_ipv6_cidr_blocks": {"type": "list", "elements": "str"},
        "path_mtu_discovery": {"type": "bool", "default": True},
        "ephemeral_ports": {
            "type": "dict",
            "options": {
                "from_port": {"type": "int", "default": 1024},
                "to_port": {"type": "int", "default": 65535},
            },
        },
        "max_entries": {"type": "int", "default": 20},
        "purge_twins": {"type": "bool", "default": False},
        "planned": {"type": "list", "elements": "dict"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=network_acl_ipv6.build,
    services=("ec2",),
    constraints={
        "required_one_of": [("vpc_id", "vpc_filter_tags", "network_acl_ids", "subnet_ids")],
        "mutually_exclusive": [("vpc_id", "vpc_filter_tags")],
    },
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
