"""PostgreSQL: statements that many calls share, failures that stay alone, and commits that last."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.postgres import Cluster
from watchword.errors import OperatorError, ThreadNotFound, Unavailable, Unstorable
from watchword.storage import Statement, Transaction
from watchword.storage.postgres import PostgresDatabase, open_postgres

NUMBER = (("number", "int8"), ("word", "text"))
ADD = Statement(
    sqlite=(),
    parameters=NUMBER,
    postgres=", added as (insert into numbers select number, word, txid_current() from q returning number)"
    " select q.n, added.number from q join added on added.number = q.number",
)
ADD_ONCE = Statement(sqlite=(), parameters=ADD.parameters, postgres=ADD.postgres, repeatable=False)
READ = Statement(
    sqlite=(),
    parameters=NUMBER,
    postgres="select q.n, numbers.number from q join numbers on numbers.number = q.number or numbers.word = q.word",
)
MANY = Statement(sqlite=(), parameters=NUMBER, postgres="select q.n, i from q, generate_series(1, q.number) i")
COUNT = Statement(
    sqlite=(), parameters=NUMBER, postgres="select q.n, (select count(*) from q) from q where q.number = q.number"
)
WAIT = Statement(sqlite=(), parameters=NUMBER, postgres="select q.n, pg_sleep(60) from q")


async def opened(dsn: str, **chosen: Any) -> PostgresDatabase:
    defaults: dict[str, Any] = {"pool": 4, "batch": 64, "statement_cache": True, "patience": timedelta(seconds=5)}
    return await open_postgres(dsn, **(defaults | chosen))


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    return cluster.fresh()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[PostgresDatabase]:
    database = await opened(dsn)
    await database.transact(
        lambda transaction: transaction.execute(
            "create table numbers (number bigint primary key, word text, transaction bigint)"
        )
    )
    yield database
    await database.close()


@pytest.fixture
async def beside(dsn: str) -> AsyncIterator[Any]:
    """Somebody else's connection to the same database."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def add(database: PostgresDatabase, *numbers: Any, statement: Statement = ADD) -> list[Any]:
    writes = (database.write(statement, {"number": number, "word": None}) for number in numbers)
    return list(await asyncio.gather(*writes, return_exceptions=True))


async def waiting(beside: Any) -> list[int]:
    """The sessions that wait for a lock on our table."""
    # Within a transaction the view would stand still.
    await beside.execute("select pg_stat_clear_snapshot()")
    found = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%into numbers%'"
    return [pid for (pid,) in await beside.fetch(found)]


async def numbers(database: PostgresDatabase) -> list[int]:
    return [number for (number,) in await database.query("select number from numbers order by number")]


async def test_writes_of_one_tick_share_one_commit(database: PostgresDatabase) -> None:
    assert await add(database, *range(60)) == [[(number,)] for number in range(60)]
    assert await database.query("select count(distinct transaction) from numbers") == [(1,)]


async def test_every_caller_gets_its_own_rows(database: PostgresDatabase) -> None:
    reads = (database.read(MANY, {"number": number, "word": None}) for number in (3, 0, 1, 3))
    assert await asyncio.gather(*reads) == [[(1,), (2,), (3,)], [], [(1,)], [(1,), (2,), (3,)]]


async def test_what_many_ask_alike_is_asked_once(database: PostgresDatabase) -> None:
    reads = (database.read(COUNT, {"number": number, "word": "same"}) for number in (7,) * 20 + (8,) * 20)
    assert await asyncio.gather(*reads) == [[(2,)]] * 40


async def test_a_row_that_fails_fails_alone(database: PostgresDatabase) -> None:
    found = await add(database, 1, 2, 1, 3, 2**70, "x", 4)
    assert [each for each in found if isinstance(each, list)] == [[(1,)], [(2,)], [(3,)], [(4,)]]
    assert [type(each) for each in found if not isinstance(each, list)] == [
        asyncpg.UniqueViolationError,
        Unstorable,
        Unstorable,
    ]
    assert await numbers(database) == [1, 2, 3, 4]
    assert await add(database, 5) == [[(5,)]]


async def test_nothing_is_found_by_what_postgres_cannot_hold(database: PostgresDatabase) -> None:
    await add(database, 1)
    asked = ({"number": 1, "word": None}, {"number": 0, "word": "a\0b"})
    assert await asyncio.gather(*(database.read(READ, each) for each in asked)) == [[(1,)], []]
    assert await database.query("select 1 where $1 = 'a'", "a\0") == []
    with pytest.raises(Unstorable):
        await database.write(ADD, {"number": 2, "word": "a\0b"})


@pytest.mark.parametrize(("batch", "batches"), [(1, 2), (64, 1)], ids=["full", "small"])
async def test_a_full_batch_flies_beside_another_and_a_small_one_waits(
    dsn: str, database: PostgresDatabase, beside: Any, batch: int, batches: int
) -> None:
    crowded = await opened(dsn, batch=batch, pool=4)
    try:
        async with beside.transaction():
            await beside.execute("lock table numbers")
            first = asyncio.create_task(add(crowded, 1))
            while not await waiting(beside):
                await asyncio.sleep(0.01)
            others = asyncio.create_task(add(crowded, 2, 3, 4))
            while len(await waiting(beside)) < batches:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            assert len(await waiting(beside)) == batches
        assert [*await first, *await others] == [[(1,)], [(2,)], [(3,)], [(4,)]]
    finally:
        await crowded.close()


async def test_a_transaction_that_raises_leaves_nothing(database: PostgresDatabase) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        raise KeyError

    with pytest.raises(KeyError):
        await database.transact(work)
    assert await numbers(database) == []


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 5, 8, 20])
async def test_a_transaction_whose_caller_goes_away_is_rolled_back(database: PostgresDatabase, ticks: int) -> None:
    never = asyncio.Event()

    async def work(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values ($1)", 1)
        await never.wait()

    task = asyncio.create_task(database.transact(work))
    for _ in range(ticks):
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await add(database, 2) == [[(2,)]]
    assert await numbers(database) == [2]


async def test_a_caller_that_goes_away_does_not_take_its_write_back(database: PostgresDatabase) -> None:
    task = asyncio.create_task(database.write(ADD, {"number": 1, "word": None}))
    await asyncio.sleep(0)
    task.cancel()
    await add(database, 2)
    assert await numbers(database) == [1, 2]


async def test_a_transaction_in_the_way_of_another_is_tried_again(database: PostgresDatabase, beside: Any) -> None:
    """A deadlock: each holds what the other wants, and the server ends one of them."""
    await add(database, 1, 2)
    tries = []

    async def work(transaction: Transaction) -> None:
        tries.append(1)
        await transaction.execute("update numbers set word = 'ours' where number = 2")
        if len(tries) == 1:
            blocked.set()
        await transaction.execute("update numbers set word = 'ours' where number = 1")

    blocked = asyncio.Event()
    async with beside.transaction():
        # The other one is patient: the server ends ours.
        await beside.execute("set local deadlock_timeout = '60s'")
        await beside.execute("update numbers set word = 'theirs' where number = 1")
        ours = asyncio.create_task(database.transact(work))
        await blocked.wait()
        await beside.execute("update numbers set word = 'theirs' where number = 2")
    await ours
    # On a busy machine ours may be back before the other one has taken what it waited for, and be in its way once more.
    assert len(tries) >= 2
    assert await database.query("select distinct word from numbers") == [("ours",)]


@pytest.mark.parametrize("statement", [ADD, ADD_ONCE], ids=["repeatable", "not"])
async def test_a_write_whose_connection_breaks_is_repeated_only_where_it_may_be(
    database: PostgresDatabase, beside: Any, statement: Statement
) -> None:
    async with beside.transaction():
        await beside.execute("lock table numbers")
        writing = asyncio.gather(*(add(database, number, statement=statement) for number in range(3)))
        while not (pids := await waiting(beside)):
            await asyncio.sleep(0.01)
        await beside.fetch("select pg_terminate_backend(pid) from unnest($1::int[]) pid", pids)
    found = [each for [each] in await writing]
    if statement is ADD:
        assert found == [[(0,)], [(1,)], [(2,)]]
        assert await numbers(database) == [0, 1, 2]
    else:
        assert all(isinstance(each, Unavailable) for each in found)
        assert await numbers(database) == []
    # One broken connection is no outage.
    assert await add(database, 7) == [[(7,)]]


async def test_a_transaction_that_our_rules_refuse_costs_no_connection(database: PostgresDatabase) -> None:
    async def refuse(transaction: Transaction) -> None:
        await transaction.execute("insert into numbers values (1)")
        raise ThreadNotFound

    [before] = await database.query("select pg_backend_pid()")
    for _ in range(3):
        with pytest.raises(ThreadNotFound):
            await database.transact(refuse)
    assert await database.query("select pg_backend_pid()") == [before]
    assert await numbers(database) == []


async def test_a_statement_that_takes_too_long_is_refused_and_no_outage(dsn: str) -> None:
    database = await opened(dsn, patience=timedelta(seconds=0.3))
    try:
        with pytest.raises(Unavailable):
            await database.read(WAIT, {"number": 1, "word": None})
        assert await database.query("select 1") == [(1,)]
    finally:
        await database.close()


async def test_commits_last_whatever_the_role_says(cluster: Cluster, dsn: str) -> None:
    administrator = await asyncpg.connect(dsn)
    await administrator.execute("create role careless login password 'x' superuser")
    await administrator.execute("alter role careless set synchronous_commit = off")
    await administrator.close()
    careless = dsn.replace("//watchword:", "//careless:").replace(cluster.password, "x")
    database = await opened(careless)
    try:
        # Over and over: the pool must not take it back between uses.
        for _ in range(3):
            assert await database.query("show synchronous_commit") == [("on",)]
    finally:
        await database.close()
    with pytest.raises(OperatorError, match="synchronous_commit = off"):
        await opened(careless, statement_cache=False)


async def test_whoever_waits_for_standbys_to_apply_goes_on_doing_so(dsn: str) -> None:
    database = await opened(f"{dsn}&synchronous_commit=remote_apply")
    try:
        assert await database.query("show synchronous_commit") == [("remote_apply",)]
    finally:
        await database.close()


async def test_without_prepared_statements_everything_works_too(dsn: str, beside: Any) -> None:
    """As behind a pooler: the session is not ours, so nothing is set in it and nothing left."""
    database = await opened(dsn, statement_cache=False)
    try:
        await beside.execute("create table numbers (number bigint primary key, word text, transaction bigint)")
        assert await add(database, 1, 2) == [[(1,)], [(2,)]]
        assert await database.query("show jit") == await database.query(
            "select reset_val from pg_settings where name = 'jit'"
        )
        assert await database.query("select count(*) from pg_prepared_statements") == [(0,)]
    finally:
        await database.close()
