"""A member of very many threads is deleted, and whoever finishes that is killed over and over."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.history.nodes import Node
from tests.support.chats import Chatting
from tests.support.engines import Place
from watchword.chat.speakers import Speaker
from watchword.identifiers import parse_identity
from watchword.identity.store import IdentityStore
from watchword.resources.store import list_resources
from watchword.storage import Database

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
LONGEST_LIFE_SECONDS = 4.0


@pytest.mark.parametrize(
    ("threads", "kills"), [pytest.param(60, 1, id="short"), pytest.param(10_000, 12, id="long", marks=pytest.mark.soak)]
)
async def test_a_departure_ends_however_often_the_server_is_killed(place: Place, threads: int, kills: int) -> None:
    environment = {"WATCHWORD_ENCRYPTION_KEY": KEY}
    if place.is_postgres:
        environment["WATCHWORD_DATABASE"] = place.settings.database
    node = Node(place.folder, environment)
    await asyncio.to_thread(node.start)
    await asyncio.to_thread(node.stop)
    ada, ben = await filled(place, node.data, threads)
    random.seed(1)
    for _ in range(kills):
        await asyncio.to_thread(node.start)
        await asyncio.sleep(random.uniform(0.05, min(LONGEST_LIFE_SECONDS, threads / 100)))
        await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    try:
        left = 1
        while left:
            await asyncio.sleep(0.2)
            left = await counted(place, node.data, "select count(*) from departures")
    finally:
        await asyncio.to_thread(node.stop)
    # Each thread has lost one participant, told so once, and says nothing of what was written.
    for sql, expected in (
        (f"select count(*) from participants where subject = '{ben.subject}'", 0),
        (f"select count(*) from participants where subject = '{ada.subject}' and removed_millis is null", threads),
        ("select count(*) from messages where content = 'secret'", 0),
        ("select count(*) from messages where deleted_millis is not null", 2 * threads),
        ("select count(*) from messages where kind = 'participantRemoved'", threads),
        ("select count(*) from threads where present = 1", threads),
        ("select count(*) from journal where kind = 'participantsRemoved'", threads),
        ("select count(*) from journal where kind = 'messageDeleted'", 2 * threads),
    ):
        assert (sql, await counted(place, node.data, sql)) == (sql, expected)


async def filled(place: Place, data: Path, threads: int) -> tuple[Speaker, Speaker]:
    """Two users in so many threads, of whom the second has written into each, and is deleted."""
    database = await opened(place, data)
    try:
        [resource] = await database.transact(list_resources)
        chat = Chatting(database, resource)
        ada, ben = await chat.users(2)
        for start in range(0, threads, 50):
            made = await asyncio.gather(*(chat.thread(ada, ben) for _ in range(min(50, threads - start))))
            await asyncio.gather(*(chat.send(ben, thread, "secret") for thread in made for _ in range(2)))
        identity = parse_identity(f"8:{ben.subject}")
        assert identity is not None
        await IdentityStore(database).delete(resource.number, identity, 1)
    finally:
        await database.close()
    return ada, ben


async def counted(place: Place, data: Path, sql: str) -> int:
    database = await opened(place, data)
    try:
        [(count,)] = await database.query(sql)
        return int(count)
    finally:
        await database.close()


async def opened(place: Place, data: Path) -> Database:
    return await Place(place.settings, place.folder if place.is_postgres else data).open()
