# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asynchronous states that advance by polls, never by clocks or threads of ours.

moto's state manager decides how a model's states advance (`manual` after n polls, `time` after s seconds,
`immediate`), settable by anybody over `POST /moto-api/state-manager/set-transition`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from moto.moto_api._internal.managed_state_model import ManagedState

CLUSTER = "eks::cluster"
NODEGROUP = "eks::nodegroup"
ADDON = "eks::addon"
UPDATE = "eks::update"
FARGATE_PROFILE = "eks::fargate_profile"
MODELS = (CLUSTER, NODEGROUP, ADDON, UPDATE, FARGATE_PROFILE)

_SETTLED = "\0settled"


class Life(ManagedState):
    """The state of one resource.

    `begin("CREATING", finish)` starts a stretch of work; the poll that ends it calls `finish()`, which does the
    work's effects and names the state that follows. Between polls the state does not move (with `manual`).
    """

    def __init__(self, model_name: str, state: str) -> None:
        super().__init__(model_name, [(state, state)])
        self._finish: Callable[[], str] | None = None

    @property
    def state(self) -> str:
        status = self.status
        if status == _SETTLED and self._finish is not None:
            finish, self._finish = self._finish, None
            self._transitions = []
            self.status = finish()
            return str(self.status)
        return str(status)

    @property
    def busy(self) -> bool:
        """Whether a stretch of work is under way; asking does not count as a poll."""
        self.state  # noqa: B018  lets `time` and `immediate` progressions arrive
        return self._finish is not None

    def begin(self, state: str, finish: Callable[[], str]) -> None:
        self._finish = finish
        self._transitions = [(state, _SETTLED)]
        self._tick = 0
        self._time_progressed = datetime.now()
        self.status = state

    def set(self, state: str) -> None:
        """Jump to a state; work under way is dropped."""
        self._finish = None
        self._transitions = []
        self.status = state

    def poll(self) -> str:
        """Count one poll and say the state that the poll sees."""
        self.advance()
        return self.state
