# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The little that a run asks of its door, be it the module or the action plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Host(Protocol):
    """A module process, an action plugin on the controller, or a test."""

    @property
    def name(self) -> str:
        """The module's name, for messages."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Validated parameters, plain types only."""

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be written."""

    @property
    def diff_mode(self) -> bool:
        """Whether the result shall hold a diff."""

    def progress(self, text: str) -> None:
        """Tell a person what is being waited for. A module process cannot, and stays silent."""


@dataclass
class PlainHost:
    """A host without a door, for tests and tools."""

    name: str
    params: Mapping[str, Any]
    check_mode: bool = False
    diff_mode: bool = False

    def progress(self, text: str) -> None:
        """Nobody listens."""
