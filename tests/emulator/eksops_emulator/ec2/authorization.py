# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an EC2 call is about when IAM judges it: its resources, and the condition keys that EC2 hands over with each.

Here are the calls that a VPC CNI makes. Of other calls the resources aren't known, and enforcement takes them as met.

Sources: the EC2 user guide on resource-level permissions (every action knows ec2:Region); the Service Authorization
Reference, Amazon EC2 (resource types and keys of each action, and which actions know only *); deckhouse pull request
10853 quotes a denial of ModifyNetworkInterfaceAttribute on a security group. That an instance is judged when its
attachment is modified, and that a new interface has its subnet's keys, is presumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..policies import Context, Target

_NO_RESOURCE = frozenset(
    {
        "DescribeInstances",
        "DescribeInstanceTypes",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeTags",
    }
)
_KINDS = {"eni": "network-interface", "subnet": "subnet", "sg": "security-group", "i": "instance"}


class Authorization:
    """The resources of one call to one region's EC2."""

    def __init__(self, ec2: Any, operation: str, given: Mapping[str, Any], partition: str) -> None:
        self._ec2, self._operation, self._given = ec2, operation, given
        self._place = f"arn:{partition}:ec2:{ec2.region_name}:{ec2.account_id}"

    def targets(self) -> list[Target] | None:
        """What the call is about; None when nobody knows."""
        if self._operation in _NO_RESOURCE:
            return [Target("*", self._everywhere())]
        find = _FOUND.get(self._operation)
        found = None if find is None else list(find(self))
        return None if found is None or None in found else [target for target in found if target is not None]

    def _everywhere(self) -> dict[str, list[str]]:
        return {"ec2:Region": [str(self._ec2.region_name)]}

    def _of(self, resource_id: str) -> Target | None:
        """A resource by its id, be it there or not; None for a kind that isn't known here."""
        kind = _KINDS.get(resource_id.rsplit("-", 1)[0])
        if kind is None:
            return None
        tags = self._ec2.tags.get(resource_id, {})
        keys = {f"{service}:ResourceTag/{key}": [value] for key, value in tags.items() for service in ("aws", "ec2")}
        return Target(f"{self._place}:{kind}/{resource_id}", {**self._everywhere(), **keys, **self._where(resource_id)})

    def _where(self, resource_id: str) -> Context:
        """The VPC, and of an interface the subnet. An instance has no such key in the calls that are here."""
        if resource_id.startswith("eni-"):
            interface = self._ec2.enis.get(resource_id)
            return self._in_subnet(interface.subnet.id) if interface else {}
        if resource_id.startswith("subnet-"):
            return self._in_subnet(resource_id, subnet=False)
        group = self._ec2.get_security_group_from_id(resource_id) if resource_id.startswith("sg-") else None
        return {"ec2:Vpc": [f"{self._place}:vpc/{group.vpc_id}"]} if group else {}

    def _in_subnet(self, subnet_id: str, subnet: bool = True) -> Context:
        found = next((zone[subnet_id] for zone in self._ec2.subnets.values() if subnet_id in zone), None)
        if found is None:
            return {}
        vpc = {"ec2:Vpc": [f"{self._place}:vpc/{found.vpc_id}"]}
        return {**vpc, "ec2:Subnet": [f"{self._place}:subnet/{subnet_id}"]} if subnet else vpc

    def _interface(self) -> Iterator[Target | None]:
        yield self._of(self._given["NetworkInterfaceId"])

    def _attached(self) -> Iterator[Target | None]:
        yield from self._interface()
        yield self._of(self._given["InstanceId"])

    def _detached(self) -> Iterator[Target | None]:
        wanted = self._given["AttachmentId"]
        interface = next((item for item in self._ec2.enis.values() if item.attachment_id == wanted), None)
        if interface is None:
            yield Target(f"{self._place}:network-interface/*", self._everywhere())
            return
        yield self._of(interface.id)
        yield self._of(interface.instance.id)

    def _modified(self) -> Iterator[Target | None]:
        yield from self._interface()
        yield from map(self._of, self._given.get("Groups", []))
        interface = self._ec2.enis.get(self._given["NetworkInterfaceId"])
        if "Attachment" in self._given and interface is not None and interface.instance is not None:
            yield self._of(interface.instance.id)

    def _created(self) -> Iterator[Target | None]:
        made = {**self._everywhere(), **self._in_subnet(self._given["SubnetId"])}
        tags = {
            item["Key"]: item["Value"] for part in self._given.get("TagSpecifications", []) for item in part["Tags"]
        }
        requested = _requested(tags)
        yield Target(f"{self._place}:network-interface/*", {**made, **requested})
        yield self._of(self._given["SubnetId"])
        yield from map(self._of, self._given.get("Groups", []))
        if tags:
            action = {"ec2:CreateAction": ["CreateNetworkInterface"]}
            resource = f"{self._place}:network-interface/*"
            yield Target(resource, {**made, **requested, **action}, "ec2:CreateTags")

    def _tagged(self) -> Iterator[Target | None]:
        requested = _requested({item["Key"]: item.get("Value", "") for item in self._given.get("Tags", [])})
        for resource_id in self._given["Resources"]:
            found = self._of(resource_id)
            yield found and Target(found.resource, {**found.context, **requested})


def _requested(tags: Mapping[str, str]) -> Context:
    return {
        **({"aws:TagKeys": list(tags)} if tags else {}),
        **{f"aws:RequestTag/{key}": [value] for key, value in tags.items()},
    }


_FOUND: Mapping[str, Callable[[Authorization], Iterator[Target | None]]] = {
    "AssignIpv6Addresses": Authorization._interface,
    "AttachNetworkInterface": Authorization._attached,
    "CreateNetworkInterface": Authorization._created,
    "CreateTags": Authorization._tagged,
    "DeleteNetworkInterface": Authorization._interface,
    "DetachNetworkInterface": Authorization._detached,
    "ModifyNetworkInterfaceAttribute": Authorization._modified,
    "UnassignIpv6Addresses": Authorization._interface,
}
