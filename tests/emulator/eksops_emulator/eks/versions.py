# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes versions: a fixed table, so that a test means the same next year.

The table is EKS's of mid 2026. The default is deliberately not the newest version in standard support.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from .errors import InvalidParameter
from .state import Facts, Request, State, page


@dataclass(frozen=True)
class KubernetesVersion:
    version: str
    patch: str
    platform: str
    released: date
    end_of_standard: date
    end_of_extended: date
    status: str

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])


DEFAULT_VERSION = "1.34"
VERSIONS = (
    KubernetesVersion("1.35", "1.35.4", "eks.6", date(2026, 1, 27), date(2027, 3, 27), date(2028, 3, 27), "STANDARD"),
    KubernetesVersion("1.34", "1.34.7", "eks.14", date(2025, 10, 2), date(2026, 12, 2), date(2027, 12, 2), "STANDARD"),
    KubernetesVersion("1.33", "1.33.11", "eks.25", date(2025, 5, 29), date(2026, 7, 29), date(2027, 7, 29), "STANDARD"),
    KubernetesVersion("1.32", "1.32.13", "eks.32", date(2025, 1, 23), date(2026, 3, 23), date(2027, 3, 23), "EXTENDED"),
    KubernetesVersion(
        "1.31", "1.31.14", "eks.48", date(2024, 9, 26), date(2025, 11, 26), date(2026, 11, 26), "EXTENDED"
    ),
    KubernetesVersion("1.30", "1.30.14", "eks.56", date(2024, 5, 23), date(2025, 7, 23), date(2026, 7, 23), "EXTENDED"),
    KubernetesVersion(
        "1.29", "1.29.15", "eks.60", date(2024, 1, 23), date(2025, 3, 23), date(2026, 3, 23), "UNSUPPORTED"
    ),
    KubernetesVersion(
        "1.28", "1.28.15", "eks.62", date(2023, 9, 26), date(2024, 11, 26), date(2025, 11, 26), "UNSUPPORTED"
    ),
)
SUPPORTED = {version.version: version for version in VERSIONS if version.status != "UNSUPPORTED"}
_VERSION_STATUS = {"STANDARD": "STANDARD_SUPPORT", "EXTENDED": "EXTENDED_SUPPORT", "UNSUPPORTED": "UNSUPPORTED"}
_STATUS = {"STANDARD": "standard-support", "EXTENDED": "extended-support", "UNSUPPORTED": "unsupported"}


class Versions(State):
    """DescribeClusterVersions."""

    def describe_cluster_versions(self, request: Request) -> Facts:
        if request.get("clusterType", "eks") != "eks":
            raise InvalidParameter(f"Invalid cluster type: {request['clusterType']}")
        found = [version for version in VERSIONS if _wanted(version, request)]
        versions, more = page([_facts(version) for version in found], request)
        return {"clusterVersions": versions, **more}


def _wanted(version: KubernetesVersion, request: Request) -> bool:
    """All filters apply. Unsupported versions show when asked for by status, by name or with includeAll."""
    named = request.get("clusterVersions")
    status = request.get("versionStatus")
    old_status = request.get("status")
    if named and version.version not in named:
        return False
    if status and status != _VERSION_STATUS[version.status]:
        return False
    if old_status and old_status != _STATUS[version.status]:
        return False
    if request.get("defaultOnly") and version.version != DEFAULT_VERSION:
        return False
    asked = named or status or old_status or request.get("includeAll")
    return version.status != "UNSUPPORTED" or bool(asked)


def _facts(version: KubernetesVersion) -> Facts:
    return {
        "clusterVersion": version.version,
        "clusterType": "eks",
        "defaultPlatformVersion": version.platform,
        "defaultVersion": version.version == DEFAULT_VERSION,
        "releaseDate": _midnight(version.released),
        "endOfStandardSupportDate": _midnight(version.end_of_standard),
        "endOfExtendedSupportDate": _midnight(version.end_of_extended),
        "status": _STATUS[version.status],
        "versionStatus": _VERSION_STATUS[version.status],
        "kubernetesPatchVersion": version.patch,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
