# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's core in the test's own process, and holds it to what every module promises."""

from __future__ import annotations

import importlib
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.eksops.ipv6.plugins.module_utils._core.host import PlainHost
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door, Failed, perform
from ansible_collections.eksops.ipv6.plugins.module_utils._core.session import shared_loader
from eksops_emulator import Emulator

LOADER = shared_loader("ec2", "eks", "iam", "sts")
# Two tries a call: a fault that lasts shows at once, and one that passes is survived.
CONNECTION = {"region": "eu-west-1", "aws_config": {"retries": {"mode": "standard", "total_max_attempts": 2}}}
Operations = list[tuple[str, str]]


def operations(plan: list[dict[str, Any]]) -> Operations:
    """A result's plan as (service, operation) pairs."""
    return [(step["service"], step["operation"]) for step in plan]


class Player:
    """Plays modules against an emulator.

    `player(module, **params)` runs once; `player.check(...)` in check mode, where a write fails the test;
    `player.converge(...)` is the whole promise: check mode lists exactly the writes that follow, a second run has none.
    A run that is meant to fail is caught with `player.fails(...)`, which returns the failed result.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def __call__(self, module: str, check: bool = False, diff: bool = False, **params: Any) -> dict[str, Any]:
        door: Door = importlib.import_module(f"ansible_collections.eksops.ipv6.plugins.modules.{module}").DOOR
        validator = ArgumentSpecValidator({**aws_argument_spec(), **door.spec()}, **door.constraints)
        defaults = {**CONNECTION, **({"wait_interval": 0.001} if door.writes else {})}
        validation = validator.validate({**defaults, **params})
        if validation.error_messages:
            raise Failed({"msg": str(validation.errors.msg)})
        host = PlainHost(module, validation.validated_parameters, check, diff)
        return perform(door, host, LOADER)

    def check(self, module: str, **params: Any) -> dict[str, Any]:
        """A run in check mode. Not even a refused write may reach AWS."""
        before = len(self.emulator.journal.writes())
        result = self(module, check=True, **params)
        assert self.writes()[before:] == []
        return result

    def fails(self, module: str, check: bool = False, **params: Any) -> dict[str, Any]:
        """The result of a run that must fail."""
        try:
            result = self(module, check=check, **params)
        except Failed as failure:
            return failure.result
        raise AssertionError(f"{module} was expected to fail and returned {result}")

    def refuses(self, module: str, **params: Any) -> str:
        """The message of a run that must fail before any write, in check mode and without alike."""
        before = len(self.emulator.journal.writes())
        checked = self.fails(module, check=True, **params)
        applied = self.fails(module, **params)
        assert self.writes()[before:] == []
        assert checked["msg"] == applied["msg"]
        return str(applied["msg"])

    def refuses_unless_mended(self, module: str, **params: Any) -> str:
        """The message of a run that must fail before any write; check mode warns: another task may mend the cause."""
        before = len(self.emulator.journal.writes())
        warnings = self.check(module, **params)["warnings"]
        applied = self.fails(module, **params)
        assert self.writes()[before:] == []
        told = [f"{problem['option']}: {problem['message']}" for problem in applied["problems"]]
        assert told
        assert all(any(warning.startswith(text) for warning in warnings) for text in told)
        return str(applied["msg"])

    def converge(self, module: str, **params: Any) -> dict[str, Any]:
        """Check mode, the run itself, and a second run; the result of the run itself."""
        predicted = self.check(module, **params)
        before = len(self.emulator.journal.writes())
        result = self(module, **params)
        assert operations(result["plan"]) == operations(predicted["plan"])
        assert self.writes()[before:] == operations(result["plan"])
        assert result["changed"] == predicted["changed"] == bool(result["plan"])
        self.unchanged(module, **params)
        return result

    def unchanged(self, module: str, **params: Any) -> dict[str, Any]:
        """A run that must find nothing to do, and make no write call."""
        before = len(self.emulator.journal.writes())
        result = self(module, **params)
        assert result["plan"] == [], operations(result["plan"])
        assert result["changed"] is False
        assert self.writes()[before:] == []
        return result

    def writes(self) -> Operations:
        """Every write the emulator has seen, as (service, operation) pairs."""
        return [(call.service, call.operation) for call in self.emulator.journal.writes()]
