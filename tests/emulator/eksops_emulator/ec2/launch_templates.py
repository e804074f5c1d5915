# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates and their versions.

Sources: CreateLaunchTemplate, CreateLaunchTemplateVersion (SourceVersion), DeleteLaunchTemplateVersions in the EC2 API
reference.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.utils import parse_user_data

from . import errors
from .family import Responses, tag_list
from .plain import Plain


class StrictLaunchTemplate(LaunchTemplate):
    """moto's template; a deleted version leaves a gap in the numbers."""

    def create_version(self, data: dict[str, Any], description: str) -> LaunchTemplateVersion:
        number = self.versions[-1].number + 1 if self.versions else 1
        version = LaunchTemplateVersion(self, number, data, description)
        self.versions.append(version)
        return version

    def get_version(self, num: Any) -> LaunchTemplateVersion:
        wanted = str(num)
        if wanted == "$Latest":
            return self.versions[-1]
        if wanted == "$Default":
            wanted = str(self.default_version_number)
        for version in self.versions:
            if str(version.number) == wanted:
                return version
        raise errors.refuse(
            "InvalidLaunchTemplateId.VersionNotFound",
            f"Could not find the specified version {wanted} for the launch template with ID {self.id}.",
        )

    def default_version(self) -> LaunchTemplateVersion:
        return self.get_version("$Default")


class LaunchTemplateBackend:
    """Templates in front of moto's."""

    def create_launch_template(self: Any, name: str, description: str, template_data: Any, tag_spec: Any) -> Any:
        if name in self.launch_template_name_to_ids:
            raise errors.refuse(
                "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use."
            )
        template = StrictLaunchTemplate(self, name, template_data, description, tag_spec)  # type: ignore[abstract]
        self.launch_templates[template.id] = template
        self.launch_template_name_to_ids[name] = template.id
        return template

    def launch_template(self: Any, template_id: str | None, name: str | None) -> StrictLaunchTemplate:
        """The template that a request names, by id or by name and not by both."""
        if bool(template_id) == bool(name):
            code = errors.combination if template_id else errors.missing
            raise code("Either launch template ID or launch template name must be specified, and not both.")
        if name is not None and name not in self.launch_template_name_to_ids:
            raise errors.refuse(
                "InvalidLaunchTemplateName.NotFoundException",
                f"The specified launch template, with template name {name}, does not exist.",
            )
        template_id = template_id or self.launch_template_name_to_ids[name]
        if template_id not in self.launch_templates:
            raise errors.refuse(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {template_id}, does not exist.",
            )
        found: StrictLaunchTemplate = self.launch_templates[template_id]
        return found


def _data(given: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(given)
    if data.get("UserData") is not None:
        data["UserData"] = parse_user_data(data["UserData"])
    return data


class LaunchTemplateResponses(Responses):
    def _template(self) -> StrictLaunchTemplate:
        found: StrictLaunchTemplate = self.backend.launch_template(
            self.params.get("LaunchTemplateId"), self.params.get("LaunchTemplateName")
        )
        return found

    def _template_view(self, template: StrictLaunchTemplate) -> dict[str, Any]:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersionNumber": template.default_version_number,
            "LatestVersionNumber": template.latest_version_number,
            "Tags": tag_list(template.get_tags()),
        }

    def _version_view(self, version: LaunchTemplateVersion) -> dict[str, Any]:
        data = dict(version.data)
        if data.get("UserData") is not None:
            data["UserData"] = data["UserData"].as_bytes().decode()
        answer = {
            "LaunchTemplateId": version.template.id,
            "LaunchTemplateName": version.template.name,
            "VersionNumber": version.number,
            "CreateTime": version.create_time,
            "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
            "DefaultVersion": version.number == version.template.default_version_number,
            "LaunchTemplateData": data,
        }
        return {**answer, "VersionDescription": version.description} if version.description else answer

    def create_launch_template(self) -> Plain:
        tags = self.tags_for("launch-template")
        template = self.backend.create_launch_template(
            self.params["LaunchTemplateName"],
            self.params.get("VersionDescription", ""),
            _data(self.params["LaunchTemplateData"]),
            {"launch-template": tags},
        )
        return Plain({"LaunchTemplate": self._template_view(template)})

    def create_launch_template_version(self) -> Plain:
        template, data = self._template(), _data(self.params["LaunchTemplateData"])
        if self.params.get("SourceVersion"):
            data = {**copy.deepcopy(template.get_version(self.params["SourceVersion"]).data), **data}
        version = template.create_version(data, self.params.get("VersionDescription", ""))
        return Plain({"LaunchTemplateVersion": self._version_view(version)})

    def describe_launch_templates(self) -> Plain:
        ids, names = self.params.get("LaunchTemplateIds", []), self.params.get("LaunchTemplateNames", [])
        templates = [self.backend.launch_template(item, None) for item in ids]
        templates += [self.backend.launch_template(None, item) for item in names]
        if not ids and not names:
            templates = list(self.backend.launch_templates.values())
        return Plain({"LaunchTemplates": [self._template_view(template) for template in templates]})

    def describe_launch_template_versions(self) -> Plain:
        wanted = self.params.get("Versions", [])
        if not self.params.get("LaunchTemplateId") and not self.params.get("LaunchTemplateName"):
            if not wanted or not set(wanted) <= {"$Latest", "$Default"}:
                raise errors.missing("launchTemplateId or launchTemplateName")
            found = [item.get_version(name) for item in self.backend.launch_templates.values() for name in wanted]
            return Plain({"LaunchTemplateVersions": [self._version_view(item) for item in found]})
        template = self._template()
        low, high = int(self.params.get("MinVersion", 1)), int(self.params.get("MaxVersion", 10**9))
        versions = [item for item in reversed(template.versions) if low <= item.number <= high]
        if wanted:
            versions = [template.get_version(item) for item in wanted]
        return Plain({"LaunchTemplateVersions": [self._version_view(item) for item in versions]})

    def modify_launch_template(self) -> Plain:
        template = self._template()
        if self.params.get("DefaultVersion"):
            template.default_version_number = template.get_version(self.params["DefaultVersion"]).number
        return Plain({"LaunchTemplate": self._template_view(template)})

    def delete_launch_template(self) -> Plain:
        template = self._template()
        view = self._template_view(template)
        del self.backend.launch_templates[template.id], self.backend.launch_template_name_to_ids[template.name]
        return Plain({"LaunchTemplate": view})

    def delete_launch_template_versions(self) -> Plain:
        template = self._template()
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for wanted in self.params["Versions"]:
            named = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(wanted)}
            version = next((item for item in template.versions if str(item.number) == wanted), None)
            if version is None:
                failed.append({**named, "ResponseError": {"Code": "launchTemplateVersionDoesNotExist"}})
            elif version.number == template.default_version_number:
                raise errors.refuse(
                    "InvalidLaunchTemplateId.VersionNotFound",
                    "Cannot delete the default version of a launch template. Assign another default version first.",
                )
            else:
                template.versions.remove(version)
                done.append(named)
        return Plain(
            {
                "SuccessfullyDeletedLaunchTemplateVersions": done,
                "UnsuccessfullyDeletedLaunchTemplateVersions": failed,
            }
        )
