"""The schema on PostgreSQL: from every earlier version, by several at once, beside statements that take long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from tests.support.old_rows import EXPECTED, KEPT, rows_of
from tests.support.postgres import Cluster, on_connection
from watchword.errors import OperatorError
from watchword.storage import schema as schema_module
from watchword.storage.postgres_migrations import migrate, prepare, read_version
from watchword.storage.schema import Step, schema_files

STEPS = schema_files("postgres_schema")
NEWEST = STEPS[-1].version

CATALOG = """
    select 'column', table_name, column_name, concat_ws(' ', data_type, is_nullable, column_default, is_identity,
        identity_generation, collation_name) from information_schema.columns where table_schema = current_schema
    union all select 'index', tablename, indexname, replace(indexdef, current_schema || '.', '')
        from pg_indexes where schemaname = current_schema
    union all select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        from pg_constraint where connamespace = current_schema::regnamespace
    union all select 'table', relname, relkind::text, concat_ws(' ', pg_get_expr(relpartbound, oid), reloptions::text)
        from pg_class where relnamespace = current_schema::regnamespace
    order by 1, 2, 3, 4
"""


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    return cluster.fresh()


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(dsn)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def fresh_catalog(cluster: Cluster) -> list[Any]:
    async def make(connection: Any) -> list[Any]:
        await migrate(connection)
        found: list[Any] = await connection.fetch(CATALOG)
        return found

    return on_connection(cluster.fresh(), make)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Step]], None]:
    """The program knows no other steps."""

    def know(steps: list[Step]) -> None:
        monkeypatch.setattr(schema_module, "schema_files", lambda engine: steps)

    return know


async def bring_to(connection: Any, start: int) -> None:
    """An earlier version, with the rows of its time."""
    for step in STEPS[:start]:
        with pytest.MonkeyPatch.context() as earlier:
            earlier.setattr(schema_module, "schema_files", lambda engine, last=step.version: STEPS[:last])
            await migrate(connection)
        for sql in rows_of(step.version, f"'\\x{'01' * 16}'"):
            await connection.execute(sql)
    assert await read_version(connection) == start


@pytest.mark.parametrize("start", [step.version for step in STEPS])
async def test_every_earlier_version_arrives_at_the_same_schema_with_its_rows(
    connection: Any, fresh_catalog: list[Any], start: int
) -> None:
    await bring_to(connection, start)
    await migrate(connection)
    assert [tuple(row) for row in await connection.fetch(KEPT)] == [EXPECTED]
    assert await connection.fetch(CATALOG) == fresh_catalog


async def test_a_server_makes_the_schema_of_an_empty_database_and_leaves_that_of_the_release_before(
    dsn: str, connection: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await prepare(connection, "when empty")).version == NEWEST
    await connection.execute("update schema_version set version = version - 1")
    schema = await prepare(connection, "when empty")
    assert schema.version == NEWEST - 1
    assert schema.note == (
        f"version {NEWEST - 1} of {NEWEST}: `watchword migrate apply` is due, once every server runs this release"
    )
    assert schema.note in caplog.text
    await connection.execute("update schema_version set version = version - 1")
    with pytest.raises(
        OperatorError, match=f"has schema version {NEWEST - 2}; this program runs on .* {NEWEST - 1} and"
    ):
        await prepare(connection, "when empty")


async def test_whoever_only_looks_in_makes_nothing(connection: Any) -> None:
    with pytest.raises(OperatorError, match="The database is empty"):
        await prepare(connection, "never")
    assert await connection.fetchval("select to_regclass('schema_version')") is None


async def test_a_step_that_fails_leaves_the_version_before_it(connection: Any, only: Any) -> None:
    await bring_to(connection, 2)
    only([*STEPS[:3], Step(4, "0004_half.sql", "-- Half.\ncreate table half (a int); create table half (a int);")])
    with pytest.raises(OperatorError, match=r'0004_half.sql failed: .*"half" already exists. .* at schema version 3'):
        await migrate(connection)
    assert await read_version(connection) == 3
    assert await connection.fetchval("select to_regclass('half')") is None


async def test_of_several_that_migrate_at_once_one_does(dsn: str, connection: Any) -> None:
    await bring_to(connection, 3)
    sessions = [await asyncpg.connect(dsn) for _ in range(6)]
    await asyncio.gather(*(migrate(session) for session in sessions))
    assert await read_version(connection) == NEWEST
    for session in sessions:
        await session.close()


async def test_a_migration_that_waits_for_a_long_statement_lets_all_others_pass_and_says_so(
    dsn: str, connection: Any, only: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate(connection)
    only([*STEPS, Step(NEWEST + 1, "0099_wide.sql", "-- Wide.\nalter table resources add column width bigint;")])
    long, other = [await asyncpg.connect(dsn) for _ in range(2)]
    reading = long.transaction()
    await reading.start()
    await long.fetch("select * from resources")
    migrating = asyncio.create_task(migrate(connection))
    while "0099_wide.sql waits for a lock that another transaction holds" not in caplog.text:
        # They queue behind the lock that the migration waits for, which is why it waits for a moment only.
        await other.fetch("select * from resources", timeout=5)
    assert not migrating.done()
    await reading.commit()
    await migrating
    assert await read_version(connection) == NEWEST + 1
    for session in (long, other):
        await session.close()
