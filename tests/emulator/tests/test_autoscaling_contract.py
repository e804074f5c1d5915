# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: Auto Scaling groups and instance refreshes."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "Auto Scaling API reference: "


def _group(world: World, size: int = 1, name: str = "g", template: str | None = None, zones: int = 1) -> dict[str, Any]:
    subnets = [world.subnet(10 + n, auto=True, AvailabilityZone=f"eu-west-1{'abc'[n]}") for n in range(zones)]
    world.aws("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=size,
        MaxSize=size,
        VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateId": template or world.template(), "Version": "$Latest"},
    )
    return _view(world, name)


def _view(world: World, name: str = "g") -> dict[str, Any]:
    groups = world.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    view: dict[str, Any] = groups["AutoScalingGroups"][0]
    return view


def _twice(world: World) -> None:
    _group(world, 0)
    world.aws("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="g",
        MinSize=0,
        MaxSize=0,
        AvailabilityZones=["eu-west-1a"],
        LaunchTemplate={"LaunchTemplateId": world.template("other")},
    )


def _forced(world: World) -> tuple[int, int]:
    _group(world, 2)
    world.aws("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    running = world.ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    return len(running["Reservations"]), len(world.ec2.describe_network_interfaces()["NetworkInterfaces"])


def _addresses(world: World) -> list[int]:
    """How many IPv6 addresses each instance of a group has."""
    _group(world, 3, zones=3)
    found = world.ec2.describe_instances()["Reservations"]
    return [len(item["NetworkInterfaces"][0]["Ipv6Addresses"]) for one in found for item in one["Instances"]]


def _refresh(world: World) -> Any:
    """States of a refresh, and whether the instances are others afterwards."""
    world.emulator.transitions("autoscaling::instance_refresh", times=1)
    before = {item["InstanceId"] for item in _group(world, 2)["Instances"]}
    asg = world.aws("autoscaling")
    asg.start_instance_refresh(AutoScalingGroupName="g", Preferences={"MinHealthyPercentage": 90})
    states = [
        asg.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"][0]["Status"]
        for _unused in range(2)
    ]
    after = {item["InstanceId"] for item in _view(world)["Instances"]}
    return states, before.isdisjoint(after), len(after)


def _two_refreshes(world: World) -> None:
    _group(world)
    for _unused in range(2):
        world.aws("autoscaling").start_instance_refresh(AutoScalingGroupName="g")


def _cancelled(world: World) -> str:
    world.emulator.transitions("autoscaling::instance_refresh", times=2)
    _group(world)
    asg = world.aws("autoscaling")
    asg.start_instance_refresh(AutoScalingGroupName="g")
    asg.cancel_instance_refresh(AutoScalingGroupName="g")
    views = [asg.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"][0] for _unused in range(2)]
    status: str = views[-1]["Status"]
    return status


def _made_of(world: World) -> tuple[str, str]:
    """The template's version that an instance names, before and after a refresh to a newer one."""
    template = world.template()
    before = _group(world, template=template)["Instances"][0]["LaunchTemplate"]["Version"]
    data = {"InstanceType": "m6i.xlarge"}
    world.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData=data)
    still = _view(world)["Instances"][0]["LaunchTemplate"]["Version"]
    assert still == before
    asg = world.aws("autoscaling")
    asg.start_instance_refresh(AutoScalingGroupName="g")
    for _unused in range(5):
        asg.describe_instance_refreshes(AutoScalingGroupName="g")
    return before, _view(world)["Instances"][0]["LaunchTemplate"]["Version"]


RULES: list[Rule] = [
    refused("AlreadyExists", "a group's name is there once", API + "CreateAutoScalingGroup", _twice),
    refused(
        "ResourceInUse",
        "a group with instances isn't deleted",
        API + "DeleteAutoScalingGroup",
        lambda w: (_group(w), w.aws("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="g")),
    ),
    seen(
        (0, 0), "unless it is forced, and then its instances go", API + "DeleteAutoScalingGroup (ForceDelete)", _forced
    ),
    seen(
        ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "instances spread over the group's zones",
        "Auto Scaling user guide: zones",
        lambda w: sorted(item["AvailabilityZone"] for item in _group(w, 3, zones=3)["Instances"]),
    ),
    seen(
        [1, 1, 1],
        "each has one IPv6 address in auto-assigning subnets",
        "EC2 API reference: ModifySubnetAttribute",
        _addresses,
    ),
    refused(
        "ValidationError",
        "a template whose image isn't there",
        "error quoted in public issues",
        lambda w: _group(w, template=w.template(ImageId="ami-0123456789abcdef0")),
    ),
    seen(
        (["InProgress", "Successful"], True, 2),
        "a refresh replaces the instances",
        API + "StartInstanceRefresh",
        _refresh,
    ),
    seen(
        ("1", "2"),
        "an instance names the template's version it was made of",
        API + "Instance (LaunchTemplate)",
        _made_of,
    ),
    refused("InstanceRefreshInProgress", "one refresh at a time", API + "StartInstanceRefresh", _two_refreshes),
    seen("Cancelled", "a refresh can be cancelled", API + "CancelInstanceRefresh", _cancelled),
    refused(
        "ActiveInstanceRefreshNotFound",
        "when there is one",
        API + "CancelInstanceRefresh",
        lambda w: (_group(w), w.aws("autoscaling").cancel_instance_refresh(AutoScalingGroupName="g")),
    ),
    refused(
        "ValidationError",
        "an unknown group",
        API + "common errors",
        lambda w: w.aws("autoscaling").start_instance_refresh(AutoScalingGroupName="none"),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_autoscaling_rule(rule: Rule, world: World) -> None:
    rule.check(world)
