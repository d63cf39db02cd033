"""What is exported, piece by piece: a whole thread, or all that chat keeps of one user.

A piece is bounded in records and bytes, and says where the next one begins. Each is read as it is then: of what was
deleted or redacted before its piece is read, no text is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

from watchword.chat.held_import import GIVEN_UP_SINCE
from watchword.chat.held_thread import require_thread_id
from watchword.chat.message import Message, read_message
from watchword.chat.metadata import read_metadata
from watchword.chat.reading_statements import EVER, MESSAGE_COLUMNS
from watchword.chat.receipts import ReadReceipt
from watchword.chat.store import ChatStore
from watchword.chat.trusted_restrictions import Restriction, kept_of_user
from watchword.chat.users import read_user
from watchword.errors.chat import ThreadNotFound
from watchword.realtime.store import RegistrationStore
from watchword.resources.store import Resource
from watchword.storage import Row

MOST_BYTES = 1_000_000
"""Of the messages in a piece, unless one alone has more."""

LOOKED_AT = 5_000
"""So many messages of a thread are looked through at once for those of one user: there is no index of senders."""

THREADS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedThread:
    """`retention_days` is None where the thread has no policy of its own."""

    id: str
    topic: str
    created_millis: int
    created_by: str
    metadata: Mapping[str, str] | None
    retention_days: int | None
    deleted_millis: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedParticipant:
    """Who takes part in a thread, or did until `removed_millis`."""

    thread: str
    subject: str
    display_name: str | None
    history_millis: int
    metadata: Mapping[str, str] | None
    removed_millis: int | None


class ExportedRegistration(NamedTuple):
    """A client of a user that hears of chats at once, by the endpoint id that it chose."""

    epid: str
    seen_millis: int


class ExportedMessage(NamedTuple):
    """A message with the id of its thread."""

    thread: str
    message: Message


class ExportedReceipt(NamedTuple):
    """A receipt with the id of its thread."""

    thread: str
    receipt: ReadReceipt


Record = ExportedThread | ExportedParticipant | ExportedMessage | ExportedReceipt | ExportedRegistration | Restriction


class Place(NamedTuple):
    """Where a piece begins: in which stage, at which thread by its number, after which row."""

    stage: int = 0
    thread: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """`next` is None where nothing follows; a piece may be empty although something does."""

    records: Sequence[Record]
    next: Place | None


class Exports:
    """`most` bounds the rows of a piece."""

    def __init__(self, store: ChatStore, registrations: RegistrationStore) -> None:
        self._store = store
        self._registrations = registrations

    async def of_thread(self, resource: Resource, thread: str, place: Place, *, most: int) -> Piece:
        """The thread and its participants in the order of joining, also those who left; messages by id; receipts.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
        """
        require_thread_id(thread)
        number, *about = await self._find(resource, thread)
        records: list[Record] = []
        if place.stage == 1:
            rows = await self._store.query(_MESSAGES, number, place.row, most)
            fitting = _fitting(rows)
            records += [ExportedMessage(thread, read_message(row)) for row in fitting]
        else:
            rows = fitting = await self._store.query(_PARTICIPANTS, number, place.row, most)
            if place == Place():
                records.append(_thread(about))
            for _, *part, id, millis in rows:
                if place.stage == 0:
                    records.append(_participant(thread, part))
                elif id is not None:
                    records.append(ExportedReceipt(thread, ReadReceipt(part[0], id, millis)))
        # Asked after what was read: nothing of it had been taken away by then.
        await self._find(resource, thread)
        if len(rows) == most or len(fitting) < len(rows):
            return Piece(records, place._replace(row=fitting[-1][0]))
        return Piece(records, Place(place.stage + 1) if place.stage < _LAST_STAGE_OF_THREAD else None)

    async def of_user(self, resource: Resource, user: str, place: Place, *, most: int) -> Piece:
        """Every thread that the user is or was in, with their part in it and their receipt; what they wrote there;
        which of their clients hear of chats at once; and what mutes or bans them.

        Nothing where nothing is kept of such a user.

        Raises:
            MalformedParticipant, UnsupportedParticipant: it is nobody at all.
        """
        subject = read_user(user).subject
        if place.stage == 1:
            return await self._written(resource, subject, place, most=most)
        if place.stage == 2:
            found = await self._registrations.of_user(resource.number, subject)
            return Piece([ExportedRegistration(*each) for each in found], Place(3))
        if place.stage == 3:
            kept = await kept_of_user(self._store, resource, subject, start=place.thread, most=most)
            return Piece(kept, Place(3, kept[-1].thread_number + 1) if len(kept) == most else None)
        rows = await self._store.query(_PARTS, resource.number, subject, place.thread, most)
        records: list[Record] = []
        for _, *about, joined, name, history, metadata, removed, id, millis in rows:
            thread = str(about[0])
            records.append(_thread(about))
            if joined:
                records.append(_participant(thread, (subject, name, history, metadata, removed)))
            if id is not None:
                records.append(ExportedReceipt(thread, ReadReceipt(subject, id, millis)))
        return Piece(records, Place(1) if len(rows) < most else Place(0, rows[-1][0] + 1))

    async def _written(self, resource: Resource, subject: str, place: Place, *, most: int) -> Piece:
        records: list[Record] = []
        threads = await self._store.query(_OPEN, resource.number, subject, place.thread, THREADS_LOOKED_AT)
        for number, thread in threads:
            after = place.row if number == place.thread else 0
            [(looked, last)] = await self._store.query(_LOOK, number, after, LOOKED_AT)
            asked = most - len(records)
            rows = await self._store.query(_WRITTEN, number, after, last or 0, subject, asked)
            fitting = _fitting(rows)
            records += [ExportedMessage(thread, read_message(row)) for row in fitting]
            if len(rows) == asked or len(fitting) < len(rows):
                return Piece(records, Place(1, number, fitting[-1][0]))
            if looked == LOOKED_AT:
                return Piece(records, Place(1, number, last))
        return Piece(records, Place(1, threads[-1][0] + 1) if len(threads) == THREADS_LOOKED_AT else Place(2))

    async def _find(self, resource: Resource, thread: str) -> Row:
        rows = await self._store.query(_THREAD, thread, resource.number)
        if not rows:
            raise ThreadNotFound
        return rows[0]


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The first of some messages, as many as fit into a piece, and at least one."""
    size = 0

    def fits(row: Row) -> bool:
        nonlocal size
        size += len(row[_CONTENT].encode())
        return size <= MOST_BYTES

    return [*takewhile(fits, rows)] or rows[:1]


def _thread(about: Sequence[Any]) -> ExportedThread:
    id, topic, created, created_by, metadata, days, deleted = about
    return ExportedThread(
        id=id,
        topic=topic,
        created_millis=created,
        created_by=created_by,
        metadata=read_metadata(metadata),
        retention_days=days,
        deleted_millis=deleted,
    )


def _participant(thread: str, part: Sequence[Any]) -> ExportedParticipant:
    subject, name, history, metadata, removed = part
    return ExportedParticipant(
        thread=thread,
        subject=subject,
        display_name=name,
        history_millis=history,
        metadata=read_metadata(metadata),
        removed_millis=removed,
    )


_LAST_STAGE_OF_THREAD = 2
_CONTENT = MESSAGE_COLUMNS.split(", ").index("content")
_ABOUT = "t.number, t.id, t.topic, t.created_millis, t.created_by, t.metadata, t.retention_days, t.deleted_millis"
_PART = "display_name, history_millis, metadata, removed_millis, read_id, read_millis"
_THREAD = f"select {_ABOUT} from threads t where t.id = $1 and t.resource = $2 and t.deleted_millis is null"  # noqa: S608
_PARTICIPANTS = f"select place, subject, {_PART} from participants where thread = $1 and place > $2 order by 1 limit $3"  # noqa: S608
_MESSAGES = f"select {MESSAGE_COLUMNS} from messages where thread = $1 and id > $2 order by id limit $3"  # noqa: S608
# Not by the key of participants, which begins with the thread: that would look at everybody in every thread. A thread
# that is being filled is nobody's yet; and whoever only wrote in one that was brought in has the place 0.
_OF_USER = f"""
    from participants p join threads t on t.number = p.thread
    where p.resource = $1 and p.subject = $2 and p.thread + 0 >= $3
    and coalesce(t.deleted_millis, {EVER}) > {GIVEN_UP_SINCE}
"""
_OF_PART = ", ".join(f"p.{column}" for column in _PART.split(", "))
_PARTS = f"select {_ABOUT}, p.place, {_OF_PART} {_OF_USER} order by p.thread + 0 limit $4"
_OPEN = f"select t.number, t.id {_OF_USER} and t.deleted_millis is null order by p.thread + 0 limit $4"
_LOOK = """
    select count(*), max(id) from (select id from messages where thread = $1 and id > $2 order by id limit $3) looked
"""
_WRITTEN = f"""
    select {MESSAGE_COLUMNS} from messages where thread = $1 and id > $2 and id <= $3 and sender = $4
    and kind in ('text', 'html') order by id limit $5
"""  # noqa: S608
