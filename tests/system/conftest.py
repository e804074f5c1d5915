# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run against the emulator: each test begins with an empty account, and the environment points at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from harness import Player

from eksops_emulator import Emulator


@pytest.fixture
def emulator(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, and the variables that lead boto3 and amazon.aws to it."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    return emulator


@pytest.fixture
def aws(emulator: Emulator) -> Callable[..., Any]:
    """`aws("ec2")`: a plain boto3 client of the emulator, to arrange and to look; it tries every call once."""

    def client(service: str, region: str = "eu-west-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=emulator.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client


@pytest.fixture
def player(emulator: Emulator) -> Player:
    """Plays modules in this process; see harness.Player."""
    return Player(emulator)
