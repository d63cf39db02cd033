"""The schema on PostgreSQL: the same numbered files as for SQLite, in PostgreSQL's words.

Several nodes may start at once: whoever locks the version's row applies, the others find it done. A row lock, because
the distributed engines have no advisory ones.
"""

from __future__ import annotations

import asyncpg

from watchword.errors import OperatorError
from watchword.storage.migrations import require_known, schema_files

_TRIES = 5
_OLDEST_SERVER = 14


async def migrate(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Raises:
    OperatorError: the database was made by a newer program, or cannot hold all characters.
    """
    encoding = await connection.fetchval("show server_encoding")
    if encoding != "UTF8":
        raise OperatorError(
            f"The PostgreSQL database has the encoding {encoding}, which cannot hold all characters.",
            "Make one with: create database ... encoding 'UTF8' template template0",
        )
    server = connection.get_server_version()
    if server.major < _OLDEST_SERVER:
        raise OperatorError(
            f"The PostgreSQL server has version {server.major}; Watchword needs {_OLDEST_SERVER} or newer.",
            "Upgrade the server, or name another one in WATCHWORD_DATABASE.",
        )
    await _make_version_row(connection)
    async with connection.transaction():
        present = await connection.fetchval("select version from schema_version for update")
        require_known(present, "postgres_schema")
        for version, sql in schema_files("postgres_schema"):
            if version > present:
                await connection.execute(sql)
                await connection.execute("update schema_version set version = $1", version)


async def _make_version_row(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for attempt in range(_TRIES):
        try:
            # Looked for first: whoever runs Watchword need not be allowed to make tables, once they are there.
            if await connection.fetchval("select count(*) from schema_version"):
                return
        except asyncpg.UndefinedTableError:
            pass
        try:
            await connection.execute(
                "create table if not exists schema_version"
                " (singleton integer primary key check (singleton = 1), version integer not null)"
            )
            await connection.execute("insert into schema_version values (1, 0) on conflict do nothing")
        except (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError):
            # Two nodes made the table at the same instant: the other one's is there now.
            if attempt == _TRIES - 1:
                raise
