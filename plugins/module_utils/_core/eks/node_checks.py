# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be in place before anything that runs pods is paid for: the same rules for every way of running them.

The C(read_...) functions only read, the C(refuse_...) functions are pure. A refusal names the resource and the remedy,
and all of them are said at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plan import Problem, is_pending
from ..session import AwsError, Session
from .egress import NODE_ENDPOINTS, ROLE_ENDPOINTS, DefaultRoutes
from .placement import FAMILY_SOURCE, SubnetView

CNI = "cni"
CNI_NAME = "vpc-cni"
AGENT_NAME = "eks-pod-identity-agent"
CNI_SOURCE = "EKS User Guide, Amazon VPC CNI; CNI docs/iam-policy.md"
NODE_ROLE_SOURCE = "EKS User Guide, Amazon EKS node IAM role"


@dataclass(frozen=True)
class InstanceType:
    """An instance type, reduced to what EKS's rules are about."""

    name: str
    nitro: bool
    architectures: tuple[str, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> InstanceType:
        """From DescribeInstanceTypes. Nothing is read out of the name."""
        return cls(
            item["InstanceType"],
            # Bare metal reports no hypervisor; source: amazon-vpc-cni-k8s, IsPrefixDelegationSupported.
            item.get("Hypervisor") == "nitro" or bool(item.get("BareMetal")),
            tuple(item.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
        )


@dataclass(frozen=True)
class Cni:
    """The CNI as EKS's API shows it, and the permissions that it will have on new nodes.

    C(identity) is C(irsa), C(pod_identity) or C(node_role), C(role) the role that aws-node has by it. C(lacking) are
    the actions that it calls and that role does not allow, C(node_lacking) those that the nodes' own role should allow.
    C(untrusting) and C(node_untrusting) are whom the two do not trust. C(unjudged) says what could not be found out.
    """

    installed: bool
    status: str = ""
    version: str = ""
    identity: str = "node_role"
    role: str = ""
    role_missing: bool = False
    lacking: tuple[str, ...] = ()
    untrusting: str = ""
    agent_missing: bool = False
    node_role: str = ""
    node_lacking: tuple[str, ...] = ()
    node_untrusting: str = ""
    unjudged: tuple[str, ...] = ()


def describe_instance_types(session: Session, names: Iterable[str]) -> list[Mapping[str, Any]]:
    """The types as DescribeInstanceTypes has them; one that EC2 does not know is missing."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return []
    try:
        return session.pages("ec2", "DescribeInstanceTypes", "InstanceTypes", InstanceTypes=wanted)
    except AwsError as error:
        if error.code != "InvalidInstanceType":
            raise
        filters = [{"Name": "instance-type", "Values": wanted}]
        return session.pages("ec2", "DescribeInstanceTypes", "InstanceTypes", Filters=filters)


def read_instance_types(session: Session, names: Iterable[str]) -> dict[str, InstanceType]:
    """The types by name, reduced to what EKS's rules are about."""
    return {item["InstanceType"]: InstanceType.of(item) for item in describe_instance_types(session, names)}


def read_image(session: Session, image_id: str | None) -> Mapping[str, Any] | None:
    """An AMI as DescribeImages has it; None where none is asked for, or it is not there."""
    if not image_id or is_pending(image_id):
        return None
    filters = [{"Name": "image-id", "Values": [image_id]}]
    found = session.pages("ec2", "DescribeImages", "Images", Filters=filters)
    return found[0] if found else None


def refuse_image(option: str, image_id: str, image: Mapping[str, Any] | None, ipv6: bool) -> Iterator[Problem]:
    """An AMI that is not there, or is Windows."""
    if image_id and not is_pending(image_id) and not image:
        yield Problem(option, f"EC2 knows no {image_id} in this region.")
    if ipv6 and (image or {}).get("Platform") == "windows":
        message = f"the image {image_id} is Windows; IPv6 clusters have no Windows nodes."
        yield Problem(option, message, source=FAMILY_SOURCE)


def refuse_types(
    option: str, wanted: Sequence[str], types: Mapping[str, InstanceType], architecture: str, image: str, ipv6: bool
) -> Iterator[Problem]:
    """Types that EC2 does not know, are not built on Nitro, or do not run the image; C(architecture) may be empty."""
    unknown = [name for name in wanted if name not in types]
    if unknown:
        yield Problem(option, f"EC2 knows no {', '.join(unknown)} in this region.")
    for item in types.values():
        if ipv6 and not item.nitro:
            yield Problem(
                option,
                f"{item.name} is not built on Nitro; its nodes would never become ready in an IPv6 cluster.",
                "Take a Nitro or bare metal type.",
                FAMILY_SOURCE,
            )
        if architecture and architecture not in item.architectures:
            yield Problem(
                option,
                f"{item.name} has the architecture {', '.join(item.architectures)}, {image} {architecture}.",
                "Take an image of that architecture.",
            )


def refuse_addresses(
    subnets: Mapping[str, SubnetView],
    routes: Mapping[str, DefaultRoutes],
    ipv6: bool,
    *,
    own_ipv6: bool = False,
    own_public: bool = False,
    public_ipv4: bool = True,
) -> Iterator[Problem]:
    """Subnets in which nodes would not get their addresses.

    C(own_ipv6) and C(own_public) say that a launch template gives them itself; C(public_ipv4) that AWS demands a public
    IPv4 address in public subnets, as it does for managed node groups.
    """
    without_ipv6 = [subnet.id for subnet in subnets.values() if subnet.has_ipv6 and not subnet.assigns_ipv6]
    if ipv6 and without_ipv6 and not own_ipv6:
        yield Problem(
            "subnet_ids",
            f"{', '.join(without_ipv6)} does not assign IPv6 addresses; nodes would never become ready.",
            "Turn on AssignIpv6AddressOnCreation.",
            "EKS health issue Ec2SubnetMissingIpv6Assignment",
            elsewhere=True,
        )
    public = [name for name, found in routes.items() if found.public and not subnets[name].assigns_public_ipv4]
    if public and public_ipv4 and not own_public:
        yield Problem(
            "subnet_ids",
            f"{', '.join(public)} is public and does not assign public IPv4 addresses, which managed node groups"
            " need there in either family.",
            "Turn on MapPublicIpOnLaunch, or take private subnets.",
            "EKS health issue Ec2SubnetInvalidConfiguration",
            elsewhere=True,
        )
    full = [subnet.id for subnet in subnets.values() if subnet.has_ipv4 and subnet.free_ipv4 < 1]
    if full:
        yield Problem(
            "subnet_ids", f"{', '.join(full)} has no free IPv4 address, of which every node needs one.",
            "Take larger subnets.", FAMILY_SOURCE,
        )  # fmt: skip


def refuse_cni(cni: Cni, cluster: str) -> Iterator[Problem]:
    """A cluster in which nodes would stay without a network."""
    skip = f"With another CNI set skip_checks: [{CNI}]."
    if cni.role_missing:
        message = f"there is no role {cni.role}, which {CNI_NAME} of {cluster} takes."
        yield Problem("cluster_name", message, f"Make it with iam_cni_role. {skip}", CNI_SOURCE, elsewhere=True)
    if cni.lacking:
        actions = ", ".join(cni.lacking)
        if not cni.installed and cni.identity == "node_role":
            message = f"{cluster} has no add-on {CNI_NAME}, and the nodes' role {cni.role} does not allow {actions}."
            remedy = "Run iam_cni_role and eks_addon first."
        else:
            what = f"{CNI_NAME} {cni.version}".rstrip()
            message = f"the role {cni.role}, which {what} of {cluster} takes, does not allow {actions}."
            remedy = "Run iam_cni_role for it."
        yield Problem("cluster_name", message, f"{remedy} {skip}", CNI_SOURCE, elsewhere=True)
    if cni.untrusting:
        message = f"the trust policy of {cni.role}, which {CNI_NAME} of {cluster} takes, does not let {cni.untrusting}."
        yield Problem("cluster_name", message, f"Run iam_cni_role for it. {skip}", CNI_SOURCE, elsewhere=True)
    if cni.node_untrusting:
        message = f"the trust policy of {cni.node_role} does not let {cni.node_untrusting}."
        remedy = f"Take a role for nodes, as iam_eks_roles makes it. {skip}"
        yield Problem("node_role_arn", message, remedy, NODE_ROLE_SOURCE, elsewhere=True)
    if cni.node_lacking:
        yield Problem(
            "node_role_arn",
            f"the role {cni.node_role} does not allow {', '.join(cni.node_lacking)}, which its nodes call.",
            f"Attach AWS's policies for nodes, as iam_eks_roles does. {skip}",
            NODE_ROLE_SOURCE,
            elsewhere=True,
        )
    if cni.agent_missing:
        yield Problem(
            "cluster_name",
            f"{CNI_NAME} of {cluster} has its role through EKS Pod Identity, and there is no {AGENT_NAME}.",
            f"Install that add-on with eks_addon. {skip}",
            CNI_SOURCE,
            elsewhere=True,
        )
    if cni.status in ("CREATE_FAILED", "DELETING", "DELETE_FAILED"):
        message = f"the add-on {CNI_NAME} of {cluster} is {cni.status}."
        yield Problem("cluster_name", message, "Mend it with eks_addon.", CNI_SOURCE, elsewhere=True)


def endpoints_for(cni: Cni | None) -> tuple[str, ...]:
    """The services that nodes without a way out need VPC endpoints of."""
    return (*NODE_ENDPOINTS, *(ROLE_ENDPOINTS.get(cni.identity, ()) if cni else ()))


def warn_cni(cni: Cni, cluster: str) -> Iterator[str]:
    """What nobody can tell from AWS's side, or this caller may not look at: it is never taken for good silently."""
    if not cni.installed:
        yield (
            f"cluster_name: {cluster} has no add-on {CNI_NAME}; whether a self-managed CNI runs there, and which"
            " version, cannot be seen from AWS. Without one nodes never become ready."
        )
    yield from (f"cluster_name: {text}" for text in cni.unjudged)


def refuse_metadata(option: str, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    """A template that turns on the metadata service's IPv6 endpoint."""
    if metadata.get("HttpProtocolIpv6") == "enabled":
        yield Problem(
            option,
            "it turns on the IPv6 endpoint of the instance metadata, which EKS does not support.",
            "Set MetadataOptions.HttpProtocolIpv6 to disabled.",
            FAMILY_SOURCE,
        )
