# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Auto Scaling group whose instances can be nodes of its cluster: looked at before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..autoscaling import group, group_model, group_rules
from ..autoscaling.group_model import AutoScalingGroup, Observed, Source, Version
from ..eks import egress, shared
from ..eks import node_checks as checks
from ..eks.egress import Egress
from ..eks.placement import FAMILY_SOURCE, SubnetView, read_subnets, subnet_problems
from ..eks.shared import ClusterView
from ..plan import Outcome, Problem, refuse_if_any, refuse_now
from ..session import Session
from . import node_cni


@dataclass(frozen=True)
class Surroundings:
    """What new instances would be made of and stand on."""

    subnets: Mapping[str, SubnetView] = field(default_factory=dict)
    egress: Egress = field(default_factory=lambda: Egress({}))
    types: Mapping[str, checks.InstanceType] = field(default_factory=dict)
    image: Mapping[str, Any] | None = None  # DescribeImages; None where the template names none, or it is not there
    cni: checks.Cni | None = None


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(autoscaling_group_ipv6)."""
    desired = AutoScalingGroup.from_params(params)
    refuse_if_any(group_rules.refuse(desired))
    if not desired.present:
        observed = group_model.observe(session, desired.name)
        refuse_if_any(group_rules.refuse_change(desired, observed) if observed else ())
        return Outcome(group.plan(desired, observed, None), {"autoscaling_group": None})
    found = session.together(
        cluster=lambda: shared.find_cluster(session, desired.cluster_name),
        group=lambda: group_model.observe(session, desired.name),
    )
    view, warnings = shared.view_of(session, desired.cluster_name, found["cluster"])
    observed = found["group"]
    base = None if observed is None or observed.deleting else observed
    version = group_model.read_version(session, desired, base)
    problems = [
        *(group_rules.refuse_new(desired) if base is None else group_rules.refuse_change(desired, base)),
        *group_rules.refuse_version(desired, base, version),
    ]
    wanted = group_model.wanted_source(desired, base, version)
    if _differs(desired, base, wanted):
        around = _survey(session, desired, view, version, wanted, base is None)
        problems += _refuse_around(desired, around, view, version, wanted)
        warnings = (*warnings, *_warn_around(desired, around, view))
    warnings = (*warnings, *refuse_now(problems, session.host.check_mode))
    return Outcome(
        group.plan(desired, observed, version),
        {"autoscaling_group": group.facts(desired, observed, version)},
        (*warnings, *group.warnings(desired, observed, version)),
    )


def _differs(desired: AutoScalingGroup, base: Observed | None, wanted: Source | None) -> bool:
    """Whether new instances would be made of something else, or elsewhere, than those that are there."""
    if base is None or not group_model.same_source(base.source, wanted):
        return True
    return bool(set(desired.subnet_ids or ()) - set(base.subnet_ids))


def _survey(
    session: Session,
    desired: AutoScalingGroup,
    view: ClusterView,
    version: Version | None,
    wanted: Source | None,
    new: bool,
) -> Surroundings:
    data = version.data if version else {}
    own = [data["InstanceType"]] if data.get("InstanceType") else []
    asks = new and view.exists and view.ipv6 and checks.CNI not in desired.skip_checks
    found = session.together(
        subnets=lambda: read_subnets(session, desired.subnet_ids),
        types=lambda: checks.read_instance_types(session, (wanted.types if wanted else ()) or own),
        image=lambda: _read_image(session, data.get("ImageId")),
        cni=lambda: node_cni.read(session, view, _role_of(session, data)) if asks else None,
    )
    subnets = found["subnets"]
    reached = egress.read(session, subnets, egress.SKIP not in desired.skip_checks)
    return Surroundings(subnets, reached, found["types"], found["image"], found["cni"])


def _read_image(session: Session, image_id: str | None) -> Mapping[str, Any] | None:
    if not image_id or not image_id.startswith("ami-"):
        return None
    filters = [{"Name": "image-id", "Values": [image_id]}]
    found = session.pages("ec2", "DescribeImages", "Images", Filters=filters)
    return found[0] if found else None


def _role_of(session: Session, data: Mapping[str, Any]) -> str | None:
    """The ARN of the role in the template's instance profile."""
    profile = data.get("IamInstanceProfile") or {}
    name = profile.get("Name") or str(profile.get("Arn", "")).rsplit("/", 1)[-1]
    answer = session.find("iam", "GetInstanceProfile", InstanceProfileName=name) if name else None
    roles: Sequence[Mapping[str, Any]] = (answer or {}).get("InstanceProfile", {}).get("Roles", ())
    return str(roles[0]["Arn"]) if roles else None


def _refuse_around(
    desired: AutoScalingGroup, around: Surroundings, view: ClusterView, version: Version | None, wanted: Source | None
) -> Iterator[Problem]:
    data = version.data if version else {}
    mixed = bool(wanted and wanted.types)
    own = (data["InstanceType"],) if data.get("InstanceType") else ()
    named = wanted.types if wanted and mixed else own
    option = "mixed_instances_policy" if mixed else "launch_template"
    image = around.image or {}
    what = f"the image {data.get('ImageId')}"
    if version is not None or mixed:
        architecture = str(image.get("Architecture", ""))
        yield from checks.refuse_types(option, named, around.types, architecture, what, view.ipv6)
    if view.ipv6:
        yield from _refuse_template(data, image, wanted)
    yield from subnet_problems(around.subnets, desired.subnet_ids or (), view.vpc_id, view.ipv6)
    routes = around.egress.routes
    given = bool(data.get("NetworkInterfaces")) and data["NetworkInterfaces"][0].get("Ipv6AddressCount") == 1
    yield from checks.refuse_addresses(around.subnets, routes, view.ipv6, own_ipv6=given, public_ipv4=False)
    if egress.SKIP not in desired.skip_checks:
        services = checks.endpoints_for(around.cni)
        yield from egress.refuse(around.egress, view.ipv6, services, view.name, view.private_access)
    if around.cni is not None:
        yield from checks.refuse_cni(around.cni, view.name)


def _refuse_template(data: Mapping[str, Any], image: Mapping[str, Any], wanted: Source | None) -> Iterator[Problem]:
    """A template whose instances do not become nodes of an IPv6 cluster."""
    option = "launch_template"
    yield from checks.refuse_metadata(option, data.get("MetadataOptions") or {})
    if image.get("Platform") == "windows":
        yield Problem(option, "its image is Windows; IPv6 clusters have no Windows nodes.", source=FAMILY_SOURCE)
    attributes = any("InstanceRequirements" in item for item in (wanted.overrides if wanted else ()))
    if attributes or data.get("InstanceRequirements"):
        yield Problem(
            option,
            "it chooses instance types by attributes, of which being built on Nitro is none.",
            "Name the types in mixed_instances_policy.instance_types.",
            FAMILY_SOURCE,
        )
    for interface in data.get("NetworkInterfaces") or ():
        many = interface.get("Ipv6AddressCount") or len(interface.get("Ipv6Addresses") or ())
        if many > 1:
            yield Problem(
                option,
                f"its interface {interface.get('DeviceIndex', 0)} has {many} IPv6 addresses; a kubelet takes one.",
                "Set Ipv6AddressCount to 1, as ec2_launch_template_ipv6 does.",
                "amazon-eks-ami, nodeadm: the kubelet's --node-ip",
            )


def _warn_around(desired: AutoScalingGroup, around: Surroundings, view: ClusterView) -> Iterator[str]:
    if egress.SKIP not in desired.skip_checks:
        yield from egress.warn(around.egress, view.ipv6, checks.endpoints_for(around.cni))
    if around.cni is not None:
        yield from checks.warn_cni(around.cni, view.name)
