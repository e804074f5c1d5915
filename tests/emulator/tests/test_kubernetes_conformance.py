# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Kubernetes API server does, asked of the emulated one, and of a real one where `make test-kubernetes` runs it.

`KUBE_APISERVER` names the directory that tools/real_kube_apiserver.sh made for the server it started.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from eksops_emulator.kubernetes import KubernetesAPI
from eksops_emulator.kubernetes.client import APPLY, JSON_PATCH, MERGE, STRATEGIC, Client
from eksops_emulator.kubernetes.samples import (
    apps,
    config_map,
    containers,
    core,
    daemon_set,
    env,
    pod,
    service,
    template,
)
from eksops_emulator.kubernetes.schema import named, type_names

RANGE = "fd12:3456:789a::/108"
REAL = os.environ.get("KUBE_APISERVER")


@pytest.fixture(scope="module", params=["fake", *(["real"] if REAL else [])])
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "real":
        folder = Path(REAL or "")
        yield Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
        return
    with KubernetesAPI(service_cidr=RANGE) as cluster:
        yield Client(cluster.url, cluster.ca_pem, cluster.admin_token)


@pytest.fixture
def space(api: Client) -> str:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def agent(api: Client, space: str) -> str:
    """The path of a DaemonSet."""
    api.ok("POST", apps(space), daemon_set())
    return f"{apps(space)}/agent"


# --- discovery and access ------------------------------------------------------------------------------------------


def test_discovery_names_what_clients_look_for(api: Client) -> None:
    assert "v1" in api.get("/api").data["versions"]
    groups = {item["name"]: item for item in api.get("/apis").data["groups"]}
    assert groups["apps"]["preferredVersion"]["groupVersion"] == "apps/v1"
    listed = {item["name"]: item for item in api.get("/apis/apps/v1").data["resources"]}
    held = listed["daemonsets"]
    assert (held["kind"], held["namespaced"], held["shortNames"]) == ("DaemonSet", True, ["ds"])
    assert {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"} == set(held["verbs"])
    assert set(listed["daemonsets/status"]["verbs"]) == {"get", "patch", "update"}
    core_list = {item["name"]: item for item in api.get("/api/v1").data["resources"]}
    assert core_list["pods/eviction"]["kind"] == "Eviction"
    assert core_list["nodes"]["namespaced"] is False
    assert core_list["endpoints"]["singularName"] in ("", "endpoints")


def test_unknown_paths_are_not_found(api: Client) -> None:
    for path in ("/apis/nowhere.example/v1", "/api/v1/nothings", "/apis/apps/v9/daemonsets"):
        assert api.get(path).status == 404


@pytest.mark.parametrize("token", ["", "nonsense", "k8s-aws-v1.bm90aGluZw"])
def test_a_bad_token_is_unauthorized(api: Client, token: str) -> None:
    stranger = Client(api.url, "", "")
    stranger._context, stranger.token = api._context, token
    reply = stranger.get("/api/v1/secrets")
    # Without a token the real server lets "anonymous" in and forbids; EKS turns anonymous access off.
    assert reply.status == 401 or (not token and reply.status == 403)
    assert stranger.get("/version").status == (200 if not token else 401)


# --- life of an object ---------------------------------------------------------------------------------------------


def test_an_objects_life(api: Client, space: str) -> None:
    path = core(space, "configmaps")
    made = api("POST", path, config_map(a="1"))
    assert made.status == 201
    metadata = made.data["metadata"]
    assert metadata["namespace"] == space
    assert {"uid", "resourceVersion", "creationTimestamp"} <= set(metadata)
    again = api("POST", path, config_map(a="1"))
    assert (again.status, again.data["reason"]) == (409, "AlreadyExists")
    assert again.data["details"]["kind"] == "configmaps"
    assert api.get(f"{path}/settings").data == made.data
    gone = api("DELETE", f"{path}/settings")
    assert (gone.status, gone.data["kind"], gone.data["status"]) == (200, "Status", "Success")
    assert gone.data["details"]["uid"] == metadata["uid"]
    missing = api.get(f"{path}/settings")
    assert (missing.status, missing.data["reason"]) == (404, "NotFound")
    assert missing.data["message"] == 'configmaps "settings" not found'


def test_lists_of_built_in_kinds_leave_the_items_kind_out(api: Client, space: str) -> None:
    api.ok("POST", core(space, "configmaps"), config_map())
    listed = api.get(core(space, "configmaps")).data
    assert listed["kind"] == "ConfigMapList"
    assert "kind" not in listed["items"][0]


def test_generated_names(api: Client, space: str) -> None:
    body = {"metadata": {"generateName": "made-"}}
    names = {api.ok("POST", core(space, "configmaps"), body)["metadata"]["name"] for _unused in range(3)}
    assert len(names) == 3
    assert all(name.startswith("made-") and len(name) == 10 for name in names)


@pytest.mark.parametrize(
    ("method", "tail", "change", "status"),
    [
        ("POST", "", {"metadata": {"name": "x", "namespace": "elsewhere"}}, 400),
        ("PUT", "/agent", {"metadata": {"name": "other"}}, 400),
        ("POST", "", {"kind": "Deployment"}, 400),
        ("POST", "", {"apiVersion": "apps/v1beta1"}, 400),
        ("POST", "", {"metadata": {"name": "x", "resourceVersion": "1"}}, 500),
        ("POST", "", {"metadata": {}}, 422),
        ("PUT", "/nothing", {"metadata": {"name": "nothing"}}, 404),
    ],
)
def test_requests_that_contradict_themselves(
    api: Client, space: str, agent: str, method: str, tail: str, change: dict[str, Any], status: int
) -> None:
    reply = api(method, apps(space) + tail, {**daemon_set(), **change})
    assert reply.status == status, reply.data


def test_a_namespace_has_to_be_there(api: Client) -> None:
    reply = api("POST", core("nowhere", "configmaps"), config_map())
    assert (reply.status, reply.data["message"]) == (404, 'namespaces "nowhere" not found')


def test_an_update_from_an_old_version_is_a_conflict(api: Client, agent: str) -> None:
    first = api.get(agent).data
    api.ok("PUT", agent, {**first, "metadata": {**first["metadata"], "labels": {"app": "agent", "x": "1"}}})
    reply = api("PUT", agent, first)
    assert (reply.status, reply.data["reason"]) == (409, "Conflict")
    assert "the object has been modified" in reply.data["message"]
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"], "labels": {"x": "2"}}}
    assert api("PATCH", agent, stale, MERGE).status == 409


def test_a_write_that_changes_nothing_gives_no_new_version(api: Client, agent: str) -> None:
    before = api.get(agent).data
    assert api.ok("PUT", agent, before) == before
    assert api.ok("PATCH", agent, {"metadata": {"labels": {"app": "agent"}}}, STRATEGIC) == before
    assert api.ok("PATCH", agent, template(env=[{"name": "A", "value": "1"}]), STRATEGIC) == before


def test_generation_counts_changes_of_the_spec(api: Client, agent: str) -> None:
    generations = [api.get(agent).data["metadata"]["generation"]]
    for patch in ({"metadata": {"labels": {"x": "1"}}}, template(image="example.com/agent:v2"), {"status": {}}):
        generations.append(api.ok("PATCH", agent, patch, STRATEGIC)["metadata"]["generation"])
    assert generations == [1, 1, 2, 2]


def test_status_is_a_place_of_its_own(api: Client, agent: str) -> None:
    item = api.get(agent).data
    counts = {"currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 2}
    assert api.ok("PUT", agent, {**item, "status": counts})["status"]["numberReady"] == 0
    item["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/other:v9"
    changed = api.ok("PUT", f"{agent}/status", {**api.get(agent).data, "spec": item["spec"], "status": counts})
    assert changed["status"]["numberReady"] == 2
    assert containers(changed)["main"]["image"] == "example.com/agent:v1"
    assert changed["metadata"]["generation"] == 1
    patched = api.ok("PATCH", f"{agent}/status", {"status": {"numberReady": 3}}, MERGE)
    assert patched["status"]["numberReady"] == 3


def test_finalizers_hold_an_object(api: Client, space: str) -> None:
    path = f"{core(space, 'configmaps')}/settings"
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    api.ok("POST", core(space, "configmaps"), body)
    held = api("DELETE", path)
    assert held.status == 200
    assert "deletionTimestamp" in held.data["metadata"]
    assert api.get(path).status == 200
    api.ok("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
    assert api.get(path).status == 404


def test_deleting_with_a_precondition(api: Client, space: str) -> None:
    item = api.ok("POST", core(space, "configmaps"), config_map())
    path = f"{core(space, 'configmaps')}/settings"
    refused = api("DELETE", path, {"preconditions": {"uid": "somebody-else"}})
    assert (refused.status, refused.data["reason"]) == (409, "Conflict")
    assert api("DELETE", path, {"preconditions": {"uid": item["metadata"]["uid"]}}).status == 200


def test_deleting_a_collection(api: Client, space: str) -> None:
    path = core(space, "configmaps")
    for name, color in (("a", "red"), ("b", "red"), ("c", "blue")):
        body = config_map(name)
        body["metadata"]["labels"] = {"color": color}
        api.ok("POST", path, body)
    assert api("DELETE", path, labelSelector="color=red").status == 200
    assert [item["metadata"]["name"] for item in api.get(path, labelSelector="color").data["items"]] == ["c"]


def test_dry_run_answers_and_keeps_nothing(api: Client, space: str, agent: str) -> None:
    made = api("POST", core(space, "configmaps"), config_map("dry"), dryRun="All")
    assert made.status == 201
    assert made.data["metadata"]["uid"]
    assert api.get(f"{core(space, 'configmaps')}/dry").status == 404
    before = api.get(agent).data
    changed = api.ok("PATCH", agent, template(image="example.com/agent:v2"), STRATEGIC, dryRun="All")
    assert containers(changed)["main"]["image"] == "example.com/agent:v2"
    assert changed["metadata"]["generation"] == 2
    assert api.get(agent).data == before
    assert api("DELETE", agent, dryRun="All").status == 200
    assert api.get(agent).status == 200
    assert api("DELETE", agent, dryRun="Some").status in (400, 422)
    assert api("PATCH", agent, {}, MERGE, dryRun="Some").status == 422


# --- what is refused -----------------------------------------------------------------------------------------------

REFUSED = [
    (lambda item: item["spec"].pop("selector"), {"spec.template.metadata.labels": "FieldValueInvalid"}),
    (
        lambda item: item["spec"]["template"]["spec"]["containers"][0]["env"].append({"value": "x"}),
        {"spec.template.spec.containers[0].env[2].name": "FieldValueRequired"},
    ),
    (
        lambda item: item["spec"]["template"]["spec"]["containers"][1].pop("image"),
        {"spec.template.spec.containers[1].image": "FieldValueRequired"},
    ),
    (
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(imagePullPolicy="Sometimes"),
        {"spec.template.spec.containers[0].imagePullPolicy": "FieldValueNotSupported"},
    ),
    (
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(name="Bad_"),
        {"spec.template.spec.containers[0].name": "FieldValueInvalid"},
    ),
    (
        lambda item: item["spec"]["template"]["spec"].update(containers=[]),
        {"spec.template.spec.containers": "FieldValueRequired"},
    ),
    (lambda item: item["metadata"].update(name="Not_A_Name"), {"metadata.name": "FieldValueInvalid"}),
    (lambda item: item["metadata"].update(labels={"a b": "c"}), {"metadata.labels": "FieldValueInvalid"}),
    (
        lambda item: item["spec"]["template"]["metadata"].update(labels={"app": "other"}),
        {"spec.template.metadata.labels": "FieldValueInvalid"},
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_invalid_objects(api: Client, space: str, number: int) -> None:
    spoil, causes = REFUSED[number]
    body = daemon_set()
    spoil(body)
    reply = api("POST", apps(space), body)
    assert (reply.status, reply.data["reason"]) == (422, "Invalid"), reply.data
    assert reply.causes == causes
    assert reply.data["message"].startswith(f'DaemonSet.apps "{body["metadata"]["name"]}" is invalid: ')
    assert reply.data["details"]["kind"] == "DaemonSet"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "C", "value": True}),
        lambda item: item["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "C", "value": 1}),
        lambda item: item["spec"].update(template="text"),
        lambda item: item["spec"].update(minReadySeconds="3"),
        lambda item: item["spec"]["template"]["spec"].update(hostNetwork="true"),
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(resources={"requests": {"cpu": "much"}}),
        lambda item: item["metadata"].update(labels=["a"]),
    ],
)
def test_wrong_types_are_bad_requests(api: Client, space: str, spoil: Any) -> None:
    body = daemon_set()
    spoil(body)
    reply = api("POST", apps(space), body)
    assert (reply.status, reply.data["reason"]) == (400, "BadRequest"), reply.data
    assert "DaemonSet" in reply.data["message"]


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_wrong_types_in_patches_are_invalid(api: Client, agent: str, kind: str) -> None:
    reply = api("PATCH", agent, {"spec": {"revisionHistoryLimit": "many"}}, kind)
    assert (reply.status, reply.causes) == (422, {"patch": "FieldValueInvalid"})


def test_selectors_of_workloads_are_immutable(api: Client, agent: str) -> None:
    labels = {"matchLabels": {"app": "agent", "more": "x"}}
    patch = {"spec": {"selector": labels, "template": {"metadata": {"labels": {"more": "x"}}}}}
    reply = api("PATCH", agent, patch, STRATEGIC)
    assert (reply.status, reply.causes) == (422, {"spec.selector": "FieldValueInvalid"})


def test_running_pods_hardly_change(api: Client, space: str) -> None:
    api.ok("POST", core(space, "pods"), pod())
    path = f"{core(space, 'pods')}/one"
    reply = api(
        "PATCH", path, {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}, STRATEGIC
    )
    assert (reply.status, reply.causes) == (422, {"spec": "FieldValueForbidden"})
    image = {"spec": {"containers": [{"name": "main", "image": "example.com/main:v2"}]}}
    assert api("PATCH", path, image, STRATEGIC).status == 200


def test_immutable_config_maps(api: Client, space: str) -> None:
    api.ok("POST", core(space, "configmaps"), {**config_map(a="1"), "immutable": True})
    path = f"{core(space, 'configmaps')}/settings"
    assert api("PATCH", path, {"data": {"a": "2"}}, MERGE).status == 422
    assert api("PATCH", path, {"metadata": {"labels": {"x": "1"}}}, MERGE).status == 200
    assert api("POST", core(space, "configmaps"), config_map("odd", **{"a/b": "1"})).status == 422
    assert api("POST", core(space, "secrets"), {"metadata": {"name": "s"}, "data": {"a": "%%"}}).status == 400


# --- patches -------------------------------------------------------------------------------------------------------


def test_json_patch(api: Client, agent: str) -> None:
    image = "/spec/template/spec/containers/0/image"
    operations = [
        {"op": "test", "path": image, "value": "example.com/agent:v1"},
        {"op": "replace", "path": image, "value": "example.com/agent:v2"},
        {"op": "add", "path": "/metadata/labels/example.com~1x", "value": "1"},
        {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--three"},
        {"op": "remove", "path": "/spec/template/spec/containers/0/env/0"},
    ]
    item = api.ok("PATCH", agent, operations, JSON_PATCH)
    assert containers(item)["main"]["image"] == "example.com/agent:v2"
    assert containers(item)["main"]["args"] == ["--one", "--two", "--three"]
    assert env(item) == {"B": "2"}
    assert item["metadata"]["labels"]["example.com/x"] == "1"


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([{"op": "test", "path": "/metadata/name", "value": "other"}], 422),
        ([{"op": "remove", "path": "/spec/nothing/here"}], 422),
        ([{"op": "replace", "path": "/spec/nothing/here", "value": 1}], 422),
        ({"metadata": {}}, 400),
    ],
)
def test_json_patches_that_do_not_fit(api: Client, agent: str, operations: Any, status: int) -> None:
    assert api("PATCH", agent, operations, JSON_PATCH).status == status


def test_merge_patch_replaces_lists(api: Client, agent: str) -> None:
    patch = {"metadata": {"labels": {"app": None, "new": "1"}}, **template(image="example.com/agent:v2")}
    item = api.ok("PATCH", agent, patch, MERGE)
    assert item["metadata"]["labels"] == {"new": "1"}
    assert list(containers(item)) == ["main"]
    assert env(item) == {}


def test_strategic_merge_patch_merges_by_key(api: Client, agent: str) -> None:
    patch = template(
        env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
        args=["--only"],
        ports=[{"containerPort": 81, "name": "more"}],
        volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],
        pod_spec={"tolerations": [{"key": "x", "operator": "Exists"}], "volumes": [{"name": "tmp", "emptyDir": {}}]},
    )
    item = api.ok("PATCH", agent, patch, STRATEGIC)
    main, spec = containers(item)["main"], item["spec"]["template"]["spec"]
    assert list(containers(item)) == ["main", "side"]
    assert env(item) == {"A": "1", "B": "3", "C": "4"}
    assert main["image"] == "example.com/agent:v1"
    assert main["args"] == ["--only"]
    assert {port["containerPort"] for port in main["ports"]} == {80, 81}
    assert {mount["mountPath"] for mount in main["volumeMounts"]} == {"/logs", "/tmp"}
    assert spec["tolerations"] == [{"key": "x", "operator": "Exists"}]
    assert {volume["name"] for volume in spec["volumes"]} == {"logs", "tmp"}


@pytest.mark.parametrize(
    ("patch", "check"),
    [
        (template(env=[{"name": "A", "$patch": "delete"}]), lambda item: env(item) == {"B": "2"}),
        (
            template(env=[{"$patch": "replace"}, {"name": "Z", "value": "9"}]),
            lambda item: env(item) == {"Z": "9"},
        ),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}},
            lambda item: list(containers(item)) == ["main"],
        ),
        (
            template(pod_spec={"volumes": [{"name": "logs", "emptyDir": {}, "$retainKeys": ["name", "emptyDir"]}]}),
            lambda item: item["spec"]["template"]["spec"]["volumes"] == [{"name": "logs", "emptyDir": {}}],
        ),
        (
            {"metadata": {"labels": {"$patch": "replace", "only": "1"}}},
            lambda item: item["metadata"]["labels"] == {"only": "1"},
        ),
        (
            {"spec": {"updateStrategy": {"$retainKeys": ["type"], "type": "OnDelete"}}},
            lambda item: item["spec"]["updateStrategy"] == {"type": "OnDelete"},
        ),
        (
            template(
                **{
                    "env": [{"name": "C", "value": "3"}],
                    "$setElementOrder/env": [{"name": "C"}, {"name": "B"}, {"name": "A"}],
                }
            ),
            lambda item: list(env(item)) == ["C", "B", "A"],
        ),
        (template(image=None, command=["x"]), None),
        (template(env=None), lambda item: env(item) == {}),
    ],
)
def test_strategic_merge_patch_directives(api: Client, agent: str, patch: Any, check: Any) -> None:
    reply = api("PATCH", agent, patch, STRATEGIC)
    if check is None:
        assert reply.status == 422
    else:
        assert reply.status == 200, reply.data
        assert check(reply.data), reply.data


def test_strategic_merge_patch_of_plain_lists(api: Client, space: str) -> None:
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/a", "example.com/b"]
    api.ok("POST", core(space, "configmaps"), body)
    path = f"{core(space, 'configmaps')}/settings"
    item = api.ok("PATCH", path, {"metadata": {"finalizers": ["example.com/b", "example.com/c"]}}, STRATEGIC)
    assert item["metadata"]["finalizers"] == ["example.com/a", "example.com/b", "example.com/c"]
    gone = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}
    item = api.ok("PATCH", path, gone, STRATEGIC)
    assert item["metadata"]["finalizers"] == ["example.com/b", "example.com/c"]


def test_a_patch_without_the_key_of_its_list(api: Client, agent: str) -> None:
    assert api("PATCH", agent, template(env=[{"value": "x"}]), STRATEGIC).status in (400, 500)
    assert api("PATCH", agent, {}, "text/plain").status == 415


# --- server-side apply ---------------------------------------------------------------------------------------------


def applied(name: str = "agent", **container: Any) -> dict[str, Any]:
    head = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name}}
    return {**head, **template(**container)}


def test_apply_creates_and_is_idempotent(api: Client, space: str) -> None:
    path = f"{apps(space)}/agent"
    first = api("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    assert first.status == 201
    entries = first.data["metadata"]["managedFields"]
    assert [(entry["manager"], entry["operation"]) for entry in entries] == [("one", "Apply")]
    fields = entries[0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']
    assert fields["f:env"]['k:{"name":"A"}'] == {".": {}, "f:name": {}, "f:value": {}}
    assert "f:imagePullPolicy" not in fields
    before = api.get(path).data
    again = api("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    assert (again.status, again.data) == (200, before)


def test_apply_names_its_conflicts(api: Client, agent: str) -> None:
    patch = applied(env=[{"name": "A", "value": "9"}, {"name": "N", "value": "1"}])
    reply = api("PATCH", agent, patch, APPLY, fieldManager="two")
    assert (reply.status, reply.data["reason"]) == (409, "Conflict")
    field = '.spec.template.spec.containers[name="main"].env[name="A"].value'
    assert reply.causes == {field: "FieldManagerConflict"}
    assert reply.data["details"]["causes"][0]["message"].startswith('conflict with "test" using apps/v1')
    assert reply.data["message"].startswith('Apply failed with 1 conflict: conflict with "test"')
    assert env(api.get(agent).data)["A"] == "1"


def test_apply_takes_by_force(api: Client, agent: str) -> None:
    patch = applied(env=[{"name": "A", "value": "9"}])
    item = api.ok("PATCH", agent, patch, APPLY, fieldManager="two", force="true")
    assert env(item) == {"A": "9", "B": "2"}
    # The other manager doesn't own the value any more, and can get it back the same way.
    owners = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in item["metadata"]["managedFields"]}
    held = owners["test"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']["f:env"]['k:{"name":"A"}']
    assert "f:value" not in held
    taken = api.ok("PATCH", agent, template(env=[{"name": "A", "value": "7"}]), STRATEGIC)
    assert env(taken)["A"] == "7"
    assert api("PATCH", agent, patch, APPLY, fieldManager="two").status == 409


def test_apply_shares_equal_values(api: Client, agent: str) -> None:
    reply = api("PATCH", agent, applied(env=[{"name": "A", "value": "1"}]), APPLY, fieldManager="two")
    assert reply.status == 200
    managers = {entry["manager"] for entry in reply.data["metadata"]["managedFields"]}
    assert managers == {"test", "two"}
    # Both own it: dropping it from one's configuration leaves it to the other.
    item = api.ok("PATCH", agent, applied(image="example.com/agent:v1"), APPLY, fieldManager="two")
    assert env(item)["A"] == "1"


def test_apply_removes_what_it_no_longer_says(api: Client, space: str) -> None:
    path = f"{apps(space)}/agent"
    api.ok("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    smaller = daemon_set()
    spec = smaller["spec"]["template"]["spec"]
    spec["containers"][0]["env"] = [{"name": "B", "value": "2"}]
    del spec["containers"][0]["args"], spec["containers"][1], smaller["metadata"]["labels"]
    item = api.ok("PATCH", path, smaller, APPLY, fieldManager="one")
    assert env(item) == {"B": "2"}
    assert list(containers(item)) == ["main"]
    assert "args" not in containers(item)["main"]
    assert containers(item)["main"]["imagePullPolicy"] == "IfNotPresent"
    assert "labels" not in item["metadata"]


def test_apply_leaves_what_others_made_in_its_items(api: Client, space: str) -> None:
    path = f"{apps(space)}/agent"
    api.ok("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    api.ok("PATCH", path, applied(env=[{"name": "C", "value": "3"}]), APPLY, fieldManager="two")
    item = api.ok("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    assert env(item) == {"A": "1", "B": "2", "C": "3"}
    item = api.ok("PATCH", path, applied(args=["--x"]), APPLY, fieldManager="three", force="true")
    item = api.ok("PATCH", path, applied(), APPLY, fieldManager="two")
    assert env(item) == {"A": "1", "B": "2"}


def test_no_list_item_loses_its_name(api: Client, space: str) -> None:
    """One manager applies an item, another changes its value; when the first drops it, it goes or stays whole."""
    path = f"{apps(space)}/agent"
    api.ok("PATCH", path, daemon_set(), APPLY, fieldManager="one")
    api.ok("PATCH", path, template(env=[{"name": "A", "value": "changed"}]), STRATEGIC)
    smaller = daemon_set()
    smaller["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "B", "value": "2"}]
    item = api.ok("PATCH", path, smaller, APPLY, fieldManager="one")
    assert all(held.get("name") for held in containers(item)["main"]["env"])
    assert env(item)["B"] == "2"


def test_apply_in_a_dry_run(api: Client, space: str) -> None:
    path = f"{apps(space)}/agent"
    assert api("PATCH", path, daemon_set(), APPLY, fieldManager="one", dryRun="All").status == 201
    assert api.get(path).status == 404


def test_apply_wants_its_form(api: Client, agent: str) -> None:
    assert api("PATCH", agent, applied(), APPLY).status in (400, 422)
    assert api("PATCH", agent, {"metadata": {"name": "agent"}}, APPLY, fieldManager="x").status == 400
    assert api("PATCH", agent, applied("other"), APPLY, fieldManager="x").status == 400
    keyless = applied(env=[{"value": "x"}])
    # Refused in every version, each time with another status.
    assert api("PATCH", agent, keyless, APPLY, fieldManager="x").status in (400, 422, 500)
    twice = applied(env=[{"name": "X", "value": "1"}, {"name": "X", "value": "2"}])
    assert api("PATCH", agent, twice, APPLY, fieldManager="x").status in (400, 500)
    assert api("PATCH", agent, {}, MERGE, force="true").status in (400, 422)


def test_apply_to_maps_and_sets(api: Client, space: str) -> None:
    path = f"{core(space, 'configmaps')}/settings"
    one = config_map(a="1", b="2")
    one["metadata"]["finalizers"] = ["example.com/a"]
    api.ok("PATCH", path, one, APPLY, fieldManager="one")
    two = config_map(c="3")
    two["metadata"]["finalizers"] = ["example.com/b"]
    item = api.ok("PATCH", path, two, APPLY, fieldManager="two")
    assert item["data"] == {"a": "1", "b": "2", "c": "3"}
    assert item["metadata"]["finalizers"] == ["example.com/a", "example.com/b"]
    item = api.ok("PATCH", path, config_map(a="1"), APPLY, fieldManager="one")
    assert item["data"] == {"a": "1", "c": "3"}
    assert item["metadata"]["finalizers"] == ["example.com/b"]
    reply = api("PATCH", path, config_map(a="x", c="y"), APPLY, fieldManager="four")
    assert reply.causes == {".data.a": "FieldManagerConflict", ".data.c": "FieldManagerConflict"}
    assert reply.data["message"].startswith("Apply failed with 2 conflicts: ")


def test_updates_are_booked_to_their_manager(api: Client, agent: str) -> None:
    api("PATCH", agent, template(image="example.com/agent:v2"), STRATEGIC, agent="editor/2.0")
    named = api.ok("PATCH", agent, {"metadata": {"labels": {"x": "1"}}}, MERGE, fieldManager="labeller")
    entries = {entry["manager"]: entry for entry in named["metadata"]["managedFields"]}
    assert set(entries) == {"test", "editor", "labeller"}
    main = entries["editor"]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']
    assert main == {"f:image": {}}
    assert entries["labeller"]["fieldsV1"] == {"f:metadata": {"f:labels": {"f:x": {}}}}


# --- lists and watches ---------------------------------------------------------------------------------------------


@pytest.fixture
def colors(api: Client, space: str) -> str:
    """A path with five ConfigMaps: c0 to c4, of two colors, the last with no label."""
    path = core(space, "configmaps")
    for index in range(5):
        body = config_map(f"c{index}")
        if index < 4:
            body["metadata"]["labels"] = {"color": "red" if index % 2 else "blue", "n": str(index)}
        api.ok("POST", path, body)
    return path


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("color=red", ["c1", "c3"]),
        ("color==red,n!=3", ["c1"]),
        ("color!=red,n", ["c0", "c2"]),
        ("color in (red, blue)", ["c0", "c1", "c2", "c3"]),
        ("color in (blue),n notin (0)", ["c2"]),
        ("!color,app!=x", ["c4", "kube-root-ca.crt"]),
        ("n>1", ["c2", "c3"]),
        ("color=green", []),
    ],
)
def test_label_selectors(api: Client, colors: str, selector: str, names: list[str]) -> None:
    items = api.get(colors, labelSelector=selector).data["items"]
    # The root certificates are put there by a controller that the real server here has none of.
    found = [item["metadata"]["name"] for item in items]
    assert [name for name in found if name != "kube-root-ca.crt"] == [name for name in names if name[0] == "c"]


def test_field_selectors(api: Client, colors: str, space: str) -> None:
    found = api.get(colors, fieldSelector="metadata.name=c1").data["items"]
    assert [item["metadata"]["name"] for item in found] == ["c1"]
    api.ok("POST", core(space, "pods"), {**pod("p1"), "spec": {**pod()["spec"], "nodeName": "somewhere"}})
    api.ok("POST", core(space, "pods"), pod("p2"))
    found = api.get("/api/v1/pods", fieldSelector=f"spec.nodeName=somewhere,metadata.namespace={space}").data["items"]
    assert [item["metadata"]["name"] for item in found] == ["p1"]
    found = api.get(core(space, "pods"), fieldSelector="status.phase=Pending,metadata.name!=p1").data["items"]
    assert [item["metadata"]["name"] for item in found] == ["p2"]


@pytest.mark.parametrize(
    "query",
    [{"labelSelector": "a=(b"}, {"fieldSelector": "spec.nothing=1"}, {"labelSelector": "a in b"}, {"limit": "x"}],
)
def test_bad_selections_are_bad_requests(api: Client, colors: str, query: dict[str, str]) -> None:
    assert api.get(colors, **query).status == 400


def test_pages_show_one_moment(api: Client, colors: str) -> None:
    first = api.get(colors, limit=2, labelSelector="n").data
    assert [item["metadata"]["name"] for item in first["items"]] == ["c0", "c1"]
    body = config_map("c1a")
    body["metadata"]["labels"] = {"n": "9"}
    api.ok("POST", colors, body)
    names, page = [], first
    while page["metadata"].get("continue"):
        page = api.get(colors, limit=2, labelSelector="n", **{"continue": page["metadata"]["continue"]}).data
        names += [item["metadata"]["name"] for item in page["items"]]
        assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert names == ["c2", "c3"]
    whole = api.get(colors, limit=1).data
    assert whole["metadata"]["remainingItemCount"] >= 5
    assert api.get(colors, limit=2, **{"continue": "nonsense"}).status == 400


def test_watch_from_a_version(api: Client, colors: str) -> None:
    version = api.get(colors).data["metadata"]["resourceVersion"]
    red = {"metadata": {"labels": {"color": "red"}}}
    api.ok("PATCH", f"{colors}/c0", red, MERGE)
    api.ok("PATCH", f"{colors}/c1", {"metadata": {"labels": {"color": "blue"}}}, MERGE)
    api.ok("PATCH", f"{colors}/c3", {"data": {"x": "1"}}, MERGE)
    api.ok("PATCH", f"{colors}/c4", {"data": {"x": "1"}}, MERGE)
    api.ok("DELETE", f"{colors}/c3")
    api.ok("DELETE", f"{colors}/c4")
    events = api.watch(colors, resourceVersion=version, labelSelector="color=red", timeoutSeconds=1)
    seen = [(event["type"], event["object"]["metadata"]["name"]) for event in events]
    assert seen == [("ADDED", "c0"), ("DELETED", "c1"), ("MODIFIED", "c3"), ("DELETED", "c3")]


def test_watch_begins_with_what_is_there(api: Client, colors: str) -> None:
    events = list(api.watch(colors, labelSelector="color", timeoutSeconds=1))
    assert [event["type"] for event in events] == ["ADDED"] * 4
    assert events[0]["object"]["kind"] == "ConfigMap"


def test_tables_for_kubectl(api: Client, agent: str, space: str) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = api("GET", apps(space), accept=accept).data
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert shown == ["Name", "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:7] == ["agent", 0, 0, 0, 0, 0, "<none>"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "agent"
    api.ok("POST", core(space, "services"), service())
    table = api("GET", f"{core(space, 'services')}/web", accept=accept).data
    cells = dict(zip((column["name"] for column in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))
    assert (cells["Type"], cells["Port(s)"], cells["Selector"]) == ("ClusterIP", "80/TCP", "app=web")


# --- pods ----------------------------------------------------------------------------------------------------------


def test_eviction(api: Client, space: str) -> None:
    api.ok("POST", core(space, "pods"), pod())
    path = f"{core(space, 'pods')}/one"
    body = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "one", "namespace": space}}
    dry = api("POST", f"{path}/eviction", body, dryRun="All")
    assert (dry.status, api.get(path).status) == (201, 200)
    gone = api("POST", f"{path}/eviction", body)
    assert (gone.status, gone.data["status"]) == (201, "Success")
    assert api.get(path).status == 404
    assert api("POST", f"{path}/eviction", body).status == 404


def test_nodes_without_a_spec(api: Client) -> None:
    name = f"node-{uuid.uuid4().hex[:8]}"
    made = api("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": {"x": "1"}}})
    assert made.status == 201
    patched = api.ok("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}}, STRATEGIC)
    assert patched["spec"]["unschedulable"] is True
    addresses = [{"type": "InternalIP", "address": "2001:db8::1"}]
    status = api.ok("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"addresses": addresses}}, STRATEGIC)
    assert status["status"]["addresses"] == addresses
    more = [{"type": "Hostname", "address": "h"}]
    status = api.ok("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"addresses": more}}, STRATEGIC)
    assert {item["type"] for item in status["status"]["addresses"]} == {"InternalIP", "Hostname"}
    assert api("DELETE", f"/api/v1/nodes/{name}").status == 200


# --- services ------------------------------------------------------------------------------------------------------


def test_services_get_ipv6_addresses(api: Client, space: str) -> None:
    spec = api.ok("POST", core(space, "services"), service())["spec"]
    assert ip_address(spec["clusterIP"]) in ip_network(RANGE)
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["ipFamilies"] == ["IPv6"]
    assert spec["ipFamilyPolicy"] == "SingleStack"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    other = api.ok("POST", core(space, "services"), service("other", ipFamilies=["IPv6"]))["spec"]
    assert other["clusterIP"] != spec["clusterIP"]


def free_address(api: Client) -> str:
    taken = {item["spec"].get("clusterIP") for item in api.get("/api/v1/services").data["items"]}
    return next(text for offset in range(0x5000, 0x6000) if (text := str(ip_network(RANGE)[offset])) not in taken)


def test_a_service_may_name_its_address(api: Client, space: str) -> None:
    wanted = free_address(api)
    made = api.ok("POST", core(space, "services"), service(clusterIP=wanted))
    assert made["spec"]["clusterIP"] == wanted
    taken = api("POST", core(space, "services"), service("other", clusterIP=wanted))
    assert (taken.status, list(taken.causes)) == (422, ["spec.clusterIPs"])
    assert api.get("/api/v1/namespaces/default/services/kubernetes").data["spec"]["clusterIP"] == str(
        ip_network(RANGE)[1]
    )


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"ipFamilies": ["IPv4"]}, "spec.ipFamilies[0]"),
        ({"ipFamilyPolicy": "RequireDualStack"}, "spec.ipFamilyPolicy"),
        ({"clusterIP": "fd99::1"}, "spec.clusterIPs"),
        ({"clusterIP": "10.100.0.10"}, "spec.clusterIPs"),
        ({"ports": []}, "spec.ports"),
        ({"ports": [{"port": 0}]}, "spec.ports[0].port"),
        ({"ports": [{"port": 80, "protocol": "ICMP"}]}, "spec.ports[0].protocol"),
        ({"type": "Sometimes"}, "spec.type"),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}, "spec.ports[0].nodePort"),
    ],
)
def test_services_that_are_refused(api: Client, space: str, spec: dict[str, Any], field: str) -> None:
    reply = api("POST", core(space, "services"), service(**spec))
    assert reply.status == 422, reply.data
    assert any(cause.startswith(field) for cause in reply.causes), reply.data


def test_a_service_keeps_its_address(api: Client, space: str) -> None:
    made = api.ok("POST", core(space, "services"), service())
    path = f"{core(space, 'services')}/web"
    moved = api("PATCH", path, {"spec": {"clusterIP": free_address(api), "clusterIPs": None}}, MERGE)
    assert moved.status == 422
    made["spec"]["ports"][0]["targetPort"] = 8080
    assert api.ok("PUT", path, made)["spec"]["ports"][0]["targetPort"] == 8080
    other = api("PATCH", path, {"spec": {"ipFamilies": ["IPv4"]}}, MERGE)
    assert other.status == 422
    assert "spec.ipFamilies[0]" in other.causes


def test_headless_services_and_node_ports(api: Client, space: str) -> None:
    headless = api.ok("POST", core(space, "services"), service("headless", clusterIP="None"))["spec"]
    assert (headless["clusterIP"], headless["ipFamilies"]) == ("None", ["IPv6"])
    ports = api.ok("POST", core(space, "services"), service("ports", type="NodePort"))["spec"]["ports"]
    assert 30000 <= ports[0]["nodePort"] < 32768


# --- custom resources ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def widgets(api: Client) -> Iterator[str]:
    """The path of a custom resource, defined for these tests."""
    group = f"g{uuid.uuid4().hex[:6]}.example.com"
    spec = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 9},
            "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                },
            },
            "tags": {"type": "array", "items": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    status = {"type": "object", "properties": {"ready": {"type": "boolean"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    definition = {
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api.ok("POST", path, definition)
    for event in api.watch(path, fieldSelector=f"metadata.name=widgets.{group}", timeoutSeconds=20):
        states = {item["type"]: item["status"] for item in event["object"].get("status", {}).get("conditions") or []}
        if states.get("Established") == "True":
            break
    deadline = monotonic() + 30
    while api.get(f"/apis/{group}/v1/widgets").status != 200:
        assert monotonic() < deadline, f"widgets.{group} are not served"
    yield f"/apis/{group}/v1/namespaces/default/widgets"
    api.ok("DELETE", f"{path}/widgets.{group}")


def widget(path: str, name: str, **spec: Any) -> dict[str, Any]:
    group = path.split("/")[2]
    return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_custom_resources_are_discovered(api: Client, widgets: str) -> None:
    group = widgets.split("/")[2]
    listed = {item["name"]: item for item in api.get(f"/apis/{group}/v1").data["resources"]}
    assert listed["widgets"]["shortNames"] == ["wd"]
    assert "widgets/status" in listed


def test_custom_resources_are_pruned_and_defaulted(api: Client, widgets: str) -> None:
    made = api.ok("POST", widgets, widget(widgets, "pruned", size=1, unknown=1, free={"anything": [1]}))
    assert made["spec"] == {"size": 1, "color": "red", "free": {"anything": [1]}}
    assert made["metadata"]["generation"] == 1
    assert api.get(widgets).data["items"][0]["kind"] == "Widget"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.size"),
        ({"size": "big"}, "spec.size"),
        ({"size": 0}, "spec.size"),
        ({"size": 10}, "spec.size"),
        ({"size": 1, "color": "green"}, "spec.color"),
        ({"size": 1, "tags": "x"}, "spec.tags"),
        ({"size": 1, "parts": [{"count": 1}]}, "spec.parts"),
    ],
)
def test_custom_resources_are_validated(api: Client, widgets: str, spec: dict[str, Any], field: str) -> None:
    reply = api("POST", widgets, widget(widgets, "bad", **spec))
    assert reply.status == 422, reply.data
    assert all(cause.startswith(field) for cause in reply.causes), reply.data


def test_custom_resources_take_merge_patches_only(api: Client, widgets: str) -> None:
    api.ok("POST", widgets, widget(widgets, "patched", size=1, tags=["a"]))
    path = f"{widgets}/patched"
    assert api("PATCH", path, {"spec": {"size": 2}}, STRATEGIC).status == 415
    item = api.ok("PATCH", path, {"spec": {"size": 2, "tags": ["b"]}}, MERGE)
    assert (item["spec"]["tags"], item["metadata"]["generation"]) == (["b"], 2)
    item = api.ok("PATCH", f"{path}/status", {"status": {"ready": True}, "spec": {"size": 3}}, MERGE)
    assert (item["spec"]["size"], item["status"], item["metadata"]["generation"]) == (2, {"ready": True}, 2)
    item = api.ok("PATCH", path, {"status": {"ready": False}, "metadata": {"labels": {"x": "1"}}}, MERGE)
    assert (item["status"], item["metadata"]["generation"]) == ({"ready": True}, 2)
    del item["metadata"]["resourceVersion"]
    assert api("PUT", path, item).status == 422


def test_custom_resources_are_applied(api: Client, widgets: str) -> None:
    path = f"{widgets}/applied"
    api.ok(
        "PATCH", path, widget(widgets, "applied", size=1, parts=[{"name": "a", "count": 1}]), APPLY, fieldManager="x"
    )
    more = widget(widgets, "applied", parts=[{"name": "b", "count": 2}])
    item = api.ok("PATCH", path, more, APPLY, fieldManager="y")
    assert [part["name"] for part in item["spec"]["parts"]] == ["a", "b"]
    reply = api("PATCH", path, widget(widgets, "applied", size=5), APPLY, fieldManager="y")
    assert reply.causes == {".spec.size": "FieldManagerConflict"}


def test_definitions_are_checked(api: Client) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = {"plural": "things", "kind": "Thing"}
    version = {"name": "v1", "served": True, "storage": True}
    spec = {"group": "example.org", "scope": "Cluster", "names": names, "versions": [version]}
    reply = api("POST", path, {"metadata": {"name": "things.example.org"}, "spec": spec})
    assert reply.status == 422
    assert any("schema" in field for field in reply.causes)
    assert api("POST", path, {"metadata": {"name": "wrong"}, "spec": spec}).status == 422


if REAL:

    def test_lists_merge_by_the_keys_that_the_real_server_publishes() -> None:
        folder = Path(REAL)
        real = Client(*((folder / name).read_text().strip() for name in ("url", "ca.crt", "token")))
        compared = 0
        for reference, definition in real.get("/openapi/v2").data["definitions"].items():
            name = reference.rsplit(".", 1)[1]
            if not reference.startswith("io.k8s.api.") or name not in type_names():
                continue
            known = named(name)
            for field, node in definition.get("properties", {}).items():
                key = node.get("x-kubernetes-patch-merge-key")
                if key and field in known.fields:
                    held = known.child(field)
                    assert held is not None
                    assert (held.merge_key, held.merges) == (key, True), f"{name}.{field}"
                    compared += 1
        assert compared > 20
