# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon an asynchronous state changes. moto's state manager decides; the models are named here.

`manual` with `times` n: a state changes when it has been described n times. `time` with `seconds`, `immediate`.
"""

from __future__ import annotations

from typing import Any

from moto.moto_api import state_manager

DEFAULT = {"progression": "manual", "times": 2}
MODELS = [
    "ec2::vpc_cidr",
    "ec2::subnet_cidr",
    "ec2::nat_gateway",
    "ec2::vpc_endpoint",
    "ec2::ipam",
    "eks::cluster",
    "eks::nodegroup",
    "eks::addon",
    "eks::fargate_profile",
    "eks::update",
]


def register(model_name: str, transition: dict[str, Any] | None = None) -> None:
    """Adds a model with its own default transition."""
    if model_name not in MODELS:
        MODELS.append(model_name)
    state_manager.register_default_transition(model_name, transition or DEFAULT)


def reset() -> None:
    """Back to the defaults."""
    for name in list(state_manager._transitions):
        state_manager.unset_transition(name)
    for name in MODELS:
        if name not in state_manager.get_registered_models():
            register(name)


def set_transition(model_name: str = "*", **transition: Any) -> None:
    """Sets the transition of one model, or of all with `*`, until the next reset.

    Args:
        transition: `progression` (`manual`, `time`, `immediate`) with `times` or `seconds`. Without a progression,
            `times` means manual and `seconds` means time.
    """
    if "progression" not in transition:
        transition["progression"] = "manual" if "times" in transition else "time"
    if transition["progression"] not in ("manual", "time", "immediate"):
        raise ValueError("progression is manual, time or immediate")
    names = MODELS if model_name == "*" else [model_name]
    for name in names:
        if name not in MODELS:
            raise ValueError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
        state_manager.set_transition(name, transition)
