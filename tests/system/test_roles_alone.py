# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles by themselves, in somebody's own playbook, on what was made by other means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from playbook_runs import Playbooks

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

ALIKE = {"wait_interval": 0.01}
IPV4_POLICY = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"


def playbook(directory: Path, role: str) -> str:
    """A playbook of somebody's own that runs one role."""
    modules = ("iam_cni_role", "eks_addon", "eks_pod_identity_association", "eks_nodegroup")
    play = {
        "name": "A play of one role",
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {f"eksops.ipv6.{module}": ALIKE for module in modules},
        "roles": [{"role": f"eksops.ipv6.{role}"}],
    }
    path = directory / f"{role}.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return str(path)


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    return Playbooks(emulator, tmp_path)


@pytest.mark.slow
def test_the_cni_s_permissions_move_from_the_nodes_role_to_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(kubernetes=True) as emulator:
        for variable, value in emulator.environment.items():
            monkeypatch.setenv(variable, value)
        move_permissions(Playbooks(emulator, tmp_path), partial(boto3.client, endpoint_url=emulator.url), tmp_path)


def move_permissions(playbooks: Playbooks, aws: Callable[..., Any], tmp_path: Path) -> None:
    world = Sample(aws)
    world.cluster("theirs", bootstrapSelfManagedAddons=False)
    world.role("theirs-node", "ec2.amazonaws.com", ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"))
    document = {"eks_cni_cluster_name": "theirs", "eks_cni_detach_from": ["theirs-node"]}
    name = playbook(tmp_path, "eks_cni")

    planned = playbooks(name, document, check=True)
    applied = playbooks(name, document)
    # A role that is yet to be made cannot tell in check mode what it will take off another.
    assert applied.writes == [*planned.steps, ("iam", "DetachRolePolicy")]
    left = aws("iam").list_attached_role_policies(RoleName="theirs-node")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in left] == ["AmazonEKSWorkerNodePolicy"]
    again = playbooks(name, document)
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)

    aws("iam").attach_role_policy(RoleName="theirs-node", PolicyArn=IPV4_POLICY)
    planned = playbooks(name, document, check=True)
    assert playbooks(name, document).writes == planned.steps == [("iam", "DetachRolePolicy")]


def test_a_role_says_what_it_was_not_given(playbooks: Playbooks, tmp_path: Path) -> None:
    run = playbooks(playbook(tmp_path, "eks_cluster"), {"eks_cluster_name": "new"}, may_fail=True)
    assert run.returncode != 0
    assert run.writes == []
    assert "role_arn" in run.plan["failures"][0]["message"]
    assert "subnet_ids" in run.plan["failures"][0]["message"]


def test_a_wait_for_a_rollout_that_outlasts_a_token_is_refused(playbooks: Playbooks, tmp_path: Path) -> None:
    document = {"eks_cni_cluster_name": "new", "eks_cni_rollout_retries": 100, "eks_cni_rollout_delay": 10}
    run = playbooks(playbook(tmp_path, "eks_cni"), document, may_fail=True)
    assert run.returncode != 0
    assert run.writes == []
    assert "840 seconds" in run.output
