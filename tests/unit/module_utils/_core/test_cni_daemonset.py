# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DaemonSet aws-node: stock manifests of old and new versions are recognised, patched, and then in order."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.eksops.ipv6.plugins.module_utils._core import cni_daemonset
from ansible_collections.eksops.ipv6.plugins.module_utils._core.cni_daemonset import Wish
from eksops_emulator.kubernetes import cni
from eksops_emulator.kubernetes.cni_rules import configuration_problem

VERSIONS = [
    "v1.10.4",
    "v1.12.6",
    "v1.14.1",
    "v1.16.4",
    "v1.19.6-eksbuild.7",
    "v1.21.2",
    "v1.22.4",
    "v1.23.1-eksbuild.1",
]


def stock(version: str, flavour: str = "ipv4", **more: Any) -> dict[str, Any]:
    """The DaemonSet as AWS publishes it, rolled out on three nodes."""
    found: dict[str, Any] = cni.aws_node(version, flavour, **more)[-1]
    status = {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 3}
    return {**found, "metadata": {**found["metadata"], "generation": 1}, "status": status}


def merged(daemonset: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A strategic merge of lists by name, as Kubernetes does it."""

    def merge(old: Any, new: Any) -> Any:
        if isinstance(old, dict) and isinstance(new, dict):
            return {
                key: merge(old[key], new[key]) if key in old and key in new else new.get(key, old.get(key))
                for key in {**old, **new}
            }
        if isinstance(new, list) and new and isinstance(new[0], dict):
            named = {item["name"]: item for item in old or []}
            for item in new:
                named[item["name"]] = merge(named.get(item["name"], {}), item)
            return list(named.values())
        return new

    result: dict[str, Any] = merge(daemonset, patch)
    return result


def pod(daemonset: dict[str, Any], **status: Any) -> dict[str, Any]:
    running = {"name": "aws-node", "ready": True, "state": {"running": {"startedAt": "2026-01-01T10:00:00Z"}}}
    return {
        "metadata": {"name": "aws-node-1", "labels": {"k8s-app": "aws-node"}},
        "spec": {**daemonset["spec"]["template"]["spec"], "nodeName": "i-1"},
        "status": {"containerStatuses": [{**running, **status}]},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stock_manifest_is_recognised_patched_and_then_in_order(version: str) -> None:
    before = stock(version)
    told = {problem.option for problem in cni_daemonset.problems(before)}
    family = {"aws-node.ENABLE_IPv6", "aws-node.ENABLE_IPv4", "aws-node.ENABLE_PREFIX_DELEGATION"}
    agent = {"aws-eks-nodeagent"} if cni.parse(version) >= (1, 14, 0) else set()
    assert told == family | {"aws-vpc-cni-init.ENABLE_IPv6"} | agent
    after = merged(before, cni_daemonset.patch(before, Wish()))
    assert cni_daemonset.problems(after) == []
    assert cni_daemonset.findings(after, [pod(after)], [], Wish(version=version)) == []
    env = cni_daemonset.environment(after)["aws-node"]
    assert configuration_problem(cni.parse(version), env) is None
    assert merged(after, cni_daemonset.patch(after, Wish())) == after
    assert cni_daemonset.containers(after).keys() == cni_daemonset.containers(before).keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_eks_installs_in_an_ipv6_cluster_is_in_order_already(version: str) -> None:
    found = stock(version, "ipv6")
    assert cni_daemonset.problems(found) == []
    assert merged(found, cni_daemonset.patch(found, Wish())) == found


def test_settings_reach_their_containers_and_are_read_back() -> None:
    wish = Wish(
        env={"WARM_ENI_TARGET": "2"},
        init_env={"DISABLE_TCP_EARLY_DEMUX": "true"},
        network_policy=True,
        version="1.21.2",
    )
    before = stock("v1.21.2-eksbuild.2")
    told = cni_daemonset.findings(before, [], [], wish)
    assert "aws-node.WARM_ENI_TARGET is '1', '2' was asked for." in told
    assert "aws-vpc-cni-init.DISABLE_TCP_EARLY_DEMUX is 'false', 'true' was asked for." in told
    assert "aws-eks-nodeagent lacks --enable-network-policy=true." in told
    after = merged(before, cni_daemonset.patch(before, wish))
    assert cni_daemonset.findings(after, [], [], wish) == []
    assert "--enable-network-policy=true" in cni_daemonset.containers(after)["aws-eks-nodeagent"]["args"]


def test_case_matters() -> None:
    found = stock("v1.21.2", env={"ENABLE_IPV6": "true"})
    assert "aws-node.ENABLE_IPv6" in {problem.option for problem in cni_daemonset.problems(found)}
    assert [problem.option for problem in cni_daemonset.refusals(found, Wish(env={"ENABLE_IPV6": "true"}))] == [
        "env.ENABLE_IPV6"
    ]


def test_a_warm_target_stays_above_zero() -> None:
    before = stock("v1.21.2", env={"WARM_PREFIX_TARGET": "0"})
    after = merged(before, cni_daemonset.patch(before, Wish()))
    assert cni_daemonset.environment(after)["aws-node"]["WARM_PREFIX_TARGET"] == "1"
    kept = merged(before, cni_daemonset.patch(before, Wish(env={"WARM_IP_TARGET": "5"})))
    assert cni_daemonset.environment(kept)["aws-node"]["WARM_PREFIX_TARGET"] == "0"
    assert cni_daemonset.problems(kept) == []


@pytest.mark.parametrize(
    ("daemonset", "wish", "eni_configs", "option"),
    [
        (stock("v1.9.3"), Wish(), (), "aws-node"),
        (stock("v1.21.2", env={"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}), Wish(), (), "aws-node.AWS_VPC"),
        (stock("v1.21.2"), Wish(), ("eu-west-1a",), "eniconfigs"),
        (stock("v1.15.1"), Wish(env={"ENABLE_POD_ENI": "true"}), (), "env.ENABLE_POD_ENI"),
        (stock("v1.21.2"), Wish(env={"AWS_VPC_ENI_MTU": "1000"}), (), "env.AWS_VPC_ENI_MTU"),
        (stock("v1.21.2"), Wish(env={"WARM_PREFIX_TARGET": "0"}), (), "env.WARM_PREFIX_TARGET"),
        (stock("v1.21.2", env={"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "True"}), Wish(), (), "aws-node.AWS_VPC"),
        (stock("v1.13.4"), Wish(network_policy=True), (), "network_policy"),
        (stock("v1.21.2"), Wish(init_env={"ENABLE_V6_EGRESS": "true"}), (), "init_env.ENABLE_V6_EGRESS"),
        (stock("v1.21.2"), Wish(init_env={"ENABLE_IPV6": "true"}), (), "init_env.ENABLE_IPV6"),
    ],
)
def test_what_cannot_be_is_refused(daemonset: dict[str, Any], wish: Wish, eni_configs: Any, option: str) -> None:
    problems = cni_daemonset.refusals(daemonset, wish, eni_configs)
    assert len(problems) == 1 and problems[0].option.startswith(option)


def test_an_old_agent_beside_a_new_cni_is_refused() -> None:
    """CNI release notes of v1.23.0: their gRPC moved to a unix socket."""
    found = stock("v1.23.1")
    agent = cni_daemonset.containers(found)["aws-eks-nodeagent"]
    agent["image"] = agent["image"].replace("v1.4.1", "v1.3.5")  # type: ignore[index]
    assert "needs the network policy agent 1.4.1" in str(cni_daemonset.refusals(found, Wish())[0])


def test_a_rollout_under_way_is_no_rollout_done() -> None:
    found = stock("v1.21.2", "ipv6")
    assert cni_daemonset.rolled_out(found)
    found["status"]["updatedNumberScheduled"] = 1
    assert cni_daemonset.findings(found, [], [], Wish()) == ["rollout: 1 of 3 pods have the newest template."]
    found["metadata"]["generation"] = 2
    assert not cni_daemonset.rolled_out(found)


def test_crashes_old_images_and_denials_are_told() -> None:
    found = stock("v1.22.4", "ipv6")
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    crashed = pod(found, ready=False, state=waiting)
    event = {
        "reason": "MissingIAMPermissions",
        "involvedObject": {"kind": "Pod", "name": "aws-node-1"},
        "message": "ec2:DescribeSubnets",
        "lastTimestamp": "2026-01-01T09:00:00Z",
    }
    other = {**event, "involvedObject": {"kind": "Pod", "name": "gone"}}
    assert cni_daemonset.findings(found, [crashed], [event, other], Wish()) == [
        "aws-node-1 on i-1: aws-node is in CrashLoopBackOff: back-off",
        "aws-node-1: MissingIAMPermissions: ec2:DescribeSubnets",
    ]
    assert cni_daemonset.findings(found, [pod(found)], [event], Wish()) == []
    later = {**event, "lastTimestamp": "2026-01-01T11:00:00Z"}
    assert len(cni_daemonset.findings(found, [pod(found)], [later], Wish())) == 1
    assert "and not" in cni_daemonset.findings(found, [pod(stock("v1.21.2", "ipv6"))], [], Wish())[0]


@pytest.mark.parametrize("container", ["aws-vpc-cni-init", "aws-node", "aws-eks-nodeagent"])
def test_a_pod_with_another_image_of_any_container_is_told(container: str) -> None:
    found, stale = stock("v1.23.1", "ipv6"), pod(stock("v1.23.1", "ipv6"))
    cni_daemonset.containers({"spec": {"template": stale}})[container]["image"] = "old"  # type: ignore[index]
    (told,) = cni_daemonset.findings(found, [stale], [], Wish())
    assert told.startswith(f"aws-node-1 on i-1: {container} runs old, and not ")


def test_pods_on_their_way_out_are_not_looked_at() -> None:
    found, waiting = stock("v1.22.4", "ipv6"), {"waiting": {"reason": "CrashLoopBackOff"}}
    going = pod(stock("v1.21.2", "ipv6"), ready=False, state=waiting)
    event = {"reason": "MissingIAMPermissions", "involvedObject": {"kind": "Pod", "name": "aws-node-1"}}
    assert len(cni_daemonset.findings(found, [going], [event], Wish())) >= 3
    going["metadata"]["deletionTimestamp"] = "2026-01-01T10:00:00Z"
    assert cni_daemonset.findings(found, [going], [event], Wish()) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"env": {"ENABLE_IPv6": "false"}}, "aws-node.ENABLE_IPv6: is 'false'"),
        ({"env": {"ENABLE_IPv4": "true"}}, "aws-node.ENABLE_IPv4: is 'true'"),
        ({"env": {"ENABLE_PREFIX_DELEGATION": "false"}}, "aws-node.ENABLE_PREFIX_DELEGATION: is 'false'"),
        ({"init_env": {"ENABLE_IPv6": "false"}}, "aws-vpc-cni-init.ENABLE_IPv6: is 'false'"),
        ({"env": {"DISABLE_POD_V6": "true"}}, "it takes IPv6 away from the pods"),
        ({"env": {"POD_MTU": "900"}}, "must be 1280 to 9001"),
        ({"image": {"aws-node": "v1.20.0"}}, "aws-node is at v1.20.0, 1.22.4 was asked for."),
        ({"image": {"aws-vpc-cni-init": "v1.20.0"}}, "aws-vpc-cni-init is at v1.20.0, 1.22.4 was asked for."),
        ({"args": []}, "aws-eks-nodeagent: lacks --enable-ipv6=true"),
        ({"status": {"updatedNumberScheduled": 2}}, "rollout: 2 of 3 pods have the newest template."),
        ({"status": {"numberReady": 0}}, "rollout: 0 of 3 pods are ready."),
        ({"status": {"observedGeneration": 0}}, "rollout: the newest template has not been taken up yet."),
    ],
)
def test_each_thing_that_is_broken_is_told(broken: dict[str, Any], said: str) -> None:
    found = stock("v1.22.4", "ipv6")
    assert cni_daemonset.findings(found, [], [], Wish(version="1.22.4")) == []
    held: dict[str, Any] = cni_daemonset.containers(found)  # type: ignore[assignment]
    for container, option in (("aws-node", "env"), ("aws-vpc-cni-init", "init_env")):
        values = broken.get(option, {})
        kept = [item for item in held[container]["env"] if item["name"] not in values]
        held[container]["env"] = [*kept, *({"name": name, "value": value} for name, value in values.items())]
    for container, version in broken.get("image", {}).items():
        held[container]["image"] = f"{held[container]['image'].rpartition(':')[0]}:{version}"
    if "args" in broken:
        held["aws-eks-nodeagent"]["args"] = broken["args"]
    found["status"] |= broken.get("status", {})
    told = cni_daemonset.findings(found, [], [], Wish(version="1.22.4"))
    assert any(said in text for text in told), told


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.21.2-eksbuild.2", "v1.21.2-eksbuild.2"),
        ("registry.example:5000/amazon-k8s-cni:v1.21.2@sha256:0", "v1.21.2"),
        ("registry.example:5000/amazon-k8s-cni", ""),
    ],
)
def test_versions_are_read_off_images(image: str, tag: str) -> None:
    found = {"spec": {"template": {"spec": {"containers": [{"name": "aws-node", "image": image}]}}}}
    assert cni_daemonset.tag(found, "aws-node") == tag
