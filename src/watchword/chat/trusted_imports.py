"""The rules of histories that are brought in from elsewhere: begun, filled in order batch by batch, finished.

    begin     a thread of its own, which nobody sees yet
    append    some records that come after those that are in; what was sent already is passed over
    finish    its participants join, and it is a thread like all others
    give up   what is in goes, as it does by itself where nothing comes for a week

How far it has come is written with the records, in one transaction: so whoever goes on after an interruption asks, and
nothing is in twice. While it lasts, the thread's row is marked as one that was deleted and is not to be purged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat

from watchword.chat.contents import require_room
from watchword.chat.held_import import (
    FIND_IMPORT,
    HIDDEN,
    HIDDEN_SINCE,
    HistoryImport,
    drop_import,
    hold_import,
    read_import,
)
from watchword.chat.held_thread import HeldThread, require_thread_id
from watchword.chat.invitations import Invitation, NotAdded, admit, join, part_banned, read_invitations
from watchword.chat.limits import ChatLimits
from watchword.chat.metadata import stored_metadata
from watchword.chat.speakers import trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.threads import require_retention, require_topic
from watchword.chat.trusted_records import MESSAGE_COLUMNS, Numbers, ReadRecord, Record, read_records, rows
from watchword.chat.users import read_user
from watchword.errors import NotAuthenticated
from watchword.errors.chat import TooManyParticipants
from watchword.errors.imports import (
    HistoryTooOld,
    ImportFinished,
    ImportNotFound,
    InvalidMoment,
    MalformedImportId,
    RecordRefused,
    RecordsMissing,
    ThreadTaken,
    TooManyRecords,
)
from watchword.identifiers import new_thread_id, random_bytes
from watchword.resources.store import Resource
from watchword.storage import Transaction
from watchword.storage.database import Lock

MOST_RECORDS = 500
"""In one call, and so in one transaction."""

_DAY_MILLIS = timedelta(days=1) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHistory:
    """What its thread is to be. Without `created_by`, such as `8:acs:...`, who wrote the first record made it."""

    topic: str
    created_by: str | None = None
    metadata: Mapping[str, str] | None = None
    retention_days: int | None = None
    thread: str | None = None


class TrustedImports:
    """`id` is chosen by whoever brings a history in: by it they go on after an interruption."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def begin(
        self, resource: Resource, id: str, asked: NewHistory, *, now_micros: int
    ) -> tuple[HistoryImport, bool]:
        """The import, and whether it is a new one. One that was begun before stays as it is, whatever is asked now;
        but where its thread was deleted since, it begins anew.

        Raises:
            MalformedImportId, InvalidTopic, InvalidRetention, MetadataTooLarge, MalformedThreadId: as they say.
            MalformedParticipant, UnsupportedParticipant: who made the thread is nobody at all.
            ThreadTaken: a thread of the wanted id is there.
            NotAuthenticated: the resource was deleted.
        """
        _require_id(id)
        if asked.thread is not None:
            require_thread_id(asked.thread)
        thread = (
            asked.thread or new_thread_id(),
            resource.number,
            require_topic(asked.topic),
            stored_metadata(asked.metadata, "thread", self._limits.metadata_bytes),
            require_retention(asked.retention_days),
            read_user(asked.created_by).subject if asked.created_by else trusted_server(resource).subject,
            now_micros // 1_000,
            HIDDEN_SINCE,
            HIDDEN,
        )
        await self._store.require_trusted_tables()

        async def work(transaction: Transaction) -> tuple[HistoryImport, bool]:
            # Not shared: two that begin the same import come one after the other.
            active = Lock("resources", "number = $1 and state = 'active'", (resource.number,))
            if not await transaction.lock(active):
                raise NotAuthenticated("The resource was deleted.")
            await transaction.execute(_FORGET_GONE, resource.number, id, HIDDEN_SINCE)
            found = await transaction.execute(FIND_IMPORT, resource.number, id)
            if found:
                return read_import(found[0]), False
            made = await transaction.execute(_INSERT_THREAD, *thread)
            if not made:
                raise ThreadTaken
            await transaction.execute(_INSERT, resource.number, id, made[0][0], now_micros // 1_000)
            return HistoryImport(id, thread[0], 0, now_micros // 1_000, None), True

        return await self._store.change(work)

    async def get(self, resource: Resource, id: str) -> HistoryImport:
        """How far an import has come.

        Raises:
            ImportNotFound: there is none of this id.
        """
        await self._store.require_trusted_tables()
        found = await self._store.query(FIND_IMPORT, resource.number, id)
        if not found:
            raise ImportNotFound
        return read_import(found[0])

    async def append(
        self, resource: Resource, id: str, records: Sequence[Record], *, after: int, now_micros: int
    ) -> HistoryImport:
        """`after` is how many records come before these; those of them that are in already are passed over.

        Raises:
            ImportNotFound, ImportFinished, RecordsMissing, TooManyRecords, RecordRefused: as they say.
            HistoryTooOld: the thread's retention, or the operator's, is over before it begins.
            ChatQuotaExceeded: of the thread.
        """
        if len(records) > MOST_RECORDS:
            raise TooManyRecords(len(records), MOST_RECORDS)
        read = read_records(records, self._limits, after=after, now_millis=now_micros // 1_000)

        async def work(transaction: Transaction) -> HistoryImport:
            held, row = await hold_import(transaction, resource.number, id, now_micros=now_micros)
            reached, last_millis = row[2], row[5]
            if after > reached:
                raise RecordsMissing(after, reached)
            fresh = read[reached - after :]
            if not fresh:
                return read_import(row)
            if fresh[0].created_millis < last_millis:
                raise RecordRefused(reached + 1, InvalidMoment("It was written before the record before it."))
            if not reached:
                await self._begin_at(held, fresh[0], trusted_server(resource).subject)
            await self._add(held, fresh)
            reached += len(fresh)
            moved = reached, fresh[-1].created_millis, now_micros // 1_000
            await transaction.execute(_MOVE, resource.number, id, *moved)
            return HistoryImport(row[0], row[1], reached, row[3], None)

        await self._store.require_trusted_tables()
        return await self._store.change(work)

    async def finish(
        self, resource: Resource, id: str, participants: Sequence[Invitation], *, unread: bool = False, now_micros: int
    ) -> tuple[HistoryImport, list[NotAdded]]:
        """The import, and who could not be added, who is banned among them. The others see all of it, but for who joins
        from a later time on; and count as having read it, unless it is `unread`. One that is finished stays as it is.

        Raises:
            ImportNotFound: there is none of this id.
            MalformedParticipant, UnsupportedParticipant, InvalidDisplayName, MetadataTooLarge: of one of them.
            TooManyParticipants: in this call, or for a thread.
        """
        joining = read_invitations(participants, self._limits)

        async def work(transaction: Transaction) -> tuple[HistoryImport, list[NotAdded]]:
            admitted, refused = await admit(transaction, resource, joining)
            try:
                held, row = await hold_import(transaction, resource.number, id, now_micros=now_micros)
            except ImportFinished:
                [row] = await transaction.execute(FIND_IMPORT, resource.number, id)
                return read_import(row), refused
            admitted, banned = await part_banned(
                transaction, admitted, resource=resource.number, thread=held.number, now_millis=held.now_millis
            )
            await join(held, admitted)
            if held.present > self._limits.participants:
                raise TooManyParticipants("thread", held.present, self._limits.participants)
            if not unread and held.last_millis:
                await transaction.execute(_READ, held.number, held.last_millis)
            held.deleted_millis = None
            await held.tell("threadCreated", held.created_by)
            await held.save()
            await transaction.execute("update threads set emptied = 0 where number = $1", held.number)
            await transaction.execute(_FINISH, resource.number, id, held.now_millis)
            return HistoryImport(row[0], row[1], row[2], row[3], held.now_millis), refused + banned

        await self._store.require_trusted_tables()
        return await self._store.change(work)

    async def give_up(self, resource: Resource, id: str, now_micros: int) -> None:
        """What is in goes in the background.

        Raises:
            ImportNotFound, ImportFinished: as they say.
        """

        async def work(transaction: Transaction) -> None:
            held, _ = await hold_import(transaction, resource.number, id, now_micros=now_micros)
            await drop_import(transaction, held.number)

        await self._store.require_trusted_tables()
        await self._store.change(work)

    async def _begin_at(self, held: HeldThread, first: ReadRecord, nobody: str) -> None:
        """The thread is as old as its first record, and made by who wrote that, unless it was said who did.

        Raises:
            HistoryTooOld: it would be deleted at once.
        """
        days = min((each for each in (held.retention_days, self._limits.retention_days) if each), default=0)
        if days and first.created_millis + days * _DAY_MILLIS <= held.now_millis:
            raise HistoryTooOld(days)
        if held.created_by == nobody:
            held.created_by = first.sender.subject
        await held.transaction.execute(_BEGIN_AT, held.number, first.created_millis, held.created_by)

    async def _add(self, held: HeldThread, records: Sequence[ReadRecord]) -> None:
        """All of them, in one go.

        Raises:
            ChatQuotaExceeded: of the thread.
        """
        held.messages += len(records)
        held.bytes += sum(each.bytes for each in records)
        require_room(self._limits, messages=held.messages, size=held.bytes)
        taken = await held.transaction.execute(_TAKEN, held.number, held.last_millis)
        numbers = Numbers(held.last_millis, (version for (version,) in taken))
        keys = (random_bytes(16) for _ in repeat(None))
        made = rows(held.number, held.sequence, records, numbers=numbers, keys=keys)
        held.sequence += len(records)
        held.last_millis = numbers.last
        held.version = max(held.version, *(row[2] for row in made))
        # Whoever wrote here is known as somebody who left, and sees nothing: with their identity it all goes.
        wrote = {each.sender.subject for each in records if each.sender.resource is not None}
        await held.transaction.execute_many(
            _WROTE, [(held.number, subject, held.resource) for subject in sorted(wrote)]
        )
        await held.transaction.load("messages", MESSAGE_COLUMNS, made)
        await held.save()


def _require_id(id: str) -> None:
    if not _ID.fullmatch(id):
        raise MalformedImportId


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)

_FORGET_GONE = """
    delete from history_imports where resource = $1 and id = $2 and not exists (
        select 1 from threads t where t.number = history_imports.thread
        and (t.deleted_millis is null or t.deleted_millis = $3)
    )
"""
_INSERT_THREAD = """
    insert into threads
        (id, resource, topic, metadata, retention_days, created_by, created_millis, deleted_millis, emptied)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing returning number
"""
_INSERT = """
    insert into history_imports (resource, id, thread, begun_millis, moved_millis) values ($1, $2, $3, $4, $4)
"""
_MOVE = """
    update history_imports set reached = $3, last_millis = $4, moved_millis = $5 where resource = $1 and id = $2
"""
_FINISH = """
    update history_imports set finished_millis = $3, moved_millis = $3 where resource = $1 and id = $2
"""
_BEGIN_AT = "update threads set created_millis = $2, created_by = $3 where number = $1"
_TAKEN = "select version from messages where thread = $1 and version > $2"
_READ = """
    update participants set read_id = $2, read_millis = $2
    where thread = $1 and removed_millis is null and history_millis <= $2
"""
_WROTE = """
    insert into participants (thread, subject, resource, place, history_millis, removed_millis, listed_millis)
    values ($1, $2, $3, 0, 0, 0, -1) on conflict (thread, subject) do nothing
"""
