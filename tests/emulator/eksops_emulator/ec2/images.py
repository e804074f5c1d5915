# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The region's machine images: those that SSM's public parameters for EKS name, and a plain Amazon Linux.

moto's own 1282 images take half a second per region and none of them is an EKS image.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami

from ..catalogue import images
from .family import Responses

# AWS's account for EKS images, the same in most commercial regions (EKS user guide).
EKS_OWNER = "602401143452"


class ImageBackend:
    """Images in place of moto's."""

    def _load_amis(self: Any) -> None:
        for image in images(self.region_name):
            self.amis[image.id] = Ami(
                self,
                image.id,
                name=image.name,
                description=image.description,
                owner_id=EKS_OWNER,
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture=image.architecture,
                hypervisor="xen",
                image_location=f"amazon/{image.name}",
                root_device_type="ebs",
                root_device_name="/dev/xvda",
                region_name=f"{self.region_name}a",
            )


class ImageResponses(Responses):
    """moto's answers."""
