# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address blocks as EC2 reads and writes them: always canonical."""

from __future__ import annotations

import ipaddress

from . import errors

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def ipv4(text: str, parameter: str) -> ipaddress.IPv4Network:
    """An IPv4 block. Host bits are dropped: EC2 documents that it changes a block to its canonical form."""
    try:
        return ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise errors.invalid(
            f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."
        ) from None


def ipv6(text: str, parameter: str, strict: bool = True) -> ipaddress.IPv6Network:
    """An IPv6 block; with `strict` host bits are refused (presumed)."""
    try:
        if "/" not in text:
            raise ValueError(text)
        return ipaddress.IPv6Network(text, strict=strict)
    except ValueError:
        raise errors.invalid(
            f"Value ({text}) for parameter {parameter} is invalid. This is not a valid IPv6 CIDR block."
        ) from None


def within(network: Network, parent: Network) -> bool:
    """True when the block is the parent or part of it; blocks of two families never are."""
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(parent, ipaddress.IPv4Network) and network.subnet_of(parent)
    return isinstance(parent, ipaddress.IPv6Network) and network.subnet_of(parent)


def canonical(text: str) -> str:
    """Either family in canonical form; what isn't a block comes back as it is."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def stepped(network: Network, shortest: int, longest: int) -> bool:
    """True when the prefix length is one of shortest, shortest + 4, ... longest."""
    return shortest <= network.prefixlen <= longest and (network.prefixlen - shortest) % 4 == 0
