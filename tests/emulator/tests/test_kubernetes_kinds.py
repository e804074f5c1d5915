# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind that the collection reads or patches: found, made, read, listed, watched, patched, applied, deleted.

`KUBE_APISERVER` names the directory that tools/real_kube_apiserver.sh made for the server it started.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from eksops_emulator.kubernetes import KubernetesAPI, manifests
from eksops_emulator.kubernetes.client import APPLY, JSON_PATCH, MERGE, Client
from eksops_emulator.kubernetes.samples import daemon_set, pod, service

REAL = os.environ.get("KUBE_APISERVER")
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
BINDING = {"serviceRef": {"name": "web", "port": 80}, "targetGroupARN": "arn", "ipAddressType": "ipv6"}
DEFINED = {
    item["spec"]["names"]["kind"]: item
    for item in (
        *manifests.cni_definitions(),
        *manifests.load_balancer_definitions(),
        *manifests.karpenter_definitions(),
    )
}
# Kind: group and version, plural, whether it is namespaced, and the rest of a manifest.
KINDS: dict[str, tuple[str, str, bool, dict[str, Any]]] = {
    "Node": ("v1", "nodes", False, {}),
    "Pod": ("v1", "pods", True, {"spec": pod()["spec"]}),
    "Service": ("v1", "services", True, {"spec": service()["spec"]}),
    "ServiceAccount": ("v1", "serviceaccounts", True, {}),
    "ConfigMap": ("v1", "configmaps", True, {"data": {"a": "b"}}),
    "DaemonSet": ("apps/v1", "daemonsets", True, {"spec": daemon_set()["spec"]}),
    "Deployment": ("apps/v1", "deployments", True, {"spec": daemon_set()["spec"]}),
    "Ingress": ("networking.k8s.io/v1", "ingresses", True, {"spec": {"defaultBackend": BACKEND}}),
    "IngressClass": ("networking.k8s.io/v1", "ingressclasses", False, {"spec": {"controller": "ingress.k8s.aws/alb"}}),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses", False, {"provisioner": "ebs.csi.aws.com"}),
    "CSIDriver": ("storage.k8s.io/v1", "csidrivers", False, {"spec": {"attachRequired": False}}),
    "ENIConfig": ("crd.k8s.amazonaws.com/v1alpha1", "eniconfigs", False, {"spec": {"subnet": "subnet-1"}}),
    "SecurityGroupPolicy": (
        "vpcresources.k8s.aws/v1beta1",
        "securitygrouppolicies",
        True,
        {"spec": {"securityGroups": {"groupIds": ["sg-1"]}}},
    ),
    "TargetGroupBinding": ("elbv2.k8s.aws/v1beta1", "targetgroupbindings", True, {"spec": BINDING}),
    "NodePool": ("karpenter.sh/v1", "nodepools", False, {"spec": {"limits": {"cpu": "10"}}}),
}


@pytest.fixture(scope="module", params=["fake", *(["real"] if REAL else [])])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "real":
        folder = Path(REAL or "")
        yield Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
        return
    with KubernetesAPI() as cluster:
        yield Client(cluster.url, cluster.ca_pem, cluster.admin_token)


def base(version: str) -> str:
    return f"/api/{version}" if "/" not in version else f"/apis/{version}"


def serve(api: Client, kind: str) -> None:
    """Has a custom kind served; other workers may do the same at a real server."""
    version, plural, _unused, _unused = KINDS[kind]
    assert api("POST", DEFINITIONS, DEFINED[kind]).status in (201, 409)
    deadline = monotonic() + 30
    while api.get(f"{base(version)}/{plural}").status != 200:
        assert monotonic() < deadline, f"{plural} are not served"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_its_whole_life(api: Client, kind: str) -> None:
    version, plural, namespaced, rest = KINDS[kind]
    if kind in DEFINED:
        serve(api, kind)
    place = f"test-{uuid.uuid4().hex[:8]}"
    path = f"{base(version)}/{plural}"
    if namespaced:
        api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": place}})
        path = f"{base(version)}/namespaces/{place}/{plural}"
    listed = {item["name"]: item for item in api.get(base(version)).data["resources"]}[plural]
    assert (listed["kind"], listed["namespaced"]) == (kind, namespaced)
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(listed["verbs"])

    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": place}, **rest}
    api.ok("POST", path, manifest, dryRun="All")
    assert api.get(f"{path}/{place}").status == 404
    made = api.ok("POST", path, manifest)
    assert api("POST", path, manifest).data["reason"] == "AlreadyExists"
    assert (made["kind"], made["apiVersion"], bool(made["metadata"]["uid"])) == (kind, version, True)

    api.ok("PATCH", f"{path}/{place}", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    operation = {"op": "add", "path": "/metadata/labels/c", "value": "d"}
    api.ok("PATCH", f"{path}/{place}", [operation], JSON_PATCH)
    named = {"apiVersion": version, "kind": kind, "metadata": {"name": place, "labels": {"a": "mine"}}}
    refused = api("PATCH", f"{path}/{place}", named, APPLY, fieldManager="another")
    assert (refused.status, set(refused.causes.values())) == (409, {"FieldManagerConflict"})
    api.ok("PATCH", f"{path}/{place}", named, APPLY, fieldManager="another", force="true")

    current = api.get(f"{path}/{place}").data
    assert current["metadata"]["labels"] == {"a": "mine", "c": "d"}
    annotations = {**current["metadata"].get("annotations", {}), "e": "f"}
    api.ok("PUT", f"{path}/{place}", {**current, "metadata": {**current["metadata"], "annotations": annotations}})
    (found,) = api.get(path, fieldSelector=f"metadata.name={place}").data["items"]
    assert found["metadata"]["annotations"]["e"] == "f"

    api.ok("DELETE", f"{path}/{place}")
    assert api.get(f"{path}/{place}").data["reason"] == "NotFound"
    since = {"resourceVersion": made["metadata"]["resourceVersion"], "fieldSelector": f"metadata.name={place}"}
    events = [event["type"] for event in api.watch(path, **since, timeoutSeconds=1)]
    assert (set(events[:-1]), events[-1]) == ({"MODIFIED"}, "DELETED")
