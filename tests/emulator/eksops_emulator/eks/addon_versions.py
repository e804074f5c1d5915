# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeAddonVersions and DescribeAddonConfiguration."""

from __future__ import annotations

import json
import re

from .catalogue import ADDONS, AddonType, minor_of, parse
from .errors import InvalidParameter, ResourceNotFound
from .schemas import schema_for
from .state import Facts, Request, State, page
from .versions import SUPPORTED


class AddonVersions(State):
    """What the catalogue offers."""

    def describe_addon_versions(self, request: Request) -> Facts:
        """The filters apply together; an add-on without a fitting version is left out, an unknown one is no error.

        What is no version of Kubernetes is refused (presumed).
        """
        kubernetes = request.get("kubernetesVersion")
        if kubernetes is not None and not re.fullmatch(r"1\.\d{1,2}", kubernetes):
            raise InvalidParameter(f"Unsupported Kubernetes version: {kubernetes}")
        found = [
            _facts(kind, kubernetes)
            for kind in ADDONS.values()
            if request.get("addonName") in (None, kind.name)
            and (not request.get("types") or kind.kind in request["types"])
            and (not request.get("publishers") or "eks" in request["publishers"])
            and (not request.get("owners") or "aws" in request["owners"])
            and kind.versions(kubernetes)
        ]
        addons, more = page(found, request)
        return {"addons": addons, **more}

    def describe_addon_configuration(self, request: Request) -> Facts:
        name, version = request["addonName"], request["addonVersion"]
        kind = ADDONS.get(name)
        if kind is None:
            raise ResourceNotFound(f"Addon {name} is not found", addonName=name)
        if version not in kind.builds:
            raise InvalidParameter("Addon version specified is not supported", addonName=name)
        answer: Facts = {
            "addonName": name,
            "addonVersion": version,
            "configurationSchema": json.dumps(schema_for(name, version)),
        }
        if kind.service_accounts and parse(version) >= parse(kind.pod_identity_since):
            answer["podIdentityConfiguration"] = [
                {
                    "serviceAccount": account,
                    "recommendedManagedPolicies": [f"arn:{self.partition}:iam::aws:policy/{policy}"],
                }
                for account, policy in kind.service_accounts.items()
            ]
        return answer


def _facts(kind: AddonType, kubernetes: str | None) -> Facts:
    return {
        "addonName": kind.name,
        "type": kind.kind,
        "addonVersions": [_version_facts(kind, version, kubernetes) for version in kind.versions(kubernetes)],
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": "kube-system",
    }


def _version_facts(kind: AddonType, version: str, kubernetes: str | None) -> Facts:
    low, high = kind.builds[version]
    fitting = [item for item in SUPPORTED if low <= minor_of(item) <= high and kubernetes in (None, item)]
    return {
        "addonVersion": version,
        "architecture": ["amd64", "arm64"],
        "computeTypes": ["ec2", "auto", "hybrid"]
        if kind.workload == "DaemonSet"
        else ["ec2", "fargate", "auto", "hybrid"],
        "compatibilities": [
            {"clusterVersion": item, "platformVersions": ["*"], "defaultVersion": kind.default(item) == version}
            for item in fitting
        ],
        "requiresConfiguration": False,
        "requiresIamPermissions": kind.requires_iam,
    }
