"""A server on each engine, with users who chat and listen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engines import FreshSettings
from tests.support.homes import home
from tests.support.realtime_clients import RealtimeWorld
from tests.support.signed import SignedClient
from watchword.testing import RunningServer, running_server

__all__ = ["home"]


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings(synchronous="OFF")) as running:
        yield running


@pytest.fixture
def world(server: RunningServer) -> Iterator[RealtimeWorld]:
    with SignedClient(server) as client:
        yield RealtimeWorld(server, client)
