"""A service that is not Watchword's, composed from outside, whose operation takes a WebSocket behind the door of users:
how it is asked for, what who asks wrongly is told, and what is left of the request once it is open.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.support.engines import FreshSettings
from tests.support.polling import until
from tests.support.raw_websocket import KEY, OFFER, TEXT, VERSION, RawWebSocket, frame, opening
from tests.support.signed import Reply, SignedClient, read_reply, read_to_end
from watchword.ground import Ground
from watchword.http.websocket import SocketOwner, WebSocket
from watchword.rest.call import Binding, Call, Upgrade
from watchword.rest.callers import User
from watchword.rest.doors import Doors
from watchword.rest.service import Service
from watchword.testing import RunningServer, running_server
from watchword.wire.operations import Operation

TALK = Operation("Trial_Talk", "GET", "/trial/talk", 101, None, "A trial.", scopes=("chat",), reads_user_header=True)
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
WITH_KEY = b"Sec-WebSocket-Key: " + KEY + b"\r\n"


@dataclass
class Parrot(SocketOwner):
    """Says what it hears, and who it is to whom it says it."""

    socket: WebSocket
    who: str

    def on_text(self, text: str) -> None:
        self.socket.send(f"{self.who}: {text}")


async def _talk(call: Call[User]) -> Upgrade:
    who = call.caller.token.identity
    return Upgrade(lambda socket: Parrot(socket, who))


def open_trial(ground: Ground, doors: Doors) -> Service:
    del ground
    # Its wave is that of whoever reads: a socket that stayed in it would hold up all others.
    return Service([Binding(TALK, _talk, doors.users)])


@dataclass
class World:
    server: RunningServer
    client: SignedClient

    def token(self, *scopes: str) -> str:
        reply = self.client.create({"createTokenWithScopes": list(scopes or ("chat",))})
        token: str = reply.json["accessToken"]["token"]
        return token

    def connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        if self.server.ca_file is None:
            return connection
        trusting = ssl.create_default_context(cafile=self.server.ca_file)
        return trusting.wrap_socket(connection, server_hostname="localhost")

    def asked(self, head: bytes) -> tuple[Reply, Reply]:
        """What is answered to it, and to the next request on the same connection, sent at once."""
        with self.connected() as connection:
            connection.sendall(head + LAST)
            first, second = re.split(rb"(?=HTTP/1\.1 )", read_to_end(connection))[1:]
            return _parse(first), _parse(second)


def _parse(answer: bytes) -> Reply:
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Reply(int(status.split()[1]), headers, body.encode())


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "tls"])
def server(request: pytest.FixtureRequest, fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings(tls=request.param, request_log=True), services=[open_trial]) as running:
        yield running


@pytest.fixture
def world(server: RunningServer) -> Iterator[World]:
    with SignedClient(server) as client:
        yield World(server, client)


def test_a_users_token_opens_a_socket_by_either_header(world: World) -> None:
    url = world.server.endpoint.replace("http", "ws", 1) + "/trial/talk"
    tls = world.server.client_tls() if world.server.ca_file else None
    for name, prefix in (("X-Skypetoken", ""), ("Authorization", "Bearer ")):
        token = world.token("chat")
        with connect(url, ssl=tls, additional_headers={name: prefix + token}) as client:
            client.send("hello")
            said = str(client.recv())
        assert said.startswith("8:acs:")
        assert said.endswith(": hello")


def test_what_follows_the_head_at_once_is_heard_and_others_are_served_meanwhile(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    headers = OFFER + VERSION + WITH_KEY + b"X-Skypetoken: " + world.token().encode() + b"\r\n"
    caplog.set_level(logging.INFO, "watchword.requests")
    with world.connected() as connection:
        connection.sendall(opening("/trial/talk", headers=headers) + frame(TEXT, b"1") + frame(TEXT, b"2"))
        received = b""
        while not received.endswith(b": 2"):
            received += connection.recv(4_096)
        head, _, frames = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"ms-cv: " in head
        assert b"content-length" not in head.lower()
        client = RawWebSocket(connection, frames)
        assert client.read()[1].endswith(b": 1")
        assert client.read()[1].endswith(b": 2")
        assert world.client.call("GET", "/identities").status == 200
        lines = until(lambda: _logged(caplog), lambda found: len(found) == 1)
    assert (lines[0]["status"], lines[0]["operation"]) == (101, "Trial_Talk")
    assert lines[0]["caller"].startswith("user")


def _logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [json.loads(line) for record in caplog.records for line in record.getMessage().splitlines()]
    return [line for line in lines if line["path"] == "/trial/talk"]


NOT_ASKED = "the headers Connection: Upgrade and Upgrade: websocket ask for one"
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no offer": (b"", 426, NOT_ASKED),
    "another protocol": (OFFER.replace(b"websocket", b"h2c"), 426, NOT_ASKED),
    "only half an offer": (b"Upgrade: websocket\r\n" + VERSION + WITH_KEY, 426, NOT_ASKED),
    "an old version": (OFFER + b"Sec-WebSocket-Version: 8\r\n" + WITH_KEY, 426, "Sec-WebSocket-Version must be 13"),
    "no version": (OFFER + WITH_KEY, 400, "Sec-WebSocket-Version is missing, or is not as RFC 6455 says"),
    "no key": (OFFER + VERSION, 400, "Sec-WebSocket-Key is missing, or is not as RFC 6455 says"),
    "a short key": (
        OFFER + VERSION + b"Sec-WebSocket-Key: AAAA\r\n",
        400,
        "Sec-WebSocket-Key is missing, or is not as RFC 6455 says",
    ),
    "two keys": (
        OFFER + VERSION + WITH_KEY * 2,
        400,
        "Sec-WebSocket-Key is missing, or is not as RFC 6455 says",
    ),
    "an upgrade that cannot be read": (OFFER + b"Upgrade: ;\r\n" + VERSION + WITH_KEY, 400, "Upgrade is missing"),
}


@pytest.mark.parametrize(("headers", "status", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_an_offer_that_is_wrong_is_refused_in_words_and_the_connection_goes_on(
    world: World, headers: bytes, status: int, reason: str
) -> None:
    token = b"X-Skypetoken: " + world.token().encode() + b"\r\n"
    reply, behind = world.asked(opening("/trial/talk", headers=headers + token))
    assert (reply.status, reply.error["code"]) == (status, {426: "UpgradeRequired", 400: "InvalidHandshake"}[status])
    assert reason in reply.error["message"]
    if status == 426:
        assert (reply.headers["upgrade"], reply.headers["sec-websocket-version"]) == ("websocket", "13")
    assert (behind.status, behind.body) == (200, b"ok\n")


def test_a_body_and_an_end_and_an_old_http_are_no_way_to_a_socket(world: World) -> None:
    token = b"X-Skypetoken: " + world.token().encode() + b"\r\n"
    full = OFFER + VERSION + WITH_KEY + token
    reply, behind = world.asked(opening("/trial/talk", headers=full + b"Content-Length: 2\r\n") + b"{}")
    assert (reply.status, behind.status) == (400, 200)
    assert "it has a body, or says that the connection ends" in reply.error["message"]
    for head, status in (
        (opening("/trial/talk", headers=full.replace(b"Connection: Upgrade", b"Connection: Upgrade, close")), 400),
        (opening("/trial/talk", headers=full).replace(b"HTTP/1.1", b"HTTP/1.0"), 426),
        (opening("/trial/talk", headers=full).replace(b"GET", b"POST"), 405),
    ):
        with world.connected() as connection:
            connection.sendall(head)
            assert read_reply(connection).status == status


def test_the_door_is_asked_before_the_handshake_is_judged(world: World) -> None:
    for headers in (OFFER + VERSION + WITH_KEY, OFFER, b""):
        reply, behind = world.asked(opening("/trial/talk", headers=headers))
        assert (reply.status, reply.error["code"], behind.status) == (401, "Denied", 200)
    voice = b"X-Skypetoken: " + world.token("voip").encode() + b"\r\n"
    reply, behind = world.asked(opening("/trial/talk", headers=OFFER + VERSION + WITH_KEY + voice))
    assert (reply.status, behind.status) == (403, 200)


def test_everywhere_else_an_offer_is_ignored(world: World) -> None:
    reply, behind = world.asked(opening("/healthz"))
    assert (reply.status, reply.body, behind.status) == (200, b"ok\n", 200)
    assert "upgrade" not in reply.headers
