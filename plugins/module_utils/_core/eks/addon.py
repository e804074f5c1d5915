# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS add-ons: software in a cluster that EKS installs, configures and moves from version to version.

C(addon_model) says what an add-on shall be, what it is and what EKS offers, C(addon_rules) what must not be done to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..plan import Await, Outcome, Plan, Problem, Ref, Retry, Risk, Step, Wait, refuse_if_any
from ..session import Session
from ..versions import newest, order
from . import addon_rules as rules
from . import configuration, shared
from .addon_model import (
    CNI,
    RECREATED,
    Addon,
    Aim,
    Association,
    Observed,
    Offer,
    Run,
    aim_of,
    differs,
    inquire,
    observe,
    read_schemas,
    target,
    unmanaged,
    version_steps,
)
from .shared import ClusterView

TIMEOUT = 1200.0
# AWS's own texts for a role that was made a moment ago.
NOT_YET = (
    Retry("InvalidParameterException", "Role provided in the request does not exist"),
    Retry("InvalidParameterException", "Trust policy of the role provided is invalid"),
)
LACKS_NODES = "InsufficientNumberOfReplicas"


@dataclass(frozen=True)
class Situation:
    """What is wanted, what there is and what EKS offers: all that a plan is made of.

    C(base) is the add-on that will be changed: not one that is on its way out. C(cluster) is DescribeCluster's answer.
    """

    desired: Addon
    view: ClusterView
    cluster: Mapping[str, Any] | None
    observed: Observed | None
    base: Observed | None
    offer: Offer
    aim: Aim
    warnings: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """Everything that will newly run, in its order; empty when nothing changes."""
        return runs(self.desired, self.base, self.aim, self.offer)


def runs(desired: Addon, base: Observed | None, aim: Aim, offer: Offer) -> tuple[Run, ...]:
    """The versions that will newly run, each with its configuration."""
    if base is None or base.status in RECREATED:
        return ((aim.version, aim.configuration),)
    found, current = [], (base.version, base.configuration or {})
    for step in _updates(desired, base, aim, offer):
        changed = "configurationValues" in step.request
        current = (step.request.get("addonVersion", current[0]), aim.configuration if changed else current[1])
        found.append(current)
    return tuple(found)


def plan(desired: Addon, observed: Observed | None, aim: Aim, offer: Offer, view: ClusterView) -> Plan:
    """The calls that make the add-on what it shall be."""
    if observed is None:
        return Plan.of(view.settled(), shared.without_last_wait(Plan.of(_create(desired, aim, {})), desired.wait))
    if observed.status == "DELETING":
        gone = Await(desired.address, _gone(desired))
        return Plan.of(gone, shared.without_last_wait(Plan.of(_create(desired, aim, {})), desired.wait))
    if observed.status in RECREATED:
        steps: list[Step | Await] = _recreate(desired, observed, aim)
    else:
        steps = [*_change_tags(desired, observed), *_updates(desired, observed, aim, offer)]
    return Plan.of(_settle(desired, observed), shared.without_last_wait(Plan.of(steps), desired.wait))


def plan_absent(desired: Addon, observed: Observed | None) -> Plan:
    """The calls that make the add-on go."""
    if observed is None:
        return Plan()
    if observed.status == "DELETING":
        return Plan.of(Await(desired.address, _gone(desired)) if desired.wait else None)
    return Plan.of(
        _settle(desired, observed),
        shared.without_last_wait(Plan.of(_delete(desired, observed, desired.preserve)), desired.wait),
    )


def facts(desired: Addon, observed: Observed | None, aim: Aim, offer: Offer) -> dict[str, Any]:
    """The add-on as it will be."""
    base = None if observed is None or observed.status == "DELETING" else observed
    made = base is None or base.status in (*RECREATED, "CREATING")
    changed = base is not None and bool(_updates(desired, base, aim, offer))
    if made:
        status: Any = Ref(desired.address, "addon.status")
    elif changed or (base is not None and base.status == "UPDATING"):
        status = "ACTIVE" if desired.wait or not changed else "UPDATING"
    else:
        status = base.status if base else ""
    return {
        "name": desired.name,
        "cluster_name": desired.cluster_name,
        "arn": Ref(desired.address, "addon.addonArn") if base is None or base.status in RECREATED else base.arn,
        "version": aim.version,
        "status": status,
        "health_issues": list(base.issues) if base is not None and not made and not changed else [],
        "configuration_values": dict(aim.configuration),
        "service_account_role_arn": aim.role_arn,
        "pod_identity_associations": [
            {"service_account": account, "role_arn": role} for account, role in aim.associations
        ],
        "tags": shared.tags_after(base.tags if base else {}, desired.tags, desired.purge_tags),
    }


Guard = Callable[[Addon, ClusterView, "Observed | None"], list[Problem]]


def situation(params: Mapping[str, Any], session: Session, guard: Guard) -> Situation:
    """All that is there, with everything refused that EKS or its schema would refuse.

    C(guard) is asked first, once cluster and add-on are known.

    @raises Refused
    """
    desired = Addon.from_params(params)
    refuse_if_any(rules.refuse(desired))
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name), addon=lambda: observe(session, desired)
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"], desired.kubernetes_version)
    observed = found["addon"]
    base = None if observed is None or observed.status == "DELETING" else observed
    refuse_if_any([*rules.refuse_change(desired, base), *guard(desired, view, base)])
    offer = inquire(session, desired, base, view)
    refuse_if_any(rules.refuse_offer(desired, base, offer, view))
    aim = aim_of(desired, base, target(desired, base, offer, view))
    newly = runs(desired, base, aim, offer) or ((aim.version, desired.configuration or {}),)
    refuse_if_any(rules.refuse_settings(desired, newly, read_schemas(session, desired, base, newly), view))
    told = (*warnings, *rules.warnings(desired, base, offer, view))
    return Situation(desired, view, found["cluster"], observed, base, offer, aim, told)


def outcome(found: Situation, warnings: tuple[str, ...] = ()) -> Outcome:
    """The plan of a situation, with further warnings."""
    return Outcome(
        plan(found.desired, found.observed, found.aim, found.offer, found.view),
        {"addon": facts(found.desired, found.observed, found.aim, found.offer)},
        (*found.warnings, *warnings),
    )


def build_absent(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_addon) with C(state=absent)."""
    desired = Addon.from_params(params)
    observed = observe(session, desired)
    return Outcome(plan_absent(desired, observed), {"addon": None}, rules.warnings_absent(desired, observed))


def build_info(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_addon_info)."""
    cluster, name = params["cluster_name"], params["name"]
    found = shared.find_cluster(session, cluster)
    if found is None:
        return Outcome(Plan(), {"addons": []})
    names = [name] if name else session.pages("eks", "ListAddons", "addons", clusterName=cluster)
    reads = {item: partial(_read_facts, session, found, item, params["offers"]) for item in names}
    addons = [facts for facts in session.together(**reads).values() if facts is not None]
    return Outcome(Plan(), {"addons": sorted(addons, key=lambda item: str(item["name"]))})


def _read_facts(session: Session, cluster: Mapping[str, Any], name: str, offers: bool) -> dict[str, Any] | None:
    desired = unmanaged(cluster["name"], name)
    observed = observe(session, desired)
    if observed is None:
        return None
    view, _warnings_of_it = shared.view_of(session, cluster["name"], {**cluster, "status": "ACTIVE"})
    found = facts(desired, observed, aim_of(desired, observed, observed.version), Offer())
    found |= {"arn": observed.arn, "status": observed.status, "health_issues": list(observed.issues)}
    if not offers:
        return found
    offer = inquire(session, replace(desired, version="latest"), None, view)
    versions = sorted(offer.versions, key=order, reverse=True)
    return {**found, "offers": {"default": offer.default, "latest": newest(versions), "versions": versions}}


def _create(desired: Addon, aim: Aim, tags: Mapping[str, Any]) -> Step:
    request: dict[str, Any] = {**desired.key, "addonVersion": aim.version}
    if desired.resolve_conflicts:
        request["resolveConflicts"] = desired.resolve_conflicts
    if aim.role_arn:
        request["serviceAccountRoleArn"] = aim.role_arn
    if aim.configuration:
        request["configurationValues"] = configuration.write(aim.configuration)
    if aim.associations:
        request["podIdentityAssociations"] = _association_request(aim.associations)
    wanted = {**tags, **(desired.tags or {})}
    if wanted:
        request["tags"] = wanted
    return Step(
        "eks",
        "CreateAddon",
        request,
        desired.address,
        after={**_fields(aim), "tags": wanted},
        risk=Risk.DISRUPTIVE if desired.resolve_conflicts == "OVERWRITE" else Risk.SAFE,
        wait=_settled(desired),
        retry=(*NOT_YET, *shared.BUSY),
    )


def _recreate(desired: Addon, observed: Observed, aim: Aim) -> list[Step | Await]:
    """EKS cannot mend an add-on that it could not create (containers-roadmap issue 1411).

    It is deleted and created again, with what it had; C(preserve) leaves what already runs in peace meanwhile.
    """
    delete = _delete(desired, observed, preserve=True)
    kept = shared.tags_after(observed.tags, desired.tags, desired.purge_tags)
    return [replace(delete, risk=Risk.DISRUPTIVE), _create(desired, aim, kept)]


def _updates(desired: Addon, observed: Observed, aim: Aim, offer: Offer) -> list[Step]:
    """The versions on the way, and with one of them what else changes.

    Associations come with the first: what a version may do is settled before it runs. Configuration values come with
    the last, and with the first on the way down: an older version need not know what a newer one had.
    """
    if observed.status in RECREATED:
        return []
    versions: list[str | None] = [*version_steps(desired, observed, aim.version, offer)]
    down = bool(versions) and order(str(versions[0])) < order(observed.version)
    reconfigured = differs(desired, observed)
    reassociated = desired.associations is not None and desired.associations != observed.associations
    rerolled = desired.role_arn is not None and desired.role_arn != observed.role_arn
    if not versions and observed.status == "UPDATE_FAILED":
        versions = [aim.version]
    if not versions and (reconfigured or reassociated or rerolled):
        versions = [None]
    steps = []
    before = Aim(observed.version, observed.configuration or {}, observed.role_arn, observed.associations)
    for position, version in enumerate(versions):
        carries = position == (0 if down else len(versions) - 1)
        after = Aim(
            version or before.version,
            aim.configuration if carries else before.configuration,
            aim.role_arn,
            aim.associations,
        )
        request = _update_request(desired, aim, version)
        if carries and (reconfigured or (observed.status == "UPDATE_FAILED" and aim.configuration)):
            request["configurationValues"] = configuration.write(aim.configuration)
        if position == 0 and reassociated:
            request["podIdentityAssociations"] = _association_request(aim.associations)
        steps.append(_update(desired, request, before, after, observed.status))
        before = after
    return steps


def _update_request(desired: Addon, aim: Aim, version: str | None) -> dict[str, Any]:
    """The role goes along every time: without it EKS falls back to the node's (UpdateAddon's documentation)."""
    request: dict[str, Any] = dict(desired.key)
    if version is not None:
        request["addonVersion"] = version
    if aim.role_arn:
        request["serviceAccountRoleArn"] = aim.role_arn
    if desired.resolve_conflicts:
        request["resolveConflicts"] = desired.resolve_conflicts
    return request


def _update(desired: Addon, request: Mapping[str, Any], before: Aim, after: Aim, status: str) -> Step:
    fields, wanted = _fields(before), _fields(after)
    if status == "UPDATE_FAILED":
        fields["status"], wanted["status"] = status, "ACTIVE"
    changed = [name for name in wanted if wanted[name] != fields[name]]
    return Step(
        "eks",
        "UpdateAddon",
        request,
        desired.address,
        {name: fields[name] for name in changed},
        {name: wanted[name] for name in changed},
        Risk.DISRUPTIVE,
        shared.update_wait(desired.cluster_name, shared.update_id(desired.address), TIMEOUT, addonName=desired.name),
        retry=(*NOT_YET, *shared.BUSY),
    )


def _change_tags(desired: Addon, observed: Observed) -> list[Step]:
    return shared.tag_steps(observed.arn, desired.address, observed.tags, desired.tags, desired.purge_tags)


def _delete(desired: Addon, observed: Observed, preserve: bool) -> Step:
    request: dict[str, Any] = {**desired.key, **({"preserve": True} if preserve else {})}
    current = Aim(observed.version, observed.configuration or {}, observed.role_arn, observed.associations)
    before = {**{name: value for name, value in _fields(current).items() if value}, "status": observed.status}
    wait = _gone(desired, failing=observed.status != "DELETE_FAILED")
    risk = Risk.SAFE if preserve else Risk.IRREVERSIBLE
    return Step("eks", "DeleteAddon", request, desired.address, before=before, risk=risk, wait=wait, retry=shared.BUSY)


def _settle(desired: Addon, observed: Observed) -> list[Await]:
    """Waits for what an interrupted run, or somebody else, has begun."""
    if observed.status == "CREATING":
        return [Await(desired.address, _settled(desired) if desired.present else _settled(desired, anyhow=True))]
    waits = [
        shared.update_wait(desired.cluster_name, identity, TIMEOUT, addonName=desired.name)
        for identity in observed.updates
    ]
    if not desired.present:
        waits = [replace(wait, success=(*wait.success, *wait.failure), failure=()) for wait in waits]
    return [Await(desired.address, wait) for wait in waits]


def _settled(desired: Addon, anyhow: bool = False) -> Wait:
    """A wait for an add-on to be made.

    One that only lacks nodes for its replicas is made: CoreDNS before the first node, say. Not so the CNI, which has
    none on nodes that do not exist.
    """
    lacking = f"addon.status == 'DEGRADED' && !(addon.health.issues[?code != '{LACKS_NODES}'])"
    path = "addon.status" if desired.name == CNI else f"({lacking}) && 'ACTIVE without nodes' || addon.status"
    failure = ("CREATE_FAILED", "DEGRADED", "DELETING")
    return Wait(
        "eks",
        "DescribeAddon",
        desired.key,
        path=path,
        success=("ACTIVE", "ACTIVE without nodes", *(failure if anyhow else ())),
        failure=() if anyhow else failure,
        detail=shared.HEALTH.format("addon"),
        interval=5.0,
        timeout=TIMEOUT,
    )


def _gone(desired: Addon, failing: bool = True) -> Wait:
    return Wait(
        "eks",
        "DescribeAddon",
        desired.key,
        path="addon.status",
        success=(),
        failure=("DELETE_FAILED",) if failing else (),
        gone=True,
        detail=shared.HEALTH.format("addon"),
        interval=5.0,
        timeout=TIMEOUT,
    )


def _fields(aim: Aim) -> dict[str, Any]:
    return {
        "version": aim.version,
        "configuration_values": dict(aim.configuration),
        "service_account_role_arn": aim.role_arn,
        "pod_identity_associations": dict(aim.associations),
    }


def _association_request(associations: Sequence[Association]) -> list[dict[str, str]]:
    return [{"serviceAccount": account, "roleArn": role} for account, role in associations]
