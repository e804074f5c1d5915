# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from an empty account to running nodes, stopped after every single write in turn.

The modules run in this process, in the order in which the playbook eksops.ipv6.site runs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import snapshot
from harness import Operations, Player, operations

from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Failed

Facts = dict[str, Any]
NAME = "production"
ZONES = ["eu-west-1a", "eu-west-1b"]
# The writes of the way, counted by a run of it; a test of its own sees to it that the number is right.
WRITES = 31
# Whole words only, each kind in its own length: part of a longer id may look like a shorter kind.
MADE_UP = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[a-z]-[a-z0-9]{17}|(?:[a-z]+-)?[0-9a-f]{12,40}"
    r"|A[A-Z]{3}[0-9A-Z]{17}|[A-F0-9]{32}|\d{4}-\d\d-\d\d \S+|(?<=-)\d{6,10}"
    r")(?![0-9A-Za-z])"
)
# What AWS draws anew; tags name what was made, and that is compared by itself.
PER_RUN = (
    "certificateAuthority",
    "endpoint",
    "kubernetesNetworkConfig",
    "Tags",
    "PolicyId",
    "InstanceProfileId",
    "RoleId",
)


def tasks(facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each module with its parameters; C(facts) holds what the earlier ones returned."""
    network = {"name": NAME, "vpc": {"cidr_block": "10.0.0.0/16"}, "availability_zones": ZONES, "public_subnets": []}
    yield "ec2_vpc_ipv6_network", network
    yield "iam_eks_roles", {"cluster_name": NAME}
    subnet_ids, roles = facts["network"]["private_subnet_ids"], facts["roles"]
    cluster = {"name": NAME, "role_arn": roles["cluster"]["arn"], "subnet_ids": subnet_ids}
    yield "eks_cluster", {**cluster, "bootstrap_self_managed_addons": False, "authentication_mode": "API"}
    in_cluster = {"cluster_name": NAME}
    versioned = {**in_cluster, "kubernetes_version": facts["cluster"]["version"]}
    yield "iam_cni_role", {**in_cluster, "identity": "pod_identity"}
    yield "eks_addon", {**versioned, "name": "eks-pod-identity-agent"}
    account = {"namespace": "kube-system", "service_account": "aws-node"}
    yield "eks_pod_identity_association", {**in_cluster, **account, "role_arn": facts["cni_role"]["arn"]}
    yield "eks_addon", {**versioned, "name": "vpc-cni"}
    yield "eks_addon", {**versioned, "name": "kube-proxy"}
    group = {**in_cluster, "node_role_arn": roles["node"]["arn"], "subnet_ids": subnet_ids}
    group["skip_checks"] = ["routes"]  # no NAT gateway here: as if the nodes reached AWS through VPC endpoints
    yield (
        "eks_nodegroup",
        {**group, "name": "arm", "ami_type": "AL2023_ARM_64_STANDARD", "instance_types": ["m7g.large"]},
    )
    yield "eks_nodegroup", {**group, "name": "x86", "ami_type": "BOTTLEROCKET_x86_64", "instance_types": ["m7i.large"]}
    yield "eks_addon", {**versioned, "name": "coredns"}


def go(player: Player, check: bool = False) -> Operations:
    """The whole way once; its steps in order."""
    facts: Facts = {}
    steps: Operations = []
    for module, params in tasks(facts):
        result = player(module, check=check, **params)
        facts.update(result)
        steps += operations(result["plan"])
    return steps


def account(aws: Callable[..., Any]) -> Any:
    """What the account holds, without what AWS makes up anew each time."""
    eks, iam = aws("eks"), aws("iam")
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(NAME)]
    held = {
        "ec2": snapshot.ec2(aws("ec2")),
        "cluster": eks.describe_cluster(name=NAME)["cluster"],
        "addons": {
            name: eks.describe_addon(clusterName=NAME, addonName=name)["addon"]
            for name in eks.list_addons(clusterName=NAME)["addons"]
        },
        "associations": eks.list_pod_identity_associations(clusterName=NAME)["associations"],
        "nodegroups": {
            name: eks.describe_nodegroup(clusterName=NAME, nodegroupName=name)["nodegroup"]
            for name in eks.list_nodegroups(clusterName=NAME)["nodegroups"]
        },
        "roles": {name: iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] for name in sorted(roles)},
        "policies": iam.list_policies(Scope="Local")["Policies"],
        "profiles": iam.list_instance_profiles()["InstanceProfiles"],
    }
    return _scrubbed(json.loads(json.dumps(held, sort_keys=True, default=str)))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items() if key not in PER_RUN}
    if isinstance(value, list):
        return sorted((_scrubbed(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return MADE_UP.sub("<made up>", value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def finished() -> dict[str, Any]:
    """The account as an uninterrupted run leaves it, and that run's steps; filled in by the first test of a process."""
    return {}


def whole(player: Player, aws: Callable[..., Any], finished: dict[str, Any]) -> dict[str, Any]:
    """An uninterrupted run, made once per process."""
    if not finished:
        finished["steps"] = go(player)
        finished["account"] = account(aws)
        player.emulator.reset()
    return finished


def test_check_mode_on_an_empty_account_lists_every_write_of_the_way(player: Player) -> None:
    predicted = go(player, check=True)
    assert player.writes() == []
    assert len(predicted) == WRITES
    assert go(player) == predicted
    assert player.writes() == predicted
    assert go(player) == []
    assert player.writes() == predicted


@pytest.mark.slow
@pytest.mark.parametrize("stopped_after", range(WRITES))
def test_a_way_stopped_after_any_write_is_finished_by_the_next_run(
    player: Player, aws: Callable[..., Any], finished: dict[str, Any], stopped_after: int
) -> None:
    expected = whole(player, aws, finished)
    player.emulator.fault(kind="halt", after=stopped_after, count=None)
    with pytest.raises(Failed):
        go(player)
    player.emulator.faults.clear()
    before = len(player.writes())
    predicted = go(player, check=True)
    assert player.writes()[before:] == []
    assert predicted == expected["steps"][stopped_after:]
    assert go(player) == predicted
    assert player.writes()[before:] == predicted
    assert account(aws) == expected["account"]
