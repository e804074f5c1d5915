# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VPCs: found by id, by tags or by ownership, made with an IPv4 and an IPv6 block, and given the DNS attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..addressing import AddressError, canonical, ipv4
from ..plan import Await, Plan, Problem, Ref, Refused, Risk, Step, Wait, is_pending
from ..session import Session
from .filters import described, tagged
from .ownership import NETWORK_TAG, PART_TAG, Owner
from .vpc_ipv6_source import AMAZON_POOL, Ipv6Block, Ipv6Source, refuse_source

PART = "vpc"
ASSOCIATED = "[?Ipv6CidrBlockState.State=='associated']"
FIRST_BLOCK = f"Vpcs[0].Ipv6CidrBlockAssociationSet{ASSOCIATED} | [0].Ipv6CidrBlock"
FIRST_STATE = f"Vpcs[0].Ipv6CidrBlockAssociationSet{ASSOCIATED} | [0].Ipv6CidrBlockState.State"
LEFT_COUNT = (
    "length(Vpcs[0].Ipv6CidrBlockAssociationSet[?Ipv6CidrBlockState.State=='associated'"
    " || Ipv6CidrBlockState.State=='disassociating'])"
)
NO_VPC = "vpc-none"  # no filter finds anything by it


@dataclass(frozen=True)
class Vpc:
    """A VPC as it shall be. None means not managed."""

    owner: Owner
    id: str | None
    filter_tags: Mapping[str, str] | None
    cidr_block: str | None
    ipv6: Ipv6Source | None
    enable_dns_support: bool | None
    enable_dns_hostnames: bool | None
    additional: tuple[Ipv6Source, ...] = ()
    removes_ipv6: bool = False

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return self.owner.address("vpc")

    @property
    def adopted(self) -> bool:
        """Whether the document names a VPC that somebody else made."""
        return self.id is not None or self.filter_tags is not None

    @classmethod
    def from_params(cls, params: Mapping[str, Any], owner: Owner) -> Vpc:
        """From the module's option C(vpc)."""
        source = params.get("ipv6")
        return cls(
            owner=owner,
            id=params.get("id"),
            filter_tags=params.get("filter_tags"),
            cidr_block=params.get("cidr_block"),
            ipv6=Ipv6Source(**source) if source else None,
            enable_dns_support=params.get("enable_dns_support"),
            enable_dns_hostnames=params.get("enable_dns_hostnames"),
            additional=tuple(Ipv6Source(**entry) for entry in params.get("additional_ipv6") or ()),
            removes_ipv6=bool(params.get("remove_ipv6")),
        )


@dataclass(frozen=True)
class Observed:
    """A VPC as it is; C(attributes) are read for a VPC that was found."""

    id: str
    cidr_blocks: tuple[str, ...]
    ipv6_blocks: tuple[Ipv6Block, ...]
    tags: Mapping[str, str]
    state: str = "available"
    enable_dns_support: bool = True
    enable_dns_hostnames: bool = False
    internet_gateway_block_mode: str = "off"

    @property
    def associated(self) -> tuple[Ipv6Block, ...]:
        """The blocks in use: DescribeVpcs keeps those that were taken off or failed in its list."""
        return tuple(block for block in self.ipv6_blocks if block.state == "associated")

    @property
    def associating(self) -> bool:
        """Whether a block is on its way, from a run that did not wait for it."""
        return any(block.state == "associating" for block in self.ipv6_blocks)


def refuse(desired: Vpc) -> list[Problem]:
    """What the document itself gets wrong, seen without a call."""
    problems = _refuse_ipv4(desired)
    if desired.id is not None and desired.filter_tags is not None:
        problems.append(Problem("vpc", "id and filter_tags both name a VPC.", "Give one of them."))
    if desired.ipv6 is not None:
        problems.extend(refuse_source("vpc.ipv6", desired.ipv6))
    for position, source in enumerate(desired.additional):
        problems.extend(refuse_source(f"vpc.additional_ipv6[{position}]", source))
    return problems + _refuse_dns(desired, desired.enable_dns_support, "vpc.enable_dns_support is false")


def observe(session: Session, desired: Vpc, present: bool = True) -> Observed | None:
    """The VPC that the document means; None when it is yet to be made. One call.

    @raises Refused  when an adopted VPC is not there but shall be C(present), or several carry the tags.
    """
    if desired.id is not None and is_pending(desired.id):
        return None
    found = [_observed(item) for item in _describe(session, desired)]
    if len(found) > 1:
        ids = ", ".join(sorted(item.id for item in found))
        raise Refused(Problem("vpc", f"{len(found)} VPCs match: {ids}.", "Give vpc.id."))
    if not found and desired.adopted and present:
        asked = desired.id or f"the tags {dict(desired.filter_tags or {})}"
        raise Refused(
            Problem("vpc", f"there is no VPC {asked} in {session.region}.", "Check the region, or leave vpc.id out.")
        )
    return found[0] if found else None


def observe_ids(session: Session, ids: Iterable[str]) -> dict[str, Observed]:
    """The VPCs with these ids, by id; one that is not there is left out."""
    found = [_observed(item) for item in described(session, "DescribeVpcs", "Vpcs", "vpc-id", ids)]
    return {item.id: item for item in found}


def with_vpc_id(session: Session, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters of a module in which C(vpc_filter_tags) has become C(vpc_id).

    @raises Refused  when not exactly one VPC carries the tags; with C(state=absent), none is as good as gone.
    """
    tags = params["vpc_filter_tags"]
    if tags is None:
        return params
    found = sorted(item["VpcId"] for item in tagged(session, "DescribeVpcs", "Vpcs", tags))
    if not found and params["state"] == "absent":
        return {**params, "vpc_id": NO_VPC}
    if len(found) != 1:
        message = f"{len(found) or 'no'} VPCs carry {dict(tags)}{': ' if found else ''}{', '.join(found)}."
        raise Refused(Problem("vpc_filter_tags", message, "Give vpc_id."))
    return {**params, "vpc_id": found[0]}


def attribute(session: Session, vpc_id: str, name: str) -> bool:
    """One of the two DNS attributes, which DescribeVpcs does not tell. C(name) is AWS's: enableDnsSupport, ..."""
    member = name[0].upper() + name[1:]
    return bool(session.read("ec2", "DescribeVpcAttribute", VpcId=vpc_id, Attribute=name)[member]["Value"])


def refuse_live(desired: Vpc, observed: Observed | None) -> list[Problem]:
    """What the live VPC does not allow."""
    if observed is None:
        return [] if desired.adopted else _refuse_new(desired)
    problems = []
    if desired.cidr_block and canonical(desired.cidr_block) not in observed.cidr_blocks:
        problems.append(
            Problem(
                "vpc.cidr_block",
                f"{observed.id} has {', '.join(observed.cidr_blocks)}, not {desired.cidr_block};"
                " the first block of a VPC cannot be changed.",
                "State the block it has, or leave the option out.",
            )
        )
    if not observed.associated and not observed.associating and desired.ipv6 is None and desired.adopted:
        problems.append(
            Problem("vpc.ipv6", f"{observed.id} has no IPv6 block.", "Give vpc.ipv6.provider to have one added.")
        )
    if desired.enable_dns_support is None:
        problems += _refuse_dns(desired, observed.enable_dns_support, f"{observed.id} has DNS support off")
    return problems + _refuse_other_source(desired, observed)


def plan(desired: Vpc, observed: Observed | None) -> Plan:
    """Make the VPC, its IPv6 blocks, its DNS attributes."""
    if observed is None and not desired.adopted:
        return Plan.of(_create(desired), _additional(desired, None), _attributes(desired, None))
    if observed is None:
        return Plan()
    return Plan.of(_ipv6_block(desired, observed), _additional(desired, observed), _attributes(desired, observed))


def vpc_id(desired: Vpc, observed: Observed | None) -> Any:
    """The VPC's id, for the requests of what lives in it."""
    if observed is not None:
        return observed.id
    return desired.id or Ref(desired.address, "Vpc.VpcId")


def ipv6_block(desired: Vpc, observed: Observed | None) -> Any:
    """The IPv6 block that subnets are cut from; a Ref until AWS has given it."""
    if desired.ipv6 is not None and desired.ipv6.cidr_block:
        return canonical(desired.ipv6.cidr_block)
    if observed is not None and observed.associated:
        main = _assigned(desired, observed)[0] or observed.associated[0]
        return canonical((main if main.cidr_block else observed.associated[0]).cidr_block)
    return Ref(desired.address, FIRST_BLOCK, label=f"{desired.address}/ipv6")


def ipv6_blocks(desired: Vpc, observed: Observed | None) -> list[Any]:
    """All IPv6 blocks that the VPC will have; Refs for those to come."""
    live: list[Any] = [canonical(block.cidr_block) for block in observed.associated] if observed else []
    if not live:
        live = [ipv6_block(desired, observed)]
    missing = enumerate(_missing(desired, observed))
    return live + [_block_to_come(desired, position, len(live) + count) for count, (position, _source) in missing]


def plan_blocks_absent(desired: Vpc, observed: Observed, used: Mapping[str, Sequence[str]]) -> Plan:
    """Take off the IPv6 blocks that nothing lies in. C(used) are the subnets that stay, by the VPC's block."""
    going = [block for block in observed.associated if not used.get(canonical(block.cidr_block))]
    steps = [
        Step(
            "ec2",
            "DisassociateVpcCidrBlock",
            {"AssociationId": block.association_id},
            desired.address,
            {"ipv6_cidr_block": block.cidr_block},
            {"ipv6_cidr_block": None},
            Risk.IRREVERSIBLE,
        )
        for block in going
    ]
    leaving = any(block.state == "disassociating" for block in observed.ipv6_blocks)
    staying = len(observed.associated) - len(going)
    request = {"VpcIds": [observed.id]}
    wait = Wait("ec2", "DescribeVpcs", request, LEFT_COUNT, tuple(range(staying + 1)), interval=2)
    return Plan.of(steps, Await(desired.address, wait) if going or leaving else None)


def plan_absent(desired: Vpc, observed: Observed | None) -> Plan:
    """Delete a VPC that this network made."""
    if observed is None or not desired.owner.owns(observed.tags, PART):
        return Plan()
    before = {"id": observed.id, "cidr_blocks": list(observed.cidr_blocks)}
    return Plan.of(
        Step("ec2", "DeleteVpc", {"VpcId": observed.id}, desired.address, before=before, risk=Risk.IRREVERSIBLE)
    )


def _describe(session: Session, desired: Vpc) -> list[Any]:
    if desired.id is not None:
        answer = session.find("ec2", "DescribeVpcs", VpcIds=[desired.id])
        return list(answer["Vpcs"]) if answer else []
    wanted = desired.filter_tags or {NETWORK_TAG: desired.owner.network, PART_TAG: PART}
    return tagged(session, "DescribeVpcs", "Vpcs", wanted)


def _observed(item: Mapping[str, Any]) -> Observed:
    blocks = tuple(
        Ipv6Block(
            association_id=entry["AssociationId"],
            cidr_block=entry.get("Ipv6CidrBlock", ""),
            state=entry["Ipv6CidrBlockState"]["State"],
            private=entry.get("Ipv6AddressAttribute") == "private",
            pool=entry.get("Ipv6Pool", AMAZON_POOL),
        )
        for entry in item.get("Ipv6CidrBlockAssociationSet", ())
    )
    ranges = tuple(
        entry["CidrBlock"]
        for entry in item.get("CidrBlockAssociationSet", ())
        if entry.get("CidrBlockState", {}).get("State", "associated") == "associated"
    )
    return Observed(
        id=item["VpcId"],
        cidr_blocks=ranges or (item["CidrBlock"],),
        ipv6_blocks=blocks,
        tags=tagging.to_dict(item.get("Tags")),
        state=item.get("State", "available"),
        internet_gateway_block_mode=item.get("BlockPublicAccessStates", {}).get("InternetGatewayBlockMode", "off"),
    )


def _refuse_ipv4(desired: Vpc) -> list[Problem]:
    if desired.cidr_block is None:
        return []
    try:
        block = ipv4(desired.cidr_block)
    except AddressError as error:
        return [Problem("vpc.cidr_block", f"{error}.", "Give an IPv4 block such as 10.0.0.0/16.")]
    if not 16 <= block.prefixlen <= 28:
        return [
            Problem("vpc.cidr_block", f"{block} is no /16 to /28, which is what EC2 takes.", "Choose another size.")
        ]
    return []


def _refuse_dns(desired: Vpc, support: bool | None, why: str) -> list[Problem]:
    """DNS hostnames without the support that they need."""
    if support is not False or not desired.enable_dns_hostnames:
        return []
    source = "EC2 API reference: ModifyVpcAttribute"
    return [Problem("vpc.enable_dns_hostnames", f"{why}.", "Give vpc.enable_dns_support: true as well.", source)]


def _refuse_new(desired: Vpc) -> list[Problem]:
    problems = []
    if not desired.cidr_block:
        message = "a new VPC needs an IPv4 block, also for IPv6."
        problems.append(Problem("vpc.cidr_block", message, "Give 10.0.0.0/16, say."))
    if _names_additional(desired) and desired.ipv6 is not None:
        message = f"a new VPC gets {desired.ipv6.cidr_block} as its first block."
        problems.append(Problem("vpc.additional_ipv6", message, "Leave it out here."))
    return problems


def _refuse_other_source(desired: Vpc, observed: Observed) -> list[Problem]:
    """A block that the VPC has not, though it has others: which one to cut subnets from would be a guess.

    Amazon's provider means "any block will do" here, as it is the default.
    """
    source, live = desired.ipv6, observed.associated
    if source is None or not live or (source.provider == "amazon" and source.cidr_block is None):
        return []
    if _names_additional(desired) or any(
        source.is_of(block) for block in observed.ipv6_blocks if block.state in ("associated", "associating")
    ):
        return []
    has = ", ".join(sorted(f"{canonical(block.cidr_block)} ({block.pool})" for block in live))
    asked = source.cidr_block or f"one of provider {source.provider}"
    option = "vpc.ipv6.cidr_block" if source.cidr_block else "vpc.ipv6.provider"
    return [Problem(option, f"{observed.id} has {has}, not {asked}.", "Correct it, or add it by vpc.additional_ipv6.")]


def _create(desired: Vpc) -> Step:
    source = desired.ipv6 or Ipv6Source("amazon")
    tags = desired.owner.wanted_tags(PART)
    request = {
        "CidrBlock": canonical(desired.cidr_block or ""),
        **source.request(),
        "TagSpecifications": tagging.specification("vpc", tags),
    }
    after = {
        "cidr_block": request["CidrBlock"],
        "ipv6": {"provider": source.provider, "cidr_block": source.cidr_block, "prefix_length": source.prefix_length},
        "tags": tags,
    }
    return Step("ec2", "CreateVpc", request, desired.address, after=after, wait=_wait(desired, None))


def _ipv6_block(desired: Vpc, observed: Observed) -> Step | Await | None:
    if observed.associated:
        return None
    if observed.associating:
        return Await(desired.address, _wait(desired, observed))
    source = desired.ipv6 or Ipv6Source("amazon")
    request = {"VpcId": observed.id, **source.request()}
    after = {"ipv6_blocks": [{"provider": source.provider, "prefix_length": source.prefix_length}]}
    return Step(
        "ec2",
        "AssociateVpcCidrBlock",
        request,
        desired.address,
        {"ipv6_blocks": []},
        after,
        wait=_wait(desired, observed),
    )


def _assigned(desired: Vpc, observed: Observed) -> list[Ipv6Block | None]:
    """The live block of the main source (the first that subnets are cut from) and of each additional one.

    As many as can be, so that a block is never added again because AWS lists the blocks in another order.
    """
    live = [block for block in observed.ipv6_blocks if block.state in ("associated", "associating")]
    main = None if _names_additional(desired) else desired.ipv6

    def fits(position: int, block: Ipv6Block) -> bool:
        if position > 0:
            return desired.additional[position - 1].is_of(block)
        return main is None or (main.provider == "amazon" and not main.cidr_block) or main.is_of(block)

    def best(position: int, free: tuple[Ipv6Block, ...]) -> list[Ipv6Block | None]:
        if position > len(desired.additional):
            return []
        options: list[list[Ipv6Block | None]] = [
            [block, *best(position + 1, tuple(item for item in free if item is not block))]
            for block in free
            if fits(position, block)
        ]
        options.append([None, *best(position + 1, free)])
        return max(options, key=lambda option: sum(item is not None for item in option))

    return best(0, tuple(live))


def _names_additional(desired: Vpc) -> bool:
    """Whether the block that subnets are cut from is one of the additional ones: then it is no block besides them."""
    main = desired.ipv6.cidr_block if desired.ipv6 else None
    given = [source.cidr_block for source in desired.additional if source.cidr_block]
    return main is not None and canonical(main) in [canonical(block) for block in given]


def _missing(desired: Vpc, observed: Observed | None) -> list[tuple[int, Ipv6Source]]:
    """The additional blocks that the VPC lacks, each with its position in the document."""
    found = _assigned(desired, observed)[1:] if observed is not None else [None] * len(desired.additional)
    pairs = enumerate(zip(desired.additional, found, strict=True))
    return [(position, source) for position, (source, block) in pairs if block is None]


def _additional(desired: Vpc, observed: Observed | None) -> list[Step | Await]:
    """Add further blocks one by one, each waited for: AWS takes no two at a time."""
    items: list[Step | Await] = []
    count = max(1, len(observed.associated)) if observed else 1
    request = {"VpcIds": [vpc_id(desired, observed)]}
    on_their_way = len([block for block in observed.ipv6_blocks if block.state == "associating"]) if observed else 0
    if observed and observed.associated and on_their_way:
        count += on_their_way
        items.append(Await(desired.address, _count_wait(request, count)))
    for position, source in _missing(desired, observed):
        count += 1
        asked = {"VpcId": vpc_id(desired, observed), **source.request()}
        after = {"ipv6_blocks": {"provider": source.provider, "cidr_block": source.cidr_block}}
        address = _additional_address(desired, position)
        wait = _count_wait(request, count)
        items.append(Step("ec2", "AssociateVpcCidrBlock", asked, address, after=after, wait=wait))
    return items


def _additional_address(desired: Vpc, position: int) -> str:
    return f"{desired.address}/additional-ipv6-{position}"


def _block_to_come(desired: Vpc, position: int, index: int) -> Any:
    source = desired.additional[position]
    if source.cidr_block:
        return canonical(source.cidr_block)
    address = _additional_address(desired, position)
    return Ref(address, f"Vpcs[0].Ipv6CidrBlockAssociationSet{ASSOCIATED} | [{index}].Ipv6CidrBlock")


def _count_wait(request: Mapping[str, Any], count: int) -> Wait:
    """Until so many blocks are associated."""
    path = f"Vpcs[0].Ipv6CidrBlockAssociationSet{ASSOCIATED} | [{count - 1}].Ipv6CidrBlockState.State"
    return Wait("ec2", "DescribeVpcs", request, path, ("associated",), interval=2)


def _wait(desired: Vpc, observed: Observed | None) -> Wait:
    request = {"VpcIds": [vpc_id(desired, observed)]}
    return Wait("ec2", "DescribeVpcs", request, FIRST_STATE, ("associated",), interval=2)


def _attributes(desired: Vpc, observed: Observed | None) -> list[Step]:
    """A new VPC gets both attributes, since nodes cannot register without them; an adopted one those that are given."""
    wanted = {
        "EnableDnsSupport": (desired.enable_dns_support, observed.enable_dns_support if observed else True),
        "EnableDnsHostnames": (desired.enable_dns_hostnames, observed.enable_dns_hostnames if observed else False),
    }
    steps = []
    for member, (given, current) in wanted.items():
        target = (None if desired.adopted else True) if given is None else given
        if target is None or target == current:
            continue
        option = "enable_dns_support" if member == "EnableDnsSupport" else "enable_dns_hostnames"
        request = {"VpcId": vpc_id(desired, observed), member: {"Value": target}}
        risk = Risk.SAFE if target else Risk.DISRUPTIVE
        steps.append(
            Step("ec2", "ModifyVpcAttribute", request, desired.address, {option: current}, {option: target}, risk)
        )
    return steps
