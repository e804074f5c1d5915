# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers held against botocore's EKS model.

`read_request` turns an HTTP request into the parameters boto3 was called with, `request_problem` says what
is wrong with them, `response_problems` says where an answer of ours leaves the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, Shape

from .errors import BadShape

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (datetime,),
}


def read_request(
    operation: OperationModel, uri: Mapping[str, str], query: Mapping[str, list[str]], body: str | bytes
) -> dict[str, Any]:
    """The parameters of a REST-JSON request, by member name, untouched where they are JSON.

    Query string values are text on the wire and are read as the member's type.
    Raises BadShape when the body is no JSON object or a query value can't be read.
    """
    document = _json_body(body)
    request: dict[str, Any] = {}
    for name, member in (operation.input_shape.members if operation.input_shape else {}).items():
        wire_name = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "uri":
            value: Any = uri.get(wire_name)
        elif location == "querystring":
            values = query.get(wire_name)
            value = None if values is None else _from_query(name, member, values)
        else:
            value = document.get(wire_name)
        if value is not None:
            request[name] = value
    return request


def _json_body(body: str | bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        raise BadShape(f"Could not parse the request body as JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadShape("The request body must be a JSON object")
    return document


def _from_query(name: str, shape: Shape, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "boolean":
        if values[0] not in ("true", "false"):
            raise BadShape(f"Value '{values[0]}' at '{name}' must be true or false")
        return values[0] == "true"
    if shape.type_name in ("integer", "long"):
        if not re.fullmatch(r"-?\d+", values[0]):
            raise BadShape(f"Value '{values[0]}' at '{name}' must be an integer")
        return int(values[0])
    return values[0]


def request_problem(shape: Shape | None, request: Any) -> str | None:
    """The first constraint of the input shape that a request breaks, in the words AWS services use, or None."""
    return None if shape is None else next(_broken_constraints(shape, request, ""), None)


def _broken_constraints(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _has_type(shape, value):
        yield f"Value at '{path or 'request'}' must be a {shape.type_name}, not {_json_type(value)}"
        return
    meta = shape.metadata
    if isinstance(value, str):
        yield from _broken_text(meta, value, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _broken_bounds(meta, value, path, "value")
    elif isinstance(value, list | dict) and shape.type_name != "structure":
        yield from _broken_bounds(meta, len(value), path, "length", shown=value)
    yield from _broken_members(shape, value, path)


def _broken_members(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield (
                    f"1 validation error detected: Value null at '{_join(path, name)}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _broken_constraints(member, value[name], _join(path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield from _broken_constraints(shape.member, item, _join(path, f"{number}.member"))
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _broken_constraints(shape.key, key, _join(path, "key"))
            yield from _broken_constraints(shape.value, item, _join(path, key))


def _broken_text(meta: Mapping[str, Any], value: str, path: str) -> Iterator[str]:
    start = f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
    if "enum" in meta and value not in meta["enum"]:
        yield f"{start}Member must satisfy enum value set: [{', '.join(meta['enum'])}]"
    if "pattern" in meta and not _matches(meta["pattern"], value):
        yield f"{start}Member must satisfy regular expression pattern: {meta['pattern']}"
    yield from _broken_bounds(meta, len(value), path, "length", shown=value)


def _matches(pattern: str, value: str) -> bool:
    """AWS's \\w and \\d are those of ASCII; its classes for letters, digits and blanks of all scripts are Python's."""
    flags = 0 if r"\p{" in pattern else re.ASCII
    for name, ours in (("L", r"\w"), ("N", r"\d"), ("Z", r"\s")):
        pattern = pattern.replace(rf"\p{{{name}}}", ours)
    return re.fullmatch(pattern, value, flags) is not None


def _broken_bounds(meta: Mapping[str, Any], size: int, path: str, what: str, shown: Any = None) -> Iterator[str]:
    start = f"1 validation error detected: Value '{size if shown is None else shown}' at '{path}' failed to satisfy "
    if "min" in meta and size < int(meta["min"]):
        yield f"{start}constraint: Member must have {what} greater than or equal to {meta['min']}"
    if "max" in meta and size > int(meta["max"]):
        yield f"{start}constraint: Member must have {what} less than or equal to {meta['max']}"


def response_problems(shape: Shape | None, answer: Any, path: str = "") -> list[str]:
    """Every place where an answer of ours leaves the output shape: the emulator has drifted from AWS's model.

    Upper and lower bounds are not applied: AWS itself answers `tags: {}` although TagMap has a minimum of 1.
    """
    if shape is None:
        return [f"an answer {answer!r} where the operation has none"] if answer else []
    return list(_drifts(shape, answer, path))


def _drifts(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not _has_type(shape, value):
        yield f"{path or 'answer'}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "structure":
        for name in value:
            if name not in shape.members:
                yield f"{path or 'answer'}: unknown member {name}"
        for name in shape.required_members:
            if name not in value:
                yield f"{_join(path, name)}: missing"
        for name, member in shape.members.items():
            if name in value:
                yield from _drifts(member, value[name], _join(path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from _drifts(shape.member, item, f"{path}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _drifts(shape.value, item, _join(path, key))
    elif "enum" in shape.metadata and value not in shape.metadata["enum"]:
        yield f"{path}: {value!r} is not in the enum"


def to_json(answer: Any) -> str:
    """An answer as REST-JSON has it: timestamps are seconds since the epoch."""
    return json.dumps(answer, default=lambda value: round(value.timestamp(), 3))


def _has_type(shape: Shape, value: Any) -> bool:
    expected = _PYTHON_TYPES.get(shape.type_name, (object,))
    return isinstance(value, expected) and (bool in expected or not isinstance(value, bool))


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
