"""The steps of the handshake, where the wire meets the rules; see `wire.realtime`."""

from __future__ import annotations

from watchword.realtime.allocations import Allocations
from watchword.realtime.door import SocketDoor, Visitor
from watchword.realtime.sockets import Sockets
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer, Upgrade
from watchword.rest.callers import User
from watchword.rest.chat_door import ChatDoor
from watchword.rest.doors import Doors
from watchword.wire import realtime as wire

_TEXT = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
_ACCEPTED = RawAnswer(b"", (), 202)


class RealtimeOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, allocations: Allocations, sockets: Sockets, socket_door: SocketDoor) -> None:
        self._allocations = allocations
        self._sockets = sockets
        self._socket_door = socket_door

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        users = ChatDoor(doors.users)
        return [
            Binding(wire.CONFIG, self.config, users),
            Binding(wire.ALLOCATE, self.allocate, users, "writes"),
            Binding(wire.BEGIN, self.begin, users),
            Binding(wire.CONNECT, self.connect, self._socket_door, "writes"),
            Binding(wire.REGISTER, self.accept, users),
            Binding(wire.UNREGISTER, self.unregister, users, "writes"),
            Binding(wire.REGISTER_PHONE, self.accept, users),
            Binding(wire.UNREGISTER_PHONE, self.accept, users),
            Binding(wire.CHECK, self.check, doors.nobody),
        ]

    async def config(self, call: Call[User]) -> wire.ConfigBody:
        return wire.ConfigBody(call.request.origin, call.request.origin, wire.CLOUD_TYPE)

    async def allocate(self, call: Call[User]) -> wire.AllocationBody:
        found = await self._allocations.allocate(call.caller, call.request.query.get("epid", ""))
        return wire.allocation(
            call.request.origin, ccid=found.ccid, sealed=found.sealed, since_millis=found.since_millis
        )

    async def begin(self, call: Call[User]) -> RawAnswer:
        query = call.request.query
        sid = await self._allocations.begin(call.caller, query.get("epid", ""), query.get("sig", ""))
        return RawAnswer(wire.session_text(sid), _TEXT)

    async def connect(self, call: Call[Visitor]) -> Upgrade:
        ticket = call.caller.ticket
        claim = await self._allocations.claim(ticket)
        return Upgrade(self._sockets.new_session(ticket, claim).open)

    async def accept(self, call: Call[User]) -> RawAnswer:
        """Observed: 202, empty. Pushes are sent without a registration; those of phones are not sent at all."""
        del call
        return _ACCEPTED

    async def unregister(self, call: Call[User]) -> RawAnswer:
        await self._allocations.forget(call.caller, call.parts["registrationId"])
        return _ACCEPTED

    async def check(self, call: Call[None]) -> RawAnswer:
        del call
        return RawAnswer(wire.CHECKED, _TEXT)
