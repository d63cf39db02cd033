"""Which web pages may call us from a browser: those of the origins by setting, and only what needs no access key.

    OPTIONS /access/entra/:exchangeAccessToken        Origin: https://app.example
    204                                               Access-Control-Allow-Origin: https://app.example

A page never signs with an access key, since everybody could read the key there; so nothing that a key signs is allowed.
Cookies play no part, hence no `Access-Control-Allow-Credentials`.
"""

from __future__ import annotations

from collections.abc import Collection

from watchword.http.exchange import Exchange
from watchword.rest.routes import Path

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
    """Once the path is found: answers what a browser asks beforehand, and adds to answers what it looks for."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def answers(self, exchange: Exchange, path: Path) -> bool:
        """Whether that is all: the request was what a browser asks beforehand, and is answered."""
        if not path.is_for_browsers or not self._origins:
            return False
        exchange.extra_headers = (_VARY,)
        sent = exchange.headers
        if (origin := sent.get("origin", "")).lower() not in self._origins:
            return False
        allowed = ("access-control-allow-origin", origin)
        if exchange.method == "OPTIONS" and "access-control-request-method" in sent:
            exchange.answer(204, (allowed, *_PREFLIGHT))
            return True
        exchange.extra_headers = (allowed, _EXPOSED, _VARY)
        return False
