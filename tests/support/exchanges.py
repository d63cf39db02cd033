"""Assignments that allow exchanges, made by the resource's own caller; and what came of an exchange."""

from typing import Any

from tests.support.provider import APPLICATION, TENANT, USER
from tests.support.signed import PREVIEW, Reply, SignedClient

ENTRA = "/access/entra/:exchangeAccessToken"
EXTENSION = "/access/teamsExtension/:exchangeAccessToken"
ASSIGNMENTS = "/access/entra/assignments"
EXTENSION_ASSIGNMENT = f"/access/teamsExtension/tenants/{TENANT}/assignments/{USER}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def put(client: SignedClient, object_id: str = USER, **changed: Any) -> Reply:
    wanted = {"tenantId": TENANT, "principalType": "user", "clientIds": [APPLICATION]} | changed
    return client.call("PUT", f"{ASSIGNMENTS}/{object_id}?api-version={PREVIEW}", wanted)


def listed(client: SignedClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", f"{ASSIGNMENTS}?api-version={PREVIEW}").json["value"]
    return found


def is_active(client: SignedClient, token: str) -> bool:
    """By the word of the service."""
    answer: bool = client.call("POST", "/introspect", f"token={token}".encode(), headers=FORM).json["active"]
    return answer


def resource_id(client: SignedClient) -> str:
    return client.new_identity().removeprefix("8:acs:").partition("_")[0]
