"""What the processes of a server and its follower, which is one of them, say to each other (see `storage.channel`).

    Want     ->   <- Wanted     hear of these from a mark on; all that a process wants, when it comes
    Drop     ->                 hear no more of these
    Told     ->                 something was committed; with signals for whoever listens, on this node or another
             <- follower.Handed

The follower is whoever holds the lock `follower.lock` in the folder of the server's processes; so when it ends, however
that comes about, another one follows in its place. The socket's name changes with the form of the messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchword.journal.entries import Interest, Signal
from watchword.journal.follower import Handed
from watchword.journal.marks import Mark

SOCKET_NAME = "follow-1.sock"
LOCK_NAME = "follower.lock"


class Want(msgspec.Struct, tag=1, array_like=True):
    number: int
    interests: Sequence[Interest]


class Wanted(msgspec.Struct, tag=2, array_like=True):
    """An answer without a mark says that the database does not answer, and nothing is heard of them."""

    number: int
    mark: Mark | None


class Drop(msgspec.Struct, tag=3, array_like=True):
    interests: Sequence[Interest]


class Told(msgspec.Struct, tag=4, array_like=True):
    signals: Sequence[Signal] = ()


ToFollower = Want | Drop | Told
FromFollower = Wanted | Handed
