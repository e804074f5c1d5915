# Copyright (c) 2026, the eksops.ipv6 authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bearer tokens for a cluster's API server, as C(aws eks get-token) makes them.

A token is a prefix and, in base64url without padding, a presigned URL of STS's GetCallerIdentity whose signature covers
the cluster's name in the header x-k8s-aws-id. Making one is no call. Source: aws-iam-authenticator, "API Authorization
from Outside a Cluster".
"""

from __future__ import annotations

import base64
import contextlib
from datetime import timedelta
from typing import Any

from ..session import ConnectionFailed, Session

with contextlib.suppress(ImportError):  # the doors, and the lookup plugin, say so with the name of what is missing
    from botocore.signers import RequestSigner

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
LIFETIME = timedelta(minutes=15)  # the authenticator's, whatever the URL says
URL_SECONDS = 60


def make(session: Session, cluster_name: str) -> str:
    """A token of the session's caller, good for 15 minutes.

    @raises ConnectionFailed  without a region or credentials.
    """
    client: Any = session.client("sts")
    credentials = client._get_credentials()
    if credentials is None:
        raise ConnectionFailed("There are no AWS credentials to make a token with.")
    signer = RequestSigner(
        client.meta.service_model.service_id, session.region, "sts", "v4", credentials, client.meta.events
    )
    request = {
        "method": "GET",
        "url": f"{client.meta.endpoint_url.rstrip('/')}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {CLUSTER_HEADER: cluster_name},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name=session.region, expires_in=URL_SECONDS, operation_name="GetCallerIdentity"
    )
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
