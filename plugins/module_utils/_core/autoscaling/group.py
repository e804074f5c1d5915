# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto Scaling groups of nodes: the calls that bring one about, and what is known of it (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import tags as tagging
from ..plan import Await, Plan, Retry, Risk, Step, Wait
from . import instance_refresh as refreshing
from .group_model import (
    CLUSTER_TAG,
    OWNED,
    SETTINGS,
    SIZES,
    UNSET,
    AutoScalingGroup,
    Observed,
    Source,
    Tag,
    Version,
    decided,
    instance_facts,
    same_source,
    wanted_source,
)
from .group_rules import sizes_after

TIMEOUT = 900.0
# An instance profile that was made a moment ago.
NOT_YET = (Retry("ValidationError", "Invalid IAM Instance Profile"),)
BUSY = (Retry("ScalingActivityInProgress"), Retry("ResourceContention"))
_READY = "sum((Instances || `[]`)[?LifecycleState=='InService'].to_number(WeightedCapacity || '1'))"
_CAPACITY = (
    f"AutoScalingGroups[0] && (AutoScalingGroups[0] | ({_READY} >= DesiredCapacity && 'in service'"
    f" || join(' ', [to_string({_READY}), 'of', to_string(DesiredCapacity), 'in service']))) || 'not there yet'"
)
_SEEN = "length(AutoScalingGroups)"
_ENDED = "StatusCode=='Successful' || StatusCode=='Failed' || StatusCode=='Cancelled'"


def plan(desired: AutoScalingGroup, observed: Observed | None, version: Version | None) -> Plan:
    """The calls that make the group what it shall be."""
    if not desired.present:
        return _plan_absent(desired, observed)
    if observed is None or observed.deleting:
        going = Await(desired.address, _gone(desired)) if observed else None
        wanted = wanted_source(desired, None, version)
        return Plan.of(going, _create(desired, wanted), _change_processes(desired, frozenset()), _seen(desired))
    current, wanted = observed.source, wanted_source(desired, observed, version)
    running, rolling = observed.refresh, _begins_refresh(desired, observed, wanted, version)
    first: Await | None = None
    if running is not None:
        carried = same_source(current, wanted) or refreshing.carries(running, wanted)
        first = refreshing.under_way(desired, running, anyhow=not carried) if desired.wait or not carried else None
        if carried:
            rolling, wanted = [], current
    told = bool(rolling and (desired.refresh or {}).get("auto_rollback"))
    updated = _update(desired, observed, current if told else wanted, wait=not rolling)
    begun = refreshing.begin(desired, rolling, wanted, current or wanted) if rolling and wanted else None
    steps = Plan.of(
        first,
        _change_tags(desired, observed),
        _change_processes(desired, observed.suspended),
        updated,
        begun,
    )
    again = begun or first or (updated is None and not observed.settled)
    return Plan.of(steps, Await(desired.address, _capacity(desired, observed)) if again and desired.wait else None)


def facts(desired: AutoScalingGroup, observed: Observed | None, version: Version | None) -> dict[str, Any]:
    """The group as it will be."""
    base = None if observed is None or observed.deleting else observed
    wanted = wanted_source(desired, base, version)
    held = {name: base[member] for name, member in SIZES.items()} if base else _new_sizes(desired)
    settings = {name: base[member] if base else None for name, member in SETTINGS.items()}
    items = plan(desired, observed, version).items
    looked = any(item.wait is not None and item.wait.path in (_CAPACITY, _SEEN) for item in items)
    instances: Any = instance_facts(base.instances) if base else []
    if looked:
        instances = decided(desired, "Instances", via=instance_facts)
    tags = {key: value for key, (value, _propagated) in _tags_after(desired, base).items()}
    return {
        "name": desired.name,
        "cluster_name": desired.cluster_name,
        "arn": base["AutoScalingGroupARN"] if base else decided(desired, "AutoScalingGroupARN"),
        **(wanted.facts if wanted else {"launch_template": None, "mixed_instances_policy": None}),
        **sizes_after(desired, held),
        "subnet_ids": list(desired.subnet_ids or (base.subnet_ids if base else ())),
        **settings,
        **desired.settings,
        "suspended_processes": sorted(
            desired.suspended if desired.suspended is not None else base.suspended if base else ()
        ),
        "instances": instances,
        "tags": tags,
    }


def warnings(desired: AutoScalingGroup, observed: Observed | None, version: Version | None) -> list[str]:
    """What is left as it is, and should be known."""
    if observed is None or observed.deleting or desired.refresh is not None or not desired.present:
        return []
    old = refreshing.stale(observed, wanted_source(desired, observed, version), version, {})
    if not old or observed.refresh is not None:
        return []
    names = ", ".join(sorted(str(item["InstanceId"]) for item in old))
    return [f"instance_refresh: {names} of {desired.name} stay as they are; give it to have them replaced."]


def _begins_refresh(
    desired: AutoScalingGroup, observed: Observed, wanted: Source | None, version: Version | None
) -> list[Mapping[str, Any]]:
    """The instances that a refresh has to replace; none where no refresh was asked for."""
    return [] if desired.refresh is None else refreshing.stale(observed, wanted, version, desired.refresh)


def _plan_absent(desired: AutoScalingGroup, observed: Observed | None) -> Plan:
    if observed is None:
        return Plan()
    if observed.deleting:
        return Plan.of(Await(desired.address, _gone(desired)) if desired.wait else None)
    instances = sorted(str(item["InstanceId"]) for item in observed.instances)
    before = {"desired_capacity": observed["DesiredCapacity"], "instances": instances}
    request = {**desired.key, "ForceDelete": True}
    wait = _gone(desired) if desired.wait else None
    risk, operation = Risk.IRREVERSIBLE, "DeleteAutoScalingGroup"
    gone = Step("autoscaling", operation, request, desired.address, before, {}, risk, wait, retry=BUSY)
    return Plan.of(gone)


def _new_sizes(desired: AutoScalingGroup) -> dict[str, int]:
    low = desired.sizes.get("min_size", 0)
    return {"min_size": low, "max_size": desired.sizes.get("max_size", low), "desired_capacity": low}


def _create(desired: AutoScalingGroup, wanted: Source | None) -> Step:
    tags = _tags_after(desired, None)
    sizes = {SIZES[name]: size for name, size in desired.sizes.items()}
    request = {
        **desired.key,
        **(wanted.request if wanted else {}),
        **sizes,
        "VPCZoneIdentifier": _joined(desired.subnet_ids or ()),
        **{SETTINGS[name]: value for name, value in desired.settings.items()},
        "Tags": _tag_list(desired, tags),
    }
    after = {
        **(wanted.facts if wanted else {}),
        **_new_sizes(desired),
        **desired.sizes,
        "subnet_ids": list(desired.subnet_ids or ()),
        **desired.settings,
        "tags": {key: value for key, (value, _propagated) in tags.items()},
    }
    wait = _capacity(desired, None) if desired.wait else None
    address, operation = desired.address, "CreateAutoScalingGroup"
    return Step("autoscaling", operation, request, address, after=after, wait=wait, retry=(*NOT_YET, *BUSY))


def _update(desired: AutoScalingGroup, observed: Observed, wanted: Source | None, wait: bool) -> Step | None:
    """One call for all that differs; C(wanted) is the group's own source where a refresh brings the new one."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    request: dict[str, Any] = {}
    current = observed.source
    if wanted is not None and not same_source(current, wanted):
        request |= wanted.request
        had = current.facts if current else dict.fromkeys(wanted.facts)
        before |= {name: value for name, value in had.items() if value != wanted.facts[name]}
        after |= {name: value for name, value in wanted.facts.items() if value != had[name]}
    for name, member in {**SIZES, **SETTINGS}.items():
        value = {**desired.sizes, **desired.settings}.get(name)
        held = observed[member] if observed[member] is not None else UNSET.get(name)
        if value is not None and value != held:
            request[member], before[name], after[name] = value, held, value
    if desired.subnet_ids is not None and set(desired.subnet_ids) != set(observed.subnet_ids):
        request["VPCZoneIdentifier"] = _joined(desired.subnet_ids)
        before["subnet_ids"], after["subnet_ids"] = sorted(observed.subnet_ids), sorted(desired.subnet_ids)
    if not request:
        return None
    sizes = {name: observed[member] for name, member in SIZES.items()}
    fewer = sizes_after(desired, sizes)["desired_capacity"] < sizes["desired_capacity"]
    left = set(observed.subnet_ids) - set(desired.subnet_ids or observed.subnet_ids)
    risk = Risk.DISRUPTIVE if fewer or left else Risk.SAFE
    halted = "Launch" in (observed.suspended if desired.suspended is None else desired.suspended)
    waited = _capacity(desired, observed) if wait and desired.wait and not halted else None
    request = {**desired.key, **request}
    operation = "UpdateAutoScalingGroup"
    return Step(
        "autoscaling", operation, request, desired.address, before, after, risk, waited, retry=(*NOT_YET, *BUSY)
    )


def _change_processes(desired: AutoScalingGroup, suspended: frozenset[str]) -> list[Step]:
    if desired.suspended is None:
        return []
    before = {"suspended_processes": sorted(suspended)}
    after = {"suspended_processes": sorted(desired.suspended)}
    calls = (("SuspendProcesses", desired.suspended - suspended), ("ResumeProcesses", suspended - desired.suspended))
    return [
        Step(
            "autoscaling",
            operation,
            {**desired.key, "ScalingProcesses": sorted(names)},
            desired.address,
            before,
            after,
        )
        for operation, names in calls
        if names
    ]


def _tags_after(desired: AutoScalingGroup, observed: Observed | None) -> dict[str, Tag]:
    """The tags as they will be. The cluster's own is always there; a value that it has already stays."""
    current = observed.tags if observed else {}
    cluster = f"{CLUSTER_TAG}{desired.cluster_name}"
    given = {key: (value, desired.propagate) for key, value in (desired.tags or {}).items()}
    kept = current
    if desired.tags is not None and desired.purge_tags:
        held = (tagging.OWN_PREFIX, tagging.AWS_PREFIX)
        kept = {key: tag for key, tag in current.items() if key in given or key == cluster or key.startswith(held)}
    own: dict[str, Tag] = {} if observed else {OWNED: (desired.name, False)}
    return {cluster: ("owned", True), **kept, **own, **given}


def _change_tags(desired: AutoScalingGroup, observed: Observed) -> list[Step]:
    current, wanted = observed.tags, _tags_after(desired, observed)
    before = {"tags": {key: value for key, (value, _propagated) in current.items()}}
    after = {"tags": {key: value for key, (value, _propagated) in wanted.items()}}
    to_set = {key: tag for key, tag in wanted.items() if current.get(key) != tag}
    to_remove = {key: tag for key, tag in current.items() if key not in wanted}
    return [
        Step("autoscaling", operation, {"Tags": _tag_list(desired, tags)}, desired.address, before, after)
        for operation, tags in (("CreateOrUpdateTags", to_set), ("DeleteTags", to_remove))
        if tags
    ]


def _tag_list(desired: AutoScalingGroup, tags: Mapping[str, Tag]) -> list[dict[str, Any]]:
    key = {"ResourceId": desired.name, "ResourceType": "auto-scaling-group"}
    return [
        {**key, "Key": name, "Value": value, "PropagateAtLaunch": propagated}
        for name, (value, propagated) in sorted(tags.items())
    ]


def _joined(subnet_ids: Any) -> Any:
    """Subnets as Auto Scaling takes them; ids that are references only stand in a plan."""
    return ",".join(map(str, subnet_ids))


def _seen(desired: AutoScalingGroup) -> Await | None:
    """A look at a group that nobody waits for: AWS does not answer its creation with anything."""
    wait = Wait("autoscaling", "DescribeAutoScalingGroups", _names(desired), _SEEN, (1,))
    return None if desired.wait else Await(desired.address, wait)


def _gone(desired: AutoScalingGroup) -> Wait:
    return Wait(
        "autoscaling",
        "DescribeAutoScalingGroups",
        _names(desired),
        path="AutoScalingGroups[0] && (AutoScalingGroups[0].Status || 'there') || 'gone'",
        success=("gone",),
        interval=10.0,
        timeout=TIMEOUT,
    )


def _capacity(desired: AutoScalingGroup, observed: Observed | None) -> Wait:
    """All instances in service. Once nothing is being launched any more, a launch that has failed ends the wait."""
    known = json.dumps(list(observed.failed) if observed else []).replace("`", "")
    failed = f"(Activities || `[]`)[?StatusCode=='Failed' && !contains(`{known}`, ActivityId)]"
    busy = f"(Activities || `[]`)[?!({_ENDED})]"
    watch = Wait(
        "autoscaling",
        "DescribeScalingActivities",
        desired.key,
        path=f"length({failed}) > `0` && length({busy}) == `0` && 'failed' || 'launching'",
        success=(),
        failure=("failed",),
        detail=f"{failed} | [0] | (StatusMessage || Description)",
    )
    return Wait(
        "autoscaling",
        "DescribeAutoScalingGroups",
        _names(desired),
        path=_CAPACITY,
        success=("in service",),
        interval=10.0,
        timeout=TIMEOUT,
        watch=watch,
    )


def _names(desired: AutoScalingGroup) -> dict[str, Any]:
    return {"AutoScalingGroupNames": [desired.name]}
