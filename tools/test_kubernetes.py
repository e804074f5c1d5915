# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the Kubernetes tests against the emulated API server and a real kube-apiserver.

Builds the real one from Debian's source package where that hasn't been done yet (three minutes; kept in .build/kube),
starts it, and runs every tests/**/test_kubernetes_*.py with KUBE_APISERVER naming its directory. Where it can't be
built this fails, unless SKIP_REAL_KUBERNETES=1 says to go on with the emulated one alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build" / "kube"
SERVER = ROOT / "tools" / "real_kube_apiserver.sh"


def built() -> bool:
    """Builds kube-apiserver, or finds it built."""
    outcome = subprocess.run([ROOT / "tools" / "build_kube_apiserver.sh", BUILD], check=False)
    return outcome.returncode == 0


def run_tests(environment: dict[str, str]) -> int:
    files = sorted((ROOT / "tests").glob("**/test_kubernetes_*.py"))
    command = [sys.executable, "-m", "pytest", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


def main() -> int:
    if not built():
        if os.environ.get("SKIP_REAL_KUBERNETES") != "1":
            print("kube-apiserver could not be built; SKIP_REAL_KUBERNETES=1 tests without it.", file=sys.stderr)
            return 1
        print("kube-apiserver could not be built: the tests meet the emulated server only.", file=sys.stderr)
        return run_tests({})
    with tempfile.TemporaryDirectory(prefix="kube-apiserver-") as folder:
        place = Path(folder) / "server"
        try:
            subprocess.run([SERVER, "start", place, BUILD / "bin"], check=True)
            return run_tests({"KUBE_APISERVER": str(place)})
        finally:
            subprocess.run([SERVER, "stop", place], check=False)


if __name__ == "__main__":
    sys.exit(main())
