"""Whether somebody who does not answer is asked at all: after failures in a row not for a while, and then once."""

from __future__ import annotations

from collections.abc import Callable

from watchword.clock import steady_seconds

FAILURES_IN_A_ROW = 5
REST_SECONDS = 10.0


class Breaker:
    """`steady` counts seconds that no set clock can hide."""

    def __init__(self, steady: Callable[[], float] = steady_seconds) -> None:
        self._steady = steady
        self._failures = 0
        self._asked_next = 0.0

    @property
    def is_open(self) -> bool:
        """Nobody but one at a time is let through, now and then, to see whether there is an answer again."""
        return self._failures >= FAILURES_IN_A_ROW

    def may_ask(self) -> bool:
        """Whoever is told so asks."""
        if not self.is_open:
            return True
        now = self._steady()
        if now < self._asked_next:
            return False
        # Whatever becomes of this one, the next is let through after another rest.
        self._asked_next = now + REST_SECONDS
        return True

    def note_answer(self) -> None:
        self._failures = 0

    def note_failure(self) -> bool:
        """Whether it was this one after which nobody is let through."""
        self._failures += 1
        if self._failures != FAILURES_IN_A_ROW:
            return False
        self._asked_next = self._steady() + REST_SECONDS
        return True
