# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of every module that writes, since AWS may take its time with what it was asked to do."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation shared by the collection's modules."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Seconds to wait for AWS to finish one change. Without it, each kind of change has a time of its own
        (a cluster 1800, a node group 2400, an add-on 1200, an Auto Scaling group 900, an instance refresh 7200,
        anything in EC2 600).
    type: int
  wait_interval:
    description:
      - Seconds between two looks at a change under way. Without it, each kind of change has an interval of its own.
    type: float
"""
