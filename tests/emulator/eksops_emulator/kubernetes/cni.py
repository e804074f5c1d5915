# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VPC CNI as it is installed: its manifests by version, from the facts of amazon-vpc-cni-k8s's config/master.

`flavour` is ipv4 (what AWS publishes, and what IPv4 clusters run) or ipv6 (what EKS installs on IPv6 clusters).
"""

from __future__ import annotations

from typing import Any

from .store import Item

Version = tuple[int, int, int]
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
LABELS = {
    "app.kubernetes.io/name": "aws-node",
    "app.kubernetes.io/instance": "aws-vpc-cni",
    "k8s-app": "aws-node",
}
# The network policy agent that came with a CNI, and the versions that brought an environment variable or argument.
_AGENTS: tuple[tuple[Version, str], ...] = (
    ((1, 14, 0), "v1.0.1"),
    ((1, 15, 1), "v1.0.4"),
    ((1, 16, 0), "v1.0.7"),
    ((1, 18, 0), "v1.1.0"),
    ((1, 19, 0), "v1.1.5"),
    ((1, 19, 6), "v1.2.2"),
    ((1, 20, 0), "v1.2.3"),
    ((1, 21, 1), "v1.3.1"),
    ((1, 21, 2), "v1.3.5"),
    ((1, 22, 4), "v1.4.0"),
    ((1, 23, 0), "v1.4.1"),
)
_ENV: dict[str, str] = {
    "ADDITIONAL_ENI_TAGS": "{}",
    "AWS_VPC_CNI_NODE_PORT_SUPPORT": "true",
    "AWS_VPC_ENI_MTU": "9001",
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false",
    "AWS_VPC_K8S_CNI_EXTERNALSNAT": "false",
    "AWS_VPC_K8S_CNI_LOGLEVEL": "DEBUG",
    "AWS_VPC_K8S_CNI_LOG_FILE": "/host/var/log/aws-routed-eni/ipamd.log",
    "AWS_VPC_K8S_CNI_RANDOMIZESNAT": "prng",
    "AWS_VPC_K8S_CNI_VETHPREFIX": "eni",
    "AWS_VPC_K8S_PLUGIN_LOG_FILE": "/var/log/aws-routed-eni/plugin.log",
    "AWS_VPC_K8S_PLUGIN_LOG_LEVEL": "DEBUG",
    "DISABLE_INTROSPECTION": "false",
    "DISABLE_METRICS": "false",
    "DISABLE_NETWORK_RESOURCE_PROVISIONING": "false",
    "ENABLE_IPv4": "true",
    "ENABLE_IPv6": "false",
    "ENABLE_POD_ENI": "false",
    "ENABLE_PREFIX_DELEGATION": "false",
    "WARM_ENI_TARGET": "1",
    "WARM_PREFIX_TARGET": "1",
}
_LATER_ENV: tuple[tuple[Version, str, str], ...] = (
    ((1, 18, 0), "ENABLE_SUBNET_DISCOVERY", "true"),
    ((1, 18, 0), "NETWORK_POLICY_ENFORCING_MODE", "standard"),
    ((1, 19, 6), "ENABLE_IMDS_ONLY_MODE", "false"),
    ((1, 20, 0), "ENABLE_MULTI_NIC", "false"),
)
_AGENT_ARGS: tuple[tuple[Version, str], ...] = (
    ((1, 14, 0), "--enable-cloudwatch-logs=false"),
    ((1, 15, 1), "--enable-policy-event-logs=false"),
    ((1, 19, 0), "--log-file=/var/log/aws-routed-eni/network-policy-agent.log"),
    ((1, 15, 1), "--metrics-bind-addr=:8162"),
    ((1, 15, 1), "--health-probe-bind-addr=:8163"),
    ((1, 16, 0), "--conntrack-cache-cleanup-period=300"),
    ((1, 21, 2), "--conntrack-cache-table-size=524288"),
    ((1, 19, 6), "--log-level=debug"),
)
_HOST_PATHS: tuple[tuple[Version, str, str, str | None], ...] = (
    ((1, 14, 0), "bpf-pin-path", "/sys/fs/bpf", None),
    ((0, 0, 0), "cni-bin-dir", "/opt/cni/bin", None),
    ((0, 0, 0), "cni-net-dir", "/etc/cni/net.d", None),
    ((0, 0, 0), "log-dir", "/var/log/aws-routed-eni", "DirectoryOrCreate"),
    ((0, 0, 0), "run-dir", "/var/run/aws-node", "DirectoryOrCreate"),
    ((0, 0, 0), "xtables-lock", "/run/xtables.lock", None),
)


def parse(version: str) -> Version:
    """v1.19.0-eksbuild.1 as (1, 19, 0)."""
    major, minor, patch = version.removeprefix("v").split("-")[0].split(".")
    return int(major), int(minor), int(patch)


def aws_node(
    version: str,
    flavour: str = "ipv4",
    env: dict[str, str] | None = None,
    *,
    init_env: dict[str, str] | None = None,
    network_policy: bool = False,
    role_arn: str | None = None,
) -> list[Item]:
    """Everything that installing the CNI makes: service account, role, binding, ConfigMap, DaemonSet.

    Args:
        version: such as v1.19.0, or v1.19.0-eksbuild.1 as EKS names its builds.
        flavour: ipv4 or ipv6.
        env: more environment for the container aws-node, or other values.
        init_env: the same for aws-vpc-cni-init.
        network_policy: whether the node agent enforces network policies.
        role_arn: the IAM role of the service account (IRSA).
    """
    if flavour not in ("ipv4", "ipv6"):
        raise ValueError(f"flavour {flavour!r} is neither ipv4 nor ipv6")
    number = parse(version)
    labels = {**LABELS, "app.kubernetes.io/version": version}
    metadata = {"name": "aws-node", "namespace": "kube-system", "labels": labels}
    plain = {"name": "aws-node", "labels": labels}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "aws-node"}
    subject = {"kind": "ServiceAccount", "name": "aws-node", "namespace": "kube-system"}
    account = {**metadata, "annotations": {ROLE_ANNOTATION: role_arn}} if role_arn else metadata
    items: list[Item] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        _rbac("ClusterRole", plain, rules=_rules()),
        _rbac("ClusterRoleBinding", plain, roleRef=reference, subjects=[subject]),
    ]
    if number >= (1, 14, 0):
        data = {"enable-windows-ipam": "false", "enable-network-policy-controller": "false"}
        named = {**metadata, "name": "amazon-vpc-cni"}
        items.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": data})
    pod = _pod(version, flavour == "ipv6", env or {}, init_env or {}, network_policy)
    spec: Item = {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
        "selector": {"matchLabels": {"k8s-app": "aws-node"}},
        "template": {"metadata": {"labels": dict(LABELS)}, "spec": pod},
    }
    return [*items, {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}]


def _rbac(kind: str, metadata: Item, **more: Any) -> Item:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, **more}


def _rules() -> list[Item]:
    read = ["list", "watch", "get"]
    return [
        {"apiGroups": ["crd.k8s.amazonaws.com"], "resources": ["eniconfigs"], "verbs": read},
        {"apiGroups": [""], "resources": ["namespaces", "pods", "nodes"], "verbs": read},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "list"]},
        {"apiGroups": ["networking.k8s.aws"], "resources": ["policyendpoints"], "verbs": read},
        {"apiGroups": ["networking.k8s.aws"], "resources": ["policyendpoints/status"], "verbs": ["get"]},
        {"apiGroups": ["vpcresources.k8s.aws"], "resources": ["cninodes"], "verbs": [*read, "patch"]},
    ]


def _pod(version: str, ipv6: bool, env: dict[str, str], init_env: dict[str, str], network_policy: bool) -> Item:
    number = parse(version)
    containers = [_cni(version, number, ipv6, env)]
    if number >= (1, 14, 0):
        containers.append(_agent(number, ipv6, network_policy))
    volumes = []
    for since, name, path, usual in _HOST_PATHS:
        if number >= since:
            kind = "FileOrCreate" if name == "xtables-lock" and number >= (1, 19, 0) else usual
            volumes.append({"name": name, "hostPath": {"path": path, **({"type": kind} if kind else {})}})
    compute = ["fargate", "hybrid", "auto"] if number >= (1, 19, 0) else ["fargate"]
    expressions = [
        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
        {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": compute},
    ]
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {
        "priorityClassName": "system-node-critical",
        "serviceAccountName": "aws-node",
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 10,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
        "initContainers": [_init(version, number, ipv6, init_env)],
        "containers": containers,
        "volumes": volumes,
    }


def _image(name: str, version: str) -> str:
    return f"602401143452.dkr.ecr.eu-west-1.amazonaws.com/{name}:{version}"


def _variables(values: dict[str, str]) -> list[Item]:
    return [{"name": name, "value": values[name]} for name in sorted(values)]


def _field(name: str, path: str) -> Item:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def _mounts(**paths: str) -> list[Item]:
    return [{"name": name.replace("_", "-"), "mountPath": path} for name, path in paths.items()]


def _init(version: str, number: Version, ipv6: bool, env: dict[str, str]) -> Item:
    values = {"DISABLE_TCP_EARLY_DEMUX": "false", "ENABLE_IPv6": str(ipv6).lower()}
    container: Item = {
        "name": "aws-vpc-cni-init",
        "image": _image("amazon-k8s-cni-init", version),
        "imagePullPolicy": "IfNotPresent",
        "env": _variables({**values, **env}),
        "securityContext": {"privileged": True},
        "volumeMounts": _mounts(cni_bin_dir="/host/opt/cni/bin"),
    }
    return container | ({"resources": {"requests": {"cpu": "25m"}}} if number >= (1, 13, 0) else {})


def _cni(version: str, number: Version, ipv6: bool, env: dict[str, str]) -> Item:
    values = dict(_ENV)
    values |= {name: value for since, name, value in _LATER_ENV if number >= since}
    if number < (1, 13, 0):
        values["AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER"] = "false"
    if number >= (1, 15, 1):
        values["VPC_CNI_VERSION"] = version.split("-")[0]
    if ipv6:
        values |= {"ENABLE_IPv4": "false", "ENABLE_IPv6": "true", "ENABLE_PREFIX_DELEGATION": "true"}
    variables = [*_variables({**values, **env}), _field("MY_NODE_NAME", "spec.nodeName")]
    if number >= (1, 13, 0):
        variables.append(_field("MY_POD_NAME", "metadata.name"))
    socket = "unix:///var/run/aws-node/ipamd.sock" if number >= (1, 23, 0) else ":50051"
    command = ["/app/grpc-health-probe", f"-addr={socket}", "-connect-timeout=5s", "-rpc-timeout=5s"]
    capabilities = ["NET_ADMIN", "NET_RAW"] if number >= (1, 12, 0) else ["NET_ADMIN"]
    return {
        "name": "aws-node",
        "image": _image("amazon-k8s-cni", version),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 61678, "name": "metrics"}],
        "livenessProbe": {"exec": {"command": command}, "initialDelaySeconds": 60, "timeoutSeconds": 10},
        "readinessProbe": {"exec": {"command": command}, "initialDelaySeconds": 1, "timeoutSeconds": 10},
        "env": variables,
        "resources": {"requests": {"cpu": "25m" if number >= (1, 12, 0) else "10m"}},
        "securityContext": {"capabilities": {"add": capabilities}},
        "volumeMounts": _mounts(
            cni_bin_dir="/host/opt/cni/bin",
            cni_net_dir="/host/etc/cni/net.d",
            log_dir="/host/var/log/aws-routed-eni",
            run_dir="/var/run/aws-node",
            xtables_lock="/run/xtables.lock",
        ),
    }


def _agent(number: Version, ipv6: bool, network_policy: bool) -> Item:
    own = [f"--enable-ipv6={str(ipv6).lower()}", f"--enable-network-policy={str(network_policy).lower()}"]
    version = [agent for since, agent in _AGENTS if number >= since][-1]
    container: Item = {
        "name": "aws-eks-nodeagent",
        "image": _image("amazon/aws-network-policy-agent", version),
        "imagePullPolicy": "IfNotPresent",
        "env": [_field("MY_NODE_NAME", "spec.nodeName")],
        "args": [*own, *(arg for since, arg in _AGENT_ARGS if number >= since)],
        "resources": {"requests": {"cpu": "25m"}},
        "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}, "privileged": True},
        "volumeMounts": _mounts(
            cni_bin_dir="/host/opt/cni/bin",
            bpf_pin_path="/sys/fs/bpf",
            log_dir="/var/log/aws-routed-eni",
            run_dir="/var/run/aws-node",
        ),
    }
    if number >= (1, 19, 6):
        container["ports"] = [{"containerPort": 8162, "name": "agentmetrics"}]
    return container
