"""Where a list of chat goes on: the `syncState` of a nextLink, which only its list and its reader can use.

    numbers of 8 bytes, then 8 bytes that say whose they are

It holds nothing that its reader does not know: numbers of what was read. Whoever makes one up reads what they may read
anyhow, from another place on; so it is a checksum that binds it, and no key.
"""

from __future__ import annotations

import hashlib
import struct

from watchword.errors import InvalidQuery
from watchword.wire import cursors

_CHECK_BYTES = 8
_NAME = "syncState"


def write_cursor(numbers: tuple[int, ...], *bound_to: str) -> str:
    """`bound_to` are the list, the thread and the reader."""
    packed = struct.pack(f">{len(numbers)}q", *numbers)
    return cursors.write_cursor(packed + _check(packed, bound_to))


def read_cursor(text: str | None, count: int, *bound_to: str) -> tuple[int, ...] | None:
    """Reads as many numbers as were written; None where there is no cursor.

    Raises:
        InvalidQuery: it is none of this list, thread and reader.
    """
    position = cursors.read_cursor(text, _NAME, count * 8 + _CHECK_BYTES)
    if position is None:
        return None
    packed, check = position[:-_CHECK_BYTES], position[-_CHECK_BYTES:]
    if check != _check(packed, bound_to):
        raise InvalidQuery(_NAME, "It must be taken from a nextLink of this list, by the user who was given it.")
    return struct.unpack(f">{count}q", packed)


def _check(packed: bytes, bound_to: tuple[str, ...]) -> bytes:
    whole = "\n".join(bound_to).encode("utf-8", "surrogatepass") + b"\n" + packed
    return hashlib.blake2b(whole, digest_size=_CHECK_BYTES).digest()
