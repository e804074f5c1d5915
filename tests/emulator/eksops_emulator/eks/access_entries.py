# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access entries and access policies."""

from __future__ import annotations

import re

from .errors import BadShape, InvalidParameter, InvalidRequest, ResourceInUse, ResourceNotFound
from .state import AccessEntry, Cluster, Facts, Request, State, check_tags, now, page, uuid

# The access policies that ListAccessPolicies answers (EKS User Guide, access policy permissions).
POLICIES = (
    "AmazonAIOpsAssistantPolicy",
    "AmazonEKSACKPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSArgoCDClusterPolicy",
    "AmazonEKSArgoCDPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSClusterInsightsPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSHybridPolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSViewPolicy",
)
NODE_TYPES = ("EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
_NODE_USERNAME = {"FARGATE_LINUX": "system:node:{{SessionName}}", "HYBRID_LINUX": "system:node:{{SessionName}}"}
_NODE_GROUPS = {
    "EC2_LINUX": ["system:nodes"],
    "EC2_WINDOWS": ["system:nodes", "eks:kube-proxy-windows"],
    "FARGATE_LINUX": ["system:nodes", "system:bootstrappers", "system:node-proxier"],
}
_PRINCIPAL = re.compile(r"arn:[\w-]+:iam::(\d{12}):(role|user)/(.+)")


class AccessEntries(State):
    """Create, Describe, Update, Delete and ListAccessEntries; access policies and their association."""

    def create_access_entry(self, request: Request) -> Facts:
        cluster = self._api_cluster(request)
        arn, kind = request["principalArn"], request.get("type", "STANDARD")
        check_tags(request.get("tags", {}))
        if not _PRINCIPAL.fullmatch(arn) or ":role/aws-service-role/" in arn or not self._may_be_principal(arn):
            raise InvalidParameter(
                "The specified principalArn is invalid: invalid principal.", clusterName=cluster.name
            )
        if kind not in ("STANDARD", *NODE_TYPES):
            raise InvalidParameter(f"The type parameter is not valid: {kind}", clusterName=cluster.name)
        if kind != "STANDARD" and (request.get("kubernetesGroups") or request.get("username")):
            raise InvalidParameter(
                f"The kubernetesGroups and username parameters can't be specified with type {kind}",
                clusterName=cluster.name,
            )
        if kind != "STANDARD" and ":role/" not in arn:
            raise InvalidParameter(f"An access entry of type {kind} needs the ARN of a role", clusterName=cluster.name)
        check_username(request.get("username"), cluster)
        check_groups(request.get("kubernetesGroups", []), cluster)
        if arn in cluster.access_entries:
            raise ResourceInUse(
                "The specified access entry resource is already in use on this cluster.", clusterName=cluster.name
            )
        entry = make_entry(self, cluster, arn, kind, made_by_eks=False)
        if kind == "STANDARD":
            entry.facts["kubernetesGroups"] = list(request.get("kubernetesGroups", []))
            entry.facts["username"] = request.get("username") or entry.facts["username"]
        entry.facts["tags"] = dict(request.get("tags", {}))
        return {"accessEntry": entry.facts}

    def describe_access_entry(self, request: Request) -> Facts:
        return {"accessEntry": self._entry(request)[1].facts}

    def list_access_entries(self, request: Request) -> Facts:
        cluster = self._api_cluster(request)
        policy = request.get("associatedPolicyArn")
        arns = [arn for arn, entry in cluster.access_entries.items() if policy is None or policy in entry.policies]
        found, more = page(sorted(arns), request)
        return {"accessEntries": found, **more}

    def update_access_entry(self, request: Request) -> Facts:
        cluster, entry = self._entry(request)
        if entry.facts["type"] != "STANDARD":
            raise InvalidRequest(
                f"An access entry of type {entry.facts['type']} can't be updated", clusterName=cluster.name
            )
        check_username(request.get("username"), cluster)
        check_groups(request.get("kubernetesGroups", []), cluster)
        if "kubernetesGroups" in request:
            entry.facts["kubernetesGroups"] = list(request["kubernetesGroups"])
        if request.get("username"):
            entry.facts["username"] = request["username"]
        entry.facts["modifiedAt"] = now()
        return {"accessEntry": entry.facts}

    def delete_access_entry(self, request: Request) -> Facts:
        cluster, _unused = self._entry(request)
        del cluster.access_entries[request["principalArn"]]
        return {}

    def list_access_policies(self, request: Request) -> Facts:
        policies = [{"name": name, "arn": _policy_arn(self.partition, name)} for name in POLICIES]
        found, more = page(policies, request)
        return {"accessPolicies": found, **more}

    def associate_access_policy(self, request: Request) -> Facts:
        cluster, entry = self._entry(request)
        arn, scope = request["policyArn"], request["accessScope"]
        if arn not in [_policy_arn(self.partition, name) for name in POLICIES]:
            raise InvalidParameter("The policyArn parameter format is not valid", clusterName=cluster.name)
        if scope.get("type") == "namespace" and not scope.get("namespaces"):
            raise InvalidParameter(
                "The namespaces parameter is required with a namespace scope", clusterName=cluster.name
            )
        if scope.get("type") == "cluster" and scope.get("namespaces"):
            raise InvalidParameter(
                "The namespaces parameter can't be specified with a cluster scope", clusterName=cluster.name
            )
        if entry.facts["type"] not in ("STANDARD", "EC2", "HYPERPOD_LINUX"):
            raise InvalidRequest(
                f"Access policies can't be associated with an access entry of type {entry.facts['type']}",
                clusterName=cluster.name,
            )
        before = entry.policies.get(arn)
        associated = {
            "policyArn": arn,
            "accessScope": {"type": scope.get("type", "cluster"), "namespaces": list(scope.get("namespaces", []))},
            "associatedAt": before["associatedAt"] if before else now(),
            "modifiedAt": now(),
        }
        entry.policies[arn] = associated
        entry.facts["modifiedAt"] = now()
        return {
            "clusterName": cluster.name,
            "principalArn": entry.facts["principalArn"],
            "associatedAccessPolicy": associated,
        }

    def disassociate_access_policy(self, request: Request) -> Facts:
        cluster, entry = self._entry(request)
        if entry.policies.pop(request["policyArn"], None) is None:
            raise ResourceNotFound("The specified policyArn could not be found.", clusterName=cluster.name)
        return {}

    def list_associated_access_policies(self, request: Request) -> Facts:
        cluster, entry = self._entry(request)
        found, more = page(list(entry.policies.values()), request)
        return {
            "clusterName": cluster.name,
            "principalArn": entry.facts["principalArn"],
            "associatedAccessPolicies": found,
            **more,
        }

    def _api_cluster(self, request: Request) -> Cluster:
        cluster = self.cluster(request["clusterName"])
        if cluster.facts["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
            raise InvalidRequest(
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
                "operation.",
                clusterName=cluster.name,
            )
        return cluster

    def _entry(self, request: Request) -> tuple[Cluster, AccessEntry]:
        cluster = self._api_cluster(request)
        entry = cluster.access_entries.get(request["principalArn"])
        if entry is None:
            raise ResourceNotFound(
                "The specified principalArn could not be found. "
                "You can view your available access entries with 'list-access-entries'.",
                clusterName=cluster.name,
            )
        return cluster, entry

    def _may_be_principal(self, arn: str) -> bool:
        """Another account's principal can't be looked up; one of this account must exist."""
        match = _PRINCIPAL.fullmatch(arn)
        return match is not None and (match.group(1) != self.account_id or self.iam.principal_exists(arn))


def make_entry(state: State, cluster: Cluster, principal: str, kind: str, *, made_by_eks: bool) -> AccessEntry:
    """Put an access entry with the type's own groups and username into the cluster."""
    match = _PRINCIPAL.fullmatch(principal)
    if match is None:
        raise BadShape(f"No principal: {principal}")
    account, sort, name = match.groups()
    facts: Facts = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "kubernetesGroups": list(_NODE_GROUPS.get(kind, [])),
        "accessEntryArn": state.make_arn(
            f"access-entry/{cluster.name}/{sort}/{account}/{name.split('/')[-1]}/{uuid()}"
        ),
        "createdAt": now(),
        "modifiedAt": now(),
        "tags": {},
        "username": _username(principal, kind, state.partition),
        "type": kind,
    }
    entry = AccessEntry(facts, made_by_eks=made_by_eks)
    cluster.access_entries[principal] = entry
    return entry


def ensure_node_entry(state: State, cluster: Cluster, role_arn: str, kind: str) -> None:
    """What EKS does for a managed node group or a Fargate profile, unless the cluster has no access entries."""
    if cluster.facts["accessConfig"]["authenticationMode"] != "CONFIG_MAP" and role_arn not in cluster.access_entries:
        make_entry(state, cluster, role_arn, kind, made_by_eks=True)


def drop_node_entry(cluster: Cluster, role_arn: str) -> None:
    """Take EKS's own entry away with the last node group or profile that used it (presumed)."""
    users = [group.facts["nodeRole"] for group in cluster.nodegroups.values()]
    users += [profile.facts["podExecutionRoleArn"] for profile in cluster.fargate_profiles.values()]
    entry = cluster.access_entries.get(role_arn)
    if entry is not None and entry.made_by_eks and role_arn not in users:
        del cluster.access_entries[role_arn]


def bootstrap_creator(state: State, cluster: Cluster) -> None:
    """The creator's entry as cluster administrator, once the cluster's authentication mode knows entries."""
    mode = cluster.facts["accessConfig"]["authenticationMode"]
    if mode == "CONFIG_MAP" or not cluster.creator or cluster.creator in cluster.access_entries:
        return
    entry = make_entry(state, cluster, cluster.creator, "STANDARD", made_by_eks=False)
    arn = _policy_arn(state.partition, "AmazonEKSClusterAdminPolicy")
    entry.policies[arn] = {
        "policyArn": arn,
        "accessScope": {"type": "cluster", "namespaces": []},
        "associatedAt": now(),
        "modifiedAt": now(),
    }


def check_username(username: str | None, cluster: Cluster) -> None:
    """A username may not claim a name of Kubernetes or AWS (EKS User Guide, creating access entries)."""
    if username and username.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
        raise InvalidParameter(
            f"The username {username} can't start with system:, eks:, aws:, amazon: or iam:", clusterName=cluster.name
        )


def check_groups(groups: list[str], cluster: Cluster) -> None:
    for group in groups:
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            raise InvalidParameter(
                f"The kubernetes group name {group} is invalid, it cannot start with system:", clusterName=cluster.name
            )


def _username(principal: str, kind: str, partition: str) -> str:
    match = _PRINCIPAL.fullmatch(principal)
    assert match is not None
    account, sort, name = match.groups()
    if kind != "STANDARD":
        return _NODE_USERNAME.get(kind, "system:node:{{EC2PrivateDNSName}}")
    if sort == "user":
        return principal
    return f"arn:{partition}:sts::{account}:assumed-role/{name.split('/')[-1]}/{{{{SessionName}}}}"


def _policy_arn(partition: str, name: str) -> str:
    return f"arn:{partition}:eks::aws:cluster-access-policy/{name}"
