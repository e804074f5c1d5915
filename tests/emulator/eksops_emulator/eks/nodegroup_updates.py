# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a managed node group: UpdateNodegroupConfig and UpdateNodegroupVersion."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from . import nodes
from .catalogue import minor_of
from .errors import ResourceInUse
from .health import node_problem
from .nodegroup_checks import (
    REPAIR_LIMITS,
    Refusal,
    check_ami_type,
    check_labels_and_taints,
    check_node_repair,
    check_release,
    check_scaling,
    check_update_config,
    check_warm_pool,
)
from .nodegroups import Nodegroups
from .state import Cluster, Facts, Nodegroup, Request, now
from .versions import SUPPORTED


class NodegroupUpdates(Nodegroups):
    """The operations that answer with an update of the node group."""

    def update_nodegroup_config(self, request: Request) -> Facts:
        cluster, group = self._updatable(request)
        refuse = Refusal(cluster.name, request["nodegroupName"])
        changes, params = _config_changes(group, request, refuse)
        if not changes:
            raise refuse.parameter("No changes have been specified for the node group")

        def finish() -> list[Facts]:
            group.facts.update(changes, modifiedAt=now())
            nodes.scale(self, group)
            group.ready = 0 if node_problem(self, cluster, group.facts["nodeRole"]) else _desired(group)
            nodes.tell_nodes(self, cluster, group)
            return []

        target = ("nodegroup", request["nodegroupName"])
        return {"update": self.begin_update(cluster, target, "ConfigUpdate", params, finish).describe()}

    def update_nodegroup_version(self, request: Request) -> Facts:
        cluster, group = self._updatable(request)
        facts = group.facts
        refuse = Refusal(cluster.name, request["nodegroupName"])
        data, template = self._new_template(group, request, refuse)
        version = str(request.get("version") or (facts["version"] if facts["amiType"] == "CUSTOM" else cluster.version))
        _check_version(cluster, facts, version, refuse)
        check_ami_type(cluster, facts["amiType"], version, refuse)
        if facts["amiType"] == "CUSTOM" and request.get("releaseVersion"):
            raise refuse.parameter("You cannot specify releaseVersion with a launch template that has an image id.")
        release = check_release(request.get("releaseVersion"), version, facts["amiType"], refuse)
        changes: Facts = {"version": version}
        if release:
            changes["releaseVersion"] = release
        params: list[tuple[str, Any]] = [("Version", version), ("ReleaseVersion", release or data.get("ImageId", ""))]
        if template:
            changes["launchTemplate"] = template
            params += [("LaunchTemplateName", template["name"]), ("LaunchTemplateVersion", template["version"])]
        finish = partial(self._rolled, cluster, group, changes, data)
        target = ("nodegroup", request["nodegroupName"])
        return {"update": self.begin_update(cluster, target, "VersionUpdate", params, finish).describe()}

    def _updatable(self, request: Request) -> tuple[Cluster, Nodegroup]:
        cluster, group = self.nodegroup(request)
        name = request["nodegroupName"]
        status = self.nodegroup_facts(cluster, group)["status"]
        if status not in ("ACTIVE", "DEGRADED"):
            raise ResourceInUse(
                f"Nodegroup cannot be updated as it is currently not in Active State: {status}",
                clusterName=cluster.name,
                nodegroupName=name,
            )
        return cluster, group

    def _new_template(self, group: Nodegroup, request: Request, refuse: Refusal) -> tuple[Facts, Facts]:
        """(the template's data, the node group's new `launchTemplate`), both empty without a template."""
        wanted, current = request.get("launchTemplate"), group.facts.get("launchTemplate")
        if wanted is None:
            return {}, {}
        if current is None:
            raise refuse.parameter("You can't update a node group with a launch template that was made without one.")
        template, version = nodes.launch_template(self, wanted, refuse)
        if template.id != current["id"]:
            raise refuse.parameter("You cannot specify a different launch template than the node group was made with.")
        return nodes.plain(version.data), {"id": template.id, "name": template.name, "version": str(version.number)}

    def _rolled(self, cluster: Cluster, group: Nodegroup, changes: Facts, data: Facts) -> list[Facts]:
        """New nodes in the place of the old. When they don't become Ready the update fails and the old ones stay."""
        role = group.facts["nodeRole"]
        problem = node_problem(self, cluster, role) if _desired(group) else None
        if problem is not None:
            code, message = problem
            return [{"errorCode": code, "errorMessage": message, "resourceIds": nodes.instance_ids(self, group)}]
        group.facts.update(changes, modifiedAt=now())
        nodes.replace(self, group, data)
        group.ready = _desired(group)
        nodes.tell_nodes(self, cluster, group)
        return []


def _desired(group: Nodegroup) -> int:
    return int(group.facts["scalingConfig"]["desiredSize"])


def _check_version(cluster: Cluster, facts: Facts, version: str, refuse: Refusal) -> None:
    """Up to the cluster's version, one minor at a time, never down (presumed text)."""
    step = minor_of(version) - minor_of(facts["version"]) if version in SUPPORTED else None
    if step is None or minor_of(version) > minor_of(cluster.version) or step not in (0, 1):
        raise refuse.parameter(
            f"Requested Nodegroup update from {facts['version']} to {version} isn't allowed; "
            f"the cluster's version is {cluster.version}"
        )


def _config_changes(group: Nodegroup, request: Request, refuse: Refusal) -> tuple[Facts, list[tuple[str, Any]]]:
    """The new values of the members that the request changes, and the update's parameters."""
    facts = group.facts
    changes: Facts = {}
    params: list[tuple[str, Any]] = []
    if "labels" in request:
        wanted = request["labels"]
        labels = {**facts["labels"], **wanted.get("addOrUpdateLabels", {})}
        changes["labels"] = {key: value for key, value in labels.items() if key not in wanted.get("removeLabels", [])}
        params += [("LabelsToAdd", json.dumps(wanted.get("addOrUpdateLabels", {})))]
        params += [("LabelsToRemove", json.dumps(wanted.get("removeLabels", [])))]
    if "taints" in request:
        changes["taints"] = _new_taints(facts.get("taints", []), request["taints"], refuse)
        params += [("TaintsToAdd", json.dumps(request["taints"].get("addOrUpdateTaints", [])))]
        params += [("TaintsToRemove", json.dumps(request["taints"].get("removeTaints", [])))]
    check_labels_and_taints(changes.get("labels", {}), changes.get("taints", []), refuse)
    if "scalingConfig" in request:
        changes["scalingConfig"] = {**facts["scalingConfig"], **request["scalingConfig"]}
        check_scaling(changes["scalingConfig"], refuse)
        params += [(key[0].upper() + key[1:], value) for key, value in request["scalingConfig"].items()]
    if "updateConfig" in request:
        check_update_config(request["updateConfig"], refuse)
        changes["updateConfig"] = _new_update_config(facts["updateConfig"], request["updateConfig"])
        params += [(key[0].upper() + key[1:], value) for key, value in request["updateConfig"].items()]
    if "nodeRepairConfig" in request:
        check_node_repair(request["nodeRepairConfig"], refuse)
        changes["nodeRepairConfig"] = _new_node_repair(facts.get("nodeRepairConfig", {}), request["nodeRepairConfig"])
        params += [("NodeRepairConfig", json.dumps(request["nodeRepairConfig"]))]
    if "warmPoolConfig" in request:
        changes["warmPoolConfig"] = _new_warm_pool(facts, request["warmPoolConfig"], refuse)
        named = {"poolState": "State"}
        for key, value in request["warmPoolConfig"].items():
            text = str(value).lower() if isinstance(value, bool) else value
            params += [(f"WarmPool{named.get(key, key[0].upper() + key[1:])}", text)]
    return changes, params


def _new_taints(before: list[Facts], wanted: Facts, refuse: Refusal) -> list[Facts]:
    """Taints are one by key and effect; one to remove must be there with its value (presumed text)."""
    taints = {(taint["key"], taint["effect"]): taint for taint in before}
    for taint in wanted.get("removeTaints", []):
        if taints.pop((taint.get("key"), taint.get("effect")), None) is None:
            raise refuse.parameter(f"Taint to be removed not found: {taint.get('key')}")
    for taint in wanted.get("addOrUpdateTaints", []):
        taints[(taint.get("key"), taint.get("effect"))] = taint
    return list(taints.values())


def _new_update_config(before: Facts, wanted: Facts) -> Facts:
    """The two limits exclude each other: a new one takes the other's place."""
    kept = dict(before)
    if "maxUnavailable" in wanted or "maxUnavailablePercentage" in wanted:
        kept.pop("maxUnavailable", None)
        kept.pop("maxUnavailablePercentage", None)
    return {**kept, **wanted}


def _new_node_repair(before: Facts, wanted: Facts) -> Facts:
    """What is not said stays; of a limit's count and percentage the new one takes the other's place (presumed)."""
    kept = dict(before)
    for pair in REPAIR_LIMITS:
        if set(pair) & set(wanted):
            for member in pair:
                kept.pop(member, None)
    return {**kept, **wanted}


def _new_warm_pool(facts: Facts, wanted: Facts, refuse: Refusal) -> Facts:
    """What is not said stays; a pool that is not enabled is none (WarmPoolConfig's documentation)."""
    after = {**facts.get("warmPoolConfig", {}), **wanted}
    check_warm_pool(after, facts["amiType"], refuse)
    return after if after.get("enabled") else {"enabled": False}
