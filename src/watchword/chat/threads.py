"""The rules of threads: making, finding, listing, changing and deleting one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from watchword.chat.access import require_reader
from watchword.chat.creation import Wanted, create, request_digest
from watchword.chat.held_thread import (
    end_thread,
    find_standing,
    hold_thread,
    require_thread_id,
)
from watchword.chat.invitations import Invitation, NotAdded, read_invitations
from watchword.chat.limits import (
    LONGEST_RETENTION_DAYS,
    MOST_TOPIC_CHARACTERS,
    SHORTEST_RETENTION_DAYS,
    ChatLimits,
)
from watchword.chat.metadata import merged_metadata, read_metadata, stored_metadata
from watchword.chat.moderation import Draft, Moderation
from watchword.chat.reading_statements import EVER
from watchword.chat.restrictions import require_writer
from watchword.chat.speakers import Speaker
from watchword.chat.storable import utf8_bytes
from watchword.chat.store import ChatStore
from watchword.errors.chat import InvalidRetention, InvalidTopic, NotAParticipant
from watchword.identifiers import new_thread_id
from watchword.storage import Row, Transaction

DELETED_SHOWN_MILLIS = 30 * 86_400 * 1_000
"""Assumed: a deleted thread is listed, and may be deleted again, for 30 days (chat.md sections 3.2 and 3.5)."""


@dataclass(frozen=True, slots=True)
class Thread:
    """`created_by` is a skypeid; `metadata` None where none was ever given, `retention_days` where none is set."""

    number: int
    id: str
    topic: str
    created_millis: int
    created_by: str
    metadata: Mapping[str, str] | None
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class Created:
    """A new thread, or the one that was made when the same was asked for the first time."""

    thread: Thread
    not_added: tuple[NotAdded, ...] = ()


class ListedThread(msgspec.Struct, frozen=True, gc=False):
    """An item of a user's list. A deleted one stays for 30 days; for who was removed the list stands still."""

    number: int
    id: str
    topic: str
    deleted_millis: int | None
    last_millis: int


class ThreadPosition(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor holds: the last item of a page. The next one begins after it."""

    last_millis: int
    number: int


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """`next` is None where nothing follows."""

    threads: Sequence[ListedThread]
    next: ThreadPosition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadChange:
    """A field that is None stays as it is. Metadata is merged: a key with None or an empty text is removed."""

    topic: str | None = None
    metadata: Mapping[str, str | None] | None = None
    changes_retention: bool = False
    retention_days: int | None = None
    """Counts where `changes_retention`; None is no retention of its own."""


class Threads:
    """`thread` is a thread's id as it came in the path, with percent codes decoded.

    `nudge` is called when something was begun that goes on in the background. `moderation`, if any, is asked of topics.
    `require_right_clock` raises where this machine's clock is wrong: the time of a thread counts for good.
    """

    def __init__(
        self,
        store: ChatStore,
        limits: ChatLimits,
        nudge: Callable[[], None] = lambda: None,
        *,
        moderation: Moderation | None = None,
        require_right_clock: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._limits = limits
        self._nudge = nudge
        self._moderation = moderation
        self._require_right_clock = require_right_clock

    async def create(
        self,
        speaker: Speaker,
        *,
        topic: str,
        invited: Sequence[Invitation] = (),
        metadata: Mapping[str, str] | None = None,
        retention_days: int | None = None,
        repeatability_id: str | None = None,
        now_micros: int,
    ) -> Created:
        """The speaker takes part, whether listed or not.

        Whoever asks again with the same `repeatability_id` within 24 hours is given the same thread, and nothing is
        made, for as long as the thread is there.

        Raises:
            InvalidTopic, InvalidRetention, MetadataTooLarge, InvalidDisplayName: as they say.
            MalformedParticipant, UnsupportedParticipant: one of the invited is nobody at all.
            TooManyParticipants: in this call.
            ChatQuotaExceeded: the speaker has as many threads as a user may.
            Restricted: everywhere.
            NotAuthenticated: the resource or the speaker's identity was deleted since the token was proved.
            ContentRefused, ModeratorUnavailable: as `Moderation.review`.
            WrongClock: retention would count from a time that is not now.
        """
        self._require_right_clock()
        wanted = Wanted(
            id=new_thread_id(),
            topic=require_topic(topic),
            metadata=stored_metadata(metadata, "thread", self._limits.metadata_bytes),
            retention_days=require_retention(retention_days),
            joining=read_invitations(invited, self._limits),
            request=None if repeatability_id is None else request_digest(speaker, repeatability_id),
        )
        if self._moderation is not None:
            draft = Draft(kind="topic", speaker=speaker, content=topic, metadata=metadata)
            topic, now_micros = await self._moderation.review(draft, require_topic, now_micros)
            wanted = replace(wanted, topic=topic)

        async def work(transaction: Transaction) -> Created:
            row, refused = await create(
                transaction,
                speaker,
                wanted,
                limits=self._limits,
                has_restrictions=self._store.has_restrictions,
                now_micros=now_micros,
            )
            return Created(_thread(row), tuple(refused))

        return await self._store.change(work)

    async def list(
        self,
        speaker: Speaker,
        *,
        start_millis: int = 0,
        after: ThreadPosition | None = None,
        most: int,
        now_micros: int,
    ) -> ThreadPage:
        """Every thread that the speaker is or was in, with the newest message first, from `start_millis` on."""
        oldest_deletion = now_micros // 1_000 - DELETED_SHOWN_MILLIS

        def is_shown(row: Row) -> bool:
            is_removed = bool(row[6])
            return (row[3] is None or row[3] > oldest_deletion) and (
                self._limits.reading_after_removal or not is_removed
            )

        rows = await self._store.list_threads(
            speaker,
            start=start_millis,
            after=(EVER, EVER) if after is None else (after.last_millis, after.number),
            most=most + 1,
            is_shown=is_shown,
        )
        threads = [ListedThread(*row[:5]) for row in rows[:most]]
        last = ThreadPosition(threads[-1].last_millis, threads[-1].number) if len(rows) > most else None
        return ThreadPage(threads, last)

    async def get(self, speaker: Speaker, thread: str) -> Thread:
        """Also for who was removed, if reading after removal is allowed.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
            NotAParticipant: never was one, or may not read any more.
        """
        require_thread_id(thread)
        access, row = require_reader(await self._store.find_thread(speaker, thread), self._limits)
        return _thread((access.number, *row[:6]))

    async def update(self, speaker: Speaker, thread: str, change: ThreadChange, *, now_micros: int) -> None:
        """Another topic is a message; nothing else is.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `get`; also of who was removed.
            InvalidTopic, InvalidRetention, MetadataTooLarge: as they say.
            ContentRefused, ModeratorUnavailable: as `Moderation.review`, of another topic.
            ThreadFrozen, Restricted: as they say.
        """
        require_thread_id(thread)
        if change.topic is not None:
            require_topic(change.topic)
        if change.changes_retention:
            require_retention(change.retention_days)
        if self._moderation is not None and change.topic is not None:
            draft = Draft(kind="topic", speaker=speaker, content=change.topic, thread=thread, metadata=change.metadata)
            topic, now_micros = await self._moderation.review(draft, require_topic, now_micros)
            change = replace(change, topic=topic)

        async def work(transaction: Transaction) -> None:
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            await require_writer(held, speaker.subject, has_restrictions=self._store.has_restrictions)
            if change.metadata:
                held.metadata = merged_metadata(
                    read_metadata(held.metadata), change.metadata, "thread", maximum=self._limits.metadata_bytes
                )
            if change.changes_retention:
                held.retention_days = change.retention_days
            if change.topic is not None:
                held.topic = change.topic
                await held.say("topicUpdated", speaker.subject, change.topic)
            if change.metadata or change.changes_retention or change.topic is not None:
                await held.tell("threadUpdated", speaker.subject)
                await held.save()

        await self._store.change(work)

    async def delete(self, speaker: Speaker, thread: str, now_micros: int) -> None:
        """A thread that is deleted already stays so: its members may ask again for 30 days.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `get`; also of who was removed.
            ThreadFrozen, Restricted: as they say.
        """
        require_thread_id(thread)

        async def work(transaction: Transaction) -> None:
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            if held.deleted_millis is None:
                await require_writer(held, speaker.subject, has_restrictions=self._store.has_restrictions)
                await end_thread(held, speaker.subject)
                return
            standing = await find_standing(held, speaker.subject)
            if standing is None or standing.removed_millis is not None:
                raise NotAParticipant

        await self._store.change(work)
        self._nudge()


def require_topic(topic: str) -> str:
    """Let a topic pass that can be stored.

    Raises:
        InvalidTopic: it is empty or too long.
        Unstorable: it cannot be stored.
    """
    utf8_bytes(topic)
    if not 1 <= len(topic) <= MOST_TOPIC_CHARACTERS:
        raise InvalidTopic(len(topic), MOST_TOPIC_CHARACTERS)
    return topic


def require_retention(days: int | None) -> int | None:
    if days is not None and not SHORTEST_RETENTION_DAYS <= days <= LONGEST_RETENTION_DAYS:
        raise InvalidRetention(days, SHORTEST_RETENTION_DAYS, LONGEST_RETENTION_DAYS)
    return days


def _thread(row: Row) -> Thread:
    number, id, topic, created_millis, created_by, metadata, retention_days = row
    return Thread(number, id, topic, created_millis, created_by, read_metadata(metadata), retention_days)
