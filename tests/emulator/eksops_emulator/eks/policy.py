# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM as EKS meets it: does a role exist, whom does it trust, and which actions do its policies allow.

The policies are the real ones that clients put into the emulator's IAM. A Condition counts as met in an Allow and as
not met in a Deny (presumed: the nodes and pods of the cluster meet such conditions), except in a trust of a web
identity, where the token's subject and audience are known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends

from eksops_emulator import overlay
from eksops_emulator.policies import ALLOWED, Source, evaluate


class Iam:
    """The IAM of one account and partition."""

    def __init__(self, account_id: str, partition: str) -> None:
        self._iam: Any = iam_backends[account_id][partition]

    def role(self, arn: str) -> Any | None:
        """moto's role of this ARN, or None. The whole ARN counts, path included."""
        return next((role for role in self._iam.get_roles() if role.arn == arn), None)

    def principal_exists(self, arn: str) -> bool:
        """Whether an IAM role or user of this ARN lives in the account."""
        users = (user.arn for user in self._iam.users.values())
        return self.role(arn) is not None or arn in users

    def trusts_service(self, role_arn: str, service: str, actions: Iterable[str] = ("sts:AssumeRole",)) -> bool:
        """Whether the role exists and its trust policy lets the AWS service do all of `actions`."""
        if overlay.current_faults.refuses_to_assume(role_arn.split("/")[-1]):
            return False
        return all(self._trusts(role_arn, "Service", service, action, None) for action in actions)

    def trusts_web_identity(self, role_arn: str, issuer: str, subject: str) -> bool:
        """Whether an OIDC provider of this issuer exists and the role trusts it for this Kubernetes subject.

        `issuer` is without https://, `subject` is system:serviceaccount:NAMESPACE:NAME.
        """
        providers = [arn for arn in self._iam.open_id_providers if arn.endswith(f":oidc-provider/{issuer}")]
        token = {f"{issuer}:sub": [subject], f"{issuer}:aud": ["sts.amazonaws.com"]}
        return any(
            self._trusts(role_arn, "Federated", provider, "sts:AssumeRoleWithWebIdentity", token)
            for provider in providers
        )

    def missing_actions(
        self, role_arn: str, needs: Iterable[tuple[str, str]], context: Mapping[str, list[str]] | None = None
    ) -> list[str]:
        """Of (action, resource ARN) pairs, the actions that the role's policies do not allow, in the given order.

        A permissions boundary has to allow them too. `context` holds condition keys; without it conditions are met.
        """
        role = self.role(role_arn)
        sources = [] if role is None else [Source(document, "", "") for document in _documents(role)]
        boundary = None if role is None else role.permissions_boundary_arn
        bounds = [Source(_default(self._iam.get_policy(boundary)), "", "")] if boundary else []
        return [
            action
            for action, resource in needs
            if evaluate(sources, action, resource, context).decision != ALLOWED
            or (bounds and evaluate(bounds, action, resource, context).decision != ALLOWED)
        ]

    def create_instance_profile(self, name: str, role_arn: str) -> str:
        """An instance profile holding the role; its ARN."""
        role = self.role(role_arn)
        assert role is not None
        return str(self._iam.create_instance_profile(name, "/", [role.name]).arn)

    def delete_instance_profile(self, name: str) -> None:
        if name in self._iam.instance_profiles:
            self._iam.delete_instance_profile(name, ignore_attached_roles=True)

    def _trusts(
        self, role_arn: str, kind: str, principal: str, action: str, context: Mapping[str, list[str]] | None
    ) -> bool:
        role = self.role(role_arn)
        if role is None:
            return False
        concerned = [
            {**statement, "Resource": "*"}
            for statement in _listed(json.loads(role.assume_role_policy_document).get("Statement", []))
            if principal in _principals(statement, kind)
        ]
        source = Source(json.dumps({"Statement": concerned}), role.name, "")
        return evaluate([source], action, "*", context).decision == ALLOWED


def _documents(role: Any) -> Iterator[str]:
    yield from role.policies.values()
    for policy in role.managed_policies.values():
        yield _default(policy)


def _default(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _principals(statement: Mapping[str, Any], kind: str) -> list[str]:
    principal = statement.get("Principal", {})
    return _listed(principal.get(kind, [])) if isinstance(principal, dict) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
