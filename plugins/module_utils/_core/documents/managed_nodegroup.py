# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A managed node group, made only where the cluster's CNI will be able to do on its nodes what it calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..eks import nodegroup
from ..plan import Outcome
from ..session import Session
from . import node_cni


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_nodegroup)."""
    return nodegroup.build(params, session, node_cni.read)
