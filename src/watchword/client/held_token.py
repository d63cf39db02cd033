"""A user's access token in a credential's hands: when it expires, and when the next one is due.

    issued ─────────────────────────── 10 minutes ── expiry       asked for with more than 10 minutes to go: due there
                                 now ───── half ──── expiry       with less: due when half of what is left has passed

The same rule says when to try again after a refresh that failed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import msgspec

from watchword.errors import InvalidToken

AHEAD = timedelta(minutes=10)
OPAQUE_LIFETIME = timedelta(minutes=10)
"""What is assumed of a token that does not tell when it expires, as the official JavaScript client does."""

_AHEAD_MICROS = AHEAD // timedelta(microseconds=1)
_OPAQUE_MICROS = OPAQUE_LIFETIME // timedelta(microseconds=1)
_SHORTEST_PAUSE_MICROS = 1_000_000
_LATEST_EXPIRY = 1 << 40
"""Seconds since 1970: some 35,000 years. A number above is no time."""


class CurrentToken(NamedTuple):
    """What a credential gives, in the shape that azure-core knows; `expires_on` in seconds since 1970."""

    token: str
    expires_on: int


@dataclass(frozen=True, slots=True)
class HeldToken:
    """Times in microseconds since 1970."""

    token: str = field(repr=False)
    expiry_micros: int
    due_micros: int

    def is_valid(self, now_micros: int) -> bool:
        return now_micros < self.expiry_micros

    def is_due(self, now_micros: int) -> bool:
        return now_micros >= self.due_micros

    def postponed(self, now_micros: int) -> HeldToken:
        """The same token, its refresh put off because one has just failed."""
        return HeldToken(self.token, self.expiry_micros, _due(self.expiry_micros, now_micros))

    def current(self) -> CurrentToken:
        return CurrentToken(self.token, self.expiry_micros // 1_000_000)


class _Expiry(msgspec.Struct):
    exp: int


def hold(token: object, now_micros: int) -> HeldToken:
    """Read when the token expires, so that it can be held until then.

    Raises:
        InvalidToken: check `expiry`, it has expired; or check `format`, it is empty or no string at all.
    """
    if not isinstance(token, str) or not token:
        raise InvalidToken("format", "The refresher returned no token.")
    expiry = _expiry_micros(token)
    expiry = now_micros + _OPAQUE_MICROS if expiry is None else expiry
    if now_micros >= expiry:
        raise InvalidToken("expiry", "The token has expired.")
    return HeldToken(token, expiry, _due(expiry, now_micros))


def hold_if_valid(token: str | None, now_micros: int) -> HeldToken | None:
    """A token to begin with, or None where there is none or it has expired."""
    try:
        return hold(token, now_micros) if token is not None else None
    except InvalidToken:
        return None


def _due(expiry_micros: int, now_micros: int) -> int:
    left = expiry_micros - now_micros
    if left > _AHEAD_MICROS:
        return expiry_micros - _AHEAD_MICROS
    return now_micros + max(left // 2, _SHORTEST_PAUSE_MICROS)


def _expiry_micros(token: str) -> int | None:
    """What the payload says, unverified: the token's user has no key to verify it with, and nothing to gain."""
    parts = token.split(".")
    if len(parts) < 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "==")
        seconds = msgspec.json.decode(payload, type=_Expiry).exp
    except (ValueError, RecursionError):
        return None
    return seconds * 1_000_000 if 0 <= seconds < _LATEST_EXPIRY else None
