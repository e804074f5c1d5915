# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSM's public parameters for EKS's images, from `catalogue.py`. No client can write them, at AWS as here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.ssm.models import Parameter, ParameterDict

from .catalogue import images
from .overlay import require

_ROOTS = ("/aws/service/eks/", "/aws/service/bottlerocket/", "/aws/service/ami-amazon-linux-latest")
_CREATED = datetime(2026, 11, 1, tzinfo=UTC)


def _load(parameters: Any) -> None:
    for image in images(parameters.region_name):
        for name, value in image.parameters:
            is_image = value.startswith("ami-")
            parameter = Parameter(  # type: ignore[abstract]
                account_id=parameters.account_id,
                name=name,
                value=value,
                parameter_type="String",
                description=None,
                allowed_pattern=None,
                keyid=None,
                last_modified_date=_CREATED,
                version=1,
                data_type="aws:ec2:image" if is_image else "text",
            )
            dict.__setitem__(parameters, name, [parameter])


def install() -> None:
    """Lets moto's parameter store know these parameters once one of them is asked for."""
    require(ParameterDict, "_check_loading_status")
    moto_check = ParameterDict._check_loading_status

    def check(self: Any, key: str) -> None:
        if not str(key or "").startswith(_ROOTS):
            moto_check(self, key)
        elif not getattr(self, "eks_images_loaded", False):
            self.eks_images_loaded = True
            _load(self)

    ParameterDict._check_loading_status = check  # type: ignore[method-assign]
