# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random networks and random documents: the plan is the calls, the second run is empty, and nothing else has moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import existing_networks as existing
import pytest
from harness import Player
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.addressing import canonical
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Failed

Aws = Callable[..., Any]
ATTRIBUTES = {
    "assign_ipv6_address_on_creation": "AssignIpv6AddressOnCreation",
    "map_public_ip_on_launch": "MapPublicIpOnLaunch",
    "enable_dns64": "EnableDns64",
}
RANGES = ("0.0.0.0/0", "10.9.0.0/16", "198.51.100.0/24", "192.0.2.0/24")
OWN = "eksops.ipv6/"


def some(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most)


RULE = st.fixed_dictionaries(
    {
        "protocol": st.sampled_from(["tcp", "udp", "icmp", "-1", "50"]),
        "port": st.sampled_from([0, 3, 8, 443]),
        "cidr": st.sampled_from([*RANGES, "2001:DB8:0::/48", "::/0"]),
        "egress": st.booleans(),
        "description": st.sampled_from(["", "of old"]),
        "tags": st.sampled_from([{}, {"owner": "web"}, {"owner": "db", "tier": "1"}]),
    }
)
ENTRY = st.fixed_dictionaries(
    {
        "number": st.integers(1, 12),
        "protocol": st.sampled_from(["6", "17", "1", "-1"]),
        "port": st.sampled_from([8, 443]),
        "cidr": st.sampled_from([*RANGES, "2001:DB8:0::/48", "::/0"]),
        "egress": st.booleans(),
        "action": st.sampled_from(["allow", "deny"]),
    }
)
ACCOUNT = st.fixed_dictionaries(
    {
        "blocks": st.integers(0, 2),
        "second_range": st.booleans(),
        "egress_gateway": st.booleans(),
        "subnets": st.lists(
            st.fixed_dictionaries(
                {
                    "slot": st.sampled_from([None, 0, 1, 7, 200]),
                    "assign": st.booleans(),
                    "public": st.booleans(),
                    "table": st.sampled_from([None, 0, 1]),
                    "interface": st.booleans(),
                }
            ),
            min_size=1,
            max_size=4,
        ),
        "tables": st.lists(
            some(st.sampled_from(["0.0.0.0/0", "::/0", "2001:DB8:0::/32", "192.0.2.0/24"]), 4), max_size=2
        ),
        "groups": some(some(RULE, 5), 2),
        "acls": some(some(ENTRY, 5), 2),
        "tags": st.sampled_from([{}, {"owner": "net"}, {"Name": "old", "kubernetes.io/cluster/theirs": "shared"}]),
    }
)
PICK = st.lists(st.integers(0, 5), max_size=3)
BOOL = st.sampled_from([None, True, False])
SUBNETS = st.fixed_dictionaries(
    {
        "module": st.just("ec2_subnet_ipv6"),
        "of": PICK,
        "state": st.sampled_from([None, "present", "absent"]),
        "slot": st.sampled_from([None, None, 3, 200]),
        "spelled": st.booleans(),
        **dict.fromkeys(ATTRIBUTES, BOOL),
    }
)
ROUTES = st.fixed_dictionaries(
    {
        "module": st.just("ec2_route_ipv6"),
        "of": PICK,
        "by_table": st.booleans(),
        "destination": st.sampled_from(["::/0", "0:0::/0", "2001:db8::/32", "2001:DB8:7::/48"]),
        "target": st.sampled_from(["internet_gateway", "egress_only_internet_gateway"]),
        "shared_tables": st.sampled_from(["refuse", "change", "split"]),
        "create_egress_only_internet_gateway": st.booleans(),
        "state": st.sampled_from(["present", "present", "absent"]),
    }
)
GROUPS = st.fixed_dictionaries(
    {
        "module": st.just("ec2_security_group_ipv6"),
        "of": PICK,
        "mapping": st.sampled_from([[], [{"ipv4_cidr": "198.51.100.0/24", "ipv6_cidrs": ["2001:DB8:5:0::/64"]}]]),
        "rules": st.sampled_from(
            [[], [{"ip_protocol": "TCP", "from_port": 443, "cidr_ipv6": "2001:DB8::/48", "description": "given"}]]
        ),
        "purge_twins": st.booleans(),
        "state": st.sampled_from(["present", "present", "absent"]),
    }
)
ACLS = st.fixed_dictionaries(
    {
        "module": st.just("ec2_network_acl_ipv6"),
        "of": PICK,
        "path_mtu_discovery": st.booleans(),
        "ephemeral_ports": st.sampled_from([None, {"from_port": 1024, "to_port": 65535}]),
        "purge_twins": st.booleans(),
        "state": st.sampled_from(["present", "present", "absent"]),
    }
)
NETWORK = st.fixed_dictionaries(
    {
        "module": st.just("ec2_vpc_ipv6_network"),
        "of": PICK,
        "ipv6": st.booleans(),
        "additional": st.booleans(),
    }
)
DOCUMENT = st.lists(st.one_of(NETWORK, SUBNETS, ROUTES, GROUPS, ACLS), min_size=1, max_size=4)


@dataclass
class Made:
    """What was made of a description."""

    vpc_id: str
    subnets: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    acls: list[str] = field(default_factory=list)
    old: existing.Network | None = None


def make(ec2: Any, account: dict[str, Any]) -> Made:
    old = existing.make(ec2, ipv6=account["blocks"] > 0, subnets=len(account["subnets"]))
    made = Made(old.vpc_id, old.subnets, [old.table, old.main_table], old=old)
    for _unused in range(account["blocks"] - 1):
        existing.add_block(ec2, old.vpc_id)
    if account["second_range"]:
        ec2.associate_vpc_cidr_block(VpcId=old.vpc_id, CidrBlock="10.10.0.0/16")
    egress = None
    if account["egress_gateway"]:
        egress = ec2.create_egress_only_internet_gateway(VpcId=old.vpc_id)["EgressOnlyInternetGateway"]
    made.tables += [make_table(ec2, old, destinations, egress) for destinations in account["tables"]]
    taken: set[int] = set()
    for subnet_id, wanted in zip(old.subnets, account["subnets"], strict=True):
        make_subnet(ec2, old, made, subnet_id, wanted, taken)
    made.groups = [make_group(ec2, old.vpc_id, number, rules) for number, rules in enumerate(account["groups"])]
    made.acls = [make_acl(ec2, old.vpc_id, entries) for entries in account["acls"]]
    if account["tags"]:
        foreign = [{"Key": key, "Value": value} for key, value in account["tags"].items()]
        own = [old.vpc_id, old.gateway, *old.subnets, *made.tables, *made.groups, *made.acls]
        own += [egress["EgressOnlyInternetGatewayId"]] if egress else []
        ec2.create_tags(Resources=own, Tags=foreign)
    return made


def make_table(ec2: Any, old: existing.Network, destinations: list[str], egress: dict[str, Any] | None) -> str:
    table = str(ec2.create_route_table(VpcId=old.vpc_id)["RouteTable"]["RouteTableId"])
    for destination in dict.fromkeys(destinations):
        if ":" not in destination:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, GatewayId=old.gateway)
        elif egress is not None and destination == "::/0":
            target = egress["EgressOnlyInternetGatewayId"]
            ec2.create_route(
                RouteTableId=table, DestinationIpv6CidrBlock=destination, EgressOnlyInternetGatewayId=target
            )
        else:
            ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock=destination, GatewayId=old.gateway)
    return table


def make_subnet(
    ec2: Any, old: existing.Network, made: Made, subnet_id: str, wanted: dict[str, Any], taken: set[int]
) -> None:
    if old.block is not None and wanted["slot"] is not None and wanted["slot"] not in taken:
        taken.add(wanted["slot"])
        existing.give_block(ec2, subnet_id, old.slot(wanted["slot"]))
        if wanted["assign"]:
            ec2.modify_subnet_attribute(SubnetId=subnet_id, AssignIpv6AddressOnCreation={"Value": True})
    if wanted["public"]:
        ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
    if wanted["interface"]:
        ec2.create_network_interface(SubnetId=subnet_id)
    own = made.tables[2:]
    if wanted["table"] is not None and wanted["table"] < len(own) and subnet_id != old.subnets[0]:
        ec2.associate_route_table(RouteTableId=own[wanted["table"]], SubnetId=subnet_id)


def make_group(ec2: Any, vpc_id: str, number: int, rules: list[dict[str, Any]]) -> str:
    group = str(ec2.create_security_group(GroupName=f"g{number}", Description="d", VpcId=vpc_id)["GroupId"])
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[pair])
    seen = {(True, "-1", -1, -1, cidr) for cidr in ("0.0.0.0/0", "::/0")}  # what a new group has
    for rule in rules:
        of_ipv6 = ":" in rule["cidr"]
        protocol = "icmpv6" if of_ipv6 and rule["protocol"] == "icmp" else rule["protocol"]
        ports = {"icmp": (rule["port"] % 12, -1), "icmpv6": (128, 0), "-1": (-1, -1), "50": (-1, -1)}
        first, last = ports.get(protocol, (rule["port"], rule["port"]))
        entry = {"CidrIpv6" if of_ipv6 else "CidrIp": rule["cidr"], "Description": rule["description"]}
        permission = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
        permission["Ipv6Ranges" if of_ipv6 else "IpRanges"] = [entry]
        tags = [{"Key": key, "Value": value} for key, value in rule["tags"].items()]
        marks = [{"ResourceType": "security-group-rule", "Tags": tags}] if tags else []
        call = ec2.authorize_security_group_egress if rule["egress"] else ec2.authorize_security_group_ingress
        key = (rule["egress"], protocol, first, last, canonical(rule["cidr"]))
        if key not in seen:
            seen.add(key)
            call(GroupId=group, IpPermissions=[permission], TagSpecifications=marks)
    return group


def make_acl(ec2: Any, vpc_id: str, entries: list[dict[str, Any]]) -> str:
    acl = str(ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"])
    seen = set()
    for entry in entries:
        place = (entry["egress"], entry["number"] * 10)
        if place in seen:
            continue
        seen.add(place)
        of_ipv6 = ":" in entry["cidr"]
        protocol = "58" if of_ipv6 and entry["protocol"] == "1" else entry["protocol"]
        more: dict[str, Any] = {"Ipv6CidrBlock" if of_ipv6 else "CidrBlock": entry["cidr"]}
        if protocol in ("6", "17"):
            more["PortRange"] = {"From": entry["port"], "To": entry["port"]}
        if protocol in ("1", "58"):
            more["IcmpTypeCode"] = {"Type": 8, "Code": -1}
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=place[1],
            Egress=place[0],
            Protocol=protocol,
            RuleAction=entry["action"],
            **more,
        )
    return acl


def chosen(items: list[str], picks: list[int]) -> list[str]:
    return list(dict.fromkeys(items[pick] for pick in picks if pick < len(items)))


def invocation(made: Made, wanted: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A module and its options, for what was made."""
    options = {key: value for key, value in wanted.items() if key not in ("module", "of") and value is not None}
    module = wanted["module"]
    if module == "ec2_vpc_ipv6_network":
        source: dict[str, Any] = {"ipv6": {"provider": "amazon"}} if wanted["ipv6"] else {}
        source |= {"additional_ipv6": [{"provider": "amazon"}]} if wanted["additional"] else {}
        named = [{"id": subnet_id} for subnet_id in chosen(made.subnets, wanted["of"])]
        vpc = {"id": made.vpc_id, **source}
        return module, {"name": "p", "vpc": vpc, "public_subnets": [], "private_subnets": named}
    if module == "ec2_subnet_ipv6":
        options["subnet_ids"] = chosen(made.subnets, wanted["of"]) or made.subnets[:1]
        slot, spelled = options.pop("slot", None), options.pop("spelled")
        if slot is not None and options.get("state") != "absent":
            assert made.old is not None
            odd = made.old.block is not None and spelled
            place = {"ipv6_cidr_block": oddly(made.old.slot(slot))} if odd else {"ipv6_slot": slot}
            options["subnets"] = [{"id": options["subnet_ids"][0], **place}]
    elif module == "ec2_route_ipv6":
        by_table = options.pop("by_table")
        options["routes"] = [{"destination": options.pop("destination"), "target": options.pop("target")}]
        names = chosen(made.tables if by_table else made.subnets, wanted["of"])
        options["route_table_ids" if by_table else "subnet_ids"] = names or made.tables[:1]
        if not names:
            options.pop("subnet_ids", None)
            options["route_table_ids"] = made.tables[:1]
    elif module == "ec2_security_group_ipv6":
        options["group_ids"] = chosen(made.groups, wanted["of"])
    else:
        options["network_acl_ids"] = chosen(made.acls, wanted["of"])
    return module, options


def oddly(block: str) -> str:
    """A block in a spelling that is not the canonical one."""
    return block.upper().replace("::/", ":0:0:0:0/")


def foreign(item: dict[str, Any]) -> dict[str, str]:
    """The tags that are not this collection's."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", ()) if not tag["Key"].startswith(OWN)}


def items(ec2: Any) -> dict[tuple[str, ...], Any]:
    """Everything of the account, item by item."""
    found: dict[tuple[str, ...], Any] = {}
    tables = ec2.describe_route_tables()["RouteTables"]
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        for key, value in vpc.items():
            found["vpc", vpc["VpcId"], key] = value
    for subnet in ec2.describe_subnets()["Subnets"]:
        for key, value in subnet.items():
            found["subnet", subnet["SubnetId"], key] = value
        for destination, target in effective(subnet, tables).items():
            found["way", subnet["SubnetId"], destination] = target
    for table in tables:
        found["table", table["RouteTableId"]] = foreign(table)
        used = {entry["SubnetId"] for entry in table["Associations"] if entry.get("SubnetId")}
        found["used", table["RouteTableId"]] = used or None
        for destination, target in routes(table).items():
            found["route", table["RouteTableId"], destination] = target
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        found["igw", gateway["InternetGatewayId"]] = gateway
    for gateway in ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]:
        found["eigw", gateway["EgressOnlyInternetGatewayId"]] = gateway
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        rest = {key: value for key, value in group.items() if not key.startswith("IpPermissions")}
        found["group", group["GroupId"]] = rest
    for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]:
        family = "ipv6" if rule.get("CidrIpv6") else "ipv4"
        found["rule", family, rule["GroupId"], rule["SecurityGroupRuleId"]] = rule
    for acl in ec2.describe_network_acls()["NetworkAcls"]:
        found["acl", acl["NetworkAclId"]] = (acl["VpcId"], acl["Associations"], foreign(acl))
        for entry in acl["Entries"]:
            family = "ipv6" if entry.get("Ipv6CidrBlock") else "ipv4"
            place = (family, acl["NetworkAclId"], str(entry["Egress"]), str(entry["RuleNumber"]))
            found["entry", *place] = entry
    return found


def routes(table: dict[str, Any]) -> dict[str, str]:
    ends = ("GatewayId", "EgressOnlyInternetGatewayId", "NatGatewayId")
    return {
        canonical(route.get("DestinationIpv6CidrBlock") or route["DestinationCidrBlock"]): next(
            route[end] for end in ends if route.get(end)
        )
        for route in table["Routes"]
    }


def effective(subnet: dict[str, Any], tables: list[dict[str, Any]]) -> dict[str, str]:
    """The routes that a subnet uses, whichever table they are in."""
    own = [table for table in tables if table["VpcId"] == subnet["VpcId"]]
    for table in own:
        if any(entry.get("SubnetId") == subnet["SubnetId"] for entry in table["Associations"]):
            return routes(table)
    return next(routes(table) for table in own if any(entry.get("Main") for entry in table["Associations"]))


def adopting_may_change(key: tuple[str, ...], before: Any, after: Any, options: dict[str, Any]) -> bool:
    """Whether adoption names an item, or AWS adds it by itself to a VPC that gets a block."""
    named = [item["id"] for item in options["private_subnets"]]
    if key[0] == "subnet":
        return key[1] in named and key[2] in ("Ipv6CidrBlockAssociationSet", "AssignIpv6AddressOnCreation")
    if key[0] in ("route", "way"):
        return before is None and (after == "local" or key[2] == "::/0")
    if key[0] == "vpc":
        return key[2] == "Ipv6CidrBlockAssociationSet"
    return before is None and (key[0] == "eigw" or (key[0] in ("rule", "entry") and key[1] == "ipv6"))


def may_change(
    key: tuple[str, ...], before: Any, after: Any, module: str, options: dict[str, Any], serving: set[str]
) -> bool:
    """Whether a document names an item; what AWS itself adds to a subnet's description beside it is of IPv6 too."""
    kind = key[0]
    if kind == "eigw" and options.get("create_egress_only_internet_gateway"):
        made_here = any(tag["Key"].startswith(OWN) for tag in (before or {}).get("Tags", ()))
        return before is None if options["state"] == "present" else (made_here and after is None)
    if kind == "used" and options.get("shared_tables") == "split":
        return ((before or set()) ^ (after or set())) <= set(options.get("subnet_ids", ()))
    if kind == "subnet" and module == "ec2_subnet_ipv6":
        given = {member for option, member in ATTRIBUTES.items() if option in options}
        gone = {"AssignIpv6AddressOnCreation", "EnableDns64"} if options.get("state") == "absent" else set()
        return key[1] in options["subnet_ids"] and key[2] in {*given, *gone, "Ipv6CidrBlockAssociationSet"}
    if kind in ("route", "way") and module == "ec2_route_ipv6":
        named = key[2] == canonical(options["routes"][0]["destination"])
        if kind == "way":
            return named and (key[1] in options.get("subnet_ids", ()) or key[1] in serving)
        return named and (key[1] in options.get("route_table_ids", ()) or key[1] in serving)
    if kind == "rule" and module == "ec2_security_group_ipv6":
        given = [canonical(rule["cidr_ipv6"]) for rule in options["rules"]]
        tags = {tag["Key"]: tag["Value"] for tag in (before or {}).get("Tags", ())}
        own = tags.get("eksops.ipv6/part") == "twin" or (before or {}).get("CidrIpv6") in given
        return key[1] == "ipv6" and key[2] in options["group_ids"] and (before is None or own)
    if kind == "entry" and module == "ec2_network_acl_ipv6":
        return key[1] == "ipv6" and key[2] in options["network_acl_ids"]
    return False


def own_entries(ec2: Any) -> set[tuple[str, ...]]:
    """The ACL entries that the tags call this collection's."""
    found = set()
    for acl in ec2.describe_network_acls()["NetworkAcls"]:
        for tag in acl["Tags"]:
            direction = str("egress" in tag["Key"])
            found |= {("entry", "ipv6", acl["NetworkAclId"], direction, number) for number in tag["Value"].split()}
    return found


def planned(player: Player, module: str, options: dict[str, Any]) -> dict[str, Any]:
    """The result of check mode, whether it is a plan or a refusal."""
    try:
        return player.check(module, **options)
    except Failed as refused:
        return refused.result


def check(player: Player, ec2: Any, module: str, options: dict[str, Any]) -> None:
    before, own = items(ec2), own_entries(ec2)
    plan = planned(player, module, options)
    if "problems" in plan:
        assert player.refuses(module, **options) == plan["msg"]
        assert items(ec2) == before
        return
    result = player.converge(module, **options)
    after = items(ec2)
    tables = {key[1] for key in before if key[0] == "route"}
    serving = {step["resource"].removeprefix("route-table/") for step in result["plan"]}
    if module == "ec2_route_ipv6" and (options["shared_tables"] != "split" or "route_table_ids" in options):
        live = ec2.describe_route_tables()["RouteTables"]
        serving |= served(ec2, [table for table in live if table["RouteTableId"] in serving])
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            of_split = key[0] in ("route", "table") and options.get("shared_tables") == "split"
            named = (
                adopting_may_change(key, before.get(key), after.get(key), options)
                if module == "ec2_vpc_ipv6_network"
                else may_change(key, before.get(key), after.get(key), module, options, serving)
            )
            assert (of_split and key[1] not in tables) or named, (key, before.get(key), after.get(key))
            assert key[0] != "entry" or key not in before or key in own, key


def served(ec2: Any, tables: list[dict[str, Any]]) -> set[str]:
    """The subnets that tables serve; all that have no other where one is the main table."""
    explicit = {
        entry["SubnetId"]
        for table in ec2.describe_route_tables()["RouteTables"]
        for entry in table["Associations"]
        if entry.get("SubnetId")
    }
    found = {entry["SubnetId"] for table in tables for entry in table["Associations"] if entry.get("SubnetId")}
    if any(entry.get("Main") for table in tables for entry in table["Associations"]):
        vpcs = {table["VpcId"] for table in tables}
        every = ec2.describe_subnets()["Subnets"]
        found |= {item["SubnetId"] for item in every if item["VpcId"] in vpcs} - explicit
    return found


RICH: dict[str, Any] = {
    "blocks": 2,
    "second_range": True,
    "egress_gateway": False,
    "subnets": [
        {"slot": 7, "assign": True, "public": True, "table": None, "interface": False},
        {"slot": None, "assign": False, "public": False, "table": 0, "interface": False},
        {"slot": None, "assign": False, "public": False, "table": 0, "interface": True},
    ],
    "tables": [["0.0.0.0/0", "2001:DB8:0::/32", "::/0"]],
    "tags": {"Name": "old", "kubernetes.io/cluster/theirs": "shared"},
    "groups": [
        [
            {
                "protocol": "tcp",
                "port": 443,
                "cidr": "0.0.0.0/0",
                "egress": False,
                "description": "of old",
                "tags": {"owner": "web"},
            },
            {"protocol": "icmp", "port": 3, "cidr": "10.9.0.0/16", "egress": False, "description": "", "tags": {}},
            {"protocol": "-1", "port": 0, "cidr": "::/0", "egress": False, "description": "", "tags": {}},
        ]
    ],
    "acls": [
        [
            {"number": 9, "protocol": "6", "port": 443, "cidr": "0.0.0.0/0", "egress": False, "action": "deny"},
            {"number": 10, "protocol": "-1", "port": 8, "cidr": "0.0.0.0/0", "egress": True, "action": "allow"},
            {"number": 5, "protocol": "-1", "port": 8, "cidr": "2001:DB8:0::/48", "egress": False, "action": "allow"},
        ]
    ],
}
EVERYTHING: list[dict[str, Any]] = [
    {"module": "ec2_vpc_ipv6_network", "of": [0, 1], "ipv6": True, "additional": True},
    {
        "module": "ec2_subnet_ipv6",
        "of": [1, 0],
        "state": "present",
        "slot": 3,
        "spelled": True,
        "assign_ipv6_address_on_creation": True,
        "map_public_ip_on_launch": None,
        "enable_dns64": False,
    },
    {
        "module": "ec2_route_ipv6",
        "of": [1],
        "by_table": False,
        "destination": "0:0::/0",
        "target": "egress_only_internet_gateway",
        "shared_tables": "split",
        "create_egress_only_internet_gateway": True,
        "state": "present",
    },
    {
        "module": "ec2_security_group_ipv6",
        "of": [0],
        "mapping": [],
        "rules": [{"ip_protocol": "TCP", "from_port": 443, "cidr_ipv6": "2001:DB8::/48"}],
        "purge_twins": True,
        "state": "present",
    },
    {
        "module": "ec2_network_acl_ipv6",
        "of": [0],
        "path_mtu_discovery": True,
        "ephemeral_ports": {"from_port": 1024, "to_port": 65535},
        "purge_twins": False,
        "state": "present",
    },
]


@pytest.mark.slow
@example(account=RICH, document=EVERYTHING)
@example(
    account={**RICH, "blocks": 1, "egress_gateway": True},
    document=[{**item, "state": "absent"} for item in EVERYTHING[1:]],
)
@given(account=ACCOUNT, document=DOCUMENT)
@settings(
    max_examples=15 if settings.default.derandomize else 200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_document_does_what_its_plan_says_and_nothing_else(
    player: Player, aws: Aws, account: dict[str, Any], document: list[dict[str, Any]]
) -> None:
    player.emulator.reset()
    ec2 = aws("ec2")
    made = make(ec2, account)
    for wanted in document:
        module, options = invocation(made, wanted)
        check(player, ec2, module, options)


Task = tuple[str, dict[str, Any]]
PLANNED_BY: dict[str, tuple[str, ...]] = {
    "ec2_vpc_ipv6_network": (),
    "ec2_subnet_ipv6": ("subnets",),
    "ec2_route_ipv6": ("route_tables", "egress_only_internet_gateway_ids"),
    "ec2_security_group_ipv6": ("security_groups",),
    "ec2_network_acl_ipv6": ("network_acls",),
}


class Told:
    """What the tasks of a play have told so far, handed on as the role eks_network does it."""

    def __init__(self) -> None:
        self.network: dict[str, Any] = {}
        self.results: dict[str, list[dict[str, Any]]] = {module: [] for module in PLANNED_BY}

    def options(self, module: str) -> dict[str, Any]:
        blocks = self.network.get("ipv6_cidr_blocks")
        if module == "ec2_vpc_ipv6_network":
            return {}
        if module == "ec2_route_ipv6":
            return {"planned": [*([self.network] if self.network else []), *self.results[module]]}
        if module == "ec2_subnet_ipv6":
            own = {"vpc_ipv6_cidr_block": self.network["ipv6_cidr_block"]} if self.network else {}
            listed = [item for result in self.results[module] for item in result["subnets"]]
            return {"planned": [*self.network.get("subnets", ()), *listed], **own}
        (key,) = PLANNED_BY[module]
        listed = [item for result in self.results[module] for item in result[key]]
        return {"planned": listed, **({"vpc_ipv6_cidr_blocks": blocks} if blocks else {})}

    def add(self, module: str, result: dict[str, Any]) -> None:
        if module == "ec2_vpc_ipv6_network":
            self.network = result["network"]
        self.results[module].append({key: result[key] for key in PLANNED_BY[module]})


def predicted(player: Player, play: list[Task]) -> tuple[list[Task], list[list[tuple[str, str]]]]:
    """The tasks of a play that aren't refused, and the calls that each will make; nothing is made meanwhile."""
    told = Told()
    taken: list[Task] = []
    plans: list[list[tuple[str, str]]] = []
    for module, options in play:
        try:
            result = player.check(module, **{**told.options(module), **options})
        except Failed:
            continue
        told.add(module, result)
        taken.append((module, options))
        plans.append(calls(result))
    return taken, plans


def calls(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["operation"], step["resource"]) for step in result["plan"]]


@pytest.mark.slow
@example(account=RICH, document=EVERYTHING)
@given(account=ACCOUNT, document=DOCUMENT)
@settings(
    max_examples=15 if settings.default.derandomize else 200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_play_that_was_planned_as_a_whole_does_that(
    player: Player, aws: Aws, account: dict[str, Any], document: list[dict[str, Any]]
) -> None:
    """Several tasks, also of the same resources: each plan, made before anything was done, is what is then done."""
    player.emulator.reset()
    ec2 = aws("ec2")
    made = make(ec2, account)
    order = list(PLANNED_BY)  # the role's
    play = [invocation(made, wanted) for wanted in sorted(document, key=lambda item: order.index(item["module"]))]
    taken, plans = predicted(player, play)
    told, made_calls = Told(), []
    for module, options in taken:
        result = player(module, **{**told.options(module), **options})
        told.add(module, result)
        made_calls.append(calls(result))
    assert made_calls == plans
