# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags are texts to AWS, and YAML makes numbers and truth values of what stands there unquoted (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .plan import Problem


def with_text_tags(spec: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with every tag's value as a text, as amazon.aws's modules take them; one without a value stays."""
    return {name: _converted(name, spec.get(name, {}), value) for name, value in params.items()}


def problems(spec: Mapping[str, Any], params: Mapping[str, Any], path: str = "") -> Iterator[Problem]:
    """Tags without a value."""
    for name, option in spec.items():
        value, where = params.get(name), f"{path}{name}"
        if _is_tags(name, option):
            for key in [key for key, item in (value or {}).items() if item is None]:
                yield Problem(f"{where}.{key}", "has no value.", 'Give a text; "" is an empty one.')
        elif option.get("options"):
            for item in value if isinstance(value, list) else [value]:
                yield from problems(option["options"], item or {}, f"{where}.")


def _is_tags(name: str, option: Mapping[str, Any]) -> bool:
    return option.get("type") == "dict" and (name == "tags" or name.endswith("_tags"))


def _converted(name: str, option: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return None
    if _is_tags(name, option):
        return {str(key): item if item is None else str(item) for key, item in value.items()}
    if not option.get("options"):
        return value
    if isinstance(value, list):
        return [with_text_tags(option["options"], item) for item in value]
    return with_text_tags(option["options"], value)
