# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OIDC identity provider that a cluster can be associated with: at most one."""

from __future__ import annotations

import json

from . import life
from .errors import InvalidParameter, ResourceInUse, ResourceNotFound
from .life import Life
from .state import Cluster, Facts, Request, Resource, State, check_tags, page, uuid


class IdentityProviders(State):
    """Associate, Describe, List and DisassociateIdentityProviderConfig."""

    def associate_identity_provider_config(self, request: Request) -> Facts:
        cluster = self.active_cluster(request["clusterName"])
        oidc = request["oidc"]
        check_tags(request.get("tags", {}))
        if cluster.identity_providers:
            raise ResourceInUse("Cluster already has an identity provider config associated", clusterName=cluster.name)
        if not oidc["issuerUrl"].startswith("https://"):
            raise InvalidParameter("issuerUrl must begin with https://", clusterName=cluster.name)
        name = oidc["identityProviderConfigName"]
        kind = "AssociateIdentityProviderConfig"
        self.refuse_second_update(cluster, kind)
        facts: Facts = {
            **oidc,
            "identityProviderConfigArn": self.make_arn(f"identityproviderconfig/{cluster.name}/oidc/{name}/{uuid()}"),
            "clusterName": cluster.name,
            "tags": dict(request.get("tags", {})),
        }
        provider = Resource(facts, Life(life.UPDATE, "CREATING"))
        cluster.identity_providers[name] = provider

        def finish() -> list[Facts]:
            provider.life.set("ACTIVE")
            return []

        params = [("IdentityProviderConfig", json.dumps([{"type": "oidc", "name": name}]))]
        update = self.begin_update(cluster, None, kind, params, finish)
        return {"update": update.describe(), "tags": facts["tags"]}

    def describe_identity_provider_config(self, request: Request) -> Facts:
        cluster, name = self._named(request)
        running = self.running_update(cluster, None)
        if running is not None:
            running.life.poll()
        cluster, name = self._named(request)
        return {"identityProviderConfig": {"oidc": cluster.identity_providers[name].describe()}}

    def list_identity_provider_configs(self, request: Request) -> Facts:
        cluster = self.cluster(request["clusterName"])
        found, more = page([{"type": "oidc", "name": name} for name in cluster.identity_providers], request)
        return {"identityProviderConfigs": found, **more}

    def disassociate_identity_provider_config(self, request: Request) -> Facts:
        cluster, name = self._named(request)
        kind = "DisassociateIdentityProviderConfig"
        self.refuse_second_update(cluster, kind)
        cluster.identity_providers[name].life.set("DELETING")

        def finish() -> list[Facts]:
            cluster.identity_providers.pop(name, None)
            return []

        params = [("IdentityProviderConfig", json.dumps([{"type": "oidc", "name": name}]))]
        return {"update": self.begin_update(cluster, None, kind, params, finish).describe()}

    def _named(self, request: Request) -> tuple[Cluster, str]:
        cluster = self.cluster(request["clusterName"])
        config = request["identityProviderConfig"]
        if config["type"] != "oidc":
            raise InvalidParameter("The identity provider config type must be oidc", clusterName=cluster.name)
        if config["name"] not in cluster.identity_providers:
            raise ResourceNotFound("Identity provider config is not associated with cluster", clusterName=cluster.name)
        return cluster, config["name"]
