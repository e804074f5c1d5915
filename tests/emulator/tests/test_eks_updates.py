# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a cluster: one at a time, followed by the update's own id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eksops_emulator.eks.sample import Sample

Aws = Callable[..., Any]


@pytest.fixture
def sample(aws: Aws) -> Sample:
    sample = Sample(aws)
    sample.cluster()
    return sample


def test_an_update_runs_by_itself_and_alone(sample: Sample) -> None:
    update = sample.eks.update_cluster_config(name="one", resourcesVpcConfig={"endpointPrivateAccess": True})["update"]
    assert (update["type"], update["status"], update["errors"]) == ("EndpointAccessUpdate", "InProgress", [])
    params = {param["type"]: param["value"] for param in update["params"]}
    assert params["EndpointPrivateAccess"] == "true"
    with pytest.raises(ClientError) as caught:
        sample.eks.update_cluster_version(name="one", version="1.35")
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"
    expected = f"Cannot VersionUpdate because cluster one currently has update {update['id']} in progress"
    assert expected in caught.value.response["Error"]["Message"]
    assert sample.eks.describe_update(name="one", updateId=update["id"])["update"]["status"] == "InProgress"
    assert sample.eks.describe_update(name="one", updateId=update["id"])["update"]["status"] == "Successful"
    cluster = sample.eks.describe_cluster(name="one")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert cluster["resourcesVpcConfig"]["endpointPublicAccess"] is True


def test_a_cluster_is_updating_meanwhile_and_its_polls_count_too(sample: Sample) -> None:
    update = sample.eks.update_cluster_config(name="one", deletionProtection=True)["update"]
    seen = [sample.eks.describe_cluster(name="one")["cluster"]["status"] for _unused in range(2)]
    assert seen == ["UPDATING", "ACTIVE"]
    assert sample.eks.describe_update(name="one", updateId=update["id"])["update"]["status"] == "Successful"
    assert sample.eks.list_updates(name="one")["updateIds"] == [update["id"]]


@pytest.mark.parametrize(
    ("change", "kind", "member", "value"),
    [
        ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate", "upgradePolicy", "STANDARD"),
        ({"deletionProtection": True}, "DeletionProtectionUpdate", "deletionProtection", True),
        ({"zonalShiftConfig": {"enabled": True}}, "ZonalShiftConfigUpdate", "zonalShiftConfig", True),
        (
            {"controlPlaneScalingConfig": {"tier": "tier-xl"}},
            "ControlPlaneScalingConfigUpdate",
            "controlPlaneScalingConfig",
            "tier-xl",
        ),
    ],
)
def test_kinds_of_update(sample: Sample, change: dict[str, Any], kind: str, member: str, value: object) -> None:
    update = sample.eks.update_cluster_config(name="one", **change)["update"]
    assert update["type"] == kind
    assert sample.updated(update)["status"] == "Successful"
    found = sample.eks.describe_cluster(name="one")["cluster"][member]
    assert value == found or value in found.values()


def test_logging_is_merged(sample: Sample) -> None:
    for types, enabled in ((["api", "audit"], True), (["api"], False)):
        wanted = {"clusterLogging": [{"types": types, "enabled": enabled}]}
        sample.updated(sample.eks.update_cluster_config(name="one", logging=wanted)["update"])
    setups = sample.eks.describe_cluster(name="one")["cluster"]["logging"]["clusterLogging"]
    assert {True: ["audit"]}.items() <= {setup["enabled"]: setup["types"] for setup in setups}.items()


def test_subnets_can_move_within_the_vpc(sample: Sample) -> None:
    more = [*sample.private, sample.subnet(sample.zones[2])]
    update = sample.eks.update_cluster_config(name="one", resourcesVpcConfig={"subnetIds": more})["update"]
    assert update["type"] == "VpcConfigUpdate"
    sample.updated(update)
    assert sample.eks.describe_cluster(name="one")["cluster"]["resourcesVpcConfig"]["subnetIds"] == more


def test_a_version_up_and_back(sample: Sample) -> None:
    update = sample.eks.update_cluster_version(name="one", version="1.35")["update"]
    assert update["type"] == "VersionUpdate"
    sample.updated(update)
    assert sample.eks.describe_cluster(name="one")["cluster"]["version"] == "1.35"
    rollback = sample.eks.update_cluster_version(name="one", version="1.34")["update"]
    assert rollback["type"] == "VersionRollback"
    cancelled = sample.eks.cancel_update(name="one", updateId=rollback["id"])["update"]
    assert cancelled["status"] == "Cancelled"
    assert sample.eks.describe_cluster(name="one")["cluster"]["version"] == "1.35"
    with pytest.raises(ClientError, match="can not be cancelled"):
        sample.eks.cancel_update(name="one", updateId=update["id"])


def test_nodes_come_along_before_the_next_version(sample: Sample) -> None:
    sample.cni()
    sample.nodegroup()
    sample.updated(sample.eks.update_cluster_version(name="one", version="1.35")["update"])
    sample.eks.update_nodegroup_version(clusterName="one", nodegroupName="workers")
    target = {"nodegroupName": "workers"}
    (identity,) = sample.eks.list_updates(name="one", **target)["updateIds"]
    assert sample.updated({"id": identity}, **target)["status"] == "Successful"
    group = sample.eks.describe_nodegroup(clusterName="one", nodegroupName="workers")["nodegroup"]
    assert group["version"] == "1.35"


def test_lagging_nodes_hold_a_version_up(aws: Aws) -> None:
    sample = Sample(aws)
    sample.cluster("old", version="1.33")
    sample.cni("old")
    sample.nodegroup(cluster="old")
    sample.updated(sample.eks.update_cluster_version(name="old", version="1.34")["update"], name="old")
    with pytest.raises(ClientError, match=r"Nodegroups workers must be updated to match cluster version 1\.34"):
        sample.eks.update_cluster_version(name="old", version="1.35")


def test_encryption_is_associated_once(sample: Sample) -> None:
    config = [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}}]
    update = sample.eks.associate_encryption_config(clusterName="one", encryptionConfig=config)["update"]
    assert update["type"] == "AssociateEncryptionConfig"
    sample.updated(update)
    assert sample.eks.describe_cluster(name="one")["cluster"]["encryptionConfig"] == config
    with pytest.raises(ClientError, match="already enabled"):
        sample.eks.associate_encryption_config(clusterName="one", encryptionConfig=config)


def test_an_update_is_found_under_what_it_belongs_to(sample: Sample) -> None:
    sample.cni(addonVersion="v1.20.5-eksbuild.1")
    update = sample.eks.update_addon(clusterName="one", addonName="vpc-cni")["update"]
    with pytest.raises(ClientError, match="No update found"):
        sample.eks.describe_update(name="one", updateId=update["id"])
    found = sample.eks.describe_update(name="one", updateId=update["id"], addonName="vpc-cni")["update"]
    assert found["id"] == update["id"]
    assert sample.eks.list_updates(name="one")["updateIds"] == []
