#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module iam_oidc_provider."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_oidc_provider
version_added: 0.1.0
short_description: Manage the IAM OpenID Connect provider of an EKS cluster
description:
  - Creates, changes and removes an IAM OpenID Connect (OIDC) provider; IAM roles for service accounts (IRSA) need one.
  - An option that is not given is not managed.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  url:
    description:
      - The issuer, letter for letter as C(DescribeCluster) returns it in C(cluster.identity.oidc.issuer);
        M(eksops.ipv6.eks_cluster) returns it as RV(eksops.ipv6.eks_cluster#module:cluster.oidc_issuer).
      - The dual-stack host C(oidc-eks.REGION.api.aws) is refused. IAM compares issuers as text, and a cluster's tokens
        name the host that C(DescribeCluster) gives.
    type: str
    required: true
  client_ids:
    description:
      - Audiences that tokens may name. A new provider gets V(sts.amazonaws.com) when this is not given.
    type: list
    elements: str
  thumbprints:
    description:
      - SHA-1 fingerprints of certificates that may sign the issuer's certificate, 40 hexadecimal digits each.
      - IAM fetches the fingerprint itself when a new provider is given none.
    type: list
    elements: str
  state:
    description: Whether the provider shall be there.
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
  - module: eksops.ipv6.iam_cni_role
"""

EXAMPLES = r"""
- name: Let IAM trust the cluster's service accounts
  eksops.ipv6.iam_oidc_provider:
    url: "{{ production.cluster.oidc_issuer }}"
    tags:
      cluster: production

- name: Take the provider away
  eksops.ipv6.iam_oidc_provider:
    url: https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE
    state: absent
"""

RETURN = r"""
oidc_provider:
  description: The provider; null when it is absent.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN; in check mode C(pending:oidc-provider/...) before it exists.
      type: str
      sample: arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE
    url:
      description: The issuer.
      type: str
    client_ids:
      description: The audiences, sorted.
      type: list
      elements: str
    thumbprints:
      description: The fingerprints, sorted.
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

from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam import oidc_provider
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "url": {"type": "str", "required": True},
        "client_ids": {"type": "list", "elements": "str"},
        "thumbprints": {"type": "list", "elements": "str"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=oidc_provider.build,
    services=("iam",),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
