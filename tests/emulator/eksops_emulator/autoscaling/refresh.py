# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes.

Sources: InstanceRefresh, RefreshPreferences and DesiredConfiguration in the Auto Scaling API reference. The texts of
StatusReason are presumed. All instances are replaced at once, when the refresh ends; percentages, checkpoints and
warmup change nothing here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal import mock_random

from ..ec2.life import Life
from . import launching

REFRESH = "autoscaling::instance_refresh"
_DONE = "\0done"
ENDED = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")
_SOURCE = (
    "launch_config",
    "ec2_launch_template",
    "launch_template_version",
    "provided_launch_template_version",
    "mixed_instances_policy",
)


class Refresh:
    """An instance refresh: it replaces the group's instances when it ends."""

    def __init__(self, group: Any, preferences: dict[str, Any], desired: dict[str, Any]) -> None:
        self.id = str(mock_random.uuid4())
        self.group = group
        self.preferences = preferences
        self.desired = desired
        self.started = datetime.now(UTC)
        self.ended: datetime | None = None
        self.reason = ""
        changes = [("Pending", "InProgress"), ("InProgress", _DONE), ("Cancelling", "Cancelled")]
        self.life = Life(REFRESH, [*changes, ("RollbackInProgress", "RollbackSuccessful")])

    def now(self) -> str:
        """The status, without counting as a describe."""
        return self._settled(self.life.now())

    def _settled(self, status: str) -> str:
        if status == _DONE:
            self.reason = self._replace()
            rollback = self.preferences.get("AutoRollback")
            status = "Successful" if not self.reason else "RollbackInProgress" if rollback else "Failed"
            self.life.begin(status)
        if status in ENDED and self.ended is None:
            self.ended = datetime.now(UTC)
        return status

    def _replace(self) -> str:
        """Replaces what is to be replaced; why not, if it could not be."""
        before = {name: getattr(self.group, name) for name in _SOURCE if hasattr(self.group, name)}
        if self.desired:
            configure(self.group, self.desired.get("LaunchTemplate"), self.desired.get("MixedInstancesPolicy"))
        old = [state for state in self.group.instance_states if not self._matches(state)]
        for what, key, states in (
            ("protected from scale in", "ScaleInProtectedInstances", [s for s in old if s.protected_from_scale_in]),
            ("in standby", "StandbyInstances", [s for s in old if s.lifecycle_state == "Standby"]),
        ):
            choice = self.preferences.get(key, "Wait")
            if choice == "Ignore":
                old = [state for state in old if state not in states]
            elif choice == "Wait" and states:
                vars(self.group).update(before)
                return f"There are instances {what}: {', '.join(sorted(state.instance.id for state in states))}."
        new: list[Any] = []
        for _unused in old:
            state, refusals = launching.launch_one(self.group)
            if state is None:
                for made in new:
                    self.group.ec2_backend.terminate_instances([made.instance.id])
                vars(self.group).update(before)
                return f"Failed to launch a replacement. {refusals[-1]}"
            new.append(state)
        kept = [state for state in self.group.instance_states if state not in old]
        self.group.instance_states = [*kept, *new]
        if old:
            self.group.ec2_backend.terminate_instances([state.instance.id for state in old])
        return ""

    def _matches(self, state: Any) -> bool:
        """Whether skip matching lets an instance be."""
        if not self.preferences.get("SkipMatching"):
            return False
        template = self.group.ec2_launch_template
        number = str(template.get_version(self.group.launch_template_version or "$Default").number)
        types = [item.get("InstanceType") or self.group.instance_type for item in launching.overrides(self.group)]
        used = state.launch_template
        same = used is not None and (used["LaunchTemplateId"], used["Version"]) == (template.id, number)
        return same and state.instance.instance_type in types

    def view(self) -> dict[str, Any]:
        """The refresh as DescribeInstanceRefreshes has it; counts as one look at it."""
        status = self._settled(self.life.seen())
        answer: dict[str, Any] = {
            "InstanceRefreshId": self.id,
            "AutoScalingGroupName": self.group.name,
            "Status": status,
            "StartTime": self.started,
            "PercentageComplete": 100 if status == "Successful" else 0,
            "InstancesToUpdate": 0 if status == "Successful" else len(self.group.instance_states),
        }
        optional = {
            "StatusReason": self.reason,
            "EndTime": self.ended,
            "Preferences": self.preferences,
            "DesiredConfiguration": self.desired,
        }
        return answer | {key: value for key, value in optional.items() if value}


def configure(group: Any, template: dict[str, Any] | None, policy: dict[str, Any] | None) -> None:
    """Gives a group this source of instances, in the place of what it had."""
    if not template and not policy:
        return
    group.mixed_instances_policy = policy
    group._set_launch_configuration(None, template, policy)
