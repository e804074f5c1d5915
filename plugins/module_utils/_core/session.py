# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AWS side of a run: one boto session for all clients, retries, pages, parallel reads, errors, polling."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from .plan import Wait

try:
    import boto3
    import botocore.config
    import botocore.exceptions
    import botocore.loaders
    import botocore.session
    import jmespath
    from botocore import xform_name
except ImportError:
    pass  # AnsibleAWSModule, and the controller door, say so with the name of what is missing

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from .host import Host

# Codes that mean "slower": AWS did nothing, so a repetition is always right. The list is botocore's own
# (retries.standard.ThrottledRetryableChecker), which is not public.
THROTTLING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    }
)
# Writes that may be sent twice without harm when a reply is lost, because the second has the same effect.
REPEATABLE = (
    *("Modify", "Replace", "Set", "Put", "Tag", "Untag", "CreateTags", "DeleteTags", "Update", "Delete"),
    *("CreateOrUpdateTags", "SuspendProcesses", "ResumeProcesses"),
)
TAKEN_AWAY = ("Delete", "Detach", "Disassociate", "Release", "Remove", "Revoke")
ATTEMPTS = 8
WAIT_TIMEOUT = 600.0
WAIT_INTERVAL = 5.0
CONSISTENCY_TIMEOUT = 120.0


class AwsError(Exception):
    """AWS refused a call, or its answer never came. C(code) is AWS's own, or the name of botocore's exception."""

    def __init__(self, service: str, operation: str, code: str, message: str, lost: bool = False) -> None:
        super().__init__(f"{service}:{operation} answered {code}: {message}")
        self.service = service
        self.operation = operation
        self.code = code
        self.message = message
        self.lost = lost

    @property
    def not_found(self) -> bool:
        """Whether the code says that the resource is not there, in any of AWS's spellings of it."""
        # Auto Scaling has one code for everything that it refuses.
        texts = ("AutoScalingGroup name not found", "is pending delete")
        gone = self.code == "ValidationError" and any(text in self.message for text in texts)
        return gone or is_not_found(self.code)

    @property
    def denied(self) -> bool:
        """Whether the caller may not make this call."""
        return self.code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


class WaitFailed(Exception):
    """A wait ended in a failure state, or in none within its time. C(answer) is the last one."""

    def __init__(self, message: str, answer: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.answer = answer


class ConnectionFailed(Exception):
    """No client could be made: region, profile or credentials are missing or contradict each other."""


def is_not_found(code: str) -> bool:
    """EC2 says C(Invalid….NotFound), EKS C(ResourceNotFoundException), IAM C(NoSuchEntity)."""
    return (
        code.endswith((".NotFound", "NotFoundException"))
        or code in ("NoSuchEntity", "InvalidGatewayID.NotFound", "NatGatewayNotFound")
        or code.startswith("InvalidVpcCidrBlockAssociationID")
    )


def search(path: str, answer: Any) -> Any:
    """The value of a JMESPath expression in an answer; None where there is nothing."""
    return jmespath.search(path, answer)


def shared_loader(*services: str) -> Any:
    """A botocore loader that already holds these services' models: a parent process makes it, its forks inherit it."""
    loader = botocore.session.get_session().get_component("data_loader")
    for service in services:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
        loader.load_service_model(service, "paginators-1")
    loader.load_data("endpoints")
    loader.load_data("partitions")
    return loader


class Session:
    """All AWS calls of one module run.

    C(calls) lists them in order as C(service:Operation). Reads use botocore's standard retries. So does a write whose
    repetition is harmless (it carries a client token, or sets what it sets); any other is repeated only when AWS
    refused it for its rate: a lost reply to CreateVpc must not become a second VPC.
    """

    def __init__(self, host: Host, loader: Any = None) -> None:
        self.host = host
        self.calls: list[str] = []
        self._loader = loader
        self._clients: dict[tuple[str, bool], BaseClient] = {}
        self._lock = threading.Lock()
        self._boto: Any = None
        self._account_id = ""
        self._connection = _Connection(host)

    @property
    def region(self) -> str:
        """The region calls go to."""
        region, _endpoint, _kwargs = self._connection.info
        if not region:
            raise ConnectionFailed("A region is required: give `region`, or set AWS_REGION, or a profile that has one.")
        return str(region)

    @property
    def partition(self) -> str:
        """The partition of the region (aws, aws-us-gov, aws-cn, ...), from botocore's own data: no call."""
        return str(self._boto_session().get_partition_for_region(self.region))

    @property
    def account_id(self) -> str:
        """The caller's account, asked once."""
        if not self._account_id:
            self._account_id = str(self.read("sts", "GetCallerIdentity")["Account"])
        return self._account_id

    def read(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """One read."""
        return self._send(self.client(service), service, operation, request)

    def find(self, service: str, operation: str, **request: Any) -> dict[str, Any] | None:
        """One read of something that may not be there: None when AWS says it is not found."""
        try:
            return self.read(service, operation, **request)
        except AwsError as error:
            if error.not_found:
                return None
            raise

    def pages(self, service: str, operation: str, key: str, **request: Any) -> list[Any]:
        """All items of a paged read; C(key) is the answer's list member."""
        client = self.client(service)
        method = xform_name(operation)
        if not client.can_paginate(method):
            return list(self._send(client, service, operation, request).get(key, []))
        items: list[Any] = []
        with _Translated(service, operation):
            for page in client.get_paginator(method).paginate(**request):
                self.calls.append(f"{service}:{operation}")
                items.extend(page.get(key, []))
        return items

    def find_pages(self, service: str, operation: str, key: str, **request: Any) -> list[Any]:
        """All items of a paged read about something that may not be there: none when AWS says it is not found."""
        try:
            return self.pages(service, operation, key, **request)
        except AwsError as error:
            if error.not_found:
                return []
            raise

    def together(self, **reads: Callable[[], Any]) -> dict[str, Any]:
        """Reads that don't need each other, side by side; the first error is raised."""
        if len(reads) < 2:
            return {name: read() for name, read in reads.items()}
        with ThreadPoolExecutor(max_workers=len(reads)) as pool:
            futures = {name: pool.submit(read) for name, read in reads.items()}
            return {name: future.result() for name, future in futures.items()}

    def write(self, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One write. Taking away what is already gone is a success, with an empty answer."""
        model = self.client(service).meta.service_model.operation_model(operation)
        repeatable = bool(model.idempotent_members) or operation.startswith(REPEATABLE)
        client = self.client(service, retrying=repeatable)
        for attempt in range(ATTEMPTS):
            try:
                return self._send(client, service, operation, request)
            except AwsError as error:
                if error.not_found and operation.startswith(TAKEN_AWAY):
                    return {}
                if repeatable or error.code not in THROTTLING or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0, min(2**attempt, 20)) * min(1.0, self.interval(WAIT_INTERVAL)))
        raise AssertionError("unreachable")

    def interval(self, default: float) -> float:
        """Seconds between two polls: the option wait_interval where it was given."""
        given = self.host.params.get("wait_interval")
        return default if given is None else float(given)

    def poll(self, wait: Wait, resource: str) -> dict[str, Any]:
        """Repeat a read until it says success; its last answer.

        @raises WaitFailed  on a failure state at once, or when the time is over.
        """
        interval = self.interval(wait.interval or WAIT_INTERVAL)
        timeout = float(self.host.params.get("wait_timeout") or wait.timeout or WAIT_TIMEOUT)
        started = time.monotonic()
        while True:
            answer = self._poll_once(wait)
            if answer is None:
                return {}
            value = search(wait.path, answer) if answer else None
            if value in wait.success:
                return answer
            elapsed = time.monotonic() - started
            if value in wait.failure:
                raise WaitFailed(f"{resource} became {value}{_detail(wait, answer)}", answer)
            failed, told = self._watched(wait.watch)
            if failed:
                raise WaitFailed(f"{resource} is {value}{told}", answer)
            if elapsed + interval > timeout:
                raise WaitFailed(
                    f"{resource} is still {value} after {elapsed:.0f} s (wait_timeout {timeout:.0f} s)"
                    f"{_detail(wait, answer)}{told}",
                    answer,
                )
            self.host.progress(f"{resource}: {'not ready yet' if value is None else value}, {elapsed:.0f} s")
            time.sleep(interval)

    def _watched(self, watch: Wait | None) -> tuple[bool, str]:
        """Whether a wait's second read says that waiting is in vain, and what it tells."""
        if watch is None:
            return False, ""
        answer = self._poll_once(watch) or {}
        return search(watch.path, answer) in watch.failure, _detail(watch, answer)

    def _poll_once(self, wait: Wait) -> dict[str, Any] | None:
        """One answer of a wait; None when it is gone and should be; empty when it is not visible yet."""
        try:
            return self.read(wait.service, wait.operation, **wait.request)
        except AwsError as error:
            if not error.not_found:
                raise
            return None if wait.gone else {}

    def client(self, service: str, retrying: bool = True) -> BaseClient:
        """The client of a service; one for each way of retrying."""
        with self._lock:
            if (service, retrying) not in self._clients:
                self._clients[service, retrying] = self._make_client(service, retrying)
            return self._clients[service, retrying]

    def _make_client(self, service: str, retrying: bool) -> BaseClient:
        region, endpoint_url, kwargs = self._connection.info
        kwargs = {name: value for name, value in kwargs.items() if name != "profile_name"}
        config = botocore.config.Config(
            user_agent_extra="eksops.ipv6",
            max_pool_connections=16,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS if retrying else 1},
        )
        given = kwargs.pop("aws_config", None)
        if given is not None:
            config = config.merge(given)
            if not retrying:
                config = config.merge(botocore.config.Config(retries={"total_max_attempts": 1}))
        try:
            client: BaseClient = self._boto_session().client(
                service, region_name=region, endpoint_url=endpoint_url, config=config, **kwargs
            )
            return client
        except botocore.exceptions.NoRegionError as error:
            raise ConnectionFailed(
                "A region is required: give `region`, or set AWS_REGION, or a profile that has one."
            ) from error
        except (ValueError, botocore.exceptions.BotoCoreError) as error:
            raise ConnectionFailed(f"Could not connect to AWS: {error}") from error

    def _boto_session(self) -> Any:
        if self._boto is None:
            profile = self._connection.info[2].get("profile_name")
            core = botocore.session.Session(profile=profile)
            if self._loader is not None:
                core.register_component("data_loader", self._loader)
            try:
                self._boto = boto3.session.Session(botocore_session=core)
            except botocore.exceptions.BotoCoreError as error:
                raise ConnectionFailed(f"Could not connect to AWS: {error}") from error
        return self._boto

    def _send(self, client: BaseClient, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(f"{service}:{operation}")
        with _Translated(service, operation):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        answer.pop("ResponseMetadata", None)
        return answer


class _Connection:
    """amazon.aws's own reading of the connection options, done once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._info: tuple[str | None, str | None, dict[str, Any]] | None = None

    @property
    def params(self) -> Mapping[str, Any]:
        return self._host.params

    @property
    def info(self) -> tuple[str | None, str | None, dict[str, Any]]:
        if self._info is None:
            self._info = get_aws_connection_info(self)
        return self._info

    def fail_json(self, msg: str, **_details: Any) -> None:
        raise ConnectionFailed(msg)


class _Translated:
    """Turns botocore's exceptions into AwsError, which knows service and operation."""

    def __init__(self, service: str, operation: str) -> None:
        self.service = service
        self.operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, botocore.exceptions.ClientError):
            details = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = str(details.get("Code", "Unknown"))
            message = str(details.get("Message") or details.get("message") or "no message")
            raise AwsError(self.service, self.operation, code, message, lost=int(status) >= 500) from error
        if isinstance(error, botocore.exceptions.BotoCoreError):
            lost = isinstance(error, botocore.exceptions.HTTPClientError)
            raise AwsError(self.service, self.operation, type(error).__name__, str(error), lost=lost) from error


def _detail(wait: Wait, answer: Any) -> str:
    found = search(wait.detail, answer) if wait.detail and answer else None
    return f": {found}" if found else ""
