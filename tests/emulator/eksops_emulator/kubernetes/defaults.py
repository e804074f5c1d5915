# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The defaults that the API server fills in, by type (Kubernetes' API reference; checked against a real server)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from .kinds import Kind
from .schema import ANY, Type

_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODE = {"defaultMode": 0o644}

STATIC: dict[str, dict[str, Any]] = {
    "Container": {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    },
    "ContainerPort": {"protocol": "TCP"},
    "Probe": _PROBE,
    "HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "GRPCAction": {"service": ""},
    "ObjectFieldSelector": {"apiVersion": "v1"},
    "HostPathVolumeSource": {"type": ""},
    "ConfigMapVolumeSource": _MODE,
    "SecretVolumeSource": _MODE,
    "DownwardAPIVolumeSource": _MODE,
    "ProjectedVolumeSource": _MODE,
    "ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "PodSpec": {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    },
    "DaemonSetSpec": {"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate"}},
    "RollingUpdateDaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    "DeploymentSpec": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate"},
    },
    "RollingUpdateDeployment": {"maxUnavailable": "25%", "maxSurge": "25%"},
    "ReplicaSetSpec": {"replicas": 1},
    "StatefulSetSpec": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    "RollingUpdateStatefulSetStrategy": {"partition": 0},
    "ServiceSpec": {"type": "ClusterIP", "sessionAffinity": "None"},
    "ServicePort": {"protocol": "TCP"},
    "Secret": {"type": "Opaque"},
    "StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "requiresRepublish": False,
        "seLinuxMount": False,
        "volumeLifecycleModes": ["Persistent"],
    },
    "NetworkPolicyPort": {"protocol": "TCP"},
    "IngressClassParametersReference": {"scope": "Cluster"},
    "NamespaceSpec": {"finalizers": ["kubernetes"]},
    "NamespaceStatus": {"phase": "Active"},
    "NodeStatus": {},
    "EndpointPort": {"protocol": "TCP"},
    "PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "RuleWithOperations": {"scope": "*"},
    "ServiceReference": {"port": 443},
    "apiextensions.CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
    **{
        webhook: {
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "timeoutSeconds": 10,
        }
        for webhook in ("MutatingWebhook", "ValidatingWebhook")
    },
}
STATIC["MutatingWebhook"]["reinvocationPolicy"] = "Never"
# The empty status that a fresh object of these kinds already shows.
STATUSES: dict[str, dict[str, Any]] = {
    "DaemonSet": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "Deployment": {},
    "ReplicaSet": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "Namespace": {"phase": "Active"},
    "Pod": {"phase": "Pending", "qosClass": "BestEffort"},
    "PodDisruptionBudget": {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}


def _container(value: dict[str, Any]) -> None:
    tag = value.get("image", "").rsplit("/", 1)[-1].partition(":")[2]
    if "image" in value and "@" not in value["image"]:
        value.setdefault("imagePullPolicy", "Always" if tag in ("", "latest") else "IfNotPresent")
    elif "image" in value:
        value.setdefault("imagePullPolicy", "IfNotPresent")


def _pod_spec(value: dict[str, Any]) -> None:
    for first, second in (("serviceAccount", "serviceAccountName"), ("serviceAccountName", "serviceAccount")):
        if value.get(first):
            value.setdefault(second, value[first])
    if value.get("hostNetwork"):
        for container in [*value.get("containers", []), *value.get("initContainers", [])]:
            for port in container.get("ports", []):
                port.setdefault("hostPort", port.get("containerPort"))


def _rolling(name: str) -> Callable[[dict[str, Any]], None]:
    def fill(value: dict[str, Any]) -> None:
        strategy = value[name]
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {})

    return fill


def _volume(value: dict[str, Any]) -> None:
    if set(value) <= {"name"}:
        value["emptyDir"] = {}


def _service_port(value: dict[str, Any]) -> None:
    value.setdefault("targetPort", value.get("port"))


def _network_policy(value: dict[str, Any]) -> None:
    value.setdefault("podSelector", {})
    value.setdefault("policyTypes", ["Ingress", "Egress"] if value.get("egress") else ["Ingress"])


def _subject(value: dict[str, Any]) -> None:
    if value.get("kind") in ("User", "Group"):
        value.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _role_ref(value: dict[str, Any]) -> None:
    value.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _crd_names(value: dict[str, Any]) -> None:
    if "kind" in value:
        value.setdefault("listKind", f"{value['kind']}List")
        value.setdefault("singular", value["kind"].lower())


COMPUTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "Container": _container,
    "PodSpec": _pod_spec,
    "DaemonSetSpec": _rolling("updateStrategy"),
    "DeploymentSpec": _rolling("strategy"),
    "StatefulSetSpec": _rolling("updateStrategy"),
    "Volume": _volume,
    "ServicePort": _service_port,
    "NetworkPolicySpec": _network_policy,
    "Subject": _subject,
    "RoleRef": _role_ref,
    "apiextensions.CustomResourceDefinitionNames": _crd_names,
}


def _pod(item: dict[str, Any]) -> None:
    # Requests follow limits in a Pod, not in a template.
    for container in [*item.get("spec", {}).get("containers", []), *item.get("spec", {}).get("initContainers", [])]:
        resources = container["resources"]
        for name, limit in resources.get("limits", {}).items():
            resources.setdefault("requests", {}).setdefault(name, limit)


def fill(kind: Kind, item: dict[str, Any]) -> None:
    """Fills the defaults into a decoded object."""
    _fill(kind.type, item)
    if kind.kind == "Pod" and not kind.custom:
        _pod(item)
    if not kind.custom and kind.kind in STATUSES:
        item["status"] = {**deepcopy(STATUSES[kind.kind]), **item.get("status", {})}
    if kind.kind == "Namespace":
        item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = item["metadata"].get("name")


def _fill(kind: Type, value: Any) -> None:
    if kind.kind == "list" and isinstance(value, list):
        for item in value:
            _fill(kind.item, item)
    elif kind.kind == "map" and isinstance(value, dict):
        for item in value.values():
            _fill(kind.child("") or ANY, item)
    elif kind.kind == "struct" and isinstance(value, dict):
        for name, default in STATIC.get(kind.name, {}).items():
            value.setdefault(name, deepcopy(default))
        if kind.name in COMPUTED:
            COMPUTED[kind.name](value)
        for name, node in kind.fields.items():
            if name not in value and isinstance(node, Type) and "default" in node.rules:
                value[name] = deepcopy(node.rules["default"])
        for name, item in value.items():
            _fill(kind.child(name) or ANY, item)
