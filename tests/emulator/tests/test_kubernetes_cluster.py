# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives in an emulated cluster: nodes, pods and rollouts; and what tests can do to it."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from eksops_emulator.kubernetes import CniRule, Crash, KubernetesAPI, StatusError, cni, manifests, seed
from eksops_emulator.kubernetes.client import MERGE, STRATEGIC, Client
from eksops_emulator.kubernetes.cni_rules import configuration_problem, needed_actions, only
from eksops_emulator.kubernetes.samples import apps, config_map, core, daemon_set

RANGE = "fd12:3456:789a::/108"
AGENT = f"{apps('kube-system')}/aws-node"


@pytest.fixture(scope="module")
def running() -> Iterator[KubernetesAPI]:
    with KubernetesAPI(service_cidr=RANGE) as cluster:
        yield cluster


@pytest.fixture
def cluster(running: KubernetesAPI) -> KubernetesAPI:
    """A cluster with the stock IPv6 CNI and three nodes."""
    running.reset()
    running.controllers.rollout_polls = 2
    seed(running)
    running.journal.clear()
    return running


@pytest.fixture
def api(cluster: KubernetesAPI) -> Client:
    return Client(cluster.url, cluster.ca_pem, cluster.admin_token)


def change(**env: str) -> dict[str, Any]:
    container = {"name": "aws-node", "env": [{"name": name, "value": value} for name, value in env.items()]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def pods(cluster: KubernetesAPI, label: str = "aws-node") -> list[dict[str, Any]]:
    return [item for item in cluster.objects.all("Pod") if item["metadata"]["labels"].get("k8s-app") == label]


def settle(api: Client, path: str = AGENT, reads: int = 10) -> dict[str, Any]:
    """Reads until the rollout is over, as a wait would; the last status."""
    for _unused in range(reads):
        item = api.get(path).data
        status = item["status"]
        seen = status["observedGeneration"] == item["metadata"]["generation"]
        if seen and status.get("updatedNumberScheduled") == status["desiredNumberScheduled"] == status["numberReady"]:
            break
    return dict(status)


# --- nodes and pods ------------------------------------------------------------------------------------------------


def test_a_seeded_ipv6_cluster(cluster: KubernetesAPI) -> None:
    nodes = cluster.objects.all("Node")
    assert len(nodes) == 3
    for node in nodes:
        internal = [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]
        assert [ip_address(item).version for item in internal] == [6]
    assert cluster.objects.get("Service", "kube-dns")["spec"]["clusterIP"] == "fd12:3456:789a::a"
    assert cluster.objects.get("Service", "kubernetes", "default")["spec"]["clusterIP"] == "fd12:3456:789a::1"
    assert {"aws-node", "kube-proxy"} == set(cluster.objects.names("DaemonSet"))
    assert cluster.objects.get("Deployment", "coredns")["status"]["readyReplicas"] == 2
    assert "eniconfigs.crd.k8s.amazonaws.com" in cluster.objects.names("CustomResourceDefinition")


def test_pods_have_one_ipv6_address(cluster: KubernetesAPI) -> None:
    addresses = {
        node["metadata"]["name"]: node["status"]["addresses"][0]["address"] for node in cluster.objects.all("Node")
    }
    seen = set()
    for pod in cluster.objects.all("Pod"):
        held = pod["status"]["podIPs"]
        assert [ip_address(item["ip"]).version for item in held] == [6]
        node = addresses[pod["spec"]["nodeName"]]
        if pod["spec"].get("hostNetwork"):
            assert held[0]["ip"] == node
        else:
            assert ip_network(f"{held[0]['ip']}/64", strict=False) == ip_network(f"{node}/64", strict=False)
            assert held[0]["ip"] not in seen
            seen.add(held[0]["ip"])
    assert len(seen) == 2


def test_an_ipv4_cluster() -> None:
    cluster = KubernetesAPI(service_cidr="10.100.0.0/16")
    seed(cluster)
    assert cluster.objects.get("Service", "kube-dns")["spec"]["clusterIP"] == "10.100.0.10"
    assert cluster.objects.get("Service", "kube-dns")["spec"]["ipFamilies"] == ["IPv4"]
    assert {ip_address(pod["status"]["podIP"]).version for pod in cluster.objects.all("Pod")} == {4}
    with pytest.raises(StatusError, match="not configured on this cluster"):
        cluster.objects.create("Service", "x", spec={"ipFamilies": ["IPv6"], "ports": [{"port": 80}]})


def test_a_service_range_has_a_limit() -> None:
    with pytest.raises(ValueError, match="too large"):
        KubernetesAPI(service_cidr="fd12::/64")


def test_daemon_pods_follow_the_nodes(cluster: KubernetesAPI) -> None:
    cluster.objects.add(manifests.node("new.example.com", "2001:db8:1234:1a00::999", "10.0.0.99"))
    assert len(pods(cluster)) == 4
    assert cluster.objects.get("DaemonSet", "aws-node")["status"]["desiredNumberScheduled"] == 4
    cluster.objects.delete("Node", "new.example.com")
    assert len(pods(cluster)) == 3
    fargate = {"eks.amazonaws.com/compute-type": "fargate"}
    cluster.objects.add(manifests.node("fargate.example.com", "2001:db8:1234:1a00::998", "10.0.0.98", labels=fargate))
    assert len(pods(cluster)) == 3
    assert len(pods(cluster, "kube-proxy")) == 4


def test_taints_keep_pods_away(cluster: KubernetesAPI) -> None:
    cluster.objects.add(daemon_set("picky") | {"metadata": {"name": "picky", "namespace": "default"}})
    spec = cluster.objects.get("DaemonSet", "picky", "default")
    assert spec["status"]["desiredNumberScheduled"] == 3
    cluster.objects.patch("DaemonSet", "picky", {"spec": {"template": {"spec": {"tolerations": None}}}}, "default")
    taints = [{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]
    cluster.objects.add(manifests.node("tainted.example.com", "2001:db8::99", "10.0.0.97", taints=taints))
    api = Client(cluster.url, cluster.ca_pem, cluster.admin_token)
    assert settle(api, f"{apps('default')}/picky")["desiredNumberScheduled"] == 3
    assert len(pods(cluster)) == 4


def test_a_deleted_pod_comes_again(cluster: KubernetesAPI, api: Client) -> None:
    first = pods(cluster)[0]["metadata"]
    assert api("DELETE", f"{core('kube-system', 'pods')}/{first['name']}").data["kind"] == "Pod"
    assert len(pods(cluster)) == 3
    assert first["uid"] not in [pod["metadata"]["uid"] for pod in pods(cluster)]


# --- rollouts ------------------------------------------------------------------------------------------------------


def test_a_rollout_takes_reads(cluster: KubernetesAPI, api: Client) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(cluster)}
    item = api.ok("PATCH", AGENT, change(WARM_ENI_TARGET="2"), STRATEGIC)
    assert item["metadata"]["generation"] == 2
    states = []
    for _unused in range(4):
        status = api.get(AGENT).data["status"]
        states.append((status["observedGeneration"], status.get("updatedNumberScheduled", 0)))
    assert states == [(1, 3), (2, 2), (2, 3), (2, 3)]
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(cluster))
    annotations = item["metadata"]["annotations"]
    assert annotations["deprecated.daemonset.template.generation"] == "2"


def test_a_rollout_can_be_immediate(cluster: KubernetesAPI, api: Client) -> None:
    cluster.controllers.rollout_polls = 0
    api.ok("PATCH", AGENT, change(WARM_ENI_TARGET="2"), STRATEGIC)
    status = api.get(AGENT).data["status"]
    assert (status["observedGeneration"], status["updatedNumberScheduled"]) == (2, 3)


def test_a_rollout_can_be_watched(cluster: KubernetesAPI, api: Client) -> None:
    version = api.get(AGENT).data["metadata"]["resourceVersion"]
    api.ok("PATCH", AGENT, change(WARM_ENI_TARGET="2"), STRATEGIC)
    selector = {"fieldSelector": "metadata.name=aws-node", "resourceVersion": version, "timeoutSeconds": 10}
    for event in api.watch(apps("kube-system"), **selector):
        status = event["object"]["status"]
        if status["observedGeneration"] == 2 and status.get("updatedNumberScheduled") == 3:
            return
    pytest.fail("the rollout did not end")


def test_pods_are_left_when_only_deleting_replaces_them(cluster: KubernetesAPI, api: Client) -> None:
    api.ok("PATCH", AGENT, {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}, STRATEGIC)
    before = {pod["metadata"]["uid"] for pod in pods(cluster)}
    api.ok("PATCH", AGENT, change(WARM_ENI_TARGET="2"), STRATEGIC)
    assert settle(api).get("updatedNumberScheduled", 0) == 0
    assert before == {pod["metadata"]["uid"] for pod in pods(cluster)}


def test_deployments_roll(cluster: KubernetesAPI, api: Client) -> None:
    path = f"{apps('kube-system', 'deployments')}/coredns"
    before = {pod["metadata"]["uid"] for pod in pods(cluster, "kube-dns")}
    image = {"name": "coredns", "image": "example.com/coredns:v2"}
    api.ok("PATCH", path, {"spec": {"template": {"spec": {"containers": [image]}}}}, STRATEGIC)
    assert api.get(path).data["status"]["observedGeneration"] == 1
    assert api.get(path).data["status"]["observedGeneration"] == 2
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in pods(cluster, "kube-dns"))
    api.ok("PATCH", f"{path}/scale", {"spec": {"replicas": 3}}, MERGE)
    assert api.get(f"{path}/scale").data["status"]["replicas"] == 3
    assert len(pods(cluster, "kube-dns")) == 3


def test_deployments_wait_for_nodes() -> None:
    cluster = KubernetesAPI(service_cidr=RANGE)
    seed(cluster, nodes=0)
    status = cluster.objects.get("Deployment", "coredns")["status"]
    assert (status["unavailableReplicas"], status["conditions"][0]["status"]) == (2, "False")
    cluster.objects.add(manifests.node("n", "2001:db8::1", "10.0.0.1"))
    assert cluster.objects.get("Deployment", "coredns")["status"]["readyReplicas"] == 2


# --- crash loops ---------------------------------------------------------------------------------------------------


def test_a_bad_template_stops_its_rollout(cluster: KubernetesAPI, api: Client) -> None:
    cluster.add_rule(CniRule())
    api.ok("PATCH", AGENT, change(ENABLE_IPv4="true"), STRATEGIC)
    status = settle(api)
    # maxUnavailable is 10%, so one of three: the first new pod crashes, the other two stay what they were.
    assert (status["updatedNumberScheduled"], status["numberReady"], status["numberUnavailable"]) == (1, 2, 1)
    broken = [pod for pod in pods(cluster) if pod["status"]["containerStatuses"][0]["ready"] is False]
    assert len(broken) == 1
    state = broken[0]["status"]["containerStatuses"][0]
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["restartCount"] == 1
    log = api.get(f"{core('kube-system', 'pods')}/{broken[0]['metadata']['name']}/log").data
    assert log == "IPv4 and IPv6 are both enabled. VPC CNI currently does not support dual stack mode"
    api.ok("PATCH", AGENT, change(ENABLE_IPv4="false"), STRATEGIC)
    assert settle(api)["numberReady"] == 3


def test_missing_permissions(cluster: KubernetesAPI, api: Client) -> None:
    old = {"ec2:AssignIpv6Addresses", "ec2:DescribeInstances", "ec2:DescribeTags"}
    old |= {"ec2:DescribeNetworkInterfaces", "ec2:DescribeInstanceTypes"}
    allowed = set(old)
    cluster.add_rule(CniRule(only(allowed)))
    cluster.objects.add(*cni.aws_node("v1.22.4-eksbuild.1", "ipv6"))
    assert settle(api)["numberReady"] == 2
    events = [item for item in cluster.objects.all("Event") if item["reason"] == "MissingIAMPermissions"]
    called = {item["message"].split("call ")[1].split(" ")[0] for item in events}
    assert called == {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}
    found = api.get("/api/v1/events", fieldSelector="reason=MissingIAMPermissions,involvedObject.kind=Pod").data[
        "items"
    ]
    assert len(found) == 2
    cluster.controllers.resync()
    assert {item["count"] for item in cluster.objects.all("Event") if item["reason"] == "MissingIAMPermissions"} == {2}
    allowed |= {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}
    cluster.controllers.resync()
    assert settle(api)["numberReady"] == 3


def test_a_rule_of_ones_own(cluster: KubernetesAPI, api: Client) -> None:
    bad = cluster.objects.names("Node")[1]
    cluster.add_rule(lambda _unused, node: Crash("aws-node", "boom") if node["metadata"]["name"] == bad else None)
    api.ok("PATCH", AGENT, change(WARM_ENI_TARGET="2"), STRATEGIC)
    assert settle(api)["numberReady"] == 2


IPV6 = {"ENABLE_IPv4": "false", "ENABLE_IPv6": "true", "ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
IPV4 = {"ENABLE_IPv4": "true", "ENABLE_IPv6": "false", "WARM_PREFIX_TARGET": "1"}


# Source of each row: amazon-vpc-cni-k8s, ipamd.isConfigValid and validateEnvVars of cmd/aws-vpc-cni.
@pytest.mark.parametrize(
    ("version", "env", "problem"),
    [
        ("v1.10.1", IPV6, None),
        ("v1.10.1", IPV4, None),
        ("v1.10.1", {**IPV6, "ENABLE_IPv4": "true"}, "both enabled"),
        ("v1.10.1", {**IPV6, "ENABLE_IPv6": "false"}, "both disabled"),
        ("v1.10.1", {"ENABLE_IPV6": "true", "ENABLE_IPv4": "false"}, "both disabled"),
        ("v1.10.1", {**IPV6, "ENABLE_PREFIX_DELEGATION": "false"}, "Prefix Delegation"),
        ("v1.19.0", {**IPV6, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}, "Custom Networking"),
        ("v1.15.1", {**IPV6, "ENABLE_POD_ENI": "true"}, "SecurityGroups for Pods"),
        ("v1.16.0", {**IPV6, "ENABLE_POD_ENI": "true"}, None),
        ("v1.19.0", {**IPV6, "WARM_PREFIX_TARGET": "0"}, "WARM_PREFIX_TARGET = 0"),
        ("v1.19.0", {**IPV6, "WARM_PREFIX_TARGET": "0", "WARM_IP_TARGET": "5"}, None),
        ("v1.19.0", {**IPV6, "AWS_VPC_ENI_MTU": "1279"}, "1280"),
        ("v1.19.0", {**IPV4, "AWS_VPC_ENI_MTU": "1279"}, None),
        ("v1.19.0", {**IPV4, "AWS_VPC_ENI_MTU": "9002"}, "9001"),
    ],
)
def test_what_the_cni_starts_with(version: str, env: dict[str, str], problem: str | None) -> None:
    found = configuration_problem(cni.parse(version), env)
    assert (found is None) if problem is None else (found is not None and problem in found)


# Source: per-tag reading of amazon-vpc-cni-k8s; DescribeSecurityGroups was called from 1.22.0 to 1.22.4 only.
@pytest.mark.parametrize(
    ("version", "discovery", "more"),
    [
        ("v1.21.2", True, set()),
        ("v1.22.0", True, {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}),
        ("v1.22.4", False, {"ec2:DescribeSecurityGroups"}),
        ("v1.23.0", True, {"ec2:DescribeSubnets"}),
        ("v1.23.1", False, set()),
    ],
)
def test_what_the_cni_calls(version: str, discovery: bool, more: set[str]) -> None:
    base = set(needed_actions((1, 10, 1)))
    assert len(base) == 5
    assert set(needed_actions(cni.parse(version), discovery)) == base | more


@pytest.mark.parametrize(
    ("version", "agent", "variables"),
    [
        ("v1.10.1", None, {"AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER"}),
        ("v1.14.0", "v1.0.1", set()),
        ("v1.15.1-eksbuild.1", "v1.0.4", {"VPC_CNI_VERSION"}),
        ("v1.18.0", "v1.1.0", {"ENABLE_SUBNET_DISCOVERY", "NETWORK_POLICY_ENFORCING_MODE"}),
        ("v1.20.0", "v1.2.3", {"ENABLE_MULTI_NIC", "ENABLE_IMDS_ONLY_MODE"}),
        ("v1.23.0", "v1.4.1", set()),
    ],
)
@pytest.mark.parametrize("flavour", ["ipv4", "ipv6"])
def test_stock_manifests(version: str, agent: str | None, variables: set[str], flavour: str) -> None:
    pod = cni.aws_node(version, flavour)[-1]["spec"]["template"]["spec"]
    held = {item["name"]: item for item in [*pod["containers"], *pod["initContainers"]]}
    env = {item["name"]: item.get("value") for item in held["aws-node"]["env"]}
    on = str(flavour == "ipv6").lower()
    assert (env["ENABLE_IPv6"], env["ENABLE_PREFIX_DELEGATION"]) == (on, on)
    assert env["ENABLE_IPv4"] == str(flavour == "ipv4").lower()
    assert {item["name"]: item["value"] for item in held["aws-vpc-cni-init"]["env"]}["ENABLE_IPv6"] == on
    assert variables <= set(env)
    if agent is None:
        assert "aws-eks-nodeagent" not in held
    else:
        assert held["aws-eks-nodeagent"]["image"].endswith(agent)
        assert held["aws-eks-nodeagent"]["args"][0] == f"--enable-ipv6={on}"


# --- what hangs together -------------------------------------------------------------------------------------------


def test_disruption_budgets_stand_against_eviction(cluster: KubernetesAPI, api: Client) -> None:
    selector = {"matchLabels": {"k8s-app": "kube-dns"}}
    budget = {"metadata": {"name": "dns"}, "spec": {"minAvailable": 2, "selector": selector}}
    api.ok("POST", "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets", budget)
    name = pods(cluster, "kube-dns")[0]["metadata"]["name"]
    path = f"{core('kube-system', 'pods')}/{name}/eviction"
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    refused = api("POST", path, body)
    assert (refused.status, refused.data["reason"]) == (429, "TooManyRequests")
    assert refused.data["details"]["causes"][0]["reason"] == "DisruptionBudget"
    cluster.objects.patch("PodDisruptionBudget", "dns", {"spec": {"minAvailable": 1}})
    assert api("POST", path, body).status == 201
    assert len(pods(cluster, "kube-dns")) == 2


def test_what_an_object_owns_goes_with_it(cluster: KubernetesAPI, api: Client) -> None:
    api.ok("DELETE", f"{apps('kube-system', 'deployments')}/coredns")
    assert pods(cluster, "kube-dns") == []
    assert cluster.objects.names("ReplicaSet") == []
    api.ok("DELETE", AGENT, {"propagationPolicy": "Orphan"})
    assert len(pods(cluster)) == 3


def test_a_namespace_takes_everything_along(cluster: KubernetesAPI, api: Client) -> None:
    api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "apps"}})
    assert cluster.objects.names("ServiceAccount", "apps") == ["default"]
    assert "BEGIN CERTIFICATE" in cluster.objects.get("ConfigMap", "kube-root-ca.crt", "apps")["data"]["ca.crt"]
    api.ok("POST", apps("apps"), daemon_set())
    api.ok("DELETE", "/api/v1/namespaces/apps")
    assert cluster.objects.all("DaemonSet", "apps") == cluster.objects.all("Pod", "apps") == []
    assert api("POST", core("apps", "configmaps"), config_map()).status == 404


def test_an_omitted_address_is_kept(api: Client) -> None:
    path = f"{core('kube-system', 'services')}/kube-dns"
    item = api.get(path).data
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        del item["spec"][name]
    assert api.ok("PUT", path, item)["spec"]["clusterIP"] == "fd12:3456:789a::a"


# --- what newer servers do -----------------------------------------------------------------------------------------


def test_unknown_fields(api: Client) -> None:
    body = {**daemon_set("odd"), "surprise": 1}
    body["spec"]["template"]["spec"]["containers"][0]["enviroment"] = []
    warned = api("POST", apps("default"), body, fieldValidation="Warn", dryRun="All")
    assert warned.status == 201
    assert "surprise" not in warned.data
    assert "unknown field" in warned.headers["Warning"]
    strict = api("POST", apps("default"), body, fieldValidation="Strict", dryRun="All")
    assert strict.status == 400
    assert 'unknown field "spec.template.spec.containers[0].enviroment"' in strict.data["message"]
    assert "Warning" not in api("POST", apps("default"), body, fieldValidation="Ignore", dryRun="All").headers


def test_yaml_is_read(api: Client, cluster: KubernetesAPI) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {a: '1'}\n"
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/apply-patch+yaml"}
    connection = api.connect()
    connection.request("PATCH", f"{core('default', 'configmaps')}/y?fieldManager=x", text, headers)
    assert connection.getresponse().status == 201
    assert cluster.objects.get("ConfigMap", "y", "default")["data"] == {"a": "1"}


def test_old_pages_and_watches_expire(cluster: KubernetesAPI, api: Client) -> None:
    path = core("kube-system", "pods")
    first = api.get(path, limit=1).data["metadata"]["continue"]
    for index in range(70):
        cluster.objects.create("ConfigMap", f"c{index}")
        api.get(path, limit=1)
    reply = api.get(path, limit=1, **{"continue": first})
    assert (reply.status, reply.data["reason"]) == (410, "Expired")
    item = cluster.objects.get("ConfigMap", "c0", "default")
    for index in range(5001):
        cluster.registry.store.put(cluster.registry.kind("ConfigMap"), {**item, "data": {"n": str(index)}})
    events = list(api.watch(core("default", "configmaps"), resourceVersion="2", timeoutSeconds=5))
    assert [event["type"] for event in events] == ["ERROR"]
    assert events[0]["object"]["code"] == 410


# --- what tests do to a server -------------------------------------------------------------------------------------


def test_the_journal(cluster: KubernetesAPI, api: Client) -> None:
    api.get("/api/v1/nodes")
    api("PATCH", AGENT, change(A="1"), STRATEGIC, dryRun="All")
    api("PATCH", AGENT, change(A="1"), STRATEGIC, fieldManager="me")
    api("POST", core("default", "secrets"), {"metadata": {"name": "s"}, "data": {"a": "aGlkZGVu"}})
    api("DELETE", f"{core('default', 'secrets')}/none")
    entries = [(item.verb, item.resource, item.namespace, item.name, item.status) for item in cluster.journal]
    assert entries == [
        ("list", "nodes", "", "", 200),
        ("patch", "daemonsets.apps", "kube-system", "aws-node", 200),
        ("patch", "daemonsets.apps", "kube-system", "aws-node", 200),
        ("create", "secrets", "default", "", 201),
        ("delete", "secrets", "default", "none", 404),
    ]
    assert [item.verb for item in cluster.journal.writes()] == ["patch", "create", "delete"]
    assert [item.verb for item in cluster.journal.writes(ok_only=True)] == ["patch", "create"]
    assert cluster.journal.requests[2].body == change(A="1")
    assert "aGlkZGVu" not in json.dumps(cluster.journal.to_dicts())


def test_failures(cluster: KubernetesAPI, api: Client) -> None:
    cluster.fail("patch", "daemonsets", status=503, message="later", count=2, after=1)
    codes = [api("PATCH", AGENT, change(A=str(number)), STRATEGIC).status for number in range(4)]
    assert codes == [200, 503, 503, 200]
    cluster.fail("get", "daemonsets.apps", name="aws-node", kind="reset")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        api.get(AGENT)
    cluster.fail("create", "configmaps", kind="lost_reply")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        api("POST", core("default", "configmaps"), config_map("lost"))
    assert cluster.objects.get("ConfigMap", "lost", "default")
    cluster.fail("list", "nodes", kind="latency", seconds=0.05)
    assert api.get("/api/v1/nodes").status == 200
    with pytest.raises(ValueError, match="not one of"):
        cluster.fail(kind="strange")


def control(cluster: KubernetesAPI, method: str, verb: str, data: Any = None) -> Any:
    request = urllib.request.Request(
        f"{cluster.url}/_emulator/{verb}", None if data is None else json.dumps(data).encode(), method=method
    )
    context = ssl.create_default_context(cadata=cluster.ca_pem)
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


def test_control_from_another_process(cluster: KubernetesAPI, api: Client) -> None:
    control(cluster, "POST", "failures", {"verb": "list", "status": 500})
    assert api.get("/api/v1/nodes").status == 500
    requests = control(cluster, "GET", "journal")["requests"]
    assert [(item["verb"], item["status"], item["write"]) for item in requests] == [("list", 500, False)]
    control(cluster, "DELETE", "journal")
    assert len(cluster.journal) == 0
    assert control(cluster, "GET", "kubeconfig")["clusters"][0]["cluster"]["server"] == cluster.url
    with pytest.raises(urllib.error.HTTPError, match="404"):
        control(cluster, "POST", "nothing")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        control(cluster, "POST", "failures", {"strange": 1})
    control(cluster, "POST", "reset")
    assert cluster.objects.names("Node") == []


def test_a_server_stops_and_starts_again() -> None:
    cluster = KubernetesAPI(service_cidr=RANGE).start()
    api = Client(cluster.url, cluster.ca_pem, cluster.admin_token)
    cluster.objects.create("ConfigMap", "kept")
    seen: list[Any] = []
    watcher = threading.Thread(target=lambda: seen.extend(api.watch("/api/v1/configmaps")))
    watcher.start()
    while not len(cluster.journal):
        pass
    url = cluster.url
    cluster.stop()
    watcher.join(5)
    assert not watcher.is_alive()
    with pytest.raises(ConnectionError):
        api.get("/version")
    with cluster:
        assert cluster.url == url
        assert api.get(f"{core('default', 'configmaps')}/kept").status == 200


def test_many_clients_at_once(cluster: KubernetesAPI, api: Client) -> None:
    """Eight threads add to one object, each by optimistic locking; nothing is lost."""
    path = f"{core('default', 'configmaps')}/shared"
    api.ok("POST", core("default", "configmaps"), config_map("shared"))

    def add(name: str) -> None:
        while True:
            item = api.get(path).data
            item.setdefault("data", {})[name] = "1"
            if api("PUT", path, item).status == 200:
                return

    threads = [threading.Thread(target=add, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(api.get(path).data["data"]) == 8
