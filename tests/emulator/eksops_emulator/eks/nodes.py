# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a managed node group has in EC2, Auto Scaling and IAM: template, group, instances, instance profile."""

from __future__ import annotations

import json
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.core.exceptions import ServiceException

from . import hooks
from .nodegroup_checks import Refusal
from .releases import image_id
from .state import Cluster, Facts, Nodegroup, State, uuid


def launch_template(state: State, wanted: Facts, refuse: Refusal) -> tuple[Any, Any]:
    """The client's launch template and the version it means, as moto has them."""
    identity, name = wanted.get("id"), wanted.get("name")
    if bool(identity) == bool(name):
        raise refuse.parameter("Either provide launch template ID or launch template name in the request.")
    ec2 = state.network.ec2
    try:
        template = ec2.get_launch_template(identity) if identity else ec2.get_launch_template_by_name(name)
        version = template.get_version(wanted.get("version") or "$Default")
    except (ServiceException, KeyError, ValueError) as error:
        raise refuse.parameter(f"Launch template {identity or name} or its version does not exist") from error
    return template, version


def launch(state: State, cluster: Cluster, group: Nodegroup, template_data: Facts) -> None:
    """Make the node group's own template, its Auto Scaling group and so its instances."""
    facts = group.facts
    suffix = uuid()
    group.instance_profile = f"eks-{suffix}"
    profile_arn = state.iam.create_instance_profile(group.instance_profile, facts["nodeRole"])
    data = {
        **template_data,
        "IamInstanceProfile": {"Name": group.instance_profile, "Arn": profile_arn},
        "InstanceType": template_data.get("InstanceType") or facts["instanceTypes"][0],
        "ImageId": template_data.get("ImageId") or image_id(facts["amiType"], facts["version"], state.region_name),
    }
    if not data.get("NetworkInterfaces") and not data.get("SecurityGroupIds"):
        data["SecurityGroupIds"] = [cluster.facts["resourcesVpcConfig"]["clusterSecurityGroupId"]]
    owner = {"eks:cluster-name": cluster.name, "eks:nodegroup-name": facts["nodegroupName"]}
    made = state.network.ec2.create_launch_template(f"eks-{suffix}", "", data, {"launch-template": owner})
    group.launch_template_id = str(made.id)
    scaling = facts["scalingConfig"]
    name = f"eks-{facts['nodegroupName']}-{suffix}"
    tags = {**owner, f"kubernetes.io/cluster/{cluster.name}": "owned", "k8s.io/cluster-autoscaler/enabled": "true"}
    tags[f"k8s.io/cluster-autoscaler/{cluster.name}"] = "owned"
    autoscaling(state).create_auto_scaling_group(
        name=name,
        availability_zones=[],
        desired_capacity=scaling["desiredSize"],
        max_size=scaling["maxSize"],
        min_size=scaling["minSize"],
        launch_config_name="",
        launch_template={"LaunchTemplateId": made.id, "Version": "1"},
        vpc_zone_identifier=",".join(facts["subnets"]),
        default_cooldown=None,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
        capacity_rebalance=facts["capacityType"] == "SPOT",
    )
    facts["resources"] = {"autoScalingGroups": [{"name": name}]}


def assign_prefixes(state: State, cluster: Cluster, group: Nodegroup) -> None:
    """What aws-node does when it starts on a node of an IPv6 cluster: one /80 on the primary interface."""
    for item in instances(state, group) if cluster.ipv6 and group.ready else []:
        interface = item.nics[0]
        if not interface.ipv6_prefix_list:
            interface.take_prefixes([], 1)


def scale(state: State, group: Nodegroup) -> None:
    """Bring the Auto Scaling group to the node group's sizes."""
    own = _auto_scaling_group(state, group)
    if own is not None:
        scaling = group.facts["scalingConfig"]
        own.min_size, own.max_size = scaling["minSize"], scaling["maxSize"]
        own.set_desired_capacity(scaling["desiredSize"])


def replace(state: State, group: Nodegroup, template_data: Facts) -> None:
    """New instances from a new version of the node group's template, in the place of the old ones."""
    own = _auto_scaling_group(state, group)
    if own is None:
        return
    facts = group.facts
    template = state.network.ec2.get_launch_template(group.launch_template_id)
    before = template.latest_version().data
    changed = {key: value for key, value in template_data.items() if key not in ("IamInstanceProfile",)}
    image = changed.get("ImageId") or before["ImageId"]
    if facts["amiType"] != "CUSTOM":
        image = image_id(facts["amiType"], facts["version"], state.region_name)
    template.create_version({**before, **changed, "ImageId": image}, "")
    own.launch_template_version = str(template.latest_version().number)
    own.provided_launch_template_version = own.launch_template_version
    own.set_desired_capacity(0)
    own.set_desired_capacity(facts["scalingConfig"]["desiredSize"])


def terminate(state: State, group: Nodegroup) -> None:
    """Take away what `launch` made."""
    for item in group.facts.get("resources", {}).get("autoScalingGroups", []):
        own = autoscaling(state).autoscaling_groups
        if item["name"] in own:
            own[item["name"]].min_size = 0
            autoscaling(state).delete_auto_scaling_group(item["name"])
    if group.launch_template_id in state.network.ec2.launch_templates:
        state.network.ec2.delete_launch_template(None, group.launch_template_id)
    state.iam.delete_instance_profile(group.instance_profile)


def instance_ids(state: State, group: Nodegroup) -> list[str]:
    return sorted(str(instance.id) for instance in instances(state, group))


def instances(state: State, group: Nodegroup) -> list[Any]:
    own = _auto_scaling_group(state, group)
    return [] if own is None else [item.instance for item in own.instance_states]


def tell_nodes(state: State, cluster: Cluster, group: Nodegroup) -> None:
    """The nodes are what they are now: their CNI takes its prefixes, and a Kubernetes API server hears of them."""
    assign_prefixes(state, cluster, group)
    if hooks.nodes_changed is not None:
        hooks.nodes_changed(
            state.account_id,
            state.region_name,
            {**cluster.facts, "status": state.cluster_status(cluster)},
            group.describe(),
            instance_ids(state, group),
            group.ready > 0,
        )


def autoscaling(state: State) -> Any:
    return autoscaling_backends[state.account_id][state.region_name]


def plain(data: Any) -> Facts:
    """A copy of template data without moto's own types, user data aside."""
    return {key: value if key == "UserData" else json.loads(json.dumps(value)) for key, value in data.items()}


def _auto_scaling_group(state: State, group: Nodegroup) -> Any | None:
    names = [item["name"] for item in group.facts.get("resources", {}).get("autoScalingGroups", [])]
    return autoscaling(state).autoscaling_groups.get(names[0]) if names else None
