# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rendered user data beside its golden file; `python tools/golden.py` writes them anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[5] / "tools" / "golden.py"
_spec = importlib.util.spec_from_file_location("golden_tool", TOOL)
assert _spec is not None and _spec.loader is not None
golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(golden)
CASES = list(golden.cases())


@pytest.mark.parametrize(("name", "family", "options"), CASES, ids=[case[0] for case in CASES])
def test_it_is_rendered_as_its_golden_file(name: str, family: str, options: dict[str, Any]) -> None:
    assert golden.rendered(family, options) == (golden.GOLDEN / name).read_text(encoding="utf-8")


def test_every_golden_file_has_a_case() -> None:
    assert sorted(path.name for path in golden.GOLDEN.iterdir()) == sorted(case[0] for case in CASES)
