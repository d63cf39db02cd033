"""The schema on PostgreSQL: the same numbered files as for SQLite, in PostgreSQL's words.

Several nodes may start at once: whoever locks the version's row applies, the others find it done. A row lock, because
the distributed engines have no advisory ones.
"""

from __future__ import annotations

import asyncpg

from watchword.storage.migrations import require_known, schema_files

_TRIES = 5


async def migrate(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Raises:
    OperatorError: the database was made by a newer program.
    """
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
            await connection.execute(
                "create table if not exists schema_version"
                " (singleton integer primary key check (singleton = 1), version integer not null)"
            )
            await connection.execute("insert into schema_version values (1, 0) on conflict do nothing")
        except (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError):
            # Two nodes made the table at the same instant: the other one's is there now.
            if attempt == _TRIES - 1:
                raise
        else:
            return
