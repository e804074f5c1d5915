# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of the collection supports, said in its documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation shared by the collection's modules."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict exactly the calls that a run would make.
  diff_mode:
    description: Returns, with C(--diff), the fields that each step changes.
  idempotent:
    description: When run again with the same arguments, makes no write call and reports no change.
  action_group:
    description: Use C(group/eksops.ipv6.all) or C(group/amazon.aws.aws) in C(module_defaults) to set defaults once.
"""

    WRITES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - eksops.ipv6.all
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  action_group:
    support: full
    membership:
      - eksops.ipv6.all
"""
