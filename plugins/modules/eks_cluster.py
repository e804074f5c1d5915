#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster
version_added: 0.1.0
short_description: Manage an EKS cluster in the IPv6 family
description:
  - Creates, changes, upgrades and removes an Amazon EKS cluster whose pods and services have IPv6 addresses.
  - An option that is not given is not managed. An existing cluster is changed in as few calls as EKS takes, one kind
    of setting at a time, and each change is followed by the id of its own update.
  - What EKS cannot change (family, role, VPC, encryption key, ...) is refused with the reason, before any call that
    writes.
  - After a cluster was made, the module verifies that it came out in the family that was asked for.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  name:
    description: The cluster's name, 1 to 100 letters, digits, hyphens and underscores.
    type: str
    required: true
  ip_family:
    description:
      - The family of pods and services. EKS fixes it when the cluster is made; a cluster in the other family is
        refused, since it would need a new cluster.
      - V(ipv4) is there for clusters that exist, and to say so; this collection is about V(ipv6).
      - EKS has no IPv6 clusters in the China Regions. Source is the EKS API reference, C(CreateCluster).
    type: str
    choices: [ipv4, ipv6]
    default: ipv6
  kubernetes_version:
    description:
      - The Kubernetes version, such as V(1.34). Quote it, as YAML reads 1.30 as a number.
      - A new cluster gets the newest version in standard support, as C(DescribeClusterVersions) has it, when this is
        not given. An existing one is then left at its version.
      - An upgrade over several minor versions goes one at a time, as EKS requires. With managed node groups only the
        first of them is possible, since the nodes have to follow. A way back is refused.
    type: str
    aliases: [version]
  role_arn:
    description:
      - ARN of the IAM role that EKS runs the cluster with. Needed to make one; cannot be changed.
      - A role that was made a moment ago is waited for.
    type: str
  subnet_ids:
    description:
      - Subnets for the control plane's network interfaces, in at least two zones. Needed to make a cluster.
      - An IPv6 cluster needs an IPv6 and an IPv4 CIDR block in each. The order does not matter.
      - They can be changed later, within the VPC and the zones the cluster was made in.
    type: list
    elements: str
    aliases: [subnets]
  security_group_ids:
    description: Additional security groups for the control plane's network interfaces, five at most.
    type: list
    elements: str
    aliases: [security_groups]
  endpoint_public_access:
    description: Whether the API server can be reached from the internet. EKS's default is V(true).
    type: bool
  endpoint_private_access:
    description: Whether the API server has an address in the VPC. EKS's default is V(false).
    type: bool
  public_access_cidrs:
    description:
      - Ranges that may reach the public endpoint, compared as networks whatever their spelling and order.
      - EKS's default for an IPv6 cluster is V(0.0.0.0/0) and V(::/0). IPv6 ranges are refused for clusters made before
        October 2024, whose endpoint answers to IPv4 only.
      - Neither sent nor compared while the public endpoint is off.
    type: list
    elements: str
  authentication_mode:
    description:
      - Where EKS looks up who may enter. EKS's default is V(CONFIG_MAP).
      - It can only move on, from V(CONFIG_MAP) over V(API_AND_CONFIG_MAP) to V(API).
    type: str
    choices: [CONFIG_MAP, API_AND_CONFIG_MAP, API]
  bootstrap_cluster_creator_admin_permissions:
    description:
      - Whether the caller becomes an administrator of a new cluster. EKS's default is V(true).
      - EKS neither tells nor changes it later, so it is not compared.
    type: bool
  bootstrap_self_managed_addons:
    description:
      - Whether a new cluster gets the VPC CNI, kube-proxy and CoreDNS as software nobody manages. EKS's default is
        V(true).
      - With V(false), install them with M(eksops.ipv6.eks_addon), the CNI before any node.
      - EKS neither tells nor changes it later, so it is not compared.
    type: bool
  logging:
    description: The control plane's log types that are on; the others are switched off. An empty list switches all off.
    type: list
    elements: str
    choices: [api, audit, authenticator, controllerManager, scheduler]
  encryption_key_arn:
    description:
      - ARN of the KMS key that encrypts Kubernetes secrets. It can be added to a cluster, and never changed or taken
        away.
    type: str
  deletion_protection:
    description:
      - Whether EKS refuses to delete the cluster.
      - With O(state=absent), V(false) lifts the protection first; without it a protected cluster is left alone.
    type: bool
  support_type:
    description:
      - What happens at the end of standard support. V(STANDARD) upgrades the cluster then, V(EXTENDED) moves it to
        extended support, which costs more and is EKS's default.
    type: str
    choices: [STANDARD, EXTENDED]
  service_ipv4_cidr:
    description:
      - The service range of a new cluster with O(ip_family=ipv4). Cannot be changed.
      - Refused with O(ip_family=ipv6), where EKS chooses a range of its own; see RV(cluster.service_ipv6_cidr).
    type: str
  outpost_config:
    description: Refused. EKS has no IPv6 clusters on Outposts.
    type: dict
  remote_network_config:
    description: Refused. Hybrid nodes cannot join IPv6 clusters.
    type: dict
  state:
    description:
      - V(present) makes or changes the cluster.
      - V(absent) deletes it, once it has neither node groups nor Fargate profiles. In check mode those are a warning,
        so that a teardown can be planned as a whole.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait for the last change to be done. The changes before it are waited for in any case, since EKS
        makes one at a time.
      - Without it the facts of a new cluster hold C(pending:) where EKS has yet to decide.
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
  - The permissions it needs are C(eks:DescribeCluster), C(eks:ListUpdates), C(eks:DescribeUpdate), and for what it
    changes C(eks:CreateCluster), C(eks:UpdateClusterConfig), C(eks:UpdateClusterVersion),
    C(eks:AssociateEncryptionConfig), C(eks:DeleteCluster), C(eks:TagResource), C(eks:UntagResource) with
    C(iam:PassRole), C(eks:DescribeClusterVersions), C(eks:ListNodegroups), C(eks:DescribeNodegroup),
    C(eks:ListFargateProfiles), C(ec2:DescribeSubnets) and C(ec2:DescribeSecurityGroups).
  - That node groups have to follow after each minor version is what EKS answered when this was written [unverified
    for later]. Where it no longer asks that, say the next minor version first, as the message does.
seealso:
  - module: eksops.ipv6.eks_cluster_info
  - module: eksops.ipv6.ec2_vpc_ipv6_network
  - module: eksops.ipv6.iam_eks_roles
"""

EXAMPLES = r"""
- name: A cluster in the IPv6 family, with the newest Kubernetes in standard support
  eksops.ipv6.eks_cluster:
    name: production
    role_arn: "{{ iam.roles.cluster.arn }}"
    subnet_ids: "{{ vpc.network.private_subnet_ids }}"
    endpoint_private_access: true
    public_access_cidrs:
      - 203.0.113.0/24
      - 2001:db8:1234::/48
    authentication_mode: API
    bootstrap_self_managed_addons: false
    logging: [api, audit, authenticator]
    deletion_protection: true
    tags:
      environment: production

- name: Move it to the next Kubernetes version
  eksops.ipv6.eks_cluster:
    name: production
    kubernetes_version: "1.35"

- name: Show what would change
  eksops.ipv6.eks_cluster:
    name: production
    endpoint_public_access: false
  check_mode: true
  diff: true

- name: Remove it although it is protected
  eksops.ipv6.eks_cluster:
    name: production
    deletion_protection: false
    state: absent
"""

RETURN = r"""
cluster:
  description:
    - The cluster; null when it is absent.
    - In check mode, what EKS has yet to decide is C(pending:cluster/NAME).
  returned: success
  type: dict
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
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import cluster
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "name": {"type": "str", "required": True},
        "ip_family": {"type": "str", "choices": ["ipv4", "ipv6"], "default": "ipv6"},
        "kubernetes_version": {"type": "str", "aliases": ["version"]},
        "role_arn": {"type": "str"},
        "subnet_ids": {"type": "list", "elements": "str", "aliases": ["subnets"]},
        "security_group_ids": {"type": "list", "elements": "str", "aliases": ["security_groups"]},
        "endpoint_public_access": {"type": "bool"},
        "endpoint_private_access": {"type": "bool"},
        "public_access_cidrs": {"type": "list", "elements": "str"},
        "authentication_mode": {"type": "str", "choices": ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]},
        "bootstrap_cluster_creator_admin_permissions": {"type": "bool"},
        "bootstrap_self_managed_addons": {"type": "bool"},
        "logging": {
            "type": "list",
            "elements": "str",
            "choices": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        },
        "encryption_key_arn": {"type": "str", "no_log": False},
        "deletion_protection": {"type": "bool"},
        "support_type": {"type": "str", "choices": ["STANDARD", "EXTENDED"]},
        "service_ipv4_cidr": {"type": "str"},
        "outpost_config": {"type": "dict"},
        "remote_network_config": {"type": "dict"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
    },
    build=cluster.build,
    services=("eks", "ec2"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
