# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller door: the same core as a module's, run in the worker process that Ansible has forked anyway.

An action plugin of a module's name imports the module's C(DOOR) and subclasses C(ControllerDoor). Where the task can
only run as a module (another connection, C(async), C(become), another interpreter) it is handed over to the module.
This file is private to the collection.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ansible_collections.eksops.ipv6.plugins.module_utils._core.host import PlainHost
from ansible_collections.eksops.ipv6.plugins.module_utils._core.run import Door, Failed, perform
from ansible_collections.eksops.ipv6.plugins.module_utils._core.session import shared_loader

DISPLAY = Display()
DOOR_VARIABLE = "eksops_ipv6_door"


class ControllerHost(PlainHost):
    """An action plugin's worker: it can tell a person what it waits for."""

    def progress(self, text: str) -> None:
        DISPLAY.display(f"{self.name}: {text}", color="blue")


class ControllerDoor(ActionBase):
    """Base of the collection's action plugins; a subclass names its C(door).

    The services' models are loaded when the class is made: the parent process does so once, its forks inherit them.
    """

    _supports_check_mode = True
    _supports_async = True

    door: ClassVar[Door]
    loader: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if HAS_BOTO3:
            cls.loader = shared_loader(*cls.door.services)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result, whichever way it was come by."""
        del tmp  # Ansible's base class ignores it too
        variables: dict[str, Any] = task_vars or {}
        super().run(None, variables)
        if self._needs_module(variables):
            return self._hand_over(variables)
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        os.environ.update({plain(name): str(plain(value)) for name, value in environment.items()})
        return self._enter()

    def _needs_module(self, variables: Mapping[str, Any]) -> bool:
        own = self._own_variables(variables)
        return (
            not HAS_BOTO3
            or self._connection.transport != "local"
            or bool(self._task.async_val)
            or self._connection.become is not None
            or str(own.get(DOOR_VARIABLE, "auto")) == "module"
            or not self._same_interpreter(own.get("ansible_python_interpreter"))
        )

    def _own_variables(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The variables of the host the task runs on, which delegate_to may have changed."""
        if self._task.delegate_to:
            delegated = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
            return {**delegated, DOOR_VARIABLE: variables.get(DOOR_VARIABLE, "auto")}
        return variables

    def _same_interpreter(self, wanted: Any) -> bool:
        """Whether the task's interpreter is the controller's own; one that was not named at all is."""
        if wanted is None:
            return True
        path = str(self._templar.template(wanted))
        if path.startswith("auto"):
            return True
        return os.path.abspath(path) == os.path.abspath(sys.executable)

    def _hand_over(self, variables: dict[str, Any]) -> dict[str, Any]:
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        try:
            result: dict[str, Any] = self._execute_module(
                module_name=self._task.action, task_vars=variables, wrap_async=wrap_async
            )
        finally:
            if not wrap_async:
                self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _enter(self) -> dict[str, Any]:
        given = plain(self._task.args)
        validator = ArgumentSpecValidator({**aws_argument_spec(), **self.door.spec()}, **self.door.constraints)
        validation = validator.validate(given)
        secrets = validation._no_log_values
        params: dict[str, Any] = dict(validation.validated_parameters)
        if validation.error_messages:
            result: dict[str, Any] = {"failed": True, "msg": self._invalid(validation)}
        else:
            host = ControllerHost(self._task.action, params, self._task.check_mode, self._task.diff)
            try:
                result = perform(self.door, host, self.loader)
            except Failed as failure:
                result = {"failed": True, **failure.result}
        if not result.get("warnings"):
            result.pop("warnings", None)
        result["invocation"] = {"module_args": params}
        kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**remove_values(result, secrets), **kept}

    def _invalid(self, validation: Any) -> str:
        msg = str(validation.errors.msg)
        if isinstance(validation.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {msg}"
        return msg


def plain(value: Any) -> Any:
    """A copy in plain types: what templating returns carries tags that boto3 and a comparison by type stumble over."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "".join(list(value))
    if isinstance(value, int):
        return int(value) + 0
    if isinstance(value, float):
        return float(value) + 0.0
    if isinstance(value, bytes):
        return bytes(bytearray(value))
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return str(value)
