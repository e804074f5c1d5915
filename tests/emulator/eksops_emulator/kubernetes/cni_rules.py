# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When aws-node doesn't stay up: the checks that the VPC CNI makes when it starts, as a rule for `Controllers`.

From amazon-vpc-cni-k8s: pkg/ipamd (isConfigValid, nodeInit) and cmd/aws-vpc-cni (validateEnvVars).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from .cni import Version, parse
from .pods import Crash
from .store import Item

# EC2 actions that a role must allow: from which CNI version on, until which (exclusive), and whether aws-node needs
# subnet discovery for it. Denied DescribeSubnets and DescribeSecurityGroups end ipamd; without AssignIpv6Addresses and
# the others it never has an address to give.
_ACTIONS: tuple[tuple[str, Version, Version | None, bool], ...] = (
    ("ec2:AssignIpv6Addresses", (1, 10, 0), None, False),
    ("ec2:DescribeInstances", (1, 10, 0), None, False),
    ("ec2:DescribeInstanceTypes", (1, 10, 0), None, False),
    ("ec2:DescribeNetworkInterfaces", (1, 10, 0), None, False),
    ("ec2:DescribeTags", (1, 10, 0), None, False),
    ("ec2:DescribeSubnets", (1, 22, 0), None, True),
    ("ec2:DescribeSecurityGroups", (1, 22, 0), (1, 23, 0), False),
)
_DENIED = (
    "Unauthorized operation: failed to call {action} due to missing permissions. Please refer "
    "https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/iam-policy.md to attach relevant policy to IAM role"
)
# Which of the actions that a CNI version calls, with this environment, its role denies on a node.
Denied = Callable[[Item, str, dict[str, str]], Sequence[str]]


def needed_actions(version: Version, subnet_discovery: bool = True) -> list[str]:
    """The EC2 actions that aws-node of a version calls in IPv6 mode when it starts."""
    return [
        action
        for action, since, until, discovery in _ACTIONS
        if version >= since and (until is None or version < until) and (subnet_discovery or not discovery)
    ]


def only(allowed: Container[str]) -> Denied:
    """Denies, in IPv6 mode, every needed action that isn't among `allowed`, which may change."""

    def denied(node: Item, version: str, env: dict[str, str]) -> list[str]:
        del node
        discovery = _true(env, "ENABLE_SUBNET_DISCOVERY", default=True)
        needed = needed_actions(parse(version), discovery) if _true(env, "ENABLE_IPv6") else []
        return [action for action in needed if action not in allowed]

    return denied


class CniRule:
    """Crashes pods of the DaemonSet aws-node whose configuration or permissions the CNI wouldn't start with.

    Args:
        denied: the actions that are denied; nothing by default. See `only`.
    """

    def __init__(self, denied: Denied = lambda *_unused: ()) -> None:
        self.denied = denied

    def __call__(self, pod: Item, node: Item) -> Crash | None:
        containers = {item["name"]: item for item in pod["spec"]["containers"]}
        if "aws-node" not in containers or pod["metadata"].get("labels", {}).get("k8s-app") != "aws-node":
            return None
        held = containers["aws-node"]
        version = held["image"].rpartition(":")[2]
        env = {item["name"]: item.get("value", "") for item in held.get("env", [])}
        problem = configuration_problem(parse(version), env)
        if problem:
            return Crash("aws-node", problem)
        missing = self.denied(node, version, env)
        if not missing:
            return None
        events = tuple(("MissingIAMPermissions", _DENIED.format(action=action)) for action in missing)
        return Crash("aws-node", "Checking for IPAM connectivity... ", events=events)


def configuration_problem(version: Version, env: dict[str, str]) -> str | None:
    """What aws-node says before it ends because of its environment; None when it starts."""
    ipv4, ipv6 = _true(env, "ENABLE_IPv4"), _true(env, "ENABLE_IPv6")
    if ipv4 and ipv6:
        return "IPv4 and IPv6 are both enabled. VPC CNI currently does not support dual stack mode"
    if not ipv4 and not ipv6:
        return "IPv4 and IPv6 are both disabled. One of them have to be enabled"
    prefixes = _true(env, "ENABLE_PREFIX_DELEGATION")
    if ipv6 and (not prefixes or _true(env, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG")):
        return (
            "IPv6 is supported only in Prefix Delegation mode. Custom Networking is not supported in IPv6 mode. "
            "Please set the env variables accordingly."
        )
    if ipv6 and version < (1, 16, 0) and _true(env, "ENABLE_POD_ENI"):
        return "SecurityGroups for Pods is not supported in IPv6 mode. Please set the env variables accordingly."
    targets = ("WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET")
    if prefixes and all(_number(env, name) <= 0 for name in targets):
        return (
            "Setting WARM_PREFIX_TARGET = 0 is not supported while WARM_IP_TARGET/MINIMUM_IP_TARGET is not set. Please "
            "configure either one of the WARM_{PREFIX/IP}_TARGET or MINIMUM_IP_TARGET env variables"
        )
    if "AWS_VPC_ENI_MTU" in env and not (1280 if ipv6 else 576) <= _number(env, "AWS_VPC_ENI_MTU") <= 9001:
        low, family = (1280, "IPv6") if ipv6 else (576, "IPv4")
        given = env["AWS_VPC_ENI_MTU"]
        return f"AWS_VPC_ENI_MTU cannot be less than {low} or greater than 9001 in {family}. {given} is invalid"
    return None


def _true(env: dict[str, Any], name: str, default: bool = False) -> bool:
    return str(env[name]).lower() in ("1", "t", "true") if env.get(name) else default


def _number(env: dict[str, str], name: str) -> int:
    text = env.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else 0
