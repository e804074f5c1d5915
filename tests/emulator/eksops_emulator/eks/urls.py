# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes that moto's server gives to this EKS: all of them. botocore's model finds the operation."""

from __future__ import annotations

from .responses import EksResponse

url_bases = [r"https?://eks\.(.+)\.amazonaws.com"]
url_paths = {"{0}/(?P<path>.*)$": EksResponse.dispatch}
