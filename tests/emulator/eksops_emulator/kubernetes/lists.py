# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages, and watches."""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from copy import deepcopy
from time import monotonic
from typing import Any

from . import selectors
from .errors import StatusError, bad_request
from .kinds import Kind
from .registry import Registry, present
from .store import Change, Item

KEPT_LISTS = 64


class Lists:
    """Answers list requests. The pages of one list show one moment, as etcd's do."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: OrderedDict[str, list[Item]] = OrderedDict()

    def page(self, kind: Kind, namespace: str, query: dict[str, str]) -> dict[str, Any]:
        """One page: `limit`, `continue`, `labelSelector` and `fieldSelector` as in the query of the request."""
        limit = _number(query, "limit")
        matches = matcher(kind, query)
        start = 0
        if query.get("continue"):
            version, start, items = self._resume(query["continue"])
        else:
            with self._registry.store.lock:
                version = str(self._registry.store.version)
                items = [item for item in self._registry.store.all(kind, namespace) if matches(item)]
        end = start + limit if limit else len(items)
        metadata: dict[str, Any] = {"resourceVersion": version}
        if end < len(items):
            selection = (kind.plural, kind.group, namespace, query.get("labelSelector"), query.get("fieldSelector"))
            key = f"{version}/{selection}"
            self._keep(key, items)
            token = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": end, "list": key})
            metadata["continue"] = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(items) - end
        shown = [present(kind, item) if kind.custom else _bare(present(kind, item)) for item in items[start:end]]
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": shown}

    def _keep(self, key: str, items: list[Item]) -> None:
        self._kept[key] = items
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_LISTS:
            self._kept.popitem(last=False)

    def _resume(self, token: str) -> tuple[str, int, list[Item]]:
        try:
            data = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            key, version, start = data["list"], data["rv"], data["start"]
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise bad_request("continue key is not valid") from None
        if key not in self._kept:
            raise StatusError(410, "The provided continue parameter is too old to display a consistent list result.")
        return version, start, self._kept[key]


def _bare(item: Item) -> Item:
    # Items of a list of a built-in kind don't repeat it.
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}


def _number(query: dict[str, str], name: str) -> int:
    text = query.get(name) or "0"
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def matcher(kind: Kind, query: dict[str, str]) -> selectors.Matcher:
    """A matcher for the selectors of a query."""
    tests = []
    if query.get("labelSelector"):
        tests.append(selectors.labels(query["labelSelector"]))
    if query.get("fieldSelector"):
        tests.append(selectors.fields(query["fieldSelector"], "" if kind.custom else kind.kind))
    return lambda item: all(test(item) for test in tests)


def watch(
    registry: Registry, kind: Kind, namespace: str, query: dict[str, str], pulse: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """The events of a watch, until `timeoutSeconds` or until `pulse`, called several times a second, says to end.

    Without resourceVersion (or with 0) it begins with what is there.
    """
    matches = matcher(kind, query)
    deadline = monotonic() + (_number(query, "timeoutSeconds") or 1800)
    version = _number(query, "resourceVersion")
    bookmarks = query.get("allowWatchBookmarks") in ("1", "true")
    first: list[Item] = []
    with registry.store.lock:
        if not version:
            first = [item for item in registry.store.all(kind, namespace) if matches(item)]
            version = registry.store.version
    follow = _follow(registry, kind, version, lambda: monotonic() < deadline and pulse())

    def events() -> Iterator[dict[str, Any]]:
        for item in first:
            yield {"type": "ADDED", "object": present(kind, item)}
        last = version
        for change in follow:
            if isinstance(change, StatusError):
                yield {"type": "ERROR", "object": change.body()}
                return
            last = change.version
            event = _event(kind, change, namespace, matches)
            if event:
                yield event
        if bookmarks:
            metadata = {"resourceVersion": str(last)}
            yield {
                "type": "BOOKMARK",
                "object": {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata},
            }

    return events()


def _follow(registry: Registry, kind: Kind, version: int, going: Callable[[], bool]) -> Iterator[Change | StatusError]:
    """The changes after `version`, waiting for more while `going()`; 410 when they are forgotten."""
    store = registry.store
    while going():
        with store.changed:
            if version < store.oldest:
                yield StatusError(410, f"too old resource version: {version} ({store.oldest})")
                return
            changes = list(store.since(version, kind))
            if not changes:
                store.changed.wait(0.1)
                continue
        for change in changes:
            version = change.version
            yield change


def _event(kind: Kind, change: Change, namespace: str, matches: selectors.Matcher) -> dict[str, Any] | None:
    if namespace and change.item["metadata"].get("namespace") != namespace:
        return None
    before = change.before is not None and matches(change.before)
    after = change.type != "DELETED" and matches(change.item)
    if not before and not after:
        return None
    # An object that enters or leaves the selection is new or gone to this client.
    name = ("MODIFIED" if before else "ADDED") if after else "DELETED"
    return {"type": name, "object": present(kind, deepcopy(change.item))}
