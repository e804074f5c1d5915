# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply, and the bookkeeping of who owns which field.

The rules are Kubernetes' (documentation "Server-Side Apply", and the structured-merge-diff library that implements
it): a manager owns the fields it applied or changed; applying a value that another manager owns differently is a
conflict, unless forced; what a manager applied before and leaves out now is removed, unless somebody else owns it.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from .errors import StatusError
from .fieldsets import Fields, Path, changes, children, decode, describe, encode, field_set, is_leaf, items
from .kinds import Kind
from .schema import ANY, Type

_UNOWNED: Fields = frozenset((f"f:{name}",) for name in ("apiVersion", "kind", "metadata")) | frozenset(
    ("f:metadata", f"f:{name}")
    for name in (
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "selfLink",
        "uid",
    )
)


@dataclass(frozen=True)
class Manager:
    """Who wrote: the name, how (Apply or Update), in which version, and through which subresource."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        return f'"{self.name}"' if self.operation == "Apply" else f'"{self.name}" using {self.api_version}'


Managers = dict[Manager, Fields]


def managers_of(item: Mapping[str, Any]) -> Managers:
    """The managers that an object's metadata.managedFields names."""
    found = {}
    for entry in item.get("metadata", {}).get("managedFields") or []:
        manager = Manager(entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", ""))
        found[manager] = decode(entry.get("fieldsV1") or {})
    return found


def _owned(fields: Fields) -> Fields:
    return frozenset(path for path in fields if path not in _UNOWNED and path[:2] != ("f:metadata", "f:managedFields"))


def _entries(managers: Managers, item: Mapping[str, Any], now: str) -> list[dict[str, Any]]:
    """managedFields again; the time of an entry moves only when its fields do."""
    times = {}
    for entry in item.get("metadata", {}).get("managedFields") or []:
        manager = Manager(entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", ""))
        times[manager] = (decode(entry.get("fieldsV1") or {}), entry.get("time", now))
    entries = []
    for manager, fields in managers.items():
        if not fields:
            continue
        before, time = times.get(manager, (None, now))
        entry = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": time if before == fields else now,
            "fieldsType": "FieldsV1",
            "fieldsV1": encode(fields),
        }
        entries.append(entry | ({"subresource": manager.subresource} if manager.subresource else {}))
    return sorted(entries, key=lambda entry: (entry["operation"] == "Update", entry["time"]))


def record_update(kind: Kind, old: dict[str, Any], new: dict[str, Any], manager: Manager, now: str) -> None:
    """Books a create, update or patch in `new`'s managedFields: who changed a field owns it from now on."""
    managers = managers_of(old)
    if (new["metadata"].get("managedFields") == []) and "managedFields" in old.get("metadata", {}):
        managers = {}  # an explicit empty list resets ownership
    added, modified, removed = changes(kind.type, _bare(old), _bare(new))
    touched = _owned(added | modified)
    for other in list(managers):
        managers[other] = managers[other] - removed - (touched if other != manager else frozenset())
    managers[manager] = managers.get(manager, frozenset()) | touched
    new["metadata"]["managedFields"] = _entries(managers, old, now)


def _bare(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in item.get("metadata", {}).items() if key != "managedFields"}
    return {**item, "metadata": metadata} if item else {}


def apply(
    kind: Kind, live: dict[str, Any], config: dict[str, Any], manager: Manager, force: bool, now: str
) -> dict[str, Any]:
    """What `live` is after `manager` applied `config`; a 409 with the fields in dispute unless `force`."""
    managers = managers_of(live)
    before, own = managers.get(manager, frozenset()), _owned(field_set(kind.type, config))
    merged = merge(kind.type, _bare(live), config)
    managers[manager] = own
    everyone: Fields = frozenset().union(*managers.values())
    dropped = frozenset(path for path in before if not _covers(everyone, path))
    result: dict[str, Any] = remove(kind.type, merged, dropped)

    added, modified, removed = changes(kind.type, _bare(live), result)
    disputes = {other: fields & (added | modified) for other, fields in managers.items() if other != manager}
    disputes = {other: fields for other, fields in disputes.items() if fields}
    if disputes and not force:
        raise _conflict(disputes)
    for other in managers:
        managers[other] = managers[other] - disputes.get(other, frozenset()) - removed
    result.setdefault("metadata", {})["managedFields"] = _entries(managers, live, now)
    return result


def _covers(fields: Fields, path: Path) -> bool:
    return any(other[: len(path)] == path for other in fields)


def _conflict(disputes: Managers) -> StatusError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": describe(path)}
        for manager, fields in sorted(disputes.items(), key=lambda pair: str(pair[0]))
        for path in sorted(fields)
    ]
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        groups: dict[str, list[str]] = {}
        for cause in causes:
            groups.setdefault(cause["message"].replace("conflict ", "conflicts ", 1), []).append(f"- {cause['field']}")
        listed = ", ".join(f"{who}:\n" + "\n".join(lines) for who, lines in groups.items())
        text = f"Apply failed with {len(causes)} conflicts: {listed}"
    return StatusError(409, text, "Conflict", causes=causes)


def merge(kind: Type, live: Any, config: Any) -> Any:
    """`live` with what `config` sets: structs and maps by name, keyed lists by their keys, the rest replaced."""
    if is_leaf(kind, config) or is_leaf(kind, live) or not isinstance(live, type(config)):
        return deepcopy(config) if config != {} or kind.leaf or not isinstance(live, dict) else deepcopy(live)
    if kind.kind == "list":
        held = dict(items(kind, live, ()))
        given = dict(items(kind, config, ()))
        # Order as structured-merge-diff has it for the common case: what lives first, then what is new.
        names = [*held, *(element for element in given if element not in held)]
        return [
            merge(kind.item, held[element], given[element])
            if element in held and element in given
            else deepcopy(given.get(element, held.get(element)))
            for element in names
        ]
    result = deepcopy(live)
    for name, value in config.items():
        child = kind.child(name) or ANY
        result[name] = merge(child, result[name], value) if name in result else deepcopy(value)
    return result


def remove(kind: Type, value: Any, paths: Fields) -> Any:
    """`value` without what `paths` name; containers that this empties go too."""
    return _remove(kind, value, (), paths) if paths else value


def _remove(kind: Type, value: Any, path: Path, paths: Fields, keys: tuple[str, ...] = ()) -> Any:
    if is_leaf(kind, value) or not any(other[: len(path)] == path for other in paths):
        return value
    kept = []
    for element, child, item in children(kind, value, path):
        inner = (*path, element)
        # An item that somebody still owns a part of keeps the keys that identify it.
        if inner in paths and element[2:] not in keys:
            continue
        rest = _remove(child, item, inner, paths, kind.keys)
        if rest or not item or rest == item:
            kept.append((element, rest))
    if kind.kind == "list":
        return [item for _unused, item in kept]
    return {element[2:]: item for element, item in kept}
