# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom resources: a CustomResourceDefinition as the kinds it defines, and its own status."""

from __future__ import annotations

from typing import Any

from .errors import Cause, invalid_value, required
from .kinds import Kind
from .schema import from_crd


def kinds_of(definition: dict[str, Any]) -> list[Kind]:
    """One kind per version that the definition serves."""
    spec, names = definition["spec"], definition["spec"]["names"]
    return [
        Kind(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames", ())),
            singular=names.get("singular", ""),
            subresources=tuple(name for name in ("status",) if name in (version.get("subresources") or {})),
            generations=True,
            custom=True,
            categories=tuple(names.get("categories", ())),
            type=from_crd((version.get("schema") or {}).get("openAPIV3Schema")),
        )
        for version in spec["versions"]
        if version["served"]
    ]


def established(definition: dict[str, Any], now: str) -> dict[str, Any]:
    """The status of a definition whose names were accepted."""
    names = definition["spec"]["names"]
    stored = [version["name"] for version in definition["spec"]["versions"] if version["storage"]]
    condition = {"status": "True", "lastTransitionTime": now}
    return {
        "acceptedNames": dict(names),
        "conditions": [
            {"type": "NamesAccepted", "reason": "NoConflicts", "message": "no conflicts found", **condition},
            {
                "type": "Established",
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
                **condition,
            },
        ],
        "storedVersions": stored,
    }


def check_definition(definition: dict[str, Any]) -> list[Cause]:
    """What the server refuses in a definition, beyond missing fields."""
    spec = definition.get("spec", {})
    names, versions = spec.get("names", {}), spec.get("versions") or []
    causes: list[Cause] = []
    expected = f"{names.get('plural')}.{spec.get('group')}"
    name = definition["metadata"].get("name")
    if name != expected:
        causes.append(invalid_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    if versions and sum(bool(version.get("storage")) for version in versions) != 1:
        why = "must have exactly one version marked as storage version"
        causes.append(invalid_value("spec.versions", [version.get("name") for version in versions], why))
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            causes.append(required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required"))
    return causes
