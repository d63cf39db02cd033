"""What waits on its way out of a socket: in which order it leaves, and what of it when its message is deleted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from watchword.realtime.outbox import MOST_UNANSWERED, Outbox, Told
from watchword.wire.realtime_events import Push

ADA = "acs:ada"


@dataclass
class Slow:
    """A client that takes pushes, or does not."""

    subject: str = ADA
    is_full: bool = True
    taken: list[str] = field(default_factory=list)

    def write(self, id: int, told: Told) -> None:
        self.taken.append(told.push.before.decode())

    def overflow(self) -> None:
        raise AssertionError("so much was not to wait")


def message(id: int, text: str, *, author: str = "") -> Told:
    return Told(id, 1, push(text), author=author, message=id)


def deletion(entry: int, of: int) -> Told:
    return Told(entry, 1, push(f"{of} is gone"), message=of, is_deletion=True)


def push(text: str) -> Push:
    return Push(text.encode(), names_recipient_twice=False)


def live(client: Slow) -> Outbox:
    outbox = Outbox(client)
    outbox.go_live()
    return outbox


def test_what_waits_for_a_slow_client_has_no_text_once_it_is_deleted() -> None:
    client = Slow()
    outbox = live(client)
    of_another_thread = Told(4, 2, push("another"), message=1)
    for told in (message(1, "one"), message(2, "two"), of_another_thread, deletion(5, of=1)):
        outbox.tell(told)
    assert client.taken == []
    client.is_full = False
    outbox.send_waiting()
    assert client.taken == ["1 is gone", "two", "another", "1 is gone"]


async def test_a_message_that_waits_for_its_own_answer_has_none_either() -> None:
    client = Slow(is_full=False)
    outbox = live(client)
    outbox.tell(message(1, "one", author=ADA))
    outbox.tell(deletion(2, of=1))
    assert client.taken == []
    while len(client.taken) < 2:
        await asyncio.sleep(0)
    assert client.taken == ["1 is gone", "1 is gone"]


async def test_what_is_read_anew_comes_behind_a_message_that_waits_for_its_own_answer() -> None:
    client = Slow(is_full=False)
    outbox = live(client)
    outbox.tell(message(1, "one", author=ADA))
    outbox.go_back(None)
    outbox.repeat(message(2, "two"))
    outbox.repeat(Told(3, 2, push("another"), message=1))
    outbox.tell(message(4, "four"))
    outbox.go_live()
    while len(client.taken) < 4:
        await asyncio.sleep(0)
    assert client.taken == ["another", "one", "two", "four"]


@pytest.mark.parametrize("is_read_before", [True, False])
def test_nor_has_what_is_told_of_the_time_before_the_socket(is_read_before: bool) -> None:
    client = Slow()
    outbox = Outbox(client)
    if is_read_before:
        outbox.repeat(message(1, "one"))
    outbox.tell(message(2, "two"))
    outbox.tell(deletion(3, of=1))
    outbox.tell(deletion(4, of=2))
    if not is_read_before:
        outbox.repeat(message(1, "one"))
    outbox.go_live()
    client.is_full = False
    outbox.send_waiting()
    assert client.taken == ["1 is gone", "2 is gone", "1 is gone", "2 is gone"]


def test_a_cut_while_it_is_told_what_it_missed_goes_back_no_further_than_it_came() -> None:
    outbox = Outbox(Slow(is_full=False))
    outbox.resume(0, ())
    for id in (1, 2, 3):
        outbox.repeat(message(id, str(id)))
    assert outbox.window.answer(1)
    assert outbox.reach(9) == (0, [1])
    outbox.come_to(3)
    # Else what was answered above would gather from cut to cut, and no more than so much of it is remembered.
    assert outbox.reach(9) == (1, [])
    for push_number in (2, 3):
        assert outbox.window.answer(push_number)
    assert outbox.reach(9) == (3, [])


async def test_whoever_waits_for_room_goes_when_there_is_some_or_the_turn_is_anothers() -> None:
    client = Slow()
    outbox = live(client)
    for number in range(1, MOST_UNANSWERED + 2):
        outbox.tell(message(number, str(number)))
    first, beside = (asyncio.create_task(outbox.room(0)) for _ in range(2))
    await asyncio.sleep(0)
    outbox.go_back(None)
    second = asyncio.create_task(outbox.room(1))
    async with asyncio.timeout(20):
        await asyncio.gather(first, beside)
    assert not second.done()
    client.is_full = False
    outbox.send_waiting()
    async with asyncio.timeout(20):
        await second


async def test_nobody_waits_for_room_in_an_outbox_that_is_cleared() -> None:
    outbox = live(Slow())
    for number in range(1, MOST_UNANSWERED + 2):
        outbox.tell(message(number, str(number)))
    waiting = [asyncio.create_task(outbox.room(0)) for _ in range(3)]
    await asyncio.sleep(0)
    outbox.clear()
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)
