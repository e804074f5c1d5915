# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions compare by their numbers, and are stepped one minor at a time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import (
    AddonVersion,
    KubernetesVersion,
    addon_steps,
    kubernetes_steps,
    newest,
)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("v1.9.3-eksbuild.7", "v1.10.1-eksbuild.1"),
        ("v1.21.1-eksbuild.3", "v1.21.1-eksbuild.10"),
        ("v1.21.1-eksbuild.10", "v1.21.2-eksbuild.1"),
        ("1.10.1", "v1.10.1-eksbuild.1"),
        ("v1.10.0-eksbuild.9", "1.10.1"),
        ("v1.58.0_4095-eksbuild.1", "v1.58.0_4096-eksbuild.1"),
        ("v0.102.1-eksbuild.1", "v1.0.0-eksbuild.1"),
    ],
)
def test_addon_versions_order_by_number(lower: str, higher: str) -> None:
    assert AddonVersion.parse(lower) < AddonVersion.parse(higher)
    assert newest([higher, lower]) == newest([lower, higher]) == higher


def test_a_version_is_itself_with_and_without_its_v() -> None:
    assert AddonVersion.parse("1.10.1-eksbuild.1") == AddonVersion.parse("v1.10.1-eksbuild.1")
    assert len({AddonVersion.parse("1.10.1"), AddonVersion.parse("v1.10.1")}) == 1


@pytest.mark.parametrize("text", ["", "latest", "v1.10", "v1.10.x-eksbuild.1", "1.10.1eksbuild"])
def test_what_is_no_addon_version_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        AddonVersion.parse(text)


def test_a_text_that_is_no_version_is_never_the_newest() -> None:
    assert newest(["preview", "v1.0.0-eksbuild.1"]) == "v1.0.0-eksbuild.1"
    assert newest([]) is None


OFFERED = [
    "v1.19.0-eksbuild.1",
    "v1.19.6-eksbuild.7",
    "v1.20.4-eksbuild.2",
    "v1.20.4-eksbuild.10",
    "v1.21.2-eksbuild.2",
    "v1.22.4-eksbuild.1",
]


@pytest.mark.parametrize(
    ("current", "target", "steps"),
    [
        ("v1.19.0-eksbuild.1", "v1.19.0-eksbuild.1", []),
        ("v1.19.0-eksbuild.1", "v1.19.6-eksbuild.7", ["v1.19.6-eksbuild.7"]),
        ("v1.19.0-eksbuild.1", "v1.20.4-eksbuild.2", ["v1.20.4-eksbuild.2"]),
        (
            "v1.19.0-eksbuild.1",
            "v1.22.4-eksbuild.1",
            ["v1.20.4-eksbuild.10", "v1.21.2-eksbuild.2", "v1.22.4-eksbuild.1"],
        ),
        ("v1.21.2-eksbuild.2", "v1.19.0-eksbuild.1", ["v1.20.4-eksbuild.10", "v1.19.0-eksbuild.1"]),
    ],
)
def test_an_addon_moves_one_minor_at_a_time(current: str, target: str, steps: list[str]) -> None:
    assert addon_steps(current, target, OFFERED) == steps


def test_a_minor_that_is_not_offered_stops_the_way() -> None:
    with pytest.raises(LookupError, match=r"1\.20"):
        addon_steps("v1.19.0-eksbuild.1", "v1.21.2-eksbuild.2", ["v1.21.2-eksbuild.2"])


@given(st.integers(0, 30), st.integers(0, 30))
def test_no_step_is_wider_than_one_minor(start: int, end: int) -> None:
    offered = [f"v1.{minor}.{patch}-eksbuild.1" for minor in range(31) for patch in range(3)]
    steps = addon_steps(f"v1.{start}.0-eksbuild.1", f"v1.{end}.1-eksbuild.1", offered)
    minors = [start, *(AddonVersion.parse(step).numbers[1] for step in steps)]
    assert steps[-1] == f"v1.{end}.1-eksbuild.1"
    assert all(abs(after - before) <= 1 for before, after in itertools.pairwise(minors))


@pytest.mark.parametrize(
    ("current", "target", "steps"),
    [("1.33", "1.33", []), ("1.33", "1.34", ["1.34"]), ("1.9", "1.11", ["1.10", "1.11"])],
)
def test_a_control_plane_goes_up_one_minor_at_a_time(current: str, target: str, steps: list[str]) -> None:
    assert kubernetes_steps(current, target) == steps


@pytest.mark.parametrize("target", ["1.32", "2.0"])
def test_a_control_plane_neither_goes_down_nor_to_another_major(target: str) -> None:
    with pytest.raises(ValueError, match="cannot be reached"):
        kubernetes_steps("1.33", target)


@pytest.mark.parametrize("text", ["1", "v1.34", "1.34.2", "latest", ""])
def test_what_is_no_kubernetes_version_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="is no Kubernetes version"):
        KubernetesVersion.parse(text)


def test_kubernetes_versions_order_by_number() -> None:
    assert KubernetesVersion.parse("1.9") < KubernetesVersion.parse("1.10")
    assert str(KubernetesVersion.parse("1.10")) == "1.10"
