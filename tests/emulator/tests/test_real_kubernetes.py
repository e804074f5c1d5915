# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test-kubernetes` where kube-apiserver can't be built: it fails, unless told to do without."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "test_kubernetes.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("kubernetes_tool", TOOL)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tool, on a machine whose build fails; `tool.runs` are the environments of the tests that it started."""
    module = load()
    module.runs = []
    monkeypatch.setattr(module, "built", lambda: False)
    monkeypatch.setattr(module, "run_tests", lambda environment: module.runs.append(environment) or 7)
    monkeypatch.delenv("SKIP_REAL_KUBERNETES", raising=False)
    return module


def test_a_failed_build_fails_the_run(tool: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main() == 1
    assert "kube-apiserver could not be built; SKIP_REAL_KUBERNETES=1" in capsys.readouterr().err
    assert tool.runs == []


def test_it_can_be_told_to_go_on(
    tool: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that the emulated server alone was met, and the tests' own outcome counts."""
    monkeypatch.setenv("SKIP_REAL_KUBERNETES", "1")
    assert tool.main() == 7
    assert "the tests meet the emulated server only" in capsys.readouterr().err
    assert tool.runs == [{}]


@pytest.mark.parametrize(("status", "built"), [(1, False), (0, True)])
def test_the_build_s_own_status_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, built: bool
) -> None:
    script = tmp_path / "tools" / "build_kube_apiserver.sh"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\nexit {status}\n")
    script.chmod(0o755)
    module = load()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    assert module.built() is built
