# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 of subnets that are there: blocks and launch attributes of any number of them, in one document.

With a VPC named, one round of reads does: its subnets and itself. Without, the subnets come first and tell their VPCs,
and all subnets of those VPCs are read only where one needs a free slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from ..addressing import AddressError, canonical, ipv6, slots_of
from ..ec2 import network_interface, subnet, vpc
from ..ec2.ownership import Owner
from ..ec2.vpc_ipv6_source import AMAZON_PREFIX
from ..plan import PENDING, Outcome, Plan, Problem, Ref, is_pending, refuse_if_any
from ..session import Session
from .network_layout import Space, place

OPTIONS = tuple(attribute.option for attribute in subnet.ATTRIBUTES)
NEED_IPV6 = tuple(attribute.option for attribute in subnet.ATTRIBUTES if attribute.needs_ipv6)
NOBODY = Owner("", {})


@dataclass(frozen=True)
class Selection:
    """One way in which the document names subnets, and what those shall have."""

    option: str
    attributes: Mapping[str, Any]
    id: str | None = None
    filter_tags: Mapping[str, str] | None = None
    ipv6_cidr_block: str | None = None
    ipv6_slot: int | None = None
    listed: bool = False

    @property
    def places(self) -> bool:
        """Whether it says where in the VPC's block the subnet lies: then it means one subnet."""
        return self.ipv6_cidr_block is not None or self.ipv6_slot is not None

    def means(self, item: subnet.Observed) -> bool:
        """Whether a live subnet is among those it names."""
        if self.id is not None:
            return item.id == self.id
        return all(item.tags.get(key) == value for key, value in (self.filter_tags or {}).items())


@dataclass(frozen=True)
class Document:
    """The subnets' IPv6 as it shall be. C(present) is None where blocks are not managed."""

    vpc_id: str | None
    vpc_ipv6_cidr_block: str | None
    present: bool | None
    selections: tuple[Selection, ...]
    planned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_params(cls, params: Mapping[str, Any], check_mode: bool = False) -> Document:
        """From the module's parameters. What earlier tasks have planned counts in check mode only."""
        state = params["state"]
        planned = (params["planned"] or ()) if check_mode else ()
        return cls(
            vpc_id=params["vpc_id"],
            vpc_ipv6_cidr_block=params["vpc_ipv6_cidr_block"],
            present=None if state is None else state == "present",
            selections=tuple(_selections(params)),
            planned={entry["id"]: entry for entry in planned if "id" in entry},
        )


@dataclass(frozen=True)
class Target:
    """A live subnet and the selection that says what it shall have."""

    selection: Selection
    observed: subnet.Observed

    @property
    def pending(self) -> bool:
        """Whether it stands for a subnet that is yet to be made."""
        return is_pending(self.observed.id)

    @property
    def subnet(self) -> subnet.Subnet:
        """As the layout and the plan take it."""
        return subnet.Subnet(
            owner=NOBODY,
            name=self.observed.id,
            public=False,
            availability_zone=None,
            option=self.selection.option,
            id=self.observed.id,
            ipv6_cidr_block=self.selection.ipv6_cidr_block,
            ipv6_slot=self.selection.ipv6_slot,
        )


@dataclass(frozen=True)
class Live:
    """What there is: the subnets read, and their VPCs by id."""

    subnets: tuple[subnet.Observed, ...] = ()
    vpcs: Mapping[str, vpc.Observed] = field(default_factory=dict)


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(ec2_subnet_ipv6)."""
    document = Document.from_params(vpc.with_vpc_id(session, params), session.host.check_mode)
    refuse_if_any(refuse(document))
    if document.vpc_id is not None and is_pending(document.vpc_id) and session.host.check_mode:
        document = _of_vpc_to_come(document)
    live = _observe(session, document)
    targets, problems = _targets(document, live, session.host.check_mode)
    refuse_if_any(problems + _refuse_targets(document, targets))
    live = _with_neighbours(session, document, targets, live)
    if document.present is False:
        refuse_if_any(_refuse_in_use(session, targets))
    placed, problems = _place(document, targets, live)
    refuse_if_any(problems)
    facts = {"subnets": [_facts(document, target, placed[target.observed.id], live) for target in targets]}
    return Outcome(_plan(document, targets, placed), facts, tuple(_warnings(document, targets)))


def refuse(document: Document) -> list[Problem]:
    """What the document itself gets wrong."""
    problems: list[Problem] = []
    for selection in document.selections:
        option = selection.option
        if selection.listed and (selection.id is None) == (selection.filter_tags is None):
            problems.append(Problem(option, "needs one of id and filter_tags."))
        if selection.filter_tags is not None and document.vpc_id is None:
            problems.append(Problem(option, "tags are looked for in one VPC.", "Give vpc_id."))
        problems.extend(_refuse_place(selection))
    if document.vpc_ipv6_cidr_block is not None and not is_pending(document.vpc_ipv6_cidr_block):
        try:
            ipv6(document.vpc_ipv6_cidr_block)
        except AddressError as error:
            problems.append(Problem("vpc_ipv6_cidr_block", f"{error}."))
    return problems


def _selections(params: Mapping[str, Any]) -> Iterable[Selection]:
    common = {option: params[option] for option in OPTIONS}
    for position, entry in enumerate(params["subnets"] or ()):
        own = {option: entry.get(option) for option in OPTIONS}
        merged = {option: common[option] if own[option] is None else own[option] for option in OPTIONS}
        yield Selection(
            f"subnets[{position}]",
            merged,
            entry.get("id"),
            entry.get("filter_tags"),
            entry.get("ipv6_cidr_block"),
            entry.get("ipv6_slot"),
            listed=True,
        )
    for position, subnet_id in enumerate(params["subnet_ids"] or ()):
        yield Selection(f"subnet_ids[{position}]", common, id=subnet_id)
    if params["filter_tags"] is not None:
        yield Selection("filter_tags", common, filter_tags=params["filter_tags"])
    if all(params[option] is None for option in ("subnets", "subnet_ids", "filter_tags")):
        yield Selection("vpc_id", common)


def _refuse_place(selection: Selection) -> list[Problem]:
    if not selection.places:
        return []
    stated = subnet.Subnet(
        NOBODY,
        selection.option,
        public=False,
        availability_zone=None,
        option=selection.option,
        id="stated",
        ipv6_cidr_block=selection.ipv6_cidr_block,
        ipv6_slot=selection.ipv6_slot,
    )
    return subnet.refuse([stated])


def _of_vpc_to_come(document: Document) -> Document:
    """Of a VPC that is yet to be made only subnets can be spoken of that have been planned, or have a pending id."""
    if document.planned:
        return replace(document, vpc_id=None)
    named = tuple(item for item in document.selections if item.id is not None and is_pending(item.id))
    return replace(document, vpc_id=None, selections=named)


def _observe(session: Session, document: Document) -> Live:
    if document.vpc_id is not None:
        vpc_id = document.vpc_id
        read = session.together(
            vpcs=lambda: vpc.observe_ids(session, [vpc_id]), subnets=lambda: subnet.observe(session, vpc_id)
        )
        return Live(_as_planned(document, read["subnets"]), read["vpcs"])
    ids = [item.id for item in document.selections if item.id is not None and not is_pending(item.id)]
    return Live(_as_planned(document, subnet.observe_ids(session, ids)))


def _as_planned(document: Document, items: Iterable[subnet.Observed]) -> tuple[subnet.Observed, ...]:
    """Subnets as they are once earlier tasks of the same check mode are done; of a VPC's, those that they make too."""
    live = {item.id: item for item in items}
    planned = document.planned
    found = [_after(item, planned[item.id]) if item.id in planned else item for item in live.values()]
    coming = [subnet_id for subnet_id in planned if is_pending(subnet_id) and subnet_id not in live]
    return (*found, *(subnet.to_come(subnet_id, planned[subnet_id], document.vpc_id or "") for subnet_id in coming))


def _after(item: subnet.Observed, planned: Mapping[str, Any]) -> subnet.Observed:
    changes = {option: planned[option] for option in OPTIONS if planned.get(option) is not None}
    block = planned.get("ipv6_cidr_block")
    if block is None:
        changes |= {"ipv6_cidr_block": None, "ipv6_state": None, "ipv6_association_id": None, "ipv6_leaving": False}
    elif item.ipv6_cidr_block is None:
        changes |= {"ipv6_cidr_block": block, "ipv6_state": "associated", "ipv6_leaving": False}
    return replace(item, **changes)


def _targets(document: Document, live: Live, check_mode: bool) -> tuple[list[Target], list[Problem]]:
    """Every subnet that is meant, once; an entry of C(subnets) says more than the options that mean many."""
    targets: dict[str, Target] = {}
    problems: list[Problem] = []
    if document.vpc_id is not None and document.vpc_id not in live.vpcs and document.present is not False:
        return [], [Problem("vpc_id", f"there is no VPC {document.vpc_id}.", "Check the region.")]
    for selection in document.selections:
        found = _meant(document, selection, live, check_mode)
        if not found and document.present is not False and selection.option != "vpc_id":
            asked = selection.id or f"with the tags {dict(selection.filter_tags or {})}"
            where = document.vpc_id or "the region"
            problems.append(Problem(selection.option, f"there is no subnet {asked} in {where}."))
        if selection.places and len(found) > 1 and document.present is not False:
            ids = ", ".join(item.id for item in found)
            problems.append(Problem(selection.option, f"{len(found)} subnets match: {ids}.", "Give its id."))
        for item in found:
            known = targets.get(item.id)
            if known is None:
                targets[item.id] = Target(selection, item)
            elif selection.listed:
                problems.append(Problem(selection.option, f"{item.id} is named by {known.selection.option} too."))
    return list(targets.values()), problems


def _meant(document: Document, selection: Selection, live: Live, check_mode: bool) -> list[subnet.Observed]:
    if check_mode and selection.id is not None and is_pending(selection.id):
        return [subnet.to_come(selection.id, document.planned.get(selection.id, {}))]
    return sorted((item for item in live.subnets if selection.means(item)), key=_position)


def _position(item: subnet.Observed) -> tuple[str, int, str]:
    """The order in which subnets that were not named one by one take free slots."""
    start = int(ip_network(item.cidr_block).network_address) if item.cidr_block else 0
    return item.availability_zone, start, item.id


def _gets_block(document: Document, target: Target) -> bool:
    return document.present is True or (document.present is None and target.selection.places)


def _refuse_targets(document: Document, targets: Sequence[Target]) -> list[Problem]:
    problems: list[Problem] = []
    for target in targets:
        observed, selection = target.observed, target.selection
        where = f"{selection.option} ({observed.id})"
        problems += _refuse_native(document, target, where)
        wanted = selection.ipv6_cidr_block if document.present is not False else None
        if wanted and observed.ipv6_cidr_block and canonical(wanted) != canonical(observed.ipv6_cidr_block):
            message = f"has {observed.ipv6_cidr_block}, not {wanted}, and a subnet has one IPv6 block."
            problems.append(Problem(where, message, "Take that one off first, with state: absent."))
        if observed.ipv6_cidr_block is None and not _gets_block(document, target) and document.present is None:
            lacking = [option for option in NEED_IPV6 if selection.attributes[option]]
            problems += [
                Problem(option, f"{observed.id} has no IPv6 block.", "Give state: present to have one added.")
                for option in lacking
            ]
    return problems


def _refuse_native(document: Document, target: Target, where: str) -> Iterable[Problem]:
    """What a subnet with no other range than its IPv6 block cannot do without, or have."""
    if not target.observed.ipv6_native:
        return
    if document.present is False:
        yield Problem(where, "has no IPv4 range: its IPv6 block is all that it has.", "Leave it out, or delete it.")
    elif target.selection.attributes["private_dns_hostname_type_on_launch"] == "ip-name":
        text = f"{target.observed.id} has no IPv4 range, so names of instances in it cannot come of IPv4 addresses."
        source = "EC2 API reference: ModifySubnetAttribute"
        yield Problem("private_dns_hostname_type_on_launch", text, "Leave it out for that subnet.", source)


def _with_neighbours(session: Session, document: Document, targets: Sequence[Target], live: Live) -> Live:
    """The VPCs of subnets that were named by id, and all subnets of those where one needs a place."""
    if document.vpc_id is not None:
        return live
    vpc_ids = {target.observed.vpc_id for target in targets if not target.pending}
    needing = {
        target.observed.vpc_id
        for target in targets
        if not target.pending and target.observed.ipv6_cidr_block is None and _gets_block(document, target)
    }
    reads = {vpc_id: lambda vpc_id=vpc_id: subnet.observe(session, vpc_id) for vpc_id in sorted(needing)}
    read = session.together(vpcs=lambda: vpc.observe_ids(session, vpc_ids) if vpc_ids else {}, **reads)
    vpcs = read.pop("vpcs")
    around = _as_planned(document, [item for items in read.values() for item in items])
    return Live((*(item for item in live.subnets if item.vpc_id not in needing), *around), vpcs)


def _refuse_in_use(session: Session, targets: Sequence[Target]) -> list[Problem]:
    """A block stays while an address out of it is in use; EC2 would refuse too, without saying by whom."""
    blocks = {item.observed.id: item for item in targets if item.observed.ipv6_association_id}
    if not blocks:
        return []
    using: dict[str, list[str]] = {}
    for interface in network_interface.observe(session, blocks):
        if interface.ipv6:
            using.setdefault(interface.subnet_id, []).append(str(interface))
    return [
        Problem(
            f"{blocks[subnet_id].selection.option} ({subnet_id})",
            f"{blocks[subnet_id].observed.ipv6_cidr_block} is in use by {'; '.join(sorted(interfaces))}.",
            "Unassign those addresses or delete the interfaces first.",
            "EC2 API reference: DisassociateSubnetCidrBlock",
        )
        for subnet_id, interfaces in using.items()
    ]


def _place(document: Document, targets: Sequence[Target], live: Live) -> tuple[dict[str, subnet.Placed], list[Problem]]:
    """Every subnet with the block it has or gets, by id."""
    placed = {item.observed.id: _as_it_is(item) for item in targets}
    problems: list[Problem] = []
    wanting: dict[str, list[Target]] = {}
    for target in targets:
        if _gets_block(document, target) and not target.pending and not is_pending(target.observed.ipv6_cidr_block):
            wanting.setdefault(target.observed.vpc_id, []).append(target)
    for vpc_id, members in wanting.items():
        space, found = _space(document, live.vpcs[vpc_id], members)
        problems += found
        if space is None:
            continue
        around = [item for item in live.subnets if item.vpc_id == vpc_id and not is_pending(item.ipv6_cidr_block)]
        space.taken_slots.update(_slots_to_come(document, space))
        given, found = place([(item.subnet, item.observed) for item in members], around, space)
        problems += found
        placed.update({item.id: item for item in given})
    return placed, problems


def _slots_to_come(document: Document, space: Space) -> dict[int, str]:
    """The slots that earlier tasks have planned in a block which the VPC is yet to get, each with its subnet."""
    begin = f"{space.ipv6_block}#"
    texts = {subnet_id: str(planned.get("ipv6_cidr_block")) for subnet_id, planned in document.planned.items()}
    return {int(text[len(begin) :]): subnet_id for subnet_id, text in texts.items() if text.startswith(begin)}


def _as_it_is(target: Target) -> subnet.Placed:
    observed = target.observed
    return subnet.Placed(target.subnet, observed, observed.cidr_block, observed.ipv6_cidr_block, None)


def _space(document: Document, home: vpc.Observed, members: Sequence[Target]) -> tuple[Space | None, list[Problem]]:
    """The VPC's blocks. Slots are counted in the one that was given, else in the first.

    One that is yet to come is taken for Amazon's /56.
    """
    blocks = [canonical(block.cidr_block) for block in home.associated]
    wanted = document.vpc_ipv6_cidr_block
    if wanted is not None and is_pending(wanted):
        coming = Ref(home.id, "", label=wanted.removeprefix(PENDING))
        return Space(home.cidr_blocks, coming, AMAZON_PREFIX, tuple(blocks)), []
    if wanted is not None and canonical(wanted) not in blocks:
        has = ", ".join(blocks) or "no IPv6 block"
        return None, [Problem("vpc_ipv6_cidr_block", f"{home.id} has {has}, not {canonical(wanted)}.")]
    if not blocks:
        option = members[0].selection.option
        remedy = "Give it one first, with vpc.ipv6 of ec2_vpc_ipv6_network."
        return None, [Problem(option, f"{home.id} has no IPv6 block to cut a subnet's from.", remedy)]
    chosen = canonical(wanted) if wanted else blocks[0]
    return Space(home.cidr_blocks, chosen, ipv6(chosen).prefixlen, tuple(blocks)), []


def _plan(document: Document, targets: Sequence[Target], placed: Mapping[str, subnet.Placed]) -> Plan:
    if document.present is False:
        blocks = subnet.plan_blocks_absent([placed[item.observed.id] for item in targets if not item.pending])
    else:
        getting = [placed[item.observed.id] for item in targets if _gets_block(document, item) and not item.pending]
        leaving = [item.id for item in getting if item.observed and item.observed.ipv6_leaving]
        blocks = Plan.of(subnet.await_gone(leaving), subnet.plan_blocks(None, getting))
    attributes = [
        step
        for item in targets
        for step in subnet.attribute_steps(
            item.subnet.address, item.observed.id, item.observed, _attributes(document, item)
        )
    ]
    return Plan.of(blocks, attributes)


def _attributes(document: Document, target: Target) -> dict[str, Any]:
    """The attributes to set beside the block: none where it goes, since what needs it goes with it."""
    return {} if document.present is False else dict(target.selection.attributes)


def _facts(document: Document, target: Target, placed: subnet.Placed, live: Live) -> dict[str, Any]:
    observed = target.observed
    block = None if document.present is False else placed.ipv6_cidr_block
    home = live.vpcs.get(observed.vpc_id)
    outer, slot = _lies_in(block, home)
    facts: dict[str, Any] = {
        "id": observed.id,
        "vpc_id": observed.vpc_id or None,
        "availability_zone": observed.availability_zone or None,
        "cidr_block": observed.cidr_block,
        "ipv6_cidr_block": block,
        "vpc_ipv6_cidr_block": outer,
        "ipv6_slot": slot if outer or not isinstance(block, Ref) else placed.slot,
        "tags": dict(observed.tags),
    }
    for option in OPTIONS:
        wanted = _attributes(document, target).get(option)
        gone = document.present is False and option in NEED_IPV6
        facts[option] = False if gone else getattr(observed, option) if wanted is None else wanted
    return facts


def _lies_in(block: Any, home: vpc.Observed | None) -> tuple[str | None, int | None]:
    """The VPC's block that a subnet's lies in, and its slot there."""
    if not isinstance(block, str) or is_pending(block) or home is None:
        return None, None
    for outer in home.associated:
        covered = slots_of(outer.cidr_block, block)
        if covered:
            return canonical(outer.cidr_block), covered[0]
    return None, None


def _warnings(document: Document, targets: Sequence[Target]) -> list[str]:
    getting = [item.observed for item in targets if _gets_block(document, item)]
    warnings = [*subnet.cni_warnings(getting), *subnet.blocked_warnings(getting)]
    with_dns64 = [item.observed.id for item in targets if _attributes(document, item).get("enable_dns64")]
    if with_dns64:
        warnings.append(
            f"DNS64 on {', '.join(with_dns64)}: names that have IPv4 addresses only resolve to 64:ff9b::/96, which "
            "needs a route to a NAT gateway, and pods of an IPv6 cluster no longer leave by their node's IPv4 address."
        )
    return warnings
