# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make demo` shows of a playbook: one line a task, and failures in full."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = r"""
name: demo
type: stdout
short_description: One line a task
description: Shows one line a task, and what went wrong in full.
extends_documentation_fragment:
  - default_callback
"""


class CallbackModule(Default):
    """Ansible's default output without headings, diffs and the recap: the plan shows what they would."""

    CALLBACK_NAME = "demo"

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """No heading."""

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """No heading."""

    def v2_runner_on_ok(self, result: Any) -> None:
        """One line, unless the task only leads to others."""
        changed = result.is_changed()
        self._line("changed" if changed else "ok", result, constants.COLOR_CHANGED if changed else constants.COLOR_OK)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """The loop's own line is enough."""

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Nothing was done."""

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """The tasks of the file speak for themselves."""

    def v2_on_file_diff(self, result: Any) -> None:
        """The plan's files have it."""

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """No recap."""

    def _line(self, outcome: str, result: Any, colour: str) -> None:
        if result.task.action in constants._ACTION_ALL_INCLUDES or result.task.action.endswith(
            "validate_argument_spec"
        ):
            return
        role = result.task._role.get_name(include_role_fqcn=False)
        self._display.display(f"  {outcome:<8} {role:<12} {result.task_name}", color=colour)
