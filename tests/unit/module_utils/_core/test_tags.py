# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: what is set, what is removed, and what never is."""

from __future__ import annotations

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core import tags

CURRENT = {"a": "1", "b": "2", "aws:created": "x", "eksops.ipv6/cluster": "c"}


@pytest.mark.parametrize(
    ("desired", "purge", "to_set", "to_remove"),
    [
        (None, True, {}, []),
        ({}, False, {}, []),
        ({}, True, {}, ["a", "b"]),
        ({"a": "1"}, True, {}, ["b"]),
        ({"a": "3", "c": "4"}, False, {"a": "3", "c": "4"}, []),
    ],
)
def test_what_differs(
    desired: dict[str, str] | None, purge: bool, to_set: dict[str, str], to_remove: list[str]
) -> None:
    assert tags.difference(CURRENT, desired, purge) == (to_set, to_remove)


def test_the_tags_afterwards() -> None:
    assert tags.after({"a": "1", "b": "2"}, {"c": "3"}, ["a"]) == {"b": "2", "c": "3"}


def test_lists_and_dicts() -> None:
    assert tags.to_list({"b": "2", "a": "1"}) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert tags.to_dict([{"Key": "a", "Value": "1"}, {"Key": "b"}]) == {"a": "1", "b": ""}
    assert tags.to_dict(None) == {}


def test_a_specification_without_tags_is_empty() -> None:
    assert tags.specification("vpc", {}) == []
    assert tags.specification("vpc", {"a": "1"}) == [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "1"}]}]
