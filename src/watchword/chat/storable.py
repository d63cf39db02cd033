"""What a row can hold: the same texts on both engines, and names that are not too long."""

from __future__ import annotations

from watchword.chat.limits import MOST_DISPLAY_NAME_CHARACTERS
from watchword.errors import Unstorable
from watchword.errors.chat import InvalidDisplayName


def utf8_bytes(text: str) -> int:
    """How many bytes of UTF-8 it has.

    Raises:
        Unstorable: it has a lone surrogate, or a NUL character, which PostgreSQL does not hold.
    """
    if "\0" in text:
        raise Unstorable
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise Unstorable from None


def require_display_name(name: str | None) -> str | None:
    """Let a display name pass that can be stored.

    Raises:
        InvalidDisplayName: it is too long.
        Unstorable: as `utf8_bytes`.
    """
    if name is not None:
        utf8_bytes(name)
    if name is not None and len(name) > MOST_DISPLAY_NAME_CHARACTERS:
        raise InvalidDisplayName(len(name), MOST_DISPLAY_NAME_CHARACTERS)
    return name
