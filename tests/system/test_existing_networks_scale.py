# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large network: 200 subnets, 40 route tables, 100 groups with 2,000 rules. Calls are counted, time is compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import existing_networks as existing
import pytest
from harness import Player

SUBNETS, TABLES, GROUPS, RULES = 200, 40, 100, 20
Aws = Callable[..., Any]
Invocation = tuple[str, dict[str, Any]]


def large(ec2: Any) -> existing.Network:
    """Five subnets a table, twenty rules a group: half from anywhere, half from the VPC."""
    old = existing.make(ec2, subnets=SUBNETS)
    tables = [ec2.create_route_table(VpcId=old.vpc_id)["RouteTable"]["RouteTableId"] for _unused in range(TABLES - 2)]
    for number, subnet_id in enumerate(old.subnets[1:]):
        ec2.associate_route_table(RouteTableId=tables[number % len(tables)], SubnetId=subnet_id)
    for number in range(GROUPS):
        group = ec2.create_security_group(GroupName=f"g{number}", Description="d", VpcId=old.vpc_id)["GroupId"]
        permissions = [
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "IpRanges": [{"CidrIp": "0.0.0.0/0" if port % 2 else "10.9.0.0/16"}],
            }
            for port in range(1000, 1000 + RULES)
        ]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return old


def invocations(old: existing.Network) -> list[Invocation]:
    return [
        ("ec2_subnet_ipv6", {"vpc_id": old.vpc_id, "state": "present", "assign_ipv6_address_on_creation": True}),
        (
            "ec2_route_ipv6",
            {
                "vpc_id": old.vpc_id,
                "subnet_filter_tags": {},
                "routes": [{"target": "egress_only_internet_gateway"}],
                "create_egress_only_internet_gateway": True,
            },
        ),
        ("ec2_security_group_ipv6", {"vpc_id": old.vpc_id}),
    ]


def plain_reads(operations: Counter[str], vpc_id: str, group_ids: list[str]) -> None:
    """The same reads by boto3, in a session of its own, and nothing else."""
    client = boto3.client("ec2", region_name="eu-west-1")
    filters = {
        "DescribeEgressOnlyInternetGateways": [],
        "DescribeSecurityGroupRules": [{"Name": "group-id", "Values": group_ids}],
    }
    names = {
        "DescribeSubnets": "describe_subnets",
        "DescribeVpcs": "describe_vpcs",
        "DescribeRouteTables": "describe_route_tables",
        "DescribeSecurityGroups": "describe_security_groups",
        "DescribeSecurityGroupRules": "describe_security_group_rules",
        "DescribeEgressOnlyInternetGateways": "describe_egress_only_internet_gateways",
    }
    for operation in operations:
        asked = filters.get(operation, [{"Name": "vpc-id", "Values": [vpc_id]}])
        for _page in client.get_paginator(names[operation]).paginate(**({"Filters": asked} if asked else {})):
            pass


def seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def times_as_long(ours: Callable[[], Any], plain: Callable[[], Any], bound: float) -> float:
    """The quickest run of ours by the quickest plain one.

    The two take turns, so that whatever else the machine does meets both. It can only ever make a run longer: so as
    long as the bound is not kept, more turns are taken, up to twenty.
    """
    of_ours, of_plain = [], []
    for turn in range(20):
        of_ours.append(seconds(ours))
        of_plain.append(seconds(plain))
        if turn >= 3 and min(of_ours) < bound * min(of_plain):
            break
    return min(of_ours) / min(of_plain)


@pytest.mark.slow
def test_a_large_network_costs_few_calls_and_little_time(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = large(ec2)
    journal = player.emulator.journal
    expected = {
        "ec2_subnet_ipv6": {"AssociateSubnetCidrBlock": SUBNETS, "ModifySubnetAttribute": SUBNETS},
        "ec2_route_ipv6": {"CreateEgressOnlyInternetGateway": 1, "CreateRoute": TABLES - 1},
        "ec2_security_group_ipv6": {"AuthorizeSecurityGroupIngress": GROUPS},
    }
    groups = [
        item["GroupId"] for item in ec2.describe_security_groups()["SecurityGroups"] if item["VpcId"] == old.vpc_id
    ]
    ratios = {}
    for module, options in invocations(old):
        journal.clear()
        player(module, **options)
        assert Counter(call.operation for call in journal.writes()) == expected[module]
        journal.clear()
        player.unchanged(module, **options)
        reads = Counter(call.operation for call in journal.calls)
        begun = Counter(call.operation for call in journal.calls if not call.request.get("NextToken"))
        assert set(begun.values()) == {1}, reads
        ratios[module] = times_as_long(
            partial(player, module, **options), partial(plain_reads, reads, old.vpc_id, groups), bound=1.5
        )
    assert max(ratios.values()) < 1.5, ratios
