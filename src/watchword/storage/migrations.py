"""SQLite's way to the newest schema: a copy beside the database, then step by step, each in its own transaction."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from watchword.clock import SystemClock
from watchword.storage.schema import (
    Migrating,
    Schema,
    Step,
    in_transactions,
    missing_steps,
    require_served,
    schema_files,
    step_failed,
)
from watchword.storage.sqlite_backup import back_up, remove_old_backups

__all__ = ["migrate", "prepare", "read_version", "schema_files"]

_TRIES_FOR_THE_LOCK = 60

_log = logging.getLogger(__name__)


def prepare(connection: sqlite3.Connection, migrating: Migrating) -> Schema:
    """Bring the schema of the file to where this program can run on it.

    Raises:
        OperatorError: this program does not run on the schema, or a step failed.
    """
    present = read_version(connection)
    if migrating == "always" or (migrating == "when empty" and not present):
        return migrate(connection)
    return require_served(present, "sqlite_schema")


def migrate(connection: sqlite3.Connection) -> Schema:
    """Bring a database to this program's schema; several processes that try at once do it once.

    Raises:
        OperatorError: the database was made by a newer program, it cannot be copied, or a step failed.
    """
    found = read_version(connection)
    # An empty database holds nothing to go back to, and one in memory has no place beside it.
    path = _path(connection) if found else None
    backup: Path | None = None
    for steps in in_transactions(missing_steps(found, "sqlite_schema"), found):
        backup = _apply(connection, steps, None if backup else path) or backup
    version = read_version(connection)
    if path is None or backup is None:
        return Schema(version, version)
    remove_old_backups(path)
    return Schema(version, version, f"version {version}, migrated from {found}; {backup} is the database of before")


def read_version(connection: sqlite3.Connection) -> int:
    """0 where the database is empty."""
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def _apply(connection: sqlite3.Connection, steps: list[Step], to_copy: Path | None) -> Path | None:
    """Those that are still due when the lock is held; first a copy of `to_copy`, whose path is returned."""
    backup = None
    _lock(connection)
    try:
        present = read_version(connection)
        due = [step for step in steps if step.version > present]
        if due and to_copy:
            backup = back_up(to_copy, due[0].version, SystemClock())
            _log.info("copied the database to %s", backup)
        for step in due:
            _run(connection, step, present)
            _log.info("applied %s", step.name)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        if backup:
            # Nothing has changed, and a server that is started over and over must not fill the disk.
            backup.unlink(missing_ok=True)
        raise
    return backup


def _run(connection: sqlite3.Connection, step: Step, before: int) -> None:
    try:
        for statement in _statements(step.sql):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {step.version}")
    except sqlite3.Error as error:
        raise step_failed(step, before, error) from None


def _lock(connection: sqlite3.Connection) -> None:
    """Another process may copy a large database just now, for the same reason."""
    for left in range(_TRIES_FOR_THE_LOCK, -1, -1):
        try:
            connection.execute("begin immediate")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left:
                raise
        _log.warning("another process writes to the database; the migration waits for it")


def _path(connection: sqlite3.Connection) -> Path | None:
    """None of a database in memory."""
    [(name,)] = connection.execute("select file from pragma_database_list where name = 'main'").fetchall()
    return Path(name) if name else None


def _statements(sql: str) -> list[str]:
    """Split where SQLite itself sees a statement end; `executescript` would commit half-way."""
    statements, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
