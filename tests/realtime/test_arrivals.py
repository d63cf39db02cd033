"""A socket that is told what it missed, where reading that goes wrong, or its client takes it slowly."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest

from tests.realtime.test_outbox import Slow, live, message
from watchword.http.conversation import NORMAL
from watchword.realtime import arrivals as module
from watchword.realtime.arrivals import Arrivals
from watchword.realtime.outbox import MOST_UNANSWERED
from watchword.realtime.roster import Roster
from watchword.realtime.session import Session


class Broken(Roster):
    def of_user(self, session: Session) -> Any:
        raise RuntimeError("as nobody expected it")


class Socket:
    """What `again` asks of a session."""

    def __init__(self) -> None:
        self.has_ended = False
        self.code: int | None = None

    def end(self, frame: bytes | None = None, code: int = NORMAL) -> None:
        assert frame is None
        self.has_ended, self.code = True, code


def alone(roster: Roster) -> Arrivals:
    nobody = cast(Any, None)
    return Arrivals(
        hub=nobody,
        roster=roster,
        handover=nobody,
        endings=nobody,
        narrator=nobody,
        store=nobody,
        counts=nobody,
        clock=nobody,
        turns=asyncio.Semaphore(1),
        leave=nobody,
    )


async def test_it_ends_so_that_its_client_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    socket = Socket()
    with caplog.at_level(logging.ERROR):
        await alone(Broken()).again(cast(Session, socket))
    assert (socket.has_ended, socket.code) == (True, 1013)
    assert "a realtime socket could not go on" in caplog.text


class Crowded:
    """What is asked of a session whose client has too much waiting for it."""

    def __init__(self) -> None:
        self.client = Slow()
        self.outbox = live(self.client)
        for number in range(1, MOST_UNANSWERED + 2):
            self.outbox.tell(message(number, str(number)))
        self.is_closed = False

    def overflow(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("takes_it", [True, False])
async def test_once_too_many_are_slow_another_one_has_longer_before_it_is_closed(
    takes_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_SLOW", 1)
    monkeypatch.setattr(module, "_ROOM_SECONDS", 0.02)
    monkeypatch.setattr(module, "_LONGEST_SECONDS", 20.0 if takes_it else 0.02)
    arrivals, session = alone(Roster()), Crowded()
    async with arrivals.turns:
        waiting = asyncio.create_task(arrivals._wait_for_room(cast(Session, session), 0))
        await asyncio.sleep(0)
        # They become too many while it waits, as when all of them come back at once.
        await arrivals.slow.acquire()
        if takes_it:
            await asyncio.sleep(0.1)
            assert not waiting.done()
            session.client.is_full = False
            session.outbox.send_waiting()
        async with asyncio.timeout(20):
            await waiting
        # It has kept its turn.
        assert (session.is_closed, arrivals.turns.locked()) == (not takes_it, True)
