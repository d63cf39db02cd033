"""Where a list of threads goes on for the trusted server: numbers, and the beginning of a topic. See `chat_cursors`."""

from __future__ import annotations

import struct

from watchword.errors import InvalidQuery
from watchword.wire.chat_cursors import read_cursor, write_cursor

_NUMBERS = 2
_TEXT = 16
"""So many numbers of 8 bytes hold 32 characters of UTF-8."""


def write_place(place: tuple[int, int, str], *bound_to: str) -> str:
    """`bound_to` are the list, the resource and what is filtered by. No topic holds a NUL character."""
    *numbers, text = place
    return write_cursor((*numbers, *struct.unpack(f">{_TEXT}q", text.encode().ljust(8 * _TEXT, b"\0"))), *bound_to)


def read_place(text: str | None, *bound_to: str) -> tuple[int, int, str] | None:
    """The place that was written; None where there is no cursor.

    Raises:
        InvalidQuery: it is none of this list, resource and filter.
    """
    found = read_cursor(text, _NUMBERS + _TEXT, *bound_to)
    if found is None:
        return None
    first, second, *packed = found
    try:
        return first, second, struct.pack(f">{_TEXT}q", *packed).rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise InvalidQuery("syncState", "It must be taken from a nextLink of this list.") from None
