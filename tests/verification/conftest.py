"""One server with two resources for all tests of a module, and who asks it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.data import OtherResource, add_resource, add_verifier, first_resource
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import Reply, Signed, SignedClient
from watchword.testing import RunningServer


@dataclass
class Asker:
    """Sends the same question as whoever it is: by access key, or with an Authorization header."""

    client: SignedClient
    key: bytes | None = None
    authorization: str | None = None

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization is None:
            return self.client.call(method, target, body, key=self.key, headers=named)
        sent = {"Host": self.client.host, "Authorization": self.authorization} | named
        return self.client.send(Signed(method, target, sent, body))

    def introspect(self, token: str) -> Any:
        reply = self.ask("POST", "/introspect", urlencode({"token": token}).encode())
        assert reply.status == 200, reply
        assert reply.headers["cache-control"] == "no-store"
        return reply.json

    def revoke(self, **form: str) -> Reply:
        return self.ask("POST", "/revoke", urlencode(form).encode())

    def page(self, query: str = "") -> Any:
        reply = self.ask("GET", f"/revocations{query}")
        assert reply.status == 200, reply
        return reply.json


@dataclass
class World:
    """Two resources of one server: who owns each, who verifies for the first, and how to make tokens."""

    server: RunningServer
    client: SignedClient
    other: OtherResource
    owner: Asker
    other_owner: Asker
    verifier: Asker
    credential: str

    def new_token(self, resource: str = "first") -> str:
        key = self.server.keys[0] if resource == "first" else self.other.key
        body = {"createTokenWithScopes": ["chat", "voip"]}
        reply = self.client.call("POST", "/identities?api-version=2023-10-01", body, key=key)
        assert reply.status == 201, reply
        token: str = reply.json["accessToken"]["token"]
        return token

    def as_verifier(self, authorization: str) -> Asker:
        return Asker(self.client, authorization=authorization)


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings()) as running:
        yield running


@pytest.fixture(scope="module")
def other(server: RunningServer) -> OtherResource:
    return add_resource(server, "other")


@pytest.fixture(scope="module")
def credential(server: RunningServer) -> str:
    return add_verifier(server, first_resource(server))


@pytest.fixture
def world(server: RunningServer, other: OtherResource, credential: str) -> Iterator[World]:
    with SignedClient(server) as client:
        owner, other_owner = Asker(client, key=server.keys[0]), Asker(client, key=other.key)
        verifier = Asker(client, authorization=f"Bearer {credential}")
        yield World(server, client, other, owner, other_owner, verifier, credential)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
