# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before nodes are made: may the CNI that is installed do on them what it calls, and may they do what nodes call?

Managed groups (eks_nodegroup) and self-managed ones (eks_node_user_data) are held to the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import CNI_ACTIONS, CNI_ACTIONS_1_22, Sample

CLUSTER = "production"
NEW = "v1.22.4-eksbuild.1"
NEWER_CALLS = "ec2:DescribeSecurityGroups, ec2:DescribeSubnets"
READS = ["GetRole", "ListAttachedRolePolicies", "ListRolePolicies"]
MODULES = ["eks_nodegroup", "eks_node_user_data"]


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    """A cluster without a CNI, in subnets that lead out."""
    sample = Sample(aws)
    sample.way_out()
    sample.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
    return sample


def options(module: str, world: Sample) -> dict[str, Any]:
    """Nodes in the private subnets, with the usual role."""
    shared = {"cluster_name": CLUSTER, "subnet_ids": world.private, "node_role_arn": world.node_role}
    if module == "eks_nodegroup":
        return {**shared, "name": "general", "instance_types": ["m6i.large"]}
    return {**shared, "max_pods": 110}


def narrow(world: Sample) -> None:
    """The nodes' role with as little as nodes need: the usual policy allows most of what a CNI describes."""
    policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNode{}Policy"
    assert world.node_role
    world.iam.detach_role_policy(RoleName="node", PolicyArn=policy.format(""))
    world.iam.attach_role_policy(RoleName="node", PolicyArn=policy.format("Minimal"))
    statement = {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.iam.put_role_policy(RoleName="node", PolicyName="nodes", PolicyDocument=document)


def annotated(player: Player, world: Sample, version: str) -> str:
    """A CNI whose service account is annotated with a role that allows what 1.21 calls; the role's ARN."""
    issuer = world.eks.describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
    player("iam_oidc_provider", url=issuer)
    made = player("iam_cni_role", cluster_name=CLUSTER, identity="irsa", cni_version="v1.21.2-eksbuild.2")["cni_role"]
    world.addon("vpc-cni", CLUSTER, addonVersion=version, serviceAccountRoleArn=made["arn"])
    return str(made["arn"])


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("identity", ["irsa", "pod_identity", "node_role"])
def test_what_the_installed_version_calls_is_held_against_the_role_that_it_has(
    player: Player, world: Sample, module: str, identity: str
) -> None:
    wanted = options(module, world)
    narrow(world)
    if identity == "irsa":
        role = annotated(player, world, NEW)
    elif identity == "pod_identity":
        world.cni(CLUSTER, addonVersion=NEW)
        role = world.cni_role
        world.allow("cni", CNI_ACTIONS)
    else:
        world.addon("vpc-cni", CLUSTER, addonVersion=NEW)
        role = world.node_role
        world.allow("node", CNI_ACTIONS)
    msg = player.refuses_unless_mended(module, **wanted)
    told = f"the role {role}, which vpc-cni {NEW} of production takes, does not allow {NEWER_CALLS}. Run iam_cni_role"
    assert told in msg
    world.allow(role.rsplit("/", 1)[1], CNI_ACTIONS_1_22)
    assert player(module, check=True, **wanted)["warnings"] == []


def test_an_annotated_role_comes_before_one_of_pod_identity(player: Player, world: Sample) -> None:
    wanted = options("eks_nodegroup", world)
    role = annotated(player, world, NEW)
    world.addon("eks-pod-identity-agent", CLUSTER)
    world.eks.create_pod_identity_association(
        clusterName=CLUSTER, namespace="kube-system", serviceAccount="aws-node", roleArn=world.cni_role
    )
    assert f"the role {role}, which vpc-cni" in player.refuses_unless_mended("eks_nodegroup", **wanted)


def test_settings_change_what_is_called(player: Player, world: Sample) -> None:
    wanted = options("eks_nodegroup", world)
    world.cni(
        CLUSTER,
        addonVersion="v1.23.1-eksbuild.1",
        configurationValues=json.dumps({"env": {"ENABLE_SUBNET_DISCOVERY": "false"}}),
    )
    world.allow("cni", CNI_ACTIONS)
    assert player.check("eks_nodegroup", **wanted)["warnings"] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_role_that_is_gone_is_refused(player: Player, world: Sample, module: str) -> None:
    world.cni(CLUSTER)
    wanted = options(module, world)
    world.iam.delete_role_policy(RoleName="cni", PolicyName="cni")
    world.iam.delete_role(RoleName="cni")
    assert f"there is no role {world.cni_role}, which vpc-cni" in player.refuses_unless_mended(module, **wanted)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("identity", ["irsa", "pod_identity"])
def test_a_role_that_aws_node_cannot_assume_is_refused(
    player: Player, world: Sample, module: str, identity: str
) -> None:
    wanted = options(module, world)
    if identity == "irsa":
        role, principal = annotated(player, world, "v1.21.2-eksbuild.2"), "oidc-provider/"
    else:
        world.cni(CLUSTER)
        role, principal = world.cni_role, "pods.eks.amazonaws.com do sts:TagSession"
    assert player.check(module, **wanted)["warnings"] == []
    trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    world.iam.update_assume_role_policy(RoleName=role.rsplit("/", 1)[1], PolicyDocument=document)
    msg = player.refuses_unless_mended(module, **wanted)
    assert f"the trust policy of {role}, which vpc-cni of production takes, does not let " in msg
    assert principal in msg


def test_nodes_role_must_trust_ec2(player: Player, world: Sample) -> None:
    world.cni(CLUSTER)
    policies = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
    role = world.role("lambda", "lambda.amazonaws.com", policies)
    wanted = {**options("eks_nodegroup", world), "node_role_arn": role}
    msg = player.refuses_unless_mended("eks_nodegroup", **wanted)
    assert msg.startswith(
        f"node_role_arn: the trust policy of {role} does not let ec2.amazonaws.com do sts:AssumeRole."
    )


@pytest.mark.parametrize("module", MODULES)
def test_nodes_need_permissions_of_their_own(player: Player, world: Sample, module: str) -> None:
    world.cni(CLUSTER)
    wanted = {**options(module, world), "node_role_arn": world.role("bare", "ec2.amazonaws.com")}
    msg = player.refuses_unless_mended(module, **wanted)
    assert msg.startswith(
        f"node_role_arn: the role {wanted['node_role_arn']} does not allow ec2:DescribeInstances,"
        " ecr:BatchGetImage, ecr:GetAuthorizationToken, ecr:GetDownloadUrlForLayer,"
        " eks-auth:AssumeRoleForPodIdentity, which its nodes call."
    )


def test_a_role_of_nodes_that_iam_has_not_spread_yet_is_a_warning(player: Player, world: Sample) -> None:
    world.cni(CLUSTER)
    missing = "arn:aws:iam::123456789012:role/new"
    (text,) = player.check("eks_nodegroup", **{**options("eks_nodegroup", world), "node_role_arn": missing})["warnings"]
    assert text == f"cluster_name: IAM knows no role {missing} yet, so it was not judged."


@pytest.mark.parametrize("operation", READS)
def test_without_the_policies_iam_s_simulation_is_asked(
    player: Player, world: Sample, emulator: Emulator, operation: str
) -> None:
    world.cni(CLUSTER, addonVersion=NEW)
    wanted = options("eks_nodegroup", world)
    deny(emulator, operation)
    assert player.check("eks_nodegroup", **wanted)["warnings"] == []
    world.allow("cni", CNI_ACTIONS)
    msg = player.refuses_unless_mended("eks_nodegroup", **wanted)
    assert f"the role {world.cni_role}, which vpc-cni {NEW} of production takes, does not allow {NEWER_CALLS}." in msg


@pytest.mark.parametrize("module", MODULES)
def test_what_nobody_could_judge_is_named_and_never_passed_silently(
    player: Player, world: Sample, emulator: Emulator, module: str
) -> None:
    world.cni(CLUSTER)
    wanted = options(module, world)
    deny(emulator, "GetRole")
    deny(emulator, "SimulatePrincipalPolicy")
    warnings = player.check(module, **wanted)["warnings"]
    of_cni, of_nodes = warnings
    assert f"whether the role {world.cni_role} allows ec2:AssignIpv6Addresses, ec2:CreateTags, " in of_cni
    assert "neither iam:GetRole, to read its policies, nor iam:SimulatePrincipalPolicy" in of_cni
    assert f"whether the role {world.node_role} allows ec2:DescribeInstances, ecr:BatchGetImage, " in of_nodes


def test_another_error_of_iam_is_not_taken_for_a_yes(player: Player, world: Sample, emulator: Emulator) -> None:
    world.cni(CLUSTER)
    wanted = options("eks_nodegroup", world)
    emulator.fault("iam", "GetRole", status=500, code="ServiceFailure", message="broken", count=10)
    assert "ServiceFailure: broken" in player.fails("eks_nodegroup", **wanted)["msg"]


@pytest.mark.parametrize("module", MODULES)
def test_a_cni_that_is_no_add_on_is_held_to_what_every_version_calls(
    player: Player, world: Sample, module: str
) -> None:
    wanted = options(module, world)
    narrow(world)
    msg = player.refuses_unless_mended(module, **wanted)
    assert f"production has no add-on vpc-cni, and the nodes' role {world.node_role} does not allow ec2:Assign" in msg
    world.allow("node", CNI_ACTIONS)
    unseen, newer = player.check(module, **wanted)["warnings"]
    assert "whether a self-managed CNI runs there, and which version, cannot be seen from AWS" in unseen
    assert newer == f"cluster_name: the role {world.node_role} does not allow {NEWER_CALLS}, which newer CNIs call."


def test_a_permission_for_another_vpc_is_none(player: Player, world: Sample) -> None:
    world.cni(CLUSTER)
    wanted = options("eks_nodegroup", world)
    place = "arn:aws:ec2:eu-west-1:123456789012"

    def assigns(vpc: str, key: str = "ec2:Vpc") -> None:
        world.allow("cni", tuple(action for action in CNI_ACTIONS_1_22 if action != "ec2:AssignIpv6Addresses"))
        statement = {
            "Effect": "Allow",
            "Action": "ec2:AssignIpv6Addresses",
            "Resource": f"{place}:network-interface/*",
            "Condition": {"ArnEquals": {key: f"{place}:vpc/{vpc}"}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        world.iam.put_role_policy(RoleName="cni", PolicyName="assign", PolicyDocument=document)

    assigns("vpc-0123456789abcdef0")
    assert "does not allow ec2:AssignIpv6Addresses." in player.refuses_unless_mended("eks_nodegroup", **wanted)
    assigns(world.vpc_id)
    assert player.check("eks_nodegroup", **wanted)["warnings"] == []
    assigns(world.vpc_id, "aws:SourceVpc")
    (text,) = player.check("eks_nodegroup", **wanted)["warnings"]
    assert "allows ec2:AssignIpv6Addresses under conditions that only AWS can judge" in text


def deny(emulator: Emulator, operation: str) -> None:
    emulator.fault("iam", operation, status=403, code="AccessDenied", message="no", count=100)
