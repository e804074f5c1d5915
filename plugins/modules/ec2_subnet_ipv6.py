#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_subnet_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_subnet_ipv6
version_added: 0.1.0
short_description: Manage the IPv6 block and the launch attributes of subnets that are there
description:
  - Gives any number of existing subnets an IPv6 block, or takes it off, and sets the attributes that instances
    launched in them take from them. One task does it for a whole VPC.
  - What is not given is not managed. In particular a subnet never loses its IPv6 block, nor an attribute, by omission.
  - A subnet's block is stated, or comes from its slot, the number of a /64 in one of the VPC's blocks. A subnet that
    has a block keeps it. The others take the lowest free slots, those named one by one in the order of the document,
    the rest in the order of zone and IPv4 range.
  - Blocks are compared as networks. C(2001:DB8:0:1::/64) and C(2001:db8:0:1::/64) are the same.
  - IPv4 ranges, routes and tags of the subnets are left alone.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  vpc_id:
    description:
      - The VPC that the subnets are in. Alone, it means all of its subnets.
    type: str
  vpc_filter_tags:
    description: The one VPC that carries all of these tags, in place of O(vpc_id).
    type: dict
  subnet_ids:
    description: Subnets by id.
    type: list
    elements: str
  filter_tags:
    description: All subnets of O(vpc_id) that carry all of these tags.
    type: dict
  subnets:
    description:
      - Subnets one by one. What an entry states goes before what the options beside it state.
    type: list
    elements: dict
    suboptions:
      id:
        description: The subnet with this id. Excludes O(subnets[].filter_tags).
        type: str
      filter_tags:
        description: The subnets of O(vpc_id) that carry all of these tags.
        type: dict
      ipv6_cidr_block:
        description:
          - The subnet's IPv6 block, /44 to /64 in steps of 4, within one of the VPC's, in any spelling.
          - Where the subnet has another one, that is refused. A subnet has one block, and it is only ever taken off
            with O(state=absent).
        type: str
      ipv6_slot:
        description: Number of the subnet's /64 in the VPC's block, from 0. Excludes O(subnets[].ipv6_cidr_block).
        type: int
      assign_ipv6_address_on_creation: &assign
        description: Whether a network interface made in the subnet gets an IPv6 address. EKS nodes need it.
        type: bool
      enable_dns64: &dns64
        description:
          - Whether names that have IPv4 addresses only resolve to addresses in C(64:ff9b::/96).
          - An IPv6 EKS cluster does not need it. Its pods reach IPv4 through their node.
        type: bool
      private_dns_hostname_type_on_launch: &hostname
        description: Whether the host names of instances come from their IPv4 address or from their id.
        type: str
        choices: [ip-name, resource-name]
      enable_resource_name_dns_a_record_on_launch: &a
        description: Whether the resource name of an instance resolves to its IPv4 address.
        type: bool
      enable_resource_name_dns_aaaa_record_on_launch: &aaaa
        description: Whether the resource name of an instance resolves to its IPv6 address.
        type: bool
      map_public_ip_on_launch: &public
        description: Whether instances get a public IPv4 address.
        type: bool
  state:
    description:
      - With V(present), every subnet that is named has an IPv6 block. One that lacks it gets one.
      - With V(absent), none has. The attributes that need an IPv6 block (O(assign_ipv6_address_on_creation),
        O(enable_dns64), O(enable_resource_name_dns_aaaa_record_on_launch)) are turned off first, and nothing else
        that the document states of the subnets is looked at, so that it can be the one they were set up with. As
        long as a network interface has an address or a prefix of a block, the whole task is refused, with the list
        of those interfaces. So it is when a subnet has no IPv4 range, and no other than its IPv6 block.
      - When not given, blocks are managed only where O(subnets[].ipv6_cidr_block) or O(subnets[].ipv6_slot) is.
    type: str
    choices: [present, absent]
  vpc_ipv6_cidr_block:
    description:
      - The VPC's IPv6 block that slots are counted in. The first one of the VPC when not given.
      - A block that another task of the same check mode is about to add can be named by its C(pending:...) value.
    type: str
  planned:
    description:
      - The RV(subnets) that earlier tasks of the same play have returned. In check mode the subnets are then taken to
        be so already, and no slot is given out twice. Without check mode it means nothing.
    type: list
    elements: dict
  assign_ipv6_address_on_creation: *assign
  enable_dns64: *dns64
  private_dns_hostname_type_on_launch: *hostname
  enable_resource_name_dns_a_record_on_launch: *a
  enable_resource_name_dns_aaaa_record_on_launch: *aaaa
  map_public_ip_on_launch: *public
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
notes:
  - A subnet has one IPv6 block at most
    (U(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateSubnetCidrBlock.html)).
  - C(ModifySubnetAttribute) takes one attribute a call, so each attribute of a subnet that differs costs one.
seealso:
  - module: eksops.ipv6.ec2_vpc_ipv6_network
  - module: eksops.ipv6.ec2_route_ipv6
  - module: amazon.aws.ec2_vpc_subnet
"""

EXAMPLES = r"""
- name: Give every subnet of a VPC an IPv6 block, and every new interface an address
  eksops.ipv6.ec2_subnet_ipv6:
    vpc_id: vpc-0123456789abcdef0
    state: present
    assign_ipv6_address_on_creation: true

- name: Two subnets, each in its slot
  eksops.ipv6.ec2_subnet_ipv6:
    vpc_id: vpc-0123456789abcdef0
    subnets:
      - id: subnet-0123456789abcdef0
        ipv6_slot: 16
      - filter_tags:
          Name: private-b
        ipv6_slot: 17
        assign_ipv6_address_on_creation: true

- name: DNS64 off wherever the tag says that nodes live, and nothing else
  eksops.ipv6.ec2_subnet_ipv6:
    vpc_id: vpc-0123456789abcdef0
    filter_tags:
      kubernetes.io/role/internal-elb: "1"
    enable_dns64: false

- name: Take the IPv6 blocks of two subnets off
  eksops.ipv6.ec2_subnet_ipv6:
    subnet_ids: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
    state: absent
"""

RETURN = r"""
subnets:
  description: The subnets that were meant, as they are now; in check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: subnet-0123456789abcdef0
    vpc_id:
      description: The VPC it is in.
      type: str
    availability_zone:
      description: Its zone.
      type: str
    cidr_block:
      description: Its IPv4 range; null for an IPv6-only subnet.
      type: str
    ipv6_cidr_block:
      description: Its IPv6 block; null when it has none.
      type: str
      sample: 2001:db8:1234:1a10::/64
    vpc_ipv6_cidr_block:
      description: The VPC's block that it lies in.
      type: str
      sample: 2001:db8:1234:1a00::/56
    ipv6_slot:
      description: Number of its first /64 in that block.
      type: int
      sample: 16
    assign_ipv6_address_on_creation:
      description: Whether new network interfaces get an IPv6 address.
      type: bool
    enable_dns64:
      description: Whether DNS64 is on.
      type: bool
    private_dns_hostname_type_on_launch:
      description: V(ip-name) or V(resource-name).
      type: str
    enable_resource_name_dns_a_record_on_launch:
      description: Whether resource names resolve to IPv4 addresses.
      type: bool
    enable_resource_name_dns_aaaa_record_on_launch:
      description: Whether resource names resolve to IPv6 addresses.
      type: bool
    map_public_ip_on_launch:
      description: Whether instances get a public IPv4 address.
      type: bool
    tags:
      description: Its tags.
      type: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import subnet_ipv6
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

ATTRIBUTES = {
    "assign_ipv6_address_on_creation": {"type": "bool"},
    "enable_dns64": {"type": "bool"},
    "private_dns_hostname_type_on_launch": {"type": "str", "choices": ["ip-name", "resource-name"]},
    "enable_resource_name_dns_a_record_on_launch": {"type": "bool"},
    "enable_resource_name_dns_aaaa_record_on_launch": {"type": "bool"},
    "map_public_ip_on_launch": {"type": "bool"},
}

DOOR = Door(
    argument_spec={
        "vpc_id": {"type": "str"},
        "vpc_filter_tags": {"type": "dict"},
        "subnet_ids": {"type": "list", "elements": "str"},
        "filter_tags": {"type": "dict"},
        "subnets": {
            "type": "list",
            "elements": "dict",
            "options": {
                "id": {"type": "str"},
                "filter_tags": {"type": "dict"},
                "ipv6_cidr_block": {"type": "str"},
                "ipv6_slot": {"type": "int"},
                **ATTRIBUTES,
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"]},
        "vpc_ipv6_cidr_block": {"type": "str"},
        "planned": {"type": "list", "elements": "dict"},
        **ATTRIBUTES,
    },
    build=subnet_ipv6.build,
    services=("ec2",),
    constraints={
        "required_one_of": [("vpc_id", "vpc_filter_tags", "subnet_ids", "subnets")],
        "mutually_exclusive": [("vpc_id", "vpc_filter_tags")],
    },
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
