# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Internet gateways and egress-only internet gateways.

Sources: the EC2 API reference; the VPC user guide's quotas (one gateway of either kind per VPC); the messages of
AttachInternetGateway and DetachInternetGateway as users quote them.
"""

from __future__ import annotations

from typing import Any

from . import errors
from .family import Responses, tag_list
from .plain import Plain


class GatewayBackend:
    """Gateways in front of moto's."""

    def __init__(self) -> None:
        self.gateway_tokens: dict[str, tuple[str, str]] = {}

    def attach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> Any:
        gateway = self.get_internet_gateway(internet_gateway_id)
        vpc = self.get_vpc(vpc_id)
        if gateway.vpc is not None:
            raise errors.refuse(
                "Resource.AlreadyAssociated",
                f"resource {internet_gateway_id} is already attached to network {gateway.vpc.id}",
            )
        if any(other.vpc is vpc for other in self.internet_gateways.values()):
            raise errors.invalid(f"Network {vpc_id} already has an internet gateway attached")
        return super().attach_internet_gateway(internet_gateway_id, vpc_id)  # type: ignore[misc]

    def detach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> None:
        gateway = self.get_internet_gateway(internet_gateway_id)
        mapped = any(eni.vpc_id == vpc_id and eni.public_ip for eni in self.enis.values())
        if gateway.vpc is not None and gateway.vpc.id == vpc_id and mapped:
            raise errors.dependency(
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway."
            )
        super().detach_internet_gateway(internet_gateway_id, vpc_id)  # type: ignore[misc]

    def delete_internet_gateway(self: Any, internet_gateway_id: str) -> None:
        gateway = self.get_internet_gateway(internet_gateway_id)
        if gateway.vpc is not None:
            raise errors.dependency(
                f"The internetGateway '{internet_gateway_id}' has dependencies and cannot be deleted."
            )
        super().delete_internet_gateway(internet_gateway_id)  # type: ignore[misc]

    def create_egress_only_internet_gateway(
        self: Any, vpc_id: str, tags: dict[str, str] | None = None, token: str | None = None
    ) -> Any:
        self.get_vpc(vpc_id)
        if token is not None and token in self.gateway_tokens:
            made_for, made = self.gateway_tokens[token]
            if made_for != vpc_id:
                raise errors.refuse("IdempotentParameterMismatch", "The client token was used with another request")
            if made in self.egress_only_internet_gateways:
                return self.egress_only_internet_gateways[made]
        if any(other.vpc_id == vpc_id for other in self.egress_only_internet_gateways.values()):
            raise errors.refuse(
                "EgressOnlyInternetGatewayLimitExceeded", f"Network {vpc_id} has an egress-only internet gateway"
            )
        gateway = super().create_egress_only_internet_gateway(vpc_id, tags)  # type: ignore[misc]
        if token is not None:
            self.gateway_tokens[token] = (vpc_id, gateway.id)
        return gateway


def _egress_only(gateway: Any) -> dict[str, Any]:
    return {
        "EgressOnlyInternetGatewayId": gateway.id,
        "Attachments": [{"State": "attached", "VpcId": gateway.vpc_id}],
        "Tags": tag_list(gateway.get_tags()),
    }


class GatewayResponses(Responses):
    def create_internet_gateway(self) -> Any:
        gateway = self.backend.create_internet_gateway()
        gateway.add_tags(self.tags_for("internet-gateway"))
        return Plain({"InternetGateway": _internet(gateway)})

    def describe_internet_gateways(self) -> Plain:
        gateways = self.backend.describe_internet_gateways(self.params.get("InternetGatewayIds"))
        return Plain({"InternetGateways": [_internet(gateway) for gateway in gateways]})

    def create_egress_only_internet_gateway(self) -> Plain:
        gateway = self.backend.create_egress_only_internet_gateway(
            self.params["VpcId"], self.tags_for("egress-only-internet-gateway"), self.params.get("ClientToken")
        )
        answer = {"EgressOnlyInternetGateway": _egress_only(gateway)}
        return Plain(
            {**answer, **({"ClientToken": self.params["ClientToken"]} if "ClientToken" in self.params else {})}
        )

    def describe_egress_only_internet_gateways(self) -> Plain:
        wanted = self.params.get("EgressOnlyInternetGatewayIds", [])
        gateways = [self.backend.get_egress_only_igw(item) for item in wanted]
        gateways = gateways or list(self.backend.egress_only_internet_gateways.values())
        return Plain({"EgressOnlyInternetGateways": [_egress_only(gateway) for gateway in gateways]})


def _internet(gateway: Any) -> dict[str, Any]:
    return {
        "InternetGatewayId": gateway.id,
        "OwnerId": gateway.owner_id,
        "Attachments": gateway.attachments,
        "Tags": tag_list(gateway.get_tags()),
    }
