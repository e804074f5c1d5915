# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that hold tags: as text, which is all that AWS knows, and refused where AWS would (pure).

YAML makes a number of C(cost_center: 4711). It is written as amazon.aws writes it, so that both agree on what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plan import Problem
from .tags import AWS_PREFIX

LONGEST_KEY, LONGEST_VALUE, MOST_TAGS = 128, 256, 50
SOURCE = "AWS General Reference: tag naming limits and requirements"


def as_text(params: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The parameters with every tag as text, and what is wrong with tags; C(spec) says which options hold some."""
    problems: list[Problem] = []
    return _walk(params, spec, "", problems), problems


def _walk(params: Mapping[str, Any], spec: Mapping[str, Any], prefix: str, problems: list[Problem]) -> dict[str, Any]:
    found = dict(params)
    for name, about in spec.items():
        value, option, inner = found.get(name), f"{prefix}{name}", about.get("options")
        if about.get("type") == "dict" and name.endswith("tags") and isinstance(value, Mapping):
            problems += _refuse(option, value, written=not name.endswith("filter_tags"))
            found[name] = {str(key): str(item) for key, item in value.items()}
        elif inner and isinstance(value, Mapping):
            found[name] = _walk(value, inner, f"{option}.", problems)
        elif inner and isinstance(value, list):
            found[name] = [
                _walk(item, inner, f"{option}[{position}].", problems) for position, item in enumerate(value)
            ]
    return found


def _refuse(option: str, tags: Mapping[Any, Any], written: bool) -> list[Problem]:
    problems = []
    if written and len(tags) > MOST_TAGS:
        problems.append(Problem(option, f"these are {len(tags)} tags; AWS takes {MOST_TAGS}.", source=SOURCE))
    for key, value in tags.items():
        if value is None or isinstance(value, (Mapping, list, tuple)):
            problems.append(Problem(option, f"{key} has no text as its value.", 'Give "" for an empty one.'))
        elif written and str(key).lower().startswith(AWS_PREFIX):
            problems.append(Problem(option, f"{key}: AWS keeps {AWS_PREFIX} for itself.", source=SOURCE))
        elif not 1 <= len(str(key)) <= LONGEST_KEY:
            problems.append(Problem(option, f"{key!r} is no key of 1 to {LONGEST_KEY} characters.", source=SOURCE))
        elif len(str(value)) > LONGEST_VALUE:
            text = f"the value of {key} has {len(str(value))} characters; AWS takes {LONGEST_VALUE}."
            problems.append(Problem(option, text, source=SOURCE))
    return problems
