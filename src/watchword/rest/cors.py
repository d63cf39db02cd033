"""Which web pages may call us from a browser: those of the origins by setting, and only what needs no access key.

    OPTIONS /access/entra/:exchangeAccessToken        Origin: https://app.example
    204                                               Access-Control-Allow-Origin: https://app.example

A page never signs with an access key, since everybody could read the key there; so nothing that a key signs is allowed.
Cookies play no part, hence no `Access-Control-Allow-Credentials`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from watchword.wire import exchanges, verification

PATHS = frozenset(
    each.path
    for each in (
        exchanges.EXCHANGE_ENTRA,
        exchanges.EXCHANGE_EXTENSION,
        verification.KEY_SET,
        verification.REVOCATIONS,
    )
)

_HEADERS = (
    b"authorization",
    b"content-type",
    b"if-none-match",
    b"last-event-id",
    b"traceparent",
    b"x-ms-client-request-id",
    b"x-ms-useragent",
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b", ".join(_HEADERS)),
    (b"access-control-max-age", b"600"),
)
_EXPOSED = (b"access-control-expose-headers", b"etag, ms-cv, retry-after, x-ms-client-request-id")
_VARY = (b"vary", b"origin")


class Cors:
    """An ASGI application around another, that answers what a browser asks beforehand."""

    def __init__(self, http: Any, origins: Collection[str]) -> None:
        self._http = http
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/") not in PATHS:
            await self._http(scope, receive, send)
            return
        sent = dict(scope["headers"])
        origin: bytes = sent.get(b"origin", b"")
        if origin.decode("latin-1").lower() not in self._origins:
            await self._http(scope, receive, _adding(send, _VARY))
            return
        allowed = (b"access-control-allow-origin", origin)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in sent:
            headers = [allowed, _VARY, *_PREFLIGHT]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body"})
            return
        await self._http(scope, receive, _adding(send, allowed, _EXPOSED, _VARY))


def _adding(send: Any, *headers: tuple[bytes, bytes]) -> Any:
    async def add(event: Any) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), *headers]}
        await send(event)

    return add
