#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_pod_identity_association."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_pod_identity_association
version_added: 0.1.0
short_description: Give a service account of an EKS cluster an IAM role through EKS Pod Identity
description:
  - Creates, changes and removes the EKS Pod Identity association of a Kubernetes service account, which has one at most
    in a cluster. Another role is put in its place, not beside it.
  - An option that is not given is not managed.
  - The add-on C(eks-pod-identity-agent) has to run on the nodes, and pods that run already have to be restarted.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description:
      - The cluster's name.
      - In check mode a cluster that does not exist is taken for granted.
    type: str
    required: true
  namespace:
    description: The service account's namespace.
    type: str
    required: true
  service_account:
    description: The service account's name. The VPC CNI's is C(aws-node) in C(kube-system).
    type: str
    required: true
  role_arn:
    description:
      - ARN of the IAM role. Needed to make an association.
      - Its trust policy has to allow C(pods.eks.amazonaws.com) both C(sts:AssumeRole) and C(sts:TagSession).
      - A role that was made a moment ago is waited for.
    type: str
  disable_session_tags:
    description:
      - Whether the session goes without the tags that name cluster, namespace and pod. EKS's default is V(false).
    type: bool
  target_role_arn:
    description: ARN of a role, in another account mostly, that the role takes on the way.
    type: str
  state:
    description: Whether the association shall be there.
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
  - An association that an add-on owns is changed with M(eksops.ipv6.eks_addon), and refused here.
seealso:
  - module: eksops.ipv6.eks_addon
  - module: eksops.ipv6.iam_cni_role
"""

EXAMPLES = r"""
- name: Hand the CNI its role
  eksops.ipv6.eks_pod_identity_association:
    cluster_name: production
    namespace: kube-system
    service_account: aws-node
    role_arn: "{{ cni.cni_role.arn }}"

- name: Take it away again
  eksops.ipv6.eks_pod_identity_association:
    cluster_name: production
    namespace: kube-system
    service_account: aws-node
    state: absent
"""

RETURN = r"""
association:
  description: The association; null when it is absent.
  returned: success
  type: dict
  contains:
    cluster_name:
      description: The cluster's name.
      type: str
    namespace:
      description: The service account's namespace.
      type: str
      sample: kube-system
    service_account:
      description: The service account's name.
      type: str
      sample: aws-node
    association_id:
      description: Its id; in check mode C(pending:pod-identity-association/...) before it exists.
      type: str
      sample: a-9njjin9gfghecgocd
    association_arn:
      description: Its ARN.
      type: str
      sample: arn:aws:eks:eu-west-1:111122223333:podidentityassociation/production/a-9njjin9gfghecgocd
    role_arn:
      description: ARN of the IAM role.
      type: str
    disable_session_tags:
      description: Whether the session goes without tags.
      type: bool
    target_role_arn:
      description: ARN of the role that the role takes on the way.
      type: str
    external_id:
      description: The external id that the trust policy of RV(association.target_role_arn) has to name.
      type: str
    owner_arn:
      description: ARN of the add-on that it belongs to.
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

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import pod_identity_association
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "service_account": {"type": "str", "required": True},
        "role_arn": {"type": "str"},
        "disable_session_tags": {"type": "bool"},
        "target_role_arn": {"type": "str"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=pod_identity_association.build,
    services=("eks",),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
