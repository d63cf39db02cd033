"""Two resources in one process, on one Host and on two, never see each other's identities, tokens or keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.management.support import Manager, is_active_by
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import EARLY, NEWEST, PREVIEW, Reply, SignedClient
from watchword.testing import RunningServer

SUFFIX = "acs.test"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Party:
    """A resource, and how its owner calls."""

    name: str
    id: str
    key: bytes
    host: str
    client: SignedClient

    def call(self, method: str, target: str, body: Any = b"", **parts: Any) -> Reply:
        return self.client.call(method, target, body, **({"key": self.key, "host": self.host} | parts))

    def create(self, custom_id: str | None = None) -> str:
        body = b"" if custom_id is None else {"customId": custom_id}
        reply = self.call("POST", f"/identities?api-version={PREVIEW}", body)
        assert reply.status == 201, reply
        return str(reply.json["identity"]["id"])

    def issue(self, id: str) -> str:
        reply = self.call("POST", f"/identities/{id}/:issueAccessToken?api-version={NEWEST}", {"scopes": ["chat"]})
        assert reply.status == 200, reply
        return str(reply.json["token"])

    def finds_active(self, token: str) -> bool:
        return is_active_by(self.client, token, key=self.key, host=self.host)

    def listed(self) -> list[str]:
        return [row["id"] for row in self.call("GET", "/identities").json["value"]]


@pytest.fixture(params=["", SUFFIX], ids=["one-host", "two-hosts"], scope="module")
def server(fresh_settings: FreshSettings, request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with running_server(fresh_settings(resource_suffix=request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def parties(server: RunningServer) -> Iterator[tuple[Party, Party]]:
    with SignedClient(server) as client:
        manager = Manager(server)
        made = []
        for name in ("contoso", "fabrikam"):
            keys = manager.create(name, name)
            endpoint = keys["primaryConnectionString"].partition(";")[0].removeprefix("endpoint=http://").rstrip("/")
            made.append(Party(name, keys["id"], base64.b64decode(keys["primaryKey"]), endpoint, client))
        yield made[0], made[1]


def test_each_connection_string_names_the_right_host(server: RunningServer, parties: tuple[Party, Party]) -> None:
    hosts = {party.host for party in parties}
    shared = {f"localhost:{server.port}"}
    assert hosts == shared or hosts == {f"{party.name}.{SUFFIX}:{server.port}" for party in parties}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/identities/{id}?api-version=" + PREVIEW, b""),
        ("DELETE", "/identities/{id}?api-version=" + NEWEST, b""),
        ("POST", "/identities/{id}/:revokeAccessTokens?api-version=" + NEWEST, b""),
        ("POST", "/identities/{id}/:issueAccessToken?api-version=" + NEWEST, {"scopes": ["chat"]}),
        ("POST", "/identities/{id}/token?api-version=" + EARLY, {"scopes": ["chat"]}),
        ("PATCH", "/identities/{id}?api-version=" + EARLY, {"tokensValidFrom": "2099-01-01T00:00:00Z"}),
    ],
)
def test_a_foreign_identity_is_not_owned(parties: tuple[Party, Party], method: str, target: str, body: Any) -> None:
    for own, other in (parties, parties[::-1]):
        id = other.create()
        token = other.issue(id)
        reply = own.call(method, target.format(id=id), body)
        assert (reply.status, reply.error["code"]) == (401, "IdentityNotOwned")
        assert other.finds_active(token)
        assert id in other.listed()


def test_lists_custom_ids_tokens_and_revocations_are_each_resources_own(parties: tuple[Party, Party]) -> None:
    own, other = parties
    mine, theirs = own.create("ada"), other.create("ada")
    assert mine.split("_")[0] == f"8:acs:{own.id}"
    assert theirs.split("_")[0] == f"8:acs:{other.id}"
    assert theirs not in own.listed()
    token = other.issue(theirs)
    assert not own.finds_active(token)
    assert own.call("POST", "/revoke", f"token={token}".encode(), headers=FORM).status == 200
    assert other.finds_active(token)
    assert other.call("DELETE", f"/identities/{theirs}?api-version={NEWEST}").status == 204
    assert theirs[2:] not in {row["id"] for row in own.call("GET", "/revocations").json["revocations"]}
    assert theirs[2:] in {row["id"] for row in other.call("GET", "/revocations").json["revocations"]}


def test_a_key_is_good_on_the_host_of_its_resource_only(server: RunningServer, parties: tuple[Party, Party]) -> None:
    own, other = parties
    if own.host == other.host:
        # On a shared Host every key is good, each for its own resource.
        assert [party.call("GET", "/identities").status for party in parties] == [200, 200]
        return
    reply = own.call("GET", "/identities", host=other.host)
    assert (reply.status, reply.error["code"]) == (401, "Denied")
    assert own.call("GET", "/identities", host=own.host.upper()).status == 200
    assert own.call("GET", "/identities", host=own.host.partition(":")[0]).status == 200
    assert own.call("GET", "/identities", host=f"nobody.{SUFFIX}").status == 401
    assert own.call("GET", "/identities", host=f"localhost:{server.port}").status == 200, "which all share"
