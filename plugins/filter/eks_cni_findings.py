# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_cni_findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni_daemonset
from ansible_collections.eksops.ipv6.plugins.plugin_utils._cni_filters import taken, wished
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def eks_cni_findings(daemonset: Any, *, pods: Any = (), events: Any = (), **options: Any) -> list[str]:
    """In what way that which runs is not what was asked for."""
    found, wish = taken("eks_cni_findings", daemonset), wished("eks_cni_findings", options)
    return cni_daemonset.findings(found, plain(pods), plain(events), wish)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_cni_findings": eks_cni_findings}
