# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM roles: made for a cluster, or adopted and only added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Problem, Ref, Retry, Risk, Step
from ..session import Session
from . import policy_document
from .ownership import Arn, Owner, arn_problems, name_problems, path_problems
from .policy_document import Document, Trust, TrustAudit


@dataclass(frozen=True)
class Role:
    """A role as it shall be. None means not managed; an empty C(permissions_boundary) means that there shall be none.

    C(arn) names a role that must exist. C(policies) are attached, never detached. C(trust=None) leaves the trust
    policy of a role that exists alone; C(trusted) are statements that stay in it beside C(trust)'s. C(option) is the
    module's option that messages name; C(nested) says whether the role's own options lie below it.
    """

    option: str
    name: str
    owner: Owner
    trust: Trust | None
    description: str
    arn: str | None = None
    path: str | None = None
    permissions_boundary: str | None = None
    policies: tuple[str | Ref, ...] = ()
    trusted: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    present: bool = True
    nested: bool = True

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"role/{self.name}"

    def suboption(self, name: str) -> str:
        """An option of the role, as messages name it."""
        return f"{self.option}.{name}" if self.nested else name


@dataclass(frozen=True)
class Observed:
    """A role as it is. C(inline) and C(profiles) are read only for a role that shall go."""

    name: str
    arn: str
    path: str
    trust: Document
    permissions_boundary: str
    policies: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    inline: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


def refuse(desired: Role, partition: str) -> list[Problem]:
    """What IAM would refuse, seen without a call."""
    problems = path_problems(desired.suboption("path"), desired.path)
    if desired.arn:
        problems += arn_problems(desired.suboption("arn"), desired.arn, "role", partition)
    else:
        problems += name_problems(desired.suboption("name"), "role", desired.name)
    if desired.permissions_boundary:
        option = desired.suboption("permissions_boundary")
        problems += arn_problems(option, desired.permissions_boundary, "policy", partition)
    return problems


def observe(session: Session, desired: Role) -> Observed | None:
    """The role; None where there is none."""
    name = {"RoleName": desired.name}
    reads: dict[str, Any] = {
        "role": lambda: session.find("iam", "GetRole", **name),
        "policies": lambda: session.find_pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", **name),
    }
    if not desired.present:
        reads["inline"] = lambda: session.find_pages("iam", "ListRolePolicies", "PolicyNames", **name)
        reads["profiles"] = lambda: session.find_pages("iam", "ListInstanceProfilesForRole", "InstanceProfiles", **name)
    answers = session.together(**reads)
    if answers["role"] is None:
        return None
    role = answers["role"]["Role"]
    return Observed(
        name=role["RoleName"],
        arn=role["Arn"],
        path=role["Path"],
        trust=policy_document.parse(role["AssumeRolePolicyDocument"]),
        permissions_boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        policies=tuple(policy["PolicyArn"] for policy in answers["policies"]),
        tags=tagging.to_dict(role.get("Tags")),
        inline=tuple(answers.get("inline", ())),
        profiles=tuple(profile["InstanceProfileName"] for profile in answers.get("profiles", ())),
    )


def refuse_observed(desired: Role, observed: Observed | None) -> list[Problem]:
    """What must not be done to the role that is there."""
    if not desired.present:
        return []
    if observed is None:
        if not desired.arn:
            return []
        return [Problem(desired.suboption("arn"), f"there is no role {desired.arn}.", "Leave it out to have one made.")]
    problems = []
    if desired.arn and desired.arn != observed.arn:
        message = f"there is no role {desired.arn}; the role of that name is {observed.arn}."
        problems.append(Problem(desired.suboption("arn"), message))
    if desired.path is not None and not desired.arn and desired.path != observed.path:
        message = f"the role {observed.name} is at {observed.path!r}; IAM cannot move a role to {desired.path!r}."
        problems.append(Problem(desired.suboption("path"), message, "Leave the path out, or give another name."))
    other = desired.owner.other(observed.tags)
    if other and not desired.arn:
        message = f"the role {observed.name} was made for {other}."
        remedy = f"Give another name, or the ARN {observed.arn} to share it."
        problems.append(Problem(desired.suboption("name"), message, remedy))
    audit = _audit(desired, observed)
    if desired.trust and audit and audit.denied:
        message = f"the trust policy of the role {observed.arn} denies {desired.trust.principal} to assume it."
        problems.append(Problem(desired.option, message, "Take that statement out, or give another role."))
    return problems


def owned(desired: Role, observed: Observed | None) -> bool:
    """Whether the role was made by this module for this cluster, or will be."""
    if observed is None:
        return not desired.arn
    return desired.owner.owns(observed.tags)


def warnings(desired: Role, observed: Observed | None) -> list[str]:
    """What a person should know of an adopted role's trust policy."""
    audit = _audit(desired, observed) if observed else None
    if observed is None or audit is None or desired.trust is None or not desired.present:
        return []
    whom = f"{desired.option}: the trust policy of the existing role {observed.arn}"
    principal = desired.trust.principal
    if audit.missing:
        actions = " and ".join(audit.missing)
        return [f"{whom} did not let {principal} do {actions}; a statement is added to it."]
    if audit.conditions:
        keys = ", ".join(audit.conditions)
        return [f"{whom} trusts {principal} under conditions that only AWS can judge ({keys})."]
    return []


def plan(desired: Role, observed: Observed | None) -> Plan:
    """The calls that make the role what it shall be."""
    if not desired.present:
        return _plan_absent(desired, observed)
    if observed is None:
        if desired.arn:
            return Plan()
        return Plan.of(_create(desired, desired.trust), attach(desired, ())) if desired.trust else Plan()
    return Plan.of(
        _change_trust(desired, observed),
        _change_boundary(desired, observed),
        attach(desired, observed.policies),
        _change_tags(desired, observed),
    )


def kept(desired: Role, observed: Observed | None, removed_profiles: Iterable[str] = ()) -> str:
    """Why a role that shall go is left where it is; empty when it goes, or is not there."""
    if observed is None or desired.present:
        return ""
    if not owned(desired, observed):
        return "it was not made by this module for this cluster"
    profiles = sorted(set(observed.profiles) - set(removed_profiles))
    if profiles:
        return f"it is in instance profiles that this module did not make: {', '.join(profiles)}"
    if observed.inline:
        return f"it has inline policies that this module did not write: {', '.join(observed.inline)}"
    return ""


def attach(desired: Role, attached: Iterable[str]) -> list[Step]:
    """The calls that attach the policies which are not yet."""
    present = set(attached)
    # What IAM says of a role made a moment ago; for a policy that is not there it says something else.
    not_yet = (Retry("NoSuchEntity", f"role with name {desired.name} "),)
    return [
        Step(
            "iam",
            "AttachRolePolicy",
            {"RoleName": desired.name, "PolicyArn": arn},
            desired.address,
            after={"policy": arn},
            retry=not_yet,
        )
        for arn in desired.policies
        if arn not in present
    ]


def detach(desired: Role, observed: Observed, policies: Iterable[str]) -> list[Step]:
    """The calls that take policies off the role."""
    return [
        Step(
            "iam",
            "DetachRolePolicy",
            {"RoleName": desired.name, "PolicyArn": arn},
            desired.address,
            before={"policy": arn},
            risk=Risk.IRREVERSIBLE,
        )
        for arn in policies
        if arn in observed.policies
    ]


def facts(desired: Role, observed: Observed | None) -> dict[str, Any]:
    """The role as it will be."""
    current = observed or Observed(
        desired.name, desired.arn or "", desired.path or "/", {}, "", (), {} if desired.arn else desired.owner.marks
    )
    to_set, to_remove = _tag_difference(desired, current)
    boundary = current.permissions_boundary if desired.permissions_boundary is None else desired.permissions_boundary
    added = [arn for arn in desired.policies if arn not in current.policies]
    return {
        "name": desired.name,
        "arn": current.arn or Ref(desired.address, "Role.Arn"),
        "path": current.path,
        "permissions_boundary": boundary or None,
        "managed_policies": [*sorted([*current.policies, *(arn for arn in added if isinstance(arn, str))])]
        + [arn for arn in added if isinstance(arn, Ref)],
        "tags": tagging.after(current.tags, to_set, to_remove),
        "adopted": not owned(desired, observed),
    }


def _audit(desired: Role, observed: Observed) -> TrustAudit | None:
    """What an adopted role's trust policy says; None for the module's own, which is written anew."""
    if desired.trust is None or owned(desired, observed):
        return None
    return policy_document.audit(observed.trust, desired.trust)


def _create(desired: Role, trust: Trust) -> Step:
    document = policy_document.of(trust.statement())
    tags = desired.owner.tags(desired.tags)
    request: dict[str, Any] = {
        "RoleName": desired.name,
        "Path": desired.path or "/",
        "AssumeRolePolicyDocument": policy_document.to_json(document),
        "Description": desired.description,
        "Tags": tagging.to_list(tags),
    }
    if desired.permissions_boundary:
        request["PermissionsBoundary"] = desired.permissions_boundary
    after = {
        "name": desired.name,
        "path": desired.path or "/",
        "trust_policy": document,
        "permissions_boundary": desired.permissions_boundary or None,
        "tags": tags,
    }
    return Step("iam", "CreateRole", request, desired.address, after=after, retry=_new_principal(trust))


def _new_principal(trust: Trust) -> tuple[Retry, ...]:
    """IAM may not know an OIDC provider yet that was made a moment ago (presumed: as it is with other principals)."""
    if trust.kind != "Federated":
        return ()
    return (Retry("MalformedPolicyDocument", "Invalid principal"),)


def _plan_absent(desired: Role, observed: Observed | None) -> Plan:
    if observed is None:
        return Plan()
    before = {"name": observed.name, "path": observed.path, "trust_policy": observed.trust, "tags": observed.tags}
    return Plan.of(
        detach(desired, observed, observed.policies),
        Step(
            "iam",
            "DeleteRole",
            {"RoleName": desired.name},
            desired.address,
            before=before,
            risk=Risk.IRREVERSIBLE,
            retry=(Retry("DeleteConflict"),),  # what was detached a moment ago may count still
        ),
    )


def _change_trust(desired: Role, observed: Observed) -> list[Step]:
    if desired.trust is None:
        return []
    wanted = _wanted_trust(desired, desired.trust, observed)
    if policy_document.same(wanted, observed.trust):
        return []
    request = {"RoleName": desired.name, "PolicyDocument": policy_document.to_json(wanted)}
    before, after = {"trust_policy": observed.trust}, {"trust_policy": wanted}
    risk = Risk.SAFE if policy_document.covers(wanted, observed.trust) else Risk.DISRUPTIVE
    retry = _new_principal(desired.trust)
    return [Step("iam", "UpdateAssumeRolePolicy", request, desired.address, before, after, risk, retry=retry)]


def _wanted_trust(desired: Role, trust: Trust, observed: Observed) -> Document:
    audit = _audit(desired, observed)
    if audit is None:
        return policy_document.of(trust.statement(), *desired.trusted)
    return policy_document.extended(observed.trust, trust.statement()) if audit.missing else observed.trust


def _change_boundary(desired: Role, observed: Observed) -> list[Step]:
    wanted = desired.permissions_boundary
    if wanted is None or wanted == observed.permissions_boundary:
        return []
    request = {"RoleName": desired.name}
    operation = "DeleteRolePermissionsBoundary"
    if wanted:
        operation = "PutRolePermissionsBoundary"
        request["PermissionsBoundary"] = wanted
    before = {"permissions_boundary": observed.permissions_boundary or None}
    after = {"permissions_boundary": wanted or None}
    return [Step("iam", operation, request, desired.address, before, after, Risk.DISRUPTIVE)]


def _change_tags(desired: Role, observed: Observed) -> list[Step]:
    to_set, to_remove = _tag_difference(desired, observed)
    before, after = {"tags": observed.tags}, {"tags": tagging.after(observed.tags, to_set, to_remove)}
    steps = []
    if to_set:
        request = {"RoleName": desired.name, "Tags": tagging.to_list(to_set)}
        steps.append(Step("iam", "TagRole", request, desired.address, before, after))
    if to_remove:
        steps.append(
            Step("iam", "UntagRole", {"RoleName": desired.name, "TagKeys": to_remove}, desired.address, before, after)
        )
    return steps


def _tag_difference(desired: Role, observed: Observed) -> tuple[dict[str, Any], list[str]]:
    """An adopted role keeps the tags it has: two clusters may share it."""
    if not desired.owner.owns(observed.tags):
        return {}, []
    return tagging.difference(observed.tags, desired.owner.kept(desired.tags), desired.purge_tags)


def name_in(arn: str) -> str:
    """The role's name in an ARN; empty where there is none."""
    parsed = Arn.parse(arn)
    return parsed.name if parsed and parsed.kind == "role" else ""
