# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_addon_info against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Player

from eksops_emulator.eks.sample import Sample

MODULE = "eks_addon_info"


def test_addons_have_the_facts_that_making_them_returned(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.cluster("one", version="1.31", bootstrapSelfManagedAddons=False)
    agent = player("eks_addon", cluster_name="one", name="eks-pod-identity-agent", tags={"team": "network"})["addon"]
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    cni = player("eks_addon", cluster_name="one", name="vpc-cni", pod_identity_associations=associations)["addon"]
    assert player(MODULE, cluster_name="one")["addons"] == [agent, cni]
    found = player(MODULE, cluster_name="one", name="vpc-cni", offers=True)["addons"][0]
    offers = found.pop("offers")
    assert found == cni
    assert (offers["default"], offers["latest"]) == ("v1.20.4-eksbuild.2", "v1.23.1-eksbuild.1")
    assert offers["versions"][0] == offers["latest"] and "v1.10.1-eksbuild.1" in offers["versions"]


def test_what_is_under_way_or_unwell_is_said(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.cluster("one", version="1.31", bootstrapSelfManagedAddons=False)
    world.addon("coredns", "one")
    world.eks.create_addon(clusterName="one", addonName="kube-proxy")
    dns, proxy = player(MODULE, cluster_name="one")["addons"]
    assert dns["status"] == "DEGRADED"
    assert dns["health_issues"][0]["code"] == "InsufficientNumberOfReplicas"
    assert proxy["status"] == "CREATING"


def test_no_addon_and_no_cluster_are_an_empty_list(player: Player, aws: Callable[..., Any]) -> None:
    Sample(aws).cluster("one")
    assert player(MODULE, cluster_name="one", name="vpc-cni")["addons"] == []
    assert player(MODULE, cluster_name="nobody")["addons"] == []
