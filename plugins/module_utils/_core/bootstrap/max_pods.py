# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many pods a node can take (pure): AWS's formula for prefix delegation, with AWS's caps.

Source: the max-pods calculator of amazon-eks-ami, and EKS User Guide, choosing an instance type. In the IPv6 family a
node has one /80, which never runs out, so the number is AWS's recommendation and no bound of the address space.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX_SIZE = 16  # the addresses of an IPv4 /28, by which the formula counts
HOST_PODS = 2  # aws-node and kube-proxy take no address
SMALL_CAP, LARGE_CAP, LARGE_VCPUS = 110, 250, 30


class MaxPodsError(ValueError):
    """An instance type for which there is no number; the message says why."""


@dataclass(frozen=True)
class Capacity:
    """An instance type, reduced to what the formula needs."""

    name: str
    interfaces: int
    addresses_per_interface: int
    vcpus: int
    nitro: bool

    @classmethod
    def of(cls, instance_type: Mapping[str, Any]) -> Capacity:
        """From an item of DescribeInstanceTypes, in AWS's spelling or in snake_case as amazon.aws returns it."""
        item = {_flat(key): value for key, value in instance_type.items()}
        network = {_flat(key): value for key, value in (item.get("networkinfo") or {}).items()}
        cards = [{_flat(key): value for key, value in card.items()} for card in network.get("networkcards") or ()]
        first = network.get("defaultnetworkcardindex") or 0
        card = next((card for card in cards if card.get("networkcardindex", 0) == first), {})
        vcpus = {_flat(key): value for key, value in (item.get("vcpuinfo") or {}).items()}
        try:
            return cls(
                name=str(item.get("instancetype") or ""),
                interfaces=int(card.get("maximumnetworkinterfaces") or network["maximumnetworkinterfaces"]),
                addresses_per_interface=int(network["ipv4addressesperinterface"]),
                vcpus=int(vcpus["defaultvcpus"]),
                # Bare metal reports no hypervisor (amazon-vpc-cni-k8s, IsPrefixDelegationSupported).
                nitro=item.get("hypervisor") == "nitro" or bool(item.get("baremetal")),
            )
        except (KeyError, TypeError) as error:
            raise MaxPodsError(
                f"this is no instance type as DescribeInstanceTypes gives it: {error} is missing"
            ) from error


def max_pods(capacity: Capacity) -> int:
    """The number for one instance type: C(t3.nano) has 34, C(m7i.large) 110, C(m7i.16xlarge) 250.

    @raises MaxPodsError  for a type that is not built on Nitro, which never becomes ready in an IPv6 cluster.
    """
    if not capacity.nitro:
        raise MaxPodsError(f"{capacity.name} is not built on Nitro and has no prefixes, so no pods in an IPv6 cluster")
    wanted = capacity.interfaces * (capacity.addresses_per_interface - 1) * PREFIX_SIZE + HOST_PODS
    return min(wanted, LARGE_CAP if capacity.vcpus > LARGE_VCPUS else SMALL_CAP)


def lowest(capacities: Iterable[Capacity]) -> int | None:
    """The number that every one of several types can take; None without a type."""
    return min((max_pods(capacity) for capacity in capacities), default=None)


def _flat(name: str) -> str:
    """A member's name in either spelling: C(VCpuInfo), C(v_cpu_info) and C(vcpu_info) are one."""
    return name.replace("_", "").lower()
