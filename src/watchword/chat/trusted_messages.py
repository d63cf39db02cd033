"""What the trusted server does with the messages of any thread of its resource, without being in it.

It reads all of them, whoever sees them; sends under a name of its own; deletes as a sender would; and redacts, which
leaves nothing that anybody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchword.chat.contents import read_kind, require_room, stored_content
from watchword.chat.held_thread import HeldThread, require_thread_id, write_participants
from watchword.chat.limits import ChatLimits
from watchword.chat.message import Message, NamedParticipant, read_message, require_message_id
from watchword.chat.messages import MessagePage, Sent, bury
from watchword.chat.metadata import stored_metadata
from watchword.chat.reading_statements import EVER, MESSAGE_COLUMNS
from watchword.chat.speakers import trusted_server
from watchword.chat.storable import require_display_name, utf8_bytes
from watchword.chat.store import ChatStore
from watchword.chat.trusted_threads import hold_alive
from watchword.errors.chat import MessageNotFound, NotTheSender, ThreadNotFound, TopicInForce
from watchword.identifiers import FlakeMinter
from watchword.resources.store import Resource
from watchword.storage import Transaction


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which messages a page has. Newest versions first: versions from `start` on and below `beyond`; upward: ids from
    `start` on and above `beyond`. Without `beyond` it is the first page.
    """

    start: int = 0
    beyond: int | None = None
    upward: bool = False


class TrustedMessages:
    """`thread` and `message` are ids as they came in the path, with percent codes decoded."""

    def __init__(self, store: ChatStore, minter: FlakeMinter, limits: ChatLimits) -> None:
        self._store = store
        self._minter = minter
        self._limits = limits

    async def list(self, resource: Resource, thread: str, bounds: Bounds, *, most: int) -> MessagePage:
        """`next_version` of an upward page is the last id.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
        """
        require_thread_id(thread)
        if bounds.upward:
            parameters, sql = (bounds.start, bounds.beyond or 0), _UPWARD
        else:
            parameters, sql = (bounds.start, EVER if bounds.beyond is None else bounds.beyond), _NEWEST
        rows = await self._store.query(sql, thread, resource.number, *parameters, most + 1)
        await self._require_alive(resource, thread)
        messages = [read_message(row) for row in rows[:most]]
        if len(rows) <= most:
            return MessagePage(messages, None)
        return MessagePage(messages, messages[-1].id if bounds.upward else messages[-1].version)

    async def get(self, resource: Resource, thread: str, message: str) -> Message:
        """Find a message, of whomever.

        Raises:
            MalformedThreadId, MalformedMessageId, ThreadNotFound, MessageNotFound: as they say.
        """
        require_thread_id(thread)
        rows = await self._store.query(_FIND, thread, resource.number, require_message_id(message))
        await self._require_alive(resource, thread)
        if not rows:
            raise MessageNotFound
        return read_message(rows[0])

    async def send(
        self,
        resource: Resource,
        thread: str,
        *,
        content: str,
        type: str | None = None,
        sender_name: str,
        metadata: Mapping[str, str] | None = None,
        now_micros: int,
    ) -> Sent:
        """Send as a user does, whatever the thread is closed for; `sender_name` is what people see.

        Raises:
            MalformedThreadId, ThreadNotFound, HistoryUnfinished: there is no such thread, or not yet.
            UnsupportedMessageType, EmptyMessage, MessageTooLarge, InvalidDisplayName, MetadataTooLarge: as they say.
            ChatQuotaExceeded: of the thread.
        """
        require_thread_id(thread)
        kind = read_kind(type)
        require_display_name(sender_name)
        stored = stored_metadata(metadata, "message", self._limits.metadata_bytes)
        text = stored_content(content, kind, self._limits)
        size, key = utf8_bytes(text), self._minter.mint()

        async def work(transaction: Transaction) -> Sent:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            require_room(self._limits, messages=held.messages + 1, size=held.bytes + size)
            id = held.last_millis = held.next_version()
            held.sequence += 1
            held.messages += 1
            held.bytes += size
            sender = trusted_server(resource).subject
            await transaction.execute(
                _SEND, held.number, id, held.sequence, kind, sender, sender_name, text, stored, key
            )
            await held.tell("messageReceived", str(id))
            await held.save()
            return Sent(id, held.number)

        return await self._store.change(work)

    async def delete(self, resource: Resource, thread: str, message: str, *, now_micros: int) -> None:
        """What is left says who sent it; of one that is deleted already nothing changes.

        Raises:
            MalformedThreadId, MalformedMessageId, ThreadNotFound, MessageNotFound: as `get`.
            HistoryUnfinished: as `send`.
            NotTheSender: what the system says is not deleted, only redacted.
        """
        require_thread_id(thread)
        id = require_message_id(message)

        async def work(transaction: Transaction) -> None:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            found = await _find(held, id)
            if found.is_system:
                raise NotTheSender
            if found.deleted_millis is None:
                await bury(held, id)
                held.bytes -= utf8_bytes(found.content)
                await held.save()

        await self._store.change(work)

    async def redact(self, resource: Resource, thread: str, message: str, *, now_micros: int) -> None:
        """Nothing that anybody wrote is left of it: no text, topic, metadata or display name; it counts as deleted.

        Also of a message that is deleted already. Of who was added or removed the ids stay.

        Raises:
            MalformedThreadId, MalformedMessageId, ThreadNotFound, MessageNotFound: as `get`.
            HistoryUnfinished: as `send`.
            TopicInForce: it is the topic that the thread has now.
        """
        require_thread_id(thread)
        id = require_message_id(message)

        async def work(transaction: Transaction) -> None:
            held = await hold_alive(transaction, resource, thread, now_micros=now_micros)
            found = await _find(held, id)
            if found.kind == "topicUpdated" and found.content == held.topic:
                raise TopicInForce
            nameless = [NamedParticipant(each.subject, None, each.history_millis) for each in found.participants]
            if not _says_anything(found):
                return
            version = held.next_version()
            left = write_participants(nameless) if nameless else ""
            before = write_participants(list(found.participants)) if nameless else found.content
            held.bytes += utf8_bytes(left) - utf8_bytes(before)
            await transaction.execute(_REDACT, held.number, id, version, left, found.deleted_millis or version)
            await held.tell("messageDeleted", str(id))
            await held.save()

        await self._store.change(work)

    async def _require_alive(self, resource: Resource, thread: str) -> None:
        """Asked after what was read: nothing of it had been taken away by then."""
        if not await self._store.query(_ALIVE, thread, resource.number):
            raise ThreadNotFound


def _says_anything(found: Message) -> bool:
    """Whether there is anything that would go, or it does not count as deleted yet."""
    names = [found.sender_name, *(each.display_name for each in found.participants)]
    return found.deleted_millis is None or bool(found.content) or found.metadata is not None or any(names)


async def _find(held: HeldThread, id: int) -> Message:
    rows = await held.transaction.execute(_FIND_HELD, held.number, id)
    if not rows:
        raise MessageNotFound
    return read_message(rows[0])


_THREAD = "thread = (select number from threads where id = $1 and resource = $2)"
_ALIVE = "select 1 from threads where id = $1 and resource = $2 and deleted_millis is null"
_NEWEST = f"""
    select {MESSAGE_COLUMNS} from messages where {_THREAD} and version >= $3 and version < $4
    order by version desc limit $5
"""  # noqa: S608
_UPWARD = f"select {MESSAGE_COLUMNS} from messages where {_THREAD} and id >= $3 and id > $4 order by id limit $5"  # noqa: S608
_FIND = f"select {MESSAGE_COLUMNS} from messages where {_THREAD} and id = $3"  # noqa: S608
_FIND_HELD = f"select {MESSAGE_COLUMNS} from messages where thread = $1 and id = $2"  # noqa: S608
_SEND = """
    insert into messages (thread, id, version, sequence, kind, sender, sender_name, content, metadata, key)
    values ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_REDACT = """
    update messages set version = $3, content = $4, sender_name = '', metadata = null, edited_millis = null,
        deleted_millis = $5
    where thread = $1 and id = $2
"""
