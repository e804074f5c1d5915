# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: what a client sees, and what happened nevertheless."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from eksops_emulator import Emulator, EmulatorClient, Fault
from eksops_emulator.eks.sample import Sample

Aws = Callable[..., Any]


def code_of(call: Callable[..., Any], **given: Any) -> str:
    """The error code that the call ends in."""
    with pytest.raises(ClientError) as refusal:
        call(**given)
    return str(refusal.value.response["Error"]["Code"])


def vpcs(aws: Aws) -> int:
    """How many VPCs there are besides the default one."""
    return len(aws("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"])


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("ec2", "describe_vpcs", {}, "RequestLimitExceeded"),
        ("iam", "list_roles", {}, "Throttling"),
        ("eks", "list_clusters", {}, "ThrottlingException"),
        ("ssm", "describe_parameters", {}, "ThrottlingException"),
        ("autoscaling", "describe_auto_scaling_groups", {}, "Throttling"),
    ],
)
def test_throttling_speaks_the_service_s_protocol(
    emulator: Emulator, aws: Aws, service: str, operation: str, given: dict[str, Any], code: str
) -> None:
    emulator.fault(service, kind="throttle")
    assert code_of(getattr(aws(service), operation), **given) == code
    getattr(aws(service), operation)(**given)


def test_botocore_retries_a_throttled_call(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "throttle", count=1)
    patient = aws("ec2", retries={"mode": "standard", "total_max_attempts": 3})
    patient.create_vpc(CidrBlock="10.0.0.0/16")
    assert [(call.code, call.fault) for call in emulator.journal.writes()] == [
        ("RequestLimitExceeded", "throttle"),
        (None, None),
    ]


def test_an_error_strikes_so_often_after_so_many(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "error", count=2, after=1, status=400, code="VpcLimitExceeded", message="full")
    codes = []
    for number in range(4):
        try:
            aws("ec2").create_vpc(CidrBlock=f"10.{number}.0.0/16")
            codes.append("")
        except ClientError as refusal:
            codes.append(refusal.response["Error"]["Code"])
    assert codes == ["", "VpcLimitExceeded", "VpcLimitExceeded", ""]
    assert vpcs(aws) == 2


def test_a_fault_can_be_for_certain_parameters(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "error", match={"CidrBlock": "10.1.0.0/16"}, code="Mine", status=400)
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert code_of(aws("ec2").create_vpc, CidrBlock="10.1.0.0/16") == "Mine"


def test_a_reset_call_did_nothing(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "reset")
    with pytest.raises((ConnectionClosedError, ConnectionError)):
        aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert vpcs(aws) == 0


def test_a_call_with_a_lost_reply_took_effect(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "lost_reply")
    with pytest.raises(ConnectionClosedError):
        aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert vpcs(aws) == 1
    assert [(call.fault, call.status) for call in emulator.journal.writes()] == [("lost_reply", 200)]


def test_latency_delays_the_call(emulator: Emulator, aws: Aws) -> None:
    aws("ec2").describe_vpcs()
    emulator.fault("ec2", "DescribeVpcs", "latency", seconds=0.3)
    started = time.monotonic()
    aws("ec2").describe_vpcs()
    assert time.monotonic() - started >= 0.3


def test_a_halted_run_writes_no_more(emulator: Emulator, aws: Aws) -> None:
    """Only writes that succeeded count, and reads still pass."""
    emulator.fault(kind="halt", after=2)
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert code_of(aws("ec2").create_vpc, CidrBlock="10.0.0.0/8") == "InvalidVpc.Range"
    aws("iam").create_user(UserName="u")
    assert code_of(aws("ec2").create_vpc, CidrBlock="10.1.0.0/16") == "EmulatorHalted"
    assert code_of(aws("eks").delete_cluster, name="x") == "EmulatorHalted"
    assert vpcs(aws) == 1
    emulator.faults.clear()
    aws("ec2").create_vpc(CidrBlock="10.1.0.0/16")
    assert vpcs(aws) == 2


def test_a_stale_read_shows_what_was(emulator: Emulator, aws: Aws) -> None:
    assert vpcs(aws) == 0
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    emulator.fault("ec2", "DescribeVpcs", "stale", count=2)
    assert [vpcs(aws) for _unused in range(3)] == [0, 0, 1]


def test_a_stale_read_that_was_never_made_passes(emulator: Emulator, aws: Aws) -> None:
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    emulator.fault("ec2", "DescribeVpcs", "stale", count=1)
    assert vpcs(aws) == 1


def test_a_new_vpc_is_not_found_for_some_reads(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "not_found_for", reads=2)
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert vpcs(aws) == 0
    assert code_of(aws("ec2").describe_vpcs, VpcIds=[vpc]) == "InvalidVpcID.NotFound"
    assert vpcs(aws) == 1


def test_writes_that_name_it_don_t_find_it_when_asked(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("ec2", "CreateVpc", "not_found_for", reads=1, writes=True)
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert code_of(aws("ec2").create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24") == "InvalidVpcID.NotFound"
    aws("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")


def test_a_new_role_is_not_found_for_some_reads(emulator: Emulator, aws: Aws) -> None:
    emulator.fault("iam", "CreateRole", "not_found_for", reads=1)
    statement = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    with pytest.raises(ClientError, match=r"\(NoSuchEntity\).* The role with name r cannot be found\."):
        aws("iam").get_role(RoleName="r")
    assert aws("iam").get_role(RoleName="r")["Role"]["RoleName"] == "r"


def test_a_new_role_cannot_be_assumed_yet(emulator: Emulator, aws: Aws) -> None:
    """EKS refuses it as it refuses a role that trusts somebody else; set over HTTP, as another process would."""
    sample = Sample(aws)
    EmulatorClient(emulator.url).fault("iam", "CreateRole", "not_assumable_for", reads=2)
    request = sample.cluster_request()
    with pytest.raises(ClientError, match=r"InvalidParameterException.*could not be assumed because it does not exist"):
        aws("eks").create_cluster(**request)
    assert code_of(aws("sts").assume_role, RoleArn=sample.cluster_role, RoleSessionName="session") == "AccessDenied"
    assert aws("eks").create_cluster(**request)["cluster"]["status"] == "CREATING"
    assert aws("sts").assume_role(RoleArn=sample.cluster_role, RoleSessionName="session")["Credentials"]


def test_a_new_cluster_and_its_list_lag_behind(emulator: Emulator, aws: Aws) -> None:
    """Faults meet EKS as they meet EC2, each by operation and count."""
    sample = Sample(aws)
    request = sample.cluster_request()
    assert aws("eks").list_clusters()["clusters"] == []
    emulator.fault("eks", "CreateCluster", "not_found_for", reads=1)
    emulator.fault("eks", "ListClusters", "stale", count=1)
    aws("eks").create_cluster(**request)
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*No cluster found for name: one\."):
        aws("eks").describe_cluster(name="one")
    assert aws("eks").describe_cluster(name="one")["cluster"]["status"] == "CREATING"
    assert [aws("eks").list_clusters()["clusters"] for _unused in range(2)] == [[], ["one"]]


@pytest.mark.parametrize("kind", ["throttle", "error", "reset", "latency", "lost_reply"])
def test_a_fault_set_over_http_is_for_one_operation_and_so_many_calls(emulator: Emulator, aws: Aws, kind: str) -> None:
    client = EmulatorClient(emulator.url)
    client.fault("iam", "ListRoles", kind, count=2, seconds=0.01)
    aws("iam").list_users()
    aws("ec2").describe_vpcs()
    answered = []
    for _unused in range(3):
        try:
            aws("iam").list_roles()
            answered.append(True)
        except (BotoCoreError, ClientError, ConnectionError):
            answered.append(False)
    assert answered == [kind == "latency", kind == "latency", True]
    assert [call.fault for call in client.journal()] == [None, None, kind, kind, None]
    (left,) = client.faults()
    assert (left["kind"], left["struck"]) == (kind, 2)
    client.clear_faults()
    assert client.faults() == []


def test_what_a_fault_cannot_be() -> None:
    with pytest.raises(ValueError, match="not one of"):
        Fault(kind="flood")
    with pytest.raises(ValueError, match="needs a service"):
        Fault("ssm", "PutParameter", "not_found_for")
    with pytest.raises(ValueError, match="needs the service iam"):
        Fault("eks", "CreateCluster", "not_assumable_for")
    with pytest.raises(ValueError, match="unknown fault fields: often"):
        Fault.from_dict({"often": 1})
