# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of everything that has an ARN of EKS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import BadRequest, NotFound
from .state import Facts, Request, State, check_tags


class Tags(State):
    """TagResource, UntagResource, ListTagsForResource."""

    def tag_resource(self, request: Request) -> Facts:
        tags = self._tags(request["resourceArn"])
        check_tags(request["tags"])
        if len({**tags, **request["tags"]}) > 50:
            raise BadRequest("The number of tags has exceeded the limit of 50")
        tags.update(request["tags"])
        return {}

    def untag_resource(self, request: Request) -> Facts:
        tags = self._tags(request["resourceArn"])
        for key in request["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, request: Request) -> Facts:
        return {"tags": dict(self._tags(request["resourceArn"]))}

    def _tags(self, arn: str) -> dict[str, str]:
        if not arn.startswith(f"arn:{self.partition}:eks:{self.region_name}:"):
            raise BadRequest(f"Invalid ARN: {arn}")
        for candidate, tags in self._tagged():
            if candidate == arn:
                found: dict[str, str] = tags
                return found
        raise NotFound(f"Resource was not found: {arn}")

    def _tagged(self) -> Iterator[tuple[str, Any]]:
        for cluster in self.clusters.values():
            yield cluster.facts["arn"], cluster.facts["tags"]
            for addon in cluster.addons.values():
                yield addon.facts["addonArn"], addon.facts["tags"]
            for group in cluster.nodegroups.values():
                yield group.facts["nodegroupArn"], group.facts["tags"]
            for profile in cluster.fargate_profiles.values():
                yield profile.facts["fargateProfileArn"], profile.facts["tags"]
            for association in cluster.associations.values():
                yield association["associationArn"], association["tags"]
            for entry in cluster.access_entries.values():
                yield entry.facts["accessEntryArn"], entry.facts["tags"]
            for provider in cluster.identity_providers.values():
                yield provider.facts["identityProviderConfigArn"], provider.facts["tags"]
