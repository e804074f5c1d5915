# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a server: journal, control, client, command line, and how it guards itself."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.iam import models as iam_models
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import IAMBackend
from moto.ssm.models import ParameterDict

from eksops_emulator import Emulator, EmulatorClient, autoscaling, ec2, iam, overlay, ssm
from eksops_emulator.eks.sample import Sample
from eksops_emulator.journal import is_write
from eksops_emulator.kubernetes import KubernetesAPI

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(overlay.__file__).parents[1])}


def test_a_call_is_in_the_journal_as_boto3_made_it(emulator: Emulator, aws: Callable[..., Any]) -> None:
    """Parameters keep their types in every protocol: query (EC2, IAM), JSON (SSM), REST-JSON (EKS)."""
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True, TagSpecifications=tags)
    aws("iam").list_roles(MaxItems=7)
    aws("ssm").describe_parameters(MaxResults=5)
    aws("eks", "eu-west-2").list_clusters(maxResults=9)
    assert [(call.n, call.service, call.operation, call.request, call.region) for call in emulator.journal.calls] == [
        (
            1,
            "ec2",
            "CreateVpc",
            {"CidrBlock": "10.0.0.0/16", "AmazonProvidedIpv6CidrBlock": True, "TagSpecifications": tags},
            "eu-west-1",
        ),
        (2, "iam", "ListRoles", {"MaxItems": 7}, "eu-west-1"),
        (3, "ssm", "DescribeParameters", {"MaxResults": 5}, "eu-west-1"),
        (4, "eks", "ListClusters", {"maxResults": 9}, "eu-west-2"),
    ]
    assert [call.operation for call in emulator.journal.writes()] == ["CreateVpc"]
    assert all(call.ok and call.end >= call.start for call in emulator.journal.calls)


def test_a_refused_write_is_in_the_journal_with_its_code(emulator: Emulator, aws: Callable[..., Any]) -> None:
    with pytest.raises(aws("ec2").exceptions.ClientError):
        aws("ec2").create_vpc(CidrBlock="10.0.0.0/8")
    with pytest.raises(aws("eks").exceptions.ClientError):
        aws("eks").delete_cluster(name="none")
    assert [(call.status, call.code) for call in emulator.journal.writes()] == [
        (400, "InvalidVpc.Range"),
        (404, "ResourceNotFoundException"),
    ]
    assert emulator.journal.writes(ok_only=True) == []


@pytest.mark.parametrize(
    ("operation", "request_", "write"),
    [
        ("CreateVpc", {}, True),
        ("CreateVpc", {"DryRun": True}, False),
        ("DescribeVpcs", {}, False),
        ("GetRole", {}, False),
        ("SearchTransitGatewayRoutes", {}, False),
        ("AssumeRole", {}, False),
        ("AssumeRoleWithWebIdentity", {}, False),
        ("SimulatePrincipalPolicy", {}, False),
        ("TagResource", {}, True),
        ("AttachRolePolicy", {}, True),
    ],
)
def test_what_a_write_is(operation: str, request_: dict[str, Any], write: bool) -> None:
    assert is_write(operation, request_) is write


def test_the_client_says_what_the_emulator_knows(emulator: Emulator, aws: Callable[..., Any]) -> None:
    client = EmulatorClient(emulator.url)
    aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    aws("ec2").describe_vpcs()
    assert [call.operation for call in client.journal()] == ["CreateVpc", "DescribeVpcs"]
    assert [call.operation for call in client.writes(ok_only=True)] == ["CreateVpc"]
    assert client.health() == {"status": "ok", "calls": 2, "drift": 0}
    assert client.drift() == []
    client.clear()
    assert client.journal() == []
    assert aws("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    pool = client.ipv6_pool("2001:db8::/40")
    assert aws("ec2").describe_ipv6_pools()["Ipv6Pools"][0]["PoolId"] == pool
    acl = aws("ec2").describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    entry = {"RuleNumber": 1, "Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "192.0.2.0/24"}
    client.network_acl_quota(2)
    with pytest.raises(aws("ec2").exceptions.ClientError, match="NetworkAclEntryLimitExceeded"):
        aws("ec2").create_network_acl_entry(NetworkAclId=acl, **entry)
    client.reset()
    assert aws("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"] == []


def test_the_client_passes_on_a_refusal(emulator: Emulator) -> None:
    client = EmulatorClient(emulator.url)
    with pytest.raises(ValueError, match="kind 'nonsense' is not one of"):
        client.fault("ec2", "CreateVpc", "nonsense")
    with pytest.raises(ValueError, match="unknown model 'eks::nothing'"):
        client.transitions("eks::nothing", times=1)
    with pytest.raises(ValueError, match="no such verb"):
        client._call("POST", "/nothing")


def test_a_seed_repeats_the_ids(emulator: Emulator, aws: Callable[..., Any]) -> None:
    made = []
    for _unused in range(2):
        emulator.reset()
        aws("ec2").describe_vpcs()
        emulator.seed(7)
        made.append(aws("ec2").create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"])
    assert made[0]["VpcId"] == made[1]["VpcId"]


def test_threads_lose_nothing(emulator: Emulator, aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2", max_pool_connections=8)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24"), range(40)))
    assert len(ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]) == 40
    assert sorted(call.n for call in emulator.journal.calls) == list(range(1, 43))


def test_accounts_are_apart(emulator: Emulator, aws: Callable[..., Any]) -> None:
    """A role of another account leads into that account."""
    arn = "arn:aws:iam::210987654321:role/other"
    role = aws("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    other = boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=emulator.url,
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    made = other.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
    assert made["OwnerId"] == "210987654321"
    assert made["VpcId"] not in [item["VpcId"] for item in aws("ec2").describe_vpcs()["Vpcs"]]
    assert emulator.journal.calls[1].account == "210987654321"


def test_an_operation_that_is_not_emulated_is_a_501(emulator: Emulator, aws: Callable[..., Any]) -> None:
    with pytest.raises(aws("ec2").exceptions.ClientError) as refusal:
        aws("ec2").describe_capacity_blocks()
    answer = refusal.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (501, "NotImplemented")


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
)
def test_arns_name_their_partition_and_account(
    emulator: Emulator, aws: Callable[..., Any], region: str, partition: str
) -> None:
    account = "210987654321"
    arn = f"arn:{partition}:iam::{account}:role/other"
    keys = aws("sts", region).assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]

    def other(service: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=emulator.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    sample = Sample(other, ipv6=partition != "aws-cn")  # where EKS has no IPv6
    cluster = sample.cluster()
    assert cluster["arn"] == f"arn:{partition}:eks:{region}:{account}:cluster/one"
    assert sample.cluster_role == f"arn:{partition}:iam::{account}:role/cluster"
    subnet = other("ec2").describe_subnets(SubnetIds=cluster["resourcesVpcConfig"]["subnetIds"][:1])["Subnets"][0]
    assert subnet["SubnetArn"].startswith(f"arn:{partition}:ec2:{region}:{account}:subnet/")
    attached = other("iam").list_attached_role_policies(RoleName="cluster")["AttachedPolicies"]
    assert {item["PolicyArn"].split(":policy/")[0] for item in attached} == {f"arn:{partition}:iam::aws"}
    assert other("sts").get_caller_identity()["Arn"] == f"arn:{partition}:sts::{account}:assumed-role/other/session"
    assert emulator.journal.calls[-1].account == account


def test_start_takes_under_three_seconds() -> None:
    """Counted in processor time, of three starts the quickest: a start waits for nothing, and the machine is shared."""
    script = "import time; from eksops_emulator import Emulator; Emulator().start().stop(); print(time.process_time())"
    seconds = []
    for _unused in range(3):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=True
        )
        seconds.append(float(done.stdout))
        if seconds[-1] < 3:
            break
    assert min(seconds) < 3, seconds


def test_reset_takes_under_half_a_second(emulator: Emulator, aws: Callable[..., Any]) -> None:
    """Together with the first calls after it, where what a reset leaves undone would be made up for."""
    seconds = []
    for _unused in range(5):
        for region in ("eu-west-1", "us-east-1"):
            aws("ec2", region).describe_vpcs()
            aws("iam", region).list_roles()
        started = time.monotonic()
        emulator.reset()
        aws("ec2").describe_vpcs()
        aws("iam").list_roles()
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.5, seconds


def test_a_typical_call_takes_under_ten_milliseconds(emulator: Emulator, aws: Callable[..., Any]) -> None:
    """Reads and writes of each service; of twenty the quickest, since other work may hold one up."""
    sample = Sample(aws)
    cluster = sample.cluster()
    vpc = cluster["resourcesVpcConfig"]["vpcId"]
    statement = {"Effect": "Allow", "Action": "ec2:DescribeSubnets", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    emulator.journal.clear()
    for number in range(20):
        aws("ec2").describe_vpcs(VpcIds=[vpc])
        aws("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        aws("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        aws("ec2").create_security_group(VpcId=vpc, GroupName=f"g{number}", Description="d")
        aws("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "n", "Value": str(number)}])
        aws("iam").get_role(RoleName="cluster")
        aws("iam").create_policy(PolicyName=f"p{number}", PolicyDocument=document)
        aws("eks").describe_cluster(name="one")
        aws("eks").tag_resource(resourceArn=cluster["arn"], tags={"n": str(number)})
        aws("autoscaling").describe_auto_scaling_groups()
        aws("ssm").get_parameter(Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64")
        aws("sts").get_caller_identity()
    quickest: dict[str, float] = {}
    for call in emulator.journal.calls:
        assert call.ok, str(call)
        quickest[call.operation] = min(call.end - call.start, quickest.get(call.operation, 1.0))
    assert len(quickest) == 12
    assert {name: seconds for name, seconds in quickest.items() if seconds >= 0.01} == {}


def _listening() -> dict[int, str]:
    """Port to address of every TCP socket on which this process listens, as the kernel knows them."""
    inodes = {os.readlink(item.path) for item in os.scandir("/proc/self/fd") if os.path.islink(item.path)}
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[1].split(":")
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found[int(port, 16)] = address
    return found


def test_only_loopback_is_bound(emulator: Emulator) -> None:
    with KubernetesAPI() as cluster:
        ports = {emulator.get_host_and_port()[1], int(cluster.url.rpartition(":")[2])}
        listening = _listening()
    assert ports <= set(listening)
    assert {socket.inet_ntoa(bytes.fromhex(address)[::-1]) for address in listening.values()} == {"127.0.0.1"}


def test_a_port_that_is_taken_is_said_and_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "eksops_emulator", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"can't listen at 127.0.0.1:{port}" in ended.stderr


def _owner(kind: Any, name: str) -> Any:
    """The class or module that holds the attribute."""
    return next(item for item in getattr(kind, "__mro__", [kind]) if name in vars(item))


@pytest.mark.parametrize(
    ("service", "holder", "name"),
    [
        (ec2, EC2Backend, "create_subnet"),
        (ec2, EC2Backend, "associate_subnet_cidr_block"),
        (ec2, EC2Response, "describe_subnets"),
        (ec2, EC2Response, "_process_rules_from_querystring"),
        (iam, IAMBackend, "_init_managed_policies"),
        (iam, IAMRequestBase, "check_action_permitted"),
        (iam, iam_models, "get_account_id_from"),
        (ssm, ParameterDict, "_check_loading_status"),
        (autoscaling, FakeAutoScalingGroup, "replace_autoscaling_group_instances"),
    ],
)
def test_a_moto_that_lacks_what_is_replaced_is_refused(
    monkeypatch: pytest.MonkeyPatch, service: Any, holder: Any, name: str
) -> None:
    monkeypatch.delattr(_owner(holder, name), name)
    with pytest.raises(RuntimeError, match=rf"moto has changed: .* has no {name};"):
        service.install()


def test_all_that_is_replaced_in_ec2_is_asked_for() -> None:
    """A method that stands in front of one of moto's is in the list that install() goes through."""
    for strict, of_moto, asked in (
        (ec2.StrictEC2Backend, EC2Backend, ec2._BACKEND),
        (ec2.StrictEC2Response, EC2Response, ec2._RESPONSE),
    ):
        ours = {name for kind in strict.__mro__ if kind.__module__.startswith("eksops") for name in vars(kind)}
        replaced = {name for name in ours if not name.startswith("__") and callable(getattr(of_moto, name, None))}
        assert replaced - set(asked) == set()


def test_a_moto_that_moved_ends_the_command_at_start() -> None:
    script = (
        "from moto.ec2.models.vpcs import VPCBackend; del VPCBackend.create_vpc\n"
        "from eksops_emulator.cli import main; main(['--port', '0'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "moto has changed:" in ended.stderr
    assert "has no create_vpc;" in ended.stderr


@pytest.mark.parametrize(("number", "kubernetes"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_the_command_serves_until_it_is_told_to_end(number: int, kubernetes: bool) -> None:
    command = [sys.executable, "-m", "eksops_emulator", "--port", "0", "--seed", "1", "--polls", "1"]
    command += [] if kubernetes else ["--no-kubernetes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        lines = []
        while not lines or lines[-1].strip() or len(lines) < 5:
            lines.append(process.stdout.readline())
            assert lines[-1], "the emulator ended by itself"
        text = "".join(lines)
        found = re.search(r"export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:(\d+))", text)
        assert found is not None, text
        assert ("export KUBECONFIG=" in text) is kubernetes
        assert EmulatorClient(found.group(1)).health()["status"] == "ok"
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert "The emulator has ended." in process.stdout.read()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found.group(2)))) != 0
