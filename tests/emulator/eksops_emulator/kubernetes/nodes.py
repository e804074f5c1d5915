# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node objects of EC2 instances, whoever manages them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import manifests
from .store import Item

if TYPE_CHECKING:
    from eksops_emulator.eks.state import Joined

Facts = dict[str, Any]
Place = tuple[str, str, str]  # account, region, instance id
GROUP_LABEL = "eks.amazonaws.com/nodegroup"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


def managed(place: Place, cluster: Facts, nodegroup: Facts, ready: bool) -> Item:
    """A node of a managed node group."""
    labels = {GROUP_LABEL: nodegroup["nodegroupName"], "eks.amazonaws.com/capacityType": nodegroup["capacityType"]}
    taints = [
        {key: value for key, value in {**taint, "effect": _EFFECTS[taint["effect"]]}.items() if value}
        for taint in nodegroup.get("taints") or []
    ]
    return _node(
        place,
        cluster,
        cluster["kubernetesNetworkConfig"]["ipFamily"] == "ipv6",
        labels=labels | (nodegroup.get("labels") or {}),
        taints=taints,
        ready=ready,
        kubelet=f"v{nodegroup.get('version') or cluster['version']}.0-eks-0000000",
        arch="arm64" if "ARM" in nodegroup.get("amiType", "") else "amd64",
    )


def joined(place: Place, cluster: Facts, node: Joined) -> Item:
    """A node that EKS does not manage, of its cluster's version."""
    from moto.ec2.models import ec2_backends

    from eksops_emulator.eks.neighbours import instance_type

    account, region, identity = place
    instance: Any = ec2_backends[account][region].get_instance(identity)
    machines = (instance_type(str(instance.instance_type)) or {})["ProcessorInfo"]["SupportedArchitectures"]
    taints = [
        {"key": key, "effect": effect, **({"value": value} if value else {})} for key, value, effect in node.taints
    ]
    return _node(
        place,
        cluster,
        node.ipv6,
        labels=node.labels,
        taints=taints,
        ready=node.ready,
        kubelet=f"v{cluster['version']}.0-eks-0000000",
        arch="arm64" if "arm64" in machines else "amd64",
    )


def _node(place: Place, cluster: Facts, ipv6: bool, *, labels: dict[str, str], **more: Any) -> Item:
    """The Node of an instance. `ipv6` is the family of its address."""
    from moto.ec2.models import ec2_backends

    account, region, identity = place
    instance: Any = ec2_backends[account][region].get_instance(identity)
    addresses = list(instance.nics[0].ipv6_addresses)
    ipv4 = str(instance.private_ip)
    # EKS names the nodes of IPv6 clusters after the instance, others after the address.
    by_instance = cluster["kubernetesNetworkConfig"]["ipFamily"] == "ipv6"
    name = identity if by_instance else f"ip-{ipv4.replace('.', '-')}"
    return manifests.node(
        f"{name}.{region}.compute.internal",
        addresses[0] if ipv6 and addresses else None,
        ipv4,
        labels={"node.kubernetes.io/instance-type": str(instance.instance_type), **labels},
        instance=identity,
        zone=str(instance.availability_zone),
        **more,
    )


def role_of(cluster: Any, node: Item) -> str:
    """The role of a node of a managed group, or of an instance that has joined; empty when it is neither."""
    group = cluster.nodegroups.get(node["metadata"]["labels"].get(GROUP_LABEL, ""))
    joined = cluster.joined.get(node["spec"].get("providerID", "").rsplit("/", 1)[-1])
    return str(group.facts["nodeRole"]) if group is not None else joined.role if joined is not None else ""
