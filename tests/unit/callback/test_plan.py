# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback plugin, driven with Ansible's own result objects, and in one real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.callback.plan import CallbackModule

STEP = {
    "service": "ec2",
    "operation": "CreateVpc",
    "resource": "vpc/a",
    "risk": "safe",
    "before": {},
    "after": {"a": 1},
}
STATS = SimpleNamespace(changed={"localhost": 2, "other": 1})


class Screen:
    """Stands in for Ansible's display."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None]] = []

    def banner(self, text: str) -> None:
        self.lines.append((text, None))

    def display(self, text: str, color: str | None = None) -> None:
        self.lines.append((text, color))

    def warning(self, text: str) -> None:
        self.lines.append((text, "warning"))

    @property
    def text(self) -> str:
        return "\n".join(text for text, _colour in self.lines)


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def plugin(screen: Screen) -> Any:
    """The plugin with a screen to look at, and with its options in a dict: a real run reads them as Ansible does."""
    made = CallbackModule()
    made._display = screen
    made.options = {}
    made.get_option = made.options.get
    return made


def result(data: dict[str, Any], name: str = "Network", role: str = "", check_mode: bool = True) -> SimpleNamespace:
    """What every ansible-core from 2.19 on hands to callbacks, as far as they may rely on it."""
    task = SimpleNamespace(
        name=name,
        check_mode=check_mode,
        action="ec2_vpc_ipv6_network",
        resolved_action="eksops.ipv6.ec2_vpc_ipv6_network",
        _role=SimpleNamespace(get_name=lambda **_unused: role) if role else None,
    )
    return SimpleNamespace(host=SimpleNamespace(name="localhost"), task=task, result=data)


def test_the_plan_is_shown_at_the_end(plugin: Any, screen: Screen) -> None:
    plugin.v2_runner_on_ok(result({"plan": [STEP]}, role="eks_network"))
    assert screen.lines == []
    plugin.v2_playbook_on_stats(STATS)
    assert screen.lines[0] == ("PLAN", None)
    assert screen.lines[1][0] == "eks_network : Network"
    assert screen.lines[2] == ("   1  safe          ec2:CreateVpc  vpc/a  a: 1", "green")


def test_a_failed_task_ends_the_plan_and_an_ignored_one_does_not(plugin: Any, screen: Screen) -> None:
    plugin.v2_runner_on_failed(result({"plan": [], "failed_step": STEP, "remaining": []}, "First"), ignore_errors=True)
    plugin.v2_runner_on_failed(result({"msg": "no"}, "Second"))
    plugin.v2_playbook_on_stats(STATS)
    assert "ended on localhost at: First" not in screen.text
    assert "ended on localhost at: Second" in screen.text


def test_an_unreachable_host_and_a_retry_are_taken_note_of(plugin: Any, screen: Screen) -> None:
    plugin.v2_runner_retry(result({"plan": [STEP]}, check_mode=False))
    plugin.v2_runner_on_unreachable(result({"msg": "gone"}))
    plugin.v2_playbook_on_stats(STATS)
    assert "1 step made: 1 safe." in screen.text
    assert "ended on localhost at: Network" in screen.text


def test_files_are_written_when_asked_for(plugin: Any, tmp_path: Path) -> None:
    plugin.options["json_file"] = str(tmp_path / "new" / "plan.json")
    plugin.options["markdown_file"] = str(tmp_path / "plan.md")
    plugin.v2_runner_on_ok(result({"plan": [STEP]}))
    plugin.v2_playbook_on_stats(STATS)
    document = json.loads((tmp_path / "new" / "plan.json").read_text())
    assert (document["planned_steps"], document["changed_tasks"]) == (1, 3)
    assert (tmp_path / "plan.md").read_text().startswith("## ")


def test_a_file_that_cannot_be_written_is_a_warning(plugin: Any, screen: Screen, tmp_path: Path) -> None:
    plugin.options["json_file"] = str(tmp_path)
    plugin.v2_playbook_on_stats(STATS)
    assert screen.lines[-1][1] == "warning"
    assert "json_file" in screen.lines[-1][0]


PLAYBOOK = """
- name: A play with steps, a loop, a secret and a failure
  hosts: localhost
  gather_facts: false
  vars:
    step: {service: ec2, operation: CreateVpc, resource: vpc/a, risk: safe, before: {}, after: {}}
  tasks:
    - name: In a loop
      stub: {plan: ["{{ step | combine({'resource': item}) }}"]}
      loop: [vpc/one, vpc/two]
    - name: Hidden
      stub: {plan: ["{{ step | combine({'resource': 'vpc/secret'}) }}"]}
      no_log: true
    - name: Not in check mode
      stub: {plan: ["{{ step | combine({'resource': 'vpc/three'}) }}"]}
      check_mode: false
    - name: Fails
      stub: {plan: ["{{ step }}"], failed_step: "{{ step | combine({'resource': 'vpc/four'}) }}", failed: true}
"""

STUB = """
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        return {"changed": True, **self._task.args}
"""


def test_a_real_run(tmp_path: Path) -> None:
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "stub.py").write_text(STUB)
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACKS_ENABLED": "eksops.ipv6.plan",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "EKSOPS_IPV6_PLAN_JSON": str(tmp_path / "plan.json"),
        "EKSOPS_IPV6_PLAN_MARKDOWN": str(tmp_path / "plan.md"),
    }
    command = [Path(sys.executable).parent / "ansible-playbook", "--check", "play.yml"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stdout + run.stderr
    document = json.loads((tmp_path / "plan.json").read_text())
    assert [(step["resource"], step["status"], step["task"]) for step in document["steps"]] == [
        ("vpc/one", "planned", "In a loop"),
        ("vpc/two", "planned", "In a loop"),
        ("vpc/three", "performed", "Not in check mode"),
        ("vpc/a", "planned", "Fails"),
        ("vpc/four", "failed", "Fails"),
    ]
    assert document["check_mode"] is True
    assert document["failures"][0]["task"] == "Fails"
    plan = run.stdout[run.stdout.index("PLAN *") :]
    assert "   5  failed    safe          ec2:CreateVpc  vpc/four" in plan
    for written in (run.stdout, (tmp_path / "plan.json").read_text(), (tmp_path / "plan.md").read_text()):
        assert "vpc/secret" not in written
