# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup eks_token and the role eks_kubeconfig lead into a cluster, and no token is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

READ = {
    "kind": "Namespace",
    "name": "kube-system",
    "host": "{{ eks_kubeconfig_result.kubernetes.host }}",
    "ca_cert": "{{ eks_kubeconfig_result.kubernetes.ca_cert }}",
    "api_key": "{{ lookup('eksops.ipv6.eks_token', 'one', **eks_kubeconfig_result.token_options) }}",
}


@pytest.fixture
def reachable() -> Iterator[Emulator]:
    """An account with a cluster `one` whose API answers."""
    with Emulator(kubernetes=True) as emulator:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
        Sample(lambda service: boto3.client(service, endpoint_url=emulator.url, **keys)).cluster("one")
        yield emulator


def run(
    emulator: Emulator, directory: Path, *options: str, tasks: list[dict[str, Any]] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """The role, and tasks after it: those that read by either way unless others are given."""
    role = {
        "role": "eksops.ipv6.eks_kubeconfig",
        "eks_kubeconfig_cluster_name": "one",
        "eks_kubeconfig_ca_path": str(directory / "ca.pem"),
        "eks_kubeconfig_path": str(directory / "kubeconfig"),
        "eks_kubeconfig_auth": "token",
        **more,
    }
    reading: list[dict[str, Any]] = [
        {"name": "By lookup", "kubernetes.core.k8s_info": READ, "register": "one"},
        {
            "name": "By kubeconfig",
            "kubernetes.core.k8s_info": {"kind": "Node", "kubeconfig": str(directory / "kubeconfig")},
            "when": "not ansible_check_mode",
        },
        {"name": "It is there", "ansible.builtin.assert": {"that": "one.resources | length == 1"}},
    ]
    book = directory / "play.yml"
    play = {"hosts": "localhost", "gather_facts": False, "roles": [role], "tasks": reading if tasks is None else tasks}
    book.write_text(yaml.safe_dump([play]))
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "localhost,",
            "-c",
            "local",
            str(book),
            *options,
        ],
        env={
            **os.environ,
            **emulator.environment,
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_LOG_PATH": str(directory / "log"),
            "TMPDIR": str(directory),
        },
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_way_into_a_cluster_shows_no_token(reachable: Emulator, tmp_path: Path) -> None:
    planned = run(reachable, tmp_path, "--check", "--diff", "-vvv")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    done = run(reachable, tmp_path, "--diff", "-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    kubeconfig = tmp_path / "kubeconfig"
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    assert "token: k8s-aws-v1." in kubeconfig.read_text()
    for text in (planned.stdout, planned.stderr, done.stdout, done.stderr, (tmp_path / "log").read_text()):
        assert "k8s-aws-v1." not in text


@pytest.mark.slow
def test_a_task_that_fails_shows_no_token(reachable: Emulator, tmp_path: Path) -> None:
    """Neither one that the API refuses, nor one whose options are wrong, nor, as the README says, one that crashes."""
    way = {name: READ[name] for name in ("host", "ca_cert", "api_key")}
    nobody, by_file = {"host": "https://127.0.0.1:1"}, {"kubeconfig": str(tmp_path / "kubeconfig")}
    nonsense = {"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "a"}}
    tasks = [
        {"name": "Refused", "kubernetes.core.k8s": {**way, "definition": nonsense}, "ignore_errors": True},
        {"name": "Nobody", "kubernetes.core.k8s_info": {**READ, **nobody}, "ignore_errors": True, "no_log": True},
        {"name": "By file", "kubernetes.core.k8s": {**by_file, "definition": nonsense}, "ignore_errors": True},
        {"name": "Wrong", "kubernetes.core.k8s_info": {**READ, "nothing": "x"}, "ignore_errors": True},
    ]
    done = run(reachable, tmp_path, "--diff", "-vvvv", tasks=tasks)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ignored=4" in done.stdout, done.stdout
    for text in (done.stdout, done.stderr, (tmp_path / "log").read_text()):
        assert "k8s-aws-v1." not in text


@pytest.mark.slow
def test_a_temporary_kubeconfig_is_there_in_check_mode_and_is_no_change(reachable: Emulator, tmp_path: Path) -> None:
    by_file = {"kubernetes.core.k8s_info": {"kind": "Node", "kubeconfig": "{{ eks_kubeconfig_result.path }}"}}
    for options in ((), ("--check",)):
        done = run(reachable, tmp_path, *options, "--diff", tasks=[by_file], eks_kubeconfig_temporary=True)
        assert done.returncode == 0, done.stdout + done.stderr
        changed = 0 if options else 1  # the certificate authority, the first time
        assert f"changed={changed} " in done.stdout, done.stdout
        (tmp_path / "kubeconfig").unlink()


@pytest.mark.slow
def test_the_kubeconfig_for_the_aws_cli_holds_no_secret(reachable: Emulator, tmp_path: Path) -> None:
    given = {"eks_kubeconfig_auth": "aws_cli", "eks_kubeconfig_connection": {"profile": "ops"}}
    kubeconfig = tmp_path / "kubeconfig"
    planned = run(reachable, tmp_path, "--check", "--diff", tasks=[], **given)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert not kubeconfig.exists()
    for changed in (1, 0):
        done = run(reachable, tmp_path, tasks=[], **given)
        assert f"changed={changed} " in done.stdout, done.stdout + done.stderr
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    written = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    (user,) = written["users"]
    assert set(user["user"]) == {"exec"}
    assert (user["user"]["exec"]["command"], user["user"]["exec"]["args"]) == (
        "aws",
        ["--profile", "ops", "--region", "eu-west-1", "eks", "get-token", "--cluster-name", "one"],
    )
    assert written["clusters"][0]["cluster"]["server"].startswith("https://")
    assert "k8s-aws-v1." not in kubeconfig.read_text(encoding="utf-8")
