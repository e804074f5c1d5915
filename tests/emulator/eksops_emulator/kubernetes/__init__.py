# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API server for tests: small, strict where it matters here, and held to a real one by its tests.

with KubernetesAPI(service_cidr="fd12:3456:789a::/108", cluster_name="production") as cluster:
    seed(cluster, cni_version="v1.19.0-eksbuild.1", nodes=3)
    ...  # cluster.url, cluster.ca_pem, cluster.admin_token or a token as `aws eks get-token` makes it
"""

from __future__ import annotations

from .api import KubernetesAPI
from .cni_rules import CniRule
from .endpoints import ClusterEndpoints
from .errors import StatusError
from .journal import Failure, Request
from .pods import Crash
from .seeding import seed

__all__ = ["ClusterEndpoints", "CniRule", "Crash", "Failure", "KubernetesAPI", "Request", "StatusError", "seed"]
