"""The operations of the trusted server on messages: of any thread of its resource."""

from __future__ import annotations

from watchword.chat.limits import ChatLimits
from watchword.chat.operations import most_bytes
from watchword.chat.trusted_messages import Bounds, TrustedMessages
from watchword.chat.trusted_operations import thread_of, trusted_door
from watchword.errors import InvalidQuery
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Caller
from watchword.rest.doors import Doors
from watchword.wire import trusted_message_bodies as bodies
from watchword.wire import trusted_messages as wire
from watchword.wire.chat import DEFAULT_MESSAGES, LARGEST_PAGE
from watchword.wire.chat_answers import SentBody
from watchword.wire.chat_cursors import read_cursor, write_cursor


class TrustedMessageOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, messages: TrustedMessages, limits: ChatLimits) -> None:
        self._messages = messages
        self._limits = limits

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        message_bytes, _ = most_bytes(self._limits)
        return [
            Binding(wire.LIST_MESSAGES, self.list_messages, door),
            Binding(wire.GET_MESSAGE, self.get_message, door),
            Binding(wire.SEND_MESSAGE, self.send_message, door, "writes", message_bytes),
            Binding(wire.DELETE_MESSAGE, self.delete_message, door, "writes"),
            Binding(wire.REDACT_MESSAGE, self.redact_message, door, "writes"),
        ]

    async def list_messages(self, call: Call[Caller]) -> bodies.TrustedMessagePage:
        query, resource, thread = call.request.query, call.caller.resource, thread_of(call)
        size = paging.page_size(query, default=DEFAULT_MESSAGES, largest=LARGEST_PAGE, is_cut=True)
        order = query.get("order", wire.ORDERS[0])
        if order not in wire.ORDERS:
            raise InvalidQuery("order", f"It must be one of {', '.join(wire.ORDERS)}.")
        bound = ("trusted messages", resource.id, thread, order)
        found = read_cursor(query.get("syncstate"), 2, *bound)
        start, beyond = found or (max(0, (paging.moment(query, "startTime") or 0) // 1_000), None)
        page = await self._messages.list(resource, thread, Bounds(start, beyond, order == "asc"), most=size)
        link = None
        if page.next_version is not None:
            cursor = write_cursor((start, page.next_version), *bound)
            link = paging.next_link(call, syncState=cursor, startTime=None)
        return bodies.TrustedMessagePage([bodies.shown_message(each) for each in page.messages], link)

    async def get_message(self, call: Call[Caller]) -> bodies.TrustedMessageBody:
        found = await self._messages.get(call.caller.resource, thread_of(call), _message(call))
        return bodies.shown_message(found)

    async def send_message(self, call: Call[Caller]) -> RawAnswer:
        asked = bodies.read_message(call.request.body)
        sent = await self._messages.send(
            call.caller.resource,
            thread_of(call),
            content=asked.content,
            type=asked.type,
            sender_name=asked.senderDisplayName,
            metadata=asked.metadata,
            now_micros=call.now,
        )
        id = str(sent.id)
        location = f"{paging.next_link(call).partition('?')[0]}/{id}"
        return RawAnswer.json(SentBody(id), wire.SEND_MESSAGE.success, (("location", location),))

    async def delete_message(self, call: Call[Caller]) -> None:
        await self._messages.delete(call.caller.resource, thread_of(call), _message(call), now_micros=call.now)

    async def redact_message(self, call: Call[Caller]) -> None:
        await self._messages.redact(call.caller.resource, thread_of(call), _message(call), now_micros=call.now)


def _message(call: Call[Caller]) -> str:
    return call.parts["chatMessageId"]
