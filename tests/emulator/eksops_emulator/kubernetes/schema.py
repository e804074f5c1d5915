# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of Kubernetes' API: fields, and how lists and maps merge.

The table for built-in kinds is schema.json, written by tools/kube_schema.py from Kubernetes' OpenAPI. Types of custom
resources come from their CustomResourceDefinition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

SCALARS = ("string", "bytes", "integer", "number", "boolean", "time", "quantity", "intorstring", "any")
# Kubernetes' OpenAPI gives `protocol`, a key of port lists, this default.
KEY_DEFAULTS = {"protocol": "TCP"}


@dataclass(frozen=True, eq=False)
class Type:
    """One node of a schema.

    `kind` is a scalar of SCALARS, or struct, map, list. `list_type` is atomic, set or map (the last with `keys`).
    `merge_key` and `merges` are what a strategic merge patch goes by. `atomic` marks maps and structs that one
    manager owns whole. `open` structs keep fields that they don't declare. `rules` are a CRD's validation rules.
    """

    kind: str
    name: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    element: Any = None
    list_type: str = "atomic"
    keys: tuple[str, ...] = ()
    merge_key: str | None = None
    merges: bool = False
    retain_keys: bool = False
    atomic: bool = False
    open: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)

    def child(self, name: str) -> Type | None:
        """The type of a struct's field or a map's value; None for a field that the struct doesn't declare."""
        if self.kind == "map":
            return resolve(self.element)
        if self.kind == "struct":
            node = self.fields.get(name)
            return resolve(node) if node is not None else (ANY if self.open else None)
        return ANY

    @property
    def item(self) -> Type:
        """The type of a list's items."""
        return resolve(self.element) if self.kind == "list" else ANY

    @property
    def leaf(self) -> bool:
        """True when ownership and merging stop here."""
        if self.kind == "list":
            return self.list_type == "atomic"
        return self.atomic or self.kind not in ("struct", "map")


ANY = Type("any")
_SCALARS = {name: Type(name) for name in SCALARS} | {"any": ANY}


@cache
def _table() -> dict[str, Any]:
    types: dict[str, Any] = json.loads((files(__package__) / "schema.json").read_text())["types"]
    return types


def type_names() -> frozenset[str]:
    """The names of all built-in types."""
    return frozenset(_table())


@cache
def named(name: str) -> Type:
    """A built-in type by its name in the table, such as PodSpec."""
    node = _table()[name]
    return Type(
        "struct",
        name,
        fields=node["fields"],
        required=tuple(node.get("required", ())),
        atomic=bool(node.get("atomic")),
    )


def resolve(node: Any) -> Type:
    """A node of the table as a Type; Types pass."""
    if isinstance(node, Type):
        return node
    if isinstance(node, str):
        return named(node[1:]) if node.startswith("@") else _SCALARS[node]
    return _container(json.dumps(node, sort_keys=True))


@cache
def _container(text: str) -> Type:
    node = json.loads(text)
    if "map" in node:
        return Type("map", element=node["map"], atomic=node.get("map-type") == "atomic")
    strategy = node.get("patch-strategy", "").split(",")
    return Type(
        "list",
        element=node["list"],
        list_type=node.get("list-type") or ("map" if node.get("patch-merge-key") else "atomic"),
        keys=tuple(node.get("list-map-keys") or filter(None, [node.get("patch-merge-key")])),
        merge_key=node.get("patch-merge-key"),
        merges="merge" in strategy,
        retain_keys="retainKeys" in strategy,
    )


def from_crd(schema: Mapping[str, Any] | None) -> Type:
    """The type of a custom resource, from openAPIV3Schema; apiVersion, kind and metadata are always there."""
    top = _structural(schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    own = {"apiVersion": "string", "kind": "string", "metadata": "@ObjectMeta"}
    return Type("struct", "", fields={**top.fields, **own}, required=top.required, open=top.open, rules=top.rules)


_RULES = (
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "default",
    "format",
)
_JSON_SCALARS = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def _structural(schema: Mapping[str, Any]) -> Type:
    rules = {key: schema[key] for key in _RULES if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        return Type("intorstring", rules=rules)
    kind = schema.get("type")
    if kind == "array":
        return Type(
            "list",
            element=_structural(schema.get("items") or {}),
            list_type=schema.get("x-kubernetes-list-type", "atomic"),
            keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
            rules=rules,
        )
    if kind != "object":
        return Type(_JSON_SCALARS.get(kind or "", "any"), rules=rules)
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    extra = schema.get("additionalProperties")
    if extra and "properties" not in schema:
        return Type("map", element=_structural(extra if isinstance(extra, Mapping) else {}), atomic=atomic, rules=rules)
    return Type(
        "struct",
        fields={key: _structural(value) for key, value in schema.get("properties", {}).items()},
        required=tuple(schema.get("required", ())),
        atomic=atomic,
        open=bool(schema.get("x-kubernetes-preserve-unknown-fields") or extra is True),
        rules=rules,
    )
