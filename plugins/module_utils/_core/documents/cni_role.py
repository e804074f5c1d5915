# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lets a cluster's CNI call EC2, as one document: the IPv6 policy, and the role that it is attached to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .. import cni
from ..cni import Feature
from ..iam import managed_policy, oidc_provider, policy_document, role
from ..iam.managed_policy import ManagedPolicy
from ..iam.ownership import Arn, Owner, arn_problems, name_problems
from ..iam.policy_document import Need, Trust
from ..iam.role import Role
from ..plan import PENDING, Outcome, Plan, Problem, Refused, Step, is_pending, refuse_if_any
from ..session import Session
from ..versions import AddonVersion

NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "aws-node"
SUBJECT = f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"
POD_IDENTITY_SERVICE = "pods.eks.amazonaws.com"
IPV4_POLICY = "AmazonEKS_CNI_Policy"
HAND_MADE_POLICY = "AmazonEKS_CNI_IPv6_Policy"
MOVE_SOURCE = "EKS user guide, Configure Amazon VPC CNI plugin to use IRSA"
OPTIONAL = (Feature.MULTI_NIC, Feature.EXCLUDED_SUBNETS, Feature.SECURITY_GROUPS_FOR_PODS)


FormerRole = role.Observed


@dataclass(frozen=True)
class Document:
    """The policy and the role as they shall be."""

    policy: ManagedPolicy
    role: Role
    identity: str
    calls: tuple[cni.Call, ...]
    present: bool
    former: tuple[Role, ...] = ()  # roles that lose the CNI's policies


@dataclass(frozen=True)
class Observed:
    """The policy and the role as they are."""

    policy: managed_policy.Observed | None
    role: role.Observed | None
    cluster_exists: bool
    former: tuple[FormerRole | None, ...] = ()
    moved: str = ""  # why the CNI does not run with the role yet; empty when it does

    @property
    def shared(self) -> bool:
        """Whether others use the policy too."""
        if self.policy is None:
            return False
        own = self.role is not None and self.policy.arn in self.role.policies
        return self.policy.attachments > int(own)


def from_params(params: Mapping[str, Any], session: Session, trust: Trust | None) -> Document:
    """The document out of the module's parameters; the policy's ARN is not known yet."""
    owner = Owner(params["cluster_name"], session.region)
    calls = cni.required_actions(_version(params), _features(params))
    return Document(
        policy=_policy(params, owner, calls, session),
        role=_node_role(params, owner) if params["identity"] == "node_role" else _cni_role(params, owner, trust),
        identity=params["identity"],
        calls=calls,
        present=params["state"] == "present",
        former=tuple(_node_role({"node_role": given}, owner, "detach_from") for given in params["detach_from"] or ()),
    )


def refuse(params: Mapping[str, Any], document: Document, partition: str) -> list[Problem]:
    """What must not be done, seen without a call."""
    problems = cni.version_problems("cni_version", params["cni_version"])
    if not problems:
        version = _version(params)
        wanted = [feature for feature in OPTIONAL if params[feature.value]]
        for feature in wanted:
            problems += cni.feature_problems(feature.value, feature, version)
        if params["identity"] == "pod_identity":
            problems += cni.feature_problems("identity", Feature.POD_IDENTITY, version)
    problems += managed_policy.refuse(document.policy)
    if params["vpc_id"] and not is_pending(params["vpc_id"]) and not params["vpc_id"].startswith("vpc-"):
        problems.append(Problem("vpc_id", f"{params['vpc_id']!r} is no id of a VPC."))
    for item in document.former:
        problems += _refuse_node_role(item.arn or item.name, partition, "detach_from")
    if document.former and document.identity == "node_role":
        problems.append(Problem("detach_from", "the CNI has no role of its own, and needs the nodes'."))
    if document.identity == "node_role":
        return problems + _refuse_node_role(params["node_role"], partition)
    problems += role.refuse(document.role, partition)
    if document.identity == "irsa":
        problems += _refuse_issuer(params["oidc_issuer"], params["oidc_provider_arn"], partition)
    return list(dict.fromkeys(problems))


def observe(session: Session, document: Document) -> Observed:
    """All that is there, read side by side."""
    reads: dict[str, Any] = {
        "policy": lambda: managed_policy.observe(session, document.policy),
        "role": lambda: role.observe(session, document.role),
    }
    for item in document.former:
        reads[item.address] = partial(role.observe, session, item)
    if not document.present:
        reads["living"] = lambda: session.find("eks", "DescribeCluster", name=document.role.owner.cluster)
    answers = session.together(**reads)
    found = answers["role"]
    moved = ""
    if document.former:
        moved = _not_moved(session, document, found) if found else f"there is no role {document.role.name} yet."
    former = tuple(answers[item.address] for item in document.former)
    return Observed(answers["policy"], found, answers.get("living") is not None, former, moved)


def refuse_observed(document: Document, observed: Observed, check_mode: bool) -> list[Problem]:
    """What must not be done to what is there."""
    problems = managed_policy.refuse_observed(document.policy, observed.policy)
    if document.identity != "node_role":
        problems += role.refuse_observed(document.role, observed.role)
    else:
        problems += _refuse_observed_node_role(document, observed, check_mode)
    if observed.moved and not check_mode and _detaching(document, observed):
        problems.append(Problem("detach_from", observed.moved, "Give it the role first.", MOVE_SOURCE))
    if not document.present and observed.cluster_exists and not check_mode and plan(document, observed).steps:
        message = f"the cluster {document.role.owner.cluster!r} is there still, and its nodes need what would go."
        problems.append(Problem("state", message, "Remove the cluster first."))
    return problems


def plan(document: Document, observed: Observed) -> Plan:
    """The calls: the policy before what it is attached to, and the other way round when they go."""
    if not document.present:
        return _plan_absent(document, observed)
    policy = managed_policy.plan(document.policy, observed.policy, observed.shared)
    if document.identity == "node_role":
        attached = observed.role.policies if observed.role else ()
        return Plan.of(policy, role.attach(document.role, attached))
    return Plan.of(policy, role.plan(document.role, observed.role), _detaching(document, observed))


def facts(document: Document, observed: Observed) -> dict[str, Any]:
    """The role and its policy as they will be, and what is left of those that shall go."""
    if not document.present:
        return {"cni_role": None, "left": _left(document, observed)}
    return {
        "cni_role": {
            **role.facts(document.role, observed.role),
            **managed_policy.facts(document.policy, observed.policy, observed.shared),
            "identity": document.identity,
            "actions": [call.action for call in document.calls],
        },
        "left": [],
    }


def warnings(document: Document, observed: Observed, version: AddonVersion | None, check_mode: bool) -> list[str]:
    """What a person should know."""
    texts = role.warnings(document.role, observed.role)
    texts += managed_policy.warnings(document.policy, observed.policy, observed.shared)
    name = document.role.name
    missing = [item.name for item, found in zip(document.former, observed.former, strict=True) if found is None]
    texts += [f"detach_from: there is no role {former}, so nothing is detached from it." for former in missing]
    if not cni.known(version):
        texts.append(
            f"cni_version: the CNI {version} is newer than {cni.NEWEST}, the newest that this release knows; it may "
            "call actions that the policy does not allow."
        )
    attached = observed.role.policies if observed.role else ()
    if document.present and any(arn.endswith(f":aws:policy/{IPV4_POLICY}") for arn in attached):
        texts.append(f"The role {name} has {IPV4_POLICY} attached, which is for IPv4 clusters; it can be detached.")
    if observed.moved and check_mode and _detaching(document, observed):
        texts.append(f"detach_from: {observed.moved} Outside check mode it must have it first.")
    if document.identity == "node_role" and document.present and observed.role is None and check_mode:
        texts.append(f"node_role: there is no role {name} yet; outside check mode it must be there.")
    if not document.present and observed.cluster_exists and plan(document, observed).steps:
        cluster = document.role.owner.cluster
        texts.append(f"The cluster {cluster!r} is there still; outside check mode it must go first.")
    return texts


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(iam_cni_role)."""
    draft = from_params(params, session, None)
    refuse_if_any(refuse(params, draft, session.partition))
    observed = observe(session, draft)
    trust = _trust(params, session) if draft.present else None
    document = _trusting(_attaching(from_params(params, session, trust), observed), observed)
    check_mode = session.host.check_mode
    refuse_if_any(refuse_observed(document, observed, check_mode))
    texts = warnings(document, observed, _version(params), check_mode)
    return Outcome(plan(document, observed), facts(document, observed), tuple(texts))


def _version(params: Mapping[str, Any]) -> AddonVersion | None:
    """The version that the policy is for; None is every version, also where the text is none (that is refused)."""
    text = params["cni_version"]
    if text is None or is_pending(text) or cni.version_problems("cni_version", text):
        return None
    return AddonVersion.parse(text)


def _features(params: Mapping[str, Any]) -> frozenset[Feature]:
    wanted = {feature for feature in OPTIONAL if params[feature.value]}
    return frozenset(wanted | ({Feature.SUBNET_DISCOVERY} if params["subnet_discovery"] else set()))


def _policy(params: Mapping[str, Any], owner: Owner, calls: tuple[cni.Call, ...], session: Session) -> ManagedPolicy:
    def written(wanted: Iterable[cni.Call]) -> list[dict[str, Any]]:
        if not params["vpc_id"]:
            return cni.statements(wanted, session.partition)
        scope = cni.Scope(session.partition, session.region, session.account_id, params["vpc_id"])
        return cni.scoped_statements(wanted, scope)

    def statements(needs: Iterable[Need]) -> list[dict[str, Any]]:
        actions = {need.action for need in needs}
        return written(call for call in calls if call.action in actions)

    return ManagedPolicy(
        option="policy_name",
        name=params["policy_name"] or f"{owner.cluster}-cni-ipv6",
        owner=owner,
        description=f"What the VPC CNI of the EKS cluster {owner.cluster} may do, IPv6",
        document=policy_document.of(*written(calls)),
        needs=tuple(cni.needs(calls, session.partition, session.region, session.account_id)),
        statements=statements,
        path=params["path"],
        tags=params["tags"],
        purge_tags=params["purge_tags"],
        present=params["state"] == "present",
    )


def _cni_role(params: Mapping[str, Any], owner: Owner, trust: Trust | None) -> Role:
    return Role(
        option="arn" if params["arn"] else "name",
        name=role.name_in(params["arn"]) if params["arn"] else params["name"] or f"{owner.cluster}-cni",
        owner=owner,
        trust=trust,
        description=f"What the VPC CNI of the EKS cluster {owner.cluster} assumes",
        arn=params["arn"],
        path=None if params["arn"] else params["path"],
        permissions_boundary=params["permissions_boundary"],
        tags=params["tags"],
        purge_tags=params["purge_tags"],
        present=params["state"] == "present",
        nested=False,
    )


def _node_role(params: Mapping[str, Any], owner: Owner, option: str = "node_role") -> Role:
    """The nodes' role is somebody else's to make, change and remove: only policies are attached and detached."""
    given = params["node_role"]
    name = role.name_in(given) or given.removeprefix(f"{PENDING}role/")
    arn = given if given.startswith("arn:") else f"{PENDING}role/{name}"
    return Role(option=option, name=name, owner=owner, trust=None, description="", arn=arn, nested=False)


def _not_moved(session: Session, document: Document, found: role.Observed) -> str:
    """Why aws-node needs the nodes' role still, as far as EKS knows; a self-managed CNI's annotation it does not."""
    cluster = document.role.owner.cluster
    answer = session.find("eks", "DescribeAddon", clusterName=cluster, addonName="vpc-cni")
    given = answer["addon"].get("serviceAccountRoleArn") if answer else None
    if document.identity == "pod_identity" and not given:
        listed = session.find(
            "eks",
            "ListPodIdentityAssociations",
            clusterName=cluster,
            namespace=NAMESPACE,
            serviceAccount=SERVICE_ACCOUNT,
        )
        items = listed["associations"] if listed else []
        identity = items[0]["associationId"] if items else ""
        described = (
            session.find("eks", "DescribePodIdentityAssociation", clusterName=cluster, associationId=identity)
            if identity
            else None
        )
        given = described["association"]["roleArn"] if described else None
    elif answer is None:
        return ""
    if given != found.arn:
        return f"{NAMESPACE}/{SERVICE_ACCOUNT} has {given or 'no role of its own'}, and not {found.arn}."
    if answer and answer["addon"]["status"] != "ACTIVE":
        return f"the add-on vpc-cni is {answer['addon']['status']}, so whether its role suffices is not known."
    return ""


def _detaching(document: Document, observed: Observed) -> list[Step]:
    """The CNI's policies go from roles that had them before: the module's own, AWS's for IPv4, the one made by hand."""
    own = {arn for arn in document.role.policies if isinstance(arn, str)}
    steps: list[Step] = []
    for former, found in zip(document.former, observed.former, strict=True):
        if found is None or found.arn == (observed.role.arn if observed.role else ""):
            continue
        going = [
            arn for arn in found.policies if arn in own or arn.rsplit("/", 1)[1] in (IPV4_POLICY, HAND_MADE_POLICY)
        ]
        steps += role.detach(former, found, going)
    return steps


def _attaching(document: Document, observed: Observed) -> Document:
    policy = managed_policy.arn_of(document.policy, observed.policy)
    return replace(document, role=replace(document.role, policies=(policy,)))


def _trusting(document: Document, observed: Observed) -> Document:
    """The role with the trust by which aws-node may have it now, in the other way than the one that is wanted.

    A CNI that runs keeps its way to the role until the add-on or the association is changed, and would lose its
    permissions with that trust.
    """
    if observed.role is None or document.role.trust is None:
        return document
    other = _by_annotation if document.identity == "pod_identity" else _by_pod_identity
    staying = tuple(item for item in policy_document.statements(observed.role.trust) if other(item))
    return replace(document, role=replace(document.role, trusted=staying))


def _by_annotation(statement: Mapping[str, Any]) -> bool:
    """Whether a trust statement lets aws-node in, and nobody else, through an OIDC provider."""
    condition, principal = statement.get("Condition", {}), statement.get("Principal")
    subjects = [value for key, value in condition.get("StringEquals", {}).items() if key.endswith(":sub")]
    federated = isinstance(principal, Mapping) and ":oidc-provider/" in str(principal.get("Federated"))
    return statement.get("Effect") == "Allow" and federated and subjects in ([SUBJECT], [[SUBJECT]])


def _by_pod_identity(statement: Mapping[str, Any]) -> bool:
    """Whether a trust statement lets EKS Pod Identity in, and nobody else."""
    only = ({"Service": POD_IDENTITY_SERVICE}, {"Service": [POD_IDENTITY_SERVICE]})
    return statement.get("Effect") == "Allow" and statement.get("Principal") in only


def _trust(params: Mapping[str, Any], session: Session) -> Trust | None:
    """Who assumes the role."""
    if params["identity"] == "pod_identity":
        return pod_identity_trust(params["cluster_name"], session)
    return _web_identity(params, session) if params["identity"] == "irsa" else None


def pod_identity_trust(cluster: str, session: Session) -> Trust:
    """EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity": both actions are needed. The
    session tags are those of "Grant Pods access to AWS resources based on tags"."""
    arn = f"arn:{session.partition}:eks:{session.region}:{session.account_id}:cluster/{cluster}"
    tags = {
        "eks-cluster-arn": arn,
        "eks-cluster-name": cluster,
        "kubernetes-namespace": NAMESPACE,
        "kubernetes-service-account": SERVICE_ACCOUNT,
    }
    context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    context |= {"aws:SourceArn": arn, "aws:SourceAccount": session.account_id}
    return Trust("Service", POD_IDENTITY_SERVICE, ("sts:AssumeRole", "sts:TagSession"), context=context)


def _web_identity(params: Mapping[str, Any], session: Session) -> Trust:
    return web_identity_trust(_issuer(params, session), session)


def web_identity_trust(issuer: str, session: Session) -> Trust:
    """EKS user guide, "IAM roles for service accounts": the audience and the one service account, letter for letter.

    C(issuer) has no scheme.
    """
    provider = f"arn:{session.partition}:iam::{session.account_id}:oidc-provider/{issuer}"
    claims = {f"{issuer}:aud": oidc_provider.STS_AUDIENCE, f"{issuer}:sub": SUBJECT}
    return Trust(
        "Federated",
        provider,
        ("sts:AssumeRoleWithWebIdentity",),
        conditions={"StringEquals": claims},
        context=claims,
    )


def _issuer(params: Mapping[str, Any], session: Session) -> str:
    """The issuer without its scheme: as given, out of the provider's ARN, or as DescribeCluster has it."""
    if params["oidc_issuer"]:
        return oidc_provider.host_and_path(params["oidc_issuer"])
    if params["oidc_provider_arn"] and not is_pending(params["oidc_provider_arn"]):
        return _provider_host(params["oidc_provider_arn"])
    cluster = params["cluster_name"]
    answer = session.find("eks", "DescribeCluster", name=cluster)
    issuer = answer["cluster"].get("identity", {}).get("oidc", {}).get("issuer") if answer else None
    if issuer:
        return oidc_provider.host_and_path(issuer)
    if session.host.check_mode:
        return f"{PENDING}cluster/{cluster}"
    message = f"the cluster {cluster!r} has no issuer yet." if answer else f"there is no cluster {cluster!r} to ask."
    raise Refused(Problem("oidc_issuer", message, "Make the cluster first, or give its issuer."))


def _provider_host(arn: str) -> str:
    parsed = Arn.parse(arn)
    return f"{parsed.path}{parsed.name}".removeprefix("/") if parsed else ""


def _refuse_issuer(issuer: str | None, provider_arn: str | None, partition: str) -> list[Problem]:
    problems = oidc_provider.issuer_problems("oidc_issuer", issuer) if issuer else []
    if provider_arn is None or is_pending(provider_arn):
        return problems
    problems += arn_problems("oidc_provider_arn", provider_arn, "oidc-provider", partition)
    if not problems and issuer and not is_pending(issuer):
        host = oidc_provider.host_and_path(issuer)
        if _provider_host(provider_arn) != host:
            problems.append(Problem("oidc_provider_arn", f"{provider_arn} is not the provider of {host}."))
    return problems


def _refuse_node_role(given: str, partition: str, option: str = "node_role") -> list[Problem]:
    if is_pending(given):
        return []
    if given.startswith("arn:"):
        return arn_problems(option, given, "role", partition)
    return name_problems(option, "role", given)


def _refuse_observed_node_role(document: Document, observed: Observed, check_mode: bool) -> list[Problem]:
    desired, found = document.role, observed.role
    if found is None:
        if check_mode or not document.present:
            return []
        return [Problem("node_role", f"there is no role {desired.name}.", "Make it first, with iam_eks_roles.")]
    if desired.arn and not is_pending(desired.arn) and desired.arn != found.arn:
        return [Problem("node_role", f"there is no role {desired.arn}; the role of that name is {found.arn}.")]
    return []


def _detached(document: Document, observed: Observed) -> str:
    """How the role loses the policy: C(role) with the role itself, C(policy) alone, or not at all."""
    found = observed.role
    if found is None:
        return ""
    if document.identity != "node_role" and not role.kept(document.role, found):
        return "role"
    lent = document.identity == "node_role" or not role.owned(document.role, found)
    made = observed.policy is not None and managed_policy.owned(document.policy, observed.policy)
    return "policy" if lent and made else ""


def _plan_absent(document: Document, observed: Observed) -> Plan:
    how, steps = _detached(document, observed), Plan()
    if how == "role":
        steps = role.plan(document.role, observed.role)
    elif how and observed.role and observed.policy:
        steps = Plan.of(role.detach(document.role, observed.role, [observed.policy.arn]))
    if observed.policy is None or _policy_kept(document, observed):
        return steps
    return Plan.of(steps, managed_policy.plan_absent(document.policy, observed.policy))


def _policy_kept(document: Document, observed: Observed) -> str:
    detached = [document.role.name] if _detached(document, observed) else []
    return managed_policy.kept(document.policy, observed.policy, detached)


def _left(document: Document, observed: Observed) -> list[dict[str, str]]:
    left = []
    reason = role.kept(document.role, observed.role)
    if observed.role and reason:
        left.append({"resource": document.role.address, "arn": observed.role.arn, "reason": reason})
    reason = _policy_kept(document, observed)
    if observed.policy and reason:
        left.append({"resource": document.policy.address, "arn": observed.policy.arn, "reason": reason})
    return left
