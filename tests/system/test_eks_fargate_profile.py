# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_fargate_profile against the emulator.

The tests named `test_regression_...` are faults that community.aws's module of the same name has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "eks_fargate_profile"
CLUSTER = "production"
CREATE, DELETE = ("eks", "CreateFargateProfile"), ("eks", "DeleteFargateProfile")
PROFILE = {"cluster_name": CLUSTER, "name": "jobs"}


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    world = Sample(aws)
    world.way_out()
    world.cluster(CLUSTER)
    return world


@pytest.fixture
def options(world: Sample) -> dict[str, Any]:
    return {
        **PROFILE,
        "pod_execution_role_arn": world.pod_execution_role,
        "subnet_ids": world.private,
        "selectors": [{"namespace": "jobs", "labels": {"fargate": True}}, {"namespace": "batch-*"}],
    }


def live(world: Sample, name: str = "jobs") -> dict[str, Any]:
    found = world.eks.describe_fargate_profile(clusterName=CLUSTER, fargateProfileName=name)["fargateProfile"]
    return dict(found)


def test_a_new_profile(player: Player, world: Sample, options: dict[str, Any]) -> None:
    result = player.converge(MODULE, **options, tags={"team": "jobs"})
    assert operations(result["plan"]) == [CREATE]
    made, found = result["fargate_profile"], live(world)
    assert (made["arn"], made["status"]) == (found["fargateProfileArn"], "ACTIVE")
    assert made["selectors"] == [
        {"namespace": "batch-*", "labels": {}},
        {"namespace": "jobs", "labels": {"fargate": "true"}},
    ]
    assert found["tags"] == made["tags"] == {"team": "jobs"}
    assert player.unchanged(MODULE, **PROFILE)["fargate_profile"] == made


def test_order_has_no_meaning(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    turned = {**options, "subnet_ids": options["subnet_ids"][::-1], "selectors": options["selectors"][::-1]}
    player.unchanged(MODULE, **turned)


def test_regression_tags_can_be_changed_in_place(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options, tags={"a": "b"})
    changed = player.converge(MODULE, **PROFILE, tags={"c": "d"})
    assert operations(changed["plan"]) == [("eks", "TagResource"), ("eks", "UntagResource")]
    assert live(world)["tags"] == {"c": "d"}


def test_regression_a_role_of_the_same_letters_is_another_role(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    anagram = world.role("etagraf", "eks-fargate-pods.amazonaws.com")
    assert set(anagram) == set(options["pod_execution_role_arn"])
    msg = player.refuses(MODULE, **{**options, "pod_execution_role_arn": anagram})
    assert msg.startswith("pod_execution_role_arn: it cannot be changed")
    assert live(world)["podExecutionRoleArn"] == options["pod_execution_role_arn"]


def test_regression_tags_are_not_taken_away_by_omission(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options, tags={"a": "b"})
    player.unchanged(MODULE, **options)
    assert live(world)["tags"] == {"a": "b"}


@pytest.mark.parametrize("operation", ["ListFargateProfiles", CREATE[1]])
def test_regression_a_throttled_call_is_repeated(
    player: Player, world: Sample, options: dict[str, Any], emulator: Emulator, operation: str
) -> None:
    emulator.fault("eks", operation, status=429, code="TooManyRequestsException", message="slower")
    player(MODULE, **options)
    assert live(world)["status"] == "ACTIVE"


def test_regression_messages_name_the_profile(player: Player, options: dict[str, Any], emulator: Emulator) -> None:
    emulator.fault("eks", CREATE[1], status=400, code="InvalidParameterException", message="no")
    msg = player.fails(MODULE, **options)["msg"]
    assert "fargate-profile/production/jobs" in msg
    assert "{" not in msg


def test_regression_check_mode_waits_for_nothing(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    assert operations(player.check(MODULE, **PROFILE, state="absent")["plan"]) == [DELETE]
    assert live(world)["status"] == "ACTIVE"


def test_changes_are_said_all_at_once_and_done_only_when_told(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    player(MODULE, **options, tags={"a": "b"})
    other = {"subnet_ids": world.private[:1], "selectors": [{"namespace": "others"}]}
    failed = player.fails(MODULE, **PROFILE, **other)
    assert [problem["option"] for problem in failed["problems"]] == ["subnet_ids", "selectors"]
    assert "Set replace: true" in failed["msg"] or all("replace" in item["remedy"] for item in failed["problems"])
    result = player.converge(MODULE, **PROFILE, **other, replace=True)
    assert operations(result["plan"]) == [DELETE, CREATE]
    found = live(world)
    assert (found["subnets"], found["tags"]) == (world.private[:1], {"a": "b"})
    assert found["podExecutionRoleArn"] == options["pod_execution_role_arn"]


def test_a_profile_of_others_under_way_is_waited_for(player: Player, world: Sample, options: dict[str, Any]) -> None:
    world.eks.create_fargate_profile(
        clusterName=CLUSTER,
        fargateProfileName="other",
        podExecutionRoleArn=world.pod_execution_role,
        subnets=world.private,
        selectors=[{"namespace": "other"}],
    )
    assert player(MODULE, **options)["fargate_profile"]["status"] == "ACTIVE"


def test_a_profile_goes_and_stays_away(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    assert operations(player.converge(MODULE, **PROFILE, state="absent")["plan"]) == [DELETE]


def test_without_wait_the_next_run_goes_on(player: Player, options: dict[str, Any]) -> None:
    assert player(MODULE, **options, wait=False)["fargate_profile"]["status"] == "CREATING"
    assert player.unchanged(MODULE, **options)["fargate_profile"]["status"] == "ACTIVE"


def test_a_role_that_was_just_made_is_waited_for(player: Player, options: dict[str, Any], emulator: Emulator) -> None:
    text = (
        "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal"
    )
    emulator.fault("eks", CREATE[1], status=400, code="InvalidParameterException", message=text, count=2)
    assert player(MODULE, **options)["fargate_profile"]["status"] == "ACTIVE"


def test_a_cluster_network_and_role_that_do_not_exist_yet_are_planned_for(player: Player) -> None:
    pending = {"pod_execution_role_arn": "pending:role/fargate", "subnet_ids": ["pending:subnet/a"]}
    planned = player.check(MODULE, **PROFILE, **pending, selectors=[{"namespace": "jobs"}])
    assert operations(planned["plan"]) == [CREATE]
    assert planned["fargate_profile"]["arn"] == f"pending:fargate-profile/{CLUSTER}/jobs"


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "::/0"])
def test_a_public_subnet_is_refused(player: Player, world: Sample, options: dict[str, Any], destination: str) -> None:
    public = world.public_subnet(world.zones[0], destination)
    msg = player.refuses_unless_mended(MODULE, **{**options, "subnet_ids": [public], "skip_checks": ["routes"]})
    assert msg.startswith(f"subnet_ids: {public} has a route to an internet gateway")


def test_subnets_that_pods_cannot_use_are_refused_all_at_once(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    plain, unassigning = world.subnet(world.zones[0], ipv6=False), world.subnet(world.zones[1], assign=False)
    table = world.ec2.create_route_table(VpcId=world.vpc_id)["RouteTable"]["RouteTableId"]
    world.ec2.associate_route_table(RouteTableId=table, SubnetId=plain)
    msg = player.refuses_unless_mended(MODULE, **{**options, "subnet_ids": [plain, unassigning]})
    assert f"{plain} has no IPv6 CIDR block" in msg
    assert f"{unassigning} does not assign IPv6 addresses" in msg
    assert f"{plain} has no active route to 0.0.0.0/0" in msg
    assert f"{plain} has no active route to ::/0" in msg


def test_the_pod_execution_role_is_held_against_what_starting_a_pod_takes(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    bare = world.role("bare", "ec2.amazonaws.com")
    pulling = "ecr:BatchGetImage, ecr:GetAuthorizationToken, ecr:GetDownloadUrlForLayer"
    failed = player.fails(MODULE, **{**options, "pod_execution_role_arn": bare})
    assert [problem["message"] for problem in failed["problems"]] == [
        f"the trust policy of {bare} does not let eks-fargate-pods.amazonaws.com do sts:AssumeRole.",
        f"the role {bare} does not allow {pulling}, so no image would be pulled.",
    ]
    assert {problem["option"] for problem in failed["problems"]} == {"pod_execution_role_arn"}
    trusting = world.role("trusting", "eks-fargate-pods.amazonaws.com")
    given = {**options, "pod_execution_role_arn": trusting}
    assert "no image would be pulled" in player.refuses_unless_mended(MODULE, **given)
    assert player.converge(MODULE, **given, skip_checks=["role"])["fargate_profile"]["status"] == "ACTIVE"


@pytest.mark.parametrize(("bound_to", "trusted"), [(CLUSTER, True), ("another", False)])
def test_a_trust_that_is_bound_to_the_profiles_of_a_cluster(
    player: Player, world: Sample, options: dict[str, Any], bound_to: str, trusted: bool
) -> None:
    profiles = f"arn:aws:eks:eu-west-1:123456789012:fargateprofile/{bound_to}/*"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "eks-fargate-pods.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": profiles}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = options["pod_execution_role_arn"].rsplit("/", 1)[1]
    world.iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
    if trusted:
        assert player.check(MODULE, **options)["warnings"] == []
    else:
        assert "does not let eks-fargate-pods" in player.refuses_unless_mended(MODULE, **options)


def test_a_role_that_nobody_may_look_at_is_a_warning(
    player: Player, options: dict[str, Any], emulator: Emulator
) -> None:
    for operation in ("GetRole", "SimulatePrincipalPolicy"):
        emulator.fault("iam", operation, status=403, code="AccessDenied", message="no", count=100)
    (text,) = player.check(MODULE, **options)["warnings"]
    assert text.startswith("pod_execution_role_arn: whether the role") and "was not judged" in text


def test_vpc_endpoints_serve_pods_that_have_no_way_out(player: Player, world: Sample, options: dict[str, Any]) -> None:
    table = world.ec2.create_route_table(VpcId=world.vpc_id)["RouteTable"]["RouteTableId"]
    for subnet in world.private:
        world.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    player("eks_cluster", name=CLUSTER, endpoint_private_access=True)
    world.endpoints("ecr.api", "ecr.dkr")
    assert "no VPC endpoint in its place for s3." in player.refuses_unless_mended(MODULE, **options)
    world.endpoints("s3", table=table)
    closed, ipv4_only = player.converge(MODULE, **options)["warnings"]
    assert "through VPC endpoints" in closed and "no way out of the VPC over IPv6" in ipv4_only


def test_a_new_profile_needs_role_subnets_and_selectors(player: Player, world: Sample) -> None:
    failed = player.fails(MODULE, **PROFILE)
    assert [item["option"] for item in failed["problems"]] == ["pod_execution_role_arn", "subnet_ids", "selectors"]


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"pod_execution_role_arn": "fargate"}, "pod_execution_role_arn", "no ARN"),
        ({"pod_execution_role_arn": "garbage:role/fargate"}, "pod_execution_role_arn", "no ARN"),
        ({"subnet_ids": []}, "subnet_ids", "one subnet at least"),
        ({"selectors": []}, "selectors", "1 to 5"),
        ({"selectors": [{"namespace": str(n)} for n in range(6)]}, "selectors", "1 to 5"),
        ({"selectors": [{"namespace": "a", "labels": {str(n): "x" for n in range(6)}}]}, "selectors", "5 labels"),
        ({"selectors": [{"namespace": ""}]}, "selectors", "needs a namespace"),
        ({"selectors": [{"namespace": "a", "labels": {"app": None}}]}, "selectors", "the label app has no text"),
        ({"selectors": [{"namespace": "a", "labels": {"app": ["x"]}}]}, "selectors", "the label app has no text"),
        ({"selectors": [{"namespace": "a"}, {"namespace": "a", "labels": {}}]}, "selectors", "the same"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(
    player: Player, emulator: Emulator, bad: dict[str, Any], option: str, reason: str
) -> None:
    msg = player.refuses(MODULE, **{**PROFILE, **bad})
    assert msg.startswith(f"{option}:") and reason in msg
    assert emulator.journal.calls == []
