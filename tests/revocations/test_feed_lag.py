"""How late those who wait are told: never less than it was, and never more than since they were shown nothing new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

import pytest

from tests.support.engines import Place
from watchword.clock import MonotoneClock
from watchword.journal.waiting import POLL_SECONDS
from watchword.measurements import FINE_SECONDS, Histogram
from watchword.resources.store import Resource
from watchword.revocations.feed import Feed
from watchword.revocations.revocations import Revocations
from watchword.revocations.store import RevocationStore
from watchword.storage import Database
from watchword.testing import MovableClock

Both = tuple[Resource, Resource]


class Noting(Histogram, array_like=True):
    """Notes besides when each value came."""

    ended: float = 0.0

    def observe(self, value: float) -> None:
        self.ended = perf_counter()
        super().observe(value)


@pytest.fixture
def answers() -> Noting:
    return Noting.of(FINE_SECONDS)


@pytest.fixture
def feed(store: RevocationStore, answers: Histogram) -> Feed:
    return Feed(store, answers)


@pytest.fixture
async def elsewhere(place: Place, resources: Both, clock: MovableClock) -> AsyncIterator[Revocations]:
    """Another process, whose commits wake nobody here."""
    database: Database = await place.open()
    store = RevocationStore(database)
    yield Revocations(store, Feed(store), MonotoneClock(clock))
    await database.close()


async def a_reader(feed: Feed, resource: Resource) -> asyncio.Task[int]:
    """Waits for news; gives how many rows it was told."""
    cursor = (await feed.page(resource.number, None)).cursor

    async def wait() -> int:
        return len((await feed.wait(resource.number, cursor, 20)).rows)

    before, task = feed.waiting, asyncio.create_task(wait())
    while feed.waiting == before:
        await asyncio.sleep(0)
    return task


async def test_of_what_this_process_commits_the_lag_counts_from_the_acknowledgement(
    feed: Feed, revocations: Revocations, resources: Both, answers: Histogram
) -> None:
    readers = [await a_reader(feed, resources[0]) for _ in range(3)]
    begun = perf_counter()
    await revocations.revoke_token("dead", resources[0].number)
    assert await asyncio.gather(*readers) == [1, 1, 1]
    assert sum(answers.counts) == 3
    assert 0 < answers.sum < 3 * (perf_counter() - begun)


async def test_of_what_another_process_commits_the_lag_is_an_upper_bound(
    feed: Feed, elsewhere: Revocations, resources: Both, answers: Noting
) -> None:
    asked = perf_counter()
    reader = await a_reader(feed, resources[0])
    await asyncio.sleep(POLL_SECONDS * 2)
    await elsewhere.revoke_token("dead", resources[0].number)
    committed = perf_counter()
    assert await reader == 1
    assert sum(answers.counts) == 1
    assert answers.ended - committed < answers.sum < answers.ended - asked


async def test_an_earlier_wake_up_is_not_taken_for_the_news(
    feed: Feed, revocations: Revocations, elsewhere: Revocations, resources: Both, answers: Histogram
) -> None:
    """Whoever slept through a revocation of an hour ago is not an hour late."""
    await revocations.revoke_token("long ago", resources[0].number)
    await asyncio.sleep(POLL_SECONDS * 5)
    asked = perf_counter()
    reader = await a_reader(feed, resources[0])
    await elsewhere.revoke_token("now", resources[0].number)
    assert await reader == 1
    assert 0 < answers.sum < perf_counter() - asked


async def test_who_is_told_nothing_or_did_not_wait_is_not_counted(
    feed: Feed, revocations: Revocations, resources: Both, answers: Histogram
) -> None:
    cursor = (await feed.page(resources[1].number, None)).cursor
    reader = asyncio.create_task(feed.wait(resources[1].number, cursor, 0.1))
    await asyncio.sleep(0)
    await revocations.revoke_token("of the other resource", resources[0].number)
    assert (await reader).rows == []
    assert (await feed.wait(resources[0].number, cursor, 20)).rows != []
    assert sum(answers.counts) == 0


async def test_the_view_is_young_while_somebody_waits_and_has_no_age_else(
    feed: Feed, revocations: Revocations, resources: Both
) -> None:
    assert (feed.waiting, feed.view_age_seconds) == (0, 0.0)
    begun = perf_counter()
    reader = await a_reader(feed, resources[0])
    assert feed.waiting == 1
    assert 0 < feed.view_age_seconds < perf_counter() - begun
    await revocations.revoke_token("dead", resources[0].number)
    await reader
    assert (feed.waiting, feed.view_age_seconds) == (0, 0.0)
