"""A server that is told to stop behind a balancer says so at /readyz first, and refuses nobody through the delay."""

from __future__ import annotations

import signal

import httpx2
import pytest

from tests.support.commands import Home, Server, answer, refusal, server
from tests.support.polling import until
from tests.support.process_tree import linux_only
from tests.support.processes import PLAIN, accepts

pytestmark = linux_only

LONG = ("--drain-delay", "600")


def readiness(running: Server) -> tuple[int, str]:
    reply = httpx2.get(f"{running.endpoint}/readyz", timeout=30)
    return reply.status_code, reply.text


def begin_to_drain(running: Server, workers: int) -> None:
    """Returns once each worker has been told."""
    running.process.send_signal(signal.SIGTERM)
    asked = range(1 if workers == 1 else 20)
    until(lambda: [readiness(running)[0] for _ in asked], lambda statuses: set(statuses) == {503})


@pytest.mark.parametrize("workers", [1, 2])
def test_it_calls_itself_not_ready_and_answers_all_the_same(home: Home, workers: int) -> None:
    with server(home, "serve", *LONG, "--workers", str(workers), environment=PLAIN) as running:
        assert readiness(running) == (200, "ready\n")
        begin_to_drain(running, workers)
        assert readiness(running) == (503, "not ready\nstop: The server was told to stop.\n")
        assert "503" in refusal(home, "health")
        reply = httpx2.get(f"{running.endpoint}/healthz")
        assert (reply.status_code, reply.headers.get("connection")) == (200, "keep-alive")
        assert answer(home, "identity", "create").startswith("8:acs:")
        # Who cannot wait asks again.
        assert running.stop(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_it_stops_when_the_delay_is_over(home: Home, workers: int) -> None:
    with server(home, "serve", "--drain-delay", "0.3", "--workers", str(workers), environment=PLAIN) as running:
        assert running.stop(signal.SIGTERM)[0] == 0
        assert not accepts(running.port)


def test_reload_makes_nobody_call_itself_not_ready(home: Home) -> None:
    with server(home, "serve", *LONG, "--workers", "2", environment=PLAIN) as running:
        running.process.send_signal(signal.SIGHUP)
        assert [readiness(running)[0] for _ in range(40)] == [200] * 40
        # Two signals that arrive together are one.
        begin_to_drain(running, 2)
        assert running.stop(signal.SIGTERM)[0] == 0


@pytest.mark.sqlite("on PostgreSQL servers share the data")
def test_next_server_on_the_data_waits_through_the_delay(home: Home) -> None:
    with server(home, "serve", *LONG, environment=PLAIN) as old:
        begin_to_drain(old, 1)
        holder = (home.server_data / "server.lock").read_text()
        assert '"is_stopping":true' in holder
        old.stop(signal.SIGTERM)
