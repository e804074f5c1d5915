# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small YAML and TOML writers: whatever goes in comes out of a real parser."""

from __future__ import annotations

import tomllib
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.documents import merged, toml_text, yaml_text

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
WORDS = st.sampled_from(
    ["yes", "NO", "null", "1", "1e3", "0x1f", "-", "a: b", "#", "a\nb", "a\nb\n", " a\nb", "\n", "~"]
)
SCALAR = st.one_of(TEXT, WORDS, st.booleans(), st.integers(-(2**53), 2**53))
KEY = st.one_of(TEXT, WORDS)
YAML: st.SearchStrategy[Any] = st.recursive(
    st.one_of(SCALAR, st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=3)),
    max_leaves=12,
)
TOML: st.SearchStrategy[Any] = st.recursive(
    SCALAR, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=3)), max_leaves=12
)


@given(st.dictionaries(KEY, YAML, min_size=1, max_size=4))
def test_yaml_comes_back_as_it_went(document: dict[str, Any]) -> None:
    assert yaml.safe_load(yaml_text(document)) == document


@given(st.dictionaries(KEY, TOML, min_size=1, max_size=4))
def test_toml_comes_back_as_it_went(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(document)) == document


def test_merging_joins_lists_and_lays_values_over() -> None:
    base = {"a": {"b": [1], "c": 1}, "d": 1}
    assert merged(base, {"a": {"b": [2], "c": 2}, "e": 3}) == {"a": {"b": [1, 2], "c": 2}, "d": 1, "e": 3}
    assert base == {"a": {"b": [1], "c": 1}, "d": 1}
