#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_route_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_route_ipv6
version_added: 0.1.0
short_description: Manage IPv6 routes of route tables that are there
description:
  - Gives route tables C(::/0) and other IPv6 routes, leads routes to another target, and takes routes away. The tables
    are named themselves, or by the subnets that they serve.
  - A subnet is served by the table it is associated with, else by the main table of its VPC.
  - A route that leads elsewhere is replaced. The plan says so (risk V(disruptive)), with the target before and after.
  - IPv4 routes are never touched, and neither is an IPv6 route that is not named.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  vpc_id:
    description: The VPC. Needed with O(subnet_filter_tags) and O(route_table_filter_tags).
    type: str
  vpc_filter_tags:
    description: The one VPC that carries all of these tags, in place of O(vpc_id).
    type: dict
  subnet_ids:
    description: The subnets whose tables shall have the routes.
    type: list
    elements: str
  subnet_filter_tags:
    description: The same for all subnets of O(vpc_id) that carry all of these tags.
    type: dict
  route_table_ids:
    description: The route tables that shall have the routes.
    type: list
    elements: str
  route_table_filter_tags:
    description: The same for all route tables of O(vpc_id) that carry all of these tags.
    type: dict
  routes:
    description: The routes.
    type: list
    elements: dict
    required: true
    suboptions:
      destination:
        description: An IPv6 network, in any spelling.
        type: str
        default: ::/0
      target:
        description:
          - Where the route leads. An id of an internet gateway (C(igw-)), an egress-only internet gateway (C(eigw-)), a
            virtual private gateway (C(vgw-)), a transit gateway (C(tgw-)), a VPC peering connection (C(pcx-)), a
            network interface (C(eni-)) or a NAT gateway (C(nat-)).
          - V(internet_gateway) and V(egress_only_internet_gateway) mean the one that is attached to the VPC.
          - V(nat_gateway) means the NAT gateway that the table's own C(0.0.0.0/0) leads to.
          - A NAT gateway takes IPv6 traffic to C(64:ff9b::/96) only, so it is refused for any other destination.
          - Needed with O(state=present). With O(state=absent), a route is only taken away when it leads there.
        type: str
  shared_tables:
    description:
      - What to do when a table is named by subnets, has to change, and serves other subnets too.
      - V(refuse) does nothing and tells which subnets those are. V(change) changes the table for all of them.
      - V(split) makes a table with the same routes for the subnets that are named, changes that one, and then
        associates them with it. Gateway endpoints and propagating gateways of the old table are taken along. It is
        refused where the old table has routes that cannot be copied, such as blackholes.
    type: str
    choices: [refuse, change, split]
    default: refuse
  create_egress_only_internet_gateway:
    description:
      - Whether to make an egress-only internet gateway where a route leads to V(egress_only_internet_gateway) and the
        VPC has none.
      - With O(state=absent), whether to delete the one that was made so, when no route leads to it any more.
    type: bool
    default: false
  planned:
    description:
      - What earlier tasks of the same play have returned, RV(route_tables) and RV(egress_only_internet_gateway_ids) of
        this module or RV(eksops.ipv6.ec2_vpc_ipv6_network#module:network). In check mode that is then taken as done.
        Without check mode it means nothing.
    type: list
    elements: dict
  tags:
    description: Tags of gateways and route tables that are made here.
    type: dict
  state:
    description:
      - V(absent) takes the named routes away. A table that was split off stays, and is told in RV(left).
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
  - AWS cannot be asked for the egress-only internet gateway of a VPC. All of the region's are read and matched by
    attachment, so that a second one is never made.
  - A gateway that is made here carries the tag C(eksops.ipv6/network) with the VPC's id. A table that is split off
    carries C(eksops.ipv6/split-from) with the id of the old table.
seealso:
  - module: eksops.ipv6.ec2_subnet_ipv6
  - module: eksops.ipv6.ec2_vpc_ipv6_network
  - module: amazon.aws.ec2_vpc_route_table
"""

EXAMPLES = r"""
- name: Private subnets reach IPv6 through an egress-only internet gateway
  eksops.ipv6.ec2_route_ipv6:
    vpc_id: vpc-0123456789abcdef0
    subnet_filter_tags:
      kubernetes.io/role/internal-elb: "1"
    create_egress_only_internet_gateway: true
    routes:
      - target: egress_only_internet_gateway

- name: Show how one subnet would get a table of its own with a way out
  eksops.ipv6.ec2_route_ipv6:
    subnet_ids: [subnet-0123456789abcdef0]
    shared_tables: split
    routes:
      - destination: ::/0
        target: internet_gateway
      - destination: 2001:db8:8000::/48
        target: tgw-0123456789abcdef0
  check_mode: true
  diff: true

- name: NAT64 through the NAT gateways that the tables use for IPv4
  eksops.ipv6.ec2_route_ipv6:
    route_table_ids: [rtb-0123456789abcdef0, rtb-0fedcba9876543210]
    routes:
      - destination: 64:ff9b::/96
        target: nat_gateway

- name: Take the way out away, and the gateway that was made for it
  eksops.ipv6.ec2_route_ipv6:
    vpc_id: vpc-0123456789abcdef0
    subnet_filter_tags:
      kubernetes.io/role/internal-elb: "1"
    create_egress_only_internet_gateway: true
    routes:
      - target: egress_only_internet_gateway
    state: absent
"""

RETURN = r"""
route_tables:
  description: The tables that were meant, as they are now; in check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id; in check mode C(pending:...) for one that is to be split off.
      type: str
      sample: rtb-0123456789abcdef0
    vpc_id:
      description: Its VPC.
      type: str
    main:
      description: Whether it is the main table of the VPC.
      type: bool
    split_from:
      description: The table that it was split from by this module, else null.
      type: str
    subnet_ids:
      description: The named subnets that use it; for a table that was named itself, those associated with it.
      type: list
      elements: str
    ipv6_routes:
      description: Targets of its IPv6 routes, by destination.
      type: dict
      sample: {"::/0": "eigw-0123456789abcdef0", "2001:db8:1234:1a00::/56": "local"}
egress_only_internet_gateway_ids:
  description: The egress-only internet gateways, by VPC, where a route leads to one; null for one that is deleted.
  returned: success
  type: dict
blackholes:
  description: Routes of those tables, of either family, that lead to something that is gone. They are left as they are.
  returned: success
  type: list
  elements: dict
  contains:
    route_table_id:
      description: The table.
      type: str
    destination:
      description: The destination.
      type: str
    target:
      description: The id of what is gone.
      type: str
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

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import route_ipv6
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "vpc_id": {"type": "str"},
        "vpc_filter_tags": {"type": "dict"},
        "subnet_ids": {"type": "list", "elements": "str"},
        "subnet_filter_tags": {"type": "dict"},
        "route_table_ids": {"type": "list", "elements": "str"},
        "route_table_filter_tags": {"type": "dict"},
        "routes": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {"destination": {"type": "str", "default": "::/0"}, "target": {"type": "str"}},
        },
        "shared_tables": {"type": "str", "choices": ["refuse", "change", "split"], "default": "refuse"},
        "create_egress_only_internet_gateway": {"type": "bool", "default": False},
        "planned": {"type": "list", "elements": "dict"},
        "tags": {"type": "dict"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=route_ipv6.build,
    services=("ec2",),
    constraints={"mutually_exclusive": [("vpc_id", "vpc_filter_tags")]},
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
