"""What the parser lets through, on the raw socket: strange targets, strange bytes, broken HTTP. None is a 500."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, PREVIEW, SignedClient, one_status, raw_exchange, to_bytes
from watchword.rest.authentication import MOST_SIGNED_BYTES
from watchword.rest.pipeline import MOST_PARAMETERS
from watchword.settings import Settings
from watchword.testing import RunningServer

CREATE = f"/identities?api-version={NEWEST}"
BARE_400 = b"Invalid HTTP request received."
QUICK_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.fixture(autouse=True)
def unchanged(client: SignedClient) -> Iterator[None]:
    """Every test leaves the identities as they were, and the server alive."""
    before = client.listed("?maxPageSize=1000")
    yield
    assert client.listed("?maxPageSize=1000") == before
    assert raw_exchange(client.server.port, QUICK_HEALTH.replace(b"x\r\n", b"x\r\nConnection: close\r\n")).endswith(
        b"ok\n"
    )


def sent(client: SignedClient, target: str | bytes, method: str = "GET", body: bytes = b"") -> bytes:
    """A signed request with that target, as raw bytes."""
    text = target if isinstance(target, str) else target.decode("latin-1")
    request = client.sign(method, text, body)
    return raw_exchange(client.server.port, to_bytes(request))


# -- Targets.


@pytest.mark.parametrize("target", ["//identities", "///identities", "/identities/", "/identities?", "/identities?&&"])
def test_doubled_slashes_a_last_slash_and_a_bare_question_mark_are_harmless(client: SignedClient, target: str) -> None:
    assert one_status(sent(client, target)) == 200


@pytest.mark.parametrize(
    "target", ["/access/entra/:exchangeAccessToken", "/access/teamsExtension/:exchangeAccessToken"]
)
def test_javascripts_doubled_slash_reaches_the_exchanges(client: SignedClient, target: str) -> None:
    single = sent(client, f"{target}?api-version={PREVIEW}", "POST", b"{}")
    double = sent(client, f"/{target}?api-version={PREVIEW}", "POST", b"{}")
    assert one_status(single) == one_status(double) != 404
    assert single.partition(b"\r\n\r\n")[2] == double.partition(b"\r\n\r\n")[2]


def test_an_absolute_target_is_signed_as_it_stands(client: SignedClient) -> None:
    assert one_status(sent(client, f"http://{client.host}/identities?maxPageSize=1")) == 200
    request = client.sign("GET", "/identities")
    assert one_status(raw_exchange(client.server.port, to_bytes(request, target=b"http://other/identities"))) == 401


@pytest.mark.parametrize(
    "target",
    [
        b"/identities%00",
        b"/identities%2F",
        b"/%69dentities/%ff",
        b"/identities/%ff",
        b"/identities/%C0%AF",
        b"/%",
        b"/identities/%F0%9F%92%AC",
        b"/identities/a%2F..%2Fb",
        b"/.",
        b"/..",
        b"/../..",
        b"/identities/../identities",
        b"/identities;x=1",
        b"/identities/\\..\\",
        b"/" + b"a" * 20_000,
        b"/identities/" + b"%41" * 9_000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PATCH"])
def test_strange_paths_are_refused_by_status(client: SignedClient, target: bytes, method: str) -> None:
    assert one_status(sent(client, target + f"?api-version={PREVIEW}".encode(), method)) in (400, 404, 405, 431)


@pytest.mark.parametrize(
    "query",
    [
        b"api-version=%ff",
        b"api-version=%00",
        b"api-version",
        b"=",
        b"%",
        b"a=%zz",
        b"api-version=" + b"9" * 20_000,
        b"&" * 20_000,
        b"a&" * 10_000,
        b"customId=%ED%A0%80",
        b"api-version=\\",
        b"API-VERSION=x",
        b"?api-version=1",
    ],
)
def test_strange_queries_are_refused_or_ignored(client: SignedClient, query: bytes) -> None:
    statuses = (200, 400) if len(query) < MOST_SIGNED_BYTES else (400, 431)
    assert one_status(sent(client, b"/identities?" + query)) in statuses
    assert one_status(sent(client, b"/identities?" + query, "POST")) == 400


def test_a_query_has_so_many_parameters_and_no_more(client: SignedClient) -> None:
    # 16,000 of them, which are 32 KB, took 28 milliseconds to read before anybody was asked for a name.
    assert one_status(sent(client, b"/identities?" + b"&".join([b"a=b"] * MOST_PARAMETERS))) == 200
    for query in (b"&".join([b"a=b"] * (MOST_PARAMETERS + 1)), b"&" * 5_000):
        answer = sent(client, b"/identities?" + query)
        assert one_status(answer) == 400
        assert b'"code":"ValidationError","message":"query: It has more than 100 parameters."' in answer


@pytest.mark.parametrize("target", [b"/identities/\xff\xfe", b"/\xc3\xa9", b"/identities?x=\xff", b"/\x80"])
def test_raw_bytes_beyond_ascii_in_the_target_are_handled(client: SignedClient, target: bytes) -> None:
    assert one_status(sent(client, target)) in (200, 400, 404, 405)


@pytest.mark.parametrize(
    "target", [b"*", b"identities", b"", b"http://", b"localhost:443", b"http://[", b"?x", b"\x7f"]
)
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"CONNECT", b"POST"])
def test_what_is_no_target_is_refused(server: RunningServer, method: bytes, target: bytes) -> None:
    answer = raw_exchange(server.port, method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert one_status(answer) in (400, 404, 405)


# -- Methods.


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "QUERY"])
def test_a_method_that_the_path_does_not_know_is_named(client: SignedClient, method: str) -> None:
    answer = sent(client, CREATE, method)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert one_status(answer) == 405
    assert b"allow: GET, HEAD, POST" in head
    assert b"content-type: application/json" in head
    assert b"does not answer to " + method.encode() in body


@pytest.mark.parametrize("target", ["/identities", "/healthz", "/.well-known/jwks.json", "/openapi.json", "/nowhere"])
def test_head_is_told_what_get_is_and_no_body(client: SignedClient, target: str) -> None:
    heads: list[list[bytes]] = []
    for method in ("GET", "HEAD"):
        # The next request is answered in its place: not a byte of the body is in between.
        packet = to_bytes(client.sign(method, target), close=False) + to_bytes(client.sign("PUT", "/identities"))
        answers = raw_exchange(client.server.port, packet)
        head, _, rest = answers.partition(b"\r\n\r\n")
        heads.append(
            [line for line in head.split(b"\r\n") if not line.startswith((b"ms-cv", b"date", b"x-processing"))]
        )
        assert rest.startswith(b"HTTP/1.1 405 ") == (method == "HEAD")
    assert heads[0] == heads[1]


def test_head_of_a_stream_is_its_head_alone(client: SignedClient) -> None:
    request = client.sign("HEAD", "/revocations", headers={"accept": "text/event-stream"})
    answers = raw_exchange(
        client.server.port, to_bytes(request, close=False) + to_bytes(client.sign("PUT", "/identities"))
    )
    first, rest = answers.split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert b"text/event-stream" in first
    assert rest.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("method", ["SOURCE", "PURGE", "M-SEARCH", "SUBSCRIBE"])
def test_a_method_of_other_protocols_is_refused_in_the_contracts_shape(client: SignedClient, method: str) -> None:
    answer = sent(client, CREATE, method)
    assert one_status(answer) == 501
    assert b'{"error":{"code":"NotImplemented","message":"' + method.encode() + b" is not served." in answer
    assert b"ms-cv: " in answer


@pytest.mark.parametrize("method", ["BREW", "get", "GE T", "G\x00ET", "X" * 10_000, "ÄÖ"])
def test_a_method_that_nobody_knows_gets_a_bare_400(server: RunningServer, method: str) -> None:
    answer = raw_exchange(server.port, f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert one_status(answer) == 400
    assert answer.endswith(BARE_400)


# -- Headers.


@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"\xc3\xa9", b"a\tb", b'"', b"a,b;c", b"x" * 20_000, b"%00", b"${jndi}"]
)
@pytest.mark.parametrize("name", [b"User-Agent", b"x-ms-client-request-id", b"Content-Type", b"Accept", b"Forwarded"])
def test_strange_header_values_are_handled(client: SignedClient, name: bytes, value: bytes) -> None:
    request = client.sign("GET", "/identities?maxPageSize=1")
    answer = raw_exchange(client.server.port, to_bytes(request, extra=name + b": " + value + b"\r\n"))
    assert one_status(answer) == 200
    assert value not in answer.replace(b"a,b;c", b"").replace(b'"', b"").replace(b"%00", b"").replace(b"${jndi}", b"")


@pytest.mark.parametrize(
    "broken",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 64,
        b"\xff" * 64,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\nContent-Length: -1\n\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\nbroken\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_bare_400_and_the_connection_ends(server: RunningServer, broken: bytes) -> None:
    answer = raw_exchange(server.port, broken)
    assert one_status(answer) == 400
    assert b"connection: close" in answer.lower()
    assert answer.endswith(BARE_400)


def test_garbage_instead_of_a_tls_handshake_ends_the_connection() -> None:
    with running_server(Settings(request_log=False)) as tls:
        for garbage in (QUICK_HEALTH, b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"\x00" * 50):
            assert b"HTTP/1.1 2" not in raw_exchange(tls.port, garbage, half_close=True)
        with SignedClient(tls) as client:
            assert client.call("GET", "/healthz").status == 200
