# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed node groups: what they make, when their nodes are Ready, what their updates change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eksops_emulator.eks import hooks
from eksops_emulator.eks.releases import releases
from eksops_emulator.eks.sample import Sample

Aws = Callable[..., Any]
TARGET = {"clusterName": "one", "nodegroupName": "workers"}
NEWEST, OLDER, *_unused = releases("AL2023_x86_64_STANDARD", "1.34")


@pytest.fixture
def sample(aws: Aws) -> Sample:
    sample = Sample(aws)
    sample.cluster()
    sample.cni()
    return sample


def describe(sample: Sample) -> dict[str, Any]:
    found: dict[str, Any] = sample.eks.describe_nodegroup(**TARGET)["nodegroup"]
    return found


def update(sample: Sample, **request: Any) -> dict[str, Any]:
    started = sample.eks.update_nodegroup_config(**TARGET, **request)["update"]
    return sample.updated(started, nodegroupName="workers")


def instances(sample: Sample) -> list[dict[str, Any]]:
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    found = sample.ec2.describe_instances(Filters=running)["Reservations"]
    return [instance for reservation in found for instance in reservation["Instances"]]


def test_a_new_group(sample: Sample) -> None:
    taints = [{"key": "gpu", "value": "no", "effect": "NO_SCHEDULE"}]
    request = sample.nodegroup_request(labels={"team": "a"}, taints=taints, tags={"t": "v"})
    created = sample.eks.create_nodegroup(**request)["nodegroup"]
    assert (created["status"], created["amiType"], created["diskSize"]) == ("CREATING", "AL2023_x86_64_STANDARD", 20)
    assert created["version"] == "1.34"
    assert created["releaseVersion"].startswith("1.34.")
    assert "resources" not in created
    assert [describe(sample)["status"] for _unused in range(2)] == ["CREATING", "ACTIVE"]
    group = describe(sample)
    assert (group["labels"], group["taints"], group["tags"]) == ({"team": "a"}, taints, {"t": "v"})
    assert (group["capacityType"], group["updateConfig"]) == ("ON_DEMAND", {"maxUnavailable": 1})
    assert group["health"] == {"issues": []}
    assert sample.eks.list_nodegroups(clusterName="one")["nodegroups"] == ["workers"]


def test_its_instances_have_ipv6_and_a_prefix(sample: Sample) -> None:
    group = sample.nodegroup()
    (own,) = group["resources"]["autoScalingGroups"]
    autoscaling = sample.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[own["name"]])
    (scaling,) = autoscaling["AutoScalingGroups"]
    assert (scaling["MinSize"], scaling["MaxSize"], scaling["DesiredCapacity"]) == (1, 3, 2)
    assert set(scaling["VPCZoneIdentifier"].split(",")) == set(sample.private)
    tags = {tag["Key"]: tag["Value"] for tag in scaling["Tags"]}
    assert (tags["eks:cluster-name"], tags["eks:nodegroup-name"]) == ("one", "workers")
    assert len(instances(sample)) == 2
    cluster_group = sample.eks.describe_cluster(name="one")["cluster"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
    for instance in instances(sample):
        (interface,) = instance["NetworkInterfaces"]
        assert len(interface["Ipv6Addresses"]) == 1
        assert [item["Ipv6Prefix"].split("/")[1] for item in interface["Ipv6Prefixes"]] == ["80"]
        assert [item["GroupId"] for item in instance["SecurityGroups"]] == [cluster_group]
        assert instance["InstanceType"] == "m6i.large"
    template = sample.ec2.describe_launch_templates(LaunchTemplateIds=[scaling["LaunchTemplate"]["LaunchTemplateId"]])
    assert template["LaunchTemplates"][0]["LaunchTemplateName"].startswith("eks-")
    (profile,) = sample.iam.list_instance_profiles()["InstanceProfiles"]
    assert [role["Arn"] for role in profile["Roles"]] == [sample.node_role]


def test_its_role_gets_an_access_entry_and_loses_it(sample: Sample) -> None:
    sample.nodegroup()
    entry = sample.eks.describe_access_entry(clusterName="one", principalArn=sample.node_role)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"]) == ("EC2_LINUX", ["system:nodes"])
    assert entry["username"] == "system:node:{{EC2PrivateDNSName}}"
    sample.eks.delete_nodegroup(**TARGET)
    assert describe(sample)["status"] == "DELETING"
    with pytest.raises(ClientError, match="No node group found"):
        describe(sample)
    assert sample.node_role not in sample.eks.list_access_entries(clusterName="one")["accessEntries"]
    assert instances(sample) == []
    assert sample.ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert sample.iam.list_instance_profiles()["InstanceProfiles"] == []


def test_an_entry_of_the_client_stays(sample: Sample) -> None:
    sample.eks.create_access_entry(clusterName="one", principalArn=sample.node_role, type="EC2_LINUX")
    sample.nodegroup()
    sample.eks.delete_nodegroup(**TARGET)
    for _unused in range(2):
        sample.eks.list_nodegroups(clusterName="one")
    assert sample.eks.list_nodegroups(clusterName="one")["nodegroups"] == []
    assert sample.node_role in sample.eks.list_access_entries(clusterName="one")["accessEntries"]


def test_subnets_must_assign_ipv6(sample: Sample) -> None:
    bare = sample.subnet(sample.zones[0], assign=False)
    group = sample.nodegroup(subnets=[*sample.private, bare])
    assert group["status"] == "CREATE_FAILED"
    (issue,) = group["health"]["issues"]
    assert (issue["code"], issue["resourceIds"]) == ("Ec2SubnetMissingIpv6Assignment", [bare])
    assert f"One or more Amazon EC2 Subnets of [{bare}] for node group workers" in issue["message"]
    assert "does not automatically assign IPv6 addresses" in issue["message"]
    assert "resources" not in group
    with pytest.raises(ClientError, match="not in Active State"):
        update(sample, labels={"addOrUpdateLabels": {"a": "b"}})
    sample.eks.delete_nodegroup(**TARGET)


@pytest.mark.parametrize("destination", ["::/0", "0.0.0.0/0"])
def test_public_subnets_must_assign_public_ipv4(sample: Sample, destination: str) -> None:
    public = sample.public_subnet(sample.zones[0], destination, public_ipv4=False)
    (issue,) = sample.nodegroup(subnets=[public])["health"]["issues"]
    assert (issue["code"], issue["resourceIds"]) == ("Ec2SubnetInvalidConfiguration", [public])
    sample.ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
    assert sample.nodegroup("second", subnets=[public])["status"] == "ACTIVE"


def test_a_template_with_its_own_ipv6_needs_no_assigning_subnet(sample: Sample) -> None:
    bare = sample.subnet(sample.zones[0], assign=False)
    data = {"NetworkInterfaces": [{"DeviceIndex": 0, "Ipv6AddressCount": 1}]}
    made = sample.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=data)["LaunchTemplate"]
    group = sample.nodegroup(subnets=[bare], launchTemplate={"id": made["LaunchTemplateId"]})
    assert group["status"] == "ACTIVE"
    assert group["launchTemplate"] == {"id": made["LaunchTemplateId"], "name": "own", "version": "1"}
    assert "diskSize" not in group


def test_without_the_cni_policy_nodes_never_become_ready(sample: Sample) -> None:
    sample.allow("cni", ("ec2:DescribeInstances",))
    group = sample.nodegroup()
    (issue,) = group["health"]["issues"]
    assert (group["status"], issue["code"]) == ("CREATE_FAILED", "NodeCreationFailure")
    assert issue["message"] == "Unhealthy nodes in the kubernetes cluster"
    assert issue["resourceIds"] == sorted(instance["InstanceId"] for instance in instances(sample))


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (("AmazonEC2ContainerRegistryPullOnly",), "Instances failed to join the kubernetes cluster"),
        (("AmazonEKSWorkerNodePolicy",), "Unhealthy nodes in the kubernetes cluster"),
    ],
)
def test_the_node_role_needs_its_policies(sample: Sample, policies: tuple[str, ...], message: str) -> None:
    poor = sample.role("poor", "ec2.amazonaws.com", policies)
    (issue,) = sample.nodegroup(nodeRole=poor)["health"]["issues"]
    assert (issue["code"], issue["message"]) == ("NodeCreationFailure", message)


def test_nodes_need_a_cni(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    assert sample.nodegroup()["health"]["issues"][0]["code"] == "NodeCreationFailure"


def test_pod_identity_needs_its_agent(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    sample.addon("vpc-cni", podIdentityAssociations=[{"serviceAccount": "aws-node", "roleArn": sample.cni_role}])
    assert sample.nodegroup("first")["status"] == "CREATE_FAILED"
    sample.addon("eks-pod-identity-agent")
    assert sample.nodegroup("second")["status"] == "ACTIVE"


def test_the_ipv4_policy_on_the_node_role_is_not_enough(aws: Aws) -> None:
    """The managed AmazonEKS_CNI_Policy lacks ec2:AssignIpv6Addresses."""
    sample = Sample(aws)
    sample.cluster()
    sample.iam.attach_role_policy(
        RoleName=sample.node_role.rsplit("/", maxsplit=1)[-1], PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
    )
    assert sample.nodegroup("first")["status"] == "CREATE_FAILED"
    sample.allow("node", ("ec2:AssignIpv6Addresses",))
    assert sample.nodegroup("second")["status"] == "ACTIVE"


def test_an_empty_group_has_no_nodes_to_fail(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    group = sample.nodegroup(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0})
    assert group["status"] == "ACTIVE"


def test_labels_and_taints_are_merged(sample: Sample) -> None:
    taint = {"key": "gpu", "value": "no", "effect": "NO_SCHEDULE"}
    sample.nodegroup(labels={"a": "1", "b": "2"}, taints=[taint])
    done = update(
        sample,
        labels={"addOrUpdateLabels": {"a": "9", "c": "3"}, "removeLabels": ["b"]},
        taints={"addOrUpdateTaints": [{**taint, "value": "yes"}, {**taint, "effect": "NO_EXECUTE"}]},
    )
    assert (done["type"], done["status"]) == ("ConfigUpdate", "Successful")
    group = describe(sample)
    assert group["labels"] == {"a": "9", "c": "3"}
    assert group["taints"] == [{**taint, "value": "yes"}, {**taint, "effect": "NO_EXECUTE"}]
    update(sample, taints={"removeTaints": [{**taint, "effect": "NO_EXECUTE"}]})
    assert describe(sample)["taints"] == [{**taint, "value": "yes"}]


def test_scaling(sample: Sample) -> None:
    sample.nodegroup()
    started = sample.eks.update_nodegroup_config(**TARGET, scalingConfig={"desiredSize": 3})["update"]
    assert {"type": "DesiredSize", "value": "3"} in started["params"]
    with pytest.raises(ClientError, match="not in Active State: UPDATING"):
        sample.eks.update_nodegroup_config(**TARGET, scalingConfig={"desiredSize": 1})
    assert [describe(sample)["status"] for _unused in range(2)] == ["UPDATING", "ACTIVE"]
    assert describe(sample)["scalingConfig"] == {"minSize": 1, "maxSize": 3, "desiredSize": 3}
    assert len(instances(sample)) == 3
    assert all(instance["NetworkInterfaces"][0]["Ipv6Prefixes"] for instance in instances(sample))


def test_limits_of_an_update_exclude_each_other(sample: Sample) -> None:
    sample.nodegroup()
    update(sample, updateConfig={"maxUnavailablePercentage": 30})
    assert describe(sample)["updateConfig"] == {"maxUnavailablePercentage": 30}
    update(sample, nodeRepairConfig={"enabled": True})
    assert describe(sample)["nodeRepairConfig"] == {"enabled": True}
    update(sample, nodeRepairConfig={"maxUnhealthyNodeThresholdCount": 2})
    update(sample, nodeRepairConfig={"maxUnhealthyNodeThresholdPercentage": 20})
    assert describe(sample)["nodeRepairConfig"] == {"enabled": True, "maxUnhealthyNodeThresholdPercentage": 20}


def test_a_warm_pool_keeps_what_is_not_said(sample: Sample) -> None:
    sample.nodegroup()
    pool = {"enabled": True, "minSize": 1, "poolState": "RUNNING"}
    started = sample.eks.update_nodegroup_config(**TARGET, warmPoolConfig=pool)["update"]
    assert {param["type"]: param["value"] for param in started["params"]} == {
        "WarmPoolEnabled": "true",
        "WarmPoolMinSize": "1",
        "WarmPoolState": "RUNNING",
    }
    sample.updated(started, nodegroupName="workers")
    update(sample, warmPoolConfig={"minSize": 2})
    assert describe(sample)["warmPoolConfig"] == {**pool, "minSize": 2}
    update(sample, warmPoolConfig={"enabled": False})
    assert describe(sample)["warmPoolConfig"] == {"enabled": False}


def test_a_release_update_replaces_the_nodes(sample: Sample) -> None:
    sample.nodegroup(releaseVersion=OLDER)
    before = {instance["InstanceId"] for instance in instances(sample)}
    started = sample.eks.update_nodegroup_version(**TARGET)["update"]
    assert started["type"] == "VersionUpdate"
    assert sample.updated(started, nodegroupName="workers")["status"] == "Successful"
    assert describe(sample)["releaseVersion"] == NEWEST
    path = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/x86_64/standard/recommended"
    ssm = sample.client("ssm")
    assert ssm.get_parameter(Name=f"{path}/release_version")["Parameter"]["Value"] == NEWEST
    image = ssm.get_parameter(Name=f"{path}/image_id")["Parameter"]["Value"]
    assert {instance["ImageId"] for instance in instances(sample)} == {image}
    after = {instance["InstanceId"] for instance in instances(sample)}
    assert len(after) == 2
    assert not before & after


def test_a_roll_without_permissions_fails_and_keeps_the_nodes(sample: Sample) -> None:
    sample.nodegroup(releaseVersion=OLDER)
    before = {instance["InstanceId"] for instance in instances(sample)}
    sample.allow("cni", ("ec2:DescribeInstances",))
    started = sample.eks.update_nodegroup_version(**TARGET)["update"]
    failed = sample.updated(started, nodegroupName="workers")
    assert (failed["status"], failed["errors"][0]["errorCode"]) == ("Failed", "NodeCreationFailure")
    assert {instance["InstanceId"] for instance in instances(sample)} == before
    assert describe(sample)["releaseVersion"] == OLDER


def test_a_new_template_version(sample: Sample) -> None:
    options = {"MetadataOptions": {"HttpTokens": "required"}}
    template = sample.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=options)
    identity = template["LaunchTemplate"]["LaunchTemplateId"]
    sample.nodegroup(launchTemplate={"id": identity})
    sample.ec2.create_launch_template_version(LaunchTemplateId=identity, LaunchTemplateData=options)
    started = sample.eks.update_nodegroup_version(**TARGET, launchTemplate={"id": identity, "version": "2"})["update"]
    assert sample.updated(started, nodegroupName="workers")["status"] == "Successful"
    assert describe(sample)["launchTemplate"] == {"id": identity, "name": "own", "version": "2"}


def test_bottlerocket_on_arm(sample: Sample) -> None:
    group = sample.nodegroup(amiType="BOTTLEROCKET_ARM_64", instanceTypes=["m7g.large"], capacityType="SPOT")
    assert (group["status"], group["capacityType"]) == ("ACTIVE", "SPOT")
    assert group["releaseVersion"] == releases("BOTTLEROCKET_ARM_64", "1.34")[0]


def test_a_cluster_with_nodes_stays(sample: Sample) -> None:
    sample.nodegroup()
    with pytest.raises(ClientError, match="Cluster has nodegroups attached"):
        sample.eks.delete_cluster(name="one")


def test_kubernetes_hears_of_nodes(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int, bool]] = []

    def nodes_changed(
        _account: str, _region: str, _cluster: dict[str, Any], group: dict[str, Any], ids: list[str], ready: bool
    ) -> None:
        heard.append((group["nodegroupName"], len(ids), ready))

    monkeypatch.setattr(hooks, "nodes_changed", nodes_changed)
    sample.nodegroup()
    update(sample, scalingConfig={"desiredSize": 1})
    sample.eks.delete_nodegroup(**TARGET)
    for _unused in range(2):
        sample.eks.list_nodegroups(clusterName="one")
    assert heard == [("workers", 2, True), ("workers", 1, True), ("workers", 0, False)]
