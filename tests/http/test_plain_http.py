"""Plain HTTP on a port that speaks TLS: it is told so, in words, and nobody else notices."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import SignedClient, one_status, raw_exchange, to_bytes
from watchword.settings import Settings
from watchword.testing import RunningServer


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, head_deadline=1)) as running:
        yield running


def test_a_request_without_tls_is_told_to_come_with_it(server: RunningServer) -> None:
    with SignedClient(server) as client:
        for request in (client.sign("GET", "/identities"), client.sign("POST", "/identities", b"x" * 60_000)):
            answer = raw_exchange(server.port, to_bytes(request))
            assert one_status(answer) == 400
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b'"code":"HttpsRequired"' in body
            assert b"Write https:// in the endpoint." in body
            assert b"connection: close" in head
            assert f"content-length: {len(body)}".encode() in head
        assert client.call("GET", "/identities").status == 200


@pytest.mark.parametrize("said", [b"\x00", b"\xff" * 64, b"\r\n\r\n", b"9"])
def test_what_is_neither_ends_without_a_word(server: RunningServer, said: bytes) -> None:
    assert b"HTTP/1.1" not in raw_exchange(server.port, said)


def test_who_says_one_letter_and_nothing_more_is_answered_and_let_go(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
        one.sendall(b"G")
        received = b""
        while data := one.recv(65_536):
            received += data
    assert one_status(received) == 400
