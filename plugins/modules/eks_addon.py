#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_addon."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addon
version_added: 0.1.0
short_description: Manage an add-on of an EKS cluster
description:
  - Installs, configures, upgrades and removes an EKS add-on, such as C(vpc-cni), C(kube-proxy), C(coredns) or
    C(eks-pod-identity-agent).
  - An option that is not given is not managed.
  - Each update is followed by its own id, and one that fails ends the task at once with what EKS says of it.
  - An add-on in C(UPDATE_FAILED) is updated again. One in C(CREATE_FAILED) or C(DELETE_FAILED), which EKS cannot mend,
    is deleted and created again with what it had; what runs in the cluster is preserved meanwhile.
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
    description: The add-on's name, one of those that C(DescribeAddonVersions) lists.
    type: str
    required: true
    aliases: [addon_name]
  addon_version:
    description:
      - The version, such as V(v1.21.2-eksbuild.2); V(default) for EKS's default and V(latest) for the newest, each for
        the cluster's Kubernetes version; or a floor, such as V(>=1.21), which leaves an add-on alone that has that
        version or a newer one, and else takes EKS's default, or the newest where the default is below the floor.
      - V(default), V(latest) and a floor never take an add-on down.
      - A new add-on gets V(default) when this is not given. An existing one is then left at its version.
      - C(vpc-cni) goes over several minor versions one at a time, as EKS requires; each step is a call of its own.
      - C(vpc-cni) before 1.10.1 is refused in IPv6 clusters. For a downgrade, the message counts the nodes that would
        lose their pods' network, those of managed node groups, of Auto Scaling groups tagged
        C(kubernetes.io/cluster/NAME) or C(eks:cluster-name), of Karpenter, and other instances with the cluster's tag.
    type: str
  configuration_values:
    description:
      - The add-on's settings. They are held against the schema that AWS publishes for the version, before any call
        that writes, and compared by meaning with what is there, be it JSON or YAML.
      - V({}) goes back to the add-on's own values.
      - Where C(vpc-cni) moves over several versions, they come with the last of them, and on the way down with the
        first. Every version on the way must suit the settings that it runs with, new or kept.
      - Of C(vpc-cni) in IPv6 clusters, custom networking and its C(eniConfig), Windows, and what turns IPv6 or prefix
        delegation off are refused, as are settings that the version does not know yet, security groups for pods
        (C(ENABLE_POD_ENI)) before 1.16.0 and network policies before 1.14.0 among them.
      - Where PyYAML is missing, values somebody gave as YAML cannot be compared and are written anew once.
      - AWS wants texts for most variables, so quote V("true") and numbers.
      - C(ENABLE_IPv4) and C(ENABLE_IPv6) of C(vpc-cni) are EKS's own, from the cluster's family.
    type: dict
  resolve_conflicts:
    description:
      - What becomes of settings in the cluster that somebody else has changed. EKS's default is V(NONE), with which
        the change fails.
      - V(OVERWRITE) adopts the software that EKS puts into a new cluster without managing it.
      - V(PRESERVE) leaves them on an update, and is V(NONE) for a new add-on.
    type: str
    choices: [NONE, OVERWRITE, PRESERVE]
  service_account_role_arn:
    description:
      - ARN of the IAM role that the add-on's service account takes through the cluster's OIDC provider.
      - Without a role the add-on has the permissions of the node. The role is sent along with every update.
      - Excludes O(pod_identity_associations).
    type: str
  pod_identity_associations:
    description:
      - IAM roles of the add-on's service accounts through EKS Pod Identity, owned by the add-on.
      - They replace those there are, and a role given by O(service_account_role_arn) before. An empty list deletes
        them.
      - An association made with M(eksops.ipv6.eks_pod_identity_association) serves as well; use one of the two ways.
    type: list
    elements: dict
    suboptions:
      service_account:
        description: The Kubernetes service account.
        type: str
        required: true
      role_arn:
        description: ARN of the IAM role.
        type: str
        required: true
  kubernetes_version:
    description:
      - The Kubernetes version to look versions up for in check mode, when the cluster does not exist yet, or when it
        is about to be upgraded to it. Outside check mode the cluster's own version counts.
    type: str
  cni_role_check:
    description:
      - Whether C(vpc-cni) may do what the new version calls, in an IPv6 cluster. A version, role or setting of it goes
        in only when it may; else nothing is written, and the message names the missing actions and the task that adds
        them. In check mode that is a warning, since an earlier task of the same play may be what adds them.
      - Looked at is the role it will run with, which is O(service_account_role_arn), else the one that Pod Identity
        gives the service account C(kube-system/aws-node), else the roles of the cluster's nodes. Its trust policy, the
        OIDC provider or the Pod Identity agent, and the nodes' right to ask it for the role are part of that.
      - V(policy) reads the role's policies and permissions boundary, and judges them itself.
      - V(simulate) asks IAM (C(iam:SimulatePrincipalPolicy)), which knows conditions too.
      - V(skip) looks at nothing.
    type: str
    choices: [policy, simulate, skip]
    default: policy
  preserve:
    description: With O(state=absent), whether the software stays in the cluster, no longer managed by EKS.
    type: bool
    default: false
  state:
    description: Whether the add-on shall be there.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait for the last change to be done. The changes before it are waited for in any case.
      - A new add-on that only lacks nodes for its replicas counts as done, except C(vpc-cni).
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
  - Of JSON Schema, the keywords C($ref), C(type), C(enum), C(const), C(properties), C(patternProperties),
    C(additionalProperties), C(required), C(items), C(minimum), C(maximum), C(pattern), C(allOf), C(anyOf), C(oneOf)
    and the formats C(boolean) and C(integer) are checked here, the rest by AWS.
  - O(cni_role_check) knows what versions up to 1.23.1 call. It cannot see C(kubernetes.io/role/cni=0) on subnets, nor
    organizations' service control policies.
  - Whether EKS still limits C(vpc-cni) to one minor version at a time is [unverified]; stepping is right either way.
  - That an update without O(service_account_role_arn) takes the role away is [unverified], which is why the role there
    is goes along.
seealso:
  - module: eksops.ipv6.eks_cluster
  - module: eksops.ipv6.iam_cni_role
  - module: eksops.ipv6.eks_pod_identity_association
"""

EXAMPLES = r"""
- name: The agent that hands roles to pods
  eksops.ipv6.eks_addon:
    cluster_name: production
    name: eks-pod-identity-agent

- name: The CNI at EKS's default version, adopting the one that came with the cluster
  eksops.ipv6.eks_addon:
    cluster_name: production
    name: vpc-cni
    addon_version: default
    resolve_conflicts: OVERWRITE
    pod_identity_associations:
      - service_account: aws-node
        role_arn: "{{ cni.cni_role.arn }}"
    configuration_values:
      enableNetworkPolicy: "true"

- name: Move the CNI on, one minor version at a time, and leave its settings alone
  eksops.ipv6.eks_addon:
    cluster_name: production
    name: vpc-cni
    addon_version: v1.23.1-eksbuild.1
    resolve_conflicts: PRESERVE

- name: At least a CNI of 1.21, once IAM itself says that its role suffices
  eksops.ipv6.eks_addon:
    cluster_name: production
    name: vpc-cni
    addon_version: ">=1.21"
    cni_role_check: simulate

- name: Manage CoreDNS by other means from now on
  eksops.ipv6.eks_addon:
    cluster_name: production
    name: coredns
    preserve: true
    state: absent
"""

RETURN = r"""
addon:
  description: The add-on; null when it is absent.
  returned: success
  type: dict
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
      description: Its ARN; in check mode C(pending:addon/CLUSTER/NAME) before it exists.
      type: str
      sample: arn:aws:eks:eu-west-1:111122223333:addon/production/vpc-cni/8ec5cb1f-1234-5678-9abc-def012345678
    version:
      description: Its version; in check mode C(pending:cluster/NAME) when the Kubernetes version is not known.
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
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import cni_addon
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "name": {"type": "str", "required": True, "aliases": ["addon_name"]},
        "addon_version": {"type": "str"},
        "configuration_values": {"type": "dict"},
        "resolve_conflicts": {"type": "str", "choices": ["NONE", "OVERWRITE", "PRESERVE"]},
        "service_account_role_arn": {"type": "str"},
        "pod_identity_associations": {
            "type": "list",
            "elements": "dict",
            "options": {
                "service_account": {"type": "str", "required": True},
                "role_arn": {"type": "str", "required": True},
            },
        },
        "kubernetes_version": {"type": "str"},
        "cni_role_check": {"type": "str", "choices": ["policy", "simulate", "skip"], "default": "policy"},
        "preserve": {"type": "bool", "default": False},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
    },
    build=cni_addon.build,
    services=("eks", "iam", "ec2", "autoscaling", "sts"),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
