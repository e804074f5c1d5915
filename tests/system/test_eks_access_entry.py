# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_access_entry against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "eks_access_entry"
CLUSTER = "production"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
EDIT = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
CREATE, UPDATE, DELETE = [("eks", f"{verb}AccessEntry") for verb in ("Create", "Update", "Delete")]
ASSOCIATE, DISASSOCIATE = ("eks", "AssociateAccessPolicy"), ("eks", "DisassociateAccessPolicy")


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    world = Sample(aws)
    world.cluster(CLUSTER)
    return world


@pytest.fixture
def entry(world: Sample) -> dict[str, Any]:
    return {"cluster_name": CLUSTER, "principal_arn": world.role("developers", "ec2.amazonaws.com")}


def live(world: Sample, entry: dict[str, Any]) -> dict[str, Any]:
    key = {"clusterName": CLUSTER, "principalArn": entry["principal_arn"]}
    found = world.eks.describe_access_entry(**key)["accessEntry"]
    policies = world.eks.list_associated_access_policies(**key)["associatedAccessPolicies"]
    return {**found, "policies": {item["policyArn"]: item["accessScope"] for item in policies}}


def test_a_new_entry_with_policies(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    policies = [{"policy_arn": "AmazonEKSViewPolicy", "scope": "namespace", "namespaces": ["b", "a"]}, {"name": EDIT}]
    result = player.converge(
        MODULE, **entry, kubernetes_groups=["b", "a"], access_policies=policies, tags={"team": "platform"}
    )
    assert operations(result["plan"]) == [CREATE, ASSOCIATE, ASSOCIATE]
    made, found = result["access_entry"], live(world, entry)
    assert made["arn"] == found["accessEntryArn"]
    assert made["username"] == found["username"]
    assert made["kubernetes_groups"] == sorted(found["kubernetesGroups"]) == ["a", "b"]
    assert found["policies"] == {
        VIEW: {"type": "namespace", "namespaces": ["a", "b"]},
        EDIT: {"type": "cluster", "namespaces": []},
    }
    assert player.unchanged(MODULE, **entry)["access_entry"] == made


def test_self_managed_nodes_join_by_their_role(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    made = player.converge(MODULE, **entry, type="EC2_LINUX")["access_entry"]
    assert made["kubernetes_groups"] == ["system:nodes"]
    assert made["username"] == live(world, entry)["username"] == "system:node:{{EC2PrivateDNSName}}"


def test_what_is_not_given_is_left_alone(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    full = {
        "kubernetes_groups": ["a"],
        "username": "dev",
        "access_policies": [{"policy_arn": VIEW}],
        "tags": {"a": "b"},
    }
    before = player(MODULE, **entry, **full)["access_entry"]
    assert player.unchanged(MODULE, **entry)["access_entry"] == before


def test_everything_changes_in_place(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    player(MODULE, **entry, kubernetes_groups=["a"], access_policies=[{"policy_arn": VIEW}], tags={"a": "b"})
    changed = player.converge(
        MODULE,
        **entry,
        kubernetes_groups=[],
        username="dev",
        access_policies=[{"policy_arn": EDIT, "scope": "namespace", "namespaces": ["x"]}],
        tags={},
    )
    assert operations(changed["plan"]) == [("eks", "UntagResource"), UPDATE, DISASSOCIATE, ASSOCIATE]
    found = live(world, entry)
    assert (found["kubernetesGroups"], found["username"], list(found["policies"])) == ([], "dev", [EDIT])


def test_policies_not_named_stay_without_purge(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    player(MODULE, **entry, access_policies=[{"policy_arn": VIEW}])
    more = player.converge(MODULE, **entry, access_policies=[{"policy_arn": EDIT}], purge_access_policies=False)
    assert operations(more["plan"]) == [ASSOCIATE]
    assert set(live(world, entry)["policies"]) == {VIEW, EDIT}


def test_a_scope_changes_in_one_call(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    player(MODULE, **entry, access_policies=[{"policy_arn": VIEW}])
    scoped = [{"policy_arn": VIEW, "scope": "namespace", "namespaces": ["x"]}]
    assert operations(player.converge(MODULE, **entry, access_policies=scoped)["plan"]) == [ASSOCIATE]


def test_another_type_is_said_and_done_only_when_told(player: Player, world: Sample, entry: dict[str, Any]) -> None:
    player(MODULE, **entry, access_policies=[{"policy_arn": VIEW}], tags={"a": "b"})
    msg = player.refuses(MODULE, **entry, type="EC2_LINUX")
    assert msg.startswith("type: it cannot be changed, from STANDARD to EC2_LINUX. Set replace: true")
    result = player.converge(MODULE, **entry, type="EC2_LINUX", replace=True)
    assert operations(result["plan"]) == [DELETE, CREATE]
    assert live(world, entry)["tags"] == {"a": "b"}


def test_an_entry_goes_and_stays_away(player: Player, entry: dict[str, Any]) -> None:
    player(MODULE, **entry)
    assert operations(player.converge(MODULE, **entry, state="absent")["plan"]) == [DELETE]


def test_a_cluster_and_role_that_do_not_exist_yet_are_planned_for(player: Player) -> None:
    pending = {"cluster_name": CLUSTER, "principal_arn": "pending:role/node", "type": "EC2_LINUX"}
    assert operations(player.check(MODULE, **pending)["plan"]) == [CREATE]
    assert "there is no cluster production" in player.fails(MODULE, **pending)["msg"]


def test_a_cluster_that_knows_a_config_map_only_is_refused(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.cluster(CLUSTER, accessConfig={"authenticationMode": "CONFIG_MAP"})
    msg = player.refuses(MODULE, cluster_name=CLUSTER, principal_arn=world.node_role)
    assert "aws-auth only. Set authentication_mode" in msg


def test_who_may_not_list_the_policies_may_associate_them(
    player: Player, entry: dict[str, Any], world: Sample, emulator: Emulator
) -> None:
    emulator.fault("eks", "ListAccessPolicies", status=403, code="AccessDeniedException", message="no", count=100)
    player.converge(MODULE, **entry, access_policies=[{"policy_arn": VIEW}])
    listed = world.eks.list_associated_access_policies(clusterName=CLUSTER, principalArn=entry["principal_arn"])
    assert [policy["policyArn"] for policy in listed["associatedAccessPolicies"]] == [VIEW]


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"principal_arn": "developers"}, "principal_arn", "no ARN"),
        ({"kubernetes_groups": ["system:masters"]}, "kubernetes_groups", "begins with"),
        ({"username": "eks:x"}, "username", "begins with"),
        ({"access_policies": [{"policy_arn": VIEW, "scope": "namespace"}]}, "access_policies", "none is named"),
        ({"access_policies": [{"policy_arn": VIEW, "namespaces": ["x"]}]}, "access_policies", "whole cluster"),
        (
            {"access_policies": [{"policy_arn": VIEW}, {"policy_arn": "AmazonEKSVeiwPolicy"}]},
            "access_policies",
            "EKS has no arn:aws:eks::aws:cluster-access-policy/AmazonEKSVeiwPolicy. It has ",
        ),
        ({"type": "EC2_WINDOWS"}, "type", "no Windows nodes"),
        ({"type": "HYBRID_LINUX"}, "type", "no hybrid nodes"),
        ({"type": "EC2_LINUX", "kubernetes_groups": ["x"]}, "kubernetes_groups", "AWS's own"),
        ({"type": "EC2_LINUX", "kubernetes_groups": []}, "kubernetes_groups", "AWS's own"),
        (
            {
                "access_policies": [
                    {"policy_arn": VIEW, "scope": "namespace", "namespaces": ["a"]},
                    {"policy_arn": "AmazonEKSViewPolicy", "scope": "namespace", "namespaces": ["b"]},
                ]
            },
            "access_policies",
            "AmazonEKSViewPolicy is there more than once",
        ),
        (
            {"access_policies": [{"policy_arn": VIEW, "scope": "namespace", "namespaces": [""]}]},
            "access_policies",
            "a namespace has no name",
        ),
        ({"type": "EC2_LINUX", "access_policies": [{"policy_arn": VIEW}]}, "access_policies", "take none"),
    ],
)
def test_what_cannot_be_is_refused(
    player: Player, entry: dict[str, Any], bad: dict[str, Any], option: str, reason: str
) -> None:
    msg = player.refuses(MODULE, **{**entry, **bad})
    assert msg.startswith(f"{option}:") and reason in msg
