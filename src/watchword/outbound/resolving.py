"""What a name stands for, asked of the system anew each time, and beside the event loop.

A thread that waits for a name server cannot be called back: so each question has one of its own, which nobody waits for
at the end, and there are only so many.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from watchword.errors import NoAnswer

MOST_QUESTIONS = 32
"""Under way at once in a process; where so many wait already, the name server answers nobody."""

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name, the best one first.

Raises:
    NoAnswer: nobody could say.
"""

_under_way = threading.BoundedSemaphore(MOST_QUESTIONS)


async def resolve(name: str) -> Sequence[str]:
    """Ask the system, which knows hosts files and search domains too.

    Raises:
        NoAnswer: nobody could say, or too many wait for an answer already.
    """
    if not _under_way.acquire(blocking=False):
        raise NoAnswer("Too many names are being resolved: the name server does not answer.")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def tell(found: Sequence[str]) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError):
            found = []
        finally:
            _under_way.release()
        # Whoever asked may be gone, and their loop with them.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=ask, name="watchword-resolve", daemon=True).start()
    found = await answer
    if not found:
        raise NoAnswer("The name cannot be resolved.")
    return found
