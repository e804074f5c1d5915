# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amazon Linux 2's C(bootstrap.sh): its arguments, and the script that calls it (pure, legacy).

AWS has published no AMI of this family since November 2025. Arguments are always separated by a space: C(bootstrap.sh)
swallows C(--option=value) as the cluster's name, and the node silently becomes an IPv4 node (amazon-eks-ami).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..plan import Problem
from .description import AMI_SOURCE, Cluster, Node, Part

CONTAINERD_FILE = "/etc/eks/containerd/own-config.toml"
# What bootstrap.sh documents and this collection leaves to the user; those with a value.
FREE_ARGUMENTS = (
    "--aws-api-retry-attempts",
    "--container-runtime",
    "--docker-config-json",
    "--mount-bpf-fs",
    "--pause-container-account",
    "--pause-container-version",
)
OWN_ARGUMENTS = (
    "--ip-family",
    "--service-ipv6-cidr",
    "--b64-cluster-ca",
    "--apiserver-endpoint",
    "--use-max-pods",
    "--kubelet-extra-args",
    "--local-disks",
    "--containerd-config-file",
)
REFUSED_ARGUMENTS = {
    "--service-ipv4-cidr": "an IPv6 cluster has no IPv4 service range",
    "--dns-cluster-ip": "the DNS address comes from the service range",
    "--enable-local-outpost": "IPv6 clusters have no nodes on Outposts",
    "--cluster-id": "it is for Outposts, which IPv6 clusters have not",
}


def refuse(node: Node) -> Iterator[Problem]:
    """What C(bootstrap.sh) must not be given."""
    if node.completed_by_eks:
        yield Problem(
            "completed_by_eks", "EKS calls bootstrap.sh itself for Amazon Linux 2 and takes no arguments to it.",
            "Give the launch template an AMI of its own, or take AL2023.", "EKS User Guide, launch templates"
        )  # fmt: skip
    names = node.bootstrap_arguments[::2]
    for name in node.bootstrap_arguments:
        if name.startswith("--") and "=" in name:
            yield Problem(
                "bootstrap_arguments",
                f"{name} is taken for the cluster's name, and the node becomes an IPv4 node.",
                "Give name and value as two entries.",
                AMI_SOURCE,
            )
            return
    if len(node.bootstrap_arguments) % 2:
        yield Problem("bootstrap_arguments", "each name must be followed by its value.", source=AMI_SOURCE)
    for name in names:
        if name in REFUSED_ARGUMENTS:
            yield Problem("bootstrap_arguments", f"{name}: {REFUSED_ARGUMENTS[name]}.", "Leave it out.", AMI_SOURCE)
        elif name in OWN_ARGUMENTS:
            yield Problem("bootstrap_arguments", f"{name} is rendered from the cluster or from an option of its own.")
        elif name not in FREE_ARGUMENTS:
            yield Problem("bootstrap_arguments", f"bootstrap.sh documents no {name}.", source=AMI_SOURCE)


def arguments(cluster: Cluster, node: Node) -> list[str]:
    """The arguments of C(bootstrap.sh), the cluster's name first; CA and endpoint never go without the family."""
    found = [
        cluster.name,
        "--ip-family",
        "ipv6",
        "--service-ipv6-cidr",
        cluster.service_cidr,
        "--b64-cluster-ca",
        cluster.certificate_authority_data,
        "--apiserver-endpoint",
        cluster.endpoint,
    ]
    if node.max_pods is not None:
        # Its own table counts addresses, not prefixes.
        found += ["--use-max-pods", "false"]
    extra = kubelet_arguments(node)
    if extra:
        found += ["--kubelet-extra-args", " ".join(extra)]
    if node.containerd_config:
        found += ["--containerd-config-file", CONTAINERD_FILE]
    if node.local_disks:
        found += ["--local-disks", node.local_disks]
    return [*found, *node.bootstrap_arguments]


def command_line(cluster: Cluster, node: Node) -> str:
    """The arguments as a shell takes them."""
    return " ".join(map(shlex.quote, arguments(cluster, node)))


def parts(cluster: Cluster, node: Node) -> list[Part]:
    """The script that calls C(bootstrap.sh), between the user's parts."""
    lines = ["#!/bin/bash -eu"]
    if node.containerd_config:
        lines += [
            f"mkdir -p {shlex.quote(CONTAINERD_FILE.rsplit('/', 1)[0])}",
            f"printf '%s' {shlex.quote(node.containerd_config)} > {CONTAINERD_FILE}",
        ]
    lines.append(f"/etc/eks/bootstrap.sh {command_line(cluster, node)}")
    return [*node.parts_before, Part("\n".join(lines) + "\n"), *node.parts_after]


def kubelet_arguments(node: Node) -> list[str]:
    """The kubelet's arguments; here C(--name=value) is right."""
    found = []
    if node.max_pods is not None:
        found.append(f"--max-pods={node.max_pods}")
    if node.labels:
        found.append(f"--node-labels={node.label_list}")
    if node.taints:
        found.append(f"--register-with-taints={node.taint_list}")
    return [*found, *node.kubelet_arguments]
