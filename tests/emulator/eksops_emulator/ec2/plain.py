# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's answers as boto3 would show them: plain dicts in the shape of the operation's output."""

from __future__ import annotations

from typing import Any

from moto.core.model import ListShape, OperationModel, StructureShape
from moto.core.responses import ActionResult
from moto.core.serialize import ResponseSerializer, XFormedAttributePicker

from .. import drift


class Plain(ActionResult):
    """An answer that is already plain. A member that the model doesn't know is a fault of the emulator."""


class Carried(Plain):
    """A plain answer of data that AWS published, newer than botocore's model at times, so not held to it."""


class _PlainSerializer(ResponseSerializer):
    def plain(self, result: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.operation_model.output_shape is not None:
            shape: Any = self.operation_model.output_shape
            self._serialize(found, result, shape, "")
        return found

    def get_serialized_name(self, shape: Any, default_name: str) -> str:
        return default_name

    def _serialize_type_list(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        items = []
        for item in value:
            holder: dict[str, Any] = {}
            self._serialize(holder, item, shape.member, "item")
            if holder and holder["item"] != {}:
                items.append(holder["item"])
        serialized[key] = items

    def _serialize_type_blob(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        serialized[key] = value

    def _serialize_type_timestamp(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        serialized[key] = value


# Values that AWS documents in the member's own text, though its enumeration lacks them.
BEYOND_ENUM = {
    ("InternetGateways.Attachments.State", "available"),
    ("InternetGateway.Attachments.State", "available"),
}


def plain(result: Any, operation: OperationModel, transformers: dict[str, Any]) -> dict[str, Any]:
    """`result`, an object or dict of moto's, in the shape of the operation's output."""
    picker = XFormedAttributePicker(response_transformers=transformers)
    return _PlainSerializer(operation, value_picker=picker).plain(result)


def check(value: Any, shape: Any, path: str) -> None:
    """Records as drift every member of a plain answer that the model doesn't have."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for key, member in value.items():
            if key not in shape.members:
                drift.record(f"{path} has no member {key} in botocore's model")
            elif member is not None:
                check(member, shape.members[key], f"{path}.{key}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            check(item, shape.member, path)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        if (path.split(".", 1)[-1], value) in BEYOND_ENUM:
            return
        drift.record(f"{path} is {value!r}, not one of {shape.enum}")
