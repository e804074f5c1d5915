# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters: create, describe, list, delete. What an update changes is in cluster_updates.py."""

from __future__ import annotations

from typing import Any

from moto.moto_api._internal import mock_random

from . import certificates, hooks, life
from .access_entries import bootstrap_creator
from .addons import bootstrap_self_managed
from .cluster_checks import (
    check_access_cidrs,
    check_encryption,
    check_endpoint,
    check_groups,
    check_network_config,
    check_role,
    check_subnets,
    logging_facts,
    version_or_default,
)
from .errors import InvalidParameter, InvalidRequest, ResourceInUse
from .life import Life
from .neighbours import SubnetFacts
from .state import Cluster, Facts, Request, State, check_tags, now, page
from .versions import SUPPORTED

_SHARDS = ("gr7", "sk1", "yl4")
# Members that a client may send and AWS answers as sent.
_ECHOED = ("zonalShiftConfig", "remoteNetworkConfig", "controlPlaneScalingConfig", "outpostConfig")
_COMPONENTS = ("kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig")


class Clusters(State):
    """CreateCluster, DescribeCluster, ListClusters, DeleteCluster."""

    def create_cluster(self, request: Request) -> Facts:
        name = request["name"]
        if name in self.clusters:
            raise ResourceInUse(f"Cluster already exists with name: {name}", clusterName=name)
        subnets, version = self._check_create(request)
        facts = self._new_cluster(request, subnets, version)
        bootstrap = request.get("accessConfig", {}).get("bootstrapClusterCreatorAdminPermissions", True)
        creator = request.principal if bootstrap else ""
        cluster = Cluster(facts, Life(life.CLUSTER, "CREATING"), creator=creator)
        vpc = facts["resourcesVpcConfig"]
        group = self.network.create_cluster_group(name, vpc["vpcId"], cluster.ipv6)
        vpc["clusterSecurityGroupId"] = group
        cluster.interfaces = self.network.create_control_plane_interfaces(
            name, subnets, [*vpc["securityGroupIds"], group]
        )
        cluster.life.begin("CREATING", lambda: self._activate(cluster, request))
        self.clusters[name] = cluster
        # The group is made on the way; the first answer has none yet.
        answer = {**facts, "status": "CREATING", "resourcesVpcConfig": {**vpc}}
        answer["resourcesVpcConfig"].pop("clusterSecurityGroupId")
        return {"cluster": answer}

    def describe_cluster(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        self._poll(cluster)
        return {"cluster": self.cluster_facts(self.cluster(request["name"]))}

    def list_clusters(self, request: Request) -> Facts:
        include = request.get("include", [])
        if any(item != "all" for item in include):
            raise InvalidParameter(f"Invalid value for include: {include}; 'all' must be in lowercase")
        for cluster in list(self.clusters.values()):
            if cluster.life.state == "DELETING":
                self._poll(cluster)
        names, more = page(sorted(self.clusters), request)
        return {"clusters": names, **more}

    def delete_cluster(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        name = cluster.name
        if cluster.nodegroups:
            raise ResourceInUse("Cluster has nodegroups attached", clusterName=name)
        if cluster.fargate_profiles:
            raise ResourceInUse("Cluster has fargate profiles attached", clusterName=name)
        if cluster.facts["deletionProtection"]:
            raise InvalidRequest(
                f"Cannot delete cluster {name} because deletion protection is enabled", clusterName=name
            )
        status = self.cluster_status(cluster)
        if status in ("CREATING", "UPDATING"):
            raise ResourceInUse(
                f"Cannot delete because cluster {name} currently is in {status} state", clusterName=name
            )
        if status != "DELETING":
            cluster.life.begin("DELETING", lambda: self._remove(cluster))
        return {"cluster": {**cluster.facts, "status": "DELETING"}}

    def cluster_facts(self, cluster: Cluster) -> Facts:
        return {**cluster.facts, "status": self.cluster_status(cluster)}

    def _poll(self, cluster: Cluster) -> None:
        cluster.life.poll()
        running = self.running_update(cluster, None)
        if running is not None:
            running.life.poll()

    def _check_create(self, request: Request) -> tuple[list[SubnetFacts], str]:
        name = request["name"]
        version = version_or_default(request.get("version"))
        config = request.get("kubernetesNetworkConfig", {})
        vpc = request["resourcesVpcConfig"]
        ipv6 = config.get("ipFamily", "ipv4") == "ipv6"
        check_tags(request.get("tags", {}))
        check_network_config(config, request, self.partition, [])
        subnets = check_subnets(self.network, vpc.get("subnetIds", []), name, ipv6)
        vpc_id = subnets[0].vpc_id
        check_network_config(config, request, self.partition, self.network.vpc_ipv4_blocks(vpc_id))
        check_groups(self.network, vpc.get("securityGroupIds", []), vpc_id, name)
        check_access_cidrs(vpc.get("publicAccessCidrs", []), name, ipv6)
        check_endpoint(vpc.get("endpointPublicAccess", True), vpc.get("endpointPrivateAccess", False), name)
        check_encryption(request.get("encryptionConfig", []), name)
        _check_auto_mode(request)
        check_role(self.iam, request["roleArn"], name)
        return subnets, version

    def _new_cluster(self, request: Request, subnets: list[SubnetFacts], version: str) -> Facts:
        name = request["name"]
        access = request.get("accessConfig", {})
        facts: Facts = {
            "name": name,
            "arn": self.make_arn(f"cluster/{name}"),
            "createdAt": now(),
            "version": version,
            "roleArn": request["roleArn"],
            "resourcesVpcConfig": _vpc_facts(request, subnets),
            "kubernetesNetworkConfig": _network_facts(request, subnets),
            "logging": logging_facts(request.get("logging")),
            "certificateAuthority": {},
            "platformVersion": SUPPORTED[version].platform,
            "tags": dict(request.get("tags", {})),
            "health": {"issues": []},
            # AWS never answers bootstrapClusterCreatorAdminPermissions (containers-roadmap#185).
            "accessConfig": {"authenticationMode": access.get("authenticationMode", "CONFIG_MAP")},
            "upgradePolicy": {"supportType": "EXTENDED", **request.get("upgradePolicy", {})},
            "deletionProtection": request.get("deletionProtection", False),
            "controlPlaneScalingConfig": {"tier": "standard"},
        }
        if request.get("encryptionConfig"):
            facts["encryptionConfig"] = request["encryptionConfig"]
        for member in (*_ECHOED, "computeConfig", "storageConfig", *_COMPONENTS):
            if member in request:
                facts[member] = request[member]
        return facts

    def _activate(self, cluster: Cluster, request: Request) -> str:
        """The poll that finds the cluster ACTIVE: now it has its addresses, its add-ons and its creator's access."""
        facts = cluster.facts
        config = facts["kubernetesNetworkConfig"]
        identity = mock_random.get_random_hex(32).upper()
        shard = mock_random.choice(_SHARDS)
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        if cluster.ipv6:
            digits = mock_random.get_random_hex(10)
            config["serviceIpv6Cidr"] = f"fd{digits[:2]}:{_group(digits[2:6])}:{_group(digits[6:])}::/108"
            facts["endpoint"] = f"https://{identity}.{shard}.eks-cluster.{self.region_name}.api.aws"
        else:
            facts["endpoint"] = f"https://{identity}.{shard}.{self.region_name}.eks.{suffix}"
        facts["identity"] = {"oidc": {"issuer": f"https://oidc.eks.{self.region_name}.{suffix}/id/{identity}"}}
        facts["certificateAuthority"] = {"data": certificates.authority_data()}
        if hooks.api_server is not None:
            served = hooks.api_server(self.account_id, self.region_name, {**facts, "status": "ACTIVE"})
            if served is not None:
                facts["endpoint"], facts["certificateAuthority"] = served[0], {"data": served[1]}
        if request.get("bootstrapSelfManagedAddons", True) and not facts.get("computeConfig", {}).get("enabled"):
            bootstrap_self_managed(self, cluster)
        bootstrap_creator(self, cluster)
        return "ACTIVE"

    def _remove(self, cluster: Cluster) -> str:
        self.network.delete_interfaces(cluster.interfaces)
        self.network.delete_group(cluster.facts["resourcesVpcConfig"]["clusterSecurityGroupId"])
        self.clusters.pop(cluster.name, None)
        if hooks.cluster_deleted is not None:
            hooks.cluster_deleted(self.account_id, self.region_name, cluster.name)
        return "DELETING"


def _vpc_facts(request: Request, subnets: list[SubnetFacts]) -> Facts:
    config = request["resourcesVpcConfig"]
    ipv6 = request.get("kubernetesNetworkConfig", {}).get("ipFamily") == "ipv6"
    public = config.get("endpointPublicAccess", True)
    everywhere = ["0.0.0.0/0", "::/0"] if ipv6 else ["0.0.0.0/0"]
    return {
        "subnetIds": list(config["subnetIds"]),
        "securityGroupIds": list(config.get("securityGroupIds", [])),
        "vpcId": subnets[0].vpc_id,
        "endpointPublicAccess": public,
        "endpointPrivateAccess": config.get("endpointPrivateAccess", False),
        "publicAccessCidrs": list(config.get("publicAccessCidrs") or (everywhere if public else [])),
        "controlPlaneEgressMode": config.get("controlPlaneEgressMode", "AWS_MANAGED"),
    }


def _network_facts(request: Request, subnets: list[SubnetFacts]) -> Facts:
    """The family at once; an IPv6 cluster's service range comes when it is ACTIVE."""
    config: dict[str, Any] = request.get("kubernetesNetworkConfig", {})
    facts: Facts = {
        "ipFamily": config.get("ipFamily", "ipv4"),
        "elasticLoadBalancing": config.get("elasticLoadBalancing", {"enabled": False}),
    }
    if facts["ipFamily"] == "ipv4":
        # EKS takes 10.100.0.0/16 unless the VPC is in 10.0.0.0/8 itself; which of the two is not documented (presumed).
        facts["serviceIpv4Cidr"] = config.get("serviceIpv4Cidr", "172.20.0.0/16")
    return facts


def _check_auto_mode(request: Request) -> None:
    """Compute, block storage and load balancing of Auto Mode are switched on together or not at all."""
    switches = {
        bool(request.get("computeConfig", {}).get("enabled")),
        bool(request.get("storageConfig", {}).get("blockStorage", {}).get("enabled")),
        bool(request.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing", {}).get("enabled")),
    }
    name = request["name"]
    if len(switches) > 1:
        raise InvalidParameter(
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
            "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
            clusterName=name,
        )
    if True in switches and request.get("bootstrapSelfManagedAddons", True):
        raise InvalidParameter(
            "bootstrapSelfManagedAddons must be false for an EKS Auto Mode cluster", clusterName=name
        )
    if True in switches and request.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP") == "CONFIG_MAP":
        raise InvalidParameter("EKS Auto Mode needs authentication mode API or API_AND_CONFIG_MAP", clusterName=name)


def _group(digits: str) -> str:
    """Four hex digits as an IPv6 group in canonical form, never zero."""
    return f"{int(digits, 16) or 1:x}"
