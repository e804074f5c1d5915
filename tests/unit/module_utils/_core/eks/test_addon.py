# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An add-on's version, and the calls that lead to it, worked out without AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks import addon, addon_rules
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.addon_model import (
    Addon,
    Observed,
    Offer,
    aim_of,
    target,
    unmanaged,
    version_steps,
)
from ansible_collections.eksops.ipv6.plugins.module_utils._core.eks.shared import ClusterView
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Plan, Step

BUILDS = [
    "v1.23.1-eksbuild.1",
    "v1.22.4-eksbuild.1",
    "v1.22.0-eksbuild.9",
    "v1.21.2-eksbuild.10",
    "v1.21.2-eksbuild.9",
    "v1.9.3-eksbuild.1",
]
OFFER = Offer(True, tuple(BUILDS), "v1.21.2-eksbuild.9")
VIEW = ClusterView("one", True, "ACTIVE", "1.31", "ipv6", "vpc-1")
WANTED = replace(unmanaged("one", "vpc-cni"), wait=True)
ROLE = "arn:aws:iam::123456789012:role/r"


def found(version: str = "v1.21.2-eksbuild.9", **more: Any) -> Observed:
    """A healthy add-on."""
    given = {"status": "ACTIVE", "configuration": {}, "role_arn": None, "associations": (), "issues": (), **more}
    return Observed(arn="arn:aws:eks:eu-west-1:123456789012:addon/one/vpc-cni/0", version=version, **given)


def plan_of(desired: Addon, observed: Observed | None, offer: Offer = OFFER) -> Plan:
    aim = aim_of(desired, observed, target(desired, observed, offer, VIEW))
    return addon.plan(desired, observed, aim, offer, VIEW)


def calls(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if isinstance(step, Step)]


@pytest.mark.parametrize(
    ("given", "running", "expected"),
    [
        (None, None, "v1.21.2-eksbuild.9"),
        (None, "v1.9.3-eksbuild.1", "v1.9.3-eksbuild.1"),
        ("default", "v1.9.3-eksbuild.1", "v1.21.2-eksbuild.9"),
        ("default", "v1.22.0-eksbuild.9", "v1.22.0-eksbuild.9"),
        ("latest", "v1.21.2-eksbuild.10", "v1.23.1-eksbuild.1"),
        ("latest", "v1.24.0-eksbuild.1", "v1.24.0-eksbuild.1"),
        (">=1.21", "v1.9.3-eksbuild.1", "v1.21.2-eksbuild.9"),
        (">=1.22", "v1.9.3-eksbuild.1", "v1.23.1-eksbuild.1"),
        (">=1.9", "v1.9.3-eksbuild.1", "v1.9.3-eksbuild.1"),
        (">= 1.21.2-eksbuild.10", "v1.21.2-eksbuild.9", "v1.23.1-eksbuild.1"),
        ("v1.9.3-eksbuild.1", "v1.21.2-eksbuild.10", "v1.9.3-eksbuild.1"),
    ],
)
def test_the_version_that_is_meant(given: str | None, running: str | None, expected: str) -> None:
    """Numbers are compared as numbers: 1.9 comes before 1.21, and eksbuild.9 before eksbuild.10."""
    observed = found(running) if running else None
    assert target(replace(WANTED, version=given), observed, OFFER, VIEW) == expected


def test_a_cluster_to_come_has_a_version_to_come() -> None:
    assert target(WANTED, None, Offer(), VIEW) == "pending:cluster/one"


def test_only_the_cni_goes_step_by_step() -> None:
    start, end = "v1.21.2-eksbuild.9", "v1.23.1-eksbuild.1"
    assert version_steps(WANTED, found(start), end, OFFER) == ["v1.22.4-eksbuild.1", end]
    assert version_steps(replace(WANTED, name="coredns"), found(start), end, OFFER) == [end]
    assert version_steps(WANTED, found(start), start, OFFER) == []


@pytest.mark.parametrize(
    ("start", "end", "carrying"),
    [
        ("v1.21.2-eksbuild.9", "v1.23.1-eksbuild.1", [False, True]),
        ("v1.23.1-eksbuild.1", "v1.21.2-eksbuild.9", [True, False]),
    ],
)
def test_settings_go_last_on_the_way_up_and_first_on_the_way_down(start: str, end: str, carrying: list[bool]) -> None:
    values = {"env": {"WARM_ENI_TARGET": "2"}}
    desired = replace(WANTED, version=end, configuration=values, associations=(("aws-node", ROLE),))
    steps = calls(plan_of(desired, found(start)))
    assert ["configurationValues" in step.request for step in steps] == carrying
    assert ["podIdentityAssociations" in step.request for step in steps] == [True, False]
    assert [step.after["version"] for step in steps][-1] == end
    aim = aim_of(desired, found(start), end)
    ran = [configuration == values for _version, configuration in addon.runs(desired, found(start), aim, OFFER)]
    assert ran == ([False, True] if carrying[1] else [True, True])


def test_nothing_to_do_is_no_call_and_nothing_runs_anew() -> None:
    assert calls(plan_of(WANTED, found())) == []
    assert addon.runs(WANTED, found(), aim_of(WANTED, found(), found().version), OFFER) == ()


def test_the_role_there_is_goes_along() -> None:
    steps = calls(plan_of(replace(WANTED, version="v1.23.1-eksbuild.1"), found(role_arn=ROLE)))
    assert [step.request["serviceAccountRoleArn"] for step in steps] == [ROLE, ROLE]
    assert all("service_account_role_arn" not in step.after for step in steps)


def test_what_failed_to_be_made_is_made_anew_with_what_it_had() -> None:
    broken = found(status="CREATE_FAILED", configuration={"env": {"A": "b"}}, tags={"own": "yes"}, role_arn=ROLE)
    deleting, creating = calls(plan_of(WANTED, broken))
    assert (deleting.operation, deleting.request["preserve"]) == ("DeleteAddon", True)
    assert creating.request["configurationValues"] == '{"env":{"A":"b"}}'
    assert creating.request["serviceAccountRoleArn"] == ROLE
    assert creating.request["tags"] == {"own": "yes"}
    assert addon.runs(WANTED, broken, aim_of(WANTED, broken, broken.version), OFFER)[0][0] == broken.version


def test_what_failed_to_be_updated_is_updated_again() -> None:
    (step,) = calls(plan_of(WANTED, found(status="UPDATE_FAILED")))
    assert (step.operation, step.request["addonVersion"]) == ("UpdateAddon", "v1.21.2-eksbuild.9")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.21", "is no version"),
        (">=x", "is no version"),
        ("newest", "is no version"),
        ("default", ""),
        ("latest", ""),
        (">=1.21", ""),
        ("v1.21.2-eksbuild.9", ""),
    ],
)
def test_what_is_no_version_is_refused(version: str, said: str) -> None:
    problems = addon_rules.refuse(replace(WANTED, version=version))
    assert said in str(problems[0]) if said else problems == []


@pytest.mark.parametrize(
    ("version", "running", "said"),
    [
        ("v1.20.0-eksbuild.1", None, "EKS does not offer vpc-cni v1.20.0-eksbuild.1 for Kubernetes 1.31"),
        (">=1.24", None, "EKS offers no vpc-cni from 1.24.0 on"),
        ("v1.23.1-eksbuild.1", "v1.9.3-eksbuild.1", "moves one minor version at a time"),
        ("v1.23.1-eksbuild.1", "v1.21.2-eksbuild.9", ""),
    ],
)
def test_what_eks_does_not_offer_is_refused(version: str, running: str | None, said: str) -> None:
    observed = found(running) if running else None
    problems = addon_rules.refuse_offer(replace(WANTED, version=version), observed, OFFER, VIEW)
    assert said in str(problems[0]) if said else problems == []


def test_every_version_on_the_way_is_held_against_the_settings() -> None:
    """CNI pkg/ipamd/ipamd.go, isConfigValid: before 1.16 security groups for pods end aws-node in IPv6."""
    values = {"env": {"ENABLE_POD_ENI": "true"}}
    runs = [("v1.16.4-eksbuild.2", values), ("v1.15.5-eksbuild.1", values), ("v1.14.1-eksbuild.1", {})]
    (problem,) = addon_rules.refuse_settings(WANTED, runs, {}, VIEW)
    assert "not v1.15.5-eksbuild.1" in problem.message
    assert "give configuration_values without it" in problem.remedy
    assert addon_rules.refuse_settings(WANTED, runs[:1], {}, VIEW) == []
    assert addon_rules.refuse_settings(WANTED, runs, {}, replace(VIEW, ip_family="ipv4")) == []
    assert addon_rules.refuse_settings(replace(WANTED, name="coredns"), runs, {}, VIEW) == []
