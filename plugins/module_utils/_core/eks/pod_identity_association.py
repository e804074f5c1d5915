# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS Pod Identity associations: the IAM role of one service account in one cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..plan import Outcome, Plan, Problem, Ref, Retry, Risk, Step, is_pending, refuse_if_any
from ..session import Session
from . import shared
from .shared import ClusterView

# AWS's own texts for a role that was made a moment ago.
NOT_YET = (
    Retry("InvalidParameterException", "Role provided in the request does not exist"),
    Retry("InvalidParameterException", "Trust policy of the role provided is invalid"),
)
SOURCE = "EKS API reference, CreatePodIdentityAssociation"


@dataclass(frozen=True)
class PodIdentityAssociation:
    """An association as it shall be. None means not managed."""

    cluster_name: str
    namespace: str
    service_account: str
    role_arn: str | None
    disable_session_tags: bool | None
    target_role_arn: str | None
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"pod-identity-association/{self.cluster_name}/{self.namespace}/{self.service_account}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> PodIdentityAssociation:
        """From the module's parameters."""
        return cls(
            cluster_name=params["cluster_name"],
            namespace=params["namespace"],
            service_account=params["service_account"],
            role_arn=params["role_arn"],
            disable_session_tags=params["disable_session_tags"],
            target_role_arn=params["target_role_arn"],
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
        )


@dataclass(frozen=True)
class Observed:
    """An association as it is; C(owner) is the add-on it belongs to, if any."""

    id: str
    arn: str
    role_arn: str
    disable_session_tags: bool
    target_role_arn: str | None
    external_id: str | None
    owner: str | None
    tags: Mapping[str, str] = field(default_factory=dict)


def observe(session: Session, desired: PodIdentityAssociation) -> Observed | None:
    """The association of a service account, which has one at most: looked up by name, then described."""
    listed = session.find(
        "eks",
        "ListPodIdentityAssociations",
        clusterName=desired.cluster_name,
        namespace=desired.namespace,
        serviceAccount=desired.service_account,
    )
    if not listed or not listed["associations"]:
        return None
    identity = listed["associations"][0]["associationId"]
    answer = session.find(
        "eks", "DescribePodIdentityAssociation", clusterName=desired.cluster_name, associationId=identity
    )
    if answer is None:
        return None
    found = answer["association"]
    return Observed(
        id=identity,
        arn=found["associationArn"],
        role_arn=found["roleArn"],
        disable_session_tags=bool(found.get("disableSessionTags", False)),
        target_role_arn=found.get("targetRoleArn"),
        external_id=found.get("externalId"),
        owner=found.get("ownerArn"),
        tags=dict(found.get("tags", {})),
    )


def refuse(desired: PodIdentityAssociation) -> list[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    problems = []
    for option, arn in (("role_arn", desired.role_arn), ("target_role_arn", desired.target_role_arn)):
        if arn is not None and not is_pending(arn) and ":role/" not in arn:
            problems.append(Problem(option, f"{arn!r} is no ARN of an IAM role."))
    return problems


def refuse_change(desired: PodIdentityAssociation, observed: Observed | None) -> list[Problem]:
    """What cannot be done to what exists."""
    if observed is None:
        if desired.present and desired.role_arn is None:
            return [
                Problem("role_arn", f"{desired.service_account} has no association yet, and making one needs a role.")
            ]
        return []
    if observed.owner is None or not plan(desired, observed, None).steps:
        return []
    return [
        Problem(
            "service_account",
            f"the association of {desired.namespace}/{desired.service_account} belongs to {observed.owner}.",
            "Change it there: eks_addon, pod_identity_associations.",
            SOURCE,
        )
    ]


def plan(desired: PodIdentityAssociation, observed: Observed | None, view: ClusterView | None) -> Plan:
    """The calls that make the association what it shall be."""
    if not desired.present:
        return _plan_absent(desired, observed)
    if observed is None:
        return Plan.of(view.settled() if view else None, _create(desired))
    tags = shared.tag_steps(observed.arn, desired.address, observed.tags, desired.tags, desired.purge_tags)
    return Plan.of(tags, _change(desired, observed))


def facts(desired: PodIdentityAssociation, observed: Observed | None) -> dict[str, Any]:
    """The association as it will be."""
    address = desired.address
    external = Ref(address, "association.externalId")
    changed = observed is not None and desired.target_role_arn not in (None, observed.target_role_arn)
    keeps_external = observed is not None and not changed
    return {
        "cluster_name": desired.cluster_name,
        "namespace": desired.namespace,
        "service_account": desired.service_account,
        "association_id": observed.id if observed else Ref(address, "association.associationId"),
        "association_arn": observed.arn if observed else Ref(address, "association.associationArn"),
        "role_arn": _wanted(desired.role_arn, observed.role_arn if observed else None),
        "disable_session_tags": bool(
            _wanted(desired.disable_session_tags, observed.disable_session_tags if observed else False)
        ),
        "target_role_arn": _wanted(desired.target_role_arn, observed.target_role_arn if observed else None),
        "external_id": observed.external_id
        if observed and keeps_external
        else external
        if desired.target_role_arn
        else None,
        "owner_arn": observed.owner if observed else None,
        "tags": shared.tags_after(observed.tags if observed else {}, desired.tags, desired.purge_tags),
    }


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_pod_identity_association)."""
    desired = PodIdentityAssociation.from_params(params)
    if not desired.present:
        observed = observe(session, desired)
        refuse_if_any(refuse_change(desired, observed))
        return Outcome(plan(desired, observed, None), {"association": None})
    refuse_if_any(refuse(desired))
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name),
        association=lambda: observe(session, desired),
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"])
    observed = found["association"]
    refuse_if_any(refuse_change(desired, observed))
    return Outcome(plan(desired, observed, view), {"association": facts(desired, observed)}, warnings)


def _create(desired: PodIdentityAssociation) -> Step:
    options = _options(desired)
    request: dict[str, Any] = {
        "clusterName": desired.cluster_name,
        "namespace": desired.namespace,
        "serviceAccount": desired.service_account,
        **{member: value for _name, member, value in options if value is not None},
    }
    if desired.tags:
        request["tags"] = dict(desired.tags)
    after = {name: value for name, _member, value in options if value is not None}
    return Step(
        "eks",
        "CreatePodIdentityAssociation",
        request,
        desired.address,
        after={**after, "tags": dict(desired.tags or {})},
        retry=NOT_YET,
    )


def _change(desired: PodIdentityAssociation, observed: Observed) -> list[Step]:
    current = {
        "role_arn": observed.role_arn,
        "disable_session_tags": observed.disable_session_tags,
        "target_role_arn": observed.target_role_arn,
    }
    changed = [item for item in _options(desired) if item[2] not in (None, current[item[0]])]
    if not changed:
        return []
    request = {
        "clusterName": desired.cluster_name,
        "associationId": observed.id,
        **{member: value for _name, member, value in changed},
    }
    before = {name: current[name] for name, _member, _value in changed}
    after = {name: value for name, _member, value in changed}
    operation = "UpdatePodIdentityAssociation"
    return [Step("eks", operation, request, desired.address, before, after, Risk.DISRUPTIVE, retry=NOT_YET)]


def _plan_absent(desired: PodIdentityAssociation, observed: Observed | None) -> Plan:
    if observed is None:
        return Plan()
    request = {"clusterName": desired.cluster_name, "associationId": observed.id}
    before = {"role_arn": observed.role_arn}
    operation = "DeletePodIdentityAssociation"
    return Plan.of(Step("eks", operation, request, desired.address, before=before, risk=Risk.IRREVERSIBLE))


def _options(desired: PodIdentityAssociation) -> list[tuple[str, str, Any]]:
    """(fact, AWS's member, wanted value) of what can be changed."""
    return [
        ("role_arn", "roleArn", desired.role_arn),
        ("disable_session_tags", "disableSessionTags", desired.disable_session_tags),
        ("target_role_arn", "targetRoleArn", desired.target_role_arn),
    ]


def _wanted(wanted: Any, current: Any) -> Any:
    return current if wanted is None else wanted
