# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node group's sizes, what running updates announce, and its plan: whatever differs is planned, and then nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import nodegroup, nodegroup_rules
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import nodegroup_upkeep as upkeep
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.nodegroup_model import (
    Known,
    Nodegroup,
    Observed,
    _announced,
    architecture,
    facts_of,
)
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.nodegroup_rules import scaling_after
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.shared import ClusterView
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Ref
from ansible_collections.eksops.ipv6.plugins.modules.eks_nodegroup import DOOR

FACTS = facts_of(
    {
        "nodegroupName": "general",
        "clusterName": "one",
        "nodegroupArn": "arn:n",
        "status": "ACTIVE",
        "version": "1.33",
        "releaseVersion": "1.33.1-20260101",
        "amiType": "AL2023_x86_64_STANDARD",
        "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
        "updateConfig": {"maxUnavailable": 1},
        "labels": {"a": "1", "b": "2"},
        "taints": [{"key": "t", "value": "x", "effect": "NO_SCHEDULE"}, {"key": "u", "effect": "NO_EXECUTE"}],
        "launchTemplate": {"id": "lt-1", "name": "nodes", "version": "1"},
        "tags": {"k": "v"},
    }
)
OBSERVED = Observed(FACTS)
VIEW = ClusterView("one", True, "ACTIVE", "1.34", "ipv6", "vpc-1")
TAINTS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["t", "u", "v"]),
            "value": st.sampled_from(["x", "y", None]),
            "effect": st.sampled_from(["NO_SCHEDULE", "NO_EXECUTE"]),
        }
    ),
    unique_by=lambda taint: (taint["key"], taint["effect"]),
)
OVERRIDE = {
    "node_monitoring_condition": "KernelReady",
    "node_unhealthy_reason": "Panic",
    "min_repair_wait_time_mins": 5,
    "repair_action": "NoAction",
}
SETTINGS = st.fixed_dictionaries(
    {"purge_labels": st.booleans(), "purge_taints": st.booleans()},
    optional={
        "labels": st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
        "taints": TAINTS,
        "scaling": st.sampled_from([{"max_size": 5}, {"min_size": 3}, {"max_size": 1}, {"desired_size": 3}]),
        "update_config": st.sampled_from(
            [{"max_unavailable": 2}, {"max_unavailable_percentage": 50}, {"update_strategy": "MINIMAL"}]
        ),
        "node_repair_config": st.sampled_from(
            [{"enabled": True}, {"max_parallel_nodes_repaired_count": 2}, {"node_repair_config_overrides": [OVERRIDE]}]
        ),
        "warm_pool_config": st.sampled_from([{"enabled": True}, {"enabled": True, "min_size": 2}, {"enabled": False}]),
        "kubernetes_version": st.sampled_from(["1.33", "1.34"]),
        "release_version": st.just("1.33.1-20260202"),
        "launch_template": st.just({"id": "lt-1", "version": "2"}),
        "tags": st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw")),
    },
)


def desired(**options: Any) -> Nodegroup:
    params = {name: spec.get("default") for name, spec in DOOR.argument_spec.items()}
    return Nodegroup.from_params({**params, "cluster_name": "one", "name": "general", **options})


@given(SETTINGS)
def test_once_done_there_is_nothing_left_to_do(options: dict[str, Any]) -> None:
    wanted = desired(**options)
    after = {
        name: "1.34.0-20260303" if isinstance(value, Ref) else value
        for name, value in nodegroup.facts(wanted, OBSERVED, VIEW, "AL2023_x86_64_STANDARD").items()
    }
    assert nodegroup.plan(wanted, Observed(after), VIEW, "AL2023_x86_64_STANDARD").items == ()


@given(SETTINGS)
def test_every_step_changes_something_and_omission_changes_nothing(options: dict[str, Any]) -> None:
    steps = nodegroup.plan(desired(**options), OBSERVED, VIEW, "AL2023_x86_64_STANDARD").steps
    for step in steps:
        assert step.before != step.after
        assert set(step.after) - {"version", "release_version"} <= set(options)
    for update in (step for step in steps if step.operation == "UpdateNodegroupVersion"):
        assert "version" in update.request  # or EKS would take the nodes to the cluster's version


@pytest.mark.parametrize(
    ("wanted", "after"),
    [
        ({}, (1, 3, 2)),
        ({"max_size": 1}, (1, 1, 1)),
        ({"min_size": 3}, (3, 3, 3)),
        ({"min_size": 0, "max_size": 9}, (0, 9, 2)),
        ({"desired_size": 9}, (1, 3, 9)),
        ({"min_size": 4}, (4, 3, 2)),
    ],
)
def test_a_desired_size_that_nobody_gave_moves_no_more_than_it_must(wanted: dict[str, int], after: Any) -> None:
    assert tuple(scaling_after(wanted, {"min_size": 1, "max_size": 3, "desired_size": 2}).values()) == after


@pytest.mark.parametrize(
    ("params", "after"),
    [
        ({"Version": "1.34", "ReleaseVersion": "r"}, {"version": "1.34", "release_version": "r"}),
        ({"MinSize": "2", "DesiredSize": "2"}, {"scaling": {"min_size": 2, "max_size": 3, "desired_size": 2}}),
        ({"LabelsToAdd": '{"a":"9"}', "LabelsToRemove": '["b"]'}, {"labels": {"a": "9"}}),
        (
            {"TaintsToRemove": json.dumps([{"key": "t", "value": "x", "effect": "NO_SCHEDULE"}])},
            {"taints": [{"key": "u", "value": "", "effect": "NO_EXECUTE"}]},
        ),
        (
            {"MaxUnavailablePercentage": "50"},
            {
                "update_config": {
                    "max_unavailable": None,
                    "max_unavailable_percentage": 50,
                    "update_strategy": None,
                }
            },
        ),
        (
            {"UpdateStrategy": "MINIMAL"},
            {
                "update_config": {
                    "max_unavailable": 1,
                    "max_unavailable_percentage": None,
                    "update_strategy": "MINIMAL",
                }
            },
        ),
        (
            {"LaunchTemplateVersion": "3", "LaunchTemplateName": "nodes"},
            {"launch_template": {"id": "lt-1", "name": "nodes", "version": "3"}},
        ),
        (
            {"NodeRepairConfig": '{"enabled": true, "maxParallelNodesRepairedCount": 2}'},
            {"node_repair_config": upkeep.repair_facts({"enabled": True, "maxParallelNodesRepairedCount": 2})},
        ),
        (
            {"WarmPoolEnabled": "true", "WarmPoolMinSize": "2", "WarmPoolState": "RUNNING"},
            {
                "warm_pool_config": upkeep.warm_pool_facts({"enabled": True, "minSize": 2, "poolState": "RUNNING"}),
            },
        ),
        ({"LabelsToAdd": "a=9", "MinSize": "few", "TaintsToAdd": "{}"}, {}),
    ],
)
def test_a_running_update_says_what_will_be(params: dict[str, str], after: dict[str, Any]) -> None:
    assert _announced(FACTS, params) == after


@pytest.mark.parametrize(
    ("ami_type", "processor"),
    [
        ("AL2023_ARM_64_STANDARD", "arm64"),
        ("BOTTLEROCKET_x86_64_NVIDIA_FIPS", "x86_64"),
        ("WINDOWS_CORE_2022_x86_64", "x86_64"),
        ("CUSTOM", ""),
    ],
)
def test_an_ami_type_names_its_architecture(ami_type: str, processor: str) -> None:
    assert architecture(ami_type) == processor


MODEL = (
    boto3.session.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    .client("eks")
    .meta.service_model
)
# Members that our options name otherwise than AWS, and what no option stands for.
RENAMED = {
    "nodegroupName": "name",
    "subnets": "subnet_ids",
    "nodeRole": "node_role_arn",
    "scalingConfig": "scaling",
    "version": "kubernetes_version",
    "sourceSecurityGroups": "source_security_group_ids",
}
NOT_OPTIONS = {"clientRequestToken"}  # botocore makes it up


def unoffered(shape: Any, spec: Any, inside: str = "") -> list[str]:
    """Members of an input that no option stands for, at any depth."""
    found = []
    for member, inner in shape.members.items():
        name = RENAMED.get(member) or re.sub("([A-Z])", r"_\1", member).lower()
        name = member if inside == "launchTemplate." else name  # a template's version is a version there too
        if member in NOT_OPTIONS:
            continue
        if name not in spec:
            found.append(f"{inside}{member}")
            continue
        nested = inner.member if inner.type_name == "list" else inner
        if nested.type_name == "structure":
            found += unoffered(nested, spec[name]["options"], f"{inside}{member}.")
    return found


@pytest.mark.parametrize("operation", ["CreateNodegroup", "UpdateNodegroupVersion"])
def test_every_member_that_botocore_knows_has_an_option(operation: str) -> None:
    assert unoffered(MODEL.operation_model(operation).input_shape, DOOR.argument_spec) == []


def test_every_member_of_a_change_is_one_of_a_new_group() -> None:
    new, change = (
        MODEL.operation_model(name).input_shape.members for name in ("CreateNodegroup", "UpdateNodegroupConfig")
    )
    assert set(change) <= set(new)
    for member in ("scalingConfig", "updateConfig", "nodeRepairConfig", "warmPoolConfig"):
        assert set(change[member].members) == set(new[member].members)


def test_what_an_older_botocore_does_not_know_is_refused() -> None:
    old = Known(("AL2023_x86_64_STANDARD",), frozenset({"nodeRepairConfig", "nodeRepairConfig.enabled"}))
    wanted = desired(
        node_repair_config={"enabled": True, "max_parallel_nodes_repaired_count": 1},
        warm_pool_config={"enabled": True},
    )
    assert [(problem.option, problem.remedy) for problem in nodegroup_rules.refuse(wanted, old)] == [
        ("node_repair_config", "Update boto3."),
        ("warm_pool_config", "Update boto3."),
    ]
