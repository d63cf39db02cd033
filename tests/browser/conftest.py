"""One server and one bundle of each client for all pages; a browser for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.testing import RunningServer


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as signed:
        yield signed
