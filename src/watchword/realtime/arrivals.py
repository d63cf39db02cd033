"""How a socket that has just opened comes to hear everything: it takes its registration over, is told what was missed,
and then what happens.

1  whoever had the registration before writes how far it came; a fifth of a second is waited for that
2  its resource is followed; then the positions of the one before do not count any more, and ours begin there
3  is the token still good? from here on a revocation finds us
4  follow the user's threads: what happens from here on is kept
5  read and tell what happened above the position, by thread and in order
6  tell what was kept meanwhile, and go on
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from watchword.clock import Clock
from watchword.errors import Unavailable, WatchwordError
from watchword.journal.entries import Entry
from watchword.measurements import RealtimeCounts
from watchword.realtime.absences import KINDS, absences, came_or_went
from watchword.realtime.endings import Endings
from watchword.realtime.handover import Handover
from watchword.realtime.happenings import Narrator, Part, was_seen
from watchword.realtime.hub import Hub
from watchword.realtime.roster import Roster, User
from watchword.realtime.session import MOST_TRIES, Session
from watchword.realtime.spelling import told_of
from watchword.realtime.store import RegistrationStore
from watchword.wire.socket_io import DUPLICATE

AT_ONCE = 64
"""Sockets that are told what they missed at the same time; others wait for their turn, and hear nothing meanwhile."""

_MOST_READ = 1_000
_SPELLED_AT_ONCE = 100
_ROOM_SECONDS = 0.25
"""How long a client may take what it is sent before others get its turn."""

_MOST_SLOW = 500
_LONGEST_SECONDS = 2.0
"""While there are so many slow ones, how much longer another one keeps its turn before it is closed."""

_TRY_AGAIN = 1013
_AGAIN_SECONDS = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Begins sessions, and begins them again where nobody knows what was missed.

    Whoever takes what it missed slowly gives its turn to others meanwhile; of those there are only so many, for what
    was read for each is kept.
    """

    hub: Hub
    roster: Roster
    handover: Handover
    endings: Endings
    narrator: Narrator
    store: RegistrationStore
    counts: RealtimeCounts
    clock: Clock
    turns: asyncio.Semaphore
    leave: Callable[[Session], object]
    """Writes how far one has come that has ended."""

    slow: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_SLOW))

    async def begin(self, session: Session) -> None:
        """Whatever goes wrong ends this socket alone: its client connects anew."""
        try:
            await self._begin(session)
        except Unavailable:
            session.end(code=_TRY_AGAIN)
        except WatchwordError as error:
            _log.warning("a realtime socket could not begin: %s", error)
            session.end(code=_TRY_AGAIN)
        except Exception:  # noqa: BLE001 - as it says.
            _log.exception("a realtime socket could not begin")
            session.end(code=_TRY_AGAIN)

    async def again(self, session: Session) -> None:
        """Tell it what it has not answered, as at the beginning; it was told to go back.

        Whatever goes wrong ends this socket alone: its client connects anew.
        """
        while not session.has_ended:
            try:
                async with self.turns:
                    await self._catch_up(session)
                return
            except Unavailable:
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:  # noqa: BLE001 - whatever it is, it must not wait for ever for what it missed.
                _log.exception("a realtime socket could not go on")
                session.end(code=_TRY_AGAIN)

    async def _begin(self, session: Session) -> None:
        async with self.turns:
            await self.handover.take(session)
            epoch, low = await self.hub.follow_resource(session.resource)
            reached = await self.store.hold(session.claim, self.clock.micros() // 1_000)
            if reached is None:
                # Another socket came after this one, and is the one that counts.
                session.end(DUPLICATE)
                return
            # Nothing may fail in between: from here on its end is written.
            session.resume(reached, reached.position if reached.epoch == epoch else low)
            if session.has_ended:
                self.leave(session)
                return
            self.roster.add(session)
            if await self.endings.admit(session):
                await self._catch_up(session)

    async def _catch_up(self, session: Session) -> None:
        user = self.roster.of_user(session)
        if session.has_ended or user is None:
            return
        after, turn = session.outbox.base, session.outbox.turn
        # Everything up to here is among what is read from now on; above it an entry may still appear.
        low = self.hub.low
        recalled = self.hub.recall(user, after)
        if recalled is not None:
            self.counts.recalled.value += 1
            await self._repeat(session, recalled, turn, low=low)
        else:
            await self._follow_threads(user)
            await self._read_missed(session, user, after, turn=turn, low=low)
        if _is_current(session, turn):
            session.outbox.go_live()

    async def _read_missed(self, session: Session, user: User, after: int, *, turn: int, low: int) -> None:
        while _is_current(session, turn):
            missed = await self.narrator.missed(user.resource, user.subject, after=after, most=_MOST_READ)
            await self._repeat(session, missed, turn, low=low)
            if len(missed) < _MOST_READ:
                return
            after = missed[-1][1].id

    async def _follow_threads(self, user: User) -> None:
        """All that the user takes part in, unless the hub knows them: from then on it keeps them up to date."""
        async with user.asking:
            if user.known_since is not None:
                return
            for part in (await self.narrator.parts(user.resource, user.subject)).parts:
                self.roster.link(user, part.thread, part.history_millis)
            await self.hub.follow(user.parts)
            joins = -1
            while joins != user.joins:
                # Who is added while this is read is known to the hub, and perhaps not to what is read.
                joins, now = user.joins, await self.narrator.parts(user.resource, user.subject)
            # Who was removed before the thread was followed here is told so by what was missed, and of nothing behind
            # it.
            gone = user.parts.keys() - {part.thread for part in now.parts}
            self.hub.drop_threads([thread for thread in gone if self.roster.unlink(user, thread)])
            user.known_since = now.newest

    async def _repeat(self, session: Session, missed: Sequence[tuple[Part, Entry]], turn: int, *, low: int) -> None:
        joinings = [entry for _, entry in missed if entry.kind in KINDS]
        told = await self.narrator.tell(joinings) if joinings else ()
        comings = {entry.id: came_or_went(each, session.subject) for entry, each in zip(joinings, told, strict=True)}
        absent = absences((entry for _, entry in missed), comings)
        missed = [each for each in missed if each[1].id not in absent]
        for place in range(0, len(missed), _SPELLED_AT_ONCE):
            some = missed[place : place + _SPELLED_AT_ONCE]
            await self._repeat_some(session, some, turn)
            if not _is_current(session, turn):
                return
            session.outbox.come_to(min(some[-1][1].id, low))

    async def _wait_for_room(self, session: Session, turn: int) -> None:
        outbox = session.outbox
        for seconds in (_ROOM_SECONDS, _LONGEST_SECONDS):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await outbox.room(turn)
                    return
            if not self.slow.locked():
                break
        else:
            session.overflow()
            return
        self.turns.release()
        try:
            async with self.slow:
                await outbox.room(turn)
        finally:
            await self.turns.acquire()

    async def _repeat_some(self, session: Session, missed: Sequence[tuple[Part, Entry]], turn: int) -> None:
        # What is read now is sent at once, or waits where a deletion finds it.
        await self._wait_for_room(session, turn)
        happenings = await self.narrator.tell([entry for _, entry in missed])
        if not _is_current(session, turn):
            return
        for (part, entry), happening in zip(missed, happenings, strict=True):
            if happening is None or not was_seen(happening, session.subject, part.history_millis):
                continue
            window = session.outbox.window
            if window.is_known(entry.id):
                continue
            if session.stuck == entry.id and session.tries >= MOST_TRIES:
                window.pass_over(entry.id)
                self.counts.passed_over.value += 1
                continue
            session.outbox.repeat(told_of(entry, happening, self.hub.epoch))
            self.counts.replayed.value += 1


def _is_current(session: Session, turn: int) -> bool:
    return not session.has_ended and session.outbox.turn == turn
