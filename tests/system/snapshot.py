# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an EC2 account holds, in a form in which two accounts can be compared: names for ids, slots for IPv6 blocks."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.eksops.ipv6.plugins.module_utils._core.addressing import slots_of

ID = re.compile(r"\b(?:vpc|subnet|rtb|igw|eigw|nat|eipalloc|rtbassoc|eni|sg|acl)-[0-9a-f]+\b")


def ec2(client: Any) -> dict[str, Any]:
    """Everything of a network, by name. A resource without a Name keeps its id."""
    parts = {
        "vpcs": _vpcs(client),
        "subnets": _subnets(client),
        "internet_gateways": _plain(client.describe_internet_gateways()["InternetGateways"]),
        "egress_only": _plain(client.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]),
        "nat_gateways": _nat_gateways(client),
        "addresses": _addresses(client),
        "route_tables": _route_tables(client),
    }
    names = _names(parts)
    text = json.dumps(parts, sort_keys=True, default=str)
    return _sorted(json.loads(ID.sub(lambda found: names.get(found.group(), found.group()), text)))


def _vpcs(client: Any) -> list[dict[str, Any]]:
    found = []
    for vpc in client.describe_vpcs()["Vpcs"]:
        attributes = {
            name: client.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name)[name[0].upper() + name[1:]]["Value"]
            for name in ("enableDnsSupport", "enableDnsHostnames")
        }
        blocks = [
            entry["Ipv6CidrBlock"].partition("/")[2]
            for entry in vpc.get("Ipv6CidrBlockAssociationSet", ())
            if entry["Ipv6CidrBlockState"]["State"] == "associated"
        ]
        kept = {key: vpc[key] for key in ("VpcId", "CidrBlock", "State")}
        found.append({**kept, **attributes, "ipv6": blocks, "Tags": _tags(vpc)})
    return found


def _subnets(client: Any) -> list[dict[str, Any]]:
    blocks = [
        entry["Ipv6CidrBlock"]
        for vpc in client.describe_vpcs()["Vpcs"]
        for entry in vpc.get("Ipv6CidrBlockAssociationSet", ())
    ]
    keys = (
        "SubnetId",
        "VpcId",
        "CidrBlock",
        "AvailabilityZone",
        "AssignIpv6AddressOnCreation",
        "MapPublicIpOnLaunch",
        "EnableDns64",
    )
    return [
        {
            **{key: subnet.get(key) for key in keys},
            "slots": [
                next(
                    (
                        slots_of(block, entry["Ipv6CidrBlock"])[0]
                        for block in blocks
                        if slots_of(block, entry["Ipv6CidrBlock"])
                    ),
                    None,
                )
                for entry in subnet.get("Ipv6CidrBlockAssociationSet", ())
                if entry["Ipv6CidrBlockState"]["State"] == "associated"
            ],
            "Tags": _tags(subnet),
        }
        for subnet in client.describe_subnets()["Subnets"]
    ]


def _nat_gateways(client: Any) -> list[dict[str, Any]]:
    return [
        {
            "NatGatewayId": item["NatGatewayId"],
            "SubnetId": item["SubnetId"],
            "State": item["State"],
            "addresses": [entry["AllocationId"] for entry in item["NatGatewayAddresses"]],
            "Tags": _tags(item),
        }
        for item in client.describe_nat_gateways()["NatGateways"]
        if item["State"] not in ("deleted", "failed")
    ]


def _addresses(client: Any) -> list[dict[str, Any]]:
    return [
        {"AllocationId": item["AllocationId"], "used": "AssociationId" in item, "Tags": _tags(item)}
        for item in client.describe_addresses()["Addresses"]
    ]


def _route_tables(client: Any) -> list[dict[str, Any]]:
    return [
        {
            "RouteTableId": item["RouteTableId"],
            "VpcId": item["VpcId"],
            "main": any(entry.get("Main") for entry in item["Associations"]),
            "subnets": [entry["SubnetId"] for entry in item["Associations"] if entry.get("SubnetId")],
            "routes": [
                {key: value for key, value in route.items() if key not in ("DestinationIpv6CidrBlock", "Origin")}
                | {
                    "ipv6": route.get("DestinationIpv6CidrBlock")
                    if route.get("GatewayId") != "local"
                    else bool(route.get("DestinationIpv6CidrBlock"))
                }
                for route in item["Routes"]
            ],
            "Tags": _tags(item),
        }
        for item in client.describe_route_tables()["RouteTables"]
    ]


def _plain(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**{key: value for key, value in item.items() if key != "OwnerId"}, "Tags": _tags(item)} for item in items]


def _tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}


def _names(parts: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """A name for every id: its Name tag, else what tells it from others of its kind."""
    names: dict[str, str] = {}
    for kind, items in parts.items():
        for item in items:
            identifier = next(
                (value for value in item.values() if isinstance(value, str) and ID.fullmatch(value)), None
            )
            name = item["Tags"].get("Name") or item.get("CidrBlock")
            if name is None and item.get("main"):
                name = f"main of {names[item['VpcId']]}"
            if identifier and name:
                names[identifier] = f"<{kind} {name}>"
    return names


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
