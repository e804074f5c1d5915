# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User data as EC2 takes it (pure): one text, or MIME multipart; gzip and base64; 16 KiB."""

from __future__ import annotations

import base64
import email
import gzip
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..plan import Problem, refuse_if_any
from . import al2, al2023, bottlerocket, description
from .description import Cluster, Node, Part

LIMIT = 16384  # bytes before base64; EC2 API reference, RunInstances, UserData
COMPRESSION = ("auto", "never", "always")


@dataclass(frozen=True)
class UserData:
    """Rendered user data. C(text) is uncompressed; C(data) is what the instance receives."""

    text: str
    data: bytes
    content_type: str
    parts: tuple[Part, ...]

    @property
    def base64(self) -> str:
        """As a launch template takes it."""
        return base64.b64encode(self.data).decode()

    @property
    def compressed(self) -> bool:
        """Whether the instance receives gzip."""
        return self.data.startswith(b"\x1f\x8b")


def refuse(cluster: Cluster, node: Node) -> list[Problem]:
    """Everything that keeps user data from being rendered."""
    if node.family == "windows":
        message = "IPv6 clusters have no Windows nodes."
        return [Problem("family", message, "Take al2023 or bottlerocket.", description.FAMILY_SOURCE)]
    if node.family not in description.FAMILIES:
        return [Problem("family", f"{node.family!r} is none of {', '.join(description.FAMILIES)}.")]
    own = {"al2": al2.refuse, "al2023": al2023.refuse, "bottlerocket": bottlerocket.refuse}[node.family]
    return [*description.refuse(cluster, node), *own(node)]


def render(cluster: Cluster, node: Node, compress: str = "auto", base64_parts: bool = False) -> UserData:
    """User data of any family. C(base64_parts) writes the parts of a multipart document in base64.

    @raises Refused  with every problem, that of the size included.
    """
    refuse_if_any(refuse(cluster, node))
    parts = _parts(cluster, node)
    # EKS merges a managed group's own parts with multipart documents only.
    merges = node.completed_by_eks and node.family == "al2023"
    if len(parts) == 1 and not merges and not base64_parts:
        text, content_type = parts[0].content, parts[0].content_type
    else:
        text, content_type = multipart(parts, base64_parts), "multipart/mixed"
    return UserData(text, packed(text, compress), content_type, parts)


def _parts(cluster: Cluster, node: Node) -> tuple[Part, ...]:
    if node.family == "bottlerocket":
        return (Part(bottlerocket.text(cluster, node), "application/toml"),)
    made = al2.parts(cluster, node) if node.family == "al2" else al2023.parts(cluster, node)
    return tuple(part for item in made for part in spliced(item))


def packed(text: str, compress: str) -> bytes:
    """The bytes that the instance receives.

    @raises Refused  when they are more than EC2 takes.
    """
    plain = text.encode()
    data = _gzipped(plain) if compress == "always" or (compress == "auto" and len(plain) > LIMIT) else plain
    if len(data) > LIMIT:
        sizes = f"{len(plain)} bytes" + (f", {len(data)} compressed" if data is not plain else "")
        remedy = "Set compress: auto." if compress == "never" else "Fetch what is long from elsewhere at boot."
        message = f"user data has {sizes}; EC2 takes {LIMIT}."
        refuse_if_any([Problem("parts_before", message, remedy, "EC2 API reference, RunInstances")])
    return data


def multipart(parts: Sequence[Part], base64_parts: bool = False) -> str:
    """A MIME multipart document. Its boundary comes from the content, so that equal input gives equal text."""
    boundary = _boundary(parts)
    lines = ["MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{boundary}"', ""]
    for part in parts:
        encoded = base64_parts or not part.content.isascii()
        lines += [f"--{boundary}", f'Content-Type: {part.content_type}; charset="utf-8"']
        if part.content_type == al2023.CONTENT_TYPE:
            lines[-1] = f"Content-Type: {part.content_type}"  # nodeadm compares the whole header
        if encoded:
            wrapped = base64.encodebytes(part.content.encode()).decode().rstrip("\n")
            lines += ["Content-Transfer-Encoding: base64", "", wrapped]
        else:
            lines += ["", part.content.removesuffix("\n")]
        lines.append("")
    return "\n".join([*lines, f"--{boundary}--", ""])


def spliced(part: Part) -> Iterator[Part]:
    """A part as it is; or, where a user gave a whole multipart document, that document's parts."""
    if not re.match(r"(?i)(mime-version|content-type):", part.content):
        yield part
        return
    document = email.message_from_string(part.content)
    if not document.is_multipart():
        yield part
        return
    for inner in document.walk():
        if not inner.is_multipart():
            payload: Any = inner.get_payload(decode=True)
            yield Part(payload.decode(errors="replace"), inner.get_content_type())


def _boundary(parts: Sequence[Part]) -> str:
    content = "\0".join(part.content for part in parts)
    boundary = "eksops-" + hashlib.sha256(content.encode()).hexdigest()[:24]
    while boundary in content:
        boundary = "eksops-" + hashlib.sha256(boundary.encode()).hexdigest()[:24]
    return boundary


def _gzipped(data: bytes) -> bytes:
    """gzip without name and time, so that equal input gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()
