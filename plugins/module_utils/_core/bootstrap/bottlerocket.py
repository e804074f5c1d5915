# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bottlerocket's settings as TOML (pure).

Bottlerocket finds no IPv6 DNS address by itself: without C(cluster-dns-ip) it falls back to an IPv4 one, and to an IPv4
node address (bottlerocket-core-kit, pluto). It knows no multipart user data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..plan import Problem
from .description import Cluster, Node
from .documents import merged, toml_text

SOURCE = "Bottlerocket, settings.kubernetes"
OWN_SETTINGS = ("api-server", "cluster-certificate", "cluster-name", "cluster-dns-ip", "node-ip", "max-pods")
# What an instance store is bound to, so that images, pods' volumes and logs live on it.
EPHEMERAL_DIRECTORIES = ("/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods")


def refuse(node: Node) -> Iterator[Problem]:
    """What Bottlerocket has no setting for, or what would undo the cluster's."""
    kubernetes = node.settings.get("kubernetes", {})
    if not isinstance(kubernetes, Mapping):
        yield Problem("settings.kubernetes", "must be a dictionary.", source=SOURCE)
        return
    for name in kubernetes:
        if str(name).replace("_", "-") in OWN_SETTINGS:
            yield Problem(
                f"settings.kubernetes.{name}", "comes from the cluster or from max_pods.", "Leave it out.", SOURCE
            )
    try:
        toml_text(node.settings)
    except ValueError as error:
        yield Problem("settings", f"{error}.", source=SOURCE)
    if node.local_disks not in ("", "raid0"):
        yield Problem("local_disks", f"Bottlerocket makes one raid0 of them, not {node.local_disks}.")


def settings(cluster: Cluster, node: Node) -> dict[str, Any]:
    """The settings as data."""
    kubernetes: dict[str, Any] = {}
    if not node.completed_by_eks:
        kubernetes = {
            "cluster-name": cluster.name,
            "api-server": cluster.endpoint,
            "cluster-certificate": cluster.certificate_authority_data,
        }
    if cluster.service_ipv6_cidr:
        kubernetes["cluster-dns-ip"] = cluster.dns_address
    if node.max_pods is not None:
        kubernetes["max-pods"] = node.max_pods
    if node.labels:
        kubernetes["node-labels"] = dict(sorted(node.labels.items()))
    if node.taints:
        kubernetes["node-taints"] = _taints(node)
    own: dict[str, Any] = {"kubernetes": kubernetes}
    if node.local_disks:
        own["bootstrap-commands"] = {
            "instance-store": {
                "commands": [
                    ["apiclient", "ephemeral-storage", "init"],
                    ["apiclient", "ephemeral-storage", "bind", "--dirs", *EPHEMERAL_DIRECTORIES],
                ],
                "mode": "always",
                "essential": True,
            }
        }
    return {"settings": merged(own, node.settings)}


def text(cluster: Cluster, node: Node) -> str:
    """The settings as TOML."""
    return toml_text(settings(cluster, node))


def _taints(node: Node) -> dict[str, list[str]]:
    """Taints by their key; one key may have several effects."""
    found: dict[str, list[str]] = {}
    for key, value, effect in node.taints:
        found.setdefault(key, []).append(f"{value}:{effect}")
    return found
