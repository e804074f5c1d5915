# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cluster's name to its Kubernetes: DescribeCluster, a token, and what EKS puts into the cluster."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from eksops_emulator import Emulator, EmulatorClient
from eksops_emulator.eks.sample import CNI_ACTIONS, CNI_ACTIONS_1_22, Sample
from eksops_emulator.kubernetes import ClusterEndpoints
from eksops_emulator.kubernetes.client import APPLY, STRATEGIC, Client
from eksops_emulator.kubernetes.samples import apps

AGENT = f"{apps('kube-system')}/aws-node"


def token(cluster: str, credentials: Credentials) -> str:
    """A token as `aws eks get-token` makes it."""
    events = boto3.Session().events  # the signer does not hold it
    signer = RequestSigner(ServiceId("STS"), "eu-west-1", "sts", "v4", credentials, events)
    url = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request = {"method": "GET", "url": url, "body": {}, "headers": {"x-k8s-aws-id": cluster}, "context": {}}
    signed = signer.generate_presigned_url(request, region_name="eu-west-1", expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def reach(facts: dict[str, Any], credentials: Credentials | None = None) -> Client:
    """A client of the cluster that DescribeCluster described."""
    ca = base64.b64decode(facts["certificateAuthority"]["data"]).decode()
    return Client(facts["endpoint"], ca, token(facts["name"], credentials or Credentials("testing", "testing")))


def gone(describe: Callable[[], Any]) -> bool:
    """Whether what is described is gone after a few looks."""
    for _unused in range(10):
        try:
            describe()
        except ClientError as problem:
            return bool(problem.response["Error"]["Code"] == "ResourceNotFoundException")
    return False


def test_from_name_to_nodes(account: Sample, endpoints: ClusterEndpoints) -> None:
    facts = account.cluster(version="1.33")
    api = reach(facts)
    assert api.get("/version").data["minor"] == "33"
    cidr = facts["kubernetesNetworkConfig"]["serviceIpv6Cidr"]
    dns = api.get("/api/v1/namespaces/kube-system/services/kube-dns").data["spec"]
    assert dns["clusterIP"] == str(ip_network(cidr)[10])
    names = {item["metadata"]["name"] for item in api.get(apps("kube-system")).data["items"]}
    assert names == {"aws-node", "kube-proxy"}
    account.cni()
    account.nodegroup(labels={"team": "a"}, taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}])
    nodes = api.get("/api/v1/nodes", labelSelector="team=a,eks.amazonaws.com/nodegroup=workers").data["items"]
    assert len(nodes) == 2
    for node in nodes:
        internal = [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]
        assert [ip_address(item).version for item in internal] == [6]
        assert node["spec"]["taints"] == [{"key": "k", "value": "v", "effect": "NoSchedule"}]
    instances = [item for held in account.ec2.describe_instances()["Reservations"] for item in held["Instances"]]
    real = {item["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"] for item in instances}
    assert {node["status"]["addresses"][0]["address"] for node in nodes} == real
    assert api.get(AGENT).data["status"]["numberReady"] == 2


def test_add_ons_are_what_runs(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = reach(account.cluster())
    account.nodegroup(nodeRole=_node_role_with_cni(account))
    values = json.dumps({"env": {"WARM_ENI_TARGET": "3"}, "enableNetworkPolicy": "true"})
    account.addon("vpc-cni", configurationValues=values, resolveConflicts="OVERWRITE")
    containers = {held["name"]: held for held in api.get(AGENT).data["spec"]["template"]["spec"]["containers"]}
    env = {item["name"]: item.get("value") for item in containers["aws-node"]["env"]}
    assert (env["ENABLE_IPv6"], env["ENABLE_IPv4"], env["WARM_ENI_TARGET"]) == ("true", "false", "3")
    assert "--enable-network-policy=true" in containers["aws-eks-nodeagent"]["args"]
    described = account.eks.describe_addon(clusterName="one", addonName="vpc-cni")["addon"]["addonVersion"]
    assert containers["aws-node"]["image"].endswith(f":{described}")
    managers = {entry["manager"]: entry["operation"] for entry in api.get(AGENT).data["metadata"]["managedFields"]}
    assert managers == {"eks": "Apply"}
    account.eks.delete_addon(clusterName="one", addonName="vpc-cni")
    assert gone(lambda: account.eks.describe_addon(clusterName="one", addonName="vpc-cni"))
    assert api.get(AGENT).status == 404


def _node_role_with_cni(account: Sample) -> str:
    arn = account.node_role
    account.allow("node", CNI_ACTIONS_1_22)
    return arn


def test_changes_by_others_are_conflicts(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = reach(account.cluster())
    account.addon("vpc-cni", resolveConflicts="OVERWRITE")
    container = {"name": "aws-node", "env": [{"name": "WARM_ENI_TARGET", "value": "7"}]}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    assert api("PATCH", AGENT, patch, STRATEGIC, fieldManager="someone").status == 200
    values = json.dumps({"env": {"WARM_ENI_TARGET": "2"}})
    update = account.eks.update_addon(
        clusterName="one", addonName="vpc-cni", configurationValues=values, resolveConflicts="NONE"
    )["update"]
    ended = account.updated(update, addonName="vpc-cni")
    assert (ended["status"], ended["errors"][0]["errorCode"]) == ("Failed", "ConfigurationConflict")
    field = (
        'DaemonSet.apps aws-node - .spec.template.spec.containers[name="aws-node"].env[name="WARM_ENI_TARGET"].value'
    )
    assert field in ended["errors"][0]["errorMessage"]


def test_aws_node_lives_by_its_roles_policy(account: Sample, endpoints: ClusterEndpoints) -> None:
    api = reach(account.cluster(version="1.34"))
    role = account.cni_role
    account.allow("cni", CNI_ACTIONS)
    account.addon("eks-pod-identity-agent")
    account.eks.create_pod_identity_association(
        clusterName="one", namespace="kube-system", serviceAccount="aws-node", roleArn=role
    )
    account.nodegroup()
    image = {"name": "aws-node", "image": "example.com/amazon-k8s-cni:v1.22.4"}
    patch = {"spec": {"template": {"spec": {"containers": [image]}}}}
    assert api("PATCH", AGENT, patch, STRATEGIC).status == 200
    for _unused in range(4):
        status = api.get(AGENT).data["status"]
    assert status.get("numberReady", 0) < 2
    events = api.get("/api/v1/events", fieldSelector="reason=MissingIAMPermissions").data["items"]
    called = {item["message"].split("call ")[1].split(" ")[0] for item in events}
    assert called == {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}
    account.allow("cni", CNI_ACTIONS_1_22)
    for _unused in range(4):
        status = api.get(AGENT).data["status"]
    assert status["numberReady"] == 2


def test_two_clusters_are_two_servers(account: Sample, endpoints: ClusterEndpoints) -> None:
    one, two = account.cluster("one"), account.cluster("two")
    assert one["endpoint"] != two["endpoint"]
    assert one["certificateAuthority"] != two["certificateAuthority"]
    api = reach(two)
    assert api.get("/api/v1/nodes").status == 200
    stolen = Client(two["endpoint"], api.ca_pem, token("one", Credentials("testing", "testing")))
    assert stolen.get("/api/v1/nodes").status == 401
    account.eks.delete_cluster(name="two")
    assert gone(lambda: account.eks.describe_cluster(name="two"))
    with pytest.raises(ConnectionError):
        api.get("/version")
    assert reach(one).get("/version").status == 200


def test_who_may_enter(account: Sample, endpoints: ClusterEndpoints, aws: Callable[..., Any]) -> None:
    facts = account.cluster(accessConfig={"authenticationMode": "API"})
    user = account.iam.create_user(UserName="dev")["User"]["Arn"]
    key = account.iam.create_access_key(UserName="dev")["AccessKey"]
    dev = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert reach(facts, dev).get("/api/v1/nodes").status == 401
    account.eks.create_access_entry(clusterName="one", principalArn=user)
    assert reach(facts, dev).get("/api/v1/nodes").status == 200
    assert endpoints.get("one").journal.requests[-1].user == user
    assert reach(facts, Credentials(key["AccessKeyId"], "wrong")).get("/api/v1/nodes").status == 401

    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = account.iam.create_role(RoleName="ops", Path="/team/", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = aws("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert reach(facts, session).get("/api/v1/nodes").status == 401
    account.eks.create_access_entry(clusterName="one", principalArn=role)
    assert reach(facts, session).get("/api/v1/nodes").status == 200


def test_who_may_enter_by_config_map(account: Sample, endpoints: ClusterEndpoints) -> None:
    facts = account.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    user = account.iam.create_user(UserName="dev")["User"]["Arn"]
    key = account.iam.create_access_key(UserName="dev")["AccessKey"]
    api = reach(facts, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert api.get("/api/v1/nodes").status == 401
    users = f"- userarn: {user}\n  username: dev\n"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth"}, "data": {"mapUsers": users}}
    path = "/api/v1/namespaces/kube-system/configmaps/aws-auth"
    assert reach(facts)("PATCH", path, body, APPLY, fieldManager="admin").status == 201
    assert api.get("/api/v1/nodes").status == 200


def test_a_reset_ends_the_servers(account: Sample, endpoints: ClusterEndpoints, emulator: Emulator) -> None:
    api = reach(account.cluster())
    assert api.get("/version").status == 200
    emulator.reset()
    assert endpoints.clusters == {}
    with pytest.raises(ConnectionError):
        api.get("/version")


def test_clusters_of_ipv4(endpoints: ClusterEndpoints, aws: Callable[..., Any]) -> None:
    account = Sample(aws, ipv6=False)
    api = reach(account.cluster())
    spec = api.get("/api/v1/namespaces/kube-system/services/kube-dns").data["spec"]
    assert spec["ipFamilies"] == ["IPv4"]
    assert ip_address(spec["clusterIP"]).version == 4


@pytest.mark.slow
def test_the_command_and_the_aws_cli(tmp_path: Path) -> None:
    """`eksops-emulator` in a process of its own; a kubeconfig's token comes from `aws eks get-token`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "eksops_emulator", "--port", "0", "--polls", "1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        exports = {}
        for line in process.stdout:
            if line.startswith("export "):
                name, _unused, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value
            elif exports:
                break
        url = exports["AWS_ENDPOINT_URL"]

        def aws(service: str) -> Any:
            return boto3.client(
                service,
                region_name="eu-west-1",
                endpoint_url=url,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )

        facts = Sample(aws).cluster()
        signed = token_of_client(aws("sts"), facts["name"])
        ca = base64.b64decode(facts["certificateAuthority"]["data"]).decode()
        assert Client(facts["endpoint"], ca, signed).get("/api/v1/namespaces").status == 200
        (cluster,) = EmulatorClient(url).kubernetes()
        assert (cluster["name"], cluster["url"]) == ("one", facts["endpoint"])
        kubeconfig = Path(exports["KUBECONFIG"])
        (context,) = json.loads(kubeconfig.read_text())["contexts"]
        assert context["name"] == "one"
        assert kubeconfig.stat().st_mode & 0o077 == 0
        process.terminate()
        assert process.wait(20) == 0
    assert not kubeconfig.parent.exists()


def token_of_client(client: Any, cluster: str) -> str:
    """A token that names the endpoint of an STS client, as the AWS CLI's does when AWS_ENDPOINT_URL is set."""

    def add(params: dict[str, Any], context: dict[str, Any], **_unused: Any) -> None:
        context["cluster"] = params.pop("ClusterName")

    def sign(request: Any, **_unused: Any) -> None:
        request.headers["x-k8s-aws-id"] = request.context["cluster"]

    events = client.meta.events
    events.register("provide-client-params.sts.GetCallerIdentity", add)
    events.register("before-sign.sts.GetCallerIdentity", sign)
    url = client.generate_presigned_url("get_caller_identity", {"ClusterName": cluster}, ExpiresIn=60, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
