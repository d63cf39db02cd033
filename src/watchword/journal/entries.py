"""What followers hear: entries, signals that are stored nowhere, and which of them they asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened. `change` counts the entries of its thread; `reference` says what to read, and holds no
    content of users. Ids rise within a thread; nothing else is promised of their order.
    """

    id: int
    resource: int
    thread: int
    change: int
    kind: str
    reference: str
    moment_micros: int


class Signal(msgspec.Struct, frozen=True, array_like=True):
    """What is said and not kept, such as that somebody types: it rides in a wake-up, and is lost with it."""

    resource: int
    thread: int
    kind: str
    content: bytes


class Interest(NamedTuple):
    """What somebody wants to hear of: one thread, one kind of entry in a resource, or all of a resource.

    Who follows threads learns of a thread that is new to them by a kind, such as `participantsAdded`.
    """

    resource: int = 0
    thread: int = 0
    kind: str = ""

    @staticmethod
    def of_thread(thread: int) -> Interest:
        return Interest(thread=thread)

    @staticmethod
    def of_resource(resource: int, kind: str = "") -> Interest:
        """Everything of it, or everything of a kind."""
        return Interest(resource=resource, kind=kind)


def interests_of(happened: Entry | Signal) -> tuple[Interest, Interest, Interest]:
    """Whoever has one of these hears of it."""
    return (
        Interest(thread=happened.thread),
        Interest(resource=happened.resource, kind=happened.kind),
        Interest(resource=happened.resource),
    )


@dataclass(slots=True)
class News:
    """What a follower hears at once. Revocations come first: what is revoked up to `feed_cursor` is to be applied
    before any of the entries is passed on.

    `is_anew`: what came in between is not known, because the follower was away or slow for too long, or because this is
    another history; whatever it keeps it has to read anew. `position` is what may be given to others, to be compared
    with later: everything up to there was heard, and perhaps some that came after. `top` is the highest id that anybody
    may have heard of.
    """

    position: str = ""
    top: int = 0
    feed_cursor: int = 0
    is_anew: bool = False
    entries: Sequence[Entry] = ()
    signals: Sequence[Signal] = ()
