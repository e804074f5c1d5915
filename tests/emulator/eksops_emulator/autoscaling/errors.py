# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling's refusals. Most of them share one code."""

from __future__ import annotations

from moto.autoscaling.exceptions import AutoscalingClientError


def refuse(code: str, message: str) -> AutoscalingClientError:
    """An error to raise, with this code."""
    return AutoscalingClientError(code, message)


def invalid(message: str) -> AutoscalingClientError:
    """A ValidationError to raise."""
    return refuse("ValidationError", message)


def absent(name: str) -> AutoscalingClientError:
    """A group that is not there."""
    return invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
