# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, paths, ARNs and whose a resource is."""

from __future__ import annotations

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam import ownership
from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam.ownership import Arn, Owner


@pytest.mark.parametrize(
    ("kind", "name", "fine"),
    [
        ("role", "x" * 64, True),
        ("role", "x" * 65, False),
        ("policy", "x" * 128, True),
        ("policy", "x" * 129, False),
        ("instance profile", "x" * 129, False),
        ("role", "a+=,.@_-Z9", True),
        ("role", "a b", False),
        ("role", "a/b", False),
        ("role", "größe", False),
        ("role", "", False),
    ],
)
def test_names(kind: str, name: str, fine: bool) -> None:
    assert (ownership.name_problems("name", kind, name) == []) is fine


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        *((path, True) for path in (None, "/", "/a/", "/a/b/", f"/{'x' * 510}/")),
        *((path, False) for path in ("a/", "/a", "", f"/{'x' * 511}/", "/a b/")),
    ],
)
def test_paths(path: str | None, fine: bool) -> None:
    assert (ownership.path_problems("path", path) == []) is fine


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("arn:aws:iam::123456789012:role/r", Arn("aws", "123456789012", "role", "/", "r")),
        ("arn:aws-us-gov:iam::123456789012:role/a/b/r", Arn("aws-us-gov", "123456789012", "role", "/a/b/", "r")),
        ("arn:aws:iam::aws:policy/service-role/P", Arn("aws", "aws", "policy", "/service-role/", "P")),
        ("arn:aws:iam::123456789012:user/u", None),
        ("arn:aws:iam::1234:role/r", None),
        ("role/r", None),
    ],
)
def test_arns(text: str, arn: Arn | None) -> None:
    assert Arn.parse(text) == arn


def test_a_region_belongs_to_the_owner() -> None:
    owner = Owner("prod", "eu-west-1")
    assert owner.owns({**owner.marks, "a": "b"})
    assert not owner.owns({})
    assert owner.other({}) == owner.other(owner.marks) == ""
    assert owner.other(Owner("prod", "us-east-1").marks) == "cluster 'prod' in us-east-1"
    assert owner.other({ownership.CLUSTER_TAG: "x"}) == "cluster 'x' in an unknown region"
    assert owner.tags({"a": "b", ownership.CLUSTER_TAG: "forged"}) == {"a": "b", **owner.marks}
