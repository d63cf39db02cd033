"""Homes for the command line's tests, and one server for those that only need some server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Home, Server, server
from tests.support.engines import CHOSEN


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of `shared_server`."""
    return Home(tmp_path_factory.mktemp("shared-home"))


@pytest.fixture(scope="module")
def shared_server(shared_home: Home) -> Iterator[Server]:
    """One `watchword dev` for the tests of a module; on PostgreSQL, which it refuses, the most similar `serve`."""
    mode = ("dev",) if CHOSEN == "sqlite" else ("serve", "--resource-name", "dev")
    with server(shared_home, *mode, "--no-request-log") as running:
        yield running
