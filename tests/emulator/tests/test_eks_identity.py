# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: Pod Identity, access entries, identity providers; Fargate profiles; insights; tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eksops_emulator.eks.sample import Sample

Aws = Callable[..., Any]


@pytest.fixture
def sample(aws: Aws) -> Sample:
    sample = Sample(aws)
    sample.cluster()
    return sample


def associate(sample: Sample, **changes: Any) -> dict[str, Any]:
    request = {"clusterName": "one", "namespace": "apps", "serviceAccount": "web", "roleArn": sample.cni_role}
    made: dict[str, Any] = sample.eks.create_pod_identity_association(**{**request, **changes})["association"]
    return made


def profile_request(sample: Sample, name: str, **changes: Any) -> dict[str, Any]:
    request = {
        "clusterName": "one",
        "fargateProfileName": name,
        "podExecutionRoleArn": sample.pod_execution_role,
        "subnets": sample.private,
        "selectors": [{"namespace": "batch"}],
    }
    return {**request, **changes}


def test_a_pod_identity_association(sample: Sample) -> None:
    made = associate(sample, tags={"a": "b"})
    assert made["associationId"].startswith("a-")
    assert len(made["associationId"]) == 19
    assert made["associationArn"].endswith(f"podidentityassociation/one/{made['associationId']}")
    named = {"clusterName": "one", "associationId": made["associationId"]}
    assert sample.eks.describe_pod_identity_association(**named)["association"]["tags"] == {"a": "b"}
    other = sample.role("other", "pods.eks.amazonaws.com", actions=["sts:AssumeRole", "sts:TagSession"])
    changed = sample.eks.update_pod_identity_association(**named, roleArn=other, disableSessionTags=True)
    assert changed["association"]["roleArn"] == other
    assert changed["association"]["disableSessionTags"] is True
    associate(sample, serviceAccount="api")
    found = sample.eks.list_pod_identity_associations(clusterName="one", serviceAccount="web")["associations"]
    assert [item["associationId"] for item in found] == [made["associationId"]]
    assert "roleArn" not in found[0], "the list is one of summaries"
    sample.eks.delete_pod_identity_association(**named)
    with pytest.raises(ClientError, match="not found"):
        sample.eks.describe_pod_identity_association(**named)


def test_both_actions_must_be_trusted(sample: Sample) -> None:
    half = sample.role("half", "pods.eks.amazonaws.com")
    with pytest.raises(ClientError, match="Trust policy of the role provided is invalid"):
        associate(sample, roleArn=half)


def test_a_target_role_brings_an_external_id(sample: Sample) -> None:
    made = associate(sample, targetRoleArn="arn:aws:iam::999999999999:role/there")
    assert made["targetRoleArn"] == "arn:aws:iam::999999999999:role/there"
    assert made["externalId"]


def test_a_standard_access_entry(sample: Sample) -> None:
    role = sample.role("people", "ec2.amazonaws.com")
    named = {"clusterName": "one", "principalArn": role}
    made = sample.eks.create_access_entry(**named, kubernetesGroups=["viewers"], tags={"a": "b"})["accessEntry"]
    assert (made["type"], made["kubernetesGroups"]) == ("STANDARD", ["viewers"])
    assert made["username"] == "arn:aws:sts::123456789012:assumed-role/people/{{SessionName}}"
    assert "/role/123456789012/people/" in made["accessEntryArn"]
    changed = sample.eks.update_access_entry(**named, kubernetesGroups=[], username="{{SessionName}}")["accessEntry"]
    assert (changed["kubernetesGroups"], changed["username"]) == ([], "{{SessionName}}")
    sample.eks.delete_access_entry(**named)
    assert role not in sample.eks.list_access_entries(clusterName="one")["accessEntries"]


def test_access_policies(sample: Sample) -> None:
    role = sample.role("people", "ec2.amazonaws.com")
    named = {"clusterName": "one", "principalArn": role}
    sample.eks.create_access_entry(**named)
    pages = sample.eks.get_paginator("list_access_policies").paginate(PaginationConfig={"PageSize": 5})
    arns = {item["name"]: item["arn"] for page in pages for item in page["accessPolicies"]}
    assert arns["AmazonEKSViewPolicy"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    view = {"policyArn": arns["AmazonEKSViewPolicy"]}
    sample.eks.associate_access_policy(**named, **view, accessScope={"type": "cluster"})
    scope = {"type": "namespace", "namespaces": ["apps"]}
    sample.eks.associate_access_policy(**named, **view, accessScope=scope)
    (one,) = sample.eks.list_associated_access_policies(**named)["associatedAccessPolicies"]
    assert one["accessScope"] == scope
    found = sample.eks.list_access_entries(clusterName="one", associatedPolicyArn=view["policyArn"])
    assert found["accessEntries"] == [role]
    sample.eks.disassociate_access_policy(**named, **view)
    assert sample.eks.list_associated_access_policies(**named)["associatedAccessPolicies"] == []


def test_an_oidc_identity_provider(sample: Sample) -> None:
    oidc = {"identityProviderConfigName": "sso", "issuerUrl": "https://sso.example.com", "clientId": "kubernetes"}
    started = sample.eks.associate_identity_provider_config(clusterName="one", oidc=oidc, tags={"a": "b"})
    assert started["update"]["type"] == "AssociateIdentityProviderConfig"
    named = {"clusterName": "one", "identityProviderConfig": {"type": "oidc", "name": "sso"}}
    first = sample.eks.describe_identity_provider_config(**named)["identityProviderConfig"]["oidc"]
    assert first["status"] == "CREATING"
    sample.updated(started["update"])
    found = sample.eks.describe_identity_provider_config(**named)["identityProviderConfig"]["oidc"]
    assert (found["status"], found["issuerUrl"]) == ("ACTIVE", oidc["issuerUrl"])
    with pytest.raises(ClientError) as caught:
        sample.eks.associate_identity_provider_config(clusterName="one", oidc=oidc)
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"
    sample.updated(sample.eks.disassociate_identity_provider_config(**named)["update"])
    assert sample.eks.list_identity_provider_configs(clusterName="one")["identityProviderConfigs"] == []


def test_fargate_profiles_come_one_at_a_time(sample: Sample) -> None:
    made = sample.eks.create_fargate_profile(**profile_request(sample, "a"))["fargateProfile"]
    assert made["status"] == "CREATING"
    with pytest.raises(ClientError, match="currently has Fargate profile a in status CREATING"):
        sample.eks.create_fargate_profile(**profile_request(sample, "b"))
    named = {"clusterName": "one", "fargateProfileName": "a"}
    statuses = [sample.eks.describe_fargate_profile(**named)["fargateProfile"]["status"] for _unused in range(2)]
    assert statuses == ["CREATING", "ACTIVE"]
    entry = sample.eks.describe_access_entry(clusterName="one", principalArn=sample.pod_execution_role)["accessEntry"]
    assert entry["type"] == "FARGATE_LINUX"
    with pytest.raises(ClientError, match="Cluster has fargate profiles attached"):
        sample.eks.delete_cluster(name="one")
    assert sample.eks.delete_fargate_profile(**named)["fargateProfile"]["status"] == "DELETING"
    with pytest.raises(ClientError, match="in status DELETING"):
        sample.eks.create_fargate_profile(**profile_request(sample, "b"))
    for _unused in range(2):
        sample.eks.list_fargate_profiles(clusterName="one")
    assert sample.eks.list_fargate_profiles(clusterName="one")["fargateProfileNames"] == []


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "::/0"])
def test_fargate_wants_private_subnets(sample: Sample, destination: str) -> None:
    public = sample.public_subnet(sample.zones[0], destination)
    with pytest.raises(ClientError, match=f"Subnet {public} provided in Fargate Profile is not a private subnet"):
        sample.eks.create_fargate_profile(**profile_request(sample, "a", subnets=[public]))


def test_an_egress_only_gateway_leaves_a_subnet_private(sample: Sample) -> None:
    subnet = sample.subnet(sample.zones[0])
    gateway = sample.ec2.create_egress_only_internet_gateway(VpcId=sample.vpc_id)["EgressOnlyInternetGateway"]
    table = sample.ec2.create_route_table(VpcId=sample.vpc_id)["RouteTable"]["RouteTableId"]
    sample.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    sample.ec2.create_route(
        RouteTableId=table,
        DestinationIpv6CidrBlock="::/0",
        EgressOnlyInternetGatewayId=gateway["EgressOnlyInternetGatewayId"],
    )
    made = sample.eks.create_fargate_profile(**profile_request(sample, "a", subnets=[subnet]))["fargateProfile"]
    assert made["subnets"] == [subnet]


def test_insights(sample: Sample) -> None:
    found = sample.eks.list_insights(clusterName="one")["insights"]
    assert {item["insightStatus"]["status"] for item in found} == {"PASSING"}
    assert {item["kubernetesVersion"] for item in found if item["category"] == "UPGRADE_READINESS"} == {"1.35"}
    sample.addon("coredns")
    wrong = sample.eks.list_insights(clusterName="one", filter={"statuses": ["ERROR"]})["insights"]
    assert [item["name"] for item in wrong] == ["EKS add-on health"]
    insight = sample.eks.describe_insight(clusterName="one", id=wrong[0]["id"])["insight"]
    assert insight["insightStatus"]["reason"] == "Concerned: coredns."
    sample.eks.start_insights_refresh(clusterName="one")
    statuses = [sample.eks.describe_insights_refresh(clusterName="one")["status"] for _unused in range(2)]
    assert statuses == ["IN_PROGRESS", "COMPLETED"]


def test_tags_on_everything(sample: Sample) -> None:
    sample.addon("kube-proxy")
    sample.cni()
    sample.eks.create_fargate_profile(**profile_request(sample, "a"))
    role = sample.role("people", "ec2.amazonaws.com")
    oidc = {"identityProviderConfigName": "sso", "issuerUrl": "https://sso.example.com", "clientId": "kubernetes"}
    sample.eks.associate_identity_provider_config(clusterName="one", oidc=oidc)
    named = {"clusterName": "one", "identityProviderConfig": {"type": "oidc", "name": "sso"}}
    provider = sample.eks.describe_identity_provider_config(**named)["identityProviderConfig"]["oidc"]
    arns = [
        sample.eks.describe_cluster(name="one")["cluster"]["arn"],
        sample.eks.describe_addon(clusterName="one", addonName="kube-proxy")["addon"]["addonArn"],
        sample.nodegroup()["nodegroupArn"],
        associate(sample)["associationArn"],
        sample.eks.create_access_entry(clusterName="one", principalArn=role)["accessEntry"]["accessEntryArn"],
        sample.eks.describe_fargate_profile(clusterName="one", fargateProfileName="a")["fargateProfile"][
            "fargateProfileArn"
        ],
        provider["identityProviderConfigArn"],
    ]
    for arn in arns:
        sample.eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2", "c": "3"})
        sample.eks.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
        assert sample.eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert sample.eks.describe_cluster(name="one")["cluster"]["tags"] == {"b": "2"}


def test_a_request_token_is_good_for_one_request(sample: Sample) -> None:
    """The same request again gets the same answer and does nothing; another with the token is refused."""
    role = sample.role("people", "ec2.amazonaws.com")
    named = {"clusterName": "one"}
    oidc = {"identityProviderConfigName": "sso", "issuerUrl": "https://sso.example.com", "clientId": "kubernetes"}
    key = {"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}}
    association = {**named, "namespace": "apps", "serviceAccount": "web", "roleArn": sample.cni_role}
    requests: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("create_addon", {**named, "addonName": "vpc-cni"}, {"addonName": "kube-proxy"}),
        ("create_nodegroup", sample.nodegroup_request("workers"), {"nodegroupName": "others"}),
        ("create_access_entry", {**named, "principalArn": role}, {"type": "EC2_LINUX"}),
        ("update_access_entry", {**named, "principalArn": role, "username": "a"}, {"username": "b"}),
        ("create_pod_identity_association", association, {"serviceAccount": "api"}),
        ("create_fargate_profile", profile_request(sample, "a"), {"fargateProfileName": "b"}),
        ("associate_identity_provider_config", {**named, "oidc": oidc}, {"tags": {"a": "b"}}),
        (
            "associate_encryption_config",
            {**named, "encryptionConfig": [key]},
            {"encryptionConfig": [{**key, "provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/l"}}]},
        ),
    ]
    for operation, request, change in requests:
        call = getattr(sample.eks, operation)
        token = {"clientRequestToken": f"token-of-{operation}"}
        answers = [call(**request, **token) for _unused in range(2)]
        for answer in answers:
            del answer["ResponseMetadata"]
        assert answers[0] == answers[1]
        with pytest.raises(ClientError, match="used with other parameters") as caught:
            call(**{**request, **change}, **token)
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
        if "update" in answers[0]:
            sample.updated(answers[0]["update"])
    assert sample.eks.list_nodegroups(clusterName="one")["nodegroups"] == ["workers"]
    assert len(sample.eks.list_pod_identity_associations(clusterName="one")["associations"]) == 1


def test_every_list_has_pages(sample: Sample) -> None:
    """Each of the lists that botocore pages gives all its items one by one."""
    sample.cni()
    sample.nodegroup()
    sample.addon("kube-proxy")
    sample.eks.create_fargate_profile(**profile_request(sample, "a"))
    for name in ("web", "api"):
        associate(sample, serviceAccount=name)
    oidc = {"identityProviderConfigName": "sso", "issuerUrl": "https://sso.example.com", "clientId": "kubernetes"}
    sample.eks.associate_identity_provider_config(clusterName="one", oidc=oidc)
    listed: dict[str, tuple[str, dict[str, str]]] = {
        "clusters": ("list_clusters", {}),
        "addons": ("list_addons", {"clusterName": "one"}),
        "nodegroups": ("list_nodegroups", {"clusterName": "one"}),
        "fargateProfileNames": ("list_fargate_profiles", {"clusterName": "one"}),
        "associations": ("list_pod_identity_associations", {"clusterName": "one"}),
        "accessEntries": ("list_access_entries", {"clusterName": "one"}),
        "accessPolicies": ("list_access_policies", {}),
        "identityProviderConfigs": ("list_identity_provider_configs", {"clusterName": "one"}),
        "insights": ("list_insights", {"clusterName": "one"}),
        "updateIds": ("list_updates", {"name": "one"}),
        "clusterVersions": ("describe_cluster_versions", {}),
    }
    lists = [(member, *call) for member, call in listed.items()]
    for member, operation, named in [*lists, ("addons", "describe_addon_versions", {})]:
        whole = getattr(sample.eks, operation)(**named)[member]
        pages = list(sample.eks.get_paginator(operation).paginate(**named, PaginationConfig={"PageSize": 1}))
        assert [item for page in pages for item in page[member]] == whole
        assert len(pages) == len(whole) >= 1
