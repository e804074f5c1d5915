# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_launch_template_ipv6 against the emulator."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations

MODULE = "ec2_launch_template_ipv6"
CREATE, VERSION = ("ec2", "CreateLaunchTemplate"), ("ec2", "CreateLaunchTemplateVersion")
DEFAULT, DELETE = ("ec2", "ModifyLaunchTemplate"), ("ec2", "DeleteLaunchTemplate")
SCRIPT = base64.b64encode(b"#!/bin/sh\n").decode()


def live(aws: Callable[..., Any], version: str = "$Default") -> dict[str, Any]:
    found = aws("ec2").describe_launch_template_versions(LaunchTemplateName="nodes", Versions=[version])
    return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def test_a_new_template_is_fit_for_ipv6_nodes(player: Player, aws: Callable[..., Any]) -> None:
    result = player.converge(
        MODULE,
        name="nodes",
        instance_type="m7g.large",
        user_data=SCRIPT,
        volume_size=50,
        instance_tags={"team": "a"},
        tags={"team": "a"},
    )
    assert operations(result["plan"]) == [CREATE]
    data = live(aws)
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpProtocolIpv6"] == "disabled"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    (interface,) = data["NetworkInterfaces"]
    assert (interface["Ipv6AddressCount"], interface["PrimaryIpv6"]) == (1, True)
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    template = result["launch_template"]
    assert template["version"] == "1"
    assert template["tags"] == {"team": "a", "eksops.ipv6/launch-template": "nodes"}


def test_bottlerocket_s_second_volume_is_encrypted_too(player: Player, aws: Callable[..., Any]) -> None:
    player.converge(MODULE, name="nodes", data_device_name="/dev/xvdb", volume_size=80)
    volumes = {item["DeviceName"]: item["Ebs"] for item in live(aws)["BlockDeviceMappings"]}
    assert {name: volume["VolumeSize"] for name, volume in volumes.items()} == {"/dev/xvda": 4, "/dev/xvdb": 80}
    assert all(volume["Encrypted"] is True for volume in volumes.values())


@pytest.mark.parametrize("second", [None, "/dev/xvdb"])
def test_provisioned_operations_are_for_what_containers_need(
    player: Player, aws: Callable[..., Any], second: str | None
) -> None:
    """EC2 launches nothing with a volume of these types that does not say them."""
    player.converge(MODULE, name="nodes", volume_type="io2", volume_iops=4000, data_device_name=second)
    found = aws("ec2").describe_launch_template_versions(LaunchTemplateName="nodes", Versions=["$Default"])
    volumes = [item["Ebs"] for item in found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["BlockDeviceMappings"]]
    shown = [(volume["VolumeType"], volume["VolumeSize"], volume.get("Iops")) for volume in volumes]
    assert shown == [*([("gp3", 4, None)] if second else []), ("io2", 20, 4000)]


def test_a_change_is_a_whole_version_and_the_default(player: Player, aws: Callable[..., Any]) -> None:
    player(MODULE, name="nodes", instance_type="m7g.large", user_data=SCRIPT)
    result = player.converge(MODULE, name="nodes", instance_type="m7g.xlarge")
    assert operations(result["plan"]) == [VERSION, DEFAULT]
    assert result["launch_template"]["version"] == "2"
    assert live(aws)["InstanceType"] == "m7g.xlarge"
    assert "UserData" not in live(aws)
    assert live(aws, "1")["UserData"] == SCRIPT


def test_user_data_is_in_no_diff(player: Player) -> None:
    result = player(MODULE, name="nodes", user_data=SCRIPT, diff=True)
    assert SCRIPT not in str(result["diff"])


def test_tags_change_in_place(player: Player) -> None:
    player(MODULE, name="nodes", tags={"a": "b"})
    result = player.converge(MODULE, name="nodes", tags={"c": "d"})
    assert operations(result["plan"]) == [("ec2", "CreateTags"), ("ec2", "DeleteTags")]
    assert result["launch_template"]["tags"] == {"c": "d", "eksops.ipv6/launch-template": "nodes"}


def test_a_template_goes_when_it_is_ours(player: Player, aws: Callable[..., Any]) -> None:
    player(MODULE, name="nodes")
    assert operations(player.converge(MODULE, name="nodes", state="absent")["plan"]) == [DELETE]
    aws("ec2").create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData={"EbsOptimized": True})
    assert "was not made by this module" in player.refuses(MODULE, name="theirs", state="absent")


def test_check_mode_stands_in_for_id_and_version(player: Player) -> None:
    planned = player.check(MODULE, name="nodes", user_data="pending:cluster/x")["launch_template"]
    assert planned["id"] == planned["version"] == "pending:launch-template/nodes"


@pytest.mark.parametrize(
    ("options", "option", "reason"),
    [
        ({"instance_type": "m4.large"}, "instance_type", "not built on Nitro"),
        ({"instance_type": "m99.large"}, "instance_type", "EC2 knows no m99.large"),
        ({"metadata_hop_limit": 65}, "metadata_hop_limit", "outside 1 to 64"),
        ({"user_data": "#!/bin/sh"}, "user_data", "no base64"),
        ({"image_id": "al2023"}, "image_id", "none of ami-..., resolve:ssm:..."),
        ({"volume_size": 0}, "volume_size", "below 1 GiB"),
        ({"volume_type": "io2"}, "volume_iops", "type io2 needs it"),
        ({"volume_type": "gp2", "volume_iops": 3000}, "volume_iops", "type gp2 takes none"),
        ({"volume_iops": 100}, "volume_iops", "100 is outside 3000 to 80000, which gp3 has"),
        ({"root_device_name": ""}, "root_device_name", "is empty"),
        ({"data_device_name": "/dev/xvda"}, "data_device_name", "/dev/xvda is the root volume's"),
        (
            {"iam_instance_profile": "arn:aws:iam::123456789012:role/node"},
            "iam_instance_profile",
            "no ARN of an instance",
        ),
        ({"user_data": base64.b64encode(b"x" * 16385).decode()}, "user_data", "has 16385 bytes"),
    ],
)
def test_what_makes_no_ipv6_node_is_refused(player: Player, options: dict[str, Any], option: str, reason: str) -> None:
    msg = player.refuses(MODULE, name="nodes", **options)
    assert msg.startswith(f"{option}:") and reason in msg


@pytest.mark.parametrize("name", ["ab", "my nodes", "n" * 129])
def test_a_name_that_ec2_does_not_take_is_refused(player: Player, name: str) -> None:
    assert player.refuses(MODULE, name=name).startswith(f"name: {name!r} is no name")
