# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets and Deployments: their pods, their rollouts, and what crashes."""

from __future__ import annotations

import math

from . import pods
from .kinds import Kind
from .pods import Rule, is_ready
from .registry import Registry, now
from .store import Item


class Workloads:
    """Gives workloads their pods. `rules` say which of them crash (see `pods.Rule`).

    A rollout takes as many reads of its DaemonSet or Deployment as `rollout_polls` says (see `Controllers`).
    """

    def __init__(self, registry: Registry, rollout_polls: int) -> None:
        self.registry = registry
        self.rollout_polls = rollout_polls
        self.rules: list[Rule] = []
        self._pending: dict[str, int] = {}
        self._logs: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        """Ends rollouts, rules and logs: the objects are gone."""
        self.rules.clear()
        self._pending.clear()
        self._logs.clear()

    def log(self, namespace: str, name: str) -> str:
        """What a pod's container last said."""
        return self._logs.get((namespace, name), "")

    def _roll(self, kind: Kind, item: Item) -> None:
        if kind.kind == "DaemonSet":
            self._roll_daemonset(kind, item)
        else:
            self._roll_deployment(kind, item)

    def _done(self, item: Item, total: int) -> int:
        """How many of `total` pods a rollout may have replaced by now."""
        left = self._pending.get(item["metadata"]["uid"])
        if left is None or not self.rollout_polls:
            return total
        return math.ceil(total * (self.rollout_polls - left) / self.rollout_polls)

    def _roll_daemonset(self, kind: Kind, item: Item) -> None:
        spec = item["spec"]
        labels = {
            "controller-revision-hash": pods.template_hash(spec["template"]),
            "pod-template-generation": item["metadata"]["annotations"]["deprecated.daemonset.template.generation"],
        }
        nodes = {
            node["metadata"]["name"]: node
            for node in self._nodes()
            if pods.eligible(spec["template"]["spec"], node, daemon=True)
        }
        held = {pod["spec"].get("nodeName", ""): pod for pod in self._owned(item)}
        for name in set(held) - set(nodes):
            self._delete_pod(held.pop(name))
        strategy = spec["updateStrategy"]
        unavailable = pods.share(strategy.get("rollingUpdate", {}).get("maxUnavailable", 1), len(nodes), up=True)
        allowed = self._done(item, len(nodes))
        for name, node in nodes.items():
            pod = held.get(name)
            if pod is not None and not self._outdated(pod, labels):
                continue
            if pod is not None:
                down = sum(not is_ready(other) for other in held.values())
                updated = sum(not self._outdated(other, labels) for other in held.values())
                stuck = is_ready(pod) and down >= max(1, unavailable)
                if strategy["type"] == "OnDelete" or updated >= allowed or stuck:
                    continue
                self._delete_pod(pod)
            held[name] = self._start(pods.new_pod(item, "DaemonSet", node, labels, daemon=True), node)
        self._daemonset_status(kind, item, nodes, list(held.values()), labels)

    def _daemonset_status(
        self, kind: Kind, item: Item, nodes: dict[str, Item], held: list[Item], labels: dict[str, str]
    ) -> None:
        ready = sum(is_ready(pod) for pod in held)
        current = self.registry.store.get(kind, item["metadata"]["namespace"], item["metadata"]["name"])
        if current is None:
            return
        self.registry.put_status(
            kind,
            current,
            currentNumberScheduled=len(held),
            desiredNumberScheduled=len(nodes),
            numberMisscheduled=0,
            numberReady=ready,
            numberAvailable=ready or None,
            numberUnavailable=len(nodes) - ready or None,
            updatedNumberScheduled=sum(not self._outdated(pod, labels) for pod in held) or None,
            observedGeneration=item["metadata"]["generation"],
        )

    def _outdated(self, pod: Item, labels: dict[str, str]) -> bool:
        name = "controller-revision-hash"
        return bool(pod["metadata"].get("labels", {}).get(name) != labels[name])

    def _roll_deployment(self, kind: Kind, item: Item) -> None:
        hash_ = pods.template_hash(item["spec"]["template"])
        replica_set = self._replica_set(item, hash_)
        sets = [
            held
            for held in self.registry.store.all(self.registry.kind("ReplicaSet"))
            if _owner(held) == item["metadata"]["uid"]
        ]
        for old in sets:
            if old["metadata"]["uid"] != replica_set["metadata"]["uid"]:
                self._scale(old, 0)
        held = self._scale(replica_set, item["spec"]["replicas"])
        ready, wanted = sum(is_ready(pod) for pod in held), item["spec"]["replicas"]
        available = "True" if ready >= wanted - pods.share("25%", wanted, up=False) else "False"
        reason = "MinimumReplicasAvailable" if available == "True" else "MinimumReplicasUnavailable"
        current = self.registry.store.get(kind, item["metadata"]["namespace"], item["metadata"]["name"])
        if current is None:
            return
        self.registry.put_status(
            kind,
            current,
            observedGeneration=item["metadata"]["generation"],
            replicas=len(held) or None,
            updatedReplicas=len(held) or None,
            readyReplicas=ready or None,
            availableReplicas=ready or None,
            unavailableReplicas=wanted - ready or None,
            conditions=[
                {"type": "Available", "status": available, "reason": reason, **_times(current, "Available", available)},
                {
                    "type": "Progressing",
                    "status": "True",
                    "reason": "NewReplicaSetAvailable",
                    **_times(current, "Progressing", "True"),
                },
            ],
        )

    def _replica_set(self, item: Item, hash_: str) -> Item:
        kind = self.registry.kind("ReplicaSet")
        name, namespace = f"{item['metadata']['name']}-{hash_}", item["metadata"]["namespace"]
        held = self.registry.store.get(kind, namespace, name)
        if held is not None:
            return held
        labels = {**item["spec"]["template"].get("metadata", {}).get("labels", {}), "pod-template-hash": hash_}
        template = {
            **item["spec"]["template"],
            "metadata": {**item["spec"]["template"].get("metadata", {}), "labels": labels},
        }
        selector = {"matchLabels": {**item["spec"]["selector"].get("matchLabels", {}), "pod-template-hash": hash_}}
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": item["metadata"]["name"]}
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        metadata["ownerReferences"] = [{**reference, "uid": item["metadata"]["uid"], "controller": True}]
        body = {"metadata": metadata, "spec": {"replicas": 0, "selector": selector, "template": template}}
        return self.registry.create(kind, namespace, body).item

    def _scale(self, replica_set: Item, replicas: int) -> list[Item]:
        """Gives a ReplicaSet its pods; the pods it then has."""
        kind = self.registry.kind("ReplicaSet")
        held = self._owned(replica_set)
        nodes = [node for node in self._nodes() if pods.eligible(replica_set["spec"]["template"]["spec"], node)]
        for pod in held[replicas:]:
            self._delete_pod(pod)
        held = held[:replicas]
        for index in range(len(held), replicas):
            node = nodes[index % len(nodes)] if nodes else None
            held.append(self._start(pods.new_pod(replica_set, "ReplicaSet", node, {}, daemon=False), node))
        for index, pod in enumerate(held):
            if "nodeName" not in pod["spec"] and nodes:
                self._delete_pod(pod)
                node = nodes[index % len(nodes)]
                held[index] = self._start(pods.new_pod(replica_set, "ReplicaSet", node, {}, daemon=False), node)
        current = self.registry.store.get(kind, replica_set["metadata"]["namespace"], replica_set["metadata"]["name"])
        if current is not None:
            current = {**current, "spec": {**current["spec"], "replicas": replicas}}
            ready = sum(is_ready(pod) for pod in held)
            self.registry.put_status(kind, current, replicas=replicas, readyReplicas=ready or None)
        return held

    def _nodes(self) -> list[Item]:
        """The nodes whose kubelet has reported an address; others run nothing yet."""
        held = self.registry.store.all(self.registry.kind("Node"))
        return [node for node in held if node.get("status", {}).get("addresses")]

    def _recover(self) -> None:
        """Brings up what crashed for a reason that is no more."""
        nodes = {node["metadata"]["name"]: node for node in self._nodes()}
        for pod in self.registry.store.all(self.registry.kind("Pod")):
            node = nodes.get(pod["spec"].get("nodeName", ""))
            if node is None or is_ready(pod) or any(rule(pod, node) for rule in self.rules):
                continue
            self._run(pod, node, pod["status"].get("podIP", ""))
            for name in ("DaemonSet", "Deployment"):
                kind = self.registry.kind(name)
                for item in self.registry.store.all(kind, pod["metadata"]["namespace"]):
                    if item["metadata"]["uid"] not in self._pending:
                        self._roll(kind, item)

    # --- pods ------------------------------------------------------------------------------------------------------

    def _owned(self, owner: Item) -> list[Item]:
        namespace = owner["metadata"]["namespace"]
        held = self.registry.store.all(self.registry.kind("Pod"), namespace)
        return [pod for pod in held if _owner(pod) == owner["metadata"]["uid"]]

    def _start(self, pod: Item, node: Item | None) -> Item:
        kind = self.registry.kind("Pod")
        podip = ""
        if node is not None:
            taken = [item.get("status", {}).get("podIP", "") for item in self.registry.store.all(kind)]
            podip = pods.address(node, self.registry.services.family, taken, bool(pod["spec"].get("hostNetwork")))
        return self._run(pod, node, podip)

    def _run(self, pod: Item, node: Item | None, podip: str) -> Item:
        crash = next(filter(None, (rule(pod, node) for rule in self.rules)), None) if node is not None else None
        changed = {**pod, "status": pods.running(pod, node, podip, crash)}
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        self._logs[key] = crash.log if crash else ""
        stored = self.registry.keep(self.registry.kind("Pod"), changed, None)
        for reason, message in crash.events if crash else ():
            self._event(pods.event(pod, reason, message, crash.container if crash else ""))
        return stored

    def _event(self, event: Item) -> None:
        kind = self.registry.kind("Event")
        for held in self.registry.store.all(kind, event["metadata"]["namespace"]):
            if _same_event(held, event):
                again = {**held, "count": held["count"] + 1, "lastTimestamp": now()}
                self.registry.keep(kind, again, held)
                return
        self.registry.keep(kind, event, None)

    def _restart(self, workload: Item) -> None:
        """Lets pods that crashed try again."""
        nodes = {node["metadata"]["name"]: node for node in self._nodes()}
        owners = [
            workload,
            *(
                held
                for held in self.registry.store.all(self.registry.kind("ReplicaSet"))
                if _owner(held) == workload["metadata"]["uid"]
            ),
        ]
        for owner in owners:
            for pod in self._owned(owner):
                if not is_ready(pod) and pod["spec"].get("nodeName") in nodes:
                    self._run(pod, nodes[pod["spec"]["nodeName"]], pod["status"].get("podIP", ""))

    def _delete_pod(self, pod: Item) -> None:
        kind = self.registry.kind("Pod")
        metadata = pod["metadata"]
        if self.registry.store.get(kind, metadata["namespace"], metadata["name"]) is not None:
            self.registry.discard(kind, pod)

    def _replace(self, pod: Item) -> None:
        """A pod went away: its workload makes another."""
        owner = _owner(pod)
        for name in ("DaemonSet", "ReplicaSet"):
            kind = self.registry.kind(name)
            for item in self.registry.store.all(kind, pod["metadata"]["namespace"]):
                if item["metadata"]["uid"] != owner:
                    continue
                if name == "DaemonSet":
                    self._roll_daemonset(kind, item)
                else:
                    self._roll_owner(item)

    def _roll_owner(self, replica_set: Item) -> None:
        kind = self.registry.kind("Deployment")
        for item in self.registry.store.all(kind, replica_set["metadata"]["namespace"]):
            if item["metadata"]["uid"] == _owner(replica_set) and item["metadata"]["uid"] not in self._pending:
                self._roll_deployment(kind, item)


def _owner(item: Item) -> str:
    owners = item["metadata"].get("ownerReferences", [])
    return str(next((owner["uid"] for owner in owners if owner.get("controller")), ""))


def _same_event(one: Item, other: Item) -> bool:
    same = one["reason"] == other["reason"] and one["message"] == other["message"]
    return same and bool(one["involvedObject"].get("uid") == other["involvedObject"].get("uid"))


def _times(item: Item, name: str, status: str) -> dict[str, str]:
    for held in item.get("status", {}).get("conditions", []):
        if (held["type"], held["status"]) == (name, status):
            return {"lastTransitionTime": held["lastTransitionTime"], "lastUpdateTime": held["lastUpdateTime"]}
    return {"lastTransitionTime": now(), "lastUpdateTime": now()}
