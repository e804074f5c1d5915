# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles hand their modules every option there is, and document every variable they read."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
OTHER_ROLES_FACTS = re.compile(r"^(eks_\w+_result|eks_cluster_name)$")
WAYS_OUT = {"wait", "purge_tags", "state", "ip_family"}  # each role decides about these itself, or leaves the default

SET_FACT = "ansible.builtin.set_fact"

LEFT_OUT = {
    ("eks_cluster", "eks_cluster"): {"service_ipv4_cidr", "outpost_config", "remote_network_config"},  # all refused
    ("eks_cni", "eks_addon"): {"pod_identity_associations", "preserve"},  # the role makes the association itself
    ("eks_cni", "eks_pod_identity_association"): {"disable_session_tags", "target_role_arn"},
    ("eks_cni", "iam_oidc_provider"): {"client_ids", "thumbprints"},  # IAM's own are right
    ("eks_cni", "eks_cluster_info"): {"include_nodes"},
    ("eks_kubeconfig", "eks_cluster_info"): {"include_nodes"},
    ("eks_nodes", "eks_node_user_data"): {"completed_by_eks"},  # its groups are not managed by EKS
    ("eks_nodes", "eks_access_entry"): {  # an entry of nodes has none of these
        "username",
        "kubernetes_groups",
        "access_policies",
        "purge_access_policies",
        "replace",
    },
    ("eks_nodes", "eks_addon"): {"preserve", "cni_role_check"},  # the CNI is eks_cni's
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def tasks(role: str, file: str = "*") -> Iterator[dict[str, Any]]:
    """All tasks of a role, those within blocks too."""

    def flat(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for item in items:
            yield from flat(item["block"]) if "block" in item else [item]

    for path in sorted((ROOT / "roles" / role / "tasks").glob(f"{file}.yml")):
        yield from flat(load(path))


def modules(role: str) -> dict[str, set[str]]:
    """The collection's modules that a role calls, with the options it hands to any call of each."""
    found: dict[str, set[str]] = {}
    for task in tasks(role):
        for name, arguments in task.items():
            if name.startswith("eksops.ipv6."):
                found.setdefault(name.removeprefix("eksops.ipv6."), set()).update(arguments)
    return found


def documented(role: str) -> dict[str, Any]:
    options: dict[str, Any] = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"][
        "options"
    ]
    return options


@pytest.mark.parametrize("role", ROLES)
def test_every_option_of_the_role_s_modules_can_be_given(role: str) -> None:
    for module, given in modules(role).items():
        door = importlib.import_module(f"ansible_collections.eksops.ipv6.plugins.modules.{module}").DOOR
        spec = door.argument_spec
        assert given <= set(door.spec()), f"{module} has no {given - set(door.spec())}"
        assert set(spec) - WAYS_OUT - given <= LEFT_OUT.get((role, module), set())


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_documented_and_every_documented_one_is_used(role: str) -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("tasks", "defaults", "vars")
        for path in (ROOT / "roles" / role / folder).glob("*.yml")
    )
    own = {task["register"] for task in tasks(role) if "register" in task}
    own |= {task["loop_control"]["loop_var"] for task in tasks(role) if "loop_control" in task}
    own |= {name for task in tasks(role) for name in {**task.get("vars", {}), **task.get(SET_FACT, {})}}
    inner = ROOT / "roles" / role / "vars" / "main.yml"
    own |= set(load(inner)) if inner.exists() else set()
    own |= {"eks_kubeconfig"}  # a role that others run
    own |= {path.stem for kind in ("filter", "lookup") for path in (ROOT / "plugins" / kind).glob("*.py")}
    named = {name for name in re.findall(r"\beks_[a-z_0-9]+", text) if not name.startswith("eks_cluster_info")}
    read = {name for name in named - own if not (OTHER_ROLES_FACTS.match(name) and not name.startswith(f"{role}_"))}
    modules_named = {module for other in ROLES for module in modules(other)}
    assert read - modules_named - {"eks_cluster_name"} == set(documented(role)) - {"eks_cluster_name"}


@pytest.mark.parametrize("role", ROLES)
def test_documented_defaults_are_the_defaults(role: str) -> None:
    defaults = load(ROOT / "roles" / role / "defaults" / "main.yml")
    literal = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert literal == {name: option["default"] for name, option in documented(role).items() if "default" in option}


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_begins_with_the_role_s_name(role: str) -> None:
    assert [name for name in documented(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_in_the_readme(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert [name for name in documented(role) if f"`{name}`" not in readme] == []
