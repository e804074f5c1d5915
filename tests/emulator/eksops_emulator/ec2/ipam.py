# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPAM, as far as an IPv6 block for a VPC needs it: IPAMs, scopes, pools with locales, provisioned CIDRs, allocations.

Source: the EC2 API reference (CreateIpam, CreateIpamPool, ProvisionIpamPoolCidr, CreateVpc's Ipv6IpamPoolId).
"""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.models.core import TaggedEC2Resource
from moto.moto_api._internal import mock_random

from . import cidr, errors
from .family import Responses, tag_list
from .life import Life
from .plain import Plain

_IPAM_STATES = [("create-in-progress", "create-complete"), ("delete-in-progress", "deleted")]


def _id(prefix: str) -> str:
    return f"{prefix}-0" + "".join(mock_random.choice("0123456789abcdef") for _unused in range(16))


class Allocation:
    """A block of a pool that a VPC holds."""

    def __init__(self, network: ipaddress.IPv6Network, resource_id: str, region: str, owner: str) -> None:
        self.id = "ipam-pool-alloc-0" + "".join(mock_random.choice("0123456789abcdef") for _unused in range(31))
        self.network = network
        self.resource_id = resource_id
        self.region = region
        self.owner = owner


class Ipam(TaggedEC2Resource):
    """An IPAM with its two default scopes."""

    def __init__(self, backend: Any, regions: list[str], tier: str) -> None:
        self.ec2_backend = backend
        self.id = _id("ipam")
        self.regions = regions
        self.tier = tier
        self.public_scope = _id("ipam-scope")
        self.private_scope = _id("ipam-scope")
        self.life = Life("ec2::ipam", _IPAM_STATES)

    def view(self, seen: bool) -> dict[str, Any]:
        account = self.ec2_backend.account_id
        return {
            "IpamId": self.id,
            "IpamArn": f"arn:{self.ec2_backend.partition}:ec2::{account}:ipam/{self.id}",
            "IpamRegion": self.ec2_backend.region_name,
            "OwnerId": account,
            "PublicDefaultScopeId": self.public_scope,
            "PrivateDefaultScopeId": self.private_scope,
            "ScopeCount": 2,
            "OperatingRegions": [{"RegionName": name} for name in self.regions],
            "State": self.life.seen() if seen else self.life.now(),
            "Tier": self.tier,
            "Tags": tag_list(self.get_tags()),
        }


class IpamPool(TaggedEC2Resource):
    """A pool of IPv6 space. `public` says in which scope it lies, `source` is the pool it was cut from."""

    def __init__(self, backend: Any, ipam: Ipam, public: bool, given: dict[str, Any], source: IpamPool | None) -> None:
        self.ec2_backend = backend
        self.id = _id("ipam-pool")
        self.ipam = ipam
        self.public = public
        self.source = source
        self.locale: str = given.get("Locale") or "None"
        self.description: str = given.get("Description", "")
        self.public_ip_source: str = given.get("PublicIpSource") or ("byoip" if public else "")
        self.default_netmask: int | None = given.get("AllocationDefaultNetmaskLength")
        self.shortest: int | None = given.get("AllocationMinNetmaskLength")
        self.longest: int | None = given.get("AllocationMaxNetmaskLength")
        self.cidrs: list[ipaddress.IPv6Network] = []
        self.allocations: list[Allocation] = []
        self.life = Life("ec2::ipam", _IPAM_STATES)

    def used(self) -> list[ipaddress.IPv6Network]:
        below = [item for pool in self.ec2_backend.ipam_pools.values() if pool.source is self for item in pool.cidrs]
        return [item.network for item in self.allocations] + below

    def free_block(self, prefix: int) -> ipaddress.IPv6Network | None:
        """The first free block of this length."""
        used = self.used()
        for network in self.cidrs:
            if prefix < network.prefixlen:
                continue
            for block in network.subnets(new_prefix=prefix):
                if not any(block.overlaps(item) for item in used):
                    return block
        return None

    def allocate(
        self, wanted: ipaddress.IPv6Network | None, prefix: int | None, resource_id: str, region: str
    ) -> Allocation:
        """Takes a block for a VPC in `region`."""
        if self.locale != region:
            raise errors.invalid(f"The IPAM pool {self.id} has the locale {self.locale}, not {region}")
        length = wanted.prefixlen if wanted else prefix or self.default_netmask
        if length is None:
            raise errors.missing("ipv6NetmaskLength")
        if not 44 <= length <= 60 or length % 4:
            raise errors.invalid(f"The netmask length {length} must be between 44 and 60 in increments of 4")
        if (self.shortest or 0) > length or length > (self.longest or 128):
            raise errors.invalid(f"The netmask length {length} does not comply with the pool's allocation rules")
        block = wanted or self.free_block(length)
        if block is None:
            raise errors.refuse("InsufficientCidrBlocks", f"The pool {self.id} has no free block of length {length}")
        if not any(block.subnet_of(network) for network in self.cidrs):
            raise errors.invalid(f"The CIDR {block} is not provisioned to the pool {self.id}")
        if any(block.overlaps(item) for item in self.used()):
            raise errors.refuse("InvalidCidrBlock.InUse", f"The CIDR {block} is already allocated in {self.id}")
        allocation = Allocation(block, resource_id, region, self.ec2_backend.account_id)
        self.allocations.append(allocation)
        return allocation

    def release(self, allocation: Allocation) -> None:
        self.allocations.remove(allocation)

    def view(self, seen: bool) -> dict[str, Any]:
        backend = self.ec2_backend
        answer: dict[str, Any] = {
            "OwnerId": backend.account_id,
            "IpamPoolId": self.id,
            "IpamPoolArn": f"arn:{backend.partition}:ec2::{backend.account_id}:ipam-pool/{self.id}",
            "IpamScopeArn": f"arn:{backend.partition}:ec2::{backend.account_id}:ipam-scope/{self._scope()}",
            "IpamScopeType": "public" if self.public else "private",
            "IpamArn": f"arn:{backend.partition}:ec2::{backend.account_id}:ipam/{self.ipam.id}",
            "IpamRegion": backend.region_name,
            "Locale": self.locale,
            "PoolDepth": 1 if self.source is None else 2,
            "State": self.life.seen() if seen else self.life.now(),
            "AddressFamily": "ipv6",
            "AutoImport": False,
            "Tags": tag_list(self.get_tags()),
        }
        optional = {
            "Description": self.description or None,
            "SourceIpamPoolId": self.source.id if self.source else None,
            "PublicIpSource": self.public_ip_source or None,
            "AwsService": "ec2" if self.public else None,
            "AllocationDefaultNetmaskLength": self.default_netmask,
            "AllocationMinNetmaskLength": self.shortest,
            "AllocationMaxNetmaskLength": self.longest,
        }
        return answer | {key: value for key, value in optional.items() if value is not None}

    def _scope(self) -> str:
        return self.ipam.public_scope if self.public else self.ipam.private_scope


class IpamBackend:
    """The region's IPAMs and their pools."""

    def __init__(self) -> None:
        self.ipams: dict[str, Ipam] = {}
        self.ipam_pools: dict[str, IpamPool] = {}

    def ipam_pool(self, pool_id: str) -> IpamPool:
        """The pool, wherever its IPAM's home region is: a pool serves the region that is its locale."""
        from .backend import all_regions

        for backend in all_regions(self):
            if pool_id in backend.ipam_pools:
                found: IpamPool = backend.ipam_pools[pool_id]
                if found.life.now() == "create-complete":
                    return found
        raise errors.refuse("InvalidIpamPoolId.NotFound", f"The IPAM pool ID '{pool_id}' does not exist.")

    def ipam(self, ipam_id: str) -> Ipam:
        if ipam_id not in self.ipams:
            raise errors.refuse("InvalidIpamId.NotFound", f"The IPAM ID '{ipam_id}' does not exist.")
        return self.ipams[ipam_id]


class IpamResponses(Responses):
    def create_ipam(self) -> Plain:
        regions = [item["RegionName"] for item in self.params.get("OperatingRegions", [])]
        ipam = Ipam(self.backend, regions or [self.backend.region_name], self.params.get("Tier") or "advanced")
        self.backend.ipams[ipam.id] = ipam
        ipam.add_tags(self.tags_for("ipam"))
        return Plain({"Ipam": ipam.view(seen=False)})

    def describe_ipams(self) -> Plain:
        ipams = [self.backend.ipam(item) for item in self.params.get("IpamIds", [])]
        return Plain({"Ipams": [item.view(seen=True) for item in ipams or self.backend.ipams.values()]})

    def delete_ipam(self) -> Plain:
        ipam = self.backend.ipam(self.params["IpamId"])
        pools = [pool for pool in self.backend.ipam_pools.values() if pool.ipam is ipam]
        if pools and not self.params.get("Cascade"):
            raise errors.dependency(f"The IPAM {ipam.id} has pools and cannot be deleted.")
        if any(pool.allocations for pool in pools):
            raise errors.dependency(f"The IPAM {ipam.id} has allocations and cannot be deleted.")
        for pool in pools:
            del self.backend.ipam_pools[pool.id]
        del self.backend.ipams[ipam.id]
        return Plain({"Ipam": {**ipam.view(seen=False), "State": "delete-in-progress"}})

    def create_ipam_pool(self) -> Plain:
        given = self.params
        if given["AddressFamily"] != "ipv6":
            raise NotImplementedError("IPv4 IPAM pools")
        scope = given["IpamScopeId"]
        ipam = next(
            (item for item in self.backend.ipams.values() if scope in (item.public_scope, item.private_scope)), None
        )
        if ipam is None:
            raise errors.refuse("InvalidIpamScopeId.NotFound", f"The IPAM scope ID '{scope}' does not exist.")
        if given.get("Locale") and given["Locale"] not in ipam.regions:
            raise errors.invalid(f"The locale {given['Locale']} is not an operating region of {ipam.id}")
        source = self.backend.ipam_pool(given["SourceIpamPoolId"]) if given.get("SourceIpamPoolId") else None
        pool = IpamPool(self.backend, ipam, scope == ipam.public_scope, given, source)
        self.backend.ipam_pools[pool.id] = pool
        pool.add_tags(self.tags_for("ipam-pool"))
        return Plain({"IpamPool": pool.view(seen=False)})

    def describe_ipam_pools(self) -> Plain:
        wanted, pools = self.params.get("IpamPoolIds", []), self.backend.ipam_pools
        absent = [item for item in wanted if item not in pools]
        if absent:
            raise errors.refuse("InvalidIpamPoolId.NotFound", f"The IPAM pool ID '{absent[0]}' does not exist.")
        chosen = [pools[item] for item in wanted] or list(pools.values())
        return Plain({"IpamPools": [pool.view(seen=True) for pool in chosen]})

    def delete_ipam_pool(self) -> Plain:
        pool = self.backend.ipam_pool(self.params["IpamPoolId"])
        if pool.used() or pool.cidrs:
            raise errors.dependency(f"The IPAM pool {pool.id} has CIDRs and cannot be deleted.")
        del self.backend.ipam_pools[pool.id]
        return Plain({"IpamPool": {**pool.view(seen=False), "State": "delete-in-progress"}})

    def provision_ipam_pool_cidr(self) -> Plain:
        given, pool = self.params, self.backend.ipam_pool(self.params["IpamPoolId"])
        self.only_one("Cidr", "NetmaskLength", required=True)
        if pool.source is not None:
            network = self._cut_from(pool.source, given)
        elif given.get("NetmaskLength") is not None:
            if not (pool.public and pool.public_ip_source == "amazon"):
                raise errors.invalid("A netmask length needs a source pool, or a public pool of Amazon's addresses")
            network = self.backend.amazon_block(given["NetmaskLength"])
        else:
            network = cidr.ipv6(given["Cidr"], "cidr")
        pool.cidrs.append(network)
        return Plain({"IpamPoolCidr": _cidr(network, "provisioned")})

    @staticmethod
    def _cut_from(source: IpamPool, given: dict[str, Any]) -> ipaddress.IPv6Network:
        block = cidr.ipv6(given["Cidr"], "cidr") if given.get("Cidr") else source.free_block(given["NetmaskLength"])
        if block is None or not any(block.subnet_of(item) for item in source.cidrs):
            raise errors.refuse("InsufficientCidrBlocks", f"The pool {source.id} has no such block")
        if any(block.overlaps(item) for item in source.used()):
            raise errors.refuse("InvalidCidrBlock.InUse", f"The CIDR {block} is in use in {source.id}")
        return block

    def deprovision_ipam_pool_cidr(self) -> Plain:
        pool = self.backend.ipam_pool(self.params["IpamPoolId"])
        network = cidr.ipv6(self.params["Cidr"], "cidr")
        if network not in pool.cidrs:
            raise errors.invalid(f"The CIDR {network} is not provisioned to {pool.id}")
        if any(network.overlaps(item) for item in pool.used()):
            raise errors.dependency(f"The CIDR {network} has allocations")
        pool.cidrs.remove(network)
        return Plain({"IpamPoolCidr": _cidr(network, "pending-deprovision")})

    def get_ipam_pool_cidrs(self) -> Plain:
        pool = self.backend.ipam_pool(self.params["IpamPoolId"])
        return Plain({"IpamPoolCidrs": [_cidr(network, "provisioned") for network in pool.cidrs]})

    def get_ipam_pool_allocations(self) -> Plain:
        pool = self.backend.ipam_pool(self.params["IpamPoolId"])
        return Plain(
            {
                "IpamPoolAllocations": [
                    {
                        "Cidr": str(item.network),
                        "IpamPoolAllocationId": item.id,
                        "ResourceId": item.resource_id,
                        "ResourceType": "vpc",
                        "ResourceRegion": item.region,
                        "ResourceOwner": item.owner,
                    }
                    for item in pool.allocations
                ]
            }
        )


def _cidr(network: ipaddress.IPv6Network, state: str) -> dict[str, Any]:
    return {"Cidr": str(network), "State": state, "NetmaskLength": network.prefixlen}
