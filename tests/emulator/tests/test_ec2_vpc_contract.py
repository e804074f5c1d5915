# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: VPCs and their address blocks, IPAM and BYOIP pools."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen

API = "EC2 API reference: "
QUOTAS = "VPC user guide: quotas"
CLI = "AWS CLI reference: example of "
ASSOCIATE = API + "AssociateVpcCidrBlock"


def _second_block(world: World) -> list[str]:
    world.ec2.associate_vpc_cidr_block(VpcId=world.vpc, AmazonProvidedIpv6CidrBlock=True)
    return [block["Ipv6CidrBlockState"]["State"] for block in world.blocks()]


def _six_blocks(world: World) -> None:
    for _unused in range(5):
        world.ec2.associate_vpc_cidr_block(VpcId=world.vpc, AmazonProvidedIpv6CidrBlock=True)


def _ipam_pool(world: World, locale: str = "eu-west-1", source: str = "amazon", **more: Any) -> str:
    ipam = world.ec2.create_ipam(OperatingRegions=[{"RegionName": "eu-west-1"}, {"RegionName": "eu-west-2"}])["Ipam"]
    pool: str = world.ec2.create_ipam_pool(
        IpamScopeId=ipam["PublicDefaultScopeId"],
        AddressFamily="ipv6",
        Locale=locale,
        AwsService="ec2",
        PublicIpSource=source,
        **more,
    )["IpamPool"]["IpamPoolId"]
    world.ec2.describe_ipam_pools(IpamPoolIds=[pool])
    world.ec2.provision_ipam_pool_cidr(IpamPoolId=pool, NetmaskLength=52)
    return pool


def _ipam_vpc(world: World, pool: str | None = None, length: int = 56) -> dict[str, Any]:
    vpc = world.ec2.create_vpc(
        CidrBlock="10.9.0.0/16", Ipv6IpamPoolId=pool or _ipam_pool(world), Ipv6NetmaskLength=length
    )["Vpc"]["VpcId"]
    return world.blocks(vpc)[0]


def _full_pool(world: World) -> None:
    pool = _ipam_pool(world)
    _ipam_vpc(world, pool, 52)
    _ipam_vpc(world, pool)


def _byoip_vpc(world: World, block: str, cidr: str = "2001:db8:1200::/40") -> Any:
    pool = world.emulator.ipv6_pool(cidr)
    vpc = world.ec2.create_vpc(CidrBlock="10.9.0.0/16", Ipv6Pool=pool, Ipv6CidrBlock=block)["Vpc"]["VpcId"]
    found = world.blocks(vpc)[0]
    return found["Ipv6CidrBlock"], found["IpSource"], found["Ipv6Pool"] == pool


def _associated(world: World, **source: Any) -> tuple[str, str, str, int]:
    """State, pool, source and length of a block that a VPC gets later."""
    answer = world.ec2.associate_vpc_cidr_block(VpcId=world.ipv4_vpc, **source)["Ipv6CidrBlockAssociation"]
    block = world.blocks(world.ipv4_vpc)[0]
    pool = "a pool" if block["Ipv6Pool"].startswith("ipv6pool-") else block["Ipv6Pool"]
    length = ipaddress.IPv6Network(block["Ipv6CidrBlock"]).prefixlen
    return answer["Ipv6CidrBlockState"]["State"], pool, block["IpSource"], length


def _reused_block(world: World) -> bool:
    """Whether a pool's block can be had again after it was disassociated."""
    pool = _ipam_pool(world)
    first = world.ec2.create_vpc(CidrBlock="10.9.0.0/16", Ipv6IpamPoolId=pool, Ipv6NetmaskLength=52)["Vpc"]["VpcId"]
    block = world.blocks(first)[0]
    world.ec2.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])
    world.blocks(first)
    again: dict[str, Any] = _ipam_vpc(world, pool, 52)
    return bool(again["Ipv6CidrBlock"] == block["Ipv6CidrBlock"])


def _disassociated(world: World) -> list[str]:
    block = world.blocks()[0]
    answer = world.ec2.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])
    states = [answer["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"]["State"]]
    world.emulator.transitions("ec2::vpc_cidr", times=2)
    return states + [world.blocks()[0]["Ipv6CidrBlockState"]["State"] for _unused in range(2)]


def _in_use(world: World) -> None:
    world.subnet(1)
    world.ec2.disassociate_vpc_cidr_block(AssociationId=world.blocks()[0]["AssociationId"])


def _new_vpc(world: World, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = world.ec2.create_vpc(CidrBlock="10.5.0.0/16", **more)["Vpc"]
    return made


def _progress(world: World) -> list[tuple[str, bool]]:
    """State and whether the block is told: in CreateVpc's answer, then in two describes."""
    world.emulator.transitions("ec2::vpc_cidr", times=2)
    made = _new_vpc(world, AmazonProvidedIpv6CidrBlock=True)
    blocks = [made["Ipv6CidrBlockAssociationSet"][0], *(world.blocks(made["VpcId"])[0] for _unused in range(2))]
    return [(block["Ipv6CidrBlockState"]["State"], bool(block["Ipv6CidrBlock"])) for block in blocks]


def _canonical(world: World) -> bool:
    found = [
        world.blocks(world.settled(_new_vpc(world, AmazonProvidedIpv6CidrBlock=True)["VpcId"])) for _unused in range(8)
    ]
    texts = [blocks[0]["Ipv6CidrBlock"] for blocks in found]
    networks = [ipaddress.IPv6Network(text) for text in texts]
    return texts == [str(network) for network in networks] and {network.prefixlen for network in networks} == {56}


def _attribute(world: World, *attributes: dict[str, Any]) -> Any:
    for attribute in attributes:
        world.ec2.modify_vpc_attribute(VpcId=world.vpc, **attribute)
    return world.ec2.describe_vpc_attribute(VpcId=world.vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"][
        "Value"
    ]


def _delete_with(world: World, what: str) -> None:
    getattr(world, what)
    world.ec2.delete_vpc(VpcId=world.vpc)


def _ends(world: World) -> Any:
    world.ec2.delete_vpc(VpcId=world.vpc)
    filters = [{"Name": "vpc-id", "Values": [world.vpc]}]
    return [
        len(world.ec2.describe_vpcs(Filters=filters)["Vpcs"]),
        len(world.ec2.describe_route_tables(Filters=filters)["RouteTables"]),
        len(world.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]),
        len(world.ec2.describe_network_acls(Filters=filters)["NetworkAcls"]),
    ]


def _block_public_access(world: World) -> Any:
    world.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    subnet = world.subnet_view(world.subnet(1))
    return world.vpc_view()["BlockPublicAccessStates"], subnet["BlockPublicAccessStates"]


def _endpoint(world: World, number: int = 1, ipv6: bool = True) -> tuple[str, str]:
    """Address type and DNS record type of an interface endpoint, found by its address type."""
    world.ec2.create_vpc_endpoint(
        VpcId=world.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-1.sts",
        SubnetIds=[world.subnet(number, ipv6=ipv6)],
        IpAddressType="dualstack",
        DnsOptions={"DnsRecordIpType": "dualstack"},
    )
    found = world.ec2.describe_vpc_endpoints(Filters=[{"Name": "ip-address-type", "Values": ["dualstack"]}])
    endpoint = found["VpcEndpoints"][0]
    return endpoint["IpAddressType"], endpoint["DnsOptions"]["DnsRecordIpType"]


def _endpoint_states(world: World) -> list[Any]:
    """An interface endpoint as it is made and then described, and what a gateway endpoint is."""
    subnet = world.subnet(1)
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        world.ec2.modify_vpc_attribute(VpcId=world.vpc, **{attribute: {"Value": True}})
    made = _private_endpoint(world, [subnet])
    described = world.ec2.describe_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])["VpcEndpoints"][0]["State"]
    gateway = world.ec2.create_vpc_endpoint(VpcId=world.vpc, ServiceName="com.amazonaws.eu-west-1.s3")["VpcEndpoint"]
    return [made["State"], described, gateway["State"], gateway["VpcEndpointType"], gateway["PrivateDnsEnabled"]]


def _private_endpoint(world: World, subnets: list[str]) -> Any:
    return world.ec2.create_vpc_endpoint(
        VpcId=world.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-1.sts",
        SubnetIds=subnets,
        PrivateDnsEnabled=True,
    )["VpcEndpoint"]


BLOCKED = {"InternetGatewayBlockMode": "block-bidirectional"}
RULES: list[Rule] = [
    seen(
        [("associating", False), ("associating", False), ("associated", True)],
        "a VPC's IPv6 block is associating first, and not told before it is associated",
        CLI + "create-vpc",
        _progress,
    ),
    seen(True, "Amazon's blocks are /56 and canonical", API + "CreateVpc (/56); canonical: presumed", _canonical),
    seen(
        ("Amazon", "amazon", "public", "eu-west-1"),
        "a block of Amazon's names its pool, source, attribute and border group",
        API + "VpcIpv6CidrBlockAssociation",
        lambda w: tuple(
            w.blocks()[0][k] for k in ("Ipv6Pool", "IpSource", "Ipv6AddressAttribute", "NetworkBorderGroup")
        ),
    ),
    seen(
        "10.7.0.0/16",
        "CreateVpc changes an IPv4 block to its canonical form",
        API + "CreateVpc",
        lambda w: w.ec2.create_vpc(CidrBlock="10.7.9.4/16")["Vpc"]["CidrBlock"],
    ),
    refused(
        "InvalidVpc.Range", "a VPC is /16 to /28", API + "CreateVpc", lambda w: w.ec2.create_vpc(CidrBlock="10.0.0.0/8")
    ),
    refused(
        "MissingParameter",
        "a VPC needs an IPv4 block, also when it has an IPv6 one",
        "terraform-provider-aws issue 42414",
        lambda w: w.ec2.create_vpc(AmazonProvidedIpv6CidrBlock=True),
    ),
    seen(["associated", "associated"], "a VPC can have a second IPv6 block", QUOTAS, _second_block),
    refused("CidrLimitExceeded", "a VPC has at most five IPv6 blocks", QUOTAS, _six_blocks),
    refused(
        "InvalidParameterCombination",
        "one request has one source of IPv6 blocks",
        ASSOCIATE + ", code presumed",
        lambda w: _new_vpc(
            w, AmazonProvidedIpv6CidrBlock=True, Ipv6Pool="ipv6pool-ec2-1", Ipv6CidrBlock="2001:db8::/56"
        ),
    ),
    refused(
        "InvalidParameterCombination",
        "an IPv6 block is named together with its pool",
        ASSOCIATE + ", code presumed",
        lambda w: w.ec2.associate_vpc_cidr_block(VpcId=w.vpc, Ipv6CidrBlock="2001:db8::/56"),
    ),
    seen(
        ("2001:db8:1200::/56", "byoip", True),
        "a block of a BYOIP pool",
        API + "CreateVpc (Ipv6Pool)",
        lambda w: _byoip_vpc(w, "2001:DB8:1200:0::/56"),
    ),
    seen(
        ("associating", "a pool", "byoip", 60),
        "AssociateVpcCidrBlock takes a block of a BYOIP pool",
        ASSOCIATE,
        lambda w: _associated(w, Ipv6Pool=w.emulator.ipv6_pool("2001:db8::/40"), Ipv6CidrBlock="2001:db8:0:10::/60"),
    ),
    seen(
        ("associating", "IPAM Managed", "amazon", 60),
        "and one of an IPAM pool",
        ASSOCIATE,
        lambda w: _associated(w, Ipv6IpamPoolId=_ipam_pool(w), Ipv6NetmaskLength=60),
    ),
    refused(
        "InvalidParameterValue",
        "a block outside its BYOIP pool",
        "presumed",
        lambda w: _byoip_vpc(w, "2001:db8:9900::/56"),
    ),
    refused(
        "InvalidParameterValue",
        "a VPC's IPv6 block is /44 to /60 in steps of 4",
        "VPC user guide: VPC CIDR blocks",
        lambda w: _byoip_vpc(w, "2001:db8:1200::/58"),
    ),
    refused(
        "InvalidIpv6PoolId.NotFound",
        "an unknown BYOIP pool",
        "presumed",
        lambda w: _new_vpc(w, Ipv6Pool="ipv6pool-ec2-0a", Ipv6CidrBlock="2001:db8::/56"),
    ),
    seen(
        ["2001:db8:1200::/40"],
        "DescribeIpv6Pools shows the account's BYOIP pools",
        API + "DescribeIpv6Pools",
        lambda w: (
            (w.emulator.ipv6_pool("2001:db8:1200::/40"), 0)[1:]
            and [p["PoolCidrBlocks"][0]["Cidr"] for p in w.ec2.describe_ipv6_pools()["Ipv6Pools"]]
        ),
    ),
    seen(
        ("IPAM Managed", "amazon", 56),
        "a block of an IPAM pool, by netmask length",
        API + "CreateVpc (Ipv6IpamPoolId)",
        lambda w: (
            (b := _ipam_vpc(w)) and (b["Ipv6Pool"], b["IpSource"], ipaddress.IPv6Network(b["Ipv6CidrBlock"]).prefixlen)
        ),
    ),
    refused(
        "InvalidParameterValue",
        "an IPAM pool serves the region that is its locale",
        API + "CreateIpamPool (Locale)",
        lambda w: _ipam_vpc(w, _ipam_pool(w, "eu-west-2")),
    ),
    refused("InsufficientCidrBlocks", "an IPAM pool that is used up", "presumed", _full_pool),
    refused(
        "InvalidIpamPoolId.NotFound",
        "an unknown IPAM pool",
        "presumed",
        lambda w: _new_vpc(w, Ipv6IpamPoolId="ipam-pool-0123456789abcdef0", Ipv6NetmaskLength=56),
    ),
    refused(
        "MissingParameter",
        "an IPAM pool without a default length needs a netmask length",
        API + "CreateVpc (Ipv6NetmaskLength), code presumed",
        lambda w: _new_vpc(w, Ipv6IpamPoolId=_ipam_pool(w)),
    ),
    seen(True, "a disassociated block goes back to its pool", "IPAM user guide: release an allocation", _reused_block),
    seen(
        ["disassociating", "disassociating", "disassociated"],
        "a block is disassociating, then disassociated and still listed",
        API + "VpcCidrBlockState; that it stays listed: presumed",
        _disassociated,
    ),
    refused(
        "InvalidCidrBlock.InUse",
        "a block that a subnet uses isn't disassociated",
        "error quoted in public issues",
        _in_use,
    ),
    refused(
        "InvalidVpcCidrBlockAssociationID.NotFound",
        "an unknown association",
        "terraform-provider-aws: internal/service/ec2/errors.go",
        lambda w: w.ec2.disassociate_vpc_cidr_block(AssociationId="vpc-cidr-assoc-0123456789abcdef0"),
    ),
    refused(
        "OperationNotPermitted",
        "the primary IPv4 block stays",
        API + "DisassociateVpcCidrBlock",
        lambda w: w.ec2.disassociate_vpc_cidr_block(
            AssociationId=w.vpc_view()["CidrBlockAssociationSet"][0]["AssociationId"]
        ),
    ),
    refused(
        "InvalidParameterCombination",
        "DNS support and DNS hostnames are not changed in one request",
        API + "ModifyVpcAttribute, code presumed",
        lambda w: _attribute(w, {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}),
    ),
    refused(
        "InvalidParameterCombination",
        "DNS hostnames need DNS support",
        API + "ModifyVpcAttribute, code presumed",
        lambda w: _attribute(w, {"EnableDnsSupport": {"Value": False}}, {"EnableDnsHostnames": {"Value": True}}),
    ),
    seen(
        True,
        "DNS hostnames once enabled read back",
        API + "ModifyVpcAttribute",
        lambda w: _attribute(w, {"EnableDnsHostnames": {"Value": True}}),
    ),
    *(
        refused(
            "DependencyViolation",
            f"a VPC with {what} isn't deleted",
            API + "DeleteVpc",
            lambda w, name=name: _delete_with(w, name),  # type: ignore[misc]
        )
        for name, what in {
            "public": "a subnet",
            "igw": "an internet gateway",
            "eigw": "an egress-only internet gateway",
            "table": "a route table",
            "group": "a security group",
        }.items()
    ),
    seen([0, 0, 0, 0], "a VPC takes its main table, default group and ACL with it", API + "DeleteVpc", _ends),
    seen(
        (BLOCKED, BLOCKED),
        "Block Public Access shows on VPCs and subnets",
        API + "BlockPublicAccessStates",
        _block_public_access,
    ),
    seen(
        ("dualstack", "dualstack"),
        "an endpoint keeps its address type and DNS options",
        API + "CreateVpcEndpoint",
        _endpoint,
    ),
    refused(
        "InvalidParameterValue",
        "a dual-stack endpoint needs subnets with IPv6",
        API + "CreateVpcEndpoint, code presumed",
        lambda w: _endpoint(w, ipv6=False),
    ),
    seen(
        ["pending", "available", "available", "Gateway", False],
        "an interface endpoint is pending first; one without a type is a gateway, without private DNS",
        API + "CreateVpcEndpoint, VpcEndpoint; how long it is pending: presumed",
        _endpoint_states,
    ),
    refused(
        "InvalidParameter",
        "private DNS needs the VPC's DNS attributes",
        API + "CreateVpcEndpoint, code presumed",
        lambda w: _private_endpoint(w, [w.subnet(1)]),
    ),
    refused(
        "InvalidVpcID.NotFound", "an unknown VPC", API + "error codes", lambda w: w.vpc_view("vpc-0123456789abcdef0")
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_vpc_rule(rule: Rule, world: World) -> None:
    rule.check(world)


def test_two_regions_are_two_places(world: World) -> None:
    """A VPC of one region is unknown in another."""
    assert world.vpc
    assert world.vpc not in [item["VpcId"] for item in world.aws("ec2", "us-east-1").describe_vpcs()["Vpcs"]]
    zones = {item["ZoneName"]: item["ZoneId"] for item in world.ec2.describe_availability_zones()["AvailabilityZones"]}
    assert sorted(zones) == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert sorted(zones.values()) == ["euw1-az1", "euw1-az2", "euw1-az3"]


def test_arns_are_of_the_partition(world: World) -> None:
    """ARNs say aws-us-gov and aws-cn in those regions."""
    for region, partition in (("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws")):
        ec2 = world.aws("ec2", region)
        subnet = ec2.describe_subnets()["Subnets"][0]
        group = ec2.describe_security_groups()["SecurityGroups"][0]
        assert subnet["SubnetArn"].startswith(f"arn:{partition}:ec2:{region}:")
        assert group["SecurityGroupArn"].startswith(f"arn:{partition}:ec2:{region}:")
