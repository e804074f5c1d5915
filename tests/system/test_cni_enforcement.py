# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With exactly the policy that is computed the CNI does all it does under IAM enforcement, and without any one action
of it, it does not. aws-node's calls are made with its role's credentials, as dry runs where EC2 has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from cni_walker import CLUSTER, CNI, VERSIONS, Walker, replace_policy
from harness import Player

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni
from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import AddonVersion
from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

POLICY = f"arn:aws:iam::123456789012:policy/{CLUSTER}-cni-ipv6"
OLD, NEW = "v1.21.2-eksbuild.2", "v1.22.4-eksbuild.1"
# The newest version of each step in what versions call.
STEPS = ["v1.10.4-eksbuild.1", OLD, NEW, "v1.23.1-eksbuild.1"]
FEATURED = [
    ("v1.20.5-eksbuild.1", "multi_nic"),
    (NEW, "multi_nic"),
    ("v1.23.1-eksbuild.1", "multi_nic"),
    (NEW, "excluded_subnets"),
    ("v1.23.1-eksbuild.1", "excluded_subnets"),
    ("v1.23.1-eksbuild.1", "security_groups_for_pods"),
]


class Node:
    """What aws-node calls on a node in one VPC, and its role's credentials."""

    def __init__(self, world: Sample, emulator: Emulator) -> None:
        self.world, self.emulator = world, emulator
        group = world.ec2.create_security_group(GroupName="pods", Description="pods", VpcId=world.vpc_id)["GroupId"]
        image = world.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        instance = world.ec2.run_instances(
            ImageId=image, InstanceType="m6i.large", MinCount=1, MaxCount=1, SubnetId=world.private[0]
        )["Instances"][0]
        primary = instance["NetworkInterfaces"][0]
        self.group, self.instance, self.interface = group, instance["InstanceId"], primary["NetworkInterfaceId"]
        self.attachment = primary["Attachment"]["AttachmentId"]

    def calls(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Every call of any version, by action: the client's method and its parameters."""
        interface = {"NetworkInterfaceId": self.interface}
        modified = {"AttachmentId": self.attachment, "DeleteOnTermination": True}
        return {
            "ec2:AssignIpv6Addresses": ("assign_ipv6_addresses", {**interface, "Ipv6PrefixCount": 1}),
            "ec2:AttachNetworkInterface": (
                "attach_network_interface",
                {**interface, "InstanceId": self.instance, "DeviceIndex": 1},
            ),
            "ec2:CreateNetworkInterface": (
                "create_network_interface",
                {"SubnetId": self.world.private[0], "Groups": [self.group]},
            ),
            "ec2:CreateTags": ("create_tags", {"Resources": [self.interface], "Tags": [{"Key": "a", "Value": "b"}]}),
            "ec2:DeleteNetworkInterface": ("delete_network_interface", interface),
            "ec2:DescribeInstanceTypes": ("describe_instance_types", {"InstanceTypes": ["m6i.large"]}),
            "ec2:DescribeInstances": ("describe_instances", {}),
            "ec2:DescribeNetworkInterfaces": ("describe_network_interfaces", {}),
            "ec2:DescribeSecurityGroups": ("describe_security_groups", {}),
            "ec2:DescribeSubnets": ("describe_subnets", {}),
            "ec2:DescribeTags": ("describe_tags", {}),
            "ec2:DetachNetworkInterface": ("detach_network_interface", {"AttachmentId": self.attachment}),
            "ec2:ModifyNetworkInterfaceAttribute": (
                "modify_network_interface_attribute",
                {**interface, "Groups": [self.group], "Attachment": modified},
            ),
            "ec2:UnassignIpv6Addresses": (
                "unassign_ipv6_addresses",
                {**interface, "Ipv6Prefixes": [self.prefix()]},
            ),
        }

    def prefix(self) -> str:
        """A prefix that the interface has."""
        interface = self.world.ec2.describe_network_interfaces(NetworkInterfaceIds=[self.interface])
        held = interface["NetworkInterfaces"][0].get("Ipv6Prefixes")
        if held:
            return str(held[0]["Ipv6Prefix"])
        made = self.world.ec2.assign_ipv6_addresses(NetworkInterfaceId=self.interface, Ipv6PrefixCount=1)
        return str(made["AssignedIpv6Prefixes"][0])

    def passing(self, region: str = "eu-west-1") -> set[str]:
        """The actions that IAM lets pass, and the name of any other thing that it lets pass."""
        role = f"arn:aws:iam::123456789012:role/{CLUSTER}-cni"
        keys = self.world.client("sts").assume_role(RoleArn=role, RoleSessionName="aws-node")["Credentials"]
        ec2: Any = boto3.client(
            "ec2",
            region_name=region,
            endpoint_url=self.emulator.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        others = {f"ec2:{name}": (xform_name(name), {}) for name in ("DescribeVpcs", "DescribeImages")}
        calls = {**self.calls(), **others}
        self.emulator.enforce_iam(True)
        try:
            return {action for action, (method, given) in calls.items() if _passes(getattr(ec2, method), given)}
        finally:
            self.emulator.enforce_iam(False)

    def passing_without(self, document: list[dict[str, Any]]) -> set[str]:
        """What passes when the role's policy has these statements."""
        replace_policy(self.world.iam, POLICY, {"Version": "2012-10-17", "Statement": document})
        return self.passing()


def _passes(call: Callable[..., Any], given: dict[str, Any]) -> bool:
    dry = {} if "Ipv6PrefixCount" in given or "Ipv6Prefixes" in given else {"DryRun": True}
    try:
        call(**given, **dry)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("DryRunOperation", "UnauthorizedOperation"):
            raise
        return code == "DryRunOperation"
    assert not dry, "a dry run took effect"
    return True


@pytest.fixture
def node(aws: Callable[..., Any], emulator: Emulator) -> Node:
    return Node(Sample(aws), emulator)


def features(feature: str) -> frozenset[cni.Feature]:
    return cni.DEFAULT_FEATURES | ({cni.Feature(feature)} if feature else set())


def calls_of(version: str | None, feature: str) -> tuple[cni.Call, ...]:
    return cni.required_actions(AddonVersion.parse(version) if version else None, features(feature))


def test_no_step_in_what_versions_call_is_left_out(node: Node) -> None:
    def steps(versions: list[str], feature: str) -> set[frozenset[str]]:
        return {frozenset(call.action for call in calls_of(version, feature)) for version in versions}

    assert steps(STEPS, "") == steps(VERSIONS, "")
    for feature in ("multi_nic", "excluded_subnets", "security_groups_for_pods"):
        floor = AddonVersion.parse(cni.FLOORS[cni.Feature(feature)][0])
        known = [version for version in VERSIONS if AddonVersion.parse(version).numbers >= floor.numbers]
        chosen = [version for version, name in FEATURED if name == feature]
        assert steps([*chosen, *(STEPS if feature == "security_groups_for_pods" else [])], feature) == steps(
            known, feature
        )
    assert set(node.calls()) == {call.action for call in cni.CALLS}


@pytest.mark.parametrize("vpc", ["any VPC", "one VPC"])
@pytest.mark.parametrize(("version", "feature"), [(None, ""), *((version, "") for version in STEPS), *FEATURED])
def test_the_policy_lets_every_call_of_its_version_pass_and_no_other(
    player: Player, node: Node, version: str | None, feature: str, vpc: str
) -> None:
    """For one VPC, by conditions, likewise; then nothing of another VPC or region passes."""
    world, bound = node.world, vpc == "one VPC"
    irsa = {"identity": "irsa", "oidc_issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"}
    given = {"cluster_name": CLUSTER, "cni_version": version, **irsa, **({feature: True} if feature else {})}
    role = player("iam_cni_role", **given, vpc_id=world.vpc_id if bound else None)["cni_role"]
    calls = calls_of(version, feature)
    actions = {call.action for call in calls}
    assert node.passing() == actions == set(role["actions"])
    scope = cni.Scope("aws", "eu-west-1", "123456789012", world.vpc_id)
    for action in actions:
        kept = [call for call in calls if call.action != action]
        statements = cni.scoped_statements(kept, scope) if bound else cni.statements(kept, "aws")
        assert node.passing_without(statements) == actions - {action}


def test_a_policy_for_one_vpc_denies_the_same_calls_everywhere_else(
    player: Player, node: Node, aws: Callable[..., Any]
) -> None:
    other = Node(Sample(aws), node.emulator)
    given = {"cluster_name": CLUSTER, "multi_nic": True, "excluded_subnets": True}
    actions = set(player("iam_cni_role", **given, vpc_id=node.world.vpc_id)["cni_role"]["actions"])
    looking = {action for action in actions if action.startswith("ec2:Describe")}
    assert actions == {call.action for call in cni.CALLS}
    assert node.passing() == actions
    assert other.passing() == looking
    assert node.passing(region="us-east-1") == set()
    player("iam_cni_role", **given)
    assert other.passing() == actions


def test_a_policy_for_one_vpc_judges_the_groups_of_another(player: Player, node: Node, aws: Callable[..., Any]) -> None:
    """The interface is of the right VPC, and one of its new groups is not."""
    player("iam_cni_role", cluster_name=CLUSTER, multi_nic=True, vpc_id=node.world.vpc_id)
    assert "ec2:ModifyNetworkInterfaceAttribute" in node.passing()
    node.group = Node(Sample(aws), node.emulator).group
    assert not {"ec2:ModifyNetworkInterfaceAttribute", "ec2:CreateNetworkInterface"} & node.passing()


def test_the_whole_way_to_nodes_and_through_an_upgrade_under_enforcement(
    player: Player, aws: Callable[..., Any], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a user whom IAM knows, with IAM enforced from the first call to the last, and a policy for each version."""
    world = Sample(aws)
    world.way_out()
    world.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
    node = Node(world, emulator)
    group = {"cluster_name": CLUSTER, "name": "workers", "node_role_arn": world.node_role, "subnet_ids": world.private}
    world.iam.create_user(UserName="deployer")
    anything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    world.iam.put_user_policy(
        UserName="deployer",
        PolicyName="deploy",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": anything}),
    )
    key = world.iam.create_access_key(UserName="deployer")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    emulator.enforce_iam(True)
    role = player.converge("iam_cni_role", cluster_name=CLUSTER, cni_version=OLD)["cni_role"]
    player.converge("eks_addon", cluster_name=CLUSTER, name="eks-pod-identity-agent")
    given = {**CNI, "pod_identity_associations": [{"service_account": "aws-node", "role_arn": role["arn"]}]}
    player.converge("eks_addon", **given, addon_version=OLD)
    made = player.converge("eks_nodegroup", **group, instance_types=["m6i.large"])["nodegroup"]
    assert (made["status"], made["health_issues"]) == ("ACTIVE", [])
    assert "ec2:DescribeSubnets" in player.fails("eks_addon", **given, addon_version=NEW)["msg"]
    player.converge("iam_cni_role", cluster_name=CLUSTER, cni_version=NEW)
    moved = player.converge("eks_addon", **given, addon_version=NEW)["addon"]
    assert (moved["status"], moved["version"], moved["health_issues"]) == ("ACTIVE", NEW, [])
    player.unchanged("eks_nodegroup", **group, instance_types=["m6i.large"])
    emulator.enforce_iam(False)
    assert node.passing() == {call.action for call in calls_of(NEW, "")}


@pytest.mark.parametrize("identity", ["irsa", "pod_identity"])
@pytest.mark.parametrize("version", STEPS)
def test_nodes_come_up_with_the_computed_policy_and_without_any_one_action_they_do_not(
    player: Player, aws: Callable[..., Any], version: str, identity: str
) -> None:
    world = Sample(aws)
    walker = Walker(player, world, identity)
    if not walker.knows(version):
        assert "pod_identity needs" in player.fails("eks_addon", **CNI, **walker.given, addon_version=version)["msg"]
        return
    player("eks_addon", **CNI, **walker.given, addon_version=version)
    assert walker.status() == ("ACTIVE", version)
    walker.policy(version)
    actions = [call.action for call in calls_of(version, "")]
    assert actions
    for left_out in actions:
        calls = [call for call in calls_of(version, "") if call.action != left_out]
        replace_policy(world.iam, POLICY, {"Version": "2012-10-17", "Statement": cni.statements(calls, "aws")})
        name = f"without-{left_out.split(':')[1].lower()}"
        group = world.nodegroup(name, CLUSTER)
        assert group["status"] == "CREATE_FAILED", left_out
        world.eks.delete_nodegroup(clusterName=CLUSTER, nodegroupName=name)
        values = {"env": {"WARM_ENI_TARGET": "2"}}
        failed = player.fails("eks_addon", **CNI, **walker.given, addon_version=version, configuration_values=values)
        assert f"calls {left_out}, which" in failed["msg"]
    player("iam_cni_role", **walker.role, cni_version=version)
    assert world.nodegroup("mended", CLUSTER)["status"] == "ACTIVE"
