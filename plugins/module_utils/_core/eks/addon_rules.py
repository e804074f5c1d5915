# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an EKS add-on must not be, and what cannot be done to one: said before any call that writes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .. import cni
from ..plan import Problem, is_pending
from ..versions import AddonVersion, newest, order
from . import configuration, shared
from .addon_model import (
    CNI,
    RECREATED,
    SYMBOLS,
    Addon,
    Observed,
    Offer,
    Run,
    chosen,
    target,
    version_steps,
)
from .shared import ClusterView

API_SOURCE = "EKS API reference, CreateAddon"
FSX = "aws-fsx-csi-driver"


def refuse(desired: Addon) -> list[Problem]:
    """What cannot be, whatever exists: said before any call is made."""
    problems = []
    if desired.role_arn and desired.associations:
        problems.append(
            Problem(
                "pod_identity_associations",
                "an add-on takes its role from a service account annotation or from Pod Identity, not from both.",
                "Give either service_account_role_arn or pod_identity_associations.",
                API_SOURCE,
            )
        )
    roles = [desired.role_arn, *(role for _account, role in desired.associations or ())]
    for role in roles:
        if role is not None and not is_pending(role) and ":role/" not in role:
            option = "service_account_role_arn" if role == desired.role_arn else "pod_identity_associations"
            problems.append(Problem(option, f"{role!r} is no ARN of an IAM role."))
    accounts = [account for account, _role in desired.associations or ()]
    for account in sorted({account for account in accounts if accounts.count(account) > 1}):
        problems.append(Problem("pod_identity_associations", f"{account} is named twice; it can have one role."))
    wanted = desired.exact if desired.floor is None else desired.floor
    if wanted is not None:
        try:
            AddonVersion.parse(wanted)
        except ValueError as error:
            problems.append(Problem("addon_version", f"{error}, and neither default nor latest nor a floor, >=1.21."))
    return problems


def refuse_offer(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> list[Problem]:
    """What EKS does not offer, or not for this cluster."""
    if not offer.asked:
        return []
    if not offer.versions:
        close = difflib.get_close_matches(desired.name, offer.names, n=1)
        there_are = f"There are {', '.join(offer.names)}." if offer.names else "It offers none at all for that version."
        hint = f"Is {close[0]} meant?" if close else there_are
        text = f"EKS offers no add-on {desired.name} for Kubernetes {view.version}."
        return [Problem("name", text, hint, "DescribeAddonVersions")]
    floor = desired.floor
    if floor is not None and chosen(desired, offer) is None:
        text = f"EKS offers no {desired.name} from {floor} on for Kubernetes {view.version}."
        return [Problem("addon_version", text, f"The newest is {newest(offer.versions)}.", "DescribeAddonVersions")]
    wanted = desired.exact
    if wanted is not None and wanted not in offer.versions:
        offered = ", ".join(sorted(offer.versions, key=order, reverse=True)[:8])
        return [
            Problem(
                "addon_version",
                f"EKS does not offer {desired.name} {wanted} for Kubernetes {view.version}.",
                f"The default is {offer.default}; the newest are {offered}.",
                "DescribeAddonVersions",
            )
        ]
    if observed is None or observed.status in RECREATED:
        return []
    try:
        version_steps(desired, observed, target(desired, observed, offer, view), offer)
    except LookupError as error:
        text = f"the CNI moves one minor version at a time, and EKS offers none of {error} for {view.version}."
        return [Problem("addon_version", text, "Move the cluster or the add-on in smaller steps.")]
    except ValueError as error:
        return [Problem("addon_version", f"{error}.")]
    return []


def refuse_change(desired: Addon, observed: Observed | None) -> list[Problem]:
    """What cannot be done to what exists."""
    if observed is None or not desired.role_arn or desired.associations is not None or not observed.associations:
        return []
    return [
        Problem(
            "service_account_role_arn",
            f"{desired.name} has its role through Pod Identity, and would have two.",
            "Say pod_identity_associations: [] to take that one away.",
            API_SOURCE,
        )
    ]


def refuse_settings(
    desired: Addon, runs: Sequence[Run], schemas: Mapping[str, str], view: ClusterView
) -> list[Problem]:
    """What the versions that will run or their configuration must not be: the CNI's rules in IPv6, and AWS's schemas.

    C(schemas) are those of the versions whose configuration is new to them.
    """
    problems: list[Problem] = []
    if desired.name == CNI and view.ipv6:
        for version, _configuration in runs:
            problems += cni.version_problems("addon_version", version)
        for version, values in runs:
            number = None if is_pending(version) else AddonVersion.parse(version)
            problems += cni.configuration_problems("configuration_values", values, number)
    told = {problem.option for problem in problems}
    for version, values in runs:
        for path, reason in configuration.problems(schemas[version], values) if version in schemas else ():
            option = f"configuration_values.{path}" if path else "configuration_values"
            if option not in told:
                source = f"DescribeAddonConfiguration of {desired.name} {version}"
                problems.append(Problem(option, f"{reason}.", source=source))
    if desired.configuration is None:
        kept = "The add-on has it already; give configuration_values without it."
        problems = [
            replace(problem, remedy=problem.remedy or kept) if problem.option.startswith("config") else problem
            for problem in problems
        ]
    return list({problem.option: problem for problem in reversed(problems)}.values())[::-1]


def warnings(desired: Addon, observed: Observed | None, offer: Offer, view: ClusterView) -> Iterator[str]:
    if observed is not None and observed.issues:
        yield f"{desired.address}: {observed.status}: {shared.issues_text(observed.issues)}"
    kept = _kept(desired, observed) if observed is not None and observed.status in RECREATED else []
    if kept:
        yield (
            f"{desired.address}: is deleted and made anew with the {', '.join(kept)} that it has. Should the run stop"
            " in between, give them to the next: they are in the plan, under DeleteAddon's before."
        )
    if observed is not None and desired.version in SYMBOLS and offer.versions:
        meant = str(chosen(desired, offer))
        if order(meant) < order(observed.version):
            yield (
                f"addon_version: {observed.version} is newer than the {desired.version} {meant} and stays;"
                " give the version itself to go back."
            )
    if desired.name == FSX and view.ipv6:
        yield f"name: AWS's documentation says that {FSX} does not work with IPv6 pods."


def _kept(desired: Addon, observed: Observed) -> list[str]:
    """The options that are not given and have a value, which an add-on made anew gets from the one before."""
    found = {
        "configuration_values": (desired.configuration, observed.configuration),
        "service_account_role_arn": (desired.role_arn or desired.associations, observed.role_arn),
        "pod_identity_associations": (desired.role_arn or desired.associations, observed.associations),
    }
    return [name for name, (given, current) in found.items() if given is None and current]


def warnings_absent(desired: Addon, observed: Observed | None) -> tuple[str, ...]:
    if desired.name == CNI and observed is not None and not desired.preserve:
        return ("name: without the CNI no pod starts any more; preserve: true leaves it running, unmanaged.",)
    return ()
