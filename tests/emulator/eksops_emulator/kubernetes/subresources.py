# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subresources that are more than a view of the object: eviction and scale."""

from __future__ import annotations

from typing import Any

from .errors import StatusError, bad_request
from .kinds import Kind
from .registry import Options, Registry
from .selectors import label_selector


def evict(registry: Registry, namespace: str, name: str, body: Any, dry_run: bool) -> dict[str, Any]:
    """Evicts a pod; 429 when a disruption budget stands against it."""
    if (
        not isinstance(body, dict)
        or body.get("kind") != "Eviction"
        or body.get("apiVersion")
        not in (
            "policy/v1",
            "policy/v1beta1",
        )
    ):
        raise bad_request("the body is no Eviction of policy/v1")
    given = (body.get("metadata") or {}).get("name")
    if given and given != name:
        raise bad_request(f"name in URL does not match name in Eviction object: {name} != {given}")
    kind, budgets = registry.kind("Pod"), registry.kind("PodDisruptionBudget")
    with registry.store.lock:
        pod = registry.get(kind, namespace, name)
        for budget in registry.all(budgets, namespace):
            if label_selector(budget["spec"].get("selector"))(pod):
                _spend(registry, budgets, budget, dry_run)
        registry.delete(kind, namespace, name, body.get("deleteOptions"), dry_run)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _spend(registry: Registry, kind: Kind, budget: dict[str, Any], dry_run: bool) -> None:
    status, name = budget.get("status", {}), budget["metadata"]["name"]
    left = status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
        cause = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(cause)
    if left <= 0:
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        raise _too_many(f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")
    if not dry_run:
        registry.put_status(kind, budget, disruptionsAllowed=left - 1)


def _too_many(cause: str) -> StatusError:
    return StatusError(
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
        causes=[{"reason": "DisruptionBudget", "message": cause}],
    )


def scale(
    registry: Registry, kind: Kind, namespace: str, name: str, verb: str, body: Any, options: Options
) -> dict[str, Any]:
    """Reads or sets a workload's replicas as a Scale."""
    item = registry.get(kind, namespace, name)
    if verb != "get":
        replicas = (body.get("spec") or {}).get("replicas") if isinstance(body, dict) else None
        if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
            raise bad_request("spec.replicas must be a number, 0 or more")
        item["spec"]["replicas"] = replicas
        plain = Options(options.manager, options.dry_run, validation=options.validation)
        item = registry.update(kind, namespace, name, item, plain).item
    metadata = {
        key: item["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = item["spec"].get("selector", {}).get("matchLabels", {})
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": item["spec"].get("replicas", 1)},
        "status": {"replicas": item.get("status", {}).get("replicas", 0), "selector": selector},
    }
