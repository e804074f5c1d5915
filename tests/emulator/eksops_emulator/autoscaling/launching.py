# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of a group: how they are launched, which of them are in service, and the activities that tell of it.

Sources: Activity and LifecycleState in the Auto Scaling API reference. Launching is refused by a fault of `autoscaling`
and `RunInstances`, which no client calls: it stands for what EC2 answers Auto Scaling itself. That all types are tried
in all subnets before Auto Scaling gives up for a while, and tries anew when the group is next described, is presumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.ec2.exceptions import EC2ClientError
from moto.moto_api._internal import mock_random

from .. import overlay
from ..ec2.life import Life
from .errors import invalid

INSTANCE = "autoscaling::instance"
# What EKS does once instances are in service: nodes join their cluster. With account and region.
after_describe: Callable[[str, str], None] | None = None
_ALIVE = ("Pending", "InService")


def overrides(group: Any) -> list[dict[str, Any]]:
    """The types that a group may launch, each as an override of its template; one empty override without any."""
    policy = (group.mixed_instances_policy or {}).get("LaunchTemplate") or {}
    return policy.get("Overrides") or [{}]


def launch(self: Any, count_needed: int, _propagated_tags: dict[str, str]) -> None:
    """In place of moto's: instances spread over the group's subnets, by the group's version of the template."""
    for _unused in range(count_needed):
        state, refusals = launch_one(self)
        for refusal in refusals:
            note(self, "Failed", "Launching a new EC2 instance.  Status Reason: " + refusal, refusal)
        if state is None:
            return
        state.life = Life(INSTANCE, [("Pending", "InService")])
        state.lifecycle_state = state.life.now()
        state.activity = note(self, "InProgress", f"Launching a new EC2 instance: {state.instance.id}")
        self.instance_states.append(state)


def launch_one(group: Any) -> tuple[Any, list[str]]:
    """One instance, of the first type and in the emptiest subnet that EC2 has room for; and EC2's refusals."""
    subnets = group.vpc_zone_identifier.split(",") if group.vpc_zone_identifier else [None]
    held = [state.instance.subnet_id for state in group.instance_states]
    refusals: list[str] = []
    for override in overrides(group):
        for subnet in sorted(subnets, key=held.count):
            kind = override.get("InstanceType") or group.instance_type
            zone = group.ec2_backend.get_subnet(subnet).availability_zone if subnet else group.availability_zones[0]
            refusal = overlay.current_faults.of_launch({"InstanceType": kind, "AvailabilityZone": zone})
            if refusal is None:
                return _run(group, kind, subnet, zone), refusals
            refusals.append(refusal)
    return None, refusals


def _run(group: Any, kind: str, subnet: str | None, zone: str) -> Any:
    template = None
    if group.ec2_launch_template is not None:
        template = {"LaunchTemplateId": group.ec2_launch_template.id, "Version": group.launch_template_version}
    try:
        reservation = group.autoscaling_backend.ec2_backend.run_instances(
            group.image_id,
            1,
            group.user_data,
            group.security_groups,
            instance_type=kind,
            tags={"instance": {**group.instance_tags, **group.get_propagated_tags(), ASG_NAME_TAG: group.name}},
            placement=None if subnet else zone,
            launch_config=group.launch_config,
            launch_template=template,
            is_instance_type_default=False,
            associate_public_ip=group.launch_config.associate_public_ip_address if group.launch_config else None,
            subnet_id=subnet,
            region_name=group.region,
        )
    except EC2ClientError as refusal:
        raise invalid(f"You must use a valid fully-formed launch template. {refusal.message}") from refusal
    instance = reservation.instances[0]
    instance.autoscaling_group = group
    if group.ec2_launch_template is not None:
        used = group.ec2_launch_template.get_version(group.launch_template_version or "$Default")
        instance.launched_with = {
            "LaunchTemplateId": group.ec2_launch_template.id,
            "LaunchTemplateName": group.ec2_launch_template.name,
            "Version": str(used.number),
        }
    return InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)


def note(group: Any, status: str, description: str, message: str = "") -> dict[str, Any]:
    """A new activity of the group, the newest first."""
    activity = {
        "ActivityId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Description": description,
        "Cause": "An instance was started in response to a difference between desired and actual capacity.",
        "StartTime": datetime.now(UTC),
        "StatusCode": status,
        "Progress": 30 if status == "InProgress" else 100,
    }
    if status != "InProgress":
        activity["EndTime"] = activity["StartTime"]
    group.activities.insert(0, {**activity, "StatusMessage": message} if message else activity)
    found: dict[str, Any] = group.activities[0]
    return found


def describe(group: Any) -> None:
    """The group is being described: what was on its way comes a poll nearer, and what failed is tried anew."""
    for state in group.instance_states:
        life = getattr(state, "life", None)
        if life is None or state.lifecycle_state != "Pending":
            continue
        state.lifecycle_state = life.seen()
        if state.lifecycle_state == "InService":
            state.activity |= {"StatusCode": "Successful", "Progress": 100, "EndTime": datetime.now(UTC)}
    suspended = {item["ProcessName"] for item in group.suspended_processes}
    if group.status is None and "Launch" not in suspended:
        group.set_desired_capacity(group.desired_capacity)
    if after_describe is not None:
        after_describe(group.account_id, group.region)


def scale(self: Any, new_capacity: int | None) -> None:
    """In place of moto's, which counts a share of spot instances short, and removes instances in no certain order."""
    self.desired_capacity = self.min_size if new_capacity is None else new_capacity
    weight = int(overrides(self)[0].get("WeightedCapacity") or 1)
    missing = math.ceil((self.desired_capacity or 0) / weight) - len(self.active_instances())
    if missing > 0:
        self.replace_autoscaling_group_instances(missing, self.get_propagated_tags())
    elif missing < 0:
        surplus = [state for state in self.instance_states if not state.protected_from_scale_in][:-missing]
        if surplus:
            self.ec2_backend.terminate_instances([state.instance.id for state in surplus])
            self.instance_states = [state for state in self.instance_states if state not in surplus]
    if self.name in self.autoscaling_backend.autoscaling_groups:
        self.autoscaling_backend.update_attached_elbs(self.name)
        self.autoscaling_backend.update_attached_target_groups(self.name)


def active(self: Any) -> list[InstanceState]:
    """In place of moto's, which would launch once more what is pending."""
    return [state for state in self.instance_states if state.lifecycle_state in _ALIVE]


def launched_with(self: Any) -> dict[str, Any] | None:
    """In place of moto's, which always names the template's default version: the version an instance was made of."""
    found: dict[str, Any] | None = getattr(self.instance, "launched_with", None)
    return found


def template_of(self: Any) -> dict[str, Any] | None:
    """In place of moto's: a group with a mixed instances policy names its template there alone."""
    if self.ec2_launch_template is None or self.mixed_instances_policy:
        return None
    return {
        "LaunchTemplateId": self.ec2_launch_template.id,
        "LaunchTemplateName": self.ec2_launch_template.name,
        "Version": self.provided_launch_template_version,
    }


def install() -> None:
    """Puts these in place of moto's."""
    FakeAutoScalingGroup.replace_autoscaling_group_instances = launch  # type: ignore[method-assign,assignment]
    FakeAutoScalingGroup.set_desired_capacity = scale  # type: ignore[method-assign]
    FakeAutoScalingGroup.active_instances = active  # type: ignore[method-assign]
    FakeAutoScalingGroup.launch_template = property(template_of)  # type: ignore[assignment]
    FakeAutoScalingGroup.activities = property(_activities)  # type: ignore[attr-defined]
    FakeAutoScalingGroup.status = None  # type: ignore[attr-defined]
    InstanceState.launch_template = property(launched_with)  # type: ignore[assignment]


def _activities(self: Any) -> list[dict[str, Any]]:
    """Kept beside moto's attributes, since a group launches while moto still makes it."""
    held: list[dict[str, Any]] = self.__dict__.setdefault("_activities", [])
    return held
