"""One server without TLS for all tests of a module, and a client that signs by hand."""

from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as signed:
        yield signed
