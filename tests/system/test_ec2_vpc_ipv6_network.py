# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ec2_vpc_ipv6_network against the emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import snapshot
import yaml
from harness import Player, operations

from eksops_emulator.journal import Call

MODULE = "ec2_vpc_ipv6_network"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
DOCUMENT: dict[str, Any] = {
    "name": "production",
    "vpc": {"cidr_block": "10.0.0.0/16"},
    "availability_zones": ZONES,
    "nat_gateways": "per_zone",
    "tags": {"team": "platform"},
}
SMALL: dict[str, Any] = {
    "name": "small",
    "vpc": {"cidr_block": "10.0.0.0/16"},
    "availability_zones": ZONES[:2],
    "nat_gateways": "per_zone",
}
BAD = yaml.safe_load((Path(__file__).parent / "data" / "bad_networks.yml").read_text())
Aws = Callable[..., Any]


def depth(calls: list[Call]) -> int:
    """The longest chain of calls in which each began after the one before it had ended."""
    depths: list[int] = []
    for call in calls:
        before = [depths[other] for other, earlier in enumerate(calls[: len(depths)]) if earlier.end <= call.start]
        depths.append(1 + max(before, default=0))
    return max(depths, default=0)


def reads(player: Player, **document: Any) -> list[Call]:
    player.emulator.journal.clear()
    player.unchanged(MODULE, **document)
    return sorted(player.emulator.journal.calls, key=lambda call: call.start)


def by_zone(network: dict[str, Any], public: bool) -> dict[str, Any]:
    return {item["availability_zone"]: item for item in network["subnets"] if item["public"] is public}


def test_a_network_from_nothing(player: Player, aws: Aws) -> None:
    network = player.converge(MODULE, **DOCUMENT)["network"]
    ec2 = aws("ec2")
    assert [item["ipv6_slot"] for item in network["subnets"]] == [0, 1, 2, 3, 4, 5]
    assert len(network["nat_gateways"]) == 3
    for subnet in ec2.describe_subnets(SubnetIds=network["public_subnet_ids"] + network["private_subnet_ids"])[
        "Subnets"
    ]:
        public = subnet["SubnetId"] in network["public_subnet_ids"]
        tags = {tag["Key"]: tag["Value"] for tag in subnet["Tags"]}
        assert subnet["AssignIpv6AddressOnCreation"] is True
        assert subnet["MapPublicIpOnLaunch"] is public
        assert tags["kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"] == "1"
        assert tags["team"] == "platform"


def test_each_family_leaves_by_its_own_gateway(player: Player, aws: Aws) -> None:
    network = player(MODULE, **DOCUMENT)["network"]
    tables = {item["RouteTableId"]: item for item in aws("ec2").describe_route_tables()["RouteTables"]}
    nat = {item["availability_zone"]: item["id"] for item in network["nat_gateways"]}
    for subnet in network["subnets"]:
        table = tables[subnet["route_table_id"]]
        assert subnet["id"] in {entry.get("SubnetId") for entry in table["Associations"]}
        ipv4 = next(route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0")
        ipv6 = next(route for route in table["Routes"] if route.get("DestinationIpv6CidrBlock") == "::/0")
        if subnet["public"]:
            assert ipv4["GatewayId"] == ipv6["GatewayId"] == network["internet_gateway_id"]
        else:
            assert ipv4["NatGatewayId"] == nat[subnet["availability_zone"]]
            assert ipv6["EgressOnlyInternetGatewayId"] == network["egress_only_internet_gateway_id"]


def test_check_mode_on_an_empty_account_gives_pending_ids_and_slots(player: Player) -> None:
    network = player.check(MODULE, **DOCUMENT)["network"]
    assert network["vpc_id"] == "pending:vpc/production"
    assert network["subnets"][4]["ipv6_cidr_block"] == "pending:vpc/production/ipv6#4"
    assert network["subnets"][4]["id"] == "pending:subnet/production-private-eu-west-1b"
    assert network["subnets"][4]["cidr_block"] == "10.0.32.0/20"


def test_the_facts_of_the_first_run_are_those_of_the_second(player: Player) -> None:
    assert player(MODULE, **DOCUMENT)["network"] == player(MODULE, **DOCUMENT)["network"]


def test_the_diff_names_fields_before_and_after(player: Player) -> None:
    result = player(MODULE, check=True, diff=True, **SMALL)
    attribute = next(entry for entry in result["diff"] if "ModifySubnetAttribute" in entry["before_header"])
    assert attribute["before"] == {"assign_ipv6_address_on_creation": False}
    assert attribute["after"] == {"assign_ipv6_address_on_creation": True}


def test_an_unchanged_network_costs_eight_calls_in_two_rounds(player: Player) -> None:
    player(MODULE, **DOCUMENT)
    player.emulator.fault("ec2", "*", "latency", count=None, seconds=0.05)
    calls = reads(player, **DOCUMENT)
    assert len(calls) <= 8
    assert depth(calls) <= 3


def test_sixty_subnets_cost_no_more_calls_than_six(player: Player) -> None:
    player(MODULE, **DOCUMENT)
    few = Counter(call.operation for call in reads(player, **DOCUMENT))
    listed = {
        "public_subnets": [{"availability_zone": ZONES[n % 3], "name": f"public-{n}"} for n in range(30)],
        "private_subnets": [{"availability_zone": ZONES[n % 3], "name": f"private-{n}"} for n in range(30)],
    }
    large = {
        "name": "large",
        "vpc": {"cidr_block": "10.4.0.0/16"},
        "nat_gateways": "none",
        "private_subnet_prefix_length": 24,
        **listed,
    }
    assert len(player(MODULE, **large)["network"]["subnets"]) == 60
    assert Counter(call.operation for call in reads(player, **large)) == few


def test_a_zone_added_takes_free_slots_and_moves_nobody(player: Player) -> None:
    before = player(MODULE, **{**DOCUMENT, "availability_zones": ["eu-west-1a", "eu-west-1c"]})["network"]
    after = player.converge(MODULE, **DOCUMENT)["network"]
    for public in (True, False):
        for zone, subnet in by_zone(before, public).items():
            assert by_zone(after, public)[zone] == subnet
    assert {item["ipv6_slot"] for item in after["subnets"] if item["availability_zone"] == "eu-west-1b"} == {4, 5}


def test_a_zone_dropped_from_the_document_stays_and_is_reported(player: Player) -> None:
    before = player(MODULE, **DOCUMENT)["network"]
    dropped = {**DOCUMENT, "availability_zones": ["eu-west-1a", "eu-west-1c"]}
    result = player(MODULE, **dropped)
    gone = [item["id"] for item in before["subnets"] if item["availability_zone"] == "eu-west-1b"]
    assert all(subnet_id in result["warnings"][0] for subnet_id in gone)
    assert player(MODULE, **DOCUMENT)["network"]["subnets"] == before["subnets"]


def test_zones_are_chosen_by_name_and_kept(player: Player) -> None:
    document = {"name": "production", "vpc": {"cidr_block": "10.0.0.0/16"}, "nat_gateways": "none"}
    two = player.converge(MODULE, **document, availability_zone_count=2)["network"]
    assert two["availability_zones"] == ["eu-west-1a", "eu-west-1b"]
    three = player.converge(MODULE, **document)["network"]
    assert three["availability_zones"] == ZONES
    assert player.unchanged(MODULE, **document, availability_zone_count=2)["network"]["availability_zones"] == ZONES
    nine = player.unchanged(MODULE, **document, availability_zone_count=9)
    assert "in 3 zones and not in 9" in nine["warnings"][0]


def test_slots_and_ranges_as_given(player: Player) -> None:
    document = {
        **SMALL,
        "nat_gateways": "none",
        "public_subnets": [],
        "private_subnets": [
            {"availability_zone": "eu-west-1a", "ipv6_slot": 200, "cidr_block": "10.0.128.0/20"},
            {"availability_zone": "eu-west-1b"},
        ],
    }
    network = player.converge(MODULE, **document)["network"]
    assert [item["ipv6_slot"] for item in network["subnets"]] == [200, 0]
    assert network["subnets"][0]["cidr_block"] == "10.0.128.0/20"
    assert network["subnets"][0]["ipv6_cidr_block"].endswith("c8::/64")


def test_a_private_network_has_no_internet_gateway(player: Player) -> None:
    result = player.converge(MODULE, **{**SMALL, "public_subnets": [], "nat_gateways": "none"})
    assert result["network"]["internet_gateway_id"] is None
    assert ("ec2", "CreateInternetGateway") not in operations(result["plan"])


@pytest.mark.parametrize(("before", "after"), [("single", "per_zone"), ("per_zone", "single"), ("per_zone", "none")])
def test_nat_gateways_change_their_number(player: Player, aws: Aws, before: str, after: str) -> None:
    player(MODULE, **{**SMALL, "nat_gateways": before})
    network = player.converge(MODULE, **{**SMALL, "nat_gateways": after})["network"]
    expected = {"none": 0, "single": 1, "per_zone": 2}[after]
    ec2 = aws("ec2")
    live = [item for item in ec2.describe_nat_gateways()["NatGateways"] if item["State"] == "available"]
    assert len(live) == len(network["nat_gateways"]) == expected
    assert len(ec2.describe_addresses()["Addresses"]) == expected


def test_nat_gateways_not_given_are_left_alone(player: Player) -> None:
    player(MODULE, **SMALL)
    player.unchanged(
        MODULE, name="small", vpc={"cidr_block": "10.0.0.0/16"}, availability_zones=ZONES[:2], nat_gateways="per_zone"
    )
    result = player(MODULE, check=True, name="small", availability_zones=ZONES[:2])
    assert not [step for step in result["plan"] if step["operation"].startswith(("Delete", "Release"))]


def test_a_moved_default_route_is_led_back_as_disruptive(player: Player, aws: Aws) -> None:
    network = player(MODULE, **SMALL)["network"]
    table = network["route_table_ids"]["private-eu-west-1a"]
    aws("ec2").replace_route(
        RouteTableId=table, DestinationIpv6CidrBlock="::/0", GatewayId=network["internet_gateway_id"]
    )
    result = player.converge(MODULE, **SMALL)
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("ReplaceRoute", "disruptive")]
    assert result["plan"][0]["before"] == {"::/0": network["internet_gateway_id"]}
    assert result["plan"][0]["after"] == {"::/0": network["egress_only_internet_gateway_id"]}


def test_tags_are_added_together_and_none_is_removed(player: Player, aws: Aws) -> None:
    network = player(MODULE, **SMALL)["network"]
    subnet_id = network["private_subnet_ids"][0]
    aws("ec2").create_tags(Resources=[subnet_id], Tags=[{"Key": "kubernetes.io/cluster/x", "Value": "shared"}])
    result = player.converge(MODULE, **SMALL, tags={"team": "platform"})
    assert operations(result["plan"]) == [("ec2", "CreateTags")]
    tags = result["network"]["subnets"][2]["tags"]
    assert tags["team"] == "platform"
    live = aws("ec2").describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["Tags"]
    assert {"Key": "kubernetes.io/cluster/x", "Value": "shared"} in live


def ipv4_network(ec2: Any) -> dict[str, Any]:
    """A VPC as many have it: IPv4 only, two subnets, one route table of its own, one subnet on the main table."""
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "old"}])
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(("eu-west-1a", "eu-west-1b"))
    ]
    for number, subnet_id in enumerate(subnets):
        ec2.create_tags(Resources=[subnet_id], Tags=[{"Key": "Name", "Value": f"old-{number}"}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])
    return {"vpc_id": vpc_id, "subnets": subnets, "gateway": gateway, "table": table}


def without_ipv6(value: Any) -> Any:
    """A description without anything that adding IPv6 may change."""
    if isinstance(value, dict):
        return {
            key: without_ipv6(item)
            for key, item in value.items()
            if "ipv6" not in key.lower() and key not in ("ResponseMetadata",)
        }
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and item.get("DestinationIpv6CidrBlock"))]
        return [without_ipv6(item) for item in kept]
    return value


def test_adopting_adds_ipv6_and_touches_nothing_of_ipv4(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = ipv4_network(ec2)
    looks = (ec2.describe_vpcs, ec2.describe_subnets, ec2.describe_route_tables, ec2.describe_internet_gateways)
    before = [without_ipv6(look()) for look in looks]
    document = {
        "name": "old",
        "vpc": {"filter_tags": {"Name": "old"}, "ipv6": {"provider": "amazon"}},
        "public_subnets": [],
        "private_subnets": [{"id": old["subnets"][0]}, {"filter_tags": {"Name": "old-1"}}],
    }
    result = player.converge(MODULE, **document)
    assert [without_ipv6(look()) for look in looks] == before
    assert operations(result["plan"]) == [
        ("ec2", "AssociateVpcCidrBlock"),
        ("ec2", "CreateEgressOnlyInternetGateway"),
        ("ec2", "AssociateSubnetCidrBlock"),
        ("ec2", "AssociateSubnetCidrBlock"),
        ("ec2", "ModifySubnetAttribute"),
        ("ec2", "ModifySubnetAttribute"),
        ("ec2", "CreateRoute"),
        ("ec2", "CreateRoute"),
    ]
    tables = {item["RouteTableId"]: item["Routes"] for item in ec2.describe_route_tables()["RouteTables"]}
    assert [
        route["EgressOnlyInternetGatewayId"]
        for route in tables[old["table"]]
        if route.get("DestinationIpv6CidrBlock") == "::/0"
    ]


def test_an_ipv6_route_of_an_adopted_subnet_that_leads_elsewhere_is_left_alone(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    old = ipv4_network(ec2)
    ec2.create_route(RouteTableId=old["table"], DestinationIpv6CidrBlock="::/0", GatewayId=old["gateway"])
    document = {
        "name": "old",
        "vpc": {"id": old["vpc_id"], "ipv6": {"provider": "amazon"}},
        "public_subnets": [],
        "private_subnets": [{"id": subnet_id} for subnet_id in old["subnets"]],
    }
    result = player.converge(MODULE, **document)
    assert any(old["table"] in warning and "left alone" in warning for warning in result["warnings"])


def test_an_existing_egress_only_gateway_is_used_and_anothers_is_not(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_egress_only_internet_gateway(VpcId=other)["EgressOnlyInternetGateway"]
    old = ipv4_network(ec2)
    own = ec2.create_egress_only_internet_gateway(VpcId=old["vpc_id"])["EgressOnlyInternetGateway"]
    document = {
        "name": "old",
        "vpc": {"id": old["vpc_id"], "ipv6": {"provider": "amazon"}},
        "public_subnets": [],
        "private_subnets": [{"id": subnet_id} for subnet_id in old["subnets"]],
    }
    network = player.converge(MODULE, **document)["network"]
    assert network["egress_only_internet_gateway_id"] == own["EgressOnlyInternetGatewayId"]
    removed = player.converge(MODULE, name="old", vpc={"id": old["vpc_id"]}, state="absent")
    assert removed["plan"] == []
    live = {
        item["EgressOnlyInternetGatewayId"]
        for item in ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    }
    assert live == {foreign["EgressOnlyInternetGatewayId"], own["EgressOnlyInternetGatewayId"]}


def test_a_block_out_of_an_ipam_pool(player: Player, aws: Aws) -> None:
    ec2 = aws("ec2")
    scope = ec2.create_ipam(OperatingRegions=[{"RegionName": "eu-west-1"}])["Ipam"]["PublicDefaultScopeId"]
    pool = ec2.create_ipam_pool(
        IpamScopeId=scope, AddressFamily="ipv6", Locale="eu-west-1", AwsService="ec2", PublicIpSource="byoip"
    )["IpamPool"]["IpamPoolId"]
    while ec2.describe_ipam_pools(IpamPoolIds=[pool])["IpamPools"][0]["State"] != "create-complete":
        pass
    ec2.provision_ipam_pool_cidr(IpamPoolId=pool, Cidr="2001:db8:1200::/40")
    while ec2.get_ipam_pool_cidrs(IpamPoolId=pool)["IpamPoolCidrs"][0]["State"] != "provisioned":
        pass
    source = {"provider": "ipam", "ipam_pool_id": pool, "netmask_length": 52}
    document = {**SMALL, "vpc": {"cidr_block": "10.0.0.0/16", "ipv6": source}, "nat_gateways": "none"}
    network = player.converge(MODULE, **document)["network"]
    assert network["ipv6_cidr_block"].startswith("2001:db8:12") and network["ipv6_cidr_block"].endswith("/52")


@pytest.mark.parametrize("spelling", ["2001:db8:1234:1a00::/56", "2001:0DB8:1234:1A00:0:0:0:0/56"])
def test_a_block_of_ones_own_in_any_spelling(player: Player, spelling: str) -> None:
    pool = player.emulator.ipv6_pool("2001:db8:1234::/48")
    source = {"provider": "byoip", "pool": pool, "cidr_block": spelling}
    document = {**SMALL, "vpc": {"cidr_block": "10.0.0.0/16", "ipv6": source}, "nat_gateways": "none"}
    network = player.converge(MODULE, **document)["network"]
    assert network["ipv6_cidr_block"] == "2001:db8:1234:1a00::/56"
    assert network["subnets"][1]["ipv6_cidr_block"] == "2001:db8:1234:1a01::/64"


@pytest.mark.parametrize("case", BAD, ids=[case["name"] for case in BAD])
def test_bad_documents_are_refused_before_any_write(player: Player, aws: Aws, case: dict[str, Any]) -> None:
    old = ipv4_network(aws("ec2")) if case.get("needs_old_network") else {}
    text = yaml.safe_dump(case["document"])
    for key, value in {"VPC": old.get("vpc_id"), "SUBNET_A": (old.get("subnets") or [None])[0]}.items():
        text = text.replace(f"<{key}>", str(value))
    msg = player.refuses(MODULE, **yaml.safe_load(text))
    for part in case["says"]:
        assert part in msg


def account(player: Player, aws: Aws) -> dict[str, Any]:
    return snapshot.ec2(aws("ec2"))


@pytest.mark.slow
def test_a_run_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    total = len(player(MODULE, **SMALL)["plan"])
    whole = account(player, aws)
    for stopped_after in range(total):
        player.emulator.reset()
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        failed = player.fails(MODULE, **SMALL)
        assert len(failed["plan"]) == stopped_after
        assert len(failed["plan"]) + 1 + len(failed["remaining"]) == total
        player.emulator.faults.clear()
        rest = player.converge(MODULE, **SMALL)
        assert len(rest["plan"]) == total - stopped_after
        assert account(player, aws) == whole


@pytest.mark.slow
def test_a_teardown_stopped_after_any_write_is_finished_by_the_next(player: Player, aws: Aws) -> None:
    empty = account(player, aws)
    player(MODULE, **SMALL)
    total = len(player.check(MODULE, name="small", state="absent")["plan"])
    for stopped_after in range(total):
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        player.fails(MODULE, name="small", state="absent")
        player.emulator.faults.clear()
        removed = player.converge(MODULE, name="small", state="absent")
        assert removed["left"] == []
        assert account(player, aws) == empty
        player(MODULE, **SMALL)


def test_a_lost_reply_is_reported_and_makes_no_second_vpc(player: Player, aws: Aws) -> None:
    player.emulator.fault("ec2", "CreateVpc", "lost_reply")
    failed = player.fails(MODULE, **SMALL)
    assert "is not known" in failed["msg"] and "CreateVpc" in failed["msg"]
    player.converge(MODULE, **SMALL)
    assert len([vpc for vpc in aws("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]) == 1


def test_throttling_and_late_visibility_are_survived(player: Player) -> None:
    player.emulator.fault("ec2", "CreateSubnet", "throttle", count=2)
    player.emulator.fault("ec2", "DescribeSubnets", "throttle", count=1)
    player.emulator.fault("ec2", "CreateVpc", "not_found_for", reads=1, writes=True)
    player(MODULE, **SMALL)
    player.unchanged(MODULE, **SMALL)


def test_teardown_leaves_what_others_use_and_says_why(player: Player, aws: Aws) -> None:
    network = player(MODULE, **SMALL)["network"]
    ec2 = aws("ec2")
    interface = ec2.create_network_interface(SubnetId=network["private_subnet_ids"][0])["NetworkInterface"]
    result = player.converge(MODULE, name="small", state="absent")
    reasons = {entry["resource"]: entry["reason"] for entry in result["left"]}
    assert interface["NetworkInterfaceId"] in reasons[network["private_subnet_ids"][0]]
    assert network["vpc_id"] in reasons
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert player.converge(MODULE, name="small", state="absent")["left"] == []


def test_teardown_of_nothing_does_nothing(player: Player) -> None:
    assert player.unchanged(MODULE, name="nobody", state="absent")["left"] == []


def test_teardown_of_an_adopted_vpc_that_is_gone_does_nothing(player: Player, aws: Aws) -> None:
    gone = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    aws("ec2").delete_vpc(VpcId=gone)
    player.unchanged(MODULE, name="old", vpc={"id": gone}, state="absent")
    assert f"there is no VPC {gone}" in player.refuses(MODULE, name="old", vpc={"id": gone})


def test_teardown_of_an_adopted_vpc_keeps_it(player: Player, aws: Aws) -> None:
    old = ipv4_network(aws("ec2"))
    vpc = {"id": old["vpc_id"], "ipv6": {"provider": "amazon"}}
    player(MODULE, name="added", vpc=vpc, availability_zones=ZONES[:2], public_subnets=[])
    result = player.converge(MODULE, name="added", vpc=vpc, state="absent")
    assert result["left"] == [{"resource": old["vpc_id"], "reason": "this network did not make it"}]
    assert {
        item["SubnetId"]
        for item in aws("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [old["vpc_id"]]}])["Subnets"]
    } == set(old["subnets"])


def test_tags_that_yaml_read_as_numbers_are_written_as_text(player: Player, aws: Aws) -> None:
    tags = {"cost_center": 4711, "critical": True, 2026: "year"}
    network = player.converge(MODULE, **{**SMALL, "nat_gateways": "none", "tags": tags})["network"]
    ec2 = aws("ec2")
    live = {tag["Key"]: tag["Value"] for tag in ec2.describe_vpcs(VpcIds=[network["vpc_id"]])["Vpcs"][0]["Tags"]}
    assert {"cost_center": "4711", "critical": "True", "2026": "year"}.items() <= live.items()
    found = player("ec2_subnet_ipv6", vpc_filter_tags={"cost_center": 4711}, filter_tags={"critical": True})
    assert {item["id"] for item in found["subnets"]} == {item["id"] for item in network["subnets"]}


def test_tags_that_aws_would_refuse_are_refused(player: Player) -> None:
    assert player.refuses(MODULE, **{**SMALL, "tags": {"aws:team": "a"}}).startswith("tags: aws:team")
