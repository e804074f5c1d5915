# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes that a cluster has, whoever made them, and the IAM roles that they have; read from AWS, not the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..session import Session

KARPENTER = "karpenter.sh/"
ALIVE = ["pending", "running", "stopping", "stopped"]


@dataclass(frozen=True)
class NodeSource:
    """Where nodes come from: C(kind) in words, its name, how many nodes, and the ARNs of their roles."""

    kind: str
    name: str
    count: int
    roles: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.count} of {self.kind}{f' {self.name}' if self.name else ''}"


@dataclass(frozen=True)
class Nodes:
    """All nodes of a cluster that run on EC2."""

    sources: tuple[NodeSource, ...] = ()

    @property
    def count(self) -> int:
        """How many there are, or shall be by the size of their group."""
        return sum(source.count for source in self.sources)

    @property
    def roles(self) -> tuple[str, ...]:
        """The ARNs of the nodes' roles, sorted. A node group of size 0 counts: its nodes may come at any time."""
        return tuple(sorted({role for source in self.sources for role in source.roles}))

    def __str__(self) -> str:
        return ", ".join(str(source) for source in self.sources if source.count)


def observe(session: Session, cluster: str) -> Nodes:
    """Managed node groups, Auto Scaling groups by their cluster tags, and instances by theirs (Karpenter's too)."""
    tag = f"kubernetes.io/cluster/{cluster}"
    found = session.together(
        managed=lambda: _managed(session, cluster),
        tagged=lambda: _groups(session, "tag-key", tag),
        named=lambda: _groups(session, "tag:eks:cluster-name", cluster),
        instances=lambda: _instances(session, tag),
    )
    managed: list[Mapping[str, Any]] = found["managed"]
    groups = {group["AutoScalingGroupName"]: group for group in (*found["tagged"], *found["named"])}
    profiles = _profiles(session, found["instances"])
    own = {
        group["name"]
        for nodegroup in managed
        for group in nodegroup.get("resources", {}).get("autoScalingGroups", ())
        if "name" in group
    }
    sources = [
        NodeSource(
            "the managed node group",
            nodegroup["nodegroupName"],
            int(nodegroup.get("scalingConfig", {}).get("desiredSize", 0)),
            (nodegroup["nodeRole"],) if "nodeRole" in nodegroup else (),
        )
        for nodegroup in managed
    ]
    others = {name: group for name, group in groups.items() if name not in own}
    sources += [_scaled(group, found["instances"], profiles) for group in others.values()]
    scaled = {item["InstanceId"] for group in groups.values() for item in group.get("Instances", ())}
    single = [item for item in found["instances"] if item["InstanceId"] not in scaled and not _group_of(item)]
    sources += _single(single, profiles)
    return Nodes(tuple(sources))


def _managed(session: Session, cluster: str) -> list[Any]:
    names = session.pages("eks", "ListNodegroups", "nodegroups", clusterName=cluster)
    reads = {
        name: partial(session.find, "eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)
        for name in names
    }
    return [answer["nodegroup"] for answer in session.together(**reads).values() if answer]


def _groups(session: Session, name: str, value: str) -> list[Any]:
    wanted = [{"Name": name, "Values": [value]}]
    return session.pages("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", Filters=wanted)


def _instances(session: Session, tag: str) -> list[Any]:
    wanted = [{"Name": "tag-key", "Values": [tag]}, {"Name": "instance-state-name", "Values": ALIVE}]
    reservations = session.pages("ec2", "DescribeInstances", "Reservations", Filters=wanted)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def _profiles(session: Session, instances: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Role ARNs by the ARN of the instance profile."""
    arns = sorted({item["IamInstanceProfile"]["Arn"] for item in instances if item.get("IamInstanceProfile")})
    reads = {
        arn: partial(session.find, "iam", "GetInstanceProfile", InstanceProfileName=arn.rsplit("/", 1)[1])
        for arn in arns
    }
    return {
        arn: tuple(role["Arn"] for role in answer["InstanceProfile"]["Roles"]) if answer else ()
        for arn, answer in session.together(**reads).items()
    }


def _scaled(
    group: Mapping[str, Any], instances: Iterable[Mapping[str, Any]], profiles: Mapping[str, tuple[str, ...]]
) -> NodeSource:
    name, held = group["AutoScalingGroupName"], {item["InstanceId"] for item in group.get("Instances", ())}
    own = [item for item in instances if item["InstanceId"] in held or _group_of(item) == name]
    count = max(len(held), int(group.get("DesiredCapacity", 0)))
    return NodeSource("the Auto Scaling group", name, count, _roles(own, profiles))


def _single(instances: list[Mapping[str, Any]], profiles: Mapping[str, tuple[str, ...]]) -> list[NodeSource]:
    karpenter = [item for item in instances if any(key.startswith(KARPENTER) for key in _tags(item))]
    others = [item for item in instances if item not in karpenter]
    found = [("Karpenter", karpenter), ("no group", others)]
    return [NodeSource(kind, "", len(items), _roles(items, profiles)) for kind, items in found if items]


def _roles(instances: Iterable[Mapping[str, Any]], profiles: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    arns = (item.get("IamInstanceProfile", {}).get("Arn", "") for item in instances)
    return tuple(sorted({role for arn in arns for role in profiles.get(arn, ())}))


def _tags(instance: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}


def _group_of(instance: Mapping[str, Any]) -> str:
    return _tags(instance).get("aws:autoscaling:groupName", "")
