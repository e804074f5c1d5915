# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a network's resources are known again: two tags that travel with creation, so that no state file is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..plan import Step

NETWORK_TAG = tagging.OWN_PREFIX + "network"
PART_TAG = tagging.OWN_PREFIX + "part"


@dataclass(frozen=True)
class Owner:
    """The network that a resource belongs to, and the tags its user wants on everything it makes."""

    network: str
    tags: Mapping[str, str]

    def address(self, kind: str, part: str = "") -> str:
        """A readable address: C(subnet/production-private-eu-west-1a)."""
        return f"{kind}/{self.name(part)}"

    def name(self, part: str = "") -> str:
        """The resource's Name tag."""
        return "-".join(text for text in (self.network, part) if text)

    def marks(self, part: str) -> dict[str, str]:
        """The two tags by which a later run finds the resource."""
        return {NETWORK_TAG: self.network, PART_TAG: part}

    def wanted_tags(self, part: str, name_part: str = "", extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """All tags of a resource that this network made."""
        return {"Name": self.name(name_part), **self.tags, **(extra or {}), **self.marks(part)}

    def owns(self, tags: Mapping[str, str], part: str | None = None) -> bool:
        """Whether these tags say that this network made the resource (as this part of it)."""
        return tags.get(NETWORK_TAG) == self.network and (part is None or tags.get(PART_TAG) == part)


def same_tags_together(wanted: Iterable[tuple[str, str, Mapping[str, str], Mapping[str, str]]]) -> list[Step]:
    """CreateTags steps for what differs: resources that need the same tags share a call.

    Each item is (resource id, address, current tags, wanted tags). Tags are only ever added or changed here: load
    balancer controllers and EKS keep tags of their own on subnets, which nobody else may purge.
    """
    groups: dict[tuple[tuple[str, Any], ...], list[tuple[str, str, Mapping[str, str]]]] = {}
    for resource_id, address, current, tags in wanted:
        to_set, _removed = tagging.difference(current, tags, purge=False)
        if to_set:
            groups.setdefault(tuple(sorted(to_set.items())), []).append((resource_id, address, current))
    return [_create_tags(dict(tags), members) for tags, members in groups.items()]


def _create_tags(tags: dict[str, Any], members: list[tuple[str, str, Mapping[str, str]]]) -> Step:
    before = {address: {key: current[key] for key in tags if key in current} for _id, address, current in members}
    return Step(
        "ec2",
        "CreateTags",
        {"Resources": [resource_id for resource_id, _address, _current in members], "Tags": tagging.to_list(tags)},
        members[0][1] if len(members) == 1 else f"tags of {len(members)} resources",
        before=before,
        after={address: tags for _id, address, _current in members},
    )


def by_part(items: Iterable[Any], owner: Owner, tags_of: Callable[[Any], Mapping[str, str]]) -> dict[str, Any]:
    """Resources of this network by the part they are."""
    return {tags_of(item)[PART_TAG]: item for item in items if owner.owns(tags_of(item)) and PART_TAG in tags_of(item)}
