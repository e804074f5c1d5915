# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2, strict: see `response.py` for what every operation shares, and one module per resource family."""

from __future__ import annotations

from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses import EC2Response

from ..overlay import require
from . import instances
from .backend import StrictEC2Backend
from .response import StrictEC2Response

# What moto's EC2 has that the families replace or call; anything else they have is new.
_BACKEND = """
_get_template_from_args _iterate_security_rules _load_amis associate_address associate_route_table
associate_subnet_cidr_block attach_internet_gateway create_default_subnet create_egress_only_internet_gateway
create_launch_template create_nat_gateway create_network_acl create_network_acl_entry create_network_interface
create_route_table create_security_group create_subnet create_vpc delete_internet_gateway delete_nat_gateway
delete_network_acl delete_network_acl_entry delete_network_interface delete_route_table delete_security_group
delete_subnet delete_vpc delete_vpc_endpoints detach_internet_gateway disassociate_address disassociate_route_table
disassociate_subnet_cidr_block disassociate_vpc_cidr_block do_resources_exist get_all_network_interfaces
modify_security_group_rules release_address replace_network_acl_association replace_network_acl_entry run_instances
""".split()
_RESPONSE = """
_process_rules_from_querystring allocate_address assign_ipv6_addresses associate_route_table
associate_subnet_cidr_block associate_vpc_cidr_block authorize_security_group_egress authorize_security_group_ingress
call_action create_egress_only_internet_gateway create_internet_gateway create_launch_template
create_launch_template_version create_nat_gateway create_network_acl_entry create_network_interface create_route
create_route_table create_security_group create_subnet create_subnet_cidr_reservation create_tags create_vpc
create_vpc_endpoint delete_launch_template delete_nat_gateway delete_route delete_subnet_cidr_reservation delete_tags
describe_addresses describe_egress_only_internet_gateways describe_instance_type_offerings describe_instance_types
describe_instances describe_internet_gateways describe_launch_template_versions describe_launch_templates
describe_nat_gateways describe_network_acls describe_route_tables describe_security_group_rules describe_subnets
describe_tags describe_vpc_endpoints describe_vpcs disassociate_subnet_cidr_block disassociate_vpc_cidr_block
get_subnet_cidr_reservations modify_launch_template modify_subnet_attribute modify_vpc_attribute modify_vpc_endpoint
parse_parameters replace_network_acl_entry replace_route serialized unassign_ipv6_addresses
""".split()


def install() -> None:
    """Puts the strict EC2 in place of moto's."""
    require(EC2Backend, *_BACKEND)
    require(EC2Response, *_RESPONSE)
    instances.install()
    ec2_backends.clear()
    ec2_backends.backend = StrictEC2Backend


__all__ = ["StrictEC2Backend", "StrictEC2Response", "install"]
