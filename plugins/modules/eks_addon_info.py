#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_addon_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addon_info
version_added: 0.1.0
short_description: Gather facts about the add-ons of an EKS cluster
description:
  - Describes one add-on of a cluster, or all that EKS manages there.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description: The cluster's name.
    type: str
    required: true
  name:
    description: The add-on's name. Without it all add-ons are described.
    type: str
    aliases: [addon_name]
  offers:
    description: Whether to look up which versions EKS offers for the cluster's Kubernetes version.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.info
seealso:
  - module: eksops.ipv6.eks_addon
"""

EXAMPLES = r"""
- name: Look up the CNI, and what it could be moved to
  eksops.ipv6.eks_addon_info:
    cluster_name: production
    name: vpc-cni
    offers: true
  register: found

- name: Show whether EKS has a newer one
  ansible.builtin.debug:
    msg: "{{ found.addons[0].version }} runs, {{ found.addons[0].offers.latest }} is the newest"

- name: All add-ons that EKS manages
  eksops.ipv6.eks_addon_info:
    cluster_name: production
  register: all_addons
"""

RETURN = r"""
addons:
  description:
    - The add-ons, sorted by name; empty when there is none of the given name, or no such cluster.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: vpc-cni
    cluster_name:
      description: The cluster's name.
      type: str
      sample: production
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:eks:eu-west-1:111122223333:addon/production/vpc-cni/8ec5cb1f-1234-5678-9abc-def012345678
    version:
      description: Its version.
      type: str
      sample: v1.21.2-eksbuild.2
    status:
      description: ACTIVE, DEGRADED, UPDATING, ...; DEGRADED when it lacks nodes to run on.
      type: str
      sample: ACTIVE
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
    configuration_values:
      description: Its settings as a dict; empty where it has its own.
      type: dict
    service_account_role_arn:
      description: The role of its service account through the OIDC provider.
      type: str
    pod_identity_associations:
      description: Its own Pod Identity associations.
      type: list
      elements: dict
      contains:
        service_account:
          description: The Kubernetes service account.
          type: str
        role_arn:
          description: ARN of the IAM role.
          type: str
    tags:
      description: The tags.
      type: dict
    offers:
      description: What EKS offers for the cluster's Kubernetes version.
      returned: with O(offers)
      type: dict
      contains:
        default:
          description: EKS's default version.
          type: str
          sample: v1.21.2-eksbuild.2
        latest:
          description: The newest version.
          type: str
          sample: v1.23.1-eksbuild.1
        versions:
          description: All versions, newest first.
          type: list
          elements: str
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import addon
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "name": {"type": "str", "aliases": ["addon_name"]},
        "offers": {"type": "bool", "default": False},
    },
    build=addon.build_info,
    services=("eks",),
    writes=False,
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
