"""The lines of a log that are about realtime: listeners, whose sockets open, tell what happens, and close."""

from __future__ import annotations

from tests.history.event import Event

UNAUTHORIZED, DUPLICATE, LOST = "unauthorized", "dup", "lost"
"""How a socket is ended by the service, or with it."""

LEFT, CUT = "left", "cut"
"""How a listener ends one: a connection that is closed as it should be, and one that just ends."""

RECEIVED, DELETED = "chatMessageReceived", "chatMessageDeleted"
ADDED, REMOVED = "participantsAdded", "participantsRemoved"


class Listening(Event, frozen=True, tag="listening"):
    """The first allocation of a user's listener was answered: from here on everything is kept for it."""

    at: int
    listener: str
    user: str


class Opened(Event, frozen=True, tag="opened"):
    """A socket was asked for with a session id of that token, and told that it is connected."""

    began: int
    at: int
    listener: str
    socket: int
    jti: str


class Pushed(Event, frozen=True, tag="pushed"):
    """A push was heard; it is answered right after, or never. `id` is that of the message which is there to be read."""

    at: int
    listener: str
    socket: int
    name: str
    room: str
    id: str
    text: str
    is_answered: bool


class Closed(Event, frozen=True, tag="closed"):
    """Nothing more is heard on a socket."""

    at: int
    listener: str
    socket: int
    how: str
