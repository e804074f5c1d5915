# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster whose VPC CNI and CNI role can be put into any state between two runs."""

from __future__ import annotations

import json
from typing import Any

from harness import Player
from moto.eks.models import eks_backends

from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Failed
from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import AddonVersion
from eksops_emulator.eks.catalogue import ADDONS
from eksops_emulator.eks.sample import Sample

CLUSTER = "production"
CNI = {"cluster_name": CLUSTER, "name": "vpc-cni"}
VERSIONS = sorted(ADDONS["vpc-cni"].versions("1.31"), key=AddonVersion.parse)
POD_IDENTITY_SINCE = AddonVersion.parse("v1.15.5-eksbuild.1")


class Walker:
    """A cluster with nodes, whose CNI and CNI role can be put into any state between two runs."""

    def __init__(self, player: Player, world: Sample, identity: str) -> None:
        self.player, self.world, self.identity = player, world, identity
        self.policy_for: str | None = None
        self.allowed: list[str] = []
        world.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
        self.role: dict[str, Any] = {"cluster_name": CLUSTER, "identity": identity}
        if identity == "irsa":
            issuer = world.eks.describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
            player("iam_oidc_provider", url=issuer)
        else:
            player("eks_addon", cluster_name=CLUSTER, name="eks-pod-identity-agent")
        arn = player("iam_cni_role", **self.role)["cni_role"]["arn"]
        self.given: dict[str, Any] = (
            {"service_account_role_arn": arn}
            if identity == "irsa"
            else {"pod_identity_associations": [{"service_account": "aws-node", "role_arn": arn}]}
        )
        player("eks_addon", **CNI, **self.given)
        # Nodes whose own role allows no more than to join.
        policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNode{}Policy"
        assert world.node_role
        world.iam.detach_role_policy(RoleName="node", PolicyArn=policy.format(""))
        world.iam.attach_role_policy(RoleName="node", PolicyArn=policy.format("Minimal"))
        self.nodes_may(["ec2:DescribeInstances"])
        assert world.nodegroup("workers", CLUSTER)["status"] == "ACTIVE"

    def nodes_may(self, actions: list[str]) -> None:
        """What the nodes' own role allows beside joining."""
        if actions == self.allowed:
            return
        self.allowed = actions
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        self.world.iam.put_role_policy(RoleName="node", PolicyName="own", PolicyDocument=json.dumps(document))

    def begin(self, version: str) -> None:
        """The add-on runs this version, as if it had for long: with the role, or with the nodes' where the version does
        not know the way that the role is given."""
        knows = self.knows(version)
        self.nodes_may(["ec2:DescribeInstances"] if knows else ["ec2:*"])
        associations = self.given.get("pod_identity_associations", [])
        wanted = [{"serviceAccount": item["service_account"], "roleArn": item["role_arn"]} for item in associations]
        eks, found = self.world.eks, eks_backends["123456789012"]["eu-west-1"].clusters[CLUSTER].addons["vpc-cni"]
        if associations and bool(self.described().get("podIdentityAssociations")) is not knows:
            self.policy(None)
            found.facts["addonVersion"] = VERSIONS[-1]
            update = eks.update_addon(
                clusterName=CLUSTER, addonName="vpc-cni", podIdentityAssociations=wanted if knows else []
            )["update"]
            assert self.world.updated(update, CLUSTER, addonName="vpc-cni")["status"] == "Successful"
        found.facts["addonVersion"] = version
        found.life.set("ACTIVE")

    def policy(self, version: str | None) -> None:
        """The role's policy is for this version, or the oldest that may have the role; or for all."""
        if version is not None and not self.knows(version):
            version = POD_IDENTITY_SINCE.text
        if version != self.policy_for:
            self.player("iam_cni_role", **self.role, cni_version=version)
            self.policy_for = version

    def described(self) -> dict[str, Any]:
        """What DescribeAddon answers."""
        found: dict[str, Any] = self.world.eks.describe_addon(clusterName=CLUSTER, addonName="vpc-cni")["addon"]
        return found

    def status(self) -> tuple[str, str]:
        """Status and version of the add-on."""
        found = self.described()
        return found["status"], found["addonVersion"]

    def move(self, target: str) -> dict[str, Any]:
        """The result of a run, be it one that refused."""
        try:
            return self.player("eks_addon", **CNI, **self.given, addon_version=target)
        except Failed as failure:
            return failure.result

    def knows(self, version: str) -> bool:
        """Whether the way that the role is given is one that this version knows."""
        return self.identity == "irsa" or AddonVersion.parse(version) >= POD_IDENTITY_SINCE


def replace_policy(iam: Any, arn: str, document: dict[str, Any]) -> None:
    """A policy has another document from now on, and no older version."""
    new = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if version["VersionId"] != new["PolicyVersion"]["VersionId"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
