"""PostgreSQL, and engines that speak its protocol: many stateless nodes on one database.

Calls that arrive together share a statement (see `Statement`): under load the database costs microseconds a request.
Each statement has its own coalescer, so that a batch is always one statement and one commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg

from watchword.errors import OperatorError, Unavailable, Unstorable, reason_of
from watchword.measurements import DatabaseTrips
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Lock, Parameters, Row, Snapshot, Statement, Transaction
from watchword.storage.postgres_connections import Connections, Lost
from watchword.storage.postgres_migrations import prepare, read_version
from watchword.storage.postgres_notices import PostgresNotices
from watchword.storage.postgres_transactions import PostgresSnapshot, PostgresTransaction
from watchword.storage.schema import Migrating, Schema

Result = TypeVar("Result")

_TRIES_AFTER_CONFLICT = 5
"""Beside one for each connection of the pool: after a change of the schema each may hold statements that are void."""

_CONFLICT = (asyncpg.TransactionRollbackError, asyncpg.InvalidCachedStatementError)
"""Another node was in the way, or changed the schema meanwhile: nothing was changed, and it may be tried again."""


class PostgresDatabase:
    """Made by `open_postgres`."""

    def __init__(
        self, connections: Connections, schema: Schema, *, batch: int, batches: int, trips: DatabaseTrips
    ) -> None:
        self.schema = schema
        self._connections = connections
        self._tries = connections.size + _TRIES_AFTER_CONFLICT
        self._trips = trips
        self._batch = batch
        self._batches = batches
        self._coalescers: dict[Statement, Coalescer[Parameters, list[Row]]] = {}

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        try:
            return await self._coalescer(statement, is_read=True).submit(parameters)
        except Unstorable:
            # What cannot be stored, such as a NUL character, is not found either.
            return []

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self.enqueue(statement, parameters)

    def enqueue(self, statement: Statement, parameters: Parameters) -> asyncio.Future[list[Row]]:
        return self._coalescer(statement, is_read=False).enqueue(parameters)

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        was_lost = False
        for _ in range(self._tries):
            try:
                return await self._query(sql, parameters)
            except _CONFLICT:
                continue
            except Lost:
                if was_lost:
                    raise
                was_lost = True
            except asyncpg.CharacterNotInRepertoireError:
                return []
            except asyncpg.DataError:
                raise Unstorable from None
        raise Unavailable(timedelta(seconds=1))

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]], *locks: Lock) -> Result:
        with self._trips.transactions.timing():
            for _ in range(self._tries):
                try:
                    async with self._connections.take() as connection, connection.transaction():
                        transaction = PostgresTransaction(connection)
                        for lock in locks:
                            await transaction.lock(lock)
                        return await work(transaction)
                except _CONFLICT:
                    continue
                except asyncpg.DataError:
                    raise Unstorable from None
        raise Unavailable(timedelta(seconds=1))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        async with (
            self._connections.alone() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            # Behind a pooler the role's limits hold, which are meant for requests.
            await connection.execute("set local statement_timeout = 0")
            await connection.execute("set local idle_in_transaction_session_timeout = 0")
            # The instant is that of the first question, which neither of these is.
            await connection.execute("select 1")
            yield PostgresSnapshot(connection)

    @property
    def are_commits_told(self) -> bool:
        # A pooler gives a session to whoever needs one next: nobody can listen behind it.
        return self._connections.sessions

    def notices(self) -> PostgresNotices | None:
        return PostgresNotices(self._connections) if self.are_commits_told else None

    async def wall_micros(self) -> int | None:
        [(micros,)] = await self.query("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
        return int(micros)

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
                most_batches=self._batches,
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
                return [Unstorable() if isinstance(error, asyncpg.DataError) else error]
            # One row spoiled the statement for all: each gets its own, and only the bad ones fail.
            alone = [await self._carry(statement, text, [row]) for row in batch]
            return [result for [result] in alone]

    async def _fetch(self, statement: Statement, text: str, batch: list[Parameters]) -> list[list[Row]]:
        arrays = [[row.get(name) for row in batch] for name, _ in statement.parameters]
        was_lost = False
        for _ in range(self._tries):
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


async def open_postgres(
    dsn: str,
    *,
    pool: int,
    batch: int,
    statement_cache: bool,
    patience: timedelta,
    migrating: Migrating = "when empty",
    trips: DatabaseTrips | None = None,
) -> PostgresDatabase:
    """Connect to a database, and bring its schema to where this program can run on it.

    Raises:
        OperatorError: the server cannot be reached or refuses, or the database is not one that Watchword can use.
    """
    with _told_to_operators():
        connections = Connections(dsn, size=pool, sessions=statement_cache, patience=patience)
        connection = await connections.connect(unhurried=True)
        try:
            schema = await prepare(connection, migrating)
        finally:
            await connection.close()
        connections.open()
    return PostgresDatabase(connections, schema, batch=batch, batches=max(1, pool // 2), trips=trips or DatabaseTrips())


async def read_schema_version(dsn: str, *, statement_cache: bool, patience: timedelta) -> int:
    """0 where the database is empty. Nothing is made.

    Raises:
        OperatorError: the server cannot be reached or refuses.
    """
    with _told_to_operators():
        connection = await Connections(dsn, size=1, sessions=statement_cache, patience=patience).connect()
        try:
            return await read_version(connection)
        finally:
            await connection.close()


@contextmanager
def _told_to_operators() -> Iterator[None]:
    try:
        yield
    except ValueError:
        # Its words would repeat parts of the address, the password among them.
        raise OperatorError(
            "The address in WATCHWORD_DATABASE cannot be read.",
            "Write postgresql://user:password@host:5432/name; of other than letters and digits in the password,"
            " write the percent codes.",
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        message = f"The PostgreSQL database cannot be used: {reason_of(error)}."
        raise OperatorError(message, _remedy(error)) from None


def _remedy(error: Exception) -> str:
    match error:
        case asyncpg.UndefinedObjectError() if "configuration parameter" in str(error):
            return (
                "Remove that parameter from the address in WATCHWORD_DATABASE: neither PostgreSQL's own programs nor"
                " the server know it."
            )
        case asyncpg.ProtocolViolationError() if "startup parameter" in str(error):
            # Observed: PgBouncer, and the poolers of hosting companies.
            return "A pooler stands in between: set WATCHWORD_DATABASE_STATEMENT_CACHE=no."
        case asyncpg.InvalidCatalogNameError():
            return "Name another one in WATCHWORD_DATABASE, or make it with: createdb --encoding UTF8"
        case _:
            return (
                "Check the address, user and password in WATCHWORD_DATABASE, and that the server accepts connections."
            )


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
