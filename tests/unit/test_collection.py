# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's description of itself agrees with what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def requirements(path: str) -> set[str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_the_action_group_reaches_every_module_and_amazon_aws() -> None:
    entries = read("meta/runtime.yml")["action_groups"]["all"]
    assert {entry for entry in entries if isinstance(entry, str)} == MODULES
    assert {"metadata": {"extend_group": ["amazon.aws.aws"]}} in entries


def test_every_module_has_both_doors() -> None:
    assert {path.stem for path in (ROOT / "plugins" / "action").glob("*.py")} == MODULES


def test_developers_run_what_users_are_asked_to_install() -> None:
    assert requirements("requirements.txt") <= requirements("requirements-dev.txt")


def test_the_execution_environment_installs_what_users_are_asked_to_install() -> None:
    assert read("meta/execution-environment.yml")["dependencies"] == {"python": "requirements.txt"}


def test_it_builds_on_two_collections_only() -> None:
    assert read("galaxy.yml")["dependencies"] == {"amazon.aws": ">=10.1.0", "kubernetes.core": ">=6.0.0"}
