# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: the AWS calls that are missing, in order, as plain data.

Nothing in this file talks to AWS. A planner builds C(Step)s, the runner shows or performs them. A C(Ref) stands for a
value that only an earlier step's answer can supply, so that a whole account can be planned before anything exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

PENDING = "pending:"


class Risk(StrEnum):
    """What performing a step can do to a running workload."""

    SAFE = "safe"  # adds something, or changes what no traffic depends on
    DISRUPTIVE = "disruptive"  # moves live traffic, restarts or replaces something
    IRREVERSIBLE = "irreversible"  # removes something, or cannot be taken back


@dataclass(frozen=True)
class Ref:
    """A value that is known once an earlier step has been answered.

    C(resource) is the address of that step's resource, C(path) a JMESPath expression into the step's answer, or into
    the last answer of its wait. C(via) is a pure function applied to the value found (to carve a subnet's block out of
    a VPC's, say); C(label) then names the outcome, since it is no longer the resource's own id.
    """

    resource: str
    path: str
    via: Callable[[Any], Any] | None = field(default=None, compare=False)
    label: str = ""

    def __str__(self) -> str:
        return PENDING + (self.label or self.resource)


def is_pending(value: Any) -> bool:
    """Whether a value is, or stands for, something that AWS has yet to give: a Ref, or its text out of check mode."""
    return isinstance(value, Ref) or (isinstance(value, str) and value.startswith(PENDING))


def has_ref(value: Any) -> bool:
    """Whether a request or a part of one holds a Ref."""
    if isinstance(value, Ref):
        return True
    if isinstance(value, Mapping):
        return any(has_ref(item) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(has_ref(item) for item in value)
    return False


def resolve(value: Any, lookup: Callable[[Ref], Any]) -> Any:
    """A copy of C(value) in which C(lookup) has replaced every Ref: plain data, with sets as sorted lists."""
    if isinstance(value, Ref):
        return lookup(value)
    if isinstance(value, Mapping):
        return {key: resolve(item, lookup) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, lookup) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((resolve(item, lookup) for item in value), key=str)
    if isinstance(value, Enum):
        return value.value
    return value


@dataclass(frozen=True)
class Wait:
    """A read that is repeated until a value in its answer says that AWS is done.

    C(path) is a JMESPath expression; its value is compared with C(success) and C(failure). With C(gone) the resource's
    absence is success too (any of the not-found codes). C(detail) is a JMESPath expression for what AWS says of a
    failure. C(interval) and C(timeout) are seconds; None takes the session's. C(watch) is a second read, made at every
    look that brought no success: its failure ends the wait, and its detail is told.
    """

    service: str
    operation: str
    request: Mapping[str, Any]
    path: str
    success: tuple[Any, ...]
    failure: tuple[Any, ...] = ()
    gone: bool = False
    detail: str = ""
    interval: float | None = None
    timeout: float | None = None
    watch: Wait | None = None


@dataclass(frozen=True)
class Expect:
    """What AWS's answer must say after a step: a silently ignored option is a failure, not a success."""

    path: str
    value: Any
    message: str


@dataclass(frozen=True)
class Retry:
    """An error that means "not yet": AWS's code and, where the code is a broad one, a part of its message."""

    code: str
    message: str = ""


@dataclass(frozen=True)
class Step:
    """One AWS write.

    C(service) is boto3's client name, C(operation) AWS's own name of the call, C(resource) a readable address such as
    C(subnet/private-a). C(before) and C(after) hold the fields that change, for the diff.
    """

    service: str
    operation: str
    request: Mapping[str, Any]
    resource: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    risk: Risk = Risk.SAFE
    wait: Wait | None = None
    expect: tuple[Expect, ...] = ()
    retry: tuple[Retry, ...] = ()


@dataclass(frozen=True)
class Await:
    """A wait without a write: something an earlier, interrupted run has begun. It is no step: it changes nothing."""

    resource: str
    wait: Wait
    expect: tuple[Expect, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Ordered steps and waits."""

    items: tuple[Step | Await, ...] = ()

    @classmethod
    def of(cls, *parts: Plan | Step | Await | Iterable[Step | Await] | None) -> Plan:
        """One plan out of plans, steps and lists of them, in the order given; None adds nothing."""
        items: list[Step | Await] = []
        for part in parts:
            if part is None:
                continue
            if isinstance(part, Plan):
                items.extend(part.items)
            elif isinstance(part, (Step, Await)):
                items.append(part)
            else:
                items.extend(part)
        return cls(tuple(items))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The writes."""
        return tuple(item for item in self.items if isinstance(item, Step))

    def __iter__(self) -> Iterator[Step | Await]:
        return iter(self.items)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.items + other.items)


def render(value: Any) -> Any:
    """C(value) as plain data for a result, with Refs as their C(pending:) text."""
    return resolve(value, str)


def wait_text(wait: Wait | None) -> str:
    """What a wait waits for, in words; empty where there is none."""
    if wait is None:
        return ""
    return "until it is gone" if wait.gone else f"until {' or '.join(map(str, wait.success))}"


def step_result(step: Step, lookup: Callable[[Ref], Any] = str) -> dict[str, Any]:
    """A step as modules return it under C(plan); C(lookup) says what Refs have become."""

    def shown(value: Any) -> Any:
        return render(resolve(value, lookup))

    return {
        "service": step.service,
        "operation": step.operation,
        "resource": step.resource,
        "risk": step.risk.value,
        "waits_for": wait_text(step.wait),
        "request": shown(step.request),
        "before": shown(step.before),
        "after": shown(step.after),
    }


def diff_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """A step's result as Ansible's C(--diff) shows it."""
    title = f"{result['resource']} ({result['service']}:{result['operation']}, {result['risk']})"
    return {
        "before_header": title,
        "after_header": title,
        "before": result["before"],
        "after": result["after"],
    }


@dataclass(frozen=True)
class Problem:
    """Something that must not be done: the option (or resource) it is about, why, what to do, and the rule's source.

    C(elsewhere) marks what an earlier task may be about to mend, such as a subnet's attribute: see C(refuse_now).
    """

    option: str
    message: str
    remedy: str = ""
    source: str = ""
    elsewhere: bool = False

    def __str__(self) -> str:
        text = f"{self.option}: {self.message}"
        if self.remedy:
            text += f" {self.remedy}"
        if self.source:
            text += f" [{self.source}]"
        return text


class Refused(Exception):
    """Raised before any write; holds every problem found, so that all can be mended at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def refuse_if_any(problems: Iterable[Problem]) -> None:
    """Raise Refused when there is a problem at all."""
    found = tuple(problems)
    if found:
        raise Refused(*found)


def refuse_now(problems: Iterable[Problem], check_mode: bool) -> tuple[str, ...]:
    """Like C(refuse_if_any), but in check mode what an earlier task may mend comes back as warnings.

    In check mode that task has changed nothing yet, so the account cannot show that the problem will be gone.
    """
    found = tuple(problems)
    passing = [problem for problem in found if check_mode and problem.elsewhere]
    refuse_if_any(problem for problem in found if problem not in passing)
    return tuple(
        f"{problem} Outside check mode this is refused, unless an earlier task mends it." for problem in passing
    )


@dataclass(frozen=True)
class Outcome:
    """What a planner hands to the runner: the plan, the facts as they will be (Refs where AWS decides), warnings."""

    plan: Plan
    facts: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
