# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API server for every cluster that the emulated EKS has.

While this is installed DescribeCluster hands out the address and authority of a server that answers; EKS's add-ons and
node groups appear in it, and what happens to aws-node in it follows from the roles and policies in the emulated IAM.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from . import addons, nodes
from .api import KubernetesAPI, default_secrets
from .cni import ROLE_ANNOTATION
from .cni_rules import CniRule
from .errors import StatusError
from .store import Item
from .tokens import Secret

if TYPE_CHECKING:
    from eksops_emulator.eks.state import Joined
    from eksops_emulator.server import Emulator

Facts = dict[str, Any]
Key = tuple[str, str, str]  # account, region, cluster name
NODE_GROUPS = ("system:bootstrappers", "system:nodes")


class ClusterEndpoints:
    """The API servers of an emulator's clusters.

    Args:
        emulator: whose EKS gets them.
        rollout_polls: see `KubernetesAPI`.

    `install()` and `uninstall()`; `get(name)` is a cluster's server. A reset of the emulator ends them all.
    """

    def __init__(self, emulator: Emulator, rollout_polls: int = 2) -> None:
        self._emulator = emulator
        self._rollout_polls = rollout_polls
        self.clusters: dict[Key, KubernetesAPI] = {}
        self._applied: dict[tuple[Key, str], list[Item]] = {}
        self._joined: dict[Key, dict[str, Joined]] = {}  # by the node's name; each has registered once
        self._kept: Path | None = None

    def install(self) -> None:
        """From now on clusters that become ACTIVE have a server."""
        from eksops_emulator.eks import hooks

        hooks.api_server = self._start
        hooks.cluster_deleted = self._stop
        hooks.addon_changed = self._addon
        hooks.addon_conflicts = self._conflicts
        hooks.nodes_changed = self._nodes
        hooks.nodes_joined = self._self_managed
        hooks.maps_nodes = self._maps_nodes
        self._emulator.on_reset.append(self.stop)

    def uninstall(self) -> None:
        """Ends all servers; clusters made later have none."""
        from eksops_emulator.eks import hooks

        hooks.api_server = hooks.cluster_deleted = hooks.addon_changed = None
        hooks.addon_conflicts = hooks.nodes_changed = hooks.nodes_joined = hooks.maps_nodes = None
        if self.stop in self._emulator.on_reset:
            self._emulator.on_reset.remove(self.stop)
        self.stop()

    def stop(self) -> None:
        """Ends all servers that there are."""
        while self.clusters:
            self.clusters.popitem()[1].stop()
        self._applied.clear()
        self._joined.clear()
        self._write()

    def get(self, name: str, region: str | None = None, account: str | None = None) -> KubernetesAPI:
        """The server of a cluster; KeyError when there is none, or several and neither region nor account is given."""
        found = [
            api
            for (held, place, called), api in self.clusters.items()
            if called == name and region in (None, place) and account in (None, held)
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} clusters are called {name}")
        return found[0]

    def kubeconfig(self) -> Facts:
        """One kubeconfig for all clusters: a context has its cluster's name, or REGION/NAME where several share it."""
        often = Counter(name for _unused, _region, name in self.clusters)
        merged: Facts = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for (_unused, region, name), api in self.clusters.items():
            label = name if often[name] == 1 else f"{region}/{name}"
            single = api.kubeconfig()
            merged["clusters"].append({**single["clusters"][0], "name": label})
            merged["users"].append({**single["users"][0], "name": label})
            merged["contexts"].append({"name": label, "context": {"cluster": label, "user": label}})
            merged["current-context"] = label
        return merged

    def keep_kubeconfig(self, path: Path) -> None:
        """Writes the kubeconfig to `path` now, and anew whenever a cluster comes or goes."""
        self._kept = path
        self._write()

    def _write(self) -> None:
        if self._kept is None:
            return
        new = self._kept.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(self.kubeconfig(), indent=2))
        os.replace(new, self._kept)

    def describe(self) -> list[Facts]:
        """Every server: account, region, name, url, kubeconfig."""
        return [
            {"account": account, "region": region, "name": name, "url": api.url, "kubeconfig": api.kubeconfig()}
            for (account, region, name), api in self.clusters.items()
        ]

    # --- what EKS tells --------------------------------------------------------------------------------------------

    def _start(self, account: str, region: str, cluster: Facts) -> tuple[str, str] | None:
        key = (account, region, cluster["name"])
        network = cluster["kubernetesNetworkConfig"]
        address = self._emulator.url.removeprefix("http://")
        api = KubernetesAPI(
            network.get("serviceIpv6Cidr") or network["serviceIpv4Cidr"],
            cluster["name"],
            version=cluster["version"],
            secrets=_Secrets(account, region),
            sts_hosts=frozenset({address, address.replace("127.0.0.1", "localhost")}),
            admits=_Admission(key, self),
            rollout_polls=self._rollout_polls,
        )
        api.add_rule(CniRule(_Permissions(key, api)))
        api.controllers.before_read = lambda: self._look(account, region)
        self.clusters[key] = api.start()
        self._write()
        return api.url, api.ca_data

    def _stop(self, account: str, region: str, name: str) -> None:
        key = (account, region, name)
        self._joined.pop(key, None)
        api = self.clusters.pop(key, None)
        if api is not None:
            api.stop()
            self._write()
        for held in [held for held in self._applied if held[0] == key]:
            del self._applied[held]

    def _addon(
        self, account: str, region: str, cluster: Facts, name: str, version: str | None, values: Facts, managed: bool
    ) -> None:
        key = (account, region, cluster["name"])
        api = self.clusters.get(key)
        if api is None:
            return
        role = _role_of_addon(key, name) if managed else None
        items = addons.manifests_of(name, version, values, api.services, role) if version else []
        for item in self._applied.pop((key, name), []):
            if _identity(item) not in [_identity(other) for other in items]:
                _delete(api, item)
        if items:
            self._applied[(key, name)] = items
            api.objects.apply(*items)

    def _conflicts(self, account: str, region: str, cluster: Facts, name: str) -> list[str]:
        key = (account, region, cluster["name"])
        api = self.clusters.get(key)
        return api.objects.conflicts(*self._applied.get((key, name), [])) if api is not None else []

    def _nodes(
        self, account: str, region: str, cluster: Facts, nodegroup: Facts, instance_ids: list[str], ready: bool
    ) -> None:
        api = self.clusters.get((account, region, cluster["name"]))
        if api is None:
            return
        wanted = [nodes.managed((account, region, identity), cluster, nodegroup, ready) for identity in instance_ids]
        names = {item["metadata"]["name"] for item in wanted}
        for held in api.objects.all("Node"):
            own = held["metadata"].get("labels", {}).get(nodes.GROUP_LABEL) == nodegroup["nodegroupName"]
            if own and held["metadata"]["name"] not in names:
                api.objects.delete("Node", held["metadata"]["name"])
        api.objects.add(*wanted)

    def _look(self, account: str, region: str) -> None:
        """Nodes join without a call of AWS's API. Calls are done one at a time, and so is this."""
        from eksops_emulator.eks import self_managed

        assert self._emulator.gate is not None
        with self._emulator.gate.lock:
            self_managed.look(account, region)

    def _self_managed(self, account: str, region: str, cluster: Facts, members: dict[str, Joined]) -> None:
        """A node that somebody deletes does not register again as long as its kubelet runs."""
        key = (account, region, cluster["name"])
        api = self.clusters.get(key)
        if api is None:
            return
        held, wanted = self._joined.get(key, {}), {}
        for identity, node in members.items():
            item = nodes.joined((account, region, identity), cluster, node)
            name = item["metadata"]["name"]
            wanted[name] = node
            if name not in held:
                _register(api, item)
            elif held[name].ready != node.ready and name in api.objects.names("Node"):
                status = {"conditions": item["status"]["conditions"]}
                api.objects.add({"kind": "Node", "metadata": {"name": name}, "status": status})
        for name in held.keys() - wanted.keys():
            _delete(api, {"kind": "Node", "metadata": {"name": name}})
        self._joined[key] = wanted

    def _maps_nodes(self, account: str, region: str, name: str, role: str) -> bool:
        key = (account, region, name)
        return key not in self.clusters or _Admission(key, self).maps_nodes(role)


def _identity(item: Item) -> tuple[str, str]:
    return item["kind"], item["metadata"]["name"]


def _delete(api: KubernetesAPI, item: Item) -> None:
    try:
        api.objects.delete(item["kind"], item["metadata"]["name"], item["metadata"].get("namespace", ""))
    except StatusError as problem:
        if problem.code != 404:
            raise


def _register(api: KubernetesAPI, node: Item) -> None:
    """A kubelet whose labels or taints are refused tries in vain."""
    try:
        api.objects.add(node)
    except StatusError as problem:
        if problem.code != 422:
            raise


def _backend(key: Key) -> Any:
    from moto.eks.models import eks_backends

    return eks_backends[key[0]][key[1]]


def _role_of_addon(key: Key, name: str) -> str | None:
    cluster = _backend(key).clusters.get(key[2])
    addon = cluster.addons.get(name) if cluster is not None else None
    return addon.facts.get("serviceAccountRoleArn") if addon is not None else None


class _Secrets:
    """The access keys of an account: IAM users', assumed roles', and while IAM isn't enforced those tests use."""

    def __init__(self, account: str, region: str) -> None:
        from moto.utilities.utils import get_partition

        self._account, self._partition = account, get_partition(region)
        self._others = default_secrets()

    def __call__(self, access_key: str) -> Secret | None:
        from moto import settings
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        for role in sts_backends[self._account][self._partition].assumed_roles:
            if role.access_key_id == access_key:
                return Secret(role.secret_access_key, role.role_arn, role.session_token)
        for user in iam_backends[self._account][self._partition].users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key:
                    return Secret(key.secret_access_key, user.arn)
        known = self._others(access_key) if float("inf") == settings.INITIAL_NO_AUTH_ACTION_COUNT else None
        # Who GetCallerIdentity says such a key is.
        arn = f"arn:{self._partition}:iam::{self._account}:user/moto"
        return Secret(known.key, arn) if known is not None else None


class _Admission:
    """Who may enter a cluster: its access entries' principals, and those that its aws-auth ConfigMap names."""

    def __init__(self, key: Key, endpoints: ClusterEndpoints) -> None:
        self._key, self._endpoints = key, endpoints

    def __call__(self, arn: str) -> bool:
        cluster = _backend(self._key).clusters.get(self._key[2])
        if cluster is None:
            return False
        mode = cluster.facts["accessConfig"]["authenticationMode"]
        if mode != "CONFIG_MAP" and arn in cluster.access_entries:
            return True
        return mode != "API" and (arn == cluster.creator or self.mapped(arn))

    def mapped(self, arn: str) -> bool:
        """Whether aws-auth names the principal."""
        api = self._endpoints.clusters[self._key]
        try:
            data = api.objects.get("ConfigMap", "aws-auth").get("data", {})
        except StatusError:
            return False
        return any(_plain(arn) in text.split() for text in data.values())

    def maps_nodes(self, role: str) -> bool:
        """Whether aws-auth gives the role what a kubelet needs to bootstrap and to be a node."""
        api = self._endpoints.clusters[self._key]
        try:
            entries = yaml.safe_load(api.objects.get("ConfigMap", "aws-auth").get("data", {}).get("mapRoles", ""))
        except (StatusError, yaml.YAMLError):
            return False
        entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        groups = [entry.get("groups") for entry in entries if entry.get("rolearn") == _plain(role)]
        return any(isinstance(held, list) and all(name in held for name in NODE_GROUPS) for held in groups)


def _plain(arn: str) -> str:
    """An ARN as aws-auth names it: roles without their path."""
    return arn if ":role/" not in arn else f"{arn.split(':role/')[0]}:role/{arn.rsplit('/', 1)[-1]}"


class _Permissions:
    """What aws-node on a node is denied, by the role that its service account, Pod Identity or node gives it."""

    def __init__(self, key: Key, api: KubernetesAPI) -> None:
        self._key, self._api = key, api

    def __call__(self, node: Item, version: str, env: dict[str, str]) -> Sequence[str]:
        from eksops_emulator.eks.catalogue import cni_needs
        from eksops_emulator.eks.health import cni_denied, cni_role

        state = _backend(self._key)
        cluster = state.clusters.get(self._key[2])
        node_role = nodes.role_of(cluster, node) if cluster else ""
        if not node_role:
            return []
        addon = {"serviceAccountRoleArn": self._annotated_role()}
        role, problem = cni_role(state, cluster, addon, node_role, version)
        ipv6 = env.get("ENABLE_IPv6") == "true"
        if problem:
            return [action for action, _unused in cni_needs(version, "", ipv6, env)]
        return cni_denied(state, cluster, role, version, ipv6, env)

    def _annotated_role(self) -> str | None:
        for account in self._api.objects.all("ServiceAccount", "kube-system"):
            if account["metadata"]["name"] == "aws-node":
                role: str | None = account["metadata"].get("annotations", {}).get(ROLE_ANNOTATION)
                return role
        return None
