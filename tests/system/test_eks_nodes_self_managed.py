# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Self-managed groups by the role eks_nodes, in somebody's own playbook: planned whole, made, and made again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from playbook_runs import Playbooks

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULES = ("autoscaling_group_ipv6", "ec2_launch_template_ipv6", "eks_access_entry", "eks_addon")
CLUSTER, NAME = "production", "production-general"
TEMPLATE, GROUP = ("ec2", "CreateLaunchTemplate"), ("autoscaling", "CreateAutoScalingGroup")
UPDATE, REFRESH = ("autoscaling", "UpdateAutoScalingGroup"), ("autoscaling", "StartInstanceRefresh")
ENTRY, GONE = ("eks", "CreateAccessEntry"), ("autoscaling", "DeleteAutoScalingGroup")
ACCOUNT = "123456789012"
ADMIN = f"""\
# Made by hand.
- rolearn: arn:aws:iam::{ACCOUNT}:role/admin  # the way in
  username: admin
  groups: ["system:masters"]
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def kubernetes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator whose clusters have a Kubernetes API server."""
    with Emulator(kubernetes=True) as emulator:
        for variable, value in emulator.environment.items():
            monkeypatch.setenv(variable, value)
        yield emulator
        assert emulator.drift == []


def world_of(aws: Callable[..., Any], mode: str) -> Sample:
    """A cluster with its CNI, and a role with a path as a profile for nodes."""
    world = Sample(aws)
    world.way_out()
    world.cluster(CLUSTER, version="1.35", accessConfig={"authenticationMode": mode})
    world.cni(CLUSTER)
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.iam.create_role(RoleName="production-node", Path="/nodes/", AssumeRolePolicyDocument=trust)
    for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"):
        world.iam.attach_role_policy(RoleName="production-node", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    world.iam.create_instance_profile(InstanceProfileName="production-node")
    world.iam.add_role_to_instance_profile(InstanceProfileName="production-node", RoleName="production-node")
    return world


def document(world: Sample, **group: Any) -> dict[str, Any]:
    """The role's variables for one group."""
    wanted = {"name": "general", "instance_type": "m7g.large", "scaling": {"min_size": 1, "max_size": 3}, **group}
    cluster = world.eks.describe_cluster(name=CLUSTER)["cluster"]
    return {
        "eks_nodes_cluster_name": CLUSTER,
        "eks_nodes_role_arn": f"arn:aws:iam::{ACCOUNT}:role/nodes/production-node",
        "eks_nodes_instance_profile": "production-node",
        "eks_nodes_subnet_ids": world.private,
        "eks_nodes_security_group_ids": [cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]],
        "eks_nodes_self_managed_groups": [{name: value for name, value in wanted.items() if value is not None}],
        "eks_nodes_addons": [],
    }


def playbook(directory: Path, **role: Any) -> str:
    """A playbook of one role, or of an example's; it polls at once."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "roles": [{"role": "eksops.ipv6.eks_nodes"}],
        "module_defaults": {f"eksops.ipv6.{module}": {"wait_interval": 0.01} for module in MODULES},
        **role,
    }
    path = directory / "play.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return str(path)


def settled(playbooks: Playbooks, name: str, variables: dict[str, Any], *writes: tuple[str, str]) -> None:
    """Check mode lists exactly the writes that follow, and a second run has none."""
    planned = playbooks(name, variables, check=True)
    applied = playbooks(name, variables)
    assert planned.steps == applied.steps == applied.writes == list(writes)
    again = playbooks(name, variables)
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)


def live(world: Sample) -> dict[str, Any]:
    found = world.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"]
    return dict(found[0])


def test_a_group_is_planned_made_changed_and_taken_down(
    emulator: Emulator, aws: Callable[..., Any], tmp_path: Path
) -> None:
    world, playbooks, name = world_of(aws, "API"), Playbooks(emulator, tmp_path), playbook(tmp_path)
    settled(playbooks, name, document(world), ENTRY, TEMPLATE, GROUP)
    several = document(world, instance_type=None, instance_types=["m6g.large", "m7g.large"], labels={"a": "b"})
    version = [("ec2", "CreateLaunchTemplateVersion"), ("ec2", "ModifyLaunchTemplate")]
    settled(playbooks, name, several, *version, UPDATE, REFRESH)
    assert {item["InstanceType"] for item in live(world)["Instances"]} == {"m6g.large"}
    gone = {**several, "eks_nodes_state": "absent"}
    settled(playbooks, name, gone, GONE, ("ec2", "DeleteLaunchTemplate"))


def test_a_site_with_such_groups_is_planned_whole_before_anything_exists(emulator: Emulator, tmp_path: Path) -> None:
    sizes = {"min_size": 1, "max_size": 2, "desired_size": 1}
    site: dict[str, Any] = {
        "eks_site_module_defaults": {"region": "eu-west-1"},
        "eks_site_waiting": {"wait_interval": 0.01},
        "eks_cluster_name": CLUSTER,
        "eks_cluster_authentication_mode": "API",
        "eks_network_vpc": {"cidr_block": "10.0.0.0/16"},
        "eks_network_availability_zones": ["eu-west-1a", "eu-west-1b"],
        "eks_network_nat_gateways": "single",
        "eks_nodes_self_managed_groups": [
            {"name": "general", "instance_type": "m7g.large", "scaling": sizes},
            {"name": "batch", "instance_types": ["m7g.large", "m6g.large"], "scaling": sizes},
        ],
    }
    playbooks = Playbooks(emulator, tmp_path)
    planned = playbooks("eksops.ipv6.site", site, check=True)
    assert planned.writes == []
    assert planned.steps[-6:] == [ENTRY, TEMPLATE, TEMPLATE, GROUP, GROUP, ("eks", "CreateAddon")]
    assert playbooks("eksops.ipv6.site", site).writes == planned.steps
    again = playbooks("eksops.ipv6.site", site)
    assert (again.writes, again.plan["changed_tasks"]) == ([], 0)


def test_a_cluster_that_will_know_no_access_entries_is_told_in_check_mode(emulator: Emulator, tmp_path: Path) -> None:
    site: dict[str, Any] = {
        "eks_site_module_defaults": {"region": "eu-west-1"},
        "eks_cluster_name": CLUSTER,
        "eks_network_vpc": {"cidr_block": "10.0.0.0/16"},
        "eks_nodes_self_managed_groups": [
            {"name": "general", "instance_type": "m7g.large", "scaling": {"min_size": 1, "max_size": 2}}
        ],
    }
    run = Playbooks(emulator, tmp_path)("eksops.ipv6.site", site, check=True, may_fail=True)
    assert run.returncode != 0
    told = "give it the authentication_mode API or API_AND_CONFIG_MAP with the role eks_cluster"
    assert told in " ".join(run.output.split())
    assert ENTRY not in run.steps


def test_all_groups_are_looked_at_before_anything_is_made(
    emulator: Emulator, aws: Callable[..., Any], tmp_path: Path
) -> None:
    world, playbooks, name = world_of(aws, "API"), Playbooks(emulator, tmp_path), playbook(tmp_path)
    variables = document(world)
    (good,) = variables["eks_nodes_self_managed_groups"]
    xen = {**good, "name": "xen", "instance_type": "m4.large"}
    unknown = {**good, "name": "unknown", "instance_type": "m99.large"}
    untyped = {"name": "untyped", "scaling": good["scaling"]}
    variables["eks_nodes_self_managed_groups"] = [good, xen, unknown, untyped]
    run = playbooks(name, variables, may_fail=True)
    assert run.returncode != 0
    assert run.writes == []
    assert "m4.large is not built on Nitro" in run.output
    assert "EC2 knows no m99.large" in run.output
    assert "needs instance_types" in run.output


def test_the_readme_s_example_does_what_it_shows(emulator: Emulator, aws: Callable[..., Any], tmp_path: Path) -> None:
    world, playbooks = world_of(aws, "API"), Playbooks(emulator, tmp_path)
    text = FENCED.findall((ROOT / "roles" / "eks_nodes" / "README.md").read_text(encoding="utf-8"))[1]
    text = text.replace("111122223333:role/", f"{ACCOUNT}:role/nodes/")
    known = document(world)
    made_up = sorted(set(re.findall(r"subnet-[0-9a-f]{17}", text)))
    for found, real in zip(made_up, world.private, strict=True):
        text = text.replace(found, real)
    text = re.sub(r"sg-[0-9a-f]{17}", known["eks_nodes_security_group_ids"][0], text)
    (play,) = yaml.safe_load(text)
    name = playbook(tmp_path, **play)
    settled(playbooks, name, {"eks_nodes_addons": []}, ENTRY, TEMPLATE, TEMPLATE, GROUP, GROUP)


def test_a_cluster_without_access_entries_is_told_by_aws_auth(kubernetes: Emulator, tmp_path: Path) -> None:
    world = world_of(partial(boto3.client, endpoint_url=kubernetes.url), "CONFIG_MAP")
    assert kubernetes.kubernetes is not None
    api, playbooks, name = kubernetes.kubernetes.get(CLUSTER), Playbooks(kubernetes, tmp_path), playbook(tmp_path)
    refused = playbooks(name, document(world), may_fail=True)
    assert refused.returncode != 0 and "eks_nodes_join: aws_auth" in refused.output
    theirs = {"mapRoles": ADMIN, "mapUsers": "- userarn: arn:aws:iam::123456789012:user/me\n", "mapAccounts": "[]"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}}
    api.objects.apply({**config_map, "data": theirs})
    variables = {**document(world), "eks_nodes_join": "aws_auth", "eks_kubeconfig_ca_path": str(tmp_path / "ca.pem")}

    def writes() -> list[str]:
        return [f"{item.verb} {item.resource}" for item in api.journal.requests if item.write and item.user]

    api.journal.clear()
    planned = playbooks(name, variables, check=True)
    # The fourth is the certificate authority's file, which is written in check mode too.
    assert (planned.steps, writes(), planned.plan["changed_tasks"]) == ([TEMPLATE, GROUP], [], 4)
    applied = playbooks(name, variables)
    assert (applied.writes, applied.plan["changed_tasks"]) == (planned.steps, 3)
    assert writes() == ["patch configmaps"]
    data = api.objects.get("ConfigMap", "aws-auth")["data"]
    assert {**data, "mapRoles": ADMIN} == theirs
    assert data["mapRoles"].startswith(ADMIN)
    ours = yaml.safe_load(data["mapRoles"])[1]
    assert ours["rolearn"] == f"arn:aws:iam::{ACCOUNT}:role/production-node"
    assert ours["username"] == "system:node:{{EC2PrivateDNSName}}"
    again = playbooks(name, variables)
    assert (again.writes, again.plan["changed_tasks"], writes()) == ([], 0, ["patch configmaps"])

    instance = live(world)["Instances"][0]["InstanceId"]
    found = world.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert len(found["NetworkInterfaces"][0]["Ipv6Prefixes"]) == 1  # the node was let in, and its CNI runs
    (node,) = api.objects.all("Node")
    assert node["spec"]["providerID"].endswith(instance)
    assert node["status"]["conditions"][0]["status"] == "True"

    gone = {**variables, "eks_nodes_state": "absent"}
    foreseen = playbooks(name, gone, check=True).plan["changed_tasks"]
    assert playbooks(name, gone).plan["changed_tasks"] == foreseen == 3
    assert writes() == ["patch configmaps"] * 2
    assert api.objects.get("ConfigMap", "aws-auth")["data"] == theirs
    assert api.objects.names("Node") == []
    assert playbooks(name, gone).plan["changed_tasks"] == 0


def test_a_role_that_another_group_has_stays_in_aws_auth(kubernetes: Emulator, tmp_path: Path) -> None:
    world = world_of(partial(boto3.client, endpoint_url=kubernetes.url), "CONFIG_MAP")
    assert kubernetes.kubernetes is not None
    api, playbooks, name = kubernetes.kubernetes.get(CLUSTER), Playbooks(kubernetes, tmp_path), playbook(tmp_path)
    variables = {**document(world), "eks_nodes_join": "aws_auth", "eks_kubeconfig_ca_path": str(tmp_path / "ca.pem")}
    (group,) = variables["eks_nodes_self_managed_groups"]
    playbooks(name, {**variables, "eks_nodes_self_managed_groups": [group, {**group, "name": "other"}]})
    before = api.objects.get("ConfigMap", "aws-auth")["data"]
    playbooks(name, {**variables, "eks_nodes_state": "absent"})
    assert api.objects.get("ConfigMap", "aws-auth")["data"] == before
    playbooks(
        name, {**variables, "eks_nodes_self_managed_groups": [{**group, "name": "other"}], "eks_nodes_state": "absent"}
    )
    assert yaml.safe_load(api.objects.get("ConfigMap", "aws-auth")["data"]["mapRoles"]) == []


def test_aws_auth_is_not_for_clusters_that_do_not_read_it(
    emulator: Emulator, aws: Callable[..., Any], tmp_path: Path
) -> None:
    world = world_of(aws, "API")
    variables = {**document(world), "eks_nodes_join": "aws_auth"}
    run = Playbooks(emulator, tmp_path)(playbook(tmp_path), variables, may_fail=True)
    assert run.returncode != 0
    assert run.writes == []
    assert "set eks_nodes_join to access_entry" in run.output
