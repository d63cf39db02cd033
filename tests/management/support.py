"""Operators' clients: the official ones, unmodified, and plain requests for what they would never send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from azure.core.credentials import AccessToken
from azure.mgmt.communication import CommunicationServiceManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.support.signed import SignedClient
from watchword.testing import RunningServer
from watchword.wire.connection_string import parse_connection_string

SUBSCRIPTION = "11112222-3333-4444-5555-666677778888"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
NEWEST = "2025-09-01"


class OperatorCredential:
    """A TokenCredential that hands out an operator's token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        assert scopes == ("https://localhost/.default",)
        return AccessToken(self._token, 4_102_444_800)


@contextmanager
def management_clients(
    server: RunningServer,
) -> Iterator[tuple[ResourceManagementClient, CommunicationServiceManagementClient]]:
    """The two clients with what a self-hosted endpoint needs; where operators have a port of their own, they use it."""
    options: Any = {
        "base_url": server.operator_endpoint or server.endpoint,
        "credential_scopes": ["https://localhost/.default"],
        "polling_interval": 0,
        "connection_verify": str(server.ca_file),
    }
    credential: Any = OperatorCredential(server.operator_token)
    with (
        ResourceManagementClient(credential, SUBSCRIPTION, **options) as groups,
        CommunicationServiceManagementClient(credential, SUBSCRIPTION, **options) as services,
    ):
        yield groups, services


class Manager:
    """Plain requests to the management API."""

    def __init__(self, server: RunningServer, token: str | None = None) -> None:
        # Without TLS there is nothing to verify, and no need to read the machine's authorities for each request.
        verify = server.client_tls() if server.ca_file else False
        endpoint = server.operator_endpoint or server.endpoint
        self._set_up(endpoint, server.operator_token if token is None else token, verify)

    @classmethod
    def of_process(cls, endpoint: str, token: str) -> Manager:
        """For a server in a process of its own, without TLS."""
        made = cls.__new__(cls)
        made._set_up(endpoint, token, False)
        return made

    def _set_up(self, endpoint: str, token: str, verify: Any) -> None:
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}"}
        self._verify = verify

    def call(self, method: str, path: str, body: Any = None, version: str = NEWEST) -> httpx2.Response:
        address = f"{self._endpoint}{path}{'&' if '?' in path else '?'}api-version={version}"
        return httpx2.request(
            method, address, json=body, headers=self._headers, verify=self._verify, timeout=30, trust_env=False
        )

    def create(self, group: str, name: str) -> dict[str, Any]:
        """A resource in a group, which is made too; its keys."""
        assert self.call("PUT", f"{GROUPS}/{group}", {"location": "westeurope"}).status_code in (200, 201)
        body = {"location": "global", "properties": {"dataLocation": "Europe"}}
        created = self.call("PUT", resource_path(group, name), body)
        assert created.status_code == 201, created.text
        keys: dict[str, Any] = self.call("POST", f"{resource_path(group, name)}/listKeys").json()
        return keys | {"id": created.json()["properties"]["immutableResourceId"]}


def resource_path(group: str, name: str) -> str:
    return f"{GROUPS}/{group}/providers/Microsoft.Communication/communicationServices/{name}"


def is_active(server: RunningServer, connection_string: str, token: str) -> bool:
    """What introspection by the resource of the connection string says."""
    with SignedClient(server) as client:
        return is_active_by(client, token, key=parse_connection_string(connection_string).access_key)


def is_active_by(client: SignedClient, token: str, **parts: Any) -> bool:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = client.call("POST", "/introspect", f"token={token}".encode(), headers=headers, **parts)
    assert reply.status == 200, reply
    return bool(reply.json["active"])
