# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_addon against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations
from moto.eks.models import eks_backends

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import CNI_ACTIONS, CNI_ACTIONS_1_22, Sample

MODULE = "eks_addon"
CLUSTER = "production"
CNI = {"cluster_name": CLUSTER, "name": "vpc-cni"}
AGENT = {"cluster_name": CLUSTER, "name": "eks-pod-identity-agent"}
DNS = {"cluster_name": CLUSTER, "name": "coredns"}
CREATE, UPDATE, DELETE = ("eks", "CreateAddon"), ("eks", "UpdateAddon"), ("eks", "DeleteAddon")


@pytest.fixture
def bare(aws: Callable[..., Any]) -> Sample:
    """An account without a cluster."""
    return Sample(aws)


@pytest.fixture
def world(bare: Sample) -> Sample:
    """A cluster without any add-on."""
    bare.cluster(CLUSTER, version="1.31", bootstrapSelfManagedAddons=False)
    return bare


def live(world: Sample, name: str) -> dict[str, Any]:
    return dict(world.eks.describe_addon(clusterName=CLUSTER, addonName=name)["addon"])


def irsa_role(player: Player, world: Sample) -> str:
    """A role that aws-node has through the cluster's OIDC provider."""
    issuer = world.eks.describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
    player("iam_oidc_provider", url=issuer)
    role = player("iam_cni_role", cluster_name=CLUSTER, identity="irsa", oidc_issuer=issuer, name="irsa")
    return str(role["cni_role"]["arn"])


def in_emulator(name: str) -> Any:
    """The emulator's own record, to put it where AWS would only bring it by misfortune."""
    return eks_backends["123456789012"]["eu-west-1"].clusters[CLUSTER].addons[name]


# --- installing --------------------------------------------------------------------------------------------------


def test_a_new_addon_has_the_default_version_of_the_cluster(player: Player, world: Sample) -> None:
    result = player.converge(MODULE, **CNI, tags={"team": "network"})
    assert operations(result["plan"]) == [CREATE]
    addon, found = result["addon"], live(world, "vpc-cni")
    assert addon["version"] == found["addonVersion"] == "v1.20.4-eksbuild.2"
    assert addon["status"] == "ACTIVE"
    assert addon["arn"] == found["addonArn"]
    assert addon["tags"] == found["tags"] == {"team": "network"}
    assert player.unchanged(MODULE, **CNI)["addon"] == addon


@pytest.mark.parametrize(
    ("given", "version"),
    [
        ("default", "v1.20.4-eksbuild.2"),
        ("latest", "v1.23.1-eksbuild.1"),
        ("v1.19.0-eksbuild.1", "v1.19.0-eksbuild.1"),
        (">=1.19", "v1.20.4-eksbuild.2"),
        (">=v1.21.1-eksbuild.3", "v1.23.1-eksbuild.1"),
    ],
)
def test_the_version_is_the_default_the_newest_or_the_one_given(
    player: Player, world: Sample, given: str, version: str
) -> None:
    assert player.converge(MODULE, **CNI, addon_version=given)["addon"]["version"] == version
    assert live(world, "vpc-cni")["addonVersion"] == version


@pytest.mark.parametrize("name", ["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver"])
def test_any_addon_that_eks_offers_can_be_had(player: Player, world: Sample, name: str) -> None:
    result = player.converge(MODULE, cluster_name=CLUSTER, name=name)
    assert result["addon"]["version"] == live(world, name)["addonVersion"]


def test_check_mode_stands_in_for_the_arn(player: Player, world: Sample) -> None:
    addon = player.check(MODULE, **CNI)["addon"]
    assert addon["arn"] == addon["status"] == f"pending:addon/{CLUSTER}/vpc-cni"
    assert addon["version"] == "v1.20.4-eksbuild.2"


def test_a_cluster_that_does_not_exist_yet_is_planned_for(player: Player) -> None:
    planned = player.check(MODULE, **CNI, kubernetes_version="1.34")
    assert operations(planned["plan"]) == [CREATE]
    assert planned["addon"]["version"] == "v1.21.2-eksbuild.2"
    assert "there is no cluster production yet" in planned["warnings"][0]
    unknown = player.check(MODULE, **CNI, configuration_values={"env": {"A": "b"}})
    assert unknown["addon"]["version"] == "pending:cluster/production"


def test_a_cluster_about_to_be_upgraded_is_planned_for(player: Player, world: Sample) -> None:
    assert player.check(MODULE, **CNI, kubernetes_version="1.34")["addon"]["version"] == "v1.21.2-eksbuild.2"
    assert player(MODULE, **CNI, kubernetes_version="1.34")["addon"]["version"] == "v1.20.4-eksbuild.2"


def test_without_a_cluster_nothing_is_done(player: Player, bare: Sample) -> None:
    failed = player.fails(MODULE, **CNI)
    assert failed["msg"].startswith("cluster_name: there is no cluster production")


def test_a_cluster_in_the_making_is_waited_for(player: Player, bare: Sample) -> None:
    bare.eks.create_cluster(**bare.cluster_request(CLUSTER, bootstrapSelfManagedAddons=False))
    assert player.converge(MODULE, **CNI)["addon"]["status"] == "ACTIVE"


def test_configuration_role_and_associations_reach_the_new_addon(player: Player, world: Sample) -> None:
    player(MODULE, **AGENT)
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    result = player.converge(
        MODULE,
        **CNI,
        configuration_values={"env": {"ENABLE_POD_ENI": "true"}},
        pod_identity_associations=associations,
        resolve_conflicts="NONE",
    )
    found = live(world, "vpc-cni")
    assert json.loads(found["configurationValues"]) == {"env": {"ENABLE_POD_ENI": "true"}}
    assert len(found["podIdentityAssociations"]) == 1
    assert result["addon"]["pod_identity_associations"] == associations
    assert player.unchanged(MODULE, **CNI)["addon"] == result["addon"]


def test_a_role_that_iam_has_not_spread_yet_is_waited_for(player: Player, world: Sample, emulator: Emulator) -> None:
    emulator.fault(
        "eks",
        "CreateAddon",
        status=400,
        code="InvalidParameterException",
        message="Role provided in the request does not exist.",
        count=2,
    )
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    assert player(MODULE, **CNI, pod_identity_associations=associations)["addon"]["status"] == "ACTIVE"


def test_coredns_before_the_first_node_is_made_and_degraded(player: Player, world: Sample) -> None:
    result = player(MODULE, **DNS)
    assert result["addon"]["status"] == "DEGRADED"
    again = player.unchanged(MODULE, **DNS)
    assert "InsufficientNumberOfReplicas" in again["warnings"][0]
    assert again["addon"]["health_issues"][0]["code"] == "InsufficientNumberOfReplicas"


def test_without_wait_the_run_ends_with_the_call_and_the_next_one_waits(player: Player, world: Sample) -> None:
    assert player(MODULE, **CNI, wait=False)["addon"]["status"] == "CREATING"
    assert player.unchanged(MODULE, **CNI)["addon"]["status"] == "ACTIVE"


# --- adopting and mending ----------------------------------------------------------------------------------------


@pytest.fixture
def self_managed(bare: Sample) -> Sample:
    """A cluster with the CNI that EKS puts into a new one without managing it."""
    bare.cluster(CLUSTER, version="1.31")
    return bare


def test_the_cni_that_came_with_the_cluster_is_adopted(player: Player, self_managed: Sample) -> None:
    result = player.converge(MODULE, **CNI, addon_version="latest", resolve_conflicts="OVERWRITE")
    assert result["addon"]["status"] == "ACTIVE"
    assert result["plan"][0]["risk"] == "disruptive"


def test_a_conflict_names_the_fields_and_a_later_run_mends_it(player: Player, self_managed: Sample) -> None:
    failed = player.fails(MODULE, **CNI, addon_version="latest", tags={"team": "network"})
    assert "became CREATE_FAILED: ConfigurationConflict: Conflicts found" in failed["msg"]
    assert "aws-node" in failed["msg"]
    mended = player.converge(MODULE, **CNI, addon_version="latest", resolve_conflicts="OVERWRITE")
    assert operations(mended["plan"]) == [DELETE, CREATE]
    assert mended["plan"][0]["request"]["preserve"] is True
    assert mended["addon"]["status"] == "ACTIVE"
    assert mended["addon"]["tags"] == {"team": "network"}


def test_an_addon_made_anew_keeps_what_is_not_managed(player: Player, world: Sample) -> None:
    player(MODULE, **AGENT)
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    values = {"env": {"ENABLE_POD_ENI": "true"}}
    before = player(MODULE, **CNI, configuration_values=values, pod_identity_associations=associations)["addon"]
    in_emulator("vpc-cni").life.set("CREATE_FAILED")
    result = player.converge(MODULE, **CNI, resolve_conflicts="OVERWRITE")
    mended = result["addon"]
    assert mended == {**before, "arn": mended["arn"]}
    assert result["plan"][0]["before"] == {
        "version": before["version"],
        "configuration_values": values,
        "pod_identity_associations": {"aws-node": world.cni_role},
        "status": "CREATE_FAILED",
    }
    (warning,) = (text for text in result["warnings"] if "made anew" in text)
    assert "with the configuration_values, pod_identity_associations that it has" in warning


def test_a_failed_update_is_made_again(player: Player, world: Sample) -> None:
    """As when the CNI's role was mended after aws-node had crashed."""
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    world.allow("cni", CNI_ACTIONS)
    player(MODULE, **AGENT)
    player(MODULE, **CNI, addon_version="v1.21.2-eksbuild.2", pod_identity_associations=associations)
    world.nodegroup("workers", CLUSTER)
    failed = player.fails(MODULE, **CNI, addon_version="v1.22.4-eksbuild.1", cni_role_check="skip")
    assert "became Failed: InsufficientNumberOfReplicas" in failed["msg"]
    assert live(world, "vpc-cni")["status"] == "UPDATE_FAILED"
    world.allow("cni", CNI_ACTIONS_1_22)
    mended = player.converge(MODULE, **CNI, addon_version="v1.22.4-eksbuild.1")
    assert operations(mended["plan"]) == [UPDATE]
    assert mended["plan"][0]["before"] == {"status": "UPDATE_FAILED"}
    assert live(world, "vpc-cni")["status"] == "ACTIVE"


# --- changing ----------------------------------------------------------------------------------------------------


def test_the_cni_goes_up_one_minor_at_a_time(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1")
    result = player.converge(MODULE, **CNI, addon_version="v1.23.0-eksbuild.1")
    assert [step["request"]["addonVersion"] for step in result["plan"]] == [
        "v1.20.5-eksbuild.1",
        "v1.21.2-eksbuild.2",
        "v1.22.4-eksbuild.1",
        "v1.23.0-eksbuild.1",
    ]
    assert result["plan"][1]["before"] == {"version": "v1.20.5-eksbuild.1"}
    assert live(world, "vpc-cni")["addonVersion"] == "v1.23.0-eksbuild.1"


def test_the_cni_goes_down_one_minor_at_a_time_when_told(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, addon_version="v1.21.1-eksbuild.1")
    result = player.converge(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1")
    assert [step["request"]["addonVersion"] for step in result["plan"]] == ["v1.20.5-eksbuild.1", "v1.19.0-eksbuild.1"]


def test_other_addons_move_in_one_step(player: Player, world: Sample) -> None:
    player(MODULE, **DNS, addon_version="v1.11.1-eksbuild.8", wait=False)
    player(MODULE, **DNS)
    planned = player.check(MODULE, **DNS, addon_version="v1.13.2-eksbuild.4")
    assert [step["request"]["addonVersion"] for step in planned["plan"]] == ["v1.13.2-eksbuild.4"]


@pytest.mark.parametrize("given", ["default", "latest"])
def test_default_and_latest_never_go_down(player: Player, world: Sample, given: str) -> None:
    player(MODULE, **CNI, addon_version="v1.23.1-eksbuild.1")
    if given == "latest":
        in_emulator("vpc-cni").facts["addonVersion"] = "v1.24.0-eksbuild.1"
    result = player.unchanged(MODULE, **CNI, addon_version=given)
    assert "stays; give the version itself to go back" in result["warnings"][0]


def test_a_floor_leaves_what_is_above_it_and_asks_nothing(player: Player, world: Sample, emulator: Emulator) -> None:
    player(MODULE, **CNI, addon_version="v1.19.2-eksbuild.5")
    emulator.journal.clear()
    assert player(MODULE, **CNI, addon_version=">=1.19")["addon"]["version"] == "v1.19.2-eksbuild.5"
    assert sorted(call.operation for call in emulator.journal.calls) == ["DescribeAddon", "DescribeCluster"]
    assert player.converge(MODULE, **CNI, addon_version=">=1.20")["addon"]["version"] == "v1.20.4-eksbuild.2"


def test_default_follows_the_cluster_up(player: Player, world: Sample) -> None:
    player(MODULE, **CNI)
    player("eks_cluster", name=CLUSTER, kubernetes_version="1.33")
    assert player.converge(MODULE, **CNI, addon_version="default")["addon"]["version"] == "v1.21.1-eksbuild.3"


def test_a_version_not_given_is_left_alone(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1")
    assert player.unchanged(MODULE, **CNI)["addon"]["version"] == "v1.19.0-eksbuild.1"


def test_an_unchanged_addon_is_two_reads(player: Player, world: Sample, emulator: Emulator) -> None:
    player(MODULE, **CNI, addon_version="v1.20.4-eksbuild.2", configuration_values={"env": {"ENABLE_POD_ENI": "true"}})
    emulator.journal.clear()
    player.unchanged(
        MODULE, **CNI, addon_version="v1.20.4-eksbuild.2", configuration_values={"env": {"ENABLE_POD_ENI": "true"}}
    )
    assert sorted(call.operation for call in emulator.journal.calls) == ["DescribeAddon", "DescribeCluster"]


def test_configuration_is_compared_by_meaning(player: Player, world: Sample) -> None:
    text = 'env:\n  WARM_ENI_TARGET: "2"\n  ENABLE_POD_ENI: "true"\n'
    world.addon("vpc-cni", CLUSTER, configurationValues=text)
    values = {"env": {"ENABLE_POD_ENI": "true", "WARM_ENI_TARGET": "2"}}
    assert player.unchanged(MODULE, **CNI, configuration_values=values)["addon"]["configuration_values"] == values


def test_configuration_changes_alone_and_goes_back_to_the_addons_own(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, configuration_values={"env": {"ENABLE_POD_ENI": "true"}})
    changed = player.converge(MODULE, **CNI, configuration_values={"env": {"ENABLE_POD_ENI": "false"}})
    assert operations(changed["plan"]) == [UPDATE]
    assert "addonVersion" not in changed["plan"][0]["request"]
    assert changed["plan"][0]["before"] == {"configuration_values": {"env": {"ENABLE_POD_ENI": "true"}}}
    player.unchanged(MODULE, **CNI)
    assert player.converge(MODULE, **CNI, configuration_values={})["addon"]["configuration_values"] == {}


def test_configuration_comes_with_the_last_step_and_is_held_against_its_schema(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1")
    values = {"env": {"ENABLE_MULTI_NIC": "false"}}  # a variable that 1.20 brought
    assert "env.ENABLE_MULTI_NIC" in player.refuses(MODULE, **CNI, configuration_values=values)
    result = player.converge(MODULE, **CNI, addon_version="v1.21.2-eksbuild.2", configuration_values=values)
    assert ["configurationValues" in step["request"] for step in result["plan"]] == [False, True]


def test_configuration_comes_with_the_first_step_down(player: Player, world: Sample) -> None:
    """An older version does not know what a newer one had, or does not start with it: 1.15 with security groups."""
    values = {"env": {"ENABLE_POD_ENI": "true", "ENABLE_SUBNET_DISCOVERY": "false"}}
    player(MODULE, **CNI, addon_version="v1.18.6-eksbuild.1", configuration_values=values)
    result = player.converge(MODULE, **CNI, addon_version="v1.15.5-eksbuild.1", configuration_values={})
    assert ["configurationValues" in step["request"] for step in result["plan"]] == [True, False, False]
    assert result["plan"][1]["before"] == {"version": "v1.17.1-eksbuild.1"}
    assert live(world, "vpc-cni")["status"] == "ACTIVE"


def test_what_is_set_already_must_suit_every_version_on_the_way(player: Player, world: Sample) -> None:
    values = {"env": {"ENABLE_POD_ENI": "true"}}
    player(MODULE, **CNI, addon_version="v1.18.6-eksbuild.1", configuration_values=values)
    msg = player.refuses(MODULE, **CNI, addon_version="v1.14.1-eksbuild.1")
    assert msg.startswith("configuration_values.env.ENABLE_POD_ENI: security_groups_for_pods needs the CNI 1.16.0")
    assert "The add-on has it already; give configuration_values without it." in msg
    values = {"env": {"ENABLE_SUBNET_DISCOVERY": "true"}}
    player(MODULE, **CNI, configuration_values=values)
    msg = player.refuses(MODULE, **CNI, addon_version="v1.16.4-eksbuild.2")
    assert "subnet_discovery needs the CNI 1.18.0 or newer, not v1.17.1-eksbuild.1" in msg
    values = {"podLabels": {"a": "b"}}
    player(MODULE, **CNI, configuration_values=values)
    msg = player.refuses(MODULE, **CNI, addon_version="v1.16.4-eksbuild.2")
    assert "configuration_values.podLabels" in msg
    assert "DescribeAddonConfiguration of vpc-cni v1.17.1-eksbuild.1" in msg


def test_the_role_there_is_goes_along_with_every_update(player: Player, world: Sample) -> None:
    role = irsa_role(player, world)
    player(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1", service_account_role_arn=role)
    result = player.converge(MODULE, **CNI, addon_version="v1.21.2-eksbuild.2")
    assert [step["request"]["serviceAccountRoleArn"] for step in result["plan"]] == [role, role]
    assert live(world, "vpc-cni")["serviceAccountRoleArn"] == role


def test_associations_change_only_when_given_and_go_with_an_empty_list(player: Player, world: Sample) -> None:
    first, second = world.cni_role, player("iam_cni_role", cluster_name=CLUSTER)["cni_role"]["arn"]
    player(MODULE, **CNI, pod_identity_associations=[{"service_account": "aws-node", "role_arn": first}])
    player.unchanged(MODULE, **CNI)
    changed = [{"service_account": "aws-node", "role_arn": second}]
    assert (
        player.converge(MODULE, **CNI, pod_identity_associations=changed)["addon"]["pod_identity_associations"]
        == changed
    )
    gone = player.converge(MODULE, **CNI, pod_identity_associations=[])
    assert gone["plan"][0]["request"]["podIdentityAssociations"] == []
    assert world.eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"] == []


def test_a_role_by_pod_identity_takes_the_place_of_one_by_annotation(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, service_account_role_arn=irsa_role(player, world))
    associations = [{"service_account": "aws-node", "role_arn": world.cni_role}]
    result = player.converge(MODULE, **CNI, pod_identity_associations=associations)
    assert result["addon"]["service_account_role_arn"] is None
    assert "serviceAccountRoleArn" not in live(world, "vpc-cni")


def test_a_second_association_of_aws_node_is_refused(player: Player, world: Sample) -> None:
    player(MODULE, **AGENT)
    by_hand = {"cluster_name": CLUSTER, "namespace": "kube-system", "service_account": "aws-node"}
    player("eks_pod_identity_association", **by_hand, role_arn=world.cni_role)
    wanted = {**CNI, "pod_identity_associations": [{"service_account": "aws-node", "role_arn": world.cni_role}]}
    assert "has the association a-" in player.refuses_unless_mended(MODULE, **wanted)
    player.converge(MODULE, **CNI)
    assert "leave this out, it serves as well" in player.refuses_unless_mended(MODULE, **wanted)
    player("eks_pod_identity_association", **by_hand, state="absent")
    player.converge(MODULE, **wanted)
    again = {
        **wanted,
        "pod_identity_associations": [
            {
                "service_account": "aws-node",
                "role_arn": world.role("other", "pods.eks.amazonaws.com", actions=["sts:AssumeRole", "sts:TagSession"]),
            }
        ],
    }
    world.allow("other", CNI_ACTIONS_1_22)
    player.converge(MODULE, **again)


def test_tags_change_without_an_update(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, tags={"a": "b", "c": "d"})
    result = player.converge(MODULE, **CNI, tags={"a": "e"})
    assert operations(result["plan"]) == [("eks", "TagResource"), ("eks", "UntagResource")]


def test_a_run_stopped_between_two_steps_is_carried_on(player: Player, world: Sample, emulator: Emulator) -> None:
    player(MODULE, **CNI, addon_version="v1.19.0-eksbuild.1")
    wanted = {**CNI, "addon_version": "v1.22.4-eksbuild.1"}
    complete = [step["request"]["addonVersion"] for step in player.check(MODULE, **wanted)["plan"]]
    emulator.transitions("eks::update", times=4)
    emulator.fault("eks", "DescribeUpdate", status=400, code="AccessDeniedException", message="cut off", after=4)
    player.fails(MODULE, **wanted)
    rest = player.converge(MODULE, **wanted)
    assert [step["request"]["addonVersion"] for step in rest["plan"]] == complete[2:]


# --- refusing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"name": "vpc-cnii"}, "name", "EKS offers no add-on vpc-cnii for Kubernetes 1.31. Is vpc-cni meant?"),
        ({"name": "qqq"}, "name", "There are aws-ebs-csi-driver, "),
        ({"addon_version": "v1.9.0-eksbuild.1"}, "addon_version", "1.10.1 or newer"),
        ({"addon_version": "v1.19.9-eksbuild.1"}, "addon_version", "The default is v1.20.4-eksbuild.2; the newest are"),
        ({"addon_version": ">=1.40"}, "addon_version", "EKS offers no vpc-cni from 1.40.0 on for Kubernetes 1.31. The"),
        ({"addon_version": ">=one"}, "addon_version", "nor a floor"),
        ({"addon_version": ">="}, "addon_version", "nor a floor"),
        ({"addon_version": "newest"}, "addon_version", "neither default nor latest"),
        ({"configuration_values": {"enableNetworkPolic": "true"}}, "configuration_values.enableNetworkPolic", "meant?"),
        ({"configuration_values": {"env": {"ENABLE_POD_ENI": True}}}, "configuration_values.env.ENABLE_POD_ENI", "quo"),
        (
            {"configuration_values": {"env": {"ENABLE_IPv6": "true"}}},
            "configuration_values.env.ENABLE_IPv6",
            "EKS sets",
        ),
        (
            {"configuration_values": {"env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}}},
            "configuration_values.env.AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
            "custom networking",
        ),
        ({"service_account_role_arn": "cni"}, "service_account_role_arn", "no ARN"),
        (
            {
                "service_account_role_arn": "arn:aws:iam::123456789012:role/a",
                "pod_identity_associations": [
                    {"service_account": "aws-node", "role_arn": "arn:aws:iam::123456789012:role/a"}
                ],
            },
            "pod_identity_associations",
            "not from both",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    player: Player, world: Sample, bad: dict[str, Any], option: str, reason: str
) -> None:
    msg = player.refuses(MODULE, **{**CNI, **bad})
    assert msg.startswith(f"{option}:")
    assert reason in msg


def test_a_kubernetes_version_that_is_none_is_refused(player: Player, world: Sample) -> None:
    for cluster in (CLUSTER, "none-yet"):
        failed = player.fails(MODULE, check=True, cluster_name=cluster, name="vpc-cni", kubernetes_version="latest")
        assert failed["msg"].startswith("kubernetes_version: 'latest' is no Kubernetes version of the form 1.34.")
    failed = player.fails(MODULE, check=True, cluster_name="none-yet", name="vpc-cni", kubernetes_version="1.3")
    assert "EKS offers no add-on vpc-cni for Kubernetes 1.3. It offers none at all for that version." in failed["msg"]


def test_every_fault_of_the_configuration_is_named_at_once(player: Player, world: Sample) -> None:
    values = {"env": {"ENABLE_POD_ENI": True, "NOPE": "1"}, "other": 1}
    failed = player.fails(MODULE, **CNI, configuration_values=values)
    assert sorted(problem["option"] for problem in failed["problems"]) == [
        "configuration_values.env.ENABLE_POD_ENI",
        "configuration_values.env.NOPE",
        "configuration_values.other",
    ]


def test_a_second_way_to_a_role_is_refused(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, pod_identity_associations=[{"service_account": "aws-node", "role_arn": world.cni_role}])
    msg = player.refuses(MODULE, **CNI, service_account_role_arn=world.cni_role)
    assert "would have two" in msg


def test_fsx_for_lustre_is_warned_of(player: Player, world: Sample) -> None:
    warnings = player.check(MODULE, cluster_name=CLUSTER, name="aws-fsx-csi-driver")["warnings"]
    assert "does not work with IPv6 pods" in warnings[0]


# --- removing ----------------------------------------------------------------------------------------------------


def test_absent_removes_and_is_content_when_gone(player: Player, world: Sample) -> None:
    player(MODULE, **AGENT)
    result = player.converge(MODULE, **AGENT, state="absent")
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("DeleteAddon", "irreversible")]
    assert result["addon"] is None
    assert world.eks.list_addons(clusterName=CLUSTER)["addons"] == []


def test_absent_without_a_cluster_is_content(player: Player, bare: Sample) -> None:
    assert player.unchanged(MODULE, **CNI, state="absent")["addon"] is None


def test_what_runs_can_be_preserved(player: Player, world: Sample) -> None:
    player(MODULE, **CNI)
    result = player.converge(MODULE, **CNI, state="absent", preserve=True)
    assert result["plan"][0]["request"]["preserve"] is True
    assert result["plan"][0]["risk"] == "safe"
    assert result["warnings"] == []


def test_removing_the_cni_is_warned_of(player: Player, world: Sample) -> None:
    player(MODULE, **CNI)
    assert "no pod starts any more" in player.check(MODULE, **CNI, state="absent")["warnings"][0]


def test_an_addon_in_the_making_or_on_its_way_out_is_waited_for(player: Player, world: Sample) -> None:
    player(MODULE, **CNI, wait=False)
    assert operations(player(MODULE, **CNI, state="absent", wait=False)["plan"]) == [DELETE]
    assert operations(player.converge(MODULE, **CNI)["plan"]) == [CREATE]
