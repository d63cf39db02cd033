"""The life of a signing key: published, signing, verifying, gone; or revoked.

    made            signs from                  a newer key signs             the last token has expired
    |-- published --|---------- signing --------|--------- verifying ---------| forgotten

A verifier may keep a key set for half as long as a new key is published ahead, and still know every key that signs. A
key that was retired stops signing at once and goes on verifying; one that was revoked does neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from watchword.keyring.store import SigningKeyRow
from watchword.settings import Settings
from watchword.tokens.claims import LONGEST_LIFETIME

State = Literal["published", "signing", "verifying", "expired", "revoked"]

_KEPT_MICROS = round((LONGEST_LIFETIME + timedelta(hours=1)) / timedelta(microseconds=1))
"""How long a key verifies after it last signed: the longest life of a token, and an hour for verifiers' leeway."""


_NEVER = 1 << 63


@dataclass(frozen=True, slots=True)
class Schedule:
    """`every` is how long a key signs, or None to rotate by hand only; `ahead` how long it is published before."""

    every: timedelta | None
    ahead: timedelta

    def next_start(self, rows: list[SigningKeyRow], now_micros: int) -> int | None:
        """When the next key should start to sign, if it is time to publish one."""
        newest = newest_of(rows)
        if self.every is None or newest is None:
            return None
        ahead = round(self.ahead / timedelta(microseconds=1))
        due = newest.signs_from_micros + round(self.every / timedelta(microseconds=1))
        return max(due, now_micros + ahead) if now_micros >= due - ahead else None

    def next_change(self, rows: list[SigningKeyRow], now_micros: int) -> int | None:
        """When another key takes over: a published one, else the one that the schedule asks for; None if by hand."""
        coming = [row.signs_from_micros for row, state in states(rows, now_micros) if state == "published"]
        newest = newest_of(rows)
        if coming or self.every is None or newest is None:
            return min(coming, default=None)
        return newest.signs_from_micros + round(self.every / timedelta(microseconds=1))

    def start_if_published(self, now_micros: int) -> int:
        """When a key that is published now may sign: not before verifiers know it."""
        return now_micros + round(self.ahead / timedelta(microseconds=1))

    @property
    def key_set_age(self) -> timedelta:
        """How long a verifier may keep a key set; the other half is for the commit and the way to the verifier."""
        return self.ahead / 2


def schedule(settings: Settings) -> Schedule:
    """When signing keys change, by setting."""
    every = timedelta(seconds=settings.key_lifetime) if settings.key_lifetime else None
    return Schedule(every, timedelta(seconds=settings.key_publish_ahead))


def newest_of(rows: list[SigningKeyRow]) -> SigningKeyRow | None:
    """The last one that will sign; `rows` in the order in which they sign."""
    usable = [row for row in rows if row.retired_micros is None and row.revoked_micros is None]
    return usable[-1] if usable else None


def states(rows: list[SigningKeyRow], now_micros: int) -> list[tuple[SigningKeyRow, State]]:
    """The state of every key; `rows` in the order in which they sign.

    Once a newer key has begun to sign, a key never signs again, whatever becomes of the newer one.
    """
    found: list[tuple[SigningKeyRow, State]] = []
    successor_from: int | None = None
    for row in reversed(rows):
        found.append((row, _state(row, successor_from, now_micros)))
        if _begins(row):
            successor_from = row.signs_from_micros
    return found[::-1]


def signing_until(rows: list[SigningKeyRow], now_micros: int) -> tuple[str | None, int]:
    """The key that signs now, if any, and the time until which that holds."""
    kid = next((row.kid for row, state in states(rows, now_micros) if state == "signing"), None)
    times = [each for row in rows for each in (row.signs_from_micros, row.retired_micros, row.revoked_micros)]
    return kid, min((each for each in times if each is not None and each > now_micros), default=_NEVER)


def alive_until(rows: list[SigningKeyRow], now_micros: int) -> tuple[list[SigningKeyRow], int]:
    """The keys whose tokens may be good, those to come included, and the time until which that holds."""
    alive = [row for row, state in states(rows, now_micros) if state not in ("expired", "revoked")]
    times = [each for row in rows for each in (row.signs_from_micros, row.retired_micros)]
    ends = [each + _KEPT_MICROS for each in times if each is not None]
    return alive, min((each for each in ends if each > now_micros), default=_NEVER)


def _begins(row: SigningKeyRow) -> bool:
    """Whether it signs at some time, and was not taken away before that."""
    return all(end is None or end > row.signs_from_micros for end in (row.retired_micros, row.revoked_micros))


def _state(row: SigningKeyRow, successor_from: int | None, now_micros: int) -> State:
    if row.revoked_micros is not None:
        return "expired" if row.revoked_micros + _KEPT_MICROS <= now_micros else "revoked"
    ends = [end for end in (successor_from, row.retired_micros) if end is not None]
    if ends and min(ends) + _KEPT_MICROS <= now_micros:
        return "expired"
    if ends and min(ends) <= now_micros:
        return "verifying"
    return "signing" if row.signs_from_micros <= now_micros else "published"
