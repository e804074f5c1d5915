# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EKS for moto's server: the whole service, held to botocore's model both ways.

`install()` puts it in the place of moto's own EKS, once per process, before the server starts. What is emulated,
how many polls a state takes and what is presumed about AWS stands in this folder's README.md; how a Kubernetes
API server plugs in, in `hooks`.
"""

from __future__ import annotations

from eksops_emulator import drift, states

from . import hooks
from .life import MODELS

DRIFT = drift.DRIFT
_installed = False


def install() -> None:
    """Replace moto's EKS. Raises RuntimeError when moto no longer has what is replaced or used."""
    global _installed
    if _installed:
        return
    from moto.autoscaling.models import AutoScalingBackend
    from moto.core.base_backend import BaseBackend
    from moto.core.responses import BaseResponse
    from moto.ec2.models import EC2Backend
    from moto.eks.models import eks_backends
    from moto.iam.access_control import IAMRequest
    from moto.iam.models import IAMBackend
    from moto.moto_api._internal.managed_state_model import ManagedState
    from moto.sts.models import STSBackend

    from eksops_emulator.autoscaling import launching
    from eksops_emulator.ec2 import instances
    from eksops_emulator.overlay import require

    from . import self_managed
    from .backend import EksBackend

    require(eks_backends, "backend", "clear")
    require(BaseBackend, "_url_module", "reset", "flask_paths")
    require(BaseResponse, "call_action", "_get_action", "_authenticate_and_authorize_normal_action", "get_access_key")
    require(ManagedState, "advance", "status", "_get_next_status")
    require(EC2Backend, "create_security_group", "authorize_security_group_ingress", "authorize_security_group_egress")
    require(EC2Backend, "create_network_interface", "get_security_group_from_id", "create_launch_template")
    require(AutoScalingBackend, "create_auto_scaling_group", "delete_auto_scaling_group", "set_desired_capacity")
    require(IAMBackend, "get_roles", "create_instance_profile", "delete_instance_profile")
    require(IAMRequest, "check_action_permitted")
    require(STSBackend, "get_assumed_role_from_access_key", "get_caller_identity")
    for model in MODELS:
        states.register(model)
    launching.after_describe = instances.after_change = self_managed.look
    eks_backends.clear()
    eks_backends.backend = EksBackend  # type: ignore[assignment]
    _installed = True


__all__ = ["DRIFT", "hooks", "install"]
