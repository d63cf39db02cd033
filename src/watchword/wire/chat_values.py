"""Times, numbers and links as the Chat API spells them.

    2025-06-10T22:20:18Z                                     answers: whole seconds, cut off
    2020-09-08T01:02:14.387Z, 2020-09-08T03:02:14+02:00      requests: any offset, any fraction

Source: chat.md sections 2.1, 2.3, 2.5, 4.1, 5.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from watchword.clock import to_datetime
from watchword.errors import InvalidQuery
from watchword.wire.times import parse_time

_MOST_SKIPPED = (1 << 31) - 1
_DAY_SECONDS = 86_400


@lru_cache(1_024)
def format_seconds(seconds: int) -> str:
    """Tells seconds since 1970."""
    day, second = divmod(seconds, _DAY_SECONDS)
    return f"{_format_day(day)}T{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(1_024)
def _format_day(day: int) -> str:
    # A page has many times and few days; to write a date costs far more than the rest.
    return to_datetime(day * _DAY_SECONDS * 1_000_000).date().isoformat()


def format_millis(millis: int) -> str:
    """Tells milliseconds since 1970. Observed: the id 1749594021900 was created at ...:21Z."""
    return format_seconds(millis // 1_000)


def parse_millis(text: str) -> int | None:
    """Milliseconds since 1970, cut off, or None where the text is no time."""
    micros = parse_time(text)
    return None if micros is None else micros // 1_000


def read_skip(query: Mapping[str, str]) -> int:
    """Read how many entries a page leaves out.

    Raises:
        InvalidQuery: no whole number, or a negative one.
    """
    text = query.get("skip")
    if text is None:
        return 0
    skip = _number(text)
    if skip is None or skip > _MOST_SKIPPED:
        raise InvalidQuery("skip", f"It must be a whole number from 0 to {_MOST_SKIPPED}.")
    return skip


def thread_location(origin: str, thread: str) -> str:
    """Observed: the colon is encoded, and the at sign is not. No other letter of a thread's id has to be."""
    return f"{origin}/chat/threads/{thread.replace(':', '%3A')}"


def message_location(origin: str, thread: str, message: str) -> str:
    return f"{thread_location(origin, thread)}/messages/{message}"


def threads_link(origin: str, cursor: str, size: int | None, *, version: str) -> str:
    """Observed: without a page size in the request there is none in the link."""
    sized = "" if size is None else f"&maxPageSize={size}"
    return f"{origin}/chat/threads?syncState={cursor}{sized}&api-version={version}"


def messages_link(origin: str, thread: str, cursor: str, *, size: int, version: str) -> str:
    """Observed: the thread stands raw in links, and SDKs send them untouched. So may a cursor and a known version."""
    return f"{origin}/chat/threads/{thread}/messages?syncState={cursor}&maxPageSize={size}&api-version={version}"


def skipping_link(origin: str, thread: str, of: str, *, skip: int, size: int, version: str) -> str:
    """The link of `participants` and `readReceipts`."""
    return f"{origin}/chat/threads/{thread}/{of}?skip={skip}&maxPageSize={size}&api-version={version}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_SKIPPED)) else None
