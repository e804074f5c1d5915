# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of EKS, from HTTP to HTTP, checked against botocore's model on the way in and on the way out."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import parse_qs, urlparse

from botocore import xform_name
from botocore.model import OperationModel
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model
from moto.eks.models import eks_backends
from moto.iam.access_control import IAMRequest
from moto.sts.models import sts_backends
from werkzeug.exceptions import HTTPException

from eksops_emulator import drift

from .errors import BadShape, EksError
from .shapes import read_request, request_problem, response_problems, to_json
from .state import Facts, Request

Answer = tuple[int, dict[str, Any], str]
# What a request that breaks its shape is answered with: the first of these that the operation documents.
_BAD_REQUESTS = ("InvalidParameterException", "InvalidRequestException", "BadRequestException", "ClientException")

_NO_SHAPE = "ValidationException"  # where it documents none of them; the model doesn't know this one

# Errors that the API answers although its model does not list them (moto's texts were taken from the API).
_SEEN_THOUGH_UNDOCUMENTED = {
    ("CreateNodegroup", "ResourceNotFoundException"),
    ("CreateFargateProfile", "ResourceNotFoundException"),
    ("CreateFargateProfile", "ResourceInUseException"),
    ("DeleteFargateProfile", "ResourceInUseException"),
}

# The roles that a caller hands to EKS, and so needs iam:PassRole for.
_ROLE_MEMBERS = ("roleArn", "nodeRole", "podExecutionRoleArn", "serviceAccountRoleArn")


class EksResponse(BaseResponse):
    """Dispatches to the backend's method of the operation; one that is not there is answered with 501."""

    def __init__(self) -> None:
        super().__init__(service_name="eks")

    def call_action(self) -> Any:
        action = self._get_action()
        if not action:
            return self._answer(404, {"message": "No EKS operation has this path"}, "UnknownOperationException")
        try:
            self._authenticate_and_authorize_normal_action()
        except HTTPException as refusal:
            code = "AccessDeniedException" if refusal.code == 403 else "UnrecognizedClientException"
            return self._answer(403, {"message": _message(refusal)}, code)
        model: OperationModel = get_service_model("eks").operation_model(action)
        backend: Any = eks_backends[self.current_account][self.region]
        method = getattr(backend, xform_name(action), None)
        if method is None:
            return self._answer(501, {"message": f"The emulator does not emulate eks:{action}"}, "NotImplemented")
        return self._run(model, backend, method)

    def _run(self, model: OperationModel, backend: Any, method: Any) -> Answer:
        request = Request()
        try:
            query = parse_qs(urlparse(self.uri).query, keep_blank_values=True)
            request.update(read_request(model, self.uri_match, query, self.body))
            problem = request_problem(model.input_shape, request)
            if problem is not None:
                raise BadShape(problem)
            self._authorize_roles(request)
            request.principal, request.operation = self._principal(), model.name
            answer = self._once(model.name, backend, method, request)
        except HTTPException as refusal:
            return self._answer(403, {"message": _message(refusal)}, "AccessDeniedException")
        except BadShape as error:
            return self._error(model, EksError(str(error)), request, _bad_request(model))
        except EksError as error:
            return self._error(model, error, request, error.code)
        problems = response_problems(model.output_shape, answer)
        if problems:
            return self._drifted(model, problems)
        return self._answer(200, answer)

    def _once(self, operation: str, backend: Any, method: Any, request: Request) -> Facts:
        """A repeated clientRequestToken gets the first answer; other parameters with it are refused (presumed)."""
        token = request.get("clientRequestToken")
        if not token:
            return copy.deepcopy(method(request))
        known = backend.replays.get((operation, token))
        if known is not None:
            if known[0] != dict(request):
                raise BadShape(f"The clientRequestToken {token} was used with other parameters before")
            return copy.deepcopy(known[1])
        sent = copy.deepcopy(dict(request))
        answer = copy.deepcopy(method(request))
        backend.replays[(operation, token)] = (sent, answer)
        return copy.deepcopy(answer)

    def _authorize_roles(self, request: Request) -> None:
        """With IAM enforced, a caller may hand over only roles that it may pass (EKS User Guide, identity policies)."""
        if ActionAuthenticatorMixin.request_count < settings.INITIAL_NO_AUTH_ACTION_COUNT:
            return
        roles = [str(request[member]) for member in _ROLE_MEMBERS if member in request]
        roles += [str(item["roleArn"]) for item in request.get("podIdentityAssociations", [])]
        for role in roles:
            caller = IAMRequest(
                account_id=self.current_account,
                method=self.method,
                path=self.raw_path,
                data=self.data,
                body=self.raw_body,
                headers=self.headers,
                action="PassRole",
            )
            caller._action = "iam:PassRole"
            caller.check_action_permitted(role)

    def _principal(self) -> str:
        """The IAM principal that calls: an assumed role is named by its role."""
        sts = sts_backends[self.current_account][self.partition]
        role = sts.get_assumed_role_from_access_key(self.get_access_key())
        if role is not None:
            return str(role.role_arn)
        _unused, arn, _unused = sts.get_caller_identity(self.get_access_key(), self.region)
        return str(arn).replace(":sts:", ":iam:")

    def _error(self, model: OperationModel, error: EksError, request: Request, code: str) -> Answer:
        """The error with the members of its shape: those that the backend gave, and what else the request names."""
        if code == _NO_SHAPE:
            return self._answer(400, {"message": error.message}, code)
        documented = {shape.name for shape in model.error_shapes}
        if code not in documented and (model.name, code) not in _SEEN_THOUGH_UNDOCUMENTED:
            return self._drifted(model, [f"{code} is no documented error ({error.message})"])
        shape: Any = model.service_model.shape_for(code)
        named = {**request, "clusterName": request.get("clusterName", request.get("name"))}
        told = {name: named[name] for name in shape.members if isinstance(named.get(name), str)}
        members = {**told, **error.members, "message": error.message}
        problems = response_problems(shape, members)
        if problems:
            return self._drifted(model, problems)
        return self._answer(shape.metadata["error"]["httpStatusCode"], members, code)

    def _drifted(self, model: OperationModel, problems: list[str]) -> Answer:
        text = f"emulator drift: eks:{model.name}: {'; '.join(problems)}"
        drift.record(text)
        return self._answer(500, {"message": text}, "ServerException")

    def _answer(self, status: int, body: Facts, code: str | None = None) -> Answer:
        headers = {**self.response_headers, "content-type": "application/json"}
        if code is not None:
            headers["x-amzn-errortype"] = code
        return status, headers, to_json(body)


def _bad_request(model: OperationModel) -> str:
    documented = {shape.name for shape in model.error_shapes}
    return next((code for code in _BAD_REQUESTS if code in documented), _NO_SHAPE)


def _message(refusal: HTTPException) -> str:
    description = str(refusal.description or "")
    try:
        return str(json.loads(description)["message"])
    except (ValueError, KeyError, TypeError):
        text = getattr(refusal, "message", None)
        return str(text or description)
