# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: what moto's lets pass or lacks.

Sources: the IAM API reference (DeletePolicy, CreateRole, SimulatePrincipalPolicy, the OIDC provider operations), and
the EKS user guide on the names and policies of its service-linked roles.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.iam import access_control
from moto.iam import models as iam_models
from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceededException,
    MalformedPolicyDocument,
    NotFoundException,
    ValidationError,
)
from moto.iam.models import IAMBackend, iam_backends
from moto.iam.responses import IamResponse
from werkzeug.exceptions import HTTPException

from . import wire
from .eks.shapes import request_problem
from .managed_policies import ManagedPolicies
from .overlay import require
from .policies import ALLOWED, IMPLICIT_DENY, Decision, Source, Target, evaluate

# Service, name and AWS managed policy of the service-linked roles that EKS and Auto Scaling need.
_LINKED = {
    "eks.amazonaws.com": ("AWSServiceRoleForAmazonEKS", "AmazonEKSServiceRolePolicy"),
    "eks-nodegroup.amazonaws.com": ("AWSServiceRoleForAmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    "eks-fargate.amazonaws.com": ("AWSServiceRoleForAmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy"),
    "autoscaling.amazonaws.com": ("AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy"),
}


_DENIED = {"ec2": "UnauthorizedOperation", "eks": "AccessDeniedException", "ssm": "AccessDeniedException"}
# IAM quotas: client ids and thumbprints of one OIDC provider; the characters of a document, without white space.
_CLIENT_IDS, _THUMBPRINTS = 100, 5
_TRUST_SIZE, _POLICY_SIZE = 2048, 6144


class StrictIAMBackend(IAMBackend):
    """moto's IAM, strict."""

    managed_policies: ManagedPolicies

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(
            url_bases=[r"https?://iam\.(.*\.)?amazonaws\.com"], url_paths={"{0}/$": StrictIamResponse.dispatch}
        )

    @property
    def aws_managed_policies(self) -> list[Any]:
        return self.managed_policies.of_aws()

    @aws_managed_policies.setter
    def aws_managed_policies(self, _unused: list[Any]) -> None:
        """moto's constructor sets it; AWS's policies are made when they are asked for."""

    def _init_aws_policies(self) -> list[Any]:
        return []

    def _init_managed_policies(self) -> ManagedPolicies:
        return ManagedPolicies(self.partition, self.region_name, self.account_id)

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        role = self.get_role(role_name)
        if policy_arn not in self.managed_policies:
            raise NotFoundException(f"Policy {policy_arn} does not exist or is not attachable.")
        if policy_arn not in role.managed_policies:
            self.managed_policies[policy_arn].attach_to(role)

    def detach_role_policy(self, policy_arn: str, role_name: str) -> None:
        role = self.get_role(role_name)
        if policy_arn not in role.managed_policies:
            raise NotFoundException(f"Policy {policy_arn} was not found.")
        role.managed_policies[policy_arn].detach_from(role)

    def get_policy(self, policy_arn: str) -> Any:
        if policy_arn not in self.managed_policies:
            raise NotFoundException(f"Policy {policy_arn} was not found.")
        return self.managed_policies[policy_arn]

    def create_policy(self, description: str, path: str, policy_document: str, policy_name: str, tags: Any) -> Any:
        if any(policy.name.lower() == policy_name.lower() for policy in self.managed_policies.customers()):
            raise EntityAlreadyExists(f"A policy called {policy_name} already exists. Duplicate names are not allowed.")
        _check_size(policy_document, _POLICY_SIZE, "PolicySize")
        return super().create_policy(description, path, policy_document, policy_name, tags)

    def create_policy_version(self, policy_arn: str, policy_document: str, set_as_default: bool) -> Any:
        _check_size(policy_document, _POLICY_SIZE, "PolicySize")
        return super().create_policy_version(policy_arn, policy_document, set_as_default)

    def get_role(self, role_name: str) -> Any:
        found = next((role for role in self.get_roles() if role.name == role_name), None)
        if found is None:
            raise NotFoundException(f"The role with name {role_name} cannot be found.")
        return found

    def get_instance_profile(self, profile_name: str) -> Any:
        found = next((profile for profile in self.get_instance_profiles() if profile.name == profile_name), None)
        if found is None:
            raise NotFoundException(f"Instance Profile {profile_name} cannot be found.")
        return found

    def remove_role_from_instance_profile(self, profile_name: str, role_name: str) -> None:
        profile, role = self.get_instance_profile(profile_name), self.get_role(role_name)
        if role not in profile.roles:
            raise NotFoundException(f"The role {role_name} is not in the instance profile {profile_name}.")
        profile.roles.remove(role)

    def put_role_permissions_boundary(self, role_name: str, permissions_boundary: str) -> None:
        self._check_boundary(permissions_boundary)
        super().put_role_permissions_boundary(role_name, permissions_boundary)

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        role = self.get_role(role_name)
        _check_trust(policy_document)
        role.assume_role_policy_document = policy_document

    def _check_boundary(self, arn: str | None) -> None:
        if arn and arn not in self.managed_policies:
            raise NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")

    def delete_policy(self, policy_arn: str) -> None:
        policy = self.get_policy(policy_arn)
        if policy.attachment_count:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException("This policy has more than one version. Delete them first.")
        super().delete_policy(policy_arn)

    def create_role(
        self,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if any(role.name.lower() == role_name.lower() for role in self.get_roles()):
            raise EntityAlreadyExists(f"Role with name {role_name} already exists.")
        _check_trust(assume_role_policy_document)
        self._check_boundary(permissions_boundary)
        return super().create_role(role_name, assume_role_policy_document, path, permissions_boundary, *args, **kwargs)

    def create_service_linked_role(self, service_name: str, description: str, suffix: str) -> Any:
        if service_name not in _LINKED:
            return super().create_service_linked_role(service_name, description, suffix)
        name, policy = _LINKED[service_name]
        if any(role.name == name for role in self.get_roles()):
            raise InvalidInput(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            )
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service_name}, "Action": "sts:AssumeRole"}],
        }
        path = f"/aws-service-role/{service_name}/"
        role = self.create_role(
            name, json.dumps(trust), path, None, description or "", [], "3600", linked_service=service_name
        )
        self.attach_role_policy(f"arn:{self.partition}:iam::aws:policy/aws-service-role/{policy}", name)
        return role

    def create_open_id_connect_provider(
        self, url: str, thumbprint_list: list[str], client_id_list: list[str], tags: list[dict[str, str]]
    ) -> Any:
        if not url.startswith("https://"):
            raise ValidationError("Invalid Open ID Connect Provider URL")
        if f"arn:{self.partition}:iam::{self.account_id}:oidc-provider/{url.removeprefix('https://')}" in (
            self.open_id_providers
        ):
            raise EntityAlreadyExists(f"Provider with url {url} already exists.")
        return super().create_open_id_connect_provider(url, thumbprint_list, client_id_list, tags)

    def update_open_id_connect_provider_thumbprint(self, arn: str, thumbprint_list: list[str]) -> None:
        if len(thumbprint_list) > _THUMBPRINTS:
            raise InvalidInput("Thumbprint list must contain fewer than 5 entries.")
        super().update_open_id_connect_provider_thumbprint(arn, thumbprint_list)

    def sources_of(self, principal_arn: str) -> tuple[list[Source], str | None]:
        """The policies of a role or user and, when it has one, the document of its permissions boundary."""
        for kind, holders in (("role", self.get_roles()), ("user", self.users.values())):
            for holder in holders:
                if holder.arn == principal_arn:
                    boundary = getattr(holder, "permissions_boundary_arn", None)
                    return _sources(kind, holder), _default(self.get_policy(boundary)) if boundary else None
        raise NotFoundException(f"The entity {principal_arn} cannot be found.")


def _default(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _sources(kind: str, holder: Any) -> list[Source]:
    inline = [Source(document, name, kind) for name, document in holder.policies.items()]
    managed = [
        Source(_default(policy), policy.name, "aws-managed" if ":iam::aws:" in policy.arn else "user-managed")
        for policy in holder.managed_policies.values()
    ]
    return inline + managed


def _check_size(document: str, most: int, quota: str) -> None:
    """IAM counts no white space (IAM user guide, IAM and STS quotas)."""
    if len("".join(document.split())) > most:
        raise LimitExceededException(f"Cannot exceed quota for {quota}: {most}")


def _check_trust(document: str) -> None:
    """A trust policy has statements with an effect, a principal and an action, and no resource."""
    _check_size(document, _TRUST_SIZE, "ACLSizePerRole")
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise MalformedPolicyDocument("This policy contains invalid Json") from None
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicyDocument(f"Invalid effect: {statement.get('Effect')}")
        if "Principal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")
        if "Action" not in statement and "NotAction" not in statement:
            raise MalformedPolicyDocument("Missing required field Action")
        if "Resource" in statement:
            raise MalformedPolicyDocument("Has prohibited field Resource")


class StrictIamResponse(IamResponse):
    """moto's IAM with what it lacks."""

    backend: Any

    def call_action(self) -> Any:
        """What the model of IAM bounds (lengths, patterns, counts, numbers) is refused first."""
        model = get_service_model("iam")
        if self._get_action() in model.operation_names:
            problem = request_problem(model.operation_model(self._get_action()).input_shape, self._get_params())
            if problem is not None:
                return self.serialized(ActionResult(ValidationError(problem)))
        return super().call_action()

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
        client_id = self._get_param("ClientID")
        if client_id not in provider.client_id_list:
            if len(provider.client_id_list) >= _CLIENT_IDS:
                raise LimitExceededException("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
            provider.client_id_list.append(client_id)
        return EmptyResult()

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
        client_id = self._get_param("ClientID")
        provider.client_id_list = [item for item in provider.client_id_list if item != client_id]
        return EmptyResult()

    def simulate_principal_policy(self) -> ActionResult:
        sources, boundary = self.backend.sources_of(self._get_param("PolicySourceArn"))
        extra = self._get_param("PolicyInputList", []) or []
        sources += [Source(document, f"PolicyInputList.{n}", "IAM Policy") for n, document in enumerate(extra, 1)]
        given = self._get_param("PermissionsBoundaryPolicyInputList", []) or ([boundary] if boundary else [])
        return self._simulated(sources, given)

    def simulate_custom_policy(self) -> ActionResult:
        documents = self._get_param("PolicyInputList", [])
        sources = [Source(document, f"PolicyInputList.{n}", "IAM Policy") for n, document in enumerate(documents, 1)]
        return self._simulated(sources, self._get_param("PermissionsBoundaryPolicyInputList", []) or [])

    def _simulated(self, sources: list[Source], boundaries: list[str]) -> ActionResult:
        context = {
            entry["ContextKeyName"]: [str(value) for value in entry.get("ContextKeyValues", [])]
            for entry in self._get_param("ContextEntries", []) or []
        }
        bounds = [Source(document, "boundary", "IAM Policy") for document in boundaries]
        results = []
        for action in self._get_param("ActionNames"):
            for resource in self._get_param("ResourceArns", []) or ["*"]:
                decision = evaluate(sources, action, resource, context)
                allowed = not bounds or evaluate(bounds, action, resource, context).decision == ALLOWED
                results.append(_result(action, resource, decision, allowed if bounds else None))
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _result(action: str, resource: str, decision: Decision, in_bounds: bool | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": IMPLICIT_DENY if in_bounds is False and decision.decision == ALLOWED else decision.decision,
        "MatchedStatements": [
            {"SourcePolicyId": source.id, "SourcePolicyType": "IAM Policy"} for source in decision.matched
        ],
        "MissingContextValues": sorted(decision.missing),
    }
    if in_bounds is not None:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": in_bounds}
    return result


def _check_action_permitted(self: Any, found: str | list[Target]) -> None:
    """In place of moto's, which takes a specific Resource or a Condition for a refusal.

    `found` is what the call is about where the service says so; every part of it must be allowed. Else it is moto's
    ARN, or * for a resource that isn't known, with condition keys of which only those of every call are known.
    """
    if self._action == "sts:GetCallerIdentity":
        return
    sources = [Source(_document(policy), "policy", "IAM Policy") for policy in self._access_key.collect_policies()]
    judged = [sources, *([boundary] for boundary in _boundaries(self))]
    always = _context_of_every_call(self)
    if isinstance(found, str):
        needs = [(self._action, None if found == "*" else found, always, False)]
    else:
        needs = [(part.action or self._action, part.resource, {**always, **part.context}, True) for part in found]
    for action, resource, context, complete in needs:
        if any(evaluate(part, action, resource, context, complete).decision != ALLOWED for part in judged):
            raise AccessDenied(self._service, self._access_key.arn, action, resource)


def _holder(request: Any) -> Any:
    """The role or user that an access key belongs to."""
    key = request._access_key
    role = getattr(key, "_owner_role_name", None)
    return key.backend.get_role(role) if role else key.backend.users[key._owner_user_name]


def _boundaries(request: Any) -> list[Source]:
    arn = getattr(_holder(request), "permissions_boundary_arn", None)
    return [Source(_default(request.backend.get_policy(arn)), "boundary", "IAM Policy")] if arn else []


def _context_of_every_call(request: Any) -> dict[str, list[str]]:
    """Global condition keys (IAM user guide): who calls, and in which region."""
    context = {
        "aws:PrincipalAccount": [str(request.account_id)],
        "aws:PrincipalArn": [str(_holder(request).arn)],
        "aws:RequestedRegion": [str(request._region)],
    }
    return {**context, "ec2:Region": [str(request._region)]} if request._service == "ec2" else context


class AccessDenied(HTTPException):
    """A refusal in the service's own protocol and with its own code."""

    code = 403

    def __init__(self, service: str, who: str, action: str, resource: str | None) -> None:
        super().__init__()
        name = _DENIED.get(service, "AccessDenied")
        about = f" on resource: {resource}" if resource not in (None, "*") else ""
        message = f"User: {who} is not authorized to perform: {action}{about}"
        self.description = wire.error(service, 403, name, message)[2].decode()


def _account_of(access_key: str) -> str:
    """In place of moto's, which makes an IAM of every partition to look for the key."""
    for account_id, partitions in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(partitions.values())):
            return str(account_id)
    return DEFAULT_ACCOUNT_ID


def _check_nothing(_unused: Any) -> None:
    """moto miscalculates the signature of EKS's GETs; nobody's secret key is worth a check here."""


def _document(policy: Any) -> str:
    if isinstance(policy, str):
        return policy
    return str(policy["policy_document"]) if isinstance(policy, dict) else _default(policy)


def install() -> None:
    """Puts the strict IAM in place of moto's."""
    require(IAMBackend, "delete_policy", "create_role", "create_service_linked_role", "_init_aws_policies")
    require(IAMBackend, "create_open_id_connect_provider", "update_open_id_connect_provider_thumbprint")
    require(IAMBackend, "attach_role_policy", "detach_role_policy", "get_roles")
    require(IAMBackend, "_init_managed_policies", "get_policy", "create_policy", "get_role", "get_instance_profile")
    require(IAMBackend, "put_role_permissions_boundary", "update_assume_role_policy")
    require(IAMBackend, "remove_role_from_instance_profile", "create_policy_version")
    require(iam_models, "get_account_id_from")
    require(access_control.IAMRequestBase, "check_signature", "check_action_permitted")
    iam_models.get_account_id_from = _account_of
    access_control.IAMRequestBase.check_signature = _check_nothing  # type: ignore[assignment,method-assign]
    access_control.IAMRequestBase.check_action_permitted = _check_action_permitted  # type: ignore[assignment,method-assign]
    iam_backends.clear()
    iam_backends.backend = StrictIAMBackend
