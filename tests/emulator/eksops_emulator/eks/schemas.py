# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-on configuration: the schema of each version, and values held against it in AWS's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from .catalogue import parse
from .errors import InvalidParameter

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_BOOLEAN_TEXT: Schema = {"type": "string", "format": "boolean"}
_INTEGER_TEXT: Schema = {"type": "string", "format": "integer"}
_LIST: Schema = {"type": "array", "items": {"type": "object"}}
_FREE: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
# The aws-node environment that a client may set. ENABLE_IPv4 and ENABLE_IPv6 are EKS's own business.
_CNI_ENVIRONMENT: dict[str, Schema] = {
    **dict.fromkeys(
        (
            "ADDITIONAL_ENI_TAGS",
            "AWS_VPC_CNI_NODE_PORT_SUPPORT",
            "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS",
            "AWS_VPC_K8S_CNI_LOGLEVEL",
            "AWS_VPC_K8S_CNI_LOG_FILE",
            "AWS_VPC_K8S_CNI_RANDOMIZESNAT",
            "AWS_VPC_K8S_CNI_VETHPREFIX",
            "AWS_VPC_K8S_PLUGIN_LOG_FILE",
            "AWS_VPC_K8S_PLUGIN_LOG_LEVEL",
            "CLUSTER_ENDPOINT",
            "ENI_CONFIG_ANNOTATION_DEF",
            "ENI_CONFIG_LABEL_DEF",
            "INTROSPECTION_BIND_ADDRESS",
            "POD_SECURITY_GROUP_ENFORCING_MODE",
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "ANNOTATE_POD_IP",
            "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER",
            "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
            "AWS_VPC_K8S_CNI_EXTERNALSNAT",
            "DISABLE_INTROSPECTION",
            "DISABLE_METRICS",
            "DISABLE_NETWORK_RESOURCE_PROVISIONING",
            "DISABLE_POD_V6",
            "ENABLE_BANDWIDTH_PLUGIN",
            "ENABLE_POD_ENI",
            "ENABLE_PREFIX_DELEGATION",
        ),
        _BOOLEAN_TEXT,
    ),
    **dict.fromkeys(
        (
            "AWS_VPC_ENI_MTU",
            "MAX_ENI",
            "MINIMUM_IP_TARGET",
            "POD_MTU",
            "WARM_ENI_TARGET",
            "WARM_IP_TARGET",
            "WARM_PREFIX_TARGET",
        ),
        _INTEGER_TEXT,
    ),
}
# Environment that a version brought (amazon-vpc-cni-k8s, README and release notes).
_CNI_SINCE: dict[str, tuple[int, int, int, int]] = {
    "ENABLE_V6_EGRESS": (1, 13, 0, 0),
    "ENABLE_V4_EGRESS": (1, 15, 1, 0),
    "ENABLE_SUBNET_DISCOVERY": (1, 18, 0, 0),
    "NETWORK_POLICY_ENFORCING_MODE": (1, 17, 1, 0),
    "ENABLE_IMDS_ONLY_MODE": (1, 19, 6, 0),
    "ENABLE_MULTI_NIC": (1, 20, 0, 0),
}


def schema_for(addon: str, version: str) -> Schema:
    """The JSON schema (draft 6) of an add-on version's configuration values."""
    build = {"vpc-cni": _vpc_cni, "kube-proxy": _kube_proxy, "coredns": _coredns}.get(addon, _other)
    return {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "$ref": "#/definitions/Configuration",
        "definitions": {"Configuration": _closed(build(version))},
    }


def _closed(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _common() -> dict[str, Schema]:
    return {"affinity": {"type": ["object", "null"]}, "resources": _resources(), "tolerations": _LIST}


def _resources() -> Schema:
    amounts = _closed({"cpu": _TEXT, "memory": _TEXT, "ephemeral-storage": _TEXT})
    return _closed({"limits": amounts, "requests": amounts})


def _vpc_cni(version: str) -> dict[str, Schema]:
    number = parse(version)
    environment = dict(_CNI_ENVIRONMENT)
    for name, since in _CNI_SINCE.items():
        if number >= since:
            environment[name] = _TEXT if name == "NETWORK_POLICY_ENFORCING_MODE" else _BOOLEAN_TEXT
    init = {"DISABLE_TCP_EARLY_DEMUX": _BOOLEAN_TEXT}
    if number >= _CNI_SINCE["ENABLE_V6_EGRESS"]:
        init["ENABLE_V6_EGRESS"] = _BOOLEAN_TEXT
    properties: dict[str, Schema] = {
        **_common(),
        "env": _closed(environment),
        "init": _closed({"env": _closed(init)}),
        "livenessProbeTimeoutSeconds": {"type": "integer"},
        "readinessProbeTimeoutSeconds": {"type": "integer"},
        "eniConfig": _closed({"create": {"type": "boolean"}, "region": _TEXT, "subnets": {"type": "object"}}),
    }
    if number >= (1, 14, 0, 0):
        properties["enableNetworkPolicy"] = _BOOLEAN_TEXT
        properties["enableWindowsIpam"] = _BOOLEAN_TEXT
        properties["nodeAgent"] = _closed(
            {
                "enableCloudWatchLogs": _BOOLEAN_TEXT,
                "enablePolicyEventLogs": _BOOLEAN_TEXT,
                "healthProbeBindAddr": _TEXT,
                "metricsBindAddr": _TEXT,
                "resources": _resources(),
            }
        )
    if number >= (1, 18, 0, 0):
        properties["podAnnotations"] = _FREE
        properties["podLabels"] = _FREE
    return properties


def _kube_proxy(_unused: str) -> dict[str, Schema]:
    ipvs = _closed({"scheduler": {"type": "string", "enum": ["rr", "lc", "dh", "sh", "sed", "nq"]}})
    return {
        "affinity": {"type": ["object", "null"]},
        "ipvs": ipvs,
        "mode": {"type": "string", "enum": ["iptables", "ipvs"]},
        "podAnnotations": _FREE,
        "podLabels": _FREE,
        "resources": _resources(),
        "tolerations": _LIST,
    }


def _coredns(_unused: str) -> dict[str, Schema]:
    scaling = _closed(
        {"enabled": {"type": "boolean"}, "minReplicas": {"type": "integer"}, "maxReplicas": {"type": "integer"}}
    )
    return {
        **_common(),
        "autoScaling": scaling,
        "computeType": _TEXT,
        "corefile": _TEXT,
        "nodeSelector": _FREE,
        "podAnnotations": _FREE,
        "podDisruptionBudget": {"type": "object"},
        "podLabels": _FREE,
        "replicaCount": {"type": "integer", "minimum": 1},
        "topologySpreadConstraints": _LIST,
    }


def _other(_unused: str) -> dict[str, Schema]:
    return {
        **_common(),
        "nodeSelector": _FREE,
        "podAnnotations": _FREE,
        "podLabels": _FREE,
        "agent": {"type": "object"},
        "controller": {"type": "object"},
        "node": {"type": "object"},
        "sidecars": {"type": "object"},
    }


def read_values(addon: str, version: str, text: str | None, cluster: str) -> dict[str, Any]:
    """Configuration values, JSON or YAML, as a dict. Raises InvalidParameter as AWS does when they don't fit."""
    if not text or not text.strip():
        return {}
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _unsupported("Unable to parse the value as JSON or YAML", addon, cluster) from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise _unsupported("The value must be a JSON or YAML object", addon, cluster)
    values = json.loads(json.dumps(values, default=str))
    schema = schema_for(addon, version)["definitions"]["Configuration"]
    broken = list(_broken(schema, values, "$"))
    if broken:
        raise _unsupported(f"Json schema validation failed with error: [{', '.join(broken)}]", addon, cluster)
    return dict(values)


def _unsupported(reason: str, addon: str, cluster: str) -> InvalidParameter:
    text = f"ConfigurationValue provided in request is not supported: {reason}"
    return InvalidParameter(text, clusterName=cluster, addonName=addon)


def _broken(schema: Schema, value: Any, path: str) -> Iterator[str]:
    wanted = schema.get("type")
    kinds: list[str] = wanted if isinstance(wanted, list) else [str(wanted)]
    if wanted and _kind(value) not in kinds:
        yield f"{path}: {_kind(value)} found, {', '.join(kinds)} expected"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: does not have a value in the enumeration {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: must have a minimum value of {schema['minimum']}"
    if not _has_format(schema.get("format"), value):
        yield f"{path}: does not match the {schema['format']} pattern"
    if isinstance(value, dict):
        yield from _broken_object(schema, value, path)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _broken(schema.get("items", {}), item, f"{path}[{number}]")


def _broken_object(schema: Schema, value: dict[str, Any], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        if key in properties:
            yield from _broken(properties[key], item, f"{path}.{key}")
        elif others is False:
            yield (f"{path}.{key}: is not defined in the schema and the schema does not allow additional properties")
        else:
            yield from _broken(others, item, f"{path}.{key}")


def _has_format(name: str | None, value: Any) -> bool:
    if name == "boolean":
        return value in ("true", "false")
    if name == "integer":
        return re.fullmatch(r"-?\d+", str(value)) is not None
    return True


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
