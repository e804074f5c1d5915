# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a managed node group shall be, what it is, and what its plan depends on besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import kubernetes_labels
from ..plan import is_pending
from ..session import AwsError, Session
from . import egress, shared
from . import nodegroup_upkeep as upkeep
from .egress import Egress
from .node_checks import CNI, Cni, InstanceType, read_image, read_instance_types
from .placement import SubnetView, read_subnets
from .shared import ClusterView

ReadCni = Callable[[Session, ClusterView, "str | None"], Cni]
Taint = tuple[str, str]  # key and effect, by which Kubernetes tells taints apart
SCALING = {"min_size": "minSize", "max_size": "maxSize", "desired_size": "desiredSize"}
UPDATE_CONFIG = {
    "max_unavailable": "maxUnavailable",
    "max_unavailable_percentage": "maxUnavailablePercentage",
    "update_strategy": "updateStrategy",
}
TEMPLATE = {"id": "id", "name": "name", "version": "version"}
REMOTE_ACCESS = {"ec2_ssh_key": "ec2SshKey", "source_security_group_ids": "sourceSecurityGroups"}


@dataclass(frozen=True)
class Nodegroup:
    """A node group as it shall be. None means not managed."""

    cluster_name: str
    name: str
    node_role_arn: str | None
    subnet_ids: tuple[str, ...] | None
    ami_type: str | None
    instance_types: tuple[str, ...] | None
    capacity_type: str | None
    disk_size: int | None
    scaling: Mapping[str, int]
    update_config: Mapping[str, Any]
    labels: Mapping[str, str] | None
    purge_labels: bool
    taints: Mapping[Taint, str] | None
    purge_taints: bool
    launch_template: Mapping[str, str]
    remote_access: Mapping[str, Any]
    node_repair: Mapping[str, Any]
    warm_pool: Mapping[str, Any]
    kubernetes_version: str | None
    release_version: str | None
    force: bool
    replace: bool
    skip_checks: frozenset[str]
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool
    wait: bool
    taint_count: int = 0

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"nodegroup/{self.cluster_name}/{self.name}"

    @property
    def key(self) -> dict[str, str]:
        """What every call about it must say."""
        return {"clusterName": self.cluster_name, "nodegroupName": self.name}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Nodegroup:
        """From the module's parameters."""
        taints, labels = params["taints"], params["labels"]
        return cls(
            cluster_name=params["cluster_name"],
            name=params["name"],
            node_role_arn=params["node_role_arn"],
            subnet_ids=shared.unique(params["subnet_ids"]),
            ami_type=params["ami_type"],
            instance_types=shared.unique(params["instance_types"]) or None,
            capacity_type=params["capacity_type"],
            disk_size=params["disk_size"],
            scaling=_said(params["scaling"]),
            update_config=_said(params["update_config"]),
            labels=None if labels is None else kubernetes_labels.texts(labels),
            purge_labels=params["purge_labels"],
            taints=None
            if taints is None
            else {(taint["key"], taint["effect"]): taint["value"] or "" for taint in taints},
            purge_taints=params["purge_taints"],
            launch_template=_said(params["launch_template"]),
            remote_access=_said(params["remote_access"]),
            node_repair=upkeep.said_repair(params["node_repair_config"]),
            warm_pool=_said(params["warm_pool_config"]),
            kubernetes_version=params["kubernetes_version"],
            release_version=params["release_version"],
            force=params["force"],
            replace=params["replace"],
            skip_checks=frozenset(params["skip_checks"] or ()),
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
            wait=params["wait"],
            taint_count=len(taints or ()),
        )


@dataclass(frozen=True)
class Observed:
    """A node group as it is: its facts, with what running updates are about to set, and those updates' ids."""

    facts: Mapping[str, Any]
    updates: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]

    @property
    def taints(self) -> dict[Taint, str]:
        """The taints, by key and effect."""
        return {(taint["key"], taint["effect"]): taint["value"] for taint in self.facts["taints"]}


@dataclass(frozen=True)
class Surroundings:
    """What a new node group depends on; nothing of it is read for one that exists."""

    subnets: Mapping[str, SubnetView] = field(default_factory=dict)
    egress: Egress = field(default_factory=Egress)
    instance_types: Mapping[str, InstanceType] = field(default_factory=dict)
    template: Mapping[str, Any] | None = None  # LaunchTemplateData; None where there is none to be read
    template_missing: bool = False
    image: Mapping[str, Any] | None = None  # DescribeImages of the template's own AMI
    cni: Cni | None = None


def facts_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeNodegroup's answer as facts."""
    taints = [
        {"key": taint.get("key", ""), "value": taint.get("value", ""), "effect": taint.get("effect", "")}
        for taint in group.get("taints", ())
    ]
    template = group.get("launchTemplate")
    scaling_groups = group.get("resources", {}).get("autoScalingGroups", ())
    return {
        "name": group["nodegroupName"],
        "cluster_name": group.get("clusterName"),
        "arn": group.get("nodegroupArn"),
        "status": group.get("status"),
        "version": group.get("version"),
        "release_version": group.get("releaseVersion"),
        "ami_type": group.get("amiType"),
        "capacity_type": group.get("capacityType"),
        "instance_types": list(group.get("instanceTypes", ())),
        "disk_size": group.get("diskSize"),
        "node_role_arn": group.get("nodeRole"),
        "subnet_ids": list(group.get("subnets", ())),
        "scaling": renamed(SCALING, group.get("scalingConfig", {})),
        "update_config": renamed(UPDATE_CONFIG, group.get("updateConfig", {})),
        "labels": dict(group.get("labels") or {}),
        "taints": sorted_taints(taints),
        "launch_template": renamed(TEMPLATE, template) if template else None,
        "remote_access": renamed(REMOTE_ACCESS, group["remoteAccess"]) if group.get("remoteAccess") else None,
        "node_repair_config": upkeep.repair_facts(group.get("nodeRepairConfig")),
        "warm_pool_config": upkeep.warm_pool_facts(group.get("warmPoolConfig")),
        "auto_scaling_group_names": [item["name"] for item in scaling_groups],
        "health_issues": shared.health_issues(group),
        "tags": dict(group.get("tags", {})),
    }


def observe(session: Session, desired: Nodegroup) -> Observed | None:
    """The node group; None where there is none."""
    group = _describe(session, desired)
    if group is not None and group["status"] == "UPDATING":
        updates = shared.running_updates(session, desired.cluster_name, nodegroupName=desired.name)
        if updates:
            current = facts_of(group)
            announced = _announced(current, shared.update_params(updates))
            return Observed({**current, **announced}, tuple(update["id"] for update in updates))
        group = _describe(session, desired)  # the update has ended between the two reads
    return None if group is None else Observed(facts_of(group))


def survey(session: Session, desired: Nodegroup, view: ClusterView, read_cni: ReadCni) -> Surroundings:
    """Reads what a new node group depends on."""
    first = session.together(
        subnets=lambda: read_subnets(session, desired.subnet_ids),
        types=lambda: read_instance_types(session, desired.instance_types or ()),
        template=lambda: _read_template(session, desired.launch_template),
        cni=lambda: read_cni(session, view, desired.node_role_arn) if _asks_for_cni(session, desired, view) else None,
    )
    subnets: dict[str, SubnetView] = first["subnets"]
    template = first["template"]
    own_type = (template or {}).get("InstanceType")
    second = session.together(
        egress=lambda: egress.read(session, subnets, egress.SKIP not in desired.skip_checks),
        types=lambda: read_instance_types(session, (own_type,)) if own_type else {},
        image=lambda: read_image(session, own_image(template)),
    )
    asked = bool(desired.launch_template) and not any(map(is_pending, desired.launch_template.values()))
    return Surroundings(
        subnets,
        second["egress"],
        {**first["types"], **second["types"]},
        template,
        template_missing=asked and template is None,
        cni=first["cni"],
        image=second["image"],
    )


def _asks_for_cni(session: Session, desired: Nodegroup, view: ClusterView) -> bool:
    """Whether there is a CNI to look at; in check mode an earlier task may be the one that brings it."""
    if CNI in desired.skip_checks or not view.exists or not view.ipv6:
        return False
    pending = map(is_pending, (desired.node_role_arn, *(desired.subnet_ids or ())))
    return not (session.host.check_mode and any(pending))


@dataclass(frozen=True)
class Known:
    """What the installed botocore knows of node groups: the AMI types, and members such as C(warmPoolConfig)."""

    ami_types: tuple[str, ...]
    members: frozenset[str]


def known(session: Session) -> Known:
    """From botocore's own model; no call."""
    model = session.client("eks").meta.service_model
    shape = model.operation_model("CreateNodegroup").input_shape
    members = dict(shape.members) if shape else {}
    nested = getattr(members.get("nodeRepairConfig"), "members", {})
    return Known(
        tuple(model.shape_for("AMITypes").metadata["enum"]),
        frozenset((*members, *(f"nodeRepairConfig.{name}" for name in nested))),
    )


def own_image(template: Mapping[str, Any] | None) -> str:
    """The AMI that a template names by its id; a reference to a parameter of SSM is left to EC2."""
    image = str((template or {}).get("ImageId") or "")
    return image if image.startswith("ami-") else ""


def architecture(ami_type: str) -> str:
    """The processor architecture of an AMI type, in DescribeInstanceTypes' words; empty for CUSTOM."""
    if "ARM_64" in ami_type:
        return "arm64"
    return "x86_64" if "x86_64" in ami_type else ""


def sorted_taints(taints: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Taints in a stable order; to Kubernetes they have none."""
    return sorted((dict(taint) for taint in taints), key=lambda taint: (taint["key"], taint["effect"]))


def renamed(names: Mapping[str, str], members: Mapping[str, Any]) -> dict[str, Any]:
    """AWS's members under our names; None for one that is not there."""
    return {name: members.get(member) for name, member in names.items()}


def _describe(session: Session, desired: Nodegroup) -> dict[str, Any] | None:
    answer = session.find("eks", "DescribeNodegroup", **desired.key)
    return None if answer is None else dict(answer["nodegroup"])


def _read_template(session: Session, template: Mapping[str, str]) -> dict[str, Any] | None:
    if not template or any(map(is_pending, template.values())):
        return None
    named = {"LaunchTemplateId": template["id"]} if "id" in template else {"LaunchTemplateName": template["name"]}
    version = template.get("version", "$Default")
    try:
        found = session.find("ec2", "DescribeLaunchTemplateVersions", **named, Versions=[version])
    except AwsError as error:
        if error.code.startswith("InvalidLaunchTemplate"):
            return None
        raise
    versions = found["LaunchTemplateVersions"] if found else []
    return dict(versions[0]["LaunchTemplateData"]) if versions else None


def _announced(current: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    """What running updates will have set, by the names of the facts; a value in an unknown form is left out."""
    documents = {name: shared.from_json(value) for name, value in params.items()}
    found: dict[str, Any] = {}
    for name, param in (("version", "Version"), ("release_version", "ReleaseVersion")):
        if param in params:
            found[name] = params[param]
    scaling = {name: documents.get(member[0].upper() + member[1:]) for name, member in SCALING.items()}
    if any(isinstance(value, int) for value in scaling.values()):
        found["scaling"] = {
            **current["scaling"],
            **{name: value for name, value in scaling.items() if value is not None},
        }
    limits = {name: documents.get(member[0].upper() + member[1:]) for name, member in UPDATE_CONFIG.items()}
    limits["update_strategy"] = params.get("UpdateStrategy")
    if any(value is not None for value in limits.values()):
        kept = {} if limits["max_unavailable"] or limits["max_unavailable_percentage"] else current["update_config"]
        found["update_config"] = {
            name: kept.get(name) if value is None else value for name, value in limits.items()
        } | ({} if limits["update_strategy"] else {"update_strategy": current["update_config"]["update_strategy"]})
    found |= _announced_marks(current, documents) | upkeep.announced(current, params, documents)
    if current["launch_template"] and "LaunchTemplateVersion" in params:
        found["launch_template"] = {**current["launch_template"], "version": params["LaunchTemplateVersion"]}
    return found


def _announced_marks(current: Mapping[str, Any], documents: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    added, removed = documents.get("LabelsToAdd"), documents.get("LabelsToRemove")
    if isinstance(added, dict) or isinstance(removed, list):
        labels = {**current["labels"], **(added if isinstance(added, dict) else {})}
        found["labels"] = {key: value for key, value in labels.items() if key not in (removed or ())}
    more, less = documents.get("TaintsToAdd"), documents.get("TaintsToRemove")
    if isinstance(more, list) or isinstance(less, list):
        taints = {(taint["key"], taint["effect"]): taint for taint in current["taints"]}
        for taint in less or ():
            taints.pop((taint.get("key"), taint.get("effect")), None)
        for taint in more or ():
            taints[taint.get("key"), taint.get("effect")] = {"value": "", **taint}
        found["taints"] = sorted_taints(taints.values())
    return found


def _said(options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (options or {}).items() if value is not None}
