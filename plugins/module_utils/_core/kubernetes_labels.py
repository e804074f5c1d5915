# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Kubernetes takes for a label or a taint (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VALUE = re.compile(r"|[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def text(value: Any) -> str:
    """A value as Kubernetes has it: YAML's true is the text "true", and nothing is the empty text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def texts(labels: Mapping[Any, Any]) -> dict[str, str]:
    """Labels as Kubernetes has them."""
    return {str(key): text(value) for key, value in labels.items()}


def valid(key: str, value: str) -> bool:
    """Whether a label or a taint may have this key and this value; the value may be empty."""
    return bool(_KEY.fullmatch(key) and _VALUE.fullmatch(value))
