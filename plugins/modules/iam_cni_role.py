#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module iam_cni_role."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_cni_role
version_added: 0.1.0
short_description: Manage the IAM role and policy of an IPv6 cluster's VPC CNI
description:
  - Writes the IAM policy that the Amazon VPC CNI needs in an IPv6 cluster, and attaches it to a role that the CNI's
    pods assume, or to the nodes' role.
  - AWS has no managed policy for it. The statements are computed from the CNI's version and the features in use; each
    action's source is in the collection's C(plugins/module_utils/_core/cni.py).
  - Versions 1.22.0 and newer call C(ec2:DescribeSubnets) at their start, and nodes do not become ready where it is
    denied. The policy in older documentation lacks it. Without O(cni_version), the policy serves every version from
    1.10.1 to 1.23.1, so that an upgrade or downgrade of the CNI needs no change here.
  - Role and policy are named after the cluster, so that clusters of one account do not share them by accident.
  - A role or policy that this module made for the cluster carries the tags C(eksops.ipv6/cluster) and
    C(eksops.ipv6/region). Such a role's trust policy and such a policy's document are held to what is computed. Only
    aws-node's trust in the other way than O(identity) stays, since a CNI that runs may have the role in that way still.
  - Any other role or policy of the name is adopted, and only added to. The policy gets a new version with one
    statement more when it lacks an action, and the role's trust policy a statement when it does not let the CNI in,
    with a warning. Documents are compared by what they mean. Explicit denials are refused.
  - A policy that others use too is only added to as well, even if this module made it.
  - IAM keeps five versions of a policy. The oldest that is not in force makes room for a new one.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description: The cluster whose CNI this is. It need not exist yet.
    type: str
    required: true
  cni_version:
    description:
      - The version that the policy shall be for, such as V(v1.21.2-eksbuild.2). The policy then allows what this
        version calls and nothing more. In an upgrade, give the new version here before the add-on moves.
      - Without it, the policy allows what any version from 1.10.1 on calls.
      - Versions below 1.10.1 are refused, since IPv6 clusters must not have them.
    type: str
  subnet_discovery:
    description:
      - Whether the CNI looks for subnets (C(ENABLE_SUBNET_DISCOVERY)), as it does by default. Without O(cni_version)
        the policy allows it anyway.
    type: bool
    default: true
  multi_nic:
    description: Whether pods get several network interfaces (C(ENABLE_MULTI_NIC)). Needs the CNI 1.20.0.
    type: bool
    default: false
  excluded_subnets:
    description:
      - Whether subnets of nodes carry the tag C(kubernetes.io/role/cni=0). The CNI then makes network interfaces in
        other subnets. Needs the CNI 1.22.0.
    type: bool
    default: false
  security_groups_for_pods:
    description:
      - Whether pods have security groups of their own. Needs the CNI 1.16.0, but no further action here;
        O(eksops.ipv6.iam_eks_roles#module:security_groups_for_pods) gives the cluster's role what it needs.
    type: bool
    default: false
  identity:
    description:
      - How the CNI comes to its permissions.
      - V(pod_identity) makes a role that EKS Pod Identity may hand to pods; the association itself is
        M(eksops.ipv6.eks_pod_identity_association)'s. Needs the CNI 1.15.5-eksbuild.1.
      - V(irsa) makes a role for the service account C(kube-system/aws-node) through the cluster's OIDC provider.
      - V(node_role) attaches the policy to O(node_role), where every pod of the node's network can use it. AWS
        recommends one of the others.
    type: str
    choices: [pod_identity, irsa, node_role]
    default: pod_identity
  oidc_issuer:
    description:
      - With O(identity=irsa), the cluster's issuer, letter for letter as C(DescribeCluster) has it, which is
        RV(eksops.ipv6.eks_cluster#module:cluster.oidc_issuer). Without it and O(oidc_provider_arn), the cluster is
        asked.
    type: str
  oidc_provider_arn:
    description:
      - With O(identity=irsa), the provider's ARN, as M(eksops.ipv6.iam_oidc_provider) returns it. Without it, it is
        derived from the issuer.
    type: str
  node_role:
    description: With O(identity=node_role), the name or ARN of the role that nodes have.
    type: str
  name:
    description: The role's name, at most 64 characters. Without it, the cluster's name and C(-cni).
    type: str
  arn:
    description: The ARN of an existing role, which is adopted.
    type: str
  policy_name:
    description:
      - The policy's name. Without it, the cluster's name and C(-cni-ipv6).
      - V(AmazonEKS_CNI_IPv6_Policy) is what many accounts call a policy made by hand; it is adopted like any other.
    type: str
  vpc_id:
    description:
      - Makes the policy tighter. What the CNI changes it may then change in this VPC only (C(ec2:Vpc)), with resources
        of this account and region; what it looks up, in this region only (C(ec2:Region)).
      - Without it the policy says what AWS's documentation says, where only tags are bound to network interfaces.
      - An adopted policy that suffices is left as it is.
      - That EC2 hands over these condition keys in every call of the CNI is [unverified]. It is tested under the
        enforcement of an emulated IAM, which judges them as the Service Authorization Reference describes them.
    type: str
  detach_from:
    description:
      - Names or ARNs of roles, such as the nodes', that lose the CNI's policies once the CNI has a role of its own.
        These are this module's policy, V(AmazonEKS_CNI_IPv6_Policy) and AWS's V(AmazonEKS_CNI_Policy).
      - They are detached last, and only when C(kube-system/aws-node) has this role by Pod Identity or by the add-on's
        annotation and the add-on is C(ACTIVE). Pods that started before the role was given must have been restarted.
        The role P(eksops.ipv6.eks_cni#role) sees to the whole order with C(eks_cni_detach_from).
      - The annotation of a self-managed CNI cannot be seen in AWS and is not looked at.
    type: list
    elements: str
  path:
    description: The path of role and policy, C(/) when not given. IAM cannot move what is there.
    type: str
  permissions_boundary:
    description:
      - The ARN of the policy that bounds what the role may do. An empty text takes a boundary away.
    type: str
  state:
    description:
      - With V(absent), what this module made for the cluster is removed; RV(left) says what is not, and why. A policy
        that others use stays.
      - Refused while the cluster is there. In check mode that is a warning, so that a teardown can be planned as a
        whole.
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
seealso:
  - module: eksops.ipv6.iam_eks_roles
  - module: eksops.ipv6.iam_oidc_provider
  - module: eksops.ipv6.eks_pod_identity_association
  - module: eksops.ipv6.eks_addon
"""

EXAMPLES = r"""
- name: A role for the CNI through Pod Identity
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    tags:
      environment: production
  register: cni

- name: A role for the CNI's service account, with the least that one version needs
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    cni_version: v1.21.2-eksbuild.2
    identity: irsa
    oidc_issuer: "{{ production.cluster.oidc_issuer }}"

- name: The policy that was made by hand, on the nodes' role
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    identity: node_role
    node_role: "{{ iam.roles.node.arn }}"
    policy_name: AmazonEKS_CNI_IPv6_Policy

- name: A policy for one VPC only
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    vpc_id: "{{ production.cluster.vpc_id }}"

- name: Take the CNI's policies off the nodes' role, now that the CNI has its own
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    detach_from:
      - production-node

- name: Remove role and policy
  eksops.ipv6.iam_cni_role:
    cluster_name: production
    state: absent
"""

RETURN = r"""
cni_role:
  description: The role and its policy; null when they are absent.
  returned: success
  type: dict
  contains:
    name:
      description: The role's name.
      type: str
      sample: production-cni
    arn:
      description: The role's ARN; in check mode C(pending:role/...) before it exists.
      type: str
      sample: arn:aws:iam::111122223333:role/production-cni
    path:
      description: The role's path.
      type: str
      sample: /
    permissions_boundary:
      description: The ARN of the role's permissions boundary; null where it has none.
      type: str
    managed_policies:
      description: The ARNs of all policies attached to the role, sorted.
      type: list
      elements: str
    tags:
      description: The role's tags.
      type: dict
    adopted:
      description: Whether the role existed before, or was made for something else.
      type: bool
    policy_name:
      description: The policy's name.
      type: str
      sample: production-cni-ipv6
    policy_arn:
      description: The policy's ARN; in check mode C(pending:policy/...) before it exists.
      type: str
      sample: arn:aws:iam::111122223333:policy/production-cni-ipv6
    policy_document:
      description: The policy's document.
      type: dict
    policy_adopted:
      description: Whether the policy existed before, or was made for something else.
      type: bool
    identity:
      description: How the CNI comes to its permissions.
      type: str
      sample: pod_identity
    actions:
      description: The actions that the CNI calls, sorted.
      type: list
      elements: str
left:
  description: What O(state=absent) did not remove.
  returned: success
  type: list
  elements: dict
  contains:
    resource:
      description: What it is.
      type: str
      sample: policy/AmazonEKS_CNI_IPv6_Policy
    arn:
      description: Its ARN.
      type: str
    reason:
      description: Why it is left.
      type: str
      sample: it is attached to role other-cni still
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import cni_role
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "cni_version": {"type": "str"},
        "subnet_discovery": {"type": "bool", "default": True},
        "multi_nic": {"type": "bool", "default": False},
        "excluded_subnets": {"type": "bool", "default": False},
        "security_groups_for_pods": {"type": "bool", "default": False},
        "identity": {"type": "str", "choices": ["pod_identity", "irsa", "node_role"], "default": "pod_identity"},
        "oidc_issuer": {"type": "str"},
        "oidc_provider_arn": {"type": "str"},
        "node_role": {"type": "str"},
        "name": {"type": "str"},
        "arn": {"type": "str"},
        "policy_name": {"type": "str"},
        "vpc_id": {"type": "str"},
        "detach_from": {"type": "list", "elements": "str"},
        "path": {"type": "str"},
        "permissions_boundary": {"type": "str"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=cni_role.build,
    services=("iam", "sts", "eks"),
    constraints={
        "mutually_exclusive": [("arn", "name")],
        "required_if": [("identity", "node_role", ("node_role",))],
    },
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
