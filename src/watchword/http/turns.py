"""Turns of the event loop: what thousands of sockets say at once is heard a part at a time, in the order it came in.

Whatever arrives is taken at once, which costs little. To hear it takes several times as long; and a request, which
takes a few turns of the loop, would wait in each until all of them were heard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

A_TURN = 16
"""So many are heard before others have their turn."""

_LONGEST_ROW_IN_TURNS = 128
"""Of a long row more are heard in each: so many that nobody in it waits for more turns than that."""


class Waiting(Protocol):
    """Somebody for whom something has arrived."""

    def hear(self) -> None:
        """Deal with all of it. Nothing is raised."""
        ...


class Turns:
    """Whoever asks in vain whether one is free stands in the row until it is heard."""

    def __init__(self) -> None:
        self._free = self._a_turn = A_TURN
        self._row: deque[Waiting] = deque()

    def is_free(self) -> bool:
        """Whether it may be heard now; that is its turn, then."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def stand_in_row(self, waiting: Waiting) -> None:
        if not self._row:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._row.append(waiting)

    def _go_on(self) -> None:
        row = self._row
        self._a_turn = max(self._a_turn, -(-len(row) // _LONGEST_ROW_IN_TURNS))
        for _ in range(min(len(row), self._a_turn)):
            row.popleft().hear()
        if row:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            self._free = self._a_turn = A_TURN
