# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policy documents read by what they mean: equality, what they allow, whom they trust (pure).

The rules are those of the IAM user guide's "IAM JSON policy elements reference": one value or a list of one are the
same, order has no meaning, neither has a Sid, action names and condition keys know no case, an account's root ARN is
its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

VERSION = "2012-10-17"
_OLDEST_VERSION = "2008-10-17"  # what a document without Version is read as
_ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")
_JUDGED = {"StringEquals": False, "StringLike": True, "ArnEquals": True, "ArnLike": True}  # operator: knows wildcards

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """An action that must be allowed on a resource: an ARN, or C(*) for an action that knows no resources."""

    action: str
    resource: str = "*"


@dataclass(frozen=True)
class Verdict:
    """What documents say to a list of needs. A need may be both allowed and denied; the denial wins."""

    missing: tuple[Need, ...]
    denied: tuple[Need, ...]
    conditional: tuple[Need, ...]


@dataclass(frozen=True)
class Trust:
    """Somebody who shall be able to assume a role.

    C(kind) is C(Service) or C(Federated). C(conditions) is written into the statement; C(context) is what holds when
    the principal calls, by which statements that already exist are judged.
    """

    kind: str
    principal: str
    actions: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)

    def statement(self) -> dict[str, Any]:
        """The statement that grants it."""
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {self.kind: self.principal},
            "Action": self.actions[0] if len(self.actions) == 1 else list(self.actions),
        }
        if self.conditions:
            statement["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return statement


@dataclass(frozen=True)
class TrustAudit:
    """What a trust policy says to a Trust: actions it does not grant, whether it denies one, conditions that only AWS
    can judge."""

    missing: tuple[str, ...]
    denied: bool
    conditions: tuple[str, ...]


def parse(document: Document | str) -> Document:
    """A document as a mapping; from its text, URL-encoded as IAM answers or plain."""
    if not isinstance(document, str):
        return document
    text = document if document.lstrip().startswith("{") else unquote(document)
    parsed: Document = json.loads(text)
    return parsed


def to_json(document: Document) -> str:
    """A document as the API takes it."""
    return json.dumps(document, separators=(",", ":"))


def statements(document: Document) -> list[Mapping[str, Any]]:
    """The statements; a single one may stand without a list."""
    return _listed(document.get("Statement"))


def of(*items: Mapping[str, Any]) -> dict[str, Any]:
    """A document of these statements."""
    return {"Version": VERSION, "Statement": list(items)}


def extended(document: Document, *items: Mapping[str, Any]) -> dict[str, Any]:
    """A document with statements added to it, and nothing taken away."""
    return {**document, "Statement": [*statements(document), *items]}


def same(one: Document, other: Document) -> bool:
    """Whether two documents mean the same."""
    return one.get("Version", _OLDEST_VERSION) == other.get("Version", _OLDEST_VERSION) and _normal(one) == _normal(
        other
    )


def covers(document: Document, older: Document) -> bool:
    """Whether every statement of C(older) is in C(document) still: nobody loses what that one gave."""
    present = _normal(document)
    return all(
        any(rest == other_rest and actions <= other for other_rest, other in present.items())
        for rest, actions in _normal(older).items()
    )


def judge(documents: Iterable[Document], needs: Iterable[Need], context: Mapping[str, str] | None = None) -> Verdict:
    """Which needs the documents, taken together, do not meet.

    C(context) holds condition keys that are known when the call is made. An Allow whose Condition they do not meet is
    none; one with a Condition that they cannot judge counts as one, and its needs are told apart as conditional. A Deny
    with a Condition is left out: whether it applies is only known to AWS.
    """
    known = context or {}
    all_statements = [statement for document in documents for statement in statements(document)]
    missing, denied, conditional = [], [], []
    for need in needs:
        concerned = [item for item in all_statements if _acts(item, need.action) and _covers(item, need.resource)]
        judged = [_conditions(item.get("Condition", {}), known) for item in concerned if item.get("Effect") == "Allow"]
        allows = [unknown for met, unknown in judged if met]
        if any(item.get("Effect") == "Deny" and not item.get("Condition") for item in concerned):
            denied.append(need)
        if not allows:
            missing.append(need)
        elif all(allows):
            conditional.append(need)
    return Verdict(tuple(missing), tuple(denied), tuple(conditional))


def audit(document: Document, trust: Trust) -> TrustAudit:
    """What a role's trust policy says to a principal that shall assume it."""
    concerned = [item for item in statements(document) if _names(item, trust)]
    denied = any(
        item.get("Effect") == "Deny" and not item.get("Condition") and any(_acts(item, name) for name in trust.actions)
        for item in concerned
    )
    granting, unjudged = [], []
    for item in concerned:
        met, unknown = _conditions(item.get("Condition", {}), trust.context)
        if item.get("Effect") == "Allow" and met:
            granting.append(item)
            unjudged.extend(unknown)
    missing = tuple(name for name in trust.actions if not any(_acts(item, name) for item in granting))
    return TrustAudit(missing, denied, tuple(dict.fromkeys(unjudged)))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _normal(document: Document) -> dict[frozenset[Any], frozenset[str]]:
    """Actions by everything else that a statement says; statements that differ in their actions alone become one."""
    merged: dict[frozenset[Any], frozenset[str]] = {}
    for statement in statements(document):
        actions = frozenset(action.lower() for action in _listed(statement.get("Action")))
        rest = frozenset(
            (key, _normal_element(key, value)) for key, value in statement.items() if key not in ("Sid", "Action")
        )
        merged[rest] = merged.get(rest, frozenset()) | actions
    return merged


def _normal_element(key: str, value: Any) -> Any:
    if key in ("Principal", "NotPrincipal"):
        principals = {"AWS": value} if value == "*" else value
        return frozenset((kind, frozenset(map(_account, _listed(names)))) for kind, names in principals.items())
    if key == "Condition":
        return frozenset(
            (operator, frozenset((name.lower(), _values(values)) for name, values in keys.items()))
            for operator, keys in value.items()
        )
    if key == "NotAction":
        return frozenset(action.lower() for action in _listed(value))
    return _values(value)


def _values(value: Any) -> frozenset[str]:
    return frozenset(str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value))


def _account(principal: str) -> str:
    found = _ROOT.fullmatch(principal)
    return found[1] if found else principal


def _acts(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(_glob(pattern, action, re.IGNORECASE) for pattern in _listed(statement["NotAction"]))
    return any(_glob(pattern, action, re.IGNORECASE) for pattern in _listed(statement.get("Action")))


def _covers(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_glob(pattern, resource) for pattern in _listed(statement["NotResource"]))
    return any(_glob(pattern, resource) for pattern in _listed(statement.get("Resource")))


def _names(statement: Mapping[str, Any], trust: Trust) -> bool:
    principal = statement.get("Principal")
    if principal == "*":  # everybody: a denial of services too, but no grant to them
        return statement.get("Effect") == "Deny"
    return isinstance(principal, Mapping) and trust.principal in _listed(principal.get(trust.kind))


def _conditions(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> tuple[bool, list[str]]:
    """Whether what can be judged of the conditions is met, and the keys that cannot be judged."""
    known = {name.lower(): value for name, value in context.items()}
    unknown = []
    for operator, keys in conditions.items():
        for name, values in keys.items():
            if operator not in _JUDGED or name.lower() not in known:
                unknown.append(name)
            elif not _meets(known[name.lower()], _listed(values), _JUDGED[operator]):
                return False, []
    return True, unknown


def _meets(actual: str, accepted: Sequence[Any], wildcards: bool) -> bool:
    return any(_glob(str(value), actual) if wildcards else str(value) == actual for value in accepted)


def _glob(pattern: str, text: str, flags: int = 0) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags) is not None
