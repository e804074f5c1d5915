# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Max pods: AWS's formula and caps, and the Nitro verdict for every type that the emulator knows."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import max_pods
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.max_pods import Capacity, MaxPodsError


# The numbers of AWS's own calculator for --cni-prefix-delegation-enabled (amazon-eks-ami).
@pytest.mark.parametrize(
    ("name", "pods"),
    [("t3.nano", 34), ("t3.small", 110), ("m5.large", 110), ("c5.9xlarge", 250), ("m5.24xlarge", 250)],
)
def test_the_number_is_aws_own(name: str, pods: int) -> None:
    assert max_pods.max_pods(Capacity.of(INSTANCE_TYPES[name])) == pods


@pytest.mark.parametrize("name", sorted(INSTANCE_TYPES))
def test_the_verdict_follows_hypervisor_and_bare_metal(name: str) -> None:
    item: dict[str, Any] = INSTANCE_TYPES[name]
    nitro = item.get("Hypervisor") == "nitro" or item.get("BareMetal") is True
    capacity = Capacity.of({**item, "InstanceType": "no.name"})
    assert capacity.nitro is nitro
    if nitro:
        assert 1 <= max_pods.max_pods(capacity) <= (250 if item["VCpuInfo"]["DefaultVCpus"] > 30 else 110)
    else:
        with pytest.raises(MaxPodsError, match="not built on Nitro"):
            max_pods.max_pods(capacity)


def test_amazon_aws_spelling_is_the_same_type() -> None:
    snake = {
        "instance_type": "m5.large",
        "hypervisor": "nitro",
        "bare_metal": False,
        "v_cpu_info": {"default_v_cpus": 2},
        "network_info": {"maximum_network_interfaces": 3, "ipv4_addresses_per_interface": 10},
    }
    assert Capacity.of(snake) == Capacity("m5.large", 3, 10, 2, True)


def test_only_the_default_card_counts() -> None:
    item = {
        "InstanceType": "p5.48xlarge",
        "Hypervisor": "nitro",
        "VCpuInfo": {"DefaultVCpus": 8},
        "NetworkInfo": {
            "MaximumNetworkInterfaces": 64,
            "Ipv4AddressesPerInterface": 2,
            "DefaultNetworkCardIndex": 0,
            "NetworkCards": [
                {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 2},
                {"NetworkCardIndex": 1, "MaximumNetworkInterfaces": 2},
            ],
        },
    }
    assert max_pods.max_pods(Capacity.of(item)) == 34


def test_several_types_take_what_the_smallest_takes() -> None:
    assert max_pods.lowest(Capacity.of(INSTANCE_TYPES[name]) for name in ("m5.large", "t3.nano")) == 34
    assert max_pods.lowest([]) is None


def test_anything_else_is_no_instance_type() -> None:
    with pytest.raises(MaxPodsError, match="is missing"):
        Capacity.of({"InstanceType": "m5.large"})
