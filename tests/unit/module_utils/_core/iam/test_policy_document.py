# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy documents are read by what they mean."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam import policy_document as policies
from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam.policy_document import Need, Trust

BASE = {"Effect": "Allow", "Action": ["ec2:DescribeTags", "ec2:DescribeSubnets"], "Resource": "*"}


def doc(*statements: dict[str, Any]) -> dict[str, Any]:
    return policies.of(*statements)


def changed(**members: Any) -> dict[str, Any]:
    return doc({**BASE, **members})


@pytest.mark.parametrize(
    "other",
    [
        changed(Action=["ec2:DescribeSubnets", "ec2:DescribeTags"]),
        changed(Resource=["*"]),
        changed(Sid="Anything"),
        changed(Action=["EC2:describetags", "ec2:DescribeSubnets"]),
        {"Version": "2012-10-17", "Statement": BASE},
        doc({**BASE, "Action": "ec2:DescribeTags"}, {**BASE, "Action": "ec2:DescribeSubnets"}),
    ],
    ids=["order", "list of one", "sid", "case of actions", "statement without list", "statements split"],
)
def test_other_words_for_the_same(other: dict[str, Any]) -> None:
    assert policies.same(doc(BASE), other)


@pytest.mark.parametrize(
    "other",
    [
        changed(Action="ec2:DescribeTags"),
        changed(Effect="Deny"),
        changed(Resource="arn:aws:ec2:*:*:subnet/*"),
        changed(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        {"Statement": [BASE]},
        doc({key: value for key, value in BASE.items() if key != "Action"} | {"NotAction": BASE["Action"]}),
    ],
    ids=["fewer actions", "effect", "resource", "condition", "older version", "not these actions"],
)
def test_another_meaning(other: dict[str, Any]) -> None:
    assert not policies.same(doc(BASE), other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Principal": "*"}, {"Principal": {"AWS": "*"}}),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, {"Principal": {"AWS": ["123456789012"]}}),
        ({"Condition": {"Bool": {"aws:X": True}}}, {"Condition": {"Bool": {"AWS:x": ["true"]}}}),
        ({"Condition": {"StringEquals": {"a": ["1", "2"]}}}, {"Condition": {"StringEquals": {"a": ["2", "1"]}}}),
    ],
    ids=["everybody", "an account's root", "a condition's key and value", "a condition's order"],
)
def test_elements_with_more_than_one_spelling(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert policies.same(changed(**one), changed(**other))


ACTIONS = st.lists(st.sampled_from(["ec2:A", "ec2:B", "s3:C", "iam:D"]), min_size=1, max_size=4, unique=True)
STATEMENTS = st.lists(
    st.builds(
        lambda effect, actions, resource: {"Effect": effect, "Action": actions, "Resource": resource},
        st.sampled_from(["Allow", "Deny"]),
        ACTIONS,
        st.sampled_from(["*", "arn:aws:s3:::b"]),
    ),
    min_size=1,
    max_size=4,
)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_order_and_splitting_never_matter(statements: list[dict[str, Any]], random: Any) -> None:
    split = [{**item, "Action": action} for item in statements for action in item["Action"]]
    random.shuffle(split)
    assert policies.same(doc(*statements), doc(*split))
    assert policies.covers(doc(*split), doc(*statements))


@given(STATEMENTS, STATEMENTS)
def test_an_extended_document_covers_the_older_one(older: list[dict[str, Any]], added: list[dict[str, Any]]) -> None:
    assert policies.covers(policies.extended(doc(*older), *added), doc(*older))


@given(STATEMENTS, STATEMENTS)
def test_covering_both_ways_is_being_the_same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    both = policies.covers(doc(*one), doc(*other)) and policies.covers(doc(*other), doc(*one))
    assert both == policies.same(doc(*one), doc(*other))


def test_a_document_is_parsed_from_any_of_iams_forms() -> None:
    text = json.dumps(doc(BASE))
    assert policies.parse(text) == policies.parse(quote(text)) == policies.parse(doc(BASE)) == doc(BASE)
    assert json.loads(policies.to_json(doc(BASE))) == doc(BASE)


ENI = "arn:aws:ec2:eu-west-1:123456789012:network-interface/*"


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([], "missing"),
        ([{"Action": "ec2:*", "Resource": "*"}], "met"),
        ([{"Action": ["s3:Get*", "ec2:Create????"], "Resource": "*"}], "met"),
        ([{"Action": "ec2:createtags", "Resource": ["arn:aws:ec2:*:*:network-interface/*"]}], "met"),
        ([{"Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:us-*:*:network-interface/*"}], "missing"),
        ([{"Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*:*:subnet/*"}], "missing"),
        ([{"NotAction": "iam:*", "Resource": "*"}], "met"),
        ([{"NotAction": "ec2:Create*", "Resource": "*"}], "missing"),
        ([{"Action": "ec2:*", "NotResource": "arn:aws:ec2:*:*:subnet/*"}], "met"),
        ([{"Action": "ec2:*", "Resource": "*", "Condition": {"Bool": {"a": "b"}}}], "conditional"),
        ([{"Action": "ec2:*", "Resource": "*"}, {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}], "denied"),
        (
            [
                {"Action": "ec2:*", "Resource": "*"},
                {"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"Bool": {"a": "b"}}},
            ],
            "met",
        ),
        ([{"Action": "ec2:*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}], "met"),
    ],
)
def test_needs_are_judged(statements: list[dict[str, Any]], verdict: str) -> None:
    found = policies.judge([doc(*({"Effect": "Allow", **item} for item in statements))], [Need("ec2:CreateTags", ENI)])
    said = {name for name in ("missing", "denied", "conditional") if getattr(found, name)}
    assert said == ({verdict} - {"met"})


def test_documents_are_judged_together() -> None:
    one, other = changed(Action="ec2:DescribeTags"), changed(Action="ec2:DescribeSubnets")
    needs = [Need("ec2:DescribeTags"), Need("ec2:DescribeSubnets")]
    assert policies.judge([one, other], needs).missing == ()
    assert policies.judge([one], needs).missing == (Need("ec2:DescribeSubnets"),)


POD = Trust("Service", "pods.eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession"), context={"aws:SourceArn": "a/b"})


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ({"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:TagSession", "sts:AssumeRole"]}, ()),
        ({"Principal": {"Service": ["x", "pods.eks.amazonaws.com"]}, "Action": "sts:*"}, ()),
        ({"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}, ("sts:TagSession",)),
        ({"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:*"}, ("sts:AssumeRole", "sts:TagSession")),
        ({"Principal": "*", "Action": "sts:*"}, ("sts:AssumeRole", "sts:TagSession")),
        (
            {
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": "sts:*",
                "Condition": {"ArnLike": {"AWS:SourceArn": "a/*"}},
            },
            (),
        ),
        (
            {
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": "sts:*",
                "Condition": {"StringEquals": {"aws:SourceArn": "a/*"}},
            },
            ("sts:AssumeRole", "sts:TagSession"),
        ),
    ],
)
def test_a_trust_policy_is_audited(statement: dict[str, Any], missing: tuple[str, ...]) -> None:
    audit = policies.audit(doc({"Effect": "Allow", **statement}), POD)
    assert audit.missing == missing
    assert not audit.denied


def test_the_statement_of_a_trust_passes_its_own_audit() -> None:
    claims = {"issuer:sub": "system:serviceaccount:kube-system:aws-node"}
    trust = Trust("Federated", "arn", ("sts:AssumeRoleWithWebIdentity",), {"StringEquals": claims}, claims)
    for one in (POD, trust):
        assert policies.audit(doc(one.statement()), one) == policies.TrustAudit((), False, ())


def test_a_denial_of_everybody_denies_a_service_too() -> None:
    denial = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    assert policies.audit(doc(POD.statement(), denial), POD).denied


def test_conditions_that_cannot_be_judged_are_named() -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o"}, "StringEqualsIfExists": {"aws:SourceArn": "no"}}
    audit = policies.audit(doc({**POD.statement(), "Condition": condition}), POD)
    assert (audit.missing, audit.conditions) == ((), ("aws:PrincipalOrgID", "aws:SourceArn"))
