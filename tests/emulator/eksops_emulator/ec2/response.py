# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's front: DryRun, filters, paging and eventual consistency, the same for every operation."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.ec2.exceptions import DryRunClientError, FilterNotImplementedError
from moto.ec2.responses import EC2Response
from werkzeug.exceptions import HTTPException

from .. import overlay
from . import errors, listing
from .addresses import AddressResponses
from .authorization import Authorization
from .gateways import GatewayResponses
from .images import ImageResponses
from .instances import InstanceResponses
from .interfaces import InterfaceResponses
from .ipam import IpamResponses
from .launch_templates import LaunchTemplateResponses
from .listings import LISTINGS
from .nat_gateways import NatGatewayResponses
from .network_acls import NetworkAclResponses
from .plain import Carried, Plain, check, plain
from .routes import RouteResponses
from .security_groups import SecurityGroupResponses
from .subnets import SubnetResponses
from .tags import TagResponses
from .types import TypeResponses
from .vpcs import VpcResponses


class StrictEC2Response(
    VpcResponses,
    SubnetResponses,
    RouteResponses,
    GatewayResponses,
    NatGatewayResponses,
    AddressResponses,
    SecurityGroupResponses,
    NetworkAclResponses,
    InterfaceResponses,
    InstanceResponses,
    LaunchTemplateResponses,
    IpamResponses,
    TagResponses,
    TypeResponses,
    ImageResponses,
    EC2Response,
):
    """moto's EC2 with the emulator's operations in front of moto's."""

    _filters: list[dict[str, Any]]
    _max_results: int | None
    _next_token: str | None

    def parse_parameters(self, request: Any) -> None:
        super().parse_parameters(request)
        self.params = dict(self.params)
        self._filters, self._max_results, self._next_token = [], None, None
        if self._operation().name in LISTINGS:
            self._filters = self.params.pop("Filters", None) or self.params.pop("Filter", None) or []
            self._max_results = self.params.pop("MaxResults", None)
            self._next_token = self.params.pop("NextToken", None)

    def _operation(self) -> Any:
        return get_service_model("ec2").operation_model(self._get_action())

    def call_action(self) -> Any:
        if self.params.pop("DryRun", False):
            return self._dry_run()
        try:
            self._check_request()
            return super().call_action()
        except errors.EC2ClientError as refusal:
            return self.serialized(ActionResult(refusal))
        except FilterNotImplementedError as unknown:
            return self.serialized(ActionResult(self._unknown_filter(unknown)))

    def _determine_resource(self) -> Any:
        """moto asks for the resource that IAM judges; the answer goes to the emulator's own judgement."""
        targets = Authorization(self.backend, self._operation().name, self.params, self.partition).targets()
        return "*" if targets is None else targets

    def _check_request(self) -> None:
        """What the model itself says: required parameters, and the filters that the operation has."""
        operation = self._operation()
        for name in operation.input_shape.required_members if operation.input_shape else []:
            if name not in self.params:
                raise errors.missing(name[0].lower() + name[1:])
        if operation.name not in LISTINGS:
            given = self.params.get("Filters") or self.params.get("Filter") or []
            listing.check_filters(operation, None, given)

    def _unknown_filter(self, unknown: FilterNotImplementedError) -> Exception:
        """moto crashes on a filter it lacks. EC2 says that it is invalid; when EC2 has it, the emulator hasn't."""
        known = listing.documented(self._operation())
        names = [item.get("Name") for item in self.params.get("Filters", [])]
        wrong = [name for name in names if name not in known and not str(name).startswith("tag:")]
        if not wrong:
            raise NotImplementedError(str(unknown)) from unknown
        return errors.invalid(f"The filter '{wrong[0]}' is invalid")

    def _dry_run(self) -> Any:
        """EC2 checks permissions, then says DryRunOperation and does nothing; so does every operation here."""
        try:
            self._authenticate_and_authorize_normal_action(self._determine_resource())
        except HTTPException as denied:
            status, headers, body = self._transform_response(
                self.response_headers, (denied.description, {"status": denied.code})
            )
            return status, headers, body
        status, headers, body = self.serialized(ActionResult(DryRunClientError()))
        return 412, headers, body

    def serialized(self, action_result: ActionResult) -> Any:
        result = action_result.result
        if isinstance(result, Exception):
            return super().serialized(action_result)
        operation = self._operation()
        if isinstance(action_result, Plain) and not isinstance(action_result, Carried) and operation.output_shape:
            check(result, operation.output_shape, operation.name)
        if operation.name in LISTINGS:
            try:
                action_result = self._listed(operation, action_result)
            except errors.EC2ClientError as refusal:
                action_result = ActionResult(refusal)
        return super().serialized(action_result)

    def _listed(self, operation: Any, action_result: ActionResult) -> ActionResult:
        how = LISTINGS[operation.name]
        listing.check_filters(operation, how, self._filters)
        size = listing.page_size(operation, self._max_results, how)
        answer: Any = action_result.result
        if not isinstance(action_result, Plain):
            answer = plain(answer, operation, self.RESPONSE_KEY_PATH_TO_TRANSFORMER)
        items = list(answer.get(how.key, []))
        items = listing.apply_filters(how, items, self._filters) if self._filters else items
        if how.id is not None:
            unseen = overlay.current_faults.unseen({item.get(how.id, "") for item in items})
            items = [item for item in items if item.get(how.id) not in unseen]
        items, token = listing.page(operation, items, size, self._next_token)
        answer = {**answer, how.key: items}
        if token is not None:
            answer["NextToken"] = token
        return ActionResult(answer)
