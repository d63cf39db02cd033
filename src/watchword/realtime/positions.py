"""How far each socket has come, written down: of those that stay open each second and many at once, of one that ends at
once, as the last word.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from watchword.clock import Clock
from watchword.errors import Unavailable
from watchword.realtime.session import Session
from watchword.realtime.store import Reached, RegistrationStore
from watchword.storage import Row

_AT_ONCE = 500
"""Sockets whose positions are one statement; others have their turn in between."""

_log = logging.getLogger(__name__)


class History(Protocol):
    """Everything up to `low` in the history `epoch` was told to everybody who is here."""

    epoch: str
    low: int


class Positions:
    """Knows who has moved since it was written down."""

    def __init__(self, history: History, store: RegistrationStore, clock: Clock) -> None:
        self._history = history
        self._store = store
        self._clock = clock
        self._moved: set[Session] = set()
        self._is_writing = False

    def note(self, session: Session) -> None:
        """It has answered; or it is to be known that it is there."""
        self._moved.add(session)

    async def write_moved(self) -> None:
        """What could not be written is written with what comes next, of those that are still there by then."""
        if self._is_writing:
            return
        self._is_writing = True
        moved, self._moved = list(self._moved), set()
        try:
            while moved:
                await self._move(moved[-_AT_ONCE:])
                del moved[-_AT_ONCE:]
        except Unavailable:
            # All the others would wait for the database as long.
            pass
        except Exception:  # noqa: BLE001 - whatever it is, nobody waits for it.
            _log.exception("how far realtime sockets have come could not be written")
        finally:
            self._moved.update(moved)
            self._is_writing = False

    def leave(self, session: Session) -> asyncio.Future[list[Row]] | None:
        """It has ended, and its position is being written; None where it has none, or too much waits."""
        self._moved.discard(session)
        if not session.holds:
            return None
        try:
            written = self._store.leave(session.claim, self._reached(session), now_millis=self._now_millis)
        except Unavailable:
            return None
        # Nobody may be there to hear that it failed: what was answered is told again then.
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        return written

    async def leave_all(self, sessions: Iterable[Session]) -> None:
        """Returns once it is written of each, or cannot be."""
        written = [self.leave(session) for session in sessions]
        await asyncio.gather(*(each for each in written if each is not None), return_exceptions=True)

    async def _move(self, sessions: Sequence[Session]) -> None:
        # Who has ended has said the last word.
        there = [session for session in sessions if session.holds and not session.has_ended]
        if there:
            reached = [(session.claim, self._reached(session)) for session in there]
            await self._store.move(reached, now_millis=self._now_millis)

    def _reached(self, session: Session) -> Reached:
        return session.reach(self._history.epoch, self._history.low)

    @property
    def _now_millis(self) -> int:
        return self._clock.micros() // 1_000
