# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as users do, in a process of their own, and looks at what reached the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from harness import Operations, operations

from eksops_emulator import Emulator


@dataclass(frozen=True)
class Run:
    """One run: its exit code, its output, the plan callback's JSON, and the successful writes it made."""

    returncode: int
    output: str
    plan: dict[str, Any]
    writes: Operations

    @property
    def steps(self) -> Operations:
        """The plan's calls, whatever became of them."""
        return operations(self.plan["steps"])


class Playbooks:
    """`playbooks(name, document)` runs a playbook to a good end; with `may_fail=True` to any."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.emulator = emulator
        self.directory = directory

    def __call__(
        self, name: str, document: dict[str, Any], *options: str, check: bool = False, may_fail: bool = False
    ) -> Run:
        variables, plan_file = self.directory / "document.yml", self.directory / "plan.json"
        variables.write_text(yaml.safe_dump(document), encoding="utf-8")
        plan_file.unlink(missing_ok=True)
        before = len(self.emulator.journal.writes(ok_only=True))
        process = subprocess.run(
            [
                str(Path(sys.executable).parent / "ansible-playbook"),
                name,
                f"--extra-vars=@{variables}",
                *options,
                *(["--check"] if check else []),
            ],
            env={**os.environ, **self._settings(plan_file)},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        output = process.stdout + process.stderr
        assert may_fail or process.returncode == 0, output
        plan = json.loads(plan_file.read_text(encoding="utf-8"))
        calls = self.emulator.journal.writes(ok_only=True)[before:]
        return Run(process.returncode, output, plan, [(call.service, call.operation) for call in calls])

    def _settings(self, plan_file: Path) -> dict[str, str]:
        return {
            "ANSIBLE_CALLBACKS_ENABLED": "eksops.ipv6.plan",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "EKSOPS_IPV6_PLAN_JSON": str(plan_file),
            # kubernetes.core keeps what it discovered at an address in a file of the temporary directory.
            "TMPDIR": str(self.directory),
        }
