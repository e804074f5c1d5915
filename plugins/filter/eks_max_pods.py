# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_max_pods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import max_pods
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def eks_max_pods(instance_types: Any) -> int:
    """The number of pods that every one of the instance types takes."""
    given = plain(instance_types)
    items = [given] if isinstance(given, Mapping) else given
    if not isinstance(items, list) or not items or not all(isinstance(item, Mapping) for item in items):
        raise AnsibleFilterError("eks_max_pods: takes an instance type as DescribeInstanceTypes gives it, or a list.")
    try:
        lowest = max_pods.lowest(max_pods.Capacity.of(item) for item in items)
    except max_pods.MaxPodsError as error:
        raise AnsibleFilterError(f"eks_max_pods: {error}.") from error
    return int(lowest or 0)


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_max_pods": eks_max_pods}
