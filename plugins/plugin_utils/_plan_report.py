# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of many tasks as one plan (pure): what the callback plugin gathers, and what its renderers show.

This file is private to the collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeGuard

RISKS = ("safe", "disruptive", "irreversible")
REQUIRED = ("service", "operation", "resource", "risk")
OWN_TASKS = "eksops.ipv6."


class Status(StrEnum):
    """What became of a step."""

    PLANNED = "planned"  # check mode: it would be made
    PERFORMED = "performed"
    FAILED = "failed"
    REMAINING = "remaining"  # it was to come after a failed one


@dataclass(frozen=True)
class PlanStep:
    """One AWS write, and the task it belongs to. C(waits_for) is empty where the run does not wait after it."""

    host: str
    task: str
    status: Status
    service: str
    operation: str
    resource: str
    risk: str
    waits_for: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def call(self) -> str:
        """The call as IAM policies and CloudTrail name it."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True)
class TaskInfo:
    """What a result is the result of. C(action) is the module's full name, C(check_mode) the task's own."""

    host: str
    task: str
    action: str
    check_mode: bool


@dataclass(frozen=True)
class Failure:
    """A task that ended the run on a host, and why as far as it may be told."""

    host: str
    task: str
    message: str


@dataclass
class PlanReport:
    """Everything a run has planned or done so far. C(changed_tasks) counts those without steps too."""

    check_mode: bool = False
    changed_tasks: int = 0
    failures: list[Failure] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    _steps: list[PlanStep] = field(default_factory=list)

    def add(self, info: TaskInfo, result: Mapping[str, Any]) -> None:
        """Take the steps out of a task's result, or out of the results of its loop."""
        if "censored" in result and info.action.startswith(OWN_TASKS):
            self.hidden.append(info.task)
            return
        loop = result.get("results")
        parts = [part for part in loop if isinstance(part, Mapping)] if isinstance(loop, list) else [result]
        for part in parts:
            self._steps.extend(_steps_of(info, part))

    def add_attempt(self, info: TaskInfo, result: Mapping[str, Any]) -> None:
        """Take what an attempt has done that C(until) repeats; what it planned is planned again."""
        if not info.check_mode:
            self._steps.extend(step for step in _steps_of(info, result) if step.status is Status.PERFORMED)

    def fail(self, info: TaskInfo, result: Mapping[str, Any]) -> None:
        """Note that a task ended the run on its host."""
        message = "" if "censored" in result else str(result.get("msg", ""))
        self.failures.append(Failure(info.host, info.task, message))

    @property
    def steps(self) -> list[PlanStep]:
        """All steps in order, one host after the other."""
        hosts = list(dict.fromkeys(step.host for step in self._steps))
        return sorted(self._steps, key=lambda step: hosts.index(step.host))

    @property
    def hosts(self) -> list[str]:
        """The hosts that have steps, in the order they were met."""
        return list(dict.fromkeys(step.host for step in self._steps))

    @property
    def waits(self) -> int:
        """After how many steps the run waits."""
        return sum(1 for step in self._steps if step.waits_for)

    def count(self, status: Status) -> int:
        """How many steps have a status."""
        return sum(1 for step in self._steps if step.status is status)

    def risks(self) -> dict[str, int]:
        """How many steps there are of each risk; the known risks always, in ascending order."""
        found = Counter(step.risk for step in self._steps)
        return {risk: found[risk] for risk in (*RISKS, *sorted(set(found) - set(RISKS)))}

    @property
    def changed(self) -> bool:
        """Whether something was changed, or in check mode would be."""
        return any(step.status in (Status.PLANNED, Status.PERFORMED) for step in self._steps)

    @property
    def failed_step(self) -> PlanStep | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.status is Status.FAILED), None)


def is_plan(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    """Whether a value out of a result is a list of steps."""
    return isinstance(value, list) and all(
        isinstance(step, Mapping) and all(isinstance(step.get(key), str) for key in REQUIRED) for step in value
    )


def _steps_of(info: TaskInfo, result: Mapping[str, Any]) -> Iterator[PlanStep]:
    plan = result.get("plan")
    if not is_plan(plan):
        return
    failed = result.get("failed_step")
    # A step whose call was answered and whose wait failed is in both: it is one step, and it failed.
    done = plan[:-1] if failed and plan and plan[-1] == failed else plan
    for step in done:
        yield _step(info, step, Status.PLANNED if info.check_mode else Status.PERFORMED)
    if failed:
        yield _step(info, failed, Status.FAILED)
    for step in result.get("remaining") or ():
        yield _step(info, step, Status.REMAINING)


def _step(info: TaskInfo, step: Mapping[str, Any], status: Status) -> PlanStep:
    return PlanStep(
        host=info.host,
        task=info.task,
        status=status,
        service=step["service"],
        operation=step["operation"],
        resource=step["resource"],
        risk=step["risk"],
        waits_for=str(step.get("waits_for") or ""),
        before=step.get("before") or {},
        after=step.get("after") or {},
    )
