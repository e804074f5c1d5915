# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: HTTP/1.1 over TLS on 127.0.0.1, a thread per connection."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import StatusError
from .journal import Request
from .routes import Answer, Call

OPEN_PATHS = ("healthz", "livez", "readyz", "version")
Authenticate = Callable[[str], str]
CONTROL = "_emulator"


class Handler(BaseHTTPRequestHandler):
    """One connection. The server object carries what answers (`Server`)."""

    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 300

    def setup(self) -> None:
        # The handshake is done here, in the connection's own thread, so that a client that stalls holds up nobody.
        self.request.settimeout(30)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.connections.add(self.request)
        super().setup()

    def finish(self) -> None:
        self.server.connections.discard(self.request)
        super().finish()
        self.request.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the journal has it."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = tuple(unquote(part) for part in parts.path.removeprefix("/").split("/"))
        body = self._body()
        content_type = self.headers.get("Content-Type", "application/json").split(";")[0].strip()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if path[0] == CONTROL:
            self._send(*self.server.control(self.command, path[1:], body))
            return
        try:
            user = self._user(path)
        except StatusError as refused:
            self.server.journal.add(self.command, "/" + "/".join(path), status=401, message=refused.message)
            self._send(401, StatusError(401, "Unauthorized").body())
            return
        agent = self.headers.get("User-Agent", "")
        accept = self.headers.get("Accept", "")
        self._answer(Call(self.command, path, query, content_type, body, user, agent, accept))

    def _user(self, path: tuple[str, ...]) -> str:
        header = self.headers.get("Authorization", "")
        if not header and path[0] in OPEN_PATHS:
            return ""
        scheme, _unused, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise StatusError(401, "no bearer token")
        return self.server.authenticate(token.strip())

    def _answer(self, call: Call) -> None:
        request = self.server.routes.describe(call)
        failure = next((item for item in list(self.server.failures) if item.due(request)), None)
        if failure and failure.kind == "reset":
            self._cut(request, "reset")
            return
        if failure and failure.kind == "latency":
            sleep(failure.seconds)
        try:
            if failure and failure.kind == "error":
                raise StatusError(failure.status, failure.message, failure.reason)
            answer = self.server.routes.answer(call)
        except StatusError as refused:
            request.status, request.message = refused.code, refused.message
            self._send(refused.code, refused.body())
            return
        except Exception as fault:
            # A fault of this server: said on stderr, and to the client as Kubernetes does.
            traceback.print_exc()
            request.status, request.message = 500, repr(fault)
            self._send(500, StatusError(500, f"Internal error occurred: {fault!r}").body())
            return
        request.status = answer.status
        if failure and failure.kind == "lost_reply":
            self._cut(request, "lost reply")
        elif answer.stream is not None:
            self._stream(answer)
        elif answer.text is not None:
            self._write(answer.status, answer.text.encode(), "text/plain")
        else:
            self._send(answer.status, answer.data, answer.warnings)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, data: Any, warnings: tuple[str, ...] = ()) -> None:
        headers = [("Warning", f"299 - {json.dumps(warning)}") for warning in warnings]
        self._write(status, json.dumps(data, separators=(",", ":")).encode() + b"\n", "application/json", headers)

    def _write(self, status: int, data: bytes, content_type: str, headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in [("Content-Type", content_type), ("Content-Length", str(len(data))), *(headers or [])]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, answer: Answer) -> None:
        assert answer.stream is not None
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for event in answer.stream:
                data = json.dumps(event, separators=(",", ":")).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionError, ssl.SSLError):
            self.close_connection = True

    def _cut(self, request: Request, why: str) -> None:
        request.status, request.message = 0, why
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1; what it answers with is set from outside before it serves."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, context: ssl.SSLContext, routes: Any, failures: list[Any]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.context = context
        self.routes = routes
        self.journal = routes.journal
        self.failures = failures
        self.connections: set[ssl.SSLSocket] = set()
        self.authenticate: Authenticate = lambda _unused: ""
        self.control: Callable[[str, tuple[str, ...], bytes], tuple[int, Any]] = lambda *_unused: (404, {})

    def hang_up(self) -> None:
        """Ends the connections that clients keep open."""
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away or doesn't trust the certificate is no error of the server."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError, OSError)):
            super().handle_error(request, client_address)
