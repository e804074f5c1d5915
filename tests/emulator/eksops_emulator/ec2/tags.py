# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: what exists can be tagged, and DescribeTags names types as EC2 does."""

from __future__ import annotations

from typing import Any

from . import errors
from .family import Responses
from .plain import Plain

# moto names some resource types otherwise than EC2 (ResourceType in the EC2 API reference).
_TYPES = {
    "nat-gateway": "natgateway",
    "vpc-elastic-ip": "elastic-ip",
    "eigw": "egress-only-internet-gateway",
}
_PREFIXES = {
    "eigw": "egress-only-internet-gateway",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "sgr": "security-group-rule",
    "lt": "launch-template",
    "scr": "subnet-cidr-reservation",
    "ipam-pool": "ipam-pool",
    "ipam": "ipam",
    "ipam-scope": "ipam-scope",
}
_NOT_FOUND = {
    "subnet": ("InvalidSubnetID.NotFound", "subnet ID"),
    "vpc": ("InvalidVpcID.NotFound", "vpc ID"),
    "nat": ("NatGatewayNotFound", "natGateway ID"),
    "eigw": ("InvalidGatewayID.NotFound", "gateway ID"),
    "lt": ("InvalidLaunchTemplateId.NotFound", "launch template ID"),
    "eipalloc": ("InvalidAllocationID.NotFound", "allocation ID"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
}


def _prefix(resource_id: str) -> str:
    return resource_id.rsplit("-", 1)[0]


class TagBackend:
    """Tags in front of moto's."""

    def do_resources_exist(self: Any, resource_ids: list[str]) -> bool:
        known = {
            "subnet": lambda item: any(item in zone for zone in self.subnets.values()),
            "vpc": self.vpcs.__contains__,
            "nat": self.nat_gateways.__contains__,
            "eigw": self.egress_only_internet_gateways.__contains__,
            "lt": self.launch_templates.__contains__,
            "eipalloc": lambda item: any(address.allocation_id == item for address in self.addresses),
            "eni": self.enis.__contains__,
        }
        rest = []
        for item in resource_ids:
            there = known.get(_prefix(item))
            if there is None:
                rest.append(item)
            elif not there(item):
                code, kind = _NOT_FOUND[_prefix(item)]
                raise errors.refuse(code, f"The {kind} '{item}' does not exist")
        return bool(super().do_resources_exist(rest)) if rest else True  # type: ignore[misc]

    def gone(self: Any, resource_id: str) -> bool:
        """True for a resource of these kinds that was deleted: its tags are no longer listed."""
        try:
            self.do_resources_exist([resource_id])
        except errors.EC2ClientError:
            return True
        return False


class TagResponses(Responses):
    def create_tags(self) -> Plain:
        self.backend.do_resources_exist(self.params["Resources"])
        tags = {tag["Key"]: tag.get("Value", "") for tag in self.params["Tags"]}
        if any(key.lower().startswith("aws:") for key in tags):
            raise errors.invalid("Tag keys starting with 'aws:' are reserved for internal use")
        self.backend.create_tags(self.params["Resources"], tags)
        return Plain({})

    def delete_tags(self) -> Plain:
        resources = self.params["Resources"]
        if not self.params.get("Tags"):
            for item in resources:
                held = self.backend.tags.get(item, {})
                self.backend.delete_tag_keys([item], [key for key in held if not key.startswith("aws:")])
            return Plain({})
        self.backend.delete_tags(resources, {tag["Key"]: tag.get("Value") for tag in self.params["Tags"]})
        return Plain({})

    def describe_tags(self) -> Plain:
        tags = []
        for item in self.backend.describe_tags():
            kind = _PREFIXES.get(_prefix(item["resource_id"])) or _TYPES.get(
                item["resource_type"], item["resource_type"]
            )
            if _prefix(item["resource_id"]) in _NOT_FOUND and self.backend.gone(item["resource_id"]):
                continue
            tags.append(
                {
                    "ResourceId": item["resource_id"],
                    "ResourceType": kind,
                    "Key": item["key"],
                    "Value": item["value"],
                }
            )
        return Plain({"Tags": tags})
