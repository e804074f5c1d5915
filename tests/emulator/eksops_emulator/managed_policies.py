# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account's managed policies. AWS's own are made when asked for: all 1582 take 0.2 s a partition."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy
from moto.moto_api._internal import mock_random


@cache
def _catalogue() -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and name of each policy of AWS's, to its name and data."""
    data = json.loads(aws_managed_policies_data)
    return {f"{item['Path']}{name}": (name, item) for name, item in data.items()}


@cache
def _pristine(region: str, path: str) -> Any:
    name, data = _catalogue()[path]
    # What is made by the way must not shift the ids that a seed promises.
    before = mock_random.getstate()
    try:
        return AWSManagedPolicy.from_data(name, "aws", region, data)
    finally:
        mock_random.setstate(before)


class ManagedPolicies(dict[str, Any]):
    """Policies by ARN: the customer's, and AWS's as far as they were asked for. Iterating makes them all."""

    def __init__(self, partition: str, region: str, account_id: str) -> None:
        super().__init__()
        self._prefix = f"arn:{partition}:iam::aws:policy"
        self._region = region
        self._account_id = account_id

    def __missing__(self, arn: str) -> Any:
        path = str(arn).removeprefix(self._prefix)
        if path == arn or path not in _catalogue():
            raise KeyError(arn)
        policy = copy.copy(_pristine(self._region, path))
        policy.account_id, policy.versions, policy.tags = self._account_id, list(policy.versions), {}
        self[arn] = policy
        return policy

    def __contains__(self, arn: object) -> bool:
        return super().__contains__(arn) or (
            isinstance(arn, str) and arn.startswith(self._prefix) and arn.removeprefix(self._prefix) in _catalogue()
        )

    def customers(self) -> list[Any]:
        """The policies that aren't AWS's."""
        return [policy for arn, policy in super().items() if not arn.startswith(self._prefix)]

    def of_aws(self) -> list[Any]:
        """AWS's policies, all of them."""
        return [self[self._prefix + path] for path in _catalogue()]

    def __iter__(self) -> Iterator[str]:
        self.of_aws()
        return super().__iter__()

    def values(self) -> Any:
        self.of_aws()
        return super().values()

    def items(self) -> Any:
        self.of_aws()
        return super().items()
