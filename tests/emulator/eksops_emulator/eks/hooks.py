# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Kubernetes API server plugs into this EKS. All hooks are optional and called in the caller's thread.

Every hook's first arguments are the account id and the region; `cluster` is what DescribeCluster answers.

- `api_server(account, region, cluster) -> (endpoint URL, CA as base64 over PEM) | None`: asked once, when a cluster
  becomes ACTIVE; what it returns is what DescribeCluster hands out instead of an address that nobody listens on.
- `cluster_deleted(account, region, name)`.
- `addon_changed(account, region, cluster, name, version | None, configuration: dict, managed: bool)`: an add-on now
  runs in this version, or no longer (None). `managed` is False for self-managed ones and those kept with `preserve`.
- `addon_conflicts(account, region, cluster, name) -> list[str]`: fields of the running add-on that somebody else has
  changed, as AWS words them ("DaemonSet.apps aws-node - .spec.template.spec.containers[name=...].env"). They make
  CreateAddon and UpdateAddon with `resolveConflicts: NONE` fail with ConfigurationConflict.
- `nodes_changed(account, region, cluster, nodegroup: dict, instance_ids: list[str], ready: bool)`: a node group's
  instances now are these.
- `nodes_joined(account, region, cluster, nodes: dict[str, Joined])`: the cluster's nodes that EKS does not manage, by
  instance id, now are these.
- `maps_nodes(account, region, name, role) -> bool`: whether the cluster's ConfigMap aws-auth lets the role's nodes in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .state import Joined

api_server: Callable[[str, str, dict[str, Any]], tuple[str, str] | None] | None = None
cluster_deleted: Callable[[str, str, str], None] | None = None
addon_changed: Callable[[str, str, dict[str, Any], str, str | None, dict[str, Any], bool], None] | None = None
addon_conflicts: Callable[[str, str, dict[str, Any], str], list[str]] | None = None
nodes_changed: Callable[[str, str, dict[str, Any], dict[str, Any], list[str], bool], None] | None = None
nodes_joined: Callable[[str, str, dict[str, Any], dict[str, Joined]], None] | None = None
maps_nodes: Callable[[str, str, str, str], bool] | None = None
