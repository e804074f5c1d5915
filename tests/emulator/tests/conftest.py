# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's own tests. `emulator` comes from the tests' common conftest: an empty account, no drift afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from eksops_contract import World

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample
from eksops_emulator.kubernetes import ClusterEndpoints


@pytest.fixture(scope="session")
def _clients() -> dict[tuple[str, ...], Any]:
    return {}


@pytest.fixture
def aws(emulator: Emulator, _clients: dict[tuple[str, ...], Any]) -> Callable[..., Any]:
    """`aws(service, region="eu-west-1")`: a boto3 client of the emulator that tries every call once."""

    def client(service: str, region: str = "eu-west-1", access_key: str = "testing", **config: Any) -> Any:
        key = (emulator.url, service, region, access_key, str(sorted(config.items())))
        if key not in _clients:
            settings = {"retries": {"total_max_attempts": 1}, "read_timeout": 30, **config}
            _clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=emulator.url,
                aws_access_key_id=access_key,
                aws_secret_access_key="testing",
                config=Config(**settings),
            )
        return _clients[key]

    return client


@pytest.fixture
def world(emulator: Emulator, aws: Callable[..., Any]) -> World:
    """A network that is made as far as a rule's calls ask for it; states change at the first look."""
    emulator.transitions(times=1)
    return World(emulator, aws)


@pytest.fixture
def endpoints(emulator: Emulator) -> Iterator[ClusterEndpoints]:
    """A Kubernetes API server for each cluster; states change at the first look."""
    emulator.transitions(times=1)
    held = ClusterEndpoints(emulator)
    held.install()
    yield held
    held.uninstall()


@pytest.fixture
def account(endpoints: ClusterEndpoints, aws: Callable[..., Any]) -> Sample:
    """An account to make such clusters in."""
    return Sample(aws)
