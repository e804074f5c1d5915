# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sample account for tests: a dual-stack network and the roles that an IPv6 cluster needs, made over the API.

`Sample(client)` takes any function from a service's name to a boto3 client. Nothing here is needed by the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from ipaddress import ip_network
from typing import Any

Client = Callable[[str], Any]

CNI_ACTIONS = (
    "ec2:AssignIpv6Addresses",
    "ec2:DescribeInstances",
    "ec2:DescribeTags",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeInstanceTypes",
)
CNI_ACTIONS_1_22 = (*CNI_ACTIONS, "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")


class Sample:
    """Private and public subnets in `zones` zones of one VPC; roles are made when first asked for.

    Args:
        client: service name -> boto3 client.
        ipv6: whether VPC and subnets get IPv6 blocks and assign addresses from them.
    """

    def __init__(self, client: Client, zones: int = 2, ipv6: bool = True) -> None:
        self.client = client
        self.ipv6 = ipv6
        self.ec2 = client("ec2")
        self.eks = client("eks")
        self.iam = client("iam")
        self._slots = iter(range(256))
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]
        self.vpc_id: str = vpc["VpcId"]
        self._ipv6_block = self._associated_block() if ipv6 else None
        names = [zone["ZoneName"] for zone in self.ec2.describe_availability_zones()["AvailabilityZones"]]
        self.private = [self.subnet(zone) for zone in names[:zones]]
        self.zones = names

    def _associated_block(self) -> str:
        for _unused in range(20):
            for block in self.ec2.describe_vpcs(VpcIds=[self.vpc_id])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]:
                if block["Ipv6CidrBlockState"]["State"] == "associated":
                    return str(block["Ipv6CidrBlock"])
        raise RuntimeError(f"{self.vpc_id} never got its IPv6 block")

    def subnet(self, zone: str, ipv6: bool | None = None, assign: bool = True) -> str:
        """A new subnet with the next IPv4 /24 and, unless told otherwise, the next IPv6 /64."""
        slot = next(self._slots)
        wanted: dict[str, Any] = {"CidrBlock": f"10.0.{slot}.0/24"}
        with_ipv6 = self.ipv6 if ipv6 is None else ipv6
        if with_ipv6:
            network = ip_network(str(self._ipv6_block))
            wanted["Ipv6CidrBlock"] = str(ip_network((int(network.network_address) + (slot << 64), 64)))
        made = self.ec2.create_subnet(VpcId=self.vpc_id, AvailabilityZone=zone, **wanted)["Subnet"]
        subnet_id = str(made["SubnetId"])
        if with_ipv6:
            self._wait_for_subnet(subnet_id)
            if assign:
                self.ec2.modify_subnet_attribute(SubnetId=subnet_id, AssignIpv6AddressOnCreation={"Value": True})
        return subnet_id

    def _wait_for_subnet(self, subnet_id: str) -> None:
        for _unused in range(20):
            found = self.ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["Ipv6CidrBlockAssociationSet"]
            if any(block["Ipv6CidrBlockState"]["State"] == "associated" for block in found):
                return
        raise RuntimeError(f"{subnet_id} never got its IPv6 block")

    def public_subnet(self, zone: str, destination: str = "::/0", public_ipv4: bool = True) -> str:
        """A subnet whose own route table sends `destination` to an internet gateway."""
        subnet_id = self.subnet(zone)
        attached = self.ec2.describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": [self.vpc_id]}]
        )["InternetGateways"]
        if attached:
            gateway = attached[0]["InternetGatewayId"]
        else:
            gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc_id)
        table = self.ec2.create_route_table(VpcId=self.vpc_id)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
        key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        self.ec2.create_route(RouteTableId=table, GatewayId=gateway, **{key: destination})
        if public_ipv4:
            self.ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
        return subnet_id

    def way_out(self) -> None:
        """Default routes of both families for every subnet without a route table of its own: NAT and egress-only."""
        public = self.public_subnet(self.zones[0])
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
        egress = self.ec2.create_egress_only_internet_gateway(VpcId=self.vpc_id)["EgressOnlyInternetGateway"]
        for _unused in range(20):
            if self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] == "available":
                break
        main = [{"Name": "vpc-id", "Values": [self.vpc_id]}, {"Name": "association.main", "Values": ["true"]}]
        table = self.ec2.describe_route_tables(Filters=main)["RouteTables"][0]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        self.ec2.create_route(
            RouteTableId=table,
            DestinationIpv6CidrBlock="::/0",
            EgressOnlyInternetGatewayId=egress["EgressOnlyInternetGatewayId"],
        )

    def endpoints(self, *services: str, table: str = "") -> None:
        """VPC endpoints, available: of S3 a gateway in this route table, of other services interfaces."""
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            self.ec2.modify_vpc_attribute(VpcId=self.vpc_id, **{attribute: {"Value": True}})
        for service in services:
            kind: dict[str, Any] = {"VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
            if service == "s3":
                kind = {"VpcEndpointType": "Gateway", "RouteTableIds": [table]}
            else:
                kind["SubnetIds"] = self.private
            name = f"com.amazonaws.{self.ec2.meta.region_name}.{service}"
            self.ec2.create_vpc_endpoint(VpcId=self.vpc_id, ServiceName=name, **kind)
        for _unused in range(20):
            found = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if all(endpoint["State"] == "available" for endpoint in found):
                return
        raise RuntimeError("the endpoints never became available")

    def role(self, name: str, service: str, policies: tuple[str, ...] = (), actions: Any = "sts:AssumeRole") -> str:
        """A role that an AWS service may assume, with AWS's managed policies; its ARN."""
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        partition = arn.split(":")[1]
        for policy in policies:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:{partition}:iam::aws:policy/{policy}")
        return str(arn)

    def allow(self, role_name: str, actions: tuple[str, ...]) -> None:
        """Let a role do these actions on everything, and CreateTags on network interfaces; no others from here."""
        tags = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*:*:network-interface/*"}
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}, tags],
        }
        self.iam.put_role_policy(RoleName=role_name, PolicyName="cni", PolicyDocument=json.dumps(document))

    @cached_property
    def cluster_role(self) -> str:
        return self.role("cluster", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",))

    @cached_property
    def node_role(self) -> str:
        return self.role(
            "node", "ec2.amazonaws.com", ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        )

    @cached_property
    def cni_role(self) -> str:
        """A role for aws-node over Pod Identity that allows what every CNI version calls."""
        arn = self.role("cni", "pods.eks.amazonaws.com", actions=["sts:AssumeRole", "sts:TagSession"])
        self.allow("cni", CNI_ACTIONS_1_22)
        return arn

    @cached_property
    def pod_execution_role(self) -> str:
        return self.role("fargate", "eks-fargate-pods.amazonaws.com", ("AmazonEKSFargatePodExecutionRolePolicy",))

    def cluster_request(self, name: str = "one", **changes: Any) -> dict[str, Any]:
        """CreateCluster's parameters for an IPv6 cluster in the private subnets, with `changes` in their place."""
        request: dict[str, Any] = {
            "name": name,
            "roleArn": self.cluster_role,
            "resourcesVpcConfig": {"subnetIds": self.private},
            "kubernetesNetworkConfig": {"ipFamily": "ipv6" if self.ipv6 else "ipv4"},
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        }
        return {key: value for key, value in {**request, **changes}.items() if value is not None}

    def cluster(self, name: str = "one", **changes: Any) -> dict[str, Any]:
        """An ACTIVE cluster."""
        self.eks.create_cluster(**self.cluster_request(name, **changes))
        return self.until(lambda: self.eks.describe_cluster(name=name)["cluster"])

    def addon(self, name: str, cluster: str = "one", **request: Any) -> dict[str, Any]:
        """An add-on, past CREATING."""
        self.eks.create_addon(clusterName=cluster, addonName=name, **request)
        return self.until(lambda: self.eks.describe_addon(clusterName=cluster, addonName=name)["addon"])

    def cni(self, cluster: str = "one", **request: Any) -> dict[str, Any]:
        """The VPC CNI with Pod Identity and its agent, able to run."""
        self.addon("eks-pod-identity-agent", cluster)
        wanted = {"podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": self.cni_role}], **request}
        return self.addon("vpc-cni", cluster, resolveConflicts="OVERWRITE", **wanted)

    def nodegroup_request(self, name: str = "workers", cluster: str = "one", **changes: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "clusterName": cluster,
            "nodegroupName": name,
            "subnets": self.private,
            "nodeRole": self.node_role,
            "instanceTypes": ["m6i.large"],
            "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
        }
        return {key: value for key, value in {**request, **changes}.items() if value is not None}

    def nodegroup(self, name: str = "workers", cluster: str = "one", **changes: Any) -> dict[str, Any]:
        """A node group, past CREATING."""
        self.eks.create_nodegroup(**self.nodegroup_request(name, cluster, **changes))
        return self.until(lambda: self.eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"])

    def updated(self, update: dict[str, Any], name: str = "one", **target: str) -> dict[str, Any]:
        """An update, past InProgress."""
        return self.until(lambda: self.eks.describe_update(name=name, updateId=update["id"], **target)["update"])

    @staticmethod
    def until(describe: Callable[[], dict[str, Any]], polls: int = 20) -> dict[str, Any]:
        """What Describe answers once the status is no longer one of work under way."""
        for _unused in range(polls):
            facts = describe()
            if facts["status"] not in ("CREATING", "UPDATING", "InProgress"):
                return facts
        raise RuntimeError(f"still {facts['status']} after {polls} polls")
