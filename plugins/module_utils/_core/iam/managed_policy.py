# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Customer managed IAM policies: made for a cluster and held to their document, or adopted and only added to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import tags as tagging
from ..plan import Plan, Problem, Ref, Retry, Risk, Step
from ..session import Session
from . import policy_document
from .ownership import Owner, name_problems, path_problems
from .policy_document import Document, Need, Verdict

VERSIONS = 5  # of one policy; IAM user guide, IAM and AWS STS quotas
Statements = Callable[[Iterable[Need]], list[dict[str, Any]]]


@dataclass(frozen=True)
class ManagedPolicy:
    """A policy as it shall be. None means not managed.

    A policy of this module's own gets C(document). An adopted one must meet C(needs), and gets C(statements) of those
    that it does not meet.
    """

    option: str
    name: str
    owner: Owner
    description: str
    document: Document
    needs: tuple[Need, ...]
    statements: Statements
    path: str | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = True
    present: bool = True

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"policy/{self.name}"


@dataclass(frozen=True)
class Version:
    """One version of a policy's document."""

    id: str
    default: bool
    created: datetime


@dataclass(frozen=True)
class Observed:
    """A policy as it is. C(holders) are read only for a policy that shall go."""

    name: str
    arn: str
    path: str
    document: Document
    versions: tuple[Version, ...]
    attachments: int
    boundaries: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    holders: tuple[str, ...] = ()


def refuse(desired: ManagedPolicy) -> list[Problem]:
    """What IAM would refuse, seen without a call."""
    return name_problems(desired.option, "policy", desired.name) + path_problems("path", desired.path)


def observe(session: Session, desired: ManagedPolicy) -> Observed | None:
    """The policy of that name, wherever its path; None where there is none.

    It is asked for at the path it would have; only when it is not there, all are listed, since a name is taken
    in the whole account.
    """
    path = desired.path or "/"
    arn = f"arn:{session.partition}:iam::{session.account_id}:policy{path}{desired.name}"
    answer = session.find("iam", "GetPolicy", PolicyArn=arn)
    if answer is None:
        listed = session.pages("iam", "ListPolicies", "Policies", Scope="Local", MaxItems=1000)
        same_name = (item["Arn"] for item in listed if item["PolicyName"].lower() == desired.name.lower())
        arn = next(same_name, "")
        answer = session.find("iam", "GetPolicy", PolicyArn=arn) if arn else None
    return _observed(session, answer["Policy"], desired.present) if answer else None


def refuse_observed(desired: ManagedPolicy, observed: Observed | None) -> list[Problem]:
    """What must not be done to the policy that is there."""
    if observed is None or not desired.present:
        return []
    problems = []
    if desired.path is not None and desired.path != observed.path:
        message = f"the policy {observed.name} is at {observed.path!r}; IAM cannot move a policy to {desired.path!r}."
        problems.append(Problem("path", message, "Leave the path out, or give another name."))
    denied = _verdict(desired, observed).denied
    if denied and not owned(desired, observed):
        actions = ", ".join(sorted({need.action for need in denied}))
        message = f"the existing policy {observed.arn} denies {actions}."
        problems.append(Problem(desired.option, message, "Take that statement out, or give another name."))
    return problems


def owned(desired: ManagedPolicy, observed: Observed | None) -> bool:
    """Whether the policy was made by this module for this cluster, or will be."""
    return observed is None or desired.owner.owns(observed.tags)


def warnings(desired: ManagedPolicy, observed: Observed | None, shared: bool) -> list[str]:
    """What a person should know of a policy that is adopted, or C(shared) and so not made as tight as was asked for."""
    if observed is None or not desired.present:
        return []
    if owned(desired, observed):
        if policy_document.same(wanted(desired, observed, shared), desired.document):
            return []
        return [f"{desired.option}: others use the policy {observed.arn} too, so what it allows besides stays."]
    conditional = _verdict(desired, observed).conditional
    if not conditional:
        return []
    actions = ", ".join(sorted({need.action for need in conditional}))
    return [f"{desired.option}: the existing policy {observed.arn} allows {actions} only under conditions."]


def plan(desired: ManagedPolicy, observed: Observed | None, shared: bool) -> Plan:
    """The calls that make the policy what it shall be. A C(shared) policy, which others use too, is only added to."""
    if observed is None:
        return Plan.of(_create(desired))
    return Plan.of(_change_document(desired, observed, shared), _change_tags(desired, observed))


def wanted(desired: ManagedPolicy, observed: Observed | None, shared: bool) -> Document:
    """The document that the policy will have."""
    if observed is None:
        return desired.document
    if owned(desired, observed) and not shared:
        same = policy_document.same(desired.document, observed.document)
        return observed.document if same else desired.document
    missing = _verdict(desired, observed).missing
    if not missing:
        return observed.document
    return policy_document.extended(observed.document, *desired.statements(missing))


def kept(desired: ManagedPolicy, observed: Observed | None, detached_from: Iterable[str]) -> str:
    """Why a policy that shall go is left where it is; empty when it goes, or is not there.

    C(detached_from) are the roles that it is taken off before.
    """
    if observed is None:
        return ""
    if not owned(desired, observed):
        return "it was not made by this module for this cluster"
    users = sorted(set(observed.holders) - {f"role {name}" for name in detached_from})
    if users:
        return f"it is attached to {', '.join(users)} still"
    if observed.boundaries:
        return f"it is the permissions boundary of {observed.boundaries} users or roles"
    return ""


def plan_absent(desired: ManagedPolicy, observed: Observed) -> Plan:
    """The calls that remove the policy; it must be attached to nothing by then."""
    before = {"name": observed.name, "path": observed.path, "policy": observed.document, "tags": observed.tags}
    gone = Step(
        "iam",
        "DeletePolicy",
        {"PolicyArn": observed.arn},
        desired.address,
        before=before,
        risk=Risk.IRREVERSIBLE,
        retry=(Retry("DeleteConflict"),),  # what was detached a moment ago may count still
    )
    return Plan.of([_delete_version(desired, observed, version) for version in _old_versions(observed)], gone)


def arn_of(desired: ManagedPolicy, observed: Observed | None) -> str | Ref:
    """The policy's ARN, as it is or as it will be."""
    return observed.arn if observed else Ref(desired.address, "Policy.Arn")


def facts(desired: ManagedPolicy, observed: Observed | None, shared: bool) -> dict[str, Any]:
    """The policy as it will be."""
    return {
        "policy_name": observed.name if observed else desired.name,
        "policy_arn": arn_of(desired, observed),
        "policy_document": wanted(desired, observed, shared),
        "policy_adopted": not owned(desired, observed),
    }


def _observed(session: Session, policy: Mapping[str, Any], present: bool) -> Observed:
    arn = policy["Arn"]
    reads: dict[str, Callable[[], Any]] = {
        "document": lambda: session.read(
            "iam", "GetPolicyVersion", PolicyArn=arn, VersionId=policy["DefaultVersionId"]
        ),
        "versions": lambda: session.pages("iam", "ListPolicyVersions", "Versions", PolicyArn=arn),
    }
    if not present:
        reads["holders"] = lambda: session.read("iam", "ListEntitiesForPolicy", PolicyArn=arn)
    answers = session.together(**reads)
    return Observed(
        name=policy["PolicyName"],
        arn=arn,
        path=policy["Path"],
        document=policy_document.parse(answers["document"]["PolicyVersion"]["Document"]),
        versions=tuple(
            Version(item["VersionId"], item["IsDefaultVersion"], item["CreateDate"]) for item in answers["versions"]
        ),
        attachments=policy["AttachmentCount"],
        boundaries=policy.get("PermissionsBoundaryUsageCount", 0),
        tags=tagging.to_dict(policy.get("Tags")),
        holders=_holders(answers.get("holders", {})),
    )


def _holders(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The first hundred suffice to know that it must stay."""
    kinds = ("Role", "User", "Group")
    return tuple(f"{kind.lower()} {item[f'{kind}Name']}" for kind in kinds for item in answer.get(f"Policy{kind}s", ()))


def _verdict(desired: ManagedPolicy, observed: Observed) -> Verdict:
    return policy_document.judge([observed.document], desired.needs)


def _create(desired: ManagedPolicy) -> Step:
    tags = desired.owner.tags(desired.tags)
    path = desired.path or "/"
    request = {
        "PolicyName": desired.name,
        "Path": path,
        "PolicyDocument": policy_document.to_json(desired.document),
        "Description": desired.description,
        "Tags": tagging.to_list(tags),
    }
    after = {"name": desired.name, "path": path, "policy": desired.document, "tags": tags}
    return Step("iam", "CreatePolicy", request, desired.address, after=after)


def _change_document(desired: ManagedPolicy, observed: Observed, shared: bool) -> list[Step]:
    document = wanted(desired, observed, shared)
    if policy_document.same(document, observed.document):
        return []
    request = {"PolicyArn": observed.arn, "PolicyDocument": policy_document.to_json(document), "SetAsDefault": True}
    before, after = {"policy": observed.document}, {"policy": document}
    risk = Risk.SAFE if policy_document.covers(document, observed.document) else Risk.DISRUPTIVE
    spare = len(observed.versions) - VERSIONS + 1
    room = [_delete_version(desired, observed, version) for version in _old_versions(observed)[: max(spare, 0)]]
    # A version deleted a moment ago may count still.
    retry = (Retry("LimitExceeded"),) if room else ()
    new = Step("iam", "CreatePolicyVersion", request, desired.address, before, after, risk, retry=retry)
    return [*room, new]


def _old_versions(observed: Observed) -> list[Version]:
    """All but the default version, the oldest first."""
    old = [version for version in observed.versions if not version.default]
    return sorted(old, key=lambda version: (version.created, int(version.id.removeprefix("v"))))


def _delete_version(desired: ManagedPolicy, observed: Observed, version: Version) -> Step:
    request = {"PolicyArn": observed.arn, "VersionId": version.id}
    before = {"version": version.id}
    return Step("iam", "DeletePolicyVersion", request, desired.address, before=before, risk=Risk.IRREVERSIBLE)


def _change_tags(desired: ManagedPolicy, observed: Observed) -> list[Step]:
    """An adopted policy keeps the tags it has."""
    if not owned(desired, observed):
        return []
    to_set, to_remove = tagging.difference(observed.tags, desired.owner.kept(desired.tags), desired.purge_tags)
    before, after = {"tags": observed.tags}, {"tags": tagging.after(observed.tags, to_set, to_remove)}
    key = {"PolicyArn": observed.arn}
    steps = []
    if to_set:
        request = {**key, "Tags": tagging.to_list(to_set)}
        steps.append(Step("iam", "TagPolicy", request, desired.address, before, after))
    if to_remove:
        steps.append(Step("iam", "UntagPolicy", {**key, "TagKeys": to_remove}, desired.address, before, after))
    return steps
