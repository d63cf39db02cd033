"""A thread whose row a transaction holds: whoever else would change anything of the thread waits until it is committed.

The numbers that the row counts are drawn from it here, and nowhere else but in the hot statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from watchword.chat.message import Kind, NamedParticipant
from watchword.chat.storable import utf8_bytes
from watchword.errors.chat import MalformedThreadId, NotAParticipant, ThreadNotFound
from watchword.identifiers import is_thread_id, random_bytes
from watchword.journal.statements import APPEND
from watchword.journal.statements import Kind as Event
from watchword.storage import Transaction
from watchword.storage.database import Lock

_COLUMNS = (
    "number, id, resource, topic, metadata, retention_days, created_by, created_millis, sequence, version, change,"
    " joins, present, messages, bytes, last_millis, deleted_millis"
)
_COUNTED = (
    "topic",
    "metadata",
    "retention_days",
    "sequence",
    "version",
    "change",
    "joins",
    "present",
    "messages",
    "bytes",
    "last_millis",
    "deleted_millis",
)


@dataclass(slots=True, kw_only=True)
class HeldThread:
    """Its row, to be changed here and written by `save`. `now_micros` is when the change happens."""

    transaction: Transaction
    now_micros: int
    number: int
    id: str
    resource: int
    topic: str
    metadata: str | None
    retention_days: int | None
    created_by: str
    created_millis: int
    sequence: int = 0
    version: int = 0
    change: int = 0
    joins: int = 0
    present: int = 0
    messages: int = 0
    bytes: int = 0
    last_millis: int = 0
    deleted_millis: int | None = None

    @property
    def now_millis(self) -> int:
        return self.now_micros // 1_000

    def next_version(self) -> int:
        """Higher than every version before, whatever the clock says."""
        self.version = max(self.version, self.now_millis - 1) + 1
        return self.version

    async def tell(self, kind: Event, reference: str) -> None:
        """Append to the journal."""
        self.change += 1
        await self.transaction.execute(
            APPEND, self.resource, self.number, self.change, kind, reference, self.now_micros
        )

    async def say(self, kind: Kind, initiator: str, content: str, *, raises_the_thread: bool = True) -> int:
        """Write a system message; its id. Who lists threads sees this one on top, unless it is not raised.

        Assumed: a text, another topic and new participants raise a thread; a removal, an edit, a deletion and a receipt
        do not (chat.md section 3.2).
        """
        id = self.next_version()
        self.sequence += 1
        self.messages += 1
        self.bytes += utf8_bytes(content)
        if raises_the_thread:
            self.last_millis = id
        await self.transaction.execute(_SAY, self.number, id, self.sequence, kind, initiator, content, random_bytes(16))
        return id

    async def save(self) -> None:
        changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(_COUNTED, 2))
        values: list[Any] = [getattr(self, name) for name in _COUNTED]
        await self.transaction.execute(f"update threads set {changes} where number = $1", self.number, *values)  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    """A participant as a transaction finds it under the thread's lock."""

    display_name: str | None
    history_millis: int
    removed_millis: int | None


_SAY = """
    insert into messages (thread, id, version, sequence, kind, sender, content, key)
    values ($1, $2, $2, $3, $4, $5, $6, $7)
"""
_STANDING = "select display_name, history_millis, removed_millis from participants where thread = $1 and subject = $2"


def require_thread_id(thread: str) -> None:
    """Read the id of a thread.

    Raises:
        MalformedThreadId: no thread could have it.
    """
    if not is_thread_id(thread):
        raise MalformedThreadId


async def hold_thread(transaction: Transaction, resource: int, thread: str, *, now_micros: int) -> HeldThread:
    """Also one that was deleted.

    Raises:
        ThreadNotFound: the resource has none of that id.
    """
    wanted = Lock("threads", "id = $1 and resource = $2", (thread, resource), columns=_COLUMNS)
    rows = await transaction.lock(wanted)
    if not rows:
        raise ThreadNotFound
    values: dict[str, Any] = dict(zip(_COLUMNS.split(", "), rows[0], strict=True))
    return HeldThread(transaction=transaction, now_micros=now_micros, **values)


async def hold_numbered_thread(transaction: Transaction, number: int, now_micros: int) -> HeldThread | None:
    """The same by its number, for what is done in the background; None where it is gone."""
    rows = await transaction.lock(Lock("threads", "number = $1", (number,), columns=_COLUMNS))
    if not rows:
        return None
    values: dict[str, Any] = dict(zip(_COLUMNS.split(", "), rows[0], strict=True))
    return HeldThread(transaction=transaction, now_micros=now_micros, **values)


async def find_standing(held: HeldThread, subject: str) -> Standing | None:
    """Read after the thread's row was locked, so nobody changes it any more."""
    rows = await held.transaction.execute(_STANDING, held.number, subject)
    return Standing(*rows[0]) if rows else None


async def require_participant(held: HeldThread, subject: str) -> Standing:
    """Let pass who takes part in the thread.

    Raises:
        ThreadNotFound: it was deleted.
        NotAParticipant: never was one, or was removed.
    """
    if held.deleted_millis is not None:
        raise ThreadNotFound
    standing = await find_standing(held, subject)
    if standing is None or standing.removed_millis is not None:
        raise NotAParticipant
    return standing


def write_participants(named: list[NamedParticipant]) -> str:
    """The content of a message that says who was added or removed."""
    return msgspec.json.encode(named).decode()


async def take_out(held: HeldThread, subject: str, standing: Standing, *, initiator: str) -> None:
    """Remove somebody who takes part: a message says so, and what comes after it is not for them."""
    named = [NamedParticipant(subject, standing.display_name, standing.history_millis)]
    id = await held.say("participantRemoved", initiator, write_participants(named), raises_the_thread=False)
    await held.transaction.execute(_REMOVE, held.number, subject, id, held.last_millis)
    held.present -= 1
    await held.tell("participantsRemoved", str(id))


async def end_thread(held: HeldThread, by: str) -> None:
    """Delete it, by somebody's wish or, without a name, by a retention. Its messages go in the background."""
    held.deleted_millis = held.now_millis
    await held.transaction.execute("update threads set request = null where number = $1", held.number)
    await held.tell("threadDeleted", by)
    await held.save()


_REMOVE = """
    update participants set removed_millis = $3, listed_millis = $4, read_id = null, read_millis = null
    where thread = $1 and subject = $2
"""
