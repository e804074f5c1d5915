# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CreateAutoScalingGroup, UpdateAutoScalingGroup and StartInstanceRefresh refuse.

Sources: these operations in the Auto Scaling API reference; their messages are quoted in public issues where a comment
does not say otherwise.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.iam.models import iam_backends

from ..ec2.instances import profile_name
from .errors import invalid

_DAY, _YEAR = 86400, 31536000
PROCESSES = {
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
}


def check_sizes(low: int, high: int, desired: int | None) -> None:
    """Refuses sizes that contradict each other."""
    if high < low:
        raise invalid(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if desired is not None and not low <= desired <= high:
        raise invalid(f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}")


def check_lifetime(seconds: int | None) -> None:
    """Refuses a maximum lifetime other than 0 (none) and a day to a year."""
    if seconds and not _DAY <= seconds <= _YEAR:
        raise invalid(f"MaxInstanceLifetime must be between {_DAY} and {_YEAR} seconds.")  # presumed text


def check_subnets(ec2: Any, text: str | None) -> None:
    """Refuses subnets that EC2 does not know."""
    for identity in text.split(",") if text else []:
        try:
            ec2.get_subnet(identity)
        except EC2ClientError as error:
            raise invalid(f"The subnet ID '{identity}' does not exist") from error


def check_source(ec2: Any, template: dict[str, Any] | None, policy: dict[str, Any] | None) -> None:
    """Refuses a launch template, a version or an override that is not there, or two sources at once."""
    if template and policy:
        raise invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or"
            " MixedInstancesPolicy parameter."
        )
    given = template or ((policy or {}).get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
    if policy and not given:
        raise invalid("The mixed instances policy must name a launch template.")  # presumed text
    if given:
        check_template(ec2, given)
    shares = (policy or {}).get("InstancesDistribution") or {}
    if "SpotInstancePools" in shares and shares.get("SpotAllocationStrategy", "lowest-price") != "lowest-price":
        raise invalid("SpotInstancePools option is only available with the lowest-price allocation strategy.")
    overrides = ((policy or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    names = [item.get("InstanceType") for item in overrides if "InstanceType" in item]
    for name in names:
        if name not in INSTANCE_TYPES:
            raise invalid(f"Invalid value '{name}' for InstanceType.")  # presumed text
    if len(set(names)) != len(names):
        raise invalid("You cannot specify the same instance type more than once in overrides.")  # presumed text


def check_template(ec2: Any, given: dict[str, Any]) -> None:
    """Refuses a launch template or a version of it that is not there."""
    try:
        template = ec2.launch_template(given.get("LaunchTemplateId"), given.get("LaunchTemplateName"))
        data = template.get_version(given.get("Version") or "$Default").data
    except EC2ClientError as error:
        raise invalid(f"You must use a valid fully-formed launch template. {error.message}") from error
    name = profile_name(data.get("IamInstanceProfile") or {})
    known = iam_backends[ec2.account_id][ec2.partition].instance_profiles
    if name and name not in known:
        raise invalid(
            f"You must use a valid fully-formed launch template. Value ({name}) for parameter iamInstanceProfile.name"
            " is invalid. Invalid IAM Instance Profile name"
        )


def check_processes(names: list[str]) -> None:
    """Refuses processes that Auto Scaling does not have."""
    for name in names:
        if name not in PROCESSES:
            raise invalid(f"{name} is not a recognized ProcessType")  # presumed text


def check_preferences(preferences: dict[str, Any], desired: dict[str, Any], versions: list[str]) -> None:
    """Refuses preferences of a refresh that contradict each other; `versions` are those that it would run."""
    low, high = preferences.get("MinHealthyPercentage"), preferences.get("MaxHealthyPercentage")
    if high is not None and low is None:
        raise invalid("You must specify MinHealthyPercentage when MaxHealthyPercentage is specified.")
    if high is not None and low is not None and high - low > 100:
        raise invalid("The difference between MaxHealthyPercentage and MinHealthyPercentage can't exceed 100.")
    points = preferences.get("CheckpointPercentages") or []
    if points != sorted(set(points)) or any(not 0 <= point <= 100 for point in points):
        raise invalid("CheckpointPercentages must be unique numbers in ascending order.")
    if "CheckpointDelay" in preferences and not points:
        raise invalid("CheckpointDelay needs CheckpointPercentages.")
    if preferences.get("AutoRollback") and (not desired or {"$Latest", "$Default"} & set(versions)):
        raise invalid("AutoRollback needs a desired configuration, and a version of the template by its number.")
