"""Waiting for what another thread or process does on its own: by asking again, never by a fixed pause."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(ask: Callable[[], Found], is_enough: Callable[[Found], bool], seconds: float = 20.0) -> Found:
    """The first answer that is enough; fails when none comes in time."""
    end = time.monotonic() + seconds
    while not is_enough(found := ask()):
        assert time.monotonic() < end, f"still not: {found}"
        time.sleep(0.02)
    return found
