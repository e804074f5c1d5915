# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS add-ons: software in a cluster that EKS installs, configures and moves from version to version."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .. import cni
from ..plan import PENDING, Await, Outcome, Plan, Problem, Ref, Retry, Risk, Step, Wait, is_pending, refuse_if_any
from ..session import Session
from ..versions import AddonVersion, addon_steps, newest, order
from . import configuration, shared
from .shared import ClusterView

CNI = "vpc-cni"
STEPPED = frozenset({CNI})  # EKS: "Updating VPC-CNI can only go up or down 1 minor version at a time"
SYMBOLS = ("default", "latest")
FLOOR_MARK = ">="
TIMEOUT = 1200.0
# AWS's own texts for a role that was made a moment ago.
NOT_YET = (
    Retry("InvalidParameterException", "Role provided in the request does not exist"),
    Retry("InvalidParameterException", "Trust policy of the role provided is invalid"),
)
LACKS_NODES = "InsufficientNumberOfReplicas"
RECREATED = ("CREATE_FAILED", "DELETE_FAILED")
API_SOURCE = "EKS API reference, CreateAddon"
FSX = "aws-fsx-csi-driver"

Association = tuple[str, str]  # service account, role ARN


@dataclass(frozen=True)
class Addon:
    """An add-on as it shall be. None means not managed."""

    cluster_name: str
    name: str
    version: str | None
    configuration: Mapping[str, Any] | None
    resolve_conflicts: str | None
    role_arn: str | None
    associations: tuple[Association, ...] | None
    kubernetes_version: str | None
    preserve: bool
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool
    wait: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"addon/{self.cluster_name}/{self.name}"

    @property
    def key(self) -> dict[str, str]:
        """What every call about it must say."""
        return {"clusterName": self.cluster_name, "addonName": self.name}

    @property
    def floor(self) -> str | None:
        """The lowest version that will do, where C(version) says C(>=1.21); missing numbers are zeros."""
        if self.version is None or not self.version.startswith(FLOOR_MARK):
            return None
        text = self.version.removeprefix(FLOOR_MARK).strip()
        return text + ".0" * max(0, 2 - text.count(".")) if text.removeprefix("v").replace(".", "").isdigit() else text

    @property
    def exact(self) -> str | None:
        """The version, where C(version) names one."""
        return None if self.version in (None, *SYMBOLS) or self.floor is not None else self.version

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Addon:
        """From the module's parameters."""
        given = params["pod_identity_associations"]
        return cls(
            cluster_name=params["cluster_name"],
            name=params["name"],
            version=params["addon_version"],
            configuration=params["configuration_values"],
            resolve_conflicts=params["resolve_conflicts"],
            role_arn=params["service_account_role_arn"],
            associations=None
            if given is None
            else tuple(sorted((item["service_account"], item["role_arn"]) for item in given)),
            kubernetes_version=params["kubernetes_version"],
            preserve=params["preserve"],
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
            wait=params["wait"],
        )


@dataclass(frozen=True)
class Observed:
    """An add-on as it is, with what running updates are about to set, and those updates' ids."""

    arn: str
    status: str
    version: str
    configuration: Mapping[str, Any] | None  # None: a text that cannot be read
    role_arn: str | None
    associations: tuple[Association, ...]
    issues: Sequence[Mapping[str, Any]]
    tags: Mapping[str, str] = field(default_factory=dict)
    updates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What EKS offers of an add-on for the cluster's Kubernetes version; C(asked) is false where nobody looked."""

    asked: bool = False
    versions: tuple[str, ...] = ()
    default: str | None = None
    names: tuple[str, ...] = ()  # of the add-ons there are, when this one is none of them


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
    def runs(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """(version, configuration) of everything that will newly run, in its order; empty when nothing changes."""
        if self.base is None or self.base.status in RECREATED:
            return ((self.aim.version, self.aim.configuration),)
        found, current = [], (self.base.version, self.base.configuration or {})
        for step in _updates(self.desired, self.base, self.aim, self.offer):
            last = "configurationValues" in step.request
            current = (step.request.get("addonVersion", current[0]), self.aim.configuration if last else current[1])
            found.append(current)
        return tuple(found)


@dataclass(frozen=True)
class Aim:
    """The whole add-on as it will be: what is wanted, and for the rest what is."""

    version: str
    configuration: Mapping[str, Any]
    role_arn: str | None
    associations: tuple[Association, ...]


def observe(session: Session, desired: Addon) -> Observed | None:
    """The add-on; None where there is none."""
    addon = _describe(session, desired)
    updates: list[dict[str, Any]] = []
    if addon is not None and addon["status"] == "UPDATING":
        updates = shared.running_updates(session, desired.cluster_name, addonName=desired.name)
        if not updates:  # it has ended between the two reads
            addon = _describe(session, desired)
    if addon is None:
        return None
    announced = shared.update_params(updates)
    return Observed(
        arn=addon["addonArn"],
        status=addon["status"],
        version=announced.get("AddonVersion", addon["addonVersion"]),
        configuration=_readable(announced.get("ConfigurationValues", addon.get("configurationValues"))),
        role_arn=announced.get("ServiceAccountRoleArn", addon.get("serviceAccountRoleArn")),
        associations=_announced_associations(announced) or _read_associations(session, desired, addon),
        issues=shared.health_issues(addon),
        tags=dict(addon.get("tags", {})),
        updates=tuple(update["id"] for update in updates),
    )


def inquire(session: Session, desired: Addon, observed: Observed | None, view: ClusterView) -> Offer:
    """What EKS offers; not asked when the version is given and there already, or not managed."""
    if _settled_version(desired, observed) or not view.version:
        return Offer()
    read = partial(session.pages, "eks", "DescribeAddonVersions", "addons", kubernetesVersion=view.version)
    found = read(addonName=desired.name)
    if not found:
        return Offer(True, names=tuple(sorted(addon["addonName"] for addon in read())))
    versions = found[0]["addonVersions"]
    default = next((item["addonVersion"] for item in versions if _is_default(item, view.version)), None)
    names = tuple(item["addonVersion"] for item in versions)
    return Offer(True, names, default or newest(names))


def refuse(desired: Addon) -> list[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    problems = []
    if desired.role_arn and desired.associations:
        problems.append(
            Problem(
                "pod_identity_associations",
                "an add-on takes its role from a service account annotation or from Pod Identity, not from both.",
                "Give either service_account_role_arn or pod_identity_associations.",
                API_SOURCE,
            )
        )
    roles = [desired.role_arn, *(role for _account, role in desired.associations or ())]
    for role in roles:
        if role is not None and not is_pending(role) and ":role/" not in role:
            option = "service_account_role_arn" if role == desired.role_arn else "pod_identity_associations"
            problems.append(Problem(option, f"{role!r} is no ARN of an IAM role."))
    accounts = [account for account, _role in desired.associations or ()]
    for account in sorted({account for account in accounts if accounts.count(account) > 1}):
        problems.append(Problem("pod_identity_associations", f"{account} is named twice; it can have one role."))
    wanted = desired.floor or desired.exact
    if wanted is not None:
        try:
            AddonVersion.parse(wanted)
        except ValueError as error:
            problems.append(Problem("addon_version", f"{error}, and neither default nor latest nor a floor, >=1.21."))
    return problems


def refuse_offer(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> list[Problem]:
    """What EKS does not offer, or not for this cluster."""
    if not offer.asked:
        return []
    if not offer.versions:
        close = difflib.get_close_matches(desired.name, offer.names, n=1)
        hint = f"Is {close[0]} meant?" if close else f"There are {', '.join(offer.names)}."
        text = f"EKS offers no add-on {desired.name} for Kubernetes {view.version}."
        return [Problem("name", text, hint, "DescribeAddonVersions")]
    floor = desired.floor
    if floor is not None and _chosen(desired, offer) is None:
        text = f"EKS offers no {desired.name} from {floor} on for Kubernetes {view.version}."
        return [Problem("addon_version", text, f"The newest is {newest(offer.versions)}.", "DescribeAddonVersions")]
    wanted = desired.exact
    if wanted is not None and wanted not in offer.versions:
        offered = ", ".join(sorted(offer.versions, key=order, reverse=True)[:8])
        return [
            Problem(
                "addon_version",
                f"EKS does not offer {desired.name} {wanted} for Kubernetes {view.version}.",
                f"The default is {offer.default}; the newest are {offered}.",
                "DescribeAddonVersions",
            )
        ]
    if observed is None or observed.status in RECREATED:
        return []
    try:
        _steps(desired, observed, target(desired, observed, offer, view), offer)
    except LookupError as error:
        text = f"the CNI moves one minor version at a time, and EKS offers none of {error} for {view.version}."
        return [Problem("addon_version", text, "Move the cluster or the add-on in smaller steps.")]
    except ValueError as error:
        return [Problem("addon_version", f"{error}.")]
    return []


def refuse_change(desired: Addon, observed: Observed | None) -> list[Problem]:
    """What cannot be done to what exists."""
    if observed is None or not desired.role_arn or desired.associations is not None or not observed.associations:
        return []
    return [
        Problem(
            "service_account_role_arn",
            f"{desired.name} has its role through Pod Identity, and would have two.",
            "Say pod_identity_associations: [] to take that one away.",
            API_SOURCE,
        )
    ]


def refuse_settings(desired: Addon, aim: Aim, schema: str | None, view: ClusterView) -> list[Problem]:
    """What the version or its configuration must not be: the CNI's rules in IPv6, and AWS's schema."""
    problems: list[Problem] = []
    if desired.name == CNI and view.ipv6:
        problems += cni.version_problems("addon_version", aim.version)
        settings = (desired.configuration or {}).get("env")
        if isinstance(settings, Mapping):
            texts = {name: value for name, value in settings.items() if isinstance(value, str)}
            version = None if is_pending(aim.version) else AddonVersion.parse(aim.version)
            problems += cni.setting_problems("configuration_values.env", texts, version, managed=True)
    told = {problem.option for problem in problems}
    for path, reason in configuration.problems(schema, aim.configuration) if schema else ():
        option = f"configuration_values.{path}" if path else "configuration_values"
        if option not in told:
            source = f"DescribeAddonConfiguration of {desired.name} {aim.version}"
            problems.append(Problem(option, f"{reason}.", source=source))
    return problems


def target(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> str:
    """The version the add-on will have. C(default), C(latest) and a floor never take one down."""
    if observed is not None and _settled_version(desired, observed):
        return observed.version
    if desired.exact is not None:
        return desired.exact
    if not offer.versions:
        return observed.version if observed else f"{PENDING}cluster/{view.name}"
    chosen = str(_chosen(desired, offer))
    return observed.version if observed is not None and order(chosen) < order(observed.version) else chosen


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
    refuse_if_any(refuse(desired))
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name), addon=lambda: observe(session, desired)
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"], desired.kubernetes_version)
    observed = found["addon"]
    base = None if observed is None or observed.status == "DELETING" else observed
    refuse_if_any([*refuse_change(desired, base), *guard(desired, view, base)])
    offer = inquire(session, desired, base, view)
    refuse_if_any(refuse_offer(desired, base, offer, view))
    aim = _aim(desired, base, target(desired, base, offer, view))
    schema = _read_schema(session, desired, aim) if _configures(desired, base, aim) else None
    refuse_if_any(refuse_settings(desired, aim, schema, view))
    told = (*warnings, *_warnings(desired, base, offer, view))
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
    return Outcome(plan_absent(desired, observed), {"addon": None}, _warn_absent(desired, observed))


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
    desired = _unmanaged(cluster["name"], name)
    observed = observe(session, desired)
    if observed is None:
        return None
    view, _warnings_of_it = shared.view_of(session, cluster["name"], {**cluster, "status": "ACTIVE"})
    found = facts(desired, observed, _aim(desired, observed, observed.version), Offer())
    found |= {"arn": observed.arn, "status": observed.status, "health_issues": list(observed.issues)}
    if not offers:
        return found
    offer = inquire(session, replace(desired, version="latest"), None, view)
    versions = sorted(offer.versions, key=order, reverse=True)
    return {**found, "offers": {"default": offer.default, "latest": newest(versions), "versions": versions}}


def _unmanaged(cluster_name: str, name: str) -> Addon:
    """An add-on of which nothing is managed."""
    return Addon(
        cluster_name=cluster_name,
        name=name,
        version=None,
        configuration=None,
        resolve_conflicts=None,
        role_arn=None,
        associations=None,
        kubernetes_version=None,
        preserve=False,
        tags=None,
        purge_tags=False,
        present=True,
        wait=False,
    )


def _describe(session: Session, desired: Addon) -> dict[str, Any] | None:
    answer = session.find("eks", "DescribeAddon", **desired.key)
    return None if answer is None else dict(answer["addon"])


def _readable(text: str | None) -> dict[str, Any] | None:
    try:
        return configuration.read(text)
    except configuration.Unreadable:
        return None


def _read_associations(session: Session, desired: Addon, addon: Mapping[str, Any]) -> tuple[Association, ...]:
    """The add-on's own Pod Identity associations; DescribeAddon has no more of them than their ARNs."""
    identities = [arn.rsplit("/", 1)[1] for arn in addon.get("podIdentityAssociations", ())]
    reads = {
        identity: partial(
            session.find,
            "eks",
            "DescribePodIdentityAssociation",
            clusterName=desired.cluster_name,
            associationId=identity,
        )
        for identity in identities
    }
    answers = [answer["association"] for answer in session.together(**reads).values() if answer]
    return tuple(sorted((answer["serviceAccount"], answer["roleArn"]) for answer in answers))


def _announced_associations(params: Mapping[str, str]) -> tuple[Association, ...]:
    try:
        listed = json.loads(params.get("PodIdentityAssociations", "[]"))
        return tuple(sorted((item["serviceAccount"], item["roleArn"]) for item in listed))
    except (ValueError, KeyError, TypeError):
        return ()


def _is_default(version: Mapping[str, Any], kubernetes: str) -> bool:
    return any(
        item.get("defaultVersion") and item.get("clusterVersion") == kubernetes
        for item in version.get("compatibilities", ())
    )


def _read_schema(session: Session, desired: Addon, aim: Aim) -> str | None:
    answer = session.read("eks", "DescribeAddonConfiguration", addonName=desired.name, addonVersion=aim.version)
    return answer.get("configurationSchema") or None


def _configures(desired: Addon, observed: Observed | None, aim: Aim) -> bool:
    """Whether configuration values are about to meet a schema that they have not met yet."""
    if is_pending(aim.version) or not aim.configuration:
        return False
    if observed is None or observed.status in RECREATED:
        return True
    return aim.version != observed.version or _differs(desired, observed)


def _differs(desired: Addon, observed: Observed) -> bool:
    return desired.configuration is not None and dict(desired.configuration) != observed.configuration


def _aim(desired: Addon, observed: Observed | None, version: str) -> Aim:
    current = observed or Observed("", "", "", {}, None, (), ())
    role = current.role_arn if desired.role_arn is None else desired.role_arn
    associations = current.associations if desired.associations is None else desired.associations
    return Aim(
        version=version,
        configuration=(current.configuration or {}) if desired.configuration is None else desired.configuration,
        role_arn=None if desired.associations else role,
        associations=() if desired.role_arn else associations,
    )


def _settled_version(desired: Addon, observed: Observed | None) -> bool:
    """Whether the version there is will do, whatever EKS offers."""
    if observed is None:
        return False
    if desired.floor is not None:
        return order(observed.version) >= order(desired.floor)
    return desired.version in (None, observed.version)


def _chosen(desired: Addon, offer: Offer) -> str | None:
    """The version that a symbol or a floor means: EKS's default where it will do, else the newest; None without one."""
    best = newest(offer.versions)
    if desired.floor is None:
        return best if desired.version == "latest" else offer.default
    fitting = (version for version in (offer.default, best) if version and order(version) >= order(desired.floor))
    return next(fitting, None)


def _warnings(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> Iterator[str]:
    if observed is not None and observed.issues:
        yield f"{desired.address}: {observed.status}: {shared.issues_text(observed.issues)}"
    if observed is not None and desired.version in SYMBOLS and offer.versions:
        chosen = str(_chosen(desired, offer))
        if order(chosen) < order(observed.version):
            yield (
                f"addon_version: {observed.version} is newer than the {desired.version} {chosen} and stays;"
                " give the version itself to go back."
            )
    if desired.name == FSX and view.ipv6:
        yield f"name: AWS's documentation says that {FSX} does not work with IPv6 pods."


def _warn_absent(desired: Addon, observed: Observed | None) -> tuple[str, ...]:
    if desired.name == CNI and observed is not None and not desired.preserve:
        return ("name: without the CNI no pod starts any more; preserve: true leaves it running, unmanaged.",)
    return ()


# --- planning ----------------------------------------------------------------------------------------------------


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
    """The versions on the way, and with the last of them what else changes. Associations come with the first:

    what a version may do is settled before it runs.
    """
    if observed.status in RECREATED:
        return []
    versions: list[str | None] = [*_steps(desired, observed, aim.version, offer)]
    reconfigured = _differs(desired, observed)
    reassociated = desired.associations is not None and desired.associations != observed.associations
    rerolled = desired.role_arn is not None and desired.role_arn != observed.role_arn
    if not versions and observed.status == "UPDATE_FAILED":
        versions = [aim.version]
    if not versions and (reconfigured or reassociated or rerolled):
        versions = [None]
    steps = []
    before = Aim(observed.version, observed.configuration or {}, observed.role_arn, observed.associations)
    for position, version in enumerate(versions):
        last = position == len(versions) - 1
        after = Aim(
            version or before.version,
            aim.configuration if last else before.configuration,
            aim.role_arn,
            aim.associations,
        )
        request = _update_request(desired, aim, version)
        if last and (reconfigured or (observed.status == "UPDATE_FAILED" and aim.configuration)):
            request["configurationValues"] = configuration.write(aim.configuration)
        if position == 0 and reassociated:
            request["podIdentityAssociations"] = _association_request(aim.associations)
        steps.append(_update(desired, request, before, after, observed.status))
        before = after
    return steps


def _steps(desired: Addon, observed: Observed, version: str, offer: Offer) -> list[str]:
    if version == observed.version or is_pending(version):
        return []
    return addon_steps(observed.version, version, offer.versions) if desired.name in STEPPED else [version]


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
    before = {"version": observed.version, "status": observed.status}
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
