# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance refreshes: which instances were made of something else, and how they are replaced (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..plan import Await, Ref, Risk, Step, Wait
from .group_model import PREFERENCES, REFRESH_ENDED, AutoScalingGroup, Observed, Source, Version, same_source

TIMEOUT = 7200.0
INTERVAL = 15.0


def stale(
    observed: Observed, wanted: Source | None, version: Version | None, preferences: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The instances that a refresh would replace; a version that is not known yet makes all of them so."""
    if wanted is None:
        return []
    ignored = []
    if preferences.get("scale_in_protected_instances") == "Ignore":
        ignored += [item for item in observed.instances if item.get("ProtectedFromScaleIn")]
    if preferences.get("standby_instances") == "Ignore":
        ignored += [item for item in observed.instances if item.get("LifecycleState") == "Standby"]
    return [item for item in observed.instances if item not in ignored and not _matches(item, wanted, version)]


def _matches(instance: Mapping[str, Any], wanted: Source, version: Version | None) -> bool:
    template = instance.get("LaunchTemplate") or {}
    if version is None or template.get("LaunchTemplateId") != version.template_id:
        return False
    if str(template.get("Version")) != version.number:
        return False
    own = version.data.get("InstanceType")
    types = wanted.types or ((own,) if own else ())
    return not types or instance.get("InstanceType") in types


def carries(refresh: Mapping[str, Any], wanted: Source | None) -> bool:
    """Whether a refresh under way brings the group to this source by itself."""
    return same_source(Source.of(refresh.get("DesiredConfiguration") or {}), wanted)


def under_way(desired: AutoScalingGroup, refresh: Mapping[str, Any], anyhow: bool) -> Await:
    """A wait for the refresh that somebody has begun; C(anyhow) for one whose end alone matters."""
    return Await(desired.address, _wait(desired, refresh["InstanceRefreshId"], anyhow))


def begin(desired: AutoScalingGroup, replaced: Sequence[Mapping[str, Any]], wanted: Source, current: Source) -> Step:
    """The refresh. With a rollback it brings the new source itself, so that AWS knows where to come back to."""
    given = desired.refresh or {}
    preferences = {member: given[option] for option, member in PREFERENCES.items() if option in given}
    request: dict[str, Any] = {**desired.key, **({"Preferences": preferences} if preferences else {})}
    before: dict[str, Any] = {"instances": sorted(_text(item) for item in replaced)}
    after: dict[str, Any] = {"instances": f"{len(replaced)} of version {wanted.version}"}
    if given.get("auto_rollback"):
        request["DesiredConfiguration"] = wanted.request
        before |= {name: value for name, value in current.facts.items() if value != wanted.facts[name]}
        after |= {name: value for name, value in wanted.facts.items() if value != current.facts[name]}
    wait = _wait(desired, Ref(desired.address, "InstanceRefreshId")) if desired.wait else None
    return Step("autoscaling", "StartInstanceRefresh", request, desired.address, before, after, Risk.DISRUPTIVE, wait)


def _text(instance: Mapping[str, Any]) -> str:
    version = (instance.get("LaunchTemplate") or {}).get("Version", "none")
    return f"{instance['InstanceId']} of version {version}"


def _wait(desired: AutoScalingGroup, identity: Any, anyhow: bool = False) -> Wait:
    failure = tuple(status for status in REFRESH_ENDED if status != "Successful")
    return Wait(
        "autoscaling",
        "DescribeInstanceRefreshes",
        {**desired.key, "InstanceRefreshIds": [identity]},
        path="InstanceRefreshes[0].Status",
        success=REFRESH_ENDED if anyhow else ("Successful",),
        failure=() if anyhow else failure,
        detail="InstanceRefreshes[0].StatusReason",
        interval=INTERVAL,
        timeout=TIMEOUT,
    )
