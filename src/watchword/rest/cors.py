"""Which web pages may call us from a browser: those of the origins by setting, and only what needs no access key.

    OPTIONS /access/entra/:exchangeAccessToken        Origin: https://app.example
    204                                               Access-Control-Allow-Origin: https://app.example

A page never signs with an access key, since everybody could read the key there; so nothing that a key signs is allowed.
Cookies play no part, hence no `Access-Control-Allow-Credentials`.

What takes a user's access token is open to every page, unless origins are named: the token is all that counts, and no
page has another's.
Observed: chat.md section 2.6.
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

_ANY_PAGE: tuple[tuple[str, str], ...] = (("access-control-allow-origin", "*"),)
_ANY_PAGE_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "repeatability-request-id",
    "traceparent",
    "x-ms-client-request-id",
    "x-ms-useragent",
    "x-skypetoken",
)
# Assumed: a browser may remember what it asked for as long as Chromium does at the most, 7200 seconds.
_ANY_PAGE_PREFLIGHT = (
    ("access-control-allow-methods", "GET, POST, PATCH, DELETE"),
    ("access-control-allow-headers", ", ".join(_ANY_PAGE_HEADERS)),
    ("access-control-max-age", "7200"),
)
# Without Retry-After a page repeats nothing that was refused with 429.
_ANY_PAGE_EXPOSED = ("access-control-expose-headers", "Location, Retry-After")
_NO_PAGE_EXPOSED = ("access-control-expose-headers", "*")


class Cors:
    """Once the path is found: answers what a browser asks beforehand, and adds to answers what it looks for."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def answers(self, exchange: Exchange, path: Path) -> bool:
        """Whether that is all: the request was what a browser asks beforehand, and is answered."""
        if path.is_for_any_page:
            return self._answers_any_page(exchange)
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

    def _answers_any_page(self, exchange: Exchange) -> bool:
        sent = exchange.headers
        if (origin := sent.get("origin")) is None:
            exchange.extra_headers = (_NO_PAGE_EXPOSED,)
            return False
        allowed = _ANY_PAGE
        if self._origins:
            if origin.lower() not in self._origins:
                exchange.extra_headers = (_VARY,)
                return False
            allowed = (("access-control-allow-origin", origin), _VARY)
        if exchange.method == "OPTIONS" and "access-control-request-method" in sent:
            exchange.answer(204, (*allowed, *_ANY_PAGE_PREFLIGHT))
            return True
        exchange.extra_headers = (*allowed, _ANY_PAGE_EXPOSED)
        return False
