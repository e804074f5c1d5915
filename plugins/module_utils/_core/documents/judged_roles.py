# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles that something is about to run with: do they trust it, and do they allow what it calls?

Their policies are read and judged. IAM's own simulation is asked where the caller may not read them; where it may do
neither, that is said, and nothing is taken for good silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from .. import cni
from ..iam import permissions, policy_document, role
from ..iam.permissions import Permissions
from ..iam.policy_document import Need, Trust
from ..plan import is_pending
from ..session import AwsError, Session

Held: TypeAlias = "Permissions | AwsError | None"  # a role's policies, the refusal to show them, or no such role


@dataclass(frozen=True)
class Judgement:
    """What a role lacks of what is called, and whom it does not trust; C(unjudged) is what is not known, and why."""

    there: bool = True
    lacking: tuple[str, ...] = ()
    untrusting: str = ""
    unjudged: tuple[str, ...] = ()


class Roles:
    """Roles with their policies, each read once, and judged as what calls in one VPC."""

    def __init__(self, session: Session, vpc_id: str, arns: Iterable[str]) -> None:
        self._session = session
        self._vpc_id = vpc_id
        known = {arn for arn in arns if arn and not is_pending(arn)}
        self._held: dict[str, Held] = session.together(**{arn: partial(self._read, arn) for arn in sorted(known)})

    def judge(
        self, arn: str, calls: Iterable[cni.Call] = (), extra: Iterable[Need] = (), trust: Trust | None = None
    ) -> Judgement:
        """What a role's policies, or else IAM's simulation, do not allow; a role yet to be made lacks nothing."""
        if arn not in self._held:
            return Judgement()
        held, scope = self._held[arn], self._scope(arn)
        needs = [*cni.needs(calls, scope.partition, scope.region, scope.account), *extra]
        if isinstance(held, AwsError):
            return self._simulate(arn, needs, scope, held)
        if held is None:
            return Judgement(there=False)
        verdict = permissions.judge(held, needs, scope.context)
        refused = _actions((*verdict.missing, *verdict.denied))
        conditional = [action for action in _actions(verdict.conditional) if action not in refused]
        text = f"the role {arn} allows {', '.join(conditional)} under conditions that only AWS can judge."
        return Judgement(lacking=refused, untrusting=_untrusting(held, trust), unjudged=(text,) if conditional else ())

    def _read(self, arn: str) -> Held:
        try:
            held = permissions.read(self._session, role.name_in(arn) or arn)
        except AwsError as error:
            if not error.denied:
                raise
            return error
        return held if held is not None and held.arn == arn else None

    def _simulate(self, arn: str, needs: Sequence[Need], scope: cni.Scope, cause: AwsError) -> Judgement:
        try:
            refused = permissions.simulate(self._session, arn, needs, scope.context)
        except AwsError as error:
            if error.not_found:
                return Judgement(there=False)
            if not error.denied:
                raise
            text = (
                f"whether the role {arn} allows {', '.join(_actions(needs))} was not judged: the caller has neither"
                f" {cause.service}:{cause.operation}, to read its policies, nor {error.service}:{error.operation}."
            )
            return Judgement(unjudged=(text,))
        return Judgement(lacking=_actions([need for need, _decision in refused]))

    def _scope(self, arn: str) -> cni.Scope:
        _arn, partition, _iam, _region, account, *_rest = arn.split(":")
        return cni.Scope(partition, self._session.region, account, self._vpc_id)


def _untrusting(held: Permissions, trust: Trust | None) -> str:
    """Whom, and for what, the role's trust policy does not let in; conditions that only AWS can judge count as met."""
    if trust is None:
        return ""
    audit = policy_document.audit(held.trust, trust)
    if not audit.missing and not audit.denied:
        return ""
    return f"{trust.principal} do {', '.join(audit.missing or trust.actions)}"


def _actions(needs: Sequence[Need]) -> tuple[str, ...]:
    return tuple(sorted({need.action for need in needs}))
