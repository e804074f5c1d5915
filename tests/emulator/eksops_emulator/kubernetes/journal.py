# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of the server, and what is to go wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from threading import Lock
from typing import Any

READS = ("get", "list", "watch")
KINDS = ("error", "latency", "lost_reply", "reset")


@dataclass
class Request:
    """One request: `verb` as in RBAC (get, list, watch, create, update, patch, delete, deletecollection), `resource`
    as in daemonsets.apps (or the path, for what is no resource), `status` the HTTP status, `user` the IAM ARN."""

    n: int
    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = ""
    user: str = ""
    user_agent: str = ""
    status: int = 0
    message: str = ""

    @property
    def write(self) -> bool:
        """True when the request changes something; a dry run doesn't."""
        return self.verb not in READS and "dryRun" not in self.query

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Journal:
    """All requests since the start or the last clear. Secrets' contents and tokens are not in it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._count = 0
        self._lock = Lock()

    def add(self, verb: str, resource: str, **more: Any) -> Request:
        with self._lock:
            self._count += 1
            request = Request(self._count, verb, resource, **more)
            self.requests.append(request)
            return request

    def clear(self) -> None:
        with self._lock:
            self.requests.clear()
            self._count = 0

    def writes(self, ok_only: bool = False) -> list[Request]:
        """The requests that change something; with `ok_only` without those that were refused."""
        return [request for request in list(self.requests) if request.write and (request.ok or not ok_only)]

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self.requests))

    def __len__(self) -> int:
        return len(self.requests)

    def to_dicts(self) -> list[dict[str, Any]]:
        return [asdict(request) | {"write": request.write} for request in self]


@dataclass
class Failure:
    """Something to go wrong `count` times (None: always) after `after` matching requests have passed.

    `kind`: error (answered with `status`, `reason`, `message`), latency (`seconds`, then done), reset (the connection
    is cut before anything happens), lost_reply (done, and the connection cut instead of an answer).
    """

    verb: str = "*"
    resource: str = "*"
    name: str = "*"
    namespace: str = "*"
    kind: str = "error"
    status: int = 500
    reason: str | None = None
    message: str = "an injected failure"
    seconds: float = 0.0
    count: int | None = 1
    after: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"failure kind {self.kind!r} is not one of {', '.join(KINDS)}")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Failure:
        unknown = set(data) - {item.name for item in fields(cls)}
        if unknown:
            raise ValueError(f"unknown failure fields: {', '.join(sorted(unknown))}")
        return cls(**data)

    def due(self, request: Request) -> bool:
        """Counts a request that matches; True when the failure strikes it."""
        pairs = ((self.verb, request.verb), (self.name, request.name), (self.namespace, request.namespace))
        named = self.resource in ("*", request.resource, request.resource.split(".")[0])
        if not named or any(wanted not in ("*", given) for wanted, given in pairs):
            return False
        if self.count is not None and self.seen >= self.after + self.count:
            return False
        self.seen += 1
        return self.seen > self.after
