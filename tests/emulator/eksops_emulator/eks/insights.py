# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cluster insights: a few checks that EKS makes, computed from what the emulator knows."""

from __future__ import annotations

import uuid

from . import life
from .catalogue import ADDONS, minor_of
from .errors import InvalidRequest, ResourceNotFound
from .life import Life
from .state import Cluster, Facts, Request, Resource, State, now, page
from .versions import SUPPORTED


class Insights(State):
    """ListInsights, DescribeInsight, StartInsightsRefresh, DescribeInsightsRefresh."""

    def list_insights(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        wanted = request.get("filter", {})
        found = [
            _summary(insight)
            for insight in _insights(cluster)
            if insight["category"] in (wanted.get("categories") or [insight["category"]])
            and insight["insightStatus"]["status"] in (wanted.get("statuses") or [insight["insightStatus"]["status"]])
            and insight["kubernetesVersion"] in (wanted.get("kubernetesVersions") or [insight["kubernetesVersion"]])
        ]
        insights, more = page(found, request)
        return {"insights": insights, **more}

    def describe_insight(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        for insight in _insights(cluster):
            if insight["id"] == request["id"]:
                return {"insight": insight}
        raise ResourceNotFound(f"No insight found for id: {request['id']}", clusterName=cluster.name)

    def start_insights_refresh(self, request: Request) -> Facts:
        cluster = self.active_cluster(request["clusterName"])
        if cluster.insights_refresh is not None and cluster.insights_refresh.life.busy:
            raise InvalidRequest("An insights refresh is already in progress", clusterName=cluster.name)
        facts: Facts = {"message": "Insights refresh is in progress", "startedAt": now()}
        refresh = Resource(facts, Life(life.UPDATE, "IN_PROGRESS"))

        def finish() -> str:
            facts.update(message="Insights refresh completed", endedAt=now())
            return "COMPLETED"

        refresh.life.begin("IN_PROGRESS", finish)
        cluster.insights_refresh = refresh
        return {"message": facts["message"], "status": "IN_PROGRESS"}

    def describe_insights_refresh(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        if cluster.insights_refresh is None:
            raise ResourceNotFound("No insights refresh found", clusterName=cluster.name)
        cluster.insights_refresh.life.poll()
        return cluster.insights_refresh.describe()


def _insights(cluster: Cluster) -> list[Facts]:
    current = minor_of(cluster.version)
    upcoming = f"1.{current + 1}"
    behind = sorted(
        name for name, group in cluster.nodegroups.items() if minor_of(group.facts["version"]) < current - 2
    )
    incompatible = sorted(
        name
        for name, addon in cluster.addons.items()
        if upcoming in SUPPORTED and addon.facts["addonVersion"] not in ADDONS[name].versions(upcoming)
    )
    unhealthy = sorted(name for name, addon in cluster.addons.items() if addon.facts["health"]["issues"])
    return [
        _insight(cluster, "Kubelet version skew", "UPGRADE_READINESS", upcoming, behind),
        _insight(cluster, "EKS add-on version compatibility", "UPGRADE_READINESS", upcoming, incompatible),
        _insight(cluster, "Cluster health issues", "UPGRADE_READINESS", upcoming, []),
        _insight(cluster, "EKS add-on health", "MISCONFIGURATION", cluster.version, unhealthy),
    ]


def _insight(cluster: Cluster, name: str, category: str, version: str, concerned: list[str]) -> Facts:
    created = cluster.facts["createdAt"]
    status = "ERROR" if concerned else "PASSING"
    reason = f"Concerned: {', '.join(concerned)}." if concerned else "No issue was found."
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{cluster.facts['arn']}/{category}/{name}")),
        "name": name,
        "category": category,
        "kubernetesVersion": version,
        "lastRefreshTime": created,
        "lastTransitionTime": created,
        "description": f"Checks: {name.lower()}.",
        "insightStatus": {"status": status, "reason": reason},
        "recommendation": "Update what is named before the cluster." if concerned else "",
        "additionalInfo": {},
        "resources": [],
        "categorySpecificSummary": {"deprecationDetails": [], "addonCompatibilityDetails": []},
    }


def _summary(insight: Facts) -> Facts:
    left_out = ("recommendation", "additionalInfo", "resources", "categorySpecificSummary")
    return {key: value for key, value in insight.items() if key not in left_out}
