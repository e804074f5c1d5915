# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fargate profiles: immutable, in private subnets, made and deleted one at a time."""

from __future__ import annotations

from . import life
from .access_entries import drop_node_entry, ensure_node_entry
from .cluster_checks import UNSUPPORTED_ZONE_IDS
from .errors import InvalidParameter, ResourceInUse, ResourceNotFound, UnsupportedAvailabilityZone
from .life import Life
from .state import Cluster, Facts, Request, Resource, State, check_tags, now, page, uuid

POD_EXECUTION_SERVICE = "eks-fargate-pods.amazonaws.com"


class FargateProfiles(State):
    """Create, Describe, List and DeleteFargateProfile."""

    def create_fargate_profile(self, request: Request) -> Facts:
        name = request["fargateProfileName"]
        cluster = self.active_cluster(request["clusterName"])
        check_tags(request.get("tags", {}))
        if name in cluster.fargate_profiles:
            raise ResourceInUse(
                "A Fargate Profile already exists with this name in this cluster.", clusterName=cluster.name
            )
        busy = next((item for item in cluster.fargate_profiles.values() if item.life.busy), None)
        if busy is not None:
            raise _busy("create", name, cluster, busy)
        self._check_execution_role(cluster, request)
        _check_selectors(cluster, request)
        subnets = request.get("subnets") or self._private_subnets(cluster)
        self._check_profile_subnets(cluster, subnets, name)
        facts: Facts = {
            "fargateProfileName": name,
            "fargateProfileArn": self.make_arn(f"fargateprofile/{cluster.name}/{name}/{uuid()}"),
            "clusterName": cluster.name,
            "createdAt": now(),
            "podExecutionRoleArn": request["podExecutionRoleArn"],
            "subnets": list(subnets),
            "selectors": [{"labels": {}, **selector} for selector in request["selectors"]],
            "tags": dict(request.get("tags", {})),
            "health": {"issues": []},
        }
        profile = Resource(facts, Life(life.FARGATE_PROFILE, "CREATING"))
        profile.life.begin("CREATING", lambda: "ACTIVE")
        cluster.fargate_profiles[name] = profile
        ensure_node_entry(self, cluster, request["podExecutionRoleArn"], "FARGATE_LINUX")
        return {"fargateProfile": profile.describe()}

    def describe_fargate_profile(self, request: Request) -> Facts:
        _unused, profile = self._profile(request)
        profile.life.poll()
        _unused, profile = self._profile(request)
        return {"fargateProfile": profile.describe()}

    def list_fargate_profiles(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        for profile in list(cluster.fargate_profiles.values()):
            if profile.life.state == "DELETING":
                profile.life.poll()
        names, more = page(sorted(cluster.fargate_profiles), request)
        return {"fargateProfileNames": names, **more}

    def delete_fargate_profile(self, request: Request) -> Facts:
        cluster, profile = self._profile(request)
        name = request["fargateProfileName"]
        other = next(
            (
                item
                for item in cluster.fargate_profiles.values()
                if item.life.state == "DELETING" and item is not profile
            ),
            None,
        )
        if other is not None or profile.life.state == "CREATING":
            raise _busy("delete", name, cluster, other or profile)
        if profile.life.state != "DELETING":
            profile.life.begin("DELETING", lambda: self._profile_deleted(cluster, name))
        return {"fargateProfile": profile.describe()}

    def _profile_deleted(self, cluster: Cluster, name: str) -> str:
        profile = cluster.fargate_profiles.pop(name)
        drop_node_entry(cluster, profile.facts["podExecutionRoleArn"])
        return "DELETING"

    def _profile(self, request: Request) -> tuple[Cluster, Resource]:
        cluster = self.cluster(request["clusterName"])
        name = request["fargateProfileName"]
        if name not in cluster.fargate_profiles:
            raise ResourceNotFound(
                f"No Fargate Profile found with name: {name}.", clusterName=cluster.name, fargateProfileName=name
            )
        return cluster, cluster.fargate_profiles[name]

    def _check_execution_role(self, cluster: Cluster, request: Request) -> None:
        role = request["podExecutionRoleArn"]
        if not self.iam.trusts_service(role, POD_EXECUTION_SERVICE):
            raise InvalidParameter(
                "Misconfigured PodExecutionRole Trust Policy; "
                f"Please add the {POD_EXECUTION_SERVICE} Service Principal",
                clusterName=cluster.name,
                fargateProfileName=request["fargateProfileName"],
            )

    def _private_subnets(self, cluster: Cluster) -> list[str]:
        config = cluster.facts["resourcesVpcConfig"]
        return [item for item in config["subnetIds"] if not self.network.default_routes(item, config["vpcId"])]

    def _check_profile_subnets(self, cluster: Cluster, subnet_ids: list[str], name: str) -> None:
        """Known, of the cluster's VPC, private, in a supported zone. A ::/0 route to an internet gateway makes a
        subnet public too (presumed)."""
        members: dict[str, str | list[str]] = {"clusterName": cluster.name, "fargateProfileName": name}
        vpc_id = cluster.facts["resourcesVpcConfig"]["vpcId"]
        if not subnet_ids:
            raise InvalidParameter("No private subnets found in the cluster's subnets", **members)
        for subnet_id in subnet_ids:
            subnet = self.network.subnet(subnet_id)
            if subnet is None or subnet.vpc_id != vpc_id:
                raise InvalidParameter(f"Subnet {subnet_id} does not exist in the VPC of the cluster", **members)
            if self.network.default_routes(subnet_id, vpc_id):
                raise InvalidParameter(
                    f"Subnet {subnet_id} provided in Fargate Profile is not a private subnet", **members
                )
            if cluster.ipv6 and not subnet.has_ipv6:
                raise InvalidParameter(f"Subnet {subnet_id} does not have an IPv6 CIDR block", **members)
            if subnet.zone_id in UNSUPPORTED_ZONE_IDS:
                raise UnsupportedAvailabilityZone(
                    f"Fargate is not available in {subnet.zone}", clusterName=cluster.name, validZones=[]
                )


def _busy(verb: str, name: str, cluster: Cluster, other: Resource) -> ResourceInUse:
    """Profiles are made and deleted one at a time in a cluster."""
    return ResourceInUse(
        f"Cannot {verb} Fargate Profile {name} because cluster {cluster.name} currently has Fargate profile "
        f"{other.facts['fargateProfileName']} in status {other.life.state}",
        clusterName=cluster.name,
    )


def _check_selectors(cluster: Cluster, request: Request) -> None:
    """One to five selectors, each with a namespace and at most five labels (texts as moto took them from the API)."""
    selectors = request.get("selectors", [])
    members: dict[str, str | list[str]] = {
        "clusterName": cluster.name,
        "fargateProfileName": request["fargateProfileName"],
    }
    if not selectors:
        raise InvalidParameter("Fargate Profile requires at least one selector.", **members)
    if len(selectors) > 5:
        raise InvalidParameter("Request contains more than 5 selectors", **members)
    for selector in selectors:
        if not selector.get("namespace"):
            raise InvalidParameter(
                "Fargate Profile must have at least one selector with at least one namespace value.", **members
            )
        if len(selector.get("labels", {})) > 5:
            raise InvalidParameter("Request contains Selector with more than 5 Label pairs", **members)
