# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of fields, as metadata.managedFields holds them.

A path is a tuple of elements in FieldsV1's own notation: `f:name` for a field, `k:{"name":"x"}` for an item of a list
with keys, `v:"x"` for an item of a set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .errors import bad_request
from .schema import ANY, KEY_DEFAULTS, Type

Path = tuple[str, ...]
Fields = frozenset[Path]

# Structs that Go holds by value are there in an empty object too, so nobody owns them for having made them.
_BY_VALUE = {"f:metadata", "f:spec", "f:status", "f:template", "f:updateStrategy", "f:strategy", "f:containers"}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def items(kind: Type, value: list[Any], path: Path) -> Iterator[tuple[str, Any]]:
    """The items of a list of type map or set, with the path element of each; 400 for items that have no identity."""
    seen = set()
    for index, item in enumerate(value):
        if kind.list_type == "set":
            element = f"v:{_compact(item)}"
        else:
            element = f"k:{_compact(_key(kind, item, index, path))}"
        if element in seen:
            raise bad_request(f"{describe(path)}: duplicate entries for key {element[2:]}")
        seen.add(element)
        yield element, item


def _key(kind: Type, item: Any, index: int, path: Path) -> dict[str, Any]:
    key = {}
    for name in kind.keys:
        value = item.get(name, KEY_DEFAULTS.get(name)) if isinstance(item, dict) else None
        if value is None:
            raise bad_request(
                f"{describe(path)}: element {index}: associative list with keys has an element that omits key field "
                f'"{name}" (and doesn\'t have default value)'
            )
        key[name] = value
    return key


def children(kind: Type, value: Any, path: Path) -> Iterator[tuple[str, Type, Any]]:
    """What a struct, map or keyed list holds: path element, type, value."""
    if kind.kind == "list":
        for element, item in items(kind, value, path):
            yield element, kind.item, item
    else:
        for name, item in value.items():
            yield f"f:{name}", kind.child(name) or ANY, item


def is_leaf(kind: Type, value: Any) -> bool:
    """True when ownership stops at this value: a scalar, something atomic, or an empty container."""
    if kind.kind == "any":
        # Without a schema Kubernetes goes into maps and takes lists whole.
        return not isinstance(value, dict) or not value
    return kind.leaf or not isinstance(value, (dict, list)) or not value


def field_set(kind: Type, value: dict[str, Any]) -> Fields:
    """The fields that a configuration sets."""
    found: set[Path] = set()
    _collect(kind, value, (), found)
    return frozenset(found)


def _collect(kind: Type, value: Any, path: Path, found: set[Path]) -> None:
    if is_leaf(kind, value):
        if path:
            found.add(path)
        return
    for element, child, item in children(kind, value, path):
        if kind.kind in ("list", "map"):
            found.add((*path, element))
        _collect(child, item, (*path, element), found)


def changes(kind: Type, old: Any, new: Any) -> tuple[Fields, Fields, Fields]:
    """The paths that `new` has and `old` lacks, those that differ, and those that `old` has and `new` lacks."""
    added: set[Path] = set()
    modified: set[Path] = set()
    removed: set[Path] = set()
    _compare(kind, old, new, (), added, modified, removed)
    return frozenset(added), frozenset(modified), frozenset(removed)


_NONE = object()


def _compare(
    kind: Type, old: Any, new: Any, path: Path, added: set[Path], modified: set[Path], removed: set[Path]
) -> None:
    if old is _NONE or new is _NONE:
        side, value = (added, new) if old is _NONE else (removed, old)
        if path and (is_leaf(kind, value) or path[-1] not in _BY_VALUE or any(part[0] != "f" for part in path)):
            side.add(path)
        if not is_leaf(kind, value):
            for element, child, item in children(kind, value, path):
                pair = (_NONE, item) if old is _NONE else (item, _NONE)
                _compare(child, *pair, (*path, element), added, modified, removed)
        return
    if is_leaf(kind, old) and is_leaf(kind, new):
        if old != new:
            modified.add(path)
        return
    before = {element: (child, item) for element, child, item in children(kind, old, path)} if old else {}
    after = {element: (child, item) for element, child, item in children(kind, new, path)} if new else {}
    for element in {**before, **after}:
        child = (after.get(element) or before[element])[0]
        pair = (before.get(element, (None, _NONE))[1], after.get(element, (None, _NONE))[1])
        _compare(child, *pair, (*path, element), added, modified, removed)


def encode(fields: Fields) -> dict[str, Any]:
    """A set of fields as FieldsV1."""
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _trim(tree)


def _trim(tree: dict[str, Any]) -> dict[str, Any]:
    # A node without children is owned by being there; only one with children says "." for itself.
    return {key: {} if set(node) == {"."} else _trim(node) for key, node in tree.items() if key != "."} | (
        {".": {}} if "." in tree and len(tree) > 1 else {}
    )


def decode(tree: dict[str, Any], path: Path = ()) -> Fields:
    """FieldsV1 as a set of fields."""
    found: set[Path] = set()
    for element, node in tree.items():
        if element == ".":
            found.add(path)
        elif not node:
            found.add((*path, element))
        else:
            found |= decode(node, (*path, element))
    return frozenset(found)


def describe(path: Path) -> str:
    """A path as messages have it: .spec.template.spec.containers[name="x"].image"""
    text = ""
    for element in path:
        if element.startswith("k:"):
            pairs = json.loads(element[2:]).items()
            text += "[" + ",".join(f"{name}={_compact(value)}" for name, value in pairs) + "]"
        elif element.startswith("v:"):
            text += f"[={element[2:]}]"
        else:
            text += "." + element[2:]
    return text
