"""Calls that arrive together become one batch, and each caller gets its own answer."""

import asyncio

import pytest

from watchword.errors import Unavailable
from watchword.storage.coalescer import Coalescer


class Batches:
    """Answers every number with its double, once the test opens the gate; negative numbers fail alone."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, batch: list[int]) -> list[int | Exception]:
        self.seen.append(batch)
        await self.gate.wait()
        return [number * 2 if number >= 0 else ValueError(number) for number in batch]


async def until_under_way(batches: Batches, count: int = 1) -> None:
    while len(batches.seen) < count:
        await asyncio.sleep(0)


async def test_calls_of_one_tick_share_a_batch_and_keep_their_order() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches)
    assert await asyncio.gather(*map(coalescer.submit, range(5))) == [0, 2, 4, 6, 8]
    assert batches.seen == [[0, 1, 2, 3, 4]]


async def test_a_lone_call_waits_for_nobody() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches)
    assert [await coalescer.submit(number) for number in range(3)] == [0, 2, 4]
    assert batches.seen == [[0], [1], [2]]


async def test_what_arrives_during_a_batch_goes_with_the_next() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches)
    batches.gate.clear()
    first = asyncio.create_task(coalescer.submit(0))
    await until_under_way(batches)
    others = [asyncio.create_task(coalescer.submit(number)) for number in range(1, 4)]
    await asyncio.sleep(0)
    assert batches.seen == [[0]]
    batches.gate.set()
    assert [await task for task in (first, *others)] == [0, 2, 4, 6]
    assert batches.seen == [[0], [1, 2, 3]]


async def test_batches_are_bounded() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches, largest_batch=4)
    assert await asyncio.gather(*map(coalescer.submit, range(10))) == [number * 2 for number in range(10)]
    assert batches.seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_a_call_that_fails_fails_alone() -> None:
    coalescer: Coalescer[int, int] = Coalescer(Batches())
    answers = await asyncio.gather(*map(coalescer.submit, (1, -1, 2)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 4)
    assert isinstance(answers[1], ValueError)


async def test_a_batch_that_fails_whole_is_everybodys_error_and_the_next_one_goes_on() -> None:
    async def execute(batch: list[int]) -> list[int | Exception]:
        if 0 in batch:
            raise ConnectionError
        return list(batch)

    coalescer: Coalescer[int, int] = Coalescer(execute)
    answers = await asyncio.gather(*map(coalescer.submit, (0, 1)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    assert await coalescer.submit(2) == 2


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_a_caller_that_goes_away_cancels_neither_the_batch_nor_the_others(is_under_way: bool) -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches)
    batches.gate.clear()
    gone, stays = (asyncio.create_task(coalescer.submit(number)) for number in (1, 2))
    if is_under_way:
        await until_under_way(batches)
    else:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    batches.gate.set()
    assert await stays == 4
    assert gone.cancelled()
    # Its write was begun or will be: whoever asked for it may have been promised it.
    assert batches.seen == [[1, 2]]


async def test_one_call_too_many_is_refused_before_it_begins() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches, most_waiting=3)
    batches.gate.clear()
    flying = asyncio.create_task(coalescer.submit(0))
    await until_under_way(batches)
    waiting = [asyncio.create_task(coalescer.submit(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await coalescer.submit(4)
    batches.gate.set()
    assert [await task for task in (flying, *waiting)] == [0, 2, 4, 6]
    assert batches.seen == [[0], [1, 2, 3]]


async def test_settling_waits_for_everything_that_was_submitted() -> None:
    batches = Batches()
    coalescer: Coalescer[int, int] = Coalescer(batches, largest_batch=1)
    batches.gate.clear()
    tasks = [asyncio.create_task(coalescer.submit(number)) for number in range(3)]
    await until_under_way(batches)
    settling = asyncio.create_task(coalescer.settle())
    await asyncio.sleep(0)
    assert not settling.done()
    batches.gate.set()
    await settling
    assert batches.seen == [[0], [1], [2]]
    assert [task.result() for task in tasks if task.done()] == [0, 2, 4]
