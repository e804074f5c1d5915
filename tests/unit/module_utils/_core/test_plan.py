# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps, Refs and plans as data."""

from __future__ import annotations

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import (
    Await,
    Plan,
    Problem,
    Ref,
    Refused,
    Risk,
    Step,
    Wait,
    diff_of,
    has_ref,
    is_pending,
    refuse_if_any,
    render,
    resolve,
    step_result,
)

VPC = Ref("vpc/net", "Vpc.VpcId")
STEP = Step("ec2", "CreateSubnet", {"VpcId": VPC, "Tags": [{"Key": "a"}]}, "subnet/a", {}, {"vpc_id": VPC}, Risk.SAFE)
WAIT = Wait("ec2", "DescribeVpcs", {}, "Vpcs[0].State", ("available",))


@pytest.mark.parametrize(
    ("value", "pending"), [(VPC, True), ("pending:vpc/net", True), ("vpc-1", False), (None, False)]
)
def test_pending_is_a_ref_or_its_text(value: object, pending: bool) -> None:
    assert is_pending(value) is pending


def test_a_ref_shows_as_pending_with_its_resource_or_label() -> None:
    assert str(VPC) == "pending:vpc/net"
    assert str(Ref("vpc/net", "x", label="vpc/net/ipv6#3")) == "pending:vpc/net/ipv6#3"


def test_refs_are_found_and_resolved_at_any_depth() -> None:
    request = {"a": [{"b": (VPC,)}], "c": 1}
    assert has_ref(request)
    assert resolve(request, lambda _ref: "vpc-1") == {"a": [{"b": ["vpc-1"]}], "c": 1}
    assert not has_ref(resolve(request, lambda _ref: "vpc-1"))


def test_rendering_gives_plain_data() -> None:
    assert render({"set": {"b", "a"}, "ref": VPC, "risk": Risk.SAFE}) == {
        "set": ["a", "b"],
        "ref": "pending:vpc/net",
        "risk": "safe",
    }


def test_a_step_is_returned_with_its_refs_as_they_are_known() -> None:
    predicted, performed = step_result(STEP), step_result(STEP, lambda _ref: "vpc-1")
    assert predicted["request"]["VpcId"] == predicted["after"]["vpc_id"] == "pending:vpc/net"
    assert performed["request"]["VpcId"] == performed["after"]["vpc_id"] == "vpc-1"
    assert {key: predicted[key] for key in ("service", "operation", "resource", "risk")} == {
        "service": "ec2",
        "operation": "CreateSubnet",
        "resource": "subnet/a",
        "risk": "safe",
    }


def test_the_diff_says_what_on_which_resource_at_which_risk() -> None:
    assert diff_of(step_result(STEP))["after_header"] == "subnet/a (ec2:CreateSubnet, safe)"


def test_a_plan_is_put_together_in_order_and_counts_only_writes() -> None:
    waiting = Await("vpc/net", WAIT)
    plan = Plan.of(None, STEP, [waiting, STEP], Plan.of(STEP))
    assert plan.items == (STEP, waiting, STEP, STEP)
    assert plan.steps == (STEP, STEP, STEP)
    assert (Plan.of(STEP) + Plan.of(waiting)).items == (STEP, waiting)


def test_all_problems_are_raised_at_once() -> None:
    refuse_if_any([])
    problems = [Problem("zones", "too few.", "Add one.", "EKS user guide"), Problem("vpc", "gone.")]
    with pytest.raises(Refused) as refused:
        refuse_if_any(problems)
    assert refused.value.problems == tuple(problems)
    assert str(refused.value) == "zones: too few. Add one. [EKS user guide]; vpc: gone."
