# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that EKS does not manage: who joins, and what the CNI does there. What they read is in test_eks_user_data.py.

Source: EKS user guide, self-managed nodes and access entries.
That the CNI takes its first /80 as soon as a node has joined is presumed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from eksops_emulator.eks.sample import Sample

IMAGE = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id"


def world_of(aws: Callable[..., Any], mode: str) -> Sample:
    """An IPv6 cluster of this authentication mode with its CNI, and a profile of the nodes' role."""
    world = Sample(aws)
    world.cluster(accessConfig={"authenticationMode": mode})
    world.cni()
    name = world.node_role.rsplit("/", 1)[-1]
    world.iam.create_instance_profile(InstanceProfileName=name)
    world.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return world


@pytest.fixture
def sample(aws: Callable[..., Any]) -> Sample:
    """A cluster that reads access entries only."""
    return world_of(aws, "API")


def let_in(sample: Sample, kind: str = "EC2_LINUX") -> None:
    sample.eks.create_access_entry(clusterName="one", principalArn=sample.node_role, type=kind)


def template(sample: Sample, cluster: str = "one", **changes: str) -> None:
    """A launch template `own` whose user data joins a cluster; `changes` are what it tells otherwise."""
    facts = sample.eks.describe_cluster(name="one")["cluster"]
    told = {
        "name": cluster,
        "apiServerEndpoint": facts["endpoint"],
        "certificateAuthority": facts["certificateAuthority"]["data"],
        "cidr": facts["kubernetesNetworkConfig"]["serviceIpv6Cidr"],
    }
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {"cluster": {**told, **changes}}}
    data = {
        "ImageId": sample.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"],
        "InstanceType": "m6i.large",
        "IamInstanceProfile": {"Name": sample.node_role.rsplit("/", 1)[-1]},
        "UserData": base64.b64encode(json.dumps(config).encode()).decode(),
    }
    sample.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=data)


def prefixes(sample: Sample, cluster: str = "one", tag_of: str = "one", **changes: str) -> list[int]:
    """How many prefixes each instance of a new group has, once all are in service."""
    template(sample, cluster, **changes)
    tag = {"ResourceId": "own", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    asg = sample.client("autoscaling")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="own",
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=",".join(sample.private),
        LaunchTemplate={"LaunchTemplateName": "own"},
        Tags=[{**tag, "Key": f"kubernetes.io/cluster/{tag_of}", "Value": "owned"}],
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


@pytest.mark.parametrize("cluster", ["one", "another"])
@pytest.mark.parametrize("tag_of", ["one", "another"])
def test_a_node_carries_the_tag_of_the_cluster_it_was_told(sample: Sample, cluster: str, tag_of: str) -> None:
    let_in(sample)
    assert prefixes(sample, cluster, tag_of) == ([1, 1] if (cluster, tag_of) == ("one", "one") else [0, 0])


@pytest.mark.parametrize(
    ("field", "value", "count"),
    [
        ("apiServerEndpoint", "https://another.gr7.eks-cluster.eu-west-1.api.aws", 0),
        ("certificateAuthority", "YW5vdGhlcg==", 0),
        ("cidr", "", 0),
        ("cidr", "fd99:1:2::/108", 1),
        ("cidr", "10.100.0.0/16", 1),
    ],
)
def test_what_a_node_was_told_of_its_cluster(sample: Sample, field: str, value: str, count: int) -> None:
    """A wrong service range shows only in the DNS of its pods; that a node of IPv4 becomes ready is presumed."""
    let_in(sample)
    assert prefixes(sample, **{field: value}) == [count] * 2


def test_a_node_without_an_ipv6_address_does_not_join(sample: Sample) -> None:
    let_in(sample)
    for subnet in sample.private:
        sample.ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    assert prefixes(sample) == [0, 0]


def test_a_node_that_is_let_in_later_joins_then(sample: Sample) -> None:
    assert prefixes(sample) == [0, 0]
    let_in(sample)
    described = sample.ec2.describe_instances()["Reservations"]
    interfaces = [item["NetworkInterfaces"][0] for one in described for item in one["Instances"]]
    assert [len(item["Ipv6Prefixes"]) for item in interfaces] == [1, 1]


def test_an_instance_of_no_group_joins(sample: Sample) -> None:
    """RunInstances takes profile and user data from the template."""
    let_in(sample)
    template(sample)
    tags = [{"Key": "kubernetes.io/cluster/one", "Value": "owned"}]
    made = sample.ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": "own"},
        MinCount=1,
        MaxCount=1,
        SubnetId=sample.private[0],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]["InstanceId"]
    (instance,) = sample.ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
    assert instance["IamInstanceProfile"]["Arn"].endswith("/node")
    assert len(instance["NetworkInterfaces"][0]["Ipv6Prefixes"]) == 1


@pytest.mark.parametrize(("kind", "count"), [("STANDARD", 0), ("EC2_LINUX", 1)])
def test_an_access_entry_comes_before_aws_auth(aws: Callable[..., Any], kind: str, count: int) -> None:
    """Without a Kubernetes API server aws-auth counts as right."""
    world = world_of(aws, "API_AND_CONFIG_MAP")
    let_in(world, kind)
    assert prefixes(world) == [count] * 2


def test_without_an_access_entry_aws_auth_counts(aws: Callable[..., Any]) -> None:
    assert prefixes(world_of(aws, "CONFIG_MAP")) == [1, 1]


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
