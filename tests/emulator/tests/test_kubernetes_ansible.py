# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubernetes.core's modules, played by ansible-playbook against the emulated server, and a real one if there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eksops_emulator.kubernetes import KubernetesAPI, cni, seed
from eksops_emulator.kubernetes.client import Client

REAL = os.environ.get("KUBE_APISERVER")
CONTAINER = {"name": "aws-node", "env": [{"name": "ENABLE_IPv6", "value": "true"}]}
AGENT = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "aws-node", "namespace": "kube-system"}}


@pytest.fixture(params=["fake", *(["real"] if REAL else [])])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "real":
        folder = Path(REAL or "")
        client = Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
        yield client
        for item in reversed(cni.aws_node("v1.18.0")):
            group, version = item["apiVersion"].rpartition("/")[::2]
            prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
            space = "" if item["kind"].startswith("ClusterRole") else "/namespaces/kube-system"
            client("DELETE", f"{prefix}{space}/{item['kind'].lower()}s/{item['metadata']['name']}")
        return
    with KubernetesAPI() as cluster:
        seed(cluster, cni_version=None)
        yield Client(cluster.url, cluster.ca_pem, cluster.admin_token)


def task(title: str, module: str, /, that: list[str], **options: Any) -> list[dict[str, Any]]:
    """A task, and a check of what it gave."""
    asserted = {"name": f"{title}: checked", "ansible.builtin.assert": {"that": that}}
    return [{"name": title, f"kubernetes.core.{module}": options, "register": "done"}, asserted]


def patched(**container: Any) -> dict[str, Any]:
    return {**AGENT, "spec": {"template": {"spec": {"containers": [{**CONTAINER, **container}]}}}}


def tasks() -> list[Any]:
    value = "(done.result.spec.template.spec.containers | selectattr('name', 'eq', 'aws-node') | first).env"
    on = f"({value} | selectattr('name', 'eq', 'ENABLE_IPv6') | first).value == 'true'"
    whole = f"{value} | length > 20"
    applied = {"definition": patched(), "apply": True}
    by_server = {"server_side_apply": {"field_manager": "play"}}
    forced = {"server_side_apply": {"field_manager": "play", "force_conflicts": True}}
    strategic = {"definition": patched(), "merge_type": ["strategic-merge"], "state": "patched"}
    operation = [{"op": "add", "path": "/metadata/labels/played", "value": "yes"}]
    named_agent = {"api_version": "apps/v1", "kind": "DaemonSet", "namespace": "kube-system", "name": "aws-node"}
    return [
        *task("Install", "k8s", definition=cni.aws_node("v1.18.0"), that=["done is changed"]),
        *task("Install again", "k8s", definition=cni.aws_node("v1.18.0"), that=["done is not changed"]),
        {
            "name": "Apply with a conflict",
            "kubernetes.core.k8s": {**applied, **by_server},
            "register": "refused",
            "failed_when": "refused is not failed or 'conflict' not in refused.msg",
        },
        *task("Patch", "k8s", **strategic, that=["done is changed", on, whole]),
        *task("Patch again", "k8s", **strategic, that=["done is not changed"]),
        *task("Apply by force", "k8s", **applied, **forced, that=["done is changed", on, whole]),
        *task("Apply again", "k8s", **applied, **forced, that=["done is not changed"]),
        *task("Patch by JSON", "k8s_json_patch", **named_agent, patch=operation, that=["done is changed"]),
        *task(
            "Read by label",
            "k8s_info",
            kind="DaemonSet",
            api_version="apps/v1",
            namespace="kube-system",
            label_selectors=["played=yes"],
            that=["done.resources | length == 1", "done.resources[0].metadata.name == 'aws-node'"],
        ),
        *task("Remove", "k8s", state="absent", **named_agent, that=["done is changed"]),
        *task("Remove again", "k8s", state="absent", **named_agent, that=["done is not changed"]),
    ]


def play(api: Client, tmp_path: Path, steps: list[Any]) -> subprocess.CompletedProcess[str]:
    ca = tmp_path / "ca.pem"
    ca.write_text(api.ca_pem)
    book = [{"hosts": "localhost", "gather_facts": False, "tasks": steps}]
    path = tmp_path / "play.yml"
    path.write_text(json.dumps(book))
    environment = {
        **os.environ,
        "K8S_AUTH_HOST": api.url,
        "K8S_AUTH_API_KEY": api.token,
        "K8S_AUTH_SSL_CA_CERT": str(ca),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        # A client keeps what it discovered in a file of the temporary directory.
        "TMPDIR": str(tmp_path),
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_a_play_of_kubernetes_core(api: Client, tmp_path: Path) -> None:
    done = play(api, tmp_path, tasks())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_play_that_waits_for_a_rollout(tmp_path: Path) -> None:
    with KubernetesAPI(rollout_polls=2) as cluster:
        seed(cluster)
        api = Client(cluster.url, cluster.ca_pem, cluster.admin_token)
        wait = {"state": "patched", "wait": True, "wait_sleep": 1, "wait_timeout": 20}
        patch = patched(env=[{"name": "WARM_ENI_TARGET", "value": "2"}])
        that = ["done.result.status.updatedNumberScheduled == 3", "done.result.status.observedGeneration == 2"]
        done = play(api, tmp_path, task("Patch and wait", "k8s", definition=patch, **wait, that=that))
        assert done.returncode == 0, done.stdout + done.stderr
        assert [item.verb for item in cluster.journal.writes()] == ["patch"]
