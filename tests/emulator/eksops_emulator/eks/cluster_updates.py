# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a cluster: UpdateClusterConfig, UpdateClusterVersion, AssociateEncryptionConfig.

One kind of change per UpdateClusterConfig call; a change to what is there already is refused, as AWS does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from .access_entries import bootstrap_creator, ensure_node_entry
from .catalogue import minor_of
from .cluster_checks import (
    check_access_cidrs,
    check_encryption,
    check_endpoint,
    check_groups,
    check_subnets,
    enabled_logs,
    logging_facts,
)
from .errors import InvalidParameter, InvalidRequest, ResourceInUse
from .state import Cluster, Facts, Request, State
from .versions import SUPPORTED

Change = tuple[str, list[tuple[str, Any]], Callable[[], Any]]

_ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
_AUTO_MODE = ("computeConfig", "storageConfig", "kubernetesNetworkConfig")
_COMPONENTS = ("kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig")
# Members whose value replaces the cluster's as it stands: member -> (update type, update parameter).
_PLAIN = {
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", "ZonalShiftConfig"),
    "remoteNetworkConfig": ("RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
    "deletionProtection": ("DeletionProtectionUpdate", "DeletionProtection"),
}
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")


class ClusterUpdates(State):
    """The operations that answer with an update of the cluster."""

    def update_cluster_config(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        kinds = _categories(request)
        if len(kinds) > 1:
            raise InvalidParameter("Only one type of update can be allowed", clusterName=cluster.name)
        if not kinds:
            raise InvalidParameter("No update has been specified for the cluster", clusterName=cluster.name)
        kind, params, apply = self._change(cluster, kinds.pop(), request)
        return self._start(cluster, kind, params, apply)

    def update_cluster_version(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        wanted, current = request["version"], cluster.version
        timeout = request.get("rollbackConfig", {}).get("timeoutMinutes", 720)
        if not 120 <= timeout <= 10080:
            raise InvalidParameter("timeoutMinutes must be between 120 and 10080", clusterName=cluster.name)
        if wanted not in SUPPORTED:
            raise InvalidParameter("unsupported Kubernetes version", clusterName=cluster.name)
        if wanted == current:
            raise InvalidParameter(f"Cluster is already at the desired version {wanted}", clusterName=cluster.name)
        step = minor_of(wanted) - minor_of(current)
        # One minor up, or one minor back to where an upgrade came from (the model's VersionRollback).
        if step != 1 and not (step == -1 and _came_from(cluster, wanted)):
            raise InvalidParameter(
                f"Unsupported Kubernetes minor version update from {current} to {wanted}", clusterName=cluster.name
            )
        lagging = sorted(name for name, group in cluster.nodegroups.items() if group.facts["version"] != current)
        if lagging and step > 0 and not request.get("force"):
            raise InvalidRequest(
                f"Nodegroups {', '.join(lagging)} must be updated to match cluster version {current} before updating "
                "cluster version",
                clusterName=cluster.name,
            )
        kind = "VersionUpdate" if step > 0 else "VersionRollback"
        params = [("Version", wanted), ("PlatformVersion", SUPPORTED[wanted].platform)]
        return self._start(cluster, kind, params, partial(_set_version, cluster, wanted))

    def associate_encryption_config(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        config = request["encryptionConfig"]
        check_encryption(config, cluster.name)
        if cluster.facts.get("encryptionConfig"):
            raise InvalidParameter("Encryption is already enabled for the cluster", clusterName=cluster.name)
        params = [("EncryptionConfig", json.dumps(config))]
        return self._start(
            cluster, "AssociateEncryptionConfig", params, partial(cluster.facts.update, {"encryptionConfig": config})
        )

    def _start(self, cluster: Cluster, kind: str, params: list[tuple[str, Any]], apply: Callable[[], Any]) -> Facts:
        self.refuse_second_update(cluster, kind)
        status = self.cluster_status(cluster)
        if status != "ACTIVE":
            raise ResourceInUse(
                f"Cannot {kind} because cluster {cluster.name} currently is in {status} state", clusterName=cluster.name
            )

        def finish() -> list[Facts]:
            apply()
            return []

        update = self.begin_update(cluster, None, kind, params, finish)
        return {"update": update.describe()}

    def _change(self, cluster: Cluster, category: str, request: Request) -> Change:
        if category == "endpoint":
            return self._endpoint(cluster, request["resourcesVpcConfig"])
        if category == "vpc":
            return self._vpc(cluster, request["resourcesVpcConfig"])
        if category == "egress":
            return self._egress(cluster, request["resourcesVpcConfig"]["controlPlaneEgressMode"])
        if category == "autoMode":
            return self._auto_mode(cluster, request)
        if category == "components":
            return self._components(cluster, request)
        handlers: dict[str, Callable[[Cluster, Any], Change]] = {
            "logging": self._logging,
            "accessConfig": self._access,
            "upgradePolicy": self._upgrade_policy,
            "controlPlaneScalingConfig": self._scaling,
        }
        if category in handlers:
            return handlers[category](cluster, request[category])
        return self._plain(cluster, category, request[category])

    def _endpoint(self, cluster: Cluster, wanted: Facts) -> Change:
        config = cluster.facts["resourcesVpcConfig"]
        after = {**config, **{member: wanted[member] for member in _ENDPOINT if member in wanted}}
        check_endpoint(after["endpointPublicAccess"], after["endpointPrivateAccess"], cluster.name)
        check_access_cidrs(after["publicAccessCidrs"], cluster.name, cluster.ipv6)
        if after["endpointPublicAccess"] and not after["publicAccessCidrs"]:
            after["publicAccessCidrs"] = ["0.0.0.0/0", "::/0"] if cluster.ipv6 else ["0.0.0.0/0"]
        if all(sorted_if_list(after[member]) == sorted_if_list(config[member]) for member in _ENDPOINT):
            private, public = (
                str(config[member]).lower() for member in ("endpointPrivateAccess", "endpointPublicAccess")
            )
            raise InvalidParameter(
                f"Cluster is already at the desired configuration with endpointPrivateAccess: {private} , "
                f"endpointPublicAccess: {public}, and Public Endpoint Restrictions: "
                f"[{', '.join(config['publicAccessCidrs'])}]",
                clusterName=cluster.name,
            )
        params = [
            ("EndpointPublicAccess", str(after["endpointPublicAccess"]).lower()),
            ("EndpointPrivateAccess", str(after["endpointPrivateAccess"]).lower()),
            ("PublicAccessCidrs", json.dumps(after["publicAccessCidrs"])),
        ]
        return "EndpointAccessUpdate", params, partial(config.update, {member: after[member] for member in _ENDPOINT})

    def _vpc(self, cluster: Cluster, wanted: Facts) -> Change:
        config = cluster.facts["resourcesVpcConfig"]
        subnet_ids = wanted.get("subnetIds", config["subnetIds"])
        group_ids = wanted.get("securityGroupIds", config["securityGroupIds"])
        subnets = check_subnets(self.network, subnet_ids, cluster.name, cluster.ipv6)
        if subnets[0].vpc_id != config["vpcId"]:
            raise InvalidParameter("Subnets must be in the VPC the cluster was created with", clusterName=cluster.name)
        check_groups(self.network, group_ids, config["vpcId"], cluster.name)
        if set(subnet_ids) == set(config["subnetIds"]) and set(group_ids) == set(config["securityGroupIds"]):
            raise InvalidParameter(
                f"Cluster is already at the desired configuration with subnetIds: [{', '.join(config['subnetIds'])}] "
                f"and securityGroupIds: [{', '.join(config['securityGroupIds'])}]",
                clusterName=cluster.name,
            )

        def apply() -> None:
            config.update(subnetIds=list(subnet_ids), securityGroupIds=list(group_ids))
            self.network.delete_interfaces(cluster.interfaces)
            cluster.interfaces = self.network.create_control_plane_interfaces(
                cluster.name, subnets, [*group_ids, config["clusterSecurityGroupId"]]
            )

        params = [("Subnets", json.dumps(list(subnet_ids))), ("SecurityGroups", json.dumps(list(group_ids)))]
        return "VpcConfigUpdate", params, apply

    def _egress(self, cluster: Cluster, mode: str) -> Change:
        config = cluster.facts["resourcesVpcConfig"]
        if mode == config["controlPlaneEgressMode"]:
            raise _no_change(cluster, "controlPlaneEgressMode")
        if mode == "AWS_MANAGED":
            raise InvalidParameter(
                "controlPlaneEgressMode cannot be changed back to AWS_MANAGED", clusterName=cluster.name
            )
        apply = partial(config.update, {"controlPlaneEgressMode": mode})
        return "ControlPlaneEgressUpdate", [], apply

    def _logging(self, cluster: Cluster, wanted: Facts) -> Change:
        before = enabled_logs(cluster.facts["logging"])
        after = logging_facts(wanted, before)
        if enabled_logs(after) == before:
            raise InvalidParameter("No changes needed for the logging config provided", clusterName=cluster.name)
        params = [("ClusterLogging", json.dumps(after))]
        return "LoggingUpdate", params, partial(cluster.facts.update, {"logging": after})

    def _access(self, cluster: Cluster, wanted: Facts) -> Change:
        config = cluster.facts["accessConfig"]
        mode, before = wanted.get("authenticationMode"), config["authenticationMode"]
        if mode is None or mode == before:
            raise _no_change(cluster, "accessConfig")
        if _MODES.index(mode) < _MODES.index(before):
            raise InvalidParameter(
                f"Unsupported authentication mode update from {before} to {mode}", clusterName=cluster.name
            )

        def apply() -> None:
            config["authenticationMode"] = mode
            bootstrap_creator(self, cluster)
            for group in cluster.nodegroups.values():
                ensure_node_entry(self, cluster, group.facts["nodeRole"], "EC2_LINUX")
            for profile in cluster.fargate_profiles.values():
                ensure_node_entry(self, cluster, profile.facts["podExecutionRoleArn"], "FARGATE_LINUX")

        return "AccessConfigUpdate", [("AuthenticationMode", mode)], apply

    def _upgrade_policy(self, cluster: Cluster, wanted: Facts) -> Change:
        support, before = wanted.get("supportType"), cluster.facts["upgradePolicy"]["supportType"]
        if support is None or support == before:
            raise _no_change(cluster, "upgradePolicy")
        if SUPPORTED[cluster.version].status == "EXTENDED":
            raise InvalidParameter(
                "Extended support can't be disabled for a cluster that is in extended support", clusterName=cluster.name
            )
        apply = partial(cluster.facts["upgradePolicy"].update, {"supportType": support})
        return "UpgradePolicyUpdate", [("UpgradePolicy", json.dumps(wanted))], apply

    def _scaling(self, cluster: Cluster, wanted: Facts) -> Change:
        before = cluster.facts["controlPlaneScalingConfig"]
        if wanted == before:
            raise _no_change(cluster, "controlPlaneScalingConfig")
        params = [("UpdatedTier", wanted.get("tier")), ("PreviousTier", before["tier"])]
        apply = partial(cluster.facts.update, {"controlPlaneScalingConfig": dict(wanted)})
        return "ControlPlaneScalingConfigUpdate", params, apply

    def _plain(self, cluster: Cluster, member: str, wanted: Any) -> Change:
        if member == "remoteNetworkConfig" and cluster.ipv6:
            raise InvalidParameter("remoteNetworkConfig is not supported with ipFamily ipv6", clusterName=cluster.name)
        if cluster.facts.get(member) == wanted:
            raise _no_change(cluster, member)
        kind, param = _PLAIN[member]
        value = str(wanted).lower() if isinstance(wanted, bool) else json.dumps(wanted)
        return kind, [(param, value)], partial(cluster.facts.update, {member: wanted})

    def _auto_mode(self, cluster: Cluster, request: Request) -> Change:
        network = request.get("kubernetesNetworkConfig", {})
        if "ipFamily" in network or "serviceIpv4Cidr" in network:
            raise InvalidParameter(
                "ipFamily and serviceIpv4Cidr can only be specified when the cluster is created",
                clusterName=cluster.name,
            )
        switches = {
            request.get("computeConfig", {}).get("enabled"),
            request.get("storageConfig", {}).get("blockStorage", {}).get("enabled"),
            network.get("elasticLoadBalancing", {}).get("enabled"),
        }
        if len(switches) > 1:
            raise InvalidParameter(
                "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
                "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
                clusterName=cluster.name,
            )

        def apply() -> None:
            cluster.facts["computeConfig"] = request["computeConfig"]
            cluster.facts["storageConfig"] = request["storageConfig"]
            cluster.facts["kubernetesNetworkConfig"]["elasticLoadBalancing"] = network["elasticLoadBalancing"]

        params = [(member[0].upper() + member[1:], json.dumps(request[member])) for member in _AUTO_MODE]
        return "AutoModeUpdate", params, apply

    def _components(self, cluster: Cluster, request: Request) -> Change:
        wanted = {member: request[member] for member in _COMPONENTS if member in request}
        if all(cluster.facts.get(member) == value for member, value in wanted.items()):
            raise _no_change(cluster, ", ".join(wanted))
        return "ControlPlaneComponentConfigUpdate", [], partial(cluster.facts.update, wanted)


def sorted_if_list(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _categories(request: Request) -> set[str]:
    """The kinds of change in one request; EKS takes exactly one."""
    vpc = request.get("resourcesVpcConfig", {})
    kinds = {"endpoint" for member in _ENDPOINT if member in vpc}
    kinds |= {"vpc" for member in ("subnetIds", "securityGroupIds") if member in vpc}
    if "controlPlaneEgressMode" in vpc:
        kinds.add("egress")
    kinds |= {"autoMode" for member in _AUTO_MODE if member in request}
    kinds |= {"components" for member in _COMPONENTS if member in request}
    others = ("logging", "accessConfig", "upgradePolicy", "controlPlaneScalingConfig", *_PLAIN)
    return kinds | {member for member in others if member in request}


def _no_change(cluster: Cluster, what: str) -> InvalidParameter:
    return InvalidParameter(f"No changes needed for the {what} provided", clusterName=cluster.name)


def _came_from(cluster: Cluster, version: str) -> bool:
    """Whether the cluster's last successful version update started from this version."""
    done = [update for update in cluster.updates if update.facts["type"] == "VersionUpdate"]
    return bool(done) and minor_of(str(done[-1].facts["params"][0]["value"])) - 1 == minor_of(version)


def _set_version(cluster: Cluster, version: str) -> None:
    cluster.facts["version"] = version
    cluster.facts["platformVersion"] = SUPPORTED[version].platform
