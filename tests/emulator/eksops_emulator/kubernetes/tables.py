# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the tables that `kubectl get` asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .kinds import Kind
from .store import Item

Column = tuple[str, Callable[[Item], Any], int]  # name, cell, priority (0: always shown, 1: with -o wide)


def table(kind: Kind, items: list[Item], metadata: Item) -> Item:
    """A Table of meta.k8s.io/v1; its rows carry the objects' metadata."""
    columns = _COLUMNS.get("" if kind.custom else kind.kind, _PLAIN)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": name,
                "priority": priority,
            }
            for name, _cell, priority in columns
        ],
        "rows": [
            {"cells": [cell(item) for _name, cell, _priority in columns], "object": _partial(item)} for item in items
        ],
    }


def wanted(accept: str) -> bool:
    """True when an Accept header prefers a table."""
    first = accept.split(",")[0].replace(" ", "")
    return "as=Table" in first and "v=v1" in first.split(";")


def _partial(item: Item) -> Item:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def _name(item: Item) -> str:
    return str(item["metadata"]["name"])


def _age(item: Item, since: str = "") -> str:
    text = since or item["metadata"].get("creationTimestamp", "")
    if not text:
        return "<unknown>"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def _status(path: str, default: Any = 0) -> Callable[[Item], Any]:
    return lambda item: item.get("status", {}).get(path, default)


def _spec(path: str, default: Any = "<none>") -> Callable[[Item], Any]:
    return lambda item: item.get("spec", {}).get(path, default)


def _pairs(labels: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in (labels or {}).items()) or "<none>"


def _template(field: str) -> Callable[[Item], str]:
    return lambda item: ",".join(held[field] for held in item["spec"]["template"]["spec"]["containers"])


def _selector(item: Item) -> str:
    return _pairs((item["spec"].get("selector") or {}).get("matchLabels"))


def _statuses(item: Item) -> list[Item]:
    return list(item.get("status", {}).get("containerStatuses", []))


def _pod_ready(item: Item) -> str:
    return f"{sum(held['ready'] for held in _statuses(item))}/{len(item['spec']['containers'])}"


def _pod_state(item: Item) -> str:
    waiting = [held["state"]["waiting"]["reason"] for held in _statuses(item) if "waiting" in held.get("state", {})]
    return waiting[0] if waiting else str(item.get("status", {}).get("phase", "Unknown"))


def _node_state(item: Item) -> str:
    conditions = {held["type"]: held["status"] for held in item.get("status", {}).get("conditions", [])}
    state = {"True": "Ready", "False": "NotReady"}.get(conditions.get("Ready", ""), "Unknown")
    return state + (",SchedulingDisabled" if item["spec"].get("unschedulable") else "")


def _internal(item: Item) -> str:
    addresses = item.get("status", {}).get("addresses", [])
    return next((held["address"] for held in addresses if held["type"] == "InternalIP"), "<none>")


def _ports(item: Item) -> str:
    ports = item["spec"].get("ports", [])
    numbers = [f"{port['port']}:{port['nodePort']}" if "nodePort" in port else str(port["port"]) for port in ports]
    shown = [f"{number}/{port['protocol']}" for number, port in zip(numbers, ports, strict=True)]
    return ",".join(shown) or "<none>"


def _info(field: str) -> Callable[[Item], str]:
    return lambda item: item.get("status", {}).get("nodeInfo", {}).get(field, "")


_PLAIN: list[Column] = [("Name", _name, 0), ("Age", _age, 0)]
_WORKLOAD: list[Column] = [
    ("Containers", _template("name"), 1),
    ("Images", _template("image"), 1),
    ("Selector", _selector, 1),
]
_COLUMNS: dict[str, list[Column]] = {
    "Pod": [
        ("Name", _name, 0),
        ("Ready", _pod_ready, 0),
        ("Status", _pod_state, 0),
        ("Restarts", lambda item: sum(held.get("restartCount", 0) for held in _statuses(item)), 0),
        ("Age", _age, 0),
        ("IP", _status("podIP", "<none>"), 1),
        ("Node", _spec("nodeName"), 1),
    ],
    "Node": [
        ("Name", _name, 0),
        ("Status", _node_state, 0),
        ("Roles", lambda _unused: "<none>", 0),
        ("Age", _age, 0),
        ("Version", _info("kubeletVersion"), 0),
        ("Internal-IP", _internal, 1),
        ("OS-Image", _info("osImage"), 1),
        ("Kernel-Version", _info("kernelVersion"), 1),
        ("Container-Runtime", _info("containerRuntimeVersion"), 1),
    ],
    "DaemonSet": [
        ("Name", _name, 0),
        ("Desired", _status("desiredNumberScheduled"), 0),
        ("Current", _status("currentNumberScheduled"), 0),
        ("Ready", _status("numberReady"), 0),
        ("Up-to-date", _status("updatedNumberScheduled"), 0),
        ("Available", _status("numberAvailable"), 0),
        ("Node Selector", lambda item: _pairs(item["spec"]["template"]["spec"].get("nodeSelector")), 0),
        ("Age", _age, 0),
        *_WORKLOAD,
    ],
    "Deployment": [
        ("Name", _name, 0),
        ("Ready", lambda item: f"{_status('readyReplicas')(item)}/{item['spec']['replicas']}", 0),
        ("Up-to-date", _status("updatedReplicas"), 0),
        ("Available", _status("availableReplicas"), 0),
        ("Age", _age, 0),
        *_WORKLOAD,
    ],
    "Service": [
        ("Name", _name, 0),
        ("Type", _spec("type"), 0),
        ("Cluster-IP", _spec("clusterIP"), 0),
        ("External-IP", lambda _unused: "<none>", 0),
        ("Port(s)", _ports, 0),
        ("Age", _age, 0),
        ("Selector", lambda item: _pairs(item["spec"].get("selector")), 1),
    ],
    "Event": [
        ("Last Seen", lambda item: _age(item, item.get("lastTimestamp", "")), 0),
        ("Type", lambda item: item.get("type", ""), 0),
        ("Reason", lambda item: item.get("reason", ""), 0),
        ("Object", lambda item: f"{item['involvedObject']['kind'].lower()}/{item['involvedObject']['name']}", 0),
        ("Message", lambda item: item.get("message", ""), 0),
        ("Name", _name, 1),
    ],
    "Namespace": [("Name", _name, 0), ("Status", _status("phase"), 0), ("Age", _age, 0)],
}
