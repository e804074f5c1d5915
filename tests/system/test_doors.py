# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both doors of every module: the same tasks give the same results, and a task takes the door it must."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Player

from eksops_emulator import Emulator

HERE = Path(__file__).parent
MODULES = sorted(path.stem for path in (HERE.parents[1] / "plugins" / "modules").glob("*.py"))
PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
# What AWS makes up anew each time: ids, addresses, digests, times.
MADE_UP = re.compile(
    r"(?<![\w-])(?:"
    r"eks-[a-z]+-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|"
    r"[a-z]{1,12}-(?:[a-z]+-){0,2}[0-9a-z]{8,40}|[A-F0-9]{20,64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{20,64}"
    r"|(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]*(?:/\d+)?|(?:\d{1,3}\.){3}\d{1,3}(?!/)"
    r"|(?:--)?eksops-[0-9a-f]{24}(?:--)?|[A-Za-z0-9+/]{400,}={0,2}"
    r"|\d{4}-\d\d-\d\d[T ][\d:.+Z-]+|A[A-Z]{3}[0-9A-Z]{17}|LS0t[A-Za-z0-9+/=]+"
    r")(?![\w-])"
)


def anonymous(value: Any) -> Any:
    """A result in which everything made up is named by the order of its first appearance."""
    seen: dict[str, str] = {}

    def walk(item: Any) -> Any:
        if isinstance(item, dict):
            return {walk(key): walk(item[key]) for key in sorted(item)}
        if isinstance(item, list):
            return [walk(part) for part in item]
        if isinstance(item, str):
            return MADE_UP.sub(lambda found: seen.setdefault(found.group(), f"<{len(seen)}>"), item)
        return item

    return walk(value)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two results differ, one line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for number, pair in pairs for line in differences(*pair, f"{path}[{number}]")]
    return [] if one == other else [f"{path}: {one!r} / {other!r}"]


def arrange(player: Player, fixtures: set[str]) -> dict[str, Any]:
    """What the cases of a module need beforehand, made by our own modules; the variables they speak of."""
    if fixtures <= {"none"}:
        return {}
    network = player(
        "ec2_vpc_ipv6_network",
        name="fixture",
        vpc={"cidr_block": "10.0.0.0/16"},
        public_subnets=[],
        nat_gateways="none",
    )["network"]
    roles = player("iam_eks_roles", cluster_name="production", fargate_role={})["roles"]
    variables = {
        "vpc_id": network["vpc_id"],
        "subnet_ids": network["private_subnet_ids"],
        "role_arn": roles["cluster"]["arn"],
        "node_role_arn": roles["node"]["arn"],
        "fargate_role_arn": roles["fargate"]["arn"],
    }
    if fixtures & {"cluster", "template"}:
        player(
            "eks_cluster",
            name="production",
            role_arn=variables["role_arn"],
            subnet_ids=variables["subnet_ids"],
            authentication_mode="API_AND_CONFIG_MAP",
        )
    if "template" in fixtures:
        types = {"cluster_name": "production", "instance_types": ["m7g.large"]}
        image = player("eks_node_user_data", **types, resolve_image=True)["user_data"]["image_id"]
        player("ec2_launch_template_ipv6", name="nodes", instance_type="m7g.large", image_id=image)
    return variables


class Tasks:
    """Runs tasks in one ansible-playbook, and returns what each registered."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.temporary = directory / "remote"

    def __call__(self, tasks: list[dict[str, Any]], variables: dict[str, Any]) -> list[dict[str, Any]]:
        out = self.directory / "results.json"
        out.unlink(missing_ok=True)
        registered = [{**task, "register": f"case_{number}"} for number, task in enumerate(tasks)]
        names = ", ".join(f"case_{number}" for number in range(len(tasks)))
        save = {"ansible.builtin.copy": {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(out), "mode": "0600"}}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/eksops.ipv6.all": {"region": "eu-west-1"}},
            "vars": variables,
            "tasks": [*registered, save],
        }
        (self.directory / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        process = subprocess.run(
            [PLAYBOOK, "play.yml"],
            env={
                **os.environ,
                "ANSIBLE_KEEP_REMOTE_FILES": "1",
                "ANSIBLE_REMOTE_TEMP": str(self.temporary),
                "ANSIBLE_NOCOLOR": "1",
            },
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert out.exists(), process.stdout + process.stderr
        results: list[dict[str, Any]] = json.loads(out.read_text())
        return results

    def modules_shipped(self) -> list[str]:
        """The modules that Ansible has packed and sent, rather than run on the controller."""
        return sorted(
            path.name.removeprefix("AnsiballZ_").removesuffix(".py") for path in self.temporary.glob("*/AnsiballZ_*.py")
        )


@pytest.fixture
def tasks(tmp_path: Path, emulator: Emulator) -> Tasks:
    """An empty directory to run playbooks in."""
    return Tasks(tmp_path)


def test_every_module_has_cases() -> None:
    assert sorted(path.stem for path in (HERE / "doors").glob("*.yml")) == MODULES


def test_every_module_has_both_doors() -> None:
    actions = (HERE.parents[1] / "plugins" / "action").glob("*.py")
    assert sorted(path.stem for path in actions) == MODULES


def test_every_module_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((HERE.parents[1] / "meta" / "runtime.yml").read_text())
    assert sorted(item for item in runtime["action_groups"]["all"] if isinstance(item, str)) == MODULES


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_a_module_gives_the_same_through_both_doors(module: str, player: Player, tasks: Tasks) -> None:
    cases = yaml.safe_load((HERE / "doors" / f"{module}.yml").read_text())
    written = [
        {
            "name": case["name"],
            f"eksops.ipv6.{module}": {**case.get("like", {}), **case["args"]},
            "check_mode": case["check"],
            "diff": True,
            "ignore_errors": True,
        }
        for case in cases
    ]
    door = importlib.import_module(f"ansible_collections.eksops.ipv6.plugins.modules.{module}").DOOR
    waiting = {"wait_interval": 0.01} if door.writes else {}
    for task in written:
        task[f"eksops.ipv6.{module}"] = {**waiting, **task[f"eksops.ipv6.{module}"]}
    results = {}
    # The first use in a process draws more of what is made up than later ones do: so it is used once before.
    arrange(player, {case["fixture"] for case in cases})
    for way in ("auto", "module"):
        player.emulator.reset()
        # The same ids in the same order, so that what sorts by id sorts alike.
        player.emulator.seed(int(os.environ.get("EKSOPS_SEED", "0")))
        variables = arrange(player, {case["fixture"] for case in cases})
        before = len(tasks.modules_shipped())
        results[way] = tasks(written, {**variables, "eksops_ipv6_door": way})
        shipped = [name for name in tasks.modules_shipped() if name != "ansible.legacy.copy"][before:]
        assert bool([name for name in shipped if module in name]) is (way == "module")
    assert [result["failed"] for result in results["auto"]] == [case["fails"] for case in cases]
    for case, controller, shipped in zip(cases, anonymous(results["auto"]), anonymous(results["module"]), strict=True):
        assert differences(controller, shipped) == [], case["name"]


ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ELSEWHERE = '''
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: elsewhere
short_description: Runs here, and says that it does not
description: For a test.
version_added: "1.0"
"""


class Connection(Local):
    transport = "elsewhere"
'''


def provider(**keywords: Any) -> dict[str, Any]:
    return {"eksops.ipv6.iam_oidc_provider": {"url": ISSUER}, **keywords}


@pytest.mark.parametrize(
    ("keywords", "door"),
    [
        ({}, "controller"),
        ({"vars": {"ansible_python_interpreter": sys.executable}}, "controller"),
        ({"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}, "controller"),
        ({"delegate_to": "localhost"}, "controller"),
        ({"vars": {"eksops_ipv6_door": "module"}}, "module"),
        ({"async": 60, "poll": 1}, "module"),
        ({"become": True, "become_method": "ansible.builtin.su"}, "module"),
        ({"vars": {"ansible_connection": "elsewhere"}}, "module"),
        ({"vars": {"ansible_python_interpreter": "<OTHER>"}}, "module"),
    ],
    ids=["plain", "own-interpreter", "templated", "delegated", "variable", "async", "become", "connection", "other"],
)
def test_a_task_takes_the_door_it_must(tasks: Tasks, tmp_path: Path, keywords: dict[str, Any], door: str) -> None:
    plugins = tmp_path / "connection_plugins"
    plugins.mkdir()
    (plugins / "elsewhere.py").write_text(ELSEWHERE)
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    asked = json.loads(json.dumps(keywords).replace("<OTHER>", str(other)))
    (result,) = tasks([provider(**asked)], {})
    assert result["changed"] is True
    assert result["oidc_provider"]["url"] == ISSUER
    shipped = [name for name in tasks.modules_shipped() if "iam_oidc_provider" in name]
    assert bool(shipped) is (door == "module")


def test_the_tasks_environment_and_defaults_reach_the_controller_door(tasks: Tasks, emulator: Emulator) -> None:
    elsewhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    retries = {"aws_config": {"retries": {"total_max_attempts": 1}}}
    failing = {"eksops.ipv6.iam_oidc_provider": {"url": ISSUER, **retries}, "ignore_errors": True}
    failed, passed = tasks([{**failing, "environment": elsewhere}, provider()], {})
    assert failed["failed"] is True
    assert "127.0.0.1:9" in failed["msg"]
    assert passed["changed"] is True
    assert {call.region for call in emulator.journal.calls if call.service == "iam"} <= {
        "eu-west-1",
        "aws-global",
        "us-east-1",
    }


def test_waiting_is_told_through_the_controller_door(tmp_path: Path, emulator: Emulator) -> None:
    network = {"name": "told", "vpc": {"cidr_block": "10.0.0.0/16"}, "wait_interval": 0.01, "region": "eu-west-1"}
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"eksops.ipv6.ec2_vpc_ipv6_network": network}]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play))
    command = [PLAYBOOK, "play.yml"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "nat-gateway/told-eu-west-1a: pending" in process.stdout
