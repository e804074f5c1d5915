# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags as YAML leaves them."""

from __future__ import annotations

from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core import texts

SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "tags": {"type": "dict"},
    "disable_session_tags": {"type": "bool"},
    "labels": {"type": "dict"},
    "vpc": {"type": "dict", "options": {"filter_tags": {"type": "dict"}}},
    "rules": {"type": "list", "elements": "dict", "options": {"tags": {"type": "dict"}}},
}


def test_numbers_and_truth_values_in_tags_become_texts_wherever_they_stand() -> None:
    given = {
        "name": 7,
        "region": "eu-west-1",
        "tags": {"cost": 12, 3: True, "text": "t"},
        "disable_session_tags": True,
        "labels": None,
        "vpc": {"filter_tags": {"n": 1.5}},
        "rules": [{"tags": {"a": 1}}, {"tags": None}],
    }
    assert texts.with_text_tags(SPEC, given) == {
        "name": 7,
        "region": "eu-west-1",
        "tags": {"cost": "12", "3": "True", "text": "t"},
        "disable_session_tags": True,
        "labels": None,
        "vpc": {"filter_tags": {"n": "1.5"}},
        "rules": [{"tags": {"a": "1"}}, {"tags": None}],
    }
    assert list(texts.problems(SPEC, given)) == []


def test_tags_without_a_value_are_named() -> None:
    given = {
        "tags": {"a": None, "b": ""},
        "labels": {"c": None},
        "rules": [{"tags": {"f": None}}],
    }
    told = [str(problem) for problem in texts.problems(SPEC, given)]
    assert told == [
        'tags.a: has no value. Give a text; "" is an empty one.',
        'rules.tags.f: has no value. Give a text; "" is an empty one.',
    ]
