"""The rules of read receipts: of each participant the newest, and none where there are too many to tell."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.chat.access import require_reader
from watchword.chat.held_thread import require_thread_id
from watchword.chat.limits import ChatLimits
from watchword.chat.message import require_message_id
from watchword.chat.speakers import Speaker
from watchword.chat.store import ChatStore
from watchword.errors.chat import NotAParticipant, ThreadNotFound, UnknownReadMessage


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """`subject` is a skypeid."""

    subject: str
    message_id: int
    read_millis: int


class Receipts:
    """`thread` and `message` are ids as they came in the path or the body."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def mark_read(self, speaker: Speaker, thread: str, message: str, *, now_micros: int) -> bool:
        """Whether it was written: not if it repeats the newest or is for an older message, or the thread is too large.

        Assumed: a receipt that says nothing new is answered, not written, and no event (chat.md section 6).

        Raises:
            MalformedThreadId, ThreadNotFound, NotAParticipant: as `list`; also of who was removed.
            MalformedMessageId: it is none.
            UnknownReadMessage: there is none that the speaker sees.
        """
        require_thread_id(thread)
        answer = await self._store.mark_read(
            {
                "resource": speaker.resource.number,
                "thread": thread,
                "subject": speaker.subject,
                "message": require_message_id(message),
                "now": now_micros // 1_000,
                "moment": now_micros,
                "most_present": self._limits.receipt_participants,
            }
        )
        if answer.number is None or answer.deleted_millis is not None:
            raise ThreadNotFound
        if not answer.takes_part:
            raise NotAParticipant
        if not answer.is_message_there:
            raise UnknownReadMessage
        return answer.is_written

    async def list(self, speaker: Speaker, thread: str, *, skip: int, most: int) -> list[ReadReceipt]:
        """The oldest first; also for who was removed, if reading after removal is allowed.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
            NotAParticipant: never was one, or was removed and may not read any more.
        """
        require_thread_id(thread)
        access, _ = require_reader(await self._store.find_thread(speaker, thread), self._limits)
        rows = await self._store.query(_LIST, access.number, most, skip, speaker.subject)
        return [ReadReceipt(*row) for row in rows]


# Whoever was removed sees what was read until then, and of what was sent until then, also where a clock was set back.
_LIST = """
    select p.subject, p.read_id, p.read_millis from participants p
    join participants s on s.thread = p.thread and s.subject = $4
    where p.thread = $1 and p.removed_millis is null and p.read_id is not null and p.read_id >= s.history_millis
    and (s.removed_millis is null or (p.read_millis <= s.removed_millis and p.read_id <= s.removed_millis))
    order by p.read_millis, p.place limit $2 offset $3
"""
