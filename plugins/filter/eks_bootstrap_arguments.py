# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_bootstrap_arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import al2
from ansible_collections.eksops.ipv6.plugins.plugin_utils._node_filters import rendered


def eks_bootstrap_arguments(cluster: Any, **options: Any) -> str:
    """The arguments of bootstrap.sh as a shell takes them."""
    own = (
        "kubelet_arguments",
        "bootstrap_arguments",
    )
    return rendered("eks_bootstrap_arguments", "al2", cluster, options, own, al2.command_line)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_bootstrap_arguments": eks_bootstrap_arguments}
