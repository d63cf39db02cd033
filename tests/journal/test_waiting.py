"""How those who wait learn of what others commit: by wake-ups, else by looking; never by nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter

import pytest

from watchword.errors import Unavailable
from watchword.journal import waiting as module
from watchword.journal.waiting import Poll, Waiting


class Counter:
    """A position that others move; it can be out of reach."""

    def __init__(self) -> None:
        self.position = 0
        self.looks = 0
        self.is_away = False
        self.alarms = 0

    async def read(self) -> int:
        self.looks += 1
        if self.is_away:
            raise Unavailable(timedelta(seconds=1))
        return self.position

    def alarm(self) -> None:
        self.alarms += 1


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def waiting(counter: Counter) -> Waiting:
    return Waiting(counter.read, counter.alarm)


async def someone(waiting: Waiting, known: int = 0, seconds: float = 30) -> asyncio.Task[None]:
    task = asyncio.create_task(waiting.move_beyond(known, seconds, perf_counter()))
    await asyncio.sleep(0)
    return task


async def test_a_move_that_nobody_tells_of_is_found_by_looking(counter: Counter, waiting: Waiting) -> None:
    waiter = await someone(waiting)
    counter.position = 1
    await asyncio.wait_for(waiter, 20)
    assert waiting.count == 0


async def test_a_wake_up_without_a_move_answers_nobody(counter: Counter, waiting: Waiting) -> None:
    waiter = await someone(waiting)
    for _ in range(5):
        seen = counter.looks
        waiting.wake()
        while counter.looks == seen:
            await asyncio.sleep(0)
    assert not waiter.done()
    waiting.close()
    await asyncio.wait_for(waiter, 20)


async def test_a_database_that_is_away_is_told_once_and_found_again(counter: Counter, waiting: Waiting) -> None:
    counter.is_away = True
    waiter = await someone(waiting)
    while counter.looks < 3:
        waiting.wake()
        await asyncio.sleep(0)
    assert counter.alarms == 1
    counter.position, counter.is_away = 1, False
    await asyncio.wait_for(waiter, 20)


async def test_everybody_who_waits_is_answered_when_it_closes_and_nobody_waits_after(
    counter: Counter, waiting: Waiting
) -> None:
    waiters = [await someone(waiting) for _ in range(3)]
    waiting.close()
    await asyncio.wait_for(asyncio.gather(*waiters, waiting.move_beyond(0, 30, perf_counter())), 20)


async def test_nothing_is_looked_at_while_nobody_waits(counter: Counter, waiting: Waiting) -> None:
    waiter = await someone(waiting, seconds=0.01)
    await waiter
    while waiting.is_looking:
        await asyncio.sleep(0)
        waiting.wake()
    seen = counter.looks
    waiting.wake()
    await asyncio.sleep(0)
    assert counter.looks == seen


@pytest.mark.parametrize("are_all_told", [True, False])
async def test_where_everybody_can_tell_looks_grow_rare_until_somebody_does(
    counter: Counter, are_all_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)

    async def look() -> None:
        await counter.read()

    idle = 3_600.0 if are_all_told else 0.0
    poll = Poll(look, is_wanted=lambda: True, alarm=counter.alarm, rest_seconds=0.0001, idle_seconds=idle)
    poll.start(perf_counter())
    try:
        # 1 ms, 2, 4 and so on: the fourteenth would be made after 8 s.
        while counter.looks < 8 or (not are_all_told and counter.looks < 100):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)
        assert (counter.looks < 14) == are_all_told
        seen = counter.looks
        poll.nudge()
        async with asyncio.timeout(20):
            # Another follows soon: who has told something may tell more.
            while counter.looks < seen + 3:
                await asyncio.sleep(0.001)
    finally:
        await poll.end()
