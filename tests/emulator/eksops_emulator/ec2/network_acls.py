# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network ACLs.

Sources: CreateNetworkAclEntry in the EC2 API reference; the VPC user guide on default network ACLs (also on the entries
that EC2 adds when a VPC gets its first IPv6 block) and on quotas. Presumed: that the entries of both families and those
that deny the rest count for the quota, and that each ACL of a VPC gets the entry that denies the rest of IPv6.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.network_acls import NetworkAcl, NetworkAclEntry
from moto.ec2.utils import random_network_acl_id

from . import cidr, errors
from .family import Responses

# Entries in one direction of an ACL; an account may have it raised.
QUOTA = 20
_IPV4_RULES = ((100, "allow"), (32767, "deny"))
_IPV6_RULES = ((101, "allow"), (32768, "deny"))


class StrictNetworkAcl(NetworkAcl):
    """moto's ACL with EC2's entries for both families."""

    def __init__(self, ec2_backend: Any, vpc_id: str, default: bool) -> None:
        super().__init__(ec2_backend, random_network_acl_id(), vpc_id, default)
        self._add(_IPV4_RULES if default else _IPV4_RULES[1:], cidr_block="0.0.0.0/0")
        if ec2_backend.get_vpc(vpc_id).live_blocks():
            self._add(_IPV6_RULES if default else _IPV6_RULES[1:], ipv6_cidr_block="::/0")

    def _add(self, rules: Any, ways: Any = (True, False), **block: str) -> None:
        for number, action in rules:
            for egress in ways:
                entry = NetworkAclEntry(
                    self.ec2_backend,
                    self.id,
                    number,
                    "-1",
                    action,
                    egress,
                    block.get("cidr_block"),  # type: ignore[arg-type]
                    None,
                    None,
                    None,
                    None,
                    block.get("ipv6_cidr_block"),
                )
                self.network_acl_entries.append(entry)

    def way(self, egress: bool) -> list[NetworkAclEntry]:
        """The entries of one direction."""
        return [entry for entry in self.entries if entry.egress == egress]

    def add_ipv6_default(self) -> None:
        """Adds the IPv6 entries: to a default ACL what allows all, in each direction that nobody modified."""
        for egress in (True, False):
            has = {(entry.rule_number, entry.rule_action, entry.cidr_block) for entry in self.way(egress)}
            if self.default and has == {(number, action, "0.0.0.0/0") for number, action in _IPV4_RULES}:
                self._add(_IPV6_RULES[:1], (egress,), ipv6_cidr_block="::/0")
            if not any(entry.rule_number == _IPV6_RULES[1][0] for entry in self.way(egress)):
                self._add(_IPV6_RULES[1:], (egress,), ipv6_cidr_block="::/0")


class NetworkAclBackend:
    """ACLs in front of moto's."""

    network_acl_quota = QUOTA

    def create_network_acl(self: Any, vpc_id: str, tags: Any = None, default: bool = False) -> StrictNetworkAcl:
        self.get_vpc(vpc_id)
        acl = StrictNetworkAcl(self, vpc_id, default)
        self.network_acls[acl.id] = acl
        for tag in tags or []:
            acl.add_tag(tag["Key"], tag["Value"])
        return acl

    def delete_network_acl(self: Any, network_acl_id: str) -> Any:
        acl = self.get_network_acl(network_acl_id)
        if acl.default:
            raise errors.invalid(f"cannot delete default network ACL {network_acl_id}")
        return super().delete_network_acl(network_acl_id)  # type: ignore[misc]

    def create_network_acl_entry(self: Any, network_acl_id: str, **entry: Any) -> Any:
        self._check_entry(entry)
        there = self.get_network_acl(network_acl_id).way(entry["egress"])
        if len(there) >= self.network_acl_quota and not any(
            item.rule_number == entry["rule_number"]
            for item in there  # which has a refusal of its own
        ):
            raise errors.refuse(
                "NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached."
            )
        return super().create_network_acl_entry(network_acl_id, **entry)  # type: ignore[misc]

    def _check_entry(self: Any, entry: dict[str, Any]) -> None:
        blocks = [name for name in ("cidr_block", "ipv6_cidr_block") if entry.get(name)]
        if len(blocks) != 1:
            raise (
                errors.missing("cidrBlock or ipv6CidrBlock")
                if not blocks
                else errors.combination("The parameters cidrBlock and ipv6CidrBlock cannot be used together")
            )
        if entry.get("cidr_block"):
            entry["cidr_block"] = str(cidr.ipv4(entry["cidr_block"], "cidrBlock"))
        else:
            entry["ipv6_cidr_block"] = str(cidr.ipv6(entry["ipv6_cidr_block"], "ipv6CidrBlock", strict=False))
        if not 1 <= entry["rule_number"] <= 32766:
            raise errors.invalid(f"Value ({entry['rule_number']}) for parameter ruleNumber is invalid.")
        protocol = str(entry["protocol"])
        if protocol in ("6", "17") and entry.get("port_range_from") is None:
            raise errors.missing("portRange")
        if protocol == "58" and entry.get("icmp_type") is None:
            raise errors.missing("icmpTypeCode")
        if protocol == "58" and entry.get("cidr_block"):
            raise errors.invalid("ICMPv6 needs an IPv6 CIDR block")
        if entry["rule_action"] not in ("allow", "deny"):
            raise errors.invalid(f"Value ({entry['rule_action']}) for parameter ruleAction is invalid.")
        if protocol in ("6", "17"):
            first, last = int(entry["port_range_from"]), int(entry["port_range_to"])
            if not 0 <= first <= last <= 65535:
                raise errors.invalid(f"Value ({first}-{last}) for parameter portRange is invalid.")

    def delete_network_acl_entry(self: Any, network_acl_id: str, rule_number: int, egress: bool) -> Any:
        acl = self.get_network_acl(network_acl_id)
        if not any(item.egress == egress and item.rule_number == rule_number for item in acl.entries):
            raise errors.refuse(
                "InvalidNetworkAclEntry.NotFound", f"The network ACL entry identified by {rule_number} does not exist."
            )
        return super().delete_network_acl_entry(network_acl_id, rule_number, egress)  # type: ignore[misc]

    def replace_network_acl_entry(self: Any, network_acl_id: str, **entry: Any) -> Any:
        self._check_entry(entry)
        return super().replace_network_acl_entry(network_acl_id, **entry)  # type: ignore[misc]

    def replace_network_acl_association(self: Any, association_id: str, network_acl_id: str) -> Any:
        self.get_network_acl(network_acl_id)
        if not any(association_id in acl._associations for acl in self.network_acls.values()):
            raise errors.refuse(
                "InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist"
            )
        return super().replace_network_acl_association(association_id, network_acl_id)  # type: ignore[misc]


class NetworkAclResponses(Responses):
    def create_network_acl_entry(self) -> Any:
        self._name_icmp()
        return super().create_network_acl_entry()  # type: ignore[misc]

    def replace_network_acl_entry(self) -> Any:
        self._name_icmp()
        return super().replace_network_acl_entry()  # type: ignore[misc]

    def _name_icmp(self) -> None:
        """moto asks for the ICMP type and code by their name on the wire."""
        if "IcmpTypeCode" in self.params:
            self.params["Icmp"] = self.params["IcmpTypeCode"]

    def describe_network_acls(self) -> Any:
        for wanted in self.params.get("NetworkAclIds", []):
            self.backend.get_network_acl(wanted)
        return super().describe_network_acls()  # type: ignore[misc]
