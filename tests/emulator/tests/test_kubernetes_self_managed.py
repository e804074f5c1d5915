# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that EKS does not manage, in Kubernetes: they come with their instances, live by their roles, and go.

Source: EKS user guide, self-managed nodes. That they have the names and readiness of managed ones is presumed.
"""

from __future__ import annotations

import base64
from ipaddress import ip_address

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import CNI_ACTIONS_1_22, Sample
from eksops_emulator.kubernetes import ClusterEndpoints, KubernetesAPI
from eksops_emulator.kubernetes.client import Client

IMAGE = "/aws/service/bottlerocket/aws-k8s-1.35/arm64/latest/image_id"
AUTH = """\
- rolearn: {}
  username: system:node:{{{{EC2PrivateDNSName}}}}
  groups: [{}]
"""
GROUPS = "system:bootstrappers", "system:nodes"


def cluster(account: Sample, endpoints: ClusterEndpoints, mode: str = "API") -> KubernetesAPI:
    """A cluster with its CNI, and a profile of the nodes' role, which in mode API is let in."""
    account.cluster(version="1.35", accessConfig={"authenticationMode": mode})
    account.cni()
    account.iam.create_instance_profile(InstanceProfileName="node")
    account.iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName=account.node_role.rsplit("/", 1)[-1])
    if mode == "API":
        account.eks.create_access_entry(clusterName="one", principalArn=account.node_role, type="EC2_LINUX")
    return endpoints.get("one")


def launch(account: Sample, more: str = "", count: int = 2) -> list[str]:
    """Bottlerocket instances of a new group `own`, in service."""
    facts = account.eks.describe_cluster(name="one")["cluster"]
    settings = f"""\
[settings.kubernetes]
cluster-name = "one"
api-server = "{facts["endpoint"]}"
cluster-certificate = "{facts["certificateAuthority"]["data"]}"
cluster-dns-ip = "fd00::a"
{more}
"""
    data = {
        "ImageId": account.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"],
        "InstanceType": "m7g.large",
        "IamInstanceProfile": {"Name": "node"},
        "UserData": base64.b64encode(settings.encode()).decode(),
    }
    account.ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData=data)
    tag = {"ResourceId": "own", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    account.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="own",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=count,
        VPCZoneIdentifier=",".join(account.private),
        LaunchTemplate={"LaunchTemplateName": "own"},
        Tags=[{**tag, "Key": "kubernetes.io/cluster/one", "Value": "owned"}],
    )
    return group(account)


def group(account: Sample) -> list[str]:
    """The instances of the group, once all are in service."""
    asg = account.client("autoscaling")
    for _unused in range(3):
        held = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["own"])["AutoScalingGroups"][0]["Instances"]
    assert {item["LifecycleState"] for item in held} <= {"InService"}
    return sorted(str(item["InstanceId"]) for item in held)


def reach(api: KubernetesAPI) -> Client:
    return Client(api.url, api.ca_pem, api.admin_token)


def nodes(api: KubernetesAPI) -> dict[str, str]:
    """The nodes as a client sees them: the instance of each, and what its Ready condition says."""
    found = reach(api).get("/api/v1/nodes").data["items"]
    conditions = {item["spec"]["providerID"].rsplit("/", 1)[-1]: item["status"]["conditions"] for item in found}
    return {name: next(item["status"] for item in held if item["type"] == "Ready") for name, held in conditions.items()}


def test_nodes_come_with_their_instances_and_go_with_them(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = cluster(account, endpoints)
    more = '[settings.kubernetes.node-labels]\nteam = "a"\n[settings.kubernetes.node-taints]\nk = "v:NoSchedule"'
    instances = launch(account, more)
    assert nodes(api) == dict.fromkeys(instances, "True")
    described = account.ec2.describe_instances(InstanceIds=instances)["Reservations"]
    real = {item["InstanceId"]: item for one in described for item in one["Instances"]}
    for node in reach(api).get("/api/v1/nodes", labelSelector="team=a").data["items"]:
        instance = real.pop(node["spec"]["providerID"].rsplit("/", 1)[-1])
        assert node["spec"]["taints"] == [{"key": "k", "value": "v", "effect": "NoSchedule"}]
        assert (
            node["status"]["addresses"][0]["address"]
            == instance["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"]
        )
        assert node["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
        assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == instance["Placement"]["AvailabilityZone"]
    assert real == {}
    agent = reach(api).get("/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node").data["status"]
    assert (agent["desiredNumberScheduled"], agent["numberReady"]) == (2, 2)

    account.ec2.terminate_instances(InstanceIds=instances[:1])
    assert set(api.objects.names("Node")) == {f"{instances[1]}.eu-west-1.compute.internal"}
    account.client("autoscaling").set_desired_capacity(AutoScalingGroupName="own", DesiredCapacity=0)
    assert nodes(api) == {}
    assert [pod for pod in api.objects.all("Pod") if pod["spec"].get("nodeName")] == []


def test_an_instance_that_is_pending_is_no_node(
    account: Sample, endpoints: ClusterEndpoints, emulator: Emulator
) -> None:
    api = cluster(account, endpoints)
    launch(account, count=0)
    emulator.transitions("autoscaling::instance", times=2)
    account.client("autoscaling").set_desired_capacity(AutoScalingGroupName="own", DesiredCapacity=1)
    assert nodes(api) == {}
    instances = group(account)
    assert nodes(api) == dict.fromkeys(instances, "True")


def test_nodes_are_let_in_by_aws_auth(account: Sample, endpoints: ClusterEndpoints) -> None:
    """A role as it stands there has no path; without both groups its nodes can't register."""
    account.__dict__["node_role"] = account.role("node", "ec2.amazonaws.com", ("AmazonEKSWorkerNodePolicy",))
    account.iam.attach_role_policy(
        RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    )
    api = cluster(account, endpoints, "CONFIG_MAP")
    instances = launch(account)
    assert nodes(api) == {}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}}
    for text in (
        "",
        "- [",
        "- 1",
        AUTH.format(account.node_role, GROUPS[1]),
        AUTH.format("arn:other", ", ".join(GROUPS)),
    ):
        api.objects.apply({**config_map, "data": {"mapRoles": text}})
        assert nodes(api) == {}
    api.objects.apply({**config_map, "data": {"mapRoles": AUTH.format(account.node_role, ", ".join(GROUPS))}})
    assert nodes(api) == dict.fromkeys(instances, "True")
    # A kubelet that is no longer let in reports nothing; the node stays with its instance.
    api.objects.apply({**config_map, "data": {"mapRoles": "[]"}})
    assert nodes(api) == dict.fromkeys(instances, "False")


def test_nodes_are_ready_when_their_cni_can_serve_them(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = cluster(account, endpoints)
    account.iam.delete_role_policy(RoleName="cni", PolicyName="cni")
    instances = launch(account)
    assert nodes(api) == dict.fromkeys(instances, "False")
    events = reach(api).get("/api/v1/events", fieldSelector="reason=MissingIAMPermissions").data["items"]
    assert any("ec2:AssignIpv6Addresses" in item["message"] for item in events)
    account.allow("cni", CNI_ACTIONS_1_22)
    assert nodes(api) == dict.fromkeys(instances, "True")
    agent = reach(api).get("/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node").data["status"]
    assert agent["numberReady"] == 2


def test_a_stopped_instance_is_a_node_that_is_not_ready(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = cluster(account, endpoints)
    (instance,) = launch(account, count=1)
    account.ec2.stop_instances(InstanceIds=[instance])
    assert nodes(api) == {instance: "False"}
    account.ec2.start_instances(InstanceIds=[instance])
    assert nodes(api) == {instance: "True"}


def test_what_somebody_does_to_a_node_is_left_alone(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = cluster(account, endpoints)
    kept, gone = launch(account)
    api.objects.patch("Node", f"{kept}.eu-west-1.compute.internal", {"spec": {"unschedulable": True}})
    api.objects.delete("Node", f"{gone}.eu-west-1.compute.internal")
    account.iam.delete_role_policy(RoleName="cni", PolicyName="cni")
    assert nodes(api) == {kept: "False"}
    assert api.objects.get("Node", f"{kept}.eu-west-1.compute.internal")["spec"]["unschedulable"] is True


def test_a_node_of_ipv4_gives_its_pods_no_address(account: Sample, endpoints: ClusterEndpoints) -> None:
    """It registers with the other family; that it becomes ready is presumed."""
    api = cluster(account, endpoints)
    (instance,) = launch(account, 'node-ip = "10.0.0.4"', count=1)
    assert nodes(api) == {instance: "True"}
    node = api.objects.get("Node", f"{instance}.eu-west-1.compute.internal")
    assert ip_address(node["status"]["addresses"][0]["address"]).version == 4
    assert {pod["status"].get("podIP") for pod in api.objects.all("Pod") if pod["spec"].get("nodeName")} == {None}


def test_labels_that_kubernetes_refuses_keep_a_node_out(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = cluster(account, endpoints)
    launch(account, '[settings.kubernetes.node-labels]\n"not a label" = "a"')
    assert nodes(api) == {}
