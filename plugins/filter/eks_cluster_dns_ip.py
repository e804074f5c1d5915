# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter eks_cluster_dns_ip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import (
    Cluster,
    refuse_service_range,
)
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain


def eks_cluster_dns_ip(service_ipv6_cidr: Any) -> str:
    """The DNS address of a service range."""
    cidr = str(plain(service_ipv6_cidr) or "")
    problems = list(refuse_service_range(cidr))
    if problems:
        raise AnsibleFilterError(f"eks_cluster_dns_ip: {problems[0]}")
    return Cluster("", service_ipv6_cidr=cidr).dns_address


class FilterModule:
    """Ansible's way to the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"eks_cluster_dns_ip": eks_cluster_dns_ip}
