# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup plugin eks_token."""

from __future__ import annotations

DOCUMENTATION = r"""
name: eks_token
version_added: 0.1.0
short_description: A bearer token for the API server of an EKS cluster
author:
  - The eksops.ipv6 authors (@eksops)
description:
  - Makes the same token as C(aws eks get-token), without the AWS CLI and without a call to AWS.
  - A token is good for 15 minutes. A lookup in a task's options is made anew for every task, so a long play never runs
    with an old one; one in C(set_fact) does.
  - kubernetes.core keeps its option C(api_key) out of logs and results. Hand the lookup to that option directly, and
    never to C(debug) or C(set_fact).
  - Where a module of kubernetes.core crashes, as when nobody answers, ansible-core 2.19 shows at C(-vvv) what it was
    given, C(api_key) included. Give such tasks C(no_log=true), or a kubeconfig, as the role
    P(eksops.ipv6.eks_kubeconfig#role) writes one.
options:
  _terms:
    description: Names of clusters.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
"""

EXAMPLES = r"""
- name: Look into a cluster
  kubernetes.core.k8s_info:
    kind: Node
    host: "{{ eks_kubeconfig_result.kubernetes.host }}"
    ca_cert: "{{ eks_kubeconfig_result.kubernetes.ca_cert }}"
    api_key: "{{ lookup('eksops.ipv6.eks_token', 'production', region='eu-west-1') }}"
"""

RETURN = r"""
_raw:
  description: The tokens, one for each cluster.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import token
from ansible_collections.eksops.ipv6.plugins.module_utils._core.host import PlainHost
from ansible_collections.eksops.ipv6.plugins.module_utils._core.session import ConnectionFailed, Session


class LookupModule(AWSLookupBase):
    """A token for each cluster that is named."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        super().run(terms, variables, **kwargs)
        session = Session(PlainHost("eks_token", self.get_options()))
        try:
            return [token.make(session, str(name)) for name in terms]
        except ConnectionFailed as error:
            raise AnsibleLookupError(f"eks_token: {error}") from error
