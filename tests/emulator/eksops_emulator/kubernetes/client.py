# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare HTTP client for Kubernetes API servers: nothing between a test and what goes over the wire."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass
class Reply:
    """An answer: HTTP status, and the JSON that came with it."""

    status: int
    data: Any
    headers: dict[str, str]

    @property
    def causes(self) -> dict[str, str]:
        """The causes of a refusal: field and reason."""
        return {item["field"]: item["reason"] for item in self.data["details"]["causes"]}


class Client:
    """Talks to the server at `url` with a bearer token."""

    def __init__(self, url: str, ca_pem: str, token: str) -> None:
        self.url = url
        self.ca_pem = ca_pem
        self.token = token
        self._context = ssl.create_default_context(cadata=ca_pem)

    def connect(self, timeout: float = 30) -> HTTPSConnection:
        parts = urlsplit(self.url)
        return HTTPSConnection(parts.hostname or "", parts.port, context=self._context, timeout=timeout)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = JSON,
        agent: str = "test/1",
        accept: str = JSON,
        **query: Any,
    ) -> Reply:
        connection = self.connect()
        try:
            response = self._send(connection, method, path, body, kind, agent, query, accept)
            text = response.read()
        finally:
            connection.close()
        data = json.loads(text) if text.lstrip()[:1] in (b"{", b"[") else text.decode()
        return Reply(response.status, data, dict(response.headers))

    def _send(
        self,
        connection: HTTPSConnection,
        method: str,
        path: str,
        body: Any,
        kind: str,
        agent: str,
        query: Any,
        accept: str = JSON,
    ) -> HTTPResponse:
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": agent, "Content-Type": kind, "Accept": accept}
        if not self.token:
            del headers["Authorization"]
        target = path + ("?" + urlencode(query) if query else "")
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        return connection.getresponse()

    def get(self, path: str, **query: Any) -> Reply:
        return self("GET", path, **query)

    def ok(self, method: str, path: str, body: Any = None, kind: str = JSON, **query: Any) -> Any:
        """The data of an answer that has to be good."""
        reply = self(method, path, body, kind, **query)
        assert 200 <= reply.status < 300, (reply.status, reply.data)
        return reply.data

    def watch(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The events of a watch until the server ends it."""
        connection = self.connect()
        response = self._send(connection, "GET", path, None, JSON, "test/1", {"watch": "1", **query})
        assert response.status == 200, response.read()
        for line in response:
            yield json.loads(line)
        connection.close()
