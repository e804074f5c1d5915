# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that the Kubernetes tests work on, and their paths."""

from __future__ import annotations

from typing import Any


def apps(namespace: str, plural: str = "daemonsets") -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/{plural}"


def core(namespace: str, plural: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}"


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def daemon_set(name: str = "agent") -> dict[str, Any]:
    """A DaemonSet with something in every list that merges in its own way."""
    container = {
        "name": "main",
        "image": "example.com/agent:v1",
        "args": ["--one", "--two"],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "web"}],
        "volumeMounts": [{"name": "logs", "mountPath": "/logs"}],
    }
    pod = {
        "containers": [container, {"name": "side", "image": "example.com/side:v1"}],
        "tolerations": [{"operator": "Exists"}],
        "volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


def pod(name: str = "one", **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "example.com/main:v1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    given = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": given}


def containers(item: dict[str, Any]) -> dict[str, Any]:
    """A workload's containers by name."""
    return {held["name"]: held for held in item["spec"]["template"]["spec"]["containers"]}


def env(item: dict[str, Any], container: str = "main") -> dict[str, str]:
    """A container's environment by name."""
    return {held["name"]: held.get("value", "") for held in containers(item)[container].get("env", [])}


def template(**container: Any) -> dict[str, Any]:
    """A patch of the container `main`, or of the pod where `pod_spec` is given."""
    spec = container.pop("pod_spec", {})
    if container:
        spec = {"containers": [{"name": "main", **container}], **spec}
    return {"spec": {"template": {"spec": spec}}}
