# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of groups that EKS does not manage: who joins, and what the CNI does there.

Source: EKS user guide, self-managed nodes.
That the CNI takes its first /80 as soon as a node has joined is presumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eksops_emulator.eks.sample import Sample

IMAGE = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id"


@pytest.fixture
def sample(aws: Callable[..., Any]) -> Sample:
    """An IPv6 cluster that reads access entries only, with its CNI, and a profile of the nodes' role."""
    world = Sample(aws)
    world.cluster(accessConfig={"authenticationMode": "API"})
    world.cni()
    name = world.node_role.rsplit("/", 1)[-1]
    world.iam.create_instance_profile(InstanceProfileName=name)
    world.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return world


def let_in(sample: Sample, kind: str = "EC2_LINUX") -> None:
    sample.eks.create_access_entry(clusterName="one", principalArn=sample.node_role, type=kind)


def prefixes(sample: Sample, cluster: str = "one") -> list[int]:
    """How many prefixes each instance of a new group has, once all are in service."""
    data = {
        "ImageId": sample.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"],
        "InstanceType": "m6i.large",
        "IamInstanceProfile": {"Name": sample.node_role.rsplit("/", 1)[-1]},
    }
    sample.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=data)
    tag = {"ResourceId": "own", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    asg = sample.client("autoscaling")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="own",
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=",".join(sample.private),
        LaunchTemplate={"LaunchTemplateName": "own"},
        Tags=[{**tag, "Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned"}],
    )
    for _unused in range(3):
        held = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["own"])["AutoScalingGroups"][0]["Instances"]
    assert [item["LifecycleState"] for item in held] == ["InService"] * 2
    found = sample.ec2.describe_instances(InstanceIds=[item["InstanceId"] for item in held])["Reservations"]
    interfaces = [item["NetworkInterfaces"][0] for one in found for item in one["Instances"]]
    return [len(item.get("Ipv6Prefixes", [])) for item in interfaces]


def test_nodes_that_are_let_in_have_a_prefix(sample: Sample) -> None:
    let_in(sample)
    assert prefixes(sample) == [1, 1]


def test_nodes_that_are_not_let_in_have_none(sample: Sample) -> None:
    assert prefixes(sample) == [0, 0]


def test_an_entry_for_people_lets_no_nodes_in(sample: Sample) -> None:
    let_in(sample, "STANDARD")
    assert prefixes(sample) == [0, 0]


def test_a_group_of_another_cluster_joins_none(sample: Sample) -> None:
    let_in(sample)
    assert prefixes(sample, "another") == [0, 0]


def test_a_cni_that_may_not_assign_takes_none(sample: Sample) -> None:
    let_in(sample)
    sample.iam.delete_role_policy(RoleName="cni", PolicyName="cni")
    assert prefixes(sample) == [0, 0]


def test_coredns_runs_on_nodes_that_have_joined(sample: Sample) -> None:
    let_in(sample)
    prefixes(sample)
    assert sample.addon("coredns")["status"] == "ACTIVE"


def test_a_template_with_a_profile_that_is_not_there_is_refused(sample: Sample) -> None:
    """The error is quoted in public issues."""
    let_in(sample)
    sample.iam.remove_role_from_instance_profile(
        InstanceProfileName=sample.node_role.rsplit("/", 1)[-1], RoleName=sample.node_role.rsplit("/", 1)[-1]
    )
    sample.iam.delete_instance_profile(InstanceProfileName=sample.node_role.rsplit("/", 1)[-1])
    with pytest.raises(sample.client("autoscaling").exceptions.ClientError, match="Invalid IAM Instance Profile name"):
        prefixes(sample)
