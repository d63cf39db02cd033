"""The operations by which the trusted server lists, adds and removes participants."""

from __future__ import annotations

from watchword.chat.invitations import Invitation
from watchword.chat.limits import ChatLimits
from watchword.chat.operations import most_bytes
from watchword.chat.trusted import Trusted
from watchword.chat.trusted_operations import page_size, thread_of
from watchword.chat.trusted_participants import TrustedParticipant
from watchword.errors import InvalidQuery
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.callers import Caller
from watchword.rest.chat_door import trusted_door
from watchword.rest.doors import Doors
from watchword.wire import chat_shown as shown
from watchword.wire import trusted as wire
from watchword.wire import trusted_bodies as bodies
from watchword.wire.chat_values import format_millis
from watchword.wire.trusted_cursors import read_place, write_place

_FLAGS = {"true": True, "false": False}


class TrustedParticipantOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, trusted: Trusted, limits: ChatLimits) -> None:
        self._participants = trusted.participants
        self._limits = limits

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        _, batch_bytes = most_bytes(self._limits)
        return [
            Binding(wire.LIST_PARTICIPANTS, self.list, door),
            Binding(wire.ADD_PARTICIPANTS, self.add, door, "writes", batch_bytes),
            Binding(wire.REMOVE_PARTICIPANT, self.remove, door, "writes"),
        ]

    async def list(self, call: Call[Caller]) -> bodies.TrustedParticipantPage:
        resource, thread = call.caller.resource, thread_of(call)
        with_former = _FLAGS.get(call.request.query.get("former", "false").lower())
        if with_former is None:
            raise InvalidQuery("former", "It must be true or false.")
        bound = "trusted participants", resource.id, thread, str(with_former)
        found = read_place(call.request.query.get("syncstate"), *bound)
        page = await self._participants.list(
            resource,
            thread,
            with_former=with_former,
            after=(found[0], found[2]) if found else (0, ""),
            most=page_size(call),
        )
        link = None
        if page.next is not None:
            link = paging.next_link(call, syncState=write_place((page.next.place, 0, page.next.subject), *bound))
        return bodies.TrustedParticipantPage([_shown(each) for each in page.participants], link)

    async def add(self, call: Call[Caller]) -> RawAnswer:
        invited = [
            Invitation(each.user, each.displayName, history_millis, each.metadata)
            for each, history_millis in bodies.read_added(call.request.body)
        ]
        not_added = await self._participants.add(call.caller.resource, thread_of(call), invited, now_micros=call.now)
        return RawAnswer.json(shown.added(not_added), wire.ADD_PARTICIPANTS.success)

    async def remove(self, call: Call[Caller]) -> None:
        id = bodies.read_removed(call.request.body)
        await self._participants.remove(call.caller.resource, thread_of(call), id, now_micros=call.now)


def _shown(found: TrustedParticipant) -> bodies.TrustedParticipantBody:
    return bodies.TrustedParticipantBody(
        user=f"8:{found.subject}",
        displayName=found.display_name,
        shareHistoryTime=format_millis(found.history_millis),
        metadata=dict(found.metadata) if found.metadata else None,
        removedOn=None if found.removed_millis is None else format_millis(found.removed_millis),
        readMessageId=None if found.read_id is None else str(found.read_id),
        readOn=None if found.read_millis is None else format_millis(found.read_millis),
    )
