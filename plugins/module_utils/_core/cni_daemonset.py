# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DaemonSet aws-node: what an IPv6 cluster needs of it, the patch that gives it, and whether it runs so (pure).

Everything takes objects as Kubernetes' API answers them. The rules themselves are cni.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import cni
from .plan import Problem
from .versions import AddonVersion

Item = Mapping[str, Any]

POLICY_ARGUMENT = "--enable-network-policy="
FAMILY_ARGUMENT = "--enable-ipv6="
EVENT = "MissingIAMPermissions"
CUSTOM_NETWORKING = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"
_CONTAINERS = ("initContainers", "containers")
WARM_TARGETS = ("WARM_PREFIX_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET")


@dataclass(frozen=True)
class Wish:
    """What is asked for. C(env) and C(init_env) are variables of aws-node and aws-vpc-cni-init beside the family's.

    C(version) is the CNI's, with or without an eksbuild; None is any. C(network_policy=None) leaves that as it is.
    """

    version: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    init_env: Mapping[str, str] = field(default_factory=dict)
    network_policy: bool | None = None


def containers(daemonset: Item) -> dict[str, Item]:
    """All containers of the pod template by name, those that run first among them."""
    spec = daemonset["spec"]["template"]["spec"]
    return {item["name"]: item for key in _CONTAINERS for item in spec.get(key) or ()}


def environment(daemonset: Item) -> dict[str, dict[str, str]]:
    """Variables with a value, by container."""
    return {
        name: {item["name"]: str(item["value"]) for item in container.get("env") or () if "value" in item}
        for name, container in containers(daemonset).items()
    }


def tag(daemonset: Item, container: str) -> str:
    """The tag of a container's image; empty where it has none, or a digest alone."""
    image = str(containers(daemonset).get(container, {}).get("image", "")).partition("@")[0]
    _repository, colon, found = image.rpartition(":")
    return found if colon and "/" not in found else ""


def version(daemonset: Item) -> AddonVersion | None:
    """The CNI's version by its image; None where the tag is none."""
    return _parsed(tag(daemonset, cni.NODE_CONTAINER))


def refusals(daemonset: Item, wish: Wish, eni_configs: Sequence[str] = ()) -> list[Problem]:
    """What stands against setting up this DaemonSet for IPv6."""
    found = environment(daemonset)
    problems = []
    if cni.NODE_CONTAINER not in found:
        return [Problem("aws-node", "the DaemonSet has no container aws-node.", "Install the VPC CNI first.")]
    running = version(daemonset)
    if running is not None and cni.below_floor(running.text):
        message = f"{running} is too old: an IPv6 cluster's CNI is {cni.FLOOR} or newer."
        problems.append(Problem(cni.NODE_CONTAINER, message, "Install a newer one.", cni.FLOOR_SOURCE))
    if cni.truth(found[cni.NODE_CONTAINER].get(CUSTOM_NETWORKING)):
        message = "custom networking is on, which IPv6 clusters do not have."
        problems.append(Problem(f"{cni.NODE_CONTAINER}.{CUSTOM_NETWORKING}", message, "Turn it off first."))
    if eni_configs:
        message = f"there are ENIConfigs ({', '.join(sorted(eni_configs))}), which IPv6 clusters do not have."
        problems.append(Problem("eniconfigs.crd.k8s.amazonaws.com", message, "Delete them first."))
    problems += cni.setting_problems("env", wish.env, running, managed=False)
    problems += cni.init_problems("init_env", wish.init_env, managed=False)
    if wish.network_policy and cni.AGENT_CONTAINER not in found:
        floor, source = cni.FLOORS[cni.Feature.NETWORK_POLICY]
        message = f"the DaemonSet has no container {cni.AGENT_CONTAINER}, which comes with the CNI {floor} and newer."
        problems.append(Problem("network_policy", message, "Install a manifest that has it.", source))
    return problems + _agent_problems(daemonset)


def patch(daemonset: Item, wish: Wish) -> dict[str, Any]:
    """A strategic merge patch: containers and variables are merged by name, so that nothing else changes.

    The agent's arguments are a list without names and go whole.
    """
    found = environment(daemonset)
    asked = {
        cni.NODE_CONTAINER: {**_warm(found.get(cni.NODE_CONTAINER, {}), wish.env), **wish.env},
        cni.INIT_CONTAINER: dict(wish.init_env),
    }
    parts = {
        name: {"name": name, "env": _variables({**asked[name], **cni.ENVIRONMENT[name]})}
        for name in asked
        if name in found
    }
    main = [parts[cni.NODE_CONTAINER]] if cni.NODE_CONTAINER in parts else []
    agent = containers(daemonset).get(cni.AGENT_CONTAINER)
    if agent is not None:
        main.append({"name": cni.AGENT_CONTAINER, "args": _arguments(agent, wish)})
    spec: dict[str, Any] = {"containers": main}
    if cni.INIT_CONTAINER in parts:
        spec["initContainers"] = [parts[cni.INIT_CONTAINER]]
    metadata = {key: daemonset["metadata"][key] for key in ("name", "namespace")}
    kind = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata}
    return {**kind, "spec": {"template": {"spec": spec}}}


def problems(daemonset: Item) -> list[Problem]:
    """What keeps a DaemonSet from serving an IPv6 cluster; none in one that does."""
    found = cni.environment_problems(environment(daemonset))
    agent = containers(daemonset).get(cni.AGENT_CONTAINER)
    if agent is not None and cni.AGENT_ARGUMENT not in (agent.get("args") or ()):
        message = f"lacks {cni.AGENT_ARGUMENT}, without which network policies do not hold for IPv6 pods."
        found.append(Problem(cni.AGENT_CONTAINER, message, "", "CNI README, network policy agent"))
    return list(dict.fromkeys([*found, *refusals(daemonset, Wish())]))


def rolled_out(daemonset: Item) -> bool:
    """Whether every node that shall have a pod has a ready one of the newest template."""
    return not list(_rollout(daemonset))


def findings(daemonset: Item, pods: Sequence[Item], events: Sequence[Item], wish: Wish) -> list[str]:
    """In what way that which runs is not what was asked for; empty when it is."""
    texts = [str(problem) for problem in problems(daemonset)]
    texts += _unlike(daemonset, wish)
    texts += _rollout(daemonset)
    own = [pod for pod in pods if _owned(pod, daemonset) and not pod["metadata"].get("deletionTimestamp")]
    for pod in own:
        texts += _pod_findings(pod, daemonset)
    texts += _denials(own, events)
    return list(dict.fromkeys(texts))


def _variables(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": values[name]} for name in sorted(values)]


def _warm(found: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """IPv6 ignores the targets, but aws-node ends at its start when all are zero: one is kept above."""
    values = {name: {**found, **given}.get(name, "0") for name in WARM_TARGETS}
    return {} if any(value.isdigit() and int(value) > 0 for value in values.values()) else {"WARM_PREFIX_TARGET": "1"}


def _arguments(agent: Item, wish: Wish) -> list[str]:
    wanted = {FAMILY_ARGUMENT: cni.AGENT_ARGUMENT}
    if wish.network_policy is not None:
        wanted[POLICY_ARGUMENT] = f"{POLICY_ARGUMENT}{str(wish.network_policy).lower()}"
    given = [str(argument) for argument in agent.get("args") or ()]
    replaced = [
        next((new for prefix, new in wanted.items() if argument.startswith(prefix)), argument) for argument in given
    ]
    return replaced + [new for new in wanted.values() if new not in replaced]


def _agent_problems(daemonset: Item) -> list[Problem]:
    since, floor, source = cni.AGENT_FLOOR
    running, agent = version(daemonset), _parsed(tag(daemonset, cni.AGENT_CONTAINER))
    if running is None or agent is None or running.numbers < AddonVersion.parse(since).numbers:
        return []
    if agent.numbers >= AddonVersion.parse(floor).numbers:
        return []
    message = f"the CNI {running} needs the network policy agent {floor} or newer, not {agent}."
    return [Problem(cni.AGENT_CONTAINER, message, "Take the agent that came with the CNI.", source)]


def _unlike(daemonset: Item, wish: Wish) -> Iterator[str]:
    if wish.version is not None:
        for container in (cni.NODE_CONTAINER, cni.INIT_CONTAINER):
            actual = tag(daemonset, container)
            if not _same_version(actual, wish.version):
                yield f"{container} is at {actual or 'no version'}, {wish.version} was asked for."
    found = environment(daemonset)
    for container, asked in ((cni.NODE_CONTAINER, wish.env), (cni.INIT_CONTAINER, wish.init_env)):
        for name, value in asked.items():
            held = found.get(container, {}).get(name)
            if held != value:
                yield f"{container}.{name} is {held!r}, {value!r} was asked for."
    agent = containers(daemonset).get(cni.AGENT_CONTAINER)
    if agent is not None and wish.network_policy is not None:
        wanted = f"{POLICY_ARGUMENT}{str(wish.network_policy).lower()}"
        if wanted not in (agent.get("args") or ()):
            yield f"{cni.AGENT_CONTAINER} lacks {wanted}."


def _same_version(actual: str, asked: str) -> bool:
    """Whether an image is of a version; one asked for without a build is any build of it."""
    if "-" in asked:
        return actual.removeprefix("v") == asked.removeprefix("v")
    return actual.removeprefix("v").partition("-")[0] == asked.removeprefix("v")


def _rollout(daemonset: Item) -> Iterator[str]:
    status = daemonset.get("status") or {}
    if status.get("observedGeneration", 0) < daemonset["metadata"].get("generation", 0):
        yield "rollout: the newest template has not been taken up yet."
        return
    wanted = status.get("desiredNumberScheduled", 0)
    for name, text in (("updatedNumberScheduled", "have the newest template"), ("numberReady", "are ready")):
        if status.get(name, 0) < wanted:
            yield f"rollout: {status.get(name, 0)} of {wanted} pods {text}."


def _owned(pod: Item, daemonset: Item) -> bool:
    labels = pod["metadata"].get("labels") or {}
    wanted = daemonset["spec"].get("selector", {}).get("matchLabels", {})
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _statuses(pod: Item) -> list[Item]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _pod_findings(pod: Item, daemonset: Item) -> Iterator[str]:
    name, node = pod["metadata"]["name"], pod["spec"].get("nodeName", "no node")
    for status in _statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in ("ContainerCreating", "PodInitializing"):
            message = f": {waiting['message']}" if waiting.get("message") else ""
            yield f"{name} on {node}: {status['name']} is in {waiting['reason']}{message}"
    runs = {item["name"]: item.get("image") for key in _CONTAINERS for item in pod["spec"].get(key) or ()}
    for container, wanted in containers(daemonset).items():
        if runs.get(container) != wanted.get("image"):
            yield f"{name} on {node}: {container} runs {runs.get(container)}, and not {wanted.get('image')}."


def _denials(pods: Sequence[Item], events: Sequence[Item]) -> Iterator[str]:
    """Events say what IAM denied; one from before a container's present start is past."""
    started = {pod["metadata"]["name"]: _started(pod) for pod in pods}
    for event in events:
        about = (event.get("involvedObject") or event.get("regarding") or {}).get("name")
        if event.get("reason") != EVENT or about not in started:
            continue
        when = str(event.get("lastTimestamp") or event.get("eventTime") or "")
        since = started[about]
        if not since or not when or when >= since:
            yield f"{about}: {EVENT}: {event.get('message') or event.get('note') or ''}"


def _started(pod: Item) -> str:
    """When aws-node started in a pod that is ready; empty where it is not."""
    for status in _statuses(pod):
        if status["name"] == cni.NODE_CONTAINER and status.get("ready"):
            return str(((status.get("state") or {}).get("running") or {}).get("startedAt") or "")
    return ""


def _parsed(text: str) -> AddonVersion | None:
    try:
        return AddonVersion.parse(text)
    except ValueError:
        return None
