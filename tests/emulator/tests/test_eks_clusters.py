# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters: what a new one has, when, and what deleting it takes away."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from eksops_emulator import Emulator
from eksops_emulator.eks import hooks
from eksops_emulator.eks.sample import Sample

Aws = Callable[..., Any]


@pytest.fixture
def sample(aws: Aws) -> Sample:
    return Sample(aws)


def test_an_ipv6_cluster_has_its_addresses_when_it_is_active(sample: Sample) -> None:
    created = sample.eks.create_cluster(**sample.cluster_request())["cluster"]
    assert created["status"] == "CREATING"
    assert created["kubernetesNetworkConfig"]["ipFamily"] == "ipv6"
    for missing in ("endpoint", "identity"):
        assert missing not in created
    assert "serviceIpv6Cidr" not in created["kubernetesNetworkConfig"]
    first = sample.eks.describe_cluster(name="one")["cluster"]
    assert first["status"] == "CREATING"
    assert "endpoint" not in first
    cluster = sample.eks.describe_cluster(name="one")["cluster"]
    assert cluster["status"] == "ACTIVE"
    service = ipaddress.ip_network(cluster["kubernetesNetworkConfig"]["serviceIpv6Cidr"])
    assert service.prefixlen == 108
    assert service.subnet_of(ipaddress.ip_network("fd00::/8"))  # type: ignore[arg-type]
    assert str(service) == cluster["kubernetesNetworkConfig"]["serviceIpv6Cidr"]
    assert "serviceIpv4Cidr" not in cluster["kubernetesNetworkConfig"]
    identity = re.fullmatch(r"https://([0-9A-F]{32})\.\w+\.eks-cluster\.eu-west-1\.api\.aws", cluster["endpoint"])
    assert identity is not None
    issuer = cluster["identity"]["oidc"]["issuer"]
    assert issuer == f"https://oidc.eks.eu-west-1.amazonaws.com/id/{identity.group(1)}"
    x509.load_pem_x509_certificate(base64.b64decode(cluster["certificateAuthority"]["data"]))


def test_defaults(sample: Sample) -> None:
    cluster = sample.cluster(accessConfig=None)
    assert cluster["version"] == "1.34"
    assert cluster["accessConfig"] == {"authenticationMode": "CONFIG_MAP"}
    assert cluster["upgradePolicy"] == {"supportType": "EXTENDED"}
    assert cluster["deletionProtection"] is False
    vpc = cluster["resourcesVpcConfig"]
    assert vpc["publicAccessCidrs"] == ["0.0.0.0/0", "::/0"]
    assert (vpc["endpointPublicAccess"], vpc["endpointPrivateAccess"]) == (True, False)
    assert vpc["vpcId"] == sample.vpc_id
    assert cluster["logging"]["clusterLogging"][0]["enabled"] is False


def test_an_ipv4_cluster_is_another_thing(aws: Aws) -> None:
    cluster = Sample(aws, ipv6=False).cluster()
    assert cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    assert "serviceIpv6Cidr" not in cluster["kubernetesNetworkConfig"]
    assert cluster["endpoint"].endswith(".eu-west-1.eks.amazonaws.com")
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]


def test_ipv6_needs_an_ipv6_vpc(aws: Aws) -> None:
    sample = Sample(aws, ipv6=False)
    with pytest.raises(ClientError, match="does not have an IPv6 CIDR block"):
        sample.eks.create_cluster(**sample.cluster_request(kubernetesNetworkConfig={"ipFamily": "ipv6"}))


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
def test_partitions(aws: Aws, region: str, partition: str) -> None:
    sample = Sample(lambda service: aws(service, region))
    request = sample.cluster_request()
    if partition == "aws-cn":
        with pytest.raises(ClientError, match="China Regions"):
            sample.eks.create_cluster(**request)
    else:
        assert sample.eks.create_cluster(**request)["cluster"]["arn"].startswith(f"arn:{partition}:eks:{region}:")


def test_the_cluster_security_group_is_real(sample: Sample) -> None:
    cluster = sample.cluster()
    group_id = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    group = sample.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    assert re.fullmatch(r"eks-cluster-sg-one-\d+", group["GroupName"])
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    assert tags == {
        "Name": group["GroupName"],
        "aws:eks:cluster-name": "one",
        "kubernetes.io/cluster/one": "owned",
    }
    (inbound,) = group["IpPermissions"]
    assert [pair["GroupId"] for pair in inbound["UserIdGroupPairs"]] == [group_id]
    (outbound,) = group["IpPermissionsEgress"]
    assert [item["CidrIp"] for item in outbound["IpRanges"]] == ["0.0.0.0/0"]
    assert [item["CidrIpv6"] for item in outbound["Ipv6Ranges"]] == ["::/0"]


def test_control_plane_interfaces_keep_subnets_in_use(sample: Sample) -> None:
    sample.cluster()
    own = [{"Name": "description", "Values": ["Amazon EKS one"]}]
    interfaces = sample.ec2.describe_network_interfaces(Filters=own)["NetworkInterfaces"]
    assert {item["SubnetId"] for item in interfaces} == set(sample.private)
    assert all(item["RequesterManaged"] and item["Ipv6Addresses"] for item in interfaces)
    with pytest.raises(ClientError, match="DependencyViolation"):
        sample.ec2.delete_subnet(SubnetId=sample.private[0])
    sample.eks.delete_cluster(name="one")
    assert sample.eks.describe_cluster(name="one")["cluster"]["status"] == "DELETING"
    with pytest.raises(ClientError, match="No cluster found"):
        sample.eks.describe_cluster(name="one")
    assert sample.ec2.describe_network_interfaces(Filters=own)["NetworkInterfaces"] == []
    sample.ec2.delete_subnet(SubnetId=sample.private[0])


def test_waiters_of_botocore_work(sample: Sample) -> None:
    sample.eks.create_cluster(**sample.cluster_request())
    quickly = {"Delay": 0, "MaxAttempts": 5}
    sample.eks.get_waiter("cluster_active").wait(name="one", WaiterConfig=quickly)
    sample.eks.delete_cluster(name="one")
    sample.eks.get_waiter("cluster_deleted").wait(name="one", WaiterConfig=quickly)


def test_polls_are_settable(emulator: Emulator, sample: Sample) -> None:
    emulator.transitions("eks::cluster", progression="manual", times=4)
    sample.eks.create_cluster(**sample.cluster_request())
    seen = [sample.eks.describe_cluster(name="one")["cluster"]["status"] for _unused in range(4)]
    assert seen == ["CREATING", "CREATING", "CREATING", "ACTIVE"]
    emulator.transitions("eks::cluster", progression="immediate")
    assert sample.eks.create_cluster(**sample.cluster_request("two"))["cluster"]["status"] == "CREATING"
    assert sample.eks.describe_cluster(name="two")["cluster"]["status"] == "ACTIVE"


def test_a_request_token_makes_create_repeatable(sample: Sample) -> None:
    request = sample.cluster_request(clientRequestToken="token-of-this-run")
    first = sample.eks.create_cluster(**request)["cluster"]
    assert sample.eks.create_cluster(**request)["cluster"]["createdAt"] == first["createdAt"]
    with pytest.raises(ClientError, match="used with other parameters"):
        sample.eks.create_cluster(**{**request, "version": "1.33"})


def test_deletion_protection(sample: Sample) -> None:
    sample.cluster(deletionProtection=True)
    with pytest.raises(ClientError) as caught:
        sample.eks.delete_cluster(name="one")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
    update = sample.eks.update_cluster_config(name="one", deletionProtection=False)["update"]
    assert sample.updated(update)["status"] == "Successful"
    assert sample.eks.delete_cluster(name="one")["cluster"]["status"] == "DELETING"


def test_clusters_are_listed_in_pages(sample: Sample) -> None:
    for name in ("a", "b", "c"):
        sample.eks.create_cluster(**sample.cluster_request(name))
    first = sample.eks.list_clusters(maxResults=2)
    assert first["clusters"] == ["a", "b"]
    second = sample.eks.list_clusters(maxResults=2, nextToken=first["nextToken"])
    assert second["clusters"] == ["c"]
    assert "nextToken" not in second
    pages = sample.eks.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 1})
    assert [name for page in pages for name in page["clusters"]] == ["a", "b", "c"]


def test_accounts_and_regions_are_apart(aws: Aws, sample: Sample) -> None:
    sample.cluster()
    assert aws("eks", "us-east-1").list_clusters()["clusters"] == []


def test_the_creator_becomes_administrator(sample: Sample) -> None:
    sample.cluster()
    entries = sample.eks.list_access_entries(clusterName="one")["accessEntries"]
    assert entries == ["arn:aws:iam::123456789012:user/moto"]
    policies = sample.eks.list_associated_access_policies(clusterName="one", principalArn=entries[0])
    assert policies["associatedAccessPolicies"][0]["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")
    quiet = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    sample.cluster("two", accessConfig=quiet)
    assert sample.eks.list_access_entries(clusterName="two")["accessEntries"] == []


def test_changing_the_authentication_mode_brings_entries(sample: Sample) -> None:
    sample.cluster(accessConfig=None)
    change = {"authenticationMode": "API_AND_CONFIG_MAP"}
    update = sample.eks.update_cluster_config(name="one", accessConfig=change)["update"]
    assert (update["type"], update["status"]) == ("AccessConfigUpdate", "InProgress")
    assert sample.updated(update)["status"] == "Successful"
    assert len(sample.eks.list_access_entries(clusterName="one")["accessEntries"]) == 1


def test_unsupported_zones_name_the_valid_ones(aws: Aws) -> None:
    ec2 = aws("ec2", "us-east-1")
    zones = {zone["ZoneId"]: zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]}
    sample = Sample(lambda service: aws(service, "us-east-1"))
    subnets = [sample.subnet(zones["use1-az3"]), sample.subnet(zones["use1-az1"])]
    with pytest.raises(ClientError) as caught:
        sample.eks.create_cluster(**sample.cluster_request(resourcesVpcConfig={"subnetIds": subnets}))
    answer: Any = caught.value.response
    assert answer["Error"]["Code"] == "UnsupportedAvailabilityZoneException"
    assert zones["use1-az3"] not in answer["validZones"]
    assert zones["use1-az1"] in answer["validZones"]


def test_a_kubernetes_api_server_can_plug_in(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []

    def api_server(account: str, region: str, cluster: dict[str, Any]) -> tuple[str, str]:
        served.append(f"{account}/{region}/{cluster['name']}")
        return "https://127.0.0.1:6443", "Q0E="

    monkeypatch.setattr(hooks, "api_server", api_server)
    cluster = sample.cluster()
    assert (cluster["endpoint"], cluster["certificateAuthority"]["data"]) == ("https://127.0.0.1:6443", "Q0E=")
    assert served == ["123456789012/eu-west-1/one"]
    assert "127.0.0.1" not in cluster["identity"]["oidc"]["issuer"]


def test_versions(aws: Aws) -> None:
    eks = aws("eks")
    supported = eks.describe_cluster_versions()["clusterVersions"]
    assert {item["clusterVersion"] for item in supported} == {f"1.{minor}" for minor in range(30, 36)}
    assert [item["clusterVersion"] for item in supported if item["defaultVersion"]] == ["1.34"]
    standard = eks.describe_cluster_versions(versionStatus="STANDARD_SUPPORT")["clusterVersions"]
    assert {item["clusterVersion"] for item in standard} == {"1.33", "1.34", "1.35"}
    assert {item["status"] for item in standard} == {"standard-support"}
    assert len(eks.describe_cluster_versions(includeAll=True)["clusterVersions"]) > len(supported)
    assert len(eks.describe_cluster_versions(defaultOnly=True)["clusterVersions"]) == 1
    (old,) = eks.describe_cluster_versions(clusterVersions=["1.29"])["clusterVersions"]
    assert old["versionStatus"] == "UNSUPPORTED"
