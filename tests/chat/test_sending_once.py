"""A message whose answer was lost is sent again by its key: it is there once, and what was removed meanwhile counts."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from tests.support.chats import Chatting
from tests.support.chats import chatting as open_chatting
from tests.support.polling import until_async
from tests.support.postgres import Cluster
from watchword.chat.statements import SEND
from watchword.settings import Settings
from watchword.storage.opening import open_database


def parameters(chatting: Chatting, thread: str, sender: str, key: bytes) -> dict[str, object]:
    return {
        "resource": chatting.resource.number,
        "thread": thread,
        "sender": sender,
        "key": key,
        "kind": "text",
        "content": "hello",
        "sender_name": "",
        "metadata": None,
        "size": 5,
        "now": chatting.now // 1_000,
        "moment": chatting.now,
        "most_messages": 0,
        "most_bytes": 0,
    }


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    """An empty database of PostgreSQL."""
    return cluster.fresh()


async def test_one_key_is_one_message_in_a_batch_and_later(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    thread = await chatting.thread(ada)
    asked = parameters(chatting, thread, ada.subject, b"k" * 16)
    first = await asyncio.gather(*(chatting.database.write(SEND, asked) for _ in range(5)))
    again = await chatting.database.write(SEND, asked)
    ids = {rows[0][0] for rows in [*first, again]}
    assert len(ids) == 1
    assert [each.sequence for each in await chatting.listed(ada, thread)] == [3, 2, 1]
    assert await chatting.rows("select count(*) from journal where kind = 'messageReceived'") == [(1,)]


MEANWHILE = {
    "the same message": (
        "insert into messages (thread, id, version, sequence, kind, sender, content, key)"
        " select $1, 77, 77, 77, 'text', '', $2::text || '', $3::bytea where true"
    ),
    "a removal": "update participants set removed_millis = 1 where thread = $1 and subject = $2",
    "a freeze": "update threads set frozen_millis = 1 where number = $1",
    "a mute in the thread": (
        "insert into restrictions (resource, subject, thread, kind, since_millis) select t.resource, $2, $1, 'mute', 1"
        " from threads t where t.number = $1"
    ),
    "a ban from the resource": (
        "insert into restrictions (resource, subject, thread, kind, since_millis) select t.resource, $2, 0, 'ban', 1"
        " from threads t where t.number = $1"
    ),
}


@pytest.mark.parametrize("what", MEANWHILE)
async def test_what_was_committed_while_one_waited_for_the_thread_is_seen(dsn: str, tmp_path: Path, what: str) -> None:
    """A statement of PostgreSQL sees what was there when it began, but for what it is made to look at again."""
    database = await open_database(Settings(database=dsn), tmp_path)
    other, probe = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        chatting = await open_chatting(database)
        ada, ben = await chatting.users(2)
        thread = await chatting.thread(ada, ben)
        key = b"k" * 16
        async with other.transaction():
            number = await other.fetchval("select number from threads where id = $1 for update", thread)
            task = asyncio.ensure_future(database.write(SEND, parameters(chatting, thread, ben.subject, key)))
            await until_async(lambda: probe.fetchval("select count(*) from pg_locks where not granted"), bool)
            values = (number, ben.subject, key)
            await other.execute(MEANWHILE[what], *values[: max(map(int, re.findall(r"\$(\d)", MEANWHILE[what])))])
        [row] = await task
        assert (row[0], row[3]) == (77 if what == "the same message" else None, what != "a removal")
        assert await chatting.rows("select sequence from threads") == [(2,)]
    finally:
        await other.close()
        await probe.close()
        await database.close()
