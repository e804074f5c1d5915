# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's plan, without AWS: whatever differs is planned, in calls EKS takes, and then nothing differs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import cluster
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.cluster_model import (
    AUTHENTICATION_MODES,
    LOG_TYPES,
    Cluster,
    Observed,
    Surroundings,
    facts_of,
)
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Ref, Step
from ansible_collections.eksops.ipv6.plugins.modules.eks_cluster import DOOR

OBSERVED = Observed(
    {
        **facts_of({"name": "one", "status": "ACTIVE", "version": "1.31", "arn": "arn:c"}),
        "ip_family": "ipv6",
        "public_access_cidrs": ["0.0.0.0/0", "::/0"],
    }
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "kubernetes_version": st.sampled_from(["1.31", "1.32", "1.34"]),
        "endpoint_private_access": st.booleans(),
        "public_access_cidrs": st.lists(st.sampled_from(["203.0.113.0/24", "::/0", "0.0.0.0/0"]), min_size=1),
        "authentication_mode": st.sampled_from(AUTHENTICATION_MODES),
        "logging": st.lists(st.sampled_from(LOG_TYPES)),
        "deletion_protection": st.booleans(),
        "support_type": st.sampled_from(["STANDARD", "EXTENDED"]),
        "security_group_ids": st.lists(st.sampled_from(["sg-1", "sg-2"])),
        "tags": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")),
    },
)


def desired(**options: Any) -> Cluster:
    params = {name: spec.get("default") for name, spec in DOOR.argument_spec.items()}
    return Cluster.from_params({**params, "name": "one", **options})


@given(SETTINGS)
def test_once_done_there_is_nothing_left_to_do(options: dict[str, Any]) -> None:
    wanted = desired(**options)
    after = {
        name: "eks.1" if isinstance(value, Ref) else value
        for name, value in cluster.facts(wanted, OBSERVED, Surroundings()).items()
    }
    assert cluster.plan(wanted, Observed(after), Surroundings()).items == ()


@given(SETTINGS)
def test_every_call_changes_one_kind_of_setting_and_is_waited_for(options: dict[str, Any]) -> None:
    steps = cluster.plan(desired(**options), OBSERVED, Surroundings()).steps
    for step in steps:
        if step.operation == "UpdateClusterConfig":
            assert len(set(step.request) - {"name"}) == 1
        if step.operation.startswith("Update"):
            assert step.wait is not None
            assert step.wait.operation == "DescribeUpdate"
        assert step.before != step.after


@given(SETTINGS)
def test_without_wait_only_the_last_wait_is_left_out(options: dict[str, Any]) -> None:
    waiting = cluster.plan(desired(**options), OBSERVED, Surroundings()).items
    hasty = cluster.plan(desired(**options, wait=False), OBSERVED, Surroundings()).items
    assert [item for item in hasty if isinstance(item, Step)] == [
        *(item for item in waiting[: len(hasty) - 1] if isinstance(item, Step)),
        *hasty[-1:],
    ]
    assert all(item.wait is None for item in hasty[-1:])
