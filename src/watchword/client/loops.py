"""Tells to which event loop something belongs: connections and tasks of one loop cannot be used in another."""

from __future__ import annotations

import asyncio


class OneLoop:
    """`what` names for people what belongs to the loop."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._loop: asyncio.AbstractEventLoop | None = None

    def enter(self) -> bool:
        """Whether this is a new loop, since the one before has ended: all that belonged to that is gone.

        Raises:
            RuntimeError: the one before has not ended.
        """
        loop, before = asyncio.get_running_loop(), self._loop
        if before is loop:
            return False
        if before is not None and not before.is_closed():
            raise RuntimeError(
                f"This {self._what} belongs to another event loop, which has not ended. Make one for each event loop, "
                "or one of the blocking kind to share between threads."
            )
        self._loop = loop
        return before is not None
