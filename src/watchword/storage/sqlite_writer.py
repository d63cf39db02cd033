"""The one process that writes a SQLite file for several workers.

Writes of all of them join in the coalescer of `SqliteDatabase`, so that they share commits; two processes that write
for themselves would wait for each other's locks by sleeping. Nothing is answered before its commit has returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sqlite3
from datetime import timedelta
from typing import cast

import msgspec

from watchword.errors import Unstorable, WatchwordError
from watchword.storage.channel import Channel
from watchword.storage.database import Row, Statement, Transaction
from watchword.storage.sqlite import SqliteDatabase
from watchword.storage.sqlite_connections import UNSTORABLE, told
from watchword.storage.sqlite_messages import (
    Batch,
    Begin,
    Commit,
    Execute,
    ExecuteMany,
    Failure,
    Request,
    Results,
    Rows,
    decode_parameters,
    to_failure,
)

LONGEST_SILENCE = timedelta(seconds=10)
"""In a transaction: who says nothing for so long has lost the writer's turn, for others wait for it."""

_LAST_WORDS_SECONDS = 0.5

_log = logging.getLogger(__name__)


class SqliteWriter:
    """Serves workers on a listening socket until it is told to stop and the last of them is gone."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._statements: dict[tuple[str, ...], Statement] = {}
        self._attending: dict[asyncio.Task[None], Channel[Request]] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, listening: socket.socket) -> None:
        """Workers are served from now on."""
        self._server = await asyncio.start_unix_server(self._attend, sock=listening)

    async def finish(self, deadline: timedelta) -> None:
        """Wait for the last worker to hang up; they end before their writer does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline.total_seconds()):
                while self._attending:
                    await asyncio.wait(tuple(self._attending))
        if self._server is not None:
            self._server.close()
        for channel in self._attending.values():
            channel.close()
        if left := {*self._attending, *self._writing}:
            await asyncio.wait(left, timeout=_LAST_WORDS_SECONDS)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        channel = self._attending[task] = Channel(reader, writer, Request)
        try:
            while True:
                message = await channel.receive()
                if isinstance(message, Batch):
                    writing = asyncio.create_task(self._write(message, channel))
                    self._writing.add(writing)
                    writing.add_done_callback(self._writing.discard)
                elif isinstance(message, Begin):
                    await self._transact(channel)
        except (ConnectionError, asyncio.IncompleteReadError):
            # The worker hung up, or was killed.
            pass
        except TimeoutError:
            _log.error("a worker's transaction was rolled back: it said nothing for %s", LONGEST_SILENCE)
        except msgspec.MsgspecError as error:
            _log.error("a worker was not understood: %s", error)
        finally:
            del self._attending[task]
            channel.close()

    async def _write(self, batch: Batch, channel: Channel[Request]) -> None:
        statements = [self._statement(sql) for sql in batch.statements]
        futures: list[asyncio.Future[list[Row]] | Failure] = []
        for position, parameters in batch.rows:
            try:
                futures.append(self._database.enqueue(statements[position], decode_parameters(parameters)))
            except WatchwordError as error:
                futures.append(to_failure(error))
        if waiting := [each for each in futures if isinstance(each, asyncio.Future)]:
            await asyncio.wait(waiting)
        channel.send(Results(batch.number, [_result(each) for each in futures]))

    async def _transact(self, channel: Channel[Request]) -> None:
        async def work(transaction: Transaction) -> None:
            channel.send(Rows())
            while True:
                async with asyncio.timeout(LONGEST_SILENCE.total_seconds()):
                    message = await channel.receive()
                if isinstance(message, Commit):
                    return
                channel.send(await _carry_out(message, transaction))

        try:
            await self._database.transact(work)
        except (WatchwordError, sqlite3.Error) as error:
            channel.send(to_failure(error))
        else:
            channel.send(Rows())

    def _statement(self, sql: tuple[str, ...]) -> Statement:
        found = self._statements.get(sql)
        if found is None:
            found = self._statements[sql] = Statement(sqlite=sql, parameters=(), postgres="")
        return found


async def _carry_out(message: Request, transaction: Transaction) -> Rows | Failure:
    try:
        if isinstance(message, Execute):
            return Rows(await transaction.execute(message.sql, *message.parameters))
        if isinstance(message, ExecuteMany):
            await transaction.execute_many(message.sql, message.rows)
            return Rows()
    except sqlite3.Error as error:
        return to_failure(told(error))
    except UNSTORABLE:
        return to_failure(Unstorable())
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the worker's rule, which may go on.
        return to_failure(error)
    return Failure("ProgrammingError", f"{type(message).__name__} has no place in a transaction")


def _result(outcome: asyncio.Future[list[Row]] | Failure) -> Rows | Failure:
    if isinstance(outcome, Failure):
        return outcome
    error = outcome.exception()
    return Rows(outcome.result()) if error is None else to_failure(error)
