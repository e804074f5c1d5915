# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module has from the core, shown on one of them: failures told, retries, lost replies, endless waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator.eks.sample import Sample

URL = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = "iam_oidc_provider"
NETWORK = "ec2_vpc_ipv6_network"
SMALL: dict[str, Any] = {
    "name": "small",
    "vpc": {"cidr_block": "10.0.0.0/16"},
    "availability_zones": ["eu-west-1a", "eu-west-1b"],
    "public_subnets": [],
}


def test_a_refused_write_says_what_was_tried_what_aws_answered_and_what_to_do(player: Player) -> None:
    player.emulator.fault(
        "iam", "CreateOpenIDConnectProvider", status=403, code="AccessDenied", message="not authorized"
    )
    failed = player.fails(PROVIDER, url=URL)
    assert "iam:CreateOpenIDConnectProvider on oidc-provider/oidc.eks.eu-west-1" in failed["msg"]
    assert "AWS answered AccessDenied: not authorized." in failed["msg"]
    assert "needs the permission iam:CreateOpenIDConnectProvider" in failed["msg"]
    assert failed["error"] == {
        "code": "AccessDenied",
        "message": "not authorized",
        "operation": "CreateOpenIDConnectProvider",
    }
    assert failed["changed"] is False


def test_a_run_that_stops_halfway_tells_what_is_done_and_what_remains(player: Player) -> None:
    total = operations(player.check(NETWORK, **SMALL)["plan"])
    player.emulator.fault("ec2", "CreateSubnet", status=400, code="SubnetLimitExceeded", message="the maximum", after=1)
    failed = player.fails(NETWORK, **SMALL)
    assert failed["changed"] is True
    done, step, rest = failed["plan"], failed["failed_step"], failed["remaining"]
    assert [*operations(done), (step["service"], step["operation"]), *operations(rest)] == total
    assert step["request"]["VpcId"].startswith("vpc-")
    assert f"{len(done)} of {len(total)} steps are done" in failed["msg"]
    assert "quota" in failed["msg"]


def test_a_read_that_fails_is_told_and_nothing_is_written(player: Player) -> None:
    player.emulator.fault("ec2", "DescribeVpcs", status=403, code="UnauthorizedOperation", message="no", count=None)
    assert "The caller needs the permission ec2:DescribeVpcs" in player.refuses(NETWORK, **SMALL)


def test_a_role_that_may_not_be_passed_is_told_by_the_permission_that_is_missing(
    player: Player, aws: Callable[..., Any]
) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    text = f"User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole on: {sample.cni_role}"
    player.emulator.fault("eks", "CreatePodIdentityAssociation", status=403, code="AccessDeniedException", message=text)
    given = {"cluster_name": "one", "namespace": "kube-system", "service_account": "aws-node"}
    failed = player.fails("eks_pod_identity_association", **given, role_arn=sample.cni_role)
    assert failed["msg"].count("The caller needs the permission iam:PassRole.") == 1


@pytest.mark.parametrize("operation", ["CreateVpc", "DescribeVpcs"])
def test_calls_that_stay_throttled_are_no_quota_and_not_lost(player: Player, operation: str) -> None:
    player.emulator.fault("ec2", operation, "throttle", count=None)
    failed = player.fails(NETWORK, **SMALL)
    assert "AWS limits the rate of calls" in failed["msg"]
    assert "quota" not in failed["msg"] and "Whether AWS carried" not in failed["msg"]


def test_a_read_that_is_lost_has_carried_nothing_out(player: Player) -> None:
    player.emulator.fault("ec2", "DescribeVpcs", "reset", count=None)
    failed = player.fails(NETWORK, **SMALL)
    assert "could not read what exists" in failed["msg"] and "Whether AWS carried" not in failed["msg"]


def test_an_empty_name_is_refused_and_never_taken_for_all_there_are(player: Player, aws: Callable[..., Any]) -> None:
    sample = Sample(aws)
    sample.cluster(bootstrapSelfManagedAddons=False)
    given = {"cluster_name": "one", "namespace": "apps", "service_account": "web"}
    player("eks_pod_identity_association", **given, role_arn=sample.cni_role)
    gone = {**given, "namespace": "", "service_account": "", "state": "absent"}
    msg = player.refuses("eks_pod_identity_association", **gone)
    assert "namespace: is empty." in msg and "service_account: is empty." in msg
    assert player.refuses("eks_addon", cluster_name="", name="coredns") == "cluster_name: is empty. Give it a value."
    assert player.refuses("eks_cluster", name="", state="absent").startswith("name: is empty.")
    player.unchanged("eks_pod_identity_association", **given, role_arn=sample.cni_role)


def test_a_tag_that_yaml_made_a_number_is_a_text_and_one_without_a_value_is_refused(
    player: Player, aws: Callable[..., Any]
) -> None:
    player.converge(PROVIDER, url=URL, tags={"cost-center": 1234, "audited": True})
    (found,) = aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    tags = aws("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=found["Arn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"cost-center": "1234", "audited": "True"}
    assert player.refuses(PROVIDER, url=URL, tags={"owner": None}).startswith("tags: owner has no text")


def test_throttled_calls_are_repeated(player: Player) -> None:
    player.emulator.fault("iam", "ListOpenIDConnectProviders", "throttle")
    player.emulator.fault("iam", "CreateOpenIDConnectProvider", "throttle", count=3)
    assert player(PROVIDER, url=URL)["changed"] is True
    assert len(player.emulator.journal.writes(ok_only=True)) == 1


@pytest.mark.parametrize("kind", ["lost_reply", "reset"])
def test_a_create_whose_reply_is_lost_is_not_sent_again(player: Player, kind: str) -> None:
    player.emulator.fault("ec2", "CreateVpc", kind)
    failed = player.fails(NETWORK, **SMALL)
    assert "Whether AWS carried the call out is not known" in failed["msg"]
    assert player.writes() == [("ec2", "CreateVpc")]


def test_a_repeatable_write_whose_reply_is_lost_is_sent_again(player: Player) -> None:
    player.emulator.fault("ec2", "ModifySubnetAttribute", "lost_reply")
    player(NETWORK, **SMALL)
    player.unchanged(NETWORK, **SMALL)


def test_taking_away_what_is_gone_already_is_a_success(player: Player) -> None:
    player(NETWORK, **SMALL)
    player.emulator.fault("ec2", "DeleteSubnet", "lost_reply")
    player(NETWORK, name="small", state="absent")
    player.unchanged(NETWORK, name="small", state="absent")


def test_what_was_just_made_and_is_not_seen_yet_is_asked_for_again(player: Player) -> None:
    player.emulator.fault("ec2", "CreateVpc", "not_found_for", reads=2, writes=True)
    player.emulator.fault("ec2", "CreateSubnet", "not_found_for", reads=2, writes=True, count=None)
    player(NETWORK, **SMALL)
    player.emulator.faults.clear()
    player.unchanged(NETWORK, **SMALL)


def test_a_wait_without_end_ends_with_the_state_and_the_time(player: Player) -> None:
    player.emulator.transitions("ec2::vpc_cidr", progression="manual", times=10_000)
    started = time.monotonic()
    failed = player.fails(NETWORK, **SMALL, wait_timeout=1, wait_interval=0.05)
    assert time.monotonic() - started < 20
    assert "vpc/small is still" in failed["msg"] and "wait_timeout 1 s" in failed["msg"]
    player.emulator.transitions("ec2::vpc_cidr", progression="immediate")
    player.converge(NETWORK, **SMALL)


def test_a_region_is_required(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    failed = player.fails(NETWORK, **SMALL, region=None)
    assert "A region is required" in failed["msg"]


def test_credentials_that_contradict_each_other_are_refused(player: Player) -> None:
    failed = player.fails(PROVIDER, url=URL, profile="x", access_key="a", secret_key="b")
    assert "profile and access tokens" in failed["msg"]


def test_the_calls_made_are_returned_on_request(player: Player, aws: Callable[..., Any]) -> None:
    result = player(PROVIDER, url=URL, debug_botocore_endpoint_logs=True)
    assert result["resource_actions"] == ["iam:CreateOpenIDConnectProvider", "iam:ListOpenIDConnectProviders"]
