# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces, as what keeps an IPv6 block in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..session import Session
from .filters import described


@dataclass(frozen=True)
class Observed:
    """A network interface as it is; C(ipv6) holds its addresses and its /80 prefixes."""

    id: str
    subnet_id: str
    description: str
    ipv6: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.id} ({self.description}): {', '.join(self.ipv6)}"


def observe(session: Session, subnet_ids: Iterable[str]) -> list[Observed]:
    """The network interfaces in these subnets."""
    listed = described(session, "DescribeNetworkInterfaces", "NetworkInterfaces", "subnet-id", subnet_ids)
    return [_observed(item) for item in listed]


def _observed(item: Mapping[str, Any]) -> Observed:
    addresses = [entry["Ipv6Address"] for entry in item.get("Ipv6Addresses", ())]
    prefixes = [entry["Ipv6Prefix"] for entry in item.get("Ipv6Prefixes", ())]
    return Observed(
        id=item["NetworkInterfaceId"],
        subnet_id=item["SubnetId"],
        description=item.get("Description") or item.get("InterfaceType", "interface"),
        ipv6=tuple(addresses + prefixes),
    )
