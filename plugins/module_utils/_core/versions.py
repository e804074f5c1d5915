# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions of Kubernetes, the CNI and add-ons, compared by their numbers, and the ways between them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import total_ordering

_KUBERNETES = re.compile(r"(\d+)\.(\d+)")
_ADDON = re.compile(r"v?(\d+)\.(\d+)\.(\d+)([-+_.].*)?")


@dataclass(frozen=True, order=True)
class KubernetesVersion:
    """A Kubernetes version as EKS names it: major and minor, without a patch."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> KubernetesVersion:
        """From C("1.34").

        @raises ValueError  when the text is no such version.
        """
        match = _KUBERNETES.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no Kubernetes version of the form 1.34")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def kubernetes_steps(current: str, target: str) -> list[str]:
    """The versions a control plane goes through on its way up, one minor at a time; empty when it need not move.

    Source: EKS User Guide, updating a cluster: an update goes to the next minor version.

    @raises ValueError  for a way down, or to another major version.
    """
    now, then = KubernetesVersion.parse(current), KubernetesVersion.parse(target)
    if then.major != now.major or then < now:
        raise ValueError(f"{target} cannot be reached from {current} by going up minor versions")
    return [str(KubernetesVersion(now.major, minor)) for minor in range(now.minor + 1, then.minor + 1)]


@total_ordering
@dataclass(frozen=True, eq=False)
class AddonVersion:
    """An add-on's version, C(vX.Y.Z-eksbuild.N); orders by its numbers.

    The part after the numbers orders piece by piece, digits as numbers. A version without it is the lowest of its
    patch level, so that C(1.10.1) as a floor holds for every build of it.
    """

    text: str
    numbers: tuple[int, int, int]
    rest: tuple[tuple[int, str], ...] = field(default=())

    @classmethod
    def parse(cls, text: str) -> AddonVersion:
        """From C("v1.21.1-eksbuild.3"), also without the C(v) or the build.

        @raises ValueError  when the text is no such version.
        """
        match = _ADDON.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no version of the form v1.21.1-eksbuild.3")
        pieces = re.findall(r"\d+|[A-Za-z]+", match[4] or "")
        rest = tuple((int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces)
        return cls(text, (int(match[1]), int(match[2]), int(match[3])), rest)

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor number."""
        return self.numbers[:2]

    def __str__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        return hash((self.numbers, self.rest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddonVersion) and (self.numbers, self.rest) == (other.numbers, other.rest)

    def __lt__(self, other: AddonVersion) -> bool:
        return (self.numbers, self.rest) < (other.numbers, other.rest)


def newest(versions: Iterable[str]) -> str | None:
    """The highest of some add-on versions; those that are no version count lowest."""
    return max(versions, key=order, default=None)


def addon_steps(current: str, target: str, offered: Iterable[str]) -> list[str]:
    """The versions an add-on goes through so that no single move is wider than one minor, the target last.

    For each minor in between it takes the newest version that is offered. Works upwards and downwards; empty when
    current and target are the same. Source: UpdateAddon answers "Updating VPC-CNI can only go up or down 1 minor
    version at a time".

    @raises LookupError  naming the minor in between of which no version is offered.
    @raises ValueError   for a text that is no version, or another major version.
    """
    now, then = AddonVersion.parse(current), AddonVersion.parse(target)
    if now == then:
        return []
    if now.numbers[0] != then.numbers[0]:
        raise ValueError(f"{target} has another major version than {current}")
    by_minor: dict[tuple[int, int], list[str]] = {}
    for text in offered:
        if _ADDON.fullmatch(text):
            by_minor.setdefault(AddonVersion.parse(text).minor, []).append(text)
    way = 1 if then > now else -1
    steps: list[str] = []
    for minor in range(now.numbers[1] + way, then.numbers[1], way):
        between = newest(by_minor.get((now.numbers[0], minor), ()))
        if between is None:
            raise LookupError(f"{now.numbers[0]}.{minor}")
        steps.append(between)
    return [*steps, target]


def order(text: str) -> tuple[tuple[int, int, int], tuple[tuple[int, str], ...]]:
    """A key to sort add-on versions by; a text that is no version sorts lowest."""
    if not _ADDON.fullmatch(text):
        return (-1, -1, -1), ()
    version = AddonVersion.parse(text)
    return version.numbers, version.rest
