# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch templates of IPv6 nodes: each change is a new version that stands on its own, and becomes the default.

A version never inherits from another (no SourceVersion), so what is no longer wanted is really gone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import tags as tagging
from ..plan import Outcome, Plan, Problem, Ref, Risk, Step, is_pending, refuse_if_any
from ..session import AwsError, Session

LIMIT = 16384
NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
IMAGES = ("ami-", "resolve:ssm:")
# EC2's bounds of the operations a second of a volume's type; those that must be told them.
IOPS = {"gp3": (3000, 80000), "io1": (100, 64000), "io2": (100, 256000)}
NEEDS_IOPS = ("io1", "io2")
OS_VOLUME_SIZE = 4  # GiB; Bottlerocket's image needs 2
OWNED = tagging.OWN_PREFIX + "launch-template"
SOURCE = "EC2 API reference, CreateLaunchTemplate"
FAMILY_SOURCE = "EKS User Guide, IPv6 addresses for clusters, pods, and services"


@dataclass(frozen=True)
class LaunchTemplate:
    """A template as it shall be; C(data) is the LaunchTemplateData of its default version. None means not managed."""

    name: str
    data: Mapping[str, Any]
    instance_type: str | None
    image_id: str | None
    volume_size: int
    volume_type: str
    volume_iops: int | None
    devices: tuple[str, str]
    profile: str
    user_data: str | None
    hop_limit: int
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"launch-template/{self.name}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> LaunchTemplate:
        """From the module's parameters."""
        return cls(
            name=params["name"],
            data=data_of(params),
            instance_type=params["instance_type"],
            image_id=params["image_id"],
            volume_size=params["volume_size"],
            volume_type=params["volume_type"],
            volume_iops=params["volume_iops"],
            devices=(params["root_device_name"], params["data_device_name"] or ""),
            profile=params["iam_instance_profile"] or "",
            user_data=params["user_data"],
            hop_limit=params["metadata_hop_limit"],
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
        )


@dataclass(frozen=True)
class Observed:
    """A template as it is, with its default version's data."""

    id: str
    default_version: int
    latest_version: int
    data: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


def data_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The LaunchTemplateData that the options make.

    IMDSv2 is required and its IPv6 endpoint off. The first interface has exactly one IPv6 address, as its primary one:
    a kubelet takes one, and C(primary_ipv6) keeps it and lets load balancers reach nodes by it.
    """
    interface: dict[str, Any] = {"DeviceIndex": 0, "Ipv6AddressCount": 1, "PrimaryIpv6": True}
    if params["security_group_ids"]:
        interface["Groups"] = list(params["security_group_ids"])
    if params["associate_public_ip_address"] is not None:
        interface["AssociatePublicIpAddress"] = params["associate_public_ip_address"]
    found: dict[str, Any] = {
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpEndpoint": "enabled",
            "HttpProtocolIpv6": "disabled",
            "HttpPutResponseHopLimit": params["metadata_hop_limit"],
        },
        "NetworkInterfaces": [interface],
        "BlockDeviceMappings": _volumes(params),
    }
    members = {
        "ImageId": params["image_id"],
        "InstanceType": params["instance_type"],
        "KeyName": params["key_name"],
        "UserData": params["user_data"],
    }
    found |= {member: value for member, value in members.items() if value}
    if params["iam_instance_profile"]:
        key = "Arn" if params["iam_instance_profile"].startswith("arn:") else "Name"
        found["IamInstanceProfile"] = {key: params["iam_instance_profile"]}
    if params["instance_tags"]:
        found["TagSpecifications"] = [
            {"ResourceType": kind, "Tags": tagging.to_list(params["instance_tags"])} for kind in ("instance", "volume")
        ]
    return found


def _volumes(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The root volume, and Bottlerocket's second one for what containers need; both encrypted."""
    common: dict[str, Any] = {"Encrypted": True, "VolumeType": params["volume_type"], "DeleteOnTermination": True}
    if params["kms_key_id"]:
        common["KmsKeyId"] = params["kms_key_id"]
    main = {**common, "VolumeSize": params["volume_size"]}
    if params["volume_iops"] is not None:
        main["Iops"] = params["volume_iops"]
    root, data = params["root_device_name"], params["data_device_name"]
    if not data:
        return [{"DeviceName": root, "Ebs": main}]
    # Provisioned operations are for what containers need, and more than so small a volume could have.
    kind = "gp3" if params["volume_type"] in NEEDS_IOPS else params["volume_type"]
    system = {**common, "VolumeType": kind, "VolumeSize": OS_VOLUME_SIZE}
    return [{"DeviceName": root, "Ebs": system}, {"DeviceName": data, "Ebs": main}]


def refuse(desired: LaunchTemplate) -> Iterator[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    if not NAME.fullmatch(desired.name):
        message = f"{desired.name!r} is no name: 3 to 128 letters, digits and ( ) . - / _ are."
        yield Problem("name", message, source=SOURCE)
    if not desired.present:
        return
    if desired.image_id and not is_pending(desired.image_id) and not desired.image_id.startswith(IMAGES):
        yield Problem("image_id", f"{desired.image_id!r} is none of {', '.join(f'{item}...' for item in IMAGES)}.")
    if desired.volume_size < 1:
        yield Problem("volume_size", f"{desired.volume_size} is below 1 GiB.")
    yield from _refuse_volumes(desired)
    profile = desired.profile
    if profile.startswith("arn:") and ":instance-profile/" not in profile:
        message = f"{profile} is no ARN of an instance profile."
        yield Problem("iam_instance_profile", message, "Give that of the profile, not of its role.", SOURCE)
    if not 1 <= desired.hop_limit <= 64:
        yield Problem("metadata_hop_limit", f"{desired.hop_limit} is outside 1 to 64.", source=SOURCE)
    text = desired.user_data
    if text and not is_pending(text):
        try:
            size = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            yield Problem("user_data", "is no base64.", "Give user_data.base64 of eks_node_user_data.", SOURCE)
            return
        if size > LIMIT:
            yield Problem("user_data", f"has {size} bytes; EC2 takes {LIMIT}.", "Compress it.", SOURCE)


def _refuse_volumes(desired: LaunchTemplate) -> Iterator[Problem]:
    """Volumes with which EC2 would launch no instance."""
    root, data = desired.devices
    if not root:
        yield Problem("root_device_name", "is empty.", source=SOURCE)
    elif root == data:
        yield Problem("data_device_name", f"{data} is the root volume's.", "Give the second volume's device.", SOURCE)
    kind, wanted = desired.volume_type, desired.volume_iops
    if wanted is None:
        if kind in NEEDS_IOPS:
            yield Problem("volume_iops", f"a volume of type {kind} needs it.", source=SOURCE)
    elif kind not in IOPS:
        yield Problem("volume_iops", f"a volume of type {kind} takes none.", "Leave it out.", SOURCE)
    elif not IOPS[kind][0] <= wanted <= IOPS[kind][1]:
        text = f"{wanted} is outside {IOPS[kind][0]} to {IOPS[kind][1]}, which {kind} has."
        yield Problem("volume_iops", text, source=SOURCE)


def refuse_type(option: str, name: str | None, types: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """An instance type on which no node of an IPv6 cluster becomes ready."""
    if name and not types:
        yield Problem(option, f"EC2 knows no {name} in this region.")
    for item in types:
        if item.get("Hypervisor") != "nitro" and not item.get("BareMetal"):
            yield Problem(
                option,
                f"{item['InstanceType']} is not built on Nitro.",
                "Take a Nitro or bare metal type.",
                FAMILY_SOURCE,
            )


def refuse_change(desired: LaunchTemplate, observed: Observed | None) -> Iterator[Problem]:
    """What is not ours to take away."""
    if not desired.present and observed is not None and OWNED not in observed.tags:
        yield Problem(
            "name",
            f"the template {desired.name} was not made by this module.",
            f"Tag it with {OWNED} to have it removed, or remove it yourself.",
        )


def observe(session: Session, name: str) -> Observed | None:
    """The template by its name, with its default version; None where there is none."""
    try:
        found = session.together(
            template=lambda: session.read("ec2", "DescribeLaunchTemplates", LaunchTemplateNames=[name]),
            version=lambda: session.read(
                "ec2", "DescribeLaunchTemplateVersions", LaunchTemplateName=name, Versions=["$Default"]
            ),
        )
    except AwsError as error:
        if error.code.startswith("InvalidLaunchTemplate"):
            return None
        raise
    template = found["template"]["LaunchTemplates"][0]
    return Observed(
        id=template["LaunchTemplateId"],
        default_version=template["DefaultVersionNumber"],
        latest_version=template["LatestVersionNumber"],
        data=found["version"]["LaunchTemplateVersions"][0]["LaunchTemplateData"],
        tags=tagging.to_dict(template.get("Tags")),
    )


def plan(desired: LaunchTemplate, observed: Observed | None) -> Plan:
    """The calls that make the template what it shall be."""
    if not desired.present:
        if observed is None:
            return Plan()
        request = {"LaunchTemplateId": observed.id}
        before = {"default_version": observed.default_version}
        risk = Risk.IRREVERSIBLE
        return Plan.of(Step("ec2", "DeleteLaunchTemplate", request, desired.address, before=before, risk=risk))
    if observed is None:
        return Plan.of(_create(desired))
    return Plan.of(_change_tags(desired, observed), _change_data(desired, observed))


def facts(desired: LaunchTemplate, observed: Observed | None) -> dict[str, Any]:
    """The template as it will be."""
    address = desired.address
    changed = observed is not None and not same(desired.data, observed.data)
    version: Any = str(observed.default_version) if observed and not changed else None
    if version is None:
        path = "LaunchTemplateVersion.VersionNumber" if observed else "LaunchTemplate.DefaultVersionNumber"
        version = Ref(address, path, via=str)
    to_set, to_remove = tagging.difference(observed.tags if observed else {}, desired.tags, desired.purge_tags)
    tags = (
        tagging.after(observed.tags, to_set, to_remove) if observed else {**(desired.tags or {}), OWNED: desired.name}
    )
    return {
        "id": observed.id if observed else Ref(address, "LaunchTemplate.LaunchTemplateId"),
        "name": desired.name,
        "version": version,
        "data": desired.data,
        "tags": tags,
    }


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_launch_template_ipv6)."""
    desired = LaunchTemplate.from_params(params)
    refuse_if_any(refuse(desired))
    found = session.together(
        template=lambda: observe(session, desired.name), types=lambda: _read_type(session, desired.instance_type)
    )
    observed = found["template"]
    problems = list(refuse_change(desired, observed))
    if desired.present:
        problems += refuse_type("instance_type", desired.instance_type, found["types"])
    refuse_if_any(problems)
    outcome = facts(desired, observed) if desired.present else None
    return Outcome(plan(desired, observed), {"launch_template": outcome})


def same(one: Any, other: Any) -> bool:
    """Whether two LaunchTemplateData say the same; members that AWS adds empty and the order of tags do not count."""
    return bool(_normal(one) == _normal(other))


def _create(desired: LaunchTemplate) -> Step:
    tags = {**(desired.tags or {}), OWNED: desired.name}
    request = {
        "LaunchTemplateName": desired.name,
        "LaunchTemplateData": desired.data,
        "TagSpecifications": tagging.specification("launch-template", tags),
    }
    after = {**_shown(desired.data), "tags": tags}
    return Step("ec2", "CreateLaunchTemplate", request, desired.address, after=after)


def _change_data(desired: LaunchTemplate, observed: Observed) -> list[Step]:
    if same(desired.data, observed.data):
        return []
    before, after = _shown(observed.data), _shown(desired.data)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    key = {"LaunchTemplateId": observed.id}
    made = Step(
        "ec2",
        "CreateLaunchTemplateVersion",
        {**key, "LaunchTemplateData": desired.data},
        desired.address,
        {name: before.get(name) for name in changed},
        {name: after.get(name) for name in changed},
    )
    number = Ref(desired.address, "LaunchTemplateVersion.VersionNumber", via=str)
    default = Step(
        "ec2",
        "ModifyLaunchTemplate",
        {**key, "DefaultVersion": number},
        desired.address,
        {"default_version": observed.default_version},
        {"default_version": number},
    )
    return [made, default]


def _change_tags(desired: LaunchTemplate, observed: Observed) -> list[Step]:
    to_set, to_remove = tagging.difference(observed.tags, desired.tags, desired.purge_tags)
    before, after = {"tags": observed.tags}, {"tags": tagging.after(observed.tags, to_set, to_remove)}
    steps = []
    if to_set:
        request: dict[str, Any] = {"Resources": [observed.id], "Tags": tagging.to_list(to_set)}
        steps.append(Step("ec2", "CreateTags", request, desired.address, before, after))
    if to_remove:
        request = {"Resources": [observed.id], "Tags": [{"Key": key} for key in to_remove]}
        steps.append(Step("ec2", "DeleteTags", request, desired.address, before, after))
    return steps


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data for a diff: user data may hold secrets, so only its length is shown."""
    shown = dict(data)
    if "UserData" in shown:
        shown["UserData"] = f"{len(str(shown['UserData']))} characters of base64"
    return shown


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _normal(item) for key, item in value.items() if item not in (None, [], {}, "")}
    if isinstance(value, (list, tuple)):
        items = [_normal(item) for item in value]
        return sorted(items, key=str)
    return str(value)


def _read_type(session: Session, name: str | None) -> list[Any]:
    if not name:
        return []
    filters = [{"Name": "instance-type", "Values": [name]}]
    try:
        return session.pages("ec2", "DescribeInstanceTypes", "InstanceTypes", InstanceTypes=[name])
    except AwsError as error:
        if error.code != "InvalidInstanceType":
            raise
        return session.pages("ec2", "DescribeInstanceTypes", "InstanceTypes", Filters=filters)
