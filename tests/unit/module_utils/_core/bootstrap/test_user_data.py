# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data as EC2 takes it: multipart documents, gzip, base64, the limit."""

from __future__ import annotations

import base64
import email
import gzip
import random
import string

import pytest
import yaml

from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap import user_data
from ansible_collections.eksops.ipv6.plugins.module_utils._core.bootstrap.description import Cluster, Node, Part
from ansible_collections.eksops.ipv6.plugins.module_utils._core.plan import Refused

CLUSTER = Cluster("production", "https://api.example", "Q0E=", "fd30:3087:b6c2::/108")
LONG = "#!/bin/sh\n" + "echo the same line again and again\n" * 1000
NOISE = "#!/bin/sh\n#" + "".join(random.Random(6).choices(string.ascii_letters + string.digits, k=40000))


def node(**options: object) -> Node:
    return Node.from_options("al2023", options)


def parts_of(text: str) -> list[tuple[str, str]]:
    document = email.message_from_string(text)
    found = []
    for part in document.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found.append((part.get_content_type(), payload.decode()))
    return found


def test_a_node_config_alone_is_plain_yaml() -> None:
    rendered = user_data.render(CLUSTER, node())
    assert yaml.safe_load(rendered.data)["kind"] == "NodeConfig"
    assert base64.b64decode(rendered.base64) == rendered.text.encode()
    assert rendered.compressed is False


@pytest.mark.parametrize("encoded", [False, True])
def test_parts_keep_their_order_and_their_letters(encoded: bool) -> None:
    after = {"content": "#cloud-config\nhostname: 'größer'\n", "content_type": "text/cloud-config"}
    wishes = node(parts_before=["#!/bin/sh\necho 1\n"], parts_after=[after])
    (first, config, last) = parts_of(user_data.render(CLUSTER, wishes, base64_parts=encoded).text)
    assert first == ("text/x-shellscript", "#!/bin/sh\necho 1\n")
    assert config[0] == "application/node.eks.aws" and "kind: NodeConfig" in config[1]
    assert last == ("text/cloud-config", after["content"])


def test_nodeadm_finds_its_part_by_the_whole_header() -> None:
    text = user_data.render(CLUSTER, node(parts_before=["#!/bin/sh\n"])).text
    assert "\nContent-Type: application/node.eks.aws\n" in text


def test_a_multipart_document_of_ones_own_is_taken_apart() -> None:
    theirs = user_data.multipart([Part("#!/bin/sh\necho 1\n"), Part("#!/bin/sh\necho 2 ü\n")])
    text = user_data.render(CLUSTER, node(parts_before=[theirs])).text
    assert [content for _kind, content in parts_of(text)[:2]] == ["#!/bin/sh\necho 1\n", "#!/bin/sh\necho 2 ü\n"]
    assert text.count("MIME-Version") == 1


def test_a_node_config_inside_such_a_document_is_refused_too() -> None:
    theirs = user_data.multipart([Part("spec: {}\n", "application/node.eks.aws")])
    with pytest.raises(Refused, match="Give it as node_config"):
        user_data.render(CLUSTER, node(parts_before=[theirs]))


def test_the_boundary_is_in_no_part() -> None:
    parts = [Part("#!/bin/sh\n")]
    boundary = user_data.multipart(parts).split('boundary="')[1].split('"')[0]
    again = user_data.multipart([Part("#!/bin/sh\n", "text/x-shellscript"), Part(f"--{boundary}\n")])
    assert [content for _kind, content in parts_of(again)] == ["#!/bin/sh\n", f"--{boundary}\n"]


def test_a_managed_groups_part_is_always_multipart() -> None:
    text = user_data.render(CLUSTER, node(completed_by_eks=True, max_pods=110)).text
    ((kind, content),) = parts_of(text)
    assert kind == "application/node.eks.aws"
    assert yaml.safe_load(content)["spec"] == {"kubelet": {"config": {"maxPods": 110}}}


def test_what_is_too_long_is_compressed() -> None:
    rendered = user_data.render(CLUSTER, node(parts_before=[LONG]))
    assert rendered.compressed is True and len(rendered.data) <= user_data.LIMIT
    assert gzip.decompress(rendered.data).decode() == rendered.text
    assert rendered.data == user_data.render(CLUSTER, node(parts_before=[LONG])).data


def test_short_user_data_is_compressed_when_told_to() -> None:
    assert user_data.render(CLUSTER, node(), compress="always").compressed is True


def test_what_is_too_long_and_may_not_be_compressed_is_refused_with_its_size() -> None:
    with pytest.raises(Refused, match=r"has 3\d{4} bytes; EC2 takes 16384\. Set compress: auto"):
        user_data.render(CLUSTER, node(parts_before=[LONG]), compress="never")


def test_what_is_too_long_even_compressed_is_refused_with_both_sizes() -> None:
    with pytest.raises(Refused, match=r"4\d{4} bytes, [23]\d{4} compressed"):
        user_data.render(CLUSTER, node(parts_before=[NOISE]))


@pytest.mark.parametrize("size", [user_data.LIMIT - 1, user_data.LIMIT, user_data.LIMIT + 1])
def test_the_limit_is_16_kib(size: int) -> None:
    if size <= user_data.LIMIT:
        assert len(user_data.packed("x" * size, "never")) == size
    else:
        with pytest.raises(Refused):
            user_data.packed("x" * size, "never")


def test_a_cluster_that_is_not_there_yet_is_rendered_with_what_stands_in_for_it() -> None:
    pending = Cluster("production", *["pending:cluster/production"] * 3)
    for family in ("al2", "al2023", "bottlerocket"):
        assert "pending:cluster/production" in user_data.render(pending, Node(family)).text
