# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_cluster_info against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Player

from eksops_emulator.eks.sample import Sample

MODULE = "eks_cluster_info"


def test_one_cluster_has_the_facts_that_making_it_returned(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    made = player("eks_cluster", name="one", role_arn=world.cluster_role, subnet_ids=world.private)["cluster"]
    assert player(MODULE, name="one")["clusters"] == [made]


def test_all_clusters_come_by_name(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    for name in ("two", "one"):
        world.cluster(name)
    assert [cluster["name"] for cluster in player(MODULE)["clusters"]] == ["one", "two"]


def test_no_cluster_is_an_empty_list(player: Player) -> None:
    assert player(MODULE, name="nobody")["clusters"] == []
    assert player(MODULE)["clusters"] == []


def test_nodes_are_told_whoever_made_them(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.way_out()
    world.cluster("one")
    world.cni()
    world.nodegroup("workers")
    tag = {"ResourceId": "own", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    made = world.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData={"InstanceType": "m7g.large"})
    aws("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="own",
        MinSize=0,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"]},
        VPCZoneIdentifier=world.private[0],
        Tags=[{**tag, "Key": "kubernetes.io/cluster/one", "Value": "owned"}],
    )
    (cluster,) = player(MODULE, name="one", include_nodes=True)["clusters"]
    assert cluster["nodes"] == [
        {"source": "the managed node group", "name": "workers", "count": 2, "role_arns": [world.node_role]},
        {"source": "the Auto Scaling group", "name": "own", "count": 0, "role_arns": []},
    ]
    assert "nodes" not in player(MODULE, name="one")["clusters"][0]
