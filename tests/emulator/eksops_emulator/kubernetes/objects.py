# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a cluster as tests handle them, past the API: no journal, no failures, no authentication."""

from __future__ import annotations

from typing import Any

from . import patches
from .errors import StatusError
from .registry import Options, Registry
from .store import Item

_OPTIONS = Options(manager="eks")


class Objects:
    """Objects by kind, such as "DaemonSet", and name. What the API server refuses is refused here too (StatusError)."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def add(self, *items: Item) -> None:
        """Creates manifests, or brings what is there already to them; a `status` in them is set too."""
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        kind = self._registry.kind(item["kind"])
        namespace = item["metadata"].get("namespace", "default") if kind.namespaced else ""
        name = item["metadata"]["name"]
        if self._registry.store.get(kind, namespace, name) is None:
            self._registry.create(kind, namespace, item, _OPTIONS)
        else:
            self.patch(item["kind"], name, item, namespace=namespace)
        if "status" in item and kind.has_status:
            body = {"status": item["status"]}
            options = Options(manager="kubelet", subresource="status")
            self._registry.patch(kind, namespace, name, body, patches.MERGE_PATCH, options)

    def create(self, kind: str, name: str, namespace: str = "default", **body: Any) -> Item:
        held = self._registry.kind(kind)
        item = {**body, "metadata": {**body.get("metadata", {}), "name": name}}
        return self._registry.create(held, namespace if held.namespaced else "", item, _OPTIONS).item

    def get(self, kind: str, name: str, namespace: str = "kube-system") -> Item:
        """One object; StatusError 404 when it isn't there."""
        held = self._registry.kind(kind)
        return self._registry.get(held, namespace if held.namespaced else "", name)

    def all(self, kind: str, namespace: str = "") -> list[Item]:
        return self._registry.all(self._registry.kind(kind), namespace)

    def apply(self, *items: Item, manager: str = "eks") -> None:
        """Applies manifests as an EKS add-on does: server-side, taking what others hold."""
        for item in items:
            self._apply(item, Options(manager=manager, force=True))

    def conflicts(self, *items: Item, manager: str = "eks") -> list[str]:
        """What applying manifests without force would run into: "DaemonSet.apps aws-node - .spec.template...."."""
        found = []
        for item in items:
            try:
                self._apply(item, Options(manager=manager, dry_run=True))
            except StatusError as refused:
                kind = self._registry.kind(item["kind"])
                named = ".".join(filter(None, (kind.kind, kind.group)))
                causes = refused.details.get("causes", [])
                found += [f"{named} {item['metadata']['name']} - {cause['field']}" for cause in causes]
        return found

    def _apply(self, item: Item, options: Options) -> None:
        kind = self._registry.kind(item["kind"])
        namespace = item["metadata"].get("namespace", "default") if kind.namespaced else ""
        name = item["metadata"]["name"]
        self._registry.patch(kind, namespace, name, item, patches.APPLY_PATCH, options)

    def patch(self, kind: str, name: str, patch: Item, namespace: str = "kube-system") -> Item:
        """A strategic merge patch, or a merge patch for a custom resource."""
        held = self._registry.kind(kind)
        how = patches.MERGE_PATCH if held.custom else patches.STRATEGIC_PATCH
        space = namespace if held.namespaced else ""
        return self._registry.patch(held, space, name, patch, how, _OPTIONS).item

    def delete(self, kind: str, name: str, namespace: str = "kube-system") -> None:
        held = self._registry.kind(kind)
        self._registry.delete(held, namespace if held.namespaced else "", name)

    def names(self, kind: str, namespace: str = "") -> list[str]:
        return [item["metadata"]["name"] for item in self.all(kind, namespace)]
