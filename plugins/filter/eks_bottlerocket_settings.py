# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_bottlerocket_settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import bottlerocket
from ansible_collections.eksops.ipv6.plugins.plugin_utils._node_filters import rendered


def eks_bottlerocket_settings(cluster: Any, **options: Any) -> str:
    """The settings as TOML."""
    own = (
        "settings",
        "completed_by_eks",
    )
    return rendered("eks_bottlerocket_settings", "bottlerocket", cluster, options, own, bottlerocket.text)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_bottlerocket_settings": eks_bottlerocket_settings}
