"""SQLite as one worker of several has it: reads of its own, inline, and writes by the process that writes for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import msgspec

from watchword.errors import OperatorError, Unavailable, Unstorable
from watchword.measurements import DatabaseTrips
from watchword.storage.channel import Channel
from watchword.storage.database import Lock, LockOrder, Parameters, Row, Statement, Transaction
from watchword.storage.migrations import read_version
from watchword.storage.schema import Schema, schema_files
from watchword.storage.sqlite_connections import UNSTORABLE
from watchword.storage.sqlite_messages import (
    SOCKET_NAME,
    Answer,
    Batch,
    Begin,
    Commit,
    Execute,
    ExecuteMany,
    Failure,
    Request,
    Results,
    Rows,
    encode_parameters,
    to_error,
)
from watchword.storage.sqlite_reader import SqliteReader

Result = TypeVar("Result")

PATIENCE = timedelta(seconds=10)
"""For an answer of the writer, which may be starting anew."""

_MOST_WAITING = 10_000
_PAUSE_SECONDS = 0.02
_GONE = (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError)
_LATER = timedelta(seconds=1)


@dataclass(slots=True)
class _Write:
    statement: Statement
    parameters: msgspec.Raw
    answer: asyncio.Future[list[Row]]
    since: float
    was_lost: bool = False

    def fail(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(Unavailable(_LATER))


class WorkerDatabase(SqliteReader):
    """`folder` is that of the server's processes, where the writer listens.

    The writes of one tick go out as one batch, and batches do not wait for each other: it is the writer that joins what
    arrives while a commit is under way.
    """

    def __init__(self, path: Path, folder: Path, trips: DatabaseTrips | None = None) -> None:
        self._trips = trips or DatabaseTrips()
        super().__init__(path, self._trips.reads)
        self.schema: Schema
        self._socket = folder / SOCKET_NAME
        self._waiting: list[_Write] = []
        self._under_way: dict[int, tuple[list[_Write], asyncio.TimerHandle]] = {}
        self._unanswered = 0
        self._last_number = 0
        self._channel: Channel[Answer] | None = None
        self._talking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and see whether the writer speaks as this process does.

        Raises:
            OperatorError: there is no writer that speaks as we do, or the schema is of another version.
        """
        present, newest = read_version(self._reader), schema_files()[-1].version
        if present != newest:
            raise OperatorError(
                f"The database has schema version {present}, and this program works with version {newest}.",
                "Restart the server: a start brings the schema up to date, a reload does not.",
            )
        self.schema = Schema(present, newest)
        try:
            self._channel = await _connect(self._socket)
        except Unavailable:
            raise OperatorError(
                "A worker does not reach the process that writes the database.",
                "Restart the server; after an upgrade that changed how they speak, a reload is not enough.",
            ) from None
        self._talking = asyncio.create_task(self._talk())

    async def write(self, statement: Statement, parameters: Parameters) -> list[Row]:
        return await self.enqueue(statement, parameters)

    def enqueue(self, statement: Statement, parameters: Parameters) -> asyncio.Future[list[Row]]:
        if self._unanswered >= _MOST_WAITING:
            raise Unavailable(_LATER)
        loop = asyncio.get_running_loop()
        try:
            encoded = encode_parameters(parameters)
        except UNSTORABLE:
            raise Unstorable from None
        write = _Write(statement, encoded, loop.create_future(), perf_counter())
        write.answer.add_done_callback(self._count_down)
        self._unanswered += 1
        if not self._waiting:
            loop.call_soon(self._send)
        self._waiting.append(write)
        return write.answer

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]], *locks: Lock) -> Result:
        """Nobody knows whether a writer that goes away in the very moment of the commit has made it."""
        conversation = _Conversation(await _connect(self._socket), LockOrder(*locks))
        with self._trips.transactions.timing():
            try:
                await conversation.ask(Begin())
                result = await work(conversation)
                await conversation.ask(Commit())
                return result
            finally:
                conversation.end()

    async def close(self) -> None:
        while self._unanswered:  # noqa: ASYNC110 - once, at the end.
            await asyncio.sleep(_PAUSE_SECONDS)
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.gather(self._talking, return_exceptions=True)
        await super().close()

    def _count_down(self, _: object) -> None:
        self._unanswered -= 1

    def _send(self) -> None:
        if self._channel is None or not self._waiting:
            # What waits is sent when the writer is reached again.
            return
        batch, self._waiting = self._waiting, []
        positions = {statement: n for n, statement in enumerate(dict.fromkeys(each.statement for each in batch))}
        rows = [(positions[each.statement], each.parameters) for each in batch]
        self._last_number += 1
        expiry = asyncio.get_running_loop().call_later(PATIENCE.total_seconds(), _fail_all, batch)
        self._under_way[self._last_number] = (batch, expiry)
        self._channel.send(Batch(self._last_number, [statement.sqlite for statement in positions], rows))

    async def _talk(self) -> None:
        """Hand out answers; when the writer goes away, take up with the next one."""
        while True:
            if self._channel is not None:
                await self._talk_on(self._channel)
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                self._channel = await _connect(self._socket)
            except Unavailable:
                _fail_all(self._waiting)
                self._waiting = []

    async def _talk_on(self, channel: Channel[Answer]) -> None:
        self._send()
        try:
            while True:
                self._settle(await channel.receive())
        except _GONE:
            self._take_back()
        finally:
            self._channel = None
            channel.close()

    def _settle(self, answer: Answer) -> None:
        if not isinstance(answer, Results):
            return
        batch, expiry = self._under_way.pop(answer.number)
        expiry.cancel()
        self._trips.writes.calls.observe(len(batch))
        self._trips.writes.seconds.observe(perf_counter() - batch[0].since)
        for write, result in zip(batch, answer.results, strict=True):
            if write.answer.done():
                # Its caller went away, or waited long enough.
                continue
            if isinstance(result, Failure):
                write.answer.set_exception(to_error(result))
            else:
                write.answer.set_result(result.rows)

    def _take_back(self) -> None:
        """Nobody knows whether what was under way was committed: what may be repeated is, once."""
        lost, self._under_way = self._under_way, {}
        again: list[_Write] = []
        for batch, expiry in lost.values():
            expiry.cancel()
            for write in batch:
                if write.was_lost or not write.statement.repeatable:
                    write.fail()
                elif not write.answer.done():
                    write.was_lost = True
                    again.append(write)
        self._waiting = again + self._waiting


class _Conversation:
    """A transaction that the writer carries out step by step."""

    def __init__(self, channel: Channel[Answer], order: LockOrder) -> None:
        self._channel = channel
        self._order = order

    async def lock(self, lock: Lock) -> list[Row]:
        self._order.require_next(lock)
        return await self.execute(lock.select, *lock.parameters)

    async def execute(self, sql: str, *parameters: Any) -> list[Row]:
        return await self.ask(Execute(sql, list(parameters)))

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self.ask(ExecuteMany(sql, [list(row) for row in rows]))

    async def has_table(self, name: str) -> bool:
        return bool(await self.execute("select 1 from sqlite_schema where type = 'table' and name = $1", name))

    async def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        await self.execute_many(f"insert into {table} ({', '.join(columns)}) values ({places})", rows)

    async def ask(self, message: Request) -> list[Row]:
        """Send a message to the writer, and wait for its rows.

        Raises:
            Unavailable: the writer is gone, or has no time for us.
        """
        try:
            try:
                self._channel.send(message)
            except UNSTORABLE:
                raise Unstorable from None
            async with asyncio.timeout(PATIENCE.total_seconds()):
                answer = await self._channel.receive()
        except _GONE:
            raise Unavailable(_LATER) from None
        if isinstance(answer, Failure):
            raise to_error(answer)
        return answer.rows if isinstance(answer, Rows) else []

    def end(self) -> None:
        """The writer rolls back, unless a commit came before."""
        self._channel.close()


async def _connect(socket: Path) -> Channel[Answer]:
    """Connect to the process that writes, and wait while one is being started.

    Raises:
        Unavailable: there is no writer, and none is being started.
    """
    try:
        return Channel(*await asyncio.open_unix_connection(socket), Answer)
    except OSError:
        raise Unavailable(_LATER) from None


def _fail_all(writes: list[_Write]) -> None:
    for write in writes:
        write.fail()
