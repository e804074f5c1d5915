# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an EKS cluster shall be, what it is, and what its plan depends on besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..addressing import dns_address
from ..session import Session
from . import shared
from .placement import SubnetView, read_group_vpcs, read_subnets

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
AUTHENTICATION_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")  # in the only order a cluster can go through them


@dataclass(frozen=True)
class Cluster:
    """A cluster as it shall be. None means not managed."""

    name: str
    ip_family: str
    version: str | None
    role_arn: str | None
    subnet_ids: tuple[str, ...] | None
    security_group_ids: tuple[str, ...] | None
    endpoint_public_access: bool | None
    endpoint_private_access: bool | None
    public_access_cidrs: tuple[str, ...] | None
    authentication_mode: str | None
    bootstrap_admin: bool | None
    bootstrap_addons: bool | None
    logging: tuple[str, ...] | None
    encryption_key_arn: str | None
    deletion_protection: bool | None
    support_type: str | None
    service_ipv4_cidr: str | None
    unsupported: tuple[str, ...]
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool
    wait: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"cluster/{self.name}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Cluster:
        """From the module's parameters."""
        return cls(
            name=params["name"],
            ip_family=params["ip_family"],
            version=params["kubernetes_version"],
            role_arn=params["role_arn"],
            subnet_ids=shared.unique(params["subnet_ids"]),
            security_group_ids=shared.unique(params["security_group_ids"]),
            endpoint_public_access=params["endpoint_public_access"],
            endpoint_private_access=params["endpoint_private_access"],
            public_access_cidrs=shared.unique(params["public_access_cidrs"]),
            authentication_mode=params["authentication_mode"],
            bootstrap_admin=params["bootstrap_cluster_creator_admin_permissions"],
            bootstrap_addons=params["bootstrap_self_managed_addons"],
            logging=shared.unique(params["logging"]),
            encryption_key_arn=params["encryption_key_arn"],
            deletion_protection=params["deletion_protection"],
            support_type=params["support_type"],
            service_ipv4_cidr=params["service_ipv4_cidr"],
            unsupported=tuple(option for option in ("outpost_config", "remote_network_config") if params[option]),
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
            wait=params["wait"],
        )


@dataclass(frozen=True)
class Observed:
    """A cluster as it is: its facts, with what running updates are about to set, and those updates' ids."""

    facts: Mapping[str, Any]
    updates: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]


@dataclass(frozen=True)
class Surroundings:
    """What the plan depends on besides the cluster; read only where something there is about to change."""

    offered: Mapping[str, str] = field(default_factory=dict)  # Kubernetes version -> AWS's versionStatus
    subnets: Mapping[str, SubnetView] = field(default_factory=dict)
    group_vpcs: Mapping[str, str] = field(default_factory=dict)
    nodegroup_versions: Mapping[str, str] = field(default_factory=dict)
    fargate_profiles: tuple[str, ...] = ()


def facts_of(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeCluster's answer as facts."""
    vpc, net = cluster.get("resourcesVpcConfig", {}), cluster.get("kubernetesNetworkConfig", {})
    encryption = cluster.get("encryptionConfig") or [{}]
    service = net.get("serviceIpv6Cidr") or net.get("serviceIpv4Cidr")
    return {
        "name": cluster["name"],
        "arn": cluster.get("arn"),
        "status": cluster.get("status"),
        "version": cluster.get("version"),
        "platform_version": cluster.get("platformVersion"),
        "ip_family": net.get("ipFamily", "ipv4"),
        "service_ipv6_cidr": net.get("serviceIpv6Cidr"),
        "service_ipv4_cidr": net.get("serviceIpv4Cidr"),
        "cluster_dns_ip": dns_address(service) if service else None,
        "endpoint": cluster.get("endpoint"),
        "certificate_authority_data": cluster.get("certificateAuthority", {}).get("data"),
        "oidc_issuer": cluster.get("identity", {}).get("oidc", {}).get("issuer"),
        "cluster_security_group_id": vpc.get("clusterSecurityGroupId"),
        "vpc_id": vpc.get("vpcId"),
        "subnet_ids": list(vpc.get("subnetIds", ())),
        "security_group_ids": list(vpc.get("securityGroupIds", ())),
        "role_arn": cluster.get("roleArn"),
        "endpoint_public_access": vpc.get("endpointPublicAccess", True),
        "endpoint_private_access": vpc.get("endpointPrivateAccess", False),
        "public_access_cidrs": list(vpc.get("publicAccessCidrs", ())),
        "authentication_mode": cluster.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP"),
        "logging": _enabled_logs(cluster.get("logging", {})),
        "encryption_key_arn": encryption[0].get("provider", {}).get("keyArn"),
        "deletion_protection": cluster.get("deletionProtection", False),
        "support_type": cluster.get("upgradePolicy", {}).get("supportType", "EXTENDED"),
        "health_issues": shared.health_issues(cluster),
        "tags": dict(cluster.get("tags", {})),
    }


def observe(session: Session, name: str) -> Observed | None:
    """The cluster; None where there is none."""
    cluster = shared.find_cluster(session, name)
    if cluster is not None and cluster["status"] == "UPDATING":
        updates = shared.running_updates(session, name)
        if updates:
            announced = _announced(shared.update_params(updates))
            return Observed({**facts_of(cluster), **announced}, tuple(update["id"] for update in updates))
        cluster = shared.find_cluster(session, name)  # the update has ended between the two reads
    return None if cluster is None else Observed(facts_of(cluster))


def survey(session: Session, desired: Cluster, observed: Observed | None) -> Surroundings:
    """Reads what the change to come depends on; an unchanged cluster needs none of it."""
    if not desired.present:
        reads = {
            "groups": lambda: session.pages("eks", "ListNodegroups", "nodegroups", clusterName=desired.name),
            "profiles": lambda: session.pages(
                "eks", "ListFargateProfiles", "fargateProfileNames", clusterName=desired.name
            ),
        }
        found = session.together(**reads)
        return Surroundings(
            nodegroup_versions=dict.fromkeys(found["groups"], ""), fargate_profiles=tuple(found["profiles"])
        )
    subnet_ids = _moved(desired.subnet_ids, observed, "subnet_ids")
    group_ids = _moved(desired.security_group_ids, observed, "security_group_ids")
    upgraded = observed is None or desired.version not in (None, observed["version"])
    found = session.together(
        subnets=lambda: read_subnets(session, subnet_ids),
        group_vpcs=lambda: read_group_vpcs(session, group_ids),
        offered=lambda: _read_offered(session) if upgraded else {},
        nodegroups=lambda: _read_nodegroups(session, desired.name) if upgraded and observed else {},
    )
    return Surroundings(found["offered"], found["subnets"], found["group_vpcs"], found["nodegroups"])


def _read_offered(session: Session) -> dict[str, str]:
    found = session.pages("eks", "DescribeClusterVersions", "clusterVersions")
    return {item["clusterVersion"]: item.get("versionStatus", "") for item in found}


def _read_nodegroups(session: Session, cluster: str) -> dict[str, str]:
    names = session.pages("eks", "ListNodegroups", "nodegroups", clusterName=cluster)

    def read(name: str) -> Callable[[], Any]:
        return lambda: session.find("eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)

    found = session.together(**{name: read(name) for name in names})
    return {name: answer["nodegroup"].get("version", "") for name, answer in found.items() if answer}


def _moved(wanted: tuple[str, ...] | None, observed: Observed | None, name: str) -> tuple[str, ...]:
    """The ids to look at: all of a new cluster's; of another's the old and the new, when they differ."""
    if wanted is None:
        return ()
    if observed is None:
        return wanted
    return () if set(wanted) == set(observed[name]) else (*wanted, *observed[name])


def _announced(params: Mapping[str, str]) -> dict[str, Any]:
    """What running updates will have set, by the names of the facts; a value in an unknown form is left out."""
    plain = {"Version": "version", "PlatformVersion": "platform_version", "AuthenticationMode": "authentication_mode"}
    switches = {
        "EndpointPublicAccess": "endpoint_public_access",
        "EndpointPrivateAccess": "endpoint_private_access",
        "DeletionProtection": "deletion_protection",
    }
    lists = {
        "PublicAccessCidrs": "public_access_cidrs",
        "Subnets": "subnet_ids",
        "SecurityGroups": "security_group_ids",
    }
    found: dict[str, Any] = {fact: params[name] for name, fact in plain.items() if name in params}
    found |= {fact: params[name].lower() == "true" for name, fact in switches.items() if name in params}
    documents = {name: shared.from_json(value) for name, value in params.items()}
    found |= {fact: documents[name] for name, fact in lists.items() if isinstance(documents.get(name), list)}
    if isinstance(documents.get("ClusterLogging"), dict):
        found["logging"] = _enabled_logs(documents["ClusterLogging"])
    if isinstance(documents.get("UpgradePolicy"), dict) and "supportType" in documents["UpgradePolicy"]:
        found["support_type"] = documents["UpgradePolicy"]["supportType"]
    if isinstance(documents.get("EncryptionConfig"), list) and documents["EncryptionConfig"]:
        found["encryption_key_arn"] = documents["EncryptionConfig"][0].get("provider", {}).get("keyArn")
    return found


def _enabled_logs(logging: Mapping[str, Any]) -> list[str]:
    setups = logging.get("clusterLogging", ())
    return sorted(kind for setup in setups if setup.get("enabled") for kind in setup.get("types", ()))


def effective(wanted: bool | None, current: bool) -> bool:
    """A switch as it will be: as wanted where that is said, else as it is."""
    return current if wanted is None else wanted
