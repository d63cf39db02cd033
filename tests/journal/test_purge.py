"""Entries go after the time for which they are kept, whatever a clock says, and nobody who follows misses one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.journal.support import RESOURCE, House
from tests.support.clock import stopped_clock
from watchword.journal import purge as purges
from watchword.journal.purge import Purge
from watchword.journal.statements import APPEND
from watchword.storage import Database, Transaction
from watchword.testing import MovableClock

KEPT = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> MovableClock:
    return stopped_clock()


@pytest.fixture
def purge(database: Database, clock: MovableClock) -> Purge:
    return Purge(database, clock, KEPT // timedelta(microseconds=1))


async def appended(database: Database, clock: MovableClock, count: int, wrong: timedelta = timedelta(0)) -> None:
    """By a node whose clock may be wrong."""
    moment = clock.micros() + wrong // timedelta(microseconds=1)

    async def work(transaction: Transaction) -> None:
        for number in range(count):
            await transaction.execute(APPEND, RESOURCE, 7, number, "messageReceived", "x", moment)

    await database.transact(work)


async def left(database: Database) -> int:
    [(count,)] = await database.query("select count(*) from journal")
    return int(count)


async def minutes_pass(purge: Purge, clock: MovableClock, minutes: int) -> None:
    for _ in range(minutes):
        clock.move(MINUTE)
        await purge.watch()
        await purge.purge()


async def test_an_entry_goes_once_it_was_kept_for_long_enough(
    database: Database, purge: Purge, clock: MovableClock
) -> None:
    await appended(database, clock, 10)
    await purge.watch()
    await minutes_pass(purge, clock, 59)
    assert await left(database) == 10
    await minutes_pass(purge, clock, 2)
    assert await left(database) == 0
    assert purge.backlog_seconds == 0


async def test_whoever_starts_to_watch_waits_ten_minutes_with_what_seems_to_be_old(
    database: Database, purge: Purge, clock: MovableClock
) -> None:
    """So what a node appends whose clock is a day behind is there for those who were away for a moment."""
    await appended(database, clock, 10, wrong=timedelta(days=-1))
    await purge.watch()
    await minutes_pass(purge, clock, 9)
    assert await left(database) == 10
    assert purge.backlog_seconds > timedelta(hours=22).total_seconds()
    await minutes_pass(purge, clock, 2)
    assert await left(database) == 0
    assert purge.backlog_seconds == 0


async def test_a_clock_that_is_ahead_keeps_nothing_longer(
    database: Database, purge: Purge, clock: MovableClock
) -> None:
    await appended(database, clock, 10, wrong=timedelta(days=1))
    await purge.watch()
    await minutes_pass(purge, clock, 59)
    assert await left(database) == 10
    await minutes_pass(purge, clock, 2)
    assert await left(database) == 0


async def test_of_several_nodes_those_whose_clocks_are_right_protect_what_the_others_append(
    database: Database, purge: Purge, clock: MovableClock
) -> None:
    await appended(database, clock, 5, wrong=timedelta(days=-1))
    await appended(database, clock, 5)
    await appended(database, clock, 5, wrong=timedelta(days=-1))
    await purge.watch()
    await minutes_pass(purge, clock, 50)
    assert await left(database) == 15


async def test_however_many_there_are_they_go_in_pieces(
    database: Database, purge: Purge, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges, "PIECE", 7)
    await appended(database, clock, 100)
    await purge.watch()
    clock.move(KEPT + MINUTE)
    assert await purge.purge() == 100
    assert await left(database) == 0


async def test_whoever_follows_hears_everything_while_it_is_purged(house: House) -> None:
    journal, database = await house.node(), await house.database()
    ear, clock = await house.ear(journal), stopped_clock()
    purge = Purge(database, clock, KEPT // timedelta(microseconds=1))
    for turn in range(10):
        await asyncio.gather(appended(database, clock, 20), purge.purge())
        await ear.until(lambda ear: len(ear.entries) == 20 * (turn + 1))  # noqa: B023
        await purge.watch()
        clock.move(KEPT * 2)
    await purge.purge()
    assert ear.starts_anew == 0
    assert await left(database) == 0
    assert [entry.id for entry in ear.entries] == sorted({entry.id for entry in ear.entries})
