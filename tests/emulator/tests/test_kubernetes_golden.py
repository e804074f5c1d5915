# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as they come back from a real API server: defaults filled in, empties left out, quantities put in form.

kubernetes_golden.json is what kube-apiserver answered; `make test-kubernetes` compares it with a real server again, and
writes it anew when KUBE_UPDATE_GOLDEN is set.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eksops_emulator.kubernetes import KubernetesAPI, cni, manifests
from eksops_emulator.kubernetes.client import Client
from eksops_emulator.kubernetes.kinds import BUILTIN
from eksops_emulator.kubernetes.samples import daemon_set

GOLDEN = Path(__file__).with_name("kubernetes_golden.json")
RANGE = "fd12:3456:789a::/108"
REAL = os.environ.get("KUBE_APISERVER")
# What Kubernetes has gained since the real server's 1.20, and what is different for each server or object.
NEWER = {
    "allocateLoadBalancerNodePorts",
    "availableReplicas",
    "internalTrafficPolicy",
    "kubernetes.io/metadata.name",
    "maxSurge",
    "persistentVolumeClaimRetentionPolicy",
    "seLinuxMount",
    "storageCapacity",
    "fsGroupPolicy",
    "requiresRepublish",
}
OWN = {
    "clusterIP",
    "clusterIPs",
    "creationTimestamp",
    "managedFields",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
}


def _pod_of_everything() -> dict[str, Any]:
    probe = {"httpGet": {"port": 8080}, "initialDelaySeconds": 0}
    container = {
        "name": "main",
        "image": "registry.example.com:5000/app",
        "command": [],
        "env": [
            {"name": "EMPTY", "value": ""},
            {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}},
        ],
        "resources": {
            "requests": {"cpu": 0.5, "memory": "1024Mi"},
            "limits": {"cpu": "2000m", "ephemeral-storage": "1.5G"},
        },
        "readinessProbe": probe,
        "livenessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 3},
        "ports": [{"containerPort": 8080, "name": "web"}],
        "securityContext": {"privileged": False, "runAsUser": 0, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "config", "mountPath": "/config", "readOnly": False, "subPath": ""}],
        "stdin": False,
    }
    token = {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}
    return {
        "hostNetwork": True,
        "hostPID": False,
        "serviceAccountName": "robot",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "nodeSelector": {},
        "priority": None,
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}],
        "topologySpreadConstraints": [],
        "initContainers": [{"name": "init", "image": "example.com/init@sha256:" + "0" * 64}],
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": "c"}},
            {"name": "secret", "secret": {"secretName": "s", "optional": True}},
            {"name": "empty"},
            {"name": "host", "hostPath": {"path": "/x"}},
            {"name": "projected", "projected": {"sources": [token]}},
        ],
    }


def _samples() -> dict[str, dict[str, Any]]:
    everything = daemon_set("everything")
    everything["spec"]["template"]["spec"] = _pod_of_everything()
    everything["metadata"]["annotations"] = {"empty": ""}
    deployment = {**daemon_set("deployed"), "kind": "Deployment"}
    deployment["spec"] = {**deployment["spec"], "minReadySeconds": 0, "paused": False}
    stateful = {**daemon_set("stateful"), "kind": "StatefulSet"}
    stateful["spec"] = {**stateful["spec"], "serviceName": "x", "replicas": 0}
    samples = [
        everything,
        deployment,
        stateful,
        *(item for item in cni.aws_node("v1.10.1") if item["kind"] == "DaemonSet"),
        *(item for item in cni.aws_node("v1.19.0-eksbuild.1", "ipv6", {"A": "1"}) if item["kind"] != "ConfigMap"),
        *(item for item in cni.aws_node("v1.23.0", "ipv6") if item["kind"] == "DaemonSet"),
        *manifests.coredns("fd12:3456:789a::a"),
        *manifests.kube_proxy(),
        *_networking(),
        *_storage(),
        _webhook(),
        {"kind": "Namespace", "metadata": {"name": "spare"}},
        {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "YQ=="}, "immutable": False},
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}, "binaryData": {"b": "YQ=="}},
    ]
    return {f"{number:02} {item['kind']} {item['metadata']['name']}": item for number, item in enumerate(samples)}


def _networking() -> Iterator[dict[str, Any]]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"host": "example.com", "http": {"paths": [path]}}
    spec = {"ingressClassName": "alb", "rules": [rule], "tls": []}
    yield {"kind": "Ingress", "metadata": {"name": "web", "annotations": {"a": "b"}}, "spec": spec}
    peers = [{"ipBlock": {"cidr": "::/0", "except": []}}, {"podSelector": {}}]
    egress = [{"to": peers, "ports": [{"port": 53}]}]
    yield {"kind": "NetworkPolicy", "metadata": {"name": "egress"}, "spec": {"podSelector": {}, "egress": egress}}
    yield {"kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": {"podSelector": {"matchLabels": {"a": "b"}}}}
    yield {"kind": "IngressClass", "metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}
    port = {"name": "web", "port": 80, "targetPort": "web"}
    balancer = {"type": "LoadBalancer", "ports": [{**port, "nodePort": 31313}], "selector": {"a": "b"}}
    yield {"kind": "Service", "metadata": {"name": "balancer"}, "spec": balancer}
    yield {
        "kind": "Service",
        "metadata": {"name": "named"},
        "spec": {"type": "ExternalName", "externalName": "example.com"},
    }


def _storage() -> Iterator[dict[str, Any]]:
    yield {
        "kind": "StorageClass",
        "metadata": {"name": "gp3"},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3"},
    }
    yield {"kind": "CSIDriver", "metadata": {"name": "fsx.csi.aws.com"}, "spec": {"attachRequired": False}}
    yield {"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000, "globalDefault": False}


def _webhook() -> dict[str, Any]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    config = {"service": {"name": "hook", "namespace": "kube-system"}}
    hook = {"name": "pods.example.com", "clientConfig": config, "rules": [rule], "sideEffects": "None"}
    return {
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [{**hook, "admissionReviewVersions": ["v1"]}],
    }


SAMPLES = _samples()


def comparable(value: Any) -> Any:
    """An answer without what is newer, or another's each time."""
    if isinstance(value, dict):
        kept = {key: comparable(item) for key, item in sorted(value.items()) if key not in NEWER | OWN}
        # Namespaces had no label of their own then.
        return {key: item for key, item in kept.items() if (key, item) != ("labels", {})}
    return [comparable(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", params=["fake", *(["real"] if REAL else [])])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "real":
        folder = Path(REAL or "")
        yield Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
        return
    with KubernetesAPI(service_cidr=RANGE) as cluster:
        yield Client(cluster.url, cluster.ca_pem, cluster.admin_token)


def ask(api: Client, item: dict[str, Any], namespace: str) -> Any:
    """What creating an object is answered: in a dry run, so that nothing has to be unique."""
    kind = next(held for held in BUILTIN if held.kind == item["kind"])
    prefix = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    path = f"{prefix}/namespaces/{namespace}/{kind.plural}" if kind.namespaced else f"{prefix}/{kind.plural}"
    metadata = {key: value for key, value in item["metadata"].items() if key != "namespace"}
    if not kind.namespaced:
        metadata["name"] = f"{uuid.uuid4().hex[:6]}-{metadata['name']}"
    body = {**item, "apiVersion": kind.api_version, "metadata": metadata}
    body.pop("status", None)
    if kind.kind == "Service":
        body["spec"] = {key: value for key, value in body["spec"].items() if key != "clusterIP"}
    answer = api.ok("POST", path, body, dryRun="All")
    answer["metadata"]["name"] = item["metadata"]["name"]
    return comparable(answer)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_objects_come_back_as_from_a_real_server(api: Client, request: pytest.FixtureRequest, name: str) -> None:
    answer = ask(api, SAMPLES[name], "default")
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("KUBE_UPDATE_GOLDEN") and request.node.callspec.params["api"] == "real":
        golden[name] = answer
        GOLDEN.write_text(json.dumps({key: golden[key] for key in SAMPLES if key in golden}, indent=1) + "\n")
    assert answer == golden[name]
