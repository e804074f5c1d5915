#!/usr/bin/python
# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module eks_node_user_data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_node_user_data
version_added: 0.1.0
short_description: Render the user data of an IPv6 EKS cluster's nodes
description:
  - Reads a cluster in the IPv6 family and renders what its nodes are told at their first boot, for Amazon Linux 2023
    (C(NodeConfig)), Bottlerocket (TOML) and Amazon Linux 2 (C(bootstrap.sh), legacy).
  - Changes nothing, ever. The result goes into a launch template.
  - The service range is the cluster's own. A node that is given the VPC's range instead boots, joins, and has no DNS.
author:
  - The eksops.ipv6 authors (@eksops)
options:
  cluster_name:
    description:
      - The cluster's name.
      - In check mode a cluster that does not exist is taken for granted; C(pending:cluster/NAME) then stands in for
        what it will have.
    type: str
    required: true
  family:
    description:
      - The AMI family. V(windows) is refused, since IPv6 clusters have no Windows nodes.
      - AWS has published no AMIs of V(al2) since November 2025.
    type: str
    choices: [al2023, bottlerocket, al2, windows]
    default: al2023
  instance_types:
    description:
      - The instance types that the nodes may have. They must be built on Nitro, as C(DescribeInstanceTypes) has it, or
        be bare metal.
      - The number of pods is computed from them, by AWS's formula for prefix delegation and with AWS's caps (110, and
        250 from 31 vCPUs on); the lowest of several counts.
    type: list
    elements: str
  max_pods:
    description: The number of pods a node takes, instead of the one computed from O(instance_types).
    type: int
  labels:
    description: Kubernetes labels that the kubelet sets.
    type: dict
  taints:
    description: Kubernetes taints that the kubelet sets.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key.
        type: str
        required: true
      value:
        description: The value.
        type: str
      effect:
        description: The effect, in AWS's words or in Kubernetes'.
        type: str
        required: true
        choices: [NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE, NoSchedule, PreferNoSchedule, NoExecute]
  kubelet_arguments:
    description:
      - More arguments of the kubelet, each of the form C(--name=value). For V(al2) and V(al2023).
      - Those that decide the family are refused, such as C(--node-ip) and C(--cluster-dns).
    type: list
    elements: str
  kubelet_config:
    description: Fields of a C(KubeletConfiguration). For V(al2023).
    type: dict
  bootstrap_arguments:
    description:
      - More arguments of C(bootstrap.sh), name and value as two entries. For V(al2).
      - The form C(--name=value) is refused, since C(bootstrap.sh) takes it for the cluster's name.
    type: list
    elements: str
  containerd_config:
    description:
      - Configuration of containerd as TOML. For V(al2) and V(al2023).
      - V(al2023) merges it with the AMI's; V(al2) puts it in the place of the AMI's.
    type: str
  local_disks:
    description: What becomes of the instance store's disks. V(bottlerocket) takes V(raid0) only.
    type: str
    choices: [raid0, raid10, mount]
  node_config:
    description:
      - More of a C(NodeConfig)'s C(spec), merged with what is rendered. For V(al2023).
      - Fields that nodeadm does not document are refused, and so is C(cluster).
    type: dict
  settings:
    description:
      - More of Bottlerocket's C(settings), merged with what is rendered. For V(bottlerocket).
      - Those that decide the family are refused, such as C(kubernetes.cluster-dns-ip).
    type: dict
  parts_before:
    description:
      - Parts of user data of your own that come before what is rendered. For V(al2) and V(al2023).
      - An entry is a shell script, a whole MIME multipart document, or a dictionary of C(content) and C(content_type).
    type: list
    elements: raw
  parts_after:
    description: Such parts that come after what is rendered.
    type: list
    elements: raw
  completed_by_eks:
    description:
      - Whether the user data is for the launch template of a managed node group without an AMI of its own. EKS then
        adds the cluster's coordinates itself, so they are left out.
      - Refused for V(al2), whose C(bootstrap.sh) EKS calls without any arguments from here.
    type: bool
    default: false
  compress:
    description:
      - Whether user data is compressed with gzip; V(auto) does so when it is longer than EC2's 16 KiB.
      - What is too long even so is refused with its size.
    type: str
    choices: [auto, never, always]
    default: auto
  base64_parts:
    description:
      - Whether the parts of a MIME multipart document are written in base64. Those that are not ASCII always are.
    type: bool
    default: false
  subnet_ids:
    description:
      - The subnets that self-managed nodes shall be in. When given, everything that they need is looked at, and refused
        where it is missing, all at once. That is both families, IPv6 addresses on creation, routes out in both
        families or VPC endpoints in their place, and the VPC CNI with a role that allows what its version calls.
      - A public subnet that does not assign public IPv4 addresses is a warning. The launch template may give them.
      - In check mode what an earlier task may mend is a warning.
    type: list
    elements: str
  node_role_arn:
    description:
      - The nodes' role, which the VPC CNI takes where it has none of its own. Only looked at, as
        M(eksops.ipv6.eks_nodegroup) does.
    type: str
  skip_checks:
    description:
      - Checks of O(subnet_ids) to leave out, as O(eksops.ipv6.eks_nodegroup#module:skip_checks) has them.
    type: list
    elements: str
    choices: [routes, cni]
  image_id:
    description: The AMI of the nodes. Its architecture has to be that of O(instance_types), and Windows is refused.
    type: str
  resolve_image:
    description:
      - Whether AWS's newest AMI of O(family) is looked up in SSM's public parameters, for the cluster's Kubernetes
        version and the architecture of O(instance_types), unless O(image_id) is given.
    type: bool
    default: false
  image_variant:
    description: The variant of the AMI that is looked up, such as V(standard), V(nvidia) or V(neuron).
    type: str
    default: standard
  kubernetes_version:
    description: The Kubernetes version whose AMI is looked up. The cluster's when this is not given.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - eksops.ipv6.attributes
  - eksops.ipv6.attributes.info
seealso:
  - module: eksops.ipv6.eks_cluster
  - plugin: eksops.ipv6.eks_node_config
    plugin_type: filter
  - plugin: eksops.ipv6.eks_bottlerocket_settings
    plugin_type: filter
  - plugin: eksops.ipv6.eks_bootstrap_arguments
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Render Amazon Linux 2023 nodes with a script of one's own
  eksops.ipv6.eks_node_user_data:
    cluster_name: production
    instance_types: [m7g.large]
    labels:
      workload: general
    parts_before:
      - |
        #!/bin/bash
        sysctl -w vm.max_map_count=262144
  register: nodes

- name: Put them into a launch template
  amazon.aws.ec2_launch_template:
    name: production-general
    user_data: "{{ nodes.user_data.base64 }}"

- name: Render Bottlerocket nodes
  eksops.ipv6.eks_node_user_data:
    cluster_name: production
    family: bottlerocket
    instance_types: [m7i.large, m7i.xlarge]
    settings:
      kernel:
        sysctl:
          vm.max_map_count: "262144"
"""

RETURN = r"""
user_data:
  description: The user data.
  returned: success
  type: dict
  contains:
    family:
      description: The AMI family.
      type: str
      sample: al2023
    text:
      description: The user data as text, before it is compressed.
      type: str
    base64:
      description: The user data in base64, compressed where it has to be, as a launch template takes it.
      type: str
    content_type:
      description: What the text is, multipart/mixed where it has several parts.
      type: str
      sample: application/node.eks.aws
    compressed:
      description: Whether the instance receives gzip.
      type: bool
    size:
      description: Bytes that the instance receives; EC2 takes 16384.
      type: int
      sample: 912
    parts:
      description: The parts in their order.
      type: list
      elements: dict
      contains:
        content:
          description: The text.
          type: str
        content_type:
          description: What it is.
          type: str
    max_pods:
      description: The number of pods a node takes; null when the AMI decides.
      type: int
      sample: 110
    cluster_dns_ip:
      description: Where the nodes' pods find DNS.
      type: str
      sample: fd30:3087:b6c2::a
    architecture:
      description: The architecture that all of O(instance_types) have; null without them.
      type: str
      sample: arm64
    image_id:
      description: The AMI that was given or found; null when none was asked for.
      type: str
      sample: ami-0123456789abcdef0
"""

from ansible_collections.eksops.ipv6.plugins.module_utils._core.documents import node_user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door

EFFECTS = ["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE", "NoSchedule", "PreferNoSchedule", "NoExecute"]
DOOR = Door(
    argument_spec={
        "cluster_name": {"type": "str", "required": True},
        "family": {"type": "str", "choices": ["al2023", "bottlerocket", "al2", "windows"], "default": "al2023"},
        "instance_types": {"type": "list", "elements": "str"},
        "max_pods": {"type": "int"},
        "labels": {"type": "dict"},
        "taints": {
            "type": "list",
            "elements": "dict",
            "options": {
                "key": {"type": "str", "required": True, "no_log": False},
                "value": {"type": "str"},
                "effect": {"type": "str", "required": True, "choices": EFFECTS},
            },
        },
        "kubelet_arguments": {"type": "list", "elements": "str"},
        "kubelet_config": {"type": "dict"},
        "bootstrap_arguments": {"type": "list", "elements": "str"},
        "containerd_config": {"type": "str"},
        "local_disks": {"type": "str", "choices": ["raid0", "raid10", "mount"]},
        "node_config": {"type": "dict"},
        "settings": {"type": "dict"},
        "parts_before": {"type": "list", "elements": "raw"},
        "parts_after": {"type": "list", "elements": "raw"},
        "completed_by_eks": {"type": "bool", "default": False},
        "compress": {"type": "str", "choices": ["auto", "never", "always"], "default": "auto"},
        "base64_parts": {"type": "bool", "default": False},
        "subnet_ids": {"type": "list", "elements": "str"},
        "node_role_arn": {"type": "str"},
        "skip_checks": {"type": "list", "elements": "str", "choices": ["routes", "cni"]},
        "image_id": {"type": "str"},
        "resolve_image": {"type": "bool", "default": False},
        "image_variant": {"type": "str", "default": "standard"},
        "kubernetes_version": {"type": "str"},
    },
    build=node_user_data.build,
    services=("eks", "ec2", "iam", "ssm"),
    writes=False,
)


def main() -> None:
    """The module door."""
    DOOR.enter_module()


if __name__ == "__main__":
    main()
