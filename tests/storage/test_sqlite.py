"""The embedded engine: one commit for many, failures that stay alone, and a file that gives nothing away."""

import asyncio
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from watchword.errors import OperatorError, Unavailable, Unstorable
from watchword.storage import Statement, Transaction, sqlite_connections
from watchword.storage.sqlite import SqliteDatabase

ADD = Statement(sqlite=("insert into numbers values (:number) returning number",), parameters=(), postgres="")
READ = Statement(sqlite=("select number from numbers order by number",), parameters=(), postgres="")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watchword.sqlite"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(path)
    await opened.transact(lambda transaction: transaction.execute("create table numbers (number integer unique)"))
    yield opened
    await opened.close()


async def add(database: SqliteDatabase, *numbers: Any) -> list[Any]:
    writes = (database.write(ADD, {"number": number}) for number in numbers)
    return list(await asyncio.gather(*writes, return_exceptions=True))


async def numbers(database: SqliteDatabase) -> list[int]:
    return [number for (number,) in await database.query("select number from numbers order by number")]


def commits(path: Path) -> int:
    """How often the log was committed to since it was begun: frames that name the size of the database end a commit."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    frames = (log[start : start + 24] for start in range(32, len(log), 24 + page))
    return sum(int.from_bytes(frame[4:8], "big") > 0 for frame in frames)


async def test_writes_of_one_tick_share_one_commit(database: SqliteDatabase, path: Path) -> None:
    before = commits(path)
    assert await add(database, *range(100)) == [[(number,)] for number in range(100)]
    assert commits(path) == before + 1


async def test_a_row_that_fails_fails_alone(database: SqliteDatabase) -> None:
    found = await add(database, 1, 2, 1, 3, 2**70, "\ud800", object(), 4)
    assert [each for each in found if isinstance(each, list)] == [[(1,)], [(2,)], [(3,)], [(4,)]]
    assert [type(each) for each in found if not isinstance(each, list)] == [
        sqlite3.IntegrityError,
        Unstorable,
        Unstorable,
        sqlite3.ProgrammingError,
    ]
    assert await numbers(database) == [1, 2, 3, 4]
    # And nothing is left open that would spoil the next.
    assert await add(database, 5) == [[(5,)]]


async def test_a_database_that_another_holds_refuses_a_whole_batch_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connections, "BUSY_TIMEOUT_SECONDS", 0.2)
    path = tmp_path / "held.sqlite"
    held = SqliteDatabase(path)
    await held.transact(lambda transaction: transaction.execute("create table numbers (number integer unique)"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    found = await add(held, *range(50))
    assert [type(each) for each in found] == [Unavailable] * 50
    # Had every row waited for the lock by itself, it would have taken fifty times as long.
    assert loop.time() - begun < 5
    with pytest.raises(Unavailable):
        await held.transact(lambda transaction: transaction.execute("select 1"))
    assert await numbers(held) == []
    other.execute("rollback")
    other.close()
    assert await add(held, 1) == [[(1,)]]
    await held.close()


async def test_a_transaction_that_raises_leaves_nothing(database: SqliteDatabase) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        raise KeyError

    with pytest.raises(KeyError):
        await database.transact(work)
    assert await numbers(database) == []
    assert await add(database, 2) == [[(2,)]]


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 5, 8])
async def test_a_transaction_whose_caller_goes_away_is_rolled_back(database: SqliteDatabase, ticks: int) -> None:
    never = asyncio.Event()

    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        await never.wait()

    task = asyncio.create_task(database.transact(work))
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await add(database, 2) == [[(2,)]]
    assert await numbers(database) == [2]


async def test_a_caller_that_goes_away_does_not_take_its_write_back(database: SqliteDatabase) -> None:
    task = asyncio.create_task(database.write(ADD, {"number": 1}))
    await asyncio.sleep(0)
    task.cancel()
    await add(database, 2)
    assert await numbers(database) == [1, 2]


async def test_reads_see_what_was_committed_and_never_write(database: SqliteDatabase) -> None:
    await add(database, 1)
    assert await database.read(READ, {}) == [(1,)]
    await add(database, 2)
    assert await database.read(READ, {}) == [(1,), (2,)]
    with pytest.raises((Unavailable, sqlite3.OperationalError)):
        await database.query("delete from numbers")
    assert await numbers(database) == [1, 2]


async def test_closing_writes_what_was_asked_for_before(path: Path) -> None:
    database = SqliteDatabase(path)
    await database.transact(lambda transaction: transaction.execute("create table numbers (number integer unique)"))
    task = asyncio.create_task(add(database, *range(300)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await database.close()
    assert len(await task) == 300
    again = SqliteDatabase(path)
    assert len(await numbers(again)) == 300
    await again.close()


async def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "watchword.sqlite"
    secret = "the custom id of somebody " * 20
    database = SqliteDatabase(path)
    await database.transact(lambda transaction: transaction.execute("create table words (word text)"))
    await database.transact(lambda transaction: transaction.execute("insert into words values ($1)", secret))
    await database.transact(lambda transaction: transaction.execute("delete from words"))
    await database.close()
    assert not [file for file in tmp_path.iterdir() if secret[:40].encode() in file.read_bytes()]


@pytest.mark.parametrize("content", [b"this is no database " * 400, b"SQLite format 3\0" + b"\xff" * 4_000])
async def test_a_file_that_is_no_database_is_the_operators_matter(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(OperatorError, match="cannot be opened"):
        SqliteDatabase(path)
    assert path.read_bytes() == content


async def test_a_folder_that_is_not_there_is_the_operators_matter(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be opened"):
        SqliteDatabase(tmp_path / "nowhere" / "watchword.sqlite")


async def test_what_common_reads_find_is_remembered_up_to_a_bound_even_within_one_tick(
    database: SqliteDatabase,
) -> None:
    # Which resource is asked for is a stranger's choice, and many requests may arrive at once.
    find = Statement(sqlite=("select number from numbers where :name = ''",), parameters=(), postgres="", common=True)
    tracemalloc.start()
    try:
        for number in range(3_000):
            assert await database.read(find, {"name": f"{number}".ljust(5_000)}) == []
        assert tracemalloc.get_traced_memory()[0] < 8_000_000
    finally:
        tracemalloc.stop()


async def test_no_cursor_leaves_the_thread_of_the_writer(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forgotten in another thread, it reset its statement in the middle of the next call that said the same: "bad
    parameter or other API misuse", on a busy machine.
    """
    loop, given = asyncio.get_running_loop(), []
    run_in_executor = loop.run_in_executor

    def noted(executor: Any, function: Any, *arguments: Any) -> Any:
        def run() -> Any:
            result = function(*arguments)
            given.append(type(result))
            return result

        return run_in_executor(executor, run)

    monkeypatch.setattr(loop, "run_in_executor", noted)

    async def work(transaction: Transaction) -> None:
        await transaction.execute_many("insert into numbers values ($1)", [(1,), (2,)])
        await transaction.load("numbers", ["number"], [(3,)])
        assert await transaction.execute("select count(*) from numbers") == [(3,)]
        raise KeyError

    with pytest.raises(KeyError):
        await database.transact(work)
    await database.transact(lambda transaction: transaction.execute("select 1"))
    assert len(given) == 8
    assert sqlite3.Cursor not in given
