#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module iam_eks_roles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_eks_roles
version_added: 0.1.0
short_description: Manage the IAM roles of an EKS cluster as one document
description:
  - Makes the role of the cluster, the role of its nodes with an instance profile, and the pod execution role that
    Fargate needs, each with its trust policy and with AWS's managed policies for the purpose.
  - A role that this module made for the cluster carries the tags C(eksops.ipv6/cluster) and C(eksops.ipv6/region).
    Its trust policy is held to what the purpose needs, and its tags to O(tags).
  - Any other role, found by its name or given by its ARN, is adopted. An adopted role is only added to. Policies it
    lacks are attached; where its trust policy does not let EKS assume it, a statement is added, and a warning says so.
    Nothing is detached, its tags stay as they are, and it is never removed.
  - A trust policy that denies the purpose is refused, and so is a role or an instance profile that this module made
    for another cluster, unless its ARN is given to share it. IAM is one for all regions, so clusters of one name in
    two regions need names of their own for their roles.
  - An IPv6 cluster's roles never get C(AmazonEKS_CNI_Policy), which is for IPv4 clusters; it is refused when given,
    and a warning says where it is attached. M(eksops.ipv6.iam_cni_role) gives the CNI what it needs.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description: The cluster that the roles are for. It need not exist yet.
    type: str
    required: true
  ip_family:
    description:
      - The cluster's IP family. With V(ipv6), regions in China are refused, since EKS has no IPv6 clusters there.
    type: str
    choices: [ipv6, ipv4]
    default: ipv6
  security_groups_for_pods:
    description:
      - Whether pods shall be able to have security groups of their own. The cluster's role then gets
        C(AmazonEKSVPCResourceController).
    type: bool
    default: false
  cluster_role:
    description:
      - The role that EKS itself assumes, with C(AmazonEKSClusterPolicy). It is made when this is not given.
      - The trust policy grants C(sts:AssumeRole) alone. C(sts:TagSession) is for EKS Auto Mode, which brings a CNI of
        its own.
    type: dict
    suboptions: &role
      name:
        description:
          - The role's name, at most 64 characters.
          - Without it, the cluster's name and C(-cluster), C(-node) or C(-fargate).
        type: str
      arn:
        description: The ARN of an existing role, which is adopted.
        type: str
      path:
        description: The path of a role to be made, C(/) when not given. IAM cannot move a role that is there.
        type: str
      permissions_boundary:
        description:
          - The ARN of the policy that bounds what the role may do. An empty text takes a boundary away.
        type: str
      managed_policies:
        description:
          - Policies to attach besides those that the purpose needs. Policies that are attached and not named here stay.
          - An ARN, or the name of one of AWS's own policies, which is found in any partition
            (C(CloudWatchAgentServerPolicy), C(service-role/AmazonEBSCSIDriverPolicy)).
        type: list
        elements: str
        default: []
      state:
        description: Whether the role shall be there. With V(absent), it is removed if this module made it.
        type: str
        choices: [present, absent]
        default: present
  node_role:
    description:
      - The role that EC2 nodes have through their instance profile, with C(AmazonEKSWorkerNodePolicy) and
        C(AmazonEC2ContainerRegistryPullOnly). It is made when this is not given.
      - The latter came in 2024 and allows less than C(AmazonEC2ContainerRegistryReadOnly). It is left out where that
        policy, or one of its wider siblings, is attached or named in O(node_role.managed_policies).
    type: dict
    suboptions:
      <<: *role
      instance_profile:
        description:
          - The name of the instance profile. Without it, a profile that has the role already, or else the role's name.
          - A profile that holds another role is refused. Managed node groups make a profile of their own; self-managed
            nodes need this one.
        type: str
      session_manager:
        description: Whether nodes get C(AmazonSSMManagedInstanceCore), so that Session Manager reaches them.
        type: bool
        default: false
  fargate_role:
    description:
      - The pod execution role, with C(AmazonEKSFargatePodExecutionRolePolicy). Without this it is not managed; an
        empty dictionary makes it.
      - Its trust policy is bound to the Fargate profiles of this cluster in this region and account.
    type: dict
    suboptions: *role
  state:
    description:
      - With V(absent), everything that this module made for the cluster is removed; RV(left) says what is not, and why.
      - Refused while the cluster is there, since it needs its role to the end. In check mode that is a warning, so that
        a teardown can be planned as a whole.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The cluster, its nodes and its Fargate profiles must have different roles (EKS user guide, Amazon EKS node IAM
    role); one role given for two purposes is refused.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
seealso:
  - module: eksops.ipv6.iam_cni_role
  - module: eksops.ipv6.eks_cluster
"""

EXAMPLES = r"""
- name: The roles of a cluster with EC2 nodes
  eksops.ipv6.iam_eks_roles:
    cluster_name: production
    tags:
      environment: production
  register: iam

- name: A cluster whose pods may have security groups, and that runs some of them on Fargate
  eksops.ipv6.iam_eks_roles:
    cluster_name: production
    security_groups_for_pods: true
    cluster_role:
      path: /eks/
      permissions_boundary: arn:aws:iam::111122223333:policy/eks-boundary
    node_role:
      session_manager: true
      managed_policies:
        - CloudWatchAgentServerPolicy
    fargate_role: {}

- name: A cluster role that another team made
  eksops.ipv6.iam_eks_roles:
    cluster_name: production
    cluster_role:
      arn: arn:aws:iam::111122223333:role/platform/eks-control-plane

- name: Remove what was made for the cluster
  eksops.ipv6.iam_eks_roles:
    cluster_name: production
    state: absent
"""

RETURN = r"""
roles:
  description: The roles by their purpose.
  returned: success
  type: dict
  contains:
    cluster:
      description: The cluster's role; null when it is absent.
      type: dict
      contains: &role
        name:
          description: Its name.
          type: str
          sample: production-cluster
        arn:
          description: Its ARN; in check mode C(pending:role/...) before it exists.
          type: str
          sample: arn:aws:iam::111122223333:role/production-cluster
        path:
          description: Its path.
          type: str
          sample: /
        permissions_boundary:
          description: The ARN of its permissions boundary; null where it has none.
          type: str
        managed_policies:
          description: The ARNs of all attached policies, sorted.
          type: list
          elements: str
        tags:
          description: Its tags.
          type: dict
        adopted:
          description: Whether it existed before, or was made for something else.
          type: bool
    node:
      description: The nodes' role; null when it is absent.
      type: dict
      contains:
        <<: *role
        instance_profile:
          description: The instance profile that holds it.
          type: dict
          contains:
            name:
              description: Its name.
              type: str
              sample: production-node
            arn:
              description: Its ARN; in check mode C(pending:instance-profile/...) before it exists.
              type: str
              sample: arn:aws:iam::111122223333:instance-profile/production-node
    fargate:
      description: The pod execution role; null when it is absent or not managed.
      type: dict
      contains: *role
left:
  description: What O(state=absent) did not remove.
  returned: success
  type: list
  elements: dict
  contains:
    resource:
      description: What it is.
      type: str
      sample: role/production-node
    arn:
      description: Its ARN.
      type: str
    reason:
      description: Why it is left.
      type: str
      sample: it was not made by this module for this cluster
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import eks_roles
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

ROLE: dict[str, Any] = {
    "name": {"type": "str"},
    "arn": {"type": "str"},
    "path": {"type": "str"},
    "permissions_boundary": {"type": "str"},
    "managed_policies": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
NODE_ROLE: dict[str, Any] = {
    **ROLE,
    "instance_profile": {"type": "str"},
    "session_manager": {"type": "bool", "default": False},
}
EXCLUSIVE = [("arn", "name"), ("arn", "path")]

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "ip_family": {"type": "str", "choices": ["ipv6", "ipv4"], "default": "ipv6"},
        "security_groups_for_pods": {"type": "bool", "default": False},
        "cluster_role": {"type": "dict", "options": ROLE, "mutually_exclusive": EXCLUSIVE},
        "node_role": {"type": "dict", "options": NODE_ROLE, "mutually_exclusive": EXCLUSIVE},
        "fargate_role": {"type": "dict", "options": ROLE, "mutually_exclusive": EXCLUSIVE},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=eks_roles.build,
    services=("iam", "sts", "eks"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
