"""Several workers on one SQLite file: they read for themselves, and one writer writes for all of them."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from watchword.errors import OperatorError, Unavailable, Unstorable
from watchword.storage import Statement, Transaction, sqlite_worker, sqlite_writer
from watchword.storage.sqlite import SqliteDatabase
from watchword.storage.sqlite_messages import SOCKET_NAME
from watchword.storage.sqlite_worker import WorkerDatabase
from watchword.storage.sqlite_writer import SqliteWriter

ADD = Statement(sqlite=("insert into numbers values (:number) returning number",), parameters=(), postgres="")
ADD_AGAIN = Statement(
    sqlite=("insert into numbers values (:number) on conflict do update set number = number returning number",),
    parameters=(),
    postgres="",
)
ADD_ONCE = Statement(sqlite=ADD.sqlite, parameters=(), postgres="", repeatable=False)
READ = Statement(sqlite=("select number from numbers order by number",), parameters=(), postgres="")
TABLE = "create table numbers (number unique)"


class House:
    """A file, the socket at which its writer listens, and the writer, which can be made anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "watchword.sqlite"
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / SOCKET_NAME))
        self._listening.listen(128)
        self.database: SqliteDatabase
        self._writer: SqliteWriter

    async def open_writer(self) -> None:
        self.database = SqliteDatabase(self.path)
        self._writer = SqliteWriter(self.database)
        await self._writer.listen(self._listening.dup())

    async def close_writer(self) -> None:
        """As abruptly as a process can end."""
        await self._writer.finish(timedelta(0))
        await self.database.close()

    async def worker(self) -> WorkerDatabase:
        opened = WorkerDatabase(self.path, self.folder)
        await opened.open()
        return opened

    async def batches_arrived(self, count: int) -> None:
        """Returns once so many wait for the writer."""
        while len(self._writer._writing) < count:
            await asyncio.sleep(0.001)

    def hang_up(self) -> None:
        for channel in self._writer._attending.values():
            channel.close()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    # Not pytest's own folder: the name of a socket has to be short.
    with tempfile.TemporaryDirectory() as folder:
        made = House(Path(folder))
        await made.open_writer()
        await made.database.transact(lambda transaction: transaction.execute(TABLE))
        yield made
        await made.close_writer()
        made.close()


@asynccontextmanager
async def two_workers(house: House) -> AsyncIterator[tuple[WorkerDatabase, WorkerDatabase]]:
    one, other = await house.worker(), await house.worker()
    yield one, other
    await one.close()
    await other.close()


async def add(database: WorkerDatabase, *numbers: Any, statement: Statement = ADD) -> list[Any]:
    writes = (database.write(statement, {"number": number}) for number in numbers)
    return list(await asyncio.gather(*writes, return_exceptions=True))


async def numbers(database: WorkerDatabase) -> list[Any]:
    return [number for (number,) in await database.query("select number from numbers order by number")]


async def test_what_one_has_written_the_other_reads_at_once(house: House) -> None:
    async with two_workers(house) as pair:
        for number in range(20):
            assert await pair[number % 2].write(ADD, {"number": number}) == [(number,)]
            assert await pair[1 - number % 2].read(READ, {}) == [(each,) for each in range(number + 1)]


async def test_rows_come_back_as_they_were_given(house: House) -> None:
    values = [1, 2**62, -5, 1.5, "text", "", b"bytes", b"", None]
    async with two_workers(house) as (one, other):
        assert await add(one, *values) == [[(value,)] for value in values]
        found = await other.transact(lambda transaction: transaction.execute("select number from numbers"))
    assert found == [(value,) for value in values]


async def test_a_row_that_fails_fails_alone(house: House) -> None:
    async with two_workers(house) as (one, _):
        found = await add(one, 1, 2, 1, 3, 2**70, 2**63, "\ud800", object(), 4)
        assert [each for each in found if isinstance(each, list)] == [[(1,)], [(2,)], [(3,)], [(4,)]]
        assert [type(each) for each in found if not isinstance(each, list)] == [
            sqlite3.IntegrityError,
            Unstorable,
            Unstorable,
            Unstorable,
            TypeError,
        ]
        assert await numbers(one) == [1, 2, 3, 4]


async def test_writes_of_all_join_in_one_commit(house: House) -> None:
    async with two_workers(house) as (one, other):
        held, let_go = asyncio.Event(), asyncio.Event()

        async def hold(transaction: Transaction) -> None:
            held.set()
            await let_go.wait()

        holding = asyncio.create_task(house.database.transact(hold))
        await held.wait()
        begun = _commits(house.path)
        writing = asyncio.gather(add(one, *range(50)), add(other, *range(50, 100)))
        await house.batches_arrived(2)
        let_go.set()
        await holding
        assert [len(each) for each in await writing] == [50, 50]
        # What was waiting for the writer's turn shares a commit; the first batch may have been in flight already.
        assert 1 <= _commits(house.path) - begun <= 2


def _commits(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    frames = (log[start : start + 24] for start in range(32, len(log), 24 + page))
    return sum(int.from_bytes(frame[4:8], "big") > 0 for frame in frames)


async def test_transactions_of_several_take_turns(house: House) -> None:
    async def increase(transaction: Transaction) -> None:
        [(newest,)] = await transaction.execute("select coalesce(max(number), 0) from numbers")
        await asyncio.sleep(0)
        await transaction.execute_many("insert into numbers values ($1)", [(newest + 1,), (newest + 2,)])

    async with two_workers(house) as (one, other):
        await asyncio.gather(*(each.transact(increase) for each in (one, other) for _ in range(10)))
        assert await numbers(other) == list(range(1, 41))


async def test_a_transaction_that_raises_leaves_nothing(house: House) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        with pytest.raises(sqlite3.IntegrityError):
            await transaction.execute("insert into numbers values ($1)", 1)
        raise KeyError

    async with two_workers(house) as (one, other):
        with pytest.raises(KeyError):
            await one.transact(work)
        assert await add(other, 2) == [[(2,)]]
        assert await numbers(one) == [2]


@pytest.mark.parametrize("ticks", [0, 2, 5, 20])
async def test_a_transaction_whose_caller_goes_away_is_rolled_back(house: House, ticks: int) -> None:
    never = asyncio.Event()

    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        await never.wait()

    async with two_workers(house) as (one, other):
        task = asyncio.create_task(one.transact(work))
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await add(other, 2) == [[(2,)]]
        assert await numbers(one) == [2]


async def test_a_transaction_that_falls_silent_loses_its_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "LONGEST_SILENCE", timedelta(milliseconds=50))

    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        # Until the other has had its turn, which it gets only when this one's is over.
        assert await add(other, 2) == [[(2,)]]
        await transaction.execute("insert into numbers values ($1)", 3)

    async with two_workers(house) as (one, other):
        with pytest.raises(Unavailable):
            await one.transact(work)
        assert await numbers(one) == [2]


async def test_a_writer_that_is_replaced_is_waited_for(house: House) -> None:
    async with two_workers(house) as (one, other):
        await add(one, 1)
        await house.close_writer()
        writing = asyncio.create_task(add(one, 2))
        transacting = asyncio.create_task(
            other.transact(lambda transaction: transaction.execute("insert into numbers values ($1)", 3))
        )
        await asyncio.sleep(0.05)
        assert not writing.done()
        await house.open_writer()
        assert await writing == [[(2,)]]
        await transacting
        assert await numbers(one) == [1, 2, 3]


async def test_what_was_under_way_is_repeated_only_where_that_is_harmless(house: House) -> None:
    held = asyncio.Event()

    async def hold(transaction: Transaction) -> None:
        held.set()
        await asyncio.Event().wait()

    async with two_workers(house) as (one, _):
        await add(one, 1)
        holding = asyncio.create_task(house.database.transact(hold))
        await held.wait()
        repeatable = asyncio.create_task(add(one, 2, statement=ADD_AGAIN))
        other = asyncio.create_task(add(one, 3, statement=ADD_ONCE))
        # Both are with the writer, which ends before it could begin with them.
        await house.batches_arrived(1)
        house.hang_up()
        holding.cancel()
        await asyncio.wait([holding])
        await house.close_writer()
        await house.open_writer()
        assert await repeatable == [[(2,)]]
        [refused] = await other
        assert isinstance(refused, Unavailable)
        # It was written all the same, and only its answer was lost: a second time would have been one too many.
        assert await numbers(one) == [1, 2, 3]


async def test_too_many_that_wait_are_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_worker, "_MOST_WAITING", 5)
    async with two_workers(house) as (one, _):
        found = await add(one, *range(8))
        assert [type(each) for each in found] == [list] * 5 + [Unavailable] * 3
        assert await add(one, 9) == [[(9,)]]


async def test_a_worker_needs_a_writer_and_the_schema_of_its_own_version(house: House) -> None:
    with tempfile.TemporaryDirectory() as elsewhere:
        stranger = WorkerDatabase(house.path, Path(elsewhere))
        with pytest.raises(OperatorError, match="does not reach the process that writes"):
            await stranger.open()
        await stranger.close()
    await house.database.transact(lambda transaction: transaction.execute("pragma user_version = 3"))
    newer = WorkerDatabase(house.path, house.folder)
    with pytest.raises(OperatorError, match="schema version 3"):
        await newer.open()
    await newer.close()


async def test_closing_waits_for_what_was_asked_for(house: House) -> None:
    one = await house.worker()
    task = asyncio.create_task(add(one, *range(300)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await one.close()
    assert [type(each) for each in await task] == [list] * 300
