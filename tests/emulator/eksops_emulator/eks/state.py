# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EKS keeps for one account and region, and what all its operations share."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from moto.core.base_backend import BaseBackend
from moto.moto_api._internal import mock_random

from . import life
from .errors import BadShape, InvalidRequest, ResourceInUse, ResourceNotFound
from .life import Life
from .neighbours import Network
from .policy import Iam

Facts = dict[str, Any]
Item = TypeVar("Item")


class Request(dict[str, Any]):
    """The parameters of one call as boto3 takes them, who calls, and what."""

    principal: str = ""
    operation: str = ""


@dataclass
class Resource:
    """One EKS resource: `facts` is what Describe answers, without the status, which `life` has."""

    facts: Facts
    life: Life

    @property
    def arn(self) -> str:
        return str(next(value for key, value in self.facts.items() if key.lower().endswith("arn") and ":eks:" in value))

    @property
    def tags(self) -> dict[str, str]:
        tags: dict[str, str] = self.facts["tags"]
        return tags

    def describe(self) -> Facts:
        return {**self.facts, "status": self.life.state}


@dataclass
class Update(Resource):
    """One update of a cluster, node group or add-on; `target` is what DescribeUpdate must name to find it."""

    target: tuple[str, str] | None = None

    @property
    def id(self) -> str:
        return str(self.facts["id"])


@dataclass
class Addon(Resource):
    """An add-on that EKS manages."""


@dataclass
class SelfManaged:
    """An add-on that runs in the cluster without EKS managing it; `changes` are fields somebody has set."""

    version: str
    changes: list[str] = field(default_factory=list)


@dataclass
class Nodegroup(Resource):
    """A managed node group; `ready` is the number of its nodes that are Ready."""

    launch_template_id: str = ""
    instance_profile: str = ""
    ready: int = 0
    owns_launch_template: bool = True


@dataclass
class Cluster(Resource):
    """A cluster and everything that lives in it; `creator` is empty when it shall not become an administrator."""

    addons: dict[str, Addon] = field(default_factory=dict)
    self_managed: dict[str, SelfManaged] = field(default_factory=dict)
    nodegroups: dict[str, Nodegroup] = field(default_factory=dict)
    fargate_profiles: dict[str, Resource] = field(default_factory=dict)
    associations: dict[str, Facts] = field(default_factory=dict)
    access_entries: dict[str, AccessEntry] = field(default_factory=dict)
    identity_providers: dict[str, Resource] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)
    joined: dict[str, Joined] = field(default_factory=dict)  # nodes that EKS does not manage, by instance
    insights_refresh: Resource | None = None
    creator: str = ""

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    @property
    def version(self) -> str:
        return str(self.facts["version"])

    @property
    def ipv6(self) -> bool:
        return bool(self.facts["kubernetesNetworkConfig"]["ipFamily"] == "ipv6")

    @property
    def ready_nodes(self) -> int:
        return sum(group.ready for group in self.nodegroups.values()) + sum(node.ready for node in self.joined.values())


@dataclass(frozen=True)
class Joined:
    """A node that EKS does not manage: its instance's role, and what the kubelet registered it with."""

    role: str
    ready: bool
    ipv6: bool
    labels: dict[str, str]
    taints: tuple[tuple[str, str, str], ...]  # key, value, effect


@dataclass
class AccessEntry:
    """An access entry; `made_by_eks` ones go with the last node group or profile that uses them."""

    facts: Facts
    policies: dict[str, Facts] = field(default_factory=dict)
    made_by_eks: bool = False


class State(BaseBackend):
    """The base of the backend's operations: state, look-ups, ARNs, paging."""

    clusters: dict[str, Cluster]
    replays: dict[tuple[str, str], tuple[Facts, Facts]]
    PAGE: ClassVar[int] = 100

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.clusters = {}
        self.replays = {}

    @property
    def iam(self) -> Iam:
        return Iam(self.account_id, self.partition)

    @property
    def network(self) -> Network:
        return Network(self.account_id, self.region_name)

    def make_arn(self, resource: str) -> str:
        return f"arn:{self.partition}:eks:{self.region_name}:{self.account_id}:{resource}"

    def cluster(self, name: str) -> Cluster:
        """The cluster of this name, in whatever state. Raises ResourceNotFound with AWS's text."""
        if name not in self.clusters:
            raise ResourceNotFound(f"No cluster found for name: {name}.", clusterName=name)
        return self.clusters[name]

    def active_cluster(self, name: str, during_update: bool = True) -> Cluster:
        """The cluster, refused while it is made or deleted; also while it is updated unless `during_update`."""
        cluster = self.cluster(name)
        allowed = ("ACTIVE", "UPDATING") if during_update else ("ACTIVE",)
        if self.cluster_status(cluster) not in allowed:
            raise InvalidRequest(f"Cluster '{name}' is not in ACTIVE status", clusterName=name)
        return cluster

    def cluster_status(self, cluster: Cluster) -> str:
        """UPDATING while an update of the cluster itself runs, else the state of its life."""
        own = cluster.life.state
        return "UPDATING" if own == "ACTIVE" and self.running_update(cluster, None) else own

    def running_update(self, cluster: Cluster, target: tuple[str, str] | None) -> Update | None:
        """The update under way of the cluster (None) or of ("nodegroup"|"addon", name)."""
        return next((update for update in cluster.updates if update.target == target and update.life.busy), None)

    def begin_update(
        self,
        cluster: Cluster,
        target: tuple[str, str] | None,
        kind: str,
        params: Sequence[tuple[str, Any]],
        finish: Any,
    ) -> Update:
        """Start an update. `finish()` does its effects and returns its errors; none means Successful."""
        facts: Facts = {
            "id": uuid(),
            "type": kind,
            "params": [{"type": name, "value": str(value)} for name, value in params],
            "createdAt": now(),
            "errors": [],
        }
        update = Update(facts, Life(life.UPDATE, "InProgress"), target)

        def settle() -> str:
            facts["errors"] = finish() or []
            return "Failed" if facts["errors"] else "Successful"

        update.life.begin("InProgress", settle)
        cluster.updates.append(update)
        return update

    def refuse_second_update(self, cluster: Cluster, kind: str) -> None:
        """One update of a cluster at a time; AWS names the update that runs."""
        running = self.running_update(cluster, None)
        if running is not None:
            raise ResourceInUse(
                f"Cannot {kind} because cluster {cluster.name} currently has update {running.id} in progress",
                clusterName=cluster.name,
            )


def now() -> datetime:
    return datetime.now(UTC)


def uuid() -> str:
    return str(mock_random.uuid4())


def check_tags(tags: dict[str, str]) -> None:
    """Refuse the reserved prefix, as all AWS services do (presumed text)."""
    for key in tags:
        if key.lower().startswith("aws:"):
            raise BadShape(f"Tag keys can't begin with the reserved prefix aws: {key}")


def page(items: Sequence[Item], request: Request, default: int = State.PAGE) -> tuple[list[Item], Facts]:
    """One page of a listing and the `nextToken` member for the answer, if there is more.

    Raises BadShape for a token that no page of this operation handed out.
    """
    start, mark = 0, f"page:{request.operation}:"
    token = request.get("nextToken")
    if token:
        try:
            start = int(base64.b64decode(token, validate=True).decode().removeprefix(mark))
        except ValueError as error:
            raise BadShape("Invalid nextToken") from error
    end = start + int(request.get("maxResults") or default)
    more: Facts = {"nextToken": base64.b64encode(f"{mark}{end}".encode()).decode()} if end < len(items) else {}
    return list(items[start:end]), more
