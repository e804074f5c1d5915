# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patches that Kubernetes takes: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch.

Strategic merge patches merge lists by the keys that Kubernetes' OpenAPI names, and know the directives `$patch`,
`$deleteFromPrimitiveList/...`, `$setElementOrder/...` and `$retainKeys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from .errors import StatusError, bad_request
from .schema import ANY, Type

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` as an RFC 7386 merge patch leaves it; `target` itself is not changed."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


# --- JSON patch --------------------------------------------------------------------------------------------------


def json_patch(target: Any, operations: Any) -> Any:
    """`target` as an RFC 6902 patch leaves it. 400 for what is no such patch, 422 for one that doesn't fit."""
    if not isinstance(operations, list) or not all(isinstance(item, dict) for item in operations):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    result = deepcopy(target)
    for operation in operations:
        try:
            result = _operate(result, operation)
        except (KeyError, IndexError, TypeError, ValueError) as problem:
            raise StatusError(
                422,
                f"the server rejected our request due to an error in our request: {operation.get('op')} "
                f"{operation.get('path')}: {problem}",
                "Invalid",
            ) from None
    return result


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    name, path = operation.get("op"), _pointer(operation["path"])
    if name == "add":
        return _add(document, path, deepcopy(operation["value"]))
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        _get(document, path)
        return _add(_remove(document, path), path, deepcopy(operation["value"])) if path else operation["value"]
    if name in ("move", "copy"):
        source = _pointer(operation["from"])
        value = deepcopy(_get(document, source))
        return _add(_remove(document, source) if name == "move" else document, path, value)
    if name == "test":
        if _get(document, path, default=None) != operation.get("value"):
            raise ValueError("testing value failed")
        return document
    raise ValueError(f"unknown operation {name!r}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


_MISSING = object()


def _get(document: Any, path: Sequence[str], default: Any = _MISSING) -> Any:
    for part in path:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError):
            if default is _MISSING:
                raise
            return default
    return document


def _add(document: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if not 0 <= index <= len(parent):
            raise IndexError("index out of range")
        parent.insert(index, value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: Sequence[str]) -> Any:
    if not path:
        return None
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.pop(int(last))
    else:
        del parent[last]
    return document


# --- strategic merge patch ---------------------------------------------------------------------------------------


def strategic_patch(target: dict[str, Any], patch: Any, kind: Type) -> dict[str, Any]:
    """`target` as a strategic merge patch leaves it; `target` itself is not changed."""
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: a strategic merge patch is an object")
    return _merge_struct(deepcopy(target), deepcopy(patch), kind)


def _merge_struct(target: dict[str, Any], patch: dict[str, Any], kind: Type) -> dict[str, Any]:
    directive = patch.pop(_DIRECTIVE, None)
    if directive == "replace":
        return {key: _plain(item) for key, item in patch.items() if item is not None}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type found: {directive}")
    retained = patch.pop(_RETAIN, None)
    if retained is not None:
        target = {key: value for key, value in target.items() if key in retained}
    orders = {key.removeprefix(_ORDER): patch.pop(key) for key in list(patch) if key.startswith(_ORDER)}
    for key in [key for key in patch if key.startswith(_DELETE_PRIMITIVES)]:
        name, dropped = key.removeprefix(_DELETE_PRIMITIVES), patch.pop(key)
        if isinstance(target.get(name), list):
            target[name] = [item for item in target[name] if item not in dropped]
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = _merge_value(target.get(key), value, kind.child(key) or ANY, key)
    for key, order in orders.items():
        if isinstance(target.get(key), list):
            target[key] = _ordered(target[key], order, (kind.child(key) or ANY).merge_key)
    return target


def _merge_value(current: Any, value: Any, kind: Type, name: str) -> Any:
    if isinstance(value, dict):
        return _merge_struct(current if isinstance(current, dict) else {}, value, kind)
    if not isinstance(value, list):
        return value
    if not kind.merges or not isinstance(current, list):
        current = [] if kind.merges else None
    if current is None:
        return [_plain(item) for item in value]
    if kind.merge_key is None:
        return [*current, *(item for item in dict.fromkeys(value) if item not in current)]
    return _merge_items(current, value, kind, kind.merge_key, name)


def _merge_items(current: list[Any], patch: list[Any], kind: Type, key: str, name: str) -> list[Any]:
    # A lone directive concerns the list as a whole.
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" and key not in item for item in patch):
        return [_plain(item) for item in patch if _DIRECTIVE not in item]
    merged = list(current)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        at = next((index for index, held in enumerate(merged) if held.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            merged = [held for held in merged if held.get(key) != item[key]]
        elif at is None:
            # Directives inside a new item have nothing to act on, but must not be stored.
            merged.append(_merge_struct({}, item, kind.item))
        else:
            merged[at] = _merge_struct(merged[at], item, kind.item)
    return merged


def _ordered(items: list[Any], order: list[Any], key: str | None) -> list[Any]:
    wanted = [item.get(key) if key and isinstance(item, dict) else item for item in order]

    def identity(item: Any) -> Any:
        return item.get(key) if key and isinstance(item, dict) else item

    listed = sorted((item for item in items if identity(item) in wanted), key=lambda item: wanted.index(identity(item)))
    result: list[Any] = []
    pending = iter(listed)
    # Items that the order doesn't name keep their place among the others.
    for item in items:
        result.append(next(pending) if identity(item) in wanted else item)
    return result


def _plain(value: Any) -> Any:
    """A value without the directives of a patch."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and not key.startswith((_DIRECTIVE, _RETAIN, _DELETE_PRIMITIVES, _ORDER))
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value
