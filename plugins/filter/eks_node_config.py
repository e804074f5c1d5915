# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_node_config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import al2023
from ansible_collections.eksops.ipv6.plugins.plugin_utils._node_filters import rendered


def eks_node_config(cluster: Any, **options: Any) -> str:
    """The NodeConfig as YAML."""
    own = (
        "kubelet_arguments",
        "kubelet_config",
        "containerd_config",
        "node_config",
        "completed_by_eks",
    )
    return rendered("eks_node_config", "al2023", cluster, options, own, al2023.text)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_node_config": eks_node_config}
