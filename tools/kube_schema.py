# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the field table that the emulated Kubernetes API decodes, merges and validates with.

Kubernetes publishes its types as OpenAPI; the package kubernetes-validate carries them per version, with the
`x-kubernetes-*` marks. This keeps what a server needs (field names, types, required fields, how lists and maps merge)
for the kinds that the emulator serves and everything they reach, one type a line.

    python tools/kube_schema.py [VERSION]     writes tests/emulator/eksops_emulator/kubernetes/schema.json
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

VERSION = "1.34"
TARGET = Path(__file__).parents[1] / "tests/emulator/eksops_emulator/kubernetes/schema.json"
API, APIMACHINERY = "io.k8s.api.", "io.k8s.apimachinery.pkg."
ROOTS = [
    *(f"{API}core.v1.{kind}" for kind in "ConfigMap Endpoints Event Namespace Node Pod Secret Service".split()),
    f"{API}core.v1.ServiceAccount",
    *(f"{API}apps.v1.{kind}" for kind in "DaemonSet Deployment ReplicaSet StatefulSet".split()),
    *(f"{API}networking.v1.{kind}" for kind in "Ingress IngressClass NetworkPolicy".split()),
    *(f"{API}rbac.v1.{kind}" for kind in "ClusterRole ClusterRoleBinding Role RoleBinding".split()),
    *(f"{API}storage.v1.{kind}" for kind in "CSIDriver StorageClass".split()),
    *(f"{API}admissionregistration.v1.{kind}WebhookConfiguration" for kind in ("Mutating", "Validating")),
    f"{API}discovery.v1.EndpointSlice",
    f"{API}policy.v1.PodDisruptionBudget",
    f"{API}policy.v1.Eviction",
    f"{API}scheduling.v1.PriorityClass",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    f"{APIMACHINERY}apis.meta.v1.DeleteOptions",
]
SCALARS = {
    "Time": "time",
    "MicroTime": "time",
    "Quantity": "quantity",
    "IntOrString": "intorstring",
    "RawExtension": "any",
}
SCALARS |= {"FieldsV1": "any", "JSON": "any", "JSONSchemaProps": "any", "JSONSchemaPropsOrBool": "any"}
SCALARS |= {"JSONSchemaPropsOrArray": "any"}


def short(reference: str) -> str:
    """The name of a type in the table: the last part of OpenAPI's, with the group where two groups share it."""
    package, name = reference.rsplit(".", 1)
    group = package.split(".")[-2]
    return f"{group}.{name}" if group in ("apiextensions", "discovery") else name


def simple(node: dict[str, Any]) -> str | None:
    """The scalar that a node stands for, if it does."""
    kind = node.get("type")
    kind = next((part for part in kind if part != "null"), None) if isinstance(kind, list) else kind
    if kind == "string" and node.get("format") == "byte":
        return "bytes"
    return kind if kind in ("string", "integer", "number", "boolean") else None


def describe(node: dict[str, Any], reached: list[str]) -> str | dict[str, Any]:
    """A node as the table has it: a scalar's name, a type's name, or {"list": ...} / {"map": ...} with its marks."""
    if reference := node.get("$ref"):
        target = reference.removeprefix("#/$defs/")
        if (name := target.rsplit(".", 1)[1]) in SCALARS:
            return SCALARS[name]
        reached.append(target)
        return "@" + short(target)
    if scalar := simple(node):
        return scalar
    marks = {key.removeprefix("x-kubernetes-"): value for key, value in node.items() if key.startswith("x-kubernetes-")}
    if "items" in node:
        return {"list": describe(node["items"], reached)} | marks
    if "additionalProperties" in node:
        return {"map": describe(node["additionalProperties"], reached)} | marks
    return "any"


def table(definitions: dict[str, Any]) -> dict[str, Any]:
    """Every type that the roots reach, by short name."""
    pending = list(ROOTS)
    types: dict[str, Any] = {}
    origin: dict[str, str] = {}
    while pending:
        reference = pending.pop()
        name = short(reference)
        if origin.setdefault(name, reference) != reference:
            raise SystemExit(f"two types are called {name}: {origin[name]} and {reference}")
        if name in types:
            continue
        node = definitions[reference]
        reached: list[str] = []
        entry: dict[str, Any] = {
            "fields": {key: describe(value, reached) for key, value in node.get("properties", {}).items()}
        }
        if node.get("required"):
            entry["required"] = sorted(node["required"])
        if node.get("x-kubernetes-map-type") == "atomic":
            entry["atomic"] = True
        types[name] = entry
        pending.extend(reached)
    return types


def main() -> None:
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local"
    types = table(json.loads((folder / "_definitions.json").read_text())["$defs"])
    lines = [f"{json.dumps(name)}: {json.dumps(types[name], sort_keys=True)}" for name in sorted(types)]
    TARGET.write_text(f'{{"version": "{version}", "types": {{\n' + ",\n".join(lines) + "\n}}\n")
    print(f"{TARGET.name}: {len(types)} types of Kubernetes {version}")


if __name__ == "__main__":
    main()
