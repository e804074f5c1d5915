# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed node groups: made once everything they need is known to be there, and changed in place where EKS can.

C(nodegroup_model) says what a node group shall be and what it is, C(nodegroup_rules) what must not be done to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..plan import Await, Outcome, Plan, Ref, Retry, Risk, Step, Wait, refuse_if_any, refuse_now
from ..session import Session
from ..versions import kubernetes_steps
from . import nodegroup_rules as rules
from . import nodegroup_upkeep as upkeep
from . import shared
from .nodegroup_model import (
    REMOTE_ACCESS,
    SCALING,
    TEMPLATE,
    UPDATE_CONFIG,
    Nodegroup,
    Observed,
    ReadCni,
    Surroundings,
    Taint,
    known,
    observe,
    sorted_taints,
    survey,
)
from .shared import ClusterView

TIMEOUT = 2400.0
DEFAULT_AMI_TYPES = {"x86_64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
# A role or a subnet made a moment ago is not known everywhere yet; AWS's own texts.
NOT_YET = (
    Retry("InvalidParameterException", "cannot be found"),
    Retry("InvalidParameterException", "were not found in the trust relationships"),
    Retry("InvalidParameterException", "does not exist"),
)


def plan(desired: Nodegroup, observed: Observed | None, view: ClusterView, ami_type: str) -> Plan:
    """The calls that make the node group what it shall be."""
    if observed is None or observed["status"] == "DELETING":
        begun = Await(desired.address, _gone(desired)) if observed is not None else None
        made = shared.without_last_wait(Plan.of(_create(desired, ami_type)), desired.wait)
        return Plan.of(view.settled(quiet=True), begun, made)
    if rules.replaced(desired, observed):
        gone, made = _delete(desired, observed), Plan.of(_create(carried(desired, observed), ami_type))
        return Plan.of(_settle(desired, observed), gone, shared.without_last_wait(made, desired.wait))
    changes = Plan.of(_change_tags(desired, observed), _change_config(desired, observed), _upgrade(desired, observed))
    return Plan.of(_settle(desired, observed), shared.without_last_wait(changes, desired.wait))


def plan_absent(desired: Nodegroup, observed: Observed | None) -> Plan:
    """The calls that make the node group go."""
    if observed is None:
        return Plan()
    if observed["status"] == "DELETING":
        return Plan.of(Await(desired.address, _gone(desired)) if desired.wait else None)
    return Plan.of(
        _settle(desired, observed), shared.without_last_wait(Plan.of(_delete(desired, observed)), desired.wait)
    )


def carried(desired: Nodegroup, observed: Observed) -> Nodegroup:
    """What a replaced node group shall be: what was given, and what the old one had."""
    own_template = bool(desired.launch_template or observed["launch_template"])
    template = desired.launch_template or {
        name: value for name, value in (observed["launch_template"] or {}).items() if name != "name"
    }
    return replace(
        desired,
        node_role_arn=desired.node_role_arn or observed["node_role_arn"],
        subnet_ids=desired.subnet_ids or tuple(observed["subnet_ids"]),
        instance_types=desired.instance_types or tuple(observed["instance_types"]) or None,
        capacity_type=desired.capacity_type or observed["capacity_type"],
        disk_size=None if own_template else desired.disk_size or observed["disk_size"],
        scaling=rules.scaling_after(desired.scaling, observed["scaling"]),
        update_config={name: value for name, value in _limits_after(desired, observed).items() if value is not None},
        labels=_labels_after(desired, observed),
        taints=_taints_after(desired, observed),
        launch_template=template,
        remote_access={} if own_template else desired.remote_access or observed["remote_access"] or {},
        node_repair=upkeep.carried(
            upkeep.repair_after(observed["node_repair_config"], desired.node_repair), upkeep.repair_facts(None)
        ),
        warm_pool=upkeep.carried(
            upkeep.warm_pool_after(observed["warm_pool_config"], desired.warm_pool), upkeep.warm_pool_facts(None)
        ),
        tags=shared.tags_after(observed["tags"], desired.tags, desired.purge_tags),
    )


def facts(desired: Nodegroup, observed: Observed | None, view: ClusterView, ami_type: str) -> dict[str, Any]:
    """The node group as it will be."""
    if observed is None or observed["status"] == "DELETING":
        return _new_facts(desired, view, ami_type)
    if rules.replaced(desired, observed):
        return _new_facts(carried(desired, observed), view, ami_type)
    address = desired.address
    current = dict(observed.facts)
    if current["status"] == "CREATING":
        current["status"] = Ref(address, "nodegroup.status")
        current["auto_scaling_group_names"] = Ref(address, _SCALING_GROUPS)
    elif current["status"] == "UPDATING":
        current["status"] = "ACTIVE"
    changed = _config_after(desired, observed)
    versions = _version_steps(desired, observed)
    if versions:
        changed["version"] = versions[-1].after.get("version", observed["version"])
        changed["release_version"] = desired.release_version or Ref(address, "nodegroup.releaseVersion")
        if "launch_template" in versions[-1].after:
            changed["launch_template"] = versions[-1].after["launch_template"]
    if changed and not desired.wait:
        changed["status"] = "UPDATING"
    tags = shared.tags_after(observed["tags"], desired.tags, desired.purge_tags)
    return {**current, **changed, "tags": tags}


def build(params: Mapping[str, Any], session: Session, read_cni: ReadCni) -> Outcome:
    """The module C(eks_nodegroup); C(read_cni) finds out what the CNI may do on new nodes."""
    desired = Nodegroup.from_params(params)
    refuse_if_any(rules.refuse(desired, known(session)))
    if not desired.present:
        observed = observe(session, desired)
        return Outcome(plan_absent(desired, observed), {"nodegroup": None})
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name),
        nodegroup=lambda: observe(session, desired),
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"], desired.kubernetes_version)
    observed = found["nodegroup"]
    base = None if observed is None or observed["status"] == "DELETING" else observed
    anew = base is not None and rules.replaced(desired, base)
    rolled = base is not None and not anew and _template_after(desired, base) is not None
    wanted = carried(desired, base) if base is not None and (anew or rolled) else desired
    around = survey(session, wanted, view, read_cni) if base is None or anew or rolled else Surroundings()
    ami_type = str(base["ami_type"]) if base is not None and not anew else _choose_ami_type(wanted, around)
    problems = (
        rules.refuse_new(wanted, around, view, ami_type)
        if base is None or anew
        else [*rules.refuse_change(desired, base, view), *rules.refuse_rolled(wanted, base, around, view, rolled)]
    )
    warnings = (*warnings, *refuse_now(problems, session.host.check_mode), *rules.warnings_new(wanted, around, view))
    return Outcome(
        plan(desired, observed, view, ami_type),
        {"nodegroup": facts(desired, observed, view, ami_type)},
        (*warnings, *rules.warnings(desired, None if anew else base, ami_type)),
    )


def _choose_ami_type(desired: Nodegroup, around: Surroundings) -> str:
    """The AMI type of a new group: as given, the template's own, or Amazon Linux 2023 for the types' architecture."""
    if desired.ami_type is not None:
        return desired.ami_type
    if (around.template or {}).get("ImageId"):
        return "CUSTOM"
    architectures = [item.architectures for item in around.instance_types.values()]
    arm = bool(architectures) and all("arm64" in supported for supported in architectures)
    return DEFAULT_AMI_TYPES["arm64" if arm else "x86_64"]


# --- planning ----------------------------------------------------------------------------------------------------


def _create(desired: Nodegroup, ami_type: str) -> Step:
    custom = ami_type == "CUSTOM"
    request: dict[str, Any] = {
        **desired.key,
        "subnets": list(desired.subnet_ids or ()),
        "nodeRole": desired.node_role_arn,
        **shared.given(
            amiType=None if custom and desired.ami_type is None else ami_type,
            instanceTypes=list(desired.instance_types) if desired.instance_types else None,
            capacityType=desired.capacity_type,
            diskSize=desired.disk_size,
            scalingConfig=_members(SCALING, _new_scaling(desired)) or None,
            updateConfig=_members(UPDATE_CONFIG, desired.update_config) or None,
            labels=dict(desired.labels or {}) or None,
            taints=_taint_list(desired.taints or {}) or None,
            launchTemplate=_members(TEMPLATE, desired.launch_template) or None,
            remoteAccess=_members(REMOTE_ACCESS, desired.remote_access) or None,
            nodeRepairConfig=upkeep.repair_request(desired.node_repair) or None,
            warmPoolConfig=upkeep.warm_pool_request(desired.warm_pool) or None,
            version=desired.kubernetes_version,
            releaseVersion=desired.release_version,
            tags=dict(desired.tags) if desired.tags else None,
        ),
    }
    after = {
        "ami_type": ami_type,
        "instance_types": list(desired.instance_types or ()),
        "subnet_ids": list(desired.subnet_ids or ()),
        "node_role_arn": desired.node_role_arn,
        "scaling": _new_scaling(desired),
        "labels": dict(desired.labels or {}),
        "taints": _taint_facts(desired.taints or {}),
        "tags": dict(desired.tags or {}),
    }
    return Step(
        "eks",
        "CreateNodegroup",
        request,
        desired.address,
        after={name: value for name, value in after.items() if value},
        wait=_active(desired),
        retry=(*NOT_YET, *shared.BUSY),
    )


def _delete(desired: Nodegroup, observed: Observed) -> Step:
    return Step(
        "eks",
        "DeleteNodegroup",
        desired.key,
        desired.address,
        before={"status": observed["status"], "scaling": observed["scaling"]},
        risk=Risk.IRREVERSIBLE,
        wait=_gone(desired, failing=observed["status"] != "DELETE_FAILED"),
        retry=shared.BUSY,
    )


def _change_tags(desired: Nodegroup, observed: Observed) -> list[Step]:
    return shared.tag_steps(observed["arn"], desired.address, observed["tags"], desired.tags, desired.purge_tags)


def _config_after(desired: Nodegroup, observed: Observed) -> dict[str, Any]:
    """The facts that UpdateNodegroupConfig is to change, as they will be."""
    found: dict[str, Any] = {}
    labels = _labels_after(desired, observed)
    if labels != observed["labels"]:
        found["labels"] = labels
    taints = _taints_after(desired, observed)
    if taints != observed.taints:
        found["taints"] = _taint_facts(taints)
    sizes = rules.scaling_after(desired.scaling, observed["scaling"])
    if sizes != observed["scaling"]:
        found["scaling"] = sizes
    limits = _limits_after(desired, observed)
    if limits != observed["update_config"]:
        found["update_config"] = limits
    repair = upkeep.repair_after(observed["node_repair_config"], desired.node_repair)
    if repair != observed["node_repair_config"]:
        found["node_repair_config"] = repair
    warm_pool = upkeep.warm_pool_after(observed["warm_pool_config"], desired.warm_pool)
    if warm_pool != observed["warm_pool_config"]:
        found["warm_pool_config"] = warm_pool
    return found


def _change_config(desired: Nodegroup, observed: Observed) -> list[Step]:
    after = _config_after(desired, observed)
    if not after:
        return []
    before = {name: observed[name] for name in after}
    request: dict[str, Any] = dict(desired.key)
    if "labels" in after:
        wanted, current = after["labels"], observed["labels"]
        request["labels"] = shared.given(
            addOrUpdateLabels={key: value for key, value in wanted.items() if current.get(key) != value} or None,
            removeLabels=sorted(set(current) - set(wanted)) or None,
        )
    if "taints" in after:
        marks, had = _taints_after(desired, observed), observed.taints
        request["taints"] = shared.given(
            addOrUpdateTaints=_taint_list({mark: value for mark, value in marks.items() if had.get(mark) != value})
            or None,
            removeTaints=_taint_list({mark: value for mark, value in had.items() if mark not in marks}) or None,
        )
    if "scaling" in after:
        sizes = {name: size for name, size in after["scaling"].items() if size != observed["scaling"][name]}
        request["scalingConfig"] = _members(SCALING, sizes)
    if "update_config" in after:
        request["updateConfig"] = _members(UPDATE_CONFIG, desired.update_config)
    if "node_repair_config" in after:
        request["nodeRepairConfig"] = upkeep.repair_request(after["node_repair_config"])
    if "warm_pool_config" in after:
        request["warmPoolConfig"] = upkeep.warm_pool_request(after["warm_pool_config"])
    # A scale-in ends nodes, a taint can drive pods away; labels and limits touch no running pod.
    risk = Risk.DISRUPTIVE if {"taints", "scaling"} & set(after) else Risk.SAFE
    return [_update(desired, "UpdateNodegroupConfig", request, before, after, risk)]


def _upgrade(desired: Nodegroup, observed: Observed) -> list[Step | Await]:
    """Versions one minor at a time, and a last look for the release that came of it."""
    steps = _version_steps(desired, observed)
    return [*steps, Await(desired.address, _active(desired))] if steps else []


def _version_steps(desired: Nodegroup, observed: Observed) -> list[Step]:
    """UpdateNodegroupVersion for Kubernetes, release and template versions.

    The Kubernetes version is said each time: without it EKS would take the nodes to the cluster's.
    """
    custom = observed["ami_type"] == "CUSTOM"
    wanted = desired.kubernetes_version or observed["version"]
    template = _template_after(desired, observed)
    release = desired.release_version not in (None, observed["release_version"])
    versions = kubernetes_steps(observed["version"], wanted) if not custom else []
    if not versions and (template or release):
        versions = [observed["version"]]
    steps: list[Step] = []
    current = observed["version"]
    for version in versions:
        last = version == versions[-1]
        request: dict[str, Any] = {**desired.key, **({} if custom else {"version": version})}
        before: dict[str, Any] = {} if version == current else {"version": current}
        after: dict[str, Any] = {} if version == current else {"version": version}
        if last and release and not custom:
            request["releaseVersion"] = desired.release_version
            before["release_version"] = observed["release_version"]
            after["release_version"] = desired.release_version
        if last and template:
            request["launchTemplate"] = {"id": template["id"], "version": template["version"]}
            before["launch_template"], after["launch_template"] = observed["launch_template"], template
        if desired.force:
            request["force"] = True
        steps.append(_update(desired, "UpdateNodegroupVersion", request, before, after, Risk.DISRUPTIVE))
        current = version
    return steps


def _template_after(desired: Nodegroup, observed: Observed) -> dict[str, Any] | None:
    """The launch template with its new version; None when that does not change."""
    wanted, current = desired.launch_template.get("version"), observed["launch_template"]
    if current is None or wanted in (None, current["version"]):
        return None
    return {**current, "version": wanted}


def _update(
    desired: Nodegroup,
    operation: str,
    request: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    risk: Risk,
) -> Step:
    wait = shared.update_wait(
        desired.cluster_name, shared.update_id(desired.address), TIMEOUT, nodegroupName=desired.name
    )
    return Step("eks", operation, request, desired.address, before, after, risk, wait, retry=shared.BUSY)


def _settle(desired: Nodegroup, observed: Observed) -> list[Await]:
    """Waits for what an interrupted run, or somebody else, has begun."""
    anyhow = not desired.present
    if observed["status"] == "CREATING":
        return [Await(desired.address, _active(desired, anyhow))]
    waits = [
        shared.update_wait(desired.cluster_name, identity, TIMEOUT, nodegroupName=desired.name)
        for identity in observed.updates
    ]
    if anyhow:
        waits = [replace(wait, success=(*wait.success, *wait.failure), failure=()) for wait in waits]
    return [Await(desired.address, wait) for wait in waits]


def _active(desired: Nodegroup, anyhow: bool = False) -> Wait:
    failure = ("CREATE_FAILED", "DEGRADED", "DELETING", "DELETE_FAILED")
    return Wait(
        "eks",
        "DescribeNodegroup",
        desired.key,
        path="nodegroup.status",
        success=("ACTIVE", *(failure if anyhow else ())),
        failure=() if anyhow else failure,
        detail=shared.HEALTH.format("nodegroup"),
        interval=15.0,
        timeout=TIMEOUT,
    )


def _gone(desired: Nodegroup, failing: bool = True) -> Wait:
    return Wait(
        "eks",
        "DescribeNodegroup",
        desired.key,
        path="nodegroup.status",
        success=(),
        failure=("DELETE_FAILED",) if failing else (),
        gone=True,
        detail=shared.HEALTH.format("nodegroup"),
        interval=15.0,
        timeout=TIMEOUT,
    )


def _labels_after(desired: Nodegroup, observed: Observed) -> dict[str, str]:
    if desired.labels is None:
        return dict(observed["labels"])
    return {**({} if desired.purge_labels else observed["labels"]), **desired.labels}


def _taints_after(desired: Nodegroup, observed: Observed) -> dict[Taint, str]:
    if desired.taints is None:
        return observed.taints
    return {**({} if desired.purge_taints else observed.taints), **desired.taints}


def _limits_after(desired: Nodegroup, observed: Observed) -> dict[str, Any]:
    """The two limits of an update exclude each other: a new one takes the other's place."""
    current = dict(observed["update_config"])
    if {"max_unavailable", "max_unavailable_percentage"} & set(desired.update_config):
        current |= {"max_unavailable": None, "max_unavailable_percentage": None}
    return {**current, **desired.update_config}


def _new_scaling(desired: Nodegroup) -> dict[str, int]:
    if not desired.scaling:
        return {}
    return {"desired_size": desired.scaling.get("min_size", 0), **desired.scaling}


# --- facts -------------------------------------------------------------------------------------------------------

_SCALING_GROUPS = "nodegroup.resources.autoScalingGroups[].name"


def _new_facts(desired: Nodegroup, view: ClusterView, ami_type: str) -> dict[str, Any]:
    def decided(path: str) -> Ref:
        return Ref(desired.address, f"nodegroup.{path}")

    return {
        "name": desired.name,
        "cluster_name": desired.cluster_name,
        "arn": decided("nodegroupArn"),
        "status": decided("status"),
        "version": desired.kubernetes_version or (view.version if ami_type != "CUSTOM" else "") or decided("version"),
        "release_version": desired.release_version or decided("releaseVersion"),
        "ami_type": ami_type,
        "capacity_type": desired.capacity_type or decided("capacityType"),
        "instance_types": list(desired.instance_types) if desired.instance_types else decided("instanceTypes || `[]`"),
        "disk_size": desired.disk_size or (None if desired.launch_template else decided("diskSize")),
        "node_role_arn": desired.node_role_arn,
        "subnet_ids": list(desired.subnet_ids or ()),
        "scaling": _new_scaling(desired) or decided(f"scalingConfig.{_select(SCALING)}"),
        "update_config": decided(f"updateConfig.{_select(UPDATE_CONFIG)}"),
        "labels": dict(desired.labels or {}),
        "taints": _taint_facts(desired.taints or {}),
        "launch_template": decided(f"launchTemplate.{_select(TEMPLATE)}") if desired.launch_template else None,
        "remote_access": {**dict.fromkeys(REMOTE_ACCESS), **desired.remote_access} if desired.remote_access else None,
        "node_repair_config": upkeep.repair_after(upkeep.repair_facts(None), desired.node_repair),
        "warm_pool_config": upkeep.warm_pool_after(upkeep.warm_pool_facts(None), desired.warm_pool),
        "auto_scaling_group_names": Ref(desired.address, _SCALING_GROUPS),
        "health_issues": [],
        "tags": dict(desired.tags or {}),
    }


def _select(names: Mapping[str, str]) -> str:
    """A JMESPath expression that gives AWS's members our names."""
    return "{" + ", ".join(f"{name}: {member}" for name, member in names.items()) + "}"


def _members(names: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {names[name]: value for name, value in values.items()}


def _taint_list(taints: Mapping[Taint, str]) -> list[dict[str, str]]:
    """Taints as EKS takes them; one without a value has none."""
    return [
        {"key": key, "effect": effect, **({"value": value} if value else {})}
        for (key, effect), value in sorted(taints.items())
    ]


def _taint_facts(taints: Mapping[Taint, str]) -> list[dict[str, str]]:
    return sorted_taints({"key": key, "value": value, "effect": effect} for (key, effect), value in taints.items())
