"""Forwarding headers, which anybody can write: they count from a trusted proxy only, and its own words last."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, SignedClient
from watchword.errors import OperatorError
from watchword.http.forwarded import Origins
from watchword.settings import Settings

DIRECT = "http://backend:8443"


def origin(origins: Origins, client: str | None = "127.0.0.1", **headers: str) -> str:
    connection: Any = SimpleNamespace(scheme="http", client_host=client)
    sent = {"host": "backend:8443"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return origins.origin(connection, sent)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"forwarded": "proto=https;host=acs.example"}, "https://acs.example"),
        ({"forwarded": 'for=1.2.3.4; Proto="HTTPS"; host="acs.example:8443"'}, "https://acs.example:8443"),
        ({"forwarded": "host=evil.example, host=acs.example;proto=https"}, "https://acs.example"),
        ({"forwarded": "for=1.2.3.4"}, DIRECT),
        ({"forwarded": "proto=gopher;host=/etc/passwd"}, "http://localhost"),
        ({"x_forwarded_proto": "https", "x_forwarded_host": "acs.example"}, "https://acs.example"),
        ({"x_forwarded_host": "evil.example, acs.example"}, "http://acs.example"),
        ({"x_forwarded_proto": "javascript"}, DIRECT),
        ({"x_forwarded_host": "a b"}, "http://localhost"),
        ({"x_forwarded_host": "[::1]:8443"}, "http://[::1]:8443"),
        ({"forwarded": ";;==,", "x_forwarded_host": ""}, DIRECT),
        ({}, DIRECT),
    ],
)
def test_a_trusted_proxy_says_how_the_client_reached_us(headers: dict[str, str], expected: str) -> None:
    assert origin(Origins(None, ["127.0.0.1"]), **headers) == expected


@pytest.mark.parametrize(
    ("trusted", "client", "counts"),
    [
        ([], "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.2", False),
        (["127.0.0.0/8"], "127.0.0.2", True),
        (["10.0.0.0/8", "::1"], "::1", True),
        (["10.1.2.3/8"], "10.9.9.9", True),
        (["0.0.0.0/0"], "::1", False),
        (["127.0.0.1"], None, False),
        (["127.0.0.1"], "unix", False),
    ],
)
def test_only_a_trusted_proxy_is_believed(trusted: list[str], client: str | None, counts: bool) -> None:
    found = origin(Origins(None, trusted), client, forwarded="proto=https;host=acs.example")
    assert found == ("https://acs.example" if counts else DIRECT)


def test_the_public_endpoint_beats_whatever_is_forwarded() -> None:
    origins = Origins("https://public.example/", ["127.0.0.1"])
    assert origin(origins, forwarded="proto=http;host=acs.example") == "https://public.example"
    assert origins.public_host == "public.example"
    assert origin(Origins("public.example")) == "https://public.example"


@pytest.mark.parametrize("proxy", ["proxy.example", "10.0.0.0/99", "", "127.0.0.1:80"])
def test_a_proxy_must_be_an_address_or_a_network(proxy: str) -> None:
    with pytest.raises(OperatorError, match="is not an address or a network"):
        Origins(None, [proxy])


def test_a_server_that_is_told_of_none_does_not_start_and_leaves_nothing_open() -> None:
    with (
        pytest.raises(OperatorError, match="is not an address or a network"),
        running_server(Settings(request_log=False, tls=False, trusted_proxies=("proxy.example",))),
    ):
        pass


def test_a_client_behind_a_trusted_proxy_signs_the_host_that_it_sees_and_is_sent_its_links() -> None:
    settings = Settings(request_log=False, tls=False, trusted_proxies=("127.0.0.1", "::1"))
    with running_server(settings) as server, SignedClient(server) as client:
        for _ in range(2):
            client.new_identity()
        seen = {"X-Forwarded-Host": "acs.example", "X-Forwarded-Proto": "https"}
        request = client.sign("GET", "/identities?maxPageSize=1", host="acs.example", headers=seen)
        request.headers["Host"] = "backend:9000"
        reply = client.send(request)
        assert reply.status == 200
        assert reply.json["nextLink"].startswith("https://acs.example/identities?")


def test_without_trust_a_forwarded_host_proves_nothing_and_reaches_no_link() -> None:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as client:
        for _ in range(2):
            client.new_identity()
        forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=https"}
        request = client.sign("POST", f"/identities?api-version={NEWEST}", host="evil.example", headers=forged)
        request.headers["Host"] = client.host
        assert client.send(request).status == 401
        reply = client.call("GET", "/identities?maxPageSize=1", headers=forged)
        assert reply.json["nextLink"].startswith(f"http://{client.host}/identities?")
