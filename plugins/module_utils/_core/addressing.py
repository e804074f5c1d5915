# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Address arithmetic (pure): slots in an IPv6 block, ranges out of an IPv4 block, the DNS address of a service range.

A slot is the number of a /64 within a VPC's IPv6 block, counted from 0. A subnet keeps its slot for life, so adding or
removing others never renumbers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

SUBNET_PREFIX = 64  # what EC2 gives a subnet by default; every other size it takes (/44 to /60) holds whole /64s


class AddressError(ValueError):
    """A text is no network, or an arithmetic that was asked for has no answer; the message says which and why."""


def canonical(cidr: str) -> str:
    """The one spelling by which two networks can be compared as text: C(2001:DB8:0::/56) becomes C(2001:db8::/56)."""
    return str(network(cidr))


def network(cidr: str) -> IPv4Network | IPv6Network:
    """A CIDR block. Host bits are an error: they are mostly a slip of the pen, and EC2 would drop them silently."""
    try:
        return ip_network(cidr)
    except ValueError as error:
        raise AddressError(str(error)) from error


def ipv4(cidr: str) -> IPv4Network:
    """An IPv4 CIDR block."""
    found = network(cidr)
    if not isinstance(found, IPv4Network):
        raise AddressError(f"{cidr} is no IPv4 CIDR block")
    return found


def ipv6(cidr: str) -> IPv6Network:
    """An IPv6 CIDR block."""
    found = network(cidr)
    if not isinstance(found, IPv6Network):
        raise AddressError(f"{cidr} is no IPv6 CIDR block")
    return found


def slot_count(prefix_length: int) -> int:
    """How many /64 a block of this length holds: 256 in Amazon's /56."""
    return 1 << max(0, SUBNET_PREFIX - prefix_length)


def slot_block(block: str, slot: int) -> str:
    """The /64 with number C(slot) of an IPv6 block: slot 3 of C(2001:db8:0:ff00::/56) is C(2001:db8:0:ff03::/64)."""
    outer = ipv6(block)
    if not 0 <= slot < slot_count(outer.prefixlen):
        raise AddressError(f"{block} has the slots 0 to {slot_count(outer.prefixlen) - 1}, not {slot}")
    start = int(outer.network_address) + (slot << (128 - SUBNET_PREFIX))
    return str(IPv6Network((start, SUBNET_PREFIX)))


def slots_of(block: str, inner: str) -> range:
    """The slots of C(block) that C(inner) covers: one for a /64, sixteen for a /60, none for a block outside."""
    outer, part = ipv6(block), ipv6(inner)
    if not part.subnet_of(outer):
        return range(0)
    first = (int(part.network_address) - int(outer.network_address)) >> (128 - SUBNET_PREFIX)
    return range(first, first + slot_count(part.prefixlen))


def last_part(block: str, prefix_length: int) -> str:
    """The last part of this length of an IPv6 block: /65 of C(2001:db8::/64) is C(2001:db8:0:0:8000::/65)."""
    outer = ipv6(block)
    if prefix_length < outer.prefixlen:
        raise AddressError(f"{block} is smaller than /{prefix_length}")
    start = int(outer.broadcast_address) + 1 - (1 << (128 - prefix_length))
    return str(IPv6Network((start, prefix_length)))


def first_free_slot(taken: Iterable[int], count: int) -> int:
    """The lowest slot number that nobody has."""
    used = set(taken)
    for slot in range(count):
        if slot not in used:
            return slot
    raise AddressError(f"all {count} slots are taken")


def carve_ipv4(blocks: Iterable[str], taken: Iterable[str], prefix_length: int) -> str:
    """The first range of this length in C(blocks) that overlaps nothing in C(taken)."""
    used = sorted(collapse_addresses(ipv4(cidr) for cidr in taken))
    for block in blocks:
        outer = ipv4(block)
        if prefix_length < outer.prefixlen:
            continue
        size = 1 << (32 - prefix_length)
        start = int(outer.network_address)
        while start + size - 1 <= int(outer.broadcast_address):
            candidate = IPv4Network((start, prefix_length))
            clash = next((other for other in used if other.overlaps(candidate)), None)
            if clash is None:
                return str(candidate)
            after = int(clash.broadcast_address) + 1
            start = -(-after // size) * size
    raise AddressError(f"no free /{prefix_length} is left in {', '.join(blocks)}")


def overlapping(cidrs: Iterable[str]) -> list[tuple[str, str]]:
    """Every pair of networks that share an address."""
    parsed = [(cidr, network(cidr)) for cidr in cidrs]
    return [
        (one, other)
        for position, (one, first) in enumerate(parsed)
        for other, second in parsed[position + 1 :]
        if first.version == second.version and first.overlaps(second)
    ]


def dns_address(service_cidr: str) -> str:
    """Where a cluster's DNS answers: the tenth address of its service range, C(fd30:3087:b6c2::a) of a C(…::/108).

    Bootstrap scripts get it by writing C(a) behind the prefix's text, which is the same address (amazon-eks-ami).
    """
    return str(network(service_cidr).network_address + 10)
