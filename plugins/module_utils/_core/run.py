# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a plan to a module's result: show it or make its calls, say what came of them, tell a failure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import tag_options
from .plan import (
    Await,
    Expect,
    Outcome,
    Plan,
    Problem,
    Ref,
    Refused,
    Step,
    Wait,
    diff_of,
    has_ref,
    refuse_if_any,
    render,
    resolve,
    step_result,
)
from .session import CONSISTENCY_TIMEOUT, THROTTLING, AwsError, ConnectionFailed, Session, WaitFailed, search

if TYPE_CHECKING:
    from .host import Host

_DENIED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
WAITING: dict[str, dict[str, Any]] = {
    "wait_timeout": {"type": "int"},
    "wait_interval": {"type": "float"},
}


class Failed(Exception):
    """A run that did not reach its end; C(result) is what the module returns."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result["msg"])
        self.result = result


class Unexpected(Exception):
    """AWS took the call, and answered something other than what was asked for."""


@dataclass(frozen=True)
class Door:
    """What both doors need of a module: its arguments, the services it calls, and its planner.

    C(build) takes the parameters and a session, only reads, and returns an Outcome. C(constraints) are AnsibleModule's
    own (C(mutually_exclusive), C(required_if), ...). C(writes) is false for an C(_info) module.
    """

    argument_spec: Mapping[str, Any]
    build: Callable[[Mapping[str, Any], Session], Outcome]
    services: tuple[str, ...] = ()
    constraints: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    writes: bool = True

    def spec(self) -> dict[str, Any]:
        """The module's own arguments, and those of waiting where it can wait."""
        return {**self.argument_spec, **(WAITING if self.writes else {})}

    def enter_module(self) -> None:
        """The module door: everything a module's main() does."""
        from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

        aws_module = AnsibleAWSModule(argument_spec=self.spec(), supports_check_mode=True, **self.constraints)
        # The plain module below it: AnsibleAWSModule.exit_json hands warnings on in a way that core deprecates.
        module = aws_module._module
        host = _ModuleHost(module)
        try:
            leave, result = module.exit_json, perform(self, host)
        except Failed as failure:
            leave, result = module.fail_json, failure.result
        for warning in result.pop("warnings", ()):
            module.warn(warning)
        leave(**result)


class _ModuleHost:
    """A module process: parameters from AnsibleModule, no way to show progress."""

    def __init__(self, module: Any) -> None:
        self.name: str = module._name
        self.params: Mapping[str, Any] = module.params
        self.check_mode: bool = module.check_mode
        self.diff_mode: bool = module._diff

    def progress(self, text: str) -> None:
        """A module's output is read when it ends: nothing to show meanwhile."""


def perform(door: Door, host: Host, loader: Any = None) -> dict[str, Any]:
    """Plan, and outside check mode apply. Both doors, and the tests, come through here.

    @raises Failed  with the complete result of the failed run.
    """
    session = Session(host, loader)
    try:
        params, problems = tag_options.as_text(host.params, door.argument_spec)
        refuse_if_any([*_empty(door, host), *problems])
        outcome = door.build(params, session)
    except Refused as refused:
        raise Failed(_refusal(refused)) from refused
    except (AwsError, ConnectionFailed) as error:
        text = _explain(error, wrote=False)
        raise Failed({"msg": f"{host.name} could not read what exists. {text}", **_error(error)}) from error
    application = Application(session)
    if not host.check_mode:
        _apply(application, outcome, host)
    return _result(door, host, session, outcome, application)


def _empty(door: Door, host: Host) -> list[Problem]:
    """Required options that are an empty text: AWS takes such a name for none, and answers for all there are."""
    required = [name for name, spec in door.argument_spec.items() if spec.get("required")]
    return [Problem(name, "is empty.", "Give it a value.") for name in required if host.params.get(name) == ""]


class Application:
    """Performs a plan and keeps what AWS answered, so that Refs can be resolved."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.done: list[dict[str, Any]] = []
        self._answers: dict[str, list[Any]] = {}

    def lookup(self, ref: Ref) -> Any:
        """The newest answer that holds the value; the reference itself, as text, when nothing was performed for it."""
        for answer in reversed(self._answers.get(ref.resource, [])):
            value = search(ref.path, answer)
            if value is not None:
                return ref.via(value) if ref.via else value
        return str(ref)

    def run(self, item: Step | Await) -> None:
        """One step with its wait, or a wait alone."""
        if isinstance(item, Step):
            request = resolve(item.request, self.lookup)
            answer = self._send(item, request)
            self._answers.setdefault(item.resource, []).append(answer)
            self.done.append(step_result(item, self.lookup))
        if item.wait is not None:
            self._wait(item.resource, item.wait)
        for expectation in item.expect:
            self._verify(item.resource, expectation)

    def _send(self, step: Step, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a write; what AWS does not see yet, though it was just made, is asked for again."""
        deadline = time.monotonic() + CONSISTENCY_TIMEOUT
        interval = self.session.interval(2.0)
        while True:
            try:
                return self.session.write(step.service, step.operation, request)
            except AwsError as error:
                if not _not_yet(step, error) or time.monotonic() + interval > deadline:
                    raise
                self.session.host.progress(f"{step.resource}: {step.operation} not possible yet ({error.code})")
                time.sleep(interval)

    def _wait(self, resource: str, wait: Wait) -> None:
        ready = replace(wait, request=resolve(wait.request, self.lookup))
        self._answers.setdefault(resource, []).append(self.session.poll(ready, resource))

    def _verify(self, resource: str, expectation: Expect) -> None:
        found = self.lookup(Ref(resource, expectation.path))
        if found != expectation.value:
            raise Unexpected(f"{expectation.message} (expected {expectation.value!r}, AWS answered {found!r})")


def _not_yet(step: Step, error: AwsError) -> bool:
    if has_ref(step.request) and error.not_found:
        return True
    return any(error.code == retry.code and retry.message in error.message for retry in step.retry)


def _apply(application: Application, outcome: Outcome, host: Host) -> None:
    items = outcome.plan.items
    for position, item in enumerate(items):
        try:
            application.run(item)
        except (AwsError, WaitFailed, ConnectionFailed, Unexpected) as error:
            raise Failed(_failure(application, items[position:], error, outcome, host)) from error


def _failure(
    application: Application, rest: tuple[Step | Await, ...], error: Exception, outcome: Outcome, host: Host
) -> dict[str, Any]:
    item, *later = rest
    tried = f"{item.service}:{item.operation} on {item.resource}" if isinstance(item, Step) else item.resource
    remaining = Plan(tuple(later)).steps
    msg = (
        f"{host.name} stopped at {tried}. {_explain(error)} "
        f"{len(application.done)} of {len(outcome.plan.steps)} steps are done; "
        "run it again once the cause is removed, and it carries on from there."
    )
    return {
        "msg": msg,
        "changed": bool(application.done),
        "plan": application.done,
        "failed_step": step_result(item, application.lookup) if isinstance(item, Step) else None,
        "remaining": [step_result(step) for step in remaining],
        "warnings": list(outcome.warnings),
        **_error(error),
    }


def _refusal(refused: Refused) -> dict[str, Any]:
    lines = [str(problem) for problem in refused.problems]
    msg = lines[0] if len(lines) == 1 else f"{len(lines)} problems, nothing was changed: " + " | ".join(lines)
    problems = [
        {"option": p.option, "message": p.message, "remedy": p.remedy, "source": p.source} for p in refused.problems
    ]
    return {"msg": msg, "changed": False, "problems": problems, "plan": []}


def _error(error: Exception) -> dict[str, Any]:
    if isinstance(error, AwsError):
        return {"error": {"code": error.code, "message": error.message, "operation": error.operation}}
    return {"error": {"code": type(error).__name__, "message": str(error), "operation": ""}}


def _explain(error: Exception, wrote: bool = True) -> str:
    """What AWS answered, and what to do next where the code tells; C(wrote) is false before any write."""
    if not isinstance(error, AwsError):
        return f"{error}."
    text = f"AWS answered {error.code}: {error.message}"
    if not text.endswith("."):
        text += "."
    if error.denied:
        return text + f" The caller needs the permission {_permission(error)}."
    if error.code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "NoCredentialsError"):
        return text + " Renew the credentials."
    if error.code in THROTTLING:
        return text + " AWS limits the rate of calls, and repeating did not help: run it again later."
    if error.lost and wrote:
        return text + " Whether AWS carried the call out is not known; a new run finds what was made by its tags."
    if "LimitExceeded" in error.code:
        return text + " A service quota is reached: raise it, or remove what is no longer used."
    return text


def _permission(error: AwsError) -> str:
    """The action that was denied: AWS names another than the call's where a role is passed (iam:PassRole), say."""
    named = _DENIED.search(error.message)
    return named[1] if named else f"{error.service}:{error.operation}"


def _result(door: Door, host: Host, session: Session, outcome: Outcome, application: Application) -> dict[str, Any]:
    steps = outcome.plan.steps
    facts = render(outcome.facts) if host.check_mode else render(resolve(outcome.facts, application.lookup))
    result: dict[str, Any] = {"changed": bool(steps), **facts}
    if door.writes:
        result["plan"] = [step_result(step) for step in steps] if host.check_mode else application.done
        if host.diff_mode:
            result["diff"] = [diff_of(step) for step in result["plan"]]
    result["warnings"] = list(outcome.warnings)
    if host.params.get("debug_botocore_endpoint_logs"):
        result["resource_actions"] = sorted(set(session.calls))
    return result
