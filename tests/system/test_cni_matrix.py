# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every move of the VPC CNI: it ends healthy, or is refused before any write. Never in UPDATE_FAILED.

All pairs of versions that EKS's catalogue has from 1.10.1 on, up and down, with a policy made for the version that runs
and one that serves all. Every build is held against what the emulator's IAM says, by its own table of calls; every pair
of minors is judged by the module in check mode; moves are carried out against an add-on with nodes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from harness import Player
from moto.eks.models import eks_backends

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Failed
from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import AddonVersion, addon_steps
from eksops_emulator import Emulator
from eksops_emulator.eks.catalogue import ADDONS, cni_needs
from eksops_emulator.eks.sample import Sample
from eksops_emulator.policies import ALLOWED, Source, evaluate

CLUSTER = "production"
CNI = {"cluster_name": CLUSTER, "name": "vpc-cni"}
VERSIONS = sorted(ADDONS["vpc-cni"].versions("1.31"), key=AddonVersion.parse)
MINORS = {AddonVersion.parse(version).minor: version for version in VERSIONS}  # the newest of each
POD_IDENTITY_SINCE = AddonVersion.parse("v1.15.5-eksbuild.1")


class Walker:
    """A cluster with nodes, whose CNI and CNI role can be put into any state between two runs."""

    def __init__(self, player: Player, world: Sample, identity: str) -> None:
        self.player, self.world, self.identity = player, world, identity
        world.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
        self.given: dict[str, Any] = {}
        self.role: dict[str, Any] = {"cluster_name": CLUSTER, "identity": identity}
        if identity == "irsa":
            issuer = world.eks.describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
            player("iam_oidc_provider", url=issuer)
        else:
            player("eks_addon", cluster_name=CLUSTER, name="eks-pod-identity-agent")
        arn = player("iam_cni_role", **self.role)["cni_role"]["arn"]
        if identity == "irsa":
            self.given = {"service_account_role_arn": arn}
        else:
            association = {"namespace": "kube-system", "service_account": "aws-node", "role_arn": arn}
            player("eks_pod_identity_association", cluster_name=CLUSTER, **association)
        player("eks_addon", **CNI, **self.given)
        # Nodes whose own role allows no more than to join.
        policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNode{}Policy"
        assert world.node_role
        world.iam.detach_role_policy(RoleName="node", PolicyArn=policy.format(""))
        world.iam.attach_role_policy(RoleName="node", PolicyArn=policy.format("Minimal"))
        looking = {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}
        world.iam.put_role_policy(
            RoleName="node",
            PolicyName="join",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [looking]}),
        )
        assert world.nodegroup("workers", CLUSTER)["status"] == "ACTIVE"

    def begin(self, version: str) -> None:
        """The add-on runs this version, as if it had for long."""
        found = eks_backends["123456789012"]["eu-west-1"].clusters[CLUSTER].addons["vpc-cni"]
        found.facts["addonVersion"] = version
        found.life.set("ACTIVE")

    def policy(self, version: str | None) -> None:
        """The role's policy is for this version, or for all."""
        self.player("iam_cni_role", **self.role, cni_version=version)

    def status(self) -> tuple[str, str]:
        """Status and version of the add-on."""
        found = self.world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"]
        return found["status"], found["addonVersion"]

    def move(self, target: str) -> dict[str, Any]:
        """The result of a run, be it one that refused."""
        try:
            return self.player("eks_addon", **CNI, **self.given, addon_version=target)
        except Failed as failure:
            return failure.result

    def knows(self, version: str) -> bool:
        """Whether the way that the role is given is one that this version knows."""
        return self.identity == "irsa" or AddonVersion.parse(version) >= POD_IDENTITY_SINCE


@pytest.fixture(params=["irsa", "pod_identity"])
def walker(request: pytest.FixtureRequest, player: Player, aws: Callable[..., Any]) -> Walker:
    """One walker for each way of giving a role."""
    return Walker(player, Sample(aws), request.param)


def denied(policy: dict[str, Any], version: str) -> list[str]:
    """What the emulated IAM denies of the calls that, by the emulator's own table, a version makes."""
    source, place = Source(json.dumps(policy), "", ""), "arn:aws:ec2:eu-west-1:123456789012"
    needs = cni_needs(version, place, ipv6=True, environment={})
    return sorted({action for action, resource in needs if evaluate([source], action, resource).decision != ALLOWED})


def policy_of(made_for: str | None) -> dict[str, Any]:
    """The policy that the collection computes for a version, or for all."""
    return cni.policy(None if made_for is None else AddonVersion.parse(made_for), "aws")


def lacking(made_for: str | None, version: str) -> list[str]:
    """What the collection says that a policy lacks for a version."""
    return cni.missing_actions(AddonVersion.parse(version), cni.DEFAULT_FEATURES, [policy_of(made_for)], "aws")


def test_every_pair_of_builds_is_judged_as_the_emulated_iam_judges_it() -> None:
    missing_of, denied_of = cache(lacking), cache(lambda made_for, version: denied(policy_of(made_for), version))
    judged = list(itertools.permutations(VERSIONS, 2))
    assert len(judged) > 1000
    for start, target in judged:
        for made_for in (start, None):
            for version in addon_steps(start, target, VERSIONS):
                missing = missing_of(made_for, version)
                assert missing == denied_of(made_for, version), (start, version)
                assert made_for or not missing


@pytest.mark.slow
def test_every_pair_of_minors_is_planned_in_steps_or_told_why_not(walker: Walker) -> None:
    """In check mode what would be refused is a warning, and nothing is written: so all pairs can be walked quickly."""
    newest = list(MINORS.values())
    for start in filter(walker.knows, newest):
        walker.begin(start)
        for fresh in (False, True):
            walker.policy(None if fresh else start)
            for target in newest if not fresh else (newest[0], newest[-1]):
                result = walker.player("eks_addon", check=True, **CNI, **walker.given, addon_version=target)
                on_the_way = [step["request"]["addonVersion"] for step in result["plan"]]
                minors = [AddonVersion.parse(version).minor[1] for version in (start, *on_the_way)]
                assert [start, *on_the_way][-1] == target
                assert all(abs(one - other) == 1 for one, other in itertools.pairwise(minors))
                policy = policy_of(None if fresh else start)
                missing = {action for step in on_the_way for action in denied(policy, step)}
                told = " ".join(result["warnings"])
                assert all(action in told for action in missing), (start, target)
                unknown = not all(map(walker.knows, on_the_way))
                assert bool(told) is (bool(missing) or unknown), (start, target, told)
    assert walker.status() == ("ACTIVE", newest[-1])


@pytest.mark.slow
def test_every_move_from_minor_to_minor_ends_healthy_or_is_refused(walker: Walker) -> None:
    moves = [(one, other) for one, other in itertools.permutations(MINORS, 2) if abs(one[1] - other[1]) == 1]
    far = [((1, 10), (1, 23)), ((1, 23), (1, 10)), ((1, 16), (1, 23)), ((1, 21), (1, 23)), ((1, 23), (1, 16))]
    for one, other in [*moves, *far]:
        start, target = MINORS[one], MINORS[other]
        if not walker.knows(start):
            continue
        for stale in (True, False):
            walker.begin(start)
            walker.policy(start if stale else None)
            before = len(walker.player.writes())
            result = walker.move(target)
            if "problems" in result:
                assert walker.player.writes()[before:] == []
                assert walker.status() == ("ACTIVE", start)
                assert stale or not walker.knows(target)
            else:
                assert walker.status() == ("ACTIVE", target) == (result["addon"]["status"], target), result
    group = walker.world.eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName="workers")["nodegroup"]
    assert group["status"] == "ACTIVE"


# --- with exactly the computed policy ----------------------------------------------------------------------------

NEWEST_OF = {"1.10": "v1.10.4-eksbuild.1", "1.21": "v1.21.2-eksbuild.2", "1.22": "v1.22.4-eksbuild.1"}
NEWEST_OF["1.23"] = "v1.23.1-eksbuild.1"


@pytest.mark.parametrize("version", NEWEST_OF.values())
def test_nodes_come_up_with_the_computed_policy_and_without_any_one_action_they_do_not(
    player: Player, aws: Callable[..., Any], version: str
) -> None:
    world = Sample(aws)
    walker = Walker(player, world, "irsa")
    player("eks_addon", **CNI, **walker.given, addon_version=version)
    assert walker.status() == ("ACTIVE", version)
    walker.policy(version)
    arn = f"arn:aws:iam::123456789012:policy/{CLUSTER}-cni-ipv6"
    actions = [call.action for call in cni.required_actions(AddonVersion.parse(version))]
    assert actions
    for left_out in actions:
        calls = [call for call in cni.required_actions(AddonVersion.parse(version)) if call.action != left_out]
        replace_policy(world.iam, arn, {"Version": "2012-10-17", "Statement": cni.statements(calls, "aws")})
        name = f"without-{left_out.split(':')[1].lower()}"
        group = world.nodegroup(name, CLUSTER)
        assert group["status"] == "CREATE_FAILED", left_out
        world.eks.delete_nodegroup(clusterName=CLUSTER, nodegroupName=name)
        values = {"env": {"WARM_ENI_TARGET": "2"}}
        failed = player.fails("eks_addon", **CNI, **walker.given, addon_version=version, configuration_values=values)
        assert f"calls {left_out}, which" in failed["msg"]
    walker.policy(version)
    assert world.nodegroup("mended", CLUSTER)["status"] == "ACTIVE"


def replace_policy(iam: Any, arn: str, document: dict[str, Any]) -> None:
    """A policy has another document from now on, and no older version."""
    new = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if version["VersionId"] != new["PolicyVersion"]["VersionId"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def test_under_iam_enforcement_the_computed_policy_lets_every_call_pass_and_no_other(
    player: Player, aws: Callable[..., Any], emulator: Emulator
) -> None:
    """aws-node's own calls, made with its role's credentials."""
    world = Sample(aws)
    role = player("iam_cni_role", cluster_name=CLUSTER)["cni_role"]
    interface = world.ec2.create_network_interface(SubnetId=world.private[0])["NetworkInterface"]["NetworkInterfaceId"]
    calls: dict[str, Callable[[Any], Any]] = {
        "ec2:AssignIpv6Addresses": lambda ec2: ec2.assign_ipv6_addresses(
            NetworkInterfaceId=interface, Ipv6PrefixCount=1
        ),
        "ec2:CreateTags": lambda ec2: ec2.create_tags(Resources=[interface], Tags=[{"Key": "a", "Value": "b"}]),
        "ec2:DescribeInstances": lambda ec2: ec2.describe_instances(),
        "ec2:DescribeInstanceTypes": lambda ec2: ec2.describe_instance_types(InstanceTypes=["m6i.large"]),
        "ec2:DescribeNetworkInterfaces": lambda ec2: ec2.describe_network_interfaces(),
        "ec2:DescribeSecurityGroups": lambda ec2: ec2.describe_security_groups(),
        "ec2:DescribeSubnets": lambda ec2: ec2.describe_subnets(),
        "ec2:DescribeTags": lambda ec2: ec2.describe_tags(),
    }
    assert set(calls) == set(role["actions"])

    def refused() -> set[str]:
        keys = aws("sts").assume_role(RoleArn=role["arn"], RoleSessionName="aws-node")["Credentials"]
        ec2 = boto3.client(
            "ec2",
            region_name="eu-west-1",
            endpoint_url=emulator.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        emulator.enforce_iam(True)
        try:
            return {action for action, call in calls.items() if _denied(lambda call=call: call(ec2))} | (
                set() if _denied(ec2.describe_vpcs) else {"everything else is allowed"}
            )
        finally:
            emulator.enforce_iam(False)

    assert refused() == set()
    for action in role["actions"]:
        kept = [call for call in cni.required_actions(None) if call.action != action]
        replace_policy(
            world.iam, role["policy_arn"], {"Version": "2012-10-17", "Statement": cni.statements(kept, "aws")}
        )
        assert refused() == {action}


def _denied(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnauthorizedOperation":
            raise
        return True
    return False
