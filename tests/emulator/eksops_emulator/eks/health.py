# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Would the pods of this cluster run? The VPC CNI's permissions, coredns's nodes, a node's own role.

What the parts call comes from their sources (see catalogue.py); what EKS then shows is quoted where an issue
quotes it and presumed otherwise.
"""

from __future__ import annotations

from typing import Any

from .catalogue import ADDONS, cni_needs, parse
from .pod_identity import SERVICE, TRUST_ACTIONS, find_association
from .schemas import read_values
from .state import Cluster, Facts, Nodegroup, State

REPLICAS_MESSAGE = "The add-on is unhealthy because it doesn't have the desired number of replicas."
_NODE_NEEDS = [("ec2:DescribeInstances", "*")]
_IMAGE_NEEDS = [("ecr:GetAuthorizationToken", "*"), ("ecr:BatchGetImage", "*"), ("ecr:GetDownloadUrlForLayer", "*")]


def cni_version(cluster: Cluster) -> str | None:
    """The version of the VPC CNI that runs in the cluster, managed or not; None when there is none."""
    if "vpc-cni" in cluster.addons:
        return str(cluster.addons["vpc-cni"].facts["addonVersion"])
    kept = cluster.self_managed.get("vpc-cni")
    return kept.version if kept else None


def cni_problem(state: State, cluster: Cluster, node_role: str) -> str | None:
    """Why aws-node would not become ready on nodes of this role; None when it would."""
    version = cni_version(cluster)
    if version is None:
        return "no CNI is installed in the cluster"
    addon = cluster.addons.get("vpc-cni")
    role, problem = cni_role(state, cluster, addon.facts if addon else {}, node_role, version)
    if problem is not None:
        return problem
    text = addon.facts.get("configurationValues") if addon else None
    environment = read_values("vpc-cni", version, text, cluster.name).get("env", {})
    missing = cni_denied(state, cluster, role, version, cluster.ipv6, environment)
    return f"{role} does not allow {', '.join(missing)}" if missing else None


def cni_denied(
    state: State, cluster: Cluster, role: str, version: str, ipv6: bool, environment: dict[str, str]
) -> list[str]:
    """The actions that a CNI version calls in this cluster and its role does not allow.

    EC2 hands over its region and, with network interfaces, their VPC (Service Authorization Reference, Amazon EC2).
    """
    place = f"arn:{state.partition}:ec2:{state.region_name}:{state.account_id}"
    vpc = f"{place}:vpc/{cluster.facts['resourcesVpcConfig']['vpcId']}"
    context = {"ec2:Region": [state.region_name], "aws:RequestedRegion": [state.region_name], "ec2:Vpc": [vpc]}
    return state.iam.missing_actions(role, cni_needs(version, place, ipv6, environment), context)


def cni_role(state: State, cluster: Cluster, addon: Facts, node_role: str, version: str) -> tuple[str, str | None]:
    """Whose permissions aws-node has: IRSA's role, then Pod Identity's, then the node's.

    A role that can't be assumed leaves the pod without credentials: neither way falls back to the node.
    """
    irsa = addon.get("serviceAccountRoleArn")
    if irsa:
        issuer = cluster.facts["identity"]["oidc"]["issuer"].removeprefix("https://")
        trusted = state.iam.trusts_web_identity(irsa, issuer, "system:serviceaccount:kube-system:aws-node")
        return irsa, None if trusted else f"{irsa} can't be assumed with sts:AssumeRoleWithWebIdentity by aws-node"
    association = find_association(cluster, "kube-system", "aws-node")
    if association is None:
        return node_role, None
    role = str(association["roleArn"])
    if parse(version) < parse(ADDONS["vpc-cni"].pod_identity_since):
        return role, f"aws-node {version} does not know Pod Identity"
    if "eks-pod-identity-agent" not in cluster.addons:
        return role, "aws-node has a Pod Identity association, but eks-pod-identity-agent is not installed"
    if state.iam.missing_actions(node_role, [("eks-auth:AssumeRoleForPodIdentity", "*")]):
        return role, f"{node_role} does not allow eks-auth:AssumeRoleForPodIdentity"
    trusted = state.iam.trusts_service(role, SERVICE, TRUST_ACTIONS)
    return role, None if trusted else f"{role} can't be assumed by {SERVICE}"


def node_problem(state: State, cluster: Cluster, role: str) -> tuple[str, str] | None:
    """(issue code, message) when nodes of this role would not become Ready; None when they would.

    The two messages are AWS's. Which cause leads to which is presumed: a node that can't look itself up never
    joins, one without images or CNI joins and stays NotReady.
    """
    if not looks_itself_up(state, role):
        return "NodeCreationFailure", "Instances failed to join the kubernetes cluster"
    if state.iam.missing_actions(role, _IMAGE_NEEDS) or cni_problem(state, cluster, role):
        return "NodeCreationFailure", "Unhealthy nodes in the kubernetes cluster"
    return None


def looks_itself_up(state: State, role: str) -> bool:
    """Whether a node of this role finds its own instance, as it must before it joins (presumed)."""
    return not state.iam.missing_actions(role, _NODE_NEEDS)


def refresh_nodes(state: State, cluster: Cluster) -> None:
    """After a change of the CNI: its pods are rolled, so node groups lose or regain their ready nodes."""
    for group in cluster.nodegroups.values():
        if group.life.state in ("ACTIVE", "DEGRADED"):
            group.ready = 0 if node_problem(state, cluster, group.facts["nodeRole"]) else desired_size(group)


def desired_size(group: Nodegroup) -> int:
    return int(group.facts["scalingConfig"]["desiredSize"])


def workload_issue(state: State, cluster: Cluster, name: str) -> Facts | None:
    """The health issue of an add-on's workload as it is now; None when it has all its replicas.

    A Deployment without a node to run on lacks replicas; a DaemonSet without nodes wants none.
    """
    if name == "vpc-cni":
        roles = {str(group.facts["nodeRole"]) for group in _groups_with_nodes(cluster)}
        if any(cni_problem(state, cluster, role) for role in sorted(roles)):
            return _issue("InsufficientNumberOfReplicas", REPLICAS_MESSAGE)
    elif ADDONS[name].workload == "Deployment" and not cluster.ready_nodes and not _runs_on_fargate(cluster, name):
        return _issue("InsufficientNumberOfReplicas", REPLICAS_MESSAGE)
    return None


def _groups_with_nodes(cluster: Cluster) -> list[Nodegroup]:
    states = ("ACTIVE", "UPDATING", "DEGRADED")
    return [group for group in cluster.nodegroups.values() if group.life.state in states and desired_size(group)]


def _runs_on_fargate(cluster: Cluster, name: str) -> bool:
    """coredns runs on Fargate when an active profile selects kube-system for it."""
    labels = {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"}
    selectors = [
        selector
        for profile in cluster.fargate_profiles.values()
        if profile.life.state == "ACTIVE"
        for selector in profile.facts["selectors"]
    ]
    return name == "coredns" and any(
        selector["namespace"] in ("kube-system", "*") and _has(labels, selector.get("labels", {}))
        for selector in selectors
    )


def _has(labels: dict[str, str], wanted: dict[str, Any]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _issue(code: str, message: str) -> Facts:
    return {"code": code, "message": message, "resourceIds": []}
