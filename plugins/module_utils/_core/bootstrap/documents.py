# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain data as YAML and TOML (pure): just what user data needs, where neither PyYAML nor a TOML writer is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Texts that YAML reads as themselves without quotes: they begin with a letter, and no reader takes them for a word
# such as "yes" or "null".
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*(=[A-Za-z0-9_./+-]*)?")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"})
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """C(base) with C(over) laid on it: dictionaries merge, lists are joined, anything else is taken from C(over)."""
    found = dict(base)
    for key, value in over.items():
        current = found.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            found[key] = merged(current, value)
        elif isinstance(current, list) and isinstance(value, list):
            found[key] = [*current, *value]
        else:
            found[key] = value
    return found


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document in YAML's block style."""
    return "".join(f"{line}\n" for line in _yaml_block(document, ""))


def toml_text(document: Mapping[str, Any]) -> str:
    """A document in TOML, with a header for each table that holds values.

    @raises ValueError  for None, which TOML has not.
    """
    return "\n".join(_toml_table(document, ())).lstrip("\n") + "\n"


def _yaml_block(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _yaml_entry(f"{indent}{_yaml_scalar(str(key))}:", item, indent + "  ")
    else:
        for item in value:
            if isinstance(item, (Mapping, list, tuple)) and item:
                inner = list(_yaml_block(item, indent + "  "))
                yield f"{indent}- {inner[0].strip()}"
                yield from inner[1:]
            else:
                yield f"{indent}- {_yaml_scalar(item)}"


def _yaml_entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)) and value:
        yield head
        yield from _yaml_block(value, indent)
    elif _is_literal(value):
        yield f"{head} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"{indent}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_yaml_scalar(value)}"


def _is_literal(value: Any) -> bool:
    """Whether a text keeps its letters in a literal block: printable lines, neither the first nor the last blank."""
    if not isinstance(value, str) or "\n" not in value:
        return False
    lines = value.removesuffix("\n").split("\n")
    return (
        all(line.isprintable() for line in lines)
        and bool(lines[0].strip())
        and bool(lines[-1].strip())
        and not lines[0].startswith(" ")
    )


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)  # numbers, true, false and null are the same in YAML


def _toml_table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (values or not tables):
        yield ""
        yield f"[{'.'.join(map(_toml_key, path))}]"
    for key, value in values.items():
        yield f"{_toml_key(str(key))} = {_toml_value(value)}"
    for key, value in tables.items():
        yield from _toml_table(value, (*path, str(key)))


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _quoted(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(str(key))} = {_toml_value(item)}" for key, item in value.items()) + "}"
    raise ValueError(f"TOML has no {value!r}")


def _quoted(text: str) -> str:
    """A text in double quotes, as YAML and TOML both read it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'
