# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data as nodes read it: what joins which cluster, and what does not.

Sources: amazon-eks-ami (bootstrap.sh, nodeadm), Bottlerocket's settings.kubernetes and pluto, cloud-init.
"""

from __future__ import annotations

import base64
import gzip

import pytest

from eksops_emulator.eks.user_data import Join, read

AL2023, BOTTLEROCKET = "amazon-eks-node-al2023-x86_64-standard-1.33-v1", "bottlerocket-aws-k8s-1.33-x86_64-v1"
OWN, PLAIN = "built-by-hand", "al2023-ami-2023.9.1.0-kernel-6.1-x86_64"
END, CA, RANGE = "https://example.gr7.eks-cluster.eu-west-1.api.aws", "Q0E=", "fd12:3456:789a::/108"
JOIN = Join("one", END, CA, True)
CONFIG = f"""\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster: {{name: one, apiServerEndpoint: "{END}", certificateAuthority: {CA}, cidr: "{RANGE}"}}
"""
FLAGS = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  kubelet:
    flags: ["--node-labels={}", "--register-with-taints=k=v:NoSchedule,bare:NoExecute"]
"""
SETTINGS = f"""\
[settings.kubernetes]
cluster-name = "one"
"api-server" = "{END}"
cluster-certificate = "{CA}"
cluster-dns-ip = "fd12:3456:789a::a"
"""
CALL = f"/etc/eks/bootstrap.sh one --b64-cluster-ca {CA} --apiserver-endpoint {END}"
TAINTS = (("k", "v", "NoSchedule"), ("bare", "", "NoExecute"))


def script(*lines: str) -> str:
    return "\n".join(["#!/bin/bash -xe", *lines, ""])


def multipart(*parts: tuple[str, str], encode: bool = False) -> str:
    """A document of cloud-init's, its parts in base64 if asked."""
    lines = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="//"', ""]
    for kind, text in parts:
        lines += ["--//", f"Content-Type: {kind}"]
        lines += ["Content-Transfer-Encoding: base64", "", base64.b64encode(text.encode()).decode()] if encode else []
        lines += [] if encode else ["", text]
        lines.append("")
    return "\n".join([*lines, "--//--", ""])


def told(text: str | bytes, image: str = OWN) -> Join | None:
    data = text if isinstance(text, bytes) else text.encode()
    return read(base64.b64encode(data).decode(), image)


NODE, SHELL = "application/node.eks.aws", "text/x-shellscript"


@pytest.mark.parametrize("image", [AL2023, OWN])
@pytest.mark.parametrize(
    "text",
    [
        CONFIG,
        "---\n" + CONFIG,
        gzip.compress(CONFIG.encode()),
        base64.b64encode(gzip.compress(CONFIG.encode())),
        multipart((SHELL, script("echo first")), (NODE, CONFIG)),
        multipart((NODE, CONFIG), encode=True),
        gzip.compress(multipart((NODE, CONFIG)).encode()),
    ],
)
def test_node_configs(text: str | bytes, image: str) -> None:
    assert told(text, image) == JOIN


def test_later_node_configs_are_merged() -> None:
    other = CONFIG.replace("name: one", "name: two")
    parts = [(NODE, text) for text in (CONFIG, FLAGS.format("a=b"), other, FLAGS.format("c=d,e=f"))]
    assert told(multipart(*parts), AL2023) == Join("two", END, CA, True, {"c": "d", "e": "f"}, TAINTS)


@pytest.mark.parametrize(
    "text",
    [
        CONFIG.replace("name: one, ", ""),
        CONFIG.replace(f"certificateAuthority: {CA}", "certificateAuthority: ''"),
        CONFIG.replace(RANGE, "none"),
        CONFIG.replace("v1alpha1", "v1"),
        CONFIG.replace("spec:", "spec: 1 #"),
        "spec: [",
        "",
        b"\xff\x00",
        b"\x1f\x8bno gzip",
        multipart((NODE + "; charset=utf-8", CONFIG)),
        multipart((SHELL, CONFIG)),
        script(CALL),
        SETTINGS,
    ],
)
def test_what_nodeadm_makes_nothing_of(text: str | bytes) -> None:
    assert told(text, AL2023) is None


def test_the_family_comes_from_the_range() -> None:
    assert told(CONFIG.replace(RANGE, "10.100.0.0/16"), AL2023) == Join("one", END, CA, False)


@pytest.mark.parametrize("image", [BOTTLEROCKET, OWN])
@pytest.mark.parametrize(
    ("text", "join"),
    [
        (SETTINGS, JOIN),
        (gzip.compress(SETTINGS.encode()), JOIN),
        (SETTINGS.replace('"fd12:3456:789a::a"', '["fd12:3456:789a::a"]'), JOIN),
        (SETTINGS.replace("cluster-dns-ip", "max-pods"), Join("one", END, CA, False)),
        (SETTINGS.replace('"fd12:3456:789a::a"', '"10.100.0.10"'), Join("one", END, CA, False)),
        (SETTINGS.replace("cluster-dns-ip", "node-ip"), JOIN),
        (
            SETTINGS + '[settings.kubernetes.node-labels]\na = "b"\n'
            '[settings.kubernetes.node-taints]\nk = ["v:NoSchedule"]\nbare = ":NoExecute"\n',
            Join("one", END, CA, True, {"a": "b"}, TAINTS),
        ),
        (SETTINGS.replace("cluster-name", "name"), None),
        (SETTINGS.replace("cluster-certificate", "certificate"), None),
        (SETTINGS.replace("settings.kubernetes", "settings.kubernetes.more"), None),
        (SETTINGS + "[settings", None),
        (multipart(("text/plain", SETTINGS)), None),
    ],
)
def test_bottlerocket(text: str | bytes, join: Join | None, image: str) -> None:
    assert told(text, image) == join


@pytest.mark.parametrize(
    ("text", "join"),
    [
        (script(f"{CALL} --ip-family ipv6 --service-ipv6-cidr {RANGE}"), JOIN),
        (script(f"{CALL} --ip-family IPv6 --service-ipv6-cidr {RANGE} && echo joined"), JOIN),
        (script(f"{CALL} --service-ipv6-cidr {RANGE}"), JOIN),
        (script(f"{CALL} \\", f"  --ip-family ipv6 --dns-cluster-ip fd12:3456:789a::a; echo {CA}"), JOIN),
        (multipart((SHELL + '; charset="utf-8"', script(f"{CALL} --service-ipv6-cidr {RANGE}"))), JOIN),
        (script("echo 'two", "lines'", f"exec {CALL} --service-ipv6-cidr '{RANGE}' # at last"), JOIN),
        (script(f"export CA={CA}", f"{CALL} --service-ipv6-cidr {RANGE}".replace(CA, '"${CA}"')), JOIN),
        # bootstrap.sh takes --option=value for a position, and without family and range a node for one of IPv4.
        (script(f"{CALL} --ip-family=ipv6"), Join("one", END, CA, False)),
        (script(CALL), Join("one", END, CA, False)),
        (script(f"{CALL} --ip-family ipv4"), Join("one", END, CA, False)),
        (script(CALL.replace(" one ", " --ip-family=ipv6 one ")), Join("--ip-family=ipv6", END, CA, False)),
        # Without both of authority and endpoint it asks DescribeCluster.
        (script("/etc/eks/bootstrap.sh one"), Join("one", None, None, None)),
        (script(f"/etc/eks/bootstrap.sh one --b64-cluster-ca {CA}"), Join("one", None, None, None)),
        (script("/etc/eks/bootstrap.sh one --ip-family ipv6"), Join("one", None, None, True)),
        # It ends with an error.
        (script(f"{CALL} --ip-family ipv6"), None),
        (script(f"{CALL} --ip-family ipv4 --service-ipv6-cidr {RANGE}"), None),
        (script(f"{CALL} --ip-family dual"), None),
        (script("/etc/eks/bootstrap.sh"), None),
        # It isn't called.
        (script("echo /etc/eks/bootstrap.sh one"), None),
        (script("# /etc/eks/bootstrap.sh one"), None),
        ("/etc/eks/bootstrap.sh one", None),
        (multipart(("application/octet-stream", script(CALL))), None),
    ],
)
def test_bootstrap_sh(text: str, join: Join | None) -> None:
    assert told(text) == join


def test_bootstrap_sh_hands_flags_to_the_kubelet() -> None:
    extra = "--max-pods=110 --node-labels=a=b --register-with-taints k=v:NoSchedule,bare:NoExecute"
    call = f"{CALL} --service-ipv6-cidr {RANGE} --kubelet-extra-args '{extra}'"
    assert told(script(call)) == Join("one", END, CA, True, {"a": "b"}, TAINTS)
    assert told(script(call.replace(extra, 'an open "quotation'))) is None


@pytest.mark.parametrize("text", [CONFIG, SETTINGS, script(CALL)])
def test_an_image_without_a_kubelet_joins_nothing(text: str) -> None:
    assert told(text, PLAIN) is None


@pytest.mark.parametrize("text", [CONFIG, script(CALL)])
def test_bottlerocket_runs_no_scripts(text: str) -> None:
    assert told(text, BOTTLEROCKET) is None
