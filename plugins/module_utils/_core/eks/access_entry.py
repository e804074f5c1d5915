# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS access entries: which IAM principals a cluster knows, and what its access policies let them do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..plan import Outcome, Plan, Problem, Ref, Retry, Risk, Step, is_pending, refuse_if_any
from ..session import AwsError, Session
from . import shared
from .placement import FAMILY_SOURCE
from .shared import ClusterView

TYPES = ("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
WITH_POLICIES = ("STANDARD", "EC2", "HYPERPOD_LINUX")
RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")
SOURCE = "EKS User Guide, access entries"
# A role that was made a moment ago.
NOT_YET = (Retry("InvalidParameterException", "principal"),)


@dataclass(frozen=True)
class Scope:
    """Where an access policy counts: in the whole cluster, or in namespaces."""

    kind: str
    namespaces: tuple[str, ...] = ()

    @property
    def request(self) -> dict[str, Any]:
        """As AWS takes it."""
        return {"type": self.kind, **({"namespaces": list(self.namespaces)} if self.namespaces else {})}


@dataclass(frozen=True)
class AccessEntry:
    """An entry as it shall be. None means not managed; C(policies) are by ARN or by AWS's name of them."""

    cluster_name: str
    principal_arn: str
    type: str | None
    username: str | None
    groups: tuple[str, ...] | None
    policies: Mapping[str, Scope] | None
    repeated: tuple[str, ...]
    purge_policies: bool
    replace: bool
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"access-entry/{self.cluster_name}/{self.principal_arn.rsplit('/', 1)[-1].rsplit(':', 1)[-1]}"

    @property
    def key(self) -> dict[str, str]:
        """What every call about it must say."""
        return {"clusterName": self.cluster_name, "principalArn": self.principal_arn}

    @classmethod
    def from_params(cls, params: Mapping[str, Any], partition: str) -> AccessEntry:
        """From the module's parameters."""
        groups, policies = params["kubernetes_groups"], params["access_policies"]
        return cls(
            cluster_name=params["cluster_name"],
            principal_arn=params["principal_arn"],
            type=params["type"],
            username=params["username"],
            groups=None if groups is None else tuple(sorted(set(groups))),
            policies=None
            if policies is None
            else {policy_arn(item["policy_arn"], partition): _scope(item) for item in policies},
            repeated=_repeated([policy_arn(item["policy_arn"], partition) for item in policies or ()]),
            purge_policies=params["purge_access_policies"],
            replace=params["replace"],
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
        )


@dataclass(frozen=True)
class Observed:
    """An entry as it is."""

    arn: str
    type: str
    username: str
    groups: tuple[str, ...]
    policies: Mapping[str, Scope] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def policy_arn(text: str, partition: str) -> str:
    """An access policy's ARN, also from AWS's bare name such as C(AmazonEKSViewPolicy)."""
    return text if text.startswith("arn:") else f"arn:{partition}:eks::aws:cluster-access-policy/{text}"


def refuse(desired: AccessEntry) -> Iterator[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    arn = desired.principal_arn
    if not is_pending(arn) and (":iam::" not in arn or not (":role/" in arn or ":user/" in arn)):
        yield Problem("principal_arn", f"{arn!r} is no ARN of an IAM role or user.", source=SOURCE)
    if not desired.present:
        return
    names = [("username", desired.username)] if desired.username else []
    for option, name in [*names, *(("kubernetes_groups", group) for group in desired.groups or ())]:
        if name.startswith(RESERVED):
            yield Problem(option, f"{name!r} begins with one of {', '.join(RESERVED)}.", source=SOURCE)
    for policy in desired.repeated:
        message = f"{policy} is there more than once, and an entry has each policy once."
        yield Problem("access_policies", message, "Name all its namespaces in one place.", SOURCE)
    for policy, scope in (desired.policies or {}).items():
        if "" in scope.namespaces:
            yield Problem("access_policies", f"{policy}: a namespace has no name.", "Give it one, or leave it out.")
        if scope.kind == "namespace" and not scope.namespaces:
            yield Problem("access_policies", f"{policy} counts in namespaces, and none is named.", "Give namespaces.")
        if scope.kind == "cluster" and scope.namespaces:
            yield Problem("access_policies", f"{policy} counts in the whole cluster.", "Leave namespaces out.")


def refuse_change(desired: AccessEntry, observed: Observed | None, view: ClusterView) -> Iterator[Problem]:
    """What cannot be in this cluster, or be done to what exists."""
    kind = desired.type or (observed.type if observed else "STANDARD")
    if view.ipv6 and kind in ("EC2_WINDOWS", "HYBRID_LINUX"):
        what = "Windows" if kind == "EC2_WINDOWS" else "hybrid"
        yield Problem("type", f"{kind}: IPv6 clusters have no {what} nodes.", source=FAMILY_SOURCE)
    if kind != "STANDARD":
        for option, given in (("kubernetes_groups", desired.groups is not None), ("username", bool(desired.username))):
            if given:
                yield Problem(option, f"entries of type {kind} have AWS's own.", "Leave it out.", SOURCE)
        if desired.policies and kind not in WITH_POLICIES:
            yield Problem("access_policies", f"entries of type {kind} take none.", "Leave it out.", SOURCE)
    if _other_type(desired, observed) and observed and not desired.replace:
        yield Problem(
            "type",
            f"it cannot be changed, from {observed.type} to {desired.type}.",
            "Set replace: true to have the entry removed and made anew; its principal has no access in between.",
            SOURCE,
        )


def observe(session: Session, desired: AccessEntry) -> Observed | None:
    """The entry with its access policies; None where there is none, or the cluster keeps none."""
    if is_pending(desired.principal_arn):
        return None
    try:
        found = session.together(
            entry=lambda: session.find("eks", "DescribeAccessEntry", **desired.key),
            policies=lambda: _policies(session, desired),
        )
    except AwsError as error:
        if error.code == "InvalidRequestException":  # the cluster's authentication mode is CONFIG_MAP
            return None
        raise
    if found["entry"] is None:
        return None
    entry = found["entry"]["accessEntry"]
    return Observed(
        arn=entry["accessEntryArn"],
        type=entry.get("type", "STANDARD"),
        username=entry.get("username", ""),
        groups=tuple(sorted(entry.get("kubernetesGroups", ()))),
        policies=found["policies"],
        tags=dict(entry.get("tags", {})),
    )


def plan(desired: AccessEntry, observed: Observed | None, view: ClusterView | None) -> Plan:
    """The calls that make the entry what it shall be."""
    if not desired.present:
        return Plan.of(_delete(desired, observed)) if observed else Plan()
    if observed is None:
        return Plan.of(view.settled() if view else None, _create(desired), _change_policies(desired, {}))
    if _other_type(desired, observed):
        # What was not given is carried over, as far as the new type has it.
        kept = _carried(desired, observed)
        return Plan.of(_delete(desired, observed), _create(kept), _change_policies(kept, {}))
    tags = shared.tag_steps(observed.arn, desired.address, observed.tags, desired.tags, desired.purge_tags)
    return Plan.of(tags, _change(desired, observed), _change_policies(desired, observed.policies))


def facts(desired: AccessEntry, observed: Observed | None) -> dict[str, Any]:
    """The entry as it will be."""
    new = observed is None or _other_type(desired, observed)
    wanted = _carried(desired, observed) if observed and new else desired
    base = None if new else observed

    def decided(path: str) -> Ref:
        return Ref(desired.address, f"accessEntry.{path}")

    groups: Any = base.groups if base else ()
    if wanted.groups is not None:
        groups = wanted.groups
    elif base is None and wanted.type not in (None, "STANDARD"):
        groups = decided("kubernetesGroups")
    policies = _policies_after(wanted, base.policies if base else {})
    return {
        "cluster_name": desired.cluster_name,
        "principal_arn": desired.principal_arn,
        "arn": base.arn if base else decided("accessEntryArn"),
        "type": wanted.type or (base.type if base else "STANDARD"),
        "username": wanted.username or (base.username if base else decided("username")),
        "kubernetes_groups": groups if isinstance(groups, Ref) else list(groups),
        "access_policies": [
            {"policy_arn": arn, "scope": scope.kind, "namespaces": list(scope.namespaces)}
            for arn, scope in sorted(policies.items())
        ],
        "tags": shared.tags_after(base.tags if base else {}, wanted.tags, desired.purge_tags),
    }


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_access_entry)."""
    desired = AccessEntry.from_params(params, session.partition)
    refuse_if_any(refuse(desired))
    if not desired.present:
        return Outcome(plan(desired, observe(session, desired), None), {"access_entry": None})
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name),
        entry=lambda: observe(session, desired),
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"])
    observed = found["entry"]
    mode = (found["cluster"] or {}).get("accessConfig", {}).get("authenticationMode", "API")
    offered = _offered(session) if _associates(desired, observed) else None
    refuse_if_any(
        [
            *_refuse_mode(desired, mode),
            *refuse_change(desired, observed, view),
            *_refuse_policies(desired, offered),
        ]
    )
    return Outcome(plan(desired, observed, view), {"access_entry": facts(desired, observed)}, warnings)


def _refuse_mode(desired: AccessEntry, mode: str) -> Iterator[Problem]:
    if mode == "CONFIG_MAP":
        yield Problem(
            "cluster_name",
            f"{desired.cluster_name} knows its principals from the ConfigMap aws-auth only.",
            "Set authentication_mode to API_AND_CONFIG_MAP with eks_cluster first, from which there is no way back;"
            " or map the role there, as the role eks_nodes does with eks_nodes_join: aws_auth.",
            SOURCE,
        )


def _associates(desired: AccessEntry, observed: Observed | None) -> bool:
    """Whether an access policy is to be associated that the entry does not have."""
    return bool(set(desired.policies or ()) - set(observed.policies if observed else ()))


def _offered(session: Session) -> list[str] | None:
    """The ARNs of EKS's access policies; None where the caller may not list them."""
    try:
        return [item["arn"] for item in session.pages("eks", "ListAccessPolicies", "accessPolicies")]
    except AwsError as error:
        if error.denied:
            return None
        raise


def _refuse_policies(desired: AccessEntry, offered: Sequence[str] | None) -> Iterator[Problem]:
    unknown = [arn for arn in desired.policies or () if offered is not None and arn not in offered]
    if unknown:
        names = ", ".join(sorted(arn.rsplit("/", 1)[-1] for arn in offered or ()))
        yield Problem("access_policies", f"EKS has no {', '.join(unknown)}.", f"It has {names}.", "ListAccessPolicies")


def _create(desired: AccessEntry) -> Step:
    after = {
        "type": desired.type or "STANDARD",
        **({"username": desired.username} if desired.username else {}),
        **({"kubernetes_groups": list(desired.groups)} if desired.groups else {}),
        **({"tags": dict(desired.tags)} if desired.tags else {}),
    }
    names = {"type": "type", "username": "username", "kubernetes_groups": "kubernetesGroups", "tags": "tags"}
    request = {**desired.key, **{names[name]: value for name, value in after.items()}}
    return Step("eks", "CreateAccessEntry", request, desired.address, after=after, retry=NOT_YET)


def _delete(desired: AccessEntry, observed: Observed) -> Step:
    before = {"type": observed.type, "access_policies": sorted(observed.policies)}
    risk = Risk.IRREVERSIBLE
    return Step("eks", "DeleteAccessEntry", desired.key, desired.address, before=before, risk=risk)


def _change(desired: AccessEntry, observed: Observed) -> list[Step]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if desired.groups is not None and desired.groups != observed.groups:
        before["kubernetes_groups"], after["kubernetes_groups"] = list(observed.groups), list(desired.groups)
    if desired.username and desired.username != observed.username:
        before["username"], after["username"] = observed.username, desired.username
    if not after:
        return []
    names = {"kubernetes_groups": "kubernetesGroups", "username": "username"}
    request = {**desired.key, **{names[name]: value for name, value in after.items()}}
    return [Step("eks", "UpdateAccessEntry", request, desired.address, before, after, Risk.DISRUPTIVE)]


def _change_policies(desired: AccessEntry, current: Mapping[str, Scope]) -> list[Step]:
    wanted = _policies_after(desired, current)
    steps = []
    for arn in sorted(set(current) - set(wanted)):
        plain = {**desired.key, "policyArn": arn}
        before = {"policy_arn": arn, **current[arn].request}
        steps.append(Step("eks", "DisassociateAccessPolicy", plain, desired.address, before, {}, Risk.DISRUPTIVE))
    for arn, scope in sorted(wanted.items()):
        if current.get(arn) == scope:
            continue
        request: dict[str, Any] = {**desired.key, "policyArn": arn, "accessScope": scope.request}
        before = {"policy_arn": arn, **current[arn].request} if arn in current else {}
        after = {"policy_arn": arn, **scope.request}
        risk = Risk.DISRUPTIVE if arn in current else Risk.SAFE
        steps.append(Step("eks", "AssociateAccessPolicy", request, desired.address, before, after, risk))
    return steps


def _policies_after(desired: AccessEntry, current: Mapping[str, Scope]) -> dict[str, Scope]:
    if desired.policies is None:
        return dict(current)
    return {**({} if desired.purge_policies else current), **desired.policies}


def _other_type(desired: AccessEntry, observed: Observed | None) -> bool:
    return observed is not None and desired.type not in (None, observed.type)


def _carried(desired: AccessEntry, observed: Observed) -> AccessEntry:
    """What a replaced entry shall be: what was given, and what it had where its new type can have it."""
    standard = desired.type == "STANDARD"
    return AccessEntry(
        cluster_name=desired.cluster_name,
        principal_arn=desired.principal_arn,
        type=desired.type,
        username=desired.username if standard else None,
        groups=desired.groups if standard else None,
        policies=_policies_after(desired, observed.policies) if desired.type in WITH_POLICIES else None,
        repeated=(),
        purge_policies=desired.purge_policies,
        replace=desired.replace,
        tags=shared.tags_after(observed.tags, desired.tags, desired.purge_tags),
        purge_tags=desired.purge_tags,
        present=True,
    )


def _policies(session: Session, desired: AccessEntry) -> dict[str, Scope]:
    found = session.find_pages("eks", "ListAssociatedAccessPolicies", "associatedAccessPolicies", **desired.key)
    return {
        item["policyArn"]: Scope(
            item["accessScope"].get("type", "cluster"), tuple(sorted(item["accessScope"].get("namespaces", ())))
        )
        for item in found
    }


def _repeated(arns: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({arn for arn in arns if arns.count(arn) > 1}))


def _scope(item: Mapping[str, Any]) -> Scope:
    return Scope(item["scope"], tuple(sorted(set(item["namespaces"] or ()))))
