# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subnets, their IPv6 block and their launch attributes.

Sources: CreateSubnet, AssociateSubnetCidrBlock, ModifySubnetAttribute in the EC2 API reference; the VPC user guide on
subnet CIDR blocks; the messages as users quote them in public issues of Terraform's AWS provider (1519, 32897, 46017).
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.subnets import Subnet, SubnetCidrReservation
from moto.ec2.utils import random_subnet_id, random_subnet_ipv6_cidr_block_association_id
from moto.moto_api._internal import mock_random

from . import cidr, errors
from .family import Responses, arn, tag_list
from .life import CidrLife
from .plain import Plain


class SubnetIpv6:
    """A subnet's IPv6 block."""

    def __init__(self, block: ipaddress.IPv6Network, public: bool, source: str) -> None:
        self.id = random_subnet_ipv6_cidr_block_association_id()
        self.block = block
        self.public = public
        self.source = source
        self.life = CidrLife("ec2::subnet_cidr")

    def view(self, status: str) -> dict[str, Any]:
        return {
            "AssociationId": self.id,
            "Ipv6CidrBlock": str(self.block),
            "Ipv6CidrBlockState": {"State": status},
            "Ipv6AddressAttribute": "public" if self.public else "private",
            "IpSource": self.source,
        }


class StrictSubnet(Subnet):
    """moto's subnet with an IPv6 block and launch attributes of its own."""

    def __init__(self, ec2_backend: Any, vpc_id: str, network: Any, zone: Zone, default: bool, native: bool) -> None:
        self.ipv6_blocks: list[SubnetIpv6] = []
        super().__init__(
            ec2_backend,
            random_subnet_id(),
            vpc_id,
            "" if native else str(network),
            str(network) if native else None,
            zone,
            default_for_az=default,
            map_public_ip_on_launch=default,
            ipv6_native=native,
        )
        self.enable_dns64 = False
        self.lni_device_index: int | None = None
        if native:
            self.private_dns_name_options_on_launch["HostnameType"] = "resource-name"

    @property
    def arn(self) -> str:
        return arn(self.ec2_backend, f"subnet/{self.id}")

    @property
    def ipv6_cidr_block_associations(self) -> dict[str, dict[str, Any]]:
        """moto's view of the block, for its own code that picks addresses from it."""
        block = self.ipv6_block()
        if block is None:
            return {}
        state = {"State": block.life.now()}
        return {block.id: {"associationId": block.id, "ipv6CidrBlock": str(block.block), "ipv6CidrBlockState": state}}

    @ipv6_cidr_block_associations.setter
    def ipv6_cidr_block_associations(self, value: Any) -> None:
        """moto's constructor empties it; the blocks are in `ipv6_blocks`."""

    def attach_ipv6_cidr_block_associations(self, ipv6_cidr_block: str) -> dict[str, Any]:
        """moto's constructor calls this for an IPv6-native subnet; the backend adds the block afterwards."""
        return {}

    def ipv6_block(self) -> SubnetIpv6 | None:
        """The block that is associated, or on its way there or back."""
        return next((item for item in self.ipv6_blocks if item.life.live), None)

    @property
    def available_ip_address_count(self) -> int:
        return 0 if self.ipv6_native else super().available_ip_address_count

    def view(self, seen: bool) -> dict[str, Any]:
        answer = {
            "SubnetId": self.id,
            "SubnetArn": self.arn,
            "VpcId": self.vpc_id,
            "OwnerId": self.owner_id,
            "State": self.state,
            "AvailabilityZone": self.availability_zone,
            "AvailabilityZoneId": self.availability_zone_id,
            "AvailableIpAddressCount": self.available_ip_address_count,
            "DefaultForAz": self.default_for_az,
            "MapPublicIpOnLaunch": self.map_public_ip_on_launch,
            "MapCustomerOwnedIpOnLaunch": False,
            "AssignIpv6AddressOnCreation": self.assign_ipv6_address_on_creation,
            "EnableDns64": self.enable_dns64,
            "Ipv6Native": self.ipv6_native,
            "PrivateDnsNameOptionsOnLaunch": dict(self.private_dns_name_options_on_launch),
            "Ipv6CidrBlockAssociationSet": [
                item.view(item.life.seen() if seen else item.life.now()) for item in self.ipv6_blocks
            ],
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": self.ec2_backend.public_access_block_mode},
            "Tags": tag_list(self.get_tags()),
        }
        if not self.ipv6_native:
            answer["CidrBlock"] = self.cidr_block
        if self.lni_device_index is not None:
            answer["EnableLniAtDeviceIndex"] = self.lni_device_index
        return answer


class SubnetBackend:
    """Subnets in front of moto's."""

    def create_subnet(
        self: Any,
        vpc_id: str,
        cidr_block: str | None,
        ipv6_cidr_block: str | None = None,
        availability_zone: str | None = None,
        availability_zone_id: str | None = None,
        ipv6_native: bool = False,
        tags: dict[str, dict[str, str]] | None = None,
        default_for_az: bool = False,
    ) -> StrictSubnet:
        vpc = self.get_vpc(vpc_id)
        zone = self._zone(availability_zone, availability_zone_id)
        ipv4 = None if ipv6_native else self._ipv4_for(vpc, cidr_block)
        ipv6 = self._ipv6_for(vpc, ipv6_cidr_block) if ipv6_cidr_block else None
        subnet = StrictSubnet(self, vpc_id, ipv6 if ipv6_native else ipv4, zone, default_for_az, ipv6_native)  # type: ignore[abstract]
        if ipv6 is not None:
            subnet.ipv6_blocks.append(self._subnet_ipv6(vpc, ipv6))
        self.subnets[zone.name][subnet.id] = subnet
        subnet.add_tags((tags or {}).get("subnet", {}))
        self.associate_default_network_acl_with_subnet(subnet.id, vpc_id)
        return subnet

    def create_default_subnet(self: Any, availability_zone: str) -> Any:
        subnet = super().create_default_subnet(availability_zone)  # type: ignore[misc]
        subnet.default_for_az = subnet.map_public_ip_on_launch = True
        return subnet

    def _subnet_ipv6(self: Any, vpc: Any, block: ipaddress.IPv6Network) -> SubnetIpv6:
        parent = next(item for item in vpc.live_blocks() if block.subnet_of(item.block))
        return SubnetIpv6(block, parent.public, parent.source)

    def _zone(self: Any, name: str | None, zone_id: str | None) -> Zone:
        zones = RegionsAndZonesBackend.zones.get(self.region_name, [])
        if name is None and zone_id is None:
            chosen: Zone = mock_random.choice(zones)
            return chosen
        for zone in zones:
            if name in (None, zone.name) and zone_id in (None, zone.zone_id):
                return zone
        listed = ", ".join(zone.name for zone in zones)
        raise errors.invalid(
            f"Value ({name or zone_id}) for parameter availabilityZone is invalid. "
            f"Subnets can currently only be created in the following availability zones: {listed}."
        )

    def _ipv4_for(self: Any, vpc: Any, text: str | None) -> ipaddress.IPv4Network:
        if not text:
            raise errors.refuse("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
        network = cidr.ipv4(text, "cidrBlock")
        parents = [ipaddress.IPv4Network(item["cidr_block"]) for item in vpc.get_cidr_block_association_set()]
        if not 16 <= network.prefixlen <= 28 or not any(network.subnet_of(parent) for parent in parents):
            raise errors.refuse("InvalidSubnet.Range", f"The CIDR '{text}' is invalid.")
        for other in self.describe_subnets():
            if (
                other.vpc_id == vpc.id
                and other.cidr_block
                and ipaddress.IPv4Network(other.cidr_block).overlaps(network)
            ):
                raise errors.refuse("InvalidSubnet.Conflict", f"The CIDR '{text}' conflicts with another subnet")
        return network

    def _ipv6_for(self: Any, vpc: Any, text: str) -> ipaddress.IPv6Network:
        """A subnet's IPv6 block: /44 to /64 in steps of 4, inside an associated block of the VPC, free."""
        network = cidr.ipv6(text, "ipv6CidrBlock")
        if not cidr.stepped(network, 44, 64):
            raise errors.invalid(f"invalid value for parameter ipv6-cidr-block: {network}")
        if not any(network.subnet_of(parent) for parent in vpc.usable_networks()):
            raise errors.refuse("InvalidSubnet.Range", f"The CIDR '{network}' is invalid.")
        for other in self.describe_subnets():
            block = other.ipv6_block() if other.vpc_id == vpc.id else None
            if block is not None and block.block.overlaps(network):
                raise errors.refuse("InvalidSubnet.Conflict", f"The CIDR '{network}' conflicts with another subnet")
        return network

    def associate_subnet_cidr_block(self: Any, subnet_id: str, ipv6_cidr_block: str) -> SubnetIpv6:
        subnet = self.get_subnet(subnet_id)
        if subnet.ipv6_block() is not None:
            raise errors.invalid(f"The subnet {subnet_id} already has an IPv6 CIDR block associated with it")
        vpc = self.get_vpc(subnet.vpc_id)
        association: SubnetIpv6 = self._subnet_ipv6(vpc, self._ipv6_for(vpc, ipv6_cidr_block))
        subnet.ipv6_blocks.append(association)
        return association

    def disassociate_subnet_cidr_block(self: Any, association_id: str) -> tuple[str, SubnetIpv6]:
        for subnet in self.describe_subnets():
            block = subnet.ipv6_block()
            if block is None or block.id != association_id:
                continue
            start = f"The subnet IPv6 CIDR block with association ID {association_id} may not be disassociated, because"
            if subnet.assign_ipv6_address_on_creation:
                raise errors.refuse(
                    "InvalidCidrBlock.InUse", f"{start} its subnet has assign-ipv6-address-on-creation set to true."
                )
            if subnet.ipv6_native:
                raise errors.invalid(f"{start} its subnet is IPv6-native.")
            if any(eni.subnet_id == subnet.id and eni.holds_ipv6() for eni in self.enis.values()):
                raise errors.refuse("InvalidCidrBlock.InUse", f"{start} it is used by a network interface.")
            block.life.begin("disassociating")
            return subnet.id, block
        raise errors.refuse(
            "InvalidSubnetCidrBlockAssociationID.NotFound",
            f"The subnet CIDR block with association ID '{association_id}' does not exist",
        )

    def delete_subnet(self: Any, subnet_id: str) -> None:
        subnet = self.get_subnet(subnet_id)
        if any(eni.subnet_id == subnet_id for eni in self.enis.values()):
            raise errors.dependency(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        for table in self.route_tables.values():
            table._associations = {key: item for key, item in table._associations.items() if item != subnet_id}
        for acl in self.network_acls.values():
            acl._associations = {key: item for key, item in acl._associations.items() if item.subnet_id != subnet_id}
        self.subnets[subnet.availability_zone].pop(subnet_id)

    def reserve_ipv6(self: Any, subnet: StrictSubnet, text: str, kind: str, tags: list[Any]) -> SubnetCidrReservation:
        """An IPv6 reservation. moto's own lists every address of it, which for an /80 never ends."""
        network = cidr.ipv6(text, "cidr")
        block = subnet.ipv6_block()
        if block is None or not network.subnet_of(block.block):
            raise errors.refuse(
                "InvalidCidrReservation.NotWithinSubnetCidr", f"The CIDR {network} is not in a CIDR block of the subnet"
            )
        if any(item.cidr.version == 6 and item.cidr.overlaps(network) for item in subnet._cidr_reservations):
            raise errors.refuse("InvalidCidrReservation.Overlap", f"The CIDR {network} overlaps another reservation")
        made = SubnetCidrReservation(self, subnet.id, network, kind, self.account_id, tags)  # type: ignore[arg-type]
        subnet._cidr_reservations.append(made)
        return made


_ATTRIBUTES = {
    "AssignIpv6AddressOnCreation": "assign_ipv6_address_on_creation",
    "MapPublicIpOnLaunch": "map_public_ip_on_launch",
    "EnableDns64": "enable_dns64",
}
_DNS_ATTRIBUTES = {
    "PrivateDnsHostnameTypeOnLaunch": "HostnameType",
    "EnableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecord",
    "EnableResourceNameDnsAAAARecordOnLaunch": "EnableResourceNameDnsAAAARecord",
}
_NEEDS_IPV6 = {
    "AssignIpv6AddressOnCreation": "assign-ipv6-address-on-creation",
    "EnableDns64": "enable-dns64",
    "EnableResourceNameDnsAAAARecordOnLaunch": "enable-resource-name-dns-aaaa-record-on-launch",
}


class SubnetResponses(Responses):
    def create_subnet(self) -> Plain:
        for unknown in ("Ipv4IpamPoolId", "Ipv6IpamPoolId", "OutpostArn"):
            if self.params.get(unknown):
                raise NotImplementedError(unknown)
        native = bool(self.params.get("Ipv6Native"))
        if native and not self.params.get("Ipv6CidrBlock"):
            raise errors.refuse("MissingParameter", "Either 'ipv6CidrBlock' or 'ipv6IpamPoolId' should be provided.")
        if native and self.params.get("CidrBlock"):
            raise errors.combination(
                "When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set ipv6Native to true."
            )
        subnet = self.backend.create_subnet(
            self.params["VpcId"],
            self.params.get("CidrBlock"),
            self.params.get("Ipv6CidrBlock"),
            self.params.get("AvailabilityZone"),
            self.params.get("AvailabilityZoneId"),
            ipv6_native=native,
            tags={"subnet": self.tags_for("subnet")},
        )
        return Plain({"Subnet": subnet.view(seen=False)})

    def describe_subnets(self) -> Plain:
        subnets = self.backend.describe_subnets(self.params.get("SubnetIds"))
        return Plain({"Subnets": [subnet.view(seen=True) for subnet in subnets]})

    def modify_subnet_attribute(self) -> Plain:
        subnet = self.backend.get_subnet(self.params["SubnetId"])
        given = [name for name in self.params if name not in ("SubnetId", "CustomerOwnedIpv4Pool")]
        if len(given) > 1:
            raise errors.combination("You can only modify one attribute at a time")
        if not given:
            raise errors.missing("an attribute")
        name, value = given[0], self.params[given[0]]
        value = value["Value"] if isinstance(value, dict) else value
        if name in _NEEDS_IPV6 and value and subnet.ipv6_block() is None:
            raise errors.invalid(
                f"Invalid value 'true' for {_NEEDS_IPV6[name]}. Cannot set {_NEEDS_IPV6[name]} to true unless the "
                f"subnet ({subnet.id}) has an IPv6 CIDR block associated with it."
            )
        if name in _ATTRIBUTES:
            setattr(subnet, _ATTRIBUTES[name], value)
        elif name in _DNS_ATTRIBUTES:
            if name == "PrivateDnsHostnameTypeOnLaunch" and value not in ("ip-name", "resource-name"):
                raise errors.invalid(f"Value ({value}) for parameter privateDnsHostnameTypeOnLaunch is invalid.")
            if subnet.ipv6_native and value == "ip-name":
                raise errors.invalid("An IPv6-native subnet takes the hostname type resource-name only.")
            subnet.private_dns_name_options_on_launch[_DNS_ATTRIBUTES[name]] = value
        elif name == "EnableLniAtDeviceIndex":
            subnet.lni_device_index = value
        elif name == "DisableLniAtDeviceIndex":
            subnet.lni_device_index = None
        else:
            raise NotImplementedError(name)
        return Plain({})

    def associate_subnet_cidr_block(self) -> Plain:
        if not self.params.get("Ipv6CidrBlock"):
            raise NotImplementedError("a subnet's block from an IPAM pool")
        made = self.backend.associate_subnet_cidr_block(self.params["SubnetId"], self.params["Ipv6CidrBlock"])
        return Plain({"SubnetId": self.params["SubnetId"], "Ipv6CidrBlockAssociation": made.view("associating")})

    def disassociate_subnet_cidr_block(self) -> Plain:
        subnet_id, block = self.backend.disassociate_subnet_cidr_block(self.params["AssociationId"])
        return Plain({"SubnetId": subnet_id, "Ipv6CidrBlockAssociation": block.view("disassociating")})

    def create_subnet_cidr_reservation(self) -> Any:
        if ":" not in self.params["Cidr"]:
            return super().create_subnet_cidr_reservation()  # type: ignore[misc]
        kind = self.params["ReservationType"]
        if kind not in ("prefix", "explicit"):
            raise errors.invalid(f"Value ({kind}) for parameter reservationType is invalid.")
        subnet = self.backend.get_subnet(self.params["SubnetId"])
        tags = self.tags_for("subnet-cidr-reservation")
        made = self.backend.reserve_ipv6(subnet, self.params["Cidr"], kind, [])
        made.add_tags(tags)
        return Plain({"SubnetCidrReservation": _reservation(made, self.params.get("Description"))})

    def get_subnet_cidr_reservations(self) -> Plain:
        found = self.backend.get_subnet(self.params["SubnetId"])._cidr_reservations
        return Plain(
            {
                "SubnetIpv4CidrReservations": [_reservation(item) for item in found if item.cidr.version == 4],
                "SubnetIpv6CidrReservations": [_reservation(item) for item in found if item.cidr.version == 6],
            }
        )

    def delete_subnet_cidr_reservation(self) -> Any:
        wanted = self.params["SubnetCidrReservationId"]
        for subnet in self.backend.describe_subnets():
            for item in subnet._cidr_reservations:
                if item.id == wanted and item.cidr.version == 6:
                    subnet._cidr_reservations.remove(item)
                    return Plain({"DeletedSubnetCidrReservation": _reservation(item)})
        return super().delete_subnet_cidr_reservation()  # type: ignore[misc]


def _reservation(item: SubnetCidrReservation, description: str | None = None) -> dict[str, Any]:
    if description is not None:
        item.description = description  # type: ignore[attr-defined]
    answer = {
        "SubnetCidrReservationId": item.id,
        "SubnetId": item.subnet_id,
        "Cidr": str(item.cidr),
        "ReservationType": item.reservation_type,
        "OwnerId": item.owner_id,
        "Tags": tag_list(item.get_tags()),
    }
    text = getattr(item, "description", None)
    return {**answer, "Description": text} if text else answer
