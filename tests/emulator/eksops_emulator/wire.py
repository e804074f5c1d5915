# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an HTTP request means to AWS, and an error as the service's protocol words it. botocore's models decide."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_CLIENT_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi", "email": "ses"}
_UNSIGNED = re.compile(rb"Action=(AssumeRoleWithWebIdentity|AssumeRoleWithSAML)\b")
_XML_CODE = re.compile(r"<Code>([^<]*)</Code>")
_XML_MESSAGE = re.compile(r"<Message>([^<]*)</Message>", re.IGNORECASE)


def scope(environ: dict[str, Any], body: bytes) -> tuple[str, str, str] | None:
    """(access key, region, boto3 client name) of a signed request, or None when the request isn't an AWS call."""
    match = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return ("", "us-east-1", "sts") if _UNSIGNED.search(body) else None
    access_key, region, signing_name = match.groups()
    service = _CLIENT_OF_SIGNING_NAME.get(signing_name, signing_name)
    if service == "elasticloadbalancing":
        service = "elbv2" if b"Version=2015-12-01" in body else "elb"
    return access_key, region, service


def parse(environ: dict[str, Any], body: bytes, service: str) -> tuple[str, dict[str, Any]]:
    """(operation, parameters as boto3 takes them); ("", {}) when the service's model knows no such operation."""
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    try:
        model = get_service_model(service)
        operation, uri_params = get_service_router(service).match(request)
        protocol = determine_request_protocol(model, request.content_type)
    except (NotFound, NotImplementedError, FileNotFoundError, LookupError):
        return "", {}
    parsed = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": uri_params,
        }
    )
    # A REST parser gives an empty list for every list of the query string that wasn't sent.
    return operation.name, {name: value for name, value in parsed.items() if value != []}


def error_of(status: int, headers: list[tuple[str, str]], body: bytes) -> tuple[str | None, str | None]:
    """(code, message) of an AWS error answer; (None, None) of a success."""
    if status < 300:
        return None, None
    text = body.decode("utf-8", "replace")
    if match := _XML_CODE.search(text):
        message = _XML_MESSAGE.search(text)
        return match.group(1), message.group(1) if message else None
    try:
        data = json.loads(text)
    except ValueError:
        data = {}
    if not isinstance(data, dict):
        data = {}
    by_header = next((value for name, value in headers if name.lower() == "x-amzn-errortype"), "")
    code = (by_header or str(data.get("__type") or data.get("code") or "")).split(":")[0].split("#")[-1]
    return code or str(status), data.get("message") or data.get("Message")


def error(service: str, status: int, code: str, message: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """An error answer in the protocol of `service`: (status, headers, body)."""
    try:
        protocol = get_service_model(service).protocol
    except (FileNotFoundError, LookupError):
        protocol = "json"
    kind = "Sender" if status < 500 else "Receiver"
    if protocol == "ec2":
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
            f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
            "<RequestID>emulator</RequestID></Response>"
        )
    elif protocol in ("query", "rest-xml"):
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>emulator</RequestId></ErrorResponse>"
        )
    else:
        text = json.dumps({"__type": code, "message": message})
        return status, [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)], text.encode()
    return status, [("Content-Type", "text/xml")], text.encode()
