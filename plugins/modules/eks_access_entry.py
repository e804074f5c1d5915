#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_access_entry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_access_entry
version_added: 0.1.0
short_description: Manage an access entry of an EKS cluster and its access policies
description:
  - Creates, changes and removes the access entry of an IAM role or user in an EKS cluster, together with the access
    policies that are associated with it.
  - An option that is not given is not managed. A type cannot be changed; the entry is replaced only when told so.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description:
      - The cluster's name. Its authentication mode has to be C(API) or C(API_AND_CONFIG_MAP).
      - In check mode a cluster that does not exist is taken for granted, in the IPv6 family.
    type: str
    required: true
  principal_arn:
    description:
      - ARN of the IAM role or user.
      - A role that was made a moment ago is waited for.
    type: str
    required: true
  type:
    description:
      - What the principal is. V(EC2_LINUX) is for the role of self-managed nodes; EKS makes the entries of managed node
        groups and Fargate profiles itself.
      - A new entry is V(STANDARD) when this is not given.
      - V(EC2_WINDOWS) and V(HYBRID_LINUX) are refused in IPv6 clusters, which have no such nodes.
    type: str
    choices: [STANDARD, EC2_LINUX, EC2_WINDOWS, FARGATE_LINUX, EC2, HYBRID_LINUX, HYPERPOD_LINUX]
  username:
    description: The name that Kubernetes knows the principal by. For V(STANDARD) only. EKS makes one from the ARN.
    type: str
  kubernetes_groups:
    description: The Kubernetes groups that the principal is in, all of them. For V(STANDARD) only.
    type: list
    elements: str
  access_policies:
    description:
      - The access policies of the entry. Others that it has are disassociated with O(purge_access_policies).
      - When this is not given, none is touched.
    type: list
    elements: dict
    suboptions:
      policy_arn:
        description: The policy's ARN, or AWS's bare name of it such as V(AmazonEKSViewPolicy).
        type: str
        required: true
        aliases: [name]
      scope:
        description: Whether it counts in the whole cluster or in O(access_policies[].namespaces).
        type: str
        choices: [cluster, namespace]
        default: cluster
      namespaces:
        description: The namespaces. Needed with a scope of V(namespace).
        type: list
        elements: str
  purge_access_policies:
    description: Whether access policies that O(access_policies) does not name are disassociated.
    type: bool
    default: true
  replace:
    description:
      - Whether an entry of another O(type) is removed and made anew. What was not given is carried over as far as the
        new type has it. Its principal has no access in between.
    type: bool
    default: false
  state:
    description: Whether the entry shall be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
notes:
  - An access policy that EKS does not have is refused before anything is done, where the caller has
    C(eks:ListAccessPolicies).
seealso:
  - module: eksops.ipv6.eks_cluster
  - module: eksops.ipv6.iam_eks_roles
"""

EXAMPLES = r"""
- name: Let self-managed nodes join
  eksops.ipv6.eks_access_entry:
    cluster_name: production
    principal_arn: "{{ iam.roles.node.arn }}"
    type: EC2_LINUX

- name: Let developers see two namespaces
  eksops.ipv6.eks_access_entry:
    cluster_name: production
    principal_arn: arn:aws:iam::111122223333:role/developers
    access_policies:
      - policy_arn: AmazonEKSViewPolicy
        scope: namespace
        namespaces: [shop, search]

- name: Put administrators into a group of one's own
  eksops.ipv6.eks_access_entry:
    cluster_name: production
    principal_arn: arn:aws:iam::111122223333:role/administrators
    kubernetes_groups: [platform-admins]

- name: Remove an entry
  eksops.ipv6.eks_access_entry:
    cluster_name: production
    principal_arn: arn:aws:iam::111122223333:role/developers
    state: absent
"""

RETURN = r"""
access_entry:
  description: The entry; null when it is absent.
  returned: success
  type: dict
  contains:
    cluster_name:
      description: The cluster's name.
      type: str
    principal_arn:
      description: The principal.
      type: str
      sample: arn:aws:iam::111122223333:role/developers
    arn:
      description: The entry's ARN; in check mode C(pending:access-entry/...) before it exists.
      type: str
    type:
      description: What the principal is.
      type: str
      sample: STANDARD
    username:
      description: The name that Kubernetes knows the principal by.
      type: str
    kubernetes_groups:
      description: The Kubernetes groups, sorted.
      type: list
      elements: str
    access_policies:
      description: The access policies, sorted by ARN.
      type: list
      elements: dict
      contains:
        policy_arn:
          description: The policy's ARN.
          type: str
        scope:
          description: cluster or namespace.
          type: str
        namespaces:
          description: The namespaces, sorted.
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

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import access_entry
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "principal_arn": {"type": "str", "required": True},
        "type": {"type": "str", "choices": list(access_entry.TYPES)},
        "username": {"type": "str"},
        "kubernetes_groups": {"type": "list", "elements": "str"},
        "access_policies": {
            "type": "list",
            "elements": "dict",
            "options": {
                "policy_arn": {"type": "str", "required": True, "aliases": ["name"]},
                "scope": {"type": "str", "choices": ["cluster", "namespace"], "default": "cluster"},
                "namespaces": {"type": "list", "elements": "str"},
            },
        },
        "purge_access_policies": {"type": "bool", "default": True},
        "replace": {"type": "bool", "default": False},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=access_entry.build,
    services=("eks",),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
