# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filters that render user data have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Refused, refuse_if_any
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import plain

EVERYWHERE = ("max_pods", "labels", "taints", "local_disks")


def rendered(
    name: str,
    family: str,
    cluster: Any,
    options: Mapping[str, Any],
    own: tuple[str, ...],
    render: Callable[[Cluster, Node], str],
) -> str:
    """What C(render) makes of the cluster's facts and the filter's options.

    @raises AnsibleFilterError  with every problem there is.
    """
    facts, given = plain(cluster), plain(dict(options))
    if not isinstance(facts, Mapping):
        raise AnsibleFilterError(f"{name}: takes the fact cluster of eks_cluster, not {type(facts).__name__}.")
    known = (*EVERYWHERE, *own)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise AnsibleFilterError(f"{name}: has no option {', '.join(unknown)}; it has {', '.join(known)}.")
    described, node = Cluster.from_facts(facts), Node.from_options(family, given)
    try:
        refuse_if_any(user_data.refuse(described, node))
    except Refused as refused:
        raise AnsibleFilterError(f"{name}: {refused}") from refused
    return render(described, node)
