# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be done to an Auto Scaling group (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..plan import Problem, is_pending
from .group_model import DEFAULT_VERSION, LOWEST_PRICE, MANAGED_TAG, OWNED, SIZES, AutoScalingGroup, Observed, Version

SOURCE = "Auto Scaling API reference, CreateAutoScalingGroup"
REFRESH_SOURCE = "Auto Scaling API reference, RefreshPreferences"
NAME = re.compile(r"[!-9;-~]{1,255}")
DAY, YEAR = 86400, 31536000
BOUNDS = {
    "min_healthy_percentage": (0, 100),
    "max_healthy_percentage": (100, 200),
    "checkpoint_delay": (0, 172800),
    "bake_time": (0, 172800),
    "instance_warmup": (0, None),
}


def refuse(desired: AutoScalingGroup) -> Iterator[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    if not desired.present:
        return
    if desired.settings.get("health_check_grace_period", 0) < 0:
        text = f"{desired.settings['health_check_grace_period']} is below 0."
        yield Problem("health_check_grace_period", text, source=SOURCE)
    if desired.settings.get("default_instance_warmup", 0) < -1:
        text = f"{desired.settings['default_instance_warmup']} is below 0."
        yield Problem("default_instance_warmup", text, "-1 takes it away.", SOURCE)
    if desired.settings.get("health_check_type") == "":
        yield Problem("health_check_type", "is empty.", "Give EC2 for the instances' own checks alone.", SOURCE)
    if desired.template and not (desired.template.get("id") or desired.template.get("name")):
        yield Problem("launch_template", "names no template.", "Give its id or its name.", SOURCE)
    if desired.subnet_ids is not None and not desired.subnet_ids:
        yield Problem("subnet_ids", "a group needs one subnet at least.", source=SOURCE)
    if desired.distribution and desired.types == ():
        yield _no_types()
    strategy = desired.distribution.get("spot_allocation_strategy", LOWEST_PRICE)
    if "spot_instance_pools" in desired.distribution and strategy != LOWEST_PRICE:
        yield Problem(
            "mixed_instances_policy",
            f"spot_instance_pools is for {LOWEST_PRICE}, not for {strategy}.",
            "Leave it out.",
            SOURCE,
        )
    for name, low, high in (("on_demand_base_capacity", 0, None), ("spot_instance_pools", 1, 20)):
        value = desired.distribution.get(name, low)
        if value < low or (high is not None and value > high):
            text = f"{name}: {value} is {f'below {low}' if high is None else f'outside {low} to {high}'}."
            yield Problem("mixed_instances_policy", text, source=SOURCE)
    percentage = desired.distribution.get("on_demand_percentage_above_base_capacity", 0)
    if not 0 <= percentage <= 100:
        yield Problem("mixed_instances_policy", f"{percentage} is no percentage.", source=SOURCE)
    lifetime = desired.settings.get("max_instance_lifetime")
    if lifetime and not DAY <= lifetime <= YEAR:
        yield Problem("max_instance_lifetime", f"{lifetime} is outside {DAY} to {YEAR}.", "0 takes it away.", SOURCE)
    yield from _refuse_sizes({name: desired.sizes.get(name) for name in SIZES})
    if desired.refresh is not None:
        yield from refuse_preferences(desired.refresh)


def refuse_preferences(preferences: Mapping[str, Any]) -> Iterator[Problem]:
    """Preferences that AWS does not take, or that would leave instances of an older version."""

    def problem(text: str, remedy: str = "") -> Problem:
        return Problem("instance_refresh", text, remedy, REFRESH_SOURCE)

    for name, (low, high) in BOUNDS.items():
        value = preferences.get(name)
        if value is not None and (value < low or (high is not None and value > high)):
            yield problem(f"{name}: {value} is outside {low} to {high if high is not None else 'any'}.")
    least, most = preferences.get("min_healthy_percentage"), preferences.get("max_healthy_percentage")
    if most is not None and least is None:
        yield problem("max_healthy_percentage needs min_healthy_percentage.")
    if most is not None and least is not None and most - least > 100:
        yield problem(f"{least} and {most} are more than 100 percent apart.")
    points = preferences.get("checkpoint_percentages")
    if points and (points != sorted(set(points)) or points[0] < 1 or points[-1] != 100):
        yield problem(
            f"checkpoint_percentages: {points} must rise and end with 100.",
            "Without the 100 instances of an older version would stay.",
        )
    if preferences.get("checkpoint_delay") is not None and not points:
        yield problem("checkpoint_delay needs checkpoint_percentages.")


def refuse_new(desired: AutoScalingGroup) -> Iterator[Problem]:
    """What a new group cannot do without."""
    if not NAME.fullmatch(desired.name):
        text = f"{desired.name!r} is no name: 1 to 255 ASCII characters are, without blanks and colons."
        yield Problem("name", text, source=SOURCE)
    needed = (
        ("launch_template", desired.template),
        ("subnet_ids", desired.subnet_ids),
        ("min_size", "min_size" in desired.sizes),
        ("max_size", "max_size" in desired.sizes),
    )
    if desired.distribution and desired.types is None:
        yield _no_types()
    for option, value in needed:
        if not value:
            yield Problem(option, f"there is no group {desired.name} yet, and making one needs it.", source=SOURCE)


def refuse_change(desired: AutoScalingGroup, observed: Observed) -> Iterator[Problem]:
    """What cannot be done to a group that exists."""
    if MANAGED_TAG in observed.tags:
        yield Problem(
            "name",
            f"the group {desired.name} belongs to a managed node group.",
            "Manage it with eks_nodegroup; EKS would take back what is changed here.",
            "EKS User Guide, managed node groups",
        )
        return
    if not desired.present:
        if OWNED not in observed.tags:
            yield Problem(
                "name",
                f"the group {desired.name} was not made by this module.",
                f"Tag it with {OWNED} to have it removed with its instances, or remove it yourself.",
            )
        return
    if desired.distribution and desired.types is None and not (observed.source and observed.source.policy):
        yield _no_types()
    current = {name: observed[member] for name, member in SIZES.items()}
    if desired.sizes:
        yield from _refuse_sizes(sizes_after(desired, current))
    if observed.source is None and not desired.template:
        message = f"the group {desired.name} has a launch configuration, or none."
        yield Problem("launch_template", message, "Name a launch template.", SOURCE)


def refuse_version(desired: AutoScalingGroup, observed: Observed | None, version: Version | None) -> Iterator[Problem]:
    """A template or a version that is not there, or that a rollback does not know how to come back from."""
    pending = any(is_pending(value) for value in desired.template.values())
    if desired.template and version is None and not pending:
        named = desired.template.get("id") or desired.template.get("name")
        which = desired.template.get("version", DEFAULT_VERSION)
        yield Problem(
            "launch_template",
            f"EC2 knows no launch template {named} with a version {which}.",
            "Make it first, with ec2_launch_template_ipv6.",
            elsewhere=True,
        )
    current = observed.source if observed else None
    texts = {str(desired.template.get("version", current.version if current else "")), str(current and current.version)}
    if (desired.refresh or {}).get("auto_rollback") and observed is not None and any(t.startswith("$") for t in texts):
        yield Problem(
            "instance_refresh", "auto_rollback needs versions of the template by their numbers.",
            "Give launch_template.version as a number, also the one the group has now.", REFRESH_SOURCE,
        )  # fmt: skip


def sizes_after(desired: AutoScalingGroup, current: Mapping[str, int]) -> dict[str, int]:
    """The sizes as they will be; a desired capacity that is not managed is taken along by its bounds, as AWS does."""
    found = {**current, **desired.sizes}
    if "desired_capacity" not in desired.sizes:
        found["desired_capacity"] = max(found["min_size"], min(found["max_size"], found["desired_capacity"]))
    return found


def _no_types() -> Problem:
    return Problem(
        "mixed_instances_policy",
        "instances_distribution is for a group of several types.",
        "Name them in instance_types.",
        SOURCE,
    )


def _refuse_sizes(sizes: Mapping[str, int | None]) -> Iterator[Problem]:
    for name, size in sizes.items():
        if size is not None and size < 0:
            yield Problem(name, f"{size} is below 0.", source=SOURCE)
    low, high, wanted = (sizes[name] for name in SIZES)
    if low is not None and high is not None and high < low:
        yield Problem("max_size", f"{high} is below min_size {low}.", source=SOURCE)
        return
    if wanted is not None and low is not None and wanted < low:
        yield Problem("desired_capacity", f"{wanted} is below min_size {low}.", source=SOURCE)
    if wanted is not None and high is not None and wanted > high:
        yield Problem("desired_capacity", f"{wanted} is above max_size {high}.", source=SOURCE)
