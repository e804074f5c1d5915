# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that EKS does not manage: which instances join a cluster, and what its CNI does there.

An instance joins the cluster that its user data names when it runs (and is in service in its Auto Scaling group),
carries the tag `kubernetes.io/cluster/NAME=owned`, was told the cluster's endpoint and authority or may ask for them,
can look itself up, and has a role that the cluster lets in: by an access entry for Linux nodes, or by the ConfigMap
aws-auth, which counts as right where no Kubernetes API server is emulated (EKS user guide, self-managed nodes and their
troubleshooting). A node stays as long as its instance, and is not ready once it could no longer join. Presumed: the CNI
of an IPv6 cluster takes its first /80 as soon as a node is ready; without an IPv6 address nothing joins such a cluster.
"""

from __future__ import annotations

from typing import Any

from moto.eks.models import eks_backends

from . import hooks
from .health import looks_itself_up, node_problem
from .state import Cluster, Joined, State
from .user_data import Join, read

_TAG = "kubernetes.io/cluster/"
_LINUX = ("EC2_LINUX", "EC2")


def look(account_id: str, region: str) -> None:
    """Instances or what they depend on may have changed: nodes come, go, and become ready or not."""
    if region not in eks_backends[account_id]:
        return
    state: Any = eks_backends[account_id][region]
    for cluster in list(state.clusters.values()):
        if state.cluster_status(cluster) in ("ACTIVE", "UPDATING"):
            _look(state, cluster)


def _look(state: State, cluster: Cluster) -> None:
    nodes = {}
    for instance in state.network.ec2.all_instances():
        told = _told(state, cluster, instance)
        held = cluster.joined.get(instance.id)
        if told is None or instance.state == "terminated":
            continue
        role = _role(state, instance)
        able = role is not None and _in_service(instance) and _can_join(state, cluster, instance, role, told)
        if able or held is not None:
            ready = able and role is not None and node_problem(state, cluster, role) is None
            nodes[str(instance.id)] = Joined(role or "", ready, _ipv6(cluster, told), told.labels, told.taints)
    changed = nodes != cluster.joined
    cluster.joined = nodes
    for identity, node in nodes.items() if cluster.ipv6 else ():
        interface = state.network.ec2.get_instance(identity).nics[0]
        if node.ready and not interface.ipv6_prefix_list:
            interface.take_prefixes([], 1)
    if changed and hooks.nodes_joined is not None:
        facts = {**cluster.facts, "status": state.cluster_status(cluster)}
        hooks.nodes_joined(state.account_id, state.region_name, facts, nodes)


def _told(state: State, cluster: Cluster, instance: Any) -> Join | None:
    """What the instance was told of this cluster."""
    if instance.user_data is None:
        return None
    tags = state.network.ec2.tags[instance.id]
    if tags.get(_TAG + cluster.name) != "owned" or "eks:nodegroup-name" in tags:
        return None
    image = state.network.ec2.amis.get(instance.image_id)
    told = read(str(instance.user_data), str(image.name) if image is not None else "")
    return told if told is not None and told.cluster == cluster.name else None


def _in_service(instance: Any) -> bool:
    """It runs; one of an Auto Scaling group once it is past Pending."""
    group = getattr(instance, "autoscaling_group", None)
    pending = [] if group is None else [item for item in group.instance_states if item.lifecycle_state == "Pending"]
    return instance.state == "running" and instance.id not in [item.instance.id for item in pending]


def _can_join(state: State, cluster: Cluster, instance: Any, role: str, told: Join) -> bool:
    if told.endpoint is None:
        found = not state.iam.missing_actions(role, [("eks:DescribeCluster", cluster.arn)])
    else:
        authority = cluster.facts["certificateAuthority"]["data"]
        found = (told.endpoint, told.authority) == (cluster.facts["endpoint"], authority)
    addressed = bool(instance.nics[0].ipv6_addresses) or not (cluster.ipv6 or _ipv6(cluster, told))
    return found and addressed and looks_itself_up(state, role) and _let_in(state, cluster, role)


def _ipv6(cluster: Cluster, told: Join) -> bool:
    return cluster.ipv6 if told.ipv6 is None else told.ipv6


def _let_in(state: State, cluster: Cluster, role: str) -> bool:
    """Access entries come before aws-auth (EKS user guide, access entries)."""
    mode = cluster.facts["accessConfig"]["authenticationMode"]
    entry = cluster.access_entries.get(role)
    if mode != "CONFIG_MAP" and entry is not None:
        return entry.facts.get("type") in _LINUX
    if mode == "API":
        return False
    return hooks.maps_nodes is None or hooks.maps_nodes(state.account_id, state.region_name, cluster.name, role)


def _role(state: State, instance: Any) -> str | None:
    """The ARN of the role in the instance's profile."""
    association = state.network.ec2.iam_instance_profile_associations.get(instance.id)
    roles = association.iam_instance_profile.roles if association is not None else []
    return next((str(role.arn) for role in roles), None)
