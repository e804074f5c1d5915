# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's refusals. Codes are those of EC2's error code reference unless a rule's test says presumed."""

from __future__ import annotations

from moto.ec2.exceptions import EC2ClientError


def refuse(code: str, message: str) -> EC2ClientError:
    """The exception that EC2's serializer turns into this code and message."""
    return EC2ClientError(code, message)


def invalid(message: str) -> EC2ClientError:
    return refuse("InvalidParameterValue", message)


def missing(name: str) -> EC2ClientError:
    return refuse("MissingParameter", f"The request must contain the parameter {name}")


def combination(message: str) -> EC2ClientError:
    return refuse("InvalidParameterCombination", message)


def dependency(message: str) -> EC2ClientError:
    return refuse("DependencyViolation", message)


__all__ = ["EC2ClientError", "combination", "dependency", "invalid", "missing", "refuse"]
