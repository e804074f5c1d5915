# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the Amazon VPC CNI in IPv6 clusters: versions, features, IAM actions, environment (pure).

Each row names its source. C(CNI) is the repository aws/amazon-vpc-cni-k8s, read at the tags v1.10.1 to v1.23.0 and at
the commit that prepares v1.23.1; C(EKS user guide) is AWS's documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .iam import policy_document
from .iam.policy_document import Document, Need, Verdict
from .plan import Problem
from .versions import AddonVersion

FLOOR = "1.10.1"
FLOOR_SOURCE = "EKS user guide, IPv6 addresses for clusters, pods and services"
NEWEST = "1.23.1"  # the newest that these tables were read for
NETWORK_INTERFACE = "network-interface"
NODE_CONTAINER = "aws-node"
INIT_CONTAINER = "aws-vpc-cni-init"
AGENT_CONTAINER = "aws-eks-nodeagent"

_POLICY = "CNI docs/iam-policy.md, IPv6 mode"
_IPAMD = "CNI pkg/ipamd/ipamd.go"


class Feature(StrEnum):
    """What a CNI may be used for; each changes what it calls, or from which version it may be used."""

    SUBNET_DISCOVERY = "subnet_discovery"  # on unless ENABLE_SUBNET_DISCOVERY is "false"
    MULTI_NIC = "multi_nic"
    EXCLUDED_SUBNETS = "excluded_subnets"  # node subnets tagged kubernetes.io/role/cni=0
    SECURITY_GROUPS_FOR_PODS = "security_groups_for_pods"
    V4_EGRESS = "v4_egress"
    NETWORK_POLICY = "network_policy"
    POD_IDENTITY = "pod_identity"
    IMDS_ONLY = "imds_only"


# From which version of the CNI a feature can be used in an IPv6 cluster, and the source.
FLOORS: Mapping[Feature, tuple[str, str]] = {
    Feature.NETWORK_POLICY: ("1.14.0", "CNI README, network policy agent"),
    Feature.V4_EGRESS: ("1.15.1", "CNI README, ENABLE_V4_EGRESS"),
    Feature.POD_IDENTITY: ("1.15.5-eksbuild.1", "EKS user guide, IAM roles for add-ons"),
    Feature.SECURITY_GROUPS_FOR_PODS: ("1.16.0", f"{_IPAMD}, isConfigValid: fatal in v1.15.1"),
    Feature.SUBNET_DISCOVERY: ("1.18.0", "CNI README, ENABLE_SUBNET_DISCOVERY"),
    Feature.IMDS_ONLY: ("1.19.6", "CNI README, ENABLE_IMDS_ONLY_MODE"),
    Feature.MULTI_NIC: ("1.20.0", "CNI README, ENABLE_MULTI_NIC"),
    Feature.EXCLUDED_SUBNETS: ("1.22.0", f"{_IPAMD}, excludedENIBasedOnSubnetTags"),
}
# From this version on the CNI must run with this network policy agent or a newer one.
AGENT_FLOOR = ("1.23.0", "1.4.1", "CNI release notes of v1.23.0: their gRPC moved to a unix socket")


@dataclass(frozen=True)
class Call:
    """An EC2 action that the CNI calls in IPv6 mode.

    C(resources) are the kinds of resource it is authorised on, none where EC2 knows only C(*). It is called from
    C(since) on and before C(until), and only with one of C(features) where some are named.
    """

    action: str
    source: str
    resources: tuple[str, ...] = ()
    since: str = "1.10.0"
    until: str = ""
    features: tuple[Feature, ...] = ()


_ENI_FEATURES = (Feature.MULTI_NIC, Feature.EXCLUDED_SUBNETS)
_CREATING = f"{_IPAMD}, createSecondaryIPv6ENIs and tryAllocateENI"

CALLS: tuple[Call, ...] = (
    Call("ec2:AssignIpv6Addresses", _POLICY, (NETWORK_INTERFACE,)),
    Call("ec2:DescribeInstances", _POLICY),
    Call("ec2:DescribeTags", _POLICY),
    Call("ec2:DescribeNetworkInterfaces", _POLICY),
    Call("ec2:DescribeInstanceTypes", _POLICY),
    Call("ec2:CreateTags", _POLICY, (NETWORK_INTERFACE,)),
    Call(
        "ec2:DescribeSubnets",
        f"{_IPAMD}, nodeInit: fatal when denied; aws/amazon-vpc-cni-k8s issue 3704",
        since="1.22.0",
        features=(Feature.SUBNET_DISCOVERY,),
    ),
    Call(
        "ec2:DescribeSubnets",
        "CNI pkg/awsutils/awsutils.go, createENI",
        since="1.20.0",
        features=(Feature.MULTI_NIC,),
    ),
    Call(
        "ec2:DescribeSecurityGroups",
        "CNI pkg/awsutils/awsutils.go: there from v1.22.0 to v1.22.4, and in no v1.23",
        since="1.22.0",
        until="1.23.0",
    ),
    Call(
        "ec2:CreateNetworkInterface",
        _CREATING,
        (NETWORK_INTERFACE, "subnet", "security-group"),
        since="1.20.0",
        features=_ENI_FEATURES,
    ),
    Call(
        "ec2:AttachNetworkInterface",
        _CREATING,
        (NETWORK_INTERFACE, "instance"),
        since="1.20.0",
        features=_ENI_FEATURES,
    ),
    Call(
        "ec2:DetachNetworkInterface",
        _CREATING,
        (NETWORK_INTERFACE, "instance"),
        since="1.20.0",
        features=_ENI_FEATURES,
    ),
    Call("ec2:DeleteNetworkInterface", _CREATING, (NETWORK_INTERFACE,), since="1.20.0", features=_ENI_FEATURES),
    Call(
        "ec2:ModifyNetworkInterfaceAttribute",
        "CNI pkg/awsutils/awsutils.go, attachENI and the refresh of security groups; that IAM judges the groups too is"
        " quoted in deckhouse/deckhouse pull request 10853, that it judges an attachment's instance is presumed",
        (NETWORK_INTERFACE, "instance", "security-group"),
        since="1.20.0",
        features=_ENI_FEATURES,
    ),
    Call(
        "ec2:UnassignIpv6Addresses",
        "CNI pkg/awsutils/awsutils.go, DeallocPrefixAddresses",
        (NETWORK_INTERFACE,),
        since="1.22.0",
        features=_ENI_FEATURES,
    ),
)
DEFAULT_FEATURES = frozenset({Feature.SUBNET_DISCOVERY})


def version_problems(option: str, text: str | None) -> list[Problem]:
    """What is wrong with a CNI version; None and a version that is still pending are none."""
    if text is None or text.startswith("pending:"):
        return []
    try:
        version = AddonVersion.parse(text)
    except ValueError as error:
        return [Problem(option, f"{error}.")]
    if version.numbers < AddonVersion.parse(FLOOR).numbers:
        return [Problem(option, f"{text} is too old: an IPv6 cluster's CNI is {FLOOR} or newer.", "", FLOOR_SOURCE)]
    return []


def below_floor(text: str) -> bool:
    """Whether a version is one that IPv6 clusters must not have."""
    try:
        return AddonVersion.parse(text).numbers < AddonVersion.parse(FLOOR).numbers
    except ValueError:
        return False


def features_of(settings: Mapping[str, Any]) -> frozenset[Feature]:
    """The features that variables of the container aws-node turn on."""
    turned_on = {feature for name, feature in _FEATURE_OF.items() if truth(settings.get(name))}
    discovery = {Feature.SUBNET_DISCOVERY} if truth(settings.get("ENABLE_SUBNET_DISCOVERY")) is not False else set()
    return frozenset(turned_on | discovery)


def truth(text: Any) -> bool | None:
    """What the CNI reads a variable as; None for what it takes for no truth value. Source: Go, strconv.ParseBool."""
    word = str(text).lower() if isinstance(text, str) else None
    return True if word in ("1", "t", "true") else False if word in ("0", "f", "false") else None


def feature_problems(option: str, feature: Feature, version: AddonVersion | None) -> list[Problem]:
    """Whether a feature asks for a newer CNI; an unknown version has them all."""
    floor, source = FLOORS[feature]
    if version is None or version.numbers >= AddonVersion.parse(floor).numbers:
        return []
    return [Problem(option, f"{feature.value} needs the CNI {floor} or newer, not {version}.", "", source)]


def required_actions(version: AddonVersion | None, features: Iterable[Feature] = DEFAULT_FEATURES) -> tuple[Call, ...]:
    """The calls that a version makes with these features, by name; None is every version from FLOOR on together."""
    wanted = frozenset(features) | (DEFAULT_FEATURES if version is None else frozenset[Feature]())
    calls = {call.action: call for call in CALLS if _in_use(call, wanted) and (version is None or _at(call, version))}
    return tuple(calls[action] for action in sorted(calls))


def needs(calls: Iterable[Call], partition: str, region: str = "*", account: str = "*") -> list[Need]:
    """What policies must allow for these calls."""
    return [
        Need(call.action, _arn(kind, partition, region, account) if kind else "*")
        for call in calls
        for kind in call.resources or ("",)
    ]


@dataclass(frozen=True)
class Scope:
    """Where a CNI may do what it does: one VPC in one region of one account."""

    partition: str
    region: str
    account: str
    vpc_id: str

    @property
    def context(self) -> dict[str, str]:
        """The condition keys that hold when the CNI of this VPC calls."""
        vpc = f"arn:{self.partition}:ec2:{self.region}:{self.account}:vpc/{self.vpc_id}"
        return {"ec2:Region": self.region, "aws:RequestedRegion": self.region, "ec2:Vpc": vpc}


# The only kind among a CNI's resources that has no condition key ec2:Vpc in all the actions that it is used with.
_WITHOUT_VPC = "instance"


def scoped_statements(calls: Iterable[Call], scope: Scope) -> list[dict[str, Any]]:
    """Statements that allow these calls in one VPC only: C(ec2:Region) for what knows no resources, C(ec2:Vpc) else.

    Source: Service Authorization Reference, Amazon EC2: condition keys of the resource types network-interface, subnet
    and security-group, and C(ec2:Region) of every action.
    """
    found = tuple(calls)
    plain = sorted({call.action for call in found if not call.resources})
    statements: list[dict[str, Any]] = []
    if plain:
        condition = {"StringEquals": {"ec2:Region": scope.region}}
        statements.append({"Effect": "Allow", "Action": plain, "Resource": "*", "Condition": condition})
    kinds = sorted({kind for call in found for kind in call.resources})
    by_actions: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for kind in kinds:
        actions = tuple(sorted({call.action for call in found if kind in call.resources}))
        by_actions.setdefault((actions, kind != _WITHOUT_VPC), []).append(
            _arn(kind, scope.partition, scope.region, scope.account)
        )
    for (actions, bound), resources in by_actions.items():
        statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        if bound:
            statement["Condition"] = {"ArnEquals": {"ec2:Vpc": scope.context["ec2:Vpc"]}}
        statements.append(statement)
    return statements


def statements(calls: Iterable[Call], partition: str) -> list[dict[str, Any]]:
    """The statements that allow these calls, as AWS's documentation splits them: tags on network interfaces only."""
    actions = sorted({call.action for call in calls})
    anywhere = [action for action in actions if action != "ec2:CreateTags"]
    found: list[dict[str, Any]] = []
    if anywhere:
        found.append({"Effect": "Allow", "Action": anywhere, "Resource": "*"})
    if "ec2:CreateTags" in actions:
        resource = _arn(NETWORK_INTERFACE, partition, "*", "*")
        found.append({"Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": [resource]})
    return found


def policy(
    version: AddonVersion | None, partition: str, features: Iterable[Feature] = DEFAULT_FEATURES
) -> dict[str, Any]:
    """The CNI's policy for an IPv6 cluster."""
    return policy_document.of(*statements(required_actions(version, features), partition))


def judge(
    version: AddonVersion | None,
    features: Iterable[Feature],
    documents: Iterable[Document],
    partition: str,
    region: str = "*",
    account: str = "*",
) -> Verdict:
    """What policy documents, taken together, say to the calls of a version."""
    return policy_document.judge(documents, needs(required_actions(version, features), partition, region, account))


def missing_actions(
    version: AddonVersion | None, features: Iterable[Feature], documents: Iterable[Document], partition: str
) -> list[str]:
    """The actions that a version calls and these policy documents, taken together, do not allow or deny."""
    verdict = judge(version, features, documents, partition)
    return sorted({need.action for need in (*verdict.missing, *verdict.denied)})


def known(version: AddonVersion | None) -> bool:
    """Whether these tables were made with this version at hand; a newer one may call more."""
    return version is None or version.numbers <= AddonVersion.parse(NEWEST).numbers


# --- environment ------------------------------------------------------------------------------------------------------

# What a self-managed CNI must have in an IPv6 cluster, by container; the add-on gets the same from EKS.
# Source: CNI README, IPv6 mode; cmd/aws-vpc-cni-init/main.go; isConfigValid in pkg/ipamd/ipamd.go.
ENVIRONMENT: Mapping[str, Mapping[str, str]] = {
    NODE_CONTAINER: {"ENABLE_IPv6": "true", "ENABLE_IPv4": "false", "ENABLE_PREFIX_DELEGATION": "true"},
    INIT_CONTAINER: {"ENABLE_IPv6": "true"},
}
# Without it the agent ignores network policies of IPv6 pods. Source: CNI README, network policy agent.
AGENT_ARGUMENT = "--enable-ipv6=true"
MTU = range(1280, 9002)

_CONFIG = f"{_IPAMD}, isConfigValid"
_START = "CNI cmd/aws-vpc-cni/main.go, validateEnvVars"
_FEATURE_OF = {
    "ENABLE_V4_EGRESS": Feature.V4_EGRESS,
    "ENABLE_POD_ENI": Feature.SECURITY_GROUPS_FOR_PODS,
    "ENABLE_SUBNET_DISCOVERY": Feature.SUBNET_DISCOVERY,
    "ENABLE_IMDS_ONLY_MODE": Feature.IMDS_ONLY,
    "ENABLE_MULTI_NIC": Feature.MULTI_NIC,
}
_EXACT = ("ENABLE_IPv4", "ENABLE_IPv6")


@dataclass(frozen=True)
class SettingRule:
    """A value that a variable must not have in an IPv6 cluster."""

    variable: str
    refused: Callable[[str], bool]
    reason: str
    source: str


SETTING_RULES: tuple[SettingRule, ...] = (
    SettingRule("ENABLE_IPv6", lambda value: not truth(value), "must be true in an IPv6 cluster.", _CONFIG),
    SettingRule("ENABLE_IPv4", lambda value: truth(value) is not False, "must be false: no dual stack.", _CONFIG),
    SettingRule(
        "ENABLE_PREFIX_DELEGATION", lambda value: not truth(value), "must be true: IPv6 has no other mode.", _CONFIG
    ),
    SettingRule(
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
        lambda value: bool(truth(value)),
        "must not be true: IPv6 clusters have no custom networking.",
        _CONFIG,
    ),
    SettingRule(
        "ENABLE_V6_EGRESS", lambda value: bool(truth(value)), "is for IPv4 clusters.", "CNI README, ENABLE_V6_EGRESS"
    ),
    SettingRule(
        "DISABLE_POD_V6",
        lambda value: bool(truth(value)),
        "must not be true: it takes IPv6 away from the pods.",
        "CNI README, DISABLE_POD_V6",
    ),
    SettingRule("AWS_VPC_ENI_MTU", lambda value: not _is_mtu(value), "must be 1280 to 9001 in IPv6.", _START),
    SettingRule("POD_MTU", lambda value: not _is_mtu(value), "must be 1280 to 9001 in IPv6.", _START),
    SettingRule(
        "POD_SECURITY_GROUP_ENFORCING_MODE",
        lambda value: value not in ("strict", "standard"),
        "is strict or standard.",
        _START,
    ),
)


def setting_problems(
    option: str, settings: Mapping[str, str], version: AddonVersion | None, managed: bool
) -> list[Problem]:
    """What is wrong with variables of the container aws-node that somebody wants to set.

    C(managed) is true for the EKS add-on, whose address family EKS itself sets. An unknown version has every feature.
    """
    problems = [
        Problem(f"{option}.{rule.variable}", f"{settings[rule.variable]!r}: {rule.reason}", "", rule.source)
        for rule in SETTING_RULES
        if rule.variable in settings and rule.refused(settings[rule.variable])
    ]
    for name, value in settings.items():
        problems += _family_problems(f"{option}.{name}", name, managed)
        feature = _FEATURE_OF.get(name)
        if feature is not None and (truth(value) or feature is Feature.V4_EGRESS):  # which is on before it has a name
            problems += feature_problems(f"{option}.{name}", feature, version)
    return problems + _warm_problems(option, settings)


def configuration_problems(
    option: str, configuration: Mapping[str, Any], version: AddonVersion | None
) -> list[Problem]:
    """What is wrong with configuration values of the EKS add-on in an IPv6 cluster, its schema apart."""
    init = configuration.get("init")
    problems = setting_problems(f"{option}.env", _texts(configuration.get("env")), version, managed=True)
    problems += init_problems(
        f"{option}.init.env", _texts(init.get("env") if isinstance(init, Mapping) else None), managed=True
    )
    if truth(configuration.get("enableNetworkPolicy")):
        problems += feature_problems(f"{option}.enableNetworkPolicy", Feature.NETWORK_POLICY, version)
    if truth(configuration.get("enableWindowsIpam")):
        message = "must not be true: IPv6 clusters have no Windows pods."
        problems.append(Problem(f"{option}.enableWindowsIpam", message, "", FLOOR_SOURCE))
    eni_config = configuration.get("eniConfig")
    if isinstance(eni_config, Mapping) and eni_config.get("create"):
        message = "makes ENIConfigs, which are for custom networking, and IPv6 clusters have none."
        problems.append(Problem(f"{option}.eniConfig", message, "Leave it out.", FLOOR_SOURCE))
    return problems


def init_problems(option: str, settings: Mapping[str, str], managed: bool) -> list[Problem]:
    """What is wrong with variables of the container aws-vpc-cni-init that somebody wants to set."""
    rules = [rule for rule in SETTING_RULES if rule.variable in ("ENABLE_IPv6", "ENABLE_V6_EGRESS")]
    problems = [
        Problem(f"{option}.{rule.variable}", f"{settings[rule.variable]!r}: {rule.reason}", "", rule.source)
        for rule in rules
        if rule.variable in settings and rule.refused(settings[rule.variable])
    ]
    return problems + [found for name in settings for found in _family_problems(f"{option}.{name}", name, managed)]


def _texts(settings: Any) -> dict[str, str]:
    """The variables that are texts, which the add-on's schema wants all to be."""
    given = settings if isinstance(settings, Mapping) else {}
    return {name: value for name, value in given.items() if isinstance(value, str)}


def environment_problems(found: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """What the containers of a running CNI lack or have wrong, by container; values that the code defaults to count."""
    problems = []
    for container, wanted in ENVIRONMENT.items():
        have = found.get(container, {})
        for name, value in wanted.items():
            actual = have.get(name, "false")
            if truth(actual) is not truth(value):
                where = f"{container}.{name}"
                problems.append(Problem(where, f"is {actual!r}, an IPv6 cluster needs {value!r}.", "", _CONFIG))
    settings = {name: value for name, value in found.get(NODE_CONTAINER, {}).items() if name not in _checked()}
    return problems + setting_problems(NODE_CONTAINER, settings, None, managed=False)


def _checked() -> frozenset[str]:
    return frozenset(ENVIRONMENT[NODE_CONTAINER])


def _family_problems(option: str, name: str, managed: bool) -> list[Problem]:
    exact = {spelling.lower(): spelling for spelling in _EXACT}.get(name.lower())
    if exact is None:
        return []
    if managed:
        message = "EKS sets the add-on's address family from the cluster's; its schema knows no such variable."
        return [Problem(option, message, "Leave it out.", "configuration schema of the vpc-cni add-on")]
    if name != exact:
        return [Problem(option, f"is written {exact}; variables know case.", "", "CNI cmd/aws-vpc-cni/main.go")]
    return []


def _warm_problems(option: str, settings: Mapping[str, str]) -> list[Problem]:
    """IPv6 ignores the warm targets, but the start-up check does not: one of them must be above zero."""
    names = ("WARM_PREFIX_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET")
    given = {name: settings[name] for name in names if name in settings}
    prefix_target = given.get("WARM_PREFIX_TARGET", "1")  # every manifest sets it to 1
    values = {**given, "WARM_PREFIX_TARGET": prefix_target}.values()
    if not given or any(_number(value) > 0 for value in values):
        return []
    message = "with no warm target above zero aws-node ends at its start."
    return [Problem(f"{option}.WARM_PREFIX_TARGET", message, 'Leave it at "1".', _START)]


def _number(text: str) -> int:
    return int(text) if text.strip().lstrip("-").isdigit() else 0


def _is_mtu(text: str) -> bool:
    return _number(text) in MTU


def _in_use(call: Call, features: frozenset[Feature]) -> bool:
    return not call.features or not features.isdisjoint(call.features)


def _at(call: Call, version: AddonVersion) -> bool:
    since, until = AddonVersion.parse(call.since), AddonVersion.parse(call.until) if call.until else None
    return since.numbers <= version.numbers and (until is None or version.numbers < until.numbers)


def _arn(kind: str, partition: str, region: str, account: str) -> str:
    return f"arn:{partition}:ec2:{region}:{account}:{kind}/*"
