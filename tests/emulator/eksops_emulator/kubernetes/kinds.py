# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that the server has, and what is particular about each."""

from __future__ import annotations

from dataclasses import dataclass, field

from .schema import ANY, Type, named

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS = ("status",)


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    `generations`: metadata.generation counts changes of the spec. `subresources`: those it has beside itself.
    `custom`: defined by a CustomResourceDefinition. `returns_deleted`: a delete answers the object instead of a Status.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generations: bool = False
    custom: bool = False
    returns_deleted: bool = False
    categories: tuple[str, ...] = ()
    singular: str = ""
    type: Type = field(default=ANY, repr=False, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`daemonsets.apps`, as messages have it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        """What the store files objects under: versions of a custom resource share it."""
        return (self.group, self.plural)

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


def _kind(group: str, kind: str, plural: str, type_name: str = "", **more: object) -> Kind:
    return Kind(group, "v1", kind, plural, type=named(type_name or kind), **more)  # type: ignore[arg-type]


_ALL = ("all",)
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

BUILTIN: tuple[Kind, ...] = (
    _kind("", "ConfigMap", "configmaps", short_names=("cm",)),
    _kind("", "Endpoints", "endpoints", short_names=("ep",)),
    _kind("", "Event", "events", short_names=("ev",)),
    _kind("", "Namespace", "namespaces", namespaced=False, short_names=("ns",), subresources=("finalize", "status")),
    _kind("", "Node", "nodes", namespaced=False, short_names=("no",), subresources=STATUS),
    _kind(
        "",
        "Pod",
        "pods",
        short_names=("po",),
        subresources=("eviction", "log", "status"),
        returns_deleted=True,
        categories=_ALL,
    ),
    _kind("", "Secret", "secrets"),
    _kind("", "Service", "services", short_names=("svc",), subresources=STATUS, returns_deleted=True, categories=_ALL),
    _kind("", "ServiceAccount", "serviceaccounts", short_names=("sa",), returns_deleted=True),
    _kind(
        "apps",
        "DaemonSet",
        "daemonsets",
        short_names=("ds",),
        subresources=STATUS,
        generations=True,
        categories=_ALL,
    ),
    _kind(
        "apps",
        "Deployment",
        "deployments",
        short_names=("deploy",),
        subresources=("scale", "status"),
        generations=True,
        categories=_ALL,
    ),
    _kind(
        "apps",
        "ReplicaSet",
        "replicasets",
        short_names=("rs",),
        subresources=STATUS,
        generations=True,
        categories=_ALL,
    ),
    _kind(
        "apps",
        "StatefulSet",
        "statefulsets",
        short_names=("sts",),
        subresources=STATUS,
        generations=True,
        categories=_ALL,
    ),
    _kind("networking.k8s.io", "Ingress", "ingresses", short_names=("ing",), subresources=STATUS, generations=True),
    _kind("networking.k8s.io", "IngressClass", "ingressclasses", namespaced=False, generations=True),
    _kind("networking.k8s.io", "NetworkPolicy", "networkpolicies", short_names=("netpol",), generations=True),
    _kind("storage.k8s.io", "StorageClass", "storageclasses", namespaced=False, short_names=("sc",)),
    _kind("storage.k8s.io", "CSIDriver", "csidrivers", namespaced=False, returns_deleted=True),
    _kind(
        "policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        short_names=("pdb",),
        subresources=STATUS,
        generations=True,
    ),
    _kind("discovery.k8s.io", "EndpointSlice", "endpointslices", "discovery.EndpointSlice", generations=True),
    _kind(
        "scheduling.k8s.io", "PriorityClass", "priorityclasses", namespaced=False, short_names=("pc",), generations=True
    ),
    _kind(_RBAC, "ClusterRole", "clusterroles", namespaced=False),
    _kind(_RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _kind(_RBAC, "Role", "roles"),
    _kind(_RBAC, "RoleBinding", "rolebindings"),
    _kind(
        _ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False, generations=True
    ),
    _kind(
        _ADMISSION,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        namespaced=False,
        generations=True,
    ),
    _kind(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "apiextensions.CustomResourceDefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        subresources=STATUS,
        generations=True,
        returns_deleted=True,
    ),
)
