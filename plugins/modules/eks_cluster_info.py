#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_cluster_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster_info
version_added: 0.1.0
short_description: Gather facts about EKS clusters
description:
  - Describes one cluster, or all of an account and region.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  name:
    description: The cluster's name. Without it all clusters are described.
    type: str
  include_nodes:
    description:
      - Whether to look for the nodes that each cluster has on EC2, whoever made them.
      - It also calls C(eks:ListNodegroups), C(eks:DescribeNodegroup), C(autoscaling:DescribeAutoScalingGroups),
        C(ec2:DescribeInstances) and C(iam:GetInstanceProfile).
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.info
seealso:
  - module: eksops.ipv6.eks_cluster
"""

EXAMPLES = r"""
- name: Look up one cluster
  eksops.ipv6.eks_cluster_info:
    name: production
  register: found

- name: Show its service range
  ansible.builtin.debug:
    var: found.clusters[0].service_ipv6_cidr

- name: Find the clusters in the IPv6 family
  eksops.ipv6.eks_cluster_info:
    region: eu-west-1
  register: all_clusters
"""

RETURN = r"""
clusters:
  description:
    - The clusters, sorted by name; empty when there is none of the given name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: production
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:eks:eu-west-1:111122223333:cluster/production
    status:
      description: CREATING, ACTIVE, UPDATING, DELETING or FAILED.
      type: str
      sample: ACTIVE
    version:
      description: The Kubernetes version.
      type: str
      sample: "1.35"
    platform_version:
      description: EKS's build of that version.
      type: str
      sample: eks.6
    ip_family:
      description: The family of pods and services.
      type: str
      sample: ipv6
    service_ipv6_cidr:
      description: The range of service addresses, chosen by EKS. Nodes bootstrap with this one, never with the VPC's.
      type: str
      sample: fd30:3087:b6c2::/108
    service_ipv4_cidr:
      description: The range of service addresses of a cluster in the IPv4 family.
      type: str
    cluster_dns_ip:
      description: Where the cluster's DNS answers, the tenth address of the service range.
      type: str
      sample: fd30:3087:b6c2::a
    endpoint:
      description: The URL of the API server.
      type: str
      sample: https://EXAMPLED539D4633E53DE1B71EXAMPLE.gr7.eks-cluster.eu-west-1.api.aws
    certificate_authority_data:
      description: The certificate authority of the API server, PEM in base64.
      type: str
    oidc_issuer:
      description: The issuer of service account tokens, letter for letter as EKS gives it.
      type: str
      sample: https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE
    cluster_security_group_id:
      description: The security group that EKS made for the control plane and the nodes.
      type: str
      sample: sg-0123456789abcdef0
    vpc_id:
      description: The VPC.
      type: str
    subnet_ids:
      description: The subnets of the control plane's network interfaces.
      type: list
      elements: str
    security_group_ids:
      description: The additional security groups.
      type: list
      elements: str
    role_arn:
      description: The cluster's role.
      type: str
    endpoint_public_access:
      description: Whether the API server can be reached from the internet.
      type: bool
    endpoint_private_access:
      description: Whether the API server has an address in the VPC.
      type: bool
    public_access_cidrs:
      description: Ranges that may reach the public endpoint.
      type: list
      elements: str
    authentication_mode:
      description: CONFIG_MAP, API_AND_CONFIG_MAP or API.
      type: str
    logging:
      description: The log types that are on, sorted.
      type: list
      elements: str
    encryption_key_arn:
      description: The KMS key that encrypts secrets, if one was given.
      type: str
    deletion_protection:
      description: Whether EKS refuses to delete the cluster.
      type: bool
    support_type:
      description: STANDARD or EXTENDED.
      type: str
    health_issues:
      description: What EKS finds wrong with the cluster.
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
    nodes:
      description: Where its nodes come from.
      returned: when O(include_nodes) is true
      type: list
      elements: dict
      contains:
        source:
          description: What made them, in words.
          type: str
          sample: the Auto Scaling group
        name:
          description: Its name; empty for instances of no group.
          type: str
          sample: production-general
        count:
          description: How many nodes there are, or shall be.
          type: int
        role_arns:
          description: Their roles; empty where there is no instance to tell.
          type: list
          elements: str
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import cluster_info
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={"name": {"type": "str"}, "include_nodes": {"type": "bool", "default": False}},
    build=cluster_info.build,
    services=("eks", "autoscaling", "ec2", "iam"),
    writes=False,
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
