"""The rules of access tokens: which scopes, how long, and for whom."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter

import msgspec

from watchword.clock import Clock, MonotoneClock
from watchword.errors import InvalidLifetime, NoScopes, Unavailable, UnknownScope
from watchword.identity.identities import Identity
from watchword.identity.store import IdentityStore
from watchword.keyring.keyring import Keyring
from watchword.resources.store import Resource
from watchword.storage.clock_watch import ClockWatch
from watchword.tokens.claims import new_claims
from watchword.tokens.issuer import sign

MINIMUM_MINUTES = 60
MAXIMUM_MINUTES = 1_440
DEFAULT_MINUTES = 1_440
"""Source: identity.md section 1.1, 60..1440 and default 1440."""

NOTES_A_SECOND = 1_000
MOST_WAITING = 20_000
_NOTES_IN_ONE_COMMIT = 500

_log = logging.getLogger(__name__)


class IssuedToken(msgspec.Struct, frozen=True, gc=False):
    """A fresh token; times are microseconds since 1970, and `expires_micros` has those of the moment of issue."""

    token: str
    issued_micros: int
    expires_micros: int


class LastTokens:
    """Remembers when identities were last issued a token, and writes it down a second later.

    It must not cost more than issuing does: each note rewrites a page of a table that may have millions. So above
    `NOTES_A_SECOND` they queue, an identity once, and of more than `MOST_WAITING` the oldest are dropped. A crash loses
    what waits; issuing a token writes nothing else.
    """

    def __init__(self, store: IdentityStore, issue_clock: MonotoneClock) -> None:
        self._store = store
        self._issue_clock = issue_clock
        self._noted: dict[tuple[int, bytes], int] = {}

    def note(self, resource: int, flake: bytes, micros: int) -> None:
        self._noted[resource, flake] = micros

    async def flush(self, most: int = MOST_WAITING) -> None:
        """Write down the oldest notes."""
        if (excess := len(self._noted) - MOST_WAITING) > 0:
            _log.warning("too many tokens are issued to write down when: %d identities keep an older time", excess)
            self._take(excess)
        # In the order in which everybody locks them, which is that of the table: neighbours share a page. Small
        # transactions, so that no caller's write waits long behind them.
        rows = iter(sorted(self._take(most), key=itemgetter(2, 1)))
        while chunk := list(islice(rows, _NOTES_IN_ONE_COMMIT)):
            try:
                await self._store.note_tokens(chunk, self._issue_clock.last)
            except Unavailable:
                _log.warning("when %d identities were last issued a token could not be written down", len(chunk))

    async def keep_flushing(self) -> None:
        """Runs until it is cancelled, and writes everything down then."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(1.0)
                await self.flush(NOTES_A_SECOND)
        await self.flush()

    def _take(self, most: int) -> list[tuple[int, int, bytes]]:
        oldest = list(islice(self._noted, most))
        return [(self._noted.pop(key), *key) for key in oldest]


class AccessTokens:
    """Issues tokens with the key in force."""

    def __init__(self, keyring: Keyring, last_tokens: LastTokens, clock: Clock, clock_watch: ClockWatch) -> None:
        self._keyring = keyring
        self._last_tokens = last_tokens
        self._clock = clock
        self._clock_watch = clock_watch

    async def issue(
        self, resource: Resource, access_key_id: str | None, identity: Identity, scopes: Sequence[str], minutes: int
    ) -> IssuedToken:
        """A signed token for the identity as it was just read; scopes and minutes were checked before.

        Raises:
            WrongClock: by this machine's clock no token is issued.
            Unavailable: the database does not answer.
        """
        now = self._clock.micros()
        # Above what cuts off older tokens, so that this one is good at once, though the clock here be behind.
        counts_from = max(resource.valid_from_micros, identity.row.valid_from_micros)
        issued = await self._clock_watch.stamp(now, counts_from)
        claims = new_claims(
            identity.id.skype_id,
            scopes,
            resource_id=resource.id,
            location=resource.location,
            generation=identity.row.generation,
            resource_generation=resource.generation,
            now_micros=now,
            issued_micros=issued,
            expires=now // 1_000_000 + minutes * 60,
            access_key=access_key_id,
        )
        key = await self._keyring.signing_key()
        # The requests of a tick sign one after another, and only then go on: a signature costs twice as much when the
        # processor's caches have to be filled for it.
        await asyncio.sleep(0)
        token = sign(claims, key)
        await asyncio.sleep(0)
        self._last_tokens.note(resource.number, identity.id.flake, now)
        return IssuedToken(token, now, now + minutes * 60_000_000)


def require_scopes(scopes: Sequence[str], allowed: tuple[str, ...] | None, field: str) -> tuple[str, ...]:
    """The scopes without repetitions, in their order; where `allowed` is None, they may be any.

    Raises:
        NoScopes: the list is empty.
        UnknownScope: one of them is not allowed.
    """
    if not scopes:
        raise NoScopes
    if allowed is not None:
        for scope in scopes:
            if scope not in allowed:
                raise UnknownScope(scope, field, allowed)
    return tuple(dict.fromkeys(scopes))


def require_lifetime(minutes: int | None) -> int:
    """The lifetime in minutes, or the default where none was asked for.

    Raises:
        InvalidLifetime: outside 60 to 1440 minutes.
    """
    if minutes is None:
        return DEFAULT_MINUTES
    if not MINIMUM_MINUTES <= minutes <= MAXIMUM_MINUTES:
        raise InvalidLifetime(minutes, MINIMUM_MINUTES, MAXIMUM_MINUTES)
    return minutes
