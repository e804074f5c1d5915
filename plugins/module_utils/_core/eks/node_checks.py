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
from .placement import FAMILY_SOURCE, SubnetView

ROUTES, CNI = "routes", "cni"
SKIPPABLE = (ROUTES, CNI)
IPV6_ACTION = "ec2:AssignIpv6Addresses"
CNI_NAME = "vpc-cni"
AGENT_NAME = "eks-pod-identity-agent"
CNI_SOURCE = "EKS User Guide, Amazon VPC CNI"


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
class DefaultRoutes:
    """Where a subnet's active routes to everywhere lead, by family; empty where there is none."""

    ipv4: str = ""
    ipv6: str = ""

    @property
    def public(self) -> bool:
        """Whether one of them leads to an internet gateway. That ::/0 alone counts is presumed."""
        return self.ipv4.startswith("igw-") or self.ipv6.startswith("igw-")


@dataclass(frozen=True)
class Cni:
    """The CNI as EKS's API shows it. C(roles) are those it takes; C(lacking) what a role was found to lack."""

    installed: bool
    status: str = ""
    roles: tuple[str, ...] = ()
    agent_missing: bool = False
    judged: str = ""
    lacking: bool = False


def read_instance_types(session: Session, names: Iterable[str]) -> dict[str, InstanceType]:
    """The types by name; one that EC2 does not know is missing."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    read = session.pages
    try:
        found = read("ec2", "DescribeInstanceTypes", "InstanceTypes", InstanceTypes=wanted)
    except AwsError as error:
        if error.code != "InvalidInstanceType":
            raise
        filters = [{"Name": "instance-type", "Values": wanted}]
        found = read("ec2", "DescribeInstanceTypes", "InstanceTypes", Filters=filters)
    return {item["InstanceType"]: InstanceType.of(item) for item in found}


def read_routes(session: Session, subnets: Mapping[str, SubnetView]) -> dict[str, DefaultRoutes]:
    """The default routes by subnet, of its own route table or else of the VPC's main one."""
    vpcs = sorted({subnet.vpc_id for subnet in subnets.values()})
    if not vpcs:
        return {}
    filters = [{"Name": "vpc-id", "Values": vpcs}]
    tables = session.pages("ec2", "DescribeRouteTables", "RouteTables", Filters=filters)
    own: dict[str, DefaultRoutes] = {}
    main: dict[str, DefaultRoutes] = {}
    for table in tables:
        routes = default_routes(table.get("Routes", ()))
        for association in table.get("Associations", ()):
            if association.get("SubnetId"):
                own[association["SubnetId"]] = routes
            if association.get("Main"):
                main[table["VpcId"]] = routes
    return {name: own.get(name) or main.get(subnet.vpc_id) or DefaultRoutes() for name, subnet in subnets.items()}


def default_routes(routes: Iterable[Mapping[str, Any]]) -> DefaultRoutes:
    """A route table's active routes to everywhere (pure)."""
    found = {"ipv4": "", "ipv6": ""}
    for route in routes:
        target = next((str(route[key]) for key in _TARGETS if route.get(key)), "")
        if route.get("State", "active") != "active" or not target:
            continue
        if route.get("DestinationCidrBlock") == "0.0.0.0/0":
            found["ipv4"] = target
        if route.get("DestinationIpv6CidrBlock") == "::/0":
            found["ipv6"] = target
    return DefaultRoutes(**found)


def read_cni(session: Session, cluster: str, node_role_arn: str | None) -> Cni:
    """The add-on, what gives it a role, and whether IAM lets that role do what the IPv6 mode cannot do without."""
    found = session.together(
        addon=lambda: session.find("eks", "DescribeAddon", clusterName=cluster, addonName=CNI_NAME),
        agent=lambda: session.find("eks", "DescribeAddon", clusterName=cluster, addonName=AGENT_NAME),
        associated=lambda: _associated(session, cluster),
    )
    addon = (found["addon"] or {}).get("addon", {})
    own = addon.get("serviceAccountRoleArn")
    roles = tuple(item for item in (*found["associated"], own) if item)
    judged = roles[0] if roles else node_role_arn or ""
    return Cni(
        installed=bool(addon),
        status=addon.get("status", ""),
        roles=roles,
        agent_missing=bool(found["associated"]) and found["agent"] is None,
        judged=judged,
        lacking=bool(judged) and not is_pending(judged) and not _may_assign(session, judged),
    )


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


def refuse_routes(routes: Mapping[str, DefaultRoutes], ipv6: bool) -> Iterator[Problem]:
    """Subnets without a way out in one of the families."""
    families = (
        ("0.0.0.0/0", [name for name, found in routes.items() if not found.ipv4], "a NAT or internet gateway"),
        (
            "::/0",
            [name for name, found in routes.items() if ipv6 and not found.ipv6],
            "an egress-only or internet gateway",
        ),
    )
    for destination, lacking, target in families:
        if lacking:
            yield Problem(
                "subnet_ids",
                f"{', '.join(lacking)} has no active route to {destination}.",
                f"Lead it to {target}; or, where VPC endpoints serve the nodes, set skip_checks: [{ROUTES}].",
                FAMILY_SOURCE,
                elsewhere=True,
            )


def refuse_public(routes: Mapping[str, DefaultRoutes]) -> Iterator[Problem]:
    """Subnets that Fargate does not take."""
    public = [name for name, found in routes.items() if found.public]
    if public:
        yield Problem(
            "subnet_ids",
            f"{', '.join(public)} has a route to an internet gateway; Fargate takes private subnets only.",
            "Take subnets whose ::/0 leads to an egress-only internet gateway.",
            "EKS API reference, CreateFargateProfile",
            elsewhere=True,
        )


def refuse_cni(cni: Cni, cluster: str) -> Iterator[Problem]:
    """A cluster in which nodes would stay without a network."""
    skip = f"With another CNI set skip_checks: [{CNI}]."
    if not cni.installed and not cni.roles and cni.lacking:
        yield Problem(
            "cluster_name",
            f"{cluster} has no add-on {CNI_NAME}, and the nodes' role {cni.judged} does not allow {IPV6_ACTION}.",
            f"Run iam_cni_role and eks_addon first. {skip}",
            CNI_SOURCE,
            elsewhere=True,
        )
    elif cni.lacking:
        yield Problem(
            "cluster_name",
            f"the role {cni.judged}, which {CNI_NAME} of {cluster} takes, does not allow {IPV6_ACTION}.",
            f"Run iam_cni_role for it. {skip}",
            CNI_SOURCE,
            elsewhere=True,
        )
    if cni.installed and cni.agent_missing:
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


def refuse_metadata(option: str, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    """A template that turns on the metadata service's IPv6 endpoint."""
    if metadata.get("HttpProtocolIpv6") == "enabled":
        yield Problem(
            option,
            "it turns on the IPv6 endpoint of the instance metadata, which EKS does not support.",
            "Set MetadataOptions.HttpProtocolIpv6 to disabled.",
            FAMILY_SOURCE,
        )


_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
)


def _associated(session: Session, cluster: str) -> tuple[str, ...]:
    """The role that Pod Identity gives the CNI's service account."""
    key = {"clusterName": cluster, "namespace": "kube-system", "serviceAccount": "aws-node"}
    listed = session.find("eks", "ListPodIdentityAssociations", **key)
    found = [
        session.find("eks", "DescribePodIdentityAssociation", clusterName=cluster, associationId=item["associationId"])
        for item in (listed or {}).get("associations", ())
    ]
    return tuple(answer["association"]["roleArn"] for answer in found if answer)


def _may_assign(session: Session, role_arn: str) -> bool:
    """IAM's own simulation; where the caller may not ask, or the role is unknown yet, nothing is held against it."""
    try:
        results = session.pages(
            "iam",
            "SimulatePrincipalPolicy",
            "EvaluationResults",
            PolicySourceArn=role_arn,
            ActionNames=[IPV6_ACTION],
        )
    except AwsError:
        return True
    return all(result["EvalDecision"] == "allowed" for result in results)
