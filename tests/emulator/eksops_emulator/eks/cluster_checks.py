# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CreateCluster and UpdateClusterConfig refuse. Texts seen in the wild are AWS's; the others are presumed."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from .errors import InvalidParameter, UnsupportedAvailabilityZone
from .neighbours import Network, SubnetFacts
from .policy import Iam
from .state import Facts
from .versions import DEFAULT_VERSION, SUPPORTED

# Zones in which EKS has no control planes (EKS User Guide, network requirements).
UNSUPPORTED_ZONE_IDS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_SERVICE_RANGES = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))

_NOT_PUBLIC = (
    *_SERVICE_RANGES,
    *(ip_network(text) for text in ("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10")),
)


def version_or_default(version: str | None) -> str:
    if version is None:
        return DEFAULT_VERSION
    if version not in SUPPORTED:
        raise InvalidParameter("unsupported Kubernetes version")
    return version


def check_role(iam: Iam, role_arn: str, cluster: str) -> None:
    if not iam.trusts_service(role_arn, "eks.amazonaws.com"):
        raise InvalidParameter(
            f"Role with arn: {role_arn}, could not be assumed because it does not exist or the trusted entity is not "
            "correct",
            clusterName=cluster,
        )


def check_subnets(network: Network, subnet_ids: list[str], cluster: str, ipv6: bool) -> list[SubnetFacts]:
    """The subnets, after the rules of every cluster and those of an IPv6 one."""
    if not subnet_ids:
        raise InvalidParameter("Subnets must be specified", clusterName=cluster)
    subnets = []
    for subnet_id in subnet_ids:
        subnet = network.subnet(subnet_id)
        if subnet is None:
            raise InvalidParameter(f"The subnet ID '{subnet_id}' does not exist", clusterName=cluster)
        subnets.append(subnet)
    if len(set(subnet_ids)) != len(subnet_ids):
        raise InvalidParameter("Subnet IDs must be unique", clusterName=cluster)
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise InvalidParameter("Subnets specified must be in the same VPC", clusterName=cluster)
    if len({subnet.zone for subnet in subnets}) < 2:
        raise InvalidParameter("Subnets specified must be in at least two different AZs", clusterName=cluster)
    _check_zones(network, subnets, cluster)
    if ipv6:
        _check_ipv6_subnets(network, subnets, cluster)
    return subnets


def _check_zones(network: Network, subnets: list[SubnetFacts], cluster: str) -> None:
    bad = next((subnet for subnet in subnets if subnet.zone_id in UNSUPPORTED_ZONE_IDS), None)
    if bad is None:
        return
    zones = network.ec2.describe_availability_zones()
    valid = [str(zone.name) for zone in zones if zone.zone_id not in UNSUPPORTED_ZONE_IDS]
    raise UnsupportedAvailabilityZone(
        f"Cannot create cluster '{cluster}' because {bad.zone}, the targeted availability zone, does not currently "
        "have sufficient capacity to support the cluster. Retry and choose from these availability zones: "
        f"{', '.join(valid)}",
        clusterName=cluster,
        validZones=valid,
    )


def _check_ipv6_subnets(network: Network, subnets: list[SubnetFacts], cluster: str) -> None:
    """The VPC and every subnet need both families (the model's text on ipFamily; the wording is presumed)."""
    vpc_id = subnets[0].vpc_id
    if not network.vpc_has_ipv6(vpc_id):
        raise InvalidParameter(
            f"The VPC {vpc_id} does not have an IPv6 CIDR block. A cluster with ipFamily ipv6 needs one",
            clusterName=cluster,
        )
    for family, missing in (
        ("IPv6", [subnet.id for subnet in subnets if not subnet.has_ipv6]),
        ("IPv4", [subnet.id for subnet in subnets if not subnet.has_ipv4]),
    ):
        if missing:
            raise InvalidParameter(
                f"The subnets [{', '.join(missing)}] do not have an {family} CIDR block. "
                "A cluster with ipFamily ipv6 needs IPv4 and IPv6 CIDR blocks in every subnet",
                clusterName=cluster,
            )
    outposts = [subnet.id for subnet in subnets if subnet.on_outpost]
    if outposts:
        raise InvalidParameter(
            f"Subnets on Outposts are not supported with ipFamily ipv6: {outposts}", clusterName=cluster
        )


def check_groups(network: Network, group_ids: list[str], vpc_id: str, cluster: str) -> None:
    if len(group_ids) > 5:
        raise InvalidParameter("You can specify up to five security groups", clusterName=cluster)
    for group_id in group_ids:
        group_vpc = network.group_vpc(group_id)
        if group_vpc is None:
            raise InvalidParameter(f"The security group '{group_id}' does not exist", clusterName=cluster)
        if group_vpc != vpc_id:
            raise InvalidParameter(
                f"Security group(s) [{group_id}] are not in the same VPC as the subnets. "
                "Please specify all security groups and subnets in the same VPC",
                clusterName=cluster,
            )


def check_network_config(config: Facts, request: Facts, partition: str, vpc_blocks: list[IPv4Network]) -> None:
    """The rules on kubernetesNetworkConfig and what can't go with an IPv6 cluster."""
    cluster = request["name"]
    service = config.get("serviceIpv4Cidr")
    if config.get("ipFamily", "ipv4") == "ipv6":
        refused = {
            "serviceIpv4Cidr is not supported with ipFamily ipv6": service is not None,
            "ipFamily ipv6 is not supported in China Regions": partition == "aws-cn",
            "ipFamily ipv6 is not supported on Outposts": bool(request.get("outpostConfig")),
            "remoteNetworkConfig is not supported with ipFamily ipv6": bool(request.get("remoteNetworkConfig")),
        }
        for reason, applies in refused.items():
            if applies:
                raise InvalidParameter(reason, clusterName=cluster)
    if service is not None:
        _check_service_range(service, cluster, vpc_blocks)


def _check_service_range(text: str, cluster: str, vpc_blocks: list[IPv4Network]) -> None:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise InvalidParameter(f"Invalid serviceIpv4Cidr {text}: {error}", clusterName=cluster) from error
    inside = isinstance(network, IPv4Network) and any(
        isinstance(block, IPv4Network) and network.subnet_of(block) for block in _SERVICE_RANGES
    )
    if not inside or not 12 <= network.prefixlen <= 24:
        raise InvalidParameter(
            "serviceIpv4Cidr must be between /24 and /12 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            clusterName=cluster,
        )
    if any(network.overlaps(block) for block in vpc_blocks):
        raise InvalidParameter("serviceIpv4Cidr overlaps with a CIDR block of the VPC", clusterName=cluster)


def check_access_cidrs(cidrs: list[str], cluster: str, ipv6: bool) -> None:
    """Public access ranges: well-formed, and IPv6 ones only on an IPv6 cluster (the model's text; wording presumed)."""
    for cidr in cidrs:
        try:
            network: IPv4Network | IPv6Network = ip_network(cidr)
        except ValueError as error:
            raise InvalidParameter(
                f"The following CIDRs are invalid in publicAccessCidrs: [{cidr}]", clusterName=cluster
            ) from error
        if network.version == 6 and not ipv6:
            raise InvalidParameter(
                f"The following CIDRs are not allowed in publicAccessCidrs: [{cidr}]. "
                "IPv6 CIDR blocks need a cluster with ipFamily ipv6",
                clusterName=cluster,
            )
        if any(network.version == inner.version and network.subnet_of(inner) for inner in _NOT_PUBLIC):  # type: ignore[arg-type]
            raise InvalidParameter(
                f"The following CIDRs are not allowed in publicAccessCidrs: [{cidr}]", clusterName=cluster
            )


def check_endpoint(public: bool, private: bool, cluster: str) -> None:
    if not public and not private:
        raise InvalidParameter("Private and public endpoint access cannot be false", clusterName=cluster)


def check_encryption(configs: list[Facts], cluster: str) -> None:
    for config in configs:
        if config.get("resources") != ["secrets"]:
            raise InvalidParameter("Encryption config resources must be [secrets]", clusterName=cluster)
        if ":kms:" not in config.get("provider", {}).get("keyArn", ""):
            raise InvalidParameter("Encryption config provider must have the ARN of a KMS key", clusterName=cluster)


def logging_facts(logging: Facts | None, before: set[str] | None = None) -> Facts:
    """The `logging` that Describe answers: the types that are on, then those that are off."""
    enabled = set(before or ())
    for setup in (logging or {}).get("clusterLogging", []):
        if setup.get("enabled"):
            enabled.update(setup.get("types", []))
        elif "enabled" in setup:
            enabled.difference_update(setup.get("types", []))
    groups = (
        ([kind for kind in LOG_TYPES if kind in enabled], True),
        ([kind for kind in LOG_TYPES if kind not in enabled], False),
    )
    return {"clusterLogging": [{"types": types, "enabled": on} for types, on in groups if types]}


def enabled_logs(facts: Facts) -> set[str]:
    return {kind for setup in facts["clusterLogging"] if setup["enabled"] for kind in setup["types"]}
