# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback plugin eksops.ipv6.plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
type: aggregate
version_added: 0.1.0
short_description: Show the steps of all tasks of a run as one plan
description:
  - At the end of a playbook, gathers the steps that the collection's modules return under C(plan), of all tasks, loops
    and hosts, and shows them as one ordered plan with the risk of each step.
  - In check mode these are the AWS calls that a run would make. After a run they are the calls that were made, and
    when it failed also the step that failed and those that remain.
  - The plan can be written to files besides, as JSON and as Markdown.
  - The output of tasks with C(no_log) is hidden from callback plugins. Such a task's name is shown, its steps are not.
author:
  - The eksops.ipv6 authors (@eksops)
requirements:
  - Enable it with C(callbacks_enabled = eksops.ipv6.plan) in ansible.cfg, or with the environment variable
    E(ANSIBLE_CALLBACKS_ENABLED).
options:
  json_file:
    description: Where to write the plan as JSON. Missing directories are made.
    type: path
    env:
      - name: EKSOPS_IPV6_PLAN_JSON
    ini:
      - section: callback_eksops_ipv6_plan
        key: json_file
  markdown_file:
    description: Where to write the plan as Markdown, fit for a pull request's comment. Missing directories are made.
    type: path
    env:
      - name: EKSOPS_IPV6_PLAN_MARKDOWN
    ini:
      - section: callback_eksops_ipv6_plan
        key: markdown_file
"""

EXAMPLES = r"""
ansible_cfg: |
  # See the plan at the end of every run
  [defaults]
  callbacks_enabled = eksops.ipv6.plan

  # Keep it as files besides
  [callback_eksops_ipv6_plan]
  json_file = build/plan.json
  markdown_file = build/plan.md
"""

from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.plugins.callback import CallbackBase

from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_render import to_json, to_lines, to_markdown
from ansible_collections.eksops.ipv6.plugins.plugin_utils._plan_report import PlanReport, TaskInfo

COLOURS = {
    "title": "COLOR_HIGHLIGHT",
    "safe": "COLOR_OK",
    "disruptive": "COLOR_CHANGED",
    "irreversible": "COLOR_ERROR",
    "failed": "COLOR_ERROR",
    "remaining": "COLOR_SKIP",
}


class CallbackModule(CallbackBase):
    """Gathers the steps while a playbook runs, and shows them when it ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "eksops.ipv6.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.report = PlanReport(check_mode=bool(context.CLIARGS.get("check")))

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task's steps, planned or made."""
        self._add(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """What a failed task has made, what failed, and what remains."""
        info = self._add(result)
        if not ignore_errors:
            self.report.fail(info, result.result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host that takes no further part."""
        self.report.fail(_info(result), result.result)

    def v2_runner_retry(self, result: Any) -> None:
        """What an attempt has made that is about to be repeated."""
        self.report.add_attempt(_info(result), result.result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Show the plan, and write the files that were asked for."""
        self.report.changed_tasks = sum(stats.changed.values())
        self._display.banner("PLAN")
        for line in to_lines(self.report):
            colour = getattr(constants, COLOURS[line.tone]) if line.tone in COLOURS else None
            self._display.display(line.text, color=colour)
        self._write("json_file", to_json(self.report))
        self._write("markdown_file", to_markdown(self.report))

    def _add(self, result: Any) -> TaskInfo:
        info = _info(result)
        self.report.add(info, result.result)
        return info

    def _write(self, option: str, text: str) -> None:
        name = self.get_option(option)
        if not name:
            return
        path = Path(str(name))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self._display.warning(f"eksops.ipv6.plan could not write {option}: {error}")


def _info(result: Any) -> TaskInfo:
    """What a callback's result is the result of; the task is the templated one."""
    task = result.task
    name = str(task.name or task.action)
    role = getattr(task, "_role", None)
    return TaskInfo(
        host=str(result.host.name),
        task=f"{role.get_name(include_role_fqcn=False)} : {name}" if role else name,
        action=str(getattr(task, "resolved_action", None) or task.action),
        check_mode=task.check_mode is True,
    )
