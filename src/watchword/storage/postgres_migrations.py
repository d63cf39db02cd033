"""The schema on PostgreSQL: the same numbered files as for SQLite, in PostgreSQL's words.

Whoever locks the version's row applies, the others find it done. A row lock, because the distributed engines have no
advisory ones. Statements of running servers go on meanwhile: who cannot get a lock soon lets go, and tries again.
"""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from watchword.errors import OperatorError
from watchword.storage.postgres_connections import Connection
from watchword.storage.schema import (
    Migrating,
    Schema,
    Step,
    in_transactions,
    missing_steps,
    require_served,
    step_failed,
)

_TRIES = 5
_OLDEST_SERVER = 14

_LOCK_TIMEOUT = "1s"
"""Whoever comes after a lock that is waited for waits as well, so this stays below what a request has."""

_NAP_SECONDS = 1.0
_TRIES_FOR_LOCKS = 150

_IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.TransactionRollbackError)

_log = logging.getLogger(__name__)


async def prepare(connection: Connection, migrating: Migrating) -> Schema:
    """Bring the schema of the database to where this program can run on it.

    Raises:
        OperatorError: the database cannot hold all characters, this program does not run on its schema, or a step
            failed.
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
    present = await read_version(connection)
    if migrating == "always" or (migrating == "when empty" and not present):
        await migrate(connection)
        present = await read_version(connection)
    schema = require_served(present, "postgres_schema")
    if schema.note and migrating != "never":
        _log.warning("the schema has %s", schema.note)
    return schema


async def migrate(connection: Connection) -> None:
    """Bring a database to this program's schema; several nodes that try at once do it once.

    Raises:
        OperatorError: the database was made by a newer program, or a step failed.
    """
    await _make_version_row(connection)
    found = await read_version(connection)
    for steps in in_transactions(missing_steps(found, "postgres_schema"), found):
        await _apply_patiently(connection, steps)


async def read_version(connection: Connection) -> int:
    """0 where the database is empty. Nobody is waited for, and nothing is made."""
    try:
        return await connection.fetchval("select version from schema_version") or 0
    except asyncpg.UndefinedTableError:
        return 0


async def _apply_patiently(connection: Connection, steps: list[Step]) -> None:
    for left in range(_TRIES_FOR_LOCKS, -1, -1):
        try:
            async with connection.transaction():
                await _apply(connection, steps)
            return
        except _IN_THE_WAY as error:
            if not left:
                raise OperatorError(
                    f"{steps[0].name} waited for too long: another transaction holds what it changes.",
                    "Find it with: select pid, xact_start, query from pg_stat_activity order by xact_start",
                ) from error
        _log.warning("%s waits for a lock that another transaction holds", steps[0].name)
        await asyncio.sleep(_NAP_SECONDS)


async def _apply(connection: Connection, steps: list[Step]) -> None:
    await connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
    # Behind a pooler the role's limit holds, which is meant for requests.
    await connection.execute("set local statement_timeout = 0")
    present = await connection.fetchval("select version from schema_version for update")
    for step in steps:
        if step.version > present:
            try:
                await connection.execute(step.sql)
            except _IN_THE_WAY:
                raise
            except asyncpg.PostgresError as error:
                raise step_failed(step, present, error) from None
            await connection.execute("update schema_version set version = $1", step.version)
            _log.info("applied %s", step.name)


async def _make_version_row(connection: Connection) -> None:
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
