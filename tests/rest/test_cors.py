"""Web pages of named origins, and of no others, call what needs no access key, and nothing else."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, PREVIEW, Reply, Signed, SignedClient
from watchword.settings import Settings

PAGE = "https://app.example"
ALLOWED = [
    ("POST", f"/access/entra/:exchangeAccessToken?api-version={PREVIEW}"),
    ("POST", f"//access/entra/:exchangeAccessToken?api-version={PREVIEW}"),
    ("POST", f"/access/teamsExtension/:exchangeAccessToken?api-version={PREVIEW}"),
    ("POST", f"/Access/TeamsExtension/:ExchangeAccessToken?api-version={PREVIEW}"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/revocations"),
]
SIGNED = [
    ("POST", f"/identities?api-version={NEWEST}"),
    ("POST", f"/teamsUser/:exchangeAccessToken?api-version={NEWEST}"),
    ("GET", f"/access/entra/assignments?api-version={PREVIEW}"),
    ("GET", f"/Access/Entra/Assignments?api-version={PREVIEW}"),
    ("POST", "/introspect"),
    ("GET", "/openapi.json"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[SignedClient]:
    settings = Settings(request_log=False, tls=False, cors_origins=(f"{PAGE}/", "http://localhost:3000"))
    with running_server(settings) as server, SignedClient(server) as signed:
        yield signed


def ask(client: SignedClient, method: str, target: str, origin: str, **headers: str) -> Reply:
    return client.send(Signed(method, target, {"Host": client.host, "Origin": origin, **headers}, b""))


def preflight(client: SignedClient, method: str, target: str, origin: str = PAGE) -> Reply:
    return ask(client, "OPTIONS", target, origin, **{"Access-Control-Request-Method": method})


def cors_headers(reply: Reply) -> set[str]:
    return {name for name in reply.headers if name.startswith("access-control-")}


@pytest.mark.parametrize(("method", "target"), ALLOWED)
def test_a_named_page_may_ask_and_call(client: SignedClient, method: str, target: str) -> None:
    asked = preflight(client, method, target)
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, PAGE)
    assert method in asked.headers["access-control-allow-methods"]
    assert "authorization" in asked.headers["access-control-allow-headers"]
    called = ask(client, method, target, PAGE)
    assert called.headers["access-control-allow-origin"] == PAGE
    assert called.headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in called.headers


@pytest.mark.parametrize(("method", "target"), SIGNED)
def test_what_a_key_signs_is_closed_to_every_page(client: SignedClient, method: str, target: str) -> None:
    for reply in (preflight(client, method, target), ask(client, method, target, PAGE)):
        assert cors_headers(reply) == set()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://app.example", f"{PAGE}.evil.example", "*"])
def test_other_pages_are_told_nothing(client: SignedClient, origin: str) -> None:
    for method, target in ALLOWED:
        for reply in (preflight(client, method, target, origin), ask(client, method, target, origin)):
            assert cors_headers(reply) == set()
            assert reply.headers["vary"] == "origin"


def test_without_the_setting_no_page_may() -> None:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as client:
        for method, target in ALLOWED:
            assert cors_headers(preflight(client, method, target)) == set()
