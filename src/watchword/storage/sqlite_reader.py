"""Reading the SQLite file: inline on the event loop, as of now.

A look-up by primary key costs some microseconds, a thread hop ten times that. Reads see what this process or another
had committed when the tick of the event loop began to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from typing import Any

from watchword.errors import Unstorable
from watchword.measurements import Trips
from watchword.storage.database import Parameters, Row, Snapshot, Statement
from watchword.storage.sqlite_connections import UNSTORABLE, connect, named, told, unusable

_MOST_REMEMBERED = 1_000
"""Which resource is asked for is a stranger's choice."""


class SqliteReader:
    """The reading half of the engine.

    Raises:
        OperatorError: the file cannot be opened.
    """

    def __init__(self, path: Path, trips: Trips | None = None) -> None:
        self._path = path
        self._observe_read = (trips or Trips()).seconds.observe
        try:
            self._reader = connect(path)
            self._reader.execute("pragma query_only = on")
        except (sqlite3.Error, OSError) as error:
            raise unusable(path, error) from None
        self._read_one = self._reader.cursor().execute
        self._remembered: dict[tuple[Any, ...], list[Row]] = {}
        self._version = -1

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        if not self._reader.in_transaction:
            self._open_snapshot()
        if not statement.common:
            return self._read(statement.sqlite[-1], parameters)
        key = (statement, *parameters.values())
        rows = self._remembered.get(key)
        if rows is None:
            rows = self._read(statement.sqlite[-1], parameters)
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = rows
        return rows

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        self._close_snapshot()
        return self._read(sql, named(parameters))

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        with contextlib.closing(connect(self._path)) as connection:
            connection.execute("pragma query_only = on")
            connection.execute("begin")
            try:
                # The instant is that of the first look at the file.
                connection.execute("select 1 from sqlite_schema").fetchone()
                yield _Snapshot(connection)
            except sqlite3.Error as error:
                raise told(error) from None

    @property
    def are_commits_told(self) -> bool:
        return True

    def notices(self) -> None:
        """One server has the file, and its processes have each other."""
        return

    async def wall_micros(self) -> int | None:
        return None

    async def close(self) -> None:
        # A snapshot ends with its tick.
        await asyncio.sleep(0)
        self._reader.close()

    def _read(self, sql: str, parameters: Parameters) -> list[Row]:
        started = perf_counter()
        try:
            return self._read_one(sql, parameters).fetchall()
        except UNSTORABLE:
            raise Unstorable from None
        except sqlite3.Error as error:
            raise told(error) from None
        finally:
            self._observe_read(perf_counter() - started)

    def _open_snapshot(self) -> None:
        """The hot path's reads of one tick share a snapshot, and with it one taking of the file's locks.

        It hides nothing from them: they belong to requests that had arrived before it was opened, and whoever learns
        of a later commit acts in a later tick, for callbacks run in the order in which they were scheduled.
        """
        asyncio.get_running_loop().call_soon(self._close_snapshot)
        try:
            self._read_one("begin")
            # This opens the snapshot, and tells whether it differs from the one before: another connection, be it of
            # this process or of another, has committed.
            [(version,)] = self._read_one("pragma data_version")
        except sqlite3.Error as error:
            raise told(error) from None
        if version != self._version:
            self._remembered.clear()
            self._version = version

    def _close_snapshot(self) -> None:
        if self._reader.in_transaction:
            try:
                self._read_one("commit")
            except sqlite3.Error as error:
                # Nobody waits for it; whoever reads next is told by a snapshot of its own.
                told(error)
                with contextlib.suppress(sqlite3.Error):
                    self._read_one("rollback")


class _Snapshot:
    """Inline, like every read; whoever takes one has nobody else to serve meanwhile."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def query(self, sql: str) -> list[Row]:
        return self._connection.execute(sql).fetchall()

    async def columns(self, table: str) -> list[str]:
        return [name for (name,) in self._connection.execute("select name from pragma_table_info(?)", (table,))]

    async def pages(self, sql: str, rows: int) -> AsyncIterator[list[Row]]:
        found = self._connection.execute(sql)
        while page := found.fetchmany(rows):
            yield page
            # Nothing here ever waits: without this, whoever is told to stop would not hear of it before the end.
            await asyncio.sleep(0)
