# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags: AWS's two spellings, what differs, and the tags by which the collection knows its own work (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

OWN_PREFIX = "eksops.ipv6/"  # tags with this prefix say what made a resource; they are never purged
AWS_PREFIX = "aws:"  # reserved by AWS: cannot be written or removed


def to_dict(tag_list: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """EC2's and IAM's list of Key/Value pairs as a dict."""
    return {tag["Key"]: tag.get("Value", "") for tag in tag_list or ()}


def to_list(tags: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A dict as EC2 and IAM take it, in a stable order."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def specification(resource_type: str, tags: Mapping[str, Any]) -> list[dict[str, Any]]:
    """TagSpecifications for an EC2 create call; empty without tags, since AWS refuses an empty one."""
    return [{"ResourceType": resource_type, "Tags": to_list(tags)}] if tags else []


def difference(
    current: Mapping[str, str], desired: Mapping[str, Any] | None, purge: bool
) -> tuple[dict[str, Any], list[str]]:
    """Tags to set, and keys to remove. C(desired=None) means that tags are not managed: nothing of either."""
    if desired is None:
        return {}, []
    to_set = {key: value for key, value in desired.items() if current.get(key) != value}
    kept = (OWN_PREFIX, AWS_PREFIX)
    to_remove = sorted(key for key in current if key not in desired and not key.startswith(kept)) if purge else []
    return to_set, to_remove


def after(current: Mapping[str, str], to_set: Mapping[str, Any], to_remove: Iterable[str]) -> dict[str, Any]:
    """The tags a resource has once a difference was applied."""
    gone = set(to_remove)
    return {**{key: value for key, value in current.items() if key not in gone}, **to_set}
