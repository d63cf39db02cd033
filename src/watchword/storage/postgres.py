"""PostgreSQL, and engines that speak its protocol: many stateless nodes on one database.

Calls that arrive together share a statement (see `Statement`): under load the database costs microseconds a request.
Each statement has its own coalescer, so that a batch is always one statement and one commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg

from watchword.errors import OperatorError, Unavailable
from watchword.measurements import DatabaseTrips
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Parameters, Row, Statement, Transaction
from watchword.storage.postgres_connections import Connection, Connections, Lost
from watchword.storage.postgres_migrations import migrate

Result = TypeVar("Result")

_TRIES_AFTER_CONFLICT = 5

_CONFLICT = (asyncpg.TransactionRollbackError, asyncpg.InvalidCachedStatementError)
"""Another node was in the way, or changed the schema meanwhile: nothing was changed, and it may be tried again."""


class PostgresDatabase:
    """Made by `open_postgres`."""

    def __init__(self, connections: Connections, *, batch: int, batches: int, trips: DatabaseTrips) -> None:
        self._connections = connections
        self._trips = trips
        self._batch = batch
        self._batches = batches
        self._coalescers: dict[Statement, Coalescer[Parameters, list[Row]]] = {}

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        try:
            return await self._coalescer(statement, is_read=True).submit(parameters)
        except asyncpg.CharacterNotInRepertoireError:
            # Nothing that is stored holds a NUL character, so nothing is found by one.
            return []

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self._coalescer(statement, is_read=False).submit(parameters)

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        try:
            return await self._query(sql, parameters)
        except Lost:
            return await self._query(sql, parameters)
        except asyncpg.CharacterNotInRepertoireError:
            return []

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        with self._trips.transactions.timing():
            for _ in range(_TRIES_AFTER_CONFLICT):
                try:
                    async with self._connections.take() as connection, connection.transaction():
                        await connection.execute("select 1 from turn for update")
                        return await work(_Transaction(connection))
                except _CONFLICT:
                    continue
        raise Unavailable(timedelta(seconds=1))

    async def close(self) -> None:
        for coalescer in self._coalescers.values():
            await coalescer.settle()
        await self._connections.close()

    def _coalescer(self, statement: Statement, *, is_read: bool) -> Coalescer[Parameters, list[Row]]:
        found = self._coalescers.get(statement)
        if found is None:
            text = _text(statement)

            async def carry(batch: list[Parameters]) -> list[list[Row] | Exception]:
                return await (self._carry_once if is_read else self._carry)(statement, text, batch)

            found = self._coalescers[statement] = Coalescer(
                carry,
                largest_batch=self._batch,
                most_flights=self._batches,
                trips=self._trips.reads if is_read else self._trips.writes,
            )
        return found

    async def _carry_once(
        self, statement: Statement, text: str, batch: list[Parameters]
    ) -> list[list[Row] | Exception]:
        """Every request asks for the same access keys and the same signing key: that is one row, not one for each."""
        distinct = {tuple(row.values()): row for row in batch}
        if len(distinct) == len(batch):
            return await self._carry(statement, text, batch)
        results = await self._carry(statement, text, list(distinct.values()))
        found = dict(zip(distinct, results, strict=True))
        return [found[tuple(row.values())] for row in batch]

    async def _carry(self, statement: Statement, text: str, batch: list[Parameters]) -> list[list[Row] | Exception]:
        try:
            return [*await self._fetch(statement, text, batch)]
        except (asyncpg.PostgresError, asyncpg.DataError) as error:
            if len(batch) == 1:
                return [error]
            # One row spoiled the statement for all: each gets its own, and only the bad ones fail.
            alone = [await self._carry(statement, text, [row]) for row in batch]
            return [result for [result] in alone]

    async def _fetch(self, statement: Statement, text: str, batch: list[Parameters]) -> list[list[Row]]:
        arrays = [[row.get(name) for row in batch] for name, _ in statement.parameters]
        was_lost = False
        for _ in range(_TRIES_AFTER_CONFLICT):
            try:
                async with self._connections.take() as connection:
                    found = await connection.fetch(text, *arrays)
                return _sorted_out(found, len(batch))
            except _CONFLICT:
                continue
            except Lost:
                # Nobody knows whether it was committed: what may be repeated is, once.
                if was_lost or not statement.repeatable:
                    raise
                was_lost = True
        raise Unavailable(timedelta(seconds=1))

    async def _query(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        with self._trips.reads.seconds.timing():
            async with self._connections.take() as connection:
                return [tuple(row) for row in await connection.fetch(sql, *parameters)]


class _Transaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)


async def open_postgres(
    dsn: str,
    *,
    pool: int,
    batch: int,
    statement_cache: bool,
    patience: timedelta,
    trips: DatabaseTrips | None = None,
) -> PostgresDatabase:
    """Raises:
    OperatorError: the server cannot be reached or refuses, or the database is not one that Watchword can use.
    """
    try:
        connections = Connections(dsn, size=pool, sessions=statement_cache, patience=patience)
        connection = await connections.connect(unhurried=True)
        try:
            await migrate(connection)
        finally:
            await connection.close()
        await connections.open()
    except ValueError:
        # Its words would repeat parts of the address, the password among them.
        raise OperatorError(
            "The address in WATCHWORD_DATABASE cannot be read.",
            "Write postgresql://user:password@host:5432/name; of other than letters and digits in the password,"
            " write the percent codes.",
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        raise OperatorError(
            f"The PostgreSQL database cannot be used: {str(error) or type(error).__name__}.",
            "Check the address, user and password in WATCHWORD_DATABASE, and that the server accepts connections.",
        ) from None
    return PostgresDatabase(connections, batch=batch, batches=max(1, pool // 2), trips=trips or DatabaseTrips())


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
