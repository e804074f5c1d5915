# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS Pod Identity associations, made by clients or owned by an add-on."""

from __future__ import annotations

import json
from typing import Any

from moto.moto_api._internal import mock_random

from .errors import InvalidParameter, InvalidRequest, ResourceInUse, ResourceNotFound
from .state import Cluster, Facts, Request, State, check_tags, now, page

SERVICE = "pods.eks.amazonaws.com"
TRUST_ACTIONS = ("sts:AssumeRole", "sts:TagSession")


class PodIdentity(State):
    """Create, Describe, Update, Delete and ListPodIdentityAssociations."""

    def create_pod_identity_association(self, request: Request) -> Facts:
        cluster = self.active_cluster(request["clusterName"])
        check_tags(request.get("tags", {}))
        association = create_association(self, cluster, request)
        return {"association": association}

    def describe_pod_identity_association(self, request: Request) -> Facts:
        return {"association": self._association(request)[1]}

    def update_pod_identity_association(self, request: Request) -> Facts:
        cluster, association = self._association(request)
        _refuse_owned(cluster, association)
        if "roleArn" in request:
            check_role(self, cluster, request["roleArn"])
            association["roleArn"] = request["roleArn"]
        _put_options(association, request, cluster)
        association["modifiedAt"] = now()
        return {"association": association}

    def delete_pod_identity_association(self, request: Request) -> Facts:
        cluster, association = self._association(request)
        _refuse_owned(cluster, association)
        del cluster.associations[association["associationId"]]
        return {"association": association}

    def list_pod_identity_associations(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        found = [
            _summary(association)
            for association in cluster.associations.values()
            if request.get("namespace") in (None, association["namespace"])
            and request.get("serviceAccount") in (None, association["serviceAccount"])
        ]
        associations, more = page(found, request)
        return {"associations": associations, **more}

    def _association(self, request: Request) -> tuple[Cluster, Facts]:
        cluster = self.cluster(request["clusterName"])
        association = cluster.associations.get(request["associationId"])
        if association is None:
            raise ResourceNotFound(f"Association {request['associationId']} not found", clusterName=cluster.name)
        return cluster, association


def find_association(cluster: Cluster, namespace: str, service_account: str) -> Facts | None:
    """The one association that a service account can have in a cluster."""
    for association in cluster.associations.values():
        if (association["namespace"], association["serviceAccount"]) == (namespace, service_account):
            return association
    return None


def create_association(state: State, cluster: Cluster, wanted: dict[str, Any], owner_arn: str | None = None) -> Facts:
    """An association of a service account with a role.

    `wanted` has CreatePodIdentityAssociation's members. Raises ResourceInUse for a second one, InvalidParameter for
    a role that does not exist or does not trust Pod Identity (terraform-provider-aws#41483 quotes that text).
    """
    namespace, account = wanted["namespace"], wanted["serviceAccount"]
    check_role(state, cluster, wanted["roleArn"])
    existing = find_association(cluster, namespace, account)
    if existing is not None:
        raise ResourceInUse(f"Association already exists: {existing['associationId']}", clusterName=cluster.name)
    identity = "a-" + mock_random.get_random_string(17, lower_case=True)
    association: Facts = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": wanted["roleArn"],
        "associationArn": state.make_arn(f"podidentityassociation/{cluster.name}/{identity}"),
        "associationId": identity,
        "tags": dict(wanted.get("tags", {})),
        "createdAt": now(),
        "modifiedAt": now(),
        "disableSessionTags": False,
    }
    if owner_arn is not None:
        association["ownerArn"] = owner_arn
    _put_options(association, wanted, cluster)
    cluster.associations[identity] = association
    return association


def check_role(state: State, cluster: Cluster, role_arn: str) -> None:
    """The role must exist and trust the service for both actions."""
    if state.iam.role(role_arn) is None:
        raise InvalidParameter("Role provided in the request does not exist.", clusterName=cluster.name)
    if not state.iam.trusts_service(role_arn, SERVICE, TRUST_ACTIONS):
        raise InvalidParameter(
            "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue.",
            clusterName=cluster.name,
        )


def _put_options(association: Facts, wanted: dict[str, Any], cluster: Cluster) -> None:
    """Session tags, target role and session policy; a policy needs session tags off (the model's text)."""
    options: Facts = {key: wanted[key] for key in ("disableSessionTags", "targetRoleArn", "policy") if key in wanted}
    merged: Facts = {**association, **options}
    policy = merged.get("policy")
    if policy and not merged["disableSessionTags"]:
        raise InvalidParameter("disableSessionTags must be true when a policy is specified", clusterName=cluster.name)
    if policy:
        try:
            json.loads(policy)
        except ValueError as error:
            raise InvalidParameter("The policy is not valid JSON", clusterName=cluster.name) from error
    if merged.get("targetRoleArn") and "externalId" not in merged:
        merged["externalId"] = str(mock_random.uuid4())
    association.update(merged)


def _refuse_owned(cluster: Cluster, association: Facts) -> None:
    """An add-on's association is changed through the add-on (presumed text)."""
    if "ownerArn" in association:
        raise InvalidRequest(
            f"Association {association['associationId']} is owned by {association['ownerArn']} "
            "and can only be changed there",
            clusterName=cluster.name,
        )


def _summary(association: Facts) -> Facts:
    members = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")
    return {member: association[member] for member in members if member in association}
