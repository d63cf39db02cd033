"""What comes behind a body in chunks, and between the chunks: counted as a head is, and never read."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.signed import NEWEST, Signed, SignedClient, one_status, raw_exchange, read_to_end, to_bytes
from watchword.http.request_reader import MAXIMUM_BODY_BYTES, MAXIMUM_HEAD_BYTES

CREATE = f"/identities?api-version={NEWEST}"
LIST = "/identities?maxPageSize=1"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(autouse=True)
def unchanged(client: SignedClient) -> Iterator[None]:
    before = client.listed()
    yield
    assert client.listed() == before


def chunked(request: Signed, chunks: bytes, *, close: bool = True) -> bytes:
    return to_bytes(Signed(request.method, request.target, request.headers, chunks), extra=CHUNKED, close=close)


def answer_of(port: int, data: bytes) -> bytes:
    """Whatever is said to a client that goes on sending."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            for start in range(0, len(data), 16_384):
                connection.sendall(data[start : start + 16_384])
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_to_end(connection)


@pytest.mark.parametrize("moved", ["Authorization", "x-ms-date", "x-ms-content-sha256"])
def test_credentials_in_trailers_prove_nobody(client: SignedClient, moved: str) -> None:
    request = client.sign("POST", CREATE, b"{}")
    behind = f"{moved}: {request.headers.pop(moved)}\r\n".encode()
    assert one_status(raw_exchange(client.server.port, chunked(request, b"2\r\n{}\r\n0\r\n" + behind + b"\r\n"))) == 401


def test_trailers_are_read_by_nobody(client: SignedClient) -> None:
    request = client.sign("GET", LIST, b"{}")
    told = b"x-ms-client-request-id: from-a-trailer\r\nConnection: upgrade\r\nUpgrade: h2c\r\nHost: other\r\n"
    first = chunked(request, b"2\r\n{}\r\n0\r\n" + told + b"\r\n", close=False)
    answers = raw_exchange(client.server.port, first + to_bytes(client.sign("GET", LIST)))
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200"]
    assert b"from-a-trailer" not in answers


@pytest.mark.parametrize("name", [b"A", b"Host", b"A%d"])
def test_head_and_trailers_together_may_be_as_large_as_a_head(client: SignedClient, name: bytes) -> None:
    request = client.sign("GET", LIST, b"{}")
    fixed = len(request.target) + sum(len(each) + len(value) + 4 for each, value in request.headers.items())
    fixed += len("Transfer-Encoding" + "chunked" + "Connection" + "close") + 8
    for size, status in ((MAXIMUM_HEAD_BYTES, 200), (MAXIMUM_HEAD_BYTES + 1, 431)):
        lines: list[bytes] = []
        left = size - fixed
        while left > 100:
            line = (name.replace(b"%d", b"%d" % len(lines))) + b": bcdefghij\r\n"
            lines.append(line)
            left -= len(line)
        lines.append(b"Z: " + b"z" * (left - 5) + b"\r\n")
        answer = answer_of(client.server.port, chunked(request, b"2\r\n{}\r\n0\r\n" + b"".join(lines) + b"\r\n"))
        assert one_status(answer) == status


@pytest.mark.parametrize("line", [b"A: b\r\n", b"A%d: b\r\n", b"a:\r\n"])
def test_trailers_without_an_end_are_refused(client: SignedClient, line: bytes) -> None:
    trailers = b"".join(line.replace(b"%d", b"%d" % number) for number in range(300_000))
    answer = answer_of(client.server.port, chunked(client.sign("POST", CREATE, b"{}"), b"2\r\n{}\r\n0\r\n" + trailers))
    assert answer == b"" or one_status(answer) == 431


def test_a_client_that_says_among_trailers_that_it_closes_is_answered(client: SignedClient) -> None:
    packet = chunked(client.sign("GET", LIST, b"{}"), b"2\r\n{}\r\n0\r\nConnection: close\r\n\r\n", close=False)
    assert one_status(raw_exchange(client.server.port, packet + to_bytes(client.sign("POST", CREATE)))) == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_what_frames_a_body_is_refused_among_trailers(client: SignedClient, framing: bytes) -> None:
    packet = chunked(client.sign("GET", LIST, b"{}"), b"2\r\n{}\r\n0\r\n" + framing + b"\r\n")
    assert one_status(raw_exchange(client.server.port, packet)) == 400


@pytest.mark.parametrize("start", [b"2;x=", b"2\r\n{}\r\n0;", b"2\r\n{}\r\n0\r\nA: ", b"2\r\n{}\r\n0\r\nA"])
def test_one_line_without_an_end_between_or_behind_chunks_is_refused(client: SignedClient, start: bytes) -> None:
    packet = chunked(client.sign("POST", CREATE, b"{}"), start + b"x" * 5_000_000)
    answer = answer_of(client.server.port, packet)
    # A reset may overtake the answer.
    assert answer == b"" or one_status(answer) in (413, 431)


def test_a_body_in_tiny_chunks_has_an_end_too(client: SignedClient) -> None:
    for count, status in ((1_000, 400), (MAXIMUM_BODY_BYTES, 413)):
        body = b" " * count
        answer = answer_of(
            client.server.port, chunked(client.sign("POST", CREATE, body), b"1\r\n \r\n" * count + b"0\r\n\r\n")
        )
        assert answer == b"" or one_status(answer) == status


def test_many_headers_of_one_name_are_joined(client: SignedClient) -> None:
    request = to_bytes(client.sign("GET", LIST), extra=b"a:\r\n" * 6_000)
    assert one_status(raw_exchange(client.server.port, request)) == 200
    twice = to_bytes(client.sign("GET", LIST), extra=b"x-ms-date: again\r\n")
    assert one_status(raw_exchange(client.server.port, twice)) == 401
