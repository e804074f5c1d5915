# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from markdown_it import MarkdownIt

from ansible_collections.eksops.ipv6.plugins.plugin_utils import _plan_render
from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_render import to_json, to_lines, to_markdown
from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_report import PlanReport, TaskInfo

NETWORK = TaskInfo("localhost", "eks_network : Network", "eksops.ipv6.ec2_vpc_ipv6_network", True)
ROLES = TaskInfo("localhost", "eks_iam : Roles", "eksops.ipv6.iam_eks_roles", True)
WAITS = "After 1 of them the run waits for AWS."


def step(operation: str, resource: str, risk: str = "safe", **more: Any) -> dict[str, Any]:
    return {"service": "ec2", "operation": operation, "resource": resource, "risk": risk, **more}


def report(check_mode: bool = True) -> PlanReport:
    """Three steps of two tasks, one of each risk."""
    made = PlanReport(check_mode=check_mode)
    network = TaskInfo(NETWORK.host, NETWORK.task, NETWORK.action, check_mode)
    roles = TaskInfo(ROLES.host, ROLES.task, ROLES.action, check_mode)
    waiting = step("CreateVpc", "vpc/a", after={"cidr_block": "10.0.0.0/16"}, waits_for="until available")
    replaced = step("ReplaceRoute", "route/b", "disruptive", before={"target": "igw"}, after={"target": "eigw|x"})
    made.add(network, {"plan": [waiting, replaced]})
    made.add(roles, {"plan": [step("DeleteRole", "role/c", "irreversible")]})
    return made


def failed() -> PlanReport:
    made = PlanReport()
    info = TaskInfo("localhost", "Network", "eksops.ipv6.ec2_vpc_ipv6_network", False)
    result = {
        "plan": [step("A", "a")],
        "failed_step": step("B", "b"),
        "remaining": [step("C", "c")],
        "msg": "AWS said no",
    }
    made.add(info, result)
    made.fail(info, result)
    return made


def text(made: PlanReport) -> str:
    return "\n".join(line.text for line in to_lines(made))


def cells(markdown: str) -> list[list[str]]:
    """The rows of all tables, as a Markdown parser sees them."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def test_terminal_numbers_the_steps_below_their_tasks() -> None:
    assert text(report()).splitlines() == [
        "eks_network : Network",
        "   1  safe          ec2:CreateVpc     vpc/a    cidr_block: 10.0.0.0/16 (waits until available)",
        "   2  disruptive    ec2:ReplaceRoute  route/b  target: igw -> eigw|x",
        "",
        "eks_iam : Roles",
        "   3  irreversible  ec2:DeleteRole    role/c",
        "",
        "3 steps to make: 1 safe, 1 disruptive, 1 irreversible. Check mode: nothing was changed. " + WAITS,
    ]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ({}, {"vpc_id": "pending:vpc/a", "tags": {"a": "b"}}, "vpc_id: vpc/a"),
        ({"tags": {"a": "b"}}, {"tags": {"a": "c"}}, "tags: a=b -> a=c"),
        ({"on": False}, {"on": True}, "on: false -> true"),
        ({"same": 1, "gone": [1, 2]}, {"same": 1}, "gone: 1 2 -> none"),
        ({"cidr_block": "10.0.0.0/16"}, {}, "cidr_block: 10.0.0.0/16"),
        ({"a": None}, {"a": []}, ""),
        ({}, {"policy": {"Statement": [{"Action": "*"}]}, "taints": [{"key": "a"}]}, "policy: {...}, taints: [...]"),
        ({}, {"scaling": {"min_size": 1, "max_size": 2, "desired_size": None}}, "scaling: min_size=1 max_size=2"),
        ({}, {"long": "x" * 200}, "long: " + "x" * 91 + "..."),
        ({}, {"tags": {"a": "b"}}, ""),
    ],
)
def test_terminal_says_in_brief_what_changes(before: dict[str, Any], after: dict[str, Any], shown: str) -> None:
    made = PlanReport()
    made.add(NETWORK, {"plan": [step("A", "a", before=before, after=after)]})
    assert to_lines(made)[1].text == f"   1  safe          ec2:A  a  {shown}".rstrip()


def test_terminal_tones_follow_the_risk_and_the_outcome() -> None:
    assert [line.tone for line in to_lines(report()) if line.text.startswith("   ")] == [
        "safe",
        "disruptive",
        "irreversible",
    ]
    assert [line.tone for line in to_lines(failed()) if line.text.startswith("   ")] == ["safe", "failed", "remaining"]


def test_terminal_says_after_a_run_what_was_made() -> None:
    assert "3 steps made: 1 safe, 1 disruptive, 1 irreversible." in text(report(check_mode=False))


def test_terminal_shows_where_a_run_failed() -> None:
    shown = text(failed())
    assert "   1  performed safe          ec2:A  a" in shown
    assert "   2  failed    safe          ec2:B  b" in shown
    assert "   3  remaining safe          ec2:C  c" in shown
    assert "1 of 3 steps were made (3 safe), 1 failed, 1 remain." in shown
    assert "The run ended on localhost at: Network." in shown


def test_an_empty_plan_is_nothing_to_do() -> None:
    assert text(PlanReport()) == "Nothing to do: everything is as described."
    assert to_markdown(PlanReport()).startswith("## Plan: nothing to do\n")


def test_what_cannot_be_seen_is_not_nothing_to_do() -> None:
    for made in (PlanReport(changed_tasks=1), PlanReport(hidden=["Secret"])):
        assert text(made).startswith("No steps to show.")
        assert to_markdown(made).startswith("## Plan: no steps to show\n")


def test_a_failure_without_steps_is_not_nothing_to_do() -> None:
    made = PlanReport()
    made.fail(NETWORK, {"msg": "vpc: no"})
    assert "Nothing to do" not in text(made) + to_markdown(made)
    assert "The run ended on localhost at: eks_network : Network." in text(made)


def test_several_hosts_are_named() -> None:
    made = PlanReport()
    for host in ("a", "b"):
        made.add(TaskInfo(host, "Network", "x", True), {"plan": [step("CreateVpc", "vpc/a")]})
    assert [line.text for line in to_lines(made) if line.tone == "title"][:2] == ["a: Network", "b: Network"]
    assert cells(to_markdown(made))[0] == ["#", "Risk", "Call", "Resource", "Change", "Task", "Host"]


def test_markdown_tables_hold_what_the_steps_hold() -> None:
    markdown = to_markdown(report())
    assert markdown.startswith("## Plan: 3 steps\n")
    assert cells(markdown) == [
        ["#", "Risk", "Call", "Resource", "Change", "Task"],
        ["1", "safe", "ec2:CreateVpc", "vpc/a", "cidr_block: 10.0.0.0/16", "eks_network : Network"],
        ["2", "disruptive", "ec2:ReplaceRoute", "route/b", "target: igw -> eigw|x", "eks_network : Network"],
        ["3", "irreversible", "ec2:DeleteRole", "role/c", "", "eks_iam : Roles"],
        ["Field", "Before", "After"],
        ["cidr_block", "", "10.0.0.0/16"],
        ["Field", "Before", "After"],
        ["target", "igw", "eigw|x"],
    ]


@pytest.mark.parametrize("name", ["a|b", "*bold*", "<script>", "`tick`", "[link](x)", "two\nlines", "back\\slash"])
def test_markdown_takes_text_as_text(name: str) -> None:
    made = PlanReport()
    made.add(TaskInfo("localhost", name, "x", True), {"plan": [step("CreateVpc", name)]})
    row = cells(to_markdown(made))[1]
    assert [row[3], row[5]] == [" ".join(name.split())] * 2


def test_markdown_names_the_failure() -> None:
    markdown = to_markdown(failed())
    assert markdown.startswith("## Failed: 1 of 3 steps made\n")
    assert "`AWS said no`" in markdown
    assert [row[-1] for row in cells(markdown)[1:4]] == ["performed", "failed", "remaining"]


def test_markdown_stays_short_enough_for_a_comment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<details>" in to_markdown(report())
    monkeypatch.setattr(_plan_render, "COMMENT_LIMIT", 700)
    shortened = to_markdown(report())
    assert len(shortened) <= 700
    assert "<details>" not in shortened
    assert "too long for a comment" in shortened


def test_json_counts_and_lists() -> None:
    document = json.loads(to_json(report()))
    assert document["schema_version"] == 1
    assert (document["check_mode"], document["changed"], document["failed"]) == (True, True, False)
    assert (document["planned_steps"], document["performed_steps"]) == (3, 0)
    assert document["counts"]["risk"] == {"safe": 1, "disruptive": 1, "irreversible": 1}
    assert document["counts"]["status"] == {"planned": 3, "performed": 0, "failed": 0, "remaining": 0}
    assert document["counts"]["waits"] == 1
    assert [item["number"] for item in document["steps"]] == [1, 2, 3]
    assert document["steps"][1]["before"] == {"target": "igw"}
    assert document["failed_step"] is None


def test_json_of_a_failed_run_has_the_failed_step() -> None:
    document = json.loads(to_json(failed()))
    assert document["failed"] is True
    assert document["failed_step"]["number"] == 2
    assert document["failures"] == [{"host": "localhost", "task": "Network", "message": "AWS said no"}]


def test_hidden_tasks_are_named_everywhere() -> None:
    made = PlanReport()
    made.add(NETWORK, {"censored": "hidden"})
    assert "no_log: the steps of eks_network : Network" in text(made)
    assert "eks\\_network : Network" in to_markdown(made) or "`eks_network : Network`" in to_markdown(made)
    assert json.loads(to_json(made))["hidden_tasks"] == ["eks_network : Network"]
