# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook network, run as users run it: IPv6 for a network that is there, and away again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import existing_networks as existing
import pytest
import yaml
from playbook_runs import Playbooks

from eksops_emulator import Emulator

NETWORK = "eksops.ipv6.network"
LINES = re.compile(r"^ *(\d+)  (\w+) +(\w+):(\w+) ", re.MULTILINE)
DIFFS = re.compile(r"^--- before: \S+ \((\w+):(\w+), (\w+)\)$", re.MULTILINE)
Aws = Callable[..., Any]


@pytest.fixture
def playbooks(emulator: Emulator, tmp_path: Path) -> Playbooks:
    return Playbooks(emulator, tmp_path)


def arranged(ec2: Any) -> existing.Network:
    """An IPv4 VPC with a group and an ACL of its own."""
    old = existing.make(ec2, ipv6=False)
    ec2.create_tags(Resources=[old.vpc_id], Tags=[{"Key": "Name", "Value": "old"}])
    ec2.create_tags(Resources=old.subnets[1:], Tags=[{"Key": "tier", "Value": "private"}])
    group = ec2.create_security_group(GroupName="web", Description="d", VpcId=old.vpc_id)["GroupId"]
    for port, cidr in ((443, "0.0.0.0/0"), (5432, "10.9.0.0/16"), (22, "203.0.113.7/32")):
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    acl = ec2.create_network_acl(VpcId=old.vpc_id)["NetworkAcl"]["NetworkAclId"]
    for egress in (True, False):
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=egress, CidrBlock="10.9.0.0/16"
        )
    return old


def document(old: existing.Network, report: Path) -> dict[str, Any]:
    return {
        "eks_site_module_defaults": {"region": "eu-west-1", "wait_interval": 0.01},
        "eks_network_name": "old",
        "eks_network_vpc": {"filter_tags": {"Name": "old"}, "ipv6": {"provider": "amazon"}, "remove_ipv6": True},
        "eks_network_public_subnets": [],
        "eks_network_private_subnets": [],
        "eks_network_ipv6_subnets": [
            {"filter_tags": {"tier": "private"}, "state": "present", "assign_ipv6_address_on_creation": True},
            {"subnets": [{"id": old.subnets[0], "ipv6_slot": 40}], "state": "present"},
            {"state": "present", "assign_ipv6_address_on_creation": True},  # of all, also of those above
        ],
        "eks_network_ipv6_routes": [
            {"subnet_ids": [old.subnets[0]], "routes": [{"target": "internet_gateway"}]},
            {
                "subnet_filter_tags": {"tier": "private"},
                "routes": [{"destination": "::/0", "target": "egress_only_internet_gateway"}],
                "create_egress_only_internet_gateway": True,
            },
            {
                "subnet_ids": [old.subnets[1]],
                "routes": [{"destination": "2001:db8:8000::/48", "target": "egress_only_internet_gateway"}],
                "create_egress_only_internet_gateway": True,
                "shared_tables": "change",
            },
        ],
        "eks_network_ipv6_security_groups": [
            {},
            {"group_names": ["web"], "rules": [{"ip_protocol": "udp", "from_port": 53, "cidr_ipv6": "::/0"}]},
        ],
        "eks_network_ipv6_network_acls": [
            {"path_mtu_discovery": True},
            {"ephemeral_ports": {"from_port": 1024}, "subnet_ids": old.subnets[:1]},
        ],
        "eks_network_report": str(report),
    }


def shape(ec2: Any, old: existing.Network) -> list[Any]:
    """Everything of IPv4, and every IPv6 item there is; what EC2 adds by itself with the first block left out."""
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    entries = [entry for acl in ec2.describe_network_acls()["NetworkAcls"] for entry in acl["Entries"]]
    tables = ec2.describe_route_tables()["RouteTables"]
    return [
        existing.ipv4(ec2),
        existing.blocks(ec2, old.vpc_id),
        [existing.subnet_block(ec2, subnet_id) for subnet_id in old.subnets],
        [route for table in tables for route in table["Routes"] if route.get("DestinationIpv6CidrBlock")],
        [rule for rule in rules if rule.get("CidrIpv6") and not rule["IsEgress"]],
        [entry for entry in entries if entry.get("Ipv6CidrBlock") and entry["RuleNumber"] not in (101, 32768)],
        ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"],
    ]


@pytest.mark.slow
def test_ipv6_comes_as_planned_and_goes_without_a_trace(playbooks: Playbooks, aws: Aws, tmp_path: Path) -> None:
    ec2, report = aws("ec2"), tmp_path / "report.json"
    old = arranged(ec2)
    before = shape(ec2, old)
    wanted = document(old, report)
    planned = playbooks(NETWORK, wanted, "--diff", check=True)
    assert planned.writes == []
    steps = [(step["service"], step["operation"], step["risk"]) for step in planned.plan["steps"]]
    assert DIFFS.findall(planned.output) == steps
    assert LINES.findall(planned.output) == [
        (str(n), risk, service, call) for n, (service, call, risk) in enumerate(steps, 1)
    ]
    told = json.loads(report.read_text())
    assert told["check_mode"] is True
    assert [(step["service"], step["operation"]) for step in told["changes"]] == planned.steps

    slots = [step["after"]["ipv6_cidr_block"] for step in told["changes"] if "SubnetCidr" in step["operation"]]
    assert [slot.rpartition("#")[2] for slot in slots] == ["0", "1", "40"]

    applied = playbooks(NETWORK, wanted)
    assert applied.writes == planned.steps
    assert existing.ipv4(ec2)[1:4] == before[0][1:4]
    told = json.loads(report.read_text())
    assert told["check_mode"] is False and told["untwinned"][0]["cidr"] == "203.0.113.7/32"
    assert {"ipv6_cidr_block": None} in [step["before"] for step in told["changes"]]

    again = playbooks(NETWORK, wanted)
    assert again.writes == again.steps == []
    assert again.plan["changed_tasks"] == 0

    removed = playbooks(NETWORK, {**wanted, "eks_network_state": "absent"})
    assert removed.returncode == 0
    assert shape(ec2, old) == before
    assert playbooks(NETWORK, {**wanted, "eks_network_state": "absent"}).writes == []


@pytest.mark.slow
def test_a_new_network_and_what_is_added_to_it_are_one_document(playbooks: Playbooks, aws: Aws) -> None:
    wanted = {
        "eks_site_module_defaults": {"region": "eu-west-1", "wait_interval": 0.01},
        "eks_network_name": "green",
        "eks_network_vpc": {"cidr_block": "10.40.0.0/16"},
        "eks_network_availability_zones": ["eu-west-1a", "eu-west-1b"],
        "eks_network_nat_gateways": "single",
        "eks_network_ipv6_subnets": [{"state": "present", "private_dns_hostname_type_on_launch": "resource-name"}],
        "eks_network_ipv6_routes": [
            {
                "subnet_filter_tags": {"kubernetes.io/role/internal-elb": "1"},
                "routes": [
                    {"target": "egress_only_internet_gateway"},
                    {"destination": "64:ff9b::/96", "target": "nat_gateway"},
                ],
            },
            {"subnet_filter_tags": {"kubernetes.io/role/elb": "1"}, "routes": [{"target": "internet_gateway"}]},
        ],
        "eks_network_ipv6_security_groups": [{}],
        "eks_network_ipv6_network_acls": [{}],
    }
    planned = playbooks(NETWORK, wanted, check=True)
    assert planned.steps.count(("ec2", "CreateRoute")) == 2 + 2 * 2 + 2
    assert playbooks(NETWORK, wanted).writes == planned.steps
    assert playbooks(NETWORK, wanted).writes == []


@pytest.mark.slow
def test_the_report_in_markdown(playbooks: Playbooks, aws: Aws, tmp_path: Path) -> None:
    old = arranged(aws("ec2"))
    report = tmp_path / "report.md"
    playbooks(NETWORK, document(old, report), check=True)
    text = report.read_text()
    assert "changes planned" in text and "| assign_ipv6_address_on_creation | `false` | `true` |" in text
    assert "203.0.113.7/32" in text


@pytest.mark.slow
def test_the_readme_s_example_runs(playbooks: Playbooks, aws: Aws, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "roles" / "eks_network" / "README.md").read_text(encoding="utf-8")
    example = next(block for block in text.split("```yaml\n")[1:] if block.startswith("# network.yml")).split("```")[0]
    wanted = {**yaml.safe_load(example), "eks_network_report": str(tmp_path / "report.md")}
    ec2 = aws("ec2")
    old = arranged(ec2)
    ec2.create_tags(Resources=[old.vpc_id], Tags=[{"Key": "Name", "Value": "shared"}])
    ec2.create_tags(Resources=old.subnets[:1], Tags=[{"Key": "tier", "Value": "public"}])
    wanted["eks_site_module_defaults"] = {"region": "eu-west-1", "wait_interval": 0.01}
    planned = playbooks(NETWORK, wanted, check=True)
    assert playbooks(NETWORK, wanted).writes == planned.steps != []
    assert playbooks(NETWORK, wanted).writes == []
    assert [existing.subnet_block(ec2, item) is not None for item in old.subnets] == [True] * 3
