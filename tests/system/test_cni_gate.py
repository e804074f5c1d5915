# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_addon lets a version of the VPC CNI in only when the role it runs with allows what that version calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations
from moto.eks.models import eks_backends

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import CNI_ACTIONS, CNI_ACTIONS_1_22, Sample

MODULE = "eks_addon"
CLUSTER = "production"
CNI = {"cluster_name": CLUSTER, "name": "vpc-cni"}
OLD, NEW = "v1.21.2-eksbuild.2", "v1.22.4-eksbuild.1"
UPDATE = ("eks", "UpdateAddon")
LACKING = "ec2:DescribeSecurityGroups, ec2:DescribeSubnets"


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    """A cluster without an add-on."""
    sample = Sample(aws)
    sample.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
    return sample


def stale(player: Player, world: Sample, identity: str) -> None:
    """A running CNI 1.21 whose role `role` allows what AWS's older documentation says."""
    if identity == "node_role":
        narrow(world)
        world.allow("node", CNI_ACTIONS)
        player(MODULE, **CNI, addon_version=OLD)
    elif identity == "irsa":
        issuer = world.eks.describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
        player("iam_oidc_provider", url=issuer)
        made = player("iam_cni_role", cluster_name=CLUSTER, identity="irsa", cni_version=OLD)["cni_role"]
        player(MODULE, **CNI, addon_version=OLD, service_account_role_arn=made["arn"])
    else:
        player(MODULE, cluster_name=CLUSTER, name="eks-pod-identity-agent")
        made = player("iam_cni_role", cluster_name=CLUSTER, cni_version=OLD)["cni_role"]
        association = {"namespace": "kube-system", "service_account": "aws-node", "role_arn": made["arn"]}
        player("eks_pod_identity_association", cluster_name=CLUSTER, **association)
        player(MODULE, **CNI, addon_version=OLD)
    world.nodegroup("workers", CLUSTER)


def narrow(world: Sample) -> None:
    """Nodes' roles with the policy that AWS names as the least; the usual one allows most of what the CNI describes."""
    arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNode{}Policy"
    assert world.node_role
    world.iam.detach_role_policy(RoleName="node", PolicyArn=arn.format(""))
    world.iam.attach_role_policy(RoleName="node", PolicyArn=arn.format("Minimal"))


def obey(player: Player, message: str) -> None:
    """Run the task that a message tells to run."""
    found = re.search(r"eksops\.ipv6\.iam_cni_role with ((?:\w+=[^ \s]+ ?)+)", message)
    assert found, message
    words = (word.rstrip(".").split("=", 1) for word in found[1].split())
    player("iam_cni_role", **{name: True if value == "true" else value for name, value in words})


@pytest.mark.parametrize(
    ("identity", "option"),
    [("irsa", "service_account_role_arn"), ("pod_identity", "name"), ("node_role", "name")],
)
@pytest.mark.parametrize("check", ["policy", "simulate"])
def test_a_stale_role_is_refused_and_the_task_it_names_mends_it(
    player: Player, world: Sample, identity: str, option: str, check: str
) -> None:
    stale(player, world, identity)
    before = len(player.writes())
    msg = player.fails(MODULE, **CNI, addon_version=NEW, cni_role_check=check)["msg"]
    assert player.writes()[before:] == []
    assert msg.startswith(f"{option}: vpc-cni {NEW} calls {LACKING}, which the role ")
    assert f"cni_version={NEW}" in msg
    warned = player.check(MODULE, **CNI, addon_version=NEW, cni_role_check=check)
    assert operations(warned["plan"]) == [UPDATE]
    assert any(warning.startswith(msg) for warning in warned["warnings"])
    obey(player, msg)
    result = player.converge(MODULE, **CNI, addon_version=NEW, cni_role_check=check)
    assert result["addon"]["status"] == "ACTIVE"
    assert world.eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName="workers")["nodegroup"]["status"] == "ACTIVE"


def test_every_version_on_the_way_counts(player: Player, world: Sample) -> None:
    """1.23 does without DescribeSecurityGroups, but the way there leads over 1.22."""
    stale(player, world, "pod_identity")
    player("iam_cni_role", cluster_name=CLUSTER, cni_version="v1.23.1-eksbuild.1")
    msg = player.fails(MODULE, **CNI, addon_version="latest")["msg"]
    assert f"vpc-cni {NEW} calls ec2:DescribeSecurityGroups, which" in msg
    assert "cni_version" not in msg
    obey(player, msg)
    assert player.converge(MODULE, **CNI, addon_version="latest")["addon"]["version"] == "v1.23.1-eksbuild.1"


def test_settings_turn_calls_on_and_off(player: Player, world: Sample) -> None:
    stale(player, world, "pod_identity")
    off = {"env": {"ENABLE_SUBNET_DISCOVERY": "false"}}
    msg = player.fails(MODULE, **CNI, addon_version=NEW, configuration_values=off)["msg"]
    assert "calls ec2:DescribeSecurityGroups, which" in msg
    player("iam_cni_role", cluster_name=CLUSTER, cni_version=NEW)
    several = {"env": {"ENABLE_MULTI_NIC": "true"}}
    msg = player.fails(MODULE, **CNI, addon_version=NEW, configuration_values=several)["msg"]
    assert "ec2:CreateNetworkInterface" in msg
    assert "multi_nic=true" in msg
    obey(player, msg)
    player.converge(MODULE, **CNI, addon_version=NEW, configuration_values=several)


def test_a_denial_and_a_boundary_count(player: Player, world: Sample) -> None:
    stale(player, world, "pod_identity")
    player("iam_cni_role", cluster_name=CLUSTER)
    denial = {"Statement": [{"Effect": "Deny", "Action": "ec2:DescribeSubnets", "Resource": "*"}]}
    world.iam.put_role_policy(
        RoleName=f"{CLUSTER}-cni", PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", **denial})
    )
    msg = player.fails(MODULE, **CNI, addon_version=NEW)["msg"]
    assert "calls ec2:DescribeSubnets, which" in msg and "Add it first" not in msg
    assert "A policy of the role denies ec2:DescribeSubnets: take that statement out." in msg
    world.iam.delete_role_policy(RoleName=f"{CLUSTER}-cni", PolicyName="no")
    bound = {"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
    arn = world.iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps({"Version": "2012-10-17", **bound}))[
        "Policy"
    ]["Arn"]
    world.iam.put_role_permissions_boundary(RoleName=f"{CLUSTER}-cni", PermissionsBoundary=arn)
    msg = player.fails(MODULE, **CNI, addon_version=NEW)["msg"]
    assert "calls ec2:AssignIpv6Addresses, ec2:CreateTags, which" in msg and "Add it first" not in msg
    assert f"Its permissions boundary {arn} does not allow ec2:AssignIpv6Addresses, ec2:CreateTags: mend that." in msg
    assert msg == player.fails(MODULE, **CNI, addon_version=NEW, cni_role_check="simulate")["msg"]


def test_a_role_that_aws_node_cannot_assume_is_refused(player: Player, world: Sample) -> None:
    role = world.role("lambda", "lambda.amazonaws.com")
    world.allow("lambda", CNI_ACTIONS_1_22)
    msg = player.fails(MODULE, **CNI, service_account_role_arn=role)["msg"]
    assert "IAM has no OIDC provider of the cluster's issuer" in msg
    assert "does not let" in msg and "do sts:AssumeRoleWithWebIdentity for aws-node" in msg
    associations = [{"service_account": "aws-node", "role_arn": role}]
    msg = player.fails(MODULE, **CNI, pod_identity_associations=associations)["msg"]
    assert "does not let pods.eks.amazonaws.com do sts:AssumeRole, sts:TagSession for aws-node" in msg
    msg = player.fails(MODULE, **CNI, service_account_role_arn=f"{role}x")["msg"]
    assert "there is no role" in msg


def test_pod_identity_needs_the_agent_the_nodes_right_and_a_version_that_knows_it(
    player: Player, world: Sample
) -> None:
    stale(player, world, "node_role")
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    given = {**CNI, "pod_identity_associations": associations}
    assert "the add-on eks-pod-identity-agent is not installed" in player.fails(MODULE, **given)["msg"]
    player(MODULE, cluster_name=CLUSTER, name="eks-pod-identity-agent")
    policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy"
    world.iam.detach_role_policy(RoleName="node", PolicyArn=policy)
    assert "does not allow eks-auth:AssumeRoleForPodIdentity" in player.fails(MODULE, **given)["msg"]
    world.iam.attach_role_policy(RoleName="node", PolicyArn=policy)
    assert player.converge(MODULE, **given)["addon"]["status"] == "ACTIVE"
    msg = player.fails(MODULE, **CNI, addon_version="v1.14.1-eksbuild.1")["msg"]
    assert msg.startswith("addon_version: pod_identity needs the CNI 1.15.5")


def test_without_a_role_or_a_node_there_is_a_warning(player: Player, world: Sample) -> None:
    warnings = player.converge(MODULE, **CNI)["warnings"]
    assert "vpc-cni has no role of its own" in warnings[-1]


def test_a_downgrade_below_the_floor_counts_all_nodes(player: Player, world: Sample, aws: Callable[..., Any]) -> None:
    stale(player, world, "node_role")
    image = aws("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    for name, count, tags in (
        ("own", 2, {f"kubernetes.io/cluster/{CLUSTER}": "owned"}),
        ("named", 1, {"eks:cluster-name": CLUSTER}),
        ("foreign", 5, {"kubernetes.io/cluster/other": "owned"}),
    ):
        template = aws("ec2").create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": "m6i.large"}
        )["LaunchTemplate"]["LaunchTemplateId"]
        aws("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
            MinSize=0,
            MaxSize=5,
            DesiredCapacity=count,
            VPCZoneIdentifier=world.private[0],
            Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()],
        )
    own = [{"Key": f"kubernetes.io/cluster/{CLUSTER}", "Value": "owned"}]
    for tags in ([*own, {"Key": "karpenter.sh/nodepool", "Value": "default"}], own):
        aws("ec2").run_instances(
            ImageId=image,
            InstanceType="m6i.large",
            MinCount=1,
            MaxCount=1,
            SubnetId=world.private[0],
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    msg = player.refuses(MODULE, **CNI, addon_version="v1.9.3-eksbuild.1")
    assert msg.startswith(
        "addon_version: v1.9.3-eksbuild.1 is too old: an IPv6 cluster's CNI is 1.10.1 or newer, and 7 "
    )
    for part in (
        "2 of the managed node group workers",
        "2 of the Auto Scaling group own",
        "1 of the Auto Scaling group named",
        "1 of Karpenter",
        "1 of no group",
    ):
        assert part in msg
    assert "foreign" not in msg


def test_ipv4_clusters_and_other_addons_are_not_judged(player: Player, aws: Callable[..., Any]) -> None:
    sample = Sample(aws, ipv6=False)
    sample.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
    assert player.converge(MODULE, **CNI)["warnings"] == []


def test_a_policy_that_iam_will_not_show_says_which_permission_is_missing(
    player: Player, world: Sample, emulator: Emulator
) -> None:
    stale(player, world, "pod_identity")
    emulator.fault("iam", "ListRolePolicies", status=403, code="AccessDenied", message="no", count=1)
    msg = player.fails(MODULE, **CNI, addon_version=NEW)["msg"]
    assert "The caller needs the permission iam:ListRolePolicies" in msg


def test_a_simulation_that_iam_refuses_says_which_permission_is_missing(
    player: Player, world: Sample, emulator: Emulator
) -> None:
    stale(player, world, "pod_identity")
    before = len(player.writes())
    emulator.fault("iam", "SimulatePrincipalPolicy", status=403, code="AccessDenied", message="no")
    msg = player.fails(MODULE, **CNI, addon_version=NEW, cni_role_check="simulate")["msg"]
    assert "The caller needs the permission iam:SimulatePrincipalPolicy" in msg
    assert player.writes()[before:] == []
    assert "calls ec2:DescribeSecurityGroups" in player.fails(MODULE, **CNI, addon_version=NEW)["msg"]


def test_the_gate_never_lets_an_addon_fail_that_skip_does(player: Player, world: Sample) -> None:
    stale(player, world, "pod_identity")
    failed = player.fails(MODULE, **CNI, addon_version=NEW, cni_role_check="skip")
    assert "InsufficientNumberOfReplicas" in failed["msg"]
    found = eks_backends["123456789012"]["eu-west-1"].clusters[CLUSTER].addons["vpc-cni"]
    assert found.life.state == "UPDATE_FAILED"
