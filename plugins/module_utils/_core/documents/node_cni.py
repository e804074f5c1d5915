# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May the CNI of a cluster do on new nodes what it calls? The role that it will have there is judged beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import cni
from ..eks import configuration
from ..eks.node_checks import AGENT_NAME, CNI_NAME, Cni
from ..eks.shared import ClusterView
from ..iam import oidc_provider
from ..iam.policy_document import Need, Trust
from ..session import Session
from ..versions import AddonVersion
from . import cni_role
from .judged_roles import Roles

# Source: EKS User Guide, Amazon EKS node IAM role: AmazonEKSWorkerNodePolicy and a policy to pull images from ECR.
NODE_NEEDS = (
    Need("ec2:DescribeInstances"),
    Need("ecr:GetAuthorizationToken"),
    Need("ecr:BatchGetImage"),
    Need("ecr:GetDownloadUrlForLayer"),
)
AGENT_NEED = Need("eks-auth:AssumeRoleForPodIdentity")
# IPv6 clusters are not in China, whose EC2 alone has a name of its own.
NODE_TRUST = Trust("Service", "ec2.amazonaws.com", ("sts:AssumeRole",))


def read(session: Session, view: ClusterView, node_role_arn: str | None) -> Cni:
    """The add-on, the role that aws-node will have on nodes of C(node_role_arn), and what that role lacks.

    An annotated service account uses its role before one of Pod Identity; without either it has the node's.
    """
    key = {"clusterName": view.name}
    found = session.together(
        addon=lambda: session.find("eks", "DescribeAddon", **key, addonName=CNI_NAME),
        agent=lambda: session.find("eks", "DescribeAddon", **key, addonName=AGENT_NAME),
        associated=lambda: _associated(session, view.name),
    )
    addon: Mapping[str, Any] = (found["addon"] or {}).get("addon", {})
    annotated, associated = addon.get("serviceAccountRoleArn"), found["associated"]
    identity = "irsa" if annotated else "pod_identity" if associated else "node_role"
    node_role = node_role_arn or ""
    bearer = str(annotated or associated or node_role)
    roles = Roles(session, view.vpc_id, (bearer, node_role))
    calls, notes = _calls(addon)
    for_cni = roles.judge(bearer, calls, trust=_trust(session, view, identity))
    for_nodes = roles.judge(node_role, extra=_node_needs(identity), trust=NODE_TRUST)
    if not addon and not for_cni.lacking:
        notes = _newer(roles, bearer)
    if not for_nodes.there:
        notes = (*notes, f"IAM knows no role {node_role} yet, so it was not judged.")
    return Cni(
        installed=bool(addon),
        status=addon.get("status", ""),
        version=addon.get("addonVersion", ""),
        identity=identity,
        role=bearer,
        role_missing=identity != "node_role" and not for_cni.there,
        lacking=for_cni.lacking,
        untrusting=for_cni.untrusting,
        agent_missing=identity == "pod_identity" and found["agent"] is None,
        node_role=node_role,
        node_lacking=for_nodes.lacking,
        node_untrusting=for_nodes.untrusting,
        unjudged=tuple(dict.fromkeys((*for_cni.unjudged, *for_nodes.unjudged, *notes))),
    )


def _newer(roles: Roles, arn: str) -> tuple[str, ...]:
    """What a role lacks of the calls that not every version of the CNI makes, as a note."""
    lacking = roles.judge(arn, cni.required_actions(None)).lacking
    return (f"the role {arn} does not allow {', '.join(lacking)}, which newer CNIs call.",) if lacking else ()


def _trust(session: Session, view: ClusterView, identity: str) -> Trust | None:
    """Whom the role that aws-node has of its own must trust."""
    if identity == "pod_identity":
        return cni_role.pod_identity_trust(view.name, session)
    if identity == "irsa" and view.issuer:
        return cni_role.web_identity_trust(oidc_provider.host_and_path(view.issuer), session)
    return None


def _node_needs(identity: str) -> tuple[Need, ...]:
    return (*NODE_NEEDS, AGENT_NEED) if identity == "pod_identity" else NODE_NEEDS


def _calls(addon: Mapping[str, Any]) -> tuple[tuple[cni.Call, ...], tuple[str, ...]]:
    """What the add-on's version calls with its configuration, and a note on what is not known of it.

    Of a CNI that is no add-on AWS knows no version: only what every one of them calls is held against the role.
    """
    if not addon:
        return cni.required_actions(AddonVersion.parse(cni.FLOOR), ()), ()
    version = AddonVersion.parse(addon["addonVersion"])
    try:
        given = configuration.read(addon.get("configurationValues")).get("env")
    except configuration.Unreadable as error:
        note = f"the configuration values of {CNI_NAME} could not be read ({error}); its defaults were taken."
        return cni.required_actions(version), (note,)
    return cni.required_actions(version, cni.features_of(given if isinstance(given, Mapping) else {})), ()


def _associated(session: Session, cluster: str) -> str:
    """The role that Pod Identity gives the CNI's service account; empty without one."""
    key = {"clusterName": cluster, "namespace": "kube-system", "serviceAccount": "aws-node"}
    listed = session.find("eks", "ListPodIdentityAssociations", **key)
    for item in (listed or {}).get("associations", ()):
        answer = session.find(
            "eks", "DescribePodIdentityAssociation", clusterName=cluster, associationId=item["associationId"]
        )
        if answer:
            return str(answer["association"]["roleArn"])
    return ""
