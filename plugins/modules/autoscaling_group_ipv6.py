#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module autoscaling_group_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_group_ipv6
version_added: 0.1.0
short_description: Manage an Auto Scaling group of self-managed IPv6 EKS nodes
description:
  - Creates, changes and removes an Auto Scaling group whose instances are nodes of an EKS cluster, and replaces the
    instances that were made of another version of its launch template.
  - M(amazon.aws.autoscaling_group) writes on every run, reports a change in every check, and cannot plan for a launch
    template that is yet to be made. This module shows in check mode the calls that a run makes, also while neither the
    template nor the subnets exist, and makes none when nothing differs.
  - Before a group is made, or gets another template, other types or other subnets, it looks at what its instances would
    be made of and stand on. Every instance type has to be built on Nitro and to run the template's image. The subnets
    need both families, IPv6 addresses for instances and routes out in both families. The instance metadata's IPv6
    endpoint has to be off. For a new group the VPC CNI's role has to allow what the CNI calls. All that is wrong is
    said at once.
  - An option that is not given is not managed.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  name:
    description: The group's name.
    type: str
    required: true
  cluster_name:
    description:
      - The cluster that the instances are nodes of. The group and its instances get the tag
        C(kubernetes.io/cluster/NAME=owned), by which the cluster and the cluster autoscaler know them.
      - In check mode a cluster that does not exist is taken for granted, in the IPv6 family.
    type: str
    required: true
  launch_template:
    description:
      - The launch template, as M(eksops.ipv6.ec2_launch_template_ipv6) makes it. Needed to make a group.
    type: dict
    suboptions:
      id:
        description: The template's id, also C(pending:launch-template/NAME) as check mode has it.
        type: str
      name:
        description: The template's name, instead of its id.
        type: str
      version:
        description:
          - The version, as a number, V($Default) or V($Latest). A group keeps the one it has without it. A new group,
            or one that changes its template, gets V($Default).
        type: str
  mixed_instances_policy:
    description: Several instance types in one group, instead of the launch template's own.
    type: dict
    suboptions:
      instance_types:
        description:
          - The instance types, the preferred first. An empty list takes the policy away.
        type: list
        elements: str
      instances_distribution:
        description: How the instances are paid for. AWS's defaults make all of them on-demand instances.
        type: dict
        suboptions:
          on_demand_allocation_strategy:
            description: How on-demand instances are chosen among the types.
            type: str
            choices: [prioritized, lowest-price]
          on_demand_base_capacity:
            description: How many instances are on-demand instances in any case.
            type: int
          on_demand_percentage_above_base_capacity:
            description: How many of the others are, in percent. The rest are spot instances.
            type: int
          spot_allocation_strategy:
            description: How spot instances are chosen among the types.
            type: str
            choices: [price-capacity-optimized, capacity-optimized, capacity-optimized-prioritized, lowest-price]
          spot_instance_pools:
            description: Over how many pools spot instances are spread, for V(lowest-price).
            type: int
          spot_max_price:
            description: The most to pay for a spot instance in an hour. An empty text takes it away.
            type: str
  subnet_ids:
    description:
      - The subnets, also C(pending:subnet/NAME) as check mode has them. Needed to make a group. Their order has no
        meaning.
    type: list
    elements: str
    aliases: [vpc_zone_identifier]
  min_size:
    description: The fewest instances. Needed to make a group.
    type: int
  max_size:
    description: The most instances. Needed to make a group.
    type: int
  desired_capacity:
    description:
      - How many instances there shall be. Leave it to the cluster autoscaler by not giving it; a new group then has
        O(min_size) of them.
    type: int
  health_check_type:
    description: Whose health checks count, such as V(EC2) or V(ELB), or several with commas between them.
    type: str
  health_check_grace_period:
    description: Seconds after a start in which health checks do not count.
    type: int
  default_instance_warmup:
    description: Seconds after which a new instance counts in an instance refresh and in scaling; V(-1) takes them away.
    type: int
  termination_policies:
    description: Which instances go first, in AWS's names of the policies, such as V(OldestLaunchTemplate).
    type: list
    elements: str
  new_instances_protected_from_scale_in:
    description: Whether new instances are protected from scale in.
    type: bool
  capacity_rebalance:
    description: Whether a spot instance that is likely to be taken away is replaced beforehand.
    type: bool
  max_instance_lifetime:
    description: Seconds after which an instance is replaced, 86400 to 31536000; V(0) takes the limit away.
    type: int
  suspended_processes:
    description:
      - The processes that shall be suspended, all others resumed; an empty list resumes all. Where V(Launch) is among
        them nobody waits for instances.
    type: list
    elements: str
    choices:
      - Launch
      - Terminate
      - AddToLoadBalancer
      - AlarmNotification
      - AZRebalance
      - HealthCheck
      - InstanceRefresh
      - ReplaceUnhealthy
      - ScheduledActions
  instance_refresh:
    description:
      - When given, instances that were made of another version of the template, or that have another type than the
        group's, are replaced by an instance refresh. An empty dictionary takes AWS's preferences.
      - A refresh that is under way is waited for, and not begun twice. One that fails, is cancelled or rolled back
        fails the task at once, with the reason that AWS gives.
    type: dict
    suboptions:
      min_healthy_percentage:
        description: How many instances stay in service, in percent of the desired capacity. 90 without it.
        type: int
      max_healthy_percentage:
        description:
          - How many there may be meanwhile, 100 to 200 percent, and at most 100 above
            O(instance_refresh.min_healthy_percentage).
        type: int
      instance_warmup:
        description: Seconds to wait for a new instance before the next are replaced.
        type: int
      checkpoint_percentages:
        description: At which percentages it pauses, rising and ending with 100.
        type: list
        elements: int
      checkpoint_delay:
        description: Seconds of such a pause; an hour without it.
        type: int
      bake_time:
        description: Seconds to wait at its end.
        type: int
      skip_matching:
        description: Whether instances that are right already are left alone.
        type: bool
      auto_rollback:
        description:
          - Whether AWS goes back to the instances and the template as they were when it fails. The new template then
            comes with the refresh, and becomes the group's once it has succeeded.
          - The versions of the template have to be given by their numbers.
        type: bool
      scale_in_protected_instances:
        description:
          - What becomes of instances that are protected from scale in. Without it AWS waits an hour for them, and then
            fails.
        type: str
        choices: [Refresh, Ignore, Wait]
      standby_instances:
        description: What becomes of instances in standby. Without it AWS waits an hour for them, and then fails.
        type: str
        choices: [Terminate, Ignore, Wait]
  skip_checks:
    description:
      - Checks to leave out. V(routes) is the default routes of both families; where one is missing VPC endpoints may
        serve the nodes instead, as O(eksops.ipv6.eks_nodegroup#module:skip_checks) says.
      - V(cni) is Amazon's CNI, and the roles that it and the nodes have. Leave it out for clusters with another CNI.
    type: list
    elements: str
    choices: [routes, cni]
  propagate_at_launch:
    description: Whether new instances get O(tags) too. They get the cluster's tag in any case.
    type: bool
    default: true
  state:
    description:
      - Whether the group shall be there. It goes with all its instances. One that this module has not made is not
        removed.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait for the instances to be in service, for an instance refresh, and for a group to be gone.
      - A launch that fails ends the wait at once, with what EC2 answered, when no other is under way.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
notes:
  - Groups that belong to managed node groups are refused; they are M(eksops.ipv6.eks_nodegroup)'s.
  - Instance types chosen by attributes are refused, since being built on Nitro is no attribute.
  - Without O(wait_timeout) instances have 900 seconds to be in service, and an instance refresh has 7200.
  - AWS lets only those make a group of a launch template who may run it themselves, with C(ec2:RunInstances) and, for
    its instance profile, C(iam:PassRole).
  - To look at what it needs it also calls C(ec2:DescribeLaunchTemplateVersions), C(ec2:DescribeInstanceTypes),
    C(ec2:DescribeImages), C(ec2:DescribeSubnets), C(ec2:DescribeRouteTables) and C(iam:GetInstanceProfile), and where a
    default route is missing C(ec2:DescribeVpcEndpoints).
seealso:
  - module: eksops.ipv6.ec2_launch_template_ipv6
  - module: eksops.ipv6.eks_node_user_data
  - module: eksops.ipv6.eks_access_entry
  - module: amazon.aws.autoscaling_group
"""

EXAMPLES = r"""
- name: Run self-managed nodes
  eksops.ipv6.autoscaling_group_ipv6:
    name: production-general
    cluster_name: production
    launch_template:
      id: "{{ template.launch_template.id }}"
      version: "{{ template.launch_template.version }}"
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    min_size: 2
    max_size: 6
    instance_refresh:
      min_healthy_percentage: 90

- name: Run spot instances of several types, one always on demand
  eksops.ipv6.autoscaling_group_ipv6:
    name: production-batch
    cluster_name: production
    launch_template:
      name: production-batch
    mixed_instances_policy:
      instance_types: [m7g.large, m6g.large, m7gd.large]
      instances_distribution:
        on_demand_base_capacity: 1
        on_demand_percentage_above_base_capacity: 0
        spot_allocation_strategy: price-capacity-optimized
    capacity_rebalance: true
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    min_size: 1
    max_size: 20

- name: Remove a group with its instances
  eksops.ipv6.autoscaling_group_ipv6:
    name: production-batch
    cluster_name: production
    state: absent
"""

RETURN = r"""
autoscaling_group:
  description: The group; null when it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: production-general
    cluster_name:
      description: The cluster's name.
      type: str
    arn:
      description: Its ARN; in check mode C(pending:autoscaling-group/NAME) before it exists.
      type: str
    launch_template:
      description: The launch template by its C(id), C(name) and C(version).
      type: dict
    mixed_instances_policy:
      description: Its C(instance_types) and C(instances_distribution); null without one.
      type: dict
    min_size:
      description: The fewest instances.
      type: int
    max_size:
      description: The most instances.
      type: int
    desired_capacity:
      description: How many instances there shall be.
      type: int
    subnet_ids:
      description: The subnets.
      type: list
      elements: str
    health_check_type:
      description:
        - Whose health checks count. This and the settings below are null in the result of the run that makes a group,
          where they were not given.
      type: str
    health_check_grace_period:
      description: Seconds after a start in which health checks do not count.
      type: int
    default_instance_warmup:
      description: Seconds after which a new instance counts.
      type: int
    termination_policies:
      description: Which instances go first.
      type: list
      elements: str
    new_instances_protected_from_scale_in:
      description: Whether new instances are protected from scale in.
      type: bool
    capacity_rebalance:
      description: Whether spot instances are replaced beforehand.
      type: bool
    max_instance_lifetime:
      description: Seconds after which an instance is replaced.
      type: int
    suspended_processes:
      description: The processes that are suspended.
      type: list
      elements: str
    instances:
      description: Its instances; in check mode C(pending:autoscaling-group/NAME) where they would change.
      type: list
      elements: dict
      contains:
        instance_id:
          description: The instance's id.
          type: str
        instance_type:
          description: Its type.
          type: str
        availability_zone:
          description: Its zone.
          type: str
        lifecycle_state:
          description: Its state in the group.
          type: str
          sample: InService
        launch_template_version:
          description: The version of the template it was made of.
          type: str
    tags:
      description: The group's tags.
      type: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import autoscaling_group_ipv6
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

PROCESSES = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
]
SPOT = ["price-capacity-optimized", "capacity-optimized", "capacity-optimized-prioritized", "lowest-price"]
REFRESH = {
    "min_healthy_percentage": {"type": "int"},
    "max_healthy_percentage": {"type": "int"},
    "instance_warmup": {"type": "int"},
    "checkpoint_percentages": {"type": "list", "elements": "int"},
    "checkpoint_delay": {"type": "int"},
    "bake_time": {"type": "int"},
    "skip_matching": {"type": "bool"},
    "auto_rollback": {"type": "bool"},
    "scale_in_protected_instances": {"type": "str", "choices": ["Refresh", "Ignore", "Wait"]},
    "standby_instances": {"type": "str", "choices": ["Terminate", "Ignore", "Wait"]},
}
DISTRIBUTION = {
    "on_demand_allocation_strategy": {"type": "str", "choices": ["prioritized", "lowest-price"]},
    "on_demand_base_capacity": {"type": "int"},
    "on_demand_percentage_above_base_capacity": {"type": "int"},
    "spot_allocation_strategy": {"type": "str", "choices": SPOT},
    "spot_instance_pools": {"type": "int"},
    "spot_max_price": {"type": "str"},
}
DOOR = Door(
    argument_spec={
        "name": {"type": "str", "required": True},
        "cluster_name": {"type": "str", "required": True},
        "launch_template": {
            "type": "dict",
            "options": {"id": {"type": "str"}, "name": {"type": "str"}, "version": {"type": "str"}},
            "mutually_exclusive": [("id", "name")],
        },
        "mixed_instances_policy": {
            "type": "dict",
            "options": {
                "instance_types": {"type": "list", "elements": "str"},
                "instances_distribution": {"type": "dict", "options": DISTRIBUTION},
            },
        },
        "subnet_ids": {"type": "list", "elements": "str", "aliases": ["vpc_zone_identifier"]},
        "min_size": {"type": "int"},
        "max_size": {"type": "int"},
        "desired_capacity": {"type": "int"},
        "health_check_type": {"type": "str"},
        "health_check_grace_period": {"type": "int"},
        "default_instance_warmup": {"type": "int"},
        "termination_policies": {"type": "list", "elements": "str"},
        "new_instances_protected_from_scale_in": {"type": "bool"},
        "capacity_rebalance": {"type": "bool"},
        "max_instance_lifetime": {"type": "int"},
        "suspended_processes": {"type": "list", "elements": "str", "choices": PROCESSES},
        "instance_refresh": {"type": "dict", "options": REFRESH},
        "skip_checks": {"type": "list", "elements": "str", "choices": ["routes", "cni"]},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "propagate_at_launch": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
    },
    build=autoscaling_group_ipv6.build,
    services=("autoscaling", "ec2", "eks", "iam"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
