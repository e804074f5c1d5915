# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's own API over HTTP, under /_emulator, all JSON: see the package's README."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .faults import Fault
from .journal import to_dict

if TYPE_CHECKING:
    from .server import Emulator

Verb = Callable[[dict[str, Any]], Any]


class Control:
    """A WSGI application; 400 with a sentence for a request it can't make sense of, 404 for an unknown verb."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._verbs: dict[tuple[str, str], Verb] = {
            ("GET", "/_emulator"): self._health,
            ("POST", "/_emulator/reset"): lambda _unused: emulator.reset(),
            ("GET", "/_emulator/journal"): self._journal,
            ("DELETE", "/_emulator/journal"): lambda _unused: emulator.journal.clear(),
            ("GET", "/_emulator/faults"): lambda _unused: {"faults": [asdict(fault) for fault in emulator.faults]},
            ("POST", "/_emulator/faults"): lambda data: asdict(emulator.faults.add(Fault.from_dict(data))),
            ("DELETE", "/_emulator/faults"): lambda _unused: emulator.faults.clear(),
            ("POST", "/_emulator/transitions"): lambda data: emulator.transitions(**data),
            ("GET", "/_emulator/drift"): lambda _unused: {"drift": list(emulator.drift)},
            ("DELETE", "/_emulator/drift"): lambda _unused: emulator.drift.clear(),
            ("POST", "/_emulator/iam-enforcement"): lambda data: emulator.enforce_iam(bool(data["enabled"])),
            ("POST", "/_emulator/ipv6-pools"): lambda data: {"pool_id": emulator.ipv6_pool(**data)},
            ("POST", "/_emulator/network-acl-quota"): lambda data: emulator.network_acl_quota(**data),
            ("GET", "/_emulator/kubernetes"): self._kubernetes,
            ("POST", "/_emulator/seed"): lambda data: emulator.seed(int(data["seed"])),
        }

    def add(self, method: str, path: str, verb: Verb) -> None:
        """Adds a verb: `verb(data)` gets the request's JSON and returns what is answered as JSON."""
        self._verbs[(method, f"/_emulator/{path}")] = verb

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        verb = self._verbs.get((environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/")))
        status, result = "200 OK", None
        if verb is None:
            status, result = "404 Not Found", {"message": "no such verb; see the README"}
        else:
            try:
                result = verb(json.loads(body) if body else {})
            except (ValueError, TypeError, KeyError) as problem:
                status, result = "400 Bad Request", {"message": str(problem)}
        data = json.dumps({} if result is None else result, default=str).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
        return [data]

    def _health(self, _unused: dict[str, Any]) -> dict[str, Any]:
        return {"status": "ok", "calls": len(self._emulator.journal.calls), "drift": len(self._emulator.drift)}

    def _kubernetes(self, _unused: dict[str, Any]) -> dict[str, Any]:
        endpoints = self._emulator.kubernetes
        return {"clusters": endpoints.describe() if endpoints is not None else []}

    def _journal(self, _unused: dict[str, Any]) -> dict[str, Any]:
        return {"calls": [to_dict(call) for call in list(self._emulator.journal.calls)]}
