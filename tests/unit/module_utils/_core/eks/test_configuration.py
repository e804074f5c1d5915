# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration values of add-ons, held against JSON Schema draft 6 in the parts that AWS uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import configuration

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-06/schema#",
    "$ref": "#/definitions/VpcCni",
    "definitions": {
        "VpcCni": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "env": {"$ref": "#/definitions/Env"},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 5},
                "mode": {"type": "string", "enum": ["iptables", "ipvs"]},
                "kind": {"const": "CNI"},
                "affinity": {"type": ["object", "null"]},
                "tolerations": {"type": "array", "items": {"$ref": "#/definitions/Toleration"}},
                "name": {"type": "string", "pattern": "^[a-z]+$"},
                "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
                "both": {"allOf": [{"required": ["a"]}, {"required": ["b"]}]},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "ports": {
                    "type": "object",
                    "patternProperties": {"^port-": {"type": "integer"}},
                    "additionalProperties": False,
                },
            },
        },
        "Env": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "ENABLE_POD_ENI": {"type": "string", "format": "boolean"},
                "WARM_IP_TARGET": {"type": "string", "format": "integer"},
            },
        },
        "Toleration": {"type": "object", "required": ["key"]},
    },
}


def found(values: dict[str, Any]) -> list[str]:
    return [f"{path} {reason}" for path, reason in configuration.problems(json.dumps(SCHEMA), values)]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"env": {"ENABLE_POD_ENI": "true", "WARM_IP_TARGET": "-1"}},
        {"replicas": 5, "mode": "ipvs", "kind": "CNI", "affinity": None, "name": "abc"},
        {"replicas": 3.0},
        {"tolerations": [{"key": "a", "other": 1}], "either": False, "both": {"a": 1, "b": 2}},
        {"labels": {"anything": "goes"}, "ports": {"port-a": 1}},
    ],
)
def test_what_the_schema_allows_passes(values: dict[str, Any]) -> None:
    assert found(values) == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"env": {"MTU": "9001"}}, "env.MTU is not known here"),
        ({"env": {"ENABLE_POD_EN": "true"}}, "env.ENABLE_POD_EN is not known here; is ENABLE_POD_ENI meant?"),
        (
            {"env": {"ENABLE_POD_ENI": True}},
            'env.ENABLE_POD_ENI is boolean, and must be string: write "true" with quotes',
        ),
        ({"env": {"WARM_IP_TARGET": 1}}, 'env.WARM_IP_TARGET is integer, and must be string: write "1" with quotes'),
        ({"env": {"WARM_IP_TARGET": "few"}}, "env.WARM_IP_TARGET is 'few', and must be a whole number as a text"),
        ({"env": {"ENABLE_POD_ENI": "yes"}}, """ENABLE_POD_ENI is 'yes', and must be the text "true" or "false\""""),
        ({"env": "x"}, "env is string, and must be object"),
        ({"replicas": 0}, "replicas is 0, and must be 1 at least"),
        ({"replicas": 6}, "replicas is 6, and must be 5 at most"),
        ({"replicas": True}, "replicas is boolean, and must be integer"),
        ({"replicas": 1.5}, "replicas is number, and must be integer"),
        ({"mode": "nft"}, "mode is 'nft', and must be one of iptables, ipvs"),
        ({"kind": "CSI"}, "kind is 'CSI', and must be 'CNI'"),
        ({"affinity": []}, "affinity is array, and must be object or null"),
        ({"tolerations": [{"key": "a"}, {}]}, "tolerations[1].key is missing"),
        ({"name": "A"}, "name is 'A', and must match ^[a-z]+$"),
        ({"either": 1}, "either fits none of the forms that are allowed"),
        ({"both": {"a": 1}}, "both.b is missing"),
        ({"labels": {"a": 1}}, 'labels.a is integer, and must be string: write "1" with quotes'),
        ({"ports": {"port-a": "x"}}, "ports.port-a is string, and must be integer"),
        ({"ports": {"host-a": 1}}, "ports.host-a is not known here"),
    ],
)
def test_what_the_schema_does_not_allow_is_named_by_its_path(values: dict[str, Any], problem: str) -> None:
    problems = found(values)
    assert len(problems) == 1
    assert problems[0].endswith(problem)


def test_a_reference_in_a_circle_allows_everything() -> None:
    schema = {"$ref": "#/definitions/A", "definitions": {"A": {"$ref": "#/definitions/A"}}}
    assert configuration.problems(json.dumps(schema), {"a": 1}) == []


def test_a_pattern_of_another_engine_is_left_to_aws() -> None:
    schema = {
        "properties": {"a": {"type": "string", "pattern": r"^\p{L}+$"}},
        "patternProperties": {r"^\p{Lu}": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert configuration.problems(json.dumps(schema), {"a": "x", "B": "y"}) == []
    schema["properties"] = {"a": {"type": "string", "pattern": "^[0-9]+$"}}
    assert [path for path, _reason in configuration.problems(json.dumps(schema), {"a": "x"})] == ["a"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (None, {}),
        ("", {}),
        ("  \n", {}),
        ("{}", {}),
        ("null", {}),
        ('{"env": {"A": "true"}}', {"env": {"A": "true"}}),
        ('env:\n  A: "true"\n', {"env": {"A": "true"}}),
        ("# only a comment\n", {}),
    ],
)
def test_json_and_yaml_are_read_alike(text: str | None, values: dict[str, Any]) -> None:
    assert configuration.read(text) == values


@pytest.mark.parametrize("text", ["[1, 2]", "a text", "a: b: c"])
def test_what_is_no_object_is_unreadable(text: str) -> None:
    with pytest.raises(configuration.Unreadable):
        configuration.read(text)


def test_yaml_without_pyyaml_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "yaml", None)
    assert configuration.read('{"a": 1}') == {"a": 1}
    with pytest.raises(configuration.Unreadable, match="PyYAML"):
        configuration.read("a: 1")


def test_what_is_written_is_read_back() -> None:
    values = {"env": {"B": "1", "A": "true"}, "list": [1, None]}
    assert configuration.read(configuration.write(values)) == values
    assert configuration.write({"b": 1, "a": 2}) == '{"a":2,"b":1}'
