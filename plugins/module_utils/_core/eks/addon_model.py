# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an add-on shall be, what it is, what EKS offers of it, and the version that comes of the three."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..plan import PENDING, is_pending
from ..session import Session
from ..versions import addon_steps, newest, order
from . import configuration, shared
from .shared import ClusterView

CNI = "vpc-cni"
STEPPED = frozenset({CNI})  # EKS: "Updating VPC-CNI can only go up or down 1 minor version at a time"
SYMBOLS = ("default", "latest")
FLOOR_MARK = ">="
RECREATED = ("CREATE_FAILED", "DELETE_FAILED")
Association = tuple[str, str]  # service account, role ARN
Run = tuple[str, Mapping[str, Any]]  # a version, and the configuration that it runs with


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
class Aim:
    """The whole add-on as it will be: what is wanted, and for the rest what is."""

    version: str
    configuration: Mapping[str, Any]
    role_arn: str | None
    associations: tuple[Association, ...]


def unmanaged(cluster_name: str, name: str) -> Addon:
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
    if settled_version(desired, observed) or not view.version:
        return Offer()
    read = partial(session.pages, "eks", "DescribeAddonVersions", "addons", kubernetesVersion=view.version)
    found = read(addonName=desired.name)
    if not found:
        return Offer(True, names=tuple(sorted(addon["addonName"] for addon in read())))
    versions = found[0]["addonVersions"]
    default = next((item["addonVersion"] for item in versions if _is_default(item, view.version)), None)
    names = tuple(item["addonVersion"] for item in versions)
    return Offer(True, names, default or newest(names))


def settled_version(desired: Addon, observed: Observed | None) -> bool:
    """Whether the version there is will do, whatever EKS offers."""
    if observed is None:
        return False
    if desired.floor is not None:
        return order(observed.version) >= order(desired.floor)
    return desired.version in (None, observed.version)


def chosen(desired: Addon, offer: Offer) -> str | None:
    """The version that a symbol or a floor means: EKS's default where it will do, else the newest; None without one."""
    best = newest(offer.versions)
    if desired.floor is None:
        return best if desired.version == "latest" else offer.default
    fitting = (version for version in (offer.default, best) if version and order(version) >= order(desired.floor))
    return next(fitting, None)


def target(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> str:
    """The version the add-on will have. C(default), C(latest) and a floor never take one down."""
    if observed is not None and settled_version(desired, observed):
        return observed.version
    if desired.exact is not None:
        return desired.exact
    if not offer.versions:
        return observed.version if observed else f"{PENDING}cluster/{view.name}"
    meant = str(chosen(desired, offer))
    return observed.version if observed is not None and order(meant) < order(observed.version) else meant


def aim_of(desired: Addon, observed: Observed | None, version: str) -> Aim:
    current = observed or Observed("", "", "", {}, None, (), ())
    role = current.role_arn if desired.role_arn is None else desired.role_arn
    associations = current.associations if desired.associations is None else desired.associations
    return Aim(
        version=version,
        configuration=(current.configuration or {}) if desired.configuration is None else desired.configuration,
        role_arn=None if desired.associations else role,
        associations=() if desired.role_arn else associations,
    )


def version_steps(desired: Addon, observed: Observed, version: str, offer: Offer) -> list[str]:
    if version == observed.version or is_pending(version):
        return []
    return addon_steps(observed.version, version, offer.versions) if desired.name in STEPPED else [version]


def differs(desired: Addon, observed: Observed) -> bool:
    return desired.configuration is not None and dict(desired.configuration) != observed.configuration


def read_schemas(session: Session, desired: Addon, observed: Observed | None, runs: Sequence[Run]) -> dict[str, str]:
    """The schemas by which configuration is about to be judged that it has not met yet, by version."""
    met = None if observed is None or observed.status in RECREATED else (observed.version, observed.configuration)
    versions = [run[0] for run in runs if run[1] and not is_pending(run[0]) and run != met]
    read = partial(session.read, "eks", "DescribeAddonConfiguration", addonName=desired.name)
    answers = session.together(**{version: partial(read, addonVersion=version) for version in versions})
    return {
        version: answer["configurationSchema"]
        for version, answer in answers.items()
        if answer.get("configurationSchema")
    }


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
