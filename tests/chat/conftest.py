"""Chat over a fresh database, on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.chat_world import World
from tests.support.chats import Chatting
from tests.support.chats import chatting as open_chatting
from tests.support.data import OtherResource, add_resource
from tests.support.moderated_talk import Talk
from tests.support.moderators import ALLOW, Moderator, moderator
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.storage import Database
from watchword.testing import RunningServer


@pytest.fixture
async def chatting(database: Database) -> Chatting:
    """Chat with the original's limits, on both engines."""
    return await open_chatting(database)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Chat over HTTP."""
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


@pytest.fixture(scope="module")
def other(server: RunningServer) -> OtherResource:
    return add_resource(server, "other")


@pytest.fixture
def world(server: RunningServer, other: OtherResource) -> Iterator[World]:
    with SignedClient(server) as client:
        yield World(client, server, other)


@pytest.fixture(scope="module", params=["refuse", "allow"])
def moderated(request: pytest.FixtureRequest) -> Iterator[tuple[Moderator, RunningServer]]:
    """A moderator, and a server that asks it, with either setting for when it does not answer."""
    with moderator() as made, running_server(made.settings(moderation_on_failure=request.param)) as server:
        yield made, server


@pytest.fixture
def asked(moderated: tuple[Moderator, RunningServer]) -> Moderator:
    made, _ = moderated
    made.answer = lambda _: ALLOW
    return made


@pytest.fixture
def moderated_client(moderated: tuple[Moderator, RunningServer]) -> Iterator[SignedClient]:
    with SignedClient(moderated[1]) as client:
        yield client


@pytest.fixture
def talk(moderated_client: SignedClient, asked: Moderator) -> Talk:
    made = Talk(moderated_client)
    asked.asked.clear()
    return made
