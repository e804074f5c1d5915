# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bottlerocket's settings: TOML that parses to what was meant."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import bottlerocket, user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node

CLUSTER = Cluster("production", "https://api.example", "Q0E=", "fd30:3087:b6c2::/108")


GOLDEN = Path(__file__).parent / "golden"


def read(**options: Any) -> dict[str, Any]:
    node = Node.from_options("bottlerocket", options)
    assert user_data.refuse(CLUSTER, node) == []
    found = tomllib.loads(bottlerocket.text(CLUSTER, node))
    assert found == bottlerocket.settings(CLUSTER, node)
    settings: dict[str, Any] = found["settings"]
    return settings


def refused(**options: Any) -> str:
    return "; ".join(map(str, user_data.refuse(CLUSTER, Node.from_options("bottlerocket", options))))


def test_the_dns_address_is_always_said() -> None:
    assert read()["kubernetes"] == {
        "cluster-name": "production",
        "api-server": "https://api.example",
        "cluster-certificate": "Q0E=",
        "cluster-dns-ip": "fd30:3087:b6c2::a",
    }


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("bottlerocket-*.txt")), ids=lambda path: path.stem)
def test_every_golden_file_parses_and_says_the_dns_address(path: Path) -> None:
    settings = tomllib.loads(path.read_text(encoding="utf-8"))["settings"]
    assert settings["kubernetes"]["cluster-dns-ip"] == "fd30:3087:b6c2::a"


def test_labels_and_taints_have_tables_of_their_own() -> None:
    taints = [{"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "k", "value": "v", "effect": "NO_EXECUTE"}]
    kubernetes = read(labels={"example.com/a": "b"}, taints=taints)["kubernetes"]
    assert kubernetes["node-labels"] == {"example.com/a": "b"}
    assert kubernetes["node-taints"] == {"k": ["v:NoSchedule", "v:NoExecute"]}


def test_settings_of_ones_own_are_merged() -> None:
    settings = read(settings={"kubernetes": {"log-level": 2}, "motd": 'a "quoted"\nline \\ of text'})
    assert settings["kubernetes"]["log-level"] == 2
    assert settings["kubernetes"]["cluster-dns-ip"] == "fd30:3087:b6c2::a"
    assert settings["motd"] == 'a "quoted"\nline \\ of text'


@pytest.mark.parametrize("name", ["cluster-dns-ip", "cluster_dns_ip", "node-ip", "api-server", "max-pods"])
def test_settings_that_undo_the_family_are_refused(name: str) -> None:
    assert f"settings.kubernetes.{name}" in refused(settings={"kubernetes": {name: "10.100.0.10"}})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kubelet_arguments": ["--v=4"]}, "kubelet_arguments: bottlerocket has nothing of the kind"),
        ({"parts_before": ["#!/bin/sh\n"]}, "parts_before: bottlerocket has nothing of the kind"),
        ({"local_disks": "raid10"}, "one raid0"),
        ({"settings": {"a": None}}, "TOML has no None"),
        ({"settings": {"kubernetes": 1}}, "must be a dictionary"),
    ],
)
def test_what_bottlerocket_has_not_is_refused(options: dict[str, Any], reason: str) -> None:
    assert reason in refused(**options)
