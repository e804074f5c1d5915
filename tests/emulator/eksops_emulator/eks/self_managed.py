# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of Auto Scaling groups that EKS does not manage: which of them join a cluster, and what its CNI does there.

An instance joins the cluster that its group's tag `kubernetes.io/cluster/NAME` names, once it is in service and when
the cluster lets its role in: by an access entry for Linux nodes, or by the ConfigMap aws-auth, which counts as right
where no Kubernetes API server is emulated (EKS user guide, self-managed nodes). User data isn't run: that it is right
is taken for granted. When the CNI of an IPv6 cluster takes its first /80 is presumed: as soon as the node has joined.
"""

from __future__ import annotations

from typing import Any

from moto.eks.models import eks_backends

from . import hooks
from .health import node_problem
from .state import Cluster, State

_TAG = "kubernetes.io/cluster/"
_LINUX = ("EC2_LINUX", "EC2")


def look(group: Any) -> None:
    """A group's instances may have become nodes of a cluster."""
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in group.tags}
    if "eks:nodegroup-name" in tags:
        return
    names = [key.removeprefix(_TAG) for key, value in tags.items() if key.startswith(_TAG) and value == "owned"]
    state: Any = eks_backends[group.account_id][group.region]
    for name in names:
        cluster = state.clusters.get(name)
        if cluster is not None and state.cluster_status(cluster) in ("ACTIVE", "UPDATING"):
            _join(state, cluster, group)


def _join(state: State, cluster: Cluster, group: Any) -> None:
    nodes = [
        item.instance
        for item in group.instance_states
        if item.lifecycle_state == "InService" and group.status is None and _ready(state, cluster, item.instance)
    ]
    cluster.joined[group.name] = len(nodes)
    for instance in nodes if cluster.ipv6 else []:
        interface = instance.nics[0]
        if not interface.ipv6_prefix_list:
            interface.take_prefixes([], 1)


def _ready(state: State, cluster: Cluster, instance: Any) -> bool:
    role = _role(state, instance)
    return role is not None and _let_in(state, cluster, role) and node_problem(state, cluster, role) is None


def _let_in(state: State, cluster: Cluster, role: str) -> bool:
    mode = cluster.facts["accessConfig"]["authenticationMode"]
    entry = cluster.access_entries.get(role)
    if mode != "CONFIG_MAP" and entry is not None and entry.facts.get("type") in _LINUX:
        return True
    if mode == "API":
        return False
    return hooks.maps_role is None or hooks.maps_role(state.account_id, state.region_name, cluster.name, role)


def _role(state: State, instance: Any) -> str | None:
    """The ARN of the role in the instance's profile."""
    association = state.network.ec2.iam_instance_profile_associations.get(instance.id)
    roles = association.iam_instance_profile.roles if association is not None else []
    return next((str(role.arn) for role in roles), None)
