"""The embedded engine: one SQLite file in WAL mode with `synchronous=FULL`.

Reads run inline on the event loop: a look-up by primary key costs some microseconds, a thread hop ten times that. Each
sees what is committed at that instant, by this process or another. Writes go to one thread with one connection, a
batch at a time; when it returns, the write-ahead log has been synced to disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from watchword.errors import OperatorError, Unavailable
from watchword.storage.coalescer import Coalescer
from watchword.storage.database import Parameters, Row, Statement
from watchword.storage.migrations import migrate

_log = logging.getLogger(__name__)

Result = TypeVar("Result")
_Write = tuple[Statement, Parameters]

BUSY_TIMEOUT_SECONDS = 5
_PAGE_CACHE_KIB = 16_384


class SqliteDatabase:
    """Raises:
    OperatorError: the file cannot be opened, or its schema is newer than this program.
    """

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
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
        self._writes: Coalescer[_Write, list[Row]] = Coalescer(self._hand_over)

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self.query(statement.sqlite[-1], parameters)

    async def query(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> list[Row]:
        try:
            return self._read_one(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            _log.error("the database refused a read: %s", error)
            raise Unavailable(timedelta(seconds=1)) from None

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self._writes.submit((statement, parameters))

    async def transact(self, work: Callable[[_Transaction], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    async def close(self) -> None:
        await self._writes.settle()
        self._thread.shutdown()
        self._reader.close()
        self._writer.close()

    async def _hand_over(self, batch: list[_Write]) -> list[list[Row] | Exception]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write_batch, batch)

    def _write_batch(self, batch: list[_Write]) -> list[list[Row] | Exception]:
        try:
            return [*self._transact(lambda transaction: [_run(transaction, write) for write in batch])]
        except (sqlite3.Error, Unavailable) as error:
            if len(batch) == 1:
                return [error]
            # One row spoiled the transaction for all: each gets its own, and only the bad ones fail.
            return [result for write in batch for result in self._write_batch([write])]

    def _transact(self, work: Callable[[_Transaction], Result]) -> Result:
        try:
            self._writer.execute("begin immediate")
            result = work(_Transaction(self._writer))
            self._writer.execute("commit")
        except sqlite3.OperationalError as error:
            # Another process holds the file, the disk is full or fails: nothing was committed.
            _log.error("the database refused a write: %s", error)
            raise Unavailable(timedelta(seconds=1)) from None
        finally:
            if self._writer.in_transaction:
                self._writer.execute("rollback")
        return result


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters | Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()


def _run(transaction: _Transaction, write: _Write) -> list[Row]:
    statement, parameters = write
    rows: list[Row] = []
    for sql in statement.sqlite:
        rows = transaction.execute(sql, parameters)
    return rows


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    # SQLite would create the file readable by all; whoever may read it may read custom ids.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma secure_delete = on")
    connection.execute(f"pragma cache_size = -{_PAGE_CACHE_KIB}")
    return connection
