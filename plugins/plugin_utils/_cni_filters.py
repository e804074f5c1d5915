# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filters about the DaemonSet aws-node have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni
from ansible_collections.eksops.ipv6.plugins.module_utils._core.cni_daemonset import Wish
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def taken(name: str, daemonset: Any) -> dict[str, Any]:
    """The DaemonSet in plain types.

    @raises AnsibleFilterError  where it is none.
    """
    found = plain(daemonset)
    if not isinstance(found, Mapping) or found.get("kind") != "DaemonSet":
        raise AnsibleFilterError(f"{name}: takes a DaemonSet as kubernetes.core.k8s_info returns it.")
    return dict(found)


def wished(name: str, options: Mapping[str, Any]) -> Wish:
    """What the filter's options ask for; variables must be texts, as Kubernetes has them.

    @raises AnsibleFilterError  for an option or a value that cannot be.
    """
    given = plain(dict(options))
    unknown = sorted(set(given) - {"version", "env", "init_env", "network_policy"})
    if unknown:
        raise AnsibleFilterError(f"{name}: has no option {', '.join(unknown)}.")
    for option in ("env", "init_env"):
        wrong = [key for key, value in (given.get(option) or {}).items() if not isinstance(value, str)]
        if wrong:
            raise AnsibleFilterError(f"{name}: {option}.{wrong[0]} must be a text: quote it.")
    policy = given.get("network_policy")
    return Wish(
        version=given.get("version"),
        env=given.get("env") or {},
        init_env=given.get("init_env") or {},
        network_policy=cni.truth(policy) if isinstance(policy, str) else policy,
    )
