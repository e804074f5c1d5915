#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_nodegroup."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_nodegroup
version_added: 0.1.0
short_description: Manage a managed node group of an EKS cluster
description:
  - Creates, scales, labels, taints, upgrades and removes an EKS managed node group.
  - Before a node group is made, everything its nodes need is looked at, so that a mistake costs a message and not
    twenty minutes. In an IPv6 cluster that is subnets with both families that assign IPv6 addresses, public ones public
    IPv4 addresses too, and Nitro or bare metal instance types of the AMI's architecture.
  - An option that is not given is not managed. A change that EKS has no call for is refused with the reason.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description:
      - The cluster's name.
      - In check mode a cluster that does not exist is taken for granted, in the IPv6 family.
    type: str
    required: true
  name:
    description: The node group's name.
    type: str
    required: true
    aliases: [nodegroup_name]
  node_role_arn:
    description:
      - ARN of the nodes' IAM role. Needed to make a node group; cannot be changed.
      - A role that was made a moment ago is waited for.
    type: str
    aliases: [node_role]
  subnet_ids:
    description: The nodes' subnets. Needed to make a node group; cannot be changed.
    type: list
    elements: str
    aliases: [subnets]
  ami_type:
    description:
      - The AMI family, architecture and variant, such as V(AL2023_x86_64_STANDARD) or V(BOTTLEROCKET_ARM_64). Every
        type that the installed botocore knows is taken. Cannot be changed.
      - A new node group gets the standard Amazon Linux 2023 of its instance types' architecture when this is not given.
      - Windows is refused in IPv6 clusters, Amazon Linux 2 from Kubernetes 1.33 on.
    type: str
  instance_types:
    description:
      - The instance types, in the order of preference. Cannot be changed. EKS's default is V(t3.medium), also for an
        empty list.
      - In an IPv6 cluster they must be built on Nitro, as C(DescribeInstanceTypes) has it, or be bare metal.
    type: list
    elements: str
  capacity_type:
    description: How the instances are bought. Cannot be changed. EKS's default is V(ON_DEMAND).
    type: str
    choices: [ON_DEMAND, SPOT, CAPACITY_BLOCK]
  disk_size:
    description:
      - The nodes' root volume in GiB. Cannot be changed. EKS's default is 20.
      - With O(launch_template) it belongs there.
    type: int
  scaling:
    description: The sizes of the Auto Scaling group. EKS's default is 1 to 2 nodes, 2 desired.
    type: dict
    suboptions:
      min_size:
        description: The least number of nodes. Needed for a new node group when O(scaling) is given.
        type: int
      max_size:
        description: The greatest number of nodes. Needed for a new node group when O(scaling) is given.
        type: int
      desired_size:
        description:
          - The number of nodes now. O(scaling.min_size) for a new node group when it is not given.
          - Leave it out where an autoscaler decides. It is then changed only when it is outside the other two.
        type: int
  update_config:
    description: How many nodes an update may take out of service at a time. EKS's default is one.
    type: dict
    suboptions:
      max_unavailable:
        description: A number of nodes. Excludes O(update_config.max_unavailable_percentage), and takes its place.
        type: int
      max_unavailable_percentage:
        description: A percentage of the nodes. Excludes O(update_config.max_unavailable), and takes its place.
        type: int
      update_strategy:
        description: Whether new nodes come before old ones go (V(DEFAULT)) or after (V(MINIMAL)).
        type: str
        choices: [DEFAULT, MINIMAL]
  labels:
    description:
      - Kubernetes labels of the nodes, set by EKS. Others that the node group has are removed with O(purge_labels).
      - When this is not given, no label is touched.
    type: dict
  purge_labels:
    description: Whether labels that O(labels) does not name are removed.
    type: bool
    default: true
  taints:
    description:
      - Kubernetes taints of the nodes, set by EKS. Others that the node group has are removed with O(purge_taints).
      - When this is not given, no taint is touched.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key.
        type: str
        required: true
      value:
        description: The value.
        type: str
      effect:
        description: The effect. Key and effect together name a taint.
        type: str
        required: true
        choices: [NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE]
  purge_taints:
    description: Whether taints that O(taints) does not name are removed.
    type: bool
    default: true
  launch_template:
    description:
      - A launch template for the nodes. Which one cannot be changed, its version can.
      - What managed node groups do not take of it is refused, such as an instance profile or attribute-based selection.
    type: dict
    suboptions:
      id:
        description: The template's id. One of O(launch_template.id) and O(launch_template.name) is needed.
        type: str
      name:
        description: The template's name.
        type: str
      version:
        description:
          - The version's number. V($Latest) and V($Default) are refused, as EKS keeps only the number they stood for.
          - A new node group gets the template's default version when this is not given; another is then left at its
            own.
        type: str
  remote_access:
    description: SSH access to the nodes. Cannot be changed. With O(launch_template) it belongs there.
    type: dict
    suboptions:
      ec2_ssh_key:
        description: The name of an EC2 key pair. Needed when O(remote_access) is given.
        type: str
      source_security_group_ids:
        description:
          - Security groups that SSH may come from. Without them EKS opens port 22 to everybody.
        type: list
        elements: str
  node_repair_config:
    description:
      - Whether EKS replaces or restarts nodes that it finds unhealthy, and how many at a time.
      - A limit is a count or a percentage; one takes the place of the other. What is not given stays.
    type: dict
    suboptions:
      enabled:
        description: Whether nodes are repaired. EKS's default is V(false).
        type: bool
      max_unhealthy_node_threshold_count:
        description: The number of unhealthy nodes above which nothing is repaired any more.
        type: int
      max_unhealthy_node_threshold_percentage:
        description: Such a percentage of the nodes.
        type: int
      max_parallel_nodes_repaired_count:
        description: The number of nodes that are repaired at a time.
        type: int
      max_parallel_nodes_repaired_percentage:
        description: Such a percentage of the unhealthy nodes.
        type: int
      node_repair_config_overrides:
        description:
          - What is done about one kind of trouble, instead of what EKS does. The list is the whole; an empty one takes
            all away.
        type: list
        elements: dict
        suboptions:
          node_monitoring_condition:
            description: The condition that the node monitoring agent reports, such as V(AcceleratedHardwareReady).
            type: str
            required: true
          node_unhealthy_reason:
            description: The reason that it reports, such as V(NvidiaXID13Error).
            type: str
            required: true
          min_repair_wait_time_mins:
            description: The minutes that a node has for its recovery.
            type: int
            required: true
          repair_action:
            description: What is done then.
            type: str
            required: true
            choices: [Replace, Reboot, NoAction]
  warm_pool_config:
    description:
      - Instances that have booted before they are needed. What is not given stays.
      - Needs a botocore that knows it. An older one is refused.
    type: dict
    suboptions:
      enabled:
        description: Whether there is a warm pool. V(false) takes it away.
        type: bool
      min_size:
        description: The least number of instances in the pool. AWS's default is 0.
        type: int
      max_group_prepared_capacity:
        description: The greatest number of instances in the pool and the group together.
        type: int
      pool_state:
        description: What the instances in the pool are. V(STOPPED) by default. Bottlerocket is never V(HIBERNATED).
        type: str
        choices: [STOPPED, RUNNING, HIBERNATED]
      reuse_on_scale_in:
        description: Whether instances return to the pool when the group shrinks. Bottlerocket's cannot.
        type: bool
  replace:
    description:
      - Whether a node group is removed and made anew where EKS has no call for the change, or where its creation has
        failed. Its nodes go before the new ones come. What was not given is carried over.
      - Without it such a change is refused.
    type: bool
    default: false
  skip_checks:
    description:
      - Checks of a new node group to leave out.
      - V(routes) is the default routes of both families. Where one is missing, VPC endpoints may serve the nodes
        instead, available and with private DNS or in the subnet's route table. Those are C(ec2), C(ecr.api),
        C(ecr.dkr) and C(s3), and of the CNI's own role C(sts) (an annotated service account) or C(eks-auth) (EKS Pod
        Identity). Then the cluster's API endpoint has to be in the VPC too.
      - V(cni) is Amazon's CNI, and the roles that it and the nodes have. Leave it out for clusters with another CNI.
    type: list
    elements: str
    choices: [routes, cni]
  kubernetes_version:
    description:
      - The Kubernetes version of the nodes, no newer than the cluster's. A new node group has the cluster's.
      - It goes up one minor version at a time, and replaces the nodes. A way back is refused.
      - In check mode a newer version than the cluster's is taken for granted, as an earlier task may upgrade it.
    type: str
  release_version:
    description:
      - The version of the AMI, such as V(1.35.4-20260815). A new node group has the newest.
      - Amazon Linux's begin with the Kubernetes version, and one for another is refused.
    type: str
  force:
    description: Whether an upgrade goes on although pods cannot be drained, because of a pod disruption budget.
    type: bool
    default: false
  state:
    description: Whether the node group shall be there.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait for the last change to be done. The changes before it are waited for in any case.
      - Without it the facts of a new node group hold C(pending:) where EKS has yet to decide.
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
  - To make a node group it also needs C(ec2:DescribeSubnets), C(ec2:DescribeRouteTables), C(ec2:DescribeInstanceTypes),
    with a launch template C(ec2:DescribeLaunchTemplateVersions) and C(ec2:DescribeImages), and where a default route
    is missing C(ec2:DescribeVpcEndpoints).
  - The policies of the CNI's role and of the nodes', and whom they trust, are read and judged with C(iam:GetRole),
    C(iam:GetRolePolicy), C(iam:GetPolicy), C(iam:GetPolicyVersion), C(iam:ListRolePolicies) and
    C(iam:ListAttachedRolePolicies); without these the policies alone, with C(iam:SimulatePrincipalPolicy). A caller who
    has neither gets a warning that names what was not judged.
  - The security groups and policies of VPC endpoints are not looked at.
  - Every member of C(CreateNodegroup), C(UpdateNodegroupConfig) and C(UpdateNodegroupVersion) has an option, but for
    C(clientRequestToken), which botocore makes up.
  - That a subnet counts as public by a route to an internet gateway in either family is [unverified]; EKS's
    documentation does not say which.
seealso:
  - module: eksops.ipv6.eks_cluster
  - module: eksops.ipv6.eks_addon
  - module: eksops.ipv6.iam_eks_roles
"""

EXAMPLES = r"""
- name: Amazon Linux 2023 on arm64, sized by an autoscaler
  eksops.ipv6.eks_nodegroup:
    cluster_name: production
    name: general
    node_role_arn: "{{ iam.roles.node.arn }}"
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    ami_type: AL2023_ARM_64_STANDARD
    instance_types: [m7g.large, m6g.large]
    scaling:
      min_size: 2
      max_size: 10
    labels:
      workload: general

- name: Bottlerocket for batch work, with a taint
  eksops.ipv6.eks_nodegroup:
    cluster_name: production
    name: batch
    node_role_arn: "{{ iam.roles.node.arn }}"
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    ami_type: BOTTLEROCKET_x86_64
    instance_types: [m6i.large]
    capacity_type: SPOT
    scaling:
      min_size: 1
      max_size: 6
    update_config:
      max_unavailable_percentage: 33
    taints:
      - key: dedicated
        value: batch
        effect: NO_SCHEDULE

- name: Follow the control plane
  eksops.ipv6.eks_nodegroup:
    cluster_name: production
    name: general
    kubernetes_version: "1.35"

- name: Remove a node group
  eksops.ipv6.eks_nodegroup:
    cluster_name: production
    name: batch
    state: absent
"""

RETURN = r"""
nodegroup:
  description: The node group; null when it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: general
    cluster_name:
      description: The cluster's name.
      type: str
      sample: production
    arn:
      description: Its ARN; in check mode C(pending:nodegroup/CLUSTER/NAME) before it exists.
      type: str
    status:
      description: CREATING, ACTIVE, UPDATING, DEGRADED, ...
      type: str
      sample: ACTIVE
    version:
      description: The Kubernetes version of the nodes.
      type: str
      sample: "1.35"
    release_version:
      description: The version of the AMI.
      type: str
      sample: 1.35.4-20260815
    ami_type:
      description: The AMI type.
      type: str
      sample: AL2023_ARM_64_STANDARD
    capacity_type:
      description: How the instances are bought.
      type: str
      sample: ON_DEMAND
    instance_types:
      description: The instance types; empty when the launch template names one.
      type: list
      elements: str
    disk_size:
      description: The root volume in GiB; null with a launch template.
      type: int
      sample: 20
    node_role_arn:
      description: The nodes' role.
      type: str
    subnet_ids:
      description: The nodes' subnets.
      type: list
      elements: str
    scaling:
      description: The sizes.
      type: dict
      contains:
        min_size:
          description: The least number of nodes.
          type: int
        max_size:
          description: The greatest number of nodes.
          type: int
        desired_size:
          description: The number of nodes that is aimed at.
          type: int
    update_config:
      description: How many nodes an update may take out of service.
      type: dict
      contains:
        max_unavailable:
          description: A number of nodes.
          type: int
        max_unavailable_percentage:
          description: A percentage of the nodes.
          type: int
        update_strategy:
          description: DEFAULT or MINIMAL.
          type: str
    labels:
      description: The labels that EKS sets.
      type: dict
    taints:
      description: The taints that EKS sets, sorted by key and effect.
      type: list
      elements: dict
      contains:
        key:
          description: The key.
          type: str
        value:
          description: The value.
          type: str
        effect:
          description: The effect.
          type: str
    launch_template:
      description: The launch template that was given; null without one.
      type: dict
      contains:
        id:
          description: Its id.
          type: str
        name:
          description: Its name.
          type: str
        version:
          description: Its version.
          type: str
    remote_access:
      description: SSH access; null without.
      type: dict
      contains:
        ec2_ssh_key:
          description: The EC2 key pair.
          type: str
        source_security_group_ids:
          description: Security groups that SSH may come from.
          type: list
          elements: str
    node_repair_config:
      description: Whether and how EKS repairs nodes, by the names of the option.
      type: dict
    warm_pool_config:
      description: The warm pool, by the names of the option.
      type: dict
    auto_scaling_group_names:
      description: The Auto Scaling groups that EKS made for it.
      type: list
      elements: str
    health_issues:
      description: What EKS finds wrong with it.
      type: list
      elements: dict
      contains:
        code:
          description: AWS's code.
          type: str
        message:
          description: AWS's text.
          type: str
        resource_ids:
          description: The resources it is about.
          type: list
          elements: str
    tags:
      description: The tags.
      type: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import managed_nodegroup
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "name": {"type": "str", "required": True, "aliases": ["nodegroup_name"]},
        "node_role_arn": {"type": "str", "aliases": ["node_role"]},
        "subnet_ids": {"type": "list", "elements": "str", "aliases": ["subnets"]},
        "ami_type": {"type": "str"},
        "instance_types": {"type": "list", "elements": "str"},
        "capacity_type": {"type": "str", "choices": ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]},
        "disk_size": {"type": "int"},
        "scaling": {
            "type": "dict",
            "options": {
                "min_size": {"type": "int"},
                "max_size": {"type": "int"},
                "desired_size": {"type": "int"},
            },
        },
        "update_config": {
            "type": "dict",
            "options": {
                "max_unavailable": {"type": "int"},
                "max_unavailable_percentage": {"type": "int"},
                "update_strategy": {"type": "str", "choices": ["DEFAULT", "MINIMAL"]},
            },
        },
        "labels": {"type": "dict"},
        "purge_labels": {"type": "bool", "default": True},
        "taints": {
            "type": "list",
            "elements": "dict",
            "options": {
                "key": {"type": "str", "required": True, "no_log": False},
                "value": {"type": "str"},
                "effect": {
                    "type": "str",
                    "required": True,
                    "choices": ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"],
                },
            },
        },
        "purge_taints": {"type": "bool", "default": True},
        "launch_template": {
            "type": "dict",
            "options": {"id": {"type": "str"}, "name": {"type": "str"}, "version": {"type": "str"}},
            "required_one_of": [["id", "name"]],
            "mutually_exclusive": [["id", "name"]],
        },
        "remote_access": {
            "type": "dict",
            "options": {
                "ec2_ssh_key": {"type": "str", "no_log": False},
                "source_security_group_ids": {"type": "list", "elements": "str"},
            },
        },
        "node_repair_config": {
            "type": "dict",
            "options": {
                "enabled": {"type": "bool"},
                "max_unhealthy_node_threshold_count": {"type": "int"},
                "max_unhealthy_node_threshold_percentage": {"type": "int"},
                "max_parallel_nodes_repaired_count": {"type": "int"},
                "max_parallel_nodes_repaired_percentage": {"type": "int"},
                "node_repair_config_overrides": {
                    "type": "list",
                    "elements": "dict",
                    "options": {
                        "node_monitoring_condition": {"type": "str", "required": True},
                        "node_unhealthy_reason": {"type": "str", "required": True},
                        "min_repair_wait_time_mins": {"type": "int", "required": True},
                        "repair_action": {
                            "type": "str",
                            "required": True,
                            "choices": ["Replace", "Reboot", "NoAction"],
                        },
                    },
                },
            },
        },
        "warm_pool_config": {
            "type": "dict",
            "options": {
                "enabled": {"type": "bool"},
                "min_size": {"type": "int"},
                "max_group_prepared_capacity": {"type": "int"},
                "pool_state": {"type": "str", "choices": ["STOPPED", "RUNNING", "HIBERNATED"]},
                "reuse_on_scale_in": {"type": "bool"},
            },
        },
        "replace": {"type": "bool", "default": False},
        "skip_checks": {"type": "list", "elements": "str", "choices": ["routes", "cni"]},
        "kubernetes_version": {"type": "str"},
        "release_version": {"type": "str"},
        "force": {"type": "bool", "default": False},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
    },
    build=managed_nodegroup.build,
    services=("eks", "ec2", "iam"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
