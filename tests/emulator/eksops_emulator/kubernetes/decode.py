# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a request's JSON the way the API server does: unknown fields dropped, wrong types refused, empties left out."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .errors import bad_request
from .kinds import Kind
from .schema import ANY, Type

_GO_TYPES = {"string": "string", "integer": "int", "boolean": "bool", "number": "float64", "time": "string"}
_GO_VALUES: dict[type, str] = {
    bool: "bool",
    str: "string",
    list: "array",
    dict: "object",
    int: "number",
    float: "number",
}

# Fields that Go holds by value and omits when they are false or 0; others of these types are pointers and stay.
_OMITTED_WHEN_ZERO = {
    "PodSpec": ("hostNetwork", "hostPID", "hostIPC"),
    "Container": ("stdin", "stdinOnce", "tty"),
    "VolumeMount": ("readOnly",),
    "HostPathVolumeSource": (),
    "PersistentVolumeClaimVolumeSource": ("readOnly",),
    "ContainerPort": ("hostPort",),
    "Probe": ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"),
    "ServicePort": ("nodePort",),
    "ServiceSpec": ("publishNotReadyAddresses", "healthCheckNodePort"),
    "NodeSpec": ("unschedulable",),
    "DaemonSetSpec": ("minReadySeconds",),
    "DeploymentSpec": ("minReadySeconds", "paused"),
    "ReplicaSetSpec": ("minReadySeconds",),
    "StatefulSetSpec": ("minReadySeconds",),
    "PriorityClass": ("globalDefault",),
    "ObjectMeta": ("generation",),
    "DaemonSetStatus": ("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"),
    "DeploymentStatus": (
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
    ),
    "ReplicaSetStatus": ("observedGeneration", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"),
    "Event": ("count",),
}
# Strings and lists that Go holds by pointer, so that an empty one stays.
_KEPT_WHEN_EMPTY = {
    ("PersistentVolumeClaimSpec", "storageClassName"),
    ("HostPathVolumeSource", "type"),
    ("IngressClassSpec", "parameters"),
}
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i|)$")
_SCALES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


@dataclass
class Decoded:
    """A decoded object, and the paths of the fields that the kind doesn't have."""

    value: dict[str, Any]
    unknown: list[str] = field(default_factory=list)


class _Mismatch(Exception):
    """A value of the wrong type."""


def decode(kind: Kind, body: Any) -> Decoded:
    """The object in a request's body; a 400 when it can't be one of `kind`."""
    if not isinstance(body, dict):
        raise bad_request(
            f"couldn't get version/kind; json parse error: the body is no object but {type(body).__name__}"
        )
    result = Decoded({})
    try:
        result.value = _struct(kind.type, body, "", result.unknown, custom=kind.custom)
    except _Mismatch as mismatch:
        text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {mismatch}'
        raise bad_request(text) from None
    return result


def _value(kind: Type, value: Any, path: str, unknown: list[str], custom: bool) -> Any:
    wanted = {"struct": dict, "map": dict, "list": list}.get(kind.kind)
    # A custom resource's values are checked by its own schema, with its other rules.
    if kind.kind == "any" or (custom and (wanted is None or not isinstance(value, wanted))):
        return value
    if kind.kind == "struct":
        return _struct(kind, _expect(value, dict, path, kind), path, unknown, custom)
    if kind.kind == "map":
        items = _expect(value, dict, path, kind).items()
        return {key: _value(kind.child(key) or ANY, item, f"{path}.{key}", unknown, custom) for key, item in items}
    if kind.kind == "list":
        items = enumerate(_expect(value, list, path, kind))
        return [_value(kind.item, item, f"{path}[{index}]", unknown, custom) for index, item in items]
    return _scalar(kind, value, path)


def _struct(kind: Type, value: dict[str, Any], path: str, unknown: list[str], custom: bool) -> dict[str, Any]:
    taken = {}
    for key, item in value.items():
        inner = f"{path}.{key}".lstrip(".")
        child = kind.child(key)
        if child is None:
            unknown.append(inner)
        elif item is None and not custom:
            continue
        else:
            kept = _value(child, item, inner, unknown, custom) if item is not None else None
            # The metadata of a custom resource is decoded as every object's is.
            if (custom and path != "metadata" and inner != "metadata") or not _omitted(kind, key, child, kept):
                taken[key] = kept
    return taken


def _omitted(owner: Type, key: str, kind: Type, value: Any) -> bool:
    """True for an empty value that Go's `omitempty` would leave out."""
    if value not in ("", 0, False, [], {}) or key in owner.required:
        return False
    if kind.kind in ("boolean", "integer"):
        return key in _OMITTED_WHEN_ZERO.get(owner.name, ())
    if kind.kind in ("string", "list", "map", "bytes"):
        return (owner.name, key) not in _KEPT_WHEN_EMPTY
    return False


def _expect(value: Any, wanted: type, path: str, kind: Type) -> Any:
    if not isinstance(value, wanted):
        name = {"list": "slice", "map": "map"}.get(kind.kind, kind.name or "object")
        raise _Mismatch(f"json: cannot unmarshal {_go(value)} into Go struct field {path} of type {name}")
    return value


def _go(value: Any) -> str:
    return _GO_VALUES.get(type(value), "null")


def _scalar(kind: Type, value: Any, path: str) -> Any:
    name = kind.kind
    if name == "quantity":
        return quantity(value, path)
    if name == "intorstring":
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise _Mismatch(
                f"json: cannot unmarshal {_go(value)} into Go struct field {path} of type intstr.IntOrString"
            )
        return value
    wanted: tuple[type, ...] = {"integer": (int,), "boolean": (bool,), "number": (int, float)}.get(name, (str,))
    text: Any = value
    if not isinstance(value, wanted) or (isinstance(value, bool) and name != "boolean"):
        go = _GO_TYPES.get(name, "string")
        raise _Mismatch(f"json: cannot unmarshal {_go(value)} into Go struct field {path} of type {go}")
    if name == "bytes":
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error:
            raise _Mismatch(f"illegal base64 data in field {path}") from None
    if name == "time":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise _Mismatch(f'parsing time "{value}" in field {path} as "2006-01-02T15:04:05Z07:00"') from None
    return value


def quantity(value: Any, path: str = "") -> str:
    """A resource quantity in Kubernetes' canonical form: "0.5" is "500m", "1000m" is "1", "1024Mi" is "1Gi"."""
    found = (
        _QUANTITY.match(str(value)) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    )
    if found is None:
        raise _Mismatch(
            f"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' in {path}"
        )
    number, suffix = Decimal(found[1]), found[2]
    if suffix.endswith("i"):
        return _binary(number, suffix)
    exponent = int(suffix[1:]) if suffix[:1] in ("e", "E") and suffix[1:] else _SCALES[suffix]
    total = number.scaleb(exponent)
    for name, scale in sorted(_SCALES.items(), key=lambda pair: -pair[1]):
        scaled = total.scaleb(-scale)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{name}" if scaled else "0"
    return f"{int(total.scaleb(9).to_integral_value())}n"


def _binary(number: Decimal, suffix: str) -> str:
    units = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    total = number * (Decimal(1024) ** units.index(suffix))
    power = 0
    while total and power < len(units) - 1 and total % 1024 == 0:
        total, power = total / 1024, power + 1
    return f"{int(total)}{units[power]}"
