"""The rules of threads for the trusted server: it finds, reads, changes, freezes and deletes any of its resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from watchword.chat.held_import import HIDDEN_SINCE
from watchword.chat.held_thread import HeldThread, end_thread, hold_thread, require_thread_id
from watchword.chat.metadata import read_metadata
from watchword.chat.reading_statements import EVER
from watchword.chat.speakers import trusted_server
from watchword.chat.storable import utf8_bytes
from watchword.chat.store import LISTED_LATE_MILLIS, ChatStore
from watchword.chat.threads import require_topic
from watchword.chat.users import read_user
from watchword.errors.chat import HistoryUnfinished, ThreadNotFound
from watchword.resources.store import Resource
from watchword.storage import Row, Transaction

LOOKED_AT = 500
"""Threads that a page looks at, at the most, to find those that a filter lets pass."""

TOPIC_CHARACTERS = 32
"""Of a topic so much is in the index, and in a cursor; see the schema."""


@dataclass(frozen=True, slots=True)
class TrustedThread:
    """Any thread of the resource. `created_by` is a skypeid; `bytes` are of the contents of its messages."""

    number: int
    id: str
    topic: str
    created_millis: int
    created_by: str
    metadata: Mapping[str, str] | None
    retention_days: int | None
    participants: int
    messages: int
    bytes: int
    last_millis: int
    frozen_millis: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadFilter:
    """What is wanted of threads; `member` as it was sent, such as `8:acs:...`."""

    member: str | None = None
    topic_prefix: str = ""
    since_millis: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """The thread after which a page begins: by activity, or by the beginning of its topic, and by number."""

    listed_millis: int = EVER
    number: int = EVER
    topic: str = ""


@dataclass(frozen=True, slots=True)
class TrustedThreadPage:
    """`next` is None where nothing follows."""

    threads: Sequence[TrustedThread]
    next: Place | None


class TrustedThreads:
    """`thread` is a thread's id as it came in the path, with percent codes decoded. `resource` is the caller's own.

    `nudge` is called when something was begun that goes on in the background.
    """

    def __init__(self, store: ChatStore, nudge: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._nudge = nudge

    async def list(
        self, resource: Resource, wanted: ThreadFilter, *, after: Place | None = None, most: int
    ) -> TrustedThreadPage:
        """Newest activity first, within two seconds; or in the order of topics, where they are to begin with a prefix
        and no member is named. A page costs the same wherever it is, and may hold fewer than there is room for.

        Raises:
            MalformedParticipant, UnsupportedParticipant: the member is nobody at all.
            Unstorable: no topic begins with the prefix, for none can be stored.
        """
        utf8_bytes(wanted.topic_prefix)
        await self._store.require_trusted_tables()
        is_filtered = bool(wanted.member or wanted.topic_prefix or wanted.since_millis)
        asked = max(LOOKED_AT, most) if is_filtered else most
        # One more, to know whether something follows.
        rows = await self._look(resource.number, wanted, after, most=asked + 1)
        found: list[TrustedThread] = []
        for count, row in enumerate(rows, 1):
            if _is_wanted(row, wanted):
                found.append(_thread(row))
            if (len(found) == most or count == asked) and count < len(rows):
                return TrustedThreadPage(found, Place(row[-3], row[0], row[2][:TOPIC_CHARACTERS]))
        return TrustedThreadPage(found, None)

    async def get(self, resource: Resource, thread: str) -> TrustedThread:
        """What there is to be known of a thread.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
        """
        require_thread_id(thread)
        await self._store.require_trusted_tables()
        rows = await self._store.query(_FIND, thread, resource.number)
        if not rows:
            raise ThreadNotFound
        return _thread(rows[0])

    async def update(
        self, resource: Resource, thread: str, *, topic: str | None = None, frozen: bool | None = None, now_micros: int
    ) -> None:
        """Another topic is a message, as it is of a user. In a frozen thread no user writes anything.

        Raises:
            MalformedThreadId, ThreadNotFound, HistoryUnfinished: there is no such thread, or not yet.
            InvalidTopic: as it says.
        """
        require_thread_id(thread)
        if topic is not None:
            require_topic(topic)
        await self._store.require_trusted_tables()

        async def work(transaction: Transaction) -> None:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            if frozen is not None:
                await transaction.execute(_FREEZE if frozen else _OPEN, *_freezing(held, frozen))
            if topic is not None:
                by = trusted_server(resource).subject
                held.topic = topic
                await held.say("topicUpdated", by, topic)
                await held.tell("threadUpdated", by)
                await held.save()

        await self._store.change(work)

    async def delete(self, resource: Resource, thread: str, *, now_micros: int) -> None:
        """Delete it as a member would.

        Raises:
            MalformedThreadId, ThreadNotFound, HistoryUnfinished: there is no such thread, or not yet.
        """
        require_thread_id(thread)

        async def work(transaction: Transaction) -> None:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            await end_thread(held, trusted_server(resource).subject)

        await self._store.change(work)
        self._nudge()

    async def _look(self, resource: int, wanted: ThreadFilter, after: Place | None, *, most: int) -> Sequence[Row]:
        """Candidates in their order, by an index: what else is wanted of them is looked at afterwards."""
        place = after or Place()
        since = wanted.since_millis - LISTED_LATE_MILLIS if wanted.since_millis else 0
        if wanted.member is not None:
            subject = read_user(wanted.member).subject
            bounds = place.listed_millis, place.number, since, most
            return await self._store.query(_BY_MEMBER, resource, subject, *bounds)
        if wanted.topic_prefix:
            prefix = wanted.topic_prefix[:TOPIC_CHARACTERS]
            first = (place.topic, place.number) if after else (prefix, -1)
            # No text of so many characters that begins with the prefix is above it.
            last = prefix.ljust(TOPIC_CHARACTERS, "\U0010ffff")
            return await self._store.query(_BY_TOPIC, resource, *first, last, most)
        return await self._store.query(_BY_ACTIVITY, resource, place.listed_millis, place.number, since, most)


async def hold_alive(transaction: Transaction, resource: Resource, thread: str, *, now_micros: int) -> HeldThread:
    """Hold a thread that was not deleted.

    Raises:
        ThreadNotFound: the resource has none of that id.
        HistoryUnfinished: as it says.
    """
    held = await hold_thread(transaction, resource.number, thread, now_micros=now_micros)
    if held.deleted_millis == HIDDEN_SINCE:
        raise HistoryUnfinished
    if held.deleted_millis is not None:
        raise ThreadNotFound
    return held


def _freezing(held: HeldThread, frozen: bool) -> tuple[int, ...]:
    return (held.number, held.now_millis) if frozen else (held.number,)


def _is_wanted(row: Row, wanted: ThreadFilter) -> bool:
    """The last three columns are for this alone."""
    *_, removed_millis, deleted_millis = row
    topic, last_millis = row[2], row[10]
    return (
        removed_millis is None
        and deleted_millis is None
        and last_millis >= wanted.since_millis
        and topic.startswith(wanted.topic_prefix)
    )


def _thread(row: Row) -> TrustedThread:
    number, id, topic, created_millis, created_by, metadata, *others = row[:12]
    return TrustedThread(number, id, topic, created_millis, created_by, read_metadata(metadata), *others)


_COLUMNS = (
    "t.number, t.id, t.topic, t.created_millis, t.created_by, t.metadata, t.retention_days, t.present, t.messages,"
    " t.bytes, t.last_millis, t.frozen_millis"
)
_ALIVE = f"select {_COLUMNS}, t.listed_millis, null, null from threads t where t.resource = $1"  # noqa: S608
_BEGINNING = f"substr(t.topic, 1, {TOPIC_CHARACTERS})"

_FIND = f"select {_COLUMNS} from threads t where t.id = $1 and t.resource = $2 and t.deleted_millis is null"  # noqa: S608
_FREEZE = "update threads set frozen_millis = coalesce(frozen_millis, $2) where number = $1"
_OPEN = "update threads set frozen_millis = null where number = $1"
_BY_ACTIVITY = f"""
    {_ALIVE} and t.deleted_millis is null and (t.listed_millis, t.number) < ($2, $3) and t.listed_millis >= $4
    order by t.listed_millis desc, t.number desc limit $5
"""
_BY_TOPIC = f"""
    {_ALIVE} and t.deleted_millis is null and {_BEGINNING} >= $2 and ({_BEGINNING}, t.number) > ($2, $3)
    and {_BEGINNING} <= $4 order by {_BEGINNING}, t.number limit $5
"""
_BY_MEMBER = f"""
    select {_COLUMNS}, f.listed_millis, f.removed_millis, t.deleted_millis from (
        select p.thread, p.listed_millis, p.removed_millis from participants p
        where p.resource = $1 and p.subject = $2 and (p.listed_millis, p.thread) < ($3, $4) and p.listed_millis >= $5
        order by p.listed_millis desc, p.thread desc limit $6
    ) f join threads t on t.number = f.thread order by f.listed_millis desc, f.thread desc
"""  # noqa: S608
