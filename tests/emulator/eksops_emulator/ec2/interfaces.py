# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces: IPv6 addresses and prefixes.

Sources: CreateNetworkInterface, AssignIpv6Addresses in the EC2 API reference; the EC2 user guide on IPv6 prefixes
(always /80) and on primary IPv6 addresses; ModifySubnetAttribute on what AssignIpv6AddressOnCreation does.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.moto_api._internal import mock_random

from . import errors
from .family import Responses
from .plain import Plain

# The EC2 user guide: an IPv6 prefix is always a /80.
PREFIX_LENGTH = 80


class StrictNetworkInterface(NetworkInterface):
    """moto's interface; `managed` names the service that made it, `ipv6_prefix_list` its /80 prefixes."""

    def __init__(self, ec2_backend: Any, subnet: Any, private_ip_address: Any, *args: Any, **kwargs: Any) -> None:
        asked = {name: kwargs.pop(name, None) for name in ("ipv6_address_count", "ipv6_prefix_count", "ipv6_prefixes")}
        wanted = [str(ipaddress.IPv6Address(item)) for item in kwargs.pop("ipv6_addresses", None) or []]
        self.managed: str | None = kwargs.pop("managed", None)
        self.primary_ipv6 = bool(kwargs.pop("primary_ipv6", False))
        self.ipv6_prefix_list: list[str] = []
        super().__init__(ec2_backend, subnet, private_ip_address, *args, **kwargs)
        if self.managed is not None:
            self.requester_managed = True
            self.interface_type = self.managed
        nothing_asked = not any(asked.values()) and not wanted and asked["ipv6_address_count"] is None
        if nothing_asked and self.managed is None and self.subnet.assign_ipv6_address_on_creation:
            asked["ipv6_address_count"] = 1
        self.take_ipv6(wanted, asked["ipv6_address_count"] or 0)
        self.take_prefixes(asked["ipv6_prefixes"] or [], asked["ipv6_prefix_count"] or 0)

    @property
    def network_interface_id(self) -> str:
        return self.id

    def _block(self) -> ipaddress.IPv6Network:
        block = self.subnet.ipv6_block()
        if block is None:
            raise errors.invalid(f"The subnet {self.subnet_id} has no IPv6 CIDR block associated with it")
        network: ipaddress.IPv6Network = block.block
        return network

    def _in_use(self) -> set[str]:
        return {item for eni in self.ec2_backend.enis.values() for item in (*eni.ipv6_addresses, *eni.ipv6_prefix_list)}

    def take_ipv6(self, wanted: list[str], count: int) -> list[str]:
        """Adds these addresses, or so many of the subnet's block; returns what was added."""
        if not wanted and not count:
            return []
        block, used, added = self._block(), self._in_use(), []
        for text in wanted:
            if ipaddress.IPv6Address(text) not in block:
                raise errors.invalid(f"Address {text} does not fall within the subnet's address range")
            if text in used:
                raise errors.refuse("InvalidIPAddress.InUse", f"Address {text} is in use.")
            added.append(text)
        while len(added) < len(wanted) + count:
            # The first addresses of a subnet are reserved, the last one too (VPC user guide).
            offset = 16 + mock_random.getrandbits(128 - block.prefixlen) % (block.num_addresses - 32)
            text = str(block.network_address + offset)
            if text not in used and text not in added:
                added.append(text)
        self.ipv6_addresses.extend(added)
        return added

    def take_prefixes(self, wanted: list[str], count: int) -> list[str]:
        """Adds these /80 prefixes, or so many of the subnet's block; returns what was added."""
        if not wanted and not count:
            return []
        block, used, added = self._block(), self._in_use(), []
        for text in wanted:
            prefix = ipaddress.IPv6Network(text)
            if prefix.prefixlen != PREFIX_LENGTH or not prefix.subnet_of(block):
                raise errors.invalid(f"Prefix {text} is not a /80 of the subnet's address range")
            if str(prefix) in used:
                raise errors.refuse("InvalidIPAddress.InUse", f"Prefix {text} is in use.")
            added.append(str(prefix))
        while len(added) < len(wanted) + count:
            slot = 1 + mock_random.getrandbits(PREFIX_LENGTH - block.prefixlen) % (
                2 ** (PREFIX_LENGTH - block.prefixlen) - 1
            )
            start = int(block.network_address) | slot << 128 - PREFIX_LENGTH
            text = str(ipaddress.IPv6Network((start, PREFIX_LENGTH)))
            if text not in used and text not in added:
                added.append(text)
        self.ipv6_prefix_list.extend(added)
        return added

    def holds_ipv6(self) -> bool:
        return bool(self.ipv6_addresses or self.ipv6_prefix_list)

    @property
    def ipv6_prefixes(self) -> list[dict[str, str]]:
        return [{"Ipv6Prefix": item} for item in self.ipv6_prefix_list]

    @property
    def ipv6_address(self) -> str | None:
        return self.ipv6_addresses[0] if self.ipv6_addresses else None

    @property
    def network_interface_ipv6_addresses_list(self) -> list[dict[str, Any]]:
        return [
            {"Ipv6Address": item, "IsPrimaryIpv6": self.primary_ipv6 and index == 0}
            for index, item in enumerate(self.ipv6_addresses)
        ]

    @property
    def instance_ipv6_address_list(self) -> list[dict[str, Any]]:
        return self.network_interface_ipv6_addresses_list


class InterfaceBackend:
    """Interfaces in front of moto's."""

    def create_network_interface(
        self: Any, subnet: Any, private_ip_address: Any, *args: Any, **kwargs: Any
    ) -> StrictNetworkInterface:
        interface = StrictNetworkInterface(self, subnet, private_ip_address, *args, **kwargs)  # type: ignore[abstract]
        self.enis[interface.id] = interface
        return interface

    def delete_network_interface(self: Any, eni_id: str) -> None:
        interface = self.get_network_interface(eni_id)
        if interface.managed is not None or (
            interface.attachment_id is not None and not interface.delete_on_termination
        ):
            raise errors.invalid(f"Network interface '{eni_id}' is currently in use.")
        super().delete_network_interface(eni_id)  # type: ignore[misc]


class InterfaceResponses(Responses):
    def create_network_interface(self) -> Any:
        given = self.params
        if given.get("Ipv6AddressCount") and given.get("Ipv6Addresses"):
            raise errors.combination("The parameters ipv6AddressCount and ipv6Addresses cannot be used together")
        interface = self.backend.create_network_interface(
            self.backend.get_subnet(given["SubnetId"]),
            given.get("PrivateIpAddress"),
            given.get("PrivateIpAddresses", []),
            group_ids=given.get("Groups", []),
            description=given.get("Description"),
            tags=self.tags_for("network-interface"),
            secondary_ips_count=given.get("SecondaryPrivateIpAddressCount"),
            ipv6_addresses=[item["Ipv6Address"] for item in given.get("Ipv6Addresses", [])],
            ipv6_address_count=given.get("Ipv6AddressCount"),
            ipv6_prefixes=[item["Ipv6Prefix"] for item in given.get("Ipv6Prefixes", [])],
            ipv6_prefix_count=given.get("Ipv6PrefixCount"),
            primary_ipv6=given.get("EnablePrimaryIpv6"),
        )
        return self._one(interface)

    def _one(self, interface: StrictNetworkInterface) -> Any:
        from moto.core.responses import ActionResult

        return ActionResult({"NetworkInterface": interface})

    def assign_ipv6_addresses(self) -> Plain:
        given, interface = self.params, self.backend.get_network_interface(self.params["NetworkInterfaceId"])
        addresses = interface.take_ipv6(given.get("Ipv6Addresses", []), given.get("Ipv6AddressCount") or 0)
        prefixes = interface.take_prefixes(given.get("Ipv6Prefixes", []), given.get("Ipv6PrefixCount") or 0)
        answer: dict[str, Any] = {"NetworkInterfaceId": interface.id, "AssignedIpv6Addresses": addresses}
        return Plain({**answer, "AssignedIpv6Prefixes": prefixes} if prefixes else answer)

    def unassign_ipv6_addresses(self) -> Plain:
        given, interface = self.params, self.backend.get_network_interface(self.params["NetworkInterfaceId"])
        addresses, prefixes = given.get("Ipv6Addresses", []), given.get("Ipv6Prefixes", [])
        for item in addresses:
            if item not in interface.ipv6_addresses:
                raise errors.invalid(f"Some of the specified addresses are not assigned to interface {interface.id}")
        for item in prefixes:
            if item not in interface.ipv6_prefix_list:
                raise errors.invalid(f"Some of the specified prefixes are not assigned to interface {interface.id}")
        interface.ipv6_addresses = [item for item in interface.ipv6_addresses if item not in addresses]
        interface.ipv6_prefix_list = [item for item in interface.ipv6_prefix_list if item not in prefixes]
        return Plain(
            {
                "NetworkInterfaceId": interface.id,
                "UnassignedIpv6Addresses": addresses,
                "UnassignedIpv6Prefixes": prefixes,
            }
        )
