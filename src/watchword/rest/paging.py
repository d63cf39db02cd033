"""Pages of lists: how much a caller asks for, and the link to what follows.

    GET /identities?maxPageSize=2
    {"value": [...], "nextLink": "https://localhost:8443/identities?maxpagesize=2&continuationToken=AZOlsg..."}

Whoever lists asks for one more than fit on a page: where it is there, a link leads on. A cursor is of `wire.cursors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from watchword.errors import InvalidQuery
from watchword.rest.call import Call
from watchword.wire.times import parse_time

_MOST_DIGITS = 10


def page_size(query: Mapping[str, str], *, default: int, largest: int, is_cut: bool = False) -> int:
    """What `maxPageSize` says; more than the largest page is refused, or where `is_cut` means the largest.

    Raises:
        InvalidQuery: it is no whole number of at least 1, or too large.
    """
    size = _whole(query.get("maxpagesize", str(default)))
    if size is None or size < 1 or (size > largest and not is_cut):
        raise InvalidQuery("maxPageSize", f"It must be a whole number from 1 to {largest}.")
    return min(size, largest)


def moment(query: Mapping[str, str], name: str) -> int | None:
    """The time of a parameter in microseconds since 1970, or None where it is left out.

    Raises:
        InvalidQuery: it is no time.
    """
    text = query.get(name.lower())
    if text is None:
        return None
    micros = parse_time(text)
    if micros is None:
        raise InvalidQuery(name, "It must be a time such as 2026-11-21T01:14:27Z.")
    return micros


def next_link(call: Call[Any], **changed: str | None) -> str:
    """The address of the same list with other parameters; None leaves one out.

    Colons and at signs of what stands in the path for a part stay as they are: clients send a link untouched.
    Observed: chat.md section 2.5.
    """
    parts = {name: quote(part, safe=":@") for name, part in call.parts.items()}
    named = {name.lower() for name in changed}
    kept = {name: value for name, value in call.request.query.items() if name not in named}
    kept |= {name: value for name, value in changed.items() if value is not None}
    return f"{call.request.origin}{call.operation.path.format(**parts)}?{urlencode(kept)}"


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
