# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: network interfaces, instances, launch templates, images and instance types."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "EC2 API reference: "
PREFIXES = "EC2 user guide: assign prefixes to network interfaces"


def _counts(interface: dict[str, Any]) -> tuple[int, int]:
    """How many IPv6 addresses and prefixes an interface has."""
    return len(interface.get("Ipv6Addresses", [])), len(interface.get("Ipv6Prefixes", []))


def _interface(world: World, auto: bool = False, **more: Any) -> dict[str, Any]:
    subnet = world.subnet(1, auto=auto)
    made = world.ec2.create_network_interface(SubnetId=subnet, **more)["NetworkInterface"]["NetworkInterfaceId"]
    view: dict[str, Any] = world.ec2.describe_network_interfaces(NetworkInterfaceIds=[made])["NetworkInterfaces"][0]
    return view


def _prefix(world: World) -> tuple[int, bool]:
    text = _interface(world, Ipv6PrefixCount=1)["Ipv6Prefixes"][0]["Ipv6Prefix"]
    prefix = ipaddress.IPv6Network(text)
    return prefix.prefixlen, prefix.subnet_of(ipaddress.IPv6Network(world.slot(1)))


def _assigned(world: World) -> tuple[int, int, tuple[int, int]]:
    interface = _interface(world, Ipv6AddressCount=2)["NetworkInterfaceId"]
    answer = world.ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1, Ipv6PrefixCount=1)
    view = world.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    return len(answer["AssignedIpv6Addresses"]), len(answer["AssignedIpv6Prefixes"]), _counts(view)


def _instance(world: World, auto: bool = True, **more: Any) -> dict[str, Any]:
    return world.run(world.subnet(1, auto=auto), **more)


def _ipv6_of(instance: dict[str, Any]) -> tuple[bool, tuple[int, int]]:
    return "Ipv6Address" in instance, _counts(instance["NetworkInterfaces"][0])


def _terminated(world: World) -> int:
    instance = _instance(world)
    world.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    world.ec2.delete_subnet(SubnetId=instance["SubnetId"])
    return len(world.ec2.describe_network_interfaces()["NetworkInterfaces"])


def _from_template(world: World, **data: Any) -> dict[str, Any]:
    template = {"LaunchTemplateId": world.template(**data)}
    return world.run(world.subnet(1), ImageId=None, InstanceType=None, LaunchTemplate=template)


def _leaked(world: World) -> tuple[Any, list[dict[str, str]]]:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    world.ec2.create_launch_template(
        LaunchTemplateName="lt1", LaunchTemplateData={"InstanceType": "m6g.large"}, TagSpecifications=tags
    )
    version = world.ec2.describe_launch_template_versions(LaunchTemplateName="lt1")["LaunchTemplateVersions"][0]
    template = world.ec2.describe_launch_templates(LaunchTemplateNames=["lt1"])["LaunchTemplates"][0]
    return version["LaunchTemplateData"], template["Tags"]


def _inherited(world: World) -> dict[str, Any]:
    template = world.template(UserData="aGk=", MetadataOptions={"HttpTokens": "required"})
    made = world.ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "m7g.large"}
    )["LaunchTemplateVersion"]
    data = made["LaunchTemplateData"]
    return {
        "type": data["InstanceType"],
        "user_data": data["UserData"],
        "tokens": data["MetadataOptions"]["HttpTokens"],
    }


def _versions(world: World) -> tuple[list[int], list[str]]:
    template = world.template()
    for _unused in range(2):
        data = {"InstanceType": "m7g.large"}
        world.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
    answer = world.ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["2", "9"])
    found = world.ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    failed = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    return [item["VersionNumber"] for item in found], [item["ResponseError"]["Code"] for item in failed]


def _group(world: World, version: str) -> list[str]:
    """User data of a group's instance that runs by version 2 of a template."""
    template = world.template()
    world.ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"UserData": "aGk="}
    )
    asg = world.aws("autoscaling")
    asg.create_auto_scaling_group(
        AutoScalingGroupName="g",
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=world.subnet(1, auto=True),
        LaunchTemplate={"LaunchTemplateId": template, "Version": version},
    )
    instance = asg.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    value = world.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]
    return [value.get("Value")]


def _scaled(world: World) -> list[tuple[int, int]]:
    """Addresses and prefixes of a group's two instances, whose template asks for one of each."""
    interface = {"DeviceIndex": 0, "Ipv6AddressCount": 1, "Ipv6PrefixCount": 1}
    world.aws("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="g",
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=world.subnet(1),
        LaunchTemplate={"LaunchTemplateId": world.template(NetworkInterfaces=[interface]), "Version": "$Latest"},
    )
    found = world.ec2.describe_instances()["Reservations"]
    return [_counts(item["NetworkInterfaces"][0]) for one in found for item in one["Instances"]]


def _types(world: World, *filters: tuple[str, str]) -> set[str]:
    pages = world.ec2.get_paginator("describe_instance_types").paginate(
        Filters=[{"Name": name, "Values": [value]} for name, value in filters]
    )
    return {item["InstanceType"] for page in pages for item in page["InstanceTypes"]}


RULES: list[Rule] = [
    seen(
        (1, 0),
        "an interface in an auto-assigning subnet gets one address",
        API + "ModifySubnetAttribute",
        lambda w: _counts(_interface(w, auto=True)),
    ),
    seen((0, 0), "and none in another", API + "ModifySubnetAttribute", lambda w: _counts(_interface(w))),
    refused(
        "InvalidParameterValue",
        "a prefix that an interface doesn't have can't be taken from it",
        "presumed, as with addresses",
        lambda w: w.ec2.unassign_ipv6_addresses(
            NetworkInterfaceId=w.ec2.create_network_interface(SubnetId=w.subnet(1))["NetworkInterface"][
                "NetworkInterfaceId"
            ],
            Ipv6Prefixes=[w.slot(1, 80)],
        ),
    ),
    seen((80, True), "an IPv6 prefix is a /80 of the subnet", PREFIXES, _prefix),
    seen((1, 1, (3, 1)), "AssignIpv6Addresses answers what was added", API + "AssignIpv6Addresses", _assigned),
    refused(
        "InvalidParameterValue",
        "an address of another subnet",
        API + "CreateNetworkInterface, code presumed",
        lambda w: _interface(w, Ipv6Addresses=[{"Ipv6Address": w.slot(2).replace("/64", "5")}]),
    ),
    seen(
        (True, (1, 0)),
        "an instance in an auto-assigning subnet gets one address",
        API + "RunInstances",
        lambda w: _ipv6_of(_instance(w)),
    ),
    seen(
        (False, (0, 0)),
        "and none in another (instance)",
        API + "RunInstances",
        lambda w: _ipv6_of(_instance(w, auto=False)),
    ),
    seen(
        (True, (1, 1)),
        "a template's interface brings its address and prefix",
        API + "RunInstances (Ipv6PrefixCount)",
        lambda w: _ipv6_of(
            _from_template(w, NetworkInterfaces=[{"DeviceIndex": 0, "Ipv6AddressCount": 1, "Ipv6PrefixCount": 1}])
        ),
    ),
    seen(
        True,
        "PrimaryIpv6 marks the primary address",
        API + "RunInstances (PrimaryIpv6)",
        lambda w: _from_template(w, NetworkInterfaces=[{"DeviceIndex": 0, "Ipv6AddressCount": 1, "PrimaryIpv6": True}])[
            "NetworkInterfaces"
        ][0]["Ipv6Addresses"][0]["IsPrimaryIpv6"],
    ),
    seen(
        "nitro",
        "an instance names its type's hypervisor",
        API + "Instance (Hypervisor)",
        lambda w: _instance(w)["Hypervisor"],
    ),
    seen(
        0,
        "a terminated instance takes its interface along",
        API + "EbsInstanceBlockDevice (DeleteOnTermination)",
        _terminated,
    ),
    refused(
        "InvalidAMIID.NotFound",
        "an unknown image",
        API + "error codes",
        lambda w: _instance(w, ImageId="ami-0123456789abcdef0"),
    ),
    refused(
        "InvalidParameterValue",
        "an unknown instance type",
        API + "error codes",
        lambda w: _instance(w, InstanceType="z9.large"),
    ),
    refused(
        "InvalidGroup.NotFound",
        "an unknown security group",
        API + "error codes",
        lambda w: _instance(w, SecurityGroupIds=["sg-0123456789abcdef0"]),
    ),
    seen(
        ({"InstanceType": "m6g.large"}, [{"Key": "a", "Value": "b"}]),
        "a template's own tags stay out of its data",
        API + "CreateLaunchTemplate",
        _leaked,
    ),
    seen(
        {"type": "m7g.large", "user_data": "aGk=", "tokens": "required"},
        "a version inherits from its source version",
        API + "CreateLaunchTemplateVersion (SourceVersion)",
        _inherited,
    ),
    seen(
        ([3, 1], ["launchTemplateVersionDoesNotExist"]),
        "versions can be deleted and keep their numbers",
        API + "DeleteLaunchTemplateVersions",
        _versions,
    ),
    seen(
        ["aGk="],
        "a group's instances run by the version it names",
        API + "LaunchTemplateSpecification",
        lambda w: _group(w, "2"),
    ),
    seen([None], "or by the default one", API + "LaunchTemplateSpecification", lambda w: _group(w, "$Default")),
    seen(
        [(1, 1), (1, 1)],
        "they get the addresses and prefixes of the template's interface",
        "EC2 user guide: assign prefixes to network interfaces",
        _scaled,
    ),
    refused(
        "InvalidUserData.Malformed",
        "user data that isn't base64",
        API + "error codes",
        lambda w: w.template(UserData="%%%"),
    ),
    refused(
        "InvalidLaunchTemplateId.NotFound",
        "an unknown template id",
        API + "error codes",
        lambda w: w.ec2.describe_launch_templates(LaunchTemplateIds=["lt-0123456789abcdef0"]),
    ),
    refused(
        "InvalidLaunchTemplateName.NotFoundException",
        "an unknown template name",
        API + "error codes",
        lambda w: w.ec2.describe_launch_templates(LaunchTemplateNames=["none"]),
    ),
    refused(
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "a template's name is there once",
        API + "error codes",
        lambda w: (w.template(), w.template()),
    ),
    refused(
        "InvalidLaunchTemplateId.VersionNotFound",
        "an unknown version",
        API + "error codes",
        lambda w: w.ec2.describe_launch_template_versions(LaunchTemplateId=w.template(), Versions=["7"]),
    ),
    refused(
        "InvalidInstanceType",
        "DescribeInstanceTypes of an unknown type",
        API + "error codes",
        lambda w: w.ec2.describe_instance_types(InstanceTypes=["z9.large"]),
    ),
    seen(
        100,
        "DescribeInstanceTypes gives 100 types a page",
        API + "DescribeInstanceTypes",
        lambda w: len(w.ec2.describe_instance_types()["InstanceTypes"]),
    ),
    seen(
        {"t2.nano"},
        "a Xen type is called so",
        API + "InstanceTypeInfo (Hypervisor)",
        lambda w: _types(w, ("instance-type", "t2.nano"), ("hypervisor", "xen")),
    ),
    seen(
        set(),
        "no bare metal type names a hypervisor",
        API + "InstanceTypeInfo (BareMetal)",
        lambda w: _types(w, ("bare-metal", "true"), ("hypervisor", "*")),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_instance_rule(rule: Rule, world: World) -> None:
    rule.check(world)
