# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAT gateways: pending to available or failed, deleting to deleted.

Sources: CreateNatGateway and the NatGateway type in the EC2 API reference, which list the failures and their texts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import random_nat_gateway_id

from . import errors
from .family import Responses, tag_list
from .life import Life
from .plain import Plain


class NatGateway(TaggedEC2Resource):
    """A zonal NAT gateway with one address."""

    def __init__(self, backend: Any, subnet: Any, allocation_id: str | None, connectivity: str, failure: Any) -> None:
        self.ec2_backend = backend
        self.id = random_nat_gateway_id()
        self.subnet_id = subnet.id
        self.vpc_id = subnet.vpc_id
        self.connectivity_type = connectivity
        self.allocation_id = allocation_id
        self.failure: tuple[str, str] | None = failure
        end = "failed" if failure else "available"
        self.life = Life("ec2::nat_gateway", [("pending", end), ("deleting", "deleted")])
        self.created = datetime.now(UTC)
        self.deleted_at: datetime | None = None
        self.eni: Any = None
        self.address: dict[str, Any] = {}
        if failure is None:
            self._take_interface(subnet)

    def _take_interface(self, subnet: Any) -> None:
        self.eni = self.ec2_backend.create_network_interface(
            subnet, "", description=f"Interface for NAT Gateway {self.id}", group_ids=[], managed="nat_gateway"
        )
        self.address = {"NetworkInterfaceId": self.eni.id, "PrivateIp": self.eni.private_ip_address, "IsPrimary": True}
        if self.allocation_id is not None:
            address = self.ec2_backend.associate_address(eni=self.eni, allocation_id=self.allocation_id)
            self.address |= {
                "AllocationId": self.allocation_id,
                "PublicIp": address.public_ip,
                "AssociationId": address.association_id,
            }

    @property
    def state(self) -> str:
        """For moto's own code: the state, without counting as a describe."""
        return self.life.now()

    def settle(self) -> None:
        """Gives interface and address back once it is deleted."""
        if self.life.now() == "deleted" and self.eni is not None:
            if self.allocation_id is not None:
                self.ec2_backend.free_address(self.allocation_id)
            self.ec2_backend.enis.pop(self.eni.id, None)
            self.eni = None

    def view(self, seen: bool) -> dict[str, Any]:
        state = self.life.seen() if seen else self.life.now()
        self.settle()
        answer: dict[str, Any] = {
            "NatGatewayId": self.id,
            "SubnetId": self.subnet_id,
            "VpcId": self.vpc_id,
            "State": state,
            "ConnectivityType": self.connectivity_type,
            "AvailabilityMode": "zonal",
            "CreateTime": self.created,
            "NatGatewayAddresses": [self._address_view(state)] if self.address else [],
            "Tags": tag_list(self.get_tags()),
        }
        if state == "failed" and self.failure is not None:
            answer |= {"FailureCode": self.failure[0], "FailureMessage": self.failure[1]}
        if self.deleted_at is not None:
            answer["DeleteTime"] = self.deleted_at
        return answer

    def _address_view(self, state: str) -> dict[str, Any]:
        """The public address isn't told while the gateway is pending (CLI reference, create-nat-gateway example)."""
        if state == "pending":
            return {"AllocationId": self.allocation_id} if self.allocation_id else {"IsPrimary": True}
        return {**self.address, "Status": "succeeded"}


class NatGatewayBackend:
    """NAT gateways in place of moto's."""

    def __init__(self) -> None:
        self.nat_tokens: dict[str, tuple[Any, str]] = {}

    def nat_failure(self: Any, subnet: Any, allocation_id: str | None, connectivity: str) -> tuple[str, str] | None:
        """Why a gateway would fail after it was accepted."""
        if connectivity == "private":
            return None
        if not any(igw.vpc is not None and igw.vpc.id == subnet.vpc_id for igw in self.internet_gateways.values()):
            return "Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached"
        address = next(item for item in self.addresses if item.allocation_id == allocation_id)
        if address.association_id is not None:
            return "Resource.AlreadyAssociated", f"Elastic IP address {allocation_id} is already associated"
        return None

    def create_nat_gateway(
        self: Any,
        subnet_id: str,
        allocation_id: str | None,
        tags: dict[str, str] | None = None,
        connectivity_type: str = "public",
    ) -> NatGateway:
        subnet = self.get_subnet(subnet_id)
        if connectivity_type == "public" and not allocation_id:
            raise errors.refuse("MissingParameter", "The request must include the AllocationId parameter.")
        if connectivity_type == "private" and allocation_id:
            raise errors.combination("An allocation ID cannot be given for a private NAT gateway")
        if allocation_id is not None:
            self.address_by_allocation([allocation_id])
        failure = self.nat_failure(subnet, allocation_id, connectivity_type)
        gateway = NatGateway(self, subnet, allocation_id, connectivity_type, failure)
        self.nat_gateways[gateway.id] = gateway
        gateway.add_tags(tags or {})
        return gateway

    def nat_gateway(self: Any, gateway_id: str) -> NatGateway:
        if gateway_id not in self.nat_gateways:
            raise errors.refuse("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")
        gateway: NatGateway = self.nat_gateways[gateway_id]
        return gateway

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> NatGateway:
        gateway: NatGateway = self.nat_gateway(nat_gateway_id)
        if gateway.life.now() not in ("deleting", "deleted"):
            gateway.life.begin("deleting")
            gateway.deleted_at = datetime.now(UTC)
        return gateway


class NatGatewayResponses(Responses):
    def create_nat_gateway(self) -> Plain:
        for unknown in ("SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "PrivateIpAddress"):
            if self.params.get(unknown):
                raise NotImplementedError(unknown)
        if self.params.get("AvailabilityMode") == "regional":
            raise NotImplementedError("regional NAT gateways")
        if not self.params.get("SubnetId"):
            raise errors.missing("subnetId")
        token = self.params.get("ClientToken")
        asked = {key: value for key, value in self.params.items() if key != "ClientToken"}
        if token is not None and token in self.backend.nat_tokens:
            before, gateway_id = self.backend.nat_tokens[token]
            if before != asked:
                raise errors.refuse("IdempotentParameterMismatch", "The client token was used with another request")
            return Plain({"NatGateway": self.backend.nat_gateways[gateway_id].view(seen=False), "ClientToken": token})
        gateway = self.backend.create_nat_gateway(
            self.params["SubnetId"],
            self.params.get("AllocationId"),
            self.tags_for("natgateway"),
            self.params.get("ConnectivityType") or "public",
        )
        if token is not None:
            self.backend.nat_tokens[token] = (asked, gateway.id)
        return Plain({"NatGateway": gateway.view(seen=False), **({"ClientToken": token} if token else {})})

    def describe_nat_gateways(self) -> Plain:
        wanted = self.params.get("NatGatewayIds", [])
        gateways = [self.backend.nat_gateway(item) for item in wanted] or list(self.backend.nat_gateways.values())
        return Plain({"NatGateways": [gateway.view(seen=True) for gateway in gateways]})

    def delete_nat_gateway(self) -> Plain:
        gateway = self.backend.delete_nat_gateway(self.params["NatGatewayId"])
        return Plain({"NatGatewayId": gateway.id})
