"""A cache for what strangers send: bounded in bytes, because it keeps nothing about a text that is long.

A cache that bounds only the number of its entries lets whoever likes fill each of them with as much as one request may
hold, and keeps that for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Result = TypeVar("Result")


def bounded_cache(
    *, most_entries: int, longest_text: int
) -> Callable[[Callable[[str], Result]], Callable[[str], Result]]:
    """Remembers what a function made of the last `most_entries` texts; a text of more than `longest_text` characters is
    worked out each time. What the function makes of a text must grow no faster than the text.
    """

    def decorate(function: Callable[[str], Result]) -> Callable[[str], Result]:
        remembered = lru_cache(most_entries)(function)

        @wraps(function)
        def look_up(text: str) -> Result:
            return remembered(text) if len(text) <= longest_text else function(text)

        return look_up

    return decorate
