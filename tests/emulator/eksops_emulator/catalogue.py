# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images and SSM public parameters of EKS's AMI families, made up per region but always the same.

Parameter names as the EKS user guide ("Retrieve recommended Amazon Linux AMI IDs", "... Bottlerocket AMI IDs") and the
Bottlerocket documentation give them. Release versions and image ids are invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# Kubernetes versions that the emulated EKS knows; the newest last.
KUBERNETES = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35")
_AL2023 = (
    ("x86_64", "standard", "x86_64"),
    ("arm64", "standard", "arm64"),
    ("x86_64", "nvidia", "x86_64"),
    ("arm64", "nvidia", "arm64"),
    ("x86_64", "neuron", "x86_64"),
)
_BOTTLEROCKET = (("", "x86_64"), ("", "arm64"), ("-nvidia", "x86_64"), ("-nvidia", "arm64"))
_AL2023_RELEASE = "20261101"
_BOTTLEROCKET_RELEASE = "1.52.0"


@dataclass(frozen=True)
class Image:
    """An image; `parameters` are the SSM parameters that speak of it, name to value."""

    id: str
    name: str
    description: str
    architecture: str
    parameters: tuple[tuple[str, str], ...]


def _id(region: str, name: str) -> str:
    return "ami-" + hashlib.sha256(f"{region}/{name}".encode()).hexdigest()[:17]


def _al2023(region: str, version: str) -> Iterator[Image]:
    for architecture, variant, machine in _AL2023:
        name = f"amazon-eks-node-al2023-{architecture}-{variant}-{version}-v{_AL2023_RELEASE}"
        image_id, release = _id(region, name), f"{version}.0-{_AL2023_RELEASE}"
        base = f"/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{architecture}/{variant}"
        parameters = []
        for place in ("recommended", name):
            parameters.append((f"{base}/{place}/image_id", image_id))
            parameters.append((f"{base}/{place}/image_name", name))
            parameters.append((f"{base}/{place}/release_version", release))
        yield Image(image_id, name, f"EKS-optimized Amazon Linux 2023, {variant}", machine, tuple(parameters))


def _bottlerocket(region: str, version: str) -> Iterator[Image]:
    for suffix, machine in _BOTTLEROCKET:
        name = f"bottlerocket-aws-k8s-{version}{suffix}-{machine}-v{_BOTTLEROCKET_RELEASE}"
        image_id = _id(region, name)
        base = f"/aws/service/bottlerocket/aws-k8s-{version}{suffix}/{machine}"
        parameters = tuple(
            item
            for place in ("latest", _BOTTLEROCKET_RELEASE)
            for item in (
                (f"{base}/{place}/image_id", image_id),
                (f"{base}/{place}/image_version", _BOTTLEROCKET_RELEASE),
            )
        )
        yield Image(image_id, name, f"Bottlerocket for EKS {version}{suffix}", machine, parameters)


@cache
def images(region: str) -> tuple[Image, ...]:
    """All images of a region."""
    found = [image for version in KUBERNETES for make in (_al2023, _bottlerocket) for image in make(region, version)]
    for machine in ("x86_64", "arm64"):
        name = f"al2023-ami-2023.9.{_AL2023_RELEASE}.0-kernel-6.1-{machine}"
        parameter = f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{machine}"
        image_id = _id(region, name)
        found.append(Image(image_id, name, "Amazon Linux 2023", machine, ((parameter, image_id),)))
    return tuple(found)
