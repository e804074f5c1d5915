# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every AWS call that reached the emulator, with its parameters as boto3 would take them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

_READ = re.compile(r"^(Describe|List|Get|Search|Simulate|BatchGet|Lookup)|^(AssumeRole\w*|DecodeAuthorizationMessage)$")


def is_write(operation: str, request: dict[str, Any]) -> bool:
    """True when the operation changes something at AWS. A DryRun never does."""
    return not _READ.match(operation) and request.get("DryRun") is not True


@dataclass
class Call:
    """One call.

    `service` is boto3's client name, `operation` AWS's name, `status` the HTTP status, `code` the AWS error code of a
    refusal, `fault` the kind of the injected fault that answered it, `start` and `end` seconds since the epoch.
    """

    n: int
    service: str
    operation: str
    request: dict[str, Any]
    region: str
    account: str
    start: float
    status: int = 0
    code: str | None = None
    message: str | None = None
    fault: str | None = None
    write: bool = False
    end: float = 0.0

    @property
    def ok(self) -> bool:
        """True when the call took effect or was answered."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        outcome = self.code or self.status
        return f"{self.n} {self.service}:{self.operation} {json.dumps(self.request, default=str)} -> {outcome}"


@dataclass
class Journal:
    """All calls since the last reset or clear, in the order they came in."""

    calls: list[Call] = field(default_factory=list)
    _count: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def number(self) -> int:
        """The next call's number, from 1."""
        with self._lock:
            self._count += 1
            return self._count

    def append(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def clear(self) -> None:
        with self._lock:
            self.calls.clear()
            self._count = 0

    def writes(self, ok_only: bool = False) -> list[Call]:
        """The calls that change something; with `ok_only` without those that were refused."""
        return writes(self.calls, ok_only)

    def operations(self, service: str | None = None) -> list[str]:
        """The names of all operations called, in order, of one service or of all."""
        return [call.operation for call in self.calls if service in (None, call.service)]


def writes(calls: Iterable[Call], ok_only: bool = False) -> list[Call]:
    """Those of `calls` that change something; with `ok_only` without those that were refused."""
    return [call for call in calls if call.write and (call.ok or not ok_only)]


def to_dict(call: Call) -> dict[str, Any]:
    """A call as plain JSON types; bytes become text, times ISO 8601."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(call), default=_plain))
    return plain


def from_dict(data: dict[str, Any]) -> Call:
    return Call(**data)


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
