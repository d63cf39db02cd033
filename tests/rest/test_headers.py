"""The headers of an answer: which, in which form, and when they are left out."""

import re

import pytest

from tests.support.servers import running_server
from tests.support.signed import EARLY, NEWEST, PREVIEW, ZERO_ID, Reply, SignedClient
from watchword.settings import Settings
from watchword.wire import versions

CREATE = f"/identities?api-version={NEWEST}"
HSTS = "max-age=31536000;includeSubDomains"


def some_of_every_kind(client: SignedClient) -> list[Reply]:
    return [
        client.create(),
        client.delete(client.new_identity()),
        client.create(b"{"),
        client.delete(ZERO_ID),
        client.call("POST", CREATE, key=b"wrong"),
        client.call("GET", "/nowhere"),
        client.call("PUT", CREATE),
        client.call("POST", "/identities"),
        client.call("GET", "/healthz"),
        client.call("POST", f"/teamsUser/:exchangeAccessToken?api-version={NEWEST}"),
    ]


def test_every_answer_says_which_request_it_is_and_how_long_it_took(client: SignedClient) -> None:
    replies = some_of_every_kind(client)
    vectors = [reply.headers["ms-cv"] for reply in replies]
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{22}\.0", vector) for vector in vectors)
    assert len(set(vectors)) == len(vectors)
    for reply in replies:
        assert reply.headers["request-context"] == "appId="
        assert re.fullmatch(r"\d+ms", reply.headers["x-processing-time"])
        assert {"server", "x-azure-ref", "x-cache", "x-powered-by", "vary"}.isdisjoint(reply.headers)


def test_the_clients_request_id_comes_back_when_it_was_sent(client: SignedClient) -> None:
    for reply in some_of_every_kind(client):
        assert "x-ms-client-request-id" not in reply.headers
    for id in ("abc", "0b7c-{}", "x" * 128, "with spaces"):
        for target in (CREATE, "/nowhere", "/healthz"):
            reply = client.call("POST", target, headers={"x-ms-client-request-id": id})
            assert reply.headers["x-ms-client-request-id"] == id


@pytest.mark.parametrize("id", ["x" * 129, "\xff", "a\tb", ""])
def test_a_request_id_that_is_fit_for_no_header_does_not_come_back(client: SignedClient, id: str) -> None:
    reply = client.call("POST", CREATE, headers={"x-ms-client-request-id": id})
    assert reply.status == 201
    assert "x-ms-client-request-id" not in reply.headers


def test_versions_are_listed_by_the_service_and_not_by_what_stands_before_it(client: SignedClient) -> None:
    id, every = client.new_identity(), ", ".join(versions.ALL)
    listing = [
        client.create(),
        client.revoke(id),
        client.delete(ZERO_ID),
        client.issue(id, {"scopes": []}),
        client.issue(id, {"scopes": ["chat"], "expiresInMinutes": 1}),
        client.create(version="2099-01-01"),
        client.call("POST", "/identities"),
    ]
    assert [reply.headers["api-supported-versions"] for reply in listing] == [every] * len(listing)
    silent = [
        client.issue(id, {}),
        client.create(b"{"),
        client.call("POST", CREATE, key=b"wrong"),
        client.call("PUT", CREATE),
        client.call("GET", "/nowhere"),
        client.call("GET", "/healthz"),
    ]
    assert not [reply for reply in silent if "api-supported-versions" in reply.headers]


def test_every_controller_lists_versions_of_its_own(client: SignedClient) -> None:
    teams = client.call("POST", "/teamsUser/:exchangeAccessToken?api-version=2099-01-01")
    assert teams.headers["api-supported-versions"] == ", ".join(versions.ALL.since(versions.V2021_10_31_PREVIEW))
    access = client.call("POST", "/access/entra/:exchangeAccessToken?api-version=2099-01-01")
    assert access.headers["api-supported-versions"] == ", ".join(versions.ALL.since(PREVIEW))


def test_an_empty_answer_has_neither_a_type_nor_a_length(client: SignedClient) -> None:
    id = client.new_identity()
    for reply in (client.revoke(id), client.update(id, {}), client.delete(id, EARLY)):
        assert (reply.status, reply.body) == (204, b"")
        assert {"content-type", "content-length", "transfer-encoding"}.isdisjoint(reply.headers)


def test_hsts_is_sent_by_setting_and_never_for_a_loopback_name() -> None:
    with running_server(Settings(request_log=False, hsts=HSTS)) as server, SignedClient(server) as client:
        for name in ("localhost", "127.0.0.1", "[::1]", "LOCALHOST"):
            for host in (name, f"{name}:{server.port}"):
                reply = client.call("POST", CREATE, host=host)
                assert reply.status == 201
                assert "strict-transport-security" not in reply.headers
        for host in ("acs.example", "localhost.example", f"acs.example:{server.port}"):
            assert client.call("POST", CREATE, host=host).headers["strict-transport-security"] == HSTS


def test_hsts_is_not_sent_without_the_setting(client: SignedClient) -> None:
    assert "strict-transport-security" not in client.call("POST", CREATE, host="acs.example").headers
