# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts of Auto Scaling groups: what is wanted, what is stale, what is planned, and what ends a wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.autoscaling import group, group_model, group_rules
from ansible_collections.eksops.ipv6.plugins.module_utils._core.autoscaling import instance_refresh as refreshing
from ansible_collections.eksops.ipv6.plugins.module_utils._core.autoscaling.group_model import (
    AutoScalingGroup,
    Observed,
    Source,
    Version,
)
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Await, Step, Wait
from ansible_collections.eksops.ipv6.plugins.module_utils._core.session import search

TEMPLATE = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "nodes", "Version": "1"}
SECOND = Version("lt-1", "nodes", "2", {"InstanceType": "m7g.large"})
DESIRED = AutoScalingGroup(
    name="nodes",
    cluster_name="one",
    template={"id": "lt-1", "version": "2"},
    types=None,
    distribution={},
    sizes={"min_size": 1, "max_size": 3},
    subnet_ids=("subnet-1",),
    settings={},
    suspended=None,
    refresh={},
    skip_checks=frozenset(),
    tags=None,
    propagate=True,
    purge_tags=True,
    present=True,
    wait=True,
)
FACTS: dict[str, Any] = {
    "AutoScalingGroupName": "nodes",
    "AutoScalingGroupARN": "arn",
    "LaunchTemplate": TEMPLATE,
    "MinSize": 1,
    "MaxSize": 3,
    "DesiredCapacity": 2,
    "VPCZoneIdentifier": "subnet-1",
    "Instances": [
        {
            "InstanceId": f"i-{number}",
            "InstanceType": "m7g.large",
            "LifecycleState": "InService",
            "LaunchTemplate": TEMPLATE,
            "ProtectedFromScaleIn": number == 2,
        }
        for number in (1, 2)
    ],
    "Tags": [{"Key": "kubernetes.io/cluster/one", "Value": "owned", "PropagateAtLaunch": True}],
}


def planned(desired: AutoScalingGroup, observed: Observed, version: Version | None = SECOND) -> list[str]:
    items = group.plan(desired, observed, version).items
    return [item.operation if isinstance(item, Step) else "wait" for item in items]


def mixed(*types: str, version: str = "1") -> dict[str, Any]:
    launch = {
        "LaunchTemplateSpecification": {**TEMPLATE, "Version": version},
        "Overrides": [{"InstanceType": name, "WeightedCapacity": "1"} for name in types],
    }
    return {"MixedInstancesPolicy": {"LaunchTemplate": launch, "InstancesDistribution": {"OnDemandBaseCapacity": 0}}}


def test_another_version_is_an_update_and_a_refresh() -> None:
    assert planned(DESIRED, Observed(FACTS)) == ["UpdateAutoScalingGroup", "StartInstanceRefresh", "wait"]
    assert planned(replace(DESIRED, refresh=None), Observed(FACTS)) == ["UpdateAutoScalingGroup"]


def test_with_a_rollback_the_refresh_brings_the_version() -> None:
    rolling = replace(DESIRED, refresh={"auto_rollback": True})
    (step, _wait) = group.plan(rolling, Observed(FACTS), SECOND).items
    assert isinstance(step, Step) and step.operation == "StartInstanceRefresh"
    assert step.request["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "2"
    assert step.before["launch_template"]["version"] == "1"


def test_a_refresh_under_way_that_brings_the_version_is_only_waited_for() -> None:
    carrying = {"LaunchTemplate": {**TEMPLATE, "Version": "2"}}
    running = {"InstanceRefreshId": "r", "Status": "InProgress", "DesiredConfiguration": carrying}
    assert planned(DESIRED, Observed(FACTS, refresh=running)) == ["wait", "wait"]
    other = {"InstanceRefreshId": "r", "Status": "InProgress"}
    first, *rest = group.plan(DESIRED, Observed(FACTS, refresh=other), SECOND).items
    assert isinstance(first, Await) and "Failed" in first.wait.success
    assert [item.operation for item in rest if isinstance(item, Step)] == [
        "UpdateAutoScalingGroup",
        "StartInstanceRefresh",
    ]


def test_what_is_as_it_shall_be_needs_nothing() -> None:
    kept = replace(DESIRED, template={"id": "lt-1"})
    first = replace(SECOND, number="1")
    assert planned(kept, Observed(FACTS), first) == []
    assert planned(kept, Observed({**FACTS, "DesiredCapacity": 3}), first) == ["wait"]
    suspended = {**FACTS, "DesiredCapacity": 3, "SuspendedProcesses": [{"ProcessName": "Launch"}]}
    assert planned(kept, Observed(suspended), first) == []


@pytest.mark.parametrize(
    ("preferences", "found"),
    [
        ({}, ["i-1", "i-2"]),
        ({"scale_in_protected_instances": "Ignore"}, ["i-1"]),
        ({"scale_in_protected_instances": "Refresh"}, ["i-1", "i-2"]),
    ],
)
def test_which_instances_are_stale(preferences: dict[str, Any], found: list[str]) -> None:
    wanted = group_model.wanted_source(DESIRED, Observed(FACTS), SECOND)
    stale = refreshing.stale(Observed(FACTS), wanted, SECOND, preferences)
    assert [item["InstanceId"] for item in stale] == found
    assert refreshing.stale(Observed(FACTS), wanted, replace(SECOND, number="1"), preferences) == []


def test_an_instance_of_another_type_or_on_its_way_out() -> None:
    source = Source.of(mixed("m7i.large"))
    first = replace(SECOND, number="1")
    assert len(refreshing.stale(Observed(FACTS), source, first, {})) == 2
    going = [{**item, "LifecycleState": "Terminating:Wait"} for item in FACTS["Instances"]]
    assert refreshing.stale(Observed({**FACTS, "Instances": going}), source, first, {}) == []


def test_a_mixed_group_keeps_what_was_not_given() -> None:
    facts = {key: value for key, value in FACTS.items() if key != "LaunchTemplate"} | mixed("m7g.large", "m6g.large")
    wanted = group_model.wanted_source(DESIRED, Observed(facts), SECOND)
    assert wanted is not None and wanted.request["MixedInstancesPolicy"] == {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "2"},
            "Overrides": mixed("m7g.large", "m6g.large")["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 0},
    }
    plain = group_model.wanted_source(replace(DESIRED, types=()), Observed(facts), SECOND)
    assert plain is not None and plain.request == {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"}}


@given(
    low=st.integers(0, 5),
    more=st.integers(0, 5),
    current=st.integers(0, 12),
    wanted=st.none() | st.integers(0, 12),
)
def test_a_capacity_that_is_not_managed_stays_within_its_bounds(
    low: int, more: int, current: int, wanted: int | None
) -> None:
    sizes = {"min_size": low, "max_size": low + more, **({} if wanted is None else {"desired_capacity": wanted})}
    found = group_rules.sizes_after(
        replace(DESIRED, sizes=sizes), {"min_size": 0, "max_size": 12, "desired_capacity": current}
    )
    assert found["desired_capacity"] == wanted if wanted is not None else low <= found["desired_capacity"] <= low + more
    if low <= current <= low + more and wanted is None:
        assert found["desired_capacity"] == current


def capacity(*failed: str) -> Wait:
    step = group.plan(replace(DESIRED, refresh=None), Observed(FACTS, failed), SECOND).items[0]
    assert isinstance(step, Step) and step.wait is not None
    return step.wait


@pytest.mark.parametrize(
    ("states", "desired", "value"),
    [
        (["InService", "InService"], 2, "in service"),
        (["InService", "Pending"], 2, "1 of 2 in service"),
        ([], 0, "in service"),
        ([], 1, "0 of 1 in service"),
    ],
)
def test_when_all_are_in_service(states: list[str], desired: int, value: str) -> None:
    held = [{"LifecycleState": state} for state in states]
    answer = {"AutoScalingGroups": [{"Instances": held, "DesiredCapacity": desired}]}
    assert search(capacity().path, answer) == value


def test_weights_count_and_a_group_that_is_not_seen_yet_is_waited_for() -> None:
    held = [{"LifecycleState": "InService", "WeightedCapacity": "2"}]
    answer: dict[str, Any] = {"AutoScalingGroups": [{"Instances": held, "DesiredCapacity": 2}]}
    assert search(capacity().path, answer) == "in service"
    assert search(capacity().path, {"AutoScalingGroups": []}) != "in service"


@pytest.mark.parametrize(
    ("activities", "value", "told"),
    [
        ([], "launching", None),
        ([("new", "Failed"), ("x", "InProgress")], "launching", "new failed"),
        ([("new", "Failed"), ("x", "Successful")], "failed", "new failed"),
        ([("known", "Failed")], "launching", None),
        ([("x", "Cancelled"), ("known", "Failed"), ("new", "Failed")], "failed", "new failed"),
    ],
)
def test_a_launch_that_has_failed_ends_the_wait_once_nothing_is_under_way(
    activities: list[tuple[str, str]], value: str, told: str | None
) -> None:
    watch = capacity("known").watch
    assert watch is not None
    answer = {
        "Activities": [
            {"ActivityId": name, "StatusCode": status, "StatusMessage": f"{name} failed"} for name, status in activities
        ]
    }
    assert search(watch.path, answer) == value
    assert search(watch.detail, answer) == told
