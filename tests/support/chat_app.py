"""The example of an app with a chat, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.requirements import PROJECT
from tests.support.tls import without_trust
from watchword.cli.connection import VARIABLES
from watchword.testing import RunningServer


@contextmanager
def chat_app(
    service: RunningServer | None, connection_string: str | None = None, *, home: Path | None = None
) -> Iterator[str]:
    """Its address, with the slash; without a service it takes the one that runs at home, or starts one of its own."""
    environment = {name: value for name, value in without_trust(os.environ).items() if name not in VARIABLES}
    environment["PORT"] = "0"
    if service is not None:
        environment[VARIABLES[0]] = connection_string or service.connection_string
        if service.ca_file is not None:
            environment["SSL_CERT_FILE"] = str(service.ca_file)
    command = [sys.executable, str(PROJECT / "examples/chat/server.py")]
    # A service that runs on this machine is none of this test's.
    with tempfile.TemporaryDirectory() as empty:
        environment["WATCHWORD_HOME"] = str(home or empty)
        with _running(command, environment) as address:
            yield address


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def signed_in(app: str, user: str) -> Iterator[httpx2.Client]:
    """One who keeps the app's cookie; every path is below the user's own."""
    with httpx2.Client(base_url=f"{app}{user}/") as client:
        assert client.post("session").status_code == 204
        yield client
