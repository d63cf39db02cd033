"""The database goes away and comes back, whole or as another history: nothing is missed, or everybody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress

import pytest

from tests.journal.support import House, append
from tests.support.engines import FreshSettings, Place
from tests.support.postgres import Cluster, cluster
from watchword.errors import Unavailable
from watchword.identifiers import new_key_id
from watchword.journal.entries import Signal
from watchword.revocations.store import begin_history
from watchword.storage import Database


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """One that a test may kill."""
    with cluster() as running:
        yield running


@pytest.fixture
async def killable(own_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    loop = asyncio.get_running_loop()
    settings = await loop.run_in_executor(None, lambda: FreshSettings(own_cluster)(database_timeout=1.0))
    async with AsyncExitStack() as stack:
        made = House(Place(settings, tmp_path_factory.mktemp("killable")), stack)
        yield made
        for task in made.listening:
            task.cancel()


async def test_a_database_that_is_killed_loses_nothing_that_was_committed(
    killable: House, own_cluster: Cluster
) -> None:
    ours, theirs, database = await killable.node(), await killable.node(), await killable.database()
    ear, other = await killable.ear(ours), await killable.ear(theirs)
    await append(database, "before")
    await ear.hears("before")
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, own_cluster.kill)
    await loop.run_in_executor(None, own_cluster.start)
    committed = ["before"]
    for number in range(5):
        while True:
            with suppress(Unavailable):
                await append(database, f"after {number}")
                committed.append(f"after {number}")
                break
            await asyncio.sleep(0.02)
    await ear.hears(*committed)
    await other.hears(*committed)
    assert (ear.starts_anew, other.starts_anew) == (0, 0)
    # And nodes hear of each other again, too.
    while not ear.signals:
        theirs.signal(Signal(1, 7, "hello", b""))
        await asyncio.sleep(0.02)


async def go_back(database: Database) -> None:
    """The next id is drawn again."""
    if database.notices() is None:
        sql = "update sqlite_sequence set seq = 1 where name = 'journal'"
    else:
        sql = "select setval(pg_get_serial_sequence('journal', 'id'), 1)"
    await database.transact(lambda transaction: transaction.execute(sql))


async def test_of_another_history_everybody_is_told_and_goes_on_in_it(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "one")
    await ear.hears("one")
    await database.transact(lambda transaction: begin_history(transaction, new_key_id()))
    await ear.until(lambda ear: ear.starts_anew == 1)
    await append(database, "two")
    await ear.until(lambda ear: ear.references == ["one", "two"])
    first, last = ear.positions[0], ear.positions[-1]
    assert first.partition(".")[0] != last.partition(".")[0]


async def test_a_history_that_ends_before_what_was_heard_is_another_one(house: House) -> None:
    """As after a restored copy that kept its epoch: nothing of it is taken for what was heard already."""
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "one", "two")
    await ear.hears("one", "two")
    await database.transact(lambda transaction: transaction.execute("delete from journal where reference = 'two'"))
    await go_back(database)
    await ear.until(lambda ear: ear.starts_anew == 1)
    await append(database, "three")
    await ear.until(lambda ear: "three" in ear.references)


async def test_who_is_away_until_what_comes_next_is_purged_starts_anew_and_is_told(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear = await house.ear(journal)
    await append(database, "heard")
    await ear.hears("heard")
    store, closed = journal._follower._store, await house.place.open()
    await closed.close()
    within_reach, store._database = store._database, closed
    await append(database, "missed", "kept")
    await database.transact(lambda transaction: transaction.execute("delete from journal where reference <> 'kept'"))
    # By now a look that was under way has ended.
    journal._follower._tail._looked -= 3_600  # type: ignore[union-attr]
    store._database = within_reach
    await ear.until(lambda ear: ear.starts_anew == 1)
    await append(database, "after")
    await ear.until(lambda ear: ear.references == ["heard", "after"])
