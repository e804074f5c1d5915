# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS Fargate profiles: which pods run on Fargate, and in which subnets. A profile cannot be changed, only replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import kubernetes_labels
from .. import tags as tagging
from ..plan import Await, Outcome, Plan, Problem, Ref, Retry, Risk, Step, Wait, is_pending, refuse_if_any, refuse_now
from ..session import Session
from . import egress, shared
from . import node_checks as checks
from .egress import Egress
from .placement import SubnetView, read_subnets, subnet_problems
from .shared import ClusterView

TIMEOUT = 1200.0
SOURCE = "EKS API reference, CreateFargateProfile"
ROLE = "role"
ROLE_SOURCE = "EKS User Guide, Amazon EKS pod execution IAM role"
MAX_SELECTORS, MAX_LABELS = 5, 5
NOT_YET = (
    Retry("InvalidParameterException", "Misconfigured PodExecutionRole"),
    Retry("InvalidParameterException", "cannot be found"),
    Retry("ResourceInUseException", "in status"),
)
Selector = tuple[str, tuple[tuple[str, str], ...]]  # namespace, and labels sorted by key


@dataclass(frozen=True)
class FargateProfile:
    """A profile as it shall be. None means not managed."""

    cluster_name: str
    name: str
    role_arn: str | None
    subnet_ids: tuple[str, ...] | None
    selectors: tuple[Selector, ...] | None
    replace: bool
    skip_checks: frozenset[str]
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool
    wait: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"fargate-profile/{self.cluster_name}/{self.name}"

    @property
    def key(self) -> dict[str, str]:
        """What every call about it must say."""
        return {"clusterName": self.cluster_name, "fargateProfileName": self.name}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> FargateProfile:
        """From the module's parameters."""
        selectors = params["selectors"]
        return cls(
            cluster_name=params["cluster_name"],
            name=params["name"],
            role_arn=params["pod_execution_role_arn"],
            subnet_ids=shared.unique(params["subnet_ids"]),
            selectors=None if selectors is None else tuple(_selector(item) for item in selectors),
            replace=params["replace"],
            skip_checks=frozenset(params["skip_checks"] or ()),
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
            wait=params["wait"],
        )


@dataclass(frozen=True)
class Observed:
    """A profile as it is; C(busy) are the cluster's other profiles that are being made or deleted."""

    arn: str = ""
    status: str = ""
    role_arn: str = ""
    subnet_ids: tuple[str, ...] = ()
    selectors: tuple[Selector, ...] = ()
    issues: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    busy: Mapping[str, str] = field(default_factory=dict)

    @property
    def there(self) -> bool:
        """Whether the profile exists and stays."""
        return self.status not in ("", "DELETING")


@dataclass(frozen=True)
class PodRole:
    """The pod execution role as IAM has it: what it lacks, whom it does not trust, and what of that is not known."""

    lacking: tuple[str, ...] = ()
    untrusting: str = ""
    unjudged: tuple[str, ...] = ()


ReadRole = Callable[[Session, ClusterView, FargateProfile], PodRole]


@dataclass(frozen=True)
class Surroundings:
    """What a new profile depends on."""

    subnets: Mapping[str, SubnetView] = field(default_factory=dict)
    egress: Egress = field(default_factory=Egress)
    role: PodRole = field(default_factory=PodRole)


def refuse(desired: FargateProfile) -> Iterator[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    if not desired.present:
        return
    role = desired.role_arn
    if role is not None and not is_pending(role) and not shared.is_role_arn(role):
        yield Problem("pod_execution_role_arn", f"{role!r} is no ARN of an IAM role.")
    if desired.subnet_ids is not None and not desired.subnet_ids:
        yield Problem("subnet_ids", "a profile needs one subnet at least.", source=SOURCE)
    selectors = desired.selectors
    if selectors is None:
        return
    if not 1 <= len(selectors) <= MAX_SELECTORS:
        yield Problem("selectors", f"a profile has 1 to {MAX_SELECTORS}, not {len(selectors)}.", source=SOURCE)
    for namespace, labels in selectors:
        if not namespace:
            yield Problem("selectors", "each needs a namespace.", source=SOURCE)
        if len(labels) > MAX_LABELS:
            yield Problem("selectors", f"{namespace}: a selector has {MAX_LABELS} labels at most.", source=SOURCE)
    if len(set(selectors)) != len(selectors):
        yield Problem("selectors", "two of them are the same.")


def _refuse_labels(params: Mapping[str, Any]) -> Iterator[Problem]:
    """Labels whose value is no text, and no number or truth value that becomes one."""
    for item in params["selectors"] or ():
        for key, value in (item.get("labels") or {}).items():
            if value is None or isinstance(value, (Mapping, list, tuple)):
                message = f"{item['namespace']}: the label {key} has no text as its value."
                yield Problem("selectors", message, 'Give "" for an empty one.', SOURCE)


def refuse_new(desired: FargateProfile, around: Surroundings, view: ClusterView) -> Iterator[Problem]:
    """What keeps a new profile from being made, or its pods from running."""
    for option, value in (
        ("pod_execution_role_arn", desired.role_arn),
        ("subnet_ids", desired.subnet_ids),
        ("selectors", desired.selectors),
    ):
        if not value:
            yield Problem(option, f"there is no profile {desired.name} yet, and making one needs it.", source=SOURCE)
    yield from subnet_problems(around.subnets, desired.subnet_ids or (), view.vpc_id, view.ipv6)
    yield from egress.refuse_public(around.egress)
    yield from checks.refuse_addresses(around.subnets, around.egress.routes, view.ipv6, public_ipv4=False)
    if egress.SKIP not in desired.skip_checks:
        services = egress.FARGATE_ENDPOINTS
        yield from egress.refuse(around.egress, view.ipv6, services, view.name, view.private_access)
    yield from _refuse_role(desired, around.role)


def _refuse_role(desired: FargateProfile, role: PodRole) -> Iterator[Problem]:
    remedy = f"Take a role as iam_eks_roles makes it with fargate_role; or set skip_checks: [{ROLE}]."
    if role.untrusting:
        message = f"the trust policy of {desired.role_arn} does not let {role.untrusting}."
        yield Problem("pod_execution_role_arn", message, remedy, ROLE_SOURCE, elsewhere=True)
    if role.lacking:
        message = f"the role {desired.role_arn} does not allow {', '.join(role.lacking)}, so no image would be pulled."
        yield Problem("pod_execution_role_arn", message, remedy, ROLE_SOURCE, elsewhere=True)


def refuse_change(desired: FargateProfile, observed: Observed) -> Iterator[Problem]:
    """What cannot be done to a profile that exists."""
    if observed.status in ("CREATE_FAILED", "DELETE_FAILED") and not desired.replace:
        reason = shared.issues_text(observed.issues)
        yield Problem(
            "name", f"the profile {desired.name} is {observed.status}: {reason}.",
            "Set replace: true to have it removed and made anew.",
        )  # fmt: skip
        return
    if desired.replace:
        return
    for option, (current, wanted) in _differences(desired, observed).items():
        yield Problem(
            option,
            f"it cannot be changed, from {current} to {wanted}.",
            "Make another profile; or set replace: true to have this one removed, with its pods, and made anew.",
            SOURCE,
        )


def observe(session: Session, desired: FargateProfile) -> Observed:
    """The profile, and which others are under way: a cluster makes and deletes one at a time."""
    answer = session.find("eks", "ListFargateProfiles", clusterName=desired.cluster_name)
    names: list[str] = list((answer or {}).get("fargateProfileNames", ()))
    while answer and answer.get("nextToken"):
        answer = session.read(
            "eks", "ListFargateProfiles", clusterName=desired.cluster_name, nextToken=answer["nextToken"]
        )
        names += answer["fargateProfileNames"]

    def read(name: str) -> Any:
        return lambda: session.find(
            "eks", "DescribeFargateProfile", clusterName=desired.cluster_name, fargateProfileName=name
        )

    found = session.together(**{name: read(name) for name in names})
    profiles = {name: item["fargateProfile"] for name, item in found.items() if item}
    busy = {
        name: profile["status"]
        for name, profile in profiles.items()
        if profile["status"] in ("CREATING", "DELETING") and name != desired.name
    }
    own = profiles.get(desired.name)
    if own is None:
        return Observed(busy=busy)
    return Observed(
        arn=own["fargateProfileArn"],
        status=own["status"],
        role_arn=own["podExecutionRoleArn"],
        subnet_ids=tuple(own.get("subnets", ())),
        selectors=tuple(_selector(item) for item in own.get("selectors", ())),
        issues=tuple(shared.health_issues(own)),
        tags=dict(own.get("tags", {})),
        busy=busy,
    )


def survey(session: Session, desired: FargateProfile, view: ClusterView, read_role: ReadRole) -> Surroundings:
    """Reads what a new profile depends on."""
    found = session.together(
        subnets=lambda: read_subnets(session, desired.subnet_ids),
        role=lambda: PodRole() if ROLE in desired.skip_checks else read_role(session, view, desired),
    )
    subnets = found["subnets"]
    ways = egress.read(session, subnets, egress.SKIP not in desired.skip_checks)
    return Surroundings(subnets, ways, found["role"])


def plan(desired: FargateProfile, observed: Observed, view: ClusterView | None) -> Plan:
    """The calls that make the profile what it shall be."""
    others = [
        Await(f"fargate-profile/{desired.cluster_name}/{name}", _wait(desired, name, gone=status == "DELETING"))
        for name, status in sorted(observed.busy.items())
    ]
    if not desired.present:
        return _plan_absent(desired, observed, others)
    if not observed.there:
        going = Await(desired.address, _wait(desired, gone=True)) if observed.status else None
        settled = view.settled() if view else None
        made = shared.without_last_wait(Plan.of(_create(desired)), desired.wait)
        return Plan.of(settled, others, going, made)
    if _replaced(desired, observed):
        begun = Await(desired.address, _wait(desired)) if observed.status == "CREATING" else None
        made = shared.without_last_wait(Plan.of(_create(_carried(desired, observed))), desired.wait)
        return Plan.of(others, begun, _delete(desired, observed), made)
    begun = Await(desired.address, _wait(desired)) if observed.status == "CREATING" and desired.wait else None
    tags = shared.tag_steps(observed.arn, desired.address, observed.tags, desired.tags, desired.purge_tags)
    return Plan.of(begun, tags)


def facts(desired: FargateProfile, observed: Observed) -> dict[str, Any]:
    """The profile as it will be."""
    new = not observed.there or _replaced(desired, observed)
    shown = _carried(desired, observed) if new and observed.there else desired

    def decided(path: str) -> Ref:
        return Ref(desired.address, f"fargateProfile.{path}")

    waited = observed.status == "CREATING" and desired.wait
    selectors = shown.selectors if shown.selectors is not None else observed.selectors
    return {
        "name": desired.name,
        "cluster_name": desired.cluster_name,
        "arn": decided("fargateProfileArn") if new else observed.arn,
        "status": decided("status") if new or waited else observed.status,
        "pod_execution_role_arn": shown.role_arn or observed.role_arn,
        "subnet_ids": list(observed.subnet_ids if shown.subnet_ids is None else shown.subnet_ids),
        "selectors": [{"namespace": namespace, "labels": dict(labels)} for namespace, labels in sorted(selectors)],
        "tags": dict(shown.tags or {}) if new else shared.tags_after(observed.tags, desired.tags, desired.purge_tags),
    }


def build(params: Mapping[str, Any], session: Session, read_role: ReadRole) -> Outcome:
    """The module C(eks_fargate_profile); C(read_role) finds out what the pod execution role may do."""
    desired = FargateProfile.from_params(params)
    refuse_if_any([*(_refuse_labels(params) if desired.present else ()), *refuse(desired)])
    if not desired.present:
        return Outcome(plan(desired, observe(session, desired), None), {"fargate_profile": None})
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name),
        profile=lambda: observe(session, desired),
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"])
    observed: Observed = found["profile"]
    problems: list[Problem] = []
    if observed.there:
        problems += refuse_change(desired, observed)
    if not observed.there or _replaced(desired, observed):
        wanted = _carried(desired, observed) if observed.there else desired
        around = survey(session, wanted, view, read_role)
        problems += refuse_new(wanted, around, view)
        warnings = (*warnings, *(f"pod_execution_role_arn: {text}" for text in around.role.unjudged))
        if egress.SKIP not in desired.skip_checks:
            warnings = (*warnings, *egress.warn(around.egress, view.ipv6, egress.FARGATE_ENDPOINTS))
    warnings = (*warnings, *refuse_now(problems, session.host.check_mode))
    return Outcome(plan(desired, observed, view), {"fargate_profile": facts(desired, observed)}, warnings)


def _create(desired: FargateProfile) -> Step:
    selectors = [
        {"namespace": namespace, **({"labels": dict(labels)} if labels else {})}
        for namespace, labels in desired.selectors or ()
    ]
    request: dict[str, Any] = {
        **desired.key,
        "podExecutionRoleArn": desired.role_arn,
        "subnets": list(desired.subnet_ids or ()),
        "selectors": selectors,
        **({"tags": dict(desired.tags)} if desired.tags else {}),
    }
    after = {
        "pod_execution_role_arn": desired.role_arn,
        "subnet_ids": list(desired.subnet_ids or ()),
        "selectors": selectors,
        "tags": dict(desired.tags or {}),
    }
    wait = _wait(desired)
    return Step("eks", "CreateFargateProfile", request, desired.address, after=after, wait=wait, retry=NOT_YET)


def _delete(desired: FargateProfile, observed: Observed) -> Step:
    before = {"status": observed.status, "subnet_ids": list(observed.subnet_ids)}
    wait = _wait(desired, gone=True)
    operation = "DeleteFargateProfile"
    return Step("eks", operation, desired.key, desired.address, before, {}, Risk.IRREVERSIBLE, wait, retry=NOT_YET)


def _plan_absent(desired: FargateProfile, observed: Observed, others: Sequence[Await]) -> Plan:
    if not observed.status:
        return Plan()
    if observed.status == "DELETING":
        return Plan.of(Await(desired.address, _wait(desired, gone=True)) if desired.wait else None)
    begun = Await(desired.address, _wait(desired, anyhow=True)) if observed.status == "CREATING" else None
    gone = shared.without_last_wait(Plan.of(_delete(desired, observed)), desired.wait)
    return Plan.of(others, begun, gone)


def _wait(desired: FargateProfile, name: str = "", gone: bool = False, anyhow: bool = False) -> Wait:
    failure = ("CREATE_FAILED", "DELETING", "DELETE_FAILED")
    return Wait(
        "eks",
        "DescribeFargateProfile",
        {"clusterName": desired.cluster_name, "fargateProfileName": name or desired.name},
        path="fargateProfile.status",
        success=() if gone else ("ACTIVE", *(failure if anyhow or name else ())),
        failure=("DELETE_FAILED",) if gone else () if anyhow or name else failure,
        gone=gone,
        detail=shared.HEALTH.format("fargateProfile"),
        interval=10.0,
        timeout=TIMEOUT,
    )


def _differences(desired: FargateProfile, observed: Observed) -> dict[str, tuple[Any, Any]]:
    """option -> (is, shall be) of what cannot be changed; roles as whole texts, subnets and selectors as sets."""
    found: dict[str, tuple[Any, Any]] = {}
    if desired.role_arn not in (None, observed.role_arn):
        found["pod_execution_role_arn"] = (observed.role_arn, desired.role_arn)
    if desired.subnet_ids is not None and set(desired.subnet_ids) != set(observed.subnet_ids):
        found["subnet_ids"] = (sorted(observed.subnet_ids), sorted(desired.subnet_ids))
    if desired.selectors is not None and set(desired.selectors) != set(observed.selectors):
        found["selectors"] = (_texts(observed.selectors), _texts(desired.selectors))
    return found


def _replaced(desired: FargateProfile, observed: Observed) -> bool:
    failed = observed.status in ("CREATE_FAILED", "DELETE_FAILED")
    return desired.replace and (failed or bool(_differences(desired, observed)))


def _carried(desired: FargateProfile, observed: Observed) -> FargateProfile:
    """What a replaced profile shall be: what was given, and what it had."""
    to_set, to_remove = tagging.difference(observed.tags, desired.tags, desired.purge_tags)
    return FargateProfile(
        cluster_name=desired.cluster_name,
        name=desired.name,
        role_arn=desired.role_arn or observed.role_arn,
        subnet_ids=observed.subnet_ids if desired.subnet_ids is None else desired.subnet_ids,
        selectors=observed.selectors if desired.selectors is None else desired.selectors,
        replace=desired.replace,
        skip_checks=desired.skip_checks,
        tags=tagging.after(observed.tags, to_set, to_remove),
        purge_tags=desired.purge_tags,
        present=True,
        wait=desired.wait,
    )


def _texts(selectors: Sequence[Selector]) -> list[str]:
    return sorted(" ".join([name, *(f"{key}={value}" for key, value in labels)]) for name, labels in selectors)


def _selector(item: Mapping[str, Any]) -> Selector:
    labels = item.get("labels") or {}
    return str(item.get("namespace") or ""), tuple(sorted(kubernetes_labels.texts(labels).items()))
