"""How long a client may leave a connection idle: it is told, and whoever keeps to it loses no request."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tests.support.http_servers import http_server
from tests.support.polling import until
from tests.support.signed import read_reply, read_to_end
from watchword.http.exchange import Exchange

ASKED = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


async def answer(exchange: Exchange) -> None:
    exchange.answer(201, [])


@pytest.mark.parametrize(("seconds", "told"), [(75, "timeout=70"), (6.5, "timeout=1"), (5.9, None), (1, None)])
def test_an_answer_says_how_long_its_connection_may_be_idle(seconds: float, told: str | None) -> None:
    with (
        http_server(answer, keep_alive=seconds) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=20) as one,
    ):
        one.sendall(ASKED)
        reply = read_reply(one)
    assert reply.headers.get("keep-alive") == told
    assert reply.headers.get("connection") == ("keep-alive" if told else None)


@pytest.mark.parametrize("end", [b"Connection: close\r\n", None], ids=["asked for", "an old client"])
def test_the_last_answer_says_only_that_it_is_the_last(end: bytes | None) -> None:
    with http_server(answer) as (_, port), socket.create_connection(("127.0.0.1", port), timeout=20) as one:
        one.sendall(ASKED.replace(b"Host", end + b"Host") if end else ASKED.replace(b"HTTP/1.1", b"HTTP/1.0"))
        head = read_to_end(one).lower()
    assert b"connection: close\r\n" in head
    assert b"keep-alive" not in head


def test_a_pool_that_uses_connections_again_just_in_time_loses_no_request() -> None:
    with http_server(answer, keep_alive=7) as (server, port), contextlib.ExitStack() as stack:
        pool = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(200)]
        for _ in range(2):
            for each in pool:
                each.sendall(ASKED)
                assert read_reply(each).headers["keep-alive"] == "timeout=2"
            # It is the client who waits, a second less than it may.
            time.sleep(1)
        assert server.open_connections == 200


def test_an_idle_connection_ends_after_the_time_by_setting() -> None:
    with http_server(answer, keep_alive=0.2) as (server, port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
            one.sendall(ASKED)
            read_reply(one)
            assert read_to_end(one) == b""
        until(lambda: server.open_connections, lambda left: left == 0)
