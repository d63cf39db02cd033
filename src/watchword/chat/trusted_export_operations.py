"""The operations of the trusted server that export: a thread, or what is kept of a user, as JSON lines."""

from __future__ import annotations

from watchword.chat import trusted_exports as rules
from watchword.chat.trusted_exports import Exports, Piece, Place
from watchword.chat.trusted_operations import thread_of, trusted_door
from watchword.chat.trusted_restrictions import Restriction
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Caller
from watchword.rest.doors import Doors
from watchword.wire import trusted_exports as wire
from watchword.wire.chat import LARGEST_PAGE
from watchword.wire.chat_cursors import read_cursor, write_cursor
from watchword.wire.realtime_texts import time_text


class TrustedExportOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        return [
            Binding(wire.EXPORT_THREAD, self.export_thread, door),
            Binding(wire.EXPORT_USER, self.export_user, door),
        ]

    async def export_thread(self, call: Call[Caller]) -> RawAnswer:
        resource, thread = call.caller.resource, thread_of(call)
        bound = ("trusted export", resource.id, thread)
        piece = await self._exports.of_thread(resource, thread, _place(call, bound), most=_rows(call))
        return _answer(call, piece, bound)

    async def export_user(self, call: Call[Caller]) -> RawAnswer:
        resource, user = call.caller.resource, call.parts["userId"]
        bound = ("trusted export", resource.id, user)
        piece = await self._exports.of_user(resource, user, _place(call, bound), most=_rows(call))
        return _answer(call, piece, bound)


def _rows(call: Call[Caller]) -> int:
    return paging.page_size(call.request.query, default=wire.DEFAULT_ROWS, largest=LARGEST_PAGE, is_cut=True)


def _place(call: Call[Caller], bound: tuple[str, ...]) -> Place:
    return Place(*(read_cursor(call.request.query.get("syncstate"), len(Place()), *bound) or ()))


def _answer(call: Call[Caller], piece: Piece, bound: tuple[str, ...]) -> RawAnswer:
    headers = [("content-type", wire.JSON_LINES)]
    if piece.next is not None:
        link = paging.next_link(call, syncState=write_cursor(piece.next, *bound))
        headers.append(("link", f'<{link}>; rel="next"'))
    return RawAnswer(wire.write_lines(map(_record, piece.records)), tuple(headers))


def _record(found: rules.Record) -> wire.AnyRecord:
    match found:
        case rules.ExportedThread():
            return wire.thread_record(found, found.deleted_millis)
        case rules.ExportedParticipant():
            return wire.participant_record(found, found.thread, found.removed_millis)
        case rules.ExportedMessage(thread, message):
            return wire.message_record(message, thread)
        case rules.ExportedReceipt(thread, receipt):
            return wire.receipt_record(receipt, thread)
        case rules.ExportedRegistration(epid, seen_millis):
            return wire.RegistrationRecord(id=epid, seenOn=time_text(seen_millis))
        case Restriction():
            return wire.RestrictionRecord(
                user=f"8:{found.subject}",
                restriction=found.kind,
                thread=found.thread,
                since=time_text(found.since_millis),
                until=None if found.until_millis is None else time_text(found.until_millis),
            )
