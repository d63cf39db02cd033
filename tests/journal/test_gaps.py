"""Transactions commit in another order than they drew their ids: nothing waits, and nothing is missed.

On SQLite there is one writer at a time, and an id that is missing was rolled back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import asyncpg
import pytest

from tests.journal.support import RESOURCE, Ear, House, append
from tests.support.engines import Place
from tests.support.polling import until_async
from tests.support.postgres import Cluster
from watchword.journal.entries import Interest
from watchword.journal.journal import Journal
from watchword.journal.statements import APPEND

Work = Callable[[Any], Awaitable[None]]

ON_POSTGRES = pytest.mark.parametrize("place", ["postgres"], indirect=True)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def appending(place: Place, reference: str) -> AsyncIterator[Any]:
    """A transaction of somebody else's, which has drawn an id and goes on; it is rolled back unless it commits."""
    async with connected(place.settings.database) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(APPEND, RESOURCE, 7, 1, "messageReceived", reference, 5)
        yield transaction


class Dropped(Exception):
    """Whoever changes their mind about a transaction."""


async def writer(house: House) -> Callable[[Work], Awaitable[object]]:
    """Carries out transactions of its own, beside those of others where the engine can."""
    if not house.place.is_postgres:
        return (await house.database()).transact
    connection = await house.stack.enter_async_context(connected(house.place.settings.database))

    async def transact(work: Work) -> None:
        async with connection.transaction():
            await work(connection)

    return transact


async def no_gaps(journal: Journal) -> None:
    async def look() -> int:
        return journal.gaps

    await until_async(look, lambda gaps: gaps == 0, 30)


async def looked(journal: Journal) -> None:
    """Returns after looks that began later than this."""
    began = perf_counter()

    async def age() -> float:
        return perf_counter() - journal.view_age_seconds

    await until_async(age, lambda looked: looked > began, 30)


async def low(ear: Ear) -> int:
    return int(ear.positions[-1].rpartition(".")[2])


@ON_POSTGRES
async def test_what_commits_later_is_heard_at_once_and_the_entry_below_it_when_it_appears(
    house: House, place: Place
) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    async with appending(place, "early") as transaction:
        for number in range(20):
            await append(database, f"late {number}")
        late = [f"late {number}" for number in range(20)]
        await ear.hears(*late)
        assert journal.gaps == 1
        assert journal.oldest_gap_seconds > 0
        # Others are told to come back to before the gap.
        assert await low(ear) == ear.entries[0].id - 2
        await transaction.commit()
        await ear.hears("early", *late)
    await no_gaps(journal)
    await append(database, "last")
    await ear.until(lambda ear: ear.references[-1] == "last")
    assert await low(ear) == ear.entries[-1].id


@ON_POSTGRES
async def test_an_id_that_was_rolled_back_is_forgotten(house: House, place: Place) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    async with appending(place, "never") as transaction:
        await append(database, "late")
        await ear.hears("late")
        assert journal.gaps == 1
        await transaction.rollback()
    await no_gaps(journal)
    assert ear.references == ["late"]


@ON_POSTGRES
async def test_an_entry_that_was_under_way_when_somebody_began_to_follow_is_heard(house: House, place: Place) -> None:
    journal, database = await house.node(), await house.database()
    async with appending(place, "under way") as transaction:
        await append(database, "before")
        ear = await house.ear(journal)
        await transaction.commit()
        await append(database, "after")
        await ear.hears("under way", "after")


@ON_POSTGRES
@pytest.mark.parametrize("begins_late", [False, True], ids=["a look", "a start"])
@pytest.mark.parametrize("others_go_on", [False, True], ids=["alone", "with an older one"])
async def test_an_entry_of_the_newest_transaction_is_heard_whoever_ends_before_it(
    house: House, place: Place, *, begins_late: bool, others_go_on: bool
) -> None:
    """A snapshot reaches to the last transaction that has ended; what began behind that and goes on is not in it."""
    journal, database = await house.node(), await house.database()
    ear = None if begins_late else await house.ear(journal)
    async with connected(place.settings.database) as oldest, connected(place.settings.database) as older:
        going_on, ending = oldest.transaction(), older.transaction()
        for connection, transaction in ((oldest, going_on), (older, ending)):
            await transaction.start()
            await connection.execute("select pg_current_xact_id()")
        async with appending(place, "early") as newest:
            await older.execute(APPEND, RESOURCE, 7, 1, "messageReceived", "late", 5)
            if not others_go_on:
                await going_on.commit()
            await ending.commit()
            if ear is None:
                ear = await house.ear(journal)
            else:
                await ear.hears("late")
            if others_go_on:
                await going_on.commit()
            await looked(journal)
            assert journal.gaps == 1
            await newest.commit()
        await ear.hears(*(["early"] if begins_late else ["late", "early"]))
    await append(database, "last")
    await no_gaps(journal)


@ON_POSTGRES
async def test_a_forgotten_session_in_another_database_stops_nothing(
    house: House, place: Place, cluster: Cluster
) -> None:
    """It keeps `xmin` where it is; so gaps stay, but every entry is heard, also those that fill a gap."""
    journal, database = await house.node(), await house.database()
    async with connected(cluster.dsn("template1")) as forgotten:
        neighbour = forgotten.transaction()
        await neighbour.start()
        await forgotten.execute("select pg_current_xact_id()")
        ear = await house.ear(journal)
        async with appending(place, "rolled back") as transaction:
            await append(database, "first")
            await ear.hears("first")
            await transaction.rollback()
        async with appending(place, "slow") as transaction:
            await append(database, "second")
            await ear.hears("first", "second")
            await transaction.commit()
        await ear.hears("first", "second", "slow")
        assert journal.gaps == 1
        await neighbour.rollback()
    await no_gaps(journal)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_on_sqlite_a_missing_id_is_no_gap(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "gone", "next")
    await ear.hears("gone", "next")
    await database.transact(lambda transaction: transaction.execute("update sqlite_sequence set seq = seq + 5"))
    await append(database, "later")
    await ear.until(lambda ear: "later" in ear.references)
    assert journal.gaps == 0


async def test_among_many_who_commit_and_roll_back_at_once_every_entry_is_heard_once_and_each_thread_in_order(
    house: House, place: Place
) -> None:
    journal = await house.node()
    threads = range(6)
    ear = await house.ear(journal, Interest.of_resource(RESOURCE))
    committed: dict[int, list[str]] = {thread: [] for thread in threads}
    chances = random.Random(13)

    async def write(thread: int) -> None:
        """Each thread's entries come one after another, as a lock on its row has it."""
        transact = await writer(house)
        for number in range(25):
            is_dropped, reference = chances.random() < 0.3, f"{thread} {number}"

            async def work(transaction: Any, reference: str = reference, drop: bool = is_dropped) -> None:
                await transaction.execute(APPEND, RESOURCE, thread, 1, "messageReceived", reference, 5)
                for _ in range(chances.randrange(3)):
                    await transaction.execute("select 1")
                if drop:
                    raise Dropped

            try:
                await transact(work)
            except Dropped:
                continue
            committed[thread].append(reference)

    await asyncio.gather(*(write(thread) for thread in threads))
    every = [reference for references in committed.values() for reference in references]
    await ear.hears(*every)
    for thread in threads:
        assert [entry.reference for entry in ear.entries if entry.thread == thread] == committed[thread]
    await no_gaps(journal)
