# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: the way to the collection, an environment without anybody's AWS account, and the emulator."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

if TYPE_CHECKING:
    from eksops_emulator import Emulator

ROOT = Path(__file__).resolve().parent.parent
LINK = ROOT / ".build" / "collections" / "ansible_collections" / "eksops" / "ipv6"

set_hypothesis_home_dir(ROOT / ".build" / "hypothesis")
# The same examples in every run, so that a check fails for what was changed; `make explore` draws new ones, and more.
settings.register_profile("eksops", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("eksops")
# The same ids in every run of a test, for the same reason. `make explore` draws others, as EKSOPS_SEED=N does.
SEED = os.environ.get("EKSOPS_SEED", "0")


def pytest_configure() -> None:
    """Make the link tree that `make link` makes, so that pytest works by itself, and forget the user's AWS settings."""
    if not LINK.exists():
        LINK.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another worker was quicker
            LINK.symlink_to(os.path.relpath(ROOT, LINK.parent))
        importlib.invalidate_caches()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_HOME": str(ROOT / ".build" / "ansible"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def pytest_report_header() -> str:
    """How to draw the same ids again."""
    return f"EKSOPS_SEED={SEED} PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', 'random')}"


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """A test that would reach beyond this machine fails at once."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to reach {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    """One emulator per test process, on a free port."""
    from eksops_emulator import Emulator

    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """The emulator with an empty account; fails the test when the emulator contradicted itself."""
    running_emulator.reset()
    running_emulator.seed(zlib.crc32(f"{SEED} {request.node.nodeid}".encode()))
    yield running_emulator
    assert running_emulator.drift == []
