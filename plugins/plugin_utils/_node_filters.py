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
# What is not named here is a text, or checked where it is rendered.
DICTIONARIES = ("labels", "kubelet_config", "node_config", "settings")
TEXT_LISTS = ("kubelet_arguments", "bootstrap_arguments")


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
    given = _typed(name, given)
    described, node = Cluster.from_facts(facts), Node.from_options(family, given)
    try:
        refuse_if_any(user_data.refuse(described, node))
    except Refused as refused:
        raise AnsibleFilterError(f"{name}: {refused}") from refused
    return render(described, node)


def _typed(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options in the kinds that the module has, numbers as texts in lists of texts.

    @raises AnsibleFilterError  for the first option of another kind.
    """
    found = {option: value for option, value in given.items() if value is not None}
    for option, value in found.items():
        if option in DICTIONARIES and not isinstance(value, Mapping):
            raise AnsibleFilterError(f"{name}: {option} is a dictionary, not {value!r}.")
        if option in TEXT_LISTS:
            if not isinstance(value, (list, tuple)) or not all(type(item) in (str, int, float) for item in value):
                raise AnsibleFilterError(f"{name}: {option} is a list of texts, not {value!r}.")
            found[option] = [str(item) for item in value]
        mappings = isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value)
        if option == "taints" and not mappings:
            raise AnsibleFilterError(f"{name}: taints is a list of dictionaries, not {value!r}.")
        if option == "max_pods" and (isinstance(value, bool) or not isinstance(value, int)):
            if not (isinstance(value, str) and value.isdecimal()):
                raise AnsibleFilterError(f"{name}: max_pods is a whole number, not {value!r}.")
            found[option] = int(value)
    return found
