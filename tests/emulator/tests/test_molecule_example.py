# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario of examples/molecule, copied beside somebody's own site.yml and run as the README says."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SITE = """---
- name: Somebody's own site
  hosts: localhost
  gather_facts: false
  tasks:
    - name: A network
      eksops.ipv6.ec2_vpc_ipv6_network:
        name: mine
        vpc:
          cidr_block: {cidr}
        availability_zones: [eu-west-1a, eu-west-1b]
        wait_interval: 0.05
"""


def molecule(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    shutil.copytree(ROOT / "examples" / "molecule", folder / "molecule")
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(folder / "home"),
        "EMULATOR_PORT": str(port),
        "HOME": str(folder),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "ephemeral"),
        "PYTHONPATH": str(ROOT / "tests" / "emulator"),
    }
    command = [str(Path(sys.executable).with_name("molecule")), "test"]
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(("cidr", "passes"), [("10.40.0.0/16", True), ("10.40.0.0/8", False)])
def test_the_scenario_runs_beside_a_site(tmp_path: Path, cidr: str, passes: bool) -> None:
    """It is green for a site that AWS would take, red for one that it wouldn't; the emulator is ended in both cases."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "site.yml").write_text(SITE.format(cidr=cidr))
    done = molecule(tmp_path, port)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is passes, said
    assert ("successful=6" in said) is passes, said
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
