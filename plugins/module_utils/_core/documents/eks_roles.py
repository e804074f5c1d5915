# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM roles of one cluster as one document: the cluster's own, its nodes', its Fargate pods'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..iam import instance_profile, role
from ..iam.instance_profile import InstanceProfile
from ..iam.ownership import Arn, Owner, arn_problems
from ..iam.policy_document import Trust
from ..iam.role import Role
from ..plan import Outcome, Plan, Problem, is_pending, refuse_if_any
from ..session import Session

CLUSTER_POLICY = "AmazonEKSClusterPolicy"
RESOURCE_CONTROLLER_POLICY = "AmazonEKSVPCResourceController"
NODE_POLICY = "AmazonEKSWorkerNodePolicy"
PULL_POLICY = "AmazonEC2ContainerRegistryPullOnly"
SESSION_MANAGER_POLICY = "AmazonSSMManagedInstanceCore"
FARGATE_POLICY = "AmazonEKSFargatePodExecutionRolePolicy"
IPV4_CNI_POLICY = "AmazonEKS_CNI_Policy"
# Each of these lets nodes pull images too, so a role that has one needs no PULL_POLICY besides.
PULLING = tuple(f"AmazonEC2ContainerRegistry{rights}" for rights in ("ReadOnly", "PowerUser", "FullAccess"))

USER_GUIDE = "EKS user guide"
DIFFERENT_ROLES = f"{USER_GUIDE}, Amazon EKS node IAM role"
CHINA = "EKS API, KubernetesNetworkConfigRequest.ipFamily"


@dataclass(frozen=True)
class Purpose:
    """What one of the roles is for."""

    option: str
    key: str
    description: str


PURPOSES = (
    Purpose("cluster_role", "cluster", "What the control plane of the EKS cluster {} may do"),
    Purpose("node_role", "node", "What the nodes of the EKS cluster {} may do"),
    Purpose("fargate_role", "fargate", "What starts pods of the EKS cluster {} on Fargate"),
)


@dataclass(frozen=True)
class Surroundings:
    """Where the roles live, and what was found there; a document can be drafted before anything was read."""

    partition: str
    region: str
    account_id: str = ""
    attached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """The roles as they shall be, by Purpose.key; only those that were asked for."""

    roles: Mapping[str, Role]
    profile: InstanceProfile | None
    pending: Mapping[str, str]
    ipv6: bool


@dataclass(frozen=True)
class Observed:
    """The roles as they are."""

    roles: Mapping[str, role.Observed | None]
    profile: instance_profile.Observed | None
    account_id: str
    cluster_exists: bool


def from_params(params: Mapping[str, Any], where: Surroundings) -> Document:
    """The document out of the module's parameters."""
    roles, pending, profile = {}, {}, None
    for purpose in PURPOSES:
        given = _given(params, purpose)
        if given is None:
            continue
        if is_pending(given["arn"]):
            pending[purpose.key] = given["arn"]
            continue
        desired = roles[purpose.key] = _role(purpose, given, params, where)
        if purpose.key == "node":
            profile = _profile(desired, given["instance_profile"])
    return Document(roles, profile, pending, params["ip_family"] == "ipv6")


def refuse(params: Mapping[str, Any], document: Document, where: Surroundings) -> list[Problem]:
    """What must not be done, seen without a call."""
    problems = []
    if document.ipv6 and where.partition == "aws-cn":
        message = f"EKS offers no IPv6 clusters in China ({where.region})."
        problems.append(Problem("ip_family", message, "", CHINA))
    for purpose in PURPOSES:
        desired = document.roles.get(purpose.key)
        if desired is None:
            continue
        problems += role.refuse(desired, where.partition)
        for policy in _extra(params, purpose):
            problems += _refuse_policy(desired.suboption("managed_policies"), policy, document.ipv6, where.partition)
    if document.profile is not None:
        problems += instance_profile.refuse(document.profile)
    return problems + _refuse_shared(document)


def observe(session: Session, document: Document, cluster_name: str) -> Observed:
    """All that is there, read at once; the cluster only where roles shall go, the account where a trust names it."""
    reads: dict[str, Callable[[], Any]] = {
        key: partial(role.observe, session, desired) for key, desired in document.roles.items()
    }
    if document.profile is not None:
        reads["profile"] = partial(instance_profile.observe, session, document.profile)
    if any(not desired.present for desired in document.roles.values()):
        reads["living"] = partial(session.find, "eks", "DescribeCluster", name=cluster_name)
    if "fargate" in document.roles:
        reads["account"] = lambda: session.account_id
    answers = session.together(**reads)
    return Observed(
        roles={key: answers[key] for key in document.roles},
        profile=answers.get("profile"),
        account_id=answers.get("account", ""),
        cluster_exists=answers.get("living") is not None,
    )


def refuse_observed(document: Document, observed: Observed, check_mode: bool) -> list[Problem]:
    """What must not be done to what is there."""
    problems = []
    for key, desired in document.roles.items():
        problems += role.refuse_observed(desired, observed.roles[key])
        if _goes(desired, observed.roles[key]) and observed.cluster_exists and not check_mode:
            message = f"the cluster {desired.owner.cluster!r} is there still, and may need the role {desired.name}."
            problems.append(Problem(desired.suboption("state"), message, "Remove the cluster first."))
    if document.profile is not None:
        problems += instance_profile.refuse_observed(document.profile, observed.profile)
    return problems


def plan(document: Document, observed: Observed) -> Plan:
    """The calls: roles before what holds them, and the other way round when they go."""
    making: list[Plan] = []
    leaving: list[Plan] = []
    removed = _removed_profiles(document, observed)
    for key, desired in document.roles.items():
        found = observed.roles[key]
        steps = Plan() if role.kept(desired, found, removed) else role.plan(desired, found)
        (making if desired.present else leaving).append(steps)
        if key == "node" and document.profile is not None:
            (making if desired.present else leaving).append(instance_profile.plan(document.profile, observed.profile))
    return Plan.of(*making, *reversed(leaving))


def facts(document: Document, observed: Observed) -> dict[str, Any]:
    """The roles as they will be, and what is left of those that shall go."""
    found: dict[str, Any] = {purpose.key: None for purpose in PURPOSES}
    for key, text in document.pending.items():
        found[key] = {"name": text, "arn": text}
        if key == "node":
            found[key]["instance_profile"] = {"name": text, "arn": text}
    for key, desired in document.roles.items():
        if desired.present:
            found[key] = role.facts(desired, observed.roles[key])
    if document.profile is not None and document.profile.present:
        found["node"]["instance_profile"] = instance_profile.facts(document.profile, observed.profile)
    return {"roles": found, "left": _left(document, observed)}


def warnings(document: Document, observed: Observed) -> list[str]:
    """What a person should know; that a cluster is there still matters in check mode, which does not refuse it."""
    texts = []
    for key, desired in document.roles.items():
        found = observed.roles[key]
        texts += role.warnings(desired, found)
        if document.ipv6 and desired.present and found and any(map(_is_ipv4_cni_policy, found.policies)):
            texts.append(
                f"{desired.option}: the role {found.name} has {IPV4_CNI_POLICY} attached, which does not let the CNI "
                "assign IPv6 addresses, and grants much that an IPv6 cluster does not need. Detach it once the CNI "
                "has a role of its own (iam_cni_role)."
            )
        if _goes(desired, found) and observed.cluster_exists:
            texts.append(f"The cluster {desired.owner.cluster!r} is there still; outside check mode it must go first.")
    return list(dict.fromkeys(texts))


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(iam_eks_roles)."""
    where = Surroundings(session.partition, session.region)
    draft = from_params(params, where)
    refuse_if_any(refuse(params, draft, where))
    observed = observe(session, draft, params["cluster_name"])
    attached = {key: found.policies for key, found in observed.roles.items() if found}
    document = from_params(params, replace(where, account_id=observed.account_id, attached=attached))
    refuse_if_any(refuse_observed(document, observed, session.host.check_mode))
    return Outcome(plan(document, observed), facts(document, observed), tuple(warnings(document, observed)))


def _given(params: Mapping[str, Any], purpose: Purpose) -> Mapping[str, Any] | None:
    """A role's own options; None for a role that is not managed."""
    given = params[purpose.option]
    if given is None and purpose.key == "fargate" and params["state"] == "present":
        return None
    nothing = {"name": None, "arn": None, "path": None, "permissions_boundary": None, "state": "present"}
    return {**nothing, "managed_policies": [], "instance_profile": None, "session_manager": False, **(given or {})}


def _role(purpose: Purpose, given: Mapping[str, Any], params: Mapping[str, Any], where: Surroundings) -> Role:
    cluster = params["cluster_name"]
    attached = where.attached.get(purpose.key, ())
    return Role(
        option=purpose.option,
        name=role.name_in(given["arn"]) if given["arn"] else given["name"] or f"{cluster}-{purpose.key}",
        owner=Owner(cluster, where.region),
        trust=_trust(purpose, cluster, where),
        description=purpose.description.format(cluster),
        arn=given["arn"],
        path=given["path"],
        permissions_boundary=given["permissions_boundary"],
        policies=_policies(purpose, given, params["security_groups_for_pods"], where.partition, attached),
        tags=params["tags"],
        purge_tags=params["purge_tags"],
        present=params["state"] == "present" and given["state"] == "present",
    )


def _profile(node: Role, name: str | None) -> InstanceProfile:
    return InstanceProfile(
        option="node_role.instance_profile",
        name=name,
        role_name=node.name,
        owner=node.owner,
        path=node.path,
        tags=node.tags,
        purge_tags=node.purge_tags,
        present=node.present,
    )


def _trust(purpose: Purpose, cluster: str, where: Surroundings) -> Trust:
    """Who assumes the role. Fargate's is bound to the profiles of this cluster, as the user guide has it."""
    if purpose.key == "cluster":
        return Trust("Service", "eks.amazonaws.com", ("sts:AssumeRole",))
    if purpose.key == "node":
        # China's EC2 has a name of its own; other partitions share one.
        host = "ec2.amazonaws.com.cn" if where.partition == "aws-cn" else "ec2.amazonaws.com"
        return Trust("Service", host, ("sts:AssumeRole",))
    profiles = f"arn:{where.partition}:eks:{where.region}:{where.account_id}:fargateprofile/{cluster}/*"
    return Trust(
        "Service",
        "eks-fargate-pods.amazonaws.com",
        ("sts:AssumeRole",),
        conditions={"ArnLike": {"aws:SourceArn": profiles}},
        context={"aws:SourceArn": profiles},
    )


def _policies(
    purpose: Purpose, given: Mapping[str, Any], pods_have_groups: bool, partition: str, attached: Iterable[str]
) -> tuple[str, ...]:
    """What is attached to a role: AWS's policies for its purpose, then what was given, each once."""
    extra = [_policy_arn(policy, partition) for policy in given["managed_policies"]]
    if purpose.key == "cluster":
        names = [CLUSTER_POLICY, *([RESOURCE_CONTROLLER_POLICY] if pods_have_groups else [])]
    elif purpose.key == "node":
        pulls = any(_aws_policy(policy) in PULLING for policy in [*extra, *attached])
        names = [NODE_POLICY, *([] if pulls else [PULL_POLICY])]
        names += [SESSION_MANAGER_POLICY] if given["session_manager"] else []
    else:
        names = [FARGATE_POLICY]
    return tuple(dict.fromkeys([*(_policy_arn(name, partition) for name in names), *extra]))


def _extra(params: Mapping[str, Any], purpose: Purpose) -> list[str]:
    given = _given(params, purpose)
    return list(given["managed_policies"]) if given else []


def _policy_arn(policy: str, partition: str) -> str:
    """A policy's ARN; a bare name is that of one of AWS's own."""
    if policy.startswith("arn:") or is_pending(policy):
        return policy
    return f"arn:{partition}:iam::aws:policy/{policy}"


def _aws_policy(arn: str) -> str:
    """The name of one of AWS's own policies; empty for any other."""
    parsed = Arn.parse(arn)
    return parsed.name if parsed and parsed.account == "aws" else ""


def _is_ipv4_cni_policy(arn: str) -> bool:
    return _aws_policy(arn) == IPV4_CNI_POLICY


def _refuse_policy(option: str, policy: str, ipv6: bool, partition: str) -> list[Problem]:
    if is_pending(policy):
        return []
    arn = _policy_arn(policy, partition)
    if ipv6 and _is_ipv4_cni_policy(arn):
        message = f"{IPV4_CNI_POLICY} is for IPv4 clusters: it does not let the CNI assign IPv6 addresses."
        return [Problem(option, message, "Leave it out, and give the CNI a role of its own with iam_cni_role.")]
    return arn_problems(option, arn, "policy", partition)


def _refuse_shared(document: Document) -> list[Problem]:
    """EKS refuses nodes whose role is the cluster's, and Fargate profiles whose role is the nodes'."""
    problems = []
    taken: dict[str, Role] = {}
    for desired in document.roles.values():
        other = taken.setdefault(desired.name.lower(), desired)
        if desired.present and other is not desired:
            message = f"the role {desired.name} is given as {other.option} too; each purpose needs a role of its own."
            problems.append(Problem(desired.option, message, "", DIFFERENT_ROLES))
    return problems


def _goes(desired: Role, found: role.Observed | None) -> bool:
    return not desired.present and found is not None and role.owned(desired, found)


def _removed_profiles(document: Document, observed: Observed) -> set[str]:
    desired, found = document.profile, observed.profile
    if desired is None or desired.present or found is None or instance_profile.kept(desired, found):
        return set()
    return {found.name}


def _left(document: Document, observed: Observed) -> list[dict[str, str]]:
    left = []
    removed = _removed_profiles(document, observed)
    for key, desired in document.roles.items():
        found = observed.roles[key]
        reason = role.kept(desired, found, removed)
        if found is not None and reason:
            left.append({"resource": desired.address, "arn": found.arn, "reason": reason})
    if document.profile is not None and observed.profile is not None:
        reason = instance_profile.kept(document.profile, observed.profile)
        if reason:
            address = instance_profile.address(observed.profile.name)
            left.append({"resource": address, "arn": observed.profile.arn, "reason": reason})
    return left
