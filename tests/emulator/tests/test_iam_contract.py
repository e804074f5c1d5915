# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: IAM, its simulation and enforcement of policies, and SSM's public parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
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


def _provider_of(world: World, **given: Any) -> None:
    world.aws("iam").create_open_id_connect_provider(**{"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], **given})


def _profile_without(world: World) -> None:
    iam = world.aws("iam")
    _role(world)
    iam.create_instance_profile(InstanceProfileName="i")
    iam.remove_role_from_instance_profile(InstanceProfileName="i", RoleName="r")


def _large(world: World, spaces: int = 0, letters: int = 0) -> str:
    """A policy's name, of a document that is so long."""
    document = policy(allow("ec2:" + "a" * letters)) + " " * spaces
    name: str = world.aws("iam").create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["PolicyName"]
    return name


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
    *[
        refused("ValidationError", text, "IAM's model in botocore", calls)
        for text, calls in (
            ("a role's name has 64 characters", lambda w: _role(w, "r" * 65)),
            ("of ASCII alone", lambda w: _role(w, "r\u00e4")),
            ("a path ends with a slash", lambda w: _role(w, Path="/a")),
            ("a description has 1000 characters", lambda w: _role(w, Description="d" * 1001)),
            ("a session lasts twelve hours", lambda w: _role(w, MaxSessionDuration=43201)),
            ("a thumbprint has 40 digits", lambda w: _provider_of(w, ThumbprintList=["ab" * 25])),
            ("a client id has 255 characters", lambda w: _provider_of(w, ClientIDList=["c" * 256])),
        )
    ],
    seen(
        "r",
        "letters of other scripts are fine in a tag",
        "IAM's model in botocore",
        lambda w: _role(w, Tags=[{"Key": "gr\u00f6\u00dfe", "Value": "\u00e4 1"}]).split("/")[1],
    ),
    refused(
        "MalformedPolicyDocument",
        "an effect is Allow or Deny",
        "IAM user guide: JSON policy elements, Effect",
        lambda w: w.aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST.replace("Allow", "allow")),
    ),
    refused(
        "LimitExceeded",
        "a trust policy has 2048 characters",
        "IAM user guide: IAM and STS quotas",
        lambda w: w.aws("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=TRUST.replace("eks.", "eks" * 700 + ".")
        ),
    ),
    refused(
        "LimitExceeded",
        "a managed policy has 6144 characters",
        "IAM user guide: IAM and STS quotas",
        partial(_large, letters=6144),
    ),
    seen("p", "white space isn't counted", "IAM user guide: IAM and STS quotas", partial(_large, spaces=6144)),
    refused("NoSuchEntity", "a role that a profile doesn't hold isn't taken out", "presumed", _profile_without),
    refused(
        "InvalidInput",
        "a provider has at most five thumbprints, later too",
        API + "UpdateOpenIDConnectProviderThumbprint",
        lambda w: w.aws("iam").update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=_provider(w), ThumbprintList=[f"{number}" * 40 for number in range(6)]
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


VPC = "arn:aws:ec2:eu-west-1:123456789012:vpc/{}"
INTERFACE = "arn:aws:ec2:eu-west-1:123456789012:network-interface/*"
GROUPS = "arn:aws:ec2:eu-west-1:123456789012:security-group/*"


def _where(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def _deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions, **more), "Effect": "Deny"}


ASSIGN, TAG, MODIFY = "ec2:AssignIpv6Addresses", "ec2:CreateTags", "ec2:ModifyNetworkInterfaceAttribute"
# What a user may do, with VPC for the ARN of the interface's VPC, the calls that pass, and the source.
CONDITIONS: list[tuple[list[dict[str, Any]], set[str], str]] = [
    ([allow(ASSIGN, TAG, MODIFY)], {ASSIGN, TAG, MODIFY}, "IAM user guide: evaluation logic"),
    ([allow(ASSIGN, TAG, resource=INTERFACE)], {ASSIGN, TAG}, "IAM user guide: Resource"),
    ([allow(ASSIGN, TAG, resource=INTERFACE.replace("eu-west-1", "us-east-1"))], set(), "IAM user guide: Resource"),
    ([allow(ASSIGN, resource=GROUPS)], set(), "IAM user guide: Resource"),
    ([allow(ASSIGN, **_where("ArnEquals", "ec2:Vpc", "VPC"))], {ASSIGN}, "IAM user guide: condition operators"),
    ([allow(ASSIGN, **_where("ArnEquals", "ec2:Vpc", "VPC1"))], set(), "IAM user guide: condition operators"),
    ([allow(ASSIGN, **_where("ArnLike", "ec2:vpc", VPC.format("vpc-*")))], {ASSIGN}, "IAM user guide: ArnLike"),
    ([allow(ASSIGN, **_where("StringEquals", "ec2:Vpc", "x", "VPC"))], {ASSIGN}, "IAM user guide: several values"),
    ([allow(ASSIGN, **_where("StringNotEquals", "ec2:Vpc", "VPC"))], set(), "IAM user guide: condition operators"),
    ([allow(ASSIGN, **_where("StringEquals", "ec2:Region", "eu-west-1"))], {ASSIGN}, "EC2 user guide: ec2:Region"),
    ([allow(ASSIGN, **_where("StringEquals", "ec2:Region", "us-east-1"))], set(), "EC2 user guide: ec2:Region"),
    ([allow(ASSIGN, **_where("StringEquals", "aws:RequestedRegion", "eu-west-1"))], {ASSIGN}, "IAM user guide: keys"),
    ([allow(ASSIGN, **_where("StringEquals", "ec2:ResourceTag/own", "yes"))], {ASSIGN}, "EC2 user guide: tags"),
    ([allow(ASSIGN, **_where("StringEquals", "aws:ResourceTag/own", "no"))], set(), "EC2 user guide: tags"),
    ([allow(ASSIGN, **_where("StringEquals", "ec2:InstanceType", "t3.nano"))], set(), "IAM user guide: absent keys"),
    ([allow(ASSIGN, **_where("StringEqualsIfExists", "ec2:InstanceType", "t3.nano"))], {ASSIGN}, "IAM: IfExists"),
    ([allow(ASSIGN, **_where("Null", "ec2:Vpc", "true"))], set(), "IAM user guide: Null"),
    ([allow(TAG, **_where("ForAllValues:StringEquals", "aws:TagKeys", "a", "c"))], set(), "IAM: ForAllValues"),
    ([allow(TAG, **_where("ForAllValues:StringEquals", "aws:TagKeys", "a", "b"))], {TAG}, "IAM: ForAllValues"),
    ([allow(TAG, **_where("ForAnyValue:StringEquals", "aws:TagKeys", "a", "c"))], {TAG}, "IAM: ForAnyValue"),
    ([allow(TAG, **_where("StringEquals", "aws:RequestTag/a", "1"))], {TAG}, "IAM user guide: aws:RequestTag"),
    ([allow("ec2:*"), _deny(ASSIGN, **_where("ArnEquals", "ec2:Vpc", "VPC"))], {TAG, MODIFY}, "IAM: evaluation logic"),
    ([allow("ec2:*"), _deny(ASSIGN, **_where("ArnEquals", "ec2:Vpc", "VPC1"))], {ASSIGN, TAG, MODIFY}, "IAM: logic"),
    ([allow(MODIFY, resource=INTERFACE)], set(), "deckhouse/deckhouse pull request 10853: the groups are judged too"),
    ([allow(MODIFY, resource=[INTERFACE, GROUPS])], {MODIFY}, "deckhouse/deckhouse pull request 10853"),
]


def _interface_calls(world: World, interface: str, group: str, key: str) -> dict[str, Callable[[], Any]]:
    ec2 = world.aws("ec2", access_key=key)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    return {
        ASSIGN: lambda: ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6PrefixCount=1),
        TAG: lambda: ec2.create_tags(Resources=[interface], Tags=tags),
        MODIFY: lambda: ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[group]),
    }


def _passes(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnauthorizedOperation":
            raise
        return False
    return True


def _an_interface(world: World) -> tuple[str, str]:
    """An interface with a tag, and a group of its VPC."""
    tags = [{"ResourceType": "network-interface", "Tags": [{"Key": "own", "Value": "yes"}]}]
    made = world.ec2.create_network_interface(SubnetId=world.subnet(1), TagSpecifications=tags)["NetworkInterface"]
    group = world.ec2.create_security_group(GroupName="g", Description="g", VpcId=world.vpc)["GroupId"]
    return made["NetworkInterfaceId"], group


@pytest.mark.parametrize(("statements", "passing", "source"), CONDITIONS)
def test_enforcement_judges_resources_and_conditions_of_a_cni_s_calls(
    world: World, statements: list[dict[str, Any]], passing: set[str], source: str
) -> None:
    assert source
    interface, group = _an_interface(world)
    written = json.dumps(statements).replace('"VPC', f'"{VPC.format(world.vpc)}')
    calls = _interface_calls(world, interface, group, _user(world, *json.loads(written)))
    world.emulator.enforce_iam(True)
    assert {action for action, call in calls.items() if _passes(call)} == passing


def test_a_new_interface_needs_its_subnet_its_groups_and_its_tags(world: World) -> None:
    """Service Authorization Reference, Amazon EC2; tags on creation are CreateTags with ec2:CreateAction."""
    _unused, group = _an_interface(world)
    subnet = world.subnet(2)
    create, bound = "ec2:CreateNetworkInterface", _where("ArnEquals", "ec2:Vpc", VPC.format(world.vpc))
    tags = [{"ResourceType": "network-interface", "Tags": [{"Key": "a", "Value": "1"}]}]
    place = "arn:aws:ec2:eu-west-1:123456789012"
    resources = [INTERFACE, GROUPS, f"{place}:subnet/{subnet}"]
    tagging = allow(TAG, resource=INTERFACE, **_where("StringEquals", "ec2:CreateAction", "CreateNetworkInterface"))
    ec2 = world.aws("ec2", access_key=_user(world, allow("ec2:DescribeVpcs")))

    def made(*statements: dict[str, Any], **more: Any) -> bool:
        world.emulator.enforce_iam(False)
        world.aws("iam").put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy(*statements))
        world.emulator.enforce_iam(True)
        return _passes(lambda: ec2.create_network_interface(SubnetId=subnet, Groups=[group], **more))

    assert made(allow(create, resource=resources, **bound))
    for left_out in resources:
        assert not made(allow(create, resource=[item for item in resources if item != left_out], **bound))
    assert not made(allow(create, resource=resources, **bound), TagSpecifications=tags)
    assert made(allow(create, resource=resources, **bound), tagging, TagSpecifications=tags)


def test_what_looks_up_knows_no_resource_but_its_region(world: World) -> None:
    """EC2 user guide: every action knows ec2:Region, and what describes takes * alone."""
    key = _user(world, allow("ec2:DescribeSubnets", resource=f"{VPC.format('*')}"))
    ec2 = world.aws("ec2", access_key=key)
    for statement, passes in (
        (allow("ec2:DescribeSubnets", resource="arn:aws:ec2:eu-west-1:123456789012:subnet/*"), False),
        (allow("ec2:DescribeSubnets", **_where("StringEquals", "ec2:Region", "eu-west-1")), True),
        (allow("ec2:DescribeSubnets", **_where("StringEquals", "ec2:Region", "us-east-1")), False),
        (allow("ec2:DescribeSubnets", **_where("ArnEquals", "ec2:Vpc", VPC.format("*"))), False),
    ):
        world.emulator.enforce_iam(False)
        world.aws("iam").put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy(statement))
        world.emulator.enforce_iam(True)
        assert _passes(ec2.describe_subnets) is passes, statement


def test_enforcement_of_other_calls_takes_what_it_does_not_know_as_met(world: World) -> None:
    """So that nothing is refused that AWS allows; regions and principals are known everywhere."""
    mine = _where("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:user/u")
    elsewhere = _where("StringEquals", "aws:RequestedRegion", "us-east-1")
    key = _user(
        world,
        allow("ec2:DescribeVpcs", **_where("StringEquals", "ec2:ResourceTag/a", "b")),
        _deny("ec2:DescribeVpcs", **_where("StringEquals", "ec2:ResourceTag/a", "b")),
        allow("eks:ListClusters", **mine),
        allow("iam:ListRoles", **elsewhere),
    )
    world.emulator.enforce_iam(True)
    assert world.aws("ec2", access_key=key).describe_vpcs()
    assert world.aws("eks", access_key=key).list_clusters()
    with pytest.raises(ClientError, match="not authorized to perform: iam:ListRoles"):
        world.aws("iam", access_key=key).list_roles()


def test_enforcement_knows_permissions_boundaries(world: World) -> None:
    iam = world.aws("iam")
    role = _role(world, PermissionsBoundary=_policy(world, allow("ec2:DescribeVpcs"), attach=False))
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(allow("ec2:Describe*")))
    keys = world.aws("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    ec2 = boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=world.emulator.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    world.emulator.enforce_iam(True)
    assert (_passes(ec2.describe_vpcs), _passes(ec2.describe_subnets)) == (True, False)


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
