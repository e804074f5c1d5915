# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and routes.

Sources: CreateRoute, ReplaceRoute, AssociateRouteTable, EnableVgwRoutePropagation in the EC2 API reference; the VPC
user guide on route tables and on NAT64; the NAT64 message as quoted in eksctl issue 4603.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from moto.ec2.models.route_tables import RouteTable
from moto.ec2.utils import random_route_table_id, random_subnet_association_id

from . import cidr, errors
from .family import Responses, tag_list
from .plain import Plain

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_TARGETS = (
    "GatewayId",
    "EgressOnlyInternetGatewayId",
    "NatGatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "VpcEndpointId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "LocalTarget",
)
_EMULATED = {
    "GatewayId",
    "EgressOnlyInternetGatewayId",
    "NatGatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
}


@dataclass
class StrictRoute:
    """A route that somebody made: one destination, one target. `target` is the API's member name and its value."""

    destination: str
    value: str
    target: str
    target_id: str

    def view(self, state: str) -> dict[str, Any]:
        target = {self.target: self.target_id}
        return {self.destination: self.value, **target, "Origin": "CreateRoute", "State": state}


class StrictRouteTable(RouteTable):
    """moto's route table; local routes follow the VPC's blocks, a route whose target has gone is a black hole."""

    def __init__(self, ec2_backend: Any, vpc_id: str, main: bool) -> None:
        super().__init__(ec2_backend, random_route_table_id(), vpc_id, main=main)
        self.made: dict[tuple[str, str], StrictRoute] = {}
        self.propagating: list[str] = []

    def local_networks(self) -> list[cidr.Network]:
        vpc = self.ec2_backend.get_vpc(self.vpc_id)
        ipv4 = [ipaddress.IPv4Network(item["cidr_block"]) for item in vpc.get_cidr_block_association_set()]
        return [*ipv4, *vpc.usable_networks()]

    def endpoint_routes(self) -> list[dict[str, Any]]:
        """The routes that gateway endpoints put here: they come and go with the endpoint's list of tables."""
        return [
            {
                "DestinationPrefixListId": endpoint.destination_prefix_list_id,
                "GatewayId": endpoint.id,
                "Origin": "CreateRoute",
                "State": "active",
            }
            for endpoint in self.ec2_backend.vpc_end_points.values()
            if endpoint.destination_prefix_list_id and self.id in endpoint.route_table_ids
        ]

    def view(self) -> dict[str, Any]:
        local = [
            {
                "DestinationCidrBlock" if network.version == 4 else "DestinationIpv6CidrBlock": str(network),
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            }
            for network in self.local_networks()
        ]
        made = [route.view(self.ec2_backend.route_state(self, route)) for route in self.made.values()]
        return {
            "RouteTableId": self.id,
            "VpcId": self.vpc_id,
            "OwnerId": self.owner_id,
            "Associations": self.associations,
            "PropagatingVgws": [{"GatewayId": gateway_id} for gateway_id in self.propagating],
            "Routes": local + made + self.endpoint_routes(),
            "Tags": tag_list(self.get_tags()),
        }


class RouteBackend:
    """Route tables in front of moto's."""

    def create_route_table(self: Any, vpc_id: str, tags: dict[str, str] | None = None, main: bool = False) -> Any:
        self.get_vpc(vpc_id)
        table = StrictRouteTable(self, vpc_id, main)  # type: ignore[abstract]
        self.route_tables[table.id] = table
        table.add_tags(tags or {})
        return table

    def delete_route_table(self: Any, route_table_id: str) -> None:
        table = self.get_route_table(route_table_id)
        if table._associations or table.main_association_id:
            raise errors.dependency(f"The routeTable '{route_table_id}' has dependencies and cannot be deleted.")
        del self.route_tables[route_table_id]

    def associate_route_table(
        self: Any, route_table_id: str, gateway_id: str | None = None, subnet_id: str | None = None
    ) -> str:
        table = self.get_route_table(route_table_id)
        target_id = subnet_id or gateway_id
        if subnet_id is not None and self.get_subnet(subnet_id).vpc_id != table.vpc_id:
            raise errors.invalid(f"Route table {table.id} and subnet {subnet_id} belong to different networks")
        if any(target_id in other._associations.values() for other in self.route_tables.values()):
            raise errors.refuse(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )
        association_id: str = random_subnet_association_id()
        table._associations[association_id] = target_id
        return association_id

    def disassociate_route_table(self: Any, association_id: str) -> None:
        for table in self.route_tables.values():
            if table.main_association_id == association_id:
                raise errors.invalid(f"cannot disassociate the main route table association {association_id}")
            if table._associations.pop(association_id, None):
                return
        raise errors.refuse("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")

    def route_state(self: Any, table: StrictRouteTable, route: StrictRoute) -> str:
        """`blackhole` when the target is gone or no longer attached to the VPC."""
        target = route.target_id
        if route.target == "NatGatewayId":
            gateway = self.nat_gateways.get(target)
            alive = gateway is not None and gateway.life.now() == "available"
        elif route.target == "EgressOnlyInternetGatewayId":
            alive = target in self.egress_only_internet_gateways
        elif target.startswith("igw-"):
            igw = self.internet_gateways.get(target)
            alive = igw is not None and igw.vpc is not None and igw.vpc.id == table.vpc_id
        elif target.startswith("vgw-"):
            alive = self.is_attached(target, table.vpc_id)
        elif route.target == "NetworkInterfaceId":
            alive = target in self.enis and self.enis[target].status == "in-use"
        elif route.target == "InstanceId":
            alive = any(item.id == target and item.is_running() for item in self.all_instances())
        else:
            alive = True
        return "active" if alive else "blackhole"

    def is_attached(self: Any, gateway_id: str, vpc_id: str) -> bool:
        """Whether a virtual private gateway is attached to a VPC."""
        gateway = self.vpn_gateways.get(gateway_id)
        found = gateway.attachments.get(vpc_id) if gateway is not None and gateway.state != "deleted" else None
        return found is not None and found.state == "attached"

    def delete_vpc_endpoints(self: Any, vpce_ids: list[str] | None = None) -> None:
        """Gateway endpoints take their routes along."""
        for endpoint in map(self.vpc_end_points.get, vpce_ids or []):
            if endpoint is not None and endpoint.destination_prefix_list_id:
                endpoint.route_table_ids = []
        super().delete_vpc_endpoints(vpce_ids)  # type: ignore[misc]

    def read_destination(self: Any, table: StrictRouteTable, name: str, text: str) -> str:
        """The destination in canonical form."""
        if name == "DestinationCidrBlock":
            return str(cidr.ipv4(text, "destinationCidrBlock"))
        if name == "DestinationIpv6CidrBlock":
            return str(cidr.ipv6(text, "destinationIpv6CidrBlock", strict=False))
        if text not in self.managed_prefix_lists:
            raise errors.refuse("InvalidPrefixListID.NotFound", f"The prefix list ID '{text}' does not exist")
        return text

    def check_target(self: Any, table: StrictRouteTable, name: str, value: str, target: str, target_id: str) -> None:
        """Refuses a target that isn't there, isn't in the VPC, or can't take this destination."""
        if target == "GatewayId":
            self._check_gateway(table, target_id)
        elif target == "EgressOnlyInternetGatewayId":
            gateway = self.egress_only_internet_gateways.get(target_id)
            if gateway is None:
                raise errors.refuse("InvalidGatewayID.NotFound", f"The gateway ID '{target_id}' does not exist")
            if gateway.vpc_id != table.vpc_id:
                raise errors.invalid(
                    f"route table {table.id} and network gateway {target_id} belong to different networks"
                )
            if name != "DestinationIpv6CidrBlock":
                raise errors.invalid("An egress-only internet gateway can only be the next hop of an IPv6 destination")
        elif target == "NatGatewayId":
            self._check_nat(table, name, value, target_id)
        elif target == "NetworkInterfaceId":
            self.get_network_interface(target_id)
        elif target == "InstanceId":
            self.get_instance(target_id)
        self._check_local(table, name, value, target)

    def _check_gateway(self: Any, table: StrictRouteTable, gateway_id: str) -> None:
        if gateway_id.startswith("vgw-"):
            self.get_vpn_gateway(gateway_id)
            return
        gateway = self.internet_gateways.get(gateway_id)
        if gateway is None:
            raise errors.refuse("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
        if gateway.vpc is None or gateway.vpc.id != table.vpc_id:
            raise errors.invalid(
                f"route table {table.id} and network gateway {gateway_id} belong to different networks"
            )

    def _check_nat(self: Any, table: StrictRouteTable, name: str, value: str, gateway_id: str) -> None:
        gateway = self.nat_gateways.get(gateway_id)
        if gateway is None or gateway.life.now() != "available":
            raise errors.refuse("InvalidNatGatewayID.NotFound", f"The natGateway ID '{gateway_id}' does not exist")
        if gateway.vpc_id != table.vpc_id:
            raise errors.invalid(
                f"route table {table.id} and network gateway {gateway_id} belong to different networks"
            )
        if name == "DestinationIpv6CidrBlock" and ipaddress.IPv6Network(value) != NAT64:
            raise errors.invalid(
                "An interface that is part of a NAT gateway cannot be the next hop for an IPv6 destination CIDR block "
                "or IPv6 prefix list"
            )

    def _check_local(self: Any, table: StrictRouteTable, name: str, value: str, target: str) -> None:
        if name == "DestinationPrefixListId" or target in ("NetworkInterfaceId", "InstanceId"):
            return
        network = ipaddress.ip_network(value)
        for local in table.local_networks():
            if cidr.within(network, local):
                raise errors.invalid(
                    f"The destination CIDR block {value} is equal to or more specific than one of this VPC's CIDR "
                    "blocks. This route can target only an interface or an instance."
                )


class RouteResponses(Responses):
    def create_route_table(self) -> Plain:
        table = self.backend.create_route_table(self.params["VpcId"], self.tags_for("route-table"))
        return Plain({"RouteTable": table.view()})

    def describe_route_tables(self) -> Plain:
        tables = self.backend.describe_route_tables(self.params.get("RouteTableIds"))
        return Plain({"RouteTables": [table.view() for table in tables]})

    def _route(self) -> tuple[StrictRouteTable, StrictRoute]:
        table = self.backend.get_route_table(self.params["RouteTableId"])
        name = self.only_one(*_DESTINATIONS, required=True)
        target = self.only_one(*_TARGETS, required=True)
        assert name is not None and target is not None
        if target not in _EMULATED:
            raise NotImplementedError(f"a route to {target}")
        value = self.backend.read_destination(table, name, self.params[name])
        self.backend.check_target(table, name, value, target, self.params[target])
        return table, StrictRoute(name, value, target, self.params[target])

    def create_route(self) -> Plain:
        table, route = self._route()
        if (route.destination, route.value) in table.made:
            raise errors.refuse("RouteAlreadyExists", f"The route identified by {route.value} already exists.")
        table.made[(route.destination, route.value)] = route
        return Plain({"Return": True})

    def replace_route(self) -> Plain:
        table, route = self._route()
        if (route.destination, route.value) not in table.made:
            raise errors.invalid(
                f"There is no route defined for '{route.value}' in the route table. Use CreateRoute instead."
            )
        table.made[(route.destination, route.value)] = route
        return Plain({})

    def delete_route(self) -> Plain:
        table = self.backend.get_route_table(self.params["RouteTableId"])
        name = self.only_one(*_DESTINATIONS, required=True)
        assert name is not None
        value = self.backend.read_destination(table, name, self.params[name])
        if any(str(network) == value for network in table.local_networks()):
            raise errors.invalid(f"cannot remove local route {value} in route table {table.id}")
        if any(route["DestinationPrefixListId"] == value for route in table.endpoint_routes()):
            raise errors.invalid(f"cannot remove VPC endpoint route {value} in route table {table.id}")
        if table.made.pop((name, value), None) is None:
            raise errors.refuse(
                "InvalidRoute.NotFound", f"no route with destination-cidr-block {value} in route table {table.id}"
            )
        return Plain({})

    def enable_vgw_route_propagation(self) -> Plain:
        table, gateway_id = self.backend.get_route_table(self.params["RouteTableId"]), self.params["GatewayId"]
        self.backend.get_vpn_gateway(gateway_id)
        if not self.backend.is_attached(gateway_id, table.vpc_id):
            raise errors.refuse("Gateway.NotAttached", f"Gateway {gateway_id} is not attached to {table.vpc_id}")
        if gateway_id not in table.propagating:
            table.propagating.append(gateway_id)
        return Plain({})

    def disable_vgw_route_propagation(self) -> Plain:
        table, gateway_id = self.backend.get_route_table(self.params["RouteTableId"]), self.params["GatewayId"]
        self.backend.get_vpn_gateway(gateway_id)
        table.propagating = [item for item in table.propagating if item != gateway_id]
        return Plain({})

    def associate_route_table(self) -> Plain:
        self.only_one("SubnetId", "GatewayId", required=True)
        made = self.backend.associate_route_table(
            self.params["RouteTableId"], self.params.get("GatewayId"), self.params.get("SubnetId")
        )
        return Plain({"AssociationId": made, "AssociationState": {"State": "associated"}})
