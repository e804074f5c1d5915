# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the emulator's own services and repairs over moto, once per process."""

from __future__ import annotations

from typing import Any

from .faults import Faults

_installed = False
# The faults of the running emulator, for services that have to know what a list must not show yet.
current_faults = Faults()


def use_faults(faults: Faults) -> None:
    global current_faults
    current_faults = faults


def install() -> None:
    """Installs everything; fails loudly when moto no longer has what is replaced."""
    global _installed
    if _installed:
        return
    from . import autoscaling, ec2, eks, iam, ssm

    for service in (ec2, iam, ssm, autoscaling, eks):
        service.install()
    _installed = True


def require(owner: Any, *names: str) -> None:
    """Asserts that `owner` (a class or module of moto) has these names, before they are replaced."""
    for name in names:
        if not hasattr(owner, name):
            raise RuntimeError(f"moto has changed: {owner!r} has no {name}; the emulator's overlay must follow")
