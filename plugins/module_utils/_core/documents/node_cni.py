# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May the CNI of a cluster do on new nodes what it calls? Its role's policies are read and judged, as for the add-on.

IAM's own simulation is asked where the caller may not read the policies; where it may do neither, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import cni
from ..eks import configuration
from ..eks.node_checks import AGENT_NAME, CNI_NAME, Cni
from ..eks.shared import ClusterView
from ..iam import permissions, role
from ..iam.permissions import Permissions
from ..iam.policy_document import Need
from ..plan import is_pending
from ..session import AwsError, Session
from ..versions import AddonVersion

# Source: EKS User Guide, Amazon EKS node IAM role: AmazonEKSWorkerNodePolicy and a policy to pull images from ECR.
NODE_NEEDS = (
    Need("ec2:DescribeInstances"),
    Need("ecr:GetAuthorizationToken"),
    Need("ecr:BatchGetImage"),
    Need("ecr:GetDownloadUrlForLayer"),
)
AGENT_NEED = Need("eks-auth:AssumeRoleForPodIdentity")


Held = Permissions | AwsError | None  # a role's policies, the refusal to show them, or no such role


@dataclass(frozen=True)
class Judgement:
    """What a role lacks of what is called; C(unjudged) says what of that is not known, and why."""

    there: bool = True
    lacking: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()


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
    roles = _Roles(session, view.vpc_id, (bearer, node_role))
    calls, notes = _calls(addon)
    for_cni = roles.judge(bearer, calls)
    for_nodes = roles.judge(node_role, extra=_node_needs(identity))
    if not addon and not for_cni.lacking:
        notes = roles.newer(bearer)
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
        agent_missing=identity == "pod_identity" and found["agent"] is None,
        node_role=node_role,
        node_lacking=for_nodes.lacking,
        unjudged=tuple(dict.fromkeys((*for_cni.unjudged, *for_nodes.unjudged, *notes))),
    )


class _Roles:
    """Roles with their policies, each read once, and judged as what calls in one VPC."""

    def __init__(self, session: Session, vpc_id: str, arns: Iterable[str]) -> None:
        self._session = session
        self._vpc_id = vpc_id
        known = {arn for arn in arns if arn and not is_pending(arn)}
        self._held: dict[str, Held] = session.together(**{arn: partial(self._read, arn) for arn in sorted(known)})

    def judge(self, arn: str, calls: Iterable[cni.Call] = (), extra: Iterable[Need] = ()) -> Judgement:
        """What a role's policies, or else IAM's simulation, do not allow; a role yet to be made lacks nothing."""
        if arn not in self._held:
            return Judgement()
        held, scope = self._held[arn], self._scope(arn)
        needs = [*cni.needs(calls, scope.partition, scope.region, scope.account), *extra]
        if isinstance(held, AwsError):
            return self._simulate(arn, needs, scope, held)
        if held is None:
            return Judgement(there=False)
        verdict = permissions.judge(held, needs, scope.context)
        refused = _actions((*verdict.missing, *verdict.denied))
        conditional = [action for action in _actions(verdict.conditional) if action not in refused]
        text = f"the role {arn} allows {', '.join(conditional)} under conditions that only AWS can judge."
        return Judgement(lacking=refused, unjudged=(text,) if conditional else ())

    def newer(self, arn: str) -> tuple[str, ...]:
        """What a role lacks of the calls that not every version of the CNI makes, as a note."""
        lacking = self.judge(arn, cni.required_actions(None)).lacking
        return (f"the role {arn} does not allow {', '.join(lacking)}, which newer CNIs call.",) if lacking else ()

    def _read(self, arn: str) -> Held:
        try:
            held = permissions.read(self._session, role.name_in(arn) or arn)
        except AwsError as error:
            if not error.denied:
                raise
            return error
        return held if held is not None and held.arn == arn else None

    def _simulate(self, arn: str, needs: Sequence[Need], scope: cni.Scope, cause: AwsError) -> Judgement:
        try:
            refused = permissions.simulate(self._session, arn, needs, scope.context)
        except AwsError as error:
            if error.not_found:
                return Judgement(there=False)
            if not error.denied:
                raise
            text = (
                f"whether the role {arn} allows {', '.join(_actions(needs))} was not judged: the caller has neither"
                f" {cause.service}:{cause.operation}, to read its policies, nor {error.service}:{error.operation}."
            )
            return Judgement(unjudged=(text,))
        return Judgement(lacking=_actions([need for need, _decision in refused]))

    def _scope(self, arn: str) -> cni.Scope:
        _arn, partition, _iam, _region, account, *_rest = arn.split(":")
        return cni.Scope(partition, self._session.region, account, self._vpc_id)


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


def _actions(needs: Sequence[Need]) -> tuple[str, ...]:
    return tuple(sorted({need.action for need in needs}))


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
