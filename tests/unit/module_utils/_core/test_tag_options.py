# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags as a play states them, and as AWS takes them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.tag_options import as_text

SPEC: dict[str, Any] = {
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool"},
    "filter_tags": {"type": "dict"},
    "settings": {"type": "dict"},
    "vpc": {"type": "dict", "options": {"filter_tags": {"type": "dict"}}},
    "subnets": {"type": "list", "elements": "dict", "options": {"tags": {"type": "dict"}, "id": {"type": "str"}}},
}


def test_tags_become_text_wherever_they_stand() -> None:
    params = {
        "tags": {"cost_center": 4711, 2026: True},
        "purge_tags": True,
        "filter_tags": {"aws:cloudformation:stack-id": 1},
        "settings": {"tags": {"a": 1}},
        "vpc": {"filter_tags": {"n": 1.5}},
        "subnets": [{"tags": {"n": 1}, "id": "subnet-1"}, {"tags": None, "id": None}],
    }
    found, problems = as_text(params, SPEC)
    assert problems == []
    assert found == {
        "tags": {"cost_center": "4711", "2026": "True"},
        "purge_tags": True,
        "filter_tags": {"aws:cloudformation:stack-id": "1"},
        "settings": {"tags": {"a": 1}},
        "vpc": {"filter_tags": {"n": "1.5"}},
        "subnets": [{"tags": {"n": "1"}, "id": "subnet-1"}, {"tags": None, "id": None}],
    }
    assert as_text(found, SPEC) == (found, [])


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"team": None}, "team has no text as its value."),
        ({"team": ["a"]}, "team has no text as its value."),
        ({"team": {"a": "b"}}, "team has no text as its value."),
        ({"AWS:x": "a"}, "AWS:x: AWS keeps aws: for itself."),
        ({"": "a"}, "'' is no key of 1 to 128 characters."),
        ({"k" * 129: "a"}, f"'{'k' * 129}' is no key of 1 to 128 characters."),
        ({"team": "v" * 257}, "the value of team has 257 characters; AWS takes 256."),
        ({f"key-{number}": "v" for number in range(51)}, "these are 51 tags; AWS takes 50."),
    ],
)
def test_what_aws_would_refuse_is_refused_by_its_option(tags: dict[Any, Any], says: str) -> None:
    _found, problems = as_text({"subnets": [{}, {"tags": tags}]}, SPEC)
    assert [(problem.option, problem.message) for problem in problems] == [("subnets[1].tags", says)]


def test_the_longest_tags_are_taken() -> None:
    tags = {"k" * 128: "v" * 256, "empty": ""}
    assert as_text({"tags": tags}, SPEC) == ({"tags": tags}, [])
