"""The operations by which the trusted server mutes and bans users."""

from __future__ import annotations

from watchword.chat.trusted import Trusted
from watchword.chat.trusted_operations import page_size, thread_of
from watchword.chat.trusted_restrictions import Restriction, Whom
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Caller
from watchword.rest.chat_door import trusted_door
from watchword.rest.doors import Doors
from watchword.wire import trusted as wire
from watchword.wire import trusted_bodies as bodies
from watchword.wire.chat_values import format_millis
from watchword.wire.trusted_cursors import read_place, write_place


class TrustedRestrictionOperations:
    """Speaks both languages; holds no rule and no state. What is of the whole resource has no thread in its path."""

    def __init__(self, trusted: Trusted) -> None:
        self._restrictions = trusted.restrictions

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        return [
            Binding(wire.LIST_RESTRICTIONS, self.list, door),
            Binding(wire.PUT_RESTRICTION, self.put, door, "writes"),
            Binding(wire.GET_RESTRICTION, self.get, door),
            Binding(wire.DELETE_RESTRICTION, self.lift, door, "writes"),
            Binding(wire.LIST_THREAD_RESTRICTIONS, self.list, door),
            Binding(wire.PUT_THREAD_RESTRICTION, self.put, door, "writes"),
            Binding(wire.GET_THREAD_RESTRICTION, self.get, door),
            Binding(wire.DELETE_THREAD_RESTRICTION, self.lift, door, "writes"),
        ]

    async def list(self, call: Call[Caller]) -> bodies.RestrictionPage:
        resource, thread = call.caller.resource, call.parts.get("chatThreadId")
        bound = "restrictions", resource.id, thread or ""
        found = read_place(call.request.query.get("syncstate"), *bound)
        page = await self._restrictions.list(
            resource,
            thread=thread,
            after=(found[2], found[0]) if found else ("", 0),
            most=page_size(call),
            now_micros=call.now,
        )
        link = None
        if page.next is not None:
            subject, number = page.next
            link = paging.next_link(call, syncState=write_place((number, 0, subject), *bound))
        return bodies.RestrictionPage([_shown(each) for each in page.restrictions], link)

    async def put(self, call: Call[Caller]) -> bodies.RestrictionBody:
        kind, until_millis = bodies.read_restriction(call.request.body)
        made = await self._restrictions.put(_whom(call), kind, until_millis=until_millis, now_micros=call.now)
        return _shown(made)

    async def get(self, call: Call[Caller]) -> bodies.RestrictionBody:
        return _shown(await self._restrictions.get(_whom(call), now_micros=call.now))

    async def lift(self, call: Call[Caller]) -> None:
        await self._restrictions.lift(_whom(call))


def _whom(call: Call[Caller]) -> Whom:
    thread = thread_of(call) if "chatThreadId" in call.parts else None
    return Whom(call.caller.resource, call.parts["userId"], thread)


def _shown(found: Restriction) -> bodies.RestrictionBody:
    return bodies.RestrictionBody(
        user=f"8:{found.subject}",
        kind=found.kind,
        chatThreadId=found.thread,
        since=format_millis(found.since_millis),
        until=None if found.until_millis is None else format_millis(found.until_millis),
    )
