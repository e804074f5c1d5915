# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS on loopback that refuses what AWS refuses, for EKS clusters in the IPv6 family."""

from __future__ import annotations

from .client import EmulatorClient
from .faults import Fault
from .journal import Call
from .server import Emulator

__all__ = ["Call", "Emulator", "EmulatorClient", "Fault"]
