# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node's first boot must be told: the cluster it joins, and what its owner wishes (pure).

One description serves every AMI family. A renderer takes both and returns text; what must not be rendered is said as
C(Problem)s, all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from .. import addressing, kubernetes_labels
from ..plan import PENDING, Problem, is_pending

FAMILIES = ("al2", "al2023", "bottlerocket")
AMI_SOURCE = "amazon-eks-ami, bootstrap.sh and nodeadm"
FAMILY_SOURCE = "EKS User Guide, IPv6 addresses for clusters, pods, and services"
UNIQUE_LOCAL = IPv6Network("fd00::/8")
SERVICE_PREFIX = 108  # the only size that EKS gives a service range
# What describes a pod's place on a node, in AWS's words and in Kubernetes' own.
EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}
# Flags that this collection sets itself, or that decide the family: a second value would win or clash.
OWN_KUBELET_FLAGS = ("--node-ip", "--cluster-dns", "--max-pods", "--node-labels", "--register-with-taints")


@dataclass(frozen=True)
class Cluster:
    """The cluster a node joins, as C(eks_cluster) returns it."""

    name: str
    endpoint: str = ""
    certificate_authority_data: str = ""
    service_ipv6_cidr: str = ""
    ip_family: str = "ipv6"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Cluster:
        """From the fact C(cluster) of the modules eks_cluster and eks_cluster_info."""
        return cls(
            name=str(facts.get("name") or ""),
            endpoint=str(facts.get("endpoint") or ""),
            certificate_authority_data=str(facts.get("certificate_authority_data") or ""),
            service_ipv6_cidr=str(facts.get("service_ipv6_cidr") or ""),
            ip_family=str(facts.get("ip_family") or "ipv6"),
        )

    @property
    def service_cidr(self) -> str:
        """The service range in its one spelling, which ends in C(::) or C(:0) before the slash.

        bootstrap.sh and nodeadm write C(a) behind the text before the slash: only so is that the tenth address.
        """
        cidr = self.service_ipv6_cidr
        return cidr if is_pending(cidr) else addressing.canonical(cidr)

    @property
    def dns_address(self) -> str:
        """Where the cluster's DNS answers."""
        cidr = self.service_ipv6_cidr
        return cidr if is_pending(cidr) else addressing.dns_address(cidr)


@dataclass(frozen=True)
class Part:
    """A part of the user's own: C(content_type) is that of cloud-init."""

    content: str
    content_type: str = "text/x-shellscript"


@dataclass(frozen=True)
class Node:
    """A node as its owner wishes it. None and empty mean the AMI's own default.

    C(completed_by_eks) is for the launch template of a managed node group without an AMI of its own: EKS adds the
    cluster's coordinates itself, so these are left out. C(local_disks) is C(raid0), C(raid10) or C(mount).
    """

    family: str
    max_pods: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[tuple[str, str, str], ...] = ()  # key, value, effect in Kubernetes' words
    kubelet_arguments: tuple[str, ...] = ()
    kubelet_config: Mapping[str, Any] = field(default_factory=dict)
    bootstrap_arguments: tuple[str, ...] = ()
    containerd_config: str = ""
    local_disks: str = ""
    node_config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts_before: tuple[Part, ...] = ()
    parts_after: tuple[Part, ...] = ()
    completed_by_eks: bool = False

    @classmethod
    def from_options(cls, family: str, options: Mapping[str, Any]) -> Node:
        """From a module's or a filter's options."""
        given = {name: value for name, value in options.items() if value is not None}
        return cls(
            family=family,
            max_pods=given.get("max_pods"),
            labels=kubernetes_labels.texts(given.get("labels", {})),
            taints=tuple(_taint(taint) for taint in given.get("taints", ())),
            kubelet_arguments=tuple(given.get("kubelet_arguments", ())),
            kubelet_config=given.get("kubelet_config", {}),
            bootstrap_arguments=tuple(given.get("bootstrap_arguments", ())),
            containerd_config=given.get("containerd_config", ""),
            local_disks=given.get("local_disks", ""),
            node_config=given.get("node_config", {}),
            settings=given.get("settings", {}),
            parts_before=_parts(given.get("parts_before", ())),
            parts_after=_parts(given.get("parts_after", ())),
            completed_by_eks=bool(given.get("completed_by_eks", False)),
        )

    @property
    def label_list(self) -> str:
        """The labels as the kubelet takes them."""
        return ",".join(f"{key}={value}" for key, value in sorted(self.labels.items()))

    @property
    def taint_list(self) -> str:
        """The taints as the kubelet takes them."""
        return ",".join(f"{key}={value}:{effect}" for key, value, effect in self.taints)


def refuse(cluster: Cluster, node: Node) -> list[Problem]:
    """What no renderer takes, whatever the family."""
    problems = [] if node.completed_by_eks else list(_refuse_cluster(cluster))
    return [*problems, *_refuse_marks(node), *_refuse_kubelet(node), *_refuse_elsewhere(node)]


def refuse_service_range(cidr: str, option: str = "service_ipv6_cidr") -> Iterator[Problem]:
    """What cannot be the service range of an IPv6 cluster.

    The VPC's range is the common slip: the node boots, joins, and every pod asks a DNS server that is not there.
    """
    remedy = "Give cluster.service_ipv6_cidr as eks_cluster returns it (kubernetesNetworkConfig.serviceIpv6Cidr)."
    if is_pending(cidr):
        return
    if not cidr:
        yield Problem(
            option, "is missing; without it a node has no DNS, or becomes an IPv4 node.", remedy, FAMILY_SOURCE
        )
        return
    try:
        block = addressing.network(cidr)
    except addressing.AddressError as error:
        yield Problem(option, f"{error}.", remedy)
        return
    if isinstance(block, IPv4Network):
        yield Problem(option, f"{cidr} is an IPv4 range; an IPv6 cluster's services have none.", remedy, FAMILY_SOURCE)
    elif not block.subnet_of(UNIQUE_LOCAL):
        yield Problem(
            option,
            f"{cidr} is public space, such as a VPC's; EKS takes service ranges from the unique local {UNIQUE_LOCAL}.",
            remedy,
            AMI_SOURCE,
        )
    elif block.prefixlen != SERVICE_PREFIX:
        yield Problem(
            option, f"{cidr} is no /{SERVICE_PREFIX}, as every service range of EKS is.", remedy, FAMILY_SOURCE
        )


def _refuse_cluster(cluster: Cluster) -> Iterator[Problem]:
    if cluster.ip_family != "ipv6":
        yield Problem(
            "cluster",
            f"{cluster.name} is in the family {cluster.ip_family}; this renders IPv6 nodes.",
            source=AMI_SOURCE,
        )
        return
    yield from refuse_service_range(cluster.service_ipv6_cidr)
    remedy = "Give the fact cluster of eks_cluster or eks_cluster_info, of an ACTIVE cluster."
    for option in ("name", "endpoint", "certificate_authority_data"):
        if not getattr(cluster, option):
            yield Problem(
                f"cluster.{option}",
                "is missing; without it the node asks DescribeCluster, and that overrules what it was told.",
                remedy,
                AMI_SOURCE,
            )
    endpoint = cluster.endpoint
    if endpoint and not endpoint.startswith(("https://", PENDING)):
        yield Problem("cluster.endpoint", f"{endpoint!r} is no https URL.", remedy)


def _refuse_marks(node: Node) -> Iterator[Problem]:
    for key, value in node.labels.items():
        if not kubernetes_labels.valid(key, value):
            yield Problem("labels", f"{key}={value} is no Kubernetes label.")
    for key, value, effect in node.taints:
        if not kubernetes_labels.valid(key, value):
            yield Problem("taints", f"{key}={value} is no Kubernetes taint.")
        if effect not in EFFECTS.values():
            yield Problem("taints", f"{effect!r} is no effect.", f"It is one of {', '.join(EFFECTS)}.")
    if node.max_pods is not None and not 1 <= node.max_pods <= 1022:
        # 169.254.172.0/22 gives each pod of a node its IPv4 egress address.
        yield Problem(
            "max_pods", f"{node.max_pods} is outside 1 to 1022.", source="amazon-vpc-cni-k8s, host-local range"
        )


def _refuse_kubelet(node: Node) -> Iterator[Problem]:
    for argument in node.kubelet_arguments:
        name = argument.split("=", 1)[0]
        if not re.fullmatch(r"--[a-z0-9][a-z0-9-]*(=.*)?", argument, re.DOTALL):
            yield Problem("kubelet_arguments", f"{argument!r} is no argument of the form --name=value.")
        elif name in OWN_KUBELET_FLAGS:
            yield Problem(
                "kubelet_arguments",
                f"{name} is set from the cluster's family or from an option of its own.",
                "Use max_pods, labels or taints, or leave it out.",
                AMI_SOURCE,
            )
    for name in ("clusterDNS", "maxPods"):
        if name in node.kubelet_config:
            yield Problem(
                "kubelet_config", f"{name} is set from the cluster's service range or from max_pods.", "Leave it out."
            )


def _refuse_elsewhere(node: Node) -> Iterator[Problem]:
    """Options that another family has, and parts that would undo ours."""
    only: dict[str, tuple[str, ...]] = {
        "kubelet_arguments": ("al2", "al2023"),
        "kubelet_config": ("al2023",),
        "bootstrap_arguments": ("al2",),
        "containerd_config": ("al2", "al2023"),
        "node_config": ("al2023",),
        "settings": ("bottlerocket",),
        "parts_before": ("al2", "al2023"),
        "parts_after": ("al2", "al2023"),
    }
    for option, families in only.items():
        if getattr(node, option) and node.family not in families:
            yield Problem(option, f"{node.family} has nothing of the kind; it is for {', '.join(families)}.")
    if node.local_disks not in ("", "raid0", "raid10", "mount"):
        yield Problem("local_disks", f"{node.local_disks!r} is none of raid0, raid10, mount.")
    for option, part in _own_parts(node):
        if "/etc/eks/bootstrap.sh" in part.content:
            reason = (
                "is called once, by what is rendered" if node.family == "al2" else "only fails on Amazon Linux 2023"
            )
            yield Problem(option, f"bootstrap.sh {reason}.", "Take the call out of the part.", AMI_SOURCE)
        if "application/node.eks.aws" in part.content_type or "application/node.eks.aws" in part.content:
            yield Problem(
                option, "a NodeConfig of one's own would override the rendered one unseen.", "Give it as node_config."
            )
        if not part.content.strip():
            yield Problem(option, "has a part without content.")
        if not re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", part.content_type):
            yield Problem(option, f"{part.content_type!r} is no content type.")


def _own_parts(node: Node) -> Iterator[tuple[str, Part]]:
    yield from (("parts_before", part) for part in node.parts_before)
    yield from (("parts_after", part) for part in node.parts_after)


def _parts(given: Sequence[Any]) -> tuple[Part, ...]:
    """A part may be given as its text alone."""
    return tuple(
        Part(item)
        if isinstance(item, str)
        else Part(str(item.get("content") or ""), item.get("content_type") or Part.content_type)
        for item in given
    )


def _taint(taint: Mapping[str, Any]) -> tuple[str, str, str]:
    effect = str(taint.get("effect") or "")
    value = taint.get("value")
    return str(taint.get("key") or ""), kubernetes_labels.text(value), EFFECTS.get(effect, effect)
