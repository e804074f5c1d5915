# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_aws_auth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core import aws_auth
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def eks_aws_auth(config_maps: Any, role_arns: Any, *, state: str = "present") -> dict[str, Any]:
    """The ConfigMap aws-auth to write, so that roles are nodes' roles, or are no longer."""
    found, roles = plain(config_maps), plain(role_arns)
    if not isinstance(found, list) or any(not isinstance(item, dict) for item in found) or len(found) > 1:
        raise AnsibleFilterError("eks_aws_auth: takes the resources that kubernetes.core.k8s_info found, one or none.")
    if not isinstance(roles, list) or any(not isinstance(item, str) for item in roles):
        raise AnsibleFilterError("eks_aws_auth: role_arns is a list of ARNs.")
    if state not in ("present", "absent"):
        raise AnsibleFilterError(f"eks_aws_auth: state is present or absent, not {state}.")
    config_map = found[0] if found else None
    problems = list(aws_auth.refusals(config_map, roles))
    if problems:
        raise AnsibleFilterError("eks_aws_auth: " + " | ".join(map(str, problems)))
    return aws_auth.change(config_map, roles, state == "present")


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_aws_auth": eks_aws_auth}
