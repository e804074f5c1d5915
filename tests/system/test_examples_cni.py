# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples of the CNI's roles, modules, lookup and filters, run as they are written, against AWS and Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from harness import Operations
from playbook_runs import Playbooks, Run

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample
from eksops_emulator.kubernetes import cni

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = re.compile(r'^EXAMPLES = r"""\n(.*?)"""', re.MULTILINE | re.DOTALL)
MODULES = ("iam_cni_role", "eks_addon", "eks_pod_identity_association")
CLUSTER = "production"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    """An account whose clusters' APIs answer; the examples' home directory is the test's."""
    with Emulator(kubernetes=True) as emulator:
        for name, value in {**emulator.environment, "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield emulator
        assert emulator.drift == []


@pytest.fixture
def aws(emulator: Emulator) -> Callable[..., Any]:
    return partial(boto3.client, endpoint_url=emulator.url, **KEYS)


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    return Playbooks(emulator, tmp_path)


def world_of(aws: Callable[..., Any], **cluster: Any) -> Sample:
    """The cluster that the examples name, and its nodes' role."""
    world = Sample(aws)
    world.cluster(CLUSTER, version="1.31", **cluster)
    world.role("production-node", "ec2.amazonaws.com", NODE_POLICIES)
    return world


def nodes(world: Sample) -> None:
    """Nodes that have that role, and become ready."""
    role = "arn:aws:iam::123456789012:role/production-node"
    assert world.nodegroup("workers", CLUSTER, nodeRole=role)["status"] == "ACTIVE"


def run(playbooks: Playbooks, play: dict[str, Any], *options: str, may_fail: bool = False) -> Run:
    """A play; it polls at once, the emulator needs no time."""
    defaults = {f"eksops.ipv6.{module}": {"wait_interval": 0.01} for module in MODULES}
    path = playbooks.directory / "example.yml"
    path.write_text(yaml.safe_dump([{**play, "module_defaults": defaults}]), encoding="utf-8")
    return playbooks(str(path), {"eks_cni_rollout_delay": 0}, *options, may_fail=may_fail)


def twice(playbooks: Playbooks, play: dict[str, Any]) -> Operations:
    """The writes of a run that has looked at the CNI, and that a second run has nothing to add to."""
    done = run(playbooks, play)
    assert "The CNI runs as it was asked for" in done.output
    again = run(playbooks, play)
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)
    return done.writes


def of_module(name: str) -> list[dict[str, Any]]:
    """A module's or lookup's examples."""
    (source,) = (path for kind in ("modules", "lookup") for path in ROOT.glob(f"plugins/{kind}/{name}.py"))
    tasks: list[dict[str, Any]] = yaml.safe_load("".join(EXAMPLES.findall(source.read_text(encoding="utf-8"))))
    assert tasks
    return tasks


def of_role(name: str) -> list[Any]:
    """The examples of a role's README: a play first, then variables of the role in it."""
    text = (ROOT / "roles" / name / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in FENCED.findall(text)]


def with_role(play: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    """The play with other variables of its role, beside the cluster's name."""
    (role,) = play["roles"]
    return {**play, "roles": [{"role": role["role"], "eks_cni_cluster_name": CLUSTER, **variables}]}


def test_the_cni_role_installs_upgrades_and_moves(aws: Callable[..., Any], playbooks: Playbooks) -> None:
    world = world_of(aws, bootstrapSelfManagedAddons=False)
    (example,), upgrade, move, _own, tight = of_role("eks_cni")
    role = [("iam", "CreatePolicy"), ("iam", "CreateRole"), ("iam", "AttachRolePolicy")]
    assert twice(playbooks, example) == [
        *role,
        ("eks", "CreateAddon"),
        ("eks", "CreatePodIdentityAssociation"),
        ("eks", "CreateAddon"),
        ("eks", "CreateAddon"),
    ]
    nodes(world)
    upgraded = run(playbooks, with_role(example, upgrade))
    assert upgraded.writes and set(upgraded.writes) == {("eks", "UpdateAddon")}
    assert "The CNI runs as it was asked for" in upgraded.output
    addon = world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"]
    assert (addon["status"], addon["addonVersion"]) == ("ACTIVE", "v1.23.1-eksbuild.1")
    world.iam.attach_role_policy(RoleName="production-node", PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
    assert run(playbooks, with_role(example, move)).writes == [("iam", "DetachRolePolicy")]
    tight = {**tight, "eks_cni_policy_vpc_id": world.vpc_id}
    assert twice(playbooks, with_role(example, tight)) == [("iam", "CreatePolicyVersion")]


def test_the_cni_role_sets_up_a_cni_of_one_s_own(
    aws: Callable[..., Any], playbooks: Playbooks, emulator: Emulator
) -> None:
    world_of(aws, bootstrapSelfManagedAddons=False)
    assert emulator.kubernetes
    api = emulator.kubernetes.get(CLUSTER)
    assert api
    api.objects.apply(*cni.aws_node("v1.21.2-eksbuild.2"))
    (example,), _upgrade, _move, own, _tight = of_role("eks_cni")
    assert own["eks_cni_management"] == "self_managed"
    writes = twice(playbooks, with_role(example, own))
    checked = run(playbooks, with_role(example, own), "--check", "--diff", "-vvvv")
    assert (checked.writes, checked.plan["changed_tasks"]) == ([], 0)
    assert "k8s-aws-v1." not in checked.output
    api.stop()
    lost = run(playbooks, with_role(example, own), "-vvvv", may_fail=True)
    assert lost.returncode != 0 and "Connection refused" in lost.output
    assert "k8s-aws-v1." not in lost.output
    assert list(playbooks.directory.glob("**/*.kubeconfig")) == []
    assert writes == [
        ("iam", "CreateOpenIDConnectProvider"),
        ("iam", "CreatePolicy"),
        ("iam", "CreateRole"),
        ("iam", "AttachRolePolicy"),
        ("eks", "CreateAddon"),
    ]


def test_a_cni_with_an_annotation_keeps_its_way_to_the_role_and_the_readme_s_way_moves_it(
    aws: Callable[..., Any], playbooks: Playbooks
) -> None:
    world = world_of(aws, bootstrapSelfManagedAddons=False)
    ((example,), *_others) = of_role("eks_cni")
    run(playbooks, with_role(example, {"eks_cni_identity": "irsa"}))
    nodes(world)
    found = world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"]
    asked = {"eks_cni_identity": "pod_identity"}
    switched = run(playbooks, with_role(example, asked))
    assert "comes before pod_identity and stays" in switched.output
    assert world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"] == found
    twice(playbooks, with_role(example, {**asked, "eks_cni_addon_version": "latest", "eks_cni_read_back": "always"}))
    for association in world.eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"]:
        world.eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=association["associationId"])
    own = [{"service_account": "aws-node", "role_arn": found["serviceAccountRoleArn"]}]
    moving = {"cluster_name": CLUSTER, "name": "vpc-cni", "pod_identity_associations": own}
    run(playbooks, {**example, "roles": [], "tasks": [{"eksops.ipv6.eks_addon": moving}]})
    after = run(playbooks, with_role(example, {**asked, "eks_cni_read_back": "always"}))
    assert after.writes == [] and "The CNI runs as it was asked for" in after.output
    assert "and stays" not in after.output


def test_without_a_cluster_to_ask_irsa_is_planned_and_then_refused(emulator: Emulator, playbooks: Playbooks) -> None:
    ((example,), *_others) = of_role("eks_cni")
    play = with_role(example, {"eks_cni_identity": "irsa"})
    planned = run(playbooks, play, "--check")
    assert planned.steps[:2] == [("iam", "CreateOpenIDConnectProvider"), ("iam", "CreatePolicy")]
    refused = run(playbooks, play, may_fail=True)
    assert refused.returncode != 0
    assert "There is no cluster production to ask for its issuer; make it first" in refused.output
    assert emulator.journal.writes() == []


def test_the_way_into_a_cluster_is_as_the_readme_and_the_lookup_show_it(
    aws: Callable[..., Any], playbooks: Playbooks, tmp_path: Path
) -> None:
    world_of(aws)
    ((example,), (with_file,)) = of_role("eks_kubeconfig")
    done = run(playbooks, {**example, "tasks": [*example["tasks"], *of_module("eks_token")]}, "-vvv")
    assert done.writes == []
    assert done.output.count("ok: [localhost]") >= 4
    authority = tmp_path / ".kube" / f"{CLUSTER}.pem"
    assert authority.stat().st_mode & 0o777 == 0o600
    assert "k8s-aws-v1." not in done.output
    assert run(playbooks, with_file).writes == []
    kubeconfig = tmp_path / ".kube" / CLUSTER
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"] == CLUSTER


def test_the_filters_set_up_a_daemonset_and_say_what_is_wrong(
    aws: Callable[..., Any], playbooks: Playbooks, emulator: Emulator
) -> None:
    world_of(aws, bootstrapSelfManagedAddons=False)
    assert emulator.kubernetes
    api = emulator.kubernetes.get(CLUSTER)
    assert api
    api.objects.apply(*cni.aws_node("v1.21.2"))
    filters = ROOT / "plugins" / "filter"
    patching, telling = (
        yaml.safe_load(yaml.safe_load((filters / f"{name}.yml").read_text(encoding="utf-8"))["EXAMPLES"])
        for name in ("eks_cni_patch", "eks_cni_findings")
    )
    (kubeconfig,) = of_role("eks_kubeconfig")[0]
    way = {
        "host": "{{ eks_kubeconfig_result.kubernetes.host }}",
        "ca_cert": "{{ eks_kubeconfig_result.kubernetes.ca_cert }}",
        "api_key": "{{ lookup('eksops.ipv6.eks_token', 'production', **eks_kubeconfig_result.token_options) }}",
    }
    nothing = {"pods": {"resources": []}, "events": {"resources": []}}
    read = patching[0]
    tasks = [*patching, read, *telling]
    block = {
        "block": [dict(task) for task in tasks],
        "module_defaults": {"group/kubernetes.core.k8s": way},
        "vars": nothing,
    }
    output = run(playbooks, {**kubeconfig, "tasks": [block]}).output
    assert "changed: [localhost]" in output
    assert "ENABLE_IPv6" not in output.rpartition("Tell what is wrong")[2]


def test_the_add_on_s_examples(aws: Callable[..., Any], playbooks: Playbooks) -> None:
    world = world_of(aws)
    known = {"cni": {"cni_role": {"arn": world.cni_role}}}
    tasks = [*of_module("eks_addon"), *of_module("eks_addon_info")]
    made = run(playbooks, {"hosts": "localhost", "gather_facts": False, "vars": known, "tasks": tasks})
    assert set(made.writes) == {("eks", "CreateAddon"), ("eks", "UpdateAddon")}
    assert "v1.23.1-eksbuild.1 runs, v1.23.1-eksbuild.1 is the newest" in made.output


def test_the_association_s_examples(aws: Callable[..., Any], playbooks: Playbooks) -> None:
    known = {"cni": {"cni_role": {"arn": world_of(aws).cni_role}}}
    play = {"hosts": "localhost", "gather_facts": False, "vars": known}
    made = run(playbooks, {**play, "tasks": of_module("eks_pod_identity_association")})
    assert made.writes == [("eks", "CreatePodIdentityAssociation"), ("eks", "DeletePodIdentityAssociation")]


def test_the_cni_role_module_s_examples(aws: Callable[..., Any], playbooks: Playbooks) -> None:
    world = world_of(aws, bootstrapSelfManagedAddons=False)
    cluster = world.eks.describe_cluster(name=CLUSTER)["cluster"]
    known = {
        "production": {"cluster": {"oidc_issuer": cluster["identity"]["oidc"]["issuer"], "vpc_id": world.vpc_id}},
        "iam": {"roles": {"node": {"arn": "arn:aws:iam::123456789012:role/production-node"}}},
    }
    *tasks, moving, removing = of_module("iam_cni_role")
    play = {"hosts": "localhost", "gather_facts": False, "vars": known}
    for task in tasks:
        assert run(playbooks, {**play, "tasks": [task]}).writes
    role = "arn:aws:iam::123456789012:role/production-cni"
    world.addon("eks-pod-identity-agent", CLUSTER)
    associations = [{"serviceAccount": "aws-node", "roleArn": role}]
    world.addon("vpc-cni", CLUSTER, podIdentityAssociations=associations)
    assert run(playbooks, {**play, "tasks": [moving]}).writes == [
        ("iam", "CreatePolicyVersion"),
        ("iam", "DetachRolePolicy"),
    ]
    for name in ("vpc-cni", "eks-pod-identity-agent"):
        world.eks.delete_addon(clusterName=CLUSTER, addonName=name)
    world.eks.delete_cluster(name=CLUSTER)
    with pytest.raises(world.eks.exceptions.ResourceNotFoundException):
        world.until(lambda: {**world.eks.describe_cluster(name=CLUSTER)["cluster"], "status": "UPDATING"})
    writes = run(playbooks, {**play, "tasks": [removing]}).writes
    assert ("iam", "DeleteRole") in writes and ("iam", "DeletePolicy") in writes
