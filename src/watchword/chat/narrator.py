"""Tells `realtime` what happened in threads, as facts: what an entry of the journal refers to, as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from watchword.chat.message import NamedParticipant
from watchword.chat.narrative_statements import HAPPENED, MEMBERS, MISSED, PARTS, TELL_MESSAGE, TELL_THREAD
from watchword.chat.typing_indicators import Typing
from watchword.clock import Clock
from watchword.journal.entries import Entry, Signal
from watchword.realtime import happenings as told
from watchword.storage import Database, Row

TYPING = "typing"

_REMOVED_MILLIS = 2 * 86_400 * 1_000
"""How long ago a removal may be by a clock that is a day off, for somebody to be told of it still."""


class _Typing(msgspec.Struct, frozen=True, array_like=True):
    thread: str
    sender: str
    name: str
    millis: int


def typing_signal(resource: int, typing: Typing, *, sender: str, name: str | None) -> Signal | None:
    """None where nobody hears of it."""
    if not typing.hearers:
        return None
    content = msgspec.json.encode(_Typing(typing.thread_id, sender, name or "", typing.version_millis))
    return Signal(resource, typing.thread_number, TYPING, content)


class ChatNarrator:
    """A `realtime.happenings.Narrator`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def tell(self, entries: Sequence[Entry]) -> Sequence[told.Happening | None]:
        """See `Narrator.tell`."""
        return await asyncio.gather(*map(self._tell, entries))

    def tell_signal(self, signal: Signal) -> told.Typing | None:
        """See `Narrator.tell_signal`."""
        if signal.kind != TYPING:
            return None
        try:
            typing = _typing(signal.content)
        except msgspec.MsgspecError:
            # Another release says it otherwise.
            return None
        return told.Typing(thread=typing.thread, sender=typing.sender, name=typing.name, millis=typing.millis)

    async def parts(self, resource: int, subject: str) -> told.Parts:
        """See `Narrator.parts`."""
        rows = await self._database.read(PARTS, {"resource": resource, "subject": subject})
        parts = [told.Part(thread, history) for _, thread, history in rows if thread is not None]
        return told.Parts(rows[0][0], parts)

    async def missed(self, resource: int, subject: str, *, after: int, most: int) -> Sequence[tuple[told.Part, Entry]]:
        """See `Narrator.missed`."""
        since = self._clock.micros() // 1_000 - _REMOVED_MILLIS
        asked = {"resource": resource, "subject": subject, "after": after, "since": since, "most": most}
        rows = await self._database.read(MISSED, asked)
        return [(told.Part(entry[2], history), Entry(*entry)) for history, *entry in rows]

    async def happened(self, thread: int, after: int, most: int) -> Sequence[Entry]:
        """See `Narrator.happened`."""
        rows = await self._database.read(HAPPENED, {"thread": thread, "after": after, "most": most})
        return [Entry(*row) for row in rows]

    async def _tell(self, entry: Entry) -> told.Happening | None:
        match entry.kind:
            case "messageReceived" | "messageEdited" | "messageDeleted":
                return _message(entry, await self._read_message(entry))
            case "participantsAdded" | "participantsRemoved":
                return await self._joining(entry)
            case "threadCreated" | "threadUpdated" | "threadDeleted":
                return await self._thread(entry)
            case "readReceiptReceived":
                return await self._receipt(entry)
            case _:
                # A newer release has more kinds.
                return None

    async def _read_message(self, entry: Entry) -> Row | None:
        asked = {"thread": entry.thread, "message": int(entry.reference)}
        rows = await self._database.read(TELL_MESSAGE, asked)
        return rows[0] if rows else None

    async def _read_thread(self, entry: Entry, by: str) -> Row | None:
        rows = await self._database.read(TELL_THREAD, {"thread": entry.thread, "by": by})
        return rows[0] if rows else None

    async def _members(self, thread: int) -> list[told.Named]:
        return [
            told.Named(subject=subject, display_name=name or "", history_millis=history, metadata=metadata)
            for subject, name, history, metadata in await self._database.read(MEMBERS, {"thread": thread})
        ]

    async def _joining(self, entry: Entry) -> told.Joining | None:
        row = await self._read_message(entry)
        if row is None:
            return None
        thread, _, _, _, created_millis, by_name, id, _, _, sender, _, content, *_ = row
        named = _participants(content)
        kind: told.JoiningKind = "participantsRemoved"
        metadata: dict[str, str | None] = {}
        if entry.kind == "participantsAdded":
            kind = "participantsAdded"
            metadata = {each.subject: each.metadata for each in await self._members(entry.thread)}
        return told.Joining(
            thread=thread,
            kind=kind,
            by=told.Named(subject=sender, display_name=by_name or ""),
            whom=[
                told.Named(
                    subject=each.subject,
                    display_name=each.display_name or "",
                    history_millis=each.history_millis,
                    metadata=metadata.get(each.subject),
                )
                for each in named
            ],
            created_millis=created_millis,
            message=id,
        )

    async def _thread(self, entry: Entry) -> told.Thread | None:
        row = await self._read_thread(entry, entry.reference)
        if row is None:
            return None
        thread, topic, metadata, retention_days, created_millis, by_name = row
        kind: told.ThreadKind = "threadUpdated"
        members: Sequence[told.Named] = ()
        if entry.kind == "threadCreated":
            kind, members = "threadCreated", await self._members(entry.thread)
        elif entry.kind == "threadDeleted":
            kind = "threadDeleted"
        millis = entry.moment_micros // 1_000
        return told.Thread(
            thread=thread,
            kind=kind,
            by=told.Named(subject=entry.reference, display_name=by_name or "") if entry.reference else None,
            topic=topic,
            metadata=metadata,
            retention_days=retention_days,
            created_millis=created_millis,
            millis=millis,
            members=members,
        )

    async def _receipt(self, entry: Entry) -> told.Receipt | None:
        reader, _, message = entry.reference.rpartition("/")
        row = await self._read_thread(entry, reader)
        if row is None:
            return None
        return told.Receipt(
            thread=row[0], reader=reader, message=int(message), read_millis=entry.moment_micros // 1_000
        )


def _message(entry: Entry, row: Row | None) -> told.Message | None:
    if row is None:
        return None
    thread, *_, id, version, form, sender, sender_name, content, metadata, edited, deleted = row
    kind: told.MessageKind = "messageReceived"
    if deleted is not None:
        # No text of it leaves any more, whatever the entry said.
        kind, content, metadata = "messageDeleted", "", None
    elif entry.kind == "messageEdited":
        kind = "messageEdited"
    elif entry.kind == "messageDeleted":
        return None
    return told.Message(
        thread=thread,
        kind=kind,
        id=id,
        version=version,
        sender=sender,
        sender_name=sender_name,
        is_html=form == "html",
        content=content,
        metadata=metadata,
        changed_millis=deleted or edited or id,
    )


_typing = msgspec.json.Decoder(_Typing).decode
_participants = msgspec.json.Decoder(list[NamedParticipant]).decode
