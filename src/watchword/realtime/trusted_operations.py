"""The operations by which the trusted server sees and closes sockets, where the wire meets the rules."""

from __future__ import annotations

from watchword.realtime.trusted_sockets import TrustedSockets
from watchword.rest.call import AnyBinding, Binding, Call
from watchword.rest.callers import Caller
from watchword.rest.chat_door import trusted_door
from watchword.rest.doors import Doors
from watchword.wire import trusted_sockets as wire
from watchword.wire.chat_values import format_millis


class TrustedSocketOperations:
    """Speaks both languages; holds no rule and no state."""

    def __init__(self, sockets: TrustedSockets) -> None:
        self._sockets = sockets

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        door = trusted_door(doors)
        return [
            Binding(wire.LIST_SOCKETS, self.list, door),
            Binding(wire.CLOSE_SOCKETS, self.close, door, "writes"),
            Binding(wire.CLOSE_SOCKET, self.close, door, "writes"),
        ]

    async def list(self, call: Call[Caller]) -> wire.SocketsBody:
        found = await self._sockets.list(call.caller.resource, call.parts["userId"])
        return wire.SocketsBody([wire.SocketBody(each.epid, format_millis(each.seen_millis)) for each in found])

    async def close(self, call: Call[Caller]) -> None:
        await self._sockets.close(call.caller.resource, call.parts["userId"], epid=call.parts.get("socketId"))
