# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: a cluster planned, set up, and set up again, against the emulator.

Leaves build/demo/plan.md and build/demo/summary.json. Exits with 1 when a run failed, when the calls made are not the
calls planned, or when the second run wrote anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "emulator"))

from eksops_emulator import Emulator  # noqa: E402
from eksops_emulator.journal import Call  # noqa: E402

DOCUMENT = ROOT / "examples" / "production.yml"
PLAYBOOK = "eksops.ipv6.site"
OUTPUT = ROOT / "build" / "demo"
POLL_SECONDS = 0.2  # real AWS is asked every few seconds; the emulator is quicker


@dataclass(frozen=True)
class Phase:
    """One run of the playbook: what it planned or did, and the calls that reached the emulator."""

    name: str
    plan: dict[str, Any]
    calls: list[Call]
    seconds: float
    returncode: int

    @property
    def writes(self) -> list[Call]:
        """The calls that changed something, or tried to."""
        return [call for call in self.calls if call.write]

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The plan as calls."""
        return [(step["service"], step["operation"]) for step in self.plan.get("steps", [])]


def main() -> int:
    """Run the three phases, say what came of them, and leave the files."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for old in OUTPUT.iterdir():
        old.unlink()
    started = time.monotonic()
    with Emulator(kubernetes=True) as emulator:
        emulator_seconds = time.monotonic() - started
        say(f"An emulated AWS listens on {emulator.url}; nothing leaves this machine.")
        say(f"The document: {DOCUMENT.relative_to(ROOT)}")
        check = run(emulator, "check", "1. What would be done? (ansible-playbook eksops.ipv6.site --check --diff)")
        apply = run(emulator, "apply", "2. Do it. (ansible-playbook eksops.ipv6.site)")
        again = run(emulator, "again", "3. Do it again: there should be nothing to do.")
    faults = find_faults(check, apply, again)
    summary = {
        "planned_steps": len(check.steps),
        "applied_steps": apply.plan.get("performed_steps", 0),
        "second_run_changed": again.plan.get("changed_tasks"),
        "second_run_write_calls": len(again.writes),
        "seconds": {
            "emulator": round(emulator_seconds, 2),
            **{p.name: round(p.seconds, 2) for p in (check, apply, again)},
        },
        "calls": {phase.name: count_calls(phase) for phase in (check, apply, again)},
        "faults": faults,
    }
    (OUTPUT / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    conclude(check, apply, again, faults)
    return 1 if faults else 0


def run(emulator: Emulator, name: str, title: str) -> Phase:
    """One run of the site playbook in a process of its own; its output goes to the terminal as it comes."""
    say(f"\n{title}\n")
    emulator.journal.clear()
    plan_file = OUTPUT / f"{name}.json"
    started = time.monotonic()
    process = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            PLAYBOOK,
            f"--extra-vars=@{DOCUMENT}",
            f"--extra-vars={json.dumps({'eks_site_waiting': {'wait_interval': POLL_SECONDS}})}",
            *(["--check", "--diff"] if name == "check" else []),
        ],
        env=environment(emulator, name, plan_file),
        cwd=ROOT,
        check=False,
    )
    seconds = time.monotonic() - started
    plan = json.loads(plan_file.read_text(encoding="utf-8")) if plan_file.exists() else {}
    phase = Phase(name, plan, list(emulator.journal.calls), seconds, process.returncode)
    say(f"\n{describe_calls(phase)} in {seconds:.1f} s.")
    return phase


def environment(emulator: Emulator, name: str, plan_file: Path) -> dict[str, str]:
    """What the playbook needs: the collection, the emulator instead of AWS, and the plan callback."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "EKSOPS_"))}
    return {
        **kept,
        **emulator.environment,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_HOME": str(ROOT / ".build" / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tools" / "demo_callback"),
        "ANSIBLE_STDOUT_CALLBACK": "demo",
        "ANSIBLE_CALLBACKS_ENABLED": "eksops.ipv6.plan",
        "EKSOPS_IPV6_PLAN_JSON": str(plan_file),
        **({"EKSOPS_IPV6_PLAN_MARKDOWN": str(OUTPUT / "plan.md")} if name == "check" else {}),
    }


def count_calls(phase: Phase) -> dict[str, dict[str, int]]:
    """Reads and writes of each service."""
    counts: dict[str, Counter[str]] = {}
    for call in phase.calls:
        counts.setdefault(call.service, Counter())["writes" if call.write else "reads"] += 1
    return {service: {"reads": count["reads"], "writes": count["writes"]} for service, count in sorted(counts.items())}


def describe_calls(phase: Phase) -> str:
    """The calls in a sentence."""
    parts = [
        f"{service} {count['reads'] + count['writes']} ({count['writes']} writes)"
        for service, count in count_calls(phase).items()
    ]
    return f"AWS calls: {len(phase.calls)}, of which {len(phase.writes)} writes: {', '.join(parts) or 'none'};"


def find_faults(check: Phase, apply: Phase, again: Phase) -> list[str]:
    """Every promise that was not kept."""
    faults = [f"The run '{p.name}' failed." for p in (check, apply, again) if p.returncode != 0]
    if not check.steps:
        faults.append("Check mode planned nothing.")
    if check.writes:
        faults.append(f"Check mode made {len(check.writes)} write calls.")
    made = [(call.service, call.operation) for call in apply.writes]
    if made != check.steps:
        faults.append(f"{len(check.steps)} calls were planned and {len(made)} made, and they are not the same.")
        faults += [f"planned {p}, made {m}" for p, m in zip(check.steps, made, strict=False) if p != m][:1]
    if again.writes or again.plan.get("changed_tasks") != 0:
        faults.append(f"The second run made {len(again.writes)} write calls.")
    return faults


def conclude(check: Phase, apply: Phase, again: Phase, faults: list[str]) -> None:
    """The last words."""
    say("")
    if faults:
        for fault in faults:
            say(f"NOT AS PROMISED: {fault}")
        return
    say(
        f"Planned {len(check.steps)} calls; made the same {len(apply.writes)} in the same order; "
        f"the second run changed nothing and made {len(again.writes)} write calls."
    )
    say(f"The plan as a pull request would show it: {(OUTPUT / 'plan.md').relative_to(ROOT)}")
    say(f"The figures: {(OUTPUT / 'summary.json').relative_to(ROOT)}")


def say(text: str) -> None:
    """A line that comes out in its place among the playbooks' lines."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
