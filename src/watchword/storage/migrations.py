"""The schema as numbered files, applied in order, each in its own transaction.

storage/sqlite_schema/0001_identities.sql
"""

from __future__ import annotations

import sqlite3
from importlib import resources

from watchword.errors import OperatorError


def schema_files(engine: str = "sqlite_schema") -> list[tuple[int, str]]:
    """Every schema version with its SQL, oldest first; `engine` is the folder's name."""
    folder = resources.files("watchword.storage") / engine
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.partition("_")[0]), (folder / name).read_text("utf-8")) for name in files]


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to this program's schema; two processes that start at once do it once.

    Raises:
        OperatorError: the database was made by a newer program.
    """
    present = _version(connection)
    require_known(present, "sqlite_schema")
    for version, sql in schema_files():
        if version > present:
            _apply(connection, version, sql)


def require_known(present: int, engine: str) -> None:
    """Raises:
    OperatorError: the database was made by a newer program.
    """
    newest = schema_files(engine)[-1][0]
    if present > newest:
        raise OperatorError(
            f"The database has schema version {present}; this program knows versions up to {newest}.",
            "Run a newer Watchword, or restore a backup from before the upgrade.",
        )


def _apply(connection: sqlite3.Connection, version: int, sql: str) -> None:
    connection.execute("begin immediate")
    try:
        if _version(connection) < version:
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {version}")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def _statements(sql: str) -> list[str]:
    """Split where SQLite itself sees a statement end; `executescript` would commit half-way."""
    statements, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
