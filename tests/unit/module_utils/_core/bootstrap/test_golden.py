# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rendered user data beside its golden file; `python tools/golden.py` writes them anew."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import FAMILIES, Node, Part

TOOL = Path(__file__).resolve().parents[5] / "tools" / "golden.py"
_spec = importlib.util.spec_from_file_location("golden_tool", TOOL)
assert _spec is not None and _spec.loader is not None
golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(golden)
CASES = list(golden.cases())
# What each family refuses, since it has nothing of the kind.
NOT_TAKEN = {
    "al2": {"kubelet_config", "node_config", "settings", "completed_by_eks"},
    "al2023": {"bootstrap_arguments", "settings"},
    "bottlerocket": {
        "kubelet_arguments",
        "kubelet_config",
        "bootstrap_arguments",
        "containerd_config",
        "node_config",
        "parts_before",
        "parts_after",
    },
}


@pytest.mark.parametrize(("name", "family", "options"), CASES, ids=[case[0] for case in CASES])
def test_it_is_rendered_as_its_golden_file(name: str, family: str, options: dict[str, Any]) -> None:
    assert golden.rendered(family, options).encode() == (golden.GOLDEN / name).read_bytes()


def test_every_golden_file_has_a_case() -> None:
    assert sorted(path.name for path in golden.GOLDEN.iterdir()) == sorted(case[0] for case in CASES)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_every_option_that_a_family_takes_has_a_golden_file(family: str, architecture: str) -> None:
    shown = {
        option
        for name, of_family, options in CASES
        if of_family == family and f"-{architecture}-" in name
        for option, value in options.items()
        if value is not None
    }
    taken = {field.name for field in dataclasses.fields(Node)} - {"family"} - NOT_TAKEN[family]
    assert shown == taken | ({"base64_parts"} if "parts_before" in taken else set())
    for option in NOT_TAKEN[family]:
        assert option in {problem.option for problem in user_data.refuse(golden.CLUSTER, node_with(family, option))}


def node_with(family: str, option: str) -> Node:
    """A node with an option that its family does not take."""
    values: dict[str, Any] = {
        "kubelet_arguments": ("--v=4",),
        "kubelet_config": {"a": 1},
        "bootstrap_arguments": ("--mount-bpf-fs", "true"),
        "containerd_config": "a = 1",
        "node_config": {"featureGates": {}},
        "settings": {"kernel": {}},
        "parts_before": (Part("#!/bin/sh"),),
        "parts_after": (Part("#!/bin/sh"),),
        "completed_by_eks": True,
    }
    return Node(family, **{option: values[option]})
