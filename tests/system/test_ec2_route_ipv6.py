# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_route_ipv6 against the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player, operations

MODULE = "ec2_route_ipv6"
Aws = Callable[..., Any]
TO_EIGW = [{"target": "egress_only_internet_gateway"}]
TO_IGW = [{"target": "internet_gateway"}]
DOCS = {"destination": "2001:db8::/48"}


def routes(ec2: Any, table_id: str, both: bool = False) -> dict[str, str]:
    """A table's IPv6 routes, local ones left out; with `both` the IPv4 ones too."""
    found = {}
    for route in ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]["Routes"]:
        destination = route.get("DestinationIpv6CidrBlock") or (both and route.get("DestinationCidrBlock"))
        if destination and route.get("GatewayId") != "local":
            ends = ("GatewayId", "EgressOnlyInternetGatewayId", "NatGatewayId", "TransitGatewayId")
            ends += ("VpcPeeringConnectionId", "NetworkInterfaceId")
            found[destination] = next(route[key] for key in ends if route.get(key))
    return found


def serving(ec2: Any, network: existing.Network, subnet_id: str) -> str:
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc_id]}])["RouteTables"]
    for table in tables:
        if any(entry.get("SubnetId") == subnet_id for entry in table["Associations"]):
            return str(table["RouteTableId"])
    return network.main_table


def eigw(ec2: Any, vpc_id: str) -> str:
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc_id)["EgressOnlyInternetGateway"]
    return str(made["EgressOnlyInternetGatewayId"])


def test_subnets_get_a_way_out_through_a_gateway_made_on_request(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    before = existing.ipv4(ec2)
    options = {"vpc_id": old.vpc_id, "subnet_ids": old.subnets, "routes": TO_EIGW}
    assert "create_egress_only_internet_gateway" in player.refuses(MODULE, **options)
    result = player.converge(MODULE, **options, create_egress_only_internet_gateway=True, tags={"team": "net"})
    assert operations(result["plan"]) == [
        ("ec2", "CreateEgressOnlyInternetGateway"),
        ("ec2", "CreateRoute"),
        ("ec2", "CreateRoute"),
    ]
    gateway = result["egress_only_internet_gateway_ids"][old.vpc_id]
    assert routes(ec2, old.table) == routes(ec2, old.main_table) == {"::/0": gateway}
    assert existing.ipv4(ec2) == before
    removed = player.converge(MODULE, **options, create_egress_only_internet_gateway=True, state="absent")
    assert (removed["left"], existing.ipv4(ec2)) == ([], before)
    assert ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"] == []


def test_a_gateway_is_found_by_attachment(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    foreign, own = eigw(ec2, other.vpc_id), eigw(ec2, old.vpc_id)
    player.converge(MODULE, subnet_ids=[old.subnets[0]], routes=TO_EIGW, create_egress_only_internet_gateway=True)
    assert routes(ec2, old.table) == {"::/0": own}
    player.converge(
        MODULE,
        subnet_ids=[old.subnets[0]],
        routes=TO_EIGW,
        create_egress_only_internet_gateway=True,
        state="absent",
    )
    live = ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    assert {item["EgressOnlyInternetGatewayId"] for item in live} == {foreign, own}


def test_the_default_route_moves_from_igw_to_eigw(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_route_table answers changed=false and leaves the subnet public."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ec2.create_route(RouteTableId=old.table, DestinationIpv6CidrBlock="::/0", GatewayId=old.gateway)
    gateway = eigw(ec2, old.vpc_id)
    result = player.converge(MODULE, route_table_ids=[old.table], routes=TO_EIGW)
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("ReplaceRoute", "disruptive")]
    assert result["plan"][0]["before"] == {"::/0": old.gateway}
    assert result["plan"][0]["after"] == {"::/0": gateway}
    assert routes(ec2, old.table) == {"::/0": gateway}


def test_an_ipv6_route_is_taken_away(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_route_table skips IPv6 routes when it purges."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    for destination in ("::/0", "2001:db8:8000::/48"):
        ec2.create_route(RouteTableId=old.table, DestinationIpv6CidrBlock=destination, GatewayId=old.gateway)
    named = {"route_table_ids": [old.table], "state": "absent"}
    player.unchanged(MODULE, **named, routes=[{"destination": "::/0", "target": "eigw-0123456789abcdef0"}])
    result = player.converge(MODULE, **named, routes=[{"destination": "0::0/0"}])
    assert operations(result["plan"]) == [("ec2", "DeleteRoute")]
    assert routes(ec2, old.table, both=True) == {"2001:db8:8000::/48": old.gateway, "0.0.0.0/0": old.gateway}


def test_an_egress_only_gateway_is_sent_as_what_it_is(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_route_table sends gateway_id: eigw-... as GatewayId, which AWS refuses."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    gateway = eigw(ec2, old.vpc_id)
    result = player.converge(MODULE, route_table_ids=[old.table], routes=[{"target": gateway}])
    assert result["plan"][0]["request"]["EgressOnlyInternetGatewayId"] == gateway


def test_a_table_with_prefix_list_routes_is_managed(player: Player, aws: Aws) -> None:
    """amazon.aws.ec2_vpc_route_table crashes on destinations that are prefix lists."""
    ec2 = aws("ec2")
    old = existing.make(ec2)
    made = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=2, AddressFamily="IPv4")["PrefixList"]
    ec2.create_route(RouteTableId=old.table, DestinationPrefixListId=made["PrefixListId"], GatewayId=old.gateway)
    player.converge(MODULE, route_table_ids=[old.table], routes=TO_IGW)
    assert routes(ec2, old.table) == {"::/0": old.gateway}


def test_all_kinds_of_targets(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old, other = existing.make(ec2), existing.make(ec2, cidr="10.8.0.0/16")
    interface = ec2.create_network_interface(SubnetId=old.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    transit = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    peering = ec2.create_vpc_peering_connection(VpcId=old.vpc_id, PeerVpcId=other.vpc_id)["VpcPeeringConnection"]
    wanted = {
        "2001:db8:1::/48": transit,
        "2001:db8:2::/48": peering["VpcPeeringConnectionId"],
        "2001:db8:3::/48": interface,
        "::/0": old.gateway,
    }
    listed = [{"destination": destination, "target": target} for destination, target in wanted.items()]
    result = player.converge(MODULE, route_table_ids=[old.table], routes=listed)
    assert routes(ec2, old.table) == wanted
    black = [{"route_table_id": old.table, "destination": "2001:db8:3::/48", "target": interface}]
    assert result["blackholes"] == []
    again = player.unchanged(MODULE, route_table_ids=[old.table], routes=listed)
    assert again["blackholes"] == black
    assert interface in again["warnings"][0]


def test_nat64_goes_where_ipv4_goes(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=old.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    while ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] != "available":
        pass
    ec2.create_route(RouteTableId=old.main_table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    nat64 = [{"destination": "64:FF9B::/96", "target": "nat_gateway"}]
    player.converge(MODULE, subnet_ids=old.subnets[1:], routes=nat64)
    assert routes(ec2, old.main_table) == {"64:ff9b::/96": nat}
    assert "does not lead to a NAT gateway" in player.refuses(MODULE, route_table_ids=[old.table], routes=nat64)
    assert "64:ff9b::/96 only" in player.refuses(MODULE, route_table_ids=[old.table], routes=[{"target": nat}])


def test_a_shared_table_is_not_changed_unless_told_to(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    msg = player.refuses(MODULE, subnet_ids=[old.subnets[1]], routes=TO_IGW)
    assert "shared_tables" in msg and old.subnets[2] in msg and "main table" in msg
    assert old.subnets[0] not in msg
    player.converge(MODULE, subnet_ids=[old.subnets[1]], routes=TO_IGW, shared_tables="change")
    assert routes(ec2, old.main_table) == {"::/0": old.gateway}
    player.unchanged(MODULE, subnet_ids=[old.subnets[1]], routes=TO_IGW)


def test_a_shared_table_is_split_with_all_its_routes(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ec2.associate_route_table(RouteTableId=old.table, SubnetId=old.subnets[1])
    ec2.create_route(RouteTableId=old.table, DestinationIpv6CidrBlock="2001:db8::/48", GatewayId=old.gateway)
    ec2.create_route(RouteTableId=old.table, DestinationIpv6CidrBlock="::/0", GatewayId=old.gateway)
    before, gateway = routes(ec2, old.table, both=True), eigw(ec2, old.vpc_id)
    options = {"subnet_ids": old.subnets[1:], "routes": TO_EIGW, "shared_tables": "split", "tags": {"team": "net"}}
    result = player.converge(MODULE, **options)
    changes = [(step["operation"], step["risk"]) for step in result["plan"]]
    assert ("ReplaceRouteTableAssociation", "disruptive") in changes
    part = serving(ec2, old, old.subnets[1])
    assert routes(ec2, part, both=True) == {**before, "::/0": gateway}
    assert routes(ec2, old.table, both=True) == before
    assert serving(ec2, old, old.subnets[2]) == old.main_table
    assert routes(ec2, old.main_table) == {"::/0": gateway}
    assert {item["id"]: item["split_from"] for item in result["route_tables"]} == {
        part: old.table,
        old.main_table: None,
    }
    removed = player.converge(MODULE, **{**options, "state": "absent"})
    assert removed["left"] == [
        {"resource": part, "reason": f"it was split from {old.table} and serves {old.subnets[1]}"}
    ]


def extras(ec2: Any, old: existing.Network, *tables: str) -> tuple[str, str]:
    """A gateway endpoint and a propagating virtual private gateway of tables."""
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpcId=old.vpc_id, VpnGatewayId=gateway)
    for table in tables:
        ec2.enable_vgw_route_propagation(RouteTableId=table, GatewayId=gateway)
    service = "com.amazonaws.eu-west-1.s3"
    made = ec2.create_vpc_endpoint(VpcId=old.vpc_id, ServiceName=service, RouteTableIds=list(tables))
    return made["VpcEndpoint"]["VpcEndpointId"], gateway


def extras_of(ec2: Any, table_id: str) -> tuple[list[str], list[str]]:
    """The gateway endpoints and propagating gateways of a table."""
    table = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]
    ends = [route["GatewayId"] for route in table["Routes"] if route.get("DestinationPrefixListId")]
    return ends, [item["GatewayId"] for item in table["PropagatingVgws"]]


def test_a_split_takes_gateway_endpoints_and_propagating_gateways_along(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    endpoint, gateway = extras(ec2, old, old.main_table)
    result = player.converge(MODULE, subnet_ids=[old.subnets[1]], routes=TO_IGW, shared_tables="split")
    assert [operation for _service, operation in operations(result["plan"])] == [
        "CreateRouteTable",
        "EnableVgwRoutePropagation",
        "ModifyVpcEndpoint",
        "CreateRoute",
        "AssociateRouteTable",
    ]
    part = serving(ec2, old, old.subnets[1])
    assert extras_of(ec2, part) == extras_of(ec2, old.main_table) == ([endpoint], [gateway])


def test_a_table_with_a_blackhole_cannot_be_split(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    interface = ec2.create_network_interface(SubnetId=old.subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.create_route(RouteTableId=old.main_table, DestinationCidrBlock="192.0.2.0/24", NetworkInterfaceId=interface)
    msg = player.refuses(MODULE, subnet_ids=[old.subnets[1]], routes=TO_IGW, shared_tables="split")
    assert "192.0.2.0/24 (a blackhole)" in msg


def test_a_split_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    def arranged() -> tuple[Any, existing.Network, dict[str, Any]]:
        ec2 = aws("ec2")
        old = existing.make(ec2, subnets=4)
        ec2.create_route(RouteTableId=old.main_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=old.gateway)
        extras(ec2, old, old.main_table)
        return (
            ec2,
            old,
            {
                "subnet_ids": old.subnets[1:3],
                "routes": TO_EIGW,
                "shared_tables": "split",
                "create_egress_only_internet_gateway": True,
            },
        )

    _ec2, _old, options = arranged()
    total = len(player.check(MODULE, **options)["plan"])
    for stopped_after in range(total):
        player.emulator.reset()
        ec2, old, options = arranged()
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(MODULE, **options)["plan"]) == stopped_after
        player.emulator.faults.clear()
        assert len(player.converge(MODULE, **options)["plan"]) == total - stopped_after
        part = serving(ec2, old, old.subnets[1])
        assert part == serving(ec2, old, old.subnets[2]) != old.main_table
        assert set(routes(ec2, part, both=True)) == {"0.0.0.0/0", "::/0"}
        assert extras_of(ec2, part) == extras_of(ec2, old.main_table)
        assert len(ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]) == 1
        assert len(ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [old.vpc_id]}])["RouteTables"]) == 3


def test_a_gateway_that_others_use_stays_and_is_told(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    options = {"vpc_id": old.vpc_id, "routes": TO_EIGW, "create_egress_only_internet_gateway": True}
    player(MODULE, **options, subnet_ids=old.subnets)
    removed = player.converge(MODULE, **options, subnet_ids=old.subnets[:1], state="absent")
    assert operations(removed["plan"]) == [("ec2", "DeleteRoute")]
    assert old.main_table in removed["left"][0]["reason"]


def test_subnets_and_tables_by_tags(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ec2.create_tags(Resources=[old.main_table], Tags=[{"Key": "tier", "Value": "inner"}])
    player.converge(
        MODULE,
        vpc_id=old.vpc_id,
        subnet_filter_tags={"Name": "old-0"},
        route_table_filter_tags={"tier": "inner"},
        routes=TO_IGW,
    )
    assert routes(ec2, old.table) == routes(ec2, old.main_table) == {"::/0": old.gateway}


@pytest.mark.parametrize("spelling", ["0::/0", "::0/0", "0:0:0:0:0:0:0:0/0"])
def test_another_spelling_is_no_change(player: Player, aws: Aws, spelling: str) -> None:
    old = existing.make(aws("ec2"))
    player(MODULE, route_table_ids=[old.table], routes=TO_IGW)
    player.unchanged(MODULE, route_table_ids=[old.table], routes=[{"destination": spelling, **TO_IGW[0]}])


@pytest.mark.parametrize("by", ["vpc_id", "subnet_ids", "route_table_ids"])
def test_unchanged_routes_are_read_with_one_call_a_type(player: Player, aws: Aws, by: str) -> None:
    old = existing.make(aws("ec2"))
    named = {
        "vpc_id": {"vpc_id": old.vpc_id, "subnet_ids": old.subnets},
        "subnet_ids": {"subnet_ids": old.subnets},
        "route_table_ids": {"route_table_ids": [old.table, old.main_table]},
    }[by]
    options = {**named, "routes": TO_EIGW, "create_egress_only_internet_gateway": True}
    player(MODULE, **options)
    player.emulator.journal.clear()
    player.unchanged(MODULE, **options)
    calls = Counter(call.operation for call in player.emulator.journal.calls)
    assert set(calls.values()) == {1}
    assert set(calls) <= {"DescribeSubnets", "DescribeRouteTables", "DescribeEgressOnlyInternetGateways"}


def in_turn(player: Player, *documents: dict[str, Any], planned: list[dict[str, Any]] | None = None) -> None:
    """Tasks of one play: each predicts what it then does, although nothing was done when it predicted."""
    told, predicted = list(planned or ()), []
    for document in documents:
        result = player.check(MODULE, **document, planned=told)
        told.append({key: result[key] for key in ("route_tables", "egress_only_internet_gateway_ids")})
        predicted += operations(result["plan"])
    before = len(player.writes())
    for document in documents:
        player(MODULE, **document, planned=told)
    assert player.writes()[before:] == predicted


@pytest.mark.parametrize("shared_tables", ["split", "change"])
def test_what_earlier_tasks_have_planned_is_taken_as_done(player: Player, aws: Aws, shared_tables: str) -> None:
    """Two tasks that need the same gateway make it once, and one finds the table that the other has split."""
    ec2 = aws("ec2")
    old = existing.make(ec2, subnets=4)
    ec2.create_route(RouteTableId=old.main_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=old.gateway)
    alike = {"vpc_id": old.vpc_id, "routes": TO_EIGW, "create_egress_only_internet_gateway": True}
    documents = [
        {**alike, "subnet_ids": [subnet_id], "shared_tables": shared_tables}
        for subnet_id in (old.subnets[1], old.subnets[2], old.subnets[0], old.subnets[3], old.subnets[1])
    ]
    in_turn(player, *documents)
    assert Counter(player.writes())["ec2", "CreateEgressOnlyInternetGateway"] == 1
    in_turn(player, *({**document, "state": "absent"} for document in documents))
    assert player.writes()[-1] == ("ec2", "DeleteEgressOnlyInternetGateway")


def test_what_the_network_has_planned_is_taken_as_done(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    ec2.delete_route(RouteTableId=old.table, DestinationCidrBlock="0.0.0.0/0")
    ec2.detach_internet_gateway(InternetGatewayId=old.gateway, VpcId=old.vpc_id)
    network = {
        "name": "n",
        "vpc": {"id": old.vpc_id},
        "public_subnets": [{"id": old.subnets[0]}],
        "private_subnets": [{"id": subnet_id} for subnet_id in old.subnets[1:]],
    }
    coming = player.check("ec2_vpc_ipv6_network", **network)["network"]
    documents = [
        {"vpc_id": old.vpc_id, "subnet_ids": old.subnets[:1], "routes": TO_IGW},
        {"vpc_id": old.vpc_id, "subnet_ids": old.subnets[1:], "routes": [*TO_EIGW, {**TO_IGW[0], **DOCS}]},
    ]
    told, predicted = [coming], []
    for document in documents:
        predicted += operations(player.check(MODULE, **document, planned=told)["plan"])
    player("ec2_vpc_ipv6_network", **network)
    before = len(player.writes())
    for document in documents:
        player(MODULE, **document)
    assert player.writes()[before:] == predicted == [("ec2", "CreateRoute")]


def test_tables_of_a_network_to_come_are_planned(player: Player) -> None:
    network = player.check("ec2_vpc_ipv6_network", name="n", vpc={"cidr_block": "10.0.0.0/16"})["network"]
    tables = [table for name, table in network["route_table_ids"].items() if name != "public"]
    listed = [*TO_EIGW, {"destination": "2001:db8::/48", "target": "tgw-0123456789abcdef0"}]
    result = player.check(MODULE, vpc_id=network["vpc_id"], route_table_ids=tables, routes=listed)
    assert [step["request"]["RouteTableId"] for step in result["plan"]] == tables
    assert {step["request"]["DestinationIpv6CidrBlock"] for step in result["plan"]} == {"2001:db8::/48"}
    coming = player.check(MODULE, subnet_ids=network["private_subnet_ids"], routes=TO_EIGW)
    assert coming["plan"] == [] and "not known yet" in coming["warnings"][0]
    told = player.check(MODULE, subnet_ids=network["private_subnet_ids"], routes=listed, planned=[network])
    assert (told["plan"], told["warnings"]) == (result["plan"], [])
    tagged = {"vpc_id": network["vpc_id"], "subnet_filter_tags": {"kubernetes.io/role/internal-elb": "1"}}
    assert player.check(MODULE, **tagged, routes=listed, planned=[network])["plan"] == result["plan"]


def test_throttling_and_late_visibility_are_survived(player: Player, aws: Aws) -> None:
    old = existing.make(aws("ec2"))
    player.emulator.fault("ec2", "CreateRoute", "throttle", count=2)
    player.emulator.fault("ec2", "DescribeRouteTables", "throttle", count=1)
    player.emulator.fault("ec2", "CreateEgressOnlyInternetGateway", "not_found_for", reads=1, writes=True)
    options = {"vpc_id": old.vpc_id, "subnet_ids": old.subnets, "routes": TO_EIGW}
    player(MODULE, **options, create_egress_only_internet_gateway=True)
    player.unchanged(MODULE, **options, create_egress_only_internet_gateway=True)


def test_throttling_and_lost_replies_of_a_split_are_survived(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = existing.make(ec2)
    extras(ec2, old, old.main_table)
    for operation in ("CreateRouteTable", "EnableVgwRoutePropagation", "CreateRoute", "AssociateRouteTable"):
        player.emulator.fault("ec2", operation, "throttle", count=1)
    player.emulator.fault("ec2", "ModifyVpcEndpoint", "lost_reply", count=1)
    options = {"subnet_ids": [old.subnets[1]], "routes": TO_IGW, "shared_tables": "split"}
    player(MODULE, **options)
    player.unchanged(MODULE, **options)
    assert extras_of(ec2, serving(ec2, old, old.subnets[1])) == extras_of(ec2, old.main_table)


def test_a_removal_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    def arranged() -> tuple[Any, list[Any], dict[str, Any]]:
        player.emulator.reset()
        ec2 = aws("ec2")
        old = existing.make(ec2)
        before = existing.ipv4(ec2)
        options = {"subnet_ids": old.subnets, "routes": TO_EIGW, "create_egress_only_internet_gateway": True}
        player(MODULE, **options)
        return ec2, before, {**options, "state": "absent"}

    total = len(player.check(MODULE, **arranged()[2])["plan"])
    assert total == 3
    for stopped_after in range(total):
        ec2, before, options = arranged()
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(MODULE, **options)["plan"]) == stopped_after
        player.emulator.faults.clear()
        player.converge(MODULE, **options)
        assert existing.ipv4(ec2) == before
        assert ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"] == []


def refusals(old: existing.Network) -> dict[str, tuple[dict[str, Any], list[str]]]:
    table = {"route_table_ids": [old.table]}
    return {
        "nothing named": ({"routes": TO_IGW}, ["subnet_ids", "named"]),
        "tags without a VPC": ({"subnet_filter_tags": {}, "routes": TO_IGW}, ["subnet_filter_tags", "vpc_id"]),
        "an IPv4 destination": (
            {**table, "routes": [{"destination": "0.0.0.0/0", "target": old.gateway}]},
            ["routes[0].destination", "no IPv6", "IPv6 routes only"],
        ),
        "no network": ({**table, "routes": [{"destination": "x", **TO_IGW[0]}]}, ["routes[0].destination"]),
        "no target": ({**table, "routes": [{}]}, ["routes[0].target", "needed"]),
        "an unknown target": ({**table, "routes": [{"target": "vpc-1"}]}, ["routes[0].target", "eigw-..."]),
        "a destination twice": (
            {**table, "routes": [*TO_IGW, {"destination": "0::/0", "target": "tgw-1"}]},
            ["routes[1]", "routes[0]"],
        ),
        "an unknown subnet": ({"subnet_ids": ["subnet-00000000"], "routes": TO_IGW}, ["subnet_ids[0]"]),
        "an unknown table": ({"route_table_ids": ["rtb-00000000"], "routes": TO_IGW}, ["route_table_ids[0]"]),
        "tags of nobody": (
            {"vpc_id": old.vpc_id, "route_table_filter_tags": {"a": "b"}, "routes": TO_IGW},
            ["route_table_filter_tags", old.vpc_id],
        ),
        "a gateway of another VPC": (
            {**table, "routes": [{"target": "igw-00000000"}]},
            ["routes[0].target", old.gateway, "igw-00000000"],
        ),
        "no gateway": ({**table, "routes": TO_EIGW}, ["routes[0].target", old.vpc_id]),
        "a part of the local route": (
            {**table, "routes": [{"destination": old.slot(3), **TO_IGW[0]}]},
            ["routes[0].target", old.slot(3), "an interface only"],
        ),
        "the local route": (
            {**table, "routes": [{"destination": old.block, **TO_IGW[0]}]},
            ["routes[0].destination", "local route"],
        ),
    }


@pytest.mark.parametrize("name", list(refusals(existing.Network("", ["", "", ""], "", "", "", "2001:db8::/56"))))
def test_bad_documents_are_refused_before_any_write(player: Player, aws: Aws, name: str) -> None:
    old = existing.make(aws("ec2"))
    options, says = refusals(old)[name]
    msg = player.refuses(MODULE, **options)
    assert [part for part in says if part not in msg] == [], msg


def test_a_key_that_routes_do_not_have_is_refused(player: Player) -> None:
    """amazon.aws.ec2_vpc_route_table takes any key in its routes, and ignores the ones it does not know."""
    listed = [{**TO_IGW[0], "egress_gateway": "eigw-1"}]
    assert "egress_gateway" in player.refuses(MODULE, route_table_ids=["rtb-1"], routes=listed)


def test_a_change_waits_for_nothing(player: Player, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """amazon.aws.ec2_vpc_route_table sleeps five seconds after any change."""
    old = existing.make(aws("ec2"))
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    result = player(MODULE, route_table_ids=[old.table], routes=TO_IGW)
    assert (operations(result["plan"]), slept) == ([("ec2", "CreateRoute")], [])
