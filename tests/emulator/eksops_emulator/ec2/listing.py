# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters and paging of EC2's Describe operations, over plain answers.

Which filters an operation has is read from botocore's documentation of it; where a filter finds its value is said in
`listings.py`. So a filter that EC2 doesn't have is refused as EC2 refuses it, and one that the emulator doesn't have
is a 501 and never a wrong list.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from moto.core.model import OperationModel

from . import errors

Getter = str | Callable[[dict[str, Any]], Iterable[Any]]


@dataclass(frozen=True)
class Listing:
    """How one operation lists.

    `key` is the list in the answer, `nested` a list inside its items that the filters are about, `id` the member that
    identifies an item, `filters` maps a filter's name to a path such as `Routes[].State` or to a function,
    `page` the page size when none is asked for.
    """

    key: str
    id: str | None
    filters: dict[str, Getter] = field(default_factory=dict)
    nested: str | None = None
    page: int | None = None


@cache
def documented(operation: OperationModel) -> frozenset[str]:
    """The filter names that botocore documents for the operation."""
    members = operation.input_shape.members if operation.input_shape else {}
    shape = members.get("Filters") or members.get("Filter")
    if shape is None:
        return frozenset()
    names = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", shape.documentation or "")
    return frozenset("tag" if name.startswith("tag:") else name for name in names)


def values_at(item: Any, path: str) -> Iterable[Any]:
    """All values at a path; `[]` stands for every item of a list."""
    head, _unused, rest = path.partition(".")
    name, many = head.removesuffix("[]"), head.endswith("[]")
    value = item.get(name) if isinstance(item, dict) else None
    if value is None:
        return
    for one in value if many else [value]:
        if rest:
            yield from values_at(one, rest)
        else:
            yield one


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pattern(value: str) -> re.Pattern[str]:
    """EC2's wildcards: * and ?, with a backslash before one that is meant literally."""
    if "\\" in value or "[" in value:
        escaped = "".join(
            ".*" if part == "*" else "." if part == "?" else re.escape(part[-1]) for part in re.findall(r"\\.|.", value)
        )
        return re.compile(f"^{escaped}$", re.DOTALL)
    return re.compile(fnmatch.translate(value))


def _values(item: dict[str, Any], name: str, getter: Getter | None) -> Iterable[Any]:
    # Network interfaces alone call their tags TagSet.
    tags = item.get("Tags") or item.get("TagSet") or []
    if name.startswith("tag:"):
        return [tag.get("Value", "") for tag in tags if tag["Key"] == name[4:]]
    if name == "tag-key":
        return [tag["Key"] for tag in tags]
    if name == "tag-value":
        return [tag.get("Value", "") for tag in tags]
    assert getter is not None
    return values_at(item, getter) if isinstance(getter, str) else getter(item)


def check_filters(operation: OperationModel, listing: Listing | None, filters: list[dict[str, Any]]) -> None:
    """Refuses what EC2 doesn't know; NotImplementedError for what only the emulator doesn't."""
    known = documented(operation)
    for item in filters:
        name = item.get("Name")
        if name is None:
            raise errors.invalid("The filter 'null' is invalid")
        if not item.get("Values"):
            raise errors.invalid(f"The filter '{name}' must have at least one value")
        is_tag = name.startswith("tag:") and "tag" in known
        if listing is not None and (name in listing.filters or (name in ("tag-key", "tag-value") and "tag" in known)):
            continue
        if is_tag:
            continue
        if name not in known and known:
            raise errors.invalid(f"The filter '{name}' is invalid")
        if listing is not None:
            raise NotImplementedError(f"the filter {name}")


def apply_filters(listing: Listing, items: list[dict[str, Any]], filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those items that every filter matches with at least one of its values."""
    tests = [(item["Name"], [_pattern(value) for value in item["Values"]]) for item in filters]

    def fits(item: dict[str, Any]) -> bool:
        return all(
            any(
                pattern.match(_text(value))
                for value in _values(item, name, listing.filters.get(name))
                for pattern in patterns
            )
            for name, patterns in tests
        )

    if listing.nested is None:
        return [item for item in items if fits(item)]
    kept = []
    for outer in items:
        inner = [item for item in outer.get(listing.nested, []) if fits({**item, "..": outer})]
        if inner:
            kept.append({**outer, listing.nested: inner})
    return kept


def page_size(operation: OperationModel, asked: int | None, listing: Listing) -> int | None:
    """The page size, refused outside the model's bounds."""
    if asked is None:
        return listing.page
    assert operation.input_shape is not None
    bounds = operation.input_shape.members["MaxResults"].metadata
    low, high = bounds.get("min", 5), bounds.get("max", 1000)
    if not low <= asked <= high:
        word = f"greater than {low}" if asked < low else f"less than {high}"
        raise errors.invalid(f"Value ( {asked} ) for parameter maxResults is invalid. Expecting a value {word}.")
    return asked


def page(
    operation: OperationModel, items: list[Any], size: int | None, token: str | None
) -> tuple[list[Any], str | None]:
    """One page of the items and the token of the next. A token of another operation is refused."""
    start = 0
    if token is not None:
        try:
            name, start = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            name = None
        if name != operation.name:
            raise errors.refuse("InvalidNextToken", "The specified token is not valid")
    if size is None or start + size >= len(items):
        return items[start:], None
    following = json.dumps([operation.name, start + size]).encode()
    return items[start : start + size], base64.urlsafe_b64encode(following).decode()
