"""A server of another process, as clients see it; without TLS, so that a trace shows what it says."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from tests.support.commands import Server, answer
from watchword.server import development
from watchword.server.installation import read_access_keys
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer

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


def reached(server: Server, data: Path, settings: Settings) -> RunningServer:
    """A `watchword serve` on that folder, with an operator who is new, as if it ran in this process."""
    primary, secondary = read_access_keys(settings, data)
    names = {"WATCHWORD_DATABASE": settings.database, "WATCHWORD_ENCRYPTION_KEY": settings.encryption_key}
    given = {name: value for name, value in names.items() if value}
    asked = ("operator", "create", "--name", f"of {server.port}", "--data", data)
    return RunningServer(
        server.port,
        server.endpoint,
        data,
        server.home.folder / "data/certificates/ca.pem" if settings.tls else None,
        MovableClock(),
        (primary.secret, secondary.secret),
        settings,
        answer(server.home, *asked, environment=given).strip(),
    )


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
    except ConnectionError:
        return False
    return True
