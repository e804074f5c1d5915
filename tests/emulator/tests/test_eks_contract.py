# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EKS refuses: one row a rule, with where the rule is from and what a client sees.

Source `AWS`: the text was seen in an answer of the real API (quoted in public issues, or taken over by moto from the
API). `model`: botocore's documentation has the rule, the wording is ours. `guide`: the EKS User Guide has the rule.
`presumed`: believed, without a source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from eksops_emulator import Emulator
from eksops_emulator.eks.sample import Sample

PARAMETER = "InvalidParameterException"
REQUEST = "InvalidRequestException"
IN_USE = "ResourceInUseException"
ABSENT = "ResourceNotFoundException"


class World(Sample):
    """A standing account: cluster `one` with add-ons, node group `workers`, and things that don't fit."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        super().__init__(client)
        zone = self.zones[1]
        self.without_ipv6 = self.subnet(zone, ipv6=False)
        self.public = self.public_subnet(zone)
        other = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.foreign_subnet = self.ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24", AvailabilityZone=zone)[
            "Subnet"
        ]["SubnetId"]
        self.foreign_group = self.ec2.create_security_group(GroupName="far", Description="far", VpcId=other)["GroupId"]
        self.wrong_role = self.role("wrong", "lambda.amazonaws.com")
        self.cluster()
        self.cluster("legacy", accessConfig={"authenticationMode": "CONFIG_MAP"})
        self.cni(addonVersion="v1.20.5-eksbuild.1")
        self.nodegroup(labels={"team": "a"})
        self.addon("coredns", resolveConflicts="OVERWRITE")
        self.association = self.eks.create_pod_identity_association(
            clusterName="one", namespace="apps", serviceAccount="web", roleArn=self.cni_role
        )["association"]
        self.eks.create_access_entry(clusterName="one", principalArn=self.cluster_role)
        self.eks.create_fargate_profile(**self.profile_request("batch"))
        self.eks.create_cluster(**self.cluster_request("young"))

    def vpc(self, **changes: Any) -> dict[str, Any]:
        return {"subnetIds": self.private, **changes}

    def create(self, **changes: Any) -> Any:
        return self.eks.create_cluster(**self.cluster_request("new", **changes))

    def group(self, **changes: Any) -> Any:
        return self.eks.create_nodegroup(**self.nodegroup_request("new", **changes))

    def new_addon(self, name: str = "kube-proxy", **changes: Any) -> Any:
        return self.eks.create_addon(clusterName="one", addonName=name, **changes)

    def update_cni(self, **changes: Any) -> Any:
        return self.eks.update_addon(clusterName="one", addonName="vpc-cni", **changes)

    def configure(self, **changes: Any) -> Any:
        return self.eks.update_cluster_config(name="one", **changes)

    def configure_group(self, **changes: Any) -> Any:
        return self.eks.update_nodegroup_config(clusterName="one", nodegroupName="workers", **changes)

    def associate(self, **changes: Any) -> Any:
        request = {"clusterName": "one", "namespace": "apps", "serviceAccount": "api", "roleArn": self.cni_role}
        return self.eks.create_pod_identity_association(**{**request, **changes})

    def entry(self, **changes: Any) -> Any:
        request = {"clusterName": "one", "principalArn": self.wrong_role}
        return self.eks.create_access_entry(**{**request, **changes})

    def associate_policy(self, **changes: Any) -> Any:
        view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
        request = {"clusterName": "one", "principalArn": self.cluster_role, "policyArn": view}
        return self.eks.associate_access_policy(**{**request, "accessScope": {"type": "cluster"}, **changes})

    def profile_request(self, name: str = "new", **changes: Any) -> dict[str, Any]:
        request = {
            "clusterName": "one",
            "fargateProfileName": name,
            "podExecutionRoleArn": self.pod_execution_role,
            "subnets": self.private,
            "selectors": [{"namespace": "batch"}],
        }
        return {**request, **changes}

    def profile(self, cluster: str = "legacy", **changes: Any) -> Any:
        return self.eks.create_fargate_profile(**self.profile_request(clusterName=cluster, **changes))

    def template(self, **data: Any) -> dict[str, str]:
        name = f"template-{next(self._slots)}"
        wanted = {"MetadataOptions": {"HttpTokens": "required"}, **data}
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=wanted)
        return {"id": made["LaunchTemplate"]["LaunchTemplateId"]}


@dataclass(frozen=True)
class Rule:
    rule: str
    source: str
    call: Callable[[World], Any]
    code: str
    text: str


CLUSTERS = [
    Rule(
        "a name is taken once",
        "AWS",
        lambda w: w.eks.create_cluster(**w.cluster_request("one")),
        IN_USE,
        "Cluster already exists with name: one",
    ),
    Rule(
        "an unknown cluster",
        "AWS",
        lambda w: w.eks.describe_cluster(name="nowhere"),
        ABSENT,
        "No cluster found for name: nowhere.",
    ),
    Rule(
        "a name begins with a letter or digit",
        "model",
        lambda w: w.eks.create_cluster(**w.cluster_request("-one")),
        PARAMETER,
        "regular expression pattern",
    ),
    Rule(
        "a version that is not supported",
        "AWS",
        lambda w: w.create(version="1.29"),
        PARAMETER,
        "unsupported Kubernetes version",
    ),
    Rule(
        "a role that does not exist",
        "AWS",
        lambda w: w.create(roleArn="arn:aws:iam::123456789012:role/none"),
        PARAMETER,
        "Role with arn: arn:aws:iam::123456789012:role/none, could not be assumed because it does not exist or the "
        "trusted entity is not correct",
    ),
    Rule(
        "a role that does not trust EKS", "AWS", lambda w: w.create(roleArn=w.wrong_role), PARAMETER, "trusted entity"
    ),
    Rule(
        "one zone only",
        "AWS",
        lambda w: w.create(resourcesVpcConfig={"subnetIds": w.private[:1]}),
        PARAMETER,
        "Subnets specified must be in at least two different AZs",
    ),
    Rule(
        "a subnet that does not exist",
        "AWS",
        lambda w: w.create(resourcesVpcConfig={"subnetIds": [*w.private, "subnet-0"]}),
        PARAMETER,
        "The subnet ID 'subnet-0' does not exist",
    ),
    Rule(
        "subnets of two VPCs",
        "presumed",
        lambda w: w.create(resourcesVpcConfig={"subnetIds": [w.private[0], w.foreign_subnet]}),
        PARAMETER,
        "same VPC",
    ),
    Rule(
        "ipv6 needs IPv6 blocks in every subnet",
        "model",
        lambda w: w.create(resourcesVpcConfig={"subnetIds": [w.private[0], w.without_ipv6]}),
        PARAMETER,
        "do not have an IPv6 CIDR block",
    ),
    Rule(
        "ipv6 goes without a service IPv4 range",
        "model",
        lambda w: w.create(kubernetesNetworkConfig={"ipFamily": "ipv6", "serviceIpv4Cidr": "172.20.0.0/16"}),
        PARAMETER,
        "serviceIpv4Cidr is not supported with ipFamily ipv6",
    ),
    Rule(
        "ipv6 goes without remote networks",
        "guide",
        lambda w: w.create(remoteNetworkConfig={"remoteNodeNetworks": [{"cidrs": ["10.80.0.0/16"]}]}),
        PARAMETER,
        "remoteNetworkConfig is not supported with ipFamily ipv6",
    ),
    Rule(
        "ipv6 goes without Outposts",
        "guide",
        lambda w: w.create(
            outpostConfig={"outpostArns": ["arn:aws:outposts:x"], "controlPlaneInstanceType": "m5.large"}
        ),
        PARAMETER,
        "not supported on Outposts",
    ),
    Rule(
        "an IPv4 service range is between /24 and /12",
        "model",
        lambda w: w.create(kubernetesNetworkConfig={"serviceIpv4Cidr": "10.100.0.0/25"}),
        PARAMETER,
        "between /24 and /12",
    ),
    Rule(
        "an IPv4 service range does not overlap the VPC",
        "model",
        lambda w: w.create(kubernetesNetworkConfig={"serviceIpv4Cidr": "10.0.0.0/20"}),
        PARAMETER,
        "overlaps",
    ),
    Rule(
        "a security group that does not exist",
        "presumed",
        lambda w: w.create(resourcesVpcConfig=w.vpc(securityGroupIds=["sg-0"])),
        PARAMETER,
        "'sg-0' does not exist",
    ),
    Rule(
        "a security group of another VPC",
        "presumed",
        lambda w: w.create(resourcesVpcConfig=w.vpc(securityGroupIds=[w.foreign_group])),
        PARAMETER,
        "not in the same VPC",
    ),
    Rule(
        "five security groups at most",
        "model",
        lambda w: w.create(resourcesVpcConfig=w.vpc(securityGroupIds=[f"sg-{n}" for n in range(6)])),
        PARAMETER,
        "up to five",
    ),
    Rule(
        "some way to the endpoint",
        "AWS",
        lambda w: w.create(resourcesVpcConfig=w.vpc(endpointPublicAccess=False)),
        PARAMETER,
        "Private and public endpoint access cannot be false",
    ),
    Rule(
        "public access from private ranges makes no sense",
        "AWS",
        lambda w: w.create(resourcesVpcConfig=w.vpc(publicAccessCidrs=["10.0.0.0/8"])),
        PARAMETER,
        "The following CIDRs are not allowed in publicAccessCidrs: [10.0.0.0/8]",
    ),
    Rule(
        "IPv6 public access ranges need an IPv6 cluster",
        "model",
        lambda w: w.create(
            kubernetesNetworkConfig={"ipFamily": "ipv4"}, resourcesVpcConfig=w.vpc(publicAccessCidrs=["2600::/16"])
        ),
        PARAMETER,
        "IPv6 CIDR blocks need a cluster with ipFamily ipv6",
    ),
    Rule(
        "a family is ipv4 or ipv6",
        "model",
        lambda w: w.create(kubernetesNetworkConfig={"ipFamily": "dual"}),
        PARAMETER,
        "enum value set: [ipv4, ipv6]",
    ),
    Rule(
        "only secrets can be encrypted",
        "model",
        lambda w: w.create(encryptionConfig=[{"resources": ["pods"], "provider": {"keyArn": "arn:aws:kms:x"}}]),
        PARAMETER,
        "[secrets]",
    ),
    Rule(
        "Auto Mode is whole or not at all",
        "AWS",
        lambda w: w.create(computeConfig={"enabled": True}),
        PARAMETER,
        "are all either fully enabled or fully disabled",
    ),
    Rule("reserved tag keys", "AWS", lambda w: w.create(tags={"aws:x": "y"}), PARAMETER, "reserved prefix aws:"),
    Rule(
        "deletion with node groups",
        "AWS",
        lambda w: w.eks.delete_cluster(name="one"),
        IN_USE,
        "Cluster has nodegroups attached",
    ),
    Rule(
        "a made-up page token",
        "presumed",
        lambda w: w.eks.list_clusters(nextToken="nonsense"),
        PARAMETER,
        "nextToken",
    ),
    Rule(
        "a page token of another operation",
        "presumed",
        lambda w: w.eks.list_clusters(nextToken=w.eks.describe_addon_versions(maxResults=1)["nextToken"]),
        PARAMETER,
        "nextToken",
    ),
    Rule(
        "a cluster is not there yet",
        "AWS",
        lambda w: w.eks.create_nodegroup(**w.nodegroup_request("new", "young")),
        REQUEST,
        "Cluster 'young' is not in ACTIVE status",
    ),
]

CHANGES = [
    Rule(
        "one kind of change a call",
        "AWS",
        lambda w: w.configure(resourcesVpcConfig={"endpointPrivateAccess": True}, deletionProtection=True),
        PARAMETER,
        "Only one type of update can be allowed",
    ),
    Rule(
        "endpoint and subnets are two kinds",
        "presumed",
        lambda w: w.configure(resourcesVpcConfig={"endpointPrivateAccess": True, "subnetIds": w.private}),
        PARAMETER,
        "Only one type",
    ),
    Rule("no change at all", "presumed", lambda w: w.configure(), PARAMETER, "No update has been specified"),
    Rule(
        "endpoint access as it is",
        "AWS",
        lambda w: w.configure(
            resourcesVpcConfig={"endpointPublicAccess": True, "publicAccessCidrs": ["::/0", "0.0.0.0/0"]}
        ),
        PARAMETER,
        "Cluster is already at the desired configuration with endpointPrivateAccess: false , "
        "endpointPublicAccess: true, and Public Endpoint Restrictions: [0.0.0.0/0, ::/0]",
    ),
    Rule(
        "subnets as they are",
        "presumed",
        lambda w: w.configure(resourcesVpcConfig={"subnetIds": w.private[::-1]}),
        PARAMETER,
        "already at the desired configuration",
    ),
    Rule(
        "subnets of another VPC",
        "model",
        lambda w: w.configure(resourcesVpcConfig={"subnetIds": [w.foreign_subnet, w.private[0]]}),
        PARAMETER,
        "same VPC",
    ),
    Rule(
        "logging as it is",
        "AWS",
        lambda w: w.configure(logging={"clusterLogging": [{"types": ["api"], "enabled": False}]}),
        PARAMETER,
        "No changes needed for the logging config provided",
    ),
    Rule(
        "an authentication mode has no way back",
        "guide",
        lambda w: w.configure(accessConfig={"authenticationMode": "CONFIG_MAP"}),
        PARAMETER,
        "Unsupported authentication mode update from API_AND_CONFIG_MAP to CONFIG_MAP",
    ),
    Rule(
        "the family never changes",
        "model",
        lambda w: w.configure(kubernetesNetworkConfig={"ipFamily": "ipv4"}),
        PARAMETER,
        "when the cluster is created",
    ),
    Rule(
        "protection as it is",
        "presumed",
        lambda w: w.configure(deletionProtection=False),
        PARAMETER,
        "No changes needed",
    ),
    Rule(
        "one minor at a time",
        "AWS",
        lambda w: w.eks.update_cluster_version(name="one", version="1.33"),
        PARAMETER,
        "Unsupported Kubernetes minor version update from 1.34 to 1.33",
    ),
    Rule(
        "the version as it is",
        "presumed",
        lambda w: w.eks.update_cluster_version(name="one", version="1.34"),
        PARAMETER,
        "already at the desired version",
    ),
    Rule(
        "an unknown update",
        "presumed",
        lambda w: w.eks.describe_update(name="one", updateId="0000"),
        ABSENT,
        "No update found for ID: 0000",
    ),
    Rule(
        "encryption needs a key",
        "model",
        lambda w: w.eks.associate_encryption_config(
            clusterName="one", encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": "x"}}]
        ),
        PARAMETER,
        "KMS key",
    ),
]

ADDONS = [
    Rule("an add-on once", "AWS", lambda w: w.new_addon("vpc-cni"), IN_USE, "Addon already exists."),
    Rule("an unknown add-on", "presumed", lambda w: w.new_addon("nosuch"), PARAMETER, "nosuch is not supported"),
    Rule(
        "a version the cluster can't run",
        "AWS",
        lambda w: w.new_addon(addonVersion="v1.30.14-eksbuild.8"),
        PARAMETER,
        "Addon version specified is not supported",
    ),
    Rule(
        "an add-on that is not there",
        "AWS",
        lambda w: w.eks.describe_addon(clusterName="one", addonName="kube-proxy"),
        ABSENT,
        "No addon: kube-proxy found in cluster: one",
    ),
    Rule(
        "ENABLE_IPv6 is EKS's own",
        "AWS",
        lambda w: w.update_cni(configurationValues='{"env": {"ENABLE_IPv6": "true"}}'),
        PARAMETER,
        "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
        "[$.env.ENABLE_IPv6: is not defined in the schema and the schema does not allow additional properties]",
    ),
    Rule(
        "values are text",
        "AWS",
        lambda w: w.update_cni(configurationValues='{"enableNetworkPolicy": true}'),
        PARAMETER,
        "[$.enableNetworkPolicy: boolean found, string expected]",
    ),
    Rule(
        "values that can't be read",
        "presumed",
        lambda w: w.update_cni(configurationValues="{env: ["),
        PARAMETER,
        "Unable to parse",
    ),
    Rule(
        "the CNI moves one minor at a time, up",
        "AWS",
        lambda w: w.update_cni(addonVersion="v1.22.4-eksbuild.1"),
        PARAMETER,
        "Updating VPC-CNI can only go up or down 1 minor version at a time",
    ),
    Rule(
        "the CNI moves one minor at a time, down",
        "AWS",
        lambda w: w.update_cni(addonVersion="v1.18.6-eksbuild.1"),
        PARAMETER,
        "only go up or down 1 minor",
    ),
    Rule(
        "Pod Identity is not for every add-on",
        "AWS",
        lambda w: w.new_addon(podIdentityAssociations=[{"serviceAccount": "x", "roleArn": w.cni_role}]),
        PARAMETER,
        "Pod Identity feature is not supported for addon version: v1.34.0-eksbuild.2",
    ),
    Rule(
        "Pod Identity for the add-on's own service accounts",
        "AWS",
        lambda w: w.update_cni(podIdentityAssociations=[{"serviceAccount": "other", "roleArn": w.cni_role}]),
        PARAMETER,
        "Service account other in pod identity configuration is not supported for addon vpc-cni",
    ),
    Rule(
        "a role ARN", "presumed", lambda w: w.update_cni(serviceAccountRoleArn="cni"), PARAMETER, "ARN cni is not valid"
    ),
    Rule(
        "the schema of an unknown version",
        "AWS",
        lambda w: w.eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.9.0-eksbuild.1"),
        PARAMETER,
        "Addon version specified is not supported",
    ),
]

IDENTITY = [
    Rule(
        "one association a service account",
        "AWS",
        lambda w: w.associate(serviceAccount="web"),
        IN_USE,
        "Association already exists: a-",
    ),
    Rule(
        "a role that does not trust Pod Identity",
        "AWS",
        lambda w: w.associate(roleArn=w.node_role),
        PARAMETER,
        "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue.",
    ),
    Rule(
        "a role that does not exist",
        "presumed",
        lambda w: w.associate(roleArn="arn:aws:iam::123456789012:role/none"),
        PARAMETER,
        "does not exist",
    ),
    Rule(
        "a session policy needs session tags off",
        "model",
        lambda w: w.associate(policy="{}"),
        PARAMETER,
        "disableSessionTags must be true",
    ),
    Rule(
        "an unknown association",
        "presumed",
        lambda w: w.eks.describe_pod_identity_association(clusterName="one", associationId="a-0"),
        ABSENT,
        "a-0 not found",
    ),
    Rule(
        "an add-on's association belongs to it",
        "presumed",
        lambda w: w.eks.delete_pod_identity_association(
            clusterName="one",
            associationId=w.eks.list_pod_identity_associations(clusterName="one", serviceAccount="aws-node")[
                "associations"
            ][0]["associationId"],
        ),
        REQUEST,
        "is owned by",
    ),
    Rule(
        "a principal once",
        "AWS",
        lambda w: w.entry(principalArn=w.cluster_role),
        IN_USE,
        "The specified access entry resource is already in use on this cluster.",
    ),
    Rule(
        "a principal that does not exist",
        "AWS",
        lambda w: w.entry(principalArn="arn:aws:iam::123456789012:role/none"),
        PARAMETER,
        "The specified principalArn is invalid: invalid principal.",
    ),
    Rule(
        "CONFIG_MAP knows no entries",
        "AWS",
        lambda w: w.entry(clusterName="legacy"),
        REQUEST,
        "must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
    ),
    Rule("types are few", "model", lambda w: w.entry(type="ROBOT"), PARAMETER, "type parameter is not valid"),
    Rule(
        "a node's entry has its own groups",
        "guide",
        lambda w: w.entry(type="EC2_LINUX", kubernetesGroups=["mine"]),
        PARAMETER,
        "can't be specified with type EC2_LINUX",
    ),
    Rule(
        "system: groups", "AWS", lambda w: w.entry(kubernetesGroups=["system:masters"]), PARAMETER, "start with system:"
    ),
    Rule(
        "an entry that is not there",
        "AWS",
        lambda w: w.eks.describe_access_entry(clusterName="one", principalArn=w.wrong_role),
        ABSENT,
        "The specified principalArn could not be found.",
    ),
    Rule(
        "an unknown access policy",
        "AWS",
        lambda w: w.associate_policy(policyArn="arn:aws:eks::aws:cluster-access-policy/Nope"),
        PARAMETER,
        "The policyArn parameter format is not valid",
    ),
    Rule(
        "a namespace scope has namespaces",
        "model",
        lambda w: w.associate_policy(accessScope={"type": "namespace"}),
        PARAMETER,
        "namespaces",
    ),
    Rule(
        "nodes need no policies",
        "presumed",
        lambda w: w.associate_policy(principalArn=w.node_role),
        REQUEST,
        "type EC2_LINUX",
    ),
    Rule(
        "an identity provider that is not there",
        "presumed",
        lambda w: w.eks.describe_identity_provider_config(
            clusterName="one", identityProviderConfig={"type": "oidc", "name": "none"}
        ),
        ABSENT,
        "not associated with cluster",
    ),
    Rule(
        "an unknown insight",
        "presumed",
        lambda w: w.eks.describe_insight(clusterName="one", id="00000000-0000-0000-0000-000000000000"),
        ABSENT,
        "No insight found",
    ),
    Rule(
        "fifty tags at most",
        "model",
        lambda w: w.eks.tag_resource(
            resourceArn="arn:aws:eks:eu-west-1:123456789012:cluster/one", tags={f"k{n}": "v" for n in range(51)}
        ),
        "BadRequestException",
        "less than or equal to 50",
    ),
    Rule(
        "reserved tag keys, put later",
        "AWS",
        lambda w: w.eks.tag_resource(resourceArn="arn:aws:eks:eu-west-1:123456789012:cluster/one", tags={"aws:x": "y"}),
        "BadRequestException",
        "reserved prefix aws:",
    ),
    Rule(
        "tags of something unknown",
        "presumed",
        lambda w: w.eks.list_tags_for_resource(resourceArn="arn:aws:eks:eu-west-1:123456789012:cluster/none"),
        "NotFoundException",
        "Resource was not found",
    ),
    Rule(
        "tags of another service",
        "presumed",
        lambda w: w.eks.tag_resource(resourceArn="arn:aws:s3:::bucket", tags={"a": "b"}),
        "BadRequestException",
        "Invalid ARN",
    ),
]

NODES = [
    Rule(
        "a name once in a cluster",
        "AWS",
        lambda w: w.eks.create_nodegroup(**w.nodegroup_request("workers")),
        IN_USE,
        "NodeGroup already exists with name workers and cluster name one",
    ),
    Rule(
        "an unknown node group",
        "AWS",
        lambda w: w.eks.describe_nodegroup(clusterName="one", nodegroupName="none"),
        ABSENT,
        "No node group found for name: none.",
    ),
    Rule(
        "an unknown cluster",
        "AWS",
        lambda w: w.eks.create_nodegroup(**w.nodegroup_request("new", "nowhere")),
        ABSENT,
        "No cluster found for name: nowhere.",
    ),
    Rule(
        "Amazon Linux 2 ended with 1.32",
        "AWS",
        lambda w: w.group(amiType="AL2_x86_64"),
        PARAMETER,
        "AMI Type AL2_x86_64 is only supported for kubernetes versions 1.32 or earlier",
    ),
    Rule(
        "Windows has no IPv6",
        "guide",
        lambda w: w.group(amiType="WINDOWS_CORE_2022_x86_64"),
        PARAMETER,
        "ipFamily ipv6",
    ),
    Rule("an unknown AMI type", "model", lambda w: w.group(amiType="AL3_x86_64"), PARAMETER, "enum value set"),
    Rule(
        "an unknown instance type",
        "AWS",
        lambda w: w.group(instanceTypes=["t9.huge"]),
        PARAMETER,
        "The following supplied instance types do not exist: [t9.huge]",
    ),
    Rule(
        "an instance type of another architecture",
        "AWS",
        lambda w: w.group(instanceTypes=["t4g.medium"]),
        PARAMETER,
        "[t4g.medium] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD",
    ),
    Rule(
        "IPv6 needs Nitro",
        "guide",
        lambda w: w.group(instanceTypes=["m6i.large", "t2.medium"]),
        PARAMETER,
        "not based on Nitro",
    ),
    Rule(
        "a node role that does not exist",
        "AWS",
        lambda w: w.group(nodeRole="arn:aws:iam::123456789012:role/none"),
        PARAMETER,
        "The role with name none cannot be found.",
    ),
    Rule(
        "a node role that does not trust EC2",
        "AWS",
        lambda w: w.group(nodeRole=w.cluster_role),
        PARAMETER,
        "Following required service principals [ec2.amazonaws.com] were not found",
    ),
    Rule(
        "a subnet of another VPC",
        "presumed",
        lambda w: w.group(subnets=[w.foreign_subnet]),
        PARAMETER,
        "VPC of the cluster",
    ),
    Rule(
        "only the cluster's version",
        "model",
        lambda w: w.group(version="1.33"),
        PARAMETER,
        "is not equal to cluster version 1.34",
    ),
    Rule(
        "an unknown release",
        "AWS",
        lambda w: w.group(releaseVersion="1.34.0-20200101"),
        PARAMETER,
        "Requested release version 1.34.0-20200101 is not valid for kubernetes version 1.34",
    ),
    Rule(
        "sizes in order",
        "AWS",
        lambda w: w.group(scalingConfig={"minSize": 2, "maxSize": 3, "desiredSize": 1}),
        PARAMETER,
        "Minimum capacity 2 can't be greater than desired size 1",
    ),
    Rule(
        "all sizes or none",
        "model",
        lambda w: w.group(scalingConfig={"desiredSize": 1}),
        PARAMETER,
        "all of minSize, maxSize and desiredSize",
    ),
    Rule(
        "reserved labels",
        "AWS",
        lambda w: w.group(labels={"kubernetes.io/role": "x"}),
        PARAMETER,
        "Label cannot contain reserved prefixes",
    ),
    Rule(
        "a taint once by key and effect",
        "presumed",
        lambda w: w.group(taints=[{"key": "a", "value": v, "effect": "NO_SCHEDULE"} for v in "xy"]),
        PARAMETER,
        "unique by key and effect",
    ),
    Rule(
        "one of the two limits of an update",
        "model",
        lambda w: w.group(updateConfig={"maxUnavailable": 1, "maxUnavailablePercentage": 5}),
        PARAMETER,
        "can't both be specified",
    ),
    Rule(
        "one of the two limits of node repair",
        "model",
        lambda w: w.group(
            nodeRepairConfig={"maxParallelNodesRepairedCount": 1, "maxParallelNodesRepairedPercentage": 5}
        ),
        PARAMETER,
        "can't both be specified",
    ),
    Rule(
        "a node repair override says everything",
        "model",
        lambda w: w.group(nodeRepairConfig={"nodeRepairConfigOverrides": [{"repairAction": "Reboot"}]}),
        PARAMETER,
        "Every node repair override needs",
    ),
    Rule(
        "Bottlerocket does not hibernate in a warm pool",
        "model",
        lambda w: w.group(amiType="BOTTLEROCKET_x86_64", warmPoolConfig={"enabled": True, "poolState": "HIBERNATED"}),
        PARAMETER,
        "can't be hibernated",
    ),
    Rule(
        "disk size is the template's",
        "AWS",
        lambda w: w.group(launchTemplate=w.template(), diskSize=30),
        PARAMETER,
        "Disk size must be specified within the launch template.",
    ),
    Rule(
        "an instance type said twice",
        "AWS",
        lambda w: w.group(launchTemplate=w.template(InstanceType="m6i.large")),
        PARAMETER,
        "You cannot specify an instance type in both the launch template and the API request.",
    ),
    Rule(
        "a template without an instance profile",
        "model",
        lambda w: w.group(launchTemplate=w.template(IamInstanceProfile={"Name": "x"})),
        PARAMETER,
        "IamInstanceProfile",
    ),
    Rule(
        "a template that does not exist",
        "presumed",
        lambda w: w.group(launchTemplate={"name": "none"}),
        PARAMETER,
        "does not exist",
    ),
    Rule(
        "a template by id or by name",
        "AWS",
        lambda w: w.group(launchTemplate={"id": "lt-0", "name": "x"}),
        PARAMETER,
        "Either provide launch template ID or launch template name in the request.",
    ),
    Rule("an update without a change", "presumed", lambda w: w.configure_group(), PARAMETER, "No changes"),
    Rule(
        "sizes in order in an update too",
        "AWS",
        lambda w: w.configure_group(scalingConfig={"desiredSize": 9}),
        PARAMETER,
        "desired capacity 9 can't be greater than max size 3",
    ),
    Rule(
        "no template where there was none",
        "model",
        lambda w: w.eks.update_nodegroup_version(
            clusterName="one", nodegroupName="workers", launchTemplate=w.template()
        ),
        PARAMETER,
        "made without one",
    ),
    Rule(
        "no version above the cluster's",
        "model",
        lambda w: w.eks.update_nodegroup_version(clusterName="one", nodegroupName="workers", version="1.35"),
        PARAMETER,
        "the cluster's version is 1.34",
    ),
]

FARGATE = [
    Rule(
        "a public subnet",
        "AWS",
        lambda w: w.profile(subnets=[w.public]),
        PARAMETER,
        "provided in Fargate Profile is not a private subnet",
    ),
    Rule(
        "a name once",
        "AWS",
        lambda w: w.eks.create_fargate_profile(**w.profile_request("batch")),
        IN_USE,
        "A Fargate Profile already exists with this name in this cluster.",
    ),
    Rule(
        "one at a time",
        "AWS",
        lambda w: w.profile("one"),
        IN_USE,
        "Cannot create Fargate Profile new because cluster one currently has Fargate profile batch in status CREATING",
    ),
    Rule(
        "a selector at least",
        "AWS",
        lambda w: w.profile(selectors=[]),
        PARAMETER,
        "Fargate Profile requires at least one selector.",
    ),
    Rule(
        "a namespace in each selector",
        "AWS",
        lambda w: w.profile(selectors=[{"labels": {"a": "b"}}]),
        PARAMETER,
        "at least one namespace value",
    ),
    Rule(
        "five labels a selector",
        "AWS",
        lambda w: w.profile(selectors=[{"namespace": "x", "labels": dict.fromkeys("abcdef", "y")}]),
        PARAMETER,
        "Request contains Selector with more than 5 Label pairs",
    ),
    Rule(
        "a role that Fargate's pods may assume",
        "AWS",
        lambda w: w.profile(podExecutionRoleArn=w.node_role),
        PARAMETER,
        "Misconfigured PodExecutionRole Trust Policy",
    ),
    Rule(
        "an unknown profile",
        "AWS",
        lambda w: w.eks.describe_fargate_profile(clusterName="one", fargateProfileName="none"),
        ABSENT,
        "No Fargate Profile found with name: none.",
    ),
]
RULES = [*CLUSTERS, *CHANGES, *ADDONS, *IDENTITY, *NODES, *FARGATE]

_standing: dict[str, World] = {}
_clients: dict[tuple[str, str], Any] = {}
_session: Any = boto3.session.Session()


@pytest.fixture
def world(running_emulator: Emulator) -> Iterator[World]:
    """The standing account; made anew when another test has emptied it, since a refusal changes nothing in it."""
    if _standing.clear not in running_emulator.on_reset:
        running_emulator.on_reset.append(_standing.clear)

    def client(service: str) -> Any:
        key = (service, running_emulator.url)
        if key not in _clients:
            _clients[key] = _session.client(
                service,
                region_name="eu-west-1",
                endpoint_url=running_emulator.url,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
                # What botocore would refuse by itself shall reach the emulator.
                config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
            )
        return _clients[key]

    if not _standing:
        running_emulator.reset()
        _standing["world"] = World(client)
    yield _standing["world"]
    assert running_emulator.drift == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.rule.replace(" ", "-") for rule in RULES])
def test_refusal(world: World, rule: Rule) -> None:
    sent: list[dict[str, Any]] = []
    world.eks.meta.events.register("provide-client-params.eks", lambda params, **_unused: sent.append(params), "sent")
    try:
        with pytest.raises(ClientError) as caught:
            rule.call(world)
    finally:
        world.eks.meta.events.unregister("provide-client-params.eks", unique_id="sent")
    error = caught.value.response["Error"]
    assert error["Code"] == rule.code, error["Message"]
    assert rule.text in error["Message"]
    shape = world.eks.meta.service_model.shape_for(rule.code)
    named = {name: sent[-1][name] for name in set(shape.members) & set(sent[-1])}
    if "clusterName" in shape.members and "name" in sent[-1]:
        named["clusterName"] = sent[-1]["name"]
    assert {name: caught.value.response.get(name) for name in named} == named


def test_every_source_is_one_of_the_four() -> None:
    assert {rule.source for rule in RULES} <= {"AWS", "model", "guide", "presumed"}
    for table in (CLUSTERS, CHANGES, ADDONS, IDENTITY, NODES, FARGATE):
        assert len({rule.rule for rule in table}) == len(table), "two rows of one table have the same name"


def test_an_error_carries_its_members(world: World) -> None:
    with pytest.raises(world.eks.exceptions.ResourceNotFoundException) as caught:
        world.eks.describe_addon(clusterName="one", addonName="kube-proxy")
    assert caught.value.response["clusterName"] == "one"
    assert caught.value.response["addonName"] == "kube-proxy"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_schema_refuses_what_the_service_refuses(world: World) -> None:
    """The schema handed out and the check on configuration values are the same thing."""
    answer = world.eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.22.4-eksbuild.1")
    schema = json.loads(answer["configurationSchema"])["definitions"]["Configuration"]
    environment = schema["properties"]["env"]
    assert environment["additionalProperties"] is False
    assert {"ENABLE_IPv6", "ENABLE_IPv4"} & set(environment["properties"]) == set()
    assert {"ENABLE_SUBNET_DISCOVERY", "ENABLE_PREFIX_DELEGATION"} <= set(environment["properties"])
    assert answer["podIdentityConfiguration"][0]["serviceAccount"] == "aws-node"
