"""The rules of messages: sending, editing and deleting, and one rule of who sees which, for every way to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from watchword.chat.access import require_reader
from watchword.chat.contents import read_kind, stored_content
from watchword.chat.held_thread import HeldThread, hold_thread, require_thread_id
from watchword.chat.limits import ChatLimits
from watchword.chat.message import Kind, Message, NamedParticipant, read_message, require_message_id
from watchword.chat.metadata import merged_metadata, stored_metadata
from watchword.chat.moderation import Draft, Moderation
from watchword.chat.own_messages import hold_own
from watchword.chat.speakers import Speaker
from watchword.chat.storable import require_display_name, utf8_bytes
from watchword.chat.store import ChatStore, SendAnswer
from watchword.errors.chat import (
    ChatQuotaExceeded,
    MessageNotFound,
    NotAParticipant,
    ThreadFrozen,
    ThreadNotFound,
)
from watchword.identifiers import FlakeMinter
from watchword.storage import Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """What a message became; `thread_number` names its thread in the journal."""

    id: int
    thread_number: int


@dataclass(frozen=True, slots=True)
class MessagePage:
    """`next_version` is what the next page is asked with as `below`; None where nothing follows."""

    messages: Sequence[Message]
    next_version: int | None


__all__ = ["Kind", "Message", "MessagePage", "Messages", "NamedParticipant", "Sent", "bury"]


class Messages:
    """`thread` and `message` are ids as they came in the path, with percent codes decoded.

    `minter` draws the keys by which a message that is sent again is known. Where there is a `moderation`, it is asked.
    """

    def __init__(
        self, store: ChatStore, minter: FlakeMinter, limits: ChatLimits, *, moderation: Moderation | None = None
    ) -> None:
        self._store = store
        self._minter = minter
        self._limits = limits
        self._moderation = moderation

    async def send(
        self,
        speaker: Speaker,
        thread: str,
        *,
        content: str,
        type: str | None = None,
        sender_name: str | None = None,
        metadata: Mapping[str, str] | None = None,
        now_micros: int,
    ) -> Sent:
        """`type` is `text` or `html` in whatever case, or None for text. Html is stored as the sanitiser leaves it.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`; also of who was removed.
            UnsupportedMessageType, EmptyMessage, MessageTooLarge, InvalidDisplayName, MetadataTooLarge: as they say.
            ThreadFrozen, Restricted: as they say.
            ChatQuotaExceeded: of the thread.
            ContentRefused, ModeratorUnavailable: as `Moderation.review`.
        """
        require_thread_id(thread)
        kind = read_kind(type)
        name = require_display_name(sender_name)
        stored = stored_metadata(metadata, "message", self._limits.metadata_bytes)
        text = stored_content(content, kind, self._limits)
        if self._moderation is not None:
            draft = Draft(
                kind="message",
                speaker=speaker,
                content=text,
                thread=thread,
                type=kind,
                display_name=name,
                metadata=metadata,
            )
            text, now_micros = await self._moderation.review(
                draft, lambda changed: stored_content(changed, kind, self._limits), now_micros
            )
        answer = await self._store.send(
            {
                "resource": speaker.resource.number,
                "thread": thread,
                "sender": speaker.subject,
                "key": self._minter.mint(),
                "kind": kind,
                "content": text,
                "sender_name": name or "",
                "metadata": stored,
                "size": utf8_bytes(text),
                "now": now_micros // 1_000,
                "moment": now_micros,
                "most_messages": self._limits.messages_of_thread,
                "most_bytes": self._limits.bytes_of_thread,
            }
        )
        if answer.id is None or answer.number is None:
            raise self._why_not(answer)
        return Sent(answer.id, answer.number)

    async def edit(
        self,
        speaker: Speaker,
        thread: str,
        message: str,
        *,
        content: str | None = None,
        metadata: Mapping[str, str | None] | None = None,
        now_micros: int,
    ) -> None:
        """What is None stays as it is; metadata is merged: a key with None or an empty text is removed.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`; also of who was removed.
            MalformedMessageId: it is none.
            MessageNotFound: it is not there, before the speaker's history, or deleted.
            NotTheSender: another's, or a system message.
            ThreadFrozen, Restricted: as `send`.
            EmptyMessage, MessageTooLarge, MetadataTooLarge: as they say.
            ContentRefused, ModeratorUnavailable: as `Moderation.review`.
        """
        require_thread_id(thread)
        id = require_message_id(message)
        if self._moderation is not None and (content is not None or metadata):
            draft = Draft(kind="edit", speaker=speaker, content=content or "", thread=thread, metadata=metadata)
            stored = partial(stored_content, limits=self._limits)
            content, now_micros = await self._moderation.review_edit(
                draft, id, stored, changes_content=content is not None, now_micros=now_micros
            )

        async def work(transaction: Transaction) -> None:
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            found = await hold_own(held, speaker.subject, id, has_restrictions=self._store.has_restrictions)
            if found.deleted_millis is not None:
                raise MessageNotFound
            if content is None and not metadata:
                return
            text = found.content if content is None else stored_content(content, found.kind, self._limits)
            merged = merged_metadata(found.metadata, metadata or {}, "message", maximum=self._limits.metadata_bytes)
            size = utf8_bytes(text) - utf8_bytes(found.content)
            if 0 < self._limits.bytes_of_thread < held.bytes + size and size > 0:
                raise ChatQuotaExceeded("bytes of a thread", self._limits.bytes_of_thread)
            version = held.next_version()
            held.bytes += size
            await transaction.execute(_EDIT, held.number, id, version, text, merged)
            await held.tell("messageEdited", str(id))
            await held.save()

        await self._store.change(work)

    async def delete(self, speaker: Speaker, thread: str, message: str, *, now_micros: int) -> None:
        """What is left says that there was a message; of one that is deleted already nothing changes.

        Raises:
            MalformedThreadId, MalformedMessageId, ThreadNotFound, NotAParticipant, MessageNotFound, NotTheSender: as
                `edit`; but a message that is deleted is found.
            ThreadFrozen, Restricted: as `send`.
        """
        require_thread_id(thread)
        id = require_message_id(message)

        async def work(transaction: Transaction) -> None:
            held = await hold_thread(transaction, speaker.resource.number, thread, now_micros=now_micros)
            found = await hold_own(held, speaker.subject, id, has_restrictions=self._store.has_restrictions)
            if found.deleted_millis is None:
                await bury(held, id)
                held.bytes -= utf8_bytes(found.content)
                await held.save()

        await self._store.change(work)

    async def get(self, speaker: Speaker, thread: str, message: str) -> Message:
        """Find a message for somebody who takes part in its thread.

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`.
            MalformedMessageId: it is none.
            MessageNotFound: there is none that the speaker sees.
        """
        require_thread_id(thread)
        _, row = require_reader(
            await self._store.find_message(speaker, thread, require_message_id(message)), self._limits
        )
        if row is None:
            raise MessageNotFound
        return read_message(row)

    async def list(
        self,
        speaker: Speaker,
        thread: str,
        *,
        start_millis: int = 0,
        below: int | None = None,
        most: int,
        now_micros: int,
    ) -> MessagePage:
        """The newest versions first, from version `start_millis` on, and below that version.

        Whoever asks for the next page below the last version of this one is bounded by the first page: what was changed
        since is above it, and comes in no page. A `start_millis` that has not come yet means ten seconds ago. A page
        may end early, before much that was changed since and is older than the speaker's history.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
            NotAParticipant: never was one, or was removed and may not read any more.
        """
        require_thread_id(thread)
        start = min(start_millis, now_micros // 1_000 - _AHEAD_MEANS_MILLIS) if start_millis else 0
        found = await self._store.list_messages(speaker, thread, start=start, below=below, most=most + 1)
        _, looked = require_reader(found, self._limits)
        messages = [read_message(row) for row in looked.rows[:most]]
        return MessagePage(messages, messages[-1].version if len(looked.rows) > most else looked.unseen_below)

    def _why_not(self, answer: SendAnswer) -> Exception:
        if answer.number is None or answer.deleted_millis is not None:
            return ThreadNotFound()
        if not answer.takes_part:
            return NotAParticipant()
        if answer.is_frozen:
            return ThreadFrozen()
        if answer.hold is not None:
            return answer.hold.error
        if 0 < self._limits.messages_of_thread <= answer.messages:
            return ChatQuotaExceeded("messages of a thread", self._limits.messages_of_thread)
        return ChatQuotaExceeded("bytes of a thread", self._limits.bytes_of_thread)


async def bury(held: HeldThread, id: int) -> None:
    """What is left is who sent a message, when, and that it is gone. Source: chat.md section 5.5."""
    version = held.next_version()
    await held.transaction.execute(_BURY, held.number, id, version)
    await held.tell("messageDeleted", str(id))


_AHEAD_MEANS_MILLIS = 10_000
_EDIT = """
    update messages set version = $3, content = $4, metadata = $5, edited_millis = $3 where thread = $1 and id = $2
"""
_BURY = """
    update messages set version = $3, content = '', metadata = null, edited_millis = null, deleted_millis = $3
    where thread = $1 and id = $2
"""
