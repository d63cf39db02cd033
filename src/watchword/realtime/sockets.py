"""All sockets of this process: one task beats for them, sees who has not answered, and has positions written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from watchword.clock import Clock
from watchword.errors import Unavailable
from watchword.journal.journal import Journal
from watchword.measurements import RealtimeCounts
from watchword.realtime.arrivals import AT_ONCE, Arrivals
from watchword.realtime.endings import Endings
from watchword.realtime.handover import Handover
from watchword.realtime.happenings import Narrator
from watchword.realtime.hub import CHUNK, Hub
from watchword.realtime.positions import Positions
from watchword.realtime.roster import Roster
from watchword.realtime.seals import Ticket
from watchword.realtime.session import UNANSWERED_SECONDS, Session
from watchword.realtime.store import Claim, RegistrationStore
from watchword.storage import Row

BEAT_SECONDS = 20
"""Source: a client waits 45 s, and two more, for anything at all (chat.md section 8.2)."""

_TICK_SECONDS = 1.0
_SEEN_TICKS = 120
"""How often the row of a socket that hears nothing is written, so that it is known to be there."""

_PURGE_TICKS = 30

_log = logging.getLogger(__name__)


class Sockets:
    """`kept_seconds` is for how long events are kept for a client that is away."""

    def __init__(
        self,
        journal: Journal,
        narrator: Narrator,
        *,
        store: RegistrationStore,
        roster: Roster,
        endings: Endings,
        clock: Clock,
        counts: RealtimeCounts,
        kept_seconds: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._roster = roster
        self._endings = endings
        self._kept_millis = round(kept_seconds * 1_000)
        self.counts = counts
        handover = Handover(journal, roster)
        self.hub = Hub(
            journal,
            narrator,
            roster=roster,
            endings=endings,
            clock=clock,
            counts=counts,
            hear_signal=handover.hear,
        )
        self._positions = Positions(self.hub, store, clock)
        self._arrivals = Arrivals(
            hub=self.hub,
            roster=roster,
            handover=handover,
            endings=endings,
            narrator=narrator,
            store=store,
            counts=counts,
            clock=clock,
            turns=asyncio.Semaphore(AT_ONCE),
            leave=self._positions.leave,
        )
        self._slots: Sequence[set[Session]] = [set() for _ in range(BEAT_SECONDS)]
        self._tick = 0
        self._unanswered: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        return sum(map(len, self._slots))

    def new_session(self, ticket: Ticket, claim: Claim) -> Session:
        return Session(self, ticket, claim)

    # -- What sessions say.

    def begin(self, session: Session) -> None:
        min(self._slots, key=len).add(session)
        self._start(session)

    def leave(self, session: Session) -> asyncio.Future[list[Row]] | None:
        for slot in self._slots:
            slot.discard(session)
        self._unanswered.discard(session)
        self._roster.remove(session)
        return self._positions.leave(session)

    def note_answer(self, session: Session) -> None:
        self._positions.note(session)

    def await_answers(self, session: Session, are_due: bool) -> None:
        (self._unanswered.add if are_due else self._unanswered.discard)(session)

    # -- What runs while the server does.

    async def keep_telling(self) -> None:
        await self.hub.keep_telling(self._again)

    async def keep_beating(self) -> None:
        """Beats until cancelled; then what is known is written once more."""
        try:
            while True:
                await asyncio.sleep(_TICK_SECONDS)
                try:
                    await self._beat()
                except Unavailable:
                    # Positions are written by the next tick.
                    continue
                except Exception:  # noqa: BLE001 - whatever it is, others need their heartbeats.
                    _log.exception("a tick of realtime failed")
        finally:
            self.hub.close()
            await self._positions.leave_all(self._roster.sessions)

    async def _beat(self) -> None:
        self._tick += 1
        self._endings.expire()
        for session in list(self._unanswered):
            if session.waited_seconds > UNANSWERED_SECONDS:
                session.end_unanswered()
        slot = list(self._slots[self._tick % BEAT_SECONDS])
        is_to_be_seen = self._tick % _SEEN_TICKS < BEAT_SECONDS
        for number, session in enumerate(slot, 1):
            session.beat()
            if is_to_be_seen:
                self._positions.note(session)
            if number % CHUNK == 0:
                await asyncio.sleep(0)
        # Nobody waits for it: while the database is away, others need their heartbeats.
        self._run(self._positions.write_moved())
        if self._tick % _PURGE_TICKS == 0:
            self.hub.drop_idle()
            if await self._store.has_tables():
                now = self._clock.micros() // 1_000
                await self._store.purge(now - self._kept_millis, now)

    def _again(self, position: int | None) -> None:
        for session in list(self._roster.sessions):
            session.outbox.go_back(position)
            self._run(self._arrivals.again(session))

    def _start(self, session: Session) -> None:
        self._run(self._arrivals.begin(session))

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
