# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reads of an unchanged network in plain boto3, one after the other: what a careful script would cost."""

from __future__ import annotations

import sys

import boto3


def main() -> int:
    """Read the network that carries the tag, as the module does, and check that it is there."""
    ec2 = boto3.client("ec2")
    by_name = [{"Name": "tag:eksops.ipv6/network", "Values": [sys.argv[1]]}]
    (vpc,) = ec2.describe_vpcs(Filters=by_name)["Vpcs"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsSupport")
    ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
    subnets = ec2.get_paginator("describe_subnets").paginate(Filters=of_vpc).build_full_result()["Subnets"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    ec2.get_paginator("describe_internet_gateways").paginate(Filters=attached).build_full_result()
    ec2.get_paginator("describe_egress_only_internet_gateways").paginate().build_full_result()
    ec2.get_paginator("describe_nat_gateways").paginate(Filters=of_vpc).build_full_result()
    ec2.get_paginator("describe_route_tables").paginate(Filters=of_vpc).build_full_result()
    return 0 if len(subnets) == int(sys.argv[2]) else 1


if __name__ == "__main__":
    sys.exit(main())
