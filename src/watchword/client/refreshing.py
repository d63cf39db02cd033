"""What both kinds of user credentials do alike: which token will do, what becomes of a failure, and who may wait."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import timedelta

from watchword.client.errors import RefreshFailed
from watchword.client.held_token import HeldToken
from watchword.clock import Clock

_log = logging.getLogger("watchword.client")

LONGEST_REFRESH = timedelta(minutes=1)

inside: ContextVar[tuple[object, ...]] = ContextVar("watchword_fetches", default=())
"""The fetches whose refreshers this thread or task is inside of; also where they go on in other tasks."""


def require_outside(fetch: object) -> None:
    """Refuse to wait for a fetch from within that fetch.

    Raises:
        RefreshFailed: the caller is the fetch that it would wait for.
    """
    if fetch in inside.get():
        raise RefreshFailed(
            "The refresher asked the credential that it is to renew, and would wait for itself. Let it fetch the token "
            "by a client without this credential."
        )


def did_not_end(deadline: timedelta) -> RefreshFailed:
    return RefreshFailed(
        f"The refresher did not return a token within {deadline.total_seconds():g} seconds. Give its requests a "
        "timeout, or the credential a longer refresh_deadline."
    )


def require_open(*, closed: bool) -> None:
    if closed:
        raise RuntimeError("the credential was closed")


def usable(held: HeldToken | None, clock: Clock, *, fetching: bool) -> HeldToken | None:
    """The token that is held, where it will do: it is not due yet, or somebody is fetching the next one already."""
    now = clock.micros()
    if held is None or not held.is_valid(now) or (held.is_due(now) and not fetching):
        return None
    return held


def spared(held: HeldToken | None, fetched: HeldToken | BaseException, now_micros: int) -> HeldToken | BaseException:
    """What was fetched; but where that is a failure and the token held is still valid, that one a while longer."""
    if not isinstance(fetched, Exception) or held is None or not held.is_valid(now_micros):
        return fetched
    _log.warning("The access token could not be renewed; the current one is used on.", exc_info=fetched)
    return held.postponed(now_micros)
