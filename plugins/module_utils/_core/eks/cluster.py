# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS clusters: made in one IP family for good, and changed one kind of setting at a time.

C(cluster_model) says what a cluster shall be and what it is, C(cluster_rules) what must not be done to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..addressing import canonical, dns_address
from ..plan import Await, Expect, Outcome, Plan, Problem, Ref, Retry, Risk, Step, Wait, refuse_if_any, refuse_now
from ..session import Session
from ..versions import KubernetesVersion, kubernetes_steps
from . import cluster_rules as rules
from . import shared
from .cluster_model import (
    AUTHENTICATION_MODES,
    LOG_TYPES,
    Cluster,
    Observed,
    Surroundings,
    effective,
    facts_of,
    observe,
    survey,
)

# A role made a moment ago is not known everywhere yet; nor is a subnet or a security group. AWS's own text.
NOT_YET = (Retry("InvalidParameterException", "does not exist"),)
DEFAULT_AUTHENTICATION_MODE = (
    "CONFIG_MAP"  # of a cluster made by the API (EKS API reference: CreateAccessConfigRequest)
)


def plan(desired: Cluster, observed: Observed | None, around: Surroundings) -> Plan:
    """The calls that make the cluster what it shall be."""
    if observed is None:
        return shared.without_last_wait(Plan.of(_create(desired, around)), desired.wait)
    if observed["status"] == "DELETING":
        gone = Await(desired.address, shared.cluster_wait(desired.name, (), ("FAILED",), gone=True))
        return shared.without_last_wait(Plan.of(gone, _create(desired, around)), desired.wait)
    changes = Plan.of(_change_tags(desired, observed), _change_config(desired, observed), _upgrade(desired, observed))
    return Plan.of(_settle(desired, observed), shared.without_last_wait(changes, desired.wait))


def plan_absent(desired: Cluster, observed: Observed | None) -> Plan:
    """The calls that make the cluster go."""
    if observed is None:
        return Plan()
    status = observed["status"]
    gone = shared.cluster_wait(desired.name, (), () if status == "FAILED" else ("FAILED",), gone=True)
    if status == "DELETING":
        return Plan.of(Await(desired.address, gone) if desired.wait else None)
    unprotect = _change_protection(desired, observed) if observed["deletion_protection"] else []
    before = {"version": observed["version"], "vpc_id": observed["vpc_id"]}
    delete = Step(
        "eks",
        "DeleteCluster",
        {"name": desired.name},
        desired.address,
        before=before,
        risk=Risk.IRREVERSIBLE,
        wait=gone,
        retry=shared.BUSY,
    )
    return Plan.of(_settle(desired, observed), shared.without_last_wait(Plan.of(unprotect, delete), desired.wait))


def facts(desired: Cluster, observed: Observed | None, around: Surroundings) -> dict[str, Any]:
    """The cluster as it will be."""
    if observed is None or observed["status"] == "DELETING":
        return _new_facts(desired, around)
    current = dict(observed.facts)
    if current["status"] in ("CREATING", "PENDING"):
        current.update({name: ref for name, ref in _decided(desired.address).items() if not current[name]})
    changed = {name: wanted for name, _before, wanted in _differences(desired, observed)}
    if desired.version not in (None, observed["version"]):
        changed["version"] = desired.version
        changed["platform_version"] = Ref(desired.address, _PLATFORM)
    busy = not desired.wait and bool(changed)
    current["status"] = "UPDATING" if busy else "ACTIVE"
    current["tags"] = shared.tags_after(observed["tags"], desired.tags, desired.purge_tags)
    return {**current, **changed}


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_cluster)."""
    desired = Cluster.from_params(params)
    refuse_if_any(rules.refuse(desired, session.partition))
    observed = observe(session, desired.name)
    if not desired.present:
        occupied: list[Problem] = []
        if observed is not None and observed["status"] != "DELETING":
            occupied = rules.refuse_occupied(desired, survey(session, desired, observed))
            occupied += rules.refuse_absent(desired, observed)
        warnings = refuse_now(occupied, session.host.check_mode)
        return Outcome(plan_absent(desired, observed), {"cluster": None}, warnings)
    base = None if observed is None or observed["status"] == "DELETING" else observed
    refuse_if_any(rules.refuse_family(desired, base))
    around = survey(session, desired, base)
    warnings = refuse_now(rules.refuse_present(desired, base, around), session.host.check_mode)
    return Outcome(
        plan(desired, observed, around),
        {"cluster": facts(desired, observed, around)},
        (*warnings, *rules.warnings(desired, base, around)),
    )


def build_info(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(eks_cluster_info)."""
    names = [params["name"]] if params["name"] else session.pages("eks", "ListClusters", "clusters")
    found = session.together(**{name: _reader(session, name) for name in names})
    clusters = [facts_of(cluster) for cluster in found.values() if cluster is not None]
    return Outcome(Plan(), {"clusters": sorted(clusters, key=lambda cluster: str(cluster["name"]))})


def _create(desired: Cluster, around: Surroundings) -> Step:
    request: dict[str, Any] = {
        "name": desired.name,
        "version": _new_version(desired, around),
        "roleArn": desired.role_arn,
        "resourcesVpcConfig": shared.given(
            subnetIds=desired.subnet_ids,
            securityGroupIds=desired.security_group_ids or None,
            endpointPublicAccess=desired.endpoint_public_access,
            endpointPrivateAccess=desired.endpoint_private_access,
            publicAccessCidrs=_wanted_cidrs(desired, True),
        ),
        "kubernetesNetworkConfig": shared.given(ipFamily=desired.ip_family, serviceIpv4Cidr=desired.service_ipv4_cidr),
        **shared.given(
            accessConfig=shared.given(
                authenticationMode=desired.authentication_mode,
                bootstrapClusterCreatorAdminPermissions=desired.bootstrap_admin,
            )
            or None,
            logging=_logging_request(desired.logging, ()) if desired.logging else None,
            encryptionConfig=_encryption_request(desired.encryption_key_arn) if desired.encryption_key_arn else None,
            bootstrapSelfManagedAddons=desired.bootstrap_addons,
            upgradePolicy={"supportType": desired.support_type} if desired.support_type else None,
            deletionProtection=desired.deletion_protection,
            tags=dict(desired.tags) if desired.tags else None,
        ),
    }
    known_facts = _new_facts(desired, around)
    after = {
        name: value for name, value in known_facts.items() if not isinstance(value, Ref) and value not in (None, [])
    }
    return Step(
        "eks",
        "CreateCluster",
        request,
        desired.address,
        after=after,
        wait=shared.active_wait(desired.name),
        expect=(_right_family(desired),),
        retry=NOT_YET,
    )


def _right_family(desired: Cluster) -> Expect:
    return Expect(
        "cluster.kubernetesNetworkConfig.ipFamily",
        desired.ip_family,
        f"ip_family: the cluster {desired.name} did not come out in the family that was asked for",
    )


def _settle(desired: Cluster, observed: Observed) -> list[Await]:
    """Waits for what an interrupted run, or somebody else, has begun."""
    if observed["status"] in ("CREATING", "PENDING"):
        expect = (_right_family(desired),) if desired.present else ()
        success = ("ACTIVE",) if desired.present else ("ACTIVE", "FAILED")
        failure = ("FAILED", "DELETING") if desired.present else ()
        return [Await(desired.address, shared.cluster_wait(desired.name, success, failure), expect)]
    if observed["status"] != "UPDATING":
        return []
    waits = [shared.update_wait(desired.name, identity, shared.CLUSTER_TIMEOUT) for identity in observed.updates]
    return [Await(desired.address, wait) for wait in waits or [shared.active_wait(desired.name)]]


def _differences(desired: Cluster, observed: Observed) -> list[tuple[str, Any, Any]]:
    """(fact, as it is, as it shall be) of every setting that is managed and differs."""
    wanted: dict[str, Any] = {
        "authentication_mode": desired.authentication_mode,
        "endpoint_public_access": desired.endpoint_public_access,
        "endpoint_private_access": desired.endpoint_private_access,
        "deletion_protection": desired.deletion_protection,
        "support_type": desired.support_type,
        "encryption_key_arn": desired.encryption_key_arn or None,
    }
    found = [(name, observed[name], value) for name, value in wanted.items() if value not in (None, observed[name])]
    cidrs = _wanted_cidrs(desired, observed["endpoint_public_access"])
    if cidrs is not None and set(cidrs) != {canonical(cidr) for cidr in observed["public_access_cidrs"]}:
        found.append(("public_access_cidrs", observed["public_access_cidrs"], cidrs))
    for name, value in (
        ("subnet_ids", desired.subnet_ids),
        ("security_group_ids", desired.security_group_ids),
        ("logging", desired.logging),
    ):
        if value is not None and set(value) != set(observed[name]):
            found.append((name, observed[name], sorted(value) if name == "logging" else list(value)))
    return found


def _change_config(desired: Cluster, observed: Observed) -> list[Step]:
    """One call for each kind of change: EKS takes one kind at a time, and one after the other."""
    differing = {name: (before, after) for name, before, after in _differences(desired, observed)}

    def update(names: Sequence[str], risk: Risk, *requests: Mapping[str, Any]) -> list[Step]:
        touched = [name for name in names if name in differing]
        before = {name: differing[name][0] for name in touched}
        after = {name: differing[name][1] for name in touched}
        return [_update(desired, request, before, after, risk) for request in requests] if touched else []

    endpoint = ("endpoint_public_access", "endpoint_private_access", "public_access_cidrs")
    place = ("subnet_ids", "security_group_ids")
    modes = _modes_between(observed["authentication_mode"], desired.authentication_mode)
    return [
        *update(
            ("authentication_mode",),
            Risk.IRREVERSIBLE,
            *({"accessConfig": {"authenticationMode": mode}} for mode in modes),
        ),
        *update(("logging",), Risk.SAFE, {"logging": _logging_request(desired.logging or (), LOG_TYPES)}),
        *update(("support_type",), Risk.SAFE, {"upgradePolicy": {"supportType": desired.support_type}}),
        *_change_protection(desired, observed),
        *_encrypt(desired, differing),
        *update(place, Risk.DISRUPTIVE, {"resourcesVpcConfig": _place_request(desired, differing)}),
        *update(endpoint, Risk.DISRUPTIVE, {"resourcesVpcConfig": _endpoint_request(desired, observed)}),
    ]


def _change_protection(desired: Cluster, observed: Observed) -> list[Step]:
    wanted, current = desired.deletion_protection, observed["deletion_protection"]
    if wanted in (None, current):
        return []
    field_name = "deletion_protection"
    return [_update(desired, {"deletionProtection": wanted}, {field_name: current}, {field_name: wanted}, Risk.SAFE)]


def _encrypt(desired: Cluster, differing: Mapping[str, Any]) -> list[Step]:
    if "encryption_key_arn" not in differing:
        return []
    before, after = differing["encryption_key_arn"]
    request = {"clusterName": desired.name, "encryptionConfig": _encryption_request(after)}
    return [
        Step(
            "eks",
            "AssociateEncryptionConfig",
            request,
            desired.address,
            {"encryption_key_arn": before},
            {"encryption_key_arn": after},
            Risk.IRREVERSIBLE,
            _update_wait(desired),
            retry=shared.BUSY,
        )
    ]


def _upgrade(desired: Cluster, observed: Observed) -> list[Step | Await]:
    """One step for each minor version on the way, and a last look for the platform version that came of it."""
    if desired.version in (None, observed["version"]):
        return []
    steps: list[Step | Await] = []
    before = observed["version"]
    for version in kubernetes_steps(before, str(desired.version)):
        request = {"name": desired.name, "version": version}
        steps.append(
            Step(
                "eks",
                "UpdateClusterVersion",
                request,
                desired.address,
                {"version": before},
                {"version": version},
                Risk.IRREVERSIBLE,
                _update_wait(desired),
                retry=shared.BUSY,
            )
        )
        before = version
    return [*steps, Await(desired.address, shared.active_wait(desired.name))]


def _change_tags(desired: Cluster, observed: Observed) -> list[Step]:
    return shared.tag_steps(observed["arn"], desired.address, observed["tags"], desired.tags, desired.purge_tags)


def _update(
    desired: Cluster, request: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], risk: Risk
) -> Step:
    return Step(
        "eks",
        "UpdateClusterConfig",
        {"name": desired.name, **request},
        desired.address,
        before,
        after,
        risk,
        _update_wait(desired),
        retry=shared.BUSY,
    )


def _update_wait(desired: Cluster) -> Wait:
    return shared.update_wait(desired.name, shared.update_id(desired.address), shared.CLUSTER_TIMEOUT)


def _modes_between(current: str, wanted: str | None) -> list[str]:
    """The authentication modes to go through: EKS refuses CONFIG_MAP to API in one step (pulumi-eks issue 1493)."""
    if wanted is None:
        return []
    return list(AUTHENTICATION_MODES[AUTHENTICATION_MODES.index(current) + 1 : AUTHENTICATION_MODES.index(wanted) + 1])


def _endpoint_request(desired: Cluster, observed: Observed) -> dict[str, Any]:
    public = effective(desired.endpoint_public_access, observed["endpoint_public_access"])
    return shared.given(
        endpointPublicAccess=public,
        endpointPrivateAccess=effective(desired.endpoint_private_access, observed["endpoint_private_access"]),
        publicAccessCidrs=_wanted_cidrs(desired, public) if public else None,
    )


def _place_request(desired: Cluster, differing: Mapping[str, Any]) -> dict[str, Any]:
    names = {"subnet_ids": "subnetIds", "security_group_ids": "securityGroupIds"}
    values = {"subnet_ids": desired.subnet_ids, "security_group_ids": desired.security_group_ids}
    return {names[name]: list(values[name] or ()) for name in names if name in differing}


def _logging_request(wanted: Sequence[str], everything: Sequence[str]) -> dict[str, Any]:
    off = [kind for kind in everything if kind not in wanted]
    setups = [{"types": sorted(wanted), "enabled": True}, {"types": off, "enabled": False}]
    return {"clusterLogging": [setup for setup in setups if setup["types"]]}


def _encryption_request(key_arn: str) -> list[dict[str, Any]]:
    return [{"resources": ["secrets"], "provider": {"keyArn": key_arn}}]


def _wanted_cidrs(desired: Cluster, public: bool) -> list[str] | None:
    """The public ranges in canonical form; None where they are not managed, or the public endpoint is off."""
    if desired.public_access_cidrs is None or not effective(desired.endpoint_public_access, public):
        return None
    return sorted({canonical(cidr) for cidr in desired.public_access_cidrs})


def _new_version(desired: Cluster, around: Surroundings) -> str:
    if desired.version is not None:
        return desired.version
    standard = [version for version, status in around.offered.items() if status == "STANDARD_SUPPORT"]
    return max(standard or around.offered, key=KubernetesVersion.parse)


_NETWORK = "cluster.kubernetesNetworkConfig"
_VPC = "cluster.resourcesVpcConfig"
_PLATFORM = "cluster.platformVersion"


def _decided(address: str) -> dict[str, Ref]:
    """What AWS decides while it makes a cluster."""
    service = f"{_NETWORK}.serviceIpv6Cidr || {_NETWORK}.serviceIpv4Cidr"
    return {
        "arn": Ref(address, "cluster.arn"),
        "status": Ref(address, "cluster.status"),
        "platform_version": Ref(address, _PLATFORM),
        "cluster_dns_ip": Ref(address, service, via=dns_address, label=f"{address}/dns"),
        "endpoint": Ref(address, "cluster.endpoint"),
        "certificate_authority_data": Ref(address, "cluster.certificateAuthority.data"),
        "oidc_issuer": Ref(address, "cluster.identity.oidc.issuer"),
        "cluster_security_group_id": Ref(address, f"{_VPC}.clusterSecurityGroupId"),
        "vpc_id": Ref(address, f"{_VPC}.vpcId"),
    }


def _new_facts(desired: Cluster, around: Surroundings) -> dict[str, Any]:
    address, ipv6 = desired.address, desired.ip_family == "ipv6"
    vpcs = {subnet.vpc_id for subnet in around.subnets.values()}
    found: dict[str, Any] = {
        "name": desired.name,
        "version": _new_version(desired, around),
        "ip_family": desired.ip_family,
        "service_ipv6_cidr": Ref(address, f"{_NETWORK}.serviceIpv6Cidr") if ipv6 else None,
        "service_ipv4_cidr": None if ipv6 else desired.service_ipv4_cidr or Ref(address, f"{_NETWORK}.serviceIpv4Cidr"),
        "subnet_ids": list(desired.subnet_ids or ()),
        "security_group_ids": list(desired.security_group_ids or ()),
        "role_arn": desired.role_arn,
        "endpoint_public_access": effective(desired.endpoint_public_access, True),
        "endpoint_private_access": effective(desired.endpoint_private_access, False),
        "public_access_cidrs": _wanted_cidrs(desired, True) or Ref(address, f"{_VPC}.publicAccessCidrs"),
        "authentication_mode": desired.authentication_mode or DEFAULT_AUTHENTICATION_MODE,
        "logging": sorted(desired.logging or ()),
        "encryption_key_arn": desired.encryption_key_arn or None,
        "deletion_protection": bool(desired.deletion_protection),
        "support_type": desired.support_type or Ref(address, "cluster.upgradePolicy.supportType"),
        "health_issues": [],
        "tags": dict(desired.tags or {}),
    }
    decided = _decided(address)
    if len(vpcs) == 1:
        decided.pop("vpc_id")
        found["vpc_id"] = next(iter(vpcs))
    return {**decided, **found}


def _reader(session: Session, name: str) -> Callable[[], Any]:
    return lambda: shared.find_cluster(session, name)
