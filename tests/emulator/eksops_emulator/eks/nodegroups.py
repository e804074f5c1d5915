# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed node groups: create, describe, list, delete. Their updates are in nodegroup_updates.py."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import life, nodes
from .access_entries import drop_node_entry, ensure_node_entry
from .errors import ResourceInUse, ResourceNotFound
from .health import node_problem
from .life import Life
from .nodegroup_checks import (
    DEFAULT_AMI_TYPE,
    DEFAULT_INSTANCE_TYPE,
    Refusal,
    check_ami_type,
    check_instance_types,
    check_labels_and_taints,
    check_name,
    check_node_repair,
    check_role,
    check_scaling,
    check_subnets,
    check_template_use,
    check_update_config,
    check_versions,
    check_warm_pool,
    subnet_issue,
)
from .state import Cluster, Facts, Nodegroup, Request, State, check_tags, now, page, uuid

DEFAULT_SCALING = {"minSize": 1, "maxSize": 2, "desiredSize": 2}


class Nodegroups(State):
    """CreateNodegroup, DescribeNodegroup, ListNodegroups, DeleteNodegroup."""

    def create_nodegroup(self, request: Request) -> Facts:
        name = request["nodegroupName"]
        cluster = self.cluster(request["clusterName"])
        refuse = Refusal(cluster.name, name)
        if name in cluster.nodegroups:
            raise ResourceInUse(
                f"NodeGroup already exists with name {name} and cluster name {cluster.name}",
                clusterName=cluster.name,
                nodegroupName=name,
            )
        self.active_cluster(cluster.name, during_update=False)
        check_name(name, refuse)
        check_tags(request.get("tags", {}))
        template, data = self._template(request, refuse)
        facts = self._new_nodegroup(cluster, request, data, refuse)
        if template is not None:
            facts["launchTemplate"] = {"id": template.id, "name": template.name, "version": str(data.pop("_version"))}
        group = Nodegroup(facts, Life(life.NODEGROUP, "CREATING"))
        group.life.begin("CREATING", partial(self._nodegroup_created, cluster, group, data))
        cluster.nodegroups[name] = group
        ensure_node_entry(self, cluster, facts["nodeRole"], _entry_type(facts["amiType"]))
        return {"nodegroup": group.describe()}

    def describe_nodegroup(self, request: Request) -> Facts:
        cluster, group = self.nodegroup(request)
        group.life.poll()
        running = self.running_update(cluster, ("nodegroup", request["nodegroupName"]))
        if running is not None:
            running.life.poll()
        cluster, group = self.nodegroup(request)
        return {"nodegroup": self.nodegroup_facts(cluster, group)}

    def list_nodegroups(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        for group in list(cluster.nodegroups.values()):
            if group.life.state == "DELETING":
                group.life.poll()
        names, more = page(sorted(cluster.nodegroups), request)
        return {"nodegroups": names, **more}

    def delete_nodegroup(self, request: Request) -> Facts:
        cluster, group = self.nodegroup(request)
        status = self.nodegroup_facts(cluster, group)["status"]
        if status in ("CREATING", "UPDATING"):
            raise ResourceInUse(
                f"Nodegroup {request['nodegroupName']} cannot be deleted as it is currently in {status} state",
                clusterName=cluster.name,
                nodegroupName=request["nodegroupName"],
            )
        if status != "DELETING":
            group.life.begin("DELETING", partial(self._nodegroup_deleted, cluster, group))
        return {"nodegroup": group.describe()}

    def nodegroup(self, request: Request) -> tuple[Cluster, Nodegroup]:
        cluster = self.cluster(request["clusterName"])
        name = request["nodegroupName"]
        if name not in cluster.nodegroups:
            raise ResourceNotFound(
                f"No node group found for name: {name}.", clusterName=cluster.name, nodegroupName=name
            )
        return cluster, cluster.nodegroups[name]

    def nodegroup_facts(self, cluster: Cluster, group: Nodegroup) -> Facts:
        facts = group.describe()
        if facts["status"] in ("ACTIVE", "DEGRADED") and self.running_update(
            cluster, ("nodegroup", facts["nodegroupName"])
        ):
            facts["status"] = "UPDATING"
        return facts

    def _template(self, request: Request, refuse: Refusal) -> tuple[Any, Facts]:
        """The client's launch template and its data, with the version's number under `_version`."""
        if "launchTemplate" not in request:
            return None, {}
        template, version = nodes.launch_template(self, request["launchTemplate"], refuse)
        data = nodes.plain(version.data)
        check_template_use(request, data, refuse)
        return template, {**data, "_version": version.number}

    def _new_nodegroup(self, cluster: Cluster, request: Request, data: Facts, refuse: Refusal) -> Facts:
        name = request["nodegroupName"]
        ami_type = "CUSTOM" if data.get("ImageId") else request.get("amiType", DEFAULT_AMI_TYPE)
        types = request.get("instanceTypes") or ([] if data.get("InstanceType") else [DEFAULT_INSTANCE_TYPE])
        scaling = request.get("scalingConfig", DEFAULT_SCALING)
        if set(scaling) != set(DEFAULT_SCALING):
            raise refuse.parameter("scalingConfig needs all of minSize, maxSize and desiredSize")
        version, release = check_versions(cluster, request, ami_type, refuse)
        check_ami_type(cluster, ami_type, version, refuse)
        check_instance_types(cluster, types or [data["InstanceType"]], ami_type, refuse)
        check_scaling(scaling, refuse)
        check_labels_and_taints(request.get("labels", {}), request.get("taints", []), refuse)
        check_update_config(request.get("updateConfig", {}), refuse)
        check_node_repair(request.get("nodeRepairConfig", {}), refuse)
        check_warm_pool(request.get("warmPoolConfig", {}), ami_type, refuse)
        check_subnets(self, cluster, request["subnets"], refuse)
        check_role(self, request["nodeRole"], refuse)
        facts: Facts = {
            "nodegroupName": name,
            "nodegroupArn": self.make_arn(f"nodegroup/{cluster.name}/{name}/{uuid()}"),
            "clusterName": cluster.name,
            "version": version,
            "releaseVersion": release or data.get("ImageId", ""),
            "createdAt": now(),
            "modifiedAt": now(),
            "capacityType": request.get("capacityType", "ON_DEMAND"),
            "scalingConfig": dict(scaling),
            "subnets": list(request["subnets"]),
            "amiType": ami_type,
            "nodeRole": request["nodeRole"],
            "labels": dict(request.get("labels", {})),
            "health": {"issues": []},
            "updateConfig": {**({} if _limits(request) else {"maxUnavailable": 1}), **request.get("updateConfig", {})},
            "tags": dict(request.get("tags", {})),
        }
        if types:
            facts["instanceTypes"] = list(types)
        if "launchTemplate" not in request:
            facts["diskSize"] = request.get("diskSize", 20)
        for member in ("taints", "remoteAccess", "nodeRepairConfig", "warmPoolConfig"):
            if member in request:
                facts[member] = request[member]
        return facts

    def _nodegroup_created(self, cluster: Cluster, group: Nodegroup, data: Facts) -> str:
        """The end of CREATING. Bad subnets stop it before anything is launched (the moment is presumed)."""
        facts = group.facts
        subnets = [subnet for subnet in map(self.network.subnet, facts["subnets"]) if subnet is not None]
        issue = subnet_issue(self, cluster, facts["nodegroupName"], subnets, data)
        if issue is not None:
            facts["health"] = {"issues": [issue]}
            return "CREATE_FAILED"
        nodes.launch(self, cluster, group, data)
        problem = node_problem(self, cluster, facts["nodeRole"]) if facts["scalingConfig"]["desiredSize"] else None
        if problem is not None:
            code, message = problem
            instances = nodes.instance_ids(self, group)
            facts["health"] = {"issues": [{"code": code, "message": message, "resourceIds": instances}]}
            nodes.tell_nodes(self, cluster, group)
            return "CREATE_FAILED"
        group.ready = int(facts["scalingConfig"]["desiredSize"])
        nodes.tell_nodes(self, cluster, group)
        return "ACTIVE"

    def _nodegroup_deleted(self, cluster: Cluster, group: Nodegroup) -> str:
        nodes.terminate(self, group)
        cluster.nodegroups.pop(group.facts["nodegroupName"], None)
        group.ready = 0
        nodes.tell_nodes(self, cluster, group)
        drop_node_entry(cluster, group.facts["nodeRole"])
        return "DELETING"


def _limits(request: Request) -> bool:
    config = request.get("updateConfig", {})
    return "maxUnavailable" in config or "maxUnavailablePercentage" in config


def _entry_type(ami_type: str) -> str:
    return "EC2_WINDOWS" if ami_type.startswith("WINDOWS_") else "EC2_LINUX"
