# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an IPv4 rule of a security group or network ACL is in IPv6, by a stated mapping (pure).

C(0.0.0.0/0) is C(::/0); a VPC's IPv4 range is all of its IPv6 ranges; further pairs are given. Whatever is none of
these has no twin: a guess would open or close something that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .addressing import AddressError, canonical, ipv4, ipv6
from .plan import Problem, is_pending

ANYWHERE4, ANYWHERE6 = "0.0.0.0/0", "::/0"
NUMBERS = {"all": "-1", "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
ICMP, ICMPV6, IGMP = "1", "58", "2"
NAMES = {number: name for name, number in NUMBERS.items() if name != "all"}  # EC2 tells groups' other rules by number
WITH_PORTS = ("6", "17")
ALL = -1
PACKET_TOO_BIG = (2, 0)
# ICMP (type, code) in ICMPv6, as RFC 7915 section 4.2 translates them. Type 3 splits: a packet that is too big has a
# type of its own in ICMPv6, and path MTU discovery needs it.
ICMP_TYPES: Mapping[int, tuple[int, ...]] = {8: (128,), 0: (129,), 3: (1, 2), 11: (3,), 12: (4,)}
ICMP_CODES: Mapping[tuple[int, int], tuple[int, int]] = {
    **{(3, code): (1, 0) for code in (0, 1, 5, 6, 7, 8, 11, 12)},
    **{(3, code): (1, 1) for code in (9, 10, 13, 15)},
    (3, 2): (4, 1),
    (3, 3): (1, 4),
    (3, 4): PACKET_TOO_BIG,
    (8, 0): (128, 0),
    (0, 0): (129, 0),
    (11, 0): (3, 0),
    (11, 1): (3, 1),
    (12, 0): (4, 0),
    (12, 2): (4, 0),
}


def protocol_number(protocol: str) -> str:
    """A protocol by number, whichever way it was written: C(tcp) and C(6) are the same."""
    text = str(protocol).lower()
    return NUMBERS.get(text, text)


def icmp_twins(icmp_type: int, code: int) -> tuple[tuple[int, int], ...]:
    """ICMP (type, code) in ICMPv6, C(-1) being all; empty where ICMPv6 has no such thing."""
    if icmp_type == ALL:
        return ((ALL, ALL),)
    if code == ALL:
        return tuple((twin, ALL) for twin in ICMP_TYPES.get(icmp_type, ()))
    twin = ICMP_CODES.get((icmp_type, code))
    return (twin,) if twin else ()


@dataclass(frozen=True, order=True)
class Traffic:
    """What a rule or entry is about: two of the same place that say the same are the same.

    C(protocol) is a number, ports (ICMP: type and code) are C(-1) where the protocol has none or all are meant.
    """

    protocol: str
    from_port: int
    to_port: int
    cidr: str

    @classmethod
    def of(cls, protocol: str, from_port: int | None, to_port: int | None, cidr: str) -> Traffic:
        """In one spelling."""
        number = protocol_number(protocol)
        first = ALL if from_port is None else from_port
        last = ALL if to_port is None else to_port
        if number not in (*WITH_PORTS, ICMP, ICMPV6):
            first = last = ALL
        try:
            spelled = canonical(cidr)
        except AddressError:
            spelled = cidr
        return cls(number, first, last, spelled)

    @property
    def protocol_name(self) -> str:
        """As EC2 tells it."""
        return NAMES.get(self.protocol, self.protocol)

    def __str__(self) -> str:
        name = "all" if self.protocol == "-1" else self.protocol_name
        if self.from_port == ALL:
            return f"{name} {self.cidr}"
        if self.protocol in (ICMP, ICMPV6):
            code = "" if self.to_port == ALL else f" code {self.to_port}"
            return f"{name} type {self.from_port}{code} {self.cidr}"
        last = "" if self.to_port == self.from_port else f"-{self.to_port}"
        return f"{name} {self.from_port}{last} {self.cidr}"


@dataclass(frozen=True)
class Pairs:
    """IPv6 blocks by IPv4 range, in one spelling; C(private) are the VPC's IPv4 ranges."""

    blocks: Mapping[str, tuple[str, ...]]
    private: tuple[str, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[str], ipv6_blocks: Iterable[str], given: Mapping[str, Iterable[str]]) -> Pairs:
        """Of a VPC, with further pairs; one that is given goes before what the mapping says."""
        own = tuple(canonical(item) for item in ranges)
        blocks = tuple(item if is_pending(item) else canonical(item) for item in ipv6_blocks)
        mapping: dict[str, tuple[str, ...]] = {ANYWHERE4: (ANYWHERE6,)}
        if blocks:
            mapping.update(dict.fromkeys(own, blocks))
        mapping.update({canonical(key): tuple(canonical(item) for item in value) for key, value in given.items()})
        return cls(mapping, own)

    def twins(self, cidr: str) -> tuple[str, ...] | None:
        """The IPv6 blocks for an IPv4 range; None where the mapping does not say."""
        return self.blocks.get(canonical(cidr))

    def why_not(self, cidr: str) -> str:
        """Why an IPv4 range has no twin."""
        if canonical(cidr) in self.private:
            return "the VPC has no IPv6 block"
        return f"the mapping has no IPv6 block for {cidr}"


def twins_of(traffic: Traffic, pairs: Pairs) -> tuple[list[Traffic], str]:
    """The IPv6 rules that say of IPv6 what a rule says of IPv4; without any, why."""
    blocks = pairs.twins(traffic.cidr)
    if blocks is None:
        return [], pairs.why_not(traffic.cidr)
    if traffic.protocol in (IGMP, ICMPV6):
        return [], f"protocol {traffic.protocol_name} has no twin"
    if traffic.protocol != ICMP:
        return [Traffic(traffic.protocol, traffic.from_port, traffic.to_port, block) for block in blocks], ""
    kinds = icmp_twins(traffic.from_port, traffic.to_port)
    if not kinds:
        return [], f"ICMPv6 has nothing like ICMP type {traffic.from_port} code {traffic.to_port}"
    return [Traffic(ICMPV6, kind, code, block) for block in blocks for kind, code in kinds], ""


def given_pairs(entries: Iterable[Mapping[str, Any]] | None) -> dict[str, list[str]]:
    """The option C(mapping), by IPv4 range."""
    return {entry["ipv4_cidr"]: list(entry["ipv6_cidrs"]) for entry in entries or ()}


def refuse_blocks(blocks: Iterable[str] | None) -> list[Problem]:
    """What the option C(vpc_ipv6_cidr_blocks) gets wrong."""
    problems = []
    for position, block in enumerate(blocks or ()):
        try:
            if not is_pending(block):
                ipv6(block)
        except AddressError as error:
            problems.append(Problem(f"vpc_ipv6_cidr_blocks[{position}]", f"{error}."))
    return problems


def refuse_pairs(entries: Iterable[Mapping[str, Any]] | None) -> list[Problem]:
    """What the option C(mapping) gets wrong."""
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for position, entry in enumerate(entries or ()):
        option = f"mapping[{position}]"
        try:
            key = str(ipv4(entry["ipv4_cidr"]))
        except AddressError as error:
            problems.append(Problem(f"{option}.ipv4_cidr", f"{error}."))
            continue
        if key in seen:
            problems.append(Problem(f"{option}.ipv4_cidr", f"{key} is mapped by {seen[key]} already."))
        seen.setdefault(key, option)
        for block in entry["ipv6_cidrs"]:
            try:
                ipv6(block)
            except AddressError as error:
                problems.append(Problem(f"{option}.ipv6_cidrs", f"{error}."))
    return problems
