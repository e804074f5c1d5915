# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes takes for a label or a taint."""

from __future__ import annotations

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.kubernetes_labels import valid


@pytest.mark.parametrize(
    ("key", "value"),
    [("a", ""), ("team", "a.b_c-D"), ("example.com/team", "x" * 63), ("x" * 63, "1"), (f"{'d' * 253}/x", "y")],
)
def test_taken(key: str, value: str) -> None:
    assert valid(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "a"),
        ("a b", "c"),
        ("-a", "b"),
        ("a.", "b"),
        ("x" * 64, "y"),
        ("Example.com/team", "y"),
        ("a/b/c", "y"),
        ("/a", "y"),
        ("a", "b c"),
        ("a", "x" * 64),
        ("a", "b-"),
        ("a", "b\n"),
    ],
)
def test_not_taken(key: str, value: str) -> None:
    assert not valid(key, value)
