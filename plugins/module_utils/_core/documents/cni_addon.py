# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An add-on, and before the VPC CNI changes in an IPv6 cluster: may it do what the new version calls?

A CNI that is denied a call of its does not start, its nodes become NotReady, and the update fails. So the policies of
the role that it will run with are read first, and held against what each version on the way calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .. import cni
from ..cni import Feature
from ..eks import addon, cluster_nodes
from ..eks.addon import Situation
from ..eks.addon_model import CNI, Addon, Observed
from ..eks.cluster_nodes import Nodes
from ..eks.shared import ClusterView
from ..iam import oidc_provider, permissions, policy_document, role
from ..iam.permissions import Permissions
from ..iam.policy_document import Need, Trust
from ..plan import Outcome, Problem, is_pending, refuse_now
from ..session import Session
from ..versions import AddonVersion
from . import cni_role

AGENT = "eks-pod-identity-agent"
AGENT_ACTION = "eks-auth:AssumeRoleForPodIdentity"
AGENT_SOURCE = "EKS user guide, Set up the Amazon EKS Pod Identity Agent"
GATE_SOURCE = "CNI docs/iam-policy.md; aws/amazon-vpc-cni-k8s issue 3704"
DOWNGRADE_SOURCE = "EKS user guide, IPv6 addresses for clusters, pods and services"


@dataclass(frozen=True)
class Bearer:
    """Whose permissions aws-node will have: C(identity) as iam_cni_role names it, and the option that says so."""

    identity: str
    arn: str
    option: str

    @property
    def name(self) -> str:
        """The role's name."""
        return role.name_in(self.arn) or self.arn


@dataclass(frozen=True)
class Run:
    """A version of the CNI that will run, with the features that its settings turn on."""

    version: AddonVersion
    features: frozenset[Feature]


@dataclass(frozen=True)
class Finding:
    """What was found out about a cluster's CNI: problems that stop it, and what a person should know."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_addon)."""
    if params["state"] == "absent":
        return addon.build_absent(params, session)
    found = addon.situation(params, session, partial(refuse_downgrade, session))
    finding = judge(session, found, params["cni_role_check"])
    problems = [replace(problem, elsewhere=True) for problem in (*_refuse_second(session, found), *finding.problems)]
    return addon.outcome(found, (*finding.warnings, *refuse_now(problems, session.host.check_mode)))


def refuse_downgrade(session: Session, desired: Addon, view: ClusterView, observed: Observed | None) -> list[Problem]:
    """A CNI that knows no IPv6, in an IPv6 cluster; the nodes that would lose their pods' network are counted."""
    if desired.name != CNI or not view.ipv6:
        return []
    problems = cni.version_problems("addon_version", desired.exact)
    if not problems or observed is None or not cni.below_floor(desired.exact or ""):
        return problems
    nodes = cluster_nodes.observe(session, desired.cluster_name)
    if not nodes.count:
        return problems
    text = (
        f"{desired.exact} is too old: an IPv6 cluster's CNI is {cni.FLOOR} or newer, and {nodes.count} nodes run with"
        f" {observed.version} ({nodes})."
    )
    remedy = "Their pods would lose their network; all nodes must go before the CNI may."
    return [Problem("addon_version", text, remedy, DOWNGRADE_SOURCE)]


def judge(session: Session, found: Situation, how: str) -> Finding:
    """What stands against the versions that will newly run; C(how) is policy, simulate or skip."""
    desired = found.desired
    versions = runs(found.runs)
    if desired.name != CNI or not found.view.ipv6 or not found.view.exists or how == "skip" or not versions:
        return Finding()
    bearer = _own_role(session, found)
    nodes = Nodes() if bearer and bearer.identity == "irsa" else cluster_nodes.observe(session, desired.cluster_name)
    if bearer is None:
        return _judge_nodes(session, found, versions, nodes, how)
    if is_pending(bearer.arn):
        return Finding()
    held = permissions.read(session, bearer.name)
    if held is None or held.arn != bearer.arn:
        return Finding(
            (Problem(bearer.option, f"there is no role {bearer.arn}.", "Make it first, with iam_cni_role."),)
        )
    parts = [
        _judge_calls(session, found, versions, bearer, held, how),
        _judge_trust(session, found, bearer, held),
    ]
    if bearer.identity == "pod_identity":
        parts += [_judge_version(versions, bearer), _judge_agent(session, desired, nodes)]
    return _together(parts)


def _refuse_second(session: Session, found: Situation) -> list[Problem]:
    """An association of aws-node beside the one that the add-on shall make: EKS takes one for a service account.

    In which namespace other add-ons live EKS does not tell, so that theirs are left to it.
    """
    desired, observed = found.desired, found.observed
    wanted = dict(desired.associations or ())
    if desired.name != CNI or cni_role.SERVICE_ACCOUNT not in wanted or not found.view.exists:
        return []
    if observed and dict(observed.associations).get(cni_role.SERVICE_ACCOUNT) == wanted[cni_role.SERVICE_ACCOUNT]:
        return []
    return [
        Problem(
            "pod_identity_associations",
            f"{cni_role.NAMESPACE}/{cni_role.SERVICE_ACCOUNT} has the association {item['associationId']} already.",
            "Remove it first, with eks_pod_identity_association; or keep it and leave this out, it serves as well.",
            "EKS API reference, CreatePodIdentityAssociation",
        )
        for item in _associations(session, desired.cluster_name)
        if item.get("ownerArn") != (observed.arn if observed else "")
    ]


def _associations(session: Session, cluster: str) -> list[Mapping[str, Any]]:
    """The Pod Identity associations of the service account aws-node: one at most."""
    key = {"namespace": cni_role.NAMESPACE, "serviceAccount": cni_role.SERVICE_ACCOUNT}
    listed = session.find("eks", "ListPodIdentityAssociations", clusterName=cluster, **key)
    return list((listed or {}).get("associations", ()))


def runs(found: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Run, ...]:
    """Versions with their configuration values as what will run; a version that is still pending is left out."""
    return tuple(
        Run(AddonVersion.parse(version), features(configuration))
        for version, configuration in found
        if not is_pending(version)
    )


def features(configuration: Mapping[str, Any]) -> frozenset[Feature]:
    """The features that an add-on's configuration values turn on."""
    given = configuration.get("env")
    return cni.features_of(given if isinstance(given, Mapping) else {})


def _own_role(session: Session, found: Situation) -> Bearer | None:
    """The role of the service account aws-node; None where it has the node's.

    The annotation comes first; credentials from it are used before those of Pod Identity (AWS SDKs, default chain).
    """
    aim, desired = found.aim, found.desired
    if aim.role_arn:
        return Bearer("irsa", aim.role_arn, "service_account_role_arn")
    own = dict(aim.associations).get(cni_role.SERVICE_ACCOUNT)
    if own:
        return Bearer("pod_identity", own, "pod_identity_associations")
    going = found.base.arn if found.base else ""
    others = [item for item in _associations(session, desired.cluster_name) if item.get("ownerArn") != going]
    if not others:
        return None
    answer = session.find(
        "eks",
        "DescribePodIdentityAssociation",
        clusterName=desired.cluster_name,
        associationId=others[0]["associationId"],
    )
    return Bearer("pod_identity", answer["association"]["roleArn"], "name") if answer else None


def _judge_nodes(session: Session, found: Situation, versions: Sequence[Run], nodes: Nodes, how: str) -> Finding:
    """Without a role of its own the CNI has the nodes' permissions."""
    if not nodes.roles:
        text = (
            "vpc-cni has no role of its own, so the role of every node must allow what it calls;"
            " eksops.ipv6.iam_cni_role makes one."
        )
        return Finding(warnings=(f"name: {text}",))
    parts = []
    for arn in nodes.roles:
        bearer = Bearer("node_role", arn, "name")
        held = permissions.read(session, bearer.name)
        if held is None:
            parts.append(Finding((Problem("name", f"there is no role {arn}, which nodes have.", "Make it again."),)))
        else:
            parts.append(_judge_calls(session, found, versions, bearer, held, how))
    return _together(parts)


def _judge_calls(
    session: Session, found: Situation, versions: Sequence[Run], bearer: Bearer, held: Permissions, how: str
) -> Finding:
    _arn, partition, _iam, _region, account, *_rest = bearer.arn.split(":")
    scope = cni.Scope(partition, session.region, account, found.view.vpc_id)
    lacking: dict[str, list[Need]] = {}
    conditional: dict[str, None] = {}
    for run in versions:
        calls = cni.required_actions(run.version, run.features)
        needs = cni.needs(calls, partition, session.region, account)
        if how == "simulate":
            refused = [need for need, _decision in permissions.simulate(session, bearer.arn, needs, scope.context)]
        else:
            verdict = permissions.judge(held, needs, scope.context)
            refused = [*verdict.missing, *verdict.denied]
            conditional |= dict.fromkeys(need.action for need in verdict.conditional if need not in refused)
        if refused:
            lacking[run.version.text] = refused
    warnings: list[str] = []
    if conditional:
        actions = ", ".join(sorted(conditional))
        warnings.append(f"{bearer.option}: the role {bearer.name} allows {actions} only under conditions.")
    if not lacking:
        return Finding((), tuple(warnings))
    needs = list(dict.fromkeys(need for refused in lacking.values() for need in refused))
    text = (
        f"{found.desired.name} {', '.join(lacking)} calls {_actions(needs)}, which the role {bearer.name} does not"
        " allow: aws-node would not start, and nodes would not become ready."
    )
    remedy = _remedy(task(found.desired.cluster_name, bearer, versions), held, needs, scope)
    return Finding((Problem(bearer.option, text, remedy, GATE_SOURCE),), tuple(warnings))


def _remedy(adding: str, held: Permissions, needs: Sequence[Need], scope: cni.Scope) -> str:
    """What lets a role do what it may not: no task adds what a statement denies, or what its boundary leaves out."""
    own = policy_document.judge(held.documents, needs, scope.context)
    bound = policy_document.judge([held.boundary] if held.boundary else [], needs, scope.context)
    texts = []
    if own.denied:
        texts.append(f"A policy of the role denies {_actions(own.denied)}: take that statement out.")
    outside = [need for need in needs if need in bound.missing or need in bound.denied]
    if held.boundary and outside:
        texts.append(f"Its permissions boundary {held.boundary_arn} does not allow {_actions(outside)}: mend that.")
    if own.missing or not texts:
        texts.append(f"Add it first: {adding}.")
    return " ".join(texts)


def _actions(needs: Iterable[Need]) -> str:
    return ", ".join(sorted({need.action for need in needs}))


def task(cluster: str, bearer: Bearer, versions: Sequence[Run]) -> str:
    """The task that lets a role do what these versions call, in one line.

    A move over several versions needs what all of them call, which is the policy without C(cni_version).
    """
    options = [f"cluster_name={cluster}", f"identity={bearer.identity}"]
    if bearer.identity == "node_role":
        options.append(f"node_role={bearer.name}")
    elif bearer.name != f"{cluster}-cni":
        options.append(f"arn={bearer.arn}")
    if len(versions) == 1:
        options.append(f"cni_version={versions[0].version.text}")
    wanted = {feature for run in versions for feature in run.features} & {*cni_role.OPTIONAL}
    options += [f"{feature.value}=true" for feature in sorted(wanted)]
    return f"eksops.ipv6.iam_cni_role with {' '.join(options)}"


def _judge_trust(session: Session, found: Situation, bearer: Bearer, held: Permissions) -> Finding:
    """Whether the service account can assume the role at all."""
    cluster = found.cluster or {}
    problems = []
    trust: Trust
    if bearer.identity == "irsa":
        url = cluster.get("identity", {}).get("oidc", {}).get("issuer", "")
        if not url:
            return Finding(warnings=(f"{bearer.option}: the cluster has no issuer yet to judge the role's trust by.",))
        if oidc_provider.observe(session, url) is None:
            message = f"IAM has no OIDC provider of the cluster's issuer {url}, so nobody can assume {bearer.name}."
            problems.append(Problem(bearer.option, message, "Make it first, with iam_oidc_provider."))
        trust = cni_role.web_identity_trust(oidc_provider.host_and_path(url), session)
    else:
        trust = cni_role.pod_identity_trust(found.desired.cluster_name, session)
    audit = policy_document.audit(held.trust, trust)
    if audit.missing or audit.denied:
        lacks = ", ".join(audit.missing or trust.actions)
        message = f"the trust policy of {bearer.name} does not let {trust.principal} do {lacks} for aws-node."
        remedy = f"Mend it first: {task(found.desired.cluster_name, bearer, ())}."
        problems.append(Problem(bearer.option, message, remedy, "EKS user guide, IAM roles for add-ons"))
    warnings = [f"{bearer.option}: only AWS can judge {key} in {bearer.name}'s trust." for key in audit.conditions]
    return Finding(tuple(problems), tuple(warnings))


def _judge_version(versions: Sequence[Run], bearer: Bearer) -> Finding:
    problems = [cni.feature_problems("addon_version", Feature.POD_IDENTITY, run.version) for run in versions]
    found = [problem for part in problems for problem in part]
    remedy = f"The service account aws-node has {bearer.name} through Pod Identity."
    return Finding(tuple(Problem(item.option, item.message, remedy, item.source) for item in found[:1]))


def _judge_agent(session: Session, desired: Addon, nodes: Nodes) -> Finding:
    """Nothing hands out a Pod Identity role without the agent, or to nodes that may not ask for it."""
    agent = session.find("eks", "DescribeAddon", clusterName=desired.cluster_name, addonName=AGENT)
    problems, warnings = [], []
    if agent is None:
        message = f"aws-node has its role through Pod Identity, and the add-on {AGENT} is not installed."
        problem = Problem("name", message, "Install it first, with eks_addon.", AGENT_SOURCE)
        if nodes.count:
            problems.append(problem)
        else:
            warnings.append(str(problem))
    for arn in nodes.roles:
        held = permissions.read(session, role.name_in(arn))
        verdict = permissions.judge(held, [Need(AGENT_ACTION)]) if held else None
        if verdict is None or verdict.missing or verdict.denied:
            message = f"the nodes' role {role.name_in(arn)} does not allow {AGENT_ACTION}."
            problems.append(Problem("name", message, "Attach AmazonEKSWorkerNodePolicy to it.", AGENT_SOURCE))
    return Finding(tuple(problems), tuple(warnings))


def _together(parts: Iterable[Finding]) -> Finding:
    found = tuple(parts)
    return Finding(
        tuple(dict.fromkeys(problem for part in found for problem in part.problems)),
        tuple(dict.fromkeys(text for part in found for text in part.warnings)),
    )
