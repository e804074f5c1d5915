# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes' roles come into aws-auth and go, and nothing else of it changes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core import aws_auth

ROLE = "arn:aws:iam::111122223333:role/nodes/production"
PLAIN = "arn:aws:iam::111122223333:role/production"
NODES = {"rolearn": PLAIN, "username": aws_auth.USERNAME, "groups": list(aws_auth.GROUPS)}
ADMIN = {"rolearn": "arn:aws:iam::111122223333:role/admin", "username": "admin", "groups": ["system:masters"]}
WRITTEN = """\
# Written by hand.
- rolearn: arn:aws:iam::111122223333:role/admin   # the way in when all else fails
  username: admin
  groups: ["system:masters"]

# Somebody else's nodes.
- groups:
    - system:bootstrappers
    - system:nodes
  rolearn: arn:aws:iam::111122223333:role/others
  username: system:node:{{EC2PrivateDNSName}}
"""
INDENTED = "  - rolearn: arn:aws:iam::111122223333:role/admin\n    username: admin"
ONE_LINE = '[{"rolearn": "arn:aws:iam::111122223333:role/admin", "username": "admin"}]'


def entries(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)
    return found


def test_a_role_is_named_without_its_path() -> None:
    assert aws_auth.plain_arn(ROLE) == PLAIN
    assert aws_auth.plain_arn(PLAIN) == PLAIN
    assert aws_auth.plain_arn("pending:role/x") == "pending:role/x"


def test_a_map_that_is_not_there_is_made() -> None:
    made = aws_auth.change(None, [ROLE], True)
    assert made["metadata"] == {"name": "aws-auth", "namespace": "kube-system"}
    assert entries(made["data"]["mapRoles"]) == [NODES]
    assert "{{EC2PrivateDNSName}}" in made["data"]["mapRoles"]


@pytest.mark.parametrize("text", [WRITTEN, INDENTED, ONE_LINE, "", "[]", "[]\n"])
def test_others_stay_and_a_second_run_changes_nothing(text: str) -> None:
    merged = aws_auth.with_roles(text, [ROLE])
    assert entries(merged) == [*(entries(text) or []), NODES]
    assert aws_auth.with_roles(merged, [ROLE, PLAIN]) == merged
    assert entries(aws_auth.without_roles(merged, [ROLE])) == (entries(text) or [])


def test_what_somebody_has_written_stays_to_the_letter() -> None:
    merged = aws_auth.with_roles(WRITTEN, [ROLE])
    assert merged.startswith(WRITTEN)
    assert aws_auth.without_roles(merged, [ROLE]) == WRITTEN
    first = aws_auth.without_roles(WRITTEN, ["arn:aws:iam::111122223333:role/others"])
    assert WRITTEN.startswith(first.rstrip("\n"))
    assert "# the way in when all else fails" in first


def test_an_entry_in_the_middle_goes_alone() -> None:
    merged = aws_auth.with_roles("", [ROLE]) + WRITTEN
    assert aws_auth.without_roles(merged, [ROLE]) == WRITTEN


def test_an_entry_that_says_something_else_is_mended() -> None:
    wrong = yaml.safe_dump([ADMIN, {"rolearn": PLAIN, "username": "x", "groups": ["mine"]}], sort_keys=False)
    mended = entries(aws_auth.with_roles(wrong, [ROLE]))
    assert mended == [ADMIN, {**NODES, "groups": ["mine", *aws_auth.GROUPS]}]


def test_only_what_lets_nodes_in_is_taken_away() -> None:
    other = yaml.safe_dump([{"rolearn": PLAIN, "username": "x", "groups": ["mine"]}])
    assert aws_auth.without_roles(other, [ROLE]) == other
    assert aws_auth.change(None, [ROLE], False) == {}


def test_case_has_no_meaning_and_more_groups_do_no_harm() -> None:
    text = yaml.safe_dump([{**NODES, "rolearn": PLAIN.upper(), "groups": [*aws_auth.GROUPS, "more"]}])
    assert aws_auth.with_roles(text, [ROLE]) == text


def test_an_entry_with_its_path_fits_nobody_and_stays() -> None:
    text = yaml.safe_dump([{**NODES, "rolearn": ROLE}])
    assert [item["rolearn"] for item in entries(aws_auth.with_roles(text, [ROLE]))] == [ROLE, PLAIN]


@pytest.mark.parametrize("text", ["- a\n", "a: b\n", "- username: x\n", "text", "- [", "- rolearn: x\n  - y\n"])
def test_what_is_no_list_of_entries_is_refused(text: str) -> None:
    (problem,) = aws_auth.refusals({"data": {"mapRoles": text}}, [ROLE])
    assert "no list of entries" in problem.message


def test_what_is_no_role_is_refused() -> None:
    (problem,) = aws_auth.refusals(None, ["arn:aws:iam::111122223333:user/me", "pending:role/x"])
    assert "no ARN of an IAM role" in problem.message


NAMES = st.text("abc", min_size=1, max_size=3)
OTHERS = st.lists(
    st.fixed_dictionaries(
        {"rolearn": NAMES.map(lambda name: f"arn:aws:iam::1:role/{name}")},
        optional={"username": NAMES, "groups": st.lists(NAMES, max_size=2)},
    ),
    max_size=4,
)


@given(OTHERS, st.sampled_from([None, False, True]), st.sampled_from(["", "  "]))
def test_merging_and_taking_away_leave_all_others(others: list[dict[str, Any]], flow: bool | None, indent: str) -> None:
    text = yaml.safe_dump(others, default_flow_style=flow, sort_keys=False) if others else ""
    text = "".join(indent + line for line in text.splitlines(keepends=True))
    merged = aws_auth.with_roles(text, [ROLE])
    assert entries(merged) == [*others, NODES]
    assert (entries(aws_auth.without_roles(merged, [ROLE])) or []) == others
