"""A server under systemd: sockets that outlive it, so that a restart refuses nobody, and what it says of itself."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.commands import Home, Server, server
from tests.support.processes import PLAIN, Process
from tests.support.signed import SignedClient, read_reply
from watchword.errors import OperatorError
from watchword.server import systemd

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

# What systemd does between fork and exec: the sockets become descriptors 3 and on, and only this process is meant.
ACTIVATE = """
import os, sys
count = int(sys.argv[1])
for number in range(count):
    os.dup2(int(sys.argv[2 + number]), 3 + number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": "https"}
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    # Descriptors from 100 on are in nobody's way.
    with socket.create_server(("127.0.0.1", 0)) as made:
        high = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, 100)
    with socket.socket(fileno=high) as held:
        yield held


@contextmanager
def activated(home: Home, listening: socket.socket, **variables: str) -> Iterator[Server]:
    under = (sys.executable, "-c", ACTIVATE, "1", str(listening.fileno()))
    environment = PLAIN | variables
    with server(home, "serve", environment=environment, under=under, descriptors=[listening.fileno()]) as running:
        yield running


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_restart_under_systemd_refuses_nobody(home: Home, listening: socket.socket, workers: str) -> None:
    port = listening.getsockname()[1]
    with manager() as (told, address):
        variables = {"WATCHWORD_WORKERS": workers, "NOTIFY_SOCKET": address}
        with activated(home, listening, **variables) as running:
            assert told.recv(100) == b"READY=1"
            assert running.port == port
            if workers != "1":
                running.process.send_signal(signal.SIGHUP)
                assert told.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
                assert told.recv(100) == b"READY=1"
            with SignedClient(Process(running)) as client:
                assert client.call("GET", "/healthz").status == 200
            assert running.stop(signal.SIGTERM) == (0, [])
            assert told.recv(100) == b"STOPPING=1"
    # Nobody runs, and nobody is refused: who comes now is answered by the next one.
    with socket.create_connection(("127.0.0.1", port), timeout=20) as waiting:
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with activated(home, listening, WATCHWORD_WORKERS=workers):
            assert read_reply(waiting).status == 200


@contextmanager
def manager() -> Iterator[tuple[socket.socket, str]]:
    """What hears how a service does, and its address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        # Linux makes up a name that is no file's.
        hearing.bind("")
        hearing.settimeout(20)
        yield hearing, "@" + hearing.getsockname()[1:].decode()


def test_sockets_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    for meant in ("1", "", "x"):
        monkeypatch.setenv("LISTEN_PID", meant)
        assert systemd.take_sockets() == []


def test_a_socket_of_another_kind_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setattr(systemd, "_FIRST_DESCRIPTOR", os.dup(silent.fileno()))
        with pytest.raises(OperatorError, match="none that listens for TCP"):
            systemd.take_sockets()
        # What is meant for this process is not handed on to those that it starts.
        assert "LISTEN_FDS" not in os.environ


def test_dev_takes_no_sockets_from_elsewhere(home: Home, listening: socket.socket) -> None:
    under = (sys.executable, "-c", ACTIVATE, "1", str(listening.fileno()))
    with server(home, "dev", environment=PLAIN, under=under, descriptors=[listening.fileno()]) as running:
        assert running.port != listening.getsockname()[1]


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
