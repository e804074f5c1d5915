# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors EKS answers with.

Every error carries the members its shape has in botocore's model (`clusterName`, `nodegroupName`, ...), as far as the
request names them; `responses.py` refuses an error that the operation does not document, or a member that the shape
lacks.
"""

from __future__ import annotations


class EksError(Exception):
    """One EKS error: `code` is the shape's name, `members` what the shape has besides `message`."""

    code = "ServerException"

    def __init__(self, message: str, **members: str | list[str]) -> None:
        super().__init__(message)
        self.message = message
        self.members = members


class InvalidParameter(EksError):
    code = "InvalidParameterException"


class InvalidRequest(EksError):
    code = "InvalidRequestException"


class InvalidState(EksError):
    code = "InvalidStateException"


class ResourceInUse(EksError):
    code = "ResourceInUseException"


class ResourceLimitExceeded(EksError):
    code = "ResourceLimitExceededException"


class ResourceNotFound(EksError):
    code = "ResourceNotFoundException"


class UnsupportedAvailabilityZone(EksError):
    code = "UnsupportedAvailabilityZoneException"


class NotFound(EksError):
    """The tagging operations' own form of ResourceNotFound."""

    code = "NotFoundException"


class BadRequest(EksError):
    """The tagging operations' own form of InvalidParameter."""

    code = "BadRequestException"


class BadShape(Exception):
    """A request that does not fit its input shape; answered with the 400 error the operation documents."""
