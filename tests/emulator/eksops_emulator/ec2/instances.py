# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: network interfaces as EC2 makes them, from the request and the launch template.

Sources: RunInstances in the EC2 API reference (InstanceNetworkInterfaceSpecification); the EC2 user guide on launch
templates (what the request says wins over the template).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance

from ..overlay import require
from . import errors
from .family import Responses

# What EKS does when instances were looked at or went away: nodes join and leave. With account and region.
after_change: Callable[[str, str], None] | None = None
_FROM_TEMPLATE = {
    "InstanceType": "instance_type",
    "KeyName": "key_name",
    "SecurityGroupIds": "security_group_ids",
    "MetadataOptions": "metadata_options",
    "EbsOptimized": "ebs_optimized",
}


def _private_ip(nic: dict[str, Any]) -> str | None:
    if nic.get("PrivateIpAddress"):
        return str(nic["PrivateIpAddress"])
    return next((item["PrivateIpAddress"] for item in nic.get("PrivateIpAddresses", []) if item.get("Primary")), None)


def prep_nics(
    self: Any,
    nic_spec: list[dict[str, Any]],
    private_ip: str | None = None,
    associate_public_ip: bool | None = None,
    security_groups: list[Any] | None = None,
    ipv6_address_count: int | None = None,
) -> None:
    """In place of moto's: the primary interface is always made, and IPv6 is what the specification says."""
    self.nics = {}
    backend = self.ec2_backend
    specs = {int(nic.get("DeviceIndex", 0)): dict(nic) for nic in nic_spec}
    specs.setdefault(0, {})
    for index, spec in sorted(specs.items()):
        if spec.get("NetworkInterfaceId"):
            interface = backend.get_network_interface(spec["NetworkInterfaceId"])
            if interface.attachment_id is not None:
                raise errors.refuse("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.")
            interface.delete_on_termination = spec.get("DeleteOnTermination") is True
        else:
            primary = index == 0
            subnet = backend.get_subnet(spec.get("SubnetId") or self.subnet_id or _default_subnet(self))
            address = _private_ip(spec) or (private_ip if primary else None)
            address = address or subnet.get_available_subnet_ip(instance=self)
            public = spec.get("AssociatePublicIpAddress", associate_public_ip if primary else False)
            groups = spec.get("Groups") or [group.id for group in security_groups or []]
            interface = backend.create_network_interface(
                subnet,
                address,
                device_index=index,
                public_ip_auto_assign=bool(public),
                group_ids=groups,
                delete_on_termination=spec.get("DeleteOnTermination", True),
                description=spec.get("Description"),
                ipv6_address_count=spec.get("Ipv6AddressCount", ipv6_address_count if primary else None),
                ipv6_addresses=[item["Ipv6Address"] for item in spec.get("Ipv6Addresses", [])],
                ipv6_prefix_count=spec.get("Ipv6PrefixCount"),
                ipv6_prefixes=[item["Ipv6Prefix"] for item in spec.get("Ipv6Prefixes", [])],
                primary_ipv6=spec.get("PrimaryIpv6"),
            )
            self._private_ips.add(address)
        self.attach_eni(interface, index)


def _default_subnet(instance: Any) -> str:
    subnets = instance.ec2_backend.get_default_subnets()
    subnet = subnets.get(instance._placement.zone) or next(iter(subnets.values()), None)
    if subnet is None:
        raise errors.refuse("VPCIdNotSpecified", "No default VPC for this user. GroupName is only supported for it.")
    return str(subnet.id)


def _terminate(self: Any) -> Any:
    """In front of moto's: interfaces that outlive the instance are detached and free again."""
    if self._state.name == "terminated":
        return copy.copy(self._state)
    kept = [nic for nic in self.nics.values() if not nic.delete_on_termination]
    previous = _moto_terminate(self)
    for nic in kept:
        self.detach_eni(nic)
    if after_change is not None:
        after_change(self.ec2_backend.account_id, self.ec2_backend.region_name)
    return previous


_moto_terminate: Any = Instance.terminate


def install() -> None:
    """Replaces on moto's Instance what an overlay class can't reach, since moto makes instances by that name."""
    require(Instance, "prep_nics", "terminate", "attach_eni", "detach_eni")
    Instance.prep_nics = prep_nics  # type: ignore[method-assign]
    Instance.terminate = _terminate  # type: ignore[method-assign]
    Instance.ipv6_address = property(lambda self: self.nics[0].ipv6_address)  # type: ignore[attr-defined]


def profile_name(profile: dict[str, Any]) -> str:
    """The name of a template's instance profile, which it may give as an ARN; empty without one."""
    return str(profile.get("Name") or str(profile.get("Arn", "")).rsplit("/", 1)[-1])


class InstanceBackend:
    """Instances in front of moto's."""

    def run_instances(
        self: Any,
        image_id: str,
        count: int,
        user_data: Any,
        security_group_names: list[str],
        **kwargs: Any,
    ) -> Any:
        if kwargs.get("launch_template"):
            image_id = self._take_from_template(image_id, kwargs)
        if not image_id:
            raise errors.missing("ImageId")
        if image_id not in self.amis:
            raise errors.refuse("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        kind = kwargs.get("instance_type") or "m1.small"
        if kind not in INSTANCE_TYPES:
            raise errors.invalid(f"Invalid value '{kind}' for InstanceType.")
        if kwargs.get("subnet_id"):
            kwargs["placement"] = self.get_subnet(kwargs["subnet_id"]).availability_zone
        reservation = super().run_instances(  # type: ignore[misc]
            image_id, count, user_data, security_group_names, **kwargs
        )
        profile = self._profile(kwargs)
        for instance in reservation.instances:
            instance.hypervisor = INSTANCE_TYPES[kind].get("Hypervisor", "xen")
            if profile:
                self.associate_iam_instance_profile(instance.id, profile)
        return reservation

    def _profile(self: Any, kwargs: dict[str, Any]) -> str:
        """The name of the template's instance profile, which moto leaves out, unless the request has one."""
        if not kwargs.get("launch_template") or any(
            kwargs.get(f"iam_instance_profile_{key}") for key in ("name", "arn")
        ):
            return ""
        template = self._get_template_from_args(kwargs["launch_template"])
        return profile_name(template.data.get("IamInstanceProfile") or {})

    def _take_from_template(self: Any, image_id: str, kwargs: dict[str, Any]) -> str:
        """Fills what the request left open from the launch template; returns the image."""
        data = self._get_template_from_args(kwargs["launch_template"]).data
        for name, argument in _FROM_TEMPLATE.items():
            unset = not kwargs.get(argument) or (argument == "instance_type" and kwargs.get("is_instance_type_default"))
            if unset and data.get(name):
                kwargs[argument] = copy.deepcopy(data[name])
                if argument == "instance_type":
                    kwargs["is_instance_type_default"] = False
        if not kwargs.get("nics") and data.get("NetworkInterfaces"):
            kwargs["nics"] = copy.deepcopy(data["NetworkInterfaces"])
        return image_id or str(data.get("ImageId", ""))

    def delete_network_interface(self: Any, eni_id: str) -> None:
        interface = self.enis.get(eni_id)
        if interface is not None:
            for address in self.addresses:
                if address.eni is interface:
                    self.free_address(address.allocation_id)
        super().delete_network_interface(eni_id)  # type: ignore[misc]


class InstanceResponses(Responses):
    def describe_instances(self) -> Any:
        from moto.core.responses import ActionResult

        if after_change is not None:
            after_change(self.backend.account_id, self.backend.region_name)
        wanted = self.params.get("InstanceIds", [])
        if wanted and self._max_results is not None:  # type: ignore[attr-defined]
            raise errors.combination("The parameter instancesSet cannot be used with the parameter maxResults")
        found = {item.id for item in self.backend.all_instances()}
        absent = [item for item in wanted if item not in found]
        if absent:
            raise errors.refuse("InvalidInstanceID.NotFound", f"The instance ID '{absent[0]}' does not exist")
        chosen = []
        for reservation in self.backend.reservations.values():
            kept = [item for item in reservation.instances if not wanted or item.id in wanted]
            if kept:
                one = copy.copy(reservation)
                one.instances = kept
                chosen.append(one)
        return ActionResult({"Reservations": chosen})
