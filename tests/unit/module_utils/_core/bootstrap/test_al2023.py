# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodeConfig, held against a schema of its documented fields that knows nothing else."""

from __future__ import annotations

import email
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import al2023, user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node

CLUSTER = Cluster("production", "https://api.example", "Q0E=", "fd30:3087:b6c2::/108")
# Source: nodeadm API reference, node.eks.aws/v1alpha1. A dictionary is a struct, a list has one kind of item.
SCHEMA: dict[str, Any] = {
    "apiVersion": str,
    "kind": str,
    "spec": {
        "cluster": {"name": str, "apiServerEndpoint": str, "certificateAuthority": str, "cidr": str},
        "kubelet": {"config": dict, "flags": [str], "maxPodsExpression": str},
        "containerd": {"config": str, "baseRuntimeSpec": dict},
        "instance": {
            "localStorage": {"strategy": str, "mountPath": str, "disabledMounts": [str]},
            "environment": dict,
            "network": {"nameservers": [str], "domains": [str]},
        },
        "featureGates": {"InstanceIdNodeName": bool, "FastImagePull": bool},
    },
}


GOLDEN = Path(__file__).parent / "golden"


def violations(value: Any, schema: Any, where: str = "") -> list[str]:
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        unknown = [f"{where}.{key} is unknown" for key in value if key not in schema]
        known = [violations(item, schema[key], f"{where}.{key}") for key, item in value.items() if key in schema]
        return [*unknown, *(line for lines in known for line in lines)]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [line for item in value for line in violations(item, schema[0], f"{where}[]")]
    return [] if isinstance(value, schema) else [f"{where} is no {schema.__name__}"]


def read(**options: Any) -> dict[str, Any]:
    node = Node.from_options("al2023", options)
    assert user_data.refuse(CLUSTER, node) == []
    document = yaml.safe_load(al2023.text(CLUSTER, node))
    assert document == al2023.node_config(CLUSTER, node)
    assert violations(document, SCHEMA) == []
    assert (document["apiVersion"], document["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")
    found: dict[str, Any] = document["spec"]
    return found


def refused(**options: Any) -> str:
    return "; ".join(map(str, user_data.refuse(CLUSTER, Node.from_options("al2023", options))))


def test_the_schema_knows_nothing_else() -> None:
    assert violations({"spec": {"cluster": {"ipFamily": "ipv6"}}}, SCHEMA) == [".spec.cluster.ipFamily is unknown"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("al2023-*.txt")), ids=lambda path: path.stem)
def test_every_golden_node_config_is_of_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    document = email.message_from_string(text)
    if document.is_multipart():
        payloads = [
            part.get_payload(decode=True)
            for part in document.walk()
            if part.get_content_type() == "application/node.eks.aws"
        ]
        (text,) = (payload.decode() for payload in payloads if isinstance(payload, bytes))
    config = yaml.safe_load(text)
    assert violations(config, SCHEMA) == []
    assert config["spec"].get("cluster", {}).get("cidr") == (
        None if "completed_by_eks" in path.stem else "fd30:3087:b6c2::/108"
    )


def test_the_cluster_is_described_whole() -> None:
    assert read()["cluster"] == {
        "name": "production",
        "apiServerEndpoint": "https://api.example",
        "certificateAuthority": "Q0E=",
        "cidr": "fd30:3087:b6c2::/108",
    }


def test_every_option_has_its_documented_place() -> None:
    spec = read(
        max_pods=110,
        labels={"a": "b"},
        taints=[{"key": "k", "effect": "NO_EXECUTE"}],
        kubelet_arguments=["--v=4"],
        kubelet_config={"shutdownGracePeriod": "30s", "nested": [{"a": [1, {"b": None}]}, [], {}]},
        containerd_config="[plugins]\nkey = 1\n",
        local_disks="mount",
        node_config={
            "instance": {"localStorage": {"mountPath": "/data"}, "network": {"nameservers": ["fd00::53"]}},
            "kubelet": {"flags": ["--v=2"], "maxPodsExpression": "max_pods"},
            "featureGates": {"InstanceIdNodeName": True},
        },
    )
    assert spec["kubelet"]["config"]["maxPods"] == 110
    assert spec["kubelet"]["flags"] == ["--node-labels=a=b", "--register-with-taints=k=:NoExecute", "--v=4", "--v=2"]
    assert spec["containerd"]["config"] == "[plugins]\nkey = 1\n"
    assert spec["instance"]["localStorage"] == {"strategy": "Mount", "mountPath": "/data"}


def test_eks_completes_it_for_a_managed_group() -> None:
    assert "cluster" not in read(completed_by_eks=True, labels={"a": "b"})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"cluster": {"cidr": "2600:1f14:abc:de00::/56"}}, "comes from the cluster itself"),
        ({"cluster": {"enableOutpost": True}}, "Outposts"),
        ({"kubelets": {}}, "node_config.kubelets: nodeadm documents no such field"),
        ({"instance": {"localStorage": {"raid": 0}}}, "node_config.instance.localStorage.raid"),
        ({"instance": []}, "must be a dictionary"),
        ({"kubelet": {"config": {"clusterDNS": ["10.100.0.10"]}}}, "clusterDNS"),
        ({"kubelet": {"flags": ["--node-ip=10.0.0.1"]}}, "--node-ip"),
    ],
)
def test_what_nodeadm_does_not_know_is_refused(config: dict[str, Any], reason: str) -> None:
    assert reason in refused(node_config=config)


def test_a_node_config_in_a_part_is_refused() -> None:
    part = {"content": "spec: {}", "content_type": "application/node.eks.aws"}
    assert "Give it as node_config" in refused(parts_after=[part])


def test_bootstrap_sh_is_refused() -> None:
    assert "only fails on Amazon Linux 2023" in refused(parts_before=["#!/bin/sh\n/etc/eks/bootstrap.sh x\n"])


def test_options_of_another_family_are_refused() -> None:
    text = refused(settings={"kernel": {}}, bootstrap_arguments=["--mount-bpf-fs", "true"])
    assert "settings: al2023 has nothing of the kind" in text and "bootstrap_arguments: al2023" in text
