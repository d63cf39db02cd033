"""The operations of the trusted server, by an access key or an Entra role: they ask for no part in a thread."""

from __future__ import annotations

from watchword.chat.trusted import Trusted
from watchword.chat.trusted_threads import Place, ThreadFilter, TrustedThread
from watchword.rest import paging
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Caller
from watchword.rest.chat_door import trusted_door
from watchword.rest.doors import Doors
from watchword.wire import trusted as wire
from watchword.wire import trusted_bodies as bodies
from watchword.wire.chat import LARGEST_PAGE
from watchword.wire.chat_values import format_millis
from watchword.wire.trusted_cursors import read_place, write_place

__all__ = ["TrustedOperations", "page_size", "thread_of", "trusted_door"]


class TrustedOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, trusted: Trusted) -> None:
        self._trusted = trusted

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        return [
            Binding(wire.LIST_THREADS, self.list_threads, door),
            Binding(wire.GET_THREAD, self.get_thread, door),
            Binding(wire.UPDATE_THREAD, self.update_thread, door, "writes"),
            Binding(wire.DELETE_THREAD, self.delete_thread, door, "writes"),
        ]

    async def list_threads(self, call: Call[Caller]) -> bodies.TrustedThreadPage:
        query, resource = call.request.query, call.caller.resource
        wanted = ThreadFilter(
            member=query.get("member"),
            topic_prefix=query.get("topicprefix", ""),
            since_millis=max(0, (paging.moment(query, "activeSince") or 0) // 1_000),
        )
        bound = "trusted threads", resource.id, wanted.member or "", wanted.topic_prefix, str(wanted.since_millis)
        found = read_place(query.get("syncstate"), *bound)
        page = await self._trusted.threads.list(
            resource, wanted, after=Place(*found) if found else None, most=page_size(call)
        )
        link = None
        if page.next is not None:
            place = page.next.listed_millis, page.next.number, page.next.topic
            link = paging.next_link(call, syncState=write_place(place, *bound))
        return bodies.TrustedThreadPage([_shown(each) for each in page.threads], link)

    async def get_thread(self, call: Call[Caller]) -> bodies.TrustedThreadBody:
        return _shown(await self._trusted.threads.get(call.caller.resource, thread_of(call)))

    async def update_thread(self, call: Call[Caller]) -> None:
        asked = bodies.read_thread_update(call.request.body)
        await self._trusted.threads.update(
            call.caller.resource, thread_of(call), topic=asked.topic, frozen=asked.frozen, now_micros=call.now
        )

    async def delete_thread(self, call: Call[Caller]) -> None:
        await self._trusted.threads.delete(call.caller.resource, thread_of(call), now_micros=call.now)


def thread_of(call: Call[Caller]) -> str:
    return call.parts["chatThreadId"]


def page_size(call: Call[Caller]) -> int:
    """How much a page of a list holds; more than the largest page means the largest, as in chat."""
    return paging.page_size(call.request.query, default=wire.DEFAULT_PAGE, largest=LARGEST_PAGE, is_cut=True)


def _shown(found: TrustedThread) -> bodies.TrustedThreadBody:
    return bodies.TrustedThreadBody(
        id=found.id,
        topic=found.topic,
        createdOn=format_millis(found.created_millis),
        createdBy=f"8:{found.created_by}",
        participantCount=found.participants,
        messageCount=found.messages,
        contentBytes=found.bytes,
        lastMessageOn=format_millis(found.last_millis) if found.last_millis else None,
        frozenOn=None if found.frozen_millis is None else format_millis(found.frozen_millis),
        retentionDays=found.retention_days,
        metadata=dict(found.metadata) if found.metadata else None,
    )
