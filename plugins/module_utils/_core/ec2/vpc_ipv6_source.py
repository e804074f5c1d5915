# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a VPC's IPv6 blocks come from: Amazon's pool, an IPAM pool, an address pool of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..addressing import SUBNET_PREFIX, AddressError, canonical, ipv6
from ..plan import Problem

AMAZON_PREFIX = 56  # the only size of a block out of Amazon's pool
AMAZON_POOL, IPAM_POOL = "Amazon", "IPAM Managed"  # how DescribeVpcs names the pools that have no id of their own
SIZES = range(44, 61, 4)
SIZE_SOURCE = "VPC user guide: IPv6 blocks of a VPC are /44 to /60 in steps of 4, Amazon's own always /56"


@dataclass(frozen=True)
class Ipv6Block:
    """One IPv6 block of a VPC. C(private) tells a ULA or private GUA: there is no way to the internet from it."""

    association_id: str
    cidr_block: str
    state: str
    private: bool = False
    pool: str = AMAZON_POOL


@dataclass(frozen=True)
class Ipv6Source:
    """Where a VPC's IPv6 block comes from."""

    provider: str
    ipam_pool_id: str | None = None
    netmask_length: int | None = None
    pool: str | None = None
    cidr_block: str | None = None
    network_border_group: str | None = None

    @property
    def prefix_length(self) -> int | None:
        """The size of the block to come, where it can be known."""
        if self.provider == "amazon":
            return AMAZON_PREFIX
        return ipv6(self.cidr_block).prefixlen if self.cidr_block else self.netmask_length

    def is_of(self, block: Ipv6Block) -> bool:
        """Whether a live block may have come from here. A block on its way does not tell its range yet."""
        if self.cidr_block and block.cidr_block:
            return canonical(self.cidr_block) == canonical(block.cidr_block)
        if self.provider == "amazon":
            return block.pool == AMAZON_POOL
        if self.provider == "byoip":
            return block.pool == self.pool
        sized = self.netmask_length is None or not block.cidr_block
        return block.pool == IPAM_POOL and (sized or ipv6(block.cidr_block).prefixlen == self.netmask_length)

    def request(self) -> dict[str, Any]:
        """The members that CreateVpc and AssociateVpcCidrBlock share."""
        chosen = {
            "AmazonProvidedIpv6CidrBlock": True if self.provider == "amazon" else None,
            "Ipv6IpamPoolId": self.ipam_pool_id,
            "Ipv6NetmaskLength": self.netmask_length,
            "Ipv6Pool": self.pool,
            "Ipv6CidrBlock": canonical(self.cidr_block) if self.cidr_block else None,
            "Ipv6CidrBlockNetworkBorderGroup": self.network_border_group,
        }
        return {name: value for name, value in chosen.items() if value is not None}


def refuse_source(option: str, source: Ipv6Source) -> list[Problem]:
    """What an option that names a source gets wrong."""
    needs = {"amazon": (), "ipam": ("ipam_pool_id",), "byoip": ("pool", "cidr_block")}[source.provider]
    takes = {
        "amazon": ("network_border_group",),
        "ipam": ("ipam_pool_id", "netmask_length", "cidr_block"),
        "byoip": ("pool", "cidr_block", "network_border_group"),
    }[source.provider]
    given = [
        name
        for name in ("ipam_pool_id", "netmask_length", "pool", "cidr_block", "network_border_group")
        if getattr(source, name) is not None
    ]
    problems = [
        Problem(f"{option}.{name}", f"provider {source.provider} needs it.") for name in needs if name not in given
    ]
    problems += [
        Problem(f"{option}.{name}", f"provider {source.provider} does not take it.", "Leave it out.")
        for name in given
        if name not in takes
    ]
    if source.netmask_length is not None and source.netmask_length not in SIZES:
        problems.append(
            Problem(f"{option}.netmask_length", f"/{source.netmask_length} is not possible.", source=SIZE_SOURCE)
        )
    return problems + _refuse_block(f"{option}.cidr_block", source.cidr_block)


def _refuse_block(option: str, cidr_block: str | None) -> list[Problem]:
    if cidr_block is None:
        return []
    try:
        block = ipv6(cidr_block)
    except AddressError as error:
        return [Problem(option, f"{error}.", f"Give an IPv6 block that holds /{SUBNET_PREFIX} subnets.")]
    if block.prefixlen not in SIZES:
        return [Problem(option, f"{block} has no possible size.", source=SIZE_SOURCE)]
    return []
