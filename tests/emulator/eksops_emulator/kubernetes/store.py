# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: objects by kind and name, one growing resource version, and the history that watches read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from threading import Condition, RLock
from typing import Any

from .kinds import Kind

Name = tuple[str, str]  # namespace ("" for objects without one) and name
Item = dict[str, Any]
HISTORY = 5000


@dataclass(frozen=True)
class Change:
    """One write: `type` is ADDED, MODIFIED or DELETED; `before` is what the object was, None when it is new."""

    version: int
    type: str
    key: tuple[str, str]
    item: Item
    before: Item | None


class Store:
    """Objects are replaced, never changed in place; who wants to change one copies it first."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.changed = Condition(self.lock)
        self.version = 1
        self.history: deque[Change] = deque(maxlen=HISTORY)
        self._items: dict[tuple[str, str], dict[Name, Item]] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Item | None:
        return self._items.get(kind.key, {}).get((namespace if kind.namespaced else "", name))

    def all(self, kind: Kind, namespace: str = "") -> list[Item]:
        """The objects of a kind, of one namespace or of all, in the order of their names."""
        held = self._items.get(kind.key, {})
        return [item for (space, _unused), item in sorted(held.items()) if not namespace or space == namespace]

    def put(self, kind: Kind, item: Item) -> Item:
        """Stores an object under a new resource version; gives back what is stored."""
        with self.changed:
            self.version += 1
            stored = deepcopy(item)
            stored["metadata"]["resourceVersion"] = str(self.version)
            held = self._items.setdefault(kind.key, {})
            before = held.get(self._name(kind, item))
            held[self._name(kind, item)] = stored
            self._record("ADDED" if before is None else "MODIFIED", kind, stored, before)
            return stored

    def remove(self, kind: Kind, item: Item) -> Item:
        """Takes an object away; gives back its last state."""
        with self.changed:
            self.version += 1
            before = self._items[kind.key].pop(self._name(kind, item))
            last = deepcopy(before)
            last["metadata"]["resourceVersion"] = str(self.version)
            self._record("DELETED", kind, last, before)
            return last

    def drop_kind(self, kind: Kind) -> None:
        """Forgets a kind with all its objects: its CustomResourceDefinition is gone."""
        for item in self.all(kind):
            self.remove(kind, item)
        self._items.pop(kind.key, None)

    def since(self, version: int, kind: Kind) -> Iterator[Change]:
        """The changes of a kind after a resource version, oldest first."""
        return iter([change for change in self.history if change.version > version and change.key == kind.key])

    @property
    def oldest(self) -> int:
        """The resource version before the oldest change that is still remembered."""
        return self.history[0].version - 1 if len(self.history) == HISTORY else 0

    def wipe(self) -> None:
        """An empty store; resource versions go on growing, so that a watch of before can't be mistaken."""
        with self.changed:
            self._items.clear()
            self.history.clear()
            self.changed.notify_all()

    def _name(self, kind: Kind, item: Item) -> Name:
        metadata = item["metadata"]
        return (metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])

    def _record(self, change: str, kind: Kind, item: Item, before: Item | None) -> None:
        self.history.append(Change(self.version, change, kind.key, item, before))
        self.changed.notify_all()
