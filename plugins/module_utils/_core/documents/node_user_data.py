# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user data of a cluster's nodes, and what they need to be in place; everything is read, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..bootstrap import max_pods, user_data
from ..bootstrap.description import Cluster, Node
from ..eks import egress, shared
from ..eks import node_checks as checks
from ..eks.cluster_model import facts_of
from ..eks.egress import Egress
from ..eks.placement import SubnetView, read_subnets, subnet_problems
from ..eks.shared import ClusterView
from ..plan import PENDING, Outcome, Plan, Problem, refuse_if_any, refuse_now
from ..session import Session
from . import node_cni

IMAGE_SOURCE = "EKS User Guide, recommended AMI IDs; Bottlerocket documentation"


@dataclass(frozen=True)
class Surroundings:
    """What nodes would be made of and stand on."""

    capacities: Mapping[str, max_pods.Capacity]
    types: Mapping[str, checks.InstanceType]
    subnets: Mapping[str, SubnetView]
    egress: Egress
    cni: checks.Cni | None
    image: Mapping[str, Any] | None  # DescribeImages; None where none was asked for, or it is not there


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_node_user_data)."""
    name = params["cluster_name"]
    node = Node.from_options(params["family"], params)
    stand_in = Cluster(name, *[f"{PENDING}cluster/{name}"] * 3)
    refuse_if_any([*user_data.refuse(stand_in, node), *_refuse_options(params)])
    found = session.together(
        cluster=lambda: shared.find_cluster(session, name), around=lambda: _survey(session, params)
    )
    view, warnings = shared.view_of(session, name, found["cluster"], params["kubernetes_version"])
    around = _with_cni(session, params, view, found["around"])
    cluster = stand_in if found["cluster"] is None else Cluster.from_facts(facts_of(found["cluster"]))
    problems = [*user_data.refuse(cluster, node), *_refuse_around(params, around, view)]
    warnings = (*warnings, *refuse_now(problems, session.host.check_mode))
    if node.max_pods is None and around.capacities:
        node = replace(node, max_pods=max_pods.lowest(around.capacities.values()))
    rendered = user_data.render(cluster, node, params["compress"], params["base64_parts"])
    architecture = _architecture(around)
    facts = {
        "family": node.family,
        "text": rendered.text,
        "base64": rendered.base64,
        "content_type": rendered.content_type,
        "compressed": rendered.compressed,
        "size": len(rendered.data),
        "parts": [{"content": part.content, "content_type": part.content_type} for part in rendered.parts],
        "max_pods": node.max_pods,
        "cluster_dns_ip": cluster.dns_address,
        "architecture": architecture or None,
        "image_id": _image_id(session, params, view, architecture),
    }
    return Outcome(Plan(), {"user_data": facts}, (*warnings, *_warnings(node), *_warn_around(params, around, view)))


def image_parameter(family: str, version: str, architecture: str, variant: str) -> str:
    """The name of the public SSM parameter that holds the id of AWS's newest image."""
    if family == "bottlerocket":
        suffix = "" if variant == "standard" else f"-{variant}"
        return f"/aws/service/bottlerocket/aws-k8s-{version}{suffix}/{architecture}/latest/image_id"
    if family == "al2":
        suffix = "-arm64" if architecture == "arm64" else "" if variant == "standard" else "-gpu"
        return f"/aws/service/eks/optimized-ami/{version}/amazon-linux-2{suffix}/recommended/image_id"
    place = f"{version}/amazon-linux-2023/{architecture}/{variant}"
    return f"/aws/service/eks/optimized-ami/{place}/recommended/image_id"


def _survey(session: Session, params: Mapping[str, Any]) -> Surroundings:
    found = session.together(
        types=lambda: checks.describe_instance_types(session, params["instance_types"] or ()),
        subnets=lambda: read_subnets(session, params["subnet_ids"]),
        image=lambda: checks.read_image(session, params["image_id"]),
    )
    subnets = found["subnets"]
    return Surroundings(
        capacities={item["InstanceType"]: max_pods.Capacity.of(item) for item in found["types"]},
        types={item["InstanceType"]: checks.InstanceType.of(item) for item in found["types"]},
        subnets=subnets,
        egress=egress.read(session, subnets, egress.SKIP not in (params["skip_checks"] or ())),
        cni=None,
        image=found["image"],
    )


def _with_cni(session: Session, params: Mapping[str, Any], view: ClusterView, around: Surroundings) -> Surroundings:
    """With the CNI of a cluster that is there, where nodes' subnets were given to be looked at."""
    skipped = checks.CNI in (params["skip_checks"] or ())
    if params["subnet_ids"] is None or skipped or not view.exists or not view.ipv6:
        return around
    return replace(around, cni=node_cni.read(session, view, params["node_role_arn"]))


def _image_id(session: Session, params: Mapping[str, Any], view: ClusterView, architecture: str) -> str | None:
    """The image given, or AWS's newest of the family for the cluster's version.

    @raises Refused  when AWS publishes none.
    """
    if params["image_id"] or not params["resolve_image"]:
        given: str | None = params["image_id"]
        return given
    version = params["kubernetes_version"] or view.version
    if not version:
        return f"{PENDING}cluster/{view.name}"
    name = image_parameter(params["family"], version, architecture, params["image_variant"])
    found = session.find("ssm", "GetParameter", Name=name)
    if found is None or "Parameter" not in found:
        refuse_if_any([Problem("resolve_image", f"SSM has no parameter {name}.", "Give image_id.", IMAGE_SOURCE)])
        return None
    return str(found["Parameter"]["Value"])


def _architecture(around: Surroundings) -> str:
    """The one architecture that all the types have; empty where there is none."""
    supported = [set(item.architectures) for item in around.types.values()]
    common = set.intersection(*supported) if supported else set()
    return next((name for name in ("arm64", "x86_64") if name in common), "")


def _refuse_options(params: Mapping[str, Any]) -> Iterator[Problem]:
    if params["resolve_image"] and not params["instance_types"]:
        yield Problem("resolve_image", "needs instance_types, which say the architecture.")


def _refuse_around(params: Mapping[str, Any], around: Surroundings, view: ClusterView) -> Iterator[Problem]:
    names = tuple(params["instance_types"] or ())
    image = around.image or {}
    what = f"the image {params['image_id']}"
    wanted = str(image.get("Architecture", ""))
    yield from checks.refuse_types("instance_types", names, around.types, wanted, what, view.ipv6)
    if names and around.types and not _architecture(around):
        yield Problem("instance_types", "they have no architecture in common.", "Make a group for each architecture.")
    yield from checks.refuse_image("image_id", params["image_id"] or "", around.image, view.ipv6)
    if params["subnet_ids"] is None:
        return
    skipped = params["skip_checks"] or ()
    yield from subnet_problems(around.subnets, params["subnet_ids"], view.vpc_id, view.ipv6)
    yield from checks.refuse_addresses(around.subnets, around.egress.routes, view.ipv6, public_ipv4=False)
    if egress.SKIP not in skipped:
        services = checks.endpoints_for(around.cni)
        yield from egress.refuse(around.egress, view.ipv6, services, view.name, view.private_access)
    if around.cni is not None:
        yield from checks.refuse_cni(around.cni, view.name)


def _warn_around(params: Mapping[str, Any], around: Surroundings, view: ClusterView) -> Iterator[str]:
    routes = around.egress.routes
    public = [name for name, found in routes.items() if found.public and not around.subnets[name].assigns_public_ipv4]
    if public:
        yield (
            f"subnet_ids: {', '.join(public)} is public and does not assign public IPv4 addresses; nodes have no way"
            " out over IPv4 there unless their launch template gives them one."
        )
    if egress.SKIP not in (params["skip_checks"] or ()):
        yield from egress.warn(around.egress, view.ipv6, checks.endpoints_for(around.cni))
    if around.cni is not None:
        yield from checks.warn_cni(around.cni, view.name)


def _warnings(node: Node) -> Iterator[str]:
    if node.family == "al2":
        yield "family: AWS publishes no new AMIs of Amazon Linux 2 since November 2025; it ends with Kubernetes 1.32."
    if node.max_pods is None and not node.completed_by_eks:
        yield (
            "max_pods: without it, or instance_types to compute it from, the AMI counts addresses and not prefixes,"
            " and a node takes far fewer pods than it could."
        )
