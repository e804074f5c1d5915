# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every resource family's backend and response mixin may count on."""

from __future__ import annotations

from typing import Any

from moto.ec2.responses._base_response import EC2BaseResponse

from . import errors


class Responses(EC2BaseResponse):
    """The base of response mixins: `params` as boto3 sends them."""

    params: dict[str, Any]

    @property
    def backend(self) -> Any:
        """The region's `StrictEC2Backend`; untyped, since by moto's types it would hold moto's models."""
        return self.ec2_backend

    def tags_for(self, resource_type: str) -> dict[str, str]:
        """The tags for a resource type, from TagSpecifications; another type than expected is refused."""
        tags: dict[str, str] = {}
        for item in self.params.get("TagSpecifications", []):
            if item.get("ResourceType") != resource_type:
                raise errors.invalid(
                    f"'{item.get('ResourceType')}' is not a valid taggable resource type for this operation."
                )
            for tag in item.get("Tags", []):
                tags[tag["Key"]] = tag.get("Value", "")
        return tags

    def only_one(self, *names: str, required: bool = False) -> str | None:
        """The one of these parameters that was given; two are refused, none is when `required`."""
        given = [name for name in names if self.params.get(name) is not None]
        if len(given) > 1:
            raise errors.combination(f"The parameters {given[0]} and {given[1]} cannot be used together")
        if required and not given:
            raise errors.missing(" or ".join(names))
        return given[0] if given else None


def tag_list(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """moto's tags of a resource as EC2 shows them."""
    return [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]


def arn(backend: Any, resource: str) -> str:
    """The ARN of an EC2 resource such as `subnet/subnet-1`, in the backend's partition."""
    return f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:{resource}"
