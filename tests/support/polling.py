"""Waiting for what another thread or process does on its own: by asking again, never by a fixed pause."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(ask: Callable[[], Found], is_enough: Callable[[Found], bool], seconds: float = 20.0) -> Found:
    """The first answer that is enough; fails when none comes in time."""
    end = time.monotonic() + seconds
    while not is_enough(found := ask()):
        assert time.monotonic() < end, f"still not: {found}"
        time.sleep(0.02)
    return found


async def until_async(
    ask: Callable[[], Awaitable[Found]], is_enough: Callable[[Found], bool], seconds: float = 20.0
) -> Found:
    """The same within an event loop, whose other tasks go on meanwhile."""
    end = time.monotonic() + seconds
    while not is_enough(found := await ask()):
        assert time.monotonic() < end, f"still not: {found}"
        await asyncio.sleep(0.002)
    return found
