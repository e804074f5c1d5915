# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each filter of a Describe operation finds its value. Names are EC2's; a test holds them to botocore's."""

from __future__ import annotations

from .listing import Getter, Listing, values_at

_VPC: dict[str, Getter] = {
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "cidr-block-association.cidr-block": "CidrBlockAssociationSet[].CidrBlock",
    "cidr-block-association.association-id": "CidrBlockAssociationSet[].AssociationId",
    "cidr-block-association.state": "CidrBlockAssociationSet[].CidrBlockState.State",
    "dhcp-options-id": "DhcpOptionsId",
    "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
    "ipv6-cidr-block-association.ipv6-pool": "Ipv6CidrBlockAssociationSet[].Ipv6Pool",
    "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
    "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
    "is-default": "IsDefault",
    "isDefault": "IsDefault",
    "owner-id": "OwnerId",
    "state": "State",
    "vpc-id": "VpcId",
}
_SUBNET: dict[str, Getter] = {
    "availability-zone": "AvailabilityZone",
    "availabilityZone": "AvailabilityZone",
    "availability-zone-id": "AvailabilityZoneId",
    "availabilityZoneId": "AvailabilityZoneId",
    "available-ip-address-count": "AvailableIpAddressCount",
    "cidr": "CidrBlock",
    "cidr-block": "CidrBlock",
    "cidrBlock": "CidrBlock",
    "default-for-az": "DefaultForAz",
    "defaultForAz": "DefaultForAz",
    "enable-dns64": "EnableDns64",
    "enable-lni-at-device-index": "EnableLniAtDeviceIndex",
    "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
    "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
    "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
    "ipv6-native": "Ipv6Native",
    "customer-owned-ipv4-pool": "CustomerOwnedIpv4Pool",
    "map-customer-owned-ip-on-launch": "MapCustomerOwnedIpOnLaunch",
    "map-public-ip-on-launch": "MapPublicIpOnLaunch",
    "outpost-arn": "OutpostArn",
    "owner-id": "OwnerId",
    "private-dns-name-options-on-launch.hostname-type": "PrivateDnsNameOptionsOnLaunch.HostnameType",
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": (
        "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord"
    ),
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": (
        "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord"
    ),
    "state": "State",
    "subnet-arn": "SubnetArn",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_ROUTE_TABLE: dict[str, Getter] = {
    "association.gateway-id": "Associations[].GatewayId",
    "association.route-table-association-id": "Associations[].RouteTableAssociationId",
    "association.route-table-id": "Associations[].RouteTableId",
    "association.subnet-id": "Associations[].SubnetId",
    "association.main": lambda item: [any(values_at(item, "Associations[].Main"))],
    "owner-id": "OwnerId",
    "route-table-id": "RouteTableId",
    "route.destination-cidr-block": "Routes[].DestinationCidrBlock",
    "route.destination-ipv6-cidr-block": "Routes[].DestinationIpv6CidrBlock",
    "route.destination-prefix-list-id": "Routes[].DestinationPrefixListId",
    "route.egress-only-internet-gateway-id": "Routes[].EgressOnlyInternetGatewayId",
    "route.gateway-id": "Routes[].GatewayId",
    "route.instance-id": "Routes[].InstanceId",
    "route.nat-gateway-id": "Routes[].NatGatewayId",
    "route.transit-gateway-id": "Routes[].TransitGatewayId",
    "route.origin": "Routes[].Origin",
    "route.state": "Routes[].State",
    "route.vpc-peering-connection-id": "Routes[].VpcPeeringConnectionId",
    "vpc-id": "VpcId",
}


def _permissions(prefix: str, member: str) -> dict[str, Getter]:
    return {
        f"{prefix}ip-permission.cidr": f"{member}[].IpRanges[].CidrIp",
        f"{prefix}ip-permission.from-port": f"{member}[].FromPort",
        f"{prefix}ip-permission.group-id": f"{member}[].UserIdGroupPairs[].GroupId",
        f"{prefix}ip-permission.group-name": f"{member}[].UserIdGroupPairs[].GroupName",
        f"{prefix}ip-permission.ipv6-cidr": f"{member}[].Ipv6Ranges[].CidrIpv6",
        f"{prefix}ip-permission.prefix-list-id": f"{member}[].PrefixListIds[].PrefixListId",
        f"{prefix}ip-permission.protocol": f"{member}[].IpProtocol",
        f"{prefix}ip-permission.to-port": f"{member}[].ToPort",
        f"{prefix}ip-permission.user-id": f"{member}[].UserIdGroupPairs[].UserId",
    }


_SECURITY_GROUP: dict[str, Getter] = {
    "description": "Description",
    "group-id": "GroupId",
    "group-name": "GroupName",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
    **_permissions("", "IpPermissions"),
    **_permissions("egress.", "IpPermissionsEgress"),
}
_NETWORK_ACL: dict[str, Getter] = {
    "association.association-id": "Associations[].NetworkAclAssociationId",
    "association.network-acl-id": "Associations[].NetworkAclId",
    "association.subnet-id": "Associations[].SubnetId",
    "default": "IsDefault",
    "entry.cidr": "Entries[].CidrBlock",
    "entry.icmp.code": "Entries[].IcmpTypeCode.Code",
    "entry.icmp.type": "Entries[].IcmpTypeCode.Type",
    "entry.ipv6-cidr": "Entries[].Ipv6CidrBlock",
    "entry.port-range.from": "Entries[].PortRange.From",
    "entry.port-range.to": "Entries[].PortRange.To",
    "entry.protocol": "Entries[].Protocol",
    "entry.rule-action": "Entries[].RuleAction",
    "entry.egress": "Entries[].Egress",
    "entry.rule-number": "Entries[].RuleNumber",
    "network-acl-id": "NetworkAclId",
    "owner-id": "OwnerId",
    "vpc-id": "VpcId",
}
_INTERFACE: dict[str, Getter] = {
    "association.allocation-id": "Association.AllocationId",
    "association.association-id": "Association.AssociationId",
    "association.ip-owner-id": "Association.IpOwnerId",
    "association.public-ip": "Association.PublicIp",
    "association.public-dns-name": "Association.PublicDnsName",
    "addresses.association.owner-id": "PrivateIpAddresses[].Association.IpOwnerId",
    "addresses.association.public-ip": "PrivateIpAddresses[].Association.PublicIp",
    "addresses.primary": "PrivateIpAddresses[].Primary",
    "addresses.private-ip-address": "PrivateIpAddresses[].PrivateIpAddress",
    "attachment.attachment-id": "Attachment.AttachmentId",
    "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    "attachment.device-index": "Attachment.DeviceIndex",
    "attachment.instance-id": "Attachment.InstanceId",
    "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
    "attachment.status": "Attachment.Status",
    "availability-zone": "AvailabilityZone",
    "description": "Description",
    "group-id": "Groups[].GroupId",
    "ipv6-addresses.ipv6-address": "Ipv6Addresses[].Ipv6Address",
    "interface-type": "InterfaceType",
    "mac-address": "MacAddress",
    "network-interface-id": "NetworkInterfaceId",
    "owner-id": "OwnerId",
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "requester-id": "RequesterId",
    "requester-managed": "RequesterManaged",
    "source-dest-check": "SourceDestCheck",
    "status": "Status",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_ADDRESS: dict[str, Getter] = {
    "allocation-id": "AllocationId",
    "association-id": "AssociationId",
    "instance-id": "InstanceId",
    "network-border-group": "NetworkBorderGroup",
    "network-interface-id": "NetworkInterfaceId",
    "network-interface-owner-id": "NetworkInterfaceOwnerId",
    "private-ip-address": "PrivateIpAddress",
    "public-ip": "PublicIp",
}
_INSTANCE: dict[str, Getter] = {
    "architecture": "Architecture",
    "availability-zone": "Placement.AvailabilityZone",
    "client-token": "ClientToken",
    "dns-name": "PublicDnsName",
    "hypervisor": "Hypervisor",
    "iam-instance-profile.arn": "IamInstanceProfile.Arn",
    "image-id": "ImageId",
    "instance-id": "InstanceId",
    "instance-lifecycle": "InstanceLifecycle",
    "instance-state-code": "State.Code",
    "instance-state-name": "State.Name",
    "instance-type": "InstanceType",
    "instance.group-id": "SecurityGroups[].GroupId",
    "instance.group-name": "SecurityGroups[].GroupName",
    "ip-address": "PublicIpAddress",
    "ipv6-address": "Ipv6Address",
    "key-name": "KeyName",
    "metadata-options.http-endpoint": "MetadataOptions.HttpEndpoint",
    "metadata-options.http-protocol-ipv6": "MetadataOptions.HttpProtocolIpv6",
    "metadata-options.http-tokens": "MetadataOptions.HttpTokens",
    "network-interface.group-id": "NetworkInterfaces[].Groups[].GroupId",
    "network-interface.ipv6-addresses.ipv6-address": "NetworkInterfaces[].Ipv6Addresses[].Ipv6Address",
    "network-interface.ipv6-prefixes.ipv6-prefix": "NetworkInterfaces[].Ipv6Prefixes[].Ipv6Prefix",
    "network-interface.network-interface-id": "NetworkInterfaces[].NetworkInterfaceId",
    "network-interface.subnet-id": "NetworkInterfaces[].SubnetId",
    "network-interface.vpc-id": "NetworkInterfaces[].VpcId",
    "owner-id": lambda item: [item[".."].get("OwnerId", "")],
    "private-dns-name": "PrivateDnsName",
    "private-ip-address": "PrivateIpAddress",
    "reservation-id": lambda item: [item[".."].get("ReservationId", "")],
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_INSTANCE_TYPE: dict[str, Getter] = {
    "auto-recovery-supported": "AutoRecoverySupported",
    "bare-metal": "BareMetal",
    "burstable-performance-supported": "BurstablePerformanceSupported",
    "current-generation": "CurrentGeneration",
    "dedicated-hosts-supported": "DedicatedHostsSupported",
    "free-tier-eligible": "FreeTierEligible",
    "hibernation-supported": "HibernationSupported",
    "hypervisor": "Hypervisor",
    "instance-storage-supported": "InstanceStorageSupported",
    "instance-type": "InstanceType",
    "memory-info.size-in-mib": "MemoryInfo.SizeInMiB",
    "network-info.ena-support": "NetworkInfo.EnaSupport",
    "network-info.ipv4-addresses-per-interface": "NetworkInfo.Ipv4AddressesPerInterface",
    "network-info.ipv6-addresses-per-interface": "NetworkInfo.Ipv6AddressesPerInterface",
    "network-info.ipv6-supported": "NetworkInfo.Ipv6Supported",
    "network-info.maximum-network-cards": "NetworkInfo.MaximumNetworkCards",
    "network-info.maximum-network-interfaces": "NetworkInfo.MaximumNetworkInterfaces",
    "processor-info.supported-architecture": "ProcessorInfo.SupportedArchitectures[]",
    "supported-usage-class": "SupportedUsageClasses[]",
    "supported-virtualization-type": "SupportedVirtualizationTypes[]",
    "vcpu-info.default-vcpus": "VCpuInfo.DefaultVCpus",
}
_ZONE: dict[str, Getter] = {
    "group-name": "GroupName",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}
_LAUNCH_TEMPLATE_VERSION: dict[str, Getter] = {
    "image-id": "LaunchTemplateData.ImageId",
    "instance-type": "LaunchTemplateData.InstanceType",
    "is-default-version": "DefaultVersion",
    "http-endpoint": "LaunchTemplateData.MetadataOptions.HttpEndpoint",
    "http-tokens": "LaunchTemplateData.MetadataOptions.HttpTokens",
}
_VPC_ENDPOINT: dict[str, Getter] = {
    "ip-address-type": "IpAddressType",
    "service-name": "ServiceName",
    "vpc-endpoint-id": "VpcEndpointId",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-type": "VpcEndpointType",
    "vpc-id": "VpcId",
}
_NAT: dict[str, Getter] = {
    "nat-gateway-id": "NatGatewayId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}
_INTERNET_GATEWAY: dict[str, Getter] = {
    "attachment.state": "Attachments[].State",
    "attachment.vpc-id": "Attachments[].VpcId",
    "internet-gateway-id": "InternetGatewayId",
    "owner-id": "OwnerId",
}
_TAG: dict[str, Getter] = {
    "key": "Key",
    "resource-id": "ResourceId",
    "resource-type": "ResourceType",
    "value": "Value",
}
# EC2 documents for the IPAM operations only that filters exist; these are the members that the console filters by.
_IPAM_POOL: dict[str, Getter] = {
    "ipam-pool-id": "IpamPoolId",
    "locale": "Locale",
    "address-family": "AddressFamily",
    "state": "State",
}

LISTINGS: dict[str, Listing] = {
    "DescribeVpcs": Listing("Vpcs", "VpcId", _VPC),
    "DescribeSubnets": Listing("Subnets", "SubnetId", _SUBNET),
    "DescribeRouteTables": Listing("RouteTables", "RouteTableId", _ROUTE_TABLE),
    "DescribeSecurityGroups": Listing("SecurityGroups", "GroupId", _SECURITY_GROUP),
    "DescribeSecurityGroupRules": Listing(
        "SecurityGroupRules",
        "SecurityGroupRuleId",
        {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
    ),
    "GetSecurityGroupsForVpc": Listing(
        "SecurityGroupForVpcs",
        "GroupId",
        {
            "group-id": "GroupId",
            "description": "Description",
            "group-name": "GroupName",
            "owner-id": "OwnerId",
            "primary-vpc-id": "PrimaryVpcId",
        },
    ),
    "DescribeNetworkAcls": Listing("NetworkAcls", "NetworkAclId", _NETWORK_ACL),
    "DescribeNatGateways": Listing("NatGateways", "NatGatewayId", _NAT),
    "DescribeInternetGateways": Listing("InternetGateways", "InternetGatewayId", _INTERNET_GATEWAY),
    "DescribeEgressOnlyInternetGateways": Listing("EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"),
    "DescribeNetworkInterfaces": Listing("NetworkInterfaces", "NetworkInterfaceId", _INTERFACE),
    "DescribeAddresses": Listing("Addresses", "AllocationId", _ADDRESS),
    "DescribeInstances": Listing("Reservations", None, _INSTANCE, nested="Instances"),
    "DescribeInstanceTypes": Listing("InstanceTypes", None, _INSTANCE_TYPE, page=100),
    "DescribeInstanceTypeOfferings": Listing(
        "InstanceTypeOfferings", None, {"instance-type": "InstanceType", "location": "Location"}
    ),
    "DescribeAvailabilityZones": Listing("AvailabilityZones", None, _ZONE),
    "DescribeLaunchTemplates": Listing(
        "LaunchTemplates", "LaunchTemplateId", {"launch-template-name": "LaunchTemplateName"}
    ),
    "DescribeLaunchTemplateVersions": Listing("LaunchTemplateVersions", None, _LAUNCH_TEMPLATE_VERSION),
    "DescribeTags": Listing("Tags", None, _TAG),
    "DescribeVpcEndpoints": Listing("VpcEndpoints", "VpcEndpointId", _VPC_ENDPOINT),
    "DescribeIpams": Listing("Ipams", "IpamId", {"ipam-id": "IpamId", "state": "State"}),
    "DescribeIpamPools": Listing("IpamPools", "IpamPoolId", _IPAM_POOL),
    "DescribeIpv6Pools": Listing("Ipv6Pools", None),
}
