# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon Linux 2023's NodeConfig, which nodeadm reads (pure).

The family has no field: nodeadm takes it, and the DNS address, from C(spec.cluster.cidr), which is the service range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..plan import Problem
from .description import AMI_SOURCE, Cluster, Node, Part
from .documents import merged, yaml_text

CONTENT_TYPE = "application/node.eks.aws"
API_VERSION = "node.eks.aws/v1alpha1"
STRATEGIES = {"raid0": "RAID0", "raid10": "RAID10", "mount": "Mount"}
# The documented fields that a user may set besides ours. A mapping lists the fields below; None leaves them free.
FIELDS: dict[str, Any] = {
    "kubelet": {"config": None, "flags": None, "maxPodsExpression": None},
    "containerd": {"config": None, "baseRuntimeSpec": None},
    "instance": {
        "localStorage": {"strategy": None, "mountPath": None, "disabledMounts": None},
        "environment": None,
        "network": {"nameservers": None, "domains": None},
    },
    "featureGates": {"InstanceIdNodeName": None, "FastImagePull": None},
}
API_SOURCE = "nodeadm API reference, NodeConfig"


def refuse(node: Node) -> list[Problem]:
    """What nodeadm does not know, or what would turn the node away from its cluster."""
    problems = []
    config = node.node_config
    details = config.get("cluster")
    if details is not None:
        outpost = isinstance(details, Mapping) and "enableOutpost" in details
        reason = "IPv6 clusters have no nodes on Outposts" if outpost else "it comes from the cluster itself"
        problems.append(Problem("node_config.cluster", f"{reason}.", "Leave it out.", AMI_SOURCE))
    problems += _unknown({name: value for name, value in config.items() if name != "cluster"}, FIELDS, "node_config")
    problems += _refuse_kubelet(config.get("kubelet"))
    return problems


def node_config(cluster: Cluster, node: Node) -> dict[str, Any]:
    """The NodeConfig as data."""
    spec: dict[str, Any] = {}
    if not node.completed_by_eks:
        spec["cluster"] = {
            "name": cluster.name,
            "apiServerEndpoint": cluster.endpoint,
            "certificateAuthority": cluster.certificate_authority_data,
            "cidr": cluster.service_cidr,
        }
    own: dict[str, Any] = {}
    config = dict(node.kubelet_config)
    if node.max_pods is not None:
        config["maxPods"] = node.max_pods
    flags = _flags(node)
    if config or flags:
        own["kubelet"] = {**({"config": config} if config else {}), **({"flags": flags} if flags else {})}
    if node.containerd_config:
        own["containerd"] = {"config": node.containerd_config}
    if node.local_disks:
        own["instance"] = {"localStorage": {"strategy": STRATEGIES[node.local_disks]}}
    return {"apiVersion": API_VERSION, "kind": "NodeConfig", "spec": {**spec, **merged(own, node.node_config)}}


def text(cluster: Cluster, node: Node) -> str:
    """The NodeConfig as YAML."""
    return "---\n" + yaml_text(node_config(cluster, node))


def parts(cluster: Cluster, node: Node) -> list[Part]:
    """The NodeConfig between the user's parts."""
    return [*node.parts_before, Part(text(cluster, node), CONTENT_TYPE), *node.parts_after]


def _flags(node: Node) -> list[str]:
    found = []
    if node.labels:
        found.append(f"--node-labels={node.label_list}")
    if node.taints:
        found.append(f"--register-with-taints={node.taint_list}")
    return [*found, *node.kubelet_arguments]


def _unknown(given: Any, known: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        yield Problem(where, "must be a dictionary.", source=API_SOURCE)
        return
    for name, value in given.items():
        if name not in known:
            remedy = f"It knows {', '.join(sorted(known))}."
            yield Problem(f"{where}.{name}", "nodeadm documents no such field.", remedy, API_SOURCE)
        elif known[name] is not None:
            yield from _unknown(value, known[name], f"{where}.{name}")


def _refuse_kubelet(kubelet: Any) -> Iterator[Problem]:
    """Nothing of the kubelet that decides the family may come in by this way either."""
    if not isinstance(kubelet, Mapping):
        return
    config = kubelet.get("config")
    if isinstance(config, Mapping) and "clusterDNS" in config:
        yield Problem(
            "node_config.kubelet.config", "clusterDNS comes from the service range.", "Leave it out.", AMI_SOURCE
        )
    flags = kubelet.get("flags") or ()
    if not isinstance(flags, (list, tuple)):
        yield Problem("node_config.kubelet.flags", "must be a list.", source=API_SOURCE)
        return
    for flag in flags:
        if str(flag).startswith(("--node-ip", "--cluster-dns")):
            yield Problem("node_config.kubelet.flags", f"{flag} is set from the family.", "Leave it out.", AMI_SOURCE)
