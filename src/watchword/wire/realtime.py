"""What realtime clients ask over HTTP before they have a socket, and are answered; the operations, as data.

1  GET  /chat/config/realTimeNotifications        where the rest is
2  POST /v4/a                                     allocate: who I am, by epid; also at each reconnect
3  GET  /socket.io/1/                             a session id, good for one socket
4  GET  /socket.io/1/websocket/{sid}              the WebSocket, without any other proof
7  POST /v3/registrations                         what shall be pushed, and for how long

Source: chat.md section 8.1; surroundings.md section 1.6. Their order is that of the official client.
"""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.wire.operations import Body, Operation

CONFIG_VERSION = "2024-09-01"

LIFETIME_SECONDS = 586_304
"""Told of allocations. Observed: with 7,200 or less a client never renews its registration."""

HEARTBEAT_SECONDS = 45
"""Told with a session id: how long a client waits for anything from the server; it adds two."""

_SCOPES = ("chat", "chat.join", "chat.join.limited")
"""Assumed: realtime needs any scope of chat."""


CLOUD_TYPE = "public"
"""Observed: with any other than `int`, clients name their real application ids."""


class ConfigBody(msgspec.Struct, frozen=True):
    """Observed: neither address ends in a slash."""

    trouterServiceUrl: str
    registrarServiceUrl: str
    cloudType: str


class ConnectParams(msgspec.Struct, frozen=True):
    """What a client repeats in the query of steps 3 and 4, unescaped: so only `A-Za-z0-9._~-` may stand in it.

    `se` and `st` are until and since when, in milliseconds. Observed: where `se` is less than an hour ahead, the
    client drops what it has at its next reconnect.
    """

    sr: str
    sp: str
    se: str
    st: str
    sig: str
    issuer: str = "watchword"


class AllocationBody(msgspec.Struct, frozen=True):
    """`socketio` has no path, and ends in a slash."""

    socketio: str
    url: str
    surl: str
    curlb: str
    ccid: str
    id: str
    ttl: str
    connectparams: ConnectParams


def allocation(origin: str, *, ccid: str, sealed: str, since_millis: int) -> AllocationBody:
    until = since_millis + LIFETIME_SECONDS * 1_000
    address = f"{origin}{connection_path(ccid)}"
    return AllocationBody(
        socketio=f"{origin}/",
        url=address,
        surl=address,
        curlb=origin,
        ccid=ccid,
        id=ccid,
        ttl=str(LIFETIME_SECONDS),
        connectparams=ConnectParams(sr=ccid, sp="connect", se=str(until), st=str(since_millis), sig=sealed),
    )


def connection_path(ccid: str) -> str:
    """The path that pushes are said to be sent to; nothing is served there."""
    return f"/v4/f/{ccid}/"


def session_text(sid: str) -> bytes:
    """Observed: heartbeat and close timeout in seconds, then the transports: WebSocket alone."""
    return f"{sid}:{HEARTBEAT_SECONDS}:{HEARTBEAT_SECONDS}:websocket".encode()


def _operation(id: str, method: str, path: str, *, success: int, summary: str, **facts: Any) -> Operation:
    """Whatever all of them have in common. Source: chat.md section 2.6."""
    return Operation(
        id,
        method,
        path,
        success,
        facts.pop("versions", None),
        summary,
        scopes=facts.pop("scopes", _SCOPES),
        reads_user_header=True,
        is_for_any_page=True,
        **facts,
    )


CONFIG = _operation(
    "Realtime_GetConfig",
    "GET",
    "/chat/config/realTimeNotifications",
    success=200,
    summary="Say where realtime notifications are.",
    versions=(CONFIG_VERSION,),
    gives=(Body(ConfigBody),),
)
ALLOCATE = _operation(
    "Realtime_Allocate",
    "POST",
    "/v4/a",
    success=200,
    summary="Allocate a connection; what happens from here on is kept for it.",
    gives=(Body(AllocationBody),),
)
BEGIN = _operation(
    "Realtime_Begin",
    "GET",
    "/socket.io/1",
    success=200,
    summary="Give out a session id, good for one WebSocket.",
)
CONNECT = _operation(
    "Realtime_Connect",
    "GET",
    "/socket.io/1/websocket/{sid}",
    success=101,
    summary="Open the WebSocket of a session id.",
    scopes=(),
)
REGISTER = _operation(
    "Realtime_Register",
    "POST",
    "/v3/registrations",
    success=202,
    summary="Register for pushes, or renew that.",
)
UNREGISTER = _operation(
    "Realtime_Unregister",
    "DELETE",
    "/v3/registrations/{registrationId}",
    success=202,
    summary="End a registration.",
)
REGISTER_PHONE = _operation(
    "Realtime_RegisterPhone",
    "POST",
    "/v2/registrations",
    success=202,
    summary="Answered, and ignored: no push of phones is sent.",
)
UNREGISTER_PHONE = _operation(
    "Realtime_UnregisterPhone",
    "DELETE",
    "/v2/registrations/{registrationId}",
    success=202,
    summary="Answered, and ignored.",
)
CHECK = _operation(
    "Realtime_Check",
    "GET",
    "/",
    success=200,
    summary="Say that realtime is served here.",
    scopes=(),
)

OPERATIONS = (
    CONFIG,
    ALLOCATE,
    BEGIN,
    CONNECT,
    REGISTER,
    UNREGISTER,
    REGISTER_PHONE,
    UNREGISTER_PHONE,
    CHECK,
)

CHECKED = b"Trouter"
"""Observed: what a client wants to read after network failures, exactly."""
