# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How EKS looks after a node group's nodes: repair and warm pools, in AWS's names and in ours (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..plan import Problem

SOURCE = "EKS API reference, NodeRepairConfig and WarmPoolConfig"
OVERRIDES = "node_repair_config_overrides"
NODE_REPAIR = {
    "enabled": "enabled",
    "max_unhealthy_node_threshold_count": "maxUnhealthyNodeThresholdCount",
    "max_unhealthy_node_threshold_percentage": "maxUnhealthyNodeThresholdPercentage",
    "max_parallel_nodes_repaired_count": "maxParallelNodesRepairedCount",
    "max_parallel_nodes_repaired_percentage": "maxParallelNodesRepairedPercentage",
    OVERRIDES: "nodeRepairConfigOverrides",
}
OVERRIDE = {
    "node_monitoring_condition": "nodeMonitoringCondition",
    "node_unhealthy_reason": "nodeUnhealthyReason",
    "min_repair_wait_time_mins": "minRepairWaitTimeMins",
    "repair_action": "repairAction",
}
WARM_POOL = {
    "enabled": "enabled",
    "min_size": "minSize",
    "max_group_prepared_capacity": "maxGroupPreparedCapacity",
    "pool_state": "poolState",
    "reuse_on_scale_in": "reuseOnScaleIn",
}
# A limit is a count or a percentage, never both (NodeRepairConfig's documentation).
_PAIRS = tuple(
    (f"{kind}_count", f"{kind}_percentage") for kind in ("max_unhealthy_node_threshold", "max_parallel_nodes_repaired")
)
# What an enabled pool has where nobody says anything (WarmPoolConfig's documentation).
_WARM_POOL_DEFAULTS = {"min_size": 0, "pool_state": "STOPPED", "reuse_on_scale_in": False}
# What an update of a warm pool announces: UpdateParamType in botocore.
_WARM_POOL_PARAMS = {
    "WarmPoolEnabled": "enabled",
    "WarmPoolMinSize": "min_size",
    "WarmPoolMaxGroupPreparedCapacity": "max_group_prepared_capacity",
    "WarmPoolState": "pool_state",
    "WarmPoolReuseOnScaleIn": "reuse_on_scale_in",
}


def said_repair(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The option node_repair_config without what was not given, its overrides in a stable order."""
    given = {name: value for name, value in (options or {}).items() if value is not None}
    return {**given, OVERRIDES: _ordered(given[OVERRIDES])} if OVERRIDES in given else given


def repair_facts(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """AWS's NodeRepairConfig as facts; without one nothing is repaired."""
    given = config or {}
    facts = {name: given.get(member) for name, member in NODE_REPAIR.items()}
    overrides = [{name: item.get(member) for name, member in OVERRIDE.items()} for item in facts[OVERRIDES] or ()]
    return {**facts, "enabled": bool(given.get("enabled")), OVERRIDES: _ordered(overrides)}


def repair_after(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Facts once the options are set: a limit as a count and one as a percentage take each other's place."""
    replaced = {name: None for pair in _PAIRS for name in pair if set(pair) & set(wanted)}
    return {**current, **replaced, **wanted}


def carried(facts: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """What of these facts has to be said to a group made anew: nothing where they are what it has anyway."""
    return {} if facts == default else {name: value for name, value in facts.items() if value is not None}


def repair_request(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts or options as AWS takes them, whole."""
    request = {NODE_REPAIR[name]: value for name, value in facts.items() if value is not None}
    if OVERRIDES in facts:
        request[NODE_REPAIR[OVERRIDES]] = [
            {OVERRIDE[name]: value for name, value in item.items()} for item in facts[OVERRIDES]
        ]
    return request


def warm_pool_facts(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """AWS's WarmPoolConfig as facts; one that is enabled has AWS's defaults where it says nothing."""
    given = {name: (config or {}).get(member) for name, member in WARM_POOL.items()}
    return warm_pool_after({**dict.fromkeys(WARM_POOL), "enabled": False}, given)


def warm_pool_after(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Facts once the options are set. What was not given stays, and what never was has AWS's default."""
    after = {**current, **{name: value for name, value in wanted.items() if value is not None}}
    if not after["enabled"]:
        return {**dict.fromkeys(WARM_POOL), "enabled": False}
    return after | {name: value for name, value in _WARM_POOL_DEFAULTS.items() if after[name] is None}


def warm_pool_request(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts or options as AWS takes them."""
    return {WARM_POOL[name]: value for name, value in facts.items() if value is not None}


def announced(current: Mapping[str, Any], params: Mapping[str, str], documents: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that running updates announce. How AWS writes C(NodeRepairConfig) is presumed: as it was sent."""
    found: dict[str, Any] = {}
    repair = documents.get("NodeRepairConfig")
    if isinstance(repair, dict):
        found["node_repair_config"] = repair_facts(repair)
    pool = {name: documents.get(param) for param, name in _WARM_POOL_PARAMS.items() if param in params}
    if "WarmPoolState" in params:
        pool["pool_state"] = params["WarmPoolState"]
    if pool:
        found["warm_pool_config"] = warm_pool_after(current["warm_pool_config"], pool)
    return found


def refuse(repair: Mapping[str, Any], warm_pool: Mapping[str, Any]) -> Iterator[Problem]:
    """What cannot be, whatever exists."""
    for count, percentage in _PAIRS:
        if {count, percentage} <= set(repair):
            yield Problem("node_repair_config", f"{count} and {percentage} exclude each other.", source=SOURCE)
    for name in (name for pair in _PAIRS for name in pair if name in repair):
        most = 100 if name.endswith("_percentage") else None
        if repair[name] < 1 or (most is not None and repair[name] > most):
            text = f"{repair[name]} is {'below 1' if most is None else f'outside 1 to {most}'}."
            yield Problem(f"node_repair_config.{name}", text, source=SOURCE)
    overrides = repair.get(OVERRIDES, ())
    marks = [(item["node_monitoring_condition"], item["node_unhealthy_reason"]) for item in overrides]
    if len(set(marks)) != len(marks):
        yield Problem(f"node_repair_config.{OVERRIDES}", "two of them have the same condition and reason.")
    if any(item["min_repair_wait_time_mins"] < 1 for item in overrides):
        yield Problem(f"node_repair_config.{OVERRIDES}", "min_repair_wait_time_mins is 1 at least.", source=SOURCE)
    if warm_pool.get("min_size", 0) < 0:
        yield Problem("warm_pool_config.min_size", f"{warm_pool['min_size']} is below zero.", source=SOURCE)
    if warm_pool.get("enabled") is False and len(warm_pool) > 1:
        yield Problem("warm_pool_config", "a pool that is not enabled has no settings.", "Leave the others out.")


def refuse_pool(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Problem]:
    """Settings of a pool that is not there."""
    if wanted and "enabled" not in wanted and not current["enabled"]:
        yield Problem("warm_pool_config", "the node group has no warm pool to set this of.", "Set enabled: true.")


def refuse_bottlerocket(ami_type: str, warm_pool: Mapping[str, Any]) -> Iterator[Problem]:
    """What AWS says Bottlerocket cannot do in a warm pool."""
    if not ami_type.startswith("BOTTLEROCKET_"):
        return
    if warm_pool.get("pool_state") == "HIBERNATED":
        yield Problem("warm_pool_config.pool_state", "Bottlerocket does not hibernate.", "Take STOPPED.", SOURCE)
    if warm_pool.get("reuse_on_scale_in"):
        yield Problem("warm_pool_config.reuse_on_scale_in", "Bottlerocket's instances cannot return.", source=SOURCE)


def _ordered(overrides: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        ({name: item[name] for name in OVERRIDE} for item in overrides),
        key=lambda item: (str(item["node_monitoring_condition"]), str(item["node_unhealthy_reason"])),
    )
