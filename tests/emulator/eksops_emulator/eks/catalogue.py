# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-ons EKS offers: versions, where they run, which is the default, what each version calls.

Version numbers are releases that exist; which builds EKS lists for which Kubernetes version is this table's own
(presumed), wide enough that upgrades of several minors, downgrades and old versions can be tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .versions import SUPPORTED


@dataclass(frozen=True)
class AddonType:
    """One add-on. `builds` maps a version to the lowest and highest Kubernetes minor that it supports."""

    name: str
    kind: str
    builds: dict[str, tuple[int, int]]
    defaults: dict[str, str]
    service_accounts: dict[str, str] = field(default_factory=dict)
    pod_identity_since: str = "v0.0.0"
    requires_iam: bool = False
    workload: str = "Deployment"
    image: str = ""

    def versions(self, kubernetes: str | None = None) -> list[str]:
        """The versions, newest first, of this Kubernetes version or of any."""
        found = [
            version
            for version, (low, high) in self.builds.items()
            if kubernetes is None or low <= minor_of(kubernetes) <= high
        ]
        return sorted(found, key=parse, reverse=True)

    def default(self, kubernetes: str) -> str:
        return self.defaults[kubernetes]


def parse(version: str) -> tuple[int, int, int, int]:
    """vX.Y.Z-eksbuild.N as numbers; a text that is no such version sorts lowest."""
    match = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)(?:-eksbuild\.(\d+))?", version)
    return (0, 0, 0, 0) if match is None else (int(match[1]), int(match[2]), int(match[3]), int(match[4] or 0))


def minor_of(kubernetes: str) -> int:
    return int(kubernetes.split(".")[1])


def _spread(low: int, high: int, *versions: str) -> dict[str, tuple[int, int]]:
    return dict.fromkeys(versions, (low, high))


_VPC_CNI = AddonType(
    name="vpc-cni",
    kind="networking",
    builds={
        **_spread(28, 32, "v1.10.1-eksbuild.1", "v1.10.4-eksbuild.1", "v1.11.0-eksbuild.1", "v1.11.4-eksbuild.1"),
        **_spread(28, 32, "v1.12.0-eksbuild.1", "v1.12.6-eksbuild.2", "v1.13.0-eksbuild.1", "v1.13.4-eksbuild.1"),
        **_spread(28, 32, "v1.14.0-eksbuild.3", "v1.14.1-eksbuild.1", "v1.15.1-eksbuild.1", "v1.15.5-eksbuild.1"),
        **_spread(28, 33, "v1.16.0-eksbuild.1", "v1.16.4-eksbuild.2", "v1.17.1-eksbuild.1"),
        **_spread(28, 34, "v1.18.0-eksbuild.1", "v1.18.6-eksbuild.1"),
        **_spread(28, 35, "v1.19.0-eksbuild.1", "v1.19.2-eksbuild.5", "v1.19.6-eksbuild.7"),
        **_spread(28, 35, "v1.20.0-eksbuild.1", "v1.20.4-eksbuild.1", "v1.20.4-eksbuild.2", "v1.20.5-eksbuild.1"),
        **_spread(29, 35, "v1.21.1-eksbuild.1", "v1.21.1-eksbuild.3", "v1.21.2-eksbuild.1", "v1.21.2-eksbuild.2"),
        **_spread(30, 35, "v1.22.0-eksbuild.1", "v1.22.1-eksbuild.2", "v1.22.4-eksbuild.1"),
        **_spread(30, 35, "v1.23.0-eksbuild.1", "v1.23.1-eksbuild.1"),
    },
    defaults={
        "1.30": "v1.19.6-eksbuild.7",
        "1.31": "v1.20.4-eksbuild.2",
        "1.32": "v1.20.5-eksbuild.1",
        "1.33": "v1.21.1-eksbuild.3",
        "1.34": "v1.21.2-eksbuild.2",
        "1.35": "v1.22.4-eksbuild.1",
    },
    service_accounts={"aws-node": "AmazonEKS_CNI_Policy"},
    pod_identity_since="v1.15.5-eksbuild.1",
    requires_iam=True,
    workload="DaemonSet",
    image="aws-node",
)
_KUBE_PROXY = AddonType(
    name="kube-proxy",
    kind="networking",
    builds={
        **_spread(30, 33, "v1.30.6-eksbuild.3", "v1.30.14-eksbuild.8"),
        **_spread(31, 34, "v1.31.2-eksbuild.3", "v1.31.13-eksbuild.2"),
        **_spread(32, 35, "v1.32.0-eksbuild.2", "v1.32.9-eksbuild.2"),
        **_spread(33, 35, "v1.33.0-eksbuild.2", "v1.33.5-eksbuild.2"),
        **_spread(34, 35, "v1.34.0-eksbuild.2", "v1.34.1-eksbuild.2"),
        **_spread(35, 35, "v1.35.0-eksbuild.2", "v1.35.2-eksbuild.4"),
    },
    defaults={
        "1.30": "v1.30.6-eksbuild.3",
        "1.31": "v1.31.2-eksbuild.3",
        "1.32": "v1.32.0-eksbuild.2",
        "1.33": "v1.33.0-eksbuild.2",
        "1.34": "v1.34.0-eksbuild.2",
        "1.35": "v1.35.0-eksbuild.2",
    },
    workload="DaemonSet",
    image="kube-proxy",
)
_COREDNS = AddonType(
    name="coredns",
    kind="networking",
    builds={
        **_spread(28, 31, "v1.11.1-eksbuild.8"),
        **_spread(28, 33, "v1.11.3-eksbuild.1", "v1.11.4-eksbuild.2", "v1.11.4-eksbuild.24"),
        **_spread(30, 35, "v1.12.1-eksbuild.2", "v1.12.3-eksbuild.1", "v1.12.4-eksbuild.1"),
        **_spread(31, 35, "v1.13.1-eksbuild.1", "v1.13.2-eksbuild.4"),
    },
    defaults={
        "1.30": "v1.11.1-eksbuild.8",
        "1.31": "v1.11.3-eksbuild.1",
        "1.32": "v1.11.4-eksbuild.2",
        "1.33": "v1.12.1-eksbuild.2",
        "1.34": "v1.12.3-eksbuild.1",
        "1.35": "v1.13.1-eksbuild.1",
    },
    image="coredns",
)
_POD_IDENTITY_AGENT = AddonType(
    name="eks-pod-identity-agent",
    kind="security",
    builds=_spread(
        28,
        35,
        "v1.2.0-eksbuild.1",
        "v1.3.4-eksbuild.1",
        "v1.3.8-eksbuild.2",
        "v1.3.10-eksbuild.1",
        "v1.3.10-eksbuild.2",
    ),
    defaults=dict.fromkeys(SUPPORTED, "v1.3.10-eksbuild.1"),
    workload="DaemonSet",
    image="eks-pod-identity-agent",
)
_EBS_CSI = AddonType(
    name="aws-ebs-csi-driver",
    kind="storage",
    builds=_spread(28, 35, "v1.35.0-eksbuild.1", "v1.40.0-eksbuild.1", "v1.48.0-eksbuild.1", "v1.55.0-eksbuild.1"),
    defaults=dict.fromkeys(SUPPORTED, "v1.48.0-eksbuild.1"),
    service_accounts={"ebs-csi-controller-sa": "service-role/AmazonEBSCSIDriverPolicy"},
    pod_identity_since="v1.26.0-eksbuild.1",
    requires_iam=True,
    image="ebs-plugin",
)
_FSX_CSI = AddonType(
    name="aws-fsx-csi-driver",
    kind="storage",
    builds=_spread(30, 35, "v1.6.0-eksbuild.1", "v1.7.0-eksbuild.1"),
    defaults=dict.fromkeys(SUPPORTED, "v1.6.0-eksbuild.1"),
    service_accounts={"fsx-csi-controller-sa": "AmazonFSxFullAccess"},
    requires_iam=True,
    image="fsx-plugin",
)
ADDONS: dict[str, AddonType] = {
    addon.name: addon for addon in (_COREDNS, _EBS_CSI, _FSX_CSI, _KUBE_PROXY, _POD_IDENTITY_AGENT, _VPC_CNI)
}
# What CreateCluster installs unless bootstrapSelfManagedAddons is false.
BOOTSTRAPPED = ("vpc-cni", "kube-proxy", "coredns")


def cni_needs(version: str, place: str, ipv6: bool, environment: dict[str, str]) -> list[tuple[str, str]]:
    """(action, resource) pairs that a VPC CNI version calls on a node, all of them fatal when denied.

    `place` is where the nodes are, as EC2's ARNs begin: arn:aws:ec2:eu-west-1:123456789012.

    Source: docs/iam-policy.md and pkg/ipamd of amazon-vpc-cni-k8s. Since v1.22.0 IPv6 mode calls DescribeSubnets
    unless subnet discovery is off; v1.22.0 to v1.22.4 call DescribeSecurityGroups besides. That every one of the
    older calls is fatal is presumed.
    """
    interface = f"{place}:network-interface/eni-0123456789abcdef0"
    needs = [(f"ec2:{action}", "*") for action in ("DescribeInstances", "DescribeTags", "DescribeNetworkInterfaces")]
    needs += [("ec2:DescribeInstanceTypes", "*"), ("ec2:CreateTags", interface)]
    if not ipv6:
        changes = ("AssignPrivateIpAddresses", "AttachNetworkInterface", "CreateNetworkInterface")
        return needs + [(f"ec2:{action}", "*") for action in changes]
    needs.insert(0, ("ec2:AssignIpv6Addresses", interface))
    number = parse(version)
    if number >= (1, 22, 0, 0) and environment.get("ENABLE_SUBNET_DISCOVERY", "true") != "false":
        needs.append(("ec2:DescribeSubnets", "*"))
    if (1, 22, 0, 0) <= number < (1, 22, 5, 0):
        needs.append(("ec2:DescribeSecurityGroups", "*"))
    return needs
