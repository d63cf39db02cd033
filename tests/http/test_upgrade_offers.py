"""Requests that offer another protocol, as Java's and Apache's clients and `curl --http2` do: they are carried out as
if they had not, body and all, and nothing in them passes for a request of its own.
"""

import socket
from collections.abc import Iterator

import pytest

from tests.support.signed import (
    NEWEST,
    Signed,
    SignedClient,
    one_status,
    raw_exchange,
    read_to_end,
    to_bytes,
)
from watchword.http.request_reader import MAXIMUM_BODY_BYTES
from watchword.testing import RunningServer

CREATE = f"/identities?api-version={NEWEST}"
LIST = "/identities?maxPageSize=1"
BODY = b'{"createTokenWithScopes":["chat"]}'
OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
    "tls": b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
    "websocket": b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: AAAA\r\n",
    "several": b"Connection: upgrade\r\nUpgrade: foo/2, bar\r\nUpgrade: h2c\r\n",
}
offers = pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())


@pytest.fixture(autouse=True)
def unchanged(request: pytest.FixtureRequest, client: SignedClient) -> Iterator[None]:
    """Nothing is created but by tests that say so."""
    before = client.listed("?maxPageSize=1000")
    yield
    if "creates" not in request.node.name:
        assert client.listed("?maxPageSize=1000") == before


def in_chunks(body: bytes, size: int = 5, trailers: bytes = b"") -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailers + b"\r\n"


def framed(request: Signed, framing: str, offer: bytes, *, close: bool = False) -> bytes:
    """On the wire, with the offer."""
    if framing == "length":
        return to_bytes(request, extra=offer, close=close)
    sent = Signed(request.method, request.target, request.headers, in_chunks(request.body, trailers=b"A: b\r\n"))
    return to_bytes(sent, extra=offer + b"Transfer-Encoding: chunked\r\n", close=close)


def exchange_in_pieces(port: int, data: bytes, step: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), step):
            connection.sendall(data[start : start + step])
        return read_to_end(connection)


def statuses(answers: bytes) -> list[int]:
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


@offers
@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("step", [1_000_000, 100, 1], ids=["whole", "pieces", "bytes"])
def test_a_request_with_an_offer_creates_what_its_body_says(
    client: SignedClient, offer: bytes, framing: str, step: int
) -> None:
    packet = framed(client.sign("POST", CREATE, BODY), framing, offer)
    packet += framed(client.sign("GET", LIST), "length", offer)
    packet += framed(client.sign("POST", CREATE, BODY), framing, offer)
    packet += to_bytes(client.sign("GET", LIST))
    answers = exchange_in_pieces(client.server.port, packet, step)
    assert statuses(answers) == [201, 200, 201, 200]
    assert answers.count(b'"token":') == 2


@offers
def test_head_and_body_in_segments_of_their_own_creates_too(client: SignedClient, offer: bytes) -> None:
    packet = framed(client.sign("POST", CREATE, BODY), "length", offer, close=True)
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=10) as connection:
        connection.sendall(packet.removesuffix(BODY))
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            # It waits for the body: the head alone is no request.
            connection.recv(1)
        connection.settimeout(10)
        connection.sendall(BODY)
        assert one_status(read_to_end(connection)) == 201


@offers
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_request_in_the_body_is_none(client: SignedClient, offer: bytes, framing: str) -> None:
    hidden = to_bytes(client.sign("POST", CREATE))
    outer = framed(client.sign("GET", LIST, hidden), framing, offer)
    answers = raw_exchange(client.server.port, outer + to_bytes(client.sign("GET", "/nowhere")))
    assert statuses(answers) == [200, 404]


@offers
@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
    ],
)
def test_ambiguous_framing_is_refused_with_an_offer_too(client: SignedClient, offer: bytes, framing: bytes) -> None:
    body = b"0\r\n\r\n" + to_bytes(client.sign("POST", CREATE))
    request = client.sign("GET", LIST, b"{}")
    for extra in (framing + offer, offer + framing):
        outer = to_bytes(Signed(request.method, request.target, request.headers, body), extra=extra, close=False)
        assert one_status(raw_exchange(client.server.port, outer, half_close=True)) == 400


@offers
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_with_an_offer_has_the_same_cap(client: SignedClient, offer: bytes, framing: str) -> None:
    body = b'{"x":"' + b"a" * MAXIMUM_BODY_BYTES + b'"}'
    request = client.sign("POST", CREATE, body)
    packet = to_bytes(request, extra=offer, close=False)
    if framing == "chunks":
        request.body = in_chunks(body, 50_000)
        packet = to_bytes(request, extra=offer + b"Transfer-Encoding: chunked\r\n", close=False)
    assert one_status(raw_exchange(client.server.port, packet)) == 413


@offers
def test_a_client_that_offers_and_waits_before_its_body_creates_too(client: SignedClient, offer: bytes) -> None:
    packet = framed(client.sign("POST", CREATE, BODY), "length", offer + b"Expect: 100-continue\r\n", close=True)
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=10) as connection:
        connection.sendall(packet.removesuffix(BODY))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert one_status(read_to_end(connection)) == 201


@offers
def test_an_offer_that_closes_or_is_of_the_old_http_creates_and_closes(client: SignedClient, offer: bytes) -> None:
    packet = framed(client.sign("POST", CREATE, BODY), "length", offer, close=True)
    behind = to_bytes(client.sign("POST", CREATE, BODY))
    assert one_status(raw_exchange(client.server.port, packet + behind)) == 201
    old = framed(client.sign("POST", CREATE, BODY), "length", offer).replace(b" HTTP/1.1", b" HTTP/1.0", 1)
    assert one_status(raw_exchange(client.server.port, old + behind)) == 201


@pytest.mark.parametrize("extra", [b"", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_nothing_behind_connect_is_a_request(client: SignedClient, extra: bytes) -> None:
    for target in (b"localhost:1", b"/identities"):
        head = b"CONNECT " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + extra + b"\r\n"
        answer = raw_exchange(client.server.port, head + to_bytes(client.sign("POST", CREATE)))
        assert one_status(answer) in (400, 404, 405)


def test_the_headers_of_an_offer_without_an_upgrade_change_nothing(server: RunningServer) -> None:
    for extra in (b"Upgrade: h2c\r\n", b"Connection: Upgrade\r\n", b"HTTP2-Settings: AAMAAABk\r\n"):
        health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + extra + b"\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert statuses(raw_exchange(server.port, health + last)) == [200, 200]
