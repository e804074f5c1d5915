# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are disturbed: stopped after any write, throttled at any call, without a reply to any write.

Whatever happened to the first run, the second ends right: nothing is left to do, and IPv4 is as before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import existing_networks as existing
import pytest
from harness import Player
from test_ec2_network_acl_ipv6 import web
from test_ec2_security_group_ipv6 import allow, group

from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Failed

pytestmark = pytest.mark.slow
Aws = Callable[..., Any]
Options = dict[str, Any]


def _subnets(_ec2: Any, old: existing.Network) -> Options:
    return {"subnet_ids": old.subnets, "state": "present", "assign_ipv6_address_on_creation": True}


def _routes(ec2: Any, old: existing.Network) -> Options:
    ec2.create_route(RouteTableId=old.table, DestinationIpv6CidrBlock="::/0", GatewayId=old.gateway)
    leads = {"routes": [{"target": "egress_only_internet_gateway"}], "create_egress_only_internet_gateway": True}
    return {"subnet_ids": old.subnets, "state": "present", **leads}


def _groups(ec2: Any, old: existing.Network) -> Options:
    ids = [group(ec2, old.vpc_id, name) for name in ("one", "two")]
    for group_id in ids:
        allow(ec2, group_id, "tcp", 443, 443, "0.0.0.0/0", tags={"a": "b"})
        allow(ec2, group_id, "tcp", 80, 80, "10.9.0.0/16", description="d")
        allow(ec2, group_id, "-1", -1, -1, "0.0.0.0/0", egress=True)
    given = [{"ip_protocol": "tcp", "from_port": 8443, "cidr_ipv6": "2001:db8::/48"}]
    return {"group_ids": ids, "rules": given, "state": "present"}


def _acls(ec2: Any, old: existing.Network) -> Options:
    return {"network_acl_ids": [web(ec2, old)], "state": "present"}


def _network(_ec2: Any, old: existing.Network) -> Options:
    subnets = {"public_subnets": [], "private_subnets": [{"id": subnet_id} for subnet_id in old.subnets]}
    vpc = {"id": old.vpc_id, "additional_ipv6": [{"provider": "amazon"}], "remove_ipv6": True}
    return {"name": "n", "vpc": vpc, "private_subnet_ipv6_reservation_length": 80, **subnets, "state": "present"}


ARRANGED: dict[str, Callable[[Any, existing.Network], Options]] = {
    "ec2_subnet_ipv6": _subnets,
    "ec2_route_ipv6": _routes,
    "ec2_security_group_ipv6": _groups,
    "ec2_network_acl_ipv6": _acls,
    "ec2_vpc_ipv6_network": _network,
}
EVERY = pytest.mark.parametrize(("module", "state"), [(name, s) for name in ARRANGED for s in ("present", "absent")])


def arranged(player: Player, aws: Aws, module: str, state: str) -> tuple[Options, list[Any]]:
    """An account to change, the document, and what is there of IPv4; for a removal, with everything made."""
    player.emulator.reset()
    ec2 = aws("ec2")
    options = ARRANGED[module](ec2, existing.make(ec2))
    if state == "absent":
        player(module, **options)
    return {**options, "state": state}, ipv4(ec2)


def ipv4(ec2: Any) -> list[Any]:
    """All of IPv4; the tags of ACLs tell of IPv6 entries."""
    *before, acls, rules = existing.ipv4(ec2)
    return [*before, [{**item, "Tags": None} for item in acls["NetworkAcls"]], rules]


def survives(player: Player, aws: Aws, module: str, options: Options, before: list[Any]) -> None:
    """A run that may fail, then one that must not, then one that finds nothing to do."""
    try:
        player(module, **options)
    except Failed:
        player.emulator.faults.clear()
        player(module, **options)
    player.emulator.faults.clear()
    player.unchanged(module, **options)
    assert ipv4(aws("ec2")) == before


def writes(player: Player, aws: Aws, module: str, state: str) -> list[str]:
    """The operations of an undisturbed run, in order."""
    options, _before = arranged(player, aws, module, state)
    return [step["operation"] for step in player.check(module, **options)["plan"]]


@EVERY
def test_a_stop_after_any_write(player: Player, aws: Aws, module: str, state: str) -> None:
    for stopped_after in range(len(writes(player, aws, module, state))):
        options, before = arranged(player, aws, module, state)
        player.emulator.fault(kind="halt", after=stopped_after, count=None)
        assert len(player.fails(module, **options)["plan"]) == stopped_after
        player.emulator.faults.clear()
        survives(player, aws, module, options, before)


@EVERY
@pytest.mark.parametrize("kind", ["throttle", "lost_reply"])
def test_a_fault_of_every_operation(player: Player, aws: Aws, module: str, state: str, kind: str) -> None:
    for operation in dict.fromkeys(writes(player, aws, module, state)):
        options, before = arranged(player, aws, module, state)
        player.emulator.fault("ec2", operation, kind, count=1)
        survives(player, aws, module, options, before)
        assert kind in [call.fault for call in player.emulator.journal.calls if call.operation == operation]


@EVERY
def test_everything_is_throttled_once(player: Player, aws: Aws, module: str, state: str) -> None:
    options, before = arranged(player, aws, module, state)
    player.emulator.journal.clear()
    player.check(module, **options)
    seen = [call.operation for call in player.emulator.journal.calls]
    for operation in dict.fromkeys([*seen, *(step["operation"] for step in player.check(module, **options)["plan"])]):
        player.emulator.fault("ec2", operation, "throttle", count=1)
    player(module, **options)
    survives(player, aws, module, options, before)
