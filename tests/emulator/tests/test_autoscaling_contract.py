# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: Auto Scaling groups and instance refreshes."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "Auto Scaling API reference: "
POOLED = {"InstancesDistribution": {"SpotAllocationStrategy": "capacity-optimized", "SpotInstancePools": 2}}
MIXED = {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "lt1"}}}


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


def _asked(world: World, operation: str = "create", **given: Any) -> Any:
    """Creates or updates a group of no size, with what is given in the place of what is right."""
    wanted = {"AutoScalingGroupName": "g", "MinSize": 0, "MaxSize": 2}
    if operation == "create":
        wanted |= {"VPCZoneIdentifier": world.subnet(10, auto=True)}
        wanted |= {} if "LaunchTemplate" in given else {"LaunchTemplate": _template(world)}
    else:
        _group(world, 1)
        wanted = {"AutoScalingGroupName": "g"}
    given = {key: value for key, value in {**wanted, **given}.items() if value is not None}
    return getattr(world.aws("autoscaling"), f"{operation}_auto_scaling_group")(**given)


def _template(world: World, version: str = "1") -> dict[str, str]:
    return {"LaunchTemplateName": "lt1", "Version": version} if world.template() else {}


def _mixed(world: World, *types: str) -> dict[str, Any]:
    overrides = [{"InstanceType": name} for name in types]
    return {"LaunchTemplate": {"LaunchTemplateSpecification": _template(world), "Overrides": overrides}}


def _mixed_view(world: World) -> Any:
    """A mixed group's template and distribution, and what it launched."""
    policy = {**_mixed(world, "m6g.xlarge", "m6g.large"), "InstancesDistribution": {"OnDemandBaseCapacity": 1}}
    _asked(world, LaunchTemplate=None, MixedInstancesPolicy=policy, MinSize=1)
    view = _view(world)
    distribution = view["MixedInstancesPolicy"]["InstancesDistribution"]
    types = [item["InstanceType"] for item in view["Instances"]]
    return view.get("LaunchTemplate"), distribution["OnDemandPercentageAboveBaseCapacity"], types


def _in_service(world: World) -> list[str]:
    """How an instance is seen at first, and then."""
    world.emulator.transitions("autoscaling::instance", times=2)
    first = _group(world)["Instances"][0]["LifecycleState"]
    return [first, _view(world)["Instances"][0]["LifecycleState"]]


def _full(world: World) -> Any:
    """What is told of instances that EC2 has no room for, and whether they come when it has."""
    text = "We currently do not have sufficient m6g.large capacity."
    world.emulator.fault("autoscaling", "RunInstances", "error", count=1, message=text)
    world.emulator.transitions("autoscaling::instance", times=1)
    subnet = world.subnet(10, auto=True)
    source = {"LaunchTemplateId": world.template()}
    sizes = {"MinSize": 1, "MaxSize": 1}
    asg = world.aws("autoscaling")
    asg.create_auto_scaling_group(AutoScalingGroupName="g", VPCZoneIdentifier=subnet, LaunchTemplate=source, **sizes)
    told = asg.describe_scaling_activities(AutoScalingGroupName="g")["Activities"][0]
    _view(world)
    later = asg.describe_scaling_activities(AutoScalingGroupName="g")["Activities"][0]
    return told["StatusCode"], told["StatusMessage"] == text, later["StatusCode"], len(_view(world)["Instances"])


def _rolled_back(world: World) -> Any:
    """A refresh whose new instances can't be launched."""
    world.emulator.transitions("autoscaling::instance_refresh", times=1)
    before = _group(world)["Instances"][0]["InstanceId"]
    world.ec2.create_launch_template_version(
        LaunchTemplateName="lt1", SourceVersion="1", LaunchTemplateData={"InstanceType": "m6g.xlarge"}
    )
    world.emulator.fault("autoscaling", "RunInstances", "error", count=None, message="No room.")
    asg = world.aws("autoscaling")
    first, second = ({"LaunchTemplateName": "lt1", "Version": version} for version in "12")
    asg.update_auto_scaling_group(AutoScalingGroupName="g", LaunchTemplate=first)
    rollback = {"Preferences": {"AutoRollback": True}, "DesiredConfiguration": {"LaunchTemplate": second}}
    asg.start_instance_refresh(AutoScalingGroupName="g", **rollback)
    seen = []
    for _unused in range(3):
        seen.append(asg.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"][0])
    view = _view(world)
    kept = [item["InstanceId"] for item in view["Instances"]] == [before]
    told = seen[-1]["StatusReason"].endswith("No room.")
    return [item["Status"] for item in seen], told, kept, view["LaunchTemplate"]["Version"]


def _skipped(world: World) -> bool:
    """Whether skip matching leaves alone what is right already."""
    before = _group(world)["Instances"]
    asg = world.aws("autoscaling")
    asg.start_instance_refresh(AutoScalingGroupName="g", Preferences={"SkipMatching": True})
    for _unused in range(5):
        asg.describe_instance_refreshes(AutoScalingGroupName="g")
    return [item["InstanceId"] for item in _view(world)["Instances"]] == [item["InstanceId"] for item in before]


def _protected(world: World) -> str:
    _group(world)
    asg = world.aws("autoscaling")
    held = [item["InstanceId"] for item in _view(world)["Instances"]]
    asg.set_instance_protection(AutoScalingGroupName="g", InstanceIds=held, ProtectedFromScaleIn=True)
    asg.start_instance_refresh(AutoScalingGroupName="g")
    for _unused in range(5):
        found = asg.describe_instance_refreshes(AutoScalingGroupName="g")["InstanceRefreshes"][0]
    status: str = found["Status"]
    return status


def _going(world: World) -> list[Any]:
    """What a group that is deleted says of itself, until it is gone."""
    world.emulator.transitions("autoscaling::group", times=2)
    _group(world)
    asg = world.aws("autoscaling")
    asg.delete_auto_scaling_group(AutoScalingGroupName="g", ForceDelete=True)
    found = [asg.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"] for _unused in range(2)]
    return [item[0]["Status"] if item else "gone" for item in found]


RULES: list[Rule] = [
    refused("ValidationError", "max below min", API + "CreateAutoScalingGroup", lambda w: _asked(w, MinSize=3)),
    refused(
        "ValidationError",
        "a desired capacity outside the sizes",
        API + "UpdateAutoScalingGroup",
        lambda w: _asked(w, "update", DesiredCapacity=5),
    ),
    refused(
        "ValidationError",
        "a version that the template lacks",
        "error quoted in public issues",
        lambda w: _asked(w, LaunchTemplate=_template(w, "7")),
    ),
    refused(
        "ValidationError",
        "a template that is not there",
        "error quoted in public issues",
        lambda w: _asked(w, "update", LaunchTemplate={"LaunchTemplateName": "none"}),
    ),
    refused(
        "ValidationError",
        "a subnet that is not there",
        "error quoted in public issues",
        lambda w: _asked(w, VPCZoneIdentifier="subnet-0123456789abcdef0"),
    ),
    refused(
        "ValidationError",
        "a template and a policy at once",
        API + "CreateAutoScalingGroup",
        lambda w: _asked(w, "update", LaunchTemplate={"LaunchTemplateName": "lt1"}, MixedInstancesPolicy=MIXED),
    ),
    refused(
        "ValidationError",
        "an override that is no instance type",
        "presumed",
        lambda w: _asked(w, LaunchTemplate=None, MixedInstancesPolicy=_mixed(w, "m99.large")),
    ),
    refused(
        "ValidationError",
        "pools of another strategy than the lowest price",
        API + "InstancesDistribution (SpotInstancePools)",
        lambda w: _asked(w, LaunchTemplate=None, MixedInstancesPolicy={**_mixed(w, "m6g.large"), **POOLED}),
    ),
    refused(
        "ValidationError",
        "the same override twice",
        "presumed",
        lambda w: _asked(w, LaunchTemplate=None, MixedInstancesPolicy=_mixed(w, "m6g.large", "m6g.large")),
    ),
    refused(
        "ValidationError",
        "a lifetime below a day",
        API + "UpdateAutoScalingGroup (MaxInstanceLifetime)",
        lambda w: _asked(w, "update", MaxInstanceLifetime=60),
    ),
    seen(
        (None, 100, ["m6g.xlarge"]),
        "a mixed group names its template in the policy, with defaults, and prefers its first type",
        API + "MixedInstancesPolicy, InstancesDistribution",
        _mixed_view,
    ),
    seen(["Pending", "InService"], "an instance is pending at first", API + "LifecycleState", _in_service),
    seen(
        ("Failed", True, "InProgress", 1),
        "an activity tells what EC2 answered, and the instance is launched later",
        API + "Activity",
        _full,
    ),
    seen(
        (["InProgress", "RollbackInProgress", "RollbackSuccessful"], True, True, "1"),
        "a refresh that fails is rolled back when told to",
        API + "RefreshPreferences (AutoRollback)",
        _rolled_back,
    ),
    refused(
        "ValidationError",
        "a rollback without a desired configuration",
        API + "RefreshPreferences (AutoRollback)",
        lambda w: (
            _group(w),
            w.aws("autoscaling").start_instance_refresh(AutoScalingGroupName="g", Preferences={"AutoRollback": True}),
        ),
    ),
    seen(True, "skip matching leaves what is right", API + "RefreshPreferences (SkipMatching)", _skipped),
    seen(
        "Failed",
        "a refresh waits for protected instances, and fails in the end",
        API + "RefreshPreferences (ScaleInProtectedInstances)",
        _protected,
    ),
    seen(["Delete in progress", "gone"], "a group goes slowly", API + "AutoScalingGroup (Status)", _going),
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
