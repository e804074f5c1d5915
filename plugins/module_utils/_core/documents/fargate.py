# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Fargate profile, made only where its pod execution role can do what starting a pod takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..eks import fargate_profile
from ..eks.fargate_profile import FargateProfile, PodRole
from ..eks.shared import ClusterView
from ..iam.policy_document import Need, Trust
from ..plan import Outcome
from ..session import Session
from .judged_roles import Roles

SERVICE = "eks-fargate-pods.amazonaws.com"
# What pulling takes of AmazonEKSFargatePodExecutionRolePolicy. Source: Amazon ECR User Guide, private image pull.
NEEDS = (Need("ecr:GetAuthorizationToken"), Need("ecr:GetDownloadUrlForLayer"), Need("ecr:BatchGetImage"))


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_fargate_profile)."""
    return fargate_profile.build(params, session, read_role)


def read_role(session: Session, view: ClusterView, desired: FargateProfile) -> PodRole:
    """What the pod execution role lacks. EKS assumes it for this profile, as the user guide binds such roles to."""
    arn = desired.role_arn or ""
    if arn.count(":") != 5:  # none was given, or it is pending
        return PodRole()
    _arn, partition, _iam, _region, account, _name = arn.split(":")
    profile = f"arn:{partition}:eks:{session.region}:{account}:fargateprofile/{view.name}/{desired.name}/0"
    context = {"aws:SourceArn": profile, "aws:SourceAccount": account}
    trust = Trust("Service", SERVICE, ("sts:AssumeRole",), context=context)
    judged = Roles(session, view.vpc_id, (arn,)).judge(arn, extra=NEEDS, trust=trust)
    if not judged.there:
        return PodRole(unjudged=(f"IAM knows no role {arn} yet, so it was not judged.",))
    return PodRole(judged.lacking, judged.untrusting, judged.unjudged)
