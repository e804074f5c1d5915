# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EKS of one account and region: all operations together, as a moto backend."""

from __future__ import annotations

from typing import Any

from .access_entries import AccessEntries
from .addon_versions import AddonVersions
from .addons import Addons
from .cluster_updates import ClusterUpdates
from .clusters import Clusters
from .fargate_profiles import FargateProfiles
from .identity_providers import IdentityProviders
from .insights import Insights
from .nodegroup_updates import NodegroupUpdates
from .pod_identity import PodIdentity
from .tags import Tags
from .updates import Updates
from .versions import Versions


class EksBackend(
    Clusters,
    ClusterUpdates,
    Updates,
    Versions,
    Addons,
    AddonVersions,
    PodIdentity,
    AccessEntries,
    NodegroupUpdates,
    FargateProfiles,
    IdentityProviders,
    Insights,
    Tags,
):
    """Every method that is named like an operation takes its request and returns its answer."""

    @property
    def _url_module(self) -> Any:
        # moto derives this from the class's module name, which is not ours to fit.
        from . import urls

        return urls
