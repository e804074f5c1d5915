# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States that change as they are described, by moto's state manager."""

from __future__ import annotations

from datetime import datetime

from moto.moto_api._internal.managed_state_model import ManagedState


class Life(ManagedState):
    """A state such as `associating` that becomes `associated`; `begin` starts another such change."""

    def __init__(self, model_name: str, transitions: list[tuple[str, str]]) -> None:
        super().__init__(model_name, list(transitions))

    def begin(self, status: str) -> None:
        self._status = status
        self._tick = 0
        self._time_progressed = datetime.now()

    def seen(self) -> str:
        """The state as a describe shows it. One describe counts once."""
        self.advance()
        return str(self.status)

    def now(self) -> str:
        """The state, without counting as a describe."""
        return str(self.status)


class CidrLife(Life):
    """The state of a block's association with a VPC or subnet."""

    def __init__(self, model_name: str) -> None:
        super().__init__(model_name, [("associating", "associated"), ("disassociating", "disassociated")])

    @property
    def live(self) -> bool:
        """True while the block takes up room: it is associated, or on the way there or back."""
        return self.now() != "disassociated"
