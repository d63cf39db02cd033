"""A connection that does not finish its TLS handshake is closed as soon as one that does not finish a head."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import SignedClient, raw_exchange
from watchword.settings import Settings
from watchword.testing import RunningServer

CLIENT_HELLO = bytes.fromhex("16030100c4010000c00303")
"""The beginning of one; what it announces never comes."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, head_deadline=0.3)) as running:
        yield running


@pytest.mark.parametrize("said", [b"", b"\x16", CLIENT_HELLO])
def test_silence_before_or_in_the_handshake_ends_the_connection(server: RunningServer, said: bytes) -> None:
    # The event loop's own deadline is a minute; whoever reads here gives up after ten seconds.
    raw_exchange(server.port, said)


def test_who_shakes_hands_in_time_is_served_meanwhile(server: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10), SignedClient(server) as client:
        assert client.call("GET", "/healthz").status == 200
