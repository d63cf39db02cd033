"""Who may issue and purge by which clock, and the bound that no issue time exceeds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.support.engines import Place
from watchword.clock import MonotoneClock
from watchword.errors import WrongClock
from watchword.storage import Database
from watchword.storage.clock_marks import lower_high_water
from watchword.storage.clock_watch import RESERVED_AHEAD, ClockWatch
from watchword.testing import MovableClock

MICROSECOND = timedelta(microseconds=1)
SIX_MINUTES = timedelta(minutes=6)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def watch(database: Database, clock: MovableClock) -> ClockWatch:
    watch = ClockWatch(database, clock, MonotoneClock(clock))
    await watch.look()
    return watch


async def bound(database: Database) -> int:
    [(reserved,)] = await database.query("select reserved_micros from clock")
    return int(reserved)


def purges(watch: ClockWatch) -> bool:
    return watch.may_purge


def ahead(clock: MovableClock, by: timedelta) -> int:
    return clock.micros() + by // MICROSECOND


async def test_nobody_purges_in_the_first_minute(watch: ClockWatch, clock: MovableClock) -> None:
    assert not purges(watch)
    clock.move(timedelta(seconds=59))
    assert not purges(watch)
    clock.move(timedelta(seconds=2))
    assert purges(watch)


@pytest.mark.parametrize("by", [SIX_MINUTES, -SIX_MINUTES, timedelta(hours=26), -timedelta(days=400)])
async def test_a_leap_is_seen_at_once_and_forgiven_when_it_is_undone(
    watch: ClockWatch, clock: MovableClock, by: timedelta
) -> None:
    clock.move(timedelta(minutes=2))
    clock.set_wrong(by)
    assert not purges(watch)
    assert watch.fault is not None
    assert ("ahead" in watch.fault.message) == (by > timedelta(0))
    with pytest.raises(WrongClock):
        await watch.stamp(clock.micros(), 0)
    clock.set_wrong(timedelta(0))
    assert purges(watch)
    await watch.stamp(clock.micros(), 0)


@pytest.mark.parametrize("by", [SIX_MINUTES, -SIX_MINUTES, timedelta(hours=26), -timedelta(days=400)])
async def test_a_clock_that_leaps_is_left_out_of_what_nodes_agree_on(
    watch: ClockWatch, clock: MovableClock, by: timedelta
) -> None:
    clock.move(timedelta(minutes=2))
    right = clock.micros()
    clock.set_wrong(by)
    told = [watch.agreed_micros()]
    await watch.look()
    told.append(watch.agreed_micros())
    assert all(abs(each - right) < timedelta(minutes=1) // MICROSECOND for each in told)


class Leaping:
    """A database whose clock, if it has one, says another time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.leap = timedelta(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def wall_micros(self) -> int | None:
        says = await self._database.wall_micros()
        return None if says is None else says + self.leap // MICROSECOND


@pytest.mark.parametrize("by", [SIX_MINUTES, -SIX_MINUTES, timedelta(hours=26)])
async def test_so_is_a_clock_of_the_database_that_leaps(database: Database, clock: MovableClock, by: timedelta) -> None:
    leaping = Leaping(database)
    watch = ClockWatch(cast(Any, leaping), clock, MonotoneClock(clock))
    told = []
    for leaping.leap in (timedelta(0), by, timedelta(0), by):
        await watch.look()
        told.append(watch.agreed_micros())
    assert all(abs(each - clock.micros()) < timedelta(minutes=1) // MICROSECOND for each in told)


async def test_a_start_with_a_wrong_clock_agrees_with_the_database_where_it_has_a_clock(
    database: Database, place: Place, clock: MovableClock
) -> None:
    right = clock.micros()
    clock.set_wrong(timedelta(hours=26))
    watch = ClockWatch(database, clock, MonotoneClock(clock))
    await watch.look()
    is_right = abs(watch.agreed_micros() - right) < timedelta(minutes=1) // MICROSECOND
    assert is_right == place.is_postgres


async def test_a_jump_that_is_believed_is_agreed_on(watch: ClockWatch, clock: MovableClock, place: Place) -> None:
    clock.set_wrong(timedelta(hours=26))
    await watch.look()
    clock.move(timedelta(minutes=5, seconds=10))
    await watch.look()
    is_believed = abs(watch.agreed_micros() - clock.micros()) < timedelta(minutes=1) // MICROSECOND
    assert is_believed == (not place.is_postgres)


async def test_a_few_minutes_are_no_fault(watch: ClockWatch, clock: MovableClock) -> None:
    clock.set_wrong(timedelta(minutes=4, seconds=50))
    await watch.look()
    assert watch.fault is None


async def test_a_start_with_a_wrong_clock_is_seen_by_the_databases_where_it_has_one(
    database: Database, place: Place, clock: MovableClock
) -> None:
    for by in (timedelta(days=-2), timedelta(hours=26)):
        clock.set_wrong(by)
        watch = ClockWatch(database, clock, MonotoneClock(clock))
        await watch.look()
        assert (watch.fault is not None) == place.is_postgres
        if watch.fault is not None:
            assert abs(abs(watch.distance) - abs(by)) < timedelta(minutes=1)
            assert "compared with the database's" in watch.fault.message
            clock.set_wrong(timedelta(0))
            # A leap, which the database confirms to be right.
            await watch.look()
            assert watch.fault is None


async def test_behind_its_own_issue_times_a_server_without_another_clock_issues_nothing(
    database: Database, place: Place, clock: MovableClock
) -> None:
    high = ahead(clock, timedelta(hours=1))
    await database.transact(
        lambda transaction: transaction.execute("update clock set high_water_micros = $1, reserved_micros = 5", high)
    )
    watch = ClockWatch(database, clock, MonotoneClock(clock, high))
    await watch.look()
    if place.is_postgres:
        assert watch.fault is None
        return
    assert watch.fault is not None
    assert "watchword clock lower" in watch.fault.remedy
    lowered = await database.transact(lambda transaction: lower_high_water(transaction, clock.micros()))
    assert (lowered.before_micros, lowered.reserved_micros) == (high, high)
    # Tokens up to there may exist, so the bound stays.
    assert await bound(database) == high
    await watch.look()
    assert watch.fault is None


async def test_where_nobody_else_can_be_asked_a_leap_is_believed_once_it_has_stood(
    watch: ClockWatch, place: Place, clock: MovableClock
) -> None:
    clock.set_wrong(timedelta(hours=3))
    for minutes in (0, 3, 1):
        clock.move(timedelta(minutes=minutes))
        await watch.look()
        assert watch.fault is not None
    clock.move(timedelta(minutes=2))
    await watch.look()
    assert (watch.fault is None) == (not place.is_postgres)


async def test_no_issue_time_is_given_out_before_its_bound_is_durable(
    watch: ClockWatch, database: Database, clock: MovableClock
) -> None:
    stamp = await watch.stamp(clock.micros(), 0)
    first = await bound(database)
    assert first >= stamp + RESERVED_AHEAD // MICROSECOND
    # What follows within it only reads.
    for _ in range(3):
        stamp = await watch.stamp(clock.micros(), 0)
    assert await bound(database) == first
    far = ahead(clock, timedelta(days=3_650))
    assert await watch.stamp(clock.micros(), far) == far
    assert await bound(database) > far


async def test_the_bound_is_raised_beside_requests_long_before_it_is_reached(
    watch: ClockWatch, database: Database, clock: MovableClock
) -> None:
    await watch.stamp(clock.micros(), 0)
    first = await bound(database)
    clock.move(RESERVED_AHEAD * 0.6)
    assert await watch.stamp(clock.micros(), 0) <= first
    async with asyncio.timeout(10):
        while await bound(database) == first:
            await asyncio.sleep(0.01)
