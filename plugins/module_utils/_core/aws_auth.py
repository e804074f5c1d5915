# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfigMap aws-auth, from which clusters without access entries know their nodes' roles (pure).

Only the entries of the roles that are asked for change. The text of all others stays as somebody has written it, with
its comments and its order; where that cannot be, because the list is written in one line, its entries stay as data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .plan import Problem

with contextlib.suppress(ImportError):  # Ansible needs it itself
    import yaml

NAME, NAMESPACE = "aws-auth", "kube-system"
USERNAME = "system:node:{{EC2PrivateDNSName}}"
GROUPS = ("system:bootstrappers", "system:nodes")
SOURCE = "EKS User Guide, aws-auth ConfigMap"
Entry = Mapping[str, Any]


def plain_arn(arn: str) -> str:
    """A role's ARN as aws-auth wants it: without the path."""
    account, found, name = arn.partition(":role/")
    return f"{account}:role/{name.rsplit('/', 1)[-1]}" if found else arn


def refusals(config_map: Mapping[str, Any] | None, role_arns: Sequence[str]) -> Iterator[Problem]:
    """What cannot be merged, and ARNs that are none of a role."""
    for arn in role_arns:
        if not arn.startswith("pending:") and (":iam::" not in arn or ":role/" not in arn):
            yield Problem("role_arns", f"{arn!r} is no ARN of an IAM role.", source=SOURCE)
    if config_map is not None and parsed(_text(config_map)) is None:
        yield Problem(
            f"{NAMESPACE}/{NAME}",
            "data.mapRoles is no list of entries with rolearn, so nothing can be added to it safely.",
            "Mend it by hand first; nodes that it should let in are out until then.",
            SOURCE,
        )


def parsed(text: str) -> list[dict[str, Any]] | None:
    """The entries of a C(mapRoles); None where it is no list of them."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) and "rolearn" in item for item in found):
        return None
    return found


def with_roles(text: str, role_arns: Sequence[str]) -> str:
    """A C(mapRoles) in which these roles are nodes' roles."""
    for arn in role_arns:
        entries = parsed(text) or []
        found = [(number, entry) for number, entry in enumerate(entries) if _is_of(entry, arn)]
        if any(_serves(entry) for _number, entry in found):
            continue
        if found:
            number, entry = found[0]
            text = _changed(text, number, _mended(entry))
        else:
            text = _appended(text, {"rolearn": plain_arn(arn), "username": USERNAME, "groups": list(GROUPS)})
    return text


def without_roles(text: str, role_arns: Sequence[str]) -> str:
    """A C(mapRoles) that has no nodes' entries of these roles; one that says something else of them stays."""
    for arn in role_arns:
        while True:
            entries = parsed(text) or []
            found = [number for number, entry in enumerate(entries) if _is_of(entry, arn) and _serves(entry)]
            if not found:
                break
            text = _changed(text, found[-1], None)
    return text


def change(config_map: Mapping[str, Any] | None, role_arns: Sequence[str], present: bool) -> dict[str, Any]:
    """The ConfigMap to write, with C(mapRoles) alone; empty where nothing differs."""
    text = _text(config_map) if config_map is not None else ""
    edit: Callable[[str, Sequence[str]], str] = with_roles if present else without_roles
    wanted = edit(text, role_arns)
    if wanted == text:
        return {}
    metadata = {"name": NAME, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mapRoles": wanted}}


def _text(config_map: Mapping[str, Any]) -> str:
    return str((config_map.get("data") or {}).get("mapRoles") or "")


def _is_of(entry: Entry, arn: str) -> bool:
    """The authenticator compares ARNs without regard to case; one that still has its path fits nobody."""
    return str(entry["rolearn"]).lower() == plain_arn(arn).lower()


def _serves(entry: Entry) -> bool:
    return entry.get("username") == USERNAME and set(GROUPS) <= set(entry.get("groups") or ())


def _mended(entry: Entry) -> dict[str, Any]:
    """An entry with what nodes need; its other groups stay."""
    held = list(entry.get("groups") or ())
    return {**entry, "username": USERNAME, "groups": [*held, *(group for group in GROUPS if group not in held)]}


def _appended(text: str, entry: Entry) -> str:
    entries = parsed(text) or []
    base = text if not text or text.endswith("\n") else text + "\n"
    indent = next((_indent(line) for line in base.splitlines() if line.lstrip().startswith("- ")), "")
    return _checked(base + _dumped([entry], indent), [*entries, entry])


def _changed(text: str, number: int, entry: Entry | None) -> str:
    """The text with its n-th entry in another form, or without it."""
    entries = parsed(text) or []
    wanted = [*entries[:number], *([] if entry is None else [entry]), *entries[number + 1 :]]
    lines = text.splitlines(keepends=True)
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    starts = [item.start_mark.line for item in root.value]
    first = starts[number]
    # Comments and empty lines before the next entry are that entry's.
    last = starts[number + 1] if number + 1 < len(starts) else len(lines)
    while last > first + 1 and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    new = "" if entry is None else _dumped([entry], _indent(lines[first]))
    return _checked("".join([*lines[:first], new, *lines[last:]]), wanted)


def _checked(text: str, wanted: Sequence[Entry]) -> str:
    """The edited text if it says what is wanted, else the entries written anew."""
    return text if text.strip() and parsed(text) == list(wanted) else _dumped(wanted, "")


def _dumped(entries: Sequence[Entry], indent: str) -> str:
    if not entries:
        return "[]\n"
    plain = [dict(entry) for entry in entries]
    text = str(yaml.safe_dump(plain, sort_keys=False, default_flow_style=False, width=1000))
    return "".join(indent + line for line in text.splitlines(keepends=True))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
