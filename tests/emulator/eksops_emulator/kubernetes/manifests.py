# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster holds beside the CNI: nodes, kube-proxy, CoreDNS, and the definitions of AWS's custom resources."""

from __future__ import annotations

from typing import Any

from .registry import now
from .store import Item

_REGISTRY = "602401143452.dkr.ecr.eu-west-1.amazonaws.com"
# group, version, kind, plural, namespaced, schema of spec (None: anything)
_STRINGS = {"type": "array", "items": {"type": "string"}}
_LABEL_SELECTOR = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_ENI_CONFIG = {
    "type": "object",
    "properties": {"subnet": {"type": "string"}, "securityGroups": _STRINGS},
    "required": ["subnet"],
}
_POLICY = {
    "type": "object",
    "properties": {
        "podSelector": _LABEL_SELECTOR,
        "serviceAccountSelector": _LABEL_SELECTOR,
        "securityGroups": {
            "type": "object",
            "properties": {"groupIds": {**_STRINGS, "minItems": 1, "maxItems": 5}},
        },
    },
}
_BINDING = {
    "type": "object",
    "properties": {
        "ipAddressType": {"type": "string", "enum": ["ipv4", "ipv6"]},
        "targetGroupARN": {"type": "string"},
        "targetGroupName": {"type": "string"},
        "targetType": {"type": "string", "enum": ["instance", "ip", "alb"]},
        "vpcID": {"type": "string"},
        "serviceRef": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
            },
            "required": ["name", "port"],
        },
        "networking": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "nodeSelector": _LABEL_SELECTOR,
    },
    "required": ["serviceRef"],
}
Definition = tuple[str, str, str, str, bool, Item | None]
_CNI: tuple[Definition, ...] = (
    ("crd.k8s.amazonaws.com", "v1alpha1", "ENIConfig", "eniconfigs", False, _ENI_CONFIG),
    ("vpcresources.k8s.aws", "v1alpha1", "CNINode", "cninodes", False, None),
    ("vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy", "securitygrouppolicies", True, _POLICY),
    ("networking.k8s.aws", "v1alpha1", "PolicyEndpoint", "policyendpoints", True, None),
)
_LOAD_BALANCER: tuple[Definition, ...] = (
    ("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings", True, _BINDING),
    ("elbv2.k8s.aws", "v1beta1", "IngressClassParams", "ingressclassparams", False, None),
)
_KARPENTER: tuple[Definition, ...] = (
    ("karpenter.sh", "v1", "NodePool", "nodepools", False, None),
    ("karpenter.sh", "v1", "NodeClaim", "nodeclaims", False, None),
    ("karpenter.k8s.aws", "v1", "EC2NodeClass", "ec2nodeclasses", False, None),
)


def definition(group: str, version: str, kind: str, plural: str, namespaced: bool, spec: Item | None = None) -> Item:
    """A CustomResourceDefinition with one version and a status subresource; without `spec`, any spec is taken."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": spec or anything, "status": anything}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    served = {"name": version, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def cni_definitions() -> list[Item]:
    """The definitions that every EKS cluster has: ENIConfig, CNINode, SecurityGroupPolicy, PolicyEndpoint."""
    return [definition(*facts) for facts in _CNI]


def load_balancer_definitions() -> list[Item]:
    """The AWS Load Balancer Controller's definitions."""
    return [definition(*facts) for facts in _LOAD_BALANCER]


def karpenter_definitions() -> list[Item]:
    """Karpenter's definitions."""
    return [definition(*facts) for facts in _KARPENTER]


def api_service(address: str) -> list[Item]:
    """The service `kubernetes`."""
    metadata = {"name": "kubernetes", "namespace": "default"}
    metadata["labels"] = {"component": "apiserver", "provider": "kubernetes"}  # type: ignore[assignment]
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": address, "ports": ports}}
    ]


def priority_classes() -> list[Item]:
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": "Used for system critical pods.",
        }
        for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000))
    ]


def node(
    name: str,
    ipv6: str | None,
    ipv4: str,
    *,
    labels: dict[str, str] | None = None,
    taints: list[Item] | None = None,
    ready: bool = True,
    kubelet: str = "v1.33.1-eks-0000000",
    arch: str = "amd64",
    instance: str = "i-0123456789abcdef0",
    zone: str = "eu-west-1a",
) -> Item:
    """A Node. Its one InternalIP is the IPv6 address, or the IPv4 address where there is none (IPv4 clusters)."""
    addresses = [{"type": "InternalIP", "address": ipv6 or ipv4}]
    addresses += [{"type": kind, "address": name} for kind in ("InternalDNS", "Hostname")]
    known = {"kubernetes.io/os": "linux", "kubernetes.io/arch": arch, "kubernetes.io/hostname": name}
    known |= {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone[:-1]}
    reason = "KubeletReady" if ready else "KubeletNotReady"
    message = (
        "kubelet is posting ready status"
        if ready
        else "container runtime network not ready: cni plugin not initialized"
    )
    condition = {"type": "Ready", "status": str(ready), "reason": reason, "message": message}
    amounts = {"cpu": "2", "memory": "7935Mi", "pods": "110"}
    spec: Item = {"providerID": f"aws:///{zone}/{instance}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**known, **(labels or {})}},
        "spec": {**spec, **({"taints": taints} if taints else {})},
        "status": {
            "addresses": addresses,
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{**condition, "lastTransitionTime": now(), "lastHeartbeatTime": now()}],
            "nodeInfo": {
                "architecture": arch,
                "bootID": "",
                "containerRuntimeVersion": "containerd://2.0.5",
                "kernelVersion": "6.12.0",
                "kubeletVersion": kubelet,
                "kubeProxyVersion": kubelet,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "Amazon Linux 2023",
                "systemUUID": "",
            },
        },
    }


def kube_proxy(version: str = "v1.33.0-eksbuild.2") -> list[Item]:
    """kube-proxy as EKS installs it."""
    labels = {"k8s-app": "kube-proxy"}
    container: Item = {
        "name": "kube-proxy",
        "image": f"{_REGISTRY}/eks/kube-proxy:{version}",
        "command": ["kube-proxy", "--v=2", "--config=/var/lib/kube-proxy-config/config"],
        "securityContext": {"privileged": True},
        "resources": {"requests": {"cpu": "100m"}},
    }
    pod = {
        "serviceAccountName": "kube-proxy",
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named("kube-proxy", labels)},
        _workload("DaemonSet", "kube-proxy", labels, pod),
    ]


def coredns(dns_address: str, version: str = "v1.12.1-eksbuild.2", replicas: int = 2) -> list[Item]:
    """CoreDNS as EKS installs it, with the service kube-dns at `dns_address`."""
    labels = {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"}
    container: Item = {
        "name": "coredns",
        "image": f"{_REGISTRY}/eks/coredns:{version}",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
    }
    pod = {"serviceAccountName": "coredns", "priorityClassName": "system-cluster-critical", "dnsPolicy": "Default"}
    deployment = _workload("Deployment", "coredns", labels, {**pod, "containers": [container]})
    deployment["spec"]["replicas"] = replicas
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    service = _named("kube-dns", {**labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"})
    spec = {"clusterIP": dns_address, "selector": {"k8s-app": "kube-dns"}, "ports": ports}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named("coredns", labels)},
        {"apiVersion": "v1", "kind": "Service", "metadata": service, "spec": spec},
        deployment,
    ]


def pod_identity_agent(version: str = "v1.3.7-eksbuild.2") -> list[Item]:
    """The EKS Pod Identity agent, which listens on link-local addresses of both families."""
    labels = {"app.kubernetes.io/name": "eks-pod-identity-agent"}
    container: Item = {
        "name": "eks-pod-identity-agent",
        "image": f"{_REGISTRY}/eks/eks-pod-identity-agent:{version}",
        "args": ["--port", "80", "--probe-port", "2703"],
        "ports": [
            {"name": "proxy", "containerPort": 80, "protocol": "TCP"},
            {"name": "probes-port", "containerPort": 2703, "protocol": "TCP"},
        ],
        "securityContext": {"capabilities": {"add": ["CAP_NET_BIND_SERVICE"]}},
    }
    pod = {
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    return [_workload("DaemonSet", "eks-pod-identity-agent", labels, pod)]


def load_balancer_controller(version: str = "v2.13.2") -> list[Item]:
    """The AWS Load Balancer Controller's Deployment, service account and ingress class."""
    labels = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    name = "aws-load-balancer-controller"
    container = {"name": name, "image": f"public.ecr.aws/eks/aws-load-balancer-controller:{version}"}
    ingress_class: Item = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"}}
    return [
        *load_balancer_definitions(),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(name, labels)},
        {**ingress_class, "spec": {"controller": "ingress.k8s.aws/alb"}},
        _workload("Deployment", name, labels, {"serviceAccountName": name, "containers": [container]}),
    ]


def _named(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "namespace": "kube-system", "labels": labels}


def _workload(kind: str, name: str, labels: dict[str, str], pod: Item) -> Item:
    template = {"metadata": {"labels": dict(labels)}, "spec": pod}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": _named(name, labels), "spec": spec}
