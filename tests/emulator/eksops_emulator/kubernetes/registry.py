# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects' life: reading, creating, changing and deleting them with all that the API server does on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from . import apply, custom, defaults, patches, validation
from .decode import decode
from .errors import (
    StatusError,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    invalid_value,
    not_found,
    required,
)
from .kinds import BUILTIN, Kind
from .services import Services
from .store import Item, Store

PATCH_OPTIONS = Kind("meta.k8s.io", "v1", "PatchOptions", "patchoptions")
UNTITLED = Kind("", "", "", "")


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Options:
    """What a write request says beside its body.

    `manager` is the field manager, `validation` fieldValidation: Ignore, Warn or Strict.
    """

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    subresource: str = ""


@dataclass
class Written:
    """What a write gave: the object, whether it is new, and warnings for the client."""

    item: Item
    created: bool = False
    warnings: tuple[str, ...] = ()


Observer = Callable[[Kind, Item | None, Item | None], None]


class Registry:
    """All objects of a cluster, and the kinds there are.

    `observers` are called after each write with the kind, the object as it was and as it is (None: it isn't).
    """

    def __init__(self, services: Services) -> None:
        self.store = Store()
        self.services = services
        self.observers: list[Observer] = []
        self.custom: dict[str, list[Kind]] = {}

    # --- kinds ---------------------------------------------------------------------------------------------------

    def kinds(self) -> Iterator[Kind]:
        """Every kind in every version that is served."""
        yield from BUILTIN
        for versions in list(self.custom.values()):
            yield from versions

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        for kind in self.kinds():
            if (kind.group, kind.version, kind.plural) == (group, version, plural):
                return kind
        return None

    def kind(self, name: str) -> Kind:
        """A kind by its name, such as DaemonSet; KeyError when there is none."""
        for kind in self.kinds():
            if kind.kind == name:
                return kind
        raise KeyError(name)

    # --- reading -------------------------------------------------------------------------------------------------

    def get(self, kind: Kind, namespace: str, name: str) -> Item:
        item = self.store.get(kind, namespace, name)
        if item is None:
            raise not_found(kind, name)
        return present(kind, item)

    def all(self, kind: Kind, namespace: str = "") -> list[Item]:
        return [present(kind, item) for item in self.store.all(kind, namespace)]

    # --- writing -------------------------------------------------------------------------------------------------

    def create(self, kind: Kind, namespace: str, body: Any, options: Options = Options()) -> Written:
        """Creates an object; 409 AlreadyExists, 422 Invalid, 404 for a namespace that isn't there."""
        with self.store.lock:
            item, warnings = self._read(kind, namespace, body, options)
            metadata = item["metadata"]
            if metadata.get("resourceVersion"):
                raise StatusError(500, "resourceVersion should not be set on objects to be created")
            if not metadata.get("name") and metadata.get("generateName"):
                metadata["name"] = metadata["generateName"] + uuid4().hex[:5]
            return Written(self._create(kind, namespace, item, options), True, warnings)

    def _create(self, kind: Kind, namespace: str, item: Item, options: Options, applied: bool = False) -> Item:
        metadata = item["metadata"]
        if kind.namespaced and self.store.get(self.kind("Namespace"), "", namespace) is None:
            raise not_found(self.kind("Namespace"), namespace)
        if metadata.get("name") and self.store.get(kind, namespace, metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
            metadata.pop(name, None)
        if kind.has_status:
            item.pop("status", None)
        metadata |= {"uid": str(uuid4()), "creationTimestamp": now()}
        if kind.generations:
            metadata["generation"] = 1
        self._complete(kind, item, None)
        if not applied:
            metadata.pop("managedFields", None)
            apply.record_update(kind, {}, item, _manager(kind, options), now())
        if options.dry_run:
            return present(kind, item)
        return self.keep(kind, item, None)

    def update(self, kind: Kind, namespace: str, name: str, body: Any, options: Options = Options()) -> Written:
        """Replaces an object, or its status."""
        with self.store.lock:
            old = self.get(kind, namespace, name)
            item, warnings = self._read(kind, namespace, body, options)
            self._same_name(item, name)
            if kind.custom and not item["metadata"].get("resourceVersion"):
                why = "must be specified for an update"
                raise invalid(kind, name, [invalid_value("metadata.resourceVersion", 0, why)])
            return Written(self._change(kind, old, item, options), False, warnings)

    def patch(
        self, kind: Kind, namespace: str, name: str, patch: Any, content_type: str, options: Options = Options()
    ) -> Written:
        """Patches an object, or its status; `content_type` says how (see `patches`)."""
        with self.store.lock:
            if content_type == patches.APPLY_PATCH:
                return self._apply(kind, namespace, name, patch, options)
            if options.force:
                why = forbidden("force", "may not be specified for non-apply patch")
                raise invalid(PATCH_OPTIONS, "", [why])
            old = self.get(kind, namespace, name)
            if content_type == patches.JSON_PATCH:
                result = patches.json_patch(old, patch)
            elif content_type == patches.MERGE_PATCH:
                if not isinstance(patch, dict):
                    raise bad_request("error decoding patch: a merge patch is an object")
                result = patches.merge_patch(old, patch)
            elif content_type == patches.STRATEGIC_PATCH and not kind.custom:
                result = patches.strategic_patch(old, patch, kind.type)
            else:
                raise unsupported_media_type(kind)
            try:
                item, warnings = self._read(kind, namespace, result, options)
            except StatusError as problem:
                # The patch was fine as such; what came of it isn't.
                raise invalid(UNTITLED, "", [invalid_value("patch", patch, problem.message)]) from None
            self._same_name(item, name)
            return Written(self._change(kind, old, item, options), False, warnings)

    def _apply(self, kind: Kind, namespace: str, name: str, config: Any, options: Options) -> Written:
        if not options.manager:
            raise invalid(PATCH_OPTIONS, "", [required("fieldManager", "is required for apply patch")])
        if (
            not isinstance(config, dict)
            or config.get("apiVersion") != kind.api_version
            or config.get("kind") != kind.kind
        ):
            raise bad_request(f"an apply configuration needs apiVersion {kind.api_version} and kind {kind.kind}")
        if (config.get("metadata") or {}).get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        given, warnings = self._read(kind, namespace, config, options)
        given["metadata"].setdefault("name", name)
        self._same_name(given, name)
        if kind.has_status and options.subresource != "status":
            given.pop("status", None)
        live = self.store.get(kind, namespace, name)
        manager = _manager(kind, options, "Apply")
        if live is None:
            if given["metadata"].get("uid") or given["metadata"].get("resourceVersion"):
                raise conflict(kind, name, "the object doesn't exist any more, but the request names a version of it")
            skeleton = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
            item = apply.apply(kind, skeleton, given, manager, options.force, now())
            return Written(self._create(kind, namespace, item, options, applied=True), True, warnings)
        old = present(kind, live)
        item = apply.apply(kind, old, given, manager, options.force, now())
        item["metadata"].pop("resourceVersion", None)
        if given["metadata"].get("resourceVersion"):
            item["metadata"]["resourceVersion"] = given["metadata"]["resourceVersion"]
        return Written(self._change(kind, old, item, options, applied=True), False, warnings)

    def _read(self, kind: Kind, namespace: str, body: Any, options: Options) -> tuple[Item, tuple[str, ...]]:
        """A request's object, decoded; with warnings for fields that the kind doesn't have."""
        if isinstance(body, dict):
            body = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
            _expect("API version", body["apiVersion"], kind.api_version)
            _expect("kind", body["kind"], kind.kind)
        decoded = decode(kind, body)
        item = decoded.value
        metadata = item.setdefault("metadata", {})
        if kind.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        else:
            metadata.pop("namespace", None)
        problems = tuple(f'unknown field "{path}"' for path in decoded.unknown)
        if problems and options.validation == "Strict":
            listed = ", ".join(f"strict decoding error: {problem}" for problem in problems)
            raise bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {listed}')
        return item, problems if options.validation == "Warn" else ()

    def _same_name(self, item: Item, name: str) -> None:
        given = item["metadata"].setdefault("name", name)
        if given != name:
            raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")

    def _change(self, kind: Kind, old: Item, new: Item, options: Options, applied: bool = False) -> Item:
        """Stores a changed object, or what of the change is the request's business."""
        self._precondition(kind, old, new)
        for name in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
            new["metadata"].pop(name, None)
            if name in old["metadata"]:
                new["metadata"][name] = old["metadata"][name]
        new["metadata"].pop("selfLink", None)
        if options.subresource == "status":
            entries = new["metadata"].get("managedFields")
            new = {**deepcopy(old), **({"status": new["status"]} if "status" in new else {})}
            if applied:
                new["metadata"]["managedFields"] = entries
        elif kind.has_status:
            new.pop("status", None)
            if "status" in old:
                new["status"] = deepcopy(old["status"])
        self._complete(kind, new, old)
        if kind.generations and options.subresource != "status" and _spec(kind, new) != _spec(kind, old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if not applied:
            apply.record_update(kind, old, new, _manager(kind, options), now())
        if _content(new) == _content(old) and apply.managers_of(new) == apply.managers_of(old):
            return old
        if options.dry_run:
            new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            return new
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            return self.discard(kind, new)
        return self.keep(kind, new, old)

    def _precondition(self, kind: Kind, old: Item, new: Item) -> None:
        name, given = old["metadata"]["name"], new["metadata"]
        if given.get("uid") and given["uid"] != old["metadata"]["uid"]:
            held = old["metadata"]["uid"]
            why = f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {held}"
            raise conflict(kind, name, why)
        if given.get("resourceVersion", old["metadata"]["resourceVersion"]) != old["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(kind, name, why)

    def _complete(self, kind: Kind, item: Item, old: Item | None) -> None:
        """Defaults, allocations, and every check; 422 with all causes."""
        defaults.fill(kind, item)
        causes = []
        if kind.kind == "Service" and not kind.custom:
            others = self.store.all(kind)
            causes += self.services.prepare(item, old, others)
        elif kind.kind == "DaemonSet" and not kind.custom:
            _count_templates(item, old)
        elif kind.kind == "CustomResourceDefinition":
            causes += custom.check_definition(item)
        if kind.kind == "Node":
            item.setdefault("spec", {})
        causes = [*validation.check(kind, item), *causes]
        if old is not None:
            causes += validation.check_change(kind, old, item)
        if causes:
            raise invalid(kind, item["metadata"].get("name", ""), causes)
        if kind.kind == "CustomResourceDefinition" and not item.get("status", {}).get("conditions"):
            item["status"] = custom.established(item, now())

    def keep(self, kind: Kind, item: Item, old: Item | None) -> Item:
        """Stores an object that is known to be good; `old` is what it was."""
        stored = self.store.put(kind, item)
        if kind.kind == "CustomResourceDefinition":
            self.custom[item["metadata"]["name"]] = custom.kinds_of(item)
        self._observe(kind, old, stored)
        return present(kind, stored)

    def _observe(self, kind: Kind, old: Item | None, new: Item | None) -> None:
        for observer in self.observers:
            observer(kind, old, new)

    # --- deleting ------------------------------------------------------------------------------------------------

    def delete(
        self, kind: Kind, namespace: str, name: str, body: Any = None, dry_run: bool = False
    ) -> tuple[Item, bool]:
        """Deletes an object: its last state, and whether it is gone (finalizers keep it)."""
        with self.store.lock:
            old = self.get(kind, namespace, name)
            choices = body or {}
            wanted = choices.get("preconditions") or {}
            if set(wanted) & {"uid", "resourceVersion"}:
                self._precondition(kind, old, {"metadata": dict(wanted)})
            if dry_run:
                return old, not old["metadata"].get("finalizers")
            if old["metadata"].get("finalizers"):
                if "deletionTimestamp" in old["metadata"]:
                    return old, False
                marked = deepcopy(old)
                marked["metadata"] |= {"deletionTimestamp": now(), "deletionGracePeriodSeconds": 0}
                if kind.generations:
                    marked["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
                return self.keep(kind, marked, old), False
            if choices.get("propagationPolicy") == "Orphan" or choices.get("orphanDependents"):
                self._orphan(old)
            return self.discard(kind, old), True

    def discard(self, kind: Kind, item: Item) -> Item:
        """Takes an object away, whatever finalizers it has."""
        if kind.kind == "CustomResourceDefinition":
            for version in self.custom.pop(item["metadata"]["name"], [])[:1]:
                self.store.drop_kind(version)
        last = self.store.remove(kind, item)
        self._observe(kind, item, None)
        return present(kind, last)

    def _orphan(self, owner: Item) -> None:
        for kind in list(self.kinds()):
            for item in self.store.all(kind):
                owners = item["metadata"].get("ownerReferences", [])
                kept = [held for held in owners if held["uid"] != owner["metadata"]["uid"]]
                if len(kept) != len(owners):
                    freed = deepcopy(item)
                    freed["metadata"]["ownerReferences"] = kept
                    self.store.put(kind, freed)

    def put_status(self, kind: Kind, item: Item, **status: Any) -> Item:
        """Sets fields of a status as a controller does, without touching anybody's fields."""
        changed = deepcopy(item)
        changed.setdefault("status", {}).update(status)
        changed["status"] = {key: value for key, value in changed["status"].items() if value is not None}
        return item if changed == item else self.keep(kind, changed, item)


def present(kind: Kind, item: Item) -> Item:
    """A copy of a stored object in the version of `kind`."""
    copy = deepcopy(item)
    rest = {key: value for key, value in copy.items() if key not in ("apiVersion", "kind")}
    return {"kind": kind.kind, "apiVersion": kind.api_version, **rest}


def unsupported_media_type(kind: Kind) -> StatusError:
    accepted = [patches.JSON_PATCH, patches.MERGE_PATCH, patches.APPLY_PATCH]
    if not kind.custom:
        accepted.insert(2, patches.STRATEGIC_PATCH)
    return StatusError(
        415, f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    )


def _expect(what: str, given: Any, wanted: str) -> None:
    if given != wanted:
        raise bad_request(f"the {what} in the data ({given}) does not match the expected {what} ({wanted})")


def _manager(kind: Kind, options: Options, operation: str = "Update") -> apply.Manager:
    return apply.Manager(options.manager, operation, kind.api_version, options.subresource)


def _spec(kind: Kind, item: Item) -> Item:
    """What metadata.generation counts the changes of."""
    skipped = {"apiVersion", "kind", "metadata"} | ({"status"} if kind.has_status or not kind.custom else set())
    return {key: value for key, value in item.items() if key not in skipped}


def _content(item: Item) -> Item:
    metadata = {
        key: value for key, value in item["metadata"].items() if key not in ("managedFields", "resourceVersion")
    }
    return {**item, "metadata": metadata}


def _count_templates(item: Item, old: Item | None) -> None:
    """Keeps the annotation in which Kubernetes counts a DaemonSet's templates."""
    name = "deprecated.daemonset.template.generation"
    before = int((old or {}).get("metadata", {}).get("annotations", {}).get(name, 0)) if old else 0
    changed = old is None or old["spec"].get("template") != item.get("spec", {}).get("template")
    item["metadata"].setdefault("annotations", {})[name] = str(before + 1 if changed else before)
