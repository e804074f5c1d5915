# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_pod_identity_association against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "eks_pod_identity_association"
CLUSTER = "production"
NODE = {"cluster_name": CLUSTER, "namespace": "kube-system", "service_account": "aws-node"}
CREATE = ("eks", "CreatePodIdentityAssociation")
UPDATE = ("eks", "UpdatePodIdentityAssociation")
DELETE = ("eks", "DeletePodIdentityAssociation")


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    world = Sample(aws)
    world.cluster(CLUSTER, bootstrapSelfManagedAddons=False)
    return world


def other_role(world: Sample) -> str:
    return world.role("other", "pods.eks.amazonaws.com", actions=["sts:AssumeRole", "sts:TagSession"])


def live(world: Sample) -> list[dict[str, Any]]:
    listed = world.eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"]
    return [
        world.eks.describe_pod_identity_association(clusterName=CLUSTER, associationId=item["associationId"])[
            "association"
        ]
        for item in listed
    ]


def test_a_new_association_hands_out_the_role(player: Player, world: Sample) -> None:
    result = player.converge(MODULE, **NODE, role_arn=world.cni_role, tags={"team": "network"})
    assert operations(result["plan"]) == [CREATE]
    association, (found,) = result["association"], live(world)
    assert association["association_id"] == found["associationId"]
    assert association["association_arn"] == found["associationArn"]
    assert association["role_arn"] == found["roleArn"] == world.cni_role
    assert association["tags"] == found["tags"] == {"team": "network"}
    assert player.unchanged(MODULE, **NODE)["association"] == association


def test_check_mode_stands_in_for_the_id(player: Player, world: Sample) -> None:
    association = player.check(MODULE, **NODE, role_arn="pending:role/cni")["association"]
    assert association["association_id"] == f"pending:pod-identity-association/{CLUSTER}/kube-system/aws-node"


def test_a_cluster_that_does_not_exist_yet_is_planned_for(player: Player) -> None:
    planned = player.check(MODULE, **NODE, role_arn="pending:role/cni")
    assert operations(planned["plan"]) == [CREATE]
    assert "there is no cluster production" in player.fails(MODULE, **NODE, role_arn="pending:role/cni")["msg"]


def test_a_cluster_in_the_making_is_waited_for(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.eks.create_cluster(**world.cluster_request(CLUSTER))
    assert player.converge(MODULE, **NODE, role_arn=world.cni_role)["changed"] is True


def test_another_role_takes_the_place_of_the_first(player: Player, world: Sample) -> None:
    first = player(MODULE, **NODE, role_arn=world.cni_role)["association"]
    result = player.converge(MODULE, **NODE, role_arn=other_role(world))
    assert operations(result["plan"]) == [UPDATE]
    assert result["plan"][0]["before"] == {"role_arn": world.cni_role}
    assert result["association"]["association_id"] == first["association_id"]
    assert len(live(world)) == 1


def test_options_not_given_are_left_alone(player: Player, world: Sample) -> None:
    player(MODULE, **NODE, role_arn=world.cni_role, disable_session_tags=True, tags={"a": "b"})
    association = player.unchanged(MODULE, **NODE)["association"]
    assert association["disable_session_tags"] is True
    assert association["tags"] == {"a": "b"}


def test_session_tags_and_a_target_role_change_in_place(player: Player, world: Sample) -> None:
    player(MODULE, **NODE, role_arn=world.cni_role)
    target = "arn:aws:iam::210987654321:role/shared"
    result = player.converge(MODULE, **NODE, disable_session_tags=True, target_role_arn=target)
    assert operations(result["plan"]) == [UPDATE]
    (found,) = live(world)
    assert found["disableSessionTags"] is True
    assert found["targetRoleArn"] == target
    assert result["association"]["external_id"] == found["externalId"]
    assert player.converge(MODULE, **NODE, disable_session_tags=False)["association"]["target_role_arn"] == target


def test_tags_change_in_place(player: Player, world: Sample) -> None:
    player(MODULE, **NODE, role_arn=world.cni_role, tags={"a": "b", "c": "d"})
    result = player.converge(MODULE, **NODE, tags={"a": "e"})
    assert operations(result["plan"]) == [("eks", "TagResource"), ("eks", "UntagResource")]
    assert live(world)[0]["tags"] == {"a": "e"}


def test_a_role_that_iam_has_not_spread_yet_is_waited_for(player: Player, world: Sample, emulator: Emulator) -> None:
    texts = ("Role provided in the request does not exist.", "Trust policy of the role provided is invalid. Follow")
    for text in texts:
        emulator.fault("eks", CREATE[1], status=400, code="InvalidParameterException", message=text)
    assert player(MODULE, **NODE, role_arn=world.cni_role)["changed"] is True


def test_an_association_of_an_addon_is_not_changed_here(player: Player, world: Sample) -> None:
    association = {"service_account": "aws-node", "role_arn": world.cni_role}
    player("eks_addon", cluster_name=CLUSTER, name="vpc-cni", pod_identity_associations=[association])
    player.unchanged(MODULE, **NODE, role_arn=world.cni_role)
    for change in ({"role_arn": other_role(world)}, {"state": "absent"}):
        msg = player.refuses(MODULE, **NODE, **change)
        assert msg.startswith("service_account:")
        assert "belongs to arn:aws:eks:" in msg


@pytest.mark.parametrize(
    ("bad", "option"), [({"role_arn": "cni"}, "role_arn"), ({"target_role_arn": "x"}, "target_role_arn")]
)
def test_what_is_no_role_is_refused_before_any_call(
    player: Player, emulator: Emulator, bad: dict[str, Any], option: str
) -> None:
    assert player.refuses(MODULE, **NODE, **bad).startswith(f"{option}:")
    assert emulator.journal.calls == []


def test_a_new_association_needs_a_role(player: Player, world: Sample) -> None:
    assert player.refuses(MODULE, **NODE).startswith("role_arn:")


def test_absent_removes_and_is_content_when_gone(player: Player, world: Sample) -> None:
    player(MODULE, **NODE, role_arn=world.cni_role)
    result = player.converge(MODULE, **NODE, state="absent")
    assert operations(result["plan"]) == [DELETE]
    assert result["association"] is None
    assert live(world) == []


def test_absent_without_a_cluster_is_content(player: Player) -> None:
    assert player.unchanged(MODULE, **NODE, state="absent")["association"] is None
