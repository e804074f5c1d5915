# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-ons: versions, configuration, conflicts, roles, and the states that follow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eksops_emulator.eks import hooks
from eksops_emulator.eks.catalogue import ADDONS, parse
from eksops_emulator.eks.sample import CNI_ACTIONS, CNI_ACTIONS_1_22, Sample
from eksops_emulator.eks.versions import SUPPORTED

Aws = Callable[..., Any]
REPLICAS = "InsufficientNumberOfReplicas"


@pytest.fixture
def sample(aws: Aws) -> Sample:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    return sample


def describe(sample: Sample, name: str) -> dict[str, Any]:
    found: dict[str, Any] = sample.eks.describe_addon(clusterName="one", addonName=name)["addon"]
    return found


def update(sample: Sample, name: str = "vpc-cni", **request: Any) -> dict[str, Any]:
    started = sample.eks.update_addon(clusterName="one", addonName=name, **request)["update"]
    return sample.updated(started, addonName=name)


def trust_irsa(sample: Sample, issuer: str, subject: str = "system:serviceaccount:kube-system:aws-node") -> str:
    """A role for aws-node over the cluster's OIDC issuer; its ARN."""
    provider = sample.iam.create_open_id_connect_provider(
        Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    host = issuer.removeprefix("https://")
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": subject, f"{host}:aud": "sts.amazonaws.com"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn: str = sample.iam.create_role(RoleName="irsa", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sample.allow("irsa", CNI_ACTIONS_1_22)
    return arn


def test_every_default_is_offered_for_its_version() -> None:
    for kind in ADDONS.values():
        assert set(kind.defaults) == set(SUPPORTED)
        for kubernetes in SUPPORTED:
            assert kind.default(kubernetes) in kind.versions(kubernetes)
        assert all(parse(version) > (0, 0, 0, 0) for version in kind.builds)


def test_the_catalogue_can_be_asked(aws: Aws) -> None:
    eks = aws("eks")
    (cni,) = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.34")["addons"]
    versions = [item["addonVersion"] for item in cni["addonVersions"]]
    assert versions == sorted(versions, key=parse, reverse=True)
    defaults = [item["addonVersion"] for item in cni["addonVersions"] if item["compatibilities"][0]["defaultVersion"]]
    assert defaults == ["v1.21.2-eksbuild.2"]
    assert {item["clusterVersion"] for entry in cni["addonVersions"] for item in entry["compatibilities"]} == {"1.34"}
    assert eks.describe_addon_versions(addonName="nosuch")["addons"] == []
    with pytest.raises(eks.exceptions.InvalidParameterException):  # presumed
        eks.describe_addon_versions(kubernetesVersion="newest")
    networking = eks.describe_addon_versions(types=["networking"])["addons"]
    assert {item["addonName"] for item in networking} == {"vpc-cni", "coredns", "kube-proxy"}
    assert eks.describe_addon_versions(owners=["aws-marketplace"])["addons"] == []
    pages = eks.get_paginator("describe_addon_versions").paginate(PaginationConfig={"PageSize": 1})
    assert [page["addons"][0]["addonName"] for page in pages] == list(ADDONS)


def test_the_oldest_and_the_newest_cni_are_there() -> None:
    versions = sorted(ADDONS["vpc-cni"].builds, key=parse)
    assert versions[0].startswith("v1.10.1-")
    assert versions[-1].startswith("v1.23.1-")
    minors = {parse(version)[1] for version in versions}
    assert minors == set(range(10, 24)), "every minor between them, or an upgrade by one minor gets stuck"


def test_a_new_addon_takes_the_default_version(sample: Sample) -> None:
    created = sample.eks.create_addon(clusterName="one", addonName="kube-proxy", tags={"a": "b"})["addon"]
    assert (created["status"], created["addonVersion"]) == ("CREATING", "v1.34.0-eksbuild.2")
    assert [describe(sample, "kube-proxy")["status"] for _unused in range(2)] == ["CREATING", "ACTIVE"]
    assert describe(sample, "kube-proxy")["tags"] == {"a": "b"}
    assert sample.eks.list_addons(clusterName="one")["addons"] == ["kube-proxy"]


def test_an_addon_being_made_is_in_use(sample: Sample) -> None:
    sample.eks.create_addon(clusterName="one", addonName="vpc-cni")
    with pytest.raises(ClientError) as caught:
        sample.eks.update_addon(clusterName="one", addonName="vpc-cni")
    message = caught.value.response["Error"]["Message"]
    assert message == "Addon vpc-cni cannot be updated as it is currently in CREATING state"


def test_coredns_is_degraded_until_there_are_nodes(sample: Sample) -> None:
    sample.cni()
    coredns = sample.addon("coredns")
    assert coredns["status"] == "DEGRADED"
    assert [issue["code"] for issue in coredns["health"]["issues"]] == [REPLICAS]
    assert sample.nodegroup()["status"] == "ACTIVE"
    coredns = describe(sample, "coredns")
    assert (coredns["status"], coredns["health"]["issues"]) == ("ACTIVE", [])


def test_coredns_runs_on_fargate(sample: Sample) -> None:
    assert sample.addon("coredns")["status"] == "DEGRADED"
    profile = {"clusterName": "one", "fargateProfileName": "system"}
    sample.eks.create_fargate_profile(
        **profile,
        podExecutionRoleArn=sample.pod_execution_role,
        subnets=sample.private,
        selectors=[{"namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}}],
    )
    sample.until(lambda: sample.eks.describe_fargate_profile(**profile)["fargateProfile"])
    assert describe(sample, "coredns")["status"] == "ACTIVE"


def test_adopting_the_self_managed_cni_needs_overwrite(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster()
    for mode in ("NONE", "PRESERVE"):
        failed = sample.addon("vpc-cni", addonVersion="v1.22.4-eksbuild.1", resolveConflicts=mode)
        assert failed["status"] == "CREATE_FAILED"
        (issue,) = failed["health"]["issues"]
        assert issue["code"] == "ConfigurationConflict"
        assert "DaemonSet.apps aws-node - .spec.template.spec.containers" in issue["message"]
        sample.eks.delete_addon(clusterName="one", addonName="vpc-cni", preserve=True)
        sample.eks.list_addons(clusterName="one")
        sample.eks.list_addons(clusterName="one")
        sample.addon("vpc-cni", resolveConflicts="OVERWRITE")
        sample.eks.delete_addon(clusterName="one", addonName="vpc-cni", preserve=True)
        sample.eks.list_addons(clusterName="one")
        assert sample.eks.list_addons(clusterName="one")["addons"] == []
    assert (
        sample.addon("vpc-cni", addonVersion="v1.22.4-eksbuild.1", resolveConflicts="OVERWRITE")["status"] == "ACTIVE"
    )


def test_the_same_version_adopts_without_conflict(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster()
    assert sample.addon("vpc-cni")["status"] == "ACTIVE"
    configured = json.dumps({"env": {"WARM_ENI_TARGET": "3"}})
    sample.cluster("two")
    assert sample.addon("vpc-cni", "two", configurationValues=configured)["status"] == "CREATE_FAILED"


def test_fields_changed_in_the_cluster_conflict(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    sample.addon("vpc-cni", addonVersion="v1.20.5-eksbuild.1")
    field = 'DaemonSet.apps aws-node - .spec.template.spec.containers[name="aws-node"].env'
    monkeypatch.setattr(hooks, "addon_conflicts", lambda *_unused: [field])
    failed = update(sample, addonVersion="v1.21.2-eksbuild.2")
    assert failed["status"] == "Failed"
    assert failed["errors"][0]["errorCode"] == "ConfigurationConflict"
    addon = describe(sample, "vpc-cni")
    assert (addon["status"], addon["addonVersion"]) == ("UPDATE_FAILED", "v1.20.5-eksbuild.1")
    for mode in ("PRESERVE", "OVERWRITE"):
        assert update(sample, resolveConflicts=mode)["status"] == "Successful"
    assert describe(sample, "vpc-cni")["status"] == "ACTIVE"


def test_an_update_keeps_values_and_clears_the_role(sample: Sample) -> None:
    issuer = sample.eks.describe_cluster(name="one")["cluster"]["identity"]["oidc"]["issuer"]
    role = trust_irsa(sample, issuer)
    values = 'env:\n  WARM_ENI_TARGET: "2"\n'
    sample.addon("vpc-cni", addonVersion="v1.20.4-eksbuild.1", serviceAccountRoleArn=role, configurationValues=values)
    assert update(sample, addonVersion="v1.21.2-eksbuild.2", serviceAccountRoleArn=role)["status"] == "Successful"
    addon = describe(sample, "vpc-cni")
    assert (addon["configurationValues"], addon["serviceAccountRoleArn"]) == (values, role)
    update(sample, configurationValues="{}")
    addon = describe(sample, "vpc-cni")
    assert addon["configurationValues"] == "{}"
    assert "serviceAccountRoleArn" not in addon


def test_an_update_says_what_it_changes(sample: Sample) -> None:
    sample.addon("vpc-cni", addonVersion="v1.20.5-eksbuild.1")
    started = sample.eks.update_addon(
        clusterName="one", addonName="vpc-cni", addonVersion="v1.21.2-eksbuild.2", resolveConflicts="PRESERVE"
    )["update"]
    assert started["type"] == "AddonUpdate"
    params = {param["type"]: param["value"] for param in started["params"]}
    assert params == {"AddonVersion": "v1.21.2-eksbuild.2", "ResolveConflicts": "PRESERVE"}
    assert [describe(sample, "vpc-cni")["status"] for _unused in range(2)] == ["UPDATING", "ACTIVE"]


def test_pod_identity_associations_of_an_addon(sample: Sample) -> None:
    wanted = [{"serviceAccount": "aws-node", "roleArn": sample.cni_role}]
    addon = sample.addon("vpc-cni", podIdentityAssociations=wanted)
    (arn,) = addon["podIdentityAssociations"]
    (summary,) = sample.eks.list_pod_identity_associations(clusterName="one")["associations"]
    assert (summary["associationArn"], summary["ownerArn"]) == (arn, addon["addonArn"])
    assert (summary["namespace"], summary["serviceAccount"]) == ("kube-system", "aws-node")
    update(sample)
    assert describe(sample, "vpc-cni")["podIdentityAssociations"] == [arn], "omitted: no change"
    update(sample, podIdentityAssociations=wanted)
    (replaced,) = describe(sample, "vpc-cni")["podIdentityAssociations"]
    assert replaced != arn, "a list replaces what was there"
    update(sample, podIdentityAssociations=[])
    assert "podIdentityAssociations" not in describe(sample, "vpc-cni")
    assert sample.eks.list_pod_identity_associations(clusterName="one")["associations"] == []


def test_deleting_an_addon(sample: Sample) -> None:
    sample.cni()
    answer = sample.eks.delete_addon(clusterName="one", addonName="vpc-cni")["addon"]
    assert answer["status"] == "DELETING"
    assert describe(sample, "vpc-cni")["status"] == "DELETING"
    with pytest.raises(ClientError, match="No addon: vpc-cni found"):
        describe(sample, "vpc-cni")
    assert sample.eks.list_pod_identity_associations(clusterName="one")["associations"] == []


def test_the_2024_policy_breaks_cni_1_22(sample: Sample) -> None:
    """Since v1.22.0 the CNI calls DescribeSubnets in IPv6 mode and crashes when it may not (CNI#3704)."""
    sample.cni(addonVersion="v1.21.2-eksbuild.2")
    assert sample.nodegroup()["status"] == "ACTIVE"
    sample.allow("cni", CNI_ACTIONS)
    failed = update(sample, addonVersion="v1.22.4-eksbuild.1")
    assert (failed["status"], failed["errors"][0]["errorCode"]) == ("Failed", REPLICAS)
    addon = describe(sample, "vpc-cni")
    assert (addon["status"], addon["addonVersion"]) == ("UPDATE_FAILED", "v1.22.4-eksbuild.1")
    sample.allow("cni", CNI_ACTIONS_1_22)
    assert update(sample, addonVersion="v1.22.4-eksbuild.1")["status"] == "Successful"
    assert describe(sample, "vpc-cni")["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("version", "actions", "status"),
    [
        ("v1.15.5-eksbuild.1", CNI_ACTIONS, "Successful"),
        ("v1.21.2-eksbuild.2", CNI_ACTIONS, "Successful"),
        ("v1.22.4-eksbuild.1", (*CNI_ACTIONS, "ec2:DescribeSubnets"), "Failed"),
        ("v1.22.4-eksbuild.1", CNI_ACTIONS_1_22, "Successful"),
        ("v1.23.1-eksbuild.1", (*CNI_ACTIONS, "ec2:DescribeSubnets"), "Successful"),
        ("v1.23.1-eksbuild.1", CNI_ACTIONS, "Failed"),
        ("v1.23.1-eksbuild.1", CNI_ACTIONS[1:], "Failed"),
        ("v1.23.1-eksbuild.1", ("ec2:*",), "Successful"),
    ],
)
def test_what_a_cni_version_may_do(aws: Aws, version: str, actions: tuple[str, ...], status: str) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False, version="1.32")
    sample.cni(addonVersion=version)
    assert sample.nodegroup()["status"] == "ACTIVE"
    sample.allow("cni", actions)
    assert update(sample)["status"] == status


def test_without_subnet_discovery_the_old_policy_does(sample: Sample) -> None:
    values = json.dumps({"env": {"ENABLE_SUBNET_DISCOVERY": "false"}})
    sample.cni(addonVersion="v1.23.1-eksbuild.1", configurationValues=values)
    sample.allow("cni", CNI_ACTIONS)
    assert sample.nodegroup()["status"] == "ACTIVE"


def test_a_crashing_cni_recovers_with_its_policy(sample: Sample) -> None:
    sample.cni()
    sample.nodegroup()
    sample.eks.delete_addon(clusterName="one", addonName="vpc-cni")
    sample.eks.list_addons(clusterName="one")
    sample.eks.list_addons(clusterName="one")
    sample.allow("cni", CNI_ACTIONS[1:])
    wanted = [{"serviceAccount": "aws-node", "roleArn": sample.cni_role}]
    addon = sample.addon("vpc-cni", podIdentityAssociations=wanted)
    assert (addon["status"], addon["health"]["issues"][0]["code"]) == ("DEGRADED", REPLICAS)
    sample.allow("cni", CNI_ACTIONS_1_22)
    assert describe(sample, "vpc-cni")["status"] == "ACTIVE"


@pytest.mark.parametrize("account", ["kube-system:aws-node", "default:other"])
def test_irsa_is_followed_to_its_trust(sample: Sample, account: str) -> None:
    issuer = sample.eks.describe_cluster(name="one")["cluster"]["identity"]["oidc"]["issuer"]
    sample.addon("vpc-cni", serviceAccountRoleArn=trust_irsa(sample, issuer, f"system:serviceaccount:{account}"))
    group = sample.nodegroup()
    assert (group["status"] == "ACTIVE") is account.endswith(":aws-node")


def test_kubernetes_hears_of_addons(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[Any, ...]] = []
    monkeypatch.setattr(hooks, "addon_changed", lambda _a, _r, cluster, *rest: heard.append((cluster["name"], *rest)))
    values = json.dumps({"env": {"WARM_ENI_TARGET": "2"}})
    sample.addon("vpc-cni", addonVersion="v1.20.5-eksbuild.1", configurationValues=values)
    update(sample, addonVersion="v1.21.2-eksbuild.2")
    sample.eks.delete_addon(clusterName="one", addonName="vpc-cni")
    sample.eks.list_addons(clusterName="one")
    sample.eks.list_addons(clusterName="one")
    environment = {"env": {"WARM_ENI_TARGET": "2"}}
    assert heard == [
        ("one", "vpc-cni", "v1.20.5-eksbuild.1", environment, True),
        ("one", "vpc-cni", "v1.21.2-eksbuild.2", environment, True),
        ("one", "vpc-cni", None, {}, False),
    ]
