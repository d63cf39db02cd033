"""Opaque cursors: where a list goes on. Each is bytes of its list's own, in base64url, so that a URL holds it as it is.

0193a5b2...   ->   continuationToken=AZOlsg...
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from watchword.errors import InvalidQuery

_LONGEST = 256


def write_cursor(position: bytes) -> str:
    return urlsafe_b64encode(position).rstrip(b"=").decode("ascii")


def read_cursor(text: str | None, name: str, size: int) -> bytes | None:
    """The position, of so many bytes; None where there is no cursor. `name` is that of the parameter.

    Raises:
        InvalidQuery: nobody was given this cursor.
    """
    if text is None:
        return None
    try:
        # More padding than is missing does no harm.
        position = urlsafe_b64decode(text + "==") if len(text) <= _LONGEST else b""
    except ValueError:
        position = b""
    if len(position) != size:
        raise InvalidQuery(name, "It must be taken from a nextLink, unchanged.")
    return position
