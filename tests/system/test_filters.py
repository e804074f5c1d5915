# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters under their full names, in a play of Ansible's own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
CLUSTER = {
    "name": "production",
    "endpoint": "https://api.example",
    "certificate_authority_data": "Q0E=",
    "service_ipv6_cidr": "fd30:3087:b6c2::/108",
}
TYPE = {
    "InstanceType": "m7g.large",
    "Hypervisor": "nitro",
    "VCpuInfo": {"DefaultVCpus": 2},
    "NetworkInfo": {"MaximumNetworkInterfaces": 3, "Ipv4AddressesPerInterface": 10},
}
EXPRESSIONS = {
    "pods": "{{ [type] | eksops.ipv6.eks_max_pods }}",
    "dns": "{{ cluster.service_ipv6_cidr | eksops.ipv6.eks_cluster_dns_ip }}",
    "arguments": "{{ cluster | eksops.ipv6.eks_bootstrap_arguments(max_pods=[type] | eksops.ipv6.eks_max_pods) }}",
    "config": "{{ cluster | eksops.ipv6.eks_node_config(max_pods=110, labels={'spot': true}) }}",
    "settings": "{{ cluster | eksops.ipv6.eks_bottlerocket_settings(settings={'motd': 'hello'}) }}",
}


def test_templates_reach_the_filters(tmp_path: Path) -> None:
    save = {"content": "{{ found | to_json }}", "dest": str(tmp_path / "found.json"), "mode": "0600"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"cluster": CLUSTER, "type": TYPE, "found": EXPRESSIONS},
        "tasks": [{"ansible.builtin.copy": save}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    process = subprocess.run([PLAYBOOK, "play.yml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["pods"] == 110
    assert found["dns"] == "fd30:3087:b6c2::a"
    assert "--service-ipv6-cidr fd30:3087:b6c2::/108" in found["arguments"]
    assert yaml.safe_load(found["config"])["spec"]["kubelet"]["flags"] == ["--node-labels=spot=true"]
    assert tomllib.loads(found["settings"])["settings"]["motd"] == "hello"
