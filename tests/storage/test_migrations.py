"""The schema as numbered files: from nothing, from every earlier state, by several processes at once; copies first."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.old_rows import EXPECTED, KEPT, rows_of
from watchword.errors import OperatorError
from watchword.storage import schema as schema_module
from watchword.storage.migrations import migrate
from watchword.storage.schema import Engine, Step, schema_files
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


def only(steps: list[Step], patch: pytest.MonkeyPatch) -> None:
    """The program knows no others."""
    patch.setattr(schema_module, "schema_files", lambda engine="sqlite_schema": steps)


def bring_to(connection: sqlite3.Connection, start: int) -> None:
    """An earlier version, with the rows of its time."""
    for step in schema_files()[:start]:
        with pytest.MonkeyPatch.context() as earlier:
            only(schema_files()[: step.version], earlier)
            migrate(connection)
        for sql in rows_of(step.version, f"x'{'01' * 16}'"):
            connection.execute(sql)
    assert version(connection) == start


@pytest.mark.parametrize("engine", ["sqlite_schema", "postgres_schema"])
def test_versions_are_applied_in_their_order(engine: Engine) -> None:
    found = [step.version for step in schema_files(engine)]
    assert found[0] == 1
    assert found == sorted(set(found))


def test_an_empty_database_gets_the_whole_schema_once(connection: sqlite3.Connection) -> None:
    migrate(connection)
    made = schema(connection)
    assert version(connection) == schema_files()[-1][0]
    assert made
    migrate(connection)
    assert schema(connection) == made


@pytest.mark.parametrize("start", [step.version for step in schema_files()])
def test_every_earlier_version_arrives_at_the_same_schema_with_its_rows(
    connection: sqlite3.Connection, start: int
) -> None:
    bring_to(connection, start)
    migrate(connection)
    assert connection.execute(KEPT).fetchall() == [EXPECTED]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        assert schema(connection) == schema(fresh)


def test_a_step_that_fails_leaves_the_version_before_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_to(connection, 1)
    half = Step(3, "0003_half.sql", "-- Half.\ncreate table half (a);\ncreate table half (a);\n")
    only([*schema_files()[:2], half], monkeypatch)
    with pytest.raises(OperatorError, match=r"0003_half.sql failed: table half already exists. .* at schema version 2"):
        migrate(connection)
    assert version(connection) == 2
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
