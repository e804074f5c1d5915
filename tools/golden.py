# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden files of user data: what is rendered for every family, architecture and option.

python tools/golden.py            # write them anew, and take away those that no case makes
python tools/golden.py --check    # only say which differ
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import user_data  # noqa: E402
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node  # noqa: E402

GOLDEN = ROOT / "tests" / "unit" / "module_utils" / "_core" / "bootstrap" / "golden"
CLUSTER = Cluster(
    name="production",
    endpoint="https://EXAMPLED539D4633E53DE1B71EXAMPLE.gr7.eks-cluster.eu-west-1.api.aws",
    certificate_authority_data="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
    service_ipv6_cidr="fd30:3087:b6c2::/108",
)
# The recommendation for a large node of each architecture: m7i.large has fewer than 30 vCPUs, m7g.16xlarge more.
ARCHITECTURES = {"x86_64": 110, "arm64": 250}
BEFORE = "#!/bin/bash\necho before\n"
AFTER = {"content": "#cloud-config\nruncmd:\n  - echo after\n", "content_type": "text/cloud-config"}
CONTAINERD = '[plugins]\n[plugins."io.containerd.grpc.v1.cri"]\nmax_container_log_line_size = 32768\n'
EVERYWHERE: dict[str, dict[str, Any]] = {
    "plain": {"max_pods": None},
    "max_pods": {},
    "labels": {"labels": {"workload": "general", "example.com/tier": "front", "spot": True}},
    "taints": {
        "taints": [
            {"key": "dedicated", "value": "gpu", "effect": "NO_SCHEDULE"},
            {"key": "drain", "effect": "NO_EXECUTE"},
            {"key": "dedicated", "value": "gpu", "effect": "PreferNoSchedule"},
        ]
    },
    "local_disks": {"local_disks": "raid0"},
}
OWN: dict[str, dict[str, dict[str, Any]]] = {
    "al2": {
        "kubelet_arguments": {"kubelet_arguments": ["--v=4", "--system-reserved=cpu=100m,memory=200Mi"]},
        "bootstrap_arguments": {"bootstrap_arguments": ["--container-runtime", "containerd"]},
        "containerd": {"containerd_config": CONTAINERD},
        "local_disks_raid10": {"local_disks": "raid10"},
        "local_disks_mount": {"local_disks": "mount"},
        "parts": {"parts_before": [BEFORE], "parts_after": [AFTER]},
        "base64_parts": {"parts_before": [BEFORE], "base64_parts": True},
    },
    "al2023": {
        "kubelet_arguments": {"kubelet_arguments": ["--v=4"]},
        "kubelet_config": {
            "kubelet_config": {"shutdownGracePeriod": "30s", "evictionHard": {"memory.available": "5%"}}
        },
        "containerd": {"containerd_config": CONTAINERD},
        "local_disks_raid10": {"local_disks": "raid10"},
        "local_disks_mount": {"local_disks": "mount"},
        "node_config": {
            "node_config": {
                "featureGates": {"FastImagePull": True},
                "instance": {"localStorage": {"strategy": "RAID0", "disabledMounts": ["PodLogs"]}},
                "kubelet": {"flags": ["--v=2"]},
            }
        },
        "parts": {"parts_before": [BEFORE], "parts_after": [AFTER]},
        "base64_parts": {"parts_before": [BEFORE], "base64_parts": True},
        "completed_by_eks": {"completed_by_eks": True, "labels": {"workload": "general"}},
    },
    "bottlerocket": {
        "settings": {
            "settings": {
                "kubernetes": {"image-gc-high-threshold-percent": 85},
                "kernel": {"sysctl": {"vm.max_map_count": "262144"}},
                "host-containers": {"admin": {"enabled": True}},
            }
        },
        "completed_by_eks": {"completed_by_eks": True, "labels": {"workload": "general"}},
    },
}


def cases() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(file name, family, options) of every golden file, which is to the letter what an instance receives.

    They are .txt, since some are scripts, some MIME messages of many parts, some YAML and some TOML.
    """
    for family, own in OWN.items():
        for architecture, pods in ARCHITECTURES.items():
            for option, given in {**EVERYWHERE, **own}.items():
                yield f"{family}-{architecture}-{option}.txt", family, {"max_pods": pods, **given}


def rendered(family: str, options: Mapping[str, Any]) -> str:
    """The user data of one case."""
    node = Node.from_options(family, options)
    return user_data.render(CLUSTER, node, base64_parts=bool(options.get("base64_parts"))).text


def main() -> int:
    """Write or compare; 1 when --check finds a difference."""
    wanted = {name: rendered(family, options) for name, family, options in cases()}
    current = {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.iterdir()} if GOLDEN.exists() else {}
    differing = sorted(name for name in {*wanted, *current} if wanted.get(name) != current.get(name))
    print("\n".join(differing) or f"{len(wanted)} golden files are as rendered")
    if "--check" in sys.argv:
        return int(bool(differing))
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name in differing:
        if name in wanted:
            (GOLDEN / name).write_text(wanted[name], encoding="utf-8")
        else:
            (GOLDEN / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
