"""The official clients where requests are limited: told when to come back, they come back, and nobody notices."""

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sdk.programs import run_lines, trusting_environment
from tests.support.requirements import require
from watchword.client import IdentityClient
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer, running_server

_FOLDER = Path(__file__).parent


class Watch(logging.Handler):
    """Reads the request log, and lets the second pass that a refused client was told to wait."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__()
        self._clock = clock
        self.statuses: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        for line in record.getMessage().splitlines():
            entry = json.loads(line)
            self.statuses.append(entry["status"])
            if entry["status"] == 429:
                self._clock.move(timedelta(seconds=1))


@pytest.fixture
def clock() -> MovableClock:
    """One that stands still, so that the second request comes too early on the slowest machine."""
    clock = MovableClock()
    clock.stop()
    return clock


@contextmanager
def limited(clock: MovableClock) -> Iterator[RunningServer]:
    """A server; once it has ended, every request is in its log."""
    with running_server(Settings(rate_limits=("create=1/1s",)), clock=clock) as running:
        yield running


@pytest.fixture
def watch(clock: MovableClock) -> Iterator[Watch]:
    logger = logging.getLogger("watchword.requests")
    level, watching = logger.level, Watch(clock)
    logger.setLevel(logging.INFO)
    logger.addHandler(watching)
    yield watching
    logger.removeHandler(watching)
    logger.setLevel(level)


def javascript() -> Sequence[str]:
    require("node", "Node.js runs the official JavaScript client")
    require((_FOLDER / "js/node_modules/.ready").is_file(), "`make test` installs the official JavaScript client")
    return ["node", str(_FOLDER / "js/limited.mjs")]


def python(kind: str) -> Sequence[str]:
    return [sys.executable, str(_FOLDER / "python/limited.py"), kind]


@pytest.mark.parametrize("kind", ["sync", "aio", "javascript"])
def test_an_official_client_comes_through(kind: str, clock: MovableClock, bundles: Path, watch: Watch) -> None:
    command = javascript() if kind == "javascript" else python(kind)
    with limited(clock) as server:
        ids = run_lines(command, trusting_environment(server, bundles))
    assert len(set(ids)) == 2
    assert watch.statuses == [201, 429, 201]


def test_our_own_client_comes_through(clock: MovableClock, watch: Watch) -> None:
    with (
        limited(clock) as server,
        IdentityClient.from_connection_string(server.connection_string, verify=server.client_tls()) as client,
    ):
        assert client.create_user() != client.create_user()
    assert watch.statuses == [201, 429, 201]
