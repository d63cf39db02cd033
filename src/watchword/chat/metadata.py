"""The metadata of threads, participants and messages: texts by name, kept as JSON, merged key by key."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from watchword.chat.storable import utf8_bytes
from watchword.errors.chat import MetadataTooLarge, Part

_decode = msgspec.json.Decoder(dict[str, str]).decode


def read_metadata(stored: str | None) -> Mapping[str, str] | None:
    return None if stored is None else _decode(stored)


def stored_metadata(metadata: Mapping[str, str] | None, of: Part, maximum: int) -> str | None:
    """None where none was given, which is another thing than none of them being there.

    Raises:
        MetadataTooLarge: keys and values together have more than `maximum` bytes.
    """
    if metadata is None:
        return None
    size = sum(utf8_bytes(key) + utf8_bytes(value) for key, value in metadata.items())
    if size > maximum:
        raise MetadataTooLarge(of, size, maximum)
    return msgspec.json.encode(metadata).decode()


def merged_metadata(
    present: Mapping[str, str] | None, change: Mapping[str, str | None], of: Part, *, maximum: int
) -> str | None:
    """A key with None or an empty text is removed, others are set, and what is not named stays.

    Observed: an empty text removes a key of a message's metadata (chat.md section 5.4).
    Assumed: of a thread's, too, and null does the same (chat.md section 3.4).

    Raises:
        MetadataTooLarge: as `stored_metadata`, of what comes out.
    """
    merged = dict(present or {})
    for key, value in change.items():
        if value:
            merged[key] = value
        else:
            merged.pop(key, None)
    return stored_metadata(merged, of, maximum)
