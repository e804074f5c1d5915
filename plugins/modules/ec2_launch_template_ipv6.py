#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ec2_launch_template_ipv6."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_launch_template_ipv6
version_added: 0.1.0
short_description: Manage a launch template for IPv6 EKS nodes
description:
  - Creates, changes and removes an EC2 launch template whose instances have what nodes of an IPv6 EKS cluster need and
    nothing that harms them. IMDSv2 is required and its IPv6 endpoint is off, the first network interface has exactly
    one IPv6 address as its primary one, and the root volume is encrypted.
  - M(amazon.aws.ec2_launch_template) has no C(primary_ipv6), and lets a new version inherit what was dropped.
  - A change makes a new version that stands on its own and becomes the default. All options together describe that
    version, so one that is not given is not in it.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  name:
    description: The template's name.
    type: str
    required: true
  image_id:
    description:
      - The AMI. Leave it out for a managed node group whose AMI EKS shall choose.
    type: str
  instance_type:
    description:
      - The instance type. It must be built on Nitro, as C(DescribeInstanceTypes) has it, or be bare metal.
    type: str
  iam_instance_profile:
    description: Name or ARN of the nodes' instance profile. Managed node groups take none.
    type: str
  security_group_ids:
    description: The security groups of the first network interface. EC2 takes the VPC's default group without them.
    type: list
    elements: str
  associate_public_ip_address:
    description: Whether instances get a public IPv4 address. The subnet decides when this is not given.
    type: bool
  key_name:
    description: The EC2 key pair for SSH.
    type: str
  user_data:
    description:
      - User data in base64, RV(eksops.ipv6.eks_node_user_data#module:user_data.base64). EC2 takes 16 KiB of it decoded.
      - It is never shown in a diff.
    type: str
  metadata_hop_limit:
    description:
      - How many hops the answers of the instance metadata may take. V(1) keeps pods away from it and from the nodes'
        role; V(2) lets pods with a network of their own reach it.
    type: int
    default: 1
  root_device_name:
    description: The root volume's device, V(/dev/xvda) for Amazon Linux and Bottlerocket.
    type: str
    default: /dev/xvda
  data_device_name:
    description:
      - The device of a second volume, V(/dev/xvdb) for Bottlerocket, which keeps what containers need there. The root
        volume then has 4 GiB.
    type: str
  volume_size:
    description: The size in GiB of the root volume, or of the second one where there is one.
    type: int
    default: 20
  volume_type:
    description: The volumes' type.
    type: str
    choices: [gp3, gp2, io1, io2]
    default: gp3
  volume_iops:
    description:
      - The operations a second of the root volume, or of the second one where there is one. V(io1) and V(io2) need it,
        V(gp2) takes none, V(gp3) has 3000 without it.
      - A root volume beside a second one of V(io1) or V(io2) is V(gp3).
    type: int
  kms_key_id:
    description: The KMS key of the volumes. They are encrypted in any case, with the account's default key without it.
    type: str
  instance_tags:
    description: Tags of the instances and their volumes.
    type: dict
  state:
    description: Whether the template shall be there. One that this module has not made is not removed.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - eksops.ipv6.waiting
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.writes
seealso:
  - module: eksops.ipv6.eks_node_user_data
  - module: eksops.ipv6.autoscaling_group_ipv6
"""

EXAMPLES = r"""
- name: Describe self-managed nodes
  eksops.ipv6.ec2_launch_template_ipv6:
    name: production-general
    image_id: "{{ lookup('amazon.aws.ssm_parameter', image_parameter) }}"
    instance_type: m7g.large
    iam_instance_profile: "{{ iam.roles.node.instance_profile.name }}"
    security_group_ids: ["{{ eks.cluster.cluster_security_group_id }}"]
    user_data: "{{ nodes.user_data.base64 }}"
    volume_size: 50
  vars:
    image_parameter: /aws/service/eks/optimized-ami/1.35/amazon-linux-2023/arm64/standard/recommended/image_id
  register: template

- name: Remove a template
  eksops.ipv6.ec2_launch_template_ipv6:
    name: production-general
    state: absent
"""

RETURN = r"""
launch_template:
  description: The template; null when it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Its id; in check mode C(pending:launch-template/NAME) before it exists.
      type: str
      sample: lt-0123456789abcdef0
    name:
      description: Its name.
      type: str
      sample: production-general
    version:
      description: The number of the default version, as text.
      type: str
      sample: "3"
    data:
      description: The default version's C(LaunchTemplateData), by AWS's names.
      type: dict
    tags:
      description: The tags.
      type: dict
plan:
  description: The AWS calls made, or in check mode those that would be made, in order.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.ec2 import launch_template
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

DOOR = Door(
    argument_spec={
        "name": {"type": "str", "required": True},
        "image_id": {"type": "str"},
        "instance_type": {"type": "str"},
        "iam_instance_profile": {"type": "str"},
        "security_group_ids": {"type": "list", "elements": "str"},
        "associate_public_ip_address": {"type": "bool"},
        "key_name": {"type": "str", "no_log": False},
        "user_data": {"type": "str"},
        "metadata_hop_limit": {"type": "int", "default": 1},
        "root_device_name": {"type": "str", "default": "/dev/xvda"},
        "data_device_name": {"type": "str"},
        "volume_size": {"type": "int", "default": 20},
        "volume_type": {"type": "str", "choices": ["gp3", "gp2", "io1", "io2"], "default": "gp3"},
        "volume_iops": {"type": "int"},
        "kms_key_id": {"type": "str", "no_log": False},
        "instance_tags": {"type": "dict"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    build=launch_template.build,
    services=("ec2",),
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
