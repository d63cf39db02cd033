"""While nodes are replaced one by one the schema is the one before: users chat, and the trusted server waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from tests.support.chats import Chatting, invited
from tests.support.chats import chatting as open_chatting
from tests.support.postgres import Cluster
from watchword.chat.background import Background
from watchword.chat.departures import Departures
from watchword.chat.limits import ChatLimits
from watchword.chat.purges import Purges
from watchword.chat.store import TRUSTED_SCHEMA, ChatStore
from watchword.chat.threads import ThreadChange
from watchword.chat.trusted_restrictions import TrustedRestrictions, Whom
from watchword.chat.trusted_threads import ThreadFilter, TrustedThreads
from watchword.errors import InvalidToken, Unavailable
from watchword.errors.chat import Restricted
from watchword.settings import Settings
from watchword.storage.opening import open_database
from watchword.storage.schema import schema_files
from watchword.subjects.subjects import Subjects
from watchword.tokens.claims import Claims


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    return cluster.fresh()


@pytest.fixture
async def before(dsn: str, tmp_path: Path) -> AsyncIterator[Chatting]:
    """Chat on a database that has every step but the newest."""
    connection: Any = await asyncpg.connect(dsn)
    await connection.execute("create table schema_version (singleton integer primary key, version integer not null)")
    for step in schema_files("postgres_schema"):
        if step.version < TRUSTED_SCHEMA:
            await connection.execute(step.sql)
    await connection.execute("insert into schema_version values (1, $1)", TRUSTED_SCHEMA - 1)
    await connection.close()
    database = await open_database(Settings(database=dsn), tmp_path)
    assert database.schema.version == TRUSTED_SCHEMA - 1
    yield await open_chatting(database)
    await database.close()


async def test_users_chat_as_before(before: Chatting) -> None:
    ada, ben, cy = await before.users(3)
    thread = await before.thread(ada, ben)
    rules = before.rules
    first = await before.send(ben, thread)
    await rules.messages.edit(ben, thread, first, content="other", now_micros=before.now)
    assert await rules.receipts.mark_read(ada, thread, first, now_micros=before.now)
    assert (await rules.typing.begin(ben, thread, now_micros=before.now)).hearers
    await rules.threads.update(ben, thread, ThreadChange(topic="t"), now_micros=before.now)
    await before.add(ben, thread, cy)
    await before.remove(cy, thread, cy)
    await rules.messages.delete(ben, thread, first, now_micros=before.now)
    assert len(await before.listed(ada, thread)) == 6
    await rules.threads.delete(ben, thread, before.now)
    store = ChatStore(before.database, lambda: None)
    purges = Purges(store, ChatLimits())
    await Background(Departures(store), purges, before.clock).work()
    while await purges.of_resource(before.resource.number, 10):
        pass
    assert await before.rows("select 1 from threads") == []


async def test_the_trusted_server_is_told_to_come_again(before: Chatting) -> None:
    ada = await before.user()
    thread = await before.thread(ada)
    store = ChatStore(before.database, lambda: None)
    whom = Whom(before.resource, f"8:{ada.subject}", thread)
    with pytest.raises(Unavailable):
        await TrustedThreads(store).list(before.resource, ThreadFilter(), most=1)
    with pytest.raises(Unavailable):
        await TrustedThreads(store).update(before.resource, thread, frozen=True, now_micros=before.now)
    with pytest.raises(Unavailable):
        await TrustedRestrictions(store).put(whom, "mute", until_millis=None, now_micros=before.now)


async def test_a_token_is_judged_as_before(before: Chatting) -> None:
    ada = await before.user()
    claims = Claims(
        skypeid=ada.subject,
        scp=1792,
        csi="1",
        exp=1,
        rgn="amer",
        acsScope="chat",
        resourceId=before.resource.id,
        resourceLocation="europe",
        iat=1,
        jti="t",
        iatMicros=1,
        gen=1,
        resourceGen=1,
    )
    subjects, number = Subjects(before.database), before.resource.number
    assert await subjects.require_live(number, claims, "kid") is None
    exchanged = replace(claims, skypeid=f"acs:{claims.resourceId}_wf_{claims.resourceId}_{claims.resourceId}")
    with pytest.raises(InvalidToken):
        await subjects.require_live(number, exchanged, "kid")


async def test_what_the_newest_step_brings_is_in_force_once_it_is_seen(before: Chatting, dsn: str) -> None:
    ada = await before.user()
    thread = await before.thread(ada)
    [newest] = [step for step in schema_files("postgres_schema") if step.version == TRUSTED_SCHEMA]
    connection: Any = await asyncpg.connect(dsn)
    await connection.execute(newest.sql)
    await connection.close()
    store = ChatStore(before.database, lambda: None)
    whom = Whom(before.resource, f"8:{ada.subject}", thread)
    await TrustedRestrictions(store).put(whom, "mute", until_millis=None, now_micros=before.now)
    with pytest.raises(Restricted):
        await before.send(ada, thread)
    with pytest.raises(Restricted):
        await before.rules.participants.add(ada, thread, invited(ada), now_micros=before.now)
