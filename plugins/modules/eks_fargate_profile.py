#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_fargate_profile."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_fargate_profile
version_added: 0.1.0
short_description: Manage a Fargate profile of an EKS cluster
description:
  - Creates and removes Fargate profiles. AWS has no call to change one but for its tags. A change is refused with the
    reason, or carried out as removal and creation when O(replace) says so.
  - Before a profile is made its subnets are looked at. They have to be private, to have both families in an IPv6
    cluster, to assign IPv6 addresses, and to have a way out in both families, or VPC endpoints in its place. Its role
    has to trust Fargate and to allow pulling images.
  - An option that is not given is not managed.
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
    description: The profile's name.
    type: str
    required: true
    aliases: [fargate_profile_name]
  pod_execution_role_arn:
    description:
      - ARN of the role that C(eks-fargate-pods.amazonaws.com) takes to run pods. Needed to make a profile.
      - A role that was made a moment ago is waited for.
    type: str
    aliases: [role_arn]
  subnet_ids:
    description: Private subnets for the pods. Needed to make a profile. Their order has no meaning.
    type: list
    elements: str
    aliases: [subnets]
  selectors:
    description:
      - Which pods run on Fargate; one that fits any of them does. Needed to make a profile. Their order has no meaning.
    type: list
    elements: dict
    suboptions:
      namespace:
        description: The pods' namespace; the wildcards C(*) and C(?) are allowed.
        type: str
        required: true
      labels:
        description: Labels that the pods have, all of them.
        type: dict
  replace:
    description:
      - Whether a profile that differs, or whose creation has failed, is removed, with its pods, and made anew.
    type: bool
    default: false
  skip_checks:
    description:
      - Checks of a new profile to leave out.
      - V(routes) is the default routes of both families. Where one is missing, VPC endpoints of C(ecr.api), C(ecr.dkr)
        and C(s3) may serve instead [presumed], available and with private DNS or in the subnet's route table. Then the
        cluster's API endpoint has to be in the VPC too.
      - V(role) is what O(pod_execution_role_arn) trusts and allows.
    type: list
    elements: str
    choices: [routes, role]
  state:
    description: Whether the profile shall be there.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Whether to wait for the last change to be done. The changes before it are waited for in any case.
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
  - A cluster makes and removes one profile at a time. Others that are under way are waited for.
  - That a route of C(::/0) to an internet gateway makes a subnet public to Fargate is [unverified]; EKS's
    documentation speaks of internet gateways only.
  - To make a profile it also needs C(ec2:DescribeSubnets) and C(ec2:DescribeRouteTables), and where a default route is
    missing C(ec2:DescribeVpcEndpoints).
  - The policies of the pod execution role are read and judged, as M(eksops.ipv6.eks_nodegroup) does with those of
    nodes.
  - Pods on Fargate have their network from AWS. The VPC CNI and its role are for nodes and are not looked at.
seealso:
  - module: eksops.ipv6.iam_eks_roles
  - module: eksops.ipv6.eks_nodegroup
"""

EXAMPLES = r"""
- name: Run the jobs on Fargate
  eksops.ipv6.eks_fargate_profile:
    cluster_name: production
    name: jobs
    pod_execution_role_arn: "{{ iam.roles.fargate.arn }}"
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    selectors:
      - namespace: jobs
      - namespace: kube-system
        labels:
          k8s-app: kube-dns

- name: Remove a profile
  eksops.ipv6.eks_fargate_profile:
    cluster_name: production
    name: jobs
    state: absent
"""

RETURN = r"""
fargate_profile:
  description: The profile; null when it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: jobs
    cluster_name:
      description: The cluster's name.
      type: str
    arn:
      description: Its ARN; in check mode C(pending:fargate-profile/CLUSTER/NAME) before it exists.
      type: str
    status:
      description: CREATING, ACTIVE, DELETING, CREATE_FAILED or DELETE_FAILED.
      type: str
      sample: ACTIVE
    pod_execution_role_arn:
      description: The role that runs pods.
      type: str
    subnet_ids:
      description: The subnets.
      type: list
      elements: str
    selectors:
      description: Which pods run on Fargate, sorted by namespace.
      type: list
      elements: dict
      contains:
        namespace:
          description: The namespace.
          type: str
        labels:
          description: The labels.
          type: dict
    tags:
      description: The tags.
      type: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import fargate
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "name": {"type": "str", "required": True, "aliases": ["fargate_profile_name"]},
        "pod_execution_role_arn": {"type": "str", "aliases": ["role_arn"]},
        "subnet_ids": {"type": "list", "elements": "str", "aliases": ["subnets"]},
        "selectors": {
            "type": "list",
            "elements": "dict",
            "options": {"namespace": {"type": "str", "required": True}, "labels": {"type": "dict"}},
        },
        "replace": {"type": "bool", "default": False},
        "skip_checks": {"type": "list", "elements": "str", "choices": ["routes", "role"]},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
    },
    build=fargate.build,
    services=("eks", "ec2", "iam"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
