"""Where one request ends and the next begins: bodies in chunks, requests in one packet, connections that go on."""

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
from watchword.testing import RunningServer

CREATE = f"/identities?api-version={NEWEST}"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def unchanged(client: SignedClient) -> Iterator[None]:
    before = client.listed()
    yield
    assert client.listed() == before


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Transfer-Encoding: gzip, chunked, identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
    ],
)
def test_ambiguous_framing_smuggles_nothing(client: SignedClient, framing: bytes) -> None:
    # A second request hides in what one reader takes for the body, and another for the next request.
    hidden = to_bytes(client.sign("POST", CREATE))
    request = client.sign("GET", "/identities?maxPageSize=1", b"{}")
    body = b"0\r\n\r\n" + hidden
    outer = to_bytes(Signed(request.method, request.target, request.headers, body), extra=framing, close=False)
    assert one_status(raw_exchange(client.server.port, outer, half_close=True)) == 400


def test_a_chunked_body_is_read_and_its_hash_checked(client: SignedClient) -> None:
    body = b'{"maxPageSize":1}'
    request = client.sign("POST", f"/identities/x/:issueAccessToken?api-version={NEWEST}", body)
    chunks = b"5;ext=1\r\n" + body[:5] + b"\r\n" + b"%x\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"
    whole = Signed(request.method, request.target, request.headers, chunks)
    answer = raw_exchange(client.server.port, to_bytes(whole, extra=b"Transfer-Encoding: chunked\r\n"))
    # The signature holds; only the scopes are missing.
    assert one_status(answer) == 400
    assert b"Scopes: The Scopes field is required." in answer


@pytest.mark.parametrize(("authorization", "answer"), [("Bearer x", 401), ("", 404)])
def test_a_client_that_waits_before_sending_its_body_is_told_to_go_on(
    client: SignedClient, authorization: str, answer: int
) -> None:
    request = client.sign("POST", CREATE if authorization else "/nowhere", b"{}")
    request.headers["Authorization"] = authorization
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=10) as connection:
        connection.sendall(to_bytes(request, extra=b"Expect: 100-continue\r\n").removesuffix(b"{}"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"{}")
        assert one_status(read_to_end(connection)) == answer


def test_requests_in_one_packet_are_answered_in_order(client: SignedClient) -> None:
    targets = ["/identities?maxPageSize=1", "/nowhere", "/healthz", "/identities?maxPageSize=0"]
    packet = b"".join(to_bytes(client.sign("GET", target), close=target == targets[-1]) for target in targets)
    answers = raw_exchange(client.server.port, packet)
    assert [part.split(b" ")[0] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200", b"400"]


def test_a_connection_serves_on_after_every_kind_of_answer(client: SignedClient) -> None:
    refused = client.sign("POST", CREATE, b"{}", key=b"wrong")
    for _ in range(3):
        assert client.call("GET", "/nowhere").status == 404
        assert client.send(refused).status == 401
        assert client.call("HEAD", "/healthz").status == 200
        assert client.call("PUT", "/healthz").status == 405
        assert client.call("POST", CREATE, b"not JSON").status == 400
        assert client.call("GET", "/healthz").status == 200


def test_bytes_after_a_whole_request_are_the_next_one(server: RunningServer) -> None:
    answers = raw_exchange(server.port, HEALTH + b"rubbish\r\n\r\n")
    # The parser fails at the second before the first was answered: then nothing may pass for the first one's answer.
    assert answers == b"" or answers.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_stops_sending_half_way_is_let_go(client: SignedClient) -> None:
    whole = to_bytes(client.sign("POST", CREATE, b"{}"), close=False)
    for end in (1, 10, len(whole) - 3, len(whole) - 1):
        assert b"HTTP/1.1 2" not in raw_exchange(client.server.port, whole[:end], half_close=True)


def test_one_byte_at_a_time_is_a_request_too(client: SignedClient) -> None:
    request = to_bytes(client.sign("GET", "/identities?maxPageSize=1"))
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes([byte]))
        assert one_status(read_to_end(connection)) == 200
