# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example in the documentation is YAML, and gives modules and roles only what they take."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PREFIX = "eksops.ipv6."
EXAMPLES = re.compile(r'^EXAMPLES = r"""\n(.*?)"""', re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a template could give where only its text is known: one value of each type.
OF_TYPE = {"list": [], "dict": {}, "int": 1, "float": 1.0, "bool": True, "json": "{}"}


def sources() -> Iterator[tuple[str, str]]:
    """(where, text) of every example."""
    for module in MODULES:
        text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
        yield f"modules/{module}", "".join(EXAMPLES.findall(text))
    for path in sorted((ROOT / "plugins" / "filter").glob("*.yml")):
        yield f"filter/{path.stem}", yaml.safe_load(path.read_text(encoding="utf-8"))["EXAMPLES"]
    for path in [ROOT / "README.md", *sorted(ROOT.glob("roles/*/README.md"))]:
        where = str(path.relative_to(ROOT))
        for number, block in enumerate(FENCED.findall(path.read_text(encoding="utf-8"))):
            yield f"{where}#{number}", block


def calls(node: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """('module' or 'role', name, what it is given), wherever in a playbook, a task list or a document of variables."""
    if isinstance(node, list):
        for item in node:
            yield from calls(item)
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if str(key).removeprefix(PREFIX) in MODULES and str(key).startswith(PREFIX):
            yield "module", key.removeprefix(PREFIX), dict(value or {})
        elif key in ("ansible.builtin.include_role", "ansible.builtin.import_role") and PREFIX in value["name"]:
            yield "role", value["name"].removeprefix(PREFIX), dict(node.get("vars", {}))
        elif key == "role" and str(value).startswith(PREFIX):
            given = {name: item for name, item in node.items() if str(name).startswith("eks_")}
            yield "role", value.removeprefix(PREFIX), {**given, **node.get("vars", {})}
        else:
            yield from calls(value)


def filled(value: Any, option: Mapping[str, Any]) -> Any:
    """The value, with what is a template replaced by something of the option's type."""
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        wanted = option.get("type", "str")
        return OF_TYPE.get(wanted, option.get("choices", ["text"])[0])
    below = option.get("options")
    if isinstance(value, dict) and below:
        return {key: filled(item, below.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, {"type": option.get("elements", "str"), "options": below}) for item in value]
    return value


def faults(kind: str, name: str, given: Mapping[str, Any]) -> list[str]:
    """What a module's or a role's arguments say to what it is given."""
    if kind == "module":
        door = importlib.import_module(f"ansible_collections.eksops.ipv6.plugins.modules.{name}").DOOR
        spec, constraints = {**aws_argument_spec(), **door.spec()}, door.constraints
    else:
        document = yaml.safe_load((ROOT / "roles" / name / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        spec, constraints = document["argument_specs"]["main"]["options"], {}
    aliases = {alias: key for key, option in spec.items() for alias in option.get("aliases", ())}
    values = {key: filled(value, spec.get(aliases.get(key, key), {})) for key, value in given.items()}
    return [
        f"{name}: {message}" for message in ArgumentSpecValidator(spec, **constraints).validate(values).error_messages
    ]


@pytest.mark.parametrize(("where", "text"), [pytest.param(*source, id=source[0]) for source in sources()])
def test_an_example_gives_only_what_is_taken(where: str, text: str) -> None:
    found = list(calls(yaml.safe_load(text)))
    assert [fault for call in found for fault in faults(*call)] == []
    if where.startswith("modules/"):
        assert where.removeprefix("modules/") in {name for _kind, name, _given in found}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_s_readme_shows_the_role_in_use(role: str) -> None:
    text = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    used = [name for block in FENCED.findall(text) for _kind, name, _given in calls(yaml.safe_load(block))]
    assert role in used
