# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md names everything there is, and links to nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def names(pattern: str) -> list[str]:
    return sorted(path.stem for path in ROOT.glob(pattern) if not path.name.startswith("_"))


@pytest.mark.parametrize(
    "name", [name for kind in ("modules", "filter", "lookup", "callback") for name in names(f"plugins/{kind}/*.py")]
)
def test_every_plugin_is_named(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", names("playbooks/*.yml"))
def test_every_playbook_is_named(name: str) -> None:
    assert f"`eksops.ipv6.{name}`" in README


@pytest.mark.parametrize("name", names("roles/*"))
def test_every_role_is_linked_to(name: str) -> None:
    assert f"[{name}](roles/{name}/README.md)" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
