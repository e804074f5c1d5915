# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server says about itself: version, groups, resources, and as much OpenAPI as kubectl looks at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .kinds import ALL_VERBS, Kind
from .registry import Registry

# Subresources that are no view of the object itself: what they take, and their verbs.
_SUBRESOURCES: dict[str, tuple[str | None, str | None, str | None, tuple[str, ...]]] = {
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "finalize": (None, None, None, ("update",)),
    "log": (None, None, "Pod", ("get",)),
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "status": (None, None, None, ("get", "patch", "update")),
}


def version(text: str) -> dict[str, str]:
    """/version of a cluster of Kubernetes `text`, such as 1.33."""
    major, minor = text.split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{major}.{minor}.1-eks-0000000",
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2025-01-01T00:00:00Z",
        "goVersion": "go1.24",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> dict[str, Any]:
    """/api"""
    server = {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server]}


def groups(registry: Registry) -> dict[str, Any]:
    """/apis"""
    names = dict.fromkeys(kind.group for kind in registry.kinds() if kind.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(registry, name) for name in names]}


def group(registry: Registry, name: str) -> dict[str, Any] | None:
    """/apis/GROUP; None when there is no such group."""
    if not any(kind.group == name for kind in registry.kinds()):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(registry, name)}


def _group(registry: Registry, name: str) -> dict[str, Any]:
    versions = dict.fromkeys(kind.version for kind in registry.kinds() if kind.group == name)
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(registry: Registry, group_name: str, version_name: str) -> dict[str, Any] | None:
    """/api/v1 or /apis/GROUP/VERSION; None when there is no such group version."""
    kinds = [kind for kind in registry.kinds() if (kind.group, kind.version) == (group_name, version_name)]
    if not kinds:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> Iterable[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular or kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(ALL_VERBS),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for name in kind.subresources:
        group_name, version_name, other, verbs = _SUBRESOURCES[name]
        sub: dict[str, Any] = {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": other or kind.kind,
            "verbs": list(verbs),
        }
        yield sub | ({"group": group_name, "version": version_name} if group_name else {})


def openapi_index(registry: Registry) -> dict[str, Any]:
    """/openapi/v3"""
    paths = {_prefix(kind): {"serverRelativeURL": f"/openapi/v3/{_prefix(kind)}"} for kind in registry.kinds()}
    return {"paths": paths}


def openapi(registry: Registry, prefix: str) -> dict[str, Any] | None:
    """/openapi/v3/PREFIX: the paths with their query parameters, without schemas (kubectl looks for dryRun and
    fieldValidation there). None when there is no such group version."""
    kinds = [kind for kind in registry.kinds() if _prefix(kind) == prefix]
    if not kinds:
        return None
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    paths = {}
    for kind in kinds:
        gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        scope = "namespaces/{namespace}/" if kind.namespaced else ""
        operation = {"x-kubernetes-group-version-kind": gvk, "parameters": parameters, "responses": {}}
        paths[f"/{prefix}/{scope}{kind.plural}/{{name}}"] = {"patch": operation}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": kinds[0].version}, "paths": paths}


def _prefix(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"
