# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`eksops-emulator`: the emulator in the foreground."""

from __future__ import annotations

import argparse
import shlex
import signal
import tempfile
import threading
from pathlib import Path

from .server import Emulator


def main(argv: list[str] | None = None) -> int:
    """Starts the emulator, says how to reach it, and serves until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="eksops-emulator", description="An AWS on loopback for IPv6 EKS clusters.")
    parser.add_argument("--port", type=int, default=4566, help="TCP port on 127.0.0.1 (default 4566, 0: a free one)")
    parser.add_argument("--seed", type=int, help="make resource ids repeatable")
    parser.add_argument("--polls", type=int, help="how often a state is described before it changes (default 2)")
    parser.add_argument(
        "--kubernetes",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a Kubernetes API server for every EKS cluster, which is the default",
    )
    options = parser.parse_args(argv)

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_unused: ended.set())
    emulator = Emulator(options.port, kubernetes=options.kubernetes)
    try:
        emulator.start()
    except OSError as problem:
        parser.exit(1, f"The emulator can't listen at 127.0.0.1:{options.port}: {problem}\n")
    with tempfile.TemporaryDirectory(prefix="eksops-emulator-") as folder:
        try:
            if options.seed is not None:
                emulator.seed(options.seed)
            if options.polls is not None:
                emulator.transitions(times=options.polls)
            _announce(emulator, Path(folder) / "kubeconfig")
            ended.wait()
        finally:
            emulator.stop()
    print("The emulator has ended.")
    return 0


def _announce(emulator: Emulator, kubeconfig: Path) -> None:
    """Prints what a shell needs to reach it; the last line is empty."""
    print(f"The emulator listens at {emulator.url}; Ctrl-C ends it. Point a client at it with:\n")
    variables = dict(emulator.environment)
    if emulator.kubernetes is not None:
        emulator.kubernetes.keep_kubeconfig(kubeconfig)
        variables["KUBECONFIG"] = shlex.quote(str(kubeconfig))
    for name, value in variables.items():
        print(f"export {name}={value}")
    if emulator.kubernetes is not None:
        print("\nThe kubeconfig gets a context for every EKS cluster as it becomes ACTIVE.")
    print(flush=True)
