"""Reading the SQLite file: inline on the event loop, as of now.

A look-up by primary key costs some microseconds, a thread hop ten times that. Reads see what this process or another
had committed when the tick of the event loop began to read.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from watchword.storage.database import Parameters, Row, Statement
from watchword.storage.sqlite_connections import connect, named, told, unusable


class SqliteReader:
    """The reading half of the engine.

    Raises:
        OperatorError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = connect(path)
            self._reader.execute("pragma query_only = on")
        except (sqlite3.Error, OSError) as error:
            raise unusable(path, error) from None
        self._read_one = self._reader.cursor().execute

    async def read(self, statement: Statement, parameters: Parameters) -> list[Row]:
        if not self._reader.in_transaction:
            self._open_snapshot()
        return self._read(statement.sqlite[-1], parameters)

    async def query(self, sql: str, *parameters: Any) -> list[Row]:
        self._close_snapshot()
        return self._read(sql, named(parameters))

    async def close(self) -> None:
        # A snapshot ends with its tick.
        await asyncio.sleep(0)
        self._reader.close()

    def _read(self, sql: str, parameters: Parameters) -> list[Row]:
        try:
            return self._read_one(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            raise told(error) from None

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
