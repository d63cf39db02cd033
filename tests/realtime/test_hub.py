"""The hub of one process, while the journal tells of more than is dealt with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.journal.support import RESOURCE, House, append
from tests.realtime.test_positions import World
from tests.support.clock import stopped_clock
from tests.support.engines import Place
from tests.support.polling import until_async
from watchword.errors import Unavailable
from watchword.journal.entries import Entry, Signal
from watchword.measurements import RealtimeCounts
from watchword.realtime.arrivals import Arrivals
from watchword.realtime.endings import Endings
from watchword.realtime.happenings import Happening, Joining, Named, Part, Parts, Typing
from watchword.realtime.hub import Hub
from watchword.realtime.roster import Roster
from watchword.storage import Database

THREAD, SUBJECT = 7, "acs:0"
NEWEST = 1_000
"""Committed before the user was added, though the number of that is lower."""

NOBODY = cast(Any, None)


class Threads:
    """In each the user is added to it, and nothing else happens; nobody missed anything."""

    async def parts(self, resource: int, subject: str) -> Parts:
        return Parts(NEWEST, [])

    async def tell(self, entries: Sequence[Entry]) -> Sequence[Happening | None]:
        whom, by = [Named(subject=SUBJECT, history_millis=0)], Named(subject="acs:host")
        return [
            Joining(thread="t", kind="participantsAdded", by=by, whom=whom, created_millis=1, message=1)
            for _ in entries
        ]

    async def missed(self, resource: int, subject: str, *, after: int, most: int) -> Sequence[tuple[Part, Entry]]:
        return []

    async def happened(self, thread: int, after: int, most: int) -> Sequence[Entry]:
        return []

    def tell_signal(self, signal: Signal) -> Typing | None:
        return None


class Revocations(Endings):
    """Nothing is revoked; it is known up to where that was asked for."""

    def __init__(self, roster: Roster) -> None:
        super().__init__(roster, NOBODY, live_tokens=NOBODY, clock=NOBODY)
        self.known: list[int] = []

    async def apply(self, feed_cursor: int) -> None:
        self.known.append(feed_cursor)


@pytest.fixture
async def house(place: Place) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(place, stack)


async def telling(
    house: House, roster: Roster, narrator: Threads, revocations: Revocations | None = None
) -> tuple[Hub, Revocations]:
    """A hub that tells what the journal says, until the end of the test."""
    revocations = revocations or Revocations(roster)
    hub = Hub(
        await house.node(),
        narrator,
        roster=roster,
        endings=revocations,
        clock=stopped_clock(),
        counts=RealtimeCounts(),
        hear_signal=NOBODY,
    )
    task = asyncio.create_task(hub.keep_telling(NOBODY))
    house.stack.callback(task.cancel)
    await hub.follow_resource(RESOURCE)
    return hub, revocations


async def test_who_is_added_while_their_threads_are_read_hears_of_the_new_one(house: House) -> None:
    database, roster = await house.database(), Roster()

    class Growing(Threads):
        """The user is added while somebody reads that there is no thread, and reads on until all here know of it."""

        reads = 0

        async def parts(self, resource: int, subject: str) -> Parts:
            self.reads += 1
            if self.reads == 2:
                await append(database, "1", thread=THREAD, kind="participantsAdded")
                await until_async(self.followed, bool, 30)
            return Parts(NEWEST, [Part(THREAD, 0)] if self.reads > 2 else [])

        async def followed(self) -> bool:
            return roster.follows(THREAD)

    narrator = Growing()
    hub, revocations = await telling(house, roster, narrator)
    arrivals = Arrivals(
        hub=hub,
        roster=roster,
        handover=NOBODY,
        endings=revocations,
        narrator=narrator,
        store=NOBODY,
        counts=RealtimeCounts(),
        clock=stopped_clock(),
        turns=asyncio.Semaphore(1),
        leave=NOBODY,
    )
    session = World(database).session(0)
    user = roster.add(session)
    session.outbox.go_back(None)
    await arrivals.again(session)
    assert (list(user.parts), user.known_since, roster.follows(THREAD)) == ([THREAD], NEWEST, True)


async def test_what_is_revoked_does_not_wait_until_what_happened_before_can_be_told(house: House) -> None:
    database, roster = await house.database(), Roster()

    class Away(Threads):
        tries = 0

        async def tell(self, entries: Sequence[Entry]) -> Sequence[Happening | None]:
            self.tries += 1
            raise Unavailable(timedelta())

    narrator = Away()
    _, revocations = await telling(house, roster, narrator)
    await append(database, "1", thread=THREAD, kind="participantsAdded")

    async def tries() -> int:
        return narrator.tries

    await until_async(tries, bool, 30)
    cursor = await _revoke(database)

    async def known() -> int:
        return max(revocations.known)

    await until_async(known, lambda number: number == cursor, 30)


async def test_sockets_that_are_closed_do_not_wait_until_it_is_known_what_is_revoked(house: House) -> None:
    class Unknown(Revocations):
        """The database has told of the journal, and is away when it is asked what is revoked."""

        closed: Sequence[str] = ()

        async def apply(self, feed_cursor: int) -> None:
            raise Unavailable(timedelta())

        def close(self, entries: Sequence[Entry]) -> None:
            self.closed = [*self.closed, *(entry.reference for entry in entries)]

    database, roster = await house.database(), Roster()
    revocations = Unknown(roster)
    await telling(house, roster, Threads(), revocations)
    await append(database, SUBJECT, thread=0, kind="socketsClosed")

    async def closed() -> bool:
        return SUBJECT in revocations.closed

    await until_async(closed, bool, 30)


async def _revoke(database: Database) -> int:
    """As the feed's row says it; the new cursor."""
    await database.transact(lambda transaction: transaction.execute("update feed set cursor = cursor + 1"))
    [(cursor,)] = await database.query("select cursor from feed")
    return int(cursor)
