# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration values of add-ons: read, written, compared, and held against the schema AWS publishes (pure).

The schema is JSON Schema draft 6, as DescribeAddonConfiguration gives it. Understood are C($ref) within the document,
C(type), C(enum), C(const), C(properties), C(patternProperties), C(additionalProperties), C(required), C(items),
C(minimum), C(maximum), C(pattern), C(allOf), C(anyOf), C(oneOf) as C(anyOf), and the formats C(boolean) and C(integer)
that AWS uses for texts. Any other keyword is left to AWS, and so is a pattern that Python's expressions do not know.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

try:
    import yaml
except ImportError:  # JSON, which this collection writes, can be read all the same
    yaml = None  # type: ignore[assignment]

_FORMATS = {
    "boolean": (r"true|false", 'the text "true" or "false"'),
    "integer": (r"-?\d+", "a whole number as a text"),
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class Unreadable(ValueError):
    """Configuration values that are neither JSON nor YAML of an object, or YAML where PyYAML is missing."""


def read(text: str | None) -> dict[str, Any]:
    """An add-on's configuration values; AWS gives the text back as it was sent, JSON or YAML.

    @raises Unreadable
    """
    if not text or not text.strip():
        return {}
    try:
        values = json.loads(text)
    except ValueError:
        values = _read_yaml(text)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise Unreadable("the values are no object")
    return values


def write(values: Mapping[str, Any]) -> str:
    """Configuration values as this collection sends them: JSON with sorted keys."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def problems(schema_text: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(path, reason) of everything the schema does not allow; the path is empty for the values as a whole."""
    schema = json.loads(schema_text)
    return list(_broken(schema, schema, values, ""))


def _read_yaml(text: str) -> Any:
    if yaml is None:
        raise Unreadable("they look like YAML, and PyYAML is not installed")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Unreadable(str(error)) from error


def _broken(root: Any, schema: Any, value: Any, path: str) -> Iterator[tuple[str, str]]:
    schema = _target(root, schema)
    if schema is False:
        yield path, "is not allowed"
    if not isinstance(schema, Mapping):
        return
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield path, f"is {_kind(value)}, and must be {' or '.join(kinds)}{_hint(kinds, value)}"
        return
    yield from _broken_value(schema, value, path)
    if isinstance(value, Mapping):
        yield from _broken_object(root, schema, value, path)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _broken(root, schema["items"], item, f"{path}[{number}]")
    for part in schema.get("allOf", ()):
        yield from _broken(root, part, value, path)
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if choices and all(list(_broken(root, choice, value, path)) for choice in choices):
            yield path, "fits none of the forms that are allowed"


def _broken_value(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[tuple[str, str]]:
    if "enum" in schema and value not in schema["enum"]:
        yield path, f"is {value!r}, and must be one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        yield path, f"is {value!r}, and must be {schema['const']!r}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield path, f"is {value}, and must be {schema['minimum']} at least"
        if "maximum" in schema and value > schema["maximum"]:
            yield path, f"is {value}, and must be {schema['maximum']} at most"
    if isinstance(value, str):
        if "pattern" in schema and _fits(schema["pattern"], value) is False:
            yield path, f"is {value!r}, and must match {schema['pattern']}"
        pattern, meaning = _FORMATS.get(str(schema.get("format")), ("", ""))
        if pattern and not re.fullmatch(pattern, value):
            yield path, f"is {value!r}, and must be {meaning}"


def _broken_object(
    root: Any, schema: Mapping[str, Any], value: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield _join(path, name), "is missing"
    for name, item in value.items():
        fitting = [known[name]] if name in known else []
        for pattern, part in patterns.items():
            fits = _fits(pattern, str(name))
            fitting += [] if fits is False else [True if fits is None else part]
        if not fitting and others is False:
            yield _join(path, name), f"is not known here{_close(str(name), known)}"
        for part in fitting or [others]:
            if part is not False:
                yield from _broken(root, part, item, _join(path, name))


def _fits(pattern: str, text: str) -> bool | None:
    """Whether a text fits a pattern; None where only AWS can tell, since its expressions are another engine's."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return None


def _target(root: Any, schema: Any) -> Any:
    """The schema that a reference within the document leads to."""
    seen: list[str] = []
    while isinstance(schema, Mapping) and str(schema.get("$ref", "")).startswith("#"):
        reference = str(schema["$ref"])
        if reference in seen:
            return True
        seen.append(reference)
        schema = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if name:
                schema = schema.get(name, True) if isinstance(schema, Mapping) else True
    return schema


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _kind(value: Any) -> str:
    return next((kind for kind in _TYPES if _is(value, kind)), type(value).__name__)


def _hint(kinds: list[str], value: Any) -> str:
    """AWS wants texts in most places; in YAML those need quotes."""
    if kinds != ["string"] or not isinstance(value, (bool, int, float)):
        return ""
    return f': write "{json.dumps(value)}" with quotes'


def _close(name: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; is {found[0]} meant?" if found else ""


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)
