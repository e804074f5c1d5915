# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iam_eks_roles against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "iam_eks_roles"
AWS = "arn:aws:iam::aws:policy"
MINE = "arn:aws:iam::123456789012"
WHOLE: dict[str, Any] = {
    "cluster_name": "prod",
    "security_groups_for_pods": True,
    "fargate_role": {},
    "node_role": {"session_manager": True, "managed_policies": ["CloudWatchAgentServerPolicy"]},
    "tags": {"team": "platform"},
}
KEYS = ("cluster", "node", "fargate")
Aws = Callable[..., Any]


def trusting(principal: str, effect: str = "Allow", **more: Any) -> str:
    """A trust policy for one service, as text."""
    statement = {"Effect": effect, "Principal": {"Service": principal}, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def attached(iam: Any, role: str) -> list[str]:
    """The names of a role's attached policies."""
    return sorted(item["PolicyName"] for item in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"])


def account(iam: Any) -> dict[str, Any]:
    """All roles and profiles as they are, without what differs from one creation to the next."""
    return {
        "roles": {
            role["RoleName"]: (role["AssumeRolePolicyDocument"], attached(iam, role["RoleName"]))
            for role in iam.list_roles()["Roles"]
        },
        "profiles": {
            profile["InstanceProfileName"]: [role["RoleName"] for role in profile["Roles"]]
            for profile in iam.list_instance_profiles()["InstanceProfiles"]
        },
    }


def test_one_task_makes_all_roles(player: Player, aws: Aws) -> None:
    result = player.converge(MODULE, **WHOLE)
    iam = aws("iam")
    assert attached(iam, "prod-cluster") == ["AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController"]
    assert attached(iam, "prod-node") == [
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKSWorkerNodePolicy",
        "AmazonSSMManagedInstanceCore",
        "CloudWatchAgentServerPolicy",
    ]
    assert attached(iam, "prod-fargate") == ["AmazonEKSFargatePodExecutionRolePolicy"]
    profile = iam.get_instance_profile(InstanceProfileName="prod-node")["InstanceProfile"]
    assert [role["Arn"] for role in profile["Roles"]] == [result["roles"]["node"]["arn"]]
    assert result["roles"]["node"]["instance_profile"] == {"name": "prod-node", "arn": profile["Arn"]}
    for name in ("prod-cluster", "prod-node", "prod-fargate"):
        tags = {tag["Key"]: tag["Value"] for tag in iam.get_role(RoleName=name)["Role"]["Tags"]}
        assert tags == {"team": "platform", "eksops.ipv6/cluster": "prod", "eksops.ipv6/region": "eu-west-1"}


def test_each_role_trusts_its_own_service_only(player: Player, aws: Aws) -> None:
    player(MODULE, **WHOLE)
    trust = {
        key: aws("iam").get_role(RoleName=f"prod-{key}")["Role"]["AssumeRolePolicyDocument"]["Statement"]
        for key in ("cluster", "node", "fargate")
    }
    plain = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    profiles = "arn:aws:eks:eu-west-1:123456789012:fargateprofile/prod/*"
    assert trust == {
        "cluster": [{**plain, "Principal": {"Service": "eks.amazonaws.com"}}],
        "node": [{**plain, "Principal": {"Service": "ec2.amazonaws.com"}}],
        "fargate": [
            {
                **plain,
                "Principal": {"Service": "eks-fargate-pods.amazonaws.com"},
                "Condition": {"ArnLike": {"aws:SourceArn": profiles}},
            }
        ],
    }


def test_without_fargate_role_none_is_made(player: Player) -> None:
    result = player.converge(MODULE, cluster_name="prod")
    assert result["roles"]["fargate"] is None
    assert [step["resource"] for step in result["plan"] if step["operation"] == "CreateRole"] == [
        "role/prod-cluster",
        "role/prod-node",
    ]


def test_check_mode_stands_in_for_the_arns(player: Player) -> None:
    roles = player.check(MODULE, **WHOLE)["roles"]
    assert roles["cluster"]["arn"] == "pending:role/prod-cluster"
    assert roles["node"]["instance_profile"]["arn"] == "pending:instance-profile/prod-node"


def test_govcloud_gets_its_own_arns(player: Player, aws: Aws) -> None:
    result = player.converge(MODULE, region="us-gov-west-1", **WHOLE)
    assert result["roles"]["fargate"]["managed_policies"] == [
        "arn:aws-us-gov:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy"
    ]
    role = aws("iam", "us-gov-west-1").get_role(RoleName="prod-fargate")["Role"]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition["ArnLike"]["aws:SourceArn"].startswith("arn:aws-us-gov:eks:us-gov-west-1:123456789012:")


def test_a_second_cluster_has_roles_of_its_own(player: Player, aws: Aws) -> None:
    player(MODULE, **WHOLE)
    before = account(aws("iam"))
    player.converge(MODULE, **{**WHOLE, "cluster_name": "stage"})
    after = account(aws("iam"))
    assert {name: after["roles"][name] for name in before["roles"]} == before["roles"]
    assert sorted(after["roles"]) == sorted(f"{name}-{key}" for name in ("prod", "stage") for key in KEYS)
    player.unchanged(MODULE, **WHOLE)


def test_a_cluster_of_the_same_name_in_another_region_is_told_apart(player: Player) -> None:
    made = player(MODULE, cluster_name="prod", region="us-east-1")
    msg = player.refuses(MODULE, cluster_name="prod")
    assert "cluster_role.name: the role prod-cluster was made for cluster 'prod' in us-east-1" in msg
    assert "node_role.instance_profile" in msg
    shared = {"arn": made["roles"]["cluster"]["arn"]}
    result = player.converge(MODULE, cluster_name="prod", cluster_role=shared, node_role={"name": "prod-eu-node"})
    assert result["roles"]["cluster"]["adopted"] is True


@pytest.mark.slow
@pytest.mark.parametrize("after", range(12))
def test_a_run_stopped_after_any_write_is_carried_on(player: Player, aws: Aws, emulator: Emulator, after: int) -> None:
    emulator.fault(kind="halt", count=None, after=after)
    stopped = player.fails(MODULE, **WHOLE)
    assert len(stopped["plan"]) == after
    emulator.faults.clear()
    player.converge(MODULE, **WHOLE)
    resumed = account(aws("iam"))
    created = [call for call in emulator.journal.writes(ok_only=True) if call.operation.startswith("Create")]
    emulator.reset()
    player(MODULE, **WHOLE)
    assert resumed == account(aws("iam"))
    assert len(created) == 4


def test_the_prefixes_above_are_all_prefixes(player: Player) -> None:
    assert len(player.check(MODULE, **WHOLE)["plan"]) == 12


def test_what_iam_does_not_see_yet_is_waited_for(player: Player, aws: Aws, emulator: Emulator) -> None:
    text = "The role with name prod-cluster cannot be found."
    emulator.fault("iam", "AttachRolePolicy", count=2, status=404, code="NoSuchEntity", message=text)
    emulator.fault("iam", "CreateInstanceProfile", "not_found_for", reads=2, writes=True)
    player(MODULE, cluster_name="prod")
    refused = [call.operation for call in emulator.journal.writes() if not call.ok]
    assert refused == ["AttachRolePolicy", "AttachRolePolicy", "AddRoleToInstanceProfile", "AddRoleToInstanceProfile"]
    player.unchanged(MODULE, cluster_name="prod")


def test_a_policy_that_does_not_exist_is_told_at_once(player: Player, emulator: Emulator) -> None:
    role = {"managed_policies": ["AmazonNoSuchPolicy"]}
    failed = player.fails(MODULE, cluster_name="prod", cluster_role=role)
    assert failed["error"]["code"] == "NoSuchEntity"
    assert [call.operation for call in emulator.journal.writes() if not call.ok] == ["AttachRolePolicy"]


@pytest.mark.parametrize("operation", ["CreateRole", "AttachRolePolicy", "CreateInstanceProfile"])
def test_a_lost_reply_makes_nothing_twice(player: Player, aws: Aws, emulator: Emulator, operation: str) -> None:
    emulator.fault("iam", operation, "lost_reply")
    assert "Whether AWS carried the call out is not known" in player.fails(MODULE, cluster_name="prod")["msg"]
    player.converge(MODULE, cluster_name="prod")
    done = [call for call in emulator.journal.writes() if call.status == 200]
    assert len({(call.operation, str(call.request)) for call in done}) == len(done) == 7


def test_an_adopted_role_is_only_added_to(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    arn = iam.create_role(
        RoleName="shared",
        Path="/x/",
        AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"),
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]["Arn"]
    iam.attach_role_policy(RoleName="shared", PolicyArn=f"{AWS}/ReadOnlyAccess")
    result = player.converge(MODULE, cluster_name="prod", cluster_role={"arn": arn}, tags={"c": "d"})
    steps = [(step["operation"], step["risk"]) for step in result["plan"] if step["resource"] == "role/shared"]
    assert steps == [("UpdateAssumeRolePolicy", "safe"), ("AttachRolePolicy", "safe")]
    role = iam.get_role(RoleName="shared")["Role"]
    assert [item["Principal"] for item in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "ec2.amazonaws.com"},
        {"Service": "eks.amazonaws.com"},
    ]
    assert role["Tags"] == [{"Key": "a", "Value": "b"}]
    assert attached(iam, "shared") == ["AmazonEKSClusterPolicy", "ReadOnlyAccess"]
    assert any("did not let eks.amazonaws.com do sts:AssumeRole" in text for text in result["warnings"])
    assert result["roles"]["cluster"]["adopted"] is True


def test_a_role_of_the_default_name_is_adopted(player: Player, aws: Aws) -> None:
    aws("iam").create_role(RoleName="prod-cluster", AssumeRolePolicyDocument=trusting("eks.amazonaws.com"))
    result = player.converge(MODULE, cluster_name="prod")
    assert result["warnings"] == []
    assert result["roles"]["cluster"]["adopted"] is True
    left = player.converge(MODULE, cluster_name="prod", state="absent")["left"]
    assert [(item["resource"], item["reason"]) for item in left] == [
        ("role/prod-cluster", "it was not made by this module for this cluster")
    ]


def test_an_adopted_role_that_pulls_images_gets_no_second_policy_for_it(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="nodes", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName="nodes", PolicyArn=f"{AWS}/AmazonEC2ContainerRegistryReadOnly")
    player.converge(MODULE, cluster_name="prod", node_role={"arn": f"{MINE}:role/nodes"})
    assert attached(iam, "nodes") == ["AmazonEC2ContainerRegistryReadOnly", "AmazonEKSWorkerNodePolicy"]


def test_an_adopted_role_keeps_its_instance_profile(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="nodes", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="of-old")
    iam.add_role_to_instance_profile(InstanceProfileName="of-old", RoleName="nodes")
    result = player.converge(MODULE, cluster_name="prod", node_role={"arn": f"{MINE}:role/nodes"})
    assert result["roles"]["node"]["instance_profile"]["name"] == "of-old"


def test_a_fargate_role_bound_to_another_cluster_is_opened_to_this_one(player: Player, aws: Aws) -> None:
    condition = {"ArnLike": {"aws:SourceArn": "arn:aws:eks:eu-west-1:123456789012:fargateprofile/other/*"}}
    document = trusting("eks-fargate-pods.amazonaws.com", Condition=condition)
    aws("iam").create_role(RoleName="fargate", AssumeRolePolicyDocument=document)
    player.converge(MODULE, cluster_name="prod", fargate_role={"arn": f"{MINE}:role/fargate"})
    trust = aws("iam").get_role(RoleName="fargate")["Role"]["AssumeRolePolicyDocument"]
    assert [item["Condition"]["ArnLike"]["aws:SourceArn"].split("/")[1] for item in trust["Statement"]] == [
        "other",
        "prod",
    ]


def test_a_trust_policy_that_drifted_is_put_right(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    extended = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                json.loads(trusting("eks.amazonaws.com"))["Statement"],
                json.loads(trusting("lambda.amazonaws.com"))["Statement"],
            ],
        }
    )
    aws("iam").update_assume_role_policy(RoleName="prod-cluster", PolicyDocument=extended)
    result = player.converge(MODULE, cluster_name="prod")
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("UpdateAssumeRolePolicy", "disruptive")]


def test_the_same_trust_in_other_words_is_no_drift(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    statement = {
        "Sid": "Eks",
        "Action": ["sts:AssumeRole"],
        "Effect": "Allow",
        "Principal": {"Service": ["eks.amazonaws.com"]},
    }
    document = json.dumps({"Statement": statement, "Version": "2012-10-17"})
    aws("iam").update_assume_role_policy(RoleName="prod-cluster", PolicyDocument=document)
    player.unchanged(MODULE, cluster_name="prod")


def test_what_was_attached_besides_stays(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod", node_role={"managed_policies": ["CloudWatchAgentServerPolicy"]})
    aws("iam").attach_role_policy(RoleName="prod-node", PolicyArn=f"{AWS}/ReadOnlyAccess")
    player.unchanged(MODULE, cluster_name="prod")
    assert "CloudWatchAgentServerPolicy" in attached(aws("iam"), "prod-node")
    assert "ReadOnlyAccess" in attached(aws("iam"), "prod-node")


def test_boundary_and_tags_change_in_place(player: Player) -> None:
    boundary = f"{AWS}/PowerUserAccess"
    player(MODULE, cluster_name="prod", cluster_role={"permissions_boundary": boundary}, tags={"a": "b", "c": "d"})
    player.unchanged(MODULE, cluster_name="prod")
    moved = {"permissions_boundary": f"{AWS}/AdministratorAccess"}
    result = player.converge(MODULE, cluster_name="prod", cluster_role=moved, tags={"a": "e"})
    assert [name for _service, name in operations(result["plan"])] == [
        "PutRolePermissionsBoundary",
        "TagRole",
        "UntagRole",
        "TagRole",
        "UntagRole",
        "TagInstanceProfile",
        "UntagInstanceProfile",
    ]
    assert result["roles"]["cluster"]["tags"]["a"] == "e"
    bare = player.converge(MODULE, cluster_name="prod", cluster_role={"permissions_boundary": ""})
    assert bare["roles"]["cluster"]["permissions_boundary"] is None


def test_a_path_is_set_at_creation_and_never_moved(player: Player) -> None:
    result = player.converge(MODULE, cluster_name="prod", node_role={"path": "/eks/"})
    assert result["roles"]["node"]["arn"] == f"{MINE}:role/eks/prod-node"
    assert result["roles"]["node"]["instance_profile"]["arn"] == f"{MINE}:instance-profile/eks/prod-node"
    player.unchanged(MODULE, cluster_name="prod")
    assert "IAM cannot move a role" in player.refuses(MODULE, cluster_name="prod", node_role={"path": "/other/"})


def test_absent_removes_what_was_made_and_nothing_else(player: Player, aws: Aws) -> None:
    aws("iam").create_role(RoleName="bystander", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    player(MODULE, **WHOLE)
    result = player.converge(MODULE, cluster_name="prod", state="absent")
    assert result["left"] == []
    assert result["roles"] == {"cluster": None, "node": None, "fargate": None}
    assert {step["risk"] for step in result["plan"]} == {"irreversible"}
    assert account(aws("iam")) == {
        "roles": {"bystander": (json.loads(trusting("ec2.amazonaws.com")), [])},
        "profiles": {},
    }


@pytest.mark.slow
@pytest.mark.parametrize("after", range(12))
def test_a_teardown_stopped_after_any_write_is_carried_on(
    player: Player, aws: Aws, emulator: Emulator, after: int
) -> None:
    player(MODULE, **WHOLE)
    emulator.fault(kind="halt", count=None, after=after)
    player.fails(MODULE, cluster_name="prod", state="absent")
    emulator.faults.clear()
    player.converge(MODULE, cluster_name="prod", state="absent")
    assert account(aws("iam")) == {"roles": {}, "profiles": {}}


def test_absent_leaves_a_role_that_others_have_written_to(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    )
    aws("iam").put_role_policy(RoleName="prod-cluster", PolicyName="by-hand", PolicyDocument=document)
    aws("iam").create_instance_profile(InstanceProfileName="by-hand")
    aws("iam").add_role_to_instance_profile(InstanceProfileName="by-hand", RoleName="prod-node")
    left = player.converge(MODULE, cluster_name="prod", state="absent")["left"]
    assert [(item["resource"], item["reason"]) for item in left] == [
        ("role/prod-cluster", "it has inline policies that this module did not write: by-hand"),
        ("role/prod-node", "it is in instance profiles that this module did not make: by-hand"),
    ]
    assert attached(aws("iam"), "prod-cluster") == ["AmazonEKSClusterPolicy"]


def test_while_the_cluster_lives_nothing_goes_outside_check_mode(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    Sample(aws).cluster("prod")
    before = account(aws("iam"))
    failed = player.fails(MODULE, cluster_name="prod", state="absent")
    assert "cluster_role.state: the cluster 'prod' is there still" in failed["msg"]
    assert account(aws("iam")) == before
    predicted = player.check(MODULE, cluster_name="prod", state="absent")
    assert predicted["warnings"] == ["The cluster 'prod' is there still; outside check mode it must go first."]
    assert operations(predicted["plan"])[-1] == ("iam", "DeleteRole")


def test_eks_takes_the_roles_that_were_made(player: Player, aws: Aws) -> None:
    roles = player(MODULE, **WHOLE)["roles"]
    sample = Sample(aws)
    sample.cluster_role = roles["cluster"]["arn"]
    sample.cluster("prod")
    assert aws("eks").describe_cluster(name="prod")["cluster"]["roleArn"] == roles["cluster"]["arn"]


def test_absent_is_content_when_nothing_is_there(player: Player) -> None:
    assert player.unchanged(MODULE, cluster_name="prod", state="absent")["left"] == []


def test_one_role_can_be_left_out(player: Player) -> None:
    result = player.converge(MODULE, cluster_name="prod", node_role={"state": "absent"})
    assert result["roles"]["node"] is None
    assert [step["resource"] for step in result["plan"]] == ["role/prod-cluster", "role/prod-cluster"]


def test_the_ipv4_cni_policy_is_refused_and_found(player: Player, aws: Aws) -> None:
    for policy in ("AmazonEKS_CNI_Policy", f"{AWS}/AmazonEKS_CNI_Policy"):
        msg = player.refuses(MODULE, cluster_name="prod", node_role={"managed_policies": [policy]})
        assert msg.startswith("node_role.managed_policies: AmazonEKS_CNI_Policy is for IPv4 clusters")
    assert player.writes() == []
    player(MODULE, cluster_name="prod")
    aws("iam").attach_role_policy(RoleName="prod-node", PolicyArn=f"{AWS}/AmazonEKS_CNI_Policy")
    result = player.unchanged(MODULE, cluster_name="prod")
    assert "prod-node has AmazonEKS_CNI_Policy attached" in result["warnings"][0]


def test_an_ipv4_cluster_may_have_the_ipv4_cni_policy(player: Player, aws: Aws) -> None:
    policies = {"managed_policies": ["AmazonEKS_CNI_Policy"]}
    result = player.converge(MODULE, cluster_name="prod", ip_family="ipv4", node_role=policies)
    assert "AmazonEKS_CNI_Policy" in attached(aws("iam"), "prod-node")
    assert result["warnings"] == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"cluster_name": "x" * 57}, "cluster_role.name: the role name"),
        ({"cluster_role": {"name": "a role"}}, "cluster_role.name: 'a role' is no role name"),
        ({"node_role": {"path": "eks"}}, "node_role.path: 'eks' is no path"),
        ({"node_role": {"instance_profile": "x" * 129}}, "node_role.instance_profile: the instance profile name"),
        ({"cluster_role": {"arn": "prod-cluster"}}, "cluster_role.arn: 'prod-cluster' is no ARN of an IAM role"),
        ({"cluster_role": {"arn": f"{MINE}:role/nowhere"}}, "cluster_role.arn: there is no role"),
        ({"cluster_role": {"arn": "arn:aws-us-gov:iam::123456789012:role/r"}}, "is in the partition aws-us-gov"),
        ({"node_role": {"permissions_boundary": "strict"}}, "node_role.permissions_boundary: 'strict' is no ARN"),
        ({"node_role": {"name": "Prod-Cluster"}}, "each purpose needs a role of its own"),
        ({"region": "cn-north-1"}, "ip_family: EKS offers no IPv6 clusters in China"),
    ],
)
def test_bad_input_is_refused(player: Player, params: dict[str, Any], said: str) -> None:
    assert said in player.refuses(MODULE, **{"cluster_name": "prod", **params})
    assert player.writes() == []


def test_name_and_arn_exclude_each_other(player: Player) -> None:
    msg = player.fails(MODULE, cluster_name="prod", cluster_role={"name": "a", "arn": f"{MINE}:role/a"})["msg"]
    assert "mutually exclusive" in msg


def test_a_role_of_another_account_is_no_role_of_this_one(player: Player, aws: Aws) -> None:
    aws("iam").create_role(RoleName="eks", AssumeRolePolicyDocument=trusting("eks.amazonaws.com"))
    msg = player.refuses(MODULE, cluster_name="prod", cluster_role={"arn": "arn:aws:iam::999999999999:role/eks"})
    assert f"the role of that name is {MINE}:role/eks" in msg


def test_a_trust_policy_that_denies_is_refused(player: Player, aws: Aws) -> None:
    document = trusting("eks.amazonaws.com", effect="Deny")
    aws("iam").create_role(RoleName="prod-cluster", AssumeRolePolicyDocument=document)
    assert "denies eks.amazonaws.com" in player.refuses(MODULE, cluster_name="prod")


def test_a_profile_that_holds_another_role_is_refused(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="prod-node")
    iam.add_role_to_instance_profile(InstanceProfileName="prod-node", RoleName="theirs")
    assert "holds the role theirs" in player.refuses(MODULE, cluster_name="prod")


def test_a_pending_role_is_taken_as_it_is(player: Player) -> None:
    result = player.check(
        MODULE, cluster_name="prod", cluster_role={"arn": "pending:role/x"}, node_role={"arn": "pending:role/y"}
    )
    assert result["plan"] == []
    assert result["roles"]["cluster"]["arn"] == "pending:role/x"
    assert result["roles"]["node"]["instance_profile"]["arn"] == "pending:role/y"


def test_an_unchanged_document_costs_one_round_of_reads(player: Player, emulator: Emulator) -> None:
    player(MODULE, **WHOLE)
    emulator.journal.clear()
    player.unchanged(MODULE, **WHOLE)
    assert len(emulator.journal.calls) == 9


def test_a_tag_of_the_collection_s_own_does_not_hand_the_roles_over(player: Player, aws: Aws) -> None:
    player.converge(MODULE, cluster_name="prod", tags={"eksops.ipv6/cluster": "other", "team": "platform"})
    player.converge(MODULE, cluster_name="prod", tags={"eksops.ipv6/cluster": "other"})
    assert player.converge(MODULE, cluster_name="prod", state="absent")["left"] == []
    assert aws("iam").list_roles()["Roles"] == []
