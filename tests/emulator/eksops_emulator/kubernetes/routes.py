# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to what answers it: paths, verbs, query parameters, bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

from . import discovery, patches, subresources, tables
from .errors import StatusError, bad_request, invalid, no_such_path, success, unsupported
from .journal import Journal, Request
from .kinds import Kind
from .lists import Lists, watch
from .registry import PATCH_OPTIONS, Options, Registry, Written

_MAIN_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_TRUE = ("1", "true", "True")


@dataclass(frozen=True)
class Call:
    """A request as it came in: `path` split at its slashes, `user` who it authenticated as."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    content_type: str = "application/json"
    body: bytes = b""
    user: str = ""
    user_agent: str = ""
    accept: str = ""


@dataclass
class Answer:
    """What goes back: JSON (`data`), text, or a stream of JSON objects."""

    status: int = 200
    data: Any = None
    text: str | None = None
    stream: Iterator[dict[str, Any]] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """What a path names."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class Progress(Protocol):
    """What moves the cluster on: called when objects of a kind are read."""

    def poll(self, kind: Kind) -> None: ...

    def log(self, namespace: str, name: str) -> str: ...


class Routes:
    """Answers every request but those for the emulator itself."""

    def __init__(self, registry: Registry, journal: Journal, progress: Progress, version: str) -> None:
        self.registry = registry
        self.journal = journal
        self.progress = progress
        self.version = version
        self.address = ""
        self.running = True
        self._lists = Lists(registry)

    def describe(self, call: Call) -> Request:
        """The journal's entry for a request, before it is answered."""
        more = {"query": dict(call.query), "user": call.user, "user_agent": call.user_agent}
        try:
            target = self._target(call.path)
        except StatusError:
            return self.journal.add(_MAIN_VERBS.get(call.method, call.method), "/" + "/".join(call.path), **more)
        named = {"namespace": target.namespace, "name": target.name, "subresource": target.subresource}
        body = None
        if call.body and target.kind.kind != "Secret":
            body = _parsed(call, strict=False)
        verb = self._verb(call, target)
        return self.journal.add(
            verb, target.kind.resource, body=body, content_type=call.content_type if call.body else "", **named, **more
        )

    def answer(self, call: Call) -> Answer:
        """Does what a request asks; raises StatusError."""
        described = self._discovery(call)
        if described is not None:
            return described
        target = self._target(call.path)
        verb = self._verb(call, target)
        if target.subresource not in ("", "status"):
            return self._subresource(call, target, verb)
        if target.subresource and verb not in ("get", "update", "patch"):
            raise StatusError(405, "the server does not allow this method on the requested resource")
        method = getattr(self, f"_{verb}", None)
        if method is None:
            raise StatusError(405, "the server does not allow this method on the requested resource")
        result: Answer = method(call, target)
        return result

    # --- paths ---------------------------------------------------------------------------------------------------

    def _discovery(self, call: Call) -> Answer | None:
        path, registry = call.path, self.registry
        if path in (("version",), ("version", "")):
            return Answer(data=discovery.version(self.version))
        if path[0] in ("healthz", "livez", "readyz"):
            return Answer(text="ok")
        found: Any = None
        if path in (("api",), ("api", "")):
            found = discovery.core_versions(self.address)
        elif path in (("apis",), ("apis", "")):
            found = discovery.groups(registry)
        elif path[0] == "apis" and len(path) == 2:
            found = discovery.group(registry, path[1])
        elif path[0] == "api" and len(path) == 2:
            found = discovery.resources(registry, "", path[1])
        elif path[0] == "apis" and len(path) == 3:
            found = discovery.resources(registry, path[1], path[2])
        elif path == ("openapi", "v3"):
            found = discovery.openapi_index(registry)
        elif path[:2] == ("openapi", "v3"):
            found = discovery.openapi(registry, "/".join(path[2:]))
        elif path[0] in ("api", "apis") and len(path) > 2:
            return None
        if found is None:
            raise no_such_path()
        return Answer(data=found)

    def _target(self, path: tuple[str, ...]) -> Target:
        if path[0] == "api" and len(path) > 2:
            group, version, rest = "", path[1], path[2:]
        elif path[0] == "apis" and len(path) > 3:
            group, version, rest = path[1], path[2], path[3:]
        else:
            raise no_such_path()
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        kind = self.registry.find(group, version, rest[0])
        if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
            raise no_such_path()
        name, subresource = (*rest[1:], "", "")[:2]
        if subresource and subresource not in kind.subresources:
            raise no_such_path()
        if kind.namespaced and name and not namespace:
            raise no_such_path()
        return Target(kind, namespace, name, subresource)

    def _verb(self, call: Call, target: Target) -> str:
        verb = _MAIN_VERBS.get(call.method, call.method.lower())
        if verb == "get" and not target.name:
            return "watch" if call.query.get("watch") in _TRUE else "list"
        if verb == "get" and call.query.get("watch") in _TRUE:
            return "watch"
        return "deletecollection" if verb == "delete" and not target.name else verb

    # --- verbs ---------------------------------------------------------------------------------------------------

    def _get(self, call: Call, target: Target) -> Answer:
        self.progress.poll(target.kind)
        item = self.registry.get(target.kind, target.namespace, target.name)
        if tables.wanted(call.accept):
            return Answer(
                data=tables.table(target.kind, [item], {"resourceVersion": item["metadata"]["resourceVersion"]})
            )
        return Answer(data=item)

    def _list(self, call: Call, target: Target) -> Answer:
        if "continue" not in call.query:
            self.progress.poll(target.kind)
        page = self._lists.page(target.kind, target.namespace, dict(call.query))
        if tables.wanted(call.accept):
            return Answer(data=tables.table(target.kind, page["items"], page["metadata"]))
        return Answer(data=page)

    def _watch(self, call: Call, target: Target) -> Answer:
        query = dict(call.query)
        if target.name:
            query["fieldSelector"] = f"metadata.name={target.name}"

        def pulse() -> bool:
            self.progress.poll(target.kind)
            return self.running

        return Answer(stream=watch(self.registry, target.kind, target.namespace, query, pulse))

    def _create(self, call: Call, target: Target) -> Answer:
        if target.name:
            raise StatusError(405, "the server does not allow this method on the requested resource")
        options = _options(call, target)
        return _written(self.registry.create(target.kind, self._space(target), _parsed(call), options))

    def _update(self, call: Call, target: Target) -> Answer:
        options = _options(call, target)
        return _written(self.registry.update(target.kind, target.namespace, target.name, _parsed(call), options))

    def _patch(self, call: Call, target: Target) -> Answer:
        options = _options(call, target, manager=call.content_type != patches.APPLY_PATCH)
        body = _parsed(call)
        kind, namespace, name = target.kind, target.namespace, target.name
        return _written(self.registry.patch(kind, namespace, name, body, call.content_type, options))

    def _delete(self, call: Call, target: Target) -> Answer:
        body = _delete_options(call)
        dry_run = _dry_run({**call.query, **({"dryRun": "All"} if body.get("dryRun") else {})})
        item, gone = self.registry.delete(target.kind, target.namespace, target.name, body, dry_run)
        if target.kind.returns_deleted or not gone:
            return Answer(data=item)
        return Answer(data=success(target.kind, target.name, item["metadata"]["uid"]))

    def _deletecollection(self, call: Call, target: Target) -> Answer:
        page = self._lists.page(target.kind, target.namespace, {**call.query, "limit": "0"})
        body = _delete_options(call)
        for item in page["items"]:
            metadata = item["metadata"]
            self.registry.delete(
                target.kind, metadata.get("namespace", ""), metadata["name"], body, _dry_run(call.query)
            )
        return Answer(data=page)

    def _subresource(self, call: Call, target: Target, verb: str) -> Answer:
        if target.subresource == "log" and verb == "get":
            self.registry.get(target.kind, target.namespace, target.name)
            return Answer(text=self.progress.log(target.namespace, target.name))
        if target.subresource == "eviction" and verb == "create":
            data = subresources.evict(self.registry, target.namespace, target.name, _parsed(call), _dry_run(call.query))
            return Answer(201, data)
        if target.subresource == "scale" and verb in ("get", "update", "patch"):
            options = _options(call, target)
            body = _parsed(call) if verb != "get" else None
            return Answer(
                data=subresources.scale(self.registry, target.kind, target.namespace, target.name, verb, body, options)
            )
        raise StatusError(405, "the server does not allow this method on the requested resource")

    def _space(self, target: Target) -> str:
        if target.kind.namespaced and not target.namespace:
            raise StatusError(405, "the server does not allow this method on the requested resource")
        return target.namespace


def _written(written: Written) -> Answer:
    return Answer(201 if written.created else 200, written.item, warnings=written.warnings)


def _options(call: Call, target: Target, manager: bool = True) -> Options:
    query = call.query
    # Kubernetes names a writer who gives no field manager after its user agent.
    name = query.get("fieldManager") or (call.user_agent.split("/")[0] or "unknown" if manager else "")
    return Options(
        manager=name,
        dry_run=_dry_run(query),
        force=query.get("force") in _TRUE,
        validation=query.get("fieldValidation") or "Warn",
        subresource=target.subresource,
    )


def _dry_run(query: Mapping[str, str]) -> bool:
    value = query.get("dryRun", "")
    if value not in ("", "All"):
        raise invalid(PATCH_OPTIONS, "", [unsupported("dryRun", value, ["All"])])
    return value == "All"


def _delete_options(call: Call) -> dict[str, Any]:
    body = _parsed(call) if call.body else {}
    options = dict(body) if isinstance(body, dict) else {}
    if call.query.get("propagationPolicy"):
        options["propagationPolicy"] = call.query["propagationPolicy"]
    return options


def _parsed(call: Call, strict: bool = True) -> Any:
    """A request's body: JSON, or YAML where the content type says so."""
    try:
        return yaml.safe_load(call.body) if "yaml" in call.content_type else json.loads(call.body)
    except (ValueError, yaml.YAMLError) as problem:
        message = str(problem)
    if not strict:
        return call.body.decode("utf-8", "replace")
    raise bad_request(f"error parsing the body of the request: {message}")
