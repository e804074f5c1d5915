# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iam_cni_role against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "iam_cni_role"
MINE = "arn:aws:iam::123456789012"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"{MINE}:oidc-provider/{ISSUER.removeprefix('https://')}"
POLICY = f"{MINE}:policy/prod-cni-ipv6"
EVERY_VERSION = [
    "ec2:AssignIpv6Addresses",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
]
STALE = [action for action in EVERY_VERSION if action not in ("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")]
Aws = Callable[..., Any]


def document(*statements: dict[str, Any]) -> str:
    """A policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


TAGGING = allow("ec2:CreateTags", "arn:aws:ec2:*:*:network-interface/*")
POD_IDENTITY = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def live_policy(iam: Any, arn: str) -> dict[str, Any]:
    """The document in force."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return found


def trust_of(iam: Any, role: str) -> list[dict[str, Any]]:
    """The statements of a role's trust policy."""
    found: list[dict[str, Any]] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return found


def attached(iam: Any, role: str) -> list[str]:
    """The ARNs of a role's attached policies."""
    return sorted(item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"])


def account(iam: Any) -> dict[str, Any]:
    """All roles and policies as they are, without what differs from one creation to the next."""
    return {
        "roles": {
            role["RoleName"]: (role["AssumeRolePolicyDocument"], attached(iam, role["RoleName"]))
            for role in iam.list_roles()["Roles"]
        },
        "policies": {
            policy["PolicyName"]: live_policy(iam, policy["Arn"])
            for policy in iam.list_policies(Scope="Local")["Policies"]
        },
    }


def make_role(iam: Any, name: str, *statements: dict[str, Any], policy: str = "") -> str:
    """A role made by hand; its ARN."""
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*statements))["Role"]["Arn"]
    if policy:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return arn


def make_policy(iam: Any, name: str, *statements: dict[str, Any], path: str = "/") -> str:
    """A policy made by hand; its ARN."""
    made = iam.create_policy(PolicyName=name, PolicyDocument=document(*statements), Path=path)
    arn: str = made["Policy"]["Arn"]
    return arn


# --- making -----------------------------------------------------------------------------------------------------------


def test_pod_identity_is_the_default_and_the_policy_serves_every_version(player: Player, aws: Aws) -> None:
    result = player.converge(MODULE, cluster_name="prod", tags={"team": "net"})
    iam = aws("iam")
    assert operations(result["plan"]) == [
        ("iam", "CreatePolicy"),
        ("iam", "CreateRole"),
        ("iam", "AttachRolePolicy"),
    ]
    assert live_policy(iam, POLICY)["Statement"] == [
        allow(EVERY_VERSION),
        {**TAGGING, "Action": ["ec2:CreateTags"], "Resource": [TAGGING["Resource"]]},
    ]
    assert trust_of(iam, "prod-cni") == [POD_IDENTITY]
    assert attached(iam, "prod-cni") == [POLICY]
    role = result["cni_role"]
    assert (role["arn"], role["policy_arn"], role["identity"]) == (f"{MINE}:role/prod-cni", POLICY, "pod_identity")
    assert role["policy_document"] == live_policy(iam, POLICY)
    marks = {"team": "net", "eksops.ipv6/cluster": "prod", "eksops.ipv6/region": "eu-west-1"}
    assert role["tags"] == marks
    assert {tag["Key"]: tag["Value"] for tag in iam.get_policy(PolicyArn=POLICY)["Policy"]["Tags"]} == marks


def test_irsa_takes_the_issuer_letter_for_letter(player: Player, aws: Aws) -> None:
    player.converge(MODULE, cluster_name="prod", identity="irsa", oidc_issuer=ISSUER)
    host = ISSUER.removeprefix("https://")
    assert trust_of(aws("iam"), "prod-cni") == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{host}:aud": "sts.amazonaws.com",
                    f"{host}:sub": "system:serviceaccount:kube-system:aws-node",
                }
            },
        }
    ]
    player.unchanged(MODULE, cluster_name="prod", identity="irsa", oidc_provider_arn=PROVIDER)


def test_an_issuer_that_does_not_exist_yet_is_planned(player: Player) -> None:
    pending = {"oidc_issuer": "pending:cluster/prod", "oidc_provider_arn": "pending:oidc-provider/pending:cluster/prod"}
    predicted = player.check(MODULE, cluster_name="prod", identity="irsa", **pending)
    real = player(MODULE, cluster_name="prod", identity="irsa", oidc_issuer=ISSUER, oidc_provider_arn=PROVIDER)
    assert operations(predicted["plan"]) == operations(real["plan"])
    assert predicted["cni_role"]["arn"] == "pending:role/prod-cni"
    assert predicted["cni_role"]["policy_arn"] == "pending:policy/prod-cni-ipv6"
    assert predicted["plan"][2]["request"]["PolicyArn"] == "pending:policy/prod-cni-ipv6"


def test_without_an_issuer_the_cluster_is_asked(player: Player) -> None:
    msg = player.fails(MODULE, cluster_name="prod", identity="irsa")["msg"]
    assert msg.startswith("oidc_issuer: there is no cluster 'prod' to ask.")
    assert len(player.check(MODULE, cluster_name="prod", identity="irsa")["plan"]) == 3


def test_the_clusters_own_issuer_is_taken(player: Player, aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster("prod")
    issuer = aws("eks").describe_cluster(name="prod")["cluster"]["identity"]["oidc"]["issuer"]
    player.converge(MODULE, cluster_name="prod", identity="irsa")
    provider = f"{MINE}:oidc-provider/{issuer.removeprefix('https://')}"
    assert trust_of(aws("iam"), "prod-cni")[0]["Principal"] == {"Federated": provider}


def test_node_role_gets_the_policy_and_keeps_the_rest(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    player("iam_eks_roles", cluster_name="prod", tags={"a": "b"})
    before = trust_of(iam, "prod-node")
    result = player.converge(MODULE, cluster_name="prod", identity="node_role", node_role="prod-node", tags={"c": "d"})
    assert operations(result["plan"]) == [("iam", "CreatePolicy"), ("iam", "AttachRolePolicy")]
    assert result["cni_role"]["arn"] == f"{MINE}:role/prod-node"
    assert POLICY in attached(iam, "prod-node")
    assert trust_of(iam, "prod-node") == before
    player.unchanged("iam_eks_roles", cluster_name="prod", tags={"a": "b"})
    removed = player.converge(MODULE, cluster_name="prod", identity="node_role", node_role="prod-node", state="absent")
    assert operations(removed["plan"]) == [("iam", "DetachRolePolicy"), ("iam", "DeletePolicy")]
    player.unchanged("iam_eks_roles", cluster_name="prod", tags={"a": "b"})


def test_a_node_role_to_come_is_planned_and_one_that_is_missing_refused(player: Player) -> None:
    for node_role in ("pending:role/prod-node", "prod-node"):
        result = player.check(MODULE, cluster_name="prod", identity="node_role", node_role=node_role)
        assert operations(result["plan"]) == [("iam", "CreatePolicy"), ("iam", "AttachRolePolicy")]
        assert result["plan"][1]["request"]["RoleName"] == "prod-node"
        assert result["cni_role"]["arn"] == "pending:role/prod-node"
    failed = player.fails(MODULE, cluster_name="prod", identity="node_role", node_role="prod-node")
    assert failed["msg"].startswith("node_role: there is no role prod-node.")
    assert player.writes() == []


@pytest.mark.parametrize("region", ["us-gov-west-1", "eusc-de-east-1"])
def test_every_partition_has_its_own_arns(player: Player, aws: Aws, region: str) -> None:
    partition = {"us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc"}[region]
    result = player.check(MODULE, cluster_name="prod", region=region, identity="irsa", oidc_issuer=ISSUER)
    tagging = result["cni_role"]["policy_document"]["Statement"][1]
    assert tagging["Resource"] == [f"arn:{partition}:ec2:*:*:network-interface/*"]
    trust = json.loads(result["plan"][1]["request"]["AssumeRolePolicyDocument"])["Statement"][0]
    assert trust["Principal"]["Federated"].startswith(f"arn:{partition}:iam::123456789012:oidc-provider/")


def test_govcloud_converges(player: Player) -> None:
    result = player.converge(MODULE, cluster_name="prod", region="us-gov-west-1")
    assert result["cni_role"]["policy_arn"] == "arn:aws-us-gov:iam::123456789012:policy/prod-cni-ipv6"


def test_path_and_boundary(player: Player, aws: Aws) -> None:
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    result = player.converge(MODULE, cluster_name="prod", path="/cni/", permissions_boundary=boundary)
    role = result["cni_role"]
    assert (role["arn"], role["policy_arn"]) == (f"{MINE}:role/cni/prod-cni", f"{MINE}:policy/cni/prod-cni-ipv6")
    assert aws("iam").get_role(RoleName="prod-cni")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    player.unchanged(MODULE, cluster_name="prod")
    msg = player.refuses(MODULE, cluster_name="prod", path="/other/")
    assert "cannot move a policy" in msg and "cannot move a role" in msg


def test_a_second_cluster_shares_nothing(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    before = account(aws("iam"))
    player.converge(MODULE, cluster_name="stage")
    after = account(aws("iam"))
    assert sorted(after["roles"]) == ["prod-cni", "stage-cni"]
    assert sorted(after["policies"]) == ["prod-cni-ipv6", "stage-cni-ipv6"]
    player.converge(MODULE, cluster_name="stage", state="absent")
    assert account(aws("iam")) == before


@pytest.mark.slow
@pytest.mark.parametrize("after", range(3))
def test_a_run_stopped_after_any_write_is_carried_on(player: Player, aws: Aws, emulator: Emulator, after: int) -> None:
    emulator.fault(kind="halt", count=None, after=after)
    assert len(player.fails(MODULE, cluster_name="prod")["plan"]) == after
    emulator.faults.clear()
    player.converge(MODULE, cluster_name="prod")
    created = [call for call in emulator.journal.writes(ok_only=True) if call.operation.startswith("Create")]
    resumed = account(aws("iam"))
    emulator.reset()
    player(MODULE, cluster_name="prod")
    assert resumed == account(aws("iam"))
    assert len(created) == 2


def test_what_iam_does_not_see_yet_is_waited_for(player: Player, emulator: Emulator) -> None:
    emulator.fault("iam", "CreatePolicy", "not_found_for", reads=2, writes=True)
    player(MODULE, cluster_name="prod")
    assert [call.operation for call in emulator.journal.writes() if not call.ok] == ["AttachRolePolicy"] * 2


def test_room_for_a_version_may_take_a_moment(player: Player, aws: Aws, emulator: Emulator) -> None:
    arn = make_policy(aws("iam"), "byhand", allow(STALE), TAGGING)
    for _unused in range(4):
        aws("iam").create_policy_version(PolicyArn=arn, PolicyDocument=document(TAGGING), SetAsDefault=False)
    emulator.fault("iam", "CreatePolicyVersion", count=1, status=409, code="LimitExceeded", message="5 versions")
    player(MODULE, cluster_name="prod", policy_name="byhand")
    player.unchanged(MODULE, cluster_name="prod", policy_name="byhand")


@pytest.mark.slow
@pytest.mark.parametrize("after", range(4))
def test_an_upgrade_stopped_after_any_write_is_carried_on(
    player: Player, aws: Aws, emulator: Emulator, after: int
) -> None:
    """Room for a version, the version, the trust, the attachment."""
    iam = aws("iam")
    arn = make_policy(iam, "prod-cni-ipv6", allow(STALE), TAGGING)
    for _unused in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow(STALE), TAGGING), SetAsDefault=True)
    make_role(iam, "prod-cni", LAMBDA)
    emulator.fault(kind="halt", count=None, after=after)
    assert len(player.fails(MODULE, cluster_name="prod")["plan"]) == after
    emulator.faults.clear()
    player.converge(MODULE, cluster_name="prod")
    assert [version["VersionId"] for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == [
        *("v2", "v3", "v4", "v5", "v6")
    ]
    assert trust_of(iam, "prod-cni") == [LAMBDA, POD_IDENTITY]
    assert attached(iam, "prod-cni") == [arn]


# --- versions and features --------------------------------------------------------------------------------------------


def test_an_exact_version_gets_no_more_than_it_calls(player: Player, aws: Aws) -> None:
    player.converge(MODULE, cluster_name="prod", cni_version="v1.21.2-eksbuild.2")
    assert live_policy(aws("iam"), POLICY)["Statement"][0]["Action"] == STALE
    wider = player.converge(MODULE, cluster_name="prod", cni_version="v1.22.1-eksbuild.2")
    assert [(step["operation"], step["risk"]) for step in wider["plan"]] == [("CreatePolicyVersion", "safe")]
    assert live_policy(aws("iam"), POLICY)["Statement"][0]["Action"] == EVERY_VERSION
    narrower = player.converge(MODULE, cluster_name="prod", cni_version="1.21.2")
    assert [step["risk"] for step in narrower["plan"]] == ["disruptive"]


def test_iam_itself_says_that_the_role_may_do_what_the_cni_calls_and_no_more(player: Player, aws: Aws) -> None:
    role = player(MODULE, cluster_name="prod")["cni_role"]

    def simulated(action: str, resource: str) -> str:
        answer = aws("iam").simulate_principal_policy(
            PolicySourceArn=role["arn"], ActionNames=[action], ResourceArns=[resource]
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    interface = "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-1"
    assert {simulated(action, interface) for action in role["actions"]} == {"allowed"}
    assert simulated("ec2:CreateTags", interface.replace("network-interface/eni", "instance/i")) == "implicitDeny"
    assert simulated("ec2:CreateNetworkInterface", interface) == "implicitDeny"


def test_several_interfaces_need_more(player: Player) -> None:
    actions = player.converge(MODULE, cluster_name="prod", multi_nic=True)["cni_role"]["actions"]
    assert set(actions) - set(EVERY_VERSION) - {"ec2:CreateTags"} == {
        "ec2:AttachNetworkInterface",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DetachNetworkInterface",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:UnassignIpv6Addresses",
    }


def test_a_version_newer_than_the_tables_is_taken_with_a_warning(player: Player) -> None:
    result = player.converge(MODULE, cluster_name="prod", cni_version="v1.99.0-eksbuild.1")
    assert "newer than 1.23.1" in result["warnings"][0]


# --- adopting ---------------------------------------------------------------------------------------------------------


def test_a_stale_policy_made_by_hand_gets_what_it_lacks_in_a_new_version(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    arn = make_policy(iam, "AmazonEKS_CNI_IPv6_Policy", allow([*STALE, "ec2:DescribeVpcs"]), TAGGING)
    result = player.converge(MODULE, cluster_name="prod", policy_name="AmazonEKS_CNI_IPv6_Policy")
    assert operations(result["plan"])[0] == ("iam", "CreatePolicyVersion")
    assert result["plan"][0]["risk"] == "safe"
    assert live_policy(iam, arn)["Statement"] == [
        allow([*STALE, "ec2:DescribeVpcs"]),
        TAGGING,
        allow(["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"]),
    ]
    assert result["cni_role"]["policy_adopted"] is True
    assert iam.get_policy(PolicyArn=arn)["Policy"].get("Tags", []) == []


@pytest.mark.parametrize(
    "statements",
    [
        [allow(["ec2:Describe*", "EC2:AssignIPv6addresses", "ec2:CreateTags"])],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": ["*"]}],
        [allow(action) for action in reversed([*EVERY_VERSION, "ec2:CreateTags"])],
        [allow(EVERY_VERSION, Sid="Cni"), {**TAGGING, "Resource": [TAGGING["Resource"]]}],
    ],
)
def test_a_policy_that_suffices_in_other_words_is_left_alone(
    player: Player, aws: Aws, statements: list[dict[str, Any]]
) -> None:
    make_policy(aws("iam"), "byhand", *statements)
    result = player.converge(MODULE, cluster_name="prod", policy_name="byhand")
    assert operations(result["plan"]) == [("iam", "CreateRole"), ("iam", "AttachRolePolicy")]


def test_the_modules_own_policy_in_other_words_is_no_drift(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    words = [allow(action, ["*"], Sid=f"S{n}") for n, action in enumerate(reversed(EVERY_VERSION))]
    aws("iam").create_policy_version(PolicyArn=POLICY, PolicyDocument=document(TAGGING, *words), SetAsDefault=True)
    player.unchanged(MODULE, cluster_name="prod")


def test_a_policy_at_another_path_is_found(player: Player, aws: Aws) -> None:
    arn = make_policy(aws("iam"), "Prod-CNI-ipv6", allow(EVERY_VERSION), TAGGING, path="/teams/net/")
    result = player.converge(MODULE, cluster_name="prod")
    assert result["cni_role"]["policy_arn"] == arn


def test_a_policy_of_five_versions_loses_its_oldest_that_is_not_in_force(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    arn = make_policy(iam, "byhand", allow(STALE), TAGGING)
    for _unused in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("ec2:DescribeTags")), SetAsDefault=False)
    result = player.converge(MODULE, cluster_name="prod", policy_name="byhand")
    assert [(step["operation"], step["risk"]) for step in result["plan"]][:2] == [
        ("DeletePolicyVersion", "irreversible"),
        ("CreatePolicyVersion", "safe"),
    ]
    assert sorted(version["VersionId"] for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]) == [
        *("v1", "v3", "v4", "v5", "v6")
    ]


def test_a_policy_that_others_use_too_is_only_added_to(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    make_role(aws("iam"), "stage-cni", POD_IDENTITY, policy=POLICY)
    (warning,) = player.unchanged(MODULE, cluster_name="prod", cni_version="1.21.2")["warnings"]
    assert warning == f"policy_name: others use the policy {POLICY} too, so what it allows besides stays."
    assert live_policy(aws("iam"), POLICY)["Statement"][0]["Action"] == EVERY_VERSION
    assert player.unchanged(MODULE, cluster_name="prod")["warnings"] == []


def test_an_adopted_role_is_opened_to_the_cni_and_nothing_else_changes(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    arn = make_role(iam, "cni", LAMBDA, policy="arn:aws:iam::aws:policy/ReadOnlyAccess")
    result = player.converge(MODULE, cluster_name="prod", arn=arn, tags={"a": "b"})
    assert trust_of(iam, "cni") == [LAMBDA, POD_IDENTITY]
    assert attached(iam, "cni") == [POLICY, "arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert iam.get_role(RoleName="cni")["Role"].get("Tags", []) == []
    assert "did not let pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession" in result["warnings"][0]


@pytest.mark.parametrize(
    ("condition", "opened"),
    [
        ({"StringEquals": {"aws:RequestTag/eks-cluster-name": "prod"}}, False),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-name": ["stage", "prod"]}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:eks:*:123456789012:cluster/*"}}, False),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-name": "stage"}}, True),
        ({"StringEquals": {"aws:RequestTag/kubernetes-service-account": "coredns"}}, True),
        ({"StringEquals": {"AWS:SourceAccount": "999999999999"}}, True),
    ],
)
def test_conditions_of_an_existing_trust_are_judged(
    player: Player, aws: Aws, condition: dict[str, Any], opened: bool
) -> None:
    make_role(aws("iam"), "prod-cni", {**POD_IDENTITY, "Condition": condition})
    plan = player.converge(MODULE, cluster_name="prod")["plan"]
    assert ("iam", "UpdateAssumeRolePolicy") in operations(plan) if opened else len(plan) == 2


def test_a_condition_that_only_aws_can_judge_is_told(player: Player, aws: Aws) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    make_role(aws("iam"), "prod-cni", {**POD_IDENTITY, "Condition": condition})
    assert "only AWS can judge (aws:PrincipalOrgID)" in player.converge(MODULE, cluster_name="prod")["warnings"][0]


def test_irsa_trust_of_another_service_account_does_not_count(player: Player, aws: Aws) -> None:
    host = ISSUER.removeprefix("https://")
    theirs = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": "system:serviceaccount:default:app"}},
    }
    make_role(aws("iam"), "prod-cni", theirs)
    player.converge(MODULE, cluster_name="prod", identity="irsa", oidc_issuer=ISSUER)
    assert len(trust_of(aws("iam"), "prod-cni")) == 2


@pytest.mark.parametrize("ways", [("pod_identity", "irsa"), ("irsa", "pod_identity")])
def test_another_identity_is_let_in_beside_the_one_that_the_cni_may_run_with(
    player: Player, aws: Aws, ways: tuple[str, str]
) -> None:
    given: dict[str, dict[str, str]] = {"pod_identity": {}, "irsa": {"oidc_issuer": ISSUER}}
    before, after = ways
    player(MODULE, cluster_name="prod", identity=before, **given[before])
    (first,) = trust_of(aws("iam"), "prod-cni")
    result = player.converge(MODULE, cluster_name="prod", identity=after, **given[after])
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("UpdateAssumeRolePolicy", "safe")]
    statements = trust_of(aws("iam"), "prod-cni")
    assert len(statements) == 2 and first in statements
    player.unchanged(MODULE, cluster_name="prod", identity=before, **given[before])


def test_what_is_not_the_cnis_own_is_no_part_of_the_modules_trust(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod", identity="irsa", oidc_issuer=ISSUER)
    (own,) = trust_of(aws("iam"), "prod-cni")
    (claims,) = own["Condition"].values()
    strangers = [
        {**own, "Condition": {"StringEquals": dict.fromkeys(claims, "system:serviceaccount:kube-system:*")}},
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": strangers})
    aws("iam").update_assume_role_policy(RoleName="prod-cni", PolicyDocument=document)
    player.converge(MODULE, cluster_name="prod")
    (left,) = trust_of(aws("iam"), "prod-cni")
    assert left["Principal"] == {"Service": "pods.eks.amazonaws.com"}


def test_a_cni_that_runs_by_annotation_is_not_cut_off_by_pod_identity(player: Player, aws: Aws) -> None:
    world = Sample(aws)
    world.cluster("production", version="1.31", bootstrapSelfManagedAddons=False)
    issuer = world.eks.describe_cluster(name="production")["cluster"]["identity"]["oidc"]["issuer"]
    player("iam_oidc_provider", url=issuer)
    role = player(MODULE, cluster_name="production", identity="irsa")["cni_role"]["arn"]
    player("eks_addon", cluster_name="production", name="vpc-cni", service_account_role_arn=role)
    world.nodegroup("workers", "production")
    player(MODULE, cluster_name="production")
    moved = player("eks_addon", cluster_name="production", name="vpc-cni", addon_version="latest")["addon"]
    assert (moved["status"], moved["service_account_role_arn"]) == ("ACTIVE", role)


def test_the_ipv4_policy_is_found(player: Player, aws: Aws) -> None:
    ipv4 = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
    make_role(aws("iam"), "prod-cni", POD_IDENTITY, policy=ipv4)
    assert "AmazonEKS_CNI_Policy attached" in player.converge(MODULE, cluster_name="prod")["warnings"][0]


# --- removing ---------------------------------------------------------------------------------------------------------


def test_absent_removes_role_and_policy_with_its_versions(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod", cni_version="1.21.2")
    player(MODULE, cluster_name="prod")
    result = player.converge(MODULE, cluster_name="prod", state="absent")
    assert [name for _service, name in operations(result["plan"])] == [
        "DetachRolePolicy",
        "DeleteRole",
        "DeletePolicyVersion",
        "DeletePolicy",
    ]
    assert (result["cni_role"], result["left"]) == (None, [])
    assert account(aws("iam")) == {"roles": {}, "policies": {}}


@pytest.mark.slow
@pytest.mark.parametrize("after", range(4))
def test_a_removal_stopped_after_any_write_is_carried_on(
    player: Player, aws: Aws, emulator: Emulator, after: int
) -> None:
    player(MODULE, cluster_name="prod", cni_version="1.21.2")
    player(MODULE, cluster_name="prod")
    emulator.fault(kind="halt", count=None, after=after)
    player.fails(MODULE, cluster_name="prod", state="absent")
    emulator.faults.clear()
    player.converge(MODULE, cluster_name="prod", state="absent")
    assert account(aws("iam")) == {"roles": {}, "policies": {}}


def test_absent_leaves_a_policy_that_others_use(player: Player, aws: Aws) -> None:
    player(MODULE, cluster_name="prod")
    make_role(aws("iam"), "stage-cni", POD_IDENTITY, policy=POLICY)
    result = player.converge(MODULE, cluster_name="prod", state="absent")
    assert result["left"] == [
        {"resource": "policy/prod-cni-ipv6", "arn": POLICY, "reason": "it is attached to role stage-cni still"}
    ]
    assert sorted(account(aws("iam"))["roles"]) == ["stage-cni"]


def test_absent_leaves_what_was_adopted(player: Player, aws: Aws) -> None:
    iam = aws("iam")
    arn = make_policy(iam, "byhand", allow(EVERY_VERSION), TAGGING)
    make_role(iam, "prod-cni", POD_IDENTITY)
    player(MODULE, cluster_name="prod", policy_name="byhand")
    result = player.unchanged(MODULE, cluster_name="prod", policy_name="byhand", state="absent")
    assert [item["resource"] for item in result["left"]] == ["role/prod-cni", "policy/byhand"]
    assert attached(iam, "prod-cni") == [arn]


def test_absent_takes_its_policy_off_an_adopted_role(player: Player, aws: Aws) -> None:
    make_role(aws("iam"), "prod-cni", POD_IDENTITY)
    player(MODULE, cluster_name="prod")
    result = player.converge(MODULE, cluster_name="prod", state="absent")
    assert operations(result["plan"]) == [("iam", "DetachRolePolicy"), ("iam", "DeletePolicy")]
    assert [item["resource"] for item in result["left"]] == ["role/prod-cni"]


def test_while_the_cluster_lives_nothing_goes_outside_check_mode(player: Player, aws: Aws) -> None:
    Sample(aws).cluster("prod")
    player(MODULE, cluster_name="prod")
    before = account(aws("iam"))
    failed = player.fails(MODULE, cluster_name="prod", state="absent")
    assert failed["msg"].startswith("state: the cluster 'prod' is there still")
    assert account(aws("iam")) == before
    predicted = player.check(MODULE, cluster_name="prod", state="absent")
    assert len(predicted["plan"]) == 3
    assert predicted["warnings"] == ["The cluster 'prod' is there still; outside check mode it must go first."]


def test_absent_is_content_when_nothing_is_there(player: Player) -> None:
    assert player.unchanged(MODULE, cluster_name="prod", state="absent")["left"] == []


# --- refusing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"cni_version": "newest"}, "cni_version: 'newest' is no version"),
        ({"cni_version": "1.9.3"}, "cni_version: 1.9.3 is too old"),
        ({"cni_version": "v1.15.1-eksbuild.1"}, "identity: pod_identity needs the CNI 1.15.5-eksbuild.1"),
        ({"cni_version": "1.19.0", "multi_nic": True}, "multi_nic: multi_nic needs the CNI 1.20.0"),
        ({"cni_version": "1.15.5", "security_groups_for_pods": True}, "needs the CNI 1.16.0"),
        ({"cni_version": "1.21.0", "excluded_subnets": True}, "needs the CNI 1.22.0"),
        ({"cluster_name": "x" * 61}, "name: the role name"),
        ({"policy_name": "x" * 129}, "policy_name: the policy name"),
        ({"path": "cni"}, "path: 'cni' is no path"),
        ({"permissions_boundary": "arn:aws-cn:iam::123456789012:policy/b"}, "permissions_boundary: "),
        ({"arn": f"{MINE}:role/nowhere"}, "arn: there is no role"),
        ({"identity": "irsa", "oidc_issuer": "http://oidc"}, "oidc_issuer: 'http://oidc' is no https URL"),
        ({"identity": "irsa", "oidc_issuer": "https://oidc-eks.eu-west-1.api.aws/id/A"}, "dual-stack host"),
        ({"identity": "irsa", "oidc_issuer": ISSUER, "oidc_provider_arn": f"{PROVIDER}A"}, "is not the provider of"),
        ({"identity": "irsa", "oidc_provider_arn": "oidc"}, "oidc_provider_arn: 'oidc' is no ARN"),
        ({"identity": "node_role", "node_role": "a node role"}, "node_role: 'a node role' is no role name"),
    ],
)
def test_bad_input_is_refused(player: Player, params: dict[str, Any], said: str) -> None:
    assert said in player.refuses(MODULE, **{"cluster_name": "prod", **params})
    assert player.writes() == []


def test_node_role_needs_a_role(player: Player) -> None:
    msg = player.fails(MODULE, cluster_name="prod", identity="node_role")["msg"]
    assert "identity is node_role but all of the following are missing: node_role" in msg


def test_a_policy_that_denies_is_refused(player: Player, aws: Aws) -> None:
    deny = {"Effect": "Deny", "Action": "ec2:Describe*", "Resource": "*"}
    make_policy(aws("iam"), "byhand", allow(EVERY_VERSION), TAGGING, deny)
    msg = player.refuses(MODULE, cluster_name="prod", policy_name="byhand")
    assert "policy_name: the existing policy" in msg and "denies ec2:DescribeInstanceTypes, " in msg


def test_the_role_of_another_cluster_is_refused_by_name_and_shared_by_arn(player: Player) -> None:
    made = player(MODULE, cluster_name="prod")["cni_role"]
    assert "made for cluster 'prod' in eu-west-1" in player.refuses(MODULE, cluster_name="stage", name="prod-cni")
    shared = player.converge(MODULE, cluster_name="stage", arn=made["arn"], policy_name="prod-cni-ipv6")
    assert shared["plan"] == []


def test_an_unchanged_role_costs_six_reads(player: Player, emulator: Emulator) -> None:
    player(MODULE, cluster_name="prod")
    emulator.journal.clear()
    player.unchanged(MODULE, cluster_name="prod")
    assert len(emulator.journal.calls) == 6


# --- one VPC only ------------------------------------------------------------------------------------------------

VPC = "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0"


def simulated(iam: Any, actions: list[str], resource: str, **context: str) -> set[str]:
    """The actions that IAM allows the CNI's role on a resource, with these condition keys."""
    entries = [
        {"ContextKeyName": key.replace("_", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in context.items()
    ]
    answer = iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:role/production-cni",
        ActionNames=actions,
        ResourceArns=[resource],
        ContextEntries=entries,
    )
    return {item["EvalActionName"] for item in answer["EvaluationResults"] if item["EvalDecision"] == "allowed"}


def test_a_tighter_policy_allows_the_same_in_one_vpc_and_nothing_elsewhere(player: Player, aws: Aws) -> None:
    made = player.converge(MODULE, cluster_name="production", vpc_id="vpc-0123456789abcdef0", multi_nic=True)[
        "cni_role"
    ]
    iam, actions = aws("iam"), made["actions"]
    looking = [action for action in actions if action.startswith("ec2:Describe")]
    assert simulated(iam, actions, "*", ec2_Region="eu-west-1") == set(looking)
    assert simulated(iam, actions, "*", ec2_Region="us-east-1") == set()
    changing = set(actions) - set(looking)
    interface = "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-1"
    assert simulated(iam, actions, interface, ec2_Vpc=VPC) == changing
    assert simulated(iam, actions, interface, ec2_Vpc=f"{VPC}1") == set()
    assert simulated(iam, actions, interface.replace("eu-west-1", "us-east-1"), ec2_Vpc=VPC) == set()
    instance = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"
    with_instances = {f"ec2:{verb}NetworkInterface" for verb in ("Attach", "Detach")}
    assert simulated(iam, actions, instance) == {*with_instances, "ec2:ModifyNetworkInterfaceAttribute"}
    player.unchanged(MODULE, cluster_name="production", vpc_id="vpc-0123456789abcdef0", multi_nic=True)


def test_a_policy_becomes_tighter_and_wide_again(player: Player, aws: Aws) -> None:
    wide = player(MODULE, cluster_name="production")["cni_role"]["policy_document"]
    tight = player.converge(MODULE, cluster_name="production", vpc_id="vpc-0123456789abcdef0")["cni_role"]
    assert all("Condition" in statement for statement in tight["policy_document"]["Statement"])
    assert player.converge(MODULE, cluster_name="production")["cni_role"]["policy_document"] == wide


def test_the_gate_takes_a_tighter_policy_of_the_clusters_vpc_and_no_other(player: Player, aws: Aws) -> None:
    world = Sample(aws)
    world.cluster("production", version="1.31", bootstrapSelfManagedAddons=False)
    player("eks_addon", cluster_name="production", name="eks-pod-identity-agent")
    cni = {"cluster_name": "production", "name": "vpc-cni", "addon_version": "latest"}
    for vpc_id, allowed in (("vpc-0123456789abcdef0", False), (world.vpc_id, True)):
        made = player(MODULE, cluster_name="production", vpc_id=vpc_id)["cni_role"]
        given = {**cni, "pod_identity_associations": [{"service_account": "aws-node", "role_arn": made["arn"]}]}
        for check in ("policy", "simulate"):
            if allowed:
                assert player.check("eks_addon", **given, cni_role_check=check)["warnings"] == []
            else:
                msg = player.fails("eks_addon", **given, cni_role_check=check)["msg"]
                assert "calls ec2:AssignIpv6Addresses, ec2:CreateTags, which" in msg
    assert player("eks_addon", **given)["addon"]["status"] == "ACTIVE"
    assert world.nodegroup("workers", "production")["status"] == "ACTIVE"


# --- from the nodes' role to one of its own ----------------------------------------------------------------------


def test_the_nodes_role_loses_the_policies_last(player: Player, aws: Aws) -> None:
    world = Sample(aws)
    world.cluster("production", version="1.31", bootstrapSelfManagedAddons=False)
    node = world.node_role
    kept = attached(world.iam, "node")
    player(
        MODULE, cluster_name="production", identity="node_role", node_role=node, policy_name="AmazonEKS_CNI_IPv6_Policy"
    )
    world.iam.attach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
    player("eks_addon", cluster_name="production", name="vpc-cni")
    world.nodegroup("workers", "production")
    move = {"cluster_name": "production", "detach_from": ["node"]}
    assert "there is no role production-cni yet" in player.fails(MODULE, **move)["msg"]
    role = player(MODULE, cluster_name="production")["cni_role"]["arn"]
    assert "aws-node has no role of its own, and not" in player.fails(MODULE, **move)["msg"]
    assert "Outside check mode" in player.check(MODULE, **move)["warnings"][-1]
    player("eks_addon", cluster_name="production", name="eks-pod-identity-agent")
    association = [{"service_account": "aws-node", "role_arn": role}]
    player("eks_addon", cluster_name="production", name="vpc-cni", pod_identity_associations=association)
    result = player.converge(MODULE, **move)
    assert [step["operation"] for step in result["plan"]] == ["DetachRolePolicy"] * 2
    assert attached(world.iam, "node") == kept
    found = player("eks_addon_info", cluster_name="production", name="vpc-cni")["addons"][0]
    assert (found["status"], found["health_issues"]) == ("ACTIVE", [])


def test_a_role_that_is_not_there_is_named_and_loses_nothing(player: Player) -> None:
    (warning,) = player.converge(MODULE, cluster_name="prod", detach_from=["nods"])["warnings"]
    assert warning == "detach_from: there is no role nods, so nothing is detached from it."


def test_a_role_of_its_own_is_needed_to_leave_the_nodes(player: Player) -> None:
    msg = player.refuses(
        MODULE, cluster_name="production", identity="node_role", node_role="node", detach_from=["node"]
    )
    assert msg.startswith("detach_from: the CNI has no role of its own")
    assert player.refuses(MODULE, cluster_name="production", vpc_id="production").startswith("vpc_id:")
