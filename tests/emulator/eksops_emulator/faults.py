# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what AWS does on a bad day, by service and operation.

Kinds:
- `throttle`: refused with the service's own throttling code;
- `error`: refused with `status`, `code`, `message`; for `autoscaling` and `RunInstances` it is Auto Scaling that is
  refused an instance, narrowed by InstanceType and AvailabilityZone;
- `reset`: the connection is reset before anything happens;
- `latency`: the call is delayed by `seconds`, then done;
- `lost_reply`: the call takes effect, the connection is dropped instead of an answer;
- `halt`: when `after` writes have succeeded every further write is refused with 503 EmulatorHalted: a run killed
  after its n-th write;
- `stale`: a read answers what the same read answered before the latest write (eventual consistency). A read that was
  not made before that write has nothing older to show, and passes;
- `not_found_for`: what a matching create made isn't found by the next `reads` reads that look for it (ec2, iam, eks),
  nor seen in EC2's lists; with `writes` set, further writes that name it don't find it either;
- `not_assumable_for`: a role that a matching call of iam made or changed can't be assumed the next `reads` times that
  somebody tries: AssumeRole denies it, and EKS refuses it as it refuses a role that doesn't trust it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from threading import RLock
from typing import Any

from .journal import Call

KINDS = ("throttle", "error", "reset", "latency", "lost_reply", "halt", "stale", "not_found_for", "not_assumable_for")
# The codes that each service documents among its common errors; EC2's in its API throttling guide.
_THROTTLES = {"ec2": (503, "RequestLimitExceeded"), "eks": (429, "ThrottlingException")}
_THROTTLE = (400, "Throttling")
# By an id's prefix: the code, and what EC2's text calls it.
_EC2_NOT_FOUND = {
    "vpc": ("InvalidVpcID.NotFound", "vpc ID"),
    "subnet": ("InvalidSubnetID.NotFound", "subnet ID"),
    "rtb": ("InvalidRouteTableID.NotFound", "routeTable ID"),
    "igw": ("InvalidInternetGatewayID.NotFound", "internetGateway ID"),
    "eigw": ("InvalidGatewayID.NotFound", "eigw ID"),
    "nat": ("NatGatewayNotFound", "Nat Gateway"),
    "sg": ("InvalidGroup.NotFound", "security group"),
    "acl": ("InvalidNetworkAclID.NotFound", "networkAcl ID"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
    "eipalloc": ("InvalidAllocationID.NotFound", "allocation ID"),
    "lt": ("InvalidLaunchTemplateId.NotFound", "launchTemplate ID"),
    "i": ("InvalidInstanceID.NotFound", "instance ID"),
}
_EC2_ID = re.compile(r"^(?:{})-[0-9a-f]{{8,32}}$".format("|".join(_EC2_NOT_FOUND)))
# The parameters that name what a call is about, and the service's own text when that isn't found.
_IDENTITIES = {
    "iam": {
        "RoleName": "The role with name {} cannot be found.",
        "InstanceProfileName": "Instance Profile {} cannot be found.",
        "UserName": "The user with name {} cannot be found.",
        "Arn": "Policy {} was not found.",
        "OpenIDConnectProviderArn": "OpenIDConnect Provider not found for arn {}",
    },
    "eks": {
        "nodegroupName": "No node group found for name: {}.",
        "addonName": "No addon: {} found",
        "fargateProfileName": "No Fargate Profile found with name: {}.",
        "associationId": "Association {} not found",
        "principalArn": "The specified principalArn could not be found.",
        "name": "No cluster found for name: {}.",
    },
}


@dataclass
class Fault:
    """One fault. `service` and `operation` may be `*`; `count` is how often it strikes (None: without end), after
    `after` matching calls have passed; `match` narrows it to calls whose parameters hold these values."""

    service: str = "*"
    operation: str = "*"
    kind: str = "error"
    count: int | None = 1
    after: int = 0
    status: int = 500
    code: str = "InternalError"
    message: str = "An internal error has occurred"
    seconds: float = 0.0
    reads: int = 2
    writes: bool = False
    match: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if self.kind == "not_found_for" and self.service not in ("ec2", "iam", "eks"):
            raise ValueError("not_found_for needs a service: ec2, iam or eks")
        if self.kind == "not_assumable_for" and self.service != "iam":
            raise ValueError("not_assumable_for needs the service iam")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Fault:
        unknown = set(data) - {item.name for item in fields(cls)}
        if unknown:
            raise ValueError(f"unknown fault fields: {', '.join(sorted(unknown))}")
        return cls(**data)

    def matches(self, call: Call) -> bool:
        return (
            self.service in ("*", call.service)
            and self.operation in ("*", call.operation)
            and all(call.request.get(key) == value for key, value in self.match.items())
        )

    def due(self) -> bool:
        """Counts one matching call; True when the fault strikes it."""
        if self.count is not None and self.struck >= self.count:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.struck += 1
        return True


@dataclass(frozen=True)
class Verdict:
    """What is to happen to a call: refused (`error`), cut off (`reset`, `lost_reply`), delayed, or answered from
    memory (`replay`: status, headers, body)."""

    kind: str
    error: tuple[int, str, str] | None = None
    seconds: float = 0.0
    replay: tuple[int, list[tuple[str, str]], bytes] | None = None


@dataclass
class _Memory:
    """The answers that one read gave: the latest, and the one before the latest write."""

    epoch: int
    answer: tuple[int, list[tuple[str, str]], bytes]
    older: tuple[int, list[tuple[str, str]], bytes] | None = None


@dataclass
class _Hidden:
    code: str
    text: str
    reads: int
    writes: bool


class Faults:
    """The faults in force, and what they need to remember."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._lock = RLock()
        self._good_writes = 0
        self._memories: dict[str, _Memory] = {}
        self._hidden: dict[tuple[str, ...], _Hidden] = {}
        self._unassumable: dict[str, int] = {}

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self.active))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            if fault.kind == "halt":
                fault.seen = 0
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Ends all faults; what was hidden is seen again."""
        with self._lock:
            self.active.clear()
            self._hidden.clear()
            self._unassumable.clear()

    def reset(self) -> None:
        with self._lock:
            self.clear()
            self._good_writes = 0
            self._memories.clear()

    def before(self, call: Call) -> list[Verdict]:
        """The verdicts on a call that just came in, delays first, at most one that answers it."""
        with self._lock:
            verdicts = []
            for fault in self.active:
                if not fault.matches(call):
                    continue
                verdict = self._judge(fault, call)
                if verdict is not None:
                    verdicts.append(verdict)
            hidden = self._not_found(call)
            if hidden is not None:
                verdicts.append(hidden)
            if call.service == "sts" and self.refuses_to_assume(
                str(call.request.get("RoleArn")).rsplit("/", maxsplit=1)[-1]
            ):
                text = f"User is not authorized to perform: sts:AssumeRole on resource: {call.request['RoleArn']}"
                verdicts.append(Verdict("not_assumable_for", error=(403, "AccessDenied", text)))
            delays = [verdict for verdict in verdicts if verdict.kind == "latency"]
            answers = [verdict for verdict in verdicts if verdict.kind != "latency"]
            return delays + answers[:1]

    def _judge(self, fault: Fault, call: Call) -> Verdict | None:
        if fault.kind == "halt":
            if not call.write or fault.seen < fault.after:
                return None
            fault.struck += 1
            return Verdict("halt", error=(503, "EmulatorHalted", f"Halted after {fault.after} writes"))
        if fault.kind in ("not_found_for", "not_assumable_for"):
            return None
        if fault.kind == "stale":
            answer = None if call.write else self._older(call)
            return Verdict("stale", replay=answer) if answer is not None and fault.due() else None
        if not fault.due():
            return None
        if fault.kind == "throttle":
            status, code = _THROTTLES.get(call.service, _THROTTLE)
            if call.service == "ssm":
                code = "ThrottlingException"
            return Verdict("throttle", error=(status, code, "Rate exceeded"))
        if fault.kind == "error":
            return Verdict("error", error=(fault.status, fault.code, fault.message))
        return Verdict(fault.kind, seconds=fault.seconds)

    def after(self, call: Call, answer: tuple[int, list[tuple[str, str]], bytes]) -> None:
        """Takes note of a call that was done."""
        with self._lock:
            if not call.write:
                self._remember(call, answer)
                return
            if not call.ok:
                return
            self._good_writes += 1
            for fault in self.active:
                if not fault.matches(call):
                    continue
                if fault.kind == "halt":
                    fault.seen += 1
                elif fault.kind == "not_found_for" and fault.due():
                    self._hide(fault, call, answer[2])
                elif fault.kind == "not_assumable_for" and "RoleName" in call.request and fault.due():
                    self._unassumable[call.request["RoleName"]] = fault.reads

    def _key(self, call: Call) -> str:
        return json.dumps([call.service, call.operation, call.account, call.region, call.request], default=str)

    def _remember(self, call: Call, answer: tuple[int, list[tuple[str, str]], bytes]) -> None:
        if len(answer[2]) > 1_000_000:
            return
        key, memory = self._key(call), None
        memory = self._memories.get(key)
        if memory is None:
            self._memories[key] = _Memory(self._good_writes, answer)
            return
        if memory.epoch < self._good_writes:
            memory.older = memory.answer
            memory.epoch = self._good_writes
        memory.answer = answer

    def _older(self, call: Call) -> tuple[int, list[tuple[str, str]], bytes] | None:
        memory = self._memories.get(self._key(call))
        if memory is None:
            return None
        return memory.answer if memory.epoch < self._good_writes else memory.older

    def _hide(self, fault: Fault, call: Call, body: bytes) -> None:
        if call.service == "ec2":
            named = set(_strings(call.request))
            shown = body.decode("utf-8", "replace")
            for made in {item for item in re.findall(r">([a-z]+-[0-9a-f]{8,32})<", shown) if _EC2_ID.match(item)}:
                if made not in named:
                    code, what = _EC2_NOT_FOUND[made.rsplit("-", 1)[0]]
                    text = f"The {what} '{made}' does not exist"
                    self._hidden[("ec2", made)] = _Hidden(code, text, fault.reads, fault.writes)
            return
        answer = body.decode("utf-8", "replace")
        code = "NoSuchEntity" if call.service == "iam" else "ResourceNotFoundException"
        for name, text in _IDENTITIES[call.service].items():
            value = call.request.get(name)
            if value is None and name.endswith("Arn"):
                found = re.search(rf"<{name}>([^<]+)</{name}>", answer)
                value = found.group(1) if found else None
            if value is not None:
                self._hidden[(call.service, str(value))] = _Hidden(code, text.format(value), fault.reads, fault.writes)
                return

    def _not_found(self, call: Call) -> Verdict | None:
        if not self._hidden:
            return None
        for value in _strings(call.request):
            hidden = self._hidden.get((call.service, value))
            if hidden is None or (call.write and not hidden.writes):
                continue
            self._spend((call.service, value), hidden)
            status = 404 if call.service in ("iam", "eks") else 400
            return Verdict("not_found_for", error=(status, hidden.code, hidden.text))
        return None

    def _spend(self, key: tuple[str, ...], hidden: _Hidden) -> None:
        hidden.reads -= 1
        if hidden.reads <= 0:
            del self._hidden[key]

    def of_launch(self, request: dict[str, Any]) -> str | None:
        """What EC2 answers Auto Scaling, which asks for an instance itself: an error's message, or None."""
        with self._lock:
            for fault in self.active:
                named = (fault.service, fault.operation, fault.kind) == ("autoscaling", "RunInstances", "error")
                if named and all(request.get(key) == value for key, value in fault.match.items()) and fault.due():
                    return fault.message
            return None

    def refuses_to_assume(self, role_name: str) -> bool:
        """Whether the role can't be assumed yet; counts as one attempt."""
        with self._lock:
            left = self._unassumable.get(role_name, 0)
            if left:
                self._unassumable[role_name] = left - 1
            return left > 0

    def unseen(self, ids: set[str]) -> set[str]:
        """Those of the EC2 `ids` that a list must not show yet; counts as one read of each."""
        with self._lock:
            found = {key[1] for key in self._hidden if key[0] == "ec2" and key[1] in ids}
            for item in found:
                self._spend(("ec2", item), self._hidden[("ec2", item)])
            return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
