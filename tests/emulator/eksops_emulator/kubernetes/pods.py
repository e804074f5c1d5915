# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods and nodes as the controllers and kubelets of a cluster make them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from .registry import now
from .store import Item

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
# The tolerations that the DaemonSet controller adds to every pod of its own.
_DAEMON_TOLERATIONS = [
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
]
_DAEMON_HOST_TOLERATION = {
    "key": "node.kubernetes.io/network-unavailable",
    "operator": "Exists",
    "effect": "NoSchedule",
}


@dataclass(frozen=True)
class Crash:
    """A container that doesn't stay up: which one, what it last said, and the events it caused (reason, message)."""

    container: str
    log: str
    reason: str = "CrashLoopBackOff"
    exit_code: int = 1
    events: tuple[tuple[str, str], ...] = field(default_factory=tuple)


# Looks at a pod and its node and says whether it crashes there.
Rule = Callable[[Item, Item], Crash | None]


def suffix(text: str, length: int = 5) -> str:
    """Letters as Kubernetes appends them to names, always the same for the same text."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(length))


def template_hash(template: Item) -> str:
    """The label that tells pods of one template from pods of another."""
    return suffix(json.dumps(template, sort_keys=True), 10)


def share(amount: Any, total: int, up: bool) -> int:
    """An int-or-percent such as maxUnavailable as a number of `total`."""
    if isinstance(amount, str):
        exact = int(amount.rstrip("%")) * total / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(amount)


# --- scheduling --------------------------------------------------------------------------------------------------


def eligible(spec: Item, node: Item, daemon: bool = False) -> bool:
    """True when a pod with this spec may run on a node: selector, affinity, taints."""
    labels = node["metadata"].get("labels", {})
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    affinity = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if affinity and not any(_term(term, node) for term in affinity.get("nodeSelectorTerms", [])):
        return False
    tolerations = list(spec.get("tolerations", []))
    if daemon:
        tolerations += [*_DAEMON_TOLERATIONS, _DAEMON_HOST_TOLERATION]
    taints = list(node["spec"].get("taints", []))
    if node["spec"].get("unschedulable"):
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    return all(
        taint["effect"] == "PreferNoSchedule" or any(_tolerates(toleration, taint) for toleration in tolerations)
        for taint in taints
    )


def _term(term: Item, node: Item) -> bool:
    labels, fields = node["metadata"].get("labels", {}), {"metadata.name": node["metadata"]["name"]}
    tests = [(test, labels) for test in term.get("matchExpressions", [])]
    tests += [(test, fields) for test in term.get("matchFields", [])]
    return bool(tests) and all(_expression(test, held) for test, held in tests)


def _expression(test: Item, held: dict[str, str]) -> bool:
    value, values = held.get(test["key"]), test.get("values", [])
    operator = test["operator"]
    if operator in ("Gt", "Lt"):
        if value is None or not value.isdigit():
            return False
        return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])
    results = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
    return results.get(operator, value is None)


def _tolerates(toleration: Item, taint: Item) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


# --- pods --------------------------------------------------------------------------------------------------------


def address(node: Item, family: str, taken: Iterable[str], host: bool) -> str:
    """A pod's address: the node's own, or a free one of the node's IPv6 /80 prefix (of its /24 in IPv4)."""
    version = 6 if family == "IPv6" else 4
    own = [item["address"] for item in node.get("status", {}).get("addresses", []) if item["type"] == "InternalIP"]
    own = [item for item in own if ip_address(item).version == version]
    if not own:
        return ""
    if host:
        return str(own[0])
    length = 80 if version == 6 else 24
    first = ip_network(f"{own[0]}/{length}", strict=False)
    if version == 6:
        # A prefix of the node's own, in the /64 of its subnet.
        spread = int.from_bytes(hashlib.sha256(node["metadata"]["name"].encode()).digest()[:2], "big") | 1
        first = ip_network((int(ip_network(f"{own[0]}/64", strict=False).network_address) | (spread << 48), 80))
    used = {*taken, *own}
    return next(text for offset in range(2, 1024) if (text := str(first[offset])) not in used)


def new_pod(owner: Item, owner_kind: str, node: Item | None, labels: dict[str, str], daemon: bool) -> Item:
    """A pod from a workload's template, bound to a node if there is one."""
    template = deepcopy(owner["spec"]["template"])
    namespace, name = owner["metadata"]["namespace"], owner["metadata"]["name"]
    spec = template["spec"]
    if daemon:
        spec.setdefault("tolerations", []).extend(deepcopy(_DAEMON_TOLERATIONS))
        if spec.get("hostNetwork"):
            spec["tolerations"].append(dict(_DAEMON_HOST_TOLERATION))
    if node is not None:
        spec["nodeName"] = node["metadata"]["name"]
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    metadata: Item = {"name": f"{name}-{suffix(uuid4().hex)}", "generateName": f"{name}-", "namespace": namespace}
    metadata["labels"] = {**template.get("metadata", {}).get("labels", {}), **labels}
    if template.get("metadata", {}).get("annotations"):
        metadata["annotations"] = template["metadata"]["annotations"]
    metadata["uid"], metadata["creationTimestamp"] = str(uuid4()), now()
    reference = {"apiVersion": "apps/v1", "kind": owner_kind, "name": name, "uid": owner["metadata"]["uid"]}
    metadata["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}


def running(pod: Item, node: Item | None, podip: str, crash: Crash | None) -> Item:
    """The status that a kubelet gives a pod."""
    if node is None:
        why = {"reason": "Unschedulable", "message": "0/0 nodes are available"}
        return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", **why}]}
    restarts = _restarts(pod)
    ready = crash is None
    time = pod.get("status", {}).get("startTime") or now()
    hosts = [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]
    host = next((item for item in hosts if podip and ip_address(item).version == ip_address(podip).version), hosts[0])
    conditions = [
        {"type": name, "status": "True" if state else "False", "lastTransitionTime": time}
        for name, state in (
            ("Initialized", crash is None or not _in(pod, "initContainers", crash)),
            ("Ready", ready),
            ("ContainersReady", ready),
            ("PodScheduled", True),
        )
    ]
    status: Item = {"phase": "Running", "conditions": conditions, "hostIP": host, "hostIPs": [{"ip": host}]}
    status["startTime"] = time
    if podip:
        status |= {"podIP": podip, "podIPs": [{"ip": podip}]}
    for group, key in (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")):
        if pod["spec"].get(group):
            status[key] = [
                _container(item, crash, restarts, time, group == "initContainers") for item in pod["spec"][group]
            ]
    if crash is not None and _in(pod, "initContainers", crash):
        status["phase"] = "Pending"
    status["qosClass"] = "Burstable"
    return status


def _restarts(pod: Item) -> int:
    held = pod.get("status", {})
    statuses = [*held.get("containerStatuses", []), *held.get("initContainerStatuses", [])]
    return max((item.get("restartCount", 0) for item in statuses), default=0)


def _in(pod: Item, group: str, crash: Crash) -> bool:
    return any(item["name"] == crash.container for item in pod["spec"].get(group, []))


def _container(spec: Item, crash: Crash | None, restarts: int, time: str, initial: bool) -> Item:
    status: Item = {"name": spec["name"], "image": spec["image"], "imageID": "", "restartCount": 0}
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": time, "finishedAt": time}
    if crash is None or crash.container != spec["name"]:
        state = {"terminated": ended} if initial else {"running": {"startedAt": time}}
        return {**status, "ready": True, "started": not initial, "state": state, "lastState": {}}
    failed = {**ended, "exitCode": crash.exit_code, "reason": "Error", "message": crash.log}
    message = f"back-off 5m0s restarting failed container={spec['name']}"
    waiting = {"waiting": {"reason": crash.reason, "message": message}}
    return {
        **status,
        "restartCount": restarts + 1,
        "ready": False,
        "started": False,
        "state": waiting,
        "lastState": {"terminated": failed},
    }


def is_ready(pod: Item) -> bool:
    """True when the pod's Ready condition is."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def event(pod: Item, reason: str, message: str, component: str) -> Item:
    """An Event about a pod."""
    metadata = pod["metadata"]
    involved = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{suffix(uuid4().hex, 16)}",
            "namespace": metadata["namespace"],
            "uid": str(uuid4()),
            "creationTimestamp": now(),
        },
        "involvedObject": {**involved, "uid": metadata["uid"]},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "count": 1,
        "firstTimestamp": now(),
        "lastTimestamp": now(),
        "source": {"component": component, "host": pod["spec"].get("nodeName", "")},
        "reportingComponent": component,
        "reportingInstance": pod["spec"].get("nodeName", ""),
    }
