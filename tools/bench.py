# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: an unchanged network of six subnets, through each door, with amazon.aws, and in plain boto3.

All four run in turn, several times over, against one emulator, so that a slow moment of the machine meets them alike.
A playbook's own start is taken off: what counts is the time of a run with the network in it less that of an empty one,
divided by the number of times it is in it. The boto3 script is timed whole, since a script has to start each time.
Prints medians and ratios, and leaves build/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "emulator"))

from eksops_emulator import Emulator  # noqa: E402

PLAYBOOKS = ROOT / "tools" / "bench_playbooks"
BIN = Path(sys.executable).parent
DOORS = {"controller door": "auto", "module door": "module"}
NAMES = [*DOORS, "amazon.aws modules", "plain boto3 script"]
# How often a playbook reads the network: the quicker a way is, the oftener, so that a playbook's start weighs little.
ROUNDS = {"controller door": 20, "module door": 6, "amazon.aws modules": 2, "plain boto3 script": 1}
Run = Callable[[int], float]


def main() -> int:
    """Measure, print, save."""
    options = _options()
    with Emulator() as emulator:
        bench = Bench(emulator)
        bench.make_networks()
        results = {
            label: bench.measure(options.repeat, seconds)
            for label, seconds in (("no latency", 0.0), (f"{options.latency * 1000:.0f} ms a call", options.latency))
        }
    for label, result in results.items():
        print(table(label, result))
    output = ROOT / "build" / "bench.json"
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nSaved in {output.relative_to(ROOT)}.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="times that each variant is run (default 5)")
    parser.add_argument("--latency", type=float, default=0.03, help="seconds added to each call, second part")
    return parser.parse_args()


class Bench:
    """The networks to read, and the ways to read them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.environment = {
            **os.environ,
            **emulator.environment,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
            "ANSIBLE_HOME": str(ROOT / ".build" / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        }

    def make_networks(self) -> None:
        """Make each tool's own network, and see that a second run of each changes nothing."""
        self._play("module.yml", 1, unchanged=False)
        self._play("amazon_aws.yml", 1)
        for name in ("module.yml", "amazon_aws.yml"):
            self.emulator.journal.clear()
            self._play(name, 1)
            written = self.emulator.journal.writes()
            if written:
                raise SystemExit(f"{name} is not unchanged on a second run: {written[0]}")

    def measure(self, repeat: int, latency: float) -> dict[str, dict[str, float]]:
        """Median seconds for each way, the calls it makes, and how many times the controller door's time it takes."""
        self.emulator.faults.clear()
        if latency:
            self.emulator.fault(kind="latency", count=None, seconds=latency)
        ways: dict[str, Run] = {name: self._door(door) for name, door in DOORS.items()}
        ways |= {NAMES[2]: lambda count: self._play("amazon_aws.yml", count), NAMES[3]: lambda _count: self._script()}
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        calls: dict[str, float] = {}
        for _unused in range(repeat):
            empty = self._play("module.yml", 0)
            for name, run in ways.items():
                self.emulator.journal.clear()
                start = 0.0 if name == NAMES[3] else empty
                seconds[name].append((run(ROUNDS[name]) - start) / ROUNDS[name])
                calls[name] = len(self.emulator.journal.calls) / ROUNDS[name]
        medians = {name: statistics.median(taken) for name, taken in seconds.items()}
        return {
            name: {"seconds": median, "calls": calls[name], "ratio": median / medians[NAMES[0]]}
            for name, median in medians.items()
        }

    def _door(self, door: str) -> Run:
        return lambda count: self._play("module.yml", count, door=door)

    def _play(self, playbook: str, rounds: int, door: str = "auto", unchanged: bool = True) -> float:
        variables = {"rounds": rounds, "eksops_ipv6_door": door, "bench_expect_unchanged": unchanged}
        return self._timed([str(BIN / "ansible-playbook"), str(PLAYBOOKS / playbook), "-e", json.dumps(variables)])

    def _script(self) -> float:
        return self._timed([sys.executable, str(ROOT / "tools" / "bench_reads.py"), "bench", "6"])

    def _timed(self, command: list[str]) -> float:
        started = time.perf_counter()
        process = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - started
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed:\n{process.stdout}{process.stderr}")
        return taken


def table(label: str, result: dict[str, dict[str, float]]) -> str:
    """The result as lines to read."""
    lines = [f"\nAn unchanged network of six subnets, {label}:", f"{'':22}{'median':>10}{'calls':>8}{'ratio':>9}"]
    lines += [
        f"{name:22}{row['seconds']:>8.2f} s{row['calls']:>8.0f}{row['ratio']:>8.1f}x" for name, row in result.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
