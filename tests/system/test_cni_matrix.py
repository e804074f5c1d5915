# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every move of the VPC CNI: it ends healthy, or is refused before any write. Never in UPDATE_FAILED.

All pairs of versions that EKS's catalogue has from 1.10.1 on, up and down, with a policy made for the version that runs
and one that serves all. Every pair of builds is held against what the emulator's IAM says, by its own table of calls;
every pair of minors is carried out, against an add-on with nodes.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cni_walker import CLUSTER, POD_IDENTITY_SINCE, VERSIONS, Walker
from harness import Player

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni
from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import AddonVersion, addon_steps
from eksops_emulator import Emulator
from eksops_emulator.eks.catalogue import cni_needs
from eksops_emulator.eks.sample import Sample
from eksops_emulator.policies import ALLOWED, Source, evaluate

MINORS = {AddonVersion.parse(version).minor: version for version in VERSIONS}  # the newest of each


def denied(policy: dict[str, Any], version: str) -> list[str]:
    """What the emulated IAM denies of the calls that, by the emulator's own table, a version makes."""
    source, place = Source(json.dumps(policy), "", ""), "arn:aws:ec2:eu-west-1:123456789012"
    needs = cni_needs(version, place, ipv6=True, environment={})
    return sorted({action for action, resource in needs if evaluate([source], action, resource).decision != ALLOWED})


def policy_of(made_for: str | None) -> dict[str, Any]:
    """The policy that the collection computes for a version, or for all."""
    return cni.policy(None if made_for is None else AddonVersion.parse(made_for), "aws")


def lacking(made_for: str | None, version: str) -> list[str]:
    """What the collection says that a policy lacks for a version."""
    return cni.missing_actions(AddonVersion.parse(version), cni.DEFAULT_FEATURES, [policy_of(made_for)], "aws")


def test_every_pair_of_builds_is_judged_as_the_emulated_iam_judges_it() -> None:
    missing_of, denied_of = cache(lacking), cache(lambda made_for, version: denied(policy_of(made_for), version))
    judged = list(itertools.permutations(VERSIONS, 2))
    assert len(judged) > 1000
    for start, target in judged:
        for made_for in (start, None):
            for version in addon_steps(start, target, VERSIONS):
                missing = missing_of(made_for, version)
                assert missing == denied_of(made_for, version), (start, version)
                assert made_for or not missing


@pytest.mark.slow
@pytest.mark.parametrize("fresh", [False, True], ids=["stale", "fresh"])
@pytest.mark.parametrize("identity", ["irsa", "pod_identity"])
def test_every_move_from_minor_to_minor_ends_healthy_or_is_refused_before_any_write(
    player: Player, aws: Callable[..., Any], emulator: Emulator, identity: str, fresh: bool
) -> None:
    emulator.transitions("eks::update", times=1)
    walker = Walker(player, Sample(aws), identity)
    ended = Counter(
        one_move(walker, start, target, fresh) for start, target in itertools.permutations(MINORS.values(), 2)
    )
    assert MINORS.keys() == {(1, minor) for minor in range(10, 24)}
    assert ended.total() == 14 * 13
    assert ended == ENDED[identity, fresh]
    group = walker.world.eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName="workers")["nodegroup"]
    assert group["status"] == "ACTIVE"


# How the 14 minors' 182 moves end: healthy, or refused because the role lacks an action on the way, or because a
# version on the way does not know Pod Identity. 12 minors come before 1.22, whose DescribeSecurityGroups a policy for
# 1.23 lacks; 9 know Pod Identity, 7 of them before 1.22; from 1.14 the first step leads to one that knows it.
ENDED = {
    ("irsa", True): {"healthy": 14 * 13},
    ("irsa", False): {"healthy": 12 * 11 + 13, "lacking": 12 * 2 + 13},
    ("pod_identity", True): {"healthy": 9 * 8 + 9, "unknown": 9 * 5 + 4 + 4 * 13},
    ("pod_identity", False): {
        "healthy": 7 * 6 + 8 + 7,
        "lacking": 7 * 2 + 13 + 2 + 4 * 2,
        "unknown": 7 * 5 + 5 + 4 + 4 * 11,
    },
}


def one_move(walker: Walker, start: str, target: str, fresh: bool) -> str:
    """Makes a move; says how it ended."""
    walker.begin(start)
    walker.policy(None if fresh else start)
    walker.player.emulator.journal.clear()
    result = walker.move(target)
    on_the_way = addon_steps(start, target, VERSIONS)
    made_for = None if fresh else start if walker.knows(start) else POD_IDENTITY_SINCE.text
    missing = {action for version in on_the_way for action in denied(policy_of(made_for), version)}
    unknown = not all(map(walker.knows, on_the_way))
    if missing or unknown:
        assert walker.player.writes() == []
        assert walker.status() == ("ACTIVE", start)
        assert all(action in result["msg"] for action in missing), result
        assert ("pod_identity needs the CNI" in result["msg"]) is unknown, result
        return "lacking" if missing else "unknown"
    minors = [AddonVersion.parse(version).minor[1] for version in (start, *on_the_way)]
    assert all(abs(one - other) == 1 for one, other in itertools.pairwise(minors))
    made = [call.request["addonVersion"] for call in walker.player.emulator.journal.writes()]
    assert made == on_the_way == [step["request"]["addonVersion"] for step in result["plan"]]
    assert walker.status() == ("ACTIVE", target) == (result["addon"]["status"], target), result
    return "healthy"
