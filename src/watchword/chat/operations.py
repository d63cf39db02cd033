"""The Chat API: where Azure's wire meets the rules of chat.

Each operation reads its body, calls the rules with the time of the call, and answers with one of `wire.chat_answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchword.chat.limits import MOST_DISPLAY_NAME_CHARACTERS, MOST_TOPIC_CHARACTERS, ChatLimits
from watchword.chat.narrator import typing_signal
from watchword.chat.participants import Invitation
from watchword.chat.rules import Chat
from watchword.chat.speakers import Speaker
from watchword.chat.threads import ThreadChange, ThreadPosition
from watchword.errors import NotServed
from watchword.journal.entries import Signal
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer, Work
from watchword.rest.callers import User
from watchword.rest.chat_door import ChatDoor
from watchword.wire import chat as wire
from watchword.wire import chat_answers as answers
from watchword.wire import chat_reading as reading
from watchword.wire import chat_shown as shown
from watchword.wire import chat_values as values
from watchword.wire.chat_cursors import read_cursor, write_cursor

_EMPTY = RawAnswer(b"")
_REPEATABILITY = "repeatability-request-id"
_LONGEST_NAME_BYTES = 4 * MOST_DISPLAY_NAME_CHARACTERS
_LONGEST_TOPIC_BYTES = 4 * MOST_TOPIC_CHARACTERS
_AROUND_BYTES = 2_048
"""Of names of members, identifiers and times."""


class ChatOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(
        self,
        chat: Chat,
        limits: ChatLimits,
        say: Callable[[Signal], None],
        *,
        door: ChatDoor,
        is_moderated: bool = False,
    ) -> None:
        """`say` tells whoever listens now. What is moderated may wait for long, and nobody waits for it."""
        self._chat = chat
        self._limits = limits
        self._say = say
        self._door = door
        self._said: Work = "waits" if is_moderated else "writes"

    def bindings(self) -> list[AnyBinding]:
        door, said = self._door, self._said
        message_bytes, batch_bytes = most_bytes(self._limits)
        return [
            Binding(wire.CREATE_THREAD, self.create_thread, door, said, batch_bytes),
            Binding(wire.LIST_THREADS, self.list_threads, door),
            Binding(wire.GET_THREAD, self.get_thread, door),
            Binding(wire.UPDATE_THREAD, self.update_thread, door, said),
            Binding(wire.DELETE_THREAD, self.delete_thread, door, "writes"),
            Binding(wire.LIST_PARTICIPANTS, self.list_participants, door),
            Binding(wire.ADD_PARTICIPANTS, self.add_participants, door, "writes", batch_bytes),
            Binding(wire.REMOVE_PARTICIPANT, self.remove_participant, door, "writes"),
            Binding(wire.SEND_MESSAGE, self.send_message, door, said, message_bytes),
            Binding(wire.LIST_MESSAGES, self.list_messages, door),
            Binding(wire.GET_MESSAGE, self.get_message, door),
            Binding(wire.UPDATE_MESSAGE, self.update_message, door, said, message_bytes),
            Binding(wire.DELETE_MESSAGE, self.delete_message, door, "writes"),
            Binding(wire.LIST_RECEIPTS, self.list_receipts, door),
            Binding(wire.SEND_RECEIPT, self.send_receipt, door, "writes"),
            Binding(wire.SEND_TYPING, self.send_typing, door),
            *(Binding(operation, _refuse, door) for operation in wire.REFUSED),
        ]

    # -- Threads.

    async def create_thread(self, call: Call[User]) -> RawAnswer:
        asked = reading.read_thread(call.request.body, call.version, call.request.ignored)
        created = await self._chat.threads.create(
            self._speaker(call),
            topic=asked.topic,
            invited=_invitations(asked.participants),
            metadata=asked.metadata,
            retention_days=asked.retention_days,
            repeatability_id=call.request.headers.get(_REPEATABILITY) or None,
            now_micros=call.now,
        )
        body = shown.created(created.thread, created.not_added, call.version)
        location = values.thread_location(call.request.origin, created.thread.id)
        return RawAnswer.json(body, wire.CREATE_THREAD.success, (("location", location),))

    async def list_threads(self, call: Call[User]) -> answers.ThreadPage:
        query, speaker = call.request.query, self._speaker(call)
        size = _size(query, wire.DEFAULT_THREADS)
        bound = ("threads", speaker.subject)
        found = read_cursor(query.get("syncstate"), 3, *bound)
        start, after = (found[0], ThreadPosition(*found[1:])) if found else (_start(query), None)
        page = await self._chat.threads.list(speaker, start_millis=start, after=after, most=size, now_micros=call.now)
        link = None
        if page.next is not None:
            cursor = write_cursor((start, page.next.last_millis, page.next.number), *bound)
            asked = size if "maxpagesize" in query else None
            link = values.threads_link(call.request.origin, cursor, asked, version=call.version)
        return answers.ThreadPage([shown.thread_item(each) for each in page.threads], link)

    async def get_thread(self, call: Call[User]) -> answers.ThreadBody:
        return shown.thread(await self._chat.threads.get(self._speaker(call), _thread(call)), call.version)

    async def update_thread(self, call: Call[User]) -> None:
        asked = reading.read_change(call.request.body, call.version, call.request.ignored)
        change = ThreadChange(
            topic=asked.topic,
            metadata=asked.metadata,
            changes_retention=asked.changes_retention,
            retention_days=asked.retention_days,
        )
        await self._chat.threads.update(self._speaker(call), _thread(call), change, now_micros=call.now)

    async def delete_thread(self, call: Call[User]) -> None:
        await self._chat.threads.delete(self._speaker(call), _thread(call), call.now)

    # -- Participants.

    async def list_participants(self, call: Call[User]) -> answers.ParticipantPage:
        skip, size = (
            values.read_skip(call.request.query),
            _size(call.request.query, wire.DEFAULT_PARTICIPANTS),
        )
        found = await self._chat.participants.list(self._speaker(call), _thread(call), skip=skip, most=size + 1)
        page = [shown.participant(each, call.version) for each in found[:size]]
        return answers.ParticipantPage(page, _skipping(call, "participants", skip, size=size, found=len(found)))

    async def add_participants(self, call: Call[User]) -> RawAnswer:
        asked = reading.read_added(call.request.body, call.version, call.request.ignored)
        invited = _invitations(asked)
        not_added = await self._chat.participants.add(self._speaker(call), _thread(call), invited, now_micros=call.now)
        return RawAnswer.json(shown.added(not_added), wire.ADD_PARTICIPANTS.success)

    async def remove_participant(self, call: Call[User]) -> None:
        id = reading.read_removed(call.request.body, call.version, call.request.ignored)
        await self._chat.participants.remove(self._speaker(call), _thread(call), id, now_micros=call.now)

    # -- Messages.

    async def send_message(self, call: Call[User]) -> RawAnswer:
        asked = reading.read_message(call.request.body, call.version, call.request.ignored)
        sent = await self._chat.messages.send(
            self._speaker(call),
            _thread(call),
            content=asked.content,
            type=asked.type,
            sender_name=asked.sender_name,
            metadata=asked.metadata,
            now_micros=call.now,
        )
        id = str(sent.id)
        location = values.message_location(call.request.origin, _thread(call), id)
        return RawAnswer.json(answers.SentBody(id), wire.SEND_MESSAGE.success, (("location", location),))

    async def list_messages(self, call: Call[User]) -> answers.MessagePage:
        query, speaker, thread = call.request.query, self._speaker(call), _thread(call)
        size = _size(query, wire.DEFAULT_MESSAGES)
        bound = ("messages", thread, speaker.subject)
        found = read_cursor(query.get("syncstate"), 2, *bound)
        start, below = found if found is not None else (_start(query), None)
        page = await self._chat.messages.list(
            speaker, thread, start_millis=start, below=below, most=size, now_micros=call.now
        )
        link = None
        if page.next_version is not None:
            cursor = write_cursor((start, page.next_version), *bound)
            link = values.messages_link(call.request.origin, thread, cursor, size=size, version=call.version)
        return answers.MessagePage([shown.message(each, call.version) for each in page.messages], link)

    async def get_message(self, call: Call[User]) -> answers.MessageBody:
        found = await self._chat.messages.get(self._speaker(call), _thread(call), _message(call))
        return shown.message(found, call.version)

    async def update_message(self, call: Call[User]) -> None:
        asked = reading.read_edit(call.request.body, call.version, call.request.ignored)
        await self._chat.messages.edit(
            self._speaker(call),
            _thread(call),
            _message(call),
            content=asked.content,
            metadata=asked.metadata,
            now_micros=call.now,
        )

    async def delete_message(self, call: Call[User]) -> None:
        await self._chat.messages.delete(self._speaker(call), _thread(call), _message(call), now_micros=call.now)

    # -- Receipts and typing.

    async def list_receipts(self, call: Call[User]) -> answers.ReceiptPage:
        skip, size = (
            values.read_skip(call.request.query),
            _size(call.request.query, wire.DEFAULT_RECEIPTS),
        )
        found = await self._chat.receipts.list(self._speaker(call), _thread(call), skip=skip, most=size + 1)
        page = [shown.receipt(each) for each in found[:size]]
        return answers.ReceiptPage(page, _skipping(call, "readReceipts", skip, size=size, found=len(found)))

    async def send_receipt(self, call: Call[User]) -> RawAnswer:
        message = reading.read_receipt(call.request.body, call.version, call.request.ignored)
        await self._chat.receipts.mark_read(self._speaker(call), _thread(call), message, now_micros=call.now)
        return _EMPTY

    async def send_typing(self, call: Call[User]) -> RawAnswer:
        name = reading.read_typing(call.request.body, call.version, call.request.ignored)
        speaker = self._speaker(call)
        typing = await self._chat.typing.begin(speaker, _thread(call), sender_name=name, now_micros=call.now)
        signal = typing_signal(speaker.resource.number, typing, sender=speaker.subject, name=name)
        if signal is not None:
            self._say(signal)
        return _EMPTY

    def _speaker(self, call: Call[User]) -> Speaker:
        subject = call.caller.token.identity.removeprefix("8:")
        return Speaker(call.caller.resource, subject, lambda: self._door.admit(call.request, call.operation))


async def _refuse(call: Call[User]) -> None:
    raise NotServed(call.operation.id, call.operation.refusal)


def _thread(call: Call[User]) -> str:
    return call.parts["chatThreadId"]


def _message(call: Call[User]) -> str:
    return call.parts["chatMessageId"]


def _invitations(entries: list[reading.InvitedParticipant]) -> list[Invitation]:
    return [Invitation(each.id, each.display_name, each.history_millis, each.metadata) for each in entries]


def _size(query: Mapping[str, str], default: int) -> int:
    """Assumed: a page size above 200 means 200, and one below 1 is refused."""
    return paging.page_size(query, default=default, largest=wire.LARGEST_PAGE, is_cut=True)


def _start(query: Mapping[str, str]) -> int:
    """Milliseconds since 1970; 0 where there is none, or it is earlier."""
    return max(0, (paging.moment(query, "startTime") or 0) // 1_000)


def _skipping(call: Call[User], of: str, skip: int, *, size: int, found: int) -> str | None:
    """The link to what follows a page, of which one more was asked for."""
    if found <= size:
        return None
    origin, thread = call.request.origin, _thread(call)
    return values.skipping_link(origin, thread, of, skip=skip + size, size=size, version=call.version)


def most_bytes(limits: ChatLimits) -> tuple[int, int]:
    """The largest bodies that can be within the limits: of a message, and of a batch of participants.

    JSON may write any byte as six, such as `\\u0041`.
    """
    named = 6 * (limits.metadata_bytes + _LONGEST_NAME_BYTES) + _AROUND_BYTES
    return 6 * limits.message_bytes + named, (limits.batch + 1) * named + 6 * _LONGEST_TOPIC_BYTES
