# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a cluster with what EKS puts in one."""

from __future__ import annotations

from ipaddress import ip_network

from . import cni, manifests
from .api import KubernetesAPI

DEFAULT_CNI = "v1.19.0-eksbuild.1"


def seed(
    cluster: KubernetesAPI,
    *,
    cni_version: str | None = DEFAULT_CNI,
    cni_flavour: str | None = None,
    cni_env: dict[str, str] | None = None,
    nodes: int = 3,
    subnet: str = "2001:db8:1234:1a00::/64",
    load_balancer_controller: str | None = None,
) -> None:
    """Installs the CNI, kube-proxy and CoreDNS, and adds nodes.

    Args:
        cni_version: None leaves the CNI out.
        cni_flavour: ipv4 or ipv6; by default the cluster's family. ipv4 on an IPv6 cluster is the published manifest
            where it doesn't belong.
        cni_env: more environment for aws-node, or other values.
        nodes: how many; in turn in three availability zones, named after their addresses.
        subnet: an IPv6 /64 that the nodes are in.
        load_balancer_controller: its version; None leaves it out.
    """
    ipv6 = cluster.services.family == "IPv6"
    if cni_version is not None:
        cluster.objects.add(*cni.aws_node(cni_version, cni_flavour or cluster.services.family.lower(), cni_env))
    cluster.objects.add(*manifests.kube_proxy())
    for index in range(nodes):
        address = str(ip_network(subnet)[0x100 + index]) if ipv6 else None
        name = (
            f"i-{index:017x}.eu-west-1.compute.internal"
            if ipv6
            else f"ip-10-0-0-{10 + index}.eu-west-1.compute.internal"
        )
        cluster.objects.add(
            manifests.node(
                name, address, f"10.0.0.{10 + index}", zone=f"eu-west-1{'abc'[index % 3]}", instance=f"i-{index:017x}"
            )
        )
    cluster.objects.add(*manifests.coredns(cluster.services.dns_address))
    if load_balancer_controller is not None:
        cluster.objects.add(*manifests.load_balancer_controller(load_balancer_controller))
