# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CNI's rules: what each version calls, what each feature needs, what may be set."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni
from ansible_collections.eksops.ipv6.plugins.module_utils._core.cni import Feature
from ansible_collections.eksops.ipv6.plugins.module_utils._core.iam import policy_document
from ansible_collections.eksops.ipv6.plugins.module_utils._core.versions import AddonVersion
from eksops_emulator.eks.catalogue import cni_needs

# Releases on both sides of every change; the oldest that IPv6 clusters may have, and the newest known.
VERSIONS = "1.10.1 1.11.0 1.15.1 1.15.5 1.16.0 1.18.0 1.19.6 1.20.0 1.21.2 1.22.0 1.22.1 1.22.4 1.23.0 1.23.1".split()
BASE = {
    "ec2:AssignIpv6Addresses",
    "ec2:CreateTags",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeTags",
}
SUBNETS, GROUPS = "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"
INTERFACES = {
    "ec2:AttachNetworkInterface",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DetachNetworkInterface",
    "ec2:ModifyNetworkInterfaceAttribute",
}
TAGGING = {
    "Effect": "Allow",
    "Action": ["ec2:CreateTags"],
    "Resource": ["arn:aws:ec2:*:*:network-interface/*"],
}


def version(text: str | None) -> AddonVersion | None:
    return AddonVersion.parse(text) if text else None


def actions(text: str | None, *features: Feature, default: bool = True) -> set[str]:
    wanted = {*features, *(cni.DEFAULT_FEATURES if default else ())}
    return {call.action for call in cni.required_actions(version(text), wanted)}


@pytest.mark.parametrize(
    ("text", "beyond"),
    [
        ("1.10.1", set()),
        ("v1.15.1-eksbuild.1", set()),
        ("1.18.0", set()),
        ("1.21.2", set()),
        ("v1.22.0-eksbuild.1", {SUBNETS, GROUPS}),
        ("1.22.4", {SUBNETS, GROUPS}),
        ("1.23.0", {SUBNETS}),
        ("1.23.1", {SUBNETS}),
        ("1.40.0", {SUBNETS}),
        (None, {SUBNETS, GROUPS}),
    ],
)
def test_what_a_version_calls(text: str | None, beyond: set[str]) -> None:
    assert actions(text) == BASE | beyond


@pytest.mark.parametrize(
    ("text", "features", "beyond"),
    [
        ("1.19.6", (Feature.MULTI_NIC,), set()),
        ("1.20.0", (Feature.MULTI_NIC,), {SUBNETS, *INTERFACES}),
        ("1.22.0", (Feature.MULTI_NIC,), {SUBNETS, GROUPS, "ec2:UnassignIpv6Addresses", *INTERFACES}),
        ("1.23.0", (Feature.EXCLUDED_SUBNETS,), {"ec2:UnassignIpv6Addresses", *INTERFACES}),
        ("1.23.0", (), set()),
        ("1.22.0", (), {GROUPS}),
        ("1.23.0", (Feature.SECURITY_GROUPS_FOR_PODS,), set()),
        (None, (), {SUBNETS, GROUPS}),
        (None, (Feature.MULTI_NIC,), {SUBNETS, GROUPS, "ec2:UnassignIpv6Addresses", *INTERFACES}),
    ],
)
def test_what_features_change(text: str | None, features: tuple[Feature, ...], beyond: set[str]) -> None:
    assert actions(text, *features, default=False) == BASE | beyond


@pytest.mark.parametrize("text", VERSIONS)
def test_the_default_policy_serves_every_version(text: str) -> None:
    assert cni.missing_actions(version(text), cni.DEFAULT_FEATURES, [cni.policy(None, "aws")], "aws") == []


@pytest.mark.parametrize("text", VERSIONS)
@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-eusc"])
def test_a_versions_policy_allows_it_all_and_nothing_more(text: str, partition: str) -> None:
    document = cni.policy(version(text), partition)
    assert cni.missing_actions(version(text), cni.DEFAULT_FEATURES, [document], partition) == []
    for action in actions(text):
        poorer = policy_document.of(
            *(
                {**statement, "Action": [name for name in statement["Action"] if name != action]}
                for statement in document["Statement"]
            )
        )
        assert cni.missing_actions(version(text), cni.DEFAULT_FEATURES, [poorer], partition) == [action]


@pytest.mark.parametrize("text", VERSIONS)
def test_the_emulators_table_which_was_made_apart_agrees(text: str) -> None:
    assert {action for action, _resource in cni_needs(f"v{text}-eksbuild.1", "aws", True, {})} == actions(text)


@pytest.mark.parametrize(("older", "newer"), list(pairwise(VERSIONS)))
def test_what_an_upgrade_adds_is_what_a_stale_policy_lacks(older: str, newer: str) -> None:
    stale = cni.policy(version(older), "aws")
    lacking = cni.missing_actions(version(newer), cni.DEFAULT_FEATURES, [stale], "aws")
    assert lacking == sorted(actions(newer) - actions(older))


def test_the_policy_in_older_documentation_stops_at_1_22() -> None:
    printed = policy_document.of(
        {"Effect": "Allow", "Action": sorted(BASE - {"ec2:CreateTags"}), "Resource": "*"}, TAGGING
    )
    lacking = {
        text: cni.missing_actions(version(text), cni.DEFAULT_FEATURES, [printed], "aws")
        for text in ("1.21.2", "1.22.1", "1.23.1")
    }
    assert lacking == {"1.21.2": [], "1.22.1": [GROUPS, SUBNETS], "1.23.1": [SUBNETS]}


def test_a_denial_counts_as_missing() -> None:
    denial = policy_document.of({"Effect": "Deny", "Action": "ec2:CreateTags", "Resource": "*"})
    documents = [cni.policy(None, "aws"), denial]
    assert cni.missing_actions(None, cni.DEFAULT_FEATURES, documents, "aws") == ["ec2:CreateTags"]


def test_a_policy_bound_to_the_region_is_judged_there() -> None:
    statement = {**TAGGING, "Resource": "arn:aws:ec2:eu-west-1:123456789012:network-interface/*"}
    document = policy_document.of({"Effect": "Allow", "Action": "ec2:[A]*", "Resource": "*"}, statement)
    everything = policy_document.of({"Effect": "Allow", "NotAction": "ec2:CreateTags", "Resource": "*"})
    asked = (None, cni.DEFAULT_FEATURES, [document, everything], "aws")
    assert cni.judge(*asked, region="eu-west-1", account="123456789012").missing == ()
    assert [need.action for need in cni.judge(*asked, region="us-east-1", account="123456789012").missing] == [
        "ec2:CreateTags"
    ]


def test_every_row_names_its_source() -> None:
    assert all(call.source for call in cni.CALLS)
    assert all(source for _floor, source in cni.FLOORS.values())
    assert all(rule.source for rule in cni.SETTING_RULES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, ""),
        ("pending:addon/vpc-cni", ""),
        ("1.10.1", ""),
        ("v1.10.1-eksbuild.1", ""),
        ("1.10.0", "too old"),
        ("v1.9.3-eksbuild.2", "too old"),
        ("latest", "is no version"),
    ],
)
def test_versions_are_checked(text: str | None, said: str) -> None:
    problems = cni.version_problems("cni_version", text)
    assert said in str(problems[0]) if said else problems == []


@pytest.mark.parametrize("feature", list(cni.FLOORS))
def test_a_feature_begins_at_its_floor(feature: Feature) -> None:
    floor = AddonVersion.parse(cni.FLOORS[feature][0])
    major, minor, patch = floor.numbers
    below = AddonVersion.parse(f"{major}.{minor}.{patch - 1}" if patch else f"{major}.{minor - 1}.9")
    assert cni.feature_problems("option", feature, floor) == []
    assert cni.feature_problems("option", feature, None) == []
    assert len(cni.feature_problems("option", feature, below)) == 1


def test_known_versions_end_at_the_newest() -> None:
    assert cni.known(None)
    assert cni.known(version(f"v{cni.NEWEST}-eksbuild.9"))
    assert not cni.known(version("1.24.0"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ENABLE_PREFIX_DELEGATION": "false"}, "env.ENABLE_PREFIX_DELEGATION"),
        ({"ENABLE_PREFIX_DELEGATION": "true"}, ""),
        ({"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}, "no custom networking"),
        ({"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false"}, ""),
        ({"ENABLE_V6_EGRESS": "true"}, "for IPv4 clusters"),
        ({"DISABLE_POD_V6": "true"}, "takes IPv6 away"),
        ({"AWS_VPC_ENI_MTU": "1279"}, "1280 to 9001"),
        ({"AWS_VPC_ENI_MTU": "1280"}, ""),
        ({"POD_MTU": "9001"}, ""),
        ({"POD_MTU": "9002"}, "1280 to 9001"),
        ({"POD_MTU": "big"}, "1280 to 9001"),
        ({"POD_SECURITY_GROUP_ENFORCING_MODE": "lax"}, "strict or standard"),
        ({"WARM_PREFIX_TARGET": "0"}, "aws-node ends at its start"),
        ({"WARM_PREFIX_TARGET": "0", "WARM_IP_TARGET": "5"}, ""),
        ({"WARM_IP_TARGET": "0"}, ""),
        ({"WARM_PREFIX_TARGET": "0", "WARM_IP_TARGET": "0", "MINIMUM_IP_TARGET": "0"}, "aws-node ends at its start"),
        ({"ENABLE_V4_EGRESS": "false"}, ""),
        ({"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "True"}, "no custom networking"),
        ({"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "1"}, "no custom networking"),
        ({"ENABLE_PREFIX_DELEGATION": "0"}, "env.ENABLE_PREFIX_DELEGATION"),
        ({"ENABLE_PREFIX_DELEGATION": "yes"}, "env.ENABLE_PREFIX_DELEGATION"),
    ],
)
def test_settings_are_checked(settings: dict[str, str], said: str) -> None:
    problems = cni.setting_problems("env", settings, None, managed=False)
    assert said in str(problems[0]) if said else problems == []


@pytest.mark.parametrize(
    ("text", "read"),
    [("true", True), ("True", True), ("T", True), ("1", True), ("false", False), ("F", False), ("0", False)],
)
def test_variables_are_read_as_go_reads_them(text: str, read: bool) -> None:
    assert cni.truth(text) is read


@pytest.mark.parametrize("value", ["yes", "", "on", None, True, 1])
def test_what_go_does_not_read_is_no_truth_value(value: object) -> None:
    assert cni.truth(value) is None


@pytest.mark.parametrize(
    ("text", "configuration", "option", "said"),
    [
        ("1.13.4", {"enableNetworkPolicy": "true"}, "enableNetworkPolicy", "network_policy needs the CNI 1.14.0"),
        ("1.13.4", {"enableNetworkPolicy": "false"}, "", ""),
        ("1.14.0", {"enableNetworkPolicy": "true"}, "", ""),
        ("1.21.2", {"enableWindowsIpam": "true"}, "enableWindowsIpam", "no Windows pods"),
        ("1.21.2", {"enableWindowsIpam": "false"}, "", ""),
        ("1.21.2", {"eniConfig": {"create": True}}, "eniConfig", "custom networking"),
        ("1.21.2", {"eniConfig": {"create": False}}, "", ""),
        ("1.21.2", {"init": {"env": {"ENABLE_V6_EGRESS": "true"}}}, "init.env.ENABLE_V6_EGRESS", "for IPv4 clusters"),
        ("1.21.2", {"init": {"env": {"ENABLE_IPv6": "true"}}}, "init.env.ENABLE_IPv6", "EKS sets"),
        ("1.21.2", {"init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}}, "", ""),
        ("1.15.1", {"env": {"ENABLE_POD_ENI": "true"}}, "env.ENABLE_POD_ENI", "1.16.0"),
        ("1.15.0", {"env": {"ENABLE_V4_EGRESS": "false"}}, "env.ENABLE_V4_EGRESS", "v4_egress needs the CNI 1.15.1"),
        ("1.21.2", {"env": {"WARM_PREFIX_TARGET": "0"}}, "env.WARM_PREFIX_TARGET", "ends at its start"),
        ("1.21.2", {"env": "no mapping", "init": []}, "", ""),
        (None, {"enableNetworkPolicy": "true", "env": {"ENABLE_MULTI_NIC": "true"}}, "", ""),
    ],
)
def test_the_add_ons_configuration_is_checked(
    text: str | None, configuration: dict[str, object], option: str, said: str
) -> None:
    problems = cni.configuration_problems("values", configuration, version(text))
    assert [problem.option for problem in problems] == ([f"values.{option}"] if option else [])
    assert all(said in str(problem) and problem.source for problem in problems)


@pytest.mark.parametrize("name", ["ENABLE_IPv6", "ENABLE_IPv4", "ENABLE_IPV6", "enable_ipv4"])
def test_the_add_ons_family_is_not_ours_to_set(name: str) -> None:
    value = "false" if name.lower().endswith("4") else "true"
    assert "EKS sets the add-on's address family" in str(
        cni.setting_problems("env", {name: value}, None, managed=True)[0]
    )


def test_names_of_variables_know_case() -> None:
    assert "is written ENABLE_IPv6" in str(cni.setting_problems("env", {"ENABLE_IPV6": "true"}, None, managed=False)[0])
    assert cni.setting_problems("env", {"ENABLE_IPv6": "true"}, None, managed=False) == []


@pytest.mark.parametrize(
    ("variable", "below", "floor"),
    [
        ("ENABLE_POD_ENI", "1.15.5", "1.16.0"),
        ("ENABLE_V4_EGRESS", "1.15.0", "1.15.1"),
        ("ENABLE_MULTI_NIC", "1.19.6", "1.20.0"),
        ("ENABLE_SUBNET_DISCOVERY", "1.17.1", "1.18.0"),
        ("ENABLE_IMDS_ONLY_MODE", "1.19.5", "1.19.6"),
    ],
)
def test_a_setting_needs_its_version(variable: str, below: str, floor: str) -> None:
    settings = {variable: "true"}
    assert len(cni.setting_problems("env", settings, AddonVersion.parse(below), managed=True)) == 1
    assert cni.setting_problems("env", settings, AddonVersion.parse(floor), managed=True) == []


GOOD = {container: dict(wanted) for container, wanted in cni.ENVIRONMENT.items()}
STOCK = {
    "aws-node": {"ENABLE_IPv4": "true", "ENABLE_IPv6": "false", "ENABLE_PREFIX_DELEGATION": "false"},
    "aws-vpc-cni-init": {"ENABLE_IPv6": "false"},
}


def test_a_running_cni_is_checked_in_all_its_containers() -> None:
    assert cni.environment_problems(GOOD) == []
    assert [problem.option for problem in cni.environment_problems(STOCK)] == [
        "aws-node.ENABLE_IPv6",
        "aws-node.ENABLE_IPv4",
        "aws-node.ENABLE_PREFIX_DELEGATION",
        "aws-vpc-cni-init.ENABLE_IPv6",
    ]


def test_a_running_cni_may_write_truth_as_go_reads_it() -> None:
    written = {"aws-node": {"ENABLE_IPv6": "True", "ENABLE_IPv4": "0", "ENABLE_PREFIX_DELEGATION": "1"}}
    assert cni.environment_problems({**GOOD, **written}) == []


def test_what_a_container_does_not_name_has_the_codes_default() -> None:
    """The code's default for ENABLE_IPv4 is false, whatever the README says."""
    without = {container: {k: v for k, v in env.items() if k != "ENABLE_IPv4"} for container, env in GOOD.items()}
    assert cni.environment_problems(without) == []
    assert len(cni.environment_problems({"aws-node": GOOD["aws-node"]})) == 1


def test_a_running_cni_with_a_misspelled_variable_is_told() -> None:
    misspelled = {**GOOD, "aws-node": {**GOOD["aws-node"], "ENABLE_IPV6": "true"}}
    assert [problem.option for problem in cni.environment_problems(misspelled)] == ["aws-node.ENABLE_IPV6"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {Feature.SUBNET_DISCOVERY}),
        ({"ENABLE_SUBNET_DISCOVERY": "false"}, set()),
        ({"ENABLE_MULTI_NIC": "true"}, {Feature.SUBNET_DISCOVERY, Feature.MULTI_NIC}),
        (
            {"ENABLE_POD_ENI": "true", "ENABLE_MULTI_NIC": "false"},
            {Feature.SUBNET_DISCOVERY, Feature.SECURITY_GROUPS_FOR_PODS},
        ),
    ],
)
def test_settings_turn_features_on(settings: dict[str, str], expected: set[Feature]) -> None:
    assert cni.features_of(settings) == expected


@pytest.mark.parametrize(
    ("text", "below"), [("v1.10.0", True), ("v1.9.3-eksbuild.1", True), ("v1.10.1-eksbuild.1", False), ("one", False)]
)
def test_the_floor_is_1_10_1(text: str, below: bool) -> None:
    assert cni.below_floor(text) is below


@pytest.mark.parametrize(
    "features", [cni.DEFAULT_FEATURES, cni.DEFAULT_FEATURES | {Feature.MULTI_NIC, Feature.EXCLUDED_SUBNETS}]
)
def test_a_policy_for_one_vpc_allows_the_same_there_and_nothing_elsewhere(features: frozenset[Feature]) -> None:
    """Service Authorization Reference, Amazon EC2: ec2:Region of every action, ec2:Vpc of what lives in a VPC."""
    scope = cni.Scope("aws", "eu-west-1", "123456789012", "vpc-1")
    calls = cni.required_actions(None, features)
    document = policy_document.of(*cni.scoped_statements(calls, scope))
    needs = cni.needs(calls, "aws", "eu-west-1", "123456789012")
    there = policy_document.judge([document], needs, scope.context)
    assert (there.missing, there.denied, there.conditional) == ((), (), ())
    elsewhere = cni.Scope("aws", "eu-west-1", "123456789012", "vpc-2").context
    lacking = {need.action for need in policy_document.judge([document], needs, elsewhere).missing}
    bound = {call.action for call in calls if set(call.resources) - {"instance"}}
    assert lacking == bound
    unknown = policy_document.judge([document], needs).conditional
    assert {need.action for need in unknown} >= {call.action for call in calls if not call.resources}
