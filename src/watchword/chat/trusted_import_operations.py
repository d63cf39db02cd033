"""The operations by which the trusted server brings a history in."""

from __future__ import annotations

from watchword.chat.held_import import HistoryImport
from watchword.chat.invitations import Invitation, NotAdded
from watchword.chat.limits import MOST_DISPLAY_NAME_CHARACTERS, ChatLimits
from watchword.chat.trusted_imports import NewHistory, TrustedImports
from watchword.chat.trusted_records import Record
from watchword.errors import CallerError, MissingField
from watchword.errors.imports import RecordRefused
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Caller
from watchword.rest.doors import Doors, in_words_of
from watchword.wire import trusted_imports as wire
from watchword.wire.chat_shown import invalid_participants
from watchword.wire.chat_values import format_millis
from watchword.wire.trusted_import_errors import describe

_AROUND_BYTES = 2_048
"""Of names of members, identifiers and times."""


class TrustedImportOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, imports: TrustedImports, limits: ChatLimits) -> None:
        self._imports = imports
        self._limits = limits

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = in_words_of(describe, doors.clients)
        return [
            Binding(wire.BEGIN_IMPORT, self.begin, door, "writes"),
            Binding(wire.GET_IMPORT, self.get, door),
            Binding(wire.ADD_RECORDS, self.add_records, door, "writes", _most_bytes(self._limits)),
            Binding(wire.FINISH_IMPORT, self.finish, door, "writes"),
            Binding(wire.GIVE_IMPORT_UP, self.give_up, door, "writes"),
        ]

    async def begin(self, call: Call[Caller]) -> RawAnswer:
        asked = wire.read_begin(call.request.body)
        history = NewHistory(
            topic=asked.topic or "",
            created_by=asked.createdBy,
            metadata=asked.metadata,
            retention_days=asked.deleteThreadAfterDays,
            thread=asked.threadId,
        )
        found, is_new = await self._imports.begin(call.caller.resource, _id(call), history, now_micros=call.now)
        return RawAnswer.json(_shown(found), 201 if is_new else 200)

    async def get(self, call: Call[Caller]) -> wire.ImportBody:
        return _shown(await self._imports.get(call.caller.resource, _id(call)))

    async def add_records(self, call: Call[Caller]) -> wire.ImportBody:
        after, asked = wire.read_records(call.request.body)
        records = [_record(each, number) for number, each in enumerate(asked, after + 1)]
        found = await self._imports.append(call.caller.resource, _id(call), records, after=after, now_micros=call.now)
        return _shown(found)

    async def finish(self, call: Call[Caller]) -> wire.ImportBody:
        asked = wire.read_finish(call.request.body)
        invited = [_invitation(each) for each in asked.participants or ()]
        found, refused = await self._imports.finish(
            call.caller.resource, _id(call), invited, unread=asked.unread, now_micros=call.now
        )
        return _shown(found, refused)

    async def give_up(self, call: Call[Caller]) -> None:
        await self._imports.give_up(call.caller.resource, _id(call), call.now)


def _id(call: Call[Caller]) -> str:
    return call.parts["importId"]


def _record(asked: wire.RecordRequest, number: int) -> Record:
    """Read a record of a request.

    Raises:
        RecordRefused: it has no sender, no content, no time, or one that is none.
    """
    try:
        created = wire.read_millis(asked.createdOn, "createdOn")
        deleted = wire.read_millis(asked.deletedOn, "deletedOn")
        if asked.sender is None or created is None:
            raise MissingField("sender" if asked.sender is None else "createdOn")
        if asked.content is None and deleted is None:
            raise MissingField("content")
        return Record(
            sender=asked.sender,
            content=asked.content or "",
            created_millis=created,
            type=asked.type,
            sender_name=asked.senderDisplayName,
            metadata=asked.metadata,
            edited_millis=wire.read_millis(asked.editedOn, "editedOn"),
            deleted_millis=deleted,
        )
    except CallerError as error:
        raise RecordRefused(number, error) from None


def _invitation(asked: wire.ImportedParticipantRequest) -> Invitation:
    if asked.id is None:
        raise MissingField("id")
    since = wire.read_millis(asked.shareHistoryTime, "shareHistoryTime") or 0
    return Invitation(asked.id, asked.displayName, max(0, since), asked.metadata)


def _shown(found: HistoryImport, refused: list[NotAdded] | None = None) -> wire.ImportBody:
    return wire.ImportBody(
        id=found.id,
        threadId=found.thread,
        reached=found.reached,
        begunOn=format_millis(found.begun_millis),
        finishedOn=None if found.finished_millis is None else format_millis(found.finished_millis),
        invalidParticipants=invalid_participants(refused or ()),
    )


def _most_bytes(limits: ChatLimits) -> int:
    """A single record always fits, which JSON may escape to six times its size."""
    one = 6 * (limits.message_bytes + limits.metadata_bytes + 4 * MOST_DISPLAY_NAME_CHARACTERS) + _AROUND_BYTES
    return max(wire.LARGEST_BODY_BYTES, one)
