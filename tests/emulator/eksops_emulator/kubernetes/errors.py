# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals as Kubernetes makes them: a Status object with code, reason, message and causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .kinds import Kind

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass(frozen=True)
class Cause:
    """One thing wrong with one field: `reason` as in FieldValueRequired, `field` a path as in spec.ports[0].port."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class StatusError(Exception):
    """A refusal. `body()` is what goes over the wire."""

    def __init__(self, code: int, message: str, reason: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "Unknown")
        self.details = {key: value for key, value in details.items() if value}

    def body(self) -> dict[str, Any]:
        """The Status object."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        status["reason"] = self.reason
        if self.details:
            status["details"] = self.details
        status["code"] = self.code
        return status


def success(kind: Kind, name: str, uid: str | None = None) -> dict[str, Any]:
    """The Status that answers a delete."""
    details = {"name": name, "group": kind.group, "kind": kind.plural, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def bad_request(message: str) -> StatusError:
    return StatusError(400, message)


def not_found(kind: Kind, name: str) -> StatusError:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return StatusError(404, f'{kind.resource} "{name}" not found', **details)


def no_such_path() -> StatusError:
    return StatusError(404, "the server could not find the requested resource")


def already_exists(kind: Kind, name: str) -> StatusError:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return StatusError(409, f'{kind.resource} "{name}" already exists', "AlreadyExists", **details)


def conflict(kind: Kind, name: str, message: str) -> StatusError:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return StatusError(
        409, f'Operation cannot be fulfilled on {kind.resource} "{name}": {message}', "Conflict", **details
    )


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> StatusError:
    text = str(causes[0]) if len(causes) == 1 else "[" + ", ".join(str(cause) for cause in causes) + "]"
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return StatusError(
        422,
        f'{qualified} "{name}" is invalid: {text}',
        name=name,
        group=kind.group,
        kind=kind.kind,
        causes=[{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes],
    )


def required(field: str, why: str = "") -> Cause:
    return Cause(field, f"Required value: {why}" if why else "Required value", "FieldValueRequired")


def invalid_value(field: str, value: Any, why: str) -> Cause:
    return Cause(field, f"Invalid value: {_quoted(value)}: {why}", "FieldValueInvalid")


def unsupported(field: str, value: Any, supported: Sequence[str]) -> Cause:
    choices = ", ".join(f'"{choice}"' for choice in supported)
    return Cause(field, f"Unsupported value: {_quoted(value)}: supported values: {choices}", "FieldValueNotSupported")


def forbidden(field: str, why: str) -> Cause:
    return Cause(field, f"Forbidden: {why}", "FieldValueForbidden")


def _quoted(value: Any) -> str:
    import json

    return json.dumps(value, separators=(",", ":"), sort_keys=True)
