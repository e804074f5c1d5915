# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs and their address blocks.

Sources: CreateVpc, AssociateVpcCidrBlock, ModifyVpcAttribute in the EC2 API reference (botocore's documentation of
them), the VPC user guide on VPC CIDR blocks and quotas. What no source says is marked presumed in the tests.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from moto.ec2.models.vpcs import VPC
from moto.ec2.utils import random_vpc_cidr_association_id, random_vpc_id

from . import cidr, errors
from .family import Responses, tag_list
from .life import CidrLife, Life
from .plain import Plain

# The VPC user guide's quotas: IPv6 CIDR blocks per VPC.
IPV6_BLOCKS = 5


class Ipv6Block:
    """An IPv6 block of a VPC. `release` gives it back to where it came from."""

    def __init__(
        self,
        block: ipaddress.IPv6Network,
        pool: str,
        source: str,
        border_group: str,
        release: Callable[[], None],
    ) -> None:
        self.id = random_vpc_cidr_association_id()
        self.block = block
        self.pool = pool
        self.source = source
        self.border_group = border_group
        self.life = CidrLife("ec2::vpc_cidr")
        self.public = not block.subnet_of(ipaddress.IPv6Network("fc00::/7"))
        self._release = release
        self._released = False

    def settle(self) -> None:
        """Gives the block back once it is disassociated."""
        if not self._released and not self.life.live:
            self._released = True
            self._release()

    def view(self, status: str) -> dict[str, Any]:
        """As EC2 shows it: without the block while it is being allocated (CLI reference, create-vpc example)."""
        return {
            "AssociationId": self.id,
            "Ipv6CidrBlock": "" if status == "associating" else str(self.block),
            "Ipv6CidrBlockState": {"State": status},
            "NetworkBorderGroup": self.border_group,
            "Ipv6Pool": self.pool,
            "Ipv6AddressAttribute": "public" if self.public else "private",
            "IpSource": self.source,
        }


class StrictVPC(VPC):
    """moto's VPC with IPv6 blocks of its own."""

    def __init__(self, ec2_backend: Any, vpc_id: str, cidr_block: str, is_default: bool, tenancy: str) -> None:
        self.ipv6_blocks: list[Ipv6Block] = []
        super().__init__(ec2_backend, vpc_id, cidr_block, is_default=is_default, instance_tenancy=tenancy)

    def live_blocks(self) -> list[Ipv6Block]:
        """The IPv6 blocks that take up room."""
        for block in self.ipv6_blocks:
            block.settle()
        return [block for block in self.ipv6_blocks if block.life.live]

    def usable_networks(self) -> list[ipaddress.IPv6Network]:
        """The IPv6 blocks that subnets can be cut from."""
        return [item.block for item in self.live_blocks() if item.life.now() == "associated"]

    def get_cidr_block_association_set(self, ipv6: bool = False) -> list[dict[str, Any]]:
        if not ipv6:
            return list(self._cidr_block_association_set.values())
        return [
            {"association_id": item.id, "cidr_block": str(item.block), "cidr_block_state": {"state": item.life.now()}}
            for item in self.live_blocks()
        ]

    def view(self, seen: bool) -> dict[str, Any]:
        """As EC2 shows it; `seen` counts as one describe of its states."""
        states = [item.life.seen() if seen else item.life.now() for item in self.ipv6_blocks]
        self.live_blocks()
        return {
            "VpcId": self.id,
            "OwnerId": self.owner_id,
            "State": self.state,
            "CidrBlock": self.cidr_block,
            "DhcpOptionsId": self.dhcp_options_id,
            "InstanceTenancy": self.instance_tenancy,
            "IsDefault": self.is_default,
            "CidrBlockAssociationSet": [
                {
                    "AssociationId": item["association_id"],
                    "CidrBlock": item["cidr_block"],
                    "CidrBlockState": {"State": item["cidr_block_state"]["state"]},
                }
                for item in self._cidr_block_association_set.values()
            ],
            "Ipv6CidrBlockAssociationSet": [
                item.view(state) for item, state in zip(self.ipv6_blocks, states, strict=True)
            ],
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": self.ec2_backend.public_access_block_mode},
            "Tags": tag_list(self.get_tags()),
        }


class VpcBackend:
    """VPCs in front of moto's."""

    public_access_block_mode: str

    def create_vpc(
        self: Any,
        cidr_block: str,
        instance_tenancy: str = "default",
        tags: dict[str, str] | None = None,
        is_default: bool = False,
        **unknown: Any,
    ) -> StrictVPC:
        network = cidr.ipv4(cidr_block, "cidrBlock")
        if not 16 <= network.prefixlen <= 28:
            raise errors.refuse("InvalidVpc.Range", f"The CIDR '{cidr_block}' is invalid.")
        vpc = StrictVPC(self, random_vpc_id(), str(network), is_default, instance_tenancy)  # type: ignore[abstract]
        self.vpcs[vpc.id] = vpc
        vpc.add_tags(tags or {})
        self.create_route_table(vpc.id, main=True)
        self.create_network_acl(vpc.id, default=True)
        self.create_security_group("default", "default VPC security group", vpc_id=vpc.id, is_default=True)
        return vpc

    def add_ipv6_block(self: Any, vpc: StrictVPC, asked: dict[str, Any]) -> Ipv6Block:
        """Allocates what the request asks for, of Amazon's, a BYOIP pool's or an IPAM pool's, and associates it."""
        if len(vpc.live_blocks()) >= IPV6_BLOCKS:
            raise errors.refuse(
                "CidrLimitExceeded",
                f"This network '{vpc.id}' has met its maximum number of allowed CIDRs: {IPV6_BLOCKS}",
            )
        group = asked.get("Ipv6CidrBlockNetworkBorderGroup") or self.region_name
        if not group.startswith(self.region_name):
            raise errors.invalid(f"The network border group {group} is not in the region {self.region_name}")
        wanted = cidr.ipv6(asked["Ipv6CidrBlock"], "ipv6CidrBlock") if asked.get("Ipv6CidrBlock") else None
        if wanted is not None and not cidr.stepped(wanted, 44, 60):
            raise errors.invalid(f"The IPv6 CIDR block {wanted} must be between /44 and /60 in increments of /4")
        if asked.get("Ipv6IpamPoolId"):
            pool = self.ipam_pool(asked["Ipv6IpamPoolId"])
            allocation = pool.allocate(wanted, asked.get("Ipv6NetmaskLength"), vpc.id, self.region_name)
            source = "byoip" if pool.public_ip_source == "byoip" else "amazon"
            source = source if pool.public else "none"
            block = Ipv6Block(allocation.network, "IPAM Managed", source, group, lambda: pool.release(allocation))
        elif asked.get("Ipv6Pool"):
            byoip = self.byoip_pool(asked["Ipv6Pool"])
            network = byoip.take(wanted)
            block = Ipv6Block(network, byoip.id, "byoip", group, lambda: byoip.give_back(network))
        else:
            network = self.amazon_block()
            block = Ipv6Block(network, "Amazon", "amazon", group, lambda: self.amazon_blocks.discard(network))
        vpc.ipv6_blocks.append(block)
        self.first_ipv6_block(vpc)
        return block

    def first_ipv6_block(self: Any, vpc: StrictVPC) -> None:
        """Gives the VPC's groups and ACLs the IPv6 entries that they have from then on."""
        for group in self.groups[vpc.id].values():
            group.add_ipv6_default()
        for acl in self.network_acls.values():
            if acl.vpc_id == vpc.id:
                acl.add_ipv6_default()

    def disassociate_vpc_cidr_block(self: Any, association_id: str) -> Any:
        for vpc in self.vpcs.values():
            for block in vpc.live_blocks():
                if block.id == association_id:
                    return self._disassociate_ipv6(vpc, block)
            if association_id in vpc._cidr_block_association_set:
                return self._disassociate_ipv4(vpc, association_id)
        raise errors.refuse(
            "InvalidVpcCidrBlockAssociationID.NotFound",
            f"The vpc CIDR block with association ID '{association_id}' does not exist",
        )

    def _disassociate_ipv6(self: Any, vpc: StrictVPC, block: Ipv6Block) -> dict[str, Any]:
        for subnet in self.describe_subnets():
            live = subnet.ipv6_block() if subnet.vpc_id == vpc.id else None
            if live is not None and live.block.subnet_of(block.block):
                raise errors.refuse(
                    "InvalidCidrBlock.InUse", f"The vpc {vpc.id} currently has a subnet within CIDR block {block.block}"
                )
        if block.life.now() != "disassociating":
            block.life.begin("disassociating")
        return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": block.view("disassociating")}

    def _disassociate_ipv4(self: Any, vpc: StrictVPC, association_id: str) -> dict[str, Any]:
        entry = vpc._cidr_block_association_set[association_id]
        network = ipaddress.IPv4Network(entry["cidr_block"])
        if entry["cidr_block"] == vpc.cidr_block:
            raise errors.refuse(
                "OperationNotPermitted",
                f"The vpc CIDR block with association ID {association_id} may not be disassociated. "
                "It is the primary IPv4 CIDR block of the VPC",
            )
        for subnet in self.describe_subnets():
            if (
                subnet.vpc_id == vpc.id
                and subnet.cidr_block
                and ipaddress.IPv4Network(subnet.cidr_block).subnet_of(network)
            ):
                raise errors.refuse(
                    "InvalidCidrBlock.InUse", f"The vpc {vpc.id} currently has a subnet within CIDR block {network}"
                )
        del vpc._cidr_block_association_set[association_id]
        return {
            "VpcId": vpc.id,
            "CidrBlockAssociation": {
                "AssociationId": association_id,
                "CidrBlock": str(network),
                "CidrBlockState": {"State": "disassociating"},
            },
        }

    def add_ipv4_block(self: Any, vpc: StrictVPC, text: str) -> dict[str, Any]:
        network = cidr.ipv4(text, "cidrBlock")
        if not 16 <= network.prefixlen <= 28:
            raise errors.refuse("InvalidVpc.Range", f"The CIDR '{text}' is invalid.")
        for item in vpc._cidr_block_association_set.values():
            if ipaddress.IPv4Network(item["cidr_block"]).overlaps(network):
                raise errors.refuse("InvalidVpc.Range", f"The CIDR '{text}' conflicts with another CIDR of the VPC")
        association: dict[str, Any] = vpc.associate_vpc_cidr_block(str(network))
        return association

    def delete_vpc(self: Any, vpc_id: str) -> None:
        """Refused while anything is left in it that its owner made (DeleteVpc in the API reference)."""
        vpc = self.get_vpc(vpc_id)
        left = [
            *(subnet for subnet in self.describe_subnets() if subnet.vpc_id == vpc_id),
            *(igw for igw in self.internet_gateways.values() if igw.vpc is not None and igw.vpc.id == vpc_id),
            *(eigw for eigw in self.egress_only_internet_gateways.values() if eigw.vpc_id == vpc_id),
            *(
                table
                for table in self.route_tables.values()
                if table.vpc_id == vpc_id and not table.main_association_id
            ),
            *(group for group in self.groups[vpc_id].values() if not group.is_default),
            *(acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id and not acl.default),
            *(end for end in self.vpc_end_points.values() if end.vpc_id == vpc_id and end.state != "deleted"),
            *(eni for eni in self.enis.values() if eni.vpc_id == vpc_id),
            *(gw for gw in self.vpn_gateways.values() if vpc_id in gw.attachments),
        ]
        if left:
            raise errors.dependency(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        for block in vpc.live_blocks():
            block.life._status = "disassociated"
            block.settle()
        self.route_tables = {key: item for key, item in self.route_tables.items() if item.vpc_id != vpc_id}
        self.network_acls = {key: item for key, item in self.network_acls.items() if item.vpc_id != vpc_id}
        self.groups.pop(vpc_id)
        del self.vpcs[vpc_id]


_IPV6_SOURCES = ("AmazonProvidedIpv6CidrBlock", "Ipv6Pool", "Ipv6IpamPoolId")


class VpcResponses(Responses):
    def _ipv6_asked(self) -> bool:
        """True when the request asks for an IPv6 block; refuses parameters that don't go together."""
        if self.params.get("AmazonProvidedIpv6CidrBlock") is False:
            del self.params["AmazonProvidedIpv6CidrBlock"]
        source = self.only_one(*_IPV6_SOURCES)
        if self.params.get("Ipv6NetmaskLength") is not None:
            if source != "Ipv6IpamPoolId":
                raise errors.combination("The parameter ipv6NetmaskLength can only be used with ipv6IpamPoolId")
            if self.params.get("Ipv6CidrBlock"):
                raise errors.combination("The parameters ipv6CidrBlock and ipv6NetmaskLength cannot be used together")
        if self.params.get("Ipv6CidrBlock") and source not in ("Ipv6Pool", "Ipv6IpamPoolId"):
            raise errors.combination("The parameter ipv6CidrBlock must be used with ipv6Pool or ipv6IpamPoolId")
        if self.params.get("Ipv6CidrBlockNetworkBorderGroup") and source is None:
            raise errors.combination("The parameter ipv6CidrBlockNetworkBorderGroup needs an IPv6 CIDR block")
        return source is not None

    def create_vpc(self) -> Plain:
        if self.params.get("Ipv4IpamPoolId"):
            raise NotImplementedError("IPv4 IPAM pools")
        if not self.params.get("CidrBlock"):
            raise errors.refuse("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
        tags, ipv6 = self.tags_for("vpc"), self._ipv6_asked()
        vpc = self.backend.create_vpc(self.params["CidrBlock"], self.params.get("InstanceTenancy") or "default", tags)
        if ipv6:
            try:
                self.backend.add_ipv6_block(vpc, self.params)
            except errors.EC2ClientError:
                self.backend.delete_vpc(vpc.id)
                raise
        return Plain({"Vpc": vpc.view(seen=False)})

    def describe_vpcs(self) -> Plain:
        vpcs = self.backend.describe_vpcs(vpc_ids=self.params.get("VpcIds"))
        return Plain({"Vpcs": [vpc.view(seen=True) for vpc in vpcs]})

    def associate_vpc_cidr_block(self) -> Plain:
        vpc, ipv6 = self.backend.get_vpc(self.params["VpcId"]), self._ipv6_asked()
        if ipv6 and self.params.get("CidrBlock"):
            raise errors.combination("Only one of IPv4 and IPv6 can be associated in one request")
        if ipv6:
            block = self.backend.add_ipv6_block(vpc, self.params)
            return Plain({"VpcId": vpc.id, "Ipv6CidrBlockAssociation": block.view("associating")})
        if not self.params.get("CidrBlock"):
            raise errors.missing("cidrBlock")
        association = self.backend.add_ipv4_block(vpc, self.params["CidrBlock"])
        return Plain(
            {
                "VpcId": vpc.id,
                "CidrBlockAssociation": {
                    "AssociationId": association["association_id"],
                    "CidrBlock": association["cidr_block"],
                    "CidrBlockState": {"State": "associating"},
                },
            }
        )

    def disassociate_vpc_cidr_block(self) -> Plain:
        return Plain(self.backend.disassociate_vpc_cidr_block(self.params["AssociationId"]))

    def modify_vpc_attribute(self) -> Plain:
        names = ("EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics")
        name = self.only_one(*names, required=True)
        assert name is not None
        vpc, value = self.backend.get_vpc(self.params["VpcId"]), self.params[name]["Value"]
        if name == "EnableDnsHostnames" and value and not vpc.enable_dns_support:
            raise errors.combination("DNS hostnames can only be enabled when DNS support is enabled")
        attribute = {
            "EnableDnsSupport": "enable_dns_support",
            "EnableDnsHostnames": "enable_dns_hostnames",
            "EnableNetworkAddressUsageMetrics": "enable_network_address_usage_metrics",
        }[name]
        setattr(vpc, attribute, value)
        return Plain({})

    def create_vpc_endpoint(self) -> Any:
        self._check_endpoint_family(self.params.get("IpAddressType"), self.params.get("SubnetIds", []))
        self._check_private_dns()
        for table_id in self.params.get("RouteTableIds", []):
            self.backend.get_route_table(table_id)
        answer = super().create_vpc_endpoint()  # type: ignore[misc]
        endpoint = answer.result["VpcEndpoint"]
        self._set_endpoint(endpoint, "ipv4")
        endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
        if endpoint.vpc_endpoint_type == "Gateway":
            endpoint.private_dns_enabled = False
        else:
            endpoint.life = Life("ec2::vpc_endpoint", [("pending", "available")])
            endpoint.state = endpoint.life.now()
        return answer

    def describe_vpc_endpoints(self) -> Any:
        for endpoint in self.backend.vpc_end_points.values():
            if endpoint.state == "pending":
                endpoint.state = endpoint.life.seen()
        return super().describe_vpc_endpoints()  # type: ignore[misc]

    def _check_private_dns(self) -> None:
        """Private DNS needs both DNS attributes of the VPC (CreateVpcEndpoint; code and text presumed)."""
        vpc = self.backend.get_vpc(self.params["VpcId"])
        if self.params.get("PrivateDnsEnabled") and not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            raise errors.refuse(
                "InvalidParameter",
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true"
                f" for {vpc.id}",
            )

    def modify_vpc_endpoint(self) -> Any:
        endpoint = self.backend.get_vpc_end_point(self.params["VpcEndpointId"])
        self._check_endpoint_family(self.params.get("IpAddressType"), endpoint.subnet_ids or [])
        for table_id in self.params.get("AddRouteTableIds", []):
            self.backend.get_route_table(table_id)
        answer = super().modify_vpc_endpoint()  # type: ignore[misc]
        self._set_endpoint(endpoint, endpoint.ip_address_type)
        return answer

    def _check_endpoint_family(self, family: str | None, subnet_ids: list[str]) -> None:
        """An endpoint with IPv6 addresses needs subnets with IPv6 blocks (CreateVpcEndpoint; code presumed)."""
        if family in ("ipv6", "dualstack"):
            for subnet_id in subnet_ids:
                if self.backend.get_subnet(subnet_id).ipv6_block() is None:
                    raise errors.invalid(f"The subnet {subnet_id} has no IPv6 CIDR block associated with it")

    def _set_endpoint(self, endpoint: Any, family: str) -> None:
        endpoint.ip_address_type = self.params.get("IpAddressType") or family
        given = self.params.get("DnsOptions", {})
        endpoint.dns_options = {"DnsRecordIpType": "ipv4", **getattr(endpoint, "dns_options", {}), **given}

    def describe_ipv6_pools(self) -> Plain:
        return Plain({"Ipv6Pools": self.backend.describe_ipv6_pools(self.params.get("PoolIds", []))})

    def describe_vpc_block_public_access_options(self) -> Plain:
        return Plain({"VpcBlockPublicAccessOptions": self._public_access()})

    def modify_vpc_block_public_access_options(self) -> Plain:
        mode = self.params["InternetGatewayBlockMode"]
        if mode not in ("off", "block-bidirectional", "block-ingress"):
            raise errors.invalid(f"Invalid InternetGatewayBlockMode {mode}")
        self.backend.public_access_block_mode = mode
        return Plain({"VpcBlockPublicAccessOptions": self._public_access()})

    def _public_access(self) -> dict[str, Any]:
        return {
            "AwsAccountId": self.backend.account_id,
            "AwsRegion": self.backend.region_name,
            "State": "update-complete",
            "InternetGatewayBlockMode": self.backend.public_access_block_mode,
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
        }
