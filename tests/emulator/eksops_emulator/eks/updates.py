# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates: what DescribeUpdate, ListUpdates and CancelUpdate see of work under way."""

from __future__ import annotations

from .errors import InvalidParameter, InvalidState, ResourceNotFound
from .state import Cluster, Facts, Request, State, Update, page


class Updates(State):
    """DescribeUpdate, ListUpdates, CancelUpdate."""

    def describe_update(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        update = _find(cluster, request)
        update.life.poll()
        return {"update": update.describe()}

    def list_updates(self, request: Request) -> Facts:
        cluster = self.cluster(request["name"])
        target = _target(cluster, request)
        ids, more = page([update.id for update in cluster.updates if update.target == target], request)
        return {"updateIds": ids, **more}

    def cancel_update(self, request: Request) -> Facts:
        """Only a version rollback under way can be cancelled (botocore's model names no other; presumed texts)."""
        cluster = self.cluster(request["name"])
        update = next((item for item in cluster.updates if item.id == request["updateId"]), None)
        if update is None:
            raise ResourceNotFound(f"No update found for ID: {request['updateId']}", clusterName=cluster.name)
        if not update.life.busy or update.facts["type"] != "VersionRollback":
            raise InvalidState(f"Update {update.id} can not be cancelled", clusterName=cluster.name)
        update.life.set("Cancelled")
        update.facts["cancellation"] = {"status": "Successful", "reason": "Cancelled by the customer"}
        return {"update": update.describe()}


def _find(cluster: Cluster, request: Request) -> Update:
    target = _target(cluster, request)
    for update in cluster.updates:
        if update.id == request["updateId"] and update.target == target:
            return update
    raise ResourceNotFound(f"No update found for ID: {request['updateId']}", clusterName=cluster.name)


def _target(cluster: Cluster, request: Request) -> tuple[str, str] | None:
    """What the update belongs to. A node group's or add-on's update is not found without naming it."""
    named = [
        (kind, request[member])
        for kind, member in (("nodegroup", "nodegroupName"), ("addon", "addonName"), ("capability", "capabilityName"))
        if request.get(member)
    ]
    if len(named) > 1:
        raise InvalidParameter("Only one of nodegroupName, addonName and capabilityName can be given")
    if not named:
        return None
    kind, name = named[0]
    if kind == "nodegroup" and name not in cluster.nodegroups:
        raise ResourceNotFound(f"No node group found for name: {name}.", clusterName=cluster.name, nodegroupName=name)
    if kind == "addon" and name not in cluster.addons:
        raise ResourceNotFound(
            f"No addon: {name} found in cluster: {cluster.name}", clusterName=cluster.name, addonName=name
        )
    return kind, name
