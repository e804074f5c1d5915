# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The region's EC2: the emulator's families in front of moto's."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from moto.ec2.models import EC2Backend, ec2_backends

from .addresses import AddressBackend
from .gateways import GatewayBackend
from .images import ImageBackend
from .instances import InstanceBackend
from .interfaces import InterfaceBackend
from .ipam import IpamBackend
from .ipv6_space import Ipv6SpaceBackend
from .launch_templates import LaunchTemplateBackend
from .nat_gateways import NatGatewayBackend
from .network_acls import NetworkAclBackend
from .routes import RouteBackend
from .security_groups import SecurityGroupBackend
from .subnets import SubnetBackend
from .tags import TagBackend
from .types import TypeBackend
from .vpcs import VpcBackend


class StrictEC2Backend(  # type: ignore[misc]
    VpcBackend,
    SubnetBackend,
    RouteBackend,
    GatewayBackend,
    NatGatewayBackend,
    AddressBackend,
    SecurityGroupBackend,
    NetworkAclBackend,
    InstanceBackend,
    InterfaceBackend,
    LaunchTemplateBackend,
    IpamBackend,
    Ipv6SpaceBackend,
    TagBackend,
    TypeBackend,
    ImageBackend,
    EC2Backend,
):
    """moto's EC2, strict."""

    def __init__(self, region_name: str, account_id: str) -> None:
        # moto's constructor makes the default VPC, so what that needs comes first.
        for family in (GatewayBackend, NatGatewayBackend, IpamBackend, Ipv6SpaceBackend):
            family.__init__(self)
        self.public_access_block_mode = "off"
        EC2Backend.__init__(self, region_name, account_id)

    @property
    def _url_module(self) -> Any:
        from .response import StrictEC2Response

        return SimpleNamespace(
            url_bases=[r"https?://ec2\.(.+)\.amazonaws\.com(|\.cn)"], url_paths={"{0}/": StrictEC2Response.dispatch}
        )


def all_regions(backend: Any) -> Iterator[StrictEC2Backend]:
    """The account's EC2 in every region that was used so far."""
    yield from ec2_backends[backend.account_id].values()  # type: ignore[misc]
