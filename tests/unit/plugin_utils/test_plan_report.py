# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathering the steps of many tasks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_report import (
    PlanReport,
    Status,
    TaskInfo,
    is_plan,
)


def step(operation: str, risk: str = "safe", **more: Any) -> dict[str, Any]:
    return {"service": "ec2", "operation": operation, "resource": "vpc/a", "risk": risk, **more}


def info(task: str = "Network", host: str = "localhost", check_mode: bool = False) -> TaskInfo:
    return TaskInfo(host, task, "eksops.ipv6.ec2_vpc_ipv6_network", check_mode)


def seen(report: PlanReport) -> list[tuple[str, str]]:
    return [(item.operation, item.status.value) for item in report.steps]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], True),
        ([step("CreateVpc")], True),
        (None, False),
        ("CreateVpc", False),
        ({"service": "ec2"}, False),
        (["CreateVpc"], False),
        ([{"service": "ec2", "operation": "CreateVpc"}], False),
        ([step("CreateVpc", risk=1)], False),  # type: ignore[arg-type]
    ],
)
def test_only_a_list_of_steps_is_a_plan(value: object, expected: bool) -> None:
    assert is_plan(value) is expected


def test_check_mode_plans_and_a_run_performs() -> None:
    report = PlanReport()
    report.add(info(check_mode=True), {"plan": [step("CreateVpc")]})
    report.add(info(), {"plan": [step("CreateSubnet")]})
    assert seen(report) == [("CreateVpc", "planned"), ("CreateSubnet", "performed")]
    assert report.changed


def test_other_modules_results_add_nothing() -> None:
    report = PlanReport()
    report.add(info(), {"changed": True, "plan": "gold"})
    report.add(info(), {"changed": True})
    assert report.steps == []
    assert not report.changed


def test_every_item_of_a_loop_counts() -> None:
    report = PlanReport()
    report.add(info(), {"results": [{"plan": [step("CreateVpc")]}, {"plan": [step("CreateSubnet")]}, "squashed"]})
    assert seen(report) == [("CreateVpc", "performed"), ("CreateSubnet", "performed")]


def test_steps_are_told_apart_by_host_and_keep_their_order() -> None:
    report = PlanReport()
    for host in ("a", "b", "a"):
        report.add(info(host=host), {"plan": [step(f"Create{host}")]})
    assert [item.host for item in report.steps] == ["a", "a", "b"]
    assert report.hosts == ["a", "b"]


def test_a_failed_run_shows_made_failed_and_remaining() -> None:
    report = PlanReport()
    result = {"plan": [step("CreateVpc")], "failed_step": step("CreateSubnet"), "remaining": [step("CreateRoute")]}
    report.add(info(), result)
    assert seen(report) == [("CreateVpc", "performed"), ("CreateSubnet", "failed"), ("CreateRoute", "remaining")]
    assert report.failed_step is not None
    assert report.failed_step.operation == "CreateSubnet"


def test_a_step_whose_wait_failed_is_one_step() -> None:
    report = PlanReport()
    report.add(info(), {"plan": [step("CreateVpc")], "failed_step": step("CreateVpc"), "remaining": []})
    assert seen(report) == [("CreateVpc", "failed")]
    assert not report.changed


def test_a_repeated_attempt_counts_what_it_has_made_only() -> None:
    report = PlanReport()
    attempt = {"plan": [step("CreateVpc")], "failed_step": step("CreateSubnet"), "remaining": [step("CreateRoute")]}
    report.add_attempt(info(), attempt)
    report.add_attempt(info(check_mode=True), {"plan": [step("CreateVpc")]})
    report.add(info(), {"plan": [step("CreateSubnet"), step("CreateRoute")]})
    assert seen(report) == [(name, "performed") for name in ("CreateVpc", "CreateSubnet", "CreateRoute")]


def test_hidden_output_stays_hidden() -> None:
    report = PlanReport()
    report.add(info("Secret"), {"censored": "hidden", "changed": True})
    report.add(TaskInfo("localhost", "Other", "ansible.builtin.copy", False), {"censored": "hidden"})
    report.fail(info("Secret"), {"censored": "hidden", "msg": "pw"})
    assert report.hidden == ["Secret"]
    assert report.failures[0].message == ""


def test_risks_are_counted_and_unknown_ones_are_not_lost() -> None:
    report = PlanReport()
    report.add(info(), {"plan": [step("A"), step("B", "irreversible"), step("C", "odd", waits_for="until it is gone")]})
    assert report.risks() == {"safe": 1, "disruptive": 0, "irreversible": 1, "odd": 1}
    assert report.waits == 1
    assert report.count(Status.PERFORMED) == 3
