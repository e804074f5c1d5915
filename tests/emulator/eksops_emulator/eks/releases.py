# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and images of managed node groups: the newest is the one that SSM's public parameters recommend."""

from __future__ import annotations

from functools import cache

from eksops_emulator.catalogue import images

# Dates and versions before the newest; families that the catalogue has no images of have only these.
_OLDER_DATES = ("20261003", "20260905")
_OLDER_BOTTLEROCKET = ("1.51.0", "1.50.1")
_WINDOWS_DATES = ("2026.10.14", "2026.09.09")


def releases(ami_type: str, kubernetes: str) -> list[str]:
    """The release versions of an AMI type for a Kubernetes version, newest first; none for CUSTOM."""
    if ami_type == "CUSTOM":
        return []
    if ami_type.startswith("WINDOWS"):
        return [f"{kubernetes}-{date}" for date in _WINDOWS_DATES]
    newest = _parameters("us-east-1").get(_path(ami_type, kubernetes)[0])
    if ami_type.startswith("BOTTLEROCKET"):
        return [*([newest] if newest else []), *_OLDER_BOTTLEROCKET]
    return [*([newest] if newest else []), *(f"{kubernetes}.0-{date}" for date in _OLDER_DATES)]


def image_id(ami_type: str, kubernetes: str, region: str) -> str:
    """The newest image of an AMI type; for a type that the catalogue lacks any image of its architecture."""
    known = _parameters(region).get(_path(ami_type, kubernetes)[1])
    return known or next(image.id for image in images(region) if image.architecture == architecture(ami_type))


def architecture(ami_type: str) -> str:
    """The processor architecture of an AMI type, in DescribeInstanceTypes' words."""
    return "arm64" if "ARM_64" in ami_type else "x86_64"


def _path(ami_type: str, kubernetes: str) -> tuple[str, str]:
    """The SSM parameters with the newest release and image of an AMI type (EKS User Guide, recommended AMI IDs)."""
    machine = architecture(ami_type)
    if ami_type.startswith("BOTTLEROCKET"):
        suffix = "-nvidia" if "NVIDIA" in ami_type else ""
        base = f"/aws/service/bottlerocket/aws-k8s-{kubernetes}{suffix}/{machine}/latest"
        return f"{base}/image_version", f"{base}/image_id"
    variant = ami_type.rsplit("_", 1)[-1].lower()
    base = f"/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2023/{machine}/{variant}/recommended"
    return f"{base}/release_version", f"{base}/image_id"


@cache
def _parameters(region: str) -> dict[str, str]:
    return {name: value for image in images(region) for name, value in image.parameters}
