"""Caps and deadlines of a head and a body; a server that closes in time whatever trickles in."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.support.servers import running_server
from tests.support.signed import NEWEST, Reachable, Reply, SignedClient, raw_exchange, read_reply, read_to_end, to_bytes
from watchword.http.large_bodies import MOST_BYTES
from watchword.http.request_reader import MAXIMUM_BODY_BYTES, MAXIMUM_HEAD_BYTES
from watchword.settings import Settings
from watchword.testing import RunningServer

HEAD_SECONDS = 0.3
BODY_SECONDS = 0.4
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CREATE = f"/identities?api-version={NEWEST}"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    settings = Settings(request_log=False, tls=False, head_deadline=HEAD_SECONDS, body_deadline=BODY_SECONDS)
    with running_server(settings) as running:
        yield running


def connect(server: Reachable) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def only_reply(connection: socket.socket) -> Reply:
    """The one answer on a connection that the server then closes."""
    reply = read_reply(connection)
    assert read_to_end(connection) == b""
    return reply


def padded_head(size: int) -> bytes:
    """The head of a request whose target and headers count exactly that many bytes."""
    fixed = len("/healthz") + len("Host" + "x") + 4 + len("A") + 4
    return b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (size - fixed) + b"\r\n\r\n"


# -- Caps.


@pytest.mark.parametrize("pieces", [1, 2, 5, 50])
def test_a_head_may_be_as_large_as_the_cap_and_no_larger(server: RunningServer, pieces: int) -> None:
    for size, status in ((MAXIMUM_HEAD_BYTES, 200), (MAXIMUM_HEAD_BYTES + 1, 431)):
        head = padded_head(size)
        with connect(server) as connection:
            step = -(-len(head) // pieces)
            for start in range(0, len(head), step):
                connection.sendall(head[start : start + step])
            assert read_reply(connection).status == status


def test_a_head_that_is_too_large_is_told_in_the_contracts_shape(server: RunningServer) -> None:
    with connect(server) as connection:
        connection.sendall(padded_head(MAXIMUM_HEAD_BYTES * 2))
        reply = only_reply(connection)
    assert (reply.status, reply.error["code"]) == (431, "RequestTooLarge")
    assert reply.error["message"] == f"The request's head is larger than {MAXIMUM_HEAD_BYTES} bytes."
    assert reply.headers["connection"] == "close"
    assert "ms-cv" in reply.headers


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3_000])
def test_a_head_without_an_end_is_cut_off(server: RunningServer, start: bytes) -> None:
    with connect(server) as connection:
        received = b""
        try:
            connection.sendall(start)
            for _ in range(64):
                connection.sendall(b"x" * 65_536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received = read_to_end(connection)
        assert received == b"" or received.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


def test_many_small_requests_at_once_are_not_a_large_head(server: RunningServer) -> None:
    many = HEALTH * 3_000
    assert len(many) > 3 * MAXIMUM_HEAD_BYTES
    with connect(server) as connection:
        connection.sendall(many + HEALTH.replace(b"x\r\n", b"x\r\nConnection: close\r\n"))
        assert read_to_end(connection).count(b"HTTP/1.1 200 ") == 3_001


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_may_be_as_large_as_the_cap_and_no_larger(client: SignedClient, framing: str) -> None:
    for size, status in ((MAXIMUM_BODY_BYTES, 201), (MAXIMUM_BODY_BYTES + 1, 413)):
        body = b'{"x":"' + b"a" * (size - 8) + b'"}'
        request = client.sign("POST", CREATE, body)
        wire = to_bytes(request)
        if framing == "chunks":
            request.body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
            wire = to_bytes(request, extra=b"Transfer-Encoding: chunked\r\n")
        with connect(client.server) as connection:
            connection.sendall(wire)
            reply = read_reply(connection)
        assert reply.status == status
    assert (reply.error["code"], reply.headers["connection"]) == ("RequestTooLarge", "close")
    assert reply.error["message"] == f"The request's body is larger than {MAXIMUM_BODY_BYTES} bytes."


def test_a_huge_body_is_refused_before_it_has_arrived(client: SignedClient) -> None:
    request = client.sign("POST", CREATE, b"")
    head = to_bytes(request, extra=b"Content-Length: 1000000000000\r\n", close=False)
    with connect(client.server) as connection:
        connection.sendall(head + b"x" * (MAXIMUM_BODY_BYTES + 1))
        assert only_reply(connection).status == 413


@pytest.mark.parametrize("much", [300_000, 3_000_000])
def test_no_answer_is_lost_to_a_client_that_still_sends_what_was_refused(client: SignedClient, much: int) -> None:
    document = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    request = client.sign("POST", CREATE, b"")
    head = to_bytes(request, extra=b"Content-Length: %d\r\n" % much, close=False)
    with connect(client.server) as connection:
        sending = threading.Thread(target=connection.sendall, args=(document * 5 + head + b"x" * much,))
        sending.start()
        # By now it was refused, and no answer has been taken.
        sending.join(1)
        answers = b""
        # A reset would be raised.
        while data := connection.recv(1 << 20):
            answers += data
        sending.join()
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"200"] * 5 + [b"413"]


# -- Deadlines.


@pytest.mark.parametrize("said", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_a_connection_that_begins_no_request_is_closed_without_a_word(server: RunningServer, said: bytes) -> None:
    assert raw_exchange(server.port, said) == b""


def test_blank_lines_do_not_keep_a_used_connection_open(server: RunningServer) -> None:
    with connect(server) as connection:
        connection.sendall(HEALTH)
        assert read_reply(connection).status == 200
        connection.sendall(b"\r\n")
        assert read_to_end(connection) == b""


@pytest.mark.parametrize("start", [b"G", b"GET /healthz", HEALTH[:-2]])
def test_a_head_that_does_not_end_in_time_is_told(server: RunningServer, start: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(start)
        reply = only_reply(connection)
    assert (reply.status, reply.error["code"]) == (408, "RequestTimeout")
    assert reply.error["message"] == f"The request's head was not complete within {HEAD_SECONDS} seconds."
    assert reply.headers["connection"] == "close"


def test_a_head_that_trickles_gets_no_more_time(server: RunningServer) -> None:
    with connect(server) as connection:
        connection.settimeout(0.05)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        found = b""
        for _ in range(200):
            try:
                connection.sendall(b"A: b\r\n")
                found = connection.recv(4_096)
            except TimeoutError:
                continue
            except OSError:
                pass
            break
        assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("missing", [10, 9, 1])
def test_a_body_that_does_not_end_in_time_is_told(client: SignedClient, missing: int) -> None:
    request = client.sign("POST", CREATE, b'{"a":"bc"}')
    before = client.listed()
    with connect(client.server) as connection:
        connection.sendall(to_bytes(request, close=False)[:-missing])
        reply = only_reply(connection)
    assert (reply.status, reply.error["code"]) == (408, "RequestTimeout")
    assert reply.error["message"] == f"The request's body was not complete within {BODY_SECONDS} seconds."
    assert client.listed() == before


def test_the_second_request_of_a_connection_has_the_same_deadlines(client: SignedClient) -> None:
    with connect(client.server) as connection:
        connection.sendall(HEALTH)
        assert read_reply(connection).status == 200
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert only_reply(connection).status == 408


def test_every_pipelined_request_has_a_deadline_of_its_own(server: RunningServer) -> None:
    # Each packet ends one request and begins the next; together they take far longer than one head may.
    with connect(server) as connection:
        connection.settimeout(HEAD_SECONDS / 3)
        connection.sendall(HEALTH[:10])
        answered = b""
        for _ in range(9):
            try:
                while True:
                    chunk = connection.recv(4_096)
                    answered += chunk
                    assert chunk, answered
            except TimeoutError:
                connection.sendall(HEALTH[10:] + HEALTH[:10])
        connection.sendall(HEALTH[10:])
        connection.settimeout(10)
        while answered.count(b"ok\n") < 10:
            answered += connection.recv(4_096)
        assert answered.count(b"HTTP/1.1 200 ") == 10


def test_a_slow_head_behind_a_waiting_request_does_not_answer_for_it(client: SignedClient) -> None:
    # The first waits for news; the second never ends. A 408 now would be taken for the first one's answer.
    cursor = client.call("GET", "/revocations").json["cursor"]
    waiting = to_bytes(client.sign("GET", f"/revocations?since={cursor}&wait=30"), close=False)
    with connect(client.server) as connection:
        connection.sendall(waiting + b"GET /healthz HTTP/1.1\r\n")
        assert read_to_end(connection) == b""


def test_broken_http_behind_a_waiting_request_does_not_answer_for_it(client: SignedClient) -> None:
    cursor = client.call("GET", "/revocations").json["cursor"]
    waiting = to_bytes(client.sign("GET", f"/revocations?since={cursor}&wait=30"), close=False)
    with connect(client.server) as connection:
        connection.sendall(waiting)
        connection.sendall(b"broken\r\n\r\n")
        assert read_to_end(connection) == b""


def test_a_request_that_waits_for_its_turn_is_not_called_slow(client: SignedClient) -> None:
    # While the first waits, the server itself stops reading: the second's body lies in the socket for all that time.
    cursor = client.call("GET", "/revocations").json["cursor"]
    first = to_bytes(client.sign("GET", f"/revocations?since={cursor}&wait=1"), close=False)
    second = to_bytes(client.sign("POST", CREATE, b'{"createTokenWithScopes":["chat"]}'))
    with connect(client.server) as connection:
        connection.sendall(first + second[:-5])
        connection.sendall(second[-5:])
        assert read_to_end(connection).count(b"HTTP/1.1 20") == 2


def test_strangers_with_large_bodies_fill_their_room_and_harm_nobody_else() -> None:
    """A batch of participants may have megabytes, and who sends them is known only when they are there."""
    path = "/chat/threads/19:acsV1_x@thread.v2/participants/:add?api-version=2025-03-15"
    size = 2_500_000
    whole = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b" " * size
    with running_server(Settings(request_log=False, tls=False)) as server:
        with ExitStack() as stack:
            for _ in range(MOST_BYTES // size + 1):
                stack.enter_context(connect(server)).sendall(whole[:-1])
            with connect(server) as one_more:
                with suppress(BrokenPipeError, ConnectionResetError):
                    one_more.sendall(whole[:-1])
                reply = read_reply(one_more)
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
            with connect(server) as connection:
                connection.sendall(HEALTH)
                assert read_reply(connection).status == 200
        with connect(server) as connection:
            connection.sendall(whole)
            assert read_reply(connection).status == 401
