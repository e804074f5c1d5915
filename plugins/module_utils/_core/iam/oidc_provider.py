# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM OpenID Connect providers: what lets IAM trust the service account tokens of one cluster."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import tags as tagging
from ..plan import Outcome, Plan, Problem, Ref, Risk, Step, is_pending, refuse_if_any
from ..session import Session

STS_AUDIENCE = "sts.amazonaws.com"
SOURCE = "IAM API reference, CreateOpenIDConnectProvider"
URL_LENGTH, CLIENT_LENGTH = 255, 255
MAX_CLIENTS, MAX_THUMBPRINTS = 100, 5


@dataclass(frozen=True)
class OidcProvider:
    """A provider as it shall be. None means not managed."""

    url: str
    client_ids: tuple[str, ...] | None
    thumbprints: tuple[str, ...] | None
    tags: Mapping[str, str] | None
    purge_tags: bool
    present: bool

    @property
    def address(self) -> str:
        """The readable address, for plans."""
        return f"oidc-provider/{host_and_path(self.url)}"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> OidcProvider:
        """From the module's parameters."""
        return cls(
            url=params["url"].rstrip("/"),  # no issuer of EKS ends with one
            client_ids=_tuple(params["client_ids"]),
            thumbprints=_lowered(params["thumbprints"]),
            tags=params["tags"],
            purge_tags=params["purge_tags"],
            present=params["state"] == "present",
        )


@dataclass(frozen=True)
class Observed:
    """A provider as it is."""

    arn: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def host_and_path(url: str) -> str:
    """An issuer as IAM writes it in ARNs and condition keys: without the scheme, letter for letter otherwise."""
    return url.removeprefix("https://").rstrip("/")


def issuer_problems(option: str, url: str) -> list[Problem]:
    """What is wrong with an issuer: IAM would refuse it, or would take it and never match a token with it."""
    if is_pending(url):
        return []
    parts = urlsplit(url)
    remedy = "Give cluster.oidc_issuer as eks_cluster returns it."
    problems = []
    if not url.startswith("https://") or not parts.netloc:
        problems.append(Problem(option, f"{url!r} is no https URL.", remedy))
    if parts.query or parts.fragment or len(url) > URL_LENGTH:
        message = f"{url!r} is no issuer: it has {URL_LENGTH} characters at most, and nothing from a ? or # on."
        problems.append(Problem(option, message, remedy, SOURCE))
    if parts.netloc.startswith("oidc-eks.") and parts.netloc.endswith(".api.aws"):
        message = (
            f"{url!r} is the dual-stack host; a cluster's tokens name the issuer that DescribeCluster gives, and IAM"
            " compares the two as text."
        )
        problems.append(Problem(option, message, remedy))
    return problems


def refuse(desired: OidcProvider) -> list[Problem]:
    """What must not be done, seen without a call."""
    problems = issuer_problems("url", desired.url)
    if not desired.present:
        return problems
    clients, thumbprints = set(desired.client_ids or ()), set(desired.thumbprints or ())
    for client in sorted(clients):
        if not 1 <= len(client) <= CLIENT_LENGTH:
            message = f"{client!r} is no client ID: it has 1 to {CLIENT_LENGTH} characters."
            problems.append(Problem("client_ids", message, source=SOURCE))
    for thumbprint in sorted(thumbprints):
        if not re.fullmatch(r"[0-9a-f]{40}", thumbprint):
            message = f"{thumbprint!r} is no thumbprint: it has 40 hexadecimal digits, without colons."
            problems.append(Problem("thumbprints", message, "Leave it out, and IAM finds its own.", SOURCE))
    for option, values, most in (
        ("client_ids", clients, MAX_CLIENTS),
        ("thumbprints", thumbprints, MAX_THUMBPRINTS),
    ):
        if len(values) > most:
            message = f"a provider has {most} at most, and these are {len(values)}."
            problems.append(Problem(option, message, source=SOURCE))
    return problems


def observe(session: Session, url: str) -> Observed | None:
    """The provider of an issuer; None where there is none. IAM has no search: list, then get one."""
    if is_pending(url):
        return None
    suffix = f":oidc-provider/{host_and_path(url)}"
    listed = session.read("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
    arn = next((entry["Arn"] for entry in listed if entry["Arn"].endswith(suffix)), None)
    answer = session.find("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn) if arn else None
    if arn is None or answer is None:
        return None
    return Observed(
        arn=arn,
        client_ids=tuple(answer.get("ClientIDList", ())),
        thumbprints=_lowered(answer.get("ThumbprintList", ())) or (),
        tags=tagging.to_dict(answer.get("Tags")),
    )


def plan(desired: OidcProvider, observed: Observed | None) -> Plan:
    """The calls that make the provider what it shall be."""
    if not desired.present:
        return _plan_absent(desired, observed)
    if observed is None:
        return Plan.of(_create(desired))
    return Plan.of(
        _change_clients(desired, observed), _change_thumbprints(desired, observed), _change_tags(desired, observed)
    )


def facts(desired: OidcProvider, observed: Observed | None) -> dict[str, Any]:
    """The provider as it will be."""
    if not desired.present:
        return {"oidc_provider": None}
    to_set, to_remove = tagging.difference(observed.tags if observed else {}, desired.tags, desired.purge_tags)
    return {
        "oidc_provider": {
            "arn": observed.arn if observed else Ref(desired.address, "OpenIDConnectProviderArn"),
            "url": desired.url,
            "client_ids": sorted(_wanted_clients(desired, observed)),
            "thumbprints": sorted(_wanted_thumbprints(desired, observed)),
            "tags": tagging.after(observed.tags if observed else {}, to_set, to_remove),
        }
    }


def build(params: Mapping[str, Any], session: Session) -> Outcome:
    """The module C(iam_oidc_provider)."""
    desired = OidcProvider.from_params(params)
    refuse_if_any(refuse(desired))
    observed = observe(session, desired.url)
    return Outcome(plan(desired, observed), facts(desired, observed))


def _create(desired: OidcProvider) -> Step:
    request: dict[str, Any] = {"Url": desired.url, "ClientIDList": sorted(_wanted_clients(desired, None))}
    if desired.thumbprints:
        request["ThumbprintList"] = sorted(set(desired.thumbprints))
    if desired.tags:
        request["Tags"] = tagging.to_list(desired.tags)
    after = {
        "url": desired.url,
        "client_ids": request["ClientIDList"],
        "thumbprints": list(desired.thumbprints or ()),
        "tags": dict(desired.tags or {}),
    }
    return Step("iam", "CreateOpenIDConnectProvider", request, desired.address, after=after)


def _plan_absent(desired: OidcProvider, observed: Observed | None) -> Plan:
    if observed is None:
        return Plan()
    request = {"OpenIDConnectProviderArn": observed.arn}
    before = {"url": desired.url, "client_ids": list(observed.client_ids)}
    return Plan.of(
        Step("iam", "DeleteOpenIDConnectProvider", request, desired.address, before=before, risk=Risk.IRREVERSIBLE)
    )


def _change_clients(desired: OidcProvider, observed: Observed) -> list[Step]:
    wanted, current = _wanted_clients(desired, observed), set(observed.client_ids)
    before, after = {"client_ids": sorted(current)}, {"client_ids": sorted(wanted)}

    def step(operation: str, client_id: str, risk: Risk) -> Step:
        request = {"OpenIDConnectProviderArn": observed.arn, "ClientID": client_id}
        return Step("iam", operation, request, desired.address, before, after, risk)

    added = [step("AddClientIDToOpenIDConnectProvider", client, Risk.SAFE) for client in sorted(wanted - current)]
    removed = [
        step("RemoveClientIDFromOpenIDConnectProvider", client, Risk.DISRUPTIVE) for client in sorted(current - wanted)
    ]
    return added + removed


def _change_thumbprints(desired: OidcProvider, observed: Observed) -> list[Step]:
    wanted = _wanted_thumbprints(desired, observed)
    if wanted == set(observed.thumbprints):
        return []
    request = {"OpenIDConnectProviderArn": observed.arn, "ThumbprintList": sorted(wanted)}
    return [
        Step(
            "iam",
            "UpdateOpenIDConnectProviderThumbprint",
            request,
            desired.address,
            {"thumbprints": sorted(observed.thumbprints)},
            {"thumbprints": sorted(wanted)},
            Risk.DISRUPTIVE,
        )
    ]


def _change_tags(desired: OidcProvider, observed: Observed) -> list[Step]:
    to_set, to_remove = tagging.difference(observed.tags, desired.tags, desired.purge_tags)
    key = {"OpenIDConnectProviderArn": observed.arn}
    before, after = {"tags": observed.tags}, {"tags": tagging.after(observed.tags, to_set, to_remove)}
    steps = []
    if to_set:
        request = {**key, "Tags": tagging.to_list(to_set)}
        steps.append(Step("iam", "TagOpenIDConnectProvider", request, desired.address, before, after))
    if to_remove:
        request = {**key, "TagKeys": to_remove}
        steps.append(Step("iam", "UntagOpenIDConnectProvider", request, desired.address, before, after))
    return steps


def _wanted_clients(desired: OidcProvider, observed: Observed | None) -> set[str]:
    if desired.client_ids is not None:
        return set(desired.client_ids)
    return set(observed.client_ids) if observed else {STS_AUDIENCE}


def _wanted_thumbprints(desired: OidcProvider, observed: Observed | None) -> set[str]:
    if desired.thumbprints is not None:
        return set(desired.thumbprints)
    return set(observed.thumbprints) if observed else set()


def _lowered(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(thumbprint.lower() for thumbprint in value)


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
