# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS's add-ons as what they install: those of the network, and the Pod Identity agent."""

from __future__ import annotations

from typing import Any

from . import cni, manifests
from .services import Services
from .store import Item


def manifests_of(
    name: str, version: str, values: dict[str, Any], services: Services, role_arn: str | None = None
) -> list[Item]:
    """The manifests of an add-on in a version, with its configuration values; empty for those not emulated.

    Args:
        name: as ListAddons has it, such as vpc-cni.
        version: such as v1.19.0-eksbuild.1.
        values: configurationValues, read.
        services: of the cluster: family and DNS address.
        role_arn: the role of the add-on's service account.
    """
    if name == "vpc-cni":
        return cni.aws_node(
            version,
            services.family.lower(),
            _texts(values.get("env")),
            init_env=_texts((values.get("init") or {}).get("env")),
            network_policy=str(values.get("enableNetworkPolicy", "false")).lower() == "true",
            role_arn=role_arn,
        )
    if name == "kube-proxy":
        return manifests.kube_proxy(version)
    if name == "coredns":
        return manifests.coredns(services.dns_address, version, int(values.get("replicaCount") or 2))
    if name == "eks-pod-identity-agent":
        return manifests.pod_identity_agent(version)
    return []


def _texts(values: dict[str, Any] | None) -> dict[str, str]:
    return {name: value if isinstance(value, str) else str(value).lower() for name, value in (values or {}).items()}
