# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_cni_patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni_daemonset
from ansible_collections.eksops.ipv6.plugins.plugin_utils._cni_filters import taken, wished
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def eks_cni_patch(daemonset: Any, *, eni_configs: Any = (), **options: Any) -> dict[str, Any]:
    """The patch that makes a DaemonSet serve an IPv6 cluster."""
    found, wish = taken("eks_cni_patch", daemonset), wished("eks_cni_patch", options)
    names = [str(item["metadata"]["name"]) for item in plain(eni_configs)]
    problems = cni_daemonset.refusals(found, wish, names)
    if problems:
        raise AnsibleFilterError("eks_cni_patch: " + " | ".join(map(str, problems)))
    return cni_daemonset.patch(found, wish)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_cni_patch": eks_cni_patch}
