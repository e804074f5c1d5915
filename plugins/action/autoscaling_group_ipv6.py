# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller door of autoscaling_group_ipv6."""

from __future__ import annotations

from ansible_collections.eksops.ipv6.plugins.modules import autoscaling_group_ipv6
from ansible_collections.eksops.ipv6.plugins.plugin_utils._controller_door import ControllerDoor


class ActionModule(ControllerDoor):
    """Runs the module's core on the controller."""

    door = autoscaling_group_ipv6.DOOR
