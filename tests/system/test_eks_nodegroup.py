# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_nodegroup against the emulator.

The tests named `test_regression_...` are faults that community.aws's module of the same name has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from harness import Player, operations
from moto.ec2.models import ec2_backends
from moto.eks.models import eks_backends

from eksops_emulator import Emulator
from eksops_emulator.eks.releases import releases
from eksops_emulator.eks.sample import Sample

MODULE = "eks_nodegroup"
CLUSTER = "production"
GROUP = {"cluster_name": CLUSTER, "name": "general"}
CREATE, CONFIG = ("eks", "CreateNodegroup"), ("eks", "UpdateNodegroupConfig")
VERSION, DELETE = ("eks", "UpdateNodegroupVersion"), ("eks", "DeleteNodegroup")
TAINT = {"key": "dedicated", "value": "batch", "effect": "NO_SCHEDULE"}
OTHER_TAINT = {"key": "spot", "value": "", "effect": "PREFER_NO_SCHEDULE"}
OVERRIDE = {
    "node_monitoring_condition": "AcceleratedHardwareReady",
    "node_unhealthy_reason": "NvidiaXID13Error",
    "min_repair_wait_time_mins": 10,
    "repair_action": "Reboot",
}
OTHER_OVERRIDE = {**OVERRIDE, "node_unhealthy_reason": "NvidiaXID31Error", "repair_action": "Replace"}
REPAIR_PAIR = ("max_parallel_nodes_repaired_count", "max_parallel_nodes_repaired_percentage")
AMI_TYPES: list[str] = (
    boto3.session.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    .client("eks")
    .meta.service_model.shape_for("AMITypes")
    .metadata["enum"]
)


@pytest.fixture
def bare(aws: Callable[..., Any]) -> Sample:
    """An account without a cluster."""
    return Sample(aws)


@pytest.fixture
def world(bare: Sample) -> Sample:
    """A cluster on whose nodes pods would run."""
    bare.way_out()
    bare.cluster(CLUSTER, version="1.33", bootstrapSelfManagedAddons=False)
    bare.cni(CLUSTER)
    return bare


@pytest.fixture
def options(world: Sample) -> dict[str, Any]:
    """What a new node group needs."""
    return {
        **GROUP,
        "node_role_arn": world.node_role,
        "subnet_ids": world.private,
        "instance_types": ["m6i.large"],
        "scaling": {"min_size": 1, "max_size": 3},
    }


@pytest.fixture
def made(player: Player, options: dict[str, Any]) -> dict[str, Any]:
    """A node group with a label, a taint and a tag; its facts."""
    marks = {"labels": {"env": "dev", "team": "a"}, "taints": [TAINT], "tags": {"a": "b"}}
    return dict(player(MODULE, **options, **marks)["nodegroup"])


def live(world: Sample) -> dict[str, Any]:
    return dict(world.eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName="general")["nodegroup"])


def in_emulator() -> Any:
    """The emulator's own record, to put it where AWS would only bring it by misfortune."""
    return eks_backends["123456789012"]["eu-west-1"].clusters[CLUSTER].nodegroups["general"]


def template(world: Sample, **data: Any) -> str:
    made = world.ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData=data or {"EbsOptimized": True}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


# --- making one --------------------------------------------------------------------------------------------------


def test_a_new_group_has_ready_nodes(player: Player, options: dict[str, Any], world: Sample) -> None:
    result = player.converge(
        MODULE, **options, labels={"env": "dev"}, taints=[TAINT, OTHER_TAINT], tags={"team": "platform"}
    )
    assert operations(result["plan"]) == [CREATE]
    group, found = result["nodegroup"], live(world)
    assert group["status"] == found["status"] == "ACTIVE"
    assert group["arn"] == found["nodegroupArn"]
    assert group["ami_type"] == found["amiType"] == "AL2023_x86_64_STANDARD"
    assert group["version"] == found["version"] == "1.33"
    assert group["release_version"] == found["releaseVersion"]
    assert group["scaling"] == {"min_size": 1, "max_size": 3, "desired_size": 1}
    assert group["labels"] == found["labels"] == {"env": "dev"}
    assert group["taints"] == [TAINT, OTHER_TAINT]
    assert group["auto_scaling_group_names"] == [item["name"] for item in found["resources"]["autoScalingGroups"]]
    assert group["tags"] == found["tags"] == {"team": "platform"}
    assert player.unchanged(MODULE, **GROUP)["nodegroup"] == group


def test_what_is_not_given_is_as_eks_has_it(player: Player, options: dict[str, Any]) -> None:
    del options["scaling"], options["instance_types"]
    group = player.converge(MODULE, **options)["nodegroup"]
    assert group["instance_types"] == ["t3.medium"]
    assert group["scaling"] == {"min_size": 1, "max_size": 2, "desired_size": 2}
    assert group["update_config"]["max_unavailable"] == 1
    assert group["disk_size"] == 20
    assert player.unchanged(MODULE, **GROUP)["nodegroup"] == group


@pytest.mark.parametrize(
    ("types", "ami_type", "chosen"),
    [
        (["m7g.large", "m6g.large"], None, "AL2023_ARM_64_STANDARD"),
        (["m6i.large"], None, "AL2023_x86_64_STANDARD"),
        (["m6i.large"], "BOTTLEROCKET_x86_64", "BOTTLEROCKET_x86_64"),
        (["m7g.large"], "BOTTLEROCKET_ARM_64", "BOTTLEROCKET_ARM_64"),
        (["m5.metal"], "AL2023_x86_64_STANDARD", "AL2023_x86_64_STANDARD"),
    ],
)
def test_the_ami_type_is_the_one_given_or_fits_the_architecture(
    player: Player, options: dict[str, Any], types: list[str], ami_type: str | None, chosen: str
) -> None:
    result = player(MODULE, **{**options, "instance_types": types}, ami_type=ami_type)
    assert result["nodegroup"]["ami_type"] == chosen


def test_check_mode_stands_in_for_what_eks_decides(player: Player, options: dict[str, Any]) -> None:
    group = player.check(MODULE, **options)["nodegroup"]
    address = f"pending:nodegroup/{CLUSTER}/general"
    assert group["arn"] == group["status"] == group["release_version"] == group["auto_scaling_group_names"] == address
    assert group["version"] == "1.33"


def test_a_cluster_network_and_role_that_do_not_exist_yet_are_planned_for(player: Player) -> None:
    planned = player.check(
        MODULE,
        **GROUP,
        node_role_arn="pending:role/node",
        subnet_ids=["pending:subnet/private-a"],
        instance_types=["m7g.large"],
        kubernetes_version="1.35",
    )
    assert operations(planned["plan"]) == [CREATE]
    assert planned["plan"][0]["request"]["amiType"] == "AL2023_ARM_64_STANDARD"
    assert "there is no cluster production yet" in planned["warnings"][0]


def test_without_a_cluster_nothing_is_done(player: Player, bare: Sample) -> None:
    failed = player.fails(MODULE, **GROUP, node_role_arn=bare.node_role, subnet_ids=bare.private)
    assert failed["msg"].startswith("cluster_name: there is no cluster production")


@pytest.mark.parametrize(
    "text",
    [
        "The role with name node cannot be found.",
        "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of it",
    ],
)
def test_a_role_that_iam_has_not_spread_yet_is_waited_for(
    player: Player, options: dict[str, Any], emulator: Emulator, text: str
) -> None:
    emulator.fault("eks", CREATE[1], status=400, code="InvalidParameterException", message=text, count=2)
    assert player(MODULE, **options)["nodegroup"]["status"] == "ACTIVE"


def test_nodes_that_do_not_become_ready_are_an_error_with_the_health_issues(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    world.allow("cni", ("ec2:DescribeInstances",))
    options["skip_checks"] = ["cni"]
    failed = player.fails(MODULE, **options)
    assert "became CREATE_FAILED: NodeCreationFailure: Unhealthy nodes in the kubernetes cluster" in failed["msg"]
    msg = player.refuses(MODULE, **options)
    assert "is CREATE_FAILED: NodeCreationFailure" in msg
    assert "state: absent" in msg
    assert operations(player.converge(MODULE, **GROUP, state="absent")["plan"]) == [DELETE]


def test_without_wait_the_run_ends_with_the_call_and_the_next_one_waits(
    player: Player, options: dict[str, Any]
) -> None:
    started = player(MODULE, **options, wait=False)["nodegroup"]
    assert started["status"] == "CREATING"
    finished = player.unchanged(MODULE, **options)["nodegroup"]
    assert finished["status"] == "ACTIVE"
    assert len(finished["auto_scaling_group_names"]) == 1


def test_a_launch_template_and_its_version(player: Player, options: dict[str, Any], world: Sample) -> None:
    identity = template(world, EbsOptimized=True)
    result = player.converge(MODULE, **options, launch_template={"id": identity})
    assert result["nodegroup"]["launch_template"] == {"id": identity, "name": "nodes", "version": "1"}
    assert result["nodegroup"]["disk_size"] is None
    world.ec2.create_launch_template_version(LaunchTemplateId=identity, LaunchTemplateData={"EbsOptimized": False})
    moved = player.converge(MODULE, **GROUP, launch_template={"name": "nodes", "version": "2"})
    assert operations(moved["plan"]) == [VERSION]
    assert moved["plan"][0]["request"]["version"] == "1.33"
    assert live(world)["launchTemplate"]["version"] == "2"
    player.unchanged(MODULE, **GROUP, launch_template={"id": identity})


def test_an_instance_type_of_the_template_is_looked_at_too(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    del options["instance_types"]
    identity = template(world, InstanceType="t2.large")
    msg = player.refuses(MODULE, **options, launch_template={"id": identity})
    assert msg.startswith("launch_template: t2.large is not built on Nitro")


# --- refusals without a call -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"name": "no name"}, "name", "no name for a node group"),
        ({"ami_type": "AL2024_x86_64"}, "ami_type", "EKS knows no 'AL2024_x86_64'. It knows AL2023_ARM_64_NVIDIA"),
        ({"node_role_arn": "node"}, "node_role_arn", "no ARN"),
        ({"subnet_ids": []}, "subnet_ids", "one subnet at least"),
        ({"instance_types": [f"m{n}.large" for n in range(21)]}, "instance_types", "20 at most"),
        ({"kubernetes_version": "1.34.2"}, "kubernetes_version", "no Kubernetes version"),
        ({"scaling": {"min_size": 3, "max_size": 2}}, "scaling.min_size", "3 is above max_size 2"),
        ({"scaling": {"min_size": -1, "max_size": 2}}, "scaling.min_size", "below zero"),
        ({"scaling": {"min_size": 0, "max_size": 0}}, "scaling.max_size", "1 at least"),
        ({"scaling": {"min_size": 1, "max_size": 2, "desired_size": 3}}, "scaling.desired_size", "outside"),
        (
            {"update_config": {"max_unavailable": 1, "max_unavailable_percentage": 10}},
            "update_config",
            "exclude each other",
        ),
        (
            {"node_repair_config": dict.fromkeys(REPAIR_PAIR, 1)},
            "node_repair_config",
            "max_parallel_nodes_repaired_count and max_parallel_nodes_repaired_percentage exclude each other",
        ),
        (
            {"node_repair_config": {"node_repair_config_overrides": [OVERRIDE, OVERRIDE]}},
            "node_repair_config.node_repair_config_overrides",
            "same condition and reason",
        ),
        (
            {"node_repair_config": {"node_repair_config_overrides": [{**OVERRIDE, "min_repair_wait_time_mins": 0}]}},
            "node_repair_config.node_repair_config_overrides",
            "1 at least",
        ),
        ({"warm_pool_config": {"enabled": True, "min_size": -1}}, "warm_pool_config.min_size", "below zero"),
        ({"warm_pool_config": {"enabled": False, "min_size": 1}}, "warm_pool_config", "has no settings"),
        ({"labels": {"eks.amazonaws.com/x": "y"}}, "labels", "keeps for itself"),
        ({"labels": {"a b": "c"}}, "labels", "a b=c is no Kubernetes label"),
        ({"labels": {"team": "x" * 64}}, "labels", "is no Kubernetes label"),
        ({"labels": {f"example.com/{'x' * 52}": "y"}}, "labels", "EKS takes a key of 1 to 63"),
        ({"labels": {"team": ""}}, "labels", "a value that is not empty"),
        ({"labels": {"team": None}}, "labels", "team=: EKS takes"),
        ({"taints": [{**TAINT, "key": ""}]}, "taints", "is no taint that EKS takes"),
        ({"taints": [{**TAINT, "value": "a b"}]}, "taints", "dedicated=a b is no taint"),
        ({"update_config": {"max_unavailable": 0}}, "update_config.max_unavailable", "0 is outside 1 to 100"),
        ({"update_config": {"max_unavailable": 101}}, "update_config.max_unavailable", "101 is outside 1 to 100"),
        (
            {"update_config": {"max_unavailable_percentage": 101}},
            "update_config.max_unavailable_percentage",
            "101 is outside 1 to 100",
        ),
        ({"taints": [TAINT, {**TAINT, "value": "other"}]}, "taints", "same key and effect"),
        ({"ami_type": "CUSTOM"}, "ami_type", "from a launch template"),
        ({"disk_size": 50, "launch_template": {"name": "x"}}, "disk_size", "belongs into it"),
        ({"disk_size": 0}, "disk_size", "0 is below 1 GiB"),
        ({"release_version": ""}, "release_version", "is empty"),
        ({"launch_template": {"name": ""}}, "launch_template.name", "is empty"),
        ({"launch_template": {"name": "x", "version": "$Latest"}}, "launch_template.version", "each run would replace"),
        ({"launch_template": {"name": "x", "version": "01"}}, "launch_template.version", "'01' is no number"),
        *(
            ({"node_repair_config": {name: number}}, f"node_repair_config.{name}", reason)
            for name, number, reason in (
                ("max_unhealthy_node_threshold_count", 0, "0 is below 1"),
                ("max_unhealthy_node_threshold_percentage", 101, "101 is outside 1 to 100"),
                ("max_parallel_nodes_repaired_count", -1, "-1 is below 1"),
                ("max_parallel_nodes_repaired_percentage", 0, "0 is outside 1 to 100"),
            )
        ),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(
    player: Player, emulator: Emulator, bad: dict[str, Any], option: str, reason: str
) -> None:
    new = {**GROUP, "node_role_arn": "arn:aws:iam::123456789012:role/node", "subnet_ids": ["subnet-1"]}
    msg = player.refuses(MODULE, **{**new, **bad})
    assert msg.startswith(f"{option}:")
    assert reason in msg
    assert emulator.journal.calls == []


# --- refusals of what exists -------------------------------------------------------------------------------------


def test_a_subnet_without_auto_assign_is_refused_before_anything_is_made(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    plain = world.subnet(world.zones[0], assign=False)
    msg = player.refuses_unless_mended(MODULE, **{**options, "subnet_ids": [world.private[0], plain]})
    assert msg.startswith(f"subnet_ids: {plain} does not assign IPv6 addresses")
    assert world.eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"] == []


def test_a_subnet_without_ipv6_is_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    plain = world.subnet(world.zones[0], ipv6=False)
    assert f"{plain} has no IPv6 CIDR block" in player.refuses_unless_mended(
        MODULE, **{**options, "subnet_ids": [plain]}
    )


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "::/0"])
def test_a_public_subnet_has_to_give_public_ipv4_addresses(
    player: Player, options: dict[str, Any], world: Sample, destination: str
) -> None:
    public = world.public_subnet(world.zones[0], destination, public_ipv4=False)
    options["skip_checks"] = ["routes"]
    msg = player.refuses_unless_mended(MODULE, **{**options, "subnet_ids": [public]})
    assert f"{public} is public and does not assign public IPv4 addresses" in msg
    world.ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
    assert player(MODULE, **{**options, "subnet_ids": [public]})["nodegroup"]["status"] == "ACTIVE"


def test_subnets_outside_the_cluster_are_refused(
    player: Player, options: dict[str, Any], aws: Callable[..., Any]
) -> None:
    assert "outside the cluster's VPC" in player.refuses(
        MODULE, **{**options, "subnet_ids": Sample(aws).private, "skip_checks": ["routes"]}
    )


def test_types_that_are_not_built_on_nitro_are_refused(player: Player, options: dict[str, Any]) -> None:
    xen = ["t2.large", "m4.large", "i3.large", "x1e.xlarge"]
    failed = player.fails(MODULE, **{**options, "instance_types": ["m6i.large", "m5.metal", *xen]})
    refused = [problem["message"].split()[0] for problem in failed["problems"]]
    assert sorted(refused) == sorted(xen)
    assert {problem["option"] for problem in failed["problems"]} == {"instance_types"}


def test_an_unknown_type_is_refused_by_name(player: Player, options: dict[str, Any]) -> None:
    msg = player.refuses(MODULE, **{**options, "instance_types": ["m6i.large", "m99.huge"]})
    assert msg.startswith("instance_types: EC2 knows no m99.huge")


@pytest.mark.parametrize(
    ("types", "ami_type"), [(["m7g.large"], "AL2023_x86_64_STANDARD"), (["m6i.large"], "BOTTLEROCKET_ARM_64")]
)
def test_an_architecture_that_does_not_fit_the_ami_is_refused(
    player: Player, options: dict[str, Any], types: list[str], ami_type: str
) -> None:
    assert "has the architecture" in player.refuses(MODULE, **{**options, "instance_types": types}, ami_type=ami_type)


def test_arm_without_instance_types_is_refused(player: Player, options: dict[str, Any]) -> None:
    del options["instance_types"]
    assert "EKS takes t3.medium" in player.refuses(MODULE, **options, ami_type="AL2023_ARM_64_STANDARD")


def test_windows_is_refused(player: Player, options: dict[str, Any]) -> None:
    windows = [name for name in AMI_TYPES if name.startswith("WINDOWS_")]
    assert len(windows) > 3
    for ami_type in windows:
        assert "IPv6 clusters have no Windows nodes" in player.refuses(MODULE, **options, ami_type=ami_type)


def test_amazon_linux_2_is_refused_where_eks_has_none(player: Player, options: dict[str, Any]) -> None:
    assert "up to Kubernetes 1.32 only" in player.refuses(MODULE, **options, ami_type="AL2_x86_64")


def test_a_new_group_needs_a_role_subnets_and_whole_sizes(player: Player, world: Sample) -> None:
    failed = player.fails(MODULE, **GROUP, scaling={"min_size": 1})
    assert [problem["option"] for problem in failed["problems"]] == ["node_role_arn", "subnet_ids", "scaling"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"InstanceType": "m6i.large"}, "instance_types: the launch template names an instance type"),
        ({"IamInstanceProfile": {"Name": "x"}}, "IamInstanceProfile"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1"}]}, "NetworkInterfaces[].SubnetId"),
    ],
)
def test_templates_that_managed_groups_do_not_take_are_refused(
    player: Player, options: dict[str, Any], world: Sample, data: dict[str, Any], reason: str
) -> None:
    assert reason in player.refuses(MODULE, **options, launch_template={"id": template(world, **data)})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"MetadataOptions": {"HttpProtocolIpv6": "enabled"}}, "turns on the IPv6 endpoint"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "Ipv6AddressCount": 2}]}, "gives an interface 2 IPv6 addresses"),
        ({"IamInstanceProfile": {"Name": "x"}}, "managed node groups take none with IamInstanceProfile"),
        ({"ImageId": "ami-0123456789abcdef0"}, "EC2 knows no ami-0123456789abcdef0"),
        ({"InstanceType": "t2.large"}, "t2.large is not built on Nitro"),
    ],
)
def test_another_version_of_the_template_is_held_to_the_same(
    player: Player, options: dict[str, Any], world: Sample, data: dict[str, Any], reason: str
) -> None:
    identity = template(world)
    player(MODULE, **options, launch_template={"id": identity})
    world.ec2.create_launch_template_version(LaunchTemplateId=identity, LaunchTemplateData=data)
    assert reason in player.refuses(MODULE, **GROUP, launch_template={"id": identity, "version": "2"})
    assert live(world)["launchTemplate"]["version"] == "1"
    missing = {"id": identity, "version": "7"}
    assert "no such version of it" in player.refuses_unless_mended(MODULE, **GROUP, launch_template=missing)


def test_an_unknown_template_is_refused(player: Player, options: dict[str, Any]) -> None:
    msg = player.refuses_unless_mended(MODULE, **options, launch_template={"id": "lt-0123456789abcdef0"})
    assert msg.startswith("launch_template: EC2 knows no such launch template")


def test_every_reason_is_named_at_once(player: Player, options: dict[str, Any], world: Sample) -> None:
    plain = world.subnet(world.zones[0], assign=False)
    bad = {"subnet_ids": [plain, "subnet-0123456789abcdef0"], "instance_types": ["t2.large", "m99.huge"]}
    failed = player.fails(MODULE, **{**options, **bad}, ami_type="WINDOWS_CORE_2022_x86_64")
    assert [problem["option"] for problem in failed["problems"]] == [
        "ami_type",
        "subnet_ids",
        "subnet_ids",
        "instance_types",
        "instance_types",
    ]


# --- changing one ------------------------------------------------------------------------------------------------


def test_regression_a_labels_new_value_is_a_change(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    result = player.converge(MODULE, **GROUP, labels={"env": "prod", "team": "a"})
    assert operations(result["plan"]) == [CONFIG]
    assert result["plan"][0]["request"]["labels"] == {"addOrUpdateLabels": {"env": "prod"}}
    assert live(world)["labels"] == {"env": "prod", "team": "a"}


def test_regression_a_taint_can_be_changed(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    changed = {**TAINT, "value": "other"}
    result = player.converge(MODULE, **GROUP, taints=[changed, OTHER_TAINT])
    assert operations(result["plan"]) == [CONFIG]
    assert result["nodegroup"]["taints"] == [changed, OTHER_TAINT]
    assert {(taint["key"], taint.get("value", "")) for taint in live(world)["taints"]} == {
        ("dedicated", "other"),
        ("spot", ""),
    }


def test_regression_a_taint_can_be_added_to_a_group_without_any(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    player(MODULE, **options)
    player.converge(MODULE, **GROUP, taints=[TAINT])
    assert live(world)["taints"] == [TAINT]
    assert player.converge(MODULE, **GROUP, taints=[])["nodegroup"]["taints"] == []


def test_regression_labels_and_taints_are_not_taken_away_by_omission(player: Player, made: dict[str, Any]) -> None:
    group = player.unchanged(MODULE, **GROUP, scaling={"max_size": 3})["nodegroup"]
    assert (group["labels"], group["taints"]) == (made["labels"], made["taints"])


def test_regression_every_ami_type_of_botocore_is_known(player: Player, options: dict[str, Any], world: Sample) -> None:
    linux = [name for name in AMI_TYPES if not name.startswith(("WINDOWS_", "AL2_", "CUSTOM"))]
    assert {"AL2023_ARM_64_STANDARD", "AL2023_x86_64_NVIDIA", "BOTTLEROCKET_ARM_64_FIPS"} < set(linux)
    for ami_type in linux:
        options["instance_types"] = ["m7g.large" if "ARM_64" in ami_type else "m6i.large"]
        planned = player.check(MODULE, **options, ami_type=ami_type, skip_checks=["cni", "routes"])
        assert planned["nodegroup"]["ami_type"] == ami_type
    image = world.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"][0]["ImageId"]
    own = {"launch_template": {"id": template(world, ImageId=image)}, "ami_type": "CUSTOM"}
    options["instance_types"] = ["m6i.large"]
    assert player.check(MODULE, **options, **own)["nodegroup"]["ami_type"] == "CUSTOM"


def test_regression_another_ami_type_or_instance_type_is_not_ignored(player: Player, made: dict[str, Any]) -> None:
    del made
    for option, value in (("ami_type", "BOTTLEROCKET_x86_64"), ("instance_types", ["m7i.large"])):
        msg = player.refuses(MODULE, **GROUP, **{option: value})
        assert msg.startswith(f"{option}:")
        assert "It needs a new node group" in msg


def test_regression_tags_can_be_changed(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    predicted = player.check(MODULE, **GROUP, tags={"c": "d"})
    assert predicted["changed"] is True
    result = player.converge(MODULE, **GROUP, tags={"c": "d"})
    assert operations(result["plan"]) == [("eks", "TagResource"), ("eks", "UntagResource")]
    assert live(world)["tags"] == {"c": "d"}


def test_regression_without_wait_the_facts_are_where_they_always_are(player: Player, options: dict[str, Any]) -> None:
    result = player(MODULE, **options, wait=False)
    assert result["nodegroup"]["name"] == "general"


def test_regression_a_template_does_not_exclude_types_and_ami_type(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    result = player.converge(MODULE, **options, ami_type="BOTTLEROCKET_x86_64", launch_template={"id": template(world)})
    assert result["nodegroup"]["instance_types"] == ["m6i.large"]


def test_regression_a_template_without_id_and_name_is_a_failure(player: Player, options: dict[str, Any]) -> None:
    failed = player.fails(MODULE, **options, launch_template={"version": "1"})
    assert "one of the following is required: id, name found in launch_template" in failed["msg"]
    assert player.writes()[-1] != CREATE


def test_regression_the_default_is_no_retired_amazon_linux_2(player: Player, options: dict[str, Any]) -> None:
    assert player.check(MODULE, **options)["nodegroup"]["ami_type"] == "AL2023_x86_64_STANDARD"


def test_regression_capacity_blocks_and_upgrade_and_upkeep_are_options(player: Player, options: dict[str, Any]) -> None:
    planned = player.check(
        MODULE,
        **options,
        capacity_type="CAPACITY_BLOCK",
        update_config={"update_strategy": "MINIMAL"},
        node_repair_config={"enabled": True},
        warm_pool_config={"enabled": True},
        kubernetes_version="1.33",
        force=True,
    )
    request = planned["plan"][0]["request"]
    assert request["capacityType"] == "CAPACITY_BLOCK"
    assert request["updateConfig"] == {"updateStrategy": "MINIMAL"}
    assert request["nodeRepairConfig"] == request["warmPoolConfig"] == {"enabled": True}
    assert request["version"] == "1.33"


def test_regression_messages_name_the_group(player: Player, made: dict[str, Any], emulator: Emulator) -> None:
    del made
    emulator.fault("eks", CONFIG[1], status=400, code="InvalidParameterException", message="no")
    msg = player.fails(MODULE, **GROUP, labels={"env": "prod"})["msg"]
    assert "nodegroup/production/general" in msg
    assert "{" not in msg


@pytest.mark.parametrize("operation", ["DescribeNodegroup", CONFIG[1]])
def test_regression_a_throttled_call_is_repeated(
    player: Player, made: dict[str, Any], world: Sample, emulator: Emulator, operation: str
) -> None:
    del made
    emulator.fault("eks", operation, status=429, code="TooManyRequestsException", message="slower")
    player(MODULE, **GROUP, labels={"env": "prod"})
    assert live(world)["labels"] == {"env": "prod"}


def test_regression_check_mode_waits_for_nothing(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    assert operations(player.check(MODULE, **GROUP, state="absent")["plan"]) == [DELETE]
    assert live(world)["status"] == "ACTIVE"


def test_regression_a_failed_group_ends_the_wait_at_once(
    player: Player, options: dict[str, Any], world: Sample, emulator: Emulator
) -> None:
    world.allow("cni", ("ec2:DescribeInstances",))
    emulator.journal.clear()
    failed = player.fails(MODULE, **options, skip_checks=["cni"])
    assert "became CREATE_FAILED" in failed["msg"]
    begun = [call.operation for call in emulator.journal.calls].index(CREATE[1])
    polls = [call.operation for call in emulator.journal.calls][begun + 1 :]
    assert set(polls) == {"DescribeNodegroup"}
    assert len(polls) < 5


def test_marks_not_named_stay_without_purge(player: Player, made: dict[str, Any]) -> None:
    del made
    group = player.converge(
        MODULE, **GROUP, labels={"new": "one"}, purge_labels=False, taints=[OTHER_TAINT], purge_taints=False
    )["nodegroup"]
    assert group["labels"] == {"env": "dev", "team": "a", "new": "one"}
    assert group["taints"] == [TAINT, OTHER_TAINT]


def test_marks_go_when_the_others_are_named(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    result = player.converge(MODULE, **GROUP, labels={"team": "a"}, taints=[OTHER_TAINT])
    request = result["plan"][0]["request"]
    assert request["labels"] == {"removeLabels": ["env"]}
    assert request["taints"]["removeTaints"] == [TAINT]
    assert live(world)["labels"] == {"team": "a"}


def test_labels_are_texts_whatever_yaml_makes_of_them(player: Player, options: dict[str, Any], world: Sample) -> None:
    player.converge(MODULE, **options, labels={"gpu": True, "tier": 1})
    assert live(world)["labels"] == {"gpu": "true", "tier": "1"}


@pytest.mark.parametrize(
    ("scaling", "request_part", "after"),
    [
        ({"max_size": 5}, {"maxSize": 5}, (1, 5, 2)),
        ({"min_size": 3}, {"minSize": 3, "desiredSize": 3}, (3, 3, 3)),
        ({"max_size": 1}, {"maxSize": 1, "desiredSize": 1}, (1, 1, 1)),
        ({"desired_size": 3}, {"desiredSize": 3}, (1, 3, 3)),
    ],
)
def test_sizes_change_and_the_desired_one_moves_no_more_than_it_must(
    player: Player, options: dict[str, Any], scaling: dict[str, int], request_part: dict[str, int], after: Any
) -> None:
    player(MODULE, **{**options, "scaling": {"min_size": 1, "max_size": 3, "desired_size": 2}})
    result = player.converge(MODULE, **GROUP, scaling=scaling)
    assert result["plan"][0]["request"]["scalingConfig"] == request_part
    assert result["plan"][0]["risk"] == "disruptive"
    assert tuple(result["nodegroup"]["scaling"].values()) == after


def test_a_desired_size_that_an_autoscaler_has_set_is_left_alone(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    player(MODULE, **options)
    update = world.eks.update_nodegroup_config(
        clusterName=CLUSTER, nodegroupName="general", scalingConfig={"desiredSize": 3}
    )["update"]
    world.updated(update, CLUSTER, nodegroupName="general")
    assert player.unchanged(MODULE, **options)["nodegroup"]["scaling"]["desired_size"] == 3


def test_bounds_that_shut_out_the_sizes_there_are_are_refused(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    assert "scaling.min_size: 4 is above max_size 3" in player.refuses(MODULE, **GROUP, scaling={"min_size": 4})


def test_the_limits_of_an_update_take_each_others_place(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    share = player.converge(MODULE, **GROUP, update_config={"max_unavailable_percentage": 33})["nodegroup"]
    assert share["update_config"]["max_unavailable"] is None
    strategy = player.converge(MODULE, **GROUP, update_config={"update_strategy": "MINIMAL"})["nodegroup"]
    assert strategy["update_config"]["max_unavailable_percentage"] == 33


def test_an_unchanged_group_is_two_reads(player: Player, options: dict[str, Any], emulator: Emulator) -> None:
    player(MODULE, **options)
    emulator.journal.clear()
    player.unchanged(MODULE, **options)
    assert sorted(call.operation for call in emulator.journal.calls) == ["DescribeCluster", "DescribeNodegroup"]


@pytest.mark.parametrize("option", ["node_role_arn", "subnet_ids", "capacity_type", "disk_size", "launch_template"])
def test_what_eks_cannot_change_needs_a_new_group(
    player: Player, made: dict[str, Any], world: Sample, option: str
) -> None:
    del made
    other: dict[str, Any] = {
        "node_role_arn": world.role("other", "ec2.amazonaws.com"),
        "subnet_ids": world.private[:1],
        "capacity_type": "SPOT",
        "disk_size": 80,
        "launch_template": {"name": "nodes"},
    }
    msg = player.refuses(MODULE, **GROUP, **{option: other[option]})
    assert msg.startswith(f"{option}:")
    assert "It needs a new node group" in msg


def test_the_nodes_follow_the_control_plane(player: Player, options: dict[str, Any], world: Sample) -> None:
    first = player(MODULE, **options)["nodegroup"]
    planned = player.check(MODULE, **GROUP, kubernetes_version="1.34")
    assert operations(planned["plan"]) == [VERSION]
    assert "takes 1.34 for granted" in planned["warnings"][0]
    refused = player.fails(MODULE, **GROUP, kubernetes_version="1.34")["msg"]
    assert "1.34 is newer than the cluster's 1.33" in refused
    player("eks_cluster", name=CLUSTER, kubernetes_version="1.34")
    result = player.converge(MODULE, **GROUP, kubernetes_version="1.34")
    assert result["nodegroup"]["version"] == live(world)["version"] == "1.34"
    assert result["nodegroup"]["release_version"] == live(world)["releaseVersion"] != first["release_version"]
    assert "does not go back" in player.refuses(MODULE, **GROUP, kubernetes_version="1.33")


def test_a_cluster_with_nodes_goes_one_minor_at_a_time(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    msg = player.refuses("eks_cluster", name=CLUSTER, kubernetes_version="1.35")
    assert "Go to 1.34 first" in msg
    player("eks_cluster", name=CLUSTER, kubernetes_version="1.34")
    msg = player.refuses("eks_cluster", name=CLUSTER, kubernetes_version="1.35")
    assert "the node groups general are not at 1.34 yet" in msg
    assert "still has node groups: general" in player.fails("eks_cluster", name=CLUSTER, state="absent")["msg"]


def test_a_release_is_rolled_out(player: Player, options: dict[str, Any], world: Sample) -> None:
    newest = player(MODULE, **options)["nodegroup"]["release_version"]
    older = releases("AL2023_x86_64_STANDARD", "1.33")[-1]
    assert older != newest
    result = player.converge(MODULE, **GROUP, release_version=older, force=True)
    assert result["plan"][0]["request"] == {
        "clusterName": CLUSTER,
        "nodegroupName": "general",
        "version": "1.33",
        "releaseVersion": older,
        "force": True,
    }
    assert live(world)["releaseVersion"] == older


def test_a_release_for_another_kubernetes_is_refused(player: Player, options: dict[str, Any]) -> None:
    other = {"release_version": "1.32.1-20260101"}
    reason = "release_version: 1.32.1-20260101 is no release of AL2023_x86_64_STANDARD for Kubernetes 1.33."
    assert player.refuses_unless_mended(MODULE, **options, **other).startswith(reason)
    assert player.refuses(MODULE, **options, **other, kubernetes_version="1.33").startswith(reason)
    player(MODULE, **options)
    assert player.refuses(MODULE, **GROUP, **other).startswith(reason)


def test_a_release_of_bottlerocket_has_a_number_of_its_own(player: Player, options: dict[str, Any]) -> None:
    release = releases("BOTTLEROCKET_x86_64", "1.33")[-1]
    assert not release.startswith("1.33.")
    player.converge(MODULE, **options, ami_type="BOTTLEROCKET_x86_64", release_version=release)


def test_no_instance_types_are_as_none_given(player: Player, options: dict[str, Any]) -> None:
    """A list without any is what EKS gives nobody: with replace each run would make the node group anew."""
    player.converge(MODULE, **{**options, "instance_types": []}, replace=True)


def test_an_upgrade_that_fails_says_why(player: Player, options: dict[str, Any], world: Sample) -> None:
    player(MODULE, **options)
    player("eks_cluster", name=CLUSTER, kubernetes_version="1.34")
    world.allow("cni", ("ec2:DescribeInstances",))
    failed = player.fails(MODULE, **GROUP, kubernetes_version="1.34")
    assert "nodegroup/production/general became Failed: NodeCreationFailure: Unhealthy nodes" in failed["msg"]


def test_a_degraded_group_is_warned_of(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    record = in_emulator()
    record.facts["health"] = {"issues": [{"code": "AccessDenied", "message": "no", "resourceIds": []}]}
    record.life.set("DEGRADED")
    result = player.unchanged(MODULE, **GROUP)
    assert result["warnings"] == ["nodegroup/production/general: DEGRADED: AccessDenied: no"]


# --- interrupted runs and removing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"env": "prod"}, "taints": [OTHER_TAINT], "scaling": {"min_size": 2}},
        {"update_config": {"max_unavailable_percentage": 50}},
        {"node_repair_config": {"enabled": True, "max_parallel_nodes_repaired_count": 2}},
        {"warm_pool_config": {"enabled": True, "min_size": 1, "pool_state": "RUNNING"}},
        {"release_version": releases("AL2023_x86_64_STANDARD", "1.33")[-1]},
    ],
    ids=",".join,
)
def test_a_change_under_way_is_waited_for_and_not_made_twice(
    player: Player, made: dict[str, Any], change: dict[str, Any], emulator: Emulator
) -> None:
    del made
    emulator.transitions("eks::update", times=5)
    emulator.fault("eks", "DescribeUpdate", status=400, code="AccessDeniedException", message="cut off")
    player.fails(MODULE, **GROUP, **change)
    player.unchanged(MODULE, **GROUP, **change)
    assert player.unchanged(MODULE, **GROUP, **change)["nodegroup"]["status"] == "ACTIVE"


def test_a_group_on_its_way_out_is_waited_for_and_made_anew(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    player(MODULE, **GROUP, state="absent", wait=False)
    assert operations(player.converge(MODULE, **options)["plan"]) == [CREATE]


def test_absent_removes_and_is_content_when_gone(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    result = player.converge(MODULE, **GROUP, state="absent")
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("DeleteNodegroup", "irreversible")]
    assert result["nodegroup"] is None
    assert world.eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"] == []


def test_absent_without_a_cluster_is_content(player: Player) -> None:
    assert player.unchanged(MODULE, **GROUP, state="absent")["nodegroup"] is None


def test_a_group_in_the_making_is_waited_for_before_it_goes(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options, wait=False)
    assert operations(player.converge(MODULE, **GROUP, state="absent")["plan"]) == [DELETE]


# --- what must be in place ---------------------------------------------------------------------------------------


def test_instances_have_one_ipv6_address_and_a_prefix(
    player: Player, options: dict[str, Any], world: Sample, aws: Callable[..., Any]
) -> None:
    groups = player(MODULE, **options)["nodegroup"]["auto_scaling_group_names"]
    described = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=groups)["AutoScalingGroups"]
    held = [item["InstanceId"] for group in described for item in group["Instances"]]
    reservations = world.ec2.describe_instances(InstanceIds=held)["Reservations"]
    interfaces = [item["NetworkInterfaces"][0] for found in reservations for item in found["Instances"]]
    assert len(interfaces) == 1
    for interface in interfaces:
        assert len(interface["Ipv6Addresses"]) == 1
        assert len(interface["Ipv6Prefixes"]) == 1


def test_subnets_without_a_way_out_are_refused_by_family(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    table = world.ec2.create_route_table(VpcId=world.vpc_id)["RouteTable"]["RouteTableId"]
    world.ec2.associate_route_table(RouteTableId=table, SubnetId=world.private[0])
    msg = player.refuses_unless_mended(MODULE, **options)
    lacking = "and no VPC endpoint in its place for ec2, ecr.api, ecr.dkr, s3, eks-auth"
    assert f"{world.private[0]} has no active route to 0.0.0.0/0, {lacking}. Lead it to a NAT" in msg
    assert f"{world.private[0]} has no active route to ::/0, {lacking}. Lead it to an egress-only" in msg
    assert world.private[1] not in msg
    assert player.check(MODULE, **options, skip_checks=["routes"])["warnings"] == []


NODE_SERVICES = ("ec2", "ecr.api", "ecr.dkr", "s3", "eks-auth")


def closed_table(world: Sample) -> str:
    """A route table without a way out, which the private subnets have from now on."""
    table: str = world.ec2.create_route_table(VpcId=world.vpc_id)["RouteTable"]["RouteTableId"]
    for subnet in world.private:
        world.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


def test_vpc_endpoints_serve_nodes_that_have_no_way_out(
    player: Player, options: dict[str, Any], world: Sample, emulator: Emulator
) -> None:
    table = closed_table(world)
    world.endpoints(*NODE_SERVICES, table=table)
    msg = player.refuses_unless_mended(MODULE, **options)
    assert "have no way out, and production has its API endpoint outside the VPC only" in msg
    player("eks_cluster", name=CLUSTER, endpoint_private_access=True)
    result = player.converge(MODULE, **options)
    assert result["nodegroup"]["status"] == "ACTIVE"
    assert ["nodes reach AWS through VPC endpoints" in text for text in result["warnings"]] == [True, False]
    assert "pods have no way out of the VPC over IPv6" in result["warnings"][1]


def test_the_endpoints_that_are_missing_or_of_no_use_are_named(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    table = closed_table(world)
    other = world.ec2.create_route_table(VpcId=world.vpc_id)["RouteTable"]["RouteTableId"]
    world.endpoints("ec2", "ecr.api", "s3", table=other)
    msg = player.refuses_unless_mended(MODULE, **options)
    gateway = next(
        found["VpcEndpointId"]
        for found in world.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if found["VpcEndpointType"] == "Gateway"
    )
    assert f"no VPC endpoint in its place for ecr.dkr, s3 ({gateway} is not in {table}), eks-auth. Lead it to" in msg


def test_endpoints_that_nobody_may_read_are_told_apart_from_none(
    player: Player, options: dict[str, Any], world: Sample, emulator: Emulator
) -> None:
    closed_table(world)
    emulator.fault("ec2", "DescribeVpcEndpoints", status=403, code="UnauthorizedOperation", message="no", count=100)
    msg = player.refuses_unless_mended(MODULE, **options)
    assert "and without ec2:DescribeVpcEndpoints the caller cannot tell whether endpoints serve in its place." in msg


def test_endpoints_are_not_read_where_routes_lead_out(
    player: Player, options: dict[str, Any], emulator: Emulator
) -> None:
    emulator.journal.clear()
    player.check(MODULE, **options)
    assert "DescribeRouteTables" in [call.operation for call in emulator.journal.calls]
    assert "DescribeVpcEndpoints" not in [call.operation for call in emulator.journal.calls]


def test_a_cni_whose_role_may_not_assign_addresses_is_refused(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    world.allow("cni", ("ec2:DescribeInstances",))
    version = world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"]["addonVersion"]
    msg = player.refuses_unless_mended(MODULE, **options)
    assert (
        f"the role {world.cni_role}, which vpc-cni {version} of production takes, does not allow"
        " ec2:AssignIpv6Addresses, ec2:DescribeInstanceTypes, ec2:DescribeNetworkInterfaces, ec2:DescribeTags." in msg
    )


def test_a_cluster_without_a_cni_is_refused(player: Player, bare: Sample) -> None:
    bare.way_out()
    bare.cluster(CLUSTER, bootstrapSelfManagedAddons=False)
    new = {**GROUP, "node_role_arn": bare.node_role, "subnet_ids": bare.private}
    msg = player.refuses_unless_mended(MODULE, **new)
    assert "production has no add-on vpc-cni" in msg and "Run iam_cni_role and eks_addon first" in msg


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"MetadataOptions": {"HttpProtocolIpv6": "enabled"}}, "turns on the IPv6 endpoint of the instance metadata"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "Ipv6AddressCount": 2}]}, "gives an interface 2 IPv6 addresses"),
        (
            {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}},
            "attribute-based selection",
        ),
    ],
)
def test_what_a_template_must_not_have(
    player: Player, options: dict[str, Any], world: Sample, data: dict[str, Any], reason: str
) -> None:
    del options["instance_types"]
    assert reason in player.refuses(MODULE, **options, launch_template={"id": template(world, **data)})


@pytest.mark.parametrize(
    ("platform", "types", "reason"),
    [
        (None, ["m6i.large"], "has the architecture x86_64, the image {} arm64"),
        ("windows", ["m7g.large"], "the image {} is Windows; IPv6 clusters have no Windows nodes"),
    ],
)
def test_an_image_of_ones_own_is_looked_at_too(
    player: Player, options: dict[str, Any], world: Sample, platform: str | None, types: list[str], reason: str
) -> None:
    arm = [{"Name": "architecture", "Values": ["arm64"]}]
    image = world.ec2.describe_images(Filters=arm)["Images"][0]["ImageId"]
    ec2_backends["123456789012"]["eu-west-1"].amis[image].platform = platform
    given = {**options, "instance_types": types, "launch_template": {"id": template(world, ImageId=image)}}
    assert reason.format(image) in player.refuses(MODULE, **given)


def test_an_image_that_is_not_there_is_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    missing = {"id": template(world, ImageId="ami-0123456789abcdef0")}
    msg = player.refuses(MODULE, **options, launch_template=missing)
    assert msg == "launch_template: EC2 knows no ami-0123456789abcdef0 in this region."


def test_every_problem_is_said_at_once(player: Player, options: dict[str, Any], world: Sample) -> None:
    plain = world.subnet(world.zones[0], assign=False)
    world.allow("cni", ("ec2:DescribeInstances",))
    bad = {**options, "subnet_ids": [plain], "instance_types": ["m4.large"], "ami_type": "AL2023_ARM_64_STANDARD"}
    failed = player.fails(MODULE, **bad)
    assert sorted(problem["option"] for problem in failed["problems"]) == [
        "cluster_name",
        "instance_types",
        "instance_types",
        "subnet_ids",
    ]


# --- remote access, repair, replacement --------------------------------------------------------------------------


def test_remote_access_is_set_once(player: Player, options: dict[str, Any], world: Sample) -> None:
    world.ec2.create_key_pair(KeyName="operators")
    result = player.converge(MODULE, **options, remote_access={"ec2_ssh_key": "operators"})
    assert live(world)["remoteAccess"]["ec2SshKey"] == "operators"
    assert result["nodegroup"]["remote_access"]["ec2_ssh_key"] == "operators"
    msg = player.refuses(MODULE, **GROUP, remote_access={"ec2_ssh_key": "others"})
    assert msg.startswith("remote_access: remote access cannot be changed") and "replace: true" in msg


def test_node_repair_changes_in_place(player: Player, options: dict[str, Any], world: Sample) -> None:
    player.converge(MODULE, **options, node_repair_config={"enabled": True, "max_parallel_nodes_repaired_count": 1})
    wanted = {"max_parallel_nodes_repaired_percentage": 20}
    changed = player.converge(MODULE, **GROUP, node_repair_config=wanted)
    assert operations(changed["plan"]) == [CONFIG]
    assert changed["plan"][0]["request"]["nodeRepairConfig"] == {
        "enabled": True,
        "maxParallelNodesRepairedPercentage": 20,
        "nodeRepairConfigOverrides": [],
    }
    assert live(world)["nodeRepairConfig"] == {
        "enabled": True,
        "maxParallelNodesRepairedPercentage": 20,
        "nodeRepairConfigOverrides": [],
    }


def test_repair_has_overrides_whose_order_means_nothing(player: Player, options: dict[str, Any], world: Sample) -> None:
    both = {"enabled": True, "node_repair_config_overrides": [OTHER_OVERRIDE, OVERRIDE]}
    group = player.converge(MODULE, **options, node_repair_config=both)["nodegroup"]
    assert group["node_repair_config"]["node_repair_config_overrides"] == [OVERRIDE, OTHER_OVERRIDE]
    assert live(world)["nodeRepairConfig"]["nodeRepairConfigOverrides"][0] == {
        "nodeMonitoringCondition": "AcceleratedHardwareReady",
        "nodeUnhealthyReason": "NvidiaXID13Error",
        "minRepairWaitTimeMins": 10,
        "repairAction": "Reboot",
    }
    player.unchanged(MODULE, **GROUP, node_repair_config={"node_repair_config_overrides": [OVERRIDE, OTHER_OVERRIDE]})
    limited = player.converge(MODULE, **GROUP, node_repair_config={"max_unhealthy_node_threshold_count": 3})
    assert len(limited["nodegroup"]["node_repair_config"]["node_repair_config_overrides"]) == 2
    player.converge(MODULE, **GROUP, node_repair_config={"node_repair_config_overrides": []})
    assert live(world)["nodeRepairConfig"]["nodeRepairConfigOverrides"] == []
    assert live(world)["nodeRepairConfig"]["enabled"] is True


def test_a_warm_pool_comes_changes_and_goes(player: Player, options: dict[str, Any], world: Sample) -> None:
    made = player.converge(MODULE, **options, warm_pool_config={"enabled": True, "max_group_prepared_capacity": 5})
    assert made["plan"][0]["request"]["warmPoolConfig"] == {"enabled": True, "maxGroupPreparedCapacity": 5}
    assert made["nodegroup"]["warm_pool_config"] == {
        "enabled": True,
        "min_size": 0,
        "max_group_prepared_capacity": 5,
        "pool_state": "STOPPED",
        "reuse_on_scale_in": False,
    }
    player.unchanged(MODULE, **GROUP, warm_pool_config={"min_size": 0, "pool_state": "STOPPED"})
    changed = player.converge(MODULE, **GROUP, warm_pool_config={"min_size": 1, "reuse_on_scale_in": True})
    assert operations(changed["plan"]) == [CONFIG]
    assert live(world)["warmPoolConfig"] == {
        "enabled": True,
        "minSize": 1,
        "maxGroupPreparedCapacity": 5,
        "poolState": "STOPPED",
        "reuseOnScaleIn": True,
    }
    player.unchanged(MODULE, **GROUP)
    gone = player.converge(MODULE, **GROUP, warm_pool_config={"enabled": False})["nodegroup"]
    assert gone["warm_pool_config"]["enabled"] is False
    assert live(world)["warmPoolConfig"] == {"enabled": False}
    text = player.refuses(MODULE, **GROUP, warm_pool_config={"min_size": 1})
    assert text.startswith("warm_pool_config: the node group has no warm pool")


def test_bottlerocket_s_warm_pools_are_stopped_or_running(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    pool = {"enabled": True, "pool_state": "HIBERNATED", "reuse_on_scale_in": True}
    failed = player.fails(MODULE, **options, ami_type="BOTTLEROCKET_x86_64", warm_pool_config=pool)
    assert [problem["option"] for problem in failed["problems"]] == [
        "warm_pool_config.pool_state",
        "warm_pool_config.reuse_on_scale_in",
    ]
    running = {"enabled": True, "pool_state": "RUNNING"}
    player.converge(MODULE, **options, ami_type="BOTTLEROCKET_x86_64", warm_pool_config=running)
    assert "does not hibernate" in player.refuses(MODULE, **GROUP, warm_pool_config={"pool_state": "HIBERNATED"})


def test_a_replacement_carries_repair_and_warm_pool_over(
    player: Player, options: dict[str, Any], world: Sample
) -> None:
    upkeep = {
        "node_repair_config": {"enabled": True, "node_repair_config_overrides": [OVERRIDE]},
        "warm_pool_config": {"enabled": True, "min_size": 1},
    }
    before = player(MODULE, **options, **upkeep)["nodegroup"]
    after = player.converge(MODULE, **GROUP, capacity_type="SPOT", replace=True)["nodegroup"]
    assert (after["node_repair_config"], after["warm_pool_config"]) == (
        before["node_repair_config"],
        before["warm_pool_config"],
    )
    assert live(world)["warmPoolConfig"]["minSize"] == 1


def test_a_replacement_is_done_only_when_told(player: Player, made: dict[str, Any], world: Sample) -> None:
    other = {**GROUP, "instance_types": ["m7g.large"], "ami_type": "BOTTLEROCKET_ARM_64"}
    assert "set replace: true" in player.refuses(MODULE, **other)
    result = player.converge(MODULE, **other, replace=True)
    assert operations(result["plan"]) == [DELETE, CREATE]
    found = live(world)
    assert (found["amiType"], found["instanceTypes"]) == ("BOTTLEROCKET_ARM_64", ["m7g.large"])
    assert (found["labels"], found["tags"]) == (made["labels"], made["tags"])
    assert found["nodeRole"] == made["node_role_arn"]


def test_replace_alone_replaces_nothing(player: Player, made: dict[str, Any]) -> None:
    player.unchanged(MODULE, **GROUP, replace=True)
