"""The rule of who hears that somebody types. Nothing of it is stored: whoever tells it on may lose it."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.chat.access import require_present
from watchword.chat.held_thread import require_thread_id
from watchword.chat.limits import ChatLimits
from watchword.chat.open_threads import require_open_to
from watchword.chat.speakers import Speaker
from watchword.chat.storable import require_display_name
from watchword.chat.store import ChatStore


@dataclass(frozen=True, slots=True)
class Typing:
    """`hearers` are skypeids, the speaker's own among them; nobody where the thread has too many participants."""

    thread_number: int
    thread_id: str
    version_millis: int
    hearers: tuple[str, ...]


class TypingIndicators:
    """`thread` is a thread's id as it came in the path, with percent codes decoded."""

    def __init__(self, store: ChatStore, limits: ChatLimits) -> None:
        self._store = store
        self._limits = limits

    async def begin(self, speaker: Speaker, thread: str, *, sender_name: str | None = None, now_micros: int) -> Typing:
        """Tell the others that somebody is typing.

        Raises:
            MalformedThreadId, ThreadNotFound: there is no such thread.
            NotAParticipant: also of who was removed.
            InvalidDisplayName, ThreadFrozen, Restricted: as they say.
        """
        require_thread_id(thread)
        require_display_name(sender_name)
        access, row = require_present(await self._store.find_thread(speaker, thread))
        await require_open_to(self._store, access.number, speaker, now_millis=now_micros // 1_000)
        hearers: tuple[str, ...] = ()
        if row[-1] <= self._limits.receipt_participants:
            rows = await self._store.query(_PRESENT, access.number)
            hearers = tuple(subject for (subject,) in rows)
        return Typing(access.number, thread, now_micros // 1_000, hearers)


_PRESENT = "select subject from participants where thread = $1 and removed_millis is null order by place"
