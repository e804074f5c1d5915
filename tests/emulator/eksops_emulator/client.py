# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's control verbs from another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from .journal import Call, from_dict, writes


class EmulatorClient:
    """Talks to an emulator at `url`. A verb that the emulator refuses raises ValueError with its sentence."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/_emulator{path}",
            data=None if data is None else json.dumps(data).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                result: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            raise ValueError(json.load(refused)["message"]) from refused
        return result

    def health(self) -> dict[str, Any]:
        return self._call("GET", "")

    def reset(self) -> None:
        self._call("POST", "/reset", {})

    def journal(self) -> list[Call]:
        """All calls since the last reset or clear."""
        return [from_dict(item) for item in self._call("GET", "/journal")["calls"]]

    def writes(self, ok_only: bool = False) -> list[Call]:
        """The calls that change something; with `ok_only` without those that were refused."""
        return writes(self.journal(), ok_only)

    def clear(self) -> None:
        """Empties the journal, and nothing else."""
        self._call("DELETE", "/journal")

    def fault(self, service: str = "*", operation: str = "*", kind: str = "error", **more: Any) -> dict[str, Any]:
        """Puts a fault in force; see `faults.Fault` for the fields."""
        return self._call("POST", "/faults", {"service": service, "operation": operation, "kind": kind, **more})

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def transitions(self, model_name: str = "*", **transition: Any) -> None:
        """How soon states change: `times=3`, `seconds=1`, or `progression="immediate"`."""
        self._call("POST", "/transitions", {"model_name": model_name, **transition})

    def drift(self) -> list[str]:
        found: list[str] = self._call("GET", "/drift")["drift"]
        return found

    def clear_drift(self) -> None:
        self._call("DELETE", "/drift")

    def enforce_iam(self, enabled: bool) -> None:
        self._call("POST", "/iam-enforcement", {"enabled": enabled})

    def ipv6_pool(self, cidr: str, region: str = "eu-west-1") -> str:
        """Gives the account a BYOIP pool of IPv6 addresses; its id."""
        pool_id: str = self._call("POST", "/ipv6-pools", {"cidr": cidr, "region": region})["pool_id"]
        return pool_id

    def network_acl_quota(self, entries: int, region: str = "eu-west-1") -> None:
        """How many entries the account may have in one direction of a network ACL, instead of 20."""
        self._call("POST", "/network-acl-quota", {"entries": entries, "region": region})

    def kubernetes(self) -> list[dict[str, Any]]:
        """The Kubernetes API servers of the clusters: account, region, name, url, kubeconfig."""
        found: list[dict[str, Any]] = self._call("GET", "/kubernetes")["clusters"]
        return found

    def seed(self, seed: int) -> None:
        self._call("POST", "/seed", {"seed": seed})
