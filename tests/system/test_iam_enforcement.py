# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With IAM enforced the modules meet each service's own refusal, until the policy allows the call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player

from eksops_emulator.eks.sample import Sample

READS = ["ec2:Describe*", "iam:Get*", "iam:List*", "eks:Describe*", "eks:List*", "sts:GetCallerIdentity"]
ASSOCIATION = {"cluster_name": "one", "namespace": "kube-system", "service_account": "aws-node"}


def be_a_user(sample: Sample, actions: list[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """From now on the environment's keys are a user's, who may do `actions`; what is returned lets him do others."""
    sample.iam.create_user(UserName="deployer")
    key = sample.iam.create_access_key(UserName="deployer")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    def may(allowed: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sample.iam.put_user_policy(UserName="deployer", PolicyName="deploy", PolicyDocument=document)

    may(actions)
    return may


@pytest.mark.parametrize(
    ("module", "given", "action", "code", "writes"),
    [
        (
            "ec2_vpc_ipv6_network",
            {"name": "mine", "vpc": {"cidr_block": "10.9.0.0/16"}, "availability_zones": ["eu-west-1a", "eu-west-1b"]},
            "ec2:CreateVpc",
            "UnauthorizedOperation",
            ["ec2:*"],
        ),
        (
            "iam_oidc_provider",
            {"url": "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"},
            "iam:CreateOpenIDConnectProvider",
            "AccessDenied",
            ["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"],
        ),
        (
            "eks_pod_identity_association",
            ASSOCIATION,
            "eks:CreatePodIdentityAssociation",
            "AccessDeniedException",
            ["eks:CreatePodIdentityAssociation", "iam:PassRole"],
        ),
    ],
)
def test_a_write_that_the_policy_lacks_is_refused(
    player: Player,
    aws: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    given: dict[str, Any],
    action: str,
    code: str,
    writes: list[str],
) -> None:
    sample = Sample(aws)
    if module.startswith("eks"):
        sample.cluster(bootstrapSelfManagedAddons=False)
        given = {**given, "role_arn": sample.cni_role}
    may = be_a_user(sample, READS, monkeypatch)
    player.emulator.journal.clear()
    player.emulator.enforce_iam(True)
    failed = player.fails(module, **given)
    assert code in json.dumps(failed)
    assert action in failed["msg"]
    (refused,) = player.emulator.journal.writes()
    assert (f"{refused.service}:{refused.operation}", refused.status, refused.code) == (action, 403, code)

    player.emulator.enforce_iam(False)
    may(READS + writes)
    player.emulator.enforce_iam(True)
    assert player(module, **given)["changed"] is True
    player.unchanged(module, **given)


@pytest.mark.parametrize(
    ("module", "given", "action"),
    [
        ("ec2_vpc_ipv6_network", {"name": "mine", "state": "absent"}, "ec2:DescribeVpcs"),
        ("iam_oidc_provider", {"url": "https://example.com", "state": "absent"}, "iam:ListOpenIDConnectProviders"),
        ("eks_cluster_info", {}, "eks:ListClusters"),
    ],
)
def test_a_read_that_the_policy_lacks_is_refused(
    player: Player,
    aws: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    given: dict[str, Any],
    action: str,
) -> None:
    be_a_user(Sample(aws), ["sts:GetCallerIdentity"], monkeypatch)
    player.emulator.enforce_iam(True)
    assert action in player.fails(module, **given)["msg"]
