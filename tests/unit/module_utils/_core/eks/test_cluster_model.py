# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DescribeCluster and a running update's parameters say, as facts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.cluster_model import _announced, facts_of
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.shared import update_params


@pytest.mark.parametrize(
    ("network", "dns"),
    [
        ({"ipFamily": "ipv6", "serviceIpv6Cidr": "fd30:3087:b6c2::/108"}, "fd30:3087:b6c2::a"),
        ({"ipFamily": "ipv6", "serviceIpv6Cidr": "fd40:6404:f93b:0:0:0:60:0/108"}, "fd40:6404:f93b::60:a"),
        ({"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}, "172.20.0.10"),
        ({"ipFamily": "ipv6"}, None),
        ({}, None),
    ],
)
def test_dns_answers_at_the_tenth_address_of_the_service_range(network: dict[str, Any], dns: str | None) -> None:
    assert facts_of({"name": "one", "kubernetesNetworkConfig": network})["cluster_dns_ip"] == dns


def test_a_cluster_in_the_making_has_every_fact() -> None:
    facts = facts_of({"name": "one", "status": "CREATING"})
    assert facts["endpoint"] is facts["oidc_issuer"] is facts["cluster_security_group_id"] is None
    assert facts["subnet_ids"] == facts["logging"] == facts["health_issues"] == []


def test_only_log_types_that_are_on_are_facts() -> None:
    setups = [{"types": ["scheduler", "api"], "enabled": True}, {"types": ["audit"], "enabled": False}]
    assert facts_of({"name": "one", "logging": {"clusterLogging": setups}})["logging"] == ["api", "scheduler"]


@pytest.mark.parametrize(
    ("params", "facts"),
    [
        ({"Version": "1.34", "PlatformVersion": "eks.3"}, {"version": "1.34", "platform_version": "eks.3"}),
        (
            {"EndpointPublicAccess": "true", "EndpointPrivateAccess": "false", "PublicAccessCidrs": '["0.0.0.0/0"]'},
            {
                "endpoint_public_access": True,
                "endpoint_private_access": False,
                "public_access_cidrs": ["0.0.0.0/0"],
            },
        ),
        ({"ClusterLogging": '{"clusterLogging":[{"types":["api"],"enabled":true}]}'}, {"logging": ["api"]}),
        ({"UpgradePolicy": '{"supportType":"STANDARD"}'}, {"support_type": "STANDARD"}),
        ({"AuthenticationMode": "API"}, {"authentication_mode": "API"}),
        ({"DeletionProtection": "true"}, {"deletion_protection": True}),
        ({"Subnets": '["subnet-1"]', "SecurityGroups": "[]"}, {"subnet_ids": ["subnet-1"], "security_group_ids": []}),
        (
            {"EncryptionConfig": '[{"resources":["secrets"],"provider":{"keyArn":"arn:k"}}]'},
            {"encryption_key_arn": "arn:k"},
        ),
        ({"ClusterLogging": "api: on", "PublicAccessCidrs": "0.0.0.0/0", "UpgradePolicy": "[]"}, {}),
        ({"ZonalShiftConfig": '{"enabled":true}'}, {}),
    ],
)
def test_a_running_update_says_what_will_be(params: dict[str, str], facts: dict[str, Any]) -> None:
    listed = [{"type": name, "value": value} for name, value in params.items()]
    assert _announced(update_params([{"params": listed}])) == facts
