"""A server of another process, as clients see it; without TLS, so that a trace shows what it says."""

from __future__ import annotations

import socket
import ssl

from tests.support.commands import Server
from watchword.server import development
from watchword.testing import MovableClock

PLAIN = {"WATCHWORD_TLS": "0", "WATCHWORD_HOST": "127.0.0.1", "WATCHWORD_REQUEST_LOG": "0"}


class Process:
    """A `watchword dev` that was started with the settings of PLAIN, or a `watchword serve` whose keys are given."""

    ca_file = None

    def __init__(
        self, server: Server, keys: tuple[bytes, bytes] = (development.PRIMARY_KEY, development.SECONDARY_KEY)
    ) -> None:
        self.keys = keys
        self._server = server
        self.port = server.port
        self.endpoint = server.endpoint
        self.clock = MovableClock()

    @property
    def pid(self) -> int:
        return self._server.process.pid

    def stop(self, signal_number: int) -> None:
        self._server.stop(signal_number)

    def wait(self) -> None:
        self._server.process.wait(20)

    def client_tls(self) -> ssl.SSLContext:
        raise AssertionError("it has no TLS, so that a trace shows what it says")


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
    except ConnectionError:
        return False
    return True
