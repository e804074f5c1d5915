# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import bad_request

Matcher = Callable[[Mapping[str, Any]], bool]

_KEY = r"[A-Za-z0-9][-A-Za-z0-9_./]*"
_SET = re.compile(rf"^({_KEY})\s+(in|notin)\s*\(([^()]*)\)$")
_COMPARED = re.compile(rf"^({_KEY})\s*(==|=|!=|>|<)\s*([-A-Za-z0-9_.]*)$")
_EXISTS = re.compile(rf"^(!?)\s*({_KEY})$")

# Beside metadata.name and metadata.namespace, as Kubernetes registers them per kind.
FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "ReplicaSet": ("status.replicas",),
}


def labels(text: str) -> Matcher:
    """A matcher of objects for a label selector such as `app=x,tier in (a, b),!beta`; 400 when it can't be read."""
    tests = [_requirement(part) for part in _split(text)]
    return lambda item: all(test(item.get("metadata", {}).get("labels") or {}) for test in tests)


def label_selector(selector: Mapping[str, Any] | None) -> Matcher:
    """A matcher of objects for a LabelSelector object; None matches nothing, an empty one everything."""
    if selector is None:
        return lambda _unused: False
    tests = [_equals(key, value) for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or []:
        key, values = expression["key"], set(expression.get("values") or [])
        tests.append(_operators(key, values)[expression["operator"]])
    return lambda item: all(test(item.get("metadata", {}).get("labels") or {}) for test in tests)


def fields(text: str, kind: str) -> Matcher:
    """A matcher of objects for a field selector such as `metadata.name=x,status.phase!=Running`."""
    tests: list[Matcher] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.match(r"^([^=!]+?)\s*(==|=|!=)\s*(.*)$", part)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path, operator, value = found.groups()
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(kind, ())):
            raise bad_request(f"field label not supported: {path}")
        tests.append(_field(path, value, operator == "!="))
    return lambda item: all(test(item) for test in tests)


def _field(path: str, value: str, negated: bool) -> Matcher:
    def test(item: Mapping[str, Any]) -> bool:
        found: Any = item
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if path == "source":
            found = (item.get("source") or {}).get("component")
        text = "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)
        if found is None and path in ("spec.unschedulable", "spec.hostNetwork"):
            text = "false"
        return (text == value) != negated

    return test


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _equals(key: str, value: str) -> Matcher:
    return lambda held: held.get(key) == value


def _operators(key: str, values: set[str]) -> dict[str, Matcher]:
    return {
        "In": lambda held: held.get(key) in values,
        "NotIn": lambda held: held.get(key) not in values,
        "Exists": lambda held: key in held,
        "DoesNotExist": lambda held: key not in held,
    }


def _requirement(part: str) -> Matcher:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {item.strip() for item in listed.split(",")}
        return _operators(key, values)["In" if operator == "in" else "NotIn"]
    if found := _COMPARED.match(part):
        return _comparison(*found.groups())
    if found := _EXISTS.match(part):
        return _operators(found[2], set())["DoesNotExist" if found[1] else "Exists"]
    raise bad_request(f"unable to parse requirement: invalid selector: found '{part}'")


def _comparison(key: str, operator: str, value: str) -> Matcher:
    if operator in ("=", "=="):
        return _equals(key, value)
    if operator == "!=":
        return lambda held: held.get(key) != value
    if not value.isdigit():
        raise bad_request(
            f"values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    greater, bound = operator == ">", int(value)

    def test(held: Mapping[str, Any]) -> bool:
        text = str(held.get(key, ""))
        return text.lstrip("-").isdigit() and ((int(text) > bound) if greater else (int(text) < bound))

    return test
