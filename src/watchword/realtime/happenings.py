"""What is told of an entry of the journal, as facts; and who tells it: `Narrator`, handed in by whoever knows threads.

A user is named as in tokens, without the `8:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from watchword.journal.entries import Entry, Signal


@dataclass(frozen=True, slots=True)
class Part:
    """A user's part in a thread: sees messages from `history_millis` on."""

    thread: int
    history_millis: int


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a user in one instant, in which no entry of the journal above `newest` was committed."""

    newest: int
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A participant as an event names one; `metadata` is JSON."""

    subject: str
    display_name: str = ""
    history_millis: int | None = None
    metadata: str | None = None


MessageKind = Literal["messageReceived", "messageEdited", "messageDeleted"]
ThreadKind = Literal["threadCreated", "threadUpdated", "threadDeleted"]
JoiningKind = Literal["participantsAdded", "participantsRemoved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Sent, edited or deleted; what was deleted meanwhile is told as deleted, whatever the entry said."""

    thread: str
    kind: MessageKind
    id: int
    version: int
    sender: str
    sender_name: str
    is_html: bool
    content: str
    metadata: str | None
    changed_millis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    thread: str
    reader: str
    message: int
    read_millis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    thread: str
    sender: str
    name: str
    millis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Created, changed or deleted; `by` is None where a retention deleted it. `members` are of one just created."""

    thread: str
    kind: ThreadKind
    by: Named | None
    topic: str
    metadata: str | None
    retention_days: int | None
    created_millis: int
    millis: int
    members: Sequence[Named] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Participants were added or removed, as the message of that id says."""

    thread: str
    kind: JoiningKind
    by: Named
    whom: Sequence[Named]
    created_millis: int
    message: int


Happening = Message | Receipt | Typing | Thread | Joining


class Narrator(Protocol):
    """Reads committed state, which is as new as the entry or newer."""

    async def tell(self, entries: Sequence[Entry]) -> Sequence[Happening | None]:
        """What each entry means; None where nothing is left to be told.

        Raises:
            Unavailable: the database does not answer.
        """
        ...

    def tell_signal(self, signal: Signal) -> Typing | None:
        """That somebody types; None where the signal says something else."""
        ...

    async def parts(self, resource: int, subject: str) -> Parts:
        """The parts of a user in every thread that they take part in now."""
        ...

    async def missed(self, resource: int, subject: str, *, after: int, most: int) -> Sequence[tuple[Part, Entry]]:
        """What happened in them above an id, and up to the removal in those that the user was removed from not long
        ago; by id, so many entries at the most.
        """
        ...

    async def happened(self, thread: int, after: int, most: int) -> Sequence[Entry]:
        """What happened in one thread above an id, by id; in thread 0 what is of none."""
        ...


def joined(happening: Happening) -> Sequence[Named]:
    """Who takes part from here on."""
    if isinstance(happening, Joining) and happening.kind == "participantsAdded":
        return happening.whom
    if isinstance(happening, Thread) and happening.kind == "threadCreated":
        return happening.members
    return ()


def left(happening: Happening) -> Sequence[Named]:
    """Who does not take part any more: this is the last that they hear of the thread."""
    if isinstance(happening, Joining) and happening.kind == "participantsRemoved":
        return happening.whom
    return ()


def is_seen(happening: Happening, history_millis: int) -> bool:
    """Whether somebody who sees messages from then on sees what happened. Source: chat.md section 4.4."""
    return not isinstance(happening, Message) or happening.id >= history_millis


def was_seen(happening: Happening, subject: str, history_millis: int) -> bool:
    """The same of what happened while the user was away, and was perhaps no participant for some time: who else came
    and went then is not told.
    """
    if isinstance(happening, Joining) and happening.message < history_millis:
        return any(named.subject == subject for named in happening.whom)
    return is_seen(happening, history_millis)
