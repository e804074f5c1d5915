# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` over the checkout, wherever it is, and make sure that the tests really ran.

ansible-test wants the collection as a real directory ``ansible_collections/eksops/ipv6`` in a git repository of its
own; in a directory that an outer repository ignores it finds nothing to test, says so, and exits with 0. So the tree
is copied under ``.build/sanity``, and the JUnit files that ansible-test writes are counted.

Arguments are handed on: ``tools/sanity.py --test pylint plugins/modules/eks_addon.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

from ansible_test._internal.python_requirements import get_venv_packages

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".build" / "sanity"
COPY = WORK / "ansible_collections" / "eksops" / "ipv6"
HOME = WORK / "home"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ANSIBLE_TEST = ["ansible-test", "sanity", "--python", PYTHON, "--color", "no"]
# The tests that find nothing to test here: no PowerShell, and no __init__.py among the modules and unit tests.
WITHOUT_TARGET = {"empty-init", "pslint"}


def git(*arguments: str, cwd: Path) -> str:
    """What ``git ARGUMENTS`` prints in ``cwd``."""
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


def copy_tree() -> None:
    """Copy what git knows or would add, keeping the copy's own history out of it."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, listed):
        source, target = ROOT / name, COPY / name
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    git("init", "--quiet", cwd=COPY)
    git("add", "--all", cwd=COPY)


def link_dependencies() -> None:
    """Put the collections that ours builds on beside it: ansible-test looks nowhere else for doc fragments."""
    installed = Path(sysconfig.get_path("purelib")) / "ansible_collections"
    for namespace in ("amazon", "kubernetes"):
        link = COPY.parent.parent / namespace
        link.unlink(missing_ok=True)
        link.symlink_to(installed / namespace)


def stand_in_for_get_pip() -> None:
    """Give ansible-test's virtual environments the pip that Python brings, where it would download an installer."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    version = get_venv_packages(SimpleNamespace(version=PYTHON))["pip"]
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text("import ensurepip\nensurepip.bootstrap(default_pip=True)\n", encoding="utf-8")


def environment() -> dict[str, str]:
    """What ansible-test needs of this process's environment, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return kept | {"HOME": str(HOME), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def results() -> tuple[set[str], dict[str, str]]:
    """The names of the tests that had something to test, and those that had not with the reason."""
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    for report in (COPY / "tests" / "output" / "junit").glob("*.xml"):
        for case in ElementTree.parse(report).iter("testcase"):
            name = re.sub(r"-python-[\d.]+$", "", case.attrib["name"])
            reason = case.find("skipped")
            if reason is None:
                ran.add(name)
            else:
                skipped[name] = reason.attrib.get("message") or (reason.text or "").strip()
    return ran, skipped


def unrun() -> list[str]:
    """What should have been tested and was not, one line each; prints the count of what was."""
    ran, skipped = results()
    listed = subprocess.run(
        [*ANSIBLE_TEST, "--list-tests"], cwd=COPY, env=environment(), check=True, capture_output=True
    )
    unseen = set(listed.stdout.decode().split()) - ran - set(skipped) - WITHOUT_TARGET
    print(f"sanity: {len(ran)} tests ran, {len(skipped)} had no target: {', '.join(sorted(skipped)) or '-'}")
    lines = [f"{name}: {reason}" for name, reason in sorted(skipped.items()) if name not in WITHOUT_TARGET]
    return [*lines, *(f"{name}: left no result" for name in sorted(unseen))]


def main() -> int:
    """Copy, test, count."""
    arguments = sys.argv[1:]
    copy_tree()
    link_dependencies()
    stand_in_for_get_pip()
    status = subprocess.run([*ANSIBLE_TEST, "--junit", *arguments], cwd=COPY, env=environment(), check=False).returncode
    lines = [] if arguments else unrun()
    for line in lines:
        print(f"sanity: not run: {line}", file=sys.stderr)
    return status or (1 if lines else 0)


if __name__ == "__main__":
    sys.exit(main())
