# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API server in threads of this process, on 127.0.0.1 and over TLS."""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from . import manifests, tls, tokens
from .controllers import Controllers
from .errors import StatusError
from .journal import Failure, Journal
from .objects import Objects
from .pods import Rule
from .registry import Registry
from .routes import Routes
from .server import Server
from .services import Services

DEFAULT_SECRETS = {"testing": "testing", "test": "test"}
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def default_secrets() -> tokens.Secrets:
    """The access keys that tests use, and the one in this process' environment."""
    known = dict(DEFAULT_SECRETS)
    if "AWS_ACCESS_KEY_ID" in os.environ:
        known[os.environ["AWS_ACCESS_KEY_ID"]] = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    return tokens.static_secrets(known)


class KubernetesAPI:
    """One cluster's API server.

    Args:
        service_cidr: the service range; its family is the cluster's.
        cluster_name: what bearer tokens must be signed for.
        port: TCP port on 127.0.0.1; 0 takes a free one.
        version: of Kubernetes, such as 1.33.
        secrets: access keys that tokens may be signed with (see `tokens.Secrets`); default: `default_secrets()`.
        sts_hosts: hosts (with port) of emulated STS services that tokens may name.
        admits: whether an IAM principal's ARN may enter; by default whoever can sign may do everything.
        rollout_polls: how many reads a rollout takes (see `controllers`).

    Use as a context manager, or `start()` and `stop()`. `journal`, `objects` and `failures` are live.
    """

    def __init__(
        self,
        service_cidr: str = "fd00:ec2:6::/108",
        cluster_name: str = "test",
        port: int = 0,
        *,
        version: str = "1.33",
        secrets: tokens.Secrets | Mapping[str, str] | None = None,
        sts_hosts: frozenset[str] = frozenset(),
        admits: Callable[[str], bool] = lambda _unused: True,
        rollout_polls: int = 2,
    ) -> None:
        if isinstance(secrets, Mapping):
            secrets = tokens.static_secrets(secrets)
        self.cluster_name = cluster_name
        self.services = Services(service_cidr)
        self.journal = Journal()
        self.failures: list[Failure] = []
        self.verifier = tokens.Verifier(cluster_name, secrets or default_secrets(), sts_hosts)
        self.admits = admits
        self.registry = Registry(self.services)
        self.controllers = Controllers(self.registry, rollout_polls)
        self.objects = Objects(self.registry)
        self.admin_token = _random_token()
        self._identity = tls.make(cluster_name)
        self.controllers.ca_pem = self.ca_pem
        self._routes = Routes(self.registry, self.journal, self.controllers, version)
        self._port = port
        self._server: Server | None = None
        self._populate()

    # --- running ---------------------------------------------------------------------------------------------------

    def start(self) -> KubernetesAPI:
        """Serves from now on; on the port of before when it was stopped."""
        if self._server is not None:
            return self
        server = Server(self._port, self._identity.context(), self._routes, self.failures)
        self._port = server.server_address[1]
        server.authenticate, server.control = self.authenticate, self._control
        self._routes.address, self._routes.running = self.url.removeprefix("https://"), True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._server = server
        return self

    def stop(self) -> None:
        """Ends the server and its watches; the objects stay."""
        if self._server is not None:
            self._routes.running = False
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None

    def __enter__(self) -> KubernetesAPI:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def reset(self) -> None:
        """A new cluster's objects, no failures or rules, an empty journal."""
        with self.registry.store.lock:
            self.registry.store.wipe()
            self.registry.custom.clear()
            self.controllers.forget()
            self._populate()
        self.failures.clear()
        self.journal.clear()

    def _populate(self) -> None:
        for name in NAMESPACES:
            self.objects.create("Namespace", name)
        self.objects.add(
            *manifests.api_service(self.services.api_address),
            *manifests.priority_classes(),
            *manifests.cni_definitions(),
        )

    # --- reaching it -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def ca_pem(self) -> str:
        """The certificate authority, PEM."""
        return self._identity.ca_pem

    @property
    def ca_data(self) -> str:
        """The certificate authority as DescribeCluster and kubeconfigs have it: PEM in base64."""
        return base64.b64encode(self.ca_pem.encode()).decode()

    def kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig for the administrator, as data (JSON is YAML)."""
        cluster = {"server": self.url, "certificate-authority-data": self.ca_data}
        name = self.cluster_name
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.admin_token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
        }

    def authenticate(self, token: str) -> str:
        """Who a bearer token speaks for; raises StatusError 401."""
        if secrets.compare_digest(token.encode(), self.admin_token.encode()):
            return "kubernetes-admin"
        try:
            arn = self.verifier.principal(token).arn
        except tokens.Rejected as why:
            raise StatusError(401, str(why)) from None
        if not self.admits(arn):
            raise StatusError(401, f"{arn} has no access to the cluster")
        return arn

    # --- what tests do to it ---------------------------------------------------------------------------------------

    def fail(self, verb: str = "*", resource: str = "*", **more: Any) -> Failure:
        """Makes matching requests fail; see `journal.Failure` for the fields."""
        failure = Failure(verb, resource, **more)
        self.failures.append(failure)
        return failure

    def add_rule(self, rule: Rule) -> None:
        """Adds a rule by which pods crash, and lets it work on what runs: see `pods.Rule`."""
        self.controllers.rules.append(rule)

    def _control(self, method: str, path: tuple[str, ...], body: bytes) -> tuple[int, Any]:
        """The server's own API, under /_emulator, for tests in another process; open to whoever reaches loopback."""
        try:
            data = json.loads(body) if body else {}
            return 200, self._verbs(method, "/".join(path), data)
        except LookupError:
            return 404, {"message": "no such verb; see the README"}
        except (ValueError, TypeError) as problem:
            return 400, {"message": str(problem)}

    def _verbs(self, method: str, path: str, data: dict[str, Any]) -> Any:
        if (method, path) == ("GET", "journal"):
            return {"requests": self.journal.to_dicts()}
        if (method, path) == ("GET", "kubeconfig"):
            return self.kubeconfig()
        verbs: dict[tuple[str, str], Callable[[], Any]] = {
            ("POST", "reset"): self.reset,
            ("DELETE", "journal"): self.journal.clear,
            ("POST", "failures"): lambda: self.failures.append(Failure.from_dict(data)),
            ("DELETE", "failures"): self.failures.clear,
            ("POST", "resync"): self.controllers.resync,
        }
        verbs[(method, path)]()
        return {}


def _random_token() -> str:
    return secrets.token_hex(16)
