# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic IP addresses.

Sources: AllocateAddress, AssociateAddress, ReleaseAddress in the EC2 API reference.
"""

from __future__ import annotations

from typing import Any

from . import errors
from .family import Responses, tag_list
from .plain import Plain


class AddressBackend:
    """Addresses in front of moto's."""

    def free_address(self: Any, allocation_id: str) -> None:
        """Ends an address's association, whoever holds it."""
        for address in self.addresses:
            if address.allocation_id == allocation_id and address.public_ip:
                super().disassociate_address(address=address.public_ip)  # type: ignore[misc]

    def disassociate_address(self: Any, address: str | None = None, association_id: str | None = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_association([association_id])
        eni = found[0].eni
        if eni is not None and getattr(eni, "managed", None) == "nat_gateway":
            raise errors.refuse("AuthFailure", "You do not have permission to access the specified resource.")
        super().disassociate_address(address, association_id)  # type: ignore[misc]

    def release_address(self: Any, address: str | None = None, allocation_id: str | None = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id])
        if found[0].association_id is not None:
            raise errors.refuse("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
        self.addresses.remove(found[0])


class AddressResponses(Responses):
    def allocate_address(self) -> Plain:
        address = self.backend.allocate_address("vpc", address=self.params.get("Address"))
        address.add_tags(self.tags_for("elastic-ip"))
        return Plain(
            {
                "PublicIp": address.public_ip,
                "AllocationId": address.allocation_id,
                "Domain": "vpc",
                "PublicIpv4Pool": "amazon",
                "NetworkBorderGroup": self.backend.region_name,
            }
        )

    def describe_addresses(self) -> Plain:
        addresses = self.backend.describe_addresses(self.params.get("AllocationIds"), self.params.get("PublicIps"))
        return Plain({"Addresses": [self._address_view(address) for address in addresses]})

    def _address_view(self, address: Any) -> dict[str, Any]:
        answer = {
            "PublicIp": address.public_ip,
            "AllocationId": address.allocation_id,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": self.backend.region_name,
            "Tags": tag_list(address.get_tags()),
        }
        if address.association_id is not None:
            answer["AssociationId"] = address.association_id
        if address.instance is not None:
            answer["InstanceId"] = address.instance.id
        if address.eni is not None:
            answer |= {
                "NetworkInterfaceId": address.eni.id,
                "NetworkInterfaceOwnerId": address.eni.owner_id,
                "PrivateIpAddress": address.eni.private_ip_address,
            }
        return answer
