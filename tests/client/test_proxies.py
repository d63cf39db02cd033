"""Proxies that the environment names: loopback is never asked through one, and an error names the variable."""

import pytest

from tests.client.support import CREATED, CREDENTIAL, Perform, both_clients
from tests.support.scripted_server import reply, scripted_server
from watchword.client import AsyncTokenVerifier, IdentityClient, Retries, TransportError, VerifierCredential

NOWHERE = "http://127.0.0.1:9"
VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@both_clients
@pytest.mark.parametrize("name", VARIABLES[:6])
@pytest.mark.parametrize("proxy", [NOWHERE, "socks5://127.0.0.1:9", "gopher://127.0.0.1:9"])
def test_loopback_is_never_asked_through_a_proxy(
    perform: Perform, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    with scripted_server(reply(201, CREATED)) as server:
        perform(server.endpoint, lambda client: client.create_user())
        assert len(server.received) == 1


@both_clients
def test_other_hosts_are_asked_through_it(perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(reply(201, CREATED)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint)
        perform("http://acs.example", lambda client: client.create_user())
        assert proxy.received[0].target.startswith("http://acs.example/identities?")


@both_clients
def test_error_names_the_proxy_and_its_variable_and_never_its_password(
    perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://ada:secret@127.0.0.1:9")
    with pytest.raises(TransportError) as raised:
        perform("https://acs.example", lambda client: client.create_user(), retries=Retries(count=0))
    assert "the proxy http://127.0.0.1:9, which ALL_PROXY names" in str(raised.value)
    assert "NO_PROXY" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("proxy", ["socks5://ada:secret@127.0.0.1:9", "gopher://127.0.0.1:9", "http://127.0.0.1:port"])
def test_proxy_that_cannot_be_used_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    for make in (
        lambda: IdentityClient("https://acs.example", CREDENTIAL),
        lambda: AsyncTokenVerifier("https://acs.example", VerifierCredential("wwv_" + "a" * 20 + "_" + "b" * 43)),
    ):
        with pytest.raises(TransportError) as raised:
            make()
        assert "which ALL_PROXY names" in str(raised.value)
        assert "secret" not in str(raised.value)
