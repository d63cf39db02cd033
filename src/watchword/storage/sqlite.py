"""The embedded engine: one SQLite file in WAL mode with `synchronous=FULL`.

Reads run inline on the event loop, see `SqliteReader`. Writes go to one thread with one connection, a batch at a time;
when it returns, the write-ahead log has been synced to disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from watchword.errors import Unavailable, Unstorable
from watchword.measurements import DatabaseTrips
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Lock, LockOrder, Parameters, Row, Statement, Transaction, refused_rows
from watchword.storage.migrations import prepare
from watchword.storage.schema import Migrating
from watchword.storage.sqlite_connections import UNSTORABLE, connect, named, told, unusable
from watchword.storage.sqlite_reader import SqliteReader

Result = TypeVar("Result")
_Write = tuple[Statement, Parameters]


class SqliteDatabase(SqliteReader):
    """Keeps the rows in one SQLite file, which this process alone writes.

    Raises:
        OperatorError: the file cannot be opened, or this program does not run on its schema.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: str = "FULL",
        migrating: Migrating = "always",
        trips: DatabaseTrips | None = None,
    ) -> None:
        try:
            self._writer = connect(path, synchronous)
            self.schema = prepare(self._writer, migrating)
        except (sqlite3.Error, OSError) as error:
            raise unusable(path, error) from None
        self._trips = trips or DatabaseTrips()
        super().__init__(path, self._trips.reads)
        self._thread = ThreadPoolExecutor(1, "watchword-writer")
        self._writing = asyncio.Lock()
        self._writes: Coalescer[_Write, list[Row]] = Coalescer(self._hand_over, trips=self._trips.writes)

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self.enqueue(statement, parameters)

    def enqueue(self, statement: Statement, parameters: Parameters) -> asyncio.Future[list[Row]]:
        return self._writes.enqueue((statement, parameters))

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]], *locks: Lock) -> Result:
        started = perf_counter()
        async with self._writing:
            try:
                await self._in_thread(_run_alone, self._writer.execute, "begin immediate")
                result = await work(_Transaction(self._writer, self._in_thread, LockOrder(*locks)))
                await self._in_thread(_run_alone, self._writer.execute, "commit")
            except UNSTORABLE:
                raise Unstorable from None
            except sqlite3.Error as error:
                raise told(error) from None
            finally:
                # A commit that failed, or a caller that went away, must not leave the transaction open.
                if self._writer.in_transaction:
                    await asyncio.shield(self._in_thread(_run_alone, self._writer.execute, "rollback"))
                self._trips.transactions.observe(perf_counter() - started)
            return result

    async def close(self) -> None:
        await self._writes.settle()
        self._thread.shutdown()
        await super().close()
        self._writer.close()

    async def _hand_over(self, batch: list[_Write]) -> list[list[Row] | Exception]:
        async with self._writing:
            # Nobody cancels a batch, so it needs no shield, which would take one more turn of the event loop.
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._write_batch, batch)

    async def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        work = asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # The thread goes on all the same; nobody may use the connection before it is done.
            await asyncio.wait([work])
            raise

    def _write_batch(self, batch: list[_Write]) -> list[list[Row] | Exception]:
        try:
            self._writer.execute("begin immediate")
            results: list[list[Row] | Exception] = [_run(self._writer, write) for write in batch]
            self._writer.execute("commit")
        except Exception as error:  # noqa: BLE001 - a value that SQLite cannot hold raises more than its own errors.
            if self._writer.in_transaction:
                self._writer.execute("rollback")
            translated = Unstorable() if isinstance(error, UNSTORABLE) else error
            if isinstance(error, sqlite3.Error):
                translated = told(error)
            if isinstance(translated, Unavailable):
                # Locked, full, failing or damaged is the database, not a row: trying each row would wait as often.
                return [translated] * len(batch)
            if len(batch) == 1:
                return [translated]
            # One row spoiled the transaction for all: each gets its own, and only the bad ones fail.
            return [result for write in batch for result in self._write_batch([write])]
        return results


class _Transaction:
    def __init__(
        self, connection: sqlite3.Connection, in_thread: Callable[..., Awaitable[Any]], order: LockOrder
    ) -> None:
        self._connection = connection
        self._in_thread = in_thread
        self._order = order

    async def lock(self, lock: Lock) -> list[Row]:
        self._order.require_next(lock)
        return await self.execute(lock.select, *lock.parameters)

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        rows: list[Row] = await self._in_thread(
            lambda: self._connection.execute(sql, named(parameters)).fetchall(),
        )
        return rows

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        # To SQLite `?1` is the first parameter of a row as it stands.
        await self._in_thread(_run_alone, self._connection.executemany, sql.replace("$", "?"), rows)

    async def has_table(self, name: str) -> bool:
        return bool(await self.execute("select 1 from sqlite_schema where type = 'table' and name = $1", name))

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns))
        sql = f"insert into {table} ({', '.join(columns)}) values ({places})"
        try:
            await self._in_thread(_run_alone, self._connection.executemany, sql, rows)
        except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
            raise refused_rows(table, str(error)) from None


def _run_alone(function: Callable[..., sqlite3.Cursor], *arguments: Any) -> None:
    """Keep the cursor in the thread: where it is forgotten it resets its statement, which its connection gives to the
    next one that says the same. Forgotten by another thread, it would do so in the middle of that.
    """
    function(*arguments)


def _run(connection: sqlite3.Connection, write: _Write) -> list[Row]:
    statement, parameters = write
    rows: list[Row] = []
    for sql in statement.sqlite:
        rows = connection.execute(sql, parameters).fetchall()
    return rows
