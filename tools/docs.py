# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a page for every module, plugin and role to ``build/docs``, as HTML that needs no server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from docutils.core import publish_string

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "docs"
SOURCE = ROOT / ".build" / "docs"
STYLE = "body { max-width: 70rem; margin: 2rem auto; font-family: sans-serif; line-height: 1.4 }"


def as_html(text: str) -> str:
    """A page of simplified reStructuredText as HTML. A fault in it stops the run; links stay within the directory."""
    settings = {"halt_level": 2, "output_encoding": "unicode", "embed_stylesheet": True}
    page = publish_string(text, writer="html5", settings_overrides=settings)
    page = re.sub(r"""(href=["'])\.\./\.\./eksops/ipv6/""", r"\1", str(page))
    page = re.sub(r"""(href=["'][\w.-]+)\.rst(?=[#"'])""", r"\1.html", page)
    return page.replace("</head>", f"<style>{STYLE}</style></head>", 1)


def main() -> int:
    """Have antsibull-docs write reStructuredText, and turn each file of it into a page."""
    for directory in (SOURCE, TARGET):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, mode=0o755)
    form = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--output-format", "simplified-rst"]
    subprocess.run(["antsibull-docs", "collection", *form, "--dest-dir", str(SOURCE), "eksops.ipv6"], check=True)
    pages = sorted(SOURCE.glob("*.rst"))
    for page in pages:
        (TARGET / f"{page.stem}.html").write_text(as_html(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(pages)} pages: {TARGET / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
