# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where IPv6 blocks come from: Amazon's own space, BYOIP pools, IPAM pools."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from moto.moto_api._internal import mock_random

from . import errors


@dataclass
class ByoipPool:
    """A pool of addresses that a customer brought: `cidr` split into blocks for VPCs."""

    id: str
    cidr: ipaddress.IPv6Network
    description: str = ""
    taken: list[ipaddress.IPv6Network] = field(default_factory=list)

    def take(self, block: ipaddress.IPv6Network | None) -> ipaddress.IPv6Network:
        """Takes `block`, or a free /56 when none is named."""
        if block is None:
            block = next(
                (
                    item
                    for item in self.cidr.subnets(new_prefix=56)
                    if not any(item.overlaps(used) for used in self.taken)
                ),
                None,
            )
            if block is None:
                raise errors.refuse("InsufficientFreeAddresses", f"The pool {self.id} has no free block")
        if not block.subnet_of(self.cidr):
            raise errors.invalid(f"CIDR block {block} is not in the pool {self.id}")
        if any(block.overlaps(used) for used in self.taken):
            raise errors.refuse("InvalidCidrBlock.InUse", f"CIDR block {block} is in use in the pool {self.id}")
        self.taken.append(block)
        return block

    def give_back(self, block: ipaddress.IPv6Network) -> None:
        self.taken.remove(block)


class Ipv6SpaceBackend:
    """The region's IPv6 space."""

    def __init__(self) -> None:
        self.amazon_blocks: set[ipaddress.IPv6Network] = set()
        self.byoip_pools: dict[str, ByoipPool] = {}

    def amazon_block(self, prefix: int = 56) -> ipaddress.IPv6Network:
        """A block of Amazon's that nobody has, from 2600:1f00::/24 (where Amazon's VPC ranges lie)."""
        while True:
            bits = mock_random.getrandbits(prefix - 24)
            block = ipaddress.IPv6Network((int(ipaddress.IPv6Address("2600:1f00::")) | bits << 128 - prefix, prefix))
            if not any(block.overlaps(used) for used in self.amazon_blocks):
                self.amazon_blocks.add(block)
                return block

    def add_byoip_pool(self, cidr: str, description: str = "") -> ByoipPool:
        """Seeds a BYOIP pool, as if its addresses had been provisioned long ago."""
        pool_id = "ipv6pool-ec2-" + "".join(mock_random.choice("0123456789abcdef") for _unused in range(17))
        pool = ByoipPool(pool_id, ipaddress.IPv6Network(cidr), description)
        self.byoip_pools[pool_id] = pool
        return pool

    def byoip_pool(self, pool_id: str) -> ByoipPool:
        if pool_id not in self.byoip_pools:
            raise errors.refuse("InvalidIpv6PoolId.NotFound", f"The pool ID '{pool_id}' does not exist.")
        return self.byoip_pools[pool_id]

    def describe_ipv6_pools(self, pool_ids: list[str]) -> list[dict[str, Any]]:
        pools = [self.byoip_pool(item) for item in pool_ids] or list(self.byoip_pools.values())
        return [
            {
                "PoolId": pool.id,
                "Description": pool.description,
                "PoolCidrBlocks": [{"Cidr": str(pool.cidr)}],
                "Tags": [],
            }
            for pool in pools
        ]
