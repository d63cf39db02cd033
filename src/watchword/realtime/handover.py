"""A registration goes from one socket to the next: the one before stops, writes how far it came, and says so.

They may be in the same process, or in any process of any node: then signals go between, which may be lost. So whoever
takes over waits a fifth of a second at most; what the one before writes later does not count any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

import msgspec

from watchword.journal.entries import Signal
from watchword.journal.journal import Journal
from watchword.realtime.roster import CLAIMED, RELEASED, Roster
from watchword.realtime.session import Session
from watchword.wire.socket_io import DUPLICATE

WAIT_SECONDS = 0.2
"""For whoever has the registration; then it is taken."""

ANSWER_SECONDS = 0.15
"""For answers to pushes that are under way, where a client was asked to move: it repeats nothing then."""

_LOOK_SECONDS = 0.005


class Handover:
    """Between the sockets of one registration."""

    def __init__(self, journal: Journal, roster: Roster) -> None:
        self._journal = journal
        self._roster = roster
        self._awaited: dict[tuple[int, int], asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, session: Session) -> None:
        """Returns once the one before has written how far it came, or was waited for; it gives up in any case.

        From here on whoever claims the registration after this session finds it, though it may not hold it yet.
        """
        claim = session.claim
        former = self._roster.claim(session)
        if former is not None:
            await asyncio.wait([self._start(self._give_up(former))], timeout=WAIT_SECONDS)
            return
        if not claim.is_contested:
            return
        released = self._awaited[(claim.registration, claim.number)] = asyncio.Event()
        content = msgspec.json.encode((claim.registration, claim.number))
        self._journal.signal(Signal(session.resource, 0, CLAIMED, content))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await released.wait()
        except TimeoutError:
            pass
        finally:
            del self._awaited[(claim.registration, claim.number)]

    def hear(self, signal: Signal) -> None:
        """What others say."""
        try:
            registration, number = _numbers(signal.content)
        except msgspec.MsgspecError:
            # Another release says it otherwise.
            return
        if signal.kind == RELEASED:
            for (awaited, newer), released in self._awaited.items():
                if awaited == registration and newer > number:
                    released.set()
            return
        former = self._roster.by_registration.get(registration)
        if former is not None and former.claim.number < number:
            self._start(self._release(former, signal.resource))

    async def _release(self, former: Session, resource: int) -> None:
        await self._give_up(former)
        content = msgspec.json.encode((former.claim.registration, former.claim.number))
        self._journal.signal(Signal(resource, 0, RELEASED, content))

    async def _give_up(self, former: Session) -> None:
        """A client that was asked to move ends its old socket itself, when the new one is registered."""
        former.outbox.suspend()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while former.is_moving and former.unanswered and not former.has_ended:  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_SECONDS)
        written = former.retire()
        if not former.is_moving:
            former.end(DUPLICATE)
        if written is not None:
            await asyncio.wait([written])

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


_numbers = msgspec.json.Decoder(tuple[int, int]).decode
