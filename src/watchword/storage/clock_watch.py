"""Whether this machine's clock can be trusted, and the bound that no issue time exceeds.

A wrong clock must not bring a revoked token back to life. Nothing here is what stops that: the triggers of the schema
are (marks, and how long a revocation is kept), which hold whatever a clock says. This keeps a process whose clock is
wrong from issuing and from purging, so that they have nothing to mend. See docs/decisions/0020.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from watchword.clock import MachineClock, MonotoneClock, to_datetime
from watchword.errors import Unavailable, WrongClock
from watchword.storage.clock_marks import raise_high_water, raise_reserved
from watchword.storage.database import CLOCK, Database

LARGEST_SKEW = timedelta(minutes=5)
"""How far a clock may be from the truth. As far as a signature's date may, and the issue time of a token."""

RESERVED_AHEAD = timedelta(minutes=10)
"""How far ahead issue times are reserved. For half of it tokens are issued while the database takes no writes."""

_LOOK_EVERY_SECONDS = 2.0
_NOBODY_PURGES_FOR = timedelta(minutes=1)
_SETTLED_AFTER = timedelta(minutes=5)
_RETRY_AFTER = timedelta(seconds=5)
_MICROSECOND = timedelta(microseconds=1)
_SKEW_MICROS = LARGEST_SKEW // _MICROSECOND
_NOTICED_MICROS = timedelta(seconds=1) // _MICROSECOND
_AHEAD_MICROS = RESERVED_AHEAD // _MICROSECOND

_SET_RIGHT = "Set the clock by a time server (NTP); the server goes on by itself as soon as the clock is right."
_LOWER = (
    f"{_SET_RIGHT} If the clock is right, and was wrong before: stop the server, run `watchword clock lower`, start it."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClockFault:
    """`message` says in what way the clock is wrong, `remedy` what its operator does."""

    message: str
    remedy: str


class ClockWatch:
    """Judges the clock of this process by the steady clock at each use, and by the database every few seconds."""

    def __init__(self, database: Database, clock: MachineClock, issue_clock: MonotoneClock) -> None:
        self._database = database
        self._clock = clock
        self._issue_clock = issue_clock
        self._began = clock.steady_micros()
        self._lead = self._agreed_lead = clock.micros() - self._began
        self._has_agreed = False
        self._jumped_at: int | None = None
        self._seen: ClockFault | None = None
        self._reserved = 0
        self._reserving: asyncio.Task[None] | None = None
        self._distance = 0
        self._told_ahead = 0

    @property
    def fault(self) -> ClockFault | None:
        """What is wrong with the clock at this instant, if anything is."""
        leap = self._leap(self._clock.micros())
        if abs(leap) <= _SKEW_MICROS:
            return self._seen
        return ClockFault(f"The clock jumped by {_told(leap)} while the server ran.", _SET_RIGHT)

    @property
    def distance(self) -> timedelta:
        """How far the clock is ahead of the database's, when it was last compared; 0 where that is this machine's."""
        return timedelta(microseconds=self._distance)

    def agreed_micros(self) -> int:
        """What time it is by the steady clock since this clock and the database's agreed the last time; until they do,
        by the database's. Where that has none, by the clock before it jumped.

        Nodes whose rows say when compare them with this: a clock that is wrong ages nothing of what others wrote.
        """
        return self._clock.steady_micros() + self._agreed_lead

    @property
    def may_purge(self) -> bool:
        """Nobody purges in the first minute, or by a clock that is wrong."""
        uptime = self._clock.steady_micros() - self._began
        return uptime >= _NOBODY_PURGES_FOR // _MICROSECOND and self.fault is None

    def require_right(self, now_micros: int) -> None:
        """Refuse to go on by a clock that is wrong.

        Raises:
            WrongClock: the clock cannot be trusted at `now_micros`, which it just said.
        """
        if self._seen is not None or abs(self._leap(now_micros)) > _SKEW_MICROS:
            fault = self.fault or ClockFault("The clock was wrong just now.", _SET_RIGHT)
            raise WrongClock(_RETRY_AFTER, fault.message, fault.remedy)

    async def stamp(self, now_micros: int, above_micros: int) -> int:
        """An issue time: higher than any before, and at least `above_micros`, from when on the token counts.

        Raises:
            WrongClock: as `require_right`.
            Unavailable: the bound has to be raised, and the database takes no writes.
        """
        self.require_right(now_micros)
        issued = self._issue_clock.micros()
        if issued > self._told_ahead and issued > self._true_micros(now_micros) + _NOTICED_MICROS:
            await self._tell_ahead(issued)
        stamp = max(issued, above_micros)
        if stamp > self._reserved:
            await self._reserve(stamp)
        elif stamp + _AHEAD_MICROS // 2 > self._reserved and self._reserving is None:
            self._reserving = asyncio.create_task(self._reserve_ahead(stamp))
        return stamp

    async def misdates(self, now_micros: int) -> bool:
        """Whether issue times do not tell what came before what: this clock is wrong, or some are of the future.

        Raises:
            Unavailable: the database does not answer.
        """
        if self.fault is not None:
            return True
        [(reserved, high_water)] = await self._database.query("select reserved_micros, high_water_micros from clock")
        latest = self._true_micros(now_micros) + _NOTICED_MICROS
        return bool(reserved > now_micros + _AHEAD_MICROS + _SKEW_MICROS or high_water > latest)

    async def prepare(self) -> None:
        """Looks at the clock at start, and reserves the first issue times, so that issuing only reads from then on.

        Raises:
            Unavailable: the database takes no writes.
        """
        await self.look()
        if self.fault is None:
            await self._reserve(max(self._clock.micros(), self._issue_clock.last))

    async def keep_looking(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - whatever it was must not end the watch for as long as the server runs.
                _log.exception("the clock could not be compared; it goes on trying")

    async def look(self) -> None:
        """Compare the clock with the database; one that cannot be reached says nothing of it."""
        try:
            seen = await self._compare()
        except Unavailable:
            return
        if (seen is None) != (self._seen is None):
            if seen is None:
                _log.info("the clock is right again: tokens are issued")
            else:
                _log.error("no tokens are issued, and nothing is purged: %s %s", seen.message, seen.remedy)
        self._seen = seen

    async def _compare(self) -> ClockFault | None:
        before = self._clock.micros()
        says = await self._database.wall_micros()
        after = self._clock.micros()
        if says is None:
            return await self._compare_with_the_past(after)
        says += self._clock.travelled_micros
        # Where within the trip the database looked at its clock is not known: what it may have been is no fault.
        self._distance = before - says if before > says else min(0, after - says)
        if abs(self._distance) <= _SKEW_MICROS:
            self._has_agreed = True
            self._believe()
            return None
        if not self._has_agreed:
            self._agreed_lead = after - self._distance - self._clock.steady_micros()
        return ClockFault(
            f"The clock is {_told(self._distance)}, compared with the database's; it says {_time(after)}.",
            "Set the clock of this machine, or that of the database's, by a time server (NTP), whichever is wrong;"
            " the server goes on by itself.",
        )

    async def _compare_with_the_past(self, now: int) -> ClockFault | None:
        """There is no other clock to ask. What was issued is in the past; and a jump is believed once it has stood."""
        [(high_water,)] = await self._database.query("select high_water_micros from clock")
        behind = high_water - now
        # What this process itself gave out cannot be ahead of its clock: it grows from there by single microseconds.
        if behind > _SKEW_MICROS:
            return ClockFault(
                f"The clock is {_told(-behind)}, compared with the last issue time of this database;"
                f" it says {_time(now)}.",
                _LOWER,
            )
        steady = self._clock.steady_micros()
        if abs(self._leap(now)) <= _SKEW_MICROS:
            self._jumped_at = None
        elif self._jumped_at is None:
            self._jumped_at = steady
        elif steady - self._jumped_at > _SETTLED_AFTER // _MICROSECOND:
            # A machine that was suspended comes back like this. Marks and bounds hold, should it be wrong after all.
            _log.warning("the clock jumped by %s and has stood since: it is believed", _told(self._leap(now)))
            self._believe()
        return None

    def _true_micros(self, now_micros: int) -> int:
        """What the time is at most, as far as the steady clock and the database know."""
        return now_micros - max(self._leap(now_micros), 0) - self._distance

    async def _tell_ahead(self, issued: int) -> None:
        """Every process knows that issue times are ahead before a token carries one.

        They are for minutes where a clock was ahead and is right again: they go on from the last one. A cut-off that
        another process is asked for must end these tokens too.
        """
        told = issued + _NOTICED_MICROS

        await self._database.transact(lambda transaction: raise_high_water(transaction, told), CLOCK)
        self._told_ahead = told

    def _believe(self) -> None:
        self._lead = self._clock.micros() - self._clock.steady_micros()
        self._agreed_lead = self._lead - self._distance
        self._jumped_at = None

    def _leap(self, now_micros: int) -> int:
        return now_micros - self._clock.steady_micros() - self._lead

    async def _reserve_ahead(self, stamp: int) -> None:
        try:
            await self._reserve(stamp)
        except Unavailable:
            _log.warning("issue times could not be reserved; tokens are issued for as long as the last bound allows")
        finally:
            self._reserving = None

    async def _reserve(self, stamp: int) -> None:
        """No issue time above the bound is given out before the bound is durable."""
        bound = stamp + _AHEAD_MICROS
        self._reserved = await self._database.transact(lambda each: raise_reserved(each, bound), CLOCK)


class AgreedClock:
    """The time that the nodes on one database agree on, see `ClockWatch.agreed_micros`."""

    def __init__(self, watch: ClockWatch) -> None:
        self.micros = watch.agreed_micros


def _told(micros: int) -> str:
    """Such as `2:00:00 ahead`."""
    size = timedelta(seconds=round(abs(micros) / 1_000_000))
    return f"{size} {'ahead' if micros > 0 else 'behind'}"


def _time(micros: int) -> str:
    return to_datetime(micros).strftime("%Y-%m-%d %H:%M:%S UTC")
