# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eks_cluster against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness import Player, operations
from moto.eks.models import eks_backends

from ansible_collections.eksops.ipv6.plugins.module_utils._core import run
from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

MODULE = "eks_cluster"
NAME = "production"
ADDRESS = f"cluster/{NAME}"
CONFIG = ("eks", "UpdateClusterConfig")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def world(aws: Callable[..., Any]) -> Sample:
    return Sample(aws, zones=3)


@pytest.fixture
def options(world: Sample) -> dict[str, Any]:
    """What a new cluster needs."""
    return {"name": NAME, "role_arn": world.cluster_role, "subnet_ids": world.private}


@pytest.fixture
def made(player: Player, options: dict[str, Any]) -> dict[str, Any]:
    """A cluster made by the module, two minor versions behind; its facts."""
    cluster = player(MODULE, **options, kubernetes_version="1.33", tags={"team": "platform"})["cluster"]
    return dict(cluster)


def live(aws: Callable[..., Any]) -> dict[str, Any]:
    return dict(aws("eks").describe_cluster(name=NAME)["cluster"])


def reads(emulator: Emulator) -> list[str]:
    return [call.operation for call in emulator.journal.calls]


def in_emulator() -> Any:
    """The emulator's own record of the cluster, to put it where AWS would only bring it by misfortune."""
    return eks_backends["123456789012"]["eu-west-1"].clusters[NAME]


# --- making one --------------------------------------------------------------------------------------------------


def test_a_new_cluster_is_ipv6_and_has_the_newest_version_in_standard_support(
    player: Player, options: dict[str, Any], aws: Callable[..., Any]
) -> None:
    result = player.converge(MODULE, **options, tags={"team": "platform"})
    assert operations(result["plan"]) == [("eks", "CreateCluster")]
    cluster, found = result["cluster"], live(aws)
    assert found["kubernetesNetworkConfig"]["ipFamily"] == cluster["ip_family"] == "ipv6"
    assert found["version"] == cluster["version"] == "1.35"
    assert cluster["service_ipv6_cidr"] == found["kubernetesNetworkConfig"]["serviceIpv6Cidr"]
    assert cluster["cluster_dns_ip"] == cluster["service_ipv6_cidr"].split("/")[0] + "a"
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == found["endpoint"]
    assert cluster["certificate_authority_data"] == found["certificateAuthority"]["data"]
    assert cluster["oidc_issuer"] == found["identity"]["oidc"]["issuer"]
    assert cluster["cluster_security_group_id"] == found["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert cluster["tags"] == found["tags"] == {"team": "platform"}


def test_the_facts_of_the_run_that_makes_it_are_those_of_the_next(player: Player, options: dict[str, Any]) -> None:
    first = player(MODULE, **options)["cluster"]
    assert player.unchanged(MODULE, **options)["cluster"] == first


def test_check_mode_stands_in_for_what_eks_decides(player: Player, options: dict[str, Any], world: Sample) -> None:
    cluster = player.check(MODULE, **options)["cluster"]
    assert cluster["endpoint"] == cluster["oidc_issuer"] == cluster["service_ipv6_cidr"] == f"pending:{ADDRESS}"
    assert cluster["cluster_dns_ip"] == f"pending:{ADDRESS}/dns"
    assert cluster["version"] == "1.35"
    assert cluster["vpc_id"] == world.vpc_id


def test_a_network_and_a_role_that_do_not_exist_yet_are_planned(player: Player) -> None:
    subnets = ["pending:subnet/private-a", "pending:subnet/private-b"]
    predicted = player.check(MODULE, name=NAME, role_arn="pending:role/cluster", subnet_ids=subnets)
    assert operations(predicted["plan"]) == [("eks", "CreateCluster")]
    assert predicted["plan"][0]["request"]["resourcesVpcConfig"]["subnetIds"] == subnets
    assert predicted["cluster"]["vpc_id"] == f"pending:{ADDRESS}"


def test_every_option_reaches_the_new_cluster(
    player: Player, options: dict[str, Any], world: Sample, aws: Callable[..., Any]
) -> None:
    group = world.ec2.create_security_group(GroupName="extra", Description="x", VpcId=world.vpc_id)["GroupId"]
    result = player.converge(
        MODULE,
        **options,
        kubernetes_version="1.34",
        security_group_ids=[group],
        endpoint_private_access=True,
        public_access_cidrs=["2001:0DB8:1234::/48", "203.0.113.0/24"],
        authentication_mode="API",
        bootstrap_cluster_creator_admin_permissions=False,
        bootstrap_self_managed_addons=False,
        logging=["audit", "api"],
        encryption_key_arn=KEY,
        deletion_protection=True,
        support_type="STANDARD",
    )
    cluster, found = result["cluster"], live(aws)
    assert sorted(found["resourcesVpcConfig"]["publicAccessCidrs"]) == cluster["public_access_cidrs"]
    assert cluster["public_access_cidrs"] == ["2001:db8:1234::/48", "203.0.113.0/24"]
    assert found["resourcesVpcConfig"]["securityGroupIds"] == cluster["security_group_ids"] == [group]
    assert found["accessConfig"]["authenticationMode"] == "API"
    assert found["encryptionConfig"][0]["provider"]["keyArn"] == KEY
    assert found["deletionProtection"] is True
    assert found["upgradePolicy"]["supportType"] == "STANDARD"
    assert cluster["logging"] == ["api", "audit"]
    assert aws("eks").list_access_entries(clusterName=NAME)["accessEntries"] == []


def test_a_role_that_iam_has_not_spread_yet_is_waited_for(
    player: Player, options: dict[str, Any], emulator: Emulator
) -> None:
    emulator.fault(
        "eks",
        "CreateCluster",
        status=400,
        code="InvalidParameterException",
        message=f"Role with arn: {options['role_arn']}, could not be assumed because it does not exist or the trusted"
        " entity is not correct",
        count=2,
    )
    assert player(MODULE, **options)["cluster"]["status"] == "ACTIVE"


def test_a_role_that_never_comes_is_an_error(
    player: Player, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "CONSISTENCY_TIMEOUT", 0.01)
    failed = player.fails(MODULE, **{**options, "role_arn": "arn:aws:iam::123456789012:role/nobody"})
    assert "could not be assumed" in failed["msg"]


def test_without_wait_the_run_ends_with_the_call_and_the_next_one_waits(
    player: Player, options: dict[str, Any]
) -> None:
    started = player(MODULE, **options, wait=False)["cluster"]
    assert started["status"] == "CREATING"
    assert started["endpoint"] == f"pending:{ADDRESS}"
    finished = player.unchanged(MODULE, **options)["cluster"]
    assert finished["status"] == "ACTIVE"
    assert finished["endpoint"].startswith("https://")
    assert finished["cluster_dns_ip"].endswith("::a")


def test_a_cluster_that_came_out_in_the_other_family_is_an_error(
    player: Player, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an AWS would be found out that takes ipFamily without heeding it."""
    genuine = eks_backends.backend.create_cluster

    def heedless(self: Any, request: Any) -> Any:
        request.pop("kubernetesNetworkConfig")
        return genuine(self, request)

    monkeypatch.setattr(eks_backends.backend, "create_cluster", heedless)
    failed = player.fails(MODULE, **options)
    assert "ip_family: the cluster production did not come out in the family" in failed["msg"]


def test_creation_that_fails_names_the_health_issues_and_so_does_the_next_run(
    player: Player, options: dict[str, Any]
) -> None:
    player(MODULE, **options, wait=False)
    record = in_emulator()
    record.facts["health"] = {"issues": [{"code": "VpcNotFound", "message": "The VPC is gone", "resourceIds": []}]}
    record.life.begin("CREATING", lambda: "FAILED")
    assert "became FAILED: VpcNotFound: The VPC is gone" in player.fails(MODULE, **options)["msg"]
    refused = player.refuses(MODULE, **options)
    assert "is FAILED: VpcNotFound: The VPC is gone" in refused
    assert "state: absent" in refused
    assert player.converge(MODULE, name=NAME, state="absent")["changed"] is True


# --- refusals without a call -------------------------------------------------------------------------------------

NEW: dict[str, Any] = {
    "name": NAME,
    "role_arn": "arn:aws:iam::123456789012:role/cluster",
    "subnet_ids": ["subnet-1", "subnet-2"],
}


@pytest.mark.parametrize(
    ("bad", "option", "reason"),
    [
        ({"outpost_config": {"outpostArns": ["x"]}}, "outpost_config", "Outposts"),
        ({"remote_network_config": {"remoteNodeNetworks": []}}, "remote_network_config", "hybrid"),
        ({"service_ipv4_cidr": "10.100.0.0/16"}, "service_ipv4_cidr", "no IPv4 service range"),
        ({"region": "cn-north-1"}, "ip_family", "China"),
        (
            {"endpoint_public_access": False, "endpoint_private_access": False},
            "endpoint_private_access",
            "nobody could reach",
        ),
        ({"public_access_cidrs": ["203.0.113.7/24"]}, "public_access_cidrs", "host bits"),
        ({"public_access_cidrs": ["2001:db8::/129"]}, "public_access_cidrs", "no CIDR block"),
        ({"public_access_cidrs": ["everybody"]}, "public_access_cidrs", "no CIDR block"),
        ({"public_access_cidrs": ["10.0.0.0/8"]}, "public_access_cidrs", "no range of public addresses"),
        ({"public_access_cidrs": ["fd00::/64"]}, "public_access_cidrs", "no range of public addresses"),
        ({"public_access_cidrs": []}, "public_access_cidrs", "open the public endpoint"),
        ({"public_access_cidrs": ["2001:db8::/48"], "ip_family": "ipv4"}, "public_access_cidrs", "is IPv6"),
        ({"kubernetes_version": "v1.34"}, "kubernetes_version", "no Kubernetes version"),
        ({"role_arn": "cluster"}, "role_arn", "no ARN"),
        ({"role_arn": "garbage:role/cluster"}, "role_arn", "no ARN"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "services"}, "service_ipv4_cidr", "no IPv4 CIDR block"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "10.100.0.5/16"}, "service_ipv4_cidr", "host bits"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "fd00::/108"}, "service_ipv4_cidr", "no IPv4 CIDR block"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "8.8.0.0/16"}, "service_ipv4_cidr", "a /12 to /24 within"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "10.0.0.0/8"}, "service_ipv4_cidr", "a /12 to /24 within"),
        ({"ip_family": "ipv4", "service_ipv4_cidr": "10.100.0.0/28"}, "service_ipv4_cidr", "a /12 to /24 within"),
        ({"subnet_ids": ["subnet-1", "subnet-1"]}, "subnet_ids", "two zones"),
        ({"security_group_ids": [f"sg-{n}" for n in range(6)]}, "security_group_ids", "5 at most"),
        ({"encryption_key_arn": "arn:aws:kms:eu-west-1:1:alias/eks"}, "encryption_key_arn", "no ARN of a KMS key"),
        ({"name": "-production"}, "name", "no name for a cluster"),
        (
            {"authentication_mode": "CONFIG_MAP", "bootstrap_cluster_creator_admin_permissions": False},
            "bootstrap_cluster_creator_admin_permissions",
            "EKS takes false only",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(
    player: Player, emulator: Emulator, bad: dict[str, Any], option: str, reason: str
) -> None:
    msg = player.refuses(MODULE, **{**NEW, **bad})
    assert msg.startswith(f"{option}:")
    assert reason in msg
    assert emulator.journal.calls == []


def test_all_problems_are_named_at_once(player: Player) -> None:
    failed = player.fails(MODULE, **{**NEW, "outpost_config": {"x": "y"}, "service_ipv4_cidr": "10.100.0.0/16"})
    assert [problem["option"] for problem in failed["problems"]] == ["outpost_config", "service_ipv4_cidr"]


# --- refusals of what exists -------------------------------------------------------------------------------------


def test_subnets_in_one_zone_are_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    zone = world.zones[0]
    subnets = [world.subnet(zone), world.subnet(zone)]
    assert f"all of them lie in {zone}" in player.refuses(MODULE, **{**options, "subnet_ids": subnets})


def test_a_subnet_without_ipv6_is_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    bare = world.subnet(world.zones[1], ipv6=False)
    msg = player.refuses_unless_mended(MODULE, **{**options, "subnet_ids": [world.private[0], bare]})
    assert msg.startswith("subnet_ids:")
    assert f"{bare} has no IPv6 CIDR block" in msg


def test_a_subnet_whose_ipv6_block_is_gone_is_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    subnet = world.private[0]
    found = world.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["Ipv6CidrBlockAssociationSet"]
    world.ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    world.ec2.disassociate_subnet_cidr_block(AssociationId=found[0]["AssociationId"])
    assert f"{subnet} has no IPv6 CIDR block" in player.refuses_unless_mended(MODULE, **options)


def test_unknown_subnets_are_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    subnets = [*world.private, "subnet-0123456789abcdef0"]
    assert "EC2 knows no subnet subnet-0123456789abcdef0" in player.refuses(
        MODULE, **{**options, "subnet_ids": subnets}
    )


def test_subnets_of_several_vpcs_are_refused(
    player: Player, options: dict[str, Any], world: Sample, aws: Callable[..., Any]
) -> None:
    subnets = [world.private[0], Sample(aws).private[1]]
    assert "several VPCs" in player.refuses(MODULE, **{**options, "subnet_ids": subnets})


def test_a_security_group_of_another_vpc_is_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    other = world.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = world.ec2.create_security_group(GroupName="other", Description="x", VpcId=other)["GroupId"]
    msg = player.refuses(MODULE, **options, security_group_ids=[group, "sg-0123456789abcdef0"])
    assert f"{group} is of another VPC" in msg
    assert "no security group sg-0123456789abcdef0" in msg


def test_a_version_that_is_not_offered_is_refused_with_those_that_are(player: Player, options: dict[str, Any]) -> None:
    msg = player.refuses(MODULE, **options, kubernetes_version="1.3")
    assert "kubernetes_version: EKS does not offer 1.3 here" in msg
    assert "1.30, 1.31, 1.32, 1.33, 1.34, 1.35" in msg


def test_a_new_cluster_needs_a_role_and_subnets(player: Player) -> None:
    failed = player.fails(MODULE, name=NAME)
    assert [problem["option"] for problem in failed["problems"]] == ["role_arn", "subnet_ids"]


def test_a_cluster_in_the_other_family_needs_a_new_cluster(player: Player, world: Sample) -> None:
    world.cluster(NAME, kubernetesNetworkConfig={"ipFamily": "ipv4"})
    msg = player.refuses(MODULE, name=NAME, endpoint_private_access=True)
    assert msg.startswith("ip_family:")
    assert "It needs a new cluster" in msg
    player.converge(MODULE, name=NAME, ip_family="ipv4", endpoint_private_access=True)


def test_an_ipv4_cluster_can_be_made_when_it_is_said(player: Player, options: dict[str, Any]) -> None:
    result = player.converge(MODULE, **options, ip_family="ipv4", service_ipv4_cidr="172.30.0.0/16")
    assert result["cluster"]["service_ipv4_cidr"] == "172.30.0.0/16"
    assert result["cluster"]["cluster_dns_ip"] == "172.30.0.10"
    assert result["cluster"]["service_ipv6_cidr"] is None
    changed = {**options, "ip_family": "ipv4", "service_ipv4_cidr": "172.31.0.0/16"}
    assert "service_ipv4_cidr: the service range 172.30.0.0/16 cannot" in player.refuses(MODULE, **changed)


def test_another_role_is_refused(player: Player, made: dict[str, Any], world: Sample) -> None:
    msg = player.refuses(MODULE, name=NAME, role_arn=world.role("other", "eks.amazonaws.com"))
    assert msg.startswith("role_arn:")
    assert made["role_arn"] in msg


def test_subnets_outside_the_cluster_are_refused(player: Player, made: dict[str, Any], aws: Callable[..., Any]) -> None:
    msg = player.refuses(MODULE, name=NAME, subnet_ids=Sample(aws).private)
    assert f"outside the cluster's VPC {made['vpc_id']}" in msg


def test_subnets_in_other_zones_are_refused(player: Player, options: dict[str, Any], world: Sample) -> None:
    player(MODULE, **{**options, "subnet_ids": world.private[:2]})
    msg = player.refuses(MODULE, **options)
    assert f"{world.private[2]} is in {world.zones[2]}; the cluster was made in {world.zones[0]}" in msg


def test_ipv6_ranges_are_refused_for_an_endpoint_from_before_october_2024(player: Player, made: dict[str, Any]) -> None:
    in_emulator().facts["endpoint"] = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
    msg = player.refuses(MODULE, name=NAME, public_access_cidrs=["2001:db8::/48"])
    assert msg.startswith("public_access_cidrs:")
    assert "IPv4 only" in msg
    player.converge(MODULE, name=NAME, public_access_cidrs=["203.0.113.0/24"])


# --- changing one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "steps", "fact"),
    [
        ({"endpoint_private_access": True}, [CONFIG], True),
        ({"public_access_cidrs": ["203.0.113.0/24"]}, [CONFIG], ["203.0.113.0/24"]),
        ({"logging": ["audit", "api"]}, [CONFIG], ["api", "audit"]),
        ({"authentication_mode": "API_AND_CONFIG_MAP"}, [CONFIG], "API_AND_CONFIG_MAP"),
        ({"authentication_mode": "API"}, [CONFIG, CONFIG], "API"),
        ({"deletion_protection": True}, [CONFIG], True),
        ({"support_type": "STANDARD"}, [CONFIG], "STANDARD"),
        ({"encryption_key_arn": KEY}, [("eks", "AssociateEncryptionConfig")], KEY),
        ({"tags": {"team": "network"}}, [("eks", "TagResource")], {"team": "network"}),
        ({"tags": {}}, [("eks", "UntagResource")], {}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_setting_changes_in_place(
    player: Player, made: dict[str, Any], change: dict[str, Any], steps: list[Any], fact: Any
) -> None:
    result = player.converge(MODULE, name=NAME, **change)
    assert operations(result["plan"]) == steps
    option = next(iter(change))
    assert result["cluster"] == {**made, option: fact}
    assert player.unchanged(MODULE, name=NAME)["cluster"] == result["cluster"]


def test_many_settings_change_one_kind_after_the_other(player: Player, made: dict[str, Any], world: Sample) -> None:
    group = world.ec2.create_security_group(GroupName="extra", Description="x", VpcId=world.vpc_id)["GroupId"]
    result = player.converge(
        MODULE,
        name=NAME,
        endpoint_private_access=True,
        endpoint_public_access=False,
        logging=["api"],
        authentication_mode="API",
        deletion_protection=True,
        support_type="STANDARD",
        encryption_key_arn=KEY,
        subnet_ids=world.private[:2],
        security_group_ids=[group],
        tags={"team": "network"},
    )
    kinds = [sorted(set(step["request"]) - {"name"}) for step in result["plan"]]
    assert kinds == [
        ["resourceArn", "tags"],
        ["accessConfig"],
        ["accessConfig"],
        ["logging"],
        ["upgradePolicy"],
        ["deletionProtection"],
        ["clusterName", "encryptionConfig"],
        ["resourcesVpcConfig"],
        ["resourcesVpcConfig"],
    ]
    assert result["cluster"]["subnet_ids"] == world.private[:2]
    assert result["cluster"]["status"] == "ACTIVE"


def test_settings_not_given_are_left_alone(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options, logging=["api"], deletion_protection=True, endpoint_private_access=True, tags={"a": "b"})
    cluster = player.unchanged(MODULE, name=NAME)["cluster"]
    assert cluster["logging"] == ["api"]
    assert cluster["deletion_protection"] is True
    assert cluster["tags"] == {"a": "b"}


def test_an_unchanged_cluster_is_one_read(
    player: Player, options: dict[str, Any], made: dict[str, Any], emulator: Emulator
) -> None:
    emulator.journal.clear()
    player.unchanged(MODULE, **options, kubernetes_version="1.33", public_access_cidrs=made["public_access_cidrs"])
    assert reads(emulator) == ["DescribeCluster"]


def test_another_spelling_or_order_is_no_change(player: Player, options: dict[str, Any], world: Sample) -> None:
    player(MODULE, **options, public_access_cidrs=["2001:db8:1234::/48", "203.0.113.0/24"], logging=["api", "audit"])
    player.unchanged(
        MODULE,
        **{**options, "subnet_ids": [*reversed(world.private)]},
        public_access_cidrs=["203.0.113.0/24", "2001:0DB8:1234:0000::/48", "203.0.113.0/24"],
        logging=["audit", "api"],
    )


def test_logging_is_switched_off_by_an_empty_list_only(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options, logging=["api"])
    player.unchanged(MODULE, name=NAME)
    assert player.converge(MODULE, name=NAME, logging=[])["cluster"]["logging"] == []


def test_public_ranges_are_not_compared_while_the_public_endpoint_is_off(
    player: Player, options: dict[str, Any]
) -> None:
    private = {"endpoint_public_access": False, "endpoint_private_access": True}
    result = player.converge(MODULE, **options, **private, public_access_cidrs=["203.0.113.0/24"])
    assert result["warnings"] == [
        "public_access_cidrs: has no effect while the public endpoint is off, and is not compared."
    ]
    opened = player.converge(MODULE, name=NAME, endpoint_public_access=True, public_access_cidrs=["203.0.113.0/24"])
    assert opened["cluster"]["public_access_cidrs"] == ["203.0.113.0/24"]


def test_the_last_way_in_is_not_closed(player: Player, made: dict[str, Any]) -> None:
    assert "nobody could reach the API server" in player.refuses(MODULE, name=NAME, endpoint_public_access=False)


@pytest.mark.parametrize(
    ("before", "change", "reason"),
    [
        ({"authentication_mode": "API"}, {"authentication_mode": "API_AND_CONFIG_MAP"}, "does not go back from API"),
        ({"encryption_key_arn": KEY}, {"encryption_key_arn": KEY[:-1] + "6"}, "neither take that back nor change"),
        ({"encryption_key_arn": KEY}, {"encryption_key_arn": ""}, "neither take that back nor change"),
    ],
)
def test_one_way_settings_do_not_go_back(
    player: Player, options: dict[str, Any], before: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    player(MODULE, **options, **before)
    msg = player.refuses(MODULE, name=NAME, **change)
    assert msg.startswith(f"{next(iter(change))}:")
    assert reason in msg


def test_the_version_goes_up_one_minor_at_a_time(player: Player, made: dict[str, Any]) -> None:
    result = player.converge(MODULE, name=NAME, kubernetes_version="1.35")
    assert [step["request"]["version"] for step in result["plan"]] == ["1.34", "1.35"]
    assert [step["risk"] for step in result["plan"]] == ["irreversible", "irreversible"]
    assert result["cluster"]["version"] == "1.35"
    assert result["cluster"]["platform_version"] != made["platform_version"]
    assert player.unchanged(MODULE, name=NAME)["cluster"] == result["cluster"]


def test_the_version_does_not_go_back(player: Player, made: dict[str, Any]) -> None:
    assert "does not go back from 1.33 to 1.32" in player.refuses(MODULE, name=NAME, kubernetes_version="1.32")


def test_a_version_in_extended_support_is_warned_of(player: Player, options: dict[str, Any]) -> None:
    warnings = player.check(MODULE, **options, kubernetes_version="1.32")["warnings"]
    assert warnings == ["kubernetes_version: 1.32 is in extended support, for which AWS charges more."]


def test_an_update_that_fails_says_why(player: Player, made: dict[str, Any], emulator: Emulator) -> None:
    del made
    failure = [{"errorCode": "SecurityGroupNotFound", "errorMessage": "sg-1 is gone", "resourceIds": ["sg-1"]}]
    emulator.transitions("eks::update", times=4)
    record, backend = in_emulator(), eks_backends["123456789012"]["eu-west-1"]
    backend.begin_update(record, None, "LoggingUpdate", [("ClusterLogging", "{}")], lambda: failure)
    failed = player.fails(MODULE, name=NAME, logging=["api"])
    assert "cluster/production became Failed: SecurityGroupNotFound: sg-1 is gone" in failed["msg"]
    assert player(MODULE, name=NAME, logging=["api"])["cluster"]["logging"] == ["api"]


# --- interrupted runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"kubernetes_version": "1.34"},
        {"endpoint_private_access": True, "public_access_cidrs": ["203.0.113.0/24"]},
        {"logging": ["api"]},
        {"authentication_mode": "API"},
        {"deletion_protection": True},
        {"support_type": "STANDARD"},
        {"encryption_key_arn": KEY},
    ],
    ids=",".join,
)
def test_a_change_under_way_is_waited_for_and_not_made_twice(
    player: Player, made: dict[str, Any], change: dict[str, Any], emulator: Emulator
) -> None:
    del made
    complete = operations(player.check(MODULE, name=NAME, **change)["plan"])
    emulator.transitions("eks::update", times=4)
    halt = emulator.fault(kind="halt", after=len(emulator.journal.writes()) + 1)
    # The halt counts successful writes since the reset; the run's first is let through, its wait is cut off.
    emulator.fault("eks", "DescribeUpdate", status=400, code="AccessDeniedException", message="cut off")
    player.fails(MODULE, name=NAME, **change)
    emulator.faults.active.remove(halt)
    rest = player.converge(MODULE, name=NAME, **change)
    assert operations(rest["plan"]) == complete[1:]
    assert rest["cluster"]["status"] == "ACTIVE"


def test_a_cluster_being_deleted_is_waited_for_and_made_anew(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options)
    player(MODULE, name=NAME, state="absent", wait=False)
    result = player.converge(MODULE, **options)
    assert operations(result["plan"]) == [("eks", "CreateCluster")]


# --- removing one ------------------------------------------------------------------------------------------------


def test_absent_removes_and_is_content_when_gone(player: Player, made: dict[str, Any], aws: Callable[..., Any]) -> None:
    del made
    result = player.converge(MODULE, name=NAME, state="absent")
    assert [(step["operation"], step["risk"]) for step in result["plan"]] == [("DeleteCluster", "irreversible")]
    assert result["cluster"] is None
    assert aws("eks").list_clusters()["clusters"] == []


def test_a_protected_cluster_is_left_alone_until_told_otherwise(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options, deletion_protection=True)
    msg = player.refuses(MODULE, name=NAME, state="absent")
    assert msg.startswith("deletion_protection:")
    result = player.converge(MODULE, name=NAME, state="absent", deletion_protection=False)
    assert operations(result["plan"]) == [CONFIG, ("eks", "DeleteCluster")]


def test_a_cluster_with_a_fargate_profile_is_not_removed(player: Player, made: dict[str, Any], world: Sample) -> None:
    del made
    world.eks.create_fargate_profile(
        clusterName=NAME,
        fargateProfileName="batch",
        podExecutionRoleArn=world.pod_execution_role,
        subnets=world.private,
        selectors=[{"namespace": "batch"}],
    )
    before = player.writes()
    msg = player.fails(MODULE, name=NAME, state="absent")["msg"]
    assert msg.startswith("state:")
    assert "Fargate profiles: batch" in msg
    assert player.writes() == before
    # A teardown is planned as a whole: in check mode the profile may be an earlier task's to remove.
    planned = player.check(MODULE, name=NAME, state="absent")
    assert operations(planned["plan"]) == [("eks", "DeleteCluster")]
    assert "Fargate profiles: batch" in planned["warnings"][0]


def test_the_family_does_not_matter_to_what_goes(player: Player, world: Sample) -> None:
    world.cluster(NAME, kubernetesNetworkConfig={"ipFamily": "ipv4"})
    assert player.converge(MODULE, name=NAME, state="absent")["changed"] is True


def test_a_cluster_in_the_making_is_waited_for_before_it_goes(player: Player, options: dict[str, Any]) -> None:
    player(MODULE, **options, wait=False)
    assert operations(player.converge(MODULE, name=NAME, state="absent")["plan"]) == [("eks", "DeleteCluster")]
