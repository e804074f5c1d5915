# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance types and where they are offered, from the data that moto carries."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

from . import errors
from .family import Responses
from .plain import Carried


class TypeBackend:
    """Instance types of the region."""

    def offered(self: Any) -> set[str]:
        """The types that the region offers; all types where moto has no offerings for it."""
        offerings: list[dict[str, Any]] = INSTANCE_TYPE_OFFERINGS["region"].get(self.region_name, [])
        return {item["InstanceType"] for item in offerings} or set(INSTANCE_TYPES)


class TypeResponses(Responses):
    def describe_instance_types(self) -> Carried:
        wanted = self.params.get("InstanceTypes", [])
        if len(wanted) > 100:
            raise errors.invalid("The maximum number of instance types is 100")
        if wanted and self._max_results is not None:  # type: ignore[attr-defined]
            raise errors.combination("The parameter instanceTypes cannot be used with the parameter maxResults")
        offered = self.backend.offered()
        unknown = [item for item in wanted if item not in offered or item not in INSTANCE_TYPES]
        if unknown:
            raise errors.refuse(
                "InvalidInstanceType", f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
            )
        names = wanted or sorted(name for name in INSTANCE_TYPES if name in offered)
        return Carried({"InstanceTypes": [INSTANCE_TYPES[name] for name in names]})

    def describe_instance_type_offerings(self) -> Carried:
        kind = self.params.get("LocationType") or "region"
        offerings = INSTANCE_TYPE_OFFERINGS[kind].get(self.backend.region_name, [])
        return Carried({"InstanceTypeOfferings": [{**item, "LocationType": kind} for item in offerings]})
