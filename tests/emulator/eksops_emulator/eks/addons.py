# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add-ons of a cluster: create, update, describe, list, delete."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from . import hooks, life
from .catalogue import ADDONS, BOOTSTRAPPED, AddonType, parse
from .errors import InvalidParameter, ResourceInUse, ResourceNotFound
from .health import refresh_nodes, workload_issue
from .life import Life
from .pod_identity import create_association
from .schemas import read_values
from .state import Addon, Cluster, Facts, Request, SelfManaged, State, check_tags, now, page, uuid

CONFLICT_MESSAGE = "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:\n"
# Values in the manifest EKS installs; a client that configures another value meets the field's owner.
_MANIFEST_ENVIRONMENT = {"WARM_ENI_TARGET": "1", "WARM_PREFIX_TARGET": "1", "ENABLE_POD_ENI": "false"}


class Addons(State):
    """CreateAddon, DescribeAddon, ListAddons, UpdateAddon, DeleteAddon."""

    def create_addon(self, request: Request) -> Facts:
        cluster = self.active_cluster(request["clusterName"])
        name = request["addonName"]
        kind = _kind(cluster, name)
        check_tags(request.get("tags", {}))
        if name in cluster.addons:
            raise ResourceInUse("Addon already exists.", clusterName=cluster.name, addonName=name)
        version = request.get("addonVersion") or kind.default(cluster.version)
        _check_version(cluster, kind, version)
        read_values(name, version, request.get("configurationValues"), cluster.name)
        _check_role_arn(cluster, request.get("serviceAccountRoleArn"))
        wanted = _check_pod_identity(cluster, kind, version, request.get("podIdentityAssociations"))
        arn = self.make_arn(f"addon/{cluster.name}/{name}/{uuid()}")
        associations = [create_association(self, cluster, item, owner_arn=arn) for item in wanted or []]
        facts: Facts = {
            "addonName": name,
            "clusterName": cluster.name,
            "addonVersion": version,
            "health": {"issues": []},
            "addonArn": arn,
            "createdAt": now(),
            "modifiedAt": now(),
            "tags": dict(request.get("tags", {})),
            "namespaceConfig": {"namespace": request.get("namespaceConfig", {}).get("namespace", "kube-system")},
        }
        for member in ("serviceAccountRoleArn", "configurationValues"):
            if request.get(member):
                facts[member] = request[member]
        if associations:
            facts["podIdentityAssociations"] = [association["associationArn"] for association in associations]
        addon = Addon(facts, Life(life.ADDON, "CREATING"))
        cluster.addons[name] = addon
        mode = request.get("resolveConflicts", "NONE")
        addon.life.begin("CREATING", lambda: self._addon_created(cluster, addon, mode))
        return {"addon": addon.describe()}

    def describe_addon(self, request: Request) -> Facts:
        cluster, addon = self._addon(request)
        addon.life.poll()
        running = self.running_update(cluster, ("addon", request["addonName"]))
        if running is not None:
            running.life.poll()
        cluster, addon = self._addon(request)
        self._refresh_addon(cluster, addon)
        return {"addon": self._addon_facts(cluster, addon)}

    def list_addons(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        for addon in list(cluster.addons.values()):
            if addon.life.state == "DELETING":
                addon.life.poll()
        names, more = page(sorted(cluster.addons), request)
        return {"addons": names, **more}

    def update_addon(self, request: Request) -> Facts:
        cluster, addon = self._addon(request)
        self.active_cluster(cluster.name)
        name, facts = request["addonName"], addon.facts
        status = self._addon_facts(cluster, addon)["status"]
        if status in ("CREATING", "UPDATING", "DELETING"):
            raise ResourceInUse(
                f"Addon {name} cannot be updated as it is currently in {status} state",
                clusterName=cluster.name,
                addonName=name,
            )
        kind = _kind(cluster, name)
        version = str(request.get("addonVersion") or facts["addonVersion"])
        _check_version(cluster, kind, version)
        _check_one_minor(cluster, name, str(facts["addonVersion"]), version)
        text = request.get("configurationValues", facts.get("configurationValues"))
        read_values(name, version, text, cluster.name)
        _check_role_arn(cluster, request.get("serviceAccountRoleArn"))
        wanted = _check_pod_identity(cluster, kind, version, request.get("podIdentityAssociations"))
        self._replace_associations(cluster, addon, wanted)
        mode = request.get("resolveConflicts", "NONE")
        params = _update_params(request, mode)
        finish = partial(self._addon_updated, cluster, addon, request, mode)
        update = self.begin_update(cluster, ("addon", name), "AddonUpdate", params, finish)
        return {"update": update.describe()}

    def delete_addon(self, request: Request) -> Facts:
        cluster, addon = self._addon(request)
        name = request["addonName"]
        status = self._addon_facts(cluster, addon)["status"]
        if status in ("CREATING", "UPDATING"):
            raise InvalidParameter(
                f"Addon {name} cannot be deleted as it is currently in {status} state",
                clusterName=cluster.name,
                addonName=name,
            )
        preserve = request.get("preserve", False)
        if status != "DELETING":
            addon.life.begin("DELETING", lambda: self._addon_deleted(cluster, addon, preserve))
        return {"addon": addon.describe()}

    def _addon(self, request: Request) -> tuple[Cluster, Addon]:
        cluster = self.cluster(request["clusterName"])
        name = request["addonName"]
        if name not in cluster.addons:
            raise ResourceNotFound(
                f"No addon: {name} found in cluster: {cluster.name}", clusterName=cluster.name, addonName=name
            )
        return cluster, cluster.addons[name]

    def _addon_facts(self, cluster: Cluster, addon: Addon) -> Facts:
        facts = addon.describe()
        if self.running_update(cluster, ("addon", facts["addonName"])):
            facts["status"] = "UPDATING"
        return facts

    def _refresh_addon(self, cluster: Cluster, addon: Addon) -> None:
        """A settled add-on is DEGRADED while its pods can't run, and ACTIVE again when they can."""
        name = addon.facts["addonName"]
        state = addon.life.state
        # A running aws-node keeps going; a crashing one comes up as soon as its role allows what it calls.
        if addon.life.busy or state not in ("ACTIVE", "DEGRADED") or (name == "vpc-cni" and state == "ACTIVE"):
            return
        issue = workload_issue(self, cluster, name)
        addon.facts["health"] = {"issues": [issue] if issue else []}
        addon.life.set("DEGRADED" if issue else "ACTIVE")

    def _addon_created(self, cluster: Cluster, addon: Addon, mode: str) -> str:
        name = addon.facts["addonName"]
        conflicts = self._conflicts(cluster, addon, mode, adopting=True)
        if conflicts:
            addon.facts["health"] = {"issues": [_conflict_issue(conflicts)]}
            return "CREATE_FAILED"
        cluster.self_managed.pop(name, None)
        self._applied(cluster, addon)
        issue = workload_issue(self, cluster, name)
        addon.facts["health"] = {"issues": [issue] if issue else []}
        return "DEGRADED" if issue else "ACTIVE"

    def _addon_updated(self, cluster: Cluster, addon: Addon, request: Request, mode: str) -> list[Facts]:
        """The update's errors. A conflict applies nothing; missing replicas leave the new version (presumed)."""
        facts, name = addon.facts, addon.facts["addonName"]
        conflicts = self._conflicts(cluster, addon, mode, adopting=False)
        facts["modifiedAt"] = now()
        if conflicts:
            addon.life.set("UPDATE_FAILED")
            facts["health"] = {"issues": [_conflict_issue(conflicts)]}
            return [_error("ConfigurationConflict", CONFLICT_MESSAGE + "\n".join(conflicts))]
        for member in ("addonVersion", "configurationValues"):
            if member in request:
                facts[member] = request[member]
        # Without a role the add-on uses the node's (UpdateAddon's documentation); that omission clears it is presumed.
        facts.pop("serviceAccountRoleArn", None)
        if request.get("serviceAccountRoleArn"):
            facts["serviceAccountRoleArn"] = request["serviceAccountRoleArn"]
        self._applied(cluster, addon)
        issue = workload_issue(self, cluster, name)
        facts["health"] = {"issues": [issue] if issue else []}
        if issue is None:
            addon.life.set("ACTIVE")
            return []
        # The CNI's form is in amazon-vpc-cni-k8s#3704, the Deployments' in terraform-provider-aws#49104.
        addon.life.set("UPDATE_FAILED" if name == "vpc-cni" else "DEGRADED")
        return [_error(issue["code"], issue["message"])]

    def _applied(self, cluster: Cluster, addon: Addon) -> None:
        facts = addon.facts
        if facts["addonName"] in ("vpc-cni", "eks-pod-identity-agent"):
            refresh_nodes(self, cluster)
        self.tell_addon(
            cluster, facts["addonName"], str(facts["addonVersion"]), facts.get("configurationValues"), managed=True
        )

    def _addon_deleted(self, cluster: Cluster, addon: Addon, preserve: bool) -> str:
        facts = addon.facts
        name = facts["addonName"]
        cluster.addons.pop(name, None)
        for identity, association in list(cluster.associations.items()):
            if association.get("ownerArn") == facts["addonArn"]:
                del cluster.associations[identity]
        if preserve:
            cluster.self_managed[name] = SelfManaged(str(facts["addonVersion"]))
        self.tell_addon(cluster, name, str(facts["addonVersion"]) if preserve else None, None, managed=False)
        if not preserve:
            refresh_nodes(self, cluster)
        return "DELETING"

    def tell_addon(self, cluster: Cluster, name: str, version: str | None, text: str | None, managed: bool) -> None:
        """Let a Kubernetes API server know what runs."""
        if hooks.addon_changed is not None:
            values = read_values(name, version, text, cluster.name) if version else {}
            facts = {**cluster.facts, "status": self.cluster_status(cluster)}
            hooks.addon_changed(self.account_id, self.region_name, facts, name, version, values, managed)

    def _conflicts(self, cluster: Cluster, addon: Addon, mode: str, adopting: bool) -> list[str]:
        """Fields that somebody else owns. OVERWRITE takes them; on an update PRESERVE leaves them in peace."""
        if mode == "OVERWRITE" or (mode == "PRESERVE" and not adopting):
            return []
        name = addon.facts["addonName"]
        kept = cluster.self_managed.get(name)
        found: list[str] = []
        if adopting and kept is not None:
            found = [*_manifest_conflicts(addon, kept), *kept.changes]
        if hooks.addon_conflicts is not None:
            facts = {**cluster.facts, "status": self.cluster_status(cluster)}
            found += hooks.addon_conflicts(self.account_id, self.region_name, facts, name)
        return found

    def _replace_associations(self, cluster: Cluster, addon: Addon, wanted: list[dict[str, Any]] | None) -> None:
        """None changes nothing, an empty list deletes the add-on's own, another list replaces them all."""
        if wanted is None:
            return
        arn = addon.facts["addonArn"]
        owned = {key: value for key, value in cluster.associations.items() if value.get("ownerArn") == arn}
        for key in owned:
            del cluster.associations[key]
        try:
            made = [create_association(self, cluster, item, owner_arn=arn) for item in wanted]
        except (InvalidParameter, ResourceInUse):
            cluster.associations.update(owned)
            raise
        addon.facts.pop("podIdentityAssociations", None)
        if made:
            addon.facts["podIdentityAssociations"] = [association["associationArn"] for association in made]


def bootstrap_self_managed(state: Any, cluster: Cluster) -> None:
    """The networking add-ons that CreateCluster puts into a new cluster, not managed by EKS."""
    for name in BOOTSTRAPPED:
        version = ADDONS[name].default(cluster.version)
        cluster.self_managed[name] = SelfManaged(version)
        state.tell_addon(cluster, name, version, None, managed=False)


def _kind(cluster: Cluster, name: str) -> AddonType:
    if name not in ADDONS:
        raise InvalidParameter(f"Addon {name} is not supported", clusterName=cluster.name, addonName=name)
    return ADDONS[name]


def _check_version(cluster: Cluster, kind: AddonType, version: str) -> None:
    if version not in kind.versions(cluster.version):
        raise InvalidParameter(
            "Addon version specified is not supported", clusterName=cluster.name, addonName=kind.name
        )


def _check_one_minor(cluster: Cluster, name: str, current: str, wanted: str) -> None:
    """The VPC CNI moves one minor version at a time (awsdocs/amazon-eks-user-guide#672)."""
    if name == "vpc-cni" and abs(parse(wanted)[1] - parse(current)[1]) > 1:
        raise InvalidParameter(
            "Updating VPC-CNI can only go up or down 1 minor version at a time",
            clusterName=cluster.name,
            addonName=name,
        )


def _check_role_arn(cluster: Cluster, arn: str | None) -> None:
    if arn is not None and (not arn.startswith("arn:") or ":role/" not in arn):
        raise InvalidParameter(f"The role ARN {arn} is not valid", clusterName=cluster.name)


def _check_pod_identity(
    cluster: Cluster, kind: AddonType, version: str, wanted: list[Facts] | None
) -> list[dict[str, Any]] | None:
    """The add-on's associations as CreatePodIdentityAssociation takes them (texts: terraform-aws-eks#3520)."""
    if not wanted:
        return wanted
    members: dict[str, str] = {"clusterName": cluster.name, "addonName": kind.name}
    if not kind.service_accounts or parse(version) < parse(kind.pod_identity_since):
        raise InvalidParameter(f"Pod Identity feature is not supported for addon version: {version}", **members)
    for item in wanted:
        if item["serviceAccount"] not in kind.service_accounts:
            raise InvalidParameter(
                f"Service account {item['serviceAccount']} in pod identity configuration is not supported for addon "
                f"{kind.name}",
                **members,
            )
    return [{"namespace": "kube-system", **item} for item in wanted]


def _manifest_conflicts(addon: Addon, kept: SelfManaged) -> list[str]:
    """What differs between the running manifest and the add-on's: the image, and values that are configured."""
    kind = ADDONS[addon.facts["addonName"]]
    where = f'{kind.workload}.apps {kind.image} - .spec.template.spec.containers[name="{kind.image}"]'
    found = [f"{where}.image"] if kept.version != addon.facts["addonVersion"] else []
    values = read_values(kind.name, str(addon.facts["addonVersion"]), addon.facts.get("configurationValues"), "")
    if kind.name == "vpc-cni":
        for key, value in values.get("env", {}).items():
            if _MANIFEST_ENVIRONMENT.get(key, value) != value:
                found.append(f'{where}.env[name="{key}"].value')
    return found


def _update_params(request: Request, mode: str) -> list[tuple[str, Any]]:
    names = {
        "addonVersion": "AddonVersion",
        "serviceAccountRoleArn": "ServiceAccountRoleArn",
        "configurationValues": "ConfigurationValues",
    }
    params = [(name, request[member]) for member, name in names.items() if member in request]
    if "podIdentityAssociations" in request:
        params.append(("PodIdentityAssociations", json.dumps(request["podIdentityAssociations"])))
    return [*params, ("ResolveConflicts", mode)]


def _conflict_issue(conflicts: list[str]) -> Facts:
    return {"code": "ConfigurationConflict", "message": CONFLICT_MESSAGE + "\n".join(conflicts), "resourceIds": []}


def _error(code: str, message: str) -> Facts:
    return {"errorCode": code, "errorMessage": message, "resourceIds": []}
