"""The lines of a log that are about chat: whoever sends and reads in a room, and whoever is taken out and let in."""

from __future__ import annotations

import msgspec

from tests.history.event import Event

DOOR = "door"
"""Where somebody is let in or not; elsewhere only where a door is planted that is not as it should be."""

FAREWELL = "farewell"
"""How the text begins that is said last in a room."""


class Entered(Event, frozen=True, tag="entered"):
    """Somebody asked at the door of chat with a token, and was let in, or answered 401."""

    began: int
    ended: int
    jti: str
    accepted: bool
    where: str = DOOR


class Sending(Event, frozen=True, tag="sending"):
    """An attempt to send begins. Each has a text of its own: what nobody knows the outcome of is not sent again."""

    began: int
    room: str
    sender: str
    text: str


class Sent(Event, frozen=True, tag="sent"):
    """The attempt with that text was answered: the message is durable. Without an id it was answered 403."""

    at: int
    text: str
    id: str


class Deleting(Event, frozen=True, tag="deleting"):
    """An attempt begins to delete a message that was acknowledged. There is no other of it."""

    at: int
    room: str
    sender: str
    id: str


class Deleted(Event, frozen=True, tag="deleted"):
    """The attempt was answered: no text of it is told any more. One that was refused leaves no such line."""

    at: int
    id: str


class Heard(Event, frozen=True, tag="heard"):
    """The first page of a room's messages, as (sequence, text) with the newest first; None was answered 403."""

    began: int
    ended: int
    room: str
    reader: str
    items: list[tuple[int, str]] | None


class Moving(Event, frozen=True, tag="moving"):
    """An attempt begins to take somebody out of a room, or back in. Further ones of that number may follow."""

    began: int
    number: str
    room: str
    user: str
    is_removal: bool


class Moved(Event, frozen=True, tag="moved"):
    """The last attempt of that number was answered."""

    at: int
    number: str


class Said(msgspec.Struct, array_like=True, frozen=True):
    """One message of a room. `about` is who sent it, or whom it says to have been added or removed.

    One that was deleted has no text.
    """

    sequence: int
    id: str
    kind: str
    about: list[str]
    text: str


class Transcript(Event, frozen=True, tag="transcript"):
    """All that a room holds at the end, with the newest first."""

    at: int
    room: str
    items: list[Said]
