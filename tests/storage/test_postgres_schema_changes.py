"""The schema changes under running statements, over and over, so that every prepared one is void: nobody notices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.postgres import Cluster
from watchword.settings import Settings
from watchword.storage import Database, Statement, Transaction
from watchword.storage.opening import open_database

CHANGES = 20
CALLERS = 5

FIND = Statement(
    sqlite=(),
    parameters=(("key", "int8"),),
    # Its columns change with the table, which the statements of the service avoid: the worst that can happen.
    postgres="select q.n, t.* from q join things t on t.key = q.key",
)
WRITE = Statement(
    sqlite=(),
    parameters=(("key", "int8"),),
    postgres="update things t set writes = writes + 1 from q where t.key = q.key returning q.n, t.*",
)


async def read(database: Database, key: int) -> list[Any]:
    return await database.read(FIND, {"key": key})


async def write(database: Database, key: int) -> list[Any]:
    return await database.write(WRITE, {"key": key})


async def query(database: Database, key: int) -> list[Any]:
    return await database.query("select t.* from things t where key = $1", key)


async def transact(database: Database, key: int) -> list[Any]:
    async def work(transaction: Transaction) -> list[Any]:
        await transaction.execute("update things set writes = writes + 1 where key = $1", key)
        return await transaction.execute("select t.* from things t where key = $1", key)

    return await database.transact(work)


Verb = Callable[[Database, int], Awaitable[list[Any]]]
VERBS: tuple[Verb, ...] = (read, write, query, transact)


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    return Settings(database=cluster.fresh())


@pytest.fixture
async def database(settings: Settings, tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(settings, tmp_path)
    yield opened
    await opened.close()


async def test_no_statement_fails_while_the_schema_changes_under_it(settings: Settings, database: Database) -> None:
    changer = await asyncpg.connect(settings.database)
    await changer.execute("create table things (key bigint primary key, writes bigint not null default 0)")
    await changer.execute("insert into things select generate_series(0, 19)")
    is_over = False
    done = dict.fromkeys(VERBS, 0)

    async def call(verb: Verb, number: int) -> None:
        while not is_over:
            [row] = await verb(database, number)
            assert row[0] == number
            done[verb] += 1

    callers = [asyncio.create_task(call(verb, n)) for n in range(CALLERS) for verb in VERBS]
    try:
        for _ in range(CHANGES):
            goal = {verb: count + CALLERS for verb, count in done.items()}
            # Whoever prepares a statement anew finds that void too.
            for what in ("add column more bigint", "drop column more", "add column most bigint", "drop column most"):
                await changer.execute(f"alter table things {what}")
            while any(done[verb] < goal[verb] for verb in VERBS):
                assert [caller.exception() for caller in callers if caller.done()] == []
                await asyncio.sleep(0)
    finally:
        is_over = True
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [each for each in outcomes if each is not None] == []
    # Each acknowledged write was made once.
    assert await changer.fetchval("select sum(writes) from things") == done[write] + done[transact]
    await changer.close()
