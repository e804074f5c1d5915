# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data as a node reads it at its first boot: the cluster it means to join, and as what.

Sources: amazon-eks-ami (bootstrap.sh of Amazon Linux 2; nodeadm's NodeConfig), Bottlerocket's settings.kubernetes,
cloud-init (multipart documents). Of a script only the line that calls bootstrap.sh is read, and plain assignments
before it.
"""

from __future__ import annotations

import base64
import binascii
import email
import gzip
import re
import shlex
import string
import tomllib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import takewhile
from typing import Any

import yaml

_GZIP = b"\x1f\x8b"
# What reading a document of another shape than the node expects ends in: the node gives up, too.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError)
_MIME = re.compile(rb"(?i)\s*(mime-version|content-type):")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)")
_BOOTSTRAP = "/etc/eks/bootstrap.sh"
_NODE_CONFIG = "application/node.eks.aws"
# All arguments of bootstrap.sh; each takes a value. What else it finds it takes for a position.
_ARGUMENTS = frozenset(
    "--" + name
    for name in (
        "apiserver-endpoint aws-api-retry-attempts b64-cluster-ca cluster-id container-runtime containerd-config-file "
        "dns-cluster-ip docker-config-json enable-docker-bridge enable-local-outpost ip-family kubelet-extra-args "
        "local-disks mount-bpf-fs pause-container-account pause-container-version service-ipv4-cidr service-ipv6-cidr "
        "use-max-pods"
    ).split()
)


Taint = tuple[str, str, str]  # key, value, effect


@dataclass(frozen=True)
class Join:
    """What a node makes of its user data. Endpoint, authority and family are None where it asks DescribeCluster."""

    cluster: str
    endpoint: str | None
    authority: str | None
    ipv6: bool | None
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


Reader = Callable[[bytes], Join | None]


@lru_cache(maxsize=256)
def read(text: str, image: str) -> Join | None:
    """What a node of an image of this name does with user data in base64; None when it joins no cluster."""
    data = _unpacked(base64.b64decode(text))
    readers = next(readers for prefix, readers in _IMAGES if image.startswith(prefix))
    return next(filter(None, (_tried(reader, data) for reader in readers)), None)


def _tried(reader: Reader, data: bytes) -> Join | None:
    try:
        return reader(data)
    except _UNREADABLE:
        return None


def _unpacked(data: bytes) -> bytes:
    """Without the gzip and base64 around it, in whatever order."""
    while data:
        try:
            if data.startswith(_GZIP):
                data = gzip.decompress(data)
            else:
                data = base64.b64decode(b"".join(data.split()), validate=True)
        except (binascii.Error, OSError, EOFError, zlib.error):
            break
    return data


def _parts(data: bytes) -> Iterator[tuple[str | None, bytes]]:
    """The parts of a multipart document with their whole content type; or a plain document without."""
    if not _MIME.match(data):
        yield None, data
        return
    for part in email.message_from_bytes(data.lstrip()).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield str(part.get("Content-Type", "")), _unpacked(payload)


# --- Amazon Linux 2023 -----------------------------------------------------------------------------------------------


def _al2023(data: bytes) -> Join | None:
    spec: dict[str, Any] = {}
    for kind, content in _parts(data):
        if kind in (None, _NODE_CONFIG):
            document = yaml.safe_load(content)
            if (document["apiVersion"], document["kind"]) != ("node.eks.aws/v1alpha1", "NodeConfig"):
                return None
            spec = _merged(spec, document.get("spec") or {})
    cluster = spec["cluster"]
    name, endpoint, authority = (
        str(cluster[key] or "") for key in ("name", "apiServerEndpoint", "certificateAuthority")
    )
    ipv6 = ip_network(str(cluster["cidr"]), strict=False).version == 6
    flags = [str(flag) for flag in (spec.get("kubelet") or {}).get("flags") or []]
    return Join(name, endpoint, authority, ipv6, *_registration(flags)) if name and endpoint and authority else None


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """nodeadm's merge: maps are merged, the kubelet's flags appended, the rest of a later part wins."""
    merged = dict(one)
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _merged(merged[name], value)
        elif name == "flags" and isinstance(merged.get(name), list):
            merged[name] = [*merged[name], *value]
        else:
            merged[name] = value
    return merged


def _registration(flags: list[str]) -> tuple[dict[str, str], tuple[Taint, ...]]:
    """The labels and taints that the kubelet's flags, NAME=VALUE or NAME VALUE, register the node with."""
    given: dict[str, str] = {}
    rest = iter(flags)
    for flag in rest:
        name, equals, value = flag.partition("=")
        if name in ("--node-labels", "--register-with-taints"):
            given[name] = value if equals else next(rest, "")
    labels = [item.partition("=") for item in given.get("--node-labels", "").split(",") if item]
    taints = [item.rpartition(":") for item in given.get("--register-with-taints", "").split(",") if item]
    split = [(*held.partition("="), effect) for held, _unused, effect in taints]
    return {key: value for key, _unused, value in labels}, tuple(
        (key, value, last) for key, _unused, value, last in split
    )


# --- Bottlerocket ----------------------------------------------------------------------------------------------------


def _bottlerocket(data: bytes) -> Join | None:
    """Without `cluster-dns-ip` the node is one of IPv4 (pluto); the image knows no multipart documents."""
    settings = tomllib.loads(data.decode())["settings"]["kubernetes"]
    dns = settings.get("cluster-dns-ip") or "0.0.0.0"
    address = settings.get("node-ip") or (dns[0] if isinstance(dns, list) else dns)
    labels = {str(key): str(value) for key, value in settings.get("node-labels", {}).items()}
    taints = []
    for key, held in settings.get("node-taints", {}).items():
        for text in held if isinstance(held, list) else [held]:
            value, _unused, effect = str(text).rpartition(":")
            taints.append((str(key), value, effect))
    name, endpoint, authority = (str(settings[key]) for key in ("cluster-name", "api-server", "cluster-certificate"))
    return Join(name, endpoint, authority, ip_address(str(address)).version == 6, labels, tuple(taints))


# --- Amazon Linux 2 --------------------------------------------------------------------------------------------------


def _al2(data: bytes) -> Join | None:
    for kind, content in _parts(data):
        if (kind is None or kind.startswith("text/")) and content.startswith(b"#!"):
            words = _called(content.decode())
            if words is not None:
                return _bootstrap(words)
    return None


def _called(script: str) -> list[str] | None:
    """The words behind /etc/eks/bootstrap.sh, with the variables that were assigned before."""
    assigned: dict[str, str] = {}
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = [string.Template(word).safe_substitute(assigned) for word in lexer]
        except ValueError:  # a quotation over several lines
            continue
        for index, word in enumerate(words):
            found = _ASSIGNMENT.fullmatch(word)
            if found:
                assigned[found[1]] = found[2]
            elif word == _BOOTSTRAP:
                return list(takewhile(lambda other: other[:1] not in tuple(";&|<>()"), words[index + 1 :]))
            elif word not in ("export", "exec", "sudo"):
                break
    return None


def _bootstrap(words: list[str]) -> Join | None:
    given: dict[str, str] = {}
    positions: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in _ARGUMENTS:
            given[word] = next(rest, "")
        else:
            positions.append(word)
    family, cidr = given.get("--ip-family", "").lower(), given.get("--service-ipv6-cidr", "")
    if not positions or family not in ("", "ipv4", "ipv6") or (family == "ipv4" and cidr):
        return None
    registration = _registration(shlex.split(given.get("--kubelet-extra-args", "")))
    ipv6 = family == "ipv6" or bool(cidr)
    authority, endpoint = given.get("--b64-cluster-ca"), given.get("--apiserver-endpoint")
    if not authority or not endpoint:
        return Join(positions[0], None, None, ipv6 if family or cidr else None, *registration)
    if ipv6 and not cidr and not given.get("--dns-cluster-ip"):
        return None
    return Join(positions[0], endpoint, authority, ipv6, *registration)


# How an image's name begins, and what it understands: EKS's own images one thing each, plain Amazon Linux nothing, and
# an image of somebody's own whatever it is given.
_IMAGES: tuple[tuple[str, tuple[Reader, ...]], ...] = (
    ("amazon-eks-node-al2023-", (_al2023,)),
    ("bottlerocket-", (_bottlerocket,)),
    ("al2023-ami-", ()),
    ("", (_al2023, _bottlerocket, _al2)),
)
