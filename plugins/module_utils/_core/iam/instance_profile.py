# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM instance profiles: how a role comes to an EC2 instance. A profile holds one role at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Problem, Ref, Retry, Risk, Step
from ..session import Session
from .ownership import Owner, name_problems


@dataclass(frozen=True)
class InstanceProfile:
    """A profile as it shall be. C(name=None) takes one that holds the role already, or else the role's name."""

    option: str
    name: str | None
    role_name: str
    owner: Owner
    path: str | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    present: bool = True

    @property
    def default_name(self) -> str:
        """The name that a new profile gets."""
        return self.name or self.role_name


@dataclass(frozen=True)
class Observed:
    """A profile as it is."""

    name: str
    arn: str
    path: str
    roles: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def address(name: str) -> str:
    """The readable address, for plans."""
    return f"instance-profile/{name}"


def refuse(desired: InstanceProfile) -> list[Problem]:
    """What IAM would refuse, seen without a call."""
    return name_problems(desired.option, "instance profile", desired.default_name)


def observe(session: Session, desired: InstanceProfile) -> Observed | None:
    """The profile; None where there is none."""
    answers = session.together(
        named=lambda: session.find("iam", "GetInstanceProfile", InstanceProfileName=desired.default_name),
        holding=lambda: [] if desired.name else _holding(session, desired.role_name),
    )
    if answers["named"] is not None:
        return _observed(answers["named"]["InstanceProfile"])
    return min((_observed(profile) for profile in answers["holding"]), key=lambda profile: profile.name, default=None)


def refuse_observed(desired: InstanceProfile, observed: Observed | None) -> list[Problem]:
    """A profile that holds another role is somebody's: to take that role out would cut off their instances."""
    if not desired.present or observed is None:
        return []
    problems = []
    others = [name for name in observed.roles if name != desired.role_name]
    if others:
        message = f"the instance profile {observed.name} holds the role {others[0]}, and can hold no other."
        problems.append(Problem(desired.option, message, "Give another name.", "IAM user guide, Use instance profiles"))
    other = desired.owner.other(observed.tags)
    if other:
        message = f"the instance profile {observed.name} was made for {other}."
        problems.append(Problem(desired.option, message, "Give another name."))
    return problems


def plan(desired: InstanceProfile, observed: Observed | None) -> Plan:
    """The calls that make the profile what it shall be; the role must be there before."""
    if not desired.present:
        return _plan_absent(desired, observed)
    name = observed.name if observed else desired.default_name
    steps = [] if observed else [_create(desired)]
    if observed is None or desired.role_name not in observed.roles:
        request = {"InstanceProfileName": name, "RoleName": desired.role_name}
        # Neither the profile nor the role may be visible yet.
        not_yet = (Retry("NoSuchEntity"),)
        steps.append(
            Step(
                "iam",
                "AddRoleToInstanceProfile",
                request,
                address(name),
                before={"role": None},
                after={"role": desired.role_name},
                retry=not_yet,
            )
        )
    return Plan.of(steps, _change_tags(desired, observed) if observed else None)


def kept(desired: InstanceProfile, observed: Observed | None) -> str:
    """Why a profile that shall go is left where it is; empty when it goes, or is not there."""
    if observed is None or desired.present:
        return ""
    if not desired.owner.owns(observed.tags):
        return "it was not made by this module for this cluster"
    others = [name for name in observed.roles if name != desired.role_name]
    return f"it holds the role {others[0]}" if others else ""


def facts(desired: InstanceProfile, observed: Observed | None) -> dict[str, Any]:
    """The profile as it will be."""
    name = observed.name if observed else desired.default_name
    return {"name": name, "arn": observed.arn if observed else Ref(address(name), "InstanceProfile.Arn")}


def _observed(profile: Mapping[str, Any]) -> Observed:
    return Observed(
        name=profile["InstanceProfileName"],
        arn=profile["Arn"],
        path=profile["Path"],
        roles=tuple(role["RoleName"] for role in profile.get("Roles", ())),
        tags=tagging.to_dict(profile.get("Tags")),
    )


def _holding(session: Session, role_name: str) -> list[Any]:
    return session.find_pages("iam", "ListInstanceProfilesForRole", "InstanceProfiles", RoleName=role_name)


def _create(desired: InstanceProfile) -> Step:
    tags = desired.owner.tags(desired.tags)
    name, path = desired.default_name, desired.path or "/"
    request = {"InstanceProfileName": name, "Path": path, "Tags": tagging.to_list(tags)}
    after = {"name": name, "path": path, "tags": tags}
    return Step("iam", "CreateInstanceProfile", request, address(name), after=after)


def _plan_absent(desired: InstanceProfile, observed: Observed | None) -> Plan:
    if observed is None or kept(desired, observed):
        return Plan()
    name = {"InstanceProfileName": observed.name}
    before = {"role": desired.role_name}
    where = address(observed.name)
    steps = [
        Step(
            "iam",
            "RemoveRoleFromInstanceProfile",
            {**name, "RoleName": role_name},
            where,
            before,
            {"role": None},
            Risk.IRREVERSIBLE,
        )
        for role_name in observed.roles
    ]
    gone = Step(
        "iam",
        "DeleteInstanceProfile",
        name,
        where,
        before={"name": observed.name, "path": observed.path, "tags": observed.tags},
        risk=Risk.IRREVERSIBLE,
        retry=(Retry("DeleteConflict"),),  # the role that was taken out a moment ago may count still
    )
    return Plan.of(steps, gone)


def _change_tags(desired: InstanceProfile, observed: Observed) -> list[Step]:
    """An adopted profile keeps the tags it has."""
    if not desired.owner.owns(observed.tags):
        return []
    to_set, to_remove = tagging.difference(observed.tags, desired.owner.kept(desired.tags), desired.purge_tags)
    before, after = {"tags": observed.tags}, {"tags": tagging.after(observed.tags, to_set, to_remove)}
    name = {"InstanceProfileName": observed.name}
    steps = []
    if to_set:
        request = {**name, "Tags": tagging.to_list(to_set)}
        steps.append(Step("iam", "TagInstanceProfile", request, address(observed.name), before, after))
    if to_remove:
        request = {**name, "TagKeys": to_remove}
        steps.append(Step("iam", "UntagInstanceProfile", request, address(observed.name), before, after))
    return steps
