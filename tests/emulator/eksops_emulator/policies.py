# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM policy evaluation: explicit deny, allow, or implicit deny.

Source: the IAM user guide on the evaluation logic within one account, and on the condition operators. Of those, the
string, ARN, Bool and Null operators are emulated; a statement with another operator raises NotImplementedError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"

Context = Mapping[str, list[str]]  # condition keys and their values


@dataclass(frozen=True)
class Source:
    """A policy document and where it comes from, as SimulatePrincipalPolicy names it."""

    document: str
    id: str
    kind: str


@dataclass(frozen=True)
class Target:
    """What a call is about: a resource, all condition keys that come with it, and the action where it is another."""

    resource: str
    context: Context = field(default_factory=dict)
    action: str | None = None


@dataclass
class Decision:
    """What came out: `decision`, the sources whose statements matched, and the context keys that weren't given."""

    decision: str
    matched: list[Source] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """IAM's wildcards: * for any text, ? for one character."""
    expression = "".join(".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _any(patterns: Any, text: str, ignore_case: bool = False) -> bool:
    return any(matches(str(pattern), text, ignore_case) for pattern in _listed(patterns))


def _about_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any(statement["NotAction"], action, ignore_case=True)
    return _any(statement.get("Action", []), action, ignore_case=True)


def _about_resource(statement: Mapping[str, Any], resource: str | None) -> bool:
    """Whether the statement speaks of the resource. None is a resource that nobody knows: an Allow covers it, and a
    Deny only when it is for every resource."""
    if resource is None:
        return statement["Effect"] == "Allow" or "*" in _listed(statement.get("Resource", []))
    if "NotResource" in statement:
        return not _any(statement["NotResource"], resource)
    return _any(statement.get("Resource", []), resource)


def _equals(wanted: list[Any], given: list[str]) -> bool:
    return any(str(item) in given for item in wanted)


def _like(wanted: list[Any], given: list[str]) -> bool:
    return any(matches(str(item), text) for item in wanted for text in given)


def _ignoring_case(wanted: list[Any], given: list[str]) -> bool:
    return any(str(item).lower() == text.lower() for item in wanted for text in given)


_OPERATORS = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _ignoring_case,
}


def _condition_holds(operator: str, key: str, wanted: list[Any], context: Context, missing: set[str]) -> bool:
    given = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    if operator == "Null":
        return (given is None) == (str(wanted[0]).lower() == "true")
    if_exists = operator.endswith("IfExists")
    quantifier, _colon, name = operator.removesuffix("IfExists").rpartition(":")
    negated = name.startswith(("StringNot", "ArnNot"))
    base = name.replace("Not", "", 1) if negated else name
    if base not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise NotImplementedError(f"the condition operator {operator}")
    if given is None:
        missing.add(key)
        return if_exists or (quantifier == "ForAllValues") or (negated and not quantifier)
    if not quantifier:
        return _OPERATORS[base](wanted, given) != negated
    each = [_OPERATORS[base](wanted, [value]) != negated for value in given]
    return all(each) if quantifier == "ForAllValues" else any(each)


def _conditions_hold(
    statement: Mapping[str, Any], context: Context | None, missing: set[str], complete: bool = True
) -> bool:
    """What isn't known, a condition without any context or a key beside an incomplete one, can't be judged, and counts
    as met in an Allow and not in a Deny."""
    allowing = statement["Effect"] == "Allow"
    conditions = statement.get("Condition", {})
    if context is None:
        return not conditions or allowing
    known = {name.lower() for name in context}
    return all(
        _condition_holds(operator, key, _listed(wanted), context, missing)
        if complete or key.lower() in known
        else allowing
        for operator, pairs in conditions.items()
        for key, wanted in pairs.items()
    )


def evaluate(
    sources: Iterable[Source],
    action: str,
    resource: str | None,
    context: Context | None = None,
    complete: bool = True,
) -> Decision:
    """The decision of these policies together.

    Args:
        action: `service:Operation`.
        resource: An ARN or `*`; None when it isn't known.
        context: Condition keys and their values; None when they aren't known.
        complete: Whether a key that isn't in `context` doesn't come with the call; else nobody knows it.
    """
    allows: list[Source] = []
    denies: list[Source] = []
    missing: set[str] = set()
    for source in sources:
        for statement in _listed(json.loads(source.document).get("Statement", [])):
            if not (_about_action(statement, action) and _about_resource(statement, resource)):
                continue
            if _conditions_hold(statement, context, missing, complete):
                (denies if statement["Effect"] == "Deny" else allows).append(source)
    if denies:
        return Decision(EXPLICIT_DENY, denies, missing)
    return Decision(ALLOWED, allows, missing) if allows else Decision(IMPLICIT_DENY, [], missing)
