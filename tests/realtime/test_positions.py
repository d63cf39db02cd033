"""How far sockets have come, as their rows say it: many in one statement, and nothing after the end of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from tests.support.clock import stopped_clock
from watchword.errors import Unavailable
from watchword.measurements import RealtimeCounts
from watchword.realtime.arrivals import Arrivals
from watchword.realtime.handover import Handover
from watchword.realtime.positions import Positions
from watchword.realtime.roster import Roster
from watchword.realtime.seals import Ticket
from watchword.realtime.session import Session
from watchword.realtime.store import Claim, Reached, RegistrationStore
from watchword.storage import Database, Row
from watchword.testing import MovableClock
from watchword.tokens.claims import Claims

MANY = 1_203
_INSERT = """
    insert into registrations (number, resource, subject, epid, epoch, position, claim, holder, is_open, seen_millis)
    values ($1, 1, $2, 'e', 'e', 7, 1, 1, 1, 1)
"""


@dataclass
class History:
    epoch: str = "e"
    low: int = 7


class Recorded(RegistrationStore):
    """Also says how many were moved at once, and is out of reach for as often as it is told."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.sizes: list[int] = []
        self.failures: list[Exception] = []

    async def move(self, moved: Iterable[tuple[Claim, Reached]], *, now_millis: int) -> None:
        rows = list(moved)
        self.sizes.append(len(rows))
        if self.failures:
            raise self.failures.pop()
        await super().move(rows, now_millis=now_millis)


class World:
    """A host of sessions which hold their registrations, without sockets."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.history = History()
        self.store = Recorded(database)
        self.positions = Positions(self.history, self.store, stopped_clock())
        self.counts = RealtimeCounts()

    async def sessions(self, count: int) -> list[Session]:
        """They are of users with numbers from 0 on, at position 7; each holds the registration of its number."""
        rows = [(number, f"acs:{number}") for number in range(count)]
        await self.database.transact(lambda transaction: transaction.execute_many(_INSERT, rows))
        return [self.session(number) for number in range(count)]

    def session(self, number: int) -> Session:
        session = self.begun(number)
        session.resume(Reached("e", 7), 7)
        session.outbox.go_live()
        return session

    def begun(self, number: int) -> Session:
        """It has not taken its registration over yet."""
        ticket = Ticket(b"", claims(f"acs:{number}"), "kid", 1, "e", "ccid", 10**15)
        return Session(self, ticket, Claim(number, 1, is_contested=False))

    async def rows(self) -> set[Row]:
        return set(await self.database.query("select subject, position, is_open from registrations"))

    # -- What sessions say.

    def begin(self, session: Session) -> None:
        raise AssertionError("nobody has a socket")

    def leave(self, session: Session) -> asyncio.Future[list[Row]] | None:
        return self.positions.leave(session)

    def note_answer(self, session: Session) -> None:
        self.positions.note(session)

    def await_answers(self, session: Session, are_due: bool) -> None:
        """Nobody looks for those who do not answer."""


def claims(subject: str) -> Claims:
    return Claims(
        skypeid=subject,
        scp=1,
        csi="0",
        exp=9,
        rgn="",
        acsScope="chat",
        resourceId="",
        resourceLocation="",
        iat=1,
        jti="",
        iatMicros=1,
        gen=1,
        resourceGen=1,
    )


async def test_many_are_moved_in_few_statements(database: Database) -> None:
    world = World(database)
    for session in await world.sessions(MANY):
        world.positions.note(session)
    world.history.low = 50
    await world.positions.write_moved()
    assert sorted(world.store.sizes) == [203, 500, 500]
    assert await world.rows() == {(f"acs:{number}", 50, 1) for number in range(MANY)}
    await world.positions.write_moved()
    assert len(world.store.sizes) == 3


async def test_what_could_not_be_written_is_written_later_of_those_that_are_still_there(database: Database) -> None:
    world = World(database)
    sessions = await world.sessions(MANY)
    for session in sessions:
        world.positions.note(session)
    world.history.low = 50
    for error in (Unavailable(timedelta()), RuntimeError("as nobody expected it")):
        world.store.failures.append(error)
        await world.positions.write_moved()
        # The others were not tried in vain.
        assert len(world.store.sizes) == 1, error
        world.store.sizes.clear()
    ended = await _last_word(sessions[0])
    world.history.low = 60
    await world.positions.write_moved()
    assert sum(world.store.sizes) == MANY - 1
    assert await world.rows() == {ended, *((f"acs:{number}", 60, 1) for number in range(1, MANY))}


async def test_who_has_ended_is_not_written_open_again(database: Database) -> None:
    """Whichever comes first: its end, or that its position is to be written."""
    world = World(database)
    before, meanwhile, behind = await world.sessions(3)
    words = {await _last_word(before)}
    for session in (before, meanwhile, behind):
        world.positions.note(session)
    world.history.low = 60
    writing = asyncio.ensure_future(world.positions.write_moved())
    while not world.store.sizes:
        await asyncio.sleep(0)
    words.add(await _last_word(meanwhile))
    await writing
    words.add(await _last_word(behind))
    assert world.store.sizes == [2]
    assert await world.rows() == words == {("acs:0", 7, 0), ("acs:1", 60, 0), ("acs:2", 60, 0)}
    for session in (before, meanwhile, behind):
        await world.store.move([(session.claim, Reached("e", 99))], now_millis=1)
    assert await world.rows() == words


async def test_a_socket_that_cannot_begin_leaves_no_open_row(database: Database) -> None:
    class Unreachable:
        async def follow_resource(self, resource: int) -> Any:
            raise Unavailable(timedelta())

    world, nobody = World(database), cast(Any, None)
    await world.sessions(1)
    nobody_holds_it = "update registrations set holder = 0, is_open = 0"
    await database.transact(lambda transaction: transaction.execute(nobody_holds_it))
    session = world.begun(0)
    arrivals = Arrivals(
        hub=cast(Any, Unreachable()),
        roster=Roster(),
        handover=Handover(nobody, Roster()),
        endings=nobody,
        narrator=nobody,
        store=world.store,
        counts=world.counts,
        clock=MovableClock(),
        turns=asyncio.Semaphore(1),
        leave=world.leave,
    )
    closed: list[int] = []
    session._socket = cast(Any, type("Closed", (), {"close": lambda _, code: closed.append(code)})())
    await arrivals.begin(session)
    assert closed == [1013]
    assert await world.rows() == {("acs:0", 7, 0)}


async def _last_word(session: Session) -> Row:
    """What its row says once it has ended."""
    written = session.retire()
    assert written is not None
    await written
    reached = session.reach("e", 0)
    return session.subject, reached.position, 0
