"""The embedded engine: one SQLite file in WAL mode with `synchronous=FULL`.

Reads run inline on the event loop: a look-up by primary key costs some microseconds, a thread hop ten times that. They
see what this process or another had committed when the tick of the event loop began to read. Writes go to one thread
with one connection, a batch at a time; when it returns, the write-ahead log has been synced to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from watchword.errors import OperatorError, Unavailable
from watchword.measurements import DatabaseTrips
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Parameters, Row, Statement, Transaction
from watchword.storage.migrations import migrate

_log = logging.getLogger(__name__)

Result = TypeVar("Result")
_Write = tuple[Statement, Parameters]

BUSY_TIMEOUT_SECONDS = 5
_PAGE_CACHE_KIB = 16_384
_WAL_WAIT_SECONDS = 0.01


class SqliteDatabase:
    """Raises:
    OperatorError: the file cannot be opened, or its schema is newer than this program.
    """

    def __init__(self, path: Path, *, synchronous: str = "FULL", trips: DatabaseTrips | None = None) -> None:
        try:
            self._writer = _connect(path, synchronous)
            migrate(self._writer)
            self._reader = _connect(path, synchronous)
            self._reader.execute("pragma query_only = on")
        except (sqlite3.Error, OSError) as error:
            raise OperatorError(
                f"The database {path} cannot be opened: {error}.",
                "Check that the data directory exists, has room, and belongs to the user who runs Watchword.",
            ) from None
        self._read_one = self._reader.cursor().execute
        self._thread = ThreadPoolExecutor(1, "watchword-writer")
        self._writing = asyncio.Lock()
        self._trips = trips or DatabaseTrips()
        self._observe_read = self._trips.reads.seconds.observe
        self._writes: Coalescer[_Write, list[Row]] = Coalescer(self._hand_over, trips=self._trips.writes)

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        if not self._reader.in_transaction:
            self._open_snapshot()
        return self._read(statement.sqlite[-1], parameters)

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        self._close_snapshot()
        return self._read(sql, _named(parameters))

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self._writes.submit((statement, parameters))

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        started = perf_counter()
        async with self._writing:
            try:
                await self._in_thread(self._writer.execute, "begin immediate")
                result = await work(_Transaction(self._writer, self._in_thread))
                await self._in_thread(self._writer.execute, "commit")
            except sqlite3.OperationalError as error:
                raise _told(error) from None
            finally:
                # A commit that failed, or a caller that went away, must not leave the transaction open.
                if self._writer.in_transaction:
                    await asyncio.shield(self._in_thread(self._writer.execute, "rollback"))
                self._trips.transactions.observe(perf_counter() - started)
            return result

    async def close(self) -> None:
        await self._writes.settle()
        # A snapshot ends with its tick.
        await asyncio.sleep(0)
        self._thread.shutdown()
        self._reader.close()
        self._writer.close()

    def _read(self, sql: str, parameters: Parameters) -> list[Row]:
        started = perf_counter()
        try:
            return self._read_one(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise _told(error) from None
        finally:
            self._observe_read(perf_counter() - started)

    def _open_snapshot(self) -> None:
        """The hot path's reads of one tick share a snapshot, and with it one taking of the file's locks.

        It hides nothing from them: they belong to requests that had arrived before it was opened, and whoever learns
        of a later commit acts in a later tick, for callbacks run in the order in which they were scheduled.
        """
        asyncio.get_running_loop().call_soon(self._close_snapshot)
        self._read_one("begin")

    def _close_snapshot(self) -> None:
        if self._reader.in_transaction:
            self._read_one("commit")

    async def _hand_over(self, batch: list[_Write]) -> list[list[Row] | Exception]:
        async with self._writing:
            return await self._in_thread(self._write_batch, batch)

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
            if isinstance(error, sqlite3.OperationalError):
                # Locked, full or failing is the database, not a row: trying each row would wait as often.
                return [_told(error)] * len(batch)
            if len(batch) == 1:
                return [error]
            # One row spoiled the transaction for all: each gets its own, and only the bad ones fail.
            return [result for write in batch for result in self._write_batch([write])]
        return results


class _Transaction:
    def __init__(self, connection: sqlite3.Connection, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._connection = connection
        self._in_thread = in_thread

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        rows: list[Row] = await self._in_thread(
            lambda: self._connection.execute(sql, _named(parameters)).fetchall(),
        )
        return rows

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._in_thread(self._connection.executemany, sql, [_named(row) for row in rows])


_NAMES = tuple(str(number) for number in range(1, 33))


def _named(parameters: Sequence[Any]) -> dict[str, Any]:
    """To SQLite `$1` is a parameter of the name 1."""
    return dict(zip(_NAMES, parameters, strict=False))


def _run(connection: sqlite3.Connection, write: _Write) -> list[Row]:
    statement, parameters = write
    rows: list[Row] = []
    for sql in statement.sqlite:
        rows = connection.execute(sql, parameters).fetchall()
    return rows


def _told(error: sqlite3.OperationalError) -> Unavailable | sqlite3.OperationalError:
    """Another process holds the file, or the disk is full or fails: nothing was committed. Wrong SQL is our own fault,
    and must not pass for an outage.
    """
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
        return error
    _log.error("the database refused: %s", error)
    return Unavailable(timedelta(seconds=1))


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    if not path.exists():
        # SQLite would create the file readable by all; whoever may read it may read custom ids. A file that is there
        # is left alone: closing it would take away the locks that this process's other connections hold on it (that is
        # POSIX), and another process that closes last would then delete the log under their feet.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS)
    _enter_wal_mode(connection)
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma secure_delete = on")
    connection.execute(f"pragma cache_size = -{_PAGE_CACHE_KIB}")
    return connection


def _enter_wal_mode(connection: sqlite3.Connection) -> None:
    """Of two processes that open a new file at once, one is told that it is locked, without the wait of other calls."""
    waits = round(BUSY_TIMEOUT_SECONDS / _WAL_WAIT_SECONDS)
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or waits <= 0:
                raise
        waits -= 1
        time.sleep(_WAL_WAIT_SECONDS)
