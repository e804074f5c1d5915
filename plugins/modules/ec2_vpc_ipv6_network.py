#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_vpc_ipv6_network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_vpc_ipv6_network
version_added: 0.1.0
short_description: Make or adopt the whole network of an IPv6 EKS cluster
description:
  - Describes a cluster's network as one document. That is its VPC with an IPv4 and an IPv6 block, public and private
    subnets over the Availability Zones, an internet gateway, an egress-only internet gateway, NAT gateways, and route
    tables with a default route for each family.
  - An unchanged network is read with eight calls, two round trips in series, however many subnets it has.
  - A subnet's IPv6 range comes from its slot, the number of a /64 in the VPC's block. Slots are recovered from what
    lives, and a subnet never moves when zones or subnets are added or dropped.
  - What the module makes carries the tags C(eksops.ipv6/network) and C(eksops.ipv6/part) from its creation on. A run
    that was stopped anywhere finds its own work by them, and O(state=absent) removes nothing that lacks them.
  - A VPC or subnet that the document names by id or by tags is adopted. It gets what IPv6 needs (an IPv6 block,
    auto-assigned IPv6 addresses, an IPv6 default route where there is none) and is left alone otherwise. In particular
    no IPv4 route of it is ever touched.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  name:
    description:
      - Name of the network. It begins the C(Name) tag of all that is made, and is the value of the tag
        C(eksops.ipv6/network), which must be unique in the region. It has 1 to 200 characters.
    type: str
    required: true
  state:
    description:
      - V(absent) removes what this module made for the network, in the order AWS takes it. What stays is returned in
        RV(left) with the reason. While network interfaces of others are in the network's subnets, those subnets keep
        their gateways and routes.
    type: str
    choices: [present, absent]
    default: present
  vpc:
    description: The VPC.
    type: dict
    suboptions:
      id:
        description: Adopt the VPC with this id.
        type: str
      filter_tags:
        description: Adopt the one VPC that carries all of these tags.
        type: dict
      cidr_block:
        description: IPv4 block, /16 to /28. A new VPC needs one, since EKS needs IPv4 addresses for nodes.
        type: str
      ipv6:
        description:
          - Where the IPv6 block comes from that subnets are cut from. A new VPC gets Amazon's /56 when this is not
            given. An adopted VPC without an IPv6 block gets one only when this is given.
        type: dict
        suboptions: &ipv6
          provider:
            description:
              - V(amazon) is a /56 out of Amazon's pool, V(ipam) a block out of an IPAM pool, V(byoip) a block of your
                own address pool.
            type: str
            choices: [amazon, ipam, byoip]
            default: amazon
          ipam_pool_id:
            description: The IPAM pool, with O(vpc.ipv6.provider=ipam).
            type: str
          netmask_length:
            description: Size of the block out of the IPAM pool, 44 to 60 in steps of 4. The pool's default otherwise.
            type: int
          pool:
            description: The address pool, with O(vpc.ipv6.provider=byoip).
            type: str
          cidr_block:
            description:
              - The block, in any spelling. Needed with O(vpc.ipv6.provider=byoip); out of an IPAM pool it asks for
                this one.
            type: str
          network_border_group:
            description: The network border group that Amazon's or your own block is advertised from.
            type: str
      additional_ipv6:
        description:
          - Further IPv6 blocks that the VPC shall have, besides the one that subnets are cut from. Each one that no
            live block matches is added. A block is never taken off here.
        type: list
        elements: dict
        suboptions: *ipv6
      remove_ipv6:
        description:
          - With O(state=absent), whether an adopted VPC loses its IPv6 blocks, as far as no subnet has a range in
            them. Without it they stay, since nothing tells who added them.
        type: bool
        default: false
      enable_dns_support:
        description: Whether the VPC resolves DNS. On for a new VPC; an adopted one is changed only when this is given.
        type: bool
      enable_dns_hostnames:
        description: Whether instances get DNS names. On for a new VPC; an adopted one is changed only when this is
          given.
        type: bool
  availability_zones:
    description:
      - Names of the zones that subnets are made in. At least two.
      - When not given, the zones the network lives in, filled up to O(availability_zone_count) in order of their names
        (without zones that EKS takes no cluster subnets in).
    type: list
    elements: str
  availability_zone_count:
    description:
      - How many zones, when O(availability_zones) is not given. A region with fewer is used whole, with a warning.
    type: int
    default: 3
  public_subnets:
    description:
      - The public subnets, when one per zone does not fit. An empty list makes none.
      - A public subnet has the internet gateway as its way out in both families and gives instances public IPv4
        addresses, which managed node groups in public subnets need.
    type: list
    elements: dict
    suboptions: &subnet
      availability_zone:
        description: Its zone. Needed for a new subnet.
        type: str
      name:
        description: What it is called within the network. Its tier and zone, such as V(private-eu-west-1a), otherwise.
        type: str
      id:
        description: Adopt the subnet with this id.
        type: str
      filter_tags:
        description: Adopt the one subnet of the VPC (in the zone, when that is given) that carries all of these tags.
        type: dict
      cidr_block:
        description: IPv4 range. The first free range of the tier's prefix length otherwise.
        type: str
      ipv6_slot:
        description: Number of its /64 in the VPC's IPv6 block, from 0. The lowest free one otherwise.
        type: int
      ipv6_cidr_block:
        description: IPv6 range, in any spelling, where the VPC's block is known. Excludes
          O(public_subnets[].ipv6_slot).
        type: str
      map_public_ip_on_launch:
        description: Whether instances get public IPv4 addresses. As the tier has it for a new subnet, unmanaged
          otherwise.
        type: bool
      tags:
        description: Tags of this subnet, besides O(tags) and those of its tier. Added or changed, never removed.
        type: dict
  private_subnets:
    description:
      - The private subnets, when one per zone does not fit. An empty list makes none.
      - A private subnet has a NAT gateway as its way out for IPv4 and the egress-only internet gateway for IPv6.
    type: list
    elements: dict
    suboptions: *subnet
  public_subnet_prefix_length:
    description: Size of the IPv4 ranges of new public subnets.
    type: int
    default: 24
  private_subnet_prefix_length:
    description: Size of the IPv4 ranges of new private subnets. Nodes take one IPv4 address each, pods none.
    type: int
    default: 20
  private_subnet_ipv6_reservation_length:
    description:
      - Size (65 to 80) of the last part of each private subnet's IPv6 range that is reserved for prefixes. A node
        takes one /80 for its pods, and single addresses elsewhere in the range then never fragment that part. V(65)
        reserves half.
      - None is reserved when this is not given. Costs one call for each private subnet.
    type: int
  public_subnet_tags:
    description: Tags of all public subnets, besides C(kubernetes.io/role/elb=1) on those made here.
    type: dict
  private_subnet_tags:
    description: Tags of all private subnets, besides C(kubernetes.io/role/internal-elb=1) on those made here.
    type: dict
  nat_gateways:
    description:
      - V(none), one for the network (V(single)), or one in each zone with private subnets (V(per_zone)).
      - When not given, V(single) for a VPC made here, and none are made in an adopted one.
      - NAT gateways that this module made and that a given value no longer calls for are removed, after the routes to
        them were replaced. AWS charges for each one by the hour and by the gigabyte.
    type: str
    choices: [none, single, per_zone]
  egress_only_internet_gateway:
    description: Whether private subnets get an IPv6 way out. V(false) makes none and removes none.
    type: bool
    default: true
  tags:
    description:
      - Tags of everything that is made. Added or changed on later runs, and never removed, since load balancer
        controllers and EKS keep tags of their own on subnets.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
notes:
  - EKS needs subnets with an IPv4 and an IPv6 range in at least two zones, auto-assigned IPv6 addresses for nodes, and
    routes for both families
    (U(https://docs.aws.amazon.com/eks/latest/userguide/cni-ipv6.html)).
  - DNS64 is kept off on subnets made here. Pods reach IPv4 through their node, and DNS64 would lead them past it.
seealso:
  - module: eksops.ipv6.eks_cluster
  - module: amazon.aws.ec2_vpc_net
  - module: amazon.aws.ec2_vpc_subnet
"""

EXAMPLES = r"""
- name: A network for production, three zones, a NAT gateway in each
  eksops.ipv6.ec2_vpc_ipv6_network:
    name: production
    vpc:
      cidr_block: 10.0.0.0/16
    availability_zones: [eu-west-1a, eu-west-1b, eu-west-1c]
    nat_gateways: per_zone
    tags:
      team: platform
  register: production

- name: Show what would be done, and touch nothing
  eksops.ipv6.ec2_vpc_ipv6_network:
    name: production
    vpc:
      cidr_block: 10.0.0.0/16
  check_mode: true
  diff: true

- name: A block out of an IPAM pool, and no NAT gateway
  eksops.ipv6.ec2_vpc_ipv6_network:
    name: inner
    vpc:
      cidr_block: 10.8.0.0/16
      ipv6:
        provider: ipam
        ipam_pool_id: ipam-pool-0123456789abcdef0
        netmask_length: 56
    public_subnets: []
    nat_gateways: none

- name: Add IPv6 to subnets that are there
  eksops.ipv6.ec2_vpc_ipv6_network:
    name: shared
    vpc:
      id: vpc-0123456789abcdef0
      ipv6:
        provider: amazon
    public_subnets: []
    private_subnets:
      - id: subnet-0123456789abcdef0
      - filter_tags:
          Name: private-b

- name: Take down what was made
  eksops.ipv6.ec2_vpc_ipv6_network:
    name: production
    state: absent
"""

RETURN = r"""
network:
  description: The network; null with O(state=absent). In check mode, C(pending:...) stands for what AWS has yet to
    give.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    vpc_id:
      description: Id of the VPC.
      type: str
      sample: vpc-0123456789abcdef0
    cidr_block:
      description: The VPC's first IPv4 block.
      type: str
      sample: 10.0.0.0/16
    ipv6_cidr_block:
      description: The VPC's IPv6 block that the slots are counted in.
      type: str
      sample: 2001:db8:1234:1a00::/56
    ipv6_cidr_blocks:
      description: All IPv6 blocks of the VPC.
      type: list
      elements: str
    availability_zones:
      description: The zones of the subnets.
      type: list
      elements: str
    public_subnet_ids:
      description: Ids of the public subnets.
      type: list
      elements: str
    private_subnet_ids:
      description: Ids of the private subnets.
      type: list
      elements: str
    subnets:
      description: All subnets, the public ones first.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
        name:
          description: What it is called within the network.
          type: str
        public:
          description: Whether it is a public one.
          type: bool
        availability_zone:
          description: Its zone.
          type: str
        cidr_block:
          description: Its IPv4 range.
          type: str
        ipv6_cidr_block:
          description: Its IPv6 range.
          type: str
        ipv6_slot:
          description: Number of its /64 in the VPC's block; null when it lies in another block of the VPC.
          type: int
        assign_ipv6_address_on_creation:
          description: Whether new network interfaces get an IPv6 address, which EKS nodes need.
          type: bool
        map_public_ip_on_launch:
          description: Whether instances get a public IPv4 address.
          type: bool
        adopted:
          description: Whether the document adopts it.
          type: bool
        route_table_id:
          description: The route table it uses.
          type: str
        tags:
          description: Its tags.
          type: dict
    internet_gateway_id:
      description: The internet gateway; null without public subnets.
      type: str
    egress_only_internet_gateway_id:
      description: The egress-only internet gateway; null where private subnets get no IPv6 way out.
      type: str
    nat_gateways:
      description: The NAT gateways in use.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
        availability_zone:
          description: Its zone.
          type: str
        subnet_id:
          description: The subnet it is in.
          type: str
        public_ip:
          description: Its public IPv4 address.
          type: str
    route_table_ids:
      description: Ids of the route tables made here, by what they serve (C(public), C(private-ZONE)).
      type: dict
left:
  description: What O(state=absent) left, and why.
  returned: with O(state=absent)
  type: list
  elements: dict
  contains:
    resource:
      description: Its id.
      type: str
    reason:
      description: Why it stays.
      type: str
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import vpc_ipv6_network
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

SUBNETS = {
    "type": "list",
    "elements": "dict",
    "options": {
        "availability_zone": {"type": "str"},
        "name": {"type": "str"},
        "id": {"type": "str"},
        "filter_tags": {"type": "dict"},
        "cidr_block": {"type": "str"},
        "ipv6_slot": {"type": "int"},
        "ipv6_cidr_block": {"type": "str"},
        "map_public_ip_on_launch": {"type": "bool"},
        "tags": {"type": "dict"},
    },
}

IPV6 = {
    "provider": {"type": "str", "choices": ["amazon", "ipam", "byoip"], "default": "amazon"},
    "ipam_pool_id": {"type": "str"},
    "netmask_length": {"type": "int"},
    "pool": {"type": "str"},
    "cidr_block": {"type": "str"},
    "network_border_group": {"type": "str"},
}

DOOR = Door(
    argument_spec={
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "vpc": {
            "type": "dict",
            "options": {
                "id": {"type": "str"},
                "filter_tags": {"type": "dict"},
                "cidr_block": {"type": "str"},
                "ipv6": {"type": "dict", "options": IPV6},
                "additional_ipv6": {"type": "list", "elements": "dict", "options": IPV6},
                "remove_ipv6": {"type": "bool", "default": False},
                "enable_dns_support": {"type": "bool"},
                "enable_dns_hostnames": {"type": "bool"},
            },
        },
        "availability_zones": {"type": "list", "elements": "str"},
        "availability_zone_count": {"type": "int", "default": 3},
        "public_subnets": SUBNETS,
        "private_subnets": SUBNETS,
        "public_subnet_prefix_length": {"type": "int", "default": 24},
        "private_subnet_prefix_length": {"type": "int", "default": 20},
        "private_subnet_ipv6_reservation_length": {"type": "int"},
        "public_subnet_tags": {"type": "dict"},
        "private_subnet_tags": {"type": "dict"},
        "nat_gateways": {"type": "str", "choices": ["none", "single", "per_zone"]},
        "egress_only_internet_gateway": {"type": "bool", "default": True},
        "tags": {"type": "dict"},
    },
    build=vpc_ipv6_network.build,
    services=("ec2",),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
