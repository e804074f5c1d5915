# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each subnet of a network lies (pure): its IPv4 range, its IPv6 slot, and what forbids them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..addressing import (
    AddressError,
    canonical,
    carve_ipv4,
    first_free_slot,
    ipv4,
    ipv6,
    slot_block,
    slot_count,
    slots_of,
)
from ..ec2.subnet import Observed, Placed, Subnet
from ..plan import Problem, Ref

Pair = tuple[Subnet, "Observed | None"]


@dataclass
class Space:
    """The VPC's ranges, and what is taken of them. Slots are counted in C(ipv6_block), one of C(ipv6_blocks)."""

    ipv4_blocks: tuple[str, ...]
    ipv6_block: str | Ref
    ipv6_prefix_length: int
    ipv6_blocks: tuple[str, ...] = ()
    taken_blocks: dict[str, str] = field(default_factory=dict)
    taken_ranges: dict[str, str] = field(default_factory=dict)
    taken_slots: dict[int, str] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """How many /64 the IPv6 block holds."""
        return slot_count(self.ipv6_prefix_length)

    def slots_in(self, block: str) -> range:
        """The slots that an IPv6 block covers; none while the VPC's block is not known."""
        return range(0) if isinstance(self.ipv6_block, Ref) else slots_of(self.ipv6_block, block)

    def block_at(self, slot: int) -> Any:
        """The /64 of a slot: text, or a Ref that cuts it once AWS has given the VPC its block."""
        if not isinstance(self.ipv6_block, Ref):
            return slot_block(self.ipv6_block, slot)
        source = self.ipv6_block
        return Ref(source.resource, source.path, partial(slot_block, slot=slot), f"{source.label}#{slot}")


def place(pairs: Sequence[Pair], live: Iterable[Observed], space: Space) -> tuple[list[Placed], list[Problem]]:
    """Every subnet in its place.

    What lives keeps its place; what the document states is reserved next; the rest takes, in the document's order, the
    first free range and the lowest free slot. The same document on the same account always gives the same layout.
    """
    for item in live:
        _take_live(item, space)
    problems = [problem for subnet, observed in pairs if observed is None for problem in _reserve(subnet, space)]
    problems += [
        problem for subnet, observed in pairs if observed is not None for problem in _keep(subnet, observed, space)
    ]
    if problems:
        return [], problems
    placed = []
    for subnet, observed in pairs:
        try:
            placed.append(_place(subnet, observed, space))
        except AddressError as error:
            problems.append(Problem(subnet.option, f"{error}.", "Enlarge the VPC's range, or make subnets smaller."))
    return placed, problems


def _take_live(item: Observed, space: Space) -> None:
    if item.cidr_block:
        space.taken_ranges[item.cidr_block] = item.id
    if item.ipv6_cidr_block:
        space.taken_blocks[item.ipv6_cidr_block] = item.id
        space.taken_slots.update(dict.fromkeys(space.slots_in(item.ipv6_cidr_block), item.id))


def _reserve(subnet: Subnet, space: Space) -> list[Problem]:
    """Ranges that the document states for a subnet that is yet to be made."""
    problems = []
    if subnet.cidr_block:
        problems += _reserve_range(subnet, canonical(subnet.cidr_block), space)
    if subnet.ipv6_slot is not None:
        problems += _reserve_slot(subnet, subnet.ipv6_slot, space)
    if subnet.ipv6_cidr_block:
        problems += _reserve_block(subnet, canonical(subnet.ipv6_cidr_block), space)
    return problems


def _reserve_range(subnet: Subnet, block: str, space: Space) -> list[Problem]:
    option, wanted = f"{subnet.option}.cidr_block", ipv4(block)
    if not any(wanted.subnet_of(ipv4(outer)) for outer in space.ipv4_blocks):
        return [Problem(option, f"{block} lies outside the VPC's {', '.join(space.ipv4_blocks)}.")]
    clash = next((other for other in space.taken_ranges if ipv4(other).overlaps(wanted)), None)
    if clash is not None:
        message = f"{block} overlaps {clash} of {space.taken_ranges[clash]}."
        return [Problem(option, message, "Choose a free range, or adopt that subnet by its id.")]
    space.taken_ranges[block] = subnet.name
    return []


def _reserve_slot(subnet: Subnet, slot: int, space: Space) -> list[Problem]:
    option = f"{subnet.option}.ipv6_slot"
    if not 0 <= slot < space.slots:
        bounds = f"a /{space.ipv6_prefix_length} has the slots 0 to {space.slots - 1}"
        return [Problem(option, f"{slot} is out of bounds: {bounds}.")]
    if slot in space.taken_slots:
        return [Problem(option, f"slot {slot} is taken by {space.taken_slots[slot]}.", "Choose another slot.")]
    space.taken_slots[slot] = subnet.name
    return []


def _reserve_block(subnet: Subnet, block: str, space: Space) -> list[Problem]:
    option = f"{subnet.option}.ipv6_cidr_block"
    if isinstance(space.ipv6_block, Ref):
        return [Problem(option, "AWS has yet to give the VPC its IPv6 block.", "Give ipv6_slot instead.")]
    blocks = space.ipv6_blocks or (space.ipv6_block,)
    if not any(ipv6(block).subnet_of(ipv6(outer)) for outer in blocks):
        return [Problem(option, f"{block} lies outside the VPC's {', '.join(blocks)}.")]
    clash = next((space.taken_slots[slot] for slot in space.slots_in(block) if slot in space.taken_slots), None)
    clash = clash or next(
        (name for other, name in space.taken_blocks.items() if ipv6(other).overlaps(ipv6(block))), None
    )
    if clash is not None:
        return [Problem(option, f"{block} overlaps the block of {clash}.", "Choose another block.")]
    space.taken_blocks[block] = subnet.name
    space.taken_slots.update(dict.fromkeys(space.slots_in(block), subnet.name))
    return []


def _keep(subnet: Subnet, observed: Observed, space: Space) -> list[Problem]:
    """A live subnet that has an IPv6 block stays in its slot; one without may be given one."""
    if observed.ipv6_cidr_block is None:
        return _reserve(Subnet(**{**subnet.__dict__, "cidr_block": None}), space)
    covered = space.slots_in(observed.ipv6_cidr_block)
    if subnet.ipv6_slot is None or (covered and covered[0] == subnet.ipv6_slot):
        return []
    lives = f"in slot {covered[0]}" if covered else f"outside {space.ipv6_block}"
    message = f"{observed.id} lives {lives} ({observed.ipv6_cidr_block}), and a subnet never moves."
    return [Problem(f"{subnet.option}.ipv6_slot", message, "State that slot, or leave the option out.")]


def _place(subnet: Subnet, observed: Observed | None, space: Space) -> Placed:
    if observed is not None:
        range_ = observed.cidr_block
    elif subnet.cidr_block:
        range_ = canonical(subnet.cidr_block)
    else:
        range_ = carve_ipv4(space.ipv4_blocks, space.taken_ranges, subnet.prefix_length)
        space.taken_ranges[range_] = subnet.name
    if observed is not None and observed.ipv6_cidr_block:
        covered = space.slots_in(observed.ipv6_cidr_block)
        return Placed(subnet, observed, range_, canonical(observed.ipv6_cidr_block), covered[0] if covered else None)
    if subnet.ipv6_cidr_block:
        block = canonical(subnet.ipv6_cidr_block)
        covered = space.slots_in(block)
        return Placed(subnet, observed, range_, block, covered[0] if covered else None)
    slot = subnet.ipv6_slot
    if slot is None:
        slot = first_free_slot(space.taken_slots, space.slots)
        space.taken_slots[slot] = subnet.name
    return Placed(subnet, observed, range_, space.block_at(slot), slot)
