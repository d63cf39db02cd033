"""Which web pages may call us from a browser: those of the origins by setting, and only what needs no access key.

    OPTIONS /access/entra/:exchangeAccessToken        Origin: https://app.example
    204                                               Access-Control-Allow-Origin: https://app.example

A page never signs with an access key, since everybody could read the key there; so nothing that a key signs is allowed.
Cookies play no part, hence no `Access-Control-Allow-Credentials`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from watchword.http.exchange import Exchange
from watchword.http.forwarded import is_authority
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
_FOLDED_PATHS = frozenset(path.lower() for path in PATHS)

_HEADERS = (
    "authorization",
    "content-type",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "x-ms-client-request-id",
    "x-ms-useragent",
)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", ", ".join(_HEADERS)),
    ("access-control-max-age", "600"),
)
_EXPOSED = ("access-control-expose-headers", "etag, ms-cv, retry-after, x-ms-client-request-id")
_VARY = ("vary", "origin")


class Cors:
    """Before the pipeline: answers what a browser asks beforehand, and adds to other answers what it looks for."""

    def __init__(self, answer: Callable[[Exchange], Awaitable[None]], origins: Collection[str]) -> None:
        self._answer = answer
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    async def answer(self, exchange: Exchange) -> None:
        sent = exchange.headers
        # In any case of letters, as routes are.
        if exchange.path.rstrip("/").lower() in _FOLDED_PATHS:
            exchange.extra_headers = (_VARY,)
            if (origin := sent.get("origin", "")).lower() in self._origins:
                allowed = ("access-control-allow-origin", origin)
                is_preflight = exchange.method == "OPTIONS" and "access-control-request-method" in sent
                # Without a good Host it is refused further on, like any other request.
                if is_preflight and is_authority(sent.get("host", "")):
                    exchange.answer(204, (allowed, *_PREFLIGHT))
                    return
                exchange.extra_headers = (allowed, _EXPOSED, _VARY)
        await self._answer(exchange)
