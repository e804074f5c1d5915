# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_cluster_info against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Player

from eksops_emulator.eks.sample import Sample

MODULE = "eks_cluster_info"


def test_one_cluster_has_the_facts_that_making_it_returned(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    made = player("eks_cluster", name="one", role_arn=world.cluster_role, subnet_ids=world.private)["cluster"]
    assert player(MODULE, name="one")["clusters"] == [made]


def test_all_clusters_come_by_name(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    for name in ("two", "one"):
        world.cluster(name)
    assert [cluster["name"] for cluster in player(MODULE)["clusters"]] == ["one", "two"]


def test_no_cluster_is_an_empty_list(player: Player) -> None:
    assert player(MODULE, name="nobody")["clusters"] == []
    assert player(MODULE)["clusters"] == []
