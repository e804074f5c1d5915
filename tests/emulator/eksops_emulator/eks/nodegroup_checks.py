# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CreateNodegroup and its updates refuse, and what lets a node group fail later."""

from __future__ import annotations

import re
from typing import Any

from .catalogue import minor_of
from .errors import InvalidParameter, InvalidRequest
from .neighbours import SubnetFacts, instance_type, is_nitro
from .releases import architecture, releases
from .state import Cluster, Facts, Request, State

DEFAULT_INSTANCE_TYPE = "t3.medium"
DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
# The last minor that EKS published Amazon Linux 2 AMIs for.
LAST_AL2_MINOR = 32
_IPV6_MESSAGE = (
    "does not automatically assign IPv6 addresses to instances launched into it. If you want your instances to be "
    "assigned an IPv6 address, then you need to enable auto-assign IPv6 address for the subnet. See IP addressing in "
    "VPC guide: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html#subnet-ipv6"
)
_IPV4_MESSAGE = (
    "does not automatically assign public IP addresses to instances launched into it. If you want your instances to be "
    "assigned a public IP address, then you need to enable auto-assign public IP address for the subnet. See IP "
    "addressing in VPC guide: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html#subnet-public-ip"
)


class Refusal:
    """Raises InvalidParameter and InvalidRequest with the node group's members."""

    def __init__(self, cluster: str, nodegroup: str) -> None:
        self._members: dict[str, str | list[str]] = {"clusterName": cluster, "nodegroupName": nodegroup}

    def parameter(self, message: str) -> InvalidParameter:
        return InvalidParameter(message, **self._members)

    def request(self, message: str) -> InvalidRequest:
        return InvalidRequest(message, **self._members)


def check_name(name: str, refuse: Refusal) -> None:
    if not re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}", name):
        raise refuse.parameter(
            "Nodegroup name must begin with a letter or digit and can have only letters, digits, hyphens and "
            "underscores, 63 at most"
        )


def check_ami_type(cluster: Cluster, ami_type: str, version: str, refuse: Refusal) -> None:
    """Amazon Linux 2 ended with 1.32 (AWS's text); Windows has no IPv6 pods (the refusal's form is presumed)."""
    if ami_type.startswith("AL2_") and minor_of(version) > LAST_AL2_MINOR:
        raise refuse.parameter(
            f"AMI Type {ami_type} is only supported for kubernetes versions 1.{LAST_AL2_MINOR} or earlier"
        )
    if ami_type.startswith("WINDOWS_") and cluster.ipv6:
        raise refuse.parameter(f"AMI Type {ami_type} is not supported in a cluster with ipFamily ipv6")


def check_instance_types(cluster: Cluster, types: list[str], ami_type: str, refuse: Refusal) -> None:
    """Known, of the AMI's architecture, and on Nitro in an IPv6 cluster (documented; how it is refused is presumed)."""
    if len(types) > 20:
        raise refuse.parameter("Nodegroup can have up to 20 instance types")
    unknown = [name for name in types if instance_type(name) is None]
    if unknown:
        raise refuse.parameter(f"The following supplied instance types do not exist: [{', '.join(unknown)}]")
    for name in types:
        facts: dict[str, Any] = instance_type(name) or {}
        if ami_type != "CUSTOM":
            supported = facts["ProcessorInfo"]["SupportedArchitectures"]
            if architecture(ami_type) not in supported:
                raise refuse.parameter(f"[{name}] is not a valid instance type for requested amiType {ami_type}")
        if cluster.ipv6 and not is_nitro(facts):
            raise refuse.parameter(
                f"[{name}] is not supported in a cluster with ipFamily ipv6: it is not based on Nitro"
            )


def check_role(state: State, role: str, refuse: Refusal) -> None:
    if state.iam.role(role) is None:
        raise refuse.parameter(f"The role with name {role.split('/')[-1]} cannot be found.")
    if not state.iam.trusts_service(role, "ec2.amazonaws.com"):
        raise refuse.parameter(
            "Following required service principals [ec2.amazonaws.com] were not found in the trust "
            f"relationships of nodeRole {role}"
        )


def check_subnets(state: State, cluster: Cluster, subnet_ids: list[str], refuse: Refusal) -> list[SubnetFacts]:
    """Known and of the cluster's VPC. That they assign IPv6 is looked at later: see subnet_issue."""
    if not subnet_ids:
        raise refuse.parameter("Subnets must be specified for the node group")
    vpc_id = cluster.facts["resourcesVpcConfig"]["vpcId"]
    found = []
    for subnet_id in subnet_ids:
        subnet = state.network.subnet(subnet_id)
        if subnet is None:
            raise refuse.parameter(f"The subnet ID '{subnet_id}' does not exist")
        if subnet.vpc_id != vpc_id:
            raise refuse.parameter(f"Subnets are not tagged or not in the VPC of the cluster: [{subnet_id}]")
        found.append(subnet)
    return found


def check_scaling(scaling: Facts, refuse: Refusal) -> None:
    if not scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]:
        low, wanted, high = (scaling[key] for key in ("minSize", "desiredSize", "maxSize"))
        if low > high:
            raise refuse.parameter(f"Minimum capacity {low} can't be greater than maximum size {high}")
        if wanted < low:
            raise refuse.parameter(f"Minimum capacity {low} can't be greater than desired size {wanted}")
        raise refuse.parameter(f"desired capacity {wanted} can't be greater than max size {high}")


def check_update_config(config: Facts, refuse: Refusal) -> None:
    if "maxUnavailable" in config and "maxUnavailablePercentage" in config:
        raise refuse.parameter("maxUnavailable and maxUnavailablePercentage can't both be specified")
    if config.get("maxUnavailable", 1) > 100:
        raise refuse.parameter("maxUnavailable can be 100 at most")


REPAIR_LIMITS = (
    ("maxUnhealthyNodeThresholdCount", "maxUnhealthyNodeThresholdPercentage"),
    ("maxParallelNodesRepairedCount", "maxParallelNodesRepairedPercentage"),
)


def check_node_repair(config: Facts, refuse: Refusal) -> None:
    """NodeRepairConfig's documentation; the texts are presumed."""
    for count, percentage in REPAIR_LIMITS:
        if count in config and percentage in config:
            raise refuse.parameter(f"{count} and {percentage} can't both be specified")
    members = {"nodeMonitoringCondition", "nodeUnhealthyReason", "minRepairWaitTimeMins", "repairAction"}
    for override in config.get("nodeRepairConfigOverrides", []):
        if set(override) != members:
            raise refuse.parameter(f"Every node repair override needs {', '.join(sorted(members))}")


def check_warm_pool(config: Facts, ami_type: str, refuse: Refusal) -> None:
    """WarmPoolConfig's documentation; the texts are presumed."""
    if not ami_type.startswith("BOTTLEROCKET_"):
        return
    if config.get("poolState") == "HIBERNATED" or config.get("reuseOnScaleIn"):
        raise refuse.parameter(f"A warm pool of AMI type {ami_type} can't be hibernated, nor reused on scale-in")


def check_labels_and_taints(labels: dict[str, str], taints: list[Facts], refuse: Refusal) -> None:
    for key in labels:
        if key.split("/")[0] in ("eks.amazonaws.com", "kubernetes.io", "k8s.io"):
            raise refuse.parameter(
                f"Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]: {key}"
            )
    if len(taints) > 50:
        raise refuse.parameter("A node group can have up to 50 taints")
    keys = [(taint.get("key"), taint.get("effect")) for taint in taints]
    if any(key is None or effect is None for key, effect in keys):
        raise refuse.parameter("Taint must have a key and an effect")
    if len(set(keys)) != len(keys):
        raise refuse.parameter("Taints must be unique by key and effect")


def check_versions(cluster: Cluster, request: Request, ami_type: str, refuse: Refusal) -> tuple[str, str]:
    """The Kubernetes and release version of a new group; only the cluster's own Kubernetes version is accepted."""
    version = request.get("version", cluster.version)
    if version != cluster.version:
        raise refuse.parameter(
            f"Requested Nodegroup kubernetes version {version} is not equal to cluster version {cluster.version}"
        )
    return version, check_release(request.get("releaseVersion"), version, ami_type, refuse)


def check_release(wanted: str | None, version: str, ami_type: str, refuse: Refusal) -> str:
    known = releases(ami_type, version)
    if wanted is not None and wanted not in known:
        raise refuse.parameter(f"Requested release version {wanted} is not valid for kubernetes version {version}")
    return wanted or (known[0] if known else "")


def check_template_use(request: Request, data: Facts, refuse: Refusal) -> None:
    """What may not be said twice or not in a template at all (CreateNodegroup's documentation)."""
    if "diskSize" in request:
        raise refuse.parameter("Disk size must be specified within the launch template.")
    if "remoteAccess" in request:
        raise refuse.parameter("Remote access configuration cannot be specified with a launch template.")
    if data.get("InstanceType") and request.get("instanceTypes"):
        raise refuse.parameter("You cannot specify an instance type in both the launch template and the API request.")
    if data.get("ImageId"):
        for member in ("amiType", "version", "releaseVersion"):
            if request.get(member) not in (None, "CUSTOM"):
                raise refuse.parameter(f"You cannot specify {member} with a launch template that has an image id.")
    forbidden = [key for key in ("IamInstanceProfile", "HibernationOptions", "InstanceMarketOptions") if data.get(key)]
    interfaces = data.get("NetworkInterfaces") or []
    if any(interface.get("SubnetId") for interface in interfaces):
        forbidden.append("SubnetId")
    if forbidden:
        raise refuse.parameter(f"Launch template must not have {', '.join(forbidden)}.")


def subnet_issue(
    state: State, cluster: Cluster, name: str, subnets: list[SubnetFacts], template: Facts
) -> Facts | None:
    """The health issue of subnets that nodes can't live in; None when they can.

    Texts: eksctl#4701 (IPv6) and containers-roadmap#2444 (public IPv4, asked of public subnets in IPv6 clusters too).
    A template that gives interfaces their own addresses decides for itself.
    """
    interfaces = template.get("NetworkInterfaces") or [{}]
    own_ipv6 = any(item.get("Ipv6AddressCount") or item.get("Ipv6Addresses") for item in interfaces)
    own_public = any(str(item.get("AssociatePublicIpAddress", "")).lower() == "true" for item in interfaces)
    without_ipv6 = [subnet.id for subnet in subnets if not subnet.assigns_ipv6]
    if cluster.ipv6 and without_ipv6 and not own_ipv6:
        return _subnet_facts("Ec2SubnetMissingIpv6Assignment", without_ipv6, name, _IPV6_MESSAGE)
    without_public = [
        subnet.id
        for subnet in subnets
        if not subnet.assigns_public_ipv4 and state.network.default_routes(subnet.id, subnet.vpc_id)
    ]
    if without_public and not own_public:
        return _subnet_facts("Ec2SubnetInvalidConfiguration", without_public, name, _IPV4_MESSAGE)
    return None


def _subnet_facts(code: str, subnet_ids: list[str], name: str, message: str) -> Facts:
    listed = ", ".join(subnet_ids)
    return {
        "code": code,
        "message": f"One or more Amazon EC2 Subnets of [{listed}] for node group {name} {message}",
        "resourceIds": subnet_ids,
    }
