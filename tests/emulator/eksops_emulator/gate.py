# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate in front of moto: every AWS call passes here, is written into the journal, and meets its faults."""

from __future__ import annotations

import io
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from . import drift, wire
from .faults import Faults, Verdict
from .journal import Call, Journal, is_write

Answer = tuple[int, list[tuple[str, str]], bytes]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Gate:
    """A WSGI application around moto's. Calls are done one at a time: moto's backends are not made for threads."""

    def __init__(self, inner: WsgiApp, control: WsgiApp, journal: Journal, faults: Faults) -> None:
        self._inner = inner
        self._control = control
        self._journal = journal
        self._faults = faults
        self.lock = RLock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_emulator"):
            return self._control(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        call = self._identify(environ, body)
        if call is None:
            return self._reply(start_response, self._forward(environ, body))
        answer = self._judged(call, environ, body)
        call.end = time.time()
        self._journal.append(call)
        if answer is None:
            _drop(environ, reset=call.fault == "reset")
            raise ConnectionAbortedError("cut by a fault")
        return self._reply(start_response, answer)

    def _identify(self, environ: dict[str, Any], body: bytes) -> Call | None:
        path = environ.get("PATH_INFO", "")
        found = None if path.startswith("/moto-api") else wire.scope(environ, body)
        if found is None:
            return None
        from moto.iam.models import get_account_id_from

        access_key, region, service = found
        operation, request = wire.parse(environ, body, service)
        account = environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(access_key)
        call = Call(self._journal.number(), service, operation, request, region, account, time.time())
        call.write = bool(operation) and is_write(operation, request)
        return call

    def _judged(self, call: Call, environ: dict[str, Any], body: bytes) -> Answer | None:
        """The answer to a call, None when the connection is to be cut instead."""
        verdict: Verdict | None = None
        for verdict in self._faults.before(call):
            call.fault = verdict.kind
            if verdict.kind == "latency":
                time.sleep(verdict.seconds)
        if verdict is not None and verdict.kind == "reset":
            return None
        if verdict is not None and verdict.error is not None:
            answer = wire.error(call.service, *verdict.error)
        elif verdict is not None and verdict.replay is not None:
            answer = verdict.replay
        else:
            answer = self._done(call, environ, body)
        call.status = answer[0]
        call.code, call.message = wire.error_of(*answer)
        return None if call.fault == "lost_reply" else answer

    def _done(self, call: Call, environ: dict[str, Any], body: bytes) -> Answer:
        with self.lock:
            try:
                answer = self._forward(environ, body)
            except NotImplementedError as unknown:
                text = f"The emulator does not emulate {call.service}:{call.operation}: {unknown}"
                answer = wire.error(call.service, 501, "NotImplemented", text)
            except Exception:
                drift.record(f"{call.service}:{call.operation} crashed: {traceback.format_exc()}")
                traceback.print_exc(file=sys.stderr)
                answer = wire.error(call.service, 500, "InternalFailure", "The emulator failed: see its drift list")
            if answer[0] == 404 and not call.operation:
                answer = wire.error(call.service, 501, "NotImplemented", "The emulator knows no such operation")
            call.status = answer[0]
            self._faults.after(call, answer)
        return answer

    def _forward(self, environ: dict[str, Any], body: bytes) -> Answer:
        caught: dict[str, Any] = {}

        def capture(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            if exc_info is not None:
                raise exc_info[1].with_traceback(exc_info[2])
            caught.update(status=int(status.split()[0]), headers=headers)
            return lambda _unused: None

        chunks = self._inner({**environ, "wsgi.input": io.BytesIO(body)}, capture)
        return caught["status"], caught["headers"], b"".join(chunks)

    @staticmethod
    def _reply(start_response: StartResponse, answer: Answer) -> Iterable[bytes]:
        status, headers, body = answer
        kept = [(name, value) for name, value in headers if name.lower() not in ("content-length", "connection")]
        start_response(f"{status} {'OK' if status < 300 else 'Refused'}", [*kept, ("Content-Length", str(len(body)))])
        return [body]


def _drop(environ: dict[str, Any], reset: bool) -> None:
    """Closes the client's connection without an answer, by a TCP reset where asked."""
    connection: socket.socket = environ["werkzeug.socket"]
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
