# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role eks_cni looks at what runs: a CNI that somebody has broken, or whose calls IAM denies, is told."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from harness import Player
from playbook_runs import Playbooks, Run

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

CLUSTER = "production"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
VERSION = "v1.22.4-eksbuild.1"
DENIAL = {"Effect": "Deny", "Action": "ec2:DescribeSubnets", "Resource": "*"}


class Cni:
    """A CNI with nodes, in a cluster whose API answers, and ways to break it."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.playbooks = Playbooks(emulator, directory)
        self.world = Sample(partial(boto3.client, endpoint_url=emulator.url, **KEYS))
        self.world.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
        player = Player(emulator)
        role = player("iam_cni_role", cluster_name=CLUSTER)["cni_role"]["arn"]
        for name in ("eks-pod-identity-agent", "kube-proxy"):
            player("eks_addon", cluster_name=CLUSTER, name=name)
        association = {"namespace": "kube-system", "service_account": "aws-node", "role_arn": role}
        player("eks_pod_identity_association", cluster_name=CLUSTER, **association)
        player("eks_addon", cluster_name=CLUSTER, name="vpc-cni", addon_version=VERSION)
        assert self.world.nodegroup("workers", CLUSTER)["status"] == "ACTIVE"
        assert emulator.kubernetes
        found = emulator.kubernetes.get(CLUSTER)
        assert found
        self.api = found

    def change(self, **spec: Any) -> None:
        """Somebody's patch of the DaemonSet's pods; its pods start anew."""
        template = {"metadata": {"annotations": {"by": json.dumps(spec)}}, "spec": spec}
        self.api.objects.patch("DaemonSet", "aws-node", {"spec": {"template": template}})

    def deny(self) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [DENIAL]})
        self.world.iam.put_role_policy(RoleName=f"{CLUSTER}-cni", PolicyName="denial", PolicyDocument=document)

    def allow(self) -> None:
        self.world.iam.delete_role_policy(RoleName=f"{CLUSTER}-cni", PolicyName="denial")

    def looked_at(self) -> Run:
        """A run of the role that changes nothing and looks."""
        role = {
            "role": "eksops.ipv6.eks_cni",
            "eks_cni_cluster_name": CLUSTER,
            "eks_cni_read_back": "always",
            "eks_cni_rollout_retries": 4,
            "eks_cni_rollout_delay": 0,
        }
        path = self.playbooks.directory / "look.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "roles": [role]}]))
        run = self.playbooks(str(path), {}, may_fail=True)
        assert run.writes == []
        return run


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    with Emulator(kubernetes=True) as emulator:
        for name, value in {**emulator.environment, "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield Cni(emulator, tmp_path)
        assert emulator.drift == []


@pytest.mark.slow
def test_what_somebody_broke_is_told(found: Cni) -> None:
    found.change(
        initContainers=[{"name": "aws-vpc-cni-init", "image": "registry.example/amazon-k8s-cni-init:v1.20.0"}],
        containers=[{"name": "aws-node", "env": [{"name": "ENABLE_IPv6", "value": "false"}]}],
    )
    broken = found.looked_at()
    assert broken.returncode != 0
    for text in (
        "The CNI does not run as it was asked for",
        "aws-node.ENABLE_IPv6: is 'false', an IPv6 cluster needs 'true'.",
        f"aws-vpc-cni-init is at v1.20.0, {VERSION} was asked for.",
        "aws-node is in CrashLoopBackOff",
        "rollout: ",
    ):
        assert text in broken.output, text


@pytest.mark.slow
def test_what_iam_denies_is_told_until_it_is_mended(found: Cni) -> None:
    found.deny()
    found.change()
    denied = found.looked_at()
    assert denied.returncode != 0
    for text in ("aws-node is in CrashLoopBackOff", "MissingIAMPermissions: ", "ec2:DescribeSubnets"):
        assert text in denied.output, text
    found.allow()
    found.change(terminationGracePeriodSeconds=11)
    mended = found.looked_at()
    assert (mended.returncode, "The CNI runs as it was asked for" in mended.output) == (0, True), mended.output
