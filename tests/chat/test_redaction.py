"""What was redacted is in no file of the database: SQLite's after a checkpoint, PostgreSQL's after a full vacuum."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from tests.support.chats import Chatting
from tests.support.engines import Place
from tests.support.postgres import Cluster
from watchword.chat.participants import Invitation
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadChange
from watchword.chat.trusted_messages import TrustedMessages

TEXTS = {
    "content": "Kqzwolframite",
    "edited": "Kqzvermiculite",
    "long": "Kqzlabradorite",
    "sender": "Kqzcinnabarite",
    "metadata": "Kqzserpentinite",
    "topic": "Kqzpitchblende",
    "name": "Kqzstaurolite",
}
"""Words that are nowhere else; `long` is of a text that stands on pages of its own."""


@pytest.fixture
def files(request: pytest.FixtureRequest, place: Place) -> Path:
    """The folder in which the engine keeps its tables."""
    if not place.is_postgres:
        return place.folder
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.folder / "data" / "base"


async def test_what_was_redacted_is_in_no_file(chatting: Chatting, place: Place, files: Path) -> None:
    thread, ids = await _written(chatting)
    await _settle(place)
    assert set(_found(files)) == {*TEXTS}, "the search sees what is there"
    trusted = TrustedMessages(ChatStore(chatting.database, lambda: None), chatting.minter, chatting.limits)
    for id in ids:
        await trusted.redact(chatting.resource, thread, id, now_micros=chatting.now)
    await _settle(place)
    assert set(_found(files)) == set()


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_no_statistics_hold_what_people_wrote(chatting: Chatting, place: Place) -> None:
    await _written(chatting)
    await _on_postgres(place, "analyze messages", "analyze participants", "analyze threads")
    sampled = await chatting.rows("select tablename || '.' || attname from pg_stats where schemaname = current_schema")
    assert ("messages.version",) in sampled
    wrote = {"messages.content", "messages.sender_name", "messages.metadata", "threads.topic", "threads.metadata"}
    wrote |= {"participants.display_name", "participants.metadata", "threads_by_topic.substr"}
    assert {name for (name,) in sampled} & wrote == set()


async def _written(some: Chatting) -> tuple[str, list[str]]:
    """Everything among messages of others, changed and deleted; the thread, and the messages that hold it."""
    ada, ben = await some.users(2)
    invitation = Invitation(f"8:{ben.subject}", TEXTS["name"])
    thread = await some.thread(ada, topic=TEXTS["topic"], invited=[invitation])
    ids = [str(each.id) for each in await some.listed(ada, thread)]
    for number in range(30):
        await some.send(ben, thread, f"something else {number}")
    ids.append(await some.send(ada, thread, TEXTS["content"], sender_name=TEXTS["sender"],
                               metadata={"k": TEXTS["metadata"]}))  # fmt: skip
    # In which nothing is repeated, so that PostgreSQL does not compress it.
    filling = base64.b64encode(b"".join(hashlib.sha512(bytes([each])).digest() for each in range(90))).decode()
    ids.append(await some.send(ben, thread, filling + TEXTS["long"] + filling))
    ids.append(await some.send(ada, thread, "first"))
    await some.rules.messages.edit(ada, thread, ids[-1], content=TEXTS["edited"], now_micros=some.now)
    for number in range(30):
        await some.send(ben, thread, f"something else {number}")
    await some.rules.threads.update(ada, thread, ThreadChange(topic="tea"), now_micros=some.now)
    # Whoever leaves takes the name along that the list of participants shows; that the messages tell is redacted.
    await some.add(ada, thread, *await some.users(1))
    await some.rules.participants.remove(ada, thread, f"8:{ben.subject}", now_micros=some.now)
    ids.append(str((await some.listed(ada, thread, 1))[0].id))
    await some.database.transact(
        lambda each: each.execute("update participants set display_name = null where subject = $1", ben.subject)
    )
    return thread, ids


def _found(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        yield from (name for name, text in TEXTS.items() if text.encode() in content)


async def _settle(place: Place) -> None:
    """What docs/privacy.md says has to be done for the files to be free of it."""
    if place.is_postgres:
        await _on_postgres(
            place, "vacuum full messages", "vacuum full threads", "vacuum full participants", "checkpoint"
        )
        return
    path = place.folder / "watchword.sqlite"
    assert path.exists()

    def checkpoint() -> None:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0

    await asyncio.to_thread(checkpoint)


async def _on_postgres(place: Place, *statements: str) -> None:
    address, _, schema = place.settings.database.partition("?search_path=")
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(f"set search_path = {schema}")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
