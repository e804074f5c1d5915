# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_node_user_data against the emulator."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest
import yaml
from harness import Player
from moto.ec2.models import ec2_backends

from eksops_emulator.eks.sample import Sample
from eksops_emulator.eks.user_data import Join, read

MODULE = "eks_node_user_data"
CLUSTER = "production"


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    world = Sample(aws)
    world.cluster(CLUSTER, bootstrapSelfManagedAddons=False)
    return world


def render(player: Player, **options: Any) -> dict[str, Any]:
    """The user data; the module may not write, and says so."""
    before = player.writes()
    result = player(MODULE, cluster_name=CLUSTER, **options)
    assert result["changed"] is False
    assert player.writes() == before
    found: dict[str, Any] = result["user_data"]
    return found


def test_the_node_config_has_the_clusters_own_service_range(player: Player, world: Sample) -> None:
    live = world.eks.describe_cluster(name=CLUSTER)["cluster"]
    found = render(player, instance_types=["m7g.large", "t4g.nano"])
    spec = yaml.safe_load(base64.b64decode(found["base64"]))["spec"]
    assert spec["cluster"] == {
        "name": CLUSTER,
        "apiServerEndpoint": live["endpoint"],
        "certificateAuthority": live["certificateAuthority"]["data"],
        "cidr": live["kubernetesNetworkConfig"]["serviceIpv6Cidr"],
    }
    assert found["cluster_dns_ip"] == spec["cluster"]["cidr"].replace("::/108", "::a")
    assert spec["kubelet"]["config"]["maxPods"] == found["max_pods"] == 34
    assert found["size"] == len(found["text"]) and found["compressed"] is False


def test_bottlerocket_is_told_the_dns_address(player: Player, world: Sample) -> None:
    found = render(player, family="bottlerocket", max_pods=50)
    kubernetes = tomllib.loads(found["text"])["settings"]["kubernetes"]
    assert kubernetes["cluster-dns-ip"] == found["cluster_dns_ip"]
    assert kubernetes["max-pods"] == 50


@pytest.mark.parametrize("compress", ["never", "always"])
@pytest.mark.parametrize("family", ["al2023", "bottlerocket", "al2"])
def test_a_node_of_every_family_reads_what_it_was_told(
    player: Player, world: Sample, family: str, compress: str
) -> None:
    """The emulator's reader of user data knows nothing of what wrote it."""
    live = world.eks.describe_cluster(name=CLUSTER)["cluster"]
    taints = [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}, {"key": "bare", "effect": "NoExecute"}]
    found = render(player, family=family, compress=compress, labels={"a": "b", "c": ""}, taints=taints)
    assert read(found["base64"], image="") == Join(
        CLUSTER,
        live["endpoint"],
        live["certificateAuthority"]["data"],
        ipv6=True,
        labels={"a": "b", "c": ""},
        taints=(("k", "v", "NoSchedule"), ("bare", "", "NoExecute")),
    )


def test_parts_are_merged_and_returned(player: Player, world: Sample) -> None:
    found = render(player, parts_before=["#!/bin/sh\n"], parts_after=[{"content": "x\n", "content_type": "text/plain"}])
    assert found["content_type"] == "multipart/mixed"
    kinds = [part["content_type"] for part in found["parts"]]
    assert kinds == ["text/x-shellscript", "application/node.eks.aws", "text/plain"]


def test_too_few_pods_are_warned_of(player: Player, world: Sample) -> None:
    (text,) = player(MODULE, cluster_name=CLUSTER)["warnings"]
    assert text.startswith("max_pods:")


def test_check_mode_stands_in_for_a_cluster_to_come(player: Player) -> None:
    found = player.check(MODULE, cluster_name=CLUSTER)["user_data"]
    assert yaml.safe_load(found["text"])["spec"]["cluster"]["cidr"] == f"pending:cluster/{CLUSTER}"
    assert "there is no cluster production" in player.fails(MODULE, cluster_name=CLUSTER)["msg"]


def test_a_cluster_in_the_making_has_no_coordinates(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.eks.create_cluster(**world.cluster_request(CLUSTER))
    msg = player.fails(MODULE, check=True, cluster_name=CLUSTER)["msg"]
    assert "cluster.endpoint: is missing" in msg and "of an ACTIVE cluster" in msg


def test_an_ipv4_cluster_is_refused(player: Player, aws: Callable[..., Any]) -> None:
    world = Sample(aws)
    world.cluster(CLUSTER, kubernetesNetworkConfig={"ipFamily": "ipv4"})
    assert "in the family ipv4" in player.refuses(MODULE, cluster_name=CLUSTER)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"family": "windows"}, "IPv6 clusters have no Windows nodes"),
        ({"instance_types": ["m4.large"]}, "m4.large is not built on Nitro"),
        ({"instance_types": ["p3.2xlarge", "i3.large"]}, "i3.large is not built on Nitro"),
        ({"instance_types": ["m99.large"]}, "EC2 knows no m99.large"),
        ({"family": "al2", "bootstrap_arguments": ["--ip-family=ipv6"]}, "becomes an IPv4 node"),
    ],
)
def test_what_makes_no_ipv6_node_is_refused(
    player: Player, world: Sample, options: dict[str, Any], reason: str
) -> None:
    assert reason in player.refuses(MODULE, cluster_name=CLUSTER, **options)


@pytest.mark.slow
def test_the_verdict_on_every_type_of_the_region_is_ec2_s_own(player: Player, world: Sample) -> None:
    pages = world.ec2.get_paginator("describe_instance_types").paginate()
    types = {item["InstanceType"]: item for page in pages for item in page["InstanceTypes"]}
    xen = {name for name, item in types.items() if item.get("Hypervisor") != "nitro" and not item.get("BareMetal")}
    assert {"t2.nano", "m4.large", "i3.large", "x1e.xlarge"} < xen
    assert "c5.metal" in set(types) - xen
    names = sorted(set(types) - {"t2.nano"})
    refused = set()
    for first in range(0, len(names), 99):  # EC2 tells of 100 at once
        wanted = [*names[first : first + 99], "t2.nano"]
        problems = player.fails(MODULE, cluster_name=CLUSTER, instance_types=wanted, max_pods=110)["problems"]
        refused |= {item["message"].split()[0] for item in problems if "is not built on Nitro" in item["message"]}
    assert refused == xen


@pytest.mark.parametrize(
    ("family", "instance", "start"),
    [
        ("al2023", "m7g.large", "amazon-eks-node-al2023-arm64-standard-1.33-"),
        ("al2023", "m7i.large", "amazon-eks-node-al2023-x86_64-standard-1.33-"),
        ("bottlerocket", "m7g.large", "bottlerocket-aws-k8s-1.33-arm64-"),
    ],
)
def test_the_image_is_the_newest_for_version_and_architecture(
    player: Player, aws: Callable[..., Any], family: str, instance: str, start: str
) -> None:
    world = Sample(aws)
    world.cluster(CLUSTER, version="1.33", bootstrapSelfManagedAddons=False)
    found = render(player, family=family, instance_types=[instance], resolve_image=True)
    (image,) = world.ec2.describe_images(ImageIds=[found["image_id"]])["Images"]
    assert image["Name"].startswith(start)
    assert image["Architecture"] == found["architecture"]


def test_an_image_that_does_not_fit_is_refused(player: Player, world: Sample) -> None:
    image = render(player, instance_types=["m7g.large"], resolve_image=True)["image_id"]
    msg = player.refuses(MODULE, cluster_name=CLUSTER, instance_types=["m7i.large"], image_id=image)
    assert f"m7i.large has the architecture x86_64, the image {image} arm64" in msg
    assert "EC2 knows no ami-1" in player.refuses(MODULE, cluster_name=CLUSTER, image_id="ami-1")


def test_a_windows_image_is_refused(player: Player, world: Sample) -> None:
    image = render(player, instance_types=["m7i.large"], resolve_image=True)["image_id"]
    ec2_backends["123456789012"]["eu-west-1"].amis[image].platform = "windows"
    msg = player.refuses(MODULE, cluster_name=CLUSTER, instance_types=["m7i.large"], image_id=image)
    assert msg.startswith(f"image_id: the image {image} is Windows; IPv6 clusters have no Windows nodes.")


def test_types_of_two_architectures_need_two_groups(player: Player, world: Sample) -> None:
    msg = player.refuses(MODULE, cluster_name=CLUSTER, instance_types=["m7i.large", "m7g.large"])
    assert msg == "instance_types: they have no architecture in common. Make a group for each architecture."


def test_every_problem_of_self_managed_nodes_is_said_at_once(player: Player, world: Sample) -> None:
    public = world.public_subnet(world.zones[0], "::/0")
    plain, unassigning = world.subnet(world.zones[0], ipv6=False), world.subnet(world.zones[1], assign=False)
    world.addon("vpc-cni", CLUSTER)
    bare = world.role("bare", "ec2.amazonaws.com")
    failed = player.fails(
        MODULE,
        cluster_name=CLUSTER,
        instance_types=["m4.large", "m99.large"],
        image_id="ami-0123456789abcdef0",
        subnet_ids=[public, plain, unassigning, "subnet-0123456789abcdef0"],
        node_role_arn=bare,
    )
    assert [(problem["option"], problem["message"].split(",")[0]) for problem in failed["problems"]] == [
        ("instance_types", "EC2 knows no m99.large in this region."),
        ("instance_types", "m4.large is not built on Nitro; its nodes would never become ready in an IPv6 cluster."),
        ("image_id", "EC2 knows no ami-0123456789abcdef0 in this region."),
        ("subnet_ids", "EC2 knows no subnet subnet-0123456789abcdef0 in this region and account."),
        ("subnet_ids", f"{plain} has no IPv6 CIDR block; an IPv6 cluster needs both families everywhere."),
        ("subnet_ids", f"{unassigning} does not assign IPv6 addresses; nodes would never become ready."),
        ("subnet_ids", ANY),
        ("subnet_ids", ANY),
        ("cluster_name", ANY),
        ("node_role_arn", f"the role {bare} does not allow ec2:DescribeInstances"),
    ]


def test_what_self_managed_nodes_need_is_looked_at_first(player: Player, world: Sample) -> None:
    plain = world.subnet(world.zones[0], assign=False)
    msg = player.refuses_unless_mended(
        MODULE, cluster_name=CLUSTER, subnet_ids=[plain], node_role_arn=world.node_role, max_pods=110
    )
    assert f"{plain} does not assign IPv6 addresses" in msg
    assert f"{plain} has no active route to ::/0" in msg
    assert "production has no add-on vpc-cni" in msg


def test_a_public_subnet_without_public_ipv4_is_warned_of(player: Player, world: Sample) -> None:
    world.way_out()
    world.cni(CLUSTER)
    public = world.public_subnet(world.zones[0], "::/0", public_ipv4=False)
    asked = {"cluster_name": CLUSTER, "subnet_ids": [public], "node_role_arn": world.node_role, "max_pods": 110}
    (text,) = player(MODULE, **asked, skip_checks=["routes"])["warnings"]
    assert f"{public} is public and does not assign public IPv4 addresses" in text


def test_vpc_endpoints_serve_self_managed_nodes_too(player: Player, world: Sample) -> None:
    world.cni(CLUSTER)
    player("eks_cluster", name=CLUSTER, endpoint_private_access=True)
    asked = {"cluster_name": CLUSTER, "subnet_ids": world.private, "node_role_arn": world.node_role, "max_pods": 110}
    told = "no VPC endpoint in its place for ec2, ecr.api, ecr.dkr, s3, eks-auth."
    assert told in player.refuses_unless_mended(MODULE, **asked)
    main = [{"Name": "vpc-id", "Values": [world.vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
    table = world.ec2.describe_route_tables(Filters=main)["RouteTables"][0]["RouteTableId"]
    world.endpoints("ec2", "ecr.api", "ecr.dkr", "s3", "eks-auth", table=table)
    assert "through VPC endpoints" in player(MODULE, **asked)["warnings"][0]


def test_what_is_in_place_is_passed(player: Player, world: Sample) -> None:
    world.way_out()
    world.cni(CLUSTER)
    assert render(player, subnet_ids=world.private, node_role_arn=world.node_role, max_pods=110)["size"] > 0
