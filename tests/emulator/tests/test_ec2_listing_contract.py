# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contract: filters, paging, DryRun and tags, the same for every operation."""

from __future__ import annotations

from typing import Any

import pytest
from eksops_contract import Rule, World, refused, seen
from moto.core.utils import get_service_model

from eksops_emulator.ec2.listing import documented
from eksops_emulator.ec2.listings import LISTINGS

API = "EC2 API reference: "


def _ids(world: World, operation: str, key: str, item: str, **filters: str) -> list[str]:
    given = [{"Name": name.replace("__", ".").replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    answer = getattr(world.ec2, operation)(Filters=given)
    return [found[item] for found in answer[key]]


def _subnet(world: World, **filters: str) -> bool:
    """Whether these filters find the second of two subnets, and only that."""
    world.subnet(1)
    second = world.subnet(2, auto=True)
    return _ids(world, "describe_subnets", "Subnets", "SubnetId", **filters) == [second]


def _dns64(world: World) -> bool:
    world.subnet(1)
    world.modify(second := world.subnet(2), EnableDns64={"Value": True})
    return _ids(world, "describe_subnets", "Subnets", "SubnetId", enable_dns64="true") == [second]


def _table(world: World, **filters: str) -> bool:
    world.route("::/0", EgressOnlyInternetGatewayId=world.eigw)
    return _ids(world, "describe_route_tables", "RouteTables", "RouteTableId", **filters) == [world.table]


def _group(world: World, **filters: str) -> bool:
    world.allow("2001:db8::/64")
    return _ids(world, "describe_security_groups", "SecurityGroups", "GroupId", **filters) == [world.group]


def _tagged(world: World, name: str, *values: str) -> int:
    for text in ("one", "two"):
        tags = [{"ResourceType": "egress-only-internet-gateway", "Tags": [{"Key": "Name", "Value": text}]}]
        vpc = world.vpc if text == "one" else world.other_vpc
        world.ec2.create_egress_only_internet_gateway(VpcId=vpc, TagSpecifications=tags)
    given = [{"Name": name, "Values": list(values)}]
    return len(world.ec2.describe_egress_only_internet_gateways(Filters=given)["EgressOnlyInternetGateways"])


def _pages(world: World) -> list[int]:
    for number in range(12):
        world.subnet(number)
    mine = [{"Name": "vpc-id", "Values": [world.vpc]}]
    pages = world.ec2.get_paginator("describe_subnets").paginate(Filters=mine, PaginationConfig={"PageSize": 5})
    return [len(page["Subnets"]) for page in pages]


def _foreign_token(world: World) -> None:
    for number in range(6):
        world.subnet(number)
    token = world.ec2.describe_subnets(MaxResults=5)["NextToken"]
    world.ec2.describe_route_tables(NextToken=token)


def _types(world: World) -> set[str]:
    """The resource types that DescribeTags names for a tagged VPC, address, gateways and template."""
    tags = [{"Key": "a", "Value": "b"}]
    template = world.template()
    for resource in (world.vpc, world.nat, world.address, world.eigw, world.igw, template):
        world.ec2.create_tags(Resources=[resource], Tags=tags)
    return {
        item["ResourceType"] for item in world.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["a"]}])["Tags"]
    }


def _dry(world: World, operation: str, **given: Any) -> Any:
    before = len(world.emulator.journal.writes())
    try:
        getattr(world.ec2, operation)(DryRun=True, **given)
    except world.ec2.exceptions.ClientError as answer:
        error = answer.response["Error"]["Code"]
        return (
            error,
            answer.response["ResponseMetadata"]["HTTPStatusCode"],
            len(world.emulator.journal.writes()) - before,
        )
    return "done"


RULES: list[Rule] = [
    seen(
        True,
        "subnets by IPv6 block",
        API + "DescribeSubnets",
        lambda w: _subnet(w, ipv6_cidr_block_association__ipv6_cidr_block=w.slot(2)),
    ),
    seen(
        2,
        "subnets by the state of their IPv6 block",
        API + "DescribeSubnets",
        lambda w: (
            w.subnet(1),
            w.subnet(2),
            w.ec2.describe_subnets(),
            len(_ids(w, "describe_subnets", "Subnets", "SubnetId", ipv6_cidr_block_association__state="associated")),
        )[-1],
    ),
    seen(True, "subnets by DNS64", API + "DescribeSubnets", _dns64),
    seen(True, "subnets by IPv4 block", API + "DescribeSubnets", lambda w: _subnet(w, cidr_block="10.0.2.0/24")),
    seen(True, "a wildcard stands for any text", API + "Filter", lambda w: _subnet(w, cidr_block="10.0.2.*")),
    seen(
        True,
        "VPCs by their IPv6 pool",
        API + "DescribeVpcs",
        lambda w: (
            _ids(w, "describe_vpcs", "Vpcs", "VpcId", vpc_id=w.vpc, ipv6_cidr_block_association__ipv6_pool="Amazon")
            == [w.vpc]
        ),
    ),
    seen(
        True,
        "route tables by IPv6 destination",
        API + "DescribeRouteTables",
        lambda w: _table(w, route__destination_ipv6_cidr_block="::/0"),
    ),
    seen(
        True,
        "route tables by egress-only gateway",
        API + "DescribeRouteTables",
        lambda w: _table(w, route__egress_only_internet_gateway_id=w.eigw),
    ),
    seen(
        True,
        "groups by IPv6 block",
        API + "DescribeSecurityGroups",
        lambda w: _group(w, ip_permission__ipv6_cidr="2001:db8::/64"),
    ),
    seen(
        True,
        "interfaces by IPv6 address",
        API + "DescribeNetworkInterfaces",
        lambda w: (
            (e := w.ec2.create_network_interface(SubnetId=w.subnet(1), Ipv6AddressCount=1)["NetworkInterface"])
            and _ids(
                w,
                "describe_network_interfaces",
                "NetworkInterfaces",
                "NetworkInterfaceId",
                ipv6_addresses__ipv6_address=e["Ipv6Addresses"][0]["Ipv6Address"],
            )
            == [e["NetworkInterfaceId"]]
        ),
    ),
    seen(
        1,
        "egress-only gateways by tag",
        API + "DescribeEgressOnlyInternetGateways",
        lambda w: _tagged(w, "tag:Name", "two"),
    ),
    seen(2, "one of several values is enough", API + "Filter", lambda w: _tagged(w, "tag:Name", "one", "two")),
    seen(2, "by tag key", API + "Filter", lambda w: _tagged(w, "tag-key", "Name")),
    refused(
        "InvalidParameterValue",
        "egress-only gateways have no filter for the VPC",
        API + "DescribeEgressOnlyInternetGateways",
        lambda w: _tagged(w, "attachment.vpc-id", w.vpc),
    ),
    *(
        refused(
            "InvalidParameterValue",
            f"{operation} refuses an unknown filter",
            API + operation,
            lambda w, call=operation: w.ec2._make_api_call(
                call, {"Filters": [{"Name": "no-such-filter", "Values": ["x"]}]}
            ),  # type: ignore[misc]
        )
        for operation in (
            "DescribeVpcs",
            "DescribeSubnets",
            "DescribeRouteTables",
            "DescribeInstances",
            "DescribeImages",
            "DescribeVolumes",
        )
    ),
    seen([5, 5, 2], "MaxResults pages", API + "pagination", _pages),
    refused("InvalidNextToken", "a token of another operation", API + "error codes", _foreign_token),
    refused(
        "InvalidParameterValue",
        "MaxResults above its bound",
        API + "DescribeSubnets",
        lambda w: w.ec2.describe_subnets(MaxResults=1001),
    ),
    refused(
        "InvalidParameterCombination",
        "instance ids with MaxResults",
        API + "DescribeInstances",
        lambda w: w.ec2.describe_instances(InstanceIds=[w.run(w.subnet(1))["InstanceId"]], MaxResults=5),
    ),
    *(
        seen(
            ("DryRunOperation", 412, 0),
            f"DryRun of {operation} does nothing",
            API + "DryRun",
            lambda w, call=operation, arguments=given: _dry(w, call, **arguments(w)),  # type: ignore[misc]
        )
        for operation, given in {
            "create_vpc": lambda _unused: {"CidrBlock": "10.0.0.0/16"},
            "create_subnet": lambda w: {"VpcId": w.vpc, "CidrBlock": "10.0.0.0/24"},
            "create_route_table": lambda w: {"VpcId": w.vpc},
            "create_egress_only_internet_gateway": lambda w: {"VpcId": w.vpc},
            "create_nat_gateway": lambda w: {"SubnetId": w.public},
            "create_tags": lambda w: {"Resources": [w.vpc], "Tags": [{"Key": "a", "Value": "b"}]},
            "describe_vpcs": lambda _unused: {},
        }.items()
    ),
    seen(
        {"vpc", "natgateway", "elastic-ip", "egress-only-internet-gateway", "internet-gateway", "launch-template"},
        "DescribeTags names resource types as EC2 does",
        API + "ResourceType",
        _types,
    ),
    refused(
        "InvalidSubnetID.NotFound",
        "tags of an unknown subnet",
        API + "error codes",
        lambda w: w.ec2.create_tags(Resources=["subnet-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]),
    ),
    refused(
        "InvalidParameterValue",
        "tags that begin with aws:",
        API + "error codes",
        lambda w: w.ec2.create_tags(Resources=[w.vpc], Tags=[{"Key": "aws:x", "Value": "b"}]),
    ),
    refused(
        "InvalidParameterValue",
        "tags for another type of resource",
        API + "TagSpecification",
        lambda w: w.ec2.create_vpc(
            CidrBlock="10.0.0.0/16",
            TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}],
        ),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_listing_rule(rule: Rule, world: World) -> None:
    rule.check(world)


# Other names of documented filters: EC2's documentation says so in the text of the filter, or names them nowhere else.
ALIASES = {
    "DescribeVpcs": {"cidr-block", "cidrBlock", "isDefault"},
    "DescribeSubnets": {"availabilityZone", "availabilityZoneId", "cidr", "cidrBlock", "defaultForAz"},
}


@pytest.mark.parametrize("operation", sorted(LISTINGS))
def test_filters_are_those_that_botocore_documents(operation: str) -> None:
    """No filter is accepted that EC2 doesn't have."""
    known = documented(get_service_model("ec2").operation_model(operation))
    mine = set(LISTINGS[operation].filters) - ALIASES.get(operation, set())
    assert not known or mine <= known


def six_of_each(world: World) -> None:
    """Six of everything that can be listed, beside what an account has from the beginning."""
    for number in range(6):
        vpc = world.ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        subnet = world.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.0.0/24")["Subnet"]["SubnetId"]
        gateway = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        world.ec2.create_egress_only_internet_gateway(VpcId=vpc)
        world.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "n", "Value": str(number)}])
        address = world.ec2.allocate_address(Domain="vpc")["AllocationId"]
        world.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
        world.run(subnet)
        template = world.template(f"lt{number}")
        world.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"EbsOptimized": True})
        endpoint = {"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.eu-west-1.s3"}
        world.ec2.create_vpc_endpoint(VpcId=vpc, **endpoint)
        world.ec2.create_security_group(GroupName=f"g{number}", Description="d", VpcId=world.vpc)
        world.emulator.ipv6_pool(f"2001:db8:{number}00::/40")
        ipam = world.ec2.create_ipam(OperatingRegions=[{"RegionName": "eu-west-1"}])["Ipam"]
        scope = ipam["PrivateDefaultScopeId"]
        world.ec2.create_ipam_pool(IpamScopeId=scope, AddressFamily="ipv6", Locale="eu-west-1")


def test_every_list_pages(world: World) -> None:
    """MaxResults cuts a list, the token goes on where it was cut, and the pages together are the whole list."""
    six_of_each(world)
    needed = {
        "GetSecurityGroupsForVpc": {"VpcId": world.vpc},
        "DescribeLaunchTemplateVersions": {"Versions": ["$Latest", "$Default"]},
    }
    paged = []
    for operation, how in LISTINGS.items():
        shape = get_service_model("ec2").operation_model(operation).input_shape
        if shape is None or "MaxResults" not in shape.members:
            continue
        given = needed.get(operation, {})
        whole, token = world.ec2._make_api_call(operation, {**given}), None
        items, pages = [], 0
        while pages == 0 or token:
            more = {"NextToken": token} if token else {}
            answer = world.ec2._make_api_call(operation, {**given, "MaxResults": 5, **more})
            items += answer[how.key]
            pages, token = pages + 1, answer.get("NextToken")
            assert len(answer[how.key]) <= 5
            if pages > 2 and len(items) > 15:
                break
        assert pages > 1, operation
        assert items == whole[how.key][: len(items)], operation
        paged.append(operation)
    assert len(paged) >= 20


def test_a_filter_that_only_the_emulator_lacks_is_not_implemented(world: World) -> None:
    """501 and never a wrong list; the client doesn't retry it."""
    with pytest.raises(world.ec2.exceptions.ClientError) as refusal:
        world.ec2.describe_instances(Filters=[{"Name": "boot-mode", "Values": ["uefi"]}])
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
