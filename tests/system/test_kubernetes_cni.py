# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A self-managed CNI set up through kubernetes.core, against the emulated API server and a real one if there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from eksops_emulator.kubernetes import KubernetesAPI, cni, seed
from eksops_emulator.kubernetes.client import Client

ROOT = Path(__file__).resolve().parents[2]
REAL = os.environ.get("KUBE_APISERVER")
VERSIONS = ["v1.10.4", "v1.23.1"]
NAMED = {"api_version": "apps/v1", "kind": "DaemonSet", "namespace": "kube-system", "name": "aws-node"}
SETTINGS = {"WARM_ENI_TARGET": "2"}


@pytest.fixture(params=["fake", *(["real"] if REAL else [])])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    """An API server without a CNI."""
    if request.param == "fake":
        with KubernetesAPI() as cluster:
            seed(cluster, cni_version=None)
            yield Client(cluster.url, cluster.ca_pem, cluster.admin_token)
        return
    folder = Path(REAL or "")
    client = Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
    yield client
    for item in reversed(cni.aws_node(VERSIONS[-1])):
        group, version = item["apiVersion"].rpartition("/")[::2]
        prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
        space = "" if item["kind"].startswith("ClusterRole") else "/namespaces/kube-system"
        client("DELETE", f"{prefix}{space}/{item['kind'].lower()}s/{item['metadata']['name']}")


def setting_up() -> list[dict[str, Any]]:
    """The role's own task that patches the DaemonSet, and the reading before it."""
    read = {"name": "Read it", "kubernetes.core.k8s_info": NAMED, "register": "eks_cni_daemonset"}
    tasks = yaml.safe_load((ROOT / "roles" / "eks_cni" / "tasks" / "self_managed.yml").read_text(encoding="utf-8"))
    block = next(task["block"] for task in tasks if "block" in task)
    return [read, next(task for task in block if task.get("register") == "eks_cni_patch_result")]


def asserted(*that: str) -> dict[str, Any]:
    return {"name": "Look", "ansible.builtin.assert": {"that": list(that)}}


def play(
    api: Client,
    tmp_path: Path,
    tasks: list[dict[str, Any]],
    network_policy: bool | None = None,
    eni_configs: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    ca, book = tmp_path / "ca.pem", tmp_path / "play.yml"
    ca.write_text(api.ca_pem, encoding="utf-8")
    variables = {
        "eks_cni_wish": {"env": SETTINGS, "network_policy": network_policy},
        "eks_cni_eni_configs": {"resources": [{"metadata": {"name": name}} for name in eni_configs]},
        "eks_cni_role_result": {"cni_role": {"arn": "arn:aws:iam::123456789012:role/one-cni"}},
    }
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]))
    environment = {
        **os.environ,
        "K8S_AUTH_HOST": api.url,
        "K8S_AUTH_API_KEY": api.token,
        "K8S_AUTH_SSL_CA_CERT": str(ca),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "TMPDIR": str(tmp_path),  # a client keeps what it discovered in a file of the temporary directory
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(book)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stock_manifest_is_recognised_set_up_once_and_then_in_order(
    api: Client, tmp_path: Path, version: str
) -> None:
    wrong = "eks_cni_daemonset.resources[0] | eksops.ipv6.eks_cni_findings | reject('match', 'rollout') | list"
    right = wrong.replace("eks_cni_findings", "eks_cni_findings(version=version, **eks_cni_wish)")
    done = play(
        api,
        tmp_path,
        [
            {"name": "Which", "ansible.builtin.set_fact": {"version": version}},
            {"name": "Install", "kubernetes.core.k8s": {"definition": "{{ item }}"}, "loop": cni.aws_node(version)},
            *setting_up(),
            asserted("eks_cni_patch_result is changed", f"{wrong} | length >= 4"),
            *setting_up(),
            asserted("eks_cni_patch_result is not changed", f"{right} == []"),
        ],
        network_policy=True if cni.parse(version) >= (1, 14, 0) else None,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "eni_configs", "said"),
    [
        (
            {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
            (),
            "custom networking is on, which IPv6 clusters do not have",
        ),
        ({}, ("eu-west-1a",), "there are ENIConfigs (eu-west-1a), which IPv6 clusters do not have"),
    ],
)
def test_custom_networking_is_refused_before_any_write(
    tmp_path: Path, env: dict[str, str], eni_configs: tuple[str, ...], said: str
) -> None:
    with KubernetesAPI() as cluster:
        seed(cluster, cni_version=None)
        cluster.objects.apply(*cni.aws_node("v1.21.2", env=env))
        cluster.journal.clear()
        api = Client(cluster.url, cluster.ca_pem, cluster.admin_token)
        done = play(api, tmp_path, setting_up(), eni_configs=eni_configs)
        assert done.returncode != 0
        assert said in done.stdout
        assert cluster.journal.writes() == []
