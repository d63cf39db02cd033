"""How long a connection waits for its client: for each part of a request, and between two requests.

A timer is set only where a request came in pieces; that of idleness looks again, instead of being set each time.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from watchword.http.request_reader import Part

HEAD_DEADLINE = timedelta(seconds=10)
BODY_DEADLINE = timedelta(seconds=20)

KEEP_ALIVE = timedelta(seconds=75)
"""How long a connection may be idle between two requests, by default."""


class Patient(Protocol):
    """A connection that is told when its client took too long."""

    head_deadline: timedelta
    body_deadline: timedelta
    keep_alive: timedelta

    @property
    def is_idle(self) -> bool: ...

    @property
    def is_paused(self) -> bool: ...

    def be_late(self, part: Part, allowed: timedelta) -> None: ...

    def hang_up(self) -> None: ...


class Deadlines:
    """Those of one connection."""

    __slots__ = ("_connection", "_idle_since", "_idle_timer", "_loop", "_part", "_timer")

    def __init__(self, connection: Patient, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self._part = Part.NOTHING
        self._timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0

    def enter(self, part: Part) -> None:
        """Every part has a deadline of its own, counted from its beginning."""
        self._part = part
        if self._timer is not None:
            self.disarm()

    def arm(self) -> None:
        """More of the part in progress has to come."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._allowed().total_seconds(), self._expire)

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def rest(self) -> None:
        """A request was answered, and no other one is there."""
        self._idle_since = self._loop.time()
        if self._idle_timer is None:
            self._idle_timer = self._loop.call_later(self._connection.keep_alive.total_seconds(), self._end_idleness)

    def cancel(self) -> None:
        """The connection has ended, or speaks another protocol."""
        self.disarm()
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def _allowed(self) -> timedelta:
        connection = self._connection
        return connection.body_deadline if self._part is Part.BODY else connection.head_deadline

    def _expire(self) -> None:
        self._timer = None
        if self._connection.is_paused:
            # It is we who do not read: the client waits for its turn.
            self.arm()
        else:
            self._connection.be_late(self._part, self._allowed())

    def _end_idleness(self) -> None:
        left = self._idle_since + self._connection.keep_alive.total_seconds() - self._loop.time()
        if left <= 0 and self._connection.is_idle:
            self._connection.hang_up()
        else:
            # A timer for each request would cost more than one that looks again.
            self._idle_timer = self._loop.call_later(max(left, 1.0), self._end_idleness)
