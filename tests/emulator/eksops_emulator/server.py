# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a server in a thread of this process, on 127.0.0.1."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from . import drift, overlay, states
from .control import Control
from .faults import Fault, Faults
from .gate import Gate
from .journal import Journal
from .kubernetes import ClusterEndpoints


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        # Without this, Nagle's algorithm and delayed acknowledgements add 40 ms to every answer on a kept connection.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Says nothing: the journal has it."""


class Emulator(ThreadedMotoServer):
    """An AWS at `url`. One per process, since moto's state is the process's.

    Args:
        port: TCP port on 127.0.0.1; 0 takes a free one.
        kubernetes: give every EKS cluster a Kubernetes API server of its own, at the address that DescribeCluster
            hands out; `kubernetes.get(name)` is it.

    Use as a context manager, or `start()` and `stop()`. `journal`, `faults` and `drift` are live objects.
    """

    def __init__(self, port: int = 0, *, kubernetes: bool = False) -> None:
        super().__init__("127.0.0.1", port, verbose=False)
        self.journal = Journal()
        self.faults = Faults()
        self.on_reset: list[Callable[[], None]] = []
        self.gate: Gate | None = None
        self._bound = -1
        self.kubernetes = ClusterEndpoints(self) if kubernetes else None

    def start(self) -> Emulator:  # type: ignore[override]
        """Starts serving. Raises OSError when the port is taken."""
        overlay.install()
        overlay.use_faults(self.faults)
        # Bound here and not in the server's thread, where a port that is taken would go unheard.
        with socket.create_server((self._ip_address, self._port)) as bound:
            self._port = bound.getsockname()[1]
            self._bound = bound.fileno()
            super().start()
        self.reset()
        if self.kubernetes is not None:
            self.kubernetes.install()
        return self

    def _server_entry(self) -> None:
        moto = DomainDispatcherApplication(create_backend_app)
        self.gate = Gate(moto, Control(self), self.journal, self.faults)
        self._server = make_server(
            self._ip_address, self._port, self.gate, True, request_handler=_Handler, fd=self._bound
        )
        self._server_ready_event.set()
        self._server.serve_forever(poll_interval=0.05)  # what stop() waits for at most

    def stop(self) -> None:
        if self.kubernetes is not None:
            self.kubernetes.uninstall()
        if self._server is not None:
            super().stop()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        host, port = self.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def drift(self) -> list[str]:
        """What the emulator found wrong with itself; empty when all is well."""
        return drift.DRIFT

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point boto3, the AWS CLI and amazon.aws at this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def reset(self) -> None:
        """An empty account again: no resources, calls, faults, drift; default transitions; IAM not enforced."""
        assert self.gate is not None
        with self.gate.lock:
            _forget()
            states.reset()
            self.faults.reset()
            self.journal.clear()
            drift.DRIFT.clear()
            self.enforce_iam(False)
            for callback in self.on_reset:
                callback()

    def fault(self, service: str = "*", operation: str = "*", kind: str = "error", **more: Any) -> Fault:
        """Puts a fault in force; see `faults.Fault` for the fields."""
        return self.faults.add(Fault(service, operation, kind, **more))

    def transitions(self, model_name: str = "*", **transition: Any) -> None:
        """How soon states change: see `states.set_transition`."""
        states.set_transition(model_name, **transition)

    def enforce_iam(self, enabled: bool) -> None:
        """From now on a call needs a known access key and a policy that allows it; or no longer."""
        from moto import settings
        from moto.core.authorization import ActionAuthenticatorMixin

        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if enabled else float("inf")
        ActionAuthenticatorMixin.request_count = 0

    def ipv6_pool(self, cidr: str, region: str = "eu-west-1", account: str = DEFAULT_ACCOUNT_ID) -> str:
        """Gives an account a BYOIP pool of IPv6 addresses, as DescribeIpv6Pools shows it; its id."""
        from moto.ec2.models import ec2_backends

        pool_id: str = ec2_backends[account][region].add_byoip_pool(cidr).id  # type: ignore[attr-defined]
        return pool_id

    def network_acl_quota(self, entries: int, region: str = "eu-west-1", account: str = DEFAULT_ACCOUNT_ID) -> None:
        """How many entries an account may have in one direction of a network ACL, instead of 20."""
        from moto.ec2.models import ec2_backends

        ec2_backends[account][region].network_acl_quota = int(entries)  # type: ignore[attr-defined]

    def seed(self, seed: int) -> None:
        """Makes the ids to come repeatable: the same calls after the same seed give the same ids."""
        from moto.moto_api._internal import mock_random

        mock_random.seed(seed)


def _forget() -> None:
    """Drops every backend of moto. Its own reset builds each of them anew first, and then drops it: 0.8 s."""
    from moto.core.base_backend import BackendDict, backend_lock
    from moto.core.model_instances import reset_model_data

    overlay.require(BackendDict, "_instances")
    with backend_lock:
        for backends in BackendDict._instances:  # type: ignore[misc]
            backends.clear()
        BackendDict._instances.clear()  # type: ignore[misc]
    reset_model_data()
