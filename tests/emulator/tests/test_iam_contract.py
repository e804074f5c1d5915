# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: IAM, its simulation and enforcement of policies, and SSM's public parameters."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

from eksops_emulator.catalogue import KUBERNETES

API = "IAM API reference: "
EKS = "EKS user guide: "
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
CLUSTER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"


def policy(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows these actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


TRUST = policy({"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"})


def _role(world: World, name: str = "r", **more: Any) -> str:
    role = world.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]
    arn: str = role["Arn"]
    return arn


def _policy(world: World, *statements: dict[str, Any], attach: bool = True) -> str:
    iam = world.aws("iam")
    arn: str = iam.create_policy(PolicyName="p", PolicyDocument=policy(*statements or (allow("ec2:*"),)))["Policy"][
        "Arn"
    ]
    if attach:
        _role(world)
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    return arn


def _many_versions(world: World) -> None:
    arn = _policy(world, attach=False)
    for _unused in range(5):
        world.aws("iam").create_policy_version(PolicyArn=arn, PolicyDocument=policy(allow("ec2:*")))


def _with_profile(world: World) -> None:
    iam = world.aws("iam")
    _role(world)
    iam.create_instance_profile(InstanceProfileName="i")
    iam.add_role_to_instance_profile(InstanceProfileName="i", RoleName="r")
    iam.delete_role(RoleName="r")


def _provider(world: World, times: int = 1, url: str = ISSUER) -> str:
    for _unused in range(times):
        arn: str = world.aws("iam").create_open_id_connect_provider(
            Url=url, ClientIDList=["sts.amazonaws.com"], Tags=[{"Key": "a", "Value": "b"}]
        )["OpenIDConnectProviderArn"]
    return arn


def _changed_provider(world: World) -> dict[str, Any]:
    iam, arn = world.aws("iam"), _provider(world)
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="mine")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["a" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "clients": found["ClientIDList"],
        "thumbprints": found["ThumbprintList"],
        "tags": {tag["Key"]: tag["Value"] for tag in found["Tags"]},
    }


def _linked(world: World, service: str) -> tuple[str, list[str]]:
    iam = world.aws("iam")
    role = iam.create_service_linked_role(AWSServiceName=service)["Role"]
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    return role["RoleName"], [item["PolicyName"] for item in attached]


def _decide(world: World, *statements: dict[str, Any], action: str, **given: Any) -> str:
    """The decision of a role with one policy of these statements."""
    _policy(world, *statements)
    answer = world.aws("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:role/r", ActionNames=[action], **given
    )
    decision: str = answer["EvaluationResults"][0]["EvalDecision"]
    return decision


def _bounded(world: World) -> tuple[str, bool]:
    iam = world.aws("iam")
    bound = iam.create_policy(PolicyName="b", PolicyDocument=policy(allow("ec2:Describe*")))["Policy"]["Arn"]
    arn = _role(world, PermissionsBoundary=bound)
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=policy(allow("ec2:*")))
    result = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["ec2:CreateVpc"])["EvaluationResults"][0]
    return result["EvalDecision"], result["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]


def _context(key: str, value: str) -> list[dict[str, Any]]:
    return [{"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}]


def _retrusted(world: World, action: str) -> str:
    iam = world.aws("iam")
    _role(world)
    statement = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": action}
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=policy(statement))
    found: str = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Action"]
    return found


def _refusal(world: World, operation: str, given: dict[str, Any]) -> str:
    """The text of a refusal with NoSuchEntity."""
    iam = world.aws("iam")
    if "role_policy" in operation:
        _role(world)
        given = {"RoleName": "r", **given}
    with pytest.raises(iam.exceptions.NoSuchEntityException) as refusal:
        getattr(iam, operation)(**given)
    text: str = refusal.value.response["Error"]["Message"]
    return text


NONE = "arn:aws:iam::123456789012:policy/none"
PASS_TO_EKS = allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}})
RULES: list[Rule] = [
    refused(
        "DeleteConflict",
        "an attached policy isn't deleted",
        API + "DeletePolicy",
        lambda w: w.aws("iam").delete_policy(PolicyArn=_policy(w)),
    ),
    refused(
        "DeleteConflict",
        "a role with a policy isn't deleted",
        API + "DeleteRole",
        lambda w: (_policy(w), w.aws("iam").delete_role(RoleName="r")),
    ),
    refused("DeleteConflict", "a role in an instance profile isn't deleted", API + "DeleteRole", _with_profile),
    refused("LimitExceeded", "a policy has at most five versions", API + "CreatePolicyVersion", _many_versions),
    refused("EntityAlreadyExists", "a role's name is there once", API + "CreateRole", lambda w: (_role(w), _role(w))),
    refused(
        "EntityAlreadyExists",
        "roles' names are not told apart by case",
        API + "CreateRole",
        lambda w: (_role(w, "Nodes"), _role(w, "nodes")),
    ),
    refused(
        "EntityAlreadyExists",
        "a policy's name is there once, whatever its path and case",
        API + "CreatePolicy",
        lambda w: [
            w.aws("iam").create_policy(PolicyName=name, Path=path, PolicyDocument=policy(allow("ec2:*")))
            for name, path in (("cni", "/"), ("CNI", "/eks/"))
        ],
    ),
    refused(
        "NoSuchEntity",
        "a boundary is a policy that is there",
        "seen: Scope ARN does not exist or is not attachable",
        lambda w: _role(w, PermissionsBoundary="arn:aws:iam::123456789012:policy/none"),
    ),
    refused(
        "NoSuchEntity",
        "so is one that is put later",
        "seen: Scope ARN does not exist or is not attachable",
        lambda w: (
            _role(w),
            w.aws("iam").put_role_permissions_boundary(
                RoleName="r", PermissionsBoundary="arn:aws:iam::123456789012:policy/none"
            ),
        ),
    ),
    seen(
        "STS:assumerole",
        "actions are not told apart by case, in a trust neither",
        "IAM user guide: JSON policy elements, Action",
        lambda w: _retrusted(w, "STS:assumerole"),
    ),
    *[
        seen(text, f"what {operation} doesn't find", source, partial(_refusal, operation=operation, given=given))
        for operation, given, text, source in (
            ("get_role", {"RoleName": "x"}, "The role with name x cannot be found.", "seen"),
            ("get_instance_profile", {"InstanceProfileName": "x"}, "Instance Profile x cannot be found.", "seen"),
            ("get_policy", {"PolicyArn": NONE}, f"Policy {NONE} was not found.", "seen"),
            ("attach_role_policy", {"PolicyArn": NONE}, f"Policy {NONE} does not exist or is not attachable.", "seen"),
            ("detach_role_policy", {"PolicyArn": NONE}, f"Policy {NONE} was not found.", "presumed"),
        )
    ],
    refused(
        "MalformedPolicyDocument",
        "a trust policy names a principal",
        API + "CreateRole",
        lambda w: w.aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy(allow("sts:AssumeRole"))),
    ),
    refused(
        "NoSuchEntity",
        "an unknown policy can't be attached",
        API + "AttachRolePolicy",
        lambda w: (_role(w), w.aws("iam").attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/None")),
    ),
    seen(
        "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
        "AWS's own policies are there",
        EKS + "IAM policies",
        lambda w: w.aws("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")["Policy"]["Arn"],
    ),
    seen(
        {"clients": ["mine"], "thumbprints": ["a" * 40], "tags": {"a": "b", "c": "d"}},
        "an OIDC provider's clients, thumbprints and tags change",
        API + "AddClientIDToOpenIDConnectProvider",
        _changed_provider,
    ),
    seen(
        "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
        "an OIDC provider's ARN holds its URL",
        API + "CreateOpenIDConnectProvider",
        _provider,
    ),
    refused(
        "EntityAlreadyExists",
        "an OIDC provider's URL is there once",
        API + "CreateOpenIDConnectProvider",
        lambda w: _provider(w, times=2),
    ),
    refused(
        "ValidationError",
        "an OIDC provider's URL begins with https",
        API + "CreateOpenIDConnectProvider, code presumed",
        lambda w: _provider(w, url="http://example.com"),
    ),
    refused(
        "NoSuchEntity",
        "an unknown OIDC provider",
        API + "GetOpenIDConnectProvider",
        lambda w: w.aws("iam").get_open_id_connect_provider(
            OpenIDConnectProviderArn="arn:aws:iam::123456789012:oidc-provider/none"
        ),
    ),
    seen(
        ("AWSServiceRoleForAmazonEKS", ["AmazonEKSServiceRolePolicy"]),
        "EKS's service-linked role",
        EKS + "service-linked roles",
        lambda w: _linked(w, "eks.amazonaws.com"),
    ),
    seen(
        ("AWSServiceRoleForAmazonEKSNodegroup", ["AWSServiceRoleForAmazonEKSNodegroup"]),
        "that of node groups",
        EKS + "service-linked roles",
        lambda w: _linked(w, "eks-nodegroup.amazonaws.com"),
    ),
    refused(
        "InvalidInput",
        "a service-linked role is there once",
        API + "CreateServiceLinkedRole",
        lambda w: (_linked(w, "eks.amazonaws.com"), _linked(w, "eks.amazonaws.com")),
    ),
    seen(
        "allowed",
        "an allowed action",
        API + "SimulatePrincipalPolicy",
        lambda w: _decide(w, allow("ec2:Describe*"), action="ec2:DescribeSubnets"),
    ),
    seen(
        "allowed",
        "actions don't mind upper case",
        "IAM user guide: Action",
        lambda w: _decide(w, allow("EC2:describesubnets"), action="ec2:DescribeSubnets"),
    ),
    seen(
        "implicitDeny",
        "an action that nothing allows",
        API + "SimulatePrincipalPolicy",
        lambda w: _decide(w, allow("ec2:Describe*"), action="ec2:CreateTags"),
    ),
    seen(
        "explicitDeny",
        "a deny beats an allow",
        "IAM user guide: evaluation logic",
        lambda w: _decide(w, allow("*"), {**allow("ec2:*"), "Effect": "Deny"}, action="ec2:CreateTags"),
    ),
    seen(
        "implicitDeny",
        "an allow for another resource",
        "IAM user guide: Resource",
        lambda w: _decide(
            w,
            allow("ec2:CreateTags", resource="arn:aws:ec2:*:*:network-interface/*"),
            action="ec2:CreateTags",
            ResourceArns=["arn:aws:ec2:eu-west-1:123456789012:vpc/v"],
        ),
    ),
    seen(
        "allowed",
        "an allow for the resource",
        "IAM user guide: Resource",
        lambda w: _decide(
            w,
            allow("ec2:CreateTags", resource="arn:aws:ec2:*:*:network-interface/*"),
            action="ec2:CreateTags",
            ResourceArns=["arn:aws:ec2:eu-west-1:123456789012:network-interface/e"],
        ),
    ),
    seen(
        "implicitDeny",
        "a condition without its context",
        API + "SimulatePrincipalPolicy",
        lambda w: _decide(w, PASS_TO_EKS, action="iam:PassRole"),
    ),
    seen(
        "allowed",
        "a condition that holds",
        API + "SimulatePrincipalPolicy",
        lambda w: _decide(
            w, PASS_TO_EKS, action="iam:PassRole", ContextEntries=_context("iam:PassedToService", "eks.amazonaws.com")
        ),
    ),
    seen(("implicitDeny", False), "a permissions boundary bounds", "IAM user guide: permissions boundaries", _bounded),
    refused(
        "NoSuchEntity",
        "simulation of an unknown role",
        API + "SimulatePrincipalPolicy",
        lambda w: w.aws("iam").simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/none", ActionNames=["ec2:CreateVpc"]
        ),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_iam_rule(rule: Rule, world: World) -> None:
    rule.check(world)


def _user(world: World, *statements: dict[str, Any]) -> str:
    iam = world.aws("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy(*statements))
    key: str = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    return key


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("ec2", "describe_vpcs", {}, None),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "UnauthorizedOperation"),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16", "DryRun": True}, "UnauthorizedOperation"),
        ("eks", "list_clusters", {}, None),
        ("eks", "list_nodegroups", {"clusterName": "c"}, "AccessDeniedException"),
        ("iam", "list_roles", {}, "AccessDenied"),
    ],
)
def test_enforcement_lets_pass_what_the_policy_allows(
    world: World, service: str, operation: str, given: dict[str, Any], code: str | None
) -> None:
    """Action by action; a resource in the policy is taken as met where the emulator doesn't know the call's."""
    key = _user(world, allow("ec2:Describe*"), allow("eks:ListClusters", resource="arn:aws:eks:*:*:cluster/*"))
    world.emulator.enforce_iam(True)
    client = world.aws(service, access_key=key)
    if code is None:
        assert getattr(client, operation)(**given)
        return
    with pytest.raises(client.exceptions.ClientError) as refusal:
        getattr(client, operation)(**given)
    assert refusal.value.response["Error"]["Code"] == code
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("version", KUBERNETES)
def test_ssm_names_images_that_are_there(world: World, version: str) -> None:
    """Every image parameter of AL2023 and Bottlerocket leads to an image of its architecture."""
    al2023 = f"/aws/service/eks/optimized-ami/{version}/amazon-linux-2023"
    names = {
        f"{al2023}/arm64/standard/recommended/image_id": "arm64",
        f"{al2023}/x86_64/standard/recommended/image_id": "x86_64",
        f"{al2023}/x86_64/nvidia/recommended/image_id": "x86_64",
        f"/aws/service/bottlerocket/aws-k8s-{version}/x86_64/latest/image_id": "x86_64",
        f"/aws/service/bottlerocket/aws-k8s-{version}/arm64/latest/image_id": "arm64",
    }
    found = world.aws("ssm").get_parameters(Names=list(names))
    assert found["InvalidParameters"] == []
    images = {item["Value"]: names[item["Name"]] for item in found["Parameters"]}
    described = world.ec2.describe_images(ImageIds=list(images))["Images"]
    assert {item["ImageId"]: item["Architecture"] for item in described} == images


def test_ssm_s_parameters_are_of_the_region(world: World) -> None:
    name = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/arm64/standard/recommended/image_id"
    values = {
        world.aws("ssm", region).get_parameter(Name=name)["Parameter"]["Value"] for region in ("eu-west-1", "us-east-1")
    }
    assert len(values) == 2
    assert world.aws("ssm").get_parameter(Name=name)["Parameter"]["DataType"] == "aws:ec2:image"


def test_ssm_s_public_parameters_can_t_be_written(world: World) -> None:
    with pytest.raises(world.aws("ssm").exceptions.ClientError):
        world.aws("ssm").put_parameter(Name="/aws/service/eks/mine", Value="x", Type="String")
