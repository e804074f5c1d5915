# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: cluster addresses out of the service range, IP families, node ports.

A cluster of one family, as every EKS cluster is, gives its services that family and refuses the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from .errors import Cause, invalid_value, required

NODE_PORTS = range(30000, 32768)
# Kubernetes gives out the upper part of the range first, so that low addresses stay free for fixed ones.
_RESERVED = 0x100


class Services:
    """The service side of a cluster with the range `cidr`."""

    def __init__(self, cidr: str) -> None:
        self.network: IPv4Network | IPv6Network = ip_network(cidr)
        if self.network.num_addresses > 2**20:
            size = self.network.max_prefixlen
            raise ValueError(f"service range {cidr} is too large: in {size} bits the mask must be >= {size - 20}")
        self.family = f"IPv{self.network.version}"

    @property
    def api_address(self) -> str:
        """The address of the service `kubernetes`: the first of the range."""
        return str(self.network[1])

    @property
    def dns_address(self) -> str:
        """The address that EKS gives kube-dns: the tenth of the range."""
        return str(self.network[10])

    def prepare(self, new: dict[str, Any], old: dict[str, Any] | None, others: Iterable[dict[str, Any]]) -> list[Cause]:
        """Gives a service its addresses and ports in place; what is wrong with it, if anything is.

        `others` are all services that exist, `old` among them.
        """
        spec, before = new.setdefault("spec", {}), (old or {}).get("spec", {})
        others = [item["spec"] for item in others if old is None or item["metadata"]["uid"] != old["metadata"]["uid"]]
        causes = list(_ports(spec))
        if spec.get("type") == "ExternalName":
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(name, None)
            return causes if spec.get("externalName") else [*causes, required("spec.externalName")]
        self._keep(spec, before)
        causes += [*self._families(spec, before), *self._address(spec, before, others)]
        self._traffic(spec)
        if spec["type"] in ("NodePort", "LoadBalancer"):
            causes += list(_node_ports(spec, others))
        else:
            for port in spec.get("ports", []):
                port.pop("nodePort", None)
        return causes

    def _keep(self, spec: dict[str, Any], before: dict[str, Any]) -> None:
        # An update that leaves the allocated values out keeps them.
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if name in before and not spec.get(name):
                spec[name] = before[name]
        if not before:
            return
        held = {(port["port"], port.get("protocol")): port for port in before.get("ports", [])}
        for port in spec.get("ports", []):
            known = held.get((port.get("port"), port.get("protocol")), {})
            if "nodePort" in known:
                port.setdefault("nodePort", known["nodePort"])

    def _families(self, spec: dict[str, Any], before: dict[str, Any]) -> Iterator[Cause]:
        headless = spec.get("clusterIP") == "None" or spec.get("clusterIPs") == ["None"]
        if headless and not spec.get("selector") and not spec.get("ipFamilies"):
            other = "IPv4" if self.family == "IPv6" else "IPv6"
            spec["ipFamilies"], spec["ipFamilyPolicy"] = [self.family, other], "RequireDualStack"
            return
        wanted = spec.get("ipFamilies") or [self.family]
        if before.get("ipFamilies") and wanted[:1] != before["ipFamilies"][:1]:
            yield invalid_value("spec.ipFamilies[0]", wanted[0], "may not change once set")
            return
        for index, family in enumerate(wanted):
            if family != self.family:
                yield invalid_value(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        policy = spec.setdefault("ipFamilyPolicy", "SingleStack")
        if policy == "RequireDualStack":
            why = "this cluster is not configured for dual-stack services"
            yield invalid_value("spec.ipFamilyPolicy", policy, why)
        spec["ipFamilies"] = wanted

    def _address(self, spec: dict[str, Any], before: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[Cause]:
        wanted = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
        if spec.get("clusterIP") and wanted[0] != spec["clusterIP"]:
            yield invalid_value("spec.clusterIPs", wanted, "first value must match `clusterIP`")
            return
        previous = before.get("clusterIP")
        if previous and wanted and wanted[0] != previous:
            yield invalid_value("spec.clusterIPs[0]", wanted[0], "may not change once set")
            return
        taken = {spec_["clusterIP"] for spec_ in others if spec_.get("clusterIP")}
        if wanted and wanted[0] not in ("None", previous):
            problem = self._unusable(wanted[0], taken)
            if problem:
                yield invalid_value("spec.clusterIPs", wanted, f"failed to allocate IP {wanted[0]}: {problem}")
                return
        if not wanted:
            wanted = [self._free(taken)]
        spec["clusterIP"], spec["clusterIPs"] = wanted[0], wanted

    def _unusable(self, text: str, taken: set[str]) -> str | None:
        try:
            address = ip_address(text)
        except ValueError:
            return "must be a valid IP address"
        if address.version != self.network.version or address not in self.network:
            return f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {self.network}"
        return "provided IP is already allocated" if str(address) in taken else None

    def _free(self, taken: set[str]) -> str:
        first = min(_RESERVED, self.network.num_addresses // 2)
        return next(
            address
            for offset in range(first, self.network.num_addresses - 1)
            if (address := str(self.network[offset])) not in taken
        )

    def _traffic(self, spec: dict[str, Any]) -> None:
        spec.setdefault("internalTrafficPolicy", "Cluster")
        if spec["type"] in ("NodePort", "LoadBalancer"):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)


def _ports(spec: dict[str, Any]) -> Iterator[Cause]:
    ports = spec.get("ports", [])
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for index, port in enumerate(ports):
        if not 1 <= port.get("port", 0) <= 65535:
            yield invalid_value(
                f"spec.ports[{index}].port", port.get("port", 0), "must be between 1 and 65535, inclusive"
            )
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")


def _node_ports(spec: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[Cause]:
    taken = {port.get("nodePort") for other in others for port in other.get("ports", [])}
    for index, port in enumerate(spec.get("ports", [])):
        wanted = port.get("nodePort")
        if wanted is None:
            port["nodePort"] = min(set(NODE_PORTS) - taken)
            taken.add(port["nodePort"])
        elif wanted not in NODE_PORTS:
            field = f"spec.ports[{index}].nodePort"
            yield invalid_value(
                field, wanted, "provided port is not in the valid range. The range of valid ports is 30000-32767"
            )
        elif wanted in taken:
            yield invalid_value(f"spec.ports[{index}].nodePort", wanted, "provided port is already allocated")
