# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks site and teardown, run as users run them: what check mode lists is what a run does, from any state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Operations
from playbook_runs import Playbooks

from eksops_emulator import Emulator

SITE = "eksops.ipv6.site"
TEARDOWN = "eksops.ipv6.teardown"
DOCUMENT: dict[str, Any] = {
    "eks_site_module_defaults": {"region": "eu-west-1"},
    "eks_site_waiting": {"wait_interval": 0.01},
    "eks_cluster_name": "small",
    "eks_network_vpc": {"cidr_block": "10.0.0.0/16"},
    "eks_network_availability_zones": ["eu-west-1a", "eu-west-1b"],
    "eks_network_nat_gateways": "single",
    "eks_network_tags": {"team": "platform"},
    "eks_nodes_groups": [
        {
            "name": "general",
            "ami_type": "AL2023_ARM_64_STANDARD",
            "instance_types": ["m7g.large"],
            "scaling": {"min_size": 1, "max_size": 2, "desired_size": 1},
        }
    ],
}


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    return Playbooks(emulator, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("identity", ["pod_identity", "irsa"])
def test_check_mode_lists_the_calls_of_the_run_and_a_second_run_makes_none(
    playbooks: Playbooks, aws: Callable[..., Any], identity: str
) -> None:
    document = {**DOCUMENT, "eks_cni_identity": identity}
    planned = playbooks(SITE, document, check=True)
    assert planned.writes == []
    assert {step["status"] for step in planned.plan["steps"]} == {"planned"}

    applied = playbooks(SITE, document)
    assert applied.writes == planned.steps
    assert applied.plan["performed_steps"] == planned.plan["planned_steps"]

    again = playbooks(SITE, document)
    assert again.writes == again.steps == []
    assert again.plan["changed_tasks"] == 0
    cluster = aws("eks").describe_cluster(name="small")["cluster"]
    assert cluster["kubernetesNetworkConfig"]["ipFamily"] == "ipv6"
    assert sorted(aws("eks").list_addons(clusterName="small")["addons"]) == sorted(
        ["coredns", "kube-proxy", "vpc-cni"] + (["eks-pod-identity-agent"] if identity == "pod_identity" else [])
    )


@pytest.mark.slow
def test_a_run_stopped_anywhere_is_carried_on(playbooks: Playbooks, emulator: Emulator) -> None:
    complete = playbooks(SITE, DOCUMENT, check=True).steps
    done = 0
    for stop in (len(complete) * part // 10 for part in (1, 4, 7, 9)):
        halt = emulator.fault(kind="halt", after=stop - done)
        stopped = playbooks(SITE, DOCUMENT, may_fail=True)
        emulator.faults.active.remove(halt)
        assert stopped.returncode != 0
        assert stopped.plan["failed"] is True
        assert stopped.writes == complete[done:stop]
        assert playbooks(SITE, DOCUMENT, check=True).steps == complete[stop:]
        done = stop
    assert playbooks(SITE, DOCUMENT).writes == complete[done:]
    assert playbooks(SITE, DOCUMENT, check=True).steps == []


@pytest.mark.slow
def test_teardown_takes_everything_down_and_is_content_when_it_is_gone(
    playbooks: Playbooks, aws: Callable[..., Any]
) -> None:
    before = census(aws)
    playbooks(SITE, DOCUMENT)
    assert census(aws) != before
    planned = playbooks(TEARDOWN, DOCUMENT, check=True)
    assert planned.writes == []
    removed = playbooks(TEARDOWN, DOCUMENT)
    # What the cluster and its nodes still use (subnets, the nodes' role) check mode lists only once they are gone.
    assert [call for call in removed.writes if call[0] == "eks"] == [call for call in planned.steps if call[0] == "eks"]
    assert is_within(planned.steps, removed.writes)
    assert census(aws) == before
    again = playbooks(TEARDOWN, DOCUMENT)
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)


def is_within(part: Operations, whole: Operations) -> bool:
    """Whether all calls of `part` are in `whole`, in the same order."""
    rest = iter(whole)
    return all(call in rest for call in part)


def census(aws: Callable[..., Any]) -> dict[str, list[str]]:
    """Everything in the account that the playbooks may have made."""
    ec2, iam = aws("ec2"), aws("iam")
    return {
        "clusters": aws("eks").list_clusters()["clusters"],
        "vpcs": [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]],
        "subnets": sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]),
        "internet gateways": [g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]],
        "egress-only gateways": [
            gateway["EgressOnlyInternetGatewayId"]
            for gateway in ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
        ],
        "NAT gateways": [
            gateway["NatGatewayId"]
            for gateway in ec2.describe_nat_gateways()["NatGateways"]
            if gateway["State"] != "deleted"
        ],
        "addresses": [address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]],
        "roles": [
            role["RoleName"] for role in iam.list_roles()["Roles"] if not role["Path"].startswith("/aws-service-role/")
        ],
        "policies": [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]],
        "instance profiles": [p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]],
        "OIDC providers": [
            provider["Arn"] for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        ],
    }
