# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan for a terminal, as Markdown and as JSON (pure).

This file is private to the collection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_report import PlanReport, PlanStep, Status

SCHEMA_VERSION = 1
NOTHING = "Nothing to do: everything is as described."
RESOURCE_LENGTH = 44  # a longer address moves its own line only
CHANGES_LENGTH = 100
EMPTY: tuple[Any, ...] = (None, "", [], {}, ())
COMMENT_LIMIT = 65_000  # GitHub refuses a comment of more than 65536 characters


@dataclass(frozen=True)
class Line:
    """A line for a terminal. C(tone) is a risk, a status, C(title) or empty."""

    text: str
    tone: str = ""


def to_lines(report: PlanReport) -> list[Line]:
    """The plan for a terminal, grouped by task."""
    lines = [*_task_lines(report), Line(headline(report), "title"), *(Line(note) for note in notes(report))]
    return [line for line in lines if line.text or report.steps]


def headline(report: PlanReport) -> str:
    """The plan in one sentence or two."""
    total = len(report.steps)
    if not total:
        return NOTHING if _all_seen(report) else "No steps to show."
    risks = ", ".join(f"{count} {risk}" for risk, count in report.risks().items() if count)
    if report.count(Status.PLANNED) == total:
        text = f"{_steps(total)} to make: {risks}. Check mode: nothing was changed."
        return text + (f" After {report.waits} of them the run waits for AWS." if report.waits else "")
    if report.count(Status.FAILED) or report.count(Status.REMAINING):
        return (
            f"{report.count(Status.PERFORMED)} of {total} steps were made ({risks}), "
            f"{report.count(Status.FAILED)} failed, {report.count(Status.REMAINING)} remain."
        )
    return f"{_steps(report.count(Status.PERFORMED))} made: {risks}."


def _all_seen(report: PlanReport) -> bool:
    """Whether there is nothing to do where there are no steps: no failure, no hidden step, no other task's change."""
    return not (report.failures or report.hidden or report.changed_tasks)


def notes(report: PlanReport) -> Iterator[str]:
    """What a reader must know besides: where the run ended, and what could not be seen."""
    for failure in report.failures:
        yield f"The run ended on {failure.host} at: {failure.task}. Steps of tasks after it are not known yet."
    for task in report.hidden:
        yield f"Not shown, because of no_log: the steps of {task}."


def to_json(report: PlanReport) -> str:
    """The plan for programs; README.md describes the members."""
    numbered = list(enumerate(report.steps, 1))
    failed = [_step_json(number, step) for number, step in numbered if step.status is Status.FAILED]
    document = {
        "schema_version": SCHEMA_VERSION,
        "check_mode": report.check_mode,
        "changed": report.changed,
        "changed_tasks": report.changed_tasks,
        "failed": bool(report.failures),
        "planned_steps": len(numbered),
        "performed_steps": report.count(Status.PERFORMED),
        "counts": {
            "risk": report.risks(),
            "status": {status.value: report.count(status) for status in Status},
            "waits": report.waits,
        },
        "steps": [_step_json(number, step) for number, step in numbered],
        "failed_step": failed[0] if failed else None,
        "failures": [{"host": f.host, "task": f.task, "message": f.message} for f in report.failures],
        "hidden_tasks": report.hidden,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"


def to_markdown(report: PlanReport) -> str:
    """The plan for a pull request's comment; without the fields of each step where they would not fit into one."""
    parts = [f"## {_title(report)}", headline(report), *_failure_notes(report)]
    parts += [f"Not shown, because of `no_log`: the steps of {_code(task)}." for task in report.hidden]
    steps = report.steps
    if steps:
        parts.append(_table(report, steps))
    full = _paragraphs([*parts, _details(steps)])
    if len(full) <= COMMENT_LIMIT:
        return full
    return _paragraphs([*parts, "The fields of each step are left out: they are too long for a comment."])


def _title(report: PlanReport) -> str:
    total = len(report.steps)
    if report.failures and not total:
        return "Plan: failed"
    if report.failures and report.check_mode:
        return f"Plan: incomplete, {_steps(total)} so far"
    if report.failures:
        return f"Failed: {report.count(Status.PERFORMED)} of {_steps(total)} made"
    if not total:
        return "Plan: nothing to do" if _all_seen(report) else "Plan: no steps to show"
    return f"Plan: {_steps(total)}" if report.check_mode else f"Applied: {_steps(total)}"


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"


def _task_lines(report: PlanReport) -> Iterator[Line]:
    steps = report.steps
    if not steps:
        return
    call = max(len(step.call) for step in steps)
    resource = min(max(len(step.resource) for step in steps), RESOURCE_LENGTH)
    several_outcomes = len({step.status for step in steps}) > 1
    number = 0
    for (host, task), group in groupby(steps, key=lambda step: (step.host, step.task)):
        yield Line(f"{host}: {task}" if len(report.hosts) > 1 else task, "title")
        for step in group:
            number += 1
            outcome = f"{step.status.value:<10}" if several_outcomes else ""
            text = f"{number:>4}  {outcome}{step.risk:<13} {step.call:<{call}}  {step.resource:<{resource}}"
            wait = f" (waits {step.waits_for})" if step.waits_for else ""
            yield Line(f"{text}  {_changes(step)}{wait}".rstrip(), _tone(step))
        yield Line("")


def _changes(step: PlanStep) -> str:
    """What a step changes, as far as it fits into a line; tags only where they are changed and nothing else is."""
    names = dict.fromkeys([*step.before, *step.after])
    told = [change for name in names if name != "tags" and (change := _change(step, name))]
    text = ", ".join(told) or (_change(step, "tags") if step.before.get("tags") else "")
    return text if len(text) <= CHANGES_LENGTH else text[: CHANGES_LENGTH - 3] + "..."


def _change(step: PlanStep, name: str) -> str:
    old, new = step.before.get(name), step.after.get(name)
    if old == new:
        return ""
    if old in EMPTY or not step.after:
        return "" if new in EMPTY and old in EMPTY else f"{name}: {_short(old if new in EMPTY else new)}"
    return f"{name}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    """A value in words; what is yet to be made goes by its address, and what is nested is left to the files."""
    if isinstance(value, str):
        return value.removeprefix("pending:")
    if isinstance(value, dict):
        filled = {name: item for name, item in value.items() if item not in EMPTY}
        nested = any(isinstance(item, (dict, list)) for item in filled.values())
        return "{...}" if nested else " ".join(f"{name}={_short(item)}" for name, item in filled.items()) or "none"
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(item, (dict, list)) for item in value)
        return "[...]" if nested else " ".join(_short(item) for item in value) or "none"
    return "none" if value is None else str(value).lower()


def _tone(step: PlanStep) -> str:
    return step.status.value if step.status in (Status.FAILED, Status.REMAINING) else step.risk


def _step_json(number: int, step: PlanStep) -> dict[str, Any]:
    return {
        "number": number,
        "host": step.host,
        "task": step.task,
        "status": step.status.value,
        "service": step.service,
        "operation": step.operation,
        "resource": step.resource,
        "risk": step.risk,
        "waits_for": step.waits_for,
        "before": step.before,
        "after": step.after,
    }


def _paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _failure_notes(report: PlanReport) -> Iterator[str]:
    for failure in report.failures:
        reason = f": {_code(failure.message)}" if failure.message else "."
        yield f"**The run ended on {_code(failure.host)} at {_code(failure.task)}**{reason}"


def _table(report: PlanReport, steps: list[PlanStep]) -> str:
    columns = ["#", "Risk", "Call", "Resource", "Change", "Task"]
    several_hosts = len(report.hosts) > 1
    several_outcomes = len({step.status for step in steps}) > 1
    columns += ["Host"] if several_hosts else []
    columns += ["Status"] if several_outcomes else []
    rows = [_row(columns), _row("---" for _unused in columns)]
    for number, step in enumerate(steps, 1):
        risk = step.risk if step.risk == "safe" else f"**{step.risk}**"
        cells = [str(number), risk, _code(step.call), _code(step.resource), _code(_changes(step)), _text(step.task)]
        cells += [_text(step.host)] if several_hosts else []
        cells += [step.status.value] if several_outcomes else []
        rows.append(_row(cells))
    return "\n".join(rows)


def _details(steps: list[PlanStep]) -> str:
    if not steps:
        return ""
    parts = ["<details><summary>Fields that change</summary>"]
    for number, step in enumerate(steps, 1):
        parts.append(f"#### {number}. {_code(step.call)} {_code(step.resource)}")
        if step.waits_for:
            parts.append(f"Waits {_text(step.waits_for)}.")
        fields = list(dict.fromkeys([*step.before, *step.after]))
        if fields:
            rows = [_row(("Field", "Before", "After")), _row(("---",) * 3)]
            rows += [_row((_code(name), _value(step.before, name), _value(step.after, name))) for name in fields]
            parts.append("\n".join(rows))
    parts.append("</details>")
    return "\n\n".join(parts)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _value(fields: Any, name: str) -> str:
    if name not in fields:
        return ""
    value = fields[name]
    return _code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _text(value: str) -> str:
    """Text on one line, in which Markdown and HTML find nothing to interpret."""
    return re.sub(r"([\\`*_\[\]<>&#])", r"\\\1", " ".join(value.split()))


def _code(value: str) -> str:
    """A code span; its fence is longer than any row of backticks within."""
    text = " ".join(value.split())
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if text[0] == "`" or text[-1] == "`" else f"{fence}{text}{fence}"
