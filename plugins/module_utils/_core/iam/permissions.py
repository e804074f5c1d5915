# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an existing IAM role may do: the documents of its policies, read from IAM, or IAM's own simulation of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..session import Session
from . import policy_document
from .policy_document import Document, Need, Verdict

ALLOWED = "allowed"


@dataclass(frozen=True)
class Permissions:
    """A role with everything that says what it may do. C(boundary) is its permissions boundary, None without one.

    C(boundary_arn) is that one's ARN, empty without one.
    """

    name: str
    arn: str
    trust: Document
    documents: tuple[Document, ...]
    boundary: Document | None
    boundary_arn: str = ""


def read(session: Session, role_name: str) -> Permissions | None:
    """The role's trust policy, attached and inline policies and boundary; None where there is no such role."""
    key = {"RoleName": role_name}
    found = session.together(
        role=lambda: session.find("iam", "GetRole", **key),
        attached=lambda: session.find_pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", **key),
        inline=lambda: session.find_pages("iam", "ListRolePolicies", "PolicyNames", **key),
    )
    if found["role"] is None:
        return None
    role = found["role"]["Role"]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    reads = {item["PolicyArn"]: partial(_managed, session, item["PolicyArn"]) for item in found["attached"]}
    reads |= {f"inline {name}": partial(_inline, session, role_name, name) for name in found["inline"]}
    if boundary:
        reads["boundary"] = partial(_managed, session, boundary)
    documents = session.together(**reads)
    bound = documents.pop("boundary", None)
    return Permissions(
        name=role["RoleName"],
        arn=role["Arn"],
        trust=policy_document.parse(role["AssumeRolePolicyDocument"]),
        documents=tuple(document for document in documents.values() if document is not None),
        boundary=bound,
        boundary_arn=boundary or "",
    )


def judge(permissions: Permissions, needs: Iterable[Need], context: Mapping[str, str] | None = None) -> Verdict:
    """What the role's policies say to these needs; a permissions boundary must allow them too."""
    wanted = tuple(needs)
    verdict = policy_document.judge(permissions.documents, wanted, context)
    if permissions.boundary is None:
        return verdict
    bound = policy_document.judge([permissions.boundary], wanted, context)
    return Verdict(
        missing=tuple(dict.fromkeys((*verdict.missing, *bound.missing))),
        denied=tuple(dict.fromkeys((*verdict.denied, *bound.denied))),
        conditional=tuple(dict.fromkeys((*verdict.conditional, *bound.conditional))),
    )


def simulate(
    session: Session, arn: str, needs: Iterable[Need], context: Mapping[str, str] | None = None
) -> list[tuple[Need, str]]:
    """(need, decision) of what iam:SimulatePrincipalPolicy does not allow.

    The decision is AWS's C(implicitDeny) or C(explicitDeny). C(context) holds condition keys that are known.
    """
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in sorted((context or {}).items())
    ]
    by_resource: dict[str, list[str]] = {}
    for need in needs:
        by_resource.setdefault(need.resource, []).append(need.action)
    refused: list[tuple[Need, str]] = []
    for resource, actions in by_resource.items():
        results: Sequence[Mapping[str, Any]] = session.pages(
            "iam",
            "SimulatePrincipalPolicy",
            "EvaluationResults",
            PolicySourceArn=arn,
            ActionNames=sorted(set(actions)),
            ResourceArns=[resource],
            ContextEntries=entries,
        )
        refused += [
            (Need(result["EvalActionName"], resource), str(result["EvalDecision"]))
            for result in results
            if result["EvalDecision"] != ALLOWED
        ]
    return refused


def _managed(session: Session, arn: str) -> Document | None:
    policy = session.find("iam", "GetPolicy", PolicyArn=arn)
    if policy is None:
        return None
    version = policy["Policy"]["DefaultVersionId"]
    answer = session.find("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return policy_document.parse(answer["PolicyVersion"]["Document"]) if answer else None


def _inline(session: Session, role_name: str, name: str) -> Document | None:
    answer = session.find("iam", "GetRolePolicy", RoleName=role_name, PolicyName=name)
    return policy_document.parse(answer["PolicyDocument"]) if answer else None
