"""The schema as numbered files: from nothing, from every earlier state, and by two processes at once."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from watchword.errors import OperatorError
from watchword.storage import migrations
from watchword.storage.migrations import migrate, schema_files
from watchword.storage.sqlite import SqliteDatabase

OPEN_IT = """
import asyncio, sys
from pathlib import Path
from watchword.storage.sqlite import SqliteDatabase

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    await SqliteDatabase(Path(sys.argv[1])).close()

asyncio.run(main())
"""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


def schema(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("select sql from sqlite_schema where sql is not null order by name").fetchall()


def version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("pragma user_version").fetchone()[0]
    return found


@pytest.mark.parametrize("engine", ["sqlite_schema", "postgres_schema"])
def test_versions_are_applied_in_their_order(engine: str) -> None:
    found = [number for number, _ in schema_files(engine)]
    assert found[0] == 1
    assert found == sorted(set(found))


def test_an_empty_database_gets_the_whole_schema_once(connection: sqlite3.Connection) -> None:
    migrate(connection)
    made = schema(connection)
    assert version(connection) == schema_files()[-1][0]
    assert made
    migrate(connection)
    assert schema(connection) == made


@pytest.mark.parametrize("start", [number for number, _ in schema_files()])
def test_every_earlier_version_arrives_at_the_same_schema(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    everything = [each for each in schema_files() if each[0] <= start]
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "schema_files", lambda engine="sqlite_schema": everything)
        migrate(connection)
    assert version(connection) == start
    migrate(connection)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        assert schema(connection) == schema(fresh)


def test_a_step_that_fails_leaves_the_version_before_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = schema_files()[0]
    broken = (2, "create table half (a);\ncreate table half (a);\n")
    monkeypatch.setattr(migrations, "schema_files", lambda engine="sqlite_schema": [first, broken])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert version(connection) == 1
    assert not connection.in_transaction
    assert "half" not in str(schema(connection))


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "watchword.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("create table of_the_future (a)")
        connection.execute("pragma user_version = 999")
    with pytest.raises(OperatorError, match=r"schema version 999; this program knows versions up to \d+"):
        SqliteDatabase(path)
    with closing(sqlite3.connect(path)) as connection:
        assert (version(connection), len(schema(connection))) == (999, 1)


def test_processes_that_start_at_once_make_the_schema_once(tmp_path: Path) -> None:
    path = tmp_path / "watchword.sqlite"
    command = [sys.executable, "-c", OPEN_IT, str(path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    # All are told to go only when all are there.
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    asyncio.run(_opens(path))


async def _opens(path: Path) -> None:
    database = SqliteDatabase(path)
    assert await database.query("select count(*) from clock") == [(1,)]
    await database.close()
