# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the emulator notes that it contradicts itself: a crash, or an answer that AWS's own model doesn't allow.

A note here is a fault of the emulator, never of its client. The tests assert after every test that there is none.
"""

from __future__ import annotations

DRIFT: list[str] = []


def record(text: str) -> None:
    """Notes one contradiction, as a sentence that names the service and operation."""
    DRIFT.append(text)
