# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of the documentation, run as they are written, in an account that has what they take for granted."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Operations
from playbook_runs import Playbooks

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = re.compile(r'^EXAMPLES = r"""\n(.*?)"""', re.MULTILINE | re.DOTALL)
WAITING = ("eks_nodegroup", "eks_fargate_profile", "eks_addon", "eks_access_entry")
FILTERS = {
    "eks_bootstrap_arguments": "production --ip-family ipv6 --service-ipv6-cidr fd30:3087:b6c2::/108",
    "eks_bottlerocket_settings": "cluster-dns-ip = ",
    "eks_cluster_dns_ip": '"msg": "fd30:3087:b6c2::a"',
    "eks_max_pods": '"msg": 110',
    "eks_node_config": "kind: NodeConfig",
}
# The command of AWS's own that an example calls: what it needs of it, over boto3.
AWS_COMMAND = """import json, sys, boto3
ec2 = boto3.client("ec2")
assert sys.argv[1:4] == ["ec2", "describe-instance-types", "--instance-types"]
print(json.dumps({"InstanceTypes": ec2.describe_instance_types(InstanceTypes=sys.argv[4:])["InstanceTypes"]}))
"""
ACCOUNT = "123456789012"
CLUSTER = "production"


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    """A cluster named as the examples name it, whose nodes would become ready, and the roles that they name."""
    sample = Sample(aws)
    sample.way_out()
    sample.cluster(CLUSTER, version="1.35", bootstrapSelfManagedAddons=False)
    sample.cni(CLUSTER)
    node = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
    sample.role("production-node", "ec2.amazonaws.com", node)
    pods = ("AmazonEKSFargatePodExecutionRolePolicy",)
    sample.role("production-fargate", "eks-fargate-pods.amazonaws.com", pods)
    for person in ("developers", "administrators"):
        sample.role(person, "ec2.amazonaws.com")
    return sample


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    return Playbooks(emulator, tmp_path)


def here(text: str, world: Sample) -> str:
    """An example with this account's ids for those that it makes up."""
    found = text.replace("111122223333", ACCOUNT)
    subnets = sorted(set(re.findall(r"subnet-[0-9a-f]{17}", found)))
    assert len(subnets) <= len(world.private)
    for made_up, real in zip(subnets, world.private, strict=False):
        found = found.replace(made_up, real)
    return found


def written(directory: Path, plays: list[dict[str, Any]]) -> str:
    """The plays as a file. They poll at once: the emulator needs no time."""
    for play in plays:
        play["module_defaults"] = {f"eksops.ipv6.{module}": {"wait_interval": 0.01} for module in WAITING}
    path = directory / "example.yml"
    path.write_text(yaml.safe_dump(plays), encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "writes"),
    [
        ("eks_nodes", [("eks", "CreateNodegroup"), ("eks", "CreateAddon"), ("eks", "CreateAddon")]),
        ("eks_fargate", [("eks", "CreateFargateProfile")]),
    ],
)
def test_a_role_s_example_does_what_it_shows_and_then_nothing(
    playbooks: Playbooks, world: Sample, tmp_path: Path, role: str, writes: Operations
) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    plays = yaml.safe_load(here(FENCED.findall(readme)[0], world))
    assert [item["role"] for play in plays for item in play["roles"]] == [f"eksops.ipv6.{role}"]
    name = written(tmp_path, plays)
    planned = playbooks(name, {}, check=True)
    applied = playbooks(name, {})
    assert planned.steps == applied.steps == applied.writes == writes
    again = playbooks(name, {})
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "writes"),
    [
        ("eks_nodegroup", [("eks", "CreateNodegroup"), ("eks", "CreateNodegroup"), ("eks", "DeleteNodegroup")]),
        ("eks_fargate_profile", [("eks", "CreateFargateProfile"), ("eks", "DeleteFargateProfile")]),
        (
            "eks_access_entry",
            [
                ("eks", "CreateAccessEntry"),
                ("eks", "CreateAccessEntry"),
                ("eks", "AssociateAccessPolicy"),
                ("eks", "CreateAccessEntry"),
                ("eks", "DeleteAccessEntry"),
            ],
        ),
        ("eks_node_user_data", [("ec2", "CreateLaunchTemplate")]),
    ],
)
def test_a_module_s_examples_run_one_after_the_other(
    playbooks: Playbooks, world: Sample, tmp_path: Path, module: str, writes: Operations
) -> None:
    source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    roles = {kind: {"arn": f"arn:aws:iam::{ACCOUNT}:role/production-{kind}"} for kind in ("node", "fargate")}
    known = {"iam": {"roles": roles}, "vpc": {"network": {"private_subnet_ids": world.private}}}
    tasks = yaml.safe_load(here("".join(EXAMPLES.findall(source)), world))
    assert len(tasks) > 1
    play = {"hosts": "localhost", "gather_facts": False, "vars": known, "tasks": tasks}
    assert playbooks(written(tmp_path, [play]), {}).writes == writes


@pytest.mark.slow
def test_the_filters_examples_give_what_they_promise(
    playbooks: Playbooks, world: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, command = tmp_path / "aws.py", tmp_path / "aws"
    program.write_text(AWS_COMMAND, encoding="utf-8")
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    cluster = {
        "name": CLUSTER,
        "endpoint": "https://api.example",
        "certificate_authority_data": "Q0E=",
        "service_ipv6_cidr": "fd30:3087:b6c2::/108",
    }
    tasks = []
    for name in FILTERS:
        documentation = (ROOT / "plugins" / "filter" / f"{name}.yml").read_text(encoding="utf-8")
        tasks += [{"name": f"BEGIN {name}", "ansible.builtin.set_fact": {"user_data": ""}}]
        tasks += yaml.safe_load(yaml.safe_load(documentation)["EXAMPLES"])
        tasks += [{"name": f"END {name}", "ansible.builtin.debug": {"msg": "{{ user_data }}"}}]
    play = {"hosts": "localhost", "gather_facts": False, "vars": {"eks": {"cluster": cluster}}, "tasks": tasks}
    output = f"{playbooks(written(tmp_path, [play]), {}).output}BEGIN "
    for name, expected in FILTERS.items():
        own = output.split(f"BEGIN {name}]")[1].split("BEGIN ")[0]
        assert f"END {name}" in own
        assert expected in own
