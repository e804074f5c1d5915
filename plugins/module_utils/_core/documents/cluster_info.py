# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about clusters, with the nodes that they have where that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..eks import cluster, cluster_nodes
from ..eks.cluster_nodes import Nodes
from ..plan import Outcome
from ..session import Session


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_cluster_info)."""
    outcome = cluster.build_info(params, session)
    if not params["include_nodes"]:
        return outcome
    clusters: list[Mapping[str, Any]] = list(outcome.facts["clusters"])
    reads = {found["name"]: partial(cluster_nodes.observe, session, found["name"]) for found in clusters}
    nodes = session.together(**reads)
    told = [{**found, "nodes": node_facts(nodes[found["name"]])} for found in clusters]
    return Outcome(outcome.plan, {"clusters": told})


def node_facts(nodes: Nodes) -> list[dict[str, Any]]:
    """Where a cluster's nodes come from, as facts."""
    return [
        {"source": source.kind, "name": source.name, "count": source.count, "role_arns": list(source.roles)}
        for source in nodes.sources
    ]
