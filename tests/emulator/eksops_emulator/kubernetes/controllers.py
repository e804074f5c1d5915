# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers of a cluster, small: DaemonSets, Deployments, disruption budgets, namespaces, garbage.

They run after each write, in the thread that wrote. A rollout takes as many reads of its DaemonSet or Deployment as
`rollout_polls` says: the first read still shows the status of before, each further one more of the new pods.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import pods
from .kinds import Kind
from .pods import is_ready
from .registry import Registry
from .selectors import label_selector
from .store import Item
from .workloads import Workloads


class Controllers(Workloads):
    """Keeps a cluster's objects in step with each other.

    Args:
        registry: the objects.
        rollout_polls: reads that a rollout takes; 0: it is done at once.

    `rules` say which pods crash (see `pods.Rule`); after changing them call `resync()`.
    `before_read` is called, with no lock held, before nodes or what runs on them are read.
    """

    def __init__(self, registry: Registry, rollout_polls: int = 2) -> None:
        super().__init__(registry, rollout_polls)
        self._queue: deque[tuple[Kind, Item | None, Item | None]] = deque()
        self._settling = False
        self.ca_pem = ""
        self.before_read: Callable[[], None] = lambda: None
        registry.observers.append(self._observe)

    # --- when something happens ------------------------------------------------------------------------------------

    def _observe(self, kind: Kind, old: Item | None, new: Item | None) -> None:
        self._queue.append((kind, old, new))
        with self._settle():
            pass

    @contextmanager
    def _settle(self) -> Iterator[None]:
        """Lets the block finish what it does before anybody reacts to it; then reacts until all is quiet."""
        if self._settling:
            yield
            return
        self._settling = True
        try:
            yield
            while self._queue:
                self._react(*self._queue.popleft())
        finally:
            self._settling = False

    def _react(self, kind: Kind, old: Item | None, new: Item | None) -> None:
        if kind.custom:
            pass
        elif kind.kind in ("DaemonSet", "Deployment") and new is not None:
            self._changed(kind, old, new)
        elif kind.kind == "Node":
            self._node(old, new)
        elif kind.kind == "Namespace":
            self._namespace(old, new)
        elif kind.kind == "Pod" and new is None and old is not None:
            self._logs.pop((old["metadata"]["namespace"], old["metadata"]["name"]), None)
            self._replace(old)
        if kind.kind in ("Pod", "PodDisruptionBudget") and not kind.custom:
            self._budgets((new or old or {})["metadata"]["namespace"])
        if old is not None and new is None:
            self._collect(old["metadata"]["uid"])

    def _changed(self, kind: Kind, old: Item | None, new: Item) -> None:
        if old is not None and old["metadata"].get("generation") == new["metadata"].get("generation"):
            return
        if old is not None and old["spec"]["template"] != new["spec"]["template"] and self.rollout_polls:
            self._pending[new["metadata"]["uid"]] = self.rollout_polls + 1
            return
        self._roll(kind, new)

    def poll(self, kind: Kind) -> None:
        """Moves rollouts on: somebody reads objects of `kind`. Nodes may have come or gone before that."""
        if kind.kind in ("Node", "Pod", "DaemonSet", "Deployment"):
            self.before_read()
        if kind.custom or kind.kind not in ("DaemonSet", "Deployment"):
            return
        with self.registry.store.lock, self._settle():
            if self.rules:
                self._recover()
            for item in self.registry.store.all(kind):
                left = self._pending.get(item["metadata"]["uid"])
                if left is None:
                    continue
                self._pending[item["metadata"]["uid"]] = left - 1
                if left <= self.rollout_polls:
                    self._roll(kind, item)
                if left <= 1:
                    del self._pending[item["metadata"]["uid"]]

    def resync(self) -> None:
        """Looks at every workload and pod again: rules, permissions or nodes have changed."""
        with self.registry.store.lock, self._settle():
            for name in ("DaemonSet", "Deployment"):
                kind = self.registry.kind(name)
                for item in self.registry.store.all(kind):
                    self._restart(item)
                    self._roll(kind, item)

    # --- the rest ----------------------------------------------------------------------------------------------------

    def _node(self, old: Item | None, new: Item | None) -> None:
        if old is not None and new is not None and _scheduling(old) == _scheduling(new):
            return
        if new is None and old is not None:
            for pod in self.registry.store.all(self.registry.kind("Pod")):
                if pod["spec"].get("nodeName") == old["metadata"]["name"]:
                    self._delete_pod(pod)
        for name in ("DaemonSet", "Deployment"):
            kind = self.registry.kind(name)
            for item in self.registry.store.all(kind):
                if item["metadata"]["uid"] not in self._pending:
                    self._roll(kind, item)

    def _namespace(self, old: Item | None, new: Item | None) -> None:
        registry = self.registry
        if old is None and new is not None:
            name = new["metadata"]["name"]
            for kind, body in (
                ("ServiceAccount", {"metadata": {"name": "default"}}),
                ("ConfigMap", {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": self.ca_pem}}),
            ):
                registry.create(registry.kind(kind), name, body)
        elif new is None and old is not None:
            for held in list(registry.kinds()):
                for item in registry.store.all(held, old["metadata"]["name"]) if held.namespaced else ():
                    if registry.store.get(held, item["metadata"]["namespace"], item["metadata"]["name"]) is not None:
                        registry.discard(held, item)

    def _budgets(self, namespace: str) -> None:
        kind = self.registry.kind("PodDisruptionBudget")
        for budget in self.registry.store.all(kind, namespace):
            matches, spec = label_selector(budget["spec"].get("selector")), budget["spec"]
            held = [pod for pod in self.registry.store.all(self.registry.kind("Pod"), namespace) if matches(pod)]
            healthy, total = sum(is_ready(pod) for pod in held), len(held)
            if "maxUnavailable" in spec:
                desired = total - pods.share(spec["maxUnavailable"], total, up=True)
            else:
                desired = pods.share(spec.get("minAvailable", 1), total, up=True)
            self.registry.put_status(
                kind,
                budget,
                expectedPods=total,
                currentHealthy=healthy,
                desiredHealthy=desired,
                disruptionsAllowed=max(0, healthy - desired),
                observedGeneration=budget["metadata"]["generation"],
            )

    def _collect(self, uid: str) -> None:
        """Deletes what an object owned that is gone."""
        registry = self.registry
        self._pending.pop(uid, None)
        for kind in list(registry.kinds()):
            for item in registry.store.all(kind):
                if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", [])):
                    registry.discard(kind, item)


def _scheduling(node: Item) -> tuple[Any, ...]:
    return (node["metadata"].get("labels"), node.get("spec"), node.get("status", {}).get("addresses"))
