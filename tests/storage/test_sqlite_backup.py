"""The copy beside a SQLite database before its schema changes: whole, private, few, and none where nothing changed."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from watchword.clock import to_datetime
from watchword.errors import OperatorError
from watchword.storage import schema as schema_module
from watchword.storage.migrations import migrate, read_version
from watchword.storage.schema import Schema, Step, require_newest, schema_files
from watchword.storage.sqlite import SqliteDatabase
from watchword.storage.sqlite_backup import KEPT, back_up, remove_old_backups
from watchword.testing import MovableClock

NEWEST = schema_files()[-1].version


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database one version behind, with something in its write-ahead log."""
    made = tmp_path / "watchword.sqlite"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection, pytest.MonkeyPatch.context() as earlier:
        connection.execute("pragma journal_mode = wal")
        earlier.setattr(schema_module, "schema_files", lambda engine: schema_files()[:-1])
        migrate(connection)
    return made


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.1)) as connection:
        yield connection


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-*"))


async def test_a_database_that_is_opened_is_copied_and_then_migrated(path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("update clock set high_water_micros = 77")
    database = SqliteDatabase(path)
    try:
        [backup] = backups(path)
        assert database.schema.version == NEWEST
        assert (
            database.schema.note == f"version {NEWEST}, migrated from {NEWEST - 1}; {backup} is the database of before"
        )
    finally:
        await database.close()
    assert backup.name.startswith(f"watchword.sqlite.before-{NEWEST}.")
    with closing(sqlite3.connect(backup)) as copy:
        assert read_version(copy) == NEWEST - 1
        assert copy.execute("select high_water_micros from clock").fetchone() == (77,)
        assert copy.execute("pragma integrity_check").fetchall() == [("ok",)]
    if os.name == "posix":
        assert backup.stat().st_mode & 0o777 == 0o600
    again = SqliteDatabase(path)
    assert again.schema.note == ""
    await again.close()
    assert backups(path) == [backup]


async def test_whoever_only_looks_in_neither_migrates_nor_copies(path: Path) -> None:
    database = SqliteDatabase(path, migrating="never")
    assert database.schema.version == NEWEST - 1
    assert await database.query("select count(*) from clock") == [(1,)]
    with pytest.raises(OperatorError, match=f"An import needs schema version {NEWEST}; .* has version {NEWEST - 1}"):
        require_newest(database.schema, "An import")
    await database.close()
    assert backups(path) == []


def test_an_empty_database_is_not_copied(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "watchword.sqlite", isolation_level=None)) as connection:
        assert migrate(connection).note == ""
    assert [each.name for each in tmp_path.iterdir()] == ["watchword.sqlite"]


def test_a_restored_copy_is_migrated_again(path: Path, writer: sqlite3.Connection) -> None:
    migrate(writer)
    writer.close()
    [backup] = backups(path)
    shutil.copy(backup, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as restored:
        assert read_version(restored) == NEWEST - 1
        assert migrate(restored).version == NEWEST


def test_a_step_that_fails_leaves_no_copy_however_often_it_is_tried(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Step(NEWEST, "0000_broken.sql", "-- Broken.\ncreate table half (a);\nnonsense;\n")
    monkeypatch.setattr(schema_module, "schema_files", lambda engine: [*schema_files()[:-1], broken])
    for _ in range(3):
        with pytest.raises(OperatorError, match=r"0000_broken.sql failed: near .* at schema version"):
            migrate(writer)
    assert (read_version(writer), backups(path)) == (NEWEST - 1, [])


def test_without_room_for_a_copy_nothing_changes(path: Path, writer: sqlite3.Connection) -> None:
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, before[1]))
    try:
        with pytest.raises(OperatorError, match=r"cannot be copied before its schema changes: .* Nothing was changed."):
            migrate(writer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_version(writer) == NEWEST - 1
    assert [each.name for each in path.parent.iterdir() if ".before-" in each.name] == []


def test_the_newest_few_are_kept_and_half_a_copy_is_cleared_away(path: Path) -> None:
    clock = MovableClock()
    half = path.with_name(f".{path.name}.before-7.left")
    half.touch()
    made = []
    for second in range(KEPT + 2):
        clock.stop(to_datetime(1_700_000_000_000_000 + second * 1_000_000))
        # The version says nothing of the order: 10 would come before 9.
        made.append(back_up(path, 11 - second, clock))
    remove_old_backups(path)
    assert backups(path) == sorted(made[-KEPT:])
    assert not half.exists()


def test_of_several_that_migrate_at_once_one_copies(path: Path) -> None:
    def one() -> Schema:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return migrate(connection)

    with ThreadPoolExecutor(4) as threads:
        schemas = [each.result() for each in [threads.submit(one) for _ in range(4)]]
    assert [schema.version for schema in schemas] == [NEWEST] * 4
    assert sum(bool(schema.note) for schema in schemas) == 1
    assert len(backups(path)) == 1


def test_a_migration_waits_for_whoever_writes(
    path: Path, writer: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("begin immediate")
        threading.Timer(0.3, other.execute, ["commit"]).start()
        assert migrate(writer).version == NEWEST
    assert "another process writes to the database; the migration waits for it" in caplog.text
