# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters, as templates use them."""

from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

PLUGINS = Path(__file__).resolve().parents[3] / "plugins" / "filter"
NAMES = sorted(path.stem for path in PLUGINS.glob("*.py"))
CLUSTER = {
    "name": "production",
    "ip_family": "ipv6",
    "endpoint": "https://api.example",
    "certificate_authority_data": "Q0E=",
    "service_ipv6_cidr": "fd30:3087:b6c2::/108",
}
LARGE = {
    "InstanceType": "m7g.large",
    "Hypervisor": "nitro",
    "VCpuInfo": {"DefaultVCpus": 2},
    "NetworkInfo": {"MaximumNetworkInterfaces": 3, "Ipv4AddressesPerInterface": 10},
}


def module_of(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.eksops.ipv6.plugins.filter.{name}")


def template(text: str, **variables: Any) -> Any:
    """An expression, with the filters by their short names."""
    environment = NativeEnvironment(undefined=StrictUndefined)
    for name in NAMES:
        environment.filters |= module_of(name).FilterModule().filters()
    return environment.compile_expression(text, undefined_to_none=False)(cluster=CLUSTER, **variables)


@pytest.mark.parametrize("name", NAMES)
def test_every_filter_is_named_and_documented(name: str) -> None:
    assert list(module_of(name).FilterModule().filters()) == [name]
    document = yaml.safe_load((PLUGINS / f"{name}.yml").read_text(encoding="utf-8"))
    assert document["DOCUMENTATION"]["name"] == name
    assert f"eksops.ipv6.{name}" in document["EXAMPLES"]


def test_the_arguments_of_bootstrap_sh() -> None:
    text = template("cluster | eks_bootstrap_arguments(max_pods=110, labels={'a': 'b'})")
    assert text == (
        "production --ip-family ipv6 --service-ipv6-cidr fd30:3087:b6c2::/108 --b64-cluster-ca Q0E="
        " --apiserver-endpoint https://api.example --use-max-pods false"
        " --kubelet-extra-args '--max-pods=110 --node-labels=a=b'"
    )


def test_numbers_may_be_texts_and_texts_numbers() -> None:
    """As the module's options may: templates make one of the other."""
    text = template(
        "cluster | eks_bootstrap_arguments(max_pods='110', bootstrap_arguments=['--aws-api-retry-attempts', 3])"
    )
    assert text.endswith("--kubelet-extra-args --max-pods=110 --aws-api-retry-attempts 3")


def test_a_node_config() -> None:
    spec = yaml.safe_load(template("cluster | eks_node_config(max_pods=110)"))["spec"]
    assert spec["cluster"]["cidr"] == "fd30:3087:b6c2::/108"
    assert spec["kubelet"] == {"config": {"maxPods": 110}}


def test_bottlerockets_settings() -> None:
    text = template("cluster | eks_bottlerocket_settings(settings={'motd': 'hello'})")
    settings = tomllib.loads(text)["settings"]
    assert settings["kubernetes"]["cluster-dns-ip"] == "fd30:3087:b6c2::a"
    assert settings["motd"] == "hello"


def test_the_dns_address() -> None:
    assert template("cluster.service_ipv6_cidr | eks_cluster_dns_ip") == "fd30:3087:b6c2::a"
    assert template("'pending:cluster/x' | eks_cluster_dns_ip") == "pending:cluster/x"


def test_max_pods_of_one_type_and_of_several() -> None:
    nano = {**LARGE, "NetworkInfo": {"MaximumNetworkInterfaces": 2, "Ipv4AddressesPerInterface": 2}}
    assert template("types | eks_max_pods", types=LARGE) == 110
    assert template("types | eks_max_pods", types=json.loads(json.dumps([LARGE, nano]))) == 34


def test_a_nodes_role_in_aws_auth() -> None:
    expression = "found | eks_aws_auth(['arn:aws:iam::111122223333:role/nodes/x'])"
    made = template(expression, found=[])
    assert yaml.safe_load(made["data"]["mapRoles"])[0]["rolearn"] == "arn:aws:iam::111122223333:role/x"
    assert template(expression, found=[made]) == {}
    gone = template(expression.replace("])", "], state='absent')"), found=[made])
    assert gone["data"] == {"mapRoles": "[]\n"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{'name': 'x'} | eks_node_config", "cluster.endpoint: is missing"),
        ("'x' | eks_node_config", "takes the fact cluster"),
        ("cluster | eks_node_config(cidr='x')", "has no option cidr"),
        ("cluster | eks_node_config(node_config={'x': 1})", "documents no such field"),
        ("cluster | eks_node_config(labels=['a'])", "labels is a dictionary"),
        ("cluster | eks_node_config(taints=['a=b:NoSchedule'])", "taints is a list of dictionaries"),
        ("cluster | eks_node_config(max_pods=1.5)", "max_pods is a whole number, not 1.5"),
        ("cluster | eks_node_config(max_pods=true)", "max_pods is a whole number, not True"),
        ("cluster | eks_node_config(kubelet_arguments='--v=4')", "kubelet_arguments is a list of texts"),
        ("cluster | eks_node_config(node_config='x')", "node_config is a dictionary"),
        ("cluster | eks_node_config(node_config={'kubelet': {'flags': '--node-ip=::1'}})", "must be a list"),
        ("cluster | eks_bottlerocket_settings(settings=['x'])", "settings is a dictionary"),
        ("'2600:1f14::/56' | eks_cluster_dns_ip", "public space"),
        ("'10.100.0.0/16' | eks_cluster_dns_ip", "IPv4 range"),
        ("{} | eks_max_pods", "is missing"),
        ("'x' | eks_aws_auth([])", "takes the resources"),
        ("[] | eks_aws_auth('x')", "is a list of ARNs"),
        ("[] | eks_aws_auth(['x'])", "no ARN of an IAM role"),
        ("[] | eks_aws_auth([], state='gone')", "present or absent"),
        ("[{'data': {'mapRoles': 'x'}}] | eks_aws_auth([])", "no list of entries"),
        ("[] | eks_max_pods", "takes an instance type"),
        ("cluster | eks_bootstrap_arguments(bootstrap_arguments=['--x=y'])", "becomes an IPv4 node"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(AnsibleError, match=reason):
        template(text)
