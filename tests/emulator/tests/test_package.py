# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package as pip installs it from its folder: whole, with its data files and its command."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import eksops_emulator

SOURCE = Path(eksops_emulator.__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed into; a copy is built, since building leaves files behind."""
    folder = tmp_path_factory.mktemp("package")
    ignored = shutil.ignore_patterns("__pycache__", "tests", "build", "*.egg-info")
    shutil.copytree(SOURCE, folder / "source", ignore=ignored)
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "install", "--python", sys.executable, "--offline", "--no-deps", "--no-build-isolation"]
    command += ["--no-cache", "--target", str(folder / "installed"), str(folder / "source")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "installed"


def test_every_file_comes_along(installed: Path) -> None:
    def files(root: Path) -> set[str]:
        found = (item for item in (root / "eksops_emulator").rglob("*") if item.is_file())
        return {str(item.relative_to(root)) for item in found if item.suffix not in (".pyc", ".md")}

    assert files(installed) == files(SOURCE)


def test_the_command_serves(installed: Path) -> None:
    """The console script, with nothing of the checkout to fall back on."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(installed / "bin" / "eksops-emulator"), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=installed, env={**environment, "PYTHONPATH": str(installed)}
    ) as process:
        assert process.stdout is not None
        text = ""
        while "KUBECONFIG=" not in text:
            line = process.stdout.readline()
            assert line, f"the emulator ended by itself: {text}"
            text += line
        url = re.search(r"export AWS_ENDPOINT_URL=(\S+)", text)
        assert url is not None
        with urllib.request.urlopen(f"{url.group(1)}/_emulator") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
