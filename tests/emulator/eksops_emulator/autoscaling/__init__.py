# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling: what moto's lets pass or lacks.

Sources: the operations of the same names in the Auto Scaling API reference.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from .. import states
from ..ec2.life import Life
from ..overlay import require
from . import launching, rules
from .errors import absent, invalid, refuse
from .refresh import ENDED, REFRESH, Refresh, configure

_GROUP = "autoscaling::group"
_DELETING = "Delete in progress"
# Parameters of CreateAutoScalingGroup and UpdateAutoScalingGroup, of which moto drops some, and their attributes.
_PLAIN = {
    "DefaultCooldown": "default_cooldown",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "HealthCheckType": "health_check_type",
    "TerminationPolicies": "termination_policies",
    "NewInstancesProtectedFromScaleIn": "new_instances_protected_from_scale_in",
    "CapacityRebalance": "capacity_rebalance",
    "DefaultInstanceWarmup": "default_instance_warmup",
}
_DISTRIBUTION = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}


class StrictAutoScalingBackend(AutoScalingBackend):
    """moto's Auto Scaling, strict."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.refreshes: dict[str, list[Refresh]] = {}
        self.going: dict[str, Life] = {}

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(
            url_bases=[r"https?://autoscaling\.(.+)\.amazonaws\.com"],
            url_paths={"{0}/$": StrictAutoScalingResponse.dispatch},
        )

    def create_auto_scaling_group(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name in self.autoscaling_groups:
            raise refuse(
                "AlreadyExists", "AutoScalingGroup by this name already exists - A group with this name already exists"
            )
        self.refreshes.pop(name, None)
        return super().create_auto_scaling_group(name, *args, **kwargs)

    def group(self, name: str) -> Any:
        """A group that is there and stays."""
        if name not in self.autoscaling_groups:
            raise absent(name)
        if name in self.going:
            raise invalid(f"AutoScalingGroup '{name}' is pending delete")  # presumed text
        return self.autoscaling_groups[name]

    def active_refresh(self, name: str) -> Refresh | None:
        return next((item for item in self.refreshes.get(name, []) if item.now() not in ENDED), None)

    def describe(self, names: list[str]) -> None:
        """Groups are being described (all without names): what is under way comes a poll nearer."""
        for name, group in list(self.autoscaling_groups.items()):
            if names and name not in names:
                continue
            life = self.going.get(name)
            launching.describe(group)
            if life is not None and life.seen() == "gone":
                del self.going[name], self.autoscaling_groups[name]


def _policy(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """A mixed instances policy with AWS's defaults."""
    if not given:
        return None
    distribution = {**_DISTRIBUTION, **(given.get("InstancesDistribution") or {})}
    if distribution["SpotAllocationStrategy"] == "lowest-price":
        distribution.setdefault("SpotInstancePools", 2)
    return {**given, "InstancesDistribution": distribution}


class StrictAutoScalingResponse(AutoScalingResponse):
    """moto's Auto Scaling with what it lacks."""

    @property
    def backend(self) -> StrictAutoScalingBackend:
        found = self.autoscaling_backend
        assert isinstance(found, StrictAutoScalingBackend)
        return found

    def create_auto_scaling_group(self) -> ActionResult:
        given = self._get_params()
        low, high = self._get_int_param("MinSize"), self._get_int_param("MaxSize")
        rules.check_sizes(low, high, self._get_int_param("DesiredCapacity"))
        rules.check_lifetime(self._get_int_param("MaxInstanceLifetime"))
        rules.check_subnets(self.backend.ec2_backend, given.get("VPCZoneIdentifier"))
        policy = _policy(given.get("MixedInstancesPolicy"))
        rules.check_source(self.backend.ec2_backend, given.get("LaunchTemplate"), policy)
        answer = super().create_auto_scaling_group()
        group: Any = self.backend.autoscaling_groups[given["AutoScalingGroupName"]]
        if policy:
            group.mixed_instances_policy["InstancesDistribution"] = policy["InstancesDistribution"]
        self._take_plain(group)
        return answer

    def update_auto_scaling_group(self) -> ActionResult:
        given, group = self._get_params(), self.backend.group(self._get_param("AutoScalingGroupName"))
        low, high = self._get_int_param("MinSize", group.min_size), self._get_int_param("MaxSize", group.max_size)
        wanted = self._get_int_param("DesiredCapacity")
        rules.check_sizes(low, high, wanted)
        rules.check_lifetime(self._get_int_param("MaxInstanceLifetime"))
        rules.check_subnets(self.backend.ec2_backend, given.get("VPCZoneIdentifier"))
        template, policy = given.get("LaunchTemplate"), _policy(given.get("MixedInstancesPolicy"))
        rules.check_source(self.backend.ec2_backend, template, policy)
        if given.get("VPCZoneIdentifier") or given.get("AvailabilityZones"):
            group._set_azs_and_vpcs(given.get("AvailabilityZones") or [], given.get("VPCZoneIdentifier"), update=True)
        configure(group, template, policy)
        self._take_plain(group)
        group.min_size, group.max_size = low, high
        group.set_desired_capacity(wanted if wanted is not None else max(low, min(high, group.desired_capacity)))
        return EmptyResult()

    def _take_plain(self, group: Any) -> None:
        given = self._get_params()
        for name, attribute in _PLAIN.items():
            if given.get(name) is not None:
                setattr(group, attribute, given[name])
        if group.__dict__.get("default_instance_warmup") == -1:
            group.default_instance_warmup = None
        if given.get("MaxInstanceLifetime") is not None:
            group.max_instance_lifetime = int(given["MaxInstanceLifetime"]) or None

    def describe_auto_scaling_groups(self) -> ActionResult:
        self.backend.describe(self._get_param("AutoScalingGroupNames", []))
        return super().describe_auto_scaling_groups()

    def describe_scaling_activities(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        wanted: list[Any] = [item for item in self.backend.autoscaling_groups.values() if name in (None, item.name)]
        activities = [activity for group in wanted for activity in group.activities]
        return ActionResult({"Activities": activities[: self._get_int_param("MaxRecords", 100)]})

    def delete_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = self.backend.group(name)
        if group.instance_states and not self._get_param("ForceDelete", False):
            raise refuse(
                "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances still in the group."
            )
        for state in group.instance_states:
            state.protected_from_scale_in = False
        group.min_size = 0
        group.set_desired_capacity(0)
        group.status = _DELETING
        self.backend.going[name] = Life(_GROUP, [(_DELETING, "gone")])
        return EmptyResult()

    def create_or_update_tags(self) -> ActionResult:
        for tag in self._get_param("Tags", []):
            self.backend.group(tag.get("ResourceId"))
        return super().create_or_update_tags()

    def delete_tags(self) -> ActionResult:
        for tag in self._get_param("Tags", []):
            self.backend.group(tag.get("ResourceId"))
        return super().delete_tags()

    def suspend_processes(self) -> ActionResult:
        self.backend.group(self._get_param("AutoScalingGroupName"))
        rules.check_processes(self._get_param("ScalingProcesses", []))
        return super().suspend_processes()

    def resume_processes(self) -> ActionResult:
        self.backend.group(self._get_param("AutoScalingGroupName"))
        rules.check_processes(self._get_param("ScalingProcesses", []))
        return super().resume_processes()

    def start_instance_refresh(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group, active = self.backend.group(name), self.backend.active_refresh(name)
        if active is not None:
            raise refuse("InstanceRefreshInProgress", f"An Instance Refresh is already in progress: {active.id}")
        preferences = self._get_param("Preferences", {}) or {}
        desired = dict(self._get_param("DesiredConfiguration", {}) or {})
        rules.check_source(self.backend.ec2_backend, desired.get("LaunchTemplate"), desired.get("MixedInstancesPolicy"))
        if desired.get("MixedInstancesPolicy"):
            desired["MixedInstancesPolicy"] = _policy(desired["MixedInstancesPolicy"])
        specification = ((desired.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get(
            "LaunchTemplateSpecification"
        )
        version = (desired.get("LaunchTemplate") or specification or {}).get("Version") or "$Default"
        rules.check_preferences(preferences, desired, [version, str(group.launch_template_version)])
        refresh = Refresh(group, preferences, desired)
        self.backend.refreshes.setdefault(name, []).insert(0, refresh)
        return ActionResult({"InstanceRefreshId": refresh.id})

    def describe_instance_refreshes(self) -> ActionResult:
        name, wanted = self._get_param("AutoScalingGroupName"), self._get_param("InstanceRefreshIds", [])
        if name not in self.backend.autoscaling_groups:
            raise absent(name)
        found = [item for item in self.backend.refreshes.get(name, []) if not wanted or item.id in wanted]
        return ActionResult({"InstanceRefreshes": [item.view() for item in found]})

    def cancel_instance_refresh(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        self.backend.group(name)
        active = self.backend.active_refresh(name)
        if active is None:
            raise refuse("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found")
        active.life.begin("Cancelling")
        return ActionResult({"InstanceRefreshId": active.id})

    def disable_metrics_collection(self) -> ActionResult:
        group = self.backend.group(self._get_param("AutoScalingGroupName"))
        metrics = self._get_param("Metrics", []) or list(group.metrics)
        group.metrics = [item for item in group.metrics if item not in metrics]
        return EmptyResult()


def install() -> None:
    """Puts the strict Auto Scaling in place of moto's."""
    require(FakeAutoScalingGroup, "replace_autoscaling_group_instances", "_set_launch_configuration")
    require(FakeAutoScalingGroup, "_set_azs_and_vpcs", "set_desired_capacity", "active_instances", "launch_template")
    require(AutoScalingResponse, "create_auto_scaling_group", "update_auto_scaling_group", "delete_auto_scaling_group")
    require(AutoScalingResponse, "describe_auto_scaling_groups", "describe_scaling_activities", "autoscaling_backend")
    require(AutoScalingResponse, "create_or_update_tags", "delete_tags", "suspend_processes", "resume_processes")
    require(AutoScalingBackend, "create_auto_scaling_group")
    require(InstanceState, "launch_template")
    for model in (REFRESH, launching.INSTANCE, _GROUP):
        states.register(model)
    launching.install()
    autoscaling_backends.clear()
    autoscaling_backends.backend = StrictAutoScalingBackend
