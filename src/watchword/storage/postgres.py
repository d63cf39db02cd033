"""PostgreSQL, and engines that speak its protocol: many stateless nodes on one database.

Calls that arrive together share a statement (see `Statement`): under load the database costs microseconds a request.
Each statement has its own coalescer, so that a batch is always one statement and one commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from watchword.errors import OperatorError, Unavailable
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Parameters, Row, Statement, Transaction
from watchword.storage.postgres_migrations import migrate

Result = TypeVar("Result")

_TRIES_AFTER_CONFLICT = 5
_CONNECT_SECONDS = 3.0
_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 2.0

_LOST = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, OSError)
"""The connection went away, or was never there; what was in flight may have been committed or not."""

_CONFLICT = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

_SESSION = {
    "application_name": "watchword",
    "jit": "off",
    # Every hot statement is a handful of look-ups by key; planning for each batch would cost more than running it.
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}

_log = logging.getLogger(__name__)


class PostgresDatabase:
    """Made by `open_postgres`."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, batch: int, patience: timedelta) -> None:
        self._pool = pool
        self._batch = batch
        self._seconds = patience.total_seconds()
        self._coalescers: dict[Statement, Coalescer[Parameters, list[Row]]] = {}
        self._backoff = 0.0
        self._not_before = 0.0

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self._coalescer(statement).submit(parameters)

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self._coalescer(statement).submit(parameters)

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        async with self._connection() as connection:
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        for _ in range(_TRIES_AFTER_CONFLICT):
            try:
                async with self._connection() as connection, connection.transaction():
                    await connection.execute("select 1 from turn for update")
                    return await work(_Transaction(connection))
            except _CONFLICT:
                continue
        raise Unavailable(timedelta(seconds=1))

    async def close(self) -> None:
        for coalescer in self._coalescers.values():
            await coalescer.settle()
        try:
            await asyncio.wait_for(self._pool.close(), self._seconds)
        except TimeoutError:
            self._pool.terminate()

    def _coalescer(self, statement: Statement) -> Coalescer[Parameters, list[Row]]:
        found = self._coalescers.get(statement)
        if found is None:
            text = _text(statement)

            async def carry(batch: list[Parameters]) -> list[list[Row] | Exception]:
                return await self._carry(statement, text, batch)

            found = self._coalescers[statement] = Coalescer(carry, largest_batch=self._batch)
        return found

    async def _carry(self, statement: Statement, text: str, batch: list[Parameters]) -> list[list[Row] | Exception]:
        try:
            return [*await self._fetch(statement, text, batch)]
        except Unavailable as error:
            return [error] * len(batch)
        except asyncpg.PostgresError as error:
            if len(batch) == 1:
                return [error]
            # One row spoiled the statement for all: each gets its own, and only the bad ones fail.
            alone = [await self._carry(statement, text, [row]) for row in batch]
            return [result for [result] in alone]

    async def _fetch(self, statement: Statement, text: str, batch: list[Parameters]) -> list[list[Row]]:
        arrays = [[row.get(name) for row in batch] for name, _ in statement.parameters]
        for attempt in range(_TRIES_AFTER_CONFLICT):
            try:
                async with self._connection() as connection:
                    found = await connection.fetch(text, *arrays)
                return _sorted_out(found, len(batch))
            except _CONFLICT:
                continue
            except Unavailable:
                # Nobody knows whether a lost statement was committed: what may be repeated is, once.
                if attempt > 0 or not statement.repeatable:
                    raise
        raise Unavailable(timedelta(seconds=1))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Raises:
        Unavailable: at once while the database is known to be away, so that nobody hangs on it.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            raise Unavailable(timedelta(seconds=1))
        try:
            async with self._pool.acquire(timeout=self._seconds) as connection:
                self._backoff = 0.0
                yield connection  # type: ignore[misc]  # The proxy has the connection's methods.
        except asyncpg.ReadOnlySQLTransactionError as error:
            # The server has become a standby: the next connections look for the new primary.
            await self._pool.expire_connections()
            raise self._away(loop, error) from None
        except (*_LOST, TimeoutError) as error:
            raise self._away(loop, error) from None

    def _away(self, loop: asyncio.AbstractEventLoop, error: BaseException) -> Unavailable:
        _log.error("the database is out of reach: %s", type(error).__name__)
        self._backoff = min(max(self._backoff * 2, _FIRST_BACKOFF_SECONDS), _LONGEST_BACKOFF_SECONDS)
        self._not_before = loop.time() + self._backoff
        return Unavailable(timedelta(seconds=1))


class _Transaction:
    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)


async def open_postgres(
    dsn: str, *, pool: int, batch: int, statement_cache: bool, patience: timedelta
) -> PostgresDatabase:
    """Raises:
    OperatorError: the server cannot be reached, refuses, or its schema is newer than this program.
    """
    milliseconds = str(round(patience / timedelta(milliseconds=1)))
    try:
        opened: asyncpg.Pool[asyncpg.Record] = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=pool,
            timeout=_CONNECT_SECONDS,
            command_timeout=patience.total_seconds() * 2,
            statement_cache_size=100 if statement_cache else 0,
            server_settings=_SESSION | {"statement_timeout": milliseconds},
            target_session_attrs=SessionAttribute.read_write,
            init=_make_durable,
        )
        async with opened.acquire() as connection:
            await migrate(connection)  # type: ignore[arg-type]  # The proxy has the connection's methods.
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise OperatorError(
            f"The PostgreSQL database cannot be used: {str(error) or type(error).__name__}.",
            "Check the address, user and password in --database, and that the server accepts connections.",
        ) from None
    return PostgresDatabase(opened, batch=batch, patience=patience)


async def _make_durable(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """A commit that was acknowledged must survive; whoever waits for standbys to apply it goes on doing so."""
    if await connection.fetchval("show synchronous_commit") in ("off", "local", "remote_write"):
        await connection.execute("set synchronous_commit = on")


def _text(statement: Statement) -> str:
    arrays = ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(statement.parameters, 1))
    columns = ", ".join(f'"{name}"' for name, _ in statement.parameters)
    return f"with q as (select * from unnest({arrays}) with ordinality as q({columns}, n)) {statement.postgres}"


def _sorted_out(found: list[asyncpg.Record], count: int) -> list[list[Row]]:
    results: list[list[Row]] = [[] for _ in range(count)]
    for n, rows in groupby(sorted(found, key=itemgetter(0)), key=itemgetter(0)):
        if n:
            results[n - 1] = [tuple(row)[1:] for row in rows]
    return results
