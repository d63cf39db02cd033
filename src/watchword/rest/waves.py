"""Requests go through the server in waves: who comes while one is under way waits for its end, and all go on together.

A step costs half as much right after the same step of another request, which has just filled the processor's caches
with its code and tables; and what a wave asks of a database shares a trip, what it writes shares a commit.
"""

from __future__ import annotations

import asyncio

_PATIENCE_SECONDS = 0.005
_PATIENCE_SECONDS_FOR_EACH = 0.0003
"""Beside that: for everyone in the wave that is under way. A signature with RSA takes nearly so long."""

_TURNS_BETWEEN = 4
"""Turns of the event loop from a wave's end to the next, in which its answers are followed by new requests."""


class Waves:
    """One wave after another, or beside another that takes longer than a healthy database would.

    Made where an event loop runs.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[Wave]] = []
        self._newest = ALONE
        self._is_calm = True
        self._deadline: asyncio.TimerHandle | None = None

    def join(self) -> asyncio.Future[Wave]:
        """The next wave, once it goes on. Whoever is given it leaves it in the end."""
        place: asyncio.Future[Wave] = self._loop.create_future()
        self._waiting.append(place)
        if self._is_calm:
            self._is_calm = False
            self._loop.call_soon(self._go_on)
        elif self._deadline is None:
            patience = _PATIENCE_SECONDS + self._newest.count * _PATIENCE_SECONDS_FOR_EACH
            self._deadline = self._loop.call_later(patience, self._go_on)
        return place

    def end(self, wave: Wave) -> None:
        """Everybody has left it."""
        # Who was alone is followed by one at the most, and need not be waited for.
        self._pause(wave, _TURNS_BETWEEN if wave.count > 1 else 0)

    def _pause(self, wave: Wave, turns: int) -> None:
        if wave is not self._newest:
            # The next one did not wait for this one's end.
            return
        if turns:
            self._loop.call_soon(self._pause, wave, turns - 1)
        else:
            self._go_on()

    def _go_on(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        # Who was cancelled while it waited will not leave.
        places = [place for place in self._waiting if not place.done()]
        self._waiting.clear()
        self._is_calm = not places
        if places:
            self._newest = Wave(self, len(places))
            for place in places:
                place.set_result(self._newest)


class Wave:
    """Requests that are under way together."""

    __slots__ = ("_left", "_waves", "count")

    def __init__(self, waves: Waves | None, count: int) -> None:
        self._waves = waves
        self._left = self.count = count

    def leave(self) -> None:
        """The request was answered."""
        self._left -= 1
        if not self._left and self._waves is not None:
            self._waves.end(self)


ALONE = Wave(None, 0)
"""Of whoever must not be waited for."""


async def go_alone() -> Wave:
    """Takes the place of `Waves.join`."""
    return ALONE
