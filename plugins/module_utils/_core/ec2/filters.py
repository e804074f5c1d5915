# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that name many resources by id, or those of a VPC: the fewest calls that EC2 allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import tags as tagging
from ..session import Session

VALUES = 200  # how many values one filter of an EC2 read may have (EC2 API reference: Filter)


def described(session: Session, operation: str, key: str, name: str, values: Iterable[str]) -> list[Any]:
    """The items whose filter C(name) has one of these values.

    A filter, and not the operation's list of ids, since AWS answers an unknown id there with nothing but an error.
    """
    wanted = sorted(set(values))
    chunks = [wanted[start : start + VALUES] for start in range(0, len(wanted), VALUES)]
    reads = {
        str(position): lambda chunk=chunk: session.pages(
            "ec2", operation, key, Filters=[{"Name": name, "Values": chunk}]
        )
        for position, chunk in enumerate(chunks)
    }
    return [item for items in session.together(**reads).values() for item in items]


def tagged(session: Session, operation: str, key: str, tags: Mapping[str, str]) -> list[Any]:
    """The items that carry all of these tags, to the letter: in a filter EC2 takes C(*) and C(?) for a pattern."""
    filters = [{"Name": f"tag:{name}", "Values": [value]} for name, value in sorted(tags.items())]
    listed = session.pages("ec2", operation, key, Filters=filters)
    return [item for item in listed if tags.items() <= tagging.to_dict(item.get("Tags")).items()]
