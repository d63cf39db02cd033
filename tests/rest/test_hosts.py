"""Which Hosts are answered: one has to be named, and where the names are given only those are served."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, SignedClient, one_status, raw_exchange, to_bytes
from watchword.errors import OperatorError
from watchword.settings import Settings
from watchword.testing import RunningServer

CREATE = f"/identities?api-version={NEWEST}"
EXCHANGE = "/access/entra/:exchangeAccessToken"
PAGE = "https://app.example"


@pytest.fixture(scope="module")
def named() -> Iterator[RunningServer]:
    """A server that answers to some names only."""
    settings = Settings(
        request_log=False,
        tls=False,
        host_names=("Acs.Example", "host.docker.internal."),
        public_endpoint="https://public.example:8443",
        resource_suffix="acs.test",
        tls_suffix=".lab.test",
        cors_origins=(PAGE,),
    )
    with running_server(settings) as running:
        yield running


def head(target: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/{version}", *lines, "Connection: close", "", "")).encode("latin-1")


# -- One host, and only one (RFC 9112, section 3.2).


@pytest.mark.parametrize(
    "target", ["/healthz", "/readyz", "/.well-known/jwks.json", "/openapi.json", CREATE, "/nowhere"]
)
def test_a_request_without_a_host_is_refused(server: RunningServer, target: str) -> None:
    answer = raw_exchange(server.port, head(target))
    assert one_status(answer) == 400
    assert b'{"error":{"code":"InvalidHost","message":"The Host header is missing.","target":"Host"}}' in answer
    assert b"ms-cv: " in answer


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: localhost", "Host: localhost"),
        ("Host: localhost", "Host: evil.example"),
        ("Host: evil.example", "Host: localhost"),
        ("Host: localhost", "Host:"),
        ("Host:", "Host: localhost"),
        ("Host: localhost", "A: b", "hOST: localhost"),
        ("Host: localhost, localhost",),
        ("Host:",),
        ("Host: a b",),
        ("Host: localhost:",),
        ("Host: localhost:port",),
        ("Host: user@localhost",),
        ("Host: localhost/",),
        ("Host: ÿ",),
        ("Host: ::1",),
        ("Host: " + "a" * 300,),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("target", ["/healthz", "/readyz", CREATE])
def test_two_hosts_or_what_is_no_host_are_refused(
    server: RunningServer, target: str, lines: tuple[str, ...], version: str
) -> None:
    answer = raw_exchange(server.port, head(target, *lines, version=version))
    assert one_status(answer) == 400
    assert b'"The Host header is not one host with an optional port."' in answer


def test_a_client_of_http_1_0_need_not_name_a_host(server: RunningServer) -> None:
    assert raw_exchange(server.port, head("/healthz", version="1.0")).endswith(b"ok\n")


def test_what_a_browser_asks_beforehand_needs_a_host_too(named: RunningServer) -> None:
    asked = (f"Origin: {PAGE}", "Access-Control-Request-Method: POST")
    assert one_status(raw_exchange(named.port, head(EXCHANGE, *asked, method="OPTIONS"))) == 400
    assert one_status(raw_exchange(named.port, head(EXCHANGE, *asked, "Host: localhost", method="OPTIONS"))) == 204


# -- Names by setting: DNS rebinding (CVE-2018-5702, CVE-2025-24010 and their kind).


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8443",
        "localhost.",
        "localhost.:8443",
        "anything.localhost",
        "127.0.0.1",
        "127.0.0.1:8443",
        "127.9.9.9",
        "[::1]:8443",
        "[::1]",
        "192.0.2.7:8443",
        "acs.example:1",
        "ACS.EXAMPLE",
        "host.docker.internal:8443",
        "public.example",
        "public.example:8443",
        "acs.test",
        "contoso.acs.test:8443",
        "a.b.lab.test",
    ],
)
def test_names_that_are_known_are_answered(named: RunningServer, host: str) -> None:
    assert raw_exchange(named.port, head("/healthz", f"Host: {host}")).endswith(b"ok\n")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8443",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "127.1",
        "www.acs.example",
        "evil-acs.test",
        "acs",
        "a",
        ".",
        "evil.example.:8443",
    ],
)
def test_any_other_name_is_refused_whatever_is_asked(named: RunningServer, host: str) -> None:
    for target in ("/healthz", "/.well-known/jwks.json", CREATE, "/nowhere"):
        answer = raw_exchange(named.port, head(target, f"Host: {host}", "X-Forwarded-Host: localhost"))
        assert one_status(answer) == 421
        assert b'"code":"MisdirectedRequest","message":"The host ' + host.encode() + b" is not served here." in answer


def test_a_page_with_the_access_key_is_refused_too(named: RunningServer) -> None:
    with SignedClient(named) as client:
        known = client.sign("POST", CREATE)
        foreign = client.sign("POST", CREATE, host="evil.example:8443", headers={"X-Forwarded-Host": client.host})
        assert one_status(raw_exchange(named.port, to_bytes(known))) == 201
        assert one_status(raw_exchange(named.port, to_bytes(foreign))) == 421


def test_without_names_every_host_is_answered(server: RunningServer) -> None:
    for host in ("evil.example", "localhost", "a.b.c:1"):
        assert raw_exchange(server.port, head("/healthz", f"Host: {host}")).endswith(b"ok\n")


@pytest.mark.parametrize("name", ["acs.example:8443", "https://acs.example", "*.example", "a b", "", "a..b"])
def test_what_is_no_name_is_told_at_the_start(name: str) -> None:
    with (
        pytest.raises(OperatorError, match="is no host name"),
        running_server(Settings(request_log=False, tls=False, host_names=(name,))),
    ):
        pass
