# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of bootstrap.sh, read by a strict parser of its documented contract.

What the script itself lets pass is an error here. Source: amazon-eks-ami, the last tree with Amazon Linux 2.
"""

from __future__ import annotations

import email
import ipaddress
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import al2, user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node

WITH_VALUE = (
    "--apiserver-endpoint --aws-api-retry-attempts --b64-cluster-ca --cluster-id --container-runtime "
    "--containerd-config-file --dns-cluster-ip --docker-config-json --enable-docker-bridge --enable-local-outpost "
    "--ip-family --kubelet-extra-args --local-disks --mount-bpf-fs --pause-container-account "
    "--pause-container-version --service-ipv4-cidr --service-ipv6-cidr --use-max-pods"
).split()


GOLDEN = Path(__file__).parent / "golden"


class Wrong(Exception):
    """The arguments make no IPv6 node."""


@dataclass(frozen=True)
class BootedNode:
    """What the script makes of its arguments."""

    cluster: str
    family: str
    dns_address: str
    options: dict[str, str]


def boot(arguments: list[str]) -> BootedNode:
    """Read the arguments; anything but a whole IPv6 node is Wrong."""
    positional: list[str] = []
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            positional.append(word)
            continue
        if "=" in word:
            raise Wrong(f"{word}: swallowed as a positional argument")
        if word not in WITH_VALUE or word in options or not rest:
            raise Wrong(f"{word}: unknown, given twice, or without a value")
        options[word] = rest.pop(0)
    if len(positional) != 1:
        raise Wrong(f"one cluster name is needed, not {positional}")
    if options.get("--ip-family", "").lower() != "ipv6":
        raise Wrong("without --ip-family ipv6 it becomes an IPv4 node")
    if "--service-ipv4-cidr" in options or "--enable-local-outpost" in options:
        raise Wrong("an IPv4 service range or an Outpost")
    if ("--b64-cluster-ca" in options) != ("--apiserver-endpoint" in options):
        raise Wrong("CA and endpoint belong together")
    if "--b64-cluster-ca" not in options:
        raise Wrong("DescribeCluster's range overrules the argument")
    if "--service-ipv6-cidr" not in options:
        raise Wrong("One of --service-ipv6-cidr or --dns-cluster-ip must be provided when --ip-family is ipv6")
    cidr = ipaddress.IPv6Network(options["--service-ipv6-cidr"])
    if not cidr.subnet_of(ipaddress.IPv6Network("fd00::/8")) or cidr.prefixlen != 108:
        raise Wrong(f"{cidr} is no service range")
    written = options["--service-ipv6-cidr"].split("/")[0] + "a"  # the script's own way, by text
    return BootedNode(positional[0], "ipv6", str(ipaddress.IPv6Address(written)), options)


CLUSTER = Cluster("production", "https://api.example", "Q0E=", "fd30:3087:b6c2::/108")


def node(**options: Any) -> Node:
    return Node.from_options("al2", options)


def refused(cluster: Cluster = CLUSTER, **options: Any) -> str:
    return "; ".join(map(str, user_data.refuse(cluster, node(**options))))


@pytest.mark.parametrize(
    ("cidr", "dns"),
    [
        ("fd30:3087:b6c2::/108", "fd30:3087:b6c2::a"),
        ("FD30:3087:B6C2:0:0:0:0:0/108", "fd30:3087:b6c2::a"),
        ("fdd3:7636:68bc::/108", "fdd3:7636:68bc::a"),
        ("fd40:6404:f93b:0:0:0:60:0/108", "fd40:6404:f93b::60:a"),
        ("fd00:1:2:3:4:5:60:0/108", "fd00:1:2:3:4:5:60:a"),
    ],
)
def test_the_arguments_make_an_ipv6_node_with_the_clusters_dns(cidr: str, dns: str) -> None:
    cluster = Cluster("production", "https://api.example", "Q0E=", cidr)
    assert user_data.refuse(cluster, node()) == []
    booted = boot(al2.arguments(cluster, node()))
    assert (booted.cluster, booted.family, booted.dns_address) == ("production", "ipv6", dns)
    assert booted.dns_address == cluster.dns_address


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("al2-*.txt")), ids=lambda path: path.stem)
def test_every_golden_script_boots_an_ipv6_node(path: Path) -> None:
    document = email.message_from_string(path.read_text(encoding="utf-8"))
    texts = [path.read_text(encoding="utf-8")]
    if document.is_multipart():
        payloads = [part.get_payload(decode=True) for part in document.walk() if not part.is_multipart()]
        texts = [payload.decode() for payload in payloads if isinstance(payload, bytes)]
    calls = [words[1:] for text in texts if (words := bootstrap_call(text))]
    assert len(calls) == 1
    booted = boot(calls[0])
    assert (booted.cluster, booted.family, booted.dns_address) == ("production", "ipv6", "fd30:3087:b6c2::a")


def bootstrap_call(script: str) -> list[str]:
    """The words of the call of bootstrap.sh, as the shell hands them over; empty without one."""
    words = shlex.split(script, comments=True)
    return words[words.index("/etc/eks/bootstrap.sh") :] if "/etc/eks/bootstrap.sh" in words else []


def test_the_shell_hands_the_script_what_was_meant() -> None:
    wishes = node(
        max_pods=110,
        labels={"a": "b", "c": "d"},
        taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        kubelet_arguments=["--system-reserved=cpu=100m", "--note=it's quoted"],
        bootstrap_arguments=["--container-runtime", "containerd"],
        local_disks="raid0",
    )
    booted = boot(shlex.split(al2.command_line(CLUSTER, wishes)))
    assert booted.options["--use-max-pods"] == "false"
    assert booted.options["--kubelet-extra-args"] == (
        "--max-pods=110 --node-labels=a=b,c=d --register-with-taints=k=v:NoSchedule --system-reserved=cpu=100m"
        " --note=it's quoted"
    )
    assert booted.options["--local-disks"] == "raid0"


@pytest.mark.parametrize(
    "arguments",
    [
        ["production", "--ip-family=ipv6", "--service-ipv6-cidr=fd30::/108"],
        ["production", "--b64-cluster-ca", "Q0E=", "--apiserver-endpoint", "https://api.example"],
        ["production", "--ip-family", "ipv6", "--service-ipv6-cidr", "fd30::/108"],
        [*al2.arguments(CLUSTER, node()), "--service-ipv4-cidr", "10.100.0.0/16"],
    ],
)
def test_the_contract_is_strict(arguments: list[str]) -> None:
    with pytest.raises(Wrong):
        boot(arguments)


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        ("", "is missing"),
        ("2600:1f14:abc:de00::/56", "public space"),
        ("2600:1f14:abc:de00::/108", "public space"),
        ("10.100.0.0/16", "is an IPv4 range"),
        ("fd30:3087:b6c2::/112", "is no /108"),
        ("fd30:3087:b6c2::/64", "is no /108"),
        ("fd30:3087:b6c2::a/108", "has host bits set"),
        ("fc00::/108", "public space"),
        ("somewhere", "does not appear"),
    ],
)
def test_a_wrong_service_range_is_refused(cidr: str, reason: str) -> None:
    text = refused(Cluster("production", "https://api.example", "Q0E=", cidr))
    assert "service_ipv6_cidr" in text and reason in text


@pytest.mark.parametrize("member", ["name", "endpoint", "certificate_authority_data"])
def test_the_cluster_is_described_whole_or_not_at_all(member: str) -> None:
    whole = {"name": "a", "endpoint": "https://b", "certificate_authority_data": "c", "service_ipv6_cidr": "fd30::/108"}
    text = refused(Cluster.from_facts({**whole, member: ""}))
    assert text.startswith(f"cluster.{member}")


def test_an_ipv4_cluster_is_refused() -> None:
    assert "family ipv4" in refused(Cluster("a", "https://b", "c", "", "ipv4"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--ip-family=ipv6"], "becomes an IPv4 node"),
        (["--service-ipv6-cidr", "fd30::/108"], "is rendered from the cluster"),
        (["--ip-family", "ipv4"], "is rendered from the cluster"),
        (["--service-ipv4-cidr", "10.0.0.0/16"], "no IPv4 service range"),
        (["--dns-cluster-ip", "10.100.0.10"], "the DNS address comes from"),
        (["--enable-local-outpost", "true"], "Outposts"),
        (["--use-max-pods", "true"], "is rendered from"),
        (["--unheard-of", "x"], "documents no --unheard-of"),
        (["--container-runtime"], "followed by its value"),
    ],
)
def test_arguments_that_undo_the_family_are_refused(arguments: list[str], reason: str) -> None:
    assert reason in refused(bootstrap_arguments=arguments)


@pytest.mark.parametrize("argument", ["--node-ip=10.0.0.1", "--cluster-dns=10.100.0.10", "--max-pods=29"])
def test_kubelet_arguments_that_undo_the_family_are_refused(argument: str) -> None:
    assert "kubelet_arguments" in refused(kubelet_arguments=[argument])


def test_a_part_that_calls_bootstrap_sh_itself_is_refused() -> None:
    assert "is called once" in refused(parts_before=["#!/bin/bash\n/etc/eks/bootstrap.sh production\n"])


def test_eks_completes_no_amazon_linux_2() -> None:
    assert "completed_by_eks" in refused(completed_by_eks=True)


def test_windows_is_refused() -> None:
    (problem,) = user_data.refuse(CLUSTER, Node("windows"))
    assert "no Windows nodes" in str(problem)
