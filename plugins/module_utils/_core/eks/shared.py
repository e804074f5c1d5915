# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What everything in EKS has in common: its cluster, updates with ids of their own, tags, health issues."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import tags as tagging
from ..plan import Await, Plan, Problem, Ref, Refused, Retry, Step, Wait
from ..session import Session
from ..versions import KubernetesVersion

CLUSTER_TIMEOUT = 1800.0
CLUSTER_INTERVAL = 15.0
IN_PROGRESS = "InProgress"
# EKS makes one change of a resource at a time; both texts are AWS's own.
BUSY = (
    Retry("ResourceInUseException", "in progress"),
    Retry("ResourceInUseException", "UPDATING state"),
    Retry("ResourceInUseException", "CREATING state"),
)
HEALTH = "join('; ', ({0}.health.issues || `[]`)[].join(': ', [code || 'Unknown', message || '']))"
UPDATE_ERRORS = "join('; ', (update.errors || `[]`)[].join(': ', [errorCode || 'Unknown', errorMessage || '']))"


@dataclass(frozen=True)
class ClusterView:
    """The cluster that another resource lives in; C(exists) is false for one that check mode takes for granted."""

    name: str
    exists: bool
    status: str
    version: str
    ip_family: str
    vpc_id: str
    role_arn: str = ""
    private_access: bool = True
    issuer: str = ""

    @property
    def ipv6(self) -> bool:
        """Whether its pods and services have IPv6 addresses."""
        return self.ip_family == "ipv6"

    def settled(self, quiet: bool = False) -> Await | None:
        """A wait for a cluster that an interrupted run has left in the making; C(quiet) also for one being updated."""
        busy = ("CREATING", "PENDING", "UPDATING") if quiet else ("CREATING", "PENDING")
        if not self.exists or self.status not in busy:
            return None
        return Await(f"cluster/{self.name}", active_wait(self.name))


def cluster_wait(name: str, success: Sequence[str], failure: Sequence[str] = (), gone: bool = False) -> Wait:
    """A wait for a cluster's status."""
    return Wait(
        "eks",
        "DescribeCluster",
        {"name": name},
        path="cluster.status",
        success=tuple(success),
        failure=tuple(failure),
        gone=gone,
        detail=HEALTH.format("cluster"),
        interval=CLUSTER_INTERVAL,
        timeout=CLUSTER_TIMEOUT,
    )


def active_wait(name: str) -> Wait:
    """A wait for a cluster to be made."""
    return cluster_wait(name, ("ACTIVE",), ("FAILED", "DELETING"))


def update_wait(cluster: str, update_id: Any, timeout: float, **target: str) -> Wait:
    """A wait for one update by its own id; C(target) is C(nodegroupName) or C(addonName) where it is theirs."""
    return Wait(
        "eks",
        "DescribeUpdate",
        {"name": cluster, "updateId": update_id, **target},
        path="update.status",
        success=("Successful",),
        failure=("Failed", "Cancelled"),
        detail=UPDATE_ERRORS,
        interval=CLUSTER_INTERVAL if not target else 5.0,
        timeout=timeout,
    )


def update_id(address: str) -> Ref:
    """The id of the update that the newest step of a resource has begun."""
    return Ref(address, "update.id")


def running_updates(session: Session, cluster: str, **target: str) -> list[dict[str, Any]]:
    """The updates under way of a cluster, or of its node group or add-on, as DescribeUpdate has them."""
    ids = session.pages("eks", "ListUpdates", "updateIds", name=cluster, **target)

    def read(identity: str) -> Callable[[], Any]:
        return lambda: session.find("eks", "DescribeUpdate", name=cluster, updateId=identity, **target)

    found = session.together(**{identity: read(identity) for identity in ids})
    updates = [answer["update"] for answer in found.values() if answer]
    return [update for update in updates if update["status"] == IN_PROGRESS]


def update_params(updates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What updates set, by AWS's names of the parameters."""
    return {param["type"]: param["value"] for update in updates for param in update.get("params", ())}


def find_cluster(session: Session, name: str) -> dict[str, Any] | None:
    """DescribeCluster's answer; None when there is no such cluster."""
    answer = session.find("eks", "DescribeCluster", name=name)
    return None if answer is None else dict(answer["cluster"])


def view_of(
    session: Session, name: str, cluster: Mapping[str, Any] | None, kubernetes_version: str | None = None
) -> tuple[ClusterView, tuple[str, ...]]:
    """The cluster that a resource lives in, and warnings.

    In check mode a cluster that is not there is taken for granted, in the IPv6 family, since an earlier task of the
    same play may be the one that makes it; or that upgrades it, so a newer C(kubernetes_version) counts.

    @raises Refused  when there is none outside check mode, or it cannot take anything; and for a version that is none.
    """
    if kubernetes_version is not None:
        _parsed(kubernetes_version)
    if cluster is not None:
        if cluster["status"] in ("DELETING", "FAILED"):
            raise Refused(Problem("cluster_name", f"the cluster {name} is {cluster['status']} and takes nothing new."))
        view = ClusterView(
            name=name,
            exists=True,
            status=cluster["status"],
            version=_newer(cluster["version"], kubernetes_version if session.host.check_mode else None),
            ip_family=cluster.get("kubernetesNetworkConfig", {}).get("ipFamily", "ipv4"),
            vpc_id=cluster.get("resourcesVpcConfig", {}).get("vpcId", ""),
            role_arn=cluster.get("roleArn", ""),
            issuer=cluster.get("identity", {}).get("oidc", {}).get("issuer", ""),
            private_access=bool(cluster.get("resourcesVpcConfig", {}).get("endpointPrivateAccess", False)),
        )
        if view.version == cluster["version"]:
            return view, ()
        current = cluster["version"]
        text = f"kubernetes_version: the cluster {name} is at {current}; the plan takes {view.version} for granted."
        return view, (text,)
    if not session.host.check_mode:
        raise Refused(
            Problem(
                "cluster_name",
                f"there is no cluster {name} in {session.region}.",
                "Make it first with eks_cluster, or mend the name or the region.",
            )
        )
    view = ClusterView(name, False, "", kubernetes_version or "", "ipv6", "")
    return view, (f"cluster_name: there is no cluster {name} yet; the plan takes it for granted.",)


def _parsed(version: str) -> KubernetesVersion:
    try:
        return KubernetesVersion.parse(version)
    except ValueError as error:
        problem = Problem("kubernetes_version", f"{error}.", 'Quote it in YAML: "1.30" without quotes is 1.3.')
        raise Refused(problem) from error


def _newer(version: str, planned: str | None) -> str:
    return version if planned is None else max(version, planned, key=KubernetesVersion.parse)


def tag_steps(
    arn: str, address: str, current: Mapping[str, str], desired: Mapping[str, Any] | None, purge: bool
) -> list[Step]:
    """The calls that bring an EKS resource's tags to what they shall be."""
    to_set, to_remove = tagging.difference(current, desired, purge)
    before, after = {"tags": dict(current)}, {"tags": tagging.after(current, to_set, to_remove)}
    steps = []
    if to_set:
        request = {"resourceArn": arn, "tags": to_set}
        steps.append(Step("eks", "TagResource", request, address, before, after))
    if to_remove:
        request = {"resourceArn": arn, "tagKeys": to_remove}
        steps.append(Step("eks", "UntagResource", request, address, before, after))
    return steps


def tags_after(current: Mapping[str, str], desired: Mapping[str, Any] | None, purge: bool) -> dict[str, Any]:
    """The tags once C(tag_steps) were done."""
    return tagging.after(current, *tagging.difference(current, desired, purge))


def health_issues(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    """AWS's health issues of a cluster, node group or add-on, as facts."""
    return [
        {
            "code": issue.get("code", ""),
            "message": issue.get("message", ""),
            "resource_ids": list(issue.get("resourceIds", ())),
        }
        for issue in resource.get("health", {}).get("issues", ())
    ]


def issues_text(issues: Sequence[Mapping[str, Any]]) -> str:
    """Health issues in one line, for a message."""
    return "; ".join(f"{issue['code']}: {issue['message']}" for issue in issues) or "AWS names no reason"


def without_last_wait(plan: Plan, wait: bool) -> Plan:
    """A plan as C(wait) has it: for false without its last wait.

    The waits before it stay, since EKS makes one change of a resource at a time.
    """
    if wait:
        return plan
    items = list(plan.items)
    while items and isinstance(items[-1], Await):
        items.pop()
    if items and isinstance(last := items[-1], Step):
        items[-1] = replace(last, wait=None)
    return Plan(tuple(items))


def given(**members: Any) -> dict[str, Any]:
    """A request's members that have a value, with tuples as lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in members.items() if value is not None
    }


def unique(values: Iterable[str] | None) -> tuple[str, ...] | None:
    """Each value once, in the order given; None stays None."""
    return None if values is None else tuple(dict.fromkeys(values))


def is_role_arn(text: str) -> bool:
    """Whether a text is the ARN of an IAM role."""
    return re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/\S+", text) is not None


def from_json(text: str) -> Any:
    """What a JSON text says; None for a text that is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None
