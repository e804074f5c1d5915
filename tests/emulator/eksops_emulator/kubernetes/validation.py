# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server refuses to store: missing fields, malformed names, wrong choices, changes of the immutable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .errors import Cause, invalid_value, required, unsupported
from .kinds import Kind
from .schema import ANY, Type
from .selectors import label_selector

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SERVICE_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_BAD_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_BAD_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_BAD_SERVICE_NAME = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_SERVICE_NAME}')"
)
_BAD_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_BAD_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_QUALIFIED})?')"
)
# RBAC names are any path segment; names of these kinds are stricter than the common subdomain.
_NAME_RULES = {"Service": (_SERVICE_NAME, 63, _BAD_SERVICE_NAME), "Namespace": (_LABEL, 63, _BAD_LABEL)}
_FREE_NAMES = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
_CHOICES = {
    ("Container", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("ContainerPort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("DaemonSetUpdateStrategy", "type"): ("OnDelete", "RollingUpdate"),
    ("DeploymentStrategy", "type"): ("Recreate", "RollingUpdate"),
    ("NetworkPolicyPort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("PodSpec", "dnsPolicy"): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("PodSpec", "restartPolicy"): ("Always", "Never", "OnFailure"),
    ("ServicePort", "protocol"): ("SCTP", "TCP", "UDP"),
    ("ServiceSpec", "sessionAffinity"): ("ClientIP", "None"),
    ("ServiceSpec", "type"): ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    ("Taint", "effect"): ("NoExecute", "NoSchedule", "PreferNoSchedule"),
    ("StorageClass", "volumeBindingMode"): ("Immediate", "WaitForFirstConsumer"),
}
# What the schema doesn't require but the server does.
_ALSO_REQUIRED = {
    "Container": ("image",),
    "PodSpec": ("containers",),
    "PodTemplateSpec": ("spec",),
    "DaemonSet": ("spec",),
    "Deployment": ("spec",),
    "ReplicaSet": ("spec",),
    "Pod": ("spec",),
    "IngressRuleValue": (),
}
_WORKLOADS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
# A CSIDriver's spec lists as optional what Kubernetes lets nobody change; the others per API reference.
_IMMUTABLE = {
    "DaemonSet": ("spec.selector",),
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "CSIDriver": ("spec.attachRequired", "spec.volumeLifecycleModes"),
    "Secret": ("type",),
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
}


def check(kind: Kind, item: dict[str, Any]) -> list[Cause]:
    """All that is wrong with an object by itself."""
    causes = [*_metadata(kind, item["metadata"])]
    if kind.kind in _WORKLOADS and not kind.custom:
        causes += _workload(item)
    for name in item:
        if name not in ("metadata", "status", "apiVersion", "kind"):
            causes += _walk(kind.type.child(name) or ANY, item[name], name)
    causes += [
        required(name) for name in _required(kind.type) if name not in item and name not in ("metadata", "status")
    ]
    if kind.kind in ("ConfigMap", "Secret"):
        causes += _data_keys(item)
    return list(dict.fromkeys(causes))


def check_change(kind: Kind, old: dict[str, Any], new: dict[str, Any]) -> list[Cause]:
    """What an update may not change."""
    if kind.custom:
        return []
    causes = []
    for path in _IMMUTABLE.get(kind.kind, ()):
        before, after = _at(old, path), _at(new, path)
        if before != after:
            causes.append(invalid_value(path, after, "field is immutable"))
    if kind.kind in ("ConfigMap", "Secret") and old.get("immutable"):
        changed = any(old.get(name) != new.get(name) for name in ("data", "binaryData", "immutable"))
        if changed:
            causes.append(Cause("data", "Forbidden: field is immutable when `immutable` is set", "FieldValueForbidden"))
    if kind.kind == "Pod":
        causes += _pod_change(old, new)
    return causes


def _at(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _pod_change(old: dict[str, Any], new: dict[str, Any]) -> list[Cause]:
    def fixed(item: dict[str, Any]) -> dict[str, Any]:
        spec = {
            key: value for key, value in item["spec"].items() if key not in ("tolerations", "activeDeadlineSeconds")
        }
        for group in ("containers", "initContainers"):
            if group in spec:
                spec[group] = [{key: value for key, value in held.items() if key != "image"} for held in spec[group]]
        return spec

    if fixed(old) == fixed(new):
        return []
    why = (
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`, "
        "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations`"
    )
    return [Cause("spec", why, "FieldValueForbidden")]


def _metadata(kind: Kind, metadata: dict[str, Any]) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind.kind not in _FREE_NAMES:
        pattern, length, why = _NAME_RULES.get("" if kind.custom else kind.kind, (_SUBDOMAIN, 253, _BAD_SUBDOMAIN))
        if not re.fullmatch(pattern, name):
            yield invalid_value("metadata.name", name, why)
        elif len(name) > length:
            yield invalid_value("metadata.name", name, f"must be no more than {length} characters")
    yield from _labels(metadata.get("labels") or {}, "metadata.labels")
    for key in metadata.get("annotations") or {}:
        yield from _qualified(key.lower(), "metadata.annotations")


def _labels(labels: dict[str, str], path: str) -> Iterator[Cause]:
    for key, value in sorted(labels.items()):
        yield from _qualified(key, path)
        if not re.fullmatch(rf"({_QUALIFIED})?", value):
            yield invalid_value(path, value, _BAD_VALUE)
        elif len(value) > 63:
            yield invalid_value(path, value, "must be no more than 63 characters")


def _qualified(key: str, path: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        yield invalid_value(path, key, f"prefix part {_BAD_SUBDOMAIN}")
    if not re.fullmatch(_QUALIFIED, name):
        yield invalid_value(path, key, _BAD_KEY)
    elif len(name) > 63:
        yield invalid_value(path, key, "name part must be no more than 63 characters")


def _workload(item: dict[str, Any]) -> Iterator[Cause]:
    spec = item.get("spec")
    if not spec:
        return
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    if not label_selector(spec.get("selector"))({"metadata": {"labels": labels}}) or not spec.get("selector"):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _data_keys(item: dict[str, Any]) -> Iterator[Cause]:
    for field in ("data", "binaryData"):
        for key in item.get(field) or {}:
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                why = (
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                )
                yield invalid_value(f"{field}[{key}]", key, why)


def _required(kind: Type) -> list[str]:
    # A DaemonSet without a selector is refused for not matching its template.
    names = [*kind.required, *_ALSO_REQUIRED.get(kind.name, ())]
    return [name for name in names if (kind.name, name) != ("DaemonSetSpec", "selector")]


def _walk(kind: Type, value: Any, path: str) -> Iterator[Cause]:
    yield from _rules(kind, value, path)
    if kind.kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(kind.item, item, f"{path}[{index}]")
    elif kind.kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(kind.child(key) or ANY, item, f"{path}.{key}")
    elif kind.kind == "struct" and isinstance(value, dict):
        yield from _struct(kind, value, path)


def _struct(kind: Type, value: dict[str, Any], path: str) -> Iterator[Cause]:
    if kind.name == "ObjectMeta":
        yield from _labels(value.get("labels") or {}, f"{path}.labels")
        return
    for name in _required(kind):
        if name not in value or (kind.name and value[name] in ("", [])):
            yield required(f"{path}.{name}")
    for name, item in value.items():
        choices = _CHOICES.get((kind.name, name))
        if choices and item not in choices:
            yield unsupported(f"{path}.{name}", item, choices)
        if kind.name == "Container" and name == "name" and not re.fullmatch(_LABEL, str(item)):
            yield invalid_value(f"{path}.name", item, _BAD_LABEL)
        yield from _walk(kind.child(name) or ANY, item, f"{path}.{name}")


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "struct": (dict,),
    "intorstring": (int, str),
}
_JSON_NAMES = {"list": "array", "map": "object", "struct": "object", "intorstring": "integer,string"}


def _rules(kind: Type, value: Any, path: str) -> Iterator[Cause]:
    """A CRD's validation of one value; built-in types have no rules and were checked when decoded."""
    if value is None:
        return
    if not isinstance(value, _JSON_TYPES.get(kind.kind, (object,))) or (
        isinstance(value, bool) and kind.kind not in ("boolean", "any")
    ):
        name = _JSON_NAMES.get(kind.kind, kind.kind)
        given = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
        shown = given[type(value)]
        yield Cause(
            path, f'Invalid value: "{shown}": {path} in body must be of type {name}: "{shown}"', "FieldValueTypeInvalid"
        )
        return
    rules = kind.rules
    if "enum" in rules and value not in rules["enum"]:
        yield unsupported(path, value, [str(choice) for choice in rules["enum"]])
    if "pattern" in rules and isinstance(value, str) and not re.search(rules["pattern"], value):
        yield invalid_value(path, value, f"{path} in body should match '{rules['pattern']}'")
    for rule, size, word in _BOUNDS:
        if rule in rules and isinstance(value, (str, list, int, float)):
            measured = len(value) if isinstance(value, (str, list)) else value
            if (measured < rules[rule]) if size == "least" else (measured > rules[rule]):
                yield invalid_value(path, value, f"{path} in body should {word} {rules[rule]}")


_BOUNDS = (
    ("minimum", "least", "be greater than or equal to"),
    ("maximum", "most", "be less than or equal to"),
    ("minLength", "least", "be at least this many characters long:"),
    ("maxLength", "most", "be at most this many characters long:"),
    ("minItems", "least", "have at least this many items:"),
    ("maxItems", "most", "have at most this many items:"),
)
