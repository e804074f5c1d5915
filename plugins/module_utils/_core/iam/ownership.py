# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an IAM resource is (two tags that travel with creation), and how IAM lets it be named (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .. import tags as tagging
from ..plan import Problem

CLUSTER_TAG = tagging.OWN_PREFIX + "cluster"
REGION_TAG = tagging.OWN_PREFIX + "region"

# IAM user guide, "IAM and AWS STS quotas"; an instance profile's and a managed policy's length as in the API's model.
NAME_LENGTHS = {"role": 64, "instance profile": 128, "policy": 128}
PATH_LENGTH = 512
NAMES_SOURCE = "IAM user guide, IAM and AWS STS quotas"
_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/([\x21-\x7e]+/)?")
_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}|aws):(?P<kind>role|policy|oidc-provider)(?P<path>/.*)"
)


@dataclass(frozen=True)
class Owner:
    """The cluster that a resource was made for. IAM is one for all regions, so the region belongs to the name."""

    cluster: str
    region: str

    @property
    def marks(self) -> dict[str, str]:
        """The tags by which a later run knows the resource for its own."""
        return {CLUSTER_TAG: self.cluster, REGION_TAG: self.region}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether these tags say that the resource was made for this cluster."""
        return all(tags.get(key) == value for key, value in self.marks.items())

    def other(self, tags: Mapping[str, str]) -> str:
        """The other cluster that these tags name, in words; empty where they name none."""
        if CLUSTER_TAG not in tags or self.owns(tags):
            return ""
        return f"cluster {tags[CLUSTER_TAG]!r} in {tags.get(REGION_TAG, 'an unknown region')}"

    def tags(self, given: Mapping[str, str] | None) -> dict[str, str]:
        """All tags that a resource is made with."""
        return {**(given or {}), **self.marks}

    def kept(self, given: Mapping[str, str] | None) -> dict[str, str] | None:
        """All tags that a resource of this owner shall have; None where tags are not managed."""
        return None if given is None else self.tags(given)


@dataclass(frozen=True)
class Arn:
    """An IAM ARN in its parts; C(path) ends with a slash, C(name) has none."""

    partition: str
    account: str
    kind: str
    path: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """The parts of a role's, a policy's or an OIDC provider's ARN; None for any other text."""
        found = _ARN.fullmatch(text)
        if found is None:
            return None
        path, _slash, name = found["path"].rpartition("/")
        return cls(found["partition"], found["account"], found["kind"], f"{path}/", name)


def name_problems(option: str, kind: str, name: str) -> list[Problem]:
    """What IAM would refuse in a name; C(kind) is a key of NAME_LENGTHS."""
    longest = NAME_LENGTHS[kind]
    if len(name) > longest:
        message = f"the {kind} name {name!r} has {len(name)} characters, {longest} is the most."
        return [Problem(option, message, "Give a shorter one.", NAMES_SOURCE)]
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no {kind} name: letters, digits and +=,.@_- are what it may hold."
        return [Problem(option, message, "", NAMES_SOURCE)]
    return []


def path_problems(option: str, path: str | None) -> list[Problem]:
    """What IAM would refuse in a path."""
    if path is None or (len(path) <= PATH_LENGTH and _PATH.fullmatch(path)):
        return []
    return [Problem(option, f"{path!r} is no path: it begins and ends with a slash.", "", NAMES_SOURCE)]


def arn_problems(option: str, text: str, kind: str, partition: str) -> list[Problem]:
    """What is wrong with an ARN that shall name a C(kind) in C(partition)."""
    arn = Arn.parse(text)
    if arn is None or arn.kind != kind or not arn.name:
        return [Problem(option, f"{text!r} is no ARN of an IAM {kind}.")]
    if arn.partition != partition:
        message = f"{text} is in the partition {arn.partition}, the region is in {partition}."
        return [Problem(option, message, "A partition has an IAM of its own.")]
    return []
