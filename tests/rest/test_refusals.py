"""What the HTTP server refuses by itself is worded by the contract that the path is of, as everything else there."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.support.servers import running_server
from tests.support.signed import Reply, read_reply
from watchword.http.request_reader import MAXIMUM_HEAD_BYTES
from watchword.settings import Settings
from watchword.testing import RunningServer

CHAT = [b"/chat/threads?api-version=2025-03-15", b"/chat/no/operation", b"//chat/threads", b"/CHAT/threads"]
OTHERS = [b"/identities?api-version=2023-10-01", b"/nowhere", b"/chatter"]
TOO_SLOW = [
    b"POST %b HTTP/1.1\r\nHost: localhost\r\n",
    b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
]
TOO_LARGE = b"GET %b HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * MAXIMUM_HEAD_BYTES + b"\r\n\r\n"


@pytest.fixture(scope="module", params=[None, 0], ids=["one port", "operators apart"])
def server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    settings = Settings(request_log=False, tls=False, head_deadline=0.2, body_deadline=0.2, operator_port=request.param)
    with running_server(settings) as running:
        yield running


def answer_to(server: RunningServer, sent: bytes) -> Reply:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        return read_reply(connection)


@pytest.mark.parametrize("path", CHAT)
def test_chat_has_both_shapes_also_of_what_the_http_server_refuses(server: RunningServer, path: bytes) -> None:
    for sent, status in [*((text % path, 408) for text in TOO_SLOW), (TOO_LARGE % path, 431)]:
        reply = answer_to(server, sent)
        body = reply.json
        assert reply.status == status
        assert body.keys() == {"error", "CommunicationError"}
        code, message = body["error"]["code"], body["error"]["message"]
        assert body["CommunicationError"] == {"Code": code, "Message": message, "Details": []}


@pytest.mark.parametrize("path", OTHERS)
def test_everybody_else_has_one(server: RunningServer, path: bytes) -> None:
    for sent, status in [*((text % path, 408) for text in TOO_SLOW), (TOO_LARGE % path, 431)]:
        reply = answer_to(server, sent)
        assert (reply.status, reply.json.keys()) == (status, {"error"})


def test_of_a_path_that_has_not_arrived_nobody_knows_whose_it_is(server: RunningServer) -> None:
    assert answer_to(server, b"GET ").json.keys() == {"error"}
