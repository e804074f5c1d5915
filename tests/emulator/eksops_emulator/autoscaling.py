# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling: what moto's lets pass or lacks.

Sources: CreateAutoScalingGroup, DeleteAutoScalingGroup and StartInstanceRefresh in the Auto Scaling API reference.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import (
    ASG_NAME_TAG,
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    autoscaling_backends,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.moto_api._internal import mock_random

from . import states
from .ec2.life import Life
from .overlay import require

_REFRESH = "autoscaling::instance_refresh"
_ENDED = ("Successful", "Failed", "Cancelled", "RollbackSuccessful")


class Refresh:
    """An instance refresh: it replaces the group's instances when it succeeds."""

    def __init__(self, group: Any, preferences: dict[str, Any], desired: dict[str, Any]) -> None:
        self.id = str(UUID(int=mock_random.getrandbits(128), version=4))
        self.group = group
        self.preferences = preferences
        self.desired = desired
        self.started = datetime.now(UTC)
        self.ended: datetime | None = None
        self.life = Life(
            _REFRESH, [("Pending", "InProgress"), ("InProgress", "Successful"), ("Cancelling", "Cancelled")]
        )

    def settle(self, status: str) -> None:
        if status not in _ENDED or self.ended is not None:
            return
        self.ended = datetime.now(UTC)
        if status == "Successful":
            _replace_all(self.group)

    def view(self, seen: bool) -> dict[str, Any]:
        status = self.life.seen() if seen else self.life.now()
        self.settle(status)
        answer: dict[str, Any] = {
            "InstanceRefreshId": self.id,
            "AutoScalingGroupName": self.group.name,
            "Status": status,
            "StartTime": self.started,
            "PercentageComplete": 100 if status == "Successful" else 0,
            "InstancesToUpdate": 0 if status == "Successful" else len(self.group.instance_states),
        }
        optional = {"EndTime": self.ended, "Preferences": self.preferences, "DesiredConfiguration": self.desired}
        return answer | {key: value for key, value in optional.items() if value}


def _replace_all(group: Any) -> None:
    old = [state.instance.id for state in group.instance_states]
    group.instance_states = []
    group.replace_autoscaling_group_instances(len(old), group.get_propagated_tags())
    if old:
        group.autoscaling_backend.ec2_backend.terminate_instances(old)


def _launch(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    """In place of moto's: instances spread over the group's subnets, by the group's version of the template."""
    tags = {**self.instance_tags, **propagated_tags, ASG_NAME_TAG: self.name}
    subnets = self.vpc_zone_identifier.split(",") if self.vpc_zone_identifier else [None]
    template = None
    if self.ec2_launch_template is not None:
        template = {"LaunchTemplateId": self.ec2_launch_template.id, "Version": self.launch_template_version}
    overrides = ((self.mixed_instances_policy or {}).get("LaunchTemplate") or {}).get("Overrides") or [{}]
    for _unused in range(count_needed):
        subnet = min(subnets, key=lambda item: sum(state.instance.subnet_id == item for state in self.instance_states))
        try:
            reservation = self.autoscaling_backend.ec2_backend.run_instances(
                self.image_id,
                1,
                self.user_data,
                self.security_groups,
                instance_type=overrides[0].get("InstanceType") or self.instance_type,
                tags={"instance": tags},
                placement=None if subnet else self.availability_zones[0],
                launch_config=self.launch_config,
                launch_template=template,
                is_instance_type_default=False,
                associate_public_ip=self.launch_config.associate_public_ip_address if self.launch_config else None,
                subnet_id=subnet,
                region_name=self.region,
            )
        except EC2ClientError as refusal:
            raise AutoscalingClientError(
                "ValidationError", f"You must use a valid fully-formed launch template. {refusal.message}"
            ) from refusal
        instance = reservation.instances[0]
        instance.autoscaling_group = self
        if self.ec2_launch_template is not None:
            used = self.ec2_launch_template.get_version(self.launch_template_version or "$Default")
            instance.launched_with = {
                "LaunchTemplateId": self.ec2_launch_template.id,
                "LaunchTemplateName": self.ec2_launch_template.name,
                "Version": str(used.number),
            }
        protected = self.new_instances_protected_from_scale_in
        self.instance_states.append(InstanceState(instance, protected_from_scale_in=protected))


class StrictAutoScalingBackend(AutoScalingBackend):
    """moto's Auto Scaling, strict."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.refreshes: dict[str, list[Refresh]] = {}

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(
            url_bases=[r"https?://autoscaling\.(.+)\.amazonaws\.com"],
            url_paths={"{0}/$": StrictAutoScalingResponse.dispatch},
        )

    def create_auto_scaling_group(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name in self.autoscaling_groups:
            raise AutoscalingClientError(
                "AlreadyExists", "AutoScalingGroup by this name already exists - A group with this name already exists"
            )
        return super().create_auto_scaling_group(name, *args, **kwargs)

    def group(self, name: str) -> Any:
        if name not in self.autoscaling_groups:
            raise AutoscalingClientError(
                "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
            )
        return self.autoscaling_groups[name]

    def active_refresh(self, name: str) -> Refresh | None:
        return next((item for item in self.refreshes.get(name, []) if item.life.now() not in _ENDED), None)


class StrictAutoScalingResponse(AutoScalingResponse):
    """moto's Auto Scaling with what it lacks."""

    @property
    def backend(self) -> StrictAutoScalingBackend:
        found = self.autoscaling_backend
        assert isinstance(found, StrictAutoScalingBackend)
        return found

    def delete_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = self.backend.group(name)
        if group.instance_states and not self._get_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances still in the group."
            )
        for state in group.instance_states:
            state.protected_from_scale_in = False
        return super().delete_auto_scaling_group()

    def start_instance_refresh(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group, active = self.backend.group(name), self.backend.active_refresh(name)
        if active is not None:
            raise AutoscalingClientError(
                "InstanceRefreshInProgress", f"An Instance Refresh is already in progress: {active.id}"
            )
        desired = self._get_param("DesiredConfiguration", {}) or {}
        if desired:
            group._set_launch_configuration(None, desired.get("LaunchTemplate"), desired.get("MixedInstancesPolicy"))
        refresh = Refresh(group, self._get_param("Preferences", {}) or {}, desired)
        self.backend.refreshes.setdefault(name, []).insert(0, refresh)
        return ActionResult({"InstanceRefreshId": refresh.id})

    def describe_instance_refreshes(self) -> ActionResult:
        name, wanted = self._get_param("AutoScalingGroupName"), self._get_param("InstanceRefreshIds", [])
        self.backend.group(name)
        found = [item for item in self.backend.refreshes.get(name, []) if not wanted or item.id in wanted]
        return ActionResult({"InstanceRefreshes": [item.view(seen=True) for item in found]})

    def cancel_instance_refresh(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        self.backend.group(name)
        active = self.backend.active_refresh(name)
        if active is None:
            raise AutoscalingClientError(
                "ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found"
            )
        active.life.begin("Cancelling")
        return ActionResult({"InstanceRefreshId": active.id})

    def disable_metrics_collection(self) -> ActionResult:
        group = self.backend.group(self._get_param("AutoScalingGroupName"))
        metrics = self._get_param("Metrics", []) or list(group.metrics)
        group.metrics = [item for item in group.metrics if item not in metrics]
        return EmptyResult()


def _launched_with(self: Any) -> dict[str, Any] | None:
    """In place of moto's, which always names the template's default version: the version an instance was made of."""
    found: dict[str, Any] | None = getattr(self.instance, "launched_with", None)
    return found


def install() -> None:
    """Puts the strict Auto Scaling in place of moto's."""
    require(FakeAutoScalingGroup, "replace_autoscaling_group_instances", "_set_launch_configuration")
    require(AutoScalingResponse, "delete_auto_scaling_group", "autoscaling_backend")
    require(AutoScalingBackend, "create_auto_scaling_group")
    states.register(_REFRESH)
    require(InstanceState, "launch_template")
    FakeAutoScalingGroup.replace_autoscaling_group_instances = _launch  # type: ignore[method-assign]
    InstanceState.launch_template = property(_launched_with)  # type: ignore[assignment]
    autoscaling_backends.clear()
    autoscaling_backends.backend = StrictAutoScalingBackend
