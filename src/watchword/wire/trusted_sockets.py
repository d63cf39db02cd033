"""What the trusted server asks of the sockets of a user, as data; see `trusted`."""

from __future__ import annotations

import msgspec

from watchword.wire.operations import Body
from watchword.wire.trusted import own_operation
from watchword.wire.trusted_bodies import Time

_SOCKETS = "/trusted/users/{userId}/sockets"


class SocketBody(msgspec.Struct, frozen=True):
    """`id` is the endpoint id that the client chose, which stays the same when it connects anew.

    {"id": "b7b9...", "seenOn": "2026-12-24T18:00:00Z"}
    """

    id: str
    seenOn: Time


class SocketsBody(msgspec.Struct, frozen=True):
    """`{"value": [...]}`"""

    value: list[SocketBody]


LIST_SOCKETS = own_operation(
    "Watchword_ListSockets", "GET", _SOCKETS, success=200,
    summary="List the realtime sockets of a user that are open, on whichever node.",
    gives=(Body(SocketsBody),),
)  # fmt: skip
CLOSE_SOCKETS = own_operation(
    "Watchword_CloseSockets", "DELETE", _SOCKETS, success=204,
    summary="Close all realtime sockets of a user, on every node.",
)  # fmt: skip
CLOSE_SOCKET = own_operation(
    "Watchword_CloseSocket", "DELETE", f"{_SOCKETS}/{{socketId}}", success=204,
    summary="Close one realtime socket of a user; also where there is none.",
)  # fmt: skip
