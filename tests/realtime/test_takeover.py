"""Sockets of one registration, one after the other: whoever is followed stops and is closed, whatever is under way."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec

from tests.realtime.test_positions import claims
from watchword.journal.entries import Signal
from watchword.measurements import RealtimeCounts
from watchword.realtime.handover import WAIT_SECONDS, Handover
from watchword.realtime.roster import CLAIMED, Roster
from watchword.realtime.seals import Ticket
from watchword.realtime.session import Session
from watchword.realtime.store import Claim
from watchword.storage import Row
from watchword.wire.socket_io import DUPLICATE

REGISTRATION = 5


class Socket:
    """What was said on it, the last thing at last."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.closed = asyncio.Event()

    def send(self, frame: bytes) -> None:
        self.said.append(frame)

    def send_frames(self, frames: bytes) -> None:
        self.said.append(frames)

    def close(self, code: int) -> None:
        self.closed.set()


class House:
    """One process: sessions of one registration, whose positions are never written, and what it says to others."""

    def __init__(self) -> None:
        self.counts = RealtimeCounts()
        self.roster = Roster()
        self.signals: list[Signal] = []
        self.handover = Handover(cast(Any, self), self.roster)

    def signal(self, signal: Signal) -> None:
        self.signals.append(signal)

    def session(self, number: int) -> tuple[Session, Socket]:
        ticket = Ticket(b"", claims("acs:ada"), "kid", 1, "e", "ccid", 10**15)
        session, socket = Session(self, ticket, Claim(REGISTRATION, number, is_contested=False)), Socket()
        return session.open(cast(Any, socket)), socket

    def hears_of(self, number: int) -> None:
        self.handover.hear(Signal(1, 0, CLAIMED, msgspec.json.encode((REGISTRATION, number))))

    # -- What sessions say.

    def begin(self, session: Session) -> None:
        """Nobody tells it anything."""

    def leave(self, session: Session) -> asyncio.Future[list[Row]] | None:
        self.roster.remove(session)
        return asyncio.get_running_loop().create_future()

    def note_answer(self, session: Session) -> None:
        raise AssertionError("nobody answers")

    def await_answers(self, session: Session, are_due: bool) -> None:
        raise AssertionError("nobody is told anything")


async def test_whoever_is_followed_is_closed_however_long_its_position_takes() -> None:
    house = House()
    (old, socket), (new, _) = house.session(1), house.session(2)
    await house.handover.take(old)
    house.roster.add(old)
    async with asyncio.timeout(WAIT_SECONDS * 50):
        await house.handover.take(new)
    assert old.has_ended
    assert (socket.said[-1], socket.closed.is_set()) == (DUPLICATE, True)
    assert house.roster.by_registration == {REGISTRATION: new}


async def test_who_takes_a_registration_over_gives_it_up_to_who_comes_next_elsewhere() -> None:
    """Also before it was read how far the one before came."""
    house = House()
    session, socket = house.session(1)
    await house.handover.take(session)
    house.hears_of(1)
    await asyncio.sleep(0)
    assert not socket.closed.is_set()
    house.hears_of(2)
    async with asyncio.timeout(WAIT_SECONDS * 50):
        await socket.closed.wait()
    assert (session.has_ended, socket.said[-1]) == (True, DUPLICATE)
    assert house.roster.by_registration == {}


async def test_who_has_ended_or_is_followed_already_takes_nothing_over() -> None:
    house = House()
    (old, _), (new, socket), (ended, _) = house.session(1), house.session(2), house.session(3)
    await house.handover.take(new)
    await house.handover.take(old)
    ended.retire()
    await house.handover.take(ended)
    assert house.roster.by_registration == {REGISTRATION: new}
    assert not socket.closed.is_set()
