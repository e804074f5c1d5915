# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the modules for networks, run as they are written but for the ids, and the role's new network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import existing_networks as existing
import pytest
import yaml
from harness import Player
from playbook_runs import Playbooks
from test_ec2_network_acl_ipv6 import web

from eksops_emulator import Emulator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = re.compile(r'^EXAMPLES = r"""\n(.*?)"""', re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULES = (
    "ec2_vpc_ipv6_network",
    "ec2_subnet_ipv6",
    "ec2_route_ipv6",
    "ec2_security_group_ipv6",
    "ec2_network_acl_ipv6",
)
FIRST, SECOND = "0123456789abcdef0", "0fedcba9876543210"
Aws = Callable[..., Any]


def examples(module: str) -> list[dict[str, Any]]:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    tasks: list[dict[str, Any]] = yaml.safe_load("".join(EXAMPLES.findall(text)))
    return tasks


def ipam_pool(ec2: Any) -> str:
    ipam = ec2.create_ipam(OperatingRegions=[{"RegionName": "eu-west-1"}])["Ipam"]
    given = {"AddressFamily": "ipv6", "Locale": "eu-west-1", "AwsService": "ec2", "PublicIpSource": "amazon"}
    pool = str(ec2.create_ipam_pool(IpamScopeId=ipam["PublicDefaultScopeId"], **given)["IpamPool"]["IpamPoolId"])
    while ec2.describe_ipam_pools(IpamPoolIds=[pool])["IpamPools"][0]["State"] != "create-complete":
        pass
    ec2.provision_ipam_pool_cidr(IpamPoolId=pool, NetmaskLength=52)
    return pool


def private_table(ec2: Any, old: existing.Network, subnet_id: str, nat: str) -> str:
    table = str(ec2.create_route_table(VpcId=old.vpc_id)["RouteTable"]["RouteTableId"])
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    return table


def named(ec2: Any, module: str) -> dict[str, str]:
    """A VPC with what the examples name: their ids, and what has them here."""
    old = existing.make(ec2, ipv6=module != "ec2_vpc_ipv6_network")
    ec2.create_tags(Resources=[old.subnets[2]], Tags=[{"Key": "Name", "Value": "private-b"}])
    ec2.create_tags(Resources=old.subnets[1:], Tags=[{"Key": "kubernetes.io/role/internal-elb", "Value": "1"}])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=old.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    while ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] != "available":
        pass
    tables = [private_table(ec2, old, subnet_id, nat) for subnet_id in old.subnets[1:]]
    groups = []
    for name in ("web", "db"):
        group = ec2.create_security_group(GroupName=name, Description="d", VpcId=old.vpc_id)["GroupId"]
        for port, cidr in ((22, "198.51.100.0/24"), (80, "0.0.0.0/0")):
            permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        groups.append(group)
    web(ec2, old, subnet_id=old.subnets[1])
    return {
        f"vpc-{FIRST}": old.vpc_id,
        f"subnet-{FIRST}": old.subnets[1],
        f"subnet-{SECOND}": old.subnets[2],
        f"rtb-{FIRST}": tables[0],
        f"rtb-{SECOND}": tables[1],
        f"sg-{FIRST}": groups[0],
        f"sg-{SECOND}": groups[1],
        f"tgw-{FIRST}": ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"],
        f"ipam-pool-{FIRST}": ipam_pool(ec2),
    }


def options_of(module: str, task: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """What an example gives its module, with the ids that live."""
    text = json.dumps(task[f"eksops.ipv6.{module}"])
    for written, live in ids.items():
        text = text.replace(f'"{written}"', f'"{live}"')
    assert FIRST not in text and SECOND not in text, task["name"]
    options: dict[str, Any] = json.loads(text)
    return options


@pytest.mark.parametrize(("module", "number"), [(name, n) for name in MODULES for n in range(len(examples(name)))])
def test_a_module_s_example_runs(player: Player, aws: Aws, module: str, number: int) -> None:
    """It plans what it then does, and again finds nothing to do. One that removes comes after the first that adds."""
    tasks, ids = examples(module), named(aws("ec2"), module)
    task = tasks[number]
    options = options_of(module, task, ids)
    if options.get("state") == "absent":
        first = next(item for item in tasks if not item.get("check_mode"))
        player(module, **options_of(module, first, ids))
    result = (player.check if task.get("check_mode") else player.converge)(module, **options)
    assert result["plan"] or options.get("enable_dns64") is False  # which subnets have off by themselves


def test_the_role_s_new_network_is_made(emulator: Emulator, aws: Aws, tmp_path: Path) -> None:
    """The first example of the role's README, a playbook, as it is written."""
    text = (ROOT / "roles" / "eks_network" / "README.md").read_text(encoding="utf-8")
    book = tmp_path / "site.yml"
    book.write_text(FENCED.findall(text)[0], encoding="utf-8")
    emulator.transitions(progression="immediate")
    playbooks = Playbooks(emulator, tmp_path)
    planned = playbooks(str(book), {}, check=True)
    assert playbooks(str(book), {}).writes == planned.steps != []
    assert playbooks(str(book), {}).writes == []
    subnets = aws("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["false"]}])["Subnets"]
    assert len([item for item in subnets if item["AssignIpv6AddressOnCreation"]]) == 6
    assert len(aws("ec2").describe_nat_gateways()["NatGateways"]) == 3
