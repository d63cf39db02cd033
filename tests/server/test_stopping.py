"""A server that is told to stop: whoever was there is answered, whoever comes is refused, and it ends in time."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.callers import all_identities, callers, created
from tests.support.commands import Home, Server, server
from tests.support.polling import until
from tests.support.processes import PLAIN, Process, accepts
from tests.support.signed import SignedClient, read_reply, read_to_end

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def plain_server(home: Home, *arguments: str) -> Iterator[Server]:
    with server(home, "dev", *arguments, environment=PLAIN) as running:
        yield running


@contextmanager
def connected(running: Server) -> Iterator[socket.socket]:
    """A connection that has been answered once."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(HEALTH)
        assert read_reply(connection).status == 200
        yield connection


def begin_to_stop(running: Server) -> None:
    """Returns once new connections are refused."""
    running.process.send_signal(signal.SIGTERM)
    until(lambda: accepts(running.port), lambda accepting: not accepting)


def test_a_request_on_a_connection_that_was_open_is_answered_and_told_that_it_is_the_last(home: Home) -> None:
    with plain_server(home) as running, connected(running) as idle, connected(running) as half:
        half.sendall(HEALTH[:20])
        begin_to_stop(running)
        idle.sendall(HEALTH)
        reply = read_reply(idle)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert read_to_end(idle) == b""
        half.sendall(HEALTH[20:])
        reply = read_reply(half)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert running.process.wait(20) == 0


def test_a_connection_that_says_nothing_more_does_not_hold_it_up(home: Home) -> None:
    with plain_server(home, "--stop-deadline", "60") as running, connected(running) as idle:
        begin_to_stop(running)
        assert running.process.wait(20) == 0
        assert read_to_end(idle) == b""


def test_what_is_not_finished_at_the_deadline_is_cut_off(home: Home) -> None:
    with plain_server(home, "--stop-deadline", "0.2") as running, connected(running) as slow:
        slow.sendall(
            b"POST /identities?api-version=2023-10-01 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        )
        status, log = running.stop(signal.SIGTERM)
        assert read_to_end(slow) == b""
    assert status == 0
    assert [line for line in log if "1 connections were cut off at the stop deadline" in line]
    assert not [line for line in log if "Traceback" in line]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_answer_is_lost_by_a_stop_under_load(home: Home, workers: int) -> None:
    with plain_server(home, "--data", str(home.server_data), "--workers", str(workers)) as running:
        with callers(Process(running)) as every:
            running.process.send_signal(signal.SIGTERM)
            for each in every:
                each.join()
        assert running.process.wait(20) == 0
    assert [failure for each in every for failure in each.failures] == []
    assert all(each.was_refused for each in every)
    with plain_server(home, "--data", str(home.server_data)) as running, SignedClient(Process(running)) as client:
        # What was created without an answer would be here as well.
        assert all_identities(client) == created(every)
