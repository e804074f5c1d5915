# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be done to an EKS cluster, or made of one, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Network

from ..addressing import AddressError, ipv4, network
from ..plan import Problem, is_pending
from ..versions import KubernetesVersion, kubernetes_steps
from . import shared
from .cluster_model import AUTHENTICATION_MODES, Cluster, Observed, Surroundings, effective
from .placement import FAMILY_SOURCE, NETWORK_SOURCE, SubnetView, known, subnet_problems

UNSUPPORTED_ZONE_IDS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
FREE_ADDRESSES = 6
MAX_SECURITY_GROUPS = 5
NOT_PUBLIC = tuple(
    network(cidr)
    for cidr in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
SERVICE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
OLD_ENDPOINT = ".eks.amazonaws.com"  # IPv6 clusters made since October 2024 answer at .api.aws
NEW_CLUSTER = "It needs a new cluster: make one under another name and move the workloads."
API_SOURCE = "EKS API reference, CreateCluster"
ENDPOINT_SOURCE = "EKS User Guide, cluster API server endpoint"


def refuse(desired: Cluster, partition: str) -> list[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    problems = [*_refuse_name(desired)]
    if not desired.present:
        return problems
    problems += _refuse_unsupported(desired, partition)
    problems += _refuse_endpoint(desired)
    problems += _refuse_values(desired)
    return problems


def refuse_present(desired: Cluster, observed: Observed | None, around: Surroundings) -> list[Problem]:
    """What cannot be done to, or made of, what exists."""
    if observed is not None:
        return list(_refuse_change(desired, observed, around))
    return list(_refuse_new(desired, around))


def refuse_absent(desired: Cluster, observed: Observed) -> list[Problem]:
    """What keeps a cluster from being deleted, whatever goes before it."""
    if not observed["deletion_protection"] or desired.deletion_protection is False:
        return []
    return [
        Problem(
            "deletion_protection",
            f"the cluster {desired.name} is protected against deletion.",
            "Say deletion_protection: false to lift that.",
            "EKS API reference, DeleteCluster",
        )
    ]


def refuse_occupied(desired: Cluster, around: Surroundings) -> list[Problem]:
    """What must go before a cluster does. Where a teardown is planned as a whole, it may be an earlier task's."""
    problems = []
    for what, names in (("node groups", around.nodegroup_versions), ("Fargate profiles", around.fargate_profiles)):
        if names:
            problems.append(
                Problem(
                    "state",
                    f"the cluster {desired.name} still has {what}: {', '.join(sorted(names))}.",
                    "Remove them first.",
                    "EKS API reference, DeleteCluster",
                    elsewhere=True,
                )
            )
    return problems


def _refuse_name(desired: Cluster) -> Iterator[Problem]:
    if not re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9\-_]{0,99}", desired.name):
        yield Problem(
            "name",
            f"{desired.name!r} is no name for a cluster: 1 to 100 letters, digits, hyphens and underscores, the first"
            " a letter or digit.",
            source=API_SOURCE,
        )


def _refuse_unsupported(desired: Cluster, partition: str) -> Iterator[Problem]:
    reasons = {
        "outpost_config": "clusters on Outposts cannot be in the IPv6 family, and this module makes no others there.",
        "remote_network_config": "hybrid nodes cannot join IPv6 clusters, and this module manages no others.",
    }
    for option in desired.unsupported:
        yield Problem(option, reasons[option], "Leave it out.", FAMILY_SOURCE)
    if desired.ip_family == "ipv6" and desired.service_ipv4_cidr is not None:
        yield Problem(
            "service_ipv4_cidr",
            "an IPv6 cluster has no IPv4 service range; EKS chooses its IPv6 one.",
            "Leave it out.",
            API_SOURCE,
        )
    if desired.ip_family == "ipv4" and desired.service_ipv4_cidr is not None:
        yield from _refuse_service_range(desired.service_ipv4_cidr)
    if desired.ip_family == "ipv6" and partition == "aws-cn":
        yield Problem("ip_family", "EKS has no IPv6 clusters in the China Regions.", source=API_SOURCE)


def _refuse_service_range(cidr: str) -> Iterator[Problem]:
    try:
        found = ipv4(cidr)
    except AddressError as error:
        yield Problem("service_ipv4_cidr", f"{cidr!r} is no IPv4 CIDR block: {error}.", source=API_SOURCE)
        return
    if not any(found.subnet_of(ipv4(private)) for private in SERVICE_RANGES) or not 12 <= found.prefixlen <= 24:
        message = f"{cidr} is no service range: a /12 to /24 within {', '.join(SERVICE_RANGES)}."
        yield Problem("service_ipv4_cidr", message, source=API_SOURCE)


def _refuse_endpoint(desired: Cluster) -> Iterator[Problem]:
    if desired.endpoint_public_access is False and desired.endpoint_private_access is False:
        yield _endpoint_off()
    if desired.public_access_cidrs is not None and not desired.public_access_cidrs:
        yield Problem(
            "public_access_cidrs",
            "an empty list would open the public endpoint to everybody.",
            "Give the ranges, or say endpoint_public_access: false.",
            ENDPOINT_SOURCE,
        )
    for cidr in desired.public_access_cidrs or ():
        try:
            found = network(cidr)
        except AddressError as error:
            yield Problem("public_access_cidrs", f"{cidr!r} is no CIDR block: {error}.")
            continue
        if found.version == 6 and desired.ip_family == "ipv4":
            yield Problem(
                "public_access_cidrs", f"{cidr} is IPv6, which an IPv4 cluster does not take.", source=ENDPOINT_SOURCE
            )
        if any(found.version == inner.version and found.subnet_of(inner) for inner in NOT_PUBLIC):  # type: ignore[arg-type]
            yield Problem(
                "public_access_cidrs", f"{cidr} is no range of public addresses.", "Leave it out.", ENDPOINT_SOURCE
            )


def _refuse_values(desired: Cluster) -> Iterator[Problem]:
    if desired.version is not None:
        yield from _refuse_version_text(desired.version)
    if desired.role_arn is not None and not is_pending(desired.role_arn) and not shared.is_role_arn(desired.role_arn):
        yield Problem("role_arn", f"{desired.role_arn!r} is no ARN of an IAM role.")
    if desired.subnet_ids is not None and len(desired.subnet_ids) < 2:
        yield Problem("subnet_ids", "a cluster needs subnets in at least two zones.", source=NETWORK_SOURCE)
    if len(desired.security_group_ids or ()) > MAX_SECURITY_GROUPS:
        yield Problem("security_group_ids", f"a cluster takes {MAX_SECURITY_GROUPS} at most.", source=API_SOURCE)
    if desired.encryption_key_arn and not re.fullmatch(r"arn:[^:]+:kms:[^:]+:\d+:key/.+", desired.encryption_key_arn):
        yield Problem(
            "encryption_key_arn", f"{desired.encryption_key_arn!r} is no ARN of a KMS key.", "An alias will not do."
        )
    if desired.authentication_mode == "CONFIG_MAP" and desired.bootstrap_admin is False:
        yield Problem(
            "bootstrap_cluster_creator_admin_permissions",
            "EKS takes false only together with an authentication_mode of API or API_AND_CONFIG_MAP.",
            source="EKS's own answer to CreateCluster",
        )


def _refuse_version_text(version: str) -> Iterator[Problem]:
    try:
        KubernetesVersion.parse(version)
    except ValueError as error:
        yield Problem("kubernetes_version", f"{error}.", 'Quote it in YAML: "1.30" without quotes is 1.3.')


def _endpoint_off() -> Problem:
    return Problem(
        "endpoint_private_access",
        "with endpoint_public_access and endpoint_private_access both off nobody could reach the API server.",
        "Keep one of them on.",
        ENDPOINT_SOURCE,
    )


def refuse_family(desired: Cluster, observed: Observed | None) -> Iterator[Problem]:
    if observed is not None and observed["ip_family"] != desired.ip_family:
        yield Problem(
            "ip_family",
            f"the cluster {desired.name} is in the {observed['ip_family']} family and cannot become"
            f" {desired.ip_family}: EKS fixes the family when a cluster is made.",
            NEW_CLUSTER,
            API_SOURCE,
        )


def _refuse_new(desired: Cluster, around: Surroundings) -> Iterator[Problem]:
    if desired.role_arn is None:
        yield Problem("role_arn", f"there is no cluster {desired.name} yet, and making one needs a role.")
    if desired.subnet_ids is None:
        yield Problem("subnet_ids", f"there is no cluster {desired.name} yet, and making one needs subnets.")
    if desired.endpoint_public_access is False and not desired.endpoint_private_access:
        yield _endpoint_off()
    if desired.version is not None:
        yield from _refuse_version(desired.version, around)
    yield from subnet_problems(around.subnets, desired.subnet_ids or (), "", desired.ip_family == "ipv6")
    yield from _refuse_zones(desired, around)
    yield from _refuse_crowded(around.subnets.values())
    yield from _refuse_groups(desired, around, "")


def _refuse_version(version: str, around: Surroundings) -> Iterator[Problem]:
    if version not in around.offered:
        offered = ", ".join(sorted(around.offered, key=KubernetesVersion.parse))
        yield Problem(
            "kubernetes_version",
            f"EKS does not offer {version} here.",
            f'It offers {offered}. Quote the version in YAML: "1.30" without quotes is 1.3.',
            "DescribeClusterVersions",
        )


def _refuse_zones(desired: Cluster, around: Surroundings) -> Iterator[Problem]:
    wanted = desired.subnet_ids or ()
    zones = {around.subnets[identity].zone for identity in known(wanted) if identity in around.subnets}
    complete = len(known(wanted)) == len(wanted) and all(identity in around.subnets for identity in wanted)
    if complete and wanted and len(zones) < 2:
        yield Problem(
            "subnet_ids",
            f"all of them lie in {', '.join(zones)}; a cluster needs at least two zones.",
            source=NETWORK_SOURCE,
        )
    for subnet in around.subnets.values():
        if subnet.zone_id in UNSUPPORTED_ZONE_IDS:
            yield Problem(
                "subnet_ids",
                f"{subnet.id} is in {subnet.zone} ({subnet.zone_id}), where EKS has no control planes.",
                source=NETWORK_SOURCE,
            )


def _refuse_crowded(subnets: Iterable[SubnetView]) -> Iterator[Problem]:
    for subnet in subnets:
        if subnet.has_ipv4 and subnet.free_ipv4 < FREE_ADDRESSES:
            yield Problem(
                "subnet_ids",
                f"{subnet.id} has {subnet.free_ipv4} free IPv4 addresses; EKS needs {FREE_ADDRESSES} in each subnet.",
                source=NETWORK_SOURCE,
            )


def _refuse_groups(desired: Cluster, around: Surroundings, vpc_id: str) -> Iterator[Problem]:
    wanted = known(desired.security_group_ids)
    missing = [identity for identity in wanted if identity not in around.group_vpcs]
    if missing:
        yield Problem("security_group_ids", f"EC2 knows no security group {', '.join(missing)} here.")
    vpcs = {vpc_id} if vpc_id else {subnet.vpc_id for subnet in around.subnets.values()}
    strangers = [identity for identity in wanted if around.group_vpcs.get(identity, "") not in {*vpcs, ""}]
    if vpcs and strangers:
        yield Problem(
            "security_group_ids",
            f"{', '.join(strangers)} is of another VPC than the cluster's subnets.",
            source=API_SOURCE,
        )


def _refuse_change(desired: Cluster, observed: Observed, around: Surroundings) -> Iterator[Problem]:
    if observed["status"] == "FAILED":
        reason = shared.issues_text(observed["health_issues"])
        yield Problem(
            "name",
            f"the cluster {desired.name} could not be made and is FAILED: {reason}.",
            "Remove it with state: absent, mend the cause, and make it again.",
        )
        return
    yield from _refuse_fixed(desired, observed)
    yield from _refuse_reach(desired, observed)
    if around.subnets:
        yield from subnet_problems(
            around.subnets, desired.subnet_ids or (), observed["vpc_id"], observed["ip_family"] == "ipv6"
        )
        yield from _refuse_zones(desired, around)
        yield from _refuse_other_zones(desired, observed, around)
    if set(desired.security_group_ids or ()) - set(observed["security_group_ids"]):
        yield from _refuse_groups(desired, around, observed["vpc_id"])
    yield from _refuse_upgrade(desired, observed, around)


def _refuse_fixed(desired: Cluster, observed: Observed) -> Iterator[Problem]:
    """What EKS sets once and has no call to change."""
    if desired.role_arn is not None and desired.role_arn != observed["role_arn"]:
        yield Problem(
            "role_arn",
            f"the cluster runs with {observed['role_arn']}, and EKS has no call to change it to {desired.role_arn}.",
            NEW_CLUSTER,
            API_SOURCE,
        )
    current_range = observed["service_ipv4_cidr"]
    if (
        desired.service_ipv4_cidr is not None
        and current_range is not None
        and desired.service_ipv4_cidr != current_range
    ):
        yield Problem(
            "service_ipv4_cidr", f"the service range {current_range} cannot be changed.", NEW_CLUSTER, API_SOURCE
        )
    key = observed["encryption_key_arn"]
    if desired.encryption_key_arn is not None and key and desired.encryption_key_arn != key:
        yield Problem(
            "encryption_key_arn",
            f"secrets are encrypted with {key}; EKS can neither take that back nor change the key.",
            NEW_CLUSTER,
            "EKS API reference, AssociateEncryptionConfig",
        )
    order = AUTHENTICATION_MODES.index
    mode = desired.authentication_mode
    if mode is not None and order(mode) < order(observed["authentication_mode"]):
        yield Problem(
            "authentication_mode",
            f"EKS does not go back from {observed['authentication_mode']} to {mode}.",
            source="EKS User Guide, cluster access modes",
        )


def _refuse_reach(desired: Cluster, observed: Observed) -> Iterator[Problem]:
    public = effective(desired.endpoint_public_access, observed["endpoint_public_access"])
    private = effective(desired.endpoint_private_access, observed["endpoint_private_access"])
    given = (desired.endpoint_public_access, desired.endpoint_private_access)
    if not public and not private and given != (None, None):
        yield _endpoint_off()
    if not str(observed["endpoint"] or "").endswith(OLD_ENDPOINT):
        return
    for cidr in desired.public_access_cidrs or ():
        if isinstance(network(cidr), IPv6Network):
            yield Problem(
                "public_access_cidrs",
                f"{cidr}: the endpoint of this cluster, made before October 2024, answers to IPv4 only.",
                "Leave IPv6 ranges out.",
                ENDPOINT_SOURCE,
            )


def _refuse_other_zones(desired: Cluster, observed: Observed, around: Surroundings) -> Iterator[Problem]:
    zones = {around.subnets[identity].zone for identity in observed["subnet_ids"] if identity in around.subnets}
    wanted = known(desired.subnet_ids)
    for subnet in (around.subnets[identity] for identity in wanted if identity in around.subnets):
        if zones and subnet.zone not in zones:
            yield Problem(
                "subnet_ids",
                f"{subnet.id} is in {subnet.zone}; the cluster was made in {', '.join(sorted(zones))} and stays there.",
                source=NETWORK_SOURCE,
            )


def _refuse_upgrade(desired: Cluster, observed: Observed, around: Surroundings) -> Iterator[Problem]:
    if desired.version in (None, observed["version"]):
        return
    current, wanted = observed["version"], str(desired.version)
    if KubernetesVersion.parse(wanted) < KubernetesVersion.parse(current):
        yield Problem("kubernetes_version", f"a control plane does not go back from {current} to {wanted}.")
        return
    yield from _refuse_version(wanted, around)
    lagging = sorted(name for name, version in around.nodegroup_versions.items() if version != current)
    if lagging:
        yield Problem(
            "kubernetes_version",
            f"the node groups {', '.join(lagging)} are not at {current} yet, and must be before the cluster moves on.",
            "Move them first: eks_nodegroup, kubernetes_version.",
            "EKS's own answer to UpdateClusterVersion",
        )
    elif around.nodegroup_versions and len(kubernetes_steps(current, wanted)) > 1:
        yield Problem(
            "kubernetes_version",
            f"from {current} to {wanted} the node groups have to follow after each minor version.",
            f"Go to {kubernetes_steps(current, wanted)[0]} first, then move the node groups.",
            "EKS's own answer to UpdateClusterVersion",
        )


def warnings(desired: Cluster, observed: Observed | None, around: Surroundings) -> Iterator[str]:
    if desired.public_access_cidrs and not effective(
        desired.endpoint_public_access, observed["endpoint_public_access"] if observed else True
    ):
        yield "public_access_cidrs: has no effect while the public endpoint is off, and is not compared."
    if desired.version is not None and around.offered.get(desired.version) == "EXTENDED_SUPPORT":
        yield f"kubernetes_version: {desired.version} is in extended support, for which AWS charges more."
    for issue in observed["health_issues"] if observed else ():
        yield f"{desired.address}: {issue['code']}: {issue['message']}"
