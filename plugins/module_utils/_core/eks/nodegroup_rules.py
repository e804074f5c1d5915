# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be done to a managed node group, or made of one, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import kubernetes_labels
from ..plan import Problem, is_pending
from ..versions import KubernetesVersion
from . import egress, shared
from . import node_checks as checks
from . import nodegroup_upkeep as upkeep
from .nodegroup_model import Known, Nodegroup, Observed, Surroundings, architecture, own_image
from .placement import FAMILY_SOURCE, subnet_problems
from .placement import known as known_ids
from .shared import ClusterView

API_SOURCE = "EKS API reference, CreateNodegroup"
NODES_SOURCE = "EKS User Guide, managed node groups"
LAST_AL2 = KubernetesVersion(
    1, 32
)  # EKS: "AMI Type AL2_x86_64 is only supported for kubernetes versions 1.32 or earlier"
RELEASE_SOURCE = "EKS User Guide, versions of Amazon Linux AMIs for managed node groups"
RESERVED_LABELS = ("eks.amazonaws.com", "kubernetes.io", "k8s.io")
LONGEST_MARK = 63
MAX_TAINTS = 50
MAX_INSTANCE_TYPES = 20
NEW_GROUP = (
    "It needs a new node group: make one under another name and move the workloads; or set replace: true to have this"
    " one removed, with its nodes, and made anew."
)
# DescribeNodegroup's facts that EKS has no call to change: option -> what it is.
FIXED = {
    "node_role_arn": "the nodes' role",
    "ami_type": "the AMI type",
    "capacity_type": "the capacity type",
    "disk_size": "the disk size",
}


def refuse(desired: Nodegroup, known: Known) -> list[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    problems = []
    if not re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}", desired.name):
        problems.append(
            Problem(
                "name",
                f"{desired.name!r} is no name for a node group: 1 to 63 letters, digits, hyphens and underscores, the"
                " first a letter or digit.",
                source=API_SOURCE,
            )
        )
    if not desired.present:
        return problems
    problems += _refuse_ami_type(desired, known.ami_types)
    problems += _refuse_unknown(desired, known)
    problems += _refuse_values(desired)
    problems += _refuse_sizes(desired.scaling)
    problems += _refuse_marks(desired)
    problems += _refuse_template(desired)
    problems += upkeep.refuse(desired.node_repair, desired.warm_pool)
    return problems


def refuse_new(desired: Nodegroup, around: Surroundings, view: ClusterView, ami_type: str) -> list[Problem]:
    """What keeps a new node group from being made, or its nodes from becoming ready."""
    problems = []
    for option, value in (("node_role_arn", desired.node_role_arn), ("subnet_ids", desired.subnet_ids)):
        if not value:
            problems.append(Problem(option, f"there is no node group {desired.name} yet, and making one needs it."))
    if desired.scaling and not {"min_size", "max_size"} <= set(desired.scaling):
        problems.append(Problem("scaling", "a new node group needs min_size and max_size.", source=API_SOURCE))
    problems += _refuse_platform(desired, view, ami_type)
    # Without a version of its own it has the cluster's, which an earlier task may change.
    version, elsewhere = desired.kubernetes_version or view.version, desired.kubernetes_version is None
    problems += _refuse_release(desired, ami_type, version, elsewhere)
    problems += subnet_problems(around.subnets, desired.subnet_ids or (), view.vpc_id, view.ipv6)
    problems += _refuse_place(desired, around, view)
    problems += _refuse_instance_types(desired, around, view, ami_type)
    problems += _refuse_template_data(desired, around)
    problems += upkeep.refuse_bottlerocket(ami_type, desired.warm_pool)
    problems += upkeep.refuse_pool(upkeep.warm_pool_facts(None), desired.warm_pool)
    if desired.kubernetes_version not in (None, view.version) and view.version:
        problems.append(
            Problem(
                "kubernetes_version",
                f"a new node group is made at the cluster's {view.version}, not at {desired.kubernetes_version}.",
                "Leave it out.",
                API_SOURCE,
            )
        )
    return problems


def refuse_change(desired: Nodegroup, observed: Observed, view: ClusterView) -> list[Problem]:
    """What cannot be done to a node group that exists."""
    if observed["status"] in ("CREATE_FAILED", "DELETE_FAILED"):
        reason = shared.issues_text(observed["health_issues"])
        return [
            Problem(
                "name",
                f"the node group {desired.name} is {observed['status']}: {reason}.",
                "Remove it with state: absent, or set replace: true, once the cause is mended.",
            )
        ]
    return [
        *(_fixed(*difference) for difference in fixed_differences(desired, observed)),
        *_refuse_sizes(scaling_after(desired.scaling, observed["scaling"])),
        *upkeep.refuse_bottlerocket(str(observed["ami_type"]), desired.warm_pool),
        *upkeep.refuse_pool(observed["warm_pool_config"], desired.warm_pool),
        *_refuse_upgrade(desired, observed, view),
        *_refuse_release(desired, str(observed["ami_type"]), desired.kubernetes_version or str(observed["version"])),
    ]


def refuse_rolled(
    desired: Nodegroup, observed: Observed, around: Surroundings, view: ClusterView, rolled: bool
) -> Iterator[Problem]:
    """What keeps new nodes of another version of the launch template from becoming ready, when it is C(rolled) out."""
    if not rolled:
        return
    ami_type = str(observed["ami_type"])
    # Versions are refused with the upgrade; the AMI type is what EKS holds a template's image against.
    group = replace(desired, ami_type=ami_type, kubernetes_version=None, release_version=None)
    yield from _refuse_place(group, around, view)
    yield from _refuse_instance_types(group, around, view, ami_type)
    yield from _refuse_template_data(group, around)


def warnings_new(desired: Nodegroup, around: Surroundings, view: ClusterView) -> Iterator[str]:
    """What a new node group was not held against, and should be known."""
    if egress.SKIP not in desired.skip_checks:
        yield from egress.warn(around.egress, view.ipv6, checks.endpoints_for(around.cni))
    if around.cni is not None:
        yield from checks.warn_cni(around.cni, view.name)


def warnings(desired: Nodegroup, observed: Observed | None, ami_type: str) -> Iterator[str]:
    """What is allowed, and should be known."""
    if ami_type.startswith("AL2_"):
        yield f"ami_type: AWS publishes no new AMIs of {ami_type} since November 2025."
    for issue in observed["health_issues"] if observed else ():
        yield f"{desired.address}: {observed['status'] if observed else ''}: {issue['code']}: {issue['message']}"


def scaling_after(wanted: Mapping[str, int], current: Mapping[str, int]) -> dict[str, int]:
    """The sizes once the given ones are set; a desired size that nobody gave stays, or moves to the nearer bound."""
    sizes = {**current, **wanted}
    if "desired_size" not in wanted and sizes["min_size"] <= sizes["max_size"]:
        sizes["desired_size"] = min(max(sizes["desired_size"], sizes["min_size"]), sizes["max_size"])
    return sizes


def _refuse_ami_type(desired: Nodegroup, ami_types: Sequence[str]) -> Iterator[Problem]:
    if desired.ami_type is not None and desired.ami_type not in ami_types:
        offered = ", ".join(sorted(name for name in ami_types if not name.startswith("WINDOWS_")))
        yield Problem("ami_type", f"EKS knows no {desired.ami_type!r}.", f"It knows {offered}.", "botocore, AMITypes")


def _refuse_unknown(desired: Nodegroup, known: Known) -> Iterator[Problem]:
    """Options that an older botocore does not know."""
    wanted = [("node_repair_config", f"nodeRepairConfig.{upkeep.NODE_REPAIR[name]}") for name in desired.node_repair]
    wanted += [("warm_pool_config", "warmPoolConfig")] if desired.warm_pool else []
    for option, member in wanted:
        if member not in known.members:
            yield Problem(option, f"the installed botocore knows no {member} of node groups.", "Update boto3.")


def _refuse_values(desired: Nodegroup) -> Iterator[Problem]:
    role = desired.node_role_arn
    if role is not None and not is_pending(role) and ":role/" not in role:
        yield Problem("node_role_arn", f"{role!r} is no ARN of an IAM role.")
    if desired.subnet_ids is not None and not desired.subnet_ids:
        yield Problem("subnet_ids", "a node group needs one subnet at least.", source=API_SOURCE)
    if len(desired.instance_types or ()) > MAX_INSTANCE_TYPES:
        yield Problem("instance_types", f"a node group takes {MAX_INSTANCE_TYPES} at most.", source=API_SOURCE)
    if desired.kubernetes_version is not None:
        try:
            KubernetesVersion.parse(desired.kubernetes_version)
        except ValueError as error:
            yield Problem("kubernetes_version", f"{error}.", 'Quote it in YAML: "1.30" without quotes is 1.3.')
    if desired.release_version == "":
        yield Problem("release_version", "is empty.", "Leave it out for the newest.")
    if desired.disk_size is not None and desired.disk_size < 1:
        yield Problem("disk_size", f"{desired.disk_size} is below 1 GiB.", source=API_SOURCE)
    if desired.remote_access and not desired.remote_access.get("ec2_ssh_key"):
        yield Problem("remote_access.ec2_ssh_key", "is missing.", source=API_SOURCE)
    if {"max_unavailable", "max_unavailable_percentage"} <= set(desired.update_config):
        yield Problem("update_config", "max_unavailable and max_unavailable_percentage exclude each other.")
    for name in ("max_unavailable", "max_unavailable_percentage"):
        if not 1 <= desired.update_config.get(name, 1) <= 100:
            text = f"{desired.update_config[name]} is outside 1 to 100."
            yield Problem(f"update_config.{name}", text, source=API_SOURCE)


def _refuse_sizes(scaling: Mapping[str, int]) -> Iterator[Problem]:
    low, high, wanted = (scaling.get(name) for name in ("min_size", "max_size", "desired_size"))
    if low is not None and low < 0:
        yield Problem("scaling.min_size", f"{low} is below zero.")
    if high is not None and high < 1:
        yield Problem("scaling.max_size", "must be 1 at least.", source=API_SOURCE)
    if low is not None and high is not None and low > high:
        yield Problem("scaling.min_size", f"{low} is above max_size {high}.")
    elif wanted is not None and ((low is not None and wanted < low) or (high is not None and wanted > high)):
        bounds = f"{'' if low is None else low} to {'' if high is None else high}"
        yield Problem("scaling.desired_size", f"{wanted} is outside min_size to max_size, {bounds}.")


def _refuse_marks(desired: Nodegroup) -> Iterator[Problem]:
    for key, value in (desired.labels or {}).items():
        if not kubernetes_labels.valid(key, value):
            yield Problem("labels", f"{key}={value} is no Kubernetes label.")
        elif not value or len(key) > LONGEST_MARK:
            text = f"{key}={value}: EKS takes a key of 1 to {LONGEST_MARK} characters, and a value that is not empty."
            yield Problem("labels", text, source=API_SOURCE)
        if "/" in key and key.split("/")[0] in RESERVED_LABELS:
            yield Problem("labels", f"{key} has a prefix that EKS keeps for itself: {', '.join(RESERVED_LABELS)}.")
    taints = desired.taints or {}
    for (key, _effect), value in taints.items():
        if not kubernetes_labels.valid(key, value) or len(key) > LONGEST_MARK:
            yield Problem("taints", f"{key}={value} is no taint that EKS takes.", source=API_SOURCE)
    if desired.taint_count != len(taints):
        yield Problem("taints", "two of them have the same key and effect.", "Kubernetes tells them apart by these.")
    if len(taints) > MAX_TAINTS:
        yield Problem("taints", f"a node group takes {MAX_TAINTS} at most.", source=API_SOURCE)


def _refuse_template(desired: Nodegroup) -> Iterator[Problem]:
    if desired.ami_type == "CUSTOM" and not desired.launch_template:
        yield Problem("ami_type", "CUSTOM takes its AMI from a launch template.", "Give launch_template.", API_SOURCE)
    for name in ("id", "name"):
        if desired.launch_template.get(name) == "":
            yield Problem(f"launch_template.{name}", "is empty.")
    version = desired.launch_template.get("version")
    if version is not None and not is_pending(version) and not re.fullmatch(r"[1-9][0-9]*", version):
        yield Problem(
            "launch_template.version",
            f"{version!r} is no number of a version. EKS keeps the number alone, so each run would replace the nodes.",
            "Give the number, as ec2_launch_template_ipv6 returns it; a new node group takes the default without it.",
            API_SOURCE,
        )
    if desired.launch_template and desired.remote_access:
        yield Problem("remote_access", "with a launch template it belongs into it.", "Leave it out.", API_SOURCE)
    if desired.launch_template and desired.disk_size is not None:
        yield Problem("disk_size", "with a launch template the disk belongs into it.", "Leave it out.", API_SOURCE)


def _refuse_platform(desired: Nodegroup, view: ClusterView, ami_type: str) -> Iterator[Problem]:
    if ami_type.startswith("WINDOWS_") and view.ipv6:
        yield Problem("ami_type", f"{ami_type}: IPv6 clusters have no Windows nodes.", source=FAMILY_SOURCE)
    version = desired.kubernetes_version or view.version
    if ami_type.startswith("AL2_") and version and KubernetesVersion.parse(version) > LAST_AL2:
        yield Problem(
            "ami_type",
            f"{ami_type}: EKS has Amazon Linux 2 up to Kubernetes {LAST_AL2} only.",
            "Give an AL2023_ or BOTTLEROCKET_ type.",
            "EKS's own answer to CreateNodegroup",
        )


def _refuse_release(
    desired: Nodegroup, ami_type: str, version: str | None, elsewhere: bool = False
) -> Iterator[Problem]:
    """A release of Amazon Linux for another Kubernetes version; Bottlerocket's numbers are its own."""
    wanted = desired.release_version
    if wanted and version and ami_type.startswith(("AL2_", "AL2023_")) and not wanted.startswith(f"{version}."):
        yield Problem(
            "release_version",
            f"{wanted} is no release of {ami_type} for Kubernetes {version}.",
            f"Give one that begins with {version}.",
            RELEASE_SOURCE,
            elsewhere=elsewhere,
        )


def _refuse_place(desired: Nodegroup, around: Surroundings, view: ClusterView) -> Iterator[Problem]:
    """Nodes must get their addresses; a template that gives its interfaces addresses decides for itself."""
    interfaces = (around.template or {}).get("NetworkInterfaces") or [{}]
    yield from checks.refuse_addresses(
        around.subnets,
        around.egress.routes,
        view.ipv6,
        own_ipv6=any(item.get("Ipv6AddressCount") or item.get("Ipv6Addresses") for item in interfaces),
        own_public=any(item.get("AssociatePublicIpAddress") for item in interfaces),
    )
    if egress.SKIP not in desired.skip_checks:
        services = checks.endpoints_for(around.cni)
        yield from egress.refuse(around.egress, view.ipv6, services, view.name, view.private_access)
    if around.cni is not None:
        yield from checks.refuse_cni(around.cni, view.name)
    if view.ipv6:
        yield from checks.refuse_metadata("launch_template", (around.template or {}).get("MetadataOptions", {}))
    many = [item for item in interfaces if int(item.get("Ipv6AddressCount") or 0) > 1]
    if many and view.ipv6:
        yield Problem(
            "launch_template",
            f"it gives an interface {many[0]['Ipv6AddressCount']} IPv6 addresses; a node's kubelet takes one.",
            "Set Ipv6AddressCount to 1.",
            "amazon-eks-ami, --node-ip",
        )


def _refuse_instance_types(
    desired: Nodegroup, around: Surroundings, view: ClusterView, ami_type: str
) -> Iterator[Problem]:
    option = "instance_types" if desired.instance_types else "launch_template"
    own = own_image(around.template)
    wanted = str((around.image or {}).get("Architecture", "")) if own else architecture(ami_type)
    image = f"the image {own}" if own else f"the AMI type {ami_type}"
    yield from checks.refuse_image("launch_template", own, around.image, view.ipv6)
    yield from checks.refuse_types(
        option, desired.instance_types or (), around.instance_types, wanted, image, view.ipv6
    )
    if not around.instance_types and wanted == "arm64" and not desired.launch_template:
        yield Problem(
            "instance_types",
            f"without them EKS takes t3.medium, on which {ami_type} does not run.",
            "Give arm64 types, such as m7g.large.",
            API_SOURCE,
        )


def _refuse_template_data(desired: Nodegroup, around: Surroundings) -> Iterator[Problem]:
    if around.template_missing:
        message = "EC2 knows no such launch template, or no such version of it."
        yield Problem("launch_template", message, "Make it first.", elsewhere=True)
    data: Mapping[str, Any] = around.template or {}
    if data.get("InstanceType") and desired.instance_types:
        yield Problem(
            "instance_types", "the launch template names an instance type already.", "Leave one out.", API_SOURCE
        )
    if data.get("ImageId") and desired.ami_type not in (None, "CUSTOM"):
        yield Problem("ami_type", "the launch template names an AMI already.", "Leave one out.", API_SOURCE)
    if data.get("ImageId") and (desired.kubernetes_version or desired.release_version):
        option = "kubernetes_version" if desired.kubernetes_version else "release_version"
        yield Problem(option, "comes with the launch template's AMI.", "Leave it out.", API_SOURCE)
    forbidden = [
        name for name in ("IamInstanceProfile", "InstanceMarketOptions", "HibernationOptions") if data.get(name)
    ]
    if data.get("InstanceRequirements"):
        # There is no attribute for Nitro, so what EC2 would choose cannot be known beforehand.
        forbidden.append("InstanceRequirements (attribute-based selection)")
    if any(interface.get("SubnetId") for interface in data.get("NetworkInterfaces") or ()):
        forbidden.append("NetworkInterfaces[].SubnetId")
    if forbidden:
        yield Problem(
            "launch_template", f"managed node groups take none with {', '.join(forbidden)}.", source=NODES_SOURCE
        )


def fixed_differences(desired: Nodegroup, observed: Observed) -> list[tuple[str, str, Any, Any]]:
    """(option, what it is, is, shall be) of what EKS sets once and has no call to change."""
    found: list[tuple[str, str, Any, Any]] = []
    for option, what in FIXED.items():
        wanted = getattr(desired, option)
        if wanted is not None and wanted != observed[option]:
            found.append((option, what, observed[option], wanted))
    if desired.subnet_ids is not None and set(desired.subnet_ids) != set(observed["subnet_ids"]):
        found.append(
            ("subnet_ids", "the subnets", sorted(observed["subnet_ids"]), sorted(known_ids(desired.subnet_ids)))
        )
    types = observed["instance_types"]
    if desired.instance_types is not None and list(desired.instance_types) != types:
        what = "the instance types, in their order,"
        found.append(("instance_types", what, types, list(desired.instance_types)))
    if desired.remote_access and _access(desired.remote_access) != _access(observed["remote_access"] or {}):
        found.append(("remote_access", "remote access", observed["remote_access"], dict(desired.remote_access)))
    if desired.launch_template:
        current = observed["launch_template"]
        named = {name: value for name, value in desired.launch_template.items() if name != "version"}
        if current is None or any(current[name] != value for name, value in named.items()):
            found.append(("launch_template", "the launch template", current, dict(desired.launch_template)))
    return found


def replaced(desired: Nodegroup, observed: Observed) -> bool:
    """Whether the node group has to be removed and made anew, and may be."""
    failed = observed["status"] in ("CREATE_FAILED", "DELETE_FAILED")
    return desired.replace and (failed or bool(fixed_differences(desired, observed)))


def _access(options: Mapping[str, Any]) -> tuple[Any, frozenset[str]]:
    return options.get("ec2_ssh_key"), frozenset(options.get("source_security_group_ids") or ())


def _fixed(option: str, what: str, current: Any, wanted: Any) -> Problem:
    return Problem(
        option,
        f"{what} cannot be changed, from {current} to {wanted}.",
        NEW_GROUP,
        "EKS API reference, UpdateNodegroup*",
    )


def _refuse_upgrade(desired: Nodegroup, observed: Observed, view: ClusterView) -> Iterator[Problem]:
    wanted, current = desired.kubernetes_version, observed["version"]
    if observed["ami_type"] == "CUSTOM":
        if wanted not in (None, current):
            yield Problem("kubernetes_version", "comes with the launch template's AMI.", "Give a new version of that.")
        if desired.release_version not in (None, observed["release_version"]):
            yield Problem("release_version", "comes with the launch template's AMI.", "Give a new version of that.")
        return
    if wanted in (None, current):
        return
    version = KubernetesVersion.parse(str(wanted))
    if version < KubernetesVersion.parse(current):
        yield Problem("kubernetes_version", f"a node group does not go back from {current} to {wanted}.", NEW_GROUP)
    elif view.version and version > KubernetesVersion.parse(view.version):
        yield Problem(
            "kubernetes_version",
            f"{wanted} is newer than the cluster's {view.version}; nodes follow the control plane.",
            "Upgrade the cluster first: eks_cluster, kubernetes_version.",
            NODES_SOURCE,
        )
    elif observed["ami_type"].startswith("AL2_") and version > LAST_AL2:
        yield Problem(
            "kubernetes_version",
            f"EKS has {observed['ami_type']} up to Kubernetes {LAST_AL2} only.",
            NEW_GROUP,
            "EKS's own answer to UpdateNodegroupVersion",
        )
