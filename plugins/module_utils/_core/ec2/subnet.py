# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnets of a network: IPv4 and IPv6 ranges, auto-assigned addresses, DNS64, public IPv4, role tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import tags as tagging
from ..addressing import AddressError, canonical, ipv4, ipv6
from ..plan import Await, Plan, Problem, Ref, Risk, Step, Wait
from ..session import Session
from .filters import described
from .ownership import Owner

# Tags by which load balancer controllers find subnets (AWS Load Balancer Controller: subnet auto discovery).
ROLE_TAGS = {True: {"kubernetes.io/role/elb": "1"}, False: {"kubernetes.io/role/internal-elb": "1"}}
CNI_TAG = "kubernetes.io/role/cni"
NOT_READY = (
    "length(Subnets[?State!='available' || !Ipv6CidrBlockAssociationSet[?Ipv6CidrBlockState.State=='associated']])"
)
NOT_GONE = (
    "length(Subnets[].Ipv6CidrBlockAssociationSet[?Ipv6CidrBlockState.State=='associated'"
    " || Ipv6CidrBlockState.State=='disassociating'][])"
)


@dataclass(frozen=True)
class Attribute:
    """One attribute that instances launched in a subnet take from it, with what a new subnet has."""

    option: str
    member: str
    needs_ipv6: bool = False
    default: Any = False

    def value(self, target: Any) -> Any:
        """As ModifySubnetAttribute takes it."""
        return target if isinstance(target, str) else {"Value": target}


# EC2 API reference: ModifySubnetAttribute, one attribute a call.
ATTRIBUTES = (
    Attribute("assign_ipv6_address_on_creation", "AssignIpv6AddressOnCreation", needs_ipv6=True),
    Attribute("map_public_ip_on_launch", "MapPublicIpOnLaunch"),
    Attribute("enable_dns64", "EnableDns64", needs_ipv6=True),
    Attribute("private_dns_hostname_type_on_launch", "PrivateDnsHostnameTypeOnLaunch", default="ip-name"),
    Attribute("enable_resource_name_dns_a_record_on_launch", "EnableResourceNameDnsARecordOnLaunch"),
    Attribute(
        "enable_resource_name_dns_aaaa_record_on_launch", "EnableResourceNameDnsAAAARecordOnLaunch", needs_ipv6=True
    ),
)


@dataclass(frozen=True)
class Subnet:
    """A subnet as it shall be. C(cidr_block) and C(ipv6) are None until the layout has placed it."""

    owner: Owner
    name: str
    public: bool
    availability_zone: str | None
    option: str
    id: str | None = None
    filter_tags: Mapping[str, str] | None = None
    cidr_block: str | None = None
    prefix_length: int = 20
    ipv6_cidr_block: str | None = None
    ipv6_slot: int | None = None
    map_public_ip_on_launch: bool | None = None
    tags: Mapping[str, str] | None = None

    @property
    def part(self) -> str:
        """What the subnet is within its network: the key of its ownership tag."""
        return f"subnet/{self.name}"

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return self.owner.address("subnet", self.name)

    @property
    def adopted(self) -> bool:
        """Whether the document names a subnet that somebody else made."""
        return self.id is not None or self.filter_tags is not None

    def wanted_tags(self) -> dict[str, str]:
        """A made subnet gets its name, role and ownership; an adopted one nothing but what is given."""
        if self.adopted:
            return dict(self.tags or {})
        return self.owner.wanted_tags(self.part, self.name, {**ROLE_TAGS[self.public], **(self.tags or {})})


@dataclass(frozen=True)
class Observed:
    """A subnet as it is."""

    id: str
    availability_zone: str
    cidr_block: str | None
    ipv6_cidr_block: str | None
    ipv6_state: str | None
    assign_ipv6_address_on_creation: bool
    map_public_ip_on_launch: bool
    enable_dns64: bool
    tags: Mapping[str, str]
    state: str = "available"
    outpost_arn: str | None = None
    ipv6_native: bool = False
    vpc_id: str = ""
    ipv6_association_id: str | None = None
    ipv6_leaving: bool = False
    private_dns_hostname_type_on_launch: str = "ip-name"
    enable_resource_name_dns_a_record_on_launch: bool = False
    enable_resource_name_dns_aaaa_record_on_launch: bool = False
    internet_gateway_block_mode: str = "off"

    @property
    def ready(self) -> bool:
        """Whether its IPv6 block is in use, so that attributes which need one can be set."""
        return self.state == "available" and self.ipv6_state == "associated"


@dataclass(frozen=True)
class Placed:
    """A subnet with its place: what it shall be, what it is, its ranges (Refs where AWS decides) and its slot."""

    subnet: Subnet
    observed: Observed | None
    cidr_block: Any
    ipv6_cidr_block: Any
    slot: int | None

    @property
    def id(self) -> Any:
        """The subnet's id, for requests."""
        return self.observed.id if self.observed else Ref(self.subnet.address, "Subnet.SubnetId")


def observe(session: Session, vpc_id: str) -> list[Observed]:
    """Every subnet of a VPC, in one paged read."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    return [_observed(item) for item in session.pages("ec2", "DescribeSubnets", "Subnets", Filters=filters)]


def observe_ids(session: Session, ids: Iterable[str]) -> list[Observed]:
    """The subnets with these ids; one that is not there is left out."""
    return [_observed(item) for item in described(session, "DescribeSubnets", "Subnets", "subnet-id", ids)]


def refuse(desired: Sequence[Subnet]) -> list[Problem]:
    """What the document itself gets wrong."""
    names = [subnet.name for subnet in desired]
    problems = [
        Problem("subnets", f"two subnets would be called {name}.", "Give each its own name in that zone.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    for subnet in desired:
        problems.extend(_refuse_ranges(subnet))
        if subnet.id is not None and subnet.filter_tags is not None:
            problems.append(Problem(subnet.option, "id and filter_tags both name a subnet.", "Give one of them."))
        if subnet.availability_zone is None and not subnet.adopted:
            problems.append(Problem(subnet.option, "a new subnet needs an availability_zone."))
    return problems


def match(desired: Subnet, live: Iterable[Observed]) -> tuple[Observed | None, list[Problem]]:
    """The live subnet that a document's subnet means: by id, by tags, or by ownership."""
    candidates = [item for item in live if _means(desired, item)]
    if len(candidates) > 1:
        ids = ", ".join(sorted(item.id for item in candidates))
        return None, [Problem(desired.option, f"{len(candidates)} subnets match: {ids}.", "Give its id.")]
    if not candidates and desired.adopted:
        asked = desired.id or f"the tags {dict(desired.filter_tags or {})}"
        return None, [Problem(desired.option, f"the VPC has no subnet {asked}.", "Correct it, or leave it out.")]
    return (candidates[0] if candidates else None), []


def refuse_live(desired: Subnet, observed: Observed) -> list[Problem]:
    """What the live subnet is, and can never become."""
    where = f"{desired.option} ({observed.id})"
    problems = []
    if observed.outpost_arn:
        problems.append(
            Problem(where, "is on an Outpost.", source="EKS user guide: IPv6 cannot be used with AWS Outposts")
        )
    if observed.ipv6_native or not observed.cidr_block:
        problems.append(
            Problem(where, "has no IPv4 range.", source="EKS user guide: subnets need an IPv4 and an IPv6 block")
        )
    if desired.availability_zone and desired.availability_zone != observed.availability_zone:
        problems.append(Problem(where, f"is in {observed.availability_zone}, not {desired.availability_zone}."))
    if desired.cidr_block and observed.cidr_block and canonical(desired.cidr_block) != observed.cidr_block:
        problems.append(
            Problem(where, f"has {observed.cidr_block}, not {desired.cidr_block}; a range cannot be changed.")
        )
    wanted = desired.ipv6_cidr_block
    if wanted and observed.ipv6_cidr_block and canonical(wanted) != canonical(observed.ipv6_cidr_block):
        problems.append(
            Problem(where, f"has {observed.ipv6_cidr_block}, not {wanted}; this module never takes a block off.")
        )
    return problems


def plan_blocks(vpc_id: Any, placed: Sequence[Placed]) -> Plan:
    """Make what is missing, add missing IPv6 blocks, and wait once for all of them."""
    steps = [_create(vpc_id, item) if item.observed is None else _associate(item) for item in placed]
    waiting = [item for item in placed if item.observed is None or not item.observed.ready]
    return Plan.of([step for step in steps if step is not None], _await(waiting))


def plan_attributes(placed: Sequence[Placed]) -> Plan:
    """The attributes that nodes need, of every subnet of a network."""
    return Plan.of([step for item in placed for step in _attributes(item)])


def attribute_steps(address: str, subnet_id: Any, observed: Observed | None, wanted: Mapping[str, Any]) -> list[Step]:
    """Attributes that differ from what is wanted, by option; None is not managed. EC2 takes one attribute a call."""
    steps = []
    for attribute in ATTRIBUTES:
        target, option = wanted.get(attribute.option), attribute.option
        current = getattr(observed, option) if observed else attribute.default
        if target is None or target == current:
            continue
        request = {"SubnetId": subnet_id, attribute.member: attribute.value(target)}
        risk = Risk.DISRUPTIVE if target is False else Risk.SAFE
        steps.append(Step("ec2", "ModifySubnetAttribute", request, address, {option: current}, {option: target}, risk))
    return steps


def plan_blocks_absent(placed: Sequence[Placed]) -> Plan:
    """Take IPv6 blocks off, after what needs them, and wait once until all are gone.

    EC2 refuses to take off the block of a subnet that assigns addresses out of it.
    """
    attributes, blocks, leaving = [], [], []
    needing = {attribute.option: False for attribute in ATTRIBUTES if attribute.needs_ipv6}
    for item in placed:
        if item.observed is None:
            continue
        attributes += attribute_steps(item.subnet.address, item.id, item.observed, needing)
        if item.observed.ipv6_association_id:
            blocks.append(_disassociate(item.subnet.address, item.observed))
        if item.observed.ipv6_association_id or item.observed.ipv6_leaving:
            leaving.append(item.id)
    return Plan.of(attributes, blocks, await_gone(leaving))


def await_gone(subnet_ids: Sequence[Any]) -> Await | None:
    """Wait until blocks that are being taken off are gone."""
    if not subnet_ids:
        return None
    wait = Wait("ec2", "DescribeSubnets", {"SubnetIds": list(subnet_ids)}, NOT_GONE, (0,), interval=2)
    return Await(f"{len(subnet_ids)} subnets (IPv6 blocks still there)", wait)


def cni_warnings(items: Iterable[Observed]) -> list[str]:
    """Subnets in which the VPC CNI makes no interface, by their tag."""
    return [
        f"{item.id} carries {CNI_TAG}=0: the VPC CNI from 1.22 on then looks for another subnet, with calls that no "
        "IPv6 policy allows."
        for item in items
        if item.tags.get(CNI_TAG) == "0"
    ]


def blocked_warnings(items: Iterable[Observed]) -> list[str]:
    """Subnets of which nothing leaves (VPC user guide: block public access to VPCs and subnets)."""
    shut = [item.id for item in items if item.internet_gateway_block_mode == "block-bidirectional"]
    text = (
        "VPC Block Public Access is bidirectional: nothing passes the internet gateway, the NAT gateways and the "
        f"egress-only internet gateway from or to {', '.join(shut)}. Exclude the VPC."
    )
    return [text] if shut else []


def facts(placed: Placed) -> dict[str, Any]:
    """The subnet as it will be."""
    observed = placed.observed
    wanted = placed.subnet.wanted_tags()
    public = _public_ipv4(placed.subnet)
    return {
        "id": placed.id,
        "name": placed.subnet.name,
        "public": placed.subnet.public,
        "availability_zone": observed.availability_zone if observed else placed.subnet.availability_zone,
        "cidr_block": placed.cidr_block,
        "ipv6_cidr_block": placed.ipv6_cidr_block,
        "ipv6_slot": placed.slot,
        "assign_ipv6_address_on_creation": True,
        "map_public_ip_on_launch": observed.map_public_ip_on_launch if public is None and observed else bool(public),
        "adopted": placed.subnet.adopted,
        "tags": tagging.after(observed.tags if observed else {}, wanted, ()),
    }


def _means(desired: Subnet, item: Observed) -> bool:
    if desired.id is not None:
        return item.id == desired.id
    if desired.filter_tags is not None:
        in_zone = desired.availability_zone in (None, item.availability_zone)
        return in_zone and all(item.tags.get(key) == value for key, value in desired.filter_tags.items())
    return desired.owner.owns(item.tags, desired.part)


def _observed(item: Mapping[str, Any]) -> Observed:
    blocks = [
        entry
        for entry in item.get("Ipv6CidrBlockAssociationSet", ())
        if entry["Ipv6CidrBlockState"]["State"] in ("associated", "associating")
    ]
    names = item.get("PrivateDnsNameOptionsOnLaunch", {})
    return Observed(
        id=item["SubnetId"],
        vpc_id=item["VpcId"],
        availability_zone=item["AvailabilityZone"],
        cidr_block=item.get("CidrBlock"),
        ipv6_cidr_block=blocks[0]["Ipv6CidrBlock"] if blocks else None,
        ipv6_state=blocks[0]["Ipv6CidrBlockState"]["State"] if blocks else None,
        assign_ipv6_address_on_creation=item.get("AssignIpv6AddressOnCreation", False),
        map_public_ip_on_launch=item.get("MapPublicIpOnLaunch", False),
        enable_dns64=item.get("EnableDns64", False),
        tags=tagging.to_dict(item.get("Tags")),
        state=item.get("State", "available"),
        outpost_arn=item.get("OutpostArn"),
        ipv6_native=item.get("Ipv6Native", False),
        ipv6_association_id=blocks[0]["AssociationId"] if blocks else None,
        ipv6_leaving=any(
            entry["Ipv6CidrBlockState"]["State"] == "disassociating"
            for entry in item.get("Ipv6CidrBlockAssociationSet", ())
        ),
        private_dns_hostname_type_on_launch=names.get("HostnameType", "ip-name"),
        enable_resource_name_dns_a_record_on_launch=names.get("EnableResourceNameDnsARecord", False),
        enable_resource_name_dns_aaaa_record_on_launch=names.get("EnableResourceNameDnsAAAARecord", False),
        internet_gateway_block_mode=item.get("BlockPublicAccessStates", {}).get("InternetGatewayBlockMode", "off"),
    )


def _refuse_ranges(subnet: Subnet) -> list[Problem]:
    problems = []
    try:
        if subnet.cidr_block and not 16 <= ipv4(subnet.cidr_block).prefixlen <= 28:
            problems.append(Problem(f"{subnet.option}.cidr_block", f"{subnet.cidr_block} is no /16 to /28."))
    except AddressError as error:
        problems.append(Problem(f"{subnet.option}.cidr_block", f"{error}."))
    try:
        if subnet.ipv6_cidr_block and ipv6(subnet.ipv6_cidr_block).prefixlen not in range(44, 65, 4):
            problems.append(
                Problem(f"{subnet.option}.ipv6_cidr_block", f"{subnet.ipv6_cidr_block} is no /44 to /64 in steps of 4.")
            )
    except AddressError as error:
        problems.append(Problem(f"{subnet.option}.ipv6_cidr_block", f"{error}."))
    if subnet.ipv6_slot is not None and subnet.ipv6_cidr_block:
        problems.append(Problem(f"{subnet.option}.ipv6_slot", "and ipv6_cidr_block exclude each other."))
    return problems


def _create(vpc_id: Any, placed: Placed) -> Step:
    subnet = placed.subnet
    tags = subnet.wanted_tags()
    request = {
        "VpcId": vpc_id,
        "AvailabilityZone": subnet.availability_zone,
        "CidrBlock": placed.cidr_block,
        "Ipv6CidrBlock": placed.ipv6_cidr_block,
        "TagSpecifications": tagging.specification("subnet", tags),
    }
    after = {
        "availability_zone": subnet.availability_zone,
        "cidr_block": placed.cidr_block,
        "ipv6_cidr_block": placed.ipv6_cidr_block,
        "tags": tags,
    }
    return Step("ec2", "CreateSubnet", request, subnet.address, after=after)


def _associate(placed: Placed) -> Step | None:
    if placed.observed is None or placed.observed.ipv6_cidr_block:
        return None
    request = {"SubnetId": placed.observed.id, "Ipv6CidrBlock": placed.ipv6_cidr_block}
    return Step(
        "ec2",
        "AssociateSubnetCidrBlock",
        request,
        placed.subnet.address,
        {"ipv6_cidr_block": None},
        {"ipv6_cidr_block": placed.ipv6_cidr_block},
    )


def _await(waiting: Sequence[Placed]) -> Await | None:
    if not waiting:
        return None
    wait = Wait("ec2", "DescribeSubnets", {"SubnetIds": [item.id for item in waiting]}, NOT_READY, (0,), interval=2)
    return Await(f"{len(waiting)} subnets (not ready)", wait)


def _disassociate(address: str, observed: Observed) -> Step:
    return Step(
        "ec2",
        "DisassociateSubnetCidrBlock",
        {"AssociationId": observed.ipv6_association_id},
        address,
        {"ipv6_cidr_block": observed.ipv6_cidr_block},
        {"ipv6_cidr_block": None},
        Risk.IRREVERSIBLE,
    )


def _public_ipv4(subnet: Subnet) -> bool | None:
    """Whether instances get public IPv4 addresses; None where that is not managed."""
    if subnet.map_public_ip_on_launch is None and not subnet.adopted:
        return subnet.public
    return subnet.map_public_ip_on_launch


def to_come(subnet_id: str, planned: Mapping[str, Any], vpc_id: str = "") -> Observed:
    """A subnet that C(ec2_vpc_ipv6_network) is about to make, as that module makes it; C(planned) is what it told."""
    return Observed(
        id=subnet_id,
        vpc_id=vpc_id,
        availability_zone=planned.get("availability_zone") or "",
        cidr_block=planned.get("cidr_block"),
        ipv6_cidr_block=planned.get("ipv6_cidr_block") or f"{subnet_id}/ipv6",
        ipv6_state="associated",
        assign_ipv6_address_on_creation=True,
        map_public_ip_on_launch=bool(planned.get("map_public_ip_on_launch")),
        enable_dns64=False,
        tags=planned.get("tags") or {},
    )


def _attributes(placed: Placed) -> list[Step]:
    subnet = placed.subnet
    wanted = {
        "assign_ipv6_address_on_creation": True,
        "map_public_ip_on_launch": _public_ipv4(subnet),
        "enable_dns64": None if subnet.adopted else False,
    }
    return attribute_steps(subnet.address, placed.id, placed.observed, wanted)
