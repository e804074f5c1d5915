# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto Scaling groups of nodes: what one shall be, and what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import tags as tagging
from ..plan import Ref, is_pending
from ..session import AwsError, Session

OWNED = tagging.OWN_PREFIX + "autoscaling-group"
CLUSTER_TAG = "kubernetes.io/cluster/"
MANAGED_TAG = "eks:nodegroup-name"
DEFAULT_VERSION = "$Default"
LOWEST_PRICE = "lowest-price"  # AWS's own spot allocation strategy
REFRESH_ENDED = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")
# Option -> AWS's member; each is managed when it was given.
SIZES = {"min_size": "MinSize", "max_size": "MaxSize", "desired_capacity": "DesiredCapacity"}
SETTINGS = {
    "health_check_type": "HealthCheckType",
    "health_check_grace_period": "HealthCheckGracePeriod",
    "default_instance_warmup": "DefaultInstanceWarmup",
    "termination_policies": "TerminationPolicies",
    "new_instances_protected_from_scale_in": "NewInstancesProtectedFromScaleIn",
    "capacity_rebalance": "CapacityRebalance",
    "max_instance_lifetime": "MaxInstanceLifetime",
}
# What AWS leaves out of a description.
UNSET: Mapping[str, Any] = {
    "default_instance_warmup": -1,
    "max_instance_lifetime": 0,
    "capacity_rebalance": False,
    "new_instances_protected_from_scale_in": False,
}
DISTRIBUTION = {
    "on_demand_allocation_strategy": "OnDemandAllocationStrategy",
    "on_demand_base_capacity": "OnDemandBaseCapacity",
    "on_demand_percentage_above_base_capacity": "OnDemandPercentageAboveBaseCapacity",
    "spot_allocation_strategy": "SpotAllocationStrategy",
    "spot_instance_pools": "SpotInstancePools",
    "spot_max_price": "SpotMaxPrice",
}
PREFERENCES = {
    "min_healthy_percentage": "MinHealthyPercentage",
    "max_healthy_percentage": "MaxHealthyPercentage",
    "instance_warmup": "InstanceWarmup",
    "checkpoint_percentages": "CheckpointPercentages",
    "checkpoint_delay": "CheckpointDelay",
    "bake_time": "BakeTime",
    "skip_matching": "SkipMatching",
    "auto_rollback": "AutoRollback",
    "scale_in_protected_instances": "ScaleInProtectedInstances",
    "standby_instances": "StandbyInstances",
}
Tag = tuple[str, bool]  # its value, and whether new instances get it


@dataclass(frozen=True)
class AutoScalingGroup:
    """A group as it shall be. None, or an option that is missing in a mapping, means not managed.

    C(types) are those of its mixed instances policy, empty for a group without one; C(refresh) are the preferences of
    its instance refresh, None for none.
    """

    name: str
    cluster_name: str
    template: Mapping[str, str]
    types: tuple[str, ...] | None
    distribution: Mapping[str, Any]
    sizes: Mapping[str, int]
    subnet_ids: tuple[str, ...] | None
    settings: Mapping[str, Any]
    suspended: frozenset[str] | None
    refresh: Mapping[str, Any] | None
    skip_checks: frozenset[str]
    tags: Mapping[str, str] | None
    propagate: bool
    purge_tags: bool
    present: bool
    wait: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"autoscaling-group/{self.name}"

    @property
    def key(self) -> dict[str, str]:
        """What every call about it must say."""
        return {"AutoScalingGroupName": self.name}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> AutoScalingGroup:
        """From the module's parameters."""
        policy = params["mixed_instances_policy"]
        subnets, suspended, refresh = params["subnet_ids"], params["suspended_processes"], params["instance_refresh"]
        return cls(
            name=params["name"],
            cluster_name=params["cluster_name"],
            template=_given(params["launch_template"] or {}),
            types=None if policy is None or policy["instance_types"] is None else _unique(policy["instance_types"]),
            distribution=_given((policy or {}).get("instances_distribution") or {}),
            sizes=_given({name: params[name] for name in SIZES}),
            subnet_ids=None if subnets is None else _unique(subnets),
            settings=_given({name: params[name] for name in SETTINGS}),
            suspended=None if suspended is None else frozenset(suspended),
            refresh=None if refresh is None else _given(refresh),
            skip_checks=frozenset(params["skip_checks"] or ()),
            tags=None if params["tags"] is None else {key: str(value) for key, value in params["tags"].items()},
            propagate=params["propagate_at_launch"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
            wait=params["wait"],
        )


@dataclass(frozen=True)
class Source:
    """What instances are made of: a template's version and, in a group of several types, which and how.

    C(policy) is false for a group without a mixed instances policy. C(overrides) and C(distribution) are AWS's own.
    """

    template_id: Any
    template_name: str
    version: Any
    policy: bool = False
    overrides: tuple[Mapping[str, Any], ...] = ()
    distribution: Mapping[str, Any] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """The instance types of its policy."""
        return tuple(item["InstanceType"] for item in self.overrides if "InstanceType" in item)

    @property
    def request(self) -> dict[str, Any]:
        """As Auto Scaling takes it."""
        named = (
            {"LaunchTemplateId": self.template_id} if self.template_id else {"LaunchTemplateName": self.template_name}
        )
        specification = {**named, "Version": self.version}
        if not self.policy:
            return {"LaunchTemplate": specification}
        launch = {"LaunchTemplateSpecification": specification, "Overrides": [dict(item) for item in self.overrides]}
        shares = {"InstancesDistribution": dict(self.distribution)} if self.distribution else {}
        return {"MixedInstancesPolicy": {"LaunchTemplate": launch, **shares}}

    @property
    def facts(self) -> dict[str, Any]:
        """As a result and a diff show it."""
        names = {member: option for option, member in DISTRIBUTION.items()}
        policy = {
            "instance_types": list(self.types),
            "instances_distribution": {
                names[member]: value for member, value in self.distribution.items() if member in names
            },
        }
        template = {"id": self.template_id, "name": self.template_name, "version": self.version}
        return {"launch_template": template, "mixed_instances_policy": policy if self.policy else None}

    @classmethod
    def of(cls, holder: Mapping[str, Any]) -> Source | None:
        """From a group or a refresh's desired configuration; None where it names no launch template."""
        policy = holder.get("MixedInstancesPolicy") or {}
        launch = policy.get("LaunchTemplate") or {}
        template = holder.get("LaunchTemplate") or launch.get("LaunchTemplateSpecification")
        if not template:
            return None
        return cls(
            template.get("LaunchTemplateId", ""),
            template.get("LaunchTemplateName", ""),
            template.get("Version", DEFAULT_VERSION),
            bool(policy),
            tuple(launch.get("Overrides") or ()),
            _shares(policy.get("InstancesDistribution") or {}),
        )


@dataclass(frozen=True)
class Version:
    """A version of a launch template, by its number; C(data) is what instances are made of."""

    template_id: str
    template_name: str
    number: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Observed:
    """A group as it is; C(failed) are the ids of activities that had failed before, C(refresh) the one under way."""

    facts: Mapping[str, Any]
    failed: tuple[str, ...] = ()
    refresh: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self.facts.get(name)

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return bool(self.facts.get("Status"))

    @property
    def source(self) -> Source | None:
        """What its instances are made of; None for a group with a launch configuration."""
        return Source.of(self.facts)

    @property
    def subnet_ids(self) -> tuple[str, ...]:
        """Its subnets."""
        named = str(self.facts.get("VPCZoneIdentifier") or "").split(",")
        return tuple(item.strip() for item in named if item.strip())

    @property
    def tags(self) -> dict[str, Tag]:
        """Its tags by their keys."""
        return {
            tag["Key"]: (tag.get("Value", ""), bool(tag.get("PropagateAtLaunch"))) for tag in self.facts.get("Tags", ())
        }

    @property
    def instances(self) -> tuple[Mapping[str, Any], ...]:
        """Its instances, but for those that are going."""
        gone = ("Terminat", "Detach", "Warmed")
        held = self.facts.get("Instances", ())
        return tuple(item for item in held if not item.get("LifecycleState", "").startswith(gone))

    @property
    def suspended(self) -> frozenset[str]:
        """Its processes that are suspended."""
        return frozenset(item["ProcessName"] for item in self.facts.get("SuspendedProcesses", ()))

    @property
    def settled(self) -> bool:
        """Whether it has the instances that it shall have, or cannot have any."""
        ready = [item for item in self.instances if item.get("LifecycleState") == "InService"]
        weight = sum(int(item.get("WeightedCapacity") or 1) for item in ready)
        return weight >= self.facts["DesiredCapacity"] or "Launch" in self.suspended


def observe(session: Session, name: str) -> Observed | None:
    """The group with what is under way in it; None where there is none."""
    key = {"AutoScalingGroupName": name}
    found = session.read("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not found:
        return None
    if found[0].get("Status"):
        return Observed(found[0])
    more = session.together(
        activities=lambda: session.read("autoscaling", "DescribeScalingActivities", **key),
        refreshes=lambda: session.read("autoscaling", "DescribeInstanceRefreshes", **key),
    )
    activities = more["activities"].get("Activities", ())
    refreshes = more["refreshes"].get("InstanceRefreshes", ())
    return Observed(
        found[0],
        failed=tuple(item["ActivityId"] for item in activities if item["StatusCode"] == "Failed"),
        refresh=next((item for item in refreshes if item["Status"] not in REFRESH_ENDED), None),
    )


def read_version(session: Session, desired: AutoScalingGroup, observed: Observed | None) -> Version | None:
    """The version that instances shall be made of; None while it, or its template, is not there."""
    source = observed.source if observed else None
    wanted = desired.template
    if not wanted and source is None:
        return None
    if any(is_pending(value) for value in wanted.values()):
        return None
    key, value = _name_of(wanted, source)
    number = wanted.get("version") or _kept_version(wanted, source)
    try:
        found = session.read("ec2", "DescribeLaunchTemplateVersions", **{key: value}, Versions=[number])
    except AwsError as error:
        if error.code.startswith("InvalidLaunchTemplate"):
            return None
        raise
    versions = found.get("LaunchTemplateVersions", ())
    if not versions:
        return None
    item = versions[0]
    return Version(
        item["LaunchTemplateId"], item["LaunchTemplateName"], str(item["VersionNumber"]), item["LaunchTemplateData"]
    )


def wanted_source(desired: AutoScalingGroup, observed: Observed | None, version: Version | None) -> Source | None:
    """What instances shall be made of; None where neither the options nor the group name a template."""
    current = observed.source if observed else None
    if not desired.template and current is None:
        return None
    if desired.template:
        identity = version.template_id if version else desired.template.get("id", "")
        name = version.template_name if version else desired.template.get("name", "")
        number: Any = desired.template.get("version") or _kept_version(desired.template, current)
    else:
        kept = current or Source("", "", "")
        identity, name, number = kept.template_id, kept.template_name, kept.version
    mixed = bool(desired.types) if desired.types is not None else bool(current and current.policy)
    overrides = current.overrides if current else ()
    if desired.types is not None and (current is None or desired.types != current.types):
        overrides = tuple({"InstanceType": item} for item in desired.types)
    given = {DISTRIBUTION[option]: value for option, value in desired.distribution.items()}
    shares = _shares({**(current.distribution if current and current.policy else {}), **given})
    return Source(identity, name, number, mixed, overrides if mixed else (), shares if mixed else {})


def same_source(one: Source | None, other: Source | None) -> bool:
    """Whether two sources make the same instances; what AWS adds by itself does not count."""
    if one is None or other is None:
        return one is other
    alike = (one.template_id, str(one.version), one.policy) == (other.template_id, str(other.version), other.policy)
    members = {**one.distribution, **other.distribution}
    shares = all(str(one.distribution.get(member, "")) == str(other.distribution.get(member, "")) for member in members)
    return alike and one.types == other.types and shares


def instance_facts(instances: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A group's instances as a result shows them."""
    return [
        {
            "instance_id": item["InstanceId"],
            "instance_type": item.get("InstanceType", ""),
            "availability_zone": item.get("AvailabilityZone", ""),
            "lifecycle_state": item.get("LifecycleState", ""),
            "launch_template_version": (item.get("LaunchTemplate") or {}).get("Version", ""),
        }
        for item in sorted(instances, key=lambda item: str(item["InstanceId"]))
    ]


def decided(desired: AutoScalingGroup, path: str, via: Any = None) -> Ref:
    """Something that the group's newest description will say."""
    return Ref(desired.address, f"AutoScalingGroups[0].{path}", via=via)


def _shares(distribution: Mapping[str, Any]) -> dict[str, Any]:
    """A distribution without what its strategy does not know: pools are for the lowest price only."""
    pooled = distribution.get("SpotAllocationStrategy", LOWEST_PRICE) == LOWEST_PRICE
    return {member: value for member, value in distribution.items() if pooled or member != "SpotInstancePools"}


def _name_of(wanted: Mapping[str, str], source: Source | None) -> tuple[str, str]:
    if wanted.get("id"):
        return "LaunchTemplateId", wanted["id"]
    if wanted.get("name"):
        return "LaunchTemplateName", wanted["name"]
    return "LaunchTemplateId", source.template_id if source else ""


def _kept_version(wanted: Mapping[str, str], source: Source | None) -> str:
    """The version where none was given: the group's own while it keeps its template, else the default."""
    if source is None:
        return DEFAULT_VERSION
    other = wanted.get("id", source.template_id) != source.template_id
    other = other or wanted.get("name", source.template_name) != source.template_name
    return DEFAULT_VERSION if other else str(source.version)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
