# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service held to botocore's model, and the parts that do it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model
from moto.moto_api import state_manager

from eksops_emulator import Emulator, drift, eks
from eksops_emulator.eks import life
from eksops_emulator.eks.backend import EksBackend
from eksops_emulator.eks.errors import BadShape, ResourceInUse
from eksops_emulator.eks.life import Life
from eksops_emulator.eks.policy import Iam
from eksops_emulator.eks.sample import Sample
from eksops_emulator.eks.shapes import read_request, request_problem, response_problems
from eksops_emulator.eks.state import State

Aws = Callable[..., Any]

NOT_EMULATED = {
    "ActivateCertificateAuthority",
    "CreateCapability",
    "CreateCertificateAuthority",
    "CreateEksAnywhereSubscription",
    "DeleteCapability",
    "DeleteCertificateAuthority",
    "DeleteEksAnywhereSubscription",
    "DeregisterCluster",
    "DescribeCapability",
    "DescribeCertificateAuthority",
    "DescribeEksAnywhereSubscription",
    "ListCapabilities",
    "ListCertificateAuthorities",
    "ListEksAnywhereSubscriptions",
    "RegisterCluster",
    "UpdateCapability",
    "UpdateEksAnywhereSubscription",
}


def operation(name: str) -> Any:
    return get_service_model("eks").operation_model(name)


def test_every_other_operation_is_emulated() -> None:
    names = get_service_model("eks").operation_names
    missing = {name for name in names if not hasattr(EksBackend, xform_name(name))}
    assert missing == NOT_EMULATED
    assert len(names) - len(missing) >= 50


def test_what_is_not_emulated_says_so(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        aws("eks").list_capabilities(clusterName="one")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "does not emulate eks:ListCapabilities" in caught.value.response["Error"]["Message"]


def test_the_readme_lists_what_is_not_emulated() -> None:
    text = Path(eks.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert {name for name in NOT_EMULATED if f"`{name}`" not in text} == set()
    for model in life.MODELS:
        assert f"`{model}`" in text


def test_no_two_parts_of_the_backend_share_a_name() -> None:
    """They are one object: a second `_created` would quietly take the first one's place."""
    parts = [part for part in EksBackend.__mro__[1:] if issubclass(part, State) and part is not State]
    names = Counter(name for part in parts for name in vars(part) if not name.startswith("__"))
    assert {name: count for name, count in names.items() if count > 1} == {}


def test_an_answer_that_leaves_the_model_is_drift(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"clusters": ["a"], "surprise": 1}
    monkeypatch.setattr(EksBackend, "list_clusters", lambda *_unused: answer)
    with pytest.raises(ClientError) as caught:
        aws("eks").list_clusters()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert drift.DRIFT == ["emulator drift: eks:ListClusters: answer: unknown member surprise"]
    drift.DRIFT.clear()


def test_an_undocumented_error_is_drift(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_unused: Any) -> None:
        raise ResourceInUse("no", clusterName="one")

    monkeypatch.setattr(EksBackend, "list_clusters", refuse)
    with pytest.raises(ClientError):
        aws("eks").list_clusters()
    assert drift.DRIFT == [
        "emulator drift: eks:ListClusters: ResourceInUseException is no documented error (no)",
    ]
    drift.DRIFT.clear()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"cluster": {"status": "WEIRD"}}, "cluster.status: 'WEIRD' is not in the enum"),
        ({"cluster": {"tags": ["a"]}}, "cluster.tags: ['a'] is no map"),
        ({"cluster": {"createdAt": "today"}}, "cluster.createdAt: 'today' is no timestamp"),
        ({"cluster": {"deletionProtection": 1}}, "cluster.deletionProtection: 1 is no boolean"),
        ({"cluster": {"encryptionConfig": [{"key": "x"}]}}, "cluster.encryptionConfig[0]: unknown member key"),
        ({"cluster": {"outpostConfig": {}}}, "cluster.outpostConfig.outpostArns: missing"),
    ],
)
def test_response_problems(answer: dict[str, Any], problem: str) -> None:
    assert problem in response_problems(operation("DescribeCluster").output_shape, answer)


def test_lower_limits_do_not_bind_answers() -> None:
    """AWS itself answers empty tags, though TagMap has one entry at least."""
    shape = operation("DescribeCluster").output_shape
    assert response_problems(shape, {"cluster": {"tags": {}, "createdAt": datetime.now(UTC)}}) == []


@pytest.mark.parametrize(
    ("name", "request_", "text"),
    [
        ("CreateCluster", {"name": "a", "roleArn": "r"}, "Value null at 'resourcesVpcConfig'"),
        (
            "CreateCluster",
            {"name": 1, "roleArn": "r", "resourcesVpcConfig": {}},
            "'name' must be a string, not integer",
        ),
        ("CreateCluster", {"name": "a" * 101, "roleArn": "r", "resourcesVpcConfig": {}}, "less than or equal to 100"),
        ("CreateCluster", {"name": "_", "roleArn": "r", "resourcesVpcConfig": {}}, "regular expression pattern"),
        ("ListClusters", {"maxResults": 101}, "Member must have value less than or equal to 100"),
        ("UntagResource", {"resourceArn": "a", "tagKeys": []}, "length greater than or equal to 1"),
        (
            "UpdateNodegroupConfig",
            {
                "clusterName": "a",
                "nodegroupName": "b",
                "taints": {"addOrUpdateTaints": [{"key": "k", "effect": "NoSchedule"}]},
            },
            "Value 'NoSchedule' at 'taints.addOrUpdateTaints.1.member.effect'",
        ),
    ],
)
def test_request_problems(name: str, request_: dict[str, Any], text: str) -> None:
    problem = request_problem(operation(name).input_shape, request_)
    assert problem is not None
    assert text in problem


def test_a_request_is_read_from_path_query_and_body() -> None:
    listing = read_request(
        operation("ListPodIdentityAssociations"), {"name": "one"}, {"maxResults": ["5"], "namespace": ["apps"]}, ""
    )
    assert listing == {"clusterName": "one", "maxResults": 5, "namespace": "apps"}
    preserve = read_request(operation("DeleteAddon"), {"name": "one", "addonName": "x"}, {"preserve": ["true"]}, "")
    assert preserve["preserve"] is True
    with pytest.raises(BadShape, match="JSON object"):
        read_request(operation("CreateCluster"), {}, {}, "[]")
    with pytest.raises(BadShape, match="must be an integer"):
        read_request(operation("ListClusters"), {}, {"maxResults": ["many"]}, "")


def test_a_broken_body_is_a_client_error(emulator: Emulator) -> None:
    request = urllib.request.Request(
        f"{emulator.url}/clusters",
        data=b"{",
        headers={
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/eks/aws4_request",
            "Content-Type": "application/json",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    assert caught.value.headers["x-amzn-errortype"] == "InvalidParameterException"


def test_a_life_moves_by_polls_only() -> None:
    state_manager.set_transition("eks::test", {"progression": "manual", "times": 2})
    done: list[str] = []
    one = Life("eks::test", "ACTIVE")
    one.begin("UPDATING", lambda: done.append("x") or "ACTIVE")  # type: ignore[func-returns-value]
    assert [one.state, one.state, one.busy, one.poll()] == ["UPDATING", "UPDATING", True, "UPDATING"]
    assert done == []
    assert [one.poll(), one.poll(), one.busy] == ["ACTIVE", "ACTIVE", False]
    assert done == ["x"]
    state_manager.unset_transition("eks::test")


def test_states_are_settable_over_http(emulator: Emulator, aws: Aws) -> None:
    wanted = {"model_name": "eks::cluster", "transition": {"progression": "manual", "times": 1}}
    request = urllib.request.Request(
        f"{emulator.url}/moto-api/state-manager/set-transition",
        data=json.dumps(wanted).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    sample = Sample(aws)
    sample.eks.create_cluster(**sample.cluster_request())
    assert sample.eks.describe_cluster(name="one")["cluster"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ({"Action": "ec2:AssignIpv6Addresses", "Resource": "*"}, []),
        ({"Action": ["ec2:assignipv6*"], "Resource": ["*"]}, []),
        ({"NotAction": "iam:*", "Resource": "*"}, []),
        ({"Action": "*", "Resource": "arn:aws:ec2:*:*:instance/*"}, ["ec2:AssignIpv6Addresses"]),
        ({"Action": "ec2:Describe*", "Resource": "*"}, ["ec2:AssignIpv6Addresses"]),
        ({"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}, ["ec2:AssignIpv6Addresses"]),
    ],
)
def test_policies_are_evaluated(aws: Aws, statement: dict[str, Any], missing: list[str]) -> None:
    iam = aws("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust})
    )["Role"]["Arn"]
    statements = [{"Effect": "Allow", **statement}]
    if statement.get("Effect") == "Deny":
        statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    policy = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    found = Iam("123456789012", "aws").missing_actions(role, [("ec2:AssignIpv6Addresses", "arn:aws:ec2:::subnet/s")])
    assert found == missing


def test_a_role_that_is_not_there_allows_nothing() -> None:
    assert Iam("123456789012", "aws").missing_actions("arn:aws:iam::123456789012:role/x", [("a:B", "*")]) == ["a:B"]


def test_iam_enforcement(emulator: Emulator, aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster()
    sample.iam.create_user(UserName="reader")
    key = sample.iam.create_access_key(UserName="reader")["AccessKey"]
    statement = {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sample.iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=document)
    session: Any = boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name="eu-west-1"
    )
    reader = session.client("eks", endpoint_url=emulator.url, config=Config(retries={"total_max_attempts": 1}))
    emulator.enforce_iam(True)
    assert reader.describe_cluster(name="one")["cluster"]["name"] == "one"
    with pytest.raises(ClientError) as caught:
        reader.list_clusters()
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert "user/reader is not authorized to perform: eks:ListClusters" in error["Message"]


@pytest.mark.parametrize("may_pass", [True, False])
def test_roles_must_be_passed(emulator: Emulator, aws: Aws, may_pass: bool) -> None:
    sample = Sample(aws)
    request = sample.cluster_request()
    sample.iam.create_user(UserName="deployer")
    key = sample.iam.create_access_key(UserName="deployer")["AccessKey"]
    passed = sample.cluster_role if may_pass else f"{sample.cluster_role}-other"
    statements = [
        {"Effect": "Allow", "Action": "eks:CreateCluster", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": passed},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    sample.iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=document)
    session: Any = boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name="eu-west-1"
    )
    deployer = session.client("eks", endpoint_url=emulator.url, config=Config(retries={"total_max_attempts": 1}))
    emulator.enforce_iam(True)
    if may_pass:
        assert deployer.create_cluster(**request)["cluster"]["status"] == "CREATING"
    else:
        with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
            deployer.create_cluster(**request)


def test_an_assumed_role_is_the_creator(emulator: Emulator, aws: Aws) -> None:
    sample = Sample(aws)
    request = sample.cluster_request()
    role = sample.role("deployer", "ec2.amazonaws.com")
    granted = aws("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    session: Any = boto3.session.Session(
        aws_access_key_id=granted["AccessKeyId"],
        aws_secret_access_key=granted["SecretAccessKey"],
        aws_session_token=granted["SessionToken"],
        region_name="eu-west-1",
    )
    session.client("eks", endpoint_url=emulator.url).create_cluster(**request)
    sample.until(lambda: sample.eks.describe_cluster(name="one")["cluster"])
    assert sample.eks.list_access_entries(clusterName="one")["accessEntries"] == [role]


def test_a_moto_that_moved_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.core.base_backend import BaseBackend

    monkeypatch.setattr(eks, "_installed", False)
    monkeypatch.delattr(BaseBackend, "_url_module")
    with pytest.raises(RuntimeError, match="has no _url_module"):
        eks.install()


def test_calls_are_quick(emulator: Emulator, aws: Aws) -> None:
    """A call takes under 10 ms inside the emulator; of many the quickest counts, since other work may hold one up."""
    sample = Sample(aws)
    sample.cluster()
    for _unused in range(30):
        sample.eks.describe_cluster(name="one")
    times = [call.end - call.start for call in emulator.journal.calls if call.operation == "DescribeCluster"]
    assert min(times) < 0.01
