# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autoscaling_group_ipv6 against the emulator."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE, TEMPLATE = "autoscaling_group_ipv6", "ec2_launch_template_ipv6"
CLUSTER, NAME = "production", "production-general"
CREATE, UPDATE = ("autoscaling", "CreateAutoScalingGroup"), ("autoscaling", "UpdateAutoScalingGroup")
REFRESH, DELETE = ("autoscaling", "StartInstanceRefresh"), ("autoscaling", "DeleteAutoScalingGroup")
SET_TAGS, DELETE_TAGS = ("autoscaling", "CreateOrUpdateTags"), ("autoscaling", "DeleteTags")
GROUP = {"name": NAME, "cluster_name": CLUSTER}
OWN = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eksops.ipv6/autoscaling-group": NAME}
SIZES = {"min_size": 1, "max_size": 3, "desired_capacity": 2}
IMAGE = "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/arm64/standard/recommended/image_id"


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    """An IPv6 cluster with its CNI, and a role that is let in, as a profile for nodes."""
    world = Sample(aws)
    world.way_out()
    world.cluster(CLUSTER)
    world.cni(CLUSTER)
    world.eks.create_access_entry(clusterName=CLUSTER, principalArn=world.node_role, type="EC2_LINUX")
    world.iam.create_instance_profile(InstanceProfileName="node")
    world.iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    return world


@pytest.fixture
def template(player: Player, world: Sample) -> Callable[..., dict[str, str]]:
    """`template(**changes)`: the launch template as the module's option takes it, made or changed."""
    image = world.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"]

    def make(**changes: Any) -> dict[str, str]:
        options = {"image_id": image, "instance_type": "m7g.large", "iam_instance_profile": "node", **changes}
        made = player(TEMPLATE, name=NAME, **options)["launch_template"]
        return {"id": made["id"], "version": made["version"]}

    return make


@pytest.fixture
def options(world: Sample, template: Callable[..., dict[str, str]]) -> dict[str, Any]:
    return {**GROUP, **SIZES, "launch_template": template(), "subnet_ids": world.private}


def live(world: Sample) -> dict[str, Any]:
    found = world.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"]
    return dict(found[0]) if found else {}


def tags(world: Sample) -> dict[str, tuple[str, bool]]:
    return {tag["Key"]: (tag["Value"], tag["PropagateAtLaunch"]) for tag in live(world)["Tags"]}


def ids(world: Sample) -> set[str]:
    return {item["InstanceId"] for item in live(world)["Instances"]}


def versions(world: Sample) -> list[str]:
    return [item["LaunchTemplate"]["Version"] for item in live(world)["Instances"]]


def test_a_new_group(player: Player, world: Sample, options: dict[str, Any]) -> None:
    result = player.converge(MODULE, **options, tags={"team": "platform"})
    assert operations(result["plan"]) == [CREATE]
    made, found = result["autoscaling_group"], live(world)
    assert made["arn"] == found["AutoScalingGroupARN"]
    assert found["LaunchTemplate"]["Version"] == "1"
    assert [item["lifecycle_state"] for item in made["instances"]] == ["InService"] * 2
    assert {item["instance_id"] for item in made["instances"]} == ids(world)
    assert set(found["VPCZoneIdentifier"].split(",")) == set(world.private)
    assert made["tags"] == {**OWN, "team": "platform"}
    assert tags(world) == {
        f"kubernetes.io/cluster/{CLUSTER}": ("owned", True),
        "eksops.ipv6/autoscaling-group": (NAME, False),
        "team": ("platform", True),
    }
    again = player.unchanged(MODULE, **GROUP)["autoscaling_group"]
    assert {key: again[key] for key in ("arn", "desired_capacity", "instances", "subnet_ids", "tags")} == {
        key: made[key] for key in ("arn", "desired_capacity", "instances", "subnet_ids", "tags")
    }


def test_its_nodes_have_one_ipv6_address_and_a_prefix(
    player: Player, world: Sample, options: dict[str, Any], template: Callable[..., dict[str, str]]
) -> None:
    """That the CNI takes its first /80 as soon as a node has joined is presumed."""
    user_data = player("eks_node_user_data", cluster_name=CLUSTER)["user_data"]["base64"]
    player(MODULE, **{**options, "launch_template": template(user_data=user_data)})
    found = world.ec2.describe_instances(InstanceIds=sorted(ids(world)))["Reservations"]
    interfaces = [item["NetworkInterfaces"] for one in found for item in one["Instances"]]
    assert [len(item) for item in interfaces] == [1, 1]
    for (interface,) in interfaces:
        (address,) = interface["Ipv6Addresses"]
        assert address["IsPrimaryIpv6"] is True
        details = world.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface["NetworkInterfaceId"]])
        (prefix,) = details["NetworkInterfaces"][0]["Ipv6Prefixes"]
        network = ipaddress.IPv6Network(prefix["Ipv6Prefix"])
        assert network.prefixlen == 80
        assert ipaddress.IPv6Address(address["Ipv6Address"]) not in network


def test_a_whole_plan_before_anything_exists(player: Player) -> None:
    pending = {"id": "pending:launch-template/x", "version": "pending:launch-template/x"}
    options = {**GROUP, **SIZES, "launch_template": pending, "subnet_ids": ["pending:subnet/a"]}
    result = player.check(MODULE, **options, instance_refresh={})
    assert operations(result["plan"]) == [CREATE]
    request = result["plan"][0]["request"]
    assert request["LaunchTemplate"] == {"LaunchTemplateId": pending["id"], "Version": pending["version"]}
    assert request["VPCZoneIdentifier"] == "pending:subnet/a"
    assert result["autoscaling_group"]["arn"] == f"pending:autoscaling-group/{NAME}"


def test_only_what_was_given_is_managed(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **{**options, "desired_capacity": None}, tags={"a": "b"}, max_instance_lifetime=86400)
    world.client("autoscaling").set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=3)
    player.unchanged(MODULE, **{**options, "desired_capacity": None})
    result = player.converge(MODULE, **GROUP, max_size=2)
    assert operations(result["plan"]) == [UPDATE]
    assert result["plan"][0]["risk"] == "disruptive"
    assert result["autoscaling_group"]["desired_capacity"] == 2
    found = live(world)
    assert (found["MinSize"], found["DesiredCapacity"], len(found["Instances"])) == (1, 2, 2)
    assert found["MaxInstanceLifetime"] == 86400
    assert tags(world)["a"] == ("b", True)


def test_settings_change_in_place(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    settings = {
        "health_check_type": "ELB",
        "health_check_grace_period": 60,
        "default_instance_warmup": 30,
        "termination_policies": ["OldestLaunchTemplate"],
        "new_instances_protected_from_scale_in": True,
        "capacity_rebalance": True,
        "max_instance_lifetime": 604800,
    }
    result = player.converge(MODULE, **GROUP, **settings)
    assert operations(result["plan"]) == [UPDATE]
    assert result["plan"][0]["after"] == settings
    assert result["plan"][0]["risk"] == "safe"
    found = live(world)
    assert (found["HealthCheckType"], found["HealthCheckGracePeriod"], found["CapacityRebalance"]) == ("ELB", 60, True)
    assert player.converge(MODULE, **GROUP, max_instance_lifetime=0)["changed"] is True
    assert live(world).get("MaxInstanceLifetime") is None
    assert player.converge(MODULE, **GROUP, default_instance_warmup=-1)["changed"] is True
    assert live(world).get("DefaultInstanceWarmup") is None


def test_settings_come_with_the_group(player: Player, options: dict[str, Any]) -> None:
    settings = {
        "health_check_grace_period": 60,
        "default_instance_warmup": 0,
        "termination_policies": ["NewestInstance"],
    }
    result = player.converge(MODULE, **options, **settings, suspended_processes=["AZRebalance"])
    assert operations(result["plan"]) == [CREATE, ("autoscaling", "SuspendProcesses")]


def test_processes_are_suspended_and_resumed(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    suspended = player.converge(MODULE, **GROUP, suspended_processes=["AZRebalance", "Terminate"])
    assert operations(suspended["plan"]) == [("autoscaling", "SuspendProcesses")]
    changed = player.converge(MODULE, **GROUP, suspended_processes=["AZRebalance", "Launch"])
    assert operations(changed["plan"]) == [("autoscaling", "SuspendProcesses"), ("autoscaling", "ResumeProcesses")]
    grown = player.converge(MODULE, **GROUP, desired_capacity=3)
    assert len(live(world)["SuspendedProcesses"]) == 2
    assert operations(grown["plan"]) == [UPDATE]
    assert player.converge(MODULE, **GROUP, suspended_processes=[])["changed"] is True


def test_tags_change_in_place_and_ours_stay(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options, tags={"a": "b", "c": "d"})
    changed = player.converge(MODULE, **GROUP, tags={"a": "e"}, propagate_at_launch=False)
    assert operations(changed["plan"]) == [SET_TAGS, DELETE_TAGS]
    assert changed["autoscaling_group"]["tags"] == {**OWN, "a": "e"}
    assert tags(world)["a"] == ("e", False)
    player.converge(MODULE, **GROUP, tags={"f": "g"}, purge_tags=False)
    assert set(tags(world)) == {*OWN, "a", "f"}


def test_the_cluster_s_tag_is_put_on_a_group_that_lacks_it(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    source = {"LaunchTemplateId": options["launch_template"]["id"], "Version": "1"}
    subnets = ",".join(world.private)
    world.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=NAME, MinSize=1, MaxSize=3, LaunchTemplate=source, VPCZoneIdentifier=subnets
    )
    adopted = player.converge(MODULE, **options)
    assert operations(adopted["plan"]) == [SET_TAGS, UPDATE]
    assert set(tags(world)) == {f"kubernetes.io/cluster/{CLUSTER}"}
    assert "was not made by this module" in player.refuses(MODULE, **GROUP, state="absent")


@pytest.mark.parametrize("preferences", [{}, {"min_healthy_percentage": 50, "skip_matching": True}])
def test_another_version_comes_by_a_refresh(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any], preferences: dict[str, Any]
) -> None:
    player(MODULE, **options)
    before = ids(world)
    changed = {**options, "launch_template": template(volume_size=50)}
    result = player.converge(MODULE, **changed, instance_refresh=preferences)
    assert operations(result["plan"]) == [UPDATE, REFRESH]
    assert result["plan"][1]["risk"] == "disruptive"
    assert before.isdisjoint(ids(world))
    assert versions(world) == ["2", "2"]
    assert [item["launch_template_version"] for item in result["autoscaling_group"]["instances"]] == ["2", "2"]


def test_without_a_refresh_instances_stay_and_that_is_said(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    changed = {**options, "launch_template": template(volume_size=50)}
    assert operations(player.converge(MODULE, **changed)["plan"]) == [UPDATE]
    assert versions(world) == ["1", "1"]
    (warning,) = player(MODULE, **changed)["warnings"]
    assert all(name in warning for name in ids(world))
    assert operations(player.converge(MODULE, **changed, instance_refresh={})["plan"]) == [REFRESH]


def test_a_version_that_is_yet_to_be_made_is_planned_for(
    player: Player, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    pending = {**options["launch_template"], "version": "pending:launch-template/x"}
    planned = player.check(MODULE, **{**options, "launch_template": pending}, instance_refresh={})
    changed = {**options, "launch_template": template(volume_size=50)}
    assert operations(planned["plan"]) == operations(player(MODULE, **changed, instance_refresh={})["plan"])


def test_the_default_version_is_followed(player: Player, world: Sample, template: Callable[..., Any]) -> None:
    template()
    options = {**GROUP, **SIZES, "launch_template": {"name": NAME}, "subnet_ids": world.private}
    player.converge(MODULE, **options, instance_refresh={})
    assert live(world)["LaunchTemplate"]["Version"] == "$Default"
    template(volume_size=50)
    assert operations(player.converge(MODULE, **options, instance_refresh={})["plan"]) == [REFRESH]
    assert versions(world) == ["2", "2"]


def test_several_types_in_one_group(player: Player, world: Sample, options: dict[str, Any]) -> None:
    policy = {
        "instance_types": ["m7g.xlarge", "m6g.xlarge"],
        "instances_distribution": {
            "on_demand_base_capacity": 1,
            "spot_allocation_strategy": "price-capacity-optimized",
        },
    }
    result = player.converge(MODULE, **options, mixed_instances_policy=policy)
    assert result["autoscaling_group"]["mixed_instances_policy"] == policy
    assert {item["InstanceType"] for item in live(world)["Instances"]} == {"m7g.xlarge"}
    player.unchanged(MODULE, **options)
    fewer = {"instances_distribution": {"on_demand_base_capacity": 0}}
    assert operations(player.converge(MODULE, **GROUP, mixed_instances_policy=fewer)["plan"]) == [UPDATE]
    others = {"instance_types": ["m6g.xlarge", "m6gd.xlarge"]}
    turned = player.converge(MODULE, **GROUP, mixed_instances_policy=others, instance_refresh={})
    assert operations(turned["plan"]) == [UPDATE, REFRESH]
    assert {item["InstanceType"] for item in live(world)["Instances"]} == {"m6g.xlarge"}
    distribution = live(world)["MixedInstancesPolicy"]["InstancesDistribution"]
    assert distribution["SpotAllocationStrategy"] == "price-capacity-optimized"
    plain = player.converge(MODULE, **GROUP, mixed_instances_policy={"instance_types": []}, instance_refresh={})
    assert operations(plain["plan"]) == [UPDATE, REFRESH]
    assert "MixedInstancesPolicy" not in live(world)
    assert {item["InstanceType"] for item in live(world)["Instances"]} == {"m7g.large"}


def test_another_way_to_choose_spot_instances_leaves_the_pools_behind(
    player: Player, world: Sample, options: dict[str, Any]
) -> None:
    policy = {"instance_types": ["m7g.large"], "instances_distribution": {"spot_instance_pools": 3}}
    player.converge(MODULE, **options, mixed_instances_policy=policy)
    assert live(world)["MixedInstancesPolicy"]["InstancesDistribution"]["SpotInstancePools"] == 3
    other = {"instances_distribution": {"spot_allocation_strategy": "capacity-optimized", "spot_max_price": "0.5"}}
    player.converge(MODULE, **GROUP, mixed_instances_policy=other)
    distribution = live(world)["MixedInstancesPolicy"]["InstancesDistribution"]
    assert "SpotInstancePools" not in distribution
    assert distribution["SpotMaxPrice"] == "0.5"
    player.converge(MODULE, **GROUP, mixed_instances_policy={"instances_distribution": {"spot_max_price": ""}})


def test_a_new_version_keeps_the_types(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options, mixed_instances_policy={"instance_types": ["m7g.xlarge"]})
    changed = {**GROUP, "launch_template": template(volume_size=50)}
    assert operations(player.converge(MODULE, **changed, instance_refresh={})["plan"]) == [UPDATE, REFRESH]
    found = live(world)
    assert found["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == [{"InstanceType": "m7g.xlarge"}]
    assert versions(world) == ["2", "2"]


def test_a_refresh_under_way_is_waited_for_and_not_doubled(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    changed = {**options, "launch_template": template(volume_size=50)}
    player(MODULE, **changed)
    world.client("autoscaling").start_instance_refresh(AutoScalingGroupName=NAME)
    assert player.converge(MODULE, **changed, instance_refresh={})["plan"] == []
    assert versions(world) == ["2", "2"]
    world.client("autoscaling").start_instance_refresh(AutoScalingGroupName=NAME)
    newer = {**options, "launch_template": template(volume_size=60)}
    assert operations(player.converge(MODULE, **newer, instance_refresh={})["plan"]) == [UPDATE, REFRESH]
    assert versions(world) == ["3", "3"]


def test_all_preferences_reach_the_refresh(
    player: Player, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    wanted = {
        "min_healthy_percentage": 50,
        "max_healthy_percentage": 150,
        "instance_warmup": 30,
        "checkpoint_percentages": [50, 100],
        "checkpoint_delay": 60,
        "bake_time": 60,
        "skip_matching": True,
        "auto_rollback": False,
        "scale_in_protected_instances": "Refresh",
        "standby_instances": "Terminate",
    }
    changed = {**options, "launch_template": template(volume_size=50)}
    begun = player.converge(MODULE, **changed, instance_refresh=wanted)["plan"][1]
    assert begun["request"]["Preferences"] == {
        "".join(part.title() for part in name.split("_")): value for name, value in wanted.items()
    }


def test_a_refresh_whose_reply_is_lost_is_found_by_the_next_run(
    player: Player, world: Sample, emulator: Emulator, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    changed = {**options, "launch_template": template(volume_size=50), "instance_refresh": {}}
    emulator.fault("autoscaling", "StartInstanceRefresh", "lost_reply")
    player.fails(MODULE, **changed)
    assert player.converge(MODULE, **changed)["plan"] == []
    assert versions(world) == ["2", "2"]


def test_an_unchanged_group_is_five_reads(player: Player, emulator: Emulator, options: dict[str, Any]) -> None:
    player(MODULE, **options, instance_refresh={})
    emulator.journal.clear()
    player.unchanged(MODULE, **options, instance_refresh={})
    assert sorted(call.operation for call in emulator.journal.calls) == [
        "DescribeAutoScalingGroups",
        "DescribeCluster",
        "DescribeInstanceRefreshes",
        "DescribeLaunchTemplateVersions",
        "DescribeScalingActivities",
    ]


def test_a_refresh_that_fails_says_why_at_once(
    player: Player, world: Sample, emulator: Emulator, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    changed = {**options, "launch_template": template(volume_size=50)}
    emulator.fault("autoscaling", "RunInstances", "error", count=None, message="There is no room for m7g.large.")
    failed = player.fails(MODULE, **changed, instance_refresh={})
    assert failed["failed_step"]["operation"] == "StartInstanceRefresh"
    assert f"autoscaling-group/{NAME} became Failed" in failed["msg"]
    assert "There is no room for m7g.large." in failed["msg"]
    assert [step["operation"] for step in failed["plan"]] == ["UpdateAutoScalingGroup", "StartInstanceRefresh"]


def test_a_refresh_is_rolled_back_when_told_to(
    player: Player, world: Sample, emulator: Emulator, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    before = ids(world)
    changed = {**options, "launch_template": template(volume_size=50)}
    told = {"auto_rollback": True, "min_healthy_percentage": 50}
    emulator.fault("autoscaling", "RunInstances", "error", count=None, message="There is no room.")
    failed = player.fails(MODULE, **changed, instance_refresh=told)
    assert "became RollbackSuccessful" in failed["msg"] and "There is no room." in failed["msg"]
    assert (ids(world), live(world)["LaunchTemplate"]["Version"]) == (before, "1")
    emulator.faults.clear()
    result = player.converge(MODULE, **changed, instance_refresh=told)
    assert operations(result["plan"]) == [REFRESH]
    assert live(world)["LaunchTemplate"]["Version"] == "2"


def test_a_rollback_s_refresh_under_way_brings_the_version_by_itself(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options)
    changed = {**options, "launch_template": template(volume_size=50)}
    told = {"auto_rollback": True}
    assert operations(player(MODULE, **changed, instance_refresh=told, wait=False)["plan"]) == [REFRESH]
    assert live(world)["LaunchTemplate"]["Version"] == "1"
    assert player.converge(MODULE, **changed, instance_refresh=told)["plan"] == []
    assert versions(world) == ["2", "2"]


def test_instances_that_a_refresh_ignores_do_not_begin_one(
    player: Player, world: Sample, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    player(MODULE, **options, new_instances_protected_from_scale_in=True)
    changed = {**options, "launch_template": template(volume_size=50)}
    ignoring = {"scale_in_protected_instances": "Ignore"}
    assert operations(player.converge(MODULE, **changed, instance_refresh=ignoring)["plan"]) == [UPDATE]
    replacing = {"scale_in_protected_instances": "Refresh"}
    assert operations(player.converge(MODULE, **changed, instance_refresh=replacing)["plan"]) == [REFRESH]


def test_a_launch_that_fails_is_told_at_once(player: Player, emulator: Emulator, options: dict[str, Any]) -> None:
    text = "We currently do not have sufficient m7g.large capacity in the Availability Zone you requested."
    emulator.fault("autoscaling", "RunInstances", "error", count=None, message=text)
    failed = player.fails(MODULE, **options)
    assert f"autoscaling-group/{NAME} is 0 of 2 in service: {text}" in failed["msg"]
    emulator.faults.clear()
    assert player(MODULE, **options)["plan"] == []
    player.unchanged(MODULE, **options)


def test_a_launch_that_failed_long_ago_is_forgotten(
    player: Player, emulator: Emulator, options: dict[str, Any]
) -> None:
    emulator.fault("autoscaling", "RunInstances", "error", count=None, message="No room.")
    player.fails(MODULE, **options)
    emulator.faults.clear()
    player.converge(MODULE, **{**options, "desired_capacity": 3})


def test_one_zone_without_room_is_survived(
    player: Player, world: Sample, emulator: Emulator, options: dict[str, Any]
) -> None:
    zone = world.ec2.describe_subnets(SubnetIds=world.private[:1])["Subnets"][0]["AvailabilityZone"]
    emulator.fault(
        "autoscaling", "RunInstances", "error", count=None, message="Full.", match={"AvailabilityZone": zone}
    )
    player.converge(MODULE, **options)
    assert zone not in {item["AvailabilityZone"] for item in live(world)["Instances"]}


def test_a_group_goes_with_its_instances(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    gone = player.converge(MODULE, **GROUP, state="absent")
    assert operations(gone["plan"]) == [DELETE]
    assert gone["autoscaling_group"] is None
    assert live(world) == {}
    states = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert world.ec2.describe_instances(Filters=states)["Reservations"] == []


def test_a_group_on_its_way_out_is_waited_for(player: Player, world: Sample, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    asg = world.client("autoscaling")
    asg.delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)
    assert player(MODULE, **GROUP, state="absent")["plan"] == []
    player(MODULE, **options)
    asg.delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)
    assert operations(player.converge(MODULE, **options)["plan"]) == [CREATE]


def test_without_waiting_all_is_begun(player: Player, world: Sample, options: dict[str, Any]) -> None:
    made = player(MODULE, **options, wait=False)
    assert made["autoscaling_group"]["arn"] == live(world)["AutoScalingGroupARN"]
    assert {item["lifecycle_state"] for item in made["autoscaling_group"]["instances"]} == {"Pending"}
    player.unchanged(MODULE, **options)
    player(MODULE, **GROUP, state="absent", wait=False)


def test_a_lost_reply_is_made_good_by_the_next_run(
    player: Player, world: Sample, emulator: Emulator, options: dict[str, Any]
) -> None:
    emulator.fault("autoscaling", "CreateAutoScalingGroup", "lost_reply")
    assert "Whether AWS carried the call out is not known" in player.fails(MODULE, **options)["msg"]
    assert player(MODULE, **options)["plan"] == []
    emulator.fault("autoscaling", "DeleteAutoScalingGroup", "lost_reply")
    player(MODULE, **GROUP, state="absent")
    assert live(world) == {}


def test_a_run_stopped_after_any_write_is_carried_on(
    player: Player, emulator: Emulator, template: Callable[..., Any], options: dict[str, Any]
) -> None:
    def stopped(**given: Any) -> None:
        halt = emulator.fault(kind="halt", after=1)
        failed = player.fails(MODULE, **given)
        emulator.faults.active.remove(halt)
        assert len(failed["plan"]) == 1
        assert len(failed["remaining"]) == 0

    made = {**options, "suspended_processes": ["AZRebalance"]}
    stopped(**made)
    assert operations(player.converge(MODULE, **made)["plan"]) == [("autoscaling", "SuspendProcesses")]
    changed = {**made, "launch_template": template(volume_size=50), "instance_refresh": {}}
    stopped(**changed)
    assert operations(player.converge(MODULE, **changed)["plan"]) == [REFRESH]


def test_a_profile_that_was_made_a_moment_ago_is_waited_for(
    player: Player, emulator: Emulator, options: dict[str, Any]
) -> None:
    text = (
        "You must use a valid fully-formed launch template. Value (node) for parameter iamInstanceProfile.name is"
        " invalid. Invalid IAM Instance Profile name"
    )
    refusal = {"status": 400, "code": "ValidationError", "message": text}
    emulator.fault("autoscaling", "CreateAutoScalingGroup", "error", count=2, **refusal)
    assert operations(player(MODULE, **options)["plan"]) == [CREATE]


def test_a_managed_node_group_s_group_is_left_alone(player: Player, world: Sample) -> None:
    group = world.nodegroup("workers", CLUSTER)
    name = group["resources"]["autoScalingGroups"][0]["name"]
    msg = player.refuses(MODULE, name=name, cluster_name=CLUSTER, max_size=5)
    assert "belongs to a managed node group" in msg


@pytest.mark.parametrize(
    ("changes", "option", "reason"),
    [
        ({"launch_template": None}, "launch_template", "making one needs it"),
        ({"launch_template": {"version": "1"}}, "launch_template", "names no template"),
        ({"subnet_ids": []}, "subnet_ids", "one subnet at least"),
        ({"max_size": 0}, "max_size", "below min_size"),
        ({"desired_capacity": 4}, "desired_capacity", "4 is above max_size 3"),
        ({"desired_capacity": 0}, "desired_capacity", "0 is below min_size 1"),
        ({"name": "production:general"}, "name", "without blanks and colons"),
        ({"name": "n" * 256}, "name", "1 to 255 ASCII characters"),
        ({"health_check_grace_period": -1}, "health_check_grace_period", "below 0"),
        ({"max_instance_lifetime": 60}, "max_instance_lifetime", "outside 86400"),
        ({"mixed_instances_policy": {"instance_types": ["m4.large"]}}, "mixed_instances_policy", "not built on Nitro"),
        (
            {"mixed_instances_policy": {"instance_types": ["m7i.large"]}},
            "mixed_instances_policy",
            "architecture x86_64",
        ),
        ({"mixed_instances_policy": {"instance_types": ["m99.large"]}}, "mixed_instances_policy", "knows no m99.large"),
        (
            {"mixed_instances_policy": {"instances_distribution": {"on_demand_base_capacity": 1}}},
            "mixed_instances_policy",
            "several types",
        ),
        (
            {
                "mixed_instances_policy": {
                    "instance_types": ["m7g.large"],
                    "instances_distribution": {
                        "spot_instance_pools": 2,
                        "spot_allocation_strategy": "capacity-optimized",
                    },
                }
            },
            "mixed_instances_policy",
            "spot_instance_pools is for lowest-price",
        ),
        *(
            (
                {"mixed_instances_policy": {"instance_types": ["m7g.large"], "instances_distribution": {name: value}}},
                "mixed_instances_policy",
                f"{name}: {value} is {reason}",
            )
            for name, value, reason in (
                ("on_demand_base_capacity", -1, "below 0"),
                ("spot_instance_pools", 0, "outside 1 to 20"),
                ("spot_instance_pools", 21, "outside 1 to 20"),
            )
        ),
        ({"default_instance_warmup": -2}, "default_instance_warmup", "-2 is below 0"),
        ({"health_check_type": ""}, "health_check_type", "is empty"),
        ({"launch_template": {"name": ""}}, "launch_template", "names no template"),
        ({"instance_refresh": {"max_healthy_percentage": 110}}, "instance_refresh", "needs min_healthy_percentage"),
        ({"instance_refresh": {"checkpoint_percentages": [20, 50]}}, "instance_refresh", "end with 100"),
        ({"instance_refresh": {"checkpoint_delay": 60}}, "instance_refresh", "needs checkpoint_percentages"),
        ({"instance_refresh": {"min_healthy_percentage": 101}}, "instance_refresh", "outside 0 to 100"),
        ({"subnet_ids": ["subnet-0123456789abcdef0"]}, "subnet_ids", "EC2 knows no subnet"),
    ],
)
def test_what_cannot_be_is_refused_before_any_write(
    player: Player, options: dict[str, Any], changes: dict[str, Any], option: str, reason: str
) -> None:
    msg = player.refuses(MODULE, **{**options, **changes})
    assert f"{option}:" in msg and reason in msg


def test_all_that_nodes_lack_is_said_at_once(player: Player, world: Sample, template: Callable[..., Any]) -> None:
    source = template()
    lonely = world.public_subnet(world.zones[0], destination="0.0.0.0/0")
    world.ec2.modify_subnet_attribute(SubnetId=lonely, AssignIpv6AddressOnCreation={"Value": False})
    world.iam.delete_role_policy(RoleName="cni", PolicyName="cni")
    options = {**GROUP, **SIZES, "launch_template": source, "subnet_ids": [lonely]}
    msg = player.refuses_unless_mended(MODULE, **options)
    assert "no active route to ::/0" in msg
    assert "ec2:AssignIpv6Addresses" in msg
    assert player.check(MODULE, **options, skip_checks=["routes", "cni"])["plan"] != []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"MetadataOptions": {"HttpProtocolIpv6": "enabled"}}, "IPv6 endpoint of the instance metadata"),
        ({"NetworkInterfaces": [{"DeviceIndex": 0, "Ipv6AddressCount": 2}]}, "has 2 IPv6 addresses"),
        ({"InstanceType": "m4.large"}, "m4.large is not built on Nitro"),
        (
            {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 1024}}, "InstanceType": None},
            "chooses instance types by attributes",
        ),
    ],
)
def test_a_template_of_others_is_looked_at(player: Player, world: Sample, data: dict[str, Any], reason: str) -> None:
    image = world.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"]
    wanted = {"ImageId": image, "InstanceType": "m7g.large", **data}
    made = {key: value for key, value in wanted.items() if value is not None}
    world.ec2.create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData=made)
    options = {**GROUP, **SIZES, "launch_template": {"name": "theirs"}, "subnet_ids": world.private}
    assert reason in player.refuses(MODULE, **options)


def test_a_template_or_cluster_that_is_not_there(player: Player, options: dict[str, Any]) -> None:
    msg = player.refuses_unless_mended(MODULE, **{**options, "launch_template": {"name": "none"}})
    assert "EC2 knows no launch template none" in msg
    (step,) = player.check(MODULE, **{**options, "launch_template": {"name": "none"}})["plan"]
    assert step["request"]["LaunchTemplate"] == {"LaunchTemplateName": "none", "Version": "$Default"}
    elsewhere = {**options, "cluster_name": "elsewhere"}
    assert "there is no cluster elsewhere" in player.fails(MODULE, **elsewhere)["msg"]
    assert operations(player.check(MODULE, **elsewhere)["plan"]) == [CREATE]
